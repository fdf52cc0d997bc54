# Transactions of several calls, at random, of eight sessions at once: they take rows of four ledgers (by the heap store and by
# statements) and of a table that is none, in any order and strength, by movements, locks, claims and updates by version, with savepoints, batches, shared ids, prepared transactions and all isolation levels. With
# lockstep.order_guard there is no deadlock, no circle of waits at any instant, and nobody waits for a transaction longer than
# it lasts. Switched off, the same programs do come to a deadlock.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IO::Handle;
use POSIX ();
use Time::HiRes qw(sleep time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $seconds = $ENV{LOCKSTEP_LOAD_SECONDS} || ($ENV{FULL} ? 60 : 20);
my $workers = 8;
my $most_attempts = 2000;
diag("seed $seed (LOCKSTEP_SEED)");

# The detector runs in each wait that lasts, and the server logs what it found.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nlog_statement = none\nlog_min_error_statement = panic\n"
	  . "max_prepared_transactions = 20\ndeadlock_timeout = 10ms\nlog_lock_waits = on\n");
$node->start;

# Keys as they are written in SQL; the last two have no row. "watched" has a trigger: statements serve it.
my %keys = (
	plain => [ 1 .. 10 ],
	watched => [ 1 .. 10 ],
	named => [ map { "'k$_'::text" } 1 .. 10 ],
	tenants => [ map { my $n = $_; map { "'($n,$_)'::text" } qw(a b) } 1 .. 5 ]);
my %type = (plain => 'int', watched => 'int', named => 'text', tenants => 'text');
my @ledgers = sort keys %keys;
my $rows_of = 8;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE plain (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO plain SELECT n, 1000 FROM generate_series(1, 8) AS n;
	CREATE TABLE watched (LIKE plain INCLUDING ALL);
	INSERT INTO watched SELECT * FROM plain;
	CREATE TABLE named (id text PRIMARY KEY, balance numeric(12, 2) NOT NULL);
	INSERT INTO named SELECT 'k' || id, balance FROM plain;
	CREATE TABLE tenants (tenant int, name text, balance int NOT NULL, PRIMARY KEY (tenant, name));
	INSERT INTO tenants SELECT n, name, 1000 FROM generate_series(1, 4) AS n, unnest(ARRAY['a', 'b']) AS name;
	CREATE TABLE notes (id int PRIMARY KEY, v int, version int NOT NULL DEFAULT 0);
	INSERT INTO notes SELECT id FROM plain;
	CREATE FUNCTION look_on() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
	CREATE TRIGGER look_on BEFORE UPDATE ON watched FOR EACH ROW EXECUTE FUNCTION look_on();
	SELECT lockstep.register_ledger(l::regclass) FROM unnest(ARRAY['plain', 'watched', 'named']) AS l;
	SELECT lockstep.register_ledger('tenants', key_columns => ARRAY['tenant', 'name'])});
is($node->safe_psql('postgres', q{SELECT string_agg(ledger || ' ' || store, ', ' ORDER BY ledger::text) FROM lockstep.ledgers}),
	'named heap, plain heap, tenants heap, watched spi', 'both stores serve');

sub chance { my ($percent) = @_; return rand(100) < $percent; }
sub one_of { return $_[ int(rand(@_)) ]; }
sub list_of { my ($type, @values) = @_; return 'ARRAY[' . join(',', @values) . "]::$type\[]"; }

# What an id asks for follows from its number, so that whoever sends it asks for the same: from, to (an adjustment
# has one of them alone) and an amount.
sub content_of
{
	my ($ledger, $n) = @_;
	my $all = $keys{$ledger};
	# By mistake now and then not; what statements come to then is in the spec order_guard_statements.
	$n += 3 if $ledger ne 'watched' && chance(1);
	my ($one, $other) = ($n % 10, ($n + 1 + int($n / 10) % 9) % 10);
	# Rows that are not there are asked for seldom.
	($one, $other) = map { $_ >= $rows_of && int($n / 7) % 4 ? $_ - $rows_of : $_ } $one, $other;
	$other = ($other + 1) % $rows_of if $other == $one;
	my @legs = ($all->[$one], $all->[$other]);
	$legs[ $n % 2 ] = 'NULL' if $n % 3 == 0;
	return (@legs, 1 + ($n * 7) % 60);
}
sub id_of { my ($n) = @_; return sprintf("'%08x-0000-4000-8000-%012x'", ($n * 2654435761) % 4294967296, $n); }

# Row locks, claims and updates by version, of the ledgers' rows and of notes, which is no ledger. An update tells "note".
my @tables = (@ledgers, 'notes');
$keys{notes} = [ 1 .. 10 ];
$type{notes} = 'int';
sub some_keys { my ($table) = @_; return list_of($type{$table}, map { one_of(@{ $keys{$table} }) } 1 .. 1 + int(rand(4))); }
sub lock_call
{
	my @strengths = ('key share', 'share', 'no key update', 'update');
	my ($table, $other) = (one_of(@tables), one_of(@tables));
	my ($strength, $wait) = (one_of(@strengths), chance(70) ? 'block' : one_of('skip', 'nowait'));
	my $how = rand(100);
	return "SELECT count(*) FROM lockstep.lock_rows('$table', " . some_keys($table) . ", '$strength', '$wait')" if $how < 45;
	return 'SELECT count(*) FROM lockstep.lock_all(ARRAY[' . join(', ', map { "lockstep.lock_set('$_', " . some_keys($_) . ", '" . one_of(@strengths) . "')" } $table, $other) . "], '$wait')"
	  if $how < 65;
	return "SELECT count(*) FROM lockstep.claim('$table', " . int(rand(4)) . ')' if $how < 80;
	# Some have read it before another one wrote it, whether or not that happens here.
	my $read = chance(10) ? 'version - 1' : 'version';
	return "SELECT 'note', lockstep.update_if_version('notes', id, $read, '{\"v\": 1}') FROM notes WHERE id = " . (1 + int(rand(8)));
}

# One call, as a statement that tells what became of each item.
sub call
{
	my ($worker, $window) = @_;
	return lock_call() if chance(30);
	my $ledger = one_of(@ledgers);
	my $number = sub { return chance(40) ? 1 + $window + int(rand(200)) : 10_000_000 + $worker + $workers * int(rand(1_000_000)) };
	my $told = "SELECT 'item', '$ledger', request_id, status, sqlstate FROM lockstep";
	my $how = chance(60) ? 'return' : 'raise';
	if (chance(50))
	{
		my $n = $number->();
		my ($from, $to, $amount) = content_of($ledger, $n);
		my $rest = ', request_id => ' . (chance(85) ? id_of($n) : 'NULL') . ", on_refusal => '$how')";
		return "$told.transfer('$ledger', $from, $to, $amount$rest" if $from ne 'NULL' && $to ne 'NULL';
		return "$told.adjust('$ledger', " . ($from eq 'NULL' ? "$to, $amount" : "$from, -$amount") . $rest;
	}
	my $atomic = chance(40) ? 'true' : 'false';
	my $adjusts = chance(30);
	# Of 9 items and more a few are looked up early, not all.
	my @numbers = map { my $n = $number->(); $adjusts ? $n - $n % 3 : $n } 1 .. (chance(10) ? 12 : 1 + int(rand(4)));
	my @contents = map { [ content_of($ledger, $_) ] } @numbers;
	my $ids = list_of('uuid', map { chance(85) ? id_of($_) : 'NULL' } @numbers);
	return "$told.adjust_batch('$ledger', "
	  . join(', ', list_of($type{$ledger}, map { $_->[0] eq 'NULL' ? $_->[1] : $_->[0] } @contents),
		list_of('numeric', map { $_->[0] eq 'NULL' ? $_->[2] : -$_->[2] } @contents), $ids, $atomic) . ')'
	  if $adjusts;
	return "$told.transfer_batch('$ledger', "
	  . join(', ', (map { my $leg = $_; list_of($type{$ledger}, map { $_->[$leg] } @contents) } 0, 1),
		list_of('numeric', map { $_->[2] } @contents), $ids, $atomic) . ')';
}

# A transaction of 2 to 6 calls, as lines for psql. It tells "failed STATE" for each statement that fails; "begin" and "undo" are
# said at savepoints, "done" in the end, if it has committed.
sub program
{
	my ($worker, $turn, $settings) = @_;
	my $isolation = chance(70) ? 'READ COMMITTED' : one_of('REPEATABLE READ', 'SERIALIZABLE');
	my $check = "\n;\n\\if :ERROR\n\\echo failed :SQLSTATE\n\\endif\n";
	my $say = sub { return "\n;\n\\if :ERROR\n\\echo failed :SQLSTATE\n\\else\n\\echo $_[0]\n\\endif\n" };
	my $text = "BEGIN ISOLATION LEVEL $isolation$check$settings";
	my $savepoints = 0;
	for (1 .. 2 + int(rand(5)))
	{
		if (chance(45))
		{
			$savepoints++;
			$text .= "SAVEPOINT s$savepoints" . $say->('begin');
		}
		$text .= call($worker, $turn * 4) . $check;
		next unless $savepoints && chance(40);
		# A savepoint whose call has failed is rolled back, another one now and then.
		$text .= chance(30) ? "\\set undo true\n" : "SELECT\n;\n\\set undo :ERROR\n";
		$text .= "\\if :undo\nROLLBACK TO s$savepoints" . $say->('undo') . "\\endif\nRELEASE s$savepoints" . $say->('release');
		$savepoints--;
	}
	# The COMMIT of a failed transaction is no error.
	$text .= "SELECT\n;\n\\if :ERROR\nROLLBACK\n;\n\\else\n";
	return "${text}COMMIT" . $say->('done') . "\\endif\n" unless chance(8);
	my ($end, $word) = chance(70) ? ('COMMIT', 'done') : ('ROLLBACK', 'given up');
	return "${text}PREPARE TRANSACTION 'w$worker'$check\\if :ERROR\n\\else\nSELECT pg_sleep(0.002)\n;\n$end PREPARED 'w$worker'" . $say->($word) . "\\endif\n\\endif\n";
}

# What a program has said: how it ended, and what it did, of which the parts are left out that a savepoint took back.
sub read_answers
{
	my ($said) = @_;
	my (@parts, $done, $given_up, %states) = ([]);
	my $error = '';
	for (split(/\n/, $said))
	{
		if (/^begin$/) { push @parts, []; }
		elsif (/^undo$/) { $parts[-1] = []; $error = ''; }
		elsif (/^release$/) { my $part = pop @parts; push @{ $parts[-1] }, @$part; }
		elsif (/^done$/) { $done = 1; }
		elsif (/^given up$/) { $given_up = 1; }
		elsif (/^failed (25P02|3B001)$/) { next; }    # after another one; a savepoint that was not made
		elsif (/^failed (\w+)$/) { $states{$1}++; $error ||= $1; }
		elsif (/^note\|/) { push @{ $parts[-1] }, ['note']; }
		elsif (/^item\|(\w+)\|([-0-9a-f]+)\|(\w+)\|(\w*)$/) { push @{ $parts[-1] }, [ $1, $2, $3, $4 ]; }
	}
	return { done => $done, given_up => $given_up, error => $error, states => \%states, items => [ map { @$_ } @parts ] };
}

# A worker runs programs until time is up, or until the file is there; a program that a conflict has ended it runs again, with
# the same ids. It writes down what was acknowledged, and which states it met.
sub work
{
	my ($worker, $file, $until, $stop, $settings) = @_;
	srand($seed + $worker);
	my $session = Session->new($node, "worker$worker");
	$session->run("\\set VERBOSITY sqlstate");
	open my $out, '>', $file or die "$file: $!";
	$out->autoflush(1);
	for (my $turn = 0; time < $until && !-e $stop; $turn++)
	{
		my $text = program($worker, $turn, $settings);
		for (my $attempt = 1;; $attempt++)
		{
			my $said = $session->run($text);
			my $answers = read_answers($said);
			print $out "state $_ $answers->{states}{$_}\n" for keys %{ $answers->{states} };
			if ($answers->{done})
			{
				print $out $_->[0] eq 'note' ? "note\n" : join(' ', 'item', @$_) . "\n" for @{ $answers->{items} };
				print $out "program done\n";
				last;
			}
			# A refusal that is raised ends a program for good.
			if ($answers->{given_up} || $answers->{error} =~ /^LS0(?:0[1-4]|10|12|30|40)$/)
			{
				print $out 'program ', $answers->{error} ? 'refused' : 'rolled_back', "\n";
				last;
			}
			if ($answers->{error} !~ /^(?:LS050|40001|40P01|55P03)$/ || $attempt >= $most_attempts)
			{
				print $out "strange after $attempt attempts: ", $said =~ s/\n/ /gr, "\n";
				last;
			}
			print $out "program again\n";
			sleep(rand(0.002 * ($attempt < 10 ? $attempt : 10)));
		}
	}
	$session->close;
	close $out or die "$file: $!";
	return;
}

# Looks at all waits again and again, at one instant each: how many there were, circles among them, and waits that began before the
# transaction began that they are for.
sub watch
{
	my ($file, $until, $stop) = @_;
	my $session = Session->new($node, 'watcher');
	open my $out, '>', $file or die "$file: $!";
	while (time < $until && !-e $stop)
	{
		print $out $session->run(q{
			WITH RECURSIVE waits AS MATERIALIZED (SELECT * FROM lockstep.lock_graph_all),
			     reach AS (SELECT waiter_pid, blocker_pid FROM waits WHERE blocker_pid IS NOT NULL
			               UNION SELECT r.waiter_pid, w.blocker_pid FROM reach AS r JOIN waits AS w ON w.waiter_pid = r.blocker_pid WHERE w.blocker_pid IS NOT NULL)
			SELECT (SELECT count(*) FROM waits), (SELECT count(*) FROM reach WHERE waiter_pid = blocker_pid),
			       (SELECT count(*) FROM pg_locks AS waiting JOIN pg_locks AS held ON held.transactionid = waiting.transactionid AND held.granted
			          JOIN pg_stat_activity AS a ON a.pid = held.pid AND a.backend_xid = held.transactionid
			         WHERE waiting.locktype = 'transactionid' AND NOT waiting.granted AND waiting.waitstart < a.xact_start)}), "\n";
		sleep(0.02);
	}
	$session->close;
	close $out or die "$file: $!";
	return;
}

# What they wrote, summed up.
my $folder = PostgreSQL::Test::Utils::tempdir();
sub sum_of
{
	my ($name) = @_;
	my %sum = (programs => {}, states => {}, items => {}, strange => [], applied => {}, refused => {});
	for my $worker (0 .. $workers - 1)
	{
		next unless -e "$folder/$name.$worker";
		for (split(/\n/, slurp_file("$folder/$name.$worker")))
		{
			if (/^program (\w+)$/) { $sum{programs}{$1}++; }
			elsif (/^state (\w+) (\d+)$/) { $sum{states}{$1} += $2; }
			elsif ($_ eq 'note') { $sum{items}{note}++; }
			elsif (/^item (\w+) (\S+) (\w+) ?(\w*)$/)
			{
				$sum{items}{ $3 . ($4 ? " $4" : '') }++;
				$sum{applied}{$1}{$2}++ if $3 eq 'applied';
				$sum{refused}{$1}{$2}++ if $3 eq 'refused' && $4 ne 'LS012';
			}
			else { push @{ $sum{strange} }, $_; }
		}
	}
	return \%sum;
}

# What there is to be met: a slow machine may take longer for all of it.
my %wanted = (
	states => [ 'LS050', '40001', 'LS003', 'LS010', 'LS030', '55P03' ],
	items => [ 'applied', 'replayed', 'refused LS003', 'refused LS012' ],
	programs => [ 'done', 'again', 'rolled_back', 'refused' ]);
sub met_all { my ($sum) = @_; return !grep { my $what = $_; grep { !$sum->{$what}{$_} } @{ $wanted{$what} } } keys %wanted; }

# Runs all of them at once: so long, and until the end is reached; at most for some minutes.
sub run_all
{
	my ($name, $for, $settings, $is_enough) = @_;
	my $begun = time;
	my $until = $begun + $for + $PostgreSQL::Test::Utils::timeout_default;
	my $stop = "$folder/$name.stop";
	my @children;
	for my $worker (0 .. $workers)
	{
		my $child = fork;
		die "fork: $!" unless defined $child;
		if (!$child)
		{
			my $fine = eval { $worker == $workers ? watch("$folder/$name.watch", $until, $stop) : work($worker, "$folder/$name.$worker", $until, $stop, $settings); 1 };
			print STDERR $@ unless $fine;
			POSIX::_exit($fine ? 0 : 1);
		}
		push @children, $child;
	}
	sleep(0.2) until time > $begun + $for && $is_enough->() || time > $until;
	append_to_file($stop, '');
	my $failed = 0;
	for (@children) { waitpid($_, 0); $failed++ if $?; }
	is($failed, 0, "$name: every session came to its end");
	my $sum = sum_of($name);
	for my $what ('programs', 'states', 'items') { diag("$name, $what: ", join(', ', map { "$sum->{$what}{$_} $_" } sort keys %{ $sum->{$what} })); }
	is(join("\n", @{ $sum->{strange} }), '', "$name: every program has an end, and no error but refusals and conflicts");
	return $sum;
}

# What was acknowledged is what the books have.
my (%applied, %refused, $notes);
sub check_books
{
	my ($name, $sum) = @_;
	for my $ledger (@ledgers)
	{
		$applied{$ledger}{$_} += $sum->{applied}{$ledger}{$_} for keys %{ $sum->{applied}{$ledger} };
		$refused{$ledger}{$_} += $sum->{refused}{$ledger}{$_} for keys %{ $sum->{refused}{$ledger} };
		for my $kind ([ applied => $applied{$ledger}, 'IS NULL' ], [ refused => $refused{$ledger}, 'IS NOT NULL' ])
		{
			my ($what, $told, $condition) = @$kind;
			my @booked = split(/\n/, $node->safe_psql('postgres', "SELECT request_id FROM ${ledger}_journal WHERE refusal $condition ORDER BY 1"));
			my $wrong = grep { $_ != 1 } values %$told;
			is($wrong, 0, "$name, $ledger: no id was acknowledged twice as $what");
			ok(join(' ', @booked) eq join(' ', sort keys %$told), "$name, $ledger: what is booked as $what was acknowledged, and the other way round (" . @booked . ')');
		}
		is($node->safe_psql('postgres', qq{
			SELECT (SELECT sum(balance) FROM $ledger) - 8000 - (SELECT coalesce(sum(CASE WHEN from_key IS NULL THEN amount WHEN to_key IS NULL THEN -amount ELSE 0 END), 0)
			                                                      FROM ${ledger}_journal WHERE refusal IS NULL) = 0}), 't',
			"$name, $ledger: the sum is what came from outside");
		is($node->safe_psql('postgres', "SELECT * FROM lockstep.verify_ledger('$ledger')"), '', "$name, $ledger: it verifies");
	}
	$notes += $sum->{items}{note} // 0;
	is($node->safe_psql('postgres', 'SELECT sum(version) FROM notes'), $notes, "$name: every update by version was done once ($notes)");
	is($node->safe_psql('postgres', 'SELECT count(*) FROM pg_prepared_xacts'), '0', "$name: no prepared transaction is left");
	return;
}

my $on = run_all('on', $seconds, '', sub { return met_all(sum_of('on')) });
my @looks = map { [ split(/\|/) ] } split(/\n/, slurp_file("$folder/on.watch"));
my ($waits, $circles, $too_long) = (0, 0, 0);
for (@looks) { $waits += $_->[0]; $circles += $_->[1]; $too_long += $_->[2]; }
diag(scalar(@looks), " looks at $waits waits");
cmp_ok($waits, '>', 0, 'on: waits were seen');
is($circles, 0, 'on: ... and none of them goes in a circle');
is($too_long, 0, 'on: ... and none is older than the transaction that it is for');
is($on->{states}{'40P01'} || 0, 0, 'on: no session met a deadlock');
cmp_ok($on->{states}{$_} || 0, '>', 0, "on: $_ was met") for @{ $wanted{states} };
cmp_ok($on->{items}{$_} || 0, '>', 0, "on: $_ was met") for @{ $wanted{items} };
cmp_ok($on->{programs}{$_} || 0, '>', 0, "on: programs $_") for @{ $wanted{programs} };
my $log = slurp_file($node->logfile);
unlike($log, qr/deadlock|40P01/, 'on: the server has logged no deadlock, not even one that it could avoid');
my %left;
for (split(/\n/, $log))
{
	$left{"$1 $2"}++ if /process (\d+) still waiting for (.*) after [\d.]+ ms/;
	delete $left{"$1 $2"} if /process (\d+) acquired (.*) after [\d.]+ ms/;
}
is(join(', ', keys %left), '', 'on: every wait that the detector looked at came to its end');
like($log, qr/still waiting for ShareLock on transaction/, 'on: ... and there were such waits');
check_books('on', $on);
is($node->safe_psql('postgres', 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'), '0', 'on: the server has counted no deadlock');

# Other ids, from here on: the same programs would be replays.
$seed += 1000;
# One deadlock is enough.
my $off = run_all('off', 0, "SET LOCAL lockstep.order_guard = off\n;\n", sub { return (sum_of('off')->{states}{'40P01'} // 0) > 0 });
cmp_ok($off->{states}{'40P01'} || 0, '>', 0, 'off: the same programs come to a deadlock');
is($off->{states}{LS050} || 0, 0, 'off: nothing is refused for its order');
check_books('off', $off);
$node->stop;
done_testing();
