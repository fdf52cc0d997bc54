# Transaction ids by the billion: the next one is set with pg_resetwal, as the server's own tests do.
package Xids;
use strict;
use warnings;
use PostgreSQL::Test::Utils;

# A procedure to use up transaction ids with real transactions. What they commit is not flushed.
our $burn = q{CREATE PROCEDURE burn(count int) LANGUAGE plpgsql AS
	$$BEGIN FOR i IN 1 .. count LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END$$;};

# Where VACUUM says that the horizon of an ordinary table is.
sub cutoff
{
	my ($node, $table) = @_;
	my ($status, $out, $said) = $node->psql('postgres', "VACUUM (VERBOSE) $table");
	$said =~ /removable cutoff: (\d+)/ or die "VACUUM does not say its cutoff: $said";
	return $1;
}

# Sets the next transaction id of a stopped server, and its epoch, and makes the page of pg_xact that
# it needs to start.
sub set_next
{
	my ($node, $next, $epoch) = @_;
	my $file = $node->data_dir . sprintf('/pg_xact/%04X', $next >> 20);
	if (!-e $file)
	{
		open my $pages, '>', $file or die "$file: $!";
		binmode $pages;
		print $pages "\0" x (32 * 8192);
		close $pages;
	}
	my @epoch = defined $epoch ? ('-e', $epoch) : ();
	system_or_bail('pg_resetwal', @epoch, '-x', $next, '-D', $node->data_dir);
	return;
}

# The same for one that runs: it is stopped, and started again.
sub jump
{
	my ($node, $next, $epoch) = @_;
	$node->stop;
	set_next($node, $next, $epoch);
	$node->start;
	return;
}

1;
