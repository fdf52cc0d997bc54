# The lock graph with calls of submit: who waits in the queue stands below who leads or works on its rows, and that one below
# whoever it waits for itself; sessions that end in the queue, or lead and end, are gone.
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
deadlock_timeout = 1h
autovacuum = off
});
$node->start;
# A balance of 10 or 20 is one that the ledger's own CHECK waits for somebody to let pass. It says of itself that it is immutable:
# else calls would go each by itself.
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE FUNCTION passes(balance bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN
		IF balance IN (10, 20) THEN
			PERFORM pg_advisory_xact_lock_shared(balance);
		END IF;
		RETURN true;
	END $$;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (passes(balance)));
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 5) AS n;
	SELECT lockstep.register_ledger('accounts', 'id', 'balance');
});

my $graph = q{SELECT coalesce(string_agg(format('%s %s %s', waiter_app, edge_kind, blocker_app), ', ' ORDER BY waiter_app, blocker_app), 'nobody') FROM lockstep.lock_graph};
# Names for pids.
my $named = sub {
	my ($text) = @_;
	my %names = map { split /\|/ } split /\n/, $node->safe_psql('postgres', q{SELECT pid, application_name FROM pg_stat_activity WHERE application_name <> ''});
	$text =~ s/\b(\d+)\b/$names{$1} || $1/ge;
	return $text;
};
my $shown_as = sub {
	my ($expected, $what) = @_;
	ok($node->poll_query_until('postgres', "$graph", $expected), $what) or diag($node->safe_psql('postgres', $graph));
	return;
};
# Who comes to wait first has, as a rule, the higher pid.
my %session = map { $_ => Session->new($node, $_) } qw(outsider first third second fourth fifth);
my %pid = map { $_ => $session{$_}->run('SELECT pg_backend_pid()') } keys %session;
my $submit = sub {
	my ($name, $from, $to, $amount) = @_;
	$session{$name}->start("CALL lockstep.submit('accounts', $from, $to, $amount)");
	return;
};

# One leads, alone, and is held in the middle; two come to its row meanwhile.
$session{outsider}->run('SELECT pg_advisory_lock(10), pg_advisory_lock(20)');
$submit->('first', 'NULL', 1, 10);
Session::wait_blocked($node, 1, 'first');
$submit->('second', 'NULL', 1, 6);
$shown_as->('first hard outsider, second group first', 'a call waits for who leads');
$submit->('third', 'NULL', 1, 4);
my $two = 'first hard outsider, second group first, third group first';
$shown_as->($two, 'each call waits for who leads');

is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s %s', waiter_app, depth, root_id = (SELECT pid FROM pg_stat_activity WHERE application_name = 'outsider')), ', ' ORDER BY waiter_app) FROM lockstep.lock_graph}),
	'first 1 t, second 2 t, third 2 t', 'whoever the leader waits for is the root');
is($named->($node->safe_psql('postgres', q{SELECT lock_text, wait_mode, queue_pos, queue_len, blocker_holds, lock_type, row_key, row_status, waiter_vxid, waiter_xid, waiter_kind, is_nearest, same_group
	FROM lockstep.lock_graph WHERE waiter_app = 'second'})),
	'group of submit led by pid first||||||||||backend|t|f', 'the wait is said in words, and is for no lock, of no transaction');
like($node->safe_psql('postgres', q{SELECT waiter_query FROM lockstep.lock_graph WHERE waiter_app = 'second'}), qr/^CALL lockstep\.submit\('accounts', NULL, 1, 6\)/, '... with the statement that waits');
is($node->safe_psql('postgres', q{SELECT wait_start BETWEEN query_start AND clock_timestamp(), wait_for = greatest(snapshot_at - wait_start, '0')
	FROM lockstep.lock_graph JOIN pg_stat_activity ON pid = waiter_pid WHERE waiter_app IN ('second', 'third')}), "t|t\nt|t", '... since its own statement came to it');
is($node->safe_psql('postgres', q{SELECT string_agg(waiter_app, ' ' ORDER BY wait_start) FROM lockstep.lock_graph}), 'first second third', '... one after the other');
is($node->safe_psql('postgres', q{SELECT string_agg(concat_ws(' ', depth, wait_for > '0', wait_for_seconds > 0), ', ' ORDER BY sort_key) FROM lockstep.lock_tree}), '0, 1 t t, 2 t t, 2 t t', 'lock_tree says how long');
is($node->safe_psql('postgres', q{SELECT oldest_wait_start = (SELECT min(wait_start) FROM lockstep.lock_graph), sum_wait > longest_wait
	FROM lockstep.root_blocker}), 't|t', 'root_blocker counts the time of all');
is($named->($node->safe_psql('postgres', q{SELECT waiter_pid, edge_kind, blocker_pid, lock_text, is_nearest FROM lockstep.lock_graph_all WHERE edge_kind = 'group' ORDER BY waiter_pid})),
	join("\n", map { "$_|group|first|group of submit led by pid first|t" } sort { $pid{$a} <=> $pid{$b} } qw(second third)), 'lock_graph_all has the same');
is($named->($node->safe_psql('postgres', q{SELECT pid, depth, direct_blocked, total_blocked, lock_text, wait_mode FROM lockstep.lock_tree ORDER BY depth, pid})),
	join("\n", 'outsider|0|1|3||', 'first|1|2|2|advisory lock (outsider)|ShareLock', map { "$_|2|0|0|group of submit led by pid first|" } sort { $pid{$a} <=> $pid{$b} } qw(second third)) =~ s/\(outsider\)/(10)/r,
	'lock_tree has them below the leader');
# Without branches, roles and times; where the lines stand, lock_tree has said.
(my $tree = $named->($node->safe_psql('postgres', 'SELECT lockstep.lock_tree_text()'))) =~ s/^\W*(\w+) .*\b\1:/$1:/mg;
is($node->safe_psql('postgres', q{SELECT count(*) FROM lockstep.lock_tree_text() AS line WHERE line ~ ': waits \d+ m?s for group of submit led by pid \d+$'}), '2', 'the tree says how long');
$tree =~ s/ (?:for )?\d+ m?s\b//g;
is($tree, join("\n", 'outsider: idle, blocks 3', 'first: waits for advisory lock (10), ShareLock', map { "$_: waits for group of submit led by pid first" } qw(second third)),
	'... and it in words, who has waited longest first');
is($named->($node->safe_psql('postgres', q{SELECT pid, direct_blocked, total_blocked, frees_now, max_depth, chain_signature FROM lockstep.root_blocker})),
	'outsider|1|3|3|2|advisory ShareLock < submit', 'root_blocker counts them');
is($node->safe_psql('postgres', q{SELECT count(*) FROM lockstep.lock_graph_dot() AS line WHERE line ~ '^  n\d+ -> n2 \[color=darkgreen, label="group"\];$'}), '2', 'Graphviz is told');
is($node->safe_psql('postgres', q{SELECT count(*) FROM lockstep.lock_graph_mermaid() AS line WHERE line ~ '^  n\d+ -\.->\|"group"\| n2$'}), '2', 'Mermaid is told');
is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s', e->>'waiter_app', e->>'blocker_app'), ', ' ORDER BY e->>'waiter_app') FROM jsonb_array_elements(lockstep.lock_graph_json()->'edges') AS e WHERE e->>'edge_kind' = 'group'}),
	'second first, third first', 'the document has them');
is($node->safe_psql('postgres', q{SELECT waits FROM lockstep.lock_snapshot()}), '1', 'the lock manager knows of one wait');

# Who wants a row of one that waits, and none that is worked on, comes after that one.
$submit->('fourth', 1, 2, 1);
$shown_as->("first hard outsider, fourth group first, second group first, third group first", 'a call with two rows waits for one of them');
$submit->('fifth', 'NULL', 2, 1);
$shown_as->("fifth group fourth, first hard outsider, fourth group first, second group first, third group first", 'one that meets it alone waits behind it');
is($named->($node->safe_psql('postgres', q{SELECT lock_text, depth FROM lockstep.lock_graph WHERE waiter_app = 'fifth'})), 'turn in submit behind pid fourth|3', '... which leads nobody yet');

# They end while they wait.
$session{$_}->close_hard for qw(fourth fifth);
$shown_as->($two, 'who has ended is in no graph');

# The leader commits; one of the two leads both, and is held: the other one was taken.
$session{outsider}->run('SELECT pg_advisory_unlock(10)');
like($session{first}->finish, qr/^applied\|\|10\|\|10\|[^|]+\|1$/, 'the first one has led itself alone');
Session::wait_blocked($node, 1, 'second|third');
$shown_as->('second hard outsider, third group second', 'who came first leads the next group');
is($named->($node->safe_psql('postgres', q{SELECT lock_text, depth FROM lockstep.lock_graph WHERE waiter_app = 'third'})), 'group of submit led by pid second|2', '... and has taken the other one');

# A follower that ends after it was taken; and a leader.
$session{third}->close_hard;
$shown_as->('second hard outsider', 'a follower that has ended is not shown');
$submit->('first', 'NULL', 1, 3);
$shown_as->('first group second, second hard outsider', 'another one has come');
$session{second}->close_hard;
like($session{first}->finish, qr/^applied\|\|3\|\|13\|/, 'a leader that ends lets it go on');
is($node->safe_psql('postgres', $graph), 'nobody', 'and nobody waits');
$session{$_}->close for qw(outsider first);
$node->stop;
done_testing();
