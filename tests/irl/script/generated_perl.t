#!/usr/bin/env perl
# Perl that was generated from the models of this folder, and from Kieker's: what its classes do. Run by script.py with
# PERL5LIB at the generated code.
use strict;
use warnings;
use utf8;

use Test::More;

use KiekerRecord;
use demo::every::Arrays;
use demo::every::Bought;
use demo::every::Child;
use demo::every::Empty;
use demo::every::GrandChild;
use demo::every::Scalars;
use demo::every::Secret_Child;
use demo::every::Words;
use demo::lambda::Side;
use demo::model::Colour;
use y::q::m;

my $warnings = 0;
local $SIG{__WARN__} = sub { $warnings++; print STDERR @_ };

sub binary {
    my ($record) = @_;
    my $bytes = '';
    KiekerRecord::Stream->new(sub { $bytes .= $_[0] })->put($record);
    return $bytes;
}

sub records_of {
    my ($bytes) = @_;
    my @found;
    KiekerRecord::read_binary($bytes, sub { push @found, @_ });
    return @found;
}

sub text {
    my ($record) = @_;
    my (@lines, @names);
    KiekerRecord::Log->new(sub { push @lines, @_ }, sub { push @names, @_ })->put($record);
    return \@lines, \@names;
}

sub through_text {
    my ($record) = @_;
    my @found;
    KiekerRecord::read_text(text($record), sub { push @found, @_ });
    return $found[0];
}

sub refused {
    my ($code, $what) = @_;
    my $done = eval { $code->(); 1 };
    ok(!$done && $@ =~ /\AKiekerRecord: /, "refused: $what") or diag($done ? 'accepted' : $@);
    return;
}

# --- every record there is ---

my @modules = split /\n/, `find $ENV{PERL5LIB} -name '*.pm'`;
for my $module (@modules) {
    require $module =~ s{^\Q$ENV{PERL5LIB}\E/}{}r;
}
cmp_ok(scalar keys %KiekerRecord::TYPES, '>', 70, 'records');
my %ids;
for my $java_class (sort keys %KiekerRecord::TYPES) {
    my $class = $KiekerRecord::TYPES{$java_class};
    my $record = $class->new;
    $record->logging_timestamp('-9223372036854775808');
    my ($found) = records_of(binary($record));
    is_deeply($found, {%$record, map { $_ => $found->{$_} } grep { /\A(?:scratch|nextOrder(?:Id)?)\z/ } keys %$record}, "$java_class in binary");
    my $registry = KiekerRecord::Registry->new;
    cmp_ok(length $record->pack($registry), '>=', $class->SIZE, "$java_class has its least size");
    no strict 'refs';
    is(scalar @{"${class}::TYPES"}, scalar @{"${class}::VALUE_NAMES"}, "$java_class: types and names");
    ok(!$ids{$class->TYPE_ID}++, "$java_class has an id of its own");
}

# --- values ---

my $scalars = demo::every::Scalars->new;
is($scalars->flag, 1, 'boolean');
is($scalars->small, -128, 'byte');
is($scalars->middle, 49, 'no octal numbers');
is($scalars->large, '-9223372036854775808', 'the least long');
is(demo::every::Scalars->FAR, '9223372036854775807', 'the largest long');
is($scalars->wide, 1.7976931348623157e308, 'double');
is($scalars->text, "q\"u'o\\t\x{e9}\n\$x\@y\x{20ac}", 'string with everything');
is($scalars->plain, '', 'string without default');
is($scalars->version, $KiekerRecord::KIEKER_VERSION, 'version');
is($scalars->side, demo::lambda::Side->RIGHT, 'enum');
is_deeply(demo::every::Scalars->SQUARE, [[1, 2], [3, 4]], 'constant array');
is(demo::every::Words->BEGIN_, 4, 'constant named like a block');
is(demo::every::Words->x__hidden, 6, 'constant that begins with underscores');
push @{demo::every::Arrays->new->floats}, 1;
is_deeply(demo::every::Arrays->new->floats, [1.5, 2], 'defaults are not shared');
is_deeply(demo::every::Arrays->new->ragged, [[], []], 'neutral array');
is($scalars->genoutput(3), '3;true;-128;z;49;3;-9223372036854775808;1.0;1.7976931348623157E308;'
   . "q\"u'o\\\\t\x{e9} \$x\@y\x{20ac};;2.0.3;3.0;1;0", 'genoutput');

my $child = demo::every::Child->new('n', 1, 2, 's', demo::lambda::Side->RIGHT, 99, 'state', 4);
is(join(',', map { $child->$_ } qw(name label trace trace2 scratch state otherTrace)), 'n,n,2,2,99,state,4', 'accessors');
is(join(',', map { $child->nextOrder } 1 .. 3), '3,4,5', 'increments');
is($child->state('new'), 'new', 'changed');
is($child->name('new'), 'n', 'not changeable');
is(demo::every::Child->new(undef, undef, undef, undef)->signature, 'unknown', 'undef takes the default');
my ($found) = records_of(binary($child));
is(join(',', $found->scratch, $found->{nextOrder}), '0,0', 'transient values do not travel');
is_deeply(\@demo::every::Child::VALUE_NAMES, [qw(name x traceId signature side ticks state otherTrace)], 'names');
is_deeply(\@demo::every::Arrays::TYPES,
          ['boolean[2]', 'byte[]', 'char[]', 'short[3]', 'int[2][3]', 'int[2][]', 'int[][2]', 'long[][]', 'float[]', 'double[][2][]',
           'string[]', 'string[2]', 'enum Colour[]', 'enum Side[2][]'], 'types');
is(demo::every::Child->SIZE, 44, 'size');
is(demo::every::Child->JAVA_CLASS, 'demo.every.Child', 'class');

my $words = demo::every::Words->new(1 .. 32);
is(join(',', map { $words->$_ } qw(with serialize_ pack_ unpack_ new_ can_ isa_ import_ DESTROY_ AUTOLOAD_ print q y bless x__private __)),
   '1,5,7,8,9,10,11,12,13,14,15,16,17,18,27,28', 'words as names');
is_deeply([records_of(binary($words))], [$words], 'words travel');

is_deeply([map { demo::model::Colour->$_ } qw(BLUE WHITE RED GREEN)], [49, 7, 10, 3], 'values of literals');
is(demo::model::Colour->ordinal(demo::model::Colour->RED), 2, 'ordinal');
is(demo::model::Colour->value_of(1), 7, 'value');
is(demo::model::Colour->name_of(3), 'GREEN', 'name');
refused(sub { demo::model::Colour->ordinal(8) }, 'a value that no literal has');
refused(sub { demo::model::Colour->ordinal(undef) }, 'no value');
refused(sub { demo::model::Colour->value_of($_) }, "ordinal $_") for -1, 4;

# --- binary form ---

my $registry = KiekerRecord::Registry->new;
is($child->pack($registry), pack('l> l> q> l> l> q> l> q>', 0, 1, 2, 1, 1, 10, 2, 4), 'values in binary');
my ($again, $bytes) = demo::every::Child->unpack($child->pack($registry) . 'more', $registry);
is($bytes, 44, 'bytes read');
is($again->state, 'new', 'unpacked');
is(binary(demo::every::Empty->new), pack('l>3 A16 l> q>', -1, 0, 16, 'demo.every.Empty', 0, -1), 'stream');

my $arrays = demo::every::Arrays->new([0, 1], [-128, 127], ['a', "\x{20ac}", "\0"], [1, -2, 3], [[1, 2, 3], [4, 5, 6]], [[1, 2], [3, 4]],
    [[5, 6]], [[1, 2, 3], [4, 5, 6]], [0.5], [[[1], [2]]], ['x', ''], ['a', 'b'], [10, 49], [[0], [1]]);
is(unpack('H*', $arrays->pack($registry)),
   unpack('H*', pack('C2 l> c2 l> n3 s>3 l>6', 0, 1, 2, -128, 127, 3, 97, 0x20ac, 0, 1, -2, 3, 1 .. 6)
          . pack('l> l>4 l> l>2 l>2 q>6', 2, 1 .. 4, 1, 5, 6, 2, 3, 1 .. 6) . pack('l> f> l>2 d>2', 1, 0.5, 1, 1, 1, 2)
          . pack('l>*', 2, 3, 4, 5, 6, 2, 2, 0, 1, 0, 1)), 'arrays in binary');
is_deeply([records_of(binary($arrays))], [$arrays], 'arrays travel in binary');
is_deeply(through_text($arrays), $arrays, 'arrays travel in text');
my $empty = demo::every::Arrays->new;
$empty->{$_} = [] for qw(grid cube pairs floats);
is_deeply([records_of(binary($empty))], [$empty], 'empty arrays');
my $serializer = KiekerRecord::BinarySerializer->new;
$serializer->put_array([], [0, 2, 0], sub { });
is($serializer->{bytes}, "\0" x 8, 'lengths within an empty array');

for my $wrong ([flags => [1]], [fixed => [[1, 2], [3, 4]]], [grid => [[1], [2, 3]]], [pairs => [[1]]], [ragged => [[1]]], [two => []],
               [floats => undef], [grid => [1, 2]]) {
    my $record = demo::every::Arrays->new;
    $record->{$wrong->[0]} = $wrong->[1];
    refused(sub { $record->pack($registry) }, "shape of $wrong->[0]");
    refused(sub { $record->genoutput(1) }, "shape of $wrong->[0] in text");
}
for my $wrong ([small => 128], [middle => -32769], [number => 2**31], [large => '9223372036854775808'], [large => '-9223372036854775809'],
               [number => 1.5], [number => 'x'], [number => undef], [single => 1e39], [letter => "\x{1f600}"], [letter => ''], [letter => 'ab']) {
    my $record = demo::every::Scalars->new;
    $record->{$wrong->[0]} = $wrong->[1];
    refused(sub { $record->pack($registry) }, "$wrong->[0]");
    refused(sub { $record->genoutput(1) }, "$wrong->[0] in text");
}

# --- numbers ---

my ($infinity, $minus_zero) = (9**9**9, unpack 'd>', pack 'H16', '8000000000000000');
for my $case ([0, '0.0'], [$minus_zero, '-0.0'], [1, '1.0'], [100, '100.0'], [1e7, '1.0E7'], [9999999, '9999999.0'], [0.001, '0.001'],
              [9.999e-4, '9.999E-4'], [1e23, '1.0E23'], [5e-324, '4.9E-324'], [1.7976931348623157e308, '1.7976931348623157E308'],
              [123456.789, '123456.789'], [4.35, '4.35'], [$infinity - $infinity, 'NaN'], [$infinity, 'Infinity'], [-$infinity, '-Infinity']) {
    my ($value, $expected) = @$case;
    is(KiekerRecord::java_double($value), $expected, "double $expected");
    my $record = demo::every::Scalars->new;
    $record->{wide} = $value;
    is(KiekerRecord::java_double(through_text($record)->wide), $expected, "$expected through text");
    is(KiekerRecord::java_double((records_of(binary($record)))[0]->wide), $expected, "$expected through binary");
}
for my $case ([0.1, '0.1'], [3.4028234663852886e38, '3.4028235E38'], [1.4e-45, '1.4E-45'], [16777216, '1.6777216E7'], [$minus_zero, '-0.0']) {
    is(KiekerRecord::java_float($case->[0]), $case->[1], "float $case->[1]");
}
my $middle = sprintf '%.60f', 1 + 2**-24;
is(KiekerRecord::nearest_float($middle), 1, 'the middle of two floats goes to the even one');
is(KiekerRecord::nearest_float($middle . '1'), 1 + 2**-23, 'just beyond the middle');
for my $case (['1e-3', 0.001], [' .5 ', 0.5], ['1.', 1], ['+7d', 7], ['-Infinity', -$infinity], ['1e999', $infinity]) {
    is(KiekerRecord::TextDeserializer->new([$case->[0]])->get_double, $case->[1], "reads '$case->[0]'");
}
for my $digits ('nan', 'inf', '', '1_0', '0x1p3', '1e', '--1', "\x{661}") {
    refused(sub { KiekerRecord::TextDeserializer->new([$digits])->get_double }, "number '" . ($digits =~ s/[^ -~]/?/gr) . q('));
}
for my $digits ('', '1.0', ' 1', '1_0', '2147483648', '-2147483649', "\x{661}", '9' x 5000) {
    refused(sub { KiekerRecord::TextDeserializer->new([$digits])->get_int }, "integer '" . (substr($digits, 0, 20) =~ s/[^ -~]/?/gr) . q('));
}

# --- text form ---

my ($lines, $names) = text(demo::every::Child->new('a;b', 1, 2, 'c\\', 1, 0, "\r\nx\ty\x{20ac}", -1));
is_deeply($lines, ["\$0;-1;a,b;1;2;c\\\\;1;10;  x y\xe2\x82\xac;-1\n"], 'what text cannot carry');
is_deeply($names, ["\$0=demo.every.Child\n"], 'map');
is_deeply([KiekerRecord::split_line('a\\;b;c\\\\;;')], ['a\\;b', 'c\\\\', '', ''], 'fields');
is_deeply([KiekerRecord::split_line('a\\;;\\')], ['a\\;', '\\'], 'backslashes before an end');
for my $long ('\\\\' . 'x' x 100_000, '\\\\' x 100_000, '\\;' x 100_000) {
    is_deeply([KiekerRecord::split_line("1;$long;b")], ['1', $long, 'b'], 'a long field');
}
is(demo::every::Child->from_text('7;n;1;2;s;1;10;x;-1')->name, 'n', 'from_text of genoutput');
is(demo::every::Child->from_text("\$7;5;n;1;2;s;1;10;x;-1\r\n")->logging_timestamp, 5, 'from_text of a log');
my $map = KiekerRecord::read_map(["\$1=a\\\\n\\nb\n", "2=c=d\r\n", "\n"]);
is($map->get_text(1) . $map->get_text(2), "a\\n\nbc=d", 'escapes in a map');
my $surrogate = do { no warnings 'utf8'; chr(0xd83d) . 'x' . chr(0x110000) };
is(KiekerRecord::to_utf8($surrogate), '?x?', 'what has no UTF-8');

# --- what is no record ---

my $whole = binary($arrays);
my $entries = 0;
for my $cut (1 .. length($whole) - 1) {
    my @found = eval { records_of(substr $whole, 0, $cut) };
    $entries++ if !$@;
    like($@, qr/\A(?:KiekerRecord: |\z)/, "cut at $cut");
    is(scalar @found, 0, "no record at $cut");
}
is($entries, 5, 'ends of entries');
my $strange = 0;
for my $place (0 .. length($whole) - 1) {
    for my $bit (0, 3, 7) {
        my $flipped = $whole;
        substr($flipped, $place, 1) ^= chr(1 << $bit);
        eval { records_of($flipped); 1 } or $@ =~ /\AKiekerRecord: / or $strange++, diag($@);
    }
}
is($strange, 0, 'flipped bits make errors of ours only');
refused(sub { records_of($_) }, unpack 'H*', $_)
    for pack('l>3', -1, 0, -1), pack('l>3 a', -1, -1, 1, 'x'), pack('l>3 a', -1, 0, 100, 'x'), pack('l>3 C', -1, 0, 1, 255),
        pack('l> q>', 0, 0), pack('l>3 a5 l> q>', -1, 0, 5, 'a.b.C', 0, -1);
my $deserializer = KiekerRecord::BinaryDeserializer->new(pack('l>2', 2147483647, 0));
refused(sub { $deserializer->get_array([0, 0], 4, sub { 1 }) }, 'many empty rows');
refused(sub { KiekerRecord::TextDeserializer->new(['1000000', '1'])->get_array([0], 4, sub { 1 }) }, 'more elements than fields');
refused(sub { KiekerRecord::load($_) }, "class $_") for 'strict', 'no.such.Module', 'demo.lambda.Side', '../x', '', 'a..b', 'demo.every.Parent';
for my $line ('x', '$', '$x;1', '$0', '$0;1', '$9;1', '$0;1;a;b;c;d') {
    refused(sub { KiekerRecord::read_text([$line], ['$0=demo.every.Child'], sub { }) }, "line $line");
}

is($warnings, 0, 'no warnings');
done_testing();
