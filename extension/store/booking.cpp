#include "store/booking.hpp"

#include "core/sql_error.hpp"
#include "pg/values.hpp"
#include "store/rows.hpp"

#include <array>

namespace lockstep {

namespace {

// A leg at work: its key, and what its row's amount changes by.
struct working_leg {
    Datum key;
    money change;
    leg seen;
};

std::string id_text(const uuid_bytes &id) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    for (std::size_t i = 0; i < id.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            text.push_back('-');
        text.push_back(digits[id[i] >> 4]);
        text.push_back(digits[id[i] & 0x0f]);
    }
    return text;
}

std::string shown(const ledger &in, const std::optional<Datum> &key) {
    return key ? key_text(in.key, *key) : "null";
}

bool same_key(const ledger &in, const std::optional<Datum> &a, const std::optional<Datum> &b) {
    if (!a || !b)
        return !a && !b;
    return compare_keys(in.key, *a, *b) == 0;
}

// Balances of a row that row security hides are not told; where none was booked there is none to
// tell.
void check_may_see(const ledger &in, const std::optional<Datum> &key,
                   const std::optional<money> &balance) {
    if (key && balance && !may_see_row(in, *key))
        throw sql_error(state::row_not_found, "row " + key_text(in.key, *key) + " of ledger \"" +
                                                  in.name + "\" not found");
}

// LS010 where the earlier request under this id asked for something else. What it was is told to
// those only who may see its rows.
void check_same_content(const ledger &in, const movement_request &request, const booking &earlier) {
    const auto hidden = [&in](const std::optional<Datum> &key) {
        return key && !may_see_row(in, *key);
    };
    const auto differs = [&](const char *field, const std::string &then, const std::string &now) {
        throw sql_error(
            state::request_id_reused,
            "request id " + id_text(earlier.request_id) + " was used for another request",
            hidden(earlier.from) || hidden(earlier.to)
                ? std::string{"Field "} + field + " differs."
                : std::string{"Field "} + field + " was " + then + " and is " + now + " now.",
            "Use a new request id for a new request.");
    };
    if (!same_key(in, request.from, earlier.from))
        differs("from_key", shown(in, earlier.from), shown(in, request.from));
    if (!same_key(in, request.to, earlier.to))
        differs("to_key", shown(in, earlier.to), shown(in, request.to));
    if (request.amount != earlier.amount)
        differs("amount", earlier.amount.to_string(), request.amount.to_string());
}

// The answer to a request that is in the journal already: for those only who could have made it.
movement_result replay(const ledger &in, const movement_request &request, booking earlier) {
    check_rights(in);
    check_may_see(in, earlier.from, earlier.from_balance);
    check_may_see(in, earlier.to, earlier.to_balance);
    check_same_content(in, request, earlier);
    if (!earlier.refusal)
        return {"replayed", std::move(earlier), std::nullopt};
    if (request.return_refusals)
        return {"refused", std::move(earlier), state::already_refused};
    throw sql_error(
        state::already_refused, "request id " + id_text(earlier.request_id) + " was refused before",
        "The first refusal was " + *earlier.refusal + ".", "Use a new request id to try again.");
}

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
            const auto sum = one.seen.after->amount->plus(one.change);
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

    [[nodiscard]] const leg *from() const { return from_ != nullptr ? &from_->seen : nullptr; }
    [[nodiscard]] const leg *to() const { return to_ != nullptr ? &to_->seen : nullptr; }

    // Balances as seen, that is after the movement.
    [[nodiscard]] std::optional<money> from_balance() const { return balance(from_, false); }
    [[nodiscard]] std::optional<money> to_balance() const { return balance(to_, false); }
    // Balances as they stay where the movement is refused.
    [[nodiscard]] std::optional<money> from_unmoved() const { return balance(from_, true); }
    [[nodiscard]] std::optional<money> to_unmoved() const { return balance(to_, true); }

  private:
    void add(const ledger &in, Datum key, money change) {
        legs_[count_++] = {key, change, {key_text(in.key, key), std::nullopt}};
    }

    static std::optional<money> balance(const working_leg *one, bool unmoved) {
        if (one == nullptr || !one->seen.after)
            return std::nullopt;
        return unmoved ? one->seen.after->amount->minus(one->change) : one->seen.after->amount;
    }

    std::array<working_leg, 2> legs_{};
    std::size_t count_ = 0;
    working_leg *from_ = nullptr;
    working_leg *to_ = nullptr;
    std::array<working_leg *, 2> ordered_{};
};

// The movements that this session is in the middle of, innermost first: a trigger of the ledger may
// call lockstep again. A nested movement of a row that an outer one has written and not yet booked
// would be booked before it, with balances that do not follow from each other; so it is refused.
class under_way {
  public:
    under_way(const ledger &in, const movement_request &request, const uuid_bytes &id)
        : table_(in.table), request_(request), id_(id) {
        for (const under_way *outer = innermost_; outer != nullptr; outer = outer->next_)
            if (outer->table_ == in.table)
                check_apart(in, *outer);
        next_ = innermost_;
        innermost_ = this;
    }
    ~under_way() { innermost_ = next_; }
    under_way(const under_way &) = delete;
    under_way &operator=(const under_way &) = delete;

  private:
    void check_apart(const ledger &in, const under_way &outer) const {
        if (outer.id_ == id_)
            throw sql_error(state::prerequisite_state,
                            "request id " + id_text(id_) + " is under way in this session");
        for (const auto &mine : {request_.from, request_.to})
            for (const auto &other : {outer.request_.from, outer.request_.to})
                if (mine && other && compare_keys(in.key, *mine, *other) == 0)
                    throw sql_error(state::prerequisite_state,
                                    "row " + key_text(in.key, *mine) + " of ledger \"" + in.name +
                                        "\" is in a movement of this session",
                                    "A trigger cannot move a row again before the movement that "
                                    "fired it is booked.");
    }

    static inline constinit const under_way *innermost_ = nullptr;

    Oid table_;
    const movement_request &request_;
    uuid_bytes id_;
    const under_way *next_ = nullptr;
};

[[noreturn]] void raise(const refusal &no) {
    throw sql_error(no.sqlstate, no.message, no.detail);
}

movement_result perform(const ledger &in, const movement_request &request,
                        const uuid_bytes &request_id) {
    const under_way here{in, request, request_id};
    legs rows{in, request};
    movement_result result{"applied", {}, std::nullopt};
    booking &booked = result.booked;
    booked.request_id = request_id;
    booked.from = request.from;
    booked.to = request.to;
    booked.amount = request.amount;

    if (request.return_refusals || in.reads_first) {
        rows.read(in);
        if (const auto no = decide_on(in, request, rows.from(), rows.to())) {
            if (!request.return_refusals)
                raise(*no);
            result.status = "refused";
            result.sqlstate = no->sqlstate;
            booked.refusal = no->sqlstate;
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
    return result;
}

} // namespace

movement_result book_movement(const ledger &in, const movement_request &request) {
    if (request.from && request.to && compare_keys(in.key, *request.from, *request.to) == 0)
        throw sql_error(state::same_row, "from_key and to_key name the same row: " +
                                             key_text(in.key, *request.from));
    if (request.expected_version && !in.has_version_column)
        throw sql_error(state::invalid_parameter_value,
                        std::string{"ledger \""} + in.name + "\" has no version column", {},
                        "Register it with version_column to expect a version.");
    if (!request.request_id)
        return perform(in, request, new_request_id());

    // The lock lines up the calls with this id, so that of two at once the second one finds the
    // first one's booking instead of colliding with it. It is not held while waiting for a
    // transaction: that one may ask for the same id again.
    for (;;) {
        request_lock lock{in.journal, *request.request_id};
        booking_state found = find_booking(in, *request.request_id);
        if (TransactionIdIsValid(found.in_flight)) {
            lock.release();
            wait_for_transaction(found.in_flight);
            continue;
        }
        movement_result result = found.booked ? replay(in, request, *std::move(found.booked))
                                              : perform(in, request, *request.request_id);
        lock.release();
        return result;
    }
}

} // namespace lockstep
