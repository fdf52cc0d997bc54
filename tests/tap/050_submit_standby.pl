# CALL submit with synchronous replication. A leader that is cancelled while it waits for the standby has committed, and the server says so to
# him in a WARNING; his followers get one as well. Nobody gets one where the standby has it, or where nothing was asked of it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lockstep'\nautovacuum = off\n");
$node->start;
sub value_of { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
value_of(q{
	CREATE EXTENSION lockstep;
	-- Stands still while somebody has the lock 77; to the server it is a function like any other.
	CREATE FUNCTION stands(account int) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
	  $$BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN true; END$$;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL, CHECK (stands(id)));
	INSERT INTO accounts VALUES (1, 0);
	SELECT lockstep.register_ledger('accounts');
});
my $keeper = Session->new($node, 'keeper');
my @crew = map { Session->new($node, "crew$_") } 0 .. 2;

sub waits_in
{
	my ($event, $name) = @_;
	$node->poll_query_until('postgres', "SELECT '$event' IN (wait_event_type, wait_event) FROM pg_stat_activity WHERE application_name = '$name'") or die "$name does not wait";
	return;
}

# The first one stands still and commits alone, the second one leads the third. Those of `cancelled` are, where they wait for the standby.
sub together
{
	my ($calls, @cancelled) = @_;
	$keeper->run('SELECT pg_advisory_lock(77)');
	for my $n (0 .. 2)
	{
		$crew[$n]->start($calls->[$n]);
		waits_in($n == 0 ? 'Lock' : 'Extension', "crew$n");
	}
	$keeper->run('SELECT pg_advisory_unlock_all()');
	for (@cancelled)
	{
		waits_in('SyncRep', $_);
		value_of("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = '$_'");
	}
	return map { $_->finish } @crew;
}
my @calls = (q{CALL lockstep.submit('accounts', NULL, 1, 1)}) x 3;
my $detail = 'The transaction has already committed locally, but might not have been replicated to the standby.';
my $says_nothing = sub {
	my ($what, @said) = @_;
	is(scalar(grep { /^applied\|[^\n]*$/ } @said), 3, "$what: no WARNING") or diag(explain(\@said));
	return;
};
my $set_standby = sub {
	my ($name) = @_;
	$node->append_conf('postgresql.conf', "synchronous_standby_names = '$name'");
	$node->reload;
	Session::wait_reloaded($node, 'synchronous_standby_names', $name);
	# Sessions know it from their next statement on.
	$_->run('SELECT 1') for @crew;
	return;
};

# A standby that there is none of.
$set_standby->('nobody');
# The server itself, too, when somebody waits.
my $first = Session->new($node, 'first');
$first->start('CREATE TABLE first (id int)');
waits_in('SyncRep', 'first');
value_of(q{SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'first'});
$first->finish;
my @said = together(\@calls, 'crew0', 'crew1');
like($said[0], qr/^WARNING:  canceling wait for synchronous replication due to user request\nDETAIL:  \Q$detail\E\napplied\|.*\|1$/, 'who leads alone is told by the server');
like($said[1], qr/^WARNING:  canceling wait for synchronous replication due to user request\nDETAIL:  \Q$detail\E\napplied\|.*\|2$/, 'who leads a group as well');
like($said[2], qr/^WARNING:  the session that led the group did not wait for the standby\nDETAIL:  \Q$detail\E\napplied\|\|1\|\|3\|[^|]*\|2$/, 'and who follows is told too')
  or diag($said[2]);
# By its state a client sees which one it is.
@said = together([ $calls[0], $calls[0], q{\\set VERBOSITY sqlstate
	CALL lockstep.submit('accounts', NULL, 1, 1)} ], 'crew0', 'crew1');
like($said[2], qr/^WARNING:  01000\napplied\|/, 'the same, by its state');
$crew[2]->run('\\set VERBOSITY default');

$_->run('SET synchronous_commit = local') for @crew;
$says_nothing->('nothing asked of the standby', together(\@calls));
$_->run('RESET synchronous_commit') for @crew;

# One that there is.
$set_standby->('');
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
$set_standby->('standby');
$node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_replication WHERE sync_state = 'sync'}) or die 'the standby is not there';
for my $level (qw(remote_write on remote_apply))
{
	$_->run("SET synchronous_commit = $level") for @crew;
	$says_nothing->("a standby that has it by $level", together(\@calls));
}
is($standby->safe_psql('postgres', 'SELECT balance FROM accounts'), value_of('SELECT balance FROM accounts'), 'the standby has what it waited for');

$_->close for $keeper, $first, @crew;
$standby->stop;
$node->stop;
done_testing();
