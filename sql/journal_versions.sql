-- A journal goes on whatever version of lockstep has made it, and no id of it is forgotten.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    detail text;
    hint text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, said, nullif(detail, ''), nullif(hint, ''));
END $$;

-- Version 1 as version 1 has made it, written out here: this must not follow what is made later.
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO accounts VALUES (1, 70), (2, 130);
CREATE TABLE accounts_journal (request_id uuid NOT NULL PRIMARY KEY,
    entry bigint NOT NULL GENERATED ALWAYS AS IDENTITY,
    booked_at timestamptz NOT NULL,
    from_key bigint,
    to_key bigint,
    amount numeric NOT NULL,
    from_balance numeric,
    to_balance numeric,
    refusal text,
    memo jsonb);
INSERT INTO accounts_journal OVERRIDING SYSTEM VALUE VALUES
    ('2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0001', DEFAULT, '2026-01-01', 1, 2, 30, 70, 130, NULL, '{"for": "rent"}'),
    ('2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0002', DEFAULT, '2026-01-02', 1, 2, 500, 70, 130, 'LS001', NULL);
CREATE TRIGGER lockstep_guard BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON accounts_journal
    FOR EACH STATEMENT EXECUTE FUNCTION lockstep.journal_guard();
CREATE TRIGGER lockstep_guard_rows BEFORE INSERT OR UPDATE OR DELETE ON accounts_journal
    FOR EACH ROW EXECUTE FUNCTION lockstep.journal_guard();
CREATE TABLE model (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
SELECT lockstep.register_ledger('model');
INSERT INTO lockstep.registration
SELECT (jsonb_populate_record(r, jsonb_build_object('ledger', 'accounts', 'journal', 'accounts_journal',
           'registered_oid', 'accounts'::regclass::oid, 'journal_version', 1))).*
  FROM lockstep.registration AS r WHERE r.ledger = 'model'::regclass;

SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 30, '2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0001');
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 500, '2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0002')$$);
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 10);
SELECT entry, from_key, amount, from_balance, refusal FROM accounts_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('accounts');

-- register_ledger makes it a journal of today, with the rows that it has.
SELECT lockstep.register_ledger('accounts');
SELECT r.journal_version = m.journal_version AS is_of_today FROM lockstep.registration AS r, lockstep.registration AS m
 WHERE r.ledger = 'accounts'::regclass AND m.ledger = 'model'::regclass;
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 30, '2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0001');
SELECT * FROM lockstep.verify_ledger('accounts');

-- A memo is missed by nobody: its column comes back. A column that says what was done does not.
ALTER TABLE accounts_journal DROP COLUMN memo;
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 1)$$);
SELECT lockstep.register_ledger('accounts');
SELECT col_description('accounts_journal'::regclass, attnum) FROM pg_attribute
 WHERE attrelid = 'accounts_journal'::regclass AND attname = 'memo';
SELECT status FROM lockstep.transfer('accounts', 1, 2, 30, '2f3b5b3e-6c8f-4d5e-9d40-6a6f3a1f0001');
SELECT status FROM lockstep.transfer('accounts', 1, 2, 5, memo => '{"for": "tea"}');
SELECT entry, memo FROM accounts_journal ORDER BY entry;
SELECT lockstep.store_of('accounts');
BEGIN;
ALTER TABLE accounts_journal DROP COLUMN booked_at;
SELECT outcome($$SELECT lockstep.register_ledger('accounts')$$);
ROLLBACK;
BEGIN;
ALTER TABLE accounts_journal DROP COLUMN refusal;
SELECT outcome($$SELECT lockstep.register_ledger('accounts')$$);
ROLLBACK;

-- What a journal of the first version has under a name that a later one uses is its owner's: it says nothing of a request.
CREATE TABLE early (id int PRIMARY KEY, balance int NOT NULL DEFAULT 10);
INSERT INTO early VALUES (1), (2);
SELECT lockstep.register_ledger('early');
ALTER TABLE early_journal DROP COLUMN at_most;
UPDATE lockstep.registration SET journal_version = 1 WHERE ledger = 'early'::regclass;
\c
SELECT status FROM lockstep.transfer('early', 1, 2, 5, lockstep.request_id('a'));
SELECT store FROM lockstep.store_of('early');
ALTER TABLE early_journal ADD at_most numeric NOT NULL DEFAULT 3;
SELECT status FROM lockstep.transfer('early', 1, 2, 5, lockstep.request_id('a'));
SELECT status FROM lockstep.transfer('early', 1, 2, 1, lockstep.request_id('b'));
SELECT status FROM lockstep.transfer('early', 1, 2, 1, lockstep.request_id('b'));
SELECT outcome($$SELECT lockstep.transfer('early', 1, 2, 1, at_most => true)$$);
ALTER TABLE early_journal ALTER at_most DROP NOT NULL, ALTER at_most DROP DEFAULT;
SELECT store, store_reason FROM lockstep.store_of('early');
SELECT status FROM lockstep.transfer('early', 1, 2, 1, lockstep.request_id('c'));
ALTER TABLE early_journal ALTER at_most TYPE text;
SELECT status FROM lockstep.transfer('early', 1, 2, 1, lockstep.request_id('c'));
SELECT amount, at_most FROM early_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('early');
SELECT outcome($$SELECT lockstep.register_ledger('early')$$);
ALTER TABLE early_journal RENAME at_most TO limit_then;
SELECT outcome($$SELECT lockstep.register_ledger('early')$$);
SELECT status FROM lockstep.transfer('early', 1, 2, 5, lockstep.request_id('a'));
SELECT status, amount FROM lockstep.transfer('early', 1, 2, 50, at_most => true);
SELECT amount, at_most, limit_then FROM early_journal ORDER BY entry;

-- What a later version has made is not for this one.
UPDATE lockstep.registration SET journal_version = 99 WHERE ledger = 'accounts'::regclass;
\c
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 2, 1)$$);
SELECT outcome($$SELECT lockstep.register_ledger('accounts')$$);
SELECT outcome($$SELECT * FROM lockstep.verify_ledger('accounts')$$);
-- Nor is a registration table that is another one.
BEGIN;
ALTER TABLE lockstep.registration ALTER key_columns DROP NOT NULL;
UPDATE lockstep.registration SET key_columns = NULL;
SELECT outcome($$SELECT lockstep.register_ledger('accounts')$$);
ROLLBACK;
BEGIN;
ALTER TABLE lockstep.registration ALTER journal_version TYPE text;
SELECT outcome($$SELECT lockstep.register_ledger('accounts')$$);
ROLLBACK;
DROP TABLE accounts, accounts_journal, model, model_journal, early, early_journal;
DROP FUNCTION outcome;
DROP EXTENSION lockstep;
