/* The JSON writer: exact text. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "util/json.h"

static char *text;
static size_t length;

static struct kp_json begin(unsigned lines)
{
    struct kp_json json;
    kp_json_init(&json, open_memstream(&text, &length), lines);
    return json;
}

static void expect(struct kp_json *json, const char *expected)
{
    kp_json_finish(json);
    fclose(json->file);
    assert_string_equal(text, expected);
    free(text);
}

static void writes_values(void **state)
{
    (void)state;
    struct kp_json json = begin(0);
    kp_json_begin_object(&json, NULL);
    kp_json_number(&json, "n", UINT64_MAX);
    kp_json_real(&json, "r", 1.25, 2);
    kp_json_real(&json, "nan", NAN, 2);
    kp_json_real(&json, "inf", INFINITY, 2);
    kp_json_bool(&json, "t", true);
    kp_json_bool(&json, "f", false);
    kp_json_null(&json, "z");
    kp_json_string(&json, "s", "x");
    kp_json_end_object(&json);
    expect(&json, "{\"n\": 18446744073709551615, \"r\": 1.25, \"nan\": null, \"inf\": null, "
                  "\"t\": true, \"f\": false, \"z\": null, \"s\": \"x\"}\n");
}

static void nests_and_breaks_lines(void **state)
{
    (void)state;
    struct kp_json json = begin(2);
    kp_json_begin_object(&json, NULL);
    kp_json_begin_array(&json, "empty");
    kp_json_end_array(&json);
    kp_json_begin_array(&json, "a");
    for (unsigned i = 0; i < 2; i++) {
        kp_json_begin_object(&json, NULL);
        kp_json_number(&json, "i", i);
        kp_json_begin_object(&json, "o");
        kp_json_end_object(&json);
        kp_json_end_object(&json);
    }
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    expect(
        &json,
        "{\n  \"empty\": [],\n  \"a\": [\n    {\"i\": 0, \"o\": {}},\n    {\"i\": 1, \"o\": {}}\n  ]\n}\n");
}

static void escapes_and_repairs_text(void **state)
{
    (void)state;
    struct kp_json json = begin(0);
    kp_json_begin_array(&json, NULL);
    kp_json_string(&json, NULL, "q\" b\\ n\n t\t \x1b \x7f");
    kp_json_string(&json, NULL, "\xc3\xbc \xff\xc3 \xed\xa0\x80");
    kp_json_end_array(&json);
    expect(&json, "[\"q\\\" b\\\\ n\\u000a t\\u0009 \\u001b \\u007f\", "
                  "\"\xc3\xbc \xef\xbf\xbd\xef\xbf\xbd \xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\"]\n");
}

static void any_depth(void **state)
{
    (void)state;
    struct kp_json json = begin(0);
    for (unsigned i = 0; i < 5000; i++)
        kp_json_begin_array(&json, NULL);
    for (unsigned i = 0; i < 5000; i++)
        kp_json_end_array(&json);
    fflush(json.file);
    assert_int_equal(length, 10000);
    fclose(json.file);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_values),
        cmocka_unit_test(nests_and_breaks_lines),
        cmocka_unit_test(escapes_and_repairs_text),
        cmocka_unit_test(any_depth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
