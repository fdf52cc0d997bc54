# CALL lockstep.apply_in_chunks beside other sessions: chunks that meet a deadlock or a serialization failure are done again;
# progress is seen from elsewhere; it is cancelled between chunks; a run goes on after its session, and the server, were killed,
# each key exactly once. And the case that it is for: many sessions update the same rows in different orders, which deadlock
# where each does it in one statement.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use List::Util qw(shuffle);
use Time::HiRes qw(sleep time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
srand($seed);
diag("seed $seed (LOCKSTEP_SEED)");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "autovacuum = off\nrestart_after_crash = on\ndeadlock_timeout = 20ms\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE users (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
	INSERT INTO users SELECT generate_series(1, 50);
	CREATE TABLE other (id int PRIMARY KEY, n int NOT NULL DEFAULT 0);
	INSERT INTO other VALUES (1);
	CREATE ROLE nosy LOGIN});
sub sql { my ($text) = @_; return $node->safe_psql('postgres', $text); }
sub call { my ($keys, $statement, $rest) = @_; return "CALL lockstep.apply_in_chunks('users', lockstep.keys_of('SELECT generate_series(1, $keys)'), \$\$$statement\$\$, $rest)"; }
my $add = 'UPDATE users SET n = n + 1 WHERE id = ANY($1)';
my $holder = Session->new($node, 'holder');
my $caller = Session->new($node, 'caller');
sub wait_until { my ($query) = @_; $node->poll_query_until('postgres', $query) or die "never: $query"; return; }
my $waits = q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'caller' AND wait_event_type = 'Lock'};
my $progress = q{SELECT format('%s %s %s of %s, %s chunks, %s attempts', relation, phase, keys_done, keys_total, chunks, attempts) FROM lockstep.progress_apply_in_chunks};

# A deadlock with somebody who does not sort: only the chunk looks for it, once, when the other one waits as well. Until then a gate is shut
# in front of its second row.
my $gate = Session->new($node, 'gate');
$gate->run('SELECT pg_advisory_lock(1)');
$caller->run(q{SET deadlock_timeout = '2s'});
$holder->run(q{SET deadlock_timeout = '10min'; BEGIN; UPDATE other SET n = n + 1});
$caller->start(call(50, "$add; UPDATE other SET n = n + 1 WHERE 25 = ANY(\$1) AND pg_advisory_xact_lock_shared(1) IS NOT NULL", 10));
wait_until($waits);
$holder->start('UPDATE users SET n = n + 100 WHERE id = 25');
Session::wait_blocked($node, 1, 'holder');
$gate->run('SELECT pg_advisory_unlock(1)');
$gate->close;
$holder->finish;
# The chunk comes again while the other one goes on.
wait_until(q{SELECT attempts > chunks + 1 FROM lockstep.progress_apply_in_chunks});
$holder->run('COMMIT');
my $said = $caller->finish;
$caller->run('RESET deadlock_timeout');
like($said, qr/^5\|50\|51\|(?!5\|)\d+\|0\|0\|$/, 'a chunk that came to a deadlock is done again') or diag($said);
is(sql(q{SELECT count(*) FILTER (WHERE n = 1), sum(n), (SELECT n FROM other) FROM users}), '49|150|2', 'all of it once');

# A serialization failure, at the lock.
sql('UPDATE users SET n = 0; UPDATE other SET n = 0');
$holder->run('BEGIN; UPDATE users SET n = n + 100 WHERE id = 25');
$caller->start(call(50, $add, q{10, isolation => 'repeatable read'}));
wait_until($waits);
is(sql($progress), 'users locking rows 20 of 50, 2 chunks, 3 attempts', 'another session sees how far it is');
is(sql(q{SELECT keys_skipped = 0 AND rows = 20 AND missing = 0 AND db = 'postgres' AND estimated_end > started_at FROM lockstep.progress_apply_in_chunks}),
	't', 'and when it may end');
is($node->safe_psql('postgres', q{SELECT user_name IS NOT NULL, relid, keys_done FROM lockstep.progress_apply_in_chunks}, extra_params => [ '-U', 'nosy' ]),
	't||', 'a stranger sees that there is one, and no more');
$holder->run('COMMIT');
is($caller->finish, '5|50|50|6|0|0|', 'a chunk that came to a serialization failure is done again');
is(sql('SELECT count(*) FILTER (WHERE n = 1), sum(n) FROM users'), '49|150', 'all of it once');
is(sql('SELECT count(*) FROM lockstep.progress_apply_in_chunks'), '0', 'there is no progress of what has ended');

# Cancelled, or out of time: what was committed stays, and is told.
for my $case (
	[ '', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'caller'}, 'user request' ],
	[ q{SET statement_timeout = '2s';}, 'SELECT 1', 'statement timeout' ])
{
	my ($before, $stop, $why) = @$case;
	# Nobody knows how far it comes until its time is over: two chunks at most.
	my $chunks = $before eq '' ? qr/2/ : qr/[012]/;
	sql('UPDATE users SET n = 0');
	$holder->run('BEGIN; UPDATE users SET n = n + 100 WHERE id = 25');
	$caller->start("$before " . call(50, $add, 10));
	wait_until($waits) if $before eq '';
	sql($stop);
	my $said = $caller->finish;
	like($said, qr/canceling statement due to $why/, "it is stopped: $why");
	my ($done) = $said =~ /^CONTEXT:.*?(\d+) of 50 keys are done and committed; keys \d+ to \d+, from "\d+" to "\d+", come next/ms;
	like($done / 10, qr/^$chunks$/, "it tells how far it came: $why") or diag($said);
	my ($first, $last) = ($done + 1, $done + 10);
	like($said, qr/keys $first to $last, from "$first" to "$last", come next/, '... and what comes next');
	$holder->run('ROLLBACK');
	is(sql('SELECT sum(n), max(id) FILTER (WHERE n = 1) FROM users'), "$done|" . ($done || ''), 'so far it is done');
	is(sql('SELECT count(*) FROM lockstep.progress_apply_in_chunks'), '0', 'its progress has ended');
	$caller->run('RESET statement_timeout');
}

# A run is one session's at a time.
sql('UPDATE users SET n = 0');
$holder->run('BEGIN; UPDATE users SET n = n + 100 WHERE id = 25');
$caller->start(call(50, $add, q{10, resume => 'one'}));
wait_until($waits);
my (undef, undef, $error) = $node->psql('postgres', call(50, $add, q{10, resume => 'one'}));
like($error, qr/run "one" is carried on by another session/, 'no second session goes on with it meanwhile');
(undef, undef, $error) = $node->psql('postgres', q{SELECT lockstep.forget_chunk_run('one')});
like($error, qr/run "one" is carried on by another session/, 'nor can it be forgotten');
$holder->run('ROLLBACK');
is($caller->finish, '5|50|50|5|0|0|', 'the first goes on');
is(sql('SELECT min(n), max(n) FROM users'), '1|1', 'all of it once');

# Killed again and again at any moment: the session, and the whole server. It is CALLed until it is done.
my $keys = 3000;
sql("TRUNCATE users; INSERT INTO users SELECT generate_series(1, $keys)");
my $resumed = call($keys, "$add; SELECT pg_sleep(0.003)", q{7, resume => 'killed'});
my ($killed, $calls, $skipped) = (0, 0, 0);
$_->close for $holder, $caller;
for my $turn (1 .. 40)
{
	my $session = Session->new($node, 'killed');
	my $pid = $session->run('SELECT pg_backend_pid()');
	$session->start($resumed);
	$calls++;
	if ($turn <= 6)
	{
		# The first one has something done for sure.
		wait_until(q{SELECT sum(keys_done) > 0 FROM lockstep.chunk_runs WHERE name = 'killed'}) if $turn == 1;
		sleep(0.02 + rand(0.12));
		# Every third time it is the server that goes down, as in a crash.
		$turn % 3 ? sql("SELECT pg_terminate_backend($pid)") : kill('KILL', $pid);
		$killed++;
		my $end = eval { $session->finish } // '';
		eval { $session->close };
		wait_until("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $pid");
		is(sql('SELECT count(*) FILTER (WHERE n = 1) = coalesce((SELECT keys_done FROM lockstep.chunk_runs WHERE name = $$killed$$), 0), max(n) <= 1 FROM users'),
			't|t', 'the mark says what is done') or diag($end);
		next;
	}
	my $end = $session->finish;
	$session->close;
	($skipped) = $end =~ /^\d+\|\d+\|\d+\|\d+\|(\d+)\|0\|/m or diag($end);
	last;
}
ok($killed == 6 && $calls == 7 && $skipped > 0, "it was killed $killed times, and the last call went on after $skipped of $keys keys");
is(sql('SELECT count(*), min(n), max(n) FROM users'), "$keys|1|1", 'every key was applied exactly once');
is(sql(q{SELECT keys_done, rows, finished_at IS NOT NULL FROM lockstep.chunk_runs WHERE name = 'killed'}), "$keys|$keys|t", 'the run is told as finished');

# A dump has the runs as they were with the rows.
my $dump = "$PostgreSQL::Test::Utils::tmp_check/runs.sql";
sql('CREATE DATABASE restored');
$node->command_ok([ 'pg_dump', '-f', $dump, 'postgres' ], 'the database is dumped');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', $dump, 'restored' ], 'and restored');
is($node->safe_psql('restored', $resumed), "0|0|0|0|$keys|0|", 'the run is finished there, too');

# The case: sessions that update most rows of a table at the same time, each in an order of its own.
my ($rows, $sessions, $of_each) = (3000, 6, 2400);
sql(qq{
	CREATE TABLE people (id varchar(20) PRIMARY KEY, n int NOT NULL DEFAULT 0, updated timestamp);
	INSERT INTO people SELECT 'u' || n FROM generate_series(1, $rows) AS n;
	ANALYZE people});
my @lists = map { my @ids = shuffle(map { "u$_" } 1 .. $rows); [ @ids[ 0 .. $of_each - 1 ] ] } 1 .. $sessions;
my %times;
for my $list (@lists) { $times{$_}++ for @$list; }
# Who has ended has told what he has counted.
sub deadlocks { Session::wait_gone($node, '^session'); return sql(q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'}); }

# What each session says; "deadlocks", and in how many rows it differs from what was asked for.
sub together
{
	my ($name, $statement) = @_;
	sql('UPDATE people SET n = 0');
	my $before = deadlocks();
	my @sessions = map { Session->new($node, "session$_") } 0 .. $#lists;
	# As a plan follows the list of a prepared statement.
	$_->run('SET enable_hashjoin = off; SET enable_mergejoin = off; SET enable_seqscan = off') for @sessions;
	# They begin together, however long the last one takes to come.
	my $gate = Session->new($node, 'gate');
	$gate->run('BEGIN; LOCK TABLE people IN EXCLUSIVE MODE');
	$sessions[$_]->start($statement->('{' . join(',', @{ $lists[$_] }) . '}')) for 0 .. $#lists;
	Session::wait_blocked($node, scalar @lists, '^session');
	my $began = time;
	$gate->run('COMMIT');
	my @said = map { $_->finish } @sessions;
	my $took = time - $began;
	$_->close for @sessions, $gate;
	my %done = map { split /\|/ } split /\n/, sql('SELECT id, n FROM people');
	my $wrong = grep { $done{$_} != ($times{$_} // 0) } keys %done;
	my $deadlocks = deadlocks() - $before;
	diag(sprintf('%-40s %3d deadlocks, %5.1f s, %d rows wrong', $name, $deadlocks, $took, $wrong));
	return ($deadlocks, $wrong, @said);
}
my $one = q{UPDATE people SET n = n + 1, updated = clock_timestamp() FROM unnest(%s::text[]) AS k(id) WHERE people.id = k.id};
my ($deadlocks, $wrong) = together('one statement each', sub { return sprintf($one, "'$_[0]'") });
cmp_ok($deadlocks, '>', 0, 'one statement each: deadlocks');
cmp_ok($wrong, '>', 0, 'and work is lost');
($deadlocks, $wrong) = together('one statement each, retried',
	sub { return "CALL lockstep.retry(\$\$" . sprintf($one, '$1') . "\$\$, 'read committed', 1000, NULL, ARRAY['$_[0]'])" });
is($wrong, 0, 'retried: all is done');
my @said;
($deadlocks, $wrong, @said) = together('apply_in_chunks',
	sub { return "CALL lockstep.apply_in_chunks('people', '$_[0]', 'UPDATE people SET n = n + 1, updated = clock_timestamp() WHERE id = ANY(\$1)', 100)" });
is($deadlocks, 0, 'apply_in_chunks: no deadlock');
is($wrong, 0, 'and every row is updated exactly as often as asked for');
is("@said", join(' ', ('24|2400|2400|24|0|0|') x $sessions), 'each chunk at its first attempt');
$node->stop;
done_testing();
