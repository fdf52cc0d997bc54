# The server's services that rooms share, with another module's subscribers beside the extension's own: shared
# memory of many parts, and background workers, of which two open a database.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', q{
shared_preload_libraries = 'lockstep, lockstep_wall'
lockstep.sample_interval = 1
restart_after_crash = on
autovacuum = off
});
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION lockstep; CREATE EXTENSION lockstep_wall');
sub sql { my ($query) = @_; return $node->safe_psql('postgres', $query); }
sub wait_until { my ($condition) = @_; $node->poll_query_until('postgres', "SELECT $condition") or die "never: $condition"; return; }

# The log from a position on, once it says this.
sub wait_for_log
{
	my ($from, $wanted) = @_;
	my $said = '';
	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$said = slurp_file($node->logfile, $from);
		return $said if $said =~ $wanted;
		select undef, undef, undef, 0.01;
	}
	die "the log never says: $wanted";
}
sub do_always
{
	my ($statement) = @_;
	$node->append_conf('postgresql.conf', "lockstep_wall.statement = '$statement'");
	$node->reload;
	return;
}
sub pid_of { my ($name) = @_; return sql("SELECT pid FROM pg_stat_activity WHERE backend_type = 'lockstep wall $name'"); }

# Shared memory: each part has its own bytes and its own lock, in every process.
is(sql('SELECT wall_count_parts()'), 1, 'each part was set up');
is(sql('SELECT wall_count_parts()'), 2, '... once, for all sessions');
is(sql('SELECT count(*) FROM lockstep.retry_stats'), 0, q{the extension's own parts are there too});

# Both modules see a report, and the end of a transaction.
like(sql(q{SELECT wall_watch(true);
	DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '40001'; EXCEPTION WHEN serialization_failure THEN RAISE LOG USING ERRCODE = 'LS995'; END $$;
	SELECT wall_seen()}), qr/^first: LS995\nsecond: LS995$/m, 'a report is seen by this module');
sql(q{BEGIN; SET LOCAL lockstep.attempt = 2; SELECT pg_current_xact_id(); COMMIT});
is(sql('SELECT sqlstate, errors FROM lockstep.retry_stats'), '40001|1', '... and the extension counts errors');
is(sql('SELECT transactions, attempts FROM lockstep.retry_attempts'), '1|2', '... and what commits');

# A worker opens its database; the one of a database that is not there is started again and again.
wait_until(q{EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'lockstep wall first' AND datname = 'postgres')});
my $log = -s $node->logfile;
wait_for_log($log, qr/FATAL:  (database "wall"|role "wall_worker") does not exist.*FATAL:  (database "wall"|role "wall_worker") does not exist/s);
my $first = pid_of('first');
pass('a worker whose database or role is not there tries again');
sql('CREATE ROLE wall_worker LOGIN; CREATE DATABASE wall OWNER wall_worker');
wait_until(q{EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'lockstep wall second' AND datname = 'wall' AND usename = 'wall_worker')});
is(pid_of('first'), $first, '... and has not ended another one');

# An error ends what it did, and not the worker.
$log = -s $node->logfile;
do_always('INSERT INTO done SELECT 2 * k / (k - 1), pg_backend_pid(), current_user FROM (VALUES (2), (1)) AS t (k)');
wait_for_log($log, qr/ERROR:  relation "done" does not exist/);
for my $database ('postgres', 'wall')
{
	$node->safe_psql($database, 'CREATE TABLE done (n int, pid int, who name); GRANT ALL ON done TO wall_worker');
}
wait_for_log($log, qr/ERROR:  division by zero.*ERROR:  division by zero/s);
is($node->safe_psql($_, 'SELECT count(*) FROM done'), 0, "$_: a round that fails is rolled back") for 'postgres', 'wall';
do_always('INSERT INTO done SELECT 1, pg_backend_pid(), current_user');
wait_until("(SELECT count(*) FROM done WHERE pid = $first) > 2");
pass('the same process goes on, and has read its settings anew');
$node->poll_query_until('wall', q{SELECT count(*) > 2 FROM done WHERE who = 'wall_worker'}) or die;
is(sql('SELECT DISTINCT who = (SELECT rolname FROM pg_roles WHERE oid = 10) FROM done'), 't', 'without a role it has those of the first superuser');
is($node->safe_psql('wall', 'SELECT DISTINCT who FROM done'), 'wall_worker', 'each has the rights of its role');

# A cancel ends a statement; to be terminated ends the process, which comes back.
do_always('SELECT pg_sleep(600)');
wait_until("(SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $first)");
$log = -s $node->logfile;
sql("SELECT pg_cancel_backend($first)");
wait_for_log($log, qr/ERROR:  canceling statement due to user request/);
wait_until("(SELECT state = 'active' AND wait_event = 'PgSleep' FROM pg_stat_activity WHERE pid = $first)");
is(pid_of('first'), $first, 'a cancel ends a statement alone');
sql("SELECT pg_terminate_backend($first)");
wait_for_log($log, qr/FATAL:  terminating background worker "lockstep wall first" due to administrator command/);
wait_until("EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'lockstep wall first' AND pid <> $first)");
pass('a worker that is terminated is started again');

# Between two rounds there is nothing to cancel, and it ends without a word.
do_always('');
wait_until(q{(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'lockstep wall%' AND wait_event = 'PgSleep') = 2});
sql(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE backend_type LIKE 'lockstep wall%'});
wait_until(q{(SELECT count(*) FROM pg_stat_activity WHERE backend_type LIKE 'lockstep wall%' AND state = 'idle' AND wait_event_type = 'Extension') = 2});
$first = pid_of('first');
sql("SELECT pg_cancel_backend($first)") for 1 .. 20;
is(pid_of('first'), $first, 'a cancel between two rounds does nothing');
$node->safe_psql('wall', 'SELECT 1');
sql('DROP DATABASE wall WITH (FORCE)');
pass('a database that a worker has open can be dropped by force');

# After a crash all begins anew.
my $victim = Session->new($node, 'victim');
my $pid = $victim->run('SELECT pg_backend_pid()');
$log = -s $node->logfile;
kill 'KILL', $pid;
wait_for_log($log, qr/database system is ready to accept connections/);
$node->poll_query_until('postgres', 'SELECT true') or die;
is(sql('SELECT wall_count_parts()'), 1, 'after a crash each part is set up again');
wait_until(q{EXISTS (SELECT FROM pg_stat_activity WHERE backend_type = 'lockstep wall first' AND datname = 'postgres')});
$log = -s $node->logfile;
$node->stop;
unlike(slurp_file($node->logfile, $log), qr/terminating background worker|PANIC/, 'they stop with the server, without a word');
done_testing();
