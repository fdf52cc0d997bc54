# Long memos of a batch are in memory once, as their array: what is written of them at once is bounded.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

plan skip_all => 'reads /proc/self/status, which this system has not' unless -r '/proc/self/status';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO accounts SELECT n, 1000 FROM generate_series(1, 10) AS n;
	SELECT lockstep.register_ledger('accounts');
	CREATE TABLE kept (memos jsonb[]);
	INSERT INTO kept SELECT array_agg(to_jsonb(n || repeat('x', 500000))) FROM generate_series(1, 200) AS n;
	VACUUM ANALYZE kept;
});

# The most that a session has had in memory, in kB, when it has run the statement.
sub peak
{
	my ($name, $sql) = @_;
	my $session = Session->new($node, $name);
	my $said = $session->run("$sql;\nSELECT (regexp_match(pg_read_file('/proc/self/status'), 'VmHWM:\\s+(\\d+)'))[1]");
	$session->close;
	my ($answer, $peak) = split(/\n/, $said);
	is($answer, '200', "$name: all are there");
	return $peak;
}

my $array = peak('array', 'SELECT array_length(memos, 1) FROM kept');
cmp_ok($array, '>', 100_000, 'the array takes 100 MB in memory');
my $batch = peak('batch', q{SELECT count(*) FROM kept,
	lockstep.adjust_batch('accounts', array_fill(1, ARRAY[200]), array_fill(1, ARRAY[200]), memos => kept.memos) AS b WHERE b.status = 'applied'});
cmp_ok($batch, '<', 1.4 * $array, 'the batch takes little more');
my $moved = peak('moved', q{SELECT count(*) FROM kept, lockstep.transfer_batch('accounts', array_fill(1, ARRAY[200]), array_fill(2, ARRAY[200]),
	array_fill(1, ARRAY[200]), memos => kept.memos) AS b WHERE b.status = 'applied'});
cmp_ok($moved, '<', 1.4 * $array, 'a batch of transfers too');
is($node->safe_psql('postgres', q{SELECT count(*) FROM accounts_journal WHERE memo = to_jsonb((1 + (entry - 1) % 200) || repeat('x', 500000))}),
	'400', 'the memos are those that were given');

$node->stop;
done_testing();
