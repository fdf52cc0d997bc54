-- CALL submit, in a server that has not preloaded lockstep: a transfer, or an adjustment, that commits by itself.
CREATE EXTENSION lockstep;
\set SHOW_CONTEXT never
\set terse '\\echo :status :sqlstate moved :moved from :from_balance to :to_balance group :group_size'
CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(12,2) NOT NULL CHECK (balance < 1000), frozen boolean NOT NULL DEFAULT false);
INSERT INTO accounts VALUES (1, 100, false), (2, 100, false), (3, 100, true);
SELECT lockstep.register_ledger('accounts', floor => '0', frozen_column => 'frozen');
CALL lockstep.submit('accounts', 1, 2, 10.50, lockstep.request_id('s1')) \gset
:terse
CALL lockstep.submit('accounts', 1, 2, 10.50, lockstep.request_id('s1')) \gset
:terse
CALL lockstep.submit('accounts', NULL, 2, 5, lockstep.request_id('s2'), memo => '{"from": "outside"}') \gset
:terse
CALL lockstep.submit('accounts', 1, NULL, 5) \gset
:terse
CALL lockstep.submit('accounts', '1', '2', 5) \gset
:terse
CALL lockstep.submit('accounts', 1, NULL, 500, at_most => true) \gset
:terse
CALL lockstep.submit('accounts', 1, 2, 500, lockstep.request_id('s3'), on_refusal => 'return') \gset
:terse
CALL lockstep.submit('accounts', 1, 2, 500, lockstep.request_id('s3'), on_refusal => 'return') \gset
:terse
SELECT from_key, to_key, amount, from_balance, to_balance, refusal, memo FROM accounts_journal ORDER BY entry;

-- Errors: those of a transfer, and nothing is done.
\set VERBOSITY sqlstate
CALL lockstep.submit('accounts', 2, 1, 500);
CALL lockstep.submit('accounts', 2, 9, 5);
CALL lockstep.submit('accounts', 2, 3, 5);
CALL lockstep.submit('accounts', 2, 2, 5);
CALL lockstep.submit('accounts', NULL::int, NULL, 5);
CALL lockstep.submit('accounts', 2, 1, 0);
CALL lockstep.submit('accounts', 2, 1, 0.001);
CALL lockstep.submit('accounts', 2, 1, NULL);
CALL lockstep.submit('accounts', NULL, 2, 900);
CALL lockstep.submit('accounts', 1, 2, 11, lockstep.request_id('s1'));
CALL lockstep.submit('accounts', 1, 2, 11, on_refusal => 'ignore');
CALL lockstep.submit('pg_class', 1, 2, 11);
CALL lockstep.submit(NULL, 1, 2, 11);

-- It stands alone.
BEGIN;
CALL lockstep.submit('accounts', 2, 1, 5);
ROLLBACK;
CALL lockstep.retry('CALL lockstep.submit($$accounts$$, 2, 1, 5)');
CREATE PROCEDURE pays() LANGUAGE plpgsql AS $$
DECLARE a text; b text; c numeric; d numeric; e numeric; f timestamptz; g int;
BEGIN
    CALL lockstep.submit('accounts', 2, 1, 5, status => a, sqlstate => b, moved => c, from_balance => d, to_balance => e, booked_at => f, group_size => g);
END $$;
CALL pays();
DROP PROCEDURE pays;
SET default_transaction_read_only = on;
CALL lockstep.submit('accounts', 2, 1, 5);
RESET default_transaction_read_only;

-- Whatever the session's level is.
\set VERBOSITY default
SET default_transaction_isolation = 'repeatable read';
CALL lockstep.submit('accounts', 2, 1, 5) \gset
:terse
SHOW transaction_isolation;
RESET default_transaction_isolation;

-- The caller's rights, each time.
CREATE ROLE submit_reader;
CREATE ROLE submit_payer;
GRANT USAGE ON SCHEMA lockstep TO submit_reader, submit_payer;
GRANT SELECT ON accounts TO submit_reader, submit_payer;
GRANT UPDATE (balance) ON accounts TO submit_payer;
SET ROLE submit_reader;
CALL lockstep.submit('accounts', 2, 1, 5);
SET ROLE submit_payer;
CALL lockstep.submit('accounts', 2, 1, 5) \gset
:terse
RESET ROLE;

-- A ledger that statements serve.
CREATE FUNCTION passes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER passes BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION passes();
CALL lockstep.submit('accounts', 2, 1, 5) \gset
:terse
SELECT id, balance FROM accounts ORDER BY id;
SELECT * FROM lockstep.verify_ledger('accounts');

DROP TABLE accounts, accounts_journal;
DROP FUNCTION passes;
DROP OWNED BY submit_reader, submit_payer;
DROP ROLE submit_reader, submit_payer;
DROP EXTENSION lockstep;
