#include "cursor.h"

#include <stdio.h>

static enum kp_status bad_chunk(const struct kp_input_chunk *chunk, const char *why, char *text,
                                size_t text_bytes)
{
    snprintf(text, text_bytes, "events of thread %u are lost: %s", chunk->thread, why);
    return KP_ERROR_DAMAGED;
}

/* In a later part of a section a thread goes on where the earlier parts left it. */
static void begin_thread(struct kp_model_thread *thread, uint64_t first_slot)
{
    if (thread->model->process.part && !thread->begun) {
        thread->next_slot = first_slot;
        thread->public.partial = first_slot > 0;
    }
    thread->begun = true;
}

enum kp_status kp_cursor_open(struct kp_cursor *cursor, struct kp_model *model,
                              const struct kp_input_chunk *chunk, char *text, size_t text_bytes)
{
    struct kp_decoder *decoder = &cursor->payload.decoder;
    struct kp_model_thread *thread;
    const char *why = "";
    enum kp_status status = kp_payload_events(&cursor->payload, model->input, chunk, &why);

    if (status == KP_ERROR_NO_MEMORY)
        return status;
    if (status != KP_OK || decoder->thread != chunk->thread ||
        decoder->first_slot > UINT64_MAX - decoder->slots)
        return bad_chunk(chunk, status == KP_OK ? "its head makes no sense" : why, text, text_bytes);
    thread = kp_model_thread(model, decoder->thread);
    if (!thread)
        return KP_ERROR_NO_MEMORY;
    begin_thread(thread, decoder->first_slot);
    if (decoder->first_slot + decoder->slots <= thread->next_slot)
        return KP_END;
    cursor->gap = decoder->first_slot > thread->next_slot;
    if (cursor->gap) {
        snprintf(text, text_bytes, "thread %u: slots %llu to %llu are missing", decoder->thread,
                 (unsigned long long)thread->next_slot, (unsigned long long)decoder->first_slot - 1);
        thread->public.gaps++;
    }
    cursor->repeated = cursor->gap ? 0 : thread->next_slot - decoder->first_slot;
    thread->next_slot = decoder->first_slot + decoder->slots;
    cursor->thread = thread;
    cursor->offset = chunk->offset;
    cursor->broken = false;
    cursor->at = cursor->count = 0;
    return KP_OK;
}

/* Drop what an earlier chunk had already. */
static size_t drop_repeated(struct kp_cursor *cursor, size_t count)
{
    size_t dropped = 0, kept = 0;

    while (dropped < count && cursor->repeated) {
        uint64_t slots = kp_event_kind_slots(cursor->events[dropped++].kind);

        slots = slots ? slots : 1;
        cursor->repeated -= slots < cursor->repeated ? slots : cursor->repeated;
    }
    while (dropped < count)
        cursor->events[kept++] = cursor->events[dropped++];
    return kept;
}

/* Kinds of a newer minor version are skipped, as the compatibility rule says. */
static size_t drop_unknown(struct kp_event *events, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (kp_event_kind_text(events[i].kind))
            events[kept++] = events[i];
    return kept;
}

/* Ticks to nanoseconds in place, never backwards within a thread; and the counters. */
static void convert(struct kp_model_thread *thread, struct kp_event *events, size_t count)
{
    const struct kp_time_map clock = thread->model->clock;
    uint64_t last = thread->last_ns, calls = 0, backward = 0;

    for (size_t i = 0; i < count; i++) {
        uint64_t ns = kp_time_map_ns(&clock, events[i].time);

        backward += ns < last;
        last = ns < last ? last : ns;
        events[i].time = last;
        calls += events[i].kind == KP_EVENT_ENTER;
        if (events[i].kind == KP_EVENT_LOST) {
            thread->public.calls_lost_read += events[i].value;
            thread->public.events_lost_read += events[i].value2;
        }
    }
    thread->last_ns = last;
    thread->public.calls_read += calls;
    thread->public.events_read += count;
    thread->public.backward += backward;
    if (last > thread->model->process.end_ns)
        thread->model->process.end_ns = last;
}

static bool has_unknown(const struct kp_event *events, size_t count)
{
    bool unknown = false;

    for (size_t i = 0; i < count; i++)
        unknown |= !kp_event_kind_slots(events[i].kind);
    return unknown;
}

static enum kp_status close_chunk(struct kp_cursor *cursor)
{
    enum kp_status status = cursor->broken ? KP_ERROR_DAMAGED : KP_END;

    if (cursor->broken)
        cursor->thread->public.gaps++;
    cursor->thread = NULL;
    return status;
}

enum kp_status kp_cursor_fill(struct kp_cursor *cursor)
{
    size_t count = 0;

    cursor->at = cursor->count = 0;
    while (cursor->count == 0) {
        enum kp_status status = cursor->broken ? KP_END
                                               : kp_decode_events(&cursor->payload.decoder, cursor->events,
                                                                  KP_CURSOR_EVENTS, &count);

        if (status == KP_END)
            return close_chunk(cursor);
        cursor->broken = status != KP_OK;
        if (cursor->repeated)
            count = drop_repeated(cursor, count);
        if (has_unknown(cursor->events, count))
            count = drop_unknown(cursor->events, count);
        convert(cursor->thread, cursor->events, count);
        cursor->count = count;
    }
    return KP_OK;
}
