# The same answer five times: one seeded random work goes through the heap store, through the spi store, through spi
# key by key, through spi at REPEATABLE READ, and through spi with journals that are written by statements, too, on ledgers that start alike, and through a plain model of the contract in this
# file. Batches mix transfers and adjustments, with memos and without. After each statement the answers (or errors), the tables and the journals must be equal.
use strict;
use warnings;
use Digest::MD5 qw(md5_hex);
use Math::BigInt;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Storable qw(dclone);
use Test::More;
use Session;

my $seed = $ENV{LOCKSTEP_SEED} || int(rand(1_000_000_000));
my $steps = $ENV{LOCKSTEP_STEPS} || 70;
diag("seed $seed (LOCKSTEP_SEED)");
srand($seed);

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', 'fsync = off');
$node->start;

my @stores = (
	[ 'heap', q{SET lockstep.store = 'heap'} ],
	[ 'spi', q{SET lockstep.store = 'spi'} ],
	[ 'by_key', q{SET lockstep.store = 'spi_by_key'} ],
	[ 'repeatable', q{SET default_transaction_isolation = 'repeatable read'} ],
	[ 'noted', '', 'ADD CHECK (amount > 0)' ]); # what is done to the journals

# Bounds, amounts and versions are texts; undef is null. A row is [amount, floor, ceiling, version, frozen]. Both rows of a
# movement must have the same unit: 'x' where `units` says nothing else, or what stands last in the key.
my @uuids = map { sprintf('%08x-0000-4000-8000-%012x', hash_of($_), $_) } 1 .. 8;
my @ledgers = (
	{
		name => 'whole', type => 'bigint', scale => 0, least => '-9223372036854775808', most => '9223372036854775807',
		key => 'bigint', columns => 1, version => 'bigint', units => { 2 => 'y', 5 => undef, 6 => 'y' }, match => 'unit',
		rows => {
			1 => [ 500, 0, undef, 0, 0 ], 2 => [ 20, 0, 100, 5, 0 ], 3 => [ 0, undef, 60, undef, 0 ], 4 => [ 300, -50, undef, 7, 1 ],
			5 => [ 40, 0, 45, -3, 0 ], 6 => [ '9223372036854775700', 0, undef, 1, 0 ] },
		keys => [ 1 .. 8 ],
		amounts => [ 1 .. 30, '7.0', '200', '1e1' ], bad => [ 0, -5, '1.5', "'NaN'", "'Infinity'", '9223372036854775808' ],
	},
	{
		name => 'money', type => 'numeric(8,2)', scale => 2, least => '-999999.99', most => '999999.99',
		key => 'text', roomy => 1, floor => '-5.005', ceiling => '1000.009',
		rows => { "a" => ['100.00'], "A" => ['0.50'], "it''s" => ['999.99'], "\x{c3}\x{a4} b" => ['7.10'], "" => ['0.00'], 'z|z' => ['-4.99'] },
		keys => [ "a", "A", "it''s", "\x{c3}\x{a4} b", "", 'z|z', 'nobody', 'a ' ],
		amounts => [ '0.01', '1', '1.5', '1.50', '1.500', '2.25', '99.99', '12.3000', '250', '1e2' ], bad => [ '0.00', '-1', '1.505', "'NaN'", '1000000', "'-Infinity'" ],
	},
	{
		name => 'small', type => 'smallint', scale => 0, least => '-32768', most => '32767',
		key => 'uuid', no_floor => 1, columns => 1, version => 'smallint', no_bounds => 1,
		rows => { map { $uuids[ $_ - 1 ] => [ $_ == 1 ? 32700 : 100 * $_, undef, undef, $_ == 2 ? 32700 : 3, 0 ] } 1 .. 6 },
		keys => \@uuids,
		amounts => [ 1 .. 9, '3.00', '40' ], bad => [ 0, '32768', '0.1', '40000' ],
	},
	{
		name => 'middle', type => 'int', scale => 0, least => '-2147483648', most => '2147483647',
		key => 'int', ceiling => '2147483600', floor => '-2147483600',
		rows => { 1 => [2147483500], 2 => [-2147483500], 3 => [0], -4 => [17] },
		keys => [ 1, 2, 3, -4, 5 ],
		amounts => [ 1 .. 9, 50, 2147483000 ], bad => [ 0, '2147483648' ],
	},
	{
		name => 'free', type => 'numeric', key => 'varchar(20)', roomy => 1, ceiling => '100.5',
		rows => { map { $_ => [ $_ eq 'k1' ? '50' : '1.000' ] } map { "k$_" } 1 .. 5 },
		keys => [ map { "k$_" } 1 .. 6 ],
		amounts => [ '1', '0.5', '0.250', '0.0001', '10', '33.3' ], bad => [ 0, "'NaN'", '-0.001' ],
	},
	# More digits than 128 bits hold, and amounts on both sides of that.
	{
		name => 'tokens', type => 'numeric(60,18)', scale => 18, key => 'int', columns => 1, version => 'bigint', bound => 'numeric',
		least => '-' . '9' x 42 . '.' . '9' x 18, most => '9' x 42 . '.' . '9' x 18,
		rows => {
			1 => [ '9' x 42 . '.' . '9' x 18, 0, undef, 0, 0 ], 2 => [ '0.' . '0' x 18, 0, undef, 5, 0 ],
			3 => [ '1' . '0' x 20 . '.' . '0' x 18, '1' . '0' x 19, '1' . '0' x 30, 0, 0 ], 4 => [ '5' x 41 . '.' . '0' x 18, undef, undef, 7, 1 ],
			5 => [ '99999999999999999999.999999999999999999', '-' . '9' x 40, '3' . '0' x 40, -3, 0 ] },
		keys => [ 1 .. 6 ],
		amounts => [ '1', '0.000000000000000001', '1e20', '12345678901234567890.123456789012345678', '9' x 38, '1' . '0' x 40, '0.50' ],
		bad => [ 0, '-1e40', '0.0000000000000000001', "'NaN'", '1' . '0' x 42 ],
	},
	# A key of several columns: a row's text, as the journal shows it.
	{
		name => 'tenants', type => 'numeric(10,2)', scale => 2, least => '-99999999.99', most => '99999999.99',
		key => 'text', parts => [ 'tenant int', 'account text', 'currency varchar(3)' ], columns => 1, version => 'int', match => 'currency',
		rows => {
			'(7,cash,EUR)' => [ '500.00', 0, undef, 0, 0 ], '(7,cash,USD)' => [ '20.00', 0, 100, 5, 0 ], '(7,"a ""b"" (c), d",EUR)' => [ '0.00', undef, 60, undef, 0 ],
			'(-8,cash,EUR)' => [ '300.00', -50, undef, 7, 1 ], "(80,it''s,EUR)" => [ '40.00', 0, 45, -3, 0 ], '(80,"",EUR)' => [ '99999990.00', 0, undef, 1, 0 ] },
		keys => [ '(7,cash,EUR)', '(7,cash,USD)', '(7,"a ""b"" (c), d",EUR)', '(-8,cash,EUR)', "(80,it''s,EUR)", '(80,"",EUR)', '(8,cash,EUR)', '(7,"cash ",EUR)' ],
		amounts => [ 1 .. 30, '7.0', '0.25', '200', '1e1' ], bad => [ 0, -5, '1.505', "'NaN'", '100000000' ],
	});

sub hash_of { my ($n) = @_; return ($n * 2654435761 + 12345) % 4294967296; }
sub one_of { return $_[ int(rand(@_)) ]; }
sub chance { my ($percent) = @_; return rand(100) < $percent; }

# Exact decimals: [digits as one whole number, decimals].
sub decimal
{
	my ($text) = @_;
	my ($whole, $power) = split(/e/, $text);
	my ($sign, $digits, $rest) = $whole =~ /^(-?)(\d+)(?:\.(\d*))?$/ or die "not a number: $text";
	$rest = '' unless defined $rest;
	my $value = Math::BigInt->new("$sign$digits$rest");
	return [ $value * Math::BigInt->new(10)**$power, 0 ] if $power;
	return [ $value, length $rest ];
}
sub at_scale
{
	my ($d, $scale) = @_;
	return [ $d->[0] * Math::BigInt->new(10)**($scale - $d->[1]), $scale ] if $scale >= $d->[1];
	my $by = Math::BigInt->new(10)**($d->[1] - $scale);
	return undef unless ($d->[0] % $by)->is_zero;
	return [ $d->[0] / $by, $scale ];
}
sub larger { my ($x, $y) = @_; return $x > $y ? $x : $y; }
sub plus { my ($x, $y) = @_; my $s = larger($x->[1], $y->[1]); return [ at_scale($x, $s)->[0] + at_scale($y, $s)->[0], $s ]; }
sub minus { my ($x, $y) = @_; return plus($x, [ -$y->[0], $y->[1] ]); }
sub compare { my ($x, $y) = @_; my $s = larger($x->[1], $y->[1]); return at_scale($x, $s)->[0]->bcmp(at_scale($y, $s)->[0]); }
sub same { my ($x, $y) = @_; return defined $x ? defined $y && $x eq $y : !defined $y; }
sub shown
{
	my ($d) = @_;
	return '' unless defined $d;
	my $text = $d->[0]->copy->babs->bstr;
	if ($d->[1])
	{
		$text = '0' x ($d->[1] + 1 - length $text) . $text if length($text) <= $d->[1];
		substr($text, -$d->[1], 0) = '.';
	}
	return ($d->[0]->is_neg ? '-' : '') . $text;
}

sub unit_of
{
	my ($ledger, $key) = @_;
	return 'x' unless $ledger->{match};
	return $1 if $ledger->{parts} && $key =~ /(\w+)\)$/;
	return exists $ledger->{units}{$key} ? $ledger->{units}{$key} : 'x';
}

# The model of one ledger: rows, the journal's lines in order, and what is known of each id.
sub model_of
{
	my ($ledger) = @_;
	my %rows;
	for my $key (keys %{ $ledger->{rows} })
	{
		my ($amount, $floor, $ceiling, $version, $frozen) = @{ $ledger->{rows}{$key} };
		($floor, $ceiling) = ($ledger->{no_floor} ? undef : defined $ledger->{floor} ? $ledger->{floor} : 0, $ledger->{ceiling})
		  if !$ledger->{columns} || $ledger->{no_bounds};
		$rows{$key} = {
			amount => decimal($amount), frozen => $frozen, unit => unit_of($ledger, $key),
			floor => defined $floor ? decimal($floor) : undef,
			ceiling => defined $ceiling ? decimal($ceiling) : undef,
			version => defined $version ? Math::BigInt->new($version) : undef
		};
	}
	return { rows => \%rows, journal => [], ids => {} };
}

# The contract, in its order of checks. Errors are thrown as "state item"; an item of 0 is none.
sub fail_with { my ($state, $item) = @_; die "error $state $item\n"; }

sub checked_amount
{
	my ($ledger, $text, $item) = @_;
	my $amount = decimal($text);
	fail_with('LS007', $item) if $amount->[0] <= 0;
	return $amount unless defined $ledger->{scale};
	my $exact = at_scale($amount, $ledger->{scale}) or fail_with('LS007', $item);
	fail_with('22003', $item) if compare($exact, decimal($ledger->{most})) > 0;
	return $exact;
}

sub refusal_of
{
	my ($model, $item, $froms_after, $tos_after) = @_;
	my @legs = grep { defined } @$item{ 'from', 'to' };
	for my $key (@legs) { return 'LS003' unless $model->{rows}{$key}; }
	return 'LS008' if @legs == 2 && !same(map { $model->{rows}{$_}{unit} } @legs);
	for my $key (@legs) { return 'LS004' if $model->{rows}{$key}{frozen}; }
	if (defined $item->{expected})
	{
		my $version = $model->{rows}{ $legs[0] }{version};
		return 'LS030' unless defined $version && $version == $item->{expected};
	}
	if (defined $item->{from})
	{
		my $row = $model->{rows}{ $item->{from} };
		return 'LS001' if $row->{floor} && compare($froms_after, $row->{floor}) < 0;
	}
	if (defined $item->{to})
	{
		my $row = $model->{rows}{ $item->{to} };
		return 'LS002' if $row->{ceiling} && compare($tos_after, $row->{ceiling}) > 0;
	}
	return undef;
}

# The last whole unit of the column at or below an amount.
sub rounded_down
{
	my ($ledger, $d) = @_;
	return $d unless defined $ledger->{scale} && $d->[1] > $ledger->{scale};
	return [ $d->[0] / Math::BigInt->new(10)**($d->[1] - $ledger->{scale}), $ledger->{scale} ];    # rounds down
}

# What there is to be moved of the value: nothing where a bound leaves nothing, or the row is not there; then the bound is the refusal.
sub what_there_is
{
	my ($ledger, $value, $from, $to) = @_;
	my @rooms;
	push @rooms, minus($from->{amount}, $from->{floor}) if $from && $from->{floor};
	push @rooms, minus($to->{ceiling}, $to->{amount}) if $to && $to->{ceiling};
	for my $room (map { rounded_down($ledger, $_) } @rooms)
	{
		return $value if $room->[0] <= 0;
		$value = $room if compare($room, $value) < 0;
	}
	return defined $ledger->{scale} ? at_scale($value, $ledger->{scale}) : $value;
}

# Items: {from, to, amount, id, expected, at_most}; answers: [status, sqlstate, from_balance, to_balance].
sub run_items
{
	my ($ledger, $model, $items, $returns, $numbered) = @_;
	my $number = sub { return $numbered ? $_[0] + 1 : 0; };
	for my $i (0 .. $#$items)
	{
		fail_with('LS007', $number->($i)) if $items->[$i]{amount} =~ /NaN|Infinity/;
		$items->[$i]{value} = checked_amount($ledger, $items->[$i]{amount}, $number->($i));
	}
	my (%first, @answers);
	for my $i (0 .. $#$items)
	{
		my $item = $items->[$i];
		fail_with('LS006', $number->($i)) if defined $item->{from} && same($item->{from}, $item->{to});
		next unless defined $item->{id};
		my $first = $first{ $item->{id} };
		if (!defined $first) { $first{ $item->{id} } = $i; next; }
		my $other = $items->[$first];
		fail_with('LS040', $number->($i))
		  unless same($item->{from}, $other->{from}) && same($item->{to}, $other->{to}) && compare($item->{value}, $other->{value}) == 0;
	}
	for my $id (sort { $first{$a} <=> $first{$b} } keys %first)
	{
		my $i = $first{$id};
		my $item = $items->[$i];
		my $earlier = $model->{ids}{$id} or next;
		fail_with('LS010', $number->($i))
		  unless same($item->{from}, $earlier->{from}) && same($item->{to}, $earlier->{to}) && compare($item->{value}, $earlier->{asked}) == 0
		  && !$item->{at_most} == !$earlier->{at_most};
		$item->{value} = $earlier->{value};
		fail_with('LS012', $number->($i)) if $earlier->{refused} && !$returns;
		$answers[$i] = [ $earlier->{refused} ? ('refused', 'LS012') : ('replayed', ''), @$earlier{ 'from_balance', 'to_balance' } ];
	}
	for my $i (0 .. $#$items)
	{
		my $item = $items->[$i];
		next if $answers[$i] || defined $item->{id} && $first{ $item->{id} } != $i;
		my $from = defined $item->{from} ? $model->{rows}{ $item->{from} } : undef;
		my $to = defined $item->{to} ? $model->{rows}{ $item->{to} } : undef;
		my $asked = $item->{value};
		$item->{value} = what_there_is($ledger, $asked, $from, $to) if $item->{at_most};
		my $froms_after = $from ? minus($from->{amount}, $item->{value}) : undef;
		my $tos_after = $to ? plus($to->{amount}, $item->{value}) : undef;
		my $refused = refusal_of($model, $item, $froms_after, $tos_after);
		fail_with($refused, $number->($i)) if $refused && !$returns;
		$item->{value} = $asked if $refused;
		if (!$refused)
		{
			for ([ $from, $froms_after ], [ $to, $tos_after ])
			{
				my ($row, $after) = @$_;
				next unless $row;
				fail_with('22003', $number->($i))
				  if $ledger->{most} && (compare($after, decimal($ledger->{most})) > 0 || compare($after, decimal($ledger->{least})) < 0);
				$row->{amount} = $after;
				$row->{version}++ if defined $row->{version};
			}
		}
		my @balances = map { $_ ? shown($_->{amount}) : '' } $from, $to;
		$answers[$i] = [ $refused ? ('refused', $refused) : ('applied', ''), @balances ];
		$model->{ids}{ $item->{id} } = { %$item, asked => $asked, refused => $refused, from_balance => $balances[0], to_balance => $balances[1] } if defined $item->{id};
		push @{ $model->{journal} },
		  join('|', defined $item->{id} ? $item->{id} : 'made',
			(map { defined $_ ? (my $k = $_) =~ s/''/'/gr : '-' } @$item{ 'from', 'to' }),
			shown($item->{value}), @balances, $refused || '-', $item->{memo} || '-', $item->{at_most} ? shown($asked) : '-');
	}
	# Versions are counted in 64 bits, and written at the end.
	if ($ledger->{version} && $ledger->{version} eq 'smallint')
	{
		for my $row (values %{ $model->{rows} }) { fail_with('22003', 0) if $row->{version} > 32767; }
	}
	for my $i (0 .. $#$items)
	{
		next if $answers[$i];
		my $first = $answers[ $first{ $items->[$i]{id} } ];
		my $refused = $first->[1] ne '';
		$answers[$i] = [ $refused ? ('refused', 'LS012') : ('replayed', ''), @$first[ 2, 3 ] ];
	}
	return \@answers;
}

# Runs one statement on the model; the model is as before where it fails.
sub run_on_model
{
	my ($ledger, $model, $statement) = @_;
	my $before = dclone($model);
	my $items = dclone($statement->{items});
	my $answers = eval { run_items($ledger, $model, $items, $statement->{returns}, $statement->{kind} =~ /batch/) };
	if (!$answers)
	{
		my $error = $@;
		die $error unless $error =~ /^error/;
		%$model = %$before;
		chomp $error;
		return $error;
	}
	my $i = 0;
	# Of an adjustment one balance is told.
	my $told = sub { my ($item, $answer) = @_; return $statement->{kind} eq 'adjust_batch' ? @$answer[ 0, 1, defined $item->{from} ? 2 : 3 ] : @$answer; };
	return join("\n", map { my $item = $items->[ $i++ ]; join('|', $i, defined $item->{id} ? $item->{id} : 'made', $told->($item, $_)) } @$answers)
	  if $statement->{kind} =~ /batch/;
	my ($item, $answer) = ($items->[0], $answers->[0]);
	my $id = defined $item->{id} ? $item->{id} : 'made';
	return join('|', $id, @$answer[ 0, 1 ], shown($item->{value}), @$answer[ 2, 3 ]) if $statement->{kind} eq 'transfer';
	my $takes = defined $item->{from};
	return join('|', $id, @$answer[ 0, 1 ], ($takes ? '-' : '') . shown($item->{value}), $answer->[ $takes ? 2 : 3 ]);
}

# The statement as SQL.
sub sql_of
{
	my ($ledger, $statement) = @_;
	my $list = sub { my ($type, @values) = @_; return 'ARRAY[' . join(',', map { defined $_ ? $_ : 'NULL' } @values) . "]::$type\[]"; };
	# As text, or as a row of a type that has such columns.
	my $type = $ledger->{parts} && chance(50) ? "$ledger->{name}_parts" : $ledger->{key};
	my $key = sub { return "'$_[0]'::$type"; };
	my $id = sub { return defined $_[0] ? "'$_[0]'" : 'NULL'; };
	my @items = @{ $statement->{items} };
	if ($statement->{kind} =~ /batch/)
	{
		(my $keys = $type) =~ s/\(.*//;
		my $text = sub { return defined $_[0] ? "'$_[0]'" : 'NULL'; };
		my $takes = sub { my ($item) = @_; return (defined $item->{from} && $item->{amount} !~ /'/ ? '-' : '') . $item->{amount}; };
		my @arrays =
		  $statement->{kind} eq 'adjust_batch'
		  ? ($list->($keys, map { $text->(defined $_->{from} ? $_->{from} : $_->{to}) } @items), $list->('numeric', map { $takes->($_) } @items))
		  : ((map { my $leg = $_; $list->($keys, map { $text->($_->{$leg}) } @items) } qw(from to)), $list->('numeric', map { $_->{amount} } @items));
		my $memos = (grep { defined $_->{memo} } @items) ? ', memos => ' . $list->('jsonb', map { $text->($_->{memo}) } @items) : '';
		return "SELECT * FROM lockstep.$statement->{kind}('$ledger->{name}', " . join(', ', @arrays, $list->('uuid', map { $id->($_->{id}) } @items))
		  . ', ' . ($statement->{returns} ? 'false' : 'true') . "$memos)";
	}
	my $item = $items[0];
	my $rest = ', request_id => ' . $id->($item->{id}) . ', on_refusal => ' . ($statement->{returns} ? "'return'" : "'raise'");
	$rest .= ", memo => '$item->{memo}'" if $item->{memo};
	$rest .= ', at_most => true' if $item->{at_most};
	if ($statement->{kind} eq 'transfer')
	{
		$rest .= ", expected_from_version => $item->{expected}" if defined $item->{expected};
		return "SELECT request_id, status, sqlstate, amount, from_balance, to_balance FROM lockstep.transfer('$ledger->{name}', "
		  . $key->($item->{from}) . ', ' . $key->($item->{to}) . ", $item->{amount}$rest)";
	}
	$rest .= ", expected_version => $item->{expected}" if defined $item->{expected};
	my $takes = defined $item->{from};
	return "SELECT request_id, status, sqlstate, delta, balance FROM lockstep.adjust('$ledger->{name}', "
	  . $key->($takes ? $item->{from} : $item->{to}) . ', ' . ($takes ? '-' : '') . "$item->{amount}$rest)";
}

# What a session said, without what differs by nature: made ids (of version 7; ours are of 4), places in the source, statements of ours.
sub tidied
{
	my ($said) = @_;
	$said =~ s/^LOCATION:.*\n?//mg;
	$said =~ s/^CONTEXT:.*\n?(?:^(?!ERROR|DETAIL|HINT).*\n?)*//mg if $said =~ /^ERROR/;
	$said =~ s/^((?:\d+\|)?)[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\|/$1made|/mg;
	$said =~ s/\s+\z//;
	return $said;
}
# The same in the model's words.
sub in_short
{
	my ($said) = @_;
	return $said unless $said =~ /^ERROR:  (\w+):/;
	my $state = $1;
	return "error $state " . ($said =~ /^DETAIL:  Item (\d+) of the batch\./m ? $1 : 0);
}

sub shuffle
{
	my (@list) = @_;
	for (my $i = @list; --$i > 0;) { my $j = int(rand($i + 1)); @list[ $i, $j ] = @list[ $j, $i ]; }
	return @list;
}

my $made_ids = 0;
sub new_id { return sprintf('%08x-%04x-4%03x-8%03x-%012x', int(rand(4294967295)), int(rand(65536)), int(rand(4096)), int(rand(4096)), ++$made_ids); }

# An earlier item under its id, sometimes with something changed.
sub repeated
{
	my ($ledger, $known, $changes) = @_;
	my $item = { %{ one_of(@$known) } };
	delete @$item{ 'expected', 'memo' };
	return $item unless $changes;
	my $what = one_of(qw(from to amount at_most));
	if ($what eq 'at_most') { $item->{at_most} = !$item->{at_most}; return $item; }
	my $ignored = $what eq 'amount' ? ($item->{amount} = one_of(@{ $ledger->{amounts} })) : ($item->{$what} = one_of(@{ $ledger->{keys} }));
	return $item;
}

sub random_item
{
	my ($ledger, $known, $mishaps) = @_;
	return repeated($ledger, $known, 0) if @$known && chance(12);
	# Missing rows are the exception, or little would ever move.
	my @keys = $mishaps || chance(5) ? @{ $ledger->{keys} } : sort keys %{ $ledger->{rows} };
	my $from = one_of(@keys);
	my $to = one_of(grep { $_ ne $from } @keys);
	$to = $from if $mishaps && chance(2);
	my $amount = one_of(@{ $ledger->{amounts} });
	$amount = one_of(@{ $ledger->{bad} }) if $mishaps && chance(3);
	return { from => $from, to => $to, amount => $amount, id => chance(90) ? new_id() : undef };
}

# The same for a batch: sometimes with one leg alone, sometimes with a memo.
sub random_line
{
	my ($ledger, $known, $mishaps, $one_leg) = @_;
	my $item = random_item($ledger, $known, $mishaps);
	return $item if grep { defined $_->{id} && same($_->{id}, $item->{id}) } @$known;
	delete $item->{ one_of(qw(from to)) } if $one_leg || chance(20);
	$item->{memo} = '{"n": ' . int(rand(100)) . '}' if chance(20);
	return $item;
}

# Adjustments alone are sent by either function. (A change below zero could not be told from one of the other leg.)
sub kind_of
{
	my (@items) = @_;
	return 'transfer_batch' if grep { defined $_->{from} && defined $_->{to} || $_->{amount} =~ /^-/ } @items;
	return chance(70) ? 'adjust_batch' : 'transfer_batch';
}

# One statement: mostly a batch, sometimes a movement by itself.
sub random_statement
{
	my ($ledger, $known, $sent) = @_;
	my $returns = chance(60) ? 1 : 0;
	# An earlier batch again: all of it, or some of it in another order.
	if (@$sent && chance(12))
	{
		my @items = map { { %$_ } } @{ one_of(@$sent) };
		@items = (shuffle(@items))[ 0 .. int(rand(@items)) ] if chance(50);
		return { kind => kind_of(@items), returns => $returns, items => \@items };
	}
	# Mishaps end the whole batch, so most batches have none.
	my $mishaps = chance(15);
	if (chance(25))
	{
		my $item = random_item($ledger, [ grep { defined $_->{to} && defined $_->{from} } @$known ], $mishaps);
		my $kind = 'transfer';
		if (chance(40))
		{
			$kind = 'adjust';
			$item = { id => new_id(), amount => $item->{amount}, one_of(qw(from to)) => $item->{from} };
			my @known = grep { !defined $_->{to} || !defined $_->{from} } @$known;
			$item = { %{ one_of(@known) } } if @known && chance(20);
			$item->{amount} =~ s/^-//;
			$item->{amount} = 1 if $item->{amount} =~ /'/;
		}
		else
		{
			# A known one as a transfer where it was an adjustment, and so on.
			$item = repeated($ledger, $known, 1) if @$known && chance(10);
			$item = { %$item, from => $ledger->{keys}[0] } unless defined $item->{from};
			$item = { %$item, to => $ledger->{keys}[1] } unless defined $item->{to};
		}
		$item->{expected} = int(rand(12)) if $ledger->{version} && chance(40);
		$item->{memo} = '{"n": ' . int(rand(100)) . '}' if chance(30);
		my $is_known = grep { same($_->{id}, $item->{id}) } @$known;
		if (!$is_known && chance(50))
		{
			# Mostly all there is, so that the next one may find nothing.
			$item->{at_most} = 1;
			$item->{amount} = (sort { compare(decimal($b), decimal($a)) } @{ $ledger->{amounts} })[0] if $item->{amount} !~ /'|^-|^0/ && chance(70);
		}
		return { kind => $kind, returns => $returns, items => [$item] };
	}
	my $count = 1 + int(rand($returns ? 60 : one_of(1, 5, 60)));
	my $one_leg = chance(20);
	my @fit = grep { !$_->{at_most} && (!$one_leg || !defined $_->{to} || !defined $_->{from}) } @$known;
	my @items;
	for (1 .. $count)
	{
		# Within one batch: an id again, mostly with the same content.
		my @named = grep { defined $_->{id} } @items;
		if (@named && chance(6)) { push @items, repeated($ledger, \@named, $mishaps && chance(20)); next; }
		push @items, $mishaps && @fit && chance(3) ? repeated($ledger, \@fit, 1) : random_line($ledger, \@fit, $mishaps, $one_leg);
	}
	# A batch asks for amounts as they are: with the id of one that asked for what there is, it is LS010.
	delete $_->{at_most} for @items;
	return { kind => kind_of(@items), returns => $returns, items => \@items };
}

# What chance may leave out: each of the errors that a request earns by itself.
my @mistakes = ('LS006', 'LS007', 'LS010', 'LS040');
sub mistaken_statement
{
	my ($ledger, $known, $mistake) = @_;
	my @items = map { my $item = random_item($ledger, [], 0); +{ %$item, id => new_id() } } 1 .. 6;
	my $item = $items[3];
	if ($mistake eq 'LS006') { $item->{to} = $item->{from}; }
	elsif ($mistake eq 'LS007') { $item->{amount} = 0; }
	else
	{
		my ($other) = $mistake eq 'LS040' ? $items[1] : shuffle(grep { defined $_->{to} && defined $_->{from} && !$_->{at_most} } @$known);
		my ($to) = grep { $_ ne $other->{from} && $_ ne $other->{to} } @{ $ledger->{keys} };
		%$item = (%$other, to => $to);
	}
	return { kind => 'transfer_batch', returns => chance(50) ? 1 : 0, items => \@items };
}

my (%sessions, %count);
for (@stores)
{
	my ($store, $setting, $change) = @$_;
	$node->safe_psql('postgres', "CREATE DATABASE $store TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C' ENCODING 'UTF8'");
	$node->safe_psql($store, 'CREATE EXTENSION lockstep');
	for my $ledger (@ledgers)
	{
		my $version = $ledger->{version} || 'int';
		my $bound = $ledger->{bound} || 'bigint';
		my $columns = $ledger->{columns} ? ", least $bound, most $bound, version $version, frozen boolean" : '';
		my $columns_of_key = $ledger->{parts} ? join(', ', @{ $ledger->{parts} }) : "id $ledger->{key}";
		(my $names = $columns_of_key) =~ s/(\w+) [^,]+/$1/g;
		$node->safe_psql($store, "CREATE TYPE $ledger->{name}_parts AS ($columns_of_key)");
		my $rows = join(";\n", map {
				my ($amount, $floor, $ceiling, $version, $frozen) = @{ $ledger->{rows}{$_} };
				my $more = $ledger->{columns} ? ', ' . join(', ', map { defined $_ ? $_ : 'NULL' } $floor, $ceiling, $version, $frozen ? 'true' : 'false') : '';
				my $key = $ledger->{parts} ? "('$_'::$ledger->{name}_parts).*" : "'$_'";
				"INSERT INTO $ledger->{name} SELECT $key, $amount$more" } sort keys %{ $ledger->{rows} });
		my $bounds = !$ledger->{columns} || $ledger->{no_bounds}
		  ? 'floor => ' . ($ledger->{no_floor} ? 'NULL' : defined $ledger->{floor} ? $ledger->{floor} : 0)
		  . ', ceiling => ' . (defined $ledger->{ceiling} ? $ledger->{ceiling} : 'NULL')
		  : "floor_column => 'least', ceiling_column => 'most'";
		$bounds .= ", version_column => 'version', frozen_column => 'frozen'" if $ledger->{columns};
		$bounds .= ", match_columns => '{$ledger->{match}}'" if $ledger->{match};
		$rows .= join('', ";\nALTER TABLE $ledger->{name} ADD unit text DEFAULT 'x'",
			map { ";\nUPDATE $ledger->{name} SET unit = " . (defined $ledger->{units}{$_} ? "'$ledger->{units}{$_}'" : 'NULL') . " WHERE id = $_" } sort keys %{ $ledger->{units} })
		  if $ledger->{units};
		$node->safe_psql($store, qq{
			CREATE TABLE $ledger->{name} ($columns_of_key, amount $ledger->{type} NOT NULL$columns, PRIMARY KEY ($names));
			$rows;
			SELECT lockstep.register_ledger('$ledger->{name}', amount => 'amount', $bounds);});
		$node->safe_psql($store, "ALTER TABLE $ledger->{name}_journal $change") if $change;
	}
	$sessions{$store} = Session->new($node, $store, dbname => $store);
	$sessions{$store}->run("\\set VERBOSITY verbose\nSET client_encoding = 'UTF8';\n$setting");
}

# Both are one statement's answer, on all sessions at once.
sub on_all
{
	my ($sql) = @_;
	$sessions{ $_->[0] }->start($sql) for @stores;
	return map { $_->[0] => tidied($sessions{ $_->[0] }->finish) } @stores;
}

# The key of a row as text.
sub key_of_row
{
	my ($ledger) = @_;
	return 'id::text' unless $ledger->{parts};
	return 'ROW(' . join(', ', map { (split / /)[0] } @{ $ledger->{parts} }) . ')::text';
}

sub state_query
{
	my ($ledger) = @_;
	my $more = $ledger->{columns} ? q{, coalesce(version::text, '-'), frozen} : '';
	my $key = key_of_row($ledger);
	return qq{SELECT 'row', concat_ws('|', $key, amount$more) FROM $ledger->{name} ORDER BY $key COLLATE "C"}
	  . qq{;
		SELECT 'booked', concat_ws('|', CASE WHEN substr(request_id::text, 15, 1) = '7' THEN 'made' ELSE request_id::text END, coalesce(from_key::text, '-'),
			coalesce(to_key::text, '-'), amount, coalesce(from_balance::text, ''), coalesce(to_balance::text, ''), coalesce(refusal, '-'), coalesce(memo::text, '-'), coalesce(at_most::text, '-'))
		  FROM $ledger->{name}_journal ORDER BY entry};
}
sub model_state
{
	my ($ledger, $model) = @_;
	my @rows = map {
		my $row = $model->{rows}{$_};
		(my $key = $_) =~ s/''/'/g;
		join('|', 'row', $key, shown($row->{amount}), $ledger->{columns} ? (defined $row->{version} ? $row->{version} : '-', $row->{frozen} ? 't' : 'f') : ())
	} sort { ($a =~ s/''/'/gr) cmp($b =~ s/''/'/gr) } keys %{ $model->{rows} };
	return join("\n", @rows, map { "booked|$_" } @{ $model->{journal} });
}

# Tells the first line in which two texts differ.
sub tell_difference
{
	my ($who, $text, $other, $other_text) = @_;
	my @lines = split(/\n/, $text);
	my @others = split(/\n/, $other_text);
	my ($at) = grep { ($lines[$_] // 'none') ne ($others[$_] // 'none') } 0 .. larger($#lines, $#others);
	diag("line " . ($at + 1) . "\n$who: " . ($lines[$at] // 'none') . "\n$other: " . ($others[$at] // 'none'));
	return;
}

# Checks one answer of all stores; false where something differs, which is told.
sub check_answers
{
	my ($what, $sql, $expected, %said) = @_;
	my $first = $stores[0][0];
	for my $store (map { $_->[0] } @stores)
	{
		my $as_first = $said{$store} eq $said{$first};
		next if $as_first && in_short($said{$store}) eq $expected;
		fail("$what: $store says the same as " . ($as_first ? 'the model' : $first));
		diag($sql);
		tell_difference($store, $as_first ? in_short($said{$store}) : $said{$store}, $as_first ? ('model', $expected) : ($first, $said{$first}));
		return 0;
	}
	return 1;
}

LEDGER:
for my $ledger (@ledgers)
{
	my $model = model_of($ledger);
	my ($known, $sent) = ([], []);
	for my $step (1 .. $steps + @mistakes)
	{
		my $what = "$ledger->{name}, step $step";
		# Now and then several statements in one transaction, that may be rolled back in part or as a whole.
		my $mistake = $step > $steps ? $mistakes[ $step - $steps - 1 ] : undef;
		my $way = $mistake || chance(85) ? 'alone' : one_of(qw(commit rollback savepoint));
		my @statements = map { $mistake ? mistaken_statement($ledger, $known, $mistake) : random_statement($ledger, $known, $sent) } 1 .. ($way eq 'alone' ? 1 : 2);
		if ($ledger->{columns} && chance(10))
		{
			my $key = one_of(sort keys %{ $model->{rows} });
			my $frozen = chance(30) ? 'true' : 'false';
			on_all("UPDATE $ledger->{name} SET frozen = $frozen WHERE " . key_of_row($ledger) . " = '$key'");
			$model->{rows}{$key}{frozen} = $frozen eq 'true';
		}
		my $before = dclone($model);
		on_all('BEGIN') if $way ne 'alone';
		on_all('SAVEPOINT here') if $way eq 'savepoint';
		my $aborted = 0;
		for my $i (0 .. $#statements)
		{
			my $sql = sql_of($ledger, $statements[$i]);
			my $expected = $aborted ? 'error 25P02 0' : run_on_model($ledger, $model, $statements[$i]);
			if (!check_answers($what, $sql, $expected, on_all($sql)))
			{
				on_all('ROLLBACK');
				next LEDGER;
			}
			$count{ $statements[$i]{kind} }++ unless $expected =~ /^error/;
			$count{"at_most $1"}++ if $statements[$i]{items}[0]{at_most} && $expected =~ /(applied|replayed|LS00)[12]?/;
			$count{$1}++ while $expected =~ /((?:applied|replayed|refused|error)\W\w*)/g;
			$aborted = 1 if $way ne 'alone' && $expected =~ /^error/;
			if ($i == 0 && $way eq 'savepoint')
			{
				on_all('ROLLBACK TO here');
				$model = dclone($before);
				$aborted = 0;
			}
			push @$known, map { { %$_ } } grep { defined $_->{id} && $_->{amount} !~ /'/ } @{ $statements[$i]{items} };
		}
		on_all($way eq 'rollback' ? 'ROLLBACK' : 'COMMIT') if $way ne 'alone';
		$model = $before if $aborted || $way eq 'rollback';
		push @$sent, map { $_->{items} } grep { $_->{kind} =~ /batch/ } @statements;
		splice(@$known, 0, @$known - 300) if @$known > 300;
		my %state = on_all(state_query($ledger));
		for my $store (map { $_->[0] } @stores)
		{
			next if $state{$store} eq model_state($ledger, $model);
			fail("$what: table and journal of $store are the model's");
			diag(sql_of($ledger, $_)) for @statements;
			tell_difference($store, $state{$store}, 'model', model_state($ledger, $model));
			next LEDGER;
		}
	}
	pass("$ledger->{name}: $steps steps are the same through all stores and the model");
	my %verified = on_all("SELECT * FROM lockstep.verify_ledger('$ledger->{name}')");
	is(join('', values %verified), '', "$ledger->{name}: it verifies everywhere");
}
note(join(', ', map { "$count{$_} $_" } sort keys %count));
# Work that meets no refusal proves little.
cmp_ok($count{$_} || 0, '>', 0, "$_ was met")
  for ('transfer_batch', 'adjust_batch', 'at_most applied', 'at_most LS00', 'applied|', 'replayed|', map({ "refused|LS00$_" } 1 .. 4, 8), 'refused|LS012', 'error LS012', 'error 22003', map { "error $_" } @mistakes);
$_->close for values %sessions;
$node->stop;
done_testing();
