# Switched over by logical replication: the schema was dumped alone, so the registration is not there, and the journal's
# sequence stays behind its rows. Nobody pays twice, and entries go on, for many sessions at once, through a crash too.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $from = PostgreSQL::Test::Cluster->new('from');
$from->init(allows_streaming => 'logical');
$from->start;
my $to = PostgreSQL::Test::Cluster->new('to');
$to->init(allows_streaming => 'logical');
$to->start;

my $folder = PostgreSQL::Test::Utils::tempdir();
$from->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
	INSERT INTO accounts SELECT n, 10000 FROM generate_series(1, 8) AS n;
	SELECT lockstep.register_ledger('accounts');
	CREATE PUBLICATION pair FOR TABLE accounts, accounts_journal;
});
my $book = q{SELECT count(*) FROM generate_series(%d, %d) AS n,
	lockstep.transfer('accounts', 1 + n %% 8, 1 + (n + 3) %% 8, 1, lockstep.request_id('n' || n))};
$from->safe_psql('postgres', sprintf($book, 1, 50));
$from->command_ok([ 'pg_dump', '-s', '--no-publications', '-f', "$folder/schema.sql", '-d', $from->connstr('postgres') ], 'the schema is dumped');
$to->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$folder/schema.sql", '-d', $to->connstr('postgres') ], 'and restored');
my $source = $from->connstr('postgres');
$to->safe_psql('postgres', "CREATE SUBSCRIPTION pair CONNECTION \$\$$source\$\$ PUBLICATION pair");
$to->wait_for_subscription_sync($from, 'pair');

my ($code, $out, $err) = $to->psql('postgres', q{SELECT lockstep.register_ledger('accounts')});
like($err, qr/take it up with the argument journal/, 'the journal that is there is to be taken up');
is($to->safe_psql('postgres', q{SELECT lockstep.register_ledger('accounts', journal => 'accounts_journal')}), 'accounts_journal', 'it is');
$from->safe_psql('postgres', sprintf($book, 51, 2000));
$from->wait_for_catchup('pair');
like($to->safe_psql('postgres', q{SELECT * FROM lockstep.verify_ledger('accounts')}), qr/^sequence is behind\|\|\|2001\|51$/,
	'verify_ledger says what is behind, and nothing else');
$from->stop;
$to->safe_psql('postgres', q{ALTER SUBSCRIPTION pair DISABLE; ALTER SUBSCRIPTION pair SET (slot_name = NONE); DROP SUBSCRIPTION pair});

is($to->safe_psql('postgres', q{SELECT status FROM lockstep.transfer('accounts', 2, 5, 1, lockstep.request_id('n1'))}), 'replayed',
	'an id from before the switch is replayed');
append_to_file("$folder/one.sql", q{
\set n random(1, 8)
\set step random(1, 7)
SELECT status FROM lockstep.transfer('accounts', :n, 1 + (:n + :step - 1) % 8, 1);
});
sub check
{
	my ($when) = @_;
	is($to->safe_psql('postgres', q{SELECT * FROM lockstep.verify_ledger('accounts')}), '', "$when: it verifies");
	is($to->safe_psql('postgres', 'SELECT count(*) - count(DISTINCT entry) FROM accounts_journal'), '0', "$when: no entry twice");
}
for my $round (1 .. 3)
{
	$to->command_ok([ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '40', '-f', "$folder/one.sql", $to->connstr('postgres') ], "round $round");
	check("round $round");
	$to->safe_psql('postgres', q{SELECT setval('accounts_journal_entry_seq', 1, false)});
}
is($to->safe_psql('postgres', q{SELECT status FROM lockstep.transfer('accounts', 1, 2, 1)}), 'applied', 'raised once more');
$to->stop('immediate');
$to->start;
is($to->safe_psql('postgres', q{SELECT last_value >= (SELECT max(entry) FROM accounts_journal) FROM accounts_journal_entry_seq}), 't',
	'a crash does not put the sequence back');
is($to->safe_psql('postgres', q{SELECT status FROM lockstep.transfer('accounts', 1, 2, 1)}), 'applied', 'and it goes on');
check('after the crash');
$to->stop;
done_testing();
