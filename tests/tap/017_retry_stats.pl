# How often work is retried: each error of the states that ask for it is counted once, trapped or not,
# wherever it is raised; what clients announce; the health of the last minute; what a reset, a crash and a
# full table do to it; and what is said where the module is not preloaded.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
deadlock_timeout = 50ms
restart_after_crash = on
max_prepared_transactions = 5
autovacuum = off
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE t (id int PRIMARY KEY, n int);
	INSERT INTO t SELECT i, 0 FROM generate_series(1, 10) AS i;
	CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO account VALUES (1, 0), (2, 0);
	SELECT lockstep.register_ledger('account');
	CREATE FUNCTION fail(state text) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
		$$ BEGIN RAISE EXCEPTION 'failed' USING ERRCODE = state; END $$;
});
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub counts { return { map { split /=/ } split /\n/, sql(q{SELECT concat_ws('=', concat_ws(' ', nullif(db, 'postgres'), coalesce(sqlstate, 'other')), errors) FROM lockstep.retry_stats}) }; }

# What the work adds to the counts, and nothing else.
sub adds
{
	my ($expected, $name, $work) = @_;
	my $before = counts();
	$work->();
	my $after = counts();
	my %added = map { $_ => $after->{$_} - ($before->{$_} // 0) } keys %$after;
	delete $added{$_} for grep { $added{$_} == 0 } keys %added;
	is_deeply(\%added, $expected, $name);
	return;
}
my $one = Session->new($node, 'one');
my $two = Session->new($node, 'two');
# The statement, and what it says in the end.
sub adds_by
{
	my ($expected, $name, $query, $said) = @_;
	adds($expected, $name, sub { my $output = $one->run($query); like($output, $said, "... $name: as it should be raised") if $said; });
	return;
}

is(sql('SELECT count(*) FROM lockstep.retry_stats'), 0, 'nothing at first');
is(sql('SELECT metric, value, unit, severity, warning_at, critical_at, advice FROM lockstep.retry_health'), "retry_rate|0.00|percent|ok|5|20|\nmean_attempts||attempts|ok|2|5|\ndeadlocks|0.00|per minute|ok|1|10|", 'three figures, with their limits');

# Each error once.
sub trap { my ($inner, $handler) = @_; $handler //= 'NULL'; return "DO \$\$ BEGIN $inner; EXCEPTION WHEN serialization_failure OR SQLSTATE 'LS001' THEN $handler; END \$\$"; }
my $fail = q{PERFORM fail('40001')};
adds_by({ 40001 => 1 }, 'not trapped', "DO \$\$ BEGIN $fail; END \$\$", qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'trapped', trap($fail), qr/^$/);
adds_by({ 40001 => 1 }, 'raised by the block itself', trap(q{RAISE EXCEPTION USING ERRCODE = '40001'}), qr/^$/);
adds_by({ 40001 => 1 }, 'trapped and raised again', trap($fail, 'RAISE'), qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'trapped and raised again after other work', trap($fail, 'PERFORM count(*) FROM t; RAISE'), qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'trapped and raised again after another error', trap($fail, 'BEGIN PERFORM 1 / 0; EXCEPTION WHEN division_by_zero THEN NULL; END; RAISE'), qr/ERROR:  failed/);
adds_by({ 40001 => 2 }, 'a new error in place of the trapped one', trap($fail, q{RAISE EXCEPTION 'new' USING ERRCODE = SQLSTATE}), qr/ERROR:  new/);
adds_by({ 40001 => 1 }, 'trapped, and then an error of no interest', "DO \$\$ BEGIN BEGIN $fail; EXCEPTION WHEN serialization_failure THEN NULL; END; PERFORM 1 / 0; END \$\$", qr/ERROR:  division by zero/);
adds_by({ 40001 => 1 }, 'deep inside', trap(q{EXECUTE 'DO $a$ BEGIN EXECUTE ''DO $b$ BEGIN PERFORM fail(''''40001''''); END $b$''; END $a$'}), qr/^$/);
adds_by({ 40001 => 1 }, 'in a cursor', "BEGIN; DECLARE c CURSOR FOR SELECT fail('40001'); FETCH c; ROLLBACK", qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'in COPY', "COPY (SELECT fail('40001')) TO STDOUT", qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'with a savepoint', "BEGIN; SAVEPOINT s; SELECT fail('40001'); ROLLBACK TO s; COMMIT", qr/ERROR:  failed/);
adds_by({}, 'a transaction that has failed is no error of these', "BEGIN; SELECT 1 / 0; SELECT fail('40001'); ROLLBACK", qr/current transaction is aborted/);
adds_by({}, 'a warning is none', q{DO $$ BEGIN RAISE WARNING 'mind' USING ERRCODE = '40001'; END $$}, qr/WARNING:  mind/);
adds_by({ 40000 => 1, '40P01' => 1, LS001 => 1, other => 2, 57014 => 1, '55P03' => 1 }, 'the states that are counted',
	q{DO $$ DECLARE state text; BEGIN FOREACH state IN ARRAY '{40000,40P01,LS001,LSZZZ,40ZZZ,57014,55P03,22012,55000,57P01,57000,LT001,23505,P0001}'::text[] LOOP
		BEGIN PERFORM fail(state); EXCEPTION WHEN OTHERS OR query_canceled THEN NULL; END; END LOOP; END $$}, qr/^$/);
adds_by({ LS001 => 100 }, 'a hundred refusals, trapped',
	q{DO $$ BEGIN FOR i IN 1..100 LOOP BEGIN PERFORM lockstep.transfer('account', 1, 2, 10); EXCEPTION WHEN SQLSTATE 'LS001' THEN NULL; END; END LOOP; END $$}, qr/^$/);
is(sql(q{SELECT sqlstate, note, retries, waited, last_at <= clock_timestamp() FROM lockstep.retry_stats WHERE sqlstate IN ('40P01', '57014') ORDER BY sqlstate}),
	"40P01|a deadlock: some code locks out of order|0|00:00:00|t\n57014|cancelled, or out of time: somebody's wish|0|00:00:00|t", 'with the note of the rules');

# Real ones. A write skew: who commits second fails.
sub skew
{
	my ($before_commit) = @_;
	$_->run('BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT sum(n) FROM t') for $one, $two;
	$one->run('UPDATE t SET n = n + 1 WHERE id = 1');
	$two->run('UPDATE t SET n = n + 1 WHERE id = 2');
	$two->run($before_commit) if $before_commit;
	$one->run('COMMIT');
	like($two->run('COMMIT'), qr/during commit attempt/, '... a write skew fails at COMMIT');
	return;
}
adds({ 40001 => 1 }, 'a failure at COMMIT', sub { skew() });
adds({ 40001 => 2 }, 'a trapped one, then a failure at COMMIT', sub { skew(trap($fail)) });
adds({ 40001 => 3 }, 'one that is left by a savepoint, a trapped one, then a failure at COMMIT', sub { skew("SAVEPOINT s; SELECT fail('40001'); ROLLBACK TO s; " . trap($fail)) });
sql(q{CREATE TABLE late (what text);
	CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN
		BEGIN PERFORM fail('40001'); EXCEPTION WHEN serialization_failure THEN IF NEW.what = 'again' THEN RAISE; END IF; END;
		RETURN NULL;
	END $$;
	CREATE CONSTRAINT TRIGGER late AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late();
	CREATE PROCEDURE insert_late(what text) LANGUAGE plpgsql AS $$ BEGIN INSERT INTO late VALUES (what); COMMIT; END $$});
adds_by({ 40001 => 1 }, 'trapped in a deferred trigger', q{INSERT INTO late VALUES ('trap')}, qr/^$/);
adds_by({ 40001 => 1 }, 'trapped in a deferred trigger and raised again', q{INSERT INTO late VALUES ('again')}, qr/ERROR:  failed/);
# PostgreSQL's assertions do not foresee that a deferred trigger traps an error at the end of a transaction block.
my $no_trap = sql('SHOW debug_assertions') eq 'on' ? 'with assertions PostgreSQL aborts where a deferred trigger traps an error at COMMIT' : '';
SKIP: {
skip $no_trap, 2 if $no_trap;
adds_by({ 40001 => 1 }, 'the same at a COMMIT of its own', q{BEGIN; INSERT INTO late VALUES ('again'); COMMIT}, qr/ERROR:  failed/);
}
adds_by({ 40001 => 1 }, 'the same at a COMMIT in a procedure', q{CALL insert_late('again')}, qr/ERROR:  failed/);
adds_by({ 40001 => 1 }, 'trapped at a COMMIT in a procedure', q{CALL insert_late('trap')}, qr/^$/);
SKIP: {
skip $no_trap, 4 if $no_trap;
adds_by({ 40001 => 2 }, 'trapped in a deferred trigger, then a failure outside of statements',
	q{BEGIN; INSERT INTO late VALUES ('trap'); COMMIT; BEGIN; INSERT INTO late VALUES ('again'); PREPARE TRANSACTION 'p'}, qr/ERROR:  failed/);
adds({ 40001 => 2 }, 'trapped in a deferred trigger, then a failure at COMMIT', sub { skew(q{INSERT INTO late VALUES ('trap')}) });
}

sql(q{CREATE TABLE after (what text);
	CREATE FUNCTION after() RETURNS trigger LANGUAGE plpgsql AS $$
	BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; EXCEPTION WHEN serialization_failure THEN RETURN NULL; END $$;
	CREATE TRIGGER after AFTER INSERT ON after FOR EACH ROW EXECUTE FUNCTION after()});
adds_by({ 40001 => 1 }, 'raised and trapped by a trigger', q{INSERT INTO after VALUES ('trap')}, qr/^$/);

# A deadlock: one of the two, whichever it is.
adds({ '40P01' => 1 }, 'a deadlock', sub {
	$_->run('BEGIN') for $one, $two;
	$one->run('UPDATE t SET n = 0 WHERE id = 1');
	$two->run('UPDATE t SET n = 0 WHERE id = 2');
	$one->start('UPDATE t SET n = 0 WHERE id = 2');
	$two->start('UPDATE t SET n = 0 WHERE id = 1');
	my $said = join '', map { $_->finish } $one, $two;
	like($said, qr/deadlock detected/, '... it is one');
	$_->run('ROLLBACK') for $one, $two;
});

# Locks and times that run out: while a statement runs, in a utility, and in parsing.
$two->run('BEGIN; SELECT * FROM t WHERE id = 3 FOR UPDATE');
adds_by({ '55P03' => 1 }, 'NOWAIT on a row', 'SELECT * FROM t WHERE id = 3 FOR UPDATE NOWAIT', qr/could not obtain lock on row/);
adds_by({ '55P03' => 1 }, 'lock_timeout on a row', "SET lock_timeout = 20; UPDATE t SET n = 1 WHERE id = 3; RESET lock_timeout", qr/due to lock timeout/);
adds_by({ 57014 => 1 }, 'statement_timeout on a row', "BEGIN; SET LOCAL statement_timeout = 50; UPDATE t SET n = 1 WHERE id = 3; ROLLBACK", qr/due to statement timeout/);
adds({ 57014 => 1 }, 'a cancelled statement', sub {
	my $pid = $one->run('SELECT pg_backend_pid()');
	$one->start('UPDATE t SET n = 1 WHERE id = 3');
	Session::wait_blocked($node, 1, '^one$');
	sql("SELECT pg_cancel_backend($pid)");
	like($one->finish, qr/due to user request/, '... it is cancelled');
});
$two->run('LOCK TABLE t IN ACCESS EXCLUSIVE MODE');
adds_by({ '55P03' => 1 }, 'lock_timeout in LOCK TABLE', "BEGIN; SET LOCAL lock_timeout = 20; LOCK TABLE t; ROLLBACK", qr/due to lock timeout/);
adds_by({ '55P03' => 1 }, 'NOWAIT in LOCK TABLE', "BEGIN; LOCK TABLE t NOWAIT; ROLLBACK", qr/could not obtain lock on relation/);
adds_by({ '55P03' => 1 }, 'lock_timeout in parsing', "SET lock_timeout = 20; SELECT count(*) FROM t; RESET lock_timeout", qr/due to lock timeout/);
adds_by({ 57014 => 1 }, 'statement_timeout in parsing', "BEGIN; SET LOCAL statement_timeout = 50; SELECT count(*) FROM t; ROLLBACK", qr/due to statement timeout/);
adds_by({ 40001 => 1, '55P03' => 1 }, 'trapped, then lock_timeout in parsing', 'BEGIN; SET LOCAL lock_timeout = 20; ' . trap($fail) . '; SELECT count(*) FROM t; ROLLBACK', qr/due to lock timeout/);
adds_by({ 40001 => 1, '55P03' => 1 }, 'not trapped, then lock_timeout in parsing', "SET lock_timeout = 20; SELECT fail('40001');\nSELECT count(*) FROM t; RESET lock_timeout", qr/due to lock timeout/);
adds_by({}, 'a table that VACUUM skips is a warning', 'VACUUM (SKIP_LOCKED) t', qr/WARNING:  skipping vacuum/);
$two->run('ROLLBACK');
adds_by({ 57014 => 1 }, 'statement_timeout in pg_sleep', 'BEGIN; SET LOCAL statement_timeout = 20; SELECT pg_sleep(60); ROLLBACK', qr/due to statement timeout/);

# Of a parallel query its leader's alone. The setting has another name from 16 on.
my $force = sql(q{SELECT name FROM pg_settings WHERE name IN ('force_parallel_mode', 'debug_parallel_query')});
adds_by({ 40001 => 1 }, 'in a parallel worker', "SET $force = on; SELECT fail('40001') FROM t WHERE id = 1; RESET $force", qr/parallel worker/);
adds_by({ 40001 => 1 }, 'in a parallel worker, trapped', "SET $force = on; " . trap(q{EXECUTE 'SELECT fail(''40001'') FROM t WHERE id = 1'}) . "; RESET $force", qr/^$/);

# Workers that build an index run no statement. Only a worker fails here; its leader waits at its first row until it hears of it.
sql(q{CREATE FUNCTION fail_in_worker(n int) RETURNS int LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
	BEGIN
		IF pg_backend_pid() <> current_setting('test.leader')::int THEN RAISE EXCEPTION 'failed' USING ERRCODE = '40001'; END IF;
		PERFORM pg_sleep(600);
		RETURN n;
	END $$;
	CREATE TABLE large WITH (parallel_workers = 2, fillfactor = 10) AS SELECT i AS n FROM generate_series(1, 200) AS i});
adds_by({ 40001 => 1 }, 'in a parallel worker that builds an index', "SELECT FROM set_config('test.leader', pg_backend_pid()::text, false); SET min_parallel_table_scan_size = 0; CREATE INDEX ON large (fail_in_worker(n)); RESET min_parallel_table_scan_size", qr/parallel worker/);

# Who turns the log off for errors is not heard of outside of statements; inside nothing changes.
$two->run('SET log_min_messages = panic');
adds({ 40001 => 1 }, 'without a log, not trapped', sub { $two->run(q{SELECT fail('40001')}) });
adds({ 40001 => 1 }, 'without a log, trapped', sub { $two->run(trap($fail)) });
adds({}, 'without a log a failure at COMMIT is missed', sub { skew() });
$two->run('RESET log_min_messages');
adds({ 40001 => 1 }, 'with a log it is counted again', sub { skew() });

# Each database apart; one that is dropped loses its name.
sql('CREATE DATABASE another');
adds({ 'another 40001' => 1 }, 'another database', sub { $node->psql('another', q{DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; END $$}) });
is(sql('SELECT string_agg(DISTINCT db, $$ $$ ORDER BY db) = $$another postgres$$, array_agg(concat(db, $$ $$, sqlstate)) = array_agg(concat(db, $$ $$, sqlstate) ORDER BY db, sqlstate COLLATE "C") FROM lockstep.retry_stats'), 't|t', 'by database and state');
sql('DROP DATABASE another');
is(sql('SELECT count(*) FROM lockstep.retry_stats WHERE db IS DISTINCT FROM $$postgres$$'), 0, 'what was counted in a database goes with it');

# What clients announce, of transactions that commit.
sub announce { my ($n, $end) = @_; return "BEGIN; SET LOCAL lockstep.attempt = $n; SELECT 10; " . ($end // 'COMMIT'); }
my $attempts = 'SELECT db, source, transactions, attempts, mean_attempts, most_attempts, given_up FROM lockstep.retry_attempts';
is(sql($attempts), '', 'nobody has announced anything');
$one->run(announce($_)) for 1, 1, 4;
$one->run(announce(7, 'ROLLBACK'));
$one->run(announce(0));
is(sql($attempts), 'postgres|client|3|6|2.00|4|0', 'announced attempts');
$one->run(announce(2) . "; BEGIN; SET LOCAL lockstep.attempt = 3; INSERT INTO t VALUES (100, 0); PREPARE TRANSACTION 'p'; COMMIT PREPARED 'p'");
is(sql($attempts), 'postgres|client|5|11|2.20|4|0', 'a prepared transaction is one');
like($one->run('SET lockstep.attempt = -1'), qr/-1 is outside the valid range/, 'there is no attempt below 0');

# CALL lockstep.retry announces its attempts by itself, and tells why it made them.
sql(q{SELECT lockstep.reset_retry_stats(); CREATE SEQUENCE tries; CREATE FUNCTION fail_until(n int) RETURNS text LANGUAGE plpgsql AS
	$$ BEGIN IF nextval('tries') < n THEN PERFORM fail('40001'); END IF; RETURN current_setting('lockstep.attempt'); END $$});
my $retried = 'SELECT errors, retries, waited > interval \'0\' FROM lockstep.retry_stats WHERE sqlstate = \'40001\'';
is($one->run(q{CALL lockstep.retry('SELECT fail_until(4) AS attempt')}), '4|40001: failed|[{"attempt":"4"}]', 'three attempts fail');
is(sql($retried), '3|3|t', '... and are counted, with what was done about them');
is(sql($attempts), 'postgres|retry|1|4|4.00|4|0', '... and the one that went through says how many it took');
sql('ALTER SEQUENCE tries RESTART');
like($one->run(q{CALL lockstep.retry('SELECT fail_until(9)', max_attempts => 2)}), qr/no attempts are left/, 'one gives up');
is(sql($retried), '5|4|t', '... after one attempt more');
is(sql($attempts), 'postgres|retry|1|4|4.00|4|1', '... which is counted too');
$one->run(announce(1));
is(sql($attempts), "postgres|client|1|1|1.00|1|0\npostgres|retry|1|4|4.00|4|1", 'after it the announcements are the client\'s again');
# A failure at COMMIT, that nobody but retry sees.
my $gate = Session->new($node, 'gate');
$gate->run('SELECT pg_advisory_lock(n) FROM generate_series(1, 2) AS n');
adds({ 40001 => 1 }, 'a failure at COMMIT that is retried', sub {
	$_->[0]->start("CALL lockstep.retry('SELECT sum(n) FROM t; UPDATE t SET n = n + 1 WHERE id = $_->[1]; SELECT pg_advisory_xact_lock($_->[1]) IS NULL AS gone')") for [ $one, 1 ], [ $two, 2 ];
	Session::wait_blocked($node, 2, '^(one|two)$');
	$gate->run('SELECT pg_advisory_unlock(1)');
	like($one->finish, qr/^1\|\|/, '... the first one goes through');
	$gate->run('SELECT pg_advisory_unlock(2)');
	like($two->finish, qr/^2\|40001: could not serialize/, '... the second one is run again');
});
is(sql($retried), '6|5|t', '... and counted once');
$gate->close;

# Health: 20 transactions, and as many conflicts as a limit needs. Those that only read are none of them.
sub reset_all { sql('SELECT lockstep.reset_retry_stats()'); return; }
sub health { my ($metric) = @_; return sql("SELECT value, severity, advice IS NOT NULL FROM lockstep.retry_health WHERE metric = '$metric'"); }
reset_all();
is(sql('SELECT (SELECT count(*) FROM lockstep.retry_stats) + (SELECT count(*) FROM lockstep.retry_attempts)'), 0, 'a reset: nothing is left');
is(sql('SELECT metric, value, severity FROM lockstep.retry_health'), "retry_rate||ok\nmean_attempts||ok\ndeadlocks|0.00|ok", 'nor of the last minute');
$one->run('UPDATE t SET n = n + 1 WHERE id = 1') for 1 .. 15;
$one->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t; COMMIT') for 1 .. 4;
is(health('retry_rate'), '0.00|ok|f', 'no conflict');
$one->run(trap($fail));
is(health('retry_rate'), '5.00|ok|f', 'as many conflicts as are allowed');
$one->run(trap($fail));
is(health('retry_rate'), '9.52|warning|t', 'more conflicts than that');
is(sql(q{SET lockstep.retry_rate_critical = 9; SELECT severity, critical_at FROM lockstep.retry_health WHERE metric = 'retry_rate'}), 'critical|9', 'limits are settings');
is(sql(q{SET lockstep.retry_rate_warning = 9.6; SELECT severity, warning_at FROM lockstep.retry_health WHERE metric = 'retry_rate'}), 'ok|9.6', '... and need not be whole');
$one->run(trap($fail)) for 1 .. 4;
is(health('retry_rate'), '24.00|critical|t', 'many conflicts');
is(health('mean_attempts'), '|ok|f', 'nobody announced an attempt');
$one->run(announce($_)) for 1, 3;
is(health('mean_attempts'), '2.00|ok|f', 'as many attempts as are allowed');
$one->run(announce(3));
is(health('mean_attempts'), '2.33|warning|t', 'more attempts than that');
$one->run(announce(20));
is(health('mean_attempts'), '6.75|critical|t', 'many attempts');
sub deadlocks { my ($count) = @_; $one->run("DO \$\$ BEGIN FOR i IN 1..$count LOOP BEGIN RAISE deadlock_detected; EXCEPTION WHEN deadlock_detected THEN NULL; END; END LOOP; END \$\$"); return health('deadlocks'); }
is(deadlocks(1), '1.00|ok|f', 'a deadlock');
is(deadlocks(1), '2.00|warning|t', 'a second one');
is(deadlocks(8), '10.00|warning|t', 'ten of them');
is(deadlocks(1), '11.00|critical|t', 'one more');
is(sql(q{SET lockstep.deadlocks_warning = 20; SET lockstep.deadlocks_critical = 30; SET lockstep.mean_attempts_warning = 6.75; SET lockstep.mean_attempts_critical = 8; SELECT string_agg(severity, ' ') FROM lockstep.retry_health}), 'critical ok ok', 'with other limits');

# Many at a time, in all ways, with resets of nobody: nothing is lost, nothing is counted twice.
reset_all();
my $script = $node->basedir . '/many.sql';
append_to_file($script, <<'SQL');
DO $$ BEGIN FOR i IN 1..10 LOOP BEGIN RAISE EXCEPTION USING ERRCODE = 'LS00' || 1 + i % 5; EXCEPTION WHEN OTHERS THEN NULL; END; BEGIN PERFORM fail('40001'); EXCEPTION WHEN serialization_failure THEN NULL; END; END LOOP; END $$;
BEGIN;
SET LOCAL lockstep.attempt = 2;
SELECT 1;
COMMIT;
SQL
for my $protocol ('simple', 'extended', 'prepared')
{
	$node->command_ok([ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '25', '-M', $protocol, '-f', $script, '-d', $node->connstr('postgres') ], "pgbench, $protocol");
}
is(sql('SELECT count(*), min(errors), max(errors) FILTER (WHERE sqlstate <> $$40001$$), max(errors) FROM lockstep.retry_stats'), '6|1200|1200|6000', 'errors of many sessions add up');
is(sql($attempts), 'postgres|client|600|1200|2.00|2|0', 'attempts of many sessions add up');
my $same = $node->basedir . '/same.sql';
append_to_file($same, "DO \$\$ BEGIN FOR i IN 1..1000 LOOP BEGIN RAISE EXCEPTION USING ERRCODE = 'LS002'; EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END \$\$;\n");
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '25', '-f', $same, '-d', $node->connstr('postgres') ], 'pgbench, one state');
is(sql('SELECT errors FROM lockstep.retry_stats WHERE sqlstate = $$LS002$$'), 101200, 'of one state, too');
$node->command_ok([ 'pgbench', '-n', '-c', '4', '-j', '2', '-t', '20', '-f', $script, '-d', $node->connstr('postgres'), '-f', do { my $file = $node->basedir . '/reset.sql'; append_to_file($file, "SELECT lockstep.reset_retry_stats();\n"); $file } ], 'with resets in between');
reset_all();
adds({ LS010 => 1 }, 'after many resets counting goes on', sub { $one->run(q{SELECT fail('LS010')}) });

# States that somebody makes up take no place from anybody, and make no rate.
reset_all();
sql('CREATE ROLE liar LOGIN');
my $liar = Session->new($node, 'liar', user => 'liar');
my $made_up = q{DO $$ DECLARE class text; BEGIN FOREACH class IN ARRAY ARRAY['LS', '40', '08', '53', '55', '57', '72', 'ZZ'] LOOP
	FOR i IN 1..1500 LOOP BEGIN RAISE EXCEPTION USING ERRCODE = class || lpad(upper(to_hex(i)), 3, 'Z'); EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END LOOP; END $$};
$liar->run($made_up) for 1, 2;
is(sql('SELECT db, sqlstate, errors, note FROM lockstep.retry_stats'), 'postgres||6000|states that neither the server nor lockstep raises for a retry', 'made-up states are one row');
is(sql("SELECT value FROM lockstep.retry_health WHERE metric = 'retry_rate'"), '0.00', '... and no conflicts');
adds_by({ 40001 => 1 }, '... and a real one is counted as ever', trap($fail));
is(sql('SELECT string_agg(coalesce(sqlstate, $$-$$), $$ $$) FROM lockstep.retry_stats'), '40001 -', '... before them');

# What a transaction says of itself weighs no more than a hundred of others.
reset_all();
like($liar->run(announce(2147483647)), qr/^10$/, 'anything may be said');
$one->run(announce(1)) for 1 .. 99;
is(sql($attempts), 'postgres|client|100|199|1.99|100|0', '... and counts a hundred');
is(health('mean_attempts'), '1.99|ok|f', '... of the last minute as well');
$liar->close;
$node->connect_fails($node->connstr('postgres') . q{ options='-c lockstep.attempt=-1'}, 'a connection that says nonsense', expected_stderr => qr/-1 is outside the valid range for parameter "lockstep.attempt"/);
reset_all();
adds_by({ 40001 => 1 }, 'a reset', trap($fail));

# Rights: everybody looks, nobody but the owner resets.
sql('CREATE ROLE plain LOGIN');
my $plain = Session->new($node, 'plain', user => 'plain');
is($plain->run('SELECT count(*) FROM lockstep.retry_health'), 3, 'a plain role looks');
is($plain->run('SELECT sqlstate, errors FROM lockstep.retry_stats'), '40001|1', '... at the errors of all');
like($plain->run('SELECT lockstep.reset_retry_stats()'), qr/permission denied for function reset_retry_stats/, '... and does not reset');
$plain->close;
is(sql('BEGIN; SELECT count(*) FROM lockstep.retry_stats; SELECT count(*) FROM lockstep.retry_attempts; SELECT count(*) FROM lockstep.retry_health; SELECT pg_current_xact_id_if_assigned() IS NULL, (SELECT count(*) FROM pg_locks WHERE relation = \'pg_policy\'::regclass); COMMIT'), "1\n0\n3\nt|0", 'to look takes no transaction id and leaves no lock');

# A session is killed: the server starts anew, and so do the counts.
my $pid = $two->run('SELECT pg_backend_pid()');
my $crash = sql('SELECT clock_timestamp()');
kill 'KILL', $pid;
$_->close for $one, $two;
Session::wait_restarted($node, $crash);
is(sql('SELECT count(*) FROM lockstep.retry_stats'), 0, 'a crash: no errors are left');
$one = Session->new($node, 'one');
is(sql('SELECT metric, value, severity FROM lockstep.retry_health OFFSET 1'), "mean_attempts||ok\ndeadlocks|0.00|ok", 'a crash: nothing of before');
adds_by({ 40001 => 1 }, 'after a crash counting goes on', trap($fail));
SKIP: {
skip $no_trap, 2 if $no_trap;
adds_by({ 40001 => 1 }, '... outside of statements too', q{BEGIN; INSERT INTO late VALUES ('again'); COMMIT}, qr/ERROR:  failed/);
}
$one->run(announce(2));
is(sql($attempts), 'postgres|client|1|2|2.00|2|0', '... and what is announced');
$one->close;

# More databases than have a place: still by state, and a place is free again when its database is dropped.
$node->append_conf('postgresql.conf', 'lockstep.counted_databases = 2');
$node->restart;
sub fail_in { my ($database, @states) = @_; $node->psql($database, "DO \$\$ BEGIN RAISE EXCEPTION USING ERRCODE = '$_'; EXCEPTION WHEN OTHERS THEN NULL; END \$\$") for @states; return; }
sub stats { return sql(q{SELECT concat_ws('|', coalesce(db, '-'), coalesce(sqlstate, '-'), errors, note) FROM lockstep.retry_stats}); }
my %note = (40001 => 'a concurrent transaction was in the way', '40P01' => 'a deadlock: some code locks out of order', '-' => 'states that neither the server nor lockstep raises for a retry');
my $together = 'databases that came when there was no room; ';
sql("CREATE DATABASE $_") for 'first', 'second', 'third';
fail_in('first', '40001');
fail_in('second', '40001');
fail_in('third', '40001', '40P01', 'LSZZZ');
fail_in('postgres', '40001');
is(stats(), "first|40001|1|$note{40001}\nsecond|40001|1|$note{40001}\n-|40001|2|$together$note{40001}\n-|40P01|1|$together$note{'40P01'}\n-|-|1|$together$note{'-'}", 'two databases have a place');
$node->psql('third', announce(3));
$node->psql('first', announce(5));
is(sql($attempts), "first|client|1|5|5.00|5|0\n|client|1|3|3.00|3|0", '... and what is announced in others is not lost either');
sql('ALTER DATABASE first IS_TEMPLATE true');
$node->psql('postgres', 'DROP DATABASE first', stderr => \my $said);
like($said, qr/cannot drop a template database/, 'it cannot be dropped');
like(stats(), qr/^first\|/, '... and its counts stay');
sql('ALTER DATABASE first IS_TEMPLATE false');
sql('DROP DATABASE first');
fail_in('third', '40001');
fail_in('postgres', '40001');
is(stats(), "second|40001|1|$note{40001}\nthird|40001|1|$note{40001}\n-|40001|3|$together$note{40001}\n-|40P01|1|$together$note{'40P01'}\n-|-|1|$together$note{'-'}", 'a place that becomes free is taken');
is(sql($attempts), '|client|1|3|3.00|3|0', '... and has nothing of who had it before');

# Without preloading.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
for my $view ('retry_stats', 'retry_attempts', 'retry_health')
{
	my ($status, $stdout, $stderr) = $node->psql('postgres', "SELECT * FROM lockstep.$view");
	like($stderr, qr/there are no statistics of retries\nHINT:  Add lockstep to shared_preload_libraries/, "without preloading $view gives a hint");
}
is(sql('BEGIN; SET LOCAL lockstep.attempt = 2; UPDATE account SET balance = 20 WHERE id = 1; SELECT status FROM lockstep.transfer($$account$$, 1, 2, 1); COMMIT'), 'applied', '... and everything else works');
$node->stop;
done_testing();
