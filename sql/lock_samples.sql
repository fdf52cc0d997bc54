-- Samples of the lock manager: the shape of their views, and what they say without preloading. What takes sessions
-- and a sampler is in tests/tap/047_lock_samples.pl.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;

-- Everything has a comment.
SELECT c.relname, a.attname FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
 WHERE c.relname IN ('lock_wait_history', 'lock_risk') AND a.attnum > 0
   AND (col_description(c.oid, a.attnum) IS NULL OR obj_description(c.oid) IS NULL);
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute
 WHERE attrelid = 'lockstep.lock_risk'::regclass AND attnum > 0 ORDER BY attnum;
-- It says that it is sampled.
SELECT obj_description('lockstep.lock_risk'::regclass) ~ 'samples' AS says_so, obj_description('lockstep.lock_wait_history'::regclass) ~ 'samples' AS so_too;

-- Everybody may look, and only the owner begins anew.
SELECT has_table_privilege('public', 'lockstep.lock_risk', 'SELECT') AS risk, has_table_privilege('public', 'lockstep.lock_wait_history', 'SELECT') AS history,
       has_function_privilege('public', 'lockstep.reset_lock_history()', 'EXECUTE') AS reset;

-- Without preloading there are none, and a hint.
\set VERBOSITY verbose
SELECT count(*) FROM lockstep.lock_wait_history;
SELECT count(*) FROM lockstep.lock_risk;
SELECT lockstep.reset_lock_history();
DROP EXTENSION lockstep;
