-- CALL lockstep.retry: statements as one transaction, and again. What is retried is what the table says.
CREATE EXTENSION lockstep;
\set SHOW_CONTEXT never
CREATE TABLE stock (item text PRIMARY KEY, on_hand int NOT NULL CHECK (on_hand >= 0), note text);
INSERT INTO stock VALUES ('bolt', 40), ('nut', 5);

-- One transaction, whatever it has; the answer has the rows of its last statement.
CALL lockstep.retry('UPDATE stock SET on_hand = on_hand - 1 WHERE item = ''bolt''; UPDATE stock SET on_hand = on_hand + 1 WHERE item = ''nut''; SELECT item, on_hand FROM stock ORDER BY item');
CALL lockstep.retry('UPDATE stock SET on_hand = on_hand - 1 WHERE item = ''bolt''; UPDATE stock SET on_hand = on_hand - 100 WHERE item = ''nut''');
SELECT item, on_hand FROM stock ORDER BY item;
CALL lockstep.retry('SELECT item FROM stock WHERE false');
CALL lockstep.retry('UPDATE stock SET note = ''x''');
CALL lockstep.retry('');
CALL lockstep.retry('CREATE TEMP TABLE fresh (n int); INSERT INTO fresh VALUES (1); SELECT * FROM fresh; DROP TABLE fresh');
CALL lockstep.retry('SELECT row(1, ''a'') AS pair, ARRAY[1, 2] AS list, NULL AS nothing, ''"quoted"'' AS text');

-- Parameters are values, never SQL. Each statement finds their types.
CALL lockstep.retry('UPDATE stock SET on_hand = on_hand + $2, note = $3 WHERE item = $1 RETURNING on_hand, note', params => ARRAY['nut', '3', $$'); DROP TABLE stock; --$$]);
CALL lockstep.retry('SELECT $1 || ''!'' AS text; SELECT $1::int + 1 AS number', params => ARRAY['41']);
CALL lockstep.retry('SELECT $1 IS NULL AS missing, $2::int[] AS list', params => ARRAY[NULL, '{1,2}']);
-- The server's words for it are other ones from 19 on.
\set VERBOSITY terse
CALL lockstep.retry('SELECT sum(n) FROM generate_series($1, $2) AS n', params => ARRAY['1', '10']);
\set VERBOSITY default
CALL lockstep.retry('SELECT $2', params => ARRAY['1']);
CALL lockstep.retry('SELECT $1', params => '{}');
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry('SELECT 1', params => ARRAY['1']);
CALL lockstep.retry('SELECT 1 + $1', params => ARRAY['one']);
CALL lockstep.retry('SELECT 1', params => ARRAY[ARRAY['1'], ARRAY['2']]);
-- They come in an array of any type, as a driver makes it of a list. Where nothing says which, it is of texts.
CALL lockstep.retry('UPDATE stock SET on_hand = on_hand + $1 - $2 WHERE item = ''nut'' RETURNING on_hand', params => ARRAY[3, 3]);
CALL lockstep.retry('SELECT $1 + 1 AS number, $2::text AS text, $3 IS NULL AS missing', params => ARRAY[41, 2.50, NULL]);
CALL lockstep.retry('SELECT $1::jsonb -> ''a'' AS a, $2::jsonb ->> 0 AS text', params => ARRAY['{"a": [1, "x"]}', '["it''s"]']::jsonb[]);
CALL lockstep.retry('SELECT $1::uuid AS id, $2 AS text', params => ARRAY['0de1dabc-4e95-4ab3-9f42-6e1b76b1ddf0', NULL]::uuid[]);
CALL lockstep.retry('SELECT $1 AND NOT $2 AS both', params => ARRAY[true, false]);
CALL lockstep.retry('SELECT $1 || ''!'' AS text, length($2) AS bytes', params => ARRAY['a', 'b  ']::char(3)[]);
CALL lockstep.retry('SELECT ($1::stock).on_hand, ($1::stock).note, ($2::stock).item', params => ARRAY[ROW('nut', 7, 'a "b", c'), ROW('bolt', 8, NULL)]::stock[]);
CALL lockstep.retry('SELECT ($1::stock).on_hand, $2 AS text', params => ARRAY[ROW('nut', 7, NULL), NULL]);
-- What one session writes, the statements read alike, whatever either has set; and the session keeps its own.
SET DateStyle = 'SQL, DMY';
SET IntervalStyle = 'sql_standard';
SET extra_float_digits = -10;
CREATE SCHEMA hidden;
CREATE TABLE hidden.till (n int);
SET search_path = hidden, public;
CALL lockstep.retry('SET DateStyle = ''ISO, MDY''; SELECT extract(month FROM $1::date) AS month', params => ARRAY['03/02/2026']::date[]);
CALL lockstep.retry('SET IntervalStyle = ''postgres''; SELECT extract(epoch FROM $1::interval)::int AS seconds', params => ARRAY[interval '-1 day -2 hours']);
CALL lockstep.retry('SELECT $1::float8 = 0.1::float8 + 0.2 AS same', params => ARRAY[0.1::float8 + 0.2]);
CALL lockstep.retry('SET search_path = public; SELECT $1::regclass AS relation', params => ARRAY['till']::regclass[]);
SELECT current_setting('DateStyle') AS datestyle, current_setting('IntervalStyle') AS intervalstyle, current_setting('extra_float_digits') AS digits, current_setting('search_path') AS path;
RESET ALL;
-- What is no array (each server has its own words for that), and what has more than one dimension.
\set VERBOSITY sqlstate
CALL lockstep.retry('SELECT $1', params => 1);
\set VERBOSITY default
CALL lockstep.retry('SELECT 1', params => ARRAY[ARRAY[1], ARRAY[2]]);

-- How the transaction is.
CALL lockstep.retry('SHOW transaction_isolation');
CALL lockstep.retry('SHOW transaction_isolation', 'repeatable read');
CALL lockstep.retry('SHOW transaction_isolation', isolation => 'Read Committed');
CALL lockstep.retry('SELECT current_setting(''transaction_read_only'') AS read_only, current_setting(''transaction_deferrable'') AS is_deferrable', read_only => true, is_deferrable => true);
CALL lockstep.retry('UPDATE stock SET on_hand = 0', read_only => true);
SHOW transaction_isolation;
SHOW transaction_read_only;

-- What is asked for wrongly.
CALL lockstep.retry(NULL);
CALL lockstep.retry('SELECT 1', 'snapshot');
CALL lockstep.retry('SELECT 1', is_deferrable => true);
CALL lockstep.retry('SELECT 1', 'repeatable read', read_only => true, is_deferrable => true);
CALL lockstep.retry('SELECT 1', max_attempts => 0);
CALL lockstep.retry('SELECT 1', deadline => '-1s');
CALL lockstep.retry('BEGIN; SELECT 1; COMMIT');
CALL lockstep.retry('SAVEPOINT s');
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry('COPY stock TO STDOUT');
\set VERBOSITY sqlstate
CALL lockstep.retry('VACUUM stock');
\set VERBOSITY default
CALL lockstep.retry('SELECT item FROM stok');
CALL lockstep.retry('SELECT 1; SELEC 2');

-- It stands alone: what others did before would be committed, or lost, with it.
BEGIN;
UPDATE stock SET on_hand = 0 WHERE item = 'nut';
CALL lockstep.retry('SELECT 1');
ROLLBACK;
UPDATE stock SET on_hand = 0 WHERE item = 'nut'\; CALL lockstep.retry('SELECT 1')\; SELECT 2;
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry($$CALL lockstep.retry('SELECT 1')$$);
\echo :LAST_ERROR_SQLSTATE
CREATE FUNCTION inside() RETURNS void LANGUAGE plpgsql AS $$
DECLARE a int; e text; r json;
BEGIN
    UPDATE stock SET on_hand = 0;
    CALL lockstep.retry('SELECT 1', attempts => a, last_error => e, result => r);
END $$;
SELECT inside();
DO $$
DECLARE a int; e text; r json;
BEGIN
    UPDATE stock SET on_hand = 0;
    CALL lockstep.retry('SELECT 1', attempts => a, last_error => e, result => r);
END $$;
CREATE PROCEDURE inside_procedure() LANGUAGE plpgsql AS $$
DECLARE a int; e text; r json;
BEGIN
    UPDATE stock SET on_hand = 0;
    COMMIT;
    CALL lockstep.retry('SELECT 1', attempts => a, last_error => e, result => r);
END $$;
CALL inside_procedure();
\echo :LAST_ERROR_SQLSTATE
-- (What the procedure had committed before is its own.)
UPDATE stock SET on_hand = CASE item WHEN 'nut' THEN 9 ELSE 39 END;

-- What the session had before, it has after: role, search_path, settings. Within the transaction all of it counts.
CREATE ROLE regress_lockstep_teller;
CREATE SCHEMA other;
SET work_mem = '5MB';
CALL lockstep.retry('SET search_path = other; SET ROLE regress_lockstep_teller; SET work_mem = ''7MB''; SET LOCAL lock_timeout = ''7s''; SELECT set_config(''x.y'', ''z'', false); SELECT current_schema, current_user, current_setting(''work_mem'') AS work_mem, current_setting(''lock_timeout'') AS lock_timeout');
SELECT current_schema, current_user = session_user AS same_user, current_setting('work_mem') AS work_mem, current_setting('lock_timeout') AS lock_timeout, current_setting('x.y', true) AS x_y;
CALL lockstep.retry('SET ROLE regress_lockstep_teller; SELECT * FROM stock');
SELECT current_user = session_user AS same_user;
-- Deferred triggers fire with the settings that are local to the transaction.
CREATE TABLE audit (who text, item text);
CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (current_setting('app.who', true), NEW.item); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER audit AFTER UPDATE ON stock DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION audit();
CALL lockstep.retry('SET LOCAL app.who = ''ann''; UPDATE stock SET note = ''y'' WHERE item = ''nut''; SELECT count(*) FROM audit');
SELECT * FROM audit;
DROP TRIGGER audit ON stock;

-- An attempt that fails, is undone and tried again: as often as a sequence says, which no rollback undoes.
CREATE SEQUENCE tries;
CREATE FUNCTION fail_until(attempt int, state text) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE try bigint := nextval('tries');
BEGIN
    UPDATE stock SET on_hand = on_hand + 1 WHERE item = 'nut';
    IF try < attempt THEN
        RAISE 'try % is to fail', try USING ERRCODE = state;
    END IF;
    RETURN try;
END $$;
SET lockstep.backoff_base = 0;
CALL lockstep.retry('SELECT fail_until(3, ''40001'')');
SELECT on_hand FROM stock WHERE item = 'nut';
ALTER SEQUENCE tries RESTART;
CALL lockstep.retry('SELECT fail_until(2, ''40P01'')');
ALTER SEQUENCE tries RESTART;
CALL lockstep.retry('SELECT fail_until(2, ''53200'')', deadline => '1 day');
-- Attempts are used up: the last error, with its own state.
ALTER SEQUENCE tries RESTART;
\set SHOW_CONTEXT errors
CALL lockstep.retry('SELECT fail_until(9, ''40001'')', max_attempts => 2);
\set SHOW_CONTEXT never
\echo :LAST_ERROR_SQLSTATE
SELECT on_hand FROM stock WHERE item = 'nut';
-- Out of memory twice is not chance.
ALTER SEQUENCE tries RESTART;
CALL lockstep.retry('SELECT fail_until(9, ''53200'')');
SELECT last_value FROM tries;
-- There is no time for another pause. The suggested wait of the error counts.
SET lockstep.backoff_base = 4;
ALTER SEQUENCE tries RESTART;
SET lockstep.backoff_cap = '24d';
\set SHOW_CONTEXT errors
CALL lockstep.retry($$DO 'BEGIN RAISE ''no'' USING ERRCODE = ''40001'', DETAIL = ''{"waiters_ahead": 1, "retry_after_ms": 2000000000}''; END'$$, deadline => '1s', max_attempts => 1000);
\set SHOW_CONTEXT never
RESET lockstep.backoff_cap;
SET lockstep.backoff_base = 0;
-- The deadline cancels an attempt, as statement_timeout does; a plain cancel stays what it is.
CALL lockstep.retry('SELECT pg_sleep(600)', deadline => '10ms');
\echo :LAST_ERROR_SQLSTATE
SET statement_timeout = '10ms';
CALL lockstep.retry('SELECT pg_sleep(600)');
SET lockstep.backoff_base = '10min';
SET lockstep.backoff_cap = '10min';
CALL lockstep.retry($$DO 'BEGIN RAISE ''no'' USING ERRCODE = ''40001'', DETAIL = ''{"retry_after_ms": 600000}''; END'$$, deadline => NULL);
RESET statement_timeout;
RESET lockstep.backoff_base;
RESET lockstep.backoff_cap;

-- Every state that the table does not retry in place is raised at once, from within and at the commit.
ALTER SEQUENCE tries RESTART;
CREATE FUNCTION tried_once(state text) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM nextval('tries'); RAISE 'state %', state USING ERRCODE = state; END $$;
CALL lockstep.retry('SELECT tried_once(''23505'')');
CALL lockstep.retry('SELECT tried_once(''55P03'')');
CALL lockstep.retry('SELECT tried_once(''40002'')');
CALL lockstep.retry('SELECT tried_once(''40003'')');
CALL lockstep.retry('SELECT tried_once(''40ABC'')');
CALL lockstep.retry('SELECT tried_once(''57P01'')');
CALL lockstep.retry('SELECT tried_once(''LS001'')');
CALL lockstep.retry('SELECT tried_once(''ZZ999'')');
CREATE TABLE parent (id int PRIMARY KEY);
CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
CALL lockstep.retry('SELECT nextval(''tries''); INSERT INTO child VALUES (1)');
SELECT last_value AS tries_of_nine FROM tries;
-- Errors below exception blocks, cursors and temporary tables, then a retry.
CREATE FUNCTION messy() RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE r record; c CURSOR FOR SELECT * FROM stock;
BEGIN
    CREATE TEMP TABLE mess ON COMMIT DROP AS SELECT 1 AS n;
    OPEN c;
    FETCH c INTO r;
    FOR r IN SELECT n FROM generate_series(1, 1000) AS n LOOP
        BEGIN
            IF r.n = 7 THEN
                RETURN fail_until(3, '40001');
            END IF;
        EXCEPTION WHEN division_by_zero THEN
            RETURN 0;
        END;
    END LOOP;
    RETURN -1;
END $$;
ALTER SEQUENCE tries RESTART;
SET lockstep.backoff_base = 0;
CALL lockstep.retry('DECLARE k CURSOR FOR SELECT 1; SELECT messy()');
-- A cursor that the session holds is not ours to close.
BEGIN;
DECLARE kept CURSOR WITH HOLD FOR SELECT item FROM stock ORDER BY item;
COMMIT;
ALTER SEQUENCE tries RESTART;
CALL lockstep.retry('SELECT fail_until(3, ''40001'')');
FETCH ALL FROM kept;
CLOSE kept;
-- The time is that of the attempt, not of the CALL.
CREATE TABLE clock (at timestamptz DEFAULT now());
ALTER SEQUENCE tries RESTART;
CALL lockstep.retry('INSERT INTO clock DEFAULT VALUES; SELECT fail_until(2, ''40001'') AS try, at = now() AS same, at > statement_timestamp() AS later FROM clock');
SELECT count(*) FROM clock;

-- What was run before is known, and follows what has changed since.
CREATE TABLE changing (id int, v int);
INSERT INTO changing VALUES (1, 1);
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '2']);
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '3']);
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', NULL]);
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1']);
ALTER TABLE changing ALTER v TYPE numeric, ALTER id TYPE text, ADD more int DEFAULT 7;
UPDATE changing SET v = 1;
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '2']);
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '2.5']);
ALTER TABLE changing RENAME TO changed;
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '2.5']);
CREATE VIEW changing AS SELECT * FROM changed;
CALL lockstep.retry('UPDATE changing SET v = v + $2 WHERE id = $1 RETURNING *', params => ARRAY['1', '2.5']);
CALL lockstep.retry('CREATE TEMP TABLE fresh (n int); INSERT INTO fresh VALUES ($1); SELECT * FROM fresh', params => ARRAY['1']);
DROP TABLE fresh;
CALL lockstep.retry('CREATE TEMP TABLE fresh (n int); INSERT INTO fresh VALUES ($1); SELECT * FROM fresh', params => ARRAY['2']);
DROP TABLE fresh;
SET search_path = pg_temp, public;
CREATE TEMP TABLE changing AS SELECT 'mine' AS whose;
CALL lockstep.retry('SELECT * FROM changing');
DROP TABLE pg_temp.changing;
RESET search_path;
CALL lockstep.retry('SELECT * FROM changing');
DROP VIEW changing;
DROP TABLE changed;

-- One schema a tenant: names are those of the search path, and so are the types of the parameters.
CREATE SCHEMA tenant_a;
CREATE SCHEMA tenant_b;
CREATE TYPE tenant_a.state AS ENUM ('open');
CREATE TYPE tenant_b.state AS ENUM ('open', 'shut');
CREATE TABLE tenant_a.door (id int, s tenant_a.state);
CREATE TABLE tenant_b.door (id text, s tenant_b.state);
SET search_path = tenant_a;
CALL lockstep.retry('INSERT INTO door VALUES ($1, $2) RETURNING *', params => ARRAY['1', 'open']);
SET search_path = tenant_b;
CALL lockstep.retry('INSERT INTO door VALUES ($1, $2) RETURNING *', params => ARRAY['back', 'shut']);
CALL lockstep.retry('SET search_path = tenant_a; INSERT INTO door VALUES ($1, $2) RETURNING *', params => ARRAY['2', 'open']);
RESET search_path;
SET client_min_messages = warning;
DROP SCHEMA tenant_a, tenant_b CASCADE;
RESET client_min_messages;

-- A type that is dropped, and made again; a row type that changes.
CREATE TYPE mood AS ENUM ('glad');
CREATE TYPE place AS (x int, y int);
CALL lockstep.retry('SELECT $1::mood AS given, ''glad''::mood AS fixed', params => ARRAY['glad']);
CALL lockstep.retry('DECLARE moods CURSOR FOR SELECT ARRAY[$1::mood] AS moods; FETCH moods', params => ARRAY['glad']);
CALL lockstep.retry('SELECT ($1::place).x AS x', params => ARRAY['(1,2)']);
DROP TYPE mood;
CREATE TYPE mood AS ENUM ('sad', 'glad');
ALTER TYPE place ALTER ATTRIBUTE x TYPE text;
CALL lockstep.retry('SELECT $1::mood AS given, ''glad''::mood AS fixed', params => ARRAY['sad']);
CALL lockstep.retry('DECLARE moods CURSOR FOR SELECT ARRAY[$1::mood] AS moods; FETCH moods', params => ARRAY['sad']);
CALL lockstep.retry('SELECT ($1::place).x AS x', params => ARRAY['(one,2)']);
CALL lockstep.retry('DROP TYPE mood; CREATE TYPE mood AS ENUM (''calm''); SELECT $1::mood AS given', params => ARRAY['calm']);
CALL lockstep.retry('DROP TYPE mood; CREATE TYPE mood AS ENUM (''calm''); SELECT $1::mood AS given', params => ARRAY['calm']);
DROP TYPE mood, place;

-- A constant is read with the settings of now, and at the time of now, however often the text was run before.
\set constants 'SELECT timestamptz ''2024-01-01 12:00'' AT TIME ZONE ''UTC'' AS at, date ''01/02/2024'' AS d, NULL = NULL AS same'
SET TimeZone = 'UTC';
CALL lockstep.retry(:'constants');
SET TimeZone = 'Asia/Tokyo';
CALL lockstep.retry(:'constants');
SET DateStyle = 'ISO, DMY';
CALL lockstep.retry(:'constants');
SET transform_null_equals = on;
CALL lockstep.retry(:'constants');
RESET transform_null_equals;
RESET DateStyle;
CALL lockstep.retry('SELECT set_config(''TimeZone'', $1, true) AS zone; SELECT timestamptz ''2024-01-01 12:00'' AT TIME ZONE ''UTC'' AS at', params => ARRAY['UTC']);
CALL lockstep.retry('SELECT set_config(''TimeZone'', $1, true) AS zone; SELECT timestamptz ''2024-01-01 12:00'' AT TIME ZONE ''UTC'' AS at', params => ARRAY['Asia/Tokyo']);
RESET TimeZone;
CALL lockstep.retry('SELECT ''now''::timestamptz = now() AS is_now, ''Today''::date = current_date AS is_today');
CALL lockstep.retry('SELECT ''now''::timestamptz = now() AS is_now, ''Today''::date = current_date AS is_today');
CALL lockstep.retry('SELECT ''a\b'' AS text');
-- Before PostgreSQL 19 a backslash in a plain string may be an escape.
DO $$
BEGIN
    IF current_setting('server_version_num')::int < 190000 THEN
        PERFORM set_config('standard_conforming_strings', 'off', false), set_config('escape_string_warning', 'off', false);
    END IF;
END $$;
CALL lockstep.retry(E'SELECT \'a\\b\' AS text') \gset now_
SELECT :'now_result'::jsonb->0->>'text' = CASE current_setting('standard_conforming_strings') WHEN 'off' THEN E'a\b' ELSE E'a\\b' END AS is_read_as_set;
RESET standard_conforming_strings;

-- A row type cannot be changed by a domain or a cast while values of it are in hand.
CREATE TYPE inner_row AS (a int, b int);
CREATE TYPE outer_row AS (list inner_row[], r int);
CREATE TABLE watched (n int);
INSERT INTO watched VALUES (1);
CREATE FUNCTION meddle(text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    ALTER TYPE inner_row ALTER ATTRIBUTE a TYPE text;
    ALTER TABLE watched ADD more int;
    RETURN true;
END $$;
CREATE DOMAIN meddling AS text CHECK (meddle(VALUE));
CALL lockstep.retry('SELECT ($1::inner_row).a, $2::meddling FROM watched', params => ARRAY['(1073741820,2)', 'x']);
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry('SELECT ($1::outer_row).list[1].a, $2::meddling FROM watched', params => ARRAY['("{""(1073741820,2)""}",1)', 'x']);
CREATE TYPE sly AS ENUM ('x');
CREATE FUNCTION as_json(sly) RETURNS json LANGUAGE plpgsql AS $$ BEGIN PERFORM meddle('x'); RETURN '1'; END $$;
CREATE CAST (sly AS json) WITH FUNCTION as_json(sly);
CALL lockstep.retry('SELECT ''x''::sly AS first, ''(1073741820,2)''::inner_row AS second');
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry('SELECT ''x''::sly AS first, ROW(1, ''(1073741820,2)''::inner_row) AS second');
CALL lockstep.retry('SELECT ''x''::sly AS first, ARRAY[ROW(1, ROW(''(1073741820,2)''::inner_row)), NULL] AS second');
CREATE OR REPLACE FUNCTION as_json(sly) RETURNS json LANGUAGE plpgsql AS $$ BEGIN DROP TABLE watched; RETURN '1'; END $$;
CALL lockstep.retry('SELECT ''x''::sly AS first, watched AS second FROM watched');
-- Afterwards it can.
CALL lockstep.retry('SELECT $1::inner_row AS before', params => ARRAY['(1,2)']);
CALL lockstep.retry('ALTER TYPE inner_row ALTER ATTRIBUTE a TYPE text; SELECT $1::inner_row AS after', params => ARRAY['(one,2)']);
CALL lockstep.retry('SELECT $1::inner_row AS before', params => ARRAY['(one,2)']);
SET client_min_messages = warning;
DROP TYPE sly CASCADE;
RESET client_min_messages;
DROP DOMAIN meddling;
DROP TYPE outer_row, inner_row;
DROP TABLE watched;
DROP FUNCTION meddle;

-- Casts to json, domains and cursors run functions of the user's: with a snapshot, and as whom the statement says.
CREATE TYPE colour AS ENUM ('red');
CREATE FUNCTION as_json(colour) RETURNS json LANGUAGE sql STABLE AS $$ SELECT json_build_object('colour', $1::text, 'seen', (SELECT count(*) FROM stock)) $$;
CREATE CAST (colour AS json) WITH FUNCTION as_json(colour);
BEGIN;
DECLARE colours CURSOR WITH HOLD FOR SELECT 'red'::colour AS c;
COMMIT;
CALL lockstep.retry('FETCH ALL FROM colours');
CLOSE colours;
CREATE FUNCTION is_stocked(text) RETURNS boolean LANGUAGE sql STABLE AS $$ SELECT EXISTS (SELECT FROM stock WHERE item = $1) $$;
CREATE DOMAIN stocked AS text CHECK (is_stocked(VALUE));
CREATE DOMAIN given AS int NOT NULL;
CREATE TABLE orders (item stocked, amount given);
CALL lockstep.retry('INSERT INTO orders VALUES ($1, $2) RETURNING *', params => ARRAY['nut', '1']);
CALL lockstep.retry('INSERT INTO orders VALUES ($1, $2) RETURNING *', params => ARRAY['cog', '1']);
CALL lockstep.retry('INSERT INTO orders VALUES ($1, $2) RETURNING *', params => ARRAY['nut', NULL]);
CALL lockstep.retry('SELECT ''nut''::stocked AS known; SELECT $1::given AS first; ALTER DOMAIN given ADD CHECK (VALUE < 5); SELECT $1::given AS second', params => ARRAY['7']);
CALL lockstep.retry('CREATE TYPE pair AS (a int, b int); SELECT ($1::pair).a; ALTER TYPE pair ALTER ATTRIBUTE a TYPE text; SELECT ($1::pair).a', params => ARRAY['(1073741820,2)']);
CREATE FUNCTION whoami() RETURNS text LANGUAGE sql VOLATILE AS $$ SELECT current_user || ' ' || current_setting('work_mem') $$;
CALL lockstep.retry('SET ROLE regress_lockstep_teller; SET LOCAL work_mem = ''77MB''; DECLARE held CURSOR WITH HOLD FOR SELECT whoami()');
FETCH held;
CLOSE held;
-- A rule that leaves the last statement nothing to do.
CREATE RULE nothing AS ON INSERT TO orders DO INSTEAD NOTHING;
CALL lockstep.retry('SELECT 1 AS x; INSERT INTO orders VALUES (''nut'', 1)');
-- A deadline that the statement swallows.
CALL lockstep.retry($$DO 'BEGIN PERFORM pg_sleep(600); EXCEPTION WHEN query_canceled THEN NULL; END'; INSERT INTO clock DEFAULT VALUES$$, deadline => '50ms');
SELECT count(*) FROM clock;
DROP TABLE orders;
DROP DOMAIN stocked, given;
DROP TYPE colour CASCADE;
DROP FUNCTION is_stocked, whoami;

-- The table of verdicts: every state of the server is named by a line, its own or its class's.
CREATE TEMP TABLE errcodes AS
SELECT m[1] AS sqlstate, m[2] AS kind
  FROM pg_config AS c, regexp_split_to_table(pg_read_file(c.setting || '/errcodes.txt'), '\n') AS line,
       regexp_match(line, '^([0-9A-Z]{5})\s+([EWS])\s') AS m
 WHERE c.name = 'SHAREDIR' AND m IS NOT NULL;
SELECT count(*) > 200 AS read_well, count(*) FILTER (WHERE r.note = 'no rule names it') AS without_rule, count(*) FILTER (WHERE kind <> 'E' AND r.verdict <> 'never') AS no_errors
  FROM errcodes AS e, lockstep.retry_class(e.sqlstate) AS r;
SELECT DISTINCT e.sqlstate, r.* FROM errcodes AS e, lockstep.retry_class(e.sqlstate) AS r WHERE r.verdict <> 'never' AND e.sqlstate NOT IN ('25P04', '72000') ORDER BY 1;
SELECT * FROM lockstep.retry_rules WHERE verdict = 'never' AND length(sqlstate) = 5;
SELECT length(sqlstate) AS length, count(*), bool_and(verdict = 'never') AS never FROM lockstep.retry_rules GROUP BY 1 ORDER BY 1;
SELECT * FROM lockstep.retry_class(NULL);
SELECT * FROM lockstep.retry_class('ZZ999');
SELECT * FROM lockstep.retry_class('4000');
SELECT * FROM lockstep.retry_class('40p01');

-- A hint for who wants a row: nobody is there.
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 50);
SELECT lockstep.register_ledger('accounts');
SELECT lockstep.backoff_hint('accounts', 1), lockstep.backoff_hint('accounts', '2'), lockstep.backoff_hint('accounts', 3);
SELECT lockstep.backoff_hint('stock', 'nut');
SELECT lockstep.backoff_hint('accounts', NULL::int);
BEGIN ISOLATION LEVEL REPEATABLE READ;
UPDATE accounts SET balance = balance WHERE id = 1;
SELECT lockstep.backoff_hint('accounts', 1) AS of_mine;
ROLLBACK;
CREATE TABLE cells (id int PRIMARY KEY, balance int) PARTITION BY RANGE (id);
CREATE TABLE cells_1 PARTITION OF cells FOR VALUES FROM (0) TO (10);
CREATE TABLE cells_2 PARTITION OF cells FOR VALUES FROM (10) TO (20);
INSERT INTO cells VALUES (1, 1), (11, 1);
SELECT lockstep.register_ledger('cells');
SELECT lockstep.backoff_hint('cells', 1), lockstep.backoff_hint('cells', 11), lockstep.backoff_hint('cells', 12);

-- A transfer with its retry, in one call; the id makes a second call harmless.
CALL lockstep.retry('SELECT status, from_balance, to_balance FROM lockstep.transfer(''accounts'', $1, $2, $3, lockstep.request_id($4))', params => ARRAY['1', '2', '30', 'rent']);
CALL lockstep.retry('SELECT status, from_balance, to_balance FROM lockstep.transfer(''accounts'', $1, $2, $3, lockstep.request_id($4))', params => ARRAY['1', '2', '30', 'rent']);
CALL lockstep.retry('SELECT status, from_balance, to_balance FROM lockstep.transfer(''accounts'', $1, $2, $3, lockstep.request_id($4))', params => ARRAY['1', '2', '5000', 'car']);

DROP TABLE stock, audit, parent, child, clock, accounts, accounts_journal, cells, cells_journal;
DROP SCHEMA other;
DROP ROLE regress_lockstep_teller;
DROP SEQUENCE tries;
DROP FUNCTION inside, audit, fail_until, tried_once, messy;
DROP PROCEDURE inside_procedure;
DROP TYPE pair;
-- In the end the statement takes the procedure away.
CALL lockstep.retry('DROP EXTENSION lockstep; SELECT count(*) FROM pg_extension WHERE extname = ''lockstep''');
SELECT count(*) FROM pg_extension WHERE extname = 'lockstep';
