/*
 * A section in parts (--rotate-size, --rotate-every). When its file is large or old, a chunk NEXT ends it,
 * and another one goes on: with the section's PROCESS, definitions and clock, so that it can be read alone.
 *
 * The next part is made under another name, then the old one gets its NEXT, then the new one its name. Killed
 * in between, the server finds a part that says NEXT and makes the one behind it from that.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "output_trace.h"
#include "server.h"
#include "trace/chunk.h"
#include "util/memory.h"

enum { RETRY_MS = 1000 };

bool kp_trace_part_is_due(const struct kp_output_trace *output, const struct kp_known_section *section)
{
    const struct kp_serve_settings *settings = output->output.server->settings;
    uint64_t now_ms = uv_now(&output->output.server->loop), bytes = section->file.bytes;
    /* Not half of a file may be repetition. */
    bool large =
        settings->rotate_bytes && bytes >= settings->rotate_bytes && bytes >= 2 * section->head_bytes;
    bool old = settings->rotate_ms && now_ms - section->began_ms >= settings->rotate_ms;
    return (large || old) && !settings->merge && now_ms - section->tried_ms >= RETRY_MS;
}

/* --- what a part begins with ---------------------------------------------------------------------------- */

struct head {
    struct kp_trace_file *file; /* the new part */
    int from;                   /* the one before it */
    uint64_t end;               /* of its chunks */
    uint32_t part, first_chunk;
    uint64_t first_clock, newest_clock; /* where they are: they make the line that times are on */
    uint64_t window_at;
    size_t window_bytes, out_bytes;
    uint8_t window[16 << 10], out[256 << 10];
};

/* At least `need` bytes of the part before from `at` on, as many as are in the window; 0 with errno. */
static size_t look(struct head *head, uint64_t at, size_t need, const uint8_t **bytes)
{
    if (at < head->window_at || at + need > head->window_at + head->window_bytes) {
        ssize_t count = pread(head->from, head->window, sizeof head->window, (off_t)at);
        head->window_at = at;
        head->window_bytes = count > 0 ? (size_t)count : 0;
        if (head->window_bytes < need) {
            errno = count < 0 ? errno : EIO;
            return 0;
        }
    }
    *bytes = head->window + (at - head->window_at);
    return (size_t)(head->window_at + head->window_bytes - at);
}

static enum kp_status flush(struct head *head)
{
    enum kp_status status = kp_trace_file_append(head->file, head->out, head->out_bytes);
    head->out_bytes = 0;
    return status;
}

static enum kp_status put(struct head *head, const void *bytes, size_t count)
{
    enum kp_status status = KP_OK;
    while (count && status == KP_OK) {
        size_t room = sizeof head->out - head->out_bytes, some = count < room ? count : room;
        memcpy(head->out + head->out_bytes, bytes, some);
        head->out_bytes += some;
        bytes = (const uint8_t *)bytes + some;
        count -= some;
        if (head->out_bytes == sizeof head->out)
            status = flush(head);
    }
    return status;
}

static enum kp_status copy(struct head *head, uint64_t at, uint64_t count)
{
    enum kp_status status = KP_OK;
    const uint8_t *bytes;
    while (count && status == KP_OK) {
        size_t some = look(head, at, 1, &bytes);
        if (!some)
            return KP_ERROR_SYSTEM;
        some = some < count ? some : (size_t)count;
        status = put(head, bytes, some);
        at += some;
        count -= some;
    }
    return status;
}

static enum kp_status each_chunk(struct head *head,
                                 enum kp_status (*take)(struct head *head, uint64_t at,
                                                        const struct kp_chunk_header *header))
{
    struct kp_chunk_header header;
    enum kp_status status = KP_OK;
    const uint8_t *bytes;
    for (uint64_t at = sizeof(struct kp_preamble); at < head->end && status == KP_OK;
         at += sizeof header + header.payload_bytes) {
        if (!look(head, at, sizeof header, &bytes))
            return KP_ERROR_SYSTEM;
        memcpy(&header, bytes, sizeof header);
        errno = EIO;
        status = kp_chunk_header_valid(&header) ? take(head, at, &header) : KP_ERROR_SYSTEM;
    }
    return status;
}

static enum kp_status find_clock(struct head *head, uint64_t at, const struct kp_chunk_header *header)
{
    if (header->type == KP_CHUNK_CLOCK) {
        head->first_clock = head->first_clock ? head->first_clock : at;
        head->newest_clock = at;
    }
    return KP_OK;
}

static bool has_key(const char *line, const char *key)
{
    size_t bytes = strlen(key);
    return !strncmp(line, key, bytes) && line[bytes] == '=';
}

/* The lines of the part before, but for those that tell which part that was. Changes `text`. */
static char *process_text(const struct head *head, char *text)
{
    char *to = text;
    for (char *line = text, *next; *line; line = next) {
        char *end = strchr(line, '\n');
        next = end ? end + 1 : line + strlen(line);
        if (has_key(line, "part") || has_key(line, "first_chunk"))
            continue;
        memmove(to, line, (size_t)(next - line));
        to += next - line;
    }
    *to = 0;
    return kp_format_text("%s%spart=%" PRIu32 "\nfirst_chunk=%" PRIu32 "\n", text,
                          to > text && to[-1] != '\n' ? "\n" : "", head->part, head->first_chunk);
}

static enum kp_status put_process(struct head *head, uint64_t at, const struct kp_chunk_header *header)
{
    struct kp_chunk_header *chunk = NULL;
    enum kp_status status = KP_ERROR_SYSTEM;
    char *payload = kp_allocate((size_t)header->payload_bytes + 1), *text;
    ssize_t count = pread(head->from, payload, header->payload_bytes, (off_t)(at + sizeof *header));
    if (count == (ssize_t)header->payload_bytes) {
        payload[count] = 0;
        text = process_text(head, payload);
        size_t bytes = strlen(text);
        chunk = kp_allocate(sizeof *chunk + bytes);
        memcpy(chunk + 1, text, bytes);
        kp_chunk_seal(chunk, KP_CHUNK_PROCESS, 0, (uint32_t)bytes);
        status = put(head, chunk, sizeof *chunk + bytes);
        free(text);
    }
    free(chunk);
    free(payload);
    return status;
}

static enum kp_status repeat_chunk(struct head *head, uint64_t at, const struct kp_chunk_header *header)
{
    bool is_needed = header->type == KP_CHUNK_DEFS || at == head->first_clock || at == head->newest_clock;
    if (header->type == KP_CHUNK_PROCESS)
        return put_process(head, at, header);
    return is_needed ? copy(head, at, sizeof *header + (uint64_t)header->payload_bytes) : KP_OK;
}

static enum kp_status put_head(struct head *head, uint16_t minor)
{
    struct kp_preamble preamble;
    kp_preamble_fill(&preamble);
    preamble.minor = minor > preamble.minor ? minor : preamble.minor;
    enum kp_status status = each_chunk(head, find_clock);
    if (status == KP_OK)
        status = put(head, &preamble, sizeof preamble);
    if (status == KP_OK)
        status = each_chunk(head, repeat_chunk);
    return status == KP_OK ? flush(head) : status;
}

/* The new part, complete up to where it goes on, without its name. */
static enum kp_status prepare(const struct kp_known_section *section, struct kp_trace_file *file,
                              uint16_t minor)
{
    char *path = kp_format_text("%s.new", section->file.path);
    struct head *head = kp_allocate_cleared(1, sizeof *head);
    head->file = file;
    head->from = open(section->file.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    head->end = section->file.bytes;
    head->part = section->part + 1;
    head->first_chunk = (uint32_t)section->chunks;
    enum kp_status status = kp_trace_file_prepare(file, path);
    if (status == KP_OK)
        status = head->from < 0 ? KP_ERROR_SYSTEM : put_head(head, minor);
    if (head->from >= 0)
        close(head->from);
    free(head);
    free(path);
    return status;
}

/* --- from one part to the next -------------------------------------------------------------------------- */

static enum kp_status put_next(struct kp_known_section *section)
{
    struct {
        struct kp_chunk_header header;
        uint32_t part;
    } chunk = {.part = section->part + 1};
    if (section->turned)
        return KP_OK;
    kp_chunk_seal(&chunk.header, KP_CHUNK_NEXT, (uint32_t)section->chunks, sizeof chunk.part);
    enum kp_status status =
        kp_trace_file_append(&section->file, &chunk, sizeof chunk.header + sizeof chunk.part);
    section->turned = status == KP_OK;
    return status;
}

/* "app.kpt" to "app.1.kpt", "app.1.kpt" to "app.2.kpt". */
static char *next_name(const struct kp_known_section *section)
{
    const char *name = strrchr(section->file.path, '/') + 1, *ending = strrchr(name, '.');
    size_t stem = ending ? (size_t)(ending - name) : strlen(name);
    char own[16];
    size_t bytes = (size_t)snprintf(own, sizeof own, ".%" PRIu32, section->part);
    if (section->part && stem > bytes && !memcmp(name + stem - bytes, own, bytes))
        stem -= bytes;
    return kp_format_text("%.*s.%" PRIu32 "%s", (int)stem, name, section->part + 1, KP_TRACE_ENDING);
}

static enum kp_status turn(struct kp_output_trace *output, struct kp_known_section *section,
                           struct kp_trace_file *file, uint16_t minor)
{
    char *name = next_name(section);
    enum kp_status status = prepare(section, file, minor);
    if (status == KP_OK)
        status = put_next(section);
    if (status == KP_OK)
        status = kp_trace_file_publish(file, output->folder, name);
    free(name);
    return status;
}

enum kp_status kp_trace_part_begin(struct kp_output_trace *output, struct kp_known_section *section,
                                   uint16_t minor)
{
    struct kp_metrics *metrics = &output->output.server->metrics;
    struct kp_trace_file file = {.fd = -1};
    enum kp_status status = turn(output, section, &file, minor);
    if (status != KP_OK) {
        int error = errno;
        kp_journal(KP_JOURNAL_OUTPUT, "%s: no next part: %s", section->file.path, strerror(error));
        section->tried_ms = uv_now(&output->output.server->loop);
        if (file.fd >= 0)
            unlink(file.path);
        kp_trace_file_free(&file);
        errno = error;
        /* Without NEXT it goes on as it is. */
        return section->turned ? status : KP_OK;
    }
    kp_trace_file_free(&section->file);
    section->file = file;
    section->head_bytes = file.bytes;
    section->part++;
    section->turned = false;
    section->began_ms = uv_now(&output->output.server->loop);
    metrics->rotations++;
    metrics->files_opened++;
    metrics->bytes_written += file.bytes;
    return KP_OK;
}
