#include "store/booking.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "store/batch.hpp"
#include "store/choice.hpp"
#include "store/journal.hpp"
#include "store/replay.hpp"
#include "store/rows.hpp"
#include "store/under_way.hpp"

#include <array>
#include <string>
#include <vector>

namespace lockstep {

namespace {

// A leg at work: its key, and what its row's amount changes by.
struct working_leg {
    Datum key;
    money change;
    leg seen;
    std::optional<money> before; // the amount as it was read
};

std::optional<refusal> decide_on(const ledger &in, const movement_request &request, const leg *from,
                                 const leg *to) {
    return decide(in.name, from, to, request.amount, request.expected_version);
}

// The legs at work, in canonical order: rows are always locked and written that way round.
class legs {
  public:
    legs(const ledger &in, const movement_request &request) {
        if (request.from)
            add(in, *request.from, request.amount.negated());
        const bool has_from = count_ == 1;
        if (request.to)
            add(in, *request.to, request.amount);
        from_ = has_from ? legs_.data() : nullptr;
        to_ = request.to ? legs_.data() + count_ - 1 : nullptr;
        ordered_ = {legs_.data(), legs_.data() + 1};
        if (count_ == 2 && compare_keys(in.key, legs_[0].key, legs_[1].key) > 0)
            std::swap(ordered_[0], ordered_[1]);
    }
    legs(const legs &) = delete;
    legs &operator=(const legs &) = delete;

    // Locks and reads; what is seen is the row as it would be after the movement.
    void read(const ledger &in) {
        for (std::size_t i = 0; i < count_; ++i) {
            working_leg &one = *ordered_[i];
            one.seen.after = lock_row(in, one.key);
            if (!one.seen.after)
                continue;
            one.before = one.seen.after->amount;
            const auto sum = one.before->plus(one.change);
            if (!sum)
                throw sql_error(state::numeric_value_out_of_range,
                                "balance of row " + one.seen.row + " is out of range");
            one.seen.after->amount = sum;
            if (one.seen.after->version)
                ++*one.seen.after->version;
        }
    }

    // Writes; what is seen is what the writes returned.
    void write(const ledger &in) {
        for (std::size_t i = 0; i < count_; ++i)
            ordered_[i]->seen.after = add_to_row(in, ordered_[i]->key, ordered_[i]->change);
    }

    [[nodiscard]] std::vector<Datum> keys() const {
        std::vector<Datum> all;
        for (std::size_t i = 0; i < count_; ++i)
            all.push_back(ordered_[i]->key);
        return all;
    }

    [[nodiscard]] const leg *from() const { return from_ != nullptr ? &from_->seen : nullptr; }
    [[nodiscard]] const leg *to() const { return to_ != nullptr ? &to_->seen : nullptr; }

    // Balances as seen, that is after the movement.
    [[nodiscard]] std::optional<money> from_balance() const { return balance(from_); }
    [[nodiscard]] std::optional<money> to_balance() const { return balance(to_); }
    // Balances as they stay where the movement is refused, with their own decimals.
    [[nodiscard]] std::optional<money> from_unmoved() const { return unmoved(from_); }
    [[nodiscard]] std::optional<money> to_unmoved() const { return unmoved(to_); }

  private:
    void add(const ledger &in, Datum key, money change) {
        legs_[count_++] = {key, change, {key_text(in.key, key), std::nullopt}, std::nullopt};
    }

    static std::optional<money> balance(const working_leg *one) {
        if (one == nullptr || !one->seen.after)
            return std::nullopt;
        return one->seen.after->amount;
    }

    static std::optional<money> unmoved(const working_leg *one) {
        return one == nullptr ? std::nullopt : one->before;
    }

    std::array<working_leg, 2> legs_{};
    std::size_t count_ = 0;
    working_leg *from_ = nullptr;
    working_leg *to_ = nullptr;
    std::array<working_leg *, 2> ordered_{};
};

[[noreturn]] void raise(const refusal &no) {
    throw sql_error(no.sqlstate, no.message, no.detail);
}

// Whoever had a row before us may have booked the same id, in a batch: such have no lock on ids.
std::optional<booking> booked_meanwhile(const ledger &in, const movement_request &request) {
    if (!request.request_id || IsolationUsesXactSnapshot())
        return std::nullopt;
    return find_booking(in, *request.request_id).booked;
}

movement_result perform(const ledger &in, const movement_request &request,
                        const uuid_bytes &request_id) {
    legs rows{in, request};
    const std::vector<Datum> keys = rows.keys();
    const under_way here{in, keys, {&request_id, 1}};
    booking booked{};
    booked.request_id = request_id;
    booked.from = request.from;
    booked.to = request.to;
    booked.amount = request.amount;
    const char *refused = nullptr;

    if (request.return_refusals || in.reads_first || request.request_id) {
        rows.read(in);
        if (const auto earlier = booked_meanwhile(in, request))
            return replay(in, request, *earlier);
        if (const auto no = decide_on(in, request, rows.from(), rows.to())) {
            if (!request.return_refusals)
                raise(*no);
            booked.refusal = no->sqlstate;
            refused = no->sqlstate;
            booked.from_balance = rows.from_unmoved();
            booked.to_balance = rows.to_unmoved();
        }
    }
    if (!booked.refusal) {
        rows.write(in);
        if (const auto no = decide_on(in, request, rows.from(), rows.to()))
            raise(*no);
        booked.from_balance = rows.from_balance();
        booked.to_balance = rows.to_balance();
    }
    // The rows are locked: for each row, bookings have the order of their times and entries.
    booked.booked_at = GetCurrentTimestamp();
    write_booking(in, booked, request.memo);
    return result_of(booked, refused != nullptr ? "refused" : "applied", refused);
}

// By statements, for tables that are not plain: triggers see every movement by itself.
movement_result book_by_statements(const ledger &in, const movement_request &request) {
    if (request.from && request.to && compare_keys(in.key, *request.from, *request.to) == 0)
        throw sql_error(state::same_row, "from_key and to_key name the same row: " +
                                             key_text(in.key, *request.from));
    if (!request.request_id)
        return perform(in, request, new_request_id());

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
        if (found.booked)
            check_rights(in);
        movement_result result = found.booked ? replay(in, request, *found.booked)
                                              : perform(in, request, *request.request_id);
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
