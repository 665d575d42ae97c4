#include "tree.h"

#include <stdlib.h>

#include "probe_cost.h"
#include "util/memory.h"

struct thread_state {
    struct kp_tree_node *root;
    struct kp_probe_cost cost;
};

struct kp_tree {
    bool by_thread;
    struct kp_symbols *symbols;
    struct kp_tree_node **slots; /* hash table over (parent, symbol), linear probing */
    size_t capacity;
    struct kp_tree_node **all; /* without roots */
    size_t count, all_capacity;
    struct kp_tree_node **roots;
    size_t root_count, root_capacity;
    struct kp_tree_losses losses;
};

static size_t place(const struct kp_tree *tree, const struct kp_tree_node *parent,
                    const struct kp_symbol *symbol)
{
    uint64_t mixed = ((uint64_t)(uintptr_t)parent >> 4) * UINT64_C(0x9e3779b97f4a7c15) + symbol->hash;
    mixed ^= mixed >> 29;
    return (size_t)(mixed * UINT64_C(0xbf58476d1ce4e5b9) >> 16) & (tree->capacity - 1);
}

static size_t find(const struct kp_tree *tree, const struct kp_tree_node *parent,
                   const struct kp_symbol *symbol)
{
    size_t slot = place(tree, parent, symbol);
    while (tree->slots[slot] && (tree->slots[slot]->parent != parent || tree->slots[slot]->symbol != symbol))
        slot = (slot + 1) & (tree->capacity - 1);
    return slot;
}

static void grow(struct kp_tree *tree)
{
    free(tree->slots);
    tree->capacity = tree->capacity ? 2 * tree->capacity : 1024;
    tree->slots = kp_allocate_cleared(tree->capacity, sizeof *tree->slots);
    for (size_t i = 0; i < tree->count; i++)
        tree->slots[find(tree, tree->all[i]->parent, tree->all[i]->symbol)] = tree->all[i];
}

static struct kp_tree_node *create_node(struct kp_tree *tree, struct kp_tree_node *parent,
                                        const struct kp_symbol *symbol)
{
    struct kp_tree_node *node = kp_allocate_cleared(1, sizeof *node);
    node->symbol = symbol;
    node->parent = parent;
    node->depth = parent->depth + 1;
    if (parent->last_child)
        parent->last_child->next = node;
    else
        parent->first_child = node;
    parent->last_child = node;
    tree->all = kp_grow(tree->all, &tree->all_capacity, tree->count, sizeof *tree->all);
    tree->all[tree->count++] = node;
    return node;
}

static struct kp_tree_node *get_child(struct kp_tree *tree, struct kp_tree_node *parent,
                                      const struct kp_symbol *symbol)
{
    if (2 * (tree->count + 1) > tree->capacity)
        grow(tree);
    size_t slot = find(tree, parent, symbol);
    if (!tree->slots[slot])
        tree->slots[slot] = create_node(tree, parent, symbol);
    return tree->slots[slot];
}

static struct kp_tree_node *create_root(struct kp_tree *tree, const struct kp_thread *thread)
{
    struct kp_tree_node *root = kp_allocate_cleared(1, sizeof *root);
    root->thread = thread;
    tree->roots = kp_grow(tree->roots, &tree->root_capacity, tree->root_count, sizeof *tree->roots);
    return tree->roots[tree->root_count++] = root;
}

static void begin_thread(void *user, struct kp_calltree_thread *thread)
{
    struct kp_tree *tree = user;
    struct thread_state *state = kp_allocate(sizeof *state);
    state->root = tree->by_thread || !tree->root_count
                      ? create_root(tree, tree->by_thread ? thread->thread : NULL)
                      : tree->roots[0];
    state->cost = kp_probe_cost_of(thread->thread->process);
    thread->user = state;
}

static void end_thread(void *user, struct kp_calltree_thread *thread)
{
    (void)user;
    free(thread->user);
    thread->user = NULL;
}

/* The node of the top of the stack, below that of its caller. */
static struct kp_tree_node *locate(struct kp_tree *tree, struct kp_calltree_thread *thread,
                                   struct kp_call *call)
{
    const struct thread_state *state = thread->user;
    struct kp_tree_node *parent = thread->count > 1 ? call[-1].user : state->root;
    return get_child(tree, parent, kp_symbols_get(tree->symbols, call->function));
}

static void take_enter(void *user, struct kp_calltree_thread *thread, struct kp_call *call)
{
    struct kp_tree_node *node = locate(user, thread, call);
    node->calls++;
    call->user = node;
}

static void take_resume(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t time_ns)
{
    (void)time_ns;
    call->user = locate(user, thread, call);
}

static void take_segment(const struct thread_state *state, const struct kp_call *call)
{
    struct kp_tree_node *node = call->user;
    node->total_ns += call->segment_ns;
    node->self_ns += call->segment_self_ns;
    node->total_cost += state->cost.inner + call->segment_pairs * state->cost.pair;
    node->self_cost += state->cost.inner + call->segment_children * state->cost.outer;
}

static void take_suspend(void *user, struct kp_calltree_thread *thread, struct kp_call *call,
                         uint64_t time_ns)
{
    (void)user;
    (void)time_ns;
    take_segment(thread->user, call);
}

static void take_close(void *user, struct kp_calltree_thread *thread, struct kp_call *call, uint64_t end_ns,
                       enum kp_ending ending)
{
    (void)user;
    (void)end_ns;
    if (call->suspended)
        return;
    take_segment(thread->user, call);
    if (ending == KP_ENDING_UNWIND)
        ((struct kp_tree_node *)call->user)->unwound++;
}

static void take_lost(void *user, struct kp_calltree_thread *thread, uint64_t time_ns, uint64_t calls,
                      uint64_t others)
{
    (void)thread;
    (void)time_ns;
    struct kp_tree *tree = user;
    tree->losses.calls += calls;
    tree->losses.events += others;
}

static void take_gap(void *user, struct kp_calltree_thread *thread, uint64_t time_ns)
{
    (void)thread;
    (void)time_ns;
    ((struct kp_tree *)user)->losses.gaps++;
}

const struct kp_calltree_ops kp_tree_ops = {
    .thread_begin = begin_thread,
    .enter = take_enter,
    .close = take_close,
    .suspend = take_suspend,
    .resume = take_resume,
    .lost = take_lost,
    .gap = take_gap,
    .thread_end = end_thread,
};

struct kp_tree *kp_tree_create(bool by_thread)
{
    struct kp_tree *tree = kp_allocate_cleared(1, sizeof *tree);
    tree->by_thread = by_thread;
    tree->symbols = kp_symbols_create();
    return tree;
}

void kp_tree_destroy(struct kp_tree *tree)
{
    for (size_t i = 0; i < tree->count; i++)
        free(tree->all[i]);
    for (size_t i = 0; i < tree->root_count; i++)
        free(tree->roots[i]);
    free(tree->all);
    free(tree->roots);
    free(tree->slots);
    kp_symbols_destroy(tree->symbols);
    free(tree);
}

static void add_up(struct kp_tree_node *root)
{
    root->total_ns = root->total_cost = root->calls = 0;
    for (const struct kp_tree_node *child = root->first_child; child; child = child->next) {
        root->total_ns += child->total_ns;
        root->total_cost += child->total_cost;
        root->calls += child->calls;
    }
}

struct kp_tree_node **kp_tree_roots(struct kp_tree *tree, size_t *count)
{
    for (size_t i = 0; i < tree->root_count; i++)
        add_up(tree->roots[i]);
    *count = tree->root_count;
    return tree->roots;
}

/* Most time first; where there is no time (clock none), most calls; then by name, so that output is stable.
 */
static int compare(const void *left, const void *right)
{
    const struct kp_tree_node *a = *(struct kp_tree_node *const *)left,
                              *b = *(struct kp_tree_node *const *)right;
    if (a->total_ns != b->total_ns)
        return a->total_ns < b->total_ns ? 1 : -1;
    if (a->calls != b->calls)
        return a->calls < b->calls ? 1 : -1;
    return a->symbol->index < b->symbol->index ? -1 : 1;
}

static void sort_children(struct kp_tree_node *node)
{
    size_t count = 0, i = 0;
    for (struct kp_tree_node *child = node->first_child; child; child = child->next)
        count++;
    if (count < 2)
        return;
    struct kp_tree_node **children = kp_allocate(count * sizeof *children);
    for (struct kp_tree_node *child = node->first_child; child; child = child->next)
        children[i++] = child;
    qsort(children, count, sizeof *children, compare);
    for (i = 0; i < count; i++)
        children[i]->next = i + 1 < count ? children[i + 1] : NULL;
    node->first_child = children[0];
    node->last_child = children[count - 1];
    free(children);
}

void kp_tree_sort(struct kp_tree *tree)
{
    for (size_t i = 0; i < tree->root_count; i++)
        sort_children(tree->roots[i]);
    for (size_t i = 0; i < tree->count; i++)
        sort_children(tree->all[i]);
}

struct kp_tree_node *kp_tree_skip(const struct kp_tree_node *root, const struct kp_tree_node *node)
{
    while (node != root && !node->next)
        node = node->parent;
    return node == root ? NULL : node->next;
}

struct kp_tree_node *kp_tree_next(const struct kp_tree_node *root, const struct kp_tree_node *node)
{
    return node->first_child ? node->first_child : kp_tree_skip(root, node);
}

struct kp_tree_losses kp_tree_losses(const struct kp_tree *tree)
{
    return tree->losses;
}
