-- What a row or the journal keeps is not the request's fault: what is no finite number is 22003 and says where it is.
-- Amounts of any number of digits are reckoned with, and answered as the column shows them.
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

-- Row 3 is no number, nor is a bound of row 4; rows 1, 2 and 5 have more digits than 128 bits.
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
-- What the request asks for is the request's fault, as ever; the smallest amount is one.
SELECT outcome('SELECT (lockstep.adjust(''plain'', 4, 1e-39)).balance'), outcome('SELECT lockstep.adjust(''plain'', 4, ''NaN'')');

-- The journal: a balance is told as it stands, and an amount that is none says whose it is.
INSERT INTO plain VALUES (5, 10);
SELECT status, from_balance FROM lockstep.transfer('plain', 5, 4, 1, '00000000-0000-0000-0000-000000000001');
ALTER TABLE plain_journal DISABLE TRIGGER USER;
UPDATE plain_journal SET from_balance = 'NaN';
SELECT status, amount, from_balance FROM lockstep.transfer('plain', 5, 4, 1, '00000000-0000-0000-0000-000000000001');
UPDATE plain_journal SET amount = 'NaN';
SELECT outcome('SELECT lockstep.transfer(''plain'', 5, 4, 1, ''00000000-0000-0000-0000-000000000001'')');

-- Answers and journal have the column's decimals, also of 50 digits; a replay tells the same.
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

-- Whatever a column can hold is moved, to the last digit: a token's 256 bits, a thousand digits, none of them before the
-- point; and one more is out of the range of the column, which is the row's to tell.
CREATE FUNCTION to_the_last_digit(p int, s int) RETURNS TABLE (store text, answer text) LANGUAGE plpgsql AS $$
DECLARE
    ledger text := format('numeric(%s,%s)', p, s);
    least numeric := '1e' || -s;
    most numeric := ('1e' || p - s)::numeric - least;
BEGIN
    EXECUTE format('CREATE TABLE %I (id int PRIMARY KEY, balance %s)', ledger, ledger);
    EXECUTE format('INSERT INTO %I VALUES (1, %L), (2, 0), (3, 0)', ledger, most);
    PERFORM lockstep.register_ledger(quote_ident(ledger)::regclass);
    FOREACH store IN ARRAY ARRAY['heap', 'spi', 'spi_by_key'] LOOP
        PERFORM set_config('lockstep.store', store, true);
        answer := outcome(format('SELECT from_balance = %L::numeric - %L AND to_balance = %2$L FROM lockstep.transfer(%3$L, 1, 2, %2$L)', most, least, quote_ident(ledger)));
        answer := concat_ws('; ', answer, outcome(format('SELECT bool_and(from_balance IN (0, %L::numeric)) FROM lockstep.transfer_batch(%L, ARRAY[2, 1, 3], ARRAY[1, 3, 1], ARRAY[%1$L, %3$L, %3$L]::numeric[])', least, quote_ident(ledger), most)));
        answer := concat_ws('; ', answer, replace(outcome(format('SELECT (lockstep.adjust(%L, 1, %L)).status', quote_ident(ledger), least)), quote_ident(ledger), 'x'));
        RETURN NEXT;
    END LOOP;
    PERFORM set_config('lockstep.store', 'auto', true);
    EXECUTE format('SELECT %L || string_agg(id::text, %L ORDER BY id) FROM %I WHERE balance = CASE id WHEN 1 THEN %L::numeric ELSE 0 END', 'rows as before: ', ',', ledger, most) INTO answer;
    store := ledger || ' ' || (SELECT count(*) || ' violations' FROM lockstep.verify_ledger(quote_ident(ledger)::regclass));
    RETURN NEXT;
    EXECUTE format('DROP TABLE %I, %I', ledger, ledger || '_journal');
END $$;
SELECT f.* FROM (VALUES (38, 0), (38, 38), (39, 0), (39, 38), (40, 2), (78, 0), (78, 18), (3, 39), (30, -9), (1000, 0), (1000, 1000), (2, 500)) AS types (p, s), to_the_last_digit(p, s) AS f;
-- Without limits: as far as numeric goes. A long amount is not spelled out.
CREATE TABLE endless (id int PRIMARY KEY, balance numeric);
INSERT INTO endless VALUES (1, 1e131071), (2, 0);
SELECT lockstep.register_ledger('endless', ceiling => 1e200);
SELECT by_each_store('SELECT concat_ws('' '', status, (1e131071 - from_balance) / 1e199, to_balance / 1e199) FROM lockstep.transfer(''endless'', 1, 2, 1e199)');
SELECT by_each_store('SELECT (lockstep.transfer(''endless'', 1, 2, 1e200)).status');
SELECT by_each_store('SELECT (lockstep.transfer(''endless'', 2, 1, 1e131071)).status');
SELECT outcome('SELECT lockstep.register_ledger(''endless'', ceiling => NULL)');
UPDATE endless SET balance = 9e131071 WHERE id = 1;
SELECT outcome('SELECT lockstep.register_ledger(''endless'', ceiling => NULL, floor => NULL)');
SELECT by_each_store('SELECT (lockstep.transfer(''endless'', 2, 1, 1e131071)).status');
SELECT outcome('SELECT (lockstep.adjust(''endless'', 2, 1e-16383)).balance = 3e199 + 1e-16383'), outcome('SELECT (lockstep.adjust(''endless'', 2, -1e131071, on_refusal => ''return'')).status');

DROP TABLE endless, endless_journal;
DROP TABLE wide, wide_journal, plain, plain_journal, decimals, decimals_journal;
DROP FUNCTION to_the_last_digit, by_each_store, outcome;
DROP EXTENSION lockstep;
