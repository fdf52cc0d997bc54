-- Tables whose rows are kept elsewhere, as Citus keeps them: played by the catalogs that list them.
CREATE EXTENSION lockstep;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, version bigint);
INSERT INTO accounts VALUES (1, 100, 1), (2, 100, 1), (3, 100, NULL);
SELECT lockstep.register_ledger('accounts', version_column => 'version');
SELECT status FROM lockstep.adjust('accounts', 1, 1, lockstep.request_id('before'));
SET allow_system_table_mods = on;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid regclass PRIMARY KEY, partmethod "char" NOT NULL);
CREATE TABLE pg_catalog.pg_dist_local_group (groupid int PRIMARY KEY);
RESET allow_system_table_mods;
SELECT * FROM lockstep.store_of('accounts');

-- Whoever distributes a table lets all know; the table is listed from then on.
INSERT INTO pg_catalog.pg_dist_partition VALUES ('accounts', 'h');
GRANT SELECT ON accounts TO PUBLIC;
SELECT store, store_reason FROM lockstep.ledgers;
SET lockstep.store = 'heap';
SELECT lockstep.adjust('accounts', 1, 1);
RESET lockstep.store;

-- Each statement on the rows names one key, in the order of the keys. What locks or writes many at once Citus refuses.
CREATE FUNCTION tells() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE '%: % rows', TG_OP, (SELECT count(*) FROM written);
    RETURN NULL;
END $$;
CREATE TRIGGER tells AFTER UPDATE ON accounts REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION tells();
SELECT item, status, sqlstate, from_balance, to_balance
  FROM lockstep.transfer_batch('accounts', ARRAY[3, 2, 1, 2], ARRAY[1, 3, 2, 9], ARRAY[10, 5, 500, 1], atomic => false);
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 2, 1, 7, lockstep.request_id('single'));
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 2, 1, 7, lockstep.request_id('single'));
SELECT status, balance FROM lockstep.adjust('accounts', 1, 1, lockstep.request_id('before'));
SELECT lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 500]);
SELECT id, balance, version FROM accounts ORDER BY id;
SELECT * FROM lockstep.verify_ledger('accounts');
SELECT lockstep.backoff_hint('accounts', 1);
DROP TRIGGER tells ON accounts;
-- A key of several columns, too.
CREATE TABLE tenants (tenant int, account text, balance int NOT NULL, PRIMARY KEY (tenant, account));
INSERT INTO tenants SELECT n % 2, n::text, 100 FROM generate_series(1, 3) AS n;
SELECT lockstep.register_ledger('tenants');
INSERT INTO pg_catalog.pg_dist_partition VALUES ('tenants', 'h');
GRANT SELECT ON tenants TO PUBLIC;
CREATE TRIGGER tells AFTER UPDATE ON tenants REFERENCING NEW TABLE AS written FOR EACH STATEMENT EXECUTE FUNCTION tells();
SELECT item, status, from_balance, to_balance
  FROM lockstep.transfer_batch('tenants', ARRAY[ROW(1, 3), ROW(0, 2), ROW(1, 1)], ARRAY[ROW(1, 1), ROW(1, 3), ROW(0, 2)], ARRAY[10, 5, 50]);
SELECT * FROM lockstep.verify_ledger('tenants');
SELECT lockstep.drop_ledger('tenants', drop_journal => true);
DELETE FROM pg_catalog.pg_dist_partition WHERE logicalrelid = 'tenants'::regclass;
DROP TABLE tenants;
-- A table that is not listed is as ever.
CREATE TABLE local (id int PRIMARY KEY, balance int NOT NULL);
SELECT lockstep.register_ledger('local');
SELECT * FROM lockstep.store_of('local');

-- The journal has to be where the ids are looked up.
INSERT INTO pg_catalog.pg_dist_partition VALUES ('local_journal', 'n');
GRANT SELECT ON local_journal TO PUBLIC;
SELECT lockstep.adjust('local', 1, 1);
SELECT * FROM lockstep.store_of('local');
SELECT lockstep.register_ledger('local');

-- Ledgers are registered where the tables are made, and not on the servers that keep the rows.
INSERT INTO pg_catalog.pg_dist_local_group VALUES (0);
CREATE TABLE other (id int PRIMARY KEY, balance int NOT NULL);
SELECT lockstep.register_ledger('other');
UPDATE pg_catalog.pg_dist_local_group SET groupid = 3;
SELECT lockstep.register_ledger('other');

-- Catalogs of another make say nothing.
SET allow_system_table_mods = on;
DROP TABLE pg_catalog.pg_dist_partition, pg_catalog.pg_dist_local_group;
CREATE TABLE pg_catalog.pg_dist_partition (logicalrelid text);
CREATE VIEW pg_catalog.pg_dist_local_group AS SELECT 7 AS groupid;
RESET allow_system_table_mods;
GRANT SELECT ON accounts TO PUBLIC;
SELECT * FROM lockstep.store_of('accounts');
SELECT lockstep.register_ledger('other');
SET allow_system_table_mods = on;
DROP TABLE pg_catalog.pg_dist_partition;
DROP VIEW pg_catalog.pg_dist_local_group;
RESET allow_system_table_mods;
DROP TABLE accounts, accounts_journal, local, local_journal, other, other_journal;
DROP FUNCTION tells;
DROP EXTENSION lockstep;
