/*
 * Sender: brings the chunks of a spool to a collector (wire.h) over a link that comes and goes. Never waits.
 * One owner, no locks, no allocation.
 */
#ifndef KP_TRACE_SENDER_H
#define KP_TRACE_SENDER_H

#include "link.h"
#include "spool.h"
#include "wire.h"

struct kp_sender {
    struct kp_link link; /* set up by the caller */
    struct kp_spool *spool;
    uint8_t uuid[16];
    const char *token; /* of at most KP_WIRE_TOKEN_MAX bytes */
    uint16_t token_bytes;
    /* Running. */
    bool greeted;  /* hello and token are sent completely */
    bool answered; /* the reply was good: chunks flow */
    uint32_t hello_done;
    uint64_t sent; /* offset in the spool of the next byte to send, plus what the spool has dropped */
    uint8_t in[32];
    uint32_t in_bytes;
    uint8_t block[64 << 10];
};

/* The spool is new or another one: a connection of its own. */
void kp_sender_begin(struct kp_sender *sender, struct kp_spool *spool, const uint8_t uuid[16]);

/* Do what can be done now. Returns how long it may be left alone, in ns. */
uint64_t kp_sender_turn(struct kp_sender *sender, uint64_t now_ns);

/* Everything in the spool, END included, was acknowledged. */
bool kp_sender_done(const struct kp_sender *sender);

/* Close the connection; what was not acknowledged is sent again on the next one. */
void kp_sender_pause(struct kp_sender *sender);

#endif
