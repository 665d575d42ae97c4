/*
 * Output trace:FOLDER: kprobe traces, one file a peer, or several parts (output_trace_parts.c). With --merge
 * each one's file is a part in the making, and goes behind the others in one trace when it is complete.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file_name.h"
#include "journal.h"
#include "output_trace.h"
#include "peer.h"
#include "retention.h"
#include "server.h"
#include "trace/chunk.h"
#include "trace/leftover.h"
#include "trace/process_text.h"
#include "util/memory.h"

/* --- what stands in the folder ------------------------------------------------------------------------ */

static bool has_ending(const char *name, const char *ending)
{
    size_t bytes = strlen(name), tail = strlen(ending);
    return bytes > tail && !strcmp(name + bytes - tail, ending);
}

static int not_hidden(const struct dirent *entry)
{
    return has_ending(entry->d_name, KP_TRACE_ENDING) || has_ending(entry->d_name, KP_PART_ENDING) ||
           has_ending(entry->d_name, KP_NEW_ENDING);
}

/* Merged traces before parts: what is in both was merged, and the part not removed any more. */
static int by_kind(const struct dirent **left, const struct dirent **right)
{
    int one = has_ending((*left)->d_name, KP_PART_ENDING),
        other = has_ending((*right)->d_name, KP_PART_ENDING);
    return one != other ? one - other : strcmp((*left)->d_name, (*right)->d_name);
}

/*
 * A merged trace that ends in the middle of a section: its part is still there, whole. What is damaged or
 * foreign is left as it is; nothing is ever put behind it.
 */
static void cut_merged(struct kp_output_trace *output, const char *path,
                       const struct kp_sections_found *found)
{
    if (!found->cut_short)
        kp_journal(KP_JOURNAL_OUTPUT, "%s: what is behind byte %" PRIu64 " is no trace of ours", path,
                   found->whole_bytes);
    else if (truncate(path, (off_t)found->ended_bytes))
        kp_journal(KP_JOURNAL_OUTPUT, "%s: %s", path, strerror(errno));
    for (size_t i = 0; i < KP_SECTION_BUCKETS; i++)
        for (struct kp_known_section *at = output->sections.buckets[i], *next; at; at = next) {
            next = at->next;
            if (!at->ended && !strcmp(at->file.path, path))
                kp_sections_remove(&output->sections, at);
        }
}

/* A part whose making was broken off: it is made again from the one before it. */
static void remove_new(const char *path)
{
    char *before = kp_format_text("%.*s", (int)(strrchr(path, '.') - path), path);
    if (!access(before, F_OK))
        unlink(path);
    free(before);
}

static void read_file(struct kp_output_trace *output, const char *path)
{
    if (has_ending(path, KP_NEW_ENDING)) {
        remove_new(path);
        return;
    }
    struct kp_sections_found found = kp_sections_read(&output->sections, path);
    struct stat info;
    const char *name = strrchr(path, '/') + 1;
    if (found.repeated && found.whole_bytes == 0 && has_ending(path, KP_PART_ENDING))
        unlink(path);
    if (!strncmp(name, KP_MERGED_BEGIN, strlen(KP_MERGED_BEGIN)) && !lstat(path, &info) &&
        found.ended_bytes < (uint64_t)info.st_size)
        cut_merged(output, path, &found);
}

static bool read_folder(struct kp_output_trace *output, char *error, size_t bytes)
{
    struct dirent **entries;
    int count = scandir(output->folder, &entries, not_hidden, by_kind);
    if (count < 0) {
        snprintf(error, bytes, "'%s': %s", output->folder, strerror(errno));
        return false;
    }
    for (int i = 0; i < count; i++) {
        char *path = kp_format_text("%s/%s", output->folder, entries[i]->d_name);
        read_file(output, path);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return true;
}

static void free_output(struct kp_output_trace *output)
{
    kp_zstd_close(&output->zstd);
    kp_trace_file_free(&output->merged);
    kp_sections_free(&output->sections);
    free(output->folder);
    free(output);
}

static struct kp_output *open_output(struct kp_server *server, const char *place, char *error, size_t bytes)
{
    if (mkdir(place, 0700) && errno != EEXIST) {
        snprintf(error, bytes, "'%s': %s", place, strerror(errno));
        return NULL;
    }
    struct kp_output_trace *output = kp_allocate_cleared(1, sizeof *output);
    output->output.server = server;
    output->folder = kp_copy_text(place);
    output->merged.fd = -1;
    kp_zstd_open(&output->zstd, 1);
    if (!read_folder(output, error, bytes)) {
        free_output(output);
        return NULL;
    }
    kp_trace_merge_begin(output);
    return &output->output;
}

/* --- sections ----------------------------------------------------------------------------------------- */

/* Where the section goes on; one whose file is gone begins again. */
static bool reopen(struct kp_known_section *section)
{
    if (kp_trace_file_open(&section->file, section->file.path, section->file.bytes) == KP_OK)
        return true;
    if (errno != ENOENT)
        return false;
    kp_trace_file_free(&section->file);
    section->file.bytes = section->head_bytes = 0;
    section->chunks = section->part = 0;
    section->turned = false;
    return true;
}

static void section_open(struct kp_output *base, struct kp_peer *peer)
{
    struct kp_output_trace *output = (struct kp_output_trace *)base;
    struct kp_known_section *section = kp_sections_find(&output->sections, peer->native.uuid);
    /* It came again, and the end of the old connection did not reach us. */
    if (section && section->peer) {
        kp_peer_leave(section->peer);
        /* One without a chunk went with its peer. */
        section = kp_sections_find(&output->sections, peer->native.uuid);
    }
    if (!section)
        section = kp_sections_add(&output->sections, peer->native.uuid);
    if (section->chunks > 0 && !section->ended && section->chunks <= peer->native.made && !reopen(section)) {
        kp_journal(KP_JOURNAL_OUTPUT, "%s: %s", section->file.path, strerror(errno));
        kp_peer_answer(peer, KP_WIRE_FULL, 0);
        return;
    }
    section->began_ms = uv_now(&output->output.server->loop);
    section->peer = peer;
    peer->sink = section;
    kp_peer_answer(peer, KP_WIRE_GOOD, section->chunks);
}

static void describe(struct kp_file_facts *facts, const uint8_t *payload, size_t bytes)
{
    char value[4096];
    const char *text = (const char *)payload;
    *facts = (struct kp_file_facts){0};
    kp_process_text_get(text, bytes, "host", facts->host, sizeof facts->host);
    kp_process_text_get(text, bytes, "uuid", facts->uuid, sizeof facts->uuid);
    if (kp_process_text_get(text, bytes, "pid", value, sizeof value) > 0)
        facts->pid = strtoull(value, NULL, 10);
    if (kp_process_text_get(text, bytes, "start_ns", value, sizeof value) > 0)
        facts->start_s = strtoull(value, NULL, 10) / 1000000000u;
    if (kp_process_text_get(text, bytes, "exe", value, sizeof value) > 0) {
        const char *slash = strrchr(value, '/');
        snprintf(facts->program, sizeof facts->program, "%.60s", slash ? slash + 1 : value);
    }
}

enum kp_status kp_trace_make_file(struct kp_output_trace *output, struct kp_trace_file *file,
                                  const struct kp_file_facts *facts)
{
    const struct kp_serve_settings *settings = output->output.server->settings;
    char name[256 - 16];
    kp_file_name_expand(name, sizeof name - sizeof KP_TRACE_ENDING, settings->name, facts);
    size_t bytes = strlen(name);
    if (settings->merge)
        snprintf(name, sizeof name, "%s%s", facts->uuid, KP_PART_ENDING);
    else if (!has_ending(name, KP_TRACE_ENDING))
        snprintf(name + bytes, sizeof name - bytes, "%s", KP_TRACE_ENDING);
    enum kp_status status = kp_trace_file_create(file, output->folder, name);
    if (status == KP_OK)
        output->output.server->metrics.files_opened++;
    else
        kp_journal(KP_JOURNAL_OUTPUT, "no file can be made in %s: %s", output->folder, strerror(errno));
    return status;
}

/* The file of a section, with its preamble: made for its first chunk, which is PROCESS. */
static enum kp_status begin_file(struct kp_output_trace *output, struct kp_known_section *section,
                                 const struct kp_peer *peer, const uint8_t *bytes)
{
    struct kp_chunk_header header;
    struct kp_file_facts facts;
    struct kp_preamble preamble;
    memcpy(&header, bytes, sizeof header);
    describe(&facts, bytes + sizeof header, header.payload_bytes);
    enum kp_status status = kp_trace_make_file(output, &section->file, &facts);
    if (status != KP_OK)
        return status;
    kp_preamble_fill(&preamble);
    preamble.minor = peer->native.minor;
    status = kp_trace_file_append(&section->file, &preamble, sizeof preamble);
    if (status != KP_OK) {
        unlink(section->file.path);
        kp_trace_file_free(&section->file);
    }
    return status;
}

/* What fits of chunks that do not fit all together. */
static enum kp_status append_singly(struct kp_known_section *section, const uint8_t *bytes, size_t count)
{
    struct kp_chunk_header header;
    enum kp_status status = KP_OK;
    for (size_t at = 0; at < count && status == KP_OK; at += sizeof header + header.payload_bytes) {
        memcpy(&header, bytes + at, sizeof header);
        status = kp_trace_file_append(&section->file, bytes + at, sizeof header + header.payload_bytes);
        if (status == KP_OK)
            section->chunks = (uint64_t)header.number + 1;
    }
    return status;
}

static enum kp_status section_chunks(struct kp_output *base, struct kp_peer *peer, const uint8_t *bytes,
                                     size_t count, uint32_t chunks, const struct kp_chunk_header *last)
{
    struct kp_output_trace *output = (struct kp_output_trace *)base;
    struct kp_known_section *section = peer->sink;
    enum kp_status status = KP_OK;
    (void)chunks;
    if (section->ended)
        return KP_ERROR_DAMAGED;
    if (section->chunks == 0)
        status = begin_file(output, section, peer, bytes);
    else if (section->turned || (last->type != KP_CHUNK_END && kp_trace_part_is_due(output, section)))
        status = kp_trace_part_begin(output, section, peer->native.minor);
    uint64_t before = section->file.bytes;
    if (status == KP_OK)
        status = kp_trace_file_append(&section->file, bytes, count);
    if (status == KP_ERROR_FULL && section->file.path && !section->turned) /* nothing comes behind NEXT */
        status = append_singly(section, bytes, count);
    output->output.server->metrics.bytes_written += section->file.bytes - before;
    kp_peer_safe(peer, section->chunks);
    if (status != KP_OK) {
        if (section->chunks == 0 && section->file.path) {
            unlink(section->file.path);
            kp_trace_file_free(&section->file);
        }
        kp_trace_note_full(output, status);
        return status;
    }
    kp_trace_note_room(output);
    section->chunks = (uint64_t)last->number + 1;
    section->ended = last->type == KP_CHUNK_END;
    kp_peer_safe(peer, section->chunks);
    return KP_OK;
}

static void section_close(struct kp_output *base, struct kp_peer *peer)
{
    struct kp_output_trace *output = (struct kp_output_trace *)base;
    struct kp_known_section *section = peer->sink;
    section->peer = NULL;
    kp_trace_file_close(&section->file);
    if (section->ended && output->output.server->settings->merge && section->file.path)
        kp_trace_merge_section(output, section);
    if (!section->chunks)
        kp_sections_remove(&output->sections, section);
}

/* A section whose peer is away may be removed: when that comes back, it begins again. */
static bool is_busy(void *user, const char *path)
{
    const struct kp_output_trace *output = user;
    if ((output->merged.path && !strcmp(output->merged.path, path)) || kp_trace_streams_use(output, path))
        return true;
    for (size_t i = 0; i < KP_SECTION_BUCKETS; i++)
        for (const struct kp_known_section *at = output->sections.buckets[i]; at; at = at->next)
            if (at->peer && at->file.path && !strcmp(at->file.path, path))
                return true;
    return false;
}

static void tidy(struct kp_output_trace *output, uint64_t now_ms)
{
    static const char *const endings[] = {KP_TRACE_ENDING, NULL};
    if (now_ms - output->tidied_ms < KP_TIDY_MS)
        return;
    output->tidied_ms = now_ms;
    output->output.server->metrics.files_removed +=
        kp_retention_apply(output->output.server->settings, output->folder, false, endings, is_busy, output);
}

static void tick(struct kp_output *base, uint64_t now_ms)
{
    kp_trace_streams_tick((struct kp_output_trace *)base, now_ms);
    kp_trace_merge_tick((struct kp_output_trace *)base, now_ms);
    tidy((struct kp_output_trace *)base, now_ms);
}

static bool waits(struct kp_output *base)
{
    return base->server->blocked;
}

static enum kp_status close_output(struct kp_output *base)
{
    struct kp_output_trace *output = (struct kp_output_trace *)base;
    enum kp_status status = kp_trace_streams_end(output);
    free_output(output);
    return status;
}

const struct kp_output_kind kp_output_trace = {
    .prefix = "trace:",
    .open = open_output,
    .section_open = section_open,
    .section_chunks = section_chunks,
    .section_close = section_close,
    .stream_open = kp_trace_stream_open,
    .stream_record = kp_trace_stream_record,
    .stream_event = kp_trace_stream_event,
    .stream_pause = kp_trace_stream_pause,
    .stream_close = kp_trace_stream_close,
    .tick = tick,
    .waits = waits,
    .close = close_output,
};
