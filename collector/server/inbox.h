/* The bytes of a peer that are not whole yet. */
#ifndef KP_COLLECTOR_SERVER_INBOX_H
#define KP_COLLECTOR_SERVER_INBOX_H

#include "peer.h"

/* Adds bytes behind those that wait; false: more than `most`, or no memory. */
bool kp_inbox_add(struct kp_peer *peer, const uint8_t *bytes, size_t count, size_t most);
/* The first `count` bytes were taken. */
void kp_inbox_remove(struct kp_peer *peer, size_t count);

#endif
