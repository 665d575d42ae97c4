package KiekerRecord;

=encoding utf8

=head1 NAME

KiekerRecord - what records of Kieker's record language share in Perl

=head1 SYNOPSIS

    use KiekerRecord;
    use kieker::common::record::flow::trace::operation::BeforeOperationEvent;

    my $record = kieker::common::record::flow::trace::operation::BeforeOperationEvent->new(1, 2, 0, 'f()', 'C');
    $writer->write($record->genoutput());

    my $stream = KiekerRecord::Stream->new(sub { print {$socket} $_[0] });
    $stream->put($record);
    KiekerRecord::read_binary($bytes, sub { my ($record) = @_; });

=head1 DESCRIPTION

Generated classes derive from KiekerRecord::Record. An object is a hash with the properties of the model as keys. Strings
are strings of characters, not of bytes. Whatever is no record makes these functions die. Readers know the classes that
were loaded; C<KiekerRecord::load> loads one by the name that it has in Java. For Perl 5.14 and later with integers of 64
bits, with core modules only.

=head1 METHODS OF RECORDS

=head2 $bytes = $record->pack($registry)

The values in binary form. C<$registry> gives strings their ids: a KiekerRecord::Registry, or anything with C<get_id>.

=head2 $record = CLASS->unpack($bytes, $registry)

Back again. In list context also the number of bytes that were read.

=head2 $text = $record->genoutput($id)

The values in text form behind the id of the class, by default its C<TYPE_ID>: C<id;value;value>.

=head2 $record = CLASS->from_text($text)

Back again. Takes lines of a Kieker log, too: C<$id;logging timestamp;value;value>.

=head2 $text = $record->line($id)

Such a line, without its end.

=head2 $record->logging_timestamp($new)

When the record came to be written; -1 when that is not known.

=cut

use strict;
use warnings;

our $VERSION = '1.0';
our $KIEKER_VERSION = '2.0.3';

# Classes by their names in Java
our %TYPES;

sub fail {
    my ($format, @values) = @_;
    die sprintf("KiekerRecord: $format\n", @values);
}

# --- what generated classes call ---

sub register {
    my ($class) = @_;
    $TYPES{$class->JAVA_CLASS} = $class;
    return;
}

sub make {
    my ($class, $values) = @_;
    $values->{'.timestamp'} = -1;
    return bless $values, $class;
}

# An array with a value everywhere; a dimension of 0 is empty.
sub filled {
    my ($value, $length, @inner) = @_;
    return [map { @inner ? filled($value, @inner) : $value } 1 .. $length];
}

# --- classes by name ---

# Loads the module of a class that is called so in Java. For names one trusts: loading runs code.
sub load {
    my ($java_class) = @_;
    return $TYPES{$java_class} if $TYPES{$java_class};
    fail('no name of a class: %s', $java_class) if $java_class !~ /\A[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*\z/a;
    my $file = ($java_class =~ s{\.}{/}gr) . '.pm';
    eval { require $file; 1 } or fail('no module for %s: %s', $java_class, $@);
    return $TYPES{$java_class} // fail('%s is no record', $java_class);
}

sub find {
    my ($java_class) = @_;
    return $TYPES{$java_class} // fail('unknown record: %s', $java_class);
}

# --- streams and logs ---

# Calls $use with each record of a stream. $find: the class for a name in Java, by default among those that are loaded.
# $registry: entries that are known before the stream begins.
sub read_binary {
    my ($bytes, $use, $find, $registry) = @_;
    $find //= \&find;
    my $deserializer = KiekerRecord::BinaryDeserializer->new($bytes, $registry);
    while ($deserializer->left) {
        my $kind = $deserializer->get_int;
        if ($kind == -1) {
            my ($id, $length) = ($deserializer->get_int, $deserializer->get_int);
            $deserializer->{registry}->put($id, from_utf8($deserializer->take($length)));
            next;
        }
        my $class = $find->($deserializer->{registry}->get_text($kind));
        my $timestamp = $deserializer->get_long;
        my $record = $class->deserialize($deserializer);
        $record->{'.timestamp'} = $timestamp;
        $use->($record);
    }
    return;
}

# The lines of a map file (a reference to a list of them), in bytes
sub read_map {
    my ($lines) = @_;
    my %escaped = (n => "\n", r => "\r", '\\' => '\\');
    my $registry = KiekerRecord::Registry->new;
    for my $line (@$lines) {
        next if $line =~ /\A[\r\n]*\z/;
        my ($id, $text) = from_utf8($line) =~ /\A\$?([0-9]{1,10})=(.*?)[\r\n]*\z/s or fail('no line of a map: %.80s', $line);
        $registry->put($id, $text =~ s/\\([nr\\])/$escaped{$1}/gr);
    }
    return $registry;
}

# Calls $use with each record of a log: lines of its data files and of its map, in bytes.
sub read_text {
    my ($lines, $map_lines, $use, $find) = @_;
    $find //= \&find;
    my $registry = read_map($map_lines);
    for my $line (@$lines) {
        next if $line =~ /\A[\r\n]*\z/;
        my ($id) = $line =~ /\A\$([0-9]{1,10});/ or fail('no line of a record: %.80s', $line);
        $use->($find->($registry->get_text($id))->from_text(from_utf8($line)));
    }
    return;
}

# The fields of a line. A backslash keeps the separator behind it, and both characters stay. Not by one expression for a
# field: Perl repeats a group some ten thousand times and then gives up.
sub split_line {
    my ($line) = @_;
    my @parts = split /;/, $line, -1;
    return @parts if index($line, '\\') < 0;
    my ($open, @fields);
    for my $part (@parts) {
        if   ($open) { $fields[-1] .= ";$part" }
        else         { push @fields, $part }
        my ($backslashes) = reverse($part) =~ /\A(\\*)/;
        $open = length($backslashes) % 2;
    }
    return @fields;
}

# --- numbers and text ---

# Digits as "%e" gives them in the form of Java's Double.toString
sub java_number {
    my ($scientific) = @_;
    my ($sign, $digits, $exponent) = $scientific =~ /\A(-?)([0-9.]+)e([-+][0-9]+)\z/;
    $digits =~ tr/.//d;
    $digits =~ s/0+\z//;
    return "${sign}0.0" if $digits eq '';
    return $sign . substr($digits, 0, 1) . '.' . (length $digits > 1 ? substr $digits, 1 : '0') . 'E' . (0 + $exponent)
        if $exponent < -3 || $exponent >= 7;
    return "${sign}0." . '0' x (-$exponent - 1) . $digits if $exponent < 0;
    $digits .= '0' x ($exponent + 2 - length $digits) if length $digits < $exponent + 2;
    return $sign . substr($digits, 0, $exponent + 1) . '.' . substr($digits, $exponent + 1);
}

my $infinity = 9**9**9;
# Not what "-0.0" is as a number.
my $minus_zero = unpack 'd>', "\x80\0\0\0\0\0\0\0";

sub special {
    my ($value) = @_;
    return $value != $value ? 'NaN' : $value == $infinity ? 'Infinity' : $value == -$infinity ? '-Infinity' : undef;
}

# As Double.toString writes it: the fewest digits, but at least two, that read back as the same number
sub java_double {
    my ($value) = @_;
    my $special = special($value);
    return $special if defined $special;
    for my $digits (1 .. 15) {
        my $text = sprintf '%.*e', $digits, $value;
        return java_number($text) if 0 + $text == $value;
    }
    return java_number(sprintf '%.16e', $value);
}

# As Float.toString writes it
sub java_float {
    my ($value) = @_;
    $value = unpack 'f>', float_bytes($value);
    my $special = special($value);
    return $special if defined $special;
    for my $digits (1 .. 7) {
        my $text = sprintf '%.*e', $digits, $value;
        return java_number($text) if nearest_float($text) == $value;
    }
    return java_number(sprintf '%.8e', $value);
}

my $largest_float = unpack 'f>', "\x7f\x7f\xff\xff";
# Half a step beyond it: what is less is rounded to it, which pack does not do.
my $beyond_floats = 3.4028235677973366e38;

sub to_float {
    my ($value) = @_;
    return $value < 0 ? -$infinity : $infinity if abs $value >= $beyond_floats;
    return $value < 0 ? -$largest_float : $largest_float if abs $value > $largest_float;
    return unpack 'f>', pack 'f>', $value;
}

sub float_bytes {
    my ($value) = @_;
    return "\x7f\xc0\0\0" if $value != $value;
    my $float = to_float($value);
    fail('%s does not fit a float', $value) if abs $float == $infinity && abs $value != $infinity;
    return pack 'f>', $float;
}

# The float that is nearest to a decimal number. Rounding twice, to double and then to float, goes wrong where the double
# lies in the middle between two floats and the number does not.
sub nearest_float {
    my ($text) = @_;
    my $value = 0 + $text;
    my $bits = unpack 'q>', pack 'd>', $value;
    if (($bits & 0x0fffffff) == 0 && $value != 0 && abs $value != $infinity) {
        require Math::BigFloat;
        # All digits of the double: no double has more than this.
        my $difference = Math::BigFloat->new($text)->babs->bcmp(Math::BigFloat->new(sprintf '%.1100f', abs $value));
        $value = unpack 'd>', pack 'q>', $bits + $difference if $difference;
    }
    return to_float($value);
}

# A string as it can stand in a line: separators and line ends replaced; an odd number of backslashes gets one more,
# because the last would take the separator behind it along.
sub text_of {
    my ($text) = @_;
    $text =~ tr/;\r\n\t/,   /;
    $text =~ s/(\\+)/length($1) % 2 ? "$1\\" : $1/ge;
    return writable($text);
}

# Halves of surrogate pairs, and what is beyond Unicode, have no UTF-8: Java writes a question mark, too.
sub writable {
    my ($text) = @_;
    no warnings 'utf8';
    $text =~ s/[^\x{0}-\x{d7ff}\x{e000}-\x{10ffff}]/?/g;
    return $text;
}

sub to_utf8 {
    my ($text) = @_;
    $text = writable($text);
    utf8::encode($text);
    return $text;
}

# Not by Encode: that refuses characters that Unicode has, but not for interchange.
sub from_utf8 {
    my ($bytes) = @_;
    my $text = $bytes;
    fail('a string is no UTF-8: %.80s', $bytes =~ s/[^ -~]/?/gr) if !utf8::decode($text) || writable($text) ne $text;
    return $text;
}

# --- integers ---

my %least = (8 => -128, 16 => -32768, 32 => -2147483648, 64 => -9223372036854775807 - 1);
my %most = (8 => 127, 16 => 32767, 32 => 2147483647, 64 => 9223372036854775807);

# What does not fit 64 bits would become a floating point number: digits are compared as text before.
sub integer {
    my ($value, $bits) = @_;
    my ($sign, $digits) = defined $value ? $value =~ /\A([-+]?)0{0,400}([0-9]{1,19})\z/a : ();
    fail('no integer of %d bits: %.40s', $bits, $value // 'undef')
        if !defined $digits || sprintf('%019s', $digits) gt '922337203685477580' . ($sign eq '-' ? 8 : 7);
    my $number = $sign eq '-' ? 0 + "-$digits" : 0 + $digits;
    fail('%s does not fit %d bits', $value, $bits) if $number < $least{$bits} || $number > $most{$bits};
    return $number;
}

sub unit {
    my ($value) = @_;
    fail('no char: %.40s', $value // 'undef') if !defined $value || length $value != 1 || ord $value > 0xffff;
    return ord $value;
}

# --- arrays ---

# Lengths of the dimensions, outer to inner; those that $shape has as 0 travel.
sub put_array {
    my ($serializer, $array, $shape, $put) = @_;
    my ($row, @lengths) = ($array);
    for my $length (@$shape) {
        push @lengths, $row ? scalar @$row : $length;
        $row = $row && @$row && ref $row->[0] ? $row->[0] : undef;
    }
    for my $i (0 .. $#lengths) {
        $serializer->put_int($lengths[$i]) if !$shape->[$i];
        fail('an array has %d elements instead of %d', $lengths[$i], $shape->[$i])
            if $shape->[$i] && $lengths[$i] != $shape->[$i];
    }
    put_rows($array, $put, @lengths);
    return;
}

sub put_rows {
    my ($array, $put, $length, @inner) = @_;
    fail('no array where one has to be') if ref $array ne 'ARRAY';
    fail('rows of an array differ in length: %d and %d', scalar @$array, $length) if @$array != $length;
    for my $item (@$array) {
        if   (@inner) { put_rows($item, $put, @inner) }
        else          { $put->($item) }
    }
    return;
}

# Rows without elements cost no bytes; so many are believed.
my $empty_rows = 65536;

# Nothing is made before it is clear that there is enough left for it.
sub get_array {
    my ($deserializer, $shape, $element_bytes, $get) = @_;
    my @lengths = map { $_ || $deserializer->get_int } @$shape;
    my ($elements, $rows, $most_rows) = (1, 1, 0);
    for my $i (0 .. $#lengths) {
        fail('an array has a negative length: %d', $lengths[$i]) if $lengths[$i] < 0;
        $elements *= $lengths[$i];
        $rows *= $lengths[$i];
        $most_rows = $rows if $i < $#lengths && $rows > $most_rows;
    }
    fail('an array is longer than its record: %s', join ' x ', @lengths)
        if $elements * $element_bytes > $deserializer->left || (!$elements && $most_rows > $empty_rows);
    return get_rows($get, @lengths);
}

sub get_rows {
    my ($get, $length, @inner) = @_;
    return [map { @inner ? get_rows($get, @inner) : $get->() } 1 .. $length];
}

# --- records ---

package KiekerRecord::Record;

sub logging_timestamp {
    my ($self, @new) = @_;
    $self->{'.timestamp'} = $new[0] if @new;
    return $self->{'.timestamp'};
}

sub pack {    ## no critic (ProhibitBuiltinHomonyms)
    my ($self, $registry) = @_;
    my $serializer = KiekerRecord::BinarySerializer->new($registry);
    $self->serialize($serializer);
    return $serializer->{bytes};
}

sub unpack {    ## no critic (ProhibitBuiltinHomonyms)
    my ($class, $bytes, $registry) = @_;
    my $deserializer = KiekerRecord::BinaryDeserializer->new($bytes, $registry);
    my $record = $class->deserialize($deserializer);
    return wantarray ? ($record, $deserializer->{position}) : $record;
}

sub genoutput {
    my ($self, $id) = @_;
    my $serializer = KiekerRecord::TextSerializer->new;
    $self->serialize($serializer);
    return join ';', $id // $self->TYPE_ID, @{$serializer->{fields}};
}

sub line {
    my ($self, $id) = @_;
    my $serializer = KiekerRecord::TextSerializer->new;
    $self->serialize($serializer);
    return join ';', '$' . ($id // $self->TYPE_ID), $self->{'.timestamp'}, @{$serializer->{fields}};
}

sub from_text {
    my ($class, $text) = @_;
    $text =~ s/[\r\n]+\z//;
    my ($id, @fields) = KiekerRecord::split_line($text);
    my $deserializer = KiekerRecord::TextDeserializer->new(\@fields);
    my $timestamp = defined $id && $id =~ /^\$/ ? $deserializer->get_long : -1;
    my $record = $class->deserialize($deserializer);
    $record->{'.timestamp'} = $timestamp;
    return $record;
}

# --- strings and their ids ---

package KiekerRecord::Registry;

# $on_new is called with the id and the text of strings that were not known; ids count from 0.
sub new {
    my ($class, $on_new) = @_;
    return bless {ids => {}, texts => {}, next => 0, on_new => $on_new}, $class;
}

sub get_id {
    my ($self, $text) = @_;
    my $id = $self->{ids}{$text};
    return $id if defined $id;
    $id = $self->{next};
    $self->put($id, $text);
    $self->{on_new}->($id, $text) if $self->{on_new};
    return $id;
}

sub get_text {
    my ($self, $id) = @_;
    return $self->{texts}{0 + $id} // KiekerRecord::fail('no string has the id %d', $id);
}

# An entry as it came in; a new text takes the place of an old one.
sub put {
    my ($self, $id, $text) = @_;
    KiekerRecord::fail('a string has a negative id: %d', $id) if $id < 0;
    $self->{ids}{$text} = 0 + $id;
    $self->{texts}{0 + $id} = $text;
    $self->{next} = $id + 1 if $id >= $self->{next};
    return;
}

# --- records and the strings that they use, as they go over a connection ---

package KiekerRecord::Stream;

# $write gets the bytes.
sub new {
    my ($class, $write) = @_;
    my $registry = KiekerRecord::Registry->new(sub {
        my ($id, $text) = @_;
        my $bytes = KiekerRecord::to_utf8($text);
        $write->(pack('l>3', -1, $id, length $bytes) . $bytes);
    });
    return bless {write => $write, registry => $registry}, $class;
}

sub put {
    my ($self, $record) = @_;
    my $id = $self->{registry}->get_id($record->JAVA_CLASS);
    my $bytes = $record->pack($self->{registry});
    $self->{write}->(pack('l> q>', $id, KiekerRecord::integer($record->logging_timestamp, 64)) . $bytes);
    return;
}

# --- lines of a log ---

package KiekerRecord::Log;

# $write gets the lines of records (bytes: UTF-8), $write_map those that say what the ids stand for.
sub new {
    my ($class, $write, $write_map) = @_;
    my $registry = KiekerRecord::Registry->new(sub { $write_map->(KiekerRecord::to_utf8("\$$_[0]=$_[1]\n")) });
    return bless {write => $write, registry => $registry}, $class;
}

sub put {
    my ($self, $record) = @_;
    $self->{write}->(KiekerRecord::to_utf8($record->line($self->{registry}->get_id($record->JAVA_CLASS)) . "\n"));
    return;
}

# --- binary form ---

package KiekerRecord::BinarySerializer;

sub new {
    my ($class, $registry) = @_;
    return bless {bytes => '', registry => $registry // KiekerRecord::Registry->new}, $class;
}

sub put_boolean { $_[0]{bytes} .= $_[1] ? "\1" : "\0";                               return }
sub put_byte    { $_[0]{bytes} .= pack 'c', KiekerRecord::integer($_[1], 8);         return }
sub put_char    { $_[0]{bytes} .= pack 'n', KiekerRecord::unit($_[1]);               return }
sub put_short   { $_[0]{bytes} .= pack 's>', KiekerRecord::integer($_[1], 16);       return }
sub put_int     { $_[0]{bytes} .= pack 'l>', KiekerRecord::integer($_[1], 32);       return }
sub put_long    { $_[0]{bytes} .= pack 'q>', KiekerRecord::integer($_[1], 64);       return }
sub put_float   { $_[0]{bytes} .= KiekerRecord::float_bytes($_[1]);                  return }
sub put_string  { $_[0]{bytes} .= pack 'l>', $_[0]{registry}->get_id($_[1] // '');   return }

sub put_double {
    my ($self, $value) = @_;
    $self->{bytes} .= $value != $value ? "\x7f\xf8\0\0\0\0\0\0" : pack 'd>', $value;
    return;
}

sub put_array {
    my ($self, $array, $shape, $put) = @_;
    return KiekerRecord::put_array($self, $array, $shape, $put);
}

package KiekerRecord::BinaryDeserializer;

sub new {
    my ($class, $bytes, $registry) = @_;
    return bless {bytes => $bytes, position => 0, registry => $registry // KiekerRecord::Registry->new}, $class;
}

sub left { return length($_[0]{bytes}) - $_[0]{position} }

sub take {
    my ($self, $count) = @_;
    KiekerRecord::fail('the bytes end within a record') if $count < 0 || $count > $self->left;
    $self->{position} += $count;
    return substr $self->{bytes}, $self->{position} - $count, $count;
}

sub get_boolean { return $_[0]->take(1) eq "\1" ? 1 : 0 }
sub get_byte    { return unpack 'c',  $_[0]->take(1) }
sub get_char    { return chr unpack 'n', $_[0]->take(2) }
sub get_short   { return unpack 's>', $_[0]->take(2) }
sub get_int     { return unpack 'l>', $_[0]->take(4) }
sub get_long    { return unpack 'q>', $_[0]->take(8) }
sub get_float   { return unpack 'f>', $_[0]->take(4) }
sub get_double  { return unpack 'd>', $_[0]->take(8) }
sub get_string  { return $_[0]{registry}->get_text($_[0]->get_int) }

sub get_array {
    my ($self, $shape, $element_bytes, $get) = @_;
    return KiekerRecord::get_array($self, $shape, $element_bytes, $get);
}

# --- text form ---

package KiekerRecord::TextSerializer;

sub new {
    my ($class) = @_;
    return bless {fields => []}, $class;
}

sub add {
    my ($self, $text) = @_;
    push @{$self->{fields}}, $text;
    return;
}

sub put_boolean { return $_[0]->add($_[1] ? 'true' : 'false') }
sub put_byte    { return $_[0]->add(KiekerRecord::integer($_[1], 8)) }
sub put_short   { return $_[0]->add(KiekerRecord::integer($_[1], 16)) }
sub put_int     { return $_[0]->add(KiekerRecord::integer($_[1], 32)) }
sub put_long    { return $_[0]->add(KiekerRecord::integer($_[1], 64)) }
sub put_float   { return $_[0]->add(KiekerRecord::java_float($_[1])) }
sub put_double  { return $_[0]->add(KiekerRecord::java_double($_[1])) }
sub put_string  { return $_[0]->add(KiekerRecord::text_of($_[1] // '')) }

sub put_char {
    my ($self, $value) = @_;
    KiekerRecord::unit($value);
    return $self->add($value eq '\\' ? '/' : KiekerRecord::text_of($value));
}

sub put_array {
    my ($self, $array, $shape, $put) = @_;
    return KiekerRecord::put_array($self, $array, $shape, $put);
}

package KiekerRecord::TextDeserializer;

sub new {
    my ($class, $fields) = @_;
    return bless {fields => $fields, position => 0}, $class;
}

sub left { return @{$_[0]{fields}} - $_[0]{position} }

sub take {
    my ($self) = @_;
    KiekerRecord::fail('the line ends within a record') if !$self->left;
    return $self->{fields}[$self->{position}++];
}

# Digits for $read; what Double.parseDouble takes, but for numbers in hexadecimal.
sub number {
    my ($self, $read) = @_;
    my $text = $self->take;
    my ($sign, $special, $digits) =
        $text =~ /\A[\0- ]*([-+]?)(?:(NaN|Infinity)|((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)[fFdD]?)[\0- ]*\z/
        or KiekerRecord::fail('no number: %.40s', $text);
    my $value = defined $digits ? $read->($digits) : $special eq 'NaN' ? $infinity - $infinity : $infinity;
    return $value if $sign ne '-';
    return $value == 0 ? $minus_zero : -$value;
}

sub get_boolean { return lc $_[0]->take eq 'true' ? 1 : 0 }
sub get_byte    { return KiekerRecord::integer($_[0]->take, 8) }
sub get_short   { return KiekerRecord::integer($_[0]->take, 16) }
sub get_int     { return KiekerRecord::integer($_[0]->take, 32) }
sub get_long    { return KiekerRecord::integer($_[0]->take, 64) }
sub get_float   { return $_[0]->number(\&KiekerRecord::nearest_float) }
sub get_double  { return $_[0]->number(sub { return 0 + $_[0] }) }

# Fields that are missing at the end are empty strings to Kieker's reader.
sub get_string { return $_[0]->left ? $_[0]->take : '' }

sub get_char {
    my ($self) = @_;
    my $text = $self->take;
    KiekerRecord::unit($text);
    return $text;
}

sub get_array {
    my ($self, $shape, undef, $get) = @_;
    return KiekerRecord::get_array($self, $shape, 1, $get);
}

1;
