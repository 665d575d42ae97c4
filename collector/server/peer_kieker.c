/* Peers that send a Kieker stream. */
#include "server.h"
#include "peer.h"

bool kp_peer_kieker_begin(struct kp_peer *peer)
{
    kp_peer_drop(peer, "it is no peer of kprobe's; Kieker streams are not taken yet");
    return false;
}

void kp_peer_kieker_take(struct kp_peer *peer, const uint8_t *bytes, size_t count)
{
    (void)peer, (void)bytes, (void)count;
}

void kp_peer_kieker_end(struct kp_peer *peer, const char *lost)
{
    (void)peer, (void)lost;
}
