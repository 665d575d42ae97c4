/* Outputs kieker-text:FOLDER and kieker-binary:FOLDER: a log for each peer, or one for all with --merge. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "output_kieker.h"
#include "peer.h"
#include "retention.h"
#include "section_notes.h"
#include "server.h"
#include "util/memory.h"

enum { NOTES_KEPT_S = 7 * 86400 };

static void free_output(struct kp_output_kieker *output)
{
    kp_trace_ids_free(&output->ids);
    free(output->folder);
    free(output);
}

static struct kp_output *open_form(struct kp_server *server, enum kp_kieker_form form, const char *place,
                                   char *error, size_t bytes)
{
    if (!*place || (mkdir(place, 0700) && errno != EEXIST)) {
        snprintf(error, bytes, "'%s': %s", place, *place ? strerror(errno) : "a folder is missing");
        return NULL;
    }
    struct kp_output_kieker *output = kp_allocate_cleared(1, sizeof *output);
    output->output.server = server;
    output->form = form;
    output->folder = kp_copy_text(place);
    kp_section_notes_clean(place, NOTES_KEPT_S);
    if (!server->settings->merge)
        return &output->output;
    output->output.ids = &output->ids;
    output->shared = kp_kieker_sink_open(output, "merged", error, bytes);
    if (output->shared)
        return &output->output;
    free_output(output);
    return NULL;
}

static struct kp_output *open_text(struct kp_server *server, const char *place, char *error, size_t bytes)
{
    return open_form(server, KP_KIEKER_TEXT, place, error, bytes);
}

static struct kp_output *open_binary(struct kp_server *server, const char *place, char *error, size_t bytes)
{
    return open_form(server, KP_KIEKER_BINARY, place, error, bytes);
}

/* --forward kieker-tcp:// */
static struct kp_output *open_stream(struct kp_server *server, const char *place, char *error, size_t bytes)
{
    struct kp_output_kieker *output = kp_allocate_cleared(1, sizeof *output);
    output->output.server = server;
    output->output.ids = &output->ids;
    output->form = KP_KIEKER_STREAM;
    if (kp_address_parse(&output->address, place, KP_SCHEME_KIEKER_TCP, error, bytes)) {
        output->shared = kp_kieker_flow_open(output, &output->address);
        if (output->shared)
            return &output->output;
        snprintf(error, bytes, "no memory");
    }
    free_output(output);
    return NULL;
}

static bool stream_open(struct kp_output *base, struct kp_peer *peer, char *error, size_t bytes)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    struct kp_kieker_sink *sink =
        output->shared ? output->shared : kp_kieker_sink_open(output, peer->host, error, bytes);
    if (!sink)
        return false;
    sink->users++;
    peer->sink = sink;
    return true;
}

static enum kp_status stream_record(struct kp_output *base, struct kp_peer *peer,
                                    const struct kieker_record_type *type, int64_t logging_ns,
                                    const void *record)
{
    struct kp_kieker_sink *sink = peer->sink;
    (void)base;
    return kp_kieker_put_quickly(sink->output, peer, type, logging_ns, record);
}

static void stream_close(struct kp_output *base, struct kp_peer *peer, const char *lost)
{
    struct kp_kieker_sink *sink = peer->sink;
    (void)base;
    (void)lost;
    kp_kieker_sink_flush(sink);
    kp_kieker_sink_release(sink);
}

static void retry(struct kp_output_kieker *output)
{
    bool all = true;
    for (struct kp_kieker_sink *sink = output->sinks, *next; sink; sink = next) {
        next = sink->next;
        if (!kp_kieker_sink_retry(sink))
            all = false;
        else if (!sink->users && sink != output->shared)
            kp_kieker_sink_close(sink);
    }
    if (all)
        kp_server_block(output->output.server, false, "there is room again");
}

static void note_waiting(struct kp_output_kieker *output)
{
    uint64_t bytes = 0;
    for (const struct kp_kieker_sink *sink = output->sinks; sink; sink = sink->next)
        bytes += sink->backlog.bytes;
    output->output.server->metrics.output_waiting_bytes = bytes;
}

/* The newest data file of a log that is being written. */
static bool is_busy(void *user, const char *path)
{
    const struct kp_output_kieker *output = user;
    const char *name = strrchr(path, '/') + 1, *ending = strrchr(path, '.');
    for (const struct kp_kieker_sink *sink = output->sinks; sink; sink = sink->next) {
        if (strncmp(sink->path, path, strlen(sink->path)) != 0 || sink->path[name - path - 1])
            continue;
        DIR *entries = opendir(sink->path);
        struct dirent *entry;
        bool newest = true;
        while (entries && (entry = readdir(entries))) {
            const char *other = strrchr(entry->d_name, '.');
            newest = newest && !(other && !strcmp(other, ending) && strcmp(entry->d_name, name) > 0);
        }
        if (entries)
            closedir(entries);
        return newest;
    }
    return false;
}

static void tidy(struct kp_output_kieker *output, uint64_t now_ms)
{
    static const char *const endings[] = {".dat", ".bin", NULL};
    const struct kp_serve_settings *settings = output->output.server->settings;
    if (now_ms - output->tidied_ms < KP_TIDY_MS || !output->folder)
        return;
    output->tidied_ms = now_ms;
    output->output.server->metrics.files_removed +=
        kp_retention_apply(settings, output->folder, true, endings, is_busy, output);
}

static void tick(struct kp_output *base, uint64_t now_ms)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    if (base->server->blocked && output->folder)
        retry(output);
    for (struct kp_kieker_sink *sink = output->sinks; sink; sink = sink->next) {
        kp_kieker_sink_flush(sink);
        if (sink->log)
            kp_kieker_log_tick(sink->log);
        else
            kp_kieker_flow_tick(sink, now_ms);
    }
    kp_kieker_sections_tick(output, now_ms);
    tidy(output, now_ms);
    note_waiting(output);
}

static bool waits(struct kp_output *base)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    if (output->folder)
        return base->server->blocked;
    kp_kieker_sink_flush(output->shared);
    return output->shared->backlog.first != NULL;
}

/* What is open in sections ends while it can still be sent. */
static void stop(struct kp_output *base)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    kp_kieker_sections_end(output);
    if (!output->folder)
        kp_kieker_flow_stop(output->shared);
}

static enum kp_status close_output(struct kp_output *base)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    enum kp_status status = KP_OK;
    kp_kieker_sections_end(output);
    output->shared = NULL;
    while (output->sinks)
        if (kp_kieker_sink_close(output->sinks) != KP_OK)
            status = KP_ERROR_FULL;
    free_output(output);
    return status;
}

#define KIEKER_ROW                                                                                           \
    .section_open = kp_kieker_section_open, .section_chunks = kp_kieker_section_chunks,                      \
    .section_close = kp_kieker_section_close, .stream_open = stream_open, .stream_record = stream_record,    \
    .stream_close = stream_close, .tick = tick, .waits = waits, .stop = stop, .close = close_output

const struct kp_output_kind kp_output_kieker_text = {.prefix = "kieker-text:", .open = open_text, KIEKER_ROW};
const struct kp_output_kind kp_output_kieker_binary = {
    .prefix = "kieker-binary:", .open = open_binary, KIEKER_ROW};
const struct kp_output_kind kp_output_forward_kieker = {
    .prefix = "kieker-tcp://", .forwards = true, .open = open_stream, KIEKER_ROW};
