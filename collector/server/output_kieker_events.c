/*
 * The events that make up nearly all of a stream, by their hot ways of kieker/output.h. A stream's strings
 * stay where they are until it ends: a small cache by their addresses saves looking at them again.
 */
#include "kp_kieker.h"
#include "output_kieker.h"
#include "peer.h"
#include "util/memory.h"

enum { CACHED = 512 };

static struct kp_kieker_string *find(struct kp_peer *peer, const char *text)
{
    if (!peer->strings)
        peer->strings = kp_allocate_cleared(CACHED, sizeof *peer->strings);
    struct kp_kieker_string *string =
        &peer->strings[((uintptr_t)text >> 3) * 0x9e3779b97f4a7c15u >> 32 & (CACHED - 1)];
    if (string->text != text)
        *string = (struct kp_kieker_string){.text = text};
    return string;
}

typedef kieker_common_record_flow_trace_operation_before_operation_event event;
_Static_assert(sizeof(event) == sizeof(kieker_common_record_flow_trace_operation_after_operation_event),
               "Before and After have the same fields");

enum kp_status kp_kieker_put_quickly(struct kp_kieker_output *output, struct kp_peer *peer,
                                     const struct kieker_record_type *type, int64_t logging_ns,
                                     const void *record)
{
    bool before = type == &kieker_common_record_flow_trace_operation_before_operation_event_type;
    bool after = type == &kieker_common_record_flow_trace_operation_after_operation_event_type;
    const event *call = record;
    if (!before && !after)
        return kp_kieker_put_record(output, type, logging_ns, record);
    struct kp_kieker_string *operation = find(peer, call->operationSignature);
    struct kp_kieker_string *class_name = find(peer, call->classSignature);
    /* Two texts in one place of the cache. */
    if (operation == class_name && call->operationSignature != call->classSignature)
        return kp_kieker_put_record(output, type, logging_ns, record);
    struct kp_kieker_place place = {logging_ns,       call->timestamp, call->traceId,
                                    call->orderIndex, operation,       class_name};
    return before ? kp_kieker_put_before(output, &place) : kp_kieker_put_after(output, &place);
}
