/* Numbers for people, and tables of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "export/exporter.h"
#include "report/table.h"
#include "util/escape.h"
#include "util/format.h"

static void durations(void **state)
{
    (void)state;
    static const struct {
        uint64_t ns;
        const char *text;
    } rows[] = {
        {0, "0 ns"},
        {999, "999 ns"},
        {1000, "1.000 us"},
        {1234567, "1.235 ms"},
        {12345678, "12.35 ms"},
        {123456789, "123.5 ms"},
        {9999999999, "10.00 s"},
        {59900000000, "59.90 s"},
        {600000000000, "10 m 00 s"},
        {3661000000000, "1 h 01 m"},
        {99994, "99.99 us"},
        {99996, "100.0 us"},
    };
    char text[KP_FORMAT_BYTES];
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(kp_format_duration(text, rows[i].ns), rows[i].text);
}

static void counts_sizes_dates(void **state)
{
    (void)state;
    char text[KP_FORMAT_BYTES];
    assert_string_equal(kp_format_count(text, 0), "0");
    assert_string_equal(kp_format_count(text, 999), "999");
    assert_string_equal(kp_format_count(text, 1000), "1,000");
    assert_string_equal(kp_format_count(text, UINT64_MAX), "18,446,744,073,709,551,615");
    assert_string_equal(kp_format_size(text, 512), "512 B");
    assert_string_equal(kp_format_size(text, 1536), "1.5 KiB");
    assert_string_equal(kp_format_time(text, UINT64_C(1000000000123456789)),
                        "2001-09-09 01:46:40.123456 UTC");
}

static void parses_durations(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool good;
        uint64_t ns;
    } rows[] = {
        {"10", true, 10},         {"10ns", true, 10},        {"1.5us", true, 1500}, {"2 ms", true, 2000000},
        {"3s", true, 3000000000}, {"1m", true, 60000000000}, {"", false, 0},        {"ms", false, 0},
        {"-1", false, 0},         {"1h", false, 0},          {"1ms2", false, 0},    {"nan", false, 0},
        {"1e30", false, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint64_t ns = 0;
        assert_int_equal(kp_parse_duration(rows[i].text, &ns), rows[i].good);
        if (rows[i].good)
            assert_int_equal(ns, rows[i].ns);
    }
}

static void cuts_in_the_middle(void **state)
{
    (void)state;
    char *cut = kp_cut_middle("abcdefghij", 6);
    assert_string_equal(cut, "ab\xe2\x80\xa6hij");
    free(cut);
    cut = kp_cut_middle("\xc3\xa4\xc3\xb6\xc3\xbc", 3);
    assert_string_equal(cut, "\xc3\xa4\xc3\xb6\xc3\xbc");
    free(cut);
}

static char *print(unsigned width)
{
    static const struct kp_table_column columns[] = {
        {"calls", true, 0, 0, KP_COLOR_NONE},  {"mean", true, 0, 2, KP_COLOR_NONE},
        {"name", false, 20, 0, KP_COLOR_NONE}, {"location", false, 20, 5, KP_COLOR_NONE},
        {NULL, false, 0, 0, KP_COLOR_NONE},
    };
    static const char *const cells[] = {"1", "22", "a.function.with.a.long.name", "file.py:1", "1000000", "3",
                                        "b", ""};
    struct kp_table *table = kp_table_create(columns);
    for (size_t i = 0; i < sizeof cells / sizeof *cells; i++)
        kp_table_add(table, cells[i]);
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    kp_table_print(table, file, width, false);
    fclose(file);
    kp_table_destroy(table);
    return text;
}

static void tables_align(void **state)
{
    (void)state;
    char *text = print(0);
    assert_string_equal(text, "  calls  mean  name                         location\n"
                              "      1    22  a.function.with.a.long.name  file.py:1\n"
                              "1000000     3  b\n");
    free(text);
}

static void tables_fit_the_terminal(void **state)
{
    (void)state;
    char *text = print(36);
    assert_string_equal(text, "  calls  mean  name\n"
                              "      1    22  a.function\xe2\x80\xa6.long.name\n"
                              "1000000     3  b\n");
    free(text);
    text = print(30);
    assert_string_equal(text, "  calls  name\n"
                              "      1  a.function\xe2\x80\xa6.long.name\n"
                              "1000000  b\n");
    free(text);
}

static void exporters_and_choices_agree(void **state)
{
    (void)state;
    char choices[256] = "";
    for (size_t i = 0; kp_exporters[i]; i++) {
        if (i)
            strcat(choices, "|");
        strcat(choices, kp_exporters[i]->name);
        assert_ptr_equal(kp_exporter_find(kp_exporters[i]->name), kp_exporters[i]);
    }
    assert_string_equal(choices, KP_EXPORTER_CHOICES);
    assert_null(kp_exporter_find("no such format"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(counts_sizes_dates),
        cmocka_unit_test(parses_durations),
        cmocka_unit_test(cuts_in_the_middle),
        cmocka_unit_test(tables_align),
        cmocka_unit_test(tables_fit_the_terminal),
        cmocka_unit_test(exporters_and_choices_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
