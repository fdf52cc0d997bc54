# What ledger_stats counts of each ledger: movements of transactions that have committed, and of savepoints that were
# kept; what becomes of it with a dropped ledger, a dropped database, a reset, a crash and a full table.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep'
restart_after_crash = on
max_prepared_transactions = 5
autovacuum = off
});
$node->start;
sub sql { my ($query, $database) = @_; return $node->safe_psql($database // 'postgres', $query); }
sub stats { return sql('SELECT ledger, applied, replayed, refused, batches, items FROM lockstep.ledger_stats', $_[0]); }

my $ledgers = q{
	CREATE EXTENSION lockstep;
	CREATE TABLE a (id int PRIMARY KEY, balance int NOT NULL);
	INSERT INTO a VALUES (1, 100), (2, 100), (3, 100);
	CREATE TABLE b (LIKE a INCLUDING ALL);
	INSERT INTO b SELECT * FROM a;
	SELECT lockstep.register_ledger('a'), lockstep.register_ledger('b');
};
sql($ledgers);
is(stats(), '', 'nothing at first');

# Each way of an answer.
sql(q{SELECT lockstep.transfer('a', 1, 2, 1, lockstep.request_id('once')); SELECT lockstep.adjust('a', 1, 5);});
is(stats(), 'a|2|0|0|0|0', 'movements');
sql(q{SELECT lockstep.transfer('a', 1, 2, 1, lockstep.request_id('once'))});
is(stats(), 'a|2|1|0|0|0', 'a replay');
sql(q{SELECT lockstep.transfer('a', 1, 2, 1000, lockstep.request_id('no'), on_refusal => 'return') FROM generate_series(1, 2)});
is(stats(), 'a|2|1|2|0|0', 'a refusal that is kept, and asked for again');
$node->psql('postgres', q{SELECT lockstep.transfer('a', 1, 2, 1000)});
is(stats(), 'a|2|1|2|0|0', 'not one that is raised');
is(sql(q{SELECT errors FROM lockstep.retry_stats WHERE sqlstate = 'LS001'}), '1', '... which retry_stats has');
sql(q{SELECT lockstep.transfer_batch('a', '{1,1,1}'::int[], '{2,3,2}'::int[], '{1,1000,1}', NULL, false)});
is(stats(), 'a|4|1|3|1|3', 'a batch and its items');
is(sql(q{SELECT count(*) FROM lockstep.ledger_stats WHERE since BETWEEN now() - interval '1 hour' AND now()}), '1', 'since when');

# By transaction.
sql(q{BEGIN; SELECT lockstep.adjust('a', 1, 1); SELECT lockstep.adjust('b', 1, 1); ROLLBACK;});
is(stats(), 'a|4|1|3|1|3', 'what is rolled back does not count');
sql(q{BEGIN; SELECT lockstep.adjust('a', 1, 1); SELECT lockstep.adjust('b', 1, 1); SELECT lockstep.adjust('b', 1, 1); COMMIT;});
is(stats(), "a|5|1|3|1|3\nb|2|0|0|0|0", 'two ledgers in one');
sql(q{BEGIN; SELECT lockstep.adjust('b', 1, 1);
	SAVEPOINT x; SELECT lockstep.adjust('b', 1, 1); SELECT lockstep.adjust('a', 1, 1); ROLLBACK TO x;
	SELECT lockstep.adjust('b', 1, 1); RELEASE x;
	SAVEPOINT y; SELECT lockstep.adjust('a', 1, 1); SAVEPOINT z; SELECT lockstep.adjust('b', 1, 1); RELEASE z; ROLLBACK TO y; COMMIT;});
is(stats(), "a|5|1|3|1|3\nb|4|0|0|0|0", 'a savepoint that is rolled back takes its own with it, and those released into it');
sql(q{DO $$ BEGIN FOR i IN 1 .. 1000 LOOP BEGIN PERFORM lockstep.adjust('b', 1, 1); IF i % 2 = 0 THEN RAISE division_by_zero; END IF; EXCEPTION WHEN division_by_zero THEN NULL; END; END LOOP; END $$});
is(stats(), "a|5|1|3|1|3\nb|504|0|0|0|0", 'a thousand blocks that trap');
sql(q{DO $$ BEGIN FOR i IN 1 .. 3 LOOP PERFORM lockstep.adjust('b', 1, 1); COMMIT; END LOOP; PERFORM lockstep.adjust('b', 1, 1); ROLLBACK; END $$});
is(stats(), "a|5|1|3|1|3\nb|507|0|0|0|0", 'commits within a block');
sql(q{BEGIN; SELECT lockstep.adjust('a', 1, 1); PREPARE TRANSACTION 'p';});
sql(q{COMMIT PREPARED 'p'});
is(stats(), "a|6|1|3|1|3\nb|507|0|0|0|0", 'one that is prepared, once');

# Many at once: nothing is lost.
$node->pgbench('--no-vacuum --client=4 --transactions=100', 0, [qr{number of transactions actually processed: 400/400}], [qr{^$}], 'load',
	{ 'load' => q{SELECT lockstep.adjust('a', 1, 1);} });
is(stats(), "a|406|1|3|1|3\nb|507|0|0|0|0", 'of four sessions at once');

# Who sees and resets it: everybody, and the owner.
sql('CREATE ROLE looker LOGIN');
is(sql('SET ROLE looker; SELECT count(*) FROM lockstep.ledger_stats'), '2', 'anybody may look');
my ($rc, $out, $error) = $node->psql('postgres', 'SET ROLE looker; SELECT lockstep.reset_ledger_stats()');
like($error, qr/permission denied for function reset_ledger_stats/, 'and not reset it');

# Other databases have ledgers of their own, with OIDs that may be the same.
sql('CREATE DATABASE other');
sql($ledgers, 'other');
sql(q{SELECT lockstep.adjust('a', 1, 1)}, 'other');
is(stats('other'), 'a|1|0|0|0|0', 'another database has its own');
is(stats(), "a|406|1|3|1|3\nb|507|0|0|0|0", '... and none of its');

# A ledger that is no more.
sql(q{SELECT lockstep.drop_ledger('b')});
is(stats(), 'a|406|1|3|1|3', 'an ended registration is not shown');
sql(q{SELECT lockstep.register_ledger('b')});
is(stats(), "a|406|1|3|1|3\nb|507|0|0|0|0", '... and goes on');
sql(q{BEGIN; DROP TABLE b; ROLLBACK; BEGIN; SAVEPOINT x; DROP TABLE b; ROLLBACK TO x; COMMIT;});
is(stats(), "a|406|1|3|1|3\nb|507|0|0|0|0", 'a drop that is rolled back takes nothing away');
sql(q{BEGIN; SELECT lockstep.adjust('b', 1, 1); DROP TABLE b, b_journal; COMMIT;});
is(stats(), 'a|406|1|3|1|3', 'a dropped one is gone');
is(sql('SELECT count(*) FROM lockstep.get_ledger_stats()'), '1', '... and its place is free');

sql('SELECT lockstep.reset_ledger_stats()');
is(stats() . stats('other'), '', 'a reset is for all databases');
sql(q{SELECT lockstep.adjust('a', 1, 1)});
is(stats(), 'a|1|0|0|0|0', 'and it begins anew');

# A crash forgets.
sql(q{CREATE TABLE gone (id int PRIMARY KEY, balance int); SELECT lockstep.register_ledger('gone')});
my $crash = sql('SELECT clock_timestamp()');
$node->psql('postgres', q{SET lockstep.debug_fault_point = 'after_journal'; SELECT lockstep.transfer('a', 1, 2, 1)});
Session::wait_restarted($node, $crash);
is(stats(), '', 'after a crash there is nothing');

# No room: counted together, whosever they are; a place that becomes free is taken again.
$node->append_conf('postgresql.conf', 'lockstep.counted_ledgers = 2');
$node->restart;
sql(q{SELECT lockstep.adjust('a', 1, 1)}, 'other');
sql(q{SELECT lockstep.adjust('b', 1, 1)}, 'other');
sql(q{SELECT lockstep.adjust('a', 1, 1); SELECT lockstep.transfer_batch('a', '{1}'::int[], '{2}'::int[], '{1}')});
is(stats(), '|2|0|0|1|1', 'the third ledger has no place');
is(stats('other'), "a|1|0|0|0|0\nb|1|0|0|0|0\n|2|0|0|1|1", '... and is seen with those that have none');
sql('DROP DATABASE other');
sql(q{SELECT lockstep.adjust('a', 1, 1)});
is(stats(), "a|1|0|0|0|0\n|2|0|0|1|1", 'a dropped database frees its places');
$node->stop;

# Without preload.
$node->append_conf('postgresql.conf', q{shared_preload_libraries = ''});
$node->start;
($rc, $out, $error) = $node->psql('postgres', q{SELECT lockstep.adjust('a', 1, 1); SELECT * FROM lockstep.ledger_stats});
like($error, qr/there are no statistics of ledgers.*HINT:  Add lockstep to shared_preload_libraries and restart the server/s, 'a hint where it is not preloaded');
$node->stop;
done_testing();
