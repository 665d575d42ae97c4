/*
 * Any bytes as a Kieker stream, a text log, a binary log or a map, imported to a trace. The first byte says
 * as which, and in pieces of what size. What comes out is a trace that reads without damage of its own.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/kieker/import.h"
#include "trace/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* assert() is for other builds than those that measure. */
static void insist(bool truth)
{
    if (!truth)
        abort();
}

#define OPERATION "kieker.common.record.flow.trace.operation."

/* The classes that matter, and some strings, for binary logs. */
static const char map[] = "$0=kieker.common.record.misc.KiekerMetadataRecord\n"
                          "$1=kieker.common.record.flow.trace.TraceMetadata\n"
                          "$2=" OPERATION "BeforeOperationEvent\n"
                          "$3=" OPERATION "AfterOperationEvent\n"
                          "$4=" OPERATION "AfterOperationFailedEvent\n"
                          "$5=" OPERATION "CallOperationEvent\n"
                          "$6=kieker.common.record.controlflow.OperationExecutionRecord\n"
                          "$7=" OPERATION "EntryLevelBeforeOperationEvent\n"
                          "$8=void a.B.c(int)\n$9=a.B\n$10=NANOSECONDS\n";

static int trace;

static enum kp_status write_trace(void *user, const void *data, size_t bytes)
{
    (void)user;
    return write(trace, data, bytes) == (ssize_t)bytes ? KP_OK : KP_ERROR_SYSTEM;
}

static const struct kp_kieker_limits limits = {
    .string_bytes = 4096, .strings_bytes = 1 << 16, .record_bytes = 4096};

static void feed_stream(struct kp_kieker_import *import, const uint8_t *data, size_t bytes, size_t piece)
{
    struct kp_kieker_stream *stream = kp_kieker_stream_create(&kp_kieker_import_ops, import, &limits);

    for (size_t at = 0; at < bytes; at += piece)
        if (kp_kieker_stream_feed(stream, data + at, bytes - at < piece ? bytes - at : piece) != KP_OK)
            break;
    insist(kp_kieker_stream_pending(stream) <= 3 * 4096 + 16 + piece);
    insist(kp_kieker_stream_memory(stream) < 1 << 22);
    kp_kieker_stream_destroy(stream);
}

static void feed_log(struct kp_kieker_import *import, const uint8_t *data, size_t bytes, size_t piece,
                     unsigned form)
{
    struct kp_kieker_log_reader *reader = kp_kieker_log_reader_create(&kp_kieker_import_ops, import, &limits);

    kp_kieker_log_reader_map(reader, "a.map", map, sizeof map - 1);
    if (form == 3)
        kp_kieker_log_reader_map(reader, "b.map", data, bytes);
    kp_kieker_log_reader_begin(reader, "a.dat", form == 2);
    for (size_t at = 0; at < bytes; at += piece)
        if (kp_kieker_log_reader_data(reader, data + at, bytes - at < piece ? bytes - at : piece) != KP_OK)
            break;
    kp_kieker_log_reader_end(reader);
    kp_kieker_log_reader_destroy(reader);
}

/* Every event has a name, and the thread's counters are right; damage is that of the input. */
static void read_trace(void)
{
    char path[64], error[512];
    const char *const paths[] = {path};
    struct kp_reader *reader;
    struct kp_item item;

    snprintf(path, sizeof path, "/proc/self/fd/%d", trace);
    if (kp_reader_open(&reader, paths, 1, KP_READ_NO_LEFTOVER, error, sizeof error) != KP_OK)
        abort();
    while (kp_reader_next(reader, &item) == KP_OK) {
        for (size_t i = 0; item.kind == KP_ITEM_EVENTS && i < item.count; i++)
            insist(item.events[i].kind == KP_EVENT_VALUES || item.events[i].kind == KP_EVENT_LOST ||
                   kp_reader_function(reader, item.process, item.events[i].id));
        if (item.kind == KP_ITEM_THREAD_END)
            insist(item.thread->calls_made == item.thread->calls_read && !item.thread->gaps);
        if (item.kind == KP_ITEM_PROCESS_END)
            insist(item.process->complete);
    }
    kp_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    const struct kp_kieker_import_options options = {
        .name = "fuzz", .write = write_trace, .most_bytes = 1 << 20};
    struct kp_kieker_import *import;
    unsigned form;

    if (bytes < 2)
        return 0;
    form = data[0] & 3;
    trace = memfd_create("fuzz", MFD_CLOEXEC);
    import = kp_kieker_import_create(&options);
    if (form == 0)
        feed_stream(import, data + 1, bytes - 1, 1 + (data[0] >> 2));
    else
        feed_log(import, data + 1, bytes - 1, 1 + (data[0] >> 2), form);
    if (kp_kieker_import_finish(import, NULL) == KP_OK && lseek(trace, 0, SEEK_CUR) > 0)
        read_trace();
    kp_kieker_import_destroy(import);
    close(trace);
    return 0;
}
