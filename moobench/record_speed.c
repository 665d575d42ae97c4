/*
 * What it costs to write and read a record of generated C: nanoseconds per record, and how many times as long
 * as memcpy takes for the bytes of it.
 *
 *   record_speed [MILLIONS]     of records for each number (10)
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "kp_kieker.h"

#define ROOM (1 << 16)

static double now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Strings that know their id, as a writer would keep them that sees the same ones all the time. */
struct known {
    int32_t id;
    char text[96];
};

static struct known signatures[] = {
    {0, ""},
    {1, "public void app.orders.Basket.addProduct(app.products.Product, int)"},
    {2, "app.orders.Basket"},
    {3, "<no-session-id>"},
    {4, "host1.example.org"},
};

static int32_t known_id(void *user, const char *text)
{
    (void)user;
    return ((const struct known *)(const void *)(text - offsetof(struct known, text)))->id;
}

static const char *known_text(void *user, int32_t id)
{
    (void)user;
    return (uint32_t)id < sizeof signatures / sizeof *signatures ? signatures[id].text : NULL;
}

static volatile uint64_t sink;

struct run {
    const struct kieker_record_type *type;
    const char *what;
    const void *record;
    void *copy;
    struct kieker_registry *registry; /* NULL: known_id */
    unsigned long count;
};

static void prepare(const struct run *run, struct kieker_writer *writer, struct kieker_reader *reader)
{
    writer->string_id = run->registry ? kieker_registry_id : known_id;
    reader->string = run->registry ? kieker_registry_text : known_text;
    writer->user = reader->user = run->registry;
}

/* Many records, one behind the other, into the same buffer, as a sink fills its block. */
static double time_writing(const struct run *run, uint8_t *bytes, bool text, size_t *size)
{
    struct kieker_writer writer = {.capacity = ROOM};
    struct kieker_reader unused = {0};
    writer.bytes = bytes;
    *size = 0;
    prepare(run, &writer, &unused);
    double start = now_ns();
    for (unsigned long i = 0; i < run->count; i++) {
        if (ROOM - writer.position < 1024)
            writer.position = 0;
        *size = writer.position;
        if (text)
            run->type->write_text(&writer, run->record);
        else
            run->type->write_binary(&writer, run->record);
        *size = writer.position - *size;
    }
    if (writer.failed)
        abort();
    return (now_ns() - start) / (double)run->count;
}

static double time_reading(const struct run *run, const uint8_t *bytes, bool text, size_t size)
{
    static uint8_t memory_bytes[1 << 12];
    struct kieker_memory memory = {.bytes = memory_bytes, .capacity = sizeof memory_bytes};
    struct kieker_reader reader = {.bytes = bytes, .size = size, .memory = &memory};
    struct kieker_writer unused = {0};
    prepare(run, &unused, &reader);
    double start = now_ns();
    for (unsigned long i = 0; i < run->count; i++) {
        reader.position = 0;
        memory.used = 0;
        if (text)
            run->type->read_text(&reader, run->copy);
        else
            run->type->read_binary(&reader, run->copy);
    }
    if (reader.failed || reader.position != size)
        abort();
    return (now_ns() - start) / (double)run->count;
}

static double time_copying(const struct run *run, uint8_t *bytes, const uint8_t *from, size_t size)
{
    size_t position = 0;
    double start = now_ns();
    for (unsigned long i = 0; i < run->count; i++) {
        if (ROOM - position < 1024)
            position = 0;
        memcpy(bytes + position, from, size);
        position += size;
        __asm__ volatile("" ::: "memory");
    }
    sink += bytes[0];
    return (now_ns() - start) / (double)run->count;
}

static void measure(const struct run *run)
{
    uint8_t *bytes = calloc(1, ROOM), *one = calloc(1, ROOM);
    for (int text = 0; text < 2; text++) {
        size_t size;
        double writing = time_writing(run, bytes, text, &size);
        struct kieker_writer writer = {.bytes = one, .capacity = ROOM};
        struct kieker_reader unused = {0};
        prepare(run, &writer, &unused);
        if (!(text ? run->type->write_text : run->type->write_binary)(&writer, run->record))
            abort();
        double reading = time_reading(run, one, text, size), copying = time_copying(run, bytes, one, size);
        printf("%-28s %-7s %4zu bytes  write %6.1f ns (%5.1f x memcpy)  read %6.1f ns (%5.1f x)\n", run->what,
               text ? "text" : "binary", size, writing, writing / copying, reading, reading / copying);
    }
    free(bytes);
    free(one);
}

int main(int argc, char **argv)
{
    unsigned long count = (argc > 1 ? strtoul(argv[1], NULL, 10) : 10) * 1000000;
    kieker_common_record_flow_trace_operation_before_operation_event
        event = KIEKER_COMMON_RECORD_FLOW_TRACE_OPERATION_BEFORE_OPERATION_EVENT_INIT,
        event_copy;
    kieker_common_record_controlflow_operation_execution_record
        execution = KIEKER_COMMON_RECORD_CONTROLFLOW_OPERATION_EXECUTION_RECORD_INIT,
        execution_copy;
    kieker_common_record_system_c_p_u_utilization_record
        load = KIEKER_COMMON_RECORD_SYSTEM_C_P_U_UTILIZATION_RECORD_INIT,
        load_copy;
    event.timestamp = execution.tin = load.timestamp = 1700000000123456789;
    execution.tout = 1700000000123499999;
    event.traceId = execution.traceId = 72623859790382856;
    event.orderIndex = 17;
    event.operationSignature = execution.operationSignature = signatures[1].text;
    event.classSignature = signatures[2].text;
    execution.sessionId = signatures[3].text;
    execution.hostname = load.hostname = signatures[4].text;
    load.cpuID = signatures[0].text;
    load.user = 0.123456789;
    load.system = 0.25;
    load.idle = 1.0 / 3;
    load.totalUtilization = 0.6543210987654321;
    struct run runs[] = {
        {&kieker_common_record_flow_trace_operation_before_operation_event_type, "BeforeOperationEvent",
         &event, &event_copy, NULL, count},
        {&kieker_common_record_controlflow_operation_execution_record_type, "OperationExecutionRecord",
         &execution, &execution_copy, NULL, count},
        {&kieker_common_record_system_c_p_u_utilization_record_type, "CPUUtilizationRecord", &load,
         &load_copy, NULL, count},
    };
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++)
        measure(&runs[i]);
    runs[0].registry = kieker_registry_create(0);
    runs[0].what = "  with kieker_registry";
    measure(&runs[0]);
    kieker_registry_destroy(runs[0].registry);
    return 0;
}
