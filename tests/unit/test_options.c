/* trace/options: every row takes its default and its choices, and every bad value gets one telling line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "trace/nearest.h"
#include "trace/options.h"

static void options_default_is_printed_as_in_its_row(void **state)
{
    (void)state;
    struct kp_options options;
    kp_options_init(&options);
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        char text[256];
        kp_option_print(&options, i, text, sizeof text);
        assert_string_equal(text, kp_option_row(i)->fallback);
    }
}

/* Two rows that share a member, or a member of another size, would show here. */
static void options_each_row_has_a_member_of_its_own(void **state)
{
    (void)state;
    char error[256], text[256], others[256];
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        const struct kp_option_info *row = kp_option_row(i);
        const char *other = row->type == KP_OPTION_TYPE_SIZE       ? "2M"
                            : row->type == KP_OPTION_TYPE_BYTES    ? "3M"
                            : row->type == KP_OPTION_TYPE_DURATION ? "1500ms"
                            : row->type == KP_OPTION_TYPE_COMPRESS ? "zstd:19"
                            : row->type == KP_OPTION_TYPE_STRING   ? "null:"
                            : row->type == KP_OPTION_TYPE_SWITCH   ? "0"
                            : kp_option_choice(row, 0)             ? kp_option_choice(row, 1)
                                                                   : "text";
        struct kp_options options;
        kp_options_init(&options);
        error[0] = 0;
        assert_int_equal(kp_option_set(&options, row->variable, other, error, sizeof error), KP_OK);
        kp_option_print(&options, i, text, sizeof text);
        assert_string_equal(text, other);
        for (size_t j = 0; j < KP_OPTION_COUNT; j++) {
            if (j == i)
                continue;
            kp_option_print(&options, j, others, sizeof others);
            assert_string_equal(others, kp_option_row(j)->fallback);
        }
    }
}

static void options_choice_words_are_those_of_the_help(void **state)
{
    (void)state;
    for (size_t i = 0; i < KP_OPTION_COUNT; i++)
        for (size_t j = 0; kp_option_choice(kp_option_row(i), j); j++)
            assert_non_null(strstr(kp_option_row(i)->allowed, kp_option_choice(kp_option_row(i), j)));
}

static void options_outputs_are_those_of_the_help(void **state)
{
    (void)state;
    for (size_t i = 0; kp_output_row(i); i++) {
        const char *rest;
        assert_non_null(strstr(kp_option_row(KP_OPTION_OUTPUT)->allowed, kp_output_row(i)->written));
        assert_ptr_equal(kp_output_find(kp_output_row(i)->written, &rest), kp_output_row(i));
    }
}

static void options_enums_follow_their_words(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value;
        size_t offset;
        unsigned expected;
    } cases[] = {
        {"KPROBE_ENGINE", "profile", offsetof(struct kp_options, engine), KP_ENGINE_PROFILE},
        {"KPROBE_ENGINE", "monitoring", offsetof(struct kp_options, engine), KP_ENGINE_MONITORING},
        {"KPROBE_ENGINE", "frame", offsetof(struct kp_options, engine), KP_ENGINE_FRAME},
        {"KPROBE_CLOCK", "tsc", offsetof(struct kp_options, clock), KP_CLOCK_TSC},
        {"KPROBE_CLOCK", "monotonic", offsetof(struct kp_options, clock), KP_CLOCK_MONOTONIC},
        {"KPROBE_CLOCK", "none", offsetof(struct kp_options, clock), KP_CLOCK_NONE},
        {"KPROBE_ON_FULL", "block", offsetof(struct kp_options, on_full), KP_ON_FULL_BLOCK},
        {"--children", "ignore", offsetof(struct kp_options, children), KP_CHILDREN_IGNORE},
        {"--log", "error", offsetof(struct kp_options, log), KP_LEVEL_ERROR},
        {"--log", "debug", offsetof(struct kp_options, log), KP_LEVEL_DEBUG},
        {"KPROBE_COMPRESS", "none", offsetof(struct kp_options, compress_level), 0},
        {"KPROBE_COMPRESS", "zstd", offsetof(struct kp_options, compress_level), 1},
        {"KPROBE_COMPRESS", "zstd:7", offsetof(struct kp_options, compress_level), 7},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kp_options options;
        char error[256] = "";
        kp_options_init(&options);
        assert_int_equal(kp_option_set(&options, cases[i].name, cases[i].value, error, sizeof error), KP_OK);
        assert_int_equal(*(unsigned *)((char *)&options + cases[i].offset), cases[i].expected);
    }
}

static void options_sizes(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        uint64_t bytes;
    } cases[] = {{"64K", 65536},    {"65536", 65536},     {"1m", 1 << 20},
                 {"16M", 16 << 20}, {"16384k", 16 << 20}, {"100K", 128 << 10}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kp_options options;
        char error[256] = "";
        assert_int_equal(kp_option_set(&options, "KPROBE_BUFFER", cases[i].text, error, sizeof error), KP_OK);
        assert_int_equal(options.buffer_bytes, cases[i].bytes);
    }
}

static void options_bad_values_name_value_position_and_allowed(void **state)
{
    (void)state;
    static const struct {
        const char *name, *value, *expected;
    } cases[] = {
        {"KPROBE_BUFFER", "12X", "KPROBE_BUFFER='12X': 'X' at position 3 is no suffix"},
        {"KPROBE_BUFFER", "M", "'M' at position 1 is no number"},
        {"KPROBE_BUFFER", "-1M", "'-1M' at position 1 is no number"},
        {"KPROBE_BUFFER", "1MB", "'B' at position 3 is too much after the suffix"},
        {"KPROBE_BUFFER", "63K", "'63K' at position 1 is too little"},
        {"KPROBE_BUFFER", "17M", "is too much; allowed: 64K to 16M (suffixes K M G)"},
        {"KPROBE_BUFFER", "18446744073709551617", "is too much"},
        {"KPROBE_BUFFER", "9999999999G", "is too much"},
        {"--buffer", "12X", "--buffer='12X': "},
        {"KPROBE_ENGINE", "montoring",
         "(did you mean monitoring?); allowed: auto, opcode, monitoring, frame or profile"},
        {"KPROBE_ENGINE", "jit", "'jit' at position 1 is none of the words; allowed: auto"},
        {"KPROBE_CLOCK", "TSC", "(did you mean tsc?)"},
        {"KPROBE_COMPRESS", "zstd:", "at position 6 is no level"},
        {"KPROBE_COMPRESS", "zstd:0", "'0' at position 6 is no level"},
        {"KPROBE_COMPRESS", "zstd:20", "'20' at position 6 is no level"},
        {"KPROBE_COMPRESS", "zstd:3x", "'3x' at position 6 is no level"},
        {"KPROBE_COMPRESS", "gzip", "'gzip' at position 1 is no compression; allowed: zstd"},
        {"KPROBE_OUTPUT", "file:", "at position 6 a path is missing"},
        {"KPROBE_OUTPUT", "file:a%q.kpt", "'%q' at position 7 is no placeholder"},
        {"KPROBE_OUTPUT", "file:a%", "'%' at position 7 is no placeholder"},
        {"KPROBE_OUTPUT", "flie:a", "'flie' at position 1 is no kind of destination; allowed: file:PATH"},
        {"KPROBE_OUTPUT", "null:x", "'x' at position 6 is too much"},
        {"KPROBE_OUTPUT", "tcp://", "at position 7 has no host"},
        {"KPROBE_OUTPUT", "tcp://:1", "':1' at position 7 has no host"},
        {"KPROBE_OUTPUT", "tcp://h:", "at position 9 is no port (1 to 65535)"},
        {"KPROBE_OUTPUT", "tcp://h:0", "'0' at position 9 is no port"},
        {"KPROBE_OUTPUT", "tcp://h:65536", "'65536' at position 9 is no port"},
        {"KPROBE_OUTPUT", "tcp://h/x", "'/x' at position 8 is no part of a host"},
        {"KPROBE_OUTPUT", "tcp://::1", "IPv6 address stands in brackets"},
        {"KPROBE_OUTPUT", "tcp://[::1", "'[::1' at position 7 has no closing bracket"},
        {"KPROBE_OUTPUT", "tcp:h", "'tcp' at position 1 is no kind of destination"},
        {"KPROBE_OUTPUT", "unix:", "at position 6 a path is missing"},
        {"KPROBE_OUTPUT", "unix:%x", "'%x' at position 6 is no placeholder"},
        {"KPROBE_SPOOL_BYTES", "1K", "'1K' at position 1 is too little; allowed: 1M to 1024G"},
        {"KPROBE_SPOOL_BYTES", "1025G", "is too much"},
        {"KPROBE_LINGER", "2", "at position 2 a suffix is missing"},
        {"KPROBE_LINGER", "2m", "'m' at position 2 is no suffix (ms, s)"},
        {"KPROBE_LINGER", "3601s", "is too much"},
        {"KPROBE_ENABLED", "yes",
         "KPROBE_ENABLED='yes': 'yes' at position 1 is none of the words; allowed: 0 or 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct kp_options options, before;
        char error[512] = "";
        kp_options_init(&options);
        before = options;
        assert_int_equal(kp_option_set(&options, cases[i].name, cases[i].value, error, sizeof error),
                         KP_ERROR_VALUE);
        if (!strstr(error, cases[i].expected))
            fail_msg("'%s' is not in: %s", cases[i].expected, error);
        assert_memory_equal(&options, &before, sizeof options);
    }
}

static void options_errors_are_one_bounded_line(void **state)
{
    (void)state;
    struct kp_options options;
    char value[5000], error[512], tiny[8];
    kp_options_init(&options);
    memset(value, 'x', sizeof value);
    value[1] = '\n';
    value[2] = '\33';
    value[sizeof value - 1] = 0;
    assert_int_equal(kp_option_set(&options, "KPROBE_CLOCK", value, error, sizeof error), KP_ERROR_VALUE);
    assert_null(strchr(error, '\n'));
    assert_null(strchr(error, '\33'));
    assert_non_null(strstr(error, "..."));
    assert_true(strlen(error) < 300);
    assert_int_equal(kp_option_set(&options, "KPROBE_CLOCK", value, tiny, sizeof tiny), KP_ERROR_VALUE);
    assert_int_equal(strlen(tiny), sizeof tiny - 1);
}

static void options_empty_is_the_default(void **state)
{
    (void)state;
    struct kp_options options;
    char error[256] = "";
    kp_options_init(&options);
    options.buffer_bytes = 1;
    options.filter = "x";
    assert_int_equal(kp_option_set(&options, "KPROBE_BUFFER", "", error, sizeof error), KP_OK);
    assert_int_equal(options.buffer_bytes, 1 << 20);
    assert_int_equal(kp_option_set(&options, "KPROBE_FILTER", "", error, sizeof error), KP_OK);
    assert_string_equal(options.filter, "");
}

static void options_unknown_variable_suggests(void **state)
{
    (void)state;
    char error[512];
    assert_true(kp_option_known("KPROBE_BUFFER"));
    assert_false(kp_option_known("buffer"));
    assert_false(kp_option_known("KPROBE_BUFER"));
    assert_string_equal(kp_option_suggest("KPROBE_BUFER"), "KPROBE_BUFFER");
    assert_string_equal(kp_option_suggest("KPROBE_FITLER"), "KPROBE_FILTER");
    assert_null(kp_option_suggest("KPROBE_ZZZZZZ"));
    assert_null(kp_option_suggest("BUFFER"));
    kp_option_unknown("KPROBE_FITLER", error, sizeof error);
    assert_string_equal(error, "KPROBE_FITLER is no option of kprobe; did you mean KPROBE_FILTER?");
    kp_option_unknown("KPROBE_ZZZZZZ", error, sizeof error);
    for (size_t i = 0; i < KP_OPTION_COUNT; i++)
        assert_non_null(strstr(error, kp_option_row(i)->variable));
    struct kp_options options;
    assert_int_equal(kp_option_set(&options, "KPROBE_ZZZ", "1", error, sizeof error), KP_ERROR_VALUE);
}

static void nearest_counts_edits(void **state)
{
    (void)state;
    char longest[100];
    memset(longest, 'a', sizeof longest);
    longest[99] = 0;
    assert_int_equal(kp_nearest_distance("report", "report"), 0);
    assert_int_equal(kp_nearest_distance("reprot", "report"), 1);
    assert_int_equal(kp_nearest_distance("repor", "report"), 1);
    assert_int_equal(kp_nearest_distance("reeport", "report"), 1);
    assert_int_equal(kp_nearest_distance("REPORT", "report"), 0);
    assert_int_equal(kp_nearest_distance("", "tree"), 4);
    assert_int_equal(kp_nearest_distance("kitten", "sitting"), 3);
    assert_int_equal(kp_nearest_distance(longest, "a"), KP_NEAREST_MAX_BYTES + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_default_is_printed_as_in_its_row),
        cmocka_unit_test(options_each_row_has_a_member_of_its_own),
        cmocka_unit_test(options_choice_words_are_those_of_the_help),
        cmocka_unit_test(options_outputs_are_those_of_the_help),
        cmocka_unit_test(options_enums_follow_their_words),
        cmocka_unit_test(options_sizes),
        cmocka_unit_test(options_bad_values_name_value_position_and_allowed),
        cmocka_unit_test(options_errors_are_one_bounded_line),
        cmocka_unit_test(options_empty_is_the_default),
        cmocka_unit_test(options_unknown_variable_suggests),
        cmocka_unit_test(nearest_counts_edits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
