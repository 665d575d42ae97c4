/*
 * Link: a connection to somewhere that may be away, and is tried again and again, later each time. Never
 * waits. One owner, no locks.
 */
#ifndef KP_TRACE_LINK_H
#define KP_TRACE_LINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "endpoint.h"
#include "resolve.h"

enum kp_link_state { KP_LINK_AWAY, KP_LINK_RESOLVING, KP_LINK_CONNECTING, KP_LINK_THERE };

#define KP_LINK_PAUSE_FIRST_NS 50000000ull
#define KP_LINK_PAUSE_MOST_NS  5000000000ull
#define KP_LINK_PATIENCE_NS    10000000000ull /* for an answer, while connecting or later */

struct kp_link {
    /* Set by kp_link_init. */
    const char *name; /* for messages: as the user wrote it */
    /* What a user should know: the connection is gone or back. */
    void (*say)(void *user, bool bad, const char *text);
    void *user;
    bool named; /* the address is to be looked up at each connection */
    struct kp_host_port target;
    struct kp_resolve resolve;
    struct kp_endpoint address;
    /* Running. */
    enum kp_link_state state;
    int fd;
    uint64_t pause_ns;    /* before the next try */
    uint64_t next_try_ns; /* CLOCK_MONOTONIC */
    uint64_t limit_ns;    /* no later than that something has to happen; 0: no limit */
    uint64_t tries;       /* that failed since the last success */
    bool said;
    int error; /* errno of the last failure */
};

/* tcp: `text` is HOST[:PORT], checked before; else the path of a Unix socket. False: no such address. */
bool kp_link_init(struct kp_link *link, bool tcp, const char *text);

/* Go on with connecting, if it is time to. True: just connected now. */
bool kp_link_turn(struct kp_link *link, uint64_t now_ns);

/*
 * Bytes sent or received; 0: none now; -1: the connection broke, and was dropped. Receiving the end of the
 * connection breaks it.
 */
ssize_t kp_link_send(struct kp_link *link, uint64_t now_ns, const void *data, size_t bytes);
ssize_t kp_link_receive(struct kp_link *link, uint64_t now_ns, void *data, size_t bytes);

/* Bytes the kernel still has to bring there (those that nobody acknowledged); 0 when it does not say. */
size_t kp_link_unsent(const struct kp_link *link);

/* Drop the connection, tell why (once until it is good again), try again later. */
void kp_link_drop(struct kp_link *link, uint64_t now_ns, const char *why);

/* It works: the next failure is news, and the next try after it soon. */
void kp_link_good(struct kp_link *link);

/* Close without a word; the next try is due at once. */
void kp_link_close(struct kp_link *link);

/* How long it may be left alone, in ns. */
uint64_t kp_link_rest(const struct kp_link *link, uint64_t now_ns);

uint64_t kp_link_now(void);

#endif
