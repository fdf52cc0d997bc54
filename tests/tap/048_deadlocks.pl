# Deadlocks remembered: each one is recorded once, at the moment at which it is found, trapped or not, wherever it
# comes from and in whatever language the server speaks; what became of it; who may see what of it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
deadlock_timeout = 10min
compute_query_id = on
restart_after_crash = on
max_prepared_transactions = 5
autovacuum = off
max_connections = 60
});
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE account (id int PRIMARY KEY, owner text UNIQUE, balance bigint NOT NULL DEFAULT 0);
	INSERT INTO account SELECT i, 'owner ' || i FROM generate_series(1, 20) AS i;
	CREATE TABLE branch (id int PRIMARY KEY, n int);
	INSERT INTO branch SELECT i, 0 FROM generate_series(1, 20) AS i;
	CREATE ROLE clerk LOGIN;
	CREATE ROLE watcher LOGIN IN ROLE pg_read_all_stats;
	GRANT SELECT, UPDATE ON account TO clerk;
	CREATE DATABASE other;
});
sub sql { my ($query, $database) = @_; return $node->safe_psql($database // 'postgres', $query); }
sub known { return sql(q{SELECT coalesce(max(id), 0) FROM lockstep.deadlock_history}); }

# Sessions that have no hurry, and one that looks after 20 ms: that one is the victim.
sub session
{
	my ($name, %options) = @_;
	return Session->new($node, $name, %options);
}
sub hasty
{
	my ($one) = @_;
	$one->run(q{SET deadlock_timeout = '20ms'});
	return $one;
}
sub pid { my ($one) = @_; return $one->run('SELECT pg_backend_pid()'); }
sub until_waits
{
	my ($pid) = @_;
	$node->poll_query_until('postgres', qq{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid})
		or die "process $pid does not wait";
}

# Runs it, and checks that it adds one deadlock and says of it what is expected.
sub records
{
	my ($name, $expected, $work) = @_;
	my $before = known();
	$work->();
	is(sql(qq{SELECT count(*) FROM lockstep.deadlock_history WHERE id > $before}), 1, "$name: one is recorded");
	is(sql(qq{SELECT concat_ws(' | ', found_by, outcome, victim_app, members, bystanders, relations, victim_wanted)
		FROM lockstep.deadlock_history WHERE id > $before}), $expected, "$name: and what it was");
}

# Two sessions that update two rows crosswise; the statement that closes the cycle is the victim's. Before it and after
# it he may do more: what ends his transaction is the last of these.
sub cross
{
	my ($victim, $other, $closing, %more) = @_;
	my $other_pid = pid($other);
	$victim->run('UPDATE account SET balance = balance + 1 WHERE id = 1');
	$victim->run($_) for @{ $more{before} // [] };
	$other->run('BEGIN');
	$other->run('UPDATE account SET balance = balance + 1 WHERE id = 2');
	$other->start('UPDATE account SET balance = balance + 2 WHERE id = 1');
	until_waits($other_pid);
	my $said = $victim->run($closing // 'UPDATE account SET balance = balance + 3 WHERE id = 2');
	$victim->run($_) for @{ $more{after} // ['COMMIT'] };
	$other->finish;
	$other->run('COMMIT');
	return $said;
}

my $victim = hasty(session('victim'));
my $other = session('other');
my $row_2 = 'row (id)=(2) of account';

records('a transaction that is ended', "timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	like(cross($victim, $other), qr/deadlock detected/, 'the victim is told');
});
is(sql(q{SELECT string_agg(concat_ws(' | ', part, app, lock_type, lock_mode, row_key, rtrim(query, E'\n;'), query_id <> 0,
		blocker_pid = (SELECT pid FROM lockstep.deadlock_sessions AS b WHERE b.id = s.id AND b.app <> s.app),
		wait_start < detected_at, xact_start < wait_start, waited > interval '10 ms'), E'\n' ORDER BY place)
	FROM lockstep.deadlock_sessions AS s WHERE id = 1}),
	"victim | victim | transactionid | ShareLock | (id)=(2) | UPDATE account SET balance = balance + 3 WHERE id = 2 | t | t | t | t | t\n"
	  . "member | other | transactionid | ShareLock | (id)=(1) | UPDATE account SET balance = balance + 2 WHERE id = 1 | t | t | t | t | t",
	'who waited for what, since when, in which statement');
is(sql(q{SELECT replace(regexp_replace(regexp_replace("DEADLOCK", '^(Deadlock \d+ at ).*( in .*)', '\1...\2'),
		'(\m\d+ ' || current_user || '|behind \d+|waited \d+ m?s)', '...', 'g'), ' ;', '') FROM lockstep.deadlock_text(1)}),
	q{Deadlock 1 at ... in postgres
found after deadlock_timeout (20 ms); it ended the victim's transaction

  ... victim, the victim
      ... for row (id)=(2) of account (ShareLock), ...
      UPDATE account SET balance = balance + 3 WHERE id = 2
      while updating tuple (0,2) in relation "account"
  ... other
      ... for row (id)=(1) of account (ShareLock), ...
      UPDATE account SET balance = balance + 2 WHERE id = 1

Rows of account were taken in two orders: take them in one, by lockstep.lock_rows before the statements that change them, or book by lockstep.transfer.},
	'as a page');
like(sql(q{SELECT string_agg("DEADLOCK", E'\n') FROM lockstep.deadlock_dot(1)}),
	qr/digraph.*the victim.*UPDATE account.*row \(id\)=\(1\) of account.*\}/s, 'as a drawing');

records('an error that PL/pgSQL traps', "timeout | trapped | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	is(cross($victim, $other, q{DO $$ BEGIN UPDATE account SET balance = 0 WHERE id = 2;
		EXCEPTION WHEN deadlock_detected THEN PERFORM 1; END $$}), '', 'and nobody is told');
});
records('one that is trapped, and then rolled back for another reason',
	"timeout | trapped | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	cross($victim, $other, q{DO $$ BEGIN BEGIN UPDATE account SET balance = 0 WHERE id = 2;
		EXCEPTION WHEN deadlock_detected THEN PERFORM 1; END; BEGIN PERFORM 1; EXCEPTION WHEN others THEN NULL; END;
		RAISE division_by_zero; END $$});
});
records('one that a block for other errors does not trap',
	"timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	cross($victim, $other, q{DO $$ BEGIN BEGIN UPDATE account SET balance = 0 WHERE id = 2;
		EXCEPTION WHEN division_by_zero THEN NULL; END; END $$});
});
my $earlier = known();
$victim->run('BEGIN');
cross($victim, $other, q{DO $$ BEGIN UPDATE account SET balance = 0 WHERE id = 2;
	EXCEPTION WHEN deadlock_detected THEN UPDATE account SET balance = 0 WHERE id = 2; END $$});
is(sql(qq{SELECT string_agg(outcome, ' ' ORDER BY id) FROM lockstep.deadlock_history WHERE id > $earlier}), 'trapped aborted',
	'one that is trapped by code that meets another one');
records('a savepoint', "timeout | savepoint | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	cross($victim, $other, undef, before => ['SAVEPOINT s'], after => [ 'ROLLBACK TO s', 'COMMIT' ]);
});
records('a savepoint that is not gone back to', "timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run('BEGIN');
	cross($victim, $other, undef, before => ['SAVEPOINT s'], after => ['ROLLBACK']);
});
records('a procedure that traps it, and commits', "timeout | trapped | victim | 2 | 0 | {account} | $row_2", sub {
	sql(q{CREATE PROCEDURE trap() LANGUAGE plpgsql AS $$
		BEGIN
			UPDATE account SET balance = 0 WHERE id = 1;
			PERFORM pg_advisory_xact_lock_shared(2);
			BEGIN UPDATE account SET balance = 0 WHERE id = 2; EXCEPTION WHEN deadlock_detected THEN NULL; END;
			COMMIT;
			RAISE division_by_zero;
		END $$});
	my $gate = session('gate');
	my ($own, $others) = (pid($victim), pid($other));
	$gate->run('SELECT pg_advisory_lock(2)');
	$victim->start('CALL trap()');
	until_waits($own);
	$other->run('BEGIN');
	$other->run('UPDATE account SET balance = 5 WHERE id = 2');
	$other->start('UPDATE account SET balance = 5 WHERE id = 1');
	until_waits($others);
	$gate->run('SELECT pg_advisory_unlock(2)');
	$victim->finish;
	$other->finish;
	$other->run('COMMIT');
	$gate->close;
});
sql(q{CREATE FUNCTION pay_both(one int, two int) RETURNS void LANGUAGE plpgsql AS $$
	BEGIN
		PERFORM pg_advisory_lock_shared(3), pg_advisory_unlock_shared(3);
		UPDATE account SET balance = balance + 1 WHERE id = one;
		PERFORM pg_advisory_lock_shared(1), pg_advisory_unlock_shared(1);
		UPDATE account SET balance = balance + 1 WHERE id = two;
	END $$});
records('CALL lockstep.retry', "timeout | retried | victim | 2 | 0 | {account} | $row_2", sub {
	my $gate = session('gate');
	my ($own, $others) = (pid($victim), pid($other));
	$gate->run('SELECT pg_advisory_lock(1)');
	# The second gate is shut behind the first attempt: the next one begins when the other one has both rows, and has ended.
	$victim->start(q{CALL lockstep.retry('SELECT pay_both(1, 2)', 'read committed')});
	until_waits($own);
	$gate->run('SELECT pg_advisory_lock(3)');
	$other->run('BEGIN');
	$other->run('UPDATE account SET balance = 5 WHERE id = 2');
	$other->start('UPDATE account SET balance = 5 WHERE id = 1');
	until_waits($others);
	$gate->run('SELECT pg_advisory_unlock(1)');
	$other->finish;
	$other->run('COMMIT');
	$gate->run('SELECT pg_advisory_unlock(3)');
	like($victim->finish, qr/2/, 'its second attempt comes through');
	$gate->close;
});
records('a deferred trigger, at COMMIT', "timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
	sql(q{CREATE FUNCTION late() RETURNS trigger LANGUAGE plpgsql AS
		'BEGIN UPDATE account SET balance = 7 WHERE id = 2; RETURN NULL; END';
		CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON branch DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION late()});
	$victim->run('BEGIN');
	like(cross($victim, $other, 'COMMIT', before => ['UPDATE branch SET n = 1 WHERE id = 1'], after => []),
		qr/deadlock detected/, 'where no statement runs');
});
records('tables, by LOCK TABLE and ALTER TABLE', 'timeout | aborted | victim | 2 | 0 | {account,branch} | relation branch', sub {
	my $pid = pid($other);
	$victim->run('BEGIN');
	$victim->run('LOCK TABLE account');
	$other->run('BEGIN');
	$other->run('LOCK TABLE branch');
	$other->start('ALTER TABLE account ALTER COLUMN balance SET STATISTICS 50');
	until_waits($pid);
	$victim->run('LOCK TABLE branch IN SHARE MODE');
	$victim->run('ROLLBACK');
	$other->finish;
	$other->run('ROLLBACK');
});
is(sql(q{SELECT string_agg(concat_ws(' ', app, lock_mode, blocker_mode), ', ' ORDER BY place) FROM lockstep.deadlock_sessions WHERE id = (SELECT max(id) FROM lockstep.deadlock_history)}),
	'victim ShareLock AccessExclusiveLock, other ShareUpdateExclusiveLock AccessExclusiveLock', '... and who had them in which modes');
records('a stronger lock, found before the wait', 'immediate | aborted | other | 2 | 0 | {account} | relation account', sub {
	my $pid = pid($victim);
	$victim->run('BEGIN');
	$victim->run(q{SET LOCAL deadlock_timeout = '10min'});
	$victim->run('LOCK TABLE account IN SHARE MODE');
	$other->run('BEGIN');
	$other->run('LOCK TABLE account IN SHARE MODE');
	$victim->start('LOCK TABLE account IN EXCLUSIVE MODE');
	until_waits($pid);
	$other->run('LOCK TABLE account IN EXCLUSIVE MODE');
	$victim->finish;
	$victim->run('ROLLBACK');
	$other->run('ROLLBACK');
});
is(sql('SELECT victim_waited IS NULL FROM lockstep.deadlock_history ORDER BY id DESC LIMIT 1'), 't', '... which was none');
records('one that the log does not tell', "timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
	$victim->run(q{SET log_min_messages = 'panic'});
	$victim->run('BEGIN');
	cross($victim, $other);
	$victim->run('RESET log_min_messages');
});
records('advisory locks', 'timeout | aborted | victim | 2 | 0 | advisory lock (12)', sub {
	my $pid = pid($other);
	$victim->run('SELECT pg_advisory_lock(11)');
	$other->run('SELECT pg_advisory_lock(12)');
	$other->start('SELECT pg_advisory_lock(11)');
	until_waits($pid);
	$victim->run('SELECT pg_advisory_lock(12)');
	$victim->run('SELECT pg_advisory_unlock_all()');
	$other->finish;
	$other->run('SELECT pg_advisory_unlock_all()');
});

# Whoever makes up the state makes up no deadlock.
my $before = known();
for my $spoof (q{DO $$ BEGIN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01', DETAIL = 'Process 1 waits for ShareLock on transaction 2; blocked by process 3.'; END $$},
	q{DO $$ BEGIN RAISE WARNING 'deadlock detected' USING ERRCODE = '40P01'; END $$})
{
	$victim->run($spoof);
}
is(known(), $before, 'a state that somebody has made up is not recorded');

# Eight in a ring, and one behind them.
records('eight in a ring', 'timeout | aborted | ring_8 | 8 | 1 | {branch} | row (id)=(1) of branch', sub {
	my @ring = map { session("ring_$_") } 1 .. 8;
	my $behind = session('behind');
	hasty($ring[7]);
	for my $i (0 .. 7)
	{
		$ring[$i]->run('BEGIN');
		$ring[$i]->run('UPDATE branch SET n = 1 WHERE id = ' . ($i + 1));
	}
	for my $i (0 .. 6)
	{
		my $pid = pid($ring[$i]);
		$ring[$i]->start('UPDATE branch SET n = 1 WHERE id = ' . ($i + 2));
		until_waits($pid);
	}
	my $pid = pid($behind);
	$behind->start('DELETE FROM branch WHERE id = 2');
	until_waits($pid);
	$ring[7]->run('UPDATE branch SET n = 1 WHERE id = 1');
	$ring[7]->run('ROLLBACK');
	for my $i (reverse 0 .. 6)
	{
		$ring[$i]->finish;
		$ring[$i]->run('ROLLBACK');
	}
	$behind->finish;
	$_->close for @ring, $behind;
});
is(sql(q{SELECT string_agg(concat_ws(' ', place, part, app, row_key), ', ' ORDER BY place) FROM lockstep.deadlock_sessions WHERE id = (SELECT max(id) FROM lockstep.deadlock_history)}),
	join(', ', '1 victim ring_8 (id)=(1)', map({ ($_ + 1) . " member ring_$_ (id)=(" . ($_ + 1) . ')' } 1 .. 7), '9 bystander behind (id)=(2)'),
	'in their order, each with its row');
is(sql(q{SELECT b.app FROM lockstep.deadlock_sessions AS s JOIN lockstep.deadlock_sessions AS b ON (b.id, b.pid) = (s.id, s.blocker_pid)
	WHERE s.id = (SELECT max(id) FROM lockstep.deadlock_history) AND s.part = 'bystander'}), 'ring_1', 'who is behind them waits for the one who is first in his queue');

# A text is cut between characters, wherever the cut falls.
for my $shift (0 .. 2)
{
	records("a long statement, $shift", "timeout | aborted | victim | 2 | 0 | {account} | $row_2", sub {
		$victim->run('BEGIN');
		cross($victim, $other, 'UPDATE account SET balance = 1 WHERE id = 2 AND owner <> ' . "'" . ('x' x $shift) . ("\xe2\x82\xac" x 300) . "'");
	});
	is(sql(q{SELECT concat_ws(' | ', octet_length(victim_query) BETWEEN 509 AND 511, right(victim_query, 1)) FROM lockstep.deadlock_history ORDER BY id DESC LIMIT 1}),
		"t | \xe2\x82\xac", '... and is cut between characters');
}

# More who stand behind than there is room for.
records('a crowd behind two', "timeout | aborted | victim | 2 | 22 | {account} | $row_2", sub {
	my @crowd = map { session("crowd_$_") } 1 .. 25;
	$victim->run('BEGIN');
	$victim->run('UPDATE account SET balance = balance + 1 WHERE id = 1');
	my $pid = pid($other);
	$other->run('BEGIN');
	$other->run('UPDATE account SET balance = balance + 1 WHERE id = 2');
	$other->start('UPDATE account SET balance = balance + 2 WHERE id = 1');
	until_waits($pid);
	for my $one (@crowd)
	{
		$pid = pid($one);
		$one->start('UPDATE account SET balance = 0 WHERE id = 1');
		until_waits($pid);
	}
	$victim->run('UPDATE account SET balance = balance + 3 WHERE id = 2');
	$victim->run('ROLLBACK');
	$other->finish;
	$other->run('ROLLBACK');
	$_->finish for @crowd;
	$_->close for @crowd;
});
is(sql('SELECT left_off >= 3 FROM lockstep.deadlock_history ORDER BY id DESC LIMIT 1'), 't', '... and it says that some are left off');

# The server may get out of it by itself, and says so in its log.
sql('CREATE TABLE a1 (); CREATE TABLE a2 ()');
{
	my %s = map { $_ => session($_) } qw(d1 d2 e1 e2);
	my %pid = map { $_ => pid($s{$_}) } keys %s;
	$s{$_}->run('BEGIN') for keys %s;
	$s{$_}->run('SET LOCAL log_lock_waits = on') for keys %s;
	$s{d1}->run('LOCK TABLE a1 IN ACCESS SHARE MODE');
	$s{d2}->run('LOCK TABLE a2 IN ACCESS SHARE MODE');
	my @wants = ([ 'e1', 'a1 IN ACCESS EXCLUSIVE' ], [ 'e2', 'a2 IN ACCESS EXCLUSIVE' ], [ 'd1', 'a2 IN ACCESS SHARE' ]);
	for my $want (@wants)
	{
		$s{ $want->[0] }->start("LOCK TABLE $want->[1] MODE");
		until_waits($pid{ $want->[0] });
	}
	my $before = known();
	$s{d2}->run(q{SET LOCAL deadlock_timeout = '20ms'});
	$s{d2}->start('LOCK TABLE a1 IN ACCESS SHARE MODE');
	$node->poll_query_until('postgres', qq{SELECT count(*) = 1 FROM lockstep.deadlock_history WHERE id > $before}) or die 'no deadlock was avoided';
	sql('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid IN (' . join(',', values %pid) . ')');
	is(sql(qq{SELECT concat_ws(' | ', found_by, outcome, victim_app, context ~ 'avoided deadlock') FROM lockstep.deadlock_history WHERE id > $before}),
		'reorder | avoided | d2 | t', 'a deadlock that the server avoids, where its log tells');
	$_->close_hard for values %s;
}

# A parallel query: its worker finds it, its leader passes it on.
sql(q{CREATE FUNCTION take(key int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS
	$$ BEGIN PERFORM pg_advisory_xact_lock(key); RETURN key; END $$;
	CREATE TABLE wide AS SELECT i FROM generate_series(1, 2000) AS i; ALTER TABLE wide SET (parallel_workers = 2); ANALYZE wide});
# Which of them it begins with is another one each time.
for (1 .. 6)
{
	$before = known();
	my $pid = pid($other);
	my $own = pid($victim);
	$other->run('BEGIN');
	$other->run('SELECT pg_advisory_xact_lock(21)');
	$victim->run('BEGIN');
	$victim->run('SELECT pg_advisory_xact_lock(22)');
	$victim->run('SET LOCAL parallel_setup_cost = 0; SET LOCAL parallel_tuple_cost = 0; SET LOCAL min_parallel_table_scan_size = 0; SET LOCAL max_parallel_workers_per_gather = 2; SET LOCAL parallel_leader_participation = off');
	# The other one waits before the workers do: they look once, and it is all there then.
	$other->start('SELECT pg_advisory_xact_lock(22)');
	until_waits($pid);
	$victim->start(q{SELECT count(take(21)) FROM wide});
	like($victim->finish, qr/deadlock detected/, 'a parallel query meets a deadlock');
	$victim->run('ROLLBACK');
	$other->finish;
	$other->run('ROLLBACK');
	$node->poll_query_until('postgres', qq{SELECT count(*) = 0 FROM pg_stat_activity WHERE leader_pid = $own}) or die 'the workers stay';
	my $seen = sql(qq{SELECT count(*) FROM lockstep.deadlock_history WHERE id > $before});
	my $workers = sql(qq{SELECT count(*) FROM lockstep.deadlock_sessions WHERE id > $before AND part = 'victim' AND pid <> leader_pid AND leader_pid = $own});
	is($seen, $workers, 'it is recorded by the workers that found it, and not once more by their leader');
	cmp_ok($workers, '>=', 1, '... by one at least');
	is(sql(qq{SELECT count(*) FROM lockstep.deadlock_history WHERE id > $before AND outcome = 'aborted'}), 1, 'what became of it is what became of the leader');
}

# What others may see.
sub as_role
{
	my ($role, $query) = @_;
	my ($status, $out, $error) = $node->psql('postgres', $query, extra_params => [ '-U', $role ]);
	return $status == 0 ? $out : $error;
}
is(as_role('clerk', q{SELECT concat_ws(' | ', victim_query, victim_wanted, signature IS NULL, context IS NULL, edges->1->>'query', victim_app) FROM lockstep.deadlock_history WHERE id = 1}),
	"<insufficient privilege> | $row_2 | t | t | <insufficient privilege> | victim",
	'who may not see the statements sees who waited for what');
is(as_role('watcher', q{SELECT concat_ws(' | ', rtrim(victim_query, E'\n;'), victim_wanted, signature IS NULL) FROM lockstep.deadlock_history WHERE id = 1}),
	'UPDATE account SET balance = balance + 3 WHERE id = 2 | row (0,2) of account | f',
	'who may not read the table sees no key');
is(as_role('clerk', q{SELECT concat_ws(' | ', bool_and(query_id IS NULL), bool_and(xact_start IS NULL), bool_and(wait_start IS NOT NULL)) FROM lockstep.deadlock_sessions WHERE id = 1}),
	't | t | t', '... and neither the ids of statements nor the times of transactions');
unlike(as_role('clerk', q{SELECT * FROM lockstep.deadlock_text(1)}), qr/UPDATE|while updating/, 'nor does the page tell');
unlike(as_role('clerk', q{SELECT * FROM lockstep.deadlock_dot(1)}), qr/UPDATE/, 'nor the drawing');
like(as_role('watcher', 'SELECT lockstep.deadlock_reset()'), qr/permission denied/, 'not everyone may forget them');
like(as_role('clerk', 'SELECT * FROM lockstep.deadlock_text(4711)'), qr/there is no deadlock 4711 in the history/, 'one that is not there');
like(as_role('clerk', 'SELECT * FROM lockstep.deadlock_text(NULL)'), qr/must not be null/, 'none is asked for');
sql('CREATE EXTENSION lockstep', 'other');
is(sql(q{SELECT concat_ws(' | ', victim_wanted ~ '^row \(0,2\) of relation \d+ of database \d+$', relations[1] ~ '^\d+$', edges->0->>'key') FROM lockstep.deadlock_history WHERE id = 1}, 'other'),
	't | t', 'in another database the tables have no names');

# A place that has another row by now has no key.
sql(q{DELETE FROM account WHERE id = 2}); sql('VACUUM account'); sql(q{INSERT INTO account VALUES (102, 'new')});
unlike(sql(q{SELECT string_agg(row_key, ' ') FROM lockstep.deadlock_sessions}), qr/102/, 'a row that has come later is not named');

like(sql(q{SELECT string_agg(row_key, ' ') FROM lockstep.deadlock_sessions}), qr/\(id\)=\(1\)/, '... but one that is still there');
sql('VACUUM (FREEZE) account');
unlike(sql(q{SELECT string_agg(row_key, ' ') FROM lockstep.deadlock_sessions}), qr/102/, '... nor when it is frozen');
sql('VACUUM FULL account');
unlike(sql(q{SELECT coalesce(string_agg(row_key, ' '), '') FROM lockstep.deadlock_sessions WHERE lock_rel = 'account'}), qr/id/, '... nor when all rows have other places');

# Kinds, and how many were missed.
is(sql(q{SELECT count(*) FROM lockstep.deadlock_signature AS s WHERE s.count <> (SELECT count(*) FROM lockstep.deadlock_history AS h WHERE h.signature = s.signature)}), 0, 'kinds are counted');
is(sql(q{SELECT bool_and(h.signature = s.signature) FROM lockstep.deadlock_history AS h, lockstep.deadlock_history AS s
	WHERE h.id IN (7, 8) AND s.id IN (7, 8)}), 't', 'the same statements with the same tables are of one kind, whatever came of it');
$node->poll_query_until('postgres', q{SELECT counted = recorded + lost FROM lockstep.deadlock_coverage WHERE db = 'postgres'});
is(sql(q{SELECT concat_ws(' | ', recorded = (SELECT count(*) FROM lockstep.deadlock_history WHERE found_by <> 'reorder'), lost, counted - recorded, missed) FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), 't | 0 | 0 | 0', 'none was missed');

sql('SELECT pg_stat_reset()');
is(sql(q{SELECT concat_ws(' | ', recorded > 10, counted IS NULL, missed IS NULL) FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), 't | t | t', 'where the counters were reset since nothing is claimed');

# A standby has deadlocks of its own, and none of its primary's.
{
	$node->backup('copy');
	my $standby = PostgreSQL::Test::Cluster->new('standby');
	$standby->init_from_backup($node, 'copy', has_streaming => 1);
	$standby->start;
	is($standby->safe_psql('postgres', 'SELECT count(*) FROM lockstep.deadlock_history'), 0, 'a standby has none of its primary\'s');
	my ($one, $two) = map { Session->new($standby, $_) } qw(one two);
	hasty($one);
	my $pid = pid($two);
	$one->run('SELECT pg_advisory_lock(31)');
	$two->run('SELECT pg_advisory_lock(32)');
	$two->start('SELECT pg_advisory_lock(31)');
	$standby->poll_query_until('postgres', qq{SELECT wait_event_type = 'Lock' FROM pg_stat_activity WHERE pid = $pid}) or die 'two does not wait';
	$one->run('SELECT pg_advisory_lock(32)');
	$one->run('SELECT pg_advisory_unlock_all()');
	$two->finish;
	is($standby->safe_psql('postgres', q{SELECT concat_ws(' | ', found_by, outcome, victim_app, victim_wanted) FROM lockstep.deadlock_history}),
		'timeout | aborted | one | advisory lock (32)', '... and records its own');
	$_->close for $one, $two;
	$standby->stop;
}

# They outlive a restart; what is no whole file of this server's does not come in.
my $all = sql('SELECT string_agg(h::text, E\'\n\' ORDER BY id) FROM lockstep.deadlock_history AS h');
$node->restart;
is(sql('SELECT string_agg(h::text, E\'\n\' ORDER BY id) FROM lockstep.deadlock_history AS h'), $all, 'they outlive a restart, all of them and whole');
my $count = known();
$victim = hasty(session('victim'));
$other = session('other');
sql(q{INSERT INTO account VALUES (2)});
$victim->run('BEGIN');
cross($victim, $other);
is(known(), $count + 1, 'and ids go on');
$node->stop('immediate');
$node->start;
is(known(), ++$count, 'so does who is there at an immediate stop');
$victim = hasty(session('victim'));
$other = session('other');
my $file = $node->data_dir . '/pg_stat/lockstep_deadlocks.stat';
my $size = -s $file;
$victim->run('BEGIN');
cross($victim, $other);
is(known(), $count + 1, 'one more');
# The background worker saves what is new.
for (1 .. 600) { last if -s $file > $size; usleep(100_000); }
cmp_ok(-s $file, '>', $size, 'it is saved while the server runs');
my $killed = sql('SELECT clock_timestamp()');
kill 'KILL', pid($other);
Session::wait_restarted($node, $killed);
is(known(), $count + 1, 'so that a crash does not take it');
$node->stop;
my $bytes = slurp_file($file);
substr($bytes, length($bytes) / 2, 1) ^= "\x01";
open(my $out, '>', $file) or die $!;
binmode $out;
print $out $bytes;
close $out;
$node->start;
is(known(), 0, 'a damaged file is not read');
like(slurp_file($node->logfile), qr/lockstep_deadlocks\.stat" is not used: its checksum does not fit/, '... and the log says so');

# A small ring, and many who write into it at once.
$node->append_conf('postgresql.conf', "lockstep.deadlock_history_size = 2\ndeadlock_timeout = 5ms\nlog_lock_waits = off");
$node->restart;
sql(q{SELECT lockstep.deadlock_reset()});
sql(q{SELECT pg_stat_reset()});
sql(q{SELECT lockstep.deadlock_reset()});
# The server counts one when the victim's transaction is over: the reset in between is no reason to miss it.
my ($late, $there) = map { session($_) } qw(late there);
my $there_pid = pid($there);
$there->run(q{SET deadlock_timeout = '10min'; BEGIN; UPDATE branch SET n = 0 WHERE id = 12});
$late->run('BEGIN; UPDATE branch SET n = 0 WHERE id = 11');
$there->start('UPDATE branch SET n = 0 WHERE id = 11');
until_waits($there_pid);
$late->run(q{DO $$BEGIN UPDATE branch SET n = 0 WHERE id = 12; EXCEPTION WHEN deadlock_detected THEN END$$});
is(sql(q{SELECT recorded FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), 1, 'one is recorded');
sql(q{SELECT lockstep.deadlock_reset()});
$late->run('COMMIT');
$there->finish;
$there->run('COMMIT');
$_->close for $late, $there;
$node->poll_query_until('postgres', q{SELECT deadlocks = 1 FROM pg_stat_database WHERE datname = 'postgres'}) or die 'the server does not count it';
is(sql(q{SELECT concat_ws(' | ', recorded, counted, missed) FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), '0 | 0 | 0', 'what the server counts after a reset, and was seen before it, is not missed');
my $script = PostgreSQL::Test::Utils::tempdir() . '/cross.sql';
append_to_file($script, q{
\set a random(1, 10)
\set b random(1, 10)
BEGIN;
UPDATE branch SET n = :a WHERE id = :a;
UPDATE branch SET n = :b WHERE id = :b;
COMMIT;
});
my $looks = session('looks');
my $pgbench = IPC::Run::start([ 'pgbench', '-n', '-c', 16, '-j', 2, '-T', 6, '--max-tries=1000', '-f', $script, '-h', $node->host, '-p', $node->port, 'postgres' ],
	'>', \my $printed, '2>&1');
my $odd = 0;
my $most = 0;
for (my $look = 1; $look <= 60 || ($most < 2 && $pgbench->pumpable); $look++)
{
	my $found = $looks->run(q{SELECT concat(count(DISTINCT id), ' ', count(*) FILTER (WHERE part <> 'bystander' AND blocker_pid NOT IN
		(SELECT o.pid FROM lockstep.deadlock_sessions AS o)) * 0 + count(*) FILTER (WHERE query NOT LIKE 'UPDATE branch SET n = % WHERE id = %;' OR db <> 'postgres')) FROM lockstep.deadlock_sessions});
	my ($n, $wrong) = split / /, $found;
	$most = $n if $n > $most;
	$odd++ if $wrong ne '0';
	usleep(50_000);
}
IPC::Run::finish($pgbench);
is($odd, 0, 'no reader finds a record that is half another one');
is($most, 2, 'the ring keeps the last ones alone');
$node->poll_query_until('postgres', q{SELECT counted = recorded + lost FROM lockstep.deadlock_coverage WHERE db = 'postgres'});
is(sql(q{SELECT concat_ws(' | ', counted = recorded + lost, recorded > 10, missed = lost) FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), 't | t | t', 'each deadlock is recorded or counted as lost: '
	. sql(q{SELECT concat(recorded, ' and ', lost) FROM lockstep.deadlock_coverage WHERE db = 'postgres'}));

# The last one is in the first place of the ring, before the one that is older.
if (known() % 2)
{
	($victim, $other) = (hasty(session('victim')), session('other'));
	sql(q{INSERT INTO account VALUES (1), (2) ON CONFLICT DO NOTHING});
	$victim->run('BEGIN');
	cross($victim, $other);
}
is(known() % 2, 0, 'an even number of deadlocks');
my $last = known();

# One who stops in the middle of writing down holds up nobody; what he has written half is not shown.
$node->append_conf('postgresql.conf', "lockstep.deadlock_history_size = 1\ndeadlock_timeout = 10min");
$node->restart;
is(known(), $last, 'a smaller ring takes up the newest');
sql(q{INSERT INTO account VALUES (1), (2) ON CONFLICT DO NOTHING});
sub half_written
{
	my ($fault) = @_;
	my $writer = hasty(session('writer'));
	$other = session('other');
	my ($pid, $other_pid) = (pid($writer), pid($other));
	$writer->run(qq{SET lockstep.debug_fault_point = 'deadlock_slot'; SET lockstep.debug_fault = '$fault'});
	$writer->run('BEGIN');
	$writer->run('UPDATE branch SET n = 1 WHERE id = 11');
	$other->run('BEGIN');
	$other->run('UPDATE branch SET n = 1 WHERE id = 12');
	$other->start('UPDATE branch SET n = 1 WHERE id = 11');
	until_waits($other_pid);
	$writer->start('UPDATE branch SET n = 1 WHERE id = 12');
	return ($writer, $pid);
}
sub is_stopped { my ($pid) = @_; return slurp_file("/proc/$pid/stat") =~ /\) T /; }
{
	my $lost = sql(q{SELECT lost FROM lockstep.deadlock_coverage WHERE db = 'postgres'}) || 0;
	my ($writer, $pid) = half_written('stop');
	for (1 .. 1000) { last if is_stopped($pid); usleep(20_000); }
	ok(is_stopped($pid), 'a writer is stopped in the middle');
	is(sql('SELECT count(*) FROM lockstep.deadlock_history'), 0, 'what is half written is not shown');
	my $first = hasty(session('first'));
	my $second = session('second');
	$first->run('BEGIN');
	like(cross($first, $second), qr/deadlock detected/, 'another deadlock is found meanwhile, and waits for nobody');
	is(sql(q{SELECT lost FROM lockstep.deadlock_coverage WHERE db = 'postgres'}), $lost + 1, '... and is counted as lost');
	kill 'CONT', $pid;
	like($writer->finish, qr/deadlock detected/, 'the writer goes on');
	is(sql('SELECT victim_app FROM lockstep.deadlock_history'), 'writer', '... and its deadlock is shown');
	$writer->run('ROLLBACK');
	$other->finish;
	$other->run('ROLLBACK');
	$_->close for $writer, $other, $first, $second;

	my $killed = sql('SELECT clock_timestamp()');
	($writer, $pid) = half_written('kill');
	Session::wait_restarted($node, $killed);
	like(sql('SELECT count(*) FROM lockstep.deadlock_history'), qr/^[01]$/, 'one who is killed there leaves no half of one');
	$victim = hasty(session('victim'));
	$other = session('other');
	$victim->run('BEGIN');
	cross($victim, $other);
	is(sql(q{SELECT concat_ws(' | ', victim_app, outcome) FROM lockstep.deadlock_history}), 'victim | aborted', '... and the next one is recorded');
}
$node->stop;

# In another language.
SKIP:
{
	local $ENV{LANGUAGE} = 'de';
	local $ENV{LC_ALL} = 'C.UTF-8';
	$node->append_conf('postgresql.conf', "lockstep.deadlock_history_size = 50\ndeadlock_timeout = 10min\nlc_messages = 'C.UTF-8'");
	$node->start;
	$victim = hasty(session('victim'));
	$other = session('other');
	my $before = known();
	$victim->run('BEGIN');
	my $said = cross($victim, $other);
	is(sql(qq{SELECT concat_ws(' | ', found_by, outcome, victim_app, members, bystanders, relations, victim_wanted) FROM lockstep.deadlock_history WHERE id > $before}),
		"timeout | aborted | victim | 2 | 0 | {account} | $row_2", 'it is understood in whatever language the server speaks');
	skip "this server has no German: $said", 1 unless $said =~ /Verklemmung/;
	pass('which was German');
}
$node->stop;

# Without preload.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->start;
for my $query ('SELECT * FROM lockstep.deadlock_history', 'SELECT * FROM lockstep.deadlock_sessions', 'SELECT * FROM lockstep.deadlock_signature',
	'SELECT * FROM lockstep.deadlock_coverage', 'SELECT lockstep.deadlock_text(1)', 'SELECT lockstep.deadlock_dot(1)', 'SELECT lockstep.deadlock_reset()')
{
	my ($status, $out, $error) = $node->psql('postgres', $query);
	like($error, qr/there is no history of deadlocks\nHINT:  Add lockstep to shared_preload_libraries and restart the server\./, "$query says what is missing");
}
is(sql('SELECT count(*) FROM lockstep.lock_graph'), 0, '... and everything else works');
$node->stop;
done_testing();
