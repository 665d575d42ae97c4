/* What is read of debug information: objects compiled here, with signatures and lines that are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "debug/debug_info.h"
#include "debug/demangle.h"
#include "elf_functions.h"

static const char c_source[] =
    "#include <stddef.h>\n"
    "struct pair { int first, second; };\n"
    "enum color { RED, GREEN = 5 };\n"
    "typedef int (*compare)(const void *, const void *);\n"
    "int plain(int count, const char *text) { return count + *text; }\n" /* line 5 */
    "void nothing(void) { }\n"
    "unsigned long sizes(size_t bytes, char *const *names, const char *const name) { return bytes + !names; "
    "}\n"
    "double mixed(float small, struct pair by_value, enum color paint, compare order) { return small; }\n"
    "int many(const char *format, ...) { return *format; }\n"
    "struct pair twice(int value) { return (struct pair){value, value}; }\n" /* line 10 */
    "static int hidden(int x) { return x; }\n"
    "int (*choose(int x))(int) { return hidden; }\n"
    "int table(int rows[][4], struct pair *restrict here, volatile int *there) { return rows[1][2]; }\n"
    "int cold(int x) { if (__builtin_expect(x == 77, 0)) __builtin_abort(); return x; }\n";

static const char cxx_source[] = "namespace shop {\n"
                                 "struct Order { int id; };\n"
                                 "class Cart { public: int total(const Order &order, int count) const; };\n"
                                 "int Cart::total(const Order &order, int count) const { return order.id; }\n"
                                 "template <class T> T pick(T value) { return value; }\n"
                                 "template int pick<int>(int);\n"
                                 "}\n";

static const char rust_source[] =
    "pub mod shop { #[inline(never)] pub fn total(a: u32) -> u64 { a as u64 } }\n"
    "#[no_mangle] pub extern \"C\" fn rust_plain(count: i32) -> i32 { count }\n";

static char folder[] = "/tmp/kprobe-debug-XXXXXX";

static int shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Runs a command in the folder; not 0 when it fails. */
static int shell(const char *format, ...)
{
    char command[2048];
    int used = snprintf(command, sizeof command, "cd %s && ", folder);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(command + used, sizeof command - (size_t)used, format, arguments);
    va_end(arguments);
    return system(command); /* NOLINT(cert-env33-c) */
}

static const char *in_folder(const char *name)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void write_source(const char *name, const char *text)
{
    FILE *file = fopen(in_folder(name), "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    write_source("source.c", c_source);
    write_source("source.cpp", cxx_source);
    write_source("source.rs", rust_source);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    return shell("rm -rf %s", folder);
}

/* --- looking functions up by name --- */

struct wanted {
    const char *name;
    uint64_t address;
};

static void take(void *user, const struct kp_elf_function *function)
{
    struct wanted *wanted = user;
    if (!strcmp(function->name, wanted->name))
        wanted->address = function->address;
}

static uint64_t address_of(const char *path, const char *name)
{
    struct kp_elf elf;
    struct wanted wanted = {.name = name};
    assert_true(kp_elf_open(&elf, path));
    kp_elf_each_function(&elf, false, take, &wanted);
    kp_elf_close(&elf);
    assert_true(wanted.address != 0);
    return wanted.address;
}

static void expect(const char *object, const char *symbol, const char *shown, const char *signature,
                   unsigned line)
{
    char path[256];
    snprintf(path, sizeof path, "%s", in_folder(object));
    struct kp_debug_info *info = kp_debug_info_open(path, NULL);
    if (!info) {
        fail_msg("no debug information in %s", object);
        return;
    }
    const struct kp_debug_function *function = kp_debug_info_find(info, address_of(path, symbol));
    if (!function || !function->prototype) {
        fail_msg("nothing about %s in %s", symbol, object);
        return;
    }
    char *declared = kp_prototype_declare(function->prototype, shown);
    assert_string_equal(declared, signature);
    if (line) {
        assert_int_equal(function->line, line);
        assert_non_null(strstr(function->file, "/source."));
    }
    free(declared);
    kp_debug_info_close(info);
}

static void expect_c(const char *object)
{
    static const struct {
        const char *symbol, *signature;
        unsigned line;
    } rows[] = {
        {"plain", "int plain(int count, const char *text)", 5},
        {"nothing", "void nothing(void)", 6},
        {"mixed", "double mixed(float small, struct pair by_value, enum color paint, compare order)", 8},
        {"many", "int many(const char *format, ...)", 9},
        {"twice", "struct pair twice(int value)", 10},
        {"choose", "int (*choose(int x))(int)", 12},
        {"table", "int table(int (*rows)[4], struct pair *restrict here, volatile int *there)", 13},
        {"cold", "int cold(int x)", 14},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        expect(object, rows[i].symbol, rows[i].symbol, rows[i].signature, rows[i].line);
}

static void debug_info_of_c(void **state)
{
    (void)state;
    static const char *const flags[] = {"-gdwarf-5 -O0", "-gdwarf-5 -O2", "-gdwarf-4 -O2", "-g -gz -O2",
                                        "-g -O2 -flto -ffat-lto-objects"};
    if (shell("cc --version >/dev/null 2>&1"))
        skip();
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++) {
        if (shell("cc %s -shared -fPIC source.c -o c.so", flags[i]))
            fail_msg("cc %s", flags[i]);
        expect_c("c.so");
    }
    expect("c.so", "sizes", "sizes",
           "long unsigned int sizes(size_t bytes, char *const *names, const char *const name)", 7);
}

/* The symbol of a function that is chosen at start has its resolver's address. */
static void debug_info_of_indirect_functions(void **state)
{
    (void)state;
    write_source("indirect.c", "typedef long chosen(const char *text, int count);\n"
                               "static long first(const char *text, int count) { return *text + count; }\n"
                               "static chosen *choose(void) { return first; }\n"
                               "long pick(const char *text, int count) __attribute__((ifunc(\"choose\")));\n"
                               "static void *anything(void) { return first; }\n"
                               "void unknown(void) __attribute__((ifunc(\"anything\")));\n");
    if (shell("cc -g -O2 -w -shared -fPIC indirect.c -o indirect.so 2>/dev/null"))
        skip();
    expect("indirect.so", "pick", "pick", "long int pick(const char *, int)", 0);
    struct kp_debug_info *info = kp_debug_info_open(in_folder("indirect.so"), NULL);
    assert_non_null(info);
    const struct kp_debug_function *function =
        kp_debug_info_find(info, address_of(in_folder("indirect.so"), "unknown"));
    assert_true(function && !function->prototype);
    kp_debug_info_close(info);
}

/* clang writes no table of addresses and other forms of the same. */
static void debug_info_of_clang(void **state)
{
    (void)state;
    if (shell("clang --version >/dev/null 2>&1"))
        skip();
    static const char *const flags[] = {"-gdwarf-5", "-gdwarf-4"};
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(shell("clang %s -O1 -shared -fPIC source.c -o clang.so", flags[i]), 0);
        expect_c("clang.so");
    }
}

static void debug_info_in_another_file(void **state)
{
    (void)state;
    if (shell("cc -g -O2 -shared -fPIC source.c -o whole.so && objcopy --version >/dev/null 2>&1"))
        skip();
    /* By .gnu_debuglink, beside the object and in .debug; a file with another checksum is none. */
    assert_int_equal(shell("objcopy --only-keep-debug whole.so linked.debug && cp whole.so linked.so && "
                           "strip linked.so && objcopy --add-gnu-debuglink=linked.debug linked.so"),
                     0);
    expect_c("linked.so");
    assert_int_equal(shell("mkdir .debug && mv linked.debug .debug/"), 0);
    expect_c("linked.so");
    assert_int_equal(shell("cc -g -O0 -shared -fPIC source.c -o other.so && "
                           "objcopy --only-keep-debug other.so .debug/linked.debug"),
                     0);
    assert_null(kp_debug_info_open(in_folder("linked.so"), NULL));
    assert_int_equal(shell("cp whole.so bare.so && strip bare.so"), 0);
    assert_null(kp_debug_info_open(in_folder("bare.so"), NULL));
    assert_null(kp_debug_info_open(in_folder("no-such.so"), NULL));
    assert_null(kp_debug_info_open(in_folder("source.c"), NULL));
}

/* The object of a trace may have been replaced since. */
static void debug_info_needs_the_same_build_id(void **state)
{
    (void)state;
    struct kp_elf elf;
    if (shell("cc -g -O2 -shared -fPIC -Wl,--build-id source.c -o with_id.so"))
        skip();
    assert_true(kp_elf_open(&elf, in_folder("with_id.so")));
    assert_int_equal(strlen(elf.build_id), 40);
    struct kp_debug_info *info = kp_debug_info_open(in_folder("with_id.so"), elf.build_id);
    assert_non_null(info);
    kp_debug_info_close(info);
    elf.build_id[3] ^= 1;
    assert_null(kp_debug_info_open(in_folder("with_id.so"), elf.build_id));
    kp_elf_close(&elf);
}

static void debug_info_of_cxx(void **state)
{
    (void)state;
    if (shell("c++ -g -O2 -shared -fPIC source.cpp -o cxx.so"))
        skip();
    expect("cxx.so", "_ZNK4shop4Cart5totalERKNS_5OrderEi", "total",
           "int total(const Order &order, int count)", 4);
    expect("cxx.so", "_ZN4shop4pickIiEET_S1_", "pick", "int pick(int value)", 5);
}

static void debug_info_of_rust(void **state)
{
    (void)state;
    if (shell("rustc -g --crate-type cdylib source.rs -o rust.so 2>/dev/null"))
        skip();
    char *path = strdup(in_folder("rust.so"));
    struct kp_debug_info *info = kp_debug_info_open(path, NULL);
    assert_non_null(info);
    const struct kp_debug_function *function = kp_debug_info_find(info, address_of(path, "rust_plain"));
    assert_non_null(function);
    assert_int_equal(function->line, 2);
    assert_true(function->prototype->c_convention);
    kp_debug_info_close(info);
    expect("rust.so", "rust_plain", "rust_plain", "i32 rust_plain(i32 count)", 2);
    free(path);
}

static void debug_info_outside_functions(void **state)
{
    (void)state;
    if (shell("cc -g -O2 -shared -fPIC source.c -o c.so"))
        skip();
    struct kp_debug_info *info = kp_debug_info_open(in_folder("c.so"), NULL);
    assert_non_null(info);
    assert_null(kp_debug_info_find(info, 0));
    assert_null(kp_debug_info_find(info, address_of(in_folder("c.so"), "plain") + 1));
    assert_null(kp_debug_info_find(info, UINT64_MAX));
    kp_debug_info_close(info);
}

/* --- demangling --- */

static void expect_demangled(const char *symbol, bool parameters, const char *expected)
{
    char *text = kp_demangle_name(symbol, parameters);
    if (expected)
        assert_string_equal(text, expected);
    else
        assert_null(text);
    free(text);
}

static void demangle_names(void **state)
{
    (void)state;
    expect_demangled("a.so:_ZNK4shop4Cart5totalERKNS_5OrderEi", false, "a.so:shop::Cart::total");
    expect_demangled("a.so:_ZNK4shop4Cart5totalERKNS_5OrderEi", true,
                     "a.so:shop::Cart::total(shop::Order const&, int) const");
    expect_demangled("libr.so:_ZN1r4shop5total17h4088141e82b509f8E", false, "libr.so:r::shop::total");
    expect_demangled("libr.so:_RNvNtCs2OpA4fNwd7R_1r4shop5total", false, "libr.so:r::shop::total");
    expect_demangled("libc.so.6:read", false, NULL);
    expect_demangled("a.so:_Zombie", false, NULL);
    expect_demangled("_ZN4shop5totalEv", false, NULL); /* no object: not a name of ours */
    /* D, Java, Ada and Pascal are left alone: their names may be anything in C. */
    expect_demangled("a.so:_D3abc3defFZv", false, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(debug_info_of_c),
        cmocka_unit_test(debug_info_of_indirect_functions),
        cmocka_unit_test(debug_info_of_clang),
        cmocka_unit_test(debug_info_in_another_file),
        cmocka_unit_test(debug_info_needs_the_same_build_id),
        cmocka_unit_test(debug_info_of_cxx),
        cmocka_unit_test(debug_info_of_rust),
        cmocka_unit_test(debug_info_outside_functions),
        cmocka_unit_test(demangle_names),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
