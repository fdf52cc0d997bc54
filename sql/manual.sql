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
DROP EXTENSION lockstep;
