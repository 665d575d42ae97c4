/* Generated C: values by default, the bytes and the text of each kind of member, and what is not there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "every.h"
#include "samples.h"

#define ROOM 8192

/* Strings are their length as ids. */
static int32_t id_of(void *user, const char *text)
{
    (void)user;
    return (int32_t)strlen(text);
}

static const char *text_of(void *user, int32_t id)
{
    static const char *const texts[] = {"", "a", "bb", "ccc"};
    (void)user;
    return id >= 0 && id < 4 ? texts[id] : NULL;
}

static void test_defaults(void **state)
{
    (void)state;
    test_every_scalars value;
    test_every_scalars_init(&value);
    assert_true(value.flag);
    assert_int_equal(value.small, -128);
    assert_int_equal(value.letter, 'x');
    assert_int_equal(value.middle, -32768);
    assert_true(value.number == INT32_MIN && value.large == INT64_MIN);
    assert_true(value.single == 3.0f && value.real == 1.5e300);
    assert_string_equal(value.text, "a \"b\" \\ ?\?/ c\n\t%d \xc3\xa9");
    assert_int_equal(value.colour, TEST_EVERY_COLOUR_BLUE);
    assert_string_equal(value.plain, "");
    assert_string_equal(value.version, KIEKER_VERSION);
    const int32_t table[2][3] = TEST_EVERY_SCALARS_TABLE;
    assert_int_equal(table[1][0], 4);

    test_every_fixed fixed = TEST_EVERY_FIXED_INIT;
    assert_int_equal(fixed.ints[1][2], 6);
    assert_int_equal(fixed.letters[1], 0xe9);
    assert_string_equal(fixed.strings[1], "two");
    assert_false(fixed.flags[2]);

    test_every_dynamic dynamic = TEST_EVERY_DYNAMIC_INIT;
    assert_int_equal(dynamic.ints_size0, 3);
    assert_int_equal(dynamic.ints[2], 3);
    assert_string_equal(dynamic.strings[1], "two");
    assert_int_equal(dynamic.colours[1], TEST_EVERY_COLOUR_DARK);
    assert_null(dynamic.longs);
    assert_int_equal(dynamic.longs_size0, 0);
}

static void test_enum(void **state)
{
    (void)state;
    /* Own literals first, then those of the parent; values without a written one are positions. */
    assert_int_equal(TEST_EVERY_COLOUR_RED, 0);
    assert_int_equal(TEST_EVERY_COLOUR_LIGHT, 3);
    assert_int_equal(TEST_EVERY_COLOUR_COUNT, 5);
    assert_int_equal(test_every_colour_values[TEST_EVERY_COLOUR_RED], -5);
    assert_int_equal(test_every_colour_values[TEST_EVERY_COLOUR_GREEN], 1);
    assert_int_equal(test_every_colour_values[TEST_EVERY_COLOUR_DARK], 7);
    assert_string_equal(test_every_colour_names[TEST_EVERY_COLOUR_DARK], "DARK");
    assert_string_equal(test_every_colour_type.java_class, "test.every.Colour");
}

static void test_names(void **state)
{
    (void)state;
    test_every_names value = TEST_EVERY_NAMES_INIT;
    value.default_ = value.new_ = value.class_ = value.linux_ = value.errno_ = 1;
    value.NULL_ = value.SIZE_MAX_size0 = 0;
    value.INFINITY_ = 1;
    value.INT64_MIN_ = 1;
    value.list_size0 = 5; /* the property */
    value.list_size0_ = 0;
    assert_int_equal(value.list_size0, 5);
    assert_string_equal(test_every_names_type.fields[0].name, "default");
    /* The function of one record gives way to the type of another. */
    test_every_foo foo;
    test_every_foo_init_(&foo);
    test_every_foo_init init = TEST_EVERY_FOO_INIT_INIT;
    test_every_foo_type type = TEST_EVERY_FOO_TYPE_ONE;
    assert_int_equal(foo.x + init.y + (int)type, 0);
    assert_string_equal(test_every_foo_type_.java_class, "test.every.Foo");
}

static void test_description(void **state)
{
    (void)state;
    size_t count;
    test_every_mixed value = sample_mixed();
    assert_ptr_equal(every_find(TEST_EVERY_MIXED_CLASS), &test_every_mixed_type);
    for (size_t i = 0; i < EVERY_COUNT; i++)
        assert_ptr_equal(every_find(every[i]->java_class), every[i]);
    assert_null(every_find("test.every.Base")); /* abstract */
    assert_null(every_find("test.every.Mixe"));
    assert_null(every_find("test.every.Mixed2"));
    assert_int_equal(test_every_mixed_type.field_count, 7); /* not the transient one */
    assert_int_equal(test_every_only_transient_type.field_count, 0);
    const struct kieker_field *field = &test_every_mixed_type.fields[3];
    assert_string_equal(field->name, "cube");
    assert_int_equal(field->dimensions[1].length, 3);
    assert_ptr_equal(kieker_field_elements(field, &value, &count), sample_cube);
    assert_int_equal(count, 6);
    assert_ptr_equal(kieker_field_elements(&test_every_mixed_type.fields[6], &value, &count), &value.behind);
    assert_int_equal(count, 1);
}

static void test_bytes(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct kieker_writer writer = {.bytes = bytes, .capacity = sizeof bytes, .string_id = id_of};
    test_every_mixed value = sample_mixed();
    assert_true(test_every_mixed_write_binary(&writer, &value));
    static const uint8_t expected[] = {
        0xff, 0xff, 0xff, 0xff, /* before */
        0,    0,    0,    2,    0, 0, 0, 3, 0, 0, 0, 1,
        0,    0,    0,    2,    0, 0, 0, 3,             /* matrix: lengths, elements */
        0,    0,    0,    4,    0, 0, 0, 5, 0, 0, 0, 6, /* */
        0,    0,    0,    2,    0, 0, 0, 1, 0, 0, 0, 2,
        0,    0,    0,    3,    0, 0, 0, 0, /* pairs: the dynamic length, ids; NULL is "" */
        0,    0,    0,    1,    0, 0, 0, 2, /* cube: its two dynamic lengths */
    };
    assert_memory_equal(bytes, expected, sizeof expected);
    assert_int_equal(writer.position, sizeof expected + 6 * 8 + 4 + 2 * 4 + 4 + 450 * 4 + 4);
    /* No inner lengths below an empty dimension. */
    writer.position = 0;
    value.matrix_size0 = 0;
    assert_true(test_every_mixed_write_binary(&writer, &value));
    assert_memory_equal(bytes + 4, "\0\0\0\0\0\0\0\0", 8);
    assert_int_equal(TEST_EVERY_MIXED_MIN_SIZE, 4 + 8 + 4 + 8 + 4 + 4 + 4);
    assert_int_equal(TEST_EVERY_SCALARS_MIN_SIZE, 1 + 1 + 2 + 2 + 4 + 8 + 4 + 8 + 4 + 4 + 4 + 4);
    assert_int_equal(TEST_EVERY_EMPTY_MIN_SIZE, 0);
}

static void check_mixed(const test_every_mixed *value)
{
    assert_int_equal(value->before, -1);
    assert_true(value->matrix_size0 == 2 && value->matrix_size1 == 3 && value->matrix[5] == 6);
    assert_true(value->pairs_size1 == 2 && !strcmp(value->pairs[2], "ccc") && !strcmp(value->pairs[3], ""));
    assert_true(value->cube_size0 == 1 && value->cube_size2 == 2 && value->cube[5] == -6);
    assert_true(value->shades_size0 == 1 && value->shades[1] == TEST_EVERY_COLOUR_DARK);
    assert_true(value->odd_size2 == 1 && value->odd[0] == 11 && value->odd[449] == -12);
    assert_true(value->skipped == 0 && value->behind == 7);
}

/* Reading each piece of what was written that is too short, and all of it. The copies end where their memory
 * does. */
static void test_reading(void **state)
{
    (void)state;
    uint8_t bytes[ROOM], memory_bytes[ROOM];
    test_every_mixed value = sample_mixed(), copy;
    for (int text = 0; text < 2; text++) {
        const struct kieker_record_type *type = &test_every_mixed_type;
        struct kieker_writer writer = {.bytes = bytes, .capacity = sizeof bytes, .string_id = id_of};
        assert_true(text ? type->write_text(&writer, &value) : type->write_binary(&writer, &value));
        for (size_t size = 0; size <= writer.position; size++) {
            uint8_t *piece = malloc(size + 1);
            memcpy(piece, bytes, size);
            struct kieker_memory memory = {.bytes = memory_bytes, .capacity = sizeof memory_bytes};
            struct kieker_reader reader = {
                .bytes = piece, .size = size, .memory = &memory, .string = text_of};
            bool good = text ? type->read_text(&reader, &copy) : type->read_binary(&reader, &copy);
            /* Text: the last field is one digit, and nothing tells that another would follow. */
            assert_int_equal(good, size == writer.position);
            assert_int_equal(reader.position, good ? size : 0);
            if (!good)
                assert_int_equal(reader.failed, text ? KIEKER_MALFORMED : KIEKER_INCOMPLETE);
            else
                check_mixed(&copy);
            free(piece);
        }
    }
}

/* Writing into too little room changes nothing but bytes behind the position. */
static void test_full(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    const test_every_mixed value = sample_mixed();
    for (int text = 0; text < 2; text++) {
        const struct kieker_record_type *type = &test_every_mixed_type;
        struct kieker_writer whole = {.bytes = bytes, .capacity = sizeof bytes, .string_id = id_of};
        assert_true(text ? type->write_text(&whole, &value) : type->write_binary(&whole, &value));
        for (size_t room = 0; room <= whole.position; room++) {
            uint8_t *small = malloc(room + 1);
            struct kieker_writer writer = {.bytes = small, .capacity = room, .string_id = id_of};
            bool good = text ? type->write_text(&writer, &value) : type->write_binary(&writer, &value);
            assert_int_equal(good, room == whole.position);
            assert_int_equal(writer.failed, good ? KIEKER_GOOD : KIEKER_FULL);
            assert_int_equal(writer.position, good ? room : 0);
            if (good)
                assert_memory_equal(small, bytes, room);
            free(small);
        }
    }
}

static enum kieker_problem read_list(const char *bytes, size_t size, bool text)
{
    uint8_t memory_bytes[64];
    struct kieker_memory memory = {.bytes = memory_bytes, .capacity = sizeof memory_bytes};
    struct kieker_reader reader = {
        .bytes = (const uint8_t *)bytes, .size = size, .memory = &memory, .string = text_of};
    test_every_mixed value;
    bool good =
        text ? test_every_mixed_read_text(&reader, &value) : test_every_mixed_read_binary(&reader, &value);
    assert_int_equal(good, !reader.failed);
    return reader.failed;
}

/* Lengths that cannot be are refused before memory is asked for. */
static void test_lengths(void **state)
{
    (void)state;
    static const char huge[] = "\0\0\0\0\x7f\xff\xff\xff\0\0\0\1\0\0\0\0\0\0\0\0";
    static const char product[] = "\0\0\0\0\x7f\xff\xff\xff\x7f\xff\xff\xff\0\0\0\0\0\0\0\0";
    static const char negative[] = "\0\0\0\0\x80\0\0\0\0\0\0\1\0\0\0\0\0\0\0\0";
    assert_int_equal(read_list(huge, sizeof huge - 1, false), KIEKER_INCOMPLETE);
    assert_int_not_equal(read_list(product, sizeof product - 1, false), KIEKER_GOOD);
    assert_int_equal(read_list(negative, sizeof negative - 1, false), KIEKER_MALFORMED);
    static const char *const lines[] = {";0;2147483647;1;1", ";0;-1;1;1", ";0;2147483647;2147483647;1",
                                        ";0;3;1;1;2"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(read_list(lines[i], strlen(lines[i]), true), KIEKER_MALFORMED);
    /* Elements are there, memory is not. */
    char many[4 + 8 + 4 * 20] = {[7] = 20, [11] = 1};
    assert_int_equal(read_list(many, sizeof many, false), KIEKER_NO_MEMORY);
    /* A structure that lies. */
    uint8_t bytes[64];
    struct kieker_writer writer = {.bytes = bytes, .capacity = sizeof bytes, .string_id = id_of};
    test_every_names names = TEST_EVERY_NAMES_INIT;
    names.list_size0_ = 1;
    assert_false(test_every_names_write_binary(&writer, &names));
    assert_int_equal(writer.failed, KIEKER_MALFORMED);
    writer.failed = KIEKER_GOOD;
    names.list_size0_ = -1;
    assert_false(test_every_names_write_text(&writer, &names));
    assert_int_equal(writer.failed, KIEKER_MALFORMED);
}

static void test_unknown(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct kieker_writer writer = {.bytes = bytes, .capacity = sizeof bytes, .string_id = id_of};
    test_every_scalars value = TEST_EVERY_SCALARS_INIT, copy;
    value.text = value.version = "a";
    assert_true(test_every_scalars_write_binary(&writer, &value));
    const size_t size = writer.position, text_at = 1 + 1 + 2 + 2 + 4 + 8 + 4 + 8, colour_at = text_at + 4;
    struct kieker_reader reader = {.bytes = bytes, .size = size, .string = text_of};
    assert_true(test_every_scalars_read_binary(&reader, &copy));
    assert_string_equal(copy.text, "a");
    assert_true(copy.large == INT64_MIN && copy.real == 1.5e300 && copy.colour == TEST_EVERY_COLOUR_BLUE);
    bytes[colour_at + 3] = 5;
    reader = (struct kieker_reader){.bytes = bytes, .size = size, .string = text_of};
    assert_false(test_every_scalars_read_binary(&reader, &copy));
    assert_int_equal(reader.failed, KIEKER_MALFORMED);
    bytes[colour_at + 3] = 0;
    bytes[text_at] = 1;
    reader = (struct kieker_reader){.bytes = bytes, .size = size, .string = text_of};
    assert_false(test_every_scalars_read_binary(&reader, &copy));
    assert_int_equal(reader.failed, KIEKER_UNKNOWN_STRING);
    value.colour = (test_every_colour)5;
    assert_false(test_every_scalars_write_binary(&writer, &value));
    assert_int_equal(writer.failed, KIEKER_MALFORMED);
    assert_int_equal(writer.position, size);
    writer = (struct kieker_writer){.bytes = bytes, .capacity = sizeof bytes}; /* nobody gives ids */
    value.colour = TEST_EVERY_COLOUR_RED;
    assert_false(test_every_scalars_write_binary(&writer, &value));
    assert_int_equal(writer.failed, KIEKER_UNKNOWN_STRING);
}

static void test_text(void **state)
{
    (void)state;
    uint8_t bytes[ROOM];
    struct kieker_writer writer = {.bytes = bytes, .capacity = sizeof bytes};
    test_every_scalars value = TEST_EVERY_SCALARS_INIT;
    value.text = "x;y";
    assert_true(test_every_scalars_write_text(&writer, &value));
    const char expected[] =
        ";true;-128;x;-32768;-2147483648;-9223372036854775808;3.0;1.5E300;x,y;2;;" KIEKER_VERSION;
    assert_int_equal(writer.position, sizeof expected - 1);
    assert_memory_equal(bytes, expected, sizeof expected - 1);
    /* Strings at the end may be missing, and there may be more fields than are known. */
    uint8_t memory_bytes[64];
    struct kieker_memory memory = {.bytes = memory_bytes, .capacity = sizeof memory_bytes};
    const char line[] = ";TRUE;+1;yz;0;0;0;0x;1;;0;a";
    struct kieker_reader reader = {
        .bytes = (const uint8_t *)line, .size = sizeof line - 1, .memory = &memory};
    assert_false(test_every_scalars_read_text(&reader, &value)); /* 0x is no float */
    const char right[] = ";TRUE;+1;yz;0;0;0;0f;1;;0;a";
    reader =
        (struct kieker_reader){.bytes = (const uint8_t *)right, .size = sizeof right - 1, .memory = &memory};
    assert_true(test_every_scalars_read_text(&reader, &value));
    assert_true(value.flag && value.small == 1 && value.letter == 'y' && value.real == 1);
    assert_string_equal(value.plain, "a");
    assert_string_equal(value.version, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),    cmocka_unit_test(test_enum),    cmocka_unit_test(test_names),
        cmocka_unit_test(test_description), cmocka_unit_test(test_bytes),   cmocka_unit_test(test_reading),
        cmocka_unit_test(test_full),        cmocka_unit_test(test_lengths), cmocka_unit_test(test_unknown),
        cmocka_unit_test(test_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
