# Data alone goes into a database whose migrations have registered the ledgers already: whatever way it was dumped and is
# restored, ids of before are replayed, and bookings go on behind the old ones. What is registered there stays.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->start;
my $folder = PostgreSQL::Test::Utils::tempdir();
my $migrations = q{
	CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL, version int DEFAULT 0);
	SELECT lockstep.register_ledger('accounts', version_column => 'version');
	CREATE TABLE tenants (tenant int, code text COLLATE "C", balance int, PRIMARY KEY (tenant, code));
	SELECT lockstep.register_ledger('tenants', floor => -5);
};
$node->safe_psql('postgres', 'CREATE ROLE shop LOGIN');

sub new_database
{
	my ($name, $as_shop) = @_;
	$node->safe_psql('postgres', "CREATE DATABASE $name OWNER shop");
	$node->safe_psql($name, 'CREATE EXTENSION lockstep; GRANT ALL ON SCHEMA public TO shop; ' . ($as_shop // 'SET ROLE shop;') . $migrations);
}

new_database('source');
$node->safe_psql('source', q{
	INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 10) AS n;
	INSERT INTO tenants VALUES (1, 'a', 100), (2, 'b', 100);
	SELECT count(*) FROM generate_series(1, 50) AS n,
	       lockstep.transfer('accounts', 1 + n % 10, 1 + (n + 3) % 10, 1, lockstep.request_id('t' || n));
	SELECT lockstep.transfer('tenants', ROW(1, 'a'), ROW(2, 'b'), 10, lockstep.request_id('tenants'));
});

my %ledgers = (
	accounts => { old => q{2, 5, 1, lockstep.request_id('t1')}, new => '1, 2, 1' },
	tenants => { old => q{'(1,a)', '(2,b)', 10, lockstep.request_id('tenants')}, new => q{'(1,a)', '(2,b)', 1} });

# All at once, so that a case is one line where all is well.
sub works
{
	my ($database, $name, @ledgers) = @_;
	goes_on($database, $name, 0, @ledgers);
}

sub goes_on
{
	my ($database, $name, $violations, @ledgers) = @_;
	for my $ledger (@ledgers)
	{
		my %of = %{ $ledgers{$ledger} };
		is($node->safe_psql($database, qq{
			SELECT count(*) FROM lockstep.verify_ledger('$ledger');
			SELECT status FROM lockstep.transfer('$ledger', $of{old});
			CREATE TEMP TABLE highest AS SELECT max(entry) AS entry FROM ${ledger}_journal;
			SELECT status FROM lockstep.transfer('$ledger', $of{new});
			SELECT max(j.entry) = max(h.entry) + 1 FROM ${ledger}_journal AS j, highest AS h;
			SELECT count(*) FROM lockstep.verify_ledger('$ledger');
			SELECT count(*) FROM lockstep.ledgers WHERE ledger = '$ledger'::regclass AND store IS NOT NULL;
			SELECT count(*) FROM pg_trigger WHERE tgrelid = '${ledger}_journal'::regclass AND tgname ~ 'guard' AND tgenabled = 'O';
			}), "$violations\nreplayed\napplied\nt\n0\n1\n2", "$name: $ledger goes on");
	}
}

sub works_after
{
	my ($database) = @_;
	is($node->safe_psql($database, q{
		SELECT status FROM lockstep.transfer('accounts', 2, 5, 1, lockstep.request_id('t1'));
		SELECT count(*) FROM lockstep.verify_ledger('accounts')}), "replayed\n0", "$database: goes on");
}

sub psql_file { my ($database, $file, @more) = @_; return ('psql', '-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', @more, '-f', $file, '-d', $node->connstr($database)); }
sub pg_restore { my ($database, $file, @more) = @_; return ('pg_restore', '--exit-on-error', @more, '-d', $node->connstr($database), $file); }

my @both = ('accounts', 'tenants');
my @data = ('--data-only', '--disable-triggers');
my @accounts = ('-t', 'accounts', '-t', 'accounts_journal');
for my $case (
	{ name => 'plain', dump => [@data] },
	{ name => 'inserts', dump => [ @data, '--column-inserts' ] },
	{ name => 'section', dump => [ '--section=data', '--disable-triggers' ] },
	{ name => 'schema_public', dump => [ @data, '-n', 'public' ] },
	{ name => 'one_ledger', dump => [ @data, @accounts ], ledgers => ['accounts'] },
	{ name => 'but_one_ledger', dump => [ @data, '-T', 'tenants*' ], ledgers => ['accounts'] },
	{ name => 'but_registrations', dump => [ @data, '--exclude-table-data=lockstep.registration' ] },
	{ name => 'custom', dump => ['-Fc'], restore => [@data] },
	{ name => 'custom_data', dump => [ '-Fc', '--data-only' ], restore => [@data] },
	{ name => 'custom_once', dump => ['-Fc'], restore => [ @data, '--single-transaction' ] },
	{ name => 'custom_jobs', dump => ['-Fc'], restore => [ @data, '-j', '3' ] },
	{ name => 'directory_jobs', dump => [ '-Fd', '-j', '2' ], restore => [ @data, '-j', '3' ] },
	{ name => 'custom_schema', dump => ['-Fc'], restore => [ @data, '-n', 'public' ] },
	{ name => 'custom_section', dump => ['-Fc'], restore => [ '--section=data', '--disable-triggers' ] },
	{ name => 'custom_one_ledger', dump => ['-Fc'], restore => [ @data, @accounts, '-t', 'accounts_journal_entry_seq' ], ledgers => ['accounts'] },
	# pg_restore -t leaves the sequence out, which verify_ledger tells; the next movement puts it right.
	{ name => 'custom_no_sequence', dump => ['-Fc'], restore => [ @data, @accounts ], ledgers => ['accounts'], violations => 1 },
	# In the owner's name, who is no superuser.
	{ name => 'owner_schema', dump => [ @data, '-n', 'public' ], as => ' user=shop' },
	{ name => 'owner_tables', dump => [ @data, @accounts ], as => ' user=shop', ledgers => ['accounts'] },
	{ name => 'owner_custom', dump => ['-Fc'], restore => [ @data, '-n', 'public', '-j', '2' ], as => ' user=shop' })
{
	my $name = $case->{name};
	new_database($name);
	my $as = $case->{as} // '';
	$node->command_ok([ 'pg_dump', @{ $case->{dump} }, '-f', "$folder/$name", '-d', $node->connstr('source') . $as ], "$name: dumped");
	my @restore = $case->{restore} ? pg_restore($name, "$folder/$name", @{ $case->{restore} }) : psql_file($name, "$folder/$name");
	$_ eq $node->connstr($name) and $_ .= $as for @restore;
	$node->command_ok(\@restore, "$name: restored");
	goes_on($name, $name, $case->{violations} // 0, @{ $case->{ledgers} // \@both });
	# The next dump is as whole as the first one, into nothing and into what is there.
	next unless $name eq 'plain' or $name eq 'but_one_ledger';
	$node->command_ok([ 'pg_dump', '-f', "$folder/again_$name", '-d', $node->connstr($name) ], "$name: dumped again");
	$node->safe_psql('postgres', "CREATE DATABASE again_$name");
	$node->command_ok([ psql_file("again_$name", "$folder/again_$name") ], "$name: restored again");
	is($node->safe_psql("again_$name", 'SELECT count(*), count(DISTINCT ledger::oid) FROM lockstep.registration'), '2|2', "$name: without what does not count");
	works_after("again_$name");
}

# The schema comes along: a ledger that is left out takes nothing of the rest away.
for my $case (
	{ name => 'whole_but_one', dump => [ '-T', 'tenants', '-T', 'tenants_journal' ] },
	{ name => 'whole_but_one_custom', dump => [ '-Fc', '-T', 'tenants', '-T', 'tenants_journal' ], restore => [] })
{
	my $name = $case->{name};
	$node->safe_psql('postgres', "CREATE DATABASE $name");
	$node->command_ok([ 'pg_dump', @{ $case->{dump} }, '-f', "$folder/$name", '-d', $node->connstr('source') ], "$name: dumped");
	$node->command_ok([ $case->{restore} ? pg_restore($name, "$folder/$name") : psql_file($name, "$folder/$name") ], "$name: restored");
	works($name, $name, 'accounts');
	is($node->safe_psql($name, 'SELECT string_agg(ledger::text, $$ $$) FROM lockstep.ledgers'), 'accounts', "$name: one ledger");
	$node->safe_psql($name, q{SELECT lockstep.register_ledger('accounts', version_column => 'version')});
	is($node->safe_psql($name, 'SELECT count(*) FROM lockstep.registration'), '1', "$name: the registration of the other is swept");
}

# Nor do two, which no restore can tell apart.
$node->safe_psql('source', q{CREATE TABLE last_one (id int PRIMARY KEY, balance int); INSERT INTO last_one VALUES (1, 1); SELECT lockstep.register_ledger('last_one')});
$node->safe_psql('postgres', 'CREATE DATABASE but_two');
$node->command_ok([ 'pg_dump', (map { ('-T', $_, '-T', "${_}_journal") } 'tenants', 'last_one'), '-f', "$folder/but_two", '-d', $node->connstr('source') ], 'dumped without two ledgers');
$node->command_ok([ psql_file('but_two', "$folder/but_two") ], 'restored without them');
works('but_two', 'but_two', 'accounts');
$node->safe_psql('but_two', q{SELECT lockstep.register_ledger('accounts', version_column => 'version')});
is($node->safe_psql('but_two', 'SELECT count(*) FROM lockstep.registration'), '1', 'the registrations of both are swept');
$node->safe_psql('source', q{SELECT lockstep.drop_ledger('last_one', drop_journal => true); DROP TABLE last_one});

# A ledger whose journal was left out says so; its id counts as never used once it has a new one, as after any loss of a journal.
$node->safe_psql('postgres', 'CREATE DATABASE no_journal');
$node->command_ok([ 'pg_dump', '-T', 'tenants_journal', '-f', "$folder/no_journal", '-d', $node->connstr('source') ], 'dumped without a journal');
$node->command_ok([ psql_file('no_journal', "$folder/no_journal") ], 'restored without it');
my ($none, $nothing, $says) = $node->psql('no_journal', q{SELECT lockstep.transfer('tenants', '(1,a)', '(2,b)', 1)});
like($says, qr/journal/, 'the ledger without a journal is none');
is($node->safe_psql('no_journal', q{SELECT lockstep.register_ledger('tenants', floor => -5); SELECT status FROM lockstep.transfer('tenants', '(1,a)', '(2,b)', 1)}), "tenants_journal\napplied",
	'until it is registered');
works('no_journal', 'no journal', 'accounts');

# Registrations may be published with all tables.
$node->safe_psql('no_journal', q{CREATE PUBLICATION everything FOR ALL TABLES; SELECT lockstep.register_ledger('accounts', floor => -1);
	SELECT lockstep.drop_ledger('accounts', drop_journal => true); SELECT lockstep.register_ledger('accounts')});
is($node->safe_psql('no_journal', 'SELECT count(*) FROM lockstep.ledgers'), '2', 'published: registered, dropped, and registered again');

# Whoever has no superuser, and a foreign key that he cannot stop, stops the guards himself.
new_database('by_hand');
my $shop = $node->connstr('by_hand') . ' user=shop';
$node->command_ok([ 'pg_dump', '--data-only', '-n', 'public', '-f', "$folder/by_hand", '-d', $node->connstr('source') . ' user=shop' ], 'dumped without --disable-triggers');
my @by_hand = ('psql', '-X', '-q', '-1', '-v', 'ON_ERROR_STOP=1', '-d', $shop);
$node->command_fails_like([ @by_hand, '-f', "$folder/by_hand" ], qr/written by lockstep alone.*use the option --disable-triggers/s, 'the guard says how');
is($node->safe_psql('by_hand', 'SELECT count(*) FROM accounts'), '0', 'nothing is restored');
my @journals = ('accounts_journal', 'tenants_journal');
$node->command_ok([ @by_hand, (map { ('-c', "ALTER TABLE $_ DISABLE TRIGGER USER") } @journals), '-f', "$folder/by_hand",
	(map { ('-c', "ALTER TABLE public.$_ ENABLE TRIGGER USER") } @journals) ], 'so it is restored');
works('by_hand', 'by_hand', @both);

# What is registered stays, whatever the dump says; by register_ledger alone it becomes another.
my $floors = q{SELECT floor FROM lockstep.ledgers ORDER BY ledger::text};
new_database('other_floor');
$node->safe_psql('other_floor', q{SELECT lockstep.register_ledger('tenants', floor => -500); SELECT lockstep.drop_ledger('accounts')});
$node->command_ok([ psql_file('other_floor', "$folder/plain") ], 'restored where it is registered in another way');
is($node->safe_psql('other_floor', $floors), '-500', 'the registration is the one that was there, and none where there was none any more');
works('other_floor', 'another floor', 'tenants');

# Where nothing is registered the rows count that were restored; those of two dumps, as far as they agree.
$node->safe_psql('postgres', 'CREATE DATABASE twice');
$node->command_ok([ 'pg_dump', '-s', '-f', "$folder/schema", '-d', $node->connstr('source') ], 'the schema alone is dumped');
$node->command_ok([ psql_file('twice', "$folder/schema") ], 'and restored');
$node->command_ok([ psql_file('twice', "$folder/plain") ], 'the data after it');
my $registrations = "$folder/registrations";
$node->command_ok([ 'pg_dump', '--data-only', '-t', 'lockstep.registration', '-f', $registrations, '-d', $node->connstr('source') ], 'registrations are dumped');
$node->command_ok([ psql_file('twice', $registrations) ], 'and restored once more');
is($node->safe_psql('twice', $floors), "0\n-5", 'each ledger is there once');
$node->safe_psql('source', q{SELECT lockstep.register_ledger('tenants', floor => -7)});
$node->command_ok([ 'pg_dump', '--data-only', '-t', 'lockstep.registration', '-f', $registrations, '-d', $node->connstr('source') ], 'dumped when they have changed');
$node->command_ok([ psql_file('twice', $registrations) ], 'and restored');
my ($code, $out, $err) = $node->psql('twice', q{\set VERBOSITY verbose
	SELECT lockstep.transfer('tenants', '(1,a)', '(2,b)', 1)});
like($err, qr/LS005: table "tenants" has several registrations, which differ.*Call lockstep.register_ledger/s, 'the ledger of two minds is none');
is($node->safe_psql('twice', q{SELECT store IS NULL, store_reason FROM lockstep.ledgers WHERE ledger = 'tenants'::regclass}),
	't|table "tenants" has several registrations, which differ. They come from dumps of different times, or of different databases.', 'and the view says so');
$node->safe_psql('twice', q{SELECT lockstep.register_ledger('tenants', floor => -6)});
is($node->safe_psql('twice', $floors), "0\n-6", 'until somebody says which it is');
works('twice', 'twice', @both);

$node->stop;
done_testing();
