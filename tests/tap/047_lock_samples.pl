# Samples of the lock manager: a wait is kept once, with who was at the head of it; two orders of locks that never met
# are a risk, one order is none; all of it outlives a clean restart; who sees what; on a standby; without preloading.
# What docs/lock-history.md shows must be expected/lock_samples.out.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

# Statements as they are written, with their end and nothing behind it.
{
	package Plain;
	our @ISA = ('Session');
	my $marks = 0;

	sub start
	{
		my ($self, $sql) = @_;
		$self->{mark} = 'end of plain statement ' . ++$marks;
		$self->{out} = '';
		$self->{timeout}->start;
		$self->{in} .= "$sql;\n\\echo $self->{mark}\n";
		$self->{psql}->pump_nb while length $self->{in};
		return;
	}
}

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
lockstep.lock_sample_interval = 20ms
lockstep.lock_history_min_wait = 0
lockstep.lock_history_size = 30
max_prepared_transactions = 5
autovacuum = off
deadlock_timeout = 1min
});
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE ROLE teller LOGIN; CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_read_all_stats TO monitor;
	CREATE TABLE orders (id int PRIMARY KEY, state text);
	CREATE TABLE stock (id int PRIMARY KEY, pieces int);
	CREATE TABLE first (id int PRIMARY KEY, n int); CREATE TABLE second (id int PRIMARY KEY, n int);
	CREATE TABLE ledger (id int);
	INSERT INTO orders SELECT n, 'open' FROM generate_series(1, 9) AS n;
	INSERT INTO stock SELECT n, 10 FROM generate_series(1, 9) AS n;
	INSERT INTO first VALUES (1, 1); INSERT INTO second VALUES (1, 1);
	GRANT SELECT, UPDATE ON orders, stock, first, second TO teller;
});
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub wait_for { my ($query) = @_; $node->poll_query_until('postgres', "SELECT EXISTS ($query)") or die "never: $query"; return; }
# The sampler has it before its next round.
sub set_sampling { my ($name, $value) = @_; sql("ALTER SYSTEM SET lockstep.$name = '$value'; SELECT pg_reload_conf()"); Session::wait_reloaded($node, "lockstep.$name", $value); return; }
sub seen { my ($app, $samples) = @_; wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = '$app' AND samples >= $samples"); return; }

# What the manual shows: a statement, and what psql says to it but for what no two runs share.
sub as_shown
{
	my ($query) = @_;
	my $out = '';
	IPC::Run::run([ 'psql', '-X', '-d', $node->connstr('postgres'), '-v', 'night=' . sql('SELECT now()') ], '<', \"$query\n", '>', \$out, '2>&1');
	$out =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+\d\d/2026-11-21 09:30:00+00/g;
	$out =~ s/\d\d:\d\d:\d\d( *(?:\n|$))/00:12:41$1/g;
	$out =~ s/\{\d+,\d+\}/{31,4}/g;
	$out =~ s/[ \t]+$//mg;
	$out =~ s/^-\[ RECORD.*$/-[ RECORD 1 ]/mg;
	return "$query\n$out\n";
}
my $longest_wait = q{SELECT coalesce(lock_rel::text, lock_rel_oid::text) AS relation, waiter_query, root_app, root_state,
       count(*) AS waits, date_trunc('second', max(waited)) AS longest
  FROM lockstep.lock_wait_history
 WHERE wait_start < :'night'::timestamptz + interval '1 hour' AND last_seen > :'night'::timestamptz - interval '1 hour'
 GROUP BY 1, 2, 3, 4 ORDER BY max(waited) DESC, waits DESC LIMIT 1;};
my $orders_at_risk = q{SELECT relations, wanted_modes, times_seen, sampled_since, advice FROM lockstep.lock_risk \gx};

my $gate = Plain->new($node, 'nightly_job');
my $shop = Plain->new($node, 'shop', user => 'teller');
my $queued = Plain->new($node, 'returns');

# Somebody else keeps each of them waiting, so that the two orders never meet.
sub one_order
{
	my ($busy, $mine, $theirs) = @_;
	my $begun = sql('SELECT clock_timestamp()');
	$gate->run("BEGIN; $busy");
	$shop->run("BEGIN; $mine");
	$shop->start($theirs);
	wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'shop' AND wait_start > '$begun' AND samples >= 3");
	return;
}
sub end_both { $gate->run('COMMIT'); $shop->finish; $shop->run('COMMIT'); return; }
sub risks { return sql('SELECT count(*) FROM lockstep.lock_risk'); }

one_order('UPDATE stock SET pieces = 9 WHERE id = 1', q{UPDATE orders SET state = 'paid' WHERE id = 1}, 'UPDATE stock SET pieces = pieces - 1 WHERE id = 1');
$queued->start('UPDATE stock SET pieces = pieces + 1 WHERE id = 1');
seen('returns', 3);
my $job = sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'nightly_job'});
is(sql(q{SELECT count(*), count(DISTINCT wait_start), bool_and(waited > interval '0'), bool_and(last_seen > wait_start), min(db), min(waiter_user), min(waiter_query), min(lock_type), min(wait_mode), min(lock_rel::text),
	min(lock_ctid::text), min(blocker_app), min(root_app), min(root_pid), min(root_state), bool_and(root_xact_start < wait_start), min(root_last_query) FROM lockstep.lock_wait_history WHERE waiter_app = 'shop'}),
	"1|1|t|t|postgres|teller|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|transactionid|ShareLock|stock|(0,1)|nightly_job|nightly_job|$job|idle in transaction|t|UPDATE stock SET pieces = 9 WHERE id = 1;",
	'a wait of many samples is there once, with the row, and who was at the head of it') or diag(sql('SELECT * FROM lockstep.lock_wait_history'));
is(sql(q{SELECT lock_type, lock_rel, lock_ctid, lock_text, blocker_app, root_app FROM lockstep.lock_wait_history WHERE waiter_app = 'returns'}), 'tuple|stock|(0,1)|row (0,1) of stock|shop|nightly_job', 'who stands in line waits for the one before, and at last for the first');
my $before = sql(q{SELECT waited FROM lockstep.lock_wait_history WHERE waiter_app = 'shop'});
wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'shop' AND waited > '$before'");
pass('it grows while it goes on');
# While all of them wait: who came first has waited for longest, however slow the machine is.
my $transcript = as_shown($longest_wait);

# Rights.
my $private = q{SELECT waiter_app IS NULL, waiter_query, waiter_user, lock_rel, root_app IS NULL, root_state IS NULL, root_xact_start IS NULL, root_last_query FROM lockstep.lock_wait_history WHERE lock_type = 'transactionid' ORDER BY wait_start LIMIT 1};
my %sees;
for my $role (qw(plain monitor teller))
{
	my $look = Plain->new($node, "look_$role", user => $role);
	$sees{$role} = $look->run($private);
	like($look->run('SELECT lockstep.reset_lock_history()'), qr/permission denied for function reset_lock_history/, "$role resets nothing");
	$look->close;
}
is($sees{plain}, 't|<insufficient privilege>|teller|stock|t|t|t|<insufficient privilege>', 'a plain role sees who and where, and no words');
is($sees{monitor}, 'f|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|teller|stock|f|f|f|UPDATE stock SET pieces = 9 WHERE id = 1;', 'pg_read_all_stats sees all');
is($sees{teller}, 'f|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|teller|stock|t|t|t|<insufficient privilege>', 'everybody sees his own');
end_both();
$queued->finish;

# One order is no risk, however often; nor is one relation's rows, nor what only reads.
is(risks(), 0, 'one order is no risk');
for my $round (1 .. 2)
{
	one_order('UPDATE second SET n = 2', 'UPDATE first SET n = 2', 'UPDATE second SET n = 3');
	end_both();
}
one_order('UPDATE orders SET state = state WHERE id = 2', 'SELECT count(*) FROM stock; UPDATE orders SET state = state WHERE id = 3', 'UPDATE orders SET state = state WHERE id = 2');
end_both();
is(risks(), 0, '... nor are rows of one table, nor tables that were read');
# The other order.
one_order(q{UPDATE orders SET state = 'sent' WHERE id = 2}, 'UPDATE stock SET pieces = pieces - 1 WHERE id = 2', q{UPDATE orders SET state = 'paid' WHERE id = 2});
wait_for('SELECT FROM lockstep.lock_risk');
end_both();
my $risk = q{SELECT db, relations, held_modes, wanted_modes, statements, times_seen[1] > 2, times_seen[2] > 0, first_seen <= last_seen, sampled_since < first_seen, pairs_forgotten, advice FROM lockstep.lock_risk};
my $inverted = q(postgres|{orders,stock}|{RowExclusiveLock,RowExclusiveLock}|{"FOR NO KEY UPDATE","FOR NO KEY UPDATE"}|{"UPDATE stock SET pieces = pieces - 1 WHERE id = 1;","UPDATE orders SET state = 'paid' WHERE id = 2;"}|t|t|t|t|0|)
	. 'Lock public.orders before public.stock in every transaction; lockstep.lock_all locks rows of several tables in that order.';
is(sql($risk), $inverted, 'two orders that never met are a risk');
is(sql(q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'}), 0, '... and there was no deadlock');
my $look = Plain->new($node, 'look', user => 'plain');
is($look->run('SELECT relations, statements FROM lockstep.lock_risk'), '{orders,stock}|{"<insufficient privilege>","<insufficient privilege>"}', 'a plain role sees the tables, and no words');
$look->close;

$transcript .= as_shown($orders_at_risk);
is($transcript, slurp_file(dirname(__FILE__) . '/expected/lock_samples.out'), 'as the manual shows it') or diag("it was:\n$transcript");

# A stronger lock on what is shared.
$gate->run('BEGIN; LOCK TABLE ledger IN SHARE MODE');
$queued->run('BEGIN; LOCK TABLE ledger IN SHARE MODE');
$queued->start('INSERT INTO ledger VALUES (1)');
wait_for(q{SELECT FROM lockstep.lock_risk WHERE relations = '{ledger}'});
is(sql(q{SELECT held_modes, wanted_modes, left(advice, 56) FROM lockstep.lock_risk WHERE relations = '{ledger}'}), '{ShareLock}|{RowExclusiveLock}|Two transactions that do this at one time deadlock. Lock', 'a stronger lock on what is shared is one too');
$gate->run('COMMIT');
$queued->finish;
$queued->run('COMMIT');

# Who was at the head for longest, not last; a prepared transaction.
sql(q{BEGIN; LOCK TABLE ledger IN SHARE MODE; INSERT INTO first VALUES (9, 9); PREPARE TRANSACTION 'left'});
$gate->start('BEGIN; LOCK TABLE ledger IN EXCLUSIVE MODE');
Session::wait_blocked($node, 1, 'nightly_job');
$queued->start('LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE; LOCK TABLE ledger');
$queued->finish;
$queued->start('BEGIN; LOCK TABLE ledger IN ACCESS EXCLUSIVE MODE');
wait_for(q{SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND lock_type = 'relation' AND wait_mode = 'AccessExclusiveLock' AND samples > 100});
# What follows are a few samples more, a second each: nobody is so slow that they become a hundred.
set_sampling('lock_sample_interval', '1s');
sql(q{COMMIT PREPARED 'left'});
$gate->finish;
my $samples = sql(q{SELECT samples FROM lockstep.lock_wait_history WHERE wait_mode = 'AccessExclusiveLock'});
wait_for("SELECT FROM lockstep.lock_wait_history WHERE wait_mode = 'AccessExclusiveLock' AND samples > $samples + 2");
is(sql(q{SELECT count(*), min(root_state), min(root_pid), count(root_xid), min(blocker_app), min(lock_text) FROM lockstep.lock_wait_history WHERE wait_mode = 'AccessExclusiveLock'}), '1|prepared||1||relation ledger', 'who was at the head in most samples stays');
set_sampling('lock_sample_interval', '20ms');
$gate->run('COMMIT');
$queued->finish;
$queued->run('COMMIT');

# Settings: what is too short, and nothing at all.
my $advisory = sub {
	my ($key, $is_kept) = @_;
	my $known = "SELECT FROM lockstep.lock_wait_history WHERE lock_text = 'advisory lock ($key)'";
	$gate->run("SELECT pg_advisory_lock($key)");
	$queued->start("SELECT pg_advisory_lock($key)");
	Session::wait_blocked($node, 1, 'returns');
	$is_kept ? wait_for($known) : sleep 1;
	$gate->run("SELECT pg_advisory_unlock($key)");
	$queued->finish;
	$queued->run("SELECT pg_advisory_unlock($key)");
	return sql("SELECT count(*) FROM ($known) AS k");
};
is($advisory->(1, 1), 1, 'an advisory lock is a wait like others');
set_sampling('lock_history_min_wait', '10min');
is($advisory->(2), 0, 'what is too short is left out');
set_sampling('lock_history_min_wait', '0');
set_sampling('lock_sample_interval', '0');
is($advisory->(3), 0, 'an interval of 0 takes no samples');

# A clean restart, and a file that is damaged.
my $all = 'SELECT wait_start, samples, waiter_query, root_last_query FROM lockstep.lock_wait_history';
my ($waits, $pairs) = (sql($all), sql('SELECT * FROM lockstep.lock_risk'));
$_->close for $gate, $shop, $queued;
$node->restart;
is(sql($all), $waits, 'the waits survive a clean restart');
is(sql('SELECT * FROM lockstep.lock_risk'), $pairs, '... and so do the pairs');
$node->stop;
my $path = $node->data_dir . '/pg_stat/lockstep_lock_wait_history.stat';
my $bytes = slurp_file($path);
substr($bytes, 500, 1) ^= "\x01";
open my $out, '>', $path or die;
binmode $out;
print $out $bytes;
close $out;
my $offset = -s $node->logfile;
$node->start;
is(sql('SELECT count(*) FROM lockstep.lock_wait_history'), 0, 'a damaged file is not read');
like(slurp_file($node->logfile, $offset), qr/lockstep: the file "[^"]+lock_wait_history.stat" is not used: its checksum does not fit/, '... and the log says why');

# The ring; and the end of it.
sql('ALTER SYSTEM RESET lockstep.lock_sample_interval; SELECT pg_reload_conf()');
($gate, $queued) = (Plain->new($node, 'nightly_job'), Plain->new($node, 'returns'));
for my $key (10 .. 42)
{
	$gate->run("SELECT pg_advisory_lock($key)");
	$queued->start("SELECT pg_advisory_lock($key)");
	wait_for("SELECT FROM lockstep.lock_wait_history WHERE lock_text = 'advisory lock ($key)'");
	$gate->run("SELECT pg_advisory_unlock($key)");
	$queued->finish;
}
is(sql(q{SELECT count(*), (array_agg(lock_text))[1], (array_agg(lock_text))[30] FROM lockstep.lock_wait_history}), '30|advisory lock (42)|advisory lock (13)', 'a ring: the newest first, and the oldest have given way');
sql('SELECT lockstep.reset_lock_history()');
is(sql('SELECT count(*), (SELECT count(*) FROM lockstep.lock_risk) FROM lockstep.lock_wait_history'), '0|0', 'a reset forgets all');
$_->close for $gate, $queued;

# A standby has its own.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
($gate, $queued) = (Plain->new($standby, 'report'), Plain->new($standby, 'export'));
$gate->run('SELECT pg_advisory_lock(77)');
$queued->start('SELECT pg_advisory_lock(77)');
$standby->poll_query_until('postgres', q{SELECT EXISTS (SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'export' AND root_app = 'report')}) or die;
pass('on a standby too');
$_->close for $gate, $queued;
$standby->stop;

# Without preloading.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
for my $query ('SELECT * FROM lockstep.lock_wait_history', 'SELECT * FROM lockstep.lock_risk', 'SELECT lockstep.reset_lock_history()')
{
	my ($status, $stdout, $stderr) = $node->psql('postgres', $query);
	like($stderr, qr/there are no samples of locks\nHINT:  Add lockstep to shared_preload_libraries/, 'without preloading there is a hint');
}
$node->stop;
done_testing();
