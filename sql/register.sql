-- What can be a ledger, what cannot, and what the registration keeps.
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
CREATE SCHEMA "My Shop";
CREATE TABLE "My Shop"."Kunden ""A""" ("Id" int PRIMARY KEY, "Guthaben" numeric(10,2), lo int, hi bigint, v smallint, "on hold" boolean);
INSERT INTO "My Shop"."Kunden ""A""" VALUES (1, 100, -50, 200, 0, false), (2, 100, NULL, NULL, 7, NULL), (3, 0, 0, 10, NULL, true);
SELECT lockstep.register_ledger('"My Shop"."Kunden ""A"""', amount => 'Guthaben', floor_column => 'lo', ceiling_column => 'hi',
                                version_column => 'v', frozen_column => 'on hold', history => true);
SELECT * FROM lockstep.ledgers;
\d "My Shop"."Kunden ""A""_journal"
SELECT obj_description('"My Shop"."Kunden ""A""_journal"'::regclass, 'pg_class');
-- Floors and ceilings by row, null for none; versions count up.
SELECT status, from_balance, to_balance FROM lockstep.transfer('"My Shop"."Kunden ""A"""', 1, 2, 150);
SELECT status, from_balance, to_balance FROM lockstep.transfer('"My Shop"."Kunden ""A"""', 2, 1, 250);
SELECT outcome(format('SELECT lockstep.transfer(%L, 1, 2, 250.01)', '"My Shop"."Kunden ""A"""'));
SELECT outcome(format('SELECT lockstep.transfer(%L, 2, 1, 0.01)', '"My Shop"."Kunden ""A"""'));
SELECT status, from_balance, to_balance FROM lockstep.transfer('"My Shop"."Kunden ""A"""', 1, 2, 1, expected_from_version => 2);
SELECT outcome(format('SELECT lockstep.transfer(%L, 1, 2, 1, expected_from_version => 2)', '"My Shop"."Kunden ""A"""'));
SELECT outcome(format('SELECT lockstep.transfer(%L, 3, 2, 1)', '"My Shop"."Kunden ""A"""'));
SELECT outcome(format('SELECT lockstep.transfer(%L, 2, 3, 1)', '"My Shop"."Kunden ""A"""'));
UPDATE "My Shop"."Kunden ""A""" SET "on hold" = false;
SELECT outcome(format('SELECT lockstep.transfer(%L, 3, 2, 1, expected_from_version => 1)', '"My Shop"."Kunden ""A"""'));
SELECT * FROM "My Shop"."Kunden ""A""" ORDER BY "Id";
SELECT * FROM lockstep.verify_ledger('"My Shop"."Kunden ""A"""');

-- Infinity is no bound, on its own side.
CREATE TABLE endless (id int PRIMARY KEY, balance numeric, lo numeric, hi numeric);
INSERT INTO endless VALUES (1, 0, '-Infinity', 'Infinity'), (2, 0, 'Infinity', '-Infinity');
SELECT lockstep.register_ledger('endless', floor_column => 'lo', ceiling_column => 'hi');
SELECT status, balance FROM lockstep.adjust('endless', 1, -1000000);
SELECT status, balance FROM lockstep.adjust('endless', 1, 2000000);
SELECT outcome('SELECT lockstep.adjust(''endless'', 2, 1)'), outcome('SELECT lockstep.adjust(''endless'', 2, -1)');
DROP TABLE endless, endless_journal;

-- The order in which refusals are found: missing, frozen, version, floor, ceiling; the giving row first.
CREATE TABLE l (id int PRIMARY KEY, balance int, v int, f boolean);
INSERT INTO l VALUES (1, 10, 1, true), (2, 10, 1, true), (3, 15, 1, false), (4, 15, 1, false);
SELECT lockstep.register_ledger('l', ceiling => 20, version_column => 'v', frozen_column => 'f');
SELECT call, outcome('SELECT (lockstep.transfer(''l'', ' || call || ')).status') AS raised,
       outcome('SELECT (lockstep.transfer(''l'', ' || call || ', on_refusal => ''return'')).sqlstate') AS returned
  FROM unnest(ARRAY['8, 9, 99, expected_from_version => 5', '1, 9, 99, expected_from_version => 5', '9, 1, 99', '2, 1, 99', '1, 2, 99', '3, 1, 99',
                    '3, 4, 99, expected_from_version => 5', '3, 4, 99', '4, 3, 16', '4, 3, 6']) AS call;

-- Registered again: the settings change, the journal stays.
SELECT lockstep.register_ledger('l', floor => NULL, ceiling => NULL);
SELECT floor, ceiling, version_column, frozen_column, history FROM lockstep.ledgers WHERE ledger = 'l'::regclass;
SELECT status, from_balance FROM lockstep.transfer('l', 1, 2, 1000);
SELECT count(*) > 1 AS journal_kept FROM l_journal;
SELECT lockstep.register_ledger('l', floor => -5000, history => true);
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'l_journal'::regclass ORDER BY 1;
SELECT lockstep.register_ledger('l', floor => -5000);
SELECT indexrelid::regclass FROM pg_index WHERE indrelid = 'l_journal'::regclass ORDER BY 1;

-- Dropped: no ledger any more; the journal stays, and is taken up again.
SELECT lockstep.drop_ledger('l');
SELECT outcome('SELECT lockstep.transfer(''l'', 1, 2, 1)'), outcome('SELECT lockstep.drop_ledger(''l'')'), outcome('SELECT lockstep.verify_ledger(''l'')');
SELECT count(*) > 1 AS journal_kept FROM l_journal;
SELECT lockstep.register_ledger('l', floor => -5000);
SELECT status, from_balance FROM lockstep.transfer('l', 1, 2, 1);
SELECT lockstep.drop_ledger('l', drop_journal => true);
SELECT to_regclass('l_journal') IS NULL AS journal_gone;
-- A table of that name is left alone, whosever it is: it may be the journal of another life.
CREATE TABLE l_journal (mine int);
SELECT outcome('SELECT lockstep.register_ledger(''l'')');
DROP TABLE l_journal;

-- What cannot be a ledger.
CREATE TABLE no_key (id int, balance int);
CREATE TABLE two_keys (a int, b int, balance int, PRIMARY KEY (a, b));
CREATE TABLE late (id int PRIMARY KEY DEFERRABLE, balance int);
CREATE TABLE partly (id int, balance int);
CREATE UNIQUE INDEX ON partly (id) WHERE balance > 0;
CREATE TABLE floats (id int PRIMARY KEY, balance float8, price money, words text, n int, generated int GENERATED ALWAYS AS (id * 2) STORED);
CREATE TEMP TABLE passing (id int PRIMARY KEY, balance int);
CREATE VIEW v AS SELECT * FROM l;
CREATE MATERIALIZED VIEW mv AS SELECT * FROM l;
CREATE TABLE ruled (id int PRIMARY KEY, balance int);
CREATE RULE r AS ON UPDATE TO ruled DO ALSO NOTHING;
SELECT call, outcome('SELECT lockstep.register_ledger(' || call || ')') FROM unnest(ARRAY[
    '''no_key''', '''no_key'', ''id''', '''two_keys'', ''a''', '''late''', '''partly'', ''id''', '''floats''', '''floats'', amount => ''price''',
    '''floats'', amount => ''words''', '''floats'', amount => ''generated''', '''floats'', amount => ''nothing''', '''floats'', ''nothing''', '''floats'', amount => ''id''',
    '''floats'', amount => ''n'', floor_column => ''balance''', '''floats'', amount => ''n'', ceiling_column => ''words''',
    '''floats'', amount => ''n'', version_column => ''words''', '''floats'', amount => ''n'', version_column => ''generated''',
    '''floats'', amount => ''n'', version_column => ''n''', '''floats'', amount => ''n'', frozen_column => ''id''',
    '''passing''', '''v''', '''mv''', '''ruled''', '''pg_class''', '''lockstep.registration''', '''l_pkey''',
    'NULL', '''l'', amount => NULL', '''l'', history => NULL', '''l'', floor => ''NaN''', '''l'', floor => 5, ceiling => 4', '''nowhere''']) AS call;
SELECT lockstep.register_ledger('l');
SELECT outcome('SELECT lockstep.register_ledger(''l_journal'', ''request_id'', ''amount'')');

-- A name of 63 characters: the journal's is cut, and found again.
CREATE TABLE a123456789012345678901234567890123456789012345678901234567890bc (id int PRIMARY KEY, balance int);
SELECT lockstep.register_ledger('a123456789012345678901234567890123456789012345678901234567890bc');
SELECT lockstep.register_ledger('a123456789012345678901234567890123456789012345678901234567890bc');
CREATE TABLE a123456789012345678901234567890123456789012345678901234567890xx (id int PRIMARY KEY, balance int);
SELECT outcome('SELECT lockstep.register_ledger(''a123456789012345678901234567890123456789012345678901234567890xx'')');

-- An unlogged ledger has an unlogged journal.
CREATE UNLOGGED TABLE scratch (id int PRIMARY KEY, balance int);
SELECT lockstep.register_ledger('scratch');
SELECT relpersistence FROM pg_class WHERE oid = 'scratch_journal'::regclass;

DROP FUNCTION outcome;
DROP VIEW v;
DROP MATERIALIZED VIEW mv;
DROP SCHEMA "My Shop" CASCADE;
DROP TABLE l, l_journal, no_key, two_keys, late, partly, floats, passing, ruled, scratch, scratch_journal,
    a123456789012345678901234567890123456789012345678901234567890bc, a123456789012345678901234567890123456789012345678901234567890xx, a123456789012345678901234567890123456789012345678901234_journal;
DROP EXTENSION lockstep;
