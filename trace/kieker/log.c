#include "log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "trace/file_io.h"

#define NAME_BYTES   96
#define SUFFIX_BYTES 8

struct kp_kieker_log {
    struct kp_kieker_log_options options;
    enum kp_kieker_form form;
    int folder, map, data; /* file descriptors, -1: none */
    char *path;            /* of the folder */
    char name[NAME_BYTES]; /* of the data file */
    bool resumable;        /* it was open */
    uint64_t map_bytes, data_bytes;
    uint64_t taken_bytes, records; /* of the data file, before compression */
    time_t started;
    unsigned counter;
    void *filter;
    /* Those that are kept, the oldest first; only with a limit. */
    char (*names)[NAME_BYTES];
    uint64_t name_count;
};

/* --- opening -------------------------------------------------------------------------------------- */

static bool is_map(const char *name)
{
    size_t bytes = strlen(name);

    return bytes >= 4 && strcmp(name + bytes - 4, ".map") == 0;
}

/* A log never mixes with another: 1 when there is one, -1 and errno when that cannot be told. */
static int has_map(int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), found = 0;
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    const struct dirent *entry;

    if (!directory) {
        if (copy >= 0)
            close(copy);
        return -1;
    }
    while (!found && (entry = readdir(directory)))
        found = is_map(entry->d_name);
    closedir(directory);
    return found;
}

static int fail(struct kp_kieker_log *log, int error)
{
    if (log->map >= 0)
        close(log->map);
    if (log->folder >= 0)
        close(log->folder);
    free(log->names);
    free(log->path);
    free(log);
    errno = error;
    return -1;
}

static int open_folder(struct kp_kieker_log *log, const char *path)
{
    int found;

    if (mkdir(path, 0700) && errno != EEXIST)
        return fail(log, errno);
    log->folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->folder < 0)
        return fail(log, errno);
    found = has_map(log->folder);
    if (found)
        return fail(log, found < 0 ? errno : EEXIST);
    log->map = openat(log->folder, "kieker.map", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return log->map < 0 ? fail(log, errno) : 0;
}

enum kp_status kp_kieker_log_open(struct kp_kieker_log **out, const char *path, enum kp_kieker_form form,
                                  const struct kp_kieker_log_options *options)
{
    struct kp_kieker_log *log = calloc(1, sizeof *log);

    *out = NULL;
    if (!log)
        return KP_ERROR_NO_MEMORY;
    if (options)
        log->options = *options;
    log->form = form;
    log->folder = log->map = log->data = -1;
    if (log->options.files_kept) {
        log->names = calloc((size_t)log->options.files_kept, sizeof *log->names);
        if (!log->names) {
            fail(log, ENOMEM);
            return KP_ERROR_NO_MEMORY;
        }
    }
    log->path = strdup(path);
    if (!log->path) {
        fail(log, ENOMEM);
        return KP_ERROR_NO_MEMORY;
    }
    if (open_folder(log, path) < 0)
        return errno == EEXIST ? KP_ERROR_VALUE : KP_ERROR_SYSTEM;
    *out = log;
    return KP_OK;
}

/* --- data files ------------------------------------------------------------------------------------ */

/* Civil date of a day since 1970 (Howard Hinnant's days_from_civil, backwards): no lock of the C library's,
 * which may be held in a forked child. */
static void date_of(int64_t day, int *year, unsigned *month, unsigned *day_of_month)
{
    int64_t shifted = day + 719468, era = (shifted >= 0 ? shifted : shifted - 146096) / 146097;
    unsigned of_era = (unsigned)(shifted - era * 146097);
    unsigned year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    unsigned of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    unsigned shifted_month = (5 * of_year + 2) / 153;

    *day_of_month = of_year - (153 * shifted_month + 2) / 5 + 1;
    *month = shifted_month < 10 ? shifted_month + 3 : shifted_month - 9;
    *year = (int)(year_of_era + era * 400 + (*month <= 2));
}

static void make_name(struct kp_kieker_log *log, char name[NAME_BYTES], struct timespec now)
{
    const char *suffix = log->options.suffix ? log->options.suffix : "";
    int64_t seconds = now.tv_sec;
    unsigned month, day, of_day = (unsigned)(seconds % 86400);
    int year;

    date_of(seconds / 86400, &year, &month, &day);
    snprintf(name, NAME_BYTES, "kieker-%04d%02u%02u-%02u%02u%02u%03u-UTC-%03u.%s%.*s", year, month, day,
             of_day / 3600, of_day / 60 % 60, of_day % 60, (unsigned)(now.tv_nsec / 1000000), log->counter,
             log->form == KP_KIEKER_TEXT ? "dat" : "bin", SUFFIX_BYTES, suffix);
}

static enum kp_status close_data(struct kp_kieker_log *log)
{
    bool good = true;

    if (log->data < 0)
        return KP_OK;
    if (log->filter)
        good = log->options.filter_close(log->filter);
    log->filter = NULL;
    good &= close(log->data) == 0;
    log->data = -1;
    return good ? KP_OK : KP_ERROR_SYSTEM;
}

static void forget_oldest(struct kp_kieker_log *log, const char *name)
{
    if (!log->names)
        return;
    if (log->name_count == log->options.files_kept) {
        unlinkat(log->folder, log->names[0], 0);
        log->name_count--;
        memmove(log->names, log->names + 1, (size_t)log->name_count * sizeof *log->names);
    }
    memcpy(log->names[log->name_count++], name, NAME_BYTES);
}

static enum kp_status refused(void)
{
    return errno == EAGAIN ? KP_ERROR_FULL : kp_file_status(errno);
}

static enum kp_status open_data(struct kp_kieker_log *log)
{
    char name[NAME_BYTES];
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    log->counter++;
    make_name(log, name, now);
    log->data = openat(log->folder, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (log->data < 0)
        return refused();
    memcpy(log->name, name, sizeof log->name);
    log->data_bytes = log->taken_bytes = log->records = 0;
    log->started = now.tv_sec;
    if (log->options.filter_open && !(log->filter = log->options.filter_open(log->data))) {
        close(log->data);
        log->data = -1;
        unlinkat(log->folder, name, 0);
        return KP_ERROR_NO_MEMORY;
    }
    forget_oldest(log, name);
    return KP_OK;
}

static bool is_over(const struct kp_kieker_log *log, size_t bytes, uint64_t records)
{
    const struct kp_kieker_log_options *options = &log->options;

    return log->records &&
           ((options->records_per_file && log->records + records > options->records_per_file) ||
            (options->bytes_per_file && log->taken_bytes + bytes > options->bytes_per_file));
}

/* --- writing --------------------------------------------------------------------------------------- */

/* All or nothing: what was written of it is taken back. */
static enum kp_status append(int file, uint64_t *size, const void *bytes, size_t count)
{
    if (kp_file_write_at(file, *size, bytes, count) < count) {
        enum kp_status status = refused();
        int error = errno;

        if (ftruncate(file, (off_t)*size))
            status = KP_ERROR_SYSTEM;
        errno = error;
        return status;
    }
    *size += count;
    return KP_OK;
}

static enum kp_status take_map(void *user, const void *bytes, size_t count)
{
    struct kp_kieker_log *log = user;

    return append(log->map, &log->map_bytes, bytes, count);
}

static enum kp_status take_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    struct kp_kieker_log *log = user;
    enum kp_status status = is_over(log, count, records) ? close_data(log) : KP_OK;

    if (status == KP_OK && log->data < 0)
        status = open_data(log);
    if (status != KP_OK)
        return status;
    if (log->filter)
        status = log->options.filter_write(log->filter, bytes, count) ? KP_OK : KP_ERROR_SYSTEM;
    else
        status = append(log->data, &log->data_bytes, bytes, count);
    if (status != KP_OK)
        return status;
    log->taken_bytes += count;
    log->records += records;
    return KP_OK;
}

const struct kp_kieker_output_ops kp_kieker_log_ops = {.map = take_map, .data = take_data};

/* --- ends ------------------------------------------------------------------------------------------ */

enum kp_status kp_kieker_log_tick(struct kp_kieker_log *log)
{
    struct timespec now;

    if (!log->options.seconds_per_file || log->data < 0)
        return KP_OK;
    clock_gettime(CLOCK_REALTIME, &now);
    if ((uint64_t)(now.tv_sec - log->started) < log->options.seconds_per_file)
        return KP_OK;
    return close_data(log);
}

void kp_kieker_log_suspend(struct kp_kieker_log *log)
{
    log->resumable = log->data >= 0;
    if (log->data >= 0)
        close(log->data);
    close(log->map);
    close(log->folder);
    log->folder = log->map = log->data = -1;
}

enum kp_status kp_kieker_log_resume(struct kp_kieker_log *log)
{
    log->folder = open(log->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->folder >= 0)
        log->map = openat(log->folder, "kieker.map", O_WRONLY | O_CLOEXEC);
    if (log->map >= 0 && log->resumable)
        log->data = openat(log->folder, log->name, O_WRONLY | O_CLOEXEC);
    return log->map < 0 || (log->resumable && log->data < 0) ? KP_ERROR_SYSTEM : KP_OK;
}

static void close_rest(struct kp_kieker_log *log)
{
    close(log->map);
    close(log->folder);
    free(log->names);
    free(log->path);
    free(log);
}

void kp_kieker_log_forget(struct kp_kieker_log *log)
{
    if (!log)
        return;
    if (log->data >= 0)
        close(log->data);
    close_rest(log);
}

enum kp_status kp_kieker_log_close(struct kp_kieker_log *log)
{
    enum kp_status status = close_data(log);

    close_rest(log);
    return status;
}
