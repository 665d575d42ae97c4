/*
 * kprobe dump: one event a line, stable text for tests and scripts:
 * time_ns pid tid kind depth name location [token=HEX], separated by tabs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "model/values.h"
#include "report/heading.h"
#include "trace/glob.h"
#include "util/escape.h"
#include "util/memory.h"

static unsigned long long only_thread;
static const char *filter;
static bool by_time, demangle;

static const struct kp_option_row options[] = {
    {'t', "thread", KP_ARGUMENT_NUMBER, "TID", "only events of this thread", NULL, &only_thread},
    {'f', "filter", KP_ARGUMENT_STRING, "GLOB", "only functions whose name matches (losses stay)", NULL,
     &filter},
    {0, "demangle", KP_ARGUMENT_NONE, NULL, "names of C++ and Rust functions as their programmers wrote them",
     NULL, &demangle},
    {0, "by-time", KP_ARGUMENT_NONE, NULL, "all threads in one order of time", NULL, &by_time},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe dump kprobe.4711.kpt", "every event, a line each"},
    {"kprobe dump -f 'app.*' kprobe.4711.kpt | cut -f4,6", "kinds and names, only of app"},
    {NULL, NULL},
};

/* The columns of a function, made once: "name\tlocation". */
struct label {
    char *text;
    size_t length;
    bool shown;
    struct label *next;
};
static struct label *labels; /* all of them, to be freed */

static struct label *make_label(const char *name, char *location)
{
    struct label *label = kp_allocate(sizeof *label);
    char *escaped = kp_escape(name);
    label->text = kp_format_text("%s\t%s", escaped, location);
    label->length = strlen(label->text);
    label->shown = !filter || kp_glob_match(filter, name);
    label->next = labels;
    labels = label;
    free(escaped);
    free(location);
    return label;
}

static const struct label *get_label(const struct kp_session *session, const struct kp_process *process,
                                     uint32_t id)
{
    static struct label undefined = {.text = "<undefined function>\t", .length = 21, .shown = true};
    struct kp_function *function = kp_reader_function(session->reader, process, id);
    if (!function)
        return &undefined;
    if (!function->user)
        function->user = make_label(function->name, kp_heading_location(function->file, function->line));
    return function->user;
}

/* --- lines --- */

struct line {
    char text[192];
    size_t length;
};

static void put_text(struct line *line, const char *text)
{
    for (; *text; text++)
        line->text[line->length++] = *text;
}

static void put_number(struct line *line, uint64_t number, char end)
{
    char digits[20];
    size_t count = 0;
    do {
        digits[count++] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    while (count)
        line->text[line->length++] = digits[--count];
    line->text[line->length++] = end;
}

static void put_kind(struct line *line, unsigned kind)
{
    const char *text = kp_event_kind_text(kind);
    if (text) {
        put_text(line, text);
        line->text[line->length++] = '\t';
        return;
    }
    put_text(line, "kind-");
    put_number(line, kind, '\t');
}

static void put_start(struct line *line, const struct kp_thread *thread, const struct kp_event *event)
{
    line->length = 0;
    put_number(line, event->time, '\t');
    put_number(line, thread->process->pid, '\t');
    put_number(line, thread->tid, '\t');
    put_kind(line, event->kind);
    put_number(line, event->depth, '\t');
}

static bool has_token(unsigned kind)
{
    return kind == KP_EVENT_YIELD || kind == KP_EVENT_RESUME;
}

static bool has_function(unsigned kind)
{
    return kind != KP_EVENT_LOST && kind != KP_EVENT_STOP && kind != KP_EVENT_VALUES;
}

/* Two registers, or 16 bytes of copied strings, in the column of the name. */
static void print_values(const struct kp_event *event)
{
    const char *first = kp_values_register(event->id, 0), *second = kp_values_register(event->id, 1);
    if (first && second) {
        printf("%s=0x%" PRIx64 " %s=0x%" PRIx64 "\t", first, event->value, second, event->value2);
        return;
    }
    printf("%s%" PRIu32 "=", event->id < KP_VALUES_TEXT ? "id" : "text",
           event->id < KP_VALUES_TEXT ? event->id : event->id - KP_VALUES_TEXT);
    for (unsigned i = 0; i < 2; i++)
        for (unsigned byte = 0; byte < 8; byte++)
            printf("%02x", (unsigned)((i ? event->value2 : event->value) >> 8 * byte & 255));
    putchar('\t');
}

/*
 * With a filter values are shown with their call: which calls are shown is kept by depth, for the thread.
 */
struct shown {
    bool *at; /* by depth */
    size_t capacity;
};

static bool is_shown(const struct kp_thread *thread, const struct kp_event *event)
{
    const struct shown *shown = thread->user;
    return !filter ||
           (event->depth && shown && event->depth <= shown->capacity && shown->at[event->depth - 1]);
}

static void note_shown(struct kp_thread *thread, const struct kp_event *event, bool is_shown)
{
    enum { DEEPEST = 1 << 20 }; /* deeper ones are damage, more likely */
    if (!filter || event->kind != KP_EVENT_ENTER || event->depth > DEEPEST)
        return;
    if (!thread->user)
        thread->user = kp_allocate_cleared(1, sizeof(struct shown));
    struct shown *shown = thread->user;
    shown->at = kp_grow(shown->at, &shown->capacity, event->depth, sizeof *shown->at);
    shown->at[event->depth] = is_shown;
}

static void free_shown(const struct kp_session *session)
{
    for (size_t i = 0; i < session->thread_count; i++) {
        struct shown *shown = session->threads[i]->user;
        if (shown)
            free(shown->at);
        free(shown);
    }
}

static void print_event(const struct kp_session *session, struct kp_thread *thread,
                        const struct kp_event *event)
{
    struct line line;
    const struct label *label = NULL;
    if (has_function(event->kind)) {
        label = get_label(session, thread->process, event->id);
        note_shown(thread, event, label->shown);
        if (!label->shown)
            return;
    } else if (event->kind == KP_EVENT_VALUES && !is_shown(thread, event)) {
        return;
    }
    put_start(&line, thread, event);
    fwrite_unlocked(line.text, 1, line.length, stdout);
    if (label)
        fwrite_unlocked(label->text, 1, label->length, stdout);
    if (event->kind == KP_EVENT_LOST)
        printf("calls=%" PRIu64 " events=%" PRIu64 "\t", event->value, event->value2);
    else if (event->kind == KP_EVENT_VALUES)
        print_values(event);
    else if (event->kind == KP_EVENT_STOP)
        putchar_unlocked('\t');
    if (has_token(event->kind))
        printf("\ttoken=%" PRIx64, event->value);
    putchar_unlocked('\n');
}

static void print_item(const struct kp_session *session, const struct kp_item *item)
{
    if (item->kind != KP_ITEM_EVENTS || (only_thread && item->thread->tid != only_thread))
        return;
    for (size_t i = 0; i < item->count; i++)
        print_event(session, item->thread, &item->events[i]);
}

static void free_labels(void)
{
    while (labels) {
        struct label *next = labels->next;
        free(labels->text);
        free(labels);
        labels = next;
    }
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    struct kp_item item;
    const char *position, *wrong = filter ? kp_glob_check(filter, &position) : NULL;
    if (wrong)
        return kp_usage_error(command, "--filter %s: at character %td: %s", filter, position - filter + 1,
                              wrong);
    int status = kp_session_open(&session, command, count, operands, by_time ? KP_READ_BY_TIME : 0);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, false, demangle);
    while (kp_session_next(&session, &item))
        print_item(&session, &item);
    free_labels();
    free_shown(&session);
    return kp_session_close(&session, NULL);
}

const struct kp_command kp_command_dump = {
    .name = "dump",
    .arguments = "[FILE...]",
    .summary = "every event as a line of stable text",
    .description =
        "Columns, separated by tabs: time in nanoseconds since 1970, process id, thread id, kind (enter, "
        "exit, unwind, "
        "yield, resume, lost, stop, values), depth, name, location (file:line of the definition, empty when "
        "unknown). "
        "Lines of yield and resume have an eighth: token=HEX, the same for the same suspended activation. In "
        "lines of "
        "lost the name is calls=N events=M, in lines of values two registers or 16 bytes of copied strings, "
        "of "
        "the call that is innermost there. The location of a C function is the object and the offset in it. "
        "Characters that are no printable UTF-8, and the backslash, are "
        "written as \\xNN. Lines are in order of time per thread.",
    .options = options,
    .examples = examples,
    .run = run,
};
