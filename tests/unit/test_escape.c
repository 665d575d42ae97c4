/* Escaping of names: one rule, nothing that steers a terminal gets through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "util/escape.h"

static void escapes(void **state)
{
    (void)state;
    static const struct {
        const char *plain, *escaped;
    } rows[] = {
        {"", ""},
        {"app.f.<locals>.<lambda>", "app.f.<locals>.<lambda>"},
        {"a\tb\nc\rd", "a\\x09b\\x0ac\\x0dd"},
        {"a\\b", "a\\x5cb"},
        {"\x1b[31m\x7f", "\\x1b[31m\\x7f"},
        {"gr\xc3\xbc\xc3\x9f"
         "e \xe6\x97\xa5 \xf0\x9f\x90\x8d",
         "gr\xc3\xbc\xc3\x9f"
         "e \xe6\x97\xa5 \xf0\x9f\x90\x8d"},
        {"\xff\xfe", "\\xff\\xfe"},
        {"\xc3", "\\xc3"},                            /* cut off */
        {"\xe2\x82x", "\\xe2\\x82x"},                 /* cut off before another character */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},          /* overlong */
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"},          /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"}, /* beyond U+10FFFF */
        {"\xc2\x9b"
         "31m",
         "\\xc2\\x9b"
         "31m"}, /* U+009B starts a terminal sequence too */
        {"\xc2\xa0", "\xc2\xa0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *escaped = kp_escape(rows[i].plain);
        assert_string_equal(escaped, rows[i].escaped);
        free(escaped);
    }
}

static void counts_columns(void **state)
{
    (void)state;
    assert_int_equal(kp_utf8_columns(""), 0);
    assert_int_equal(kp_utf8_columns("abc"), 3);
    assert_int_equal(kp_utf8_columns("gr\xc3\xbcn"), 4);
    assert_int_equal(kp_utf8_columns("\xff"
                                     "a"),
                     2);
}

static void long_names_fit(void **state)
{
    (void)state;
    enum { LENGTH = 10000 };
    char *name = malloc(LENGTH + 1);
    memset(name, '\n', LENGTH);
    name[LENGTH] = '\0';
    char *escaped = kp_escape(name);
    assert_int_equal(strlen(escaped), 4 * LENGTH);
    free(escaped);
    free(name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),
        cmocka_unit_test(counts_columns),
        cmocka_unit_test(long_names_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
