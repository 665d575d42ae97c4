/*
 * Collapsed stacks, for flamegraph.pl, inferno and speedscope: a line per path, "a;b;c weight", the weight
 * being own nanoseconds or calls. Written from the merged tree, so memory grows with different paths only.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter.h"
#include "model/tree.h"
#include "util/escape.h"
#include "util/memory.h"

struct export
{
    FILE *file;
    struct kp_export_options options;
    struct kp_tree *tree;
};

static void *create(FILE *file, const struct kp_export_options *options)
{
    struct export *export = kp_allocate_cleared(1, sizeof *export);
    export->file = file;
    export->options = *options;
    export->tree = kp_tree_create(false);
    return export;
}

/* The names from the root to the node of the moment, joined by ';'. */
struct path {
    char *text;
    size_t capacity;
    size_t *ends; /* by depth */
    size_t end_capacity;
};

static void append(struct path *path, const struct kp_tree_node *node)
{
    /* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): a parent came before */
    size_t start = node->depth > 1 ? path->ends[node->depth - 1] : 0;
    char *name = kp_escape(node->symbol->name);
    /* The separator inside a name would make two frames of it. */
    for (char *at = name; (at = strchr(at, ';'));)
        *at = ':';
    size_t length = strlen(name);
    path->text = kp_grow(path->text, &path->capacity, start + length + 2, 1);
    if (start)
        path->text[start++] = ';';
    memcpy(path->text + start, name, length + 1);
    path->ends = kp_grow(path->ends, &path->end_capacity, node->depth, sizeof *path->ends);
    path->ends[node->depth] = start + length;
    free(name);
}

static bool finish(void *user)
{
    struct export *export = user;
    struct path path = {0};
    size_t count;
    struct kp_tree_node **roots = kp_tree_roots(export->tree, &count);
    for (size_t i = 0; i < count; i++)
        for (const struct kp_tree_node *node = kp_tree_next(roots[i], roots[i]); node;
             node = kp_tree_next(roots[i], node)) {
            uint64_t weight = export->options.weight_calls ? node->calls : node->self_ns;
            append(&path, node);
            if (weight)
                fprintf(export->file, "%s %" PRIu64 "\n", path.text, weight);
        }
    free(path.text);
    free(path.ends);
    return true;
}

static void destroy(void *user)
{
    struct export *export = user;
    kp_tree_destroy(export->tree);
    free(export);
}

/* --- the tree's slots, handed its own object --- */

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    kp_tree_ops.thread_begin(((struct export *)user)->tree, thread);
}

static void take_enter(void *user, struct kp_calltree_thread *thread, struct kp_call *call)
{
    kp_tree_ops.enter(((struct export *)user)->tree, thread, call);
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    kp_tree_ops.close(((struct export *)user)->tree, thread, call, end_ns, ending);
}

static void take_suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call,
                         uint64_t time_ns)
{
    kp_tree_ops.suspend(((struct export *)user)->tree, thread, call, time_ns);
}

static void take_resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    kp_tree_ops.resume(((struct export *)user)->tree, thread, call, time_ns);
}

static void end_thread(void *user, struct kp_calltree_thread *thread)
{
    kp_tree_ops.thread_end(((struct export *)user)->tree, thread);
}

static const struct kp_calltree_ops calls = {
    .thread_begin = begin_thread,
    .enter = take_enter,
    .close = take_close,
    .suspend = take_suspend,
    .resume = take_resume,
    .thread_end = end_thread,
};

const struct kp_exporter kp_exporter_collapsed = {
    .name = "collapsed",
    .summary = "collapsed stacks, for flamegraph.pl, inferno and speedscope",
    .calls = &calls,
    .create = create,
    .finish = finish,
    .destroy = destroy,
};
