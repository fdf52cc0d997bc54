-- lock_rows and lock_all: which rows are locked, in which order, and what is refused. Who waits for whom is in the
-- isolation specs.
\set VERBOSITY terse
CREATE EXTENSION lockstep;
SET client_min_messages = warning;
CREATE TABLE shelf (id bigint PRIMARY KEY, name text UNIQUE, place int);
INSERT INTO shelf SELECT i, 'item ' || i, i FROM generate_series(1, 6) AS i;
CREATE TABLE seats (hall int, seat text, price int, PRIMARY KEY (hall, seat));
INSERT INTO seats SELECT h, s, 10 FROM generate_series(1, 2) AS h, unnest(ARRAY['a', 'b', 'c']) AS s;
-- What a call comes to.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; answer text;
BEGIN
    EXECUTE 'SELECT string_agg(t::text, '' '') FROM (' || statement || ') AS t' INTO answer;
    RETURN coalesce(answer, 'nothing');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;

-- In the order of the keys; what comes twice is locked once, and what is not there is not returned.
SELECT * FROM lockstep.lock_rows('shelf', ARRAY[5, 2, 99, 2, 1]);
SELECT * FROM lockstep.lock_rows('shelf', ARRAY[]::bigint[]);
-- Keys of other types, and untyped ones.
SELECT * FROM lockstep.lock_rows('shelf', ARRAY[2, 1]::smallint[]);
SELECT * FROM lockstep.lock_rows('shelf', '{10,2,1}');
PREPARE untyped AS SELECT * FROM lockstep.lock_rows('shelf', $1);
EXECUTE untyped('{3,2}');
-- What is locked is the row, in each strength and each way to wait.
SELECT strength, wait, outcome(format('SELECT key FROM lockstep.lock_rows(%L, ARRAY[3, 1, 2], %L, %L)', 'shelf', strength, wait))
  FROM unnest(ARRAY['key share', 'share', 'no key update', 'update']) AS strength, unnest(ARRAY['block', 'nowait', 'skip']) AS wait;
BEGIN;
SELECT xmax::text AS before FROM shelf WHERE id = 4 \gset
SELECT * FROM lockstep.lock_rows('shelf', ARRAY[4]);
SELECT xmax::text <> :'before' AND xmax::text = pg_current_xact_id()::text AS is_locked FROM shelf WHERE id = 4;
COMMIT;

-- A key of several columns: as text of a row, as an object, as a row.
SELECT * FROM lockstep.lock_rows('seats', ARRAY['(2,a)', '(1,c)', '(1,"b")', '(3,a)', '(1,b)']);
SELECT * FROM lockstep.lock_rows('seats', ARRAY['{"seat": "b", "hall": 2}', '{"hall": 1, "seat": "a"}']::jsonb[]);
CREATE TYPE seat_key AS (hall int, seat text);
SELECT * FROM lockstep.lock_rows('seats', ARRAY[ROW(2, 'b'), ROW(1, 'a')]::seat_key[]);
SELECT lockstep.lock_rows('seats', ARRAY[ROW(2, 'b'), ROW(1, 'a'), ROW(7, 'a')]::seat_key[]);
SELECT outcome($$ SELECT lockstep.lock_rows('seats', ARRAY[ROW(2, 'b')]) $$);
-- Another unique key, in the order of that key.
SELECT * FROM lockstep.lock_rows('shelf', ARRAY['item 5', 'item 3'], key_columns => '{name}');
SELECT * FROM lockstep.lock_rows('seats', ARRAY['(b,1)', '(a,2)', '(a,1)'], key_columns => '{seat,hall}');
-- Keys that statements cannot take in an array: arrays, and rows in a column.
CREATE TYPE place AS (x int, y int);
CREATE TABLE paths (path int[] PRIMARY KEY);
INSERT INTO paths VALUES ('{1}'), ('{1,2}'), ('{2}');
CREATE TABLE places (at place PRIMARY KEY);
INSERT INTO places VALUES ('(1,1)'), ('(1,2)'), ('(2,1)');
SELECT * FROM lockstep.lock_rows('paths', ARRAY['{2}', '{1,2}', '{1}', '{7}']);
SELECT * FROM lockstep.lock_rows('places', ARRAY['(2,1)', '(1,2)', '(1,1)', '(7,7)']);
-- A ledger goes by the key that it is registered by.
CREATE TABLE tills (id int PRIMARY KEY, code text NOT NULL UNIQUE, balance int NOT NULL);
INSERT INTO tills VALUES (1, 'z', 10), (2, 'a', 10);
SELECT lockstep.register_ledger('tills', key => 'code');
SELECT * FROM lockstep.lock_rows('tills', ARRAY['z', 'a']);
SELECT * FROM lockstep.lock_rows('tills', ARRAY[2, 1], key_columns => '{id}');
-- Partitions, and tables that inherit.
CREATE TABLE days (day date, n int, PRIMARY KEY (day, n)) PARTITION BY RANGE (day);
CREATE TABLE days_1 PARTITION OF days FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
CREATE TABLE days_2 PARTITION OF days FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
INSERT INTO days SELECT d, n FROM unnest(ARRAY['2026-01-07', '2026-02-07']::date[]) AS d, generate_series(1, 2) AS n;
SELECT * FROM lockstep.lock_rows('days', ARRAY['(2026-02-07,1)', '(2026-01-07,2)', '(2026-01-07,1)']);
-- A domain as key: a value that its check forbids names no row.
CREATE DOMAIN code AS text CHECK (value ~ '^[A-Z]+$');
CREATE TABLE coded (id code PRIMARY KEY);
INSERT INTO coded VALUES ('B'), ('A'), ('C');
SELECT * FROM lockstep.lock_rows('coded', ARRAY['C', 'A', 'c']);

-- Several tables, in the order of their names; the strongest of what is asked of a row.
SELECT * FROM lockstep.lock_all(ARRAY[
    lockstep.lock_set('shelf', ARRAY[3, 1]),
    lockstep.lock_set('seats', ARRAY['(2,a)', '(1,a)'], 'share'),
    lockstep.lock_set('shelf', ARRAY[1, 2, 99], 'update'),
    ROW('days', '{"(2026-01-07,1)"}', NULL)::lockstep.lock_set]);
SELECT * FROM lockstep.lock_all(ARRAY[]::lockstep.lock_set[]);
SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('shelf', ARRAY[2, 1], 'key share')], 'skip');
-- Several ledgers, and again after it.
CREATE TABLE safes (LIKE tills INCLUDING ALL);
INSERT INTO safes SELECT * FROM tills;
SELECT lockstep.register_ledger('safes', key => 'code');
SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('tills', ARRAY['z', 'a']), lockstep.lock_set('safes', ARRAY['z']), lockstep.lock_set('seats', ARRAY['(1,a)'])]);
SELECT status FROM lockstep.transfer('safes', 'a', 'z', 3);
SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('tills', ARRAY['z', 'a']), lockstep.lock_set('safes', ARRAY['z'])]);
-- The names' bytes decide, and the schema before the table.
CREATE SCHEMA "Z";
CREATE TABLE "Z".shelf (id int PRIMARY KEY);
CREATE TABLE "Shelf" (id int PRIMARY KEY);
INSERT INTO "Z".shelf VALUES (1);
INSERT INTO "Shelf" VALUES (1);
SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('shelf', ARRAY[1]), lockstep.lock_set('"Shelf"', ARRAY[1]), lockstep.lock_set('"Z".shelf', ARRAY[1])]);

-- The order guard: what is held, and what is above and below it. Alone, nothing is busy.
BEGIN;
SELECT key FROM lockstep.lock_rows('shelf', ARRAY[4]);
SELECT key FROM lockstep.lock_rows('shelf', ARRAY[6, 5, 3], 'update');
SELECT key FROM lockstep.lock_rows('seats', ARRAY['(1,a)'], 'share');
SELECT key FROM lockstep.lock_rows('seats', ARRAY['(1,a)', '(2,a)', '(9,a)'], 'update');
COMMIT;

-- Refused.
CREATE TABLE heap (id int);
CREATE TABLE late (id int, CONSTRAINT late_key UNIQUE (id) DEFERRABLE);
CREATE VIEW shown AS SELECT * FROM shelf;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows(NULL, ARRAY[1]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', NULL::int[]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1, NULL]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[[1, 2]]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY['x']) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1.5]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], 'exclusive') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], wait => 'never') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], NULL) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], key_columns => '{nothing}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], key_columns => '{id,id}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1], key_columns => '{place}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('heap', ARRAY[1]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('heap', ARRAY[1])]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('late', ARRAY[1], key_columns => '{id}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shown', ARRAY[1]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf_pkey', ARRAY[1]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows(4294967295::oid::regclass, ARRAY[1]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('seats', ARRAY['(1)']) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('seats', ARRAY['(1,)']) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('seats', ARRAY['{"hall": 1}']::jsonb[]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(NULL) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[NULL::lockstep.lock_set]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[ROW(NULL, '{1}', NULL)::lockstep.lock_set]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[ROW('shelf', NULL, NULL)::lockstep.lock_set]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('shelf', ARRAY[1], 'x')]) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.lock_all(ARRAY[lockstep.lock_set('shelf', ARRAY[1])], 'x') $$);
BEGIN READ ONLY;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1]) $$);
ROLLBACK;

-- Rights are those of SELECT ... FOR: to read the key, and to update some column.
CREATE ROLE regress_ls_locks;
CREATE SCHEMA unseen;
CREATE TABLE unseen.shelf (id int PRIMARY KEY);
GRANT ALL ON unseen.shelf TO regress_ls_locks;
SET ROLE regress_ls_locks;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1]) $$);
SELECT outcome(format('SELECT * FROM lockstep.lock_rows(%s::regclass, ARRAY[1])', (SELECT oid FROM pg_class WHERE relname = 'shelf' AND relnamespace = (SELECT oid FROM pg_namespace WHERE nspname = 'unseen'))));
RESET ROLE;
GRANT SELECT (id) ON shelf TO regress_ls_locks;
SET ROLE regress_ls_locks;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[1]) $$);
RESET ROLE;
GRANT UPDATE (place) ON shelf TO regress_ls_locks;
SET ROLE regress_ls_locks;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[2, 1]) $$);
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY['item 1'], key_columns => '{name}') $$);
RESET ROLE;
REVOKE UPDATE (place) ON shelf FROM regress_ls_locks;
SET ROLE regress_ls_locks;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('shelf', ARRAY[2, 1]) $$);
RESET ROLE;
-- Row security leaves what it leaves to UPDATE.
CREATE TABLE walled (id int PRIMARY KEY);
INSERT INTO walled SELECT generate_series(1, 5);
ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads ON walled FOR SELECT USING (id > 1);
CREATE POLICY writes ON walled FOR UPDATE USING (id <> 3);
GRANT SELECT, UPDATE ON walled TO regress_ls_locks;
SET ROLE regress_ls_locks;
BEGIN;
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('walled', ARRAY[5, 4, 3, 2, 1]) $$);
-- And below what is held, where they are only tried.
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('walled', ARRAY[4, 3, 2, 1], 'update') $$);
SELECT outcome($$ SELECT * FROM lockstep.lock_rows('walled', ARRAY[3], 'update') $$);
COMMIT;
RESET ROLE;

-- Nothing depends on the search path, and an operator of somebody's is not called.
CREATE SCHEMA traps;
CREATE FUNCTION traps.never(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE OPERATOR traps.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.never);
CREATE FUNCTION traps.unnest(bigint[]) RETURNS SETOF bigint LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
SET search_path = traps, pg_catalog;
SELECT * FROM lockstep.lock_rows('public.shelf', ARRAY[3, 2, 1]::bigint[]);
SELECT * FROM lockstep.lock_rows('public.shelf', ARRAY[1]::bigint[]);
RESET search_path;

-- Code that runs in the middle, of a policy here, cannot change the table; and may lock rows itself.
CREATE FUNCTION meddle(int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE how text := current_setting('meddle.how', true);
BEGIN
    PERFORM set_config('meddle.how', '', true);
    IF how <> '' THEN EXECUTE how; END IF;
    RETURN true;
END $$;
CREATE TABLE meddled (id int PRIMARY KEY, v int);
INSERT INTO meddled VALUES (1, 1), (2, 2), (3, 3);
ALTER TABLE meddled ENABLE ROW LEVEL SECURITY;
ALTER TABLE meddled FORCE ROW LEVEL SECURITY;
CREATE POLICY meddle ON meddled USING (meddle(id));
ALTER TABLE meddled OWNER TO regress_ls_locks;
GRANT CREATE ON SCHEMA public TO regress_ls_locks;
CREATE FUNCTION meddled(how text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('meddle.how', how, true);
    RETURN outcome($q$ SELECT key FROM lockstep.lock_rows('meddled', ARRAY[3, 2, 1]) $q$);
END $$;
SET ROLE regress_ls_locks;
SELECT how, meddled(how) FROM unnest(ARRAY['', 'ALTER TABLE meddled DROP COLUMN v', 'ALTER TABLE meddled ALTER id TYPE bigint',
    'SELECT lockstep.lock_rows(''meddled'', ARRAY[2, 1])', 'ALTER TABLE meddled RENAME TO renamed']) AS how;
SELECT to_regclass('meddled'), to_regclass('renamed');
RESET ROLE;
REVOKE CREATE ON SCHEMA public FROM regress_ls_locks;

DROP TABLE shelf, seats, paths, places, tills, tills_journal, safes, safes_journal, days, coded, heap, late, walled, "Shelf", renamed CASCADE;
DROP SCHEMA "Z", unseen, traps CASCADE;
DROP TYPE place, code, seat_key CASCADE;
DROP FUNCTION outcome, meddle, meddled;
DROP ROLE regress_ls_locks;
DROP EXTENSION lockstep;
