-- What messages name and advise: a ledger with its schema where the caller's search path does not find it, and nothing
-- that the caller is doing just now.
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
SET client_min_messages = error;
CREATE SCHEMA shop;
CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
CREATE TABLE shop.accounts (id int PRIMARY KEY, balance int, v int, f boolean NOT NULL DEFAULT false);
INSERT INTO accounts VALUES (1, 0), (2, 0);
INSERT INTO shop.accounts VALUES (1, 0, 1, false), (2, 0, 1, false), (3, 0, 1, true), (4, NULL, 1, false);
SELECT lockstep.register_ledger('accounts'), lockstep.register_ledger('shop.accounts', ceiling => 10, version_column => 'v', frozen_column => 'f');

-- Two ledgers of one name are told apart, by each store; the search path of the call decides, also after the first call.
CREATE FUNCTION tried(path text, store text, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    answer text;
BEGIN
    PERFORM set_config('lockstep.store', store, true), set_config('search_path', path, true);
    answer := public.outcome(format('SELECT status FROM lockstep.' || call, 'shop.accounts'));
    RESET search_path;
    RESET lockstep.store;
    RETURN answer;
END $$;
SELECT path, tried(path, 'heap', call) AS heap
  FROM unnest(ARRAY['transfer(%L, 1, 9, 1)', 'transfer(%L, 1, 2, 1)', 'transfer(%L, 3, 2, 1)', 'adjust(%L, 1, 11)', 'adjust(%L, 4, 1)',
              'transfer(%L, 2, 1, 1, expected_from_version => 7)', 'transfer_batch(%L, ARRAY[1], ARRAY[2], ARRAY[1])']) WITH ORDINALITY AS calls (call, n), unnest(ARRAY['public', 'shop', 'public, shop']) AS path
 ORDER BY n, path;
SELECT path, tried(path, 'spi', call) AS spi FROM unnest(ARRAY['transfer(%L, 1, 2, 1)', 'adjust(%L, 4, 1)']) WITH ORDINALITY AS calls (call, n), unnest(ARRAY['public', 'shop']) AS path
 ORDER BY n, path;

-- So it is while Lockstep works with a search path and a role of its own: at the journal, and at registrations.
CREATE FUNCTION spoil() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.amount := 7; RETURN NEW; END $$;
CREATE TRIGGER spoil BEFORE INSERT ON shop.accounts_journal FOR EACH ROW EXECUTE FUNCTION spoil();
SELECT public.outcome('SELECT (lockstep.adjust(''shop.accounts'', 1, 1)).status');
SET search_path = shop;
SELECT public.outcome('SELECT (lockstep.adjust(''accounts'', 1, 1)).status');
RESET search_path;
DROP TRIGGER spoil ON shop.accounts_journal;
CREATE TABLE shop.second (id int PRIMARY KEY, balance int);
CREATE TABLE shop.second_journal (id int);
SELECT outcome('SELECT lockstep.register_ledger(''shop.second'')');
SET search_path = "$user", shop;
SELECT public.outcome('SELECT lockstep.register_ledger(''second'')');
RESET search_path;
-- An error within leaves nothing behind of that.
SELECT outcome('SELECT lockstep.register_ledger(''shop.second'')'), outcome('SELECT lockstep.adjust(''shop.accounts'', 9, 1)'), outcome('SELECT lockstep.adjust(''accounts'', 9, 1)');

-- register_ledger advises nobody to call it, whatever it finds; transfers do.
SELECT outcome('SELECT lockstep.register_ledger(''accounts'', amount => ''nothing'')');
SELECT outcome('SELECT lockstep.register_ledger(''accounts'', version_column => ''nothing'')');
ALTER TABLE accounts RENAME balance TO stand;
ALTER TABLE accounts ADD balance int NOT NULL DEFAULT 0;
SELECT outcome('SELECT lockstep.adjust(''accounts'', 1, 1)'), outcome('SELECT lockstep.register_ledger(''accounts'', amount => ''other'')');
SELECT outcome('SELECT lockstep.register_ledger(''accounts'')');
ALTER TABLE accounts_journal DISABLE TRIGGER USER;
ALTER TABLE accounts_journal DROP COLUMN booked_at;
SELECT outcome('SELECT lockstep.adjust(''accounts'', 1, 1)'), outcome('SELECT lockstep.register_ledger(''accounts'')');
-- Keys of several columns are spoken of wherever one of a single column is asked for.
CREATE TABLE two (tenant int, account int, balance int, UNIQUE (tenant, account));
SELECT outcome('SELECT lockstep.register_ledger(''two'')');
SELECT outcome('SELECT lockstep.register_ledger(''two'', ''tenant'')');
SELECT outcome('SELECT lockstep.register_ledger(''two'', key_columns => ARRAY[''tenant'', ''account''], amount => ''account'')');

DROP TABLE accounts, accounts_journal, shop.accounts, shop.accounts_journal, shop.second, shop.second_journal, two;
DROP SCHEMA shop;
DROP FUNCTION spoil, tried, outcome;
DROP EXTENSION lockstep;
