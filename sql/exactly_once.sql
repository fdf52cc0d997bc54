-- One request id, one movement: replay, reuse, kept refusals.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 4) AS n;
SELECT lockstep.register_ledger('accounts', ceiling => 1000);

-- An id from any text: the same everywhere, as uuid5() gives it in any language.
SELECT lockstep.request_id('invoice 4711'), lockstep.request_id('invoice 4711') = lockstep.request_id('invoice 4712') AS same, lockstep.request_id(''), lockstep.request_id(NULL);
SELECT lockstep.request_id('Zoë');

-- Applied, then replayed with the balances of the first time, whatever happened since.
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 10, lockstep.request_id('a'));
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 3, 10);
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 10, lockstep.request_id('a'));
-- The same content in other words is the same content; a memo is not content.
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('accounts', '1', '2', 10.00, lockstep.request_id('a'), memo => '1');
-- Taking no lock on the rows, and writing nothing.
BEGIN;
SELECT status FROM lockstep.transfer('accounts', 1, 2, 10, lockstep.request_id('a'));
SELECT pg_current_xact_id_if_assigned() IS NULL AS nothing_written;
COMMIT;
SELECT count(*) FROM accounts_journal;
-- The time is the one of the first time.
SELECT count(DISTINCT t.booked_at) FROM generate_series(1, 2) AS n, lockstep.transfer('accounts', 1, 2, 10, lockstep.request_id('a' || n % 1)) AS t;

-- Another content under the same id.
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 11, lockstep.request_id('a'))$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 3, 10, lockstep.request_id('a'))$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 3, 2, 10, lockstep.request_id('a'))$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 2, 1, 10, lockstep.request_id('a'))$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 11, lockstep.request_id('a'), on_refusal => 'return')$$);

-- A refusal that is raised leaves the id unused.
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 500, lockstep.request_id('b'))$$);
SELECT status, delta FROM lockstep.adjust('accounts', 1, 500);
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 500, lockstep.request_id('b'));

-- One that is returned is kept: a retry cannot turn it into a success.
SELECT status, sqlstate, amount, from_balance, to_balance FROM lockstep.transfer('accounts', 3, 4, 500, lockstep.request_id('c'), on_refusal => 'return');
SELECT status, delta FROM lockstep.adjust('accounts', 3, 500);
SELECT status, sqlstate, amount, from_balance, to_balance FROM lockstep.transfer('accounts', 3, 4, 500, lockstep.request_id('c'), on_refusal => 'return');
SELECT outcome($$SELECT lockstep.transfer('accounts', 3, 4, 500, lockstep.request_id('c'))$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 3, 4, 501, lockstep.request_id('c'))$$);
SELECT entry, from_key, to_key, amount, from_balance, to_balance, refusal FROM accounts_journal WHERE refusal IS NOT NULL;
-- Each kind of refusal is kept; a missing row has no balance.
SELECT status, sqlstate, from_balance, to_balance FROM lockstep.transfer('accounts', 3, 99, 1, lockstep.request_id('d'), on_refusal => 'return');
SELECT status, sqlstate, from_balance, to_balance FROM lockstep.transfer('accounts', 99, 3, 1, lockstep.request_id('e'), on_refusal => 'return');
SELECT status, sqlstate, from_balance, to_balance FROM lockstep.transfer('accounts', 3, 2, 400, lockstep.request_id('f'), on_refusal => 'return');
SELECT request_id = lockstep.request_id('d') AS d, refusal FROM accounts_journal WHERE refusal <> 'LS001' ORDER BY entry;
-- A fault is not a refusal: nothing is kept, and it is raised.
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 1, 1, lockstep.request_id('g'), on_refusal => 'return')$$);
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 0.5, lockstep.request_id('g'), on_refusal => 'return')$$);
SELECT status FROM lockstep.transfer('accounts', 1, 2, 1, lockstep.request_id('g'), on_refusal => 'return');

-- Ids of one ledger are not another's.
CREATE TABLE points (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO points VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('points');
SELECT status FROM lockstep.transfer('points', 1, 2, 10, lockstep.request_id('a'));

-- Made by the server: in the order of time, so that they stand together in the index.
SELECT bool_and(a.request_id < b.request_id) AS ascending, bool_and(substr(a.request_id::text, 15, 1) = '7') AS version_7
  FROM lockstep.transfer('points', 1, 2, 1) AS a, pg_sleep(0.005), lockstep.transfer('points', 1, 2, 1) AS b;
-- All that is not time is random in each, in more of them than random bytes are asked for at once.
DO $$
BEGIN
    FOR i IN 1 .. 100 LOOP
        PERFORM lockstep.adjust('points', 1, -1), lockstep.adjust('points', 1, 1);
    END LOOP;
END $$;
SELECT count(DISTINCT right(request_id::text, 17)) - count(*) AS the_same, count(*) FROM points_journal
 WHERE from_key IS NULL OR to_key IS NULL;

SELECT * FROM lockstep.verify_ledger('accounts');
SELECT * FROM lockstep.verify_ledger('points');
DROP FUNCTION outcome;
DROP TABLE accounts, accounts_journal, points, points_journal;
DROP EXTENSION lockstep;
