-- The wall between C++ and PostgreSQL: whatever happens behind it, the right error comes out, nothing
-- leaks, and the session goes on.
CREATE EXTENSION lockstep_wall;

-- What a statement ends with, all of it but the place in the source.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Each kind of failure, caught by PL/pgSQL.
SELECT kind, outcome(format('SELECT wall_throw(%L)', kind)) AS outcome
  FROM unnest(ARRAY['sql_error', 'bad_alloc', 'too_large', 'runtime_error', 'unknown', 'ereport',
                    'nothing']) AS kind;

-- A text that is too long for the way out is cut.
SELECT length(split_part(o, ' | ', 2)) AS message, length(split_part(o, ' | ', 3)) AS detail
  FROM outcome($$SELECT wall_throw('long')$$) AS o;

-- Not caught: the statement fails, the session goes on.
SELECT wall_throw('sql_error');
\echo :LAST_ERROR_SQLSTATE
SELECT wall_throw('bad_alloc');
\echo :LAST_ERROR_SQLSTATE

-- C++ to SQL: the server's errors come through with all they have.
SELECT statement, outcome(format('SELECT wall_sql(%L)', statement)) AS outcome
  FROM unnest(ARRAY['SELECT 1/0', 'SELECT nothing', 'SELECT ''x''::int',
                    'DO $d$BEGIN RAISE ''own'' USING ERRCODE = ''LS999'', DETAIL = ''D.'', HINT = ''H.'';END$d$']) AS statement;

-- C++ to SQL to C++ to SQL to C++, and back with the error of the innermost.
SELECT outcome($$SELECT wall_sql('SELECT wall_sql(''SELECT wall_throw(''''sql_error'''')'')')$$);
SELECT outcome($$SELECT wall_sql('SELECT wall_sql(''SELECT 1/0'')')$$);
SELECT wall_sql('SELECT wall_sql(''SELECT 42'')');

-- The place in the server's source survives too: the division's own, not the wall's.
SELECT wall_error_place('SELECT 1/0');
SELECT wall_error_place($$SELECT wall_sql('SELECT wall_sql(''SELECT 1/0'')')$$);
SELECT wall_error_place('SELECT 1');

-- Caught inside a C++ call that goes on.
SELECT wall_sql($$SELECT outcome('SELECT wall_throw(''runtime_error'')')$$);

-- A savepoint is rolled back past the error, and the transaction goes on.
BEGIN;
CREATE TABLE kept (n int);
SAVEPOINT s;
SELECT wall_sql('SELECT 1/0');
ROLLBACK TO s;
INSERT INTO kept VALUES (1);
COMMIT;
SELECT * FROM kept;
DROP TABLE kept;

-- A timeout and a cancel reach a loop in C++.
SET statement_timeout = '50ms';
SELECT wall_loop(cancel => false);
\echo :LAST_ERROR_SQLSTATE
RESET statement_timeout;
SELECT wall_loop(cancel => true);
\echo :LAST_ERROR_SQLSTATE

-- The stack ends as an error, with an object of C++ in every frame.
\set VERBOSITY terse
SELECT wall_recurse();
\echo :LAST_ERROR_SQLSTATE

-- After all that: every object is gone, and no exception is held.
SELECT wall_live_objects(), wall_current_exception();

-- Ten thousand failures of each kind in one session leave memory flat.
CREATE FUNCTION fail_often(statement text, times int) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    FOR i IN 1 .. times LOOP
        BEGIN
            EXECUTE statement;
        EXCEPTION WHEN OTHERS THEN
            NULL;
        END;
    END LOOP;
END $$;
CREATE FUNCTION memory_grows(statement text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    before bigint;
    grown bigint;
    times int;
BEGIN
    -- A session's first look plans and caches what the second one finds: that one counts.
    FOREACH times IN ARRAY ARRAY[1000, 10000] LOOP
        before := wall_heap_bytes();
        PERFORM fail_often(statement, times);
        grown := wall_heap_bytes() - before;
    END LOOP;
    -- Less than ten bytes a failure: a leaked object owns a thousand.
    RETURN grown > 100000;
END $$;
SELECT statement, memory_grows(statement)
  FROM unnest(ARRAY['SELECT wall_throw(''sql_error'')', 'SELECT wall_throw(''bad_alloc'')',
                    'SELECT wall_throw(''unknown'')', 'SELECT wall_throw(''ereport'')',
                    'SELECT wall_sql(''SELECT 1/0'')',
                    'SELECT wall_sql(''SELECT wall_throw(''''runtime_error'''')'')']) AS statement;
SELECT wall_live_objects(), wall_current_exception();

-- The services that many rooms share. Reports that go to the log: subscribers see them in order; what one
-- reports itself, and an error that one raises against the rules, stop neither the reports nor the session.
SET log_min_messages = warning;
SELECT wall_watch(true);
SELECT 1/0;
DO $$ BEGIN RAISE 'reported of' USING ERRCODE = 'LS991'; END $$;
SELECT wall_throw('sql_error');
SELECT seen FROM string_to_table(wall_seen(), E'\n') AS seen;
SELECT wall_watch(true);
DO $$ BEGIN RAISE 'never told' USING ERRCODE = 'LS993'; END $$;
SELECT 1/0;
SELECT seen FROM string_to_table(wall_seen(), E'\n') AS seen;

-- Ends of transactions, and of subtransactions by their numbers: a savepoint that is rolled back to begins
-- again, under a new number; a block that traps an error is one too.
BEGIN;
SELECT wall_watch(true);
SAVEPOINT a;
SAVEPOINT b;
ROLLBACK TO b;
RELEASE a;
DO $$ BEGIN PERFORM 1/0; EXCEPTION WHEN division_by_zero THEN NULL; END $$;
COMMIT;
SELECT seen FROM string_to_table(wall_seen(), E'\n') AS seen;
-- What is open at the end ends first.
BEGIN;
SELECT wall_watch(true);
SAVEPOINT a;
SAVEPOINT b;
COMMIT;
SELECT seen FROM string_to_table(wall_seen(), E'\n') AS seen;
BEGIN;
SELECT wall_watch(true);
SAVEPOINT a;
SAVEPOINT b;
SELECT 1/0;
ROLLBACK;
SELECT seen FROM string_to_table(wall_seen(), E'\n') AS seen;
SELECT wall_watch(false);

DROP FUNCTION outcome, fail_often, memory_grows;
DROP EXTENSION lockstep_wall;
