/* Reads a trace to its end and keeps what a test wants to compare. */
#ifndef KP_TEST_READING_H
#define KP_TEST_READING_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader.h"

struct reading {
    enum kp_status opened, ended;
    char error[512];
    unsigned processes, functions, threads, thread_ends, metas, damages, process_ends;
    uint64_t events, calls, made, lost, lost_read, gaps, events_when_ended;
    bool complete, recovered, alive;
    bool ordered;     /* EVENTS items never step back in time, over all threads */
    char order[256];  /* a letter an item, EVENTS runs as one: P F T E t M D p */
    char damage[512]; /* the first */
    char interpreter[64];
    struct kp_event first[64]; /* events */
};

static inline void reading_mark(struct reading *reading, char letter)
{
    size_t used = strlen(reading->order);

    if (used + 1 < sizeof reading->order && !(letter == 'E' && used && reading->order[used - 1] == 'E'))
        reading->order[used] = letter;
}

static inline void reading_events(struct reading *reading, const struct kp_item *item, uint64_t *last)
{
    for (size_t i = 0; i < item->count; i++) {
        reading->ordered &= item->events[i].time >= *last;
        *last = item->events[i].time;
        if (reading->events < 64)
            reading->first[reading->events] = item->events[i];
        reading->events++;
        reading->calls += item->events[i].kind == KP_EVENT_ENTER;
    }
}

static inline void reading_item(struct reading *reading, const struct kp_item *item, uint64_t *last)
{
    reading_mark(reading, "PFTEtMDp"[item->kind]);
    reading->processes += item->kind == KP_ITEM_PROCESS;
    reading->functions += item->kind == KP_ITEM_FUNCTION;
    reading->threads += item->kind == KP_ITEM_THREAD;
    reading->metas += item->kind == KP_ITEM_META;
    if (item->kind == KP_ITEM_EVENTS)
        reading_events(reading, item, last);
    if (item->kind == KP_ITEM_THREAD_END) {
        reading->thread_ends++;
        reading->made += item->thread->calls_made;
        reading->lost += item->thread->calls_lost;
        reading->lost_read += item->thread->calls_lost_read;
        reading->gaps += item->thread->gaps;
    }
    if (item->kind == KP_ITEM_DAMAGE && reading->damages++ == 0)
        snprintf(reading->damage, sizeof reading->damage, "%s", item->text);
    if (item->kind == KP_ITEM_PROCESS_END) {
        reading->process_ends++;
        reading->complete = item->process->complete;
        reading->recovered = item->process->recovered;
        reading->alive = item->process->alive;
        snprintf(reading->interpreter, sizeof reading->interpreter, "%s", item->process->interpreter);
    }
}

static inline struct reading read_traces(const char *const *paths, size_t count, unsigned flags)
{
    struct reading reading = {.ordered = true};
    struct kp_reader *reader;
    struct kp_item item;
    uint64_t last = 0;

    reading.opened = kp_reader_open(&reader, paths, count, flags, reading.error, sizeof reading.error);
    if (reading.opened != KP_OK)
        return reading;
    while ((reading.ended = kp_reader_next(reader, &item)) == KP_OK)
        reading_item(&reading, &item, &last);
    kp_reader_close(reader);
    return reading;
}

static inline struct reading read_trace(const char *path, unsigned flags)
{
    return read_traces(&path, 1, flags);
}

#endif
