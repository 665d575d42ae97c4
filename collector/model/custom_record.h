/* Custom records of the program's own probes: gathered from their VALUES events, and as text. */
#ifndef KP_COLLECTOR_MODEL_CUSTOM_RECORD_H
#define KP_COLLECTOR_MODEL_CUSTOM_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

/* The record of a thread that is under way; starts zeroed. */
struct kp_custom_record {
    struct kp_event head; /* its id is KP_VALUES_RECORD, its value the class */
    uint8_t *payload;
    size_t bytes, count, capacity; /* to come in all, there */
    bool open;
};

static inline bool kp_custom_record_is_part(const struct kp_event *event)
{
    return event->kind == KP_EVENT_VALUES &&
           (event->id == KP_VALUES_RECORD || event->id == KP_VALUES_RECORD_BYTES);
}

/* One part, in order; an `open` record before a new head has lost its rest. True: the record is complete. */
bool kp_custom_record_take(struct kp_custom_record *record, const struct kp_event *event);
void kp_custom_record_fini(struct kp_custom_record *record);

/*
 * The fields, separated by ';', an array's elements by ',' in [...]; in strings these and what is not
 * printable are escaped (util/escape.h). `layout` as in trace/kieker/output.h; `text` gives the string of an
 * id, or NULL. The caller frees the result.
 */
char *kp_custom_record_text(const struct kp_custom_record *record, const char *layout,
                            const char *(*text)(void *user, uint32_t id), void *user);

#endif
