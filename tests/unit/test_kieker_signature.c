/* trace/kieker/signature: the table of docs/kieker.md, and the way back for every name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "trace/function.h"
#include "trace/kieker/signature.h"

static struct kp_kieker_signature signature;
static struct kp_kieker_name name;

static void make(uint8_t kind, const char *text, uint32_t flags, uint32_t parameters)
{
    struct kp_kieker_function_facts facts = {
        .kind = kind, .name = text, .file = "", .flags = flags, .parameters = parameters};

    kp_kieker_signature_make(&signature, &facts);
}

static const struct {
    uint8_t kind;
    const char *name, *operation, *class_name;
} rows[] = {
    {KP_FUNCTION_PYTHON, "app.orders.Cart.total", "object app.orders.Cart.total()", "app.orders.Cart"},
    {KP_FUNCTION_PYTHON, "app.f.<locals>.<lambda>", "object app.f._locals_._lambda_()", "app.f._locals_"},
    {KP_FUNCTION_PYTHON, "__main__.<module>", "object __main__._module_()", "__main__"},
    {KP_FUNCTION_PYTHON, "m.C.__init__", "object m.C.__init__()", "m.C"},
    {KP_FUNCTION_PYTHON, "m._locals_.f", "object m.__locals__.f()", "m.__locals__"},
    {KP_FUNCTION_PYTHON, "m.__locals__.f", "object m.___locals___.f()", "m.___locals___"},
    {KP_FUNCTION_PYTHON, "m._lambda", "object m._lambda()", "m"},
    {KP_FUNCTION_PYTHON, "m._x_", "object m._x_()", "m"},
    {KP_FUNCTION_PYTHON, "m.<generic parameters of f_g>", "object m._generic_parameters_of_f_g_()", "m"},
    {KP_FUNCTION_PYTHON, "m._generic_parameters_of_f_", "object m.__generic_parameters_of_f__()", "m"},
    {KP_FUNCTION_PYTHON, "<undefined function 7>", "object _._undefined_function_7_()", "_"},
    {KP_FUNCTION_PYTHON, "m.<odd one>", "object m.$3c$odd$20$one$3e$()", "m"},
    {KP_FUNCTION_PYTHON, "m.\xc3\xa9t\xc3\xa9", "object m.$c3$$a9$t$c3$$a9$()", "m"},
    {KP_FUNCTION_PYTHON, "m.a$20$b", "object m.a$24$20$24$b()", "m"},
    {KP_FUNCTION_PYTHON, "m..f", "object m.$$.f()", "m.$$"},
    {KP_FUNCTION_PYTHON, "m.", "object m.$$()", "m"},
    {KP_FUNCTION_PYTHON, "", "object _.$$()", "_"},
    {KP_FUNCTION_PYTHON, "f", "object _.f()", "_"},
    {KP_FUNCTION_PYTHON, "m.f;g\n(\"x\")", "object m.f$3b$g$0a$$28$$22$x$22$$29$()", "m"},
    {KP_FUNCTION_C_PYTHON, "builtins.len", "native object builtins.len()", "builtins"},
    {KP_FUNCTION_C_PYTHON, "_json.Scanner.__call__", "native object _json.Scanner.__call__()",
     "_json.Scanner"},
    {KP_FUNCTION_C, "libssl.so.3:SSL_read", "native void libssl_so_3.SSL_read()", "libssl_so_3"},
    {KP_FUNCTION_C, "libstdc++.so.6:_ZNSs4findEc", "native void libstdc$2b$$2b$_so_6._ZNSs4findEc()",
     "libstdc$2b$$2b$_so_6"},
    {KP_FUNCTION_C, "lib.so:std::string::find(char)", "native void lib_so.std.string.find$28$char$29$()",
     "lib_so.std.string"},
    {KP_FUNCTION_C, "lib.so:::f::~g", "native void lib_so.$3a$$3a$f$3a$$3a$$7e$g()", "lib_so"},
    {KP_FUNCTION_C, "my_lib.so:f", "native void my$_lib_so.f()", "my$_lib_so"},
    {KP_FUNCTION_C, "f", "native void _.f()", "_"},
    {KP_FUNCTION_MANUAL, "checkout.pay", "region checkout.pay()", "checkout"},
    {KP_FUNCTION_MANUAL, "pay", "region _.pay()", "_"},
    {KP_FUNCTION_MANUAL, "public void a.b.M.m(int, java.lang.String)",
     "public void a.b.M.m(int, java.lang.String)", "a.b.M"},
    {KP_FUNCTION_MANUAL, "public a.B.<init>()", "public a.B.<init>()", "a.B"},
    {KP_FUNCTION_MANUAL, "void m()", "void m()", "_"},
    {KP_FUNCTION_MANUAL, "m()", "m()", "_"},
};

static void table(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        make(rows[i].kind, rows[i].name, 0, 0);
        assert_string_equal(signature.operation, rows[i].operation);
        assert_string_equal(signature.class_name, rows[i].class_name);
        kp_kieker_signature_read(&name, signature.operation, true);
        assert_string_equal(name.name, rows[i].name);
        assert_int_equal(name.kind, rows[i].kind);
        assert_false(name.known);
    }
}

static void symbols(void **state)
{
    (void)state;
    make(KP_FUNCTION_C, "ld-linux-x86-64.so.2:f_g@V_1", 0, 0);
    assert_string_equal(signature.operation, "native void ld$2d$linux$2d$x86$2d$64_so_2.f_g$40$V_1()");
    kp_kieker_signature_read(&name, signature.operation, true);
    assert_string_equal(name.name, "ld-linux-x86-64.so.2:f_g@V_1");
}

static void parameters(void **state)
{
    (void)state;
    make(KP_FUNCTION_PYTHON, "m.f", KP_FUNCTION_FACTS, 3);
    assert_string_equal(signature.operation, "object m.f(object,object,object)");
    kp_kieker_signature_read(&name, signature.operation, true);
    assert_string_equal(name.name, "m.f");
    assert_true(name.known);
    assert_int_equal(name.parameters, 3);
    make(KP_FUNCTION_PYTHON, "m.f", 0, 3);
    assert_string_equal(signature.operation, "object m.f()");
    make(KP_FUNCTION_PYTHON, "m.f", KP_FUNCTION_FACTS, 1000000);
    assert_string_equal(signature.operation, "object m.f()");
}

static void typed(void **state)
{
    struct kp_kieker_function_facts facts = {.kind = KP_FUNCTION_C, .name = "libz.so.1:deflate", .file = ""};
    (void)state;

    kp_kieker_signature_typed(&signature, &facts, "unsigned long", "z_stream *, int,struct a::b<c> &");
    assert_string_equal(signature.operation,
                        "native unsigned_long libz_so_1.deflate(z_stream*,int,struct_a__b$3c$c$3e$&)");
    assert_string_equal(signature.class_name, "libz_so_1");
    kp_kieker_signature_read(&name, signature.operation, true);
    assert_string_equal(name.name, "libz.so.1:deflate");
    assert_int_equal(name.kind, KP_FUNCTION_C);
}

static void foreign(void **state)
{
    (void)state;
    kp_kieker_signature_read(&name, "public static void a.b.C.m(int,java.lang.String)", false);
    assert_string_equal(name.name, "a.b.C.m(int,java.lang.String)");
    assert_int_equal(name.kind, KP_FUNCTION_MANUAL);
    kp_kieker_signature_read(&name, "object m.f(object)", false);
    assert_string_equal(name.name, "m.f(object)");
    kp_kieker_signature_read(&name, "plain", false);
    assert_string_equal(name.name, "plain");
    kp_kieker_signature_read(&name, "", true);
    assert_string_equal(name.name, "");
}

/* Cut, but told apart; both in one line of text. */
static void long_names(void **state)
{
    static char text[10000];
    static struct kp_kieker_signature other;
    char cause[KP_KIEKER_CAUSE_MAX + 1];
    (void)state;

    for (int kind = KP_FUNCTION_PYTHON; kind <= KP_FUNCTION_MANUAL; kind++) {
        if (!KP_FUNCTION_IS_CALLED(kind))
            continue;
        memset(text, 'x', sizeof text - 1);
        memcpy(text, "m.", 2);
        make((uint8_t)kind, text, KP_FUNCTION_FACTS, 3);
        other = signature;
        text[sizeof text - 2] = 'y';
        make((uint8_t)kind, text, KP_FUNCTION_FACTS, 3);
        assert_int_equal(strlen(signature.operation), KP_KIEKER_OPERATION_MAX);
        assert_string_equal(signature.operation + KP_KIEKER_OPERATION_MAX - 2, "()");
        assert_string_not_equal(signature.operation, other.operation);
        /* All of it is the class. */
        memset(text + 2, '.', 1);
        text[sizeof text - 3] = '.';
        make((uint8_t)kind, text, 0, 0);
        assert_true(strlen(signature.class_name) <= KP_KIEKER_CLASS_MAX);
    }
    memset(text, '\xff', sizeof text - 1);
    kp_kieker_signature_cause(text, cause, sizeof cause);
    assert_int_equal(strlen(cause), KP_KIEKER_CAUSE_MAX);
    kp_kieker_signature_cause("", cause, sizeof cause);
    assert_string_equal(cause, "unknown");
    kp_kieker_signature_cause("builtins.KeyError", cause, sizeof cause);
    assert_string_equal(cause, "builtins.KeyError");
}

/* Any bytes: ASCII only, one parameter list, and back. */
static void noise(void **state)
{
    uint64_t random = 88172645463325252u;
    char text[40];
    (void)state;

    for (int round = 0; round < 200000; round++) {
        static const uint8_t kinds[] = {KP_FUNCTION_PYTHON, KP_FUNCTION_C_PYTHON};
        size_t bytes = 1 + random % 30;

        for (size_t i = 0; i < bytes; i++) {
            static const char likely[] = "._$<> abgl";

            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            text[i] = random & 0x300 ? likely[random % (sizeof likely - 1)] : (char)(1 + random % 255);
        }
        text[bytes] = '\0';
        make(kinds[round & 1], text, 0, 0);
        for (const char *c = signature.operation; *c; c++)
            assert_true(*c >= ' ' && *c < 0x7f && *c != ';' && *c != '\\' && *c != '"');
        assert_ptr_equal(strchr(signature.operation, '('),
                         signature.operation + strlen(signature.operation) - 2);
        kp_kieker_signature_read(&name, signature.operation, true);
        /* `_.f` is what a name without a class gets. */
        if (strncmp(text, "_.", 2) != 0)
            assert_string_equal(name.name, text);
        assert_int_equal(name.kind, kinds[round & 1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table), cmocka_unit_test(symbols), cmocka_unit_test(parameters),
        cmocka_unit_test(typed), cmocka_unit_test(foreign), cmocka_unit_test(long_names),
        cmocka_unit_test(noise),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
