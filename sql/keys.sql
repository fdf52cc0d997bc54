-- Keys of every type with a btree order; amounts of every exact type.
CREATE EXTENSION lockstep;

-- One ledger a type: two rows, keys given as the type and as text, in both directions; then the same id again.
CREATE FUNCTION try_key(key_type text, a text, b text, options text DEFAULT '') RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    there lockstep.transfer_result; back lockstep.transfer_result; again lockstep.transfer_result; journal text; bad text;
BEGIN
    EXECUTE format('CREATE TABLE k (key %s %s PRIMARY KEY, balance int)', key_type, options);
    EXECUTE format('INSERT INTO k VALUES (%L, 100), (%L, 100)', a, b);
    PERFORM lockstep.register_ledger('k');
    EXECUTE format('SELECT * FROM lockstep.transfer(''k'', %L::%s, %L::%s, 10)', a, key_type, b, key_type) INTO there;
    back := lockstep.transfer('k', b, a, 4, lockstep.request_id('again'));
    EXECUTE format('SELECT * FROM lockstep.transfer(''k'', %L::%s, %L::%s, 4, lockstep.request_id(''again''))', b, key_type, a, key_type) INTO again;
    SELECT string_agg(concat_ws(' ', from_key, to_key, amount), ', ' ORDER BY entry) INTO journal FROM k_journal;
    SELECT string_agg(violation, ', ') INTO bad FROM lockstep.verify_ledger('k');
    DROP TABLE k, k_journal;
    RETURN concat_ws(' | ', there.from_balance || ' ' || there.to_balance, back.from_balance || ' ' || back.to_balance, again.status, journal, bad);
END $$;
CREATE TYPE colour AS ENUM ('red', 'green');
CREATE TYPE point_of AS (x int, y int);
CREATE DOMAIN account_number AS bigint CHECK (VALUE > 0);
CREATE DOMAIN short_name AS varchar(10) COLLATE "C";
SELECT key_type, try_key(key_type, a, b, options) FROM (VALUES
    ('smallint', '1', '2', ''), ('integer', '-1', '2', ''), ('bigint', '9223372036854775807', '2', ''),
    ('numeric', '1.5', '2', ''), ('numeric(10,2)', '1.50', '2.00', ''), ('double precision', '1.5', '-2', ''),
    ('uuid', '00000000-0000-0000-0000-00000000000a', '00000000-0000-0000-0000-000000000002', ''),
    ('text', 'a', 'B', ''), ('text', 'a', 'B', 'COLLATE "C"'), ('varchar(5)', 'a', 'b', ''), ('char(5)', 'a', 'b', ''),
    ('name', 'a', 'b', ''), ('"char"', 'a', 'b', ''), ('boolean', 'true', 'false', ''), ('date', '2026-01-02', '2026-01-01', ''),
    ('timestamptz', '2026-01-02 00:00:00+00', '2026-01-01 00:00:00+00', ''), ('interval', '1 day', '2 hours', ''),
    ('bytea', '\xff', '\x00', ''), ('inet', '10.0.0.2', '10.0.0.1', ''), ('int4range', '[1,2)', '[3,4)', ''), ('int[]', '{1,2}', '{1}', ''),
    ('oid', '1', '2', ''), ('pg_lsn', '0/10000001', '0/10000002', ''), ('colour', 'red', 'green', ''), ('account_number', '1', '2', ''), ('short_name', 'x', 'y', ''),
    ('point_of', '(1,2)', '(1,1)', '')) AS t (key_type, a, b, options);

-- A collation that calls different texts equal: they name one row.
CREATE COLLATION no_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE members (name text COLLATE no_case PRIMARY KEY, points int);
INSERT INTO members VALUES ('Ann', 100), ('bob', 100);
SELECT lockstep.register_ledger('members', amount => 'points');
SELECT status, from_balance, to_balance FROM lockstep.transfer('members', 'ANN', 'BOB', 10, lockstep.request_id('x'));
SELECT status, from_balance, to_balance FROM lockstep.transfer('members', 'ann', 'bob', 10, lockstep.request_id('x'));
SELECT lockstep.transfer('members', 'ann', 'Ann', 10);
SELECT * FROM lockstep.verify_ledger('members');

-- What the column's type would cut or round names another row, and is refused.
CREATE FUNCTION outcome(statement text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    result text; detail text;
BEGIN
    EXECUTE statement INTO result;
    RETURN 'ok: ' || coalesce(result, '');
EXCEPTION WHEN OTHERS THEN
    GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
    RETURN concat_ws(' | ', SQLSTATE, SQLERRM, nullif(detail, ''));
END $$;
CREATE FUNCTION try_lossy(key_type text, row_key text, asked text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    EXECUTE format('CREATE TABLE k (key %s PRIMARY KEY, balance int)', key_type);
    EXECUTE format('INSERT INTO k VALUES (%L, 100)', row_key);
    PERFORM lockstep.register_ledger('k');
    answer := outcome(format('SELECT (lockstep.adjust(''k'', %s, 1)).status', asked));
    DROP TABLE k, k_journal;
    RETURN answer;
END $$;
SELECT key_type, asked, try_lossy(key_type, row_key, asked) FROM (VALUES
    ('date', '2024-01-01', 'timestamp ''2024-01-01 17:00'''), ('date', '2024-01-01', 'timestamp ''2024-01-01 00:00'''), ('date', '2024-01-01', '''2024-01-01'''),
    ('timestamp', '2024-01-01', 'date ''2024-01-01'''), ('name', repeat('a', 63), 'repeat(''a'', 100)'), ('name', repeat('a', 63), 'repeat(''a'', 63)'),
    ('"char"', 'a', '''apple'''), ('"char"', 'a', '''a'''), ('real', '16777216', '16777217'), ('double precision', '16777217', '16777217'),
    ('int', '1', '1.0'), ('int', '1', '1::numeric'), ('int', '1', '1::float8'), ('smallint', '1', '1::bigint'), ('bigint', '1', '1::smallint'), ('smallint', '1', '70000'),
    ('text', 'a', '''a''::char(5)'), ('text', 'a', '''a  '''), ('text', '5', '5'), ('uuid', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '''A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11'''),
    ('numeric', '1', '''01.00'''), ('bytea', 'x', 'repeat(''y'', 60)'), ('bytea', repeat('y', 2000), '''\x'' || repeat(''79'', 2000)')) AS t (key_type, row_key, asked);

-- A key that is unique without being the primary key.
CREATE TABLE wallets (id int PRIMARY KEY, email text UNIQUE, balance numeric);
INSERT INTO wallets VALUES (1, 'a@x', 10.5), (2, 'b@x', 0);
SELECT lockstep.register_ledger('wallets', key => 'email');
SELECT amount, from_balance, to_balance FROM lockstep.transfer('wallets', 'a@x', 'b@x', 0.25);

-- Amounts: the column's own decimals, exact.
CREATE FUNCTION try_amount(amount_type text, amounts text[]) RETURNS TABLE (type text, amount text, result text) LANGUAGE plpgsql AS $$
DECLARE
    a text; r lockstep.transfer_result;
BEGIN
    EXECUTE format('CREATE TABLE k (key int PRIMARY KEY, balance %s)', amount_type);
    INSERT INTO k VALUES (1, 1000), (2, 0);
    PERFORM lockstep.register_ledger('k');
    FOREACH a IN ARRAY amounts LOOP
        r := lockstep.transfer('k', 1, 2, a::numeric);
        RETURN QUERY SELECT amount_type, a, concat_ws(' ', r.amount, r.from_balance, r.to_balance);
    END LOOP;
    DROP TABLE k, k_journal;
END $$;
CREATE DOMAIN cents AS bigint CHECK (VALUE >= 0);
SELECT t.* FROM unnest(ARRAY['smallint', 'integer', 'bigint', 'cents', 'numeric(6,2)', 'numeric', 'numeric(10,0)', 'numeric(4,-1)', 'numeric(50,40)']) WITH ORDINALITY AS a (type, n),
     LATERAL try_amount(a.type, CASE WHEN a.type LIKE 'numeric(6%' OR a.type IN ('numeric', 'numeric(50,40)') THEN ARRAY['10', '0.5', '0.50', '1.10'] ELSE ARRAY['10', '10.0', '1e2'] END) AS t ORDER BY n;

-- The check of one key drops the domain that the next one is given by.
CREATE FUNCTION drop_given() RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
    IF current_setting('x.drops', true) = 'yes' THEN
        DROP DOMAIN IF EXISTS given CASCADE;
    END IF;
    RETURN true;
END $$;
CREATE DOMAIN dropping AS int CHECK (drop_given());
CREATE TYPE dropping_key AS (number dropping);
CREATE TABLE drops (id dropping_key PRIMARY KEY, balance int DEFAULT 10);
INSERT INTO drops VALUES ('(1)'), ('(2)');
SELECT lockstep.register_ledger('drops');
CREATE DOMAIN given AS text;
SET x.drops = 'yes';
SELECT call, outcome('SELECT lockstep.' || call) FROM unnest(ARRAY[
    'transfer(''drops'', ''(1)''::given, ''(2)''::given, 1)',
    'adjust_batch(''drops'', ''{(1),(2)}''::given[], ''{1,1}'')',
    'transfer_batch(''drops'', ''{(1),NULL}''::given[], ''{NULL,(2)}''::given[], ''{1,1}'')']) AS call;
RESET x.drops;

DROP FUNCTION try_key, try_amount, try_lossy, outcome;
DROP TABLE members, members_journal, wallets, wallets_journal, drops, drops_journal;
DROP TYPE colour, point_of, dropping_key;
DROP DOMAIN given, dropping;
DROP FUNCTION drop_given;
DROP DOMAIN account_number, short_name, cents;
DROP COLLATION no_case;
DROP EXTENSION lockstep;
