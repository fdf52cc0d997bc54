# The views make and keep only the columns that a statement reads: each column alone says what it says
# among all, in whatever plan it is read; and a statement that reads one keeps less.
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
max_prepared_transactions = 10
wal_level = logical
max_connections = 60
autovacuum = off
deadlock_timeout = 1h
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 10) AS n;
	SELECT pg_create_logical_replication_slot('slot', 'pgoutput');
	BEGIN;
	UPDATE accounts SET balance = 1 WHERE id = 1;
	PREPARE TRANSACTION 'prepared';
});

# Queues for a row, behind a prepared transaction and behind a session; a cycle; a queue of many for an
# advisory lock, and a session that only holds.
my @sessions;
sub session { my ($name, $sql) = @_; push @sessions, Session->new($node, $name); $sessions[-1]->run($sql); return $sessions[-1]; }
my $waiting = 0;
sub wait_with { my ($who, $sql) = @_; $who->start($sql); ++$waiting;
	$node->poll_query_until('postgres', "SELECT count(*) = $waiting FROM pg_locks WHERE NOT granted") or die; return; }
wait_with(session("row_$_", 'BEGIN'), 'UPDATE accounts SET balance = 2 WHERE id = 1') for 1 .. 3;
my @ring = map { session("ring_$_", "BEGIN; UPDATE accounts SET balance = 2 WHERE id = $_") } 2 .. 3;
wait_with($ring[0], 'UPDATE accounts SET balance = 2 WHERE id = 3');
wait_with($ring[1], 'UPDATE accounts SET balance = 2 WHERE id = 2');
session('holder', 'BEGIN; SELECT txid_current(), pg_advisory_xact_lock(1)');
wait_with(session("place_$_", 'BEGIN'), 'SELECT pg_advisory_xact_lock(1)') for 1 .. 30;

my $watch = Session->new($node, 'watch');
# What passes with time is looked at for being there.
my $steady = q{string_agg(CASE WHEN told IS NULL THEN 'null' WHEN passes THEN 'there' ELSE regexp_replace(told, '\d+ (ms|s|min)\M', 'n', 'g') END, '|')};
foreach my $view (qw(lock_graph lock_graph_all lock_tree root_blocker transaction_age wraparound_status))
{
	my @columns = split /\n/, $watch->run("SELECT attname || ' ' || (atttypid = 'interval'::regtype OR attname ~ '_seconds\$' OR attname = 'snapshot_at')
		FROM pg_attribute WHERE attrelid = 'lockstep.$view'::regclass AND attnum > 0 ORDER BY attnum");
	my $others = $view eq 'transaction_age' ? 'WHERE pid IS DISTINCT FROM pg_backend_pid()' : '';
	my @wrong;
	foreach (@columns)
	{
		my ($column, $passes) = split / /;
		my $alone = $watch->run("SELECT $steady FROM (SELECT to_jsonb($column) #>> '{}' AS told, $passes AS passes FROM lockstep.$view $others OFFSET 0) AS one");
		my $among_all = $watch->run("SELECT $steady FROM (SELECT to_jsonb(v) ->> '$column' AS told, $passes AS passes FROM (SELECT v FROM lockstep.$view AS v $others OFFSET 0) AS every) AS one");
		push @wrong, "$column: $alone, among all $among_all" if $alone ne $among_all or $alone eq '';
	}
	is(join("\n", @wrong), '', "$view: each column alone is what it is among all");
}

my $graph = 'lockstep.get_lock_graph()';
my $first = $watch->run(q{SELECT min(waiter_pid) FROM lockstep.lock_graph WHERE waiter_app = 'row_1'});
foreach (
	['a condition on what is not shown', qq{SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = 'row_1'}],
	['an order by what is not shown', q{SELECT waiter_pid FROM lockstep.lock_graph WHERE row_key = '(id)=(1)' ORDER BY queue_pos, waiter_app LIMIT 1}],
	['a CTE', q{WITH g AS MATERIALIZED (SELECT waiter_pid, waiter_app FROM lockstep.lock_graph) SELECT waiter_pid FROM g WHERE waiter_app = 'row_1'}],
	['a join', q{SELECT waiter_pid FROM lockstep.lock_graph JOIN pg_stat_activity ON pid = waiter_pid WHERE application_name = 'row_1' AND waiter_app = 'row_1'}],
	['a join of the view with itself', q{SELECT a.waiter_pid FROM lockstep.lock_graph AS a JOIN lockstep.lock_graph AS b USING (waiter_pid) WHERE b.waiter_app = 'row_1'}],
	['one query in another', q{SELECT (SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = 'row_1')}],
	['one query of many', q{SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = 'row_1' UNION ALL SELECT pid FROM lockstep.lock_tree WHERE false}],
	['whole rows', q{SELECT (g).waiter_pid FROM (SELECT g FROM lockstep.lock_graph AS g OFFSET 0) AS all_rows WHERE (g).waiter_app = 'row_1'}],
	['with a number', qq{SELECT waiter_pid FROM $graph WITH ORDINALITY WHERE waiter_app = 'row_1'}],
	['beside another function', qq{SELECT waiter_pid FROM ROWS FROM ($graph, generate_series(1, 2)) WHERE waiter_app = 'row_1'}],
	['in the list of columns', qq{SELECT (g).waiter_pid FROM (SELECT $graph AS g OFFSET 0) AS each WHERE (g).waiter_app = 'row_1'}],
	['in a function', q{SELECT waiter_of('row_1')}],
	['a prepared statement', q{EXECUTE of_app('row_1')}],
	['a cursor', q{FETCH ALL FROM kept}])
{
	my ($name, $sql) = @$_;
	$node->safe_psql('postgres', q{CREATE FUNCTION waiter_of(app text) RETURNS int LANGUAGE plpgsql AS
		'BEGIN RETURN (SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = app); END'}) if $name eq 'in a function';
	$watch->run(q{SET plan_cache_mode = force_generic_plan; PREPARE of_app(text) AS SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = $1}) if $name eq 'a prepared statement';
	$watch->run(q{BEGIN; DECLARE kept CURSOR WITH HOLD FOR SELECT waiter_pid FROM lockstep.lock_graph WHERE waiter_app = 'row_1'; COMMIT}) if $name eq 'a cursor';
	is($watch->run($sql), $first, $name);
}
my $edges = $watch->run('SELECT count(waiter_pid) FROM lockstep.lock_graph');
is($watch->run('SELECT count(*) FROM lockstep.lock_graph'), $edges, 'rows without any column');
is($watch->run('SELECT EXISTS (SELECT FROM lockstep.lock_graph)'), 't', 'no row at all');

# More than the memory for it goes to a file.
$watch->run(q{SET work_mem = '64kB'});
like($watch->run('EXPLAIN (ANALYZE, BUFFERS) SELECT * FROM lockstep.lock_graph_all'), qr/temp .*written=/, 'all columns of many rows take room');
unlike($watch->run('EXPLAIN (ANALYZE, BUFFERS) SELECT waiter_pid FROM lockstep.lock_graph_all'), qr/temp .*written=/, 'one takes little');

$watch->close;
$node->stop('immediate');
$_->close for @sessions;
done_testing();
