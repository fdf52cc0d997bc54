\echo Use "CREATE EXTENSION lockstep_wall" to load this file. \quit

CREATE FUNCTION wall_throw(kind text) RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_wall_throw' LANGUAGE C STRICT;
CREATE FUNCTION wall_sql(statement text) RETURNS text
AS 'MODULE_PATHNAME', 'lockstep_wall_sql' LANGUAGE C STRICT;
CREATE FUNCTION wall_error_place(statement text) RETURNS text
AS 'MODULE_PATHNAME', 'lockstep_wall_error_place' LANGUAGE C STRICT;
CREATE FUNCTION wall_loop(cancel boolean) RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_wall_loop' LANGUAGE C STRICT;
CREATE FUNCTION wall_recurse() RETURNS int
AS 'MODULE_PATHNAME', 'lockstep_wall_recurse' LANGUAGE C STRICT;
CREATE FUNCTION wall_live_objects() RETURNS int
AS 'MODULE_PATHNAME', 'lockstep_wall_live_objects' LANGUAGE C STRICT;
CREATE FUNCTION wall_current_exception() RETURNS boolean
AS 'MODULE_PATHNAME', 'lockstep_wall_current_exception' LANGUAGE C STRICT;
CREATE FUNCTION wall_heap_bytes() RETURNS bigint
AS 'MODULE_PATHNAME', 'lockstep_wall_heap_bytes' LANGUAGE C STRICT;

CREATE FUNCTION money_plus(a numeric, b numeric) RETURNS numeric
AS 'MODULE_PATHNAME', 'lockstep_wall_money_plus' LANGUAGE C STRICT;
CREATE FUNCTION money_compare(a numeric, b numeric) RETURNS int
AS 'MODULE_PATHNAME', 'lockstep_wall_money_compare' LANGUAGE C STRICT;
CREATE FUNCTION money_fits(a numeric, "precision" int, scale int) RETURNS boolean
AS 'MODULE_PATHNAME', 'lockstep_wall_money_fits' LANGUAGE C STRICT;
CREATE FUNCTION money_least_scale(a numeric) RETURNS int
AS 'MODULE_PATHNAME', 'lockstep_wall_money_least_scale' LANGUAGE C STRICT;

CREATE FUNCTION wall_watch(watch boolean) RETURNS void
AS 'MODULE_PATHNAME', 'lockstep_wall_watch' LANGUAGE C STRICT;
CREATE FUNCTION wall_seen() RETURNS text
AS 'MODULE_PATHNAME', 'lockstep_wall_seen' LANGUAGE C STRICT;
CREATE FUNCTION wall_count_parts() RETURNS int
AS 'MODULE_PATHNAME', 'lockstep_wall_count_parts' LANGUAGE C STRICT;
