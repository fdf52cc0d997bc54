-- A journal stays with the amount and the key that its balances are of: another column takes it over only where it has
-- just these balances, else ids would be replayed, and violations found, that are another column's.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text; detail text; hint text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, said, nullif(detail, ''), nullif(hint, ''));
END $$;
CREATE TABLE accounts (id int PRIMARY KEY, other int UNIQUE, code text UNIQUE, balance numeric(12,2) NOT NULL, points int);
INSERT INTO accounts VALUES (1, 2, 'a', 100, 5), (2, 1, 'b', 100, 5), (3, 3, 'c', 100, NULL);
SELECT lockstep.register_ledger('accounts');
-- An empty journal agrees with anything.
SELECT lockstep.register_ledger('accounts', 'other', 'points');
SELECT lockstep.register_ledger('accounts');
SELECT status FROM lockstep.transfer('accounts', 1, 2, 30, lockstep.request_id('rent'));

-- Another amount, another key, of the same type or not, and both at once.
SELECT outcome($$SELECT lockstep.register_ledger('accounts', amount => 'points')$$);
SELECT outcome($$SELECT lockstep.register_ledger('accounts', 'other')$$);
SELECT outcome($$SELECT lockstep.register_ledger('accounts', 'code')$$);
SELECT outcome($$SELECT lockstep.register_ledger('accounts', 'code', 'points')$$);
SELECT lockstep.drop_ledger('accounts');
SELECT outcome($$SELECT lockstep.register_ledger('accounts', amount => 'points')$$);
SELECT lockstep.register_ledger('accounts');
-- What the transaction has just written counts. A row without an amount does not agree.
BEGIN;
UPDATE accounts SET points = balance WHERE id < 3;
SELECT outcome($$SELECT lockstep.register_ledger('accounts', amount => 'points')$$);
ROLLBACK;
UPDATE accounts SET points = CASE id WHEN 1 THEN 70 END WHERE id < 3;
SELECT outcome($$SELECT lockstep.register_ledger('accounts', amount => 'points')$$);

-- A column that has taken the place of the registered one, with its values, goes on; the rows that were never moved may be anything.
ALTER TABLE accounts ADD COLUMN fresh numeric(14,4);
UPDATE accounts SET fresh = balance WHERE id < 3;
ALTER TABLE accounts RENAME balance TO stale;
ALTER TABLE accounts RENAME fresh TO balance;
SELECT lockstep.register_ledger('accounts');
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 30, lockstep.request_id('rent'));
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 10);
SELECT * FROM lockstep.verify_ledger('accounts');
-- The one that was only renamed is the same one, whatever it has.
UPDATE accounts SET balance = balance + 1 WHERE id = 1;
ALTER TABLE accounts RENAME balance TO saldo;
SELECT lockstep.register_ledger('accounts', amount => 'saldo');
SELECT violation, key, expected, found FROM lockstep.verify_ledger('accounts');
UPDATE accounts SET saldo = saldo - 1 WHERE id = 1;
-- So does a key: a wider one, and by their text another type's.
ALTER TABLE accounts ADD COLUMN wide bigint UNIQUE, ADD COLUMN name text UNIQUE;
UPDATE accounts SET wide = id, name = id;
SELECT lockstep.register_ledger('accounts', 'wide', 'saldo');
SELECT status FROM lockstep.transfer('accounts', 5000000000 - 4999999999, 2, 30, lockstep.request_id('rent'));
SELECT lockstep.register_ledger('accounts', 'name', 'saldo');
SELECT status, from_balance FROM lockstep.transfer('accounts', '1', '2', 30, lockstep.request_id('rent'));
SELECT * FROM lockstep.verify_ledger('accounts');
-- A row that is gone: no other amount is asked for it, but another key has to have it.
DELETE FROM accounts WHERE id = 2;
ALTER TABLE accounts ADD COLUMN saldo2 numeric;
UPDATE accounts SET saldo2 = saldo;
SELECT lockstep.register_ledger('accounts', 'name', 'saldo2');
SELECT outcome($$SELECT lockstep.register_ledger('accounts', 'id', 'saldo2')$$);

-- Keys of several columns: their amount alone may be another one.
CREATE TABLE wallets (tenant int, account text, balance int, points int, PRIMARY KEY (tenant, account));
INSERT INTO wallets VALUES (1, 'a', 100, 5), (1, 'b', 100, 5);
SELECT lockstep.register_ledger('wallets');
SELECT status FROM lockstep.transfer('wallets', '(1,a)', '(1,b)', 30);
SELECT outcome($$SELECT lockstep.register_ledger('wallets', amount => 'points')$$);
ALTER TABLE wallets ALTER COLUMN tenant TYPE bigint;
SELECT outcome($$SELECT lockstep.register_ledger('wallets', amount => 'points')$$);
UPDATE wallets SET points = balance;
SELECT lockstep.register_ledger('wallets', amount => 'points');
SELECT * FROM lockstep.verify_ledger('wallets');

DROP FUNCTION outcome;
DROP TABLE accounts, accounts_journal, wallets, wallets_journal;
DROP TYPE wallets_key;
DROP EXTENSION lockstep;
