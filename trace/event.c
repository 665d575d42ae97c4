#include "event.h"

#include <stddef.h>

static const char *const texts[KP_EVENT_KIND_LIMIT] = {
#define KP_EVENT(number, name, text, slots, meaning) [number] = text,
#include "event.def"
#undef KP_EVENT
};

const char *kp_event_kind_text(unsigned kind)
{
    return kind < KP_EVENT_KIND_LIMIT ? texts[kind] : NULL;
}
