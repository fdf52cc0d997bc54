# The history of ages: a sampler that fills a ring, which outlives a clean restart and is read again only
# where it is whole and belongs to this server; on a standby as well; without preloading a hint.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use KeptFile;
use Session;
use Xids;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
lockstep.sample_interval = 1
lockstep.history_size = 20
restart_after_crash = on
max_prepared_transactions = 5
wal_level = logical
autovacuum = off
});
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE t (n int);
});
$node->safe_psql('postgres', $Xids::burn);
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub wait_for { my ($condition) = @_; $node->poll_query_until('postgres', "SELECT count(*) > 0 FROM lockstep.transaction_age_history WHERE $condition") or die "never: $condition"; return; }

# Who held the horizon is in the samples.
my $idle = Session->new($node, 'night_job');
$idle->run('BEGIN; INSERT INTO t VALUES (1)');
my $pid = $idle->run('SELECT pg_backend_pid()');
my $xid = $idle->run('SELECT pg_current_xact_id()::xid');
sql('CALL burn(50)');
wait_for(q{top_name = 'night_job' AND top_age >= 50});
is(sql(q{SELECT DISTINCT top_kind, top_pid, top_db, top_user = current_user, top_xid, top_since < sampled_at, idle_in_xact_age = top_age, prepared_age, slot_logical_age, next_xid::text::bigint - top_xid::text::bigint = top_age, oldest_db IS NOT NULL, oldest_db_age > 50
	FROM lockstep.transaction_age_history WHERE top_name = 'night_job' AND top_age >= 50}), "idle_in_xact|$pid|postgres|t|$xid|t|t|||t|t|t", 'a sample knows who held the horizon');
is(sql(q{SELECT bool_and(sampled_at > before) FROM (SELECT sampled_at, lag(sampled_at) OVER () AS before FROM lockstep.transaction_age_history) AS s WHERE before IS NOT NULL}), 't', 'oldest first');
is(sql(q{SELECT max(oldest_db_age) <= max(age(datfrozenxid)) FROM lockstep.transaction_age_history, pg_database}), 't', 'with the age of the oldest database');
# So when an xmin was assigned is known too.
is(sql(q{SELECT xmin_seen_at = (SELECT min(sampled_at) FROM lockstep.transaction_age_history WHERE next_xid::text::bigint > } . $xid . q{), xmin_wall_age > interval '0', xmin_wall_age <= xact_age
	FROM lockstep.transaction_age WHERE app = 'night_job'}), 't|t|t', 'by the history an xmin has an age in time');
is(sql(q{SELECT xids_per_hour, stop_in FROM lockstep.wraparound_status LIMIT 1}), '|', 'a rate needs a minute of history');
$idle->run('COMMIT');
# A slot has no time of its own; the history gives it one, and so a severity by time.
sql(q{SELECT pg_create_logical_replication_slot('cdc', 'test_decoding'); CALL burn(10)});
wait_for(q{top_kind = 'slot_logical' AND top_name = 'cdc' AND slot_logical_age >= 10});
$node->poll_query_until('postgres', q{SELECT xmin_seen_at IS NOT NULL FROM lockstep.transaction_age WHERE slot_name = 'cdc'}) or die;
like(sql(q{SET lockstep.age_slot_warning = 0; SELECT severity, reason FROM lockstep.transaction_age WHERE slot_name = 'cdc'}), qr/^warning\|held for \d+ s \(limit 0 s\)$/, 'a slot is too old by time');
sql(q{SELECT pg_drop_replication_slot('cdc')});
sql(q{BEGIN; INSERT INTO t VALUES (2); PREPARE TRANSACTION 'left'});
wait_for(q{prepared_age IS NOT NULL AND top_kind = 'prepared' AND top_name = 'left'});
sql(q{ROLLBACK PREPARED 'left'});
wait_for(q{top_kind IS NULL});
pass('when nobody holds anything, nobody is named');
# A ring: the oldest give way.
$node->poll_query_until('postgres', 'SELECT count(*) = 20 FROM lockstep.transaction_age_history') or die;
my $first = sql('SELECT min(sampled_at) FROM lockstep.transaction_age_history');
$node->poll_query_until('postgres', "SELECT min(sampled_at) > '$first' FROM lockstep.transaction_age_history") or die;
is(sql('SELECT count(*) FROM lockstep.transaction_age_history'), 20, 'the ring stays as large as it is set to');

# 0 turns it off, and on again, without a restart.
sub samples { return sql('SELECT count(DISTINCT sampled_at), max(sampled_at) FROM lockstep.transaction_age_history'); }
sql('ALTER SYSTEM SET lockstep.sample_interval = 0; SELECT pg_reload_conf()');
# The sampler reads its settings anew after its present round.
Session::wait_reloaded($node, 'lockstep.sample_interval', '0');
my $before = '';
for (1 .. $PostgreSQL::Test::Utils::timeout_default)
{
	last if samples() eq $before;
	$before = samples();
	sleep 3;
}
is(samples(), $before, 'an interval of 0 takes no samples');
# It survives a clean restart: nothing is taken, nothing is lost.
$node->restart;
is(samples(), $before, 'the history survives a clean restart');
# The file's damage is noticed.
my $file = $node->data_dir . '/pg_stat/lockstep_age_history.stat';
my $whole = slurp_file($file);
my $damage = sub {
	my ($name, $bytes, $said) = @_;
	$node->stop;
	open my $out, '>', $file or die;
	binmode $out;
	print $out $bytes;
	close $out;
	my $offset = -s $node->logfile;
	$node->start;
	is(sql('SELECT count(*) FROM lockstep.transaction_age_history'), 0, "$name: no history");
	like(slurp_file($node->logfile, $offset), qr/lockstep: the file "[^"]+" is not used: $said/, "$name: the log says why");
	return;
};
my $flipped = $whole;
substr($flipped, 500, 1) ^= "\x01";
$damage->('a bit flipped', $flipped, 'its checksum does not fit');
$damage->('cut short', substr($whole, 0, 900), 'it is too short');
$damage->('no header', 'x', 'it is too short');
my $other = $whole;
substr($other, 16, 8) = "\x01" x 8;
$damage->('another system', $other, 'it belongs to another database system');
my $folder = $whole;
substr($folder, 24, 8) = "\x01" x 8;
$damage->('another folder', $folder, 'it belongs to another data folder');
my $many = $whole;
substr($many, 12, 4) = pack 'L', 90000;
$damage->('more samples than bytes', $many, 'it is too short');
substr($many, 12, 4) = pack 'L', 0x7fffffff;
$damage->('more samples than there can be', $many, 'it has another format');
my $format = $whole;
substr($format, 4, 1) = "\x63";
$damage->('another format', $format, 'it has another format');
# An hour of history gives rates, and times until the limits: the first sample is made one of 90 minutes ago,
# the second of half an hour ago, when there were 400 transactions fewer.
my $write = sub {
	my ($bytes) = @_;
	$node->stop;
	open my $out, '>', $file or die;
	binmode $out;
	print $out $bytes;
	close $out;
	$node->start;
	return;
};
my ($header, $size) = (40, unpack 'L', substr($whole, 8, 4));
is(unpack('L', substr($whole, 32, 4)), KeptFile::checksum($whole), 'the checksum is the usual CRC-32C');
my $aged = $whole;
my ($at, $next_xid) = unpack 'qQ', substr($whole, $header + $size, 16);
substr($aged, $header, 16) = pack 'qQ', $at - 90 * 60 * 1_000_000, $next_xid - 500;
substr($aged, $header + $size, 16) = pack 'qQ', $at - 30 * 60 * 1_000_000, $next_xid - 400;
$write->(KeptFile::signed($aged));
is(sql(q{WITH s AS (SELECT sampled_at, next_xid::text::bigint AS next FROM lockstep.transaction_age_history OFFSET 1 LIMIT 1)
	SELECT DISTINCT abs(xids_per_hour / ((pg_snapshot_xmax(pg_current_snapshot())::text::bigint - next) / (extract(epoch FROM clock_timestamp() - sampled_at) / 3600)) - 1) < 0.01,
		mxids_per_hour, abs(extract(epoch FROM autovacuum_in) / (xids_to_autovacuum / xids_per_hour * 3600) - 1) < 0.01, abs(extract(epoch FROM stop_in) / (xids_to_stop / xids_per_hour * 3600) - 1) < 0.01
	FROM lockstep.wraparound_status, s}), 't|0|t|t', 'rates are those of the last hour, and times follow from them');
like(sql('SELECT lockstep.transaction_audit()'), qr/^until the server stops: [\d,]+ transactions, more than 10 years at the present rate$/m, 'the audit says it');
# What the clock has not reached yet is left out; the rest is kept. A name has an end, whatever the file says.
my $future = $whole;
my $last_at = $header + (length($whole) - $header) - $size;
substr($future, $last_at, 8) = pack 'q', $at + 86400 * 1_000_000;
substr($future, $header + 32 + 17 * 4 + 28, 64) = 'x' x 64;
substr($future, $header + 32 + 17 * 4, 4) = pack 'L', 5;
$write->(KeptFile::signed($future));
is(sql(q{SELECT count(*), max(length(top_name)) FROM lockstep.transaction_age_history}), '19|63', 'a sample of the future is left out, a name has its end');
# A smaller ring keeps the newest of it.
$node->stop;
open my $out, '>', $file or die;
binmode $out;
print $out $whole;
close $out;
$node->append_conf('postgresql.conf', 'lockstep.history_size = 10');
$node->start;
my ($count, $last) = split /\|/, samples();
is("$count $last", '10 ' . (split /\|/, $before)[1], 'a smaller ring keeps the newest');
# The sampler comes back when it is turned on, and after it was killed.
sql('ALTER SYSTEM RESET lockstep.sample_interval; SELECT pg_reload_conf()');
wait_for("sampled_at > '$last'");
pass('the sampler is turned on without a restart');
# After a crash of a session the server starts anew; the sampler too, with what the file has.
my $victim = Session->new($node, 'victim');
$pid = $victim->run('SELECT pg_backend_pid()');
my $crash = sql('SELECT clock_timestamp()');
kill 'KILL', $pid;
$victim->close;
Session::wait_restarted($node, $crash);
wait_for("sampled_at > '$crash'");
pass('after a crash there are samples again');

# Rights: that there was an idle session is for those who may see its state.
sql('CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor');
$idle = Session->new($node, 'second_job');
$idle->run('BEGIN; INSERT INTO t VALUES (3)');
wait_for(q{top_name = 'second_job'});
my $seen = q{SELECT DISTINCT top_kind, top_since IS NULL, idle_in_xact_age IS NULL FROM lockstep.transaction_age_history WHERE top_name = 'second_job'};
my $plain = Session->new($node, 'plain', user => 'plain');
is($plain->run($seen), 'session|t|t', 'a plain role sees that it was a session');
$plain->close;
my $monitor = Session->new($node, 'monitor', user => 'monitor');
is($monitor->run($seen), 'idle_in_xact|f|f', 'pg_monitor sees what it did');
$monitor->close;
$idle->close;

# A standby has its own.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM lockstep.transaction_age_history WHERE sampled_at < pg_postmaster_start_time()}), 0, 'a standby does not take the history of its primary for its own');
my $report = Session->new($standby, 'report');
$report->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM t');
sql('CALL burn(30); INSERT INTO t VALUES (4)');
$standby->poll_query_until('postgres', q{SELECT count(*) > 0 FROM lockstep.transaction_age_history WHERE top_name = 'report' AND top_kind = 'standby_session' AND standby_session_age >= 30}) or die;
pass('on a standby the sampler sees its sessions');
$report->close;
$standby->stop;

# Without preloading.
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''");
$node->restart;
my ($status, $stdout, $stderr) = $node->psql('postgres', 'SELECT * FROM lockstep.transaction_age_history');
like($stderr, qr/there is no history of transaction ages\nHINT:  Add lockstep to shared_preload_libraries/, 'without preloading there is a hint');
is(sql('SELECT count(*) > 0, count(xmin_seen_at) FROM lockstep.transaction_age'), 't|0', '... and everything else works');
($status, $stdout, $stderr) = $node->psql('postgres', 'SELECT count(*) > 0 FROM lockstep.transaction_age');
is($stderr, '', '... without a word about settings that need it');
$node->stop;
done_testing();
