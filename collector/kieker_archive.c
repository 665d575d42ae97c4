#include "kieker_archive.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kieker_decode.h"
#include "trace/layout.h"
#include "trace/kieker/import.h"
#include "trace/kieker/input.h"
#include "util/format.h"
#include "util/memory.h"
#include "util/progress.h"

enum { BLOCK_BYTES = 1 << 20, DEEPEST = 32, MAP_BYTES = 1 << 30 };

/* The text mode of the Python pack. */
#define PYTHON_MAP "record-map.log"

enum what { OTHER, MAP, TEXT, BINARY, UNCLEAR }; /* UNCLEAR: its content tells text from binary */

struct file {
    char *name;
    enum what what;
};

/* A log directory, and the files in it that count, by name. */
struct log {
    const char *path;
    struct file *files;
    size_t count, capacity;
    bool python;
};

struct conversion {
    struct kp_source *source;
    struct kp_progress *progress;
    uint64_t done_bytes, total_bytes, calls, records, damages;
    size_t logs;
    struct kp_kieker_import *import; /* of the log that is being read */
    char *block;
};

/* --- names --- */

static bool ends_in(const char *name, size_t bytes, const char *suffix)
{
    size_t count = strlen(suffix);

    return bytes > count && !memcmp(name + bytes - count, suffix, count);
}

static size_t without_compression(const char *name)
{
    static const char *const suffixes[] = {".gz", ".df", ".xz", ".zip", ".bz2", ".zst"};
    size_t bytes = strlen(name);

    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++)
        if (ends_in(name, bytes, suffixes[i]))
            return bytes - strlen(suffixes[i]);
    return bytes;
}

static enum what what_is(const char *name)
{
    size_t all = strlen(name), bytes = without_compression(name);

    if (ends_in(name, all, ".map") || !strcmp(name, PYTHON_MAP))
        return MAP;
    if (ends_in(name, bytes, ".dat"))
        return TEXT;
    if (ends_in(name, bytes, ".bin"))
        return BINARY;
    /* Java's writer puts the suffix of the compression in place of the other. */
    return bytes < all ? UNCLEAR : OTHER;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->name, ((const struct file *)b)->name);
}

static void add_file(struct log *log, const char *name, enum what what)
{
    log->files = kp_grow(log->files, &log->capacity, log->count, sizeof *log->files);
    log->files[log->count++] = (struct file){kp_copy_text(name), what};
    log->python |= !strcmp(name, PYTHON_MAP);
}

static void free_log(struct log *log)
{
    for (size_t i = 0; i < log->count; i++)
        free(log->files[i].name);
    free(log->files);
    *log = (struct log){0};
}

static bool is_folder(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

/* What is in the directory; false: errno. `all`: files of any name, for logs whose names say nothing. */
static bool list_files(struct log *log, const char *path, bool all)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;

    *log = (struct log){.path = path};
    if (!folder)
        return false;
    while ((entry = readdir(folder))) {
        enum what what = what_is(entry->d_name);
        char *whole;

        if (*entry->d_name == '.' || (what == OTHER && !all))
            continue;
        whole = kp_format_text("%s/%s", path, entry->d_name);
        if (!is_folder(whole))
            add_file(log, entry->d_name, what == OTHER ? UNCLEAR : what);
        free(whole);
    }
    closedir(folder);
    if (log->count)
        qsort(log->files, log->count, sizeof *log->files, by_name);
    return true;
}

static size_t count_files(const struct log *log, bool maps)
{
    size_t count = 0;

    for (size_t i = 0; i < log->count; i++)
        count += (log->files[i].what == MAP) == maps;
    return count;
}

/* --- from files to records --- */

static enum kp_status write_chunk(void *user, const void *bytes, size_t count)
{
    return kp_source_append(user, bytes, count);
}

static void show_progress(struct conversion *conversion, const struct kp_kieker_decoder *decoder)
{
    if (!conversion->progress || !kp_progress_due(conversion->progress))
        return;
    kp_progress_draw(conversion->progress, conversion->done_bytes + kp_kieker_decoder_position(decoder),
                     conversion->total_bytes,
                     conversion->calls + kp_kieker_import_counts(conversion->import)->calls);
}

static void tell_unreadable(struct conversion *conversion, const char *name, uint64_t offset, const char *why)
{
    char text[512];

    snprintf(text, sizeof text, "cannot be read any further: %s", why);
    kp_kieker_import_damage(conversion->import, name, offset, text);
}

/* A whole map, which is small. */
static enum kp_status read_map(struct conversion *conversion, struct kp_kieker_log_reader *reader,
                               const char *path, const char *name)
{
    struct kp_kieker_decoder *decoder = kp_kieker_decoder_open(path);
    enum kp_status status;
    char *text = NULL;
    size_t used = 0, room = 0;
    ssize_t got = 0;

    if (!decoder) {
        tell_unreadable(conversion, name, 0, strerror(errno));
        return KP_OK;
    }
    while (used < MAP_BYTES && (got = kp_kieker_decoder_read(decoder, conversion->block, BLOCK_BYTES)) > 0) {
        if (room - used < (size_t)got) {
            room = 2 * room + (size_t)got;
            text = kp_resize(text, room);
        }
        memcpy(text + used, conversion->block, (size_t)got);
        used += (size_t)got;
    }
    if (got < 0)
        tell_unreadable(conversion, name, used, kp_kieker_decoder_error(decoder));
    conversion->done_bytes += kp_kieker_decoder_position(decoder);
    kp_kieker_decoder_close(decoder);
    status = kp_kieker_log_reader_map(reader, name, text ? text : "", used);
    free(text);
    return status;
}

/* A record begins with the number of its class, which is never so large that its first byte is no 0. */
static bool looks_binary(const char *bytes, size_t count)
{
    return count && *bytes == 0;
}

static enum kp_status read_data(struct conversion *conversion, struct kp_kieker_log_reader *reader,
                                const char *path, const struct file *file)
{
    struct kp_kieker_decoder *decoder = kp_kieker_decoder_open(path);
    enum kp_status status = KP_OK;
    uint64_t decoded = 0;
    ssize_t got = 0;

    if (!decoder) {
        tell_unreadable(conversion, file->name, 0, strerror(errno));
        return KP_OK;
    }
    while (status == KP_OK && (got = kp_kieker_decoder_read(decoder, conversion->block, BLOCK_BYTES)) > 0) {
        if (decoded == 0)
            kp_kieker_log_reader_begin(
                reader, file->name,
                file->what == BINARY ||
                    (file->what == UNCLEAR && looks_binary(conversion->block, (size_t)got)));
        decoded += (uint64_t)got;
        status = kp_kieker_log_reader_data(reader, conversion->block, (size_t)got);
        show_progress(conversion, decoder);
    }
    if (decoded && status == KP_OK)
        status = kp_kieker_log_reader_end(reader);
    if (got < 0)
        tell_unreadable(conversion, file->name, decoded, kp_kieker_decoder_error(decoder));
    conversion->done_bytes += kp_kieker_decoder_position(decoder);
    kp_kieker_decoder_close(decoder);
    return status;
}

static enum kp_status read_files(struct conversion *conversion, struct kp_kieker_log_reader *reader,
                                 const struct log *log, bool maps)
{
    enum kp_status status = KP_OK;

    for (size_t i = 0; i < log->count && status == KP_OK; i++) {
        const struct file *file = &log->files[i];
        char *path;

        if ((file->what == MAP) != maps)
            continue;
        path = kp_format_text("%s/%s", log->path, file->name);
        status =
            maps ? read_map(conversion, reader, path, file->name) : read_data(conversion, reader, path, file);
        free(path);
    }
    return status;
}

/* --- a log --- */

static enum kp_status convert(struct conversion *conversion, const struct log *log)
{
    const struct kp_kieker_import_options options = {
        .name = log->path, .write = write_chunk, .user = conversion->source};
    struct kp_kieker_import *import = kp_kieker_import_create(&options);
    struct kp_kieker_log_reader *reader =
        import ? kp_kieker_log_reader_create(&kp_kieker_import_ops, import, NULL) : NULL;
    enum kp_status status = reader ? KP_OK : KP_ERROR_NO_MEMORY, end;

    conversion->import = import;
    if (status == KP_OK)
        status = read_files(conversion, reader, log, true);
    if (status == KP_OK)
        status = read_files(conversion, reader, log, false);
    if (reader) {
        const struct kp_kieker_import_counts *counts = kp_kieker_import_counts(import);

        /* KP_END: the import refused, and says why. */
        end = kp_kieker_import_finish(import, NULL);
        if (status == KP_OK || status == KP_END)
            status = end;
        conversion->records += counts->records;
        conversion->damages += counts->damages;
        conversion->calls += counts->calls;
        conversion->logs++;
    }
    kp_kieker_log_reader_destroy(reader);
    kp_kieker_import_destroy(import);
    return status;
}

static uint64_t bytes_of(const struct log *log)
{
    uint64_t bytes = 0;

    for (size_t i = 0; i < log->count; i++) {
        char *path = kp_format_text("%s/%s", log->path, log->files[i].name);
        struct stat info;

        bytes += stat(path, &info) == 0 ? (uint64_t)info.st_size : 0;
        free(path);
    }
    return bytes;
}

static enum kp_status refuse(enum kp_status status, char *error, size_t error_bytes, const char *path,
                             const char *why)
{
    snprintf(error, error_bytes, "%s: %s", path, why);
    return status;
}

static enum kp_status convert_log(struct conversion *conversion, struct log *log, char *error,
                                  size_t error_bytes)
{
    enum kp_status status;

    if (!count_files(log, false))
        return refuse(KP_ERROR_EMPTY, error, error_bytes, log->path,
                      "a Kieker log without data (*.dat, *.bin)");
    conversion->total_bytes += bytes_of(log);
    status = convert(conversion, log);
    if (status != KP_OK)
        return refuse(status, error, error_bytes, log->path,
                      status == KP_ERROR_SYSTEM ? strerror(errno) : kp_status_text(status));
    return KP_OK;
}

/* --- directories --- */

/* What it has beside the map is nothing, or empty. */
static bool is_bare(const struct log *log)
{
    bool map = false, data = false;

    for (size_t i = 0; i < log->count; i++) {
        char *path = kp_format_text("%s/%s", log->path, log->files[i].name);
        struct stat info;

        if (log->files[i].what == MAP)
            map = true;
        else
            data |= stat(path, &info) != 0 || info.st_size > 0;
        free(path);
    }
    return map && !data;
}

bool kp_kieker_archive_is_bare(const char *path)
{
    struct log log;
    bool bare = is_folder(path) && list_files(&log, path, true);

    if (bare) {
        bare = is_bare(&log);
        free_log(&log);
    }
    return bare;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static enum kp_status convert_folder(struct conversion *conversion, const char *path, unsigned depth,
                                     char *error, size_t error_bytes);

/* As the original tools do: logs below a directory that is none. */
static enum kp_status convert_below(struct conversion *conversion, const char *path, unsigned depth,
                                    char *error, size_t error_bytes)
{
    DIR *folder = opendir(path);
    const struct dirent *entry;
    enum kp_status status = KP_OK;
    char **paths = NULL;
    size_t count = 0, capacity = 0;

    if (!folder)
        return refuse(KP_ERROR_SYSTEM, error, error_bytes, path, strerror(errno));
    while ((entry = readdir(folder)))
        if (*entry->d_name != '.' && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN)) {
            paths = kp_grow(paths, &capacity, count, sizeof *paths);
            paths[count++] = kp_format_text("%s/%s", path, entry->d_name);
        }
    closedir(folder);
    if (count)
        qsort(paths, count, sizeof *paths, compare_names);
    for (size_t i = 0; i < count; i++) {
        if (status == KP_OK && is_folder(paths[i]) && !kp_kieker_archive_is_bare(paths[i]))
            status = convert_folder(conversion, paths[i], depth + 1, error, error_bytes);
        free(paths[i]);
    }
    free(paths);
    return status;
}

static enum kp_status convert_folder(struct conversion *conversion, const char *path, unsigned depth,
                                     char *error, size_t error_bytes)
{
    struct log log;
    enum kp_status status;

    if (!list_files(&log, path, false))
        return refuse(KP_ERROR_SYSTEM, error, error_bytes, path, strerror(errno));
    if (log.python) {
        free_log(&log);
        list_files(&log, path, true);
    }
    if (count_files(&log, true))
        status = convert_log(conversion, &log, error, error_bytes);
    else
        status = depth < DEEPEST ? convert_below(conversion, path, depth, error, error_bytes) : KP_OK;
    free_log(&log);
    return status;
}

/* --- one file of a log --- */

/* Its directory, with this file and the maps alone. */
static bool find_beside(struct log *log, const char *path, char **folder)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t kept = 0;

    *folder =
        slash ? kp_format_text("%.*s", (int)(slash == path ? 1 : slash - path), path) : kp_copy_text(".");
    if (!list_files(log, *folder, true))
        return false;
    for (size_t i = 0; i < log->count; i++)
        if (log->files[i].what == MAP || !strcmp(log->files[i].name, name))
            log->files[kept++] = log->files[i];
        else
            free(log->files[i].name);
    log->count = kept;
    return count_files(log, true) && count_files(log, false);
}

static bool is_trace(const char *path)
{
    char head[8] = "";
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, head, sizeof head);

    if (fd >= 0)
        close(fd);
    return got < 2 || !memcmp(head, KP_PREAMBLE_MAGIC, 8);
}

static bool is_data(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    enum what what = what_is(name);

    return what != MAP && (what != OTHER || !ends_in(name, strlen(name), ".kpt")) && !is_trace(path);
}

static enum kp_status convert_path(struct conversion *conversion, const char *path, bool folder, char *error,
                                   size_t error_bytes)
{
    struct log log = {0};
    char *place = NULL;
    enum kp_status status = KP_ERROR_FOREIGN;

    if (folder)
        return convert_folder(conversion, path, 0, error, error_bytes);
    if (find_beside(&log, path, &place))
        status = convert_log(conversion, &log, error, error_bytes);
    free_log(&log);
    free(place);
    return status;
}

static enum kp_status check_result(const struct conversion *conversion, const char *path, char *error,
                                   size_t error_bytes)
{
    if (!conversion->logs)
        return refuse(KP_ERROR_FOREIGN, error, error_bytes, path,
                      "a directory, not a trace; and no Kieker log, since neither it nor a directory in it "
                      "has a *.map");
    if (!conversion->records && !conversion->damages)
        return refuse(KP_ERROR_EMPTY, error, error_bytes, path, "a Kieker log without a record");
    return KP_OK;
}

enum kp_status kp_kieker_archive_open(void *progress, struct kp_source *source, const char *path, char *error,
                                      size_t error_bytes)
{
    struct conversion conversion = {.source = source, .progress = progress};
    bool folder = is_folder(path);
    enum kp_status status;
    struct stat info;

    if (!folder && (!strcmp(path, "-") || stat(path, &info) || !S_ISREG(info.st_mode) || !is_data(path)))
        return kp_source_open(source, path, error, error_bytes);
    if (kp_source_temporary(source) != KP_OK)
        return refuse(KP_ERROR_SYSTEM, error, error_bytes, path, strerror(errno));
    conversion.block = kp_allocate(BLOCK_BYTES);
    status = convert_path(&conversion, path, folder, error, error_bytes);
    free(conversion.block);
    if (status == KP_OK)
        status = check_result(&conversion, path, error, error_bytes);
    if (status != KP_OK)
        kp_source_close(source);
    if (status == KP_ERROR_FOREIGN && !folder)
        return kp_source_open(source, path, error, error_bytes);
    return status;
}
