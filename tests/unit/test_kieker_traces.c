/* trace/kieker/traces: what threads did, as Kieker's text form has it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kieker_collected.h"
#include "trace/function.h"
#include "trace/kieker/traces.h"

enum { A = 1, B, C, GENERATOR, TASK, AWAITED, ERROR_TYPE, RECORD, TEXT, REGION };

static struct kp_kieker_output *output;
static struct kp_kieker_traces *traces;
static struct kp_kieker_process *process;
static struct kp_kieker_counts counts;

static void define(uint32_t id, uint8_t kind, const char *name, const char *file, uint32_t flags)
{
    struct kp_kieker_function_facts facts = {
        .id = id, .kind = kind, .name = name, .file = file, .flags = flags};

    assert_int_equal(kp_kieker_process_function(process, &facts), KP_OK);
}

static void begin(struct kp_kieker_traces_options options)
{
    memset(&collected, 0, sizeof collected);
    options.no_metadata = true;
    output = kp_kieker_output_create(KP_KIEKER_TEXT, &collect, &collected);
    traces = kp_kieker_traces_create(output, &options);
    process = kp_kieker_process_begin(traces, NULL, "h");
    assert_non_null(process);
    define(A, KP_FUNCTION_PYTHON, "m.a", "", 0);
    define(B, KP_FUNCTION_PYTHON, "m.b", "", 0);
    define(C, KP_FUNCTION_PYTHON, "m.c", "", 0);
    define(GENERATOR, KP_FUNCTION_PYTHON, "m.g", "", KP_FUNCTION_FACTS | KP_FUNCTION_GENERATOR);
    define(TASK, KP_FUNCTION_PYTHON, "m.t", "", KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE);
    define(AWAITED, KP_FUNCTION_PYTHON, "m.w", "", KP_FUNCTION_FACTS | KP_FUNCTION_COROUTINE);
    define(ERROR_TYPE, KP_FUNCTION_EXCEPTION, "builtins.KeyError", "", 0);
    define(RECORD, KP_FUNCTION_RECORD, "my.Record", "IT", 0);
    define(TEXT, KP_FUNCTION_TEXT, "text", "", 0);
    define(REGION, KP_FUNCTION_MANUAL, "object m.r()", "", 0);
    assert_int_equal(kp_kieker_process_thread(process, 0, 42, 0), KP_OK);
}

static uint64_t now;

static void put_on(uint32_t thread, unsigned kind, uint32_t id, uint32_t depth, uint64_t value,
                   uint64_t value2)
{
    struct kp_event event = {
        .time = ++now, .kind = (uint8_t)kind, .id = id, .depth = depth, .value = value, .value2 = value2};
    size_t taken = 0;

    assert_int_equal(kp_kieker_process_events(process, thread, &event, 1, &taken), KP_OK);
    assert_int_equal(taken, 1);
}

static void put(unsigned kind, uint32_t id, uint32_t depth, uint64_t value)
{
    put_on(0, kind, id, depth, value, 0);
}

static void enter(uint32_t id, uint32_t depth)
{
    put(KP_EVENT_ENTER, id, depth, 0);
}

static void leave(uint32_t id, uint32_t depth)
{
    put(KP_EVENT_EXIT, id, depth, 0);
}

static void yield(uint32_t id, uint32_t depth)
{
    put(KP_EVENT_YIELD, id, depth, 0x1000 + id);
}

static void resume(uint32_t id, uint32_t depth)
{
    put(KP_EVENT_RESUME, id, depth, 0x1000 + id);
}

/* The lines in short: M trace<parent@order, B/A/F/S trace.order name, E trace eoi,ess name. */
static void shorten(char *out, size_t room)
{
    static const struct {
        const char *name;
        char letter;
    } classes[] = {{".TraceMetadata", 'M'},
                   {".BeforeOperationEvent", 'B'},
                   {".AfterOperationEvent", 'A'},
                   {".AfterOperationFailedEvent", 'F'},
                   {".SplitEvent", 'S'},
                   {".OperationExecutionRecord", 'E'},
                   {"my.Record", 'R'},
                   {".ApplicationTraceMetadata", 'P'}};
    char ids[16] = {0};
    size_t used = 0;

    for (char *line = strtok(collected.map, "\n"); line; line = strtok(NULL, "\n"))
        for (size_t i = 0; i < sizeof classes / sizeof *classes; i++)
            if (strstr(line, classes[i].name))
                ids[atoi(line + 1)] = classes[i].letter;
    for (char *line = collected.data; *line; line = strchr(line, '\n') + 1) {
        char *field[12] = {0}, copy[9000], letter = ids[atoi(line + 1)], name = 0;
        size_t count = 0;

        snprintf(copy, sizeof copy, "%.*s", (int)(strchr(line, '\n') - line), line);
        for (char *at = copy; at; count++) {
            field[count] = strsep(&at, ";");
            if (strncmp(field[count], "object m.", 9) == 0)
                name = field[count][9];
        }
#define TRACE(i) ((unsigned)(strtoull(field[i], NULL, 10) & 0xffffffff)) /* above it is the seed */
        switch (letter) {
        case 'M':
        case 'P':
            used += (size_t)snprintf(out + used, room - used, "%c%u<%u@%s ", letter, TRACE(2), TRACE(6),
                                     field[7]);
            break;
        case 'S':
            used += (size_t)snprintf(out + used, room - used, "S%u.%s ", TRACE(3), field[4]);
            break;
        case 'E':
            used +=
                (size_t)snprintf(out + used, room - used, "E%u.%s,%s%c ", TRACE(4), field[8], field[9], name);
            break;
        case 'R':
            used += (size_t)snprintf(out + used, room - used, "R%s,%s ", field[2], field[3]);
            break;
        default:
            used += (size_t)snprintf(out + used, room - used, "%c%u.%s%c ", letter, TRACE(3), field[4], name);
        }
    }
    out[used ? used - 1 : 0] = '\0';
}

static void expect(const char *wanted)
{
    char got[4096] = "";

    assert_int_equal(kp_kieker_process_end(process, 0), KP_OK);
    counts = *kp_kieker_traces_counts(traces);
    assert_int_equal(kp_kieker_output_flush(output), KP_OK);
    shorten(got, sizeof got);
    assert_string_equal(got, wanted);
    kp_kieker_traces_destroy(traces);
    kp_kieker_output_destroy(output);
}

static void one_root_a_trace(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(B, 1);
    leave(B, 1);
    leave(A, 0);
    enter(C, 0);
    leave(C, 0);
    expect("M0<0@-1 B0.0a B0.1b A0.2b A0.3a M1<1@-1 B1.0c A1.1c");
    assert_int_equal(counts.calls, 3);
    assert_int_equal(counts.traces, 2);
    assert_int_equal(counts.segments + counts.closed_unseen + counts.orphans, 0);
}

static void executions(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){.executions = true});
    enter(A, 0);
    enter(B, 1);
    enter(C, 2);
    leave(C, 2);
    leave(B, 1);
    enter(C, 1);
    leave(C, 1);
    leave(A, 0);
    expect("E0.2,2c E0.1,1b E0.3,1c E0.0,0a");
}

static void failures(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(B, 1);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_EXCEPTION, 2, ERROR_TYPE, 0);
    put(KP_EVENT_UNWIND, B, 1, 0);
    put(KP_EVENT_UNWIND, A, 0, 0);
    expect("M0<0@-1 B0.0a B0.1b F0.2b F0.3a");
    assert_non_null(strstr(collected.data, ";m;builtins.KeyError\n"));
    assert_non_null(strstr(collected.data, ";m;unknown\n"));
    assert_int_equal(counts.failed_calls, 2);
}

static void generators(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(GENERATOR, 1);
    yield(GENERATOR, 1);
    enter(B, 1);
    resume(GENERATOR, 2);
    leave(GENERATOR, 2);
    leave(B, 1);
    leave(A, 0);
    expect("M0<0@-1 B0.0a B0.1g A0.2g B0.3b B0.4g A0.5g A0.6b A0.7a");
    assert_int_equal(counts.calls, 3);
    assert_int_equal(counts.segments, 1);
}

/* Two tasks in turns under one loop, each with something that it awaits. */
static void tasks(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(TASK, 1);
    enter(AWAITED, 2);
    yield(AWAITED, 2);
    yield(TASK, 1);
    enter(B, 1);
    leave(B, 1);
    resume(TASK, 1);
    resume(AWAITED, 2);
    enter(C, 3);
    leave(C, 3);
    leave(AWAITED, 2);
    leave(TASK, 1);
    leave(A, 0);
    expect("M0<0@-1 B0.0a S0.1 M1<0@1 B1.0t B1.1w B0.2b A0.3b B1.2c A1.3c A1.4w A1.5t A0.4a");
    assert_int_equal(counts.segments, 0);
    assert_int_equal(counts.calls, 5);
}

/* What a region of a coroutine awaits stays in the trace; one in a generator has segments like that. */
static void regions(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(TASK, 0);
    enter(REGION, 1);
    enter(AWAITED, 2);
    yield(AWAITED, 2);
    yield(REGION, 1);
    yield(TASK, 0);
    resume(TASK, 0);
    resume(REGION, 1);
    resume(AWAITED, 2);
    leave(AWAITED, 2);
    leave(REGION, 1);
    enter(GENERATOR, 1);
    enter(REGION, 2);
    yield(REGION, 2);
    yield(GENERATOR, 1);
    leave(TASK, 0);
    expect("M0<0@-1 B0.0t B0.1r B0.2w A0.3w A0.4r B0.5g B0.6r A0.7r A0.8g A0.9t");
}

/* The one that awaits goes on without it; later an event loop goes on with the awaited one alone. */
static void awaited_alone(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(TASK, 0);
    enter(AWAITED, 1);
    yield(AWAITED, 1);
    enter(B, 1);
    leave(B, 1);
    yield(TASK, 0);
    resume(AWAITED, 0);
    leave(AWAITED, 0);
    resume(TASK, 0);
    leave(TASK, 0);
    expect("M0<0@-1 B0.0t B0.1w A0.2w B0.3b A0.4b M1<1@-1 B1.0w A1.1w A0.5t");
    assert_int_equal(counts.calls, 3);
    assert_int_equal(counts.segments, 1);
}

static void taken_out_of_the_middle(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(TASK, 0);
    enter(AWAITED, 1);
    yield(AWAITED, 1);
    yield(TASK, 0);
    enter(A, 0);
    resume(AWAITED, 1); /* closed while the task still waits for it */
    put(KP_EVENT_UNWIND, AWAITED, 1, 0);
    leave(A, 0);
    resume(TASK, 0);
    leave(TASK, 0);
    expect("M0<0@-1 B0.0t B0.1w M1<1@-1 B1.0a A0.2w S1.1 M2<1@1 B2.0w F2.1w A1.2a A0.3t");
}

static void never_resumed(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(TASK, 1);
    enter(AWAITED, 2);
    yield(AWAITED, 2);
    yield(TASK, 1);
    leave(A, 0);
    enter(TASK, 0); /* another one with the same token */
    yield(TASK, 0);
    expect("M0<0@-1 B0.0a S0.1 M1<0@1 B1.0t B1.1w A0.2a M2<2@-1 B2.0t A1.2w A1.3t A2.1t");
    assert_int_equal(counts.closed_unseen, 2);
}

static void losses(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(B, 1);
    enter(C, 2);
    put_on(0, KP_EVENT_LOST, 0, 0, 5, 7);
    enter(B, 1); /* the ends of c and b were lost */
    leave(C, 3); /* and the begin of this */
    leave(A, 1); /* another in the place of b */
    leave(A, 0);
    put(KP_EVENT_YIELD, GENERATOR, 0, 1);
    enter(A, 7);
    expect("M0<0@-1 B0.0a B0.1b B0.2c A0.3c A0.4b B0.5b A0.6b A0.7a M1<1@-1 B1.0a A1.1a");
    assert_int_equal(counts.closed_unseen, 4);
    assert_int_equal(counts.orphans, 3);
    assert_int_equal(counts.calls_lost, 5);
    assert_int_equal(counts.events_lost, 7);
}

static void inherited(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    assert_int_equal(kp_kieker_process_thread(process, 0, 42, 2), KP_OK);
    enter(A, 2);
    leave(A, 2);
    leave(B, 1);
    enter(C, 1);
    leave(C, 1);
    leave(B, 0);
    expect("M0<0@-1 B0.0a A0.1a M1<1@-1 B1.0c A1.1c");
    assert_int_equal(counts.orphans, 0);
}

static void stop(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    enter(B, 1);
    put(KP_EVENT_STOP, 0, 2, 0);
    enter(C, 2);
    leave(C, 2);
    expect("M0<0@-1 B0.0a B0.1b A0.2b A0.3a M1<1@-1 B1.0c A1.1c");
    assert_int_equal(counts.closed_unseen, 2);
}

static void threads(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){.application = "app"});
    put_on(0, KP_EVENT_ENTER, A, 0, 0, 0);
    put_on(1, KP_EVENT_ENTER, B, 0, 0, 0);
    put_on(0, KP_EVENT_EXIT, A, 0, 0, 0);
    put_on(1, KP_EVENT_EXIT, B, 0, 0, 0);
    expect("P0<0@-1 B0.0a P1<1@-1 B1.0b A0.1a A1.1b");
    assert_non_null(strstr(collected.data, ";42;<no-session-id>;h;"));
    assert_non_null(strstr(collected.data, ";1;<no-session-id>;h;"));
    assert_non_null(strstr(collected.data, ";app\n"));
}

/* A trace that is full goes on in another. */
static void full_traces(void **state)
{
    (void)state;
    begin((struct kp_kieker_traces_options){.most_events = 4});
    enter(A, 0);
    enter(B, 1);
    enter(C, 2);
    leave(C, 2);
    enter(C, 2);
    leave(C, 2);
    leave(B, 1);
    leave(A, 0);
    expect("M0<0@-1 B0.0a B0.1b B0.2c A0.3c A0.4b A0.5a M1<0@-1 B1.0a B1.1b B1.2c A1.3c A1.4b A1.5a");
    assert_int_equal(counts.calls, 4);
    assert_int_equal(counts.segments, 2);
}

static void records(void **state)
{
    uint64_t payload = 0x0900000005000000, cut = 0; /* 5, text 9, big endian */
    (void)state;
    begin((struct kp_kieker_traces_options){0});
    enter(A, 0);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD, 1, RECORD, 8);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD_BYTES, 1, payload, 0);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD, 1, RECORD, 8);
    leave(A, 0);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD, 0, RECORD, 7); /* does not fit its layout */
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD_BYTES, 0, payload, 0);
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD, 0, A, 7); /* no record class */
    put_on(0, KP_EVENT_VALUES, KP_VALUES_RECORD_BYTES, 0, cut, 0);
    expect("M0<0@-1 B0.0a R5,text A0.1a");
    assert_int_equal(counts.custom_records, 1);
    assert_int_equal(counts.custom_incomplete, 3);
}

/* Whatever the place at which nobody takes anything: the same log. */
static void interrupted(void **state)
{
    static struct collected whole;
    struct kp_event events[400];
    size_t count = 0;
    (void)state;

    for (uint32_t i = 0; i < 100; i++)
        events[count++] =
            (struct kp_event){.time = i, .kind = KP_EVENT_ENTER, .id = A + i % 2, .depth = i % 50};
    for (int form = 0; form < 2; form++) {
        size_t at = 0;

        begin((struct kp_kieker_traces_options){0});
        kp_kieker_output_limit(output, form ? 64 : 0, 0);
        collected.full = form;
        while (at < count) {
            size_t taken = 0;
            enum kp_status status = kp_kieker_process_events(process, 0, events + at, count - at, &taken);

            at += taken;
            assert_int_equal(status, at < count ? KP_ERROR_FULL : KP_OK);
            assert_true(taken || status == KP_ERROR_FULL);
            collected.full = !collected.full && form;
        }
        while (kp_kieker_process_end(process, 1000) == KP_ERROR_FULL)
            collected.full = false;
        collected.full = false;
        assert_int_equal(kp_kieker_output_flush(output), KP_OK);
        kp_kieker_traces_destroy(traces);
        kp_kieker_output_destroy(output);
        if (!form)
            whole = collected;
    }
    assert_int_equal(whole.data_bytes, collected.data_bytes);
    assert_memory_equal(whole.data, collected.data, whole.data_bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_root_a_trace),
        cmocka_unit_test(executions),
        cmocka_unit_test(failures),
        cmocka_unit_test(generators),
        cmocka_unit_test(tasks),
        cmocka_unit_test(regions),
        cmocka_unit_test(awaited_alone),
        cmocka_unit_test(taken_out_of_the_middle),
        cmocka_unit_test(never_resumed),
        cmocka_unit_test(losses),
        cmocka_unit_test(inherited),
        cmocka_unit_test(stop),
        cmocka_unit_test(threads),
        cmocka_unit_test(full_traces),
        cmocka_unit_test(records),
        cmocka_unit_test(interrupted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
