# Debian: libdbd-pg-perl. perl transfer_dbd_pg.pl
use strict;
use warnings;
use DBI;
use JSON::PP qw(decode_json encode_json);

my $transfer = 'SELECT status, from_balance, to_balance FROM lockstep.transfer(
    ?::text::regclass, ?::bigint, ?::bigint, ?::numeric, ?::uuid, memo => ?::jsonb)';
my $batch = 'SELECT status FROM lockstep.transfer_batch(
    ?::text::regclass, ?::bigint[], ?::bigint[], ?::numeric[], ?::uuid[])';
my $again = q{SELECT status FROM lockstep.transfer(
    'accounts', $1::bigint, $2::bigint, $3::numeric, $4::uuid)};

my $db = DBI->connect('dbi:Pg:', undef, undef, { AutoCommit => 1, RaiseError => 1, PrintError => 0 });
sub new_id { return $db->selectrow_array('SELECT gen_random_uuid()') }

my $rent = new_id();    # once for the intent
my $memo = encode_json({ for => 'rent' });
print join(' ', $db->selectrow_array($transfer, undef, 'accounts', 1, 2, '30.00', $rent, $memo)), "\n";
eval { $db->selectrow_array($transfer, undef, 'accounts', 1, 2, '500', new_id(), undef); 1 }
    or print $db->state, ' ', $db->pg_error_field('detail'), "\n";
my @lists = ([ 1, 2 ], [ 2, 1 ], [ '1', '1' ], [ new_id(), new_id() ]);
print join(' ', @{ $db->selectcol_arrayref($batch, undef, 'accounts', @lists) }), "\n";
my ($attempts, $last_error, $result) = $db->selectrow_array('CALL lockstep.retry(?, params => ?)',
    undef, $again, [ 1, 2, '30.00', $rent ]);
print "$attempts ", decode_json($result)->[0]{status}, "\n";
