-- A journal whose registration is lost (DROP EXTENSION, a dump of the schema or of some tables, a publication) is taken up
-- again, and no request is done twice.
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
CREATE TABLE a (id int PRIMARY KEY, other int UNIQUE, balance numeric(12,2) NOT NULL, points int);
INSERT INTO a VALUES (1, 1, 100, 5), (2, 2, 100, 5), (3, 3, 100, 5);
CREATE TABLE w (tenant int, account text, balance int, PRIMARY KEY (tenant, account));
INSERT INTO w VALUES (1, 'a', 100), (1, 'b', 100);
CREATE TABLE b (id int PRIMARY KEY, balance int);
INSERT INTO b VALUES (1, 70), (2, 130);
SELECT lockstep.register_ledger('a', history => true), lockstep.register_ledger('w');
SELECT status FROM lockstep.transfer('a', 1, 2, 30, lockstep.request_id('rent'));
SELECT outcome($$SELECT lockstep.transfer('a', 1, 2, 500, lockstep.request_id('car'), on_refusal => 'return')$$);
SELECT status FROM lockstep.transfer('w', '(1,a)', '(1,b)', 30, lockstep.request_id('rent'));
SET client_min_messages = warning;
DROP EXTENSION lockstep CASCADE;
RESET client_min_messages;
CREATE EXTENSION lockstep;
SELECT count(*) AS guards FROM pg_trigger WHERE tgrelid = 'a_journal'::regclass;
SELECT outcome($$SELECT lockstep.register_ledger('a')$$);
ALTER SEQUENCE a_journal_entry_seq RESTART;

-- Only what is a journal, of these keys, of nobody else, and with these balances.
SELECT argument, outcome('SELECT lockstep.register_ledger(' || argument || ')') FROM unnest(ARRAY[
    '''a'', journal => ''b''', '''a'', journal => ''a''', '''a'', journal => ''a_pkey''', '''a'', journal => ''w_journal''', '''w'', journal => ''a_journal''',
    '''a'', amount => ''points'', journal => ''a_journal''']) AS argument;
SELECT tgname FROM pg_trigger WHERE tgrelid = 'b'::regclass;
UPDATE a SET balance = balance + 1 WHERE id = 2;
SELECT outcome($$SELECT lockstep.register_ledger('a', journal => 'a_journal')$$);
UPDATE a SET balance = balance - 1 WHERE id = 2;
CREATE ROLE regress_lockstep_lost;
GRANT CREATE, USAGE ON SCHEMA public TO regress_lockstep_lost;
ALTER TABLE b OWNER TO regress_lockstep_lost;
SET ROLE regress_lockstep_lost;
SELECT outcome($$SELECT lockstep.register_ledger('b', journal => 'a_journal')$$);
RESET ROLE;
SELECT replace(outcome($$SELECT lockstep.register_ledger('b', journal => 'a_journal')$$), current_user, 'the owner');
ALTER TABLE b OWNER TO CURRENT_USER;
SELECT ledger FROM lockstep.ledgers;

-- Taken up: the same request is known, and so is a refusal; the guards are back, and entries go on.
SELECT lockstep.register_ledger('a', journal => 'a_journal'), lockstep.register_ledger('w', journal => 'w_journal');
SELECT status, from_balance FROM lockstep.transfer('a', 1, 2, 30, lockstep.request_id('rent'));
SELECT outcome($$SELECT lockstep.transfer('a', 1, 2, 500, lockstep.request_id('car'))$$);
SELECT status, from_balance FROM lockstep.transfer('w', '(1,a)', '(1,b)', 30, lockstep.request_id('rent'));
SELECT status, from_balance FROM lockstep.transfer('a', 1, 2, 1);
SELECT status, from_balance FROM lockstep.transfer('w', '(1,a)', '(1,b)', 1);
SELECT array_agg(entry ORDER BY entry) FROM a_journal;
DELETE FROM a_journal;
SELECT * FROM lockstep.verify_ledger('a');
SELECT * FROM lockstep.verify_ledger('w');
-- Without the argument it is the journal that is in the way, also where its key has a type of its own.
BEGIN;
DELETE FROM lockstep.registration;
SELECT outcome($$SELECT lockstep.register_ledger('w')$$);
ROLLBACK;
-- Once more with the same journal; with another one, or the journal of another ledger.
SELECT lockstep.register_ledger('a', journal => 'a_journal');
SELECT outcome($$SELECT lockstep.register_ledger('a', journal => 'w_journal')$$);
SELECT outcome($$SELECT lockstep.register_ledger('b', journal => 'a_journal')$$);
SELECT lockstep.drop_ledger('a');
SELECT outcome($$SELECT lockstep.register_ledger('b', journal => 'a_journal')$$);

-- The table was made anew, as by a restore, and one of its rows has gone since.
CREATE TABLE again AS SELECT * FROM a WHERE id <> 2;
DROP TABLE a;
ALTER TABLE again RENAME TO a;
ALTER TABLE a ADD PRIMARY KEY (id);
SELECT lockstep.register_ledger('a', journal => 'a_journal');
SELECT status, from_balance FROM lockstep.transfer('a', 1, 2, 30, lockstep.request_id('rent'));
SELECT violation, key, expected, found FROM lockstep.verify_ledger('a');

DROP FUNCTION outcome;
DROP TABLE a, a_journal, b, w, w_journal;
DROP TYPE w_key;
REVOKE ALL ON SCHEMA public FROM regress_lockstep_lost;
DROP ROLE regress_lockstep_lost;
DROP EXTENSION lockstep;
