# A psql session in the background: statements are sent, and may wait. The same on every server version.
#   my $s = Session->new($node, 'name', user => ..., dbname => ...);
#   $s->run('SELECT 1')     sends it and returns its output, errors included
#   $s->start('SELECT 1')   sends it and returns at once; $s->finish returns what it said in the end
#   $s->close               ends the session; $s->close_hard one that is in the middle of a statement
package Session;
use strict;
use warnings;
use IPC::Run ();
use PostgreSQL::Test::Utils ();

my $marks = 0;

sub new
{
	my ($class, $node, $name, %options) = @_;
	my $self = bless { in => '', out => '', name => $name, node => $node }, $class;
	my $conninfo = $node->connstr($options{dbname} || 'postgres') . " application_name=$name";
	$conninfo .= " user=$options{user}" if $options{user};
	$conninfo .= " replication=$options{replication}" if $options{replication};
	# For each statement, not for the session's life: a long script on a slow machine lasts longer.
	$self->{timeout} = IPC::Run::timeout($PostgreSQL::Test::Utils::timeout_default);
	$self->{psql} = IPC::Run::start([ 'psql', '-X', '-q', '-A', '-t', '-d', $conninfo ],
		'<', \$self->{in}, '>', \$self->{out}, '2>&1', $self->{timeout});
	$self->run('SELECT 1');
	return $self;
}

sub start
{
	my ($self, $sql) = @_;
	$self->{mark} = 'end of statement ' . ++$marks;
	$self->{out} = '';
	$self->{timeout}->start;
	$self->{in} .= "$sql\n;\n\\echo $self->{mark}\n";
	$self->{psql}->pump_nb while length $self->{in};
	return;
}

sub finish
{
	my ($self) = @_;
	$self->{timeout}->start;
	# With its newline, which may come later: it would be taken for an answer of the next statement.
	$self->{psql}->pump until $self->{out} =~ /^\Q$self->{mark}\E\n/m;
	(my $said = $self->{out}) =~ s/^\Q$self->{mark}\E\n//m;
	chomp $said;
	return $said;
}

sub run
{
	my ($self, $sql) = @_;
	$self->start($sql);
	return $self->finish;
}

sub close
{
	my ($self) = @_;
	$self->{timeout}->start;
	$self->{in} .= "\\q\n";
	eval { $self->{psql}->finish };
	return;
}

# Ends a session that is in the middle of a statement: its process is terminated first.
sub close_hard
{
	my ($self) = @_;
	$self->{node}->safe_psql('postgres', "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = '$self->{name}'");
	$self->{node}->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name = '$self->{name}'") or die "$self->{name} does not end";
	return $self->close;
}

# Waits until sessions of these names wait for a lock, so many in all.
sub wait_blocked
{
	my ($node, $count, $names) = @_;
	$node->poll_query_until('postgres', "SELECT count(*) >= $count FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name ~ '$names'")
	  or die "nobody of $names waits";
	return;
}

# Waits until the server has started its processes anew after a crash of a session, which it notices some time later.
sub wait_restarted
{
	my ($node, $since) = @_;
	$node->poll_query_until('postgres', "SELECT backend_start > '$since' FROM pg_stat_activity WHERE backend_type = 'checkpointer'")
	  or die 'the server does not come back';
	return;
}

# Waits until nobody of these names is there. Who was told that he is terminated is there for a moment longer, and so is a psql's process
# behind it; what he holds and what he has counted is given back by then.
sub wait_gone
{
	my ($node, $names) = @_;
	$node->poll_query_until('postgres', "SELECT count(*) = 0 FROM pg_stat_activity WHERE application_name ~ '$names'") or die "$names do not end";
	return;
}

# Waits until a setting that the server was told to read has come: to the next statement of every session, and to the checkpointer, who
# alone says whether commits wait for a standby. He reads it before a checkpoint; a first one may have begun before.
sub wait_reloaded
{
	my ($node, $setting, $value) = @_;
	$node->poll_query_until('postgres', "SELECT current_setting('$setting') = '$value'") or die "$setting does not become '$value'";
	$node->safe_psql('postgres', 'CHECKPOINT; CHECKPOINT');
	return;
}

1;
