# The accounts of the README's first use, as they are in the beginning: what examples run on.
#   Accounts::renew($node)
package Accounts;
use strict;
use warnings;

sub renew
{
	my ($node) = @_;
	my $sql = sub { return $node->safe_psql('postgres', $_[0]); };
	$sql->(q{SELECT lockstep.drop_ledger('accounts')}) if $sql->(q{SELECT to_regclass('accounts')}) ne '';
	$sql->(q{
		DROP TABLE IF EXISTS accounts, accounts_journal;
		CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
		INSERT INTO accounts VALUES (1, 100), (2, 50);
		SELECT lockstep.register_ledger('accounts')});
	return;
}

1;
