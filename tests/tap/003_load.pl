# Many sessions on few rows, at each isolation level: no deadlock, no lost and no doubled amount. Then the
# server is stopped hard in the middle of it.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use IPC::Run;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
diag("seed $seed (LOCKSTEP_SEED)");

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = on\ndeadlock_timeout = 20ms\nmax_connections = 40\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL);
	INSERT INTO accounts SELECT n, 1000 FROM generate_series(1, 8) AS n;
	SELECT lockstep.register_ledger('accounts');
});

my $folder = PostgreSQL::Test::Utils::tempdir();
# Ids from a small range, so that sessions meet each other's; the content goes with the id.
PostgreSQL::Test::Utils::append_to_file("$folder/one.sql", q{
\set n random(1, 3000)
SELECT status FROM lockstep.transfer('accounts', 1 + :n % 8, 1 + (:n + 1 + (:n / 8) % 7) % 8, 1 + :n % 300,
	lockstep.request_id('n' || :n), on_refusal => 'return');
});
my $legs_ok = q{SELECT count(*) FROM accounts AS a
	LEFT JOIN LATERAL (SELECT coalesce(sum(CASE WHEN from_key = a.id THEN -amount ELSE amount END), 0) AS moved
	                     FROM accounts_journal WHERE a.id IN (from_key, to_key) AND refusal IS NULL) AS j ON true
	WHERE a.balance <> 1000 + j.moved};

sub check_invariants
{
	my ($when) = @_;
	is($node->safe_psql('postgres', 'SELECT sum(balance) FROM accounts'), '8000', "$when: the sum is unchanged");
	is($node->safe_psql('postgres', $legs_ok), '0', "$when: each amount is its start plus its legs");
	is($node->safe_psql('postgres', 'SELECT min(balance) >= 0 FROM accounts'), 't', "$when: no amount is below the floor");
	is($node->safe_psql('postgres', q{SELECT * FROM lockstep.verify_ledger('accounts')}), '', "$when: the ledger verifies");
}

for my $level ('read committed', 'repeatable read', 'serializable')
{
	$node->safe_psql('postgres', "ALTER DATABASE postgres SET default_transaction_isolation = '$level'");
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run(
		[ 'pgbench', '-n', '-c', '8', '-j', '2', '-t', '200', '-M', 'prepared', "--random-seed=$seed", '--max-tries=0', '--latency-limit=60000',
			'-f', "$folder/one.sql", '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out, '2>', \$err);
	ok($ok, "$level: every transfer is answered") or diag($out . $err);
	like($out, qr/number of transactions actually processed: 1600/, "$level: all of them");
	check_invariants($level);
	$seed++;
}
unlike(slurp_file($node->logfile), qr/deadlock detected/, 'no deadlock');

# Stopped hard: what was told as committed is there.
$node->safe_psql('postgres', q{ALTER DATABASE postgres RESET default_transaction_isolation});
PostgreSQL::Test::Utils::append_to_file("$folder/ack.sql", q{
\set n random(10000, 1000000000)
SELECT status FROM lockstep.transfer('accounts', 1 + :n % 8, 1 + (:n + 1 + (:n / 8) % 7) % 8, 1 + :n % 30,
	lockstep.request_id('n' || :n), on_refusal => 'return') \gset
} . "\\shell echo :n :status >> $folder/ack\n");
for my $round (1 .. 3)
{
	my ($out, $err) = ('', '');
	my $load = IPC::Run::start(
		[ 'pgbench', '-n', '-c', '4', '-t', '100000', "--random-seed=" . ($seed + $round), '-f', "$folder/ack.sql", '-h', $node->host, '-p', $node->port, 'postgres' ],
		'>', \$out, '2>', \$err);
	my $lines = -e "$folder/ack" ? scalar(split(/\n/, slurp_file("$folder/ack"))) : 0;
	# Wait until enough is acknowledged, then pull the plug in the middle of it.
	for (1 .. 600)
	{
		last if -e "$folder/ack" && scalar(split(/\n/, slurp_file("$folder/ack"))) > $lines + 100;
		select(undef, undef, undef, 0.1);
	}
	$node->stop('immediate');
	$load->finish;
	$node->start;
	my @acknowledged = split(/\n/, slurp_file("$folder/ack"));
	cmp_ok(scalar(@acknowledged), '>', $lines + 100, "round $round: transfers were acknowledged");
	my $values = join(',', map { my ($n, $status) = split; "($n,'$status')" } @acknowledged);
	is($node->safe_psql('postgres', qq{
		SELECT count(*) FROM (VALUES $values) AS told (n, status) LEFT JOIN accounts_journal AS j ON j.request_id = lockstep.request_id('n' || told.n)
		 WHERE j.request_id IS NULL OR (told.status = 'refused') <> (j.refusal IS NOT NULL)}), '0',
		"round $round: what was acknowledged is there");
	check_invariants("round $round");
}
$node->stop;
done_testing();
