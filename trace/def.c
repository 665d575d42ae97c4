#include "def.h"

#include <stdbool.h>
#include <string.h>

#include "varint.h"

/* Cursor that turns sour once and stays so: fields are read without a test each. */
struct cursor {
    const uint8_t *at, *end;
    bool good;
};

static uint64_t number(struct cursor *c)
{
    uint64_t value = 0;
    const uint8_t *next = c->good ? kp_varint_get(c->at, c->end, &value) : NULL;

    c->good = next != NULL;
    c->at = next ? next : c->at;
    return c->good ? value : 0;
}

static struct kp_text text(struct cursor *c)
{
    uint64_t count = number(c);
    struct kp_text result = {(const char *)c->at, 0};

    if (!c->good || count > (uint64_t)(c->end - c->at)) {
        c->good = false;
        return result;
    }
    result.count = (size_t)count;
    c->at += count;
    return result;
}

static uint8_t *put_text(uint8_t *p, struct kp_text value)
{
    return kp_string_put(p, value.bytes ? value.bytes : "", value.count);
}

static uint8_t *put_fields(uint8_t *p, const struct kp_def *def)
{
    switch (def->type) {
    case KP_DEF_FUNCTION:
        p = kp_varint_put(p, def->function.id);
        p = kp_varint_put(p, def->function.kind);
        p = kp_varint_put(p, def->function.line);
        p = put_text(p, def->function.name);
        p = put_text(p, def->function.file);
        if (def->function.flags == 0)
            return p;
        p = kp_varint_put(p, def->function.flags);
        return kp_varint_put(p, def->function.parameters);
    case KP_DEF_THREAD:
        p = kp_varint_put(p, def->thread.number);
        p = kp_varint_put(p, def->thread.tid);
        p = kp_varint_put(p, def->thread.base_depth);
        p = kp_varint_put(p, def->thread.start_ticks);
        return put_text(p, def->thread.name);
    case KP_DEF_THREAD_END:
        p = kp_varint_put(p, def->thread_end.number);
        p = kp_varint_put(p, def->thread_end.end_ticks);
        p = kp_varint_put(p, def->thread_end.calls_made);
        p = kp_varint_put(p, def->thread_end.calls_lost);
        p = kp_varint_put(p, def->thread_end.events_lost);
        return put_text(p, def->thread_end.name);
    case KP_DEF_META:
        p = put_text(p, def->meta.key);
        return put_text(p, def->meta.value);
    case KP_DEF_OBJECT:
        p = put_text(p, def->object.path);
        return put_text(p, def->object.build_id);
    }
    return p;
}

static void get_fields(struct cursor *c, struct kp_def *def)
{
    switch (def->type) {
    case KP_DEF_FUNCTION:
        def->function.id = (uint32_t)number(c);
        def->function.kind = (uint8_t)number(c);
        def->function.line = (uint32_t)number(c);
        def->function.name = text(c);
        def->function.file = text(c);
        if (c->at == c->end)
            break; /* minor version 1 */
        def->function.flags = (uint32_t)number(c);
        def->function.parameters = (uint32_t)number(c);
        break;
    case KP_DEF_THREAD:
        def->thread.number = (uint32_t)number(c);
        def->thread.tid = (uint32_t)number(c);
        def->thread.base_depth = (uint32_t)number(c);
        def->thread.start_ticks = number(c);
        def->thread.name = text(c);
        break;
    case KP_DEF_THREAD_END:
        def->thread_end.number = (uint32_t)number(c);
        def->thread_end.end_ticks = number(c);
        def->thread_end.calls_made = number(c);
        def->thread_end.calls_lost = number(c);
        def->thread_end.events_lost = number(c);
        def->thread_end.name = text(c);
        break;
    case KP_DEF_META:
        def->meta.key = text(c);
        def->meta.value = text(c);
        break;
    case KP_DEF_OBJECT:
        def->object.path = text(c);
        def->object.build_id = text(c);
        break;
    }
}

size_t kp_def_put(uint8_t *out, const struct kp_def *def)
{
    uint8_t *p = put_fields(out + KP_DEF_HEADER_BYTES, def);
    uint32_t bytes = (uint32_t)(p - out);

    memcpy(out, &bytes, sizeof bytes);
    out[4] = def->type;
    return bytes;
}

enum kp_status kp_def_get(const uint8_t **p, const uint8_t *end, struct kp_def *def)
{
    struct cursor c = {*p + KP_DEF_HEADER_BYTES, NULL, true};
    uint32_t bytes;

    if (*p == end)
        return KP_END;
    if (end - *p < KP_DEF_HEADER_BYTES)
        return KP_ERROR_DAMAGED;
    memcpy(&bytes, *p, sizeof bytes);
    if (bytes < KP_DEF_HEADER_BYTES || bytes > (size_t)(end - *p))
        return KP_ERROR_DAMAGED;
    memset(def, 0, sizeof *def);
    def->type = (*p)[4];
    c.end = *p + bytes;
    get_fields(&c, def);
    *p += bytes;
    return c.good ? KP_OK : KP_ERROR_DAMAGED;
}
