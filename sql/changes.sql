-- A ledger that changes after it was registered: renamed, altered, truncated, dropped.
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
CREATE TABLE accounts (junk int, id int PRIMARY KEY, junk2 text, balance int NOT NULL, junk3 text);
INSERT INTO accounts (id, balance) VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('accounts');
SELECT status FROM lockstep.transfer('accounts', 1, 2, 10, lockstep.request_id('a'));

-- Renamed: the table, its columns, its schema, the journal; moved to another schema. The plans follow.
ALTER TABLE accounts RENAME TO konten;
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 10);
ALTER TABLE konten RENAME COLUMN balance TO stand;
ALTER TABLE konten RENAME COLUMN id TO nr;
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 10);
ALTER TABLE accounts_journal RENAME TO buch;
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
CREATE SCHEMA bank;
ALTER TABLE konten SET SCHEMA bank;
SELECT status, from_balance FROM lockstep.transfer('bank.konten', 1, 2, 10);
ALTER SCHEMA bank RENAME TO "Bank";
SELECT status, from_balance FROM lockstep.transfer('"Bank".konten', 1, 2, 10);
SELECT ledger, journal, key_column, amount_column FROM lockstep.ledgers;
-- Registered again under its new names: the journal is the same.
SELECT lockstep.register_ledger('"Bank".konten', amount => 'stand');
SELECT status FROM lockstep.transfer('"Bank".konten', 1, 2, 10, lockstep.request_id('a'));
ALTER TABLE "Bank".konten SET SCHEMA public;
ALTER TABLE buch RENAME TO konten_journal;

-- Columns dropped and added: the positions of the rest do not matter.
ALTER TABLE konten DROP COLUMN junk, DROP COLUMN junk2;
ALTER TABLE konten ADD COLUMN more int DEFAULT 7;
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);

-- The amount's type: wider, then with decimals. Old ids still replay.
ALTER TABLE konten ALTER COLUMN stand TYPE bigint;
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 0.5)');
ALTER TABLE konten ALTER COLUMN stand TYPE numeric(12,2);
SELECT status, amount, from_balance FROM lockstep.transfer('konten', 1, 2, 0.5);
SELECT status, amount, from_balance FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
SELECT * FROM lockstep.verify_ledger('konten');

-- The key's type: the journal has to follow, and says so.
ALTER TABLE konten ALTER COLUMN nr TYPE bigint;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
INSERT INTO konten (nr, stand) VALUES (5000000000, 0);
SELECT status, to_balance FROM lockstep.transfer('konten', 1, 5000000000, 1);
ALTER TABLE konten ALTER COLUMN nr TYPE text;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, to_balance FROM lockstep.transfer('konten', 1, 5000000000, 1);
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
SELECT * FROM lockstep.verify_ledger('konten');
-- A type of one's own; and back to a number, by the text.
CREATE TYPE own AS ENUM ('1', '2', '5000000000');
ALTER TABLE konten ALTER COLUMN nr TYPE own USING nr::own;
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
ALTER TABLE konten ALTER COLUMN nr TYPE bigint USING nr::text::bigint;
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
-- The key's collation is the journal's too.
ALTER TABLE konten ALTER COLUMN nr TYPE text COLLATE "C";
SELECT lockstep.register_ledger('konten', amount => 'stand');
ALTER TABLE konten ALTER COLUMN nr TYPE text COLLATE "POSIX";
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)'), outcome('SELECT lockstep.verify_ledger(''konten'')');
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status FROM lockstep.transfer('konten', 1, 2, 1);
SELECT * FROM lockstep.verify_ledger('konten');

-- What a ledger needs is taken away, and given back.
ALTER TABLE konten DROP CONSTRAINT accounts_pkey;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
ALTER TABLE konten ADD PRIMARY KEY (nr);
ALTER TABLE konten ALTER COLUMN stand TYPE float8;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
ALTER TABLE konten ALTER COLUMN stand TYPE numeric(12,2);
SELECT status FROM lockstep.transfer('konten', 1, 2, 1);
ALTER TABLE konten RENAME COLUMN stand TO s1;
ALTER TABLE konten ADD COLUMN stand numeric(12,2) DEFAULT 500;
-- Which of both is meant? The registered one, or the one of the registered name? Neither, until it is said.
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT outcome('SELECT lockstep.register_ledger(''konten'', amount => ''stand'')');
UPDATE konten SET stand = s1;
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);
ALTER TABLE konten DROP COLUMN stand, DROP COLUMN s1;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
ALTER TABLE konten ADD COLUMN stand int DEFAULT 100;
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);

-- An unlogged ledger that becomes a logged one: its journal has to, or a crash would forget the ids.
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY, balance int);
INSERT INTO scratch VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('scratch');
ALTER TABLE scratch SET LOGGED;
SELECT outcome('SELECT lockstep.transfer(''scratch'', 1, 2, 1)');
SELECT lockstep.register_ledger('scratch');
SELECT relpersistence FROM pg_class WHERE oid = 'scratch_journal'::regclass;
SELECT status FROM lockstep.transfer('scratch', 1, 2, 1);

-- Another owner.
CREATE ROLE regress_ls_heir;
GRANT CREATE ON SCHEMA public TO regress_ls_heir;
ALTER TABLE scratch OWNER TO regress_ls_heir;
SET ROLE regress_ls_heir;
SELECT status FROM lockstep.transfer('scratch', 1, 2, 1);
-- The journal is still the former owner's, until somebody hands it over.
SELECT replace(outcome('SELECT lockstep.register_ledger(''scratch'', floor => 5)'), 'to ' || session_user, 'to its maker') AS outcome;
RESET ROLE;
ALTER TABLE scratch_journal OWNER TO regress_ls_heir;
SET ROLE regress_ls_heir;
SELECT lockstep.register_ledger('scratch', floor => 5, history => true);
SELECT status FROM lockstep.transfer('scratch', 1, 2, 1);
RESET ROLE;
DROP TABLE scratch, scratch_journal;
REVOKE CREATE ON SCHEMA public FROM regress_ls_heir;
DROP ROLE regress_ls_heir;

-- A type's operators move to another schema with their extension.
CREATE EXTENSION citext SCHEMA public;
CREATE TABLE names (name citext PRIMARY KEY, balance int);
INSERT INTO names VALUES ('Ann', 100), ('Bob', 100);
SELECT lockstep.register_ledger('names');
SELECT status, from_balance FROM lockstep.transfer('names', 'ANN', 'bob', 1);
CREATE SCHEMA ext;
ALTER EXTENSION citext SET SCHEMA ext;
SELECT status, from_balance FROM lockstep.transfer('names', 'ANN', 'bob', 1);
DROP TABLE names, names_journal;
DROP EXTENSION citext;
DROP SCHEMA ext;

-- Registered and used in one statement.
SELECT t.status, t.from_balance FROM (SELECT lockstep.register_ledger('konten', amount => 'stand', floor => -1000) AS journal) AS r,
       LATERAL lockstep.transfer('konten', 1, 2, CASE WHEN r.journal IS NOT NULL THEN 500 END) AS t;

-- Truncated: the rows are gone, the ids are not.
TRUNCATE konten;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT status FROM lockstep.transfer('konten', 1, 2, 10, lockstep.request_id('a'));
SELECT DISTINCT violation FROM lockstep.verify_ledger('konten') ORDER BY 1;

-- The journal is dropped: the ledger stops until it has a new one.
DROP TABLE konten_journal;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)'), outcome('SELECT lockstep.verify_ledger(''konten'')');
INSERT INTO konten (nr, stand) VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);

-- Dropped: no ledger; a new table of the same name is another table, and does not take the old journal.
DROP TABLE konten;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT count(*) FROM lockstep.ledgers;
CREATE TABLE konten (nr int PRIMARY KEY, stand int);
INSERT INTO konten VALUES (1, 100), (2, 100);
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT outcome('SELECT lockstep.register_ledger(''konten'', amount => ''stand'')');
DROP TABLE konten_journal;
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);
SELECT count(*) AS registrations FROM lockstep.registration;

-- In one transaction: registered, used, rolled back.
DROP TABLE konten, konten_journal;
CREATE TABLE konten (nr int PRIMARY KEY, stand int);
INSERT INTO konten VALUES (1, 100), (2, 100);
BEGIN;
SELECT lockstep.register_ledger('konten', amount => 'stand');
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);
ROLLBACK;
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
SELECT to_regclass('konten_journal') IS NULL AS no_journal;
SELECT lockstep.register_ledger('konten', amount => 'stand');
BEGIN;
SELECT lockstep.drop_ledger('konten');
SELECT outcome('SELECT lockstep.transfer(''konten'', 1, 2, 1)');
ROLLBACK;
SELECT status, from_balance FROM lockstep.transfer('konten', 1, 2, 1);

DROP FUNCTION outcome;
DROP TABLE konten, konten_journal;
DROP SCHEMA "Bank";
DROP TYPE own;
DROP EXTENSION lockstep;
