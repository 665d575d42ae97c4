/*
 * Calls of C functions: what the trampoline of shim/arch calls at the begin and the end of each, and the
 * shadow frames in which callers' return addresses wait.
 *
 * What is frequent is done in assembly; kp_call_enter (call.c) uses general registers only and calls nothing;
 * what is left comes to call_slow.c, with the vector registers saved.
 */
#ifndef KP_SHIM_NATIVE_CALL_H
#define KP_SHIM_NATIVE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "function.h"
#include "loaded.h"
#include "open_calls.h"

/*
 * One call under way. Frames come from a free list of the thread, in any order, so that coroutines may end
 * their calls in any order, too; they lie in our .bss, because a caller's rbx may be the only reference to an
 * object of a conservative garbage collector, which looks at the data of all loaded objects.
 */
struct kp_call_frame {
    uint64_t return_address; /* the first two: see call_thunks.S */
    uint64_t rbx;
    void *target;
    uint64_t cfa; /* the stack pointer before the call */
    struct kp_call_frame *next;
    const struct kp_native_function *captures; /* its raw values are wanted at the end; NULL: no values are */
    uint64_t state;                            /* KP_CALL_FRAME_… */
    uint64_t reserved;
};
_Static_assert(sizeof(struct kp_call_frame) == 64, "a line of the cache each");

enum { KP_CALL_FRAME_USED, KP_CALL_FRAME_ABANDONED };

/* In rax and rdx. No frame: the call is not followed. No target (it is in the frame): it ends by the slow
 * path, too. */
struct kp_call_start {
    void *target;
    struct kp_call_frame *frame;
};

/* As call_thunks.S pushes them. */
struct kp_call_registers {
    struct kp_native_function *function; /* in r11 */
    uint64_t r10, r9, r8, rdi, rsi, rdx, rcx, rax;
};

/* The result registers, as pushed; the vector ones are in `vectors`. */
struct kp_call_results {
    uint64_t rdx, rax;
};

/* In call_thunks.S. */
extern const uint8_t kp_call_thunks[KP_CALL_THUNKS][KP_CALL_THUNK_BYTES];
void kp_call_inside(void); /* where stubs of inside.c lead */
void kp_call_return(void), kp_call_return_slow(void), kp_call_return_inside(void),
    kp_call_return_inside_slow(void), kp_call_landing(void);

/* Whether a call came from a traced function's last act, by a jump: the trampoline is its return address. */
static inline bool kp_call_is_tail(const uint64_t *cfa)
{
    return cfa[-1] == (uintptr_t)kp_call_return || cfa[-1] == (uintptr_t)kp_call_return_inside;
}

/* Where calls of the trampoline's return to: the caller that a callee sees there is the program's. */
static inline bool kp_call_is_site(uintptr_t address)
{
    return address == (uintptr_t)kp_call_return || address == (uintptr_t)kp_call_return_slow ||
           address == (uintptr_t)kp_call_return_inside || address == (uintptr_t)kp_call_return_inside_slow;
}

/* Our own code. */
extern struct kp_loaded kp_call_code;

/*
 * A call while the thread is busy. In the midst of a probe it is a handler's, unless it comes from our own
 * code: what that calls in libc may be hooked there.
 */
static inline void kp_call_pass(struct kp_thread_state *t, const uint64_t *cfa)
{
    uintptr_t caller = cfa[-1];
    bool ours = caller >= kp_call_code.start && caller < kp_call_code.end;

    if (t->busy == KP_BUSY_PROBE && (!ours || kp_call_is_site(caller)))
        kp_thread_pass(t);
}

/* In call.c. `rbx`: whatever the register held. The target, to jump to; NULL: take the slow path. */
void *kp_call_enter(const struct kp_native_function *function, const uint64_t *cfa,
                    struct kp_call_frame *rbx);

/* `vectors`: an XSAVE or FXSAVE area; xmm0 is at byte 160. */
struct kp_call_start kp_call_enter_slow(struct kp_call_registers *registers, struct kp_call_frame *rbx,
                                        const uint8_t *vectors, const uint64_t *cfa);
void kp_call_leave_slow(struct kp_call_frame *frame, const struct kp_call_results *results,
                        const uint8_t *vectors);

/* Before the first thunk can run. */
void kp_call_setup(void);

/* The activation's tag of a frame, and back; NULL for the tags of others. */
static inline void *kp_call_frame_tag(struct kp_call_frame *frame)
{
    return (void *)((uintptr_t)frame | 1);
}
struct kp_call_frame *kp_call_frame_of(const void *tag);

/* A frame that its call did not give back, and perhaps will not: used again as late as possible. */
void kp_call_abandon(struct kp_call_frame *frame);

/* The call is of longjmp's family: end the calls that it leaves. */
void kp_call_jump(struct kp_thread_state *t, const struct kp_call_registers *registers);

#endif
