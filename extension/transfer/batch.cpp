#include "transfer/batch.hpp"

#include "core/batch.hpp"
#include "core/sql_error.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/numerics.hpp"
#include "pg/settings.hpp"
#include "pg/values.hpp"
#include "store/rows.hpp"
#include "store/store.hpp"
#include "transfer/contention.hpp"
#include "transfer/fault.hpp"
#include "transfer/in_progress.hpp"
#include "transfer/lookup.hpp"
#include "transfer/numbering.hpp"
#include "transfer/replay.hpp"
#include "transfer/written_rows.hpp"

#include <algorithm>
#include <climits>
#include <memory>
#include <string>
#include <utility>

namespace lockstep {

namespace {

int most_items = 1'000'000;

class batch {
  public:
    batch(const ledger &in, std::span<const movement_request> requests, bool numbered)
        : in_(in), requests_(requests), numbered_(numbered), items_(requests.size()),
          outcomes_(requests.size()), results_(requests.size()) {}

    std::vector<movement_result> run() {
        take_ids();
        number_keys();
        check_shape();
        settle_known();
        lock();
        reckon();
        write();
        // The last code of the user's has run: a trigger's, or a CHECK's in the heap store.
        ledger_cache::require_unchanged(in_);
        answer_repeats();
        return std::move(results_);
    }

  private:
    // A single movement is no item of anything.
    template <class Step>
    void for_item(std::size_t item, Step step) const {
        if (numbered_)
            lockstep::for_item(item, step);
        else
            step();
    }

    [[nodiscard]] bool is_pending(std::size_t item) const {
        return results_[item].status == nullptr && first_[item] == item;
    }

    void take_ids() {
        ids_.resize(requests_.size());
        std::size_t missing = 0;
        for (const movement_request &one : requests_)
            missing += one.request_id ? 0 : 1;
        const std::vector<uuid_bytes> made = new_request_ids(missing);
        std::size_t used = 0;
        for (std::size_t i = 0; i < requests_.size(); ++i)
            ids_[i] = requests_[i].request_id ? *requests_[i].request_id : made[used++];
        sorted_ = sorted_by_id(ids_);
        first_ = first_of_id(ids_, sorted_);
    }

    void number_keys() {
        numbered_items numbered = number_items(in_, requests_);
        keys_ = std::move(numbered.keys);
        items_ = std::move(numbered.items);
    }

    void check_shape() const {
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (items_[i].from == items_[i].to)
                for_item(i, [&] { throw same_row_error(in_, *requests_[i].from); });
            if (first_[i] != i)
                check_repeat(i);
        }
    }

    // The same id twice in one batch: the same content is a replay, another one is a mistake.
    void check_repeat(std::size_t item) const {
        const batch_item &one = items_[item];
        const batch_item &first = items_[first_[item]];
        if (one.from == first.from && one.to == first.to && one.amount == first.amount)
            return;
        const char *field = one.from != first.from ? "from_key"
                            : one.to != first.to   ? "to_key"
                                                   : "amount";
        for_item(item, [&] {
            throw sql_error(state::duplicate_request_in_batch,
                            "request id " + id_text(ids_[item]) +
                                " comes twice in one batch, for different requests",
                            std::string{"Field "} + field + " differs from item " +
                                std::to_string(first_[item] + 1) + ".",
                            "Use a new request id for a new request.");
        });
    }

    // The items that are not answered yet and may have been booked before, in the order of their
    // ids.
    [[nodiscard]] std::vector<std::uint32_t> unanswered() const {
        std::vector<std::uint32_t> asked;
        for (const std::uint32_t item : sorted_)
            if (is_pending(item) && requests_[item].request_id)
                asked.push_back(item);
        return asked;
    }

    // Answers the items whose ids are in the journal already. An id that is being booked elsewhere
    // is waited for.
    void settle() {
        std::vector<std::uint32_t> asked = unanswered();
        while (!asked.empty())
            asked = settle_once(asked);
    }

    // The same before anything is locked, so that what was done before takes no lock. A batch is
    // booked as a whole: where none of some ids is known, the rest has time until the rows are
    // locked, when all are looked up in any case.
    void settle_known() {
        constexpr std::size_t some = 8;
        const std::vector<std::uint32_t> asked = unanswered();
        if (asked.size() > some) {
            std::vector<uuid_bytes> sample;
            for (std::size_t i = 0; i < some; ++i)
                sample.push_back(ids_[asked[i * (asked.size() - 1) / (some - 1)]]);
            const journal_answers answers = look_up(in_, sample);
            bool known = false;
            for (std::size_t i = 0; i < some; ++i)
                known = known || !answers.is_new(i);
            if (!known)
                return;
        }
        settle();
    }

    // What is left after that: the items whose ids were in flight.
    std::vector<std::uint32_t> settle_once(const std::vector<std::uint32_t> &asked) {
        std::vector<uuid_bytes> ids;
        ids.reserve(asked.size());
        for (const std::uint32_t item : asked)
            ids.push_back(ids_[item]);
        const journal_answers answers = look_up(in_, ids);
        std::vector<std::uint32_t> in_flight;
        std::vector<std::size_t> found;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (TransactionIdIsValid(answers.in_flight(i)))
                in_flight.push_back(asked[i]);
            else if (!answers.is_new(i))
                found.push_back(i);
        }
        // In the order of the request: of several mistakes the first one is told.
        std::sort(found.begin(), found.end(),
                  [&](std::size_t a, std::size_t b) { return asked[a] < asked[b]; });
        for (const std::size_t i : found) {
            check_interrupts();
            const std::uint32_t item = asked[i];
            for_item(item, [&] {
                results_[item] = replay(in_, requests_[item], answers.booked(i).value());
            });
        }
        // Most of them are one transaction's.
        if (!in_flight.empty())
            wait_for(answers, asked);
        return in_flight;
    }

    static void wait_for(const journal_answers &answers, const std::vector<std::uint32_t> &asked) {
        TransactionId waited_for = InvalidTransactionId;
        for (std::size_t i = 0; i < asked.size(); ++i) {
            const TransactionId other = answers.in_flight(i);
            if (TransactionIdIsValid(other) && other != waited_for)
                wait_for_transaction(other);
            waited_for = TransactionIdIsValid(other) ? other : waited_for;
        }
    }

    // Locks the rows of what is left to do, and numbers them anew.
    void lock() {
        std::vector<std::uint32_t> number(keys_.size(), no_row); // those that are not needed
        std::size_t pending = 0;
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!is_pending(i))
                continue;
            ++pending;
            for (const std::uint32_t row : {items_[i].from, items_[i].to})
                if (row != no_row)
                    number[row] = 0;
        }
        std::vector<Datum> wanted;
        for (std::size_t row = 0; row < keys_.size(); ++row)
            if (number[row] != no_row) {
                number[row] = static_cast<std::uint32_t>(wanted.size());
                wanted.push_back(keys_[row]);
            }
        for (batch_item &one : items_)
            for (std::uint32_t *row : {&one.from, &one.to})
                if (*row != no_row)
                    *row = number[*row];
        keys_ = std::move(wanted);
        rows_.resize(keys_.size());
        if (pending == 0)
            return;
        for (const std::uint32_t item : sorted_)
            if (is_pending(item))
                pending_ids_.push_back(ids_[item]);
        in_progress_.emplace(in_, keys_, pending_ids_);
        store_ = store_for(in_);
        if (!store_->lock(keys_, rows_)) {
            store_ = statements_for(in_);
            static_cast<void>(store_->lock(keys_, rows_));
        }
        // Whoever had a row before us may have booked the same ids.
        if (store_->wants_second_look(pending))
            look_again();
    }

    void reckon() {
        const batch_names names = names_of(in_, keys_);
        for (std::size_t i = 0; i < items_.size(); ++i) {
            if (!is_pending(i))
                continue;
            check_interrupts();
            const auto problem = problem_of(i, names);
            if (!problem)
                continue;
            // Who had the rows before us may have done this very movement, and what it has left may
            // look like a refusal.
            look_again();
            if (is_pending(i))
                throw *problem;
        }
    }

    // Applies the item; what ends the call, nothing where it is applied or its refusal is kept.
    std::optional<sql_error> problem_of(std::size_t item, const batch_names &names) {
        try {
            for_item(item, [&] {
                const auto no = apply_item(rows_, items_[item], in_.amount, names, outcomes_[item]);
                if (no && !requests_[item].return_refusals)
                    throw sql_error(no->sqlstate, no->message, no->detail);
            });
        } catch (const sql_error &error) {
            return error;
        }
        return std::nullopt;
    }

    // Looks all ids up once more, with the rows locked; once a call.
    void look_again() {
        if (!std::exchange(looked_again_, true))
            settle();
    }

    // The items that are left to do, in the order of their ids.
    [[nodiscard]] std::vector<std::uint32_t> pending_by_id() const {
        std::vector<std::uint32_t> pending;
        for (const std::uint32_t item : sorted_)
            if (is_pending(item))
                pending.push_back(item);
        return pending;
    }

    // Writes the rows and the journal, and keeps the answers.
    void write() {
        const std::vector<std::uint32_t> booked = pending_by_id();
        if (booked.empty())
            return;
        if (store_->may_change_rows())
            write_rows();
        std::vector<new_booking> bookings = bookings_of(booked);
        number(bookings, booked);
        // The rows are locked: for each row, bookings have the order of their times and entries.
        const TimestampTz now = GetCurrentTimestamp();
        append(bookings, booked, now);
        if (booked.size() == 1 && !is_pending(booked.front()))
            return; // somebody else has done it meanwhile
        if (!store_->may_change_rows()) {
            reach(fault_point::after_journal);
            write_rows();
        }
        for (std::size_t i = 0; i < booked.size(); ++i) {
            movement_result &result = results_[booked[i]];
            if (result.status != nullptr)
                continue;
            const char *refused = outcomes_[booked[i]].refused;
            result = {ids_[booked[i]],
                      refused != nullptr ? "refused" : "applied",
                      refused,
                      items_[booked[i]].amount,
                      bookings[i].from_balance,
                      bookings[i].to_balance,
                      now};
        }
    }

    // Entries have the order of the request.
    void number(std::vector<new_booking> &bookings,
                const std::vector<std::uint32_t> &booked) const {
        std::vector<std::uint32_t> place(items_.size());
        for (std::uint32_t i = 0; i < booked.size(); ++i)
            place[booked[i]] = i;
        const std::vector<std::int64_t> entries = next_entries(in_, booked.size());
        std::size_t next = 0;
        for (std::size_t item = 0; item < items_.size(); ++item)
            if (is_pending(item))
                bookings[place[item]].entry = entries[next++];
    }

    void write_rows() {
        const std::vector<std::optional<row_state>> written = store_->write(rows_);
        if (written.empty())
            return;
        if (requests_.size() > 1)
            require_as_reckoned(in_, keys_, rows_, written);
        else if (outcomes_.front().refused == nullptr)
            for_item(0, [&] {
                outcomes_.front() = accepted_outcome(in_, keys_, items_.front(), written);
            });
    }

    // Adds to the journal, and answers those whose ids others have booked meanwhile.
    void append(std::span<const new_booking> bookings, const std::vector<std::uint32_t> &booked,
                TimestampTz now) {
        const bool alone = booked.size() == 1;
        std::vector<new_booking> rest;
        std::vector<std::uint32_t> rest_items;
        for (std::size_t i = 0; i < bookings.size(); ++i) {
            const std::uint32_t item = booked[i];
            if (store_->conflict_ends_call() && may_meet_rivals(item, alone)) {
                while (!store_->append_if_new(bookings[i], now) && !is_answered(item, alone)) {
                }
                continue;
            }
            rest.push_back(bookings[i]);
            rest_items.push_back(item);
        }
        for (const std::size_t lost : store_->append(rest, now)) {
            const std::uint32_t item = rest_items[lost];
            // Whoever asks for the same as these has to wait for a row of ours, has looked already,
            // or has committed before we looked: what is met here wants something else.
            if (store_->conflict_ends_call())
                refuse(item);
            // Not by us: so a trigger of the journal has put another row in its place.
            if (is_ours_alone(in_, ids_[item]))
                throw spoilt_booking("changed by a trigger",
                                     "A trigger of the journal has written it itself.");
            if (!is_answered(item, alone))
                throw spoilt_booking("suppressed", "A trigger of the journal left it out.");
            // The rows are written already: what they were to move must not have been moved by
            // others.
            if (rest[lost].refusal == nullptr)
                refuse(item);
        }
    }

    [[nodiscard]] sql_error spoilt_booking(const char *how, const char *why) const {
        return {state::triggered_action_exception,
                std::string{"the booking of a movement of ledger \""} + in_.name + "\" was " + how,
                why};
    }

    // Movements whose rows are not there: nothing puts the same request in line. One after the
    // other, in the order of the ids, and before all others: so whoever waits here has booked lower
    // ids alone, and no two sessions wait for each other.
    [[nodiscard]] bool may_meet_rivals(std::uint32_t item, bool alone) const {
        return requests_[item].request_id.has_value() && (alone || !is_lined_up(items_[item]));
    }

    // The id of an item has turned up in the journal while it was being booked. With other bookings
    // of ours in there already we wait only for the very same request: its session is waiting for
    // nothing of ours.
    bool is_answered(std::uint32_t item, bool alone) {
        for (;;) {
            const journal_answers answers = look_up(in_, {&ids_[item], 1});
            if (answers.is_new(0))
                return false;
            const TransactionId other = answers.in_flight(0);
            if (!TransactionIdIsValid(other))
                break;
            if (!alone)
                for_item(item, [&] {
                    require_same_content(in_, requests_[item], answers.in_flight_booking(0));
                });
            wait_for_transaction(other);
        }
        static_cast<void>(settle_once({item}));
        return results_[item].status != nullptr;
    }

    void refuse(std::uint32_t item) {
        const journal_answers answers = look_up(in_, {&ids_[item], 1}, whose_rows::of_others);
        for_item(item, [&] {
            if (!answers.is_new(0) && TransactionIdIsValid(answers.in_flight(0)))
                require_same_content(in_, requests_[item], answers.in_flight_booking(0));
            else if (const auto earlier = answers.booked(0))
                static_cast<void>(replay(in_, requests_[item], *earlier));
            lose_race_for_id(in_, requests_[item].from, requests_[item].to);
        });
    }

    [[nodiscard]] std::vector<new_booking>
    bookings_of(const std::vector<std::uint32_t> &booked) const {
        // Amount and both balances of each, to be made numerics in one go.
        constexpr std::size_t fields = 3;
        std::vector<std::optional<money>> amounts;
        amounts.reserve(fields * booked.size());
        for (const std::uint32_t item : booked) {
            amounts.emplace_back(items_[item].amount);
            amounts.push_back(outcomes_[item].from_balance);
            amounts.push_back(outcomes_[item].to_balance);
        }
        std::vector<Datum> numerics(amounts.size());
        make_numerics(amounts, numerics);
        std::vector<new_booking> bookings;
        bookings.reserve(booked.size());
        for (std::size_t i = 0; i < booked.size(); ++i) {
            const auto numeric = [&](std::size_t field) -> std::optional<Datum> {
                if (!amounts[fields * i + field])
                    return std::nullopt;
                return numerics[fields * i + field];
            };
            const movement_request &request = requests_[booked[i]];
            bookings.push_back({&ids_[booked[i]], 0, request.from, request.to, numerics[fields * i],
                                numeric(1), numeric(2), outcomes_[booked[i]].refused,
                                request.memo});
        }
        return bookings;
    }

    [[nodiscard]] bool is_lined_up(const batch_item &item) const {
        return (item.from != no_row && rows_[item.from].state) ||
               (item.to != no_row && rows_[item.to].state);
    }

    // The second item of an id says what became of the first.
    void answer_repeats() {
        for (std::size_t i = 0; i < results_.size(); ++i) {
            if (first_[i] == i)
                continue;
            results_[i] = results_[first_[i]];
            const bool refused = results_[i].sqlstate != nullptr;
            results_[i].status = refused ? "refused" : "replayed";
            results_[i].sqlstate = refused ? state::already_refused : nullptr;
        }
    }

    const ledger &in_;
    std::span<const movement_request> requests_;
    bool numbered_;
    std::vector<uuid_bytes> ids_;
    std::vector<std::uint32_t> sorted_; // items by id
    std::vector<std::uint32_t> first_;  // of each item, the first one with its id
    std::vector<Datum> keys_;           // of the rows, in canonical order
    std::vector<batch_item> items_;
    std::vector<uuid_bytes> pending_ids_;
    std::optional<in_progress> in_progress_;
    std::unique_ptr<store> store_;
    bool looked_again_ = false;
    std::vector<batch_row> rows_;
    std::vector<item_outcome> outcomes_;
    std::vector<movement_result> results_; // no status: not settled yet
};

} // namespace

void install_batch_setting() {
    define_limit("lockstep.max_batch_items", "Most items that one call of transfer_batch() takes.",
                 &most_items, 1, INT_MAX);
}

void require_batch_size(std::size_t items) {
    if (items <= static_cast<std::size_t>(most_items))
        return;
    throw sql_error(
        state::program_limit_exceeded, "batch is too large: " + std::to_string(items) + " items",
        "At most " + std::to_string(most_items) + " items are taken (lockstep.max_batch_items).",
        "Send it in parts, each in a transaction of its own or all in one.");
}

std::vector<movement_result> book_batch(const ledger &in,
                                        std::span<const movement_request> requests, bool numbered) {
    return batch{in, requests, numbered}.run();
}

} // namespace lockstep
