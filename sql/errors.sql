-- Bad input: a clear error with its own state, and nothing is changed.
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
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, version int NOT NULL DEFAULT 0, note text);
INSERT INTO accounts VALUES (1, 100), (2, 50);
SELECT lockstep.register_ledger('accounts', ceiling => 1000000);
CREATE TABLE plain (id int PRIMARY KEY, balance int);
CREATE VIEW looks AS SELECT * FROM accounts;

CREATE TABLE cases (n int GENERATED ALWAYS AS IDENTITY, call text);
INSERT INTO cases (call) VALUES
-- nulls
('NULL, 1, 2, 1'), ('''accounts'', NULL::int, 2, 1'), ('''accounts'', 1, NULL::int, 1'), ('''accounts'', NULL, NULL, 1'),
('''accounts'', 1, 2, NULL'), ('''accounts'', 1, 2, 1, on_refusal => NULL'),
-- amounts
('''accounts'', 1, 2, ''NaN'''), ('''accounts'', 1, 2, ''Infinity'''), ('''accounts'', 1, 2, ''-Infinity'''),
('''accounts'', 1, 2, 0'), ('''accounts'', 1, 2, -1'), ('''accounts'', 1, 2, 0.00'), ('''accounts'', 1, 2, 0.001'),
('''accounts'', 1, 2, 10000000000'), ('''accounts'', 1, 2, 1e38'), ('''accounts'', 1, 2, 1e100000'), ('''accounts'', 1, 2, 1e-39'),
('''accounts'', 1, 2, ''1e-16000'''),
-- rows
('''accounts'', 1, 1, 1'), ('''accounts'', 1, 3, 1'), ('''accounts'', 3, 1, 1'), ('''accounts'', 3, 4, 1'),
-- keys
('''accounts'', ''one'', ''two'', 1'), ('''accounts'', 1.5, 2, 1'), ('''accounts'', true, false, 1'), ('''accounts'', ''2026-01-01''::date, ''2026-01-02''::date, 1'),
('''accounts'', 99999999999999999999, 2, 1'), ('''accounts'', '''', 2, 1'), ('''accounts'', ARRAY[1], ARRAY[2], 1'),
-- ledgers
('''plain'', 1, 2, 1'), ('''looks'', 1, 2, 1'), ('''pg_class'', 1, 2, 1'), ('''accounts_journal'', 1, 2, 1'), ('''accounts_pkey'', 1, 2, 1'),
('''nowhere'', 1, 2, 1'), ('0::regclass, 1, 2, 1'), ('4294967295::oid::regclass, 1, 2, 1'),
-- the rest
('''accounts'', 1, 2, 1, on_refusal => ''ignore'''), ('''accounts'', 1, 2, 1, expected_from_version => 1'),
('''accounts'', 1, 2, 1, ''not an id''');
SELECT call, outcome('SELECT lockstep.transfer(' || call || ')') FROM cases ORDER BY n;
-- No state of ours is the state of an internal error.
SELECT call FROM cases WHERE outcome('SELECT lockstep.transfer(' || call || ')') LIKE 'XX%';

-- A gigabyte of text is refused by its size; what is packed in a table is not even unpacked.
SELECT outcome('SELECT lockstep.transfer(''accounts'', repeat(''x'', 1024 * 1024 * 1000), ''2'', 1)');
CREATE TABLE packed AS SELECT repeat('x', 1024 * 1024 * 10) AS t;
SELECT outcome('SELECT lockstep.transfer(''accounts'', ''1'', (SELECT t FROM packed), 1)');
SELECT outcome('SELECT lockstep.adjust(''accounts'', (SELECT t FROM packed), 1)');
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 1, on_refusal => (SELECT t FROM packed))');
SELECT outcome('SELECT lockstep.request_id((SELECT t FROM packed))');
DROP TABLE packed;
-- A long text that is no number is refused too, with a message of bearable length.
SELECT length(outcome(format('SELECT lockstep.transfer(''accounts'', %L, ''2'', 1)', repeat('9', 1000)))) < 2000 AS bearable;
SELECT outcome(format('SELECT lockstep.transfer(''accounts'', %L, ''2'', 1)', repeat('9', 2000)));

-- Nothing was changed.
SELECT * FROM accounts ORDER BY id;
SELECT count(*) FROM accounts_journal;

-- Amounts in the table that are none: a null, a NaN, more digits than there are.
CREATE TABLE odd (id int PRIMARY KEY, balance numeric);
INSERT INTO odd VALUES (1, 100), (2, NULL), (3, 'NaN'), (4, 'Infinity'), (5, 1e40), (6, 1e37 * 9.9), (7, 9e131071);
SELECT lockstep.register_ledger('odd');
SELECT n, outcome(format('SELECT (lockstep.transfer(''odd'', 1, %s, 1)).to_balance', n)) FROM generate_series(2, 6) AS n;
SELECT n, outcome(format('SELECT (lockstep.transfer(''odd'', %s, 1, 1)).from_balance', n)) FROM generate_series(2, 6) AS n;
SELECT outcome('SELECT lockstep.transfer(''odd'', 1, 2, 1, on_refusal => ''return'')');
SELECT outcome('SELECT lockstep.adjust(''odd'', 7, 1e131071)');
SELECT outcome('SELECT lockstep.adjust(''odd'', 7, 1e131071, on_refusal => ''return'')');
SELECT violation, key, expected, found FROM lockstep.verify_ledger('odd');

-- Too large for the column: smallint, integer, bigint, numeric(p, s).
CREATE TABLE small (id int PRIMARY KEY, s smallint, i integer, b bigint, n numeric(3,-1), f numeric(2,4));
INSERT INTO small VALUES (1, 32767, 2147483647, 9223372036854775807, 9990, 0.0099), (2, 32767, 2147483647, 9223372036854775807, 9990, 0.0099);
CREATE FUNCTION try_amounts(c name, amounts numeric[]) RETURNS TABLE (amount numeric, outcome text) LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lockstep.drop_ledger(ledger, drop_journal => true) FROM lockstep.ledgers WHERE ledger = 'small'::regclass;
    PERFORM lockstep.register_ledger('small', amount => c, floor => NULL);
    RETURN QUERY SELECT a, outcome(format('SELECT concat_ws('' '', amount, from_balance, to_balance) FROM lockstep.transfer(''small'', 1, 2, %s)', a)) FROM unnest(amounts) AS a;
    RETURN QUERY SELECT a, outcome(format('SELECT concat_ws('' '', delta, balance) FROM lockstep.adjust(''small'', 1, -%s)', a)) FROM unnest(amounts) AS a;
END $$;
SELECT * FROM try_amounts('s', ARRAY[1, 1.0, 1.5, 32767, 32768]);
SELECT * FROM try_amounts('i', ARRAY[1, 2147483647, 2147483648]);
SELECT * FROM try_amounts('b', ARRAY[1, 9223372036854775807, 9223372036854775808]);
SELECT * FROM try_amounts('n', ARRAY[10, 1, 15, 9990, 10000]);
SELECT * FROM try_amounts('f', ARRAY[0.0001, 0.00001, 0.0099, 0.01]);

DROP FUNCTION outcome, try_amounts;
DROP VIEW looks;
DROP TABLE accounts, accounts_journal, plain, cases, odd, odd_journal, small, small_journal;
DROP EXTENSION lockstep;
