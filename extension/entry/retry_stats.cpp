// lockstep.get_retry_stats, get_retry_attempts, get_retry_health, reset_retry_stats: how often work
// is done again.
#include "activity/catalogs.hpp"
#include "activity/shared_names.hpp"
#include "core/retry_health.hpp"
#include "core/retry_rules.hpp"
#include "core/sql_error.hpp"
#include "pg/column_value.hpp"
#include "pg/rows.hpp"
#include "retry/settings.hpp"
#include "retry/statistics.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

using namespace lockstep;

namespace {

constexpr char other_states[] = "states that neither the server nor lockstep raises for a retry";
constexpr char no_room[] = "databases that came when there was no room; ";

void require_statistics() {
    if (!lockstep_has_retry_statistics())
        throw sql_error(state::prerequisite_state, "there are no statistics of retries", {},
                        "Add lockstep to shared_preload_libraries and restart the server.");
}

// A count with what it is put in order by: the database's name, then what is counted. Those whose
// database has no name any more come after that, and last the one of no database.
template <class Count>
struct named_count {
    column_value database;
    std::string name;
    std::string what;
    Count count;

    [[nodiscard]] auto place() const {
        return std::tuple{count.database == 0, !database,    std::string_view{name},
                          count.database,      what.empty(), std::string_view{what}};
    }
};

std::string name_text(const column_value &name) {
    return name ? NameStr(*DatumGetName(*name)) : std::string{};
}

template <class Count, class Naming>
std::vector<named_count<Count>> in_order(std::span<const Count> counts, Naming name_of) {
    catalogs names;
    shared_names shared(names.readable());
    std::vector<named_count<Count>> all;
    all.reserve(counts.size());
    for (const Count &one : counts) {
        named_count<Count> row{shared.of_database(one.database), {}, name_of(one), one};
        row.name = name_text(row.database);
        all.push_back(std::move(row));
    }
    names.release();
    std::sort(all.begin(), all.end(),
              [](const auto &a, const auto &b) { return a.place() < b.place(); });
    return all;
}

std::string state_of(const retry_count &one) {
    return one.sqlstate == 0 ? std::string{} : std::string{unpack_sql_state(one.sqlstate)};
}

std::string note_of(const retry_count &one, const std::string &state) {
    const std::string_view said = state.empty() ? other_states : retry_rule_for(state).note;
    return (one.database == 0 ? no_room : "") + std::string{said};
}

std::string source_of(const attempt_count &one) {
    return one.by_retry ? "retry" : "client";
}

// With two decimals, as a numeric.
column_value rounded(std::optional<double> value) {
    if (!value)
        return {};
    const std::int64_t hundredths = std::llround(*value * 100);
    return pg_call([=] { return NumericGetDatum(int64_div_fast_to_numeric(hundredths, 2)); });
}

column_value numeric_of(double value) {
    return pg_call([=] { return DirectFunctionCall1(float8_numeric, Float8GetDatum(value)); });
}

column_value text_of(std::string_view value) {
    return text_or_null(std::string{value});
}

retry_health::minute last_minute() {
    const retry_minute seen = lockstep_last_minute();
    return {seen.transactions, seen.conflicts, seen.deadlocks, seen.announced, seen.attempts};
}

} // namespace

LOCKSTEP_FUNCTION(lockstep_get_retry_stats) {
    require_statistics();
    retry_count *copy = nullptr;
    const std::int32_t size = pg_call([&copy] { return lockstep_copy_retry_counts(&copy); });
    row_builder<7> row;
    row.open_set(fcinfo);
    const std::span<const retry_count> counts{copy, static_cast<std::size_t>(size)};
    for (const auto &[database, name, state, one] : in_order(counts, state_of)) {
        row.add(database);
        row.add(text_or_null(state));
        row.add(Int64GetDatum(one.errors));
        row.add(Int64GetDatum(one.retries));
        row.add(interval_datum(one.waited_us));
        row.add(moment_value(one.last_at));
        row.add(text_of(note_of(one, state)));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_get_retry_attempts) {
    require_statistics();
    attempt_count *copy = nullptr;
    const std::int32_t size = pg_call([&copy] { return lockstep_copy_attempt_counts(&copy); });
    row_builder<7> row;
    row.open_set(fcinfo);
    const std::span<const attempt_count> counts{copy, static_cast<std::size_t>(size)};
    for (const auto &[database, name, source, one] : in_order(counts, source_of)) {
        std::optional<double> mean;
        if (one.transactions > 0)
            mean = static_cast<double>(one.attempts) / static_cast<double>(one.transactions);
        row.add(database);
        row.add(text_of(source));
        row.add(Int64GetDatum(one.transactions));
        row.add(Int64GetDatum(one.attempts));
        row.add(rounded(mean));
        row.add(Int64GetDatum(one.most));
        row.add(Int64GetDatum(one.given_up));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_get_retry_health) {
    require_statistics();
    row_builder<7> row;
    row.open_set(fcinfo);
    for (const retry_health::finding &one :
         retry_health::judge(last_minute(), retry_settings::limits())) {
        row.add(text_of(one.metric));
        row.add(rounded(one.value));
        row.add(text_of(one.unit));
        row.add(text_of(to_string(one.level)));
        row.add(numeric_of(one.at.warning));
        row.add(numeric_of(one.at.critical));
        row.add(text_of(one.advice));
        row.append(fcinfo);
    }
    PG_RETURN_NULL();
}

LOCKSTEP_FUNCTION(lockstep_reset_retry_stats) {
    require_statistics();
    pg_call([] { lockstep_clear_retry_statistics(); });
    PG_RETURN_VOID();
}
