#include "peer.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "server.h"
#include "util/memory.h"

enum {
    NATIVE_FIRST_BYTE = 0x89,
    CLOSE_MS = 5000, /* for a peer that does not take the last words */
    QUIET_MS = 200   /* nothing came for so long: nothing is on its way, when the server ends */
};

static const struct kp_channel_ops channel_ops;

static void link_peer(struct kp_peer *peer)
{
    struct kp_server *server = peer->server;
    peer->next = server->peers;
    if (peer->next)
        peer->next->previous = peer;
    server->peers = peer;
    server->metrics.peers++;
}

static void unlink_peer(struct kp_peer *peer)
{
    if (peer->next)
        peer->next->previous = peer->previous;
    if (peer->previous)
        peer->previous->next = peer->next;
    else
        peer->server->peers = peer->next;
}

/* Too many: a native peer understands the answer, others see the connection end. */
static void refuse(struct kp_peer *peer)
{
    struct kp_wire_reply reply = kp_native_reply(KP_WIRE_REFUSED, 0);
    peer->server->metrics.connections_refused++;
    kp_journal(KP_JOURNAL_LIMIT, "%s refused: there are %" PRIu64 " peers already (--max-peers)",
               peer->channel.peer, peer->server->peer_limit);
    if (!peer->channel.tls)
        kp_channel_write(&peer->channel, &reply, sizeof reply);
    peer->closing = true;
    peer->server->metrics.peers--;
    kp_channel_close(&peer->channel, true);
}

void kp_peer_accept(struct kp_server *server, uv_stream_t *listener, bool local, bool tls)
{
    struct kp_peer *peer = kp_allocate_cleared(1, sizeof *peer);
    *peer = (struct kp_peer){.server = server,
                             .local = local,
                             .number = ++server->metrics.connections,
                             .since_ms = uv_now(&server->loop)};
    peer->heard_ms = peer->since_ms;
    link_peer(peer);
    int status = kp_channel_accept(&peer->channel, listener, &server->turns, tls ? server->tls : NULL,
                                   &channel_ops, peer);
    if (status)
        kp_peer_drop(peer, uv_strerror(status));
    else if (server->metrics.peers > server->peer_limit)
        refuse(peer);
    else
        kp_peer_update(peer);
}

/* --- end of a peer ------------------------------------------------------------------------------------ */

static void leave(struct kp_peer *peer, const char *lost, bool send_rest)
{
    struct kp_metrics *metrics = &peer->server->metrics;
    if (peer->closing)
        return;
    peer->closing = true;
    peer->closed_ms = uv_now(&peer->server->loop);
    metrics->peers--;
    if (peer->kind == KP_PEER_NATIVE) {
        metrics->peers_native--;
        kp_peer_native_end(peer);
    }
    if (peer->kind == KP_PEER_KIEKER) {
        metrics->peers_kieker--;
        kp_peer_kieker_end(peer, lost);
    }
    kp_channel_close(&peer->channel, send_rest);
}

void kp_peer_drop(struct kp_peer *peer, const char *reason)
{
    if (peer->closing)
        return;
    peer->server->metrics.peers_dropped++;
    kp_journal(KP_JOURNAL_PEER, "%s (connection %" PRIu64 ") dropped after %" PRIu64 " bytes: %s",
               peer->channel.peer, peer->number, peer->bytes, reason);
    leave(peer, reason, true);
}

void kp_peer_send_away(struct kp_peer *peer, enum kp_wire_status status)
{
    if (peer->closing)
        return;
    if (peer->native.phase == KP_NATIVE_HELLO || peer->native.phase == KP_NATIVE_WAITING) {
        struct kp_wire_reply reply = kp_native_reply(status, 0);
        kp_channel_write(&peer->channel, &reply, sizeof reply);
    } else {
        struct kp_wire_ack ack = kp_native_ack(status, peer->safe);
        kp_channel_write(&peer->channel, &ack, sizeof ack);
    }
    leave(peer, NULL, true);
}

void kp_peer_leave(struct kp_peer *peer)
{
    leave(peer, NULL, true);
}

void kp_peer_finish(struct kp_peer *peer)
{
    if (peer->kind == KP_PEER_NATIVE)
        kp_peer_send_away(peer, KP_WIRE_STOPPING);
    else
        leave(peer, NULL, true);
}

static void on_closed(void *user)
{
    struct kp_peer *peer = user;
    unlink_peer(peer);
    free(peer->inbox);
    free(peer);
}

/* --- bytes -------------------------------------------------------------------------------------------- */

static bool tell_kind(struct kp_peer *peer, uint8_t first)
{
    peer->kind = first == NATIVE_FIRST_BYTE ? KP_PEER_NATIVE : KP_PEER_KIEKER;
    if (peer->kind == KP_PEER_NATIVE) {
        peer->server->metrics.peers_native++;
        return kp_peer_native_begin(peer);
    }
    peer->server->metrics.peers_kieker++;
    return kp_peer_kieker_begin(peer);
}

static void on_data(void *user, const uint8_t *bytes, size_t count)
{
    struct kp_peer *peer = user;
    peer->heard_ms = uv_now(&peer->server->loop);
    peer->bytes += count;
    if (peer->closing || (peer->kind == KP_PEER_UNKNOWN && !tell_kind(peer, bytes[0])))
        return;
    if (peer->kind == KP_PEER_NATIVE)
        kp_peer_native_take(peer, bytes, count);
    else
        kp_peer_kieker_take(peer, bytes, count);
}

static void on_opened(void *user)
{
    struct kp_peer *peer = user;
    peer->heard_ms = uv_now(&peer->server->loop);
}

static void on_ended(void *user, const char *reason)
{
    struct kp_peer *peer = user;
    if (peer->kind == KP_PEER_UNKNOWN && reason)
        kp_peer_drop(peer, reason);
    else
        leave(peer, reason, true);
}

static void on_drained(void *user)
{
    struct kp_peer *peer = user;
    if (peer->kind == KP_PEER_NATIVE && !peer->closing)
        kp_peer_native_tell(peer);
}

static const struct kp_channel_ops channel_ops = {on_opened, on_data, on_ended, on_drained, on_closed};

/* --- time --------------------------------------------------------------------------------------------- */

void kp_peer_update(struct kp_peer *peer)
{
    if (!peer->closing)
        kp_channel_read(&peer->channel, !peer->waiting && !peer->server->blocked);
}

/* Before a peer said what it is, it gets no time to waste; later it may be silent as long as it likes. */
static bool is_unknown(const struct kp_peer *peer)
{
    return peer->kind == KP_PEER_UNKNOWN ||
           (peer->kind == KP_PEER_NATIVE && peer->native.phase == KP_NATIVE_HELLO);
}

void kp_peer_tick(struct kp_peer *peer, uint64_t now_ms)
{
    uint64_t silence = peer->server->settings->silence_ms;
    if (peer->closing && now_ms - peer->closed_ms > CLOSE_MS)
        kp_channel_abort(&peer->channel);
    if (!peer->closing && silence && is_unknown(peer) && now_ms - peer->since_ms > silence)
        kp_peer_drop(peer, "it did not say what it is (--silence)");
}

bool kp_peer_is_sending(const struct kp_peer *peer, uint64_t now_ms)
{
    return !peer->closing && (now_ms - peer->heard_ms < QUIET_MS || kp_channel_unread(&peer->channel) > 0);
}
