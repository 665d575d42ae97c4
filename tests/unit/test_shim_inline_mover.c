/* Moving the first instructions of a function: what they become, what is refused, and that they still work.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>

#include "mover.h"

extern const struct kp_mover kprobe_mover_1;

#define PLACE_BYTES 4096

/* Where code comes from, and 1 MiB above where it goes. */
static uint8_t *from_place, *to_place;

static struct kp_move move;

/* NULL: moved. */
static const char *try_to_move(const void *code, size_t bytes, const uint8_t *new_place)
{
    memset(from_place, 0x90, PLACE_BYTES);
    memcpy(from_place, code, bytes);
    memset(&move, 0, sizeof move);
    move.code = from_place;
    move.code_bytes = bytes;
    move.new_place = new_place;
    return kprobe_mover_1.move(&move);
}

#define MOVE(text) try_to_move(text, sizeof(text) - 1, to_place)

static int32_t rel32_at(size_t at)
{
    int32_t value;

    memcpy(&value, move.out + at, sizeof value);
    return value;
}

/* Where the rel32 that stands at `at`, with `behind` more bytes in its instruction, leads to. */
static const uint8_t *leads_to(size_t at, size_t behind)
{
    return to_place + at + 4 + behind + rel32_at(at);
}

static void expect_jump_back(size_t taken)
{
    assert_int_equal(move.taken_bytes, taken);
    assert_true(move.out_bytes >= 5);
    assert_int_equal(move.out[move.out_bytes - 5], 0xe9);
    assert_ptr_equal(leads_to(move.out_bytes - 4, 0), from_place + taken);
}

static void plain_instructions_stay(void **state)
{
    /* push %rbx; mov %rdi, %rbx; sub $16, %rsp; ret */
    static const char code[] = "\x53\x48\x89\xfb\x48\x83\xec\x10\xc3";

    (void)state;
    assert_null(MOVE(code));
    assert_memory_equal(move.out, code, 8);
    assert_int_equal(move.out_bytes, 8 + 5);
    expect_jump_back(8);
}

/* No more than is needed. */
static void five_bytes_are_enough(void **state)
{
    (void)state;
    /* mov $1, %eax; ret */
    assert_null(MOVE("\xb8\x01\x00\x00\x00\xc3"));
    expect_jump_back(5);
}

static void short_branches_grow(void **state)
{
    (void)state;
    for (unsigned condition = 0; condition < 16; condition++) {
        /* test %edi, %edi; jcc +0x40; nop... */
        uint8_t code[64] = {0x85, 0xff, (uint8_t)(0x70 + condition), 0x40, 0x90, 0x90};

        assert_null(try_to_move(code, sizeof code, to_place));
        assert_int_equal(move.out[2], 0x0f);
        assert_int_equal(move.out[3], 0x80 + condition);
        assert_ptr_equal(leads_to(4, 0), from_place + 4 + 0x40);
        assert_int_equal(move.out[8], 0x90);
        expect_jump_back(5);
    }
}

static void short_branches_go_back(void **state)
{
    (void)state;
    /* mov %edi, %eax; test %eax, %eax; js -0x10 */
    assert_null(MOVE("\x89\xf8\x85\xc0\x78\xf0\xc3"));
    assert_ptr_equal(leads_to(6, 0), from_place + 6 - 0x10);
    expect_jump_back(6);
}

static void long_branches_are_adjusted(void **state)
{
    (void)state;
    /* je +0x100 */
    assert_null(MOVE("\x0f\x84\x00\x01\x00\x00\xc3"));
    assert_memory_equal(move.out, "\x0f\x84", 2);
    assert_ptr_equal(leads_to(2, 0), from_place + 6 + 0x100);
    expect_jump_back(6);
    /* jmp +0x100, the whole function */
    assert_null(MOVE("\xe9\x00\x01\x00\x00"));
    assert_int_equal(move.out[0], 0xe9);
    assert_ptr_equal(leads_to(1, 0), from_place + 5 + 0x100);
}

static void operands_are_adjusted(void **state)
{
    (void)state;
    /* mov 0x200(%rip), %rax */
    assert_null(MOVE("\x48\x8b\x05\x00\x02\x00\x00\xc3"));
    assert_memory_equal(move.out, "\x48\x8b\x05", 3);
    assert_ptr_equal(leads_to(3, 0), from_place + 7 + 0x200);
    /* cmpl $0x4711, -0x80(%rip): an immediate behind the displacement */
    assert_null(MOVE("\x81\x3d\x80\xff\xff\xff\x11\x47\x00\x00\xc3"));
    assert_ptr_equal(leads_to(2, 4), from_place + 10 - 0x80);
    assert_memory_equal(move.out + 6, "\x11\x47\x00\x00", 4);
    /* jmp *0x40(%rip) */
    assert_null(MOVE("\xff\x25\x40\x00\x00\x00"));
    assert_ptr_equal(leads_to(2, 0), from_place + 6 + 0x40);
    /* vmovdqu 0x40(%rip), %ymm0 */
    assert_null(MOVE("\xc5\xfe\x6f\x05\x40\x00\x00\x00\xc3"));
    assert_ptr_equal(leads_to(4, 0), from_place + 8 + 0x40);
    /* push %rbx; lea 0x30(%rip), %rdi: not the first */
    assert_null(MOVE("\x53\x48\x8d\x3d\x30\x00\x00\x00\xc3"));
    assert_ptr_equal(leads_to(4, 0), from_place + 8 + 0x30);
}

#define REFUSES(text, why) assert_string_equal(MOVE(text), why)

static void what_has_an_address_is_refused(void **state)
{
    (void)state;
    REFUSES("\xe8\x00\x01\x00\x00\xc3", "a call stands at its start");
    REFUSES("\xff\x15\x00\x01\x00\x00\xc3", "a call stands at its start");
    REFUSES("\x53\xe8\x00\x01\x00\x00\xc3", "a call stands at its start");
    REFUSES("\x31\xc0\xe2\xfc\x90\x90\xc3", "a loop or jrcxz stands at its start");
    REFUSES("\x31\xc0\xe1\xfc\x90\x90\xc3", "a loop or jrcxz stands at its start");
    REFUSES("\x31\xc0\xe3\x10\x90\x90\xc3", "a loop or jrcxz stands at its start");
    /* xbegin: its number ends like that of a jcc */
    REFUSES("\xc7\xf8\x00\x01\x00\x00\xc3", "a branch at its start cannot be followed");
}

static void what_is_too_short_is_refused(void **state)
{
    (void)state;
    REFUSES("\xc3\x90\x90\x90\x90\x90", "it is too short");
    REFUSES("\x89\xf8\xc3\x90\x90\x90\x90", "it is too short");
    REFUSES("\xc2\x08\x00\x90\x90\x90\x90", "it is too short");
    /* jmp +2; jmp *%rax: nothing behind them belongs to it */
    REFUSES("\xeb\x02\x90\x90\x90\x90\x90", "it is too short");
    REFUSES("\xff\xe0\x90\x90\x90\x90\x90", "it is too short");
    /* The text ends in the middle of an instruction. */
    REFUSES("\x53\x48\x8d", "it is too short");
    /* No instruction in 64 bits (push %cs), with more behind it. */
    REFUSES("\x0e\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90\x90",
            "its start is no code that is known");
}

static void what_is_far_is_refused(void **state)
{
    static const char displaced[] = "\x48\x8b\x05\x00\x02\x00\x00\xc3", jump[] = "\xe9\x00\x01\x00\x00",
                      plain[] = "\xb8\x01\x00\x00\x00\xc3";
    /* Only its address counts. */
    const uint8_t *far = from_place + ((intptr_t)3 << 30);

    (void)state;
    assert_string_equal(try_to_move(displaced, sizeof displaced - 1, far),
                        "what its start refers to is out of reach");
    assert_string_equal(try_to_move(jump, sizeof jump - 1, far),
                        "what its start branches to is out of reach");
    assert_string_equal(try_to_move(plain, sizeof plain - 1, far), "there is no memory near it");
    far = from_place - ((intptr_t)3 << 30);
    assert_string_equal(try_to_move(displaced, sizeof displaced - 1, far),
                        "what its start refers to is out of reach");
    assert_string_equal(try_to_move(plain, sizeof plain - 1, far), "there is no memory near it");
}

/* As code: a table of numbers behind the function, one of two branches. */
static void what_was_moved_runs(void **state)
{
    /* test %edi, %edi; je 1f; mov 9(%rip), %eax; ret; 1: mov 6(%rip), %eax; ret; numbers */
    static const char code[] = "\x85\xff\x74\x07\x8b\x05\x08\x00\x00\x00\xc3\x8b\x05\x05\x00\x00\x00\xc3"
                               "\x07\x00\x00\x00\x09\x00\x00\x00";
    int (*moved)(int);

    (void)state;
    assert_null(MOVE(code));
    assert_int_equal(move.taken_bytes, 10);
    memcpy(to_place, move.out, move.out_bytes);
    /* What was taken is gone. */
    memset(from_place, 0xcc, move.taken_bytes);
    *(void **)&moved = to_place;
    assert_int_equal(moved(1), 7);
    assert_int_equal(moved(0), 9);
}

struct branches {
    unsigned count;
    struct {
        size_t source, target;
        bool call;
    } found[8];
};

static void note(void *user, uintptr_t source, uintptr_t target, bool call)
{
    struct branches *all = user;

    assert_true(all->count < 8);
    all->found[all->count].source = source - (uintptr_t)from_place;
    all->found[all->count].target = target - (uintptr_t)from_place;
    all->found[all->count++].call = call;
}

static void branches_are_found(void **state)
{
    /* jne 3; (no code); call 0x100; loop 0; lea 4(%rip), %rax; jmp *%rax; jmp 0x10 */
    static const char code[] = "\x75\x01\x0e\xe8\xf8\x00\x00\x00\xe2\xf6\x48\x8d\x05\x04\x00\x00\x00\xff\xe0"
                               "\xeb\xfb";
    static const struct branches wanted = {
        4, {{0, 3, false}, {3, 0x100, true}, {8, 0, false}, {19, 0x10, false}}};
    struct branches all = {0};

    (void)state;
    memcpy(from_place, code, sizeof code - 1);
    kprobe_mover_1.branches(from_place, from_place + sizeof code - 1, note, &all);
    assert_int_equal(all.count, wanted.count);
    for (unsigned i = 0; i < wanted.count; i++) {
        assert_int_equal(all.found[i].source, wanted.found[i].source);
        assert_int_equal(all.found[i].target, wanted.found[i].target);
        assert_int_equal(all.found[i].call, wanted.found[i].call);
    }
}

static int set_up(void **state)
{
    const size_t bytes = (1u << 20) + PLACE_BYTES;
    uint8_t *memory =
        mmap(NULL, bytes, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    from_place = memory;
    to_place = memory + (1u << 20);
    return memory == MAP_FAILED;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_instructions_stay),
        cmocka_unit_test(five_bytes_are_enough),
        cmocka_unit_test(short_branches_grow),
        cmocka_unit_test(short_branches_go_back),
        cmocka_unit_test(long_branches_are_adjusted),
        cmocka_unit_test(operands_are_adjusted),
        cmocka_unit_test(what_has_an_address_is_refused),
        cmocka_unit_test(what_is_too_short_is_refused),
        cmocka_unit_test(what_is_far_is_refused),
        cmocka_unit_test(what_was_moved_runs),
        cmocka_unit_test(branches_are_found),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
