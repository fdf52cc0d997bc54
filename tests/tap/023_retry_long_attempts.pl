# Five sessions with three bulk updates each, which lock most of the rows in random order in one statement, so that
# nearly any two at once deadlock. With the settings as they come all of them end within their attempts: who comes back
# from a deadlock leaves the others the time that their work takes.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
diag("seed $seed (LOCKSTEP_SEED)");
my ($sessions, $updates, $rows, $changed) = (5, 3, 3000, 2400);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\n");
$node->start;
$node->safe_psql('postgres', qq{
	CREATE EXTENSION lockstep;
	CREATE TABLE bulk (id int PRIMARY KEY, changes int NOT NULL);
	INSERT INTO bulk SELECT n, 0 FROM generate_series(1, $rows) AS n;
	VACUUM ANALYZE bulk});
is($node->safe_psql('postgres', q{LOAD 'lockstep'; SELECT string_agg(name || ' ' || setting, ', ' ORDER BY name) FROM pg_settings
	WHERE source = 'default' AND name IN ('deadlock_timeout', 'lockstep.backoff_base', 'lockstep.backoff_cap')}),
	'deadlock_timeout 1000, lockstep.backoff_base 4, lockstep.backoff_cap 250', 'the settings are those that come');

# A hash join would read the table in its own order.
sub update_of
{
	my ($number) = @_;
	return "CALL lockstep.retry('UPDATE bulk SET changes = changes + 1 FROM (SELECT id FROM generate_series(1, $rows) AS id "
		. "ORDER BY hashint8extended(id, " . ($seed + $number) . ") LIMIT $changed) AS picked WHERE bulk.id = picked.id', "
		. "isolation => 'read committed', max_attempts => 20, deadline => NULL)";
}
my @all = map { Session->new($node, "bulk$_") } 1 .. $sessions;
$_->run('SET enable_hashjoin = off; SET enable_mergejoin = off') for @all;
# All begin at once.
my $gate = Session->new($node, 'gate');
$gate->run('BEGIN; LOCK TABLE bulk IN EXCLUSIVE MODE');
for my $i (0 .. $sessions - 1)
{
	$all[$i]->start(join(";\n", map { update_of($i * $updates + $_) } 0 .. $updates - 1));
}
$node->poll_query_until('postgres', "SELECT count(*) = $sessions FROM pg_locks WHERE relation = 'bulk'::regclass AND NOT granted") or die 'they do not begin';
$gate->run('COMMIT');
$gate->close;
my @said = map { $_->finish } @all;
$_->close for @all;
my @ended = map { /^(\d+)\|/ ? $1 : () } map { split(/\n/, $_) } @said;
is(scalar(@ended), $sessions * $updates, 'all of them end') or diag(join("\n", @said));
diag('attempts: ' . join(' ', @ended));
ok((grep { /^\d+\|40P01: / } map { split(/\n/, $_) } @said), 'after a deadlock, too');
is($node->safe_psql('postgres', 'SELECT sum(changes) FROM bulk'), $sessions * $updates * $changed, 'each is done once');
done_testing();
