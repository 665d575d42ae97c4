/* kprobe tree: the merged call tree, a line per path. */
#include <inttypes.h>
#include <stdlib.h>

#include "command.h"
#include "session.h"
#include "model/calltree.h"
#include "model/probe_cost.h"
#include "model/tree.h"
#include "report/heading.h"
#include "report/table.h"
#include "util/color.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/memory.h"

static bool by_thread, compensated, as_json, no_demangle;
static const char *min_share, *color = "auto";
static unsigned long long depth_limit;

static const struct kp_option_row options[] = {
    {'m', "min-share", KP_ARGUMENT_STRING, "PERCENT",
     "leave out paths with less of the whole time (default 0.1)", NULL, &min_share},
    {'d', "depth", KP_ARGUMENT_NUMBER, "N", "at most N levels (0: all)", NULL, &depth_limit},
    {0, "by-thread", KP_ARGUMENT_NONE, NULL, "a tree per thread", NULL, &by_thread},
    {'c', "compensated", KP_ARGUMENT_NONE, NULL, "times without the probes' own calibrated cost", NULL,
     &compensated},
    {0, "json", KP_ARGUMENT_NONE, NULL, "JSON: the nodes as a list, each with the index of its parent", NULL,
     &as_json},
    KP_OPTION_NO_DEMANGLE(no_demangle),
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe tree kprobe.4711.kpt", "who called whom, with times"},
    {"kprobe tree --min-share 2 --depth 8", "the big branches of the newest trace here"},
    {NULL, NULL},
};

struct view {
    double least_percent;
    uint64_t whole_ns; /* of all roots */
};

static uint64_t total_of(const struct kp_tree_node *node)
{
    return compensated ? kp_probe_cost_subtract(node->total_ns, node->total_cost) : node->total_ns;
}

static uint64_t self_of(const struct kp_tree_node *node)
{
    return compensated ? kp_probe_cost_subtract(node->self_ns, node->self_cost) : node->self_ns;
}

static double percent_of(const struct view *view, const struct kp_tree_node *node)
{
    return view->whole_ns ? 100.0 * (double)total_of(node) / (double)view->whole_ns : 0;
}

static bool is_shown(const struct view *view, const struct kp_tree_node *node)
{
    if (depth_limit && node->depth > depth_limit)
        return false;
    /* Without a clock there is no share to go by. */
    return !view->whole_ns || percent_of(view, node) >= view->least_percent;
}

static const struct kp_tree_node *step(const struct view *view, const struct kp_tree_node *root,
                                       const struct kp_tree_node *node)
{
    const struct kp_tree_node *next = kp_tree_next(root, node);
    while (next && !is_shown(view, next))
        next = kp_tree_skip(root, next);
    return next;
}

/* --- text --- */

enum { INDENT = 2, DEEPEST_INDENT = 60 };

static void print_name(const struct kp_tree_node *node, unsigned width, bool paint)
{
    char *name = kp_escape(node->symbol->name),
         *location = kp_heading_location(node->symbol->file, node->symbol->line);
    unsigned indent = (node->depth - 1) * INDENT;
    /* Deep recursion would only push blanks over the edge. */
    if (indent > DEEPEST_INDENT)
        indent = printf("%*s[%" PRIu32 "] ", DEEPEST_INDENT, "", node->depth) > 0 ? DEEPEST_INDENT : 0;
    else
        printf("%*s", (int)indent, "");
    size_t room = width > indent + 30 ? width - indent : 30;
    char *shown = width ? kp_cut_middle(name, room) : kp_copy_text(name);
    size_t left = room - (width ? kp_utf8_columns(shown) : 0);
    printf("%s%s%s", kp_color_on(paint, KP_COLOR_CYAN), shown, kp_color_off(paint, KP_COLOR_CYAN));
    if (*location && (!width || left > 12)) {
        char *place = width ? kp_cut_middle(location, left - 2) : kp_copy_text(location);
        printf("  %s%s%s", kp_color_on(paint, KP_COLOR_DIM), place, kp_color_off(paint, KP_COLOR_DIM));
        free(place);
    }
    putchar('\n');
    free(shown);
    free(name);
    free(location);
}

static void print_node(const struct view *view, const struct kp_tree_node *node, unsigned width, bool paint)
{
    char total[KP_FORMAT_BYTES] = "-", self[KP_FORMAT_BYTES] = "-", calls[KP_FORMAT_BYTES];
    if (view->whole_ns) {
        kp_format_duration(total, total_of(node));
        kp_format_duration(self, self_of(node));
    }
    printf("%s%10s%s %10s  %5.1f %% %11s  ", kp_color_on(paint, KP_COLOR_YELLOW), total,
           kp_color_off(paint, KP_COLOR_YELLOW), self, percent_of(view, node),
           kp_format_count(calls, node->calls));
    print_name(node, width > 44 ? width - 44 : width ? 1 : 0, paint);
}

static void print_root(const struct view *view, const struct kp_tree_node *root, bool paint)
{
    unsigned width = kp_terminal_columns(stdout);
    if (root->thread) {
        char *name = kp_escape(root->thread->name);
        printf("\n%s# thread %" PRIu32 "/%" PRIu32 " %s%s\n", kp_color_on(paint, KP_COLOR_BLUE),
               root->thread->process->pid, root->thread->tid, name, kp_color_off(paint, KP_COLOR_BLUE));
        free(name);
    }
    for (const struct kp_tree_node *node = step(view, root, root); node; node = step(view, root, node))
        print_node(view, node, width, paint);
}

static void print_text(const struct view *view, struct kp_tree_node **roots, size_t count)
{
    bool paint = kp_color_wanted(color, stdout);
    printf("\n%s%10s %10s  %7s %11s  %s%s\n", kp_color_on(paint, KP_COLOR_BOLD), "total", "self", "share",
           "calls", "function", kp_color_off(paint, KP_COLOR_BOLD));
    for (size_t i = 0; i < count; i++)
        print_root(view, roots[i], paint);
}

/* --- JSON --- */

static void json_node(struct kp_json *json, const struct view *view, const struct kp_tree_node *node)
{
    kp_json_begin_object(json, NULL);
    kp_json_number(json, "depth", node->depth);
    if (node->symbol) {
        kp_json_string(json, "name", node->symbol->name);
        kp_json_string(json, "file", node->symbol->file);
        kp_json_number(json, "line", node->symbol->line);
    } else if (node->thread) {
        kp_json_number(json, "pid", node->thread->process->pid);
        kp_json_number(json, "tid", node->thread->tid);
        kp_json_string(json, "thread", node->thread->name);
    }
    kp_json_number(json, "calls", node->calls);
    kp_json_number(json, "total_ns", total_of(node));
    kp_json_number(json, "self_ns", self_of(node));
    kp_json_real(json, "share_percent", percent_of(view, node), 3);
    kp_json_number(json, "unwound", node->unwound);
}

/*
 * Depth first; a list, because a nested document of a deep recursion cannot be read by most JSON parsers.
 * `path` holds the indexes of the nodes from the root to the last one written.
 */
static void json_root(struct kp_json *json, const struct view *view, const struct kp_tree_node *root,
                      size_t *next)
{
    size_t *path = NULL, capacity = 0;
    for (const struct kp_tree_node *node = root; node; node = step(view, root, node)) {
        path = kp_grow(path, &capacity, node->depth, sizeof *path);
        path[node->depth] = *next;
        json_node(json, view, node);
        kp_json_number(json, "index", (*next)++);
        if (node->depth)
            kp_json_number(json, "parent", path[node->depth - 1]);
        else
            kp_json_null(json, "parent");
        kp_json_end_object(json);
    }
    free(path);
}

static void print_json(const struct view *view, struct kp_tree_node **roots, size_t count,
                       const struct kp_heading *heading, const struct kp_session *session)
{
    struct kp_json json;
    size_t next = 0;
    kp_json_init(&json, stdout, 2);
    kp_json_begin_object(&json, NULL);
    kp_heading_json(heading, session, &json);
    kp_json_begin_array(&json, "nodes");
    for (size_t i = 0; i < count; i++)
        json_root(&json, view, roots[i], &next);
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

static void print_tree(struct kp_tree *tree, const struct kp_session *session, double least_percent)
{
    size_t count;
    struct view view = {.least_percent = least_percent};
    struct kp_tree_losses losses = kp_tree_losses(tree);
    struct kp_heading heading = {.calls = kp_session_calls(session),
                                 .calls_lost = losses.calls,
                                 .events_lost = losses.events,
                                 .gaps = losses.gaps,
                                 .compensated = compensated};
    kp_tree_sort(tree);
    struct kp_tree_node **roots = kp_tree_roots(tree, &count);
    for (size_t i = 0; i < count; i++) {
        view.whole_ns += total_of(roots[i]);
        heading.traced_ns += roots[i]->total_ns;
        heading.probe_ns += roots[i]->total_cost >> KP_COST_SHIFT;
    }
    if (as_json) {
        print_json(&view, roots, count, &heading, session);
        return;
    }
    kp_heading_print(&heading, session, stdout, kp_color_wanted(color, stdout));
    print_text(&view, roots, count);
}

static bool parse_percent(const char *text, double *percent)
{
    char *end;
    *percent = strtod(text, &end);
    return end != text && *end == '\0' && *percent >= 0 && *percent <= 100;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    struct kp_item item;
    double least_percent = as_json ? 0 : 0.1;
    if (min_share && !parse_percent(min_share, &least_percent))
        return kp_usage_error(command, "--min-share %s: a number from 0 to 100 is allowed", min_share);
    int status = kp_session_open(&session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, true, !no_demangle);
    struct kp_tree *tree = kp_tree_create(by_thread);
    struct kp_calltree *calls = kp_calltree_create(&kp_tree_ops, tree);
    while (kp_session_next(&session, &item))
        kp_calltree_feed(calls, &item);
    kp_calltree_finish(calls);
    print_tree(tree, &session, least_percent);
    kp_tree_destroy(tree);
    kp_calltree_destroy(calls);
    return kp_session_close(&session, NULL);
}

const struct kp_command kp_command_tree = {
    .name = "tree",
    .arguments = "[FILE...]",
    .summary = "the merged call tree: who called whom, with times",
    .description = "Merges all calls with the same path from the bottom of the stack into one line: time "
                   "with everything "
                   "below it (total), own time (self), share of the whole time, calls. The time of a "
                   "generator or coroutine "
                   "lies under whoever resumed it. Branches below --min-share are left out.",
    .options = options,
    .examples = examples,
    .run = run,
};
