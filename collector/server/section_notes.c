#include "section_notes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/chunk.h"
#include "trace/leftover.h"
#include "util/memory.h"

/* Chunk types of ours, without payload; their number is that of the chunk which is due. */
enum { MARK = 0x7ff0, MARK_END = 0x7ff1 };

int kp_section_notes_open(const char *folder, const uint8_t uuid[16])
{
    char hex[33];
    char *path = kp_format_text("%s/.sections", folder);
    kp_uuid_hex(hex, uuid);
    int fd = -1;
    if (!mkdir(path, 0700) || errno == EEXIST) {
        free(path);
        path = kp_format_text("%s/.sections/%s", folder, hex);
        fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    }
    free(path);
    return fd;
}

static bool read_all(int fd, uint64_t at, void *bytes, size_t count)
{
    return pread(fd, bytes, count, (off_t)at) == (ssize_t)count;
}

static bool write_all(int fd, const void *bytes, size_t count)
{
    off_t end = lseek(fd, 0, SEEK_END);
    if (end >= 0 && pwrite(fd, bytes, count, end) == (ssize_t)count)
        return true;
    return end >= 0 && ftruncate(fd, end) && false;
}

void kp_section_notes_read(int fd, uint64_t *chunks, bool *ended,
                           void (*chunk)(void *user, const struct kp_chunk_header *header,
                                         const void *payload),
                           void *user)
{
    struct kp_chunk_header header;
    uint64_t at = 0;
    *chunks = 0;
    *ended = false;
    while (read_all(fd, at, &header, sizeof header) && kp_chunk_header_valid(&header)) {
        uint8_t *payload = kp_allocate(header.payload_bytes + 1);
        bool good = read_all(fd, at + sizeof header, payload, header.payload_bytes) &&
                    kp_chunk_payload_valid(&header, payload);
        if (good && (header.type == MARK || header.type == MARK_END)) {
            *chunks = header.number;
            *ended = header.type == MARK_END;
        } else if (good) {
            chunk(user, &header, payload);
        }
        free(payload);
        if (!good)
            break;
        at += sizeof header + header.payload_bytes;
    }
    /* Behind it stands what a crash left. */
    (void)!ftruncate(fd, (off_t)at);
}

static bool is_needed(uint16_t type)
{
    return type == KP_CHUNK_PROCESS || type == KP_CHUNK_DEFS || type == KP_CHUNK_CLOCK;
}

bool kp_section_notes_add(int fd, const uint8_t *bytes, size_t count)
{
    struct kp_chunk_header header, mark;
    bool fine = true;
    uint32_t due = 0;
    for (size_t at = 0; at < count && fine; at += sizeof header + header.payload_bytes) {
        memcpy(&header, bytes + at, sizeof header);
        due = header.number + 1;
        if (is_needed(header.type))
            fine = write_all(fd, bytes + at, sizeof header + header.payload_bytes);
    }
    kp_chunk_seal(&mark, (enum kp_chunk_type)MARK, due, 0);
    return fine && write_all(fd, &mark, sizeof mark);
}

bool kp_section_notes_end(int fd, uint64_t chunks)
{
    struct kp_chunk_header mark;
    kp_chunk_seal(&mark, (enum kp_chunk_type)MARK_END, (uint32_t)chunks, 0);
    return !ftruncate(fd, 0) && write_all(fd, &mark, sizeof mark);
}

void kp_section_notes_clean(const char *folder, uint64_t age_s)
{
    char *path = kp_format_text("%s/.sections", folder);
    DIR *entries = opendir(path);
    struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        struct stat info;
        if (!fstatat(dirfd(entries), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) && S_ISREG(info.st_mode) &&
            info.st_size == sizeof(struct kp_chunk_header) && info.st_mtime + (time_t)age_s < time(NULL))
            unlinkat(dirfd(entries), entry->d_name, 0);
    }
    if (entries)
        closedir(entries);
    free(path);
}
