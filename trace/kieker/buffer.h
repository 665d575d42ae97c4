/* Bytes that grow. Private to the files of this folder. */
#ifndef KP_TRACE_KIEKER_BUFFER_H
#define KP_TRACE_KIEKER_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct kp_kieker_buffer {
    uint8_t *bytes;
    size_t used, room;
};

static inline bool kp_kieker_buffer_grow(struct kp_kieker_buffer *buffer, size_t more)
{
    size_t room = buffer->room ? buffer->room : 4096;
    uint8_t *grown;

    while (room - buffer->used < more)
        room *= 2;
    grown = realloc(buffer->bytes, room);
    if (!grown)
        return false;
    buffer->bytes = grown;
    buffer->room = room;
    return true;
}

/* Room for `more` bytes behind those used; NULL without memory. */
static inline uint8_t *kp_kieker_buffer_room(struct kp_kieker_buffer *buffer, size_t more)
{
    if (__builtin_expect(buffer->room - buffer->used < more, 0) && !kp_kieker_buffer_grow(buffer, more))
        return NULL;
    return buffer->bytes + buffer->used;
}

static inline bool kp_kieker_buffer_append(struct kp_kieker_buffer *buffer, const void *bytes, size_t count)
{
    uint8_t *room = count ? kp_kieker_buffer_room(buffer, count) : NULL;

    if (room)
        memcpy(room, bytes, count);
    else if (count)
        return false;
    buffer->used += count;
    return true;
}

/* The first `count` bytes have been used. */
static inline void kp_kieker_buffer_drop(struct kp_kieker_buffer *buffer, size_t count)
{
    buffer->used -= count;
    if (buffer->used)
        memmove(buffer->bytes, buffer->bytes + count, buffer->used);
}

#endif
