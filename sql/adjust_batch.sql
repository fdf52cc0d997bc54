-- adjust_batch, and items of transfer_batch with one key: what each is told, and that an adjustment is the same request whichever
-- function it is sent by. Every call runs in both stores, by keys too, and is undone but for the last: they must say the same.
CREATE EXTENSION lockstep;

CREATE FUNCTION asked(store text, statement text) RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    line text; lines text[] := '{}'; detail text; hint text;
BEGIN
    PERFORM set_config('lockstep.store', store, true);
    FOR line IN EXECUTE statement LOOP
        lines := lines || line;
    END LOOP;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN lines;
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    PERFORM set_config('lockstep.store', 'auto', true);
    RETURN ARRAY[concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''))];
END $$;
CREATE FUNCTION in_both(statement text) RETURNS SETOF text LANGUAGE plpgsql AS $$
DECLARE
    store text; said text[]; first text[];
BEGIN
    FOREACH store IN ARRAY '{heap, spi_by_key, spi}'::text[] LOOP
        BEGIN
            said := asked(store, statement);
            IF first IS NULL THEN
                first := said;
            ELSIF said IS DISTINCT FROM first THEN
                RETURN NEXT store || ': ' || said::text;
            END IF;
            IF store <> 'spi' THEN
                RAISE EXCEPTION 'undone' USING ERRCODE = 'XX999';
            END IF;
        EXCEPTION WHEN SQLSTATE 'XX999' THEN
        END;
    END LOOP;
    RETURN QUERY SELECT unnest(first);
END $$;
-- A batch by its arguments; ids by name, so that they are the same each time.
CREATE FUNCTION adjusted(arguments text, atomic boolean DEFAULT true, ledger text DEFAULT 'stock') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', item, status, sqlstate, coalesce(balance::text, ''-''))'
                       ' FROM lockstep.adjust_batch(%L, %s, atomic => %L)', ledger, arguments, atomic))
$$;
CREATE FUNCTION moved(arguments text, atomic boolean DEFAULT true, ledger text DEFAULT 'stock') RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', item, status, sqlstate, coalesce(from_balance::text, ''-''), coalesce(to_balance::text, ''-''))'
                       ' FROM lockstep.transfer_batch(%L, %s, atomic => %L)', ledger, arguments, atomic))
$$;
CREATE FUNCTION one(call text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', status, sqlstate, delta, coalesce(balance::text, ''-'')) FROM lockstep.adjust(''stock'', %s)', call))
$$;
CREATE FUNCTION ids(VARIADIC names text[]) RETURNS uuid[] LANGUAGE sql AS $$
    SELECT array_agg(lockstep.request_id(name) ORDER BY n) FROM unnest(names) WITH ORDINALITY AS u(name, n)
$$;

CREATE TABLE stock (item text PRIMARY KEY, qty numeric(10,2) NOT NULL, room numeric, version int NOT NULL DEFAULT 0, frozen boolean);
INSERT INTO stock VALUES ('bolt', 100, NULL, 0, NULL), ('nut', 50, 60, 0, NULL), ('rope', 7.5, NULL, 0, false), ('old', 10, NULL, 0, true);
SELECT lockstep.register_ledger('stock', amount => 'qty', ceiling_column => 'room', version_column => 'version', frozen_column => 'frozen');
SELECT store FROM lockstep.ledgers;
CREATE FUNCTION booked() RETURNS TABLE (from_key text, to_key text, amount numeric, from_balance numeric, to_balance numeric, refusal text) LANGUAGE sql AS $$
    SELECT from_key, to_key, amount, from_balance, to_balance, refusal FROM stock_journal ORDER BY entry
$$;

-- An order of three lines, and what is brought back of it: each row is written once, in the order of the keys; answers are in that
-- of the request.
SELECT adjusted('ARRAY[''rope'', ''bolt'', ''nut''], ARRAY[-2.25, -4, -4], ids(''a1'', ''a2'', ''a3'')');
SELECT adjusted('ARRAY[''bolt'', ''bolt'', ''rope'', ''bolt''], ARRAY[1, -90, 0.25, 2], ids(''b1'', ''b2'', ''b3'', ''b4'')');
SELECT * FROM stock ORDER BY item;
SELECT * FROM booked();
SELECT count(DISTINCT booked_at) AS moments, count(DISTINCT xmin::text) AS transactions FROM stock_journal;

-- The same request by each function: adjust(), adjust_batch(), and transfer_batch() with a null key.
SELECT one('''rope'', -2.25, lockstep.request_id(''a1'')');
SELECT adjusted('ARRAY[''rope'', ''bolt'', ''nut''], ARRAY[-2.250, -4.0, -4], ids(''a1'', ''a2'', ''a3'')');
SELECT moved('ARRAY[''rope'', NULL], ARRAY[NULL, ''bolt''], ARRAY[2.25, 1], ids(''a1'', ''b1'')');
SELECT one('''nut'', 3, lockstep.request_id(''c1'')');
SELECT one('''nut'', -1, lockstep.request_id(''c2'')');
SELECT adjusted('ARRAY[''nut'', ''nut''], ARRAY[3, -1], ids(''c1'', ''c2'')');
SELECT moved('ARRAY[NULL, ''nut'']::text[], ARRAY[''nut'', NULL]::text[], ARRAY[3, 1], ids(''c1'', ''c2'')');
SELECT moved('ARRAY[NULL, ''bolt'', ''bolt''], ARRAY[''rope'', NULL, ''rope''], ARRAY[1, 2, 3], ids(''d1'', ''d2'', ''d3'')');
SELECT one('''rope'', 1, lockstep.request_id(''d1'')');
SELECT one('''bolt'', -2, lockstep.request_id(''d2'')');
SELECT adjusted('ARRAY[''rope'', ''bolt''], ARRAY[1, -2], ids(''d1'', ''d2'')');
-- Other content, by each of them.
SELECT one('''rope'', -1, lockstep.request_id(''d1'')');
SELECT adjusted('ARRAY[''nut'', ''rope''], ARRAY[1, -1], ids(''new'', ''d1'')');
SELECT adjusted('ARRAY[''nut'', ''rope''], ARRAY[1, 2], ids(''new'', ''d1'')', false);
SELECT adjusted('ARRAY[''nut'', ''bolt''], ARRAY[1, -3], ids(''new'', ''d3'')');
SELECT moved('ARRAY[NULL, NULL]::text[], ARRAY[''nut'', ''bolt''], ARRAY[1, 2], ids(''new'', ''d2'')');
SELECT moved('ARRAY[''bolt''], ARRAY[NULL]::text[], ARRAY[3], ids(''d3'')');
SELECT in_both('SELECT status FROM lockstep.transfer(''stock'', ''bolt''::text, ''rope'', 2, lockstep.request_id(''d2''))');
-- Twice in one batch.
SELECT adjusted('ARRAY[''nut'', ''nut''], ARRAY[1, 1.0], ids(''e'', ''e'')');
SELECT adjusted('ARRAY[''nut'', ''nut''], ARRAY[1, -1], ids(''f'', ''f'')');
SELECT adjusted('ARRAY[''nut'', ''bolt''], ARRAY[1, 1], ids(''f'', ''f'')');
SELECT moved('ARRAY[NULL, ''bolt''], ARRAY[''nut'', ''nut''], ARRAY[1, 1], ids(''f'', ''f'')');

-- Refusals: all or nothing ...
SELECT adjusted('ARRAY[''nut'', ''rope'', ''bolt''], ARRAY[-1, -10, -1], ids(''g1'', ''g2'', ''g3'')');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 20]');
SELECT adjusted('ARRAY[''bolt'', ''none''], ARRAY[1, 20]');
SELECT adjusted('ARRAY[''bolt'', ''old''], ARRAY[1, -1]');
SELECT moved('ARRAY[''bolt'', NULL], ARRAY[NULL, ''nut''], ARRAY[1, 20]');
-- ... or the rest goes through. A dip below the floor counts, also where the net would not dip.
SELECT adjusted('ARRAY[''nut'', ''rope'', ''none'', ''old'', ''nut'', ''rope'', ''bolt''], ARRAY[-1, -10, 1, 1, 20, 10, -1], ids(''g1'', ''g2'', ''g3'', ''g4'', ''g5'', ''g6'', ''g7'')', false);
SELECT adjusted('ARRAY[''rope'', ''nut''], ARRAY[-10, -1], ids(''g2'', ''g1'')', false);
SELECT adjusted('ARRAY[''rope''], ARRAY[-10], ids(''g2'')');
SELECT moved('ARRAY[''rope''], ARRAY[NULL]::text[], ARRAY[10], ids(''g2'')', false);
SELECT in_both('SELECT status || sqlstate FROM lockstep.adjust(''stock'', ''rope''::text, -10, lockstep.request_id(''g2''), on_refusal => ''return'')');
SELECT * FROM stock ORDER BY item;
SELECT * FROM booked() WHERE refusal IS NOT NULL;
SELECT * FROM lockstep.verify_ledger('stock');

-- Ids of the server's own: none at all, or none for an item.
SELECT adjusted('ARRAY[''nut'', ''nut''], ARRAY[0.25, 0.25]');
SELECT adjusted('ARRAY[''nut'', ''nut''], ARRAY[0.25, 0.25], ARRAY[NULL, lockstep.request_id(''h'')]');

-- Shapes. Nothing is locked or written for any of these.
SELECT count(*) AS before FROM stock_journal \gset
SELECT adjusted('ARRAY[]::text[], ARRAY[]::numeric[]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 1], ids(''p'')');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 1], memos => ''{null}''');
SELECT adjusted('ARRAY[''bolt'', NULL], ARRAY[1, 1]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, NULL]');
SELECT adjusted('NULL::text[], ARRAY[1, 1]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], NULL');
SELECT adjusted('ARRAY[[''bolt'', ''nut'']], ARRAY[[1, 1]]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 0]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 0.001]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, -0.001]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, ''NaN'']::numeric[]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, ''-Infinity'']::numeric[]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[0, ''NaN'']::numeric[]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, -1e8]');
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 1]', NULL);
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 1]', true, 'pg_class');
SELECT in_both('SELECT lockstep.adjust_batch(NULL, ARRAY[''bolt''], ARRAY[1])');
SELECT moved('ARRAY[''bolt'', NULL], ARRAY[''nut'', NULL], ARRAY[1, 1]');
SELECT moved('ARRAY[NULL, NULL]::text[], ARRAY[NULL, ''bolt''], ARRAY[0, 1]', false);
SET lockstep.max_batch_items = 1;
SELECT adjusted('ARRAY[''bolt'', ''nut''], ARRAY[1, 1]');
SELECT moved('ARRAY[''bolt''], ARRAY[''nut''], ARRAY[1], memos => ''{1, 2}''');
SELECT adjusted('ARRAY[''bolt''], ARRAY[1], memos => ''{1, 2}''');
RESET lockstep.max_batch_items;
SELECT count(*) - :before AS written FROM stock_journal;

-- Keys as drivers send them.
SELECT adjusted('''{bolt,nut}'', ''{0.01,0.02}'', ids(''t'', ''u'')');
PREPARE untyped AS SELECT item, status, balance FROM lockstep.adjust_batch('stock', $1, $2, $3);
EXECUTE untyped('{bolt,nut}', '{0.01,0.02}', ids('t', 'u'));
DEALLOCATE untyped;

-- Rights, and what a session may not do at all.
CREATE ROLE regress_clerk;
GRANT SELECT ON stock TO regress_clerk;
SET ROLE regress_clerk;
SELECT status FROM lockstep.adjust_batch('stock', ARRAY['bolt', NULL], ARRAY[1, 1]);
RESET ROLE;
GRANT UPDATE (qty, version) ON stock TO regress_clerk;
SET ROLE regress_clerk;
SELECT status FROM lockstep.adjust_batch('stock', ARRAY['bolt', 'nut'], ARRAY[1, 1], ids('v', 'w'));
RESET ROLE;
BEGIN READ ONLY;
SELECT status FROM lockstep.adjust_batch('stock', ARRAY['bolt'], ARRAY[1]);
ROLLBACK;
BEGIN ISOLATION LEVEL SERIALIZABLE;
SELECT status, balance FROM lockstep.adjust_batch('stock', ARRAY['bolt', 'nut'], ARRAY[-1, -1]);
COMMIT;

-- Many: they go into the journal first. Where one of the ids is known already, all that was written is taken back.
SELECT one('''bolt'', -0.01, lockstep.request_id(''known'')');
CREATE FUNCTION many(names text) RETURNS SETOF text LANGUAGE sql AS $$
    SELECT in_both(format('SELECT concat_ws('' '', b.status, b.sqlstate, count(*), min(b.balance), max(b.balance))'
        ' FROM lockstep.adjust_batch(''stock'', (SELECT array_agg(CASE WHEN n %% 2 = 0 THEN ''bolt'' ELSE ''rope'' END ORDER BY n) FROM generate_series(1, 100) AS n),'
        ' array_fill(-0.01, ARRAY[100]),'
        ' (SELECT array_agg(lockstep.request_id(CASE n WHEN 50 THEN ''known'' ELSE %L || n END) ORDER BY n) FROM generate_series(1, 100) AS n)) AS b'
        ' GROUP BY b.status, b.sqlstate ORDER BY 1', names))
$$;
SELECT many('first');
SELECT many('first');
SELECT many('second');
SELECT * FROM stock ORDER BY item;
SELECT * FROM lockstep.verify_ledger('stock');

-- Keys of several columns: a null among them, as text, as rows of a type and of none.
CREATE TABLE purses (tenant int, account text, balance int NOT NULL, PRIMARY KEY (tenant, account));
INSERT INTO purses VALUES (7, 'cash', 10), (7, 'fees', 0), (8, '', 5);
SELECT lockstep.register_ledger('purses');
SELECT adjusted('ARRAY[''(8,"")'', ''(7,cash)'', ''(7,fees)''], ARRAY[-1, -1, 2]', true, 'purses');
SELECT moved('ARRAY[''(8,"")'', NULL, ''(7,cash)'', NULL], ARRAY[NULL, ''(7,cash)'', ''(7,fees)'', ''(8,"")''], ARRAY[1, 2, 3, 4]', true, 'purses');
SELECT moved('ARRAY[ROW(8, ''''), NULL, ROW(7, ''cash'')], ARRAY[NULL, ROW(7, ''cash''), ROW(7, ''fees'')], ARRAY[1, 2, 3]', true, 'purses');
SELECT moved('ARRAY[ROW(8, '''')::purses_key, NULL, NULL], ARRAY[NULL, ROW(7, ''cash'')::purses_key, ROW(7, ''nobody'')::purses_key], ARRAY[1, 2, 3]', false, 'purses');
SELECT moved('ARRAY[''(8,"")'', NULL], ARRAY[NULL, ''(7,)''], ARRAY[1, 2]', true, 'purses');
SELECT * FROM purses ORDER BY tenant, account;
SELECT from_key, to_key, from_key IS NULL AS deposit, to_key IS NULL AS withdrawal, amount FROM purses_journal ORDER BY entry;
SELECT * FROM lockstep.verify_ledger('purses');

-- A journal with a column of its owner's is written by statements, a row without a key too.
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.kind := CASE WHEN NEW.from_key IS NULL THEN 'in' WHEN NEW.to_key IS NULL THEN 'out' ELSE 'moved' END; RETURN NEW; END $$;
ALTER TABLE purses_journal ADD COLUMN kind text;
CREATE TRIGGER note BEFORE INSERT ON purses_journal FOR EACH ROW EXECUTE FUNCTION note();
SELECT store FROM lockstep.store_of('purses');
SELECT status FROM lockstep.transfer_batch('purses', ARRAY['(7,cash)', NULL, '(8,"")'], ARRAY['(8,"")', '(7,cash)', NULL], ARRAY[1, 2, 3]);
SELECT kind, from_key, to_key, amount FROM purses_journal WHERE kind IS NOT NULL ORDER BY entry;
-- A trigger of the ledger's that leaves a row as it was ends the batch.
CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER skip BEFORE UPDATE ON purses FOR EACH ROW WHEN (OLD.account = 'fees') EXECUTE FUNCTION skip();
SELECT status FROM lockstep.adjust_batch('purses', ARRAY['(7,cash)', '(7,fees)', '(8,"")'], ARRAY[1, 2, 3]);
SELECT * FROM lockstep.verify_ledger('purses');

DROP TABLE stock, stock_journal, purses, purses_journal;
DROP TYPE purses_key;
DROP FUNCTION asked, in_both, adjusted, moved, one, ids, booked, many, note, skip;
DROP ROLE regress_clerk;
DROP EXTENSION lockstep;
