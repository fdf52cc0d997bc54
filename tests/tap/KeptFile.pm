# The files that the module keeps below pg_stat: a header of 40 bytes, and items behind it (extension/pg/kept_file.c).
#   KeptFile::signed($bytes)    them with the checksum that fits, so that what else is wrong shows
package KeptFile;
use strict;
use warnings;

my ($header, $signature) = (40, 32);

# CRC-32C of the header before it and of the items.
sub checksum
{
	my ($bytes) = @_;
	my $crc = 0xffffffff;
	for my $byte (unpack 'C*', substr($bytes, 0, $signature) . substr($bytes, $header))
	{
		$crc ^= $byte;
		$crc = ($crc >> 1) ^ (0x82f63b78 & -($crc & 1) & 0xffffffff) for 1 .. 8;
	}
	return $crc ^ 0xffffffff;
}

sub signed
{
	my ($bytes) = @_;
	substr($bytes, $signature, 4) = pack 'L', checksum($bytes);
	return $bytes;
}

1;
