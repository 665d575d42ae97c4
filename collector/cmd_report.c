/* kprobe report: where the time went, a line per function. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "session.h"
#include "model/calltree.h"
#include "model/profile.h"
#include "report/heading.h"
#include "report/table.h"
#include "trace/glob.h"
#include "util/color.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/memory.h"

static bool by_thread, compensated, as_json, no_demangle;
static const char *sort = "self", *filter, *color = "auto";
static unsigned long long limit;

static const struct kp_option_row options[] = {
    {0, "by-thread", KP_ARGUMENT_NONE, NULL, "a line per function and thread", NULL, &by_thread},
    {'s', "sort", KP_ARGUMENT_CHOICE, "COLUMN", "order of the lines, largest first (name: A to Z)",
     "self|total|calls|mean|min|max|name", &sort},
    {'f', "filter", KP_ARGUMENT_STRING, "GLOB", "only functions whose name matches", NULL, &filter},
    {'n', "limit", KP_ARGUMENT_NUMBER, "N", "at most N lines (0: all)", NULL, &limit},
    {'c', "compensated", KP_ARGUMENT_NONE, NULL, "times without the probes' own calibrated cost", NULL,
     &compensated},
    {0, "json", KP_ARGUMENT_NONE, NULL, "JSON, raw and compensated times in nanoseconds", NULL, &as_json},
    KP_OPTION_NO_DEMANGLE(no_demangle),
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe report kprobe.4711.kpt", "all functions, most own time first"},
    {"kprobe report -n 20 -s total", "the newest trace here, 20 lines by total time"},
    {"kprobe report -f 'app.*' --by-thread a.kpt b.kpt",
     "two traces together, only app, each thread by itself"},
    {NULL, NULL},
};

struct line {
    const struct kp_profile_row *row;
    struct kp_profile_times times;
};

/* --- order --- */

static int descending(uint64_t a, uint64_t b)
{
    return a < b ? 1 : a > b ? -1 : 0;
}

static uint64_t sort_key(const struct line *line)
{
    switch (sort[0]) {
    case 's':
        return line->times.self_ns;
    case 't':
        return line->times.total_ns;
    case 'c':
        return line->row->calls;
    default:
        return !strcmp(sort, "mean")  ? line->times.mean_ns
               : !strcmp(sort, "min") ? line->times.min_ns
                                      : line->times.max_ns;
    }
}

static int compare(const void *left, const void *right)
{
    const struct line *a = left, *b = right;
    int order = strcmp(sort, "name") ? descending(sort_key(a), sort_key(b)) : 0;
    if (!order)
        order = strcmp(sort, "name") ? descending(a->row->calls, b->row->calls) : 0;
    if (!order)
        order = strcmp(a->row->symbol->name, b->row->symbol->name);
    if (!order)
        order = strcmp(a->row->symbol->file, b->row->symbol->file);
    if (!order)
        order = descending(b->row->symbol->line, a->row->symbol->line);
    return order ? order : descending(b->row->symbol->index, a->row->symbol->index);
}

static struct line *select_lines(struct kp_profile *profile, size_t *count)
{
    size_t row_count;
    struct kp_profile_row **rows = kp_profile_rows(profile, &row_count);
    struct line *lines = kp_allocate(row_count * sizeof *lines);
    *count = 0;
    for (size_t i = 0; i < row_count; i++)
        if (!filter || kp_glob_match(filter, rows[i]->symbol->name))
            lines[(*count)++] = (struct line){rows[i], kp_profile_times(rows[i], compensated)};
    qsort(lines, *count, sizeof *lines, compare);
    return lines;
}

static double share_of(const struct line *line, const struct kp_profile_summary *summary)
{
    uint64_t whole = compensated ? summary->compensated_self_ns : summary->self_ns;
    return whole ? 100.0 * (double)line->times.self_ns / (double)whole : 0;
}

/* --- text --- */

static const struct kp_table_column columns[] = {
    {"calls", true, 0, 0, KP_COLOR_NONE},      {"total", true, 0, 0, KP_COLOR_NONE},
    {"self", true, 0, 0, KP_COLOR_YELLOW},     {"share", true, 0, 0, KP_COLOR_GREEN},
    {"mean", true, 0, 2, KP_COLOR_NONE},       {"min", true, 0, 4, KP_COLOR_NONE},
    {"max", true, 0, 3, KP_COLOR_NONE},        {"thread", false, 0, 0, KP_COLOR_BLUE},
    {"function", false, 30, 0, KP_COLOR_CYAN}, {"location", false, 24, 5, KP_COLOR_DIM},
    {NULL, false, 0, 0, KP_COLOR_NONE},
};
enum { THREAD_COLUMN = 7, COLUMN_COUNT = sizeof columns / sizeof *columns };

static void add_time(struct kp_table *table, uint64_t ns, bool known)
{
    char text[KP_FORMAT_BYTES];
    kp_table_add(table, known ? kp_format_duration(text, ns) : "-");
}

static void add_thread(struct kp_table *table, const struct kp_thread *thread)
{
    char *name = kp_escape(thread->name);
    char *text = kp_format_text("%" PRIu32 "/%" PRIu32 " %s", thread->process->pid, thread->tid, name);
    kp_table_add(table, text);
    free(name);
    free(text);
}

static void add_line(struct kp_table *table, const struct line *line,
                     const struct kp_profile_summary *summary)
{
    char text[KP_FORMAT_BYTES];
    const struct kp_profile_row *row = line->row;
    bool timed = summary->self_ns > 0;
    kp_table_add(table, kp_format_count(text, row->calls));
    add_time(table, line->times.total_ns, timed);
    add_time(table, line->times.self_ns, timed);
    snprintf(text, sizeof text, "%.1f %%", share_of(line, summary));
    kp_table_add(table, timed ? text : "-");
    add_time(table, line->times.mean_ns, timed && row->finished);
    add_time(table, line->times.min_ns, timed && row->finished);
    add_time(table, line->times.max_ns, timed && row->finished);
    if (by_thread)
        add_thread(table, row->thread);
    char *name = kp_escape(row->symbol->name),
         *location = kp_heading_location(row->symbol->file, row->symbol->line);
    kp_table_add(table, name);
    kp_table_add(table, location);
    free(name);
    free(location);
}

static void print_text(const struct line *lines, size_t shown, size_t count,
                       const struct kp_profile_summary *summary)
{
    struct kp_table_column used[COLUMN_COUNT];
    size_t used_count = 0;
    for (size_t i = 0; i < COLUMN_COUNT; i++)
        if (by_thread || i != THREAD_COLUMN)
            used[used_count++] = columns[i];
    struct kp_table *table = kp_table_create(used);
    for (size_t i = 0; i < shown; i++)
        add_line(table, &lines[i], summary);
    putchar('\n');
    kp_table_print(table, stdout, kp_terminal_columns(stdout), kp_color_wanted(color, stdout));
    if (shown < count)
        printf("# %zu more\n", count - shown);
    kp_table_destroy(table);
}

/* --- JSON --- */

static void json_times(struct kp_json *json, const char *key, const struct kp_profile_row *row, bool net)
{
    struct kp_profile_times times = kp_profile_times(row, net);
    kp_json_begin_object(json, key);
    kp_json_number(json, "total_ns", times.total_ns);
    kp_json_number(json, "self_ns", times.self_ns);
    kp_json_number(json, "mean_ns", times.mean_ns);
    kp_json_number(json, "min_ns", times.min_ns);
    kp_json_number(json, "max_ns", times.max_ns);
    kp_json_end_object(json);
}

static void json_line(struct kp_json *json, const struct line *line, const struct kp_profile_summary *summary)
{
    const struct kp_profile_row *row = line->row;
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "name", row->symbol->name);
    kp_json_string(json, "file", row->symbol->file);
    kp_json_number(json, "line", row->symbol->line);
    if (row->thread) {
        kp_json_number(json, "pid", row->thread->process->pid);
        kp_json_number(json, "tid", row->thread->tid);
        kp_json_string(json, "thread", row->thread->name);
    }
    kp_json_number(json, "calls", row->calls);
    kp_json_real(json, "share_percent", share_of(line, summary), 3);
    json_times(json, "raw", row, false);
    json_times(json, "compensated", row, true);
    kp_json_number(json, "suspensions", row->suspensions);
    kp_json_begin_object(json, "endings");
    for (int i = 0; i < KP_ENDING_COUNT; i++)
        kp_json_number(json, kp_ending_text(i), row->endings[i]);
    kp_json_end_object(json);
    kp_json_end_object(json);
}

static void print_json(const struct line *lines, size_t shown, const struct kp_profile_summary *summary,
                       const struct kp_heading *heading, const struct kp_session *session)
{
    struct kp_json json;
    kp_json_init(&json, stdout, 2);
    kp_json_begin_object(&json, NULL);
    kp_heading_json(heading, session, &json);
    kp_json_begin_array(&json, "functions");
    for (size_t i = 0; i < shown; i++)
        json_line(&json, &lines[i], summary);
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

static void print_profile(struct kp_profile *profile, const struct kp_session *session)
{
    struct kp_profile_summary summary = kp_profile_summary(profile);
    struct kp_heading heading = {.calls = summary.calls,
                                 .calls_lost = summary.calls_lost,
                                 .events_lost = summary.events_lost,
                                 .gaps = summary.gaps,
                                 .traced_ns = summary.self_ns,
                                 .probe_ns = summary.probe_ns,
                                 .compensated = compensated};
    size_t count;
    struct line *lines = select_lines(profile, &count);
    size_t shown = limit && limit < count ? (size_t)limit : count;
    if (as_json) {
        print_json(lines, shown, &summary, &heading, session);
    } else {
        kp_heading_print(&heading, session, stdout, kp_color_wanted(color, stdout));
        print_text(lines, shown, count, &summary);
    }
    free(lines);
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    struct kp_item item;
    const char *position, *wrong = filter ? kp_glob_check(filter, &position) : NULL;
    if (wrong)
        return kp_usage_error(command, "--filter %s: at character %td: %s", filter, position - filter + 1,
                              wrong);
    int status = kp_session_open(&session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, true, !no_demangle);
    struct kp_profile *profile = kp_profile_create(by_thread);
    struct kp_calltree *tree = kp_calltree_create(&kp_profile_ops, profile);
    while (kp_session_next(&session, &item))
        kp_calltree_feed(tree, &item);
    kp_calltree_finish(tree);
    print_profile(profile, &session);
    kp_profile_destroy(profile);
    kp_calltree_destroy(tree);
    return kp_session_close(&session, NULL);
}

const struct kp_command kp_command_report = {
    .name = "report",
    .arguments = "[FILE...]",
    .summary = "where the time went, a line per function",
    .description =
        "Shows for every function its calls, the time in it with everything it called (total), its own time "
        "(self), "
        "its share of all own time, and the mean, least and most time of a call. Of a recursion only the "
        "outermost "
        "call counts in the total; a generator or coroutine is one call and its time is the time it ran.\n\n"
        "The same function of several processes is one line. Without FILE the newest kprobe.*.kpt of the "
        "working "
        "directory is read. What was lost is counted above the table.",
    .options = options,
    .examples = examples,
    .run = run,
};
