// lockstep.get_lock_risk: orders of locks that are inverted, by samples.
#include "activity/catalogs.hpp"
#include "lock_samples/risks.hpp"
#include "lock_samples/shown.hpp"
#include "pg/rows.hpp"

#include <algorithm>
#include <span>
#include <string>
#include <vector>

using namespace lockstep;

namespace {

// One text a pair, in order.
template <class Text>
column_value texts_of(const lock_risk &risk, Text &&text) {
    std::vector<std::string> texts;
    texts.reserve(risk.size());
    for (const sampled_pair &pair : risk)
        texts.push_back(text(pair));
    return text_array_datum(texts);
}

column_value times_of(const lock_risk &risk) {
    std::vector<std::int64_t> times;
    times.reserve(risk.size());
    for (const sampled_pair &pair : risk)
        times.push_back(pair.samples);
    return bigints_value(times);
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_lock_risk) {
    require_lock_samples();
    catalogs names;
    sessions activity(names.readable());
    shown_samples shown(activity);
    sampled_pair *pairs = nullptr;
    pairs_account account{};
    const std::int32_t count = pg_call([&] { return lockstep_copy_pairs(&pairs, &account); });
    row_builder<11> row;
    row.open_set(fcinfo);
    for (const lock_risk &risk : lock_risks_in({pairs, static_cast<std::size_t>(count)}, names)) {
        check_interrupts();
        row.add(activity.database_name(risk.front().database));
        row.add(texts_of(risk, [&](const sampled_pair &pair) {
            return names.relation_name(pair.database, pair.held);
        }));
        row.add(texts_of(risk, held_text));
        row.add(texts_of(risk, wanted_text));
        row.add(times_of(risk));
        row.add(texts_of(risk,
                         [&](const sampled_pair &pair) { return shown.text_of(pair.statement); }));
        row.add(TimestampTzGetDatum(
            std::ranges::max_element(risk, {}, &sampled_pair::first_seen)->first_seen));
        row.add(TimestampTzGetDatum(
            std::ranges::max_element(risk, {}, &sampled_pair::last_seen)->last_seen));
        row.add(text_datum(advice_on(risk, names).c_str()));
        row.add(TimestampTzGetDatum(account.since));
        row.add(Int64GetDatum(account.forgotten));
        row.append(fcinfo);
    }
    names.release();
    PG_RETURN_NULL();
}
