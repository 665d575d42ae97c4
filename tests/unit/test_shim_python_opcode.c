/* What the opcode engine stands on: the id cache, moving instructions, writing code, finding a dispatch
 * table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "../arch/x86_64/text.h"
#include "cpython_opcode.h"
#include "opcode_table.h"
#include "thread.h"

static struct kp_thread_state state;

/* Three keys of one set, and one of another. */
#define KEY(n) ((const void *)(uintptr_t)(0x10000 + (n)*KP_CACHE_SETS * 64))

static uint32_t id_of(const void *key)
{
    const struct kp_cache_entry *entry = kp_cache_entry(&state, key);

    return entry->key == key || kp_cache_promote(&state, key) ? entry->id : UINT32_MAX;
}

static void opcode_cache_keeps_two_of_a_set(void **unused)
{
    (void)unused;
    kp_cache_put(&state, KEY(1), 11, 0);
    kp_cache_put(&state, KEY(2), 12, 0);
    assert_int_equal(id_of(KEY(1)), 11);
    assert_int_equal(id_of(KEY(2)), 12);
    kp_cache_put(&state, KEY(3), 13, 0);
    assert_int_equal(id_of(KEY(3)), 13);
    /* The one used last stays. */
    assert_int_equal(id_of(KEY(2)), 12);
    assert_int_equal(id_of(KEY(1)), UINT32_MAX);
}

static void opcode_cache_drops_what_old_rules_said(void **unused)
{
    (void)unused;
    kp_cache_put(&state, KEY(1), 11, atomic_load(&kp_core.rules_version));
    atomic_fetch_add(&kp_core.rules_version, 1);
    kp_cache_put(&state, KEY(2), 12, atomic_load(&kp_core.rules_version) - 1);
    assert_int_equal(id_of(KEY(1)), UINT32_MAX);
    assert_int_equal(id_of(KEY(2)), UINT32_MAX);
}

static void opcode_starts_of_functions_move(void **unused)
{
    static const struct {
        uint8_t code[10];
        size_t bytes;
    } cases[] = {
        {{0x55}, 1},                                        /* push %rbp */
        {{0x41, 0x57}, 2},                                  /* push %r15 */
        {{0xf3, 0x0f, 0x1e, 0xfa}, 4},                      /* endbr64 */
        {{0x48, 0x89, 0xe5}, 3},                            /* mov %rsp, %rbp */
        {{0x48, 0x83, 0xec, 0x18}, 4},                      /* sub $0x18, %rsp */
        {{0x48, 0x81, 0xec, 0x48, 0x01, 0, 0}, 7},          /* sub $0x148, %rsp */
        {{0x48, 0x89, 0x7c, 0x24, 0x08}, 5},                /* mov %rdi, 8(%rsp) */
        {{0x48, 0x89, 0xbc, 0x24, 0x08, 0x01, 0, 0}, 8},    /* mov %rdi, 0x108(%rsp) */
        {{0x48, 0x89, 0x7d, 0xf8}, 4},                      /* mov %rdi, -8(%rbp) */
        {{0x89, 0xd5}, 2},                                  /* mov %edx, %ebp */
        {{0x31, 0xff}, 2},                                  /* xor %edi, %edi */
        {{0x48, 0x8b, 0x05, 0x63, 0xf4, 0x45, 0}, 0},       /* mov 0x45f463(%rip), %rax */
        {{0x48, 0x89, 0x05, 0, 0, 0, 0}, 0},                /* mov %rax, (%rip) */
        {{0x0f, 0x84, 0x72, 0x97, 0, 0}, 0},                /* je */
        {{0xe8, 0, 0, 0, 0}, 0},                            /* call */
        {{0x64, 0x48, 0x8b, 0x04, 0x25, 0x28, 0, 0, 0}, 0}, /* mov %fs:0x28, %rax */
    };

    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (kp_text_movable(cases[i].code) != cases[i].bytes)
            fail_msg("case %zu: %zu bytes instead of %zu", i, kp_text_movable(cases[i].code), cases[i].bytes);
}

static void opcode_code_is_written(void **unused)
{
    static const uint8_t returns_7[] = {0xb8, 7, 0, 0, 0, 0xc3};
    uint8_t *pages = kp_text_pages_near((const void *)(uintptr_t)opcode_code_is_written);
    int64_t distance = pages - (uint8_t *)(uintptr_t)opcode_code_is_written;
    int (*function)(void);

    (void)unused;
    assert_non_null(pages);
    assert_true(distance > INT32_MIN && distance < INT32_MAX);
    assert_int_equal(mprotect(pages, 4096, PROT_READ | PROT_EXEC), 0);
    assert_true(kp_text_write(pages, returns_7, sizeof returns_7));
    *(void **)&function = pages;
    assert_int_equal(function(), 7);
    assert_false(kp_text_write((void *)(uintptr_t)4096, returns_7, sizeof returns_7));
    munmap(pages, 2 * 4096);
}

/* This program has no interpreter in it; and what lies in no object at all has none either. */
static void opcode_table_is_not_found_where_none_is(void **unused)
{
    char reason[256];

    (void)unused;
    for (size_t i = 0; i < KP_OPCODE_ROWS; i++) {
        *reason = '\0';
        assert_null(kp_opcode_table_find((void *)(uintptr_t)opcode_code_is_written, &kp_opcode_rows[i],
                                         reason, sizeof reason));
        assert_non_null(strstr(reason, "0 arrays look like its dispatch table"));
    }
    assert_null(kp_opcode_table_find((void *)(uintptr_t)64, &kp_opcode_rows[0], reason, sizeof reason));
    assert_non_null(strstr(reason, "was not found"));
}

static void opcode_rows_are_sound(void **unused)
{
    (void)unused;
    for (size_t i = 0; i < KP_OPCODE_ROWS; i++) {
        const struct kp_opcode_row *row = &kp_opcode_rows[i];

        assert_int_equal(row->minor, 11 + i);
        for (unsigned kind = 0; kind < K_KINDS; kind++) {
            assert_int_not_equal(row->opcodes[kind][0], 0);
            for (unsigned slot = 0; slot < K_SLOTS && row->opcodes[kind][slot]; slot++)
                assert_true(row->defined[row->opcodes[kind][slot] / 64] >> (row->opcodes[kind][slot] % 64) &
                            1);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(opcode_cache_keeps_two_of_a_set),
        cmocka_unit_test(opcode_cache_drops_what_old_rules_said),
        cmocka_unit_test(opcode_starts_of_functions_move),
        cmocka_unit_test(opcode_code_is_written),
        cmocka_unit_test(opcode_table_is_not_found_where_none_is),
        cmocka_unit_test(opcode_rows_are_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
