-- The sampler of 004_lock_oracle.pl: compares lockstep.lock_graph_all with pg_blocking_pids(), over and over.
CREATE SCHEMA oracle;

-- What is being played, and whether to go on. Autovacuum would only add waits of its own.
CREATE UNLOGGED TABLE oracle.now (situation text, stop boolean) WITH (autovacuum_enabled = off);
INSERT INTO oracle.now VALUES ('start', false);

CREATE UNLOGGED TABLE oracle.total (valid bigint, unstable bigint) WITH (autovacuum_enabled = off);

-- One row a valid sample that has edges.
CREATE UNLOGGED TABLE oracle.sample (
    situation           text,
    waiters         integer,
    edges           integer,
    soft            integer,
    parallel_waits  integer, -- edges whose waiter is a worker
    parallel_blocks integer, -- edges whose blocker is a worker
    prepared        integer,
    autovacuum      integer,
    left_out        integer, -- edges that the reduced graph has not
    in_cycle        integer, -- sessions
    lock_types      text[]
) WITH (autovacuum_enabled = off);

CREATE UNLOGGED TABLE oracle.difference (
    situation        text,
    what         text,
    at           timestamptz DEFAULT clock_timestamp(),
    core         text[],
    ours         text[],
    graph      jsonb,
    -- Taken just after: whether the difference lasts, and who they are.
    core_next    text[],
    graph_next jsonb,
    locks        jsonb,
    activity     jsonb
) WITH (autovacuum_enabled = off);

-- Who waits for whom by the server's own function. It answers for a whole lock group, and names leaders; a prepared transaction is 0.
-- A session that is just starting may wait for a catalog and is not in pg_stat_activity yet.
CREATE FUNCTION oracle.core() RETURNS text[] LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(array_agg(edge ORDER BY edge), '{}')
      FROM (SELECT DISTINCT format('%s>%s', coalesce(s.leader_pid, w.pid), b.pid) AS edge
              FROM (SELECT pid FROM pg_stat_get_activity(NULL) UNION SELECT pid FROM pg_locks WHERE NOT granted) AS w (pid)
              LEFT JOIN pg_stat_get_activity(NULL) AS s ON s.pid = w.pid, unnest(pg_blocking_pids(w.pid)) AS b (pid)) AS e
$$;

-- The same as lockstep says it. Members of one group conflict over extending a relation alone, and pg_blocking_pids() does not say so.
-- Any other edge inside a group would be wrong, and has to show.
CREATE FUNCTION oracle.graph() RETURNS lockstep.lock_graph_all[] LANGUAGE sql VOLATILE AS $$
    SELECT coalesce(array_agg(g), '{}')
      FROM lockstep.lock_graph_all AS g WHERE g.edge_kind IN ('hard', 'soft') AND NOT (g.same_group AND g.lock_type = 'extend')
$$;

CREATE FUNCTION oracle.edges(graph lockstep.lock_graph_all[]) RETURNS text[] LANGUAGE sql AS $$
    SELECT coalesce(array_agg(DISTINCT edge ORDER BY edge), '{}')
      FROM (SELECT format('%s>%s', waiter_leader_pid, coalesce(blocker_leader_pid, 0)) AS edge FROM unnest(graph)) AS e
$$;

CREATE FUNCTION oracle.evidence(graph lockstep.lock_graph_all[]) RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_agg(to_jsonb(p)) FROM unnest(graph) AS p
$$;

-- A situation is held for as long as is said, and until the sampler has looked at it three times more.
CREATE UNLOGGED SEQUENCE oracle.looks;
CREATE FUNCTION oracle.hold(seconds double precision) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    enough bigint := (SELECT last_value FROM oracle.looks) + 4; -- one has begun already
BEGIN
    PERFORM pg_sleep(seconds);
    -- Two minutes; then there is no sampler.
    FOR i IN 1 .. 24000 LOOP
        EXIT WHEN (SELECT last_value >= enough FROM oracle.looks);
        PERFORM pg_sleep(0.005);
    END LOOP;
END $$;

CREATE PROCEDURE oracle.watch() LANGUAGE plpgsql AS $$
DECLARE
    valid bigint := 0;
    unstable bigint := 0;
    situation text;
    stop boolean;
    core_before text[];
    core_after text[];
    ours text[];
    graph lockstep.lock_graph_all[];
    shape text;
    known_shape text := '';
    unreached text[];
    seen oracle.sample;
BEGIN
    LOOP
        SELECT n.situation, n.stop INTO situation, stop FROM oracle.now AS n;
        EXIT WHEN stop;
        -- Without this, pg_stat_activity stands still until the transaction ends.
        PERFORM pg_stat_clear_snapshot();
        core_before := oracle.core();
        graph := oracle.graph();
        PERFORM pg_stat_clear_snapshot();
        core_after := oracle.core();
        IF core_before <> core_after THEN
            unstable := unstable + 1;
        ELSE
            valid := valid + 1;
            ours := oracle.edges(graph);
            -- A wait may have begun and ended in between, or paused: the server's function, which looks at one session after the other,
            -- says the same before and after. What is wrong with a state is wrong for as long as it lasts: look at it again.
            IF ours <> core_before THEN
                PERFORM pg_stat_clear_snapshot();
                IF oracle.edges(oracle.graph()) <> ours OR oracle.core() <> core_before THEN
                    valid := valid - 1;
                    unstable := unstable + 1;
                    CONTINUE;
                END IF;
            END IF;
            IF ours <> core_before THEN
                PERFORM pg_stat_clear_snapshot();
                INSERT INTO oracle.difference (situation, what, core, ours, graph, core_next, graph_next, locks, activity)
                SELECT situation, 'edges', core_before, ours, oracle.evidence(graph), oracle.core(),
                       (SELECT jsonb_agg(to_jsonb(g)) FROM lockstep.lock_graph_all AS g),
                       (SELECT jsonb_agg(to_jsonb(l)) FROM pg_locks AS l),
                       (SELECT jsonb_agg(to_jsonb(a)) FROM pg_stat_activity AS a);
            END IF;
            IF cardinality(graph) > 0 THEN
                -- A situation is held, so most samples are like the one before.
                SELECT string_agg(format('%s %s %s %s %s %s %s', waiter_pid, blocker_pid, blocker_xid, edge_kind, is_nearest, blocker_kind, lock_type), ','
                                  ORDER BY waiter_pid, blocker_pid, blocker_xid::text)
                  INTO shape FROM unnest(graph);
                IF shape <> known_shape THEN
                    -- By leader; prepared transactions, which have no pid, by their xid.
                    WITH RECURSIVE edge AS (
                        SELECT DISTINCT waiter_leader_pid::bigint AS a, coalesce(blocker_leader_pid, -(blocker_xid::text::bigint)) AS b, is_nearest
                          FROM unnest(graph)
                    ), whole (a, b) AS (
                        SELECT a, b FROM edge UNION SELECT w.a, e.b FROM whole AS w JOIN edge AS e ON e.a = w.b
                    ), reduced (a, b) AS (
                        SELECT a, b FROM edge WHERE is_nearest
                        UNION SELECT r.a, e.b FROM reduced AS r JOIN edge AS e ON e.a = r.b AND e.is_nearest
                    )
                    SELECT (SELECT array_agg(format('%s>%s', a, b)) FROM (SELECT * FROM whole EXCEPT SELECT * FROM reduced) AS m),
                           (SELECT count(*) FROM whole WHERE a = b)
                      INTO unreached, seen.in_cycle;
                    IF unreached IS NOT NULL THEN
                        INSERT INTO oracle.difference (situation, what, core, ours, graph)
                        VALUES (situation, 'not reached over nearest edges', core_before, unreached, oracle.evidence(graph));
                    END IF;
                    SELECT count(DISTINCT waiter_leader_pid), count(*), count(*) FILTER (WHERE edge_kind = 'soft'),
                           count(*) FILTER (WHERE waiter_pid <> waiter_leader_pid), count(*) FILTER (WHERE blocker_pid <> blocker_leader_pid),
                           count(*) FILTER (WHERE blocker_kind = 'prepared'), count(*) FILTER (WHERE blocker_kind LIKE 'autovacuum%'),
                           count(*) FILTER (WHERE NOT is_nearest), array_agg(DISTINCT lock_type)
                      INTO seen.waiters, seen.edges, seen.soft, seen.parallel_waits, seen.parallel_blocks, seen.prepared, seen.autovacuum,
                           seen.left_out, seen.lock_types
                      FROM unnest(graph);
                    known_shape := shape;
                END IF;
                seen.situation := situation;
                INSERT INTO oracle.sample SELECT seen.*;
            END IF;
        END IF;
        PERFORM nextval('oracle.looks');
        -- Nobody shall wait long for the sampler's snapshot.
        COMMIT;
        -- Leaves a processor to those who are watched.
        PERFORM pg_sleep(0.001);
    END LOOP;
    INSERT INTO oracle.total VALUES (valid, unstable);
END $$;
