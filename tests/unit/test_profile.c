/* The profile and the merged tree: totals of hand-made traces. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fake_trace.h"
#include "model/profile.h"
#include "model/tree.h"

static struct kp_profile *profile;
static struct kp_calltree *tree;

static void begin(bool by_thread)
{
    fake_reset();
    profile = kp_profile_create(by_thread);
    tree = kp_calltree_create(&kp_profile_ops, profile);
    fake_begin(tree);
}

static void end(void)
{
    kp_profile_destroy(profile);
    kp_calltree_destroy(tree);
}

static const struct kp_profile_row *row_of(const char *name, uint32_t tid)
{
    size_t count;
    struct kp_profile_row **rows = kp_profile_rows(profile, &count);
    for (size_t i = 0; i < count; i++)
        if (!strcmp(rows[i]->symbol->name, name) && (!tid || rows[i]->thread->tid == tid))
            return rows[i];
    fail_msg("no row for %s", name);
    return NULL;
}

static void adds_up_calls(void **state)
{
    (void)state;
    begin(false);
    FEED(tree, 0, ENTER(0, 0, 1), ENTER(10, 1, 2), EXIT(15, 1, 2), ENTER(20, 1, 2), UNWIND(40, 1, 2),
         EXIT(100, 0, 1));
    fake_end(tree);
    const struct kp_profile_row *b = row_of("b", 0);
    struct kp_profile_times times = kp_profile_times(b, false);
    assert_int_equal(b->calls, 2);
    assert_int_equal(b->endings[KP_ENDING_UNWIND], 1);
    assert_int_equal(times.total_ns, 25);
    assert_int_equal(times.self_ns, 25);
    assert_int_equal(times.mean_ns, 12);
    assert_int_equal(times.min_ns, 5);
    assert_int_equal(times.max_ns, 20);
    times = kp_profile_times(row_of("a", 0), false);
    assert_int_equal(times.total_ns, 100);
    assert_int_equal(times.self_ns, 75);
    struct kp_profile_summary summary = kp_profile_summary(profile);
    assert_int_equal(summary.calls, 3);
    assert_int_equal(summary.self_ns, 100);
    end();
}

/* a calls a calls b calls a: the total of a is that of the outermost only. */
static void recursion_counts_once_in_the_total(void **state)
{
    (void)state;
    begin(false);
    FEED(tree, 0, ENTER(0, 0, 1), ENTER(10, 1, 1), ENTER(20, 2, 2), ENTER(30, 3, 1), EXIT(40, 3, 1),
         EXIT(50, 2, 2), EXIT(60, 1, 1), EXIT(70, 0, 1), ENTER(80, 0, 1), EXIT(85, 0, 1));
    fake_end(tree);
    const struct kp_profile_row *a = row_of("a", 0);
    assert_int_equal(a->calls, 4);
    assert_int_equal(a->total_ns, 75);
    assert_int_equal(a->self_ns, 70 - 30 + 10 + 5);
    assert_int_equal(a->sum_ns, 70 + 50 + 10 + 5);
    assert_int_equal(row_of("b", 0)->total_ns, 30);
    end();
}

static void generator_counts_once_and_only_while_it_runs(void **state)
{
    (void)state;
    begin(false);
    FEED(tree, 0, ENTER(0, 0, 2), YIELD(10, 0, 2, 7), RESUME(50, 0, 2, 7), YIELD(55, 0, 2, 7));
    FEED(tree, 1, RESUME(60, 0, 2, 7), EXIT(61, 0, 2), RESUME(70, 0, 3, 9), EXIT(72, 0, 3));
    fake_end(tree);
    const struct kp_profile_row *b = row_of("b", 0), *c = row_of("c", 0);
    assert_int_equal(b->calls, 1);
    assert_int_equal(b->suspensions, 2);
    assert_int_equal(b->total_ns, 16);
    assert_int_equal(b->max_ns, 16);
    assert_int_equal(b->finished, 1);
    assert_int_equal(c->calls, 0);
    assert_int_equal(c->total_ns, 2);
    assert_int_equal(c->finished, 0);
    assert_int_equal(kp_profile_times(c, false).min_ns, 0);
    end();
}

static void same_function_of_two_processes_is_one_row(void **state)
{
    (void)state;
    begin(false);
    struct kp_process other = {.index = 1, .pid = 200, .clock = "tsc"};
    struct kp_thread thread = {.process = &other, .tid = 200};
    struct kp_function same = fake_functions[2], moved = fake_functions[2];
    same.process = moved.process = &other;
    same.id = 7;
    moved.id = 8;
    moved.line = 99;
    const struct kp_event events[] = {ENTER(5, 0, 7), EXIT(6, 0, 7), ENTER(7, 0, 8), EXIT(8, 0, 8)};
    struct kp_item items[] = {
        {.kind = KP_ITEM_FUNCTION, .process = &other, .function = &same},
        {.kind = KP_ITEM_FUNCTION, .process = &other, .function = &moved},
        {.kind = KP_ITEM_EVENTS, .process = &other, .thread = &thread, .events = events, .count = 4},
    };
    FEED(tree, 0, ENTER(0, 0, 2), EXIT(10, 0, 2));
    for (size_t i = 0; i < 3; i++)
        kp_calltree_feed(tree, &items[i]);
    kp_calltree_finish(tree);
    size_t count;
    kp_profile_rows(profile, &count);
    assert_int_equal(count, 2);
    assert_int_equal(row_of("b", 0)->calls, 2);
    assert_int_equal(row_of("b", 0)->total_ns, 11);
    end();
}

static void rows_by_thread(void **state)
{
    (void)state;
    begin(true);
    FEED(tree, 0, ENTER(0, 0, 2), EXIT(10, 0, 2));
    FEED(tree, 1, ENTER(0, 0, 2), EXIT(3, 0, 2), ENTER(5, 0, 2), EXIT(6, 0, 2));
    fake_end(tree);
    assert_int_equal(row_of("b", 100)->total_ns, 10);
    assert_int_equal(row_of("b", 101)->total_ns, 4);
    assert_int_equal(row_of("b", 101)->calls, 2);
    end();
}

/* Pair 10, 4 of it inside: a of 100 with two calls b of 10, one c below: 3 pairs below a. */
static void compensates_probe_cost(void **state)
{
    (void)state;
    begin(false);
    fake_process.probe_pair_ns = 10;
    fake_process.probe_inner_ns = 4;
    FEED(tree, 0, ENTER(0, 0, 1), ENTER(10, 1, 2), EXIT(20, 1, 2), ENTER(30, 1, 2), ENTER(35, 2, 3),
         EXIT(36, 2, 3), EXIT(70, 1, 2), EXIT(100, 0, 1));
    fake_end(tree);
    struct kp_profile_times a = kp_profile_times(row_of("a", 0), true),
                            b = kp_profile_times(row_of("b", 0), true),
                            c = kp_profile_times(row_of("c", 0), true);
    assert_int_equal(a.total_ns, 100 - 4 - 30);
    assert_int_equal(a.self_ns, 50 - 4 - 2 * 6);
    assert_int_equal(b.total_ns, 50 - 2 * 4 - 10);
    assert_int_equal(b.self_ns, 49 - 2 * 4 - 6);
    assert_int_equal(b.min_ns, 10 - 4);
    assert_int_equal(b.max_ns, 40 - 4 - 10);
    assert_int_equal(c.total_ns, 0); /* 1 - 4: never below 0 */
    assert_int_equal(kp_profile_summary(profile).probe_ns, 40);
    end();
}

static void losses_are_summed(void **state)
{
    (void)state;
    begin(false);
    FEED(tree, 0, ENTER(0, 0, 1), LOST(5, 3, 4), LOST(6, 1, 1), EXIT(9, 0, 1));
    fake_threads[0].gaps = 2;
    fake_end(tree);
    struct kp_profile_summary summary = kp_profile_summary(profile);
    assert_int_equal(summary.calls_lost, 4);
    assert_int_equal(summary.events_lost, 5);
    assert_int_equal(summary.gaps, 2);
    end();
}

/* An end that was lost says nothing about how long the call took. */
static void lost_end_is_no_duration(void **state)
{
    (void)state;
    begin(false);
    FEED(tree, 0, ENTER(0, 0, 2), LOST(5, 0, 1), ENTER(1000, 0, 2), EXIT(1003, 0, 2));
    fake_end(tree);
    const struct kp_profile_row *b = row_of("b", 0);
    assert_int_equal(b->calls, 2);
    assert_int_equal(b->finished, 1);
    assert_int_equal(b->max_ns, 3);
    assert_int_equal(b->endings[KP_ENDING_UNKNOWN], 1);
    end();
}

static void merges_paths(void **state)
{
    (void)state;
    fake_reset();
    struct kp_tree *merged = kp_tree_create(false);
    struct kp_calltree *calls = kp_calltree_create(&kp_tree_ops, merged);
    fake_begin(calls);
    FEED(calls, 0, ENTER(0, 0, 1), ENTER(10, 1, 2), EXIT(15, 1, 2), ENTER(20, 1, 3), YIELD(25, 1, 3, 7),
         ENTER(30, 1, 2), RESUME(31, 2, 3, 7), EXIT(38, 2, 3), EXIT(40, 1, 2), EXIT(50, 0, 1));
    FEED(calls, 1, ENTER(0, 0, 2), EXIT(1, 0, 2));
    kp_calltree_finish(calls);
    kp_tree_sort(merged);
    char text[512] = "";
    size_t count, length = 0;
    struct kp_tree_node **roots = kp_tree_roots(merged, &count);
    assert_int_equal(count, 1);
    assert_int_equal(roots[0]->total_ns, 51);
    for (const struct kp_tree_node *node = kp_tree_next(roots[0], roots[0]); node;
         node = kp_tree_next(roots[0], node))
        length += (size_t)snprintf(text + length, sizeof text - length, "%u%s:%lu/%lu/%lu ", node->depth,
                                   node->symbol->name, (unsigned long)node->calls,
                                   (unsigned long)node->total_ns, (unsigned long)node->self_ns);
    assert_string_equal(text, "1a:1/50/30 2b:2/15/8 3c:0/7/7 2c:1/5/5 1b:1/1/1 ");
    kp_tree_destroy(merged);
    kp_calltree_destroy(calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_up_calls),
        cmocka_unit_test(recursion_counts_once_in_the_total),
        cmocka_unit_test(generator_counts_once_and_only_while_it_runs),
        cmocka_unit_test(same_function_of_two_processes_is_one_row),
        cmocka_unit_test(rows_by_thread),
        cmocka_unit_test(compensates_probe_cost),
        cmocka_unit_test(losses_are_summed),
        cmocka_unit_test(lost_end_is_no_duration),
        cmocka_unit_test(merges_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
