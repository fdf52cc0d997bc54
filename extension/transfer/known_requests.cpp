#include "transfer/known_requests.hpp"

#include "core/sql_error.hpp"
#include "locking/order_guard.hpp"
#include "transfer/contention.hpp"
#include "transfer/lookup.hpp"
#include "transfer/replay.hpp"

#include <algorithm>

namespace lockstep {

namespace {

using item_list = call_vector<std::uint32_t>;

// The items that are not answered yet and may have been booked before, in the order of their ids.
item_list unanswered(const movements &all) {
    item_list asked = all.pending();
    std::erase_if(asked, [&](std::uint32_t item) { return !all.requests[item].request_id; });
    return asked;
}

// Until the one who is booking the id has ended.
void wait_for(const journal_answers &answers, std::size_t position, bool has_booked) {
    const recorded_movement booked = answers.in_flight_movement(position);
    check_may_wait(booked.request_id, booked.refusal == state::row_not_found, has_booked);
    wait_for_transaction(answers.in_flight(position));
}

void wait_for_others(const journal_answers &answers, std::size_t count, bool has_booked) {
    TransactionId waited_for = InvalidTransactionId; // most of them are one transaction's
    for (std::size_t i = 0; i < count; ++i) {
        const TransactionId other = answers.in_flight(i);
        if (TransactionIdIsValid(other) && other != waited_for)
            wait_for(answers, i, has_booked);
        waited_for = TransactionIdIsValid(other) ? other : waited_for;
    }
}

// What is left after that: the items whose ids were in flight. `has_booked`: other items of the
// call are in the journal already.
item_list answer_once(movements &all, const item_list &asked, bool has_booked) {
    call_vector<uuid_bytes> ids;
    ids.reserve(asked.size());
    for (const std::uint32_t item : asked)
        ids.push_back(all.ids[item]);
    const journal_answers answers = look_up(all.target, ids);
    item_list in_flight;
    call_vector<std::size_t> found;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (TransactionIdIsValid(answers.in_flight(i)))
            in_flight.push_back(asked[i]);
        else if (!answers.is_new(i))
            found.push_back(i);
    }
    // In the order of the request: of several mistakes the first one is told.
    std::ranges::sort(found, {}, [&](std::size_t i) { return asked[i]; });
    for (const std::size_t i : found) {
        check_interrupts();
        const std::uint32_t item = asked[i];
        all.for_item(item, [&] {
            all.results[item] = replay(all.target, all.requests[item], answers.booked(i).value());
        });
    }
    if (!in_flight.empty())
        wait_for_others(answers, asked.size(), has_booked);
    return in_flight;
}

} // namespace

void answer_known(movements &all) {
    item_list asked = unanswered(all);
    while (!asked.empty())
        asked = answer_once(all, asked, false);
}

void answer_known_early(movements &all) {
    constexpr std::size_t some = 8;
    const item_list asked = unanswered(all);
    if (asked.size() > some) {
        call_vector<uuid_bytes> sample;
        for (std::size_t i = 0; i < some; ++i)
            sample.push_back(all.ids[asked[i * (asked.size() - 1) / (some - 1)]]);
        const journal_answers answers = look_up(all.target, sample);
        bool known = false;
        for (std::size_t i = 0; i < some; ++i)
            known = known || !answers.is_new(i);
        if (!known)
            return;
    }
    answer_known(all);
}

void answer_known_of_several(movements &all) {
    const item_list asked = all.pending();
    const auto ids = all.pending_ids();
    const journal_answers answers = look_up(all.target, ids);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const std::uint32_t item = asked[i];
        if (TransactionIdIsValid(answers.in_flight(i))) {
            all.results[item].status = movement_status::left;
        } else if (!answers.is_new(i)) {
            try {
                all.results[item] =
                    replay(all.target, all.requests[item], answers.booked(i).value());
            } catch (const sql_error &error) {
                all.results[item].status = movement_status::left;
                all.errors[item] = error;
            }
        }
    }
}

bool answer_if_booked(movements &all, std::uint32_t item, bool alone) {
    for (;;) {
        const journal_answers answers = look_up(all.target, {&all.ids[item], 1});
        if (answers.is_new(0))
            return false;
        const TransactionId other = answers.in_flight(0);
        if (!TransactionIdIsValid(other))
            break;
        if (!alone)
            all.for_item(item, [&] {
                require_same_content(all.target, all.requests[item], answers.in_flight_movement(0));
            });
        wait_for(answers, 0, !alone);
    }
    static_cast<void>(answer_once(all, {item}, !alone));
    return all.results[item].status != movement_status::pending;
}

void refuse_known(const movements &all, std::uint32_t item) {
    const movement_request &request = all.requests[item];
    const journal_answers answers = look_up(all.target, {&all.ids[item], 1}, whose_rows::of_others);
    all.for_item(item, [&] {
        if (!answers.is_new(0) && TransactionIdIsValid(answers.in_flight(0)))
            require_same_content(all.target, request, answers.in_flight_movement(0));
        else if (const auto earlier = answers.booked(0))
            static_cast<void>(replay(all.target, request, *earlier));
        lose_race_for_id(all.target, request.from, request.to);
    });
}

} // namespace lockstep
