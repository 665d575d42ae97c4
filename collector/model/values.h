/* Raw values of one call, gathered from its VALUES events. */
#ifndef KP_COLLECTOR_MODEL_VALUES_H
#define KP_COLLECTOR_MODEL_VALUES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/event.h"

struct kp_call_values {
    unsigned present;                  /* a bit for each id below KP_VALUES_TEXT */
    uint64_t words[KP_VALUES_TEXT][2]; /* by id */
    uint8_t *text;                     /* the stream of copied strings */
    size_t text_count, text_capacity;
};

/* Adds one event; `values` starts zeroed. */
void kp_values_take(struct kp_call_values *values, const struct kp_event *event);
void kp_values_fini(struct kp_call_values *values);

/* Number `index` of a kind of registers; false when it was not recorded. */
bool kp_values_integer(const struct kp_call_values *values, unsigned index, uint64_t *word);
bool kp_values_vector(const struct kp_call_values *values, unsigned index, uint64_t *word);
bool kp_values_result(const struct kp_call_values *values, unsigned id, unsigned index, uint64_t *word);

/* The string copied for argument number `argument`; false when there is none. */
bool kp_values_string(const struct kp_call_values *values, unsigned argument, const uint8_t **bytes,
                      size_t *count);

/* The names of the two words of an id: "rdi", "rsi"; NULL beyond them. */
const char *kp_values_register(unsigned id, unsigned index);

#endif
