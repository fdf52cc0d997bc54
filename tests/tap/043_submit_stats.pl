# What submit_stats counts: calls, groups and their sizes, and why a call was done by its own session alone.
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
autovacuum = off
});
$node->start;
# A balance of 10 or 20 waits for somebody to let it pass; one of 666 is a fault. It says of itself that it is immutable: else
# calls would go each by itself.
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE FUNCTION passes(balance bigint) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS $$
	BEGIN
		IF balance IN (10, 20) THEN
			PERFORM pg_advisory_xact_lock_shared(balance);
		END IF;
		RETURN balance <> 666;
	END $$;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL CHECK (passes(balance)));
	INSERT INTO accounts SELECT n, 0 FROM generate_series(1, 5) AS n;
	SELECT lockstep.register_ledger('accounts');
	CREATE ROLE looker;
	GRANT USAGE ON SCHEMA lockstep TO looker;
});
sub sql { return $node->safe_psql('postgres', $_[0]); }
sub stats { return sql('SELECT ledger, calls, grouped, groups FROM lockstep.submit_stats'); }
sub alone { return sql('SELECT alone_busy, alone_fault, alone_lost, alone_queue_full, alone_too_large, alone_unserved FROM lockstep.submit_stats'); }

is(stats(), '', 'nothing at first');
sql(q{CALL lockstep.submit('accounts', NULL, 1, 1)});
is(stats(), 'accounts|1|0|0', 'a call that met nobody');
is(alone(), '0|0|0|0|0|0', '... and has no reason to be alone');

my %session = map { $_ => Session->new($node, $_) } qw(outsider first second third);
my $waiting = sub {
	my ($count, $what) = @_;
	ok($node->poll_query_until('postgres', q{SELECT count(*) FROM lockstep.lock_graph WHERE edge_kind = 'group'}, $count), $what);
};

# Two that wait for a third go together.
$session{outsider}->run('SELECT pg_advisory_lock(10)');
$session{first}->start(q{CALL lockstep.submit('accounts', NULL, 1, 9)});
Session::wait_blocked($node, 1, 'first');
$session{second}->start(q{CALL lockstep.submit('accounts', NULL, 1, 1)});
$waiting->(1, 'one waits');
$session{third}->start(q{CALL lockstep.submit('accounts', NULL, 1, 2)});
$waiting->(2, 'two wait');
$session{outsider}->run('SELECT pg_advisory_unlock(10)');
like($session{$_}->finish, qr/^applied\|.*\|2$/, "the $_ was in a group of two") for qw(second third);
like($session{first}->finish, qr/^applied\|.*\|1$/, 'the first was not');
is(stats(), 'accounts|4|2|1', 'a group of two');
is(sql('SELECT groups_2, groups_4, groups_8, groups_16, groups_32, groups_64 FROM lockstep.submit_stats'), '1|0|0|0|0|0', 'its size');

# A group that comes to nothing.
$session{outsider}->run('SELECT pg_advisory_lock(20)');
$session{first}->start(q{CALL lockstep.submit('accounts', NULL, 2, 20)});
Session::wait_blocked($node, 1, 'first');
$session{second}->start(q{CALL lockstep.submit('accounts', NULL, 2, 1)});
$waiting->(1, 'one waits');
$session{third}->start(q{CALL lockstep.submit('accounts', NULL, 2, 645)});
$waiting->(2, 'two wait');
$session{outsider}->run('SELECT pg_advisory_unlock(20)');
$session{first}->finish;
# By themselves the one that comes first passes, and the other one is at fault.
my @said = map { $session{$_}->finish } qw(second third);
is(scalar(grep { /^applied\|.*\|1$/ } @said), 1, 'one of them is done by itself');
is(scalar(grep { /violates check constraint/ } @said), 1, '... and one is told the fault');
is(alone(), '0|1|0|0|0|0', 'a call of a group that came to nothing');

# Whatever else makes a call go alone.
$session{outsider}->run('BEGIN; SELECT * FROM accounts WHERE id = 3 FOR UPDATE');
$session{first}->start(q{CALL lockstep.submit('accounts', NULL, 3, 1)});
Session::wait_blocked($node, 1, 'first');
$session{outsider}->run('COMMIT');
$session{first}->finish;
is(alone(), '1|1|0|0|0|0', 'an outsider had the row');
sql(q{CALL lockstep.submit('accounts', NULL, 3, 1, memo => to_jsonb(repeat('x', 600)))});
is(alone(), '1|1|0|0|1|0', 'a memo that is too long');
$session{second}->run('SELECT pg_advisory_lock(1)');
$session{second}->run(q{CALL lockstep.submit('accounts', NULL, 3, 1)});
is(alone(), '1|1|0|0|1|1', 'a session with a lock of its own');

$node->psql('postgres', q{CALL lockstep.submit('accounts', 3, NULL, -1)});
is(sql('SELECT calls - grouped FROM lockstep.submit_stats'), 7, 'what was raised is no call that was answered');
is(sql('SET ROLE looker; SELECT count(*) FROM lockstep.submit_stats'), '1', 'everybody may look');
sql('SELECT lockstep.reset_ledger_stats()');
is(stats(), '', 'it begins at nothing');
$_->close for values %session;
$node->stop;
done_testing();
