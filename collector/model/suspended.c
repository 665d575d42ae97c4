#include "suspended.h"

#include <stdlib.h>

#include "util/memory.h"

void kp_suspended_put(struct kp_suspended *table, const struct kp_call *call)
{
    struct kp_call *copy = table->spare;
    if (copy)
        table->spare = copy->user;
    else
        copy = kp_allocate(sizeof *copy);
    *copy = *call;
    if (!kp_key_map_put(&table->calls, copy->token, copy))
        kp_no_memory();
}

struct kp_call *kp_suspended_take(struct kp_suspended *table, uint64_t token)
{
    return kp_key_map_take(&table->calls, token);
}

struct kp_call *kp_suspended_take_any(struct kp_suspended *table)
{
    const struct kp_call *call = kp_key_map_any(&table->calls, &table->any);
    return call ? kp_key_map_take(&table->calls, call->token) : NULL;
}

void kp_suspended_release(struct kp_suspended *table, struct kp_call *call)
{
    call->user = table->spare;
    table->spare = call;
}

void kp_suspended_fini(struct kp_suspended *table)
{
    for (struct kp_call *call; (call = kp_suspended_take_any(table));)
        free(call);
    kp_key_map_free(&table->calls);
    while (table->spare) {
        struct kp_call *next = table->spare->user;
        free(table->spare);
        table->spare = next;
    }
}
