/* The trampoline by hand: thunks of functions in this program, called, and what the trace says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <complex.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "native/call.h"
#include "core.h"
#include "trace/reader.h"

static char trace_path[128];

static void start(const char *rules)
{
    char output[160];

    snprintf(output, sizeof output, "file:%s", trace_path);
    setenv("KPROBE_OUTPUT", output, 1);
    setenv("KPROBE_FILTER", rules, 1);
    if (!kp_core_configure())
        _exit(90);
    kp_call_setup();
    kp_core_arm();
}

static void *hook_as(void *target, const char *name, enum kp_native_class class)
{
    const struct kp_native_symbol symbol = {
        .target = target, .object = "self", .path = "/self", .name = name, .offset = 16, .class = class};
    void *thunk;

    pthread_mutex_lock(&kp_native_lock);
    thunk = kp_native_thunk(&symbol);
    pthread_mutex_unlock(&kp_native_lock);
    if (!thunk || kp_native_target(thunk) != target)
        _exit(91);
    return thunk;
}

#define HOOK(function) ((__typeof__(&(function)))hook_as((void *)(function), #function, KP_NATIVE_CALL))
#define MUST(condition)                                                                                      \
    do                                                                                                       \
        if (!(condition)) {                                                                                  \
            fprintf(stderr, "line %d: %s\n", __LINE__, #condition);                                          \
            _exit(92);                                                                                       \
        }                                                                                                    \
    while (0)

/* --- what a trace says: kinds and names, a line each --- */

static void read_events(char *out, size_t room, bool values)
{
    const char *path = trace_path;
    struct kp_reader *reader;
    struct kp_item item;
    char error[512];
    size_t used = 0;

    out[0] = '\0';
    if (kp_reader_open(&reader, &path, 1, 0, error, sizeof error) != KP_OK)
        fail_msg("%s", error);
    while (kp_reader_next(reader, &item) == KP_OK)
        for (size_t i = 0; item.kind == KP_ITEM_EVENTS && i < item.count; i++) {
            const struct kp_event *event = &item.events[i];
            const struct kp_function *function =
                event->kind == KP_EVENT_VALUES ? NULL : kp_reader_function(reader, item.process, event->id);

            if (event->kind == KP_EVENT_VALUES && values)
                used += (size_t)snprintf(out + used, room - used, "values %u %" PRIx64 " %" PRIx64 "\n",
                                         event->id, event->value, event->value2);
            else if (event->kind != KP_EVENT_VALUES)
                used +=
                    (size_t)snprintf(out + used, room - used, "%s %u %s\n", kp_event_kind_text(event->kind),
                                     event->depth, function ? function->name : "?");
        }
    kp_reader_close(reader);
}

/* A child each: the core is one per process. */
static void expect(void (*body)(void), const char *events, bool values)
{
    static char found[65536];
    pid_t pid = fork();
    int status;

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        kp_core_stop();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    read_events(found, sizeof found, values);
    unlink(trace_path);
    assert_string_equal(found, events);
}

/* --- the cases --- */

struct large {
    long words[5];
};

__attribute__((noinline)) static struct large many(long a, double b, long c, long double d, long e, long f,
                                                   long g, long h, struct large i, float j, _Complex double k)
{
    return (struct large){{a + (long)b, c + (long)d, e + f, g + h, i.words[4] + (long)j + (long)cimag(k)}};
}

__attribute__((noinline)) static int sum(int count, ...)
{
    va_list list;
    double total = 0;

    va_start(list, count);
    for (int i = 0; i < count; i++)
        total += i % 2 ? va_arg(list, double) : (double)va_arg(list, int);
    va_end(list);
    return (int)total;
}

__attribute__((noinline)) static long double quad(long double value)
{
    return value * 4;
}

static void arguments_and_results(void)
{
    __typeof__(&many) hooked;
    struct large in = {{1, 2, 3, 4, 5}}, out;

    start("self:*");
    hooked = HOOK(many);
    for (int i = 0; i < 2; i++) {
        errno = 77;
        out = hooked(1, 2.0, 3, 4.0L, 5, 6, 7, 8, in, 9.0f, 10.0 * I);
        MUST(errno == 77 && out.words[0] == 3 && out.words[1] == 7 && out.words[2] == 11);
        MUST(out.words[3] == 15 && out.words[4] == 24);
    }
    MUST(HOOK(sum)(4, 1, 2.0, 3, 4.0) == 10);
    MUST(HOOK(quad)(2.5L) == 10.0L);
}

static void native_keeps_arguments_and_results(void **state)
{
    (void)state;
    expect(arguments_and_results,
           "enter 0 self:many\nexit 0 self:many\nenter 0 self:many\nexit 0 self:many\n"
           "enter 0 self:sum\nexit 0 self:sum\nenter 0 self:quad\nexit 0 self:quad\n",
           false);
}

static int (*hooked_down)(int);
__attribute__((noinline)) static int down(int n)
{
    return n ? hooked_down(n - 1) + 1 : 0;
}

static void nested(void)
{
    start("self:*");
    hooked_down = HOOK(down);
    MUST(hooked_down(2) == 2);
}

static void native_nests(void **state)
{
    (void)state;
    expect(nested,
           "enter 0 self:down\nenter 1 self:down\nenter 2 self:down\n"
           "exit 2 self:down\nexit 1 self:down\nexit 0 self:down\n",
           false);
}

/* Deeper than a ring, a stack of open calls and the pool of frames are long at first. */
static void deep(void)
{
    start("self:down");
    hooked_down = HOOK(down);
    MUST(hooked_down(60000) == 60000);
    MUST(hooked_down(60000) == 60000);
    MUST(kp_self->depth == 0 && kp_self->calls == 120002);
    _exit(0);
}

static void native_goes_deep(void **state)
{
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0)
        deep();
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    unlink(trace_path);
}

/* A tail call through the thunk of another. */
__attribute__((used)) static int (*hooked_leaf)(int);
__attribute__((noinline)) static int leaf(int n)
{
    return n * 2;
}
/* In assembly, because compilers that are told not to optimise, or to look after memory, call. */
int by_jump(int n);
__asm__(".text\n"
        ".type by_jump, @function\n"
        "by_jump:\n\t"
        "endbr64\n\t"
        "add $1, %edi\n\t"
        "jmp *hooked_leaf(%rip)\n"
        ".size by_jump, . - by_jump");

static void tail(void)
{
    start("self:*");
    hooked_leaf = HOOK(leaf);
    MUST(HOOK(by_jump)(4) == 10);
    MUST(HOOK(by_jump)(5) == 12);
}

static void native_follows_tail_calls(void **state)
{
    (void)state;
    expect(tail,
           "enter 0 self:by_jump\nexit 0 self:by_jump\nenter 0 self:leaf\nexit 0 self:leaf\n"
           "enter 0 self:by_jump\nexit 0 self:by_jump\nenter 0 self:leaf\nexit 0 self:leaf\n",
           false);
}

static jmp_buf jump;
static void (*hooked_thrower)(int);
static void (*hooked_longjmp)(jmp_buf, int);
__attribute__((noinline)) static void thrower(int n)
{
    if (n)
        hooked_thrower(n - 1);
    hooked_longjmp(jump, 1);
}

static void jumps(void)
{
    start("self:thrower");
    hooked_thrower = HOOK(thrower);
    hooked_longjmp = (void (*)(jmp_buf, int))hook_as((void *)longjmp, "longjmp", KP_NATIVE_JUMP);
    for (int i = 0; i < 2; i++)
        if (setjmp(jump) == 0)
            hooked_thrower(1);
    MUST(kp_self->depth == 0);
}

static void native_ends_what_a_jump_leaves(void **state)
{
    (void)state;
    expect(jumps,
           "enter 0 self:thrower\nenter 1 self:thrower\nunwind 1 self:thrower\nunwind 0 self:thrower\n"
           "enter 0 self:thrower\nenter 1 self:thrower\nunwind 1 self:thrower\nunwind 0 self:thrower\n",
           false);
}

__attribute__((noinline)) static void *leave_thread(void *unused)
{
    pthread_exit(unused);
}

static void thread_exits(void)
{
    pthread_t thread;

    start("self:*");
    MUST(pthread_create(&thread, NULL, HOOK(leave_thread), NULL) == 0);
    MUST(pthread_join(thread, NULL) == 0);
}

static void native_sees_a_forced_unwind(void **state)
{
    (void)state;
    expect(thread_exits, "enter 0 self:leave_thread\nunwind 0 self:leave_thread\n", false);
}

static void *(*hooked_handler_leaf)(void *);
__attribute__((noinline)) static void *handler_leaf(void *p)
{
    return p;
}
static void on_signal(int number)
{
    (void)number;
    hooked_handler_leaf(NULL);
}

/* Signals at any instruction: nothing breaks, every call is recorded or counted. */
static void storm(void)
{
    static const struct timeval period = {0, 50};
    struct itimerval timer = {period, period};
    uint64_t before;

    start("self:*");
    hooked_down = HOOK(down);
    hooked_handler_leaf = HOOK(handler_leaf);
    hooked_down(1);
    hooked_handler_leaf(NULL);
    signal(SIGALRM, on_signal);
    setitimer(ITIMER_REAL, &timer, NULL);
    for (int i = 0; i < 200000; i++)
        MUST(hooked_down(3) == 3);
    timer = (struct itimerval){{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &timer, NULL);
    before = kp_self->calls + kp_self->passed - kp_self->passed_told;
    MUST(before > 800000 && kp_self->depth == 0);
}

static void native_survives_signals(void **state)
{
    const char *path = trace_path;
    uint64_t made = 0, lost = 0, read = 0;
    struct kp_reader *reader;
    struct kp_item item;
    char error[512];
    pid_t pid = fork();
    int status;

    (void)state;
    if (pid == 0) {
        storm();
        kp_core_stop();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_int_equal(kp_reader_open(&reader, &path, 1, 0, error, sizeof error), KP_OK);
    while (kp_reader_next(reader, &item) == KP_OK)
        if (item.kind == KP_ITEM_THREAD_END) {
            made += item.thread->calls_made;
            lost += item.thread->calls_lost;
            read += item.thread->calls_read;
        }
    kp_reader_close(reader);
    unlink(trace_path);
    assert_true(made > 800000);
    assert_int_equal(made, lost + read);
}

__attribute__((noinline)) static double mix(long a, const char *text, double c)
{
    return (double)a + (double)strlen(text) + c;
}

static void values(void)
{
    start("self:mix{args,ret,str1:5}");
    MUST(HOOK(mix)(7, "hello world", 0.5) == 18.5);
}

/* The rest of the registers is what happened to be there. */
static void native_captures_values(void **state)
{
    static char found[65536];
    char *line, *rest = found;
    pid_t pid = fork();
    int status, seen = 0;

    (void)state;
    if (pid == 0) {
        values();
        kp_core_stop();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    read_events(found, sizeof found, true);
    unlink(trace_path);
    while ((line = strsep(&rest, "\n"))) {
        seen += !strncmp(line, "values 0 7 ", 11);
        seen += !strncmp(line, "values 3 3fe0000000000000 ", 26);
        /* argument 1, 5 bytes, "hello" */
        seen += !strcmp(line, "values 16 6c6c6568000501 6f00000000000000") ||
                !strcmp(line, "values 16 6c6c6568000501 6f") || !strcmp(line, "values 16 6f6c6c6568000501 0");
        seen += !strncmp(line, "values 9 4032800000000000 ", 26);
    }
    assert_int_equal(seen, 4);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(trace_path, sizeof trace_path, "/tmp/kprobe-test-call.%d.kpt", getpid());
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(native_keeps_arguments_and_results),
        cmocka_unit_test(native_nests),
        cmocka_unit_test(native_goes_deep),
        cmocka_unit_test(native_follows_tail_calls),
        cmocka_unit_test(native_ends_what_a_jump_leaves),
        cmocka_unit_test(native_sees_a_forced_unwind),
        cmocka_unit_test(native_survives_signals),
        cmocka_unit_test(native_captures_values),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
