# What holds the horizon back, with real holders: idle sessions, parallel workers, vacuums, prepared
# transactions before and after a restart, slots, temporary tables of the living and the dead. Two
# holders show what ending one of them frees, VACUUM itself says where the horizon is.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;
use Xids;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
max_prepared_transactions = 10
wal_level = logical
max_wal_senders = 5
max_replication_slots = 5
autovacuum = off
max_parallel_workers_per_gather = 2
});
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int);
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 1000) AS n;
	CREATE TABLE busy (n int);
	CREATE DATABASE other;
});
$node->safe_psql('postgres', $Xids::burn);

my $watch = Session->new($node, 'watch');
# A row by the name of its session, its gid or its slot.
sub row
{
	my ($columns, $which, $session) = @_;
	return ($session || $watch)->run("SELECT $columns FROM lockstep.transaction_age WHERE $which");
}
sub burn { my ($count) = @_; $node->safe_psql('postgres', "CALL burn($count)"); return; }
sub cutoff { return Xids::cutoff($node, 'busy'); }

# Kinds of sessions.
my $snapshot = Session->new($node, 'snapshot');
$snapshot->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts');
my $bare = Session->new($node, 'bare');
$bare->run('BEGIN; SELECT 1');
my $aborted = Session->new($node, 'aborted');
$aborted->run('BEGIN; SELECT 1/0');
my $active = Session->new($node, 'active');
$active->start('SELECT pg_sleep(1000)');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'active' AND wait_event = 'PgSleep'}) or die;
is(row(q{string_agg(concat_ws(' ', app, holder_kind, state, cardinality(horizons) > 0, xact_start IS NOT NULL, idle_for IS NOT NULL), ', ' ORDER BY app)},
	q{app IN ('snapshot', 'bare', 'aborted', 'active', 'watch')}),
	'aborted idle_in_xact_aborted idle in transaction (aborted) f f t, active active active t t f, bare idle_in_xact idle in transaction f t t, '
	  . 'snapshot idle_in_xact idle in transaction t t t, watch active active t t f', 'kinds of sessions, and who holds a horizon');
like(row(q{query}, q{app = 'snapshot'}), qr/^SELECT count\(\*\) FROM accounts\s*;$/, 'the last statement is shown');
is(row(q{(xmin, xid) IS NOT DISTINCT FROM (SELECT (backend_xmin, backend_xid) FROM pg_stat_activity WHERE application_name = 'snapshot')}, q{app = 'snapshot'}),
	't', 'xmin and xid are those of pg_stat_activity');
is($watch->run(q{SELECT count(*), bool_and(a.locks_held = (SELECT count(*) FROM pg_locks AS l WHERE l.pid = a.pid AND l.granted))
	FROM lockstep.transaction_age AS a WHERE app IN ('snapshot', 'bare', 'active')}), '3|t', 'locks are counted as pg_locks does');
$active->close_hard;
$bare->close;
$aborted->close;

# A call by the fast path of the protocol, as psql makes it for large objects.
my $table = Session->new($node, 'table');
$table->run('BEGIN; LOCK TABLE pg_largeobject_metadata IN ACCESS EXCLUSIVE MODE');
my $large = Session->new($node, 'large');
$large->start("BEGIN;\n\\lo_import '" . __FILE__ . "'");
Session::wait_blocked($node, 1, 'large');
is(row('holder_kind, state', q{app = 'large'}), 'fastpath|fastpath function call', 'a call by the fast path');
$table->run('ROLLBACK');
$table->close;
$large->finish;
$large->run('ROLLBACK');
$large->close;

# Many locks: more than the fast path takes.
my $many = Session->new($node, 'many');
$many->run('BEGIN; ' . join(' ', map { "CREATE TABLE many$_ (n int primary key);" } 1 .. 30));
$many->run('SAVEPOINT a; SELECT count(*) FROM many1; LOCK TABLE busy IN SHARE MODE');
is($watch->run(q{SELECT a.locks_held > 60, a.locks_held = (SELECT count(*) FROM pg_locks AS l WHERE l.pid = a.pid AND l.granted), strongest_mode
	FROM lockstep.transaction_age AS a WHERE app = 'many'}), 't|t|AccessExclusiveLock', 'many locks are counted, and the strongest is named');
$many->run('ROLLBACK');
my $readers = Session->new($node, 'readers');
$readers->run('BEGIN; ' . join(' ', map { "SELECT count(*) FROM pg_class AS c$_ LIMIT 1;" } 1 .. 3) . ' SELECT count(*) FROM pg_proc; SELECT count(*) FROM pg_stats');
is($watch->run(q{SELECT a.locks_held > 5, a.locks_held = (SELECT count(*) FROM pg_locks AS l WHERE l.pid = a.pid AND l.granted),
	(SELECT bool_and(fastpath) FROM pg_locks AS l WHERE l.pid = a.pid AND locktype = 'relation') IS NOT NULL, strongest_mode
	FROM lockstep.transaction_age AS a WHERE app = 'readers'}), 't|t|t|AccessShareLock', 'locks of the fast path are counted');
$readers->close;

# What ending the oldest frees: as far as the next one. VACUUM knows both.
burn(100);
my $later = Session->new($node, 'later');
$later->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts');
burn(50);
my $difference = $watch->run(q{SELECT l.xmin::text::bigint - s.xmin::text::bigint FROM lockstep.transaction_age AS s, lockstep.transaction_age AS l WHERE s.app = 'snapshot' AND l.app = 'later'});
cmp_ok($difference, '>=', 100, 'two snapshots, a hundred transactions apart');
is(row(q{xmin}, q{app = 'snapshot'}), cutoff(), 'the horizon is where VACUUM says');
is(row(q{string_agg(concat_ws(' ', app, marginal_gain_xids, is_oldest_for::text), ', ' ORDER BY app DESC)}, q{app IN ('snapshot', 'later')}),
	qq{snapshot $difference {"data of postgres","catalogs of postgres","shared catalogs",pg_subtrans}, later 0 {}}, 'the older one frees the difference, the younger nothing');
# A third one at the same place: neither of the two frees anything alone.
my $beside = Session->new($node, 'beside');
$beside->run(q{BEGIN ISOLATION LEVEL REPEATABLE READ; SET TRANSACTION SNAPSHOT '} . $snapshot->run('SELECT pg_export_snapshot()') . q{'; SELECT 1});
is(row(q{string_agg(concat_ws(' ', app, marginal_gain_xids, cardinality(is_oldest_for)), ', ' ORDER BY app)}, q{app IN ('snapshot', 'beside')}),
	'beside 0 4, snapshot 0 4', 'two at one place must go together');
$beside->run('ROLLBACK');
$beside->close;
my $before = cutoff();
$snapshot->run('ROLLBACK');
is(cutoff() - $before, $difference, 'ending it does free that');
is(row(q{marginal_gain_xids = xmin_age, cardinality(is_oldest_for)}, q{app = 'later'}), 't|4', 'then the younger one is the oldest');
$later->run('ROLLBACK');

# A transaction id in another database: it holds nothing of our data itself, but whatever starts here
# cannot look behind it, and it answers for that.
my $foreign = Session->new($node, 'foreign', dbname => 'other');
$foreign->run('BEGIN; CREATE TABLE x (n int)');
burn(20);
# The look itself is not held against anybody.
is($watch->run(q{SELECT is_oldest_for FROM lockstep.transaction_age WHERE app = 'foreign'}), '{"data of other","catalogs of other","shared catalogs",pg_subtrans}', 'a transaction of another database holds nothing here but shared catalogs');
# That is so for the first ten seconds of a transaction: who looks too late needs a new one.
my ($echo, $is_young, $echoes);
for (1 .. 20)
{
	$echo = Session->new($node, 'echo');
	$echo->start('SELECT pg_sleep(1000)');
	$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'echo' AND wait_event = 'PgSleep'}) or die;
	($is_young, $echoes) = split(/\|/, $watch->run(q{SELECT e.xact_age <= interval '10 s', e.xmin::text = f.xid::text, e.marginal_gain_xids, e.is_oldest_for, f.marginal_gain_xids >= 20, f.is_oldest_for, f.db, e.advice
	FROM lockstep.transaction_age AS e, lockstep.transaction_age AS f WHERE e.app = 'echo' AND f.app = 'foreign'}), 2);
	last if $is_young eq 't';
	$echo->close_hard;
}
like($echoes, qr/^\Qt|0|{}|t|{"data of postgres","data of other","catalogs of postgres","catalogs of other","shared catalogs",pg_subtrans}|other|\E/,
	'a transaction of another database answers for the snapshots that repeat it');
like($echoes, qr/\|Leave it: its snapshot only goes back to another transaction[^|]*$/, '... and they are left alone');
# After ten seconds it answers for itself: it may stay.
$node->poll_query_until('postgres', q{SELECT xact_age > interval '10 s' FROM lockstep.transaction_age WHERE app = 'echo'}) or die;
is(row(q{marginal_gain_xids >= 20, cardinality(is_oldest_for) > 0, advice}, q{app = 'echo'}), 't|t|', 'a transaction of more than ten seconds stands for itself');
# What started before it cannot repeat it, even with the same number: it stands for itself.
$echo->close_hard;
$foreign->run('ROLLBACK');
my $early = Session->new($node, 'early');
$early->start('SELECT pg_sleep(1000)');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = 'early' AND wait_event = 'PgSleep'}) or die;
$foreign->run('BEGIN; CREATE TABLE y (n int)');
burn(20);
is($watch->run(q{SELECT e.xmin::text = f.xid::text, e.marginal_gain_xids, cardinality(e.is_oldest_for) > 0, e.advice, f.marginal_gain_xids
	FROM lockstep.transaction_age AS e, lockstep.transaction_age AS f WHERE e.app = 'early' AND f.app = 'foreign'}),
	't|21|t||21', 'a snapshot that is older than the transaction is no echo of it') or diag($watch->run(q{SELECT app, xid, xmin, marginal_gain_xids, is_oldest_for FROM lockstep.transaction_age}));
$early->close_hard;
# What is closed may still be there for a moment; what is rolled back holds nothing.
$foreign->run('ROLLBACK');
$foreign->close;

# Idle sessions by the settings; those whom somebody waits for by theirs.
my $idle = Session->new($node, 'idle');
$idle->run('BEGIN; UPDATE accounts SET balance = 1 WHERE id = 1');
my $waiter = Session->new($node, 'waiter');
$waiter->start('UPDATE accounts SET balance = 2 WHERE id = 1');
Session::wait_blocked($node, 1, 'waiter');
is(row('sessions_blocked, severity', q{app = 'idle'}), '1|notice', 'who is waited for is noticed');
like(row('reason', q{app = 'idle'}), qr/^1 session waits, the longest for \d+ s$/, '... and why');
is(row('sessions_blocked', q{app = 'waiter'}), '0', 'who waits blocks nobody');
$watch->run('SET lockstep.age_active_warning = 0');
my $first = row('pid', q{app = 'idle'});
is(row('severity, advice, action_sql', q{app = 'waiter'}), "warning|It waits for session $first: see that one first (lockstep.lock_tree).|", 'who waits is told whom to see, and is not ended');
$watch->run('RESET lockstep.age_active_warning');
$watch->run('SET lockstep.blocking_critical_sessions = 1');
is(row('severity', q{app = 'idle'}), 'critical', 'the limits of root_blocker count');
$watch->run('RESET lockstep.blocking_critical_sessions; SET lockstep.age_idle_warning = 0');
like(row('severity, reason', q{app = 'idle'}), qr/^warning\|idle for \d+ s \(limit 0 s\)$/, 'idle for too long');
is((split /\n/, $watch->run('SELECT app FROM lockstep.transaction_age'))[0], 'idle', 'the worst comes first');
my $audit = $watch->run('SELECT lockstep.transaction_audit()');
like($audit, qr/^findings: 1 warning$/m, 'the audit counts it');
like($audit, qr/^warning    session \d+ idle \(\S+ in postgres\)\n           oldest for data of postgres, catalogs of postgres, shared catalogs, pg_subtrans; ending\s+it frees \d+\s+transactions?;\s+1 session waits for it;\s+holds \d+ locks\n           why  idle for/m, '... and writes it out');
# The action ends it, and nobody else.
my $action = row('action_sql', q{app = 'idle'});
like($action, qr/^SELECT pg_terminate_backend\(pid\) FROM pg_stat_activity WHERE pid = \d+ AND backend_start = '/, 'the action names the session and its start');
is($node->safe_psql('postgres', $action), 't', 'the action runs');
$waiter->finish;
$watch->run('RESET lockstep.age_idle_warning');
is(row('count(*)', q{app = 'idle'}), '0', 'then it is gone');
# A long transaction is long while it rests, too.
$snapshot->run('BEGIN; UPDATE accounts SET balance = 1 WHERE id = 900');
$watch->run('SET lockstep.age_active_critical = 0');
like(row('severity, reason', q{app = 'snapshot'}), qr/^critical\|running for \d+ s \(limit 0 s\)$/, 'idle, it is as old as an active one');
$watch->run('RESET lockstep.age_active_critical');
$snapshot->run('ROLLBACK');
# Names of others cannot forge a finding.
$node->safe_psql('postgres', "BEGIN; UPDATE accounts SET balance = 1 WHERE id = 901; PREPARE TRANSACTION E'x\n\nstop       database prod'");
$audit = $node->safe_psql('postgres', 'SET lockstep.age_prepared_warning = 0; SELECT lockstep.transaction_audit()');
unlike($audit, qr/^stop/m, 'a name with line breaks stays in its line');
like($audit, qr/^           run  \(a name with control characters: see action_sql\)$/m, '... and is not to be copied');
$node->safe_psql('postgres', "ROLLBACK PREPARED E'x\n\nstop       database prod'");

# A parallel query is one holder, and its members are shown.
$node->safe_psql('postgres', q{
	CREATE FUNCTION nap(int) RETURNS int LANGUAGE plpgsql PARALLEL SAFE AS $$BEGIN PERFORM pg_sleep(60); RETURN $1; END$$;
	ALTER TABLE accounts SET (parallel_workers = 2)});
my $parallel = Session->new($node, 'parallel');
$parallel->run('SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; SET parallel_leader_participation = off');
$parallel->start('SELECT count(*) FROM accounts WHERE nap(id) > 0');
$node->poll_query_until('postgres', q{SELECT count(*) = 2 FROM pg_stat_activity WHERE backend_type = 'parallel worker' AND wait_event = 'PgSleep'}) or die;
is($watch->run(q{SELECT string_agg(holder_kind, ' ' ORDER BY holder_kind), count(DISTINCT leader_pid), count(DISTINCT xmin::text),
	bool_and(marginal_gain_xids = 0) FILTER (WHERE holder_kind = 'parallel_worker') FROM lockstep.transaction_age WHERE leader_pid = (SELECT pid FROM pg_stat_activity WHERE application_name = 'parallel' AND backend_type = 'client backend')}),
	'active parallel_worker parallel_worker|1|1|t', 'a parallel query is one holder');
$parallel->close_hard;

# A vacuum keeps no rows; ANALYZE does. (Slow by its cost: a tenth of a second a page, and a page a row, longer than any look takes.)
$node->safe_psql('postgres', q{
	CREATE TABLE slow WITH (fillfactor = 10, autovacuum_enabled = off) AS SELECT n, repeat('x', 700) AS filler FROM generate_series(1, 4000) AS n});
my $vacuum = Session->new($node, 'vacuum');
$vacuum->run('SET vacuum_cost_delay = 100; SET vacuum_cost_limit = 1');
my $old_cutoff = cutoff();
$vacuum->start('VACUUM (FREEZE, DISABLE_PAGE_SKIPPING) slow');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_progress_vacuum}) or die;
burn(200);
is(row('holder_kind, horizons, marginal_gain_xids, severity, advice', q{app = 'vacuum'}),
	'vacuum|{pg_subtrans}|0|ok|Leave it: a vacuum keeps no other vacuum from removing rows.', 'a vacuum is not accused');
cmp_ok(cutoff(), '>=', $old_cutoff + 200, '... and VACUUM agrees');
$watch->run('SET vacuum_freeze_min_age = 100; SET lockstep.age_active_critical = 0');
is(row('severity, action_sql', q{app = 'vacuum'}), 'ok|', '... neither by transactions nor by time');
$watch->run('RESET ALL');
$vacuum->close_hard;
$node->safe_psql('postgres', q{DELETE FROM slow;
	ALTER TABLE slow SET (autovacuum_enabled = on, autovacuum_vacuum_cost_delay = 100, autovacuum_vacuum_cost_limit = 1, autovacuum_vacuum_threshold = 0, autovacuum_vacuum_scale_factor = 0);
	ALTER SYSTEM SET autovacuum = on; ALTER SYSTEM SET autovacuum_naptime = 1; SELECT pg_reload_conf()});
$node->poll_query_until('postgres', q{SELECT count(*) > 0 FROM lockstep.transaction_age WHERE holder_kind = 'autovacuum' AND horizons = '{pg_subtrans}'}) or die;
pass('an autovacuum that removes rows holds pg_subtrans alone');
$node->safe_psql('postgres', q{ALTER SYSTEM RESET ALL; SELECT pg_reload_conf(); ALTER TABLE slow RESET (autovacuum_vacuum_cost_delay, autovacuum_vacuum_cost_limit); SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'});

# Prepared transactions, before and after a restart.
$node->safe_psql('postgres', q{CREATE ROLE keeper SUPERUSER; SET ROLE keeper; BEGIN; UPDATE accounts SET balance = 1 WHERE id = 2; LOCK TABLE accounts IN SHARE MODE; PREPARE TRANSACTION 'left'});
burn(30);
my $prepared = sub {
	my ($when) = @_;
	is(row(q{holder_kind, pid, gid, user_name, db, xid = (SELECT transaction FROM pg_prepared_xacts), xid_age >= 30, marginal_gain_xids >= 30, locks_held, strongest_mode}, q{gid = 'left'}),
		'prepared||left|keeper|postgres|t|t|t|4|ShareLock', "$when: a prepared transaction holds the horizon");
	is(row('xid', q{gid = 'left'}), cutoff(), "$when: as VACUUM says");
	$watch->run('SET lockstep.age_prepared_critical = 0');
	is(row('severity, action_sql', q{gid = 'left'}), q{critical|COMMIT PREPARED 'left' or ROLLBACK PREPARED 'left'}, "$when: with what to do");
	$watch->run('RESET lockstep.age_prepared_critical');
	return;
};
$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE backend_type = 'autovacuum worker'}) or die;
$prepared->('fresh');
$watch->close;
# Temporary tables of a session that dies with the server, and of one that lives.
my $dies = Session->new($node, 'dies');
$dies->run('CREATE TEMP TABLE orphan (n text); CREATE TEMP TABLE second (n int)');
$node->stop('immediate');
$node->start;
$dies->close;
$watch = Session->new($node, 'watch');
$prepared->('after a restart');
is(row(q{string_agg(concat_ws(' ', holder_kind, pid, db, horizons::text, is_oldest_for::text), ',')}, q{holder_kind = 'temp_table'}),
	'temp_table postgres {datfrozenxid} {}', 'temporary tables of the dead are listed');
$watch->run('SET vacuum_freeze_min_age = 0');
like(row('advice', q{holder_kind = 'temp_table'}), qr/^The session that made these tables is gone/, '... with advice');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'left'});
burn(100);
my $owner = Session->new($node, 'owner');
$owner->run('CREATE TEMP TABLE mine (n int)');
is(row(q{app, state, pid IS NOT NULL, action_sql ~ '^SELECT pg_terminate_backend'}, q{holder_kind = 'temp_table' AND pid IS NOT NULL}), 'owner|idle|t|t', 'those of an idle session name it');
# VACUUM (FREEZE) of all the rest leaves those of the dead the oldest of the database.
burn(100);
$node->safe_psql('postgres', 'VACUUM (FREEZE)');
is(row(q{marginal_gain_xids >= 90, xmin = (SELECT datfrozenxid FROM pg_database WHERE datname = 'postgres'), is_oldest_for}, q{holder_kind = 'temp_table' AND pid IS NULL}),
	't|t|{"datfrozenxid of postgres"}', 'they hold datfrozenxid');
my $drop = row('action_sql', q{holder_kind = 'temp_table' AND pid IS NULL});
like($drop, qr/^DROP TABLE pg_temp_\d+\.orphan, pg_temp_\d+\.second$/, 'those of the dead can be dropped');
$node->safe_psql('postgres', "SET client_min_messages = error; $drop");
is(row('count(*)', q{holder_kind = 'temp_table' AND pid IS NULL}), '0', 'then they are gone');
$watch->run('RESET vacuum_freeze_min_age');
is($watch->run(q{SELECT top_holder_kind, top_holder ~ '^1 temporary table in pg_temp_\d+ of session \d+ owner$' FROM lockstep.wraparound_status WHERE db = 'postgres'}), 'temp_table|t', 'wraparound_status names them');
$owner->close;

# A logical slot holds catalogs.
$node->safe_psql('postgres', q{SELECT pg_create_logical_replication_slot('cdc', 'test_decoding')});
burn(60);
is(row(q{holder_kind, slot_name, db, xmin, catalog_xmin = (SELECT catalog_xmin FROM pg_replication_slots), catalog_xmin_age >= 60, horizons, is_oldest_for, marginal_gain_xids >= 60, slot_active, wal_retained > 0, pid, severity}, q{slot_name = 'cdc'}),
	'slot_logical|cdc|postgres||t|t|{"all catalogs","shared catalogs",pg_subtrans}|{"all catalogs","shared catalogs",pg_subtrans}|t|f|t||ok', 'a logical slot holds catalogs');
is($watch->run(q{SELECT DISTINCT top_holder FROM lockstep.wraparound_status}), 'logical slot cdc', '... of every database');
is($watch->run(q{SELECT inactive_since IS NOT NULL FROM lockstep.transaction_age WHERE slot_name = 'cdc'}),
	$node->safe_psql('postgres', q{SELECT current_setting('server_version_num')::int >= 170000}), 'since when, where the server knows');
$watch->run('SET vacuum_freeze_min_age = 10');
$drop = row('action_sql', q{slot_name = 'cdc'});
is($drop, q{SELECT pg_drop_replication_slot('cdc')}, 'the action drops it');
$node->safe_psql('postgres', $drop);
is(row('count(*)', q{slot_name = 'cdc'}), '0', 'then it is gone');

# Who sees what.
$node->safe_psql('postgres', 'CREATE ROLE plain LOGIN; CREATE ROLE monitor LOGIN; GRANT pg_monitor TO monitor');
$idle = Session->new($node, 'idle');
$idle->run('BEGIN; UPDATE accounts SET balance = 1 WHERE id = 3');
my $plain = Session->new($node, 'plain', user => 'plain');
my $monitor = Session->new($node, 'monitor', user => 'monitor');
my $seen = q{holder_kind, xid IS NOT NULL, xid_age, locks_held, state, query, xact_start, idle_for};
is(row($seen, q{app = 'idle'}, $plain), 'session|t|1|4||<insufficient privilege>||', 'a plain role sees that there is one, and what it holds');
like(row($seen, q{app = 'idle'}, $monitor), qr/^idle_in_xact\|t\|1\|4\|idle in transaction\|UPDATE accounts/, 'pg_monitor sees all of it');
is($plain->run(q{SET lockstep.age_idle_critical = 0; SET lockstep.age_idle_warning = 0; SELECT severity, action_sql FROM lockstep.transaction_age WHERE app = 'idle'}), 'unknown|', 'settings tell a plain role nothing about time');
like($plain->run('SELECT lockstep.transaction_audit()'), qr/^transaction age at .*^not judged by time: 1 session \(it takes pg_read_all_stats/ms, 'the audit is for everybody, and says what it does not know');
is($plain->run('SELECT count(*) > 2, count(db) > 2 FROM lockstep.wraparound_status'), 't|t', 'so is wraparound_status');
is($plain->run('SELECT isolation_level, in_block FROM lockstep.transaction_info()'), 'read committed|f', 'so is transaction_info');
$_->close for $plain, $monitor, $idle;

# The look itself is not blamed, in a block of its own either; an open cursor is.
$node->safe_psql('postgres', q{BEGIN; UPDATE accounts SET balance = 1 WHERE id = 5; PREPARE TRANSACTION 'base'});
burn(30);
$watch->run('SET vacuum_freeze_min_age = 10; BEGIN');
is(row('severity, datfrozenxid_blocked, is_oldest_for', 'pid = pg_backend_pid()'), 'ok|f|{}', 'the look is not blamed');
is(row('marginal_gain_xids >= 30', q{gid = 'base'}), 't', '... and stands in nobody\'s way');
$watch->run('DECLARE c CURSOR FOR SELECT * FROM accounts; FETCH 1 FROM c');
$node->safe_psql('postgres', q{ROLLBACK PREPARED 'base'});
is(row('marginal_gain_xids >= 30, cardinality(is_oldest_for) > 0', 'pid = pg_backend_pid()'), 't|t', 'an open cursor holds what it sees');
$watch->run('ROLLBACK; RESET vacuum_freeze_min_age');

# Nothing waits: not for a catalog that is locked against everybody.
my $blocker = Session->new($node, 'blocker');
for my $catalog (qw(pg_database pg_class pg_authid))
{
	$watch->run('SELECT count(*) FROM lockstep.transaction_age; SELECT count(*) FROM lockstep.wraparound_status; SELECT count(*) FROM lockstep.transaction_audit()');
	$blocker->run("BEGIN; LOCK TABLE $catalog IN ACCESS EXCLUSIVE MODE");
	$watch->run(q{SET lock_timeout = '2s'});
	is($watch->run(q{SELECT count(*) >= 1, count(db) FROM lockstep.transaction_age}), 't|0', "$catalog is locked: holders are listed, without names");
	is($watch->run(q{SELECT count(*), count(db), min(xid_age) > 0 FROM lockstep.wraparound_status}), '1|0|t', "$catalog is locked: the oldest database is known all the same");
	like($watch->run(q{SELECT lockstep.transaction_audit()}), qr/^oldest database: \d+, [\d,]+ transactions/m, "$catalog is locked: the audit is made");
	$watch->run('RESET lock_timeout');
	$blocker->run('ROLLBACK');
}
is($watch->run(q{SELECT bool_and(db IS NOT NULL) FROM lockstep.wraparound_status}), 't', 'then names are back');
is($node->safe_psql('postgres', q{BEGIN; SELECT count(*) > 0 FROM lockstep.transaction_age; SELECT pg_current_xact_id_if_assigned() IS NULL; SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND NOT granted; ROLLBACK}), "t\nt\n0", 'no transaction id is taken');
$_->close for $watch, $blocker, $snapshot, $later, $many, $waiter;
$node->stop;
done_testing();
