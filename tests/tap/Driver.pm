# A program of drivers/ that holds one session: a command in, an answer out, both as references to what JSON can say.
#   my $driver = Driver->new('python3', "drivers/drive_psycopg.py", ...)
#   $driver->ask({ sql => 'SELECT 1' })      sends it and returns its answer
#   $driver->send(...), $driver->answer      the two halves of it
#   $driver->close                           ends it; $driver->kill without a word to the server
package Driver;
use strict;
use warnings;
use IPC::Run ();
use JSON::PP ();
use PostgreSQL::Test::Utils ();

sub new
{
	my ($class, @command) = @_;
	my $self = bless { in => '', out => '', err => '' }, $class;
	$self->{program} = IPC::Run::start(\@command, '<', \$self->{in}, '>', \$self->{out}, '2>', \$self->{err},
		IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default));
	$self->{pid} = eval { $self->ask({ sql => 'SELECT pg_backend_pid()' })->{rows}[0][0] };
	die "$command[1] does not answer: $@ $self->{err}" unless $self->{pid};
	return $self;
}

sub send
{
	my ($self, $command) = @_;
	$self->{in} .= JSON::PP->new->utf8->canonical->encode($command) . "\n";
	$self->{program}->pump_nb while length $self->{in};
	return;
}

sub answer
{
	my ($self) = @_;
	$self->{program}->pump until $self->{out} =~ /\n/;
	$self->{out} =~ s/^(.*)\n//;
	return JSON::PP->new->utf8->decode($1);
}

sub ask
{
	my ($self, $command) = @_;
	$self->send($command);
	return $self->answer;
}

sub close
{
	my ($self) = @_;
	eval { $self->{program}->finish };
	return;
}

sub kill
{
	my ($self) = @_;
	eval { $self->{program}->kill_kill(grace => 0.01) };
	return;
}

1;
