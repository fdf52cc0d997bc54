-- What README.md shows; tests/check_readme compares the two.
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 50);
SELECT lockstep.register_ledger('accounts');
SELECT status, from_balance, to_balance
  FROM lockstep.transfer('accounts', 1, 2, 30, lockstep.request_id('rent 2026-11'));

-- again
SELECT status, from_balance, to_balance
  FROM lockstep.transfer('accounts', 1, 2, 30, lockstep.request_id('rent 2026-11'));
SELECT lockstep.transfer('accounts', 1, 2, 40, lockstep.request_id('rent 2026-11'));
-- refused
SELECT lockstep.transfer('accounts', 1, 2, 500);
SELECT status, sqlstate, from_balance
  FROM lockstep.transfer('accounts', 1, 2, 500, lockstep.request_id('car'), on_refusal => 'return');
-- one leg
SELECT status, delta, balance FROM lockstep.adjust('accounts', 2, -5.50);
-- books
SELECT entry, from_key, to_key, amount, from_balance, to_balance, refusal FROM accounts_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('accounts');
UPDATE accounts SET balance = balance + 1 WHERE id = 2;
SELECT violation, key, expected, found FROM lockstep.verify_ledger('accounts');

-- a shop's stock, with everything that can be named
CREATE TABLE stock (
    sku     text PRIMARY KEY,
    on_hand integer NOT NULL,
    room    integer,                 -- null: as much as there is
    version integer NOT NULL DEFAULT 0,
    blocked boolean NOT NULL DEFAULT false);
INSERT INTO stock VALUES ('bolt', 40, 50), ('nut', 5, NULL);
SELECT lockstep.register_ledger('stock', amount => 'on_hand', ceiling_column => 'room',
    version_column => 'version', frozen_column => 'blocked');
SELECT status, balance FROM lockstep.adjust('stock', 'bolt', -1, expected_version => 0);
SELECT lockstep.adjust('stock', 'bolt', -1, expected_version => 0);
SELECT ledger, journal, key_column, amount_column, floor, ceiling_column, store FROM lockstep.ledgers;

DROP TABLE accounts, accounts_journal, stock, stock_journal;
DROP EXTENSION lockstep;
