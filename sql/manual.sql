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
DROP FUNCTION welcome;
DROP TABLE outbox;
DROP EXTENSION lockstep;
