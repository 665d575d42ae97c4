/* Suspended activations of one process, found by token, with memory used again. Private to the call tree. */
#ifndef KP_COLLECTOR_MODEL_SUSPENDED_H
#define KP_COLLECTOR_MODEL_SUSPENDED_H

#include <stddef.h>
#include <stdint.h>

#include "calltree.h"
#include "trace/key_map.h"

struct kp_suspended {
    struct kp_key_map calls;
    size_t any;            /* where kp_suspended_take_any looks next */
    struct kp_call *spare; /* freed ones, linked by `user` */
};

void kp_suspended_fini(struct kp_suspended *table);

/* A copy of `call` under call->token, which must not be in the table. The table owns the copy. */
void kp_suspended_put(struct kp_suspended *table, const struct kp_call *call);

/* The activation with that token, or any, taken out, or NULL. Give it to kp_suspended_release when done. */
struct kp_call *kp_suspended_take(struct kp_suspended *table, uint64_t token);
struct kp_call *kp_suspended_take_any(struct kp_suspended *table);
void kp_suspended_release(struct kp_suspended *table, struct kp_call *call);

#endif
