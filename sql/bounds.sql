-- What docs/bounds.md shows; tests/check_docs compares the two.
CREATE EXTENSION lockstep;
CREATE TABLE accounts (
    id              bigint PRIMARY KEY,
    balance         numeric(12,2) NOT NULL,
    may_be_negative boolean NOT NULL DEFAULT false,
    status          text NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'blocked', 'closed')));
INSERT INTO accounts VALUES (1, 100, false, 'active'), (2, 100, true, 'active'), (3, 0, false, 'closed');

-- bounds by a yes or no
ALTER TABLE accounts
    ADD lowest numeric GENERATED ALWAYS AS (CASE WHEN may_be_negative THEN NULL ELSE 0 END) STORED;
SELECT lockstep.register_ledger('accounts', floor_column => 'lowest');
SELECT status, from_balance FROM lockstep.transfer('accounts', 2, 1, 150);
SELECT lockstep.transfer('accounts', 1, 2, 300);

-- taken back
UPDATE accounts SET may_be_negative = false WHERE id = 2;
SELECT lockstep.adjust('accounts', 2, -1);
SELECT violation, key, expected, found FROM lockstep.verify_ledger('accounts');
SELECT status, balance FROM lockstep.adjust('accounts', 2, 60);

-- a status
ALTER TABLE accounts ADD frozen boolean GENERATED ALWAYS AS (status IS DISTINCT FROM 'active') STORED;
SELECT lockstep.register_ledger('accounts', floor_column => 'lowest', frozen_column => 'frozen');
SELECT lockstep.transfer('accounts', 1, 3, 10);
UPDATE accounts SET status = 'active' WHERE id = 3;
SELECT status, to_balance FROM lockstep.transfer('accounts', 1, 3, 10);

-- credit lines
CREATE TABLE cards (
    id      text PRIMARY KEY,
    balance integer NOT NULL,
    credit  integer,                 -- null: none
    lowest  integer GENERATED ALWAYS AS (-coalesce(credit, 0)) STORED);
INSERT INTO cards VALUES ('blue', 50, NULL), ('gold', 50, 200);
SELECT lockstep.register_ledger('cards', floor_column => 'lowest');
SELECT item, status, sqlstate, from_balance, to_balance
  FROM lockstep.transfer_batch('cards', '{blue,gold,gold}'::text[], '{gold,blue,blue}'::text[], '{60,250,1}', NULL, false);

-- without a generated column
CREATE TABLE tills (
    id              int PRIMARY KEY,
    balance         integer NOT NULL,
    may_be_negative boolean NOT NULL DEFAULT false,
    lowest          integer DEFAULT 0,
    CHECK (lowest IS NOT DISTINCT FROM CASE WHEN may_be_negative THEN NULL ELSE 0 END));
INSERT INTO tills VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('tills', floor_column => 'lowest');
UPDATE tills SET may_be_negative = true WHERE id = 1;
UPDATE tills SET may_be_negative = true, lowest = NULL WHERE id = 1;
SELECT status, from_balance FROM lockstep.transfer('tills', 1, 2, 150);
SELECT ledger, store, store_reason FROM lockstep.ledgers;

-- an enum
CREATE TYPE mood AS ENUM ('open', 'shut');
CREATE TABLE doors (id int PRIMARY KEY, balance int DEFAULT 10, mood mood, frozen boolean GENERATED ALWAYS AS (mood IS DISTINCT FROM 'open') STORED);
INSERT INTO doors (id, mood) VALUES (1, 'open'), (2, 'open'), (3, 'shut'), (4, NULL);
SELECT lockstep.register_ledger('doors', frozen_column => 'frozen');
SELECT item, status, sqlstate FROM lockstep.transfer_batch('doors', '{1,1,4}'::int[], '{2,3,1}'::int[], '{1,1,1}', NULL, false);

-- From PostgreSQL 18 on a generated column may be virtual: it is computed as it is read, and does the same. Elsewhere it is stored here.
SELECT current_setting('server_version_num')::int >= 180000 AS has_virtual \gset
\set kind STORED
\if :has_virtual
\set kind VIRTUAL
\endif
CREATE TABLE virtual (id int PRIMARY KEY, balance int DEFAULT 10, may boolean, status text DEFAULT 'active', currency text DEFAULT 'eur',
    lowest int GENERATED ALWAYS AS (CASE WHEN may THEN NULL ELSE 0 END) :kind, frozen boolean GENERATED ALWAYS AS (status <> 'active') :kind,
    unit text GENERATED ALWAYS AS (upper(currency)) :kind);
INSERT INTO virtual (id, may, status, currency) VALUES (1, true, 'active', 'EUR'), (2, false, 'active', 'eur'), (3, false, 'closed', 'eur'), (4, false, 'active', 'usd');
SELECT lockstep.register_ledger('virtual', floor_column => 'lowest', frozen_column => 'frozen', match_columns => '{unit}');
SELECT store, store_reason FROM lockstep.store_of('virtual');
SELECT call, (lockstep.transfer('virtual', call[1], call[2], call[3], on_refusal => 'return')).sqlstate
  FROM unnest(ARRAY['(1,2,30)', '(2,1,300)', '(1,3,1)', '(1,4,1)']) AS t, LATERAL (SELECT translate(t, '()', '{}')::int[]) AS c(call);
SELECT item, status, sqlstate FROM lockstep.transfer_batch('virtual', '{1,2,1,1}'::int[], '{2,1,3,4}'::int[], '{30,300,1,1}', NULL, false);
UPDATE virtual SET status = 'closed' WHERE id = 2;
SELECT sqlstate FROM lockstep.adjust('virtual', 2, 1, on_refusal => 'return');
SELECT * FROM lockstep.verify_ledger('virtual');
-- But it cannot be the amount.
CREATE TABLE computed (id int PRIMARY KEY, n int, balance int GENERATED ALWAYS AS (n) :kind);
SELECT lockstep.register_ledger('computed');

DROP TABLE accounts, accounts_journal, cards, cards_journal, tills, tills_journal, doors, doors_journal, virtual, virtual_journal, computed;
DROP TYPE mood;
DROP EXTENSION lockstep;
