-- Statistics of ledgers in a session that loads the module by itself: there is nothing to see, and a hint. What is
-- counted is in tests/tap/026_ledger_stats.pl.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('accounts');
BEGIN;
SELECT status FROM lockstep.transfer('accounts', 1, 2, 1);
SAVEPOINT x;
SELECT status FROM lockstep.transfer('accounts', 1, 2, 1);
ROLLBACK TO x;
COMMIT;
SELECT * FROM lockstep.ledger_stats;
\set VERBOSITY sqlstate
SELECT * FROM lockstep.ledger_stats;
SELECT * FROM lockstep.submit_stats;
SELECT lockstep.reset_ledger_stats();
\set VERBOSITY default

-- Everything has a comment.
SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'lockstep.ledger_stats'::regclass AND a.attnum > 0
   AND (col_description(a.attrelid, a.attnum) IS NULL OR obj_description(a.attrelid) IS NULL);
SELECT name, setting, vartype, context, min_val, max_val, short_desc, extra_desc FROM pg_settings WHERE name = 'lockstep.counted_ledgers';

-- Nobody but the owner resets.
CREATE ROLE regress_ls_looker;
SET ROLE regress_ls_looker;
SELECT lockstep.reset_ledger_stats();
RESET ROLE;
DROP ROLE regress_ls_looker;
DROP TABLE accounts, accounts_journal;
DROP EXTENSION lockstep;
