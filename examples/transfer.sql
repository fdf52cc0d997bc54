-- A transfer that is tried again after a conflict, from psql: psql -f transfer.sql
-- The intent makes the request id: a second run has the same one, and moves nothing.
\set intent 'rent 2026-11'
CALL lockstep.retry(
    $$SELECT status, from_balance::text, to_balance::text
        FROM lockstep.transfer('accounts', $1, $2, $3, lockstep.request_id($4))$$,
    params => ARRAY['1', '2', '30.00', :'intent']);
