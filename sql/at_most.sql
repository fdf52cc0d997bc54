-- "All there is": at_most moves what the bounds let through, up to the amount. The journal keeps what was asked for, so that a
-- retry is the same request. Every call runs in both stores, and is undone but for the last: they must say the same.
CREATE EXTENSION lockstep;

CREATE FUNCTION asked(store text, statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text; detail text; hint text;
BEGIN
    PERFORM set_config('lockstep.store', store, true);
    EXECUTE statement INTO said;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN said;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE FUNCTION in_both(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    heap text; spi text;
BEGIN
    BEGIN
        heap := asked('heap', statement);
        RAISE EXCEPTION 'undone' USING ERRCODE = 'XX999';
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
    END;
    spi := asked('spi', statement);
    RETURN NEXT heap;
    IF spi IS DISTINCT FROM heap THEN
        RETURN NEXT 'spi: ' || spi;
    END IF;
END $$;
-- By name, so that a call has the same id each time; what is given beside that is of the call.
CREATE FUNCTION moved(arguments text, name text DEFAULT NULL, ledger text DEFAULT 'stock', more text DEFAULT ', at_most => true') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', status, sqlstate, amount, coalesce(from_balance::text, ''-''), coalesce(to_balance::text, ''-''))'
                       ' FROM lockstep.transfer(%L, %s, request_id => lockstep.request_id(%L)%s)', ledger, arguments, name, more))
$$;
CREATE FUNCTION adjusted(arguments text, name text DEFAULT NULL, ledger text DEFAULT 'stock', more text DEFAULT ', at_most => true') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', status, sqlstate, delta, coalesce(balance::text, ''-''))'
                       ' FROM lockstep.adjust(%L, %s, request_id => lockstep.request_id(%L)%s)', ledger, arguments, name, more))
$$;

CREATE TABLE stock (item text PRIMARY KEY, qty numeric(10,2) NOT NULL, least numeric DEFAULT 0, room numeric, version int NOT NULL DEFAULT 0, frozen boolean);
INSERT INTO stock VALUES ('bolt', 30, 0, NULL), ('nut', 50, 0, 60), ('rope', 7.5, 2.505, 9.999), ('old', 10, 0, NULL), ('debt', 5, NULL, NULL), ('none', 0, 0, 0);
UPDATE stock SET frozen = true WHERE item = 'old';
SELECT lockstep.register_ledger('stock', amount => 'qty', floor_column => 'least', ceiling_column => 'room', version_column => 'version', frozen_column => 'frozen');
SELECT store FROM lockstep.ledgers;

-- Down to the floor of the one, up to the ceiling of the other, or all that was asked for.
SELECT moved('''bolt''::text, ''debt'', 100', 'a');
SELECT moved('''debt''::text, ''nut'', 100', 'b');
SELECT moved('''debt''::text, ''bolt'', 7', 'c');
SELECT moved('''nut''::text, ''bolt'', 59.5', 'd');
SELECT adjusted('''bolt''::text, -100', 'e');
SELECT adjusted('''nut''::text, 100', 'f');
SELECT adjusted('''debt''::text, 100', 'g');
SELECT adjusted('''debt''::text, -1000', 'h');
-- Bounds that are finer than the column: what is moved fits into it.
SELECT adjusted('''rope''::text, 100', 'i');
SELECT adjusted('''rope''::text, -100', 'j');
SELECT * FROM stock ORDER BY item;
SELECT from_key, to_key, amount, at_most, from_balance, to_balance FROM stock_journal ORDER BY entry;

-- A retry is answered as the first time, whatever is there by now; the request is what was asked for.
SELECT moved('''bolt''::text, ''debt'', 100', 'a');
SELECT moved('''bolt''::text, ''debt'', 100.0', 'a');
SELECT adjusted('''rope''::text, -100', 'j');
SELECT moved('''bolt''::text, ''debt'', 30', 'a');
SELECT moved('''bolt''::text, ''debt'', 30', 'a', more => '');
SELECT moved('''bolt''::text, ''debt'', 100', 'a', more => '');
SELECT moved('''bolt''::text, ''nut'', 100', 'a');
SELECT adjusted('''rope''::text, -5', 'j');
SELECT adjusted('''rope''::text, -100', 'j', more => '');
SELECT adjusted('''rope''::text, 100', 'j');
-- One that moved all it was asked for is not the plain one either, nor the other way round.
SELECT moved('''debt''::text, ''bolt'', 7', 'c', more => '');
SELECT adjusted('''bolt''::text, 3', 'k', more => '');
SELECT adjusted('''bolt''::text, 3', 'k');
SELECT in_both('SELECT status FROM lockstep.transfer_batch(''stock'', ARRAY[''bolt''], ARRAY[''debt''], ARRAY[100], ARRAY[lockstep.request_id(''a'')])');
SELECT in_both('SELECT status FROM lockstep.adjust_batch(''stock'', ARRAY[''bolt''], ARRAY[3], ARRAY[lockstep.request_id(''k'')])');

-- Nothing there to move: the floor's refusal, or the ceiling's where that is what leaves nothing.
SELECT moved('''none''::text, ''bolt'', 5');
SELECT moved('''bolt''::text, ''none'', 5');
SELECT moved('''none''::text, ''nut'', 5');
SELECT adjusted('''rope''::text, -0.01');
SELECT adjusted('''nut''::text, 59.5');
SELECT adjusted('''nut''::text, 0.01');
SELECT moved('''bolt''::text, ''nut'', 100');
SELECT moved('''nobody''::text, ''nut'', 100');
SELECT moved('''none''::text, ''nobody'', 100');
SELECT moved('''none''::text, ''old'', 100');
SELECT adjusted('''old''::text, -100');
SELECT adjusted('''none''::text, -100', more => ', at_most => true, expected_version => 3');
SELECT adjusted('''none''::text, -100', more => ', at_most => true, expected_version => 0');
-- Kept, with what was asked for.
SELECT moved('''none''::text, ''bolt'', 5', 'l', more => ', at_most => true, on_refusal => ''return''');
SELECT moved('''bolt''::text, ''nut'', 500', 'm', more => ', at_most => true, on_refusal => ''return''');
SELECT adjusted('''none''::text, -5', 'n', more => ', at_most => true, on_refusal => ''return''');
SELECT adjusted('''none''::text, 5', 'o', more => ', on_refusal => ''return''');
SELECT adjusted('''none''::text, -5', 'n', more => ', at_most => true, on_refusal => ''return''');
SELECT adjusted('''none''::text, -5', 'n');
SELECT adjusted('''none''::text, -6', 'n');
SELECT adjusted('''none''::text, -5', 'n', more => ', on_refusal => ''return''');
SELECT from_key, to_key, amount, at_most, refusal FROM stock_journal WHERE refusal IS NOT NULL ORDER BY entry;
-- What may not be asked for.
SELECT moved('''bolt''::text, ''debt'', 0');
SELECT moved('''bolt''::text, ''debt'', 0.001');
SELECT adjusted('''bolt''::text, 0');
SELECT adjusted('''bolt''::text, -1e9');
SELECT moved('''bolt''::text, ''debt'', 1', more => ', at_most => NULL');
SELECT adjusted('''bolt''::text, 1', more => ', at_most => NULL');
SELECT * FROM stock ORDER BY item;
SELECT * FROM lockstep.verify_ledger('stock');

-- Whole numbers, and what the column cannot hold is no bound.
CREATE TABLE small (id int PRIMARY KEY, balance smallint NOT NULL);
INSERT INTO small VALUES (1, 30000), (2, 32000), (3, 10);
SELECT lockstep.register_ledger('small', floor => 0.5, ceiling => NULL);
SELECT moved('1, 2, 5000', 'a', 'small');
SELECT adjusted('3, -32767', 'b', 'small');
SELECT adjusted('3, -1', 'c', 'small');
-- Multiples of a hundred.
CREATE TABLE hundreds (id int PRIMARY KEY, balance numeric(4,-2) NOT NULL);
INSERT INTO hundreds VALUES (1, 1000), (2, 0);
SELECT lockstep.register_ledger('hundreds', floor => 150, ceiling => 1950);
SELECT adjusted('1, -1000', 'a', 'hundreds');
SELECT adjusted('2, 5000', 'b', 'hundreds');
-- Any decimals; more of them than there are digits for.
CREATE TABLE free (id int PRIMARY KEY, balance numeric NOT NULL, least numeric, most numeric);
INSERT INTO free VALUES (1, 10, 0.00001, NULL), (2, 1, NULL, 1.5), (3, 1e30, 1e-10, NULL), (4, 0, NULL, 9e37), (5, -9e37, NULL, 9e37);
SELECT lockstep.register_ledger('free', floor_column => 'least', ceiling_column => 'most');
SELECT moved('1, 2, 0.3', 'a', 'free');
SELECT moved('1, 2, 10', 'b', 'free');
SELECT adjusted('1, -10', 'c', 'free');
SELECT adjusted('3, -2e30', 'd', 'free');
SELECT adjusted('3, -1e29', 'e', 'free');
SELECT adjusted('5, 9e37', 'f', 'free');
SELECT adjusted('4, 9.5e37', 'g', 'free');
SELECT * FROM lockstep.verify_ledger('small') UNION ALL SELECT * FROM lockstep.verify_ledger('hundreds') UNION ALL SELECT * FROM lockstep.verify_ledger('free');

-- A trigger that takes more of a row than was reckoned is refused, as for any movement.
CREATE FUNCTION tax() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.qty := NEW.qty - 1; RETURN NEW; END $$;
CREATE TRIGGER tax BEFORE UPDATE ON stock FOR EACH ROW EXECUTE FUNCTION tax();
SELECT asked('auto', 'SELECT status FROM lockstep.adjust(''stock'', ''bolt''::text, -1000, at_most => true)');
SELECT asked('auto', 'SELECT status FROM lockstep.adjust(''stock'', ''bolt''::text, -1, at_most => true)');
DROP TRIGGER tax ON stock;

-- A journal of the first version goes on, and says what it cannot keep; register_ledger mends that.
ALTER TABLE small_journal DROP COLUMN at_most;
UPDATE lockstep.registration SET journal_version = 1 WHERE ledger = 'small'::regclass;
\c
SELECT status, amount FROM lockstep.transfer('small', 2, 1, 5);
SELECT item, status FROM lockstep.transfer_batch('small', ARRAY[2, 1, 2], ARRAY[1, 2, NULL], ARRAY[5, 6, 7]);
SELECT moved('2, 1, 5', 'd', 'small', more => '');
SELECT moved('2, 1, 5', 'd', 'small', more => '');
SELECT moved('2, 1, 5', 'd', 'small');
SELECT moved('2, 1, 5', 'e', 'small');
SELECT adjusted('2, -5', 'f', 'small');
SELECT * FROM lockstep.verify_ledger('small');
SELECT lockstep.register_ledger('small', floor => 0.5, ceiling => NULL);
SELECT moved('2, 1, 5', 'd', 'small');
SELECT moved('1, 3, 32767', 'e', 'small');
SELECT adjusted('2, -32767', 'f', 'small');
SELECT from_key, amount, at_most FROM small_journal WHERE at_most IS NOT NULL ORDER BY entry;
SELECT col_description('small_journal'::regclass, attnum) FROM pg_attribute WHERE attrelid = 'small_journal'::regclass AND attname = 'at_most';
SELECT store FROM lockstep.store_of('small');
SELECT * FROM lockstep.verify_ledger('small');
-- It is told by no trigger, and its column is not done without.
CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.at_most := 1; RETURN NEW; END $$;
CREATE TRIGGER forge BEFORE INSERT ON small_journal FOR EACH ROW EXECUTE FUNCTION forge();
SELECT asked('auto', 'SELECT status FROM lockstep.adjust(''small'', 1, 5)');
DROP TRIGGER forge ON small_journal;
ALTER TABLE small_journal DROP COLUMN at_most;
SELECT asked('auto', 'SELECT status FROM lockstep.adjust(''small'', 1, 5)');
SELECT asked('auto', 'SELECT lockstep.register_ledger(''small'')');

DROP TABLE stock, stock_journal, small, small_journal, hundreds, hundreds_journal, free, free_journal;
DROP FUNCTION asked, in_both, moved, adjusted, tax, forge;
DROP EXTENSION lockstep;
