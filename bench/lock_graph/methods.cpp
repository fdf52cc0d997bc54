#include "methods.hpp"

#include <chrono>

namespace lockstep::bench {
namespace {

// A tree that places a session once all who block it are placed, as the well-known lock-tree
// queries do. Those place it once below each session placed just before, which never ends where
// some do not block each other; DISTINCT spares it that. A prepared transaction has no process: who
// waits for one is never placed.
constexpr auto *tree_query = R"(
WITH RECURSIVE session AS MATERIALIZED (
    SELECT pid, state, wait_event, query, xact_start, pg_blocking_pids(pid) AS blockers
      FROM pg_stat_activity
     WHERE state IS DISTINCT FROM 'idle'
), tree AS (
    SELECT s.pid, s.state, s.wait_event, s.query, s.xact_start, 1 AS depth,
           s.pid AS root, ARRAY[s.pid] AS path, ARRAY[s.pid] AS placed
      FROM session AS s
     WHERE cardinality(s.blockers) = 0
       AND s.pid IN (SELECT unnest(blockers) FROM session)
    UNION ALL
    SELECT DISTINCT ON (s.pid)
           s.pid, s.state, s.wait_event, s.query, s.xact_start, t.depth + 1,
           t.root, t.path || s.pid, t.placed || array_agg(s.pid) OVER ()
      FROM tree AS t
      JOIN session AS s
        ON cardinality(s.blockers) > 0 AND s.blockers <@ t.placed AND NOT s.pid = ANY (t.placed)
)
SELECT root, pid, depth, state, wait_event, clock_timestamp() - xact_start AS age,
       repeat('  ', depth - 1) || query AS query
  FROM tree
 ORDER BY path)";

// Every way from a waiter to whom it waits for in the end: a queue of n has 2^n.
constexpr auto *path_query = R"(
WITH RECURSIVE edge AS MATERIALIZED (
    SELECT pid AS waiter, unnest(pg_blocking_pids(pid)) AS blocker
      FROM pg_stat_activity
     WHERE wait_event_type = 'Lock'
), path AS (
    SELECT waiter, blocker, ARRAY[blocker, waiter] AS pids
      FROM edge
     WHERE blocker NOT IN (SELECT waiter FROM edge)
    UNION ALL
    SELECT e.waiter, e.blocker, p.pids || e.waiter
      FROM path AS p
      JOIN edge AS e ON e.blocker = p.waiter AND NOT e.waiter = ANY (p.pids)
)
SELECT waiter, blocker, pids FROM path ORDER BY pids)";

constexpr auto *waiting_pids = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock'";

} // namespace

const std::vector<method> &all_methods() {
    static const std::vector<method> methods{
        {"lock_graph", "lock_graph, three columns",
         "SELECT waiter_pid, blocker_pid, edge_kind FROM lockstep.lock_graph", ""},
        {"lock_graph_wide", "lock_graph, all columns", "SELECT * FROM lockstep.lock_graph", ""},
        {"lock_graph_all", "lock_graph_all, two columns",
         "SELECT waiter_pid, blocker_pid FROM lockstep.lock_graph_all", ""},
        {"lock_tree", "lock_tree", "SELECT * FROM lockstep.lock_tree", ""},
        {"root_blocker", "root_blocker", "SELECT * FROM lockstep.root_blocker", ""},
        {"blocking_pids", "pg_blocking_pids, who waits",
         "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock'",
         ""},
        {"blocking_pids_each", "  the same, a call a pid", waiting_pids,
         "SELECT pg_blocking_pids($1::integer)"},
        {"blocking_pids_all", "  the same, of all sessions",
         "SELECT pid, pg_blocking_pids(pid) FROM pg_stat_activity", ""},
        {"pg_locks", "pg_locks", "SELECT * FROM pg_locks", ""},
        {"tree_query", "lock-tree query", tree_query, ""},
        {"path_query", "query of all paths", path_query, ""},
        {"transaction_age", "transaction_age", "SELECT * FROM lockstep.transaction_age", ""},
        {"pg_stat_activity", "pg_stat_activity", "SELECT * FROM pg_stat_activity", ""},
    };
    return methods;
}

one_run run(const method &how, session &monitor) {
    using std::chrono::steady_clock;
    one_run seen;
    const auto began = steady_clock::now();
    try {
        const auto answer = monitor.run(how.sql);
        seen.rows = static_cast<std::size_t>(answer.count());
        if (!how.sql_of_pid.empty())
            for (int i = 0; i < answer.count(); ++i)
                monitor.run(how.sql_of_pid, answer.text(i, 0));
    } catch (const sql_failure &failure) {
        if (failure.sqlstate() != "57014")
            throw;
        seen.timed_out = true;
    }
    seen.milliseconds =
        std::chrono::duration<double, std::milli>(steady_clock::now() - began).count();
    return seen;
}

} // namespace lockstep::bench
