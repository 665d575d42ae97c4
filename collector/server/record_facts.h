/* What a collector has to know of a class of records: looked up once per class, by the names of its fields.
 */
#ifndef KP_COLLECTOR_SERVER_RECORD_FACTS_H
#define KP_COLLECTOR_SERVER_RECORD_FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "kieker_record.h"

enum kp_record_role {
    KP_ROLE_OTHER,
    KP_ROLE_TRACE,    /* TraceMetadata and ApplicationTraceMetadata */
    KP_ROLE_BEFORE,   /* a call begins */
    KP_ROLE_AFTER,    /* it ends */
    KP_ROLE_EXECUTION /* OperationExecutionRecord */
};

enum { KP_FACTS_IDS = 3, KP_FACTS_TIMES = 2 };

/* Offsets in the record's struct; -1: it has none. */
struct kp_record_facts {
    const struct kieker_record_type *type;
    enum kp_record_role role;
    int ids[KP_FACTS_IDS]; /* trace ids of the process itself, -1 behind the last */
    int foreign_id;        /* of the process that called */
    int times[KP_FACTS_TIMES];
    int timestamp; /* the one that says when it happened */
    int host;
};

/* Never NULL; lives as long as the program. */
const struct kp_record_facts *kp_record_facts(const struct kieker_record_type *type);

#endif
