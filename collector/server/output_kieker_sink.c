/* One Kieker log of a server, and what happens when it has no room. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "journal.h"
#include "output_kieker.h"
#include "retention.h"
#include "server.h"
#include "util/memory.h"

enum { BATCHES_A_FILE = 8, BATCH_BYTES = 1 << 16 };

/* What the log does not take waits, and the peers with it: the caller cannot keep a record. */
static enum kp_status hand_over(struct kp_kieker_sink *sink, int kind, const void *bytes, size_t count,
                                uint64_t records)
{
    struct kp_metrics *metrics = &sink->owner->output.server->metrics;
    enum kp_status status = KP_ERROR_FULL;
    sink->put_bytes += count;
    if (!sink->backlog.first)
        status = kind == KP_KIEKER_MAP ? kp_kieker_log_ops.map(sink->log, bytes, count)
                                       : kp_kieker_log_ops.data(sink->log, bytes, count, records);
    if (status == KP_OK) {
        sink->done_bytes += count;
        metrics->bytes_written += count;
        metrics->records_written += records;
        return KP_OK;
    }
    metrics->output_errors += status != KP_ERROR_FULL;
    kp_backlog_add(&sink->backlog, kind, bytes, count, records);
    kp_server_block(sink->owner->output.server, true,
                    status == KP_ERROR_FULL ? "the disk is full" : strerror(errno));
    return KP_OK;
}

static enum kp_status put_map(void *user, const void *bytes, size_t count)
{
    return hand_over(user, KP_KIEKER_MAP, bytes, count, 0);
}

static enum kp_status put_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    return hand_over(user, KP_KIEKER_DATA, bytes, count, records);
}

static const struct kp_kieker_output_ops sink_ops = {put_map, put_data};

bool kp_kieker_sink_retry(struct kp_kieker_sink *sink)
{
    struct kp_metrics *metrics = &sink->owner->output.server->metrics;
    while (sink->backlog.first && sink->log) {
        const struct kp_backlog_block *block = sink->backlog.first;
        enum kp_status status =
            block->kind == KP_KIEKER_MAP
                ? kp_kieker_log_ops.map(sink->log, block->bytes, block->count)
                : kp_kieker_log_ops.data(sink->log, block->bytes, block->count, block->records);
        if (status != KP_OK)
            return false;
        sink->done_bytes += block->count;
        metrics->bytes_written += block->count;
        metrics->records_written += block->records;
        kp_backlog_pop(&sink->backlog);
    }
    return !sink->backlog.first;
}

/* As Kieker names its logs; the nanoseconds make it unique. */
static char *log_path(const struct kp_output_kieker *output, const char *host)
{
    char stamp[32], safe[64];
    struct timespec now;
    struct tm utc;
    size_t i;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &utc);
    for (i = 0; host[i] && i + 1 < sizeof safe; i++)
        safe[i] = strchr("/\\ .", host[i]) || host[i] < ' ' ? '_' : host[i];
    safe[i] = 0;
    return kp_format_text("%s/" KP_LOG_BEGIN "%s-%" PRIu64 "-UTC-%s" KP_LOG_ENDING, output->folder, stamp,
                          uv_hrtime(), safe);
}

static struct kp_kieker_log *open_log(const struct kp_output_kieker *output, const char *host, char **path,
                                      char *error, size_t bytes)
{
    const struct kp_serve_settings *settings = output->output.server->settings;
    struct kp_kieker_log_options options = {.bytes_per_file = settings->rotate_bytes,
                                            .seconds_per_file = (settings->rotate_ms + 999) / 1000};
    struct kp_kieker_log *log = NULL;
    *path = log_path(output, host);
    if (kp_kieker_log_open(&log, *path, output->form, &options) == KP_OK)
        return log;
    snprintf(error, bytes, "no log can be made at %s: %s", *path, strerror(errno));
    free(*path);
    return NULL;
}

struct kp_kieker_sink *kp_kieker_sink_open(struct kp_output_kieker *output, const char *host, char *error,
                                           size_t bytes)
{
    const struct kp_serve_settings *settings = output->output.server->settings;
    char *path;
    struct kp_kieker_log *log = open_log(output, host, &path, error, bytes);
    if (!log)
        return NULL;
    struct kp_kieker_sink *sink = kp_allocate_cleared(1, sizeof *sink);
    sink->owner = output;
    sink->log = log;
    sink->path = path;
    sink->output = kp_kieker_output_create(output->form, &sink_ops, sink);
    if (!sink->output) {
        snprintf(error, bytes, "no memory");
        kp_kieker_log_close(log);
        free(path);
        free(sink);
        return NULL;
    }
    /* A file takes whole batches: they have to be smaller than it. */
    if (settings->rotate_bytes && settings->rotate_bytes / BATCHES_A_FILE < BATCH_BYTES)
        kp_kieker_output_limit(sink->output, settings->rotate_bytes / BATCHES_A_FILE + 1, 0);
    sink->next = output->sinks;
    output->sinks = sink;
    output->output.server->metrics.files_opened++;
    return sink;
}

struct kp_kieker_traces *kp_kieker_sink_traces(struct kp_kieker_sink *sink)
{
    const char *records = sink->owner->output.server->settings->records;
    struct kp_kieker_traces_options options = {.executions = !strcmp(records, "executions")};
    if (!sink->traces)
        sink->traces = kp_kieker_traces_create(sink->output, &options);
    return sink->traces;
}

enum kp_status kp_kieker_sink_flush(struct kp_kieker_sink *sink)
{
    enum kp_status status = kp_kieker_output_flush(sink->output);
    sink->owner->output.server->metrics.output_errors += status != KP_OK;
    return status;
}

void kp_kieker_sink_release(struct kp_kieker_sink *sink)
{
    if (--sink->users || sink == sink->owner->shared)
        return;
    kp_kieker_sink_flush(sink);
    if (kp_kieker_sink_retry(sink))
        kp_kieker_sink_close(sink);
    /* Else it stays until there is room. */
}

enum kp_status kp_kieker_sink_close(struct kp_kieker_sink *sink)
{
    struct kp_output_kieker *output = sink->owner;
    struct kp_kieker_sink **at = &output->sinks;
    while (*at != sink)
        at = &(*at)->next;
    *at = sink->next;
    kp_kieker_traces_destroy(sink->traces);
    enum kp_status flushed = kp_kieker_sink_flush(sink);
    bool whole = kp_kieker_sink_retry(sink);
    uint64_t lost = kp_backlog_records(&sink->backlog);
    output->output.server->metrics.records_lost += lost;
    if (!whole)
        kp_journal(KP_JOURNAL_ALWAYS, "%" PRIu64 " records could not be written any more", lost);
    kp_kieker_output_destroy(sink->output);
    enum kp_status closed = sink->log ? kp_kieker_log_close(sink->log) : KP_OK;
    kp_backlog_clear(&sink->backlog);
    free(sink->flow);
    free(sink->path);
    free(sink);
    return whole && flushed == KP_OK ? closed : KP_ERROR_FULL;
}
