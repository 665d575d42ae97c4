/*
 * Cursor: the events of one chunk of a thread, batch by batch, in nanoseconds and counted. Private to the
 * reader's files.
 */
#ifndef KP_TRACE_CURSOR_H
#define KP_TRACE_CURSOR_H

#include "model.h"
#include "payload.h"

#define KP_CURSOR_EVENTS 2048

struct kp_cursor {
    struct kp_payload payload;
    struct kp_model_thread *thread; /* NULL: no chunk is open */
    struct kp_cursor *spare;        /* next in the list of unused ones */
    uint64_t offset;                /* of the chunk */
    uint64_t repeated;              /* slots at the chunk's start that were given out before */
    bool gap, broken;
    size_t at, count; /* events[at..count) are not given out yet */
    struct kp_event events[KP_CURSOR_EVENTS];
};

/*
 * Open an EVENTS chunk. KP_ERROR_DAMAGED with a sentence in `text` when it cannot be used; KP_END when all of
 * it was given out before. cursor->gap: events of the thread are missing in front of it (and `text` says
 * which).
 */
enum kp_status kp_cursor_open(struct kp_cursor *cursor, struct kp_model *model,
                              const struct kp_input_chunk *chunk, char *text, size_t text_bytes);

/* The next batch; KP_END behind the last, KP_ERROR_DAMAGED when the rest cannot be decoded. Either closes the
 * chunk. */
enum kp_status kp_cursor_fill(struct kp_cursor *cursor);

#endif
