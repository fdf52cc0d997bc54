# The drawings of the lock graph, each read by the program that it is written for: Graphviz, Mermaid, a JSON
# parser. The sessions are real, and whatever has a name has one that means something in those languages.
use strict;
use warnings;
use utf8;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Encode qw(decode encode);
use IPC::Run;
use JSON::PP ();
use Session;

$ENV{PGCLIENTENCODING} = 'UTF8';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
# The cycle has to stay.
$node->append_conf('postgresql.conf', "deadlock_timeout = 1h\nmax_prepared_transactions = 5\nmax_connections = 40\n");
$node->start;

# Names and statements with a meaning to SQL, DOT, Mermaid or HTML. A role has 63 bytes, a gid has 199, and an
# application's name is ASCII in the end.
my %nasty = (
	database => q^d"b'\\;# [x]^,
	holder => qq^ro"le'\\ #1;\t<b>\n\x01\e[1m|{}[]\$\$x\$\$ end é☃^,
	waiter => q^direction LR %%{init: {}}%% --> n1^,
	cycle => q^: also behind 1, "x"]; style n1 fill:#000^,
	holder_app => q^a"'\\b; #35; &amp; <script>alert(1)</script> `x` n1-->n2^,
	waiter_app => q^end^,
	cycle_app => q^x: y, also behind 7; subgraph^,
	gid => qq^g'"\\i\nd\t#9829; </svg><!-- ]]> "] ; } -> n1 [label="x"]; %%{init: {"theme":"dark"}}%% direction TB click n1 href "x" 日本^,
	key => qq^k'"\\ey\n]|"| n1 : ^
);
my @statements = (
	q^/* "double" 'single' \\ back \\n \\" # ; <script>alert("x")</script> &amp; &lt; */^,
	qq^/* a\nb\tc\r\n  end\nsubgraph x\ndirection LR\nstyle n1 fill:#1;\n%%{init: {}}%%\n%% note */^,
	q^/* {} [] | $$x$$ end direction LR style x:#1; %%{init: {}}%% `m` **b** _i_ ~ */^,
	'/* ' . ('äöü☃日本語𝄞 "x" \\ ' x 2000) . ' */',
	q^/* ]"] --> n9["x"]; click n1 call f() ; classDef root fill:#000 */^,
	q^/* "]; } digraph x { n1 -> n2 [label="\\N\\G\\l"]; // */^
);

# A name, quoted for SQL and for a connection string.
sub identifier { my ($name) = @_; $name =~ s/"/""/g; return qq{"$name"}; }
sub literal { my ($text) = @_; $text =~ s/'/''/g; $text =~ s/\\/\\\\/g; return qq{E'$text'}; }
sub connection_value { my ($text) = @_; $text =~ s/(['\\])/\\$1/g; return encode('UTF-8', qq{'$text'}); }

sub sql { my ($database, $text) = @_; return $node->safe_psql($database, encode('UTF-8', $text)); }
sub from_json { my ($text) = @_; return JSON::PP->new->utf8->decode($text); }

my @sessions;
sub open_session
{
	my ($role, $application, $database) = @_;
	my $session = Session->new($node, connection_value($application), user => connection_value($role), dbname => $database // $nasty{database});
	$session->{pid} = $session->run('SELECT pg_backend_pid()');
	push @sessions, $session;
	return $session;
}

sub ask { my ($session, $statement) = @_; is($session->run(encode('UTF-8', $statement)), '', 'the waits begin'); return; }

# Sends a statement that has to wait, and returns when it does.
sub ask_and_wait
{
	my ($session, $statement) = @_;
	$session->start(encode('UTF-8', $statement));
	$node->poll_query_until('postgres', "SELECT count(*) = 1 FROM pg_stat_activity WHERE pid = $session->{pid} AND state = 'active' AND wait_event_type = 'Lock'")
	  or die "session $session->{pid} does not wait";
	return;
}

# From 19 on no name of a role has an end of line.
$nasty{holder} =~ tr/\n/\x02/ if $node->safe_psql('postgres', 'SHOW server_version_num') >= 190000;

# What is drawn.
my $database = $nasty{database};
sql('postgres', 'CREATE DATABASE ' . identifier($database) . " TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'");
sql('postgres', 'CREATE ROLE ' . identifier($nasty{$_}) . ' LOGIN') for qw(holder waiter cycle);
sql('postgres', 'CREATE ROLE looker');
sql($database, q{
	CREATE EXTENSION lockstep;
	CREATE TABLE "h""o't #1;" (key text PRIMARY KEY, v int);
	CREATE TABLE "queue] --> n1" (v int);
	CREATE TABLE ring (id int PRIMARY KEY, v int);
	CREATE TABLE held (id int PRIMARY KEY, v int);
	INSERT INTO ring VALUES (1, 0), (2, 0);
	INSERT INTO held VALUES (1, 0);
	GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
	INSERT INTO "h""o't #1;" VALUES (} . literal($nasty{key}) . ', 0)');

my $empty_before = sql($database, q{SELECT bool_and(line ~ '^nobody waits at 20') AND lockstep.lock_graph_json() -> 'nodes' = '[]' FROM lockstep.lock_tree_text() AS line});
is($empty_before, 't', 'nobody waits: a line that says so, no nodes');

# A hot row with three waiters.
my $hot = open_session($nasty{holder}, $nasty{holder_app});
my $update_hot = q{UPDATE "h""o't #1;" SET v = v + 1};
ask($hot, "BEGIN; $update_hot $statements[0]");
for my $n (0 .. 2)
{
	my $waiter = open_session($n == 1 ? $nasty{holder} : $nasty{waiter}, $nasty{waiter_app});
	ask_and_wait($waiter, "$statements[$n] $update_hot");
}

# A queue for a table: behind the one who wants all of it wait those who want little.
my $reader = open_session($nasty{waiter}, $nasty{holder_app});
ask($reader, q{BEGIN; LOCK TABLE "queue] --> n1" IN ACCESS SHARE MODE});
for my $n (0 .. 2)
{
	my $mode = $n == 0 ? 'ACCESS EXCLUSIVE' : 'ACCESS SHARE';
	my $waiter = open_session($nasty{holder}, $nasty{holder_app});
	ask($waiter, 'BEGIN');
	ask_and_wait($waiter, qq{$statements[$n + 3] LOCK TABLE "queue] --> n1" IN $mode MODE});
}

# A cycle.
my @ring = map { open_session($nasty{cycle}, $nasty{cycle_app}) } 1 .. 2;
ask($ring[$_], 'BEGIN; UPDATE ring SET v = 1 WHERE id = ' . ($_ + 1)) for 0 .. 1;
ask_and_wait($ring[0], "$statements[1] UPDATE ring SET v = 2 WHERE id = 2");
ask_and_wait($ring[1], "$statements[2] UPDATE ring SET v = 2 WHERE id = 1");

# A prepared transaction.
my $preparer = open_session($nasty{holder}, 'preparer');
ask($preparer, 'BEGIN; UPDATE held SET v = 1; PREPARE TRANSACTION ' . literal($nasty{gid}));
for my $n (0 .. 1)
{
	my $waiter = open_session($nasty{cycle}, 'x');
	ask($waiter, q{SET application_name = ''});
	ask_and_wait($waiter, "$statements[$n] UPDATE held SET v = v + 1 WHERE id = 1");
}
my $waiting = 3 + 3 + 2 + 2;
my $all = $waiting + 3; # the holder, the reader, the prepared transaction

# What the views say.
my $tree = from_json(sql($database, 'SELECT json_agg(t ORDER BY sort_key) FROM lockstep.lock_tree AS t'));
my @drawn = grep { defined $_->{node_id} } @$tree;
sub edges_of
{
	my ($view) = @_;
	return from_json(sql($database, qq{SELECT coalesce(json_agg(e), '[]') FROM (
		SELECT DISTINCT waiter_leader_pid AS waiter, coalesce(blocker_leader_pid, -(blocker_xid::text::bigint)) AS blocker, edge_kind AS kind
		  FROM lockstep.$view WHERE waiter_leader_pid IS DISTINCT FROM blocker_leader_pid) AS e}));
}
my $edges = edges_of('lock_graph');
my $all_edges = edges_of('lock_graph_all');
is(scalar(@drawn), $all, 'lock_tree has every session');
is(scalar(grep { $_->{in_cycle} } @drawn), 2, 'two of them in a cycle');
cmp_ok(scalar(@$edges), '>=', $waiting, 'every waiter has an edge');
cmp_ok(scalar(@$all_edges), '>', scalar(@$edges), 'there are edges that others imply');

# What a drawing has to say about a session: who it is; what the tree's line says, without the branch and the other
# parents; the statement in one line. How long something takes changes from one call to the next, and a control
# character in a name may be drawn as a blank, here or in the tree.
sub timeless { my ($text) = @_; $text =~ s/\b\d+ (?:s|min|h|d)\b(?: \d+ (?:s|min|h)\b)?/#time/g; return $text; }
sub drawn_as { my ($text) = @_; return join('', map { /[\x00-\x20\x7f]/ ? "[$_ \n]" : quotemeta } split(//, $text)); }

my %view = map { $_->{id} => $_ } @{ from_json(sql($database, q{
	SELECT json_agg(n) FROM (
		SELECT pid AS id, pid::text AS who, usename AS role, application_name AS app FROM pg_stat_activity
		UNION ALL
		SELECT -(transaction::text::bigint), 'prepared ''' || gid || '''', owner, '' FROM pg_prepared_xacts) AS n})) };
sub who_of { my ($id) = @_; return join(' ', grep { ($_ // '') ne '' } map { $view{$id}{$_} } qw(who role app)); }

sub label_of
{
	my ($line) = @_;
	my $who = drawn_as(who_of($line->{node_id}));
	my ($does) = $line->{tree_line} =~ /$who: (.*)$/s or fail("the tree's line names $line->{node_id}");
	$does =~ s/, also behind [-0-9, ]+(?: and \d+ more)?$//;
	my $label = $who . '\n' . drawn_as(timeless($does));
	my $query = $line->{query} // '';
	$query =~ s/[\x00-\x1f\x7f]/ /g;
	$query = length($query) > 60 ? substr($query, 0, 60) . '...' : $query =~ s/ +$//r;
	# What does not run now is the last one: what it holds may be from before.
	my $last = ($line->{state} // '') eq 'active' ? '' : 'last: ';
	return $query eq '' ? qr/^$label$/ : qr/^$label\n$last\Q$query\E *$/;
}

# Compares what a reader understood, {nodes => [{name, text}], edges => [{waiter, blocker, text, ...}]}, with the views.
sub check_drawing
{
	my ($what, $read, $expected_edges) = @_;
	my %id_of;
	is_deeply([ map { $_->{name} } @{ $read->{nodes} } ], [ map { "n$_" } 1 .. $all ], "$what: a node for every session");
	for my $n (0 .. $#drawn)
	{
		$id_of{ 'n' . ($n + 1) } = $drawn[$n]{node_id};
		my ($got, $expected) = (timeless($read->{nodes}[$n]{text} // ''), label_of($drawn[$n]));
		ok($got =~ $expected, "$what: label of $drawn[$n]{node_id}") or diag(encode('UTF-8', "got: $got\nexpected: $expected"));
	}
	my @got = sort map { "$id_of{$_->{waiter}} $id_of{$_->{blocker}} $_->{line} " . ($_->{text} // '') } @{ $read->{edges} };
	my @expected = sort map { "$_->{waiter} $_->{blocker} " . ($_->{kind} eq 'hard' ? 'solid ' : $_->{kind} eq 'soft' ? 'broken ' : "broken $_->{kind}") } @$expected_edges;
	is_deeply(\@got, \@expected, "$what: the edges");
}

sub drawing_of
{
	my ($function, $arguments, $from) = @_;
	return sql($from // $database, "SELECT lockstep.lock_graph_$function(" . ($arguments // '') . ')');
}

sub is_utf8
{
	my ($bytes, $what) = @_;
	my $copy = $bytes;
	ok(defined eval { decode('UTF-8', $copy, Encode::FB_CROAK) }, "$what: is UTF-8");
}

# Beyond max_nodes: the first sessions, and how many more there are.
sub check_cut
{
	my ($what, $read) = @_;
	is(scalar(@{ $read->{nodes} }), 3, "$what: two sessions and a note");
	like($read->{nodes}[$_]{text}, qr/^\Q$view{$drawn[$_]{node_id}}{who}\E /, "$what: session " . ($_ + 1)) for 0 .. 1;
	is($read->{nodes}[2]{text}, '... and ' . ($all - 2) . ' more', "$what: the rest is counted");
	is(scalar(grep { $_->{waiter} !~ /^n[12]$/ || $_->{blocker} !~ /^n[12]$/ } @{ $read->{edges} }), 0, "$what: edges between the two only");
	my %two = map { $drawn[$_]{node_id} => 1 } 0 .. 1;
	is(scalar(@{ $read->{edges} }), scalar(grep { $two{ $_->{waiter} } && $two{ $_->{blocker} } } @$edges), "$what: as many as there are");
}

sub dot
{
	my ($text, $format) = @_;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'dot', "-T$format" ], '<', \$text, '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	# A user without a home has no cache of fonts.
	$err = join("\n", grep { !/fontconfig/i } split(/\n/, $err));
	return ($ok && $err eq '', $out, $err);
}

# What Graphviz understood. The labels are taken from its SVG, as they would be seen.
sub read_dot
{
	my ($text, $what) = @_;
	my ($ok, $out, $err) = dot($text, 'json');
	ok($ok, "$what: Graphviz takes it") or diag($err);
	my $graph = $ok ? from_json($out) : {};
	($ok, $out, $err) = dot($text, 'svg');
	ok($ok, "$what: drawn as SVG") or diag($err);
	my $svg = decode('UTF-8', $out);
	my %entity = (lt => '<', gt => '>', amp => '&', quot => '"', apos => "'");
	my %painted;
	while ($svg =~ m{<g id="\w+" class="node">\s*<title>(.*?)</title>(.*?)</g>}gs)
	{
		my ($name, $shapes) = ($1, $2);
		my @lines = map { s/&(?:#(\d+)|(\w+));/defined $1 ? chr($1) : $entity{$2}/ger } $shapes =~ m{<text[^>]*>(.*?)</text>}gs;
		$painted{$name} = join("\n", @lines) =~ tr/\xa0/ /r;
	}
	my @nodes = map { { name => $_->{name}, text => $painted{ $_->{name} }, gvid => $_->{_gvid}, style => $_->{style} // '' } } @{ $graph->{objects} // [] };
	is(scalar(keys %painted), scalar(@nodes), "$what: nodes in the SVG");
	is(scalar(() = $svg =~ /<g [^>]*class="edge"/g), scalar(@{ $graph->{edges} // [] }), "$what: edges in the SVG");
	unlike($out, qr/<script/, "$what: no mark-up of a label in the SVG");
	my %name = map { $_->{gvid} => $_->{name} } @nodes;
	my @edges = map { { waiter => $name{ $_->{tail} }, blocker => $name{ $_->{head} }, text => $_->{label},
		line => ($_->{style} // '') =~ /dashed|dotted/ ? 'broken' : 'solid' } } @{ $graph->{edges} // [] };
	return { nodes => \@nodes, edges => \@edges };
}

SKIP:
{
	my $out = '';
	skip('dot of Graphviz is missing (scripts/install-packages test)', 1)
		unless eval { IPC::Run::run([ 'dot', '-V' ], '>', \$out, '2>', \$out) };
	my $text = drawing_of('dot');
	is_utf8($text, 'dot');
	ok($text !~ /[\x00-\x09\x0b-\x1f\x7f]/, 'dot: no control character');
	my $read = read_dot($text, 'dot');
	check_drawing('dot', $read, $edges);
	for my $n (0 .. $#drawn)
	{
		my $look = $read->{nodes}[$n]{style} // '';
		my $bold = $look =~ /bold/ ? 1 : 0;
		is($bold, $drawn[$n]{depth} == 0 && !$drawn[$n]{in_cycle} ? 1 : 0, 'dot: ' . ($bold ? 'a root is bold' : 'no root is not bold'));
	}
	check_drawing('dot, not reduced', read_dot(drawing_of('dot', 'reduced => false'), 'dot, not reduced'), $all_edges);
	check_cut('dot, two nodes', read_dot(drawing_of('dot', 'max_nodes => 2'), 'dot, two nodes'));
	my $whole = read_dot(drawing_of('dot', "max_nodes => $all"), 'dot, just enough');
	is(scalar(@{ $whole->{nodes} }), $all, 'dot: no note where nobody is left out');
	my ($ok) = dot('digraph x { n1 [label="a"b"] ', 'json');
	ok(!$ok, 'dot: a broken text is refused');
}

# Mermaid reads several texts in one go.
SKIP:
{
	my $reader = ($ENV{LOCKSTEP_MERMAID} // '') ne '' ? "$ENV{LOCKSTEP_MERMAID}/read.mjs" : '';
	my $reason = ($ENV{LOCKSTEP_NO_MERMAID} // '') ne '' ? $ENV{LOCKSTEP_NO_MERMAID} : 'LOCKSTEP_MERMAID names no folder (scripts/tap sets it)';
	skip("the reader of Mermaid: $reason", 1) if $reader eq '';
	my $folder = PostgreSQL::Test::Utils::tempdir();
	my $whole = drawing_of('mermaid');
	is_utf8($whole, 'mermaid');
	ok($whole !~ /[\x00-\x09\x0b-\x1f\x7f]/, 'mermaid: no control character');
	my $open = $whole;
	$open =~ s/"\]/]/;
	my $quoted = $whole;
	$quoted =~ s/\["/["x"/;
	my @texts = ($whole, drawing_of('mermaid', 'reduced => false'), drawing_of('mermaid', 'max_nodes => 2'), $open, $quoted);
	append_to_file("$folder/$_.mmd", $texts[$_]) for 0 .. $#texts;
	my ($out, $err) = ('', '');
	my $ok = IPC::Run::run([ 'node', $reader, map { "$folder/$_.mmd" } 0 .. $#texts ], '>', \$out, '2>', \$err, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	ok($ok, 'mermaid: the reader runs') or diag($err);
	my @answers = map { from_json($_) } split(/\n/, $out);
	is(scalar(@answers), scalar(@texts), 'mermaid: an answer to each text');
	my @read;
	for my $answer (@answers)
	{
		push @read, {
			nodes => [ map { { %$_, name => $_->{id} } } @{ $answer->{nodes} // [] } ],
			edges => [ map { { %$_, line => $_->{stroke} eq 'dotted' ? 'broken' : 'solid' } } @{ $answer->{edges} // [] } ] };
	}
	for my $n (0 .. 2)
	{
		my $what = ('mermaid', 'mermaid, not reduced', 'mermaid, two nodes')[$n];
		is($answers[$n]{error} // '', '', "$what: Mermaid takes it");
		is($answers[$n]{type}, 'flowchart-v2', "$what: a flowchart");
		is($answers[$n]{direction}, 'BT', "$what: its direction");
		is_deeply($answers[$n]{config}, {}, "$what: no label configures it");
		is($answers[$n]{subgraphs}, 0, "$what: no label makes a group");
		is(scalar(grep { $_->{elements} != 0 || defined $_->{link} || @{ $_->{styles} // [] } } @{ $answers[$n]{nodes} // [] }), 0,
			"$what: no label makes mark-up, a link or a style");
	}
	check_drawing('mermaid', $read[0], $edges);
	for my $n (0 .. $#drawn)
	{
		my $look = $drawn[$n]{in_cycle} ? 'ring' : $drawn[$n]{depth} == 0 ? 'root' : '';
		is(join(' ', @{ $answers[0]{nodes}[$n]{classes} // [] }), $look, "mermaid: look of $drawn[$n]{node_id}");
	}
	check_drawing('mermaid, not reduced', $read[1], $all_edges);
	check_cut('mermaid, two nodes', $read[2]);
	like($answers[$_]{error} // '', qr/Parse error|Lexical error/, 'mermaid: a broken text is refused') for 3 .. 4;
}

# JSON.
{
	my $text = drawing_of('json');
	is_utf8($text, 'json');
	my $json = from_json($text);
	is_deeply([ sort keys %$json ], [qw(edges nodes snapshot_at)], 'json: what it holds');
	my %known = map { $_->{id} => $_ } @{ $json->{nodes} };
	is(scalar(keys %known), scalar(@{ $json->{nodes} }), 'json: ids are unique');
	is_deeply([ sort keys %known ], [ sort map { $_->{node_id} } @drawn ], 'json: a node for every session');
	is(scalar(grep { !$known{ $_->{waiter_id} } || !$known{ $_->{blocker_id} } } @{ $json->{edges} }), 0, 'json: edges lead from node to node');
	is_deeply([ sort map { "$_->{waiter_id} $_->{blocker_id} $_->{edge_kind}" } @{ $json->{edges} } ],
		[ sort map { "$_->{waiter} $_->{blocker} $_->{kind}" } @$edges ], 'json: the edges of lock_graph');
	for my $one (@{ $json->{nodes} })
	{
		my $prepared = $one->{id} < 0;
		is(encode('UTF-8', $one->{gid} // ''), $prepared ? encode('UTF-8', $nasty{gid}) : '', "json: gid of $one->{id}");
		is($one->{kind}, $prepared ? 'prepared' : 'backend', "json: kind of $one->{id}");
		is($one->{pid}, $prepared ? undef : $one->{id}, "json: pid of $one->{id}");
		is($one->{db}, $nasty{database}, "json: database of $one->{id}");
		is(encode('UTF-8', $one->{user_name}), encode('UTF-8', $view{ $one->{id} }{role}), "json: role of $one->{id}");
		is($one->{app} // '', $view{ $one->{id} }{app}, "json: application of $one->{id}");
	}
	is(scalar(grep { $_->{id} < 0 } @{ $json->{nodes} }), 1, 'json: one prepared transaction');
	# An edge has what its row has.
	my $rows = from_json(sql($database, 'SELECT json_agg(g) FROM lockstep.lock_graph AS g'));
	is_deeply([ sort keys %{ $json->{edges}[0] } ], [ sort keys %{ $rows->[0] }, qw(waiter_id blocker_id) ], 'json: the columns of lock_graph');
	my $in_order = sub {
		return [ sort map { my $row = $_; JSON::PP->new->ascii->canonical->encode([ map { $row->{$_} } grep { !/^(snapshot_at|wait_for|wait_for_seconds|waiter_id|blocker_id)$/ } sort keys %$row ]) } @_ ];
	};
	is_deeply($in_order->(@{ $json->{edges} }), $in_order->(@$rows), 'json: the rows of lock_graph');
}

# The tree. A line is a session, so no name ends one.
sub check_tree
{
	my ($what, $text, $branches) = @_;
	my @lines = split(/\n/, $text, -1);
	is(scalar(@lines), scalar(@$tree), "$what: a line for each row of lock_tree");
	for my $id (map { $_->{node_id} } @drawn)
	{
		my $who = $id < 0 ? q{prepared '} : "$id ";
		is(scalar(grep { /^(?:$branches)*\Q$who\E/ } @lines), 1, "$what: $id stands in one line");
	}
	my @headings = grep { /^cycle \d+: / } @lines;
	is_deeply(\@headings, ['cycle 1: 2 sessions wait for each other, blocks 2'], "$what: the cycle has a heading");
}
{
	my $bytes = sql($database, 'SELECT lockstep.lock_tree_text()');
	is_utf8($bytes, 'tree');
	my $text = decode('UTF-8', $bytes);
	check_tree('tree', $text, qr/│  |   |├─ |└─ /);
	is(encode('UTF-8', timeless($text)), encode('UTF-8', timeless(join("\n", map { $_->{tree_line} } @$tree))), 'tree: the lines of lock_tree');
	ok($text =~ /└─ /, 'tree: branches of a box');
}

# A page is a row a line: psql shows it as it is, no name ends a row, and joined it is what psql prints.
{
	my ($code, $out, $err) = $node->psql(encode('UTF-8', $database), 'SELECT * FROM lockstep.lock_tree_text()', extra_params => [ '-P', 'format=aligned', '-P', 'tuples_only=off', '-P', 'pager=off' ]);
	my ($heading, $rule, @rows) = split(/\n/, decode('UTF-8', $out));
	like($heading, qr/^ *LOCK TREE *$/, 'psql: the heading');
	like(pop @rows, qr/^\(${\ scalar(@$tree)} rows\)$/, 'psql: a row for each row of lock_tree');
	is(encode('UTF-8', timeless(join("\n", @rows))), encode('UTF-8', timeless(join("\n", map { " $_->{tree_line}" } @$tree))), 'psql: the tree as it is, without marks at its lines');
	for my $page (qw(lock_tree_text() lock_graph_dot() lock_graph_mermaid() transaction_audit()))
	{
		is(sql($database, "SELECT count(*) FILTER (WHERE line ~ '[\\x01-\\x1f\\x7f]'), count(line) = count(*) FROM lockstep.$page AS line"), '0|t', "$page: no row has a line break, or another control character");
		my ($text, $rows) = map { timeless($_) =~ s/[\d:.,]+/#/gr } sql($database, "SELECT string_agg(line, E'\\n') FROM lockstep.$page AS line"), sql($database, "SELECT lockstep.$page");
		is($text, $rows, "$page: one text, where one is wanted");
	}
	is(sql($database, 'SELECT count(*) FROM lockstep.lock_graph_dot()'), 5 + $all + @$edges, 'dot: a row for each node and edge');
}

# Files, as README saves them.
SKIP:
{
	(my $here = __FILE__) =~ s{[^/]*$}{.};
	my $examples = $ENV{LOCKSTEP_EXAMPLES} // "$here/../../examples";
	my $folder = PostgreSQL::Test::Utils::tempdir();
	local $ENV{PGHOST} = $node->host;
	local $ENV{PGPORT} = $node->port;
	local $ENV{PGDATABASE} = encode('UTF-8', $database);
	my $there = sub {
		my @command = @_;
		my $said = '';
		my $ok = IPC::Run::run(\@command, init => sub { chdir $folder or die }, '<', \undef, '>&', \$said, IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
		return ($ok, $said);
	};
	my ($ok, $said) = $there->('psql', '-X', '-v', 'ON_ERROR_STOP=1', '-f', "$examples/save_drawing.sql");
	ok($ok && $said eq '', 'files: psql saves them') or diag($said);
	for my $file ([ 'locks.dot', 'dot' ], [ 'locks.mmd', 'mermaid' ])
	{
		my ($name, $function) = @$file;
		is(timeless(slurp_file("$folder/$name")), timeless(drawing_of($function)) . "\n", "files: $name is the drawing");
	}
	my $out = '';
	skip('dot of Graphviz is missing (scripts/install-packages test)', 1)
		unless eval { IPC::Run::run([ 'dot', '-V' ], '>', \$out, '2>', \$out) };
	check_drawing('saved', read_dot(slurp_file("$folder/locks.dot"), 'saved'), $edges);
	($ok, $said) = $there->('sh', "$examples/save_drawing.sh");
	ok($ok, 'files: Graphviz draws it') or diag($said);
	is(scalar(() = slurp_file("$folder/locks.svg") =~ /<g [^>]*class="node"/g), $all, 'files: every session is in the drawing');
}

# Another encoding has other branches. The others' names stay what they are.
{
	sql('postgres', q{CREATE DATABASE plain TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C' LC_CTYPE 'C'});
	sql('plain', 'CREATE EXTENSION lockstep');
	my $text = decode('UTF-8', sql('plain', 'SELECT lockstep.lock_tree_text()'));
	check_tree('ASCII tree', $text, qr/\|  |   |\+- |`- /);
	ok($text !~ /[│├└─]/, 'ASCII tree: nothing of a box');
	ok($text =~ /^`- /m, 'ASCII tree: branches');
}

# What is asked for wrongly.
for my $function ('dot', 'mermaid')
{
	for my $case ([ 'max_nodes => 0', '22023' ], [ 'max_nodes => -1', '22023' ], [ 'max_nodes => NULL', '22004' ], [ 'reduced => NULL', '22004' ])
	{
		my ($arguments, $state) = @$case;
		my ($code, $out, $err) = $node->psql(encode('UTF-8', $database), "\\set VERBOSITY sqlstate\nSELECT lockstep.lock_graph_$function($arguments)");
		like($err, qr/ERROR:  $state/, "$function: refused: $arguments");
	}
}

# Whoever may not see the statements sees the graph without them.
{
	my $text = decode('UTF-8', sql($database, 'SET SESSION AUTHORIZATION looker; SELECT lockstep.lock_graph_dot()'));
	is(scalar(() = $text =~ /^  n\d+ \[/mg), $all, 'without rights: every session');
	ok($text !~ /UPDATE|LOCK TABLE/, 'without rights: no statement');
}

$node->stop('fast');
$_->close for @sessions;
done_testing();
