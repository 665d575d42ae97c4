#include "thunks.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "text.h"

/* In opcode_thunks.S. */
extern const uint64_t kp_thunk_addresses[3][K_KINDS][K_SLOTS];
extern void kp_thunk_entry(void), kp_thunk_entry_idle(void);

/* A field of 4 bytes, `place` bytes from here, to be filled in. The linker gathers them. */
struct site {
    int32_t place;
    int32_t kind;
};
extern const struct site __start_kp_sites[], __stop_kp_sites[];

/* The section that all sites lie in. */
extern uint8_t __start_kp_thunks[], __stop_kp_thunks[];
#define THUNKS_BYTES_MAX 20480

void *kp_thunk_targets[K_KINDS * K_SLOTS];
void *kp_thunk_evaluator;

enum { FLAVOUR_THREAD, FLAVOUR_CFRAME, FLAVOUR_GENERAL };

/* Where thread-local offsets count from: the first word there holds its own address (psABI). */
static const uint8_t *thread_pointer(void)
{
    const uint8_t *pointer;

    __asm__("mov %%fs:0, %0" : "=r"(pointer));
    return pointer;
}

bool kp_thunks_prepare(const struct kp_thunk_values *values)
{
    const uint32_t of_kind[SITE_KINDS] = {
        [SITE_LOCAL] = (uint32_t)((const uint8_t *)values->local - thread_pointer()),
        [SITE_SELF] = (uint32_t)((const uint8_t *)values->self - thread_pointer()),
        [SITE_CFRAME] = values->cframe,
        [SITE_CURRENT] = values->current,
        [SITE_CODE] = values->code,
        [SITE_OWNER] = values->owner,
        [SITE_CHUNK] = values->chunk,
        [SITE_TRACING] = values->tracing,
    };
    static uint8_t filled[THUNKS_BYTES_MAX];
    static bool done;
    size_t bytes = (size_t)(__stop_kp_thunks - __start_kp_thunks);

    if (done || bytes > sizeof filled)
        return done;
    memcpy(filled, __start_kp_thunks, bytes);
    for (const struct site *site = __start_kp_sites; site < __stop_kp_sites; site++) {
        const uint8_t *place = (const uint8_t *)&site->place + site->place;
        uint32_t field;

        memcpy(&field, place, sizeof field);
        field += of_kind[site->kind] - SITE_EMPTY;
        memcpy(filled + (place - __start_kp_thunks), &field, sizeof field);
    }
    done = kp_text_write(__start_kp_thunks, filled, bytes);
    return done;
}

void *kp_thunk_address(unsigned kind, unsigned slot, bool shortest, bool cframe)
{
    unsigned flavour = !shortest ? FLAVOUR_GENERAL : cframe ? FLAVOUR_CFRAME : FLAVOUR_THREAD;

    return (void *)kp_thunk_addresses[flavour][kind][slot];
}

/*
 * The two pages near the evaluator. Code: at 0 the jump to the trampoline, at LANDING the function's first
 * instructions and the jump back behind them. Data: at 0 where the first jump goes.
 */
#define LANDING    16
#define JUMP_BYTES 5
#define MOVED_MAX  32

static _Atomic(void *) *entry;

/* jmp rel32, at `at` as the CPU will see it. */
static void put_jump(uint8_t *out, const uint8_t *at, const uint8_t *to)
{
    int32_t distance = (int32_t)(to - (at + JUMP_BYTES));

    out[0] = 0xe9;
    memcpy(out + 1, &distance, sizeof distance);
}

static size_t bytes_to_move(const uint8_t *function)
{
    size_t bytes = 0, step;

    while (bytes < JUMP_BYTES) {
        step = kp_text_movable(function + bytes);
        if (!step)
            return 0;
        bytes += step;
    }
    return bytes;
}

static void fill_pages(uint8_t *pages, uint8_t *function, size_t moved)
{
    /* jmp *4090(%rip): through the first word of the second page. */
    static const uint8_t jump_through[] = {0xff, 0x25, 0xfa, 0x0f, 0x00, 0x00};

    memcpy(pages, jump_through, sizeof jump_through);
    memcpy(pages + LANDING, function, moved);
    put_jump(pages + LANDING + moved, pages + LANDING + moved, function + moved);
    entry = (_Atomic(void *) *)(pages + 4096);
    kp_thunk_evaluator = pages + LANDING;
    kp_entry_observe(true);
}

bool kp_entry_hook(void *function, char *reason, size_t reason_bytes)
{
    size_t moved = bytes_to_move(function);
    uint8_t *pages, jump[JUMP_BYTES];

    if (entry)
        return true;
    if (!moved || moved > MOVED_MAX) {
        snprintf(reason, reason_bytes, "the first instructions of its evaluator cannot be moved");
        return false;
    }
    pages = kp_text_pages_near(function);
    if (!pages) {
        snprintf(reason, reason_bytes, "there is no free memory near its evaluator");
        return false;
    }
    fill_pages(pages, function, moved);
    put_jump(jump, function, pages);
    if (mprotect(pages, 4096, PROT_READ | PROT_EXEC) < 0 || !kp_text_write(function, jump, sizeof jump)) {
        munmap(pages, 2 * 4096);
        entry = NULL;
        snprintf(reason, reason_bytes, "the code of its evaluator cannot be written here");
        return false;
    }
    return true;
}

void kp_entry_observe(bool on)
{
    if (entry)
        atomic_store_explicit(entry, on ? (void *)kp_thunk_entry : (void *)kp_thunk_entry_idle,
                              memory_order_release);
}
