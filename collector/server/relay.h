/*
 * A section on its way to the next collector: the sender's side of trace/wire.h. Chunks are kept until they
 * are acknowledged.
 */
#ifndef KP_COLLECTOR_SERVER_RELAY_H
#define KP_COLLECTOR_SERVER_RELAY_H

#include "backlog.h"
#include "trace/layout.h"
#include "trace/wire.h"
#include "uplink.h"

struct kp_relay;

struct kp_relay_ops {
    /* The next collector wants chunks from this number on: comes with each connection. */
    void (*ready)(struct kp_relay *relay, uint64_t next);
    /* Chunks before this number are safe. `ended`: END, too. */
    void (*safe)(struct kp_relay *relay, uint64_t next, bool ended);
    /* The connection broke, or the collector said no for now (FULL, STOPPING): it will be tried again. */
    void (*broken)(struct kp_relay *relay, enum kp_wire_status status);
    /* It will never take the section (REFUSED, VERSION_BAD, DAMAGED). */
    void (*refused)(struct kp_relay *relay, enum kp_wire_status status);
    void (*gone)(struct kp_relay *relay); /* after kp_relay_stop */
};

struct kp_relay {
    struct kp_uplink uplink;
    const struct kp_relay_ops *ops;
    void *user;
    const char *token;
    uint8_t uuid[16];
    uint16_t minor;
    uint64_t made;                /* chunks that there are as far as we know */
    uint64_t first;               /* from this number on the one we have them from has all */
    uint64_t safe;                /* chunks before it were acknowledged */
    uint64_t forgotten;           /* chunks before it are not here any more */
    bool ready, ended, last_safe; /* ended: END is among the chunks */
    struct kp_backlog chunks;     /* not acknowledged */
    uint8_t inbox[sizeof(struct kp_wire_reply)];
    size_t inbox_bytes;
};

void kp_relay_start(struct kp_relay *relay, struct kp_server *server, const struct kp_address *address,
                    struct kp_tls_context *tls, const char *token, const struct kp_relay_ops *ops,
                    void *user);
/* Whole chunks in a row, the first one behind the last one given. */
void kp_relay_chunks(struct kp_relay *relay, const uint8_t *bytes, size_t count);
void kp_relay_stop(struct kp_relay *relay);

#endif
