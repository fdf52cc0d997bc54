-- What was found by attacking: each of these did harm once.
\set VERBOSITY terse
\set SHOW_CONTEXT never
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id int PRIMARY KEY, balance numeric NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('accounts');

-- Behind the back of the planner: called in a parallel worker by a function that says it may be.
CREATE FUNCTION parallel(statement text) RETURNS text LANGUAGE plpgsql PARALLEL SAFE AS $$
DECLARE answer text;
BEGIN
    EXECUTE statement INTO answer;
    RETURN answer;
END $$;
CREATE TABLE many AS SELECT n FROM generate_series(1, 100) AS n;
SET parallel_setup_cost = 0;
SET parallel_tuple_cost = 0;
SET min_parallel_table_scan_size = 0;
SET parallel_leader_participation = off;
\set VERBOSITY sqlstate
SELECT parallel('SELECT lockstep.adjust(''accounts'', 1, 1)') FROM many WHERE n = 1;
SELECT parallel('SELECT lockstep.transfer(''accounts'', 1, 2, 1, gen_random_uuid())') FROM many WHERE n = 1;
SELECT parallel('SELECT lockstep.transfer_batch(''accounts'', ARRAY[1], ARRAY[2], ARRAY[1])') FROM many WHERE n = 1;
SELECT parallel('SELECT lockstep.register_ledger(''accounts'')') FROM many WHERE n = 1;
SELECT parallel('SELECT lockstep.drop_ledger(''accounts'')') FROM many WHERE n = 1;
SELECT parallel('SELECT lockstep.backoff_hint(''accounts'', 1)') FROM many WHERE n = 1;
\set VERBOSITY terse
RESET parallel_setup_cost;
RESET parallel_tuple_cost;
RESET min_parallel_table_scan_size;
RESET parallel_leader_participation;
SELECT * FROM accounts ORDER BY id;

-- The journal's owner puts a movement in the place of a refusal that is kept.
CREATE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.refusal IS NULL THEN RETURN NEW; END IF;
    INSERT INTO public.accounts_journal (request_id, entry, booked_at, from_key, to_key, amount, from_balance, to_balance)
        OVERRIDING SYSTEM VALUE
        VALUES (NEW.request_id, NEW.entry, NEW.booked_at, NEW.from_key, NEW.to_key, NEW.amount, -900, 1100);
    RETURN NULL;
END $$;
CREATE TRIGGER a BEFORE INSERT ON accounts_journal FOR EACH ROW EXECUTE FUNCTION forge();
SELECT * FROM lockstep.transfer_batch('accounts', ARRAY[1], ARRAY[2], ARRAY[1000], ARRAY[lockstep.request_id('x')], false);
SELECT * FROM lockstep.transfer('accounts', 1, 2, 1000, lockstep.request_id('x'), on_refusal => 'return');
SELECT count(*) FROM accounts_journal;
-- Or he changes the order of the bookings.
CREATE OR REPLACE FUNCTION forge() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.entry := -NEW.entry; RETURN NEW; END';
SELECT * FROM lockstep.transfer_batch('accounts', ARRAY[1, 1], ARRAY[2, 2], ARRAY[1, 2]);
SELECT * FROM lockstep.transfer('accounts', 1, 2, 1);
SELECT count(*) FROM accounts_journal;
DROP TRIGGER a ON accounts_journal;
-- A precision is no forgery.
ALTER TABLE accounts_journal ALTER amount TYPE numeric(12,2), ALTER from_balance TYPE numeric(12,2);
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 1);
SELECT status, from_balance FROM lockstep.transfer_batch('accounts', ARRAY[1], ARRAY[2], ARRAY[1]);
SELECT amount, from_balance, to_balance FROM accounts_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('accounts');

-- A child of the journal shows rows in it that the guard has not seen.
CREATE TABLE child () INHERITS (accounts_journal);
SELECT * FROM lockstep.transfer('accounts', 1, 2, 1);
SELECT * FROM lockstep.verify_ledger('accounts');
SELECT * FROM lockstep.store_of('accounts');
SELECT lockstep.register_ledger('accounts');
DROP TABLE child;
SELECT status FROM lockstep.transfer('accounts', 1, 2, 1);

-- Nor is a journal that hides rows good to verify by.
CREATE ROLE regress_lockstep_auditor;
GRANT SELECT ON accounts, accounts_journal TO regress_lockstep_auditor;
ALTER TABLE accounts_journal ENABLE ROW LEVEL SECURITY;
UPDATE accounts SET balance = balance + 1 WHERE id = 1;
SET ROLE regress_lockstep_auditor;
SELECT * FROM lockstep.verify_ledger('accounts');
RESET ROLE;
SELECT violation, key FROM lockstep.verify_ledger('accounts');
ALTER TABLE accounts_journal DISABLE ROW LEVEL SECURITY;
DROP OWNED BY regress_lockstep_auditor;
DROP ROLE regress_lockstep_auditor;

-- A key's type gets another name, or another schema.
CREATE TYPE colour AS ENUM ('red', 'blue');
CREATE DOMAIN paint AS colour;
CREATE TABLE cans (id paint PRIMARY KEY, balance int NOT NULL);
INSERT INTO cans VALUES ('red', 10), ('blue', 10);
SELECT lockstep.register_ledger('cans');
SET lockstep.store = spi;
SELECT status FROM lockstep.transfer('cans', 'red', 'blue', 1);
ALTER TYPE colour RENAME TO hue;
SELECT status FROM lockstep.transfer_batch('cans', ARRAY['red'], ARRAY['blue'], ARRAY[1]);
CREATE SCHEMA tints;
ALTER TYPE hue SET SCHEMA tints;
SELECT status FROM lockstep.adjust('cans', 'red', 1);
RESET lockstep.store;

-- No lock is kept of what was not there.
BEGIN;
SELECT lockstep.store_of(4294967295::oid);
SELECT lockstep.backoff_hint(4294967295::oid, 1);
SELECT count(*) FROM pg_locks WHERE relation = 4294967295;
COMMIT;

-- A batch by single keys lets go of each result.
CREATE FUNCTION megabytes() RETURNS bigint LANGUAGE sql AS 'SELECT sum(total_bytes)::bigint / 1000000 FROM pg_backend_memory_contexts';
CREATE TABLE points (id int PRIMARY KEY, balance int NOT NULL, used bigint, CHECK (id < 4000 OR megabytes() < 25));
INSERT INTO points SELECT n, 10 FROM generate_series(1, 4000) AS n;
SELECT lockstep.register_ledger('points');
SET lockstep.store = spi_by_key;
SELECT count(*) FROM (SELECT array_agg(n) AS f, array_agg(4001 - n) AS t, array_agg(1) AS a FROM generate_series(1, 2000) AS n) AS p,
       lockstep.transfer_batch('points', f, t, a);
RESET lockstep.store;

-- What no statement may write, nothing writes.
CREATE TABLE numbered (id int PRIMARY KEY, balance int GENERATED ALWAYS AS IDENTITY);
SELECT lockstep.register_ledger('numbered');
DROP TABLE numbered;

-- A session forgets the ledgers that are gone.
DO $$
BEGIN
    FOR i IN 1..50 LOOP
        CREATE TABLE brief (id int PRIMARY KEY, balance int);
        INSERT INTO brief VALUES (1, 1);
        PERFORM lockstep.register_ledger('brief'), lockstep.adjust('brief', 1, 1);
        DROP TABLE brief, brief_journal;
    END LOOP;
END $$;
SELECT count(*) < 20 AS few FROM pg_backend_memory_contexts WHERE name = 'lockstep ledger';

-- The check of a domain changed the row type that the very key was made of, and the rest of the call read it in another layout.
CREATE SEQUENCE checks;
CREATE FUNCTION changes_type(int) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('x.ddl', true) <> '' AND nextval('checks') = 1 THEN EXECUTE current_setting('x.ddl'); END IF;
    RETURN true;
END $$;
CREATE DOMAIN checked AS int CHECK (changes_type(VALUE));
CREATE TYPE pair AS (a checked, b int);
CREATE TABLE pairs (id text PRIMARY KEY, balance numeric NOT NULL);
INSERT INTO pairs VALUES ('(1,1)', 100), ('(1,2)', 100);
SELECT lockstep.register_ledger('pairs');
CREATE FUNCTION called(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    one pair := row(1, 1); two pair := row(1, 2); answer text;
BEGIN
    PERFORM setval('checks', 1, false), set_config('x.ddl', 'ALTER TYPE pair ALTER ATTRIBUTE b TYPE text', true);
    EXECUTE statement INTO answer USING one, two;
    RETURN answer;
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
SELECT called('SELECT lockstep.adjust(''pairs'', $1, 5)') AS adjust, called('SELECT lockstep.transfer(''pairs'', $1, $2, 5)') AS transfer,
       called('SELECT lockstep.transfer_batch(''pairs'', ARRAY[$1], ARRAY[$2], ARRAY[5])') AS batch, called('SELECT lockstep.backoff_hint(''pairs'', $1)') AS hint;
DROP TABLE pairs, pairs_journal;
DROP TYPE pair;
DROP DOMAIN checked;
DROP FUNCTION changes_type, called;
DROP SEQUENCE checks;
DROP TABLE accounts, accounts_journal, many, cans, cans_journal, points, points_journal;
DROP FUNCTION parallel(text), forge(), megabytes();
DROP DOMAIN paint;
DROP SCHEMA tints CASCADE;
DROP EXTENSION lockstep;
