-- Memos of the items of a batch: kept with the booking, no part of the request. In both stores, by keys too.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    said text;
    detail text;
BEGIN
    EXECUTE statement;
    RETURN 'ok';
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS said = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, said, nullif(detail, ''));
END $$;
CREATE FUNCTION ids(VARIADIC names text[]) RETURNS uuid[] LANGUAGE sql AS $$
    SELECT array_agg(lockstep.request_id(name) ORDER BY n) FROM unnest(names) WITH ORDINALITY AS u(name, n)
$$;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO accounts SELECT n, 1000 FROM generate_series(1, 4) AS n;
SELECT lockstep.register_ledger('accounts');

-- By each store; null in the array is no memo, the null of JSON is one.
CREATE FUNCTION with_memos(store text) RETURNS SETOF text LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lockstep.store', store, true);
    PERFORM lockstep.transfer_batch('accounts', ARRAY[1, 2, NULL, 3, 9], ARRAY[2, 3, 1, NULL, 1], ARRAY[1, 2, 3, 4, 5], atomic => false,
        memos => ARRAY['{"for": "rent"}', NULL, 'null', '[1, "two"]', '"refused"']::jsonb[]);
    PERFORM lockstep.adjust_batch('accounts', ARRAY[1, 2, 3], ARRAY[1, -1, 1], memos => ARRAY['"first"', NULL, '{}']::jsonb[]);
    RETURN QUERY SELECT concat_ws(' ', from_key, '->', to_key, amount, refusal, coalesce(memo::text, '-')) FROM accounts_journal ORDER BY entry;
    RAISE EXCEPTION 'undone' USING ERRCODE = 'XX999';
EXCEPTION WHEN SQLSTATE 'XX999' THEN
END $$;
SELECT with_memos('heap');
SELECT count(*) AS differ FROM (SELECT with_memos('heap') EXCEPT ALL SELECT with_memos('spi')) AS d;
SELECT count(*) AS differ FROM (SELECT with_memos('heap') EXCEPT ALL SELECT with_memos('spi_by_key')) AS d;
SELECT count(*) FROM accounts_journal;

-- No memos: a null array, an empty one for no items.
SELECT count(*) FROM lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1], ids('a', 'b'), memos => NULL);
SELECT count(*) FROM lockstep.transfer_batch('accounts', '{}'::int[], '{}', '{}', memos => '{}');
SELECT count(*) FROM lockstep.adjust_batch('accounts', '{}'::int[], '{}', memos => '{}');
SELECT count(memo) AS memos, count(*) FROM accounts_journal;
-- As many as items, in one dimension.
SELECT outcome($$SELECT lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1], memos => '{}')$$);
SELECT outcome($$SELECT lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1], memos => ARRAY['1', '2', '3']::jsonb[])$$);
SELECT outcome($$SELECT lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[1, 1], memos => ARRAY[['1', '2']]::jsonb[])$$);
SELECT outcome($$SELECT lockstep.adjust_batch('accounts', ARRAY[1, 2], ARRAY[1, 1], memos => ARRAY['1']::jsonb[])$$);
SELECT outcome($$SELECT lockstep.adjust_batch('accounts', ARRAY[1, 2], ARRAY[1, 1], memos => '{"\"one\"", no}')$$);

-- A memo is no part of the request: another one replays, and the first one stays; of an id that comes twice, too.
SELECT item, status FROM lockstep.transfer_batch('accounts', ARRAY[1, 2, 3], ARRAY[2, 1, 1], ARRAY[1, 1, 7], ids('a', 'b', 'c'),
    memos => ARRAY['"late"', NULL, '"c"']::jsonb[]);
SELECT item, status FROM lockstep.adjust_batch('accounts', ARRAY[4, 4], ARRAY[1, 1], ids('d', 'd'), memos => ARRAY[NULL, '"second"']::jsonb[]);
SELECT status FROM lockstep.adjust('accounts', 4, 1, lockstep.request_id('d'), memo => '"third"');
SELECT amount, memo FROM accounts_journal ORDER BY entry;
-- Of an item that was refused, it stays with the refusal.
SELECT item, status, sqlstate FROM lockstep.adjust_batch('accounts', ARRAY[4, 4], ARRAY[-1, -5000], ids('e', 'f'), false, ARRAY['"e"', '"f"']::jsonb[]);
SELECT item, status, sqlstate FROM lockstep.adjust_batch('accounts', ARRAY[4], ARRAY[-5000], ids('f'), false, ARRAY['"again"']::jsonb[]);
SELECT amount, refusal, memo FROM accounts_journal WHERE request_id = ANY (ids('e', 'f')) ORDER BY entry;

-- Long ones, that do not fit on a page, few and many, compressed in their array or not.
CREATE FUNCTION long_memo(n int) RETURNS jsonb LANGUAGE sql AS $$ SELECT to_jsonb(n || repeat(md5(n::text), 20000)) $$;
CREATE TABLE kept (memos jsonb[]);
INSERT INTO kept SELECT array_agg(CASE WHEN n % 3 > 0 THEN long_memo(n) END ORDER BY n) FROM generate_series(1, 100) AS n;
CREATE FUNCTION differ(name text) RETURNS bigint LANGUAGE sql AS $$
    SELECT count(*) FROM generate_series(1, 100) AS n LEFT JOIN accounts_journal AS j ON j.request_id = lockstep.request_id(name || n)
     WHERE j.memo IS DISTINCT FROM CASE WHEN n % 3 > 0 THEN long_memo(n) END
$$;
CREATE FUNCTION named(name text) RETURNS uuid[] LANGUAGE sql AS $$ SELECT array_agg(lockstep.request_id(name || n) ORDER BY n) FROM generate_series(1, 100) AS n $$;
SELECT status, count(*) FROM kept, lockstep.adjust_batch('accounts', array_fill(1, ARRAY[100]), array_fill(1, ARRAY[100]), named('heap'), memos => kept.memos) GROUP BY 1;
SELECT differ('heap');
SET lockstep.store = 'spi';
SELECT status, count(*) FROM kept, lockstep.adjust_batch('accounts', array_fill(1, ARRAY[100]), array_fill(1, ARRAY[100]), named('spi'), memos => kept.memos) GROUP BY 1;
SELECT differ('spi');
RESET lockstep.store;
SELECT status, count(*) FROM kept, lockstep.transfer_batch('accounts', array_fill(1, ARRAY[100]), array_fill(2, ARRAY[100]), array_fill(1, ARRAY[100]),
    named('moved'), memos => kept.memos) GROUP BY 1;
SELECT differ('moved');

-- Triggers of the journal may give an item another memo, as they may a movement by itself.
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.memo := coalesce(NEW.memo, '{}') || '{"stamped": true}'; RETURN NEW; END $$;
CREATE TRIGGER stamp BEFORE INSERT ON accounts_journal FOR EACH ROW EXECUTE FUNCTION stamp();
SELECT item, status FROM lockstep.transfer_batch('accounts', ARRAY[1, 2, 3], ARRAY[2, 1, 1], ARRAY[1, 1, 7], ids('g', 'h', 'i'),
    memos => ARRAY['{"for": "g"}', NULL, '{"for": "i"}']::jsonb[]);
SELECT memo FROM accounts_journal WHERE request_id = ANY (ids('g', 'h', 'i')) ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('accounts');

DROP TABLE accounts, accounts_journal, kept;
DROP FUNCTION outcome, ids, with_memos, long_memo, differ, named, stamp;
DROP EXTENSION lockstep;
