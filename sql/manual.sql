-- What pages of docs/ show beyond the README; tests/check_docs compares them.
CREATE EXTENSION lockstep;
SELECT name, current_setting(name) AS value FROM pg_settings WHERE name LIKE 'lockstep.%' ORDER BY name;
ALTER EXTENSION lockstep UPDATE;

-- rights
CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 50);
SELECT lockstep.register_ledger('accounts');
CREATE ROLE shop_app;
GRANT SELECT, UPDATE (balance) ON accounts TO shop_app;
CREATE ROLE shop_auditor;
GRANT SELECT ON accounts, accounts_journal TO shop_auditor;
SET ROLE shop_app;
SELECT status, from_balance FROM lockstep.transfer('accounts', 1, 2, 30);
SELECT lockstep.verify_ledger('accounts');
SET ROLE shop_auditor;
SELECT violation, key FROM lockstep.verify_ledger('accounts');
SELECT lockstep.transfer('accounts', 1, 2, 30);
RESET ROLE;
CREATE FUNCTION pay(payer bigint, payee bigint, amount numeric, id uuid) RETURNS text
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS $$SELECT status FROM lockstep.transfer('public.accounts', payer, payee, amount, id)$$;
REVOKE EXECUTE ON FUNCTION pay FROM PUBLIC;
CREATE ROLE shop_till;
GRANT EXECUTE ON FUNCTION pay TO shop_till;
SET ROLE shop_till;
SELECT pay(1, 2, 5, lockstep.request_id('receipt 1'));
UPDATE accounts SET balance = 1000 WHERE id = 1;
RESET ROLE;
DROP FUNCTION pay;
DROP ROLE shop_till;

-- isolation
CREATE TABLE customer (account text PRIMARY KEY, balance numeric(12,2) NOT NULL, least numeric(12,2));
INSERT INTO customer VALUES ('checking', 100, NULL), ('saving', 100, NULL), ('together', 200, 0);
SELECT lockstep.register_ledger('customer', floor_column => 'least');
SELECT status, balance
  FROM lockstep.adjust_batch('customer', ARRAY['checking', 'together'], ARRAY[-150, -150]);
SELECT lockstep.adjust_batch('customer', ARRAY['saving', 'together'], ARRAY[-150, -150]);
CALL lockstep.retry('SELECT account, balance FROM customer ORDER BY account',
    read_only => true, is_deferrable => true);
DROP TABLE customer, customer_journal;

-- old rows
BEGIN;
ALTER TABLE accounts_journal DISABLE TRIGGER USER;
DELETE FROM accounts_journal WHERE booked_at < now() - interval '2 years';
ALTER TABLE accounts_journal ENABLE TRIGGER USER;
COMMIT;

-- cookbook: sell stock
CREATE TABLE stock (sku text PRIMARY KEY, pieces int NOT NULL, version bigint NOT NULL DEFAULT 0);
INSERT INTO stock VALUES ('lamp', 100), ('chair', 5);
CREATE TABLE shelf (sku text PRIMARY KEY, pieces int NOT NULL);
INSERT INTO shelf VALUES ('lamp', 100), ('chair', 5);
SELECT lockstep.register_ledger('shelf', amount => 'pieces');
SELECT status, sqlstate, balance
  FROM lockstep.adjust('shelf', 'lamp', -1, lockstep.request_id('order 1'), on_refusal => 'return');
SELECT status, sqlstate, balance
  FROM lockstep.adjust('shelf', 'chair', -6, lockstep.request_id('order 2'), on_refusal => 'return');
UPDATE stock SET pieces = pieces - 1 WHERE sku = 'lamp' AND pieces >= 1 RETURNING pieces;
BEGIN;
SELECT key FROM lockstep.lock_rows('stock', ARRAY['lamp']);
SELECT pieces FROM stock WHERE sku = 'lamp';
UPDATE stock SET pieces = pieces - 1 WHERE sku = 'lamp';
COMMIT;
BEGIN;
SELECT pieces FROM stock WHERE sku = 'lamp' FOR NO KEY UPDATE;
UPDATE stock SET pieces = pieces - 1 WHERE sku = 'lamp';
COMMIT;
SELECT pieces, version FROM stock WHERE sku = 'chair';
SELECT lockstep.update_if_version('stock', 'chair', 0, '{"pieces": 4}');
SELECT lockstep.update_if_version('stock', 'chair', 0, '{"pieces": 4}');
CREATE FUNCTION buy_by_version(wanted text, count int) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    seen stock;
BEGIN
    LOOP
        SELECT * INTO seen FROM stock WHERE sku = wanted;
        IF seen.pieces IS NULL OR seen.pieces < count THEN
            RETURN false;
        END IF;
        BEGIN
            PERFORM lockstep.update_if_version('stock', wanted, seen.version,
                                               jsonb_build_object('pieces', seen.pieces - count));
            RETURN true;
        EXCEPTION WHEN SQLSTATE 'LS030' THEN
            -- Somebody was quicker: look again.
        END;
    END LOOP;
END $$;
SELECT buy_by_version('chair', 4) AS four, buy_by_version('chair', 1) AS one_more;

-- cookbook: an order of many lines
CREATE TABLE orders (id bigint PRIMARY KEY, customer text NOT NULL);
CREATE TABLE order_lines (
    order_id bigint REFERENCES orders,
    line     int,
    sku      text NOT NULL REFERENCES shelf,
    pieces   int NOT NULL CHECK (pieces > 0),
    PRIMARY KEY (order_id, line));
BEGIN;
INSERT INTO orders VALUES (7, 'ann');
INSERT INTO order_lines VALUES (7, 1, 'lamp', 2), (7, 2, 'chair', 4);
SELECT b.item AS line, b.status, b.balance AS left
  FROM (SELECT array_agg(sku ORDER BY line) AS skus,
               array_agg(-pieces::numeric ORDER BY line) AS deltas,
               array_agg(lockstep.request_id(format('order %s, line %s', order_id, line)) ORDER BY line) AS ids
          FROM order_lines WHERE order_id = 7) AS o,
       lockstep.adjust_batch('shelf', skus, deltas, ids) AS b;
COMMIT;
SELECT b.item, b.status
  FROM lockstep.adjust_batch('shelf', ARRAY['lamp', 'chair'], ARRAY[-1, -2],
       ARRAY[lockstep.request_id('order 8, line 1'), lockstep.request_id('order 8, line 2')]) AS b;
SELECT b.item AS line, b.status, b.sqlstate, b.balance AS left
  FROM lockstep.adjust_batch('shelf', ARRAY['lamp', 'chair'], ARRAY[-1, -2],
       ARRAY[lockstep.request_id('order 9, line 1'), lockstep.request_id('order 9, line 2')],
       atomic => false) AS b;
SELECT status, balance
  FROM lockstep.adjust('shelf', 'chair', 4, lockstep.request_id('order 7, line 2, returned'));

-- cookbook: a job queue
CREATE TABLE jobs (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    state    text NOT NULL DEFAULT 'ready',
    payload  jsonb NOT NULL,
    tries    int NOT NULL DEFAULT 0,
    taken_at timestamptz);
CREATE INDEX ON jobs (state, id);
INSERT INTO jobs (payload) SELECT jsonb_build_object('mail', n) FROM generate_series(1, 6) AS n;
BEGIN;
WITH mine AS (
    UPDATE jobs SET state = 'done'
     WHERE id IN (SELECT key::bigint FROM lockstep.claim('jobs', 2, '{"state": "ready"}'))
 RETURNING id, payload)
SELECT * FROM mine ORDER BY id;
-- the work is done here
COMMIT;
WITH mine AS (
    UPDATE jobs SET state = 'running', taken_at = now(), tries = tries + 1
     WHERE id IN (SELECT key::bigint FROM lockstep.claim('jobs', 1, '{"state": "ready"}'))
 RETURNING id, tries, payload)
SELECT * FROM mine ORDER BY id;
-- the work is done here, outside of any transaction
UPDATE jobs SET state = 'done' WHERE id = 3 AND state = 'running' AND tries = 1 RETURNING id;
UPDATE jobs SET state = CASE WHEN tries < 5 THEN 'ready' ELSE 'failed' END
 WHERE id IN (SELECT id FROM jobs WHERE state = 'running' AND taken_at < now() - interval '10 minutes'
               ORDER BY id FOR NO KEY UPDATE SKIP LOCKED);
CREATE TABLE jobs_done (LIKE jobs);
WITH gone AS (
    DELETE FROM jobs
     WHERE id IN (SELECT key::bigint FROM lockstep.claim('jobs', 1000, '{"state": "done"}'))
 RETURNING *)
INSERT INTO jobs_done SELECT * FROM gone;
SELECT state, count(*) FROM (TABLE jobs UNION ALL TABLE jobs_done) AS j GROUP BY state ORDER BY state;

-- cookbook: a flash sale
CREATE TABLE seats (id int PRIMARY KEY, section text NOT NULL, buyer text);
CREATE INDEX ON seats (section, id) WHERE buyer IS NULL;
INSERT INTO seats SELECT n, CASE WHEN n <= 4 THEN 'A' ELSE 'B' END FROM generate_series(1, 8) AS n;
WITH claimed AS MATERIALIZED (
    SELECT key::int AS id FROM lockstep.claim('seats', 2, '{"section": "A", "buyer": null}')),
mine AS (
    UPDATE seats SET buyer = 'ann'
     WHERE id IN (SELECT id FROM claimed) AND (SELECT count(*) FROM claimed) = 2
 RETURNING id)
SELECT id FROM mine ORDER BY id;
BEGIN;
SELECT key FROM lockstep.lock_rows('seats', ARRAY[2, 3, 4], wait => 'skip');
UPDATE seats SET buyer = 'bob' WHERE id = ANY (ARRAY[2, 3, 4]) AND buyer IS NULL RETURNING id;
ROLLBACK;

-- cookbook: a bulk update
CREATE TABLE users (id varchar PRIMARY KEY, plan text NOT NULL, updated_time timestamptz);
INSERT INTO users SELECT 'u' || n, 'free' FROM generate_series(1, 1000) AS n;
BEGIN;
SELECT count(*) FROM lockstep.lock_rows('users', ARRAY['u17', 'u3', 'u412', 'u3']);
UPDATE users SET plan = 'paid', updated_time = now() WHERE id = ANY (ARRAY['u17', 'u3', 'u412', 'u3']);
COMMIT;
BEGIN;
CREATE TEMP TABLE changed ON COMMIT DROP AS
    SELECT key AS id FROM lockstep.lock_rows('users', ARRAY(SELECT id FROM users WHERE plan = 'paid'));
UPDATE users AS u SET plan = 'free', updated_time = now() FROM changed AS c
 WHERE u.id = c.id AND u.plan = 'paid';
COMMIT;
SELECT plan, count(*) FROM users GROUP BY plan ORDER BY plan;

-- cookbook: rows of several tables
CREATE TABLE rooms (id int PRIMARY KEY, nights int NOT NULL);
INSERT INTO rooms VALUES (1, 10), (2, 10);
CREATE TABLE guests (id int PRIMARY KEY, name text NOT NULL);
INSERT INTO guests VALUES (5, 'ann'), (6, 'bob');
BEGIN;
SELECT * FROM lockstep.lock_all(ARRAY[
    lockstep.lock_set('rooms', ARRAY[2, 1]),
    lockstep.lock_set('guests', ARRAY[6, 9], 'key share')]);
UPDATE rooms SET nights = nights - 1 WHERE id = 2;
UPDATE rooms SET nights = nights - 1 WHERE id = 1;
COMMIT;

-- cookbook: NOWAIT
CREATE TABLE documents (id int PRIMARY KEY, body text NOT NULL);
INSERT INTO documents VALUES (1, 'draft'), (2, 'draft');
CREATE FUNCTION edit_document(document int, text text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM lockstep.lock_rows('documents', ARRAY[document], wait => 'nowait')) THEN
        RETURN 'there is no such document';
    END IF;
    UPDATE documents SET body = text WHERE id = document;
    RETURN 'saved';
EXCEPTION WHEN lock_not_available THEN
    RETURN 'somebody else is saving it just now, please try again in a moment';
END $$;
SELECT edit_document(1, 'final'), edit_document(3, 'final');

-- cookbook: a transfer inside a larger transaction
CREATE TABLE purses (id text PRIMARY KEY, balance numeric(12,2) NOT NULL);
INSERT INTO purses VALUES ('ann', 20), ('ann, savings', 500), ('hotel', 0);
SELECT lockstep.register_ledger('purses');
CREATE TABLE stays (id bigint PRIMARY KEY, room int NOT NULL REFERENCES rooms, paid_by text NOT NULL);
BEGIN;
INSERT INTO stays VALUES (41, 1, 'ann');
UPDATE rooms SET nights = nights - 1 WHERE id = 1;
SAVEPOINT pay;
SELECT status FROM lockstep.transfer('purses', 'ann', 'hotel', 90, lockstep.request_id('stay 41'));
ROLLBACK TO pay;
UPDATE stays SET paid_by = 'ann, savings' WHERE id = 41;
SELECT status, from_balance
  FROM lockstep.transfer('purses', 'ann, savings', 'hotel', 90, lockstep.request_id('stay 41'));
COMMIT;
BEGIN;
SELECT status, sqlstate
  FROM lockstep.transfer('purses', 'ann', 'hotel', 90, lockstep.request_id('stay 42'),
       on_refusal => 'return');
COMMIT;
CALL lockstep.retry($$
    INSERT INTO stays VALUES ($1::bigint, 2, $2);
    UPDATE rooms SET nights = nights - 1 WHERE id = 2;
    SELECT status, from_balance
      FROM lockstep.transfer('purses', $2, 'hotel', 90, lockstep.request_id('stay ' || $1))$$,
    isolation => 'read committed', params => ARRAY['43', 'ann, savings']);
SELECT id, room, paid_by FROM stays ORDER BY id;

-- log writing
CREATE TABLE events (
    id      uuid NOT NULL,
    at      timestamptz NOT NULL,
    kind    text NOT NULL,
    payload jsonb NOT NULL,
    xact    xid8 NOT NULL DEFAULT pg_current_xact_id(),
    PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE INDEX ON events (xact);
CREATE TABLE events_2026_11_26 PARTITION OF events
    FOR VALUES FROM ('2026-11-26 00:00+00') TO ('2026-11-27 00:00+00');
CREATE TABLE events_2026_11_27 PARTITION OF events
    FOR VALUES FROM ('2026-11-27 00:00+00') TO ('2026-11-28 00:00+00');
CREATE TEMP TABLE batch (id uuid, at timestamptz, kind text, payload jsonb) ON COMMIT DELETE ROWS;
BEGIN;
COPY batch FROM STDIN;
0193658a-0000-7000-8000-000000000001	2026-11-26 09:00:00+00	login	{"user": 1}
0193658a-0000-7000-8000-000000000002	2026-11-26 09:00:01+00	click	{"user": 1}
0193658a-0000-7000-8000-000000000003	2026-11-27 00:00:02+00	logout	{"user": 1}
\.
INSERT INTO events SELECT * FROM batch ORDER BY id, at ON CONFLICT (id, at) DO NOTHING;
COMMIT;
-- the answer was lost, so the same batch comes again
BEGIN;
COPY batch FROM STDIN;
0193658a-0000-7000-8000-000000000001	2026-11-26 09:00:00+00	login	{"user": 1}
0193658a-0000-7000-8000-000000000002	2026-11-26 09:00:01+00	click	{"user": 1}
0193658a-0000-7000-8000-000000000003	2026-11-27 00:00:02+00	logout	{"user": 1}
\.
INSERT INTO events SELECT * FROM batch ORDER BY id, at ON CONFLICT (id, at) DO NOTHING;
COMMIT;
SELECT kind, count(*), min(tableoid::regclass::text) AS stored_in FROM events GROUP BY kind ORDER BY kind;
INSERT INTO events (id, at, kind, payload)
SELECT * FROM unnest(ARRAY['0193658a-0000-7000-8000-000000000004']::uuid[],
                     ARRAY['2026-11-27 08:00+00']::timestamptz[], ARRAY['login'], ARRAY['{}']::jsonb[])
    ON CONFLICT (id, at) DO NOTHING;
CREATE TABLE reader (read_to xid8 NOT NULL);
INSERT INTO reader VALUES ('0');
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT e.id, e.kind FROM events AS e, reader AS r
 WHERE e.xact >= r.read_to AND e.xact < pg_snapshot_xmin(pg_current_snapshot())
 ORDER BY e.at, e.id;
UPDATE reader SET read_to = pg_snapshot_xmin(pg_current_snapshot());
COMMIT;
ALTER TABLE events DETACH PARTITION events_2026_11_26 CONCURRENTLY;
DROP TABLE events_2026_11_26;

DROP TABLE stock, order_lines, orders, shelf, shelf_journal, jobs, jobs_done, seats, users, stays, rooms, guests, documents;
DROP TABLE purses, purses_journal, batch, events, reader;
DROP FUNCTION buy_by_version, edit_document;
-- bulk updates
CREATE TABLE users (id varchar PRIMARY KEY, seen int NOT NULL DEFAULT 0, updated_time timestamp);
INSERT INTO users SELECT 'user-' || n FROM generate_series(1, 5000) AS n;
CALL lockstep.apply_in_chunks('users', ARRAY['user-7', 'user-4711', 'user-42', 'user-9999'],
    'UPDATE users SET seen = seen + 1, updated_time = now() WHERE id = ANY($1)');
CALL lockstep.apply_in_chunks('users',
    lockstep.keys_of($$SELECT id FROM users WHERE seen = 0$$),
    'UPDATE users SET seen = $2, updated_time = now() WHERE id = ANY($1)',
    chunk_size => 500, params => ARRAY['1'], resume => 'mark as seen');
SELECT pid, relation, phase, keys_done, keys_total, rows, attempts, estimated_end
  FROM lockstep.progress_apply_in_chunks;
\set SHOW_CONTEXT never
CALL lockstep.apply_in_chunks('users', ARRAY['user-1', 'user-2', 'user-3'],
    'UPDATE users SET seen = seen / (CASE WHEN id = ''user-3'' THEN seen - 1 ELSE 1 END) WHERE id = ANY($1)',
    chunk_size => 2, resume => 'divide');
SELECT name, relation, keys_done, keys_total, finished_at IS NOT NULL AS finished
  FROM lockstep.chunk_runs ORDER BY started_at;
UPDATE users SET seen = 2 WHERE id = 'user-3';
CALL lockstep.apply_in_chunks('users', ARRAY['user-1', 'user-2', 'user-3'],
    'UPDATE users SET seen = seen / (CASE WHEN id = ''user-3'' THEN seen - 1 ELSE 1 END) WHERE id = ANY($1)',
    chunk_size => 2, resume => 'divide');
SELECT lockstep.forget_chunk_run('divide');
\set SHOW_CONTEXT errors
DROP TABLE users;

-- removal, and the way back
DROP EXTENSION lockstep CASCADE;
CREATE EXTENSION lockstep;
SELECT lockstep.register_ledger('accounts', journal => 'accounts_journal');
SELECT violation, key FROM lockstep.verify_ledger('accounts');

DROP TABLE accounts, accounts_journal;
DROP ROLE shop_app;
DROP ROLE shop_auditor;

-- row locks, claims and versions
CREATE TABLE seats (hall int, seat text, state text NOT NULL DEFAULT 'free', PRIMARY KEY (hall, seat));
INSERT INTO seats SELECT h, s FROM generate_series(1, 2) AS h, unnest(ARRAY['a', 'b', 'c']) AS s;
CREATE TABLE orders (id bigint PRIMARY KEY, state text NOT NULL DEFAULT 'open', note text, version int NOT NULL DEFAULT 1);
INSERT INTO orders SELECT generate_series(1, 4);
BEGIN;
SELECT * FROM lockstep.lock_rows('orders', ARRAY[3, 1, 2, 99]);
UPDATE orders SET state = 'paid' WHERE id IN (1, 2, 3);
COMMIT;
SELECT * FROM lockstep.lock_rows('seats', ARRAY['(2,a)', '(1,c)'], 'update', wait => 'skip');
SELECT * FROM lockstep.lock_all(ARRAY[
    lockstep.lock_set('seats', ARRAY['(2,b)', '(1,a)']),
    lockstep.lock_set('orders', ARRAY[4, 2], 'share')]);
SELECT * FROM lockstep.claim('seats', 2, matching => '{"state": "free"}', order_by => 'hall');
UPDATE orders SET state = 'packed'
  FROM lockstep.claim('orders', 2, '{"state": "paid"}') AS claimed
 WHERE id = claimed.key::bigint RETURNING id;
SELECT lockstep.update_if_version('orders', 4, 1, '{"note": "call first", "state": "held"}');
SELECT lockstep.update_if_version('orders', 4, 1, '{"state": "paid"}');
CREATE FUNCTION save_order(number bigint, seen bigint, changes jsonb)
    RETURNS TABLE (saved boolean, current bigint) LANGUAGE plpgsql AS $$
DECLARE
    detail text;
BEGIN
    RETURN QUERY SELECT true, lockstep.update_if_version('orders', number, seen, changes);
EXCEPTION WHEN SQLSTATE 'LS030' THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN QUERY SELECT false, substring(detail FROM 'version is (\d+)')::bigint;
END $$;
SELECT * FROM save_order(4, 1, '{"state": "paid"}');
SELECT * FROM save_order(4, 2, '{"state": "paid"}');
DROP FUNCTION save_order;
DROP TABLE seats, orders;

-- once
CREATE TABLE outbox (recipient text, subject text);
BEGIN;
SELECT lockstep.once_begin(lockstep.request_id('welcome ann'), 'Welcome, Ann') AS known;
INSERT INTO outbox VALUES ('ann', 'Welcome, Ann');
SELECT lockstep.once_finish(lockstep.request_id('welcome ann'), '{"mails": 1}');
COMMIT;
SELECT lockstep.once_begin(lockstep.request_id('welcome ann'), 'Welcome, Ann') AS known;
SELECT lockstep.once_begin(lockstep.request_id('welcome ann'), 'Goodbye, Ann') AS known;
CREATE FUNCTION welcome(who text, request uuid) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    answer jsonb = lockstep.once_begin(request, who);
BEGIN
    IF answer IS NULL THEN
        INSERT INTO outbox VALUES (who, 'Welcome, ' || who);
        answer := jsonb_build_object('mails', 1);
        PERFORM lockstep.once_finish(request, answer);
    END IF;
    RETURN answer;
END $$;
SELECT welcome('Bob', lockstep.request_id('welcome bob'));
SELECT welcome('Bob', lockstep.request_id('welcome bob'));
CALL lockstep.once(lockstep.request_id('welcome eve'),
    'INSERT INTO outbox VALUES ($1, $2) RETURNING subject', params => ARRAY['eve', 'Welcome, Eve']);
CALL lockstep.once(lockstep.request_id('welcome eve'),
    'INSERT INTO outbox VALUES ($1, $2) RETURNING subject', params => ARRAY['eve', 'Welcome, Eve']);
SELECT count(*) FROM outbox;
SELECT lockstep.once_prune('90 days');
CREATE ROLE shop_backup;
GRANT USAGE ON SCHEMA lockstep TO shop_backup;
GRANT SELECT ON lockstep.once_request TO shop_backup;
SET ROLE shop_backup;
SELECT count(*) FROM lockstep.once_request;
RESET ROLE;
DROP OWNED BY shop_backup;
DROP ROLE shop_backup;
DROP FUNCTION welcome;
DROP TABLE outbox;

-- submit
CREATE TABLE tills (id text PRIMARY KEY, balance numeric(12,2) NOT NULL CHECK (balance >= 0));
INSERT INTO tills VALUES ('ann', 50), ('bob', 50), ('shop', 0);
SELECT lockstep.register_ledger('tills', floor => '0');
CALL lockstep.submit('tills', 'ann', 'shop', 20, lockstep.request_id('order 1')) \gset
\echo :status :moved from :from_balance to :to_balance group :group_size
CALL lockstep.submit('tills', 'ann', 'shop', 20, lockstep.request_id('order 1')) \gset
\echo :status :moved from :from_balance to :to_balance group :group_size
CALL lockstep.submit('tills', 'bob', 'shop', 80, lockstep.request_id('order 2'), on_refusal => 'return') \gset
\echo :status :sqlstate from :from_balance
CALL lockstep.submit('tills', NULL, 'ann', 100, lockstep.request_id('deposit 1')) \gset
\echo :status :moved to :to_balance
CALL lockstep.submit('tills', 'bob', 'shop', 80, lockstep.request_id('order 3'));
DROP TABLE tills, tills_journal;

-- row_versions
CREATE TABLE shelves (id int PRIMARY KEY, stock int NOT NULL);
INSERT INTO shelves VALUES (1, 10);
UPDATE shelves SET stock = 9 WHERE id = 1;
BEGIN;
UPDATE shelves SET stock = 8 WHERE id = 1;
SELECT version, ctid, next_ctid, xmin_fate, xmax_kind, xmax_fate, heap_only, visible
  FROM lockstep.row_versions('shelves', 1);
SELECT version, infomask_words FROM lockstep.row_versions('shelves', 1);
ROLLBACK;
SELECT version, xmin_fate, visible, removable, kept_because FROM lockstep.row_versions('shelves', 1);
VACUUM shelves;
SELECT version, ctid, line_pointer, next_ctid, visible FROM lockstep.row_versions('shelves', 1);
DROP TABLE shelves;
DROP EXTENSION lockstep;
