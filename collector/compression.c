#include "compression.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "trace/file_io.h"
#include "util/memory.h"

#define PIECE_BYTES 65536

/* --- libarchive: gz, xz, bz2, zip ------------------------------------------------------------------ */

static bool tell(struct archive *archive)
{
    int error = archive_errno(archive);

    errno = error > 0 ? error : EIO;
    return false;
}

/* The first entry of an archive is all that is read of it; a stream has none to be seen. */
static bool begin_entry(struct archive *archive)
{
    struct archive_entry *entry = archive_entry_new();
    bool good;

    if (!entry)
        return false;
    archive_entry_set_pathname(entry, "kieker");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_perm(entry, 0600);
    good = archive_write_header(archive, entry) == ARCHIVE_OK;
    archive_entry_free(entry);
    return good;
}

static void *open_archive(int fd, int (*add)(struct archive *archive), bool raw)
{
    struct archive *archive = archive_write_new();

    if (!archive) {
        errno = ENOMEM;
        return NULL;
    }
    /* No padding behind the end. */
    archive_write_set_bytes_in_last_block(archive, 1);
    if ((raw && archive_write_set_format_raw(archive) != ARCHIVE_OK) || add(archive) != ARCHIVE_OK ||
        archive_write_open_fd(archive, fd) != ARCHIVE_OK || !begin_entry(archive)) {
        tell(archive);
        archive_write_free(archive);
        return NULL;
    }
    return archive;
}

static bool write_archive(void *filter, const void *bytes, size_t count)
{
    const char *at = bytes;

    while (count) {
        la_ssize_t taken = archive_write_data(filter, at, count);

        if (taken <= 0)
            return tell(filter);
        at += taken;
        count -= (size_t)taken;
    }
    return true;
}

static bool close_archive(void *filter)
{
    bool good = archive_write_close(filter) == ARCHIVE_OK;

    if (!good)
        tell(filter);
    archive_write_free(filter);
    return good;
}

static int add_gzip(struct archive *archive)
{
    int status = archive_write_add_filter_gzip(archive);

    /* The same log gives the same bytes. */
    return status == ARCHIVE_OK ? archive_write_set_options(archive, "gzip:!timestamp") : status;
}

static void *open_gz(int fd)
{
    return open_archive(fd, add_gzip, true);
}

static void *open_xz(int fd)
{
    return open_archive(fd, archive_write_add_filter_xz, true);
}

static void *open_bz2(int fd)
{
    return open_archive(fd, archive_write_add_filter_bzip2, true);
}

/* Java's reader fails behind an entry of unknown size whose sizes have 64 bits. */
static int add_zip(struct archive *archive)
{
    int status = archive_write_set_format_zip(archive);

    return status == ARCHIVE_OK ? archive_write_set_options(archive, "zip:!zip64") : status;
}

static void *open_zip(int fd)
{
    return open_archive(fd, add_zip, false);
}

/* --- zlib: df ---------------------------------------------------------------------------------------- */

struct deflater {
    z_stream stream;
    int fd;
    unsigned char piece[PIECE_BYTES];
};

static void *open_df(int fd)
{
    struct deflater *deflater = kp_allocate_cleared(1, sizeof *deflater);

    deflater->fd = fd;
    if (deflateInit(&deflater->stream, Z_DEFAULT_COMPRESSION) == Z_OK)
        return deflater;
    free(deflater);
    errno = ENOMEM;
    return NULL;
}

static bool deflate_all(struct deflater *deflater, int flush)
{
    int status;

    do {
        deflater->stream.next_out = deflater->piece;
        deflater->stream.avail_out = PIECE_BYTES;
        status = deflate(&deflater->stream, flush);
        if (status == Z_STREAM_ERROR) {
            errno = EIO;
            return false;
        }
        size_t ready = PIECE_BYTES - deflater->stream.avail_out;
        if (kp_file_write(deflater->fd, deflater->piece, ready) < ready)
            return false;
    } while (deflater->stream.avail_out == 0 || (flush == Z_FINISH && status != Z_STREAM_END));
    return true;
}

static bool write_df(void *filter, const void *bytes, size_t count)
{
    struct deflater *deflater = filter;
    const unsigned char *at = bytes;

    while (count) {
        uInt now = count < (1u << 30) ? (uInt)count : 1u << 30;

        deflater->stream.next_in = (unsigned char *)(uintptr_t)at;
        deflater->stream.avail_in = now;
        if (!deflate_all(deflater, Z_NO_FLUSH))
            return false;
        at += now;
        count -= now;
    }
    return true;
}

static bool close_df(void *filter)
{
    struct deflater *deflater = filter;
    bool good = deflate_all(deflater, Z_FINISH);

    deflateEnd(&deflater->stream);
    free(deflater);
    return good;
}

/* --- the table --------------------------------------------------------------------------------------- */

static const struct kp_compression rows[] = {
    {"gz", ".gz", open_gz, write_archive, close_archive},
    {"xz", ".xz", open_xz, write_archive, close_archive},
    {"bz2", ".bz2", open_bz2, write_archive, close_archive},
    {"zip", ".zip", open_zip, write_archive, close_archive},
    {"df", ".df", open_df, write_df, close_df},
};

const struct kp_compression *kp_compression_find(const char *name)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].name, name))
            return &rows[i];
    return NULL;
}
