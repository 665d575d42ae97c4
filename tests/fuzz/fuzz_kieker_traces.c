/*
 * Any events, and the chunks of any bytes, become a Kieker log that the original analysis takes: one root a
 * trace, orders without gaps, ends that fit their begins; eoi and ess likewise. Whoever takes the bytes
 * refuses now and then. The first byte says what is asked for; if what follows begins like a trace it is
 * taken for its chunks, else each three bytes are an event.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kieker_record.h"
#include "trace/function.h"
#include "trace/kieker/traces.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

#define DEMAND(condition)                                                                                    \
    do {                                                                                                     \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                          \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

enum letter { OTHER, METADATA, BEFORE, AFTER, FAILED, SPLIT, EXECUTION };

/* --- the log, as a reader of it sees it ------------------------------------------------------------- */

struct trace {
    int64_t id, time;
    int32_t order;
    uint32_t (*open)[2]; /* operation and class */
    size_t count, room;
    bool ended;
    /* Executions: how deep each one was, by eoi; -1: not come. */
    int32_t *ess;
    size_t executions, ess_room;
};

static struct {
    struct trace *traces;
    size_t count, room;
    uint8_t letters[256]; /* of classes, by id */
    uint32_t strings;
    unsigned refusals, calls;
    uint64_t pairs, executions;
} log_seen;

static struct trace *find_trace(int64_t id)
{
    for (size_t i = log_seen.count; i-- > 0;)
        if (log_seen.traces[i].id == id)
            return &log_seen.traces[i];
    return NULL;
}

static struct trace *add_trace(int64_t id)
{
    DEMAND(!find_trace(id));
    if (log_seen.count == log_seen.room) {
        log_seen.room = log_seen.room ? 2 * log_seen.room : 64;
        log_seen.traces = realloc(log_seen.traces, log_seen.room * sizeof *log_seen.traces);
        DEMAND(log_seen.traces);
    }
    log_seen.traces[log_seen.count] = (struct trace){.id = id};
    return &log_seen.traces[log_seen.count++];
}

static void take_event(enum letter letter, const uint8_t *at)
{
    struct trace *trace = find_trace((int64_t)kieker_get_64(at + 8));
    uint32_t operation = kieker_get_32(at + 20), class_name = kieker_get_32(at + 24);

    DEMAND(trace && !trace->ended && (int32_t)kieker_get_32(at + 16) == trace->order);
    DEMAND((int64_t)kieker_get_64(at) >= trace->time);
    trace->time = (int64_t)kieker_get_64(at);
    trace->order++;
    if (letter == SPLIT) {
        DEMAND(trace->count);
        return;
    }
    DEMAND(operation < log_seen.strings && class_name < log_seen.strings);
    if (letter == BEFORE) {
        if (trace->count == trace->room) {
            trace->room = trace->room ? 2 * trace->room : 16;
            trace->open = realloc(trace->open, trace->room * sizeof *trace->open);
            DEMAND(trace->open);
        }
        trace->open[trace->count][0] = operation;
        trace->open[trace->count++][1] = class_name;
        log_seen.pairs++;
        return;
    }
    DEMAND(letter != FAILED || kieker_get_32(at + 28) < log_seen.strings);
    DEMAND(trace->count);
    trace->count--;
    DEMAND(trace->open[trace->count][0] == operation && trace->open[trace->count][1] == class_name);
    trace->ended = !trace->count;
}

static void take_execution(const uint8_t *at)
{
    int64_t id = (int64_t)kieker_get_64(at + 8);
    int32_t eoi = (int32_t)kieker_get_32(at + 36), ess = (int32_t)kieker_get_32(at + 40);
    struct trace *trace = find_trace(id);

    if (!trace)
        trace = add_trace(id);
    DEMAND(kieker_get_64(at + 16) <= kieker_get_64(at + 24) && eoi >= 0 && ess >= 0);
    if ((size_t)eoi >= trace->ess_room) {
        size_t room = 2 * ((size_t)eoi + 16);

        trace->ess = realloc(trace->ess, room * sizeof *trace->ess);
        DEMAND(trace->ess);
        memset(trace->ess + trace->ess_room, 0xff, (room - trace->ess_room) * sizeof *trace->ess);
        trace->ess_room = room;
    }
    DEMAND(trace->ess[eoi] == -1);
    trace->ess[eoi] = ess;
    trace->executions++;
    log_seen.executions++;
}

static size_t take_record(const uint8_t *at, size_t left)
{
    static const size_t sizes[] = {
        [METADATA] = 36, [BEFORE] = 28, [AFTER] = 28, [FAILED] = 32, [SPLIT] = 20, [EXECUTION] = 44};
    uint32_t number = kieker_get_32(at);
    enum letter letter;

    DEMAND(left >= 12 && number < log_seen.strings && number < sizeof log_seen.letters);
    DEMAND((int64_t)kieker_get_64(at + 4) >= 0);
    letter = (enum letter)log_seen.letters[number];
    /* A record of the program's own ends the batch of its event; nobody knows its bytes here. */
    if (letter == OTHER)
        return left;
    DEMAND(left >= 12 + sizes[letter]);
    if (letter == METADATA)
        add_trace((int64_t)kieker_get_64(at + 12));
    else if (letter == EXECUTION)
        take_execution(at + 12);
    else
        take_event(letter, at + 12);
    return 12 + sizes[letter];
}

static bool refuses(void)
{
    return log_seen.refusals && log_seen.calls++ % log_seen.refusals != 0;
}

static enum kp_status take_map(void *user, const void *bytes, size_t count)
{
    static const struct {
        const char *name;
        enum letter letter;
    } rows[] = {{".TraceMetadata", METADATA},       {".BeforeOperationEvent", BEFORE},
                {".AfterOperationEvent", AFTER},    {".AfterOperationFailedEvent", FAILED},
                {".concurrency.SplitEvent", SPLIT}, {".OperationExecutionRecord", EXECUTION}};
    const char *at = bytes, *end = at + count;

    (void)user;
    if (refuses())
        return KP_ERROR_FULL;
    for (const char *line_end; at < end; at = line_end + 1) {
        char line[4200], expected[32];

        line_end = memchr(at, '\n', (size_t)(end - at));
        DEMAND(line_end && line_end - at < 4100);
        snprintf(line, sizeof line, "%.*s", (int)(line_end - at), at);
        snprintf(expected, sizeof expected, "$%u=", log_seen.strings);
        DEMAND(strncmp(line, expected, strlen(expected)) == 0);
        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            if (strncmp(line + strlen(expected), "kieker.common.record.", 21) == 0 &&
                strlen(line) > strlen(rows[i].name) && log_seen.strings < sizeof log_seen.letters &&
                strcmp(line + strlen(line) - strlen(rows[i].name), rows[i].name) == 0)
                log_seen.letters[log_seen.strings] = (uint8_t)rows[i].letter;
        log_seen.strings++;
    }
    return KP_OK;
}

static enum kp_status take_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    const uint8_t *at = bytes;
    size_t left = count;

    (void)user;
    if (refuses())
        return KP_ERROR_FULL;
    for (; left; records--) {
        size_t taken = take_record(at, left);

        at += taken;
        left -= taken;
        DEMAND(records);
    }
    DEMAND(!records);
    return KP_OK;
}

static void check_end(const struct kp_kieker_counts *counts, bool executions)
{
    for (size_t i = 0; i < log_seen.count; i++) {
        const struct trace *trace = &log_seen.traces[i];

        DEMAND(executions ? trace->executions > 0 : trace->ended);
        for (size_t k = 0; k < trace->executions; k++)
            DEMAND(trace->ess[k] >= 0 &&
                   (k ? trace->ess[k] > 0 && trace->ess[k] <= trace->ess[k - 1] + 1 : trace->ess[k] == 0));
        free(trace->open);
        free(trace->ess);
    }
    DEMAND((executions ? log_seen.executions : log_seen.pairs) == counts->calls + counts->segments);
    DEMAND(log_seen.count == counts->traces);
    free(log_seen.traces);
}

/* --- events ------------------------------------------------------------------------------------------ */

enum { FUNCTIONS = 8 };

static void define(struct kp_kieker_process *process)
{
    static const uint32_t flags[FUNCTIONS] = {
        [2] = KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE,
        [3] = KP_FUNCTION_FACTS | KP_FUNCTION_GENERATOR,
        [4] = KP_FUNCTION_FACTS | KP_FUNCTION_ASYNC_GENERATOR,
        [5] = KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE,
    };
    char name[] = "m.0";

    for (uint32_t i = 0; i + 1 < FUNCTIONS; i++) { /* the last one is not defined */
        struct kp_kieker_function_facts facts = {.id = i,
                                                 .flags = flags[i],
                                                 .kind = i == 6 ? KP_FUNCTION_EXCEPTION : KP_FUNCTION_PYTHON,
                                                 .name = name,
                                                 .file = ""};

        name[2] = (char)('0' + i);
        DEMAND(kp_kieker_process_function(process, &facts) == KP_OK);
    }
}

static void give(struct kp_kieker_process *process, const struct kp_event *event, uint32_t thread)
{
    size_t taken = 0;
    enum kp_status status;

    do
        status = kp_kieker_process_events(process, thread, event, 1, &taken);
    while (status == KP_ERROR_FULL);
    DEMAND(status == KP_OK && taken == 1);
}

static void run_events(struct kp_kieker_traces *traces, const uint8_t *data, size_t bytes)
{
    struct kp_kieker_process *process = kp_kieker_process_begin(traces, "1", "h");
    enum kp_status status;

    DEMAND(process);
    define(process);
    DEMAND(kp_kieker_process_thread(process, 1, 1, 3) == KP_OK);
    for (size_t i = 0; i + 3 <= bytes; i += 3) {
        struct kp_event event = {.time = 10 * i + data[i + 2],
                                 .value = data[i + 2] & 7,
                                 .value2 = data[i + 2],
                                 .id = data[i + 1] & 7,
                                 .depth = data[i + 1] >> 3 & 15,
                                 .kind = data[i] % 10};

        if (event.kind == KP_EVENT_VALUES)
            event.id = data[i + 1] & 1 ? KP_VALUES_EXCEPTION : KP_VALUES_RECORD;
        if (event.kind == 9)
            DEMAND((status = kp_kieker_process_thread_end(process, data[i] >> 7, event.time)) == KP_OK ||
                   status == KP_ERROR_FULL);
        else
            give(process, &event, data[i] >> 7);
    }
    while ((status = kp_kieker_process_end(process, bytes)) == KP_ERROR_FULL)
        ;
    DEMAND(status == KP_OK);
}

/* --- chunks ------------------------------------------------------------------------------------------ */

static void run_chunks(struct kp_kieker_traces *traces, const uint8_t *data, size_t bytes)
{
    struct kp_kieker_section *section = kp_kieker_section_begin(traces);

    DEMAND(section);
    for (size_t at = 0; at + sizeof(struct kp_chunk_header) <= bytes; at++) {
        struct kp_chunk_header header;
        uint8_t *payload;
        enum kp_status status;

        memcpy(&header, data + at, sizeof header);
        if (header.magic != KP_CHUNK_MAGIC || header.payload_bytes > bytes - at - sizeof header)
            continue;
        do {
            /* Each time at another place. */
            payload = malloc(header.payload_bytes + 1);
            memcpy(payload, data + at + sizeof header, header.payload_bytes);
            status = kp_kieker_section_chunk(section, &header, payload);
            free(payload);
        } while (status == KP_ERROR_FULL);
        at += sizeof header + header.payload_bytes - 1;
    }
    while (kp_kieker_section_end(section) == KP_ERROR_FULL)
        ;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct kp_kieker_traces_options options = {.no_metadata = true};
    struct kp_kieker_output_ops ops = {.map = take_map, .data = take_data};
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces;

    if (bytes < 2)
        return 0;
    memset(&log_seen, 0, sizeof log_seen);
    options.executions = data[0] & 1;
    options.most_events = data[0] & 2 ? 20 : 0;
    log_seen.refusals = data[0] >> 2 & 3;
    output = kp_kieker_output_create(KP_KIEKER_BINARY, &ops, NULL);
    DEMAND(output);
    kp_kieker_output_limit(output, log_seen.refusals ? 64 : 0, data[1] == 0x89);
    traces = kp_kieker_traces_create(output, &options);
    DEMAND(traces);
    if (data[1] == 0x89)
        run_chunks(traces, data + 1, bytes - 1);
    else
        run_events(traces, data + 1, bytes - 1);
    log_seen.refusals = 0;
    DEMAND(kp_kieker_output_flush(output) == KP_OK);
    check_end(kp_kieker_traces_counts(traces), options.executions);
    kp_kieker_traces_destroy(traces);
    kp_kieker_output_destroy(output);
    return 0;
}
