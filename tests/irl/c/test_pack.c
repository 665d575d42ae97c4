/* The functions for Kieker's C pack write what our own do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "pack_records.h"
#include "samples.h"

static int length_of(const char *text)
{
    return (int)strlen(text);
}

static int32_t id_of(void *user, const char *text)
{
    (void)user;
    return length_of(text);
}

#define CHECK_SAME(name, value)                                                                              \
    do {                                                                                                     \
        char theirs[8192] = {0};                                                                             \
        uint8_t ours[8192] = {0};                                                                            \
        struct kieker_writer writer = {.bytes = ours, .capacity = sizeof ours, .string_id = id_of};          \
        const int start = 12;                                                                                \
        assert_true(name##_write_binary(&writer, &(value)));                                                 \
        assert_int_equal(name##_serialize(theirs, start, value), start + (int)writer.position);              \
        assert_memory_equal(theirs + start, ours, writer.position);                                          \
    } while (0)

static void test_same_bytes(void **state)
{
    (void)state;
    kieker_string_id = length_of;
    test_every_scalars scalars = TEST_EVERY_SCALARS_INIT;
    scalars.plain = NULL;
    CHECK_SAME(test_every_scalars, scalars);
    test_every_fixed fixed = TEST_EVERY_FIXED_INIT;
    CHECK_SAME(test_every_fixed, fixed);
    test_every_dynamic dynamic = sample_dynamic();
    CHECK_SAME(test_every_dynamic, dynamic);
    test_every_mixed mixed = sample_mixed();
    CHECK_SAME(test_every_mixed, mixed);
    mixed.matrix_size0 = 0; /* no inner length then */
    mixed.cube_size0 = 0;
    CHECK_SAME(test_every_mixed, mixed);
    test_every_empty empty = TEST_EVERY_EMPTY_INIT;
    CHECK_SAME(test_every_empty, empty);
    test_every_only_transient transient = TEST_EVERY_ONLY_TRANSIENT_INIT;
    CHECK_SAME(test_every_only_transient, transient);
}

/* What cannot be is an empty array: these functions have no way to fail. */
static void test_impossible_arrays(void **state)
{
    (void)state;
    char empty[8192], written[8192];
    kieker_string_id = length_of;
    test_every_mixed mixed = sample_mixed();
    mixed.matrix_size0 = 0;
    int end = test_every_mixed_serialize(empty, 0, mixed);
    mixed.matrix_size0 = -2;
    assert_int_equal(test_every_mixed_serialize(written, 0, mixed), end);
    assert_memory_equal(written, empty, (size_t)end);
    mixed.matrix_size0 = 2;
    mixed.matrix = NULL;
    assert_int_equal(test_every_mixed_serialize(written, 0, mixed), end);
    assert_memory_equal(written, empty, (size_t)end);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_same_bytes),
                                       cmocka_unit_test(test_impossible_arrays)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
