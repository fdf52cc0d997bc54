# The lock graph on a standby: the startup process waits for a reader and is seen to (pg_blocking_pids() is
# blind to it), a reader waits for the startup process, and the views write nothing.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->append_conf('postgresql.conf', "max_standby_streaming_delay = -1\ndeadlock_timeout = 1h");
$standby->start;
$primary->safe_psql('postgres', 'CREATE EXTENSION lockstep; CREATE TABLE accounts (id int PRIMARY KEY, balance int); INSERT INTO accounts VALUES (1, 0)');
$primary->wait_for_catchup($standby);

# Replay waits for a reader.
my $reader = Session->new($standby, 'reader');
$reader->run('BEGIN; SELECT count(*) FROM accounts');
$primary->safe_psql('postgres', 'ALTER TABLE accounts ADD COLUMN note text');
$standby->poll_query_until('postgres', q{SELECT count(*) > 0 FROM lockstep.lock_graph WHERE waiter_kind = 'startup'}) or die 'replay does not wait';
is($standby->safe_psql('postgres', 'SELECT waiter_kind, wait_mode, edge_kind, blocker_kind, blocker_app, lock_rel, blocker_holds FROM lockstep.lock_graph'),
	'startup|AccessExclusiveLock|hard|backend|reader|accounts|{AccessShareLock}', 'the startup process waits for a reader');
is($standby->safe_psql('postgres', q{SELECT pg_blocking_pids(pid) FROM pg_stat_activity WHERE backend_type = 'startup'}), '{}', 'where pg_blocking_pids() sees nobody');

# A second reader queues behind replay.
my $second = Session->new($standby, 'second');
$second->start('SELECT count(*) FROM accounts');
Session::wait_blocked($standby, 1, 'second');
is($standby->safe_psql('postgres', q{SELECT waiter_kind, edge_kind, blocker_kind, queue_pos, depth FROM lockstep.lock_graph WHERE waiter_app = 'second'}),
	'backend|soft|startup|2|2', 'a reader behind replay');
like($standby->safe_psql('postgres', 'SELECT lockstep.lock_tree_text()'),
	qr/^\d+ \S+ reader: idle in transaction for \d+ s, blocks 2\n└─ \d+.*: waits.* for relation accounts, AccessExclusiveLock, place 1 of 2\n   └─ \d+ \S+ second: waits/, 'the tree');
is($standby->safe_psql('postgres', 'SELECT kind, app, total_blocked, frees_now FROM lockstep.root_blocker'), 'backend|reader|2|2', 'the reader is the root');
is($standby->safe_psql('postgres', q{SELECT jsonb_array_length(lockstep.lock_graph_json()->'nodes'), (SELECT string_agg(line, E'\n') LIKE 'digraph%' FROM lockstep.lock_graph_dot() AS line),
	(SELECT string_agg(line, E'\n') LIKE 'flowchart%' FROM lockstep.lock_graph_mermaid() AS line)}), '3|t|t', 'drawings');
$reader->run('ROLLBACK');
is($second->finish, '1', 'it goes on');

# Replay holds what the primary holds.
my $locker = Session->new($primary, 'locker');
$locker->run('BEGIN; LOCK TABLE accounts');
# The lock reaches the standby with the next record that is flushed.
$primary->safe_psql('postgres', 'CREATE TABLE flushed (); DROP TABLE flushed');
$primary->wait_for_catchup($standby);
$second->start('SELECT count(*) FROM accounts');
Session::wait_blocked($standby, 1, 'second');
is($standby->safe_psql('postgres', 'SELECT waiter_app, edge_kind, blocker_kind, blocker_holds FROM lockstep.lock_graph'),
	'second|hard|startup|{AccessExclusiveLock}', 'a reader waits for what replay holds');
is($standby->safe_psql('postgres', 'SELECT kind, action_sql FROM lockstep.root_blocker'), 'startup|', 'the startup process is a root that nobody should end');
like($standby->safe_psql('postgres', 'SELECT advice FROM lockstep.root_blocker'), qr/^Look on the primary/, 'the advice looks at the primary');
$locker->run('ROLLBACK');
$primary->safe_psql('postgres', 'CREATE TABLE flushed (); DROP TABLE flushed');
is($second->finish, '1', 'and goes on with it');

is($standby->safe_psql('postgres', 'SELECT pg_is_in_recovery()'), 't', 'all of this in recovery');
$_->close for $reader, $second, $locker;
$standby->stop;
$primary->stop;
done_testing();
