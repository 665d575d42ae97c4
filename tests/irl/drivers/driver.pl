#!/usr/bin/env perl
# Generated Perl records travel: one party of roundtrip.py. Generated code is found through PERL5LIB.
#
#   driver.pl write VALUES BINARY TEXT MAP    reads VALUES, writes all three
#   driver.pl read-binary BINARY              prints VALUES
#   driver.pl read-text TEXT MAP              prints VALUES
#
# VALUES: a record a line, as driver.py describes it.
use strict;
use warnings;

use KiekerRecord;

my %from_token = (
    boolean => sub { $_[0] },
    (map { $_ => sub { 0 + $_[0] } } qw(byte short int long)),
    char => sub { chr $_[0] },
    float => sub { unpack 'f>', pack 'H8', $_[0] },
    double => sub { unpack 'd>', pack 'H16', $_[0] },
    string => sub { KiekerRecord::from_utf8(pack 'H*', substr $_[0], 1) },
);
my %to_token = (
    boolean => sub { $_[0] },
    (map { $_ => sub { $_[0] } } qw(byte short int long)),
    char => sub { ord $_[0] },
    float => sub { $_[0] != $_[0] ? '7fc00000' : unpack 'H8', pack 'f>', $_[0] },
    double => sub { $_[0] != $_[0] ? '7ff8000000000000' : unpack 'H16', pack 'd>', $_[0] },
    string => sub { 's' . unpack 'H*', KiekerRecord::to_utf8($_[0]) },
);

# Serializer and deserializer that carry tokens: the generated code itself turns records into values and back.
package Tokens;

sub new {
    my ($class, @tokens) = @_;
    return bless {tokens => [@tokens]}, $class;
}

for my $kind (keys %from_token) {
    no strict 'refs';
    *{"get_$kind"} = sub { $from_token{$kind}->(shift @{$_[0]{tokens}}) };
    *{"put_$kind"} = sub { push @{$_[0]{tokens}}, $to_token{$kind}->($_[1]) };
}

sub get_array {
    my ($self, $shape, undef, $get) = @_;
    my @lengths = (shift @{$self->{tokens}}) =~ /(\d+)/g;
    return KiekerRecord::get_rows($get, @lengths);
}

sub put_array {
    my ($self, $array, $shape, $put) = @_;
    my ($row, @lengths) = ($array);
    for my $length (@$shape) {
        push @lengths, $row ? scalar @$row : $length;
        $row = $row && ref $row->[0] ? $row->[0] : undef;
    }
    push @{$self->{tokens}}, '[' . join(',', @lengths) . ']';
    return KiekerRecord::put_rows($array, $put, @lengths);
}

package main;

sub open_file {
    my ($mode, $name) = @_;
    open my $file, $mode, $name or die "$name: $!\n";
    return $file;
}

sub lines_of {
    my ($name) = @_;
    my $file = open_file('<:raw', $name);
    return [<$file>];
}

sub write_all {
    my ($values, $binary, $text, $map) = @_;
    my ($bytes, $data, $names) = map { open_file('>:raw', $_) } $binary, $text, $map;
    my @writers = (KiekerRecord::Stream->new(sub { print {$bytes} $_[0] }),
                   KiekerRecord::Log->new(sub { print {$data} $_[0] }, sub { print {$names} $_[0] }));
    for my $line (@{lines_of($values)}) {
        chomp $line;
        my ($java_class, $timestamp, @tokens) = split / /, $line;
        my $tokens = Tokens->new(@tokens);
        my $record = KiekerRecord::load($java_class)->deserialize($tokens);
        die "too many tokens: $line\n" if @{$tokens->{tokens}};
        $record->logging_timestamp($timestamp);
        $_->put($record) for @writers;
    }
    close $_ or die "cannot write: $!\n" for $bytes, $data, $names;
    return;
}

sub show {
    my ($record) = @_;
    my $tokens = Tokens->new;
    $record->serialize($tokens);
    print join(' ', $record->JAVA_CLASS, $record->logging_timestamp, @{$tokens->{tokens}}), "\n";
    return;
}

my ($command, @names) = @ARGV;
if ($command eq 'write') {
    write_all(@names);
} elsif ($command eq 'read-binary') {
    my $file = open_file('<:raw', $names[0]);
    KiekerRecord::read_binary(do { local $/ = undef; <$file> }, \&show, \&KiekerRecord::load);
} else {
    KiekerRecord::read_text(lines_of($names[0]), lines_of($names[1]), \&show, \&KiekerRecord::load);
}
