/*
 * The collector's side of kprobe's protocol: any bytes, cut into pieces in any way, give the same chunks;
 * what is handed out is whole, in order, and no more than came in.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/native.h"
#include "trace/chunk.h"

enum { MOST = 1 << 20 };

struct seen {
    struct kp_native native;
    uint64_t hellos, chunks, bytes, hash;
    uint64_t next;
};

static void on_hello(void *user, const struct kp_wire_hello *hello, const char *token)
{
    struct seen *seen = user;
    if (strlen(token) > hello->token_bytes || seen->hellos++)
        abort();
    seen->next = hello->chunks / 2;
    kp_native_answer(&seen->native, seen->next);
}

static bool on_chunks(void *user, const uint8_t *bytes, size_t count, uint32_t chunks,
                      const struct kp_chunk_header *last)
{
    struct seen *seen = user;
    struct kp_chunk_header header;
    uint32_t found = 0;
    for (size_t at = 0; at < count; at += sizeof header + header.payload_bytes, found++) {
        if (count - at < sizeof header)
            abort();
        memcpy(&header, bytes + at, sizeof header);
        if (!kp_chunk_header_valid(&header) || header.payload_bytes > count - at - sizeof header ||
            !kp_chunk_payload_valid(&header, bytes + at + sizeof header) || header.number < seen->next)
            abort();
        seen->next = (uint64_t)header.number + 1;
        seen->hash = seen->hash * 31 + header.payload_check;
    }
    if (found != chunks || seen->next != (uint64_t)last->number + 1)
        abort();
    seen->chunks += chunks;
    seen->bytes += count;
    return true;
}

static const struct kp_native_ops ops = {on_hello, on_chunks};

/* Feeds in pieces of `piece` bytes at most, with what was not taken in front. */
static void feed(struct seen *seen, const uint8_t *data, size_t size, size_t piece)
{
    size_t from = 0, to = 0;
    *seen = (struct seen){0};
    kp_native_init(&seen->native, &ops, seen, MOST);
    while (to < size) {
        to = size - to < piece ? size : to + piece;
        size_t used = 1;
        while (used && from < to && !seen->native.error) {
            /* A copy of its own, so that a look behind the end is seen. */
            uint8_t *copy = malloc(to - from);
            if (!copy)
                abort();
            memcpy(copy, data + from, to - from);
            used = kp_native_feed(&seen->native, copy, to - from);
            free(copy);
            if (used > to - from)
                abort();
            from += used;
        }
    }
    if (seen->bytes > size)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct seen whole, pieces;
    if (!size)
        return 0;
    feed(&whole, data, size, size);
    feed(&pieces, data, size, 1 + data[size - 1] % 97);
    if (whole.chunks != pieces.chunks || whole.hash != pieces.hash ||
        !whole.native.error != !pieces.native.error)
        abort();
    return 0;
}
