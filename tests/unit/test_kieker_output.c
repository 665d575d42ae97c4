/* trace/kieker/output: the fast ways write what the generated records write; strings and lines keep their
 * limits; nothing is lost or doubled while nobody takes it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "kieker_collected.h"
#include "kp_kieker.h"

static struct kp_kieker_output *make(enum kp_kieker_form form)
{
    struct kp_kieker_output *output = kp_kieker_output_create(form, &collect, &collected);

    memset(&collected, 0, sizeof collected);
    assert_non_null(output);
    return output;
}

static void finish(struct kp_kieker_output *output)
{
    assert_int_equal(kp_kieker_output_flush(output), KP_OK);
    kp_kieker_output_destroy(output);
}

struct sample {
    int64_t logging, time, trace;
    int32_t order;
    const char *operation, *class_name, *cause;
};

static const struct sample samples[] = {
    {1700000000000000500, 1700000000000000400, 72623859790382856, 0, "void app.Main.run()", "app.Main", "x"},
    {1700000000000000400, 1700000000000000400, -5, 1, "object a.b(object,object)", "a", "builtins.KeyError"},
    {0, 0, 0, 2147483647, "void app.Main.run()", "app.Main", "x"},
    {9223372036854775807, 1, -9223372036854775807 - 1, 17, "a;b", "back\\slash\\\\", "line\nend"},
    {1, 2, 3, 4, "\xc3\xa9t\xc3\xa9", "", "\t"},
};
#define SAMPLES (sizeof samples / sizeof *samples)

static void put_fast(struct kp_kieker_output *output)
{
    struct kp_kieker_string strings[SAMPLES][3] = {0};

    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < SAMPLES; i++) {
            struct kp_kieker_place place = {.logging_ns = samples[i].logging,
                                            .time_ns = samples[i].time,
                                            .trace_id = samples[i].trace,
                                            .order = samples[i].order,
                                            .operation = &strings[i][0],
                                            .class_name = &strings[i][1]};
            strings[i][0].text = samples[i].operation;
            strings[i][1].text = samples[i].class_name;
            strings[i][2].text = samples[i].cause;
            assert_int_equal(kp_kieker_put_before(output, &place), KP_OK);
            assert_int_equal(kp_kieker_put_after(output, &place), KP_OK);
            assert_int_equal(kp_kieker_put_after_failed(output, &place, &strings[i][2]), KP_OK);
        }
}

static void put_generated(struct kp_kieker_output *output)
{
    for (int again = 0; again < 2; again++)
        for (size_t i = 0; i < SAMPLES; i++) {
            const struct sample *from = &samples[i];
            kieker_common_record_flow_trace_operation_after_operation_failed_event failed = {
                from->time, from->trace, from->order, from->operation, from->class_name, from->cause};
            kieker_common_record_flow_trace_operation_before_operation_event event = {
                from->time, from->trace, from->order, from->operation, from->class_name};

            assert_int_equal(
                kp_kieker_put_record(output,
                                     &kieker_common_record_flow_trace_operation_before_operation_event_type,
                                     from->logging, &event),
                KP_OK);
            assert_int_equal(
                kp_kieker_put_record(output,
                                     &kieker_common_record_flow_trace_operation_after_operation_event_type,
                                     from->logging, &event),
                KP_OK);
            assert_int_equal(kp_kieker_put_record(
                                 output,
                                 &kieker_common_record_flow_trace_operation_after_operation_failed_event_type,
                                 from->logging, &failed),
                             KP_OK);
        }
}

static void same_bytes(void **state)
{
    static struct collected fast;
    (void)state;

    for (int form = KP_KIEKER_TEXT; form <= KP_KIEKER_STREAM; form++) {
        struct kp_kieker_output *output = make((enum kp_kieker_form)form);

        put_fast(output);
        assert_int_equal(kp_kieker_output_records(output), 6 * SAMPLES);
        finish(output);
        fast = collected;
        output = make((enum kp_kieker_form)form);
        put_generated(output);
        finish(output);
        assert_int_equal(fast.map_bytes, collected.map_bytes);
        assert_memory_equal(fast.map, collected.map, fast.map_bytes);
        assert_int_equal(fast.data_bytes, collected.data_bytes);
        assert_memory_equal(fast.data, collected.data, fast.data_bytes);
        assert_int_equal(fast.records, 6 * SAMPLES);
    }
}

/* The example of the specification, section 2.4. */
static void text_form(void **state)
{
    struct kp_kieker_output *output = make(KP_KIEKER_TEXT);
    struct kp_kieker_string operation = {.text = "void app.Main.run()"}, class_name = {.text = "app.Main"};
    struct kp_kieker_place place = {.logging_ns = 1700000000000000500,
                                    .time_ns = 1700000000000000400,
                                    .trace_id = 72623859790382856,
                                    .operation = &operation,
                                    .class_name = &class_name};
    (void)state;

    assert_int_equal(kp_kieker_put_before(output, &place), KP_OK);
    finish(output);
    assert_string_equal(collected.map, "$0=kieker.common.record.flow.trace.operation.BeforeOperationEvent\n");
    assert_string_equal(collected.data,
                        "$0;1700000000000000500;1700000000000000400;72623859790382856;0;void app.Main.run();"
                        "app.Main\n");
}

/* The example of section 4.2: 226 bytes of the registry, 88 of records. */
static void stream_form(void **state)
{
    struct kp_kieker_output *output = make(KP_KIEKER_STREAM);
    struct kp_kieker_string operation = {.text = "void app.Main.run()"}, class_name = {.text = "app.Main"};
    struct kp_kieker_place place = {.logging_ns = 1700000000000000500,
                                    .time_ns = 1700000000000000400,
                                    .trace_id = 72623859790382856,
                                    .operation = &operation,
                                    .class_name = &class_name};
    kieker_common_record_flow_trace_trace_metadata metadata = {.traceId = 72623859790382856,
                                                               .threadId = 4711,
                                                               .sessionId = "<no-session-id>",
                                                               .hostname = "host1",
                                                               .parentTraceId = 72623859790382856,
                                                               .parentOrderId = -1};
    static const uint8_t before[] = {
        0, 0, 0, 3, 0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 1, 0xf4, 0x17, 0x97, 0x9c, 0xfe, 0x36, 0x2a, 1, 0x90,
        1, 2, 3, 4, 5,    6,    7,    8,    0,    0,    0, 0,    0,    0,    0,    4,    0,    0,    0, 5};
    static const uint8_t entry[] = {0xff, 0xff, 0xff, 0xff, 0,   0,   0,   5,   0,   0,
                                    0,    8,    'a',  'p',  'p', '.', 'M', 'a', 'i', 'n'};
    (void)state;

    assert_int_equal(kp_kieker_put_record(output, &kieker_common_record_flow_trace_trace_metadata_type,
                                          1700000000000000000, &metadata),
                     KP_OK);
    assert_int_equal(kp_kieker_put_before(output, &place), KP_OK);
    assert_int_equal(kp_kieker_output_flush(output), KP_OK);
    assert_int_equal(collected.map_bytes, 226);
    assert_memory_equal(collected.map + 226 - sizeof entry, entry, sizeof entry);
    assert_int_equal(collected.data_bytes, 88);
    assert_memory_equal(collected.data + 48, before, sizeof before);
    /* A new connection gets them all once more. */
    assert_int_equal(kp_kieker_output_repeat_map(output), KP_OK);
    assert_int_equal(collected.map_bytes, 2 * 226);
    assert_memory_equal(collected.map, collected.map + 226, 226);
    finish(output);
    assert_int_equal(collected.map_bytes, 2 * 226);
}

static void waits(void **state)
{
    struct kp_kieker_output *output = make(KP_KIEKER_BINARY);
    struct kp_kieker_string operation = {.text = "void a.b()"}, class_name = {.text = "a"};
    struct kp_kieker_place place = {.operation = &operation, .class_name = &class_name};
    enum kp_status status = KP_OK;
    uint64_t put = 0, held;
    (void)state;

    collected.full = true;
    while ((status = kp_kieker_put_before(output, &place)) == KP_OK)
        put++;
    assert_int_equal(status, KP_ERROR_FULL);
    assert_true(put > 1000 && put < 10000);
    assert_int_equal(kp_kieker_output_hold(output), KP_ERROR_FULL);
    assert_int_equal(kp_kieker_output_flush(output), KP_ERROR_FULL);
    collected.full = false;
    assert_int_equal(kp_kieker_output_hold(output), KP_OK);
    assert_int_equal(collected.records, put);
    collected.full = true;
    for (held = 0; held < 20000; held++)
        assert_int_equal(kp_kieker_put_after(output, &place), KP_OK);
    kp_kieker_output_release(output);
    assert_int_equal(kp_kieker_put_before(output, &place), KP_ERROR_FULL);
    collected.full = false;
    finish(output);
    assert_int_equal(collected.records, put + held);
    assert_int_equal(collected.data_bytes, 40 * (put + held));
}

static void small_batches(void **state)
{
    struct kp_kieker_output *output = make(KP_KIEKER_TEXT);
    struct kp_kieker_string operation = {.text = "void a.b()"}, class_name = {.text = "a"};
    struct kp_kieker_place place = {.operation = &operation, .class_name = &class_name};
    (void)state;

    kp_kieker_output_limit(output, 0, 7);
    for (int i = 0; i < 70; i++)
        assert_int_equal(kp_kieker_put_before(output, &place), KP_OK);
    finish(output);
    assert_int_equal(collected.batches, 10);
}

/* No string above 4000 bytes, no line above 8192, no character cut in the middle. */
static void long_strings(void **state)
{
    static char text[3][9001];
    kieker_common_record_flow_trace_operation_after_operation_failed_event record = {
        1, 2, 3, text[0], text[1], text[2]};
    struct kp_kieker_string strings[3] = {{.text = text[0]}, {.text = text[1]}, {.text = text[2]}};
    struct kp_kieker_place place = {.operation = &strings[0], .class_name = &strings[1]};
    (void)state;

    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 4500; k++)
            memcpy(text[i] + 2 * k, "\xc3\xa9", 2);
    for (int form = KP_KIEKER_TEXT; form <= KP_KIEKER_STREAM; form++) {
        struct kp_kieker_output *output = make((enum kp_kieker_form)form);

        assert_int_equal(kp_kieker_put_before(output, &place), KP_OK);
        assert_int_equal(kp_kieker_put_after_failed(output, &place, &strings[2]), KP_OK);
        assert_int_equal(
            kp_kieker_put_record(output,
                                 &kieker_common_record_flow_trace_operation_after_operation_failed_event_type,
                                 1, &record),
            KP_OK);
        finish(output);
        if (form == KP_KIEKER_TEXT) {
            for (const char *line = collected.data; *line; line = strchr(line, '\n') + 1)
                assert_true(strchr(line, '\n') - line < KP_KIEKER_LINE_MAX);
            assert_null(strpbrk(collected.data, "\xc3\xa9"));
        } else {
            assert_true(collected.map_bytes < 3 * 4000 + 400);
            assert_true(collected.map_bytes > 3999);
            assert_int_equal(collected.records, 3);
        }
    }
}

static const char *text_of(void *user, uint32_t id)
{
    (void)user;
    return id == 7 ? "seven" : id == 8 ? "ei;ght" : NULL;
}

static void payloads(void **state)
{
    static const uint8_t payload[] = {
        1,                                                          /* Z */
        0xff,                                                       /* B */
        0,    'A',                                                  /* C */
        0xff, 0xfe,                                                 /* S */
        0,    0,    0,    5,                                        /* I */
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfd,             /* J */
        0x3f, 0x80, 0,    0,                                        /* F */
        0x3f, 0xe0, 0,    0,    0,    0,    0,    0,                /* D */
        0,    0,    0,    7,                                        /* T */
        0,    0,    0,    2,    0,    0,    0,    8,    0, 0, 0, 7, /* [T */
        0,    9,    0,    8,                                        /* [2S */
    };
    static const char layout[] = "ZBCSIJFDT[T[2S";
    struct kp_kieker_output *output = make(KP_KIEKER_TEXT);
    (void)state;

    assert_int_equal(
        kp_kieker_put_payload(output, "my.Record", layout, 99, payload, sizeof payload, text_of, NULL),
        KP_OK);
    /* Too much, too little, a string that nobody knows, a letter that is none. */
    assert_int_equal(
        kp_kieker_put_payload(output, "my.Record", "ZBCS", 99, payload, sizeof payload, text_of, NULL),
        KP_ERROR_VALUE);
    assert_int_equal(
        kp_kieker_put_payload(output, "my.Record", layout, 99, payload, sizeof payload - 1, text_of, NULL),
        KP_ERROR_VALUE);
    assert_int_equal(kp_kieker_put_payload(output, "my.Record", "T", 99, payload, 4, text_of, NULL),
                     KP_ERROR_VALUE);
    assert_int_equal(kp_kieker_put_payload(output, "my.Record", "Q", 99, payload, 4, text_of, NULL),
                     KP_ERROR_VALUE);
    assert_int_equal(kp_kieker_put_payload(output, "my.Record", "[I", 99, (const uint8_t *)"\xff\xff\xff\xff",
                                           4, text_of, NULL),
                     KP_ERROR_VALUE);
    finish(output);
    assert_string_equal(collected.map, "$0=my.Record\n");
    assert_string_equal(collected.data, "$0;99;true;-1;A;-2;5;-3;1.0;0.5;seven;2;ei,ght;seven;9;8\n");

    output = make(KP_KIEKER_BINARY);
    assert_int_equal(
        kp_kieker_put_payload(output, "my.Record", layout, 99, payload, sizeof payload, text_of, NULL),
        KP_OK);
    finish(output);
    assert_string_equal(collected.map, "$0=my.Record\n$1=seven\n$2=ei;ght\n");
    assert_int_equal(collected.data_bytes, 12 + sizeof payload);
    assert_memory_equal(collected.data + 12, payload, 30);
    assert_int_equal(collected.data[12 + 33], 1);
    assert_int_equal(collected.data[12 + 41], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_bytes), cmocka_unit_test(text_form),     cmocka_unit_test(stream_form),
        cmocka_unit_test(waits),      cmocka_unit_test(small_batches), cmocka_unit_test(long_strings),
        cmocka_unit_test(payloads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
