/* trace/kieker/import: what records become, in order or not, complete or not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "kieker_imported.h"

#define OPERATION "kieker.common.record.flow.trace.operation."

static const char map[] = "$0=kieker.common.record.misc.KiekerMetadataRecord\n"
                          "$1=kieker.common.record.flow.trace.TraceMetadata\n"
                          "$2=" OPERATION "BeforeOperationEvent\n"
                          "$3=" OPERATION "AfterOperationEvent\n"
                          "$4=" OPERATION "AfterOperationFailedEvent\n"
                          "$5=" OPERATION "CallOperationEvent\n"
                          "$6=kieker.common.record.flow.trace.concurrency.SplitEvent\n"
                          "$7=kieker.common.record.controlflow.OperationExecutionRecord\n"
                          "$8=" OPERATION "constructor.object.BeforeConstructorObjectEvent\n"
                          "$9=" OPERATION "constructor.object.AfterConstructorFailedObjectEvent\n"
                          "$10=kieker.common.record.flow.thread.BeforeThreadBasedEvent\n"
                          "$11=kieker.common.record.flow.thread.AfterThreadBasedEvent\n"
                          "$12=" OPERATION "EntryLevelBeforeOperationEvent\n"
                          "$13=kieker.common.record.system.LoadAverageRecord\n"
                          "$14=kieker.common.record.flow.trace.ApplicationTraceMetadata\n"
                          "$15=com.acme.Record\n";

#define METADATA "$0;1;1.14;KIEKER;h;0;false;0;NANOSECONDS;0\n"
#define TRACE    "$1;1;9;3;<no-session-id>;h;9;-1\n"

static void expect(const char *data, const char *expected)
{
    char *text = import_text(map, data);

    if (strcmp(text, expected) != 0)
        fail_msg("got:\n%sexpected:\n%s", text, expected);
    free(text);
}

static void test_calls(void **state)
{
    (void)state;
    expect(METADATA TRACE "$2;1;10;9;0;public static void a.B.m(java.lang.String, int) throws X;a.B\n"
                          "$8;1;11;9;1;public a.C.<init>();a.C;77\n"
                          "$9;1;12;9;2;public a.C.<init>();a.C;java.lang.IllegalStateException: secret;77\n"
                          "$12;1;13;9;3;void a.D.n();a.E;1;p;1;v;0\n"
                          "$6;1;14;9;4\n"
                          "$3;1;15;9;5;void a.D.n();a.E\n"
                          "$3;1;16;9;6;public static void a.B.m(java.lang.String, int) throws X;a.B\n",
           "process h\nthread 0 3 \n"
           "10 0 enter 0 a.B.m(String,int)\n11 0 enter 1 a.C.<init>()\n"
           "12 0 values 2 java.lang.IllegalStateException\n12 0 unwind 1 a.C.<init>()\n"
           "13 0 enter 1 a.E.n() [a.D]\n15 0 exit 1 a.E.n() [a.D]\n16 0 exit 0 a.B.m(String,int)\n"
           "kieker: kieker.common.record.flow.trace.concurrency.SplitEvent: 1\n"
           "kieker controller: KIEKER\nkieker records: 9\nkieker traces: 1\n");
}

/* Any order within a trace; two traces of one thread at a time; a root more than there should be. */
static void test_order(void **state)
{
    (void)state;
    expect(METADATA TRACE "$3;1;40;9;3;f();m\n$2;1;20;9;1;g();m\n$3;1;30;9;2;g();m\n$2;1;10;9;0;f();m\n"
                          "$2;1;50;9;4;h();m\n$3;1;60;9;5;h();m\n",
           "process h\nthread 0 3 \n10 0 enter 0 m.f()\n20 0 enter 1 m.g()\n30 0 exit 1 m.g()\n"
           "40 0 exit 0 m.f()\n50 0 enter 0 m.h()\n60 0 exit 0 m.h()\n"
           "kieker controller: KIEKER\nkieker records: 8\nkieker traces: 2\n");
    expect(METADATA TRACE "$2;1;10;9;0;f();m\n$1;1;8;3;;h;8;-1\n$2;1;20;8;0;g();m\n$3;1;30;9;1;f();m\n"
                          "$3;1;40;8;1;g();m\n",
           "process h\nthread 0 3 \nthread 1 3 \n10 0 enter 0 m.f()\n30 0 exit 0 m.f()\n"
           "20 1 enter 0 m.g()\n40 1 exit 0 m.g()\n"
           "kieker controller: KIEKER\nkieker records: 7\nkieker traces: 2\n");
}

static void test_incomplete(void **state)
{
    (void)state;
    /* An end that is missing, one without a begin, and events that are. */
    expect(METADATA TRACE "$2;1;10;9;0;f();m\n$2;1;20;9;1;g();m\n$3;1;30;9;2;f();m\n",
           "process h\nthread 0 3 \ndamage trace 9: 1 calls have no end before event 2\n"
           "10 0 enter 0 m.f()\n20 0 enter 1 m.g()\n30 0 exit 0 m.f()\n"
           "kieker controller: KIEKER\nkieker records: 5\nkieker traces: 1\n"
           "kieker events dropped or cut: 1\n");
    expect(METADATA TRACE "$2;1;10;9;0;f();m\n$3;1;20;9;1;g();m\n$2;1;30;9;5;h();m\n$2;1;31;9;5;h();m\n",
           "process h\nthread 0 3 \ndamage trace 9: event 1 ends m.g(), which is not open\n"
           "damage trace 9: 3 events before event 5 are missing\n"
           "damage trace 9: two events have the number 5\n"
           "damage trace 9: 2 calls have no end\n"
           "10 0 enter 0 m.f()\n30 0 lost 1 \n30 0 enter 1 m.h()\n"
           "kieker controller: KIEKER\nkieker records: 6\nkieker events dropped or cut: 4\n");
}

/* What its caller alone saw, and what both saw. */
static void test_assumed(void **state)
{
    (void)state;
    expect(METADATA TRACE "$5;1;10;9;0;main();m;f();m\n$2;1;11;9;1;f();m\n$5;1;12;9;2;f();m;x.g();x\n"
                          "$3;1;15;9;3;f();m\n",
           "process h\nthread 0 3 \n11 0 enter 0 m.f()\n12 0 enter 1 x.g()\n15 0 exit 1 x.g()\n"
           "15 0 exit 0 m.f()\nkieker controller: KIEKER\nkieker records: 6\nkieker traces: 1\n"
           "kieker calls seen by their callers only: 1\n");
}

#define EXECUTION(signature, in, out, eoi, ess)                                                              \
    "$7;1;void " signature ";s;5;" #in ";" #out ";h;" #eoi ";" #ess "\n"

static void test_executions(void **state)
{
    (void)state;
    expect(METADATA EXECUTION("a.g()", 20, 30, 2, 2) EXECUTION("a.f()", 15, 40, 1, 1)
               EXECUTION("a.h()", 50, 60, 3, 1) EXECUTION("a.main()", 10, 70, 0, 0),
           "process h\nthread 0 0 \n10 0 enter 0 a.main()\n15 0 enter 1 a.f()\n20 0 enter 2 a.g()\n"
           "30 0 exit 2 a.g()\n40 0 exit 1 a.f()\n50 0 enter 1 a.h()\n60 0 exit 1 a.h()\n"
           "70 0 exit 0 a.main()\nkieker controller: KIEKER\nkieker records: 5\nkieker traces: 1\n");
    /* As the C pack counts; without control flow; and with one missing. */
    expect(METADATA EXECUTION("a.f()", 15, 40, 1, 2) EXECUTION(
               "a.main()", 10, 70, 0, 1) "$7;1;a.x();s;-1;80;90;h;-1;-1\n" EXECUTION("a.y()", 100, 110, 2, 1),
           "process h\nthread 0 0 \ndamage trace 5 of 1 executions: its first executions are missing\n"
           "10 0 enter 0 a.main()\n15 0 enter 1 a.f()\n40 0 exit 1 a.f()\n70 0 exit 0 a.main()\n"
           "80 0 enter 0 a.x()\n90 0 exit 0 a.x()\n100 0 enter 0 a.y()\n110 0 exit 0 a.y()\n"
           "kieker controller: KIEKER\nkieker records: 5\nkieker traces: 3\n"
           "kieker events dropped or cut: 1\n");
}

static void test_threads(void **state)
{
    (void)state;
    /* Python's thread ids are addresses. */
    expect(METADATA "$1;1;1;140245234751232;;h;1;-1\n$2;1;10;1;0;f;m\n$3;1;20;1;1;f;m\n"
                    "$10;1;30;7;100;t();k\n$11;1;40;7;101;t();k\n",
           "process h\nthread 0 1667634944 7f8d63661700\nthread 1 7 \n10 0 enter 0 m.f\n20 0 exit 0 m.f\n"
           "30 1 enter 0 k.t()\n40 1 exit 0 k.t()\n"
           "kieker controller: KIEKER\nkieker records: 6\nkieker traces: 2\n");
}

/* Hosts and applications are processes; what no trace holds is counted; what nobody knows too. */
static void test_sections(void **state)
{
    (void)state;
    expect(METADATA TRACE "$2;1;10;9;0;f();m\n$3;1;20;9;1;f();m\n$13;1;5;h;0.1;0.2;0.3\n$13;1;6;h;0;0;0\n"
                          "$15;1;whatever\n$14;1;8;1;;h2;8;-1;shop\n$2;1;30;8;0;g();m\n$3;1;40;8;1;g();m\n",
           "process h\nthread 0 3 \n10 0 enter 0 m.f()\n20 0 exit 0 m.f()\n"
           "process h2\nthread 0 1 \n30 0 enter 0 m.g()\n40 0 exit 0 m.g()\n"
           "kieker: kieker.common.record.system.LoadAverageRecord: 2\nkieker: com.acme.Record: 1\n"
           "kieker controller: KIEKER\nkieker records: 10\nkieker traces: 2\n");
}

/* Microseconds of the C pack, whose ends have the number of the event before; milliseconds as they say. */
static void test_units(void **state)
{
    (void)state;
    expect("$1;1;9;3;<no-session>;h;-1;0\n$2;1;1700000000000001;9;0;0x1234;<package structure>\n"
           "$2;1;1700000000000002;9;1;0x1;<package structure>\n"
           "$3;1;1700000000000003;9;1;0x1;<package structure>\n"
           "$3;1;1700000000000004;9;1;0x1234;<package structure>\n",
           "process h\nthread 0 3 \n1700000000000001000 0 enter 0 0x1234\n"
           "1700000000000002000 0 enter 1 0x1\n1700000000000003000 0 exit 1 0x1\n"
           "1700000000000004000 0 exit 0 0x1234\nkieker records: 5\nkieker traces: 1\n"
           "kieker events with the number of the one before: 2\n");
    expect("$0;1;1.14;KIEKER;h;0;false;1000;MILLISECONDS;0\n" TRACE "$2;1;10;9;0;f();m\n$3;1;20;9;1;f();m\n",
           "process h\nthread 0 3 \n1010000000 0 enter 0 m.f()\n1020000000 0 exit 0 m.f()\n"
           "kieker controller: KIEKER\nkieker records: 4\nkieker traces: 1\n");
}

/* A log of kprobe's own has the names that the functions had. */
static void test_own(void **state)
{
    (void)state;
    expect("$0;1;2.0.3;kprobe;h;0;false;0;NANOSECONDS;0\n" TRACE
           "$2;1;10;9;0;object m.C._locals_.f(object,object);m.C\n"
           "$2;1;11;9;1;native void libssl_so_3.SSL_read();libssl_so_3\n"
           "$4;1;12;9;2;native void libssl_so_3.SSL_read();libssl_so_3;builtins.KeyError\n"
           "$3;1;13;9;3;object m.C._locals_.f(object,object);m.C\n",
           "process h\nthread 0 3 \n10 0 enter 0 m.C.<locals>.f\n11 0 enter 1 libssl.so.3:SSL_read\n"
           "12 0 values 2 builtins.KeyError\n12 0 unwind 1 libssl.so.3:SSL_read\n"
           "13 0 exit 0 m.C.<locals>.f\n"
           "kieker controller: kprobe\nkieker records: 6\nkieker traces: 1\n");
}

/* Memory for what waits is bounded: traces are cut, and that is said. */
static void test_bounds(void **state)
{
    struct kp_kieker_import *import = begin_import(1);
    char *data = NULL, *text;
    size_t count;
    FILE *out = open_memstream(&data, &count);

    (void)state;
    fprintf(out, METADATA TRACE);
    for (int i = 1; i <= 100000; i++)
        fprintf(out, "$2;1;%d;9;%d;f();m\n", i, i);
    for (int i = 1; i <= 100000; i++)
        fprintf(out, "$7;1;a.f();s;6;%d;%d;h;%d;1\n", i, i + 1, i);
    /* Threads without end are too much. */
    for (int i = 100; i < 20100; i++)
        fprintf(out, "$1;1;%d;%d;;h;-1;-1\n$2;1;5;%d;0;f();m\n", i, i, i);
    fclose(out);
    feed_log(import, &kp_kieker_import_ops, map, data, count, false, 1 << 16);
    assert_int_equal(kp_kieker_import_finish(import, NULL), KP_ERROR_FULL);
    assert_true(kp_kieker_import_counts(import)->invalid > 0);
    kp_kieker_import_destroy(import);
    text = read_imported();
    assert_non_null(strstr(text, "enter 0 m.f()"));
    free(text);
    free(data);
}

/* The short way for events gives the same trace. */
static void test_short_way(void **state)
{
    static const char data[] = METADATA TRACE
        "$2;1;10;9;0;f();m\n$8;1;11;9;1;a.C.<init>();a.C;7;more\n$2;1;12;9;2;g\\;x;m\n"
        "$3;1;13;9;3;g\\;x;m\n$9;1;14;9;4;a.C.<init>();a.C;X: y;7\n$5;1;15;9;5;f();m;k();l\n"
        "$2;-1;16;9;6;h()\n$3;;17;9;7;h();m\n$3;1;17;9;7;h()\n$4;1;18;9;8;f();m\n$2;1;x;9;0;f();m\n"
        "$10;1;30;7;100;t();k\n$11;1;40;7;101;t();k\n$2;99999999999999999999;1;1;1;f();m\n" EXECUTION(
            "a.g()", 20, 30, 1, 1)
            EXECUTION("a.f()", 15, 40, 0, 0) "$7;1;0;a.f();s;5;1;2;h;0;0\n$7;1;a.f();s;5;1;2;h;0\n";
    struct kp_kieker_input_ops generic_ops = kp_kieker_import_ops;
    char *texts[2];

    (void)state;
    generic_ops.event = NULL;
    for (int generic = 0; generic < 2; generic++) {
        struct kp_kieker_import *import = begin_import(0);

        feed_log(import, generic ? &generic_ops : &kp_kieker_import_ops, map, data, strlen(data), false, 11);
        assert_int_equal(kp_kieker_import_finish(import, NULL), KP_OK);
        kp_kieker_import_destroy(import);
        texts[generic] = read_imported();
    }
    assert_string_equal(texts[0], texts[1]);
    assert_non_null(strstr(texts[0], "l.k()"));
    free(texts[0]);
    free(texts[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_calls),    cmocka_unit_test(test_order),      cmocka_unit_test(test_incomplete),
        cmocka_unit_test(test_assumed),  cmocka_unit_test(test_executions), cmocka_unit_test(test_threads),
        cmocka_unit_test(test_sections), cmocka_unit_test(test_units),      cmocka_unit_test(test_own),
        cmocka_unit_test(test_bounds),   cmocka_unit_test(test_short_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
