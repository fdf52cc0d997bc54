# The lock graph in places that one isolation test cannot reach: prepared transactions before and after a
# restart, other databases, real logins, autovacuum, a walsender, and tables, indexes and catalogs that are
# locked against everybody, where the views must answer all the same.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 10
wal_level = logical
max_wal_senders = 5
max_replication_slots = 5
max_locks_per_transaction = 10
max_connections = 30
autovacuum = off
deadlock_timeout = 1h
});
# Logins of other roles.
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 10) AS n;
	CREATE DATABASE other;
});
$node->safe_psql('other', 'CREATE TABLE here (id int PRIMARY KEY, n int); INSERT INTO here VALUES (1, 0)');

# Session names for pids.
my $edges = q{SELECT string_agg(format('%s %s %s %s', waiter_app, edge_kind, blocker_kind, coalesce(blocker_gid, blocker_app)), ', ' ORDER BY queue_pos, waiter_app)
	FROM lockstep.lock_graph};

# Prepared transactions.
my $gid = q{it's "mine" \\ 1};
my $quoted = q{'it''s "mine" \\ 1'};
$node->safe_psql('postgres', "CREATE ROLE keeper SUPERUSER; SET ROLE keeper; BEGIN; UPDATE accounts SET balance = 1 WHERE id = 1; PREPARE TRANSACTION $quoted");
my $prepared_graph = sub {
	my ($when) = @_;
	my $first = Session->new($node, 'first');
	$first->start('UPDATE accounts SET balance = 2 WHERE id = 1');
	Session::wait_blocked($node, 1, 'first');
	my $second = Session->new($node, 'second');
	$second->start('UPDATE accounts SET balance = 3 WHERE id = 1');
	Session::wait_blocked($node, 2, 'first|second');
	is($node->safe_psql('postgres', q{SELECT waiter_app, edge_kind, blocker_kind, blocker_pid IS NULL, blocker_gid, blocker_app, row_key, root_id = -(SELECT transaction::text::bigint FROM pg_prepared_xacts), depth
		FROM lockstep.lock_graph}), "first|hard|prepared|t|$gid||(id)=(1)|t|1\nsecond|hard|backend|f||first|(id)=(1)|t|2", "$when: a prepared transaction blocks, by its name");
	is($node->safe_psql('postgres', q{SELECT kind, pid, gid, user_name, total_blocked, frees_now, severity FROM lockstep.root_blocker}),
		"prepared||$gid|keeper|2|2|notice", "$when: it is the root");
	like($node->safe_psql('postgres', 'SELECT lockstep.lock_tree_text()'), qr/^prepared '\Q$gid\E' keeper: prepared for \d+ s, blocks 2$/m, "$when: it heads the tree");
	is($node->safe_psql('postgres', q{SELECT string_agg(n->>'gid', ',') FROM jsonb_array_elements(lockstep.lock_graph_json()->'nodes') AS n WHERE (n->>'id')::bigint < 0}),
		$gid, "$when: it is a node with an id below zero");
	return ($first, $second);
};
my @waiting = $prepared_graph->('fresh');
$node->stop('immediate');
$_->close for @waiting;
$node->start;
@waiting = $prepared_graph->('after a restart');
# More than one reads as pid 0 in pg_locks; here each has its name.
$node->safe_psql('postgres', q{BEGIN; SELECT pg_advisory_xact_lock_shared(7); PREPARE TRANSACTION 'a'});
$node->safe_psql('postgres', q{BEGIN; SELECT pg_advisory_xact_lock_shared(7); PREPARE TRANSACTION 'b'});
my $third = Session->new($node, 'third');
$third->start('SELECT pg_advisory_xact_lock(7)');
Session::wait_blocked($node, 1, 'third');
is($node->safe_psql('postgres', q{SELECT string_agg(blocker_gid, ' ' ORDER BY blocker_gid), count(DISTINCT blocker_xid::text) FROM lockstep.lock_graph WHERE waiter_app = 'third'}),
	'a b|2', 'two prepared transactions are two');
is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s %s', gid, total_blocked, frees_now), ', ' ORDER BY gid) FROM lockstep.root_blocker WHERE gid IN ('a', 'b')}),
	'a 1 0, b 1 0', 'ending one of two frees nobody');
# Its owner may be gone.
$node->safe_psql('postgres', 'DROP ROLE keeper');
is($node->safe_psql('postgres', q{SELECT kind, gid, user_name FROM lockstep.root_blocker WHERE total_blocked = 2}), "prepared|$gid|", 'a prepared transaction of a role that was dropped');
is($node->safe_psql('postgres', q{SELECT holder_kind, user_name FROM lockstep.transaction_age WHERE sessions_blocked = 2}), 'prepared|', '... as a holder of the horizon too');
my $action = $node->safe_psql('postgres', q{SELECT action_sql FROM lockstep.root_blocker WHERE total_blocked = 2});
my $literal = q{E'it''s "mine" } . ('\\' x 2) . q{ 1'};
is($action, "COMMIT PREPARED $literal or ROLLBACK PREPARED $literal", 'the action names it, quoted, and leaves the choice');
isnt(($node->psql('postgres', $action))[0], 0, '... so that nobody runs it unread');
$node->safe_psql('postgres', ($action =~ / or (ROLLBACK .*)$/)[0]);
$_->finish for @waiting;
pass('after the action everybody goes on');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'a'});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'b'});
$third->finish;
$_->close for @waiting, $third;

# Another database: numbers, and no key.
my $holder = Session->new($node, 'holder', dbname => 'other');
$holder->run('BEGIN; UPDATE here SET n = 1');
my $waiter = Session->new($node, 'waiter', dbname => 'other');
$waiter->start('UPDATE here SET n = 2');
Session::wait_blocked($node, 1, 'waiter');
my $oid = $node->safe_psql('other', q{SELECT 'here'::regclass::oid});
is($node->safe_psql('postgres', 'SELECT waiter_db, lock_db, lock_rel, lock_rel_oid, lock_ctid, row_key, row_status, blocker_db FROM lockstep.lock_graph'),
	"other|other||$oid|(0,1)||other_db|other", 'a row of another database');
like($node->safe_psql('postgres', 'SELECT lock_text FROM lockstep.lock_graph'), qr/^row \(0,1\) of relation $oid of database \d+$/, '... in words');

# The statement that is offered ends the root, and it alone.
$action = $node->safe_psql('postgres', 'SELECT action_sql FROM lockstep.root_blocker');
like($action, qr/^SELECT pg_terminate_backend\(pid\) FROM pg_stat_activity WHERE pid = \d+ AND backend_start = '/, 'an idle session would be ended');
is($node->safe_psql('postgres', $action), 't', 'the action runs');
is($waiter->finish, '', 'after it the waiter goes on');
is($node->safe_psql('postgres', $action), '', 'a second time it finds nobody');
$_->close for $holder, $waiter;

# Who logged in as a member of the role sees its statements; the others do not.
$node->safe_psql('postgres', q{
	CREATE ROLE app LOGIN; CREATE ROLE friend LOGIN IN ROLE app; CREATE ROLE stranger LOGIN;
	GRANT SELECT, UPDATE ON accounts TO app;
	CREATE FUNCTION saw() RETURNS text LANGUAGE sql AS
		$$SELECT format('%s %s %s', waiter_query, blocker_state, waiter_client IS NULL) FROM lockstep.lock_graph$$;
});
$holder = Session->new($node, 'holder', user => 'app');
$holder->run('BEGIN; UPDATE accounts SET balance = 1 WHERE id = 2');
$waiter = Session->new($node, 'waiter', user => 'app');
$waiter->start('UPDATE accounts SET balance = 2 WHERE id = 2');
Session::wait_blocked($node, 1, 'waiter');
my %sees = (friend => 'UPDATE accounts SET balance = 2 WHERE id = 2 idle in transaction t', stranger => '<insufficient privilege>  t');
for my $role (sort keys %sees)
{
	my $shown = $node->safe_psql('postgres', 'SELECT saw()', extra_params => [ '-U', $role ]);
	$shown =~ s/\n;//;
	is($shown, $sees{$role}, "what a $role sees");
}
my $drawings = $node->safe_psql('postgres', 'SELECT lockstep.lock_graph_dot(); SELECT lockstep.lock_graph_mermaid(); SELECT lockstep.lock_graph_json()', extra_params => [ '-U', 'stranger' ]);
like($drawings, qr/^digraph .*^flowchart .*"nodes"/ms, 'a stranger sees all drawings');
unlike($drawings, qr/balance/, '... and no statement in any');

# Locked tables, indexes and catalogs: the answer comes at once, with less in it. The observer knows the
# views already; planning a query on them reads catalogs like any query.
my $observer = Session->new($node, 'observer');
my $stranger = Session->new($node, 'stranger', user => 'stranger');
$node->safe_psql('postgres', q{BEGIN; SELECT pg_advisory_xact_lock(5); PREPARE TRANSACTION 'beside'});
my $behind = Session->new($node, 'behind');
$behind->start('SELECT pg_advisory_xact_lock(5)');
Session::wait_blocked($node, 2, 'waiter|behind');
my $look = q{SELECT waiter_app, lock_rel_oid = 'accounts'::regclass, row_key, row_status FROM lockstep.lock_graph WHERE waiter_app = 'waiter'};
my $everything = q{SELECT (SELECT count(g::text) FROM lockstep.lock_graph AS g) > 0 AND (SELECT count(g::text) FROM lockstep.lock_graph_all AS g) > 0
	AND (SELECT count(t::text) FROM lockstep.lock_tree AS t) > 0 AND (SELECT count(r::text) FROM lockstep.root_blocker AS r) > 0 AND EXISTS (SELECT FROM lockstep.lock_tree_text()) AND EXISTS (SELECT FROM lockstep.lock_graph_dot()) AND EXISTS (SELECT FROM lockstep.lock_graph_mermaid())};
$_->run("SET lock_timeout = '1ms'; SET plan_cache_mode = force_generic_plan; PREPARE look AS $look; PREPARE everything AS $everything") for $observer, $stranger;
is($stranger->run('EXECUTE everything'), 't', 'all views answer a stranger');
is($stranger->run('EXECUTE look'), 'waiter|t||no_privilege', 'without the key');
is($observer->run('EXECUTE look'), 'waiter|t|(id)=(2)|ok', 'the key');
is($observer->run('EXECUTE everything'), 't', 'all views answer');
my $changer = Session->new($node, 'changer');
$changer->start('ALTER TABLE accounts ADD COLUMN note text');
Session::wait_blocked($node, 1, 'changer');
is($observer->run('EXECUTE look'), 'waiter|t||relation_locked', 'a table that somebody waits to change');
is($observer->run('EXECUTE everything'), 't', '... and all views answer');
# The key cannot be read; who is in the way is told.
my $said = qr/row \(\d+,\d+\) of accounts \(no key: ([0-9]+) waits for AccessExclusiveLock on accounts\)/;
my $text = q{SELECT lock_text FROM lockstep.lock_graph WHERE waiter_app = 'waiter'};
my $changing = $node->safe_psql('postgres', q{SELECT pid FROM pg_stat_activity WHERE application_name = 'changer'});
for my $shown ([ 'the graph', $text ], [ 'the list of edges', q{SELECT lock_text FROM lockstep.lock_graph_all WHERE lock_type = 'transactionid'} ],
	[ 'the tree', 'SELECT lockstep.lock_tree_text()' ], [ 'the drawing', 'SELECT lockstep.lock_graph_dot()' ])
{
	is(($node->safe_psql('postgres', $shown->[1]) =~ $said)[0], $changing, "$shown->[0] says who keeps readers from the table");
}
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'changer'});
like($changer->finish, qr/canceling statement/, 'no change after all');
unlike($node->safe_psql('postgres', $text), qr/no key/, 'the key, and nobody in the way');

for my $catalog (qw(pg_authid pg_auth_members pg_database pg_class pg_namespace pg_index pg_type pg_proc pg_enum))
{
	$changer->run("BEGIN; LOCK TABLE $catalog IN ACCESS EXCLUSIVE MODE");
	is($observer->run('EXECUTE look'), 'waiter|t||relation_locked', "$catalog is locked");
	is($observer->run('EXECUTE everything'), 't', '... and all views answer');
	is($stranger->run('EXECUTE everything'), 't', '... a stranger too');
	$changer->run('ROLLBACK');
}
is($observer->run('EXECUTE look'), 'waiter|t|(id)=(2)|ok', 'the key is there again');
is($observer->run(q{SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation = 'accounts'::regclass}), '0', 'the observer keeps no lock');
$observer->run('BEGIN; EXECUTE look; EXECUTE everything');
is($observer->run(q{SELECT string_agg(DISTINCT relation::regclass::text, ' ') FROM pg_locks WHERE pid = pg_backend_pid() AND relation::regclass::text ~ '^(accounts|pg_authid|pg_index|pg_type)'}),
	'', '... not even inside a transaction');
$observer->run('ROLLBACK');

# A table of locks that is full: there is no room for a look at names and keys, but for the answer there is.
like($changer->run('SELECT count(pg_advisory_lock(n)) FROM generate_series(1000, 1000000) AS n'), qr/out of shared memory/, 'no room for locks');
is($observer->run('EXECUTE look'), 'waiter|t||relation_locked', 'the answer without room for locks');
is($observer->run('EXECUTE everything'), 't', '... and all views answer');
$changer->run('SELECT pg_advisory_unlock_all()');
is($observer->run('EXECUTE look'), 'waiter|t|(id)=(2)|ok', 'the key is there again');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'beside'});
$behind->finish;
$holder->run('ROLLBACK');
$waiter->finish;

# Keys of types that look things up to print themselves.
$node->safe_psql('postgres', q{
	CREATE TYPE mood AS ENUM ('fine', 'sad');
	CREATE TABLE person (a int, b int);
	CREATE DOMAIN short AS text;
	CREATE TABLE by_enum (k mood PRIMARY KEY, n int); INSERT INTO by_enum VALUES ('fine', 0);
	CREATE TABLE by_row (k person PRIMARY KEY, n int); INSERT INTO by_row VALUES ((1, 2), 0);
	CREATE TABLE by_range (k int4range PRIMARY KEY, n int); INSERT INTO by_range VALUES ('[1,2)', 0);
	CREATE TABLE by_array (k int[] PRIMARY KEY, n int); INSERT INTO by_array VALUES ('{1}', 0);
	CREATE TABLE by_class (k regclass PRIMARY KEY, n int); INSERT INTO by_class VALUES ('person', 0);
	CREATE TABLE by_domain (k short PRIMARY KEY, n int); INSERT INTO by_domain VALUES ('x', 0);
	GRANT ALL ON ALL TABLES IN SCHEMA public TO app;
});
for my $case ([ 'enum', '(k)=(fine)|ok' ], [ 'row', '|key_type' ], [ 'range', '|key_type' ], [ 'array', '|key_type' ], [ 'class', '|key_type' ], [ 'domain', '(k)=(x)|ok' ])
{
	my ($kind, $key) = @$case;
	$holder->run("BEGIN; UPDATE by_$kind SET n = 1");
	$waiter->start("UPDATE by_$kind SET n = 2");
	Session::wait_blocked($node, 1, 'waiter');
	$changer->run('BEGIN; LOCK TABLE person');
	is($node->safe_psql('postgres', q{SET lock_timeout = '1ms'; SELECT row_key, row_status FROM lockstep.lock_graph}), $key, "a key of type $kind");
	$changer->run('ROLLBACK');
	$holder->run('ROLLBACK');
	$waiter->finish;
}

# A session that does not say what it does.
my $silent = Session->new($node, 'silent');
$silent->run('SET track_activities = off');
$silent->run('SELECT pg_advisory_lock(13)');
$changer->start('SELECT pg_advisory_lock(13)');
Session::wait_blocked($node, 1, 'changer');
like($node->safe_psql('postgres', q{SELECT state || ': ' || advice FROM lockstep.root_blocker WHERE app = 'silent'}), qr/^disabled: The server does not report/, 'a silent root');
$silent->run('SELECT pg_advisory_unlock(13)');
$changer->finish;
$changer->run('SELECT pg_advisory_unlock_all()');
$silent->close;

# A deferrable transaction behind a prepared serializable one, which the server names by pid 0.
my $serializable = sub {
	my ($gid) = @_;
	$node->safe_psql('postgres', "BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT count(*) FROM person; INSERT INTO person VALUES (1, 1); PREPARE TRANSACTION '$gid'");
};
my $deferrable = Session->new($node, 'deferrable');
my $behind_prepared = q{SELECT waiter_app, edge_kind, blocker_kind, blocker_gid, root_id < 0 FROM lockstep.lock_graph WHERE waiter_app = 'deferrable'};
$serializable->('one');
$deferrable->start('BEGIN ISOLATION LEVEL SERIALIZABLE, READ ONLY, DEFERRABLE; SELECT 1; COMMIT');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM lockstep.lock_graph}) or die 'nobody waits for a safe snapshot';
is($node->safe_psql('postgres', $behind_prepared), 'deferrable|safe_snapshot|prepared|one|t', 'one prepared transaction is the one');
$node->safe_psql('postgres', q{BEGIN; SELECT pg_advisory_xact_lock(5); PREPARE TRANSACTION 'beside'});
$behind->start('SELECT pg_advisory_xact_lock(5)');
Session::wait_blocked($node, 1, 'behind');
is($node->safe_psql('postgres', $behind_prepared), 'deferrable|safe_snapshot|prepared||f', 'of two it is not said which');
is($node->safe_psql('postgres', q{SELECT string_agg(format('%s %s %s', coalesce(gid, 'not known'), total_blocked, action_sql IS NULL), ', ' ORDER BY gid) FROM lockstep.root_blocker}),
	'beside 1 f, not known 1 t', 'and nobody is blamed for the other');
like($node->safe_psql('postgres', 'SELECT lockstep.lock_tree_text()'), qr/^a prepared transaction: prepared, blocks 1$/m, 'in the tree too');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'one'});
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'beside'});
$_->finish for $deferrable, $behind;

# An index alone.
$holder->run('SET enable_indexscan = off; SET enable_bitmapscan = off');
$holder->run('BEGIN; SELECT id FROM accounts WHERE id = 3 FOR UPDATE');
$waiter->start('SELECT id FROM accounts WHERE id = 3 FOR UPDATE');
Session::wait_blocked($node, 1, 'waiter');
$changer->start('REINDEX INDEX accounts_pkey');
Session::wait_blocked($node, 2, 'waiter|changer');
is($observer->run('EXECUTE look'), 'waiter|t||relation_locked', 'an index that somebody waits to rebuild');
like($node->safe_psql('postgres', $text), qr/ of accounts \(no key: [0-9]+ waits for AccessExclusiveLock on accounts_pkey\)$/, '... and who that is');
$holder->run('ROLLBACK');
$_->finish for $waiter, $changer;

# A lock of the session, held without any transaction.
$holder->run('SELECT pg_advisory_lock(11)');
$waiter->start('SELECT pg_advisory_lock(11)');
Session::wait_blocked($node, 1, 'waiter');
is($node->safe_psql('postgres', q{SELECT kind, state, xact_start IS NULL, wait_event, left(advice, 30), strongest_mode_held FROM lockstep.root_blocker}),
	'backend|idle|t|Client: ClientRead|It holds a lock of the session|ExclusiveLock', 'a root without a transaction');
# How bad it is follows the settings.
for my $case ([ '5', '1h', '5', '1h', 'notice' ], [ '1', '0', '5', '1h', 'warning' ], [ '1', '0', '1', '1h', 'critical' ], [ '5', '1h', '5', '0', 'critical' ])
{
	my ($sessions, $wait, $many, $long, $severity) = @$case;
	is($node->safe_psql('postgres', "SET lockstep.blocking_warning_sessions = $sessions; SET lockstep.blocking_warning_wait = '$wait';
		SET lockstep.blocking_critical_sessions = $many; SET lockstep.blocking_critical_wait = '$long'; SELECT severity FROM lockstep.root_blocker"), $severity,
		"$severity from $sessions and $wait, $many and $long");
}
$holder->run('SELECT pg_advisory_unlock(11)');
$waiter->finish;

# A logical replication slot waits for running transactions.
$holder->run('BEGIN; UPDATE accounts SET balance = 1 WHERE id = 4');
my $walsender = Session->new($node, 'walsender', replication => 'database');
$walsender->start(q{CREATE_REPLICATION_SLOT later TEMPORARY LOGICAL pgoutput});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM lockstep.lock_graph WHERE waiter_kind = 'walsender'}) or die 'no walsender waits';
is($node->safe_psql('postgres', 'SELECT waiter_kind, waiter_app, lock_type, blocker_app, row_status FROM lockstep.lock_graph'),
	'walsender|walsender|transactionid|holder|unknown', 'a walsender that waits');
$holder->run('ROLLBACK');
$walsender->finish;

# Autovacuum as a blocker, which the server would cancel by itself.
$node->safe_psql('postgres', q{
	CREATE TABLE large AS SELECT n, repeat('x', 500) AS filler FROM generate_series(1, 20000) AS n;
	ALTER TABLE large SET (autovacuum_vacuum_threshold = 1, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1);
	DELETE FROM large WHERE n % 3 = 0;
});
$node->append_conf('postgresql.conf', "autovacuum = on\nautovacuum_naptime = 1s");
$node->reload;
# When it has its lock: it would leave out a table that somebody else has.
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE backend_type = 'autovacuum worker' AND relation = 'large'::regclass AND mode = 'ShareUpdateExclusiveLock' AND granted})
  or die 'no vacuum';
$changer->start('BEGIN; LOCK TABLE large; ROLLBACK');
Session::wait_blocked($node, 1, 'changer');
is($node->safe_psql('postgres', q{SELECT kind, auto_cancel_expected, action_sql, relations, strongest_mode_held FROM lockstep.root_blocker}),
	'autovacuum|t||{large}|ShareUpdateExclusiveLock', 'an autovacuum worker that blocks');
$node->append_conf('postgresql.conf', 'autovacuum = off');
$node->reload;
$node->safe_psql('postgres', q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'});
$changer->finish;

$_->close for $holder, $waiter, $changer, $observer, $stranger, $behind, $deferrable, $walsender;
$node->stop;
done_testing();
