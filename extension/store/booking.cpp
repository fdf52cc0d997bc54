#include "store/booking.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "store/batch.hpp"
#include "store/choice.hpp"
#include "store/journal.hpp"
#include "store/ledger_cache.hpp"
#include "store/numbering.hpp"
#include "store/replay.hpp"
#include "store/rows.hpp"
#include "store/under_way.hpp"

#include <string>
#include <vector>

namespace lockstep {

namespace {

// Whoever had a row before us may have booked the same id, in a batch: such have no lock on ids.
// Ours is not held while another transaction is waited for, which may ask for the same id again;
// and not waited for after that: whoever has it by now may be waiting for our rows.
std::optional<booking> booked_meanwhile(const ledger &in, const movement_request &request,
                                        request_lock *lock) {
    if (lock == nullptr || IsolationUsesXactSnapshot())
        return std::nullopt;
    for (;;) {
        const booking_state found = find_booking(in, *request.request_id);
        if (!TransactionIdIsValid(found.in_flight))
            return found.booked;
        lock->release();
        wait_for_transaction(found.in_flight);
        lock->take_if_free();
    }
}

// Writes the rows, in canonical order, and decides once more: a trigger may have had its say.
void write_rows(const ledger &in, const numbered_items &numbered, std::vector<batch_row> &rows,
                item_outcome &outcome) {
    const batch_item &item = numbered.items.front();
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].state->version) // the statement would say less when it does not fit
            static_cast<void>(version_datum(in, numbered.keys[i], *rows[i].state->version));
    for (std::uint32_t i = 0; i < rows.size(); ++i)
        rows[i].state =
            add_to_row(in, numbered.keys[i], i == item.from ? item.amount.negated() : item.amount);
    const auto seen = [&](std::uint32_t number) -> std::optional<leg> {
        if (number == no_row)
            return std::nullopt;
        return leg{key_text(in.key, numbered.keys[number]), rows[number].state};
    };
    const auto from = seen(item.from);
    const auto to = seen(item.to);
    if (const auto no = decide(in.name, from ? &*from : nullptr, to ? &*to : nullptr, item.amount,
                               item.expected_version))
        throw sql_error(no->sqlstate, no->message, no->detail);
    outcome.from_balance = from ? from->after->amount : std::nullopt;
    outcome.to_balance = to ? to->after->amount : std::nullopt;
}

// `lock` is the one on the caller's id, null where there is no such id.
movement_result perform(const ledger &in, const movement_request &request,
                        const numbered_items &numbered, const uuid_bytes &request_id,
                        request_lock *lock) {
    const under_way here{in, numbered.keys, {&request_id, 1}};
    std::vector<batch_row> rows(numbered.keys.size());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].state = lock_row(in, numbered.keys[i]);
    if (const auto earlier = booked_meanwhile(in, request, lock))
        return replay(in, request, *earlier);

    item_outcome outcome;
    const auto no =
        apply_item(rows, numbered.items.front(), in.amount, names_of(in, numbered.keys), outcome);
    if (!no)
        write_rows(in, numbered, rows, outcome);
    else if (!request.return_refusals)
        throw sql_error(no->sqlstate, no->message, no->detail);

    booking booked{};
    booked.request_id = request_id;
    booked.from = request.from;
    booked.to = request.to;
    booked.amount = request.amount;
    booked.from_balance = outcome.from_balance;
    booked.to_balance = outcome.to_balance;
    if (no)
        booked.refusal = no->sqlstate;
    // The rows are locked: for each row, bookings have the order of their times and entries.
    booked.booked_at = GetCurrentTimestamp();
    write_booking(in, booked, request.memo);
    ledger_cache::require_unchanged(in);
    return result_of(booked, no ? "refused" : "applied", no ? no->sqlstate : nullptr);
}

// By statements, for tables that are not plain: triggers see every movement by itself.
movement_result book_by_statements(const ledger &in, const movement_request &request) {
    const numbered_items numbered = number_items(in, {&request, 1});
    if (numbered.items.front().from == numbered.items.front().to)
        throw same_row_error(in, *request.from);
    if (!request.request_id)
        return perform(in, request, numbered, new_request_id(), nullptr);

    // The lock lines up the calls with this id, so that of two at once the second one finds the
    // first one's booking instead of colliding with it. It is not held while waiting for a
    // transaction: that one may ask for the same id again.
    for (;;) {
        request_lock lock{in.journal, *request.request_id};
        const booking_state found = find_booking(in, *request.request_id);
        if (TransactionIdIsValid(found.in_flight)) {
            lock.release();
            wait_for_transaction(found.in_flight);
            continue;
        }
        movement_result result = found.booked
                                     ? replay(in, request, *found.booked)
                                     : perform(in, request, numbered, *request.request_id, &lock);
        lock.release();
        return result;
    }
}

} // namespace

movement_result book_movement(const ledger &in, const movement_request &request) {
    if (request.expected_version && !in.has(row_column::version))
        throw sql_error(state::invalid_parameter_value,
                        std::string{"ledger \""} + in.name + "\" has no version column", {},
                        "Register it with version_column to expect a version.");
    if (is_served_by_heap(in))
        return book_batch(in, {&request, 1}, false).front();
    return book_by_statements(in, request);
}

} // namespace lockstep
