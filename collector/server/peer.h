/*
 * A peer: one connection, its kind told by the first byte. Whatever it does, it costs at most --peer-memory,
 * and when it breaks a rule it alone is dropped.
 */
#ifndef KP_COLLECTOR_SERVER_PEER_H
#define KP_COLLECTOR_SERVER_PEER_H

#include "channel.h"
#include "native.h"
#include "output.h"
#include "rewrite.h"
#include "trace/kieker/input.h"

enum kp_peer_kind { KP_PEER_UNKNOWN, KP_PEER_NATIVE, KP_PEER_KIEKER };

struct kp_peer {
    struct kp_peer *next, *previous;
    struct kp_server *server;
    struct kp_channel channel;
    enum kp_peer_kind kind;
    bool local;      /* nobody from elsewhere can be on that listener */
    bool closing;    /* said good-bye to, or dropped */
    bool waiting;    /* the output has no room: it is not read */
    uint64_t number; /* of the connection */
    uint64_t since_ms, heard_ms, closed_ms;
    uint64_t bytes, chunks, records;

    /* What came and was not taken yet. */
    uint8_t *inbox;
    size_t inbox_bytes, inbox_room;

    struct kp_native native;
    uint64_t safe, told; /* chunks that are in the output; that the peer was told of */

    struct kp_kieker_stream *stream;
    struct kp_rewrite rewrite;
    struct kp_kieker_string *strings; /* output_kieker_events.c */
    struct kp_peer_ids ids;
    int64_t newest_ns;      /* time of the newest record */
    uint64_t begun, ended;  /* calls: as many when none is open */
    enum kp_status trouble; /* of the output, in the middle of a stream */
    char host[64];          /* the name that it goes by when it has none */

    void *sink; /* the output's */
};

struct kp_kieker_string;

/* A connection waits at a listener. */
void kp_peer_accept(struct kp_server *server, uv_stream_t *listener, bool local, bool tls);

/* The output's answer to a hello; not GOOD: the peer is closed. */
void kp_peer_answer(struct kp_peer *peer, enum kp_wire_status status, uint64_t next);
/* Chunks before this number are safe. */
void kp_peer_safe(struct kp_peer *peer, uint64_t next);
/* Tells the peer why, and closes: it may come again. */
void kp_peer_send_away(struct kp_peer *peer, enum kp_wire_status status);
/* Closes in order. */
void kp_peer_leave(struct kp_peer *peer);
/* Closes because of what the peer did: one line says so. */
void kp_peer_drop(struct kp_peer *peer, const char *reason);

/* Reads or not, as peer, output and server want it. */
void kp_peer_update(struct kp_peer *peer);
/* Silent ones, ones that do not close. */
void kp_peer_tick(struct kp_peer *peer, uint64_t now_ms);
/* The server ends: true while the peer still has to be read. */
bool kp_peer_is_sending(const struct kp_peer *peer, uint64_t now_ms);
/* The server ends, and this peer with it. */
void kp_peer_finish(struct kp_peer *peer);

/* peer_native.c */
bool kp_peer_native_begin(struct kp_peer *peer);
void kp_peer_native_take(struct kp_peer *peer, const uint8_t *bytes, size_t count);
/* Acknowledges what became safe, and closes behind the end of a section. */
void kp_peer_native_tell(struct kp_peer *peer);
void kp_peer_native_end(struct kp_peer *peer);

/* peer_kieker.c */
struct kp_kieker_import;
/* Streams that are alike, as empty ones over a Unix socket, are sections of their own all the same. */
uint64_t kp_peer_salt(const struct kp_peer *peer);
/* The end of a stream that became a trace: finishes, counts, frees. */
void kp_peer_finish_import(struct kp_server *server, struct kp_kieker_import *import, const char *peer,
                           const char *lost);
bool kp_peer_kieker_begin(struct kp_peer *peer);
void kp_peer_kieker_take(struct kp_peer *peer, const uint8_t *bytes, size_t count);
void kp_peer_kieker_end(struct kp_peer *peer, const char *lost);

#endif
