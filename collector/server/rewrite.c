#include "rewrite.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "util/memory.h"

/* Between 1973 and 5138 as microseconds; as nanoseconds that is within 28 hours to 3 years of 1970. */
#define LEAST_US INT64_C(100000000000000)
#define MOST_US  INT64_C(100000000000000000)

static int64_t get(const void *record, int offset)
{
    int64_t value;
    memcpy(&value, (const uint8_t *)record + offset, sizeof value);
    return value;
}

/* The copy of the record, made when it is needed first. */
static uint8_t *own(struct kp_rewrite *rewrite, const struct kp_record_facts *facts, const void **record)
{
    if (*record == rewrite->copy)
        return rewrite->copy;
    if (rewrite->copy_room < facts->type->struct_size) {
        rewrite->copy_room = facts->type->struct_size;
        rewrite->copy = kp_resize(rewrite->copy, rewrite->copy_room);
    }
    memcpy(rewrite->copy, *record, facts->type->struct_size);
    *record = rewrite->copy;
    return rewrite->copy;
}

static void set(struct kp_rewrite *rewrite, const struct kp_record_facts *facts, const void **record,
                int offset, int64_t value)
{
    if (value != get(*record, offset))
        memcpy(own(rewrite, facts, record) + offset, &value, sizeof value);
}

static int64_t nanoseconds(int64_t time)
{
    return time >= LEAST_US && time < MOST_US ? time * 1000 : time;
}

static void mend_times(struct kp_rewrite *rewrite, const struct kp_record_facts *facts, const void **record,
                       int64_t *logging_ns)
{
    *logging_ns = nanoseconds(*logging_ns);
    for (int i = 0; i < KP_FACTS_TIMES && facts->times[i] >= 0; i++)
        set(rewrite, facts, record, facts->times[i], nanoseconds(get(*record, facts->times[i])));
}

static void mend_ids(struct kp_rewrite *rewrite, const struct kp_record_facts *facts, const void **record)
{
    bool announces = facts->role == KP_ROLE_TRACE || facts->role == KP_ROLE_EXECUTION;
    for (int i = 0; i < KP_FACTS_IDS && facts->ids[i] >= 0; i++)
        set(rewrite, facts, record, facts->ids[i],
            kp_trace_id(rewrite->ids, get(*record, facts->ids[i]), announces && !i));
    if (facts->foreign_id >= 0)
        set(rewrite, facts, record, facts->foreign_id,
            kp_trace_id_foreign(rewrite->ids, get(*record, facts->foreign_id)));
}

static void mend_host(struct kp_rewrite *rewrite, const struct kp_record_facts *facts, const void **record)
{
    const char *host;
    memcpy(&host, (const uint8_t *)*record + facts->host, sizeof host);
    if (host && !strcmp(host, "<default-host>"))
        memcpy(own(rewrite, facts, record) + facts->host, &rewrite->host, sizeof rewrite->host);
}

static int64_t now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

const void *kp_rewrite_record(struct kp_rewrite *rewrite, const struct kp_record_facts *facts,
                              const void *record, int64_t *logging_ns)
{
    if (rewrite->normalize)
        mend_times(rewrite, facts, &record, logging_ns);
    if (*logging_ns < 0 && facts->timestamp >= 0)
        *logging_ns = get(record, facts->timestamp);
    if (*logging_ns < 0)
        *logging_ns = now_ns();
    if (rewrite->ids)
        mend_ids(rewrite, facts, &record);
    if (facts->host >= 0 && rewrite->host)
        mend_host(rewrite, facts, &record);
    return record;
}

void kp_rewrite_event(struct kp_kieker_event *event)
{
    event->logging_ns = nanoseconds(event->logging_ns);
    event->time = nanoseconds(event->time);
    event->end_time = nanoseconds(event->end_time);
}
