/* Peers that speak trace/wire.h. */
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inbox.h"
#include "journal.h"
#include "server.h"

/* Takes as long for a wrong token as for the right one. */
static bool is_equal(const char *left, const char *right)
{
    char one[KP_WIRE_TOKEN_MAX + 1] = "", other[KP_WIRE_TOKEN_MAX + 1] = "";
    snprintf(one, sizeof one, "%s", left);
    snprintf(other, sizeof other, "%s", right);
    return CRYPTO_memcmp(one, other, sizeof one) == 0;
}

/* Its certificate or its token; whoever can open our Unix socket is us. */
static bool is_welcome(const struct kp_peer *peer, const char *token)
{
    const struct kp_server *server = peer->server;
    if (peer->channel.uv.handle.type == UV_NAMED_PIPE ||
        (peer->channel.tls && kp_tls_is_certified(peer->channel.tls)))
        return true;
    if (server->token)
        return is_equal(token, server->token);
    return peer->local || server->settings->insecure;
}

static void on_hello(void *user, const struct kp_wire_hello *hello, const char *token)
{
    struct kp_peer *peer = user;
    struct kp_server *server = peer->server;
    (void)hello;
    if (!is_welcome(peer, token)) {
        server->metrics.peers_unauthorized++;
        kp_journal(KP_JOURNAL_PEER, "%s refused: %s token", peer->channel.peer, *token ? "a wrong" : "no");
        kp_peer_send_away(peer, KP_WIRE_REFUSED);
    } else if (server->stopping) {
        kp_peer_send_away(peer, KP_WIRE_STOPPING);
    } else if (server->blocked) {
        kp_peer_send_away(peer, KP_WIRE_FULL);
    } else {
        server->output->kind->section_open(server->output, peer);
    }
}

void kp_peer_answer(struct kp_peer *peer, enum kp_wire_status status, uint64_t next)
{
    struct kp_metrics *metrics = &peer->server->metrics;
    if (status != KP_WIRE_GOOD) {
        kp_peer_send_away(peer, status);
        return;
    }
    if (next > peer->native.made) {
        kp_peer_drop(peer, "more is known of its section than it made: that is another one of the same uuid");
        return;
    }
    metrics->sections += next == 0;
    metrics->sections_resumed += next > 0;
    peer->safe = peer->told = next;
    kp_native_answer(&peer->native, next);
    struct kp_wire_reply reply = kp_native_reply(KP_WIRE_GOOD, next);
    kp_channel_write(&peer->channel, &reply, sizeof reply);
}

static bool on_chunks(void *user, const uint8_t *bytes, size_t count, uint32_t chunks,
                      const struct kp_chunk_header *last)
{
    struct kp_peer *peer = user;
    struct kp_server *server = peer->server;
    enum kp_status status =
        server->output->kind->section_chunks(server->output, peer, bytes, count, chunks, last);
    if (status == KP_ERROR_DAMAGED || status == KP_ERROR_VALUE) {
        peer->native.error = "a chunk makes no sense";
        peer->native.refusal = KP_WIRE_DAMAGED;
        return false;
    }
    if (status != KP_OK) {
        server->metrics.output_errors += status != KP_ERROR_FULL;
        kp_peer_send_away(peer, KP_WIRE_FULL);
        return false;
    }
    peer->chunks += chunks;
    server->metrics.chunks += chunks;
    server->metrics.sections_ended += last->type == KP_CHUNK_END;
    return true;
}

static const struct kp_native_ops native_ops = {on_hello, on_chunks};

bool kp_peer_native_begin(struct kp_peer *peer)
{
    kp_native_init(&peer->native, &native_ops, peer, peer->server->settings->peer_bytes);
    return true;
}

void kp_peer_safe(struct kp_peer *peer, uint64_t next)
{
    if (next > peer->safe)
        peer->safe = next;
}

/* One ack at a time is on its way, always the newest: a peer that reads none costs nothing. */
void kp_peer_native_tell(struct kp_peer *peer)
{
    /* After the ack of END both close. */
    bool over = peer->native.phase == KP_NATIVE_ENDED && peer->safe == peer->native.next;
    if (peer->closing || peer->safe == peer->told || (peer->channel.queued && !over))
        return;
    struct kp_wire_ack ack = kp_native_ack(KP_WIRE_GOOD, peer->safe);
    peer->told = peer->safe;
    if (!kp_channel_write(&peer->channel, &ack, sizeof ack))
        kp_peer_drop(peer, "no memory");
    else if (over)
        kp_peer_leave(peer);
}

static void note_counts(struct kp_peer *peer, const struct kp_native *before)
{
    struct kp_metrics *metrics = &peer->server->metrics;
    const struct kp_native *native = &peer->native;
    metrics->chunks_repeated += native->repeated - before->repeated;
    metrics->chunks_events += native->types[KP_CHUNK_EVENTS] - before->types[KP_CHUNK_EVENTS];
    metrics->chunks_definitions += native->types[KP_CHUNK_DEFS] - before->types[KP_CHUNK_DEFS];
}

static size_t feed(struct kp_peer *peer, const uint8_t *bytes, size_t count)
{
    size_t used = 0, taken = 1;
    while (taken && used < count && !peer->closing) {
        const struct kp_native before = peer->native;
        taken = kp_native_feed(&peer->native, bytes + used, count - used);
        used += taken;
        note_counts(peer, &before);
    }
    return used;
}

static bool take(struct kp_peer *peer, const uint8_t *bytes, size_t count)
{
    /* A hello with its token, or a chunk with its header, and what came with the end of it. */
    size_t most = peer->server->settings->peer_bytes + sizeof(struct kp_wire_hello) + KP_WIRE_TOKEN_MAX +
                  sizeof peer->server->turns.buffer;
    size_t used = 0;
    if (!peer->inbox_bytes)
        used = feed(peer, bytes, count);
    if (used == count || peer->closing || peer->native.error)
        return true;
    if (!kp_inbox_add(peer, bytes + used, count - used, most))
        return false;
    kp_inbox_remove(peer, feed(peer, peer->inbox, peer->inbox_bytes));
    return true;
}

void kp_peer_native_take(struct kp_peer *peer, const uint8_t *bytes, size_t count)
{
    bool fine = take(peer, bytes, count);
    if (peer->closing)
        return;
    if (peer->native.error) {
        kp_journal(KP_JOURNAL_PEER, "%s sent what is not good: %s", peer->channel.peer, peer->native.error);
        peer->server->metrics.peers_dropped++;
        kp_peer_send_away(peer, peer->native.refusal);
        return;
    }
    if (!fine) {
        kp_peer_drop(peer, "it sends before it was answered, or more than --peer-memory at once");
        return;
    }
    kp_peer_native_tell(peer);
}

void kp_peer_native_end(struct kp_peer *peer)
{
    if (peer->sink)
        peer->server->output->kind->section_close(peer->server->output, peer);
    peer->sink = NULL;
}
