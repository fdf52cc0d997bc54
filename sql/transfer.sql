-- A transfer moves an amount from one row to another, and books it.
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
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, owner text);
INSERT INTO accounts VALUES (1, 100, 'ann'), (2, 50, 'bob'), (3, 0, 'eve');

-- Not a ledger yet.
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 10)$$);
SELECT lockstep.register_ledger('accounts');
SELECT * FROM lockstep.ledgers;

-- Applied.
SELECT status, sqlstate, amount, from_balance, to_balance, booked_at <= clock_timestamp() AS booked, request_id IS NOT NULL AS has_id
  FROM lockstep.transfer('accounts', 1, 2, 30);
SELECT * FROM accounts ORDER BY id;
-- Upwards in the order of keys, and by names.
SELECT status, amount, from_balance, to_balance
  FROM lockstep.transfer(ledger => 'accounts', from_key => 2, to_key => 3, amount => 12.5, memo => '{"why": "rent"}');
SELECT entry, from_key, to_key, amount, from_balance, to_balance, refusal, memo FROM accounts_journal ORDER BY entry;

-- Keys of another type: integer, smallint, text, an untyped literal, numeric.
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', 1::int, 2::int, 1);
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', 1::smallint, 2::bigint, 1);
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', '1', '2', 1);
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', '1'::text, '2'::text, 1);
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', 1::numeric, 2::numeric, 1);
-- As drivers send them: parameters without a type, and with the wrong one.
PREPARE untyped AS SELECT from_balance, to_balance FROM lockstep.transfer('accounts', $1, $2, $3);
EXECUTE untyped(1, 2, 1);
PREPARE as_text(text, text, text) AS SELECT from_balance, to_balance FROM lockstep.transfer('accounts', $1, $2, $3::numeric);
EXECUTE as_text('1', '2', '1.00');
PREPARE as_int(int, int, numeric) AS SELECT from_balance, to_balance FROM lockstep.transfer('accounts', $1, $2, $3);
EXECUTE as_int(1, 2, 1);

-- Many in one statement, each on what the one before has left.
SELECT status, from_balance, to_balance FROM generate_series(1, 3) AS n, lockstep.transfer('accounts', 2, 1, n) ORDER BY n;

-- In the caller's transaction: rolled back with it.
BEGIN;
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 5, '00000000-0000-0000-0000-000000000001');
SAVEPOINT s;
SELECT from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 6, '00000000-0000-0000-0000-000000000002');
ROLLBACK TO s;
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 6, '00000000-0000-0000-0000-000000000002');
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 5, '00000000-0000-0000-0000-000000000001');
ROLLBACK;
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 5, '00000000-0000-0000-0000-000000000001');

-- From PL/pgSQL, with a refusal caught: the transaction goes on without it.
DO $$
DECLARE
    r lockstep.transfer_result;
BEGIN
    r := lockstep.transfer('accounts', 1, 3, 1);
    RAISE NOTICE 'applied, % left', r.from_balance;
    BEGIN
        r := lockstep.transfer('accounts', 1, 3, 1000000);
    EXCEPTION WHEN SQLSTATE 'LS001' THEN
        RAISE NOTICE 'refused: %', SQLERRM;
    END;
    r := lockstep.transfer('accounts', 1, 3, 1);
    RAISE NOTICE 'applied, % left', r.from_balance;
END $$;

-- Read only: nothing is written.
BEGIN READ ONLY;
SELECT lockstep.transfer('accounts', 1, 2, 5);
ROLLBACK;

-- Ten thousand with ids in one transaction: no lock table fills up.
BEGIN;
SELECT count(*), min(status), max(status) FROM generate_series(1, 10000) AS n,
       lockstep.transfer('accounts', 1 + n % 2, 2 - n % 2, 0.01, lockstep.request_id('many ' || n));
SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid();
COMMIT;

SELECT sum(balance) FROM accounts;
SELECT * FROM lockstep.verify_ledger('accounts');

DROP FUNCTION outcome;
DROP TABLE accounts, accounts_journal;
DROP EXTENSION lockstep;
