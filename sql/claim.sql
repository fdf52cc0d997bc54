-- claim and update_if_version: which rows, which values, what is refused. Who waits for whom is in the isolation specs.
\set VERBOSITY terse
CREATE EXTENSION lockstep;
SET client_min_messages = warning;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE detail text; hint text; answer text;
BEGIN
    EXECUTE 'SELECT string_agg(t::text, '' '') FROM (' || statement || ') AS t' INTO answer;
    RETURN coalesce(answer, 'nothing');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', sqlstate, sqlerrm, nullif(detail, ''), nullif(hint, ''));
END $$;

CREATE DOMAIN job_state AS text CHECK (value IN ('ready', 'done'));
CREATE TABLE jobs (id bigint PRIMARY KEY, state job_state NOT NULL, priority int, due date, tags text[], args jsonb, code char(4));
INSERT INTO jobs SELECT i, CASE WHEN i % 3 = 0 THEN 'done' ELSE 'ready' END, 10 - i, date '2026-01-01' + i::int, ARRAY['t' || i % 2], jsonb_build_object('n', i), 'c' || i % 2
  FROM generate_series(1, 9) AS i;
-- By the key, at most as many as asked.
SELECT * FROM lockstep.claim('jobs', 2);
SELECT * FROM lockstep.claim('jobs', 100);
SELECT * FROM lockstep.claim('jobs', 0);
-- Equal values of any type, all of them; a null is a null.
SELECT * FROM lockstep.claim('jobs', 100, '{"state": "done"}');
SELECT * FROM lockstep.claim('jobs', 100, '{"state": "ready", "due": "2026-01-05"}');
SELECT * FROM lockstep.claim('jobs', 100, '{"priority": "3"}');
SELECT * FROM lockstep.claim('jobs', 100, '{"tags": ["t0"], "code": "c0"}');
SELECT * FROM lockstep.claim('jobs', 100, '{"args": {"n": 7}}');
SELECT * FROM lockstep.claim('jobs', 100, '{"due": null}');
SELECT * FROM lockstep.claim('jobs', 100, '{}');
SELECT * FROM lockstep.claim('jobs', 100, NULL);
-- A value that is no text of a statement's.
SELECT * FROM lockstep.claim('jobs', 100, jsonb_build_object('state', $$x' OR true --$$));
-- In the order of a column.
SELECT * FROM lockstep.claim('jobs', 3, '{"state": "ready"}', 'priority');
-- Plans are kept for values that come again: each for its values, as many rows as asked for, and for what the table is then.
SELECT i, m, v, (SELECT string_agg(key, ' ') FROM lockstep.claim('jobs', m, v))
  FROM generate_series(1, 3) AS i, unnest(ARRAY[3, 4]) AS m, unnest(ARRAY['{"state": "ready"}', '{"state": "done"}', '{"state": "ready", "code": "c1"}']::jsonb[]) AS v ORDER BY m, v, i;
ALTER TABLE jobs ALTER COLUMN code TYPE varchar(4) USING upper(code);
SELECT i, (SELECT string_agg(key, ' ') FROM lockstep.claim('jobs', 3, '{"state": "ready", "code": "C1"}')),
       (SELECT string_agg(key, ' ') FROM lockstep.claim('jobs', 3, '{"state": "ready", "code": "c1"}')) FROM generate_series(1, 3) AS i;
-- What a worker does.
UPDATE jobs AS j SET state = 'done' FROM lockstep.claim('jobs', 2, '{"state": "ready"}') AS c WHERE j.id = c.key::bigint RETURNING j.id;
-- A key of several columns comes as the text of a row, which every call takes.
CREATE TABLE seats (hall int, seat text, taken boolean, PRIMARY KEY (hall, seat));
INSERT INTO seats SELECT h, s, false FROM generate_series(1, 2) AS h, unnest(ARRAY['a', 'b "c"']) AS s;
SELECT * FROM lockstep.claim('seats', 3, '{"taken": false}');
SELECT l.key FROM lockstep.lock_rows('seats', ARRAY(SELECT key FROM lockstep.claim('seats', 3, '{"hall": 1}'))) AS l;
-- What is claimed is locked, and counts for the order guard.
BEGIN;
SELECT * FROM lockstep.claim('jobs', 2, NULL, 'priority');
SELECT xmax::text = pg_current_xact_id()::text AS is_locked, count(*) FROM jobs GROUP BY 1 ORDER BY 1;
COMMIT;
-- Refused.
SELECT outcome($$ SELECT * FROM lockstep.claim(NULL, 1) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', NULL) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', -1) $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '[]') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '"state"') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '{"stat": "ready"}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '{"ctid": "(0,1)"}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '{"priority": "x"}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, '{"priority": [1]}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1, order_by => 'age') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('pg_stat_activity', 1) $$);
CREATE TABLE odd (id int PRIMARY KEY, doc json, spot point);
SELECT outcome($$ SELECT * FROM lockstep.claim('odd', 1, '{"doc": {}}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('odd', 1, '{"spot": "(1,1)"}') $$) UNION ALL
SELECT outcome($$ SELECT * FROM lockstep.claim('odd', 1, order_by => 'spot') $$);
BEGIN READ ONLY;
SELECT outcome($$ SELECT * FROM lockstep.claim('jobs', 1) $$);
ROLLBACK;

-- Versions.
CREATE TABLE pages (id int PRIMARY KEY, title varchar(5), price numeric(6, 2), tags int[], args jsonb, due date DEFAULT '2026-01-01', length int GENERATED ALWAYS AS (length(title)) STORED, version smallint);
INSERT INTO pages VALUES (1, 'one', 1, NULL, NULL, NULL, DEFAULT, 1), (2, 'two', 2, NULL, NULL, NULL, DEFAULT, 32767), (3, 'three', 3, NULL, NULL, NULL, DEFAULT, NULL);
SELECT lockstep.update_if_version('pages', 1, 1, '{"title": "uno", "price": "2.345", "tags": [1, 2], "args": {"a": [null]}, "due": "2026-02-03"}');
SELECT * FROM pages WHERE id = 1;
SELECT lockstep.update_if_version('pages', 1, 2, '{"title": null, "args": null}');
SELECT lockstep.update_if_version('pages', 1, 3, '{}');
SELECT * FROM pages WHERE id = 1;
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 3, '{"title": "late"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 3, 3, '{"title": "late"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 9, 1, '{"title": "late"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 2, 32767, '{}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"title": "longer"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"price": "much"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"name": "x"}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"id": 7}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"version": 7}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{"length": 7}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '[]') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, NULL) $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, NULL, '{}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', NULL::int, 4, '{}') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{}', 'title') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{}', 'nothing') $$) UNION ALL
SELECT outcome($$ SELECT lockstep.update_if_version('jobs', 1, 4, '{}') $$);
SELECT * FROM pages WHERE id = 1;
BEGIN READ ONLY;
SELECT outcome($$ SELECT lockstep.update_if_version('pages', 1, 4, '{}') $$);
ROLLBACK;
-- The version column of a ledger, and its amount, which the journal has.
CREATE TABLE stock (sku text, place text, balance int NOT NULL, note text, changes bigint NOT NULL DEFAULT 0, PRIMARY KEY (sku, place));
INSERT INTO stock VALUES ('a', 'x', 5), ('b', 'x', 5);
SELECT lockstep.register_ledger('stock', key_columns => ARRAY['sku', 'place'], version_column => 'changes');
SELECT status FROM lockstep.adjust('stock', '(a,x)'::text, 3);
SELECT outcome($$ SELECT lockstep.update_if_version('stock', '(a,x)', 0, '{"note": "late"}') $$);
SELECT lockstep.update_if_version('stock', '{"sku": "a", "place": "x"}'::jsonb, 1, '{"note": "counted"}');
SELECT outcome($$ SELECT lockstep.update_if_version('stock', '(a,x)', 2, '{"balance": 7}') $$);
SELECT * FROM stock ORDER BY sku;
SELECT * FROM lockstep.verify_ledger('stock');
-- In a transaction that holds rows, above and below; and a changed unique column.
CREATE TABLE named (id int PRIMARY KEY, name text UNIQUE, version int NOT NULL DEFAULT 0);
INSERT INTO named VALUES (1, 'a'), (2, 'b');
BEGIN;
SELECT key FROM lockstep.lock_rows('stock', ARRAY['(b,x)']);
SELECT lockstep.update_if_version('named', 2, 0, '{"name": "c"}');
SELECT lockstep.update_if_version('named', 1, 0, '{"name": "b"}');
SELECT outcome($$ SELECT lockstep.update_if_version('named', 7, 0, '{"name": "b"}') $$);
SELECT outcome($$ SELECT lockstep.update_if_version('named', 2, 1, '{"name": "b"}') $$);
COMMIT;
SELECT * FROM named ORDER BY id;
-- A trigger that swallows the update; row security; rights.
CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER swallow BEFORE UPDATE ON named FOR EACH ROW WHEN (old.id = 2) EXECUTE FUNCTION swallow();
SELECT outcome($$ SELECT lockstep.update_if_version('named', 2, 1, '{"name": "d"}') $$);
CREATE ROLE regress_ls_versions;
SET ROLE regress_ls_versions;
SELECT outcome($$ SELECT lockstep.update_if_version('named', 1, 1, '{"name": "d"}') $$);
SELECT outcome($$ SELECT * FROM lockstep.claim('named', 1) $$);
RESET ROLE;
GRANT SELECT, UPDATE (version) ON named TO regress_ls_versions;
SET ROLE regress_ls_versions;
SELECT outcome($$ SELECT lockstep.update_if_version('named', 1, 1, '{"name": "d"}') $$);
SELECT outcome($$ SELECT lockstep.update_if_version('named', 1, 1, '{}') $$);
SELECT outcome($$ SELECT * FROM lockstep.claim('named', 2) $$);
RESET ROLE;
ALTER TABLE named ENABLE ROW LEVEL SECURITY;
CREATE POLICY reads ON named FOR SELECT USING (true);
CREATE POLICY writes ON named FOR UPDATE USING (id = 2);
SET ROLE regress_ls_versions;
SELECT outcome($$ SELECT lockstep.update_if_version('named', 1, 2, '{}') $$);
SELECT outcome($$ SELECT * FROM lockstep.claim('named', 2) $$);
RESET ROLE;
-- Nothing depends on the search path.
CREATE SCHEMA traps;
CREATE FUNCTION traps.never(bigint, bigint) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE OPERATOR traps.= (LEFTARG = bigint, RIGHTARG = bigint, FUNCTION = traps.never);
CREATE FUNCTION traps.jsonb_to_record(jsonb) RETURNS record LANGUAGE plpgsql AS $$ BEGIN RAISE 'called'; END $$;
CREATE DOMAIN traps.numeric AS int;
SET search_path = traps, pg_catalog;
SELECT * FROM lockstep.claim('public.jobs', 1, '{"id": 8}');
SELECT lockstep.update_if_version('public.pages', 1, 4, '{"price": 7.5}');
RESET search_path;
SELECT price FROM pages WHERE id = 1;

DROP TABLE jobs, seats, odd, pages, stock, stock_journal, named CASCADE;
DROP SCHEMA traps CASCADE;
DROP TYPE job_state;
DROP FUNCTION outcome, swallow;
DROP ROLE regress_ls_versions;
DROP EXTENSION lockstep;
