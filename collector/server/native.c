#include "native.h"

#include <string.h>

#include "trace/chunk.h"
#include "trace/process_text.h"
#include "trace/leftover.h"

void kp_native_init(struct kp_native *native, const struct kp_native_ops *ops, void *user, size_t most_bytes)
{
    *native = (struct kp_native){.ops = ops, .user = user, .most_bytes = most_bytes};
}

struct kp_wire_reply kp_native_reply(enum kp_wire_status status, uint64_t next)
{
    struct kp_wire_reply reply = {.version = KP_WIRE_VERSION, .status = (uint16_t)status, .next_chunk = next};
    memcpy(reply.magic, KP_WIRE_MAGIC, sizeof reply.magic);
    return reply;
}

struct kp_wire_ack kp_native_ack(enum kp_wire_status status, uint64_t next)
{
    return (struct kp_wire_ack){.magic = KP_WIRE_ACK_MAGIC, .status = (uint32_t)status, .next_chunk = next};
}

static size_t refuse(struct kp_native *native, enum kp_wire_status status, const char *error)
{
    native->refusal = status;
    native->error = error;
    return 0;
}

static size_t take_hello(struct kp_native *native, const uint8_t *bytes, size_t count)
{
    struct kp_wire_hello hello;
    char token[KP_WIRE_TOKEN_MAX + 1];
    size_t seen = count < sizeof hello.magic ? count : sizeof hello.magic;

    if (memcmp(bytes, KP_WIRE_MAGIC, seen) != 0)
        return refuse(native, KP_WIRE_DAMAGED, "it began like kprobe's protocol and was something else");
    if (count < sizeof hello)
        return 0;
    memcpy(&hello, bytes, sizeof hello);
    if (hello.version != KP_WIRE_VERSION)
        return refuse(native, KP_WIRE_VERSION_BAD, "it speaks another version of the protocol");
    if (hello.major != KP_FORMAT_MAJOR)
        return refuse(native, KP_WIRE_VERSION_BAD, "it has another major version of the format");
    if (hello.token_bytes > KP_WIRE_TOKEN_MAX)
        return refuse(native, KP_WIRE_DAMAGED, "its token is too long");
    if (count < sizeof hello + hello.token_bytes)
        return 0;
    memcpy(token, bytes + sizeof hello, hello.token_bytes);
    token[hello.token_bytes] = 0;
    memcpy(native->uuid, hello.uuid, sizeof native->uuid);
    native->minor = hello.minor;
    native->made = hello.chunks;
    native->first = hello.first;
    native->phase = KP_NATIVE_WAITING;
    native->ops->hello(native->user, &hello, token);
    return sizeof hello + hello.token_bytes;
}

void kp_native_answer(struct kp_native *native, uint64_t next)
{
    native->next = next;
    native->phase = KP_NATIVE_CHUNKS;
}

/* Chunk 0 says which section this is: it has to be the one of the hello. */
static bool is_own_process(const struct kp_native *native, const struct kp_chunk_header *header,
                           const uint8_t *payload)
{
    char uuid[64], hex[33];
    kp_uuid_hex(hex, native->uuid);
    return header->type == KP_CHUNK_PROCESS &&
           kp_process_text_get((const char *)payload, header->payload_bytes, "uuid", uuid, sizeof uuid) > 0 &&
           !strcmp(uuid, hex);
}

static const char *check_chunk(const struct kp_native *native, const struct kp_chunk_header *header,
                               const uint8_t *payload)
{
    if (!kp_chunk_payload_valid(header, payload))
        return "a chunk's checksum is wrong";
    if (header->type == KP_CHUNK_NEXT)
        return "its section is in parts, and those are for files";
    if (header->number == 0 && !is_own_process(native, header, payload))
        return "its first chunk is not the PROCESS of the section it announced";
    return NULL;
}

/* The header at `bytes`, when it is a good one. `count` is 32 at least. */
static const char *read_header(const struct kp_native *native, const uint8_t *bytes,
                               struct kp_chunk_header *header)
{
    memcpy(header, bytes, sizeof *header);
    if (!kp_chunk_header_valid(header))
        return "that is no chunk";
    if (header->payload_bytes > native->most_bytes)
        return "a chunk is too big (--peer-memory)";
    return NULL;
}

/* A run of good chunks at `bytes`. */
struct run {
    const uint8_t *bytes; /* chunks that were safe already are before it */
    size_t count;         /* bytes of new ones */
    uint32_t chunks;
    struct kp_chunk_header last;
};

/* Adds the chunk at bytes[used]; returns its bytes, 0 when it is not whole, or when the error is set. */
static size_t add_chunk(struct kp_native *native, struct run *run, const uint8_t *bytes, size_t count)
{
    struct kp_chunk_header header;
    if (count < sizeof header)
        return 0;
    const char *error = read_header(native, bytes, &header);
    if (error)
        return refuse(native, KP_WIRE_DAMAGED, error);
    size_t whole = sizeof header + header.payload_bytes;
    uint64_t due = run->chunks ? (uint64_t)run->last.number + 1 : native->next;
    /* What was acknowledged to another collector may be gone, but for what names things. */
    if (header.number > due && (due == 0 || header.number > native->first))
        return refuse(native, KP_WIRE_DAMAGED, "a chunk is missing");
    if (header.number < due && run->chunks)
        return refuse(native, KP_WIRE_DAMAGED, "a chunk came twice");
    if (count < whole)
        return 0;
    if ((error = check_chunk(native, &header, bytes + sizeof header)))
        return refuse(native, KP_WIRE_DAMAGED, error);
    if (header.number < due) {
        native->repeated++;
        run->bytes = bytes + whole;
        return whole;
    }
    native->types[header.type < 8 ? header.type : 0]++;
    run->count += whole;
    run->chunks++;
    run->last = header;
    return whole;
}

static size_t take_chunks(struct kp_native *native, const uint8_t *bytes, size_t count)
{
    struct run run = {.bytes = bytes};
    size_t used = 0, one;

    while ((!run.chunks || run.last.type != KP_CHUNK_END) &&
           (one = add_chunk(native, &run, bytes + used, count - used)) > 0)
        used += one;
    /* What came before a damaged chunk is good. */
    if (!run.chunks)
        return used;
    native->next = (uint64_t)run.last.number + 1;
    if (run.last.type == KP_CHUNK_END)
        native->phase = KP_NATIVE_ENDED;
    if (!native->ops->chunks(native->user, run.bytes, run.count, run.chunks, &run.last))
        native->phase = KP_NATIVE_ENDED;
    return used;
}

size_t kp_native_feed(struct kp_native *native, const uint8_t *bytes, size_t count)
{
    if (native->error || !count)
        return 0;
    switch (native->phase) {
    case KP_NATIVE_HELLO:
        return take_hello(native, bytes, count);
    case KP_NATIVE_CHUNKS:
        return take_chunks(native, bytes, count);
    case KP_NATIVE_WAITING:
        return 0;
    default:
        return count; /* whatever comes behind the end is nobody's */
    }
}
