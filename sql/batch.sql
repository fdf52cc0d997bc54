-- transfer_batch: what each item is told, and what a whole call is refused for. Every call runs in both
-- stores, by keys too, and is undone but for the last: they must say the same.
CREATE EXTENSION lockstep;

CREATE FUNCTION asked(store text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    line text; lines text[] := '{}'; detail text; hint text;
BEGIN
    PERFORM set_config('lockstep.store', store, true);
    FOR line IN EXECUTE statement LOOP
        lines := lines || line;
    END LOOP;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN lines;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN ARRAY[concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''))];
END $$;
CREATE FUNCTION in_both(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    heap text[]; by_key text[]; spi text[];
BEGIN
    BEGIN
        heap := asked('heap', statement);
        RAISE EXCEPTION 'undone' USING ERRCODE = 'XX999';
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
    END;
    BEGIN
        by_key := asked('spi_by_key', statement);
        RAISE EXCEPTION 'undone' USING ERRCODE = 'XX999';
    EXCEPTION WHEN SQLSTATE 'XX999' THEN
    END;
    spi := asked('spi', statement);
    IF heap IS DISTINCT FROM spi OR by_key IS DISTINCT FROM spi THEN
        RETURN NEXT 'heap: ' || heap::text;
        RETURN NEXT 'spi: ' || spi::text;
        RETURN NEXT 'spi_by_key: ' || by_key::text;
    ELSE
        RETURN QUERY SELECT unnest(heap);
    END IF;
END $$;
-- A batch by its arguments; ids by name, so that they are the same each time.
CREATE FUNCTION batch(arguments text, atomic boolean DEFAULT true, ledger text DEFAULT 'accounts') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', item, status, sqlstate, coalesce(from_balance::text, ''-''), coalesce(to_balance::text, ''-''))'
                       ' FROM lockstep.transfer_batch(%L, %s, atomic => %L) ORDER BY item', ledger, arguments, atomic))
$$;
CREATE FUNCTION ids(VARIADIC names text[]) RETURNS uuid[] LANGUAGE sql AS $$
    SELECT array_agg(lockstep.request_id(name) ORDER BY n) FROM unnest(names) WITH ORDINALITY AS u(name, n)
$$;

CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, room numeric, version int NOT NULL DEFAULT 0, frozen boolean);
INSERT INTO accounts VALUES (1, 100, NULL, 0, NULL), (2, 50, 60, 0, NULL), (3, 0, NULL, 0, false), (4, 10, NULL, 7, true);
SELECT lockstep.register_ledger('accounts', ceiling_column => 'room', version_column => 'version', frozen_column => 'frozen');
SELECT store, store_reason FROM lockstep.ledgers;

-- Items see what the ones before them did; each row is written once.
SELECT batch('ARRAY[1, 1, 3], ARRAY[3, 2, 2], ARRAY[30, 5, 1.5], ids(''a'', ''b'', ''c'')');
SELECT * FROM accounts ORDER BY id;
SELECT from_key, to_key, amount, from_balance, to_balance FROM accounts_journal ORDER BY entry;
SELECT count(DISTINCT booked_at) AS moments, count(DISTINCT xmin::text) AS transactions FROM accounts_journal;

-- Replayed as a whole, in part, and twice in one batch.
SELECT batch('ARRAY[1, 1, 3], ARRAY[3, 2, 2], ARRAY[30, 5, 1.5], ids(''a'', ''b'', ''c'')');
SELECT batch('ARRAY[3, 1, 3, 3], ARRAY[1, 2, 1, 2], ARRAY[2, 5, 2.0, 0.5], ids(''d'', ''b'', ''d'', ''e'')');
SELECT id, balance, version FROM accounts ORDER BY id;

-- Refusals: all or nothing ...
SELECT batch('ARRAY[1, 3, 1], ARRAY[3, 1, 2], ARRAY[1, 500, 1], ids(''f'', ''g'', ''h'')');
SELECT batch('ARRAY[1], ARRAY[99], ARRAY[1]');
SELECT batch('ARRAY[1], ARRAY[4], ARRAY[1]');
SELECT batch('ARRAY[3, 1], ARRAY[1, 2], ARRAY[1, 50]');
SELECT count(*) FROM accounts_journal;
-- ... or the rest goes through. A dip below the floor counts, also where the net would not dip.
SELECT batch('ARRAY[1, 3, 99, 4, 1, 3, 1], ARRAY[3, 1, 1, 1, 4, 2, 2], ARRAY[1, 500, 1, 1, 1, 20, 1], ids(''f'', ''g'', ''h'', ''i'', ''j'', ''k'', ''l'')', false);
SELECT id, balance, version FROM accounts ORDER BY id;
-- A kept refusal is for good, also where the money would be there now, and where the batch would stop.
SELECT batch('ARRAY[3, 3, 1], ARRAY[1, 1, 3], ARRAY[500, 500, 1], ids(''g'', ''g'', ''m'')', false);
SELECT batch('ARRAY[3], ARRAY[1], ARRAY[500], ids(''g'')');
-- An item that was refused and comes twice.
SELECT batch('ARRAY[3, 3], ARRAY[1, 1], ARRAY[700, 700], ids(''n'', ''n'')', false);

-- The same id with other content: in one batch, and in the journal.
SELECT batch('ARRAY[1, 1], ARRAY[2, 2], ARRAY[1, 2], ids(''x'', ''x'')', false);
SELECT batch('ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1], ids(''x'', ''x'')');
SELECT batch('ARRAY[1, 1], ARRAY[2, 3], ARRAY[1, 1], ids(''x'', ''x'')');
SELECT batch('ARRAY[1, 1], ARRAY[2, 3], ARRAY[1, 31], ids(''x'', ''a'')', false);
SELECT batch('ARRAY[1, 1], ARRAY[2, 2], ARRAY[1, 30], ids(''x'', ''a'')');

-- Ids of the server's own: none at all, or none for an item.
SELECT batch('ARRAY[1, 1], ARRAY[3, 3], ARRAY[0.25, 0.25]');
SELECT batch('ARRAY[1, 1], ARRAY[3, 3], ARRAY[0.25, 0.25], ARRAY[NULL, lockstep.request_id(''o'')]');
SELECT count(*), count(DISTINCT request_id) FROM accounts_journal;
SELECT * FROM lockstep.verify_ledger('accounts');

-- Shapes. Nothing is locked or written for any of these.
SELECT count(*) AS before FROM accounts_journal \gset
SELECT batch('ARRAY[]::int[], ARRAY[]::int[], ARRAY[]::numeric[]');
SELECT batch('ARRAY[]::int[], ARRAY[]::int[], ARRAY[]::numeric[], ARRAY[]::uuid[]', false);
SELECT batch('ARRAY[1, 2], ARRAY[3], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 1], ids(''p'')');
SELECT batch('ARRAY[1, NULL], ARRAY[3, NULL], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, NULL]');
SELECT batch('NULL::int[], ARRAY[3, 3], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], NULL::int[], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], NULL');
SELECT batch('ARRAY[[1, 2]], ARRAY[[3, 3]], ARRAY[[1, 1]]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 1], ARRAY[ids(''p'', ''q'')]');
SELECT batch('''[5:6]={1,2}''::int[], ''[-1:0]={3,3}''::int[], ARRAY[0.01, 0.02], ids(''r'', ''s'')');
SELECT batch('ARRAY[1, 2], ARRAY[3, 2], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 0]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, -1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 0.001]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, ''NaN'']::numeric[]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, ''Infinity'']::numeric[]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 1e10]');
SELECT batch('ARRAY[''1'', ''two''], ARRAY[''3'', ''3''], ARRAY[1, 1]');
SELECT batch('ARRAY[1.5, 2], ARRAY[3, 3], ARRAY[1, 1]');
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 1]', NULL);
SELECT batch('ARRAY[1, 2], ARRAY[3, 3], ARRAY[1, 1]', true, 'pg_class');
SELECT in_both('SELECT lockstep.transfer_batch(NULL, ARRAY[1], ARRAY[2], ARRAY[1])');
SELECT count(*) - :before AS written FROM accounts_journal;

-- Keys as drivers send them.
SELECT batch('''{1,2}'', ''{3,3}'', ''{0.01,0.02}'', ids(''t'', ''u'')');
SELECT batch('ARRAY[''1'', ''2'']::text[], ARRAY[3, 3]::text[], ARRAY[0.01, 0.02], ids(''t'', ''u'')');
SELECT batch('ARRAY[1, 2]::smallint[], ARRAY[3, 3]::smallint[], ARRAY[0.01, 0.02], ids(''t'', ''u'')');
PREPARE untyped AS SELECT item, status, from_balance FROM lockstep.transfer_batch('accounts', $1, $2, $3, $4);
EXECUTE untyped('{1,2}', '{3,3}', '{0.01,0.02}', ids('t', 'u'));
DEALLOCATE untyped;

-- Sums that a column cannot hold end the whole call; a bound speaks first.
CREATE TABLE small (id text PRIMARY KEY, points smallint NOT NULL, most int, v smallint NOT NULL DEFAULT 32766);
INSERT INTO small VALUES ('bank', 32767, NULL), ('full', 32760, NULL), ('bound', 32760, 32761);
SELECT lockstep.register_ledger('small', amount => 'points', ceiling_column => 'most', version_column => 'v');
SELECT batch('ARRAY[''bank'', ''bank''], ARRAY[''bound'', ''full''], ARRAY[1, 8]', false, 'small');
SELECT batch('ARRAY[''bank''], ARRAY[''bound''], ARRAY[2]', false, 'small');
SELECT batch('ARRAY[''bank'', ''bank''], ARRAY[''full'', ''full''], ARRAY[1, 1]', false, 'small');
SELECT * FROM small ORDER BY id;

-- One transaction, one row version a row, one transaction id, one for the savepoint and one for the journal, however many items. The rest of the
-- transaction sees it; a savepoint takes it back.
CREATE TABLE many (id int PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO many SELECT g, 1000 FROM generate_series(1, 100) AS g;
SELECT lockstep.register_ledger('many');
BEGIN;
SELECT pg_current_xact_id() AS xid \gset
SELECT status, count(*) FROM lockstep.transfer_batch('many', ARRAY(SELECT 1 + g % 100 FROM generate_series(1, 5000) AS g),
    ARRAY(SELECT 1 + (g + 1) % 100 FROM generate_series(1, 5000) AS g), ARRAY(SELECT 1 + g % 7 FROM generate_series(1, 5000) AS g)) GROUP BY 1;
SELECT sum(balance), count(*) FILTER (WHERE xmin::text = :'xid') AS by_this FROM many;
SELECT count(*), count(DISTINCT xmin::text) AS transactions FROM many_journal;
SAVEPOINT before;
SELECT count(*) FROM lockstep.transfer_batch('many', ARRAY[1], ARRAY[2], ARRAY[3]);
ROLLBACK TO before;
SELECT count(*) FROM many_journal;
COMMIT;
SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint - :xid AS ids_used;
SELECT * FROM lockstep.verify_ledger('many');

-- A large batch is written to the journal before its ids are looked up. Where one of them is known already, what was written
-- is taken back: the item is replayed, also where it would be refused by now.
CREATE TABLE large (id int PRIMARY KEY, balance bigint NOT NULL);
INSERT INTO large VALUES (1, 100), (2, 0), (3, 0);
SELECT lockstep.register_ledger('large');
CREATE FUNCTION in_large(takers int[], name text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', b.status, b.sqlstate, count(*), min(b.from_balance), max(b.from_balance))'
        ' FROM lockstep.transfer_batch(''large'', array_fill(1, ARRAY[100]), %L::int[], array_fill(1, ARRAY[100]),'
        ' (SELECT array_agg(lockstep.request_id(CASE n WHEN 50 THEN ''known'' ELSE %L || n END) ORDER BY n) FROM generate_series(1, 100) AS n)) AS b'
        ' GROUP BY b.status, b.sqlstate ORDER BY 1', takers, name))
$$;
SELECT status FROM lockstep.transfer('large', 1, 2, 1, lockstep.request_id('known'));
SELECT in_large(array_fill(2, ARRAY[100]), 'first');
SELECT count(*), count(DISTINCT entry), min(from_balance) FROM large_journal;
SELECT in_large(array_fill(2, ARRAY[100]), 'second');
SELECT in_large(array_fill(2, ARRAY[100]), 'first');
SELECT in_large(array_fill(3, ARRAY[100]), 'first');
SELECT * FROM large ORDER BY id;
-- An error on the way there is the caller's, who may catch it and go on.
CREATE FUNCTION meddles_with_keys(a int, b int) RETURNS int LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('regress.meddle', true) = 'on' THEN
        RAISE EXCEPTION 'no order today';
    END IF;
    RETURN sign(a - b);
END $$;
CREATE OPERATOR CLASS moody FOR TYPE int USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 meddles_with_keys(int, int);
CREATE INDEX ON large_journal (to_key moody);
SELECT store FROM lockstep.ledgers WHERE ledger = 'large'::regclass;
SELECT status FROM lockstep.adjust('large', 1, 1000);
DO $$
BEGIN
    BEGIN
        PERFORM set_config('regress.meddle', 'on', true);
        PERFORM lockstep.transfer_batch('large', array_fill(1, ARRAY[100]), array_fill(3, ARRAY[100]), array_fill(1, ARRAY[100]));
    EXCEPTION WHEN raise_exception THEN
        RAISE NOTICE 'caught: %', SQLERRM;
    END;
    PERFORM set_config('regress.meddle', 'off', true);
    PERFORM lockstep.transfer_batch('large', array_fill(1, ARRAY[100]), array_fill(3, ARRAY[100]), array_fill(2, ARRAY[100]));
END $$;
SELECT l.balance, count(*) AS booked FROM large AS l, large_journal AS j WHERE l.id = 3 AND j.to_key = 3 GROUP BY 1;
DROP OPERATOR FAMILY moody USING btree CASCADE;

-- A million.
SELECT status, count(*), max(item) FROM lockstep.transfer_batch('many', array_fill(1, ARRAY[1000000]), array_fill(2, ARRAY[1000000]),
    array_fill(0.001::numeric + 0.999, ARRAY[1000000]), atomic => false) GROUP BY 1 ORDER BY 1;
SELECT sum(balance) FROM many;

-- Two calls in one statement, and rows that the same statement has changed.
SELECT a.status, b.status, b.from_balance FROM lockstep.transfer_batch('many', ARRAY[3], ARRAY[4], ARRAY[1]) AS a,
    LATERAL lockstep.transfer_batch('many', ARRAY[3], ARRAY[4], ARRAY[a.item]) AS b;

-- Where the heap store does not serve.
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$;
CREATE FUNCTION tax() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.balance := NEW.balance - 1; RETURN NEW; END $$;
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TABLE owners (id int PRIMARY KEY);
CREATE TABLE children (many int REFERENCES many);
ALTER TABLE many ADD COLUMN owner int REFERENCES owners;
SELECT * FROM lockstep.store_of('many');
ALTER TABLE many ADD COLUMN twice bigint GENERATED ALWAYS AS (balance * 2) STORED;
SELECT * FROM lockstep.store_of('many');
SELECT batch('ARRAY[5, 6], ARRAY[7, 7], ARRAY[1, 2]', true, 'many');
SELECT id, balance, twice FROM many WHERE id IN (5, 6, 7) ORDER BY id;
ALTER TABLE many DROP COLUMN twice;
ALTER TABLE many ENABLE ROW LEVEL SECURITY;
SELECT * FROM lockstep.store_of('many');
ALTER TABLE many DISABLE ROW LEVEL SECURITY;
CREATE TRIGGER note AFTER UPDATE ON many FOR EACH ROW EXECUTE FUNCTION note();
SELECT * FROM lockstep.store_of('many');
CREATE TRIGGER tax BEFORE UPDATE ON many FOR EACH ROW EXECUTE FUNCTION tax();
SELECT batch('ARRAY[5, 6], ARRAY[7, 7], ARRAY[1, 2]', true, 'many');
DROP TRIGGER tax ON many;
CREATE TRIGGER skip BEFORE UPDATE ON many FOR EACH ROW WHEN (OLD.id = 6) EXECUTE FUNCTION skip();
SELECT batch('ARRAY[5, 6], ARRAY[7, 7], ARRAY[1, 2]', true, 'many');
DROP TRIGGER skip ON many;
DROP TRIGGER note ON many;
CREATE TRIGGER note AFTER INSERT ON many_journal FOR EACH ROW EXECUTE FUNCTION note();
SELECT * FROM lockstep.store_of('many');
DROP TRIGGER note ON many_journal;
ALTER TABLE many_journal ADD COLUMN mine int;
SELECT * FROM lockstep.store_of('many');
ALTER TABLE many_journal DROP COLUMN mine;
SELECT * FROM lockstep.store_of('many');
CREATE TABLE parts (id int PRIMARY KEY, balance int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE parts_low PARTITION OF parts FOR VALUES FROM (0) TO (10);
CREATE TABLE parts_high PARTITION OF parts FOR VALUES FROM (10) TO (20);
INSERT INTO parts VALUES (1, 10), (11, 10);
SELECT lockstep.register_ledger('parts');
SELECT * FROM lockstep.store_of('parts');
SELECT item, status, from_balance, to_balance FROM lockstep.transfer_batch('parts', ARRAY[1, 11], ARRAY[11, 1], ARRAY[5, 2]);
SELECT * FROM lockstep.store_of('owners');
ALTER TABLE parts_journal RENAME memo TO note;
SELECT * FROM lockstep.store_of('parts');
ALTER TABLE parts_journal RENAME note TO memo;
ALTER TABLE parts DROP COLUMN balance;
SELECT ledger, store, store_reason FROM lockstep.ledgers ORDER BY ledger::text COLLATE "C";
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT item, status FROM lockstep.transfer_batch('many', ARRAY[2, 1], ARRAY[1, 2], ARRAY[1, 1]);
SET LOCAL lockstep.store = 'heap';
SELECT item, status FROM lockstep.transfer_batch('many', ARRAY[2, 1], ARRAY[1, 2], ARRAY[1, 1]);
ROLLBACK;
SET lockstep.store = 'csv';

-- Keys that are arrays themselves: the server has no arrays of such, so only one of the stores can.
CREATE TABLE cells (at int[] PRIMARY KEY, balance int NOT NULL);
INSERT INTO cells VALUES ('{1,1}', 10), ('{1,2}', 0), ('{2}', 0);
SELECT lockstep.register_ledger('cells');
SELECT batch('ARRAY[''{1,1}'', ''{1,2}''], ARRAY[''{1,2}'', ''{2}''], ARRAY[5, 3]', true, 'cells');
SELECT item, status, from_balance, to_balance FROM lockstep.transfer_batch('cells', ARRAY['{1,1}', '{1,2}'], ARRAY['{1,2}', '{2}'], ARRAY[5, 3]);
CREATE INDEX ON cells_journal ((amount * 2));
SELECT * FROM lockstep.store_of('cells');

-- A CHECK, an index on the amount, and a unique key of another kind: the server's own rules hold.
CREATE TABLE strict (code uuid PRIMARY KEY DEFAULT gen_random_uuid(), label text UNIQUE, balance int NOT NULL CHECK (balance <> 13));
CREATE INDEX ON strict (balance);
INSERT INTO strict VALUES ('00000000-0000-0000-0000-000000000001', 'a', 20), ('00000000-0000-0000-0000-000000000002', 'b', 5);
SELECT lockstep.register_ledger('strict');
SELECT * FROM lockstep.store_of('strict');
SELECT batch('ARRAY[''00000000-0000-0000-0000-000000000001''], ARRAY[''00000000-0000-0000-0000-000000000002''], ARRAY[7]', true, 'strict');
SELECT batch('ARRAY[''00000000-0000-0000-0000-000000000001''], ARRAY[''00000000-0000-0000-0000-000000000002''], ARRAY[6]', true, 'strict');
SET enable_seqscan = off;
SELECT label, balance FROM strict WHERE balance > 0 ORDER BY balance;
RESET enable_seqscan;

-- Composite keys, by heap and one by one.
CREATE TYPE place AS (x int, y text);
CREATE TABLE fields (at place PRIMARY KEY, balance int NOT NULL);
INSERT INTO fields VALUES ('(1,a)', 10), ('(1,b)', 0);
SELECT lockstep.register_ledger('fields');
SELECT batch('ARRAY[''(1,a)''], ARRAY[''(1,b)''], ARRAY[5]', true, 'fields');
SELECT in_both('SELECT status FROM lockstep.transfer(''fields'', ''(1,a)''::text, ''(1,b)''::text, 1)');

-- Foreign keys: the check of a row that this transaction has made is still to come, and is for that version
-- of it alone. An update must not make it forgotten.
CREATE TABLE holders (id int PRIMARY KEY);
INSERT INTO holders VALUES (1);
CREATE TABLE held (id int PRIMARY KEY, holder int REFERENCES holders DEFERRABLE INITIALLY DEFERRED, balance bigint NOT NULL);
INSERT INTO held VALUES (1, 1, 100), (2, 1, 0);
SELECT lockstep.register_ledger('held');
SELECT * FROM lockstep.store_of('held');
BEGIN;
INSERT INTO held VALUES (3, 999, 0);
SELECT status FROM lockstep.transfer('held', 1, 3, 5);
COMMIT;
BEGIN;
UPDATE held SET holder = 998 WHERE id = 2;
SELECT status FROM lockstep.transfer_batch('held', ARRAY[1, 1], ARRAY[2, 2], ARRAY[1, 2]);
COMMIT;
ALTER TABLE held ALTER CONSTRAINT held_holder_fkey NOT DEFERRABLE;
INSERT INTO held VALUES (4, 997, 0) RETURNING (lockstep.adjust('held', id, 7)).status;
WITH new AS (INSERT INTO held VALUES (5, 996, 0) RETURNING id) SELECT (lockstep.adjust('held', new.id, 7)).status FROM new;
BEGIN;
INSERT INTO held VALUES (6, 1, 0);
SELECT status, to_balance FROM lockstep.transfer_batch('held', ARRAY[1, 1], ARRAY[6, 2], ARRAY[1, 2]);
SELECT status, to_balance FROM lockstep.transfer('held', 1, 6, 4, lockstep.request_id('noted'), memo => '{"note": "kept"}');
COMMIT;
SELECT amount, memo FROM held_journal WHERE request_id = lockstep.request_id('noted');
SELECT * FROM held ORDER BY id;

-- What owners do to their journals: the code that they put there runs with their rights, by statements, and
-- not when somebody asks which store serves; what they forbid stays forbidden.
CREATE FUNCTION tattle(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS $$ BEGIN RAISE NOTICE 'ran as %', current_user; RETURN n; END $$;
CREATE FUNCTION called() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE NOTICE 'called'; RETURN NEW; END $$;
CREATE FUNCTION served() RETURNS text LANGUAGE sql AS $$ SELECT concat_ws(': ', store, store_reason) FROM lockstep.store_of('held') $$;
SET client_min_messages = warning;
CREATE INDEX odd ON held_journal ((tattle(1)));
RESET client_min_messages;
SELECT served();
DROP INDEX odd;
SET client_min_messages = warning;
CREATE INDEX odd ON held_journal (amount) WHERE tattle(1) = 1;
RESET client_min_messages;
SELECT served();
DROP INDEX odd;
CREATE UNIQUE INDEX odd ON held_journal (request_id) INCLUDE (booked_at);
SELECT served();
DROP INDEX odd;
ALTER TABLE held_journal ALTER from_balance TYPE numeric(30,4);
SELECT served();
ALTER TABLE held_journal ALTER from_balance TYPE numeric;
DROP TRIGGER lockstep_guard ON held_journal;
CREATE TRIGGER lockstep_guard BEFORE INSERT ON held_journal FOR EACH ROW EXECUTE FUNCTION called();
SELECT served();
SELECT status FROM lockstep.transfer('held', 1, 2, 1);
DROP TRIGGER lockstep_guard ON held_journal;
SELECT lockstep.register_ledger('held');
CREATE RULE twice AS ON INSERT TO held_journal DO ALSO NOTIFY booked;
SELECT served();
DROP RULE twice ON held_journal;

-- A CHECK may ask which table it is; and it may be anybody's code.
CREATE TABLE asks (id int PRIMARY KEY, balance int NOT NULL, CHECK (tableoid = 'asks'::regclass));
INSERT INTO asks VALUES (1, 10), (2, 10), (3, 10);
SELECT lockstep.register_ledger('asks');
ALTER TABLE asks_journal ALTER memo SET NOT NULL;
SELECT * FROM lockstep.store_of('asks');
SELECT regexp_replace(outcome, 'Failing row.*', '...') AS outcome FROM in_both('SELECT status FROM lockstep.transfer(''asks'', 1, 2, 1)') AS outcome;
ALTER TABLE asks_journal ALTER memo DROP NOT NULL;
SELECT batch('ARRAY[1], ARRAY[2], ARRAY[5]', true, 'asks');
CREATE FUNCTION meddles(id int, balance int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF id = 1 AND balance = 4 THEN PERFORM lockstep.adjust('asks', 2, 1); END IF;
    IF id = 1 AND balance = 3 THEN PERFORM lockstep.adjust('asks', 3, 1); END IF;
    RETURN true;
END $$;
ALTER TABLE asks ADD CHECK (meddles(id, balance));
SELECT in_both('SELECT status FROM lockstep.transfer(''asks'', 1, 2, 1)');
SELECT batch('ARRAY[1, 2], ARRAY[2, 1], ARRAY[2, 1]', true, 'asks');
SELECT in_both('SELECT status FROM lockstep.transfer(''asks'', 1, 2, 2)');
SELECT * FROM asks ORDER BY id;

-- And it may look at tables: it sees what this statement has done before.
CREATE TABLE capped (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO capped VALUES (1, 0), (2, 0);
SELECT lockstep.register_ledger('capped');
CREATE FUNCTION total() RETURNS bigint LANGUAGE sql STABLE AS $$ SELECT sum(balance) FROM capped $$;
ALTER TABLE capped ADD CONSTRAINT at_most CHECK (total() < 20);
SELECT * FROM lockstep.store_of('capped');
SELECT in_both('SELECT row((lockstep.adjust(''capped'', 1, 20)).status, (lockstep.adjust(''capped'', 2, 1)).status)');
SELECT in_both('SELECT row((lockstep.adjust(''capped'', 1, 19)).status, (lockstep.adjust(''capped'', 2, 1)).status)');

-- Rights: what a single transfer needs.
CREATE ROLE regress_lockstep_clerk;
GRANT SELECT, UPDATE (balance) ON strict TO regress_lockstep_clerk;
SET ROLE regress_lockstep_clerk;
SELECT status FROM lockstep.transfer_batch('strict', ARRAY['00000000-0000-0000-0000-000000000001'], ARRAY['00000000-0000-0000-0000-000000000002'], ARRAY[2]);
SELECT status FROM lockstep.transfer_batch('many', ARRAY[1], ARRAY[2], ARRAY[1]);
SET lockstep.debug_fault_point = 'after_journal';
RESET ROLE;
BEGIN READ ONLY;
SELECT status FROM lockstep.transfer_batch('many', ARRAY[1], ARRAY[2], ARRAY[1]);
ROLLBACK;

-- So many items and no more; whoever may not move anything is told so before anything is read.
SET lockstep.max_batch_items = 3;
SELECT outcome FROM in_both('SELECT status FROM lockstep.transfer_batch(''many'', ARRAY[1, 2, 1], ARRAY[2, 1, 2], ARRAY[1, 1, 1])') AS outcome;
SELECT lockstep.transfer_batch('many', ARRAY[1, 2, 1, 2], ARRAY[2, 1, 2, 1], ARRAY[1, 1, 1, 1]);
SELECT lockstep.transfer_batch('many', ARRAY[1], ARRAY[2], ARRAY[1], ARRAY[NULL, NULL, NULL, NULL]::uuid[]);
SET ROLE regress_lockstep_clerk;
SET lockstep.max_batch_items = 1000;
RESET ROLE;
RESET lockstep.max_batch_items;
SHOW lockstep.max_batch_items;
REVOKE UPDATE ON many FROM regress_lockstep_clerk;
SET ROLE regress_lockstep_clerk;
SELECT lockstep.transfer_batch('many', ARRAY['x'], ARRAY['y'], ARRAY[1]);
SELECT lockstep.transfer('many', 'x'::text, 'y', 1);
SELECT lockstep.adjust('many', 'x'::text, 1);
RESET ROLE;

SELECT l.ledger, v.violation FROM lockstep.ledgers AS l, LATERAL lockstep.verify_ledger(l.ledger) AS v WHERE l.store IS NOT NULL;
DROP TABLE accounts, accounts_journal, large, large_journal, small, small_journal, children, many, many_journal, owners, parts, parts_journal, strict, strict_journal, cells, cells_journal,
    fields, fields_journal, held, held_journal, holders, asks, asks_journal, capped, capped_journal;
DROP TYPE place;
DROP FUNCTION batch, in_both, in_large, meddles_with_keys, asked, ids, note, tax, skip, tattle, called, served, meddles, total;
DROP ROLE regress_lockstep_clerk;
DROP EXTENSION lockstep;
