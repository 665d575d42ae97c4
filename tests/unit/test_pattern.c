/* Filter rules: every form, the order of rules, faults, and names that are none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <locale.h>
#include <cmocka.h>

#include "trace/glob.h"
#include "trace/pattern.h"

#define PY     KP_FUNCTION_PYTHON
#define CPY    KP_FUNCTION_C_PYTHON
#define MANUAL KP_FUNCTION_MANUAL
#define C      KP_FUNCTION_C

static void compile(struct kp_rules *rules, const char *text)
{
    char error[512] = "";
    if (kp_rules_compile(rules, text, "KPROBE_FILTER", error, sizeof error))
        fail_msg("'%s' is refused: %s", text, error);
}

static const struct {
    const char *rules;
    enum kp_function_kind kind;
    const char *name;
    const char *file;
    bool traced;
} matches[] = {
    /* defaults */
    {"", PY, "app.f", "/a/app.py", true},
    {"", CPY, "builtins.len", NULL, false},
    {"", C, "libc.so.6:read", NULL, false},
    {" \n,,\n# only a comment, with a comma\n", PY, "app.f", NULL, true},
    /* names */
    {"app.*", PY, "app.f", NULL, true},
    {"app.*", PY, "app", NULL, false},
    {"app.*", PY, "application.f", NULL, false},
    {"+app.*", PY, "other.f", NULL, false},
    {"-app.*", PY, "other.f", NULL, true},
    {"-app.*", PY, "app.f", NULL, false},
    {"- app.*", PY, "app.f", NULL, false},
    {"*", PY, "app.f", NULL, true},
    {"-*", PY, "app.f", NULL, false},
    {"*.get?", PY, "a.b.getx", NULL, true},
    {"*.get?", PY, "a.b.get", NULL, false},
    {"a*b*c", PY, "a.b.b.c", NULL, true},
    {"a*b*c", PY, "a.b.b.cd", NULL, false},
    {"*.f.<locals>.<lambda>", PY, "m.f.<locals>.<lambda>", NULL, true},
    {"m.[fg]", PY, "m.g", NULL, true},
    {"m.[fg]", PY, "m.h", NULL, false},
    {"m.[a-f]", PY, "m.e", NULL, true},
    {"m.[!a-f]", PY, "m.e", NULL, false},
    {"m.[^a-f]", PY, "m.x", NULL, true},
    {"m.[]x]", PY, "m.]", NULL, true},
    {"m.[!]]", PY, "m.]", NULL, false},
    {"m.[a-]", PY, "m.-", NULL, true},
    {"m.\\*", PY, "m.*", NULL, true},
    {"m.\\*", PY, "m.x", NULL, false},
    {"m.[\\]]", PY, "m.]", NULL, true},
    {"m.[,],n.*", PY, "m.,", NULL, true},
    {"m.a\\,b", PY, "m.a,b", NULL, true},
    {"m.?", PY, "m.\xc3\xa9", NULL, true},
    {"m.[\xc3\xa0-\xc3\xbf]", PY, "m.\xc3\xa9", NULL, true},
    {"m.[\xc3\xa0-\xc3\xbf]", PY, "m.\xc3", NULL, false},
    {"m.?", PY, "m.\xff", NULL, true},
    {"m.?", PY, "m.\xff\xfe", NULL, false},
    {"m.\xff", PY, "m.\xff", NULL, true},
    {"m.a*", PY, "m.a\nb\tc", NULL, true},
    /* a name rule says nothing about C */
    {"*", CPY, "builtins.len", NULL, false},
    {"*", C, "libc.so.6:read", NULL, false},
    /* files */
    {"file:/srv/app/*", PY, "x.f", "/srv/app/sub/x.py", true},
    {"file:/srv/app/*", PY, "x.f", "/usr/lib/x.py", false},
    {"-file:*/site-packages/*", PY, "x.f", "/usr/site-packages/x.py", false},
    {"file:x.py", PY, "x.f", "/srv/app/x.py", true},
    {"file:x.py", PY, "x.f", "/srv/app/xx.py", false},
    {"file:app/x.py", PY, "x.f", "/srv/app/x.py", false},
    {"file:<string>", PY, "x.f", "<string>", true},
    {"file:*", PY, "x.f", NULL, true},
    {"file:?*", PY, "x.f", NULL, false},
    /* C */
    {"c:builtins.*", CPY, "builtins.len", NULL, true},
    {"c:builtins.*", CPY, "math.sin", NULL, false},
    {"c:builtins.*", PY, "app.f", NULL, true},
    {"c:re:math\\.(sin|cos)", CPY, "math.cos", NULL, true},
    {"c:re:math\\.(sin|cos)", CPY, "math.cosh", NULL, false},
    /* probes of the program's own */
    {"", MANUAL, "shop.a", NULL, true},
    {"-*,-c:*,-*:*", MANUAL, "shop.a", NULL, true},
    {"+app.*", MANUAL, "shop.a", NULL, true},
    {"-manual:shop.*", MANUAL, "shop.a", NULL, false},
    {"+manual:shop.*", MANUAL, "shop.a", NULL, true},
    {"+manual:shop.*", MANUAL, "other", NULL, false},
    {"+manual:shop.*", PY, "app.f", NULL, true},
    {"manual:void a.B.*(int, long),x", MANUAL, "void a.B.c(int, long)", NULL, true},
    {"-manual:re:x{1,2}|y", MANUAL, "xx", NULL, false},
    {"-manual:re:x{1,2}|y", MANUAL, "xxx", NULL, true},
    {"libssl.so.3:SSL_*", C, "libssl.so.3:SSL_read", NULL, true},
    {"libssl.so.3:SSL_*", C, "libc.so.6:read", NULL, false},
    {"libssl.so.3:SSL_*", PY, "app.f", NULL, true},
    {"*:*,-libc.so.6:mem*", C, "libc.so.6:memcpy", NULL, false},
    {"m.[:x]", PY, "m.:", NULL, true},
    /* regular expressions: the whole name */
    {"re:app\\.(a|b)", PY, "app.b", NULL, true},
    {"re:a|b", PY, "b", NULL, true},
    {"re:a|b", PY, "bc", NULL, false},
    {"re:a|ab", PY, "ab", NULL, true},
    {"re:a{1,2}", PY, "aa", NULL, true},
    {"re:(a,b|c)", PY, "a,b", NULL, true},
    {"re:[[:alpha:],]+", PY, "a,b", NULL, true},
    {"re:a\\,b", PY, "a,b", NULL, true},
    {"re:a.b", PY, "a\nb", NULL, true},
    {"re:a.b", PY,
     "a\xff"
     "b",
     NULL, true},
    {"-re:.*\\.test_[a-z]+,", PY, "m.test_x", NULL, false},
    /* signatures */
    {"* ..*.*(..)", PY, "a.b.c", NULL, true},
    {"..* ..*.*(..)", PY, "a.c", NULL, true},
    {"object a.b.c()", PY, "a.b.c", NULL, true},
    {"object a.b.c(object, int)", PY, "a.b.c", NULL, true},
    {"object a.b.c(*,..)", PY, "a.b.c", NULL, true},
    {"void a.b.c()", PY, "a.b.c", NULL, false},
    {"object a.b.get*(..)", PY, "a.b.getName", NULL, true},
    {"object a.b.get*(..)", PY, "a.b.get.name", NULL, false},
    {"object a.*.c(..)", PY, "a.b.b.c", NULL, true},
    {"object a.b*.c(..)", PY, "a.bx.c", NULL, true},
    {"object a.b*.c(..)", PY, "a.b.b.c", NULL, false},
    {"object a..c(..)", PY, "a.c", NULL, true},
    {"object a..c(..)", PY, "a.b.b.c", NULL, true},
    {"object a..c(..)", PY, "a.b.bc", NULL, false},
    {"object ..c.d(..)", PY, "a.c.d", NULL, true},
    {"object ..c.d(..)", PY, "ac.d", NULL, false},
    {"non_static object a.b(..)", PY, "a.b", NULL, true},
    {"package object a.b(..)", PY, "a.b", NULL, true},
    {"public object a.b(..)", PY, "a.b", NULL, false},
    {"public static final * a.b(..)", PY, "a.b", NULL, false},
    {"new ..*.<init>(..)", PY, "a.__init__", NULL, false},
    {"object a.b(..) throws ..", PY, "a.b", NULL, true},
    {"object a.b(..) throws x.Y", PY, "a.b", NULL, false},
    {"object a.f._locals_._lambda_(..)", PY, "a.f.<locals>.<lambda>", NULL, true},
    {"object a.b(int,int),c.*", PY, "c.x", NULL, true},
    {"object a.b(int[],java.lang.String)", PY, "a.b", NULL, true},
    /* order */
    {"a.*,-a.b", PY, "a.b", NULL, false},
    {"-a.b,a.*", PY, "a.b", NULL, true},
    {"a.*\n-a.b*\n+a.bc", PY, "a.bc", NULL, true},
    {"-a.*", PY, "b.x", NULL, true},
    {"c:*\n-a.*", PY, "b.x", NULL, true},
    {"a.*\r\n-a.b\r\n", PY, "a.b", NULL, false},
    {"# one\n  a.* \n # -a.*", PY, "a.b", NULL, true},
};

static void pattern_matches_as_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
        struct kp_rules rules;
        compile(&rules, matches[i].rules);
        if (kp_rules_match(&rules, matches[i].kind, matches[i].name, matches[i].file) != matches[i].traced)
            fail_msg("row %zu: rules '%s', name '%s', file '%s': traced should be %d", i, matches[i].rules,
                     matches[i].name, matches[i].file, matches[i].traced);
        kp_rules_fini(&rules);
    }
}

static const struct {
    const char *rules;
    const char *where;
    const char *what;
} faults[] = {
    {"+", "line 1, column 2:", "no pattern"},
    {"a.*,-,b", "line 1, column 6:", "no pattern"},
    {"file:", "line 1, column 6:", "no pattern"},
    {"a\n  b\n  re:x(y", "line 3, column 6:", "'(' or ')' without"},
    {"re:a)(b", "line 1, column 4:", "'(' or ')' without"},
    {"re:a[b", "line 1, column 4:", "'[' without ']'"},
    {"re:(a)\\1", "line 1, column 7:", "references back"},
    {"re:a{2,1}", "line 1, column 4:", "{...}"},
    {"m.[a-", "line 1, column 3:", "'[' without ']'"},
    {"m.[z-a]", "line 1, column 3:", "whose end is before"},
    {"m.x\\", "line 1, column 4:", "nothing behind"},
    {"x,:read", "line 1, column 3:", "both sides of ':'"},
    {"libc:", "line 1, column 5:", "both sides of ':'"},
    {"a.b.c()", "line 1, column 1:", "without return type"},
    {"object a.b(", "line 1, column 12:", "identifier is missing"},
    {"object a.b(int", "line 1, column 15:", "')' is missing"},
    {"object a.b()(", "line 1, column 13:", "not 'throws'"},
    {"object a.b((int))", "line 1, column 12:", "identifier is missing"},
    {"object a...b()", "line 1, column 11:", "identifier is missing"},
    {"object a.b.()", "line 1, column 12:", "identifier is missing"},
    {"object b()", "line 1, column 8:", "without '.'"},
    {"static public object a.b()", "line 1, column ", "out of order"},
    {"static static object a.b()", "line 1, column ", "out of order"},
    {"object a.b<c>()", "line 1, column 11:", "not allowed in a name"},
};

static void pattern_refuses_with_place_and_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        struct kp_rules rules;
        char error[512] = "";
        if (kp_rules_compile(&rules, faults[i].rules, "rules.txt", error, sizeof error) != KP_ERROR_VALUE)
            fail_msg("'%s' should be refused", faults[i].rules);
        if (strncmp(error, "rules.txt, ", 11) || !strstr(error, faults[i].where) ||
            !strstr(error, faults[i].what) || !strstr(error, "; allowed is [+|-]PATTERN"))
            fail_msg("'%s': expected '%s' and '%s' in: %s", faults[i].rules, faults[i].where, faults[i].what,
                     error);
        assert_int_equal(rules.count, 0);
        kp_rules_fini(&rules);
    }
}

static void pattern_quotes_faulty_rules_readably(void **state)
{
    (void)state;
    char text[10100] = "m.\x01\xff[", error[512];
    memset(text + 5, 'a', 10000);
    struct kp_rules rules;
    assert_int_equal(kp_rules_compile(&rules, text, "KPROBE_FILTER", error, sizeof error), KP_ERROR_VALUE);
    assert_non_null(strstr(error, "rule 'm.\\x01\\xff[aaaa"));
    assert_non_null(strstr(error, "aaa...'"));
    assert_non_null(strstr(error, "allowed is"));
}

static void pattern_counts_the_rule_that_decides(void **state)
{
    (void)state;
    struct kp_rules rules;
    struct kp_rule_info info;
    char error[512];
    compile(&rules, "a.*, -a.b");
    assert_int_equal(kp_rules_append(&rules, "# more\n+a.b.c", "f", error, sizeof error), KP_OK);
    assert_true(kp_rules_match(&rules, PY, "a.x", NULL));
    assert_true(kp_rules_match(&rules, PY, "a.b.c", NULL));
    assert_false(kp_rules_match(&rules, PY, "a.b", NULL));
    assert_false(kp_rules_match(&rules, PY, "a.b", NULL));
    static const struct kp_rule_info expected[] = {
        {"a.*", "KPROBE_FILTER", 1, 1}, {"-a.b", "KPROBE_FILTER", 1, 2}, {"+a.b.c", "f", 2, 1}};
    for (size_t i = 0; i < 3; i++) {
        assert_true(kp_rules_get(&rules, i, &info));
        assert_string_equal(info.text, expected[i].text);
        assert_string_equal(info.origin, expected[i].origin);
        assert_int_equal(info.line, expected[i].line);
        assert_int_equal(info.hits, expected[i].hits);
    }
    assert_false(kp_rules_get(&rules, 3, &info));
    kp_rules_fini(&rules);
}

static void pattern_append_that_fails_changes_nothing(void **state)
{
    (void)state;
    struct kp_rules rules;
    char error[512];
    compile(&rules, "-a.*");
    assert_int_equal(kp_rules_append(&rules, "b.*,c.*,[", "f", error, sizeof error), KP_ERROR_VALUE);
    assert_int_equal(rules.count, 1);
    assert_true(kp_rules_match(&rules, PY, "z", NULL));
    kp_rules_fini(&rules);
    kp_rules_fini(&rules);
}

static void pattern_knows_which_kinds_are_possible(void **state)
{
    (void)state;
    static const struct {
        const char *rules;
        bool python, c_python, c;
    } rows[] = {
        {"", true, false, false},     {"-*", false, false, false},
        {"-*,a", true, false, false}, {"a,-*", false, false, false},
        {"c:*", true, true, false},   {"c:*,-c:*", true, false, false},
        {"*:*", true, false, true},   {"*:*,-*:*,-*", false, false, false},
        {"-a.*", true, false, false}, {"re:x,-c:x", true, false, false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kp_rules rules;
        compile(&rules, rows[i].rules);
        assert_int_equal(kp_rules_possible(&rules, PY), rows[i].python);
        assert_int_equal(kp_rules_possible(&rules, CPY), rows[i].c_python);
        assert_int_equal(kp_rules_possible(&rules, C), rows[i].c);
        kp_rules_fini(&rules);
    }
}

static void pattern_knows_which_objects_are_possible(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *object;
        enum kp_extent extent;
    } rows[] = {
        {"", "libc.so.6", KP_EXTENT_NONE},
        {"a.*,c:*", "libc.so.6", KP_EXTENT_NONE},
        {"*:*", "libc.so.6", KP_EXTENT_ALL},
        {"libssl*:SSL_read", "libssl.so.3", KP_EXTENT_SOME},
        {"libssl*:SSL_read", "libcrypto.so.3", KP_EXTENT_NONE},
        {"libc.so.6:mem*,-libc.so.6:memcpy", "libc.so.6", KP_EXTENT_SOME},
        {"*:*,-libc.so.6:*", "libc.so.6", KP_EXTENT_NONE},
        {"*:*,-libc.so.6:*", "libm.so.6", KP_EXTENT_ALL},
        {"*:*,-*:*", "libm.so.6", KP_EXTENT_NONE},
        {"-*:*,libm*:sin", "libm.so.6", KP_EXTENT_SOME},
        {"lib[a-m]*:x", "libm.so.6", KP_EXTENT_SOME},
        {"lib[n-z]*:x", "libm.so.6", KP_EXTENT_NONE},
        {"libc.so.6:mem*,libc*:*,libm*:*", "libc.so.6", KP_EXTENT_ALL},
        {"libc*:*,-libc*:mem*", "libc.so.6", KP_EXTENT_SOME},
        /* Not decided by the object alone. */
        {"*:*,-lib*:[a:]*", "libm.so.6", KP_EXTENT_SOME},
        {"*:x", "a:b", KP_EXTENT_SOME},
        {"*:*,-a:*", "a:b", KP_EXTENT_SOME},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kp_rules rules;
        compile(&rules, rows[i].rules);
        assert_int_equal(kp_rules_object(&rules, rows[i].object), rows[i].extent);
        kp_rules_fini(&rules);
    }
}

static void pattern_tells_beginnings(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *start;
        bool possible;
    } rows[] = {
        {"", "math", false},
        {"a.*,*:*", "math", false},
        {"c:*", "math", true},
        {"c:math.*", "math", true},
        {"c:math.*", "mat", true},
        {"c:math.*", "cmath", false},
        {"c:math.sin", "math", true},
        {"c:math.sin", "_json", false},
        {"c:m?th.sin", "moth", true},
        {"c:re:_.*", "math", true},
        {"c:[a-c]*", "math", true},
        {"-c:math.*", "math", false},
        {"c:_json.*,c:b*", "a", false},
        {"c:_json.*,c:b*", "builtins.list", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct kp_rules rules;
        compile(&rules, rows[i].rules);
        assert_int_equal(kp_rules_below(&rules, KP_FUNCTION_C_PYTHON, rows[i].start), rows[i].possible);
        kp_rules_fini(&rules);
    }
}

/* 10 000 characters against patterns that make backtracking matchers explode. */
static void pattern_takes_linear_time(void **state)
{
    (void)state;
    static const char *const nasty[] = {
        "*a*a*a*a*a*a*a*a*a*a*a*a*b",
        "object ..*..*..*..*..*..*..*.b(..)",
        "re:(a*)*(a*)*(a*)*b",
        "object *a*a*a*a*a*a*a*a*.b(..)",
    };
    char *name = malloc(10001);
    memset(name, 'a', 10000);
    name[10000] = 0;
    struct timespec start, end;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
    for (size_t i = 0; i < sizeof nasty / sizeof *nasty; i++) {
        struct kp_rules rules;
        compile(&rules, nasty[i]);
        assert_false(kp_rules_match(&rules, PY, name, name));
        kp_rules_fini(&rules);
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    assert_true(end.tv_sec - start.tv_sec < 5);
    struct kp_rules rules;
    compile(&rules, name);
    assert_true(kp_rules_match(&rules, PY, name, NULL));
    kp_rules_fini(&rules);
    free(name);
}

/* The program's locale neither changes what matches nor is changed. */
static void pattern_ignores_the_locale(void **state)
{
    (void)state;
    struct kp_rules rules;
    compile(&rules, "re:m\\...");
    char *before = setlocale(LC_ALL, "C.UTF-8");
    assert_non_null(before);
    assert_true(kp_rules_match(&rules, PY, "m.\xc3\xa9", NULL));
    assert_true(kp_rules_match(&rules, PY, "m.\xff\xff", NULL));
    assert_string_equal(setlocale(LC_ALL, NULL), "C.UTF-8");
    assert_ptr_equal(uselocale((locale_t)0), LC_GLOBAL_LOCALE);
    setlocale(LC_ALL, "C");
    kp_rules_fini(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pattern_matches_as_the_table_says),
        cmocka_unit_test(pattern_refuses_with_place_and_reason),
        cmocka_unit_test(pattern_quotes_faulty_rules_readably),
        cmocka_unit_test(pattern_counts_the_rule_that_decides),
        cmocka_unit_test(pattern_append_that_fails_changes_nothing),
        cmocka_unit_test(pattern_knows_which_kinds_are_possible),
        cmocka_unit_test(pattern_knows_which_objects_are_possible),
        cmocka_unit_test(pattern_tells_beginnings),
        cmocka_unit_test(pattern_takes_linear_time),
        cmocka_unit_test(pattern_ignores_the_locale),
    };
    return cmocka_run_group_tests_name("pattern", tests, NULL, NULL);
}
