/* Who refers to a slot: by hand, and against a search that looks at every byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "arch/x86_64/references.h"

#define TEXT_BYTES 4096

/* One object's: text, and its table behind it. */
static struct {
    uint8_t text[TEXT_BYTES];
    uintptr_t table[16];
} image;

static struct found {
    size_t word, at;
    bool call;
} found[64];
static size_t found_count;

static void note(void *user, uintptr_t word, const uint8_t *displacement, bool call)
{
    (void)user;
    assert_true(found_count < sizeof found / sizeof *found);
    found[found_count++] = (struct found){(word - (uintptr_t)image.table) / sizeof word,
                                          (size_t)(displacement - image.text), call};
}

static void search(size_t bytes)
{
    found_count = 0;
    kp_references_find(image.text, bytes, (uintptr_t)image.table, (uintptr_t)(image.table + 16), note, NULL);
}

/* An instruction at `at`: what stands before the displacement, and how much behind it. */
static void put(size_t at, const char *bytes, size_t count, size_t behind, size_t word)
{
    uint8_t *end = image.text + at + count + 4 + behind;
    int32_t displacement = (int32_t)((uint8_t *)&image.table[word] - end);

    memcpy(image.text + at, bytes, count);
    memcpy(image.text + at + count, &displacement, 4);
}

static void references_are_told_apart(void **state)
{
    static const struct {
        const char *bytes;
        size_t count, behind;
        bool call;
    } rows[] = {
        {"\xff\x15", 2, 0, true},      /* call *slot(%rip) */
        {"\xff\x25", 2, 0, true},      /* jmp *slot(%rip) */
        {"\xf2\xff\x25", 3, 0, true},  /* bnd jmp */
        {"\x48\x8b\x05", 3, 0, false}, /* mov slot(%rip), %rax */
        {"\x4c\x8d\x3d", 3, 0, false}, /* lea slot(%rip), %r15 */
        {"\x48\x83\x3d", 3, 1, false}, /* cmpq $imm8, slot(%rip) */
        {"\x48\x81\x3d", 3, 4, false}, /* cmpq $imm32, slot(%rip) */
        {"\xff\x35", 2, 0, false},     /* push slot(%rip) */
        {"\x66\x81\x3d", 3, 2, false}, /* cmpw $imm16, slot(%rip) */
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t at = 100; at < 140; at++) {
            memset(image.text, 0x90, sizeof image.text);
            put(at, rows[i].bytes, rows[i].count, rows[i].behind, at % 16);
            search(TEXT_BYTES);
            assert_int_equal(found_count, 1);
            assert_int_equal(found[0].word, at % 16);
            assert_int_equal(found[0].at, at + rows[i].count);
            assert_int_equal(found[0].call, rows[i].call);
        }
}

static void references_are_found_up_to_the_end(void **state)
{
    (void)state;
    for (size_t bytes = 6; bytes < 80; bytes++) {
        memset(image.text, 0x90, sizeof image.text);
        put(bytes - 6, "\xff\x15", 2, 0, 3);
        search(bytes);
        assert_int_equal(found_count, 1);
        search(bytes - 1);
        assert_int_equal(found_count, 0);
    }
}

static void other_operands_are_no_references(void **state)
{
    (void)state;
    memset(image.text, 0x90, sizeof image.text);
    put(200, "\xe8", 1, 0, 1);     /* call rel32 */
    put(300, "\xff\x90", 2, 0, 1); /* call *disp32(%rax) */
    search(TEXT_BYTES);
    assert_int_equal(found_count, 0);
}

/* Every place, one at a time, straight from the definition. */
static size_t count_simply(void)
{
    size_t count = 0;

    for (size_t at = 2; at + 4 <= TEXT_BYTES; at++) {
        int32_t displacement;
        uintptr_t end;

        memcpy(&displacement, image.text + at, 4);
        end = (uintptr_t)(image.text + at + 4) + (uintptr_t)(intptr_t)displacement;
        for (size_t behind = 0; behind <= 4; behind += behind ? behind : 1)
            for (size_t word = 0; word < 16; word++)
                count += (image.text[at - 1] & 0xc7) == 5 && end + behind == (uintptr_t)&image.table[word];
    }
    return count;
}

static void references_are_all_found(void **state)
{
    (void)state;
    srand(1);
    for (int turn = 0; turn < 200; turn++) {
        for (size_t i = 0; i < TEXT_BYTES; i++)
            image.text[i] = (uint8_t)rand();
        for (int i = 0; i < 20; i++)
            put((size_t)rand() % (TEXT_BYTES - 16), rand() % 2 ? "\xff\x15" : "\x8b\x05", 2,
                (size_t)(rand() % 3), (size_t)rand() % 16);
        search(TEXT_BYTES);
        assert_int_equal(found_count, count_simply());
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_are_told_apart),
        cmocka_unit_test(references_are_found_up_to_the_end),
        cmocka_unit_test(other_operands_are_no_references),
        cmocka_unit_test(references_are_all_found),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
