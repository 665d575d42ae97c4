/*
 * kprobe verify: proves that nothing is missing without being counted. Checks counts (calls made = read +
 * lost), order of time, balance of begins and ends, names, damage.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "model/calltree.h"
#include "util/color.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/json.h"
#include "util/memory.h"

static bool strict, as_json;
static const char *color = "auto";

static const struct kp_option_row options[] = {
    {0, "strict", KP_ARGUMENT_NONE, NULL,
     "problems are also: lost calls, calls open at the end of a process that ended in order, resumed "
     "activations "
     "whose begin is not in the trace",
     NULL, &strict},
    {0, "json", KP_ARGUMENT_NONE, NULL, "JSON", NULL, &as_json},
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe verify kprobe.4711.kpt && echo complete", "exit status 0: every call is there or counted"},
    {NULL, NULL},
};

enum {
    MOST_PROBLEMS = 1000, /* kept with their text, for --json; all are counted */
    MOST_PRINTED = 20,
};

struct problem {
    const struct kp_process *process; /* NULL: of the file */
    char *text;
};

/* What was seen of one process. */
struct process_state {
    const struct kp_process *process;
    uint64_t threads, calls_read, calls_lost, events_lost, gaps, problems;
    uint64_t endings[KP_ENDING_COUNT];
    uint64_t inherited; /* ends of calls that a fork found open, or that began in an earlier part */
    uint64_t foreign;   /* resumed activations whose begin is not in the trace */
    bool forked;        /* recorded from a fork on, or a later part: generators of before may go on in it */
    uint64_t repaired;  /* begins and ends without the other, after a loss or gap */
    uint64_t cut;       /* calls that were counted but not yet recorded when the process died */
};

struct thread_state {
    struct process_state *process;
    bool missing; /* events were lost or a stretch is damaged: from here on ends may be missing */
};

struct verifier {
    struct kp_session session;
    struct process_state **processes;
    size_t process_count, process_capacity;
    struct thread_state **threads; /* by position in the input */
    size_t thread_count, thread_capacity;
    struct problem *problems;
    size_t problem_count, problem_capacity;
    uint64_t problem_total;
};

static void __attribute__((format(printf, 3, 4)))
add_problem(struct verifier *verifier, struct process_state *state, const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    verifier->problem_total++;
    if (state)
        state->problems++;
    if (verifier->problem_count == MOST_PROBLEMS)
        return;
    va_start(arguments, format);
    if (vasprintf(&text, format, arguments) < 0)
        text = kp_copy_text(format);
    va_end(arguments);
    verifier->problems = kp_grow(verifier->problems, &verifier->problem_capacity, verifier->problem_count,
                                 sizeof *verifier->problems);
    verifier->problems[verifier->problem_count++] = (struct problem){state ? state->process : NULL, text};
}

static struct process_state *get_process(struct verifier *verifier, const struct kp_process *process)
{
    for (size_t i = verifier->process_count; i-- > 0;)
        if (verifier->processes[i]->process == process)
            return verifier->processes[i];
    struct process_state *state = kp_allocate_cleared(1, sizeof *state);
    state->process = process;
    verifier->processes = kp_grow(verifier->processes, &verifier->process_capacity, verifier->process_count,
                                  sizeof *verifier->processes);
    return verifier->processes[verifier->process_count++] = state;
}

/* --- balance: the call tree tells --- */

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    struct verifier *verifier = user;
    struct thread_state *state = kp_allocate_cleared(1, sizeof *state);
    state->process = get_process(verifier, thread->thread->process);
    state->process->threads++;
    if (thread->thread->base_depth || thread->thread->process->part)
        state->process->forked = true;
    thread->user = state;
    verifier->threads = kp_grow(verifier->threads, &verifier->thread_capacity, verifier->thread_count,
                                sizeof *verifier->threads);
    verifier->threads[verifier->thread_count++] = state;
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    struct thread_state *state = thread->user;
    state->process->endings[ending]++;
    if (ending != KP_ENDING_UNKNOWN)
        return;
    if (state->missing) {
        state->process->repaired++;
        return;
    }
    char *name = kp_escape(call->function->name);
    add_problem(user, state->process,
                "thread %" PRIu32 ": %s of depth %" PRIu32 " began at %" PRIu64
                " and has no end, seen at %" PRIu64,
                thread->thread->tid, name, call->depth, call->start_ns, end_ns);
    free(name);
}

static void take_resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    struct thread_state *state = thread->user;
    if (!call->partial || call->suspensions)
        return;
    state->process->foreign++;
    if (!strict || state->missing || state->process->forked)
        return;
    char *name = kp_escape(call->function->name);
    add_problem(user, state->process, "thread %" PRIu32 ": %s goes on at %" PRIu64 " and never began",
                thread->thread->tid, name, time_ns);
    free(name);
}

static void take_orphan(void *user, struct kp_calltree_thread *thread, const struct kp_event *event,
                        struct kp_function *function, bool inherited)
{
    struct thread_state *state = thread->user;
    if (inherited) {
        state->process->inherited++;
        return;
    }
    if (state->missing) {
        state->process->repaired++;
        return;
    }
    char *name = kp_escape(function->name);
    add_problem(user, state->process,
                "thread %" PRIu32 ": %s of depth %" PRIu32 " ends at %" PRIu64 " and never began",
                thread->thread->tid, name, event->depth, event->time);
    free(name);
}

static void take_lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                      uint64_t others)
{
    struct thread_state *state = thread->user;
    state->missing = true;
    state->process->calls_lost += calls;
    state->process->events_lost += others;
    if (strict)
        add_problem(user, state->process,
                    "thread %" PRIu32 ": %" PRIu64 " calls and %" PRIu64 " other events lost before %" PRIu64,
                    thread->thread->tid, calls, others, time_ns);
}

static void take_gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    struct thread_state *state = thread->user;
    state->missing = true;
    state->process->gaps++;
    add_problem(user, state->process, "thread %" PRIu32 ": a stretch before %" PRIu64 " is missing",
                thread->thread->tid, time_ns);
}

static const struct kp_calltree_ops ops = {
    .thread_begin = begin_thread,
    .close = take_close,
    .resume = take_resume,
    .lost = take_lost,
    .gap = take_gap,
    .orphan = take_orphan,
};

/* --- what the items themselves tell --- */

static void check_function(struct verifier *verifier, const struct kp_item *item)
{
    if (!*item->function->name && item->function->kind != KP_FUNCTION_TEXT)
        add_problem(verifier, get_process(verifier, item->process), "function %" PRIu32 " has no name",
                    item->function->id);
}

/* What is defined that an event refers to; false: it refers to nothing. */
static bool get_reference(const struct kp_event *event, uint64_t *id)
{
    bool exception = event->kind == KP_EVENT_VALUES && event->id == KP_VALUES_EXCEPTION;

    *id = exception ? event->value : event->id;
    return exception || (event->kind >= KP_EVENT_ENTER && event->kind <= KP_EVENT_RESUME);
}

/* Runs before the call tree sees the batch. */
static void check_events(struct verifier *verifier, const struct kp_item *item)
{
    const struct kp_calltree_thread *thread = item->thread->user;
    struct thread_state *state = thread ? thread->user : NULL;
    for (size_t i = 0; state && i < item->count; i++) {
        const struct kp_event *event = &item->events[i];
        uint64_t id;
        if (!kp_event_kind_text(event->kind))
            add_problem(verifier, state->process, "thread %" PRIu32 ": event of unknown kind %u at %" PRIu64,
                        item->thread->tid, event->kind, event->time);
        else if (get_reference(event, &id) &&
                 (id > UINT32_MAX ||
                  !kp_reader_function(verifier->session.reader, item->thread->process, (uint32_t)id)))
            add_problem(verifier, state->process,
                        "thread %" PRIu32 ": function %" PRIu64 " is used at %" PRIu64
                        " and was never defined",
                        item->thread->tid, id, event->time);
    }
}

/* The reader gives time that goes back out as standing still, and counts it. */
static void check_order(struct verifier *verifier, const struct kp_thread *thread)
{
    if (thread->backward)
        add_problem(verifier, get_process(verifier, thread->process),
                    "thread %" PRIu32 ": %" PRIu64 " times the clock went back", thread->tid,
                    thread->backward);
}

static void check_counts(struct verifier *verifier, const struct kp_thread *thread)
{
    struct process_state *state = get_process(verifier, thread->process);
    uint64_t found = thread->calls_read + thread->calls_lost_read;
    state->calls_read += thread->calls_read;
    /* What it did in an earlier part of its section is not here. */
    if (!thread->ended || thread->partial)
        return;
    /* A probe counts its call, then records it: death may come in between, once a thread. */
    if (thread->process->recovered && thread->calls_made == found + 1)
        state->cut++;
    else if (thread->calls_made != found)
        add_problem(verifier, state,
                    "thread %" PRIu32 ": %" PRIu64 " calls made, but %" PRIu64 " read and %" PRIu64
                    " counted as lost: %" PRIu64 " %s",
                    thread->tid, thread->calls_made, thread->calls_read, thread->calls_lost_read,
                    thread->calls_made > found ? thread->calls_made - found : found - thread->calls_made,
                    thread->calls_made > found ? "missing" : "too many");
    if (thread->calls_lost != thread->calls_lost_read)
        add_problem(verifier, state,
                    "thread %" PRIu32 ": %" PRIu64 " calls lost, but %" PRIu64 " in events of kind lost",
                    thread->tid, thread->calls_lost, thread->calls_lost_read);
}

static void check_process(struct verifier *verifier, struct process_state *state)
{
    if (strict && state->process->complete && !state->process->next_part && state->endings[KP_ENDING_OPEN])
        add_problem(verifier, state, "%" PRIu64 " calls are open although the process ended in order",
                    state->endings[KP_ENDING_OPEN]);
}

static void check_all(struct verifier *verifier)
{
    struct kp_calltree *tree = kp_calltree_create(&ops, verifier);
    struct kp_item item;
    while (kp_session_next(&verifier->session, &item)) {
        if (item.kind == KP_ITEM_FUNCTION)
            check_function(verifier, &item);
        if (item.kind == KP_ITEM_EVENTS)
            check_events(verifier, &item);
        if (item.kind == KP_ITEM_DAMAGE) {
            char *text = kp_escape(item.text);
            if (item.offset == KP_NO_OFFSET)
                add_problem(verifier, NULL, "%s: %s", item.path, text);
            else
                add_problem(verifier, NULL, "%s: at byte %" PRIu64 ": %s", item.path, item.offset, text);
            free(text);
        }
        kp_calltree_feed(tree, &item);
    }
    kp_calltree_finish(tree);
    for (size_t i = 0; i < verifier->session.process_count; i++)
        get_process(verifier, verifier->session.processes[i]);
    for (size_t i = 0; i < verifier->session.thread_count; i++) {
        check_order(verifier, verifier->session.threads[i]);
        check_counts(verifier, verifier->session.threads[i]);
    }
    for (size_t i = 0; i < verifier->process_count; i++)
        check_process(verifier, verifier->processes[i]);
    kp_calltree_destroy(tree);
}

/* --- output --- */

static void print_reason(uint64_t count, const char *text)
{
    char number[KP_FORMAT_BYTES];
    if (count)
        printf(", %s %s", kp_format_count(number, count), text);
}

static void print_process(const struct process_state *state, bool paint)
{
    char calls[KP_FORMAT_BYTES];
    enum kp_color verdict = state->problems ? KP_COLOR_RED : KP_COLOR_GREEN;
    printf("%s%s%s process %" PRIu32, kp_color_on(paint, verdict), state->problems ? "BAD " : "good",
           kp_color_off(paint, verdict), state->process->pid);
    if (state->process->part || state->process->next_part)
        printf(" part %" PRIu32, state->process->part);
    printf(": %" PRIu64 " threads, %s calls read", state->threads, kp_format_count(calls, state->calls_read));
    print_reason(state->calls_lost, "lost");
    print_reason(state->events_lost, "other events lost");
    print_reason(state->gaps, "gaps");
    print_reason(state->repaired, "unpaired after a loss");
    print_reason(state->inherited, state->process->part ? "begun in an earlier part" : "inherited by fork");
    print_reason(state->foreign, "resumed but begun elsewhere");
    print_reason(state->endings[KP_ENDING_SUSPENDED], "still suspended");
    print_reason(state->endings[KP_ENDING_STOPPED], "open when tracing stopped");
    print_reason(state->endings[KP_ENDING_OPEN], "open at the end");
    print_reason(state->cut, "being recorded at its death");
    print_reason(state->problems, "problems");
    printf(" (%s)\n", state->process->alive       ? "still running"
                      : state->process->next_part ? "goes on in the next part"
                      : state->process->recovered ? "killed, recovered"
                      : state->process->complete  ? "ended in order"
                                                  : "did not end in order");
}

static void print_text(const struct verifier *verifier)
{
    bool paint = kp_color_wanted(color, stdout);
    size_t printed = verifier->problem_count < MOST_PRINTED ? verifier->problem_count : MOST_PRINTED;

    for (size_t i = 0; i < verifier->process_count; i++)
        print_process(verifier->processes[i], paint);
    for (size_t i = 0; i < printed; i++) {
        const struct problem *problem = &verifier->problems[i];
        if (problem->process)
            printf("process %" PRIu32 ": %s\n", problem->process->pid, problem->text);
        else
            printf("%s\n", problem->text);
    }
    if (verifier->problem_total > printed)
        printf("and %" PRIu64 " more problems (--json tells up to %d)\n", verifier->problem_total - printed,
               MOST_PROBLEMS);
}

static void json_process(struct kp_json *json, const struct process_state *state)
{
    kp_json_begin_object(json, NULL);
    kp_json_number(json, "pid", state->process->pid);
    kp_json_string(json, "uuid", state->process->uuid);
    kp_json_bool(json, "complete", state->process->complete);
    kp_json_bool(json, "recovered", state->process->recovered);
    kp_json_number(json, "part", state->process->part);
    kp_json_number(json, "next_part", state->process->next_part);
    kp_json_number(json, "threads", state->threads);
    kp_json_number(json, "calls_read", state->calls_read);
    kp_json_number(json, "calls_lost", state->calls_lost);
    kp_json_number(json, "events_lost", state->events_lost);
    kp_json_number(json, "gaps", state->gaps);
    kp_json_number(json, "inherited", state->inherited);
    kp_json_number(json, "resumed_unknown", state->foreign);
    kp_json_number(json, "unpaired_after_loss", state->repaired);
    kp_json_number(json, "cut", state->cut);
    kp_json_begin_object(json, "endings");
    for (int i = 0; i < KP_ENDING_COUNT; i++)
        kp_json_number(json, kp_ending_text(i), state->endings[i]);
    kp_json_end_object(json);
    kp_json_number(json, "problems", state->problems);
    kp_json_end_object(json);
}

static void print_json(const struct verifier *verifier)
{
    struct kp_json json;
    kp_json_init(&json, stdout, 2);
    kp_json_begin_object(&json, NULL);
    kp_json_bool(&json, "good", verifier->problem_total == 0);
    kp_json_number(&json, "problem_count", verifier->problem_total);
    kp_json_begin_array(&json, "processes");
    for (size_t i = 0; i < verifier->process_count; i++)
        json_process(&json, verifier->processes[i]);
    kp_json_end_array(&json);
    kp_json_begin_array(&json, "problems");
    for (size_t i = 0; i < verifier->problem_count; i++) {
        kp_json_begin_object(&json, NULL);
        if (verifier->problems[i].process)
            kp_json_number(&json, "pid", verifier->problems[i].process->pid);
        kp_json_string(&json, "text", verifier->problems[i].text);
        kp_json_end_object(&json);
    }
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

static void free_verifier(struct verifier *verifier)
{
    for (size_t i = 0; i < verifier->process_count; i++)
        free(verifier->processes[i]);
    for (size_t i = 0; i < verifier->thread_count; i++)
        free(verifier->threads[i]);
    for (size_t i = 0; i < verifier->problem_count; i++)
        free(verifier->problems[i].text);
    free(verifier->processes);
    free(verifier->threads);
    free(verifier->problems);
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct verifier verifier = {0};
    int status = kp_session_open(&verifier.session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    check_all(&verifier);
    if (as_json)
        print_json(&verifier);
    else
        print_text(&verifier);
    bool good = verifier.problem_total == 0;
    free_verifier(&verifier);
    status = kp_session_close(&verifier.session, NULL);
    return good ? status : KP_EXIT_DAMAGED;
}

const struct kp_command kp_command_verify = {
    .name = "verify",
    .arguments = "[FILE...]",
    .summary = "prove that nothing is missing without being counted",
    .description =
        "Checks for every thread that the calls it made are those read plus those lost, that time never goes "
        "back, "
        "that every call that began has its end or a reason to have none (inherited by fork, suspended, open "
        "when the process ended, after a loss), that every function has a name, and that no byte is damaged. "
        "A thread that was killed while it recorded a call may have counted that one already. "
        "Of a part of a process (kprobe serve --rotate-size) it checks what is there: the calls of threads "
        "that "
        "began earlier are not counted against what they made. "
        "Prints a line per process and every problem. Exit status 1 when there is one.",
    .options = options,
    .examples = examples,
    .run = run,
};
