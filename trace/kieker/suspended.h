/* Suspended coroutines of a process, found by token: a hash table with linear probing. Private to traces.c.
 */
#ifndef KP_TRACE_KIEKER_SUSPENDED_H
#define KP_TRACE_KIEKER_SUSPENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct kp_kieker_call;

struct kp_kieker_suspended {
    struct kp_kieker_call **slots; /* NULL: free */
    size_t capacity;               /* a power of two, or 0 */
    size_t count;
};

/* Under its token, which must not be in the table; false without memory. */
bool kp_kieker_suspended_put(struct kp_kieker_suspended *table, struct kp_kieker_call *call);

/* The call with that token, taken out, or NULL. */
struct kp_kieker_call *kp_kieker_suspended_take(struct kp_kieker_suspended *table, uint64_t token);

/* Any of them; NULL: there is none. Stays in the table. `from` is where the search goes on. */
struct kp_kieker_call *kp_kieker_suspended_any(const struct kp_kieker_suspended *table, size_t *from);

#endif
