-- Columns in which both rows of a movement must agree.
CREATE EXTENSION lockstep;
CREATE SCHEMA match;
GRANT USAGE ON SCHEMA match TO PUBLIC;
SET search_path = match, public;
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE state text; message text; detail text; result text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS state = RETURNED_SQLSTATE, message = MESSAGE_TEXT, detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', state, message, nullif(detail, ''));
END $$;

CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL, currency text, tenant bigint, frozen boolean);
INSERT INTO accounts VALUES (1, 100, 'EUR', 7, false), (2, 100, 'EUR', 7, false), (3, 100, 'USD', 7, false), (4, 100, 'EUR', 8, false),
    (5, 100, NULL, 7, false), (6, 100, NULL, 7, false), (7, 100, 'USD', 7, true), (8, 100, repeat('long ', 100), 7, false);
SELECT lockstep.register_ledger('accounts', match_columns => '{tenant,currency}', frozen_column => 'frozen');
SELECT match_columns FROM lockstep.ledgers;
SELECT key_columns, match_columns, column_positions FROM lockstep.registration;

-- Each store, alone and in a batch: two nulls agree, one null does not. A missing row speaks first, a frozen one later.
SELECT store, call, outcome(format('SELECT status FROM set_config(''lockstep.store'', %L, true), lockstep.transfer(''accounts'', %s)', store, call)) AS outcome
  FROM unnest(ARRAY['heap', 'spi', 'spi_by_key']) WITH ORDINALITY AS s(store, n),
       unnest(ARRAY['1, 2, 1', '1, 3, 1', '1, 4, 999', '3, 4, 1', '5, 6, 1', '5, 1, 1', '1, 5, 1', '1, 7, 1', '3, 7, 1', '1, 9, 1', '1, 8, 1']) WITH ORDINALITY AS c(call, m)
 ORDER BY n, m;
SELECT store, b.*
  FROM unnest(ARRAY['heap', 'spi', 'spi_by_key']) WITH ORDINALITY AS s(store, n), set_config('lockstep.store', store, true),
       LATERAL (SELECT item, status, sqlstate, from_balance, to_balance FROM lockstep.transfer_batch('accounts', CASE store WHEN store THEN '{1,1,3,5}'::int[] END, '{2,3,4,6}'::int[],
                '{1,1,1,1}', NULL, false)) AS b
 ORDER BY n, item;
SELECT outcome($$SELECT count(*) FROM lockstep.transfer_batch('accounts', '{1,1}'::int[], '{2,3}'::int[], '{1,1}')$$);

-- A refusal that is kept stays one, though the rows agree by then; and what was applied is replayed, though they do not.
SELECT status, sqlstate, from_balance, to_balance FROM lockstep.transfer('accounts', 1, 3, 5, lockstep.request_id('refused'), on_refusal => 'return');
SELECT status FROM lockstep.transfer('accounts', 1, 2, 5, lockstep.request_id('applied'));
UPDATE accounts SET currency = 'EUR' WHERE id = 3;
UPDATE accounts SET currency = 'USD' WHERE id = 2;
SELECT status, sqlstate FROM lockstep.transfer('accounts', 1, 3, 5, lockstep.request_id('refused'), on_refusal => 'return');
SELECT outcome($$SELECT lockstep.transfer('accounts', 1, 3, 5, lockstep.request_id('refused'))$$);
SELECT status FROM lockstep.transfer('accounts', 1, 2, 5, lockstep.request_id('applied'));
SELECT status FROM lockstep.transfer('accounts', 1, 3, 5);
-- One leg has nothing to agree with.
SELECT status FROM lockstep.adjust('accounts', 2, 1);
SELECT * FROM lockstep.verify_ledger('accounts');

-- The columns may get other names and types; a lost one has to be registered anew. Registered again, others count, or none.
ALTER TABLE accounts RENAME currency TO "Unit";
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 1)');
ALTER TABLE accounts ALTER "Unit" TYPE varchar(3) USING left("Unit", 3);
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 1)');
ALTER TABLE accounts ALTER "Unit" TYPE json USING NULL;
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 1)');
ALTER TABLE accounts DROP "Unit";
SELECT outcome('SELECT lockstep.transfer(''accounts'', 1, 2, 1)');
SELECT lockstep.register_ledger('accounts', match_columns => '{tenant}');
SELECT call, outcome('SELECT lockstep.transfer(''accounts'', ' || call || ')') LIKE 'ok%' AS moved FROM unnest(ARRAY['1, 2, 1', '1, 4, 1']) AS call;
SELECT lockstep.register_ledger('accounts', match_columns => '{}');
SELECT match_columns IS NULL AS none FROM lockstep.ledgers;
SELECT status FROM lockstep.transfer('accounts', 1, 4, 1);

-- What cannot be one of these columns.
ALTER TABLE accounts ADD meta json, ADD place point, ADD metas json[], ADD version int DEFAULT 0;
SELECT call, outcome('SELECT lockstep.register_ledger(''accounts'', version_column => ''version'', match_columns => ' || call || ')')
  FROM unnest(ARRAY['''{meta}''', '''{place}''', '''{metas}''', '''{balance}''', '''{version}''', '''{nothing}''', '''{tenant,tenant}''', '''{NULL}''',
                    'array_fill(''tenant''::name, ARRAY[33])']) AS call;

-- Equality is the type's own, under the column's collation: a nondeterministic one, other spellings of one number, an
-- enum, an array, a row, a domain; not the bytes.
CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TYPE unit AS ENUM ('piece', 'metre');
CREATE TYPE place AS (hall int, shelf numeric);
CREATE DOMAIN code AS text COLLATE folded;
CREATE TABLE kinds (id text PRIMARY KEY, balance int DEFAULT 10, folded text COLLATE folded, exact text COLLATE "C", n numeric, u unit, tags text[], p place, c code, r int4range, b bytea);
INSERT INTO kinds VALUES ('a', 10, 'EUR', 'EUR', 1.0, 'piece', '{a,b}', '(1,2.0)', 'x', '[1,3)', 'b'), ('b', 10, 'eur', 'eur', 1.00, 'metre', '{a,c}', '(1,2.00)', 'X', '[1,2]', 'c');
SELECT name, outcome(format('SELECT status FROM lockstep.register_ledger(''kinds'', match_columns => ARRAY[%L]::name[]), lockstep.transfer(''kinds'', ''a'', ''b'', 1)', name))
  FROM unnest(ARRAY['folded', 'exact', 'n', 'u', 'tags', 'p', 'c', 'r', 'b']) AS name;
-- A column of the key may be one.
CREATE TABLE wallets (tenant int, name text, balance numeric DEFAULT 5, PRIMARY KEY (tenant, name));
INSERT INTO wallets VALUES (1, 'a'), (1, 'b'), (2, 'a');
SELECT lockstep.register_ledger('wallets', match_columns => '{tenant}');
SELECT outcome('SELECT status FROM lockstep.transfer(''wallets'', ''(1,a)'', ''(1,b)'', 1)'), outcome('SELECT lockstep.transfer(''wallets'', ''(1,a)'', ''(2,a)'', 1)');

-- Partitions whose columns stand elsewhere; a value that is kept out of line.
CREATE TABLE parts (id int PRIMARY KEY, balance int DEFAULT 10, currency text) PARTITION BY RANGE (id);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (1) TO (10);
CREATE TABLE parts_2 (currency text, gone int, balance int DEFAULT 10, id int NOT NULL);
ALTER TABLE parts_2 DROP gone;
ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (10) TO (20);
ALTER TABLE parts_2 ALTER currency SET STORAGE EXTERNAL;
INSERT INTO parts (id, currency) VALUES (1, repeat('EUR', 2000)), (2, 'USD'), (11, repeat('EUR', 2000)), (12, repeat('EUR', 2000) || '.');
SELECT lockstep.register_ledger('parts', match_columns => '{currency}');
SELECT call, left(outcome('SELECT status FROM lockstep.transfer(''parts'', ' || call || ')'), 120) AS outcome FROM unnest(ARRAY['1, 11, 1', '2, 11, 1', '11, 12, 1']) AS call;
SELECT item, status, sqlstate FROM lockstep.transfer_batch('parts', '{1,2,11}'::int[], '{11,1,12}'::int[], '{1,1,1}', NULL, false);

-- A trigger that changes the column as the row is written: the row as it is then counts.
CREATE TABLE changed (id int PRIMARY KEY, balance int DEFAULT 10, currency text DEFAULT 'EUR');
INSERT INTO changed VALUES (1), (2);
CREATE FUNCTION change() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN IF NEW.id = 2 THEN NEW.currency := 'USD'; END IF; RETURN NEW; END$$;
CREATE TRIGGER change BEFORE UPDATE ON changed FOR EACH ROW EXECUTE FUNCTION change();
SELECT lockstep.register_ledger('changed', match_columns => '{currency}');
SELECT outcome('SELECT lockstep.transfer(''changed'', 1, 2, 1)');
SELECT * FROM changed ORDER BY id;

-- A value is told to nobody who may not read it: the column needs SELECT, as the others do; row security hides the row.
CREATE ROLE regress_ls_reader;
CREATE TABLE secret (id int PRIMARY KEY, balance int DEFAULT 10, currency text, owner name DEFAULT 'regress_ls_reader');
INSERT INTO secret VALUES (1, 10, 'EUR', 'regress_ls_reader'), (2, 10, 'told to its owner', 'regress_ls_reader'), (3, 10, 'hidden', 'postgres');
SELECT lockstep.register_ledger('secret', match_columns => '{currency}');
GRANT SELECT (id, balance), UPDATE (balance) ON secret TO regress_ls_reader;
SET ROLE regress_ls_reader;
SELECT outcome('SELECT lockstep.transfer(''secret'', 1, 2, 1)');
RESET ROLE;
GRANT SELECT (currency, owner) ON secret TO regress_ls_reader;
ALTER TABLE secret ENABLE ROW LEVEL SECURITY;
CREATE POLICY own ON secret USING (owner = current_user);
SET ROLE regress_ls_reader;
SELECT outcome('SELECT lockstep.transfer(''secret'', 1, 2, 1)'), outcome('SELECT lockstep.transfer(''secret'', 1, 3, 1)');
RESET ROLE;

-- The operator of a type of the user's is the user's code, between lock and writing. It may look, but change nothing.
CREATE TYPE pair AS (a int, b int);
CREATE FUNCTION pair_eq(pair, pair) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF coalesce(current_setting('x.deed', true), '') <> '' THEN
        EXECUTE current_setting('x.deed');
    END IF;
    RETURN ($1).a = ($2).a;
END $$;
CREATE FUNCTION pair_cmp(pair, pair) RETURNS int LANGUAGE sql AS 'SELECT ($1).a - ($2).a';
CREATE FUNCTION pair_lt(pair, pair) RETURNS boolean LANGUAGE sql AS 'SELECT ($1).a < ($2).a';
CREATE FUNCTION pair_gt(pair, pair) RETURNS boolean LANGUAGE sql AS 'SELECT ($1).a > ($2).a';
CREATE FUNCTION pair_le(pair, pair) RETURNS boolean LANGUAGE sql AS 'SELECT ($1).a <= ($2).a';
CREATE FUNCTION pair_ge(pair, pair) RETURNS boolean LANGUAGE sql AS 'SELECT ($1).a >= ($2).a';
CREATE OPERATOR = (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_eq);
CREATE OPERATOR < (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_lt);
CREATE OPERATOR > (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_gt);
CREATE OPERATOR <= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_le);
CREATE OPERATOR >= (LEFTARG = pair, RIGHTARG = pair, FUNCTION = pair_ge);
CREATE OPERATOR CLASS pair_ops DEFAULT FOR TYPE pair USING btree AS
    OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 pair_cmp(pair, pair);
CREATE TABLE l (id int PRIMARY KEY, balance int DEFAULT 10, p pair, unit unit DEFAULT 'piece');
SET client_min_messages = warning;
INSERT INTO l VALUES (1, 10, '(1,1)'), (2, 10, '(1,2)'), (3, 10, '(2,1)');
SELECT lockstep.register_ledger('l', match_columns => '{p,unit}');
SELECT outcome('SELECT status FROM lockstep.transfer(''l'', 1, 2, 1)'), outcome('SELECT lockstep.transfer(''l'', 1, 3, 1)');
SELECT deed, store, outcome(format($$SELECT status FROM set_config('x.deed', %L, true) AS d, set_config('lockstep.store', %L, true) AS s, lockstep.transfer('l', 1, 2, 1)$$, deed, store)) AS outcome
  FROM unnest(ARRAY['heap', 'spi', 'spi_by_key']) WITH ORDINALITY AS s(store, n),
       unnest(ARRAY['SELECT count(*) FROM l', 'SELECT 1/0', 'UPDATE l SET balance = balance + 1', 'ALTER TABLE l DROP unit', 'ALTER TABLE l RENAME unit TO size',
                    'DROP TYPE unit CASCADE', 'SELECT lockstep.register_ledger(''l'')', 'ALTER TYPE pair ADD ATTRIBUTE c int',
                    'SELECT set_config(''x.deed'', '''', true); SELECT lockstep.transfer(''l'', 2, 1, 5)']) WITH ORDINALITY AS d(deed, m)
 ORDER BY m, n;
SELECT id, balance, unit FROM l ORDER BY id;
SELECT * FROM lockstep.verify_ledger('l');

DROP SCHEMA match CASCADE;
DROP EXTENSION lockstep;
DROP ROLE regress_ls_reader;
