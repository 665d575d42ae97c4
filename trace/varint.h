/* LEB128 varints: seven bits a byte, low bits first, the top bit says that more follow. At most ten bytes. */
#ifndef KP_TRACE_VARINT_H
#define KP_TRACE_VARINT_H

#include <stdint.h>
#include <string.h>

#define KP_VARINT_MAX 10

static inline uint8_t *kp_varint_put(uint8_t *p, uint64_t value)
{
    while (value >= 0x80) {
        *p++ = (uint8_t)value | 0x80;
        value >>= 7;
    }
    *p++ = (uint8_t)value;
    return p;
}

/* Reads one varint of [p, end); NULL when it is cut off or longer than 64 bits. */
static inline const uint8_t *kp_varint_get(const uint8_t *p, const uint8_t *end, uint64_t *value)
{
    uint64_t result = 0;

    for (unsigned shift = 0; p < end && shift < 70; shift += 7) {
        uint8_t byte = *p++;

        if (shift == 63 && byte > 1)
            return NULL;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            return p;
        }
    }
    return NULL;
}

static inline uint8_t *kp_string_put(uint8_t *p, const char *text, size_t bytes)
{
    p = kp_varint_put(p, bytes);
    memcpy(p, text, bytes);
    return p + bytes;
}

static inline uint64_t kp_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

static inline int64_t kp_unzigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

#endif
