/*
 * A trace made by hand for the tests of the model: two threads of one process, functions 1 to 9, and items as
 * a reader would give them. All in static memory; fake_reset starts afresh.
 */
#ifndef KP_TEST_FAKE_TRACE_H
#define KP_TEST_FAKE_TRACE_H

#include <string.h>

#include "model/calltree.h"

enum { FAKE_FUNCTIONS = 10, FAKE_THREADS = 2 };

static struct kp_process fake_process;
static struct kp_thread fake_threads[FAKE_THREADS];
static struct kp_function fake_functions[FAKE_FUNCTIONS];

static inline void fake_reset(void)
{
    static const char *const names[FAKE_FUNCTIONS] = {"", "a", "b", "c", "d", "e", "f", "g", "h", "i"};
    fake_process = (struct kp_process){.pid = 100, .command = "app", .clock = "tsc"};
    for (uint32_t i = 0; i < FAKE_THREADS; i++)
        fake_threads[i] = (struct kp_thread){.process = &fake_process, .number = i, .tid = 100 + i};
    for (uint32_t i = 1; i < FAKE_FUNCTIONS; i++)
        fake_functions[i] = (struct kp_function){.process = &fake_process,
                                                 .id = i,
                                                 .kind = KP_FUNCTION_PYTHON,
                                                 .line = 10 * i,
                                                 .name = names[i],
                                                 .file = "app.py"};
}

/* Everything before the events. */
static inline void fake_begin(struct kp_calltree *tree)
{
    struct kp_item item = {.kind = KP_ITEM_PROCESS, .process = &fake_process};
    kp_calltree_feed(tree, &item);
    for (uint32_t i = 1; i < FAKE_FUNCTIONS; i++) {
        item = (struct kp_item){
            .kind = KP_ITEM_FUNCTION, .process = &fake_process, .function = &fake_functions[i]};
        kp_calltree_feed(tree, &item);
    }
}

static inline void fake_events(struct kp_calltree *tree, unsigned thread, const struct kp_event *events,
                               size_t count)
{
    struct kp_item item = {.kind = KP_ITEM_EVENTS,
                           .process = &fake_process,
                           .thread = &fake_threads[thread],
                           .events = events,
                           .count = count};
    kp_calltree_feed(tree, &item);
}

static inline void fake_end_thread(struct kp_calltree *tree, unsigned thread)
{
    struct kp_item item = {
        .kind = KP_ITEM_THREAD_END, .process = &fake_process, .thread = &fake_threads[thread]};
    fake_threads[thread].ended = true;
    kp_calltree_feed(tree, &item);
}

static inline void fake_end(struct kp_calltree *tree)
{
    struct kp_item item = {.kind = KP_ITEM_PROCESS_END, .process = &fake_process};
    kp_calltree_feed(tree, &item);
}

/* One event a macro: time, depth, id and, for generators, the token. */
#define ENTER(t, d, i)                                                                                       \
    {                                                                                                        \
        .kind = KP_EVENT_ENTER, .time = (t), .depth = (d), .id = (i)                                         \
    }
#define EXIT(t, d, i)                                                                                        \
    {                                                                                                        \
        .kind = KP_EVENT_EXIT, .time = (t), .depth = (d), .id = (i)                                          \
    }
#define UNWIND(t, d, i)                                                                                      \
    {                                                                                                        \
        .kind = KP_EVENT_UNWIND, .time = (t), .depth = (d), .id = (i)                                        \
    }
#define YIELD(t, d, i, k)                                                                                    \
    {                                                                                                        \
        .kind = KP_EVENT_YIELD, .time = (t), .depth = (d), .id = (i), .value = (k)                           \
    }
#define RESUME(t, d, i, k)                                                                                   \
    {                                                                                                        \
        .kind = KP_EVENT_RESUME, .time = (t), .depth = (d), .id = (i), .value = (k)                          \
    }
#define LOST(t, c, o)                                                                                        \
    {                                                                                                        \
        .kind = KP_EVENT_LOST, .time = (t), .value = (c), .value2 = (o)                                      \
    }
#define STOP(t)                                                                                              \
    {                                                                                                        \
        .kind = KP_EVENT_STOP, .time = (t)                                                                   \
    }
#define FEED(tree, thread, ...)                                                                              \
    do {                                                                                                     \
        const struct kp_event fed[] = {__VA_ARGS__};                                                         \
        fake_events(tree, thread, fed, sizeof fed / sizeof *fed);                                            \
    } while (0)

#endif
