# A ledger that is dumped and restored is a ledger: registration, journal and rights come along, ids that
# were used before are replayed, and bookings go on behind the old ones.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $dump_folder = PostgreSQL::Test::Utils::tempdir();

$node->safe_psql('postgres', q{
	CREATE ROLE shop LOGIN;
	CREATE ROLE clerk;
	CREATE DATABASE source;
});
$node->safe_psql('source', q{
	CREATE EXTENSION lockstep;
	CREATE SCHEMA "My Shop" AUTHORIZATION shop;
	GRANT USAGE ON SCHEMA "My Shop" TO clerk;
	SET ROLE shop;
	-- Columns in another order than after a restore, and one renamed since it was registered.
	CREATE TABLE "My Shop".accounts (gone int, id bigint PRIMARY KEY, gone2 int, saldo numeric(12,2) NOT NULL, version int DEFAULT 0);
	INSERT INTO "My Shop".accounts (id, saldo) SELECT n, 100 FROM generate_series(1, 10) AS n;
	SELECT lockstep.register_ledger('"My Shop".accounts', amount => 'saldo', floor => -10, ceiling => 1000, version_column => 'version');
	ALTER TABLE "My Shop".accounts DROP COLUMN gone, DROP COLUMN gone2;
	GRANT SELECT, UPDATE ON "My Shop".accounts TO clerk;
	-- One that was dropped from the registry, and one whose table is gone.
	CREATE TABLE "My Shop".former (id int PRIMARY KEY, balance int);
	INSERT INTO "My Shop".former VALUES (1, 100), (2, 100);
	SELECT lockstep.register_ledger('"My Shop".former');
	SELECT lockstep.transfer('"My Shop".former', 1, 2, 10, lockstep.request_id('former'));
	SELECT lockstep.drop_ledger('"My Shop".former');
	CREATE TABLE "My Shop".passing (id int PRIMARY KEY, balance int);
	SELECT lockstep.register_ledger('"My Shop".passing');
	DROP TABLE "My Shop".passing;
	SELECT count(*) FROM generate_series(1, 50) AS n,
	       lockstep.transfer('"My Shop".accounts', 1 + n % 10, 1 + (n + 3) % 10, n, lockstep.request_id('t' || n), on_refusal => 'return');
	SELECT lockstep.transfer('"My Shop".accounts', 1, 2, 5000, lockstep.request_id('refused'), on_refusal => 'return');
	-- A key of several columns, of which one was renamed, and another is found at another place after a restore.
	CREATE TABLE "My Shop".tenants (gone int, "Tenant" int, code text COLLATE "C", balance int, unit text DEFAULT 'piece', PRIMARY KEY ("Tenant", code));
	INSERT INTO "My Shop".tenants VALUES (0, 1, 'a', 100), (0, 2, 'b', 100);
	SELECT lockstep.register_ledger('"My Shop".tenants', match_columns => '{unit}');
	INSERT INTO "My Shop".tenants VALUES (0, 3, 'c', 100, 'metre');
	ALTER TABLE "My Shop".tenants DROP COLUMN gone;
	SELECT lockstep.transfer('"My Shop".tenants', ROW(1, 'a'), ROW(2, 'b'), 10, lockstep.request_id('tenants'));
});
my $state = q{SELECT (SELECT string_agg(a::text, ' ' ORDER BY id) FROM "My Shop".accounts AS a)
	|| (SELECT string_agg(j::text, ' ' ORDER BY entry) FROM "My Shop".accounts_journal AS j)};
my $before = $node->safe_psql('source', $state);

sub check_restored
{
	my ($database) = @_;
	is($node->safe_psql($database, $state), $before, "$database: amounts and journal are the same");
	is($node->safe_psql($database, q{SELECT ledger, key_column, store FROM lockstep.ledgers WHERE ledger = '"My Shop".tenants'::regclass}),
		'"My Shop".tenants|Tenant, code|heap', "$database: a ledger with a key of two columns is registered");
	is($node->safe_psql($database, q{SELECT status FROM lockstep.transfer('"My Shop".tenants', '(1,a)', '(2,b)', 10, lockstep.request_id('tenants'))}), 'replayed',
		"$database: by such a key an old id is replayed");
	is($node->safe_psql($database, q{SELECT sqlstate FROM lockstep.transfer('"My Shop".tenants', '(1,a)', '(3,c)', 10, on_refusal => 'return')}), 'LS008',
		"$database: and what must match still must");
	is($node->safe_psql($database, q{SELECT status FROM lockstep.transfer('"My Shop".tenants', ROW(1, 'a'), ROW(2, 'b'), 10)}), 'applied', "$database: and a new one applied");
	is($node->safe_psql($database, q{SELECT from_key, (to_key).code FROM "My Shop".tenants_journal ORDER BY entry LIMIT 1}), '(1,a)|b', "$database: the journal has its keys");
	is($node->safe_psql($database, q{SELECT * FROM lockstep.verify_ledger('"My Shop".tenants')}), '', "$database: it verifies");
	$node->safe_psql($database, q{SET ROLE shop; SELECT lockstep.register_ledger('"My Shop".tenants')});
	is($node->safe_psql($database, 'SELECT ledger, journal, amount_column, floor, ceiling, version_column FROM lockstep.ledgers WHERE amount_column = $$saldo$$'),
		'"My Shop".accounts|"My Shop".accounts_journal|saldo|-10|1000|version', "$database: the ledger is registered");
	is($node->safe_psql($database, q{SELECT * FROM lockstep.verify_ledger('"My Shop".accounts')}), '', "$database: it verifies");
	is($node->safe_psql($database, q{SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = '"My Shop".accounts_journal'::regclass}),
		'shop', "$database: the journal has its owner");
	my $as_clerk = q{SET ROLE clerk; SELECT status FROM lockstep.transfer('"My Shop".accounts', };
	is($node->safe_psql($database, $as_clerk . q{2, 5, 1, lockstep.request_id('t1'))}), 'replayed', "$database: an old id is replayed");
	is($node->safe_psql($database, $as_clerk . q{1, 2, 5000, lockstep.request_id('refused'), on_refusal => 'return')}), 'refused',
		"$database: a kept refusal is kept");
	is($node->safe_psql($database, $as_clerk . q{1, 2, 1, lockstep.request_id('new'))}), 'applied', "$database: a new id is applied");
	is($node->safe_psql($database, q{SELECT entry > (SELECT max(entry) FROM "My Shop".accounts_journal WHERE request_id <> lockstep.request_id('new'))
		FROM "My Shop".accounts_journal WHERE request_id = lockstep.request_id('new')}), 't', "$database: it is booked behind the old ones");
	is($node->safe_psql($database, q{SELECT * FROM lockstep.verify_ledger('"My Shop".accounts')}), '', "$database: it verifies still");
	my ($code, $out, $err) = $node->psql($database, q{SET ROLE clerk; DELETE FROM "My Shop".accounts_journal});
	like($err, qr/permission denied/, "$database: the journal is closed to others");
	# The journal that drop_ledger kept is taken up again.
	$node->safe_psql($database, q{SET ROLE shop; SELECT lockstep.register_ledger('"My Shop".former')});
	is($node->safe_psql($database, q{SELECT status FROM lockstep.transfer('"My Shop".former', 1, 2, 10, lockstep.request_id('former'))}), 'replayed',
		"$database: the journal of a dropped registration is remembered");
}

# As a script, as an archive, and as an archive restored by two jobs.
for my $way ('plain', 'custom', 'parallel')
{
	my $file = "$dump_folder/$way";
	my $format = $way eq 'plain' ? 'plain' : $way eq 'custom' ? 'custom' : 'directory';
	$node->safe_psql('postgres', "CREATE DATABASE $way");
	$node->command_ok([ 'pg_dump', "--format=$format", "--file=$file", $node->connstr('source') ], "$way: dumped");
	if ($way eq 'plain')
	{
		$node->command_ok([ 'psql', '--no-psqlrc', '-v', 'ON_ERROR_STOP=1', '-q', '-f', $file, $node->connstr($way) ], "$way: restored");
	}
	else
	{
		my $jobs = $way eq 'parallel' ? 2 : 1;
		$node->command_ok([ 'pg_restore', '--exit-on-error', "--jobs=$jobs", "--dbname=" . $node->connstr($way), $file ], "$way: restored");
	}
	check_restored($way);
}

# Whoever owns the database and the ledger can dump them.
$node->safe_psql('postgres', 'ALTER DATABASE source OWNER TO shop');
$node->command_ok([ 'pg_dump', '--file', "$dump_folder/as_owner", $node->connstr('source') . ' user=shop' ], 'dumped by their owner');

$node->stop;
done_testing();
