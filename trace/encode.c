#include "encode.h"

#include <string.h>

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

/* One byte or two, as kp_varint_put; two are stored always, and the count of those that count is returned.
 * Which, no processor could predict. */
static inline uint32_t store_short(uint8_t *p, uint32_t value)
{
    uint32_t more = value > 0x7f;
    uint16_t both = (uint16_t)((value + (value & ~0x7fu)) | more << 7);

    memcpy(p, &both, sizeof both);
    return 1 + more;
}

#define SHORT_BITS 14
_Static_assert((KP_EVENT_ENTER | KP_EVENT_EXIT | KP_EVENT_UNWIND) < 4 && KP_EVENT_YIELD >= 4, "put_calls");

/*
 * Calls that begin and end as predicted, as nearly all do: what put_event makes of them, without a branch
 * that depends on which it is. Returns how many of the slots these are, from the first on.
 *
 * The innermost open call must be the last one known, and stays it. Below the first one known stands no id,
 * so that an end there is none of these.
 */
static size_t put_calls(struct kp_encoder *encoder, const struct kp_slot *slots, size_t count)
{
    struct kp_stack_model *model = &encoder->model;
    const struct kp_slot *slot = slots, *end = slots + count;
    uint8_t *tags = encoder->end[KP_COLUMN_TAGS], *ids = encoder->end[KP_COLUMN_IDS];
    uint8_t *times = encoder->end[KP_COLUMN_TIMES];
    uint64_t time = encoder->time;
    uint32_t depth = model->depth;
    unsigned shift = encoder->shift;

    if (encoder->events == 0 || model->high != depth)
        return 0;
    if (model->low > 0 && model->low <= KP_MODEL_DEPTHS)
        model->ids[model->low - 1] = 0;
    for (; slot < end; slot++) {
        uint32_t kind = KP_SLOT_KIND(slot->kind_depth), at = KP_SLOT_DEPTH(slot->kind_depth), id = slot->id;
        uint32_t closes = kind != KP_EVENT_ENTER, *open = &model->ids[at % KP_MODEL_DEPTHS];
        uint64_t now = slot->time >> shift, delta = now - time; /* huge where time goes backward */
        uint32_t other = (kind | (kind - 1)) >> 2 | ((at + closes) ^ depth) | at / KP_MODEL_DEPTHS |
                         ((*open ^ id) & -closes);

        if (other | (delta | id | (id - 1)) >> SHORT_BITS)
            break;
        time = now;
        times += store_short(times, (uint32_t)delta);
        *tags++ = (uint8_t)kind;
        ids += store_short(ids, id) & (closes - 1);
        *open = id;
        depth = at + 1 - closes;
    }
    encoder->end[KP_COLUMN_TAGS] = tags;
    encoder->end[KP_COLUMN_IDS] = ids;
    encoder->end[KP_COLUMN_TIMES] = times;
    encoder->events += (uint64_t)(slot - slots);
    encoder->time = slot > slots ? slot[-1].time >> shift : encoder->time;
    model->depth = model->high = depth;
    return (size_t)(slot - slots);
}

size_t kp_encode_slots(struct kp_encoder *encoder, const struct kp_slot *slots, size_t count)
{
    size_t room = KP_ENCODE_SLOTS_MAX - (size_t)encoder->slots;
    size_t limit = count < room ? count : room;
    size_t i = 0;

    while ((i += put_calls(encoder, slots + i, limit - i)) < limit) {
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
