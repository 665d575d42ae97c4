/*
 * Carrier: what empties a spool, in the language of the collector: kprobe's own, with acknowledgements, or
 * Kieker's. Never waits.
 */
#ifndef KP_SHIM_CARRIER_H
#define KP_SHIM_CARRIER_H

#include "trace/kieker/streamer.h"
#include "trace/sender.h"

struct kp_carrier {
    bool kieker;
    union {
        struct kp_sender sender;
        struct kp_kieker_streamer streamer;
    };
};

static inline struct kp_link *kp_carrier_link(struct kp_carrier *carrier)
{
    return carrier->kieker ? &carrier->streamer.link : &carrier->sender.link;
}

/* `streamed`: what went out of that spool before, where no collector says so itself. */
static inline bool kp_carrier_begin(struct kp_carrier *carrier, struct kp_spool *spool,
                                    const uint8_t uuid[16], uint64_t streamed)
{
    if (carrier->kieker)
        return kp_kieker_streamer_begin(&carrier->streamer, spool, streamed);
    kp_sender_begin(&carrier->sender, spool, uuid);
    return true;
}

static inline uint64_t kp_carrier_streamed(const struct kp_carrier *carrier)
{
    return carrier->kieker ? kp_kieker_streamer_streamed(&carrier->streamer) : 0;
}

static inline uint64_t kp_carrier_turn(struct kp_carrier *carrier, uint64_t now_ns)
{
    return carrier->kieker ? kp_kieker_streamer_turn(&carrier->streamer, now_ns)
                           : kp_sender_turn(&carrier->sender, now_ns);
}

static inline bool kp_carrier_done(const struct kp_carrier *carrier)
{
    return carrier->kieker ? kp_kieker_streamer_done(&carrier->streamer) : kp_sender_done(&carrier->sender);
}

static inline void kp_carrier_pause(struct kp_carrier *carrier)
{
    if (carrier->kieker)
        kp_kieker_streamer_pause(&carrier->streamer);
    else
        kp_sender_pause(&carrier->sender);
}

#endif
