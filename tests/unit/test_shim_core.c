/* The shim's core without an interpreter: probes by hand, the real writer, the real file, read back by the
 * real reader. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core.h"
#include "emit.h"
#include "registry.h"
#include "thread.h"
#include "trace/leftover.h"
#include "trace/reader.h"

static char folder[64];
static char trace_path[128];

/* What the reader says of a trace. */
struct totals {
    uint64_t made, lost, read, lost_read, events, gaps, threads, functions, named, processes, damage;
    bool complete, recovered;
    uint32_t base_depth;
};

static void add_events(struct totals *sum, struct kp_reader *reader, const struct kp_item *item)
{
    for (size_t i = 0; i < item->count; i++) {
        const struct kp_event *event = &item->events[i];

        sum->named += event->id && kp_reader_function(reader, item->process, event->id) != NULL;
        sum->events++;
    }
}

static struct totals read_trace(const char *path)
{
    struct totals sum = {0};
    struct kp_reader *reader;
    struct kp_item item;
    char error[512];

    if (kp_reader_open(&reader, &path, 1, 0, error, sizeof error) != KP_OK)
        fail_msg("%s", error);
    while (kp_reader_next(reader, &item) == KP_OK) {
        sum.processes += item.kind == KP_ITEM_PROCESS;
        sum.functions += item.kind == KP_ITEM_FUNCTION;
        sum.threads += item.kind == KP_ITEM_THREAD;
        sum.damage += item.kind == KP_ITEM_DAMAGE;
        if (item.kind == KP_ITEM_THREAD)
            sum.base_depth = item.thread->base_depth;
        if (item.kind == KP_ITEM_EVENTS)
            add_events(&sum, reader, &item);
        if (item.kind == KP_ITEM_THREAD_END) {
            sum.made += item.thread->calls_made;
            sum.lost += item.thread->calls_lost;
            sum.read += item.thread->calls_read;
            sum.lost_read += item.thread->calls_lost_read;
            sum.gaps += item.thread->gaps;
        }
        if (item.kind == KP_ITEM_PROCESS_END) {
            sum.complete = item.process->complete;
            sum.recovered = item.process->recovered;
        }
    }
    kp_reader_close(reader);
    return sum;
}

/* The core is one per process and cannot start twice: each case runs it in a child of its own. */
static int in_child(void (*body)(void))
{
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void start(const char *buffer, const char *on_full)
{
    char output[160];

    snprintf(output, sizeof output, "file:%s", trace_path);
    setenv("KPROBE_OUTPUT", output, 1);
    setenv("KPROBE_BUFFER", buffer, 1);
    setenv("KPROBE_ON_FULL", on_full, 1);
    if (!kp_core_configure())
        _exit(90);
    pthread_atfork(kp_core_fork_prepare, kp_core_fork_parent, kp_core_fork_child);
    kp_core_arm();
}

static uint32_t define(const char *name)
{
    uint32_t id;

    pthread_mutex_lock(&kp_core.lock);
    id = kp_registry_function(KP_FUNCTION_PYTHON, name, strlen(name), "file.py", 7, 1);
    pthread_mutex_unlock(&kp_core.lock);
    return id;
}

static uint32_t exception; /* by which probed calls end; 0: they return */

static void probe(uint32_t id, unsigned calls)
{
    for (unsigned i = 0; i < calls; i++) {
        struct kp_thread_state *t = kp_thread_active();

        if (!t)
            return;
        kp_emit_enter(t, id, t->depth++);
        t->depth--;
        if (exception)
            kp_emit_unwind(t, id, t->depth, kp_clock_now(t->clock), exception);
        else
            kp_emit(t, KP_EVENT_EXIT, id, t->depth, kp_clock_now(t->clock));
    }
}

static void one_thread(void)
{
    start("1M", "drop");
    probe(define("m.f"), 1000);
    kp_core_stop();
}

static void core_writes_what_was_emitted(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(one_thread), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.made, 1000);
    assert_int_equal(sum.read, 1000);
    assert_int_equal(sum.events, 2000);
    assert_int_equal(sum.named, 2000);
    assert_int_equal(sum.lost, 0);
    assert_true(sum.complete);
    assert_false(sum.recovered);
}

static void *probing_thread(void *argument)
{
    probe(*(uint32_t *)argument, 200000);
    return NULL;
}

static void many_threads(void)
{
    pthread_t threads[8];
    uint32_t id;

    start("64K", getenv("POLICY"));
    id = define("m.f");
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 8; i++)
            if (pthread_create(&threads[i], NULL, probing_thread, &id) != 0)
                _exit(91);
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
    }
    kp_core_stop();
}

static void core_blocks_without_loss(void **state)
{
    struct totals sum;

    (void)state;
    setenv("POLICY", "block", 1);
    assert_int_equal(in_child(many_threads), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.threads, 24);
    assert_int_equal(sum.made, 24 * 200000);
    assert_int_equal(sum.read, 24 * 200000);
    assert_int_equal(sum.lost, 0);
}

static void core_counts_what_it_drops(void **state)
{
    struct totals sum;

    (void)state;
    setenv("POLICY", "drop", 1);
    assert_int_equal(in_child(many_threads), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.made, 24 * 200000);
    assert_int_equal(sum.read + sum.lost, sum.made);
    assert_int_equal(sum.gaps, 0);
}

/* No writer at all for a while: the ring must fill, and every call be in the trace or counted. */
static void without_writer(void)
{
    uint32_t id;

    start("64K", "drop");
    id = define("m.f");
    probe(id, 10);
    kp_core_fork_prepare();
    pthread_mutex_unlock(&kp_core.lock);
    kp_core.options.on_full = KP_ON_FULL_DROP;
    {
        struct kp_thread_state *t = kp_self;
        struct rlimit none = {0, 0}, before;

        /* No thread can be made, so the writer stays away, and no larger ring comes from it. */
        getrlimit(RLIMIT_NPROC, &before);
        setrlimit(RLIMIT_NPROC, &none);
        if (geteuid() == 0 && setuid(65534) != 0)
            _exit(92);
        probe(id, 3000000);
        if (t->calls != 3000010 || t->calls_lost == 0)
            _exit(93);
    }
    _exit(0);
}

static void core_counts_with_a_dead_writer(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(without_writer), 0);
    sum = read_trace(trace_path);
    assert_true(sum.recovered);
    assert_int_equal(sum.made, 3000010);
    assert_true(sum.lost > 0);
    assert_int_equal(sum.read + sum.lost, sum.made);
}

/* The same where each call ends by an exception, whose type takes two slots more. */
static void unwinding_without_writer(void)
{
    exception = 1;
    without_writer();
}

static void core_counts_exceptions_with_a_dead_writer(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(unwinding_without_writer), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.made, 3000010);
    assert_true(sum.lost > 0);
    assert_int_equal(sum.read + sum.lost, sum.made);
    /* The ring may end between type and UNWIND, or behind the ENTER. */
    assert_true(sum.events <= 3 * sum.read && sum.events + 2 >= 3 * sum.read);
}

static void two_slot_events(void)
{
    uint32_t id;

    start("64K", "block");
    id = define("m.generator");
    for (unsigned i = 0; i < 50000; i++) {
        struct kp_thread_state *t = kp_thread_active();

        kp_emit_enter(t, id, 0);
        kp_emit_pair(t, KP_EVENT_YIELD, id, 0, kp_clock_now(t->clock), 0x1000 + i, 7);
        kp_emit_pair(t, KP_EVENT_RESUME, id, 0, kp_clock_now(t->clock), 0x1000 + i, 7);
        kp_emit(t, KP_EVENT_EXIT, id, 0, kp_clock_now(t->clock));
    }
    kp_core_stop();
}

static void core_keeps_two_slot_events_whole(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(two_slot_events), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.events, 200000);
    assert_int_equal(sum.named, 200000);
    assert_int_equal(sum.gaps + sum.damage, 0);
}

static void forking(void)
{
    struct kp_thread_state *t;
    uint32_t outer, inner;
    pid_t pid;

    start("1M", "drop");
    outer = define("m.outer");
    inner = define("m.inner");
    t = kp_thread_active();
    kp_emit_enter(t, outer, t->depth++);
    probe(inner, 5);
    pid = fork();
    probe(inner, pid ? 7 : 11);
    t = kp_thread_active();
    kp_emit(t, KP_EVENT_EXIT, outer, --t->depth, kp_clock_now(t->clock));
    kp_core_stop();
    if (pid == 0)
        _exit(0);
    if (waitpid(pid, NULL, 0) != pid)
        _exit(94);
}

static void core_gives_a_forked_child_its_own_trace(void **state)
{
    char child_path[160];
    struct totals parent, child;

    (void)state;
    assert_int_equal(in_child(forking), 0);
    snprintf(child_path, sizeof child_path, "%s/trace.1.kpt", folder);
    parent = read_trace(trace_path);
    child = read_trace(child_path);
    assert_int_equal(parent.read, 1 + 5 + 7);
    assert_int_equal(parent.events, 2 * (1 + 5 + 7));
    assert_int_equal(parent.named, parent.events);
    assert_int_equal(child.read, 11);
    assert_int_equal(child.base_depth, 1);
    assert_int_equal(child.events, 2 * 11 + 1);
    assert_int_equal(child.named, child.events);
    unlink(child_path);
}

static void restarting(void)
{
    uint32_t id;

    start("1M", "drop");
    id = define("m.f");
    probe(id, 3);
    kp_core_before_exec();
    probe(id, 4);
    kp_core_stop();
}

static void core_goes_on_after_a_failed_exec(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(restarting), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.processes, 2);
    assert_int_equal(sum.read, 7);
    assert_int_equal(sum.named, 14);
    assert_int_equal(sum.damage, 0);
}

static void killed(void)
{
    start("1M", "drop");
    probe(define("m.f"), 12345);
    _exit(0);
}

static void core_survives_a_kill(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(killed), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.read, 12345);
    assert_int_equal(sum.made, 12345);
    assert_int_equal(sum.named, 2 * 12345);
    assert_true(sum.recovered);
}

static void many_names(void)
{
    char name[64];

    start("1M", "drop");
    for (unsigned i = 0; i < 30000; i++) {
        snprintf(name, sizeof name, "module.function_%u", i);
        if (define(name) != i + 1)
            _exit(95);
        probe(i + 1, 1);
    }
    for (unsigned i = 0; i < 30000; i += 1000) {
        snprintf(name, sizeof name, "module.function_%u", i);
        if (define(name) != i + 1)
            _exit(96);
    }
    kp_core_stop();
}

static void core_gives_one_id_per_function(void **state)
{
    struct totals sum;

    (void)state;
    assert_int_equal(in_child(many_names), 0);
    sum = read_trace(trace_path);
    assert_int_equal(sum.functions, 30000);
    assert_int_equal(sum.named, 60000);
}

static bool remove_ours(void *user, const struct kp_leftover *leftover)
{
    (void)user;
    if (!leftover->alive && strncmp(leftover->output, folder, strlen(folder)) == 0)
        kp_leftover_remove(leftover->path);
    return true;
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/kprobe-test-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    chmod(folder, 0777);
    snprintf(trace_path, sizeof trace_path, "%s/trace.kpt", folder);
    return 0;
}

static int clean_up(void **state)
{
    (void)state;
    kp_leftover_each(remove_ours, NULL);
    unlink(trace_path);
    return rmdir(folder);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(core_writes_what_was_emitted),
        CASE(core_blocks_without_loss),
        CASE(core_counts_what_it_drops),
        CASE(core_counts_with_a_dead_writer),
        CASE(core_counts_exceptions_with_a_dead_writer),
        CASE(core_keeps_two_slot_events_whole),
        CASE(core_gives_a_forked_child_its_own_trace),
        CASE(core_goes_on_after_a_failed_exec),
        CASE(core_survives_a_kill),
        CASE(core_gives_one_id_per_function),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
