/* Peers that send a Kieker stream. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "server.h"
#include "trace/kieker/import.h"
#include "peer.h"

/* Of one string, and of one record with its arrays: a good probe's are far below. */
enum { STRING_BYTES = 1 << 20, RECORD_BYTES = 1 << 20 };

static void note_record(struct kp_peer *peer, enum kp_record_role role)
{
    struct kp_metrics *metrics = &peer->server->metrics;
    peer->records++;
    metrics->records++;
    switch (role) {
    case KP_ROLE_TRACE:
        metrics->records_trace++;
        break;
    case KP_ROLE_BEFORE:
        metrics->records_before++;
        peer->begun++;
        break;
    case KP_ROLE_AFTER:
        metrics->records_after++;
        peer->ended++;
        break;
    case KP_ROLE_EXECUTION:
        metrics->records_execution++;
        break;
    case KP_ROLE_OTHER:
        metrics->records_other++;
        break;
    }
}

static enum kp_record_role role_of(const struct kp_kieker_event *event)
{
    switch (event->kind) {
    case KP_KIEKER_BEFORE:
        return KP_ROLE_BEFORE;
    case KP_KIEKER_AFTER:
    case KP_KIEKER_AFTER_FAILED:
        return KP_ROLE_AFTER;
    case KP_KIEKER_EXECUTION:
        return KP_ROLE_EXECUTION;
    default:
        return KP_ROLE_OTHER;
    }
}

static bool on_event(void *user, const struct kp_kieker_event *event)
{
    struct kp_peer *peer = user;
    struct kp_output *output = peer->server->output;
    struct kp_kieker_event mended;
    note_record(peer, role_of(event));
    if (peer->rewrite.normalize) {
        mended = *event;
        kp_rewrite_event(&mended);
        event = &mended;
    }
    peer->newest_ns = event->time;
    peer->trouble = output->kind->stream_event(output, peer, event);
    return peer->trouble == KP_OK;
}

static bool on_record(void *user, const struct kieker_record_type *type, int64_t logging_ns,
                      const void *record)
{
    struct kp_peer *peer = user;
    struct kp_output *output = peer->server->output;
    const struct kp_record_facts *facts = kp_record_facts(type);
    note_record(peer, facts->role);
    record = kp_rewrite_record(&peer->rewrite, facts, record, &logging_ns);
    if (facts->timestamp >= 0)
        memcpy(&peer->newest_ns, (const uint8_t *)record + facts->timestamp, sizeof peer->newest_ns);
    peer->trouble = output->kind->stream_record(output, peer, type, logging_ns, record);
    return peer->trouble == KP_OK;
}

static void on_unknown(void *user, const char *java_class)
{
    struct kp_peer *peer = user;
    peer->server->metrics.records_skipped++;
    kp_journal(KP_JOURNAL_PEER, "%s: nothing is known of class %s", peer->channel.peer, java_class);
}

static const struct kp_kieker_input_ops record_ops = {.record = on_record, .unknown = on_unknown};
static const struct kp_kieker_input_ops event_ops = {
    .record = on_record, .event = on_event, .unknown = on_unknown};

/* The address without its port. */
static void name_host(struct kp_peer *peer)
{
    const char *name = peer->channel.peer, *end = strrchr(name, ':');
    bool bracket = *name == '[';
    if (bracket && end && end[-1] == ']')
        end--;
    snprintf(peer->host, sizeof peer->host, "%.*s",
             (int)(end ? (size_t)(end - name) : strlen(name)) - bracket, name + bracket);
    if (!end)
        gethostname(peer->host, sizeof peer->host - 1);
}

/* A stream has no place for a token. */
static bool is_welcome(const struct kp_peer *peer)
{
    return peer->local || peer->server->settings->insecure ||
           (peer->channel.tls && kp_tls_is_certified(peer->channel.tls));
}

bool kp_peer_kieker_begin(struct kp_peer *peer)
{
    struct kp_server *server = peer->server;
    struct kp_kieker_limits limits = {.string_bytes = STRING_BYTES,
                                      .strings_bytes = server->settings->peer_bytes,
                                      .record_bytes = RECORD_BYTES};
    char error[256];
    if (!is_welcome(peer)) {
        server->metrics.peers_unauthorized++;
        kp_peer_drop(peer, "a Kieker stream from elsewhere needs a certificate (--tls-ca), or --insecure");
        return false;
    }
    peer->stream =
        kp_kieker_stream_create(server->output->kind->stream_event ? &event_ops : &record_ops, peer, &limits);
    if (!peer->stream) {
        kp_peer_drop(peer, "no memory");
        return false;
    }
    name_host(peer);
    peer->ids = (struct kp_peer_ids){.all = server->output->ids, .owner = peer->number};
    peer->rewrite = (struct kp_rewrite){.ids = server->output->ids ? &peer->ids : NULL,
                                        .host = peer->host,
                                        .normalize = server->settings->normalize};
    if (!server->output->kind->stream_open(server->output, peer, error, sizeof error)) {
        kp_peer_drop(peer, error);
        return false;
    }
    server->metrics.streams++;
    return true;
}

static void note_lag(struct kp_peer *peer)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    int64_t now_ns = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, then_ns = peer->newest_ns;
    peer->server->metrics.lag_ns = then_ns > 0 && now_ns > then_ns ? (uint64_t)(now_ns - then_ns) : 0;
}

void kp_peer_kieker_take(struct kp_peer *peer, const uint8_t *bytes, size_t count)
{
    struct kp_server *server = peer->server;
    enum kp_status status = kp_kieker_stream_feed(peer->stream, bytes, count);
    if (peer->closing)
        return;
    if (status == KP_END) {
        server->metrics.output_errors++;
        kp_peer_drop(peer, kp_status_text(peer->trouble));
        return;
    }
    if (status != KP_OK) {
        const char *error = kp_kieker_stream_error(peer->stream);
        kp_peer_drop(peer, error ? error : kp_status_text(status));
        return;
    }
    note_lag(peer);
    if (kp_kieker_stream_memory(peer->stream) > server->settings->peer_bytes + RECORD_BYTES)
        kp_peer_drop(peer, "it takes more than --peer-memory");
    else if (server->output->kind->stream_pause)
        server->output->kind->stream_pause(server->output, peer);
}

void kp_peer_kieker_end(struct kp_peer *peer, const char *lost)
{
    struct kp_server *server = peer->server;
    if (peer->stream && kp_kieker_stream_pending(peer->stream)) {
        server->metrics.records_lost++;
        if (!lost)
            lost = "the stream ended in the middle of a record";
    }
    server->metrics.streams_ended += peer->stream && !lost;
    if (peer->sink)
        server->output->kind->stream_close(server->output, peer, lost);
    peer->sink = NULL;
    server->metrics.trace_ids_changed += peer->ids.changed;
    kp_peer_ids_free(&peer->ids);
    free(peer->strings);
    peer->strings = NULL;
    free(peer->rewrite.copy);
    peer->rewrite.copy = NULL;
    kp_kieker_stream_destroy(peer->stream);
    peer->stream = NULL;
}

uint64_t kp_peer_salt(const struct kp_peer *peer)
{
    uint64_t salt;
    if (getrandom(&salt, sizeof salt, 0) != sizeof salt)
        salt = uv_hrtime() ^ peer->number << 48;
    return salt;
}

void kp_peer_finish_import(struct kp_server *server, struct kp_kieker_import *import, const char *peer,
                           const char *lost)
{
    struct kp_metrics *metrics = &server->metrics;
    metrics->output_errors += kp_kieker_import_finish(import, lost) != KP_OK;
    const struct kp_kieker_import_counts *counts = kp_kieker_import_counts(import);
    metrics->records_skipped += counts->skipped;
    metrics->records_lost += counts->invalid;
    metrics->records_written += counts->records - counts->skipped - counts->invalid;
    if (counts->invalid)
        kp_journal(KP_JOURNAL_PEER, "%s: %" PRIu64 " records fit no trace", peer, counts->invalid);
    kp_kieker_import_destroy(import);
}
