/*
 * The table of hooked C functions: a thunk each, and what the thunk needs. An entry is made when something
 * that leads to the function is redirected, and stays. Whether the function is traced is asked of the rules
 * at the first call, so that what is never called costs nothing and is not in the trace.
 */
#ifndef KP_SHIM_NATIVE_FUNCTION_H
#define KP_SHIM_NATIVE_FUNCTION_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "../arch/x86_64/call_offsets.h"

/* What a thunk does with the call. */
enum kp_native_class {
    KP_NATIVE_CALL,       /* sees it begin and end */
    KP_NATIVE_ENTRY_ONLY, /* sees it begin: it may return twice, elsewhere or never, or looks at its caller */
    KP_NATIVE_JUMP, /* the same, for longjmp(jmp_buf, int) and its relatives: ends what the jump leaves */
    KP_NATIVE_EXEC, /* the same; if it succeeds, this program is gone */
    KP_NATIVE_EXIT, /* the same; the process ends without exit handlers */
};

/* A function to be hooked. Texts and build id are copied. */
struct kp_native_symbol {
    void *target;       /* where it is */
    const char *object; /* "libssl.so.3" */
    const char *path;   /* of the object: "/usr/lib/x86_64-linux-gnu/libssl.so.3" */
    const char *name;   /* "SSL_read" */
    uint64_t offset;    /* in the object, as in its symbol table */
    const uint8_t *build_id;
    unsigned build_id_bytes; /* 0: it has none */
    enum kp_native_class class;
};

/* kp_native_function.id, else the id of the registry. */
#define KP_NATIVE_UNDECIDED 0u
#define KP_NATIVE_PASS      UINT32_MAX

/* What a thunk looks at. A line of the cache holds four. */
struct kp_native_function {
    void *target;
    _Atomic uint32_t id;
    uint8_t class;    /* enum kp_native_class */
    uint8_t captures; /* raw values are wanted: the slow path takes them */
    uint16_t reserved;
};

extern struct kp_native_function kp_native_functions[KP_CALL_THUNKS];

/* Guards patching and the making of entries. Taken before kp_core.lock, never on the way of a call. */
extern pthread_mutex_t kp_native_lock;

/*
 * The thunk that stands in for a function: one for each pair of target and name, since functions may share an
 * address. NULL: no room for more. With kp_native_lock held.
 */
void *kp_native_thunk(const struct kp_native_symbol *symbol);

/*
 * The entry of a function whose own start was changed to lead to kp_call_inside with it; `moved` is where its
 * first instructions stand now. NULL: no room. With kp_native_lock held.
 */
struct kp_native_function *kp_native_moved(const struct kp_native_symbol *symbol, void *moved);

/* The function behind a thunk; any other address itself. Any thread. */
void *kp_native_target(void *address);

/*
 * Ask the rules about a function and define it if it is traced. Returns its new `id`, which is
 * KP_NATIVE_UNDECIDED when nothing can be said now. Takes kp_core.lock.
 */
uint32_t kp_native_decide(struct kp_native_function *function);

/* Which raw values are wanted of a function. */
struct kp_capture;
const struct kp_capture *kp_native_capture(const struct kp_native_function *function);

/* What the rules said is void. With kp_core.lock held. */
void kp_native_forget(void);

#endif
