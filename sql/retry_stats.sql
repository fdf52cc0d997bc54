-- How often work is retried, in a session that loads the module by itself: there is nothing to see, and a
-- hint; settings are there, and nothing else changes. What is counted is in tests/tap/017_retry_stats.pl.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;

-- Before the first use of the module its settings are taken as they come.
BEGIN;
SET LOCAL lockstep.attempt = 2;
SHOW lockstep.attempt;
COMMIT;

SELECT * FROM lockstep.retry_stats;
\set VERBOSITY sqlstate
SELECT * FROM lockstep.retry_stats;
SELECT * FROM lockstep.retry_attempts;
SELECT * FROM lockstep.retry_health;
SELECT lockstep.reset_retry_stats();
\set VERBOSITY default

-- Everything has a comment.
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE c.relname IN ('retry_stats', 'retry_attempts', 'retry_health') AND a.attnum > 0
   AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL);

-- Settings: what they are, and what they refuse.
SELECT name, setting, vartype, context, min_val, max_val, short_desc FROM pg_settings
 WHERE name ~ '^lockstep\.(attempt|counted_databases|retry_rate|mean_attempts|deadlocks)' ORDER BY name COLLATE "C";
BEGIN;
SET LOCAL lockstep.attempt = 2147483647;
SHOW lockstep.attempt;
COMMIT;
SHOW lockstep.attempt;
SET lockstep.attempt = -1;
SET lockstep.retry_rate_warning = 100.5;
SET lockstep.mean_attempts_critical = -1;
SET lockstep.deadlocks_warning = 'some';

-- Nobody but the owner resets.
CREATE ROLE regress_ls_looker;
SET ROLE regress_ls_looker;
SELECT lockstep.reset_retry_stats();
RESET ROLE;
DROP ROLE regress_ls_looker;

-- Errors are what they are without it.
DO $$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = '40001'; EXCEPTION WHEN serialization_failure THEN RAISE WARNING 'trapped: %', SQLSTATE; END $$;
DROP EXTENSION lockstep;
