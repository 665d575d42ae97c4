#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "chunk.h"
#include "file_io.h"
#include "process_text.h"
#include "shm.h"

#define WORTH_BYTES     (4ull << 20)  /* less is not dropped */
#define EASY_TAIL_BYTES (16ull << 20) /* more is only copied when room is short: it takes time */

static enum kp_status write_at(int fd, uint64_t offset, const void *data, size_t bytes)
{
    return kp_file_write_at(fd, offset, data, bytes) == bytes ? KP_OK : kp_file_status(errno);
}

enum kp_status kp_spool_create(struct kp_spool *spool, const char *path, uint64_t most_bytes)
{
    memset(spool, 0, sizeof *spool);
    spool->most_bytes = most_bytes;
    spool->begin.offset = spool->first.offset = sizeof(struct kp_preamble);
    spool->fd = -1;
    if ((size_t)snprintf(spool->path, sizeof spool->path, "%s", path) >= sizeof spool->path) {
        errno = ENAMETOOLONG;
        return KP_ERROR_SYSTEM;
    }
    spool->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    return spool->fd < 0 ? KP_ERROR_SYSTEM : KP_OK;
}

void kp_spool_suspend(struct kp_spool *spool)
{
    if (spool->fd >= 0)
        close(spool->fd);
    spool->fd = -1;
}

enum kp_status kp_spool_resume(struct kp_spool *spool)
{
    spool->fd = open(spool->path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    return spool->fd < 0 ? KP_ERROR_SYSTEM : KP_OK;
}

void kp_spool_remove(struct kp_spool *spool)
{
    if (*spool->path)
        unlink(spool->path);
    kp_spool_suspend(spool);
    *spool->path = '\0';
}

bool kp_spool_header(const struct kp_spool *spool, const struct kp_spool_place *place,
                     struct kp_chunk_header *header)
{
    return place->offset < spool->end.offset &&
           kp_file_read_at(spool->fd, place->offset, header, sizeof *header) == sizeof *header &&
           kp_chunk_header_valid(header);
}

bool kp_spool_next(const struct kp_spool *spool, struct kp_spool_place *place)
{
    struct kp_chunk_header header;

    if (!kp_spool_header(spool, place, &header))
        return false;
    place->offset += sizeof header + header.payload_bytes;
    place->number = (uint64_t)header.number + 1;
    /* Numbers jump where chunks were dropped. */
    if (kp_spool_header(spool, place, &header))
        place->number = header.number;
    return true;
}

size_t kp_spool_read(const struct kp_spool *spool, uint64_t offset, void *out, size_t bytes)
{
    if (offset >= spool->end.offset)
        return 0;
    if (bytes > spool->end.offset - offset)
        bytes = (size_t)(spool->end.offset - offset);
    return kp_file_read_at(spool->fd, offset, out, bytes);
}

/* A chunk that is in the file now. */
static void note(struct kp_spool *spool, const struct kp_chunk_header *header)
{
    if (header->type == KP_CHUNK_CLOCK && !spool->clock)
        spool->clock = spool->end.offset;
    spool->ended = header->type == KP_CHUNK_END;
    spool->end.offset += sizeof *header + header->payload_bytes;
    spool->end.number = (uint64_t)header->number + 1;
}

static void note_all(struct kp_spool *spool, const uint8_t *data, size_t bytes)
{
    struct kp_chunk_header header;

    if (spool->end.offset == 0) { /* the preamble */
        size_t preamble = bytes < sizeof(struct kp_preamble) ? bytes : sizeof(struct kp_preamble);

        spool->end.offset = preamble;
        data += preamble;
        bytes -= preamble;
    }
    while (bytes >= sizeof header) {
        size_t whole;

        memcpy(&header, data, sizeof header);
        whole = sizeof header + header.payload_bytes;
        if (whole > bytes)
            break;
        note(spool, &header);
        data += whole;
        bytes -= whole;
    }
}

/* Bytes that compacting drops, about. */
static uint64_t droppable(const struct kp_spool *spool)
{
    uint64_t before = spool->first.offset - spool->begin.offset;

    return before > spool->kept ? before - spool->kept : 0;
}

static bool make_room(struct kp_spool *spool, size_t bytes)
{
    if (!spool->most_bytes || spool->end.offset + bytes <= spool->most_bytes)
        return true;
    return droppable(spool) >= spool->end.offset / 4 && kp_spool_compact(spool) == KP_OK &&
           spool->end.offset + bytes <= spool->most_bytes;
}

enum kp_status kp_spool_append(struct kp_spool *spool, const void *data, size_t bytes)
{
    enum kp_status status;
    int saved;

    if (!make_room(spool, bytes))
        return KP_ERROR_FULL;
    status = write_at(spool->fd, spool->end.offset, data, bytes);
    if (status == KP_OK) {
        note_all(spool, data, bytes);
        return KP_OK;
    }
    saved = errno;
    if (ftruncate(spool->fd, (off_t)spool->end.offset) < 0)
        status = KP_ERROR_SYSTEM;
    errno = saved;
    return status;
}

/* The chunks of a file that somebody left, up to the first that is not whole. */
static enum kp_status walk(struct kp_spool *spool, uint64_t size)
{
    struct kp_preamble preamble;
    struct kp_chunk_header header;

    if (kp_file_read_at(spool->fd, 0, &preamble, sizeof preamble) != sizeof preamble ||
        memcmp(preamble.magic, KP_PREAMBLE_MAGIC, sizeof preamble.magic) != 0)
        return KP_ERROR_FOREIGN;
    if (preamble.major != KP_FORMAT_MAJOR)
        return KP_ERROR_NEWER;
    spool->end.offset = sizeof preamble;
    while (!spool->ended &&
           kp_file_read_at(spool->fd, spool->end.offset, &header, sizeof header) == sizeof header &&
           kp_chunk_header_valid(&header) &&
           sizeof header + header.payload_bytes <= size - spool->end.offset) {
        if (spool->end.offset == sizeof preamble)
            spool->begin.number = spool->first.number = header.number;
        note(spool, &header);
    }
    return spool->end.offset == sizeof preamble ? KP_ERROR_FOREIGN : KP_OK;
}

enum kp_status kp_spool_open(struct kp_spool *spool, const char *path)
{
    enum kp_status status;
    off_t size;

    memset(spool, 0, sizeof *spool);
    snprintf(spool->path, sizeof spool->path, "%s", path);
    spool->begin.offset = spool->first.offset = sizeof(struct kp_preamble);
    status = kp_spool_resume(spool);
    if (status != KP_OK)
        return status;
    size = lseek(spool->fd, 0, SEEK_END);
    status = size < 0 ? KP_ERROR_SYSTEM : walk(spool, (uint64_t)size);
    if (status != KP_OK)
        kp_spool_suspend(spool);
    return status;
}

static bool parse_hex(uint8_t *out, const char *hex, size_t bytes)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < 2 * bytes; i++) {
        const char *digit = hex[i] ? strchr(digits, hex[i]) : NULL;

        if (!digit)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | (digit - digits) : (digit - digits) << 4);
    }
    return !hex[2 * bytes];
}

bool kp_spool_uuid(const struct kp_spool *spool, uint8_t uuid[16])
{
    char text[KP_SHM_PROCESS_BYTES], hex[64] = "";
    struct kp_chunk_header header;
    size_t bytes;

    if (!kp_spool_header(spool, &spool->begin, &header) || header.type != KP_CHUNK_PROCESS)
        return false;
    bytes = header.payload_bytes < sizeof text ? header.payload_bytes : sizeof text;
    bytes = kp_file_read_at(spool->fd, spool->begin.offset + sizeof header, text, bytes);
    kp_process_text_get(text, bytes, "uuid", hex, sizeof hex);
    return parse_hex(uuid, hex, 16);
}

void kp_spool_release(struct kp_spool *spool, const struct kp_spool_place *place)
{
    if (place->offset > spool->first.offset)
        spool->first = *place;
}

bool kp_spool_worth_compacting(const struct kp_spool *spool)
{
    uint64_t tail = spool->end.offset - spool->first.offset;

    return !spool->keeps_all && droppable(spool) >= WORTH_BYTES + spool->kept + tail &&
           tail <= EASY_TAIL_BYTES;
}

/* Copy bytes between files; `buffer` on the stack is small, the kernel does the large pieces. */
static enum kp_status copy(int to, uint64_t at, int from, uint64_t offset, uint64_t bytes)
{
    char buffer[16384];

    while (bytes) {
        off_t in = (off_t)offset, out = (off_t)at;
        ssize_t n = bytes > sizeof buffer ? syscall(SYS_copy_file_range, from, &in, to, &out, bytes, 0u) : 0;

        if (n <= 0) {
            n = (ssize_t)kp_file_read_at(from, offset, buffer, bytes < sizeof buffer ? bytes : sizeof buffer);
            if (n == 0)
                return KP_ERROR_SYSTEM;
            if (write_at(to, at, buffer, (size_t)n) != KP_OK)
                return kp_file_status(errno);
        }
        offset += (uint64_t)n;
        at += (uint64_t)n;
        bytes -= (uint64_t)n;
    }
    return KP_OK;
}

static bool is_kept(const struct kp_spool *spool, const struct kp_spool_place *place,
                    const struct kp_chunk_header *header)
{
    return header->type == KP_CHUNK_PROCESS || header->type == KP_CHUNK_DEFS || place->offset == spool->clock;
}

/* What stays of the chunks before `first`. `compacted` gets the places in the new file. */
static enum kp_status copy_head(const struct kp_spool *spool, int to, struct kp_spool *compacted)
{
    struct kp_spool_place place = spool->begin;
    struct kp_chunk_header header;
    uint64_t at = spool->begin.offset;
    enum kp_status status = copy(to, 0, spool->fd, 0, at);

    while (status == KP_OK && place.offset < spool->first.offset) {
        uint64_t bytes;

        if (!kp_spool_header(spool, &place, &header))
            return KP_ERROR_SYSTEM;
        bytes = sizeof header + header.payload_bytes;
        if (is_kept(spool, &place, &header)) {
            status = copy(to, at, spool->fd, place.offset, bytes);
            if (place.offset == spool->clock)
                compacted->clock = at;
            at += bytes;
        }
        place.offset += bytes;
    }
    compacted->first = (struct kp_spool_place){at, spool->first.number};
    compacted->kept = at - spool->begin.offset;
    return status;
}

static enum kp_status copy_all(const struct kp_spool *spool, int to, struct kp_spool *compacted)
{
    uint64_t tail = spool->end.offset - spool->first.offset;
    enum kp_status status = copy_head(spool, to, compacted);

    if (status == KP_OK)
        status = copy(to, compacted->first.offset, spool->fd, spool->first.offset, tail);
    compacted->end = (struct kp_spool_place){compacted->first.offset + tail, spool->end.number};
    if (spool->clock >= spool->first.offset)
        compacted->clock = compacted->first.offset + (spool->clock - spool->first.offset);
    return status;
}

enum kp_status kp_spool_compact(struct kp_spool *spool)
{
    struct kp_spool compacted = *spool;
    char path[sizeof spool->path + 8];
    enum kp_status status;
    int saved;

    if (spool->keeps_all)
        return KP_OK;
    snprintf(path, sizeof path, "%s.new", spool->path);
    unlink(path);
    compacted.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (compacted.fd < 0)
        return kp_file_status(errno);
    status = copy_all(spool, compacted.fd, &compacted);
    if (status == KP_OK && rename(path, spool->path) < 0)
        status = kp_file_status(errno);
    if (status == KP_OK) {
        close(spool->fd);
        compacted.dropped += spool->end.offset - compacted.end.offset;
        *spool = compacted;
        return KP_OK;
    }
    saved = errno;
    unlink(path);
    close(compacted.fd);
    errno = saved;
    return status;
}
