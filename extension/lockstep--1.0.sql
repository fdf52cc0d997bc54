-- lockstep 1.0: the install script. Frozen when 1.0 is released.

-- complain if script is sourced in psql, rather than via CREATE EXTENSION
\echo Use "CREATE EXTENSION lockstep" to load this file. \quit

-- A schema of somebody else's would let its owner put functions beside these.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_namespace AS n JOIN pg_catalog.pg_roles AS r ON r.oid OPERATOR(pg_catalog.=) n.nspowner
                    WHERE n.nspname OPERATOR(pg_catalog.=) 'lockstep'
                      AND (r.rolsuper OR r.rolname OPERATOR(pg_catalog.=) current_user)) THEN
        RAISE insufficient_privilege USING
            MESSAGE = 'schema "lockstep" belongs to another role',
            HINT = 'Drop or rename it before CREATE EXTENSION lockstep.';
    END IF;
END $$;

GRANT USAGE ON SCHEMA lockstep TO PUBLIC;
COMMENT ON SCHEMA lockstep IS 'lockstep: exactly-once transfers on your own tables';


-- Registrations. Written by register_ledger and drop_ledger alone; carried by pg_dump.

CREATE TABLE lockstep.registration (
    ledger           regclass PRIMARY KEY,
    journal          regclass NOT NULL UNIQUE,
    registered_oid   oid NOT NULL,
    key_column       name NOT NULL,
    amount_column    name NOT NULL,
    floor_column     name,
    ceiling_column   name,
    version_column   name,
    frozen_column    name,
    column_positions int2vector NOT NULL,
    floor            numeric,
    ceiling          numeric,
    history          boolean NOT NULL,
    active           boolean NOT NULL
);

COMMENT ON TABLE lockstep.registration IS 'what register_ledger has registered; read the view lockstep.ledgers';
COMMENT ON COLUMN lockstep.registration.ledger IS 'the table that holds the amounts';
COMMENT ON COLUMN lockstep.registration.journal IS 'the table that holds one row a movement';
COMMENT ON COLUMN lockstep.registration.registered_oid IS 'OID of the ledger when it was registered; another one after a restore';
COMMENT ON COLUMN lockstep.registration.key_column IS 'column that names a row';
COMMENT ON COLUMN lockstep.registration.amount_column IS 'column that is moved';
COMMENT ON COLUMN lockstep.registration.floor_column IS 'column with each row''s floor, or null';
COMMENT ON COLUMN lockstep.registration.ceiling_column IS 'column with each row''s ceiling, or null';
COMMENT ON COLUMN lockstep.registration.version_column IS 'column that is counted up with each movement, or null';
COMMENT ON COLUMN lockstep.registration.frozen_column IS 'boolean column that stops movements of a row, or null';
COMMENT ON COLUMN lockstep.registration.column_positions IS 'positions of the six columns, to find a renamed one by';
COMMENT ON COLUMN lockstep.registration.floor IS 'bound below for every row, or null; unused where there is a floor_column';
COMMENT ON COLUMN lockstep.registration.ceiling IS 'bound above for every row, or null; unused where there is a ceiling_column';
COMMENT ON COLUMN lockstep.registration.history IS 'whether the journal has indexes by row';
COMMENT ON COLUMN lockstep.registration.active IS 'false after drop_ledger: only the journal is remembered, for the next registration';

-- A dropped table's registration is swept by the next register_ledger; until then it is not dumped.
SELECT pg_catalog.pg_extension_config_dump('lockstep.registration',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) ledger)'
    ' AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) journal)');

CREATE VIEW lockstep.ledgers AS
SELECT r.ledger, r.journal, r.key_column, r.amount_column, r.floor, r.ceiling,
       r.floor_column, r.ceiling_column, r.version_column, r.frozen_column, r.history,
       'spi'::text AS store,
       'serves any table at any isolation level'::text AS store_reason
  FROM lockstep.registration AS r
 WHERE r.active
   AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) r.ledger)
 ORDER BY r.ledger::text COLLATE "C";

COMMENT ON VIEW lockstep.ledgers IS 'registered tables, and how each is served';
COMMENT ON COLUMN lockstep.ledgers.ledger IS 'the table that holds the amounts';
COMMENT ON COLUMN lockstep.ledgers.journal IS 'the table that holds one row a movement';
COMMENT ON COLUMN lockstep.ledgers.key_column IS 'column that names a row, as registered';
COMMENT ON COLUMN lockstep.ledgers.amount_column IS 'column that is moved, as registered';
COMMENT ON COLUMN lockstep.ledgers.floor IS 'bound below for every row, in the unit of the amount; null is none';
COMMENT ON COLUMN lockstep.ledgers.ceiling IS 'bound above for every row, in the unit of the amount; null is none';
COMMENT ON COLUMN lockstep.ledgers.floor_column IS 'column with each row''s floor, in place of floor';
COMMENT ON COLUMN lockstep.ledgers.ceiling_column IS 'column with each row''s ceiling, in place of ceiling';
COMMENT ON COLUMN lockstep.ledgers.version_column IS 'column that is counted up with each movement';
COMMENT ON COLUMN lockstep.ledgers.frozen_column IS 'boolean column that stops movements of a row';
COMMENT ON COLUMN lockstep.ledgers.history IS 'whether the journal has indexes by row';
COMMENT ON COLUMN lockstep.ledgers.store IS 'how rows are read and written';
COMMENT ON COLUMN lockstep.ledgers.store_reason IS 'why this store serves the ledger';


-- Default privileges may have given others rights on what was made here. Everybody may look; pg_dump
-- has to.
DO $$
DECLARE
    relation regclass;
    grantee text;
BEGIN
    FOREACH relation IN ARRAY '{lockstep.registration, lockstep.ledgers}'::pg_catalog.regclass[] LOOP
        FOR grantee IN SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END
                         FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS g
                        WHERE c.oid OPERATOR(pg_catalog.=) relation AND g.grantee OPERATOR(pg_catalog.<>) c.relowner LOOP
            EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', relation, grantee);
        END LOOP;
        EXECUTE pg_catalog.format('GRANT SELECT ON %s TO PUBLIC', relation);
    END LOOP;
END $$;


-- Ledgers

CREATE FUNCTION lockstep.journal_guard()
RETURNS trigger
AS 'MODULE_PATHNAME', 'lockstep_journal_guard'
LANGUAGE C VOLATILE PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.journal_guard() IS
    'trigger of every journal: lets lockstep append, and nobody else write';

CREATE FUNCTION lockstep.register_ledger(
    ledger         regclass,
    key            name    DEFAULT NULL,
    amount         name    DEFAULT 'balance',
    floor          numeric DEFAULT 0,
    ceiling        numeric DEFAULT NULL,
    floor_column   name    DEFAULT NULL,
    ceiling_column name    DEFAULT NULL,
    version_column name    DEFAULT NULL,
    frozen_column  name    DEFAULT NULL,
    history        boolean DEFAULT false)
RETURNS regclass
AS 'MODULE_PATHNAME', 'lockstep_register_ledger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.register_ledger(regclass, name, name, numeric, numeric, name, name, name, name, boolean) IS
    'makes a table a ledger, or changes how it is one; returns its journal';

CREATE FUNCTION lockstep.drop_ledger(
    ledger       regclass,
    drop_journal boolean DEFAULT false)
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_drop_ledger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.drop_ledger(regclass, boolean) IS
    'ends a registration; the table stays as it is, the journal stays unless drop_journal';

CREATE FUNCTION lockstep.verify_ledger(ledger regclass)
RETURNS TABLE (violation text, key text, request_id uuid, expected numeric, found numeric)
AS 'MODULE_PATHNAME', 'lockstep_verify_ledger'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.verify_ledger(regclass) IS
    'checks amounts, journal and bounds against each other at one instant; no rows where all agree';


-- Transfers

CREATE TYPE lockstep.transfer_result AS (
    request_id   uuid,
    status       text,
    sqlstate     text,
    amount       numeric,
    from_balance numeric,
    to_balance   numeric,
    booked_at    timestamptz
);
COMMENT ON TYPE lockstep.transfer_result IS 'what a transfer did';
COMMENT ON COLUMN lockstep.transfer_result.request_id IS 'the caller''s id, or the one that was made';
COMMENT ON COLUMN lockstep.transfer_result.status IS 'applied, replayed or refused';
COMMENT ON COLUMN lockstep.transfer_result.sqlstate IS 'of a refusal, else null';
COMMENT ON COLUMN lockstep.transfer_result.amount IS 'the amount moved, in the unit of the ledger';
COMMENT ON COLUMN lockstep.transfer_result.from_balance IS 'amount of the giving row after it, in the unit of the ledger';
COMMENT ON COLUMN lockstep.transfer_result.to_balance IS 'amount of the taking row after it, in the unit of the ledger';
COMMENT ON COLUMN lockstep.transfer_result.booked_at IS 'clock time of the booking';

CREATE TYPE lockstep.adjust_result AS (
    request_id uuid,
    status     text,
    sqlstate   text,
    delta      numeric,
    balance    numeric,
    booked_at  timestamptz
);
COMMENT ON TYPE lockstep.adjust_result IS 'what an adjustment did';
COMMENT ON COLUMN lockstep.adjust_result.request_id IS 'the caller''s id, or the one that was made';
COMMENT ON COLUMN lockstep.adjust_result.status IS 'applied, replayed or refused';
COMMENT ON COLUMN lockstep.adjust_result.sqlstate IS 'of a refusal, else null';
COMMENT ON COLUMN lockstep.adjust_result.delta IS 'the change, in the unit of the ledger';
COMMENT ON COLUMN lockstep.adjust_result.balance IS 'amount of the row after it, in the unit of the ledger';
COMMENT ON COLUMN lockstep.adjust_result.booked_at IS 'clock time of the booking';

CREATE FUNCTION lockstep.transfer(
    ledger                regclass,
    from_key              anycompatible,
    to_key                anycompatible,
    amount                numeric,
    request_id            uuid   DEFAULT NULL,
    memo                  jsonb  DEFAULT NULL,
    expected_from_version bigint DEFAULT NULL,
    on_refusal            text   DEFAULT 'raise')
RETURNS lockstep.transfer_result
AS 'MODULE_PATHNAME', 'lockstep_transfer'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION lockstep.transfer(regclass, anycompatible, anycompatible, numeric, uuid, jsonb, bigint, text) IS
    'moves an amount from one row of a ledger to another, once for each request id';

CREATE FUNCTION lockstep.adjust(
    ledger           regclass,
    key              anycompatible,
    delta            numeric,
    request_id       uuid   DEFAULT NULL,
    memo             jsonb  DEFAULT NULL,
    expected_version bigint DEFAULT NULL,
    on_refusal       text   DEFAULT 'raise')
RETURNS lockstep.adjust_result
AS 'MODULE_PATHNAME', 'lockstep_adjust'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION lockstep.adjust(regclass, anycompatible, numeric, uuid, jsonb, bigint, text) IS
    'adds to one row of a ledger, or takes from it, once for each request id';

CREATE FUNCTION lockstep.request_id(name text)
RETURNS uuid
AS 'MODULE_PATHNAME', 'lockstep_request_id'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.request_id(text) IS
    'a stable request id from any text: UUID version 5 in the name space d3f0b9ae-7c52-4d0e-9a49-6c6f636b7374';
