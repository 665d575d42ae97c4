/*
 * kieker-text: and kieker-binary: - a log as Kieker's FileWriter makes it, written while the program runs.
 * What a chunk has is in the log before it counts as written. A process that is killed leaves a log that ends
 * in the middle of its traces, and in shared memory what is not in it: `kprobe recover` makes a trace of
 * that, DIR.kpt, or the traced parent process does.
 */
#include "sink.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "core.h"
#include "log.h"
#include "trace/chunk.h"
#include "trace/kieker/log.h"
#include "trace/kieker/traces.h"

#define ALL_OF_A_CHUNK (1u << 30) /* bytes: nothing is handed out before the chunk is taken */

static struct {
    int pid; /* whose state this is: a forked child starts with nothing, and leaves that of its parent alone
              */
    char path[KP_SHM_OUTPUT_BYTES];
    struct kp_kieker_log *log;
    struct kp_kieker_output *output;
    struct kp_kieker_traces *traces;
    struct kp_kieker_section *section;
    uint8_t uuid[16];
} live;

static enum kp_status fail(const char *what)
{
    kp_log(KP_LEVEL_ERROR, "cannot %s %s: %s", what, live.path, strerror(errno));
    return KP_ERROR_SYSTEM;
}

/* Where the rest of a process that died is put. */
static bool log_place(const struct kp_shm_control *shm, const char *rest, char *out, size_t room)
{
    (void)shm;
    if (!kp_sink_expand(rest, out, room) || strlen(out) + sizeof ".kpt" > room)
        return false;
    for (size_t bytes = strlen(out); bytes > 1 && out[bytes - 1] == '/'; bytes--)
        out[bytes - 1] = '\0';
    strcat(out, ".kpt");
    return true;
}

/* A folder that has no log yet: the one that was asked for, or with .1, .2 ... behind it. */
static enum kp_status open_log(const char *place, enum kp_kieker_form form)
{
    int bytes = (int)(strlen(place) - strlen(".kpt"));
    enum kp_status status = KP_ERROR_VALUE;

    for (int n = 0; n < 100000 && status == KP_ERROR_VALUE; n++) {
        if (n)
            snprintf(live.path, sizeof live.path, "%.*s.%d", bytes, place, n);
        else
            snprintf(live.path, sizeof live.path, "%.*s", bytes, place);
        status = kp_kieker_log_open(&live.log, live.path, form, NULL);
        if (n == 1)
            kp_log(KP_LEVEL_INFO, "%.*s has a log: a new one goes beside it", bytes, place);
    }
    return status == KP_OK ? KP_OK : fail("write");
}

static bool make_writer(enum kp_kieker_form form)
{
    static const struct kp_kieker_traces_options options = {.host = NULL};

    live.output = kp_kieker_output_create(form, &kp_kieker_log_ops, live.log);
    if (!live.output)
        return false;
    kp_kieker_output_limit(live.output, ALL_OF_A_CHUNK, 0);
    live.traces = kp_kieker_traces_create(live.output, &options);
    return live.traces != NULL;
}

static enum kp_status start(const char *place, enum kp_kieker_form form)
{
    enum kp_status status;

    memset(&live, 0, sizeof live);
    status = open_log(place, form);
    if (status == KP_OK && !make_writer(form)) {
        errno = ENOMEM;
        status = fail("write");
    }
    live.pid = status == KP_OK ? kp_core.pid : 0;
    return status;
}

static enum kp_status begin_section(void)
{
    if (live.section)
        kp_kieker_section_end(live.section);
    live.section = kp_kieker_section_begin(live.traces);
    memcpy(live.uuid, kp_core.shm->uuid, sizeof live.uuid);
    snprintf(kp_core.shm->output, sizeof kp_core.shm->output, "%.*s.kpt", KP_SHM_OUTPUT_BYTES - 8, live.path);
    errno = ENOMEM;
    return live.section ? KP_OK : fail("write");
}

static enum kp_status open_form(const char *place, bool resume, enum kp_kieker_form form)
{
    enum kp_status status;

    if (!resume || live.pid != kp_core.pid)
        status = start(place, form);
    else
        status = kp_kieker_log_resume(live.log) == KP_OK ? KP_OK : fail("go on with");
    if (status == KP_OK && (!live.section || memcmp(live.uuid, kp_core.shm->uuid, sizeof live.uuid) != 0))
        status = begin_section();
    return status;
}

static enum kp_status open_text(const char *rest, const char *place, bool resume)
{
    (void)rest;
    return open_form(place, resume, KP_KIEKER_TEXT);
}

static enum kp_status open_binary(const char *rest, const char *place, bool resume)
{
    (void)rest;
    return open_form(place, resume, KP_KIEKER_BINARY);
}

/* A log has no place to say it. */
static void tell_losses(void)
{
    const struct kp_kieker_counts *counts = kp_kieker_traces_counts(live.traces);

    if (counts->calls_lost)
        kp_log(KP_LEVEL_WARN, "%s: %llu calls are not in the log: the rings were full", live.path,
               (unsigned long long)counts->calls_lost);
}

/*
 * What did not fit into the log before goes first. A chunk that was taken and did not fit is given again,
 * perhaps with more events behind: the section knows those it has.
 */
static enum kp_status log_write(const void *data, size_t bytes)
{
    const struct kp_chunk_header *header = data;
    enum kp_status status = kp_kieker_output_flush(live.output);

    if (status == KP_OK && bytes > sizeof(struct kp_preamble))
        status = kp_kieker_section_chunk(live.section, header, header + 1);
    if (status == KP_OK || status == KP_ERROR_DAMAGED)
        status = kp_kieker_output_flush(live.output);
    if (status == KP_OK && header->type == KP_CHUNK_END && bytes > sizeof(struct kp_preamble))
        tell_losses();
    if (status != KP_OK && status != KP_ERROR_FULL)
        fail("write");
    return status;
}

static void log_close(void)
{
    if (live.log)
        kp_kieker_log_suspend(live.log);
}

#define SLOTS .converts = true, .place = log_place, .write = log_write, .close = log_close

const struct kp_sink kp_sink_kieker_text = {SLOTS, .open = open_text};
const struct kp_sink kp_sink_kieker_binary = {SLOTS, .open = open_binary};
