# Batches of many sessions at once, their keys and ids in random and in opposite orders, ids shared between
# sessions, single transfers in between: no deadlock, no error but refusals, each id booked once. One ledger is
# served by heap, the other, for its trigger, by spi.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $seconds = $ENV{LOCKSTEP_LOAD_SECONDS} || 12;
my $workers = 8;
diag("seed $seed (LOCKSTEP_SEED)");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none\nautovacuum = off\ndeadlock_timeout = 20ms\n");
$node->start;
my @ledgers = ('plain', 'watched');
my @rows = (1 .. 40);
$node->safe_psql('postgres', 'CREATE EXTENSION lockstep');
for my $ledger (@ledgers)
{
	$node->safe_psql('postgres', qq{
		CREATE TABLE $ledger (id int PRIMARY KEY, balance bigint NOT NULL);
		INSERT INTO $ledger SELECT n, 1000 FROM generate_series(1, 40) AS n;
		SELECT lockstep.register_ledger('$ledger', ceiling => 3000)});
}
$node->safe_psql('postgres', q{
	CREATE FUNCTION look_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER look_on AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION look_on();
});
is($node->safe_psql('postgres', q{SELECT string_agg(ledger || ' ' || store, ', ' ORDER BY ledger) FROM lockstep.ledgers}), 'plain heap, watched spi', 'one ledger a store');

# What an id asks for goes with its number, so that whoever sends it asks for the same. Ids are in another order
# than their numbers. One in fifty names a row that is not there.
sub content_of
{
	my ($n) = @_;
	my $from = $rows[ $n % 40 ];
	my $to = $rows[ ($n + 1 + int($n / 40) % 39) % 40 ];
	$to = 1000 + $n % 3 if $n % 50 == 0;
	return ($from, $to, 1 + ($n * 7) % 300);
}
sub id_of { my ($n) = @_; return sprintf('%08x-0000-4000-8000-%012x', ($n * 2654435761) % 4294967296, $n); }
sub list_of { my ($type, @values) = @_; return 'ARRAY[' . join(',', @values) . "]::$type\[]"; }

# Shared numbers come from a window that moves on with the work, so that sessions meet on new ones; a session's own
# come after all of them.
my $own = 10_000_000;
sub statement_of
{
	my ($worker, $turn) = @_;
	my $ledger = $ledgers[ rand(2) ];
	my $one = sub { return rand() < 0.6 ? 1 + $turn * 8 + int(rand(600)) : $own + $worker + $workers * int(rand(1_000_000)) };
	if (rand() < 0.3)
	{
		my $n = $one->();
		my ($from, $to, $amount) = content_of($n);
		my $how = rand() < 0.5 ? 'raise' : 'return';
		return "SELECT '$ledger', request_id, status FROM lockstep.transfer('$ledger', $from, $to, $amount, '" . id_of($n) . "', on_refusal => '$how');\n";
	}
	my $atomic = rand() < 0.3 ? 'true' : 'false';
	# A batch that must do all or nothing seldom can, if it is long.
	my @numbers = map { $one->() } 1 .. 1 + int(rand($atomic eq 'true' ? 6 : 50));
	my $order = int(rand(3));
	@numbers = sort { $a <=> $b } @numbers if $order;
	@numbers = reverse @numbers if $order == 2;
	my @contents = map { [ content_of($_) ] } @numbers;
	return "SELECT '$ledger', request_id, status FROM lockstep.transfer_batch('$ledger', "
	  . join(', ', list_of('int', map { $_->[0] } @contents), list_of('int', map { $_->[1] } @contents),
		list_of('numeric', map { $_->[2] } @contents), list_of('uuid', map { "'" . id_of($_) . "'" } @numbers), $atomic) . ");\n";
}

# Each worker feeds a psql until time is up; what the sessions say goes to a file each.
my $folder = PostgreSQL::Test::Utils::tempdir();
my $conninfo = $node->connstr('postgres');
my $until = time + $seconds;
my @children;
for my $worker (0 .. $workers - 1)
{
	my $child = fork;
	die "fork: $!" unless defined $child;
	if (!$child)
	{
		srand($seed + $worker);
		open my $psql, '|-', "psql -X -q -A -t -d '$conninfo' >$folder/said.$worker 2>$folder/errors.$worker" or POSIX::_exit(1);
		print $psql "\\set VERBOSITY sqlstate\n";
		my $sent = 0;
		print $psql statement_of($worker, $sent++) while time < $until;
		close $psql;
		POSIX::_exit($? ? 1 : 0);
	}
	push @children, $child;
}
my $failed = 0;
for (@children) { waitpid($_, 0); $failed++ if $?; }
is($failed, 0, 'every session came to its end');

my (%applied, %statuses, %errors);
for my $worker (0 .. $workers - 1)
{
	for (split(/\n/, slurp_file("$folder/said.$worker")))
	{
		my ($ledger, $id, $status) = split(/\|/);
		$statuses{"$ledger $status"}++;
		push @{ $applied{$ledger}{$id} }, $worker if $status eq 'applied';
	}
	for (split(/\n/, slurp_file("$folder/errors.$worker"))) { $errors{ /ERROR:  (\w+)/ ? $1 : $_ }++; }
}
note(join(', ', map { "$statuses{$_} $_" } sort keys %statuses), '; errors: ', join(', ', map { "$errors{$_} $_" } sort keys %errors));
is(join(' ', grep { !/^LS0(?:01|02|03|12)$/ } sort keys %errors), '', 'no error but refusals');
is($node->safe_psql('postgres', 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'), '0', 'the server has counted no deadlock');
unlike(slurp_file($node->logfile), qr/deadlock detected|40P01/, '... and logged none');

for my $ledger (@ledgers)
{
	cmp_ok($statuses{"$ledger $_"} || 0, '>', 50, "$ledger: $_ was met") for qw(applied replayed refused);
	my $twice = grep { @$_ != 1 } values %{ $applied{$ledger} };
	is($twice, 0, "$ledger: no id was applied twice");
	# What was applied, by the sessions' own words, is what was booked, and with the content of its id.
	my @expected = sort map { my $id = $_; my $n = hex(substr($id, 24)); join('|', $id, content_of($n)) } keys %{ $applied{$ledger} };
	my @booked = sort split(/\n/, $node->safe_psql('postgres', "SELECT request_id, from_key, to_key, amount FROM ${ledger}_journal WHERE refusal IS NULL"));
	is(scalar(@booked), scalar(@expected), "$ledger: each one that was applied is booked, and no other");
	is(scalar(grep { $booked[$_] ne ($expected[$_] // '') } 0 .. $#booked), 0, "$ledger: ... with its content");
	is($node->safe_psql('postgres', "SELECT sum(balance) FROM $ledger"), '40000', "$ledger: the sum is unchanged");
	is($node->safe_psql('postgres', qq{
		SELECT count(*) FROM $ledger AS a
		  LEFT JOIN LATERAL (SELECT coalesce(sum(CASE WHEN from_key = a.id THEN -amount ELSE amount END), 0) AS moved
		                       FROM ${ledger}_journal WHERE a.id IN (from_key, to_key) AND refusal IS NULL) AS j ON true
		 WHERE a.balance <> 1000 + j.moved}), '0', "$ledger: each amount is its start plus its legs");
	is($node->safe_psql('postgres', "SELECT * FROM lockstep.verify_ledger('$ledger')"), '', "$ledger: it verifies");
}

# Three sessions with one id, whose rows do not line them up: two of them lose to the first one, which then rolls
# back. What a loser has taken back is nothing to wait for.
for my $case ([ 'no such rows', '2000, 2001', '2000, 2001', '2000, 2001' ], [ 'other content', '1, 2', '3, 4', '5, 6' ])
{
	my ($what, @contents) = @$case;
	my ($one, $two) = map { "SELECT string_agg(status, ' ') FROM lockstep.transfer_batch('plain', $_, false)" }
	  map { my ($n, $from, $to) = ($_, split(/, /, $contents[$_])); "ARRAY[$from, " . (10 + $n) . "], ARRAY[$to, " . (20 + $n) . "], ARRAY[1, 1], ARRAY[lockstep.request_id('$what'), gen_random_uuid()]" } 1, 2;
	my %session = map { $_ => Session->new($node, $_) } qw(gate_one gate_two first one two);
	$session{gate_one}->run('BEGIN; SELECT FROM plain WHERE id = 11 FOR UPDATE');
	$session{gate_two}->run('BEGIN; SELECT FROM plain WHERE id = 12 FOR UPDATE');
	# The guard does not let them wait for other content while they hold rows (isolation test batches).
	if ($what eq 'other content') { $session{$_}->run('SET lockstep.order_guard = off') for qw(one two); }
	$session{one}->start($one);
	$session{two}->start($two);
	Session::wait_blocked($node, 2, '^(one|two)$');
	# Both have found the id new by now.
	my ($from, $to) = split(/, /, $contents[0]);
	$session{first}->run("BEGIN; SELECT status FROM lockstep.transfer_batch('plain', ARRAY[$from], ARRAY[$to], ARRAY[1], ARRAY[lockstep.request_id('$what')], false)");
	my ($first, $gate_two) = map { $session{$_}->run('SELECT pg_backend_pid()') } qw(first gate_two);
	$session{gate_one}->run('COMMIT');
	$node->poll_query_until('postgres', "SELECT $first = ANY (pg_blocking_pids(pid)) FROM pg_stat_activity WHERE application_name = 'one'") or die;
	$session{gate_two}->run('COMMIT');
	$node->poll_query_until('postgres', "SELECT wait_event = 'transactionid' AND $gate_two <> ALL (pg_blocking_pids(pid)) FROM pg_stat_activity WHERE application_name = 'two'") or die;
	$session{first}->run('ROLLBACK');
	my @said = sort map { $session{$_}->finish =~ s/\n.*//sr } 'one', 'two';
	if ($what eq 'no such rows') { is(join(', ', @said), 'refused applied, refused applied', "$what: both are answered"); }
	else
	{
		is($said[1], 'applied applied', "$what: one of them is applied");
		like($said[0], qr/^ERROR:  request id .* was used for another request$/, '... and the other one told');
	}
	$_->close for values %session;
	is($node->safe_psql('postgres', "SELECT count(*) FROM plain_journal WHERE request_id = lockstep.request_id('$what')"), '1', "$what: booked once");
}
is($node->safe_psql('postgres', 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'), '0', 'no deadlock of the losers');
is($node->safe_psql('postgres', "SELECT * FROM lockstep.verify_ledger('plain')"), '', '... and the ledger verifies');

# Few transaction ids a batch, however many of its items are refused. Nobody else is there.
my $session = Session->new($node, 'quiet');
$session->run('CREATE TABLE many (id int PRIMARY KEY, balance bigint NOT NULL); INSERT INTO many SELECT n, 10 FROM generate_series(1, 2000) AS n');
$session->run(q{SELECT lockstep.register_ledger('many')});
my $next_xid = 'SELECT pg_snapshot_xmax(pg_current_snapshot())';
for my $store ('heap', 'spi')
{
	$session->run("SET lockstep.store = '$store'");
	my $call = qq{SELECT string_agg(DISTINCT status || ' ' || count::text, ', ') FROM (SELECT status, count(*) FROM lockstep.transfer_batch('many',
		(SELECT array_agg(n) FROM generate_series(1, 1000) AS n), (SELECT array_agg(n + 1000) FROM generate_series(1, 1000) AS n),
		(SELECT array_agg(CASE WHEN n % 2 = 0 THEN 1 ELSE 1000 END) FROM generate_series(1, 1000) AS n),
		(SELECT array_agg(lockstep.request_id('$store' || n)) FROM generate_series(1, 1000) AS n), false) GROUP BY status) AS s};
	my $before = $session->run($next_xid);
	is($session->run($call), 'applied 500, refused 500', "$store: half of a thousand items are refused");
	# The heap store writes so many to the journal in a subtransaction of their own.
	my $expected = $store eq 'heap' ? 2 : 1;
	is($session->run($next_xid) - $before, $expected, "$store: transaction ids that it took");
	$before = $session->run($next_xid);
	is($session->run($call), 'refused 500, replayed 500', "$store: it is replayed");
	is($session->run($next_xid) - $before, 0, "$store: that took none");
}
$session->close;
$node->stop;
done_testing();
