/*
 * The collector's side of trace/wire.h as a machine fed with bytes: hello and token, then runs of whole
 * chunks, checked and in order. Knows no sockets and no outputs.
 */
#ifndef KP_COLLECTOR_SERVER_NATIVE_H
#define KP_COLLECTOR_SERVER_NATIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/layout.h"
#include "trace/wire.h"

struct kp_native_ops {
    /* A hello. To be answered by kp_native_answer, in the call or later; until then nothing more is taken. */
    void (*hello)(void *user, const struct kp_wire_hello *hello, const char *token);
    /*
     * Whole chunks in a row, checked, the first with the number that is due (or a later one, where the sender
     * has forgotten some). False: they were not taken, and the peer is being closed. `last` points to the
     * newest one's header.
     */
    bool (*chunks)(void *user, const uint8_t *bytes, size_t count, uint32_t chunks,
                   const struct kp_chunk_header *last);
};

enum kp_native_phase { KP_NATIVE_HELLO, KP_NATIVE_WAITING, KP_NATIVE_CHUNKS, KP_NATIVE_ENDED };

struct kp_native {
    enum kp_native_phase phase;
    const struct kp_native_ops *ops;
    void *user;
    size_t most_bytes; /* of a chunk */
    uint8_t uuid[16];
    uint16_t minor;              /* of the section's format */
    uint64_t made;               /* chunks that the sender had made at its hello */
    uint64_t first;              /* from this number on it has all of them */
    uint64_t next;               /* number of the chunk that is due */
    uint64_t repeated;           /* chunks that were safe already */
    uint64_t types[8];           /* chunks by type; 0: others */
    const char *error;           /* what was wrong */
    enum kp_wire_status refusal; /* and how the peer is told */
};

void kp_native_init(struct kp_native *native, const struct kp_native_ops *ops, void *user, size_t most_bytes);

/*
 * Takes what is whole of bytes[0..count) and returns how many bytes that were; the caller brings the rest
 * again, with more behind it. `error` is set when the peer broke the rules.
 */
size_t kp_native_feed(struct kp_native *native, const uint8_t *bytes, size_t count);

/* The answer to a hello was good: chunks come from this number on. */
void kp_native_answer(struct kp_native *native, uint64_t next);

/* Bytes of a message for the peer. */
struct kp_wire_reply kp_native_reply(enum kp_wire_status status, uint64_t next);
struct kp_wire_ack kp_native_ack(enum kp_wire_status status, uint64_t next);

#endif
