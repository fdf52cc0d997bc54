-- Tables as people have them: triggers, row security, generated columns, constraints, foreign keys, partitions.
CREATE EXTENSION lockstep;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text; hint text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL, hint = PG_EXCEPTION_HINT;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''), nullif(hint, ''));
END $$;
-- Triggers of every kind fire, once a row, and see the caller.
CREATE TABLE accounts (id int PRIMARY KEY, balance numeric(12,2) NOT NULL, doubled numeric GENERATED ALWAYS AS (balance * 2) STORED,
                       changed_by name, changes int DEFAULT 0);
INSERT INTO accounts VALUES (1, 100), (2, 50);
CREATE TABLE log (n int GENERATED ALWAYS AS IDENTITY, entry text);
CREATE FUNCTION before_row() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.changed_by := current_user;
    NEW.changes := OLD.changes + 1;
    RETURN NEW;
END $$;
CREATE FUNCTION after_any() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        INSERT INTO log (entry) VALUES (format('%s %s: %s to %s', TG_WHEN, OLD.id, OLD.balance, NEW.balance));
    ELSE
        INSERT INTO log (entry) VALUES (format('%s statement', TG_WHEN));
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER b BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION before_row();
CREATE TRIGGER c AFTER UPDATE OF balance ON accounts FOR EACH ROW EXECUTE FUNCTION after_any();
CREATE TRIGGER d AFTER UPDATE ON accounts FOR EACH STATEMENT EXECUTE FUNCTION after_any();
CREATE CONSTRAINT TRIGGER e AFTER UPDATE ON accounts DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION after_any();
SELECT lockstep.register_ledger('accounts');
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 2, 1, 10);
SELECT id, balance, doubled, changed_by = current_user AS by_me, changes FROM accounts ORDER BY id;
SELECT entry FROM log ORDER BY n;
-- A trigger that fails takes everything with it.
CREATE FUNCTION fails() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not on my watch' USING ERRCODE = 'ZZ001'; END $$;
CREATE TRIGGER f AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.balance > 1000) EXECUTE FUNCTION fails();
SELECT outcome('SELECT lockstep.adjust(''accounts'', 1, 1000)');
-- One that swallows the write is told from a missing row.
CREATE FUNCTION swallows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER g BEFORE UPDATE ON accounts FOR EACH ROW WHEN (OLD.id = 2) EXECUTE FUNCTION swallows();
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 10)');
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 3, 10)');
-- One that changes the amount: the bounds hold for what was written.
CREATE FUNCTION charges_fee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.balance < OLD.balance THEN NEW.balance := NEW.balance - 1; END IF;
    RETURN NEW;
END $$;
DROP TRIGGER g ON accounts;
CREATE TRIGGER a BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION charges_fee();
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 10);
SELECT outcome('SELECT lockstep.transfer(''accounts'', 2, 1, 50)');
SELECT outcome('SELECT lockstep.transfer(''accounts'', 2, 1, 50, on_refusal => ''return'')');
SELECT id, balance FROM accounts ORDER BY id;
-- One that changes the other row of the movement: that is not written over.
CREATE FUNCTION adds() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN UPDATE accounts SET balance = balance + 5 WHERE id = 2; END IF;
    RETURN NULL;
END $$;
DROP TRIGGER a ON accounts;
CREATE TRIGGER a AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION adds();
BEGIN;
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 10)'), outcome('SELECT lockstep.transfer(''accounts'', 2, 1, 10)');
SELECT status, balance FROM lockstep.adjust('accounts', 1, 10);
SELECT id, balance FROM accounts ORDER BY id;
ROLLBACK;
-- One that calls lockstep itself, on other rows of the ledger; on the same row it may not, as the balances would not follow.
DROP TRIGGER a ON accounts;
CREATE FUNCTION tips() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN PERFORM lockstep.adjust('accounts', 3, 0.5); END IF;
    RETURN NULL;
END $$;
INSERT INTO accounts (id, balance) VALUES (3, 0);
CREATE TRIGGER h AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION tips();
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 10);
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 3, 10)');
CREATE FUNCTION takes_fee() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN PERFORM lockstep.adjust('accounts', NEW.id, -1); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER i AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION takes_fee();
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 10)');
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 10, on_refusal => ''return'')');
DROP TRIGGER i ON accounts;
-- Nor may it use the id of the call that it runs in.
CREATE FUNCTION again() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN PERFORM lockstep.adjust('accounts', 3, 1, lockstep.request_id('outer')); END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER i AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.id = 2) EXECUTE FUNCTION again();
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 10, lockstep.request_id(''outer''))');
DROP TRIGGER i ON accounts;
SELECT id, balance FROM accounts ORDER BY id;
-- One that would change the registration under the call that it runs in.
CREATE FUNCTION changes_ledger() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM lockstep.register_ledger('accounts', floor => -100);
    RETURN NULL;
END $$;
DROP TRIGGER h ON accounts;
CREATE TRIGGER h AFTER UPDATE ON accounts FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION changes_ledger();
SELECT status, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 2, 10);
SELECT id, balance FROM accounts ORDER BY id;
DROP TABLE accounts, accounts_journal;

-- CHECK: a redundant one does not hide the refusal; another one speaks for itself.
CREATE TABLE checked (id int PRIMARY KEY, balance int CHECK (balance >= 0), kind text, CHECK (kind <> 'small' OR balance <= 10));
INSERT INTO checked VALUES (1, 100, 'big'), (2, 5, 'small');
SELECT lockstep.register_ledger('checked');
SELECT outcome('SELECT lockstep.transfer(''checked'', 1, 2, 200)');
SELECT outcome('SELECT lockstep.transfer(''checked'', 1, 2, 6)');
SELECT outcome('SELECT lockstep.transfer(''checked'', 1, 2, 6, on_refusal => ''return'')');
SELECT status, from_balance, to_balance FROM lockstep.transfer('checked', 1, 2, 5);
DROP TABLE checked, checked_journal;

-- Foreign keys, both ways: the key is referenced while it moves, and the amount may reference.
CREATE TABLE levels (amount int PRIMARY KEY);
INSERT INTO levels SELECT generate_series(0, 100, 10);
CREATE TABLE tanks (id int PRIMARY KEY, balance int REFERENCES levels);
INSERT INTO tanks VALUES (1, 100), (2, 50);
CREATE TABLE valves (tank int REFERENCES tanks);
INSERT INTO valves VALUES (1), (2);
SELECT lockstep.register_ledger('tanks');
SELECT status, from_balance, to_balance FROM lockstep.transfer('tanks', 1, 2, 10);
SELECT outcome('SELECT lockstep.transfer(''tanks'', 1, 2, 5)');
DROP TABLE valves, tanks, tanks_journal, levels;

-- Partitions: list, range, hash, by the key; and of partitions.
CREATE TABLE by_list (code text PRIMARY KEY, balance bigint) PARTITION BY LIST (code);
CREATE TABLE by_list_ab PARTITION OF by_list FOR VALUES IN ('a', 'b');
CREATE TABLE by_list_rest PARTITION OF by_list DEFAULT;
INSERT INTO by_list VALUES ('a', 100), ('b', 100), ('c', 100);
CREATE TABLE by_range (id int PRIMARY KEY, balance bigint) PARTITION BY RANGE (id);
CREATE TABLE by_range_1 PARTITION OF by_range FOR VALUES FROM (0) TO (10);
CREATE TABLE by_range_2 PARTITION OF by_range FOR VALUES FROM (10) TO (100) PARTITION BY RANGE (id);
CREATE TABLE by_range_2a PARTITION OF by_range_2 FOR VALUES FROM (10) TO (50);
CREATE TABLE by_range_2b PARTITION OF by_range_2 FOR VALUES FROM (50) TO (100);
INSERT INTO by_range VALUES (1, 100), (20, 100), (60, 100);
CREATE TABLE by_hash (id uuid PRIMARY KEY, balance numeric) PARTITION BY HASH (id);
CREATE TABLE by_hash_0 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE by_hash_1 PARTITION OF by_hash FOR VALUES WITH (MODULUS 2, REMAINDER 1);
INSERT INTO by_hash SELECT lockstep.request_id('row ' || n), 100 FROM generate_series(1, 4) AS n;
SELECT lockstep.register_ledger(t) FROM unnest(ARRAY['by_list', 'by_range', 'by_hash']::regclass[]) AS t;
SELECT status, from_balance, to_balance FROM lockstep.transfer('by_list', 'c', 'a', 10);
SELECT status, from_balance, to_balance FROM lockstep.transfer('by_list', 'a', 'b', 10);
SELECT status, from_balance, to_balance FROM lockstep.transfer('by_range', 60, 1, 10);
SELECT status, from_balance, to_balance FROM lockstep.transfer('by_range', 1, 20, 10, on_refusal => 'return');
SELECT status, from_balance, to_balance FROM lockstep.transfer('by_hash', lockstep.request_id('row 1'), lockstep.request_id('row 2'), 10);
SELECT outcome('SELECT lockstep.transfer(''by_range'', 1, 1000, 10)');
-- A CHECK of one partition does not hide the refusal either.
ALTER TABLE by_list_ab ADD CHECK (balance >= 0);
SELECT outcome('SELECT lockstep.transfer(''by_list'', ''a'', ''c'', 1000)');
-- The key is not unique by itself where the partitions go by another column.
CREATE TABLE by_other (region text, id int, balance int, PRIMARY KEY (region, id)) PARTITION BY LIST (region);
SELECT outcome('SELECT lockstep.register_ledger(''by_other'', ''id'')');
-- A partition alone is a table like any other.
SELECT lockstep.register_ledger('by_range_1');
SELECT status, balance FROM lockstep.adjust('by_range_1', 1, 5);
SELECT count(*) AS violations FROM unnest(ARRAY['by_list', 'by_hash']::regclass[]) AS t, lockstep.verify_ledger(t);
DROP TABLE by_list, by_list_journal, by_range, by_range_journal, by_range_1_journal, by_hash, by_hash_journal, by_other;

-- Inheritance: the key's index does not reach the children, so a key that is there twice is an error.
CREATE TABLE parent (id int PRIMARY KEY, balance int);
CREATE TABLE child () INHERITS (parent);
INSERT INTO parent VALUES (1, 100), (2, 100);
INSERT INTO child VALUES (3, 100), (1, 100);
SELECT lockstep.register_ledger('parent');
SELECT outcome('SELECT (lockstep.transfer(''parent'', 2, 3, 10)).status');
SELECT outcome('SELECT (lockstep.transfer(''parent'', 1, 2, 10)).status');
SELECT outcome('SELECT (lockstep.transfer(''parent'', 1, 2, 10, on_refusal => ''return'')).status');
SELECT tableoid::regclass, * FROM parent ORDER BY id, 1;
DROP TABLE parent, child, parent_journal;

DROP FUNCTION outcome, before_row, after_any, fails, swallows, charges_fee, adds, tips, takes_fee, again, changes_ledger;
DROP TABLE log;
DROP EXTENSION lockstep;
