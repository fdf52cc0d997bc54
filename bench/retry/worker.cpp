#include "retry/worker.hpp"

#include "common/run.hpp"
#include "core/backoff.hpp"

#include <fmt/format.h>

#include <thread>

namespace lockstep::bench {
namespace {

constexpr auto *begin = "bench begin";
constexpr auto *commit = "bench commit";
constexpr auto *call = "bench call";

std::string step(std::size_t i) {
    return fmt::format("bench step {}", i);
}

bool is_worth_a_retry(const sql_failure &failed) {
    return failed.sqlstate() == "40001" || failed.sqlstate() == "40P01";
}

// "$1, $2"
std::string places(std::size_t count) {
    std::string list;
    for (std::size_t i = 1; i <= count; ++i)
        list += fmt::format("{}${}", i == 1 ? "" : ", ", i);
    return list;
}

void prepare_retry(session &link, job what) {
    std::string script;
    for (const auto &each : statements_of(what))
        script += each.sql + "; ";
    link.prepare(call, fmt::format("CALL lockstep.retry('{}', isolation => 'serializable',"
                                   " max_attempts => 1000000000, deadline => NULL,"
                                   " params => ARRAY[{}]::text[])",
                                   script, places(statements_of(what).back().parameters)));
}

void prepare_client(session &link, job what) {
    const auto &statements = statements_of(what);
    link.prepare(begin, "BEGIN ISOLATION LEVEL SERIALIZABLE");
    for (std::size_t i = 0; i < statements.size(); ++i)
        link.prepare(step(i), statements[i].sql);
    link.prepare(commit, "COMMIT");
}

// No BEGIN and no COMMIT: a statement alone is a transaction.
void prepare_function(session &link, job what) {
    link.run("SET default_transaction_isolation = 'serializable'");
    link.prepare(call, fmt::format("SELECT {}({})", function_of(what),
                                   places(statements_of(what).back().parameters)));
}

} // namespace

worker::worker(session &link, way how, job what, bool flush, std::uint64_t seed)
    : link_(link), how_(how), what_(what), random_(seed) {
    link_.run("DISCARD ALL");
    link_.run(fmt::format("SET synchronous_commit = {}", flush ? "on" : "off"));
    switch (how) {
    case way::retry_eager: link_.run("SET lockstep.backoff_base = 0"); [[fallthrough]];
    case way::retry: prepare_retry(link_, what); break;
    case way::client:
    case way::client_eager: prepare_client(link_, what); break;
    case way::function:
    case way::function_eager: prepare_function(link_, what); break;
    }
}

int worker::run(const errand &wanted) {
    return is_ours(how_) ? by_retry(wanted) : by_loop(wanted);
}

int worker::by_retry(const errand &wanted) {
    std::vector<value> values;
    for (const auto &each : wanted.parameters)
        values.push_back({each});
    return link_.run_prepared(call, values).integer(0, 0);
}

int worker::by_loop(const errand &wanted) {
    for (int attempts = 1;; ++attempts) {
        check_not_interrupted();
        try {
            attempt(wanted);
            return attempts;
        } catch (const sql_failure &failed) {
            if (!is_worth_a_retry(failed))
                throw;
        }
        // A COMMIT that failed has ended it.
        if (link_.is_in_transaction())
            link_.run("ROLLBACK");
        if (pauses(how_))
            pause(attempts - 1);
    }
}

void worker::attempt(const errand &wanted) {
    std::vector<value> values;
    for (const auto &each : wanted.parameters)
        values.push_back({each});
    if (how_ == way::function || how_ == way::function_eager) {
        static_cast<void>(link_.run_prepared(call, values));
        return;
    }
    const auto &statements = statements_of(what_);
    link_.run_prepared(begin, {});
    for (std::size_t i = 0; i < statements.size(); ++i)
        link_.run_prepared(step(i), std::span(values).first(statements[i].parameters));
    link_.run_prepared(commit, {});
}

// Full jitter, 4 ms at first and 250 ms at most.
void worker::pause(int nth) {
    std::this_thread::sleep_for(full_jitter(conflict_backoff, nth, random_()));
}

} // namespace lockstep::bench
