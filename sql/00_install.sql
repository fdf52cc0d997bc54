-- What CREATE EXTENSION brings, and the house rules for it.
CREATE EXTENSION lockstep;

-- Functions: volatility, parallel safety, strictness, rights.
SELECT p.oid::regprocedure AS function, p.provolatile AS vol, p.proparallel AS par, p.proisstrict AS strict,
       replace(coalesce(array_to_string(p.proacl, ' '), 'default'), current_user, 'owner') AS rights
  FROM pg_proc AS p WHERE p.pronamespace = 'lockstep'::regnamespace ORDER BY p.oid::regprocedure::text COLLATE "C";

-- Everything has a comment: functions, types, tables, views, and each of their columns.
SELECT 'function' AS kind, p.oid::regprocedure::text AS without_comment FROM pg_proc AS p
 WHERE p.pronamespace = 'lockstep'::regnamespace AND obj_description(p.oid, 'pg_proc') IS NULL
UNION ALL
SELECT 'relation', c.oid::regclass::text FROM pg_class AS c
 WHERE c.relnamespace = 'lockstep'::regnamespace AND c.relkind IN ('r', 'v')
   AND obj_description(c.oid, 'pg_class') IS NULL
UNION ALL
SELECT 'column', a.attrelid::regclass || '.' || a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
 WHERE c.relnamespace = 'lockstep'::regnamespace AND c.relkind IN ('r', 'v', 'c') AND a.attnum > 0 AND NOT a.attisdropped
   AND col_description(a.attrelid, a.attnum) IS NULL
ORDER BY 1, 2;

-- Every C function of the extension has the entry point of its own name.
SELECT p.oid::regprocedure AS wrong_name FROM pg_proc AS p
 WHERE p.pronamespace = 'lockstep'::regnamespace AND p.prosrc <> 'lockstep_' || p.proname
   AND p.prolang = (SELECT l.oid FROM pg_language AS l WHERE l.lanname = 'c');

-- Nobody but its owner may write what is registered; everybody may read it through the view.
SELECT has_table_privilege('public', 'lockstep.registration', 'SELECT') AS table_select,
       has_table_privilege('public', 'lockstep.ledgers', 'SELECT') AS view_select,
       has_table_privilege('public', 'lockstep.ledgers', 'INSERT') AS view_insert;

-- Dropped and made again, nothing but the schema is left over (as with any extension that names one).
DROP EXTENSION lockstep;
SELECT count(*) FROM pg_class WHERE relnamespace = 'lockstep'::regnamespace;
CREATE EXTENSION lockstep;
SELECT * FROM lockstep.ledgers;
DROP EXTENSION lockstep;
DROP SCHEMA lockstep;

-- A schema that belongs to somebody else is refused: its owner could put functions beside ours.
CREATE ROLE regress_lockstep_squatter;
CREATE SCHEMA lockstep AUTHORIZATION regress_lockstep_squatter;
\set SHOW_CONTEXT never
CREATE EXTENSION lockstep;
DROP SCHEMA lockstep;
DROP ROLE regress_lockstep_squatter;
