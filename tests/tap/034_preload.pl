# The lines that docs/installation.md gives for postgresql.conf turn on what the page says, and without them it is off;
# a server that is preloaded and has lost the module does not start, and says which file it misses.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $page = slurp_file("$ENV{LOCKSTEP_FILES}/docs/installation.md");
my ($lines) = $page =~ /^```conf\n(.*?)^```$/ms or die 'the page has no lines for postgresql.conf';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lockstep');
my @views = qw(ledger_stats submit_stats retry_stats retry_attempts retry_health transaction_age_history);
for my $view (@views)
{
	my ($status, $out, $error) = $node->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT * FROM lockstep.$view");
	like($error, qr/ERROR:  55000/, "$view needs preload");
}
my $known = q{SELECT count(*) FROM pg_settings WHERE name LIKE 'lockstep.%'};
is($node->safe_psql('postgres', $known), '0', 'a new session does not know the settings');

$node->append_conf('postgresql.conf', $lines);
$node->restart;
for my $view (@views)
{
	my ($status) = $node->psql('postgres', "SELECT * FROM lockstep.$view");
	is($status, 0, "$view is there with the lines of the page");
}
is($node->safe_psql('postgres', $known), $node->safe_psql('postgres', "SELECT * FROM lockstep.ledgers; $known"), 'all settings are known from the start');
is($node->safe_psql('postgres', 'SHOW log_lock_waits'), 'on', 'waits are logged');
ok($node->poll_query_until('postgres', 'SELECT count(*) > 0 FROM lockstep.transaction_age_history'), 'the worker takes samples');

# The wrong order of a removal.
$node->stop;
$node->append_conf('postgresql.conf', "dynamic_library_path = '/nonexistent'\n");
ok(!$node->start(fail_ok => 1), 'without the module it does not start');
like(slurp_file($node->logfile), qr/FATAL:  could not access file "lockstep"/, '... and names it');
$node->append_conf('postgresql.conf', "shared_preload_libraries = ''\n");
ok($node->start(fail_ok => 1), 'and starts again once it is not preloaded');
done_testing();
