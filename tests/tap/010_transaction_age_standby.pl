# Horizons across replication: a physical slot without and with feedback, feedback without a slot, and the
# standby itself, where queries, and transactions of the primary, are the holders.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;
use Xids;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->append_conf('postgresql.conf', "max_prepared_transactions = 5\nautovacuum = off");
$primary->start;
$primary->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 100) AS n;
	CREATE TABLE quiet (n int);
	CREATE DATABASE other;
	SELECT pg_create_physical_replication_slot('reports', true);
});
$primary->safe_psql('postgres', $Xids::burn);
$primary->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'copy', has_streaming => 1);
$standby->append_conf('postgresql.conf', q{
primary_slot_name = 'reports'
hot_standby_feedback = off
wal_receiver_status_interval = 1
max_standby_streaming_delay = -1
});
$standby->start;
$primary->wait_for_catchup($standby);

sub on_primary { my ($columns, $which) = @_; return $primary->safe_psql('postgres', "SELECT $columns FROM lockstep.transaction_age WHERE $which"); }
sub on_standby { my ($columns, $which) = @_; return $standby->safe_psql('postgres', "SELECT $columns FROM lockstep.transaction_age WHERE $which"); }
# Commits of nothing are not flushed; that of a row is.
sub settle { $primary->safe_psql('postgres', 'CALL burn(20); INSERT INTO quiet VALUES (1)'); $primary->wait_for_catchup($standby); return; }
sub cutoff { return Xids::cutoff($primary, 'quiet'); }
sub feedback
{
	my ($on, $slot) = @_;
	$standby->append_conf('postgresql.conf', "hot_standby_feedback = $on\nprimary_slot_name = '$slot'");
	$standby->reload;
	return;
}

# Without feedback a slot holds WAL and no horizon.
settle();
is(on_primary(q{holder_kind, slot_name, standby = 'standby', pid = (SELECT active_pid FROM pg_replication_slots), xmin, horizons, slot_active, wal_retained >= 0, severity}, q{slot_name = 'reports'}),
	'slot_physical|reports|t|t||{}|t|t|ok', 'a slot without feedback holds WAL');
is(on_primary('count(*)', q{holder_kind LIKE 'walsender%'}), '0', 'its walsender holds nothing');

# With feedback it holds rows of every database, and is counted once.
my $report = Session->new($standby, 'report');
$report->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts');
feedback('on', 'reports');
$primary->poll_query_until('postgres', q{SELECT xmin IS NOT NULL FROM pg_replication_slots}) or die;
settle();
is(on_primary(q{holder_kind, standby, xmin = (SELECT xmin FROM pg_replication_slots), xmin_age >= 20, horizons, is_oldest_for, marginal_gain_xids >= 20, action_sql}, q{slot_name = 'reports'}),
	'slot_physical|standby|t|t|{"all data","all catalogs","shared catalogs",pg_subtrans}|{"all data","all catalogs","shared catalogs",pg_subtrans}|t|', 'a slot with feedback holds rows of every database');
is(on_primary('count(*)', q{holder_kind LIKE 'walsender%'}), '0', '... and is counted once');
is(on_primary('xmin', q{slot_name = 'reports'}), cutoff(), '... as VACUUM says');
like($primary->safe_psql('postgres', q{SET vacuum_freeze_min_age = 10; SELECT advice FROM lockstep.transaction_age WHERE slot_name = 'reports'}), qr/^Look on the standby for what needs the old rows .*: a session, .* or a replication slot/, 'the advice leads to the standby');
like($primary->safe_psql('postgres', q{SELECT top_holder FROM lockstep.wraparound_status WHERE db = 'other'}), qr/^physical slot reports$/, 'it is the top holder of every database');

# There the session is found.
is(on_standby(q{app, holder_kind, state, xmin_age >= 20, horizons, marginal_gain_xids >= 20}, q{app = 'report'}),
	'report|standby_session|idle in transaction|t|{"all data","all catalogs","shared catalogs",pg_subtrans}|t', 'on the standby it is a session');
is(on_standby('xmin', q{app = 'report'}), on_primary('xmin', q{slot_name = 'reports'}), '... with the same xmin');
like($standby->safe_psql('postgres', 'SET lockstep.age_active_warning = 0; SELECT lockstep.transaction_audit()'),
	qr/^transaction age at .*, on a standby\n.*^warning    session \d+ report \(/ms, 'the audit of a standby');
is($standby->safe_psql('postgres', q{SELECT count(*) FROM lockstep.wraparound_status WHERE severity <> 'ok' OR mxids_to_autovacuum < 1000000}), 0, 'a healthy standby is well');
is($standby->safe_psql('postgres', q{SELECT count(*) > 3, min(xid_age) > 0, count(DISTINCT top_holder) FROM lockstep.wraparound_status}), 't|t|1', 'wraparound_status of a standby');
is($standby->safe_psql('postgres', q{SELECT isolation_level, read_only, xid FROM lockstep.transaction_info()}), 'read committed|t|', 'transaction_info of a standby');
is($primary->safe_psql('postgres', 'SELECT age(datfrozenxid) FROM pg_database WHERE datname = current_database()'),
	$standby->safe_psql('postgres', q{SELECT xid_age FROM lockstep.wraparound_status WHERE db = 'postgres'}), 'ages are the same on both');
$report->run('COMMIT');

# What runs on the primary is the oldest on the standby too, prepared transactions included.
$primary->safe_psql('postgres', q{BEGIN; UPDATE accounts SET balance = 1 WHERE id = 1; PREPARE TRANSACTION 'left'});
settle();
is(on_standby(q{holder_kind, pid, gid, xid, marginal_gain_xids >= 20}, q{holder_kind = 'primary_transaction'}),
	join('|', 'primary_transaction', '', '', $primary->safe_psql('postgres', 'SELECT transaction FROM pg_prepared_xacts'), 't'), 'a transaction of the primary holds the horizon of the standby');
like($standby->safe_psql('postgres', q{SET vacuum_freeze_min_age = 10; SELECT advice FROM lockstep.transaction_age WHERE holder_kind = 'primary_transaction'}), qr/^Look on the primary/, '... and says where to look');
is(on_standby('count(*)', q{holder_kind = 'prepared'}), '0', 'prepared transactions of the primary are not the standby\'s');
is(on_standby(q{marginal_gain_xids, is_oldest_for}, q{pid = pg_backend_pid()}), '0|{}', '... and sessions there only repeat it');
# The slot's xmin goes back to it as well: the transaction answers for that.
$primary->poll_query_until('postgres', q{SELECT s.xmin::text = p.transaction::text FROM pg_replication_slots AS s, pg_prepared_xacts AS p}) or die;
is(on_primary(q{marginal_gain_xids, severity, is_oldest_for}, q{slot_name = 'reports'}), '0|ok|{}', 'a slot that repeats a transaction of the primary is not blamed');
is(on_primary(q{marginal_gain_xids >= 20, cardinality(is_oldest_for)}, q{gid = 'left'}), 't|4', '... the transaction is');
my $old = Session->new($standby, 'old');
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts');
$primary->safe_psql('postgres', q{ROLLBACK PREPARED 'left'});
settle();
is($old->run(q{SELECT string_agg(holder_kind, ','), bool_and(marginal_gain_xids >= 20) FROM lockstep.transaction_age WHERE app = 'old' OR holder_kind = 'primary_transaction'}),
	'standby_session|t', 'an old snapshot does not blame a transaction that has ended');
$old->run('COMMIT');
$old->close;
is(on_standby('count(*)', q{holder_kind = 'primary_transaction'}), '0', 'when it has ended, nothing of the primary is old');

# Feedback without a slot: the walsender holds it.
feedback('on', '');
$standby->restart;
$primary->safe_psql('postgres', q{SELECT pg_drop_replication_slot('reports')});
$report->close;
$report = Session->new($standby, 'report');
$report->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts');
$primary->poll_query_until('postgres', q{SELECT backend_xmin IS NOT NULL FROM pg_stat_replication}) or die;
settle();
is(on_primary(q{holder_kind, standby, pid = (SELECT pid FROM pg_stat_replication), xmin = (SELECT backend_xmin FROM pg_stat_replication), horizons, is_oldest_for, marginal_gain_xids >= 20}, q{holder_kind LIKE 'walsender%'}),
	'walsender_feedback|standby|t|t|{"all data","all catalogs","shared catalogs",pg_subtrans}|{"all data","all catalogs","shared catalogs",pg_subtrans}|t', 'feedback without a slot is a walsender');
is(on_primary('xmin', q{holder_kind = 'walsender_feedback'}), cutoff(), '... as VACUUM says');
is(on_primary('count(*)', 'slot_name IS NOT NULL'), '0', '... and no slot');
$report->close;

# A promoted standby is a primary like any other.
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT count(*) FROM lockstep.transaction_age WHERE holder_kind = 'standby_session'}), '0', 'after promotion sessions are sessions');
like($standby->safe_psql('postgres', 'SELECT lockstep.transaction_audit()'), qr/^transaction age at [^,]*$/m, '... and the audit says no standby');
$standby->stop;
$primary->stop;
done_testing();
