# contrib/monitoring and docs/monitoring.md: the files go through real parsers, every query runs on a server with traffic, as
# the role that the page makes, with and without preload; Prometheus takes the rules, a real exporter shows every metric, and
# pgBadger reads what Lockstep raises and logs. A program that could not be had is a printed skip.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use Session;

(my $here = __FILE__) =~ s{[^/]*$}{.};
my $files = $ENV{LOCKSTEP_FILES} // "$here/../..";
my $folder = "$files/contrib/monitoring";
my $page = slurp_file("$files/docs/monitoring.md");
my $scratch = PostgreSQL::Test::Utils::tempdir();
# pgBadger's modules lie beside it.
local $ENV{PERL5LIB} = join ':', grep { defined } $ENV{PERL5LIB}, modules_of('pgbadger');

# run(INPUT, COMMAND...): whether it ended well, and what it said.
sub run
{
	my ($input, @command) = @_;
	my $said = '';
	my $ok = eval { IPC::Run::run(\@command, '<', \$input, '>', \$said, '2>&1', IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default)) };
	chomp $said;
	return ($ok, $said . ($@ // ''));
}

# Another python may stand before that of the system, which alone has the packages of the system.
my ($python) = grep { (run('', $_, '-c', 'import yaml'))[0] } '/usr/bin/python3', 'python3';
defined $python or die 'python has no module yaml (scripts/install-packages test)';
sub ask { my ($command, $where, $input, @more) = @_; return (run($input, $python, "$here/monitoring.py", $command, $where, @more))[1]; }
sub faults { return ask('faults', $_[0], '', "$files/docs/monitoring.md"); }

# The folders of perl's modules that were unpacked with a program.
sub modules_of
{
	my ($name) = @_;
	my $file = ($ENV{LOCKSTEP_TOOLS} // '') . "/$name";
	return unless -f $file;
	chomp(my $root = slurp_file($file));
	return unless $root =~ s{/usr/bin/[^/]*$}{} && $root;
	return glob("$root/usr/share/perl5 $root/usr/lib/*/perl5/*");
}

# program(NAME): where it is, or nothing and why.
sub program
{
	my ($name) = @_;
	my $tools = $ENV{LOCKSTEP_TOOLS} // return ('', 'LOCKSTEP_TOOLS is not set (scripts/tap sets it)');
	return ('', slurp_file("$tools/$name.missing")) if -f "$tools/$name.missing";
	chomp(my $path = slurp_file("$tools/$name"));
	my ($ok, $said) = run('', $path, '--version');
	return $ok ? ($path, '') : ('', "$name does not run: $said");
}

# The blocks of the page in one language, in order.
sub blocks { my ($language) = @_; return $page =~ /^```$language\n(.*?)^```$/msg; }
sub write_file { my ($path, $text) = @_; open my $file, '>', $path or die "$path: $!"; print $file $text; close $file; return; }

# The files, and what would be wrong with them.
is(faults($folder), '', 'the files and the page agree');
for my $change (
	[ 'dashboard.json', 'lockstep_ledger_applied_total', 'lockstep_ledger_applied', 'lockstep_ledger_applied is used and not defined' ],
	[ 'alerts.yml', 'lockstep_blocking_roots', 'lockstep_root_blockers', 'lockstep_root_blockers is used and not defined' ],
	[ 'alerts.yml', '#how-old-databases-are', '#how-old', 'LockstepWraparoundWarning leads to no heading: how-old' ],
	[ 'alerts_test.yml', 'alertname: LockstepRetryCritical', 'alertname: LockstepRetryWarning', 'LockstepRetryCritical is not tried both ways' ],
	[ 'postgres_exporter.yml', '- items_total:', '- batch_items_total:', 'lockstep_ledger_batch_items_total is in no panel' ],
	[ 'postgres_exporter.yml', 'gauge|GAUGE', 'COUNTER', 'counters, and they alone, end in _total' ],
	[ 'lockstep_server.collector.yml', 'query_ref: lockstep_retry\n', "query_ref: lockstep_retries\n", 'lockstep_server.collector.yml is not what' ])
{
	my ($name, $from, $to, $fault) = @$change;
	my $copy = PostgreSQL::Test::Utils::tempdir();
	system('cp', '-r', "$folder/.", $copy) == 0 or die 'cp';
	(my $text = slurp_file("$copy/$name")) =~ s/$from/$to/g or die "no $from in $name";
	write_file("$copy/$name", $text);
	like(faults($copy), qr/\Q$fault\E/, "found in $name: $fault");
}
my ($role_sql) = blocks('sql');
my ($prometheus_yml, $sql_exporter_yml) = blocks('yaml');
my ($exporter_sh, $pgbadger_sh) = blocks('sh');
my ($prefix) = $page =~ /^log_line_prefix = '(.*)'$/m or die 'no prefix';
like($pgbadger_sh, qr/-p '\Q$prefix\E'/, 'pgBadger is told the prefix of the server');
for my $name (qw(server database))
{
	my ($collector) = slurp_file("$folder/lockstep_$name.collector.yml") =~ /^collector_name: (\S+)$/m;
	like($sql_exporter_yml, qr/collectors: \[\Q$collector\E\]/, "the page has a job for $collector");
}

# A server with something to see. The limits are low, so that it is bad at once.
my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 'logical');
$node->append_conf('postgresql.conf', qq{
shared_preload_libraries = 'lockstep'
log_line_prefix = '$prefix'
log_statement = none
autovacuum = off
max_prepared_transactions = 5
lockstep.counted_ledgers = 3
lockstep.blocking_warning_sessions = 1
lockstep.blocking_warning_wait = 0
lockstep.age_idle_warning = 0
lockstep.age_prepared_critical = 0
lockstep.retry_rate_critical = 0
});
$node->start;
sub sql { my ($text) = @_; return $node->safe_psql('shop', $text); }
sub try { my ($text) = @_; return ($node->psql('shop', $text))[2]; }
$node->safe_psql('postgres', 'CREATE DATABASE shop');
$node->safe_psql('postgres', 'CREATE DATABASE stock');
sql($role_sql);
sql(q{CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id bigint PRIMARY KEY, balance numeric(12,2) NOT NULL);
	INSERT INTO accounts SELECT n, 100 FROM generate_series(1, 100) AS n;
	CREATE TABLE stock (sku text PRIMARY KEY, balance int NOT NULL, room int, frozen boolean NOT NULL, version int NOT NULL, unit text NOT NULL);
	INSERT INTO stock SELECT 'item' || n, 10, 20, n > 80, 0, n FROM generate_series(1, 100) AS n;
	CREATE TABLE points (LIKE accounts INCLUDING ALL);
	INSERT INTO points SELECT * FROM accounts;
	SELECT lockstep.register_ledger('accounts'), lockstep.register_ledger('points'), lockstep.register_ledger('stock',
		ceiling_column => 'room', frozen_column => 'frozen', version_column => 'version', match_columns => '{unit}');});

# The page's limits are those that a server has by itself.
my %limits = $page =~ /`(lockstep\.\w+)` \(([^)]+)\)/g;
cmp_ok(scalar keys %limits, '>', 20, 'the page has limits');
is($node->safe_psql('shop', "SELECT pg_catalog.set_config(name, boot_val, true) IS NULL FROM pg_settings WHERE name = ANY ('{@{[join ',', sort keys %limits]}}');
	SELECT string_agg(name || ' ' || current_setting(name), E'\\n' ORDER BY name COLLATE \"C\") FROM pg_settings WHERE name = ANY ('{@{[join ',', sort keys %limits]}}')",
	extra_params => ['-1']) =~ s/^[ft]\n//mgr, join("\n", map { "$_ $limits{$_}" } sort keys %limits), '... which are the defaults');

sql(q{SELECT lockstep.transfer('accounts', 1, 2, 1, lockstep.request_id('rent')) FROM generate_series(1, 2);
	SELECT lockstep.transfer('accounts', 1, 2, 1000, lockstep.request_id('car'), on_refusal => 'return');
	SELECT lockstep.transfer_batch('accounts', '{1,1,1}'::bigint[], '{2,3,4}'::bigint[], '{1,1,1}');
	SELECT lockstep.adjust('stock', 'item1', 1);});
$node->safe_psql('stock', q{CREATE EXTENSION lockstep; CREATE TABLE shelf (id int PRIMARY KEY, balance int); INSERT INTO shelf VALUES (1, 1);
	SELECT lockstep.register_ledger('shelf'); SELECT lockstep.adjust('shelf', 1, 1);});
sql(q{SELECT lockstep.adjust('points', 1, 1)});
like(try(q{SELECT lockstep.transfer('accounts', 1, 2, 1000)}), qr/insufficient funds/, 'a refusal');
like(try(q{CALL lockstep.retry($$DO 'BEGIN RAISE serialization_failure; END'$$, max_attempts => 2)}), qr/gives up/, 'a retry that gives up');
sql(q{CALL lockstep.retry('SELECT 1')});
sql(q{SELECT pg_create_logical_replication_slot('search_index', 'pgoutput')});
sql(q{BEGIN; SELECT lockstep.adjust('stock', 'item70', 1); PREPARE TRANSACTION 'order-77'});
my $old = Session->new($node, 'old', dbname => 'shop');
$old->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM accounts; LOCK TABLE accounts');
my $waits = Session->new($node, 'waits', dbname => 'shop');
$waits->start('SELECT count(*) FROM accounts');
Session::wait_blocked($node, 1, 'waits');
$node->poll_query_until('shop', 'SELECT count(*) > 0 FROM lockstep.transaction_age_history') or die 'no sample';

my @queries = @{ decode_json(ask('queries', $folder, '')) };
my %text_type = map { $_ => 1 } 'text', 'name';
my %number_type = map { $_ => 1 } 'bigint', 'integer', 'numeric', 'double precision';
# What each query says, by name, as the role of the exporter; it is what is declared.
sub asked
{
	my ($when, $server) = @_;
	my %rows;
	for my $query (@queries)
	{
		my ($name, $text) = @$query{qw(name query)};
		my @as_role = (extra_params => ['-U', 'lockstep_exporter']);
		my ($rc, $types, $error) = $server->psql('shop', "$text\\gdesc", @as_role);
		is($error, '', "$when: $name runs");
		my %types = map { split /\|/ } split /\n/, $types;
		my %usage = map { @$_ } @{ $query->{columns} };
		is_deeply([ sort keys %types ], [ sort keys %usage ], '... with the columns that are declared');
		is_deeply([ grep { !($usage{$_} eq 'LABEL' ? \%text_type : \%number_type)->{ $types{$_} } } sort keys %usage ], [], '... labels are text, values numbers');
		my $rows = decode_json($server->safe_psql('shop', "SELECT coalesce(json_agg(q), '[]') FROM (" . $text . ') AS q', @as_role));
		is_deeply([ grep { my $row = $_; grep { !defined $row->{$_} } keys %usage } @$rows ], [], '... none of them null');
		my %seen;
		my @labels = grep { $usage{$_} eq 'LABEL' } sort keys %usage;
		is_deeply([ grep { $seen{ join '|', @$_{@labels} }++ } @$rows ], [], '... each row once');
		$rows{$name} = $rows;
	}
	return \%rows;
}

# of(ROWS, LABEL => VALUE...): the one row with these labels.
sub of
{
	my ($rows, %labels) = @_;
	my @found = grep { my $row = $_; !grep { $row->{$_} ne $labels{$_} } keys %labels } @$rows;
	return @found == 1 ? $found[0] : {};
}
sub values_of { my ($row, @columns) = @_; return join ' ', map { $row->{$_} // 'none' } @columns; }

my $rows = asked('preloaded', $node);
is(values_of(of($rows->{lockstep_ledger}, datname => 'shop', ledger => 'accounts'), qw(applied_total replayed_total refused_total batches_total items_total)),
	'4 1 1 1 3', 'movements');
is($rows->{lockstep_uncounted}[0]{movements_total}, 1, 'those of a ledger without room');
is(values_of(of($rows->{lockstep_retry}, datname => 'shop', sqlstate => '40001'), qw(errors_total retries_total)), '2 1', 'retries');
is(of($rows->{lockstep_retry}, datname => 'shop', sqlstate => 'LS001')->{errors_total}, 1, 'a refusal that was raised');
is(values_of(of($rows->{lockstep_announced}, datname => 'shop', kind => 'retry'), qw(transactions_total attempts_total given_up_total most_attempts)), '1 1 1 1', 'attempts');
cmp_ok($rows->{lockstep_recent}[0]{retry_ratio}, '<=', 1, 'the rate is a share');
# Critical, or over by now.
like(of($rows->{lockstep_retry_health}, kind => 'retry_rate')->{severity}, qr/^(critical|ok)$/, '... and judged by the setting');
is(values_of(of($rows->{lockstep_blocking}, severity => 'warning'), qw(roots sessions)), '1 1', 'a root');
is(of($rows->{lockstep_lock_wait}, datname => 'shop')->{sessions}, 1, 'a session that waits, though its table is locked');
is(values_of(of($rows->{lockstep_transaction_age}, kind => 'idle_in_xact', severity => 'warning'), 'holders'), '1', 'an old transaction');
is(values_of(of($rows->{lockstep_transaction_age}, kind => 'prepared', severity => 'critical'), 'holders'), '1', 'a prepared one');
is_deeply([ map { $_->{severity} } grep { $_->{severity} eq 'unknown' } @{ $rows->{lockstep_transaction_age} } ], [], 'pg_monitor is all that the role needs');
is_deeply([ sort map { "$_->{datname} $_->{severity}" } @{ $rows->{lockstep_wraparound} } ], [ map { "$_ ok" } qw(postgres shop stock template0 template1) ], 'databases');
cmp_ok($rows->{lockstep_history}[0]{samples}, '>', 0, 'samples');

# The same by the exporter, and by Prometheus.
my ($promtool, $no_promtool) = program('promtool');
SKIP: {
	skip "promtool: $no_promtool", 4 unless $promtool;
	write_file("$scratch/expressions.yml", ask('expressions', $folder, '') . "\n");
	system('cp', "$folder/alerts.yml", $scratch) == 0 or die 'cp';
	write_file("$scratch/prometheus.yml", $prometheus_yml);
	for my $check (
		[ 'the alerts parse', 'check', 'rules', "$folder/alerts.yml" ],
		[ '... fire when they should, and not before', 'test', 'rules', "$folder/alerts_test.yml" ],
		[ 'what the dashboard asks parses', 'check', 'rules', "$scratch/expressions.yml" ],
		[ 'the configuration of the page is one', 'check', 'config', "$scratch/prometheus.yml" ])
	{
		my ($name, @arguments) = @$check;
		my ($ok, $said) = run('', $promtool, @arguments);
		ok($ok, $name) or diag($said);
	}
}

my ($exporter, $no_exporter) = program('postgres_exporter');
my ($exporting, $exporter_said, $url) = (undef, '', '');
END
{
	local $?;
	$exporting->kill_kill if $exporting;
}

# The values of a metric, of those with all of these labels.
sub lines_of
{
	my ($metrics, $name, @labels) = @_;
	my @found = grep { my $line = $_; !grep { index($line, $_) < 0 } @labels } $metrics =~ /^(\Q$name\E(?:\{.*\})? \S+)$/mg;
	return join ' ', map { /(\S+)$/ } @found;
}

# A scrape after which the exporter has its errors, of a server that answers.
sub scrape
{
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		$exporting->pump_nb if $exporting->pumpable;
		my $answer = HTTP::Tiny->new(timeout => 30, no_proxy => '127.0.0.1')->get($url);
		return $answer->{content} if $answer->{success} && $answer->{content} =~ /^pg_up(\{.*\})? 1$/m;
		select undef, undef, undef, 0.1;
	}
	die "the exporter does not answer: $exporter_said";
}

# As the page shows it, on another server and port. What it asks of its own accord is for servers of its time.
sub start_exporter
{
	my (@options) = @_;
	my $port = PostgreSQL::Test::Cluster::get_free_port();
	$url = "http://127.0.0.1:$port/metrics";
	(my $command = $exporter_sh) =~ s{host=\S+}{"host=" . $node->host . " port=" . $node->port}e or die;
	$command =~ s{^(prometheus-postgres-exporter .*)$}{exec $1 --web.listen-address=127.0.0.1:$port --disable-default-metrics --disable-settings-metrics @options}m or die;
	(my $path = $exporter) =~ s{/[^/]*$}{};
	local $ENV{PATH} = "$path:$ENV{PATH}";
	$exporting->kill_kill if $exporting;
	$exporting = IPC::Run::start([ 'sh', '-c', "cd '$files' && $command" ], '<', \undef, '>&', \$exporter_said);
	return;
}
SKIP: {
	skip "postgres_exporter: $no_exporter", 8 unless $exporter;
	my ($more) = $page =~ /`(--auto-discover-databases [^`]*)`/;
	start_exporter(split / /, $more);
	my $metrics = scrape();
	is(lines_of($metrics, 'lockstep_ledger_applied_total', 'datname="stock"', 'ledger="shelf"'), '1', 'the exporter goes into another database');
	is(lines_of($metrics, 'lockstep_ledger_applied_total', 'datname="shop"', 'ledger="accounts"'), '4', '... and into its own');
	is(lines_of($metrics, 'lockstep_uncounted_movements_total'), '1', '... asks of the server once');
	is(lines_of($metrics, 'pg_exporter_last_scrape_error'), '0', '... without an error');
	start_exporter();
	$metrics = scrape();
	is(ask('scraped', $folder, $metrics), '', 'the exporter shows every metric, each with its type');
	is(lines_of($metrics, 'pg_exporter_last_scrape_error'), '0', '... none in error');
	is(lines_of($metrics, 'pg_exporter_user_queries_load_error'), '0', '... and takes the file');
	is(lines_of($metrics, 'lockstep_ledger_applied_total', 'datname="shop"', 'ledger="accounts"'), '4', '... with the numbers of the view');
}

$old->run('ROLLBACK');
$waits->finish;
$_->close for $old, $waits;
sql(q{ROLLBACK PREPARED 'order-77'});

# What pgBadger makes of the log. What follows is said so many times, with values that vary.
my $times = 6;
my @kinds = (
	[ '22P02', qr/invalid input syntax for type bigint/, sub { "SELECT lockstep.transfer('points', 'k$_[0]'::text, '2', 1)" } ],
	[ 'LS005', qr/table "\.\.\." is not a ledger/, sub { "SELECT lockstep.transfer('t$_[0]', 1, 2, 1)" } ],
	[ '22023', qr/there is no isolation level/, sub { "CALL lockstep.retry('SELECT 1', isolation => 'level $_[0]')" } ],
	[ '25001', qr/cannot run inside a transaction block/, sub { "BEGIN; CALL lockstep.retry('SELECT $_[0]')" } ],
	[ '2D000', qr/must not begin or end a transaction/, sub { "CALL lockstep.retry('SELECT $_[0]; COMMIT')" } ],
	[ '57014', qr/due to the deadline of lockstep\.retry/, sub { "CALL lockstep.retry('SELECT pg_sleep(1000)', deadline => '10$_[0] ms')" } ],
	[ '40001', qr/serialization_failure/, sub { "CALL lockstep.retry(\$\$DO 'BEGIN RAISE serialization_failure; END'\$\$, max_attempts => $_[0])" } ],
	[ '0A000', qr/cannot be expanded/, sub { "SELECT (lockstep.adjust('points', $_[0], 1)).*" } ],
	[ 'LS001', qr/insufficient funds in row/, sub { "SELECT lockstep.transfer('points', $_[0], 20, 1000 + $_[0])" } ],
	[ 'LS002', qr/no room in row/, sub { "SELECT lockstep.adjust('stock', 'item$_[0]', 100 + $_[0])" } ],
	[ 'LS003', qr/row .* not found/, sub { "SELECT lockstep.adjust('points', 1000 + $_[0], 1)" } ],
	[ 'LS004', qr/is frozen/, sub { "SELECT lockstep.adjust('stock', 'item9$_[0]', 1)" } ],
	[ 'LS006', qr/name the same row/, sub { "SELECT lockstep.transfer('points', $_[0], $_[0], 1)" } ],
	[ 'LS007', qr/greater than zero/, sub { "SELECT lockstep.transfer('points', 1, 2, -$_[0])" } ],
	[ 'LS008', qr/does not match/, sub { "SELECT lockstep.transfer('stock', 'item$_[0]', 'item30', 1)" } ],
	[ 'LS010', qr/was used for another request/, sub { "SELECT lockstep.adjust('points', 30, n, lockstep.request_id('r$_[0]')) FROM (VALUES (1), (2)) AS v(n)" } ],
	[ 'LS007', qr/too many decimals/, sub { "SELECT lockstep.adjust('points', 1, $_[0].001)" } ],
	[ 'LS012', qr/was refused before/, sub { "SELECT lockstep.adjust('points', 1, -1000, lockstep.request_id('no$_[0]'), on_refusal => 'return'); SELECT lockstep.adjust('points', 1, -1000, lockstep.request_id('no$_[0]'))" } ],
	[ 'LS040', qr/comes twice/, sub { "SELECT * FROM lockstep.transfer_batch('points', '{1,2}'::bigint[], '{3,4}'::bigint[], '{1,1}', array_fill(lockstep.request_id('b$_[0]'), ARRAY[2]))" } ],
	[ 'LS030', qr/has another version/, sub { "SELECT lockstep.adjust('stock', 'item$_[0]', 1, expected_version => 1000 + $_[0])" } ]);
my ($pgbadger, $no_pgbadger) = program('pgbadger');
SKIP: {
	skip "pgbadger: $no_pgbadger", 1 unless $pgbadger;
	subtest 'pgBadger' => \&read_log;
}

sub read_log
{
	# The sampler has something to say, too.
	$node->stop;
	write_file($node->data_dir . '/pg_stat/lockstep_age_history.stat', 'damaged');
	my $log = $node->logfile;
	write_file($log, '');
	$node->start;
	sql(join ' ', map { "CREATE TABLE t$_ ();" } 1 .. $times);
	for my $n (1 .. $times)
	{
		try($_->[-1]->($n)) for @kinds;
	}
	# All of it is written then.
	$node->restart;
	my $text = slurp_file($log);
	my %lines;
	$lines{$1}++ while $text =~ /^\S+ \S+ \S+ \[\d+\]: user=[^,]*,db=[^,]*,app=.*?,state=\w{5} ([A-Z]+):  /mg;
	like($text, qr/: user=,db=,app=[^,]*,state=\w{5} LOG:  lockstep: the file "[^"\n]*" is not used: [^\n]+$/m, 'a worker has the prefix, too, and says it in one line');
	# As the page shows it, with a report for programs.
	(my $command = $pgbadger_sh) =~ s{postgresql\.log}{'$log'} or die;
	$command =~ s{pgbadger -f}{'$pgbadger' -q -f} or die;
	$command =~ s{-o report\.html}{-x json -o '$scratch/report.json'} or die;
	my ($ok, $said) = run('', 'sh', '-c', "cd '$files' && $command");
	ok($ok && -s "$scratch/report.json", 'it reads the log') or return diag($said);
	my $report = decode_json(slurp_file("$scratch/report.json"));
	# It tells some of the server's own LOG lines, such as those of checkpoints, by themselves.
	is($report->{logs_type}{postgres}{$_}, $lines{$_}, "no $_ falls out") for qw(ERROR DETAIL HINT CONTEXT STATEMENT);
	my $groups = $report->{error_info}{postgres};
	for my $kind (@kinds)
	{
		my ($state, $message) = @$kind;
		my @found = grep { /$message/ } keys %$groups;
		is(scalar @found, 1, "$state: one kind of event is one group") or diag(join "\n", @found), next;
		my $group = $groups->{ $found[0] };
		is("$group->{count} $group->{sqlstate}[0]", "$times $state", '... with all of them');
		ok($group->{statement}[0], '... and its statement');
	}
	my ($short) = grep { /insufficient funds/ } keys %$groups;
	like($groups->{$short}{detail}[0], qr/^The balance is /, 'DETAIL is found');
	my ($again) = grep { /used for another request/ } keys %$groups;
	like($groups->{$again}{hint}[0], qr/^Use a new request id/, 'HINT is found');
	my ($gave_up) = grep { /serialization_failure/ } keys %$groups;
	like($groups->{$gave_up}{context}[0], qr/gives up/, 'CONTEXT is found, all of its lines');
	return;
}
# On a standby they run as well.
$node->backup('base');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'base', has_streaming => 1);
$standby->start;
$node->wait_for_catchup($standby);
$rows = asked('standby', $standby);
is(scalar @{ $rows->{$_} }, 5, "$_ has all databases") for 'lockstep_wraparound';
is(scalar @{ $rows->{lockstep_blocking} }, 3, 'nobody waits, and that is said');
$standby->stop;

# Without preload, the same queries: what is not counted is not there, and nothing fails.
$node->append_conf('postgresql.conf', q{shared_preload_libraries = ''});
$node->restart;
$rows = asked('not preloaded', $node);
is_deeply([ sort grep { !@{ $rows->{$_} } } keys %$rows ],
	[ qw(lockstep_announced lockstep_history lockstep_ledger lockstep_recent lockstep_retry lockstep_retry_health lockstep_uncounted) ],
	'what is counted in shared memory has no rows');
SKIP: {
	skip "postgres_exporter: $no_exporter", 2 unless $exporter;
	my $metrics = scrape();
	is(lines_of($metrics, 'pg_exporter_last_scrape_error'), '0', 'the exporter has no error then');
	is(lines_of($metrics, 'lockstep_blocking_roots', 'severity="notice"'), '0', '... and goes on with the others');
}
$node->stop;
done_testing();
