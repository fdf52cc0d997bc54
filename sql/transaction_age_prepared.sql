-- Prepared transactions as holders of the horizon. The server has to allow some: max_prepared_transactions.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
CREATE TABLE t (id int PRIMARY KEY, n int);
INSERT INTO t VALUES (1, 0), (2, 0);

-- A prepared transaction: by its name, with its age, its locks, and what to do.
BEGIN;
UPDATE t SET n = 1 WHERE id = 1;
PREPARE TRANSACTION 'it''s old';
SELECT holder_kind, pid, gid, db, user_name = session_user AS mine, state, xid::text = transaction::text AS same_xid, xact_start = prepared AS same_start, xmin,
       xid_age > 0 AS has_age, horizons, is_oldest_for, marginal_gain_xids = xid_age AS gains_all, strongest_mode, severity, action_sql
  FROM lockstep.transaction_age JOIN pg_prepared_xacts USING (gid);
SELECT a.locks_held = (SELECT count(*) FROM pg_locks AS l WHERE l.virtualtransaction = o.virtualtransaction) AS same_locks
  FROM lockstep.transaction_age AS a JOIN pg_locks AS o ON o.transactionid = a.xid AND o.granted WHERE a.gid IS NOT NULL;
-- Severity by time, from the settings; with it come advice and action. Below zero a limit is none.
SET lockstep.age_prepared_warning = 0;
SELECT advice, action_sql FROM lockstep.transaction_age WHERE gid IS NOT NULL;
SELECT severity, reason FROM lockstep.transaction_age WHERE gid IS NOT NULL;
SET lockstep.age_prepared_critical = 0;
SELECT severity, reason FROM lockstep.transaction_age WHERE gid IS NOT NULL;
SET lockstep.age_prepared_warning = -1;
SET lockstep.age_prepared_critical = -1;
SELECT severity, reason, advice, action_sql FROM lockstep.transaction_age WHERE gid IS NOT NULL;
RESET lockstep.age_prepared_warning;
RESET lockstep.age_prepared_critical;
-- Severity by transactions, from what the server is set to.
DO $$ BEGIN FOR i IN 1..20 LOOP BEGIN UPDATE t SET n = n + 1 WHERE id = 2; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$;
SET vacuum_freeze_min_age = 15;
SELECT severity, reason ~ '^\d\d transactions back \(beyond vacuum_freeze_min_age\)$' AS said, marginal_gain_xids = xid_age AS gains_all
  FROM lockstep.transaction_age WHERE gid IS NOT NULL;
RESET vacuum_freeze_min_age;
-- Every statement that starts meanwhile has a snapshot that goes back to it; nobody is blamed for that.
SELECT a.xmin::text = p.transaction::text AS goes_back, a.is_oldest_for, a.marginal_gain_xids, a.severity, a.advice
  FROM lockstep.transaction_age AS a, pg_prepared_xacts AS p WHERE a.pid = pg_backend_pid();
ROLLBACK PREPARED 'it''s old';
SELECT count(*) FROM lockstep.transaction_age WHERE holder_kind = 'prepared';

-- A plain role sees them as well.
BEGIN;
UPDATE t SET n = 1 WHERE id = 1;
PREPARE TRANSACTION 'seen by all';
CREATE ROLE regress_lockstep_reader;
SET ROLE regress_lockstep_reader;
SELECT holder_kind, gid, user_name = session_user AS by_its_owner, severity FROM lockstep.transaction_age WHERE holder_kind = 'prepared';
RESET ROLE;
ROLLBACK PREPARED 'seen by all';
DROP ROLE regress_lockstep_reader;
DROP TABLE t;
DROP EXTENSION lockstep;
