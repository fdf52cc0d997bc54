# Samples of the lock manager: a wait is kept once, with who was at the head of it; two orders of locks that never met
# are a risk, one order is none; all of it outlives a clean restart; who sees what; on a standby; without preloading.
# What docs/lock-history.md shows must be expected/lock_samples.out.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use KeptFile;
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
deadlock_timeout = 10min
compute_query_id = on
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
	CREATE TABLE zone (id int); CREATE TABLE area (id int); CREATE TABLE yard (id int);
	INSERT INTO zone VALUES (1); INSERT INTO area VALUES (1); INSERT INTO yard VALUES (1);
	INSERT INTO orders SELECT n, 'open' FROM generate_series(1, 9) AS n;
	INSERT INTO stock SELECT n, 10 FROM generate_series(1, 9) AS n;
	INSERT INTO first VALUES (1, 1); INSERT INTO second VALUES (1, 1);
	GRANT SELECT, UPDATE ON orders, stock, first, second, ledger, zone, area, yard TO teller;
});
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub wait_for { my ($query) = @_; $node->poll_query_until('postgres', "SELECT EXISTS ($query)") or die "never: $query"; return; }
# The sampler has it before its next round.
sub set_sampling { my ($name, $value) = @_; sql("ALTER SYSTEM SET lockstep.$name = '$value'; SELECT pg_reload_conf()"); Session::wait_reloaded($node, "lockstep.$name", $value); return; }
# The wait that began last: when two samples have seen it, the first one is done.
sub seen { my ($app, $samples) = @_; wait_for("SELECT FROM (SELECT * FROM lockstep.lock_wait_history WHERE waiter_app = '$app' ORDER BY wait_start DESC LIMIT 1) AS h
	JOIN pg_locks AS l ON l.pid = h.waiter_pid AND l.waitstart = h.wait_start WHERE h.samples >= $samples"); return; }

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
	$shop->run($_) for 'BEGIN', @$mine;
	$shop->start($theirs);
	wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'shop' AND wait_start > '$begun' AND samples >= 3");
	return;
}
sub end_both { $gate->run('COMMIT'); $shop->finish; $shop->run('COMMIT'); return; }
sub risks { return sql('SELECT count(*) FROM lockstep.lock_risk'); }

one_order('UPDATE stock SET pieces = 9 WHERE id = 1', [q{UPDATE orders SET state = 'paid' WHERE id = 1}], 'UPDATE stock SET pieces = pieces - 1 WHERE id = 1');
$queued->run(q{BEGIN; UPDATE orders SET state = 'back' WHERE id = 9});
$queued->start('UPDATE stock SET pieces = pieces + 1 WHERE id = 1');
seen('returns', 10);
my $job = sql(q{SELECT pid FROM pg_stat_activity WHERE application_name = 'nightly_job'});
is(sql(q{SELECT count(*), count(DISTINCT wait_start), bool_and(waited > interval '0'), bool_and(last_seen > wait_start), min(db), min(waiter_user), min(waiter_query), min(lock_type), min(wait_mode), min(lock_rel::text),
	min(lock_ctid::text), min(blocker_app), min(root_app), min(root_pid), min(root_state), bool_and(root_xact_start < wait_start), min(root_last_query) FROM lockstep.lock_wait_history WHERE waiter_app = 'shop'}),
	"1|1|t|t|postgres|teller|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|transactionid|ShareLock|stock|(0,1)|nightly_job|nightly_job|$job|idle in transaction|t|UPDATE stock SET pieces = 9 WHERE id = 1;",
	'a wait of many samples is there once, with the row, and who was at the head of it') or diag(sql('SELECT * FROM lockstep.lock_wait_history'));
is(sql(q{SELECT lock_type, lock_rel, lock_ctid, lock_text, blocker_app, root_app FROM lockstep.lock_wait_history WHERE waiter_app = 'returns'}), 'tuple|stock|(0,1)|row (0,1) of stock|shop|nightly_job', 'who stands in line waits for the one before, and at last for the first');
is(sql(q{SELECT (waiter_pid, waiter_query_id) = (w.pid, w.query_id), (blocker_pid, blocker_xid, blocker_query_id)::text = (b.pid, b.backend_xid, b.query_id)::text, (root_pid, root_xid, root_query_id)::text = (r.pid, r.backend_xid, r.query_id)::text
	FROM lockstep.lock_wait_history JOIN pg_stat_activity AS w ON w.application_name = waiter_app JOIN pg_stat_activity AS b ON b.application_name = blocker_app JOIN pg_stat_activity AS r ON r.application_name = root_app
	WHERE waiter_app = 'returns'}), 't|t|t', '... each with his own numbers');
my $before = sql(q{SELECT waited FROM lockstep.lock_wait_history WHERE waiter_app = 'shop'});
wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'shop' AND waited > '$before'");
pass('it grows while it goes on');
# While all of them wait: who came first has waited for longest, however slow the machine is.
my $transcript = as_shown($longest_wait);

# Rights.
my $private = q{SELECT waiter_app IS NULL, waiter_query, waiter_user, lock_rel, root_app IS NULL, root_state IS NULL, root_xact_start IS NULL, root_last_query, waiter_query_id IS NULL, root_query_id IS NULL FROM lockstep.lock_wait_history WHERE lock_type = 'transactionid' ORDER BY wait_start LIMIT 1};
my %sees;
for my $role (qw(plain monitor teller))
{
	my $look = Plain->new($node, "look_$role", user => $role);
	$sees{$role} = $look->run($private);
	like($look->run('SELECT lockstep.reset_lock_history()'), qr/permission denied for function reset_lock_history/, "$role resets nothing");
	$look->close;
}
is($sees{plain}, 't|<insufficient privilege>|teller|stock|t|t|t|<insufficient privilege>|t|t', 'a plain role sees who and where, and no words');
is($sees{monitor}, 'f|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|teller|stock|f|f|f|UPDATE stock SET pieces = 9 WHERE id = 1;|f|f', 'pg_read_all_stats sees all');
is($sees{teller}, 'f|UPDATE stock SET pieces = pieces - 1 WHERE id = 1;|teller|stock|t|t|t|<insufficient privilege>|f|t', 'everybody sees his own');
# A new version that is committed is anybody's: the second in line may be faster than the first.
$gate->run('ROLLBACK');
$shop->finish;
seen('returns', 2);
$shop->run('COMMIT');
$queued->finish;
$queued->run('COMMIT');
is(sql(q{SELECT string_agg(concat_ws(' ', lock_type, blocker_app), ', ' ORDER BY wait_start) FROM lockstep.lock_wait_history WHERE waiter_app = 'returns'}), 'tuple shop, transactionid shop', '... and then for his transaction: he waits twice');

# What is told of the order is the last statement.
one_order('UPDATE stock SET pieces = 9 WHERE id = 4', [q{UPDATE orders SET state = 'paid' WHERE id = 4}], 'UPDATE stock SET pieces = pieces - 2 WHERE id = 4');
end_both();

# One order is no risk, however often; nor is one relation's rows, nor what only reads.
is(risks(), 0, 'one order is no risk');
for my $round (1 .. 2)
{
	one_order('UPDATE second SET n = 2', ['UPDATE first SET n = 2'], 'UPDATE second SET n = 3');
	end_both();
}
one_order('UPDATE orders SET state = state WHERE id = 2', ['SELECT count(*) FROM stock', 'UPDATE orders SET state = state WHERE id = 3'], 'UPDATE orders SET state = state WHERE id = 2');
end_both();
one_order('LOCK TABLE second', ['SELECT count(*) FROM ledger'], 'LOCK TABLE second IN SHARE MODE');
end_both();
one_order('SELECT FROM ledger', ['UPDATE second SET n = 4'], 'LOCK TABLE ledger');
end_both();
is(risks(), 0, '... nor are rows of one table, nor tables that were read');
# The other order. Who has a table in two modes has them in two places, once somebody has wanted all of it.
my $turned = sql('SELECT clock_timestamp()');
$gate->run('BEGIN; UPDATE orders SET state = state WHERE id = 2');
$shop->run('BEGIN');
$shop->run('UPDATE stock SET pieces = pieces - 1 WHERE id = 2');
$queued->run('BEGIN');
like($queued->run('LOCK TABLE stock IN SHARE MODE NOWAIT'), qr/could not obtain lock/, 'somebody wants all of it');
$queued->run('ROLLBACK');
$shop->run('SELECT FROM stock WHERE id = 3 FOR SHARE');
$shop->start(q{UPDATE orders SET state = 'paid' WHERE id = 2});
wait_for('SELECT FROM lockstep.lock_risk WHERE times_seen[2] > 1');
end_both();
my $risk = q{SELECT db, relations, held_modes, wanted_modes, statements, times_seen[1] > 2, times_seen[2] > 0, first_seen < last_seen, sampled_since < first_seen, pairs_forgotten, advice FROM lockstep.lock_risk};
my $inverted = q(postgres|{orders,stock}|{RowExclusiveLock,"RowShareLock, RowExclusiveLock"}|{"FOR NO KEY UPDATE","FOR NO KEY UPDATE"}|{"UPDATE stock SET pieces = pieces - 2 WHERE id = 4;","UPDATE orders SET state = 'paid' WHERE id = 2;"}|t|t|t|t|0|)
	. 'Lock public.orders before public.stock in every transaction; lockstep.lock_all locks rows of several tables in that order.';
is(sql($risk), $inverted, 'two orders that never met are a risk');
is(sql("SELECT first_seen > '$turned' FROM lockstep.lock_risk"), 't', '... since both of them were seen');
# Two who wait for one thing, in one sample: in ten samples and more they were two.
is(sql(q{SELECT times_seen[1] < (SELECT sum(samples) - 3 FROM lockstep.lock_wait_history WHERE lock_rel = 'stock'::regclass) FROM lockstep.lock_risk}), 't', '... counted once a sample');
is(sql(q{SELECT deadlocks FROM pg_stat_database WHERE datname = 'postgres'}), 0, '... and there was no deadlock');
my $look = Plain->new($node, 'look', user => 'plain');
is($look->run('SELECT relations, statements FROM lockstep.lock_risk'), '{orders,stock}|{"<insufficient privilege>","<insufficient privilege>"}', 'a plain role sees the tables, and no words');
$look->close;

$transcript .= as_shown($orders_at_risk);
is($transcript, slurp_file(dirname(__FILE__) . '/expected/lock_samples.out'), 'as the manual shows it') or diag("it was:\n$transcript");

# Three in a ring, of rows and of a whole table; and other strengths. What is wanted is told in the order of the ring, what is advised by names.
one_order('UPDATE area SET id = 1', ['UPDATE zone SET id = 1'], 'SELECT FROM area FOR SHARE');
end_both();
one_order('UPDATE yard SET id = 1', ['UPDATE area SET id = 1'], 'SELECT FROM yard FOR UPDATE');
end_both();
one_order('UPDATE zone SET id = 1', ['UPDATE yard SET id = 1'], 'LOCK TABLE zone IN SHARE MODE');
end_both();
is(sql(q{SELECT relations, wanted_modes, advice FROM lockstep.lock_risk WHERE relations[1] = 'zone'}),
	'{zone,area,yard}|{"FOR SHARE","FOR UPDATE",ShareLock}|Lock public.area before public.yard before public.zone in every transaction.', 'three orders that make a ring');
one_order('SELECT FROM first FOR UPDATE', ['UPDATE second SET n = 4'], 'SELECT FROM first FOR KEY SHARE');
end_both();
is(sql(q{SELECT relations, wanted_modes FROM lockstep.lock_risk WHERE relations[1] = 'first'}), '{first,second}|{"FOR NO KEY UPDATE","FOR KEY SHARE"}', 'the strength of each');
sql('DROP TABLE yard');
is(sql(q{SELECT count(*) FROM lockstep.lock_risk WHERE cardinality(relations) = 3}), 0, 'a table that is gone is at no risk');

# Who wait for each other: at the head is the next one.
$gate->run('SELECT pg_advisory_lock(101)');
$queued->run('SELECT pg_advisory_lock(102)');
$queued->start('SELECT pg_advisory_lock(101)');
seen('returns', 1);
$gate->start('SELECT pg_advisory_lock(102)');
seen('nightly_job', 2);
is(sql(q{SELECT blocker_app, root_app FROM lockstep.lock_wait_history WHERE waiter_app = 'nightly_job'}), 'returns|returns', 'of a ring the next one is at the head');
sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'nightly_job'});
$gate->finish;
$gate->run('SELECT pg_advisory_unlock_all()');
$queued->finish;
$queued->run('SELECT pg_advisory_unlock_all()');

# In another database: what there is of it here has no name, and is there all the same.
sql('CREATE DATABASE apart');
$node->safe_psql('apart', 'CREATE TABLE far ()');
my $far = $node->safe_psql('apart', q{SELECT 'far'::regclass::oid});
{
	my ($one, $two) = map { Plain->new($node, $_, dbname => 'apart') } qw(far_one far_two);
	$_->run('BEGIN; LOCK TABLE far IN SHARE MODE') for $one, $two;
	$two->start('LOCK TABLE far IN ROW EXCLUSIVE MODE');
	seen('far_two', 2);
	$one->run('COMMIT');
	$two->finish;
	$_->close for $one, $two;
}
is(sql(q{SELECT db, lock_rel IS NULL, lock_rel_oid FROM lockstep.lock_wait_history WHERE waiter_app = 'far_two'}), "apart|t|$far", 'a wait in another database');
is(sql(q{SELECT cardinality(relations), held_modes, wanted_modes FROM lockstep.lock_risk WHERE db = 'apart'}), '1|{ShareLock}|{RowExclusiveLock}', '... and a risk');

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
my $samples = sql(q{SELECT samples FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND wait_mode = 'AccessExclusiveLock'});
wait_for("SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND wait_mode = 'AccessExclusiveLock' AND samples > $samples + 2");
is(sql(q{SELECT count(*), min(root_state), min(root_pid), count(root_xid), min(blocker_app), min(lock_text) FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND wait_mode = 'AccessExclusiveLock'}), '1|prepared||1||relation ledger', 'who was at the head in most samples stays');
set_sampling('lock_sample_interval', '20ms');
wait_for(q{SELECT FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND wait_mode = 'AccessExclusiveLock' AND root_app = 'nightly_job'});
is(sql(q{SELECT blocker_app FROM lockstep.lock_wait_history WHERE waiter_app = 'returns' AND wait_mode = 'AccessExclusiveLock'}), 'nightly_job', '... until another one is, who is waited for then');
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
# Files that are damaged, or have what cannot be; each change of a sound file is signed anew, but for the first one.
$node->stop;
my %kept = map { $_ => slurp_file($node->data_dir . "/pg_stat/lockstep_$_.stat") } qw(lock_wait_history lock_pairs);
# The offset of an item's field in a file of these.
sub field { my ($file, $item, $at) = @_; return 40 + unpack('L', substr($file, 8, 4)) * $item + $at; }
sub start_with
{
	my (%files) = @_;
	$node->stop;
	write_kept($_, $files{$_}) for keys %files;
	my $offset = -s $node->logfile;
	$node->start;
	return slurp_file($node->logfile, $offset);
}
sub write_kept
{
	my ($name, $bytes) = @_;
	open my $out, '>', $node->data_dir . "/pg_stat/lockstep_$name.stat" or die;
	binmode $out;
	print $out $bytes;
	close $out;
	return;
}
my ($history, $pairs_kept) = @kept{qw(lock_wait_history lock_pairs)};
substr($history, 500, 1) ^= "\x01";
substr($pairs_kept, field($pairs_kept, 1, 16), 4) = pack 'l', 9;
my $log = start_with(lock_wait_history => $history, lock_pairs => KeptFile::signed($pairs_kept));
is(sql('SELECT count(*) FROM lockstep.lock_wait_history'), 0, 'a damaged file is not read');
like($log, qr/lockstep: the file "[^"]+lock_wait_history.stat" is not used: its checksum does not fit/, '... and the log says why');
is(risks(), 0, 'nor is one with a mode that there is not');
like($log, qr/lockstep: the file "[^"]+lock_pairs.stat" is not used: a pair in it is none/, '... and the log says why');
($history, $pairs_kept) = @kept{qw(lock_wait_history lock_pairs)};
substr($history, field($history, 1, 36), 4) = pack 'l', 0;
substr($pairs_kept, field($pairs_kept, 0, 32), 8) = pack 'q', unpack('q', substr($pairs_kept, field($pairs_kept, 0, 32), 8)) + 86400 * 1_000_000;
like(start_with(lock_wait_history => KeptFile::signed($history), lock_pairs => KeptFile::signed($pairs_kept)), qr/lock_wait_history.stat" is not used: a wait in it is none/, 'nor waits for what there is not');
is(risks(), 0, 'nor is what began in the future');
# Of the newest ten one is of the future; a name has its end, whatever the file says.
$history = $kept{lock_wait_history};
my $count = unpack 'L', substr($history, 12, 4);
substr($history, field($history, $count - 1, 16), 8) = pack 'q', unpack('q', substr($history, field($history, $count - 1, 16), 8)) + 86400 * 1_000_000;
substr($history, field($history, $count - 2, 85), 64) = 'x' x 64;
$node->append_conf('postgresql.conf', 'lockstep.lock_history_size = 10');
start_with(lock_wait_history => KeptFile::signed($history), lock_pairs => $kept{lock_pairs});
is(sql($all), join("\n", (split /\n/, $waits)[1 .. 9]), 'a smaller ring keeps the newest, and none of the future');
is(sql('SELECT max(length(waiter_app)) FROM lockstep.lock_wait_history'), 63, 'a name has its end');
is(sql('SELECT * FROM lockstep.lock_risk'), $pairs, 'a sound file is read');

# The rings: of waits, and of pairs of what was held and wanted, of which 64 of each transaction are looked at.
my $reset = sql('SELECT clock_timestamp()');
sql('SELECT lockstep.reset_lock_history()');
sql(q{DO $$ BEGIN FOR n IN 1 .. 70 LOOP EXECUTE format('CREATE TABLE held%s ()', n); END LOOP; FOR n IN 2 .. 10 LOOP EXECUTE format('CREATE TABLE wanted%s ()', n); END LOOP; END $$});
sql('ALTER SYSTEM RESET lockstep.lock_sample_interval; SELECT pg_reload_conf()');
($gate, $queued) = (Plain->new($node, 'nightly_job'), Plain->new($node, 'returns'));
my $shared = sub {
	my ($table) = @_;
	$_->run("BEGIN; LOCK TABLE $table IN SHARE MODE") for $gate, $queued;
	$queued->start("LOCK TABLE $table IN ROW EXCLUSIVE MODE");
	seen('returns', 2);
	$gate->run('COMMIT');
	$queued->finish;
	$queued->run('COMMIT');
};
$shared->('ledger');
$shared->('second');
for my $key (10 .. 42)
{
	# Other tables or other modes each time.
	my ($wanted, $mode, $held) = ('wanted' . int($key / 4), $key % 2 ? 'SHARE' : 'EXCLUSIVE', int($key / 2) % 2 ? 'SHARE ROW EXCLUSIVE' : 'EXCLUSIVE');
	$gate->run("BEGIN; LOCK TABLE $wanted");
	$queued->run('BEGIN; LOCK TABLE ' . join(', ', map { "held$_" } 1 .. ($key == 42 ? 50 : 70)) . " IN $held MODE");
	$queued->start("LOCK TABLE $wanted IN $mode MODE");
	seen('returns', 2);
	$gate->run('COMMIT');
	$queued->finish;
	$queued->run('COMMIT');
	$shared->('ledger') if $key == 11;
}
is(sql(q{SELECT count(*), (array_agg(concat(lock_rel, ' ', wait_mode)))[1], (array_agg(concat(lock_rel, ' ', wait_mode)))[10] FROM lockstep.lock_wait_history}), '10|wanted10 ExclusiveLock|wanted8 ShareLock', 'a ring: the newest first, and the oldest have given way');
is(sql("SELECT relations, pairs_forgotten, sampled_since > '$reset' FROM lockstep.lock_risk"), '{ledger}|' . (2 + 64 * 32 + 50 - 2000) . '|t', 'of the pairs the one that was not seen for longest has given way');
sql('SELECT lockstep.reset_lock_history()');
is(sql('SELECT count(*), (SELECT count(*) FROM lockstep.lock_risk) FROM lockstep.lock_wait_history'), '0|0', 'a reset forgets all');
$gate->run('SELECT pg_advisory_lock(43)');
$queued->start('SELECT pg_advisory_lock(43)');
seen('returns', 3);
is(sql('SELECT count(*) FROM lockstep.lock_wait_history'), 1, '... and a wait is there once again');
$gate->run('SELECT pg_advisory_unlock(43)');
$queued->finish;
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
