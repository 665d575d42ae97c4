/* Merge: the threads of all sections as one order of time: a heap of them by the time of their next event.
 * Private to the reader's files. */
#ifndef KP_TRACE_MERGE_H
#define KP_TRACE_MERGE_H

#include "model.h"

struct kp_merge {
    struct kp_model_thread **threads; /* a heap */
    size_t count, room;
};

/* Add a thread; its head_ns is set. */
enum kp_status kp_merge_add(struct kp_merge *merge, struct kp_model_thread *thread);

/* The thread whose turn it is, NULL when none is left; *limit: up to and with this time it is before all
 * others. */
struct kp_model_thread *kp_merge_first(const struct kp_merge *merge, uint64_t *limit);

/* head_ns of the first thread grew. */
void kp_merge_moved(struct kp_merge *merge);

/* The first thread has nothing more. */
void kp_merge_remove(struct kp_merge *merge);

void kp_merge_free(struct kp_merge *merge);

#endif
