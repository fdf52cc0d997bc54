# CALL retry and the order guard: a transaction that asks for rows downwards meets one that somebody else has for longer
# than its attempts would last. It goes on as soon as the row is free, holds nothing meanwhile, and gives up by its
# deadline; without pauses, or without a deadline, by its attempts.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE SEQUENCE tries;
	CREATE TABLE rows (id int PRIMARY KEY, balance int NOT NULL);
	INSERT INTO rows SELECT i, 100 FROM generate_series(1, 3) AS i;
	SELECT lockstep.register_ledger('rows')});
my $downwards = q{SELECT lockstep.adjust('rows', 2, 1); SELECT status FROM lockstep.adjust('rows', 1, 1)};
my $holder = Session->new($node, 'holder');
my $retrying = Session->new($node, 'retrying');
sub free_row { my ($row) = @_; return $node->safe_psql('postgres', "SELECT count(*) FROM (SELECT FROM rows WHERE id = $row FOR UPDATE SKIP LOCKED) AS f"); }

$holder->run(q{BEGIN; SELECT lockstep.adjust('rows', 1, 1)});
$retrying->start("CALL lockstep.retry('SELECT nextval(''tries''); " . ($downwards =~ s/'/''/gr) . "', isolation => 'read committed', max_attempts => 3)");
# More attempts than three, each of which is counted as an error.
$node->poll_query_until('postgres', 'SELECT last_value > 4 FROM tries') or die 'it does not go on trying';
# Between its attempts it holds no row.
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM (SELECT FROM rows WHERE id = 2 FOR UPDATE SKIP LOCKED) AS f}) or die 'row 2 is never free';
is(free_row(1), '0', 'the holder has its row all the time');
$holder->run('COMMIT');
my ($attempts) = $retrying->finish =~ /^(\d+)\|LS050: .*applied/;
cmp_ok($attempts // 0, '>', 4, 'it goes on when the row is free, after attempts that do not count') or diag($attempts);
is($node->safe_psql('postgres', 'SELECT string_agg(balance::text, $$ $$ ORDER BY id) FROM rows'), '102 101 100', 'everything was done once');

$holder->run(q{BEGIN; SELECT lockstep.adjust('rows', 1, 1)});
for my $case (
	[ q{deadline => '1 s'}, qr/gives up: the deadline is before the next attempt|deadline of lockstep\.retry/, 'by its deadline' ],
	[ q{deadline => NULL, max_attempts => 3}, qr/gives up: no attempts are left/, 'by its attempts, without a deadline' ],
	[ q{max_attempts => 3}, qr/gives up: no attempts are left/, 'by its attempts, without pauses', 'SET lockstep.backoff_base = 0;' ])
{
	my ($how, $why, $name, $before) = @$case;
	my ($status, $out, $error) = $node->psql('postgres', ($before // '') . "\nCALL lockstep.retry('" . ($downwards =~ s/'/''/gr) . "', isolation => 'read committed', $how)");
	like($error, $why, "it gives up $name");
}
$holder->run('ROLLBACK');
is($node->safe_psql('postgres', 'SELECT string_agg(balance::text, $$ $$ ORDER BY id) FROM rows'), '102 101 100', 'and nothing was done');
$_->close for $holder, $retrying;
$node->stop;
done_testing();
