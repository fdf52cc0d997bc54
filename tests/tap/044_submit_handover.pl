# Each step of the hand-over between sessions of CALL submit, with something that happens to one of them just there (the settings
# lockstep.debug_fault_point and debug_fault): its process is killed and the server restarts, it is terminated, its call is cancelled,
# it raises an error. The first call stands still, held by a CHECK that waits for an advisory lock; three come meanwhile, the first of whom leads
# the next group. Whatever happened: who was answered is in the journal once, who was refused is not there, the others get their
# answers, and no place of a queue of four is lost.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lockstep'\nlockstep.submit_queue_size = 4\nautovacuum = off\n"
	  . "restart_after_crash = on\nlog_min_error_statement = panic\n");
$node->start;
sub value_of { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
value_of(q{
	CREATE EXTENSION lockstep;
	-- Stands still while somebody has the lock 77; to the server it is a function like any other.
	CREATE FUNCTION stands(account int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
	  $$BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN true; END$$;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, CHECK (stands(id)));
	INSERT INTO accounts VALUES (1, 0);
	SELECT lockstep.register_ledger('accounts');
});

# A psql of its own for each call, for it may die with its session.
sub call
{
	my ($name, $id, @settings) = @_;
	my $call = { out => '' };
	$call->{psql} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-v', 'VERBOSITY=sqlstate', '-d', $node->connstr('postgres') . " application_name=$name",
			(map { ('-c', "SET lockstep.$_") } @settings), '-c', "CALL lockstep.submit('accounts', NULL, 1, 1, lockstep.request_id('$id'))" ],
		'<', \'', '>', \$call->{out}, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	return $call;
}

sub waits_in
{
	my ($type, $name) = @_;
	$node->poll_query_until('postgres', "SELECT wait_event_type = '$type' FROM pg_stat_activity WHERE application_name = '$name'") or die "$name does not wait";
	return;
}

# What each of the four has said: applied, replayed, a state, or gone.
my $case = 0;
sub played
{
	my ($point, $fault, $whose, $comes_to_wait) = @_;
	++$case;
	my $keeper = Session->new($node, 'keeper');
	$keeper->run('SELECT pg_advisory_lock(77)');
	my @calls = call('crew0', "$case 0");
	waits_in('Lock', 'crew0');
	for my $n (1 .. 3)
	{
		push @calls, call("crew$n", "$case $n", $n == $whose ? ("debug_fault = $fault", "debug_fault_point = $point") : ());
		waits_in('Extension', "crew$n") if $n != $whose || $comes_to_wait;
		# It is over before the next one comes.
		eval { $calls[-1]{psql}->finish } if $n == $whose && !$comes_to_wait;
		last if $fault eq 'kill' && $n == $whose && !$comes_to_wait;
	}
	$keeper->run('SELECT pg_advisory_unlock_all()') unless $fault eq 'kill' && !$comes_to_wait;
	for my $one (@calls) { eval { $one->{psql}->finish }; }
	if ($fault eq 'kill')
	{
		eval { $keeper->close_hard };
		$node->poll_query_until('postgres', 'SELECT true') or die 'the server does not come back';
	}
	else
	{
		$keeper->close;
	}
	# Whoever was terminated has given back his place then.
	Session::wait_gone($node, '^crew');
	return map { $_->{out} =~ /^(applied|replayed)\|/ ? $1 : $_->{out} =~ /(?:ERROR|FATAL):  (\w{5})$/m && $1 ne '57P02' ? $1 : 'gone' } @calls;
}
sub booked { return value_of("SELECT string_agg(n || '', ' ' ORDER BY n) FROM generate_series(0, 3) AS n WHERE lockstep.request_id('$case ' || n) IN (SELECT request_id FROM accounts_journal)"); }

# Point, fault, whose (1 leads the group, 2 follows), what each says, who is booked. Whose process is told to end behind the commit may
# have said it before.
my @cases = (
	[ 'submit_leads', 'terminate', 1, 'applied 57P01 applied applied', '0 2 3' ],
	[ 'submit_leads', 'cancel', 1, 'applied 57014 applied applied', '0 2 3' ],
	[ 'submit_leads', 'error', 1, 'applied XX000 applied applied', '0 2 3' ],
	[ 'submit_taken', 'terminate', 1, 'applied 57P01 applied applied', '0 2 3' ],
	[ 'submit_taken', 'cancel', 1, 'applied 57014 applied applied', '0 2 3' ],
	[ 'submit_taken', 'error', 1, 'applied applied applied applied', '0 1 2 3' ],
	# By itself it comes there once more.
	[ 'after_journal', 'error', 1, 'applied XX000 applied applied', '0 2 3' ],
	[ 'after_journal', 'terminate', 1, 'applied 57P01 applied applied', '0 2 3' ],
	[ 'after_journal', 'cancel', 1, 'applied 57014 applied applied', '0 2 3' ],
	[ 'submit_booked', 'error', 1, 'applied applied applied applied', '0 1 2 3' ],
	[ 'submit_booked', 'cancel', 1, 'applied applied applied applied', '0 1 2 3' ],
	[ 'submit_committed', 'cancel', 1, 'applied applied applied applied', '0 1 2 3' ],
	[ 'submit_committed', 'terminate', 1, 'applied (?:57P01|applied) applied applied', '0 1 2 3' ],
	[ 'submit_joined', 'cancel', 2, 'applied applied 57014 applied', '0 1 3' ],
	[ 'submit_joined', 'terminate', 2, 'applied applied 57P01 applied', '0 1 3' ],
	[ 'submit_joined', 'error', 2, 'applied applied XX000 applied', '0 1 3' ],
	[ 'submit_waits', 'cancel', 2, 'applied applied 57014 applied', '0 1 3' ],
	[ 'submit_waits', 'terminate', 2, 'applied applied 57P01 applied', '0 1 3' ],
	[ 'submit_waits', 'error', 2, 'applied applied XX000 applied', '0 1 3' ],
	[ 'submit_told', 'cancel', 2, 'applied applied applied applied', '0 1 2 3' ],
	[ 'submit_told', 'terminate', 2, 'applied applied (?:57P01|applied) applied', '0 1 2 3' ]);
# The server goes down with it, and nobody is answered but, if there was time, who had committed before.
my @crashes = (
	[ 'submit_leads', 'kill', 1, '(?:applied|gone) gone gone gone', '0' ],
	[ 'submit_taken', 'kill', 1, '(?:applied|gone) gone gone gone', '0' ],
	[ 'submit_booked', 'kill', 1, '(?:applied|gone) gone gone gone', '0' ],
	[ 'submit_waits', 'kill', 2, 'gone gone gone', '' ]);
sub check
{
	my ($point, $fault, $whose, $said, $booked) = @_;
	my @found = played($point, $fault, $whose, $point !~ /^submit_(?:joined|waits)$/);
	like("@found", qr/^$said$/, "$fault at $point of " . ($whose == 1 ? 'who leads' : 'who follows') . ': each is answered');
	is(booked(), $booked, '... and the journal says the same');
	return;
}
# All places are free: one leads and three wait, none of whom finds the queue full.
sub check_places
{
	my $said = join ' ', played('none', 'cancel', 1, 1);
	is($said, 'applied applied applied applied', 'four calls have a place');
	is(value_of('SELECT sum(alone_queue_full) FROM lockstep.submit_stats'), 0, '... each in the queue, as before');
	is(value_of('SELECT count(*) FROM lockstep.lock_graph'), 0, 'nobody waits');
	return;
}

check(@$_) for @cases;
check_places();
# A restart begins with an empty queue, and its counts at zero.
check(@$_) for @crashes;
# Committed, and perhaps told, when the server went down.
my @found = played('submit_committed', 'kill', 1, 1);
is($found[1], 'gone', 'kill at submit_committed: who led is not answered');
is(booked(), '0 1 2 3', '... but all are booked');

# None lost, none twice.
is(value_of("SELECT (SELECT balance FROM accounts) = count(*) AND count(*) = count(DISTINCT request_id) FROM accounts_journal"), 't', 'the balance is what the journal says');
is(value_of("SELECT * FROM lockstep.verify_ledger('accounts')"), '', 'the books agree');
check_places();

# Memory stays where it is: sessions that lead and follow by turns, after a warm-up and after many more. Of two, one
# waits and then leads alone; four are in groups whenever one is.
my @crowd = map { Session->new($node, "crowd$_") } 0 .. 3;
my $gate = Session->new($node, 'gate');
my $many = sub {
	my ($calls) = @_;
	# A file, for a session that stands still reads no more of what it is sent.
	my $file = PostgreSQL::Test::Utils::tempdir() . '/calls.sql';
	append_to_file($file, "CALL lockstep.submit('accounts', NULL, 1, 1);\n" x $calls);
	# They begin together: each is in groups, however long the last one takes to come.
	$gate->run('SELECT pg_advisory_lock(77)');
	for my $n (0 .. $#crowd)
	{
		$crowd[$n]->start("\\i $file");
		waits_in($n == 0 ? 'Lock' : 'Extension', "crowd$n");
	}
	$gate->run('SELECT pg_advisory_unlock(77)');
	$_->finish for @crowd;
	return map { $_->run('SELECT sum(total_bytes) FROM pg_backend_memory_contexts') } @crowd;
};
my @before = $many->(300);
my $grouped = value_of('SELECT grouped FROM lockstep.submit_stats');
my @after = $many->(2000);
cmp_ok(value_of('SELECT grouped FROM lockstep.submit_stats'), '>', $grouped, 'they were in groups');
cmp_ok($after[$_] - $before[$_], '<', 100_000, 'a session has no more memory after 2,000 calls more') for 0 .. 3;
$_->close for @crowd, $gate;

done_testing();
