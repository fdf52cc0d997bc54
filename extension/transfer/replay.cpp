#include "transfer/replay.hpp"

#include "core/sql_error.hpp"
#include "store/rows.hpp"

#include <string>

namespace lockstep {

namespace {

std::string shown(const ledger &target, const std::optional<Datum> &key) {
    return key ? key_text(target.key, *key) : "null";
}

bool same_key(const ledger &target, const std::optional<Datum> &a, const std::optional<Datum> &b) {
    if (!a || !b)
        return !a && !b;
    return compare_keys(target.key, *a, *b) == 0;
}

// Balances of a row that row security hides are not told; where none was booked there is none to
// tell.
void check_may_see(const ledger &target, const std::optional<Datum> &key,
                   const std::optional<Datum> &balance) {
    if (key && balance && !may_see_row(target, *key))
        throw sql_error(state::row_not_found, row_text(target, *key) + " not found");
}

// LS010 where the earlier request under this id asked for something else. What it was is told to
// those only who may see its rows, and not before it is committed.
void check_same_content(const ledger &target, const movement_request &request,
                        const recorded_movement &earlier, bool committed) {
    const auto hidden = [&target](const std::optional<Datum> &key) {
        return key && !may_see_row(target, *key);
    };
    const auto differs = [&](const char *field, const std::string &then, const std::string &now) {
        throw sql_error(
            state::request_id_reused,
            "request id \"" + id_text(earlier.request_id) + "\" was used for another request",
            !committed || hidden(earlier.from) || hidden(earlier.to)
                ? std::string{"Field "} + field + " differs."
                : std::string{"Field "} + field + " was " + then + " and is " + now + " now.",
            "Use a new request id for a new request.");
    };
    if (!same_key(target, request.from, earlier.from))
        differs("from_key", shown(target, earlier.from), shown(target, request.from));
    if (!same_key(target, request.to, earlier.to))
        differs("to_key", shown(target, earlier.to), shown(target, request.to));
    const money &asked = earlier.at_most ? *earlier.at_most : earlier.amount;
    if (request.amount != asked)
        differs("amount", asked.shown(), request.amount.shown());
    const auto shown_flag = [](bool at_most) { return at_most ? "true" : "false"; };
    if (request.at_most != earlier.at_most.has_value())
        differs("at_most", shown_flag(!request.at_most), shown_flag(request.at_most));
}

// A movement of before as an answer.
movement_result result_of(const recorded_movement &earlier, movement_status status,
                          const char *sqlstate) {
    return {
        earlier.request_id, status,           sqlstate, earlier.kept_amount, earlier.from_balance,
        earlier.to_balance, earlier.booked_at};
}

} // namespace

movement_result replay(const ledger &target, const movement_request &request,
                       const recorded_movement &earlier) {
    check_may_see(target, earlier.from, earlier.from_balance);
    check_may_see(target, earlier.to, earlier.to_balance);
    check_same_content(target, request, earlier, true);
    if (earlier.refusal && !request.return_refusals)
        throw sql_error(state::already_refused,
                        "request id \"" + id_text(earlier.request_id) + "\" was refused before",
                        "The first refusal was " + *earlier.refusal + ".",
                        "Use a new request id to try again.");
    return result_of(earlier,
                     earlier.refusal ? movement_status::refused : movement_status::replayed,
                     earlier.refusal ? state::already_refused : nullptr);
}

void require_same_content(const ledger &target, const movement_request &request,
                          const recorded_movement &in_flight) {
    check_same_content(target, request, in_flight, false);
}

} // namespace lockstep
