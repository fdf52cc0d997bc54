# What docs/cookbook/ and docs/log-writing.md promise, with many sessions and with real faults: a hundred pieces are sold
# a hundred times and no more, a job is done once though its workers die, a batch of events that was accepted is there
# once though its writer, its session or the server is killed and it comes again.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run ();
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);
my $folder = PostgreSQL::Test::Utils::tempdir();
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
# The machine stays up, so what is written to files stays there without fsync.
$node->append_conf('postgresql.conf', "max_connections = 230\nfsync = off\nautovacuum = off\nlog_statement = none\n");
$node->start;
sub sql { my ($text) = @_; return $node->safe_psql('postgres', $text); }

# Runs a script by so many sessions at once, each of them once; what pgbench says of errors.
my $scripts = 0;
sub start_at_once
{
	my ($script, $sessions, $times, $out) = @_;
	my $file = "$folder/script." . ++$scripts;
	append_to_file($file, $script);
	return IPC::Run::start([ 'pgbench', '-n', '-c', $sessions, '-j', 2, '-t', $times, "--random-seed=$seed", '-f', $file, '-d', $node->connstr('postgres') . ' application_name=pgbench' ],
		'>', $out, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
}
sub at_once
{
	my ($script, $sessions, $name) = @_;
	my $out = '';
	my $run = start_at_once($script, $sessions, 1, \$out);
	$run->finish;
	is($run->result(0), 0, "$name: nobody fails") or diag($out);
	return;
}

sql(q{
	CREATE EXTENSION lockstep;
	CREATE TABLE stock (sku text PRIMARY KEY, pieces int NOT NULL, version bigint NOT NULL DEFAULT 0);
	CREATE TABLE shelf (sku text PRIMARY KEY, pieces int NOT NULL);
	SELECT lockstep.register_ledger('shelf', amount => 'pieces');
	CREATE TABLE told (way text NOT NULL, buyer int NOT NULL, sold boolean NOT NULL, PRIMARY KEY (way, buyer));
	CREATE FUNCTION buy_by_version(wanted text, count int) RETURNS boolean LANGUAGE plpgsql AS $$
	DECLARE
	    seen stock;
	BEGIN
	    LOOP
	        SELECT * INTO seen FROM stock WHERE sku = wanted;
	        IF seen.pieces IS NULL OR seen.pieces < count THEN
	            RETURN false;
	        END IF;
	        BEGIN
	            PERFORM lockstep.update_if_version('stock', wanted, seen.version,
	                                               jsonb_build_object('pieces', seen.pieces - count));
	            RETURN true;
	        EXCEPTION WHEN SQLSTATE 'LS030' THEN
	            -- Somebody was quicker: look again.
	        END;
	    END LOOP;
	END $$;
});

# 200 buyers of 100 pieces, each way. What a buyer was told is kept by the transaction in which he buys.
my $look_and_take = q{
SELECT pieces > 0 AS there FROM stock WHERE sku = 'lamp' \gset
\if :there
	UPDATE stock SET pieces = pieces - 1 WHERE sku = 'lamp';
\endif
INSERT INTO told VALUES ('%s', :client_id, ':there');
COMMIT;
};
(my $plain_lock = $look_and_take) =~ s/'lamp' \\gset/'lamp' FOR NO KEY UPDATE \\gset/;
my %ways = (
	'SELECT FOR NO KEY UPDATE' => "BEGIN;\n$plain_lock",
	'lock_rows' => "BEGIN;\nSELECT key FROM lockstep.lock_rows('stock', ARRAY['lamp']);\n$look_and_take",
	'UPDATE with a condition' => q{
BEGIN;
WITH taken AS (UPDATE stock SET pieces = pieces - 1 WHERE sku = 'lamp' AND pieces >= 1 RETURNING pieces)
INSERT INTO told SELECT '%s', :client_id, EXISTS (SELECT FROM taken);
COMMIT;
},
	'update_if_version' => q{INSERT INTO told SELECT '%s', :client_id, buy_by_version('lamp', 1);},
	'adjust' => q{
INSERT INTO told SELECT '%s', :client_id, a.status = 'applied'
  FROM lockstep.adjust('shelf', 'lamp', -1, lockstep.request_id('order ' || :client_id), on_refusal => 'return') AS a;
});
for my $way (sort keys %ways)
{
	my $table = $way eq 'adjust' ? 'shelf' : 'stock';
	sql("DELETE FROM $table; INSERT INTO $table (sku, pieces) VALUES ('lamp', 100)");
	at_once(sprintf($ways{$way}, $way), 200, $way);
	is(sql("SELECT pieces FROM $table"), '0', "$way: nothing is left");
	is(sql("SELECT count(*) FILTER (WHERE sold), count(*) FILTER (WHERE NOT sold) FROM told WHERE way = '$way'"), '100|100', "$way: exactly 100 of 200 buyers have one");
}
is(sql(q{SELECT count(*) FILTER (WHERE refusal IS NULL), count(*) FILTER (WHERE refusal = 'LS001') FROM shelf_journal}), '100|100', 'the journal says the same');
# The answers of all of them are lost, and all orders come again.
at_once(q{SELECT status FROM lockstep.adjust('shelf', 'lamp', -1, lockstep.request_id('order ' || :client_id), on_refusal => 'return')}, 200, 'again');
is(sql('SELECT pieces FROM shelf') . ' ' . sql('SELECT count(*) FROM shelf_journal'), '0 200', 'orders that come again take nothing');
# Without a lock it is more than there was: this is what the others are measured by.
sql(q{DELETE FROM stock; INSERT INTO stock VALUES ('lamp', 100)});
(my $careless = "BEGIN;\n$look_and_take") =~ s/\\if/\\sleep 20 ms\n\\if/;
at_once(sprintf($careless, 'careless'), 200, 'careless');
cmp_ok(sql(q{SELECT count(*) FROM told WHERE way = 'careless' AND sold}), '>', 100, 'without a lock more are sold than were there');

# A flash sale: 150 customers want two seats each of 200 that there are.
sql(q{
	CREATE TABLE seats (id int PRIMARY KEY, section text NOT NULL, buyer int);
	INSERT INTO seats SELECT n, 'A' FROM generate_series(1, 200) AS n;
});
# In such a rush a claim may come to LS050, and is tried again.
at_once(q{
CALL lockstep.retry($$
WITH claimed AS MATERIALIZED (
    SELECT key::int AS id FROM lockstep.claim('seats', 2, '{"section": "A", "buyer": null}')),
mine AS (
    UPDATE seats SET buyer = :client_id
     WHERE id IN (SELECT id FROM claimed) AND (SELECT count(*) FROM claimed) = 2 RETURNING id)
INSERT INTO told SELECT 'seats', :client_id, true FROM mine HAVING count(*) = 2$$, 'read committed');
}, 150, 'seats');
my $sold = sql(q{SELECT count(*) FROM told WHERE way = 'seats'});
is(sql('SELECT count(*), count(DISTINCT buyer) FROM seats WHERE buyer IS NOT NULL'), 2 * $sold . "|$sold", "seats: $sold customers have two seats each");
is(sql('SELECT count(*) FROM (SELECT FROM seats WHERE buyer IS NOT NULL GROUP BY buyer HAVING count(*) <> 2) AS wrong'), '0', '... nobody another number');

# A queue whose workers are killed. A job's effect is in the transaction of the job.
sql(q{
	CREATE TABLE jobs (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL DEFAULT 'ready');
	CREATE INDEX ON jobs (state, id);
	INSERT INTO jobs SELECT FROM generate_series(1, 6000);
	CREATE TABLE effects (job bigint NOT NULL);
});
my $work = q{
CALL lockstep.retry($$
WITH mine AS (
    UPDATE jobs SET state = 'done'
     WHERE id IN (SELECT key::bigint FROM lockstep.claim('jobs', 3, '{"state": "ready"}')) RETURNING id)
INSERT INTO effects SELECT id FROM mine;
SELECT pg_sleep(0.01)$$, 'read committed');
};
my $killed = 0;
for my $round (1 .. 4)
{
	my $out = '';
	my $run = start_at_once($work, 6, 100_000, \$out);
	my $before = sql('SELECT count(*) FROM effects');
	$node->poll_query_until('postgres', "SELECT count(*) > $before + 100 FROM effects") or die 'nobody works';
	select(undef, undef, undef, rand(0.05));
	# All at once: some are in the middle for sure.
	$killed += sql(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'pgbench'});
	$run->finish;
}
cmp_ok($killed, '>=', 4, "$killed workers were killed");
cmp_ok(sql(q{SELECT count(*) FROM jobs WHERE state = 'ready'}), '>', 0, 'jobs are left over');
{
	my $out = '';
	my $run = start_at_once($work, 6, 400, \$out);
	$run->finish;
	is($run->result(0), 0, 'other workers go on') or diag($out);
}
is(sql(q{SELECT count(*) FILTER (WHERE state = 'done') FROM jobs}) . ' ' . sql('SELECT count(*), count(DISTINCT job) FROM effects'), '6000 6000|6000', 'every job is done, once');

# Bulk updates of the same rows in opposite orders, row by row: nobody deadlocks where all are locked in one call before.
sql(q{
	CREATE TABLE users (id int PRIMARY KEY, plan int NOT NULL DEFAULT 0);
	INSERT INTO users SELECT generate_series(1, 300);
});
my $bulk = q{
BEGIN;
%s
DO $$
DECLARE one int;
BEGIN
    FOR one IN SELECT id FROM users ORDER BY CASE WHEN pg_backend_pid() % 2 = 0 THEN id ELSE -id END LOOP
        UPDATE users SET plan = plan + 1 WHERE id = one;
    END LOOP;
END $$;
COMMIT;
};
at_once(sprintf($bulk, 'SELECT count(*) FROM lockstep.lock_rows(\'users\', ARRAY(SELECT id FROM users ORDER BY random()));'), 20, 'bulk');
is(sql('SELECT min(plan), max(plan) FROM users'), '20|20', 'bulk: all of it is done');
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'nobody deadlocked');

# Log writing.
sql(q{
	CREATE TABLE events (id uuid NOT NULL, at timestamptz NOT NULL, kind text NOT NULL, payload jsonb NOT NULL,
		xact xid8 NOT NULL DEFAULT pg_current_xact_id(), PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
	CREATE INDEX ON events (xact);
	CREATE TABLE events_2026_11_26 PARTITION OF events FOR VALUES FROM ('2026-11-26 00:00+00') TO ('2026-11-27 00:00+00');
	CREATE TABLE events_2026_11_27 PARTITION OF events FOR VALUES FROM ('2026-11-27 00:00+00') TO ('2026-11-28 00:00+00');
	CREATE TABLE seen (id uuid NOT NULL);
	CREATE TABLE reader (read_to xid8 NOT NULL);
	INSERT INTO reader VALUES ('0');
});
my (@sent, $made);
sub new_batch
{
	my ($rows) = @_;
	my @batch = map { ++$made; sprintf("0193658a-%04x-7000-8000-%012x\t2026-11-%d 0%d:00:00+00\tclick\t{\"n\": %d}", rand(65536), $made, 26 + int(rand(2)), rand(10), $made) } 1 .. $rows;
	push @sent, @batch;
	return join("\n", @batch) . "\n";
}
# A writer's attempt at one batch, as psql in the background. It says "accepted" when the commit was answered.
sub start_writing
{
	my ($batch, $out, $before_commit) = @_;
	my $script = "\\set ON_ERROR_STOP on\nSET synchronous_commit = local;\n"
	  . "CREATE TEMP TABLE batch (id uuid, at timestamptz, kind text, payload jsonb) ON COMMIT DELETE ROWS;\nRESET synchronous_commit;\n"
	  . "BEGIN;\nCOPY batch FROM STDIN;\n$batch\\.\n"
	  . 'INSERT INTO events SELECT * FROM batch ORDER BY id, at ON CONFLICT (id, at) DO NOTHING;' . "\n"
	  . ($before_commit // '') . "COMMIT;\n\\echo accepted\n";
	$$out = '';
	# From a file, as nobody feeds it while the test looks at the server.
	my $file = "$folder/writer." . ++$scripts;
	append_to_file($file, $script);
	return IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $node->connstr('postgres') . ' application_name=writer', '-f', $file ],
		'<', \undef, '>', $out, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
}
# Sends it until it is accepted.
sub write_until_accepted
{
	my ($batch) = @_;
	for (1 .. 100)
	{
		my $out;
		my $writer = start_writing($batch, \$out);
		$writer->finish;
		return if $out =~ /^accepted$/m;
		select(undef, undef, undef, 0.1);
	}
	die 'a batch is never accepted';
}
sub terminate_writers { return sql(q{SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'writer'}); }
sub read_events
{
	sql(q{
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		INSERT INTO seen SELECT e.id FROM events AS e, reader AS r WHERE e.xact >= r.read_to AND e.xact < pg_snapshot_xmin(pg_current_snapshot());
		UPDATE reader SET read_to = pg_snapshot_xmin(pg_current_snapshot());
		COMMIT;
	});
	return;
}
sub check_events
{
	my ($when) = @_;
	my $file = "$folder/sent." . ++$scripts;
	append_to_file($file, join('', map { "$_\n" } @sent));
	is(sql("CREATE TEMP TABLE sent (id uuid, at timestamptz, kind text, payload jsonb);
		COPY sent FROM '$file';
		SELECT (SELECT count(*) FROM sent), (SELECT count(*) FROM events),
		       (SELECT count(*) FROM (TABLE sent EXCEPT ALL SELECT id, at, kind, payload FROM events) AS lost)"),
		@sent . '|' . @sent . '|0', "$when: every accepted row is there, exactly once");
	return;
}
write_until_accepted(new_batch(1000));
read_events();
check_events('undisturbed');

# Killed before the commit: nothing of it is there. The same batch comes again.
my $batch = new_batch(1000);
my $out;
my $writer = start_writing($batch, \$out, "SELECT pg_sleep(600);\n");
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'PgSleep'}) or die 'the writer does not come to its commit';
is(terminate_writers(), '1', 'a writer is killed before its commit');
$writer->finish;
unlike($out, qr/^accepted$/m, '... its batch is not accepted');
is(sql('SELECT count(*) FROM events'), @sent - 1000, '... and nothing of it is there');
write_until_accepted($batch);
read_events();
check_events('killed before its commit');

# Killed behind the commit: all of it is there, and the writer does not know. A standby that never comes holds the answer back.
$batch = new_batch(1000);
sql(q{ALTER SYSTEM SET synchronous_standby_names = 'nobody'});
$node->reload;
Session::wait_reloaded($node, 'synchronous_standby_names', 'nobody');
$writer = start_writing($batch, \$out);
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'SyncRep'}) or die 'the writer does not come to its commit';
is(terminate_writers(), '1', 'a writer is killed behind its commit');
for (1 .. 1800)
{
	last if slurp_file($node->logfile) =~ /canceling the wait for synchronous replication/;
	select(undef, undef, undef, 0.1);
}
# The end of the session drops its temporary table, and would wait again.
sql(q{SET synchronous_commit = local; ALTER SYSTEM RESET synchronous_standby_names});
$node->reload;
$writer->finish;
unlike($out, qr/^accepted$/m, '... it does not know that its batch is in');
Session::wait_reloaded($node, 'synchronous_standby_names', '');
is(sql('SELECT count(*) FROM events'), scalar(@sent), '... all of it is there');
write_until_accepted($batch);
read_events();
check_events('killed behind its commit');

# The old session is still at it when the batch comes again: the second waits for the first, and writes what that does not.
for my $end ('COMMIT', 'ROLLBACK')
{
	$batch = new_batch(500);
	my $gate = Session->new($node, 'gate');
	$gate->run('SELECT pg_advisory_lock(1)');
	my ($first_out, $second_out);
	my $first = start_writing($batch, \$first_out, "SELECT pg_advisory_xact_lock(1);\n");
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'advisory'}) or die 'the first does not come to its commit';
	my $second = start_writing($batch, \$second_out);
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'transactionid'}) or die 'the second does not wait';
	# A later transaction ends before them, and whoever reads now must not read past them.
	write_until_accepted(new_batch(10));
	read_events();
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'}) if $end eq 'ROLLBACK';
	$gate->run('SELECT pg_advisory_unlock(1)');
	$_->finish for $first, $second;
	like($second_out, qr/^accepted$/m, "a batch that comes twice at once, the first ends in $end");
	$gate->close;
	read_events();
	check_events("twice at once, $end");
}

# At any moment: sessions that are terminated, writers that are killed, the server stopped hard.
for my $round (1 .. 12)
{
	my @batches = map { new_batch(1 + int(rand(1500))) } 1 .. 3;
	my (@out, @writers);
	push @writers, start_writing($batches[$_], \$out[$_]) for 0 .. 2;
	select(undef, undef, undef, rand(0.15));
	my $how = ('terminate', 'kill', 'stop')[ $round % 3 ];
	terminate_writers() if $how eq 'terminate';
	$_->kill_kill for $how eq 'kill' ? @writers : ();
	$node->stop('immediate') if $how eq 'stop';
	eval { $_->finish } for @writers;
	$node->start if $how eq 'stop';
	# What was accepted is there without coming again.
	read_events() if rand(2) < 1;
	for my $i (0 .. 2)
	{
		write_until_accepted($batches[$i]) unless $out[$i] =~ /^accepted$/m;
	}
	read_events() if rand(2) < 1;
	check_events("round $round, $how");
}
# Whoever reads on from where he was has read each of them once, in whatever order they were committed.
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = 'writer'}) or die 'a writer stays';
read_events();
is(sql('SELECT count(*), count(DISTINCT id) FROM seen'), @sent . '|' . @sent, 'a reader has read each of them once');
$node->stop;
done_testing();
