-- What a row or the journal keeps is not the request's fault: amounts that Lockstep cannot reckon with are 22003 and
-- say where they are, and what it can is answered as the column shows it.
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
-- The same by each store.
CREATE FUNCTION by_each_store(statement text) RETURNS TABLE (store text, answer text) LANGUAGE plpgsql AS $$
BEGIN
    FOREACH store IN ARRAY ARRAY['heap', 'spi', 'spi_by_key'] LOOP
        PERFORM set_config('lockstep.store', store, true);
        answer := outcome(statement);
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('lockstep.store', 'auto', true);
END $$;
SET client_min_messages = error;

-- Rows 1 to 3 have more digits than money, or are no number; bounds of rows 4 and 5 are such.
CREATE TABLE wide (id int PRIMARY KEY, balance numeric(40, 2) NOT NULL, lo numeric, hi numeric);
INSERT INTO wide VALUES (1, 12345678901234567890123456789012345678.50, NULL, NULL),
    (2, -12345678901234567890123456789012345678.50, NULL, NULL),
    (3, 'NaN', NULL, NULL), (4, 0, 'NaN', NULL), (5, 0, NULL, 1e38), (6, 0, NULL, NULL), (7, 0, NULL, NULL), (8, 0, NULL, NULL);
SELECT lockstep.register_ledger('wide', floor_column => 'lo', ceiling_column => 'hi');
SELECT key, by_each_store(format('SELECT (lockstep.adjust(''wide'', %s, 1)).status', key)) AS adjusted FROM generate_series(1, 5) AS key;
SELECT by_each_store('SELECT (lockstep.transfer(''wide'', 6, 3, 1, on_refusal => ''return'')).status');
-- A batch says which item asks for the row first.
SELECT by_each_store('SELECT string_agg(status, '','') FROM lockstep.transfer_batch(''wide'', ARRAY[6, 1, 6], ARRAY[7, 6, 1], ARRAY[1, 1, 1])');
SELECT by_each_store('SELECT string_agg(status, '','') FROM lockstep.transfer_batch(''wide'', ARRAY[6, 7], ARRAY[8, 3], ARRAY[1, 1], atomic => false)');
CREATE TABLE plain (id int PRIMARY KEY, balance numeric);
INSERT INTO plain VALUES (1, 'Infinity'), (2, '-Infinity'), (3, 1e-39), (4, 0);
SELECT lockstep.register_ledger('plain');
SELECT key, by_each_store(format('SELECT (lockstep.transfer(''plain'', 4, %s, 1)).status', key)) AS moved FROM generate_series(1, 3) AS key;
-- What the request asks for is the request's fault, as ever.
SELECT outcome('SELECT lockstep.adjust(''plain'', 4, 1e-39)'), outcome('SELECT lockstep.adjust(''plain'', 4, ''NaN'')');

-- The journal: a balance is told as it stands, and an amount that is none says whose it is.
INSERT INTO plain VALUES (5, 10);
SELECT status, from_balance FROM lockstep.transfer('plain', 5, 4, 1, '00000000-0000-0000-0000-000000000001');
ALTER TABLE plain_journal DISABLE TRIGGER USER;
UPDATE plain_journal SET from_balance = 'NaN';
SELECT status, amount, from_balance FROM lockstep.transfer('plain', 5, 4, 1, '00000000-0000-0000-0000-000000000001');
UPDATE plain_journal SET amount = 'NaN';
SELECT outcome('SELECT lockstep.transfer(''plain'', 5, 4, 1, ''00000000-0000-0000-0000-000000000001'')');

-- Answers and journal have the column's decimals, also where money has not the digits for them; a replay tells the same.
CREATE TABLE decimals (id int PRIMARY KEY, balance numeric(50, 12) NOT NULL);
INSERT INTO decimals VALUES (1, 99999999999999999999999999999999999999), (2, 0), (3, 5);
SELECT lockstep.register_ledger('decimals', floor => -100);
SELECT store, answer FROM by_each_store('SELECT concat_ws('','', status, amount, from_balance, to_balance) FROM lockstep.transfer(''decimals'', 1, 2, 1, md5(current_setting(''lockstep.store''))::uuid)');
SELECT by_each_store('SELECT string_agg(concat_ws('','', from_balance, to_balance), '' '') FROM lockstep.transfer_batch(''decimals'', ARRAY[1, 1], ARRAY[2, 3], ARRAY[1, 2.5])');
SELECT by_each_store('SELECT concat_ws('','', status, sqlstate, delta, balance) FROM lockstep.adjust(''decimals'', 1, -10000000000000000000000000000000)');
SELECT by_each_store('SELECT concat_ws('','', status, sqlstate, delta, balance) FROM lockstep.adjust(''decimals'', 2, -1000, on_refusal => ''return'')');
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('decimals', 1, 2, 1, md5('spi')::uuid);
SELECT DISTINCT scale(amount) AS amount, scale(from_balance) AS from_balance, scale(to_balance) AS to_balance FROM decimals_journal ORDER BY 1, 2, 3;
SELECT * FROM decimals ORDER BY id;
-- What was booked with other decimals is told as it was.
ALTER TABLE decimals ALTER balance TYPE numeric(50, 10);
SELECT status, amount, from_balance, to_balance FROM lockstep.transfer('decimals', 1, 2, 1, md5('spi')::uuid);
SELECT * FROM lockstep.verify_ledger('decimals');

-- Registration says what will not fit: it warns of just those types whose largest value no movement can reckon with.
SET client_min_messages = warning;
CREATE FUNCTION largest_fits(p int, s int) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    ledger text := format('numeric(%s,%s)', p, s);
BEGIN
    EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, balance %s)', ledger, ledger);
    EXECUTE format('INSERT INTO %I VALUES (1, %L::numeric - %L::numeric)', ledger, '1e' || p - s, '1e' || -s);
    PERFORM lockstep.register_ledger(quote_ident(ledger)::regclass);
    RETURN outcome(format('SELECT (lockstep.adjust(%L, 1, -1e%s)).status', quote_ident(ledger), -least(s, 38)));
END $$;
SELECT largest_fits(38, 0), largest_fits(38, 2), largest_fits(38, 38), largest_fits(3, 38), largest_fits(30, -8);
SELECT largest_fits(39, 0);
SELECT largest_fits(78, 0);
SELECT largest_fits(40, 2);
SELECT largest_fits(3, 39);
SELECT largest_fits(30, -9);
-- Bounds by row and domains too, each time; and no other type.
CREATE DOMAIN tokens AS numeric(78, 0);
CREATE TABLE bounded (id int PRIMARY KEY, balance tokens, lo numeric(39, 0), hi tokens, free numeric, whole bigint);
SELECT lockstep.register_ledger('bounded', floor_column => 'lo', ceiling_column => 'hi');
SELECT lockstep.register_ledger('bounded', amount => 'free', floor_column => 'whole');
SELECT lockstep.register_ledger('bounded', amount => 'whole');
\set VERBOSITY sqlstate
SELECT lockstep.register_ledger('bounded');
\set VERBOSITY default
-- What cannot be registered is not warned of.
SELECT lockstep.register_ledger('bounded', frozen_column => 'whole');

DROP TABLE bounded, bounded_journal, "numeric(38,0)", "numeric(38,0)_journal", "numeric(38,2)", "numeric(38,2)_journal", "numeric(38,38)",
    "numeric(38,38)_journal", "numeric(3,38)", "numeric(3,38)_journal", "numeric(30,-8)", "numeric(30,-8)_journal", "numeric(39,0)",
    "numeric(39,0)_journal", "numeric(78,0)", "numeric(78,0)_journal", "numeric(40,2)", "numeric(40,2)_journal", "numeric(3,39)",
    "numeric(3,39)_journal", "numeric(30,-9)", "numeric(30,-9)_journal";
DROP DOMAIN tokens;
DROP TABLE wide, wide_journal, plain, plain_journal, decimals, decimals_journal;
DROP FUNCTION largest_fits, by_each_store, outcome;
DROP EXTENSION lockstep;
