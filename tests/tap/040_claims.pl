# A queue of jobs that 16 sessions empty at once by lockstep.claim, each in transactions that claim some, do the work (a row in a log) and
# mark them as done. Some transactions are rolled back with their claims in hand, some sessions are terminated. In the end every job was
# done once, claims gave no more than was asked for, in order, no job was in two hands at one instant, and nobody met another error.
# The same under REPEATABLE READ, where a conflict (40001) is run again.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use POSIX ();
use Time::HiRes qw(sleep time);
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $jobs = $ENV{FULL} ? 100_000 : 20_000;
my $workers = 16;
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nlog_statement = none\nlog_min_error_statement = panic\n");
$node->start;
# Whoever has a job in hand has an advisory lock as well. Row locks end a little earlier than that with a transaction: a job is in two hands
# where somebody else has both for longer than an instant.
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TYPE job_state AS ENUM ('ready', 'done');
	CREATE TABLE jobs (id bigint PRIMARY KEY, state job_state NOT NULL, priority int NOT NULL, tries int NOT NULL DEFAULT 0);
	CREATE INDEX ON jobs (priority, id) WHERE state = 'ready';
	CREATE TABLE log (id bigint NOT NULL, pid int NOT NULL DEFAULT pg_backend_pid());
	CREATE FUNCTION holder(job bigint) RETURNS xid LANGUAGE SQL VOLATILE AS
	  $$SELECT max(backend_xid::text)::xid FROM pg_locks JOIN pg_stat_activity USING (pid)
	     WHERE locktype = 'advisory' AND (classid::bigint << 32) + objid::bigint = job AND objsubid = 1 AND granted$$;
	CREATE FUNCTION is_in_my_hands(job bigint) RETURNS boolean LANGUAGE plpgsql AS $$
	  DECLARE other xid;
	  BEGIN
	    WHILE NOT pg_try_advisory_xact_lock(job) LOOP
	      PERFORM pg_stat_clear_snapshot();
	      IF other = holder(job) THEN RETURN false; END IF;
	      other := holder(job); -- null: it is at its end
	      PERFORM pg_sleep(0.005);
	    END LOOP;
	    RETURN true;
	  END $$});

# A transaction, as lines for psql: it says "claim KEY PRIORITY FREE" for each job in hand, "failed STATE" of what fails, "done" after the commit.
sub program
{
	my ($isolation, $order_by, $most, $end) = @_;
	my $ordered = $order_by ? ", order_by => 'priority'" : '';
	my $text = "BEGIN ISOLATION LEVEL $isolation\n;\n"
	  . "SELECT 'claim', c.key, j.priority, is_in_my_hands(j.id) FROM lockstep.claim('jobs', $most, '{\"state\": \"ready\"}'$ordered)"
	  . " WITH ORDINALITY AS c(key, place), jobs AS j WHERE j.id = c.key::bigint ORDER BY c.place\n;\n"
	  . "\\if :ERROR\n\\echo failed :SQLSTATE\nROLLBACK\n;\n\\else\n";
	# The keys in hand are those of the advisory locks: the transaction takes no others.
	my $mine = "SELECT (classid::bigint << 32) + objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objsubid = 1";
	$text .= "INSERT INTO log $mine\n;\n\\if :ERROR\n\\echo failed :SQLSTATE\n\\endif\n"
	  . "UPDATE jobs SET state = 'done', tries = tries + 1 WHERE id IN ($mine)\n;\n\\if :ERROR\n\\echo failed :SQLSTATE\n\\endif\n";
	return "$text$end\n;\n\\if :ERROR\n\\echo failed :SQLSTATE\n\\else\n\\echo done\n\\endif\n\\endif\n";
}

# A worker goes on until its claims give nothing. Some of its sessions end in the middle: with jobs in hand it is terminated.
sub work
{
	my ($worker, $file, $isolation, $order_by) = @_;
	srand($seed + 100 * $worker);
	open my $out, '>', $file or die "$file: $!";
	my $number = 0;
	my $fresh = sub { my $s = Session->new($node, "worker${worker}_" . ++$number); $s->run("\\set VERBOSITY sqlstate"); return $s; };
	my $session = $fresh->();
	for (my $empty = 0; $empty < 3;)
	{
		my $most = 1 + int(rand(50));
		my $how = rand(100);
		my $end = $how < 10 ? 'ROLLBACK' : $how < 13 ? 'SELECT pg_terminate_backend(pg_backend_pid())' : 'COMMIT';
		my $killed = $end =~ /terminate/;
		my $said;
		if ($killed)
		{
			# psql ends with its connection: it cannot say that it has.
			$session->start(program($isolation, $order_by, $most, $end));
			eval { $session->{psql}->finish };
			$said = $session->{out};
			$session = $fresh->();
		}
		else { $said = $session->run(program($isolation, $order_by, $most, $end)); }
		my (@keys, @priorities, $strange);
		my $failed = '';
		for (split(/\n/, $said))
		{
			if (/^claim\|(\d+)\|(\d+)\|([tf])$/)
			{
				push @keys, $1;
				push @priorities, $2;
				print $out "strange job $1 is in two hands\n" if $3 eq 'f';
			}
			elsif (/^failed (\w+)$/) { $failed ||= $1; }
		}
		print $out "state $failed\n" if $failed;
		print $out 'strange ', $said =~ s/\n/ /gr, "\n" if !$failed && $said !~ ($killed ? qr/57P01|closed the connection|FATAL/ : qr/^done$/m);
		print $out "strange claim of $most gave ", scalar(@keys), "\n" if @keys > $most;
		for (1 .. $#keys)
		{
			my ($one, $next) = ($_ - 1, $_);
			my $way = $order_by ? $priorities[$one] <=> $priorities[$next] || $keys[$one] <=> $keys[$next] : $keys[$one] <=> $keys[$next];
			print $out "strange order: $keys[$one] ($priorities[$one]), $keys[$next] ($priorities[$next])\n" if $way >= 0;
		}
		print $out $failed ? 'again' : $killed ? 'killed' : $end eq 'ROLLBACK' ? 'undone' : 'done', ' ', scalar(@keys), "\n";
		# Those that others hold may come back.
		if (@keys || $failed || $killed) { $empty = 0; }
		else { $empty++; sleep(0.1); }
	}
	$session->close;
	close $out or die "$file: $!";
	return;
}

my $folder = PostgreSQL::Test::Utils::tempdir();
sub drain
{
	my ($name, $isolation, $order_by, $expected) = @_;
	$node->safe_psql('postgres', "TRUNCATE jobs, log;
		INSERT INTO jobs SELECT n, 'ready', hashint8(n + $seed) & 15 FROM generate_series(1, $jobs) AS n;
		ANALYZE jobs");
	my @children;
	for my $worker (1 .. $workers)
	{
		my $child = fork;
		die "fork: $!" unless defined $child;
		if (!$child)
		{
			my $fine = eval { work($worker, "$folder/$name.$worker", $isolation, $order_by); 1 };
			print STDERR $@ unless $fine;
			POSIX::_exit($fine ? 0 : 1);
		}
		push @children, $child;
	}
	my $failed = 0;
	for (@children) { waitpid($_, 0); $failed++ if $?; }
	is($failed, 0, "$name: every worker came to its end");
	my (%states, %ends, @strange);
	for my $worker (1 .. $workers)
	{
		for (split(/\n/, slurp_file("$folder/$name.$worker")))
		{
			if (/^state (\w+)/) { $states{$1}++; }
			elsif (/^(again|killed|undone|done) (\d+)$/) { $ends{$1}++ if $2 || $1 eq 'again'; }
			else { push @strange, $_; }
		}
	}
	diag("$name: ", join(', ', (map { "$ends{$_} $_" } sort keys %ends), map { "$states{$_} times $_" } sort keys %states));
	is(join("\n", @strange), '', "$name: no claim gave too many, in another order, or what somebody else had; nothing else happened");
	is(join(' ', grep { !$expected->{$_} } sort keys %states), '', "$name: no session met an error but what is expected");
	cmp_ok($ends{$_} || 0, '>', 0, "$name: transactions $_ with jobs in hand") for 'done', 'undone', 'killed';
	cmp_ok($states{40001} || 0, '>', 0, "$name: conflicts were run again") if $expected->{40001};
	cmp_ok($states{LS050} || 0, '<=', ($ends{done} || 0) / 100, "$name: hardly any claim had to be run again for a row that was busy");
	is($node->safe_psql('postgres', q{SELECT count(*), count(DISTINCT id), min(id), max(id) FROM log}), "$jobs|$jobs|1|$jobs", "$name: every job was done once");
	is($node->safe_psql('postgres', q{SELECT count(*) FROM jobs WHERE state <> 'done' OR tries <> 1}), '0', "$name: ... and marked once");
	is($node->safe_psql('postgres', 'SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()'), '0', "$name: no deadlock");
	return;
}

# LS050 is for a session that has come to a row in the very instant of a commit, behind one that did the same and then stands still for half
# a second: on a very slow machine.
drain('read_committed', 'READ COMMITTED', 0, { LS050 => 1 });
drain('by_priority', 'READ COMMITTED', 1, { LS050 => 1 });
# Beside a claim whose snapshot is older than another one's commit there is a conflict, which is run again.
drain('repeatable_read', 'REPEATABLE READ', 1, { 40001 => 1, LS050 => 1 });
unlike(slurp_file($node->logfile), qr/deadlock|40P01|PANIC|TRAP|signal/, 'the server has logged no deadlock, and no crash');
$node->stop;
done_testing();
