/* Manual probes on the real core: what comes back out of the trace. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "manual.h"
#include "thread.h"
#include "trace/reader.h"

#define THREADS 4u
#define ROUNDS  20000u

static char trace_path[128];

/* What the reader says of a trace. */
struct totals {
    uint64_t enters, exits, unwinds, yields, resumes, records, parts, torn, lost_calls, lost_events, causes;
    uint64_t made, read, lost;
    uint64_t left[THREADS + 1]; /* parts that the record under way still needs, by thread */
    char order[4096];
};

static void add_order(struct totals *sum, const struct kp_event *event, const struct kp_function *function)
{
    static const char signs[] = " +-!~>";
    size_t used = strlen(sum->order);

    if (event->kind < sizeof signs - 1 && used + 64 < sizeof sum->order)
        snprintf(sum->order + used, sizeof sum->order - used, "%c%s ", signs[event->kind],
                 function ? function->name : "?");
}

static void add_event(struct totals *sum, const struct kp_event *event, uint64_t *left)
{
    bool is_part = event->kind == KP_EVENT_VALUES && event->id == KP_VALUES_RECORD_BYTES;

    sum->torn += is_part ? *left == 0 : *left != 0;
    *left -= is_part && *left;
    sum->parts += is_part;
    sum->enters += event->kind == KP_EVENT_ENTER;
    sum->exits += event->kind == KP_EVENT_EXIT;
    sum->unwinds += event->kind == KP_EVENT_UNWIND;
    sum->yields += event->kind == KP_EVENT_YIELD;
    sum->resumes += event->kind == KP_EVENT_RESUME;
    if (event->kind == KP_EVENT_LOST) {
        sum->lost_calls += event->value;
        sum->lost_events += event->value2;
    }
    sum->causes += event->kind == KP_EVENT_VALUES && event->id == KP_VALUES_EXCEPTION;
    if (event->kind == KP_EVENT_VALUES && event->id == KP_VALUES_RECORD) {
        sum->records++;
        *left = (event->value2 + 15) / 16;
    }
}

static struct totals read_trace(void)
{
    struct totals sum = {0};
    const char *path = trace_path;
    struct kp_reader *reader;
    struct kp_item item;
    char error[512];

    if (kp_reader_open(&reader, &path, 1, 0, error, sizeof error) != KP_OK)
        fail_msg("%s", error);
    while (kp_reader_next(reader, &item) == KP_OK) {
        for (size_t i = 0; item.kind == KP_ITEM_EVENTS && i < item.count; i++) {
            assert_true(item.thread->number <= THREADS);
            add_event(&sum, &item.events[i], &sum.left[item.thread->number]);
            add_order(&sum, &item.events[i], kp_reader_function(reader, item.process, item.events[i].id));
        }
        if (item.kind == KP_ITEM_THREAD_END) {
            sum.made += item.thread->calls_made;
            sum.read += item.thread->calls_read;
            sum.lost += item.thread->calls_lost;
        }
    }
    kp_reader_close(reader);
    return sum;
}

/* The core is one per process and cannot start twice. */
static void in_child(void (*body)(void))
{
    pid_t pid;
    int status;

    unlink(trace_path);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        kp_core_stop();
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static bool configure(void)
{
    return kp_core_configure();
}

static void start(const char *buffer)
{
    char output[160];

    snprintf(output, sizeof output, "file:%s", trace_path);
    setenv("KPROBE_OUTPUT", output, 1);
    setenv("KPROBE_BUFFER", buffer, 1);
    setenv("KPROBE_ON_FULL", "drop", 1);
    kp_manual_configure = configure;
}

static void nest(void)
{
    uint32_t a, b;
    uint64_t token;

    start("1M");
    a = kp_manual_region("a");
    b = kp_manual_region("b");
    assert_int_equal(kp_manual_region("a"), a);
    assert_true(a && b && a != b);
    kp_manual_begin(a);
    kp_manual_begin(b);
    kp_manual_begin(b);
    kp_manual_end(a); /* both b are left */
    kp_manual_end(b); /* nothing */
    kp_manual_begin(b);
    kp_manual_fail(b, "Wrong");
    kp_manual_begin(a);
    token = kp_manual_suspend(a, 0);
    assert_true(token);
    kp_manual_begin(b);
    kp_manual_resume(a, token);
    assert_int_equal(kp_manual_suspend(a, token), token);
    kp_manual_end(b);
    kp_manual_resume(a, token);
    kp_manual_end(a);
    /* No handles. */
    kp_manual_begin(0);
    kp_manual_end(UINT32_MAX);
    kp_manual_fail(77, "x");
    kp_manual_resume(77, token);
    assert_false(kp_manual_record(a, "", 0));
    assert_false(kp_manual_wanted(77));
    assert_true(kp_manual_wanted(a));
}

static void test_nesting(void **state)
{
    struct totals sum;

    (void)state;
    in_child(nest);
    sum = read_trace();
    assert_string_equal(sum.order, "+a +b +b !b !b -a +b !b +a ~a +b >a ~a -b >a -a ");
    assert_int_equal(sum.causes, 1);
}

static uint64_t recorded[THREADS];
static pthread_barrier_t barrier;

static void *hammer(void *user)
{
    unsigned number = (unsigned)(uintptr_t)user;
    uint8_t payload[500];
    char name[32];
    uint32_t own, shared = kp_manual_region("shared"), class = kp_manual_class("a.B", "JT");

    memset(payload, (int)number, sizeof payload);
    snprintf(name, sizeof name, "own.%u", number);
    own = kp_manual_region(name);
    pthread_barrier_wait(&barrier);
    for (unsigned i = 0; i < ROUNDS; i++) {
        kp_manual_begin(shared);
        kp_manual_begin(own);
        recorded[number] += kp_manual_record(class, payload, i % sizeof payload);
        snprintf(name, sizeof name, "text.%u", i % 100);
        assert_true(kp_manual_text(NULL, name) > 0);
        if (i % 3)
            kp_manual_end(own);
        kp_manual_end(shared);
    }
    return NULL;
}

static void hammer_all(void)
{
    pthread_t threads[THREADS];
    uint64_t sum = 0;
    char text[32];

    start("64K");
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (uintptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, hammer, (void *)i);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned i = 0; i < THREADS; i++)
        sum += recorded[i];
    snprintf(text, sizeof text, "%llu", (unsigned long long)sum);
    kp_core_lock();
    kp_core_meta("recorded", text);
    kp_core_unlock();
}

/* In rings that are too small: records are there as a whole or not at all, and what is lost is counted. */
static void test_threads(void **state)
{
    struct totals sum;
    const uint64_t records = (uint64_t)THREADS * ROUNDS;

    (void)state;
    in_child(hammer_all);
    sum = read_trace();
    assert_int_equal(sum.torn, 0);
    for (unsigned i = 0; i <= THREADS; i++)
        assert_int_equal(sum.left[i], 0);
    assert_int_equal(sum.made, 2ull * THREADS * ROUNDS);
    assert_int_equal(sum.made, sum.read + sum.lost);
    assert_int_equal(sum.enters, sum.read);
    assert_true(sum.records <= records);
    /* A record that is lost is one event. */
    if (sum.records < records)
        assert_true(sum.lost_events >= records - sum.records - 1);
}

static void exclude(void)
{
    start("1M");
    setenv("KPROBE_FILTER", "-manual:secret.*", 1);
    kp_manual_begin(kp_manual_region("secret.a"));
    kp_manual_begin(kp_manual_region("open"));
    kp_manual_end(kp_manual_region("secret.a"));
    kp_manual_end(kp_manual_region("open"));
    assert_false(kp_manual_record(kp_manual_class("secret.B", "J"), "12345678", 8));
    assert_true(kp_manual_record(kp_manual_class("B", "J"), "12345678", 8));
    assert_false(kp_manual_record(kp_manual_class("B", "J"), "12345678", KP_MANUAL_RECORD_MAX + 1));
}

static void test_rules(void **state)
{
    struct totals sum;

    (void)state;
    in_child(exclude);
    sum = read_trace();
    assert_string_equal(sum.order, "+open -open ");
    assert_int_equal(sum.records, 1);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {cmocka_unit_test(test_nesting), cmocka_unit_test(test_threads),
                                              cmocka_unit_test(test_rules)};
    char folder[] = "/tmp/kprobe-manual-XXXXXX";
    int failed;

    if (!mkdtemp(folder))
        return 77;
    snprintf(trace_path, sizeof trace_path, "%s/trace.kpt", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(trace_path);
    rmdir(folder);
    return failed;
}
