/*
 * A proof by libffi that nobody between a caller and a function in C changes what they hand each other.
 *
 *     abi_fuzz SIGNATURES SEED [MECHANISM...]
 *
 * Makes random signatures (integers of every width, pointers, float, double, long double, complex numbers,
 * structures of all that in registers and in memory, variable arguments), and random arguments and results.
 * libffi is the caller (ffi_call) and the function called (a closure). Between them are callers.S and
 * stubs.S, which write down all registers, the vector and x87 state and the stack on both sides of each call,
 * and between those, for each mechanism of calling (`plt`, `got`, `tail`, `dlsym`, `inside`), whoever traces
 * functions in C. Compared are: the arguments that the closure gets, the result, all registers and the stack
 * before the call, all registers and the stack after it, and what the ABI says that a function keeps.
 * Closures call further functions. The calls made by each function are written to the file that COUNTS names.
 *
 * Prints one line; for what is different, what it is and the signature, then ends with status 1.
 */
#include <assert.h>
#include <complex.h>
#include <cpuid.h>
#include <dlfcn.h>
#include <ffi.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "layout.h"

enum {
    VECTORS_BYTES = STATE_BYTES - STATE_VECTORS,
    ARGUMENTS_MAX = 16,
    ELEMENTS_MAX = 6,
    TYPES_MAX = 400,
    DEPTH_MAX = 3,
    VALUE_BYTES = 1024,
    PROBLEMS_MAX = 5,
    XSAVE_HEADER = 512,
    XSAVE_HEADER_END = 576,
    LEGACY_POINTERS = 6, /* last x87 operation: opcode and addresses */
    LEGACY_POINTERS_END = 24,
};

struct abi_state {
    uint64_t gpr[16]; /* STATE_RAX... */
    uint64_t flags, unused[7];
    uint64_t stack[ABI_STACK_WORDS];
    uint8_t vectors[VECTORS_BYTES];
};

struct abi_record {
    struct abi_state before, after;
    uint64_t return_address, target, number, kept[6], wanted[8], options, x87_results;
    uint32_t control[2], kept_control[2];
    uint8_t unused1[24];
    uint8_t x87[2][32];
    uint64_t masks[8];
    uint8_t vectors[32][64];
};

static_assert(sizeof(struct abi_state) == STATE_BYTES, "layout.h");
static_assert(offsetof(struct abi_state, stack) == STATE_STACK, "layout.h");
static_assert(offsetof(struct abi_state, vectors) == STATE_VECTORS, "layout.h");
static_assert(sizeof(struct abi_record) == RECORD_BYTES, "layout.h");
static_assert(offsetof(struct abi_record, return_address) == RECORD_RETURN, "layout.h");
static_assert(offsetof(struct abi_record, kept) == RECORD_KEPT, "layout.h");
static_assert(offsetof(struct abi_record, wanted) == RECORD_WANTED, "layout.h");
static_assert(offsetof(struct abi_record, options) == RECORD_OPTIONS, "layout.h");
static_assert(offsetof(struct abi_record, control) == RECORD_CONTROL, "layout.h");
static_assert(offsetof(struct abi_record, x87) == RECORD_X87, "layout.h");
static_assert(offsetof(struct abi_record, vectors) == RECORD_VECTORS, "layout.h");

/* callers.S, stubs.S */
extern struct abi_record *abi_calls, *abi_records;
extern void *abi_table[ABI_STUBS];
extern void (*const abi_by_plt[ABI_STUBS])(void), (*const abi_by_got[ABI_STUBS])(void),
    (*const abi_by_tail[ABI_STUBS])(void);
extern void (*const abi_inside[ABI_STUBS])(void);
void abi_by_address(void);

enum mechanism { BY_PLT, BY_GOT, BY_TAIL, BY_DLSYM, INSIDE, MECHANISMS };
static const char *const mechanism_names[MECHANISMS] = {"plt", "got", "tail", "dlsym", "inside"};

struct value {
    _Alignas(64) uint8_t bytes[VALUE_BYTES];
};

struct signature {
    ffi_cif cif;
    ffi_type *types[ARGUMENTS_MAX];
    ffi_type *result;
    unsigned count, fixed;
    struct value arguments[ARGUMENTS_MAX];
    struct value to_return;
    unsigned stub, depth;
    bool called;
};

static _Alignas(64) struct abi_record calls[DEPTH_MAX + 2], records[DEPTH_MAX + 2];
static ffi_closure *closures[ABI_STUBS];
static void *closure_code[ABI_STUBS];
static void *by_dlsym[ABI_STUBS];
static bool linked[MECHANISMS][ABI_STUBS]; /* a first call through a slot may go through the dynamic linker */
static bool busy[ABI_STUBS];
static unsigned long stub_calls[ABI_STUBS], inside_calls[ABI_STUBS], checked;
static bool wanted_mechanisms[MECHANISMS];
static unsigned options_possible, problems;
static enum mechanism now_by;

/* Structures of one signature and those that its closure calls. */
static ffi_type structures[TYPES_MAX];
static ffi_type *elements[TYPES_MAX][ELEMENTS_MAX + 1];
static unsigned structures_used;

static uint64_t random_state;

static uint64_t random_bits(void)
{
    uint64_t z = (random_state += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static unsigned random_below(unsigned n)
{
    return (unsigned)(random_bits() % n);
}

static void random_fill(void *to, size_t bytes)
{
    uint8_t *out = to;
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)random_bits();
}

/* --- signatures --- */

static ffi_type *const integers[] = {&ffi_type_sint8,  &ffi_type_uint8,  &ffi_type_sint16,
                                     &ffi_type_uint16, &ffi_type_sint32, &ffi_type_uint32,
                                     &ffi_type_sint64, &ffi_type_uint64, &ffi_type_pointer};
static ffi_type *const reals[] = {&ffi_type_float, &ffi_type_double, &ffi_type_double, &ffi_type_float,
                                  &ffi_type_longdouble};
static ffi_type *const complexes[] = {&ffi_type_complex_float, &ffi_type_complex_double,
                                      &ffi_type_complex_longdouble};

static ffi_type *random_scalar(void)
{
    return random_below(2) ? integers[random_below(sizeof integers / sizeof *integers)]
                           : reals[random_below(sizeof reals / sizeof *reals)];
}

static ffi_type *random_structure(unsigned depth)
{
    if (structures_used == TYPES_MAX)
        return &ffi_type_double;
    unsigned self = structures_used++, count = 1 + random_below(ELEMENTS_MAX);
    for (unsigned i = 0; i < count; i++)
        elements[self][i] = depth < 2 && random_below(6) == 0 ? random_structure(depth + 1) : random_scalar();
    elements[self][count] = NULL;
    structures[self] = (ffi_type){.type = FFI_TYPE_STRUCT, .elements = elements[self]};
    return &structures[self];
}

static ffi_type *random_type(void)
{
    unsigned kind = random_below(10);
    if (kind == 0)
        return complexes[random_below(3)];
    return kind < 4 ? random_structure(0) : random_scalar();
}

/* What default promotion leaves as it is. */
static bool fits_variable(const ffi_type *type)
{
    return type != &ffi_type_float && (type->type == FFI_TYPE_STRUCT || type->size >= 4);
}

/* Which of the two words of a small structure hold an integer; false when there is a long double, which lives
 * in memory. */
static bool find_integers(const ffi_type *type, size_t offset, bool integer[2])
{
    if (type->type != FFI_TYPE_STRUCT) {
        if (type != &ffi_type_float && type != &ffi_type_double)
            integer[offset / 8] = true;
        return type != &ffi_type_longdouble;
    }
    for (ffi_type **e = type->elements; *e; e++) {
        offset = (offset + (*e)->alignment - 1) / (*e)->alignment * (*e)->alignment;
        if (!find_integers(*e, offset, integer))
            return false;
        offset += (*e)->size;
    }
    return true;
}

/*
 * libffi up to 3.4.4 as a caller copies both words of a structure behind the integer registers when its first
 * goes into the last of these and its second into a vector register: xmm0 is lost, if there is one already.
 */
static bool libffi_fails(const struct signature *s)
{
    unsigned integers_used = s->result->type == FFI_TYPE_STRUCT && s->result->size > 16, vectors_used = 0;
    for (unsigned i = 0; i < s->count; i++) {
        const ffi_type *type = s->types[i];
        bool integer[2] = {false, false};
        if (type->type == FFI_TYPE_COMPLEX) {
            unsigned needed = type == &ffi_type_complex_float ? 1 : type == &ffi_type_complex_double ? 2 : 0;
            vectors_used += vectors_used + needed <= 8 ? needed : 0;
            continue;
        }
        if (type->size > 16 || !find_integers(type, 0, integer))
            continue;
        unsigned words = type->size > 8 ? 2 : 1, gpr = integer[0] + (words == 2 && integer[1]);
        if (integers_used + gpr > 6 || vectors_used + words - gpr > 8)
            continue;
        if (words == 2 && integer[0] && !integer[1] && integers_used == 5)
            return true;
        integers_used += gpr;
        vectors_used += words - gpr;
    }
    return false;
}

static bool make_signature(struct signature *s)
{
    s->count = random_below(4) ? random_below(8) : random_below(ARGUMENTS_MAX + 1);
    s->fixed = s->count > 1 && random_below(4) == 0 ? 1 + random_below(s->count - 1) : s->count;
    s->result = random_below(8) ? random_type() : &ffi_type_void;
    for (unsigned i = 0; i < s->count; i++) {
        do
            s->types[i] = random_type();
        while (i >= s->fixed && !fits_variable(s->types[i]));
    }
    ffi_status status =
        s->fixed < s->count
            ? ffi_prep_cif_var(&s->cif, FFI_DEFAULT_ABI, s->fixed, s->count, s->result, s->types)
            : ffi_prep_cif(&s->cif, FFI_DEFAULT_ABI, s->count, s->result, s->types);
    for (unsigned i = 0; i < s->count; i++)
        if (s->types[i]->size > VALUE_BYTES)
            return false;
    return status == FFI_OK && s->result->size <= VALUE_BYTES && !libffi_fails(s);
}

static const char *scalar_name(const ffi_type *type)
{
    static const struct {
        const ffi_type *type;
        const char *name;
    } names[] = {{&ffi_type_void, "void"},
                 {&ffi_type_sint8, "s8"},
                 {&ffi_type_uint8, "u8"},
                 {&ffi_type_sint16, "s16"},
                 {&ffi_type_uint16, "u16"},
                 {&ffi_type_sint32, "s32"},
                 {&ffi_type_uint32, "u32"},
                 {&ffi_type_sint64, "s64"},
                 {&ffi_type_uint64, "u64"},
                 {&ffi_type_pointer, "pointer"},
                 {&ffi_type_float, "float"},
                 {&ffi_type_double, "double"},
                 {&ffi_type_longdouble, "ldouble"},
                 {&ffi_type_complex_float, "cfloat"},
                 {&ffi_type_complex_double, "cdouble"},
                 {&ffi_type_complex_longdouble, "cldouble"}};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i].type == type)
            return names[i].name;
    return "?";
}

static void print_type(const ffi_type *type)
{
    if (type->type != FFI_TYPE_STRUCT) {
        printf("%s", scalar_name(type));
        return;
    }
    printf("{");
    for (ffi_type **e = type->elements; *e; e++) {
        printf("%s", e == type->elements ? "" : " ");
        print_type(*e);
    }
    printf("}");
}

static void problem(const struct signature *s, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    printf("different: ");
    vprintf(format, list);
    va_end(list);
    printf("\n  by %s: t_stub_%u: ", mechanism_names[now_by], s->stub);
    print_type(s->result);
    printf(" (");
    for (unsigned i = 0; i < s->count; i++) {
        printf(i == 0 ? "" : i == s->fixed ? "; " : ", ");
        print_type(s->types[i]);
    }
    printf(")\n");
    if (++problems >= PROBLEMS_MAX)
        exit(1);
}

/* --- values --- */

/* Bytes of a type that have a meaning: not padding. */
static void mark(const ffi_type *type, uint8_t *mask)
{
    if (type->type == FFI_TYPE_STRUCT) {
        size_t offset = 0;
        for (ffi_type **e = type->elements; *e; e++) {
            offset = (offset + (*e)->alignment - 1) / (*e)->alignment * (*e)->alignment;
            mark(*e, mask + offset);
            offset += (*e)->size;
        }
    } else if (type == &ffi_type_longdouble) {
        memset(mask, 1, 10);
    } else if (type == &ffi_type_complex_longdouble) {
        memset(mask, 1, 10);
        memset(mask + 16, 1, 10);
    } else {
        memset(mask, 1, type->size);
    }
}

static bool equal(const ffi_type *type, const uint8_t *a, const uint8_t *b)
{
    uint8_t mask[VALUE_BYTES] = {0};
    mark(type, mask);
    for (size_t i = 0; i < type->size; i++)
        if (mask[i] && a[i] != b[i])
            return false;
    return true;
}

/* A long double goes through x87 registers, which hold all bits of those that are numbers. */
static void random_value(const ffi_type *type, uint8_t *to)
{
    random_fill(to, type->size);
    if (type->type == FFI_TYPE_STRUCT) {
        size_t offset = 0;
        for (ffi_type **e = type->elements; *e; e++) {
            offset = (offset + (*e)->alignment - 1) / (*e)->alignment * (*e)->alignment;
            random_value(*e, to + offset);
            offset += (*e)->size;
        }
    } else if (type == &ffi_type_longdouble || type == &ffi_type_complex_longdouble) {
        for (size_t i = 0; i < type->size; i += 16) {
            to[i + 7] |= 0x80;
            to[i + 9] = (uint8_t)(0x30 + random_below(0x20));
        }
    }
}

static unsigned x87_results(const ffi_type *type)
{
    if (type == &ffi_type_complex_longdouble)
        return 2;
    if (type->type == FFI_TYPE_STRUCT && type->size == 16 && type->elements[0] && !type->elements[1])
        return x87_results(type->elements[0]);
    return type == &ffi_type_longdouble;
}

/* --- calls --- */

static void call_random(unsigned depth);

static void closure(ffi_cif *cif, void *result, void **arguments, void *user)
{
    struct signature *s = user;
    s->called = true;
    for (unsigned i = 0; i < s->count; i++)
        if (!equal(s->types[i], arguments[i], s->arguments[i].bytes))
            problem(s, "argument %u", i);
    enum mechanism before = now_by;
    if (s->depth < DEPTH_MAX && random_below(5) == 0)
        call_random(s->depth + 1);
    now_by = before;
    /* Small integers are handed back as words. */
    if (s->result->type != FFI_TYPE_VOID)
        memcpy(result, s->to_return.bytes,
               s->result->type != FFI_TYPE_STRUCT && s->result->size < 8 && s->result->type != FFI_TYPE_FLOAT
                   ? 8
                   : cif->rtype->size);
}

static const char *const register_names[16] = {"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rbp", "rsp",
                                               "r8",  "r9",  "r10", "r11", "r12", "r13", "r14", "r15"};

static void compare_vectors(const struct signature *s, const char *when, const uint8_t *a, const uint8_t *b)
{
    for (unsigned i = 0; i < VECTORS_BYTES; i++) {
        if (i == LEGACY_POINTERS)
            i = LEGACY_POINTERS_END;
        if (i == 464) /* the end of the legacy part is for software */
            i = XSAVE_HEADER_END;
        if (a[i] != b[i]) {
            problem(s, "%s the call, byte %u of the vector and x87 state: %02x, %02x", when, i, a[i], b[i]);
            return;
        }
    }
}

/*
 * Between objects r11 belongs to nobody, and when a function returns only its results and the registers that
 * it keeps have a meaning. Inside of an object compilers know more, and rely on it (-fipa-ra).
 */
static bool has_meaning(unsigned gpr, bool after, bool first)
{
    if (now_by == INSIDE && 8 * gpr != STATE_RBX)
        return true;
    switch (8 * gpr) {
    case STATE_RBX: /* may be used in between, and is kept all the same: check_kept */
    case STATE_R11:
        return false;
    case STATE_R10:
        return !after && !first;
    case STATE_RCX:
    case STATE_RSI:
    case STATE_RDI:
    case STATE_R8:
    case STATE_R9:
        return !after;
    default:
        return true;
    }
}

static void compare_states(const struct signature *s, bool after, const struct abi_state *a,
                           const struct abi_state *b, bool first)
{
    const char *when = after ? "after" : "before";
    for (unsigned i = 0; i < 16; i++)
        if (a->gpr[i] != b->gpr[i] && has_meaning(i, after, first))
            problem(s, "%s the call, %s: %#lx here, %#lx there", when, register_names[i], a->gpr[i],
                    b->gpr[i]);
    if ((a->flags ^ b->flags) & 0x400)
        problem(s, "%s the call, the direction flag", when);
    for (unsigned i = 0; i < ABI_STACK_WORDS; i++)
        if (a->stack[i] != b->stack[i]) {
            problem(s, "%s the call, word %u on the stack: %#lx, %#lx", when, i, a->stack[i], b->stack[i]);
            break;
        }
    compare_vectors(s, when, a->vectors, b->vectors);
}

static void check_kept(const struct signature *s, const struct abi_record *call)
{
    static const unsigned kept[] = {STATE_RBX, STATE_RBP, STATE_RSP, STATE_R12,
                                    STATE_R13, STATE_R14, STATE_R15};
    for (unsigned i = 0; i < sizeof kept / sizeof *kept; i++)
        if (call->before.gpr[kept[i] / 8] != call->after.gpr[kept[i] / 8])
            problem(s, "%s is not kept", register_names[kept[i] / 8]);
    if (call->after.flags & 0x400)
        problem(s, "the direction flag is set");
    if (call->before.gpr[STATE_RSP / 8] % 16)
        problem(s, "the stack at %#lx is not aligned", call->before.gpr[STATE_RSP / 8]);
}

static void prepare(struct abi_record *call, const struct signature *s)
{
    random_fill(call->wanted, sizeof call->wanted);
    random_fill(call->vectors, sizeof call->vectors);
    random_fill(call->masks, sizeof call->masks);
    long double live[2] = {1.25L, (long double)random_below(1000)};
    memcpy(call->x87[0], &live[0], 10);
    memcpy(call->x87[0] + 16, &live[1], 10);
    unsigned rounding = random_below(4);
    call->control[0] = 0x1f80 | rounding << 13;
    call->control[1] = 0x37f | rounding << 10;
    call->options = options_possible;
    /* There are eight x87 registers for all that are open. */
    if (s->depth < 2 && random_below(4) == 0)
        call->options |= OPTION_X87;
    call->x87_results = x87_results(s->result);
}

static void *caller_of(const struct signature *s, struct abi_record *call)
{
    switch (now_by) {
    case BY_PLT:
        return (void *)abi_by_plt[s->stub];
    case BY_GOT:
        return (void *)abi_by_got[s->stub];
    case BY_TAIL:
        return (void *)abi_by_tail[s->stub];
    case BY_DLSYM:
        call->target = (uint64_t)by_dlsym[s->stub];
        return (void *)abi_by_address;
    default:
        call->target = (uint64_t)abi_inside[s->stub];
        return (void *)abi_by_address;
    }
}

static void call_once(struct signature *s)
{
    struct abi_record *call = abi_calls, *record = abi_records;
    prepare(call, s);
    void *pointers[ARGUMENTS_MAX], *caller = caller_of(s, call);
    for (unsigned i = 0; i < s->count; i++)
        pointers[i] = s->arguments[i].bytes;
    struct value result;
    memset(&result, 0xa5, sizeof result);
    s->called = false;
    ffi_call(&s->cif, FFI_FN(caller), &result, pointers);
    (now_by == INSIDE ? inside_calls : stub_calls)[s->stub]++;
    checked++;

    bool first = !linked[now_by][s->stub];
    linked[now_by][s->stub] = true;
    if (abi_calls != call || abi_records != record)
        problem(s, "calls and returns do not pair");
    if (!s->called || record->number != s->stub)
        problem(s, "another function was called");
    compare_states(s, false, &call->before, &record->before, first);
    compare_states(s, true, &call->after, &record->after, false);
    check_kept(s, call);
    if (s->result->type != FFI_TYPE_VOID && !equal(s->result, result.bytes, s->to_return.bytes))
        problem(s, "result");
}

static void call_random(unsigned depth)
{
    static struct signature pool[DEPTH_MAX + 1];
    struct signature *s = &pool[depth];
    unsigned kept = structures_used;
    do {
        structures_used = kept;
    } while (!make_signature(s));
    for (unsigned i = 0; i < s->count; i++)
        random_value(s->types[i], s->arguments[i].bytes);
    random_fill(s->to_return.bytes, 16);
    random_value(s->result, s->to_return.bytes);
    do
        s->stub = random_below(ABI_STUBS);
    while (busy[s->stub]);
    s->depth = depth;
    busy[s->stub] = true;
    if (ffi_prep_closure_loc(closures[s->stub], &s->cif, closure, s, closure_code[s->stub]) != FFI_OK)
        abort();
    abi_table[s->stub] = closure_code[s->stub];
    for (unsigned by = 0; by < MECHANISMS; by++) {
        now_by = by;
        if (wanted_mechanisms[by] && (depth == 0 || random_below(MECHANISMS) == 0))
            call_once(s);
    }
    busy[s->stub] = false;
    structures_used = kept;
}

/* --- the program --- */

static unsigned vector_options(void)
{
    unsigned options = 0, a, b, c, d;
    __builtin_cpu_init();
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & bit_OSXSAVE)) {
        printf("skipped: this processor has no xsave\n");
        exit(77);
    }
    if (__builtin_cpu_supports("avx"))
        options |= OPTION_AVX;
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw"))
        options |= OPTION_AVX512;
    return options;
}

static void prepare_stubs(void)
{
    Dl_info info;
    void *library =
        dladdr((void *)abi_inside[0], &info) ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD) : NULL;
    for (unsigned i = 0; i < ABI_STUBS; i++) {
        char name[32];
        snprintf(name, sizeof name, "t_stub_%u", i);
        by_dlsym[i] = library ? dlsym(library, name) : NULL;
        closures[i] = ffi_closure_alloc(sizeof(ffi_closure), &closure_code[i]);
        if (!by_dlsym[i] || !closures[i])
            abort();
    }
}

static void write_counts(void)
{
    const char *path = getenv("COUNTS"), *inline_too = getenv("KPROBE_INLINE");
    int fd = path ? open(path, O_WRONLY | O_APPEND | O_CREAT, 0600) : -1;
    bool inside = inline_too && strcmp(inline_too, "1") == 0;
    for (unsigned i = 0; fd >= 0 && i < ABI_STUBS; i++)
        dprintf(fd, "t_stub_%u %lu\n", i, stub_calls[i] + (inside ? inside_calls[i] : 0));
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: %s SIGNATURES SEED [MECHANISM...]\n", argv[0]);
        return 2;
    }
    unsigned long count = strtoul(argv[1], NULL, 0);
    random_state = strtoul(argv[2], NULL, 0);
    for (unsigned by = 0; by < MECHANISMS; by++) {
        wanted_mechanisms[by] = argc == 3;
        for (int i = 3; i < argc; i++)
            wanted_mechanisms[by] |= strcmp(argv[i], mechanism_names[by]) == 0;
    }
    options_possible = vector_options();
    abi_calls = calls;
    abi_records = records;
    prepare_stubs();
    for (unsigned long i = 0; i < count; i++)
        call_random(0);
    write_counts();
    printf("%lu signatures, %lu calls, %u different\n", count, checked, problems);
    return problems ? 1 : 0;
}
