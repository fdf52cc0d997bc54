# row_versions beside pageinspect, VACUUM and the server's own reading: on random work of several sessions, with updates in and out of
# HOT chains, changed keys, deleted and inserted rows, locks, multixacts, savepoints, rollbacks, a prepared transaction and vacuums,
# every line pointer of the table that a reader may come to is listed once, under its key, with what pageinspect says of it; what is
# visible is what SELECT sees, in old snapshots too; what is removable is what VACUUM then takes away. LOCKSTEP_SEED=n runs that work alone.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init(allows_streaming => 1);
$node->append_conf('postgresql.conf', "max_prepared_transactions = 5\nautovacuum = off\nlock_timeout = '1s'\nlog_min_error_statement = panic\n");
$node->append_conf('pg_hba.conf', "local all all trust\nhost all all 127.0.0.1/32 trust");
$node->start;
sub value_of { my ($sql) = @_; return $node->safe_psql('postgres', $sql); }
value_of(q{
	CREATE EXTENSION lockstep;
	CREATE EXTENSION pageinspect;
	CREATE TABLE items (id int PRIMARY KEY, n int NOT NULL, place int NOT NULL, note text);
	CREATE INDEX ON items (place);
	-- What pageinspect says, a row for each line pointer in use.
	CREATE FUNCTION number_of(bytes bytea) RETURNS int LANGUAGE sql AS
	  $$SELECT get_byte($1, 0) + 256 * get_byte($1, 1)$$;
	CREATE VIEW lines AS
	  SELECT format('(%s,%s)', block, lp) AS place, CASE lp_flags WHEN 1 THEN 'normal' WHEN 2 THEN 'redirect' ELSE 'dead' END AS line,
	         CASE lp_flags WHEN 1 THEN t_ctid::text WHEN 2 THEN format('(%s,%s)', block, lp_off) END AS next,
	         t_xmin::text AS begun_by, t_xmax::text AS ended_by, number_of(t_attrs[1]) AS id, t_field3 AS command,
	         (SELECT array_agg(f ORDER BY f) FROM unnest(CASE lp_flags WHEN 1 THEN (heap_tuple_infomask_flags(t_infomask, t_infomask2)).raw_flags END) AS f) AS flags
	    FROM generate_series(0, pg_relation_size('items') / 8192 - 1) AS block,
	         LATERAL heap_page_item_attrs(get_raw_page('items', block::int), 'items') AS i
	   WHERE lp_flags <> 0;
	-- Where the key's index leads to.
	CREATE VIEW led_to AS
	  SELECT DISTINCT tid::text AS place FROM generate_series(1, pg_relation_size('items_pkey') / 8192 - 1) AS block,
	         LATERAL (SELECT * FROM bt_page_stats('items_pkey', block::int) WHERE type = 'l') AS leaf, LATERAL bt_page_items('items_pkey', block::int) AS entry,
	         LATERAL unnest(coalesce(entry.tids, ARRAY[entry.htid])) AS tid WHERE tid IS NOT NULL;
	CREATE VIEW versions AS
	  SELECT wanted AS id, version, chain, ctid::text AS place, line_pointer AS line, next_ctid::text AS next, xmin::text AS begun_by, xmin_fate,
	         cmin::text AS first_command, xmax::text AS ended_by, xmax_kind, xmax_fate, cmax::text AS last_command, multixact_members, heap_only, hot_updated,
	         (SELECT array_agg(f ORDER BY f) FROM unnest(infomask) AS f) AS flags, visible, why_visible, removable, kept_because
	    FROM generate_series(0, 40) AS wanted, lockstep.row_versions('items', wanted);
	CREATE TABLE found AS SELECT * FROM versions WITH NO DATA;
	-- Nobody needs it, the index does not lead to it (any more, or yet: an insert that failed), and to no other version of the key on its page.
	CREATE FUNCTION may_be_missed(l lines) RETURNS boolean LANGUAGE sql AS $$
	  SELECT l.place NOT IN (SELECT place FROM led_to) AND CASE l.line WHEN 'dead' THEN true WHEN 'normal' THEN
	         (pg_xact_status(l.begun_by::xid8) = 'aborted' OR 'HEAP_XMAX_COMMITTED' = ANY (l.flags))
	         AND NOT EXISTS (SELECT FROM found AS f WHERE f.id = l.id AND (f.place::point)[0] = (l.place::point)[0]) ELSE false END$$;
});
my $watch = Session->new($node, 'watch');
$watch->run(q{SET client_min_messages = error});

# What the function says, and what is different by each oracle; nothing where all is well.
sub differences
{
	$watch->run('TRUNCATE found; INSERT INTO found SELECT * FROM versions');
	my %said;
	$said{pageinspect} = $watch->run(q{
		WITH ours AS (SELECT place, line, next, begun_by, ended_by, CASE line WHEN 'normal' THEN id END AS id, flags FROM found),
		     theirs AS (SELECT place, line, next, begun_by, ended_by, id, flags FROM lines AS l WHERE NOT may_be_missed(l))
		(SELECT 'only ours', * FROM ours EXCEPT ALL SELECT 'only ours', * FROM theirs)
		UNION ALL (SELECT 'only theirs', * FROM theirs EXCEPT ALL SELECT 'only theirs', * FROM ours)});
	$said{commands} = $watch->run(q{SELECT f.place, first_command, last_command, command FROM found AS f JOIN lines USING (place)
		WHERE first_command::text <> command::text OR last_command::text <> command::text OR (first_command IS NOT NULL AND last_command IS NOT NULL)});
	$said{hot} = $watch->run(q{SELECT * FROM found WHERE (heap_only, hot_updated) IS DISTINCT FROM
		(CASE line WHEN 'normal' THEN 'HEAP_ONLY_TUPLE' = ANY (flags) END, CASE line WHEN 'normal' THEN 'HEAP_HOT_UPDATED' = ANY (flags) END)});
	$said{fates} = $watch->run(q{SELECT place, begun_by, xmin_fate, pg_xact_status(begun_by::xid8) FROM found WHERE line = 'normal' AND
		xmin_fate <> CASE WHEN flags @> '{HEAP_XMIN_COMMITTED,HEAP_XMIN_INVALID}' THEN 'frozen' ELSE pg_xact_status(begun_by::xid8) END
		OR (ended_by <> '0' AND NOT 'HEAP_XMAX_IS_MULTI' = ANY (flags) AND xmax_fate <> pg_xact_status(ended_by::xid8))});
	$said{members} = $watch->run(q{SELECT place, multixact_members FROM found WHERE 'HEAP_XMAX_IS_MULTI' = ANY (flags) AND ended_by <> '0' AND
		multixact_members IS DISTINCT FROM (SELECT array_agg(format('%s %s, %s', m.xid,
			CASE mode WHEN 'keysh' THEN 'key share' WHEN 'sh' THEN 'share' WHEN 'fornokeyupd' THEN 'no key update' WHEN 'forupd' THEN 'update'
			          WHEN 'nokeyupd' THEN 'updates' ELSE 'updates the key or deletes' END,
			replace(pg_xact_status(m.xid::text::xid8), 'in-progress', 'in progress')) ORDER BY n)
			FROM pg_get_multixact_members(ended_by::xid) WITH ORDINALITY AS m (xid, mode, n))});
	# The words differ by a hyphen.
	$said{fates} = join "\n", grep { !/in progress\|in progress$/ } split /\n/, $said{fates};
	# What was rolled back, and nothing leads to, has no chain, nor has what came from it; versions are numbered through.
	$said{chains} = $watch->run(q{WITH RECURSIVE
		leads AS (SELECT b.place AS before, f.place FROM found AS b JOIN found AS f ON (f.id, f.place) = (b.id, b.next) WHERE b.place <> f.place AND f.line = 'normal' AND
			(b.line = 'redirect' OR b.ended_by = f.begun_by OR EXISTS (SELECT FROM unnest(b.multixact_members) AS m WHERE m LIKE f.begun_by || ' updates%'))),
		left_over AS (SELECT place FROM found AS f WHERE xmin_fate = 'aborted' AND 'HEAP_UPDATED' = ANY (flags) AND NOT EXISTS (SELECT FROM leads WHERE leads.place = f.place)
			UNION SELECT leads.place FROM leads JOIN left_over ON leads.before = left_over.place)
		SELECT place FROM found WHERE line = 'normal' AND (chain IS NULL) <> (place IN (SELECT place FROM left_over))
		UNION ALL SELECT id::text FROM found WHERE line = 'normal' GROUP BY id HAVING min(version) <> 1 OR max(version) <> count(*) OR count(DISTINCT version) <> count(*)});
	$said{visible} = visible_to($watch);
	return join "\n", map { "$_: $said{$_}" } grep { $said{$_} ne '' } sort keys %said;
}

# In one session's own snapshot: the rows that SELECT sees, beside what is said to be visible.
sub visible_to
{
	my ($session) = @_;
	return $session->run(q{WITH ours AS (SELECT id, place FROM versions WHERE visible), theirs AS (SELECT id, ctid::text AS place FROM items)
		(SELECT 'only ours', * FROM ours EXCEPT SELECT 'only ours', * FROM theirs)
		UNION ALL (SELECT 'only theirs', * FROM theirs EXCEPT SELECT 'only theirs', * FROM ours)});
}

# What VACUUM takes away is what was said to be removable, and no more.
sub vacuum_differs
{
	$watch->run('TRUNCATE found; INSERT INTO found SELECT * FROM versions');
	$watch->run('VACUUM (DISABLE_PAGE_SKIPPING, INDEX_CLEANUP ON) items');
	return $watch->run(q{SELECT f.place, f.removable, f.kept_because, l.line FROM found AS f LEFT JOIN lines AS l ON (l.place, l.begun_by) = (f.place, f.begun_by) AND l.line = 'normal'
		WHERE f.line = 'normal' AND f.removable = (l.line IS NOT NULL)});
}

my %statements = (
	hot => sub { "UPDATE items SET n = n + 1 WHERE id = $_[0]" },
	moved => sub { "UPDATE items SET place = place + 1 WHERE id = $_[0]" },
	wide => sub { "UPDATE items SET note = repeat('x', " . int(rand(1500)) . ") WHERE id = $_[0]" },
	key => sub { "UPDATE items SET id = " . int(rand(40)) . " WHERE id = $_[0]" },
	delete => sub { "DELETE FROM items WHERE id = $_[0]" },
	insert => sub { "INSERT INTO items VALUES ($_[0], 0, 0)" },
	lock => sub { "SELECT FROM items WHERE id = $_[0] FOR " . ('UPDATE', 'NO KEY UPDATE', 'SHARE', 'KEY SHARE')[ rand 4 ] },
	key_share => sub { "SELECT FROM items WHERE id = $_[0] FOR KEY SHARE" });
my @kinds = (('hot') x 6, 'moved', 'moved', 'wide', 'key', 'delete', ('insert') x 3, ('lock') x 3, ('key_share') x 3);

my @seeds = $ENV{LOCKSTEP_SEED} ? ($ENV{LOCKSTEP_SEED}) : (1795790352, 1800007919, 1800015838, time);
for my $seed (@seeds)
{
	srand($seed);
	note("seed $seed");
	$watch->run('TRUNCATE items; INSERT INTO items SELECT i, 0, i FROM generate_series(0, 19) AS i');
	my @workers = map { Session->new($node, "worker$_") } 1 .. 3;
	$_->run("SET lock_timeout = '2ms'") for @workers;
	my (@open, @answers) = (0, 0, 0);
	my $old;
	for my $step (1 .. 120)
	{
		my $w = int rand 3;
		my $worker = $workers[$w];
		my $kind = $kinds[ rand @kinds ];
		if (!$open[$w]) { $worker->run('BEGIN' . (rand() < 0.3 ? ' ISOLATION LEVEL REPEATABLE READ' : '')); $open[$w] = 1; }
		$worker->run('SAVEPOINT s') if rand() < 0.8;
		my $said = $worker->run($statements{$kind}->(int rand 22));
		$worker->run('ROLLBACK TO s') if $said =~ /ERROR/ || rand() < 0.15;
		if (rand() < 0.35) { $worker->run(rand() < 0.25 ? 'ROLLBACK' : 'COMMIT'); $open[$w] = 0; }
		# The rows of a transaction, as it sees them itself.
		if ($step % 10 == 0)
		{
			my $differs = visible_to($worker);
			push @answers, "step $step: $differs" if $differs ne '' && $differs !~ /current transaction is aborted/;
		}
		if ($step % 15 == 0) { my $differs = differences(); push @answers, "step $step: $differs" if $differs ne ''; }
		if ($step % 40 == 0)
		{
			my $differs = vacuum_differs();
			push @answers, "vacuum at step $step: $differs" if $differs ne '';
			$differs = differences();
			push @answers, "after vacuum at step $step: $differs" if $differs ne '';
		}
		if ($step == 50) { $old = Session->new($node, 'old'); $old->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM items'); }
		if ($old && $step % 20 == 0) { my $differs = visible_to($old); push @answers, "old snapshot at step $step: $differs" if $differs ne ''; }
	}
	is(join("\n", @answers), '', "seed $seed: as pageinspect, SELECT and VACUUM have it");
	$_->close for @workers, $old;
	# psql is gone before its session is.
	$node->poll_query_until('postgres', q{SELECT count(*) = 0 FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND backend_type = 'client backend' AND coalesce(backend_xmin, backend_xid) IS NOT NULL})
		or die 'a session does not end';
	my $differs = vacuum_differs();
	is($differs, '', "seed $seed: and when all have ended");
	cmp_ok(value_of(q{SELECT count(*) FROM found}), '>', 20, "seed $seed: there was something to compare");
}
value_of('VACUUM FREEZE items');
is(differences(), '', 'frozen rows');
is(value_of(q{SELECT DISTINCT xmin_fate, why_visible FROM versions WHERE line = 'normal' AND ended_by = '0'}),
	'frozen|' . 'inserted before all snapshots; not deleted' , 'frozen is what they are said to be')
  if value_of(q{SELECT count(*) FROM versions WHERE why_visible ~ '^written'}) eq '0';

# Who keeps an old version, by name: the oldest of them.
value_of('TRUNCATE items; INSERT INTO items VALUES (1, 0, 0)');
my $kept = q{SELECT string_agg(coalesce(regexp_replace(kept_because, '\d{2,}', 'N', 'g'), removable::text), ', ' ORDER BY version) FROM versions WHERE id = 1};
value_of(q{BEGIN; UPDATE items SET n = n WHERE id = 99; CREATE TABLE other (); PREPARE TRANSACTION 'old one'});
value_of('UPDATE items SET n = n + 1 WHERE id = 1');
is(value_of($kept), "prepared transaction 'old one' may still need it, false", 'a prepared transaction keeps it');
my $reader = Session->new($node, 'reader');
$reader->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT FROM items');
value_of('UPDATE items SET n = n + 1 WHERE id = 1');
value_of(q{ROLLBACK PREPARED 'old one'});
is(value_of($kept), "session N reader may still need it, session N reader may still need it, false", 'a snapshot that followed it keeps as much when it has ended');
is($reader->run($kept), 'this session may still need it, this session may still need it, false', 'and says so itself');
value_of(q{SELECT pg_create_physical_replication_slot('standby')});
is(vacuum_differs(), '', 'VACUUM agrees');
$reader->run('COMMIT');
$reader->close;
is(value_of($kept), 'nobody needs it, and no VACUUM has come by yet, nobody needs it, and no VACUUM has come by yet, false', 'nobody any more');

# In a database of their own, others do not matter.
value_of('CREATE DATABASE apart');
my $apart = Session->new($node, 'apart', dbname => 'apart');
$apart->run('BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT 1');
value_of('UPDATE items SET n = n + 1 WHERE id = 1');
unlike(value_of($kept), qr/apart/, 'a snapshot in another database does not matter');
is(vacuum_differs(), '', 'VACUUM agrees');
$apart->close;

# Nothing is waited for: a locked table, a locked index, a locked partition.
value_of('CREATE TABLE parts (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE part PARTITION OF parts FOR VALUES FROM (0) TO (9)');
my $holder = Session->new($node, 'holder');
for my $case (['LOCK TABLE items', 'items', 'table "items"'], ['ALTER INDEX items_pkey SET (fillfactor = 80)', 'items', 'an index of table "items"'],
	['LOCK TABLE part', 'parts', 'table "part"'])
{
	my ($lock, $table, $what) = @$case;
	$holder->run("BEGIN; $lock");
	my ($status, $out, $said) = $node->psql('postgres', "SELECT * FROM lockstep.row_versions('$table', 1)", extra_params => [ '-v', 'VERBOSITY=verbose' ]);
	$holder->run('ROLLBACK');
	if ($lock =~ /^ALTER/ && $status == 0) { pass('an index that is altered may be read'); next; }
	like($said, qr/55P03: .*\Q$what\E is locked against reading/, "not waited for: $lock");
}
$holder->close;
is($watch->run(q{BEGIN; SELECT count(*) >= 1 FROM lockstep.row_versions('items', 1)}) . $watch->run(
	q{SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid() AND relation IN ('items'::regclass, 'items_pkey'::regclass)}) . $watch->run('ROLLBACK'),
	't0', 'no lock outlives the call');

# A standby: the same versions, and what its snapshots see.
$node->backup('copy');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($node, 'copy', has_streaming => 1);
$standby->start;
value_of(q{UPDATE items SET n = n + 1 WHERE id = 1; CREATE UNLOGGED TABLE fleeting (id int PRIMARY KEY)});
my $writer = Session->new($node, 'writer');
$writer->run(q{BEGIN; UPDATE items SET n = n + 1 WHERE id = 1});
value_of('SELECT pg_current_xact_id()');
$node->wait_for_catchup($standby, 'replay', $node->lsn('insert')) if value_of('SELECT pg_switch_wal() IS NOT NULL') eq 't';
my $there = Session->new($standby, 'there');
is(visible_to($there), '', 'on a standby: visible is what SELECT sees');
is($there->run(q{SELECT place, begun_by, ended_by, xmax_kind, xmax_fate, visible FROM versions WHERE id = 1}),
	value_of(q{SELECT place, begun_by, ended_by, xmax_kind, xmax_fate, visible FROM versions WHERE id = 1}), 'on a standby: the same versions, with the same fates');
like($there->run(q{SELECT FROM lockstep.row_versions('fleeting', 1)}), qr/has no rows during recovery/, 'on a standby: an unlogged table');
$there->close;
$writer->close;
$watch->close;
done_testing();
