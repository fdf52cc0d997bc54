-- verify_ledger finds what does not agree, and says where.
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(12,2), lo numeric DEFAULT 0, hi numeric);
INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 6) AS n;
SELECT lockstep.register_ledger('accounts', floor_column => 'lo', ceiling_column => 'hi');
SELECT count(*) FROM generate_series(1, 50) AS n, lockstep.transfer('accounts', 1 + n % 6, 1 + (n + 1 + n % 5) % 6, n * 0.5, lockstep.request_id('t' || n), on_refusal => 'return') WHERE 1 + n % 6 <> 1 + (n + 1 + n % 5) % 6;
SELECT count(*) FROM generate_series(1, 6) AS n, lockstep.adjust('accounts', n, 10);
SELECT * FROM lockstep.verify_ledger('accounts');

-- Each kind of damage, done behind lockstep's back and found.
BEGIN;
UPDATE accounts SET balance = balance + 1 WHERE id = 1;
SELECT violation, key, expected - found AS off FROM lockstep.verify_ledger('accounts');
-- It stays found when the row has moved on.
SELECT status FROM lockstep.adjust('accounts', 1, 5);
SELECT violation, key, expected - found AS off FROM lockstep.verify_ledger('accounts');
ROLLBACK;
BEGIN;
UPDATE accounts SET lo = balance + 1 WHERE id = 2;
UPDATE accounts SET hi = balance - 1 WHERE id = 3;
SELECT violation, key, found - expected AS off FROM lockstep.verify_ledger('accounts');
ROLLBACK;
BEGIN;
DELETE FROM accounts WHERE id = 4;
SELECT violation, key, found FROM lockstep.verify_ledger('accounts');
ROLLBACK;
BEGIN;
UPDATE accounts SET balance = 'NaN' WHERE id = 5;
UPDATE accounts SET balance = NULL WHERE id = 6;
SELECT violation, key, found FROM lockstep.verify_ledger('accounts');
ROLLBACK;
BEGIN;
ALTER TABLE accounts_journal DISABLE TRIGGER USER;
DELETE FROM accounts_journal WHERE entry = (SELECT min(entry) + 10 FROM accounts_journal);
SELECT violation, count(*) FROM lockstep.verify_ledger('accounts') GROUP BY violation;
ROLLBACK;
BEGIN;
ALTER TABLE accounts_journal DISABLE TRIGGER USER;
UPDATE accounts_journal SET amount = amount + 1 WHERE entry = (SELECT min(entry) + 20 FROM accounts_journal WHERE refusal IS NULL);
SELECT violation, count(*) > 0 AS found FROM lockstep.verify_ledger('accounts') GROUP BY violation;
ROLLBACK;
DELETE FROM accounts_journal;
UPDATE accounts_journal SET amount = 1;
TRUNCATE accounts_journal;
SELECT * FROM lockstep.verify_ledger('accounts');
SELECT lockstep.verify_ledger(NULL);

-- Keys are shown by their type's own output; a cast of the owner's is not called.
CREATE TYPE code AS (n int);
CREATE FUNCTION show(code) RETURNS text LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE CAST (code AS text) WITH FUNCTION show(code);
CREATE TABLE coded (id code PRIMARY KEY, balance int);
INSERT INTO coded VALUES (ROW(1), -5);
SELECT lockstep.register_ledger('coded');
SELECT violation, key, found FROM lockstep.verify_ledger('coded');

-- A key that is a row may have nulls in it.
CREATE TYPE holey_pair AS (a int, b int);
CREATE TABLE paired (id holey_pair PRIMARY KEY, balance int);
INSERT INTO paired VALUES ('(1,)', 100), ('(,)', 100);
SELECT lockstep.register_ledger('paired');
SELECT status FROM lockstep.transfer('paired', '(1,)', '(,)', 10);
SELECT * FROM lockstep.verify_ledger('paired');
UPDATE paired SET balance = balance + 1;
SELECT violation, key, expected, found FROM lockstep.verify_ledger('paired');
DELETE FROM paired;
SELECT violation, key, expected, found FROM lockstep.verify_ledger('paired');

DROP TABLE accounts, accounts_journal, coded, coded_journal, paired, paired_journal;
SET client_min_messages = warning;
DROP TYPE code, holey_pair CASCADE;
DROP EXTENSION lockstep;
