/*
 * Any bytes as a trace: read in file order and by time, to the end, without a crash, a hang or a leak. The
 * first byte of the input says whether checksums are made right first, so that what is behind them is reached
 * as well.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

/* Headers stay where the magic is; lengths that run past the end are left alone. */
static void reseal(uint8_t *data, size_t bytes)
{
    for (size_t at = 0; at + sizeof(struct kp_chunk_header) <= bytes; at++) {
        struct kp_chunk_header *chunk, header;
        uint32_t magic;

        memcpy(&magic, data + at, sizeof magic);
        if (magic != KP_CHUNK_MAGIC)
            continue;
        memcpy(&header, data + at, sizeof header);
        if (header.payload_bytes > bytes - at - sizeof header)
            continue;
        chunk = malloc(sizeof header + header.payload_bytes);
        memcpy(chunk, data + at, sizeof header + header.payload_bytes);
        kp_chunk_seal(chunk, (enum kp_chunk_type)header.type, header.number, header.payload_bytes);
        memcpy(data + at, chunk, sizeof header);
        free(chunk);
        at += sizeof header + header.payload_bytes - 1;
    }
}

static volatile uint64_t used;

/* Touch everything an item offers. */
static uint64_t use(struct kp_reader *reader, const struct kp_item *item)
{
    uint64_t sum = item->kind;

    for (size_t i = 0; i < item->count; i++) {
        struct kp_function *function = kp_reader_function(reader, item->process, item->events[i].id);

        sum += item->events[i].time + item->events[i].value + (function ? strlen(function->name) : 0);
    }
    sum += item->text ? strlen(item->text) : 0;
    sum += item->key ? strlen(item->key) + strlen(item->value) : 0;
    sum += item->thread ? strlen(item->thread->name) : 0;
    return sum + strlen(item->process->command) + strlen(item->process->uuid);
}

static void read_all(const char *path, unsigned flags)
{
    struct kp_reader *reader;
    struct kp_item item;
    char error[512];

    if (kp_reader_open(&reader, &path, 1, flags | KP_READ_NO_LEFTOVER, error, sizeof error) != KP_OK)
        return;
    while (kp_reader_next(reader, &item) == KP_OK)
        used += use(reader, &item);
    kp_reader_close(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    char path[64];
    uint8_t *copy;
    int fd;

    if (bytes < 2)
        return 0;
    copy = malloc(bytes - 1);
    memcpy(copy, data + 1, bytes - 1);
    if (data[0] & 1)
        reseal(copy, bytes - 1);
    fd = memfd_create("fuzz", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
    if (fd >= 0 && write(fd, copy, bytes - 1) == (ssize_t)(bytes - 1)) {
        read_all(path, 0);
        read_all(path, KP_READ_BY_TIME);
    }
    close(fd);
    free(copy);
    return 0;
}
