/* The rows of special.def: found by name, sorted, each of its class. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "trace/special.h"

static const char *const all_symbols[] = {
#define KP_SPECIAL_REASON(name, class, text)
#define KP_SPECIAL(symbol, reason) symbol,
#define KP_SPECIAL_PREFIX(start, reason)
#define KP_SPECIAL_OBJECT(glob, reason)
#include "trace/special.def"
};

static void special_rows_are_sorted_and_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof all_symbols / sizeof *all_symbols; i++) {
        if (i > 0 && strcmp(all_symbols[i - 1], all_symbols[i]) >= 0)
            fail_msg("'%s' stands before '%s'", all_symbols[i - 1], all_symbols[i]);
        assert_non_null(kp_special_find(all_symbols[i]));
    }
}

static void expect(const char *symbol, enum kp_special_class class)
{
    const struct kp_special *special = kp_special_find(symbol);
    if (!special) {
        fail_msg("%s has no row", symbol);
        return;
    }
    assert_string_equal(kp_special_class_text(special->class), kp_special_class_text(class));
    assert_true(*special->reason);
}

static void special_classes(void **state)
{
    (void)state;
    expect("vfork", KP_SPECIAL_ENTRY_ONLY);
    expect("__sigsetjmp", KP_SPECIAL_ENTRY_ONLY);
    expect("_Unwind_Resume", KP_SPECIAL_ENTRY_ONLY);
    expect("execve", KP_SPECIAL_ENTRY_ONLY);
    expect("__tls_get_addr", KP_SPECIAL_NEVER);
    expect("__asan_check_load_add_4_R8", KP_SPECIAL_NEVER);
    expect("__asan_load4", KP_SPECIAL_ENTRY_ONLY);
    expect("siglongjmp", KP_SPECIAL_WRAPPED);
    expect("dlopen", KP_SPECIAL_WRAPPED);
    static const char *const ordinary[] = {"",    "a",         "malloc",  "printf",  "vforks",
                                           "zzz", "exit_code", "_Unwind", "longjmp_"};
    for (size_t i = 0; i < sizeof ordinary / sizeof *ordinary; i++)
        assert_null(kp_special_find(ordinary[i]));
}

static void special_objects(void **state)
{
    (void)state;
    assert_int_equal(kp_special_find_object("ld-linux-x86-64.so.2")->class, KP_SPECIAL_NEVER);
    assert_int_equal(kp_special_find_object("linux-vdso.so.1")->class, KP_SPECIAL_NEVER);
    assert_int_equal(kp_special_find_object("libkprobe.so")->class, KP_SPECIAL_NEVER);
    assert_null(kp_special_find_object("libc.so.6"));
    assert_null(kp_special_find_object("ld-sort"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(special_rows_are_sorted_and_found),
        cmocka_unit_test(special_classes),
        cmocka_unit_test(special_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
