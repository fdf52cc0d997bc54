# The classic deadlocks, by name: each is played, found in the history, and played again with its fix, after which
# there is none. What is printed here stands in docs/deadlocks.md.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use File::Basename qw(dirname);
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
deadlock_timeout = 10min
max_connections = 30
autovacuum = off
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE account (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO account SELECT i, 100 FROM generate_series(1, 9) AS i;
	CREATE TABLE customer (id int PRIMARY KEY, orders int NOT NULL DEFAULT 0);
	INSERT INTO customer VALUES (1), (2);
	CREATE TABLE purchase (id int PRIMARY KEY, customer int NOT NULL REFERENCES customer);
	CREATE TABLE voucher (code text PRIMARY KEY, uses int NOT NULL DEFAULT 0);
	INSERT INTO voucher VALUES ('SPRING'), ('SUMMER');
	CREATE TABLE booking (during int4range NOT NULL, EXCLUDE USING gist (during WITH &&));
	CREATE TABLE staging (id int);
	CREATE TABLE report (id int);
});
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub known { return sql(q{SELECT coalesce(max(id), 0) FROM lockstep.deadlock_history}); }

# Whoever runs the test.
my $user = sql('SELECT current_user');
my $page = '';
my %pid;

# The steps of two sessions, in order; one that ends in ... waits, the last one closes the cycle.
sub play
{
	my (@steps) = @_;
	my %session = map { $_ => Session->new($node, $_) } qw(first second);
	%pid = map { $_ => $session{$_}->run('SELECT pg_backend_pid()') } keys %session;
	$session{$_}->run('BEGIN') for qw(first second);
	# The one that comes to close the cycle looks at once.
	$session{ $steps[-1][0] }->run(q{SET LOCAL deadlock_timeout = '20ms'});
	my %waits;
	my $said = '';
	for my $step (@steps)
	{
		my ($name, $statement) = @$step;
		if ($statement =~ s/ \.\.\.$//)
		{
			$session{$name}->start($statement);
			$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid{$name}") or die "$name does not wait";
			$waits{$name} = 1;
		}
		else
		{
			$said .= $session{$name}->run($statement);
		}
	}
	# Whoever does not wait is done first.
	for my $name (sort { ($waits{$a} // 0) <=> ($waits{$b} // 0) } keys %session)
	{
		$said .= $session{$name}->finish if $waits{$name};
		$said .= $session{$name}->run($said =~ /deadlock detected/ || %waits ? 'ROLLBACK' : 'COMMIT');
	}
	$_->close for values %session;
	return $said;
}

sub steps_text { my ($steps) = @_; return join '', map { sprintf "  %-6s  %s\n", $_->[0], $_->[1] } @$steps; }

sub classic
{
	my ($name, $steps, $fixed) = @_;
	my $before = known();
	like(play(map { [@$_] } @$steps), qr/deadlock detected/, "$name: a deadlock");
	is(known(), $before + 1, "$name: it is in the history");
	my $text = sql('SELECT * FROM lockstep.deadlock_text(' . ($before + 1) . ')');
	# What is another each time: the time, the processes, the transactions.
	$text =~ s/^Deadlock \d+ at \S+ \S+ in/Deadlock in/;
	$text =~ s/waited \d+ m?s/waited .../g;
	$text =~ s/\b$pid{first}\b/101/g;
	$text =~ s/\b$pid{second}\b/102/g;
	$text =~ s/\b(10[12]) \Q$user\E\b/$1 postgres/g;
	$text =~ s/transaction \d+/transaction .../g;
	$text =~ s/ ;$//gm;
	$text =~ s/\(\d+,\d+\)(?= in relation)/(...)/g;
	$page .= "$name\n\n$text\n\n";
	unlike(play(map { [@$_] } @$fixed), qr/ERROR/, "$name: none with the fix");
	is(known(), $before + 1, "$name: and none in the history");
	$page .= "With the fix:\n" . steps_text($fixed) . "\n";
	return;
}

classic('Updates in two orders',
	[ [ first => 'UPDATE account SET balance = balance - 5 WHERE id = 1' ],
	  [ second => 'UPDATE account SET balance = balance - 5 WHERE id = 2' ],
	  [ first => 'UPDATE account SET balance = balance + 5 WHERE id = 2 ...' ],
	  [ second => 'UPDATE account SET balance = balance + 5 WHERE id = 1' ] ],
	[ [ first => q{SELECT lockstep.lock_rows('account', ARRAY[1, 2])} ],
	  [ second => q{SELECT lockstep.lock_rows('account', ARRAY[2, 1]) ...} ],
	  [ first => 'UPDATE account SET balance = balance - 5 WHERE id = 1' ],
	  [ first => 'UPDATE account SET balance = balance + 5 WHERE id = 2' ] ]);
classic('A foreign key, and FOR UPDATE',
	[ [ first => 'INSERT INTO purchase VALUES (1, 1)' ],
	  [ second => 'INSERT INTO purchase VALUES (2, 1)' ],
	  [ first => 'SELECT * FROM customer WHERE id = 1 FOR UPDATE ...' ],
	  [ second => 'SELECT * FROM customer WHERE id = 1 FOR UPDATE' ] ],
	[ [ first => q{SELECT lockstep.lock_rows('customer', ARRAY[1])} ],
	  [ second => q{SELECT lockstep.lock_rows('customer', ARRAY[1]) ...} ],
	  [ first => 'INSERT INTO purchase VALUES (1, 1)' ],
	  [ first => 'UPDATE customer SET orders = orders + 1 WHERE id = 1' ] ]);
classic('A lock that becomes a stronger one',
	[ [ first => 'SELECT * FROM account WHERE id = 3 FOR SHARE' ],
	  [ second => 'SELECT * FROM account WHERE id = 3 FOR SHARE' ],
	  [ first => 'UPDATE account SET balance = 0 WHERE id = 3 ...' ],
	  [ second => 'UPDATE account SET balance = 1 WHERE id = 3' ] ],
	[ [ first => 'SELECT * FROM account WHERE id = 3 FOR NO KEY UPDATE' ],
	  [ second => 'SELECT * FROM account WHERE id = 3 FOR NO KEY UPDATE ...' ],
	  [ first => 'UPDATE account SET balance = 0 WHERE id = 3' ] ]);
classic('The same keys inserted in two orders',
	[ [ first => q{INSERT INTO voucher VALUES ('A')} ],
	  [ second => q{INSERT INTO voucher VALUES ('B')} ],
	  [ first => q{INSERT INTO voucher VALUES ('B') ...} ],
	  [ second => q{INSERT INTO voucher VALUES ('A')} ] ],
	[ [ first => q{INSERT INTO voucher VALUES ('A')} ],
	  [ second => q{INSERT INTO voucher VALUES ('A') ON CONFLICT DO NOTHING ...} ],
	  [ first => q{INSERT INTO voucher VALUES ('B')} ] ]);
classic('ON CONFLICT in two orders',
	[ [ first => q{INSERT INTO voucher VALUES ('SPRING') ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1} ],
	  [ second => q{INSERT INTO voucher VALUES ('SUMMER') ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1} ],
	  [ first => q{INSERT INTO voucher VALUES ('SUMMER') ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1 ...} ],
	  [ second => q{INSERT INTO voucher VALUES ('SPRING') ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1} ] ],
	[ [ first => q{INSERT INTO voucher SELECT code FROM unnest(ARRAY['SUMMER', 'SPRING']) AS code ORDER BY code ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1} ],
	  [ second => q{INSERT INTO voucher SELECT code FROM unnest(ARRAY['SPRING', 'SUMMER']) AS code ORDER BY code ON CONFLICT (code) DO UPDATE SET uses = voucher.uses + 1 ...} ] ]);
classic('An exclusion constraint',
	[ [ first => q{INSERT INTO booking VALUES ('[1,10)')} ],
	  [ second => q{INSERT INTO booking VALUES ('[20,30)')} ],
	  [ first => q{INSERT INTO booking VALUES ('[25,26)') ...} ],
	  [ second => q{INSERT INTO booking VALUES ('[5,6)')} ] ],
	[ [ first => q{INSERT INTO booking VALUES ('[1,10)')} ],
	  [ second => q{INSERT INTO booking SELECT during FROM unnest(ARRAY['[40,41)', '[5,6)']::int4range[]) AS during ORDER BY during ...} ],
	  [ first => q{INSERT INTO booking VALUES ('[30,31)')} ] ]);
classic('TRUNCATE and SELECT',
	[ [ first => 'SELECT count(*) FROM report' ],
	  [ second => 'TRUNCATE staging' ],
	  [ first => 'SELECT count(*) FROM staging ...' ],
	  [ second => 'TRUNCATE report' ] ],
	[ [ first => 'SELECT count(*) FROM report' ],
	  [ second => 'TRUNCATE report, staging ...' ],
	  [ first => 'SELECT count(*) FROM staging' ] ]);

# As psql shows it.
sub shown
{
	my ($query) = @_;
	my ($out, $error);
	IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('postgres'), '-c', $query ], '>', \$out, '2>', \$error) or die $error;
	$out =~ s/[ ]+$//gm;
	$page .= "$query;\n$out";
	return;
}
$node->poll_query_until('postgres', q{SELECT counted = 7 FROM lockstep.deadlock_coverage}) or die 'the server has not counted them';
shown(q{SELECT id, found_by, outcome, victim_app, members, relations FROM lockstep.deadlock_history});
shown(q{SELECT count, last_id, relations, cardinality(statements) AS statements, left(advice, 48) AS advice FROM lockstep.deadlock_signature ORDER BY last_id});
shown(q{SELECT db, recorded, lost, counted, missed FROM lockstep.deadlock_coverage});

is($page, slurp_file(dirname(__FILE__) . '/expected/classic_deadlocks.out'), 'what is printed is what the documentation shows')
  or diag($page);
# Whether a statement was an INSERT tells something of it.
is(sql(q{SELECT count(*) FROM lockstep.deadlock_history WHERE advice ~ 'had inserted'}), 3, 'the advice knows inserts');
is(sql(q{CREATE ROLE plain; SET ROLE plain; SELECT count(*) FROM lockstep.deadlock_history WHERE advice ~ 'had inserted'}), 0, '... and does not tell who may not see the statements');
$node->stop;
done_testing();
