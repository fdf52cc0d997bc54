#include "retry/long_attempts.hpp"

#include "common/run.hpp"
#include "common/statistics.hpp"
#include "core/backoff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <exception>
#include <optional>
#include <thread>

namespace lockstep::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::size_t connections = 5;
constexpr int updates = 3;    // each
constexpr int changed = 2400; // rows, of 3,000
constexpr int most_attempts = 50;
constexpr std::chrono::seconds deadline{30};

constexpr auto *schema = R"(
CREATE TABLE IF NOT EXISTS bulk (id int PRIMARY KEY, changes int NOT NULL);
TRUNCATE bulk;
INSERT INTO bulk SELECT n, 0 FROM generate_series(1, 3000) AS n)";

// A client's own loop, or lockstep.retry as it comes.
struct contestant {
    const char *key;
    const char *label;
    std::optional<backoff_range> pauses; // of a loop
};

std::vector<contestant> contestants(extent how_much) {
    const contestant ours{"retry", "lockstep.retry", std::nullopt};
    const contestant patient{"client_loop_patient", "client's loop, 50 ms to 5 s",
                             backoff_range{milliseconds(50), milliseconds(5000)}};
    if (how_much == extent::tiny)
        return {ours};
    if (how_much == extent::quick)
        return {ours, patient};
    return {ours, patient, {"client_loop", "client's loop, 4 to 250 ms", conflict_backoff}};
}

std::string update(std::uint64_t order) {
    return fmt::format("UPDATE bulk SET changes = changes + 1 FROM (SELECT id FROM"
                       " generate_series(1, 3000) AS id ORDER BY hashint8extended(id, {})"
                       " LIMIT {}) AS picked WHERE bulk.id = picked.id",
                       order >> 1, changed);
}

// What one connection has seen.
struct part {
    int ended = 0;
    int attempts = 0; // of these
    std::exception_ptr failure;
};

bool is_given_up(const sql_failure &failed) {
    return failed.sqlstate() == "40P01" || failed.sqlstate() == "57014";
}

// In how many attempts; nothing where it was given up.
std::optional<int> by_retry(session &link, const std::string &sql) {
    try {
        return link
            .run(fmt::format("CALL lockstep.retry('{}', isolation => 'read committed',"
                             " max_attempts => {}, deadline => '{} s')",
                             sql, most_attempts, deadline.count()))
            .integer(0, 0);
    } catch (const sql_failure &failed) {
        if (!is_given_up(failed))
            throw;
        return std::nullopt;
    }
}

std::optional<int> by_loop(session &link, const std::string &sql, backoff_range pauses,
                           std::mt19937_64 &random) {
    const auto until = steady_clock::now() + deadline;
    for (int attempts = 1; attempts <= most_attempts; ++attempts) {
        check_not_interrupted();
        try {
            link.run(sql);
            return attempts;
        } catch (const sql_failure &failed) {
            if (!is_given_up(failed))
                throw;
        }
        const auto wait = full_jitter(pauses, attempts - 1, random());
        if (steady_clock::now() + wait >= until)
            break;
        std::this_thread::sleep_for(wait);
    }
    return std::nullopt;
}

void work(session &link, const contestant &how, std::uint64_t seed, part &mine) {
    std::mt19937_64 random(seed);
    // A hash join would read the table in its own order.
    link.run("DISCARD ALL");
    link.run("SET enable_hashjoin = off; SET enable_mergejoin = off");
    for (int i = 0; i < updates; ++i) {
        const auto sql = update(random());
        const auto attempts =
            how.pauses ? by_loop(link, sql, *how.pauses, random) : by_retry(link, sql);
        mine.ended += attempts ? 1 : 0;
        mine.attempts += attempts.value_or(0);
    }
}

void one_turn(const contestant &how, session &admin, pool &links, std::mt19937_64 &random,
              long_attempts_seen &seen, std::vector<std::string> &wrong) {
    admin.run(schema);
    admin.run("VACUUM ANALYZE bulk");
    std::vector<part> parts(connections);
    const auto all = links.take(connections);
    const auto began = steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < connections; ++i)
            threads.emplace_back([&, i, seed = random()] {
                try {
                    work(all[i], how, seed, parts[i]);
                } catch (...) {
                    parts[i].failure = std::current_exception();
                }
            });
    }
    seen.seconds.push_back(std::chrono::duration<double>(steady_clock::now() - began).count());
    int ended = 0;
    int attempts = 0;
    for (const auto &each : parts) {
        if (each.failure)
            std::rethrow_exception(each.failure);
        ended += each.ended;
        attempts += each.attempts;
    }
    seen.ended.push_back(ended);
    seen.attempts.push_back(static_cast<double>(attempts) / std::max(ended, 1));
    const auto there = admin.run("SELECT sum(changes) FROM bulk").integer(0, 0);
    if (there != ended * changed)
        wrong.push_back(fmt::format("long attempts, {}: {} changes were acknowledged, {} are there",
                                    how.label, ended * changed, there));
}

void print(screen &out, const std::vector<long_attempts_seen> &ways) {
    out.print(fmt::format("\nlong attempts that deadlock, {} connections with {} each\n"
                          "  {:<30}{:>24}{:>24}{:>10}\n",
                          connections, updates, "", "ended of 15 (least..most)", "seconds in all",
                          "attempts"));
    for (const auto &each : ways)
        out.print(fmt::format("  {:<30}{:>24}{:>24}{:>10.1f}\n", each.label,
                              with_spread(each.ended), with_spread(each.seconds),
                              median(each.attempts)));
}

} // namespace

long_attempts_results measure_long_attempts(const options &wanted, session &admin, pool &links,
                                            std::mt19937_64 &random, screen &out) {
    long_attempts_results all;
    const auto asked = contestants(wanted.how_much);
    for (const auto &how : asked)
        all.ways.push_back({how.key, how.label, {}, {}, {}});
    // A turn takes a minute or two; more of them say little more.
    const int turns = wanted.how_much == extent::quick ? 1 : std::min(wanted.repetitions, 3);
    for (int turn = 1; turn <= turns; ++turn)
        for (std::size_t i = 0; i < asked.size(); ++i) {
            check_not_interrupted();
            out.step(fmt::format("long attempts: turn {} of {}, {}", turn, turns, asked[i].label));
            one_turn(asked[i], admin, links, random, all.ways[i], all.wrong);
        }
    if (wanted.how_much != extent::tiny)
        print(out, all.ways);
    return all;
}

} // namespace lockstep::bench
