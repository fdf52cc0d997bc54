#include "once/once.hpp"

#include "core/backoff.hpp"
#include "core/sql_error.hpp"
#include "locking/order_guard.hpp"
#include "once/request_table.hpp"
#include "pg/values.hpp"

namespace lockstep {

namespace {

std::string request_text(const request_key &key) {
    return "request id \"" + id_text(key.id) + "\"";
}

void wait_for(const request_key &key, TransactionId other) {
    check_may_wait_for_request(key.id, held_not_below(key));
    pg_call([other] { XactLockTableWait(other, nullptr, nullptr, XLTW_None); });
}

void require_same_fingerprint(const request_key &key, const std::optional<Datum> &then,
                              const std::optional<Datum> &now) {
    const auto shown = [](const std::optional<Datum> &text) {
        return text ? "\"" + text_of(*text) + "\"" : std::string{"null"};
    };
    if (then.has_value() == now.has_value() && (!then || text_of(*then) == text_of(*now)))
        return;
    throw sql_error(state::request_id_reused, request_text(key) + " was used for other work",
                    "Its fingerprint was " + shown(then) + " and is " + shown(now) + " now.",
                    "Use a new request id for new work.");
}

Datum result_of(const request_key &key, const known_request &known,
                const std::optional<Datum> &fingerprint) {
    if (known.too_new)
        throw sql_error(state::serialization_failure,
                        "could not serialize access due to concurrent work under the request id",
                        contention_detail(0, std::chrono::microseconds{}),
                        "The transaction might succeed if retried.");
    if (!known.result && held_state_of(key) == held_state::begun)
        throw sql_error(state::prerequisite_state,
                        request_text(key) + " was begun in this transaction and is not finished",
                        {}, "Call once_finish with its result, or roll back to before once_begin.");
    require_same_fingerprint(key, known.fingerprint, fingerprint);
    if (!known.result)
        throw sql_error(state::prerequisite_state, request_text(key) + " has no result",
                        "Table lockstep.once_request was changed by hand.");
    return *known.result;
}

} // namespace

std::optional<Datum> begin_request(const request_key &key, std::optional<Datum> fingerprint) {
    for (;;) {
        check_interrupts();
        const auto known = find_request(key);
        if (known && !TransactionIdIsValid(known->in_flight))
            return result_of(key, *known, fingerprint);
        if (known) {
            wait_for(key, known->in_flight);
        } else if (add_request(key, fingerprint)) {
            hold_request(key);
            return std::nullopt;
        }
    }
}

void await_request(const request_key &key) {
    for (TransactionId other = in_flight_request(key); TransactionIdIsValid(other);
         other = in_flight_request(key)) {
        check_interrupts();
        wait_for(key, other);
    }
}

void finish_request(const request_key &key, Datum result) {
    const auto state_now = held_state_of(key);
    if (!state_now)
        throw sql_error(state::prerequisite_state,
                        request_text(key) + " was not begun in this transaction", {},
                        "Call once_begin first, in the same transaction and by the same role.");
    if (*state_now == held_state::finished)
        throw sql_error(state::prerequisite_state,
                        request_text(key) + " was finished in this transaction already");
    const bool is_null = pg_call([result] {
        JsonbContainer *root = &DatumGetJsonbP(result)->root;
        JsonbValue value;
        return JsonbExtractScalar(root, &value) && value.type == jbvNull;
    });
    if (is_null)
        throw sql_error(state::invalid_parameter_value, "result must not be the JSON null",
                        "Drivers read it as null, by which once_begin says that the work is to be "
                        "done.",
                        "Leave it out, or store an object.");
    write_result(key, result);
    mark_finished(key);
}

} // namespace lockstep
