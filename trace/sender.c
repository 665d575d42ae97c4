#include "sender.h"

#include <errno.h>
#include <string.h>

#define TURN_BYTES      (8u << 20)  /* at most so many in one turn: others want theirs */
#define IDLE_NS         20000000ull /* between looks for acknowledgements */
#define BUSY_NS         500000ull   /* between tries to put more into a full socket */
#define STEP_NS         1000000ull  /* while shaking hands */
#define ACK_PATIENCE_NS 60000000000ull

/* The connection is not the one that was greeted. */
static void start_over(struct kp_sender *sender)
{
    sender->greeted = sender->answered = false;
    sender->hello_done = sender->in_bytes = 0;
}

void kp_sender_begin(struct kp_sender *sender, struct kp_spool *spool, const uint8_t uuid[16])
{
    sender->spool = spool;
    memcpy(sender->uuid, uuid, sizeof sender->uuid);
    kp_sender_pause(sender);
}

void kp_sender_pause(struct kp_sender *sender)
{
    kp_link_close(&sender->link);
    start_over(sender);
}

bool kp_sender_done(const struct kp_sender *sender)
{
    return sender->spool->ended && sender->spool->first.offset == sender->spool->end.offset;
}

static void fail(struct kp_sender *sender, uint64_t now_ns, const char *why)
{
    kp_link_drop(&sender->link, now_ns, why);
}

static uint64_t sent_offset(const struct kp_sender *sender)
{
    return sender->sent - sender->spool->dropped;
}

/* Protocol errors and refusals do not go away by asking again at once. */
static void fail_long(struct kp_sender *sender, uint64_t now_ns, const char *why)
{
    sender->link.pause_ns = KP_LINK_PAUSE_MOST_NS;
    sender->link.error = EPROTO;
    fail(sender, now_ns, why);
}

static void put_hello(const struct kp_sender *sender, struct kp_wire_hello *hello)
{
    *hello = (struct kp_wire_hello){.version = KP_WIRE_VERSION,
                                    .major = KP_FORMAT_MAJOR,
                                    .minor = KP_FORMAT_MINOR,
                                    .token_bytes = sender->token_bytes,
                                    .chunks = sender->spool->end.number,
                                    .first = sender->spool->first.number};
    memcpy(hello->magic, KP_WIRE_MAGIC, sizeof hello->magic);
    memcpy(hello->uuid, sender->uuid, sizeof hello->uuid);
}

static bool greet(struct kp_sender *sender, uint64_t now_ns)
{
    uint8_t bytes[sizeof(struct kp_wire_hello) + KP_WIRE_TOKEN_MAX];
    struct kp_wire_hello hello;
    uint32_t count = (uint32_t)sizeof hello + sender->token_bytes;
    ssize_t n;

    put_hello(sender, &hello);
    memcpy(bytes, &hello, sizeof hello);
    if (sender->token_bytes)
        memcpy(bytes + sizeof hello, sender->token, sender->token_bytes);
    n = kp_link_send(&sender->link, now_ns, bytes + sender->hello_done, count - sender->hello_done);
    if (n > 0)
        sender->hello_done += (uint32_t)n;
    sender->greeted = sender->hello_done == count;
    return sender->greeted;
}

static const char *status_text(unsigned status)
{
    switch (status) {
    case KP_WIRE_REFUSED:
        return "it refuses us (KPROBE_TOKEN_FILE?)";
    case KP_WIRE_VERSION_BAD:
        return "it speaks another version of the protocol";
    case KP_WIRE_FULL:
        return "it has no room";
    case KP_WIRE_DAMAGED:
        return "it got damaged bytes";
    case KP_WIRE_STOPPING:
        return "it stops";
    }
    return "it answers what nobody understands";
}

static void fail_status(struct kp_sender *sender, uint64_t now_ns, unsigned status)
{
    if (status == KP_WIRE_FULL || status == KP_WIRE_STOPPING)
        fail(sender, now_ns, status_text(status));
    else
        fail_long(sender, now_ns, status_text(status));
}

/* The place behind chunks before `number`, from `place` on and not behind `limit`. */
static struct kp_spool_place advance(const struct kp_spool *spool, struct kp_spool_place place,
                                     uint64_t number, uint64_t limit)
{
    while (place.number < number && place.offset < limit && kp_spool_next(spool, &place))
        ;
    return place;
}

/*
 * Where to go on. A collector that knows less than one before it gets names first: what was acknowledged is
 * dropped from the spool, which then begins with them.
 */
static bool find_start(struct kp_sender *sender, uint64_t next)
{
    struct kp_spool *spool = sender->spool;
    struct kp_spool_place place = spool->first;

    if (next > spool->end.number)
        return false;
    if (next < spool->first.number) {
        if (kp_spool_compact(spool) != KP_OK)
            return false;
        place = spool->begin;
        place.number = 0;
    }
    place = advance(spool, place, next, spool->end.offset);
    if (place.offset > spool->first.offset)
        kp_spool_release(spool, &place);
    sender->sent = place.offset + spool->dropped;
    return true;
}

static void take_reply(struct kp_sender *sender, uint64_t now_ns)
{
    struct kp_wire_reply reply;

    memcpy(&reply, sender->in, sizeof reply);
    if (memcmp(reply.magic, KP_WIRE_MAGIC, sizeof reply.magic) != 0 || reply.version != KP_WIRE_VERSION) {
        fail_long(sender, now_ns, "it is no kprobe collector");
    } else if (reply.status != KP_WIRE_GOOD) {
        fail_status(sender, now_ns, reply.status);
    } else if (!find_start(sender, reply.next_chunk)) {
        fail_long(sender, now_ns, "it has chunks of this trace that were never made");
    } else {
        sender->answered = true;
        sender->link.limit_ns = 0;
        kp_link_good(&sender->link);
    }
}

static void take_ack(struct kp_sender *sender, uint64_t now_ns)
{
    struct kp_spool *spool = sender->spool;
    uint64_t sent = sent_offset(sender);
    struct kp_wire_ack ack;
    struct kp_spool_place place;

    memcpy(&ack, sender->in, sizeof ack);
    if (ack.magic != KP_WIRE_ACK_MAGIC) {
        fail_long(sender, now_ns, "it answers what nobody understands");
        return;
    }
    place = advance(spool, spool->first, ack.next_chunk, sent);
    if (place.number < ack.next_chunk || (place.offset > sent && sent >= spool->first.offset)) {
        fail_long(sender, now_ns, "it acknowledges what was never sent");
        return;
    }
    if (place.offset <= sent)
        kp_spool_release(spool, &place);
    sender->link.limit_ns = 0;
    if (ack.status != KP_WIRE_GOOD)
        fail_status(sender, now_ns, ack.status);
}

static void receive(struct kp_sender *sender, uint64_t now_ns)
{
    while (!kp_sender_done(sender)) {
        uint32_t wanted = sender->answered ? sizeof(struct kp_wire_ack) : sizeof(struct kp_wire_reply);
        ssize_t n =
            kp_link_receive(&sender->link, now_ns, sender->in + sender->in_bytes, wanted - sender->in_bytes);

        if (n <= 0)
            return;
        sender->in_bytes += (uint32_t)n;
        if (sender->in_bytes < wanted)
            continue;
        sender->in_bytes = 0;
        if (sender->answered)
            take_ack(sender, now_ns);
        else
            take_reply(sender, now_ns);
    }
}

/* Returns how long until it makes sense to go on. */
static uint64_t send_chunks(struct kp_sender *sender, uint64_t now_ns)
{
    struct kp_spool *spool = sender->spool;
    uint64_t end = spool->end.offset + spool->dropped;

    for (uint64_t budget = TURN_BYTES; sender->sent < end && budget > sizeof sender->block;) {
        size_t bytes = kp_spool_read(spool, sent_offset(sender), sender->block, sizeof sender->block);
        ssize_t n = bytes ? kp_link_send(&sender->link, now_ns, sender->block, bytes) : 0;

        if (n <= 0)
            return BUSY_NS;
        sender->sent += (uint64_t)n;
        budget -= (uint64_t)n;
    }
    if (sender->sent < end)
        return 0;
    return spool->first.offset < spool->end.offset ? IDLE_NS : UINT64_MAX;
}

/* What was sent has to be acknowledged at some time. */
static void watch(struct kp_sender *sender, uint64_t now_ns)
{
    if (!sender->link.limit_ns && sender->spool->first.offset < sent_offset(sender))
        sender->link.limit_ns = now_ns + ACK_PATIENCE_NS;
}

uint64_t kp_sender_turn(struct kp_sender *sender, uint64_t now_ns)
{
    uint64_t rest = STEP_NS;

    if (kp_link_turn(&sender->link, now_ns))
        start_over(sender);
    if (sender->link.state == KP_LINK_THERE && !sender->greeted)
        greet(sender, now_ns);
    if (sender->link.state == KP_LINK_THERE && sender->greeted)
        receive(sender, now_ns);
    if (sender->link.state == KP_LINK_THERE && sender->answered) {
        if (sent_offset(sender) >= sender->spool->first.offset && kp_spool_worth_compacting(sender->spool))
            kp_spool_compact(sender->spool);
        rest = send_chunks(sender, now_ns);
        watch(sender, now_ns);
    }
    return sender->link.state == KP_LINK_THERE ? rest : kp_link_rest(&sender->link, now_ns);
}
