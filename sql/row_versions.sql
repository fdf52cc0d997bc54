-- row_versions: the versions of one row, alone in a session. Other sessions are in the isolation spec row_versions, pageinspect is beside
-- it in tests/tap/045_row_versions.pl.
SET client_min_messages = warning;
CREATE EXTENSION lockstep;
\pset null '-'
CREATE TABLE items (id int PRIMARY KEY, name text UNIQUE, n int) WITH (fillfactor = 50);
INSERT INTO items SELECT i, 'item ' || i, 0 FROM generate_series(1, 4) AS i;
-- Transaction ids as letters, in the order in which they came.
CREATE FUNCTION lettered(ids xid[], shown text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE id text; n int := 64;
BEGIN
    FOR id IN SELECT one::text FROM unnest(ids) AS one WHERE one <> '0' GROUP BY one::text ORDER BY one::text::bigint LOOP
        n := n + 1;
        shown := regexp_replace(shown, '\m' || id || '\M', chr(n));
    END LOOP;
    RETURN shown;
END $$;
CREATE FUNCTION looked(relation regclass, key anycompatible)
RETURNS TABLE (v int, ch int, ctid tid, line text, next tid, xmin text, begun text, cmin cid, xmax text, kind text, ended text, cmax cid, visible boolean, why text)
LANGUAGE sql AS $$
    WITH r AS MATERIALIZED (SELECT * FROM lockstep.row_versions($1, $2)), ids AS (SELECT array_agg(r.xmin) || array_agg(r.xmax) AS ids FROM r WHERE r.version > 0)
    SELECT r.version, r.chain, r.ctid, r.line_pointer, r.next_ctid, lettered(ids, r.xmin::text), r.xmin_fate, r.cmin, lettered(ids, r.xmax::text), r.xmax_kind, r.xmax_fate, r.cmax, r.visible, lettered(ids, r.why_visible)
      FROM r, ids $$;

-- One version; then others in its HOT chain, one of them rolled back.
SELECT * FROM looked('items', 1);
UPDATE items SET n = 1 WHERE id = 1;
BEGIN;
UPDATE items SET n = 2 WHERE id = 1;
ROLLBACK;
SELECT * FROM looked('items', 1);
UPDATE items SET n = 3 WHERE id = 1;
SELECT * FROM looked('items', 1);
SELECT version, heap_only, hot_updated, infomask_words, removable, kept_because FROM lockstep.row_versions('items', 1);
SELECT version, infomask FROM lockstep.row_versions('items', 1);
-- By another unique key: the same versions.
SELECT count(*) FROM (SELECT * FROM lockstep.row_versions('items', 1) INTERSECT SELECT * FROM lockstep.row_versions('items', 'item 1', key_columns => '{name}')) AS same;
-- VACUUM leaves the last one, and a line pointer that leads to it.
VACUUM items;
SELECT * FROM looked('items', 1);
-- Deleted, and inserted again: two chains. A dead line pointer waits for the index.
DELETE FROM items WHERE id = 2;
INSERT INTO items VALUES (2, 'item 2', 0);
SELECT * FROM looked('items', 2);
VACUUM (INDEX_CLEANUP OFF) items;
SELECT version, chain, line_pointer, visible, removable, kept_because FROM lockstep.row_versions('items', 2);
-- Another key, and back.
UPDATE items SET id = 33 WHERE id = 3;
SELECT * FROM looked('items', 3);
SELECT * FROM looked('items', 33);
UPDATE items SET id = 3 WHERE id = 33;
SELECT * FROM looked('items', 3);
-- Frozen rows, and no row at all.
VACUUM FREEZE items;
SELECT version, xmin_fate, cmin, infomask_words, why_visible FROM lockstep.row_versions('items', 4);
SELECT count(*) FROM lockstep.row_versions('items', 5);

-- Within a transaction: its own versions by their commands, savepoints, locks.
BEGIN;
INSERT INTO items VALUES (5, 'item 5', 0);
UPDATE items SET n = 1 WHERE id = 5;
SAVEPOINT s;
DELETE FROM items WHERE id = 5;
SELECT * FROM looked('items', 5);
ROLLBACK TO s;
SELECT * FROM looked('items', 5);
SELECT FROM items WHERE id = 5 FOR KEY SHARE;
SAVEPOINT s;
UPDATE items SET n = 2 WHERE id = 5;
SELECT v, xmin, begun, cmin, kind, ended, cmax, visible, why FROM looked('items', 5);
SELECT version, infomask_words, removable, regexp_replace(kept_because, '\d+', 'N') AS kept_because FROM lockstep.row_versions('items', 5);
SELECT regexp_replace(m, '\d+', 'N') AS member FROM lockstep.row_versions('items', 5), unnest(multixact_members) AS m;
COMMIT;
-- The statement's own snapshot: what it has itself written so far is later.
WITH written AS (UPDATE items SET n = 9 WHERE id = 4 RETURNING id)
SELECT version, xmax_fate, visible, regexp_replace(why_visible, '\d+', 'N') AS why_visible FROM written, LATERAL lockstep.row_versions('items', written.id);
-- A cursor's snapshot is older than what came since.
BEGIN;
DECLARE before CURSOR FOR SELECT version, xmin_fate, cmin, xmax_fate, cmax, visible, regexp_replace(why_visible, '\d+', 'N') AS why_visible FROM lockstep.row_versions('items', 4);
UPDATE items SET n = 10 WHERE id = 4;
FETCH ALL FROM before;
ROLLBACK;
-- Each kind of lock.
CREATE FUNCTION locked(strength text) RETURNS TABLE (kind text, ended text, why text) LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE 'SELECT FROM items WHERE id = 2 FOR ' || strength;
    RETURN QUERY SELECT xmax_kind, xmax_fate, regexp_replace(why_visible, '\d+', 'N') FROM lockstep.row_versions('items', 2) WHERE visible;
    RAISE EXCEPTION 'enough';
EXCEPTION WHEN raise_exception THEN NULL;
END $$;
SELECT strength, locked.* FROM unnest(ARRAY['KEY SHARE', 'SHARE', 'NO KEY UPDATE', 'UPDATE']) AS strength, locked(strength);
SELECT xmax_kind, xmax_fate FROM lockstep.row_versions('items', 2) WHERE visible;

-- Partitions, with their columns in other orders; a key of several columns as text, as an object, as a row.
CREATE TABLE seats (hall int, seat text, price int, PRIMARY KEY (seat, hall)) PARTITION BY RANGE (hall);
CREATE TABLE small PARTITION OF seats FOR VALUES FROM (0) TO (10);
CREATE TABLE large (price int, seat text NOT NULL, hall int NOT NULL);
ALTER TABLE seats ATTACH PARTITION large FOR VALUES FROM (10) TO (20);
INSERT INTO seats VALUES (1, 'a', 1), (12, 'a', 1);
UPDATE seats SET hall = 13 WHERE hall = 1;
SELECT tableoid, version, next_ctid, xmax_kind, regexp_replace(why_visible, '\d+', 'N') AS why_visible FROM lockstep.row_versions('seats', '(a,1)');
SELECT tableoid, version, xmax_kind, visible FROM lockstep.row_versions('seats', '{"seat": "a", "hall": 13}'::jsonb);
SELECT tableoid, version, xmax_kind, visible FROM lockstep.row_versions('seats', ROW('a'::text, 12));
SELECT tableoid, version, xmax_kind, visible FROM lockstep.row_versions('large', '(a,12)');
-- A ledger by the key that it is registered by; a materialized view; a temporary table; a catalog.
CREATE TABLE accounts (id int PRIMARY KEY, code text UNIQUE NOT NULL, balance int);
INSERT INTO accounts VALUES (1, 'one', 0);
SELECT lockstep.register_ledger('accounts', 'code');
SELECT version, visible FROM lockstep.row_versions('accounts', 'one');
CREATE MATERIALIZED VIEW copies AS SELECT * FROM items;
CREATE UNIQUE INDEX ON copies (id);
SELECT version, visible FROM lockstep.row_versions('copies', 2, '{id}');
CREATE TEMPORARY TABLE mine (id int PRIMARY KEY, n int);
INSERT INTO mine VALUES (1, 0);
UPDATE mine SET n = 1;
SELECT version, visible, removable, kept_because FROM lockstep.row_versions('mine', 1);
SELECT version, visible FROM lockstep.row_versions('pg_class', 'items'::regclass::oid) WHERE visible;
-- A value that is kept elsewhere, and a column that came later.
ALTER TABLE items ADD COLUMN late int NOT NULL DEFAULT 7;
ALTER TABLE items ALTER name SET STORAGE EXTERNAL;
INSERT INTO items VALUES (6, repeat('long ', 500), 0);
UPDATE items SET n = 1 WHERE id = 6;
SELECT version, visible FROM lockstep.row_versions('items', 6);
SELECT version, visible FROM lockstep.row_versions('items', repeat('long ', 500), '{name}');
CREATE UNIQUE INDEX ON items (late, id);
SELECT version, visible FROM lockstep.row_versions('items', '(7,2)', '{late,id}') WHERE visible;

-- Who may: whoever may read all of the table.
\set VERBOSITY terse
CREATE ROLE regress_lockstep_all;
CREATE ROLE regress_lockstep_columns;
CREATE ROLE regress_lockstep_none;
GRANT SELECT ON items, seats TO regress_lockstep_all;
GRANT SELECT (id, name, n, late) ON items TO regress_lockstep_columns;
CREATE SCHEMA regress_lockstep_schema;
CREATE TABLE regress_lockstep_schema.inner_table (id int PRIMARY KEY);
GRANT SELECT ON regress_lockstep_schema.inner_table TO regress_lockstep_none;
SELECT 'regress_lockstep_schema.inner_table'::regclass::oid AS inner_table \gset
SET ROLE regress_lockstep_all;
SELECT count(*) FROM lockstep.row_versions('items', 2);
SELECT count(*) FROM lockstep.row_versions('seats', '(a,12)');
SELECT count(*) FROM lockstep.row_versions('large', '(a,12)');
SET ROLE regress_lockstep_columns;
SELECT count(*) FROM lockstep.row_versions('items', 2);
SET ROLE regress_lockstep_none;
SELECT count(*) FROM lockstep.row_versions('items', 'not even a key');
SELECT count(*) FROM lockstep.row_versions(:inner_table, 'not even a key');
SELECT count(*) FROM lockstep.row_versions('pg_authid', 10);
RESET ROLE;
ALTER TABLE items ENABLE ROW LEVEL SECURITY;
CREATE POLICY everything ON items USING (true);
SELECT count(*) FROM lockstep.row_versions('items', 2);
SET ROLE regress_lockstep_all;
SELECT count(*) FROM lockstep.row_versions('items', 2);
RESET ROLE;
ALTER TABLE items FORCE ROW LEVEL SECURITY;
SELECT count(*) FROM lockstep.row_versions('items', 2);
REVOKE ALL ON items, seats FROM regress_lockstep_all, regress_lockstep_columns;
REVOKE SELECT (id, name, n, late) ON items FROM regress_lockstep_columns;
DROP SCHEMA regress_lockstep_schema CASCADE;
DROP ROLE regress_lockstep_all, regress_lockstep_columns, regress_lockstep_none;

-- What it is not for.
\set VERBOSITY default
CREATE VIEW few AS SELECT * FROM items;
CREATE SEQUENCE counted;
CREATE TABLE loose (a int, b int);
CREATE FOREIGN DATA WRAPPER regress_lockstep_wrapper;
CREATE SERVER regress_lockstep_server FOREIGN DATA WRAPPER regress_lockstep_wrapper;
CREATE FOREIGN TABLE far (id int) SERVER regress_lockstep_server;
SELECT FROM lockstep.row_versions('few', 1);
SELECT FROM lockstep.row_versions('counted', 1);
SELECT FROM lockstep.row_versions('far', 1);
SELECT FROM lockstep.row_versions('items_pkey', 1);
SELECT FROM lockstep.row_versions('loose', 1);
SELECT FROM lockstep.row_versions('loose', 1, '{a}');
SELECT FROM lockstep.row_versions('loose', 1, '{c}');
SELECT FROM lockstep.row_versions(0, 1);
SELECT FROM lockstep.row_versions(NULL, 1);
SELECT FROM lockstep.row_versions('items', NULL::int);
SELECT FROM lockstep.row_versions('items', 'x');
SELECT FROM lockstep.row_versions('seats', '(a)');
CREATE ACCESS METHOD regress_lockstep_heap TYPE TABLE HANDLER heap_tableam_handler;
CREATE TABLE otherwise (id int PRIMARY KEY) USING regress_lockstep_heap;
SELECT FROM lockstep.row_versions('otherwise', 1);
-- Code of the key's type cannot take the table away.
CREATE FUNCTION drops(int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN DROP TABLE trapped; RETURN true; END $$;
CREATE DOMAIN trap AS int CHECK (drops(VALUE));
CREATE TYPE wrapped AS (inner_value trap);
CREATE TABLE trapped (id wrapped PRIMARY KEY);
\set VERBOSITY terse
SELECT count(*) FROM lockstep.row_versions('trapped', '(1)');
DROP TABLE trapped;

DROP TABLE otherwise;
DROP ACCESS METHOD regress_lockstep_heap;
DROP FOREIGN TABLE far;
DROP SERVER regress_lockstep_server;
DROP FOREIGN DATA WRAPPER regress_lockstep_wrapper;
SELECT lockstep.drop_ledger('accounts');
DROP TABLE items, seats, accounts, accounts_journal, loose, mine CASCADE;
DROP TYPE wrapped;
DROP DOMAIN trap;
DROP FUNCTION lettered, looked, locked, drops;
DROP SEQUENCE counted;
DROP EXTENSION lockstep CASCADE;
