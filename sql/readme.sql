-- What README.md shows; tests/check_docs compares the two.
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
SELECT status, delta, balance FROM lockstep.adjust('accounts', 2, -5.50);
-- books
SELECT entry, from_key, to_key, amount, from_balance, to_balance, refusal FROM accounts_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('accounts');
UPDATE accounts SET balance = balance + 1 WHERE id = 2;
SELECT violation, key, expected, found FROM lockstep.verify_ledger('accounts');
BEGIN;
UPDATE accounts SET balance = balance - 1 WHERE id = 2;
SELECT status, balance FROM lockstep.adjust('accounts', 2, 1, memo => '{"why": "found in the till"}');
COMMIT;
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

-- rows that must match
CREATE TABLE purses (id int PRIMARY KEY, balance numeric(12,2) NOT NULL, tenant int, currency text);
INSERT INTO purses VALUES (1, 100, 7, 'EUR'), (2, 0, 7, 'EUR'), (3, 0, 7, 'USD');
SELECT lockstep.register_ledger('purses', match_columns => '{tenant,currency}');
SELECT status, from_balance, to_balance FROM lockstep.transfer('purses', 1, 2, 10);
SELECT lockstep.transfer('purses', 1, 3, 10);
DROP TABLE purses, purses_journal;

-- a key of several columns
CREATE TABLE wallets (tenant int, account text, currency text, balance numeric(12,2) NOT NULL,
    PRIMARY KEY (tenant, account, currency));
INSERT INTO wallets VALUES (7, 'cash', 'EUR', 100), (7, 'fees', 'EUR', 0), (8, 'cash', 'EUR', 20);
SELECT lockstep.register_ledger('wallets');
SELECT status, from_balance, to_balance
  FROM lockstep.transfer('wallets', '(7,cash,EUR)', '(7,fees,EUR)', 2.50);
SELECT status, from_balance, to_balance
  FROM lockstep.transfer('wallets', ROW(7, 'cash', 'EUR'), ROW(8, 'cash', 'EUR'), 10);
SELECT status, balance
  FROM lockstep.adjust('wallets', '{"tenant": 8, "account": "cash", "currency": "EUR"}'::jsonb, 5);
SELECT item, status, from_balance, to_balance
  FROM lockstep.transfer_batch('wallets', ARRAY[ROW(8, 'cash', 'EUR'), ROW(7, 'fees', 'EUR')],
       ARRAY[ROW(7, 'cash', 'EUR'), ROW(8, 'cash', 'EUR')], ARRAY[1, 2]);
SELECT from_key, to_key, (to_key).account, amount FROM wallets_journal ORDER BY entry;
-- end of it
SELECT lockstep.drop_ledger('wallets', drop_journal => true);
DROP TABLE wallets;

-- batches
SELECT item, status, sqlstate, from_balance, to_balance
  FROM lockstep.transfer_batch('accounts', ARRAY[1, 1, 2], ARRAY[2, 2, 1], ARRAY[10, 500, 3],
       ARRAY[lockstep.request_id('a'), lockstep.request_id('b'), lockstep.request_id('c')],
       atomic => false);
SELECT lockstep.transfer_batch('accounts', ARRAY[1, 1, 2], ARRAY[2, 2, 1], ARRAY[10, 500, 3]);
-- an order of many lines
SELECT item, status, balance
  FROM lockstep.adjust_batch('stock', ARRAY['bolt', 'nut'], ARRAY[-4, -3],
       ARRAY[lockstep.request_id('order 7, line 1'), lockstep.request_id('order 7, line 2')],
       memos => ARRAY['{"order": 7}', '{"order": 7}']::jsonb[]);
-- from a file
\copy (VALUES ('2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0001', 1, 2, 5.00), ('2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0002', 2, 1, 7.50)) TO 'payments.csv' CSV
\! cat payments.csv
CREATE TEMP TABLE payments (id uuid, payer bigint, payee bigint, amount numeric);
\copy payments FROM 'payments.csv' CSV
SELECT b.status, count(*)
  FROM (SELECT array_agg(payer) AS f, array_agg(payee) AS t, array_agg(amount) AS a, array_agg(id) AS ids
          FROM payments) AS p, lockstep.transfer_batch('accounts', f, t, a, ids) AS b GROUP BY b.status;
\copy payments FROM 'payments.csv' CSV
SELECT b.status, count(*)
  FROM (SELECT array_agg(payer) AS f, array_agg(payee) AS t, array_agg(amount) AS a, array_agg(id) AS ids
          FROM payments) AS p, lockstep.transfer_batch('accounts', f, t, a, ids) AS b GROUP BY b.status;
-- from JSON
SELECT b.item, b.status, b.from_balance
  FROM (SELECT array_agg(payer) AS f, array_agg(payee) AS t, array_agg(amount) AS a, array_agg(id) AS ids
          FROM jsonb_to_recordset('[{"id": "2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0003", "payer": 1, "payee": 2, "amount": 0.75}]')
            AS (id uuid, payer bigint, payee bigint, amount numeric)) AS p,
       lockstep.transfer_batch('accounts', f, t, a, ids) AS b;
-- which store
SELECT ledger, store, store_reason FROM lockstep.ledgers;
DROP TABLE payments;
\! rm -f payments.csv

-- retry
CREATE TABLE rota (doctor text PRIMARY KEY, on_call boolean NOT NULL);
INSERT INTO rota VALUES ('ann', true), ('bob', true);
CALL lockstep.retry($$
    UPDATE rota SET on_call = false
     WHERE doctor = $1 AND (SELECT count(*) FROM rota WHERE on_call) > 1
 RETURNING doctor$$, params => ARRAY['ann']);
CALL lockstep.retry('SELECT status, from_balance FROM lockstep.transfer($1, $2, $3, $4, lockstep.request_id($5))',
    params => ARRAY['accounts', '1', '2', '12.50', 'invoice 7']);
SELECT * FROM lockstep.retry_class('40001');
SELECT lockstep.backoff_hint('accounts', 1);

DROP TABLE rota;
DROP TABLE accounts, accounts_journal, stock, stock_journal;
DROP EXTENSION lockstep;
