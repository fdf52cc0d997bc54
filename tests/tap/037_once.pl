# Work under request ids, and real faults. Sessions do the same work under the same ids at once, by once_begin and by CALL once; backends
# are killed and the server is stopped at once in the middle of it, and all of it is sent again: each id is done exactly once, and
# everybody who was answered was answered alike. Results are carried by a dump. With rows and ids in any order there is no deadlock.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use List::Util qw(shuffle);
use Time::HiRes qw(sleep time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $rounds = $ENV{LOCKSTEP_ROUNDS} || ($ENV{FULL} ? 12 : 4);
my $seconds = $ENV{LOCKSTEP_LOAD_SECONDS} || ($ENV{FULL} ? 30 : 6);
my $workers = 6;
my $ids_of_round = 800;
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);
my $folder = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# The machine stays up, so what is written to files stays there without fsync.
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none\nlog_min_error_statement = panic\nrestart_after_crash = on\n"
	  . "max_prepared_transactions = 5\n");
$node->start;
sub value_of { my ($sql, $database) = @_; return $node->safe_psql($database || 'postgres', $sql); }

value_of(q{
	CREATE EXTENSION lockstep;
	CREATE TABLE done (name text NOT NULL, token uuid NOT NULL DEFAULT gen_random_uuid(), at timestamptz DEFAULT clock_timestamp());
	CREATE TABLE acknowledged (name text, token uuid);
	-- The work, which leaves a trace, and takes its time.
	CREATE FUNCTION work(of_name text) RETURNS uuid LANGUAGE plpgsql AS $$
	DECLARE
		known jsonb = lockstep.once_begin(lockstep.request_id(of_name), 'work ' || of_name);
		made uuid;
	BEGIN
		IF known IS NULL THEN
			INSERT INTO done (name) VALUES (of_name) RETURNING token INTO made;
			PERFORM pg_sleep(0.002);
			known := jsonb_build_object('token', made);
			PERFORM lockstep.once_finish(lockstep.request_id(of_name), known);
		END IF;
		RETURN known ->> 'token';
	END $$;
});

# As a script's lines, which tell what a name came to once that is committed.
sub lines_of
{
	my ($name, $n) = @_;
	my $levels = [ 'serializable', 'repeatable read', 'read committed' ];
	return "CALL lockstep.once(lockstep.request_id('$name'), 'INSERT INTO done (name) SELECT \$1 FROM pg_sleep(0.002) RETURNING token', '$levels->[$n % 3]', params => ARRAY['$name'],"
	  . " deadline => '1 minute') \\gset\n\\if :ERROR\n\\else\n\\echo acknowledged $name :result\n\\endif\n\\unset result\n"
	  if $n % 2;
	return "BEGIN;\nSELECT work('$name') AS token \\gset\nCOMMIT;\n\\if :ERROR\n\\else\n\\echo acknowledged $name :token\n\\endif\n\\unset token\n"
	  if $n % 4;
	return "SELECT 'acknowledged $name ' || work('$name');\n";
}

my $played = 0;
my @outputs;
sub play
{
	my ($names) = @_;
	my $file = "$folder/play" . ++$played;
	my @order = shuffle(0 .. $#$names);
	# Most of the ids in an order of their own, as they meet at all, and the last ones in the same.
	append_to_file("$file.sql", join('', map { lines_of($names->[$_], $_) } @order[ 0 .. $#order / 2 ], 0 .. $#order));
	push @outputs, "$file.out";
	return IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-f', "$file.sql", '-d', $node->connstr('postgres') ], '>', "$file.out", '2>', "$file.errors");
}

my (%acknowledged, $answers);
for my $round (1 .. $rounds)
{
	my @names = map { "r$round-$_" } 1 .. $ids_of_round;
	my @players = map { play(\@names) } 1 .. $workers;
	sleep(0.1 + rand(0.3));
	if ($round % 2)
	{
		my @pids = split /\n/, value_of(q{SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()});
		my $pid = @pids ? $pids[ rand @pids ] : 0;
		kill 'KILL', $pid if $pid;
		$_->finish for @players;
		# Until the server has noticed, the dead one is still in its list.
		$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid") or die 'the server has not come back';
	}
	else
	{
		$node->stop('immediate');
		$_->finish for @players;
		$node->start;
	}
	note("round $round: done " . value_of("SELECT count(*) FROM done WHERE name LIKE 'r$round-%'") . " of $ids_of_round before the fault");
	# Whatever was acknowledged or not is sent again.
	@players = map { play(\@names) } 1 .. $workers;
	$_->finish for @players;
}
for (@outputs)
{
	for (grep { /^acknowledged/ } split /\n/, slurp_file($_))
	{
		my ($name, $token) = /^acknowledged (\S+) .*?([0-9a-f]{8}-[0-9a-f-]{27})/ or die "cannot read: $_";
		$acknowledged{$name}{$token}++;
		$answers++;
	}
}
my $all = $rounds * $ids_of_round;
cmp_ok($answers, '>', $all * $workers, 'far more was answered than done');
is(value_of(q{SELECT count(*), count(DISTINCT name) FROM done}), "$all|$all", 'each id was done exactly once');
is(scalar(grep { keys %{ $acknowledged{$_} } != 1 } keys %acknowledged), 0, 'whoever asked for the same got the same');
is(scalar(keys %acknowledged), $all, 'everything was answered');
append_to_file("$folder/acknowledged", join('', map { $_ . "\t" . (keys %{ $acknowledged{$_} })[0] . "\n" } keys %acknowledged));
value_of("\\copy acknowledged FROM '$folder/acknowledged'");
is(value_of('SELECT count(*) FROM acknowledged NATURAL JOIN done'), $all, 'and it is what was done');
is(value_of(q{SELECT count(*) FROM lockstep.once_request WHERE finished_at IS NULL OR result IS NULL}), 0, 'no id is left begun');

# A prepared transaction is one in flight, over a crash.
value_of(q{BEGIN; SELECT work('prepared'); PREPARE TRANSACTION 'one'});
$node->stop('immediate');
$node->start;
{
	my $waits = Session->new($node, 'waits');
	$waits->start(q{SELECT 'is ' || work('prepared')});
	$node->poll_query_until('postgres', q{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE application_name = 'waits'}) or die 'it does not wait';
	value_of(q{COMMIT PREPARED 'one'});
	is($waits->finish, 'is ' . value_of(q{SELECT token FROM done WHERE name = 'prepared'}), 'a prepared transaction is waited for');
	$waits->close;
}

# A dump carries results, of each role by its name; it is taken by the owner of the database, too.
value_of(q{
	CREATE ROLE web LOGIN;
	CREATE ROLE "Odd ""1""";
	CREATE ROLE passing;
	CREATE ROLE owner LOGIN;
	CREATE DATABASE source OWNER owner});
value_of(q{
	CREATE EXTENSION lockstep;
	SELECT lockstep.once_begin(lockstep.request_id('a'), 'super'), lockstep.once_finish(lockstep.request_id('a'), '"of the superuser"');
	SET ROLE web;
	SELECT lockstep.once_begin(lockstep.request_id('a'), 'web'), lockstep.once_finish(lockstep.request_id('a'), '{"of": ["web", 1.50]}');
	RESET ROLE;
	SET ROLE "Odd ""1""";
	SELECT lockstep.once_begin(lockstep.request_id('a')), lockstep.once_finish(lockstep.request_id('a'), '"odd"');
	RESET ROLE;
	SET ROLE passing;
	SELECT lockstep.once_begin(lockstep.request_id('a')), lockstep.once_finish(lockstep.request_id('a'), '"of nobody"');
	RESET ROLE;
	DROP ROLE passing}, 'source');
my $look = q{SELECT requester, fingerprint, result, finished_at FROM lockstep.once_requests ORDER BY requester::text};
my $kept = value_of($look, 'source');
$kept =~ s/^\d+\|.*\n//m or die "the dropped role's row is missing: $kept";
for my $who ('postgres', 'owner')
{
	my $user = $who eq 'owner' ? ' user=owner' : '';
	$node->command_ok([ 'pg_dump', '--file', "$folder/$who.dump", $node->connstr('source') . $user ], "$who: dumped");
	value_of("CREATE DATABASE of_$who");
	$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/$who.dump", $node->connstr("of_$who") ], "$who: restored");
	is(value_of($look, "of_$who"), $kept, "$who: results are there, but those of a role that is gone");
	is(value_of(q{SET ROLE web; SELECT lockstep.once_begin(lockstep.request_id('a'), 'web')}, "of_$who"), '{"of": ["web", 1.50]}', "$who: and are answered");
}
$node->command_fails([ 'pg_dump', '--file', "$folder/web.dump", $node->connstr('source') . ' user=web' ], 'nobody else dumps them');
$node->command_ok([ 'pg_dump', '-n', 'public', '--file', "$folder/web.dump", $node->connstr('source') . ' user=web' ], 'but whatever else there is');
# Where a role is missing, those of the others are there. Two that are missing may have had the same id.
my $other = PostgreSQL::Test::Cluster->new('other');
$other->init;
$other->start;
$other->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/postgres.dump", $other->connstr('postgres') ], 'restored without the roles');
is($other->safe_psql('postgres', q{SELECT lockstep.once_begin(lockstep.request_id('a'), 'super')}), '"of the superuser"', 'the results of roles that are there');
is($other->safe_psql('postgres', q{SELECT count(*), count(*) FILTER (WHERE requester = 0) FROM lockstep.once_request}), '3|2', 'the others are nobody\'s');
is($other->safe_psql('postgres', q{CREATE ROLE web; SET ROLE web; SELECT count(*) FROM lockstep.once_requests}), 0, 'and nobody sees them');
is($other->safe_psql('postgres', q{SELECT lockstep.once_prune('0')}), 3, 'and they are pruned');
$other->stop;

# Ids and rows in any order, with savepoints: LS050, and no deadlock; without the guard there is one.
value_of(q{
	ALTER SYSTEM SET deadlock_timeout = '10ms';
	SELECT pg_reload_conf();
	CREATE TABLE rows (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO rows SELECT n, 1000000 FROM generate_series(1, 6) AS n;
	SELECT lockstep.register_ledger('rows');
	CREATE TABLE counted (id uuid, at timestamptz DEFAULT clock_timestamp());
	CREATE FUNCTION count_once(id uuid) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		IF lockstep.once_begin(id) IS NULL THEN
			INSERT INTO counted VALUES (id);
			PERFORM lockstep.once_finish(id);
		END IF;
	END $$});
sub program
{
	my ($first, $guard) = @_;
	my $lines = "SET lockstep.order_guard = $guard;\n";
	for my $n (1 .. 400)
	{
		$lines .= 'BEGIN ' . ('ISOLATION LEVEL REPEATABLE READ', '', '')[ rand 3 ] . ";\n";
		for my $step (1 .. 2 + int(rand(4)))
		{
			my $call = rand(2) < 1 ? "SELECT lockstep.adjust('rows', " . (1 + int(rand(6))) . ', 1);'
			  : sprintf("SELECT count_once('%08x-0000-4000-8000-000000000000');", $first + int($n / 4) * 8 + int(rand(8)));
			my $way = rand(6);
			$lines .= $way < 1 ? "SAVEPOINT a; $call ROLLBACK TO a;\n" : $way < 2 ? "SAVEPOINT a; SAVEPOINT b; $call RELEASE b;\nROLLBACK TO a;\n" : "$call\n";
		}
		$lines .= "COMMIT;\n";
	}
	return $lines;
}
sub errors_of_programs
{
	my ($round, $guard) = @_;
	my %errors;
	my @running;
	for my $worker (1 .. $workers)
	{
		my $file = "$folder/program-$guard-$round-$worker";
		append_to_file("$file.sql", "\\set VERBOSITY sqlstate\n" . program($round * 100_000, $guard));
		push @running, [ $file, IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-f', "$file.sql", '-d', $node->connstr('postgres') ], '>', '/dev/null', '2>', "$file.errors") ];
	}
	for (@running)
	{
		my ($file, $psql) = @$_;
		$psql->finish;
		$errors{$_}++ for slurp_file("$file.errors") =~ /ERROR:\s+(\w{5})/g;
	}
	return \%errors;
}
my %met;
my $round = 0;
my $end = time + $seconds;
while (time < $end)
{
	my $errors = errors_of_programs(++$round, 'on');
	$met{$_} += $errors->{$_} for keys %$errors;
}
# Those that follow from one before them.
delete @met{'25P02', '3B001'};
note("$round rounds with the guard: " . join(', ', map { "$_ $met{$_}" } sort keys %met));
is($met{'40P01'}, undef, 'no deadlock');
is(join(' ', grep { !/^(LS050|40001)$/ } sort keys %met), '', 'and nothing but what is to be tried again');
cmp_ok($met{LS050} || 0, '>', 0, 'ids and rows were in each other\'s way');
is(value_of('SELECT count(*) - count(DISTINCT id) FROM counted'), 0, 'what was done was done once');
my $deadlocks = 0;
for (1 .. 20)
{
	$deadlocks += errors_of_programs(++$round, 'off')->{'40P01'} || 0;
	last if $deadlocks;
}
cmp_ok($deadlocks, '>', 0, 'without the guard there is a deadlock');
is(value_of('SELECT count(*) - count(DISTINCT id) FROM counted'), 0, 'and still it is done once');

$node->stop;
done_testing();
