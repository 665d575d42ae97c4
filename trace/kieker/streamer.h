/*
 * Streamer: brings the chunks of a spool to a Kieker collector, as Kieker's TCP stream, over a link that
 * comes and goes. Never waits. One owner, no locks; memory from malloc, bounded by a few megabytes and the
 * different strings.
 *
 * Kieker's collectors acknowledge nothing. What TCP has acknowledged counts as delivered, and what the kernel
 * still holds when we close the connection in order. A connection that broke is followed by one with all
 * strings again, and the records from the last batch on that TCP had not acknowledged completely: some of
 * them may be there twice then.
 */
#ifndef KP_TRACE_KIEKER_STREAMER_H
#define KP_TRACE_KIEKER_STREAMER_H

#include "trace/link.h"
#include "trace/spool.h"
#include "traces.h"

struct kp_kieker_streamer_mark {
    uint64_t end;   /* of a batch, in bytes of the stream */
    uint64_t place; /* offset in the spool, plus what it has dropped, behind the last chunk whose records
                       those are */
    uint64_t number;
};

struct kp_kieker_streamer {
    struct kp_link link; /* set up by the caller */
    struct kp_spool *spool;
    /* Running. */
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces;
    struct kp_kieker_section *section;
    bool failed;                /* no memory: nothing more is made of the spool */
    bool there;                 /* the strings were said on this connection */
    uint64_t next, next_number; /* chunk to convert; offset plus dropped */
    uint8_t *chunk;
    size_t chunk_room;
    /* The stream from byte `base` on, which is not known to be delivered. */
    uint8_t *bytes;
    size_t room, start, end;
    uint64_t base, sent;
    /* Strings for a new connection, before the rest. */
    uint8_t *prefix;
    size_t prefix_room, prefix_bytes, prefix_sent;
    bool to_prefix;
    struct kp_kieker_streamer_mark *marks;
    size_t marks_room, marks_start, marks_end;
};

/*
 * The spool is new or another one, of which the first `streamed` bytes went out already, from another
 * process: the same chunks become the same bytes. False: no memory.
 */
bool kp_kieker_streamer_begin(struct kp_kieker_streamer *streamer, struct kp_spool *spool, uint64_t streamed);

/* Bytes up to the last batch that the kernel took, for one who goes on when this process is dead; 0: that
 * cannot be, because the spool has dropped chunks. */
uint64_t kp_kieker_streamer_streamed(const struct kp_kieker_streamer *streamer);

/* Do what can be done now. Returns how long it may be left alone, in ns. */
uint64_t kp_kieker_streamer_turn(struct kp_kieker_streamer *streamer, uint64_t now_ns);

/* Everything in the spool, END included, was delivered. */
bool kp_kieker_streamer_done(const struct kp_kieker_streamer *streamer);

/* Close the connection at a record boundary, if that takes no more than a few milliseconds. */
void kp_kieker_streamer_pause(struct kp_kieker_streamer *streamer);

#endif
