-- Code of the user's runs in the middle of a call, in the same session, and may do anything there.
-- This walks the product: where it runs, what it does, which function was called, which store serves.
-- Each attempt is rolled back. Printed is how it ended: ok (applied, and verify_ledger finds nothing), or the SQLSTATE.
\set VERBOSITY sqlstate
SET statement_timeout = '5min';
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
CREATE ROLE regress_lockstep_hostile;
CREATE SCHEMA hostile AUTHORIZATION regress_lockstep_hostile;
GRANT CREATE ON SCHEMA hostile TO PUBLIC;
CREATE SCHEMA elsewhere AUTHORIZATION regress_lockstep_hostile;
SET search_path = hostile, public;

-- The code: does what x.ddl says, once an attempt.
CREATE SEQUENCE fired;
GRANT ALL ON SEQUENCE fired TO PUBLIC;
CREATE FUNCTION act() RETURNS void LANGUAGE plpgsql SET search_path = hostile, public AS $$
BEGIN
    IF coalesce(current_setting('x.ddl', true), '') <> '' AND nextval('hostile.fired') = 1 THEN
        EXECUTE current_setting('x.ddl');
    END IF;
END $$;
CREATE FUNCTION act_and_agree(anyelement) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM hostile.act(); RETURN true; END';
CREATE FUNCTION act_and_return(numeric) RETURNS numeric LANGUAGE plpgsql IMMUTABLE AS 'BEGIN PERFORM hostile.act(); RETURN $1; END';
CREATE FUNCTION act_by_trigger() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM hostile.act(); RETURN NEW; END';
-- What only a superuser may do.
CREATE FUNCTION as_superuser(statement text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = hostile, public AS
    'BEGIN EXECUTE statement; END';

-- Whatever policies may hide.
CREATE FUNCTION violations(ledger regclass) RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM lockstep.verify_ledger(ledger)';
CREATE FUNCTION bookings(journal regclass) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER AS $$
DECLARE n bigint;
BEGIN
    EXECUTE format('SELECT count(*) FROM %s WHERE request_id = lockstep.request_id(''x'')', journal) INTO n;
    RETURN n;
END $$;

-- Keys of a type whose input runs code, and a type whose order is code.
CREATE DOMAIN checked AS int CHECK (act_and_agree(VALUE));
CREATE TYPE written AS (number checked);
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_cmp(pair, pair) RETURNS int LANGUAGE plpgsql IMMUTABLE AS
    'BEGIN PERFORM hostile.act(); RETURN btrecordcmp($1, $2); END';
CREATE FUNCTION pair_lt(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2) < 0';
CREATE FUNCTION pair_le(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2) <= 0';
CREATE FUNCTION pair_eq(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2) = 0';
CREATE FUNCTION pair_ge(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2) >= 0';
CREATE FUNCTION pair_gt(pair, pair) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT btrecordcmp($1, $2) > 0';
CREATE OPERATOR < (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_lt);
CREATE OPERATOR <= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_le);
CREATE OPERATOR = (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_eq);
CREATE OPERATOR >= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_ge);
CREATE OPERATOR > (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_gt);
CREATE OPERATOR CLASS pair_ops DEFAULT FOR TYPE pair USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 pair_cmp(pair, pair);

-- Where it runs: how the table or its journal is made to run it.
CREATE TABLE places (place text PRIMARY KEY, key_type text NOT NULL DEFAULT 'text', setup text NOT NULL);
INSERT INTO places (place, setup) VALUES
    ('key input', ''),
    ('before trigger', 'CREATE TRIGGER x BEFORE UPDATE ON l FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('after trigger', 'CREATE TRIGGER x AFTER UPDATE ON l FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('statement trigger', 'CREATE TRIGGER x AFTER UPDATE ON l EXECUTE FUNCTION act_by_trigger()'),
    ('deferred trigger', 'CREATE CONSTRAINT TRIGGER x AFTER UPDATE ON l DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('policy', 'ALTER TABLE l ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON l USING (act_and_agree(id)) WITH CHECK (true)'),
    ('policy with check', 'ALTER TABLE l ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY p ON l USING (true) WITH CHECK (act_and_agree(id))'),
    ('check', 'ALTER TABLE l ADD CHECK (act_and_agree(balance))'),
    ('index expression', 'CREATE INDEX ON l (act_and_return(balance))'),
    ('generated column', 'ALTER TABLE l ADD g numeric GENERATED ALWAYS AS (act_and_return(balance)) STORED'),
    ('amount''s domain', 'CREATE DOMAIN amount AS numeric CHECK (act_and_agree(VALUE)); ALTER TABLE l ALTER balance TYPE amount'),
    ('journal before', 'CREATE TRIGGER x BEFORE INSERT ON l_journal FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('journal after', 'CREATE TRIGGER x AFTER INSERT ON l_journal FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('journal check', 'ALTER TABLE l_journal ADD CHECK (act_and_agree(amount))'),
    ('journal index', 'CREATE INDEX ON l_journal (act_and_return(amount))'),
    ('journal default', 'ALTER TABLE l_journal ADD d boolean DEFAULT act_and_agree(1)');
INSERT INTO places VALUES ('key order', 'pair', ''),
    -- The same with a key of several columns.
    ('columns input', 'text', ''), ('columns order', 'pair', ''),
    ('columns trigger', 'text', 'CREATE TRIGGER x BEFORE UPDATE ON l FOR EACH ROW EXECUTE FUNCTION act_by_trigger()');
CREATE TYPE written_columns AS (part int, id written);
CREATE TYPE pair_columns AS (part int, id pair);
CREATE TYPE text_columns AS (part int, id text);

-- What it does. `l` is the ledger, of the role that calls.
CREATE TABLE deeds (deed text PRIMARY KEY, statement text NOT NULL);
INSERT INTO deeds VALUES
    ('amount to bigint', 'ALTER TABLE l ALTER balance TYPE bigint USING 4702111234474983745'),
    ('amount to text', 'ALTER TABLE l ALTER balance TYPE text USING ''x'''),
    ('amount dropped', 'ALTER TABLE l DROP balance'),
    ('amount swapped', 'ALTER TABLE l RENAME balance TO b; ALTER TABLE l RENAME other TO balance'),
    ('key renamed', 'ALTER TABLE l RENAME id TO code'),
    ('floor dropped', 'DROP DOMAIN low CASCADE'),
    ('column added', 'ALTER TABLE l ADD more text DEFAULT ''x'''),
    ('table renamed', 'ALTER TABLE l RENAME TO l2; CREATE TABLE l (LIKE l2 INCLUDING ALL); INSERT INTO l SELECT * FROM l2'),
    ('table moved', 'ALTER TABLE l SET SCHEMA elsewhere; CREATE TABLE l (LIKE elsewhere.l INCLUDING ALL); INSERT INTO l SELECT * FROM elsewhere.l'),
    ('schema renamed', 'SELECT as_superuser(''ALTER SCHEMA hostile RENAME TO hostile2; CREATE SCHEMA hostile; CREATE TABLE hostile.l (id text PRIMARY KEY, balance text);'
        ' GRANT ALL ON SCHEMA hostile TO PUBLIC; GRANT ALL ON hostile.l TO PUBLIC; CREATE FUNCTION hostile.act() RETURNS void LANGUAGE sql AS $$SELECT NULL::void$$'')'),
    ('table dropped', 'DROP TABLE l CASCADE'),
    ('table truncated', 'TRUNCATE l'),
    ('rows deleted', 'DELETE FROM l'),
    ('rows changed', 'UPDATE l SET other = other + 1'),
    ('key''s index gone', 'ALTER TABLE l DROP CONSTRAINT l_pkey'),
    ('key''s index anew', 'REINDEX INDEX l_pkey'),
    ('index made', 'CREATE INDEX ON l (other)'),
    ('trigger made', 'CREATE TRIGGER y BEFORE UPDATE ON l FOR EACH ROW EXECUTE FUNCTION act_by_trigger()'),
    ('trigger gone', 'DROP TRIGGER IF EXISTS x ON l; DROP TRIGGER IF EXISTS x ON l_journal'),
    ('rule made', 'CREATE RULE r AS ON UPDATE TO l DO ALSO NOTHING'),
    ('policy made', 'ALTER TABLE l ENABLE ROW LEVEL SECURITY'),
    ('rights gone', 'REVOKE ALL ON l FROM CURRENT_USER'),
    ('owner changed', 'SELECT as_superuser(''REASSIGN OWNED BY regress_lockstep_hostile TO CURRENT_USER'')'),
    ('attached', 'CREATE TABLE whole (LIKE l INCLUDING GENERATED) PARTITION BY LIST (other); ALTER TABLE whole ATTACH PARTITION l FOR VALUES IN (7)'),
    ('inherited', 'CREATE TABLE child () INHERITS (l)'),
    ('journal''s types', 'ALTER TABLE l_journal ALTER amount TYPE text, ALTER booked_at TYPE text'),
    ('journal''s key', 'ALTER TABLE l_journal RENAME from_key TO f; ALTER TABLE l_journal RENAME to_key TO from_key; ALTER TABLE l_journal RENAME f TO to_key'),
    ('journal renamed', 'ALTER TABLE l_journal RENAME TO j2; CREATE TABLE l_journal (LIKE j2 INCLUDING ALL)'),
    ('journal dropped', 'DROP TABLE l_journal'),
    ('journal truncated', 'TRUNCATE l_journal'),
    ('journal''s index gone', 'ALTER TABLE l_journal DROP CONSTRAINT l_journal_pkey'),
    ('journal''s index anew', 'REINDEX TABLE l_journal'),
    ('journal written', 'INSERT INTO l_journal (request_id, booked_at, from_key, amount) SELECT gen_random_uuid(), now(), id, 5 FROM l'),
    ('journal unguarded', 'ALTER TABLE l_journal DISABLE TRIGGER USER'),
    ('journal attached', 'ALTER TABLE l_journal ALTER entry DROP IDENTITY; CREATE TABLE whole (LIKE l_journal) PARTITION BY HASH (request_id); ALTER TABLE whole ATTACH PARTITION l_journal FOR VALUES WITH (MODULUS 1, REMAINDER 0);'
        ' INSERT INTO whole (request_id, entry, booked_at, from_key, amount) SELECT gen_random_uuid(), 1, now(), id, 5 FROM l'),
    ('registered', 'SELECT lockstep.register_ledger(''l'', floor => -1000)'),
    ('unregistered', 'SELECT lockstep.drop_ledger(''l'')'),
    ('unregistered, no journal', 'SELECT lockstep.drop_ledger(''l'', true)'),
    ('adjusted', 'SELECT lockstep.adjust(''l'', id, 1) FROM l LIMIT 1'),
    ('extension dropped', 'SELECT as_superuser(''DROP EXTENSION lockstep CASCADE'')'),
    ('extension altered', 'SELECT as_superuser(''ALTER EXTENSION lockstep DROP VIEW lockstep.ledgers; DROP VIEW lockstep.ledgers'')'),
    ('type dropped', 'DROP TYPE written CASCADE; DROP TYPE pair CASCADE'),
    ('key type altered', 'ALTER TYPE l_key ADD ATTRIBUTE more int'),
    ('key type dropped', 'DROP TYPE l_key CASCADE'),
    ('key type renamed', 'ALTER TYPE l_key RENAME TO l_key2'),
    ('key type''s column dropped', 'ALTER TYPE l_key DROP ATTRIBUTE part'),
    ('key type''s column renamed', 'ALTER TYPE l_key RENAME ATTRIBUTE part TO piece'),
    ('nothing', 'SELECT 1');
-- The same, taken back before the call goes on.
INSERT INTO deeds SELECT deed || ', undone', format('DO %L', format(
    'BEGIN EXECUTE %L; RAISE division_by_zero; EXCEPTION WHEN OTHERS THEN NULL; END', statement)) FROM deeds WHERE deed <> 'nothing';

CREATE TABLE calls (call text PRIMARY KEY, position int, statement text NOT NULL);
INSERT INTO calls VALUES
    ('transfer', 1, 'SELECT lockstep.transfer(''l'', (SELECT k FROM keys WHERE n = 1), (SELECT k FROM keys WHERE n = 2), 5, lockstep.request_id(''x''))'),
    ('adjust', 2, 'SELECT lockstep.adjust(''l'', (SELECT k FROM keys WHERE n = 1), 5, lockstep.request_id(''x''))'),
    ('batch', 3, 'SELECT lockstep.transfer_batch(''l'', (SELECT array_agg(k ORDER BY n) FROM keys), (SELECT array_agg(k ORDER BY n DESC) FROM keys), ARRAY[5, 6], ARRAY[lockstep.request_id(''x''), NULL])'),
    ('hint', 4, 'SELECT lockstep.backoff_hint(''l'', (SELECT k FROM keys WHERE n = 1))');
GRANT ALL ON ALL TABLES IN SCHEMA hostile TO PUBLIC;

-- One attempt, rolled back in any case.
CREATE FUNCTION attempt(statement text, ddl text, store text) RETURNS text LANGUAGE plpgsql SET search_path = hostile, public AS $$
DECLARE
    ledger oid := 'l'::regclass;
    journal oid := 'l_journal'::regclass;
    message text;
    rows bigint;
BEGIN
    PERFORM setval('fired', 1, false), set_config('x.ddl', ddl, true), set_config('lockstep.store', store, true);
    EXECUTE statement;
    SET CONSTRAINTS ALL IMMEDIATE;
    PERFORM set_config('x.ddl', '', true);
    SELECT violations(ledger) INTO rows;
    IF rows > 0 THEN RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = format('ok, but %s violations', rows); END IF;
    IF statement LIKE '%request_id%' AND bookings(journal) <> 1 THEN RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = 'ok, but not booked'; END IF;
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS message = MESSAGE_TEXT;
    PERFORM set_config('x.ddl', '', true);
    RETURN CASE SQLSTATE WHEN 'ZZ000' THEN message WHEN 'XX000' THEN 'XX000 ' || message ELSE SQLSTATE END;
END $$;

-- All of one place. One line a deed; for each store (auto, spi, spi_by_key) the ends of transfer, adjust, batch (and hint, where it runs the code),
-- once where they are all alike. What is undone is tried with a batch alone, and not for ATTACH, after which any UPDATE of the server fails
-- (its cache keeps the partition that was taken back for as long as the table is open), nor for rows that are written again where they are locked
-- already (heap_update of PostgreSQL 15 fails an assertion then, when the page is full); the order of keys with calls that sort them, for what writes to
-- an index while the index compares waits for its own page for ever, in any statement.
CREATE FUNCTION walk(wanted text) RETURNS TABLE (deed text, auto text, spi text, by_key text) LANGUAGE plpgsql SET search_path = hostile, public AS $$
DECLARE
    one places;
BEGIN
    SELECT * INTO STRICT one FROM places AS p WHERE p.place = wanted;
    CREATE DOMAIN low AS numeric;
    EXECUTE format('CREATE TABLE l (%s id %s, balance numeric NOT NULL, other numeric NOT NULL DEFAULT 7, low low DEFAULT 0, CONSTRAINT l_pkey PRIMARY KEY (%s))',
        CASE WHEN one.place LIKE 'columns %' THEN 'part int,' END, one.key_type, CASE WHEN one.place LIKE 'columns %' THEN 'part, id' ELSE 'id' END);
    IF one.place LIKE 'columns %' THEN
        EXECUTE format('CREATE TABLE keys AS SELECT n, %s AS k FROM generate_series(1, 2) AS n', CASE one.place
            WHEN 'columns input' THEN 'row(1, row(n))::written_columns' WHEN 'columns order' THEN 'row(1, row(n, n))::pair_columns' ELSE 'row(1, n)::text_columns' END);
        EXECUTE format('INSERT INTO l SELECT 1, ((k).id)::%s, 100 FROM keys', one.key_type);
    ELSIF one.key_type = 'pair' THEN
        CREATE TABLE keys AS SELECT n, row(n, n)::pair AS k FROM generate_series(1, 2) AS n;
        INSERT INTO l SELECT k, 100 FROM keys;
    ELSIF one.place = 'key input' THEN
        CREATE TABLE keys AS SELECT n, row(n)::written AS k FROM generate_series(1, 2) AS n;
        INSERT INTO l SELECT k::text, 100 FROM keys;
    ELSE
        CREATE TABLE keys AS SELECT n, n::text AS k FROM generate_series(1, 2) AS n;
        INSERT INTO l SELECT k, 100 FROM keys;
    END IF;
    PERFORM lockstep.register_ledger('l', floor_column => 'low');
    EXECUTE one.setup;
    RETURN QUERY
        SELECT a.deed,
               CASE WHEN count(DISTINCT a.auto) = 1 THEN min(a.auto) ELSE string_agg(a.auto, ' ' ORDER BY a.position) END,
               CASE WHEN count(DISTINCT a.spi) = 1 THEN min(a.spi) ELSE string_agg(a.spi, ' ' ORDER BY a.position) END,
               CASE WHEN count(DISTINCT a.by_key) = 1 THEN min(a.by_key) ELSE string_agg(a.by_key, ' ' ORDER BY a.position) END
          FROM (SELECT d.deed, c.position, attempt(c.statement, d.statement, 'auto') AS auto,
                       attempt(c.statement, d.statement, 'spi') AS spi, attempt(c.statement, d.statement, 'spi_by_key') AS by_key
                  FROM deeds AS d, calls AS c
                 WHERE (d.deed NOT LIKE '%undone' OR c.call = CASE WHEN one.place LIKE '% order' THEN 'transfer' ELSE 'batch' END)
                   AND (d.deed NOT LIKE 'key type%' OR one.place LIKE 'columns %')
                   AND d.deed NOT LIKE '%attached, undone'
                   AND (d.deed NOT LIKE 'rows %, undone' OR one.place LIKE '% input' OR one.place LIKE '% order')
                   AND (one.place LIKE '% input' OR c.call <> 'hint')
                   AND (one.place NOT LIKE '% order' OR c.call IN ('transfer', 'batch'))
                 ORDER BY d.deed COLLATE "C", c.position) AS a
         GROUP BY a.deed ORDER BY a.deed COLLATE "C";
    -- Nothing has stayed.
    ASSERT (SELECT sum(balance) FROM l) = 200 AND NOT EXISTS (SELECT FROM l_journal), 'something has stayed';
    DROP TABLE l, l_journal, keys;
    DROP DOMAIN low;
    DROP DOMAIN IF EXISTS amount;
    DROP TYPE IF EXISTS l_key;
END $$;
ALTER FUNCTION walk OWNER TO regress_lockstep_hostile;

SET ROLE regress_lockstep_hostile;
SELECT * FROM walk('key input');
SELECT * FROM walk('key order');
SELECT * FROM walk('before trigger');
SELECT * FROM walk('after trigger');
SELECT * FROM walk('statement trigger');
SELECT * FROM walk('deferred trigger');
SELECT * FROM walk('policy');
SELECT * FROM walk('policy with check');
SELECT * FROM walk('check');
SELECT * FROM walk('index expression');
SELECT * FROM walk('generated column');
SELECT * FROM walk('amount''s domain');
SELECT * FROM walk('journal before');
SELECT * FROM walk('journal after');
SELECT * FROM walk('journal check');
SELECT * FROM walk('journal index');
SELECT * FROM walk('journal default');
SELECT * FROM walk('columns input');
SELECT * FROM walk('columns order');
SELECT * FROM walk('columns trigger');
RESET ROLE;
SELECT count(*) FROM places;

DROP SCHEMA hostile, elsewhere CASCADE;
DROP EXTENSION lockstep;
DROP ROLE regress_lockstep_hostile;
