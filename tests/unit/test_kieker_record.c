/* The runtime of generated records: numbers in text, strings, the registry, what stands before records. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <locale.h>
#include <cmocka.h>

#include "kieker_record.h"
#include "kieker_registry.h"

static uint64_t state = 88172645463325252u;

static uint64_t noise(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static void expect_double(double value, const char *text)
{
    char out[KIEKER_NUMBER_BYTES + 1];
    out[kieker_format_double(out, value)] = 0;
    assert_string_equal(out, text);
}

static void expect_float(float value, const char *text)
{
    char out[KIEKER_NUMBER_BYTES + 1];
    out[kieker_format_float(out, value)] = 0;
    assert_string_equal(out, text);
}

/* What Java's Double.toString and Float.toString (19 and later) give. */
static void test_known_numbers(void **unused)
{
    (void)unused;
    expect_double(0, "0.0");
    expect_double(-0.0, "-0.0");
    expect_double(1, "1.0");
    expect_double(-1.5, "-1.5");
    expect_double(100, "100.0");
    expect_double(1234567, "1234567.0");
    expect_double(9999999.999, "9999999.999");
    expect_double(1e7, "1.0E7");
    expect_double(12345678, "1.2345678E7");
    expect_double(0.001, "0.001");
    expect_double(0.00099, "9.9E-4");
    expect_double(0.1, "0.1");
    expect_double(1.0 / 3, "0.3333333333333333");
    expect_double(2e23, "2.0E23");
    expect_double(1e23, "1.0E23");
    expect_double(9007199254740993.0, "9.007199254740992E15");
    expect_double(1.7976931348623157e308, "1.7976931348623157E308");
    expect_double(2.2250738585072014e-308, "2.2250738585072014E-308");
    expect_double(4.9e-324, "4.9E-324"); /* one digit would do, but then two are as good */
    expect_double(9.9e-324, "9.9E-324");
    expect_double(1.5e-323, "1.5E-323");
    expect_double((double)INFINITY, "Infinity");
    expect_double(-(double)INFINITY, "-Infinity");
    expect_double((double)NAN, "NaN");
    expect_float(3.4028235e38f, "3.4028235E38");
    expect_float(1.4e-45f, "1.4E-45");
    expect_float(1.17549435e-38f, "1.1754944E-38");
    expect_float(0.1f, "0.1");
    expect_float(1.0f / 3, "0.33333334");
    expect_float(16777216.0f, "1.6777216E7");
    expect_float(8388608.5f, "8388608.0"); /* half to even */
    expect_float(-INFINITY, "-Infinity");
}

/* The exact value between two doubles is nearer to neither; fewer digits must not be enough. */
static bool is_shortest(const char *text, double value)
{
    char digits[64], shorter[64];
    int count = 0;
    for (const char *at = text; *at && *at != 'E'; at++)
        if (*at >= '0' && *at <= '9' && (count || *at != '0'))
            digits[count++] = *at;
    while (count > 1 && digits[count - 1] == '0')
        count--;
    if (count <= 2)
        return true;
    snprintf(shorter, sizeof shorter, "%.*e", count - 2, value);
    return strtod(shorter, NULL) != value;
}

static void test_random_numbers(void **unused)
{
    (void)unused;
    char out[KIEKER_NUMBER_BYTES + 1];
    for (int i = 0; i < 300000; i++) {
        /* Any bits; decimals of money and time; numbers with few bits; subnormal ones. */
        uint64_t bits = noise();
        double value = i % 4 == 0   ? kieker_double_of(bits)
                       : i % 4 == 1 ? (double)(int64_t)(bits % 100000000) / 1000
                       : i % 4 == 2 ? kieker_double_of(bits & UINT64_C(0xfff8000000000000))
                                    : kieker_double_of(bits >> (12 + bits % 50));
        double back = 0;
        float single = kieker_float_of((uint32_t)(bits >> 20)), single_back = 0;
        if (!isnan(value)) {
            out[kieker_format_double(out, value)] = 0;
            assert_true(kieker_parse_double(out, strlen(out), &back));
            assert_true(kieker_double_bits(back) == kieker_double_bits(value));
            assert_true(isinf(value) || (strtod(out, NULL) == value && is_shortest(out, value)));
        }
        if (!isnan(single)) {
            out[kieker_format_float(out, single)] = 0;
            assert_true(kieker_parse_float(out, strlen(out), &single_back));
            assert_true(kieker_float_bits(single_back) == kieker_float_bits(single));
        }
    }
}

/* All powers of two and ten, and their neighbours: where the distance to the next value changes. */
static void test_powers(void **unused)
{
    (void)unused;
    char out[KIEKER_NUMBER_BYTES + 1], text[16];
    for (int exponent = -324; exponent < 309; exponent++) {
        snprintf(text, sizeof text, "1e%d", exponent);
        double ten = strtod(text, NULL), back;
        for (int64_t step = -2; step <= 2; step++) {
            double value = kieker_double_of(kieker_double_bits(ten) + (uint64_t)step);
            if (isnan(value) || isinf(value))
                continue;
            out[kieker_format_double(out, value)] = 0;
            assert_true(kieker_parse_double(out, strlen(out), &back) && back == value);
            assert_true(is_shortest(out, value));
        }
    }
    for (uint64_t exponent = 0; exponent < 2047; exponent++) {
        double value = kieker_double_of(exponent << 52), back;
        out[kieker_format_double(out, value)] = 0;
        assert_true(kieker_parse_double(out, strlen(out), &back) && back == value);
        assert_true(is_shortest(out, value));
    }
}

static void test_parse_double(void **unused)
{
    (void)unused;
    static const struct {
        const char *text;
        double value;
    } good[] = {
        {"1", 1},
        {" 1.5\t", 1.5},
        {"+.5", 0.5},
        {"5.", 5},
        {"1e-3", 1e-3},
        {"1E+2d", 100},
        {"0.25f", 0.25},
        {"-0", -0.0},
        {"00000000000000000000000000001", 1},
        {"0.000000000000000000000000000000000001", 1e-36},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
        {"9007199254740993", 9007199254740992.0},
        {"9007199254740993.0000000000000000000000000000000000001", 9007199254740994.0},
        {"1e400", (double)INFINITY},
        {"-1e-400", -0.0},
        {"1e99999999999999999999", (double)INFINITY},
        {"0e99999999999999999999", 0},
        {"-Infinity", -(double)INFINITY},
        {"2.2250738585072011e-308", 2.2250738585072011e-308},
    };
    static const char *const bad[] = {"",    " ",        ".",    "+",   "-",   "e5",   "1e",
                                      "1e+", "1.5.2",    "0x10", "nan", "inf", "1f2",  "1,5",
                                      "Inf", "infinity", "1 2",  "--1", "1_0", "NaNf", "1ff"};
    double value;
    float single;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(kieker_parse_double(good[i].text, strlen(good[i].text), &value));
        if (kieker_double_bits(value) != kieker_double_bits(good[i].value))
            fail_msg("%s is %.17g", good[i].text, value);
        assert_true(kieker_parse_float(good[i].text, strlen(good[i].text), &single));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (kieker_parse_double(bad[i], strlen(bad[i]), &value) ||
            kieker_parse_float(bad[i], strlen(bad[i]), &single))
            fail_msg("'%s' was taken", bad[i]);
    assert_true(kieker_parse_double("NaN", 3, &value) && isnan(value));
    /* Directly to float: by way of a double it would be rounded twice. */
    assert_true(kieker_parse_float("1.00000017881393432617187499", 28, &single));
    assert_true(single == 1.00000011920928955078125f);
    /* Half way between two values, and more digits than anything holds. */
    char digits[2000] = "9007199254740993.";
    memset(digits + 17, '0', 1500);
    assert_true(kieker_parse_double(digits, 1517, &value) && value == 9007199254740992.0);
    digits[1500] = '1';
    assert_true(kieker_parse_double(digits, 1517, &value) && value == 9007199254740994.0);
}

static void test_locale(void **unused)
{
    (void)unused;
    double value;
    char out[KIEKER_NUMBER_BYTES + 1];
    if (!setlocale(LC_NUMERIC, "de_DE.UTF-8") && !setlocale(LC_NUMERIC, "fr_FR.UTF-8"))
        skip();
    assert_true(kieker_parse_double("0.1234567890123456789", 21, &value));
    out[kieker_format_double(out, value)] = 0;
    setlocale(LC_NUMERIC, "C");
    assert_true(value == 0.1234567890123456789);
    assert_string_equal(out, "0.12345678901234568");
}

static void test_parse_long(void **unused)
{
    (void)unused;
    int64_t value;
    assert_true(kieker_parse_long("-9223372036854775808", 20, INT64_MIN, INT64_MAX, &value) &&
                value == INT64_MIN);
    assert_true(kieker_parse_long("+000000000000000000000000042", 28, INT8_MIN, INT8_MAX, &value) &&
                value == 42);
    static const char *const bad[] = {"",
                                      "-",
                                      "+",
                                      "9223372036854775808",
                                      "-9223372036854775809",
                                      "99999999999999999999",
                                      " 1",
                                      "1 ",
                                      "0x1",
                                      "1.0",
                                      "--1",
                                      "1-"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (kieker_parse_long(bad[i], strlen(bad[i]), INT64_MIN, INT64_MAX, &value))
            fail_msg("'%s' was taken", bad[i]);
    assert_false(kieker_parse_long("128", 3, INT8_MIN, INT8_MAX, &value));
    char out[KIEKER_NUMBER_BYTES + 1], expected[32];
    for (int i = 0; i < 100000; i++) {
        int64_t number = (int64_t)noise() >> noise() % 64;
        out[kieker_format_long(out, number)] = 0;
        snprintf(expected, sizeof expected, "%lld", (long long)number);
        assert_string_equal(out, expected);
        assert_true(kieker_parse_long(out, strlen(out), INT64_MIN, INT64_MAX, &value) && value == number);
    }
}

static void expect_sanitised(const char *text, const char *expected, bool ascii)
{
    uint8_t out[256];
    size_t bytes = strlen(expected);
    /* In exactly the room it needs, and in one byte less. */
    struct kieker_writer writer = {.bytes = out, .capacity = bytes, .ascii = ascii};
    kieker_text_put_string(&writer, text);
    assert_int_equal(writer.failed, KIEKER_GOOD);
    assert_int_equal(writer.position, bytes);
    assert_memory_equal(out, expected, bytes);
    writer = (struct kieker_writer){.bytes = out, .capacity = bytes - 1, .ascii = ascii};
    kieker_text_put_string(&writer, text);
    assert_int_equal(writer.failed, KIEKER_FULL);
}

static void test_strings(void **unused)
{
    (void)unused;
    expect_sanitised(NULL, ";", false);
    expect_sanitised("", ";", false);
    expect_sanitised("void app.Main.run()", ";void app.Main.run()", false);
    expect_sanitised("a;b\r\n\tc", ";a,b   c", false);
    expect_sanitised("\\", ";\\\\", false);
    expect_sanitised("a\\\\b\\", ";a\\\\b\\\\", false);
    expect_sanitised("\\;", ";\\\\,", false);
    expect_sanitised("gr\xc3\xb6\xc3\x9f"
                     "er \xf0\x9f\x90\x8d",
                     ";gr\xc3\xb6\xc3\x9f"
                     "er \xf0\x9f\x90\x8d",
                     false);
    expect_sanitised("gr\xc3\xb6\xc3\x9f"
                     "er \xf0\x9f\x90\x8d",
                     ";gr??er ?", true);
    /* At each place of the eight bytes that are looked at together. */
    for (size_t at = 0; at < 20; at++) {
        char text[] = "abcdefghijklmnopqrst", expected[] = ";abcdefghijklmnopqrst";
        text[at] = ';';
        expected[at + 1] = ',';
        expect_sanitised(text, expected, false);
        text[at] = '\x1f';
        expected[at + 1] = '\x1f';
        expect_sanitised(text, expected, false);
    }
}

static void test_string_fields(void **unused)
{
    (void)unused;
    char memory_bytes[64];
    struct kieker_memory memory = {.bytes = (uint8_t *)memory_bytes, .capacity = 12};
    const char line[] = ";a\\;b;\\\\;c;long enough";
    struct kieker_reader reader = {.bytes = (const uint8_t *)line, .size = strlen(line), .memory = &memory};
    assert_string_equal(kieker_text_get_string(&reader), "a\\;b");
    assert_string_equal(kieker_text_get_string(&reader), "\\\\");
    assert_string_equal(kieker_text_get_string(&reader), "c");
    assert_int_equal(reader.failed, KIEKER_GOOD);
    assert_string_equal(kieker_text_get_string(&reader), "");
    assert_int_equal(reader.failed, KIEKER_NO_MEMORY);
}

static void test_characters(void **unused)
{
    (void)unused;
    for (unsigned unit = 0; unit <= UINT16_MAX; unit++) {
        uint8_t out[8];
        struct kieker_writer writer = {.bytes = out, .capacity = sizeof out};
        kieker_text_put_char(&writer, (uint16_t)unit);
        struct kieker_reader reader = {.bytes = out, .size = writer.position};
        unsigned back = kieker_text_get_char(&reader);
        assert_false(reader.failed);
        unsigned expected = unit == ';'                                    ? ','
                            : unit == '\r' || unit == '\n' || unit == '\t' ? ' '
                            : unit == '\\'                                 ? '/'
                            : unit >= 0xd800 && unit < 0xe000              ? '?'
                                                                           : unit;
        assert_int_equal(back, expected);
    }
    static const char *const odd[] = {";\xf0", ";\xe2\x82", ";\xc3", ";\xff\xff\xff\xff\xff"};
    for (size_t i = 0; i < 4; i++) {
        struct kieker_reader reader = {.bytes = (const uint8_t *)odd[i], .size = strlen(odd[i])};
        kieker_text_get_char(&reader);
        assert_int_equal(reader.position, reader.size);
    }
}

static void test_heads(void **unused)
{
    (void)unused;
    uint8_t out[128];
    struct kieker_writer writer = {.bytes = out, .capacity = sizeof out};
    assert_true(kieker_put_entry(&writer, 7, "host1", 5) && kieker_put_head(&writer, 3, -1));
    static const uint8_t expected[] = {255, 255, 255, 255, 0, 0, 0,   7,   0,   0,   0,   5,   'h', 'o', 's',
                                       't', '1', 0,   0,   0, 3, 255, 255, 255, 255, 255, 255, 255, 255};
    assert_int_equal(writer.position, sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
    struct kieker_reader reader = {.bytes = out, .size = writer.position};
    int32_t kind, id;
    int64_t timestamp;
    const char *text;
    size_t bytes;
    assert_true(kieker_get_kind(&reader, &kind) && kind == -1);
    assert_true(kieker_get_entry(&reader, &id, &text, &bytes) && id == 7 && bytes == 5 &&
                !memcmp(text, "host1", 5));
    assert_true(kieker_get_kind(&reader, &kind) && kind == 3);
    assert_true(kieker_get_head(&reader, &id, &timestamp) && id == 3 && timestamp == -1);
    assert_false(kieker_get_kind(&reader, &kind));
    /* An entry that is not all there, and one whose length cannot be. */
    reader = (struct kieker_reader){.bytes = out, .size = 16};
    assert_false(kieker_get_entry(&reader, &id, &text, &bytes));
    assert_int_equal(reader.failed, KIEKER_INCOMPLETE);
    assert_int_equal(reader.position, 0);
    out[8] = 0x80;
    reader = (struct kieker_reader){.bytes = out, .size = sizeof out};
    assert_false(kieker_get_entry(&reader, &id, &text, &bytes));
    assert_int_equal(reader.failed, KIEKER_MALFORMED);

    writer.position = 0;
    assert_true(kieker_text_put_head(&writer, 12, INT64_MIN) && kieker_text_put_end(&writer));
    assert_true(kieker_text_put_map(&writer, 3, "a\\b\nc\rd"));
    const char lines[] = "$12;-9223372036854775808\n$3=a\\\\b\\nc\\rd\n";
    assert_int_equal(writer.position, strlen(lines));
    assert_memory_equal(out, lines, strlen(lines));
    reader = (struct kieker_reader){.bytes = out, .size = 24};
    assert_true(kieker_text_get_head(&reader, &id, &timestamp) && id == 12 && timestamp == INT64_MIN);
    static const char *const bad[] = {"", "$", "$;1", "12;1", "$-1;1", "$1", "$1;", "$x;1", "$99999999999;1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        reader = (struct kieker_reader){.bytes = (const uint8_t *)bad[i], .size = strlen(bad[i])};
        if (kieker_text_get_head(&reader, &id, &timestamp))
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(reader.position, 0);
    }
}

static void test_registry(void **unused)
{
    (void)unused;
    char text[32];
    struct kieker_registry *registry = kieker_registry_create(0);
    for (int32_t round = 0; round < 2; round++)
        for (int32_t i = 0; i < 5000; i++) {
            snprintf(text, sizeof text, "string %d", i);
            assert_int_equal(kieker_registry_id(registry, text), i);
        }
    assert_int_equal(kieker_registry_count(registry), 5000);
    assert_string_equal(kieker_registry_text(registry, 4999), "string 4999");
    assert_null(kieker_registry_text(registry, 5000));
    assert_null(kieker_registry_text(registry, -1));
    kieker_registry_destroy(registry);

    registry = kieker_registry_create(0);
    assert_null(kieker_registry_text(registry, 0));
    assert_true(kieker_registry_put(registry, INT32_MAX, "last", 4));
    assert_true(kieker_registry_put(registry, 1, "one and more", 3));
    const char *one = kieker_registry_text(registry, 1);
    assert_string_equal(one, "one");
    assert_true(kieker_registry_put(registry, 1, "other", 5));
    assert_string_equal(kieker_registry_text(registry, 1), "other");
    assert_string_equal(one, "one"); /* records that were read still have it */
    assert_string_equal(kieker_registry_text(registry, INT32_MAX), "last");
    assert_false(kieker_registry_put(registry, -1, "x", 1));
    assert_int_equal(kieker_registry_id(registry, "no id is left"), -1);
    kieker_registry_destroy(registry);
    kieker_registry_destroy(NULL);

    /* The bound holds, and repetition costs nothing. */
    registry = kieker_registry_create(4096);
    int32_t kept = 0;
    while (kept < 1000 && kieker_registry_put(registry, kept, "0123456789", 10))
        kept++;
    assert_in_range(kept, 10, 100);
    for (int i = 0; i < 100000; i++)
        assert_true(kieker_registry_put(registry, 0, "0123456789", 10));
    assert_false(kieker_registry_put(registry, 0, "another", 7));
    assert_string_equal(kieker_registry_text(registry, 0), "0123456789");
    kieker_registry_destroy(registry);
}

static void *count_get(void *user, size_t bytes)
{
    *(size_t *)user += bytes;
    return calloc(1, bytes);
}

static void test_memory(void **unused)
{
    (void)unused;
    uint8_t bytes[33];
    size_t asked = 0;
    struct kieker_memory memory = {.bytes = bytes + 1, .capacity = 32, .get = count_get, .user = &asked};
    struct kieker_reader reader = {.memory = &memory};
    for (size_t i = 0; i < 3; i++) {
        uint64_t *piece = kieker_reader_memory(&reader, 1, 8);
        assert_int_equal((uintptr_t)piece % 8, 0);
        *piece = i;
    }
    assert_int_equal(asked, 0);
    void *more = kieker_reader_memory(&reader, 2, 8);
    assert_int_equal(asked, 16);
    free(more);
    assert_null(kieker_reader_memory(&reader, SIZE_MAX / 4, 8));
    assert_int_equal(reader.failed, KIEKER_NO_MEMORY);
    assert_int_equal(asked, 16);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_known_numbers), cmocka_unit_test(test_random_numbers),
        cmocka_unit_test(test_powers),        cmocka_unit_test(test_parse_double),
        cmocka_unit_test(test_locale),        cmocka_unit_test(test_parse_long),
        cmocka_unit_test(test_strings),       cmocka_unit_test(test_string_fields),
        cmocka_unit_test(test_characters),    cmocka_unit_test(test_heads),
        cmocka_unit_test(test_registry),      cmocka_unit_test(test_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
