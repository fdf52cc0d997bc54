#include "claims/queue.hpp"

#include "common/run.hpp"
#include "common/statistics.hpp"

#include <fmt/format.h>

#include <chrono>
#include <exception>
#include <fstream>
#include <thread>

namespace lockstep::bench {
namespace {

using std::chrono::steady_clock;

struct part {
    std::size_t jobs = 0;
    std::size_t most = 0; // of one claim
    std::exception_ptr failure;
};

void prepare(session &link, way how, int claim) {
    link.run("DISCARD ALL");
    link.run("SET synchronous_commit = off");
    link.prepare("bench begin", "BEGIN");
    link.prepare("bench commit", "COMMIT");
    link.prepare("bench done", "UPDATE jobs SET state = 'done' WHERE id = ANY ($1::bigint[])");
    link.prepare(
        "bench claim",
        how == way::ours
            ? fmt::format("SELECT * FROM lockstep.claim('jobs', {}, '{{\"state\": \"ready\"}}')",
                          claim)
            : fmt::format("SELECT id FROM jobs WHERE state = 'ready' ORDER BY id LIMIT {} "
                          "FOR UPDATE SKIP LOCKED",
                          claim));
}

void work(session &link, part &mine) {
    for (;;) {
        check_not_interrupted();
        link.run_prepared("bench begin", {});
        const rows claimed = link.run_prepared("bench claim", {});
        std::string keys;
        for (int row = 0; row < claimed.count(); ++row)
            keys += fmt::format("{}{}", row == 0 ? '{' : ',', claimed.text(row, 0));
        if (!keys.empty()) {
            const value parameter{keys + "}"};
            link.run_prepared("bench done", {&parameter, 1});
        }
        link.run_prepared("bench commit", {});
        if (keys.empty())
            return;
        const auto count = static_cast<std::size_t>(claimed.count());
        mine.jobs += count;
        mine.most = std::max(mine.most, count);
    }
}

// The time that these processes have had a processor for. 0 where the kernel does not tell.
double processor_us(std::span<session> links) {
    double sum = 0;
    for (const auto &link : links) {
        double nanoseconds = 0;
        std::ifstream(fmt::format("/proc/{}/schedstat", link.pid())) >> nanoseconds;
        sum += nanoseconds / 1000;
    }
    return sum;
}

} // namespace

std::string label_of(way how) {
    return how == way::ours ? "claim" : "usual statement";
}

std::string name_of(const scene &where) {
    return fmt::format("{}, {} done before, claims of {}",
                       where.by == indexed::partial ? "partial index" : "(state, id)",
                       with_commas(static_cast<std::size_t>(where.dead)), where.claim);
}

void fill(session &admin, const scene &where) {
    admin.run("DROP TABLE IF EXISTS jobs");
    admin.run("CREATE TABLE jobs (id bigint PRIMARY KEY, state text NOT NULL, work text NOT NULL)");
    admin.run(where.by == indexed::partial ? "CREATE INDEX ON jobs (id) WHERE state = 'ready'"
                                           : "CREATE INDEX ON jobs (state, id)");
    admin.run(fmt::format("INSERT INTO jobs SELECT n, 'ready', 'send a letter to ' || n"
                          " FROM generate_series(1, {}) AS n",
                          where.dead + where.jobs));
    admin.run(fmt::format("UPDATE jobs SET state = 'done' WHERE id <= {}", where.dead));
    // A new queue has no statistics yet. Taken while all is ready, they would say that an index on
    // the state is of no use, and who scans the key's passes over all that is done.
    if (where.dead > 0)
        admin.run("ANALYZE jobs");
    admin.run("CHECKPOINT");
}

drained drain(session &admin, std::span<session> links, const scene &where, way how) {
    for (auto &link : links)
        prepare(link, how, where.claim);
    std::vector<part> parts(links.size());
    const auto before = processor_us(links);
    const auto began = steady_clock::now();
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < links.size(); ++i)
            threads.emplace_back([&, i] {
                try {
                    work(links[i], parts[i]);
                } catch (...) {
                    parts[i].failure = std::current_exception();
                }
            });
    }
    const std::chrono::duration<double> took = steady_clock::now() - began;
    drained seen;
    std::size_t sum = 0;
    for (const auto &each : parts) {
        if (each.failure)
            std::rethrow_exception(each.failure);
        sum += each.jobs;
        if (each.most > static_cast<std::size_t>(where.claim))
            seen.wrong.push_back(fmt::format("{}, {}: a claim of {} jobs", name_of(where),
                                             label_of(how), each.most));
    }
    const auto left = admin.run("SELECT count(*) FROM jobs WHERE state <> 'done'").integer(0, 0);
    if (sum != static_cast<std::size_t>(where.jobs) || left != 0)
        seen.wrong.push_back(fmt::format("{}, {}: {} of {} jobs were claimed, {} are left",
                                         name_of(where), label_of(how), sum, where.jobs, left));
    seen.jobs_per_second = static_cast<double>(sum) / took.count();
    seen.server_us = (processor_us(links) - before) / static_cast<double>(sum);
    return seen;
}

double microseconds_of_call(session &link, way how, int calls) {
    prepare(link, how, 1);
    link.run_prepared("bench begin", {});
    const auto call = [&](int times) {
        for (int i = 0; i < times; ++i)
            link.run_prepared("bench claim", {});
    };
    call(20); // until plans are kept
    const auto began = steady_clock::now();
    call(calls);
    const std::chrono::duration<double, std::micro> took = steady_clock::now() - began;
    link.run("ROLLBACK");
    return took.count() / calls;
}

} // namespace lockstep::bench
