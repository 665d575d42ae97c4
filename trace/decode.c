#include "decode.h"

#include "encode.h"
#include "varint.h"

enum kp_status kp_decode_head(struct kp_decoder *decoder, const uint8_t **p, const uint8_t *end)
{
    uint64_t thread, base_depth;
    const uint8_t *at = *p;

    if (!(at = kp_varint_get(at, end, &thread)) || !(at = kp_varint_get(at, end, &decoder->first_slot)) ||
        !(at = kp_varint_get(at, end, &decoder->slots)) || !(at = kp_varint_get(at, end, &decoder->events)) ||
        at >= end)
        return KP_ERROR_DAMAGED;
    decoder->shift = *at++;
    if (!(at = kp_varint_get(at, end, &decoder->time)) || !(at = kp_varint_get(at, end, &base_depth)))
        return KP_ERROR_DAMAGED;
    if (thread > UINT32_MAX || base_depth > KP_DEPTH_MAX || decoder->shift > 31 ||
        decoder->events > decoder->slots || decoder->slots > KP_ENCODE_SLOTS_MAX)
        return KP_ERROR_DAMAGED;
    decoder->thread = (uint32_t)thread;
    decoder->base_depth = (uint32_t)base_depth;
    decoder->token = 0;
    decoder->left = decoder->events;
    kp_model_reset(&decoder->model, decoder->base_depth);
    *p = at;
    return KP_OK;
}

void kp_decode_column(struct kp_decoder *decoder, enum kp_column column, const uint8_t *data, size_t bytes)
{
    decoder->at[column] = data;
    decoder->end[column] = data + bytes;
}

static inline bool get(struct kp_decoder *decoder, enum kp_column column, uint64_t *value)
{
    const uint8_t *at = decoder->at[column];

    if (at < decoder->end[column] && *at < 0x80) {
        *value = *at;
        decoder->at[column]++;
        return true;
    }
    at = kp_varint_get(at, decoder->end[column], value);
    if (!at)
        return false;
    decoder->at[column] = at;
    return true;
}

static inline bool get_time(struct kp_decoder *decoder, uint8_t tag, struct kp_event *event)
{
    uint64_t delta;

    if (!get(decoder, KP_COLUMN_TIMES, &delta))
        return false;
    decoder->time = tag & KP_TAG_BACKWARD ? decoder->time - delta : decoder->time + delta;
    event->time = decoder->time << decoder->shift;
    return true;
}

static inline bool get_depth(struct kp_decoder *decoder, uint8_t tag, struct kp_event *event)
{
    uint64_t depth;

    if (!(tag & KP_TAG_DEPTH)) {
        event->depth = kp_model_predict_depth(&decoder->model, event->kind);
        return true;
    }
    if (!get(decoder, KP_COLUMN_EXTRAS, &depth) || depth > KP_DEPTH_MAX)
        return false;
    event->depth = (uint32_t)depth;
    return true;
}

static inline bool get_id(struct kp_decoder *decoder, uint8_t tag, struct kp_event *event)
{
    uint64_t id;

    if (kp_model_closes(event->kind) && !(tag & KP_TAG_ID)) {
        event->id = kp_model_id(&decoder->model, event->depth);
        return true;
    }
    if (!get(decoder, KP_COLUMN_IDS, &id) || id > UINT32_MAX)
        return false;
    event->id = (uint32_t)id;
    return true;
}

static bool get_payload(struct kp_decoder *decoder, struct kp_event *event)
{
    if (!get(decoder, KP_COLUMN_EXTRAS, &event->value) || !get(decoder, KP_COLUMN_EXTRAS, &event->value2))
        return false;
    if (event->kind == KP_EVENT_YIELD || event->kind == KP_EVENT_RESUME) {
        event->value = decoder->token + (uint64_t)kp_unzigzag(event->value);
        decoder->token = event->value;
    }
    return true;
}

static inline bool get_event(struct kp_decoder *decoder, struct kp_event *event)
{
    uint8_t tag;
    unsigned slots;

    if (decoder->at[KP_COLUMN_TAGS] >= decoder->end[KP_COLUMN_TAGS])
        return false;
    tag = *decoder->at[KP_COLUMN_TAGS]++;
    event->kind = tag & 15;
    event->value = event->value2 = 0;
    slots = kp_event_kind_slots(event->kind);
    if (!get_time(decoder, tag, event) || !get_depth(decoder, tag, event) || !get_id(decoder, tag, event))
        return false;
    kp_model_step(&decoder->model, event->kind, event->depth, event->id);
    return slots != 2 || get_payload(decoder, event);
}

enum kp_status kp_decode_events(struct kp_decoder *decoder, struct kp_event *events, size_t room,
                                size_t *count)
{
    size_t n = decoder->left < room ? (size_t)decoder->left : room;

    *count = 0;
    if (n == 0)
        return KP_END;
    for (size_t i = 0; i < n; i++) {
        if (!get_event(decoder, &events[i])) {
            decoder->left = 0;
            return KP_ERROR_DAMAGED;
        }
        *count = i + 1;
    }
    decoder->left -= n;
    return KP_OK;
}
