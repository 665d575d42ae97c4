#include "shadow.h"

bool kp_shadow_repair(struct kp_thread_state *t, uint32_t id, uint64_t now)
{
    uint32_t found = t->depth;

    /* Deeper than the shadow reaches: nothing to compare with. */
    if (t->depth > KP_SHADOW_DEPTH) {
        t->depth--;
        return true;
    }
    while (found > 0 && t->shadow[found - 1] != id)
        found--;
    if (found == 0)
        return false;
    while (t->depth > found) {
        t->depth--;
        kp_emit(t, KP_EVENT_UNWIND, t->shadow[t->depth], t->depth, now);
    }
    t->depth--;
    return true;
}
