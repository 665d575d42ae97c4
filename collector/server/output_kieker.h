/* Private to output_kieker*.c: Kieker logs. */
#ifndef KP_COLLECTOR_SERVER_OUTPUT_KIEKER_H
#define KP_COLLECTOR_SERVER_OUTPUT_KIEKER_H

#include "address.h"
#include "backlog.h"
#include "output.h"
#include "trace/kieker/log.h"
#include "trace/kieker/output.h"
#include "trace/kieker/traces.h"
#include "trace_ids.h"

struct kp_output_kieker;

/* Where records become bytes: one log, or one stream to the next collector. */
struct kp_kieker_sink {
    struct kp_kieker_sink *next;
    struct kp_output_kieker *owner;
    struct kp_kieker_log *log; /* NULL: a stream */
    char *path;                /* of the log */
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces; /* of native peers; made when the first one comes */
    struct kp_backlog backlog;       /* what the log had no room for, or the next collector has not got */
    uint64_t put_bytes, done_bytes;  /* that came from `output`; of them, those that left for good */
    uint64_t users;
    struct kp_kieker_flow *flow; /* to the next collector; NULL: a log */
};

/* A native section, parked while its peer is away. */
struct kp_kieker_known {
    struct kp_kieker_known *next;
    uint8_t uuid[16];
    struct kp_kieker_section *section; /* NULL: it has ended */
    struct kp_kieker_sink *sink;
    struct kp_peer *peer;
    uint64_t chunks; /* taken */
    /* With the sink's byte `mark_bytes`, the chunks before `mark_chunks` are safe. */
    uint64_t mark_bytes, mark_chunks;
    bool marked;
    uint64_t left_ms;
    int note_fd; /* kieker_notes.h; -1: none */
    bool ended;
};

struct kp_output_kieker {
    struct kp_output output;
    enum kp_kieker_form form;
    char *folder;              /* NULL: a stream */
    struct kp_address address; /* of the stream */
    struct kp_kieker_sink *sinks;
    struct kp_kieker_sink *shared; /* --merge, and every stream */
    struct kp_kieker_known *known;
    struct kp_trace_ids ids;
    uint64_t tidied_ms;
};

/* output_kieker_sink.c. NULL: `error` says why. */
struct kp_kieker_sink *kp_kieker_sink_open(struct kp_output_kieker *output, const char *host, char *error,
                                           size_t bytes);
/* No more users: it is closed, unless it is the shared one. */
void kp_kieker_sink_release(struct kp_kieker_sink *sink);
/* Hands out what was collected; after it all is in the files, or in the backlog. */
enum kp_status kp_kieker_sink_flush(struct kp_kieker_sink *sink);
/* Tries again; true when nothing waits any more. */
bool kp_kieker_sink_retry(struct kp_kieker_sink *sink);
/* KP_OK when nothing was lost. */
enum kp_status kp_kieker_sink_close(struct kp_kieker_sink *sink);
struct kp_kieker_traces *kp_kieker_sink_traces(struct kp_kieker_sink *sink);

/* A block of bytes leaves; kinds of blocks. */
enum { KP_KIEKER_MAP, KP_KIEKER_DATA };

/* output_kieker_flow.c: a Kieker stream to the next collector. NULL: no memory. */
struct kp_kieker_sink *kp_kieker_flow_open(struct kp_output_kieker *output, const struct kp_address *address);
void kp_kieker_flow_tick(struct kp_kieker_sink *sink, uint64_t now_ms);
void kp_kieker_flow_stop(struct kp_kieker_sink *sink);

/* output_kieker_events.c: kp_kieker_put_record, faster for the events of calls. */
enum kp_status kp_kieker_put_quickly(struct kp_kieker_output *output, struct kp_peer *peer,
                                     const struct kieker_record_type *type, int64_t logging_ns,
                                     const void *record);

/* output_kieker_sections.c */
void kp_kieker_section_open(struct kp_output *base, struct kp_peer *peer);
enum kp_status kp_kieker_section_chunks(struct kp_output *base, struct kp_peer *peer, const uint8_t *bytes,
                                        size_t count, uint32_t chunks, const struct kp_chunk_header *last);
void kp_kieker_section_close(struct kp_output *base, struct kp_peer *peer);
/* Peers that did not come back: what is open in their sections ends. */
void kp_kieker_sections_tick(struct kp_output_kieker *output, uint64_t now_ms);
void kp_kieker_sections_end(struct kp_output_kieker *output);

#endif
