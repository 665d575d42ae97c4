/*
 * What a collector mends in the records of a peer: trace ids that another peer has, a host that was not
 * named, logging times that were not set, microseconds (docs/kieker.md, "Serve").
 */
#ifndef KP_COLLECTOR_SERVER_REWRITE_H
#define KP_COLLECTOR_SERVER_REWRITE_H

#include "record_facts.h"
#include "trace/kieker/input.h"
#include "trace_ids.h"

struct kp_rewrite {
    struct kp_peer_ids *ids; /* NULL: they stay */
    const char *host;        /* for `<default-host>` */
    bool normalize;
    uint8_t *copy; /* of the record being mended */
    size_t copy_room;
};

/* The record to go on with: the same, or a copy that is good until the next call. */
const void *kp_rewrite_record(struct kp_rewrite *rewrite, const struct kp_record_facts *facts,
                              const void *record, int64_t *logging_ns);

/* Its microseconds become nanoseconds. */
void kp_rewrite_event(struct kp_kieker_event *event);

#endif
