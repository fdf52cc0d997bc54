-- Who may do what, and what a caller with bad intentions cannot do. Run as plain roles.
-- Default privileges of the one who makes the extension do not reach into it.
CREATE ROLE regress_ls_app;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_ls_app, PUBLIC;
CREATE EXTENSION lockstep;
ALTER DEFAULT PRIVILEGES REVOKE ALL ON TABLES FROM regress_ls_app, PUBLIC;
SELECT oid::regclass, has_table_privilege('regress_ls_app', oid, 'SELECT') AS reads, has_table_privilege('regress_ls_app', oid, 'INSERT, UPDATE, DELETE, TRUNCATE') AS writes
  FROM pg_class WHERE relnamespace = 'lockstep'::regnamespace AND relkind IN ('r', 'v') ORDER BY 1;
DROP ROLE regress_ls_app;
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
CREATE ROLE regress_ls_owner;
CREATE ROLE regress_ls_clerk;
CREATE ROLE regress_ls_nobody;
CREATE SCHEMA app AUTHORIZATION regress_ls_owner;
GRANT USAGE ON SCHEMA app TO regress_ls_clerk, regress_ls_nobody;
-- Rights on new tables that the administrator gave away long ago.
SET ROLE regress_ls_owner;
ALTER DEFAULT PRIVILEGES GRANT ALL ON TABLES TO regress_ls_clerk, PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT ALL ON SEQUENCES TO regress_ls_clerk, PUBLIC;
CREATE TABLE app.accounts (id int PRIMARY KEY, balance int NOT NULL, secret text, version int DEFAULT 0, frozen boolean);
REVOKE ALL ON app.accounts FROM regress_ls_clerk, PUBLIC;
INSERT INTO app.accounts SELECT n, 100, 'secret' FROM generate_series(1, 4) AS n;

-- Only the owner registers and drops.
RESET ROLE;
SET ROLE regress_ls_nobody;
SELECT outcome('SELECT lockstep.register_ledger(''app.accounts'')'), outcome('SELECT lockstep.drop_ledger(''app.accounts'')');
RESET ROLE;
SET ROLE regress_ls_owner;
SELECT lockstep.register_ledger('app.accounts', version_column => 'version', frozen_column => 'frozen');
-- The journal is the owner's, as if made by hand; nobody else has a right on it or on its sequence; and the owner too only reads it.
SELECT oid::regclass, relowner::regrole, (SELECT count(*) FROM aclexplode(relacl) WHERE grantee <> relowner) AS others FROM pg_class WHERE relnamespace = 'app'::regnamespace AND relname LIKE 'accounts_journal%' AND relkind IN ('r', 'S') ORDER BY 1;
SELECT outcome(s) FROM unnest(ARRAY[
    'SELECT count(*)::text FROM app.accounts_journal', 'DELETE FROM app.accounts_journal', 'UPDATE app.accounts_journal SET amount = 1', 'TRUNCATE app.accounts_journal',
    'INSERT INTO app.accounts_journal (request_id, booked_at, amount) VALUES (lockstep.request_id(''x''), now(), 1)',
    'WITH d AS (DELETE FROM app.accounts_journal RETURNING 1) SELECT count(*) FROM d', 'SELECT lockstep.journal_guard()',
    'SELECT count(*)::text FROM lockstep.registration', 'DELETE FROM lockstep.registration', 'INSERT INTO lockstep.registration SELECT * FROM lockstep.registration', 'DELETE FROM lockstep.ledgers']) AS s;
RESET ROLE;

-- The caller needs SELECT and UPDATE on the ledger's columns, and nothing on the journal.
SET ROLE regress_ls_nobody;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 1)');
RESET ROLE;
REVOKE ALL ON app.accounts FROM regress_ls_clerk, PUBLIC;
GRANT SELECT (id, balance, version, frozen) ON app.accounts TO regress_ls_clerk;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 1)'), outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 1, on_refusal => ''return'')');
RESET ROLE;
GRANT UPDATE (balance, version) ON app.accounts TO regress_ls_clerk;
SET ROLE regress_ls_clerk;
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1, lockstep.request_id('a'));
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1, lockstep.request_id('a'));
SELECT status, sqlstate FROM lockstep.transfer('app.accounts', 1, 2, 1000, lockstep.request_id('b'), on_refusal => 'return');
SELECT status, balance FROM lockstep.adjust('app.accounts', 3, -1);
-- An answer from the journal is for those only who could have made the request.
RESET ROLE;
SET ROLE regress_ls_nobody;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 1, lockstep.request_id(''a''))');
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 7, lockstep.request_id(''a''))');
RESET ROLE;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT * FROM app.accounts_journal'), outcome('SELECT * FROM lockstep.verify_ledger(''app.accounts'')'), outcome('SELECT secret FROM app.accounts');
SELECT current_user, ledger, journal FROM lockstep.ledgers;
RESET ROLE;
SELECT entry, from_key, to_key, amount, refusal FROM app.accounts_journal ORDER BY entry;
-- Whom the owner has let read the journal keeps that when the ledger is registered again.
SET ROLE regress_ls_owner;
GRANT SELECT ON app.accounts_journal TO regress_ls_nobody;
SELECT lockstep.register_ledger('app.accounts', version_column => 'version', frozen_column => 'frozen');
RESET ROLE;
SELECT has_table_privilege('regress_ls_nobody', 'app.accounts_journal', 'SELECT') AS reads, has_table_privilege('regress_ls_nobody', 'app.accounts_journal', 'INSERT') AS writes;
-- The rights are looked at each time, by the plans that another role has left in the session too.
REVOKE UPDATE (balance) ON app.accounts FROM regress_ls_clerk;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 1)');
RESET ROLE;
GRANT UPDATE (balance) ON app.accounts TO regress_ls_clerk;
SET ROLE regress_ls_owner;
SELECT status FROM lockstep.transfer('app.accounts', 2, 1, 1);
RESET ROLE;

-- A search_path of the caller's making, with operators, functions, casts and tables that lie in wait.
CREATE SCHEMA evil AUTHORIZATION regress_ls_clerk;
CREATE TABLE evil.caught (what text);
ALTER TABLE evil.caught OWNER TO regress_ls_clerk;
SET ROLE regress_ls_clerk;
CREATE FUNCTION evil.catch(what text) RETURNS void LANGUAGE sql SECURITY INVOKER AS $$ INSERT INTO evil.caught VALUES (what || ' as ' || current_user) $$;
CREATE FUNCTION evil.int_eq(int, int) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.catch('='); RETURN true; END $$;
CREATE FUNCTION evil.int_plus(int, int) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.catch('+'); RETURN 1000000; END $$;
CREATE FUNCTION evil.uuid_eq(uuid, uuid) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.catch('uuid ='); RETURN false; END $$;
CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.catch('now'); RETURN 'epoch'; END $$;
CREATE OPERATOR evil.= (FUNCTION = evil.int_eq, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR evil.+ (FUNCTION = evil.int_plus, LEFTARG = int, RIGHTARG = int);
CREATE OPERATOR evil.= (FUNCTION = evil.uuid_eq, LEFTARG = uuid, RIGHTARG = uuid);
CREATE TYPE evil.disguise AS (n int);
CREATE FUNCTION evil.undress(evil.disguise) RETURNS int LANGUAGE plpgsql AS $$ BEGIN PERFORM evil.catch('cast'); RETURN 2; END $$;
CREATE CAST (evil.disguise AS int) WITH FUNCTION evil.undress(evil.disguise) AS IMPLICIT;
CREATE DOMAIN evil.numeric AS int;
CREATE DOMAIN evil.jsonb AS int;
CREATE TABLE evil.accounts_journal (request_id uuid, amount numeric);
CREATE TABLE evil.registration (ledger regclass);
SET search_path = evil, pg_catalog, app;
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1);
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1, on_refusal => 'return');
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1, lockstep.request_id('a'));
-- A key of a type with a cast of the caller's: its text counts, the cast is not called.
SELECT pg_catalog.split_part(outcome, ' | ', 1) AS outcome FROM (SELECT public.outcome('SELECT lockstep.transfer(''app.accounts'', ROW(1)::evil.disguise, ROW(2)::evil.disguise, 1)')) AS o;
RESET search_path;
RESET ROLE;
SET search_path = evil, pg_catalog, app, public;
SELECT count(*) FROM lockstep.verify_ledger('app.accounts');
SET ROLE regress_ls_owner;
SELECT lockstep.register_ledger('app.accounts', version_column => 'version', frozen_column => 'frozen');
RESET ROLE;
RESET search_path;
SELECT * FROM evil.caught;
SELECT count(*) AS in_evil FROM evil.accounts_journal;

-- The caller's settings and role are the caller's again, after success and after failure.
SET ROLE regress_ls_clerk;
SET search_path = app;
SELECT public.outcome('SELECT lockstep.transfer(''app.accounts'', 1, 99, 1)');
SELECT public.outcome('SELECT (lockstep.transfer(''app.accounts'', 1, 2, 1, lockstep.request_id(''a''))).status');
SELECT current_user, current_setting('search_path') AS path;
RESET ROLE;
RESET search_path;

-- Row security: a row that the caller may not write is not there for the caller.
ALTER TABLE app.accounts ENABLE ROW LEVEL SECURITY;
CREATE POLICY own_rows ON app.accounts TO regress_ls_clerk USING (id <= 2);
CREATE POLICY look ON app.accounts FOR SELECT TO regress_ls_clerk USING (id <= 3);
SET ROLE regress_ls_clerk;
SELECT status, from_balance, to_balance FROM lockstep.transfer('app.accounts', 1, 2, 1);
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 3, 1)'), outcome('SELECT lockstep.transfer(''app.accounts'', 4, 1, 1)');
SELECT status, sqlstate, from_balance, to_balance FROM lockstep.transfer('app.accounts', 3, 1, 1, on_refusal => 'return');
RESET ROLE;
SET ROLE regress_ls_owner;
SELECT status FROM lockstep.transfer('app.accounts', 4, 1, 1, lockstep.request_id('owner'));
RESET ROLE;
-- Where statements serve, the journal's owner needs his rights on it, whoever calls.
REVOKE INSERT ON app.accounts_journal FROM regress_ls_owner;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT lockstep.adjust(''app.accounts'', 1, 1)');
RESET ROLE;
GRANT INSERT ON app.accounts_journal TO regress_ls_owner;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 4, 1, 1, lockstep.request_id(''owner''))');
RESET ROLE;
-- The new row is checked too.
CREATE POLICY not_poor ON app.accounts AS RESTRICTIVE TO regress_ls_clerk USING (true) WITH CHECK (balance > 50);
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT lockstep.transfer(''app.accounts'', 1, 2, 90)');
RESET ROLE;
GRANT SELECT ON app.accounts, app.accounts_journal TO regress_ls_clerk;
SET ROLE regress_ls_clerk;
SELECT outcome('SELECT * FROM lockstep.verify_ledger(''app.accounts'')');
RESET ROLE;
SELECT * FROM lockstep.verify_ledger('app.accounts');

-- The journal is written, analyzed and altered with the rights of the ledger's owner, whoever calls: what hides in a key's type is
-- called as its owner.
CREATE SCHEMA trap AUTHORIZATION regress_ls_owner;
SET ROLE regress_ls_owner;
CREATE TABLE trap.caught (who name);
CREATE FUNCTION trap.spring() RETURNS void LANGUAGE sql AS $$ INSERT INTO trap.caught VALUES (current_user) $$;
CREATE FUNCTION trap.diff(int, int) RETURNS float8 IMMUTABLE LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring(); RETURN $1 - $2; END $$;
CREATE TYPE trap.span AS RANGE (subtype = int4, subtype_diff = trap.diff);
CREATE TABLE trap.spans (k trap.span PRIMARY KEY, balance int NOT NULL);
INSERT INTO trap.spans SELECT trap.span(n, n + 5), 1000 FROM generate_series(1, 50) AS n;
SELECT lockstep.register_ledger('trap.spans');
RESET ROLE;
SELECT count(*) FROM generate_series(1, 50) AS n, lockstep.adjust('trap.spans', trap.span(n, n + 5), 1);
ANALYZE trap.spans_journal;
SELECT DISTINCT who FROM trap.caught;
-- Also in an index, where statements serve the ledger and the journal is written directly.
SET ROLE regress_ls_owner;
TRUNCATE trap.caught;
CREATE INDEX ways ON trap.spans_journal USING gist (to_key);
RESET ROLE;
SET lockstep.store = 'spi';
SELECT count(*) FROM generate_series(1, 500) AS n, lockstep.adjust('trap.spans', trap.span(n % 50 + 1, n % 50 + 6), 1);
RESET lockstep.store;
SELECT DISTINCT who FROM trap.caught;
DROP INDEX trap.ways;
-- A trigger on the journal runs as its owner too, and cannot leave that role.
SET ROLE regress_ls_owner;
TRUNCATE trap.caught;
CREATE FUNCTION trap.escapes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM trap.spring(); RESET ROLE; RETURN NULL; END $$;
CREATE TRIGGER t AFTER INSERT ON trap.spans_journal FOR EACH ROW EXECUTE FUNCTION trap.escapes();
RESET ROLE;
SELECT outcome('SELECT lockstep.adjust(''trap.spans'', trap.span(1, 6), 1)');
-- What it sets is unset again, in the session of whoever calls; and it finds no table of the caller's in the place of its own.
SET ROLE regress_ls_owner;
CREATE TABLE trap.outbox (who name, path text);
CREATE OR REPLACE FUNCTION trap.escapes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO trap.outbox VALUES (current_user, current_setting('search_path'));
    PERFORM set_config('search_path', 'trap, public', false);
    RETURN NULL;
END $$;
GRANT USAGE ON SCHEMA trap TO regress_ls_clerk;
GRANT SELECT, UPDATE ON trap.spans TO regress_ls_clerk;
RESET ROLE;
SELECT (lockstep.adjust('trap.spans', trap.span(1, 6), 1)).status;
SHOW search_path;
SET ROLE regress_ls_clerk;
CREATE TEMP TABLE outbox (who name, path text);
SELECT (lockstep.adjust('trap.spans', trap.span(1, 6), 1)).status;
SELECT * FROM pg_temp.outbox;
DROP TABLE pg_temp.outbox;
SHOW search_path;
RESET ROLE;
SELECT * FROM trap.outbox;
-- The same for what register_ledger does in the owner's name.
SET ROLE regress_ls_owner;
CREATE FUNCTION trap.sets(anyelement) RETURNS boolean LANGUAGE plpgsql AS $$ BEGIN PERFORM set_config('search_path', 'trap, public', false); RETURN true; END $$;
ALTER TABLE trap.spans_journal ADD CHECK (trap.sets(amount));
ALTER TABLE trap.spans ALTER COLUMN k TYPE text;
RESET ROLE;
RESET search_path;
SELECT lockstep.register_ledger('trap.spans');
SHOW search_path;
SET ROLE regress_ls_owner;
ALTER TABLE trap.spans ALTER COLUMN k TYPE trap.span USING k::trap.span;
SELECT lockstep.register_ledger('trap.spans');
RESET ROLE;
-- A trigger that swallows the booking takes the movement with it.
SET ROLE regress_ls_owner;
DROP TRIGGER t ON trap.spans_journal;
CREATE FUNCTION trap.swallows() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
CREATE TRIGGER t BEFORE INSERT ON trap.spans_journal FOR EACH ROW EXECUTE FUNCTION trap.swallows();
RESET ROLE;
SELECT outcome('SELECT lockstep.adjust(''trap.spans'', trap.span(1, 6), 1)');
-- The guard holds against a parent too, and comes back when the ledger is registered again.
SET ROLE regress_ls_owner;
DROP TRIGGER t ON trap.spans_journal;
CREATE TABLE trap.parent (request_id uuid NOT NULL);
ALTER TABLE trap.spans_journal INHERIT trap.parent;
SELECT outcome('DELETE FROM trap.parent'), outcome('SELECT lockstep.adjust(''trap.spans'', trap.span(1, 6), 1)');
ALTER TABLE trap.spans_journal NO INHERIT trap.parent;
ALTER TABLE trap.spans_journal DISABLE TRIGGER USER;
DROP TRIGGER lockstep_guard ON trap.spans_journal;
SELECT lockstep.register_ledger('trap.spans');
SELECT outcome('DELETE FROM trap.spans_journal'), (SELECT count(*) FROM pg_trigger WHERE tgrelid = 'trap.spans_journal'::regclass AND tgenabled = 'O') AS guards;
-- FORCE ROW LEVEL SECURITY is for those who read it.
ALTER TABLE trap.spans_journal ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
SELECT (lockstep.adjust('trap.spans', trap.span(1, 6), 1)).status;
ALTER TABLE trap.spans_journal DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY;
-- A domain in place of the key's type is no journal.
CREATE DOMAIN trap.evil AS trap.span CHECK (trap.diff(1, 2) < 0);
ALTER TABLE trap.spans_journal ALTER COLUMN from_key TYPE trap.evil;
RESET ROLE;
SELECT outcome('SELECT lockstep.adjust(''trap.spans'', trap.span(1, 6), 1)');
SET ROLE regress_ls_owner;
ALTER TABLE trap.spans_journal ALTER COLUMN from_key TYPE trap.span;
RESET ROLE;
SELECT (lockstep.adjust('trap.spans', trap.span(1, 6), 1)).status;

-- Registering needs the right to create in the schema, where the journal goes.
ALTER SCHEMA app OWNER TO CURRENT_USER;
GRANT USAGE ON SCHEMA app TO regress_ls_owner;
SET ROLE regress_ls_owner;
SELECT lockstep.drop_ledger('app.accounts', drop_journal => true);
SELECT outcome('SELECT lockstep.register_ledger(''app.accounts'')');
RESET ROLE;

SET client_min_messages = warning;
DROP FUNCTION outcome;
DROP SCHEMA evil, app, trap CASCADE;
DROP OWNED BY regress_ls_owner;
DROP ROLE regress_ls_owner, regress_ls_clerk, regress_ls_nobody;
DROP EXTENSION lockstep;
