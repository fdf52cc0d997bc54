#include "transfer/journaling.hpp"

#include "core/sql_error.hpp"
#include "pg/numerics.hpp"
#include "pg/values.hpp"
#include "transfer/entries.hpp"
#include "transfer/known_requests.hpp"
#include "transfer/lookup.hpp"

#include <array>
#include <cstring>
#include <string>
#include <utility>

namespace lockstep {

namespace {

// The few texts that refusals share, made once each.
class sqlstate_texts {
  public:
    std::optional<Datum> of(const char *sqlstate) {
        if (sqlstate == nullptr)
            return std::nullopt;
        if (last_ == nullptr || std::strcmp(last_, sqlstate) != 0) {
            last_ = sqlstate;
            text_ = text_datum(sqlstate);
        }
        return text_;
    }

  private:
    const char *last_ = nullptr;
    Datum text_{0};
};

// Entries have the order of the request.
void number(call_vector<journal_row> &rows, const movements &all,
            std::span<const std::uint32_t> items) {
    call_vector<std::uint32_t> place(all.items.size(), no_row);
    for (std::uint32_t i = 0; i < items.size(); ++i)
        place[items[i]] = i;
    const call_vector<std::int64_t> entries = next_entries(all.target, items.size());
    std::size_t next = 0;
    for (const std::uint32_t row : place)
        if (row != no_row)
            rows[row].set(journal_column::entry, Int64GetDatum(entries[next++]));
}

[[nodiscard]] sql_error spoilt(const movements &all, const char *how, const char *why) {
    return {state::triggered_action_exception,
            "the booking of a movement of " + table_text(all.target) + " was " + how, why};
}

// What was asked for, where less of it may have been moved.
std::optional<Datum> asked_at_most(const movements &all, std::uint32_t item) {
    const movement_request &request = all.requests[item];
    if (!request.at_most)
        return std::nullopt;
    const std::optional asked{request.amount};
    Datum numeric{0};
    make_numerics({&asked, 1}, {&numeric, 1});
    return numeric;
}

bool is_there(const movements &all, std::uint32_t row) {
    return row != no_row && all.rows[row].state;
}

// Movements whose rows are not there: nothing puts the same request in line. One after the other,
// in the order of the ids, and before all others: so whoever waits here has booked lower ids alone,
// and no two sessions wait for each other.
bool may_meet_rivals(const movements &all, std::uint32_t item, bool alone) {
    const bool lined_up = is_there(all, all.items[item].from) || is_there(all, all.items[item].to);
    return all.requests[item].request_id.has_value() && (alone || !lined_up);
}

// What becomes of an item whose row the journal did not take: false where its id is free again.
bool resolve_conflict(movements &all, conflict_effect effect, std::uint32_t item, bool was_refused,
                      bool alone) {
    // Whoever asks for the same as these has to wait for a row of ours, has looked already, or has
    // committed before we looked: what is met here wants something else.
    if (effect == conflict_effect::end_call)
        refuse_known(all, item);
    // Not by us: so a trigger has put another row in its place.
    if (is_ours(all.target, all.ids[item]))
        throw spoilt(all, "changed by a trigger", "A trigger has written it itself.");
    if (!answer_if_booked(all, item, alone)) {
        if (effect == conflict_effect::stop)
            return false;
        throw spoilt(all, "suppressed", "A trigger of the journal left it out.");
    }
    // The rows are written already: what they were to move must not have been moved by others.
    if (!was_refused)
        refuse_known(all, item);
    return true;
}

} // namespace

call_vector<journal_row> journal_rows_of(const movements &all, std::span<const std::uint32_t> items,
                                         TimestampTz now) {
    // Amount and both balances of each, to be made numerics in one go.
    constexpr std::array fields{journal_column::amount, journal_column::from_balance,
                                journal_column::to_balance};
    call_vector<std::optional<money>> amounts;
    amounts.reserve(fields.size() * items.size());
    for (const std::uint32_t item : items) {
        amounts.emplace_back(all.items[item].amount);
        amounts.push_back(all.outcomes[item].from_balance);
        amounts.push_back(all.outcomes[item].to_balance);
    }
    call_vector<Datum> numerics(amounts.size());
    make_numerics(amounts, numerics);

    call_vector<journal_row> rows(items.size());
    sqlstate_texts texts;
    for (std::size_t i = 0; i < items.size(); ++i) {
        const std::uint32_t item = items[i];
        journal_row &row = rows[i];
        row.set(journal_column::request_id, PointerGetDatum(all.ids[item].data()));
        row.set(journal_column::booked_at, TimestampTzGetDatum(now));
        row.set(journal_column::from_key, all.requests[item].from);
        row.set(journal_column::to_key, all.requests[item].to);
        for (std::size_t field = 0; field < fields.size(); ++field) {
            const std::size_t place = fields.size() * i + field;
            row.set(fields[field], amounts[place] ? std::optional{numerics[place]} : std::nullopt);
        }
        row.set(journal_column::refusal, texts.of(all.outcomes[item].refused));
        row.set(journal_column::memo, all.requests[item].memo);
        row.set(journal_column::at_most, asked_at_most(all, item));
    }
    number(rows, all, items);
    return rows;
}

void append_to_journal(movements &all, store &where, std::span<const journal_row> rows,
                       std::span<const std::uint32_t> items) {
    const bool alone = items.size() == 1;
    const conflict_effect effect = where.at_conflict();
    call_vector<journal_row> rest;
    call_vector<std::uint32_t> rest_items;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::uint32_t item = items[i];
        if (effect == conflict_effect::end_call && may_meet_rivals(all, item, alone)) {
            while (!where.append_if_new(rows[i]) && !answer_if_booked(all, item, alone)) {
            }
            continue;
        }
        rest.push_back(rows[i]);
        rest_items.push_back(item);
    }
    const auto resolve = [&](std::size_t lost) {
        const bool was_refused = rest[lost].get(journal_column::refusal).has_value();
        return resolve_conflict(all, effect, rest_items[lost], was_refused, alone);
    };
    for (std::size_t next = 0; next < rest.size();) {
        const std::size_t begin = std::exchange(next, rest.size());
        for (const std::size_t position : where.append(std::span{rest}.subspan(begin))) {
            const std::size_t lost = begin + position;
            const bool is_settled = resolve(lost);
            if (effect == conflict_effect::stop)
                next = is_settled ? lost + 1 : lost;
        }
    }
}

} // namespace lockstep
