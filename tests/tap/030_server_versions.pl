# What only newer servers have: what a module says of itself (18), the replication slots of REPACK (19).
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_replication_slots = 1\nautovacuum = off");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	CREATE TABLE busy (n int);
});
my $major = int($node->safe_psql('postgres', 'SHOW server_version_num') / 10000);
is($node->safe_psql('postgres', q{SELECT holder_kind FROM lockstep.transaction_age WHERE holder_kind ~ '^slot'}), '', 'no slot');

SKIP:
{
	skip 'before PostgreSQL 18 modules have no name', 1 if $major < 18;
	is($node->safe_psql('postgres', q{
			SELECT count(*) FROM lockstep.lock_graph;
			SELECT module_name, m.version = extversion FROM pg_get_loaded_modules() AS m, pg_extension
			WHERE file_name ~ '^lockstep\M' AND extname = 'lockstep'}),
		"0\nlockstep|t", 'the module has the name and the version of the extension');
}

SKIP:
{
	skip 'before PostgreSQL 19 there is no REPACK', 4 if $major < 19;
	my $repacking = sub {
		my ($kept) = @_;
		my ($writer, $repacker) = (Session->new($node, 'writer'), Session->new($node, 'repacker'));
		# It waits for those that have written before its slot was there.
		$writer->run('BEGIN; INSERT INTO busy VALUES (1)');
		$repacker->start('REPACK (CONCURRENTLY) accounts');
		ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_replication_slots WHERE slot_name ~ '^pg_repack' AND catalog_xmin IS NOT NULL}), "REPACK has its slot$kept");
		is($node->safe_psql('postgres', q{
				SELECT holder_kind, a.slot_name = s.slot_name, a.pid = s.active_pid
				FROM lockstep.transaction_age AS a, pg_replication_slots AS s WHERE a.holder_kind ~ '^slot' AND s.slot_name ~ '^pg_repack' AND a.slot_name ~ '^pg_repack'}),
			'slot_logical|t|t', "and what it holds back is seen$kept");
		$writer->run('COMMIT');
		$repacker->finish;
		$_->close for $writer, $repacker;
		return;
	};
	$repacking->('');
	# Its slots stand behind all the others'.
	$node->safe_psql('postgres', q{SELECT pg_create_physical_replication_slot('other', true)});
	$repacking->(', beside another one');
}

$node->stop;
done_testing();
