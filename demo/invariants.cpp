#include "invariants.hpp"

#include <fmt/format.h>

namespace lockstep::demo {
namespace {

constexpr const char *sum_sql = "SELECT sum(abalance) FROM pgbench_accounts";
constexpr const char *deadlocks_sql =
    "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()";

std::string as_array(const std::vector<request_id> &ids) {
    std::string text = "{";
    for (const auto &id : ids)
        text += (text.size() > 1 ? "," : "") + id.to_string();
    return text + "}";
}

} // namespace

std::string with_commas(std::uint64_t number) {
    std::string text = std::to_string(number);
    for (std::size_t at = text.size(); at > 3; at -= 3)
        text.insert(at - 3, ",");
    return text;
}

std::string invariants::value(const std::string &sql, const std::optional<std::string> &argument) {
    run_options patient;
    patient.mode = access_mode::read_only;
    patient.level = isolation::repeatable_read;
    patient.retry.deadline = std::chrono::minutes(10);
    return asking_.run(patient, [&](transaction &tx) {
        const auto found = argument ? tx.exec(sql, *argument) : tx.exec(sql);
        return found[0][0].as<std::string>();
    });
}

void invariants::remember() {
    sum_before_ = value(sum_sql);
    deadlocks_before_ = value(deadlocks_sql);
}

std::vector<finding> invariants::check(const outcome &seen) {
    std::vector<finding> all;
    const auto sum = value(sum_sql);
    all.push_back({sum == sum_before_, "the sum of all balances is unchanged",
                   fmt::format("{} before, {} after", sum_before_, sum)});

    // Once each: not missing, and the whole journal has no row beside them.
    const auto acknowledged = seen.acknowledged.size();
    const auto found =
        std::stoull(value("SELECT count(*) FROM unnest($1::uuid[]) AS id"
                          " WHERE (SELECT count(*) FROM pgbench_accounts_journal AS j"
                          "         WHERE j.request_id = id AND j.refusal IS NULL) = 1",
                          as_array(seen.acknowledged)));
    const auto booked =
        std::stoull(value("SELECT count(*) FROM pgbench_accounts_journal WHERE refusal IS NULL"));
    all.push_back(
        {found == acknowledged && booked == acknowledged,
         "every acknowledged transfer is in the journal, exactly once",
         fmt::format("{} acknowledged, {} of them found, {} booked in all",
                     with_commas(acknowledged), with_commas(found), with_commas(booked))});

    const auto violations =
        std::stoull(value("SELECT count(*) FROM lockstep.verify_ledger('pgbench_accounts')"));
    all.push_back({violations == 0, "verify_ledger finds every balance explained by the journal",
                   fmt::format("{} violations", with_commas(violations))});

    const auto deadlocks = std::stoull(value(deadlocks_sql)) - std::stoull(deadlocks_before_);
    all.push_back({deadlocks == 0 && !seen.retries.contains("40P01"), "nobody deadlocked",
                   fmt::format("{} counted by the server", with_commas(deadlocks))});

    all.push_back({seen.failures.empty(), "every call ended with an answer",
                   seen.failures.empty()
                       ? "no exception reached a caller"
                       : fmt::format("{} did not, the first: {}", seen.failures.size(),
                                     seen.failures.front())});
    return all;
}

} // namespace lockstep::demo
