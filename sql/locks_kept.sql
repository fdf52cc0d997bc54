-- Which locks are left when a call has returned, and what a look asks for: rights, and no more.
CREATE EXTENSION lockstep;
CREATE ROLE regress_lockstep_reader;
CREATE ROLE regress_lockstep_nobody;
CREATE SCHEMA shop;
CREATE TABLE shop.accounts (id int PRIMARY KEY, balance int NOT NULL, secret int);
INSERT INTO shop.accounts VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('shop.accounts');
CREATE TABLE shop.cells (id int PRIMARY KEY, balance int NOT NULL) PARTITION BY RANGE (id);
CREATE TABLE shop.cells_1 PARTITION OF shop.cells FOR VALUES FROM (0) TO (10);
CREATE TABLE shop.cells_2 PARTITION OF shop.cells FOR VALUES FROM (10) TO (20);
INSERT INTO shop.cells VALUES (1, 1), (11, 1);
SELECT lockstep.register_ledger('shop.cells');
CREATE TABLE shop.plain (id int);

-- The locks of this transaction on tables and indexes of the schemas.
CREATE FUNCTION left_after(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    locks text;
BEGIN
    EXECUTE statement;
    SELECT string_agg(format('%s %s', l.relation::regclass, l.mode), ', ' ORDER BY l.relation::regclass::text COLLATE "C", l.mode COLLATE "C") INTO locks
      FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation AND c.relnamespace IN ('shop'::regnamespace, 'lockstep'::regnamespace)
     WHERE l.pid = pg_backend_pid() AND l.locktype = 'relation';
    RAISE EXCEPTION USING ERRCODE = 'ZZ000', MESSAGE = coalesce(locks, 'nothing');
EXCEPTION WHEN SQLSTATE 'ZZ000' THEN
    RETURN SQLERRM;
END $$;
SELECT left_after($$SELECT lockstep.store_of('shop.accounts')$$) AS store_of, left_after($$SELECT lockstep.store_of('shop.plain')$$) AS of_no_ledger,
       left_after($$SELECT lockstep.store_of('shop.cells')$$) AS of_partitions, left_after($$SELECT lockstep.store_of(0)$$) AS of_none,
       left_after($$SELECT lockstep.backoff_hint('shop.accounts', 1)$$) AS hint, left_after($$SELECT lockstep.backoff_hint('shop.cells', 11)$$) AS of_partitions;
SELECT left_after('SELECT * FROM lockstep.ledgers') AS ledgers, left_after('SELECT * FROM lockstep.retry_rules') AS retry_rules,
       left_after('SELECT lockstep.request_id(''x'')') AS request_id, left_after('SELECT * FROM lockstep.transaction_info()') AS transaction_info,
       left_after('SELECT lockstep.lock_tree_text()') AS lock_tree_text, left_after('SELECT lockstep.transaction_audit()') AS transaction_audit;
-- A movement keeps what its writes keep, until the end of the transaction. The partitions are the statements' own.
SELECT left_after($$SELECT lockstep.adjust('shop.accounts', 1, 1)$$) AS adjust;
SELECT left_after($$SELECT lockstep.transfer_batch('shop.accounts', ARRAY[1], ARRAY[2], ARRAY[1])$$) AS batch;
SELECT left_after($$SELECT lockstep.verify_ledger('shop.accounts')$$) AS verify;

-- A hint is for those who may read the key.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN coalesce(result, 'null');
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
CREATE TABLE asked (question text, statement text);
INSERT INTO asked VALUES ('of a row', $$SELECT lockstep.backoff_hint('shop.accounts'::regclass, 1)$$), ('of no row', $$SELECT lockstep.backoff_hint('shop.accounts'::regclass, 9)$$);
GRANT SELECT ON asked TO PUBLIC;
PREPARE both_roles AS SELECT current_user, question, outcome(replace(statement, '''shop.accounts''::regclass', $1::oid::text)) FROM asked ORDER BY question;
SELECT 'shop.accounts'::regclass::oid AS accounts \gset
SET ROLE regress_lockstep_nobody;
EXECUTE both_roles(:accounts);
RESET ROLE;
GRANT USAGE ON SCHEMA shop TO regress_lockstep_nobody, regress_lockstep_reader;
GRANT SELECT (balance, secret) ON shop.accounts TO regress_lockstep_nobody;
GRANT SELECT (id) ON shop.accounts TO regress_lockstep_reader;
SET ROLE regress_lockstep_nobody;
EXECUTE both_roles(:accounts);
RESET ROLE;
SET ROLE regress_lockstep_reader;
EXECUTE both_roles(:accounts);
RESET ROLE;
-- Row security is not looked past: to find out whose a row is could have to wait.
ALTER TABLE shop.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON shop.accounts USING (id = 2);
SET ROLE regress_lockstep_reader;
EXECUTE both_roles(:accounts);
RESET ROLE;
EXECUTE both_roles(:accounts);
-- Which store serves a table anybody may ask, as for its size.
SET ROLE regress_lockstep_nobody;
SELECT store FROM lockstep.store_of(:accounts);
RESET ROLE;

DEALLOCATE both_roles;
DROP SCHEMA shop CASCADE;
DROP TABLE asked;
DROP FUNCTION left_after, outcome;
DROP ROLE regress_lockstep_reader, regress_lockstep_nobody;
DROP EXTENSION lockstep;
