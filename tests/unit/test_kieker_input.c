/* trace/kieker/input: streams and logs to records, whatever the pieces, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <cmocka.h>

#include "kp_kieker.h"
#include "trace/kieker/input.h"

/* Records as lines. */
static char got[1 << 14];
static char damages[1 << 12];
static char error[512];

static void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
static void say(const char *format, ...)
{
    size_t used = strlen(got);
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(got + used, sizeof got - used, format, arguments);
    va_end(arguments);
}

static bool take_record(void *user, const struct kieker_record_type *type, int64_t logging_ns,
                        const void *record)
{
    char text[4096];
    struct kieker_writer writer = {.bytes = (uint8_t *)text, .capacity = sizeof text - 1};

    (void)user;
    assert_true(type->write_text(&writer, record));
    text[writer.position] = 0;
    say("%s;%lld%s\n", strrchr(type->java_class, '.') + 1, (long long)logging_ns, text);
    return true;
}

static void take_unknown(void *user, const char *java_class)
{
    (void)user;
    say("unknown %s\n", java_class);
}

static void take_damage(void *user, const char *file, uint64_t offset, const char *text)
{
    size_t used = strlen(damages);

    (void)user;
    snprintf(damages + used, sizeof damages - used, "%s@%llu: %s\n", file, (unsigned long long)offset, text);
}

static const struct kp_kieker_input_ops ops = {take_record, NULL, take_unknown, take_damage};

/* --- streams --- */

static uint8_t bytes[1 << 16];
static size_t count;

static void put_32(uint32_t value)
{
    kieker_put_32(bytes + count, value);
    count += 4;
}

static void put_64(uint64_t value)
{
    kieker_put_64(bytes + count, value);
    count += 8;
}

static void put_entry(uint32_t id, const char *text, uint32_t length)
{
    put_32(UINT32_MAX);
    put_32(id);
    put_32(length);
    memcpy(bytes + count, text, strlen(text));
    count += strlen(text);
}

static void put_string(uint32_t id, const char *text)
{
    put_entry(id, text, (uint32_t)strlen(text));
}

#define BEFORE "kieker.common.record.flow.trace.operation.BeforeOperationEvent"

static void put_before(uint32_t class_id, int64_t logging, uint32_t order, uint32_t operation,
                       uint32_t class_name)
{
    put_32(class_id);
    put_64((uint64_t)logging);
    put_64(1700000000000000400);
    put_64(0x0102030405060708);
    put_32(order);
    put_32(operation);
    put_32(class_name);
}

static enum kp_status feed(size_t piece, const struct kp_kieker_limits *limits)
{
    struct kp_kieker_stream *stream = kp_kieker_stream_create(&ops, NULL, limits);
    enum kp_status status = KP_OK;

    *got = 0;
    *error = 0;
    for (size_t at = 0; at < count && status == KP_OK; at += piece)
        status = kp_kieker_stream_feed(stream, bytes + at, count - at < piece ? count - at : piece);
    if (status == KP_ERROR_DAMAGED)
        snprintf(error, sizeof error, "%s", kp_kieker_stream_error(stream));
    if (status == KP_OK)
        say("pending %zu\n", kp_kieker_stream_pending(stream));
    kp_kieker_stream_destroy(stream);
    return status;
}

/* The same records whatever the pieces; returns the bytes. */
static void expect_stream(const char *expected)
{
    for (size_t piece = 1; piece <= count; piece++) {
        assert_int_equal(feed(piece, NULL), KP_OK);
        assert_string_equal(got, expected);
    }
}

static void test_example(void **state)
{
    (void)state;
    count = 0;
    put_string(0, "kieker.common.record.flow.trace.TraceMetadata");
    put_string(1, "<no-session-id>");
    put_string(2, "host1");
    put_string(3, BEFORE);
    put_string(4, "void app.Main.run()");
    put_string(5, "app.Main");
    put_32(0);
    put_64(1700000000000000000);
    put_64(72623859790382856);
    put_64(4711);
    put_32(1);
    put_32(2);
    put_64(72623859790382856);
    put_32(UINT32_MAX);
    put_before(3, 1700000000000000500, 0, 4, 5);
    assert_int_equal(count, 314);
    expect_stream("TraceMetadata;1700000000000000000;72623859790382856;4711;<no-session-id>;host1;"
                  "72623859790382856;-1\n"
                  "BeforeOperationEvent;1700000000000000500;1700000000000000400;72623859790382856;0;"
                  "void app.Main.run();app.Main\npending 0\n");
}

/* Ids from anywhere, again with another text; a logging time that was never set. */
static void test_ids(void **state)
{
    (void)state;
    count = 0;
    put_string(1000000, BEFORE);
    put_string(7, "a");
    put_before(1000000, -1, 0, 7, 7);
    put_string(7, "b");
    put_before(1000000, 5, 1, 7, 7);
    put_string(1000000, "kieker.common.record.flow.trace.operation.AfterOperationEvent");
    put_before(1000000, 5, 2, 7, 7);
    put_32(0);
    count--;
    expect_stream("BeforeOperationEvent;1700000000000000400;1700000000000000400;72623859790382856;0;a;a\n"
                  "BeforeOperationEvent;5;1700000000000000400;72623859790382856;1;b;b\n"
                  "AfterOperationEvent;5;1700000000000000400;72623859790382856;2;b;b\npending 3\n");
}

/* Java sends UTF-16 units for bytes: what follows tells. */
static void test_java_lengths(void **state)
{
    static const char *const texts[] = {"\xc3\xa9", "x\xe2\x82\xac y", "\xf0\x9f\x98\x80!", "no"};
    static const uint32_t units[] = {1, 4, 3, 2};
    char expected[512] = "";

    (void)state;
    for (int java = 0; java < 2; java++) {
        count = 0;
        *expected = 0;
        put_string(0, BEFORE);
        for (uint32_t i = 0; i < 4; i++)
            put_entry(1 + i, texts[i], java ? units[i] : (uint32_t)strlen(texts[i]));
        /* Behind another entry, and behind a record. */
        put_before(0, 1, 0, 1, 2);
        put_entry(9, texts[2], java ? units[2] : (uint32_t)strlen(texts[2]));
        put_before(0, 1, 1, 3, 9);
        put_before(0, 1, 2, 4, 4);
        snprintf(expected, sizeof expected,
                 "BeforeOperationEvent;1;1700000000000000400;72623859790382856;0;%s;%s\n"
                 "BeforeOperationEvent;1;1700000000000000400;72623859790382856;1;%s;%s\n"
                 "BeforeOperationEvent;1;1700000000000000400;72623859790382856;2;no;no\npending 0\n",
                 texts[0], texts[1], texts[2], texts[2]);
        expect_stream(expected);
    }
}

/* A long string, a byte at a time: it is not read again for each (all of it would take minutes). */
static void test_slow_peer(void **state)
{
    enum { UNITS = 300000 };
    struct kp_kieker_stream *stream = kp_kieker_stream_create(&ops, NULL, NULL);
    clock_t begin = clock();

    (void)state;
    assert_non_null(stream);
    count = 0;
    put_entry(1, "", UNITS);
    assert_int_equal(kp_kieker_stream_feed(stream, bytes, count), KP_OK);
    for (size_t i = 0; i < 3 * (size_t)UNITS; i++)
        assert_int_equal(kp_kieker_stream_feed(stream, "\xe2\x82\xac" + i % 3, 1), KP_OK);
    count = 0;
    put_string(0, BEFORE);
    put_before(0, 1, 0, 0, 0);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(kp_kieker_stream_feed(stream, bytes + i, 1), KP_OK);
    assert_int_equal(kp_kieker_stream_pending(stream), 0);
    kp_kieker_stream_destroy(stream);
    assert_true((clock() - begin) / CLOCKS_PER_SEC < 5);
}

static void expect_refused(const char *why)
{
    for (size_t piece = 1; piece <= count; piece++) {
        assert_int_equal(feed(piece, &(struct kp_kieker_limits){.string_bytes = 1000, .record_bytes = 2000}),
                         KP_ERROR_DAMAGED);
        if (!strstr(error, why))
            fail_msg("'%s' without '%s'", error, why);
    }
}

static void test_refused(void **state)
{
    (void)state;
    count = 0;
    put_before(3, 1, 0, 4, 5);
    expect_refused("class 3 was never registered");
    count = 0;
    put_string(3, "com.acme.Record");
    put_before(3, 1, 0, 4, 5);
    expect_refused("nobody knows records of class com.acme.Record");
    count = 0;
    put_string(3, BEFORE);
    put_before(3, 1, 0, 3, 5);
    expect_refused("refers to a string that was never registered");
    count = 0;
    put_entry(3, "", 1001);
    expect_refused("a string of 1001 bytes: the limit is 1000");
    count = 0;
    put_entry(3, "", UINT32_MAX);
    expect_refused("the length -1");
    count = 0;
    put_entry(UINT32_MAX - 1, "a", 1);
    expect_refused("the id -2");
    count = 0;
    put_32(UINT32_MAX - 5);
    expect_refused("neither a record nor an entry begins with -6");
    count = 0;
    put_string(1, "kieker.common.record.remotecontrol.ActivationParameterEvent");
    put_32(1);
    put_64(1);
    put_32(1);
    put_32(1);
    put_32(INT32_MAX);
    memset(bytes + count, 0, 3000);
    count += 3000;
    expect_refused("of more than 2000 bytes");
}

/* --- logs --- */

static void read_log(const char *map, const void *data, size_t data_bytes, bool binary, size_t piece)
{
    struct kp_kieker_log_reader *reader = kp_kieker_log_reader_create(&ops, NULL, NULL);

    *got = *damages = 0;
    assert_int_equal(kp_kieker_log_reader_map(reader, "kieker.map", map, strlen(map)), KP_OK);
    kp_kieker_log_reader_begin(reader, "a.dat", binary);
    for (size_t at = 0; at < data_bytes; at += piece)
        assert_int_equal(kp_kieker_log_reader_data(reader, (const char *)data + at,
                                                   data_bytes - at < piece ? data_bytes - at : piece),
                         KP_OK);
    assert_int_equal(kp_kieker_log_reader_end(reader), KP_OK);
    kp_kieker_log_reader_destroy(reader);
}

static void expect_log(const char *map, const char *data, const char *expected, const char *damage)
{
    for (size_t piece = 1; piece <= strlen(data) + 1; piece++) {
        read_log(map, data, strlen(data), false, piece);
        assert_string_equal(got, expected);
        assert_string_equal(damages, damage);
    }
}

#define MAP                                                                                                  \
    "$0=" BEFORE "\r\n1=kieker.common.record.flow.trace.operation.AfterOperationFailedEvent\n\n$2=a.B\n"

static void test_text(void **state)
{
    (void)state;
    expect_log(MAP, "$0;5;6;7;0;op();C\r\n$0;5;6;7;1;op();C\r\r\n$1;5;6;7;2;op();C",
               "BeforeOperationEvent;5;6;7;0;op();C\nBeforeOperationEvent;5;6;7;1;op();C\n"
               "AfterOperationFailedEvent;5;6;7;2;op();C;\n",
               "");
    /* A backslash takes the separator; no text at all; more fields than there are; no logging time. */
    expect_log(MAP, "$0;5;6;7;0;a\\;b;C\n$0;5;6;7;0\n$0;5;6;7;0;a;b;c;d\n$0;6;7;0;op();C\n$2;1;2\n",
               "BeforeOperationEvent;5;6;7;0;a\\\\,b;C\nBeforeOperationEvent;5;6;7;0;;\n"
               "BeforeOperationEvent;5;6;7;0;a;b\nBeforeOperationEvent;6;6;7;0;op();C\nunknown a.B\n",
               "");
}

static void test_damaged_lines(void **state)
{
    (void)state;
    expect_log(MAP, "# no\n$0;5;six;7;0;a;b\n$9;1\n$0;5;6;7;0;a;b\n$0;5;6",
               "BeforeOperationEvent;5;6;7;0;a;b\n",
               "a.dat@0: a line that is no record\n"
               "a.dat@5: a line that is no " BEFORE "\n"
               "a.dat@22: class 9 is not in the map\n"
               "a.dat@42: a line that is no " BEFORE "\n");
}

static void test_map(void **state)
{
    (void)state;
    expect_log("$0=" BEFORE "\nnonsense\n$1\n$x=y\n$3=a\\\\b\\n\\q\\", "$3;1;2\n", "unknown a\\b\n\\q\\\n",
               "kieker.map@66: a line that is no entry of a map\n"
               "kieker.map@75: a line that is no entry of a map\n"
               "kieker.map@78: a line that is no entry of a map\n");
}

static void test_long_line(void **state)
{
    static char data[(3 << 20) + 100];
    char *at = data;

    (void)state;
    memset(at, 'x', 3 << 20);
    strcpy(at + (3 << 20), "\n$0;5;6;7;0;a;b\n");
    read_log(MAP, data, strlen(data), false, 65536);
    assert_string_equal(got, "BeforeOperationEvent;5;6;7;0;a;b\n");
    assert_string_equal(damages, "a.dat@0: a line of more than 1048576 bytes\n");
}

/* Executions as Tpmon and Kieker up to 1.4 wrote them. */
static void test_old_executions(void **state)
{
    (void)state;
    expect_log("$1=kieker.tpmon.monitoringRecord.executions.KiekerExecutionRecord\n"
               "$2=kieker.common.record.OperationExecutionRecord\n",
               "$1;10;0;a.B.c(boolean);NULL;16;20;30;appsrv1;1;2\n$2;10;-1;a.B.c();N/A;-1;20;30;N/A;-1;-1\n"
               "$2;10;a.B.c();N/A;-1;20;30;N/A;-1;-1\n",
               "OperationExecutionRecord;10;a.B.c(boolean);NULL;16;20;30;appsrv1;1;2\n"
               "OperationExecutionRecord;10;a.B.c();N/A;-1;20;30;N/A;-1;-1\n"
               "OperationExecutionRecord;10;a.B.c();N/A;-1;20;30;N/A;-1;-1\n",
               "");
}

static void test_python_pack(void **state)
{
    (void)state;
    expect_log("$ monitoring.record.trace.tracemetadataTraceMetadata = 1 \n"
               "$ monitoring.record.trace.operation.operationeventBeforeOperationEvent = 2 \n"
               "$ monitoring.record.trace.operation.operationeventAfterOperationFailedEvent = 3 \n",
               "2;50; 1; 0; f; m; \n1;1; 140; <no-session-id>; <default-host>; 1; -1; \n"
               "3;60; 1; 1; f; m; KeyError('x'); \n",
               "BeforeOperationEvent;50;50;1;0;f;m\n"
               "TraceMetadata;50;1;140;<no-session-id>;<default-host>;1;-1\n"
               "AfterOperationFailedEvent;60;60;1;1;f;m;KeyError('x')\n",
               "");
}

static void test_binary(void **state)
{
    static const char map[] = "$0=" BEFORE "\n$1=op()\n$2=C\n";

    (void)state;
    count = 0;
    put_before(0, 5, 0, 1, 2);
    put_before(0, 5, 1, 1, 2);
    for (size_t piece = 1; piece <= count; piece++) {
        read_log(map, bytes, count, true, piece);
        assert_string_equal(got, "BeforeOperationEvent;5;1700000000000000400;72623859790382856;0;op();C\n"
                                 "BeforeOperationEvent;5;1700000000000000400;72623859790382856;1;op();C\n");
        assert_string_equal(damages, "");
        read_log(map, bytes, count - 1, true, piece);
        assert_string_equal(damages, "a.dat@40: the file ends in the middle of a record\n");
    }
    put_32(77);
    put_before(0, 5, 1, 1, 2);
    read_log(map, bytes, count, true, 7);
    assert_string_equal(
        damages, "a.dat@80: class 77 was never registered\na.dat@80: the rest of the file cannot be read\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_example),       cmocka_unit_test(test_ids),
        cmocka_unit_test(test_java_lengths),  cmocka_unit_test(test_slow_peer),
        cmocka_unit_test(test_refused),       cmocka_unit_test(test_text),
        cmocka_unit_test(test_damaged_lines), cmocka_unit_test(test_map),
        cmocka_unit_test(test_long_line),     cmocka_unit_test(test_old_executions),
        cmocka_unit_test(test_python_pack),   cmocka_unit_test(test_binary),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
