# CALL lockstep.retry from other languages: psql, psycopg, asyncpg and node-postgres, each with its own way to speak to
# the server. The examples run, and run twice; real conflicts end well; whatever must be refused is refused and does
# nothing; a session can be stopped at any time and leaves nothing. Then through a pooler, and ten thousand times.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;
use JSON::PP ();
use Accounts;
use Driver;
use Pooler;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "max_connections = 30\nautovacuum = off\n");
$node->start;
my $user = getpwuid($<);
(my $here = __FILE__) =~ s{[^/]*$}{.};
my $drivers = "$here/drivers";
my $folder = $ENV{LOCKSTEP_EXAMPLES} // "$here/../../examples";
my ($socket, $port) = ($node->host, $node->port);

sub sql { my ($text) = @_; return $node->safe_psql('postgres', $text); }
sub poll { my ($text, $what) = @_; $node->poll_query_until('postgres', $text) or die $what; return; }

sql(q{
	CREATE EXTENSION lockstep;
	CREATE SEQUENCE tries;
	-- Fails in the first attempts. A sequence counts what is rolled back, too.
	CREATE FUNCTION fail_first(times int DEFAULT 1, state text DEFAULT '40001', told text DEFAULT '') RETURNS int LANGUAGE plpgsql AS $$
	BEGIN
		IF nextval('tries') <= times THEN
			RAISE EXCEPTION 'told to fail' USING ERRCODE = state, DETAIL = told;
		END IF;
		RETURN 1;
	END $$;
	CREATE TABLE done (who text NOT NULL);
	CREATE TABLE duty (who text PRIMARY KEY, on_call boolean NOT NULL);
});
sub done { return sql(q{SELECT coalesce(string_agg(who, ',' ORDER BY who), '') FROM done}); }
sub forget { sql('TRUNCATE done; ALTER SEQUENCE tries RESTART'); return; }

# The programs that there are, and why the others are not.
sub runs { my @command = @_; my $said = ''; return eval { IPC::Run::run(\@command, '<', \undef, '>&', \$said) } ? 1 : 0; }
# Another python may stand before that of the system, which alone has the packages of the system.
my ($python) = grep { runs($_, '-c', 'pass') } '/usr/bin/python3', 'python3';
my %missing = (psql => '');
for my $module (qw(psycopg asyncpg))
{
	$missing{$module} = defined $python && runs($python, '-c', "import $module") ? '' : "python has no module $module";
}
$missing{pg} = $ENV{LOCKSTEP_NO_PG} // 'LOCKSTEP_NO_PG is not set (scripts/tap sets it)';
my %example = (
	psql => [ 'psql', '-X', '-q', '-A', '-t', '-f', "$folder/transfer.sql" ],
	psycopg => [ $python // '', "$folder/transfer_psycopg.py" ],
	asyncpg => [ $python // '', "$folder/transfer_asyncpg.py" ],
	pg => [ 'node', "$folder/transfer_pg.mjs" ]);
my $plain = "host=$socket port=$port user=$user dbname=postgres";
my %program = (
	psycopg => [ $python // '', "$drivers/drive_psycopg.py", $plain ],
	asyncpg => [ $python // '', "$drivers/drive_asyncpg.py", $socket, $port, $user ],
	pg => [ 'node', '--no-deprecation', "$drivers/drive_pg.mjs", $socket, $port, $user ]);

# psql, with the answers of the others. From 16 on it speaks the extended protocol, too.
package Psql
{
	my $binds = `psql --version` =~ /\) (\d+)/ && $1 >= 16;
	sub new
	{
		my ($class, $node) = @_;
		my $self = bless { session => Session->new($node, 'psql') }, $class;
		$self->{session}->run('\set VERBOSITY verbose');
		$self->{session}->run('\set QUIET on');
		$self->{pid} = $self->{session}->run('SELECT pg_backend_pid()');
		return $self;
	}
	sub quoted { my ($text) = @_; return 'NULL' unless defined $text; $text =~ s/'/''/g; return "'$text'"; }
	sub send
	{
		my ($self, $command) = @_;
		return $self->{session}->start($command->{sql}) if exists $command->{sql};
		my $options = $command->{options} // '';
		# A backslash command is one line.
		(my $statement = $command->{call}) =~ s/\n/ /g;
		my $array = $command->{params} ? '{' . join(',', map { qq("$_") } @{ $command->{params} }) . '}' : undef;
		my $call = $binds && defined $array ? "CALL lockstep.retry(\$1, params => \$2$options) \\bind " . quoted($statement) . ' ' . quoted($array) . ' \g'
			: 'CALL lockstep.retry(' . quoted($statement) . ', params => ' . quoted($array) . "$options);";
		return $self->{session}->start($call);
	}
	sub answer
	{
		my ($self) = @_;
		my $said = $self->{session}->finish;
		my ($hint) = $said =~ /^HINT:  (.*)/m;
		return { sqlstate => $1, message => $2, hint => $hint } if $said =~ /ERROR:  (\w{5}): (.*)/;
		my @fields = split(/\|/, $said, 3);
		return { rows => [ map { [ split(/\|/, $_) ] } split(/\n/, $said) ] } unless $said =~ /^\d+\|/;
		return { attempts => $fields[0], last_error => $fields[1] eq '' ? undef : $fields[1],
			result => $fields[2] eq '' ? undef : JSON::PP->new->decode($fields[2]) };
	}
	sub ask { my ($self, $command) = @_; $self->send($command); return $self->answer; }
	sub close { my ($self) = @_; return $self->{session}->close; }
	sub kill { my ($self) = @_; eval { $self->{session}{psql}->kill_kill(grace => 0.01) }; return; }
}

sub open_driver
{
	my ($name) = @_;
	return $name eq 'psql' ? Psql->new($node) : Driver->new(@{ $program{$name} });
}

# The examples.
sub run_example
{
	my ($name, $status, $what) = @_;
	local %ENV = (%ENV, PGHOST => $socket, PGPORT => $port, PGUSER => $user, PGDATABASE => 'postgres');
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run($example{$name}, '<', \undef, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	ok($ok, "$what: it ends well") or diag($err);
	my $expected = $name eq 'psql' ? qq(1||[{"status":"$status","from_balance":"70.00","to_balance":"80.00"}]\n)
		: "attempts: 1\nresult: $status 70.00 80.00\n";
	is($out, $expected, "$what: what it prints");
	is(sql('SELECT string_agg(balance::text, $$ $$ ORDER BY id) FROM accounts'), '70.00 80.00', "$what: the table");
	is(sql('SELECT count(*) FROM accounts_journal'), '1', "$what: exactly once");
	is(sql(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', "$what: it verifies");
	return;
}

# Two sessions, each fit for duty as long as the other is: write skew. Both first attempts have read before any writes,
# because a third session lets them go on together.
sub play_skew
{
	my ($what, $one, $other) = @_;
	sql(q{TRUNCATE duty; INSERT INTO duty VALUES ('a', true), ('b', true)});
	my $gate = Session->new($node, 'gate');
	$gate->run('SELECT pg_advisory_lock(18)');
	my $leave = q{
		SELECT count(*) FROM duty WHERE on_call;
		SELECT pg_advisory_xact_lock_shared(18);
		UPDATE duty SET on_call = false WHERE who = $1 AND (SELECT count(*) FROM duty WHERE on_call) = 2 RETURNING who};
	$one->send({ call => $leave, params => ['a'] });
	$other->send({ call => $leave, params => ['b'] });
	poll(q{SELECT count(*) = 2 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted}, "$what: they do not meet");
	$gate->run('SELECT pg_advisory_unlock(18)');
	$gate->close;
	my @answers = map { $_->answer } $one, $other;
	my @again = grep { ($_->{attempts} // 0) >= 2 } @answers;
	cmp_ok(scalar(@again), '>=', 1, "$what: one is run again");
	like($_->{last_error}, qr/^40001: could not serialize/, "$what: and says why") for @again;
	is(scalar(grep { !defined $_->{attempts} } @answers), 0, "$what: both end well") or diag(explain(\@answers));
	is(scalar(grep { $_->{result} && @{ $_->{result} } == 1 } @answers), 1, "$what: one may leave");
	is(sql('SELECT count(*) FROM duty WHERE on_call'), '1', "$what: one stays");
	return;
}

my $endless = q{INSERT INTO done VALUES ('never'); SELECT fail_first(1000000000)};
# As an error of a ledger does it, this one asks for a pause; any length up to an hour.
my $pausing = q{INSERT INTO done VALUES ('never'); SELECT fail_first(1000000000, '40001', '{"retry_after_ms": 3600000}')};
my $unlimited = ', max_attempts => 1000000000, deadline => NULL';
my $in_pause = $node->pg_version >= 17 ? q{wait_event = 'LockstepRetry'} : q{wait_event_type = 'Extension'};
sub wait_paused { my ($driver) = @_; poll("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $driver->{pid} AND $in_pause", 'no pause'); return; }
sub wait_gone { my ($driver) = @_; poll("SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = $driver->{pid}", 'the session stays'); return; }

# What is left of a CALL that did not end well: nothing.
sub check_nothing
{
	my ($what, $driver) = @_;
	is(done(), '', "$what: nothing is done");
	return unless $driver;
	is(sql("SELECT xact_start IS NULL AND backend_xid IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $driver->{pid}"), 't', "$what: no transaction is left");
	is(sql("SELECT count(*) FROM pg_locks WHERE pid = $driver->{pid} AND locktype <> 'virtualxid'"), '0', "$what: no lock is left");
	is_deeply($driver->ask({ call => 'SELECT $1::int AS n', params => ['7'] })->{result}, [ { n => 7 } ], "$what: the session goes on");
	return;
}

sub stop_it
{
	my ($name, $driver) = @_;
	# psql needs a signal for it, which the server's own function spares us.
	my $cancel = sub {
		return sql("SELECT pg_cancel_backend($driver->{pid})") if $name eq 'psql';
		return $driver->send({ cancel => 1 });
	};
	forget();
	$driver->send({ call => q{INSERT INTO done VALUES ('never'); SELECT pg_sleep(3600)} });
	poll("SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $driver->{pid} AND wait_event = 'PgSleep'", 'no attempt');
	$cancel->();
	is($driver->answer->{sqlstate}, '57014', "$name: cancelled in an attempt");
	check_nothing("$name: cancelled in an attempt", $driver);

	$driver->ask({ sql => "SET lockstep.backoff_cap = '1h'" });
	forget();
	$driver->send({ call => $pausing, options => $unlimited });
	wait_paused($driver);
	is(sql("SELECT xact_start IS NULL AND backend_xmin IS NULL FROM pg_stat_activity WHERE pid = $driver->{pid}"), 't', "$name: no transaction in a pause");
	$cancel->();
	is($driver->answer->{sqlstate}, '57014', "$name: cancelled in a pause");
	check_nothing("$name: cancelled in a pause", $driver);

	forget();
	$driver->ask({ sql => q{SET statement_timeout = '300ms'} });
	my $late = $driver->ask({ call => $pausing, options => $unlimited });
	is($late->{sqlstate}, '57014', "$name: out of time in a pause");
	like($late->{message}, qr/statement timeout/, "$name: and it says so");
	$driver->ask({ sql => 'RESET statement_timeout' });
	check_nothing("$name: out of time in a pause", $driver);

	forget();
	my $too_late = $driver->ask({ call => $endless, options => q{, max_attempts => 1000000000, deadline => '200 ms'} });
	# Either in the middle of an attempt, or before the pause that would be too long.
	like($too_late->{sqlstate}, qr/^(?:57014|40001)$/, "$name: the deadline");
	check_nothing("$name: the deadline", $driver);

	forget();
	is($driver->ask({ call => q{INSERT INTO done VALUES ('never'); SELECT 1 / (fail_first() - 1)} })->{sqlstate}, '22012', "$name: an error in the second attempt");
	check_nothing("$name: an error in the second attempt", $driver);
	forget();
	is($driver->ask({ call => $endless, options => ', max_attempts => 3' })->{sqlstate}, '40001', "$name: no attempts are left");
	check_nothing("$name: no attempts are left", $driver);

	# The client goes away without a word; the server finds out, in the pause too, where it is told to look.
	forget();
	my $deserter = open_driver($name);
	$deserter->ask({ sql => "SET lockstep.backoff_cap = '1h'" });
	$deserter->ask({ sql => "SET client_connection_check_interval = '50ms'" });
	$deserter->send({ call => $pausing, options => $unlimited });
	wait_paused($deserter);
	$deserter->kill;
	wait_gone($deserter);
	check_nothing("$name: the client is gone");

	forget();
	$driver->send({ call => $pausing, options => $unlimited });
	wait_paused($driver);
	sql("SELECT pg_terminate_backend($driver->{pid})");
	wait_gone($driver);
	check_nothing("$name: terminated in a pause");
	$driver->kill;
	return;
}

for my $name (qw(psql psycopg asyncpg pg))
{
	SKIP:
	{
		skip("$name: $missing{$name}", 1) if $missing{$name};
		Accounts::renew($node);
		run_example($name, 'applied', "example for $name");
		run_example($name, 'replayed', "example for $name, again");
		my ($one, $other) = map { open_driver($name) } 1 .. 2;
		play_skew($name, $one, $other);
		# The statement is prepared by now, in the drivers that do so.
		play_skew("$name, again", $one, $other);
		$other->close;
		stop_it($name, $one);
	}
}
Accounts::renew($node);
my $status = 'applied';
for my $name (grep { !$missing{$_} } qw(asyncpg pg psycopg psql))
{
	run_example($name, $status, "all examples, $name");
	$status = 'replayed';
}

# What would be committed or rolled back along with it is refused, however a driver sends it.
SKIP:
{
	skip("psycopg: $missing{psycopg}", 1) if $missing{psycopg};
	my $driver = open_driver('psycopg');
	my $call = "CALL lockstep.retry('INSERT INTO done VALUES (''call'') RETURNING who')";
	my $before = q{INSERT INTO done VALUES ('before')};
	my $after = q{INSERT INTO done VALUES ('after')};
	my $refused = sub {
		my ($what, $answer, $state) = @_;
		is($answer->{sqlstate}, $state // '25001', "$what: refused") or diag(explain($answer));
		like($answer->{hint}, qr/autocommit on in the driver|Sync message|from the client/, "$what: the hint") unless $state;
		is(done(), '', "$what: nothing is done");
		is(sql("SELECT state FROM pg_stat_activity WHERE pid = $driver->{pid}"), 'idle', "$what: the session is well");
		return;
	};
	forget();
	$refused->('autocommit off', $driver->ask({ transaction => [$call] }));
	$refused->('autocommit off, behind another statement', $driver->ask({ transaction => [ $before, $call ] }));
	$refused->('several statements in one message, first', $driver->ask({ sql => "$call; $after" }));
	$refused->('several statements in one message, last', $driver->ask({ sql => "$before; $call" }));
	$refused->('in a function', $driver->ask({ sql => q{DO $$ DECLARE a int; e text; r json; BEGIN CALL lockstep.retry('SELECT 1', attempts => a, last_error => e, result => r); END $$} }), 'LS060');
	$refused->('in another CALL', $driver->ask({ call => $call }), 'LS060');
	$refused->('in a pipeline, last', $driver->ask({ pipeline => [ $before, $call ] }));
	$refused->('in a pipeline, between two', $driver->ask({ pipeline => [ $before, $call, $after ] }));
	$refused->('behind a portal that is still open', $driver->ask({ suspended => [ 'SELECT generate_series(1, 3)', $call ] }));

	my $alone = $driver->ask({ pipeline => [$call] });
	is_deeply($alone->{rows}, [ [ [ 1, undef, [ { who => 'call' } ] ] ] ], 'alone in a pipeline: it works') or diag(explain($alone));
	is(done(), 'call', 'alone in a pipeline: it is done');
	forget();
	# What comes behind it is a transaction of its own.
	my $first = $driver->ask({ pipeline => [ $call, $after, 'SELECT 1 / 0' ] });
	is($first->{sqlstate}, '22012', 'first in a pipeline: what follows may fail');
	is(done(), 'call', 'first in a pipeline: it is done, and nothing else');
	forget();
	$first = $driver->ask({ pipeline => [ q{CALL lockstep.retry('INSERT INTO done VALUES (''call''); SELECT fail_first(2)')}, $after ] });
	is($first->{rows}[0][0][0], 3, 'first in a pipeline: retried');
	is(done(), 'after,call', 'first in a pipeline: both are done');
	forget();
	# Two of them: the second stands behind the first, which has left nothing open but the server cannot tell.
	my $second = $driver->ask({ pipeline => [ $call, $call ] });
	is($second->{sqlstate}, '25001', 'twice in a pipeline: the second is refused');
	is(done(), 'call', 'twice in a pipeline: the first is done');

	# The statement that runs is thrown away by what it runs.
	forget();
	my $thrown = $driver->ask({ call => q{DEALLOCATE ALL; DISCARD PLANS; INSERT INTO done VALUES ($1); SELECT fail_first()}, params => ['x'] });
	is($thrown->{attempts}, 2, 'prepared statements are gone: it goes on') or diag(explain($thrown));
	$driver->close;
}

# What an attempt may leave behind, and what the session had before.
{
	my $session = Psql->new($node);
	my $settings = q{SELECT md5(string_agg(concat_ws('=', name, setting, source), ',' ORDER BY name)) || ' ' || current_user || ' ' || session_user FROM pg_settings};
	sql(q{
		CREATE ROLE clerk;
		CREATE TABLE parent (id int PRIMARY KEY);
		CREATE TABLE child (id int REFERENCES parent DEFERRABLE INITIALLY DEFERRED);
		CREATE TABLE late (what text);
		CREATE FUNCTION at_commit() RETURNS trigger LANGUAGE plpgsql AS $$
		BEGIN
			PERFORM fail_first();
			INSERT INTO done VALUES (NEW.what || current_setting('test.told') || nextval('tries'));
			RETURN NULL;
		END $$;
		CREATE CONSTRAINT TRIGGER at_commit AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION at_commit();
		CREATE FUNCTION in_blocks() RETURNS text LANGUAGE plpgsql AS $$
		DECLARE rows refcursor; n int; r record;
		BEGIN
			OPEN rows FOR SELECT generate_series(1, 1000);
			FETCH rows INTO n;
			BEGIN
				PERFORM 1 / 0;
			EXCEPTION WHEN division_by_zero THEN
				FOR r IN SELECT generate_series(1, 100) LOOP
					BEGIN
						INSERT INTO done VALUES ('block');
						PERFORM fail_first();
					EXCEPTION WHEN unique_violation THEN
						RAISE 'not this one';
					END;
					EXIT;
				END LOOP;
			END;
			FETCH rows INTO n;
			RETURN n;
		END $$;
		CREATE PROCEDURE commits() LANGUAGE plpgsql AS 'BEGIN INSERT INTO done VALUES (1); COMMIT; END';
		CREATE PROCEDURE gives(INOUT n int) LANGUAGE plpgsql AS 'BEGIN PERFORM fail_first(); n := n + 1; END';
	});
	$session->ask({ sql => $_ }) for q{CALL lockstep.retry('SELECT fail_first(0)')}, q{BEGIN; DECLARE held CURSOR WITH HOLD FOR SELECT generate_series(1, 5); COMMIT},
		q{PREPARE adds(int) AS SELECT $1 + 1}, q{CREATE TEMP TABLE own (n int)}, q{SET test.told = 'before'};
	my $before = $session->ask({ sql => $settings })->{rows}[0][0];
	my $call = sub {
		my ($what, $statement, $attempts, $result, @params) = @_;
		forget();
		my $said = $session->ask({ call => $statement, params => @params ? \@params : undef });
		if ($attempts =~ /^\d$/)
		{
			is($said->{attempts}, $attempts, "$what: attempts") or diag(explain($said));
			is_deeply($said->{result}, $result, "$what: result") or diag(explain($said->{result}));
		}
		else
		{
			is($said->{sqlstate}, $attempts, "$what: $attempts") or diag(explain($said));
			like($said->{message}, $result, "$what: what it says");
			is(done(), '', "$what: nothing is done");
		}
		is($session->ask({ sql => $settings })->{rows}[0][0], $before, "$what: the session's settings");
		return;
	};
	$call->('blocks and cursors', 'SELECT in_blocks()', 2, [ { in_blocks => '2' } ]);
	is(done(), 'block', 'blocks and cursors: done once');
	$call->('a temporary table', 'CREATE TEMP TABLE t ON COMMIT DROP AS SELECT 1 AS n; INSERT INTO own SELECT n FROM t; SELECT fail_first(), n FROM t', 2, [ { fail_first => 1, n => 1 } ]);
	is($session->ask({ sql => q{SELECT count(*) FROM own WHERE to_regclass('pg_temp.t') IS NULL} })->{rows}[0][0], '1', 'a temporary table: written once');
	$call->('a deferred trigger', q{SET LOCAL test.told = ' in '; INSERT INTO late VALUES ('late')}, 2, undef);
	is(done(), 'late in 3', 'a deferred trigger: it ran with the local setting');
	$call->('a foreign key at the commit', q{INSERT INTO done VALUES ('x'); INSERT INTO child VALUES (1)}, '23503', qr/violates foreign key/);
	$call->('a foreign key that is mended in time', q{INSERT INTO child VALUES (1); INSERT INTO parent VALUES (1); SELECT fail_first() AS n}, 2, [ { n => 1 } ]);
	is(sql('SELECT count(*) FROM child'), '1', 'a foreign key that is mended in time: one row');
	$call->('notifications', q{SELECT pg_notify('news', 'n' || nextval('tries')); SELECT fail_first(2) AS n}, 2, [ { n => 1 } ]);
	$session->ask({ sql => 'SELECT 1' });
	$call->('settings', q{
		SET search_path = nowhere; SET ROLE clerk; SET TimeZone = 'Asia/Tokyo'; SET client_encoding = 'LATIN1'; SET test.told = 'in';
		SELECT set_config('work_mem', '1MB', false), set_config('application_name', 'x', false);
		RESET ALL; SET SESSION AUTHORIZATION clerk; SET default_transaction_isolation = 'serializable'; SELECT public.fail_first() AS n}, '42501', qr/permission denied/);
	$call->('more settings', q{
		SET search_path = nowhere; SET TimeZone = 'Asia/Tokyo'; SET client_encoding = 'LATIN1'; SET test.told = 'in';
		SELECT set_config('work_mem', '1MB', false), set_config('application_name', 'x', false);
		RESET ALL; SET default_transaction_isolation = 'serializable'; SELECT public.fail_first() AS n; SET ROLE clerk}, 2, undef);
	$call->('another user', q{SELECT fail_first(); SET SESSION AUTHORIZATION clerk}, 2, undef);
	$call->('a procedure', 'CALL gives($1)', 2, [ { n => 42 } ], 41);
	$call->('a procedure that commits', 'CALL commits()', '2D000', qr/invalid transaction termination/);
	$call->('COMMIT', q{INSERT INTO done VALUES ('x'); COMMIT}, '2D000', qr/must not begin or end/);
	$call->('PREPARE TRANSACTION', q{INSERT INTO done VALUES ('x'); PREPARE TRANSACTION 'x'}, '2D000', qr/must not begin or end/);
	$call->('VACUUM', 'VACUUM done', '25001', qr/cannot/);
	$call->('a savepoint', 'SAVEPOINT s', '2D000', qr/must not begin or end/);
	$call->('COPY', 'COPY done TO STDOUT', '0A000', qr/COPY/);
	$call->('a prepared statement', 'SELECT fail_first(); EXECUTE adds(1)', 2, [ { '?column?' => 2 } ]);
	$call->('a cursor', q{DECLARE c CURSOR FOR SELECT generate_series(1, 3) AS n; SELECT fail_first(); FETCH 2 FROM c}, 2, [ { n => 1 }, { n => 2 } ]);
	$call->('a cursor that stays', q{DECLARE stays CURSOR WITH HOLD FOR SELECT generate_series(1, 3) AS n; SELECT fail_first() AS n}, 2, [ { n => 1 } ]);
	is($session->ask({ sql => 'FETCH ALL FROM stays' })->{rows}[2][0], '3', 'a cursor that stays: it can be read');
	is($session->ask({ sql => 'FETCH ALL FROM held' })->{rows}[4][0], '5', 'a cursor from before can be read');
	$call->('one parameter, two types', q{INSERT INTO done VALUES ($1); SELECT $1::int + fail_first(); SELECT $1::date; SELECT $1::int AS n}, 2, [ { n => 20200101 } ], '20200101');
	$call->('nothing', '', 1, undef);
	$call->('no row', 'SELECT 1 WHERE false', 1, []);
	$call->('a syntax error', q{INSERT INTO done VALUES ('x'); SELEC}, '42601', qr/syntax error/);
	$call->('a DO block', q{DO $$ BEGIN PERFORM fail_first(); END $$}, 2, undef);
	$session->ask({ sql => q{SET default_transaction_read_only = on} });
	$before = $session->ask({ sql => $settings })->{rows}[0][0];
	$call->('read only by default', q{INSERT INTO done VALUES ('x')}, '25006', qr/read-only/);
	$session->ask({ sql => 'RESET default_transaction_read_only' });
	my $out = $session->{session}->run('SELECT 1');
	unlike($out, qr/WARNING/, 'no warning');
	$session->close;

	# Notifications of attempts that failed are never sent.
	my $listener = Session->new($node, 'listener');
	$listener->run('LISTEN news');
	forget();
	my $news = $listener->run(q{CALL lockstep.retry($$SELECT pg_notify('news', 'attempt ' || nextval('tries')); SELECT fail_first(2)$$)});
	$news .= $listener->run('SELECT 1');
	like($news, qr/payload "attempt 3"/, 'a notification comes') or diag($news);
	is(scalar(() = $news =~ /Asynchronous notification/g), 1, 'of the last attempt alone');
	$listener->close;
}

# A pooler that gives a server to each transaction: a CALL is one, however often it begins.
SKIP:
{
	skip('pgbouncer is missing (scripts/install-packages test)', 1) unless Pooler::version();
	skip("pgbouncer: $missing{psycopg}", 1) if $missing{psycopg};
	my $pooler = Pooler->new($node);
	my $through = $pooler->connstr;
	my @clients = map { Driver->new($python, "$drivers/drive_psycopg.py", $through, 'unprepared') } 1 .. 5;

	# What each of the servers has that the pooler uses. Two at once, so that they are two.
	my $look = sub {
		my %seen;
		$_->ask({ sql => 'BEGIN' }) for @clients[ 0, 1 ];
		for my $client (@clients[ 0, 1 ])
		{
			$client->ask({ sql => q{SELECT lockstep.request_id('x'), fail_first(0)} });
			my $row = $client->ask({ sql => q{SELECT pg_backend_pid(), current_user || ' ' || session_user || ' ' || current_setting('search_path') || ' ' ||
				(SELECT string_agg(concat_ws('=', name, setting, source), ',' ORDER BY name) FROM pg_settings)} })->{rows}[0];
			$seen{ $row->[0] } = $row->[1];
		}
		$_->ask({ sql => 'COMMIT' }) for @clients[ 0, 1 ];
		return \%seen;
	};
	my $before = $look->();
	is(scalar(keys %$before), 2, 'pgbouncer: two servers');
	play_skew('pgbouncer', @clients[ 0, 1 ]);

	sql(q{
		CREATE TABLE tills (id int PRIMARY KEY, cash int NOT NULL);
		INSERT INTO tills SELECT n, 1000 FROM generate_series(1, 4) AS n;
		CREATE TABLE moves (who text, n int, PRIMARY KEY (who, n));
		CREATE ROLE teller;
		GRANT ALL ON tills, moves TO teller;
		GRANT USAGE ON SCHEMA public TO teller});
	# Reads all, writes two: under SERIALIZABLE any two of these are in each other's way.
	my $move = q{
		SET ROLE teller; SET search_path = pg_catalog; SELECT set_config('work_mem', '1MB', false), set_config('TimeZone', 'Asia/Tokyo', false);
		SELECT sum(cash) FROM public.tills;
		UPDATE public.tills SET cash = cash - $1::int WHERE id = $2::int;
		UPDATE public.tills SET cash = cash + $1::int WHERE id = $2::int % 4 + 1;
		INSERT INTO public.moves VALUES ($3, $4::int) RETURNING current_user AS role, current_setting('search_path') AS path};
	my $calls = 40;
	for my $n (1 .. $calls)
	{
		$clients[$_]->send({ call => $move, params => [ map { "$_" } 1 + int(rand(9)), 1 + int(rand(4)), "client $_", $n ], options => ', max_attempts => 1000' }) for 0 .. $#clients;
	}
	my ($again, %results) = (0);
	for my $client (@clients)
	{
		for (1 .. $calls)
		{
			my $answer = $client->answer;
			$again++ if ($answer->{attempts} // 0) > 1;
			$results{ defined $answer->{result} ? join(' ', map { "$_->{role} $_->{path}" } @{ $answer->{result} }) : $answer->{message} }++;
		}
	}
	is_deeply(\%results, { 'teller pg_catalog' => $calls * @clients }, 'pgbouncer: every CALL ends well') or diag(explain(\%results));
	note("$again of " . $calls * @clients . ' were run again');
	is(sql('SELECT sum(cash) FROM tills'), '4000', 'pgbouncer: the sum');
	is(sql('SELECT count(*) FROM moves'), $calls * @clients, 'pgbouncer: each is done once');
	my $after = $look->();
	is_deeply($after, $before, 'pgbouncer: the same servers, with the same role, path and settings');
	$_->close for @clients;
	$pooler->close;
}

# Often. Every second call is run twice.
{
	my $session = Session->new($node, 'often');
	my $memory = q{SELECT sum(total_bytes) FROM pg_backend_memory_contexts};
	forget();
	$session->run('SET lockstep.backoff_base = 0');
	my $numbers = sub {
		my ($calls) = @_;
		$session->run(q{SELECT $$CALL lockstep.retry('SELECT every_second($1)', params => ARRAY['$$ || n || $$'])$$ FROM generate_series(1, } . $calls . q{) AS n \gexec});
		return $session->run($memory);
	};
	sql(q{
		CREATE FUNCTION every_second(n int) RETURNS int LANGUAGE plpgsql AS $$
		BEGIN
			IF nextval('tries') % 3 = 0 THEN RAISE serialization_failure; END IF;
			RETURN n;
		END $$});
	$session->run($memory);
	my $after_some = $numbers->(1000);
	my $after_many = $numbers->(9000);
	is(sql('SELECT last_value FROM tries'), '14999', '10,000 calls, 15,000 attempts');
	cmp_ok(abs($after_many - $after_some), '<', 64 * 1024, "10,000 calls: memory is flat ($after_some, $after_many)");

	# One call with many attempts. It looks at itself once in vain, because the first look takes memory itself.
	sql(q{
		CREATE SEQUENCE grown;
		CREATE FUNCTION many(times int) RETURNS bigint LANGUAGE plpgsql AS $$
		DECLARE n bigint := nextval('tries'); bytes bigint;
		BEGIN
			IF n IN (500, 1000, times) THEN
				SELECT sum(total_bytes) INTO bytes FROM pg_backend_memory_contexts;
				IF n = 1000 THEN PERFORM setval('grown', bytes); END IF;
			END IF;
			IF n < times THEN RAISE serialization_failure; END IF;
			RETURN bytes - (SELECT last_value FROM grown);
		END $$});
	forget();
	my $said = $session->run(q{CALL lockstep.retry('SELECT many(2000) AS bytes', max_attempts => 2000)});
	my ($attempts, $bytes) = $said =~ /^(\d+)\|.*"bytes":(-?\d+)/ or diag($said);
	is($attempts, 2000, 'one call, 2,000 attempts');
	cmp_ok(abs($bytes // 1e9), '<', 64 * 1024, '2,000 attempts: memory is flat (' . ($bytes // 'unknown') . ')');
	$session->close;
}

# No leak, no stack that is not empty, no transaction that is in the wrong state.
my $log = slurp_file($node->logfile);
my @warnings = $log =~ /^(.*WARNING.*)$/mg;
is(scalar(@warnings), 0, 'no warning in the log') or diag(join("\n", @warnings[ 0 .. 9 ]));
unlike($log, qr/PANIC|was terminated by signal/, 'nothing has crashed');

done_testing();
