# docs/drivers.md: what the user of each driver types first, run as it stands there; the loop of a client over a conflict
# and over a commit in doubt; what goes wrong first, and with which state. A driver that is not there is a printed skip.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;
use IPC::Run;
use Accounts;

(my $here = __FILE__) =~ s{[^/]*$}{.};
my $examples = ($ENV{LOCKSTEP_EXAMPLES} // "$here/../../examples") . '/drivers';
my $user = getpwuid($<);
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
# JDBC knows no sockets of the file system.
$node->append_conf('postgresql.conf', "listen_addresses = '127.0.0.1'\nautovacuum = off\n");
$node->append_conf('pg_hba.conf', "host all all 127.0.0.1/32 trust\n");
$node->start;
my %server = (PGHOST => '127.0.0.1', PGPORT => $node->port, PGUSER => $user, PGDATABASE => 'postgres');

sub sql { my ($text) = @_; return $node->safe_psql('postgres', $text); }
sql('CREATE EXTENSION lockstep');

sub start
{
	my ($out, $err, @command) = @_;
	local %ENV = (%ENV, %server);
	return IPC::Run::start(\@command, '<', \undef, '>', $out, '2>', $err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
}

# run(COMMAND...): whether it ended well, what it printed, what it complained of.
sub run
{
	my ($out, $err) = ('', '');
	my $ok = eval { start(\$out, \$err, @_)->finish } // 0;
	return ($ok, $out, $err || $@);
}

# Which programs there are, and why the others are not.
my ($python) = grep { (run($_, '-c', 'pass'))[0] } '/usr/bin/python3', 'python3';
# Another perl or php may stand before that of the system, which alone has the packages of the system.
my ($perl) = grep { (run($_, '-MDBD::Pg', '-e', '1'))[0] } '/usr/bin/perl', 'perl';
my ($php) = grep { (run($_, '-r', 'exit(extension_loaded("pdo_pgsql") ? 0 : 1);'))[0] } '/usr/bin/php', 'php';
my ($ruby) = grep { (run($_, '-rpg', '-e', '1'))[0] } '/usr/bin/ruby', 'ruby';
my ($pgjdbc) = grep { -f } '/usr/share/java/postgresql.jar';
my ($ecj) = grep { -f } '/usr/share/java/ecj.jar';
my $made = PostgreSQL::Test::Utils::tempdir();
my $go_path = '/usr/share/gocode';

# compile(COMMAND...): why it was not, or nothing.
sub compile { my ($ok, $out, $err) = run(@_); return $ok ? '' : "it was not compiled: $out$err"; }

sub python_missing
{
	for my $module (@_)
	{
		return "python has no module $module" unless defined $python && (run($python, '-c', "import $module"))[0];
	}
	return '';
}

my $no_node = $ENV{LOCKSTEP_NO_PG} // 'LOCKSTEP_NO_PG is not set (scripts/tap sets it)';
# As an import in the program's own folder finds it.
sub node_missing
{
	my ($package) = @_;
	return $no_node if $no_node && $package eq 'pg';
	my ($ok) = run('node', '--input-type=module', '-e',
		"import { createRequire } from 'node:module'; createRequire('$examples/x.mjs').resolve('$package')");
	return $ok ? '' : "node has no package $package" . ($no_node ? " ($no_node)" : '');
}

sub java_missing
{
	return 'pgjdbc is missing (libpostgresql-jdbc-java)' unless $pgjdbc;
	return 'java is missing' unless (run('java', '-version'))[0];
	my @compiler = $ecj ? ('java', '-cp', $ecj, 'org.eclipse.jdt.internal.compiler.batch.Main', '-11', '-proc:none')
		: (run('javac', '-version'))[0] ? ('javac') : ();
	return 'there is no compiler of Java (libecj-java)' unless @compiler;
	return compile(@compiler, '-cp', $pgjdbc, '-d', $made, "$examples/TransferJdbc.java");
}

sub go_missing
{
	return 'go is missing' unless (run('go', 'version'))[0];
	return 'lib/pq is missing (golang-github-lib-pq-dev)' unless -d "$go_path/src/github.com/lib/pq";
	local @ENV{qw(GOPATH GO111MODULE GOCACHE GOFLAGS)} = ($go_path, 'off', "$made/go", '');
	return compile('go', 'build', '-o', "$made/transfer_pq", "$examples/transfer_pq.go");
}

my @drivers = (
	[ 'psycopg 3', python_missing('psycopg'), $python, "$examples/transfer_psycopg3.py" ],
	[ 'psycopg 2', python_missing('psycopg2'), $python, "$examples/transfer_psycopg2.py" ],
	[ 'asyncpg', python_missing('asyncpg'), $python, "$examples/transfer_asyncpg.py" ],
	[ 'SQLAlchemy', python_missing('sqlalchemy', 'psycopg2'), $python, "$examples/transfer_sqlalchemy.py" ],
	[ 'Django', python_missing('django', 'psycopg2'), $python, "$examples/transfer_django.py" ],
	[ 'node-postgres', node_missing('pg'), 'node', "$examples/transfer_pg.mjs" ],
	[ 'postgres.js', node_missing('postgres'), 'node', "$examples/transfer_postgres.mjs" ],
	[ 'knex', node_missing('knex'), 'node', "$examples/transfer_knex.mjs" ],
	[ 'kysely', node_missing('kysely'), 'node', "$examples/transfer_kysely.mjs" ],
	[ 'typeorm', node_missing('typeorm'), 'node', "$examples/transfer_typeorm.mjs" ],
	[ 'drizzle', node_missing('drizzle-orm'), 'node', "$examples/transfer_drizzle.mjs" ],
	[ 'JDBC', java_missing(), 'java', '-cp', join(':', grep { defined } $made, $pgjdbc), 'TransferJdbc',
		"jdbc:postgresql://$server{PGHOST}:$server{PGPORT}/$server{PGDATABASE}?user=$user" ],
	[ 'DBD::Pg', $perl ? '' : 'perl has no module DBD::Pg', $perl, "$examples/transfer_dbd_pg.pl" ],
	[ 'ruby-pg', $ruby ? '' : 'ruby has no gem pg', $ruby, "$examples/transfer_ruby_pg.rb" ],
	[ 'PDO', $php ? '' : 'php has no pdo_pgsql', $php, "$examples/transfer_pdo.php" ],
	[ 'lib/pq', go_missing(), "$made/transfer_pq" ]);

my $expected = <<'END';
applied 70.00 80.00
LS001 The balance is 70.00, the floor is 0, and 500.00 was to be taken.
applied applied
1 replayed
END
for my $driver (@drivers)
{
	my ($name, $missing, @command) = @$driver;
	SKIP:
	{
		skip("$name: $missing", 1) if $missing;
		Accounts::renew($node);
		my ($ok, $out, $err) = run(@command);
		ok($ok, "$name: it ends well") or diag($err);
		is($out, $expected, "$name: what it prints");
		is(sql('SELECT string_agg(balance::text, $$ $$ ORDER BY id) FROM accounts'), '70.00 80.00', "$name: the table");
		is(sql('SELECT count(*) FROM accounts_journal'), '3', "$name: each once");
		is(sql(q{SELECT count(memo) FROM accounts_journal WHERE memo = '{"for": "rent"}'}), '1', "$name: the memo is an object");
		is(sql(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', "$name: it verifies");
	}
}

# The first thing that goes wrong.
my %traps = (
	psycopg => <<'END',
a float: 42883
a float with a cast: applied
params of ints: [{'n': 42}]
params of strings: [{'n': 42}]
params of several types: DataError
autocommit off: 25001
END
	psycopg2 => <<'END',
autocommit off, the default: 25001
autocommit on: [{'n': 42}]
ids as strings: 42883
ids as strings with a cast: applied,applied
END
	asyncpg => <<'END',
keys without a cast: 22000
keys with a cast: applied
params of ints: 22000
params of ints with a cast: 1
in transaction(): 25001
END
	sqlalchemy => <<'END',
the default: 25001
AUTOCOMMIT: [{'n': 42}]
a cast with colons: 42601
END
	django => <<'END');
atomic(): 25001
without: [{'n': 42}]
END
for my $module (qw(psycopg psycopg2 asyncpg sqlalchemy django))
{
	SKIP:
	{
		my $missing = python_missing($module, $module =~ /sqlalchemy|django/ ? 'psycopg2' : ());
		skip("traps of $module: $missing", 1) if $missing;
		Accounts::renew($node);
		my ($ok, $out, $err) = run($python, "$here/drivers/traps.py", $module);
		is($out, $traps{$module}, "$module: what goes wrong first") or diag($err);
	}
}
for my $package (qw(knex kysely postgres))
{
	SKIP:
	{
		my $missing = node_missing($package);
		skip("traps of $package: $missing", 1) if $missing;
		my ($ok, $out, $err) = run('node', "$here/drivers/traps.mjs", $package);
		is($out, "in a transaction: 25001\noutside: 42\n", "$package: CALL retry") or diag($err);
	}
}
my $call = q{CALL lockstep.retry('SELECT 1')};
my @in_transaction = (
	[ 'DBD::Pg', $perl, '-MDBI', '-e', qq{my \$db = DBI->connect('dbi:Pg:', undef, undef, { AutoCommit => 0, PrintError => 0 });
		\$db->do(q{$call}); print \$db->state} ],
	[ 'ruby-pg', $ruby, '-rpg', '-e', qq{begin; PG.connect.transaction { |session| session.exec(%q{$call}) }
		rescue PG::Error => error; print error.result.error_field(PG::Result::PG_DIAG_SQLSTATE); end} ],
	[ 'PDO', $php, '-r', qq{\$db = new PDO('pgsql:'); \$db->beginTransaction();
		try { \$db->query("$call"); } catch (PDOException \$error) { echo \$error->errorInfo[0]; }} ]);
for my $driver (@in_transaction)
{
	my ($name, @command) = @$driver;
	SKIP:
	{
		skip("$name is missing", 1) unless defined $command[0];
		my ($ok, $out, $err) = run(@command);
		is($out, '25001', "$name: CALL retry in a transaction of the driver") or diag($err);
	}
}
my (undef, undef, $said) = run('psql', '-X', '-q', '-c', "BEGIN; CALL lockstep.retry('SELECT 1')");
like($said, qr/^HINT: .*docs\/drivers\.md/m, 'a transaction that is open: the hint leads to the page');
(undef, undef, $said) = run('psql', '-X', '-q', '-v', 'VERBOSITY=verbose', '-c', q{SET default_transaction_read_only = on},
	'-c', q{SELECT lockstep.transfer('accounts', 1, 2, 1)});
like($said, qr/ERROR:  25006: /, 'a call that was sent to a replica: the state');
like($said, qr/^HINT: .*primary.*docs\/drivers\.md/m, 'a call that was sent to a replica: the hint');

# The loop of a client.
SKIP:
{
	skip("the loop: $drivers[0][1]", 1) if $drivers[0][1];
	my @loop = ($python, "$examples/loop_psycopg3.py");
	Accounts::renew($node);
	sql(q{
		CREATE SEQUENCE tries;
		CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('tries') <= 2 THEN
				RAISE EXCEPTION 'told to fail' USING ERRCODE = CASE currval('tries') WHEN 1 THEN '40001' ELSE '40P01' END;
			END IF;
			RETURN NEW;
		END $$;
		CREATE TRIGGER fail_first BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION fail_first()});
	my ($ok, $out, $err) = run(@loop, '0de1dabc-4e95-4ab3-9f42-6e1b76b1ddf0');
	is($out, "applied 70.00 80.00\n", 'the loop goes over conflicts');
	is($err, "again after 40001\nagain after 40P01\n", 'the loop says so');
	sql('DROP TRIGGER fail_first ON accounts');

	# Committed here, but nobody tells: the commit waits for a standby that there is not, until its session is ended.
	Accounts::renew($node);
	$node->append_conf('postgresql.conf', q{synchronous_standby_names = 'nobody'});
	$node->reload;
	Session::wait_reloaded($node, 'synchronous_standby_names', 'nobody');
	($out, $err) = ('', '');
	my $program = start(\$out, \$err, @loop, '1de1dabc-4e95-4ab3-9f42-6e1b76b1ddf0');
	ok($node->poll_query_until('postgres', q{SELECT count(*) = 1 FROM pg_stat_activity WHERE wait_event = 'SyncRep'}), 'a commit waits');
	sql(q{SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'});
	ok($program->finish, 'a commit in doubt: the loop ends well') or diag($err);
	is($out, "replayed 70.00 80.00\n", 'a commit in doubt: it had happened');
	is($err, "again after a lost connection\n", 'a commit in doubt: the loop says so');
	$node->append_conf('postgresql.conf', q{synchronous_standby_names = ''});
	$node->reload;
	is(sql('SELECT count(*) FROM accounts_journal'), '1', 'a commit in doubt: once');
}

# What PostgREST calls, by the statement that it makes of a request.
{
	Accounts::renew($node);
	sql('CREATE ROLE web');
	my ($ok, undef, $err) = run('psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-f', "$examples/postgrest.sql");
	ok($ok, 'PostgREST: the wrapper is made') or diag($err);
	my $request = sub {
		my ($amount) = @_;
		my $body = qq({"from_account": 1, "to_account": 2, "amount": $amount, "request_id": "2de1dabc-4e95-4ab3-9f42-6e1b76b1ddf0"});
		return run('psql', '-X', '-q', '-A', '-t', '-v', 'VERBOSITY=verbose', '-c', "BEGIN; SET LOCAL ROLE web; SET LOCAL search_path = api;
			SELECT pay.* FROM json_to_record('$body') AS body(from_account bigint, to_account bigint, amount numeric, request_id uuid),
				LATERAL api.pay(from_account => body.from_account, to_account => body.to_account, amount => body.amount, request_id => body.request_id) AS pay;
			COMMIT");
	};
	is(($request->(30))[1], "applied|70.00|80.00\n", 'PostgREST: applied, with the rights of the caller alone');
	is(($request->(30))[1], "replayed|70.00|80.00\n", 'PostgREST: sent again');
	like(($request->(31))[2], qr/ERROR:  LS010: /, 'PostgREST: the state comes through');
	sql('REVOKE UPDATE ON accounts FROM web; REVOKE UPDATE (balance) ON accounts FROM web');
	like(($request->(30))[2], qr/ERROR:  42501: /, 'PostgREST: nobody lends rights');
}

$node->stop;
done_testing();
