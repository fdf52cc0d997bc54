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

-- A version that its column cannot keep names the item too.
CREATE TABLE versions (id int PRIMARY KEY, balance int, version smallint);
INSERT INTO versions VALUES (1, 10, 32767), (2, 10, 1), (3, 10, 1);
SELECT lockstep.register_ledger('versions', version_column => 'version');
SELECT by_each_store('SELECT string_agg(status, '','') FROM lockstep.transfer_batch(''versions'', ARRAY[2, 3], ARRAY[3, 1], ARRAY[1, 1])');

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

DROP TABLE wide, wide_journal, plain, plain_journal, versions, versions_journal, decimals, decimals_journal;
DROP FUNCTION by_each_store, outcome;
DROP EXTENSION lockstep;
