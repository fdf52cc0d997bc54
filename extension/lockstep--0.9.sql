-- lockstep 0.9: the install script. It changes freely until 1.0 is released; from then on there are upgrade scripts.

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

-- As regclass, but for the name of a table that is not there: a dump without it can be restored.
CREATE TYPE lockstep.relation_name;
CREATE FUNCTION lockstep.relation_name_in(cstring)
RETURNS lockstep.relation_name
AS 'MODULE_PATHNAME', 'lockstep_relation_name_in'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.relation_name_in(cstring) IS 'input of the type relation_name: 0 where there is no such relation';
CREATE FUNCTION lockstep.relation_name_out(lockstep.relation_name)
RETURNS cstring
AS 'regclassout'
LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.relation_name_out(lockstep.relation_name) IS 'output of the type relation_name';
CREATE TYPE lockstep.relation_name (
    INPUT = lockstep.relation_name_in, OUTPUT = lockstep.relation_name_out, LIKE = pg_catalog.oid);
COMMENT ON TYPE lockstep.relation_name IS 'a relation that a dump tells by its name, or none where that is not restored';
CREATE CAST (lockstep.relation_name AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS lockstep.relation_name) WITHOUT FUNCTION AS ASSIGNMENT;

-- By this a row that was registered here is known from one that a restore has brought.
CREATE TYPE lockstep.local_oid;
CREATE FUNCTION lockstep.local_oid_in(cstring)
RETURNS lockstep.local_oid
AS 'MODULE_PATHNAME', 'lockstep_local_oid_in'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.local_oid_in(cstring) IS 'input of the type local_oid: always 0';
CREATE FUNCTION lockstep.local_oid_out(lockstep.local_oid)
RETURNS cstring
AS 'oidout'
LANGUAGE internal IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.local_oid_out(lockstep.local_oid) IS 'output of the type local_oid';
CREATE TYPE lockstep.local_oid (
    INPUT = lockstep.local_oid_in, OUTPUT = lockstep.local_oid_out, LIKE = pg_catalog.oid);
COMMENT ON TYPE lockstep.local_oid IS 'an OID that means nothing elsewhere: read from text, as a restore does, it is 0';
CREATE CAST (lockstep.local_oid AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS lockstep.local_oid) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TABLE lockstep.registration (
    ledger           lockstep.relation_name NOT NULL,
    journal          lockstep.relation_name NOT NULL,
    registered_oid   lockstep.local_oid NOT NULL,
    key_columns      name[] NOT NULL,
    amount_column    name NOT NULL,
    floor_column     name,
    ceiling_column   name,
    version_column   name,
    frozen_column    name,
    match_columns    name[],
    column_positions int2vector NOT NULL,
    floor            numeric,
    ceiling          numeric,
    journal_version  integer NOT NULL,
    history          boolean NOT NULL,
    active           boolean NOT NULL
);

-- A restore comes with or without triggers, into a database in which the ledgers may be registered
-- already: its rows stand beside those of register_ledger, which alone count then. These are unique;
-- not so those of ledgers that a restore has left out, of which both are 0.
CREATE INDEX registration_by_ledger ON lockstep.registration (ledger);
CREATE INDEX registration_by_journal ON lockstep.registration (journal);
CREATE UNIQUE INDEX registration_of_ledger ON lockstep.registration (ledger)
 WHERE ledger OPERATOR(pg_catalog.=) registered_oid AND ledger OPERATOR(pg_catalog.<>) 0::oid;
CREATE UNIQUE INDEX registration_of_journal ON lockstep.registration (journal)
 WHERE ledger OPERATOR(pg_catalog.=) registered_oid AND ledger OPERATOR(pg_catalog.<>) 0::oid;
-- It has no key, and may be published with all tables.
ALTER TABLE lockstep.registration REPLICA IDENTITY FULL;

COMMENT ON TABLE lockstep.registration IS 'what register_ledger has registered, and what a restore has brought; read the view lockstep.ledgers';
COMMENT ON COLUMN lockstep.registration.ledger IS 'the table that holds the amounts';
COMMENT ON COLUMN lockstep.registration.journal IS 'the table that holds one row a movement';
COMMENT ON COLUMN lockstep.registration.registered_oid IS 'OID of the ledger where it was registered; 0 in a row that a restore has brought';
COMMENT ON COLUMN lockstep.registration.key_columns IS 'columns that name a row, in the order of the key';
COMMENT ON COLUMN lockstep.registration.amount_column IS 'column that is moved';
COMMENT ON COLUMN lockstep.registration.floor_column IS 'column with each row''s floor, or null';
COMMENT ON COLUMN lockstep.registration.ceiling_column IS 'column with each row''s ceiling, or null';
COMMENT ON COLUMN lockstep.registration.version_column IS 'column that is counted up with each movement, or null';
COMMENT ON COLUMN lockstep.registration.frozen_column IS 'boolean column that stops movements of a row, or null';
COMMENT ON COLUMN lockstep.registration.match_columns IS 'columns that must be equal in both rows of a movement, or null';
COMMENT ON COLUMN lockstep.registration.column_positions IS 'positions of the key''s columns, of the other five and of those that must match, to find a renamed one by';
COMMENT ON COLUMN lockstep.registration.floor IS 'bound below for every row, or null; unused where there is a floor_column';
COMMENT ON COLUMN lockstep.registration.ceiling IS 'bound above for every row, or null; unused where there is a ceiling_column';
COMMENT ON COLUMN lockstep.registration.journal_version IS 'version of the journal''s columns; register_ledger brings an older one in line';
COMMENT ON COLUMN lockstep.registration.history IS 'whether the journal has indexes by row';
COMMENT ON COLUMN lockstep.registration.active IS 'false after drop_ledger: only the journal is remembered, for the next registration';

-- A dropped table's registration is swept by the next register_ledger; until then it is not dumped.
-- Nor is what a restore has brought where it does not count.
SELECT pg_catalog.pg_extension_config_dump('lockstep.registration',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) ledger)'
    ' AND EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) journal)'
    ' AND (ledger OPERATOR(pg_catalog.=) registered_oid'
    ' OR NOT EXISTS (SELECT FROM lockstep.registration AS r WHERE r.ledger OPERATOR(pg_catalog.=) registration.ledger'
    ' AND r.ledger OPERATOR(pg_catalog.=) r.registered_oid))');

CREATE FUNCTION lockstep.store_of(ledger regclass, OUT store text, OUT store_reason text)
AS 'MODULE_PATHNAME', 'lockstep_store_of'
LANGUAGE C STABLE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.store_of(regclass) IS
    'which store serves a ledger under READ COMMITTED, and why; no store where the table cannot be used as a ledger just now';

CREATE VIEW lockstep.ledgers AS
SELECT r.ledger, r.journal::oid::regclass AS journal, pg_catalog.array_to_string(r.key_columns, ', ') AS key_column, r.amount_column, r.floor, r.ceiling,
       r.floor_column, r.ceiling_column, r.version_column, r.frozen_column, r.match_columns, r.history,
       s.store, s.store_reason
  FROM (SELECT DISTINCT ON (r.ledger::oid) r.ledger::oid::regclass AS ledger, r.journal, r.key_columns, r.amount_column, r.floor, r.ceiling,
               r.floor_column, r.ceiling_column, r.version_column, r.frozen_column, r.match_columns, r.history, r.active
          FROM lockstep.registration AS r
         WHERE EXISTS (SELECT FROM pg_catalog.pg_class AS c WHERE c.oid OPERATOR(pg_catalog.=) r.ledger)
         -- One that was registered here counts, before those that a restore has brought.
         ORDER BY r.ledger::oid, r.registered_oid::oid DESC) AS r,
       LATERAL lockstep.store_of(r.ledger) AS s
 WHERE r.active
 ORDER BY r.ledger::text COLLATE "C";

COMMENT ON VIEW lockstep.ledgers IS 'registered tables, and how each is served';
COMMENT ON COLUMN lockstep.ledgers.ledger IS 'the table that holds the amounts';
COMMENT ON COLUMN lockstep.ledgers.journal IS 'the table that holds one row a movement';
COMMENT ON COLUMN lockstep.ledgers.key_column IS 'column that names a row, or the columns, as registered';
COMMENT ON COLUMN lockstep.ledgers.amount_column IS 'column that is moved, as registered';
COMMENT ON COLUMN lockstep.ledgers.floor IS 'bound below for every row, in the unit of the amount; null is none';
COMMENT ON COLUMN lockstep.ledgers.ceiling IS 'bound above for every row, in the unit of the amount; null is none';
COMMENT ON COLUMN lockstep.ledgers.floor_column IS 'column with each row''s floor, in place of floor';
COMMENT ON COLUMN lockstep.ledgers.ceiling_column IS 'column with each row''s ceiling, in place of ceiling';
COMMENT ON COLUMN lockstep.ledgers.version_column IS 'column that is counted up with each movement';
COMMENT ON COLUMN lockstep.ledgers.frozen_column IS 'boolean column that stops movements of a row';
COMMENT ON COLUMN lockstep.ledgers.match_columns IS 'columns that must be equal in both rows of a movement';
COMMENT ON COLUMN lockstep.ledgers.history IS 'whether the journal has indexes by row';
COMMENT ON COLUMN lockstep.ledgers.store IS 'heap: rows are read and written directly; spi: by statements; null: the table cannot be used just now';
COMMENT ON COLUMN lockstep.ledgers.store_reason IS 'why this store serves the ledger';

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
    history        boolean DEFAULT false,
    key_columns    name[]  DEFAULT NULL,
    match_columns  name[]  DEFAULT NULL,
    journal        regclass DEFAULT NULL)
RETURNS regclass
AS 'MODULE_PATHNAME', 'lockstep_register_ledger'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.register_ledger(regclass, name, name, numeric, numeric, name, name, name, name, boolean, name[], name[], regclass) IS
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

CREATE FUNCTION lockstep.refuse_expansion(internal)
RETURNS internal
AS 'MODULE_PATHNAME', 'lockstep_refuse_expansion'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.refuse_expansion(internal) IS
    'for the planner: refuses (lockstep.transfer(...)).*, which would run once for each column';

CREATE FUNCTION lockstep.transfer(
    ledger                regclass,
    from_key              anycompatible,
    to_key                anycompatible,
    amount                numeric,
    request_id            uuid   DEFAULT NULL,
    memo                  jsonb  DEFAULT NULL,
    expected_from_version bigint DEFAULT NULL,
    on_refusal            text   DEFAULT 'raise',
    at_most               boolean DEFAULT false)
RETURNS lockstep.transfer_result
AS 'MODULE_PATHNAME', 'lockstep_transfer'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000
SUPPORT lockstep.refuse_expansion;
COMMENT ON FUNCTION lockstep.transfer(regclass, anycompatible, anycompatible, numeric, uuid, jsonb, bigint, text, boolean) IS
    'moves an amount from one row of a ledger to another, or what there is of it, once for each request id';

CREATE FUNCTION lockstep.adjust(
    ledger           regclass,
    key              anycompatible,
    delta            numeric,
    request_id       uuid   DEFAULT NULL,
    memo             jsonb  DEFAULT NULL,
    expected_version bigint DEFAULT NULL,
    on_refusal       text   DEFAULT 'raise',
    at_most          boolean DEFAULT false)
RETURNS lockstep.adjust_result
AS 'MODULE_PATHNAME', 'lockstep_adjust'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000
SUPPORT lockstep.refuse_expansion;
COMMENT ON FUNCTION lockstep.adjust(regclass, anycompatible, numeric, uuid, jsonb, bigint, text, boolean) IS
    'adds to one row of a ledger, or takes from it, at most what there is where that is asked for, once for each request id';

CREATE FUNCTION lockstep.transfer_batch(
    ledger      regclass,
    from_keys   anycompatiblearray,
    to_keys     anycompatiblearray,
    amounts     numeric[],
    request_ids uuid[]  DEFAULT NULL,
    atomic      boolean DEFAULT true,
    memos       jsonb[] DEFAULT NULL)
RETURNS TABLE (item integer, request_id uuid, status text, sqlstate text, from_balance numeric, to_balance numeric)
AS 'MODULE_PATHNAME', 'lockstep_transfer_batch'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000
SUPPORT lockstep.refuse_expansion;
COMMENT ON FUNCTION lockstep.transfer_batch(regclass, anycompatiblearray, anycompatiblearray, numeric[], uuid[], boolean, jsonb[]) IS
    'moves many amounts between rows of a ledger, or to or from one where the other key is null, once for each request id; one row an item, in the order of the request';

CREATE FUNCTION lockstep.adjust_batch(
    ledger      regclass,
    keys        anycompatiblearray,
    deltas      numeric[],
    request_ids uuid[]  DEFAULT NULL,
    atomic      boolean DEFAULT true,
    memos       jsonb[] DEFAULT NULL)
RETURNS TABLE (item integer, request_id uuid, status text, sqlstate text, balance numeric)
AS 'MODULE_PATHNAME', 'lockstep_adjust_batch'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000
SUPPORT lockstep.refuse_expansion;
COMMENT ON FUNCTION lockstep.adjust_batch(regclass, anycompatiblearray, numeric[], uuid[], boolean, jsonb[]) IS
    'adds to many rows of a ledger, or takes from them, once for each request id; one row an item, in the order of the request';

CREATE FUNCTION lockstep.request_id(name text)
RETURNS uuid
AS 'MODULE_PATHNAME', 'lockstep_request_id'
LANGUAGE C IMMUTABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.request_id(text) IS
    'a stable request id from any text: UUID version 5 in the name space d3f0b9ae-7c52-4d0e-9a49-6c6f636b7374';


-- Row locks for any statement, in one order.

CREATE FUNCTION lockstep.lock_rows(
    relation    regclass,
    keys        anycompatiblearray,
    strength    text   DEFAULT 'no key update',
    wait        text   DEFAULT 'block',
    key_columns name[] DEFAULT NULL)
RETURNS TABLE (key anycompatible)
AS 'MODULE_PATHNAME', 'lockstep_lock_rows'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION lockstep.lock_rows(regclass, anycompatiblearray, text, text, name[]) IS
    'locks the rows of these keys in their order, as SELECT ... FOR does; the keys whose rows are there and are locked now, in that order';

CREATE TYPE lockstep.lock_set AS (
    relation regclass,
    keys     text[],
    strength text);
COMMENT ON TYPE lockstep.lock_set IS 'rows of one table that lock_all is to lock';
COMMENT ON COLUMN lockstep.lock_set.relation IS 'the table';
COMMENT ON COLUMN lockstep.lock_set.keys IS 'the keys as text: a key of several columns as the text of a row';
COMMENT ON COLUMN lockstep.lock_set.strength IS 'key share, share, no key update, or update; null is no key update';

CREATE FUNCTION lockstep.lock_set(
    relation regclass,
    keys     anycompatiblearray,
    strength text DEFAULT 'no key update')
RETURNS lockstep.lock_set
LANGUAGE SQL STABLE PARALLEL SAFE
AS 'SELECT ROW($1, $2::pg_catalog.text[], $3)::lockstep.lock_set';
COMMENT ON FUNCTION lockstep.lock_set(regclass, anycompatiblearray, text) IS 'rows of one table, for lock_all';

CREATE FUNCTION lockstep.lock_all(
    sets lockstep.lock_set[],
    wait text DEFAULT 'block')
RETURNS TABLE (relation regclass, key text)
AS 'MODULE_PATHNAME', 'lockstep_lock_all'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION lockstep.lock_all(lockstep.lock_set[], text) IS
    'locks rows of several tables in one order: tables by schema and name, rows by their keys; those that are there and are locked now, in that order';

CREATE FUNCTION lockstep.claim(
    relation regclass,
    max_rows integer,
    matching jsonb DEFAULT NULL,
    order_by name  DEFAULT NULL)
RETURNS TABLE (key text)
AS 'MODULE_PATHNAME', 'lockstep_claim'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000 ROWS 10;
COMMENT ON FUNCTION lockstep.claim(regclass, integer, jsonb, name) IS
    'locks at most max_rows rows that nobody else has and that have these values, in the order of a column and of the key; their keys';

CREATE FUNCTION lockstep.update_if_version(
    relation         regclass,
    key              anycompatible,
    expected_version bigint,
    changes          jsonb,
    version_column   name DEFAULT NULL)
RETURNS bigint
AS 'MODULE_PATHNAME', 'lockstep_update_if_version'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION lockstep.update_if_version(regclass, anycompatible, bigint, jsonb, name) IS
    'changes columns of one row where its version is the expected one, and counts the version up; the new version';


-- The lock graph. Every function takes one snapshot of the lock manager, at one instant, and waits for no
-- lock. Whoever may see pg_locks may see the edges; statements and keys have rules of their own.

CREATE FUNCTION lockstep.get_lock_graph()
RETURNS TABLE (
    snapshot_at              timestamptz,
    waiter_pid               integer,
    waiter_leader_pid        integer,
    waiter_kind              text,
    waiter_vxid              text,
    waiter_xid               xid,
    waiter_db                name,
    waiter_user              name,
    waiter_app               text,
    waiter_client            inet,
    waiter_query_id          bigint,
    waiter_query             text,
    wait_mode                text,
    wait_start               timestamptz,
    wait_for                 interval,
    queue_pos                integer,
    queue_len                integer,
    edge_kind                text,
    is_nearest               boolean,
    same_group               boolean,
    blocker_kind             text,
    blocker_pid              integer,
    blocker_leader_pid       integer,
    blocker_gid              text,
    blocker_xid              xid,
    blocker_vxid             text,
    blocker_db               name,
    blocker_user             name,
    blocker_app              text,
    blocker_client           inet,
    blocker_state            text,
    blocker_xact_start       timestamptz,
    blocker_state_since      timestamptz,
    blocker_last_query       text,
    blocker_query_is_current boolean,
    blocker_holds            text[],
    blocker_wants            text,
    lock_type                text,
    lock_db                  name,
    lock_rel                 regclass,
    lock_rel_oid             oid,
    lock_ctid                tid,
    lock_xid                 xid,
    lock_vxid                text,
    lock_object              text,
    advisory_key             text,
    lock_text                text,
    row_source               text,
    row_key                  text,
    row_status               text,
    cycle_id                 integer,
    root_id                  bigint,
    depth                    integer)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_graph'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_lock_graph() IS 'who waits for whom at one instant; the rows of the view lock_graph';

CREATE VIEW lockstep.lock_graph AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.wait_for) AS wait_for_seconds
  FROM lockstep.get_lock_graph() AS g;
COMMENT ON VIEW lockstep.lock_graph IS 'who waits for whom at one instant, without the edges that others imply';
COMMENT ON COLUMN lockstep.lock_graph.snapshot_at IS 'the instant of the snapshot';
COMMENT ON COLUMN lockstep.lock_graph.waiter_pid IS 'process that waits';
COMMENT ON COLUMN lockstep.lock_graph.waiter_leader_pid IS 'leader of its parallel query; its own pid where it is in none';
COMMENT ON COLUMN lockstep.lock_graph.waiter_kind IS 'backend, parallel_worker, autovacuum, autovacuum_wraparound, startup, walsender, bgworker or auxiliary';
COMMENT ON COLUMN lockstep.lock_graph.waiter_vxid IS 'virtual transaction id, as pg_locks shows it';
COMMENT ON COLUMN lockstep.lock_graph.waiter_xid IS 'transaction id, where it has one';
COMMENT ON COLUMN lockstep.lock_graph.waiter_db IS 'database';
COMMENT ON COLUMN lockstep.lock_graph.waiter_user IS 'role';
COMMENT ON COLUMN lockstep.lock_graph.waiter_app IS 'application_name';
COMMENT ON COLUMN lockstep.lock_graph.waiter_client IS 'address of the client; null for a local socket';
COMMENT ON COLUMN lockstep.lock_graph.waiter_query_id IS 'identifier of the statement, with compute_query_id';
COMMENT ON COLUMN lockstep.lock_graph.waiter_query IS 'statement that waits';
COMMENT ON COLUMN lockstep.lock_graph.wait_mode IS 'lock mode that it waits for';
COMMENT ON COLUMN lockstep.lock_graph.wait_start IS 'when the wait began; null for a moment after that';
COMMENT ON COLUMN lockstep.lock_graph.wait_for IS 'how long it has waited';
COMMENT ON COLUMN lockstep.lock_graph.queue_pos IS 'its place in the locks queue, from 1';
COMMENT ON COLUMN lockstep.lock_graph.queue_len IS 'how many stand in the locks queue';
COMMENT ON COLUMN lockstep.lock_graph.edge_kind IS 'hard: the blocker holds what conflicts; soft: it stands ahead in the queue; latent: it has the row locked too; safe_snapshot: a deferrable transaction waits for it; group: a call of submit waits for it';
COMMENT ON COLUMN lockstep.lock_graph.is_nearest IS 'part of the reduced graph; always true here';
COMMENT ON COLUMN lockstep.lock_graph.same_group IS 'both belong to one parallel query (they conflict over extending a relation)';
COMMENT ON COLUMN lockstep.lock_graph.blocker_kind IS 'as waiter_kind; or prepared, or finishing: a prepared transaction being ended at this moment';
COMMENT ON COLUMN lockstep.lock_graph.blocker_pid IS 'process waited for; null for a prepared transaction';
COMMENT ON COLUMN lockstep.lock_graph.blocker_leader_pid IS 'leader of its parallel query; its own pid where it is in none';
COMMENT ON COLUMN lockstep.lock_graph.blocker_gid IS 'identifier of the prepared transaction';
COMMENT ON COLUMN lockstep.lock_graph.blocker_xid IS 'transaction id, where it has one';
COMMENT ON COLUMN lockstep.lock_graph.blocker_vxid IS 'virtual transaction id, as pg_locks shows it';
COMMENT ON COLUMN lockstep.lock_graph.blocker_db IS 'database';
COMMENT ON COLUMN lockstep.lock_graph.blocker_user IS 'role';
COMMENT ON COLUMN lockstep.lock_graph.blocker_app IS 'application_name';
COMMENT ON COLUMN lockstep.lock_graph.blocker_client IS 'address of the client; null for a local socket';
COMMENT ON COLUMN lockstep.lock_graph.blocker_state IS 'state, as pg_stat_activity shows it';
COMMENT ON COLUMN lockstep.lock_graph.blocker_xact_start IS 'when its transaction began';
COMMENT ON COLUMN lockstep.lock_graph.blocker_state_since IS 'since when it is in this state; when it was prepared';
COMMENT ON COLUMN lockstep.lock_graph.blocker_last_query IS 'its last statement; the lock may come from an earlier one';
COMMENT ON COLUMN lockstep.lock_graph.blocker_query_is_current IS 'whether that statement is running';
COMMENT ON COLUMN lockstep.lock_graph.blocker_holds IS 'modes in which it holds the lock; null where it stands in the queue only';
COMMENT ON COLUMN lockstep.lock_graph.blocker_wants IS 'mode in which it waits for the same lock itself';
COMMENT ON COLUMN lockstep.lock_graph.lock_type IS 'kind of lock, as pg_locks.locktype';
COMMENT ON COLUMN lockstep.lock_graph.lock_db IS 'database of the lock; null for none and for shared objects';
COMMENT ON COLUMN lockstep.lock_graph.lock_rel IS 'relation, where it belongs to this database';
COMMENT ON COLUMN lockstep.lock_graph.lock_rel_oid IS 'relation';
COMMENT ON COLUMN lockstep.lock_graph.lock_ctid IS 'place of the row, where it is known';
COMMENT ON COLUMN lockstep.lock_graph.lock_xid IS 'transaction waited for';
COMMENT ON COLUMN lockstep.lock_graph.lock_vxid IS 'virtual transaction waited for';
COMMENT ON COLUMN lockstep.lock_graph.lock_object IS 'class/object/sub-object, of a lock on another object';
COMMENT ON COLUMN lockstep.lock_graph.advisory_key IS 'key of an advisory lock: one bigint, or two integers';
COMMENT ON COLUMN lockstep.lock_graph.lock_text IS 'what is waited for, in words';
COMMENT ON COLUMN lockstep.lock_graph.row_source IS 'where the row is known from: tag, held_tuple_lock, or log_context; null where it is not known';
COMMENT ON COLUMN lockstep.lock_graph.row_key IS 'primary key of the row, for who may read it';
COMMENT ON COLUMN lockstep.lock_graph.row_status IS 'ok, or why there is no row_key: no_privilege, rls, moved, relation_locked, other_db, other_temp, key_type, no_key, unknown; null where the wait is for no row';
COMMENT ON COLUMN lockstep.lock_graph.cycle_id IS 'number of the cycle that the waiter is in, from 1';
COMMENT ON COLUMN lockstep.lock_graph.root_id IS 'whom the waiter waits for in the end: a pid, or less than zero the xid of a prepared transaction';
COMMENT ON COLUMN lockstep.lock_graph.depth IS 'the fewest waits from the waiter to a root';
COMMENT ON COLUMN lockstep.lock_graph.wait_for_seconds IS 'wait_for in seconds';

CREATE FUNCTION lockstep.get_lock_graph_all()
RETURNS TABLE (
    snapshot_at        timestamptz,
    waiter_pid         integer,
    waiter_leader_pid  integer,
    edge_kind          text,
    is_nearest         boolean,
    same_group         boolean,
    blocker_kind       text,
    blocker_pid        integer,
    blocker_leader_pid integer,
    blocker_xid        xid,
    wait_mode          text,
    blocker_holds      text[],
    queue_pos          integer,
    queue_len          integer,
    lock_type          text,
    lock_rel_oid       oid,
    lock_xid           xid,
    lock_text          text)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_graph_all'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_lock_graph_all() IS 'who waits for whom at one instant, every edge; the rows of the view lock_graph_all';

CREATE VIEW lockstep.lock_graph_all AS
SELECT * FROM lockstep.get_lock_graph_all();
COMMENT ON VIEW lockstep.lock_graph_all IS 'who waits for whom at one instant, every edge; a queue of n has n * (n - 1) / 2';
COMMENT ON COLUMN lockstep.lock_graph_all.snapshot_at IS 'the instant of the snapshot';
COMMENT ON COLUMN lockstep.lock_graph_all.waiter_pid IS 'process that waits';
COMMENT ON COLUMN lockstep.lock_graph_all.waiter_leader_pid IS 'leader of its parallel query; its own pid where it is in none';
COMMENT ON COLUMN lockstep.lock_graph_all.edge_kind IS 'hard, soft, latent, safe_snapshot or group, as in lock_graph';
COMMENT ON COLUMN lockstep.lock_graph_all.is_nearest IS 'whether lock_graph has this edge';
COMMENT ON COLUMN lockstep.lock_graph_all.same_group IS 'both belong to one parallel query; pg_blocking_pids() leaves such edges out';
COMMENT ON COLUMN lockstep.lock_graph_all.blocker_kind IS 'as in lock_graph';
COMMENT ON COLUMN lockstep.lock_graph_all.blocker_pid IS 'process waited for; null for a prepared transaction';
COMMENT ON COLUMN lockstep.lock_graph_all.blocker_leader_pid IS 'leader of its parallel query; its own pid where it is in none';
COMMENT ON COLUMN lockstep.lock_graph_all.blocker_xid IS 'transaction id, where it has one';
COMMENT ON COLUMN lockstep.lock_graph_all.wait_mode IS 'lock mode waited for';
COMMENT ON COLUMN lockstep.lock_graph_all.blocker_holds IS 'modes in which the blocker holds the lock';
COMMENT ON COLUMN lockstep.lock_graph_all.queue_pos IS 'the waiters place in the queue, from 1';
COMMENT ON COLUMN lockstep.lock_graph_all.queue_len IS 'how many stand in the queue';
COMMENT ON COLUMN lockstep.lock_graph_all.lock_type IS 'kind of lock, as pg_locks.locktype';
COMMENT ON COLUMN lockstep.lock_graph_all.lock_rel_oid IS 'relation';
COMMENT ON COLUMN lockstep.lock_graph_all.lock_xid IS 'transaction waited for';
COMMENT ON COLUMN lockstep.lock_graph_all.lock_text IS 'what is waited for, in words';

CREATE FUNCTION lockstep.get_lock_tree()
RETURNS TABLE (
    root_id        bigint,
    node_id        bigint,
    depth          integer,
    path           bigint[],
    sort_key       integer,
    tree_line      text,
    pid            integer,
    leader_pid     integer,
    kind           text,
    gid            text,
    state          text,
    xact_age       interval,
    wait_for       interval,
    wait_mode      text,
    lock_text      text,
    row_key        text,
    direct_blocked integer,
    total_blocked  integer,
    in_cycle       boolean,
    cycle_id       integer,
    extra_parents  bigint[],
    query          text)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_tree'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_lock_tree() IS 'the lock graph as a tree; the rows of the view lock_tree';

CREATE VIEW lockstep.lock_tree AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.xact_age) AS xact_age_seconds,
       pg_catalog.date_part('epoch', g.wait_for) AS wait_for_seconds
  FROM lockstep.get_lock_tree() AS g;
COMMENT ON VIEW lockstep.lock_tree IS 'the lock graph as a tree: below each session who waits for it, every session once';
COMMENT ON COLUMN lockstep.lock_tree.root_id IS 'whom the tree stands below: a pid, or less than zero the xid of a prepared transaction; of a cycle the first one in it';
COMMENT ON COLUMN lockstep.lock_tree.node_id IS 'this session in the same way; null in the line that heads a cycle';
COMMENT ON COLUMN lockstep.lock_tree.depth IS 'the fewest waits from it to a root';
COMMENT ON COLUMN lockstep.lock_tree.path IS 'node_id of each from the root to here';
COMMENT ON COLUMN lockstep.lock_tree.sort_key IS 'order of the lines, from 1';
COMMENT ON COLUMN lockstep.lock_tree.tree_line IS 'the line, drawn';
COMMENT ON COLUMN lockstep.lock_tree.pid IS 'process; null for a prepared transaction';
COMMENT ON COLUMN lockstep.lock_tree.leader_pid IS 'the same: members of a parallel query are one node';
COMMENT ON COLUMN lockstep.lock_tree.kind IS 'as in lock_graph; cycle in the line that heads one';
COMMENT ON COLUMN lockstep.lock_tree.gid IS 'identifier of the prepared transaction';
COMMENT ON COLUMN lockstep.lock_tree.state IS 'state, as pg_stat_activity shows it';
COMMENT ON COLUMN lockstep.lock_tree.xact_age IS 'how long its transaction runs';
COMMENT ON COLUMN lockstep.lock_tree.wait_for IS 'how long it has waited';
COMMENT ON COLUMN lockstep.lock_tree.wait_mode IS 'lock mode that it waits for';
COMMENT ON COLUMN lockstep.lock_tree.lock_text IS 'what it waits for, in words';
COMMENT ON COLUMN lockstep.lock_tree.row_key IS 'primary key of the row, for who may read it';
COMMENT ON COLUMN lockstep.lock_tree.direct_blocked IS 'sessions that wait for it directly';
COMMENT ON COLUMN lockstep.lock_tree.total_blocked IS 'sessions that wait for it over any number of others';
COMMENT ON COLUMN lockstep.lock_tree.in_cycle IS 'whether it waits, over others, for itself';
COMMENT ON COLUMN lockstep.lock_tree.cycle_id IS 'number of that cycle, from 1';
COMMENT ON COLUMN lockstep.lock_tree.extra_parents IS 'node_id of those it waits for beside its place in the tree';
COMMENT ON COLUMN lockstep.lock_tree.query IS 'its statement; its last one where none is running';
COMMENT ON COLUMN lockstep.lock_tree.xact_age_seconds IS 'xact_age in seconds';
COMMENT ON COLUMN lockstep.lock_tree.wait_for_seconds IS 'wait_for in seconds';

CREATE FUNCTION lockstep.get_root_blocker()
RETURNS TABLE (
    snapshot_at            timestamptz,
    root_id                bigint,
    kind                   text,
    pid                    integer,
    gid                    text,
    xid                    xid,
    db                     name,
    user_name              name,
    app                    text,
    client                 inet,
    state                  text,
    wait_event             text,
    xact_start             timestamptz,
    xact_age               interval,
    idle_for               interval,
    last_query             text,
    query_is_current       boolean,
    strongest_mode_held    text,
    relations              regclass[],
    direct_blocked         integer,
    total_blocked          integer,
    frees_now              integer,
    max_depth              integer,
    longest_wait           interval,
    sum_wait               interval,
    oldest_wait_start      timestamptz,
    distinct_waiting_users integer,
    chain_signature        text,
    signature_hash         bigint,
    auto_cancel_expected   boolean,
    severity               text,
    reason                 text,
    advice                 text,
    action_sql             text)
AS 'MODULE_PATHNAME', 'lockstep_get_root_blocker'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_root_blocker() IS 'who holds up others and waits for nobody; the rows of the view root_blocker';

CREATE VIEW lockstep.root_blocker AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.xact_age) AS xact_age_seconds,
       pg_catalog.date_part('epoch', g.idle_for) AS idle_for_seconds,
       pg_catalog.date_part('epoch', g.longest_wait) AS longest_wait_seconds,
       pg_catalog.date_part('epoch', g.sum_wait) AS sum_wait_seconds
  FROM lockstep.get_root_blocker() AS g;
COMMENT ON VIEW lockstep.root_blocker IS 'who holds up others and waits for nobody, how bad it is, what to do; most blocked first';
COMMENT ON COLUMN lockstep.root_blocker.snapshot_at IS 'the instant of the snapshot';
COMMENT ON COLUMN lockstep.root_blocker.root_id IS 'a pid, or less than zero the xid of a prepared transaction; of a cycle the first one in it';
COMMENT ON COLUMN lockstep.root_blocker.kind IS 'as in lock_graph; cycle: sessions that wait for each other';
COMMENT ON COLUMN lockstep.root_blocker.pid IS 'process; null for a prepared transaction';
COMMENT ON COLUMN lockstep.root_blocker.gid IS 'identifier of the prepared transaction';
COMMENT ON COLUMN lockstep.root_blocker.xid IS 'transaction id, where it has one';
COMMENT ON COLUMN lockstep.root_blocker.db IS 'database';
COMMENT ON COLUMN lockstep.root_blocker.user_name IS 'role';
COMMENT ON COLUMN lockstep.root_blocker.app IS 'application_name';
COMMENT ON COLUMN lockstep.root_blocker.client IS 'address of the client; null for a local socket';
COMMENT ON COLUMN lockstep.root_blocker.state IS 'state, as pg_stat_activity shows it';
COMMENT ON COLUMN lockstep.root_blocker.wait_event IS 'what it waits for that is no lock, such as its client';
COMMENT ON COLUMN lockstep.root_blocker.xact_start IS 'when its transaction began';
COMMENT ON COLUMN lockstep.root_blocker.xact_age IS 'how long its transaction runs';
COMMENT ON COLUMN lockstep.root_blocker.idle_for IS 'how long it has done nothing';
COMMENT ON COLUMN lockstep.root_blocker.last_query IS 'its last statement; the lock may come from an earlier one';
COMMENT ON COLUMN lockstep.root_blocker.query_is_current IS 'whether that statement is running';
COMMENT ON COLUMN lockstep.root_blocker.strongest_mode_held IS 'strongest mode in which it holds a lock that is waited for';
COMMENT ON COLUMN lockstep.root_blocker.relations IS 'relations of this database that are waited for directly';
COMMENT ON COLUMN lockstep.root_blocker.direct_blocked IS 'sessions that wait for it directly; of a cycle: those in it';
COMMENT ON COLUMN lockstep.root_blocker.total_blocked IS 'sessions that wait for it over any number of others';
COMMENT ON COLUMN lockstep.root_blocker.frees_now IS 'sessions that wait for nobody else in the end, and are in no cycle: they go on once it has ended';
COMMENT ON COLUMN lockstep.root_blocker.max_depth IS 'depth of the tree below it';
COMMENT ON COLUMN lockstep.root_blocker.longest_wait IS 'of those who wait for it';
COMMENT ON COLUMN lockstep.root_blocker.sum_wait IS 'of those who wait for it';
COMMENT ON COLUMN lockstep.root_blocker.oldest_wait_start IS 'when the first of these waits began';
COMMENT ON COLUMN lockstep.root_blocker.distinct_waiting_users IS 'roles among those who wait for it';
COMMENT ON COLUMN lockstep.root_blocker.chain_signature IS 'the deepest branch of the tree, without pids, keys, times and statements: the same for the same situation';
COMMENT ON COLUMN lockstep.root_blocker.signature_hash IS 'hash of it';
COMMENT ON COLUMN lockstep.root_blocker.auto_cancel_expected IS 'the server itself cancels it for a session that has waited for deadlock_timeout';
COMMENT ON COLUMN lockstep.root_blocker.severity IS 'notice, warning or critical, by the settings lockstep.blocking_*';
COMMENT ON COLUMN lockstep.root_blocker.reason IS 'why this severity';
COMMENT ON COLUMN lockstep.root_blocker.advice IS 'what a person can do';
COMMENT ON COLUMN lockstep.root_blocker.action_sql IS 'what to run for that, once decided; lockstep never runs it';
COMMENT ON COLUMN lockstep.root_blocker.xact_age_seconds IS 'xact_age in seconds';
COMMENT ON COLUMN lockstep.root_blocker.idle_for_seconds IS 'idle_for in seconds';
COMMENT ON COLUMN lockstep.root_blocker.longest_wait_seconds IS 'longest_wait in seconds';
COMMENT ON COLUMN lockstep.root_blocker.sum_wait_seconds IS 'sum_wait in seconds';

CREATE FUNCTION lockstep.get_lock_conflict()
RETURNS TABLE (
    level     text,
    held      text,
    requested text,
    conflicts boolean)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_conflict'
LANGUAGE C IMMUTABLE PARALLEL SAFE ROWS 80;
COMMENT ON FUNCTION lockstep.get_lock_conflict() IS 'which lock modes conflict; the rows of the view lock_conflict';

CREATE VIEW lockstep.lock_conflict AS
SELECT * FROM lockstep.get_lock_conflict();
COMMENT ON VIEW lockstep.lock_conflict IS 'which lock modes conflict, of tables and of rows';
COMMENT ON COLUMN lockstep.lock_conflict.level IS 'table or row';
COMMENT ON COLUMN lockstep.lock_conflict.held IS 'mode that one transaction holds';
COMMENT ON COLUMN lockstep.lock_conflict.requested IS 'mode that another one asks for';
COMMENT ON COLUMN lockstep.lock_conflict.conflicts IS 'whether the other one has to wait';

CREATE FUNCTION lockstep.get_lock_wait_history()
RETURNS TABLE (
    wait_start         timestamptz,
    last_seen          timestamptz,
    waited             interval,
    samples            bigint,
    db                 name,
    waiter_pid         integer,
    waiter_user        name,
    waiter_app         text,
    waiter_query_id    bigint,
    waiter_query       text,
    lock_type          text,
    wait_mode          text,
    lock_rel           regclass,
    lock_rel_oid       oid,
    lock_ctid          tid,
    lock_text          text,
    blocker_pid        integer,
    blocker_xid        xid,
    blocker_user       name,
    blocker_app        text,
    blocker_query_id   bigint,
    blocker_last_query text,
    root_pid           integer,
    root_xid           xid,
    root_state         text,
    root_xact_start    timestamptz,
    root_user          name,
    root_app           text,
    root_query_id      bigint,
    root_last_query    text)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_wait_history'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 1000;
COMMENT ON FUNCTION lockstep.get_lock_wait_history() IS 'who waited for whom; the rows of the view lock_wait_history';

CREATE VIEW lockstep.lock_wait_history AS
SELECT g.*, pg_catalog.date_part('epoch', g.waited) AS waited_seconds
  FROM lockstep.get_lock_wait_history() AS g;
COMMENT ON VIEW lockstep.lock_wait_history IS 'who waited for whom, and for how long, in the last hours, newest first: waits of lockstep.lock_history_min_wait and more, by samples of lockstep.lock_sample_interval; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.lock_wait_history.wait_start IS 'when the wait began';
COMMENT ON COLUMN lockstep.lock_wait_history.waited_seconds IS 'waited in seconds';
COMMENT ON COLUMN lockstep.lock_wait_history.last_seen IS 'the last sample that saw it';
COMMENT ON COLUMN lockstep.lock_wait_history.waited IS 'how long it lasted at least: until that sample';
COMMENT ON COLUMN lockstep.lock_wait_history.samples IS 'samples that saw it';
COMMENT ON COLUMN lockstep.lock_wait_history.db IS 'database of the one who waited';
COMMENT ON COLUMN lockstep.lock_wait_history.waiter_pid IS 'who waited: process';
COMMENT ON COLUMN lockstep.lock_wait_history.waiter_user IS 'role';
COMMENT ON COLUMN lockstep.lock_wait_history.waiter_app IS 'application_name; for members of pg_read_all_stats and of that role';
COMMENT ON COLUMN lockstep.lock_wait_history.waiter_query_id IS 'identifier of the statement, with compute_query_id; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.waiter_query IS 'statement that waited, its first 255 bytes; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.lock_type IS 'kind of lock, as pg_locks.locktype';
COMMENT ON COLUMN lockstep.lock_wait_history.wait_mode IS 'mode that was waited for';
COMMENT ON COLUMN lockstep.lock_wait_history.lock_rel IS 'relation, or the one that the row is of, where it belongs to this database';
COMMENT ON COLUMN lockstep.lock_wait_history.lock_rel_oid IS 'the same in any database';
COMMENT ON COLUMN lockstep.lock_wait_history.lock_ctid IS 'place of the row at that time, where it is known';
COMMENT ON COLUMN lockstep.lock_wait_history.lock_text IS 'what was waited for, in words';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_pid IS 'for whom it waited itself: process; null: a prepared transaction';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_xid IS 'its transaction';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_user IS 'role';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_app IS 'application_name; for members of pg_read_all_stats and of that role';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_query_id IS 'identifier of its statement; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.blocker_last_query IS 'its statement, its last one where it was idle; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.root_pid IS 'who was at the head of all, in most samples: process; null: a prepared transaction';
COMMENT ON COLUMN lockstep.lock_wait_history.root_xid IS 'its transaction';
COMMENT ON COLUMN lockstep.lock_wait_history.root_state IS 'what it did, as pg_stat_activity.state, or prepared; for members of pg_read_all_stats and of that role';
COMMENT ON COLUMN lockstep.lock_wait_history.root_xact_start IS 'when its transaction began; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.root_user IS 'role';
COMMENT ON COLUMN lockstep.lock_wait_history.root_app IS 'application_name; for members of pg_read_all_stats and of that role';
COMMENT ON COLUMN lockstep.lock_wait_history.root_query_id IS 'identifier of its statement; for the same';
COMMENT ON COLUMN lockstep.lock_wait_history.root_last_query IS 'its statement, its last one where it was idle; for the same';

CREATE FUNCTION lockstep.get_lock_risk()
RETURNS TABLE (
    db              name,
    relations       text[],
    held_modes      text[],
    wanted_modes    text[],
    times_seen      bigint[],
    statements      text[],
    first_seen      timestamptz,
    last_seen       timestamptz,
    advice          text,
    sampled_since   timestamptz,
    pairs_forgotten bigint)
AS 'MODULE_PATHNAME', 'lockstep_get_lock_risk'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION lockstep.get_lock_risk() IS 'inverted orders of locks; the rows of the view lock_risk';

CREATE VIEW lockstep.lock_risk AS
SELECT * FROM lockstep.get_lock_risk();
COMMENT ON VIEW lockstep.lock_risk IS 'orders of locks that are inverted, and no deadlock yet: rings of what waiting transactions were seen to hold and to want, by samples of lockstep.lock_sample_interval, most seen first; what no sample has met is not in it; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.lock_risk.db IS 'database of the relations';
COMMENT ON COLUMN lockstep.lock_risk.relations IS 'what one transaction holds while it wants the next one of these, and another holds the last one while it wants the first';
COMMENT ON COLUMN lockstep.lock_risk.held_modes IS 'table locks that were held on each of them';
COMMENT ON COLUMN lockstep.lock_risk.wanted_modes IS 'what the one who held it wanted of the next one: a row, FOR UPDATE or less, or a table lock';
COMMENT ON COLUMN lockstep.lock_risk.times_seen IS 'in how many samples that was seen';
COMMENT ON COLUMN lockstep.lock_risk.statements IS 'what waited there last, its first 255 bytes; for members of pg_read_all_stats and of the role that ran it';
COMMENT ON COLUMN lockstep.lock_risk.first_seen IS 'since when all of them have been seen';
COMMENT ON COLUMN lockstep.lock_risk.last_seen IS 'when one of them was seen last';
COMMENT ON COLUMN lockstep.lock_risk.advice IS 'what a person can do';
COMMENT ON COLUMN lockstep.lock_risk.sampled_since IS 'since when samples are counted: the first start with preload, or reset_lock_history';
COMMENT ON COLUMN lockstep.lock_risk.pairs_forgotten IS 'pairs of what was held and wanted that gave way to others since then, the least lately seen first';

CREATE FUNCTION lockstep.reset_lock_history()
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_reset_lock_history'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.reset_lock_history() IS 'lets lock_wait_history and lock_risk begin at nothing, for all databases';
REVOKE ALL ON FUNCTION lockstep.reset_lock_history() FROM PUBLIC;

CREATE VIEW lockstep.lock_siread AS
SELECT l.pid, l.virtualtransaction AS vxid, l.locktype AS lock_type, d.datname AS lock_db,
       CASE WHEN d.datname = pg_catalog.current_database() THEN l.relation::regclass END AS lock_rel,
       l.relation AS lock_rel_oid, l.page AS lock_page,
       CASE WHEN l.tuple IS NOT NULL THEN ('(' || l.page || ',' || l.tuple || ')')::tid END AS lock_ctid
  FROM pg_catalog.pg_locks AS l
  LEFT JOIN pg_catalog.pg_database AS d ON d.oid = l.database
 WHERE l.mode = 'SIReadLock';
COMMENT ON VIEW lockstep.lock_siread IS
    'what serializable transactions have read; these locks block nobody, and are no part of the lock graph';
COMMENT ON COLUMN lockstep.lock_siread.pid IS 'process; null where its transaction has ended or is prepared';
COMMENT ON COLUMN lockstep.lock_siread.vxid IS 'virtual transaction id, as pg_locks shows it';
COMMENT ON COLUMN lockstep.lock_siread.lock_type IS 'relation, page or tuple';
COMMENT ON COLUMN lockstep.lock_siread.lock_db IS 'database';
COMMENT ON COLUMN lockstep.lock_siread.lock_rel IS 'relation, where it belongs to this database';
COMMENT ON COLUMN lockstep.lock_siread.lock_rel_oid IS 'relation';
COMMENT ON COLUMN lockstep.lock_siread.lock_page IS 'page, of a lock on a page or a row';
COMMENT ON COLUMN lockstep.lock_siread.lock_ctid IS 'place of the row, of a lock on a row';

-- Pages of text: a row a line, in a column that is named as the one of EXPLAIN is.
CREATE FUNCTION lockstep.lock_tree_text()
RETURNS TABLE ("LOCK TREE" text)
AS 'MODULE_PATHNAME', 'lockstep_lock_tree_text'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.lock_tree_text() IS 'the lock graph as a tree, drawn, a row a line; where nobody waits one that says so';

CREATE FUNCTION lockstep.lock_graph_dot(reduced boolean DEFAULT true, max_nodes integer DEFAULT 200)
RETURNS TABLE ("LOCK GRAPH" text)
AS 'MODULE_PATHNAME', 'lockstep_lock_graph_dot'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.lock_graph_dot(boolean, integer) IS
    'the lock graph for Graphviz, a row a line; beyond max_nodes sessions the rest is counted';

CREATE FUNCTION lockstep.lock_graph_mermaid(reduced boolean DEFAULT true, max_nodes integer DEFAULT 200)
RETURNS TABLE ("LOCK GRAPH" text)
AS 'MODULE_PATHNAME', 'lockstep_lock_graph_mermaid'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.lock_graph_mermaid(boolean, integer) IS
    'the lock graph for Mermaid, a row a line; beyond max_nodes sessions the rest is counted';

CREATE FUNCTION lockstep.lock_graph_json()
RETURNS jsonb
LANGUAGE sql VOLATILE PARALLEL RESTRICTED
BEGIN ATOMIC
    WITH edge AS MATERIALIZED (
        SELECT g.*, g.waiter_leader_pid::bigint AS waiter_id,
               coalesce(g.blocker_leader_pid::bigint, -(g.blocker_xid::text::bigint)) AS blocker_id
          FROM lockstep.lock_graph AS g
    ), node AS (
        SELECT waiter_id AS id, waiter_leader_pid AS pid, NULL::text AS gid, waiter_kind AS kind,
               waiter_db AS db, waiter_user AS user_name, waiter_app AS app,
               waiter_pid <> waiter_leader_pid AS is_member
          FROM edge
        UNION
        SELECT blocker_id, blocker_leader_pid, blocker_gid, blocker_kind, blocker_db, blocker_user,
               blocker_app, coalesce(blocker_pid <> blocker_leader_pid, false)
          FROM edge
    )
    SELECT jsonb_build_object(
        'snapshot_at', (SELECT coalesce(min(snapshot_at), clock_timestamp()) FROM edge),
        'nodes', coalesce((SELECT jsonb_agg(to_jsonb(n) - 'is_member' ORDER BY n.id)
                             FROM (SELECT DISTINCT ON (id) * FROM node ORDER BY id, is_member) AS n),
                          '[]'::jsonb),
        'edges', coalesce((SELECT jsonb_agg(to_jsonb(e) ORDER BY e.lock_text COLLATE "C", e.queue_pos, e.blocker_id)
                             FROM edge AS e), '[]'::jsonb));
END;
COMMENT ON FUNCTION lockstep.lock_graph_json() IS
    'the lock graph as one document: snapshot_at, nodes, edges; an edge has the columns of lock_graph, waiter_id and blocker_id';

CREATE FUNCTION lockstep.lock_snapshot(
    OUT snapshot_at timestamptz,
    OUT locks       integer,
    OUT waits       integer,
    OUT proclocks   integer,
    OUT processes   integer,
    OUT held_us     double precision,
    OUT attempts    integer)
AS 'MODULE_PATHNAME', 'lockstep_lock_snapshot'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.lock_snapshot() IS
    'the size of one snapshot, and for how many microseconds the lock manager was held to take it';

CREATE FUNCTION lockstep.get_transaction_age()
RETURNS TABLE (
    snapshot_at          timestamptz,
    holder_kind          text,
    pid                  integer,
    leader_pid           integer,
    gid                  text,
    slot_name            name,
    standby              text,
    db                   name,
    user_name            name,
    app                  text,
    client               inet,
    state                text,
    wait_event           text,
    backend_start        timestamptz,
    xact_start           timestamptz,
    xact_age             interval,
    state_since          timestamptz,
    idle_for             interval,
    query                text,
    xid                  xid,
    xid_age              bigint,
    xmin                 xid,
    xmin_age             bigint,
    catalog_xmin         xid,
    catalog_xmin_age     bigint,
    xmin_seen_at         timestamptz,
    xmin_wall_age        interval,
    horizons             text[],
    is_oldest_for        text[],
    marginal_gain_xids   bigint,
    datfrozenxid_blocked boolean,
    locks_held           integer,
    strongest_mode       text,
    sessions_blocked     integer,
    wal_retained         bigint,
    slot_active          boolean,
    inactive_since       timestamptz,
    severity             text,
    reason               text,
    advice               text,
    action_sql           text)
AS 'MODULE_PATHNAME', 'lockstep_get_transaction_age'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_transaction_age() IS 'everything that holds the horizon back; the rows of the view transaction_age';

CREATE VIEW lockstep.transaction_age AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.xact_age) AS xact_age_seconds,
       pg_catalog.date_part('epoch', g.idle_for) AS idle_for_seconds,
       pg_catalog.date_part('epoch', g.xmin_wall_age) AS xmin_wall_age_seconds
  FROM lockstep.get_transaction_age() AS g;
COMMENT ON VIEW lockstep.transaction_age IS 'everything that has a transaction, a snapshot, the xmin of a replication slot or temporary tables, and what it holds back; worst first, then oldest first';
COMMENT ON COLUMN lockstep.transaction_age.snapshot_at IS 'the instant of the snapshot';
COMMENT ON COLUMN lockstep.transaction_age.holder_kind IS 'active, idle_in_xact, idle_in_xact_aborted, fastpath, session (what it does is not known, or not for the caller), parallel_worker, background_worker, autovacuum, vacuum, prepared, walsender, walsender_feedback, slot_physical, slot_logical, standby_session, primary_transaction (on a standby) or temp_table';
COMMENT ON COLUMN lockstep.transaction_age.pid IS 'process; of a slot the one that uses it; of temporary tables their session';
COMMENT ON COLUMN lockstep.transaction_age.leader_pid IS 'of a parallel worker its leader, else the same';
COMMENT ON COLUMN lockstep.transaction_age.gid IS 'identifier of the prepared transaction';
COMMENT ON COLUMN lockstep.transaction_age.slot_name IS 'replication slot';
COMMENT ON COLUMN lockstep.transaction_age.standby IS 'application_name of the standby that sends feedback';
COMMENT ON COLUMN lockstep.transaction_age.db IS 'database';
COMMENT ON COLUMN lockstep.transaction_age.user_name IS 'role';
COMMENT ON COLUMN lockstep.transaction_age.app IS 'application_name';
COMMENT ON COLUMN lockstep.transaction_age.client IS 'address of the client; null for a local socket';
COMMENT ON COLUMN lockstep.transaction_age.state IS 'state, as pg_stat_activity shows it';
COMMENT ON COLUMN lockstep.transaction_age.wait_event IS 'what it waits for, such as its client';
COMMENT ON COLUMN lockstep.transaction_age.backend_start IS 'when the session began';
COMMENT ON COLUMN lockstep.transaction_age.xact_start IS 'when its transaction began; of a prepared one when it was prepared';
COMMENT ON COLUMN lockstep.transaction_age.xact_age IS 'how long that is ago';
COMMENT ON COLUMN lockstep.transaction_age.state_since IS 'when its state last changed';
COMMENT ON COLUMN lockstep.transaction_age.idle_for IS 'how long it has done nothing in its transaction';
COMMENT ON COLUMN lockstep.transaction_age.query IS 'its statement; its last one where none is running';
COMMENT ON COLUMN lockstep.transaction_age.xid IS 'its transaction id, where it has one';
COMMENT ON COLUMN lockstep.transaction_age.xid_age IS 'transaction ids assigned since';
COMMENT ON COLUMN lockstep.transaction_age.xmin IS 'oldest transaction whose end its snapshots cannot see; of temporary tables their oldest relfrozenxid';
COMMENT ON COLUMN lockstep.transaction_age.xmin_age IS 'transaction ids assigned since';
COMMENT ON COLUMN lockstep.transaction_age.catalog_xmin IS 'the same for catalogs alone, of a slot';
COMMENT ON COLUMN lockstep.transaction_age.catalog_xmin_age IS 'transaction ids assigned since';
COMMENT ON COLUMN lockstep.transaction_age.xmin_seen_at IS 'first sample of the history by which the oldest of these had been assigned; null without a history, and where it is younger than the last sample';
COMMENT ON COLUMN lockstep.transaction_age.xmin_wall_age IS 'how long that is ago: it is at least so old';
COMMENT ON COLUMN lockstep.transaction_age.horizons IS 'what it holds: data and catalogs of its database or of all, shared catalogs, pg_subtrans; of temporary tables datfrozenxid';
COMMENT ON COLUMN lockstep.transaction_age.is_oldest_for IS 'the horizons that nobody holds farther back';
COMMENT ON COLUMN lockstep.transaction_age.marginal_gain_xids IS 'by how many transactions a horizon of rows would go on if this one ended, and with it what only follows it; 0 where another one holds it as far back';
COMMENT ON COLUMN lockstep.transaction_age.datfrozenxid_blocked IS 'as long as it stays, no vacuum makes a database younger than autovacuum_freeze_max_age: shared catalogs belong to all of them';
COMMENT ON COLUMN lockstep.transaction_age.locks_held IS 'locks as pg_locks counts them, without SIReadLock';
COMMENT ON COLUMN lockstep.transaction_age.strongest_mode IS 'strongest mode among them, but for those on transactions';
COMMENT ON COLUMN lockstep.transaction_age.sessions_blocked IS 'sessions that wait for it, over any number of others';
COMMENT ON COLUMN lockstep.transaction_age.wal_retained IS 'bytes of WAL from the restart point of the slot on';
COMMENT ON COLUMN lockstep.transaction_age.slot_active IS 'whether somebody uses the slot';
COMMENT ON COLUMN lockstep.transaction_age.inactive_since IS 'since when nobody uses the slot (PostgreSQL 17 and later)';
COMMENT ON COLUMN lockstep.transaction_age.severity IS 'ok, unknown (its times are not for the caller), notice, warning, critical, emergency or stop, by the settings lockstep.age_* and lockstep.blocking_*, and those of the server';
COMMENT ON COLUMN lockstep.transaction_age.reason IS 'why this severity';
COMMENT ON COLUMN lockstep.transaction_age.advice IS 'what a person can do; where all is well null, or why something old is left alone';
COMMENT ON COLUMN lockstep.transaction_age.action_sql IS 'what to run for that, once decided; of a prepared transaction both ways to end it, to choose from, in its database; lockstep never runs it';
COMMENT ON COLUMN lockstep.transaction_age.xact_age_seconds IS 'xact_age in seconds';
COMMENT ON COLUMN lockstep.transaction_age.idle_for_seconds IS 'idle_for in seconds';
COMMENT ON COLUMN lockstep.transaction_age.xmin_wall_age_seconds IS 'xmin_wall_age in seconds';

CREATE FUNCTION lockstep.get_wraparound_status()
RETURNS TABLE (
    datid               oid,
    db                  name,
    takes_connections   boolean,
    datfrozenxid        xid,
    xid_age             bigint,
    xids_to_autovacuum  bigint,
    xids_to_failsafe    bigint,
    xids_to_warning     bigint,
    xids_to_stop        bigint,
    datminmxid          xid,
    mxid_age            bigint,
    mxids_to_autovacuum bigint,
    mxids_to_failsafe   bigint,
    mxids_to_warning    bigint,
    mxids_to_stop       bigint,
    xids_per_hour       double precision,
    mxids_per_hour      double precision,
    autovacuum_in       interval,
    stop_in             interval,
    top_holder_kind     text,
    top_holder          text,
    top_holder_age      bigint,
    severity            text,
    reason              text,
    advice              text)
AS 'MODULE_PATHNAME', 'lockstep_get_wraparound_status'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION lockstep.get_wraparound_status() IS 'how near each database is to the end of its transaction ids; the rows of the view wraparound_status';

CREATE VIEW lockstep.wraparound_status AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.autovacuum_in) AS autovacuum_in_seconds,
       pg_catalog.date_part('epoch', g.stop_in) AS stop_in_seconds
  FROM lockstep.get_wraparound_status() AS g;
COMMENT ON VIEW lockstep.wraparound_status IS 'how near each database is to the end of its transaction ids and multixacts; worst first, then oldest first';
COMMENT ON COLUMN lockstep.wraparound_status.datid IS 'database';
COMMENT ON COLUMN lockstep.wraparound_status.db IS 'its name';
COMMENT ON COLUMN lockstep.wraparound_status.takes_connections IS 'false: it has to be vacuumed all the same, once it takes connections again or by autovacuum';
COMMENT ON COLUMN lockstep.wraparound_status.datfrozenxid IS 'as in pg_database: all transactions before it are frozen';
COMMENT ON COLUMN lockstep.wraparound_status.xid_age IS 'transaction ids assigned since';
COMMENT ON COLUMN lockstep.wraparound_status.xids_to_autovacuum IS 'how many more until autovacuum is forced; below zero it is due';
COMMENT ON COLUMN lockstep.wraparound_status.xids_to_failsafe IS 'how many more until vacuum drops everything else';
COMMENT ON COLUMN lockstep.wraparound_status.xids_to_warning IS 'how many more until the server warns with every transaction id';
COMMENT ON COLUMN lockstep.wraparound_status.xids_to_stop IS 'how many more until the server assigns no more';
COMMENT ON COLUMN lockstep.wraparound_status.datminmxid IS 'as in pg_database, of multixacts';
COMMENT ON COLUMN lockstep.wraparound_status.mxid_age IS 'multixacts made since';
COMMENT ON COLUMN lockstep.wraparound_status.mxids_to_autovacuum IS 'how many more until autovacuum is forced; the server lowers this where members run short';
COMMENT ON COLUMN lockstep.wraparound_status.mxids_to_failsafe IS 'how many more until vacuum drops everything else';
COMMENT ON COLUMN lockstep.wraparound_status.mxids_to_warning IS 'how many more until the server warns';
COMMENT ON COLUMN lockstep.wraparound_status.mxids_to_stop IS 'how many more until the server makes no more';
COMMENT ON COLUMN lockstep.wraparound_status.xids_per_hour IS 'rate over the last hour of the history; null before there are ten minutes of it';
COMMENT ON COLUMN lockstep.wraparound_status.mxids_per_hour IS 'rate over the last hour of the history; null before there are ten minutes of it';
COMMENT ON COLUMN lockstep.wraparound_status.autovacuum_in IS 'at these rates, until autovacuum is forced';
COMMENT ON COLUMN lockstep.wraparound_status.stop_in IS 'at these rates, and without vacuum, until the server stops';
COMMENT ON COLUMN lockstep.wraparound_status.top_holder_kind IS 'the one that limits how far it can be frozen, by transaction_age.holder_kind: the oldest holder of all, for shared catalogs belong to every database; temporary tables only of the current database';
COMMENT ON COLUMN lockstep.wraparound_status.top_holder IS 'which one that is';
COMMENT ON COLUMN lockstep.wraparound_status.top_holder_age IS 'how many transactions it holds back';
COMMENT ON COLUMN lockstep.wraparound_status.severity IS 'ok, notice (due for autovacuum), warning and critical (autovacuum does not get on), emergency or stop';
COMMENT ON COLUMN lockstep.wraparound_status.reason IS 'why this severity';
COMMENT ON COLUMN lockstep.wraparound_status.advice IS 'what a person can do';
COMMENT ON COLUMN lockstep.wraparound_status.autovacuum_in_seconds IS 'autovacuum_in in seconds';
COMMENT ON COLUMN lockstep.wraparound_status.stop_in_seconds IS 'stop_in in seconds';

CREATE FUNCTION lockstep.get_transaction_age_history()
RETURNS TABLE (
    sampled_at             timestamptz,
    next_xid               xid8,
    next_mxid              xid,
    oldest_db              name,
    oldest_db_age          bigint,
    oldest_mxid_age        bigint,
    top_kind               text,
    top_pid                integer,
    top_name               text,
    top_db                 name,
    top_user               name,
    top_since              timestamptz,
    top_xid                xid,
    top_age                bigint,
    active_age             bigint,
    idle_in_xact_age       bigint,
    prepared_age           bigint,
    autovacuum_age         bigint,
    walsender_feedback_age bigint,
    slot_physical_age      bigint,
    slot_logical_age       bigint,
    standby_session_age    bigint)
AS 'MODULE_PATHNAME', 'lockstep_get_transaction_age_history'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10000;
COMMENT ON FUNCTION lockstep.get_transaction_age_history() IS 'what the sampler has seen; the rows of the view transaction_age_history';

CREATE VIEW lockstep.transaction_age_history AS
SELECT * FROM lockstep.get_transaction_age_history();
COMMENT ON VIEW lockstep.transaction_age_history IS 'what held the horizon at each sample of the last days, oldest first; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.transaction_age_history.sampled_at IS 'when the sample was taken';
COMMENT ON COLUMN lockstep.transaction_age_history.next_xid IS 'next transaction id';
COMMENT ON COLUMN lockstep.transaction_age_history.next_mxid IS 'next multixact';
COMMENT ON COLUMN lockstep.transaction_age_history.oldest_db IS 'database with the oldest datfrozenxid';
COMMENT ON COLUMN lockstep.transaction_age_history.oldest_db_age IS 'age of that, in transactions';
COMMENT ON COLUMN lockstep.transaction_age_history.oldest_mxid_age IS 'age of the oldest datminmxid, in multixacts';
COMMENT ON COLUMN lockstep.transaction_age_history.top_kind IS 'who held rows or catalogs the farthest back, by transaction_age.holder_kind; null: nobody held any';
COMMENT ON COLUMN lockstep.transaction_age_history.top_pid IS 'its process';
COMMENT ON COLUMN lockstep.transaction_age_history.top_name IS 'its application_name, the name of the slot, or of a prepared transaction that is still there its identifier';
COMMENT ON COLUMN lockstep.transaction_age_history.top_db IS 'its database';
COMMENT ON COLUMN lockstep.transaction_age_history.top_user IS 'its role';
COMMENT ON COLUMN lockstep.transaction_age_history.top_since IS 'when its transaction began';
COMMENT ON COLUMN lockstep.transaction_age_history.top_xid IS 'the transaction that it went back to';
COMMENT ON COLUMN lockstep.transaction_age_history.top_age IS 'age of that, in transactions';
COMMENT ON COLUMN lockstep.transaction_age_history.active_age IS 'the oldest of the active transactions held so many transactions; for members of pg_read_all_stats';
COMMENT ON COLUMN lockstep.transaction_age_history.idle_in_xact_age IS 'the same for sessions idle in a transaction; for members of pg_read_all_stats';
COMMENT ON COLUMN lockstep.transaction_age_history.prepared_age IS 'the same for prepared transactions';
COMMENT ON COLUMN lockstep.transaction_age_history.autovacuum_age IS 'the same for autovacuum workers; those that keep no rows included';
COMMENT ON COLUMN lockstep.transaction_age_history.walsender_feedback_age IS 'the same for standbys that send feedback without a slot';
COMMENT ON COLUMN lockstep.transaction_age_history.slot_physical_age IS 'the same for physical slots';
COMMENT ON COLUMN lockstep.transaction_age_history.slot_logical_age IS 'the same for logical slots';
COMMENT ON COLUMN lockstep.transaction_age_history.standby_session_age IS 'the same for sessions on this standby; for members of pg_read_all_stats';

CREATE FUNCTION lockstep.transaction_info(
    OUT isolation_level text,
    OUT read_only       boolean,
    OUT "deferrable"    boolean,
    OUT xid             xid8,
    OUT snapshot        pg_snapshot,
    OUT xmin            xid,
    OUT held_xids       bigint,
    OUT vxid            text,
    OUT xact_start      timestamptz,
    OUT xact_age        interval,
    OUT savepoint_depth integer,
    OUT in_block        boolean,
    OUT locks_held      integer,
    OUT strongest_mode  text,
    OUT xact_age_seconds double precision)
AS 'MODULE_PATHNAME', 'lockstep_transaction_info'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.transaction_info() IS
    'the caller''s own transaction: isolation level, transaction id (none is assigned for it), snapshot, age, locks';

CREATE FUNCTION lockstep.transaction_audit(max_findings integer DEFAULT 5)
RETURNS TABLE ("TRANSACTION AUDIT" text)
AS 'MODULE_PATHNAME', 'lockstep_transaction_audit'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 50;
COMMENT ON FUNCTION lockstep.transaction_audit(integer) IS
    'what holds the horizon back and which databases get old, as a page of text, a row a line: worst first, with advice; beyond max_findings the rest is counted';

CREATE FUNCTION lockstep.row_versions(
    relation    regclass,
    key         anycompatible,
    key_columns name[] DEFAULT NULL)
RETURNS TABLE (
    version           integer,
    chain             integer,
    tableoid          regclass,
    ctid              tid,
    line_pointer      text,
    next_ctid         tid,
    xmin              xid,
    xmin_fate         text,
    cmin              cid,
    xmax              xid,
    xmax_kind         text,
    xmax_fate         text,
    cmax              cid,
    multixact_members text[],
    heap_only         boolean,
    hot_updated       boolean,
    infomask          text[],
    infomask_words    text,
    visible           boolean,
    why_visible       text,
    removable         boolean,
    kept_because      text)
AS 'MODULE_PATHNAME', 'lockstep_row_versions'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000 ROWS 10;
COMMENT ON FUNCTION lockstep.row_versions(regclass, anycompatible, name[]) IS
    'the tuple versions of one row, oldest first, dead ones too: their transactions, flags and places, which of them the caller''s snapshot sees and why, and why an old one is still there; for whoever may read all of the table; waits for no lock';

CREATE PROCEDURE lockstep.submit(
    ledger               regclass,
    from_key             anycompatible,
    to_key               anycompatible,
    amount               numeric,
    request_id           uuid    DEFAULT NULL,
    memo                 jsonb   DEFAULT NULL,
    on_refusal           text    DEFAULT 'raise',
    at_most              boolean DEFAULT false,
    INOUT status         text    DEFAULT NULL,
    INOUT sqlstate       text    DEFAULT NULL,
    INOUT moved          numeric DEFAULT NULL,
    INOUT from_balance   numeric DEFAULT NULL,
    INOUT to_balance     numeric DEFAULT NULL,
    INOUT booked_at      timestamptz DEFAULT NULL,
    INOUT group_size     integer DEFAULT NULL)
AS 'MODULE_PATHNAME', 'lockstep_submit'
LANGUAGE C;
COMMENT ON PROCEDURE lockstep.submit(regclass, anycompatible, anycompatible, numeric, uuid, jsonb, text, boolean, text, text, numeric, numeric, numeric, timestamptz, integer) IS
    'moves an amount as transfer does, or as adjust where one key is null, and commits: together with what other sessions submit for the same rows just then';

CREATE PROCEDURE lockstep.retry(
    statement        text,
    isolation        text     DEFAULT 'serializable',
    max_attempts     integer  DEFAULT 10,
    deadline         interval DEFAULT '30 seconds',
    params           anycompatiblearray DEFAULT NULL::text[], -- what has no type yet is text
    read_only        boolean  DEFAULT false,
    is_deferrable    boolean  DEFAULT false,
    INOUT attempts   integer  DEFAULT NULL,
    INOUT last_error text     DEFAULT NULL,
    INOUT result     json     DEFAULT NULL)
AS 'MODULE_PATHNAME', 'lockstep_retry'
LANGUAGE C;
COMMENT ON PROCEDURE lockstep.retry(text, text, integer, interval, anycompatiblearray, boolean, boolean, integer, text, json) IS
    'runs statements as one transaction, and again from its beginning after a serialization failure or a deadlock, at the commit too';

-- A statement for many rows, some of them at a time.

CREATE TABLE lockstep.chunk_runs (
    role             name NOT NULL,
    name             text NOT NULL,
    relation         text NOT NULL,
    keys_total       bigint NOT NULL,
    keys_done        bigint NOT NULL DEFAULT 0,
    chunks           bigint NOT NULL DEFAULT 0,
    rows             bigint NOT NULL DEFAULT 0,
    missing          bigint NOT NULL DEFAULT 0,
    started_at       timestamptz NOT NULL DEFAULT pg_catalog.clock_timestamp(),
    committed_at     timestamptz,
    finished_at      timestamptz,
    statement_digest bytea NOT NULL,
    params_digest    bytea NOT NULL,
    keys_digest      bytea NOT NULL,
    PRIMARY KEY (role, name));
COMMENT ON TABLE lockstep.chunk_runs IS 'how far the runs of apply_in_chunks are that have a name; written by it alone, in the transaction of each chunk; carried by pg_dump';
COMMENT ON COLUMN lockstep.chunk_runs.role IS 'the role that the run belongs to';
COMMENT ON COLUMN lockstep.chunk_runs.name IS 'the name that was given as resume';
COMMENT ON COLUMN lockstep.chunk_runs.relation IS 'the table';
COMMENT ON COLUMN lockstep.chunk_runs.keys_total IS 'how many keys it has, each counted once';
COMMENT ON COLUMN lockstep.chunk_runs.keys_done IS 'how many of them are done, in their order';
COMMENT ON COLUMN lockstep.chunk_runs.chunks IS 'chunks that were committed';
COMMENT ON COLUMN lockstep.chunk_runs.rows IS 'rows that their statements have written';
COMMENT ON COLUMN lockstep.chunk_runs.missing IS 'keys whose rows were not there';
COMMENT ON COLUMN lockstep.chunk_runs.started_at IS 'when it was first called';
COMMENT ON COLUMN lockstep.chunk_runs.committed_at IS 'when the last chunk was written, or null';
COMMENT ON COLUMN lockstep.chunk_runs.finished_at IS 'when it came to its end, or null';
COMMENT ON COLUMN lockstep.chunk_runs.statement_digest IS 'SHA-1 of the statement';
COMMENT ON COLUMN lockstep.chunk_runs.params_digest IS 'SHA-1 of its params';
COMMENT ON COLUMN lockstep.chunk_runs.keys_digest IS 'SHA-1 of the keys in their order';
SELECT pg_catalog.pg_extension_config_dump('lockstep.chunk_runs', '');

CREATE PROCEDURE lockstep.apply_in_chunks(
    relation           regclass,
    keys               anycompatiblearray,
    statement          text, -- $1 is an array of the chunk's keys; $2, ... more columns of the key, then params
    chunk_size         integer  DEFAULT 1000,
    params             text[]   DEFAULT NULL,
    strength           text     DEFAULT 'no key update',
    isolation          text     DEFAULT 'read committed',
    max_attempts       integer  DEFAULT 10,
    deadline           interval DEFAULT '30 seconds',
    report_every       interval DEFAULT NULL,
    resume             text     DEFAULT NULL,
    key_columns        name[]   DEFAULT NULL,
    INOUT chunks       integer  DEFAULT NULL,
    INOUT keys_done    bigint   DEFAULT NULL,
    INOUT rows         bigint   DEFAULT NULL,
    INOUT attempts     integer  DEFAULT NULL,
    INOUT skipped      bigint   DEFAULT NULL,
    INOUT missing      bigint   DEFAULT NULL,
    INOUT missing_keys text[]   DEFAULT NULL)
AS 'MODULE_PATHNAME', 'lockstep_apply_in_chunks'
LANGUAGE C;
COMMENT ON PROCEDURE lockstep.apply_in_chunks(regclass, anycompatiblearray, text, integer, text[], text, text, integer, interval, interval, text, name[], integer, bigint, bigint, integer, bigint, bigint, text[]) IS
    'runs a statement for the rows of many keys, in chunks in the order of the keys: locks the rows of each, runs it, commits, and does it again after a serialization failure or a deadlock';

CREATE FUNCTION lockstep.keys_of(statement text)
RETURNS text[]
AS 'MODULE_PATHNAME', 'lockstep_keys_of'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION lockstep.keys_of(text) IS
    'the rows of a query as an array of keys, for apply_in_chunks: a CALL takes no query in its arguments';

CREATE FUNCTION lockstep.get_progress_apply_in_chunks()
RETURNS TABLE (
    pid           integer,
    db            name,
    user_name     name,
    relid         oid,
    phase         text,
    keys_total    bigint,
    keys_done     bigint,
    keys_skipped  bigint,
    chunks        bigint,
    rows          bigint,
    attempts      bigint,
    missing       bigint,
    started_at    timestamptz,
    estimated_end timestamptz)
AS 'MODULE_PATHNAME', 'lockstep_get_progress_apply_in_chunks'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 5;
COMMENT ON FUNCTION lockstep.get_progress_apply_in_chunks() IS 'how far calls of apply_in_chunks are; what the view progress_apply_in_chunks is made of';

CREATE VIEW lockstep.progress_apply_in_chunks AS
SELECT g.pid, g.db, g.user_name, g.relid,
       CASE g.db WHEN pg_catalog.current_database() THEN g.relid::pg_catalog.regclass END AS relation,
       g.phase, g.keys_total, g.keys_done, g.keys_skipped, g.chunks, g.rows, g.attempts, g.missing, g.started_at, g.estimated_end
  FROM lockstep.get_progress_apply_in_chunks() AS g;
COMMENT ON VIEW lockstep.progress_apply_in_chunks IS 'the calls of apply_in_chunks that are under way, of all databases; one row each; needs track_activities, as pg_stat_progress_copy does';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.pid IS 'process that runs it';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.db IS 'its database';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.user_name IS 'its user; who may not see what that one does sees nothing more';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.relid IS 'the table';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.relation IS 'the same by name, where it is in this database';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.phase IS 'sorting keys, locking rows, running statement, or waiting to retry';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.keys_total IS 'how many keys there are, each counted once';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.keys_done IS 'how many of them are done and committed';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.keys_skipped IS 'how many of these earlier calls of the same run have done';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.chunks IS 'chunks that this call has committed';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.rows IS 'rows that their statements have written';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.attempts IS 'attempts at chunks, with those that failed and the one under way';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.missing IS 'keys whose rows were not there';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.started_at IS 'when the call began';
COMMENT ON COLUMN lockstep.progress_apply_in_chunks.estimated_end IS 'when it ends at the pace until now; null before the first chunk';

CREATE FUNCTION lockstep.forget_chunk_run(name text)
RETURNS boolean
AS 'MODULE_PATHNAME', 'lockstep_forget_chunk_run'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.forget_chunk_run(text) IS
    'forgets a run of apply_in_chunks of the caller''s own, so that its name may be used again; whether there was one';

CREATE FUNCTION lockstep.get_retry_rules()
RETURNS TABLE (sqlstate text, verdict text, backoff text, at_most integer, note text)
AS 'MODULE_PATHNAME', 'lockstep_get_retry_rules'
LANGUAGE C STABLE PARALLEL SAFE ROWS 80;
COMMENT ON FUNCTION lockstep.get_retry_rules() IS 'what to do after which error; the rows of the view retry_rules';

CREATE VIEW lockstep.retry_rules AS
SELECT * FROM lockstep.get_retry_rules();
COMMENT ON VIEW lockstep.retry_rules IS 'what to do after which error: exact states first, then whole classes; any other state is never retried';
COMMENT ON COLUMN lockstep.retry_rules.sqlstate IS 'the state, or two characters for a class; null: the session was lost without one';
COMMENT ON COLUMN lockstep.retry_rules.verdict IS 'same_session, new_session, elsewhere: run the whole transaction again there; in_doubt: it may have happened; never';
COMMENT ON COLUMN lockstep.retry_rules.backoff IS 'which pause comes before that: none, conflict (short), reconnect, capacity (long)';
COMMENT ON COLUMN lockstep.retry_rules.at_most IS 'how often one call may try again for it; null: as often as attempts and deadline allow';
COMMENT ON COLUMN lockstep.retry_rules.note IS 'what the state says';

CREATE FUNCTION lockstep.retry_class(sqlstate text, OUT verdict text, OUT backoff text, OUT at_most integer, OUT note text)
AS 'MODULE_PATHNAME', 'lockstep_retry_class'
LANGUAGE C IMMUTABLE CALLED ON NULL INPUT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.retry_class(text) IS
    'what to do after an error with this state, by retry_rules; null is a session that was lost without one';

CREATE FUNCTION lockstep.backoff_hint(ledger regclass, key anycompatible)
RETURNS integer
AS 'MODULE_PATHNAME', 'lockstep_backoff_hint'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE;
COMMENT ON FUNCTION lockstep.backoff_hint(regclass, anycompatible) IS
    'milliseconds to wait before one tries again to get a row of a ledger, by how many hold it or wait for it; null: there is no such row, or the table is locked, or row security keeps rows from the caller';

CREATE FUNCTION lockstep.get_retry_stats()
RETURNS TABLE (
    db       name,
    sqlstate text,
    errors   bigint,
    retries  bigint,
    waited   interval,
    last_at  timestamptz,
    note     text)
AS 'MODULE_PATHNAME', 'lockstep_get_retry_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION lockstep.get_retry_stats() IS 'errors that ask for another attempt; the rows of the view retry_stats';

CREATE VIEW lockstep.retry_stats AS
SELECT g.*,
       pg_catalog.date_part('epoch', g.waited) AS waited_seconds
  FROM lockstep.get_retry_stats() AS g;
COMMENT ON VIEW lockstep.retry_stats IS 'errors of class 40 and class LS, 55P03 and 57014, trapped or not, and the attempts that CALL lockstep.retry made for them, since the server started or reset_retry_stats; by database and state, states that somebody has made up together; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.retry_stats.db IS 'database; null: those that found no room, beyond lockstep.counted_databases, together; on a standby also one that was dropped';
COMMENT ON COLUMN lockstep.retry_stats.sqlstate IS 'SQLSTATE; null: all that neither the server nor Lockstep raises, such as LSZZZ, together';
COMMENT ON COLUMN lockstep.retry_stats.errors IS 'errors of that state, each counted once';
COMMENT ON COLUMN lockstep.retry_stats.retries IS 'further attempts of CALL lockstep.retry after such an error';
COMMENT ON COLUMN lockstep.retry_stats.waited IS 'how long it waited before these';
COMMENT ON COLUMN lockstep.retry_stats.last_at IS 'when the last of them was';
COMMENT ON COLUMN lockstep.retry_stats.note IS 'what the state says';
COMMENT ON COLUMN lockstep.retry_stats.waited_seconds IS 'waited in seconds';

CREATE FUNCTION lockstep.get_retry_attempts()
RETURNS TABLE (
    db            name,
    source        text,
    transactions  bigint,
    attempts      bigint,
    mean_attempts numeric,
    most_attempts bigint,
    given_up      bigint)
AS 'MODULE_PATHNAME', 'lockstep_get_retry_attempts'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION lockstep.get_retry_attempts() IS 'how many attempts transactions took; the rows of the view retry_attempts';

CREATE VIEW lockstep.retry_attempts AS
SELECT * FROM lockstep.get_retry_attempts();
COMMENT ON VIEW lockstep.retry_attempts IS 'how many attempts transactions took, of those that say it with lockstep.attempt; by database and source; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.retry_attempts.db IS 'database; null: those that found no room, beyond lockstep.counted_databases, together; on a standby also one that was dropped';
COMMENT ON COLUMN lockstep.retry_attempts.source IS 'retry: CALL lockstep.retry made them; client: a client set lockstep.attempt';
COMMENT ON COLUMN lockstep.retry_attempts.transactions IS 'transactions that committed';
COMMENT ON COLUMN lockstep.retry_attempts.attempts IS 'attempts that these took; one transaction counts 100 at most';
COMMENT ON COLUMN lockstep.retry_attempts.mean_attempts IS 'attempts that one took on average; 1 is best';
COMMENT ON COLUMN lockstep.retry_attempts.most_attempts IS 'attempts that the worst one took; 100: or more';
COMMENT ON COLUMN lockstep.retry_attempts.given_up IS 'calls of CALL lockstep.retry that gave up; of clients that is not known';

CREATE FUNCTION lockstep.get_retry_health()
RETURNS TABLE (
    metric      text,
    value       numeric,
    unit        text,
    severity    text,
    warning_at  numeric,
    critical_at numeric,
    advice      text)
AS 'MODULE_PATHNAME', 'lockstep_get_retry_health'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 3;
COMMENT ON FUNCTION lockstep.get_retry_health() IS 'whether work is done again too often; the rows of the view retry_health';

CREATE VIEW lockstep.retry_health AS
SELECT * FROM lockstep.get_retry_health();
COMMENT ON VIEW lockstep.retry_health IS 'whether work is done again too often: three figures of the last 60 seconds, of all databases; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.retry_health.metric IS 'retry_rate (errors of class 40 among these and the committed transactions that wrote, or ran at repeatable read or serializable), mean_attempts (of committed transactions that set lockstep.attempt) or deadlocks (40P01)';
COMMENT ON COLUMN lockstep.retry_health.value IS 'in the last 60 seconds; null where there were no such transactions';
COMMENT ON COLUMN lockstep.retry_health.unit IS 'percent, attempts or per minute';
COMMENT ON COLUMN lockstep.retry_health.severity IS 'ok, warning or critical';
COMMENT ON COLUMN lockstep.retry_health.warning_at IS 'above this it is a warning: the setting lockstep.<metric>_warning';
COMMENT ON COLUMN lockstep.retry_health.critical_at IS 'above this it is critical: the setting lockstep.<metric>_critical';
COMMENT ON COLUMN lockstep.retry_health.advice IS 'what a person can do; null where all is well';

CREATE FUNCTION lockstep.reset_retry_stats()
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_reset_retry_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.reset_retry_stats() IS 'lets retry_stats, retry_attempts and retry_health begin at nothing, for all databases';
REVOKE ALL ON FUNCTION lockstep.reset_retry_stats() FROM PUBLIC;

-- Deadlocks that were found, down to the row. Statements, their ids, when a transaction began and what an error
-- said are for who may see the session's in pg_stat_activity; a row's key for who may read it in the table.
CREATE FUNCTION lockstep.get_deadlock_sessions()
RETURNS TABLE (
    id               bigint,
    detected_at      timestamptz,
    db               name,
    found_by         text,
    outcome          text,
    deadlock_timeout interval,
    left_off         integer,
    context          text,
    signature        text,
    advice           text,
    part             text,
    place            integer,
    pid              integer,
    leader_pid       integer,
    blocker_pid      integer,
    vxid             text,
    xid              xid,
    user_name        name,
    app              text,
    query            text,
    query_id         bigint,
    xact_start       timestamptz,
    wait_start       timestamptz,
    waited           interval,
    lock_type        text,
    lock_mode        text,
    blocker_mode     text,
    lock_rel_oid     oid,
    lock_rel         text,
    lock_ctid        tid,
    row_key          text,
    row_status   text,
    lock_text        text)
AS 'MODULE_PATHNAME', 'lockstep_get_deadlock_sessions'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 100;
COMMENT ON FUNCTION lockstep.get_deadlock_sessions() IS 'who was in the deadlocks that are remembered, oldest first; the rows of the view deadlock_sessions';

CREATE VIEW lockstep.deadlock_sessions AS
SELECT g.*, pg_catalog.date_part('epoch', g.deadlock_timeout) AS deadlock_timeout_seconds,
       pg_catalog.date_part('epoch', g.waited) AS waited_seconds
  FROM lockstep.get_deadlock_sessions() AS g;
COMMENT ON VIEW lockstep.deadlock_sessions IS 'who was in the last deadlocks of all databases, oldest first, the victim first; the moment at which each was found; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.deadlock_sessions.id IS 'the deadlock';
COMMENT ON COLUMN lockstep.deadlock_sessions.detected_at IS 'when it was found';
COMMENT ON COLUMN lockstep.deadlock_sessions.db IS 'database of the session that found it';
COMMENT ON COLUMN lockstep.deadlock_sessions.found_by IS 'timeout: the victim had waited for deadlock_timeout; immediate: it had not begun to wait; reorder: none, the server put a queue into another order, and its log said so (log_lock_waits)';
COMMENT ON COLUMN lockstep.deadlock_sessions.outcome IS 'of the victim''s error: aborted (it ended the transaction), trapped (a block with EXCEPTION went on), savepoint (the client went back to one), retried (CALL lockstep.retry); avoided where there was none; null: not known, or not yet';
COMMENT ON COLUMN lockstep.deadlock_sessions.deadlock_timeout IS 'the setting of the session that found it';
COMMENT ON COLUMN lockstep.deadlock_sessions.left_off IS 'sessions that found no room in the record, at least';
COMMENT ON COLUMN lockstep.deadlock_sessions.context IS 'CONTEXT of the victim''s error, the innermost line first, as far as it was known';
COMMENT ON COLUMN lockstep.deadlock_sessions.signature IS 'the same for all deadlocks of the same statements, without their values, at the same tables; null where a statement of the cycle is hidden';
COMMENT ON COLUMN lockstep.deadlock_sessions.advice IS 'what would have avoided it';
COMMENT ON COLUMN lockstep.deadlock_sessions.part IS 'victim, member (of the cycle) or bystander (who waited behind them)';
COMMENT ON COLUMN lockstep.deadlock_sessions.place IS 'in the record, from 1: the cycle in its order, then the bystanders';
COMMENT ON COLUMN lockstep.deadlock_sessions.pid IS 'process';
COMMENT ON COLUMN lockstep.deadlock_sessions.leader_pid IS 'leader of its parallel query; else itself';
COMMENT ON COLUMN lockstep.deadlock_sessions.blocker_pid IS 'for whom it waited';
COMMENT ON COLUMN lockstep.deadlock_sessions.vxid IS 'its virtual transaction id';
COMMENT ON COLUMN lockstep.deadlock_sessions.xid IS 'its transaction id';
COMMENT ON COLUMN lockstep.deadlock_sessions.user_name IS 'its role';
COMMENT ON COLUMN lockstep.deadlock_sessions.app IS 'its application_name';
COMMENT ON COLUMN lockstep.deadlock_sessions.query IS 'its statement, the first 511 bytes';
COMMENT ON COLUMN lockstep.deadlock_sessions.query_id IS 'the statement''s id, where compute_query_id has made one';
COMMENT ON COLUMN lockstep.deadlock_sessions.xact_start IS 'when its transaction began';
COMMENT ON COLUMN lockstep.deadlock_sessions.wait_start IS 'since when it had waited';
COMMENT ON COLUMN lockstep.deadlock_sessions.waited IS 'how long';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_type IS 'what it waited for, as pg_locks.locktype';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_mode IS 'the mode that it wanted';
COMMENT ON COLUMN lockstep.deadlock_sessions.blocker_mode IS 'the mode, or modes, in which its blocker had that lock; null: none, it stood before it in the queue';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_rel_oid IS 'relation of the row or of the lock';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_rel IS 'its name, where it belongs to this database';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_ctid IS 'place of the row then';
COMMENT ON COLUMN lockstep.deadlock_sessions.row_key IS 'key of that row, looked up now';
COMMENT ON COLUMN lockstep.deadlock_sessions.row_status IS 'why there is a key, or none, as in lock_graph';
COMMENT ON COLUMN lockstep.deadlock_sessions.lock_text IS 'what it waited for, in words';
COMMENT ON COLUMN lockstep.deadlock_sessions.deadlock_timeout_seconds IS 'deadlock_timeout in seconds';
COMMENT ON COLUMN lockstep.deadlock_sessions.waited_seconds IS 'waited in seconds';

CREATE VIEW lockstep.deadlock_history AS
SELECT s.id, s.detected_at, s.db, s.found_by, s.outcome, s.pid AS victim_pid, s.vxid AS victim_vxid,
       s.user_name AS victim_user, s.app AS victim_app, s.query AS victim_query, s.lock_text AS victim_wanted,
       s.waited AS victim_waited, o.members, o.bystanders, o.relations, o.edges, s.signature, s.advice, s.context,
       s.deadlock_timeout, s.left_off, pg_catalog.date_part('epoch', s.waited) AS victim_waited_seconds,
       pg_catalog.date_part('epoch', s.deadlock_timeout) AS deadlock_timeout_seconds
  FROM lockstep.get_deadlock_sessions() AS s
  JOIN (SELECT g.id, count(*) FILTER (WHERE g.part OPERATOR(pg_catalog.<>) 'bystander') AS members,
               count(*) FILTER (WHERE g.part OPERATOR(pg_catalog.=) 'bystander') AS bystanders,
               array_agg(DISTINCT g.lock_rel ORDER BY g.lock_rel)
                   FILTER (WHERE g.lock_rel IS NOT NULL AND g.part OPERATOR(pg_catalog.<>) 'bystander') AS relations,
               jsonb_agg(jsonb_build_object(
                   'part', g.part, 'waiter', g.pid, 'leader', g.leader_pid, 'blocker', g.blocker_pid,
                   'user', g.user_name, 'app', g.app, 'query', g.query, 'query_id', g.query_id, 'mode', g.lock_mode, 'held', g.blocker_mode,
                   'lock', g.lock_type, 'rel', g.lock_rel, 'ctid', g.lock_ctid::text, 'key', g.row_key,
                   'wanted', g.lock_text, 'wait_start', g.wait_start) ORDER BY g.place) AS edges
          FROM lockstep.get_deadlock_sessions() AS g
         GROUP BY g.id) AS o ON o.id OPERATOR(pg_catalog.=) s.id
 WHERE s.place OPERATOR(pg_catalog.=) 1
 ORDER BY s.id;
COMMENT ON VIEW lockstep.deadlock_history IS 'the last deadlocks of all databases, oldest first, as many as lockstep.deadlock_history_size says; trapped ones too; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.deadlock_history.id IS 'for deadlock_text and deadlock_dot';
COMMENT ON COLUMN lockstep.deadlock_history.detected_at IS 'when it was found';
COMMENT ON COLUMN lockstep.deadlock_history.db IS 'database of the session that found it';
COMMENT ON COLUMN lockstep.deadlock_history.found_by IS 'timeout, immediate or reorder, as in deadlock_sessions';
COMMENT ON COLUMN lockstep.deadlock_history.outcome IS 'aborted, trapped, savepoint, retried or avoided, as in deadlock_sessions; null: not known, or not yet';
COMMENT ON COLUMN lockstep.deadlock_history.victim_pid IS 'the session that got the error; of a reorder the one that found it';
COMMENT ON COLUMN lockstep.deadlock_history.victim_vxid IS 'its virtual transaction id';
COMMENT ON COLUMN lockstep.deadlock_history.victim_user IS 'its role';
COMMENT ON COLUMN lockstep.deadlock_history.victim_app IS 'its application_name';
COMMENT ON COLUMN lockstep.deadlock_history.victim_query IS 'its statement';
COMMENT ON COLUMN lockstep.deadlock_history.victim_wanted IS 'what it waited for, in words';
COMMENT ON COLUMN lockstep.deadlock_history.victim_waited IS 'how long it had waited; null: it had not begun';
COMMENT ON COLUMN lockstep.deadlock_history.members IS 'sessions in the cycle';
COMMENT ON COLUMN lockstep.deadlock_history.bystanders IS 'sessions that waited behind them';
COMMENT ON COLUMN lockstep.deadlock_history.relations IS 'the tables of the cycle';
COMMENT ON COLUMN lockstep.deadlock_history.edges IS 'all sessions, an object each, in the order of deadlock_sessions';
COMMENT ON COLUMN lockstep.deadlock_history.signature IS 'the same for all deadlocks of one kind, as in deadlock_sessions';
COMMENT ON COLUMN lockstep.deadlock_history.advice IS 'what would have avoided it';
COMMENT ON COLUMN lockstep.deadlock_history.context IS 'CONTEXT of the victim''s error';
COMMENT ON COLUMN lockstep.deadlock_history.deadlock_timeout IS 'the victim''s setting';
COMMENT ON COLUMN lockstep.deadlock_history.left_off IS 'sessions that found no room in the record, at least';
COMMENT ON COLUMN lockstep.deadlock_history.victim_waited_seconds IS 'victim_waited in seconds';
COMMENT ON COLUMN lockstep.deadlock_history.deadlock_timeout_seconds IS 'deadlock_timeout in seconds';

CREATE VIEW lockstep.deadlock_signature AS
SELECT s.signature, count(DISTINCT s.id) AS count, min(s.detected_at) AS first_seen, max(s.detected_at) AS last_seen,
       max(s.id) AS last_id, array_agg(DISTINCT s.db) AS dbs,
       array_agg(DISTINCT s.lock_rel) FILTER (WHERE s.lock_rel IS NOT NULL) AS relations,
       array_agg(DISTINCT s.query) FILTER (WHERE s.id OPERATOR(pg_catalog.=) l.last_id) AS statements,
       min(s.advice) FILTER (WHERE s.id OPERATOR(pg_catalog.=) l.last_id) AS advice
  FROM lockstep.get_deadlock_sessions() AS s
  JOIN (SELECT g.signature, max(g.id) AS last_id FROM lockstep.get_deadlock_sessions() AS g GROUP BY g.signature) AS l
    ON l.signature OPERATOR(pg_catalog.=) s.signature
 WHERE s.part OPERATOR(pg_catalog.<>) 'bystander'
 GROUP BY s.signature
 ORDER BY count(DISTINCT s.id) DESC, max(s.id) DESC;
COMMENT ON VIEW lockstep.deadlock_signature IS 'the deadlocks of deadlock_history by kind, the most frequent first: the same statements, without their values, at the same tables';
COMMENT ON COLUMN lockstep.deadlock_signature.signature IS 'names the kind';
COMMENT ON COLUMN lockstep.deadlock_signature.count IS 'how many of it are in the history';
COMMENT ON COLUMN lockstep.deadlock_signature.first_seen IS 'when the first of these was found';
COMMENT ON COLUMN lockstep.deadlock_signature.last_seen IS 'when the last one was';
COMMENT ON COLUMN lockstep.deadlock_signature.last_id IS 'the last one, for deadlock_text';
COMMENT ON COLUMN lockstep.deadlock_signature.dbs IS 'the databases';
COMMENT ON COLUMN lockstep.deadlock_signature.relations IS 'the tables of the cycle';
COMMENT ON COLUMN lockstep.deadlock_signature.statements IS 'the statements that cross, as the last one had them';
COMMENT ON COLUMN lockstep.deadlock_signature.advice IS 'what would avoid it';

CREATE FUNCTION lockstep.get_deadlock_coverage()
RETURNS TABLE (
    db_oid   oid,
    db       name,
    since    timestamptz,
    recorded bigint,
    lost     bigint,
    counted  bigint,
    missed   bigint)
AS 'MODULE_PATHNAME', 'lockstep_get_deadlock_coverage'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 10;
COMMENT ON FUNCTION lockstep.get_deadlock_coverage() IS 'how many deadlocks were recorded; the rows of the view deadlock_coverage';

CREATE VIEW lockstep.deadlock_coverage AS
SELECT g.db, g.since, g.recorded, g.lost, g.counted, g.missed
  FROM lockstep.get_deadlock_coverage() AS g
 ORDER BY g.db, g.db_oid;
COMMENT ON VIEW lockstep.deadlock_coverage IS 'deadlocks recorded, against what pg_stat_database has counted, by database, since the server started or deadlock_reset; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.deadlock_coverage.db IS 'database; null: those that found no room, together, or one that is gone';
COMMENT ON COLUMN lockstep.deadlock_coverage.since IS 'since when: the first statement there after the start of the server or deadlock_reset';
COMMENT ON COLUMN lockstep.deadlock_coverage.recorded IS 'deadlocks recorded; the history keeps the last ones of all databases';
COMMENT ON COLUMN lockstep.deadlock_coverage.lost IS 'deadlocks seen, and not recorded: another session was writing into the same place of the ring';
COMMENT ON COLUMN lockstep.deadlock_coverage.counted IS 'deadlocks that pg_stat_database has counted; null where its counters were reset since; it counts none with track_counts off';
COMMENT ON COLUMN lockstep.deadlock_coverage.missed IS 'counted and not recorded; what is lost is among them';

CREATE FUNCTION lockstep.deadlock_text(id bigint)
RETURNS TABLE ("DEADLOCK" text)
AS 'MODULE_PATHNAME', 'lockstep_deadlock_text'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION lockstep.deadlock_text(bigint) IS 'a deadlock of deadlock_history as a page, a row a line: who waited for what, what they ran, what would have avoided it; 22023 where it is not there';

CREATE FUNCTION lockstep.deadlock_dot(id bigint)
RETURNS TABLE ("DEADLOCK" text)
AS 'MODULE_PATHNAME', 'lockstep_deadlock_dot'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION lockstep.deadlock_dot(bigint) IS 'the same for Graphviz, a row a line';

CREATE FUNCTION lockstep.deadlock_reset()
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_deadlock_reset'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.deadlock_reset() IS 'forgets all deadlocks, of all databases, and lets deadlock_coverage begin at nothing';
REVOKE ALL ON FUNCTION lockstep.deadlock_reset() FROM PUBLIC;


-- Work of any kind, once for each request id. Results are their requesters' own: nobody reads the table but
-- the owner of the database, who has to dump it.

-- As regrole, but for the name of a role that is not there: a dump can be restored without it.
CREATE TYPE lockstep.role_name;
CREATE FUNCTION lockstep.role_name_in(cstring)
RETURNS lockstep.role_name
AS 'MODULE_PATHNAME', 'lockstep_role_name_in'
LANGUAGE C STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.role_name_in(cstring) IS 'input of the type role_name: 0 where there is no such role';
CREATE FUNCTION lockstep.role_name_out(lockstep.role_name)
RETURNS cstring
AS 'regroleout'
LANGUAGE internal STABLE STRICT PARALLEL SAFE;
COMMENT ON FUNCTION lockstep.role_name_out(lockstep.role_name) IS 'output of the type role_name';
CREATE TYPE lockstep.role_name (
    INPUT = lockstep.role_name_in, OUTPUT = lockstep.role_name_out, LIKE = pg_catalog.oid);
COMMENT ON TYPE lockstep.role_name IS 'a role that a dump tells by its name, or none where there is no such role';
CREATE CAST (lockstep.role_name AS oid) WITHOUT FUNCTION AS IMPLICIT;
CREATE CAST (oid AS lockstep.role_name) WITHOUT FUNCTION AS ASSIGNMENT;

CREATE TABLE lockstep.once_request (
    request_id  uuid NOT NULL,
    requester   lockstep.role_name NOT NULL,
    fingerprint text,
    finished_at timestamptz,
    result      jsonb
);
-- Rows of roles that a restore has not found are nobody's, and may be of one id.
CREATE UNIQUE INDEX once_request_by_id ON lockstep.once_request (request_id, requester)
 WHERE requester OPERATOR(pg_catalog.<>) 0::oid;
-- It has no key, and may be published with all tables.
ALTER TABLE lockstep.once_request REPLICA IDENTITY FULL;
COMMENT ON TABLE lockstep.once_request IS 'requests of once_begin and CALL once, and their results; read the view lockstep.once_requests';
COMMENT ON COLUMN lockstep.once_request.request_id IS 'the caller''s id';
COMMENT ON COLUMN lockstep.once_request.requester IS 'the role that has begun it, whose id it is; 0: a restore has not found it';
COMMENT ON COLUMN lockstep.once_request.fingerprint IS 'what the work is, by the caller''s own reckoning, or null';
COMMENT ON COLUMN lockstep.once_request.finished_at IS 'clock time of once_finish; null only within the transaction that does the work';
COMMENT ON COLUMN lockstep.once_request.result IS 'what once_finish stored; null only within the transaction that does the work';
SELECT pg_catalog.pg_extension_config_dump('lockstep.once_request',
    'WHERE EXISTS (SELECT FROM pg_catalog.pg_roles AS r WHERE r.oid OPERATOR(pg_catalog.=) requester)');

CREATE VIEW lockstep.once_requests WITH (security_barrier) AS
SELECT r.request_id, r.requester::oid::regrole AS requester, r.fingerprint, r.finished_at, r.result
  FROM lockstep.once_request AS r
 WHERE pg_catalog.pg_has_role(r.requester::oid, 'USAGE') OR pg_catalog.pg_has_role('pg_read_all_data', 'USAGE');
COMMENT ON VIEW lockstep.once_requests IS 'requests of once_begin and CALL once: the caller''s own, and those of roles whose rights it has; all of them for pg_read_all_data';
COMMENT ON COLUMN lockstep.once_requests.request_id IS 'the id';
COMMENT ON COLUMN lockstep.once_requests.requester IS 'the role that has begun it';
COMMENT ON COLUMN lockstep.once_requests.fingerprint IS 'the fingerprint that came with it, or null';
COMMENT ON COLUMN lockstep.once_requests.finished_at IS 'clock time of once_finish';
COMMENT ON COLUMN lockstep.once_requests.result IS 'what is answered to whoever asks again';

CREATE FUNCTION lockstep.once_begin(
    request_id  uuid,
    fingerprint text DEFAULT NULL)
RETURNS jsonb
AS 'MODULE_PATHNAME', 'lockstep_once_begin'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION lockstep.once_begin(uuid, text) IS
    'begins work under a request id of the current role: null: do it now, then once_finish; else the result of the first time';

CREATE FUNCTION lockstep.once_finish(
    request_id uuid,
    result     jsonb DEFAULT '{}')
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_once_finish'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 1000;
COMMENT ON FUNCTION lockstep.once_finish(uuid, jsonb) IS
    'stores the result of what once_begin has begun in this transaction';

CREATE FUNCTION lockstep.once_prune(older_than interval)
RETURNS bigint
AS 'MODULE_PATHNAME', 'lockstep_once_prune'
LANGUAGE C VOLATILE CALLED ON NULL INPUT PARALLEL UNSAFE COST 10000;
COMMENT ON FUNCTION lockstep.once_prune(interval) IS
    'forgets the requests that were finished longer ago, of all roles, so that their ids are new again; returns how many';
REVOKE ALL ON FUNCTION lockstep.once_prune(interval) FROM PUBLIC;

CREATE PROCEDURE lockstep.once(
    request_id       uuid,
    statement        text,
    isolation        text     DEFAULT 'serializable',
    max_attempts     integer  DEFAULT 10,
    deadline         interval DEFAULT '30 seconds',
    params           anycompatiblearray DEFAULT NULL::text[], -- what has no type yet is text
    INOUT attempts   integer  DEFAULT NULL,
    INOUT last_error text     DEFAULT NULL,
    INOUT replayed   boolean  DEFAULT NULL,
    INOUT result     jsonb    DEFAULT NULL)
AS 'MODULE_PATHNAME', 'lockstep_once'
LANGUAGE C;
COMMENT ON PROCEDURE lockstep.once(uuid, text, text, integer, interval, anycompatiblearray, integer, text, boolean, jsonb) IS
    'runs statements as one transaction, once for each request id of the current role, with the retries of lockstep.retry; whoever asks again gets the rows of the first time';


-- What movements came to

CREATE FUNCTION lockstep.get_ledger_stats()
RETURNS TABLE (
    ledger   regclass,
    applied  bigint,
    replayed bigint,
    refused  bigint,
    batches  bigint,
    items    bigint,
    since    timestamptz)
AS 'MODULE_PATHNAME', 'lockstep_get_ledger_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION lockstep.get_ledger_stats() IS 'movements by ledger; what the view ledger_stats is made of';

CREATE VIEW lockstep.ledger_stats AS
SELECT s.ledger, s.applied, s.replayed, s.refused, s.batches, s.items, s.since
  FROM lockstep.get_ledger_stats() AS s
 WHERE s.ledger IS NULL
    OR EXISTS (SELECT FROM lockstep.registration AS r JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) r.ledger
                WHERE r.ledger OPERATOR(pg_catalog.=) s.ledger AND r.active)
 ORDER BY s.ledger::text COLLATE "C";
COMMENT ON VIEW lockstep.ledger_stats IS 'movements of the ledgers of this database, by transactions that have committed, since the server started or reset_ledger_stats; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.ledger_stats.ledger IS 'the ledger; null: those of all databases that found no room, beyond lockstep.counted_ledgers, together';
COMMENT ON COLUMN lockstep.ledger_stats.applied IS 'movements that were done: transfers, adjustments, items of batches';
COMMENT ON COLUMN lockstep.ledger_stats.replayed IS 'answers from the journal, for an id that was done before';
COMMENT ON COLUMN lockstep.ledger_stats.refused IS 'answers that are a refusal, kept now or before; one that was raised is counted in retry_stats, by its state';
COMMENT ON COLUMN lockstep.ledger_stats.batches IS 'calls of transfer_batch and adjust_batch';
COMMENT ON COLUMN lockstep.ledger_stats.items IS 'items of these';
COMMENT ON COLUMN lockstep.ledger_stats.since IS 'when the first of them was counted';

CREATE FUNCTION lockstep.get_submit_stats()
RETURNS TABLE (
    ledger           regclass,
    calls            bigint,
    grouped          bigint,
    groups           bigint,
    groups_2         bigint,
    groups_4         bigint,
    groups_8         bigint,
    groups_16        bigint,
    groups_32        bigint,
    groups_64        bigint,
    alone_busy       bigint,
    alone_fault      bigint,
    alone_lost       bigint,
    alone_queue_full bigint,
    alone_too_large  bigint,
    alone_unserved   bigint)
AS 'MODULE_PATHNAME', 'lockstep_get_submit_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED ROWS 20;
COMMENT ON FUNCTION lockstep.get_submit_stats() IS 'what became of calls of submit, by ledger; what the view submit_stats is made of';

CREATE VIEW lockstep.submit_stats AS
SELECT s.ledger, s.calls, s.grouped, s.groups, s.groups_2, s.groups_4, s.groups_8, s.groups_16, s.groups_32, s.groups_64, s.alone_busy, s.alone_fault, s.alone_lost, s.alone_queue_full, s.alone_too_large, s.alone_unserved
  FROM lockstep.get_submit_stats() AS s
 WHERE s.ledger IS NULL
    OR EXISTS (SELECT FROM lockstep.registration AS r JOIN pg_catalog.pg_class AS c ON c.oid OPERATOR(pg_catalog.=) r.ledger
                WHERE r.ledger OPERATOR(pg_catalog.=) s.ledger AND r.active)
 ORDER BY s.ledger::text COLLATE "C";
COMMENT ON VIEW lockstep.submit_stats IS 'calls of submit to the ledgers of this database, since the server started or reset_ledger_stats; needs shared_preload_libraries';
COMMENT ON COLUMN lockstep.submit_stats.ledger IS 'the ledger; null: those of all databases that found no room, beyond lockstep.counted_ledgers, together';
COMMENT ON COLUMN lockstep.submit_stats.calls IS 'calls that were answered';
COMMENT ON COLUMN lockstep.submit_stats.grouped IS 'those that were carried out together with others';
COMMENT ON COLUMN lockstep.submit_stats.groups IS 'transactions that carried out more than one';
COMMENT ON COLUMN lockstep.submit_stats.groups_2 IS 'groups of 2 or 3 calls';
COMMENT ON COLUMN lockstep.submit_stats.groups_4 IS 'groups of 4 to 7';
COMMENT ON COLUMN lockstep.submit_stats.groups_8 IS 'groups of 8 to 15';
COMMENT ON COLUMN lockstep.submit_stats.groups_16 IS 'groups of 16 to 31';
COMMENT ON COLUMN lockstep.submit_stats.groups_32 IS 'groups of 32 to 63';
COMMENT ON COLUMN lockstep.submit_stats.groups_64 IS 'groups of 64 and more';
COMMENT ON COLUMN lockstep.submit_stats.alone_busy IS 'calls that were done by their own session because somebody who did not submit had the row, or was booking the id';
COMMENT ON COLUMN lockstep.submit_stats.alone_fault IS '... because their group came to nothing, by a CHECK or the like';
COMMENT ON COLUMN lockstep.submit_stats.alone_lost IS '... because their leader was cancelled or killed';
COMMENT ON COLUMN lockstep.submit_stats.alone_queue_full IS '... because lockstep.submit_queue_size others were under way';
COMMENT ON COLUMN lockstep.submit_stats.alone_too_large IS '... because the key, the memo or the amount was too long, or one that a single call has to look at';
COMMENT ON COLUMN lockstep.submit_stats.alone_unserved IS '... because the ledger has no groups, or the session has locks of its own';

CREATE FUNCTION lockstep.reset_ledger_stats()
RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_reset_ledger_stats'
LANGUAGE C VOLATILE PARALLEL RESTRICTED;
COMMENT ON FUNCTION lockstep.reset_ledger_stats() IS 'lets ledger_stats and submit_stats begin at nothing, for all databases';
REVOKE ALL ON FUNCTION lockstep.reset_ledger_stats() FROM PUBLIC;

-- Default privileges may have given others rights on what was made here. Everybody may look, but at results of
-- others; pg_dump has to look at everything, and the owner of a database may dump it.
DO $$
DECLARE
    relation regclass;
    grantee text;
BEGIN
    FOREACH relation IN ARRAY 
        '{lockstep.registration, lockstep.ledgers, lockstep.lock_graph, lockstep.lock_graph_all, lockstep.lock_tree,
          lockstep.root_blocker, lockstep.lock_conflict, lockstep.lock_wait_history, lockstep.lock_risk, lockstep.lock_siread,
          lockstep.transaction_age,
          lockstep.wraparound_status, lockstep.transaction_age_history, lockstep.deadlock_sessions, lockstep.deadlock_history,
          lockstep.deadlock_signature, lockstep.deadlock_coverage, lockstep.retry_rules, lockstep.retry_stats,
          lockstep.retry_attempts, lockstep.retry_health, lockstep.ledger_stats, lockstep.submit_stats, lockstep.once_request,
          lockstep.once_requests, lockstep.chunk_runs, lockstep.progress_apply_in_chunks}'::pg_catalog.regclass[] LOOP
        FOR grantee IN SELECT DISTINCT CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_catalog.quote_ident(pg_catalog.pg_get_userbyid(g.grantee)) END
                         FROM pg_catalog.pg_class AS c, LATERAL pg_catalog.aclexplode(c.relacl) AS g
                        WHERE c.oid OPERATOR(pg_catalog.=) relation AND g.grantee OPERATOR(pg_catalog.<>) c.relowner LOOP
            EXECUTE pg_catalog.format('REVOKE ALL ON %s FROM %s', relation, grantee);
        END LOOP;
        EXECUTE pg_catalog.format('GRANT SELECT ON %s TO %s', relation,
                                  CASE WHEN relation OPERATOR(pg_catalog.=) 'lockstep.once_request'::pg_catalog.regclass
                                       THEN 'pg_database_owner' ELSE 'PUBLIC' END);
    END LOOP;
END $$;
