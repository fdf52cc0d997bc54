-- CALL lockstep.apply_in_chunks: a statement for many rows, some of them at a time, each chunk a transaction.
CREATE EXTENSION lockstep;
\set SHOW_CONTEXT never
CREATE TABLE users (id varchar(20) PRIMARY KEY, updates int NOT NULL DEFAULT 0, updated timestamp);
INSERT INTO users SELECT 'u' || n FROM generate_series(1, 9) AS n;
CREATE TABLE seen (n serial, keys text, type text, attempt text, xid xid8 DEFAULT pg_current_xact_id());
CREATE FUNCTION chunks_seen() RETURNS TABLE (chunk bigint, keys text, type text, attempt text) LANGUAGE SQL
BEGIN ATOMIC
    SELECT dense_rank() OVER (ORDER BY xid), keys, type, attempt FROM seen ORDER BY n;
END;

-- The keys are sorted and each is there once; those whose rows are not there are told, and left out.
CALL lockstep.apply_in_chunks('users', ARRAY['u9', 'u3', 'u1', 'u0', 'u3', 'u5', 'u7', 'x'], $$
    UPDATE users SET updates = updates + 1 WHERE id = ANY($1);
    INSERT INTO seen (keys, type, attempt) VALUES ($1::text, pg_typeof($1)::text, current_setting('lockstep.attempt'))$$, 3);
SELECT * FROM chunks_seen();
SELECT id, updates FROM users ORDER BY id;
-- A chunk of no rows runs nothing; no keys are no chunk.
CALL lockstep.apply_in_chunks('users', ARRAY['a', 'b'], 'SELECT 1 / 0, $1');
CALL lockstep.apply_in_chunks('users', '{}', 'SELECT 1 / 0, $1');
-- Rows are what the command tags of INSERT, UPDATE, DELETE and MERGE say.
CALL lockstep.apply_in_chunks('users', '{u1,u2}', 'SELECT unnest($1)');
CALL lockstep.apply_in_chunks('users', '{u1,u2}', $$
    MERGE INTO users AS u USING unnest($1) AS k(id) ON u.id = k.id WHEN MATCHED THEN UPDATE SET updates = 0;
    UPDATE users SET updates = 0 WHERE id = ANY($1)$$);
CALL lockstep.apply_in_chunks('users', '{u8,u9}', 'DELETE FROM users WHERE id = ANY($1)', strength => 'update');

-- A CALL takes no query in its arguments.
SELECT lockstep.keys_of('SELECT id FROM users WHERE updates > 0 ORDER BY id');
SELECT lockstep.keys_of($$SELECT NULL UNION ALL SELECT 'a,b'$$), lockstep.keys_of('SELECT 1, $$a b$$::text, NULL'), lockstep.keys_of('SELECT 1 WHERE false');
SELECT lockstep.keys_of('DELETE FROM users RETURNING id');
SELECT lockstep.keys_of('LISTEN nobody');
SELECT lockstep.keys_of('COMMIT');
SELECT lockstep.keys_of('COPY users TO STDOUT');
SELECT lockstep.keys_of(NULL);
CALL lockstep.apply_in_chunks('users', lockstep.keys_of('SELECT id FROM users WHERE updates > 0'), 'UPDATE users SET updates = 10 WHERE id = ANY($1)');

-- Other keys: of several columns, one array each; then come the params. Of another index of the table.
CREATE TABLE accounts (tenant int, name text, number bigint UNIQUE NOT NULL, amount numeric NOT NULL DEFAULT 0, PRIMARY KEY (tenant, name));
INSERT INTO accounts SELECT n % 2, 'a' || n, 10 - n FROM generate_series(1, 6) AS n;
CALL lockstep.apply_in_chunks('accounts', ARRAY[(1, 'a5'), (0, 'a4'), (0, 'a2'), (7, 'a2')], $$
    UPDATE accounts SET amount = amount + $3 FROM unnest($1, $2) AS k(tenant, name)
     WHERE accounts.tenant = k.tenant AND accounts.name = k.name$$, 2, ARRAY['2.50']);
CALL lockstep.apply_in_chunks('accounts', ARRAY['{"name": "a5", "tenant": 1}'::jsonb], $$
    INSERT INTO seen (keys, type) VALUES ($1::text || $2::text, pg_typeof($1)::text || pg_typeof($2)::text)$$);
CALL lockstep.apply_in_chunks('accounts', ARRAY[9, 4], 'UPDATE accounts SET amount = -1 WHERE number = ANY($1)', key_columns => '{number}');
SELECT * FROM accounts ORDER BY tenant, name;
SELECT keys, type FROM seen ORDER BY n DESC LIMIT 1;
CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
CREATE TABLE evens (id even PRIMARY KEY, n int NOT NULL DEFAULT 0);
INSERT INTO evens SELECT 2 * n FROM generate_series(1, 3) AS n;
CALL lockstep.apply_in_chunks('evens', '{4,6}', 'UPDATE evens SET n = 1 WHERE id = ANY($1)', 1);
CREATE TABLE parted (id int PRIMARY KEY, n int NOT NULL DEFAULT 0) PARTITION BY RANGE (id);
CREATE TABLE parted_low PARTITION OF parted FOR VALUES FROM (0) TO (10);
CREATE TABLE parted_high PARTITION OF parted FOR VALUES FROM (10) TO (20);
INSERT INTO parted VALUES (1), (11), (12);
CALL lockstep.apply_in_chunks('parted', ARRAY[12, 11, 1], 'UPDATE parted SET n = 1 WHERE id = ANY($1)', 2);

-- A chunk is done again, from its locks on, by the rules of CALL retry.
CREATE FUNCTION fail_until(attempt int, state text) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('lockstep.attempt')::int < attempt THEN
        RAISE 'not yet' USING ERRCODE = state;
    END IF;
END $$;
TRUNCATE seen;
CALL lockstep.apply_in_chunks('users', '{u1,u2,u3}', $$
    INSERT INTO seen (keys, attempt) VALUES ($1::text, current_setting('lockstep.attempt'));
    SELECT fail_until(3, CASE WHEN 'u2' = ANY($1) THEN '40001' ELSE 'LS050' END)$$, 2, max_attempts => 3);
SELECT chunk, keys, attempt FROM chunks_seen();
CALL lockstep.apply_in_chunks('users', '{u1}', $$SELECT fail_until(3, '40P01'), $1$$, max_attempts => 2);
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.apply_in_chunks('users', '{u1}', $$SELECT pg_sleep(60), $1$$, deadline => '10 milliseconds');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SET statement_timeout = 1; SELECT current_setting($2), $1', params => '{statement_timeout}', isolation => 'repeatable read');
SHOW statement_timeout;

-- One that fails for good: what was committed stays, and CONTEXT says how far it came.
\set SHOW_CONTEXT errors
UPDATE users SET updates = 0;
CALL lockstep.apply_in_chunks('users', '{u1,u2,u3,u4,u5}', $$UPDATE users SET updates = 1 / (5 - substr(id, 2)::int) WHERE id = ANY($1)$$, 2);
CALL lockstep.apply_in_chunks('users', '{u1,u2,u3,u4,u5}', $$UPDATE users SET updates = 1 WHERE id = ANY($1); COMMIT$$, 2);
\set SHOW_CONTEXT never
SELECT id, updates FROM users ORDER BY id;

-- A run with a name goes on after its last chunk.
CREATE TABLE applied (id text, n serial);
CREATE TABLE stops (id text);
INSERT INTO stops VALUES ('u4');
\set statement '$$INSERT INTO applied SELECT unnest($1); SELECT 1 / count(*) FROM users WHERE id = ANY($1) AND NOT EXISTS (SELECT FROM stops WHERE stops.id = ANY($1)) AND $2 IS NOT NULL$$'
CALL lockstep.apply_in_chunks('users', '{u5,u4,u3,u2,u1,u0}', :statement, 2, '{a}', resume => 'night');
SELECT role = current_user AS own, name, relation, keys_total, keys_done, chunks, rows, missing, committed_at > started_at AS committed, finished_at IS NOT NULL AS finished FROM lockstep.chunk_runs;
DELETE FROM stops;
CALL lockstep.apply_in_chunks('users', '{u5,u4,u3,u2}', :statement, 2, '{a}', resume => 'night');
CALL lockstep.apply_in_chunks('users', '{u5,u4,u3,u2,u1,u0}', :statement || ';', 2, '{a}', resume => 'night');
CALL lockstep.apply_in_chunks('users', '{u5,u4,u3,u2,u1,u0}', :statement, 2, '{b}', resume => 'night');
CALL lockstep.apply_in_chunks('evens', '{2}', 'SELECT $1, $2', 2, '{a}', resume => 'night');
-- In another order, in other chunks.
CALL lockstep.apply_in_chunks('users', '{u0,u1,u2,u3,u4,u5}', :statement, 3, '{a}', resume => 'night');
SELECT * FROM applied ORDER BY n;
SELECT keys_total, keys_done, chunks, rows, missing, finished_at >= committed_at AS finished FROM lockstep.chunk_runs;
-- What is finished is not done again, until it is forgotten.
\set VERBOSITY sqlstate
CALL lockstep.apply_in_chunks('users', '{u5,u4,u3,u2,u1,u0}', :statement, 2, '{a}', resume => 'night');
\set VERBOSITY default
SELECT count(*) FROM applied;
SELECT lockstep.forget_chunk_run('night'), lockstep.forget_chunk_run('night');
CALL lockstep.apply_in_chunks('users', '{}', 'SELECT $1', resume => 'nothing');
SELECT name, keys_total, finished_at IS NOT NULL AS finished FROM lockstep.chunk_runs;
SELECT lockstep.forget_chunk_run('nothing');
SELECT lockstep.forget_chunk_run('');
SELECT lockstep.forget_chunk_run(NULL);
BEGIN READ ONLY;
SELECT lockstep.forget_chunk_run('night');
ROLLBACK;

-- How far it is, others can see: here it looks at itself. NOTICE says it on request.
CREATE TABLE looks (n serial, look text);
\set look '$$INSERT INTO looks (look) SELECT format(\'%s %s: %s of %s keys, %s skipped, %s chunks, %s rows, %s attempts, %s missing, %s\', relation, phase, keys_done, keys_total, keys_skipped, chunks, rows, attempts, missing, estimated_end > started_at) FROM lockstep.progress_apply_in_chunks WHERE pid = pg_backend_pid() AND db = current_database() AND user_name = current_user AND relid = \'users\'::regclass AND $1 IS NOT NULL; SELECT fail_until(CASE WHEN \'u3\' = ANY($1) THEN 2 ELSE 1 END, \'40001\')$$'
CALL lockstep.apply_in_chunks('users', '{u0,u1,u2,u3,u4}', :look, 2, report_every => '1 microsecond');
SELECT look FROM looks ORDER BY n;
SELECT count(*) FROM lockstep.progress_apply_in_chunks;

-- It stands alone, as CALL retry does.
BEGIN;
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1');
ROLLBACK;
DO $$
DECLARE few int; number bigint; list text[];
BEGIN
    CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', chunks => few, keys_done => number, rows => number, attempts => few,
        skipped => number, missing => number, missing_keys => list);
END $$;
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.retry($$CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1')$$);
CALL lockstep.apply_in_chunks('users', '{u1}', $$SELECT $1; CALL lockstep.retry('SELECT 1')$$);
CALL lockstep.apply_in_chunks('users', '{u1}', $$SELECT $1; CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1')$$);

-- What is refused.
CALL lockstep.apply_in_chunks('users', '{u1}', 'UPDATE users SET updates = 0');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1, $2');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', params => '{a}');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELEC $1');
CALL lockstep.apply_in_chunks('users', '{u1,NULL}', 'SELECT $1');
CALL lockstep.apply_in_chunks('users', NULL::text[], 'SELECT $1');
CALL lockstep.apply_in_chunks('users', '{{u1},{u2}}', 'SELECT $1');
CALL lockstep.apply_in_chunks('evens', '{two}', 'SELECT $1');
CALL lockstep.apply_in_chunks('users', '{u1}', NULL);
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', 0);
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', strength => 'share');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', isolation => 'chaos');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', max_attempts => 0);
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', report_every => '0');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', resume => '');
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1', key_columns => '{updates}');
CALL lockstep.apply_in_chunks('looks', '{1}', 'SELECT $1');
\echo :LAST_ERROR_SQLSTATE
CALL lockstep.apply_in_chunks('lockstep.ledgers', '{1}', 'SELECT $1');
CALL lockstep.apply_in_chunks(0, '{1}', 'SELECT $1');
CREATE TABLE lists (id int[] PRIMARY KEY);
CALL lockstep.apply_in_chunks('lists', ARRAY['{1}'], 'SELECT $1');

-- With the caller's rights; a run is the role's own.
CREATE ROLE regress_chunks_worker;
GRANT SELECT, INSERT ON applied TO regress_chunks_worker;
GRANT USAGE ON SEQUENCE applied_n_seq TO regress_chunks_worker;
TRUNCATE applied;
SET ROLE regress_chunks_worker;
CALL lockstep.apply_in_chunks('users', '{u1}', 'SELECT $1');
RESET ROLE;
GRANT SELECT, UPDATE ON evens TO regress_chunks_worker;
SET ROLE regress_chunks_worker;
CALL lockstep.apply_in_chunks('evens', '{2,4}', 'UPDATE users SET updates = 9 WHERE $1 IS NOT NULL');
CALL lockstep.apply_in_chunks('evens', '{2,4}', 'UPDATE evens SET n = 2 WHERE id = ANY($1)', resume => 'night');
RESET ROLE;
ALTER TABLE evens ENABLE ROW LEVEL SECURITY;
CREATE POLICY small ON evens USING (id < 5);
CALL lockstep.apply_in_chunks('evens', '{2,4}', 'UPDATE evens SET n = 2 WHERE id = ANY($1)', resume => 'night');
SET ROLE regress_chunks_worker;
CALL lockstep.apply_in_chunks('evens', '{2,4,6}', 'SET ROLE NONE; UPDATE evens SET n = 3 WHERE id = ANY($1)', resume => 'set role');
SELECT current_user, role, name FROM lockstep.chunk_runs ORDER BY role COLLATE "C", name;
UPDATE lockstep.chunk_runs SET keys_done = 0;
SELECT lockstep.forget_chunk_run('night'), lockstep.forget_chunk_run('set role'), lockstep.forget_chunk_run('no such run');
RESET ROLE;
SELECT id, n FROM evens ORDER BY id;
SELECT role = current_user AS own, name FROM lockstep.chunk_runs;

-- The statement may do what it likes to the table, and to the extension.
CALL lockstep.apply_in_chunks('users', '{u1,u2}', 'SELECT $1; ALTER TABLE users ALTER id TYPE text', 1);
CALL lockstep.apply_in_chunks('users', '{u1,u2}', 'SELECT $1; ALTER TABLE users RENAME TO people', 1);
CALL lockstep.apply_in_chunks('people', '{u1,u2}', 'SELECT $1; ALTER TABLE people DROP CONSTRAINT users_pkey', 1);
\set VERBOSITY sqlstate
CALL lockstep.apply_in_chunks('accounts', ARRAY[4, 5], 'SELECT $1; DROP TABLE accounts', 1, key_columns => '{number}');
\set VERBOSITY default
CALL lockstep.apply_in_chunks('parted', '{1}', 'SELECT $1; DROP EXTENSION lockstep', resume => 'gone');
CALL lockstep.apply_in_chunks('parted', '{1}', 'SELECT $1; DROP EXTENSION lockstep');
DROP FUNCTION chunks_seen, fail_until;
DROP TABLE people, parted, evens, looks, applied, stops, seen, lists;
DROP DOMAIN even;
DROP ROLE regress_chunks_worker;
