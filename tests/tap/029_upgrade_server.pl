# pg_upgrade takes registrations along as they are: OIDs stay, so columns that were renamed since are found too, and what is
# registered is registered there, not restored.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $old = PostgreSQL::Test::Cluster->new('old');
$old->init;
$old->start;
# An installed extension is found by each pg_upgrade; that of 18 looks for $libdir/lockstep in the server's own folder alone.
plan skip_all => 'pg_upgrade of 18 finds no extension that is staged outside the server\'s folder'
	if int($old->safe_psql('postgres', 'SHOW server_version_num') / 10000) == 18;
$old->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (gone int, id bigint PRIMARY KEY, saldo numeric(12,2) NOT NULL);
	INSERT INTO accounts SELECT 0, n, 100 FROM generate_series(1, 10) AS n;
	SELECT lockstep.register_ledger('accounts', amount => 'saldo', floor => -7);
	ALTER TABLE accounts DROP COLUMN gone;
	SELECT count(*) FROM generate_series(1, 20) AS n, lockstep.transfer('accounts', 1 + n % 10, 1 + (n + 3) % 10, 1, lockstep.request_id('t' || n));
	ALTER TABLE accounts RENAME saldo TO balance;
	CREATE TABLE pairs (tenant int, code text, balance int, PRIMARY KEY (tenant, code));
	INSERT INTO pairs VALUES (1, 'a', 10), (2, 'b', 10);
	SELECT lockstep.register_ledger('pairs');
	SELECT lockstep.transfer('pairs', ROW(1, 'a'), ROW(2, 'b'), 3, lockstep.request_id('pair'));
});
my $registrations = 'SELECT * FROM lockstep.registration ORDER BY ledger::oid';
my $before = $old->safe_psql('postgres', $registrations);
$old->stop;

my $new = PostgreSQL::Test::Cluster->new('new');
$new->init;
my $bindir = $new->config_data('--bindir');
my $folder = PostgreSQL::Test::Utils::tempdir_short();
# It leaves its scripts here.
chdir $folder or die;
$new->command_ok([ 'pg_upgrade', '--no-sync', '-b', $bindir, '-B', $bindir, '-d', $old->data_dir, '-D', $new->data_dir, '-s', $folder,
	'-p', $old->port, '-P', $new->port ], 'upgraded');
$new->start;
is($new->safe_psql('postgres', $registrations), $before, 'the registrations are the same, to the OID');
is($new->safe_psql('postgres', q{SELECT count(*) FROM lockstep.registration WHERE registered_oid::oid = ledger::oid}), '2', 'and registered there');
for my $case ([ 'accounts', q{2, 5, 1, lockstep.request_id('t1')}, '1, 2, 1' ], [ 'pairs', q{'(1,a)', '(2,b)', 3, lockstep.request_id('pair')}, q{'(2,b)', '(1,a)', 1} ])
{
	my ($ledger, $known, $fresh) = @$case;
	is($new->safe_psql('postgres', qq{
		SELECT status FROM lockstep.transfer('$ledger', $known);
		SELECT status FROM lockstep.transfer('$ledger', $fresh);
		SELECT count(*) FROM lockstep.verify_ledger('$ledger');
		SELECT lockstep.register_ledger('$ledger');
		SELECT status FROM lockstep.transfer('$ledger', $known)}), "replayed\napplied\n0\n${ledger}_journal\nreplayed", "$ledger goes on");
}
$new->stop;
done_testing();
