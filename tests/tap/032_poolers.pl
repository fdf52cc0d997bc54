# Transfers, CALL retry and CALL submit through PgBouncer in transaction mode: what docs/drivers.md says of each driver's prepared
# statements, with the version that there is.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use Accounts;
use Pooler;

my $version = Pooler::version();
plan(skip_all => 'pgbouncer is missing (scripts/install-packages test)') unless $version;

(my $here = __FILE__) =~ s{[^/]*$}{.};
my $examples = ($ENV{LOCKSTEP_EXAMPLES} // "$here/../../examples") . '/drivers';
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
sub sql { my ($text) = @_; return $node->safe_psql('postgres', $text); }
sql('CREATE EXTENSION lockstep');

my $pooler = Pooler->new($node, $version >= 121 ? 'max_prepared_statements = 100' : ());

sub run
{
	my @command = @_;
	my ($out, $err) = ('', '');
	local %ENV = (%ENV, PGHOST => $pooler->host, PGPORT => $pooler->port, PGUSER => scalar(getpwuid($<)), PGDATABASE => 'postgres');
	my $ok = eval { IPC::Run::run(\@command, '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)) } // 0;
	return ($ok, $out, $err || $@);
}

# The programs of the page. Some prepare nothing by name for a statement that runs once; others are told not to, as the page
# says: by a word in the program that is another one here.
my $python = '/usr/bin/python3';
my $no_node = $ENV{LOCKSTEP_NO_PG} // 'LOCKSTEP_NO_PG is not set (scripts/tap sets it)';
my $made = PostgreSQL::Test::Utils::tempdir();
symlink("$examples/../../node_modules", "$made/node_modules");
my @drivers = (
	[ 'psycopg 3', $python, [ '-c', 'import psycopg' ], 'transfer_psycopg3.py' ],
	[ 'psycopg 2', $python, [ '-c', 'import psycopg2' ], 'transfer_psycopg2.py' ],
	[ 'asyncpg', $python, [ '-c', 'import asyncpg' ], 'transfer_asyncpg.py', 'connect()', 'connect(statement_cache_size=0)' ],
	[ 'DBD::Pg', '/usr/bin/perl', [ '-MDBD::Pg', '-e', '1' ], 'transfer_dbd_pg.pl', 'AutoCommit => 1', 'AutoCommit => 1, pg_server_prepare => 0' ],
	[ 'ruby-pg', '/usr/bin/ruby', [ '-rpg', '-e', '1' ], 'transfer_ruby_pg.rb' ],
	[ 'PDO', '/usr/bin/php', [ '-r', 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);' ], 'transfer_pdo.php', '[PDO::ATTR_ERRMODE', '[PDO::PGSQL_ATTR_DISABLE_PREPARES => true, PDO::ATTR_ERRMODE' ],
	[ 'node-postgres', 'node', [ '-e', $no_node eq '' ? '0' : 'process.exit(1)' ], 'transfer_pg.mjs' ],
	[ 'postgres.js', 'node', [ '-e', "require('$made/node_modules/postgres')" ], 'transfer_postgres.mjs', 'postgres()', 'postgres({ prepare: false })' ]);
for my $driver (@drivers)
{
	my ($name, $program, $look, $file, $word, $told) = @$driver;
	SKIP:
	{
		skip("$name is missing", 1) unless (run($program, @$look))[0];
		my $text = slurp_file("$examples/$file");
		ok($text =~ s/\Q$word\E/$told/, "$name is told to prepare nothing") if $word;
		append_to_file("$made/$file", $text);
		Accounts::renew($node);
		my ($ok, $out, $err) = run($program, "$made/$file");
		is($out, "applied 70.00 80.00\nLS001 The balance is 70.00, the floor is 0, and 500.00 was to be taken.\napplied applied\n1 replayed\n",
			"$name through a pooler") or diag($err);
		is(sql(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', "$name through a pooler: it verifies");
	}
}

SKIP:
{
	skip('python has no module psycopg', 1) unless (run($python, '-c', 'import psycopg'))[0];
	Accounts::renew($node);
	is((run($python, "$here/drivers/prepares.py", $pooler->connstr, 'unnamed'))[1], "applied\n", 'nothing is prepared: it goes through');
	my $said = (run($python, "$here/drivers/prepares.py", $pooler->connstr, 'named'))[1];
	if ($version >= 121)
	{
		is($said, "applied\n", 'prepared statements: this pooler knows them');
	}
	else
	{
		# The statement is there for another client, or it is not there at all.
		like($said, qr/\b(?:42P05|26000)\b/, 'prepared statements: this pooler does not know them');
	}
	is(sql(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', 'whatever was refused: it verifies');
}

# CALL submit ends the transaction that it was called in, and runs others; the pooler's session is free after it.
Accounts::renew($node);
for my $turn (1 .. 3)
{
	my (undef, $out, $err) = run('psql', '-XAtq', '-d', $pooler->connstr, '-c', q{CALL lockstep.submit('accounts', 1, 2, 10)});
	like($out, qr/^applied\|/, "CALL submit through a pooler, turn $turn") or diag($err);
}
is(sql(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', '... and it verifies');

$node->stop;
done_testing();
