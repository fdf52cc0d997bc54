# What is booked on the primary is the same on a standby; the standby books nothing, and goes on booking
# once it is promoted.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $primary = PostgreSQL::Test::Cluster->new('primary');
$primary->init(allows_streaming => 1);
$primary->start;
$primary->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'base', has_streaming => 1);
$standby->start;

$primary->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance int NOT NULL);
	INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 5) AS n;
	SELECT lockstep.register_ledger('accounts');
	SELECT count(*) FROM generate_series(1, 100) AS n,
	       lockstep.transfer('accounts', 1 + n % 5, 1 + (n + 2) % 5, n % 7 + 1, lockstep.request_id('t' || n), on_refusal => 'return');
});
$primary->wait_for_catchup($standby);
my $state = q{SELECT (SELECT string_agg(a::text, ' ' ORDER BY id) FROM accounts AS a)
	|| (SELECT string_agg(j::text, ' ' ORDER BY entry) FROM accounts_journal AS j)};
is($standby->safe_psql('postgres', $state), $primary->safe_psql('postgres', $state), 'the same tables');
is($standby->safe_psql('postgres', q{SELECT * FROM lockstep.verify_ledger('accounts')}), '', 'the standby verifies');
is($standby->safe_psql('postgres', 'SELECT ledger FROM lockstep.ledgers'), 'accounts', 'the standby knows the ledger');
for my $call (q{transfer('accounts', 1, 2, 1)}, q{transfer('accounts', 2, 4, 2, lockstep.request_id('t1'))}, q{adjust('accounts', 1, 1)})
{
	my ($code, $out, $err) = $standby->psql('postgres', "\\set VERBOSITY sqlstate\nSELECT lockstep.$call");
	like($err, qr/ERROR:  25006/, "refused on a standby: $call");
}

$primary->stop('immediate');
$standby->promote;
is($standby->safe_psql('postgres', q{SELECT status FROM lockstep.transfer('accounts', 2, 4, 2, lockstep.request_id('t1'))}), 'replayed',
	'promoted: an id of the old primary is replayed');
is($standby->safe_psql('postgres', q{SELECT status FROM lockstep.transfer('accounts', 1, 2, 1)}), 'applied', 'promoted: a new one is applied');
is($standby->safe_psql('postgres', q{SELECT * FROM lockstep.verify_ledger('accounts')}), '', 'promoted: it verifies');
$standby->stop;
done_testing();
