#include "encode.h"

void kp_encode_begin(struct kp_encoder *encoder, uint32_t thread, uint64_t first_slot, unsigned shift)
{
    encoder->thread = thread;
    encoder->first_slot = first_slot;
    encoder->shift = shift;
    encoder->slots = encoder->events = 0;
    encoder->base_time = encoder->time = encoder->token = 0;
    encoder->base_depth = 0;
    encoder->end[KP_COLUMN_TAGS] = encoder->tags;
    encoder->end[KP_COLUMN_IDS] = encoder->ids;
    encoder->end[KP_COLUMN_TIMES] = encoder->times;
    encoder->end[KP_COLUMN_EXTRAS] = encoder->extras;
}

static void set_base(struct kp_encoder *encoder, const struct kp_slot *slot)
{
    unsigned kind = KP_SLOT_KIND(slot->kind_depth);
    uint32_t depth = KP_SLOT_DEPTH(slot->kind_depth);

    encoder->base_time = encoder->time = slot->time >> encoder->shift;
    encoder->base_depth = depth + (kp_model_closes(kind) ? 1 : 0);
    kp_model_reset(&encoder->model, encoder->base_depth);
}

static uint8_t put_time(struct kp_encoder *encoder, uint64_t time)
{
    uint64_t now = time >> encoder->shift;
    uint8_t tag = 0;
    uint64_t delta = now - encoder->time;

    if (now < encoder->time) {
        tag = KP_TAG_BACKWARD;
        delta = encoder->time - now;
    }
    encoder->time = now;
    encoder->end[KP_COLUMN_TIMES] = kp_varint_put(encoder->end[KP_COLUMN_TIMES], delta);
    return tag;
}

static uint8_t put_depth(struct kp_encoder *encoder, unsigned kind, uint32_t depth)
{
    if (depth == kp_model_predict_depth(&encoder->model, kind))
        return 0;
    encoder->end[KP_COLUMN_EXTRAS] = kp_varint_put(encoder->end[KP_COLUMN_EXTRAS], depth);
    return KP_TAG_DEPTH;
}

static uint8_t put_id(struct kp_encoder *encoder, unsigned kind, uint32_t depth, uint32_t id)
{
    uint8_t tag = 0;

    if (kp_model_closes(kind)) {
        if (id == kp_model_id(&encoder->model, depth))
            return 0;
        tag = KP_TAG_ID;
    }
    encoder->end[KP_COLUMN_IDS] = kp_varint_put(encoder->end[KP_COLUMN_IDS], id);
    return tag;
}

static void put_payload(struct kp_encoder *encoder, unsigned kind, const struct kp_slot *payload)
{
    uint8_t *p = encoder->end[KP_COLUMN_EXTRAS];

    if (kind == KP_EVENT_YIELD || kind == KP_EVENT_RESUME) {
        p = kp_varint_put(p, kp_zigzag((int64_t)(payload->value - encoder->token)));
        encoder->token = payload->value;
    } else {
        p = kp_varint_put(p, payload->value);
    }
    encoder->end[KP_COLUMN_EXTRAS] = kp_varint_put(p, payload->value2);
}

static void put_event(struct kp_encoder *encoder, const struct kp_slot *slot, unsigned kind)
{
    uint32_t depth = KP_SLOT_DEPTH(slot->kind_depth);
    uint8_t tag = (uint8_t)kind;

    if (encoder->events == 0)
        set_base(encoder, slot);
    tag |= put_time(encoder, slot->time);
    tag |= put_depth(encoder, kind, depth);
    tag |= put_id(encoder, kind, depth, slot->id);
    *encoder->end[KP_COLUMN_TAGS]++ = tag;
    kp_model_step(&encoder->model, kind, depth, slot->id);
    encoder->events++;
}

size_t kp_encode_slots(struct kp_encoder *encoder, const struct kp_slot *slots, size_t count)
{
    size_t room = KP_ENCODE_SLOTS_MAX - (size_t)encoder->slots;
    size_t limit = count < room ? count : room;
    size_t i = 0;

    while (i < limit) {
        unsigned kind = KP_SLOT_KIND(slots[i].kind_depth);
        unsigned size = kp_event_kind_slots(kind);

        if (size == 0) {
            i++;
            continue;
        }
        if (i + size > limit)
            break;
        put_event(encoder, &slots[i], kind);
        if (size == 2)
            put_payload(encoder, kind, &slots[i + 1]);
        i += size;
    }
    encoder->slots += i;
    return i;
}

uint8_t *kp_encode_head(const struct kp_encoder *encoder, uint8_t *p)
{
    p = kp_varint_put(p, encoder->thread);
    p = kp_varint_put(p, encoder->first_slot);
    p = kp_varint_put(p, encoder->slots);
    p = kp_varint_put(p, encoder->events);
    *p++ = (uint8_t)encoder->shift;
    p = kp_varint_put(p, encoder->base_time);
    return kp_varint_put(p, encoder->base_depth);
}
