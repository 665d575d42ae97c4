/* Kieker streams as kprobe traces: one each. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "backlog.h"
#include "journal.h"
#include "output_trace.h"
#include "peer.h"
#include "server.h"
#include "trace/kieker/import.h"
#include "trace/leftover.h"
#include "util/memory.h"

/* Memory for what waits for the end of its trace, of one peer. */
enum { FLUSH_MS = 1000 };

struct kp_trace_stream {
    struct kp_trace_stream *next;
    struct kp_output_trace *output;
    struct kp_kieker_import *import; /* NULL: it is over, and its rest waits for room */
    struct kp_trace_file file;
    struct kp_backlog backlog;
    struct kp_file_facts facts;
    char peer[64];
    uint64_t began_ms, flushed_ms;
    uint64_t begun, ended; /* calls of the peer before this file */
};

static enum kp_status put(struct kp_trace_stream *stream, const void *bytes, size_t count)
{
    enum kp_status status = KP_OK;
    if (stream->file.fd < 0)
        status = kp_trace_make_file(stream->output, &stream->file, &stream->facts);
    if (status == KP_OK)
        status = kp_trace_file_append(&stream->file, bytes, count);
    if (status == KP_OK)
        stream->output->output.server->metrics.bytes_written += count;
    return status;
}

static enum kp_status take_chunks(void *user, const void *bytes, size_t count)
{
    struct kp_trace_stream *stream = user;
    enum kp_status status = stream->backlog.first ? KP_ERROR_FULL : put(stream, bytes, count);
    if (status == KP_OK)
        return KP_OK;
    kp_backlog_add(&stream->backlog, 0, bytes, count, 0);
    kp_server_block(stream->output->output.server, true,
                    status == KP_ERROR_FULL ? "the disk is full" : strerror(errno));
    return KP_OK;
}

static struct kp_kieker_import *make_import(struct kp_trace_stream *stream, const struct kp_peer *peer)
{
    struct kp_kieker_import_options options = {.host = peer->host,
                                               .name = stream->peer,
                                               .salt = kp_peer_salt(peer),
                                               .zstd = &stream->output->zstd,
                                               .most_bytes =
                                                   stream->output->output.server->settings->peer_bytes,
                                               .write = take_chunks,
                                               .user = stream};
    return kp_kieker_import_create(&options);
}

static void describe(struct kp_trace_stream *stream, const struct kp_peer *peer)
{
    const char *port = strrchr(peer->channel.peer, ':');
    uint8_t uuid[16] = {0};
    if (getrandom(uuid, sizeof uuid, 0) != sizeof uuid)
        memcpy(uuid, &peer->number, sizeof peer->number);
    stream->facts = (struct kp_file_facts){.pid = port ? strtoull(port + 1, NULL, 10) : peer->number,
                                           .start_s = (uint64_t)time(NULL),
                                           .program = "kieker"};
    snprintf(stream->facts.host, sizeof stream->facts.host, "%s", peer->host);
    kp_uuid_hex(stream->facts.uuid, uuid);
    snprintf(stream->peer, sizeof stream->peer, "%s", peer->channel.peer);
}

static struct kp_trace_stream *begin(struct kp_output_trace *output, struct kp_peer *peer)
{
    struct kp_trace_stream *stream = kp_allocate_cleared(1, sizeof *stream);
    stream->output = output;
    stream->file.fd = -1;
    stream->began_ms = stream->flushed_ms = uv_now(&output->output.server->loop);
    stream->begun = peer->begun;
    stream->ended = peer->ended;
    describe(stream, peer);
    stream->import = make_import(stream, peer);
    if (!stream->import) {
        free(stream);
        return NULL;
    }
    stream->next = output->streams;
    output->streams = stream;
    return stream;
}

bool kp_trace_stream_open(struct kp_output *base, struct kp_peer *peer, char *error, size_t bytes)
{
    peer->sink = begin((struct kp_output_trace *)base, peer);
    if (!peer->sink)
        snprintf(error, bytes, "no memory");
    return peer->sink != NULL;
}

enum kp_status kp_trace_stream_record(struct kp_output *base, struct kp_peer *peer,
                                      const struct kieker_record_type *type, int64_t logging_ns,
                                      const void *record)
{
    struct kp_trace_stream *stream = peer->sink;
    (void)base;
    return kp_kieker_import_record(stream->import, type, logging_ns, record);
}

enum kp_status kp_trace_stream_event(struct kp_output *base, struct kp_peer *peer,
                                     const struct kp_kieker_event *event)
{
    struct kp_trace_stream *stream = peer->sink;
    (void)base;
    return kp_kieker_import_event(stream->import, event);
}

/* --- end ---------------------------------------------------------------------------------------------- */

static void complete(struct kp_trace_stream *stream)
{
    struct kp_output_trace *output = stream->output;
    struct kp_trace_stream **at = &output->streams;
    while (*at != stream)
        at = &(*at)->next;
    *at = stream->next;
    kp_trace_file_close(&stream->file);
    if (stream->file.path && output->output.server->settings->merge)
        kp_trace_merge_part(output, stream->file.path);
    kp_trace_file_free(&stream->file);
    kp_backlog_clear(&stream->backlog);
    free(stream);
}

static void finish(struct kp_trace_stream *stream, const char *lost)
{
    kp_peer_finish_import(stream->output->output.server, stream->import, stream->peer, lost);
    stream->import = NULL;
    if (!stream->backlog.first)
        complete(stream);
}

void kp_trace_stream_close(struct kp_output *base, struct kp_peer *peer, const char *lost)
{
    (void)base;
    finish(peer->sink, lost);
}

/* A file is over when it is large or old, as soon as no call is open. */
void kp_trace_stream_pause(struct kp_output *base, struct kp_peer *peer)
{
    struct kp_output_trace *output = (struct kp_output_trace *)base;
    const struct kp_serve_settings *settings = base->server->settings;
    struct kp_trace_stream *stream = peer->sink, *fresh;
    uint64_t now_ms = uv_now(&base->server->loop);
    bool large = settings->rotate_bytes && stream->file.bytes >= settings->rotate_bytes;
    bool old = settings->rotate_ms && now_ms - stream->began_ms >= settings->rotate_ms;
    if (!(large || old) || peer->begun - stream->begun != peer->ended - stream->ended ||
        !(fresh = begin(output, peer)))
        return;
    base->server->metrics.rotations++;
    peer->sink = fresh;
    finish(stream, NULL);
}

/* --- time --------------------------------------------------------------------------------------------- */

static bool retry(struct kp_trace_stream *stream)
{
    while (stream->backlog.first) {
        if (put(stream, stream->backlog.first->bytes, stream->backlog.first->count) != KP_OK)
            return false;
        kp_backlog_pop(&stream->backlog);
    }
    return true;
}

static void retry_all(struct kp_output_trace *output)
{
    bool all = true;
    for (struct kp_trace_stream *stream = output->streams, *next; stream; stream = next) {
        next = stream->next;
        if (!retry(stream))
            all = false;
        else if (!stream->import)
            complete(stream);
    }
    if (all)
        kp_server_block(output->output.server, false, "there is room again");
}

bool kp_trace_streams_use(const struct kp_output_trace *output, const char *path)
{
    for (const struct kp_trace_stream *stream = output->streams; stream; stream = stream->next)
        if (stream->file.path && !strcmp(stream->file.path, path))
            return true;
    return false;
}

void kp_trace_streams_tick(struct kp_output_trace *output, uint64_t now_ms)
{
    uint64_t waiting = 0;
    if (output->output.server->blocked)
        retry_all(output);
    for (struct kp_trace_stream *stream = output->streams; stream; stream = stream->next) {
        waiting += stream->backlog.bytes;
        if (stream->import && now_ms - stream->flushed_ms >= FLUSH_MS) {
            stream->flushed_ms = now_ms;
            kp_kieker_import_flush(stream->import);
        }
    }
    output->output.server->metrics.output_waiting_bytes = waiting;
}

enum kp_status kp_trace_streams_end(struct kp_output_trace *output)
{
    enum kp_status status = KP_OK;
    for (struct kp_trace_stream *stream = output->streams, *next; stream; stream = next) {
        next = stream->next;
        if (!retry(stream)) {
            status = KP_ERROR_FULL;
            kp_journal(KP_JOURNAL_ALWAYS, "%s: %zu bytes could not be written any more",
                       stream->file.path ? stream->file.path : output->folder, stream->backlog.bytes);
        }
        complete(stream);
    }
    return status;
}
