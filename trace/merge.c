#include "merge.h"

#include <stdlib.h>

/* Equal times: by process, then by thread, so that the order is the same each time. */
static bool first_of_equals(const struct kp_model_thread *a, const struct kp_model_thread *b)
{
    if (a->model != b->model)
        return a->model->process.index < b->model->process.index;
    return a->public.number < b->public.number;
}

static bool before(const struct kp_model_thread *a, const struct kp_model_thread *b)
{
    return a->head_ns != b->head_ns ? a->head_ns < b->head_ns : first_of_equals(a, b);
}

static void swap(struct kp_merge *merge, size_t a, size_t b)
{
    struct kp_model_thread *thread = merge->threads[a];

    merge->threads[a] = merge->threads[b];
    merge->threads[b] = thread;
}

enum kp_status kp_merge_add(struct kp_merge *merge, struct kp_model_thread *thread)
{
    size_t i = merge->count;

    if (merge->count == merge->room) {
        size_t room = merge->room ? merge->room * 2 : 64;
        struct kp_model_thread **grown = realloc(merge->threads, room * sizeof(*grown));

        if (!grown)
            return KP_ERROR_NO_MEMORY;
        merge->threads = grown;
        merge->room = room;
    }
    merge->threads[merge->count++] = thread;
    for (; i > 0 && before(thread, merge->threads[(i - 1) / 2]); i = (i - 1) / 2)
        swap(merge, i, (i - 1) / 2);
    return KP_OK;
}

struct kp_model_thread *kp_merge_first(const struct kp_merge *merge, uint64_t *limit)
{
    const struct kp_model_thread *second = NULL;

    *limit = UINT64_MAX;
    if (merge->count == 0)
        return NULL;
    for (size_t i = 1; i <= 2 && i < merge->count; i++)
        if (!second || before(merge->threads[i], second))
            second = merge->threads[i];
    if (second)
        *limit = second->head_ns -
                 (merge->threads[0]->head_ns < second->head_ns && first_of_equals(second, merge->threads[0]));
    return merge->threads[0];
}

void kp_merge_moved(struct kp_merge *merge)
{
    size_t i = 0;

    for (;;) {
        size_t first = i;

        for (size_t child = 2 * i + 1; child <= 2 * i + 2 && child < merge->count; child++)
            if (before(merge->threads[child], merge->threads[first]))
                first = child;
        if (first == i)
            return;
        swap(merge, i, first);
        i = first;
    }
}

void kp_merge_remove(struct kp_merge *merge)
{
    merge->threads[0] = merge->threads[--merge->count];
    kp_merge_moved(merge);
}

void kp_merge_free(struct kp_merge *merge)
{
    free(merge->threads);
    *merge = (struct kp_merge){0};
}
