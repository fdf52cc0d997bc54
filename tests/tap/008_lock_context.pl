# Rows that only the waiter itself knows: with shared_preload_libraries and log_lock_waits they are shown,
# once deadlock_timeout has passed.
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
log_lock_waits = on
deadlock_timeout = 20ms
autovacuum = off
});
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, email text UNIQUE, balance int);
	CREATE TABLE "odd "" name" (a int, b int, PRIMARY KEY (a, b));
	CREATE UNIQUE INDEX accounts_lower ON accounts (lower(email));
	INSERT INTO accounts SELECT n, 'mail ' || n, 0 FROM generate_series(1, 10) AS n;
	CREATE SCHEMA twice; CREATE TABLE twice.one (id int PRIMARY KEY); CREATE TABLE one (id int PRIMARY KEY);
	CREATE TABLE guarded (id int PRIMARY KEY);
	ALTER TABLE guarded ENABLE ROW LEVEL SECURITY;
	CREATE POLICY everything ON guarded USING (true);
	CREATE ROLE watcher LOGIN;
	GRANT SELECT ON guarded TO watcher;
});
my ($holder, $waiter) = (Session->new($node, 'holder'), Session->new($node, 'waiter'));

# The log from a position on, once a wait is in it.
sub wait_for_log
{
	my ($from) = @_;
	my $said = '';
	for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$said = PostgreSQL::Test::Utils::slurp_file($node->logfile, $from);
		last if $said =~ /still waiting for/;
		select undef, undef, undef, 0.01;
	}
	return $said;
}

# case NAME HOLDER WAITER EXPECTED [ROLE]: what the graph says of the waiter once its wait has been logged.
sub case
{
	my ($name, $holds, $waits, $expected, $role) = @_;
	my $log = -s $node->logfile;
	$holder->run("BEGIN; $holds");
	$waiter->start("BEGIN; $waits");
	Session::wait_blocked($node, 1, 'waiter');
	like(wait_for_log($log), qr/still waiting for/, "$name: the wait was logged");
	is($node->safe_psql('postgres', q{SELECT lock_type, lock_rel, row_source, row_key, row_status FROM lockstep.lock_graph WHERE waiter_app = 'waiter'},
			$role ? (extra_params => [ '-U', $role ]) : ()), $expected, $name);
	$holder->run('ROLLBACK');
	$waiter->finish;
	$waiter->run('ROLLBACK');
	return;
}

case('an insert of the same primary key', q{INSERT INTO accounts VALUES (77, 'a')}, q{INSERT INTO accounts VALUES (77, 'b')},
	'transactionid|accounts|log_context|(id)=(77)|ok');
case('of another unique key: its own columns are shown', q{INSERT INTO accounts VALUES (78, 'same')}, q{INSERT INTO accounts VALUES (79, 'same')},
	'transactionid|accounts|log_context|(email)=(same)|ok');
case('of an expression: no columns to show', q{INSERT INTO accounts VALUES (78, 'SAME')}, q{INSERT INTO accounts VALUES (79, 'same')},
	'transactionid|accounts|log_context||no_key');
case('two columns, and a name with quotes', q{INSERT INTO "odd "" name" VALUES (1, 2)}, q{INSERT INTO "odd "" name" VALUES (1, 2)},
	'transactionid|"odd "" name"|log_context|(a, b)=(1, 2)|ok');
case('ON CONFLICT: the row of the other one', q{INSERT INTO accounts VALUES (77, 'a')}, q{INSERT INTO accounts VALUES (77, 'b') ON CONFLICT (id) DO NOTHING},
	'transactionid|accounts|log_context|(id)=(77)|ok');
case('a lock that is made stronger, beside another locker', q{SELECT id FROM accounts WHERE id = 3 FOR SHARE},
	q{SELECT id FROM accounts WHERE id = 3 FOR SHARE; UPDATE accounts SET balance = 1 WHERE id = 3}, 'transactionid|accounts|log_context|(id)=(3)|ok');
case('a name that two relations have', q{INSERT INTO twice.one VALUES (1)}, q{INSERT INTO twice.one VALUES (1)}, 'transactionid||||unknown');
case('a place in the line needs no log', q{UPDATE accounts SET balance = 1 WHERE id = 4}, q{UPDATE accounts SET balance = 2 WHERE id = 4},
	'transactionid|accounts|held_tuple_lock|(id)=(4)|ok');
case('row security', q{INSERT INTO guarded VALUES (1)}, q{INSERT INTO guarded VALUES (1)}, 'transactionid|guarded|log_context||rls', 'watcher');
case('no right on the table', q{INSERT INTO accounts VALUES (77, 'a')}, q{INSERT INTO accounts VALUES (77, 'b')},
	'transactionid|accounts|log_context||no_privilege', 'watcher');

# The name was given to another relation meanwhile, with a row of its own in that place.
my $log = -s $node->logfile;
$node->safe_psql('postgres', 'CREATE TABLE first (id int CONSTRAINT named PRIMARY KEY); CREATE TABLE decoy (id int)');
$node->safe_psql('postgres', 'INSERT INTO decoy SELECT generate_series(1, 5)');
$holder->run('BEGIN; INSERT INTO first VALUES (1)');
$waiter->start('BEGIN; INSERT INTO first VALUES (1)');
Session::wait_blocked($node, 1, 'waiter');
wait_for_log($log);
is($node->safe_psql('postgres', 'SELECT lock_rel, row_key, row_status FROM lockstep.lock_graph'), 'first|(id)=(1)|ok', 'before another relation has the name');
$node->safe_psql('postgres', 'ALTER INDEX named RENAME TO unnamed; ALTER TABLE decoy ADD CONSTRAINT named PRIMARY KEY (id)');
is($node->safe_psql('postgres', 'SELECT lock_rel, row_key, row_status FROM lockstep.lock_graph'), '||unknown', 'no row of the other relation is shown');
$holder->run('ROLLBACK');
$waiter->finish;
$waiter->run('ROLLBACK');

# What was said of an earlier wait is not taken for this one, which nobody logs.
$node->append_conf('postgresql.conf', 'log_lock_waits = off');
$node->reload;
# A session reads its settings anew some time after the signal.
for (1 .. 100 * $PostgreSQL::Test::Utils::timeout_default)
{
	last if $waiter->run('SHOW log_lock_waits') eq 'off';
	select undef, undef, undef, 0.01;
}
$holder->run(q{BEGIN; INSERT INTO accounts VALUES (90, 'x')});
$waiter->start(q{BEGIN; INSERT INTO accounts VALUES (90, 'y')});
Session::wait_blocked($node, 1, 'waiter');
is($node->safe_psql('postgres', q{SELECT row_source, row_key, row_status FROM lockstep.lock_graph}), '||unknown', 'an earlier message is not taken for this wait');
$holder->run('ROLLBACK');
$waiter->finish;
$_->close for $holder, $waiter;
$node->stop;
done_testing();
