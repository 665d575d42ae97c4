/* A connection to the next collector that is made again when it breaks, later each time, up to 5 s. */
#ifndef KP_COLLECTOR_SERVER_UPLINK_H
#define KP_COLLECTOR_SERVER_UPLINK_H

#include "channel.h"

struct kp_server;

struct kp_uplink_ops {
    void (*open)(void *user);
    void (*data)(void *user, const uint8_t *bytes, size_t count);
    void (*broken)(void *user); /* it failed or broke; it will be made again */
    void (*drained)(void *user);
    void (*gone)(void *user); /* after kp_uplink_stop: its memory may go */
};

struct kp_uplink {
    struct kp_server *server;
    const struct kp_address *address;
    struct kp_tls_context *tls;
    const struct kp_uplink_ops *ops;
    void *user;
    struct kp_channel channel;
    bool used; /* the channel is in use */
    bool open, stopped;
    uint64_t due_ms; /* when to connect */
    unsigned pause_ms;
};

/* It connects at the next tick. */
void kp_uplink_start(struct kp_uplink *uplink, struct kp_server *server, const struct kp_address *address,
                     struct kp_tls_context *tls, const struct kp_uplink_ops *ops, void *user);
void kp_uplink_tick(struct kp_uplink *uplink, uint64_t now_ms);
/* The other side is no use now: close, and come again later. */
void kp_uplink_again(struct kp_uplink *uplink);
void kp_uplink_stop(struct kp_uplink *uplink);

#endif
