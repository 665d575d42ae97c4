/*
 * Raw values as arguments: an object compiled here calls functions of many types through a pointer whose
 * target stores the registers, so that the compiler, and not this test, says what is passed where.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <dlfcn.h>

#include <cmocka.h>

#include "debug/arguments.h"

/* What the assembler part of the object fills. */
struct registers {
    uint64_t integers[6];
    uint64_t vectors[8];
    uint64_t rax, rdx, xmm0, xmm1;
    uint8_t st0[16];
};

static const char head[] =
    "#include <stdbool.h>\n#include <stdint.h>\n"
    "struct registers { uint64_t integers[6], vectors[8], rax, rdx, xmm0, xmm1; uint8_t st0[16]; } stored;\n"
    "__asm__(\".text\\nstore:\\n\"\n"
    "        \"endbr64\\nmov stored@GOTPCREL(%rip), %r11\\n\"\n"
    "        \"mov %rdi,(%r11)\\nmov %rsi,8(%r11)\\nmov %rdx,16(%r11)\\n\"\n"
    "        \"mov %rcx,24(%r11)\\nmov %r8,32(%r11)\\nmov %r9,40(%r11)\\n\"\n"
    "        \"movq %xmm0,48(%r11)\\nmovq %xmm1,56(%r11)\\nmovq %xmm2,64(%r11)\\nmovq %xmm3,72(%r11)\\n\"\n"
    "        \"movq %xmm4,80(%r11)\\nmovq %xmm5,88(%r11)\\nmovq %xmm6,96(%r11)\\nmovq %xmm7,104(%r11)\\n\"\n"
    "        \"ret\\n\"\n"
    /* take(function): calls it with room for a large result, and stores what it gives back */
    "        \".globl take\\ntake:\\npush %rbx\\nsub $256,%rsp\\nmov %rdi,%rax\\nmov %rsp,%rdi\\ncall "
    "*%rax\\n\"\n"
    "        \"mov stored@GOTPCREL(%rip), %r11\\n\"\n"
    "        \"mov %rax,112(%r11)\\nmov %rdx,120(%r11)\\nmovq %xmm0,128(%r11)\\nmovq %xmm1,136(%r11)\\n\"\n"
    "        \"fstpt 144(%r11)\\nadd $256,%rsp\\npop %rbx\\nret\\n\");\n"
    "extern char store[];\n"
    "struct pair { int first, second; };\nstruct mixed { long whole; double part; };\n"
    "struct point { float x, y, z; };\nstruct large { long a, b, c; };\nstruct one { char letter; };\n"
    "struct nested { struct pair inner; double d; };\nstruct bits { int low : 4, high : 28; };\n"
    "struct __attribute__((packed)) crooked { char c; long l; };\nstruct array { short cells[4]; };\n"
    "struct two { long a, b; };\nunion either { int i; float f; };\nstruct precise { long double value; };\n"
    "enum color { RED, GREEN = 5, DARK = -2 };\nenum mode { READ = 1, WRITE = 2, EXECUTE = 4 };\n";

/* Result, parameters, arguments to call it with, how they look; result to return, how it looks. */
struct row {
    const char *result, *parameters, *arguments, *shown;
    const char *returns, *shown_result;
};

static const struct row rows[] = {
    {"int", "char c, int8_t s, unsigned short u, int i, long l, unsigned long long q",
     "'a', -1, 65535, -7, -5000000000, 18446744073709551615ull",
     "c='a', s=-1, u=65535, i=-7, l=-5000000000, q=18446744073709551615", "-17", "-17"},
    {"bool", "bool yes, bool no, char quote, char newline", "true, false, '\\'', '\\n'",
     "yes=true, no=false, quote='\\x27', newline='\\x0a'", "true", "true"},
    {"double", "float f, int i, double d, float g", "1.5f, 2, -0.1, 3e20f",
     "f=1.5, i=2, d=-0.10000000000000001, g=3.00000006e+20", "2.5", "2.5"},
    {"float", "void", "", "", "0.25f", "0.25"},
    {"void *", "const char *text, void *nothing, int (*call)(int)", "(char *)0x1234, 0, (void *)0xabc",
     "text=0x1234, nothing=NULL, call=0xabc", "(void *)0x7f0012345678", "0x7f0012345678"},
    {"enum color", "enum color a, enum color b, enum color c, enum mode d, enum mode e, enum mode f",
     "GREEN, DARK, 77, READ | EXECUTE, 8, 0", "a=GREEN, b=DARK, c=77, d=READ|EXECUTE, e=8, f=0", "RED",
     "RED"},
    /* The seventh integer and the ninth vector are on the stack. */
    {"long", "long a, long b, long c, long d, long e, long f, long g, double h", "1, 2, 3, 4, 5, 6, 7, 8.0",
     "a=1, b=2, c=3, d=4, e=5, f=6, g=?, h=8", "-1", "-1"},
    {"double",
     "double a, double b, double c, double d, double e, double f, double g, double h, double i, int j",
     "1, 2, 3, 4, 5, 6, 7, 8, 9, 10", "a=1, b=2, c=3, d=4, e=5, f=6, g=7, h=8, i=?, j=10", "-1", "-1"},
    /* Structures: in registers up to 16 bytes, together or not at all. */
    {"struct pair", "struct pair p, struct mixed m, struct point q",
     "(struct pair){-1, 2}, (struct mixed){3, 4.5}, (struct point){5, 6, 7}",
     "p={first=-1, second=2}, m={whole=3, part=4.5}, q={x=5, y=6, z=7}", "(struct pair){8, -9}",
     "{first=8, second=-9}"},
    {"struct mixed", "struct large l, int after, struct one o, struct array a",
     "(struct large){1, 2, 3}, 4, (struct one){'x'}, (struct array){{1, 2, 3, 4}}",
     "l=?, after=4, o={letter='x'}, a=...", "(struct mixed){-3, 0.5}", "{whole=-3, part=0.5}"},
    {"struct point", "struct nested n, struct crooked c, struct bits b, union either u, int after",
     "(struct nested){{1, 2}, 3}, (struct crooked){1, 2}, (struct bits){1, 2}, (union either){3}, 4",
     "n=..., c=?, b=..., u=..., after=4", "(struct point){1, 2, 3}", "{x=1, y=2, z=3}"},
    {"long", "long a, long b, long c, long d, long e, struct two f, long g",
     "1, 2, 3, 4, 5, (struct two){6, 7}, 8", "a=1, b=2, c=3, d=4, e=5, f=?, g=8", "1", "1"},
    {"long double",
     "long double wide, int after, struct precise p, __int128 both, _Complex double z, double last",
     "1.5L, 2, (struct precise){3}, -1, 4.0 + 5.0i, 6",
     "wide=?, after=2, p=?, both=0xffffffffffffffffffffffffffffffff, z=..., last=6", "1.25L", "1.25"},
    {"void", "int n", "1", "n=1", NULL, NULL},
    {"int", "const char *format, ...", "(char *)0x10, 2, 3.0", "format=0x10, ...", "3", "3"},
    {"_Bool", "float x, _Complex float z, float y", "1, 2.0f + 3.0fi, 4", "x=1, z=..., y=4", "0", "false"},
};
enum { ROWS = sizeof rows / sizeof *rows };

/* A result in memory takes the first register for its address. */
static const struct row large_row = {
    "struct large", "int a, int b", "1, 2", "a=1, b=2", "(struct large){1, 2, 3}", "*0x"};

static char folder[] = "/tmp/kprobe-arguments-XXXXXX";
static char object[64];
static void *handle;
static struct kp_debug_info *info;

static void write_row(FILE *file, const struct row *row, int number)
{
    bool nothing = !strcmp(row->parameters, "void");
    fprintf(file, "%s f%d(%s)", row->result, number, row->parameters);
    if (row->returns)
        fprintf(file, " { return %s; }\n", row->returns);
    else
        fputs(" { }\n", file);
    /* The type of a variadic call must be that of the function; a local structure needs none. */
    fprintf(file, "void d%d(void) { ((__typeof__(f%d) *)(void *)store)(%s); }\n", number, number,
            nothing ? "" : row->arguments);
}

static int build(void **state)
{
    char command[256];
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(object, sizeof object, "%s/abi.so", folder);
    snprintf(command, sizeof command, "%s/abi.c", folder);
    FILE *file = fopen(command, "w");
    if (!file)
        return -1;
    fputs(head, file);
    for (int i = 0; i < ROWS; i++)
        write_row(file, &rows[i], i);
    write_row(file, &large_row, ROWS);
    fclose(file);
    snprintf(command, sizeof command, "cc -g -O1 -w -shared -fPIC %s/abi.c -o %s", folder, object);
    if (system("cc --version >/dev/null 2>&1")) /* NOLINT(cert-env33-c) */
        return 0;
    if (system(command)) /* NOLINT(cert-env33-c) */
        return -1;
    handle = dlopen(object, RTLD_NOW);
    info = kp_debug_info_open(object, NULL);
    return handle && info ? 0 : -1;
}

static int clean(void **state)
{
    char command[128];
    (void)state;
    kp_debug_info_close(info);
    if (handle)
        dlclose(handle);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); /* NOLINT(cert-env33-c) */
}

static void *symbol(const char *format, int number)
{
    char name[32];
    snprintf(name, sizeof name, format, number); /* NOLINT */
    return dlsym(handle, name);
}

static const struct kp_prototype *prototype_of(int number)
{
    Dl_info where;
    void *address = symbol("f%d", number);
    assert_non_null(address);
    assert_true(dladdr(address, &where));
    const struct kp_debug_function *function =
        kp_debug_info_find(info, (uint64_t)((char *)address - (char *)where.dli_fbase));
    assert_non_null(function);
    return function->prototype;
}

static void take(struct kp_call_values *values, uint32_t id, uint64_t first, uint64_t second)
{
    struct kp_event event = {.kind = KP_EVENT_VALUES, .id = id, .value = first, .value2 = second};
    kp_values_take(values, &event);
}

static void take_entry(struct kp_call_values *values, const struct registers *stored)
{
    for (unsigned i = 0; i < 3; i++)
        take(values, KP_VALUES_RDI_RSI + i, stored->integers[2 * i], stored->integers[2 * i + 1]);
    for (unsigned i = 0; i < 4; i++)
        take(values, KP_VALUES_XMM0_XMM1 + i, stored->vectors[2 * i], stored->vectors[2 * i + 1]);
}

static void take_exit(struct kp_call_values *values, const struct registers *stored)
{
    uint64_t st0[2] = {0};
    memcpy(st0, stored->st0, 10);
    take(values, KP_VALUES_RAX_RDX, stored->rax, stored->rdx);
    take(values, KP_VALUES_XMM0_XMM1_RESULT, stored->xmm0, stored->xmm1);
    take(values, KP_VALUES_ST0, st0[0], st0[1]);
}

static void check(const struct row *row, int number)
{
    struct kp_call_values values = {0};
    const struct registers *stored = dlsym(handle, "stored");
    void (*drive)(void) = (void (*)(void))symbol("d%d", number);
    void (*call)(void *) = (void (*)(void *))dlsym(handle, "take");
    drive();
    take_entry(&values, stored);
    call(symbol("f%d", number));
    take_exit(&values, stored);
    char *arguments = kp_arguments_text(prototype_of(number), &values);
    char *result = kp_result_text(prototype_of(number), &values);
    assert_string_equal(arguments ? arguments : "", row->shown);
    if (row->shown_result && row->shown_result[0] == '*')
        assert_true(result && !strncmp(result, row->shown_result, strlen(row->shown_result)));
    else if (row->shown_result)
        assert_string_equal(result, row->shown_result);
    else
        assert_null(result);
    free(arguments);
    free(result);
    kp_values_fini(&values);
}

static void arguments_are_where_the_compiler_puts_them(void **state)
{
    (void)state;
    if (!handle)
        skip();
    for (int i = 0; i < ROWS; i++)
        check(&rows[i], i);
    check(&large_row, ROWS);
}

/* --- without a compiler --- */

static void expect_text(struct kp_call_values *values, const char *arguments, const char *result)
{
    char *text = kp_arguments_text(NULL, values);
    if (arguments)
        assert_string_equal(text, arguments);
    else
        assert_null(text);
    free(text);
    text = kp_result_text(NULL, values);
    if (result)
        assert_string_equal(text, result);
    else
        assert_null(text);
    free(text);
}

static void arguments_without_a_prototype(void **state)
{
    struct kp_call_values values = {0};
    (void)state;
    expect_text(&values, NULL, NULL);
    take(&values, KP_VALUES_RDI_RSI, 1, 0xff);
    expect_text(&values, "rdi=0x1, rsi=0xff", NULL);
    take(&values, KP_VALUES_RAX_RDX, 3, 4);
    expect_text(&values, "rdi=0x1, rsi=0xff", NULL); /* the other results are missing */
    take(&values, KP_VALUES_XMM0_XMM1_RESULT, 5, 6);
    take(&values, KP_VALUES_ST0, 7, 8);
    expect_text(&values, "rdi=0x1, rsi=0xff", "rax=0x3, rdx=0x4");
}

/* Feeds a stream of copied strings, 16 bytes an event. */
static void take_strings(struct kp_call_values *values, const char *stream, size_t bytes)
{
    for (size_t at = 0; at < bytes; at += 16) {
        uint64_t words[2] = {0};
        memcpy(words, stream + at, bytes - at < 16 ? bytes - at : 16);
        take(values, KP_VALUES_TEXT + (uint32_t)(at / 16), words[0], words[1]);
    }
}

static void arguments_that_are_strings(void **state)
{
    struct kp_call_values values = {0};
    static const char stream[] = "\0\0\0"
                                 "\1\24\0say \"hi\"\\\n\33[31m\303\251\377..";
    (void)state;
    take_strings(&values, stream, sizeof stream - 1);
    expect_text(&values, "rdi=\"\", rsi=\"say \\\"hi\\\"\\\\\\n\\x1b[31m\303\251\\xff..\"", NULL);
    take(&values, KP_VALUES_RDI_RSI, 0x10, 0x20);
    expect_text(&values, "rdi=\"\", rsi=\"say \\\"hi\\\"\\\\\\n\\x1b[31m\303\251\\xff..\"", NULL);
    kp_values_fini(&values);

    /* The end is missing: a string that is not complete is none. */
    take_strings(&values, stream, 16);
    take(&values, KP_VALUES_RDI_RSI, 0x10, 0x20);
    expect_text(&values, "rdi=\"\", rsi=0x20", NULL);
    kp_values_fini(&values);

    /* The filling of the last event is no string of argument 0. */
    take_strings(&values, "\2\1\0x", 4);
    take(&values, KP_VALUES_RDI_RSI, 0x10, 0x20);
    take(&values, KP_VALUES_RDX_RCX, 0x30, 0x40);
    expect_text(&values, "rdi=0x10, rsi=0x20, rdx=\"x\", rcx=0x40", NULL);
    kp_values_fini(&values);

    /* An event that is not the next one belongs to another call. */
    take(&values, KP_VALUES_TEXT + 3, 1, 1);
    expect_text(&values, NULL, NULL);
    kp_values_fini(&values);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arguments_are_where_the_compiler_puts_them),
        cmocka_unit_test(arguments_without_a_prototype),
        cmocka_unit_test(arguments_that_are_strings),
    };
    return cmocka_run_group_tests(tests, build, clean);
}
