/*
 * What encoder and decoder both know about the open calls of a thread inside one chunk: which id stands at
 * which depth, and which depth comes next. Both move it by the same rule, so a call's end needs neither id
 * nor depth. Private to encode.c and decode.c.
 */
#ifndef KP_TRACE_STACK_MODEL_H
#define KP_TRACE_STACK_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "event.h"

#define KP_MODEL_DEPTHS 65536u /* deeper calls are coded with explicit ids */

struct kp_stack_model {
    uint32_t depth;     /* that the next enter should have */
    uint32_t low, high; /* ids[low..high) are known */
    uint32_t ids[KP_MODEL_DEPTHS];
};

static inline void kp_model_reset(struct kp_stack_model *model, uint32_t depth)
{
    model->depth = depth;
    model->low = model->high = depth;
}

static inline bool kp_model_opens(unsigned kind)
{
    return kind == KP_EVENT_ENTER || kind == KP_EVENT_RESUME;
}

static inline bool kp_model_closes(unsigned kind)
{
    return kind == KP_EVENT_EXIT || kind == KP_EVENT_UNWIND || kind == KP_EVENT_YIELD;
}

static inline uint32_t kp_model_predict_depth(const struct kp_stack_model *model, unsigned kind)
{
    return kp_model_closes(kind) ? model->depth - (model->depth > 0) : model->depth;
}

/* The id at a depth, 0 when not known in this chunk. */
static inline uint32_t kp_model_id(const struct kp_stack_model *model, uint32_t depth)
{
    return depth >= model->low && depth < model->high ? model->ids[depth] : 0;
}

static inline void kp_model_step(struct kp_stack_model *model, unsigned kind, uint32_t depth, uint32_t id)
{
    if (kp_model_closes(kind)) {
        model->depth = depth;
        model->high = depth < model->high ? depth : model->high;
        model->low = model->low < model->high ? model->low : model->high;
    } else if (kp_model_opens(kind)) {
        model->depth = depth + 1;
        if (depth >= KP_MODEL_DEPTHS)
            return;
        if (depth < model->low || depth > model->high)
            model->low = depth;
        model->ids[depth] = id;
        model->high = depth + 1;
    }
}

#endif
