#include "ways.hpp"

#include <fmt/format.h>

#include <chrono>
#include <vector>

namespace lockstep::bench {
namespace {

// In the order of the list.
constexpr auto *update = "UPDATE users SET updated_time = clock_timestamp(), updates = updates + 1 "
                         "FROM {} AS k(id) WHERE users.id = k.id";

std::string statement_of(const options &wanted, way how, int number) {
    const auto list = fmt::format("SELECT unnest(ids) FROM lists WHERE number = {}", number);
    switch (how) {
    case way::one_statement:
        return fmt::format("CALL lockstep.retry('{}', 'read committed', 1000000, NULL)",
                           fmt::format(fmt::runtime(update), "(" + list + ")"));
    case way::by_hand:
        return fmt::format(
            R"(DO $$
DECLARE
    all_ids varchar[] := (SELECT ids FROM lists WHERE number = {0});
    chunk varchar[];
BEGIN
    FOR i IN 0 .. cardinality(all_ids) - 1 BY {1} LOOP
        chunk := all_ids[i + 1 : i + {1}];
        LOOP
            BEGIN
                {2};
                EXIT;
            EXCEPTION WHEN deadlock_detected THEN
            END;
            COMMIT;
        END LOOP;
        COMMIT;
    END LOOP;
END $$)",
            number, wanted.chunk_size, fmt::format(fmt::runtime(update), "unnest(chunk)"));
    default:
        return fmt::format("CALL lockstep.apply_in_chunks('users', lockstep.keys_of('{}'), '{}', "
                           "{}, deadline => NULL)",
                           list, fmt::format(fmt::runtime(update), "unnest($1)"),
                           wanted.chunk_size);
    }
}

std::int64_t busy_sessions(session &admin) {
    return std::stoll(admin
                          .run("SELECT count(*) FROM pg_stat_activity WHERE application_name"
                               " LIKE 'bench _%' AND state = 'active'")
                          .text(0, 0));
}

std::int64_t deadlocks_until_now(session &admin) {
    return std::stoll(admin
                          .run("SELECT pg_stat_clear_snapshot();"
                               " SELECT deadlocks FROM pg_stat_database"
                               "  WHERE datname = current_database()")
                          .text(0, 0));
}

} // namespace

std::string key_of(way how) {
    switch (how) {
    case way::one_statement: return "statement";
    case way::by_hand: return "hand";
    default: return "chunks";
    }
}

std::string label_of(way how) {
    switch (how) {
    case way::one_statement: return "one statement each, in CALL retry";
    case way::by_hand: return "chunks by hand, each tried again";
    default: return "apply_in_chunks";
    }
}

void prepare(session &admin, const options &wanted, std::uint64_t seed) {
    admin.run("CREATE EXTENSION IF NOT EXISTS lockstep;"
              " CREATE TABLE lists (number int PRIMARY KEY, ids varchar[] NOT NULL)");
    admin.run(fmt::format("SELECT setseed({:.9f})", static_cast<double>(seed % 1'000'000) / 1e6));
    for (int number = 0; number < wanted.sessions; ++number)
        admin.run(fmt::format("INSERT INTO lists SELECT {}, array_agg(id) FROM"
                              " (SELECT 'user-' || n AS id FROM generate_series(1, {}) AS n"
                              "   ORDER BY random() LIMIT {}) AS drawn",
                              number, wanted.rows, wanted.ids));
}

outcome measured(session &admin, const std::string &conninfo, const options &wanted, way how) {
    admin.run("DROP TABLE IF EXISTS users;"
              " CREATE TABLE users (id varchar PRIMARY KEY, updated_time timestamp,"
              "                     updates int NOT NULL DEFAULT 0)");
    admin.run(fmt::format("INSERT INTO users SELECT 'user-' || n FROM generate_series(1, {}) AS n"
                          " ORDER BY random()",
                          wanted.rows));
    admin.run("VACUUM ANALYZE users");
    admin.run("CHECKPOINT");
    outcome seen{how};
    seen.deadlocks = -deadlocks_until_now(admin);
    {
        std::vector<session> all;
        for (int number = 0; number < wanted.sessions; ++number) {
            all.emplace_back(conninfo, fmt::format("bench {}", number));
            // Rows are then taken in the order of the list, as a driver's batch of single updates
            // takes them.
            all.back().run("SET enable_hashjoin = off; SET enable_mergejoin = off");
        }
        const auto began = std::chrono::steady_clock::now();
        for (int number = 0; number < wanted.sessions; ++number)
            all[static_cast<std::size_t>(number)].send(statement_of(wanted, how, number));
        const auto until = began + wanted.cap;
        do
            admin.run("SELECT pg_sleep(0.02)");
        while (busy_sessions(admin) > 0 && std::chrono::steady_clock::now() < until);
        if (busy_sessions(admin) > 0) {
            seen.finished = false;
            admin.run("SELECT pg_cancel_backend(pid) FROM pg_stat_activity"
                      " WHERE application_name LIKE 'bench _%' AND state = 'active'");
        }
        for (auto &each : all)
            try {
                each.finish();
            } catch (const sql_failure &) {
                if (seen.finished)
                    throw;
            }
        seen.seconds =
            std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    }
    // Sessions tell what they counted when they end.
    while (std::stoi(admin
                         .run("SELECT count(*) FROM pg_stat_activity"
                              " WHERE application_name LIKE 'bench _%'")
                         .text(0, 0)) > 0)
        admin.run("SELECT pg_sleep(0.01)");
    seen.deadlocks += deadlocks_until_now(admin);
    seen.wrong_rows = std::stoll(
        admin
            .run("SELECT count(*) FROM users LEFT JOIN (SELECT id, count(*) AS times FROM lists,"
                 " unnest(ids) AS id GROUP BY id) AS asked USING (id)"
                 " WHERE updates <> coalesce(times, 0)")
            .text(0, 0));
    seen.share = admin
                     .run(fmt::format("SELECT sum(updates) / {}.0 / {} FROM users", wanted.sessions,
                                      wanted.ids))
                     .number(0, 0);
    return seen;
}

} // namespace lockstep::bench
