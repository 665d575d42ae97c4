/*
 * Output --forward tcp://, tls:// or unix: -- to the next collector, in kprobe's protocol. A native peer's
 * chunks are acknowledged when the next collector acknowledged them: the peer keeps them until then. Kieker
 * streams become sections here, and wait in memory (--backlog) until they are acknowledged.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "journal.h"
#include "peer.h"
#include "relay.h"
#include "sections.h"
#include "server.h"
#include "token.h"
#include "trace/chunk.h"
#include "trace/kieker/import.h"
#include "trace/zstd.h"
#include "util/memory.h"

struct forward {
    struct kp_output output;
    struct kp_address address;
    struct kp_tls_context *tls;
    char *token;
    struct kp_zstd zstd;
    struct link *links;
    bool stopped;
    uint64_t lost;
};

/* A section on its way: of a native peer, or made of a Kieker stream. */
struct link {
    struct kp_relay relay;
    struct link *next;
    struct forward *forward;
    struct kp_peer *peer; /* native, or NULL */
    bool answered, stopping;
};

struct stream {
    struct kp_kieker_import *import;
    struct forward *forward;
    struct link *link; /* of the section that the import is in */
    uint16_t minor;
};

static struct forward *forward_of(const struct kp_relay *relay)
{
    return ((struct link *)relay)->forward;
}

static void stop_link(struct link *link)
{
    if (link->peer)
        link->peer->sink = NULL;
    link->peer = NULL;
    if (link->stopping)
        return;
    link->stopping = true;
    kp_relay_stop(&link->relay);
}

/* --- what the next collector says ----------------------------------------------------------------------- */

static void update_wait(struct link *link)
{
    const struct kp_serve_settings *settings = link->forward->output.server->settings;
    struct kp_peer *peer = link->peer;
    if (!peer)
        return;
    peer->waiting = link->relay.chunks.bytes > settings->peer_bytes / (peer->waiting ? 2 : 1);
    kp_peer_update(peer);
}

static void on_ready(struct kp_relay *relay, uint64_t next)
{
    struct link *link = (struct link *)relay;
    struct kp_peer *peer = link->peer;
    if (peer && link->answered && next < relay->forgotten) {
        /* It forgot what it had acknowledged: the peer is asked from the beginning again. */
        kp_peer_send_away(peer, KP_WIRE_STOPPING);
    } else if (peer && !link->answered) {
        link->answered = true;
        kp_peer_answer(peer, KP_WIRE_GOOD, next);
    } else if (peer) {
        kp_peer_safe(peer, relay->safe);
        kp_peer_native_tell(peer);
    }
    if (!link->peer && relay->last_safe)
        stop_link(link);
}

static void on_safe(struct kp_relay *relay, uint64_t next, bool ended)
{
    struct link *link = (struct link *)relay;
    struct kp_peer *peer = link->peer;
    if (peer) {
        kp_peer_safe(peer, next);
        update_wait(link);
        kp_peer_native_tell(peer); /* may close the peer, and with it the link */
    } else if (ended) {
        stop_link(link);
    }
}

static void on_broken(struct kp_relay *relay, enum kp_wire_status status)
{
    struct link *link = (struct link *)relay;
    if (link->peer && !link->answered)
        kp_peer_send_away(link->peer, status);
}

static void on_refused(struct kp_relay *relay, enum kp_wire_status status)
{
    struct link *link = (struct link *)relay;
    struct kp_metrics *metrics = &forward_of(relay)->output.server->metrics;
    if (link->stopping)
        return; /* its peer left: the rest is with that one */
    metrics->output_errors++;
    if (link->peer) {
        kp_peer_send_away(link->peer, status);
        return;
    }
    kp_journal(KP_JOURNAL_OUTPUT, "a Kieker stream of %zu bytes is lost", relay->chunks.bytes);
    forward_of(relay)->lost++;
    stop_link(link);
}

static void on_gone(struct kp_relay *relay)
{
    struct link *link = (struct link *)relay, **at = &link->forward->links;
    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    free(link);
}

static const struct kp_relay_ops relay_ops = {on_ready, on_safe, on_broken, on_refused, on_gone};

static struct link *make_link(struct forward *forward, struct kp_peer *peer, const uint8_t uuid[16],
                              uint16_t minor)
{
    struct link *link = kp_allocate_cleared(1, sizeof *link);
    link->forward = forward;
    link->peer = peer;
    link->next = forward->links;
    forward->links = link;
    memcpy(link->relay.uuid, uuid, sizeof link->relay.uuid);
    link->relay.minor = minor;
    link->relay.made = peer ? peer->native.made : 0;
    link->relay.first = peer ? peer->native.first : 0;
    return link;
}

static void start_link(struct link *link)
{
    struct forward *forward = link->forward;
    kp_relay_start(&link->relay, forward->output.server, &forward->address, forward->tls, forward->token,
                   &relay_ops, NULL);
}

/* --- native peers ------------------------------------------------------------------------------------- */

static void section_open(struct kp_output *base, struct kp_peer *peer)
{
    struct link *link = make_link((struct forward *)base, peer, peer->native.uuid, peer->native.minor);
    peer->sink = link;
    start_link(link);
}

static enum kp_status section_chunks(struct kp_output *base, struct kp_peer *peer, const uint8_t *bytes,
                                     size_t count, uint32_t chunks, const struct kp_chunk_header *last)
{
    struct link *link = peer->sink;
    (void)base;
    (void)chunks;
    (void)last;
    kp_relay_chunks(&link->relay, bytes, count);
    update_wait(link);
    return KP_OK;
}

static void section_close(struct kp_output *base, struct kp_peer *peer)
{
    (void)base;
    stop_link(peer->sink);
}

/* --- Kieker streams ----------------------------------------------------------------------------------- */

static void check_room(struct forward *forward)
{
    struct kp_server *server = forward->output.server;
    uint64_t waiting = 0;
    for (const struct link *link = forward->links; link; link = link->next)
        waiting += link->relay.chunks.bytes;
    server->metrics.output_waiting_bytes = waiting;
    uint64_t most = server->settings->backlog_bytes;
    if (waiting > most)
        kp_server_block(server, true, "too much waits for the next collector");
    else if (waiting <= most / 2)
        kp_server_block(server, false, "the next collector takes again");
}

static size_t take_one(struct stream *stream, const uint8_t *bytes, size_t count)
{
    struct kp_preamble preamble;
    struct kp_chunk_header header;
    uint8_t uuid[16];
    if (count >= sizeof preamble && !memcmp(bytes, KP_PREAMBLE_MAGIC, 8)) {
        memcpy(&preamble, bytes, sizeof preamble);
        stream->minor = preamble.minor;
        stream->link = NULL;
        return sizeof preamble;
    }
    if (count < sizeof header)
        return 0;
    memcpy(&header, bytes, sizeof header);
    size_t whole = sizeof header + header.payload_bytes;
    if (whole > count)
        return 0;
    if (!stream->link && header.type == KP_CHUNK_PROCESS &&
        kp_sections_uuid((const char *)bytes + sizeof header, header.payload_bytes, uuid)) {
        stream->link = make_link(stream->forward, NULL, uuid, stream->minor);
        kp_relay_chunks(&stream->link->relay, bytes, whole);
        start_link(stream->link);
    } else if (stream->link) {
        kp_relay_chunks(&stream->link->relay, bytes, whole);
    }
    return whole;
}

static enum kp_status take_import(void *user, const void *bytes, size_t count)
{
    struct stream *stream = user;
    size_t used = 0, one;
    while (used < count && (one = take_one(stream, (const uint8_t *)bytes + used, count - used)) > 0)
        used += one;
    check_room(stream->forward);
    return used == count ? KP_OK : KP_ERROR_DAMAGED;
}

static bool stream_open(struct kp_output *base, struct kp_peer *peer, char *error, size_t bytes)
{
    struct forward *forward = (struct forward *)base;
    struct stream *stream = kp_allocate_cleared(1, sizeof *stream);
    stream->forward = forward;
    struct kp_kieker_import_options options = {.host = peer->host,
                                               .name = peer->channel.peer,
                                               .salt = kp_peer_salt(peer),
                                               .zstd = &forward->zstd,
                                               .most_bytes = base->server->settings->peer_bytes,
                                               .write = take_import,
                                               .user = stream};
    stream->import = kp_kieker_import_create(&options);
    if (!stream->import) {
        snprintf(error, bytes, "no memory");
        free(stream);
        return false;
    }
    peer->sink = stream;
    return true;
}

static enum kp_status stream_record(struct kp_output *base, struct kp_peer *peer,
                                    const struct kieker_record_type *type, int64_t logging_ns,
                                    const void *record)
{
    struct stream *stream = peer->sink;
    (void)base;
    return kp_kieker_import_record(stream->import, type, logging_ns, record);
}

static enum kp_status stream_event(struct kp_output *base, struct kp_peer *peer,
                                   const struct kp_kieker_event *event)
{
    struct stream *stream = peer->sink;
    (void)base;
    return kp_kieker_import_event(stream->import, event);
}

static void stream_close(struct kp_output *base, struct kp_peer *peer, const char *lost)
{
    struct stream *stream = peer->sink;
    kp_peer_finish_import(base->server, stream->import, peer->channel.peer, lost);
    free(stream);
}

/* --- life --------------------------------------------------------------------------------------------- */

static struct kp_output *open_output(struct kp_server *server, const char *place, char *error, size_t bytes)
{
    struct forward *forward = kp_allocate_cleared(1, sizeof *forward);
    const struct kp_serve_settings *settings = server->settings;
    bool good = kp_address_parse(&forward->address, place, KP_SCHEME_TCP | KP_SCHEME_UNIX | KP_SCHEME_TLS,
                                 error, bytes);
    forward->output.server = server;
    if (good && settings->forward_token_file)
        good = (forward->token = kp_token_read(settings->forward_token_file, error, bytes)) != NULL;
    if (good && forward->address.scheme == KP_SCHEME_TLS)
        good = (forward->tls = kp_tls_context_create(false, &settings->tls, error, bytes)) != NULL;
    if (good) {
        kp_zstd_open(&forward->zstd, 1);
        return &forward->output;
    }
    free(forward->token);
    free(forward);
    return NULL;
}

static void tick(struct kp_output *base, uint64_t now_ms)
{
    struct forward *forward = (struct forward *)base;
    for (struct link *link = forward->links, *next; link; link = next) {
        next = link->next;
        kp_uplink_tick(&link->relay.uplink, now_ms);
    }
    check_room(forward);
}

static bool waits(struct kp_output *base)
{
    return ((struct forward *)base)->links != NULL;
}

static void stop(struct kp_output *base)
{
    struct forward *forward = (struct forward *)base;
    for (struct link *link = forward->links, *next; link; link = next) {
        next = link->next;
        if (!link->stopping) {
            kp_journal(KP_JOURNAL_ALWAYS, "%zu bytes for %s could not be delivered any more",
                       link->relay.chunks.bytes, forward->address.text);
            forward->lost++;
        }
        stop_link(link);
    }
}

static enum kp_status close_output(struct kp_output *base)
{
    struct forward *forward = (struct forward *)base;
    enum kp_status status = forward->lost ? KP_ERROR_FULL : KP_OK;
    kp_tls_context_destroy(forward->tls);
    kp_zstd_close(&forward->zstd);
    free(forward->token);
    free(forward);
    return status;
}

#define FORWARD_ROW                                                                                          \
    .open = open_output, .section_open = section_open, .section_chunks = section_chunks,                     \
    .section_close = section_close, .stream_open = stream_open, .stream_record = stream_record,              \
    .stream_event = stream_event, .stream_close = stream_close, .tick = tick, .waits = waits, .stop = stop,  \
    .close = close_output

const struct kp_output_kind kp_output_forward_tcp = {.prefix = "tcp://", .forwards = true, FORWARD_ROW};
const struct kp_output_kind kp_output_forward_tls = {.prefix = "tls://", .forwards = true, FORWARD_ROW};
const struct kp_output_kind kp_output_forward_unix = {.prefix = "unix:", .forwards = true, FORWARD_ROW};
