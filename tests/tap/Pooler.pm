# A PgBouncer in front of a server, in transaction mode. It is ended with the test.
#   my $pooler = Pooler->new($node, 'max_prepared_statements = 100')    settings of its own, if any
#   $pooler->connstr, $pooler->host, $pooler->port
#   Pooler::version                        as 1.18 is told: 118; 0 where there is none
package Pooler;
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

my @running;

sub program
{
	my ($found) = grep { -x $_ } map { "$_/pgbouncer" } split(/:/, $ENV{PATH}), '/usr/sbin', '/usr/local/sbin';
	return $found;
}

sub version
{
	my $program = program() or return 0;
	return `$program --version` =~ /PgBouncer (\d+)\.(\d+)/ ? 100 * $1 + $2 : 0;
}

sub new
{
	my ($class, $node, @settings) = @_;
	my $user = getpwuid($<);
	my $self = bless { host => PostgreSQL::Test::Utils::tempdir_short(), port => PostgreSQL::Test::Cluster::get_free_port() }, $class;
	my ($host, $port, $said) = (@$self{qw(host port)}, '');
	append_to_file("$host/users", qq("$user" ""\n));
	append_to_file("$host/pgbouncer.ini", join("\n", '[databases]',
		'postgres = host=' . $node->host . ' port=' . $node->port . ' dbname=postgres', '[pgbouncer]', 'pool_mode = transaction',
		'default_pool_size = 2', 'listen_addr =', "listen_port = $port", "unix_socket_dir = $host", 'auth_type = trust',
		"auth_file = $host/users", "logfile = $host/log", @settings) . "\n");
	$self->{program} = IPC::Run::start([ program(), "$host/pgbouncer.ini" ], '<', \undef, '>&', \$said);
	push(@running, $self->{program});
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		my $answer = '';
		return $self if -S "$host/.s.PGSQL.$port"
			&& IPC::Run::run([ 'psql', '-X', '-d', $self->connstr, '-c', 'SELECT 1' ], '<', \undef, '>&', \$answer);
		select(undef, undef, undef, 0.1);
	}
	die "pgbouncer does not answer: $said";
}

sub host { my ($self) = @_; return $self->{host}; }
sub port { my ($self) = @_; return $self->{port}; }
sub connstr { my ($self) = @_; return "host=$self->{host} port=$self->{port} user=" . getpwuid($<) . ' dbname=postgres'; }

sub close { my ($self) = @_; eval { $self->{program}->kill_kill }; return; }

END
{
	my $status = $?;
	eval { $_->kill_kill } for @running;
	$? = $status;
}

1;
