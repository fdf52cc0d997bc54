-- Transaction age from one session: its own row, its own transaction, temporary tables, rights. Prepared
-- transactions are in transaction_age_prepared; what takes several sessions, slots, standbys and billions of
-- transactions is in tests/tap.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
CREATE TABLE t (id int PRIMARY KEY, n int);
INSERT INTO t VALUES (1, 0), (2, 0);

-- Everything has a comment.
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE c.relname IN ('transaction_age', 'wraparound_status', 'transaction_age_history') AND a.attnum > 0
   AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL);

-- Without preloading there is no history, and a hint.
\set VERBOSITY verbose
SELECT count(*) FROM lockstep.transaction_age_history;
\set VERBOSITY default
SELECT count(xmin_seen_at) FROM lockstep.transaction_age;

-- The caller himself.
SELECT holder_kind, pid = leader_pid AS leads, db, app, state, wait_event, backend_start < now() AS was_there, xact_start = now() AS began, xid, xmin_age >= 0 AS has_age,
       horizons, locks_held, strongest_mode, sessions_blocked, severity, reason, action_sql
  FROM lockstep.transaction_age WHERE pid = pg_backend_pid();

-- None of it assigns a transaction id.
BEGIN;
SELECT count(*) > 0 AS some FROM lockstep.transaction_age;
SELECT count(*) > 0 AS some FROM lockstep.wraparound_status;
SELECT count(*) > 0 AS some FROM lockstep.transaction_audit();
SELECT xid, in_block, savepoint_depth FROM lockstep.transaction_info();
SELECT pg_current_xact_id_if_assigned() IS NULL AS none_assigned;
-- Catalogs that are locked for the look are let go of.
SELECT count(*) AS locks_left FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('pg_policy'::regclass, 'pg_enum'::regclass, 'pg_amop'::regclass);
COMMIT;

-- transaction_info at every level.
CREATE FUNCTION info(OUT isolation_level text, OUT read_only boolean, OUT "deferrable" boolean, OUT has_xid boolean, OUT same_xid boolean,
    OUT same_snapshot boolean, OUT same_start boolean, OUT in_block boolean, OUT savepoint_depth int, OUT strongest text)
LANGUAGE sql VOLATILE AS $$
    SELECT i.isolation_level, i.read_only, i."deferrable", i.xid IS NOT NULL, i.xid IS NOT DISTINCT FROM pg_current_xact_id_if_assigned(),
           i.snapshot::text = pg_current_snapshot()::text, i.xact_start = now(), i.in_block, i.savepoint_depth,
           i.strongest_mode
      FROM lockstep.transaction_info() AS i
$$;
BEGIN ISOLATION LEVEL READ UNCOMMITTED; SELECT isolation_level, read_only, "deferrable", has_xid, same_xid, same_snapshot, same_start, in_block, savepoint_depth FROM info(); COMMIT;
BEGIN READ ONLY; SELECT isolation_level, read_only FROM info(); COMMIT;
BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT isolation_level, same_snapshot FROM info(); COMMIT;
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE; SELECT isolation_level, read_only, "deferrable" FROM info(); COMMIT;
BEGIN;
UPDATE t SET n = 1 WHERE id = 1;
SAVEPOINT a;
SAVEPOINT b;
LOCK TABLE t IN SHARE ROW EXCLUSIVE MODE;
SELECT has_xid, same_xid, in_block, savepoint_depth, strongest FROM info();
-- As many locks as pg_locks shows.
SELECT i.locks_held = (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND granted) AS same FROM lockstep.transaction_info() AS i;
SELECT x.xid::text = i.xid::text AS same_xid, x.xid_age, x.strongest_mode, x.state FROM lockstep.transaction_info() AS i, lockstep.transaction_age AS x WHERE x.pid = pg_backend_pid();
SELECT i.xact_age_seconds = date_part('epoch', i.xact_age) AS same FROM lockstep.transaction_info() AS i;
ROLLBACK;

-- Temporary tables hold datfrozenxid, and no horizon.
CREATE TEMP TABLE first (n int);
CREATE TEMP TABLE second (n text);
SELECT holder_kind, pid = pg_backend_pid() AS mine, db = current_database() AS here, horizons, is_oldest_for, marginal_gain_xids,
       t.xmin::text = least(a.relfrozenxid::text::bigint, b.relfrozenxid::text::bigint)::text AS oldest, locks_held, severity, advice, action_sql
  FROM lockstep.transaction_age AS t, pg_class AS a, pg_class AS b
 WHERE holder_kind = 'temp_table' AND pid = pg_backend_pid() AND a.oid = 'first'::regclass AND b.oid = 'second'::regclass;
-- By transactions they are old as well; one's own session is not ended.
SET vacuum_freeze_min_age = 0;
SELECT severity, advice, action_sql FROM lockstep.transaction_age WHERE holder_kind = 'temp_table' AND pid = pg_backend_pid();
RESET vacuum_freeze_min_age;
DROP TABLE first, second;
SELECT count(*) FROM lockstep.transaction_age WHERE holder_kind = 'temp_table' AND pid = pg_backend_pid();

-- Every database, with the ages that the server itself computes.
SELECT count(*) AS differences
  FROM pg_database AS d FULL JOIN lockstep.wraparound_status AS s ON s.datid = d.oid
 WHERE (d.datname, d.datallowconn, d.datfrozenxid::text, d.datminmxid::text, age(d.datfrozenxid)::bigint, mxid_age(d.datminmxid)::bigint)
    IS DISTINCT FROM (s.db, s.takes_connections, s.datfrozenxid::text, s.datminmxid::text, s.xid_age, s.mxid_age);
SELECT DISTINCT xids_to_autovacuum + xid_age AS autovacuum, xids_to_failsafe + xid_age AS failsafe,
       mxids_to_autovacuum + mxid_age AS multi_autovacuum, mxids_to_failsafe + mxid_age AS multi_failsafe,
       xids_to_warning > xids_to_failsafe AS warning_next, xids_to_stop > xids_to_warning AS stop_last,
       xids_to_stop - xids_to_warning = mxids_to_stop - mxids_to_warning AS same_distance,
       xids_per_hour, stop_in, severity, reason, advice
  FROM lockstep.wraparound_status;

-- The audit of a server that is well, a row a line.
SELECT * FROM lockstep.transaction_audit() LIMIT 0;
SELECT regexp_replace(regexp_replace(line, '(at|id:|database:) .*', '\1 ...'), '[\d,]{2,}', 'N', 'g') AS line
  FROM lockstep.transaction_audit() WITH ORDINALITY AS u(line, n) WHERE n < 5 ORDER BY n;
SELECT lockstep.transaction_audit(0);
SELECT lockstep.transaction_audit(NULL);

-- A plain role: what others do is hidden as in pg_stat_activity, the rest is there.
CREATE ROLE regress_lockstep_reader;
SET ROLE regress_lockstep_reader;
SELECT isolation_level FROM lockstep.transaction_info();
SELECT count(*) > 2 AS all_of_them FROM lockstep.wraparound_status;
SELECT count(*) FILTER (WHERE line ~ '^transaction age at') AS heads, count(*) > 4 AS page FROM lockstep.transaction_audit() AS line;
RESET ROLE;
DROP ROLE regress_lockstep_reader;
DROP FUNCTION info;
DROP TABLE t;
DROP EXTENSION lockstep;
