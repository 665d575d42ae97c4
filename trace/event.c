#include "event.h"

#include <stddef.h>

static const struct {
    const char *text;
    uint8_t slots;
} kinds[KP_EVENT_KIND_LIMIT] = {
#define KP_EVENT(number, name, text, slots, meaning) [number] = {text, slots},
#include "event.def"
#undef KP_EVENT
};

const char *kp_event_kind_text(unsigned kind)
{
    return kind < KP_EVENT_KIND_LIMIT ? kinds[kind].text : NULL;
}

unsigned kp_event_kind_slots(unsigned kind)
{
    return kind < KP_EVENT_KIND_LIMIT ? kinds[kind].slots : 0;
}
