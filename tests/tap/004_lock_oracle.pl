# The lock graph against the server's own word: while isolation specs play waits of every kind, a sampler compares
# lockstep.lock_graph_all with pg_blocking_pids() of every process. A sample counts when pg_blocking_pids() says the
# same before and after; then both must be the same set of edges, by leader, and the reduced graph must reach whatever
# the whole one reaches.
use strict;
use warnings;
use File::Basename qw(basename dirname);
use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;

my $tester = dirname(dirname($ENV{PG_REGRESS})) . '/isolation/isolationtester';
my $shared = $ENV{LOCKSTEP_SPECS} || "$FindBin::Bin/../isolation/specs";
my @own = sort glob("$FindBin::Bin/oracle/specs/*.spec");
my @shared = sort glob("$shared/*.spec");
ok(-x $tester, 'isolationtester is there') or BAIL_OUT("$tester is missing");
ok(@own > 0 && @shared > 0, 'specs are there') or BAIL_OUT("no specs in $FindBin::Bin/oracle/specs or $shared");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 10
max_worker_processes = 20
max_parallel_workers = 20
autovacuum_naptime = 1s
});
$node->start;
my $database = 'oracle';
$node->safe_psql('postgres', "CREATE DATABASE $database");
$node->safe_psql($database, 'CREATE EXTENSION lockstep');
$node->safe_psql($database, slurp_file("$FindBin::Bin/oracle/sampler.sql"));

sub background
{
	my ($name, @statements) = @_;
	my $session = { name => $name, out => '' };
	$session->{run} = IPC::Run::start(
		[ 'psql', '-X', '-q', '-A', '-t', '-v', 'ON_ERROR_STOP=1', (map { ('-c', $_) } @statements),
			'-d', $node->connstr($database) . " application_name=$name" ],
		'<', \undef, '>', \$session->{out}, '2>&1', IPC::Run::timeout(600));
	return $session;
}

sub situation
{
	my ($name) = @_;
	$node->safe_psql($database, "UPDATE oracle.now SET situation = '$name'");
	return;
}

my $sampler = background('sampler', 'CALL oracle.watch()');

# Without expected output: what the specs say is tested elsewhere, or of no interest. All of their steps must have run.
sub play
{
	my ($file) = @_;
	my $name = basename($file, '.spec');
	my ($out, $err) = ('', '');
	my $spec = slurp_file($file);
	my $permutations = () = $spec =~ /^permutation /mg;
	situation($name);
	local $ENV{PGAPPNAME} = "isolation/$name";
	# A spec whose last steps come in an order that cannot be would wait for ever.
	my $ok = eval {
		IPC::Run::run([ $tester, $node->connstr($database) ], '<', \$spec, '>', \$out, '2>', \$err,
			IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	};
	$err .= $@;
	my $begun = () = $out =~ /^starting permutation:/mg;
	ok($ok && $begun == $permutations && $err eq '' && $out !~ /timed out|canceling step|setup failed|failed to/,
		"$name: $permutations permutations") or diag($out . $err);
	return $name;
}
my @situations = map { play($_) } @own;
play($_) for @shared;

# Prepared transactions: isolationtester does not see that a session waits for one.
$node->safe_psql($database, q{
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 5) AS n;
	CREATE TABLE stock (id int);
});

# Starts a session, and goes on when so many wait.
sub start_waiter
{
	my ($waiting, $name, @statements) = @_;
	my $session = background($name, @statements);
	$node->poll_query_until($database,
		"SELECT count(*) >= $waiting FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE 'prepared%'")
	  or die "$name does not wait";
	hold();
	return $session;
}

sub hold
{
	$node->safe_psql($database, 'SELECT oracle.hold(0.1)');
	return;
}

sub finish
{
	for my $session (@_)
	{
		ok($session->{run}->finish, "$session->{name} ended well") or diag($session->{out});
	}
	return;
}

sub prepare
{
	my ($gid, $sql) = @_;
	$node->safe_psql($database, "BEGIN; $sql; PREPARE TRANSACTION '$gid'");
	return;
}

sub end_prepared
{
	my ($how, $gid) = @_;
	$node->safe_psql($database, "$how PREPARED '$gid'");
	return;
}

situation('prepared_row');
prepare('row', 'UPDATE accounts SET balance = 1 WHERE id = 1');
my @waiters = map { start_waiter($_, "prepared_$_", 'UPDATE accounts SET balance = balance + 1 WHERE id = 1') } 1 .. 5;
hold();
end_prepared('COMMIT', 'row');
finish(@waiters);

# Two that have a row together, and one that another one of them waits behind on a table.
situation('prepared_several');
prepare('share_1', 'SELECT id FROM accounts WHERE id = 2 FOR SHARE; LOCK TABLE stock IN ROW EXCLUSIVE MODE; SELECT pg_advisory_xact_lock_shared(9)');
prepare('share_2', 'SAVEPOINT s; SELECT id FROM accounts WHERE id = 2 FOR SHARE; SAVEPOINT t; LOCK TABLE stock IN ROW SHARE MODE; SELECT pg_advisory_xact_lock_shared(9)');
@waiters = (
	start_waiter(1, 'prepared_update', 'UPDATE accounts SET balance = 2 WHERE id = 2'),
	start_waiter(2, 'prepared_delete', 'DELETE FROM accounts WHERE id = 2'),
	start_waiter(3, 'prepared_alter', 'ALTER TABLE stock ADD COLUMN n int'),
	start_waiter(4, 'prepared_read', 'SELECT count(*) FROM stock'),
	start_waiter(5, 'prepared_share', 'BEGIN; LOCK TABLE stock IN SHARE MODE; COMMIT'),
	start_waiter(6, 'prepared_key', 'SELECT pg_advisory_lock(9)'));
end_prepared('ROLLBACK', 'share_1');
hold();
end_prepared('COMMIT', 'share_2');
finish(@waiters);

# Workers behind one, and an index that waits for one.
situation('prepared_others');
$node->safe_psql($database, q{
	CREATE TABLE many AS SELECT n AS id, repeat('x', 1500) AS pad FROM generate_series(1, 60) AS n;
	ALTER TABLE many SET (parallel_workers = 3);
	CREATE FUNCTION take(bigint) RETURNS int LANGUAGE sql PARALLEL SAFE AS $$ SELECT 1 FROM pg_advisory_xact_lock_shared($1) $$;
	VACUUM many;
});
prepare('key', 'SELECT pg_advisory_xact_lock(9); INSERT INTO stock VALUES (1)');
@waiters = (
	start_waiter(2, 'prepared_parallel', 'SET parallel_setup_cost = 0', 'SET parallel_tuple_cost = 0', 'SET min_parallel_table_scan_size = 0',
		'SET parallel_leader_participation = off',
		'SELECT sum(take(9)) FROM many'),
	start_waiter(3, 'prepared_index', 'CREATE INDEX CONCURRENTLY ON stock (id)'),
	start_waiter(4, 'prepared_behind', 'SELECT pg_advisory_lock(9)'));
hold();
end_prepared('COMMIT', 'key');
finish(@waiters);
push @situations, 'prepared_row', 'prepared_several', 'prepared_others';

$node->safe_psql($database, 'UPDATE oracle.now SET stop = true');
finish($sampler);

# What was seen.
sub ask { return $node->safe_psql($database, $_[0]); }
diag(ask(q{SELECT format('%s valid samples, %s that changed meanwhile; %s with edges', valid, unstable, (SELECT count(*) FROM oracle.sample)) FROM oracle.total}));
diag(ask(q{SELECT format('%s: %s samples, %s soft, %s parallel, %s prepared, %s in cycle, up to %s waiters; %s', situation, count(*), count(*) FILTER (WHERE soft > 0),
	count(*) FILTER (WHERE parallel_waits + parallel_blocks > 0), count(*) FILTER (WHERE prepared > 0), count(*) FILTER (WHERE in_cycle > 0), max(waiters),
	(SELECT string_agg(DISTINCT t, ' ') FROM oracle.sample AS o, unnest(o.lock_types) AS t WHERE o.situation = s.situation))
	FROM oracle.sample AS s GROUP BY situation ORDER BY situation}));

# The test must not pass because nothing was there to compare.
for my $minimum (
	[ 500, 'with edges', 'true' ],
	[ 200, 'with soft edges', 'soft > 0' ],
	[ 50, 'where workers wait', 'parallel_waits > 0' ],
	[ 20, 'where workers block', 'parallel_blocks > 0' ],
	[ 20, 'where a prepared transaction blocks', 'prepared > 0' ],
	[ 20, 'where both prepared transactions and workers have a part', 'prepared > 0 AND parallel_waits > 0' ],
	[ 100, 'with more than 3 waiters', 'waiters > 3' ],
	[ 100, 'where the reduced graph leaves edges out', 'left_out > 0' ],
	[ 20, 'with a cycle', 'in_cycle > 0' ],
	map({ [ 20, "of waits for $_", "'$_' = ANY (lock_types)" ] } qw(relation tuple transactionid virtualxid advisory)),
	[ 5, 'of waits for a speculative insertion', q{lock_types && '{spectoken,speculative token}'} ],
	map({ [ 5, "in the situation $_", "situation = '$_'" ] } @situations))
{
	my ($least, $what, $condition) = @$minimum;
	cmp_ok(ask("SELECT count(*) FROM oracle.sample WHERE $condition"), '>=', $least, "at least $least valid samples $what");
}

for my $what ('edges', 'not reached over nearest edges')
{
	is(ask("SELECT count(*) FROM oracle.difference WHERE what = '$what'"), '0',
		$what eq 'edges' ? 'the edges are those of pg_blocking_pids()' : 'the reduced graph reaches the same');
}
diag($_) for split /\n/, ask(q{SELECT format('%s in %s: core %s, ours %s; core just after: %s; graph %s; graph just after %s; locks not granted %s; sessions %s',
	what, situation, core, ours, core_next, graph, graph_next,
	(SELECT jsonb_agg(l) FROM jsonb_array_elements(locks) AS l WHERE NOT (l->>'granted')::boolean),
	(SELECT string_agg(format('%s %s %s', a->>'pid', a->>'leader_pid', a->>'application_name'), ', ') FROM jsonb_array_elements(activity) AS a))
	FROM oracle.difference ORDER BY at LIMIT 5});

$node->stop;
done_testing();
