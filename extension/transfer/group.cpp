#include "transfer/group.hpp"

#include "ledger/choice.hpp"
#include "ledger/ledger_cache.hpp"
#include "pg/fault.hpp"
#include "store/heap_store.hpp"
#include "transfer/comparing.hpp"
#include "transfer/counting.hpp"
#include "transfer/in_progress.hpp"
#include "transfer/journaling.hpp"
#include "transfer/known_requests.hpp"
#include "transfer/movements.hpp"
#include "transfer/reckoning.hpp"

#include <memory>
#include <utility>

namespace lockstep {

namespace {

class group_booking {
  public:
    explicit group_booking(movements &all)
        : all_(all), reckoning_(all), store_(all.target), ids_(all.pending_ids()),
          in_progress_(all.target, all.keys, ids_) {}

    void run() {
        lock();
        // With the rows locked nobody else is at work on the same requests any more.
        answer_known_of_several(all_);
        reckon();
        book();
    }

  private:
    void lock() {
        const std::size_t count = all_.keys.size();
        all_.rows.resize(count);
        const auto busy = std::make_unique<bool[]>(count);
        if (!store_.lock_free_ones(all_.keys, all_.rows, {busy.get(), count}))
            throw sql_error(state::object_in_use,
                            "a row of " + table_text(all_.target) + " is not for the heap store");
        const auto is_busy = [&busy](std::uint32_t row) { return row != no_row && busy[row]; };
        for (std::size_t i = 0; i < all_.items.size(); ++i)
            if (is_busy(all_.items[i].from) || is_busy(all_.items[i].to))
                all_.results[i].status = movement_status::left;
        hold_highest_row(all_);
    }

    void reckon() {
        const comparing columns{all_.target};
        for (std::size_t i = 0; i < all_.items.size(); ++i) {
            if (!all_.is_pending(i))
                continue;
            check_interrupts();
            const auto no = reckoning_.apply(i);
            if (!no || all_.requests[i].return_refusals)
                continue;
            all_.results[i].status = movement_status::left;
            all_.errors[i] = sql_error(no->sqlstate, no->message, no->detail);
        }
        columns.finish();
    }

    void book() {
        const call_vector<std::uint32_t> items = all_.pending();
        if (items.empty())
            return;
        const TimestampTz now = GetCurrentTimestamp();
        const call_vector<journal_row> rows = journal_rows_of(all_, items, now);
        // An id may be booked since it was looked up: for other rows, or by an outsider for a row
        // that is not there. Who is alone has written nothing yet.
        if (items.size() == 1) {
            if (!store_.append_if_new(rows.front())) {
                all_.results[items.front()].status = movement_status::left;
                return;
            }
        } else if (!store_.append(rows).empty()) {
            throw sql_error(state::serialization_failure,
                            "a request id of the group was booked meanwhile");
        }
        reach(fault_point::after_journal);
        store_.write(all_.rows);
        keep_answers(all_, rows, items, now);
    }

    movements &all_;
    reckoning reckoning_;
    heap_store store_;
    call_vector<uuid_bytes> ids_;
    in_progress in_progress_;
};

} // namespace

bool serves_groups(const ledger &target) {
    return is_served_by_heap(target) && !target.checks_ask_the_session;
}

call_vector<group_answer> move_group(const ledger &target,
                                     std::span<const movement_request> requests) {
    movements all{target, requests, false};
    all.outcomes.resize(requests.size());
    all.results.resize(requests.size());
    all.errors.resize(requests.size());
    take_ids(all);
    number_keys(all);
    group_booking{all}.run();
    // The last code of the user's has run: a CHECK's.
    ledger_cache::require_unchanged(target);
    count_movements(target, all.results, false);
    call_vector<group_answer> answers;
    answers.reserve(requests.size());
    for (std::size_t i = 0; i < requests.size(); ++i)
        answers.push_back({all.results[i], std::move(all.errors[i])});
    return answers;
}

} // namespace lockstep
