/* Numbers in text, both ways, as Java writes and takes them. Nothing here depends on the locale. */
#include <stdlib.h>

#include "kieker_record.h"

__extension__ typedef unsigned __int128 wide;

static const char pairs[] = "00010203040506070809101112131415161718192021222324252627282930313233343536373839"
                            "40414243444546474849505152535455565758596061626364656667686970717273747576777879"
                            "8081828384858687888990919293949596979899";

/* Divisions of small numbers that do not wait for each other */
static void put_4_digits(char *out, uint32_t value)
{
    memcpy(out, pairs + 2 * (value / 100), 2);
    memcpy(out + 2, pairs + 2 * (value % 100), 2);
}

static void put_8_digits(char *out, uint32_t value)
{
    put_4_digits(out, value / 10000);
    put_4_digits(out + 4, value % 10000);
}

/* Of a number below 10^8: the digits that count. */
static size_t put_few_digits(char *out, uint32_t value)
{
    char digits[8];
    if (value < 10) {
        out[0] = (char)('0' + value);
        return 1;
    }
    put_8_digits(digits, value);
    int zeros = value < 10000 ? 4 : 0;
    zeros +=
        zeros ? (value < 1000) + (value < 100) : (value < 10000000) + (value < 1000000) + (value < 100000);
    size_t count = (size_t)(8 - zeros);
    memcpy(out, digits + zeros, count);
    return count;
}

/* Returns the number of digits. */
static size_t put_digits(char *out, uint64_t value)
{
    const uint64_t eight = 100000000;
    if (value < eight)
        return put_few_digits(out, (uint32_t)value);
    size_t count = put_digits(out, value / eight);
    put_8_digits(out + count, (uint32_t)(value % eight));
    return count + 8;
}

size_t kieker_format_long(char *out, int64_t value)
{
    if (value >= 0)
        return put_digits(out, (uint64_t)value);
    out[0] = '-';
    return 1 + put_digits(out + 1, 0 - (uint64_t)value);
}

/* --- shortest digits ----------------------------------------------------------------------------- */
/*
 * Raffaello Giulietti's algorithm "Schubfach", which Java's own Double.toString is since version 19. It wants
 * 126 bits of each power of ten; instead of all 617, 24 of them stand here with 192 bits (10^-297, 10^-270,
 * ..., 10^324), of which the others come by one multiplication with a power of five.
 */
#define COARSE_STEP  27
#define COARSE_FIRST (-11)

static const uint64_t coarse[][3] = {
    {UINT64_C(0xa76c582338ed2621), UINT64_C(0xaf2af2b80af6f24e), UINT64_C(0x657c8f4d43323a36)},
    {UINT64_C(0x873e4f75e2224e68), UINT64_C(0x5a7744a6e804a291), UINT64_C(0xcc35eddfcf0996d7)},
    {UINT64_C(0xda7f5bf590966848), UINT64_C(0xaf39a475506a899e), UINT64_C(0xa30294cc2934e662)},
    {UINT64_C(0xb080392cc4349dec), UINT64_C(0xbd8d794d96aacfb3), UINT64_C(0xfe13a5c86af64418)},
    {UINT64_C(0x8e938662882af53e), UINT64_C(0x547eb47b7282ee9c), UINT64_C(0x41b0230e1421487d)},
    {UINT64_C(0xe65829b3046b0afa), UINT64_C(0x0cb4a5a3112a5112), UINT64_C(0xa3b561b1cb208396)},
    {UINT64_C(0xba121a4650e4ddeb), UINT64_C(0x92f34d62616ce413), UINT64_C(0x21a0183e10583cd3)},
    {UINT64_C(0x964e858c91ba2655), UINT64_C(0x3a6a07f8d510f86f), UINT64_C(0xe9082f25e9c5e9ec)},
    {UINT64_C(0xf2d56790ab41c2a2), UINT64_C(0xfae27299423fb9c3), UINT64_C(0x3695dad7e8858901)},
    {UINT64_C(0xc428d05aa4751e4c), UINT64_C(0xaa97e14c3c26b886), UINT64_C(0x96842dc95323f5a8)},
    {UINT64_C(0x9e74d1b791e07e48), UINT64_C(0x775ea264cf55347d), UINT64_C(0xca49f1c05120c9c7)},
    {UINT64_C(0x8000000000000000), UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000000)},
    {UINT64_C(0xcecb8f27f4200f3a), UINT64_C(0x0000000000000000), UINT64_C(0x0000000000000000)},
    {UINT64_C(0xa70c3c40a64e6c51), UINT64_C(0x999090b65f67d924), UINT64_C(0x0000000000000000)},
    {UINT64_C(0x86f0ac99b4e8dafd), UINT64_C(0x69a028bb3ded71a3), UINT64_C(0xdf9f915627c04e28)},
    {UINT64_C(0xda01ee641a708de9), UINT64_C(0xe80e6f4820cc9495), UINT64_C(0xd74baad03bc1d8d3)},
    {UINT64_C(0xb01ae745b101e9e4), UINT64_C(0x5ec05dcff72e7f8f), UINT64_C(0xc04c79ffe324301f)},
    {UINT64_C(0x8e41ade9fbebc27d), UINT64_C(0x14588f13be847307), UINT64_C(0x23bd6a2059c002f5)},
    {UINT64_C(0xe5d3ef282a242e81), UINT64_C(0x8f1668c8a86da5fa), UINT64_C(0xf0b5ccf5176ecc7c)},
    {UINT64_C(0xb9a74a0637ce2ee1), UINT64_C(0x6d953e2bd7173692), UINT64_C(0x88efb0037ac08bde)},
    {UINT64_C(0x95f83d0a1fb69cd9), UINT64_C(0x4abdaf101564f98e), UINT64_C(0x0d5a4af7b3a98e47)},
    {UINT64_C(0xf24a01a73cf2dccf), UINT64_C(0xbc633b39673c8cec), UINT64_C(0x3d9c44cd2f36917c)},
    {UINT64_C(0xc3b8358109e84f07), UINT64_C(0x0a862f80ec4700c8), UINT64_C(0x02606ea01029dc37)},
    {UINT64_C(0x9e19db92b4e31ba9), UINT64_C(0x6c07a2c26a8346d1), UINT64_C(0x4944d9f52cd0dec2)},
};

static const uint64_t fives[COARSE_STEP] = {
    UINT64_C(1),
    UINT64_C(5),
    UINT64_C(25),
    UINT64_C(125),
    UINT64_C(625),
    UINT64_C(3125),
    UINT64_C(15625),
    UINT64_C(78125),
    UINT64_C(390625),
    UINT64_C(1953125),
    UINT64_C(9765625),
    UINT64_C(48828125),
    UINT64_C(244140625),
    UINT64_C(1220703125),
    UINT64_C(6103515625),
    UINT64_C(30517578125),
    UINT64_C(152587890625),
    UINT64_C(762939453125),
    UINT64_C(3814697265625),
    UINT64_C(19073486328125),
    UINT64_C(95367431640625),
    UINT64_C(476837158203125),
    UINT64_C(2384185791015625),
    UINT64_C(11920928955078125),
    UINT64_C(59604644775390625),
    UINT64_C(298023223876953125),
    UINT64_C(1490116119384765625),
};

/* floor(log10(2^e)), floor(log10(3/4 2^e)), floor(log2(10^e)) in the range of doubles; shifts of negative
 * numbers are arithmetic in all compilers that take this file. */
static int log10_of_2(int e)
{
    return (int)((e * INT64_C(661971961083)) >> 41);
}

static int log10_of_three_quarters(int e)
{
    return (int)((e * INT64_C(661971961083) - INT64_C(274743187321)) >> 41);
}

static int log2_of_10(int e)
{
    return (int)((e * INT64_C(913124641741)) >> 38);
}

/* floor(10^j) + 1, scaled to 126 bits: 63 in each half. True of all j from -292 to 324. */
static void power_of_ten(int j, uint64_t *high, uint64_t *low)
{
    int row = (j - COARSE_FIRST * COARSE_STEP) / COARSE_STEP;
    const uint64_t *power = coarse[row];
    uint64_t five = fives[j - (row + COARSE_FIRST) * COARSE_STEP];
    wide a = (wide)power[2] * five;
    wide b = (wide)power[1] * five + (uint64_t)(a >> 64);
    wide c = (wide)power[0] * five + (uint64_t)(b >> 64);
    uint64_t top = (uint64_t)(c >> 64), middle = (uint64_t)c, bottom = (uint64_t)b;
    if (!top) {
        top = middle;
        middle = bottom;
    } else {
        int shift = __builtin_clzll(top);
        if (shift) {
            top = top << shift | middle >> (64 - shift);
            middle = middle << shift | bottom >> (64 - shift);
        }
    }
    uint64_t least = ((top & 1) << 62 | middle >> 2) + 1;
    *high = (top >> 1) + (least >> 63);
    *low = least & (UINT64_MAX >> 1);
}

/* The product with a power, to 64 bits, the last of which says whether anything was cut off. */
static uint64_t round_to_odd(uint64_t high, uint64_t low, uint64_t factor)
{
    uint64_t lower = (uint64_t)(((wide)low * factor) >> 64);
    wide upper = (wide)high * factor;
    uint64_t sum = ((uint64_t)upper >> 1) + lower;
    uint64_t whole = (uint64_t)(upper >> 64) + (sum >> 63);
    return whole | ((sum & (UINT64_MAX >> 1)) != 0);
}

struct decimal {
    uint64_t digits;
    int exponent;
};

/* The decimal for c * 2^q. `irregular`: the next smaller value is only half as far away as the next larger
 * one. `scaled`: c was multiplied by ten, because a single digit is as good as two, and Java takes two. */
static struct decimal shortest(int q, uint64_t c, bool irregular, bool scaled)
{
    unsigned odd = c & 1;
    uint64_t here = c << 2, right = here + 2, left = here - (irregular ? 1 : 2), high, low;
    int k = irregular ? log10_of_three_quarters(q) : log10_of_2(q);
    int h = q + log2_of_10(-k) + 2;
    power_of_ten(-k, &high, &low);
    uint64_t v = round_to_odd(high, low, here << h), below = round_to_odd(high, low, left << h) + odd,
             above = round_to_odd(high, low, right << h) - odd, s = v >> 2;
    if (s >= 100) {
        uint64_t shorter = s / 10 * 10;
        bool down = below <= shorter << 2, up = (shorter + 10) << 2 <= above;
        if (down != up)
            return (struct decimal){down ? shorter : shorter + 10, k};
    }
    bool down = below <= s << 2, up = (s + 1) << 2 <= above;
    int64_t nearer = (int64_t)(v - ((s + s + 1) << 1));
    if (down == up)
        down = nearer < 0 || (nearer == 0 && !(s & 1));
    return (struct decimal){down ? s : s + 1, scaled ? k - 1 : k};
}

static size_t put_zeros(char *out, int count)
{
    if (count <= 0)
        return 0;
    memset(out, '0', (size_t)count);
    return (size_t)count;
}

/* Java's form of a decimal that is not zero */
static size_t put_decimal(char *out, struct decimal decimal)
{
    char digits[20], *at = out;
    int count = (int)put_digits(digits, decimal.digits), point = count + decimal.exponent;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (point > 0 && point <= 7) {
        int whole = count < point ? count : point;
        memcpy(at, digits, (size_t)whole);
        at += whole;
        at += put_zeros(at, point - count);
        *at++ = '.';
        memcpy(at, digits + whole, (size_t)(count - whole));
        at += count - whole;
        at += put_zeros(at, count <= point);
        return (size_t)(at - out);
    }
    if (point > -3 && point <= 0) {
        memcpy(at, "0.", 2);
        at += 2 + put_zeros(at + 2, -point);
        memcpy(at, digits, (size_t)count);
        return (size_t)(at + count - out);
    }
    *at++ = digits[0];
    *at++ = '.';
    memcpy(at, digits + 1, (size_t)(count - 1));
    at += count - 1;
    at += put_zeros(at, count == 1);
    *at++ = 'E';
    return (size_t)(at - out) + kieker_format_long(at, point - 1);
}

/* What a format of `bits` stored mantissa bits and its lowest exponent has in common for float and double. */
struct form {
    unsigned bits;
    int lowest;      /* exponent of the smallest value */
    unsigned most;   /* exponent field of infinities and NaN */
    uint64_t single; /* subnormal values below this times the smallest have one digit only */
};

static size_t format_value(char *out, struct form form, bool negative, unsigned exponent, uint64_t mantissa)
{
    char *at = out;
    if (exponent == form.most && mantissa) {
        memcpy(out, "NaN", 3);
        return 3;
    }
    if (negative)
        *at++ = '-';
    size_t sign = (size_t)(at - out);
    if (exponent == form.most) {
        memcpy(at, "Infinity", 8);
        return sign + 8;
    }
    if (exponent) {
        uint64_t c = mantissa | UINT64_C(1) << form.bits;
        int down = 1 - form.lowest - (int)exponent;
        if (down > 0 && down <= (int)form.bits && !(c & ((UINT64_C(1) << down) - 1)))
            return sign + put_decimal(at, (struct decimal){c >> down, 0});
        return sign + put_decimal(at, shortest(-down, c, !mantissa && -down != form.lowest, false));
    }
    if (!mantissa) {
        memcpy(at, "0.0", 3);
        return sign + 3;
    }
    bool scaled = mantissa < form.single;
    return sign + put_decimal(at, shortest(form.lowest, scaled ? mantissa * 10 : mantissa, false, scaled));
}

size_t kieker_format_double(char *out, double value)
{
    static const struct form form = {52, -1074, 2047, 3};
    uint64_t bits = kieker_double_bits(value);
    return format_value(out, form, bits >> 63, (unsigned)(bits >> 52) & 2047,
                        bits & ((UINT64_C(1) << 52) - 1));
}

size_t kieker_format_float(char *out, float value)
{
    static const struct form form = {23, -149, 255, 8};
    uint32_t bits = kieker_float_bits(value);
    return format_value(out, form, bits >> 31, bits >> 23 & 255, bits & ((UINT32_C(1) << 23) - 1));
}

/* --- reading ------------------------------------------------------------------------------------- */

/* Eight digits at once, where the first of them is the lowest byte; false when there is another character. */
static bool scan_8_digits(const char *at, uint64_t *number)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t eight;
    memcpy(&eight, at, 8);
    if (((eight & UINT64_C(0xf0f0f0f0f0f0f0f0)) |
         (((eight + UINT64_C(0x0606060606060606)) & UINT64_C(0xf0f0f0f0f0f0f0f0)) >> 4)) !=
        UINT64_C(0x3333333333333333))
        return false;
    /* Pairs, then fours, then all of them. */
    eight = (eight & UINT64_C(0x0f0f0f0f0f0f0f0f)) * 2561 >> 8;
    eight = (eight & UINT64_C(0x00ff00ff00ff00ff)) * 6553601 >> 16;
    eight = (eight & UINT64_C(0x0000ffff0000ffff)) * UINT64_C(42949672960001) >> 32;
    *number = *number * 100000000 + eight;
    return true;
#else
    (void)at;
    (void)number;
    return false;
#endif
}

const char *kieker_scan_long(const char *at, const char *end, int64_t least, int64_t most, int64_t *value)
{
    uint64_t number = 0;
    bool negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    const char *first = at;
    while (at < end && *at == '0')
        at++;
    const char *counting = at;
    while (end - at >= 8 && at - counting <= 8 && scan_8_digits(at, &number))
        at += 8;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (digit > 9)
            break;
        if (at - counting >= 19)
            return NULL;
        number = number * 10 + digit;
    }
    if (at == first || number > (uint64_t)INT64_MAX + negative)
        return NULL;
    *value = (int64_t)(negative ? 0 - number : number);
    return *value >= least && *value <= most ? at : NULL;
}

bool kieker_parse_long(const char *text, size_t bytes, int64_t least, int64_t most, int64_t *value)
{
    return kieker_scan_long(text, text + bytes, least, most, value) == text + bytes;
}

/* A number as it stands in text. */
struct written {
    bool negative, nan, infinite;
    const char *digits, *digits_end; /* with the point in them */
    uint64_t mantissa;               /* the first 19 digits that count */
    int64_t exponent;                /* of the mantissa */
    bool cut;                        /* digits that are not zero follow behind those */
};

#define EXPONENT_LIMIT 1000000

static const char *scan_digits(const char *at, const char *end, struct written *number)
{
    bool point = false, any = false;
    unsigned kept = 0;
    for (; at < end; at++) {
        unsigned digit = (unsigned)(unsigned char)*at - '0';
        if (*at == '.' && !point) {
            point = true;
            continue;
        }
        if (digit > 9)
            break;
        any = true;
        if (kept == 19) {
            number->cut |= digit != 0;
            number->exponent += !point;
            continue;
        }
        number->mantissa = number->mantissa * 10 + digit;
        kept += number->mantissa != 0;
        number->exponent -= point;
    }
    return any ? at : NULL;
}

static const char *scan_exponent(const char *at, const char *end, struct written *number)
{
    bool negative = at < end && *at == '-';
    int64_t exponent = 0;
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    if (at == end || (unsigned)(unsigned char)*at - '0' > 9)
        return NULL;
    for (; at < end && (unsigned)(unsigned char)*at - '0' <= 9; at++)
        if (exponent < EXPONENT_LIMIT)
            exponent = exponent * 10 + (*at - '0');
    number->exponent += negative ? -exponent : exponent;
    return at;
}

static bool scan_number(const char *text, size_t bytes, struct written *number)
{
    const char *at = text, *end = text + bytes;
    memset(number, 0, sizeof *number);
    while (at < end && (unsigned char)*at <= ' ')
        at++;
    while (at < end && (unsigned char)end[-1] <= ' ')
        end--;
    number->negative = at < end && *at == '-';
    if (at < end && (*at == '-' || *at == '+'))
        at++;
    number->nan = end - at == 3 && !memcmp(at, "NaN", 3);
    number->infinite = end - at == 8 && !memcmp(at, "Infinity", 8);
    if (number->nan || number->infinite)
        return true;
    number->digits = at;
    at = scan_digits(at, end, number);
    if (!at)
        return false;
    number->digits_end = at;
    if (at < end && (*at == 'e' || *at == 'E'))
        at = scan_exponent(at + 1, end, number);
    if (at && at < end && memchr("fFdD", *at, 4))
        at++;
    return at == end;
}

/* Digits beyond these decide nothing but whether the rest is zero. */
#define DIGITS_THAT_COUNT 780

/* For strtod and strtof: without a point, which would be another character in some locales. */
static void rewrite(const struct written *number, char *out)
{
    char *at = out;
    int64_t exponent = number->exponent;
    size_t kept = 0;
    bool rest = false;
    for (const char *digit = number->digits; digit < number->digits_end; digit++) {
        if (*digit == '.' || (!kept && *digit == '0'))
            continue;
        if (kept < DIGITS_THAT_COUNT)
            *at++ = *digit;
        else
            rest |= *digit != '0';
        kept++;
        /* The exponent in `number` is that of its first 19 digits. */
        if (kept > 19 && kept <= DIGITS_THAT_COUNT)
            exponent--;
    }
    if (rest) {
        *at++ = '1';
        exponent--;
    }
    *at++ = 'e';
    at += kieker_format_long(at, exponent);
    *at = 0;
}

static const double tens[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                              1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

bool kieker_parse_double(const char *text, size_t bytes, double *value)
{
    struct written number;
    char rewritten[DIGITS_THAT_COUNT + 32];
    double size;
    if (!scan_number(text, bytes, &number))
        return false;
    if (number.nan) {
        *value = (double)NAN;
        return true;
    }
    if (number.infinite) {
        size = (double)INFINITY;
    } else if (number.mantissa == 0) {
        size = 0;
    } else if (!number.cut && number.mantissa <= UINT64_C(1) << 53 && number.exponent >= -22 &&
               number.exponent <= 22) {
        /* Both are exact, so the result is rounded once. */
        size = (double)number.mantissa;
        size = number.exponent < 0 ? size / tens[-number.exponent] : size * tens[number.exponent];
    } else {
        rewrite(&number, rewritten);
        size = strtod(rewritten, NULL);
    }
    *value = number.negative ? -size : size;
    return true;
}

bool kieker_parse_float(const char *text, size_t bytes, float *value)
{
    struct written number;
    char rewritten[DIGITS_THAT_COUNT + 32];
    float size;
    if (!scan_number(text, bytes, &number))
        return false;
    if (number.nan) {
        *value = NAN;
        return true;
    }
    if (number.infinite) {
        size = INFINITY;
    } else if (number.mantissa == 0) {
        size = 0;
    } else if (!number.cut && number.mantissa <= 1u << 24 && number.exponent >= -10 &&
               number.exponent <= 10) {
        size = (float)number.mantissa;
        size =
            number.exponent < 0 ? size / (float)tens[-number.exponent] : size * (float)tens[number.exponent];
    } else {
        rewrite(&number, rewritten);
        size = strtof(rewritten, NULL);
    }
    *value = number.negative ? -size : size;
    return true;
}
