-- once_begin, once_finish, once_prune and CALL once: work of any kind, once for each request id.
CREATE EXTENSION lockstep;
\set SHOW_CONTEXT never
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION id(name text) RETURNS uuid LANGUAGE sql IMMUTABLE RETURN lockstep.request_id(name);
CREATE TABLE letters (n int GENERATED ALWAYS AS IDENTITY, text text);

-- Begun, done, finished; whoever asks again gets the result.
BEGIN;
SELECT lockstep.once_begin(id('a'));
INSERT INTO letters (text) VALUES ('a');
SELECT lockstep.once_finish(id('a'), '{"letter": 1}');
-- In the same transaction, too.
SELECT lockstep.once_begin(id('a'));
COMMIT;
SELECT lockstep.once_begin(id('a'));
SELECT lockstep.once_begin(id('a')) ->> 'letter' AS letter;
-- In one statement; without a result it is an empty object.
SELECT lockstep.once_begin(id('one')), lockstep.once_finish(id('one'));
SELECT lockstep.once_begin(id('one'));
-- A large result.
SELECT lockstep.once_begin(id('large')), lockstep.once_finish(id('large'), (SELECT jsonb_agg(md5(n::text)) FROM generate_series(1, 5000) AS n));
SELECT jsonb_array_length(r), r ->> 4999 AS last FROM lockstep.once_begin(id('large')) AS r;
-- Rolled back, it is unused.
BEGIN;
SELECT lockstep.once_begin(id('b')), lockstep.once_finish(id('b'), '1');
ROLLBACK;
BEGIN;
SELECT lockstep.once_begin(id('b')), lockstep.once_finish(id('b'), '2');
COMMIT;
SELECT lockstep.once_begin(id('b'));

-- The fingerprint says what the work is.
SELECT lockstep.once_begin(id('f'), 'send a'), lockstep.once_finish(id('f'), '"sent"');
SELECT outcome($$SELECT lockstep.once_begin(id('f'), 'send a')$$), outcome($$SELECT lockstep.once_begin(id('f'), 'send b')$$),
       outcome($$SELECT lockstep.once_begin(id('f'))$$), outcome($$SELECT lockstep.once_begin(id('a'), 'send a')$$) \gx

-- Misuse.
SELECT outcome('SELECT lockstep.once_begin(NULL)'), outcome('SELECT lockstep.once_finish(NULL)'), outcome($$SELECT lockstep.once_finish(id('x'), NULL)$$),
       outcome($$SELECT lockstep.once_finish(id('x'))$$), outcome($$SELECT lockstep.once_finish(id('a'))$$),
       outcome($$SELECT lockstep.once_begin(id('x'), repeat('x', 1025))$$),
       outcome('SELECT lockstep.once_prune(NULL)'), outcome($$SELECT lockstep.once_prune('-1 day')$$) \gx
BEGIN;
SELECT lockstep.once_begin(id('x'));
SELECT outcome($$SELECT lockstep.once_begin(id('x'))$$), outcome($$SELECT lockstep.once_finish(id('x'), 'null')$$), outcome($$SELECT lockstep.once_finish(id('x'), '[null]')$$),
       outcome($$SELECT lockstep.once_finish(id('x'), '1')$$) \gx
COMMIT;
-- Nothing is left begun: not by COMMIT, not by PREPARE TRANSACTION, not by a statement of its own.
BEGIN;
SELECT lockstep.once_begin(id('left'));
INSERT INTO letters (text) VALUES ('left');
COMMIT;
BEGIN;
SELECT lockstep.once_begin(id('left'));
PREPARE TRANSACTION 'left';
SELECT lockstep.once_begin(id('left'));
DO $$ BEGIN PERFORM lockstep.once_begin(id('left')); COMMIT; END $$;
SELECT count(*) FROM letters WHERE text = 'left';
SELECT lockstep.once_begin(id('left')), lockstep.once_finish(id('left'), '"right"');
-- A deferred trigger may still finish it.
CREATE FUNCTION finish() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM lockstep.once_finish(id(new.text), to_jsonb(new.n > 0)); RETURN NULL; END $$;
CREATE CONSTRAINT TRIGGER finish AFTER INSERT ON letters DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (new.text = 'late') EXECUTE FUNCTION finish();
BEGIN;
SELECT lockstep.once_begin(id('late'));
INSERT INTO letters (text) VALUES ('late');
COMMIT;
SELECT lockstep.once_begin(id('late'));
-- A read-only transaction.
BEGIN READ ONLY;
SELECT lockstep.once_begin(id('a'));
ROLLBACK;
SET default_transaction_read_only = on;
CALL lockstep.once(id('a'), 'SELECT 1');
RESET default_transaction_read_only;

-- Savepoints give back what they took.
BEGIN;
SAVEPOINT outer_one;
SELECT lockstep.once_begin(id('s'));
ROLLBACK TO outer_one;
SELECT outcome($$SELECT lockstep.once_finish(id('s'))$$);
SELECT lockstep.once_begin(id('s'));
-- Finished within one that is rolled back, it is begun still.
SAVEPOINT inner_one;
SELECT lockstep.once_finish(id('s'), '1');
SELECT lockstep.once_begin(id('s'));
ROLLBACK TO inner_one;
SELECT outcome($$SELECT lockstep.once_begin(id('s'))$$);
SAVEPOINT inner_two;
SELECT lockstep.once_finish(id('s'), '2');
RELEASE inner_two;
-- Begun within one that was released, within one that is rolled back.
SAVEPOINT outer_two;
SAVEPOINT inner_three;
SELECT lockstep.once_begin(id('t'));
RELEASE inner_three;
SELECT outcome($$SELECT lockstep.once_begin(id('t'))$$);
ROLLBACK TO outer_two;
SELECT outcome($$SELECT lockstep.once_finish(id('t'))$$);
SELECT lockstep.once_begin(id('t'));
SELECT lockstep.once_finish(id('t'), '3');
COMMIT;
SELECT lockstep.once_begin(id('s')), lockstep.once_begin(id('t'));
-- PL/pgSQL's EXCEPTION is one.
BEGIN;
DO $$
BEGIN
    PERFORM lockstep.once_begin(id('p'));
    RAISE division_by_zero;
EXCEPTION WHEN division_by_zero THEN
    NULL;
END $$;
COMMIT;
SELECT lockstep.once_begin(id('p')), lockstep.once_finish(id('p'));

-- The levels that keep one snapshot, and many ids in one transaction.
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT count(lockstep.once_begin(id('many ' || n))) FROM generate_series(1, 200) AS n;
SELECT count(lockstep.once_finish(id('many ' || n), to_jsonb(n))) FROM generate_series(1, 200) AS n;
SELECT sum(lockstep.once_begin(id('many ' || n))::int) FROM generate_series(1, 200) AS n;
COMMIT;
SELECT sum(lockstep.once_begin(id('many ' || n))::int) FROM generate_series(1, 200) AS n;

-- CALL once.
CALL lockstep.once(id('c'), 'INSERT INTO letters (text) VALUES ($1) RETURNING text', params => ARRAY['c']);
CALL lockstep.once(id('c'), 'INSERT INTO letters (text) VALUES ($1) RETURNING text', params => ARRAY['c']);
SELECT count(*) FROM letters WHERE text = 'c';
CALL lockstep.once(id('c'), 'INSERT INTO letters (text) VALUES ($1) RETURNING text', params => ARRAY['d']);
CALL lockstep.once(id('c'), 'DELETE FROM letters');
-- Statements that return nothing, of several commands, of no rows.
CALL lockstep.once(id('c2'), 'UPDATE letters SET text = ''e'' WHERE text = ''c''');
CALL lockstep.once(id('c2'), 'UPDATE letters SET text = ''e'' WHERE text = ''c''');
CALL lockstep.once(id('c3'), 'UPDATE letters SET text = ''f'' WHERE text = ''e''; SELECT text, $1::int AS n FROM letters WHERE text IN (''a'', ''f'') ORDER BY n', params => ARRAY[7]);
CALL lockstep.once(id('c4'), 'SELECT 1 WHERE false', isolation => 'read committed');
-- No two lists of parameters are alike: not these, either.
CALL lockstep.once(id('c5'), 'SELECT $1 AS a, $2 AS b', params => ARRAY['a', '1:b,']);
CALL lockstep.once(id('c5'), 'SELECT $1 AS a, $2 AS b', params => ARRAY['a,1:b', '']);
CALL lockstep.once(id('c5'), 'SELECT $1 AS a, $2 AS b', params => ARRAY['a', NULL]);
-- The functions and the procedure know each other's ids.
SELECT outcome($$SELECT lockstep.once_begin(id('c'))$$) ~ '^LS010' AS refused;
CALL lockstep.once(id('a'), 'SELECT 1');
-- One that fails is unused; it is tried again by the rules of retry.
CALL lockstep.once(id('c6'), 'SELECT 1 / 0');
CALL lockstep.once(id('c6'), 'SELECT 1 AS one');
CREATE SEQUENCE tries;
CREATE FUNCTION fail_once() RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF nextval('tries') = 1 THEN RAISE serialization_failure USING MESSAGE = 'once'; END IF;
    RETURN 42;
END $$;
CALL lockstep.once(id('c7'), 'SELECT fail_once() AS answer');
CALL lockstep.once(id('c7'), 'SELECT fail_once() AS answer');
SELECT last_value FROM tries;
-- The statement meddles with the id.
CALL lockstep.once(id('m1'), 'SELECT lockstep.once_finish($1, ''"mine"'')', params => ARRAY[id('m1')]);
CALL lockstep.once(id('m1'), 'SELECT lockstep.once_begin($1)', params => ARRAY[id('m1')]);
CALL lockstep.once(id('m1'), 'DELETE FROM lockstep.once_request WHERE request_id = $1', params => ARRAY[id('m1')]);
CALL lockstep.once(id('m1'), 'DROP EXTENSION lockstep CASCADE');
CALL lockstep.once(id('m1'), 'SELECT lockstep.once_begin($1)', params => ARRAY[id('m2')]);
CALL lockstep.once(id('m1'), 'COMMIT');
CALL lockstep.once(id('m1'), 'CALL lockstep.once(lockstep.request_id(''m1''), ''SELECT 1'')');
CALL lockstep.once(id('m1'), 'CALL lockstep.retry(''SELECT 1'')');
CALL lockstep.retry('CALL lockstep.once(lockstep.request_id(''m1''), ''SELECT 1'')');
BEGIN;
CALL lockstep.once(id('m1'), 'SELECT 1');
ROLLBACK;
DO $$
DECLARE
    attempts int; last_error text; replayed boolean; result jsonb;
BEGIN
    CALL lockstep.once(id('m1'), 'SELECT 1', attempts => attempts, last_error => last_error, replayed => replayed, result => result);
END $$;
CALL lockstep.once(NULL, 'SELECT 1');
CALL lockstep.once(id('m1'), NULL);
CALL lockstep.once(id('m1'), 'SELECT', max_attempts => 0);
CALL lockstep.once(id('m1'), 'SELECT pg_sleep(10)', deadline => '10 ms');
-- After all of that it is unused; and a json that is no jsonb stays json's trouble.
CALL lockstep.once(id('m1'), 'SELECT ''"\u0000"''::json AS zero');
CALL lockstep.once(id('m1'), 'SELECT 1 AS a, 2 AS a');

-- Whoever the caller is. Two roles have the same id for different work, and see each other's results where they have the rights.
CREATE ROLE regress_ls_web;
CREATE ROLE regress_ls_worker;
CREATE ROLE regress_ls_boss IN ROLE regress_ls_web;
CREATE ROLE regress_ls_reader IN ROLE pg_read_all_data;
CREATE ROLE regress_ls_keeper;
SET ROLE regress_ls_web;
SELECT lockstep.once_begin(id('r'), 'web'), lockstep.once_finish(id('r'), '"of web"');
CALL lockstep.once(id('r2'), 'SET ROLE regress_ls_web; SELECT current_user AS me');
RESET ROLE;
SET ROLE regress_ls_worker;
SELECT lockstep.once_begin(id('r'), 'worker');
SELECT outcome($$SELECT lockstep.once_finish(id('r'), '"of worker"')$$);
BEGIN;
SELECT lockstep.once_begin(id('r'), 'worker'), lockstep.once_finish(id('r'), '"of worker"');
COMMIT;
SELECT request_id = id('r') AS is_r, requester, fingerprint, finished_at <= now() AS finished, result FROM lockstep.once_requests;
SELECT outcome('SELECT * FROM lockstep.once_request'), outcome('DELETE FROM lockstep.once_request'), outcome($$SELECT lockstep.once_prune('0')$$);
CREATE FUNCTION pg_temp.peep(jsonb) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS $$ BEGIN RAISE NOTICE 'seen: %', $1; RETURN true; END $$;
SELECT count(*) FROM lockstep.once_requests WHERE pg_temp.peep(result);
DROP FUNCTION pg_temp.peep(jsonb);
RESET ROLE;
-- The role of the CALL counts, whatever the statement sets.
CREATE ROLE regress_ls_both IN ROLE regress_ls_web, regress_ls_worker;
SET ROLE regress_ls_both;
CALL lockstep.once(id('r3'), 'SET LOCAL ROLE regress_ls_web; SELECT current_user AS me');
CALL lockstep.once(id('r3'), 'SET LOCAL ROLE regress_ls_web; SELECT current_user AS me');
SELECT count(*) FROM lockstep.once_requests WHERE requester = 'regress_ls_both'::regrole;
RESET ROLE;
-- A function with its owner's rights shares ids among its callers.
CREATE FUNCTION shared(name text) RETURNS jsonb LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE known jsonb = lockstep.once_begin(lockstep.request_id(name));
BEGIN
    IF known IS NULL THEN
        known := '"done now"';
        PERFORM lockstep.once_finish(lockstep.request_id(name), '"done before"');
    END IF;
    RETURN known;
END $$;
SET ROLE regress_ls_web;
SELECT shared('r4');
RESET ROLE;
SET ROLE regress_ls_worker;
SELECT shared('r4');
RESET ROLE;
SET ROLE regress_ls_boss;
SELECT requester, result FROM lockstep.once_requests ORDER BY requester::text, result;
RESET ROLE;
SET ROLE regress_ls_reader;
SELECT requester, count(*) FROM lockstep.once_requests WHERE requester::text ~ 'web|worker' GROUP BY 1 ORDER BY requester::text;
RESET ROLE;
-- A renamed role keeps its ids; those of a dropped one are nobody's.
ALTER ROLE regress_ls_worker RENAME TO regress_ls_laborer;
SET ROLE regress_ls_laborer;
SELECT lockstep.once_begin(id('r'), 'worker');
RESET ROLE;

-- What lies in the way of names.
CREATE SCHEMA trap;
CREATE FUNCTION trap.cheat(uuid, uuid) RETURNS boolean LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR trap.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = trap.cheat);
CREATE FUNCTION trap.now() RETURNS timestamptz LANGUAGE sql AS 'SELECT ''infinity''::timestamptz';
CREATE TABLE trap.once_request (LIKE lockstep.once_request);
SET search_path = trap, public, pg_catalog;
BEGIN;
SELECT lockstep.once_begin(id('trap')), lockstep.once_finish(id('trap'), '"not trapped"');
COMMIT;
SELECT lockstep.once_begin(id('trap')), lockstep.once_begin(id('trap 2')) IS NULL AS is_new, lockstep.once_finish(id('trap 2'));
SELECT lockstep.once_prune('1 hour');
SELECT count(*) FROM trap.once_request;
RESET search_path;
DROP SCHEMA trap CASCADE;
-- Triggers of the table's owner do not run; what he takes away is missed.
BEGIN;
CREATE TRIGGER finish BEFORE INSERT OR UPDATE ON lockstep.once_request FOR EACH ROW EXECUTE FUNCTION finish();
SELECT lockstep.once_begin(id('g')), lockstep.once_finish(id('g'), '1');
DROP TRIGGER finish ON lockstep.once_request;
COMMIT;
BEGIN;
SELECT lockstep.once_begin(id('h'));
TRUNCATE lockstep.once_request;
SELECT outcome($$SELECT lockstep.once_finish(id('h'))$$);
ROLLBACK;
BEGIN;
INSERT INTO lockstep.once_request (request_id, requester) VALUES (id('i'), current_user::regrole::oid);
SELECT outcome($$SELECT lockstep.once_begin(id('i'))$$);
DROP INDEX lockstep.once_request_by_id;
ROLLBACK;

-- What is forgotten is new again.
UPDATE lockstep.once_request SET finished_at = finished_at - interval '1 day' WHERE request_id = id('a');
GRANT EXECUTE ON FUNCTION lockstep.once_prune(interval) TO regress_ls_keeper;
SET ROLE regress_ls_keeper;
SELECT lockstep.once_prune('1 hour'), lockstep.once_prune('1 hour');
RESET ROLE;
BEGIN;
SELECT lockstep.once_begin(id('a')), lockstep.once_finish(id('a'), '"again"');
-- Not what this transaction has done itself; of the others all.
SELECT lockstep.once_prune('0') > 200 AS all_others;
SELECT lockstep.once_begin(id('a')), lockstep.once_begin(id('b')) IS NULL AS b_is_new;
SELECT lockstep.once_finish(id('b'), '"again"');
COMMIT;
SELECT result FROM lockstep.once_requests ORDER BY finished_at;
DROP ROLE regress_ls_both, regress_ls_boss, regress_ls_reader, regress_ls_web, regress_ls_laborer;
REVOKE EXECUTE ON FUNCTION lockstep.once_prune(interval) FROM regress_ls_keeper;
DROP ROLE regress_ls_keeper;
DROP TABLE letters;
DROP SEQUENCE tries;
DROP FUNCTION outcome, finish, fail_once, shared, id;
DROP EXTENSION lockstep;
