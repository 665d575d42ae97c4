/* kprobe replay: the calls as they happened, indented. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "debug/arguments.h"
#include "session.h"
#include "model/calltree.h"
#include "report/heading.h"
#include "util/color.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/memory.h"

static unsigned long long only_thread, depth_limit;
static const char *min_duration, *color = "auto";
static bool locations, no_demangle;

static const struct kp_option_row options[] = {
    {'t', "thread", KP_ARGUMENT_NUMBER, "TID", "only this thread", NULL, &only_thread},
    {'d', "depth", KP_ARGUMENT_NUMBER, "N", "at most N levels (0: all)", NULL, &depth_limit},
    {'m', "min", KP_ARGUMENT_STRING, "DURATION", "only calls that took as long: 500ns, 20us, 1.5ms, 2s", NULL,
     &min_duration},
    {'l', "location", KP_ARGUMENT_NONE, NULL, "file and line behind each name", NULL, &locations},
    KP_OPTION_NO_DEMANGLE(no_demangle),
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe replay kprobe.4711.kpt | less -S", "everything, in order of time"},
    {"kprobe replay --min 1ms --depth 6 --color always | less -R", "only what took a millisecond"},
    {NULL, NULL},
};

struct thread_state {
    size_t printed; /* calls of the stack, from the bottom, whose begin is on the screen */
};

struct replay {
    bool paint;
    bool many_processes;
    uint64_t least_ns;
    struct kp_calltree_thread *last; /* whose begins may be pending */
    char **names;                    /* escaped, all of them, to be freed */
    size_t name_count, name_capacity;
    struct kp_c_functions *c_functions;
};

static const char *name_of(struct replay *replay, struct kp_function *function)
{
    if (function->user)
        return function->user;
    char *name = kp_escape(function->name);
    if (locations && *function->file) {
        char *place = kp_heading_location(function->file, function->line);
        char *both = kp_format_text("%s [%s]", name, place);
        free(place);
        free(name);
        name = both;
    }
    replay->names = kp_grow(replay->names, &replay->name_capacity, replay->name_count, sizeof *replay->names);
    replay->names[replay->name_count++] = name;
    function->user = name;
    return name;
}

/* --- lines --- */

/* Duration, thread, bar; `ns` of UINT64_MAX leaves the duration empty. */
static void print_margin(const struct replay *replay, const struct kp_thread *thread, uint64_t ns)
{
    char duration[KP_FORMAT_BYTES] = "";
    if (ns != UINT64_MAX)
        kp_format_duration(duration, ns);
    enum kp_color paint = ns == UINT64_MAX   ? KP_COLOR_NONE
                          : ns >= 1000000000 ? KP_COLOR_RED
                          : ns >= 1000000    ? KP_COLOR_YELLOW
                                             : KP_COLOR_NONE;
    printf("%s%10s%s | ", kp_color_on(replay->paint, paint), duration, kp_color_off(replay->paint, paint));
    if (replay->many_processes)
        printf("%s%7" PRIu32 "/%-7" PRIu32 "%s | ", kp_color_on(replay->paint, KP_COLOR_BLUE),
               thread->process->pid, thread->tid, kp_color_off(replay->paint, KP_COLOR_BLUE));
    else
        printf("%s%7" PRIu32 "%s | ", kp_color_on(replay->paint, KP_COLOR_BLUE), thread->tid,
               kp_color_off(replay->paint, KP_COLOR_BLUE));
}

static void print_indent(size_t level)
{
    enum { DEEPEST = 120 }; /* beyond it only the number tells */
    if (level <= DEEPEST)
        printf("%*s", (int)level * 2, "");
    else
        printf("%*s[%zu] ", DEEPEST * 2, "", level);
}

static void print_name(struct replay *replay, const struct kp_call *call)
{
    printf("%s%s%s", kp_color_on(replay->paint, KP_COLOR_CYAN), name_of(replay, call->function),
           kp_color_off(replay->paint, KP_COLOR_CYAN));
}

static const struct kp_prototype *prototype_of(const struct replay *replay, const struct kp_call *call)
{
    return kp_c_functions_prototype(replay->c_functions, call->function);
}

static void print_arguments(const struct replay *replay, const struct kp_call *call)
{
    char *text = call->values ? kp_arguments_text(prototype_of(replay, call), call->values) : NULL;
    printf("(%s)", text ? text : "");
    free(text);
}

static void print_result(const struct replay *replay, const struct kp_call *call)
{
    char *text = call->values ? kp_result_text(prototype_of(replay, call), call->values) : NULL;
    if (text)
        printf(" = %s", text);
    free(text);
}

static void print_mark(const struct replay *replay, enum kp_color paint, const char *text)
{
    printf("%s%s%s", kp_color_on(replay->paint, paint), text, kp_color_off(replay->paint, paint));
}

/* What the end of a line says about how a call ended; nothing for a plain return. */
static void print_ending(struct replay *replay, enum kp_ending ending, struct kp_function *exception)
{
    static const struct {
        const char *text;
        enum kp_color paint;
    } marks[KP_ENDING_COUNT] = {
        [KP_ENDING_UNWIND] = {" ! exception", KP_COLOR_RED},
        [KP_ENDING_UNKNOWN] = {" ? end lost", KP_COLOR_RED},
        [KP_ENDING_STOPPED] = {" ? tracing stopped", KP_COLOR_YELLOW},
        [KP_ENDING_SUSPENDED] = {" ? never resumed", KP_COLOR_YELLOW},
        [KP_ENDING_OPEN] = {" ? still open", KP_COLOR_YELLOW},
    };
    if (exception && ending == KP_ENDING_UNWIND)
        printf("%s ! %s%s", kp_color_on(replay->paint, KP_COLOR_RED), name_of(replay, exception),
               kp_color_off(replay->paint, KP_COLOR_RED));
    else if (marks[ending].text)
        print_mark(replay, marks[ending].paint, marks[ending].text);
    putchar('\n');
}

static bool too_deep(size_t level)
{
    return depth_limit && level >= depth_limit;
}

/* Begins that are due: all below `end` that are old enough by now. */
static void print_begins(struct replay *replay, struct kp_calltree_thread *thread, size_t end,
                         uint64_t now_ns)
{
    struct thread_state *state = thread->user;
    for (; state->printed < end && !too_deep(state->printed); state->printed++) {
        const struct kp_call *call = &thread->calls[state->printed];
        if (now_ns - call->segment_start_ns < replay->least_ns)
            return;
        print_margin(replay, thread->thread, UINT64_MAX);
        print_indent(state->printed);
        print_name(replay, call);
        print_arguments(replay, call);
        fputs(call->suspensions || call->partial ? " { (resumed)\n" : " {\n", stdout);
    }
}

/*
 * Before anything of `thread` is printed: what another thread began and did not end on the same line comes
 * first, so that the lines are in the order of time.
 */
static void switch_thread(struct replay *replay, struct kp_calltree_thread *thread, uint64_t now_ns)
{
    struct kp_calltree_thread *last = replay->last;
    if (last && last != thread && last->user && replay->least_ns == 0)
        print_begins(replay, last, last->count, now_ns);
    replay->last = thread;
}

/* The top of the stack stops running, by its end or because it `yields`. */
static void print_end(struct replay *replay, struct kp_calltree_thread *thread, const struct kp_call *call,
                      uint64_t now_ns, bool yields)
{
    struct thread_state *state = thread->user;
    size_t level = thread->count - 1;
    print_begins(replay, thread, level, now_ns);
    bool begun = state->printed > level;
    print_margin(replay, thread->thread, call->segment_ns);
    print_indent(level);
    if (begun) {
        fputs("} /* ", stdout);
        print_name(replay, call);
        fputs(" */", stdout);
        print_result(replay, call);
        state->printed = level;
    } else {
        print_name(replay, call);
        print_arguments(replay, call);
        print_result(replay, call);
        fputs(call->suspensions > yields || call->partial ? " (resumed);" : ";", stdout);
    }
}

static bool is_hidden(const struct replay *replay, const struct kp_calltree_thread *thread,
                      const struct kp_call *call)
{
    const struct thread_state *state = thread->user;
    bool begun = state->printed >= thread->count;
    return !begun && (too_deep(thread->count - 1) || call->segment_ns < replay->least_ns);
}

/* --- call tree --- */

static bool is_wanted(const struct kp_calltree_thread *thread)
{
    return !only_thread || thread->thread->tid == only_thread;
}

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    (void)user;
    thread->user = kp_allocate_cleared(1, sizeof(struct thread_state));
}

static void end_thread(void *user, struct kp_calltree_thread *thread)
{
    struct replay *replay = user;
    if (replay->last == thread)
        replay->last = NULL;
    free(thread->user);
    thread->user = NULL;
}

static void take_enter(void *user, struct kp_calltree_thread *thread, struct kp_call *call)
{
    if (!is_wanted(thread))
        return;
    switch_thread(user, thread, call->segment_start_ns);
    /* A call of which nothing inside is shown takes one line, like a leaf. */
    if (!too_deep(thread->count - 1))
        print_begins(user, thread, thread->count - 1, call->segment_start_ns);
}

static void take_resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    (void)time_ns;
    take_enter(user, thread, call);
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    struct replay *replay = user;
    /* What was suspended is off the screen already. */
    if (call->suspended || !is_wanted(thread))
        return;
    switch_thread(replay, thread, end_ns);
    if (is_hidden(replay, thread, call))
        return;
    print_end(replay, thread, call, end_ns, false);
    print_ending(replay, ending, call->exception);
}

static void take_suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call,
                         uint64_t time_ns)
{
    struct replay *replay = user;
    if (!is_wanted(thread))
        return;
    switch_thread(replay, thread, time_ns);
    if (is_hidden(replay, thread, call))
        return;
    print_end(replay, thread, call, time_ns, true);
    print_mark(replay, KP_COLOR_YELLOW, " yield\n");
}

static void print_note(struct replay *replay, struct kp_calltree_thread *thread, uint64_t time_ns,
                       const char *text)
{
    switch_thread(replay, thread, time_ns);
    print_begins(replay, thread, thread->count, time_ns);
    print_margin(replay, thread->thread, UINT64_MAX);
    print_indent(thread->count);
    print_mark(replay, KP_COLOR_RED, text);
    putchar('\n');
}

static void take_lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                      uint64_t others)
{
    if (!is_wanted(thread))
        return;
    char *text = kp_format_text("/* LOST: %" PRIu64 " calls, %" PRIu64 " other events */", calls, others);
    print_note(user, thread, time_ns, text);
    free(text);
}

static void take_gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    if (is_wanted(thread))
        print_note(user, thread, time_ns, "/* GAP: a stretch of the trace is missing */");
}

static void take_orphan(void *user, struct kp_calltree_thread *thread, const struct kp_event *event,
                        struct kp_function *function, bool inherited)
{
    struct replay *replay = user;
    struct kp_call call = {.function = function};
    if (!is_wanted(thread) || too_deep(thread->count))
        return;
    switch_thread(replay, thread, event->time);
    print_begins(replay, thread, thread->count, event->time);
    print_margin(replay, thread->thread, UINT64_MAX);
    print_indent(thread->count);
    fputs("} /* ", stdout);
    print_name(replay, &call);
    fputs(!inherited                      ? ", begin not seen */"
          : thread->thread->process->part ? ", begun in an earlier part */"
                                          : ", begun before the fork */",
          stdout);
    print_ending(replay, event->kind == KP_EVENT_UNWIND ? KP_ENDING_UNWIND : KP_ENDING_EXIT, NULL);
}

static const struct kp_calltree_ops ops = {
    .thread_begin = begin_thread,
    .enter = take_enter,
    .close = take_close,
    .suspend = take_suspend,
    .resume = take_resume,
    .lost = take_lost,
    .gap = take_gap,
    .orphan = take_orphan,
    .thread_end = end_thread,
};

static void print_title(const struct replay *replay)
{
    printf("%s%10s | %*s | %s%s\n", kp_color_on(replay->paint, KP_COLOR_BOLD), "duration",
           replay->many_processes ? 15 : 7, replay->many_processes ? "pid/tid" : "tid", "function",
           kp_color_off(replay->paint, KP_COLOR_BOLD));
}

static void replay_input(struct replay *replay, struct kp_session *session)
{
    struct kp_calltree *tree = kp_calltree_create(&ops, replay);
    struct kp_item item;
    bool started = false;
    while (kp_session_next(session, &item)) {
        if (item.kind == KP_ITEM_EVENTS && !started) {
            started = true;
            replay->many_processes = session->process_count > 1;
            print_title(replay);
        }
        kp_calltree_feed(tree, &item);
    }
    kp_calltree_finish(tree);
    kp_calltree_destroy(tree);
    for (size_t i = 0; i < replay->name_count; i++)
        free(replay->names[i]);
    free(replay->names);
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    struct replay replay = {.paint = kp_color_wanted(color, stdout)};
    if (min_duration && !kp_parse_duration(min_duration, &replay.least_ns))
        return kp_usage_error(command, "--min %s: a number with ns, us, ms, s or m is allowed", min_duration);
    int status = kp_session_open(&session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, true, !no_demangle);
    replay.c_functions = session.c_functions;
    replay_input(&replay, &session);
    return kp_session_close(&session, NULL);
}

const struct kp_command kp_command_replay = {
    .name = "replay",
    .arguments = "[FILE...]",
    .summary = "the calls as they happened, indented",
    .description = "Prints every call with its duration, thread and name, indented by depth, the threads of "
                   "a process merged by "
                   "time. A call that made no calls takes one line. Marked are: ends by an exception (with "
                   "its type if that is known), yields "
                   "and resumptions of "
                   "generators and coroutines (the duration is then that of the segment), calls whose end "
                   "was lost, and where "
                   "events are missing.",
    .options = options,
    .examples = examples,
    .run = run,
};
