/*
 * What it costs to make Kieker's records of a thread's events: nanoseconds per record, of CPU time, from
 * events and from the chunks that a shim seals, to each form. The bytes go nowhere.
 *
 *   trace_speed [MILLIONS]      of records for each number (20)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "trace/chunk.h"
#include "trace/def.h"
#include "trace/function.h"
#include "trace/kieker/traces.h"

enum { FUNCTIONS = 100, SLOTS = 8000 };

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static enum kp_status drop_map(void *user, const void *bytes, size_t count)
{
    (void)user;
    (void)bytes;
    (void)count;
    return KP_OK;
}

static enum kp_status drop_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    (void)bytes;
    (void)records;
    *(uint64_t *)user += count;
    return KP_OK;
}

static const struct kp_kieker_output_ops drop = {.map = drop_map, .data = drop_data};

/* Calls between depth 5 and 13, as a program has them; `slots` and `events` are the same. */
static struct kp_slot slots[SLOTS];
static struct kp_event events[SLOTS];

static void make_events(void)
{
    uint32_t stack[16] = {0}, depth = 5, random = 1;
    for (size_t i = 0; i < SLOTS; i++) {
        random = random * 1664525 + 1013904223;
        /* As many leave as enter, so that the piece may be repeated. */
        bool enter = depth == 5 || (depth < 13 && depth - 5 + 1 < SLOTS - i && random >> 31);
        uint64_t time = 1000000000 + 30 * i;
        if (enter)
            stack[depth] = 1 + (random >> 8) % FUNCTIONS;
        else
            depth--;
        unsigned kind = enter ? KP_EVENT_ENTER : KP_EVENT_EXIT;
        events[i] =
            (struct kp_event){.time = time, .kind = (uint8_t)kind, .id = stack[depth], .depth = depth};
        slots[i] = (struct kp_slot){.time = time};
        slots[i].id = stack[depth];
        slots[i].kind_depth = KP_SLOT_PACK(kind, depth);
        depth += enter;
    }
}

static void name(char *text, size_t room, unsigned i)
{
    snprintf(text, room, "shop.orders.module_%u.Basket%u.add_product", i % 7, i % 13);
}

struct target {
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces;
    uint64_t bytes;
};

static void open_target(struct target *target, enum kp_kieker_form form, bool executions)
{
    struct kp_kieker_traces_options options = {.executions = executions};
    target->bytes = 0;
    target->output = kp_kieker_output_create(form, &drop, &target->bytes);
    target->traces = target->output ? kp_kieker_traces_create(target->output, &options) : NULL;
    if (!target->traces)
        abort();
}

static void close_target(struct target *target, const char *what, const char *form, double ns)
{
    uint64_t records = kp_kieker_output_records(target->output);
    kp_kieker_output_flush(target->output);
    printf("%-8s %-18s %6.1f ns per record, %5.1f M records/s, %5.1f bytes per record\n", what, form,
           ns / (double)records, 1e3 * (double)records / ns, (double)target->bytes / (double)records);
    kp_kieker_traces_destroy(target->traces);
    kp_kieker_output_destroy(target->output);
}

static void from_events(enum kp_kieker_form form, bool executions, const char *name_of_form,
                        unsigned long count)
{
    struct target target;
    char text[128];
    open_target(&target, form, executions);
    struct kp_kieker_process *process = kp_kieker_process_begin(target.traces, "00", "host");
    for (unsigned i = 1; i <= FUNCTIONS; i++) {
        struct kp_kieker_function_facts facts = {.id = i,
                                                 .kind = KP_FUNCTION_PYTHON,
                                                 .name = text,
                                                 .file = "",
                                                 .flags = KP_FUNCTION_FACTS,
                                                 .parameters = 2};
        name(text, sizeof text, i);
        kp_kieker_process_function(process, &facts);
    }
    double start = now_ns();
    for (unsigned long i = 0; i < count; i += SLOTS)
        kp_kieker_process_events(process, 0, events, SLOTS, NULL);
    kp_kieker_process_end(process, 0);
    close_target(&target, "events", name_of_form, now_ns() - start);
}

static struct kp_chunk_header *make_defs(uint8_t *out)
{
    static uint8_t records[FUNCTIONS * KP_DEF_ROOM(128)];
    static const struct kp_zstd raw;
    size_t bytes = 0;
    char text[128];
    for (unsigned i = 1; i <= FUNCTIONS; i++) {
        name(text, sizeof text, i);
        struct kp_def def = {.type = KP_DEF_FUNCTION,
                             .function = {.id = i,
                                          .kind = KP_FUNCTION_PYTHON,
                                          .name = {text, strlen(text)},
                                          .file = {"", 0},
                                          .flags = KP_FUNCTION_FACTS,
                                          .parameters = 2}};
        bytes += kp_def_put(records + bytes, &def);
    }
    struct kp_chunk_header *header = (struct kp_chunk_header *)out;
    uint8_t *payload = out + sizeof *header, *end = kp_blob_put(payload, records, bytes, &raw);
    kp_chunk_seal(header, KP_CHUNK_DEFS, 1, (uint32_t)(end - payload));
    return header;
}

/* With the encoding, as the shim's writer does it. */
static void from_chunks(enum kp_kieker_form form, const char *name_of_form, unsigned long count)
{
    static struct kp_encoder encoder;
    static const struct kp_zstd raw;
    struct target target;
    uint8_t *out = malloc(KP_CHUNK_EVENTS_ROOM);
    open_target(&target, form, false);
    struct kp_kieker_section *section = kp_kieker_section_begin(target.traces);
    if (!out || !section)
        abort();
    struct kp_chunk_header *header = make_defs(out);
    kp_kieker_section_chunk(section, header, header + 1);
    double start = now_ns();
    for (unsigned long i = 0; i < count; i += SLOTS) {
        kp_encode_begin(&encoder, 0, i, 0);
        kp_encode_slots(&encoder, slots, SLOTS);
        kp_chunk_events(out, &encoder, 2, &raw);
        kp_kieker_section_chunk(section, header, header + 1);
    }
    kp_kieker_section_end(section);
    close_target(&target, "chunks", name_of_form, now_ns() - start);
    free(out);
}

int main(int argc, char **argv)
{
    unsigned long count = (argc > 1 ? strtoul(argv[1], NULL, 10) : 20) * 1000000;
    make_events();
    from_events(KP_KIEKER_BINARY, false, "binary", count);
    from_events(KP_KIEKER_STREAM, false, "stream", count);
    from_events(KP_KIEKER_TEXT, false, "text", count);
    from_events(KP_KIEKER_BINARY, true, "binary executions", count);
    from_events(KP_KIEKER_TEXT, true, "text executions", count);
    from_chunks(KP_KIEKER_BINARY, "binary", count);
    from_chunks(KP_KIEKER_STREAM, "stream", count);
    from_chunks(KP_KIEKER_TEXT, "text", count);
    return 0;
}
