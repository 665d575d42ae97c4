#include "call.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "arch/x86_64/state.h"
#include "capture.h"
#include "core.h"
#include "memory.h"
#include "signals.h"

#define POOL_FRAMES  65536u
#define FRAMES_TAKEN 64u

static struct kp_call_frame pool[POOL_FRAMES];
static _Atomic uint32_t pool_taken;

/* Frames of calls that never came back, or whose thread has no list. Pushed one by one, taken all at once. */
static _Atomic(struct kp_call_frame *) abandoned;

struct kp_loaded kp_call_code;

static void tag_left(void *tag);

void kp_call_setup(void)
{
    kp_loaded_find(kp_call_thunks, &kp_call_code);
    kp_open_left = tag_left;
    kp_state_setup();
}

struct kp_call_frame *kp_call_frame_of(const void *tag)
{
    uintptr_t address = (uintptr_t)tag - 1;

    if (!((uintptr_t)tag & 1) || address < (uintptr_t)pool || address >= (uintptr_t)(pool + POOL_FRAMES))
        return NULL;
    return (struct kp_call_frame *)address;
}

/* The thread's list of free frames. Only those in call_frames are used without a look at the clock. */
static void **frames_of(struct kp_thread_state *t)
{
    return t->clock == KP_CLOCK_TSC ? &t->call_frames : &t->spare_frames;
}

/* Some more frames for a list: fresh ones, then those that seemed abandoned. */
static void take_frames(void **list)
{
    uint32_t first = atomic_load(&pool_taken);

    while (first < POOL_FRAMES && !atomic_compare_exchange_weak(&pool_taken, &first, first + FRAMES_TAKEN))
        ;
    if (first >= POOL_FRAMES) {
        *list = atomic_exchange(&abandoned, NULL);
        for (struct kp_call_frame *frame = *list; frame; frame = frame->next) {
            frame->state = KP_CALL_FRAME_USED;
            frame->captures = NULL;
        }
        return;
    }
    for (uint32_t i = first; i < first + FRAMES_TAKEN; i++) {
        pool[i].next = *list;
        *list = &pool[i];
    }
}

void kp_call_abandon(struct kp_call_frame *frame)
{
    struct kp_call_frame *next = atomic_load(&abandoned);

    if (frame->state == KP_CALL_FRAME_ABANDONED)
        return;
    frame->state = KP_CALL_FRAME_ABANDONED;
    do
        frame->next = next;
    while (!atomic_compare_exchange_weak(&abandoned, &next, frame));
}

/* Its call was left by a jump, an exception or the end of its thread. */
static void tag_left(void *tag)
{
    struct kp_call_frame *frame = kp_call_frame_of(tag);

    if (frame)
        kp_call_abandon(frame);
}

/* What is to be done before the call, whether or not it is recorded. */
static void prepare(struct kp_thread_state *t, unsigned class, const struct kp_call_registers *registers)
{
    /* A child of vfork runs in our memory and has another pid: the trace is its parent's. */
    bool ours = getpid() == kp_core.pid;

    if (class == KP_NATIVE_JUMP)
        kp_call_jump(t, registers);
    else if (class == KP_NATIVE_EXEC && ours)
        kp_core_before_exec();
    else if (class == KP_NATIVE_EXIT && ours)
        kp_core_stop();
}

static void record_entry(struct kp_thread_state *t, uint32_t id)
{
    kp_emit_enter(t, id, t->depth);
    kp_emit(t, KP_EVENT_EXIT, id, t->depth, kp_clock_now(t->clock));
}

/* The caller is a traced function whose last act is this jump; `frame` is its frame. */
static void record_tail(struct kp_thread_state *t, struct kp_call_frame *frame, uint32_t id)
{
    uint64_t now = kp_clock_now(t->clock);

    if (kp_local.top_frame != kp_call_frame_tag(frame)) {
        kp_thread_pass(t);
        return;
    }
    kp_emit(t, KP_EVENT_EXIT, kp_local.top->id, t->depth - 1, now);
    kp_local.top->id = id;
    kp_emit_enter(t, id, t->depth - 1);
}

static struct kp_call_frame *record_call(struct kp_thread_state *t, const struct kp_call_registers *registers,
                                         uint32_t id, const uint8_t *vectors, const uint64_t *cfa)
{
    const struct kp_native_function *function = registers->function;
    void **list = frames_of(t);
    struct kp_call_frame *frame;

    if (!*list)
        take_frames(list);
    frame = *list;
    if (!frame || !kp_open_room(t)) {
        record_entry(t, id);
        return NULL;
    }
    *list = frame->next;
    frame->target = function->target;
    frame->cfa = (uintptr_t)cfa;
    frame->captures = function->captures ? function : NULL;
    kp_open_push(t, kp_call_frame_tag(frame), id);
    kp_emit_enter(t, id, t->depth - 1);
    if (function->captures)
        kp_capture_arguments(t, kp_native_capture(function), registers, vectors);
    return frame;
}

static struct kp_call_frame *record(struct kp_thread_state *t, const struct kp_call_registers *registers,
                                    struct kp_call_frame *rbx, uint32_t id, const uint8_t *vectors,
                                    const uint64_t *cfa)
{
    if (registers->function->class != KP_NATIVE_CALL)
        record_entry(t, id);
    else if (kp_call_is_tail(cfa))
        record_tail(t, rbx, id);
    else
        return record_call(t, registers, id, vectors, cfa);
    return NULL;
}

/* Calls of the shim's own, of its self-tests, and of handlers that interrupt a probe. */
static bool passes(struct kp_thread_state *t, const uint64_t *cfa)
{
    kp_call_pass(t, cfa);
    return t->busy || t->on_trial;
}

/* What takes locks, and what the shim's own calls are part of. */
static bool is_long(const struct kp_thread_state *t, const struct kp_native_function *function)
{
    return t == &kp_nobody || !kp_thread_is_recording(t) ||
           atomic_load_explicit(&function->id, memory_order_relaxed) == KP_NATIVE_UNDECIDED ||
           function->class == KP_NATIVE_EXEC || function->class == KP_NATIVE_EXIT;
}

struct kp_call_start kp_call_enter_slow(struct kp_call_registers *registers, struct kp_call_frame *rbx,
                                        const uint8_t *vectors, const uint64_t *cfa)
{
    struct kp_native_function *function = registers->function;
    struct kp_call_start start = {function->target, NULL};
    struct kp_thread_state *t = kp_self;
    int saved = errno;
    uint64_t signals = 0;
    bool long_work;
    uint32_t id;

    if (function->class == KP_NATIVE_JUMP && t->busy == KP_BUSY_PROBE)
        kp_open_settle(t);
    /* A function that the making of a thread's state calls, hooked inside of libc. */
    if (kp_local.own || passes(t, cfa))
        return start;
    long_work = is_long(t, function);
    /* A handler could jump out of here for good, with a lock held; its calls would be taken for our own. */
    if (long_work)
        signals = kp_signals_block();
    kp_local.own = long_work;
    t = kp_thread_active();
    kp_local.own = false;
    if (t) {
        t->busy = long_work ? KP_BUSY_OWN : KP_BUSY_PROBE;
        if (function->class > KP_NATIVE_ENTRY_ONLY)
            prepare(t, function->class, registers);
        id = atomic_load_explicit(&function->id, memory_order_relaxed);
        if (id == KP_NATIVE_UNDECIDED)
            id = kp_native_decide(function);
        t->busy = KP_BUSY_PROBE;
        if (id != KP_NATIVE_UNDECIDED && id != KP_NATIVE_PASS && kp_thread_is_recording(t))
            start.frame = record(t, registers, rbx, id, vectors, cfa);
        /* What ends by the short way must not need the long one. */
        if (start.frame && (function->captures || t->clock != KP_CLOCK_TSC))
            start.target = NULL;
        kp_probe_end(t);
    }
    if (long_work)
        kp_signals_set(signals);
    errno = saved;
    return start;
}

void kp_call_leave_slow(struct kp_call_frame *frame, const struct kp_call_results *results,
                        const uint8_t *vectors)
{
    const struct kp_native_function *captures = frame->captures;
    struct kp_thread_state *t = kp_self;
    void *tag = kp_call_frame_tag(frame);
    int saved = errno;

    if (captures && kp_local.top_frame == tag && !t->busy && kp_thread_active()) {
        kp_probe_begin(t);
        kp_capture_results(t, kp_native_capture(captures), results, vectors);
        kp_probe_end(t);
    }
    kp_call_end(tag, KP_EVENT_EXIT);
    /* The short way does not write this field, so it is NULL in all frames that are free. */
    frame->captures = NULL;
    t = kp_self;
    if (frame->state != KP_CALL_FRAME_ABANDONED) {
        if (t->open.base && !t->busy) {
            /* A handler in between could take what is to be the next one, and lose it. */
            kp_probe_begin(t);
            frame->next = *frames_of(t);
            *frames_of(t) = frame;
            kp_probe_end(t);
        } else {
            kp_call_abandon(frame);
        }
    }
    errno = saved;
}

/* --- unwinding --- */

/*
 * <unwind.h> of the Itanium C++ ABI, found in the unwinder that runs: linked in, it would bring libgcc_s into
 * every program.
 */
enum { CONTINUE_UNWIND = 8, INSTALL_CONTEXT = 7 };
enum { CLEANUP_PHASE = 2, HANDLER_FRAME = 4 };
enum { DWARF_RAX = 0, DWARF_RBX = 3 };

static struct unwinder {
    uintptr_t (*get_register)(void *context, int number);
    void (*set_register)(void *context, int number, uintptr_t value);
    uintptr_t (*get_address)(void *context);
    void (*set_address)(void *context, uintptr_t address);
    int (*backtrace)(int (*each)(void *context, void *user), void *user);
    _Atomic bool found;
} unwinder;

void (*kp_call_resume)(void);

#pragma weak dlsym
#pragma weak dlopen

static int first_only(void *context, void *user)
{
    (void)context;
    (void)user;
    return 5; /* _URC_END_OF_STACK */
}

static bool find_unwinder(void)
{
    void *library = RTLD_DEFAULT;

    if (unwinder.found || !dlsym)
        return unwinder.found;
    /* Where a program has an unwinder of its own inside it, libgcc_s understands its context. */
    if (!dlsym(library, "_Unwind_GetGR") && !(library = dlopen("libgcc_s.so.1", RTLD_LAZY | RTLD_LOCAL)))
        return false;
    *(void **)&unwinder.get_register = dlsym(library, "_Unwind_GetGR");
    *(void **)&unwinder.set_register = dlsym(library, "_Unwind_SetGR");
    *(void **)&unwinder.get_address = dlsym(library, "_Unwind_GetIP");
    *(void **)&unwinder.set_address = dlsym(library, "_Unwind_SetIP");
    *(void **)&unwinder.backtrace = dlsym(library, "_Unwind_Backtrace");
    *(void **)&kp_call_resume = dlsym(library, "_Unwind_Resume");
    if (!unwinder.get_register || !unwinder.set_register || !unwinder.get_address || !unwinder.set_address ||
        !unwinder.backtrace || !kp_call_resume)
        return false;
    /* Its table of register sizes is made when it first unwinds: without it GetGR aborts. */
    unwinder.backtrace(first_only, NULL);
    unwinder.found = true;
    return true;
}

static void call_is_unwound(struct kp_call_frame *frame)
{
    kp_call_end(kp_call_frame_tag(frame), KP_EVENT_UNWIND);
    kp_call_abandon(frame);
}

/*
 * Our frame and the callee's have the same CFA, and libgcc tells frames by it: if the handler is in our
 * direct caller, the unwinder takes us for it (_UA_HANDLER_FRAME). Then it comes out at kp_call_landing,
 * which goes on as if the caller itself had called _Unwind_Resume.
 */
int kp_call_personality(int version, int actions, uint64_t class, void *exception, void *context);

int kp_call_personality(int version, int actions, uint64_t class, void *exception, void *context)
{
    struct kp_call_frame *frame = NULL;
    uint32_t before;
    int saved = errno;

    (void)version;
    (void)class;
    if (!(actions & CLEANUP_PHASE))
        return CONTINUE_UNWIND;
    /* The unwinder may be hooked, too. */
    before = kp_own_begin(kp_self);
    /* Elsewhere in the trampoline there is no shadow frame in rbx. */
    if (find_unwinder() && kp_call_is_site(unwinder.get_address(context)))
        frame = (struct kp_call_frame *)unwinder.get_register(context, DWARF_RBX);
    if (frame && actions & HANDLER_FRAME) {
        unwinder.set_register(context, DWARF_RAX, (uintptr_t)exception);
        unwinder.set_address(context, (uintptr_t)kp_call_landing);
    }
    kp_own_end(kp_self, before);
    if (frame)
        call_is_unwound(frame);
    errno = saved;
    return frame && actions & HANDLER_FRAME ? INSTALL_CONTEXT : CONTINUE_UNWIND;
}
