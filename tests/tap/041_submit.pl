# CALL submit as a hostile user, a bad network and a bad day meet it. First groups that are made on purpose: a CHECK of the ledger waits for
# an advisory lock, so whoever leads stands still while others come, and the next group is known. Then storms: sessions that submit to a few
# hot rows of three ledgers, outsiders who lock the rows and transfer, timeouts, cancels and terminations, a restart. Each call that was
# answered is in the journal once, as it was answered; the books agree; nobody hangs; and no place of a small queue is lost.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(sleep time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $seconds = $ENV{LOCKSTEP_LOAD_SECONDS} || ($ENV{FULL} ? 60 : 9);
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);
my $folder = PostgreSQL::Test::Utils::tempdir();

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lockstep'\nfsync = on\nautovacuum = off\nlog_statement = none\n"
	  . "log_min_error_statement = panic\nmax_connections = 120\ndeadlock_timeout = 100ms\n");
$node->start;
sub value_of { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }

my $long = 'x' x 110;
my $too_long = 'y' x 300;
value_of(qq{
	CREATE EXTENSION lockstep;
	-- Stands still while somebody has the lock 77; to the server it is a function like any other.
	CREATE FUNCTION stands(ledger int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
	  \$\$BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN true; END\$\$;
	CREATE TABLE held (id int PRIMARY KEY, balance numeric NOT NULL, is_frozen boolean NOT NULL DEFAULT false, CHECK (balance < 1000000), CHECK (stands(id)));
	INSERT INTO held SELECT n, 1000 FROM generate_series(1, 9) AS n;
	SELECT lockstep.register_ledger('held', frozen_column => 'is_frozen', ceiling => 900000);
	CREATE TABLE asking (id int PRIMARY KEY, balance bigint NOT NULL, CHECK (stands(id)),
	  CHECK (balance >= 0 OR current_setting('app.overdraft', true) = 'on'));
	INSERT INTO asking SELECT n, 10 FROM generate_series(1, 2) AS n;
	SELECT lockstep.register_ledger('asking', floor => NULL);
	CREATE TABLE ints (id int PRIMARY KEY, balance bigint NOT NULL, CHECK (balance < 100000000));
	INSERT INTO ints SELECT n, 100000 FROM generate_series(1, 6) AS n;
	CREATE TABLE texts (id text PRIMARY KEY, balance numeric(20, 2) NOT NULL, CHECK (balance < 100000000));
	INSERT INTO texts SELECT unnest(ARRAY['a', 'b', '$long', '$too_long']), 100000;
	CREATE TABLE pairs (a int, b text, balance numeric NOT NULL, CHECK (balance < 100000000), PRIMARY KEY (a, b));
	INSERT INTO pairs SELECT n, 'of ' || n, 100000 FROM generate_series(1, 4) AS n;
	SELECT lockstep.register_ledger('ints'), lockstep.register_ledger('texts'), lockstep.register_ledger('pairs', key_columns => ARRAY['b', 'a']);
	CREATE TABLE gone (id int PRIMARY KEY, balance bigint NOT NULL, CHECK (stands(id)));
	INSERT INTO gone VALUES (1, 10);
	SELECT lockstep.register_ledger('gone');
	CREATE ROLE web LOGIN;
	CREATE ROLE other LOGIN;
	GRANT SELECT, UPDATE ON held TO web, other;
});

# --- groups on purpose ---

my $keeper = Session->new($node, 'keeper');
my @crew = map { my $s = Session->new($node, "crew$_"); $s->run('\\set VERBOSITY sqlstate'); $s } 0 .. 7;

# In the queue, or standing still.
sub waits_in
{
	my ($type, $name) = @_;
	$node->poll_query_until('postgres', "SELECT wait_event_type = '$type' FROM pg_stat_activity WHERE application_name = '$name'") or die "$name does not wait";
	return;
}

# The first call leads and stands still, the others wait in the queue; then what `meanwhile` does, and all go on. What each has said.
sub together
{
	my ($calls, $meanwhile) = @_;
	$keeper->run('SELECT pg_advisory_lock(77)');
	for my $n (0 .. $#$calls)
	{
		$crew[$n]->start($calls->[$n]);
		waits_in($n == 0 ? 'Lock' : 'Extension', "crew$n");
	}
	$meanwhile->() if $meanwhile;
	$keeper->run('SELECT pg_advisory_unlock_all()');
	return map { $crew[$_]->finish } 0 .. $#$calls;
}
# status|sqlstate|moved|from_balance|to_balance|booked_at|group_size, without the time.
sub without_time { return map { my $said = $_; $said =~ s/\|\d{4}-[^|]*\|/|/; $said } @_; }

my @said = without_time(together([
	q{CALL lockstep.submit('held', 1, 2, 1)},
	q{CALL lockstep.submit('held', 1, 2, 10)},
	q{CALL lockstep.submit('held', 2, 1, 5000)},
	q{CALL lockstep.submit('held', 2, 1, 5000, on_refusal => 'return')},
	q{CALL lockstep.submit('held', 2, 1, 5000, at_most => true)},
	q{CALL lockstep.submit('held', 1, 99, 1)},
	q{CALL lockstep.submit('held', NULL, 1, 899000)},
	q{CALL lockstep.submit('held', 1, NULL, 7)} ]));
is_deeply(\@said, [
		'applied||1|999|1001|1', 'applied||10|989|1011|7', 'ERROR:  LS001', 'refused|LS001|5000|1011|989|7', 'applied||1011|0|2000|7', 'ERROR:  LS003', 'ERROR:  LS002', 'applied||7|1993||7' ],
	'each is told his own') or diag(explain(\@said));

# The same id twice in one group, and ids that were refused before.
value_of(q{SELECT lockstep.transfer('held', 3, 4, 5000, lockstep.request_id('no'), on_refusal => 'return')});
@said = without_time(together([
	q{CALL lockstep.submit('held', 3, 4, 1)},
	q{CALL lockstep.submit('held', 3, 4, 2, lockstep.request_id('twice'))},
	q{CALL lockstep.submit('held', 3, 4, 2, lockstep.request_id('twice'))},
	q{CALL lockstep.submit('held', 3, 5, 2, lockstep.request_id('twice'))},
	q{CALL lockstep.submit('held', 3, 4, 5000, lockstep.request_id('no'), on_refusal => 'return')},
	q{CALL lockstep.submit('held', 3, 4, 5000, lockstep.request_id('no'))},
	q{CALL lockstep.submit('held', 3, 4, 5, on_refusal => 'return')} ]));
is(scalar(grep { /^applied\|\|2\|997\|1003\|/ } @said), 1, 'the same id twice in a group is done once') or diag(explain(\@said));
like($said[2], qr/^replayed\|\|2\|997\|1003\|1$/, 'and replayed');
is($said[3], 'ERROR:  LS010', 'and refused for other rows') or diag(explain(\@said));
like($said[4], qr/^refused\|LS012\|/, 'what was refused stays so');
is($said[5], 'ERROR:  LS012', 'for who wants an error too');
is(value_of(q{SELECT count(*) FROM held_journal WHERE request_id = lockstep.request_id('twice')}), 1, 'it is in the journal once');

# Memos, and amounts with many digits, of those that fit and those that do not.
my @memos = map { $_ x 150 } 'a' .. 'f';
push @memos, 'g' x 2000;
my @amounts = ('0.000000000000000001', '0.1', '1e1', '1.50000', '00012', '3', '123456789012345.678');
@said = without_time(together([ q{CALL lockstep.submit('held', 5, 6, 1)},
	map { "CALL lockstep.submit('held', 5, 6, $amounts[$_], lockstep.request_id('memo $_'), to_jsonb(text '$memos[$_]'))" } 0 .. 5 ]));
is(scalar(grep { /^applied/ } @said), 7, 'applied') or diag(explain(\@said));
is(value_of('SELECT ' . join(' + ', map { "(SELECT count(*) FROM held_journal WHERE request_id = lockstep.request_id('memo $_') AND memo = to_jsonb(text '$memos[$_]') AND amount = $amounts[$_])" } 0 .. 5)),
	6, 'each with his own memo and amount');

# A CHECK that fails makes each run by itself.
value_of('ALTER TABLE held ADD CHECK (balance <> 666)');
@said = without_time(together([
	q{CALL lockstep.submit('held', 7, NULL, 1)},
	q{CALL lockstep.submit('held', 7, NULL, 333)},
	q{CALL lockstep.submit('held', 7, NULL, 10)},
	q{CALL lockstep.submit('held', 8, 7, 1000)} ]));
is($said[0], 'applied||1|999||1', 'the first one led');
is(scalar(grep { /^applied/ } @said), 4, 'and all went on') or diag(explain(\@said));
value_of(q{SELECT lockstep.adjust('held', 8, 1000)});
@said = without_time(together([
	q{CALL lockstep.submit('held', 8, NULL, 1)},
	q{CALL lockstep.submit('held', 8, NULL, 333)},
	q{CALL lockstep.submit('held', NULL, 8, 0.5)},
	q{CALL lockstep.submit('held', NULL, 8, 2000000)} ]));
is($said[3], 'ERROR:  LS002', 'who is refused is told so in a group that fails') or diag(explain(\@said));
is(scalar(grep { /^applied/ } @said), 3, 'the others are not');

# What a CHECK finds in the session is that of the caller, not of who leads.
$crew[$_]->run(q{SET app.overdraft = 'on'}) for 0, 1;
$crew[2]->run(q{SET app.overdraft = 'off'});
$keeper->run('SELECT pg_advisory_lock(77)');
for (0 .. 2)
{
	$crew[$_]->start(q{CALL lockstep.submit('asking', 1, 2, 100)});
	# By themselves, or in the queue.
	$node->poll_query_until('postgres', "SELECT wait_event_type IN ('Lock', 'Extension') FROM pg_stat_activity WHERE application_name = 'crew$_'") or die "crew$_ does not wait";
}
$keeper->run('SELECT pg_advisory_unlock_all()');
@said = map { $crew[$_]->finish } 0 .. 2;
is($said[2], 'ERROR:  23514', 'a CHECK finds the settings of the caller') or diag(explain(\@said));
is(value_of('SELECT balance FROM asking WHERE id = 1'), -190, 'and lets others go on');

# Roles do not work for each other, neither by SET ROLE; and what reads only, writes nothing.
$crew[2]->run('SET ROLE web');
$crew[3]->run('SET ROLE other');
$crew[4]->run('SET SESSION AUTHORIZATION web');
$crew[5]->run('SET default_transaction_read_only = on');
$crew[6]->run(q{SET synchronous_commit = off});
$keeper->run('SELECT pg_advisory_lock(77)');
$crew[0]->start(q{CALL lockstep.submit('held', 9, NULL, 1)});
waits_in('Lock', 'crew0');
is($crew[5]->run(q{CALL lockstep.submit('held', 9, NULL, 1)}), 'ERROR:  25006', 'a session that reads only submits nothing');
for (1, 7, 2 .. 4, 6)
{
	$crew[$_]->start(q{CALL lockstep.submit('held', 9, NULL, 1)});
	waits_in('Extension', "crew$_");
}
value_of('REVOKE UPDATE ON held FROM other');
$keeper->run('SELECT pg_advisory_unlock_all()');
@said = without_time(map { $crew[$_]->finish } 0 .. 4, 6, 7);
my @sizes = map { /\|(\d+)$/ ? $1 : $_ } @said;
is("@sizes", '1 2 1 ERROR:  42501 1 1 2', 'calls are combined with those of the same role and settings alone') or diag(explain(\@said));
$crew[$_]->run('RESET ROLE; RESET SESSION AUTHORIZATION; RESET ALL') for 0 .. 7;

# A leader that is cancelled, terminated, or runs into his timeout; a follower that is cancelled before he is taken.
for my $how (qw(pg_cancel_backend pg_terminate_backend))
{
	@said = together([ map { "CALL lockstep.submit('held', 9, NULL, 1)" } 1 .. 4 ], sub {
		value_of("SELECT $how(pid) FROM pg_stat_activity WHERE application_name IN ('crew0', 'crew2')");
		$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name IN ('crew0', 'crew2') AND state = 'active'}) or die 'they do not end';
	}) if $how eq 'pg_cancel_backend';
	is(join(' ', map { /^(\w+)/ } @said), 'ERROR applied ERROR applied', 'followers of one that was cancelled go on') if $how eq 'pg_cancel_backend';
	next if $how eq 'pg_cancel_backend';
	$keeper->run('SELECT pg_advisory_lock(77)');
	my @mortal = map { Session->new($node, "mortal$_") } 0 .. 1;
	my $n = 0;
	for ($mortal[0], $crew[0], $mortal[1], $crew[1])
	{
		$_->start(q{CALL lockstep.submit('held', 9, NULL, 1)});
		waits_in($n++ ? 'Extension' : 'Lock', $_->{name});
	}
	$_->close_hard for @mortal;
	waits_in('Lock', 'crew0');
	$keeper->run('SELECT pg_advisory_unlock_all()');
	is(join(' ', map { $_->finish =~ /^(\w+)/ } @crew[ 0, 1 ]), 'applied applied', 'followers of one that has died go on');
}

# An outsider has the lower one of two rows: the call waits for it as any transfer does, and does not stand in his way at the upper one.
my $outsider = Session->new($node, 'outsider');
$outsider->run('\\set VERBOSITY sqlstate');
$outsider->run(q{BEGIN; SELECT lockstep.adjust('ints', 1, 1)});
$crew[0]->start(q{CALL lockstep.submit('ints', 2, 1, 5)});
waits_in('Lock', 'crew0');
like($outsider->run(q{SELECT lockstep.adjust('ints', 2, 1); COMMIT}), qr/applied/, 'an outsider goes on');
like($crew[0]->finish, qr/^applied\|\|5\|/, 'and so does who waits for him');
# The same where he is booking the id.
$outsider->run(q{BEGIN; SELECT lockstep.transfer('ints', 5, 6, 1, lockstep.request_id('mine'))});
$crew[0]->start(q{CALL lockstep.submit('ints', 2, 1, 5, lockstep.request_id('mine'))});
waits_in('Lock', 'crew0');
$crew[1]->start(q{CALL lockstep.submit('ints', 2, 1, 5)});
like($crew[1]->finish, qr/^applied/, 'who waits for an id has no row');
$outsider->run('ROLLBACK');
like($crew[0]->finish, qr/^applied/, 'and goes on in the end');

# The ledger is dropped, and with all the extension, while calls wait.
@said = together([ map { q{CALL lockstep.submit('gone', 1, NULL, 1)} } 1 .. 4 ], sub {
	$outsider->start(q{SELECT lockstep.drop_ledger('gone')});
	waits_in('Lock', 'outsider');
});
$outsider->finish;
like($said[0], qr/^applied/, 'who led was first');
is(join(' ', grep { !/^ERROR:  LS\d+|^ERROR:  \w{5}$/ } @said[ 1 .. 3 ]), '', 'the others are told of a ledger that is gone') or diag(explain(\@said));
value_of(q{SELECT lockstep.register_ledger('gone', journal => 'gone_journal')});
@said = together([ map { q{CALL lockstep.submit('gone', 1, NULL, 1)} } 1 .. 4 ], sub {
	$outsider->start(q{ALTER TABLE gone ALTER balance TYPE numeric});
	waits_in('Lock', 'outsider');
});
$outsider->finish;
is(scalar(grep { /^(applied|ERROR:  \w{5}$)/ } @said), 4, 'each has an answer where the type changes') or diag(explain(\@said));
is(value_of(q{SELECT count(*) FROM lockstep.verify_ledger('held')}), 0, 'the books agree');

# --- storms ---

my %sums = map { $_ => value_of("SELECT sum(balance) FROM $_") } qw(ints texts pairs);

# An id that tells who asked.
my $next_id = 0;
sub fresh_id { my ($worker) = @_; return sprintf('%08x-0000-4000-8000-%012x', $worker, ++$next_id); }

my @texts = ("'a'", "'b'", "'$long'", "'$too_long'");
sub call_of
{
	my ($id) = @_;
	my ($ledger, @keys);
	my $which = rand(10);
	if ($which < 5) { $ledger = 'ints'; @keys = map { 1 + int(rand($_ * 1.2)) } 3, 5; }
	elsif ($which < 8) { $ledger = 'texts'; @keys = map { $texts[ rand @texts ] . '::text' } 1, 2; }
	else { $ledger = 'pairs'; @keys = map { my $n = 1 + int(rand(4.1)); "ROW('of $n', $n)" } 1, 2; }
	$keys[1] = $ledger eq 'ints' ? $keys[0] % 5 + 1 : 'NULL' if $keys[0] eq $keys[1];
	@keys = reverse @keys if rand(4) < 1;
	my $how = rand(40);
	my $amount = $how < 1 ? 200_000_000 : $how < 4 ? 90_000 : $how < 8 ? '12.00' : 1 + int(rand(9));
	my $options = '';
	$options .= ", on_refusal => 'return'" if rand(2) < 1;
	$options .= ', at_most => true' if rand(8) < 1;
	$options .= ", memo => '{\"n\": \"" . 'm' x int(rand(700)) . "\"}'" if rand(3) < 1;
	return [ $ledger, "CALL lockstep.submit('$ledger', $keys[0], $keys[1], $amount, '$id'$options) \\gset r_\n" ];
}

# Scripts of a few calls, one after the other, until the end of the storm. What was left without an answer is asked for again.
sub submit_until
{
	my ($worker, $end) = @_;
	srand($seed + 1000 * $worker);
	my $file = "$folder/w$worker";
	my @again;
	for (my $round = 1; time < $end; ++$round)
	{
		my %calls;
		my @order;
		my $text = "\\set VERBOSITY sqlstate\n";
		$text .= 'SET statement_timeout = ' . (10, 40)[ rand 2 ] . ";\n" if rand(5) < 1;
		$text .= "SET lock_timeout = 5;\n" if rand(8) < 1;
		$text .= "SET default_transaction_isolation = 'serializable';\n" if rand(10) < 1;
		for (1 .. 40)
		{
			my $id = @again && rand(2) < 1 ? undef : fresh_id($worker);
			my $call = defined $id ? [ $id, @{ call_of($id) } ] : shift @again;
			$calls{ $call->[0] } = $call;
			$text .= "\\echo asked $call->[1] $call->[0]\n$call->[2]\\if :ERROR\n\\echo failed $call->[1] $call->[0] :SQLSTATE\n\\else\n"
			  . "\\echo answered $call->[1] $call->[0] :r_status :r_sqlstate :r_moved :r_from_balance :r_to_balance :r_group_size\n\\endif\n";
		}
		open my $script, '>', "$file.sql" or die;
		print $script $text;
		close $script;
		my $said = qx(psql -X -q -A -t -f $file.sql -d "@{[ $node->connstr('postgres') ]} application_name=w$worker" 2>&1);
		open my $log, '>>', "$file.log" or die;
		print $log $said;
		close $log;
		my $open;
		for (split /\n/, $said)
		{
			$open = $1 if /^asked \S+ (\S+)/;
			next unless /^(failed|answered) \S+ (\S+) (\S+)/;
			undef $open;
			my ($what, $id, $state) = ($1, $2, $3);
			push @again, $calls{$id} if $what eq 'failed' && substr($state, 0, 2) eq '57';
		}
		push @again, $calls{$open} if $open;
		sleep(0.05) if $said =~ /FATAL|could not connect|connection to server/;
	}
	return;
}

# Who locks rows, and transfers by statements.
sub stand_in_the_way
{
	my ($worker, $end) = @_;
	srand($seed + 1000 * $worker);
	my $file = "$folder/o$worker";
	while (time < $end)
	{
		my $text = "\\set VERBOSITY sqlstate\n";
		for (1 .. 20)
		{
			my ($from, $to) = (1 + int(rand(5)), 6);
			($from, $to) = ($to, $from) if rand(2) < 1;
			$text .= ("SELECT status FROM lockstep.transfer('ints', $from, $to, 1);\n", "BEGIN; SELECT FROM ints WHERE id = $from FOR UPDATE; SELECT pg_sleep(0.01); COMMIT;\n",
				"BEGIN; SELECT lockstep.adjust('texts', 'a', 1); ROLLBACK;\n", "SELECT pg_sleep(0.02);\n", "BEGIN; SELECT FROM pairs WHERE a = 1 FOR SHARE; SELECT pg_sleep(0.01); COMMIT;\n")[ rand 5 ];
		}
		open my $script, '>', "$file.sql" or die;
		print $script $text;
		close $script;
		my $said = qx(psql -X -q -A -t -f $file.sql -d "@{[ $node->connstr('postgres') ]} application_name=o$worker" 2>&1);
		open my $log, '>>', "$file.log" or die;
		print $log $said;
		close $log;
	}
	return;
}

my @children;
sub child { my $work = shift; my $pid = fork // die "fork: $!"; if ($pid == 0) { eval { $work->(@_); 1 } or print STDERR $@; POSIX::_exit(0); } push @children, $pid; return; }

my $workers = 0;
sub storm
{
	my ($name, $count, $time, $in_the_middle) = @_;
	my $end = time + $time;
	child(\&submit_until, ++$workers, $end) for 1 .. $count;
	child(\&stand_in_the_way, ++$workers, $end) for 1 .. 2;
	my $stopped = !$in_the_middle;
	while (time < $end)
	{
		sleep(0.03 + rand(0.1));
		my $how = rand(3) < 1 ? 'pg_terminate_backend' : 'pg_cancel_backend';
		$node->psql('postgres', "SELECT $how(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name ~ '^w\\d' AND state = 'active' ORDER BY random() LIMIT 2) AS x");
		if (!$stopped && time > $end - $time / 2)
		{
			$in_the_middle->();
			$stopped = 1;
		}
	}
	my $hung = 0;
	my $deadline = time + $PostgreSQL::Test::Utils::timeout_default;
	for my $pid (@children)
	{
		my $ended = 0;
		sleep(0.02) until ($ended = waitpid($pid, POSIX::WNOHANG())) || time > $deadline;
		next if $ended;
		++$hung;
		note(value_of(q{SELECT string_agg(concat_ws(' ', application_name, state, wait_event_type, wait_event, query), E'\n') FROM pg_stat_activity WHERE application_name ~ '^[wo]\d'}));
	}
	is($hung, 0, "$name: everybody came to his end");
	@children = ();
	Session::wait_gone($node, '^[wo]\\d') unless $hung;
	return;
}

# So many places are there, and all can be had: one leads, all others wait in the queue, and go on as one group. Who has no place would wait
# for the row's lock instead.
sub places_are_there
{
	my ($name, $count) = @_;
	my @said = together([ map { q{CALL lockstep.submit('held', 9, NULL, 1)} } 1 .. $count ]);
	is(join(' ', map { /^applied.*\|(\d+)$/ } @said), join(' ', 1, ($count - 1) x ($count - 1)), "$name: no place of the queue is lost") or diag(explain(\@said));
	return;
}

# Sessions that end with the server come again.
sub restart
{
	my ($how) = @_;
	$node->stop($how);
	$node->start;
	return;
}
sub renew
{
	$_->close for $keeper, $outsider, @crew;
	$keeper = Session->new($node, 'keeper');
	@crew = map { my $s = Session->new($node, "crew$_"); $s->run('\\set VERBOSITY sqlstate'); $s } 0 .. 7;
	return;
}

storm('8 sessions and a restart', 8, $seconds, sub { restart('immediate') });
$_->close for $keeper, $outsider, @crew;
$node->append_conf('postgresql.conf', "lockstep.submit_queue_size = 4\n");
$node->restart;
renew();
places_are_there('before', 4);
storm('24 sessions, 4 places', 24, $seconds);
places_are_there('after', 4);
$_->close for $keeper, @crew;
$node->append_conf('postgresql.conf', "lockstep.submit_queue_size = 64\n");
$node->restart;
storm('64 sessions', 64, $seconds);

# --- what became of it ---

my (%errors, %others, $largest, $answers);
my $answers_file = "$folder/answers";
open my $told, '>', $answers_file or die;
my $failed_file = "$folder/failed";
open my $failed, '>', $failed_file or die;
for my $worker (1 .. $workers)
{
	if (-e "$folder/o$worker.log")
	{
		$others{$_}++ for slurp_file("$folder/o$worker.log") =~ /ERROR:\s+(\w{5})/g;
		next;
	}
	next unless -e "$folder/w$worker.log"; # it came too late to ask for anything
	for (split /\n/, slurp_file("$folder/w$worker.log"))
	{
		if (my @fields = /^answered (\S+) (\S+) (\w+) (\S+) (\S+) (\S+) (\S+) (\d+)$/)
		{
			++$answers;
			$largest = $fields[7] if $fields[7] > ($largest || 0);
			print $told join("\t", map { /^:/ ? '\\N' : $_ } @fields) . "\n";
		}
		elsif (/^failed (\S+) (\S+) (\w{5})$/)
		{
			$errors{$3}++;
			print $failed "$1\t$2\t$3\n";
		}
	}
}
close $told;
close $failed;
value_of(q{
	CREATE TABLE told (ledger text, id uuid, status text, sqlstate text, moved numeric, from_balance numeric, to_balance numeric, size int);
	CREATE TABLE failed (ledger text, id uuid, sqlstate text);
	CREATE VIEW booked AS
	  SELECT 'ints' AS ledger, request_id, refusal, amount, from_balance, to_balance, from_key IS NULL AS is_in, to_key IS NULL AS is_out FROM ints_journal UNION ALL
	  SELECT 'texts', request_id, refusal, amount, from_balance, to_balance, from_key IS NULL, to_key IS NULL FROM texts_journal UNION ALL
	  SELECT 'pairs', request_id, refusal, amount, from_balance, to_balance, from_key IS NULL, to_key IS NULL FROM pairs_journal});
value_of("\\copy told FROM '$answers_file'");
value_of("\\copy failed FROM '$failed_file'");
note("$answers answers, groups up to $largest: " . value_of(q{SELECT string_agg(size || ': ' || n, ', ' ORDER BY size) FROM (SELECT size, count(*) AS n FROM told GROUP BY size) AS x}));
note('errors of submit: ' . join(', ', map { "$_ $errors{$_}" } sort keys %errors));
note('errors of others: ' . join(', ', map { "$_ $others{$_}" } sort keys %others));
cmp_ok($largest, '>', 4, 'there were groups');
is(join(' ', grep { !/^(LS001|LS003|LS012|23514|57014|57P0\d|55P03)$/ } sort keys %errors), '', 'errors are those of single movements');
is(join(' ', grep { !/^(LS001|57014|57P0\d)$/ } sort keys %others), '', 'nobody outside has met what he would not meet else');
is(value_of("SELECT count(*) FROM (SELECT FROM booked GROUP BY ledger, request_id HAVING count(*) > 1) AS x"), 0, 'no id is there twice');
is(value_of(q{SELECT count(*) FROM told AS t LEFT JOIN booked AS b ON b.ledger = t.ledger AND b.request_id = t.id WHERE b.request_id IS NULL}), 0, 'what was answered is there');
is(value_of(q{SELECT count(*) FROM told AS t JOIN booked AS b ON b.ledger = t.ledger AND b.request_id = t.id
	WHERE (b.refusal IS NULL) <> (t.status IN ('applied', 'replayed'))
	   OR t.sqlstate IS DISTINCT FROM 'LS012' AND t.sqlstate IS DISTINCT FROM b.refusal
	   OR (t.moved, t.from_balance, t.to_balance) IS DISTINCT FROM (b.amount, b.from_balance, b.to_balance)}), 0, 'as it was answered');
is(value_of(q{SELECT count(*) FROM failed AS f JOIN booked AS b ON b.ledger = f.ledger AND b.request_id = f.id WHERE f.sqlstate NOT LIKE '57%' AND f.sqlstate <> 'LS012'}), 0,
	'what has failed is not');
for my $ledger (sort keys %sums)
{
	is(value_of("SELECT count(*) FROM lockstep.verify_ledger('$ledger')"), 0, "the books of $ledger agree");
	is(value_of("SELECT (SELECT sum(balance) FROM $ledger) - (SELECT coalesce(sum(CASE WHEN is_in THEN amount WHEN is_out THEN -amount ELSE 0 END), 0) FROM booked"
			. " WHERE ledger = '$ledger' AND refusal IS NULL AND request_id::text LIKE '%-0000-4000-8000-%') = $sums{$ledger}"), 't', 'and so do the sums');
}

$node->stop;
done_testing();
