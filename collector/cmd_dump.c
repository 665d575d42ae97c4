/*
 * kprobe dump: one event a line, stable text for tests and scripts:
 * time_ns pid tid kind depth name location [token=HEX], separated by tabs.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "model/custom_record.h"
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

/* `text` NULL: the kind is not known. */
static void put_kind(struct line *line, unsigned kind, const char *text)
{
    if (text) {
        put_text(line, text);
        line->text[line->length++] = '\t';
        return;
    }
    put_text(line, "kind-");
    put_number(line, kind, '\t');
}

static void put_start(struct line *line, const struct kp_thread *thread, const struct kp_event *event,
                      const char *kind)
{
    line->length = 0;
    put_number(line, event->time, '\t');
    put_number(line, thread->process->pid, '\t');
    put_number(line, thread->tid, '\t');
    put_kind(line, event->kind, kind);
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

/* Two registers, 16 bytes of copied strings, or the type of an exception, in the column of the name. */
static void print_values(const struct kp_session *session, const struct kp_process *process,
                         const struct kp_event *event)
{
    if (event->id == KP_VALUES_EXCEPTION) {
        printf("exception=%s", get_label(session, process, (uint32_t)event->value)->text);
        return;
    }
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
 * Of a thread. With a filter values are shown with their call: which calls are shown is kept by depth.
 */
struct thread_state {
    bool *shown; /* by depth */
    size_t capacity;
    struct kp_custom_record record;
};

static struct thread_state *state_of(struct kp_thread *thread)
{
    if (!thread->user)
        thread->user = kp_allocate_cleared(1, sizeof(struct thread_state));
    return thread->user;
}

static bool is_shown(const struct kp_thread *thread, const struct kp_event *event)
{
    const struct thread_state *state = thread->user;
    return !filter ||
           (event->depth && state && event->depth <= state->capacity && state->shown[event->depth - 1]);
}

static void note_shown(struct kp_thread *thread, const struct kp_event *event, bool is_shown)
{
    enum { DEEPEST = 1 << 20 }; /* deeper ones are damage, more likely */
    if (!filter || event->kind != KP_EVENT_ENTER || event->depth > DEEPEST)
        return;
    struct thread_state *state = state_of(thread);
    state->shown = kp_grow(state->shown, &state->capacity, event->depth, sizeof *state->shown);
    state->shown[event->depth] = is_shown;
}

/* --- custom records --- */

struct texts {
    const struct kp_session *session;
    const struct kp_process *process;
};

static const char *find_text(void *user, uint32_t id)
{
    const struct texts *texts = user;
    const struct kp_function *function = kp_reader_function(texts->session->reader, texts->process, id);
    return function ? function->name : NULL;
}

/* The class in the column of the name, the fields in that of the location. */
static void print_record(const struct kp_session *session, struct kp_thread *thread, bool complete)
{
    const struct kp_custom_record *record = &state_of(thread)->record;
    struct texts texts = {session, thread->process};
    const struct kp_function *class =
        kp_reader_function(session->reader, thread->process, (uint32_t)record->head.value);
    struct line line;
    if (filter && !(class && kp_glob_match(filter, class->name)))
        return;
    char *name = kp_escape(class ? class->name : "<undefined class>");
    char *fields = complete ? kp_custom_record_text(record, class ? class->file : "", find_text, &texts)
                            : kp_format_text("<incomplete>");
    put_start(&line, thread, &record->head, "record");
    printf("%.*s%s\t%s\n", (int)line.length, line.text, name, fields);
    free(fields);
    free(name);
}

/* What is not a part of the record that is under way ends it: its rest was lost. */
static void end_record(const struct kp_session *session, struct kp_thread *thread)
{
    struct thread_state *state = thread->user;
    if (!state || !state->record.open)
        return;
    print_record(session, thread, false);
    state->record.open = false;
}

static void take_record_part(const struct kp_session *session, struct kp_thread *thread,
                             const struct kp_event *event)
{
    if (event->id == KP_VALUES_RECORD)
        end_record(session, thread);
    if (kp_custom_record_take(&state_of(thread)->record, event))
        print_record(session, thread, true);
}

static void finish_threads(const struct kp_session *session)
{
    for (size_t i = 0; i < session->thread_count; i++) {
        struct thread_state *state = session->threads[i]->user;
        if (!state)
            continue;
        end_record(session, session->threads[i]);
        kp_custom_record_fini(&state->record);
        free(state->shown);
        free(state);
    }
}

static void print_event(const struct kp_session *session, struct kp_thread *thread,
                        const struct kp_event *event)
{
    struct line line;
    const struct label *label = NULL;
    if (kp_custom_record_is_part(event)) {
        take_record_part(session, thread, event);
        return;
    }
    end_record(session, thread);
    if (has_function(event->kind)) {
        label = get_label(session, thread->process, event->id);
        note_shown(thread, event, label->shown);
        if (!label->shown)
            return;
    } else if (event->kind == KP_EVENT_VALUES && !is_shown(thread, event)) {
        return;
    }
    put_start(&line, thread, event, kp_event_kind_text(event->kind));
    fwrite_unlocked(line.text, 1, line.length, stdout);
    if (label)
        fwrite_unlocked(label->text, 1, label->length, stdout);
    if (event->kind == KP_EVENT_LOST)
        printf("calls=%" PRIu64 " events=%" PRIu64 "\t", event->value, event->value2);
    else if (event->kind == KP_EVENT_VALUES)
        print_values(session, thread->process, event);
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
    finish_threads(&session);
    free_labels();
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
        "the call that is innermost there, or exception=TYPE when that ends by an exception in the next "
        "line. A line of kind record is a record of the program's own probes: its "
        "class, and in the column of the location its fields, separated by ';'. The location of a C function "
        "is the object and the offset in it. "
        "Characters that are no printable UTF-8, and the backslash, are "
        "written as \\xNN. Lines are in order of time per thread.",
    .options = options,
    .examples = examples,
    .run = run,
};
