# What a session keeps for its calls is bounded: ten thousand batches of mixed sizes leave it as it was, and what a
# batch of a million takes is given back, but for lockstep.kept_memory.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Session;

plan skip_all => 'reads /proc/self/status, which this system has not' unless -r '/proc/self/status';

my $node = PostgreSQL::Test::Cluster->new('main');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nautovacuum = off\nmax_wal_size = 4GB\n");
$node->start;
$node->safe_psql('postgres', q{
	CREATE EXTENSION lockstep;
	CREATE TABLE accounts (id int PRIMARY KEY, balance bigint NOT NULL) WITH (fillfactor = 50);
	INSERT INTO accounts SELECT n, 1000000000 FROM generate_series(1, 1000) AS n;
	SELECT lockstep.register_ledger('accounts');
	CREATE FUNCTION batch(items int) RETURNS bigint LANGUAGE sql AS $$
		SELECT count(*) FROM lockstep.transfer_batch('accounts',
			(SELECT array_agg(1 + (i * 7 + 13) % 500) FROM generate_series(1, items) AS i),
			(SELECT array_agg(501 + i % 500) FROM generate_series(1, items) AS i),
			(SELECT array_agg(1) FROM generate_series(1, items)))
	$$;
	CREATE PROCEDURE batches(how_many int) LANGUAGE plpgsql AS $$
	BEGIN
		FOR n IN 1 .. how_many LOOP
			PERFORM batch(1 + n * 37 % 150);
			COMMIT;
		END LOOP;
	END $$;
});

my $session = Session->new($node, 'teller');
sub number { my ($sql) = @_; my $said = $session->run($sql); chomp $said; return $said; }
# Of the process alone, in kB: what it has in memory, and what the server says that its calls keep.
sub anonymous { return number(q{SELECT (regexp_match(pg_read_file('/proc/self/status'), 'RssAnon:\s+(\d+)'))[1]}); }
sub kept { return number(q{SELECT sum(total_bytes) / 1024 FROM pg_backend_memory_contexts WHERE name LIKE 'lockstep call%'}); }

my $rounded = 64;      # blocks have headers
my $allocator = 8192;  # what the C library may hold on to after so much came and went

number('CALL batches(300)');
my $before = anonymous();
cmp_ok(kept(), '<=', 8192 + $rounded, 'the session keeps what lockstep.kept_memory says');
is(number('CALL batches(10000)'), '', 'ten thousand batches of 1 to 150 items');
cmp_ok(anonymous() - $before, '<', 2048, 'the session has not grown with them');

is(number('SELECT batch(1000000)'), '1000000', 'a batch of a million');
cmp_ok(kept(), '<=', 8192 + $rounded, 'the session keeps no more after it');
number('SELECT batch(1)');
cmp_ok(anonymous() - $before, '<', 8192 + $allocator, 'and has given back the rest by the next call');

number(q{SELECT set_config('lockstep.kept_memory', '64kB', false) IS NULL});
is(number('SELECT batch(1000)'), '1000', 'a batch where little is kept');
cmp_ok(kept(), '<=', 64 + $rounded, 'little is kept then');
is(number(q{SELECT count(*) FROM lockstep.verify_ledger('accounts')}), '0', 'the ledger verifies');

$node->stop;
done_testing();
