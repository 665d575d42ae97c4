#include "relay.h"

#include <string.h>

#include "journal.h"
#include "server.h"

static void on_open(void *user)
{
    struct kp_relay *relay = user;
    size_t bytes = strlen(relay->token);
    struct kp_wire_hello hello = {.version = KP_WIRE_VERSION,
                                  .major = KP_FORMAT_MAJOR,
                                  .minor = relay->minor,
                                  .token_bytes = (uint16_t)bytes,
                                  .chunks = relay->made,
                                  .first = relay->first};
    memcpy(hello.magic, KP_WIRE_MAGIC, sizeof hello.magic);
    memcpy(hello.uuid, relay->uuid, sizeof hello.uuid);
    relay->inbox_bytes = 0;
    kp_channel_write(&relay->uplink.channel, &hello, sizeof hello);
    kp_channel_write(&relay->uplink.channel, relay->token, bytes);
}

/* A block holds one chunk; its number stands in `records`. */
static void drop_safe(struct kp_relay *relay, uint64_t next)
{
    while (relay->chunks.first && relay->chunks.first->records < next)
        kp_backlog_pop(&relay->chunks);
    if (next > relay->safe)
        relay->safe = relay->forgotten = next;
    relay->last_safe = relay->ended && !relay->chunks.first;
}

static void say_no(struct kp_relay *relay, enum kp_wire_status status)
{
    bool later = status == KP_WIRE_FULL || status == KP_WIRE_STOPPING;
    kp_journal(KP_JOURNAL_OUTPUT, "%s says no: status %d", relay->uplink.address->text, (int)status);
    if (!later) {
        relay->ops->refused(relay, status);
        return;
    }
    relay->ready = false;
    kp_uplink_again(&relay->uplink);
}

static void take_reply(struct kp_relay *relay, const struct kp_wire_reply *reply)
{
    if (memcmp(reply->magic, KP_WIRE_MAGIC, sizeof reply->magic) != 0) {
        kp_journal(KP_JOURNAL_OUTPUT, "%s is no collector of kprobe's", relay->uplink.address->text);
        kp_uplink_again(&relay->uplink);
        return;
    }
    if (reply->status != KP_WIRE_GOOD) {
        say_no(relay, (enum kp_wire_status)reply->status);
        return;
    }
    drop_safe(relay, reply->next_chunk);
    relay->ready = true;
    if (reply->next_chunk >= relay->forgotten)
        for (const struct kp_backlog_block *block = relay->chunks.first; block; block = block->next)
            kp_channel_write(&relay->uplink.channel, block->bytes, block->count);
    relay->ops->ready(relay, reply->next_chunk);
}

static void take_ack(struct kp_relay *relay, const struct kp_wire_ack *ack)
{
    if (ack->magic != KP_WIRE_ACK_MAGIC) {
        kp_uplink_again(&relay->uplink);
        return;
    }
    drop_safe(relay, ack->next_chunk);
    relay->ops->safe(relay, relay->safe, relay->last_safe);
    if (ack->status != KP_WIRE_GOOD)
        say_no(relay, (enum kp_wire_status)ack->status);
}

static void on_data(void *user, const uint8_t *bytes, size_t count)
{
    struct kp_relay *relay = user;
    while (count && relay->uplink.open) {
        size_t wanted = relay->ready ? sizeof(struct kp_wire_ack) : sizeof(struct kp_wire_reply);
        size_t part = wanted - relay->inbox_bytes < count ? wanted - relay->inbox_bytes : count;
        memcpy(relay->inbox + relay->inbox_bytes, bytes, part);
        relay->inbox_bytes += part;
        bytes += part;
        count -= part;
        if (relay->inbox_bytes < wanted)
            return;
        relay->inbox_bytes = 0;
        if (relay->ready) {
            struct kp_wire_ack ack;
            memcpy(&ack, relay->inbox, sizeof ack);
            take_ack(relay, &ack);
        } else {
            struct kp_wire_reply reply;
            memcpy(&reply, relay->inbox, sizeof reply);
            take_reply(relay, &reply);
        }
    }
}

static void on_broken(void *user)
{
    struct kp_relay *relay = user;
    relay->ready = false;
    relay->ops->broken(relay, KP_WIRE_FULL);
}

static void on_gone(void *user)
{
    struct kp_relay *relay = user;
    kp_backlog_clear(&relay->chunks);
    relay->ops->gone(relay);
}

static const struct kp_uplink_ops uplink_ops = {on_open, on_data, on_broken, NULL, on_gone};

void kp_relay_start(struct kp_relay *relay, struct kp_server *server, const struct kp_address *address,
                    struct kp_tls_context *tls, const char *token, const struct kp_relay_ops *ops, void *user)
{
    relay->ops = ops;
    relay->user = user;
    relay->token = token ? token : "";
    kp_uplink_start(&relay->uplink, server, address, tls, &uplink_ops, relay);
    kp_uplink_tick(&relay->uplink, uv_now(&server->loop));
}

void kp_relay_chunks(struct kp_relay *relay, const uint8_t *bytes, size_t count)
{
    for (size_t at = 0; at < count;) {
        struct kp_chunk_header header;
        memcpy(&header, bytes + at, sizeof header);
        size_t whole = sizeof header + header.payload_bytes;
        kp_backlog_add(&relay->chunks, 0, bytes + at, whole, header.number);
        if (relay->made <= header.number)
            relay->made = (uint64_t)header.number + 1;
        relay->ended = header.type == KP_CHUNK_END;
        at += whole;
    }
    if (relay->ready)
        kp_channel_write(&relay->uplink.channel, bytes, count);
}

void kp_relay_stop(struct kp_relay *relay)
{
    kp_uplink_stop(&relay->uplink);
}
