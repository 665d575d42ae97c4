/*
 * A connection of the event loop: TCP or Unix socket, with TLS or without, accepted or made. Reads in turns
 * of bounded length, so that no peer keeps the others waiting.
 */
#ifndef KP_COLLECTOR_SERVER_CHANNEL_H
#define KP_COLLECTOR_SERVER_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "address.h"
#include "tls.h"

struct kp_channel;

/* A socket of either kind, as libuv has it. */
union kp_socket {
    uv_handle_t handle;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

/* What channels of a loop share. */
struct kp_turns {
    uv_check_t check;
    struct kp_channel *resting; /* read their share of this turn */
    uint64_t number;
    uint64_t bytes_in, bytes_out; /* as they went over the wire */
    uint8_t buffer[65536];        /* one read at a time, and its bytes are used up before the next */
};

void kp_turns_start(struct kp_turns *turns, uv_loop_t *loop);
void kp_turns_stop(struct kp_turns *turns);

/* `ended` comes once at most, then only kp_channel_close is allowed. Any of them may close the channel. */
struct kp_channel_ops {
    void (*opened)(void *user); /* connected, and TLS agreed on */
    void (*data)(void *user, const uint8_t *bytes, size_t count);
    void (*ended)(void *user, const char *reason); /* NULL: the other side closed in order */
    void (*drained)(void *user);                   /* all that was written is with the kernel; may be NULL */
    void (*closed)(void *user);                    /* after kp_channel_close: its memory may go */
};

struct kp_channel {
    union kp_socket uv;
    uv_connect_t connect;
    uv_getaddrinfo_t resolve;
    struct kp_turns *turns;
    const struct kp_channel_ops *ops;
    void *user;
    struct kp_tls *tls; /* NULL: none */
    struct kp_channel *next_resting;
    uint64_t turn;     /* in which turn_bytes were read */
    size_t turn_bytes; /* so far */
    size_t queued;     /* bytes written, not with the kernel yet */
    bool reading, resting, opened, closing, resolving, over;
    char peer[64]; /* address of the other side */
};

/* Accepts from a listening `server`. 0, or a libuv error; then kp_channel_close is still due. */
int kp_channel_accept(struct kp_channel *channel, uv_stream_t *server, struct kp_turns *turns,
                      struct kp_tls_context *tls, const struct kp_channel_ops *ops, void *user);

/* Connects: `opened` or `ended` follow, `ended` maybe within the call. */
void kp_channel_connect(struct kp_channel *channel, uv_loop_t *loop, const struct kp_address *address,
                        struct kp_turns *turns, struct kp_tls_context *tls, const struct kp_channel_ops *ops,
                        void *user);

/* Take bytes from now on; or let them wait in the kernel. */
void kp_channel_read(struct kp_channel *channel, bool wanted);

/* Sends a copy. False: no memory, or the channel is over. */
bool kp_channel_write(struct kp_channel *channel, const void *bytes, size_t count);

/* Bytes that the kernel has and the other side has not acknowledged; 0 when nobody knows. */
size_t kp_channel_unacknowledged(const struct kp_channel *channel);
/* Bytes that came and were not read; 0 when nobody knows. */
size_t kp_channel_unread(const struct kp_channel *channel);

/* Closes when what was written is with the kernel, or at once. `closed` follows. */
void kp_channel_close(struct kp_channel *channel, bool send_rest);
/* A channel that is being closed: forget what was not sent. */
void kp_channel_abort(struct kp_channel *channel);

#endif
