# What a group of CALL submit meets that was changed while its calls stood in the queue. The first call leads and stands still, held by a
# CHECK that waits for an advisory lock; others come to its row, and then somebody changes the ledger, the extension, rights or roles. He
# waits for the first one, and is done before the next one leads. Whatever he does, each call is answered rightly or with an error that
# says why, and booked once or not at all. There are as many places in the queue as calls: were one lost, the last one would not wait there.
# Then groups of ledgers of all kinds, each beside the same by `transfer`.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "shared_preload_libraries = 'lockstep'\nlockstep.submit_queue_size = 4\nautovacuum = off\nlog_min_error_statement = panic\n");
$node->start;
sub value_of { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
value_of(q{
	CREATE EXTENSION lockstep;
	-- Stands still while somebody has the lock 77; to the server it is a function like any other.
	CREATE FUNCTION stands(account anyelement) RETURNS boolean IMMUTABLE LANGUAGE plpgsql AS
	  $$BEGIN PERFORM pg_advisory_xact_lock_shared(77); RETURN true; END$$;
	CREATE ROLE web LOGIN;
	CREATE ROLE chief SUPERUSER;
	GRANT USAGE ON SCHEMA lockstep TO web;
});

my $keeper = Session->new($node, 'keeper');
my $changer = Session->new($node, 'changer');
my @crew = map { my $s = Session->new($node, "crew$_"); $s->run('\\set VERBOSITY sqlstate'); $s } 0 .. 3;

sub waits_in
{
	my ($type, $name) = @_;
	$node->poll_query_until('postgres', "SELECT wait_event_type = '$type' FROM pg_stat_activity WHERE application_name = '$name'") or die "$name does not wait";
	return;
}

# The first of these calls stands still, the others come; then the change, and all go on. What each says: status, state, amount, balances and
# the size of its group, or the state of its error.
sub together
{
	my ($calls, $change) = @_;
	$keeper->run('SELECT pg_advisory_lock(77)');
	for my $n (0 .. $#$calls)
	{
		$crew[$n]->start($calls->[$n]);
		waits_in($n == 0 ? 'Lock' : 'Extension', "crew$n");
	}
	if ($change)
	{
		my $before = $changer->run('SELECT clock_timestamp()');
		$changer->start($change);
		# It waits for the first one, or is over.
		$node->poll_query_until('postgres', "SELECT wait_event_type = 'Lock' OR (state = 'idle' AND query_start > '$before') FROM pg_stat_activity WHERE application_name = 'changer'")
		  or die 'the change does not come so far';
	}
	$keeper->run('SELECT pg_advisory_unlock_all()');
	my @said = map { $crew[$_]->finish } 0 .. $#$calls;
	is($changer->finish, '', '... done') if $change;
	return map { /^(\w+)\|(\w*)\|([^|]*)\|([^|]*)\|([^|]*)\|[^|]*\|(\d+)$/ ? "$1 $2 $3 $4 $5 of $6" =~ s/ +/ /gr : /^ERROR:  (\w{5})$/ ? $1 : $_ } @said;
}

# --- changes ---

# Four calls take 1 from row 1, which has 100, and give it to row 2. The first one says 'applied 1 99 1 of 1'; the others, after the change:
my @group = ('applied 1 98 2 of 3', 'applied 1 97 3 of 3', 'applied 1 96 4 of 3');
my @decimal = ('applied 1.00 98.00 2.00 of 1', 'applied 1.00 97.00 3.00 of 1', 'applied 1.00 96.00 4.00 of 1');
my @alone = map { s/3$/1/r } @group;
# What is changed, how, what the others say, how it is changed back, and the role that asks.
my @changes = (
	[ 'nothing', undef, \@group ],
	[ 'the name of the table', 'ALTER TABLE accounts RENAME TO renamed', \@group, 'ALTER TABLE renamed RENAME TO accounts' ],
	[ 'both names', 'BEGIN; ALTER TABLE accounts RENAME TO a; ALTER TABLE accounts_journal RENAME TO j; COMMIT', \@group, 'ALTER TABLE a RENAME TO accounts; ALTER TABLE j RENAME TO accounts_journal' ],
	[ 'the schema, to one that is shut', 'BEGIN; CREATE SCHEMA shut; ALTER TABLE accounts SET SCHEMA shut; COMMIT', [ ('42501') x 3 ], 'ALTER TABLE shut.accounts SET SCHEMA public; DROP SCHEMA shut' ],
	[ 'the name of the key', 'ALTER TABLE accounts RENAME id TO key', \@group, 'ALTER TABLE accounts RENAME key TO id' ],
	[ 'the name of the amount', 'ALTER TABLE accounts RENAME balance TO b', \@group, 'ALTER TABLE accounts RENAME b TO balance' ],
	[ 'the type of the key', 'ALTER TABLE accounts ALTER id TYPE text', [ ('LS005') x 3 ], 'ALTER TABLE accounts ALTER id TYPE bigint USING id::bigint' ],
	[ 'the type of the key, and back', 'BEGIN; ALTER TABLE accounts ALTER id TYPE text; ALTER TABLE accounts ALTER id TYPE bigint USING id::bigint; COMMIT', \@group ],
	[ 'the type of the amount', 'ALTER TABLE accounts ALTER balance TYPE numeric(12, 2)', \@decimal ],
	[ 'the table for another one', 'BEGIN; DROP TABLE accounts; CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint); INSERT INTO accounts VALUES (1, 99), (2, 1); COMMIT', [ ('LS005') x 3 ] ],
	[ 'the extension: gone', 'DROP EXTENSION lockstep CASCADE', [ ('42P01') x 3 ], 'CREATE EXTENSION lockstep' ],
	[ 'the extension: gone, and come again', 'BEGIN; DROP EXTENSION lockstep CASCADE; CREATE EXTENSION lockstep; COMMIT', [ ('LS005') x 3 ] ],
	[ 'the registration', q{DO $$BEGIN PERFORM lockstep.drop_ledger('accounts'); END$$}, [ ('LS005') x 3 ] ],
	[ 'the floor', q{DO $$BEGIN PERFORM lockstep.drop_ledger('accounts'); PERFORM lockstep.register_ledger('accounts', floor => 98, journal => 'accounts_journal'); END$$}, [ 'applied 1 98 2 of 3', ('LS001') x 2 ] ],
	[ 'the rights', 'REVOKE UPDATE ON accounts FROM web', [ ('42501') x 3 ] ],
	[ 'the right to log in', 'ALTER ROLE web NOLOGIN', \@group, 'ALTER ROLE web LOGIN' ],
	[ 'the settings of the role', 'ALTER ROLE web SET search_path = nowhere', \@group, 'ALTER ROLE web RESET search_path' ],
	[ 'the role: gone', 'DROP ROLE chief', [ ('42501') x 3 ], 'CREATE ROLE chief SUPERUSER', 'chief' ],
	[ 'the rights of a superuser', 'ALTER ROLE chief NOSUPERUSER', [ ('42501') x 3 ], 'ALTER ROLE chief SUPERUSER', 'chief' ],
	[ 'a trigger', 'BEGIN; CREATE FUNCTION passes() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN NEW; END$$; CREATE TRIGGER passes BEFORE UPDATE ON accounts FOR EACH ROW EXECUTE FUNCTION passes(); COMMIT',
		\@alone, 'DROP FUNCTION passes CASCADE' ],
	[ 'row security', 'ALTER TABLE accounts ENABLE ROW LEVEL SECURITY', [ ('LS003') x 3 ] ],
);
$changer->run('SET client_min_messages = warning');
for (@changes)
{
	my ($name, $change, $expected, $back, $role) = @$_;
	value_of(q{
		CREATE TABLE accounts (id bigint PRIMARY KEY, balance bigint NOT NULL, CHECK (stands(id)));
		INSERT INTO accounts VALUES (1, 100), (2, 0);
		GRANT SELECT, UPDATE ON accounts TO web;
		SELECT lockstep.register_ledger('accounts');
	});
	$_->run('SET ROLE ' . ($role || 'web')) for @crew;
	my @said = together([ map { "CALL lockstep.submit('accounts', 1, 2, 1, lockstep.request_id('$_'))" } 0 .. 3 ], $change);
	$_->run('RESET ROLE') for @crew;
	# Each by himself, they come as they come.
	my ($first, @others) = @said;
	@others = sort { $b cmp $a } @others if $expected->[0] =~ / of 1$/;
	is(join(' / ', $first, @others), join(' / ', 'applied 1 99 1 of 1', @$expected), "changed: $name");
	value_of($back) if $back;
	my @booked = grep { $said[$_] =~ /^applied/ } 0 .. 3;
	is(value_of('SELECT balance FROM accounts WHERE id = 1'), 100 - @booked . ($expected == \@decimal ? '.00' : ''), '... what was answered is done');
	is(value_of(q{SELECT string_agg(coalesce(n::text, '?'), ' ' ORDER BY n) FROM accounts_journal LEFT JOIN generate_series(0, 3) AS n ON lockstep.request_id(n::text) = request_id}), "@booked", '... and booked once')
	  unless $name eq 'the table for another one';
	is(value_of('SELECT count(*) FROM lockstep.lock_graph'), 0, '... and nobody waits');
	value_of('DROP TABLE accounts; DROP TABLE IF EXISTS accounts_journal');
}
is(value_of('SELECT coalesce(sum(alone_queue_full), 0) FROM lockstep.submit_stats'), 0, 'each call had its place');

# --- kinds of ledgers ---

value_of(q{
	CREATE TYPE shelf AS ENUM ('low', 'middle', 'high', 'top');
	CREATE DOMAIN code AS text CHECK (value ~ '^[a-z]+$');
	CREATE COLLATION one_case (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
});
my @long = map { "'" . $_ x 124 . "'" } qw(a b c d);
# What a table has, how its ledger is registered, four keys with the rest of each row, and calls: from, to, amount, options. All have the
# last key, so each waits for the one before; the first one is alone, as everywhere.
my @kinds = (
	{ name => 'an enum', columns => 'id shelf PRIMARY KEY, balance bigint', rows => [ map { "'$_'" } qw(low middle high top) ] },
	{ name => 'a uuid', columns => 'id uuid PRIMARY KEY, balance int', rows => [ map { "'$_" . '0000000-0000-4000-8000-000000000000' . "'" } 4, 3, 2, 1 ], cast => '::uuid' },
	{ name => 'a smallint, and small amounts', columns => 'id smallint PRIMARY KEY, balance smallint', rows => [ 1 .. 4 ] },
	{ name => 'a numeric', columns => 'id numeric PRIMARY KEY, balance numeric', rows => [ '1', '1e30', '0.5', '-7' ],
		calls => [ [ 0, 3, 1 ], [ 0, 3, '0.1' ], [ '1.000', 3, 2 ], [ '1000000000000000000000000000000.0', 3, '1e-17' ] ] },
	{ name => 'a timestamptz', columns => 'id timestamptz PRIMARY KEY, balance bigint', rows => [ map { "'200$_-01-01 00:00+00'" } 1 .. 4 ], cast => '::timestamptz' },
	{ name => 'a name', columns => 'id name PRIMARY KEY, balance bigint', rows => [ map { "'$_'" } qw(d c b a) ], cast => '::name' },
	{ name => 'a domain', columns => 'id code PRIMARY KEY, balance bigint', rows => [ map { "'$_'" } qw(d c b a) ], cast => '::code' },
	{ name => 'a char(n)', columns => 'id char(8) PRIMARY KEY, balance bigint', rows => [ map { "'$_'" } qw(d c b a) ], cast => '::bpchar',
		calls => [ [ 0, 3, 1 ], [ q{'d   '}, 3, 1 ], [ 0, 3, 1 ], [ 1, 3, 1 ] ] },
	{ name => 'a text whose case does not matter', columns => 'id text COLLATE one_case PRIMARY KEY, balance bigint', rows => [ map { "'$_'" } qw(Ann Bob Cid Dan) ],
		calls => [ [ 0, 3, 1 ], [ q{'ANN'}, 3, 60 ], [ q{'ann'}, 3, 60, q{on_refusal => 'return'} ], [ 0, 3, 30 ] ] },
	{ name => 'a text that just fits', columns => 'id text PRIMARY KEY, balance bigint', rows => \@long },
	{ name => 'a text of two kinds of bytes', columns => 'id text PRIMARY KEY, balance bigint', rows => [ map { "'" . $_ x 62 . "'" } "\xc3\xa4", "\xc3\xb6", "\xc3\xbc", "\xc3\x9f" ] },
	{ name => 'two columns', columns => 'a int, b text, balance numeric(12, 2), PRIMARY KEY (b, a)', register => q{key_columns => ARRAY['b', 'a']},
		rows => [ "1, 'x'", "2, 'x'", "1, 'y'", "2, 'y'" ], keys => [ q{'(x,1)'}, q{'(x,2)'}, q{'(y,1)'}, q{'(y,2)'} ], cast => '::text' },
	{ name => 'two columns, as rows', columns => 'a int, b text, balance numeric(12, 2), PRIMARY KEY (a, b)', register => q{key_columns => ARRAY['a', 'b']},
		rows => [ "1, 'x'", "2, 'x'", "1, 'y'", "2, 'y'" ], keys => [ q{ROW(1, 'x')}, q{ROW(2, 'x')}, q{ROW(1, 'y')}, q{ROW(2, 'y')} ] },
	{ name => 'amounts of hundreds', columns => 'id int PRIMARY KEY, balance numeric(10, -2)', rows => [ 1 .. 4 ], start => 1000, calls => [ [ 0, 3, 100 ], [ 0, 3, 500 ], [ 1, 3, 2000 ], [ 3, 0, 300 ] ] },
	{ name => 'amounts with many decimals', columns => 'id int PRIMARY KEY, balance numeric(30, 17)', rows => [ 1 .. 4 ], calls => [ [ 0, 3, 1 ], [ 0, 3, '0.00000000000000001' ], [ 0, 3, '1.50' ], [ 3, 1, '1e1' ] ] },
	{ name => 'columns that must match', columns => 'id int PRIMARY KEY, currency text, tenant int, balance bigint', register => q{match_columns => ARRAY['currency', 'tenant']},
		rows => [ q{1, 'EUR', 1}, q{2, 'USD', 1}, q{3, 'EUR', NULL}, q{4, 'EUR', 1} ], keys => [ 1 .. 4 ], calls => [ [ 0, 3, 1 ], [ 1, 3, 1 ], [ 0, 3, 2 ], [ 2, 3, 1, q{on_refusal => 'return'} ] ] },
	{ name => 'rows that are frozen', columns => 'id int PRIMARY KEY, is_frozen boolean, balance bigint', register => q{frozen_column => 'is_frozen'},
		rows => [ '1, false', '2, true', '3, NULL', '4, false' ], keys => [ 1 .. 4 ], calls => [ [ 0, 3, 1 ], [ 1, 3, 1 ], [ 3, 1, 1, q{on_refusal => 'return'} ], [ 2, 3, 1 ] ] },
	{ name => 'bounds in columns, versions and a history', columns => 'id int PRIMARY KEY, low bigint, high bigint, version bigint DEFAULT 7, balance bigint',
		register => q{floor_column => 'low', ceiling_column => 'high', version_column => 'version', history => true},
		rows => [ '1, -50, NULL, 7', '2, 95, NULL, 7', '3, NULL, NULL, 7', '4, 0, 150, 7' ], keys => [ 1 .. 4 ], calls => [ [ 0, 3, 1 ], [ 1, 3, 6 ], [ 0, 3, 200, 'at_most => true' ], [ 3, 2, 150 ] ] },
);
for my $kind (@kinds)
{
	my $start = $kind->{start} || 100;
	my @keys = map { "$_" . ($kind->{cast} || '') } @{ $kind->{keys} || $kind->{rows} };
	my $register = $kind->{register} ? ", $kind->{register}" : '';
	for my $table (qw(these those))
	{
		# What follows the key's columns, in the order of the table.
		my $first = $kind->{columns} =~ s/,? ?\bbalance .*//r;
		my $columns = join ', ', map { /^ *(\w+) / } split /,/, $first;
		value_of("CREATE TABLE $table ($kind->{columns} NOT NULL, CHECK (stands(77)));" =~ s/balance ([^(,]*(?:\([^)]*\))?)(.*) NOT NULL,/balance $1 NOT NULL$2,/r
			  . join(';', map { "INSERT INTO $table ($columns, balance) VALUES ($_, $start)" } @{ $kind->{rows} })
			  . "; SELECT lockstep.register_ledger('$table'$register)");
	}
	my @calls = @{ $kind->{calls} || [ [ 0, 3, 1 ], [ 1, 3, 2 ], [ 3, 0, 500 ], [ 3, 2, 105, 'at_most => true' ] ] };
	my @arguments = map {
		my ($from, $to, $amount, $options) = @$_;
		($from, $to) = map { !/^\d$/ ? $_ . ($kind->{cast} || '') : $keys[$_] } $from, $to;
		"$from, $to, $amount" . ($options ? ", $options" : '')
	} @calls;
	my @said = together([ map { "CALL lockstep.submit('these', $_)" } @arguments ]);
	is(scalar(grep { /^\w{5}$| of 3$/ } @said[ 1 .. 3 ]), 3, "a group of a ledger by $kind->{name}")
	  or diag(explain(\@said), value_of(q{SELECT to_jsonb(s) FROM lockstep.submit_stats AS s WHERE ledger::text = 'these'}));
	my @twin = map { $crew[0]->run("SELECT status, sqlstate, amount, from_balance, to_balance, 0, 1 FROM lockstep.transfer('those', $_)") } @arguments;
	@twin = map { /^(\w+)\|(\w*)\|([^|]*)\|([^|]*)\|([^|]*)\|/ ? "$1 $2 $3 $4 $5" =~ s/ +/ /gr : /^ERROR:  (\w{5})$/ ? $1 : $_ } @twin;
	is(join(' / ', map { s/ of \d$//r } @said), join(' / ', @twin), '... answers what transfer does');
	my $rows = 'SELECT string_agg(t::text, E\'\n\' ORDER BY t::text) FROM %s AS t';
	is(value_of(sprintf $rows, 'these'), value_of(sprintf $rows, 'those'), '... leaves the same rows');
	my $journal = q{SELECT string_agg((to_jsonb(j) - 'request_id' - 'booked_at')::text, E'\n' ORDER BY entry) FROM %s_journal AS j};
	is(value_of(sprintf $journal, 'these'), value_of(sprintf $journal, 'those'), '... and the same journal');
	is(value_of(q{SELECT count(*) FROM lockstep.verify_ledger('these')}), 0, '... which agree');
	value_of("DROP TABLE these, those, these_journal, those_journal; DROP TYPE IF EXISTS these_key, those_key");
}

$_->close for $keeper, $changer, @crew;
$node->stop;
done_testing();
