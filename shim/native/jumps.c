/*
 * longjmp and its relatives leave calls without their return. Before the jump the open calls that it leaves
 * are ended here. A jump that is not seen does no harm: its frames are found abandoned later.
 */
#include "call.h"

#include <signal.h>

#include "arch/x86_64/state.h"

/* What a jump from here to `to` leaves: deeper parts of the same stack, and all of a signal stack. */
struct left {
    uintptr_t from, to;
    uintptr_t signal_stack, signal_stack_end;
};

static bool is_left(const struct left *left, uintptr_t cfa)
{
    if (cfa >= left->signal_stack && cfa < left->signal_stack_end)
        return true;
    return left->from <= left->to && cfa >= left->from && cfa <= left->to;
}

void kp_call_jump(struct kp_thread_state *t, const struct kp_call_registers *registers)
{
    struct left left = {.from = (uintptr_t)registers,
                        .to = kp_state_jump_stack((const void *)registers->rdi)};
    uint32_t depth = t->depth;
    stack_t stack;

    if (sigaltstack(NULL, &stack) == 0 && stack.ss_flags & SS_ONSTACK) {
        left.signal_stack = (uintptr_t)stack.ss_sp;
        left.signal_stack_end = left.signal_stack + stack.ss_size;
        /* A jump within the signal stack. */
        if (left.to >= left.signal_stack && left.to < left.signal_stack_end)
            left.signal_stack_end = left.to;
        else
            left.from = 0;
    }
    for (uint32_t i = t->depth; i > 0; i--) {
        const struct kp_call_frame *frame = kp_call_frame_of(t->open.base[i].frame);

        if (frame && is_left(&left, frame->cfa))
            depth = i - 1;
    }
    if (depth < t->depth)
        kp_open_unwind_to(t, depth, kp_clock_now(t->clock));
}
