/* The call tree: pairing, generators, losses. Each test compares the whole log of callbacks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake_trace.h"

static char log_text[4096];
static size_t log_length;
static struct kp_calltree *tree;

static void __attribute__((format(printf, 1, 2))) note(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    log_length += (size_t)vsnprintf(log_text + log_length, sizeof log_text - log_length, format, arguments);
    va_end(arguments);
}

static void enter(void *user, struct kp_calltree_thread *thread, struct kp_call *call)
{
    (void)user;
    note("+%s@%zu ", call->function->name, thread->count - 1);
}

static void close_call(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    (void)user;
    (void)thread;
    note("-%s:%s[%lu active=%lu self=%lu n=%u p=%lu%s] ", call->function->name, kp_ending_text(ending),
         (unsigned long)end_ns, (unsigned long)call->active_ns, (unsigned long)call->self_ns, call->children,
         (unsigned long)call->pairs, call->partial ? " partial" : "");
}

static void suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    (void)user;
    (void)thread;
    note("<%s[%lu seg=%lu] ", call->function->name, (unsigned long)time_ns, (unsigned long)call->segment_ns);
}

static void resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    (void)user;
    note(">%s@%zu[%lu%s] ", call->function->name, thread->count - 1, (unsigned long)time_ns,
         call->partial ? " partial" : "");
}

static void lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                 uint64_t others)
{
    (void)user;
    (void)thread;
    note("lost[%lu %lu+%lu] ", (unsigned long)time_ns, (unsigned long)calls, (unsigned long)others);
}

static void gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    (void)user;
    (void)thread;
    note("gap[%lu] ", (unsigned long)time_ns);
}

static void orphan(void *user, struct kp_calltree_thread *thread, const struct kp_event *event,
                   struct kp_function *function, bool inherited)
{
    (void)user;
    (void)thread;
    note("orphan:%s@%u%s ", function->name, event->depth, inherited ? " inherited" : "");
}

static const struct kp_calltree_ops ops = {.enter = enter,
                                           .close = close_call,
                                           .suspend = suspend,
                                           .resume = resume,
                                           .lost = lost,
                                           .gap = gap,
                                           .orphan = orphan};

static int set_up(void **state)
{
    (void)state;
    fake_reset();
    log_length = 0;
    log_text[0] = '\0';
    tree = kp_calltree_create(&ops, NULL);
    fake_begin(tree);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    kp_calltree_destroy(tree);
    return 0;
}

static void pairs_nested_calls(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(20, 1, 2), ENTER(25, 2, 3), EXIT(30, 2, 3), EXIT(40, 1, 2),
         ENTER(50, 1, 2), UNWIND(55, 1, 2), EXIT(60, 0, 1));
    assert_string_equal(log_text, "+a@0 +b@1 +c@2 -c:exit[30 active=5 self=5 n=0 p=0] "
                                  "-b:exit[40 active=20 self=15 n=1 p=1] +b@1 "
                                  "-b:unwind[55 active=5 self=5 n=0 p=0] "
                                  "-a:exit[60 active=50 self=25 n=2 p=3] ");
}

static void keeps_threads_apart(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1));
    FEED(tree, 1, ENTER(11, 0, 2));
    FEED(tree, 0, EXIT(20, 0, 1));
    FEED(tree, 1, EXIT(21, 0, 2));
    assert_string_equal(log_text, "+a@0 +b@0 -a:exit[20 active=10 self=10 n=0 p=0] "
                                  "-b:exit[21 active=10 self=10 n=0 p=0] ");
}

/* One activation, whatever runs between its segments; the time between them is not its own. */
static void generator_is_one_activation(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(0, 0, 1), ENTER(10, 1, 2), YIELD(15, 1, 2, 7), ENTER(20, 1, 3), EXIT(30, 1, 3),
         RESUME(40, 1, 2, 7), ENTER(42, 2, 3), EXIT(44, 2, 3), EXIT(50, 1, 2), EXIT(60, 0, 1));
    assert_string_equal(log_text, "+a@0 +b@1 <b[15 seg=5] +c@1 -c:exit[30 active=10 self=10 n=0 p=0] "
                                  ">b@1[40] +c@2 -c:exit[44 active=2 self=2 n=0 p=0] "
                                  "-b:exit[50 active=15 self=13 n=1 p=1] "
                                  "-a:exit[60 active=60 self=35 n=3 p=4] ");
}

static void generator_moves_between_threads(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 2), YIELD(15, 0, 2, 7));
    FEED(tree, 1, ENTER(18, 0, 1), RESUME(20, 1, 2, 7), EXIT(30, 1, 2), EXIT(31, 0, 1));
    assert_string_equal(log_text, "+b@0 <b[15 seg=5] +a@0 >b@1[20] -b:exit[30 active=15 self=15 n=0 p=0] "
                                  "-a:exit[31 active=13 self=3 n=1 p=1] ");
}

static void resume_without_begin_is_partial(void **state)
{
    (void)state;
    FEED(tree, 0, RESUME(10, 0, 2, 7), YIELD(15, 0, 2, 7), RESUME(20, 0, 2, 7), EXIT(30, 0, 2));
    assert_string_equal(log_text, ">b@0[10 partial] <b[15 seg=5] >b@0[20 partial] "
                                  "-b:exit[30 active=15 self=15 n=0 p=0 partial] ");
}

static void token_given_out_again_ends_the_old_one(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 2), YIELD(15, 0, 2, 7), ENTER(20, 0, 3), YIELD(22, 0, 3, 7),
         RESUME(30, 0, 3, 7), EXIT(31, 0, 3));
    assert_string_equal(log_text,
                        "+b@0 <b[15 seg=5] +c@0 -b:suspended[22 active=5 self=5 n=0 p=0] <c[22 seg=2] "
                        ">c@0[30] -c:exit[31 active=3 self=3 n=0 p=0] ");
}

static void resume_of_another_function_ends_the_old_one(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 2), YIELD(15, 0, 2, 7), RESUME(20, 0, 3, 7), EXIT(25, 0, 3));
    assert_string_equal(log_text,
                        "+b@0 <b[15 seg=5] -b:suspended[20 active=5 self=5 n=0 p=0] >c@0[20 partial] "
                        "-c:exit[25 active=5 self=5 n=0 p=0 partial] ");
}

/* Enough of them that the table grows and collides, taken out in another order. */
static void many_generators_stay_apart(void **state)
{
    (void)state;
    enum { COUNT = 1000 };
    for (uint64_t i = 0; i < COUNT; i++, log_length = 0)
        FEED(tree, 0, ENTER(10 * i, 0, 2), YIELD(10 * i + i % 7, 0, 2, 64 * i));
    for (uint64_t i = 0; i < COUNT; i++) {
        uint64_t token = i * 617 % COUNT, time_ns = 100000 + 10 * i;
        char expected[64];
        log_length = 0;
        FEED(tree, 0, RESUME(time_ns, 0, 2, 64 * token), EXIT(time_ns + 1, 0, 2));
        snprintf(expected, sizeof expected, "active=%lu ", (unsigned long)(token % 7 + 1));
        assert_non_null(strstr(log_text, expected));
        assert_null(strstr(log_text, "partial"));
    }
}

static void lost_end_is_closed_by_the_next_begin(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(20, 1, 2), ENTER(21, 2, 3), LOST(25, 4, 5), ENTER(30, 1, 2),
         EXIT(40, 1, 2), EXIT(50, 0, 1));
    assert_string_equal(log_text,
                        "+a@0 +b@1 +c@2 lost[25 4+5] -c:unknown[30 active=9 self=9 n=0 p=0] "
                        "-b:unknown[30 active=10 self=1 n=1 p=1] +b@1 "
                        "-b:exit[40 active=10 self=10 n=0 p=0] -a:exit[50 active=40 self=20 n=2 p=3] ");
}

static void lost_ends_are_closed_by_an_outer_end(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(20, 1, 2), ENTER(21, 2, 3), EXIT(50, 0, 1));
    assert_string_equal(log_text,
                        "+a@0 +b@1 +c@2 -c:unknown[50 active=29 self=29 n=0 p=0] "
                        "-b:unknown[50 active=30 self=1 n=1 p=1] -a:exit[50 active=40 self=10 n=1 p=2] ");
}

static void lost_begin_makes_an_orphan(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), LOST(15, 1, 0), EXIT(20, 1, 2), EXIT(30, 0, 1));
    assert_string_equal(log_text, "+a@0 lost[15 1+0] orphan:b@1 -a:exit[30 active=20 self=20 n=0 p=0] ");
}

static void end_of_another_function_closes_and_orphans(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(12, 1, 2), UNWIND(20, 1, 3), EXIT(30, 0, 1));
    assert_string_equal(log_text, "+a@0 +b@1 -b:unknown[20 active=8 self=8 n=0 p=0] orphan:c@1 "
                                  "-a:exit[30 active=20 self=12 n=1 p=1] ");
}

static void calls_open_at_a_fork_are_inherited_once(void **state)
{
    (void)state;
    fake_threads[0].base_depth = 2;
    FEED(tree, 0, ENTER(10, 2, 3), EXIT(20, 2, 3), EXIT(21, 1, 2), EXIT(22, 0, 1), EXIT(23, 0, 1));
    assert_string_equal(log_text, "+c@0 -c:exit[20 active=10 self=10 n=0 p=0] orphan:b@1 inherited "
                                  "orphan:a@0 inherited orphan:a@0 ");
}

/* The first begin tells how many calls are open from before at most. */
static void calls_open_from_an_earlier_part_are_inherited(void **state)
{
    (void)state;
    fake_process.part = 1;
    FEED(tree, 0, EXIT(10, 3, 4), ENTER(11, 2, 3), EXIT(20, 2, 3), EXIT(21, 1, 2), EXIT(22, 0, 1),
         EXIT(23, 0, 1));
    assert_string_equal(log_text, "orphan:d@3 inherited +c@0 -c:exit[20 active=9 self=9 n=0 p=0] "
                                  "orphan:b@1 inherited orphan:a@0 inherited orphan:a@0 ");
}

static void stop_ends_all_unseen(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(20, 1, 2), STOP(30), ENTER(50, 0, 3), EXIT(51, 0, 3));
    assert_string_equal(log_text, "+a@0 +b@1 -b:stopped[30 active=10 self=10 n=0 p=0] "
                                  "-a:stopped[30 active=20 self=10 n=1 p=1] +c@0 "
                                  "-c:exit[51 active=1 self=1 n=0 p=0] ");
}

/* A thread that ended: at its last event. One that did not: as long as its process was known to live. */
static void open_calls_end_with_thread_or_process(void **state)
{
    (void)state;
    fake_process.end_ns = 90;
    FEED(tree, 0, ENTER(10, 0, 1));
    FEED(tree, 1, ENTER(20, 0, 2), YIELD(21, 0, 2, 7), ENTER(22, 0, 3), ENTER(25, 1, 4));
    fake_end_thread(tree, 1);
    fake_end(tree);
    kp_calltree_finish(tree);
    assert_string_equal(log_text, "+a@0 +b@0 <b[21 seg=1] +c@0 +d@1 -d:open[25 active=0 self=0 n=0 p=0] "
                                  "-c:open[25 active=3 self=3 n=1 p=1] "
                                  "-b:suspended[90 active=1 self=1 n=0 p=0] "
                                  "-a:open[90 active=80 self=80 n=0 p=0] ");
}

static void without_a_clock_time_stands_still(void **state)
{
    (void)state;
    fake_process.clock = "none";
    fake_process.end_ns = 90;
    FEED(tree, 0, ENTER(5, 0, 1));
    fake_end(tree);
    assert_string_equal(log_text, "+a@0 -a:open[5 active=0 self=0 n=0 p=0] ");
}

static void damage_is_a_gap(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1));
    fake_threads[0].gaps = 1;
    FEED(tree, 0, EXIT(20, 0, 1));
    assert_string_equal(log_text, "+a@0 gap[20] -a:exit[20 active=10 self=10 n=0 p=0] ");
}

static void time_that_goes_back_gives_no_negative_time(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 1), ENTER(20, 1, 2), EXIT(15, 1, 2), EXIT(30, 0, 1));
    assert_string_equal(log_text, "+a@0 +b@1 -b:exit[20 active=0 self=0 n=0 p=0] "
                                  "-a:exit[30 active=20 self=20 n=1 p=1] ");
}

static void undefined_functions_and_kinds_do_no_harm(void **state)
{
    (void)state;
    FEED(tree, 0, ENTER(10, 0, 12), EXIT(11, 0, 12), ENTER(12, 0, 4000000000u), EXIT(13, 0, 4000000000u),
         {.kind = 15, .time = 14, .depth = 3}, {.kind = 0, .time = 14});
    assert_string_equal(log_text,
                        "+<undefined function 12>@0 "
                        "-<undefined function 12>:exit[11 active=1 self=1 n=0 p=0] "
                        "+<undefined function>@0 -<undefined function>:exit[13 active=1 self=1 n=0 p=0] ");
}

static void deep_recursion_works(void **state)
{
    (void)state;
    enum { DEPTH = 200000 };
    static struct kp_event events[2 * DEPTH];
    static const struct kp_calltree_ops none = {0};
    for (uint32_t i = 0; i < DEPTH; i++) {
        events[i] = (struct kp_event)ENTER(i, i, 1);
        events[2 * DEPTH - 1 - i] = (struct kp_event)EXIT(2 * DEPTH - i, i, 1);
    }
    fake_reset();
    struct kp_calltree *deep = kp_calltree_create(&none, NULL);
    fake_begin(deep);
    fake_events(deep, 0, events, 2 * DEPTH);
    const struct kp_calltree_thread *thread = fake_threads[0].user;
    assert_int_equal(thread->count, 0);
    assert_int_equal(thread->pairs, DEPTH);
    kp_calltree_destroy(deep);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        ROW(pairs_nested_calls),
        ROW(keeps_threads_apart),
        ROW(generator_is_one_activation),
        ROW(generator_moves_between_threads),
        ROW(resume_without_begin_is_partial),
        ROW(token_given_out_again_ends_the_old_one),
        ROW(resume_of_another_function_ends_the_old_one),
        ROW(many_generators_stay_apart),
        ROW(lost_end_is_closed_by_the_next_begin),
        ROW(lost_ends_are_closed_by_an_outer_end),
        ROW(lost_begin_makes_an_orphan),
        ROW(end_of_another_function_closes_and_orphans),
        ROW(calls_open_at_a_fork_are_inherited_once),
        ROW(calls_open_from_an_earlier_part_are_inherited),
        ROW(stop_ends_all_unseen),
        ROW(open_calls_end_with_thread_or_process),
        ROW(without_a_clock_time_stands_still),
        ROW(damage_is_a_gap),
        ROW(time_that_goes_back_gives_no_negative_time),
        ROW(undefined_functions_and_kinds_do_no_harm),
        ROW(deep_recursion_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
