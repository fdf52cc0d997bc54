# Batches and real faults. The server is killed in the middle of them, a backend kills itself between the journal
# and the rows, sessions are cancelled and terminated, a standby takes over: a batch is there with all its items
# or with none, what was acknowledged is there, and whatever is sent again is done once.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $rounds = $ENV{LOCKSTEP_ROUNDS} || 4;
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);
my $folder = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
# The machine stays up, so what is written to files stays there without fsync.
$node->append_conf('postgresql.conf', "fsync = off\nlog_statement = none\nrestart_after_crash = on\nautovacuum_naptime = 1s\ncheckpoint_timeout = 30s\n");
$node->start;
my @ledgers = ('plain', 'watched');
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE plain (id int PRIMARY KEY, balance bigint NOT NULL);
	CREATE TABLE watched (LIKE plain INCLUDING ALL);
	INSERT INTO plain SELECT n, 1000 FROM generate_series(1, 30) AS n;
	INSERT INTO watched TABLE plain;
	CREATE FUNCTION look_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
	CREATE TRIGGER look_on AFTER UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION look_on();
	SELECT lockstep.register_ledger('plain');
	SELECT lockstep.register_ledger('watched');
	CREATE TABLE sent (ledger text, batch text, acknowledged boolean, request_id uuid, from_key int, to_key int, amount numeric);
	CREATE ROLE clerk LOGIN;
	GRANT SELECT, UPDATE ON plain TO clerk;
});

sub value_of { my ($node, $sql) = @_; return $node->safe_psql('postgres', $sql); }
sub check_ledgers
{
	my ($node, $when) = @_;
	for (@ledgers)
	{
		is(value_of($node, "SELECT sum(balance) FROM $_"), '30000', "$when: the sum of $_ is unchanged");
		is(value_of($node, "SELECT * FROM lockstep.verify_ledger('$_')"), '', "$when: $_ verifies");
	}
	return;
}

# A batch: its name, its ledger, and the items, whose refusals are kept.
my $made = 0;
sub new_batch
{
	my ($name) = @_;
	my @items;
	for (1 .. 1 + int(rand(25)))
	{
		my $from = 1 + int(rand(30));
		my $to = 1 + ($from + int(rand(29))) % 30;
		push @items, [ sprintf('%08x-0000-4000-8000-%012x', int(rand(4294967295)), ++$made), $from, $to, 1 + int(rand(400)) ];
	}
	return { name => $name, ledger => $ledgers[ rand(4) < 3 ? 0 : 1 ], items => \@items };
}
sub call_of
{
	my ($batch) = @_;
	my $list = sub { my ($type, $field) = @_; return 'ARRAY[' . join(',', map { "'$_->[$field]'" } @{ $batch->{items} }) . "]::$type\[]"; };
	return "lockstep.transfer_batch('$batch->{ledger}', " . join(', ', $list->('int', 1), $list->('int', 2), $list->('numeric', 3), $list->('uuid', 0)) . ', false)';
}
# As a script's lines, that tell of the batch only when its commit was answered.
sub lines_of
{
	my ($batch) = @_;
	return "SELECT count(*) FROM " . call_of($batch) . ";\n\\if :ERROR\n\\else\n\\echo acknowledged $batch->{name}\n\\endif\n";
}
sub play
{
	my ($file, $said) = @_;
	return IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-f', $file, '-d', $node->connstr('postgres') ], '>', $said, '2>', "$said.errors");
}

sub children_of
{
	my ($parent) = @_;
	return grep { (eval { slurp_file("/proc/$_/stat") } || '') =~ /^\d+ \(.*\) \S $parent / } map { m{/proc/(\d+)$} } glob('/proc/[0-9]*');
}
# Kills the postmaster, and some of its children, each at once; the others end by themselves, but for those who wait for a lock in
# shared memory that a killed one has held: nobody is left to tell them.
sub kill_server
{
	my $postmaster = (split(/\n/, slurp_file($node->data_dir . '/postmaster.pid')))[0];
	my @children = children_of($postmaster);
	$node->kill9;
	for (@children) { kill 'KILL', $_ if rand(2) < 1; }
	my @alive;
	for my $try (1 .. 600)
	{
		@alive = grep { (eval { slurp_file("/proc/$_/stat") } || ') Z') !~ /\) Z/ } $postmaster, @children;
		last unless @alive;
		if ($try == 100) { kill 'KILL', $_ for @children; }
		select(undef, undef, undef, 0.1);
	}
	die "still alive: @alive" if @alive;
	# Who was killed is there until somebody has asked for its status. Where nobody asks, the server would take the dead one for alive.
	for (1 .. 50)
	{
		last unless -e "/proc/$postmaster";
		select(undef, undef, undef, 0.1);
	}
	unlink $node->data_dir . '/postmaster.pid', $node->host . '/.s.PGSQL.' . $node->port . '.lock' if -e "/proc/$postmaster";
	# A crash may leave much to replay, on a slow disk.
	local $ENV{PGCTLTIMEOUT} = 180;
	$node->start;
	return;
}

for my $round (1 .. $rounds)
{
	my (%batches, @sessions);
	for my $worker (1 .. 4)
	{
		my @own = map { new_batch("$round.$worker.$_") } 1 .. 1000;
		append_to_file("$folder/batches.$round.$worker", join('', map { lines_of($_) } @own) . "SELECT pg_sleep(600);\n");
		$batches{$worker} = \@own;
	}
	push @sessions, play("$folder/batches.$round.$_", "$folder/said.$round.$_") for 1 .. 4;
	# In the middle of the work, and at another moment each time: later than the last of four that may all be without an answer yet.
	my $from = $ledgers[0];
	$node->poll_query_until('postgres', "SELECT count(DISTINCT booked_at) > " . (4 + int(rand(150))) . " FROM ${from}_journal WHERE booked_at > pg_postmaster_start_time()") or die;
	select(undef, undef, undef, rand(0.1));
	kill_server();
	$_->finish for @sessions;
	is(scalar(grep { $_->result == 2 } @sessions), 4, "round $round: every session has lost its server");

	my %acknowledged = map { $_ => 1 } map { slurp_file("$folder/said.$round.$_") =~ /^acknowledged (\S+)$/mg } 1 .. 4;
	my (@rows, @again);
	for my $worker (1 .. 4)
	{
		my @left = grep { !$acknowledged{ $_->{name} } } @{ $batches{$worker} };
		# The first that was not acknowledged was under way, the others were not begun.
		push @again, @left[ 0 .. ($#left < 9 ? $#left : 9) ];
		for my $batch (@{ $batches{$worker} })
		{
			push @rows, map { join("\t", $batch->{ledger}, $batch->{name}, $acknowledged{ $batch->{name} } ? 't' : 'f', @$_) } @{ $batch->{items} };
		}
	}
	append_to_file("$folder/rows.$round", join("\n", @rows) . "\n");
	value_of($node, "TRUNCATE sent; COPY sent FROM '$folder/rows.$round'");
	note("round $round: " . scalar(keys %acknowledged) . ' batches acknowledged, ' . scalar(@again) . ' are sent again');
	cmp_ok(scalar(keys %acknowledged), '>', 0, "round $round: batches were acknowledged");
	my $found = q{(SELECT s.*, (j.request_id IS NOT NULL) AS is_there FROM sent AS s
		LEFT JOIN (SELECT 'plain' AS ledger, p.* FROM plain_journal AS p UNION ALL SELECT 'watched', w.* FROM watched_journal AS w) AS j
		  ON j.ledger = s.ledger AND j.request_id = s.request_id AND j.from_key = s.from_key AND j.to_key = s.to_key AND j.amount = s.amount) AS f};
	is(value_of($node, "SELECT count(*) FROM $found WHERE acknowledged AND NOT is_there"), '0', "round $round: what was acknowledged is there");
	is(value_of($node, "SELECT count(*) FROM (SELECT FROM $found GROUP BY batch HAVING bool_or(is_there) <> bool_and(is_there)) AS half"), '0', "round $round: no batch is half there");
	check_ledgers($node, "round $round");

	append_to_file("$folder/again.$round", join('', map { lines_of($_) } @again));
	play("$folder/again.$round", "$folder/said.again.$round")->finish;
	my @answered = slurp_file("$folder/said.again.$round") =~ /^acknowledged (\S+)$/mg;
	is(scalar(@answered), scalar(@again), "round $round: what was not acknowledged is sent again, and done") or diag(slurp_file("$folder/said.again.$round.errors"));
	my $names = join(',', map { "'$_'" } @answered);
	is(value_of($node, "SELECT count(*) FROM $found WHERE batch IN ($names) AND NOT is_there"), '0', "round $round: ... now it is there");
	my @some = map { "SELECT status FROM " . call_of($_) } @again[ 0 .. ($#again < 20 ? $#again : 20) ];
	is(value_of($node, 'SELECT DISTINCT status FROM (' . join(' UNION ALL ', @some) . ") AS s WHERE status = 'applied'"), '', "round $round: ... and a third time nothing is done");
	check_ledgers($node, "round $round, sent again");
}

# A backend that dies between the journal's rows and the ledger's leaves neither.
my $state = q{SELECT string_agg(t::text, ' ') FROM (SELECT id, balance FROM plain UNION ALL SELECT count(*), sum(amount) FROM plain_journal ORDER BY 1, 2) AS t};
my $before = value_of($node, $state);
my $batch = { name => 'fault', ledger => 'plain', items => new_batch('fault')->{items} };
my ($code, $out, $err) = $node->psql('postgres', q{SELECT lockstep.request_id('here'); SET lockstep.debug_fault_point = 'after_journal'}, extra_params => [ '-U', 'clerk' ]);
like($err, qr/permission denied to set parameter/, 'only a superuser may ask for a fault');
# Before the library is there, a setting is only a word.
($code, $out, $err) = $node->psql('postgres', q{SET lockstep.debug_fault_point = 'after_journal'; SELECT status FROM lockstep.transfer('plain', 1, 1001, 1, on_refusal => 'return')},
	extra_params => [ '-U', 'clerk' ]);
like($err, qr/permission denied to set parameter/, '... in good time');
is($out, 'refused', '... and nobody else gets one');
$before = value_of($node, $state);
for my $call ('SELECT count(*) FROM ' . call_of($batch), q{SELECT status FROM lockstep.transfer('plain', 1, 2, 1, lockstep.request_id('fault'), on_refusal => 'return')})
{
	my $crash = value_of($node, 'SELECT clock_timestamp()');
	($code, $out, $err) = $node->psql('postgres', "SET lockstep.debug_fault_point = 'after_journal'; $call", on_error_stop => 0);
	like($err, qr/server closed the connection unexpectedly|connection to server was lost|terminating connection/, 'the backend kills itself after the journal');
	Session::wait_restarted($node, $crash);
	is(value_of($node, $state), $before, '... and leaves nothing');
}
check_ledgers($node, 'after the fault');
is(value_of($node, "SELECT count(*) FROM " . call_of($batch) . " WHERE status = 'replayed' OR sqlstate = 'LS012'"), '0', 'the batch is new when it is sent again');
check_ledgers($node, 'after it was sent again');

# A large batch that is stopped in the middle: by its time limit, by a cancel, by a termination. At a row that
# somebody else holds it stops for sure; where it is let go, or finds nobody, at any moment, or not at all.
my %large = (plain => 200_000, watched => 30_000);
for my $ledger (@ledgers)
{
	my $count = $large{$ledger};
	my $counts = "SELECT count(*), sum(amount) FROM ${ledger}_journal";
	my $booked = value_of($node, $counts);
	value_of($node, "CREATE TABLE large_$ledger AS SELECT array_agg(1 + n % 30) AS f, array_agg(1 + (n + 7) % 30) AS t, array_agg(1::numeric) AS a,
		array_agg(gen_random_uuid()) AS i FROM generate_series(1, $count) AS n");
	my $call = "SELECT count(*) FROM large_$ledger, lockstep.transfer_batch('$ledger', f, t, a, i, false)";
	my $session = Session->new($node, 'large');
	my $small = q{SELECT status FROM lockstep.transfer('} . $ledger . q{', 1, 1001, 1, on_refusal => 'return')};
	my $gate = Session->new($node, 'gate');
	my $close_gate = sub { $gate->run("BEGIN; SELECT FROM $ledger WHERE id = 30 FOR UPDATE"); return; };
	my $stopped = 0;
	$close_gate->();
	for my $limit (10, 10 + int(rand(100)), 100 + int(rand(400)))
	{
		my $said = $session->run("BEGIN; SET LOCAL statement_timeout = $limit; $call");
		$stopped++ if $said =~ /canceling statement due to statement timeout/;
		$session->run('ROLLBACK');
		is(value_of($node, $counts), $booked, "$ledger: nothing is left of a batch that has run out of time");
		is($session->run("BEGIN; $small"), 'refused', '... and its session is of use again');
		$session->run('ROLLBACK');
		$gate->run('COMMIT');
	}
	cmp_ok($stopped, '>', 0, "$ledger: the limit was met in the middle");
	$stopped = 0;
	for my $round (1 .. 4)
	{
		$close_gate->();
		$session->start("BEGIN; $call");
		Session::wait_blocked($node, 1, '^large$');
		if ($round > 1)
		{
			$gate->run('COMMIT');
			select(undef, undef, undef, rand(0.2));
		}
		value_of($node, "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'large' AND state = 'active'");
		$stopped++ if $session->finish =~ /canceling statement due to user request/;
		$session->run('ROLLBACK');
		$gate->run('COMMIT');
		is(value_of($node, $counts), $booked, "$ledger: nothing is left of a cancelled batch");
		is($session->run("BEGIN; $small"), 'refused', '... and its session is of use again');
		$session->run('ROLLBACK');
	}
	cmp_ok($stopped, '>', 0, "$ledger: $stopped of 4 were cancelled in the middle");
	$close_gate->();
	$session->start("BEGIN; $call");
	Session::wait_blocked($node, 1, '^large$');
	$session->close_hard;
	$gate->close;
	is(value_of($node, $counts), $booked, "$ledger: nothing is left of a terminated batch");
	is(value_of($node, $call), $count, "$ledger: undisturbed, it is done");
	is(value_of($node, "SELECT count(*) FROM large_$ledger, lockstep.transfer_batch('$ledger', f, t, a, i, false) WHERE status = 'applied'"), '0', '... once');
}
check_ledgers($node, 'after the large ones');

# A standby replays batches while they come, and goes on with them.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
my $decodes = -e `pg_config --pkglibdir` =~ s/\s+\z//r . '/test_decoding.so';
value_of($node, q{SELECT pg_create_logical_replication_slot('changes', 'test_decoding')}) if $decodes;
my @streamed = map { new_batch("s.$_") } 1 .. 300;
append_to_file("$folder/streamed.$_", join('', map { lines_of($_) } @streamed[ 100 * $_ .. 100 * $_ + 99 ])) for 0 .. 2;
my @sessions = map { play("$folder/streamed.$_", "$folder/said.streamed.$_") } 0 .. 2;
# Whatever the standby has come to, it is whole batches.
check_ledgers($standby, 'the standby under way');
$_->finish for @sessions;
is(scalar(map { slurp_file("$folder/said.streamed.$_") =~ /^acknowledged/mg } 0 .. 2), 300, 'all batches were acknowledged');
$node->wait_for_catchup($standby);
for my $table ('plain', 'watched', 'plain_journal', 'watched_journal')
{
	my $all = "SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM $table AS t";
	is(value_of($standby, $all), value_of($node, $all), "$table is the same on the standby");
}
check_ledgers($standby, 'the standby');
($code, $out, $err) = $standby->psql('postgres', 'SELECT * FROM ' . call_of($streamed[0]));
like($err, qr/cannot execute lockstep\.transfer_batch\(\) in a read-only transaction/, 'the standby books nothing');
SKIP:
{
	skip 'test_decoding is not installed', 6 unless $decodes;
	my @changes = split(/\n/, value_of($node, q{SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL)}));
	my %booked = map { $_ => 1 } map { /table public\.(?:plain|watched)_journal: INSERT: .*?request_id\[uuid\]:'([0-9a-f-]+)'/ ? $1 : () } @changes;
	my @ids = map { map { $_->[0] } @{ $_->{items} } } @streamed;
	is(scalar(grep { !$booked{$_} } @ids) . ' of ' . scalar(keys %booked), '0 of ' . scalar(@ids), 'logical decoding tells every booking');
	# The last balance that it tells of each row is the row's.
	my %balances;
	for (@changes) { $balances{"$1 $2"} = $3 if /table public\.(plain|watched): UPDATE: .*?id\[integer\]:(\d+) balance\[bigint\]:(-?\d+)/; }
	my %found = map { split(/\|/) } split(/\n/, value_of($node, q{SELECT 'plain ' || id, balance FROM plain UNION ALL SELECT 'watched ' || id, balance FROM watched}));
	is(join(', ', map { "$_: $balances{$_} for $found{$_}" } grep { $balances{$_} ne $found{$_} } sort keys %balances), '', '... and every row');
	# Four sessions lose a race for one id, where no row of a movement is written: what they have tried to book
	# was never there. A subscriber would stop at a second row with the id.
	my $race = q{SELECT status || ' ' || sqlstate FROM lockstep.%s};
	my %calls = (
		'a single one' => sprintf($race, q{transfer('plain', 1, 2, 1000000000, lockstep.request_id('raced'), on_refusal => 'return')}),
		'a batch without rows' => sprintf($race, q{transfer_batch('plain', ARRAY[1, 9001], ARRAY[2, 9002], ARRAY[1000000000, 1], ARRAY[gen_random_uuid(), lockstep.request_id('raced, too')], false) WHERE item = 2}));
	for my $name (sort keys %calls)
	{
		value_of($node, q{SELECT count(*) FROM pg_logical_slot_get_changes('changes', NULL, NULL)});
		my $gate = Session->new($node, 'gate');
		$gate->run('BEGIN; SELECT id FROM plain WHERE id = 1 FOR NO KEY UPDATE');
		my @racers = map { Session->new($node, "racer$_") } 1 .. 4;
		$_->start($calls{$name}) for @racers;
		Session::wait_blocked($node, 4, '^racer');
		$gate->run('COMMIT');
		my $said = join(', ', sort map { $_->finish } @racers);
		my $first = $name =~ /single/ ? 'LS001' : 'LS003';
		is($said, "refused $first, refused LS012, refused LS012, refused LS012", "$name: of four that race one is refused, the others are told");
		my @booked = grep { /plain_journal: (?:INSERT|DELETE)/ } split(/\n/, value_of($node, q{SELECT data FROM pg_logical_slot_get_changes('changes', NULL, NULL)}));
		my %times;
		for (@booked) { $times{"$2 $1"}++ if /: (INSERT|DELETE): .*?request_id\[uuid\]:'([0-9a-f-]+)'/; }
		is(join(', ', grep { $times{$_} > 1 || /DELETE/ } sort keys %times), '', "$name: logical decoding tells each id once");
		$_->close for $gate, @racers;
	}
	value_of($node, q{SELECT pg_drop_replication_slot('changes')});
}
$node->stop('immediate');
$standby->promote;
check_ledgers($standby, 'promoted');
is(value_of($standby, 'SELECT count(*) FROM (' . join(' UNION ALL ', map { 'SELECT status FROM ' . call_of($_) } @streamed[ 0 .. 19 ]) . ") AS s WHERE status = 'applied'"), '0',
	'promoted: what the old primary has done is replayed');
is(value_of($standby, "SELECT count(*) FROM " . call_of(new_batch('new')) . " WHERE status = 'replayed'"), '0', 'promoted: what is new is done');
check_ledgers($standby, 'promoted and at work');
$standby->stop;
done_testing();
