# The story of docs/transaction-age.md, played on a real server, from the first look to the cure. What psql
# says must be expected/sick_server.out, where process ids, times and the last digits of transaction ids are
# made the same for every run.
use strict;
use warnings;
use File::Basename;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;
use Xids;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
lockstep.sample_interval = 1
max_prepared_transactions = 5
wal_level = logical
fsync = off
});
$node->start;
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('shop', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts VALUES (1, 100), (2, 100), (3, 100);
	SELECT pg_create_logical_replication_slot('search_index', 'test_decoding');
});
Xids::jump($node, 230_000_000);
# The server vacuums what it can, because of the age; the slot holds the catalogs.
$node->poll_query_until('shop', q{SELECT count(*) > 0 FROM lockstep.transaction_age_history WHERE top_name = 'search_index' AND top_age > 200000000}) or die;
$node->safe_psql('shop', q{BEGIN; UPDATE accounts SET balance = 90 WHERE id = 2; PREPARE TRANSACTION 'order-77'});
my $checkout = Session->new($node, 'checkout', dbname => 'shop');
$checkout->run('BEGIN; UPDATE accounts SET balance = balance - 10 WHERE id = 1');
my $refund = Session->new($node, 'refund', dbname => 'shop');
$refund->start('UPDATE accounts SET balance = balance + 5 WHERE id = 1');
Session::wait_blocked($node, 1, 'refund');
sleep 2;

my %pids = (checkout => 101, refund => 102);
my $transcript = '';

# Numbers that no two runs share, and the superuser's name, which is that of who runs the tests.
my $superuser = $node->safe_psql('postgres', 'SELECT session_user');
sub same_for_all
{
	my ($text) = @_;
	$text =~ s/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)?\+\d\d/2026-11-21 09:30:00+00/g;
	$text =~ s/(session) \d+ (checkout|refund)/$1 $pids{$2} $2/g;
	$text =~ s/(pid = )\d+/$1$pids{checkout}/g;
	$text =~ s/ for \d+ (?:s|min(?: \d+ s)?)\b/ for 2 s/g;
	$text =~ s/\(\Q$superuser\E in /(postgres in /g;
	$text =~ s/\b(\d{1,3}(?:,\d{3})+),\d{3}\b/$1,000/g;
	$text =~ s/frees \d transactions?/frees 2 transactions/g;
	$text =~ s/\b\d+ [kM]B of WAL/146 MB of WAL/g;
	$text =~ s/database: \w+, \d{1,3} transactions?/database: shop, 20 transactions/g;
	return $text;
}

# One step of the story: what psql prints for it, the statements included.
sub story
{
	my ($script, @options) = @_;
	my ($out, $err) = ('', '');
	my $file = PostgreSQL::Test::Utils::tempdir() . '/step.sql';
	open my $handle, '>', $file or die;
	print $handle "$script\n";
	close $handle;
	IPC::Run::run([ 'psql', '-X', '-a', '-q', @options, '-P', 'pager=off', '-v', 'night=' . ($main::night || 'now'), '-d', $node->connstr('shop') . ' application_name=watch', '-f', $file ],
		'>', \$out, '2>&1') or die $out;
	$transcript .= same_for_all($out) . "\n";
	return $out;
}

# No vacuum at work while the snapshot is taken, and none that comes meanwhile.
$node->safe_psql('shop', q{ALTER SYSTEM SET autovacuum_naptime = '1d'; SELECT pg_reload_conf()});
$node->poll_query_until('shop', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'}) or die;
my $limits = q{SET lockstep.age_idle_warning = '1s'; SET lockstep.age_prepared_warning = '1s';};
$node->safe_psql('shop', "ALTER DATABASE shop SET lockstep.age_idle_warning = '1s'; ALTER DATABASE shop SET lockstep.age_prepared_warning = '1s'");
story(q{SELECT * FROM lockstep.transaction_audit();}, '-At');
story(q{SELECT holder_kind, coalesce(slot_name, gid, app) AS who, severity, sessions_blocked, is_oldest_for[1] AS oldest_for
  FROM lockstep.transaction_age WHERE severity <> 'ok';});
story(q{SELECT db, severity, round(xid_age, -6) AS about, xids_to_autovacuum < 0 AS is_due, top_holder
  FROM lockstep.wraparound_status ORDER BY db;});
$main::night = $node->safe_psql('shop', 'SELECT clock_timestamp()');
story(q{SELECT top_kind, top_name, top_db, round(top_age, -6) AS about
  FROM lockstep.transaction_age_history WHERE sampled_at <= :'night' ORDER BY sampled_at DESC LIMIT 1;});

# The cure, by the actions themselves.
my $action = $node->safe_psql('shop', q{SELECT action_sql FROM lockstep.transaction_age WHERE app = 'checkout'});
story("$action;");
is($refund->finish, '', 'who waited goes on');
story(q{ROLLBACK PREPARED 'order-77';});
story(q{SELECT pg_drop_replication_slot('search_index');
VACUUM (FREEZE);});
$node->safe_psql($_, 'VACUUM (FREEZE)') for qw(postgres template1);
# template0 is the server's own to vacuum; it does that by itself.
$node->safe_psql('shop', q{ALTER SYSTEM SET autovacuum_naptime = 1; SELECT pg_reload_conf()});
$node->poll_query_until('shop', q{SELECT count(*) = 0 FROM lockstep.wraparound_status WHERE severity <> 'ok'}) or die;
story(q{SELECT holder_kind FROM lockstep.transaction_age WHERE severity <> 'ok';});
story(q{SELECT db, severity, xids_to_autovacuum < 0 AS is_due FROM lockstep.wraparound_status ORDER BY db;});
$node->safe_psql('shop', 'ALTER SYSTEM SET autovacuum = off; SELECT pg_reload_conf()');
story(q{SELECT * FROM lockstep.transaction_audit();}, '-At');

my $expected = slurp_file(dirname(__FILE__) . '/expected/sick_server.out');
is($transcript, $expected, 'the story is told as expected') or diag("it was told so:\n$transcript");
$_->close for $checkout, $refund;
$node->stop;
done_testing();
