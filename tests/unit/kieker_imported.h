/* A text or stream of Kieker's to what a reader gives of the trace it became, as lines. */
#ifndef KP_TESTS_KIEKER_IMPORTED_H
#define KP_TESTS_KIEKER_IMPORTED_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/kieker/import.h"
#include "trace/reader.h"

static int trace_fd = -1;

static inline enum kp_status write_trace(void *user, const void *bytes, size_t count)
{
    (void)user;
    return write(trace_fd, bytes, count) == (ssize_t)count ? KP_OK : KP_ERROR_SYSTEM;
}

static inline struct kp_kieker_import *begin_import(size_t most_bytes)
{
    const struct kp_kieker_import_options options = {
        .name = "log", .write = write_trace, .most_bytes = most_bytes};

    trace_fd = memfd_create("imported", MFD_CLOEXEC);
    return kp_kieker_import_create(&options);
}

/* Metadata comes last, wherever it stands. */
static inline void print_item(FILE *out, FILE *last, const struct kp_reader *reader,
                              const struct kp_item *item)
{
    if (item->kind == KP_ITEM_PROCESS)
        fprintf(out, "process %s\n", item->process->host);
    if (item->kind == KP_ITEM_THREAD)
        fprintf(out, "thread %u %u %s\n", item->thread->number, item->thread->tid, item->thread->name);
    if (item->kind == KP_ITEM_DAMAGE)
        fprintf(out, "damage %s\n", item->text);
    if (item->kind == KP_ITEM_META)
        fprintf(last, "%s: %s\n", item->key, item->value);
    for (size_t i = 0; item->kind == KP_ITEM_EVENTS && i < item->count; i++) {
        const struct kp_event *event = &item->events[i];
        bool values = event->kind == KP_EVENT_VALUES;
        const struct kp_function *function =
            kp_reader_function(reader, item->process, values ? (uint32_t)event->value : event->id);

        fprintf(out, "%" PRIu64 " %u %s %u %s\n", event->time, item->thread->number,
                kp_event_kind_text(event->kind), event->depth, function ? function->name : "");
    }
}

/* What the trace holds; the caller frees. Closes it. */
static inline char *read_imported(void)
{
    char path[64], error[512], *text = NULL, *more = NULL;
    const char *paths[] = {path};
    struct kp_reader *reader;
    struct kp_item item;
    size_t count, more_count;
    FILE *out = open_memstream(&text, &count), *last = open_memstream(&more, &more_count);

    snprintf(path, sizeof path, "/proc/self/fd/%d", trace_fd);
    if (kp_reader_open(&reader, paths, 1, KP_READ_NO_LEFTOVER, error, sizeof error) == KP_OK) {
        while (kp_reader_next(reader, &item) == KP_OK)
            print_item(out, last, reader, &item);
        kp_reader_close(reader);
    } else {
        fprintf(out, "%s", error);
    }
    fclose(last);
    fputs(more, out);
    fclose(out);
    free(more);
    close(trace_fd);
    trace_fd = -1;
    return text;
}

static inline void feed_log(struct kp_kieker_import *import, const struct kp_kieker_input_ops *ops,
                            const char *map, const char *data, size_t count, bool binary, size_t piece)
{
    struct kp_kieker_log_reader *reader = kp_kieker_log_reader_create(ops, import, NULL);

    kp_kieker_log_reader_map(reader, "kieker.map", map, strlen(map));
    kp_kieker_log_reader_begin(reader, "kieker-1.dat", binary);
    for (size_t at = 0; at < count; at += piece)
        if (kp_kieker_log_reader_data(reader, data + at, count - at < piece ? count - at : piece) != KP_OK)
            break;
    kp_kieker_log_reader_end(reader);
    kp_kieker_log_reader_destroy(reader);
}

static inline char *import_text(const char *map, const char *data)
{
    struct kp_kieker_import *import = begin_import(0);

    feed_log(import, &kp_kieker_import_ops, map, data, strlen(data), false, strlen(data) + 1);
    kp_kieker_import_finish(import, NULL);
    kp_kieker_import_destroy(import);
    return read_imported();
}

#endif
