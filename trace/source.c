#include "source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "chunk.h"
#include "file_io.h"
#include "file_stat.h"
#include "layout.h"

static enum kp_status refuse(char *error, size_t error_bytes, const char *path, const char *why)
{
    int saved = errno;

    snprintf(error, error_bytes, "%s: %s", path, why);
    errno = saved;
    return KP_ERROR_SYSTEM;
}

/* A trace of a thousand processes is a thousand files: the soft limit of 1024 is no reason to give up. */
static bool more_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= limit.rlim_max)
        return false;
    limit.rlim_cur = limit.rlim_max;
    return setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

static int open_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 && errno == EMFILE && more_files())
        fd = open(path, O_RDONLY | O_CLOEXEC);
    return fd;
}

static int open_unlinked(const char *folder)
{
    char name[4096];
    int fd = open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    if (fd >= 0 || snprintf(name, sizeof name, "%s/kprobe.XXXXXX", folder) >= (int)sizeof name)
        return fd;
    fd = mkostemp(name, O_CLOEXEC);
    if (fd >= 0)
        unlink(name);
    return fd;
}

enum kp_status kp_source_temporary(struct kp_source *source)
{
    const char *folder = getenv("TMPDIR");

    source->bytes = 0;
    source->fd = folder && *folder ? open_unlinked(folder) : -1;
    if (source->fd < 0)
        source->fd = open_unlinked("/tmp");
    if (source->fd < 0)
        source->fd = memfd_create("kprobe", MFD_CLOEXEC);
    return source->fd < 0 ? KP_ERROR_SYSTEM : KP_OK;
}

enum kp_status kp_source_append(struct kp_source *source, const void *data, size_t bytes)
{
    if (kp_file_write_at(source->fd, source->bytes, data, bytes) < bytes)
        return KP_ERROR_SYSTEM;
    source->bytes += bytes;
    return KP_OK;
}

static enum kp_status spool(struct kp_source *source, int from)
{
    enum kp_status status = kp_source_temporary(source);
    char *block = malloc(1 << 20);

    if (!block)
        status = KP_ERROR_NO_MEMORY;
    while (status == KP_OK) {
        ssize_t n = read(from, block, 1 << 20);

        if (n == 0)
            break;
        if (n > 0)
            status = kp_source_append(source, block, (size_t)n);
        else if (errno != EINTR)
            status = KP_ERROR_SYSTEM;
    }
    free(block);
    return status;
}

static enum kp_status open_fd(struct kp_source *source, int fd, const char *path, char *error,
                              size_t error_bytes)
{
    enum kp_status status;
    struct stat st;

    if (kp_file_stat_fd(fd, &st) == 0 && S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        status = refuse(error, error_bytes, path, "a directory, not a trace");
    } else if (kp_file_stat_fd(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        *source = (struct kp_source){.fd = fd, .bytes = (uint64_t)st.st_size};
        return KP_OK;
    } else {
        status = spool(source, fd);
        if (status != KP_OK)
            status = refuse(error, error_bytes, path, strerror(errno));
    }
    close(fd);
    if (status != KP_OK)
        kp_source_close(source);
    return status;
}

enum kp_status kp_source_open(struct kp_source *source, const char *path, char *error, size_t error_bytes)
{
    bool standard = strcmp(path, "-") == 0;
    int fd = standard ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open_file(path);

    *source = (struct kp_source){.fd = -1};
    if (fd < 0)
        return refuse(error, error_bytes, standard ? "standard input" : path, strerror(errno));
    return open_fd(source, fd, standard ? "standard input" : path, error, error_bytes);
}

size_t kp_source_read(const struct kp_source *source, uint64_t offset, void *out, size_t bytes)
{
    if (offset >= source->bytes)
        return 0;
    if (bytes > source->bytes - offset)
        bytes = (size_t)(source->bytes - offset);
    return kp_file_read_at(source->fd, offset, out, bytes);
}

/* Whether a preamble or an undamaged chunk header starts at p. Programs that know the magic are no traces. */
static bool landmark(const uint8_t *p)
{
    struct kp_chunk_header header;
    struct kp_preamble preamble;

    memcpy(&preamble, p, sizeof preamble);
    if (memcmp(p, KP_PREAMBLE_MAGIC, 8) == 0 && preamble.major > 0 && preamble.major < 256 &&
        preamble.reserved == 0)
        return true;
    memcpy(&header, p, sizeof header);
    return kp_chunk_header_valid(&header);
}

uint64_t kp_source_find(const struct kp_source *source, uint64_t from, uint64_t end)
{
    enum { BLOCK = 1 << 16, TAIL = sizeof(struct kp_chunk_header) };
    uint8_t block[BLOCK + TAIL];

    for (uint64_t at = from; at < end; at += BLOCK) {
        size_t bytes = kp_source_read(source, at, block, sizeof block);

        memset(block + bytes, 0, sizeof block - bytes);
        for (size_t i = 0; i < BLOCK && i < bytes && at + i < end; i++)
            if ((block[i] == (uint8_t)KP_PREAMBLE_MAGIC[0] || block[i] == (KP_CHUNK_MAGIC & 0xff)) &&
                landmark(block + i))
                return at + i;
        if (bytes < sizeof block)
            break;
    }
    return end;
}

bool kp_source_grew(const struct kp_source *source)
{
    struct stat st;

    return kp_file_stat_fd(source->fd, &st) == 0 && (uint64_t)st.st_size > source->bytes;
}

void kp_source_close(struct kp_source *source)
{
    if (source->fd >= 0)
        close(source->fd);
    source->fd = -1;
}
