#include "transfer/batch.hpp"

#include "core/batch.hpp"
#include "core/sql_error.hpp"
#include "ledger/ledger_cache.hpp"
#include "ledger/rights.hpp"
#include "locking/order_guard.hpp"
#include "locking/row_queue.hpp"
#include "pg/fault.hpp"
#include "pg/settings.hpp"
#include "pg/short_waits.hpp"
#include "store/choice.hpp"
#include "transfer/comparing.hpp"
#include "transfer/counting.hpp"
#include "transfer/in_progress.hpp"
#include "transfer/journaling.hpp"
#include "transfer/known_requests.hpp"
#include "transfer/numbering.hpp"
#include "transfer/reckoning.hpp"
#include "transfer/written_rows.hpp"

#include <climits>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace lockstep {

namespace {

int most_items = 1'000'000;

// The same id twice in one batch: the same content is a replay, another one is a mistake.
void check_repeat(const movements &all, std::size_t item) {
    const batch_item &one = all.items[item];
    const batch_item &first = all.items[all.first[item]];
    if (one.from == first.from && one.to == first.to && one.amount == first.amount)
        return;
    const char *field = one.from != first.from ? "from_key"
                        : one.to != first.to   ? "to_key"
                                               : "amount";
    all.for_item(item, [&] {
        throw sql_error(state::duplicate_request_in_batch,
                        "request id \"" + id_text(all.ids[item]) +
                            "\" comes twice in one batch, for different requests",
                        std::string{"Field "} + field + " differs from item " +
                            std::to_string(all.first[item] + 1) + ".",
                        "Use a new request id for a new request.");
    });
}

void check_shape(const movements &all) {
    for (std::size_t i = 0; i < all.items.size(); ++i) {
        if (all.items[i].from == all.items[i].to)
            all.for_item(i, [&] { throw same_row_error(all.target, *all.requests[i].from); });
        if (all.first[i] != i)
            check_repeat(all, i);
    }
}

// The second item of an id says what became of the first.
void answer_repeats(movements &all) {
    for (std::size_t i = 0; i < all.results.size(); ++i) {
        if (all.first[i] == i)
            continue;
        movement_result &repeat = all.results[i];
        repeat = all.results[all.first[i]];
        const bool refused = repeat.sqlstate != nullptr;
        repeat.status = refused ? movement_status::refused : movement_status::replayed;
        repeat.sqlstate = refused ? state::already_refused : nullptr;
    }
}

// What is left to do when the requests that were done before are answered: rows are locked, the
// movements reckoned and booked.
class booking {
  public:
    explicit booking(movements &all)
        : all_(all), reckoning_(all), ids_(all.pending_ids()),
          in_progress_(all.target, all.keys, ids_) {}

    void run() {
        lock();
        // Whoever had a row before us may have booked the same ids. A look at each is a second way
        // down the index that they go into: where they can be taken back they just go in, and who
        // is refused there comes back.
        const bool looks_first = store_->wants_second_look(ids_.size());
        if (looks_first)
            look_again();
        else if (ids_.size() > 1 && book_at_once())
            return;
        reckon();
        book();
    }

  private:
    void lock() {
        all_.rows.resize(all_.keys.size());
        store_ = store_for(all_.target);
        const std::size_t tries = rows_to_try(all_.target, all_.keys);
        try {
            lock_result result = store_->lock(all_.keys, all_.rows, tries);
            if (!result.is_served) {
                store_ = statements_for(all_.target);
                result = store_->lock(all_.keys, all_.rows, tries);
            }
            if (result.busy && !may_see_every_row(all_.target)) {
                // A row that the caller may read and not write looks busy too. Where nobody has one
                // of them, waiting for all of them tells.
                result.busy = first_in_others_hands(tries);
                if (!result.busy)
                    result = store_->lock(all_.keys, all_.rows, 0);
            }
            if (result.busy)
                refuse_for(*result.busy);
        } catch (const row_error &error) {
            blame_first(error);
            throw;
        } catch (const would_wait &) {
            refuse_for(first_in_others_hands(tries).value_or(0));
        }
        hold_highest_row(all_);
    }

    [[noreturn]] void refuse_for(std::size_t row) const {
        const Datum key = all_.keys[row];
        refuse_to_wait(all_.target, key, sessions_ahead(all_.target, key).value_or(1));
    }

    [[nodiscard]] std::optional<std::size_t> first_in_others_hands(std::size_t count) const {
        for (std::size_t row = 0; row < count; ++row)
            if (sessions_ahead(all_.target, all_.keys[row]).value_or(0) > 0)
                return row;
        return std::nullopt;
    }

    // Throws the error of a row on as that of the first item that asks for the row.
    void blame_first(const row_error &error) const {
        for (std::size_t i = 0; i < all_.items.size(); ++i) {
            const batch_item &one = all_.items[i];
            if (all_.is_pending(i) && (one.from == error.number() || one.to == error.number()))
                all_.for_item(i, [&] { throw sql_error{error}; });
        }
    }

    // Looks all ids up once more, with the rows locked; once a call.
    void look_again() {
        if (!std::exchange(looked_again_, true))
            answer_known(all_);
    }

    // Applies the item; what ends the call, nothing where it is applied or its refusal is kept.
    std::optional<sql_error> problem_of(std::size_t item) {
        try {
            all_.for_item(item, [&] {
                const auto no = reckoning_.apply(item);
                if (no && !all_.requests[item].return_refusals)
                    throw sql_error(no->sqlstate, no->message, no->detail);
            });
        } catch (const sql_error &error) {
            return error;
        }
        return std::nullopt;
    }

    // The first item that ends the call where nothing is known of it that speaks for it.
    std::optional<std::pair<std::size_t, sql_error>> first_problem(std::size_t begin) {
        const comparing columns{all_.target};
        auto problem = find_problem(begin);
        columns.finish();
        return problem;
    }

    std::optional<std::pair<std::size_t, sql_error>> find_problem(std::size_t begin) {
        for (std::size_t i = begin; i < all_.items.size(); ++i) {
            if (!all_.is_pending(i))
                continue;
            check_interrupts();
            if (auto problem = problem_of(i))
                return std::pair{i, std::move(*problem)};
        }
        return std::nullopt;
    }

    void reckon() {
        std::size_t begin = 0;
        while (const auto problem = first_problem(begin)) {
            // Who had the rows before us may have done this very movement, and what it has left may
            // look like a refusal.
            look_again();
            if (all_.is_pending(problem->first))
                throw problem->second;
            begin = problem->first + 1;
        }
    }

    // Takes all for new. False where one is not, or does not look well: then nothing is done.
    bool book_at_once() {
        const call_vector<batch_row> locked = all_.rows;
        if (!first_problem(0)) {
            const call_vector<std::uint32_t> items = all_.pending();
            const TimestampTz now = GetCurrentTimestamp();
            const call_vector<journal_row> rows = journal_rows_of(all_, items, now);
            if (store_->append_all_or_none(rows)) {
                finish(rows, items, now);
                return true;
            }
        }
        all_.rows = locked;
        all_.outcomes.assign(all_.items.size(), {});
        look_again();
        return false;
    }

    // Writes the rows and the journal, and keeps the answers.
    void book() {
        const call_vector<std::uint32_t> items = all_.pending();
        if (items.empty())
            return;
        if (store_->may_change_rows())
            write_rows();
        const TimestampTz now = GetCurrentTimestamp();
        const call_vector<journal_row> rows = journal_rows_of(all_, items, now);
        append_to_journal(all_, *store_, rows, items);
        if (items.size() == 1 && !all_.is_pending(items.front()))
            return; // somebody else has done it meanwhile
        finish(rows, items, now);
    }

    // The journal is written: the rows, where they come after it, and the answers.
    void finish(std::span<const journal_row> rows, std::span<const std::uint32_t> items,
                TimestampTz now) {
        if (!store_->may_change_rows()) {
            reach(fault_point::after_journal);
            write_rows();
        }
        keep_answers(all_, rows, items, now);
    }

    void write_rows() {
        const written_rows written = store_->write(all_.rows);
        if (written.empty())
            return;
        if (all_.requests.size() > 1)
            require_as_reckoned(all_.target, all_.keys, all_.rows, written);
        else if (all_.outcomes.front().refused == nullptr)
            all_.for_item(0, [&] {
                all_.outcomes.front() =
                    accepted_outcome(all_.target, all_.keys, all_.items.front(), written);
            });
    }

    movements &all_;
    reckoning reckoning_;
    call_vector<uuid_bytes> ids_; // of what is left to do, in order
    in_progress in_progress_;
    std::unique_ptr<store> store_;
    bool looked_again_ = false;
};

call_vector<movement_result> run(const ledger &target, std::span<const movement_request> requests,
                                 bool numbered) {
    movements all{target, requests, numbered};
    all.outcomes.resize(requests.size());
    all.results.resize(requests.size());
    take_ids(all);
    number_keys(all);
    check_shape(all);
    answer_known_early(all);
    drop_unneeded_rows(all);
    if (!all.keys.empty())
        booking{all}.run();
    // The last code of the user's has run: a trigger's, or a CHECK's in the heap store.
    ledger_cache::require_unchanged(target);
    answer_repeats(all);
    count_movements(target, all.results, numbered);
    return std::move(all.results);
}

} // namespace

void install_batch_setting() {
    define_limit("lockstep.max_batch_items",
                 "Most items that one batch of transfers or adjustments takes.", &most_items, 1,
                 INT_MAX);
}

void require_batch_size(std::size_t items) {
    if (items <= static_cast<std::size_t>(most_items))
        return;
    throw sql_error(state::program_limit_exceeded, "batch is too large",
                    "It has " + std::to_string(items) + " items, and at most " +
                        std::to_string(most_items) + " are taken (lockstep.max_batch_items).",
                    "Send it in parts, each in a transaction of its own or all in one.");
}

call_vector<movement_result> move_all(const ledger &target,
                                      std::span<const movement_request> requests) {
    return run(target, requests, true);
}

movement_result move_one(const ledger &target, const movement_request &request) {
    if (request.expected_version && !target.has(row_column::version))
        throw sql_error(state::invalid_parameter_value,
                        table_text(target) + " has no version column", {},
                        "Register it with version_column to expect a version.");
    if (request.at_most && !target.layout.has(journal_column::at_most))
        throw sql_error(state::prerequisite_state,
                        "the journal of " + table_text(target) +
                            " cannot keep what is asked for with at_most",
                        "An older version of lockstep has made it.",
                        "Call lockstep.register_ledger to bring the journal in line.");
    return run(target, {&request, 1}, false).front();
}

} // namespace lockstep
