-- The lock graph while nobody waits: nothing to see, every object described, open to everybody, and the
-- limits of what may be asked. Who waits for whom is played in tests/isolation/specs/graph_*.spec.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;

SELECT count(*) FROM lockstep.lock_graph;
SELECT count(*) FROM lockstep.lock_graph_all;
SELECT count(*) FROM lockstep.lock_tree;
SELECT count(*) FROM lockstep.root_blocker;
SELECT lockstep.lock_graph_json() - 'snapshot_at' AS json;
BEGIN;
SELECT (SELECT count(*) FROM lockstep.lock_graph) + (SELECT count(*) FROM lockstep.lock_graph_all) + (SELECT count(*) FROM lockstep.lock_tree)
     + (SELECT count(*) FROM lockstep.root_blocker) AS rows;
SELECT pg_current_xact_id_if_assigned() IS NULL AS no_xid;
COMMIT;

-- Pages of text: a row a line, as EXPLAIN shows a plan, and one text where one is wanted. Nobody waits: each says so, and when.
SELECT * FROM lockstep.lock_tree_text() LIMIT 0;
SELECT * FROM lockstep.lock_graph_dot() LIMIT 0;
SELECT * FROM lockstep.lock_graph_mermaid() LIMIT 0;
CREATE FUNCTION untimed(line text) RETURNS text LANGUAGE sql RETURN regexp_replace(line, ' at \d{4}-\d\d-\d\d \d\d(:|#58;)\d\d\1[^"]*', ' at (time)');
SELECT untimed(lockstep.lock_tree_text()) AS tree;
SELECT untimed(line) AS dot FROM lockstep.lock_graph_dot() AS line;
SELECT untimed(lockstep.lock_graph_mermaid()) AS mermaid;
SELECT string_agg(untimed(line), E'\n') AS drawing FROM lockstep.lock_graph_dot() AS line;
SELECT string_agg(untimed("LOCK GRAPH"), '|') AS drawing FROM lockstep.lock_graph_dot(max_nodes => 1);
SELECT v.most, p.n, untimed(p.line) AS line FROM (VALUES (1), (2)) AS v(most), LATERAL lockstep.lock_graph_mermaid(max_nodes => v.most) WITH ORDINALITY AS p(line, n) ORDER BY v.most, p.n;
SELECT untimed(tree) AS tree, untimed(graph) AS graph FROM ROWS FROM (lockstep.lock_tree_text(), lockstep.lock_graph_mermaid()) AS beside(tree, graph);
SELECT bool_and(substr(line, 17)::timestamptz BETWEEN transaction_timestamp() AND clock_timestamp()) AS time_is_right FROM lockstep.lock_tree_text() AS line;
DROP FUNCTION untimed(text);
DECLARE page CURSOR WITH HOLD FOR SELECT lockstep.lock_graph_dot();
FETCH 2 FROM page;
CLOSE page;
SELECT count(*) AS pages, bool_and(proretset) AS are_sets, bool_and(prorettype = 'text'::regtype) AS of_text
  FROM pg_proc WHERE pronamespace = 'lockstep'::regnamespace AND proname IN ('lock_tree_text', 'lock_graph_dot', 'lock_graph_mermaid', 'transaction_audit');

-- Every interval of a view has a twin in seconds, for what reads no intervals.
SELECT a.attrelid::regclass AS view, a.attname AS interval, t.attname AS seconds, format_type(t.atttypid, NULL) AS type
  FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
  LEFT JOIN pg_attribute AS t ON t.attrelid = a.attrelid AND t.attname = a.attname || '_seconds'
 WHERE c.relnamespace = 'lockstep'::regnamespace AND a.atttypid = 'interval'::regtype ORDER BY 1, a.attnum;
-- One thing has one name.
SELECT a.attrelid::regclass AS relation, a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'lockstep'::regnamespace AND a.attname ~ 'database|status|datname' AND NOT a.attisdropped ORDER BY 1, a.attnum;
SELECT p.proname AS not_named_as_its_view FROM pg_proc AS p
 WHERE p.pronamespace = 'lockstep'::regnamespace AND p.proname ~ '^get_' AND to_regclass('lockstep.' || substr(p.proname, 5)) IS NULL;

SELECT locks, waits, proclocks, processes, held_us > 0 AS took_time, attempts, snapshot_at <= clock_timestamp() AS in_the_past FROM lockstep.lock_snapshot();

-- Which modes conflict, of tables and of rows.
SELECT held, string_agg(CASE WHEN conflicts THEN 'x' ELSE '.' END, ' ' ORDER BY n) AS "AS RS RE SUE S SRE E AE"
  FROM lockstep.get_lock_conflict() WITH ORDINALITY AS c(level, held, requested, conflicts, n) WHERE level = 'table' GROUP BY held ORDER BY min(n);
SELECT held, string_agg(CASE WHEN conflicts THEN 'x' ELSE '.' END, ' ' ORDER BY n) AS "KS S NKU U"
  FROM lockstep.get_lock_conflict() WITH ORDINALITY AS c(level, held, requested, conflicts, n) WHERE level = 'row' GROUP BY held ORDER BY min(n);
SELECT count(*) FROM lockstep.lock_conflict;

-- What is refused.
\set VERBOSITY sqlstate
SELECT lockstep.lock_graph_dot(max_nodes => 0);
SELECT lockstep.lock_graph_mermaid(max_nodes => NULL);
SELECT lockstep.lock_graph_mermaid(reduced => NULL);
SET lockstep.blocking_warning_sessions = 0;
SET lockstep.no_such_setting = 1;
\set VERBOSITY default

-- When a root is worth a warning.
SELECT name, setting, unit, context FROM pg_settings WHERE name LIKE 'lockstep.blocking%' ORDER BY name;

-- Inside a transaction of any kind, and read-only.
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY;
SELECT count(*) FROM lockstep.lock_graph;
SELECT count(*) FROM lockstep.lock_siread;
COMMIT;

-- Everything has a description, and everybody may look.
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
 WHERE c.relnamespace = 'lockstep'::regnamespace AND c.relkind = 'v' AND col_description(c.oid, a.attnum) IS NULL;
SELECT c.relname FROM pg_class AS c WHERE c.relnamespace = 'lockstep'::regnamespace AND c.relkind = 'v' AND obj_description(c.oid, 'pg_class') IS NULL;
SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'lockstep'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL;
CREATE ROLE regress_lockstep_nobody;
SET ROLE regress_lockstep_nobody;
SELECT (SELECT count(*) FROM lockstep.lock_graph) + (SELECT count(*) FROM lockstep.lock_graph_all) + (SELECT count(*) FROM lockstep.lock_tree)
     + (SELECT count(*) FROM lockstep.root_blocker) + (SELECT count(*) FROM lockstep.lock_siread) AS nothing;
INSERT INTO lockstep.lock_conflict VALUES ('x', 'x', 'x', true);
RESET ROLE;
DROP ROLE regress_lockstep_nobody;
DROP EXTENSION lockstep;
