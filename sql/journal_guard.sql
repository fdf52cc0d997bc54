-- A journal is written by lockstep alone, and says what was moved: whatever triggers, checks and parents its owner gives it.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    RETURN concat_ws(' ', SQLSTATE, SQLERRM);
END $$;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
INSERT INTO accounts VALUES (1, 100), (2, 100);
SELECT lockstep.register_ledger('accounts');
CREATE TABLE ways (way text PRIMARY KEY, statement text NOT NULL);
INSERT INTO ways VALUES
    ('adjust', $$SELECT (lockstep.adjust('accounts', 1, 5, lockstep.request_id('a'))).status$$),
    ('batch', $$SELECT string_agg(status, ' ') FROM lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[5, 6], ARRAY[lockstep.request_id('a'), lockstep.request_id('b')])$$),
    ('refused', $$SELECT (lockstep.adjust('accounts', 1, -500, lockstep.request_id('a'), on_refusal => 'return')).status$$),
    ('transfer', $$SELECT (lockstep.transfer('accounts', 1, 2, 5, lockstep.request_id('a'))).status$$);

-- Each way with a trigger that does so to a booking, in front of the guard or behind it; and twice, for what is not booked under its id would be done again.
CREATE TABLE changes (change text PRIMARY KEY, code text NOT NULL);
INSERT INTO changes VALUES
    ('amount', 'NEW.amount := NEW.amount + 1'),
    ('balance', 'NEW.from_balance := 7; NEW.to_balance := 7'),
    ('booked_at', 'NEW.booked_at := now() - interval ''1 day'''),
    ('id', 'NEW.request_id := gen_random_uuid()'),
    ('keys', 'NEW.from_key := NEW.to_key; NEW.to_key := 1'),
    ('left out', 'RETURN NULL'),
    ('memo', 'NEW.memo := ''"noted"'''),
    ('nothing', 'NULL'),
    ('refusal', 'NEW.refusal := ''LS002'''),
    ('one more', 'IF pg_trigger_depth() = 1 THEN INSERT INTO accounts_journal (request_id, booked_at, from_key, amount) VALUES (gen_random_uuid(), now(), 1, 1); END IF'),
    ('one more, same id', 'IF pg_trigger_depth() = 1 THEN INSERT INTO accounts_journal (request_id, booked_at, from_key, amount) VALUES (NEW.request_id, now(), 1, 1); END IF');
CREATE FUNCTION walk() RETURNS TABLE (change text, trigger_name text, way text, once text, twice text, accounts_and_journal text) LANGUAGE plpgsql AS $$
DECLARE
    c changes; w ways;
BEGIN
    FOR c IN SELECT * FROM changes ORDER BY changes.change COLLATE "C" LOOP
        EXECUTE format('CREATE FUNCTION changed() RETURNS trigger LANGUAGE plpgsql AS %L', 'BEGIN ' || replace(c.code, 'accounts', 'public.accounts') || '; RETURN NEW; END');
        FOREACH trigger_name IN ARRAY ARRAY['a', 'z'] LOOP
            EXECUTE format('CREATE TRIGGER %I BEFORE INSERT ON accounts_journal FOR EACH ROW EXECUTE FUNCTION changed()', trigger_name);
            FOR w IN SELECT * FROM ways ORDER BY ways.way COLLATE "C" LOOP
                BEGIN
                    change := c.change; way := w.way; once := outcome(w.statement); twice := outcome(w.statement);
                    accounts_and_journal := (SELECT string_agg(balance::text, ' ' ORDER BY id) FROM accounts) || ', ' || (SELECT count(*) FROM accounts_journal);
                    IF EXISTS (SELECT FROM lockstep.verify_ledger('accounts')) THEN accounts_and_journal := accounts_and_journal || ', violated'; END IF;
                    RAISE division_by_zero;
                EXCEPTION WHEN division_by_zero THEN
                    IF twice = once THEN twice := 'the same'; END IF;
                    RETURN NEXT;
                END;
            END LOOP;
            EXECUTE format('DROP TRIGGER %I ON accounts_journal', trigger_name);
        END LOOP;
        DROP FUNCTION changed;
    END LOOP;
END $$;
SELECT change, trigger_name AS name, way, once, twice, accounts_and_journal AS left_with FROM walk();

-- Columns of his own are the owner's to fill.
ALTER TABLE accounts_journal ADD note text DEFAULT 'x';
CREATE FUNCTION notes() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.note := NEW.amount * 2; RETURN NEW; END';
CREATE TRIGGER notes BEFORE INSERT ON accounts_journal FOR EACH ROW EXECUTE FUNCTION notes();
SELECT outcome(statement) FROM ways WHERE way = 'batch';
SELECT from_key, to_key, amount, note FROM accounts_journal ORDER BY entry;
DROP TRIGGER notes ON accounts_journal;
ALTER TABLE accounts_journal DROP note;

-- Through a parent table: the guard sees rows however they come. (From 17 on a partition has no identity column of its own.)
ALTER TABLE accounts_journal ALTER entry DROP IDENTITY;
CREATE TABLE whole (LIKE accounts_journal) PARTITION BY RANGE (booked_at);
ALTER TABLE whole ATTACH PARTITION accounts_journal FOR VALUES FROM (MINVALUE) TO (MAXVALUE);
SELECT outcome('INSERT INTO whole (request_id, entry, booked_at, from_key, amount) VALUES (gen_random_uuid(), 77, now(), 1, 5)');
SELECT outcome('UPDATE whole SET amount = 1'), outcome('DELETE FROM whole');
SELECT lockstep.adjust('accounts', 1, 5);
ALTER TABLE whole DETACH PARTITION accounts_journal;
ALTER TABLE accounts_journal ALTER entry ADD GENERATED ALWAYS AS IDENTITY (START 100000);
SELECT status FROM lockstep.adjust('accounts', 1, 5, lockstep.request_id('c'));
-- While lockstep writes: by a CHECK of the owner's, which runs behind the guard.
CREATE FUNCTION forges(uuid) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 0 THEN
        INSERT INTO public.accounts_journal (request_id, booked_at, from_key, amount) VALUES (gen_random_uuid(), now(), 1, 1);
    END IF;
    RETURN true;
END $$;
ALTER TABLE accounts_journal ADD CHECK (forges(request_id)) NOT VALID;
SELECT lockstep.adjust('accounts', 1, 5);
SELECT lockstep.transfer_batch('accounts', ARRAY[1, 2], ARRAY[2, 1], ARRAY[5, 6]);
ALTER TABLE accounts_journal DROP CONSTRAINT accounts_journal_request_id_check;

-- By a trigger of the ledger, between the rows and the journal: the journal is written directly then.
CREATE FUNCTION meddles() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN EXECUTE current_setting('test.act'); RETURN NEW; END $$;
CREATE TRIGGER meddles BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION meddles();
SELECT * FROM lockstep.store_of('accounts');
UPDATE ways SET statement = replace(replace(statement, 'request_id(''a'')', 'request_id(''d'')'), 'request_id(''b'')', 'request_id(''e'')') WHERE way <> 'refused';
SET test.act = $$INSERT INTO accounts_journal (request_id, booked_at, from_key, amount) VALUES (lockstep.request_id('d'), now(), 1, 1) ON CONFLICT DO NOTHING$$;
SELECT way, outcome(statement) FROM ways WHERE way <> 'refused' ORDER BY way COLLATE "C";
ALTER TABLE accounts_journal DISABLE TRIGGER USER;
SELECT way, outcome(statement) FROM ways WHERE way <> 'refused' ORDER BY way COLLATE "C";
ALTER TABLE accounts_journal ENABLE TRIGGER USER;
SET test.act = 'CREATE TRIGGER y BEFORE INSERT ON accounts_journal FOR EACH ROW EXECUTE FUNCTION meddles()';
SELECT outcome($$SELECT (lockstep.adjust('accounts', 1, 5)).status$$);
SELECT outcome($$SELECT string_agg(status, ' ') FROM lockstep.adjust_batch('accounts', ARRAY[1, 2], ARRAY[5, 6])$$);
DROP TRIGGER meddles ON accounts;
SELECT id, balance FROM accounts ORDER BY id;
SELECT * FROM lockstep.verify_ledger('accounts');

-- A journal whose guard is of before: the next registration puts it right.
DROP TRIGGER lockstep_guard_rows ON accounts_journal;
CREATE TRIGGER lockstep_guard_rows BEFORE UPDATE OR DELETE ON accounts_journal FOR EACH ROW EXECUTE FUNCTION lockstep.journal_guard();
SELECT lockstep.register_ledger('accounts');
SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE tgrelid = 'accounts_journal'::regclass AND NOT tgisinternal ORDER BY tgname;
SELECT id, balance FROM accounts ORDER BY id;
SELECT * FROM lockstep.verify_ledger('accounts');

-- Rules and children that are gone leave their flags in pg_class until VACUUM; what is looked at is what is there.
CREATE RULE r AS ON UPDATE TO accounts DO ALSO NOTHING;
CREATE RULE r AS ON INSERT TO accounts_journal DO ALSO NOTHING;
SELECT * FROM lockstep.store_of('accounts');
DROP RULE r ON accounts;
SELECT * FROM lockstep.store_of('accounts');
DROP RULE r ON accounts_journal;
CREATE TABLE child () INHERITS (accounts);
CREATE TABLE journal_child () INHERITS (accounts_journal);
SELECT * FROM lockstep.store_of('accounts');
DROP TABLE journal_child;
SELECT * FROM lockstep.store_of('accounts');
DROP TABLE child;
SELECT relhasrules, relhassubclass FROM pg_class WHERE oid IN ('accounts'::regclass, 'accounts_journal'::regclass);
SELECT * FROM lockstep.store_of('accounts');
SELECT status FROM lockstep.adjust('accounts', 1, 1);

DROP TABLE accounts, accounts_journal, whole, ways, changes;
DROP FUNCTION outcome, walk, notes, forges, meddles;
DROP EXTENSION lockstep;
