#include "values.h"

#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

enum { EVENT_BYTES = 16, TEXT_HEAD = 3, MOST_EVENTS = 1024 };

static const char *const registers[KP_VALUES_TEXT][2] = {
    [KP_VALUES_RDI_RSI] = {"rdi", "rsi"},
    [KP_VALUES_RDX_RCX] = {"rdx", "rcx"},
    [KP_VALUES_R8_R9] = {"r8", "r9"},
    [KP_VALUES_XMM0_XMM1] = {"xmm0", "xmm1"},
    [KP_VALUES_XMM2_XMM3] = {"xmm2", "xmm3"},
    [KP_VALUES_XMM4_XMM5] = {"xmm4", "xmm5"},
    [KP_VALUES_XMM6_XMM7] = {"xmm6", "xmm7"},
    [KP_VALUES_RAX_RDX] = {"rax", "rdx"},
    [KP_VALUES_XMM0_XMM1_RESULT] = {"xmm0", "xmm1"},
    [KP_VALUES_ST0] = {"st0", "st0_high"},
};

const char *kp_values_register(unsigned id, unsigned index)
{
    return id < KP_VALUES_TEXT ? registers[id][index] : NULL;
}

/* Events come in order: one that is out of it belongs to a stretch that was lost. */
static void take_text(struct kp_call_values *values, const struct kp_event *event)
{
    size_t number = event->id - KP_VALUES_TEXT;
    if (number != values->text_count / EVENT_BYTES || number >= MOST_EVENTS)
        return;
    values->text = kp_grow(values->text, &values->text_capacity, values->text_count + EVENT_BYTES - 1, 1);
    memcpy(values->text + values->text_count, &event->value, sizeof event->value);
    memcpy(values->text + values->text_count + sizeof event->value, &event->value2, sizeof event->value2);
    values->text_count += EVENT_BYTES;
}

void kp_values_take(struct kp_call_values *values, const struct kp_event *event)
{
    if (event->id >= KP_VALUES_TEXT) {
        take_text(values, event);
        return;
    }
    values->present |= 1u << event->id;
    values->words[event->id][0] = event->value;
    values->words[event->id][1] = event->value2;
}

void kp_values_fini(struct kp_call_values *values)
{
    free(values->text);
    *values = (struct kp_call_values){0};
}

bool kp_values_result(const struct kp_call_values *values, unsigned id, unsigned index, uint64_t *word)
{
    if (id >= KP_VALUES_TEXT || index > 1 || !(values->present & 1u << id))
        return false;
    *word = values->words[id][index];
    return true;
}

bool kp_values_integer(const struct kp_call_values *values, unsigned index, uint64_t *word)
{
    return index < 6 && kp_values_result(values, KP_VALUES_RDI_RSI + index / 2, index % 2, word);
}

bool kp_values_vector(const struct kp_call_values *values, unsigned index, uint64_t *word)
{
    return index < 8 && kp_values_result(values, KP_VALUES_XMM0_XMM1 + index / 2, index % 2, word);
}

/* Zeros fill the last event: an empty string of argument 0 is one only where the stream begins. */
bool kp_values_string(const struct kp_call_values *values, unsigned argument, const uint8_t **bytes,
                      size_t *count)
{
    for (size_t at = 0; at + TEXT_HEAD <= values->text_count; at += TEXT_HEAD + *count) {
        const uint8_t *head = values->text + at;
        *count = head[1] | (size_t)head[2] << 8;
        *bytes = head + TEXT_HEAD;
        if (*count > values->text_count - at - TEXT_HEAD)
            return false;
        if (head[0] == argument)
            return *count || argument || at == 0;
    }
    return false;
}
