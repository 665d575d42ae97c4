/*
 * Trace ids of many peers in one log: every process counts its own, so two may have the same. The upper half
 * of an id tells processes apart (Java's probes make it at random, the Python pack's is 0): the first peer
 * with an upper half keeps it, another one gets a new one, for all its ids with it.
 *
 * A process may have several connections, one after the other: after a break, or after a fork. Its traces go
 * on in the next one, so a peer has the upper half of another one as well if it begins with what cannot come
 * from anybody else: an event of a trace that was announced there, or the announcement of a later one.
 */
#ifndef KP_COLLECTOR_SERVER_TRACE_IDS_H
#define KP_COLLECTOR_SERVER_TRACE_IDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Upper halves to 64-bit numbers. */
struct kp_half_map {
    struct kp_half {
        uint64_t value; /* + 1; 0: empty */
        uint32_t half;
    } * entries;
    size_t count, room; /* room: a power of two, or 0 */
};

/* Of all peers: who has which upper half, and the highest lower half that was announced with it. */
struct kp_trace_ids {
    struct kp_half_map owners, highest;
};

/* Of one peer. */
struct kp_peer_ids {
    struct kp_trace_ids *all;
    uint64_t owner; /* a number of its own */
    struct kp_half_map halves;
    uint32_t last, last_new; /* the newest lookup */
    bool any;
    uint64_t changed; /* upper halves that got another one */
};

/* The id that the log gets; -1 stands for no trace and stays. `announces`: the trace begins here. */
int64_t kp_trace_id(struct kp_peer_ids *ids, int64_t id, bool announces);
/* The same for a trace of another process: another peer's stays what it is. */
int64_t kp_trace_id_foreign(struct kp_peer_ids *ids, int64_t id);

void kp_peer_ids_free(struct kp_peer_ids *ids);
void kp_trace_ids_free(struct kp_trace_ids *all);

#endif
