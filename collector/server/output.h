/*
 * Outputs of a server: one row each in outputs.c, one file output_<name>.c each. An output takes the chunks
 * of sections (native peers) and the records of streams (Kieker peers).
 *
 * A section's chunks are safe when kp_peer_safe was told so: then the peer forgets them. A record cannot be
 * given back: an output that has no room keeps what it was given, and calls kp_server_block so that no more
 * is read meanwhile.
 */
#ifndef KP_COLLECTOR_SERVER_OUTPUT_H
#define KP_COLLECTOR_SERVER_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kieker_record.h"
#include "trace/kieker/input.h"
#include "trace/layout.h"
#include "trace/status.h"

struct kp_server;
struct kp_trace_ids;
struct kp_peer;

/* The beginning of each output's own struct. */
struct kp_output {
    const struct kp_output_kind *kind;
    struct kp_server *server;
    struct kp_trace_ids *ids; /* records of several peers meet in one place: their trace ids are told apart */
};

struct kp_output_kind {
    const char *prefix; /* "trace:" */
    bool forwards;      /* a row for --forward: `place` is the whole address */

    /* NULL, and `error` says why. */
    struct kp_output *(*open)(struct kp_server *server, const char *place, char *error, size_t bytes);

    /* A hello: peer->native has uuid and chunks made. Answers with kp_peer_answer, in the call or later. */
    void (*section_open)(struct kp_output *output, struct kp_peer *peer);
    /* KP_OK, KP_ERROR_FULL (nothing was taken), or an error. */
    enum kp_status (*section_chunks)(struct kp_output *output, struct kp_peer *peer, const uint8_t *bytes,
                                     size_t count, uint32_t chunks, const struct kp_chunk_header *last);
    /* The connection is over; the section, if it has not ended, may go on with another one. */
    void (*section_close)(struct kp_output *output, struct kp_peer *peer);

    /* False: `error` says why, the peer is dropped. */
    bool (*stream_open)(struct kp_output *output, struct kp_peer *peer, char *error, size_t bytes);
    enum kp_status (*stream_record)(struct kp_output *output, struct kp_peer *peer,
                                    const struct kieker_record_type *type, int64_t logging_ns,
                                    const void *record);
    /* Events of calls, without the way through a struct. NULL: they go to stream_record as the others. */
    enum kp_status (*stream_event)(struct kp_output *output, struct kp_peer *peer,
                                   const struct kp_kieker_event *event);
    /* The newest bytes of the stream are used up. */
    void (*stream_pause)(struct kp_output *output, struct kp_peer *peer);
    /* `lost`: why the stream ended early, or NULL. */
    void (*stream_close)(struct kp_output *output, struct kp_peer *peer, const char *lost);

    /* Some times a second: flush, rotate, try again what had no room. */
    void (*tick)(struct kp_output *output, uint64_t now_ms);
    /* Whether something waits that is in no file and with no other collector yet. */
    bool (*waits)(struct kp_output *output);
    /* All peers are gone: closes what it has in the event loop. May be NULL. */
    void (*stop)(struct kp_output *output);
    /* The event loop is over. Ends everything in order; KP_OK when nothing was lost. */
    enum kp_status (*close)(struct kp_output *output);
};

/* What --output or --forward said. */
struct kp_output *kp_output_open(struct kp_server *server, char *error, size_t bytes);

#endif
