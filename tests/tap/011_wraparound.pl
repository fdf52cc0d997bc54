# Each severity at the limit that the server has for it, with billions of transactions: a forgotten slot
# holds every database back, from the first notice to the point where the server stops, and to the cure.
# Then ages across 2^31 and 2^32, crossed by real transactions.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Xids;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "wal_level = logical\nautovacuum = off\nfsync = off\nsynchronous_commit = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE t (n int);
	SELECT pg_create_logical_replication_slot('forgotten', 'test_decoding');
});
$node->safe_psql('postgres', $Xids::burn);
my $held = $node->safe_psql('postgres', 'SELECT catalog_xmin FROM pg_replication_slots');
my $oldest = $node->safe_psql('postgres', q{SELECT min(datfrozenxid::text::bigint) FROM pg_database});
# Where they differ: differs again and again, unless a worker was the cause.
sub same_ages
{
	my ($differ) = @_;
	my $query = qq{SELECT string_agg(concat_ws(' ', d.datname, age(d.datfrozenxid), s.xid_age, s.xids_to_stop), ', ') FROM pg_database AS d JOIN lockstep.wraparound_status AS s ON s.datid = d.oid WHERE $differ};
	my $found;
	for (1 .. 5)
	{
		$found = sql($query);
		last if $found eq '';
		$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'}) or die 'the workers never end';
	}
	return $found;
}
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }

# The slot has this age; what is said of it, and of the database.
my $step = sub {
	my ($age, $slot, $database) = @_;
	Xids::jump($node, $held + $age);
	is(sql(q{SELECT catalog_xmin_age, severity, datfrozenxid_blocked, reason FROM lockstep.transaction_age WHERE slot_name = 'forgotten'}), "$age|$slot", "the slot at $age");
	like(sql(q{SELECT severity, reason FROM lockstep.wraparound_status WHERE db = 'postgres'}), $database, "the database at $age");
	# The server writes datfrozenxid in place, and starts workers against wraparound although autovacuum is off: one of them may
	# have moved it between the statement's look and ours.
	is(same_ages(q{(age(d.datfrozenxid), mxid_age(d.datminmxid)) IS DISTINCT FROM (s.xid_age::int, s.mxid_age::int)}), '', "all databases at $age have the ages that the server computes");
	return;
};
$step->(49_000_000, 'ok|f|', qr/^ok\|$/);
$step->(50_000_000, 'notice|f|50,000,000 transactions back (beyond vacuum_freeze_min_age)', qr/^ok\|$/);
$step->(99_999_999, 'notice|f|99,999,999 transactions back (beyond vacuum_freeze_min_age)', qr/^ok\|$/);
$step->(100_000_000, 'warning|f|100,000,000 transactions back (50 % of autovacuum_freeze_max_age)', qr/^ok\|$/);
$step->(200_000_000, 'critical|t|200,000,000 transactions back (100 % of autovacuum_freeze_max_age)', qr/^notice\|200,000,\d+ transactions old: due for autovacuum against wraparound$/);
$step->(230_000_000, 'critical|t|230,000,000 transactions back (115 % of autovacuum_freeze_max_age)', qr/^critical\|230,000,\d+ transactions old \(autovacuum has not brought it below 200,000,000\)$/);
is(sql(q{SELECT top_holder, advice FROM lockstep.wraparound_status WHERE db = 'postgres'}),
	'logical slot forgotten|End the top holder first. Autovacuum does the rest; VACUUM (FREEZE) is quicker.', 'the database says who holds it');
# The limits are the server's: another setting, another severity.
sql('ALTER SYSTEM SET autovacuum_freeze_max_age = 1000000000; ALTER SYSTEM SET vacuum_failsafe_age = 300000000');
$step->(250_000_000, 'notice|f|250,000,000 transactions back (beyond vacuum_freeze_min_age)', qr/^ok\|$/);
is(sql(q{SELECT xids_to_autovacuum + xid_age, xids_to_failsafe + xid_age FROM lockstep.wraparound_status WHERE db = 'postgres'}), '1000000000|1050000000', 'a failsafe below autovacuum_freeze_max_age is raised, as the server does');
sql('ALTER SYSTEM RESET ALL');
$step->(1_600_000_000, 'emergency|t|1,600,000,000 transactions back (beyond the failsafe of 1,600,000,000)', qr/^emergency\|1,600,000,\d+ transactions old \(beyond the failsafe of 1,600,000,000\)$/);

# The server's own warning, and its stop.
my $left = sql(q{SELECT xids_to_warning FROM lockstep.wraparound_status WHERE db = 'postgres'});
Xids::jump($node, $held + 1_600_000_000 + $left + 1000);
# From 19 on it warns 100 million transactions before the end, not 40 million; it stops 3 million before.
my $millions = sql('SHOW server_version_num') >= 190000 ? 96 : 36;
like(sql(q{SELECT severity, reason FROM lockstep.transaction_age WHERE slot_name = 'forgotten'}), qr/^emergency\|2,\d{3},\d{3},\d{3} transactions back, and the server is about to assign no more$/, 'beyond the warning, the slot');
like(sql(q{SELECT severity, xids_to_warning, reason FROM lockstep.wraparound_status WHERE db = 'postgres'}), qr/^emergency\|-1000\|2,\d{3},\d{3},\d{3} transactions old: the server stops after $millions,\d{3},\d{3} more$/, 'beyond the warning, the database');
like(sql(q{SELECT advice FROM lockstep.wraparound_status WHERE db = 'template0'}), qr/^End the top holder first. It takes no connections: autovacuum vacuums it, even where it is turned off\.$/, 'a database without connections is left to autovacuum');
my ($status, $out, $said) = $node->psql('postgres', 'SELECT pg_current_xact_id()');
like($said, qr/must be vacuumed within/, 'the server warns indeed');
$left = sql(q{SELECT xids_to_stop FROM lockstep.wraparound_status WHERE db = 'postgres'});
my $next = sql(q{SELECT pg_snapshot_xmax(pg_current_snapshot())});
Xids::jump($node, $next + $left - 2);
is(sql(q{SELECT xids_to_stop FROM lockstep.wraparound_status WHERE db = 'postgres'}), 2, 'two more');
($status, $out, $said) = $node->psql('postgres', 'SELECT pg_current_xact_id()');
is($status, 0, 'one of them is assigned');
($status, $out, $said) = $node->psql('postgres', 'SELECT pg_current_xact_id()');
($status, $out, $said) = $node->psql('postgres', 'SELECT pg_current_xact_id()') if $status == 0;
like($said, qr/not accepting commands/, 'and then no more');
like(sql(q{SELECT severity, reason FROM lockstep.transaction_age WHERE slot_name = 'forgotten'}), qr/^stop\|2,144,\d{3},\d{3} transactions back, and the server assigns no more transaction ids$/, 'at the stop, the slot');
like(sql(q{SELECT severity, xids_to_stop <= 0, reason, advice FROM lockstep.wraparound_status WHERE db = 'postgres'}),
	qr/^stop\|t\|2,144,\d{3},\d{3} transactions old: the server assigns no more of them\|End the top holder first. To cure it, VACUUM in it as a superuser; no restart and no single-user mode/, 'at the stop, the database');
like(sql('SELECT lockstep.transaction_audit()'), qr/^until the server stops: 0 transactions.*^stop       logical slot forgotten \(in postgres\)\n.*^           run  SELECT pg_drop_replication_slot\('forgotten'\)\n.*^stop       databases postgres, template1\n/ms, 'the audit begins with it');

# The cure: no restart, no single-user mode.
sql(q{SELECT pg_drop_replication_slot('forgotten')});
my @databases = split /\n/, sql('SELECT datname FROM pg_database WHERE datallowconn ORDER BY datname = current_database()');
my $is_well = q{SELECT count(*) = 0 FROM lockstep.wraparound_status WHERE severity <> 'ok'};
for (1 .. 100)
{
	$node->psql($_, 'SET vacuum_cost_delay = 0; VACUUM (FREEZE)') for @databases;
	last if sql($is_well) eq 't';
	# template0 is the server's own to vacuum.
	sleep 1;
}
is(sql($is_well), 't', 'VACUUM cures every database');
($status, $out, $said) = $node->psql('postgres', 'SELECT pg_current_xact_id()');
is($status, 0, 'and transaction ids are assigned again');
is(sql(q{SELECT count(*) FROM lockstep.transaction_age WHERE severity <> 'ok'}), 0, 'nobody is blamed any more');

# Across 2^31 and 2^32, with transactions.
sub cross
{
	my ($name, $from, $epoch) = @_;
	$node->safe_psql($_, 'VACUUM (FREEZE)') for @databases;
	Xids::jump($node, $from, $epoch);
	$node->safe_psql($_, 'VACUUM (FREEZE)') for @databases;
	sql(q{SELECT pg_create_logical_replication_slot('crossing', 'test_decoding')});
	my $query = q{SELECT catalog_xmin_age, catalog_xmin_age = age(catalog_xmin), severity, marginal_gain_xids = catalog_xmin_age FROM lockstep.transaction_age WHERE slot_name = 'crossing'};
	my ($before) = sql($query) =~ /^(\d+)\|t\|ok\|t$/ or fail("$name: before");
	cmp_ok($before, '<', 1000, "$name: a fresh slot is young");
	sql('CALL burn(3000)');
	my ($after) = sql($query) =~ /^(\d+)\|t\|ok\|t$/ or fail("$name: after");
	cmp_ok($after, '>=', $before + 3000, "$name: and older afterwards by what was assigned");
	cmp_ok($after, '<', $before + 3100, "$name: ... and by no more");
	is(same_ages('age(d.datfrozenxid) <> s.xid_age OR s.xid_age < 0 OR s.xids_to_stop < 0'), '', "$name: databases have the server's ages");
	sql(q{SELECT pg_drop_replication_slot('crossing')});
	return;
}
cross('2^31', 2**31 - 1000);
is(sql('SELECT pg_current_xact_id()::text::bigint > 2147483648'), 't', '2^31 is crossed');
cross('2^32', 2**32 - 1000);
is(sql('SELECT pg_current_xact_id()::text::bigint > 4294967296'), 't', '2^32 is crossed');
is(sql(q{SELECT xid::text::bigint > 4294967296 FROM (SELECT pg_current_xact_id()) AS a, LATERAL (SELECT xid FROM lockstep.transaction_info() LIMIT (a.pg_current_xact_id IS NOT NULL)::int) AS i}), 't', 'transaction_info has the full id');
$node->stop;
done_testing();
