-- (lockstep.transfer(...)).* is refused: the server makes one call of it for each column of the result.
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO accounts VALUES (1, 10000), (2, 10000);
SELECT lockstep.register_ledger('accounts');
-- Runs a statement, and says how many movements it has booked.
CREATE FUNCTION try(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    before bigint := count(*) FROM accounts_journal;
BEGIN
    EXECUTE statement;
    RETURN (SELECT count(*) FROM accounts_journal) - before || ' booked';
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;

-- As everybody types it once, and what to do instead.
SELECT (lockstep.transfer('accounts', 1, 2, 30)).*;
SELECT (lockstep.adjust('accounts', 1, 30)).*;
SELECT (lockstep.transfer_batch('accounts', ARRAY[1], ARRAY[2], ARRAY[30])).*;
SELECT (lockstep.adjust_batch('accounts', ARRAY[1], ARRAY[30])).*;
SELECT count(*) FROM accounts_journal;
SELECT status, amount, from_balance, to_balance FROM (SELECT * FROM lockstep.transfer('accounts', 1, 2, 30)) AS done;
SELECT status, delta, balance FROM (SELECT * FROM lockstep.adjust('accounts', 1, 30)) AS done;
SELECT status, from_balance, to_balance
  FROM (SELECT * FROM lockstep.transfer_batch('accounts', ARRAY[1], ARRAY[2], ARRAY[30])) AS done;
SELECT entry, from_key, to_key, amount FROM accounts_journal ORDER BY entry;

-- Refused when it is planned, wherever it stands and however it is called.
CREATE TABLE answers (request_id uuid, status text, sqlstate text, amount numeric(12,2), from_balance numeric, to_balance numeric, booked_at timestamptz, UNIQUE (request_id));
CREATE TABLE mirrored (booked_at timestamptz, to_balance numeric, from_balance numeric, note text DEFAULT 'none', amount numeric, sqlstate text, status text, request_id uuid);
EXPLAIN (COSTS OFF) SELECT (lockstep.transfer('accounts', 1, 2, 30)).*;
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$SELECT 1, (lockstep.transfer('accounts', 1, 2, 30)).*, 2$$);
SELECT try($$SELECT (lockstep.transfer(amount => 30, ledger => 'accounts', to_key => 2, from_key => 1)).*$$);
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 30, lockstep.request_id('star'), on_refusal => 'return')).*$$);
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 30, gen_random_uuid())).*$$);
SELECT try($$SELECT (lockstep.transfer('accounts', id, 2, 30)).* FROM accounts WHERE id = 1$$);
SELECT try($$SELECT (lockstep.transfer('accounts', '1'::text, '2'::text, (SELECT 30))).*$$);
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 1)).*, (lockstep.transfer('accounts', 1, 2, 2)).status$$);
SELECT try($$SELECT status FROM (SELECT (lockstep.transfer('accounts', 1, 2, 30)).*) AS s$$);
SELECT try($$SELECT status FROM (SELECT (lockstep.transfer('accounts', 1, 2, 30)).* OFFSET 0) AS s, accounts$$);
SELECT try($$WITH w AS (SELECT (lockstep.transfer('accounts', 1, 2, 30)).*) SELECT status FROM w$$);
SELECT try($$SELECT a.id, s.status FROM accounts AS a, LATERAL (SELECT (lockstep.transfer('accounts', a.id, 2, 30)).*) AS s WHERE a.id = 1$$);
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 30)).* UNION ALL SELECT * FROM answers$$);
SELECT try($$SELECT * FROM answers UNION SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$SELECT (lockstep.adjust('accounts', 1, 30)).* GROUP BY 1, 2, 3, 4, 5, 6$$);
SELECT try($$SELECT DISTINCT (lockstep.adjust('accounts', 1, 30)).* ORDER BY 2 LIMIT 1$$);
SELECT try($$SELECT ROW((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$SELECT 1 WHERE ROW((lockstep.transfer('accounts', 1, 2, 30)).*) IS NOT NULL$$);
SELECT try($$SELECT id FROM (SELECT id FROM accounts WHERE ROW((lockstep.transfer('accounts', id, 2, 30)).*) IS NOT NULL AND id = 1) AS s, lockstep.adjust('accounts', 1, 1)$$);
SELECT try($$VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$SELECT * FROM (VALUES (1, 2), (3, 4)) AS v, LATERAL (VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*)) AS s$$);
SELECT try($$INSERT INTO answers SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$INSERT INTO answers VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$INSERT INTO answers VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*), ((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$INSERT INTO mirrored (request_id, status, sqlstate, amount, from_balance, to_balance, booked_at) VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$INSERT INTO answers (status) VALUES ('mine') RETURNING (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$UPDATE accounts SET balance = balance WHERE id = 1 RETURNING id, (lockstep.adjust('accounts', 2, 1)).*$$);
INSERT INTO mirrored (note) VALUES ('one');
SELECT try($$UPDATE mirrored SET (booked_at, to_balance, from_balance, amount, sqlstate, status, request_id) = (SELECT t.booked_at, t.to_balance, t.from_balance, t.amount, t.sqlstate, t.status, t.request_id FROM (SELECT (lockstep.transfer('accounts', 1, 2, 30)).*) AS t)$$);
SELECT try($$UPDATE mirrored SET (request_id, status, sqlstate, amount, from_balance, to_balance, booked_at) = ROW((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$INSERT INTO answers (status) VALUES ('mine') ON CONFLICT (request_id) DO UPDATE
    SET (from_balance, request_id, status, sqlstate, amount, to_balance, booked_at) = ROW(0, (lockstep.adjust('accounts', 1, 1)).*)$$);
SELECT try($$MERGE INTO mirrored USING accounts AS a ON false WHEN NOT MATCHED AND a.id = 1 THEN
    INSERT (request_id, status, sqlstate, amount, from_balance, to_balance, booked_at) VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*)$$);
SELECT try($$CREATE TABLE made AS SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$CREATE MATERIALIZED VIEW made AS SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$DO 'BEGIN PERFORM (lockstep.transfer(''accounts'', 1, 2, 30)).*; END'$$);
COPY (SELECT (lockstep.adjust('accounts', 1, 30)).*) TO STDOUT;
BEGIN;
DECLARE c CURSOR FOR SELECT (lockstep.adjust('accounts', 1, 30)).*;
ROLLBACK;
-- Around another expression: its copies run the call as well.
SELECT try($$SELECT (SELECT lockstep.transfer('accounts', 1, 2, 30)).*$$);
SELECT try($$SELECT ((SELECT t FROM lockstep.transfer('accounts', 1, 2, 30) AS t)).*$$);
SELECT try($$SELECT (CASE WHEN true THEN lockstep.transfer('accounts', 1, 2, 30) END).*$$);
SELECT try($$SELECT (coalesce(lockstep.adjust('accounts', 1, 30), NULL)).*$$);
SELECT count(*) FROM accounts_journal;

-- Prepared, with a plan for each call and with one for all.
PREPARE star(bigint, numeric) AS SELECT (lockstep.transfer('accounts', $1, 2, $2)).*;
SET plan_cache_mode = force_custom_plan;
EXECUTE star(1, 30);
SET plan_cache_mode = force_generic_plan;
EXECUTE star(1, 30);
PREPARE untyped AS SELECT (lockstep.transfer('accounts', $1, $2, $3)).*;
EXECUTE untyped(1, 2, 30);
RESET plan_cache_mode;

-- In PL/pgSQL and in functions of SQL.
CREATE FUNCTION into_record() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    r lockstep.transfer_result;
BEGIN
    SELECT (lockstep.transfer('accounts', 1, 2, 30)).* INTO r;
    RETURN r.status;
END $$;
CREATE FUNCTION in_loop() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    r record;
BEGIN
    FOR r IN SELECT (lockstep.transfer('accounts', id, 2, 30)).* FROM accounts WHERE id = 1 LOOP END LOOP;
END $$;
CREATE FUNCTION as_text() RETURNS lockstep.transfer_result LANGUAGE sql AS
    $$SELECT (lockstep.transfer('accounts', 1, 2, 30)).*$$;
CREATE FUNCTION atomic_body() RETURNS lockstep.transfer_result LANGUAGE sql BEGIN ATOMIC
    SELECT (lockstep.transfer('accounts', 1, 2, 30)).*;
END;
CREATE FUNCTION atomic_insert() RETURNS void LANGUAGE sql BEGIN ATOMIC
    INSERT INTO mirrored (request_id, status, sqlstate, amount, from_balance, to_balance, booked_at) VALUES ((lockstep.transfer('accounts', 1, 2, 30)).*);
END;
SELECT try('SELECT into_record()');
SELECT try('SELECT in_loop()');
SELECT try('SELECT as_text()');
SELECT try('SELECT * FROM as_text()');
SELECT try('SELECT atomic_body()');
SELECT try('SELECT atomic_insert()');

-- In views, of which no place in a text is kept: the whole and a part of it, and as the server writes it out.
CREATE VIEW starred AS SELECT (lockstep.transfer('accounts', 1, 2, 30)).*;
CREATE VIEW starred_batch AS SELECT 'x' AS x, (lockstep.transfer_batch('accounts', ARRAY[1], ARRAY[2], ARRAY[30])).*;
CREATE VIEW starred_subquery AS SELECT (SELECT lockstep.adjust('accounts', 1, 30)).*;
CREATE RULE star AS ON DELETE TO mirrored DO INSTEAD SELECT (lockstep.adjust('accounts', 1, 30)).*;
CREATE TABLE starred_default (n integer, r lockstep.adjust_result DEFAULT ROW((lockstep.adjust('accounts', 1, 30)).*));
SELECT try('INSERT INTO starred_default VALUES (1)');
SELECT try('SELECT * FROM starred');
SELECT try('SELECT status FROM starred');
SELECT try('SELECT count(*) FROM starred, accounts');
SELECT try('SELECT item FROM starred_batch');
SELECT try('SELECT status FROM starred_subquery');
SELECT try('DELETE FROM mirrored');
SELECT try('CREATE VIEW restored AS ' || pg_get_viewdef('starred'));
SELECT try('SELECT * FROM restored');
SELECT count(*) FROM accounts_journal;

-- What is not refused. One call that runs many times:
SELECT try($$SELECT t.* FROM generate_series(1, 3) AS n, lockstep.transfer('accounts', 1, 2, n) AS t$$);
SELECT try($$SELECT t.* FROM accounts AS a, LATERAL lockstep.transfer('accounts', a.id, 3 - a.id, 1) AS t$$);
SELECT try($$SELECT lockstep.transfer('accounts', id, 3 - id, 1) FROM accounts$$);
SELECT try($$SELECT (lockstep.transfer('accounts', id, 3 - id, 1)).status FROM accounts$$);
SELECT try($$SELECT (lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[3, 4])).status$$);
SELECT try($$DO 'BEGIN FOR n IN 1 .. 10 LOOP PERFORM lockstep.transfer(''accounts'', 1, 2, n); END LOOP; END'$$);
PREPARE plain(numeric) AS SELECT status FROM lockstep.transfer('accounts', 1, 2, $1);
SELECT try('EXECUTE plain(1)') FROM generate_series(1, 8);
-- One call whose row is taken apart behind it:
SELECT try($$SELECT (t).* FROM (SELECT lockstep.transfer('accounts', 1, 2, 30) AS t OFFSET 0) AS s$$);
SELECT try($$SELECT (t).* FROM (SELECT lockstep.transfer('accounts', 1, 2, 30) AS t) AS s$$);
SELECT try($$SELECT (t).* FROM lockstep.transfer('accounts', 1, 2, 30) AS t$$);
SELECT try($$WITH w AS MATERIALIZED (SELECT lockstep.transfer('accounts', 1, 2, 30) AS t) SELECT (t).* FROM w$$);
SELECT try($$SELECT (t).* FROM (VALUES (lockstep.transfer('accounts', 1, 2, 30))) AS v (t)$$);
SELECT try($$SELECT (t).* FROM (VALUES (1), (2)) AS n, LATERAL (SELECT lockstep.transfer('accounts', 1, 2, 30) AS t WHERE n IS NOT NULL) AS s$$);
SELECT try($$INSERT INTO answers SELECT * FROM lockstep.transfer('accounts', 1, 2, 30)$$);
SELECT try($$UPDATE mirrored SET (request_id, status) = (SELECT t.request_id, t.status FROM lockstep.transfer('accounts', 1, 2, 30) AS t)$$);
DO $$
DECLARE
    r lockstep.transfer_result;
BEGIN
    r := lockstep.transfer('accounts', 1, 2, 30);
    RAISE NOTICE '%', r.status;
    SELECT * INTO r FROM lockstep.transfer('accounts', 1, 2, 30);
    RAISE NOTICE '%', r.status;
    RAISE NOTICE '%', (lockstep.transfer('accounts', 1, 2, 30)).status;
END $$;
CREATE VIEW called AS SELECT t.* FROM lockstep.transfer('accounts', 1, 2, 30) AS t;
CREATE VIEW two_columns AS SELECT (lockstep.transfer('accounts', 1, 2, 30)).request_id, (lockstep.transfer('accounts', 1, 2, 30)).status;
SELECT try('SELECT * FROM called');
SELECT try('SELECT status FROM two_columns');
-- Calls that are written out, be they equal and for every column: each is a call, as it says.
SELECT try($$SELECT lockstep.transfer('accounts', 1, 2, 30), lockstep.transfer('accounts', 1, 2, 30)$$);
SELECT try($$SELECT (lockstep.transfer('accounts', 1, 2, 30)).request_id, (lockstep.transfer('accounts', 1, 2, 30)).status$$);
SELECT try($$SELECT (lockstep.adjust('accounts', 1, 1)).request_id, (lockstep.adjust('accounts', 1, 1)).status, (lockstep.adjust('accounts', 1, 1)).sqlstate,
    (lockstep.adjust('accounts', 1, 1)).delta, (lockstep.adjust('accounts', 1, 1)).balance, (lockstep.adjust('accounts', 1, 1)).booked_at$$);
SELECT try($$INSERT INTO answers (status, amount) VALUES ((lockstep.transfer('accounts', 1, 2, 30)).status, (lockstep.transfer('accounts', 1, 2, 30)).amount) RETURNING lockstep.transfer('accounts', 1, 2, 30)$$);
SELECT try('SELECT ' || string_agg($$lockstep.adjust('accounts', 1, 1)$$, ', ')) FROM generate_series(1, 300);
SELECT try('VALUES ' || string_agg($$((lockstep.adjust('accounts', 1, 1)).status)$$, ', ')) FROM generate_series(1, 300);
SELECT try(string_agg($$SELECT (lockstep.adjust('accounts', 1, 1)).status$$, ' UNION ALL ')) FROM generate_series(1, 100);
-- In a view not in the order of the columns, so that it cannot have been `.*`:
CREATE VIEW written_out AS
SELECT (lockstep.adjust('accounts', 1, 1)).status, (lockstep.adjust('accounts', 1, 1)).request_id, (lockstep.adjust('accounts', 1, 1)).sqlstate,
       (lockstep.adjust('accounts', 1, 1)).delta, (lockstep.adjust('accounts', 1, 1)).balance, (lockstep.adjust('accounts', 1, 1)).booked_at;
SELECT try('SELECT * FROM written_out');
-- A function's body that the planner writes in: its copies share a place, but not one of this text.
CREATE FUNCTION inlined(amount numeric) RETURNS lockstep.adjust_result LANGUAGE sql AS $$SELECT lockstep.adjust('accounts', 1, amount)$$;
SELECT try($$INSERT INTO answers (request_id, status, sqlstate, amount, from_balance, booked_at)
    VALUES ((inlined(1)).request_id, (inlined(1)).status, (inlined(1)).sqlstate, (inlined(1)).delta, (inlined(1)).balance, (inlined(1)).booked_at)
    RETURNING (SELECT (lockstep.adjust('accounts', 1, 1)).status), lockstep.adjust('accounts', 1, 1)$$);
-- A rule that uses a column twice calls twice, as rules do.
CREATE VIEW slips AS SELECT status, status AS again FROM answers;
CREATE RULE write_slip AS ON INSERT TO slips DO INSTEAD INSERT INTO answers (status, sqlstate) VALUES (NEW.status, NEW.status);
SELECT try($$INSERT INTO slips VALUES ((lockstep.transfer('accounts', 1, 2, 30)).status)$$);
-- No planner around it: a default and a check.
CREATE TABLE odd (r lockstep.adjust_result DEFAULT lockstep.adjust('accounts', 1, 1), CHECK ((lockstep.adjust('accounts', 1, 1)).status = 'applied'));
SELECT try('INSERT INTO odd DEFAULT VALUES');
-- The known gaps: functions around it that the planner cannot see through, or takes apart too late; a check.
CREATE FUNCTION wrapped() RETURNS lockstep.adjust_result LANGUAGE plpgsql AS $$BEGIN RETURN lockstep.adjust('accounts', 1, 1); END$$;
CREATE FUNCTION inlined_row() RETURNS lockstep.adjust_result LANGUAGE sql AS $$SELECT ROW((lockstep.adjust('accounts', 1, 1)).*)::lockstep.adjust_result$$;
CREATE TABLE odder (n integer CHECK (ROW((lockstep.adjust('accounts', n, 1)).*) IS DISTINCT FROM NULL));
SELECT try('SELECT (wrapped()).*');
SELECT try('SELECT (inlined(1)).*');
SELECT try('SELECT inlined_row()');
SELECT try('INSERT INTO odder VALUES (1)');
SELECT * FROM lockstep.verify_ledger('accounts');

DROP VIEW starred, starred_batch, starred_subquery, restored, called, two_columns, written_out, slips;
DROP FUNCTION try, into_record, in_loop, as_text, atomic_body, atomic_insert, wrapped, inlined, inlined_row;
DROP TABLE accounts, accounts_journal, answers, mirrored, starred_default, odd, odder;
DROP EXTENSION lockstep;
