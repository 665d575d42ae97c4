/*
 * Merged call tree: one node per path of calls, over all processes and threads, or per thread. A sink of the
 * call tree. A generator's time lies under whoever resumed it, its call under whoever made it.
 * Memory grows with the number of different paths.
 */
#ifndef KP_COLLECTOR_MODEL_TREE_H
#define KP_COLLECTOR_MODEL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "calltree.h"
#include "symbols.h"

struct kp_tree_node {
    const struct kp_symbol *symbol;                                /* NULL: a root */
    const struct kp_thread *thread;                                /* of a root by thread */
    struct kp_tree_node *parent, *first_child, *last_child, *next; /* children in order of appearance */
    uint64_t calls;
    uint64_t total_ns; /* of a root: that of its children */
    uint64_t self_ns;
    uint64_t total_cost, self_cost; /* probe cost, as in profile.h */
    uint64_t unwound;
    uint32_t depth; /* 0 for roots, 1 for what they call */
};

struct kp_tree;

struct kp_tree *kp_tree_create(bool by_thread);
void kp_tree_destroy(struct kp_tree *tree);

/* To be given to kp_calltree_create, with the tree as user. */
extern const struct kp_calltree_ops kp_tree_ops;

/* The roots: one, or one per thread; their totals are complete after this call. Valid as long as the tree. */
struct kp_tree_node **kp_tree_roots(struct kp_tree *tree, size_t *count);

/* Puts the children of every node in order of falling total. */
void kp_tree_sort(struct kp_tree *tree);

/* The node after `node` in depth-first order below `root`, NULL at the end. */
struct kp_tree_node *kp_tree_next(const struct kp_tree_node *root, const struct kp_tree_node *node);

/* The same, but skipping what is below `node`. */
struct kp_tree_node *kp_tree_skip(const struct kp_tree_node *root, const struct kp_tree_node *node);

/* Losses seen by the tree. */
struct kp_tree_losses {
    uint64_t calls, events, gaps;
} kp_tree_losses(const struct kp_tree *tree);

#endif
