-- The schema that PostgREST exposes (db-schemas = "api"), and the role of its callers: psql -f postgrest.sql
CREATE SCHEMA api;
CREATE FUNCTION api.pay(from_account bigint, to_account bigint, amount numeric, request_id uuid)
    RETURNS TABLE (status text, from_balance numeric, to_balance numeric)
    LANGUAGE sql VOLATILE SECURITY INVOKER AS $$
SELECT t.status, t.from_balance, t.to_balance
  FROM lockstep.transfer('public.accounts', from_account, to_account, amount, request_id) AS t $$;
REVOKE ALL ON FUNCTION api.pay FROM PUBLIC;
GRANT USAGE ON SCHEMA api TO web;
GRANT EXECUTE ON FUNCTION api.pay TO web;
GRANT SELECT (id, balance), UPDATE (balance) ON public.accounts TO web;
