#include "kieker_decode.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

enum form { PLAIN, ARCHIVE, ZLIB };

enum { BLOCK_BYTES = 1 << 18 };

struct kp_kieker_decoder {
    enum form form;
    int fd;
    uint64_t position;
    struct archive *archive;
    z_stream zlib;
    bool zlib_ready, ended;
    uint8_t *block; /* of the compressed file */
    char error[256];
};

static ssize_t read_some(int fd, void *bytes, size_t count)
{
    ssize_t got;

    do
        got = read(fd, bytes, count);
    while (got < 0 && errno == EINTR);
    return got;
}

/* By content: the suffix may lie. Neither a text log nor a binary one of fewer than 2^24 strings begins so.
 */
static enum form sniff(const uint8_t *head, size_t count)
{
    static const struct {
        const char *bytes;
        uint8_t count;
    } archives[] = {
        {"\x1f\x8b", 2}, {"\xfd\x37zXZ", 5}, {"BZh", 3}, {"PK\x03\x04", 4}, {"\x28\xb5\x2f\xfd", 4}};

    for (size_t i = 0; i < sizeof archives / sizeof *archives; i++)
        if (count >= archives[i].count && !memcmp(head, archives[i].bytes, archives[i].count))
            return ARCHIVE;
    if (count >= 2 && (head[0] & 0x8f) == 8 && (head[0] << 8 | head[1]) % 31 == 0)
        return ZLIB;
    return PLAIN;
}

/* --- libarchive: everything but zlib's own form --- */

static la_ssize_t feed(struct archive *archive, void *user, const void **bytes)
{
    struct kp_kieker_decoder *decoder = user;
    ssize_t got = read_some(decoder->fd, decoder->block, BLOCK_BYTES);

    *bytes = decoder->block;
    if (got < 0)
        archive_set_error(archive, errno, "%s", strerror(errno));
    else
        decoder->position += (uint64_t)got;
    return got;
}

static bool fail(struct kp_kieker_decoder *decoder, const char *why)
{
    snprintf(decoder->error, sizeof decoder->error, "%s", why ? why : "it makes no sense");
    decoder->ended = true;
    return false;
}

static bool open_archive(struct kp_kieker_decoder *decoder)
{
    struct archive_entry *entry;

    decoder->archive = archive_read_new();
    if (!decoder->archive)
        return fail(decoder, "out of memory");
    archive_read_support_filter_gzip(decoder->archive);
    archive_read_support_filter_xz(decoder->archive);
    archive_read_support_filter_bzip2(decoder->archive);
    archive_read_support_filter_zstd(decoder->archive);
    archive_read_support_format_zip(decoder->archive);
    archive_read_support_format_raw(decoder->archive);
    /* Of an archive the first entry counts, as for the original readers. */
    if (archive_read_open(decoder->archive, decoder, NULL, feed, NULL) != ARCHIVE_OK ||
        archive_read_next_header(decoder->archive, &entry) < ARCHIVE_WARN)
        return fail(decoder, archive_error_string(decoder->archive));
    return true;
}

static ssize_t read_archive(struct kp_kieker_decoder *decoder, void *bytes, size_t count)
{
    la_ssize_t got = archive_read_data(decoder->archive, bytes, count);

    if (got >= 0)
        return (ssize_t)got;
    fail(decoder, archive_error_string(decoder->archive));
    return -1;
}

/* --- zlib --- */

static bool refill(struct kp_kieker_decoder *decoder)
{
    ssize_t got = read_some(decoder->fd, decoder->block, BLOCK_BYTES);

    if (got <= 0)
        return fail(decoder, got ? strerror(errno) : "it is cut off");
    decoder->position += (uint64_t)got;
    decoder->zlib.next_in = decoder->block;
    decoder->zlib.avail_in = (uInt)got;
    return true;
}

static ssize_t read_zlib(struct kp_kieker_decoder *decoder, void *bytes, size_t count)
{
    z_stream *zlib = &decoder->zlib;
    size_t room = count < 1 << 30 ? count : 1 << 30;

    zlib->next_out = bytes;
    zlib->avail_out = (uInt)room;
    while (zlib->avail_out == room) {
        int result;

        if (zlib->avail_in == 0 && !refill(decoder))
            return -1;
        result = inflate(zlib, Z_NO_FLUSH);
        if (result == Z_STREAM_END) {
            decoder->ended = true;
            break;
        }
        if (result != Z_OK && result != Z_BUF_ERROR) {
            fail(decoder, zlib->msg);
            return -1;
        }
    }
    return (ssize_t)(room - zlib->avail_out);
}

/* --- any --- */

struct kp_kieker_decoder *kp_kieker_decoder_open(const char *path)
{
    struct kp_kieker_decoder *decoder = calloc(1, sizeof *decoder);
    uint8_t head[8];
    ssize_t got;

    if (!decoder)
        return NULL;
    decoder->fd = open(path, O_RDONLY | O_CLOEXEC);
    got = decoder->fd < 0 ? -1 : pread(decoder->fd, head, sizeof head, 0);
    if (got < 0) {
        int saved = errno;

        kp_kieker_decoder_close(decoder);
        errno = saved;
        return NULL;
    }
    decoder->form = sniff(head, (size_t)got);
    if (decoder->form == PLAIN)
        return decoder;
    decoder->block = malloc(BLOCK_BYTES);
    decoder->zlib_ready = decoder->form == ZLIB && inflateInit(&decoder->zlib) == Z_OK;
    if (!decoder->block || (decoder->form == ZLIB && !decoder->zlib_ready))
        fail(decoder, "out of memory");
    else if (decoder->form == ARCHIVE)
        open_archive(decoder);
    return decoder;
}

ssize_t kp_kieker_decoder_read(struct kp_kieker_decoder *decoder, void *bytes, size_t count)
{
    ssize_t got;

    if (decoder->ended)
        return *decoder->error ? -1 : 0;
    if (decoder->form == ARCHIVE)
        return read_archive(decoder, bytes, count);
    if (decoder->form == ZLIB)
        return read_zlib(decoder, bytes, count);
    got = read_some(decoder->fd, bytes, count);
    if (got < 0)
        fail(decoder, strerror(errno));
    else
        decoder->position += (uint64_t)got;
    return got;
}

const char *kp_kieker_decoder_error(const struct kp_kieker_decoder *decoder)
{
    return decoder->error;
}

uint64_t kp_kieker_decoder_position(const struct kp_kieker_decoder *decoder)
{
    return decoder->position;
}

void kp_kieker_decoder_close(struct kp_kieker_decoder *decoder)
{
    archive_read_free(decoder->archive);
    if (decoder->zlib_ready)
        inflateEnd(&decoder->zlib);
    if (decoder->fd >= 0)
        close(decoder->fd);
    free(decoder->block);
    free(decoder);
}
