/* --merge of traces: sections that are complete, behind one another in one file. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "journal.h"
#include "output_trace.h"
#include "server.h"
#include "util/memory.h"

void kp_trace_note_full(struct kp_output_trace *output, enum kp_status status)
{
    struct kp_metrics *metrics = &output->output.server->metrics;
    if (output->full)
        return;
    output->full = true;
    metrics->output_full = 1;
    metrics->output_full_seen++;
    kp_journal(KP_JOURNAL_OUTPUT, "%s: %s; peers keep what they have", output->folder,
               status == KP_ERROR_FULL ? "no room left" : strerror(errno));
}

void kp_trace_note_room(struct kp_output_trace *output)
{
    if (!output->full)
        return;
    output->full = false;
    output->output.server->metrics.output_full = 0;
    kp_journal(KP_JOURNAL_OUTPUT, "%s: there is room again", output->folder);
}

static uint64_t now_ms(const struct kp_output_trace *output)
{
    return uv_now(&output->output.server->loop);
}

/* The merged trace, made when there is something for it. */
static enum kp_status need_merged(struct kp_output_trace *output)
{
    struct kp_file_facts facts = {.start_s = (uint64_t)time(NULL), .pid = (uint64_t)getpid()};
    char name[64];
    if (output->merged.fd >= 0)
        return KP_OK;
    kp_file_name_expand(name, sizeof name, KP_MERGED_BEGIN "%t.%p" KP_TRACE_ENDING, &facts);
    enum kp_status status = kp_trace_file_create(&output->merged, output->folder, name);
    output->merged_ms = now_ms(output);
    output->output.server->metrics.files_opened += status == KP_OK;
    return status;
}

static void rotate(struct kp_output_trace *output)
{
    output->output.server->metrics.rotations++;
    kp_trace_file_free(&output->merged);
}

bool kp_trace_merge_part(struct kp_output_trace *output, const char *path)
{
    uint64_t most = output->output.server->settings->rotate_bytes;
    enum kp_status status = need_merged(output);
    if (status == KP_OK)
        status = kp_trace_file_join(&output->merged, path);
    if (status != KP_OK) {
        kp_trace_note_full(output, status);
        return false;
    }
    unlink(path);
    if (most && output->merged.bytes >= most)
        rotate(output);
    return true;
}

void kp_trace_merge_section(struct kp_output_trace *output, struct kp_known_section *section)
{
    if (!kp_trace_merge_part(output, section->file.path))
        return;
    free(section->file.path);
    section->file.path = NULL;
}

/* Parts that were complete, and not merged any more: the server was killed, or the disk full. */
static void merge_rest(struct kp_output_trace *output)
{
    for (size_t i = 0; i < KP_SECTION_BUCKETS; i++)
        for (struct kp_known_section *at = output->sections.buckets[i]; at; at = at->next) {
            const char *path = at->file.path;
            size_t bytes = path ? strlen(path) : 0, tail = strlen(KP_PART_ENDING);
            if (at->ended && !at->peer && bytes > tail && !strcmp(path + bytes - tail, KP_PART_ENDING))
                kp_trace_merge_section(output, at);
        }
}

void kp_trace_merge_begin(struct kp_output_trace *output)
{
    if (output->output.server->settings->merge)
        merge_rest(output);
}

void kp_trace_merge_tick(struct kp_output_trace *output, uint64_t now)
{
    uint64_t age = output->output.server->settings->rotate_ms;
    if (!output->output.server->settings->merge)
        return;
    if (output->full) {
        kp_trace_note_room(output);
        merge_rest(output);
    }
    if (age && output->merged.fd >= 0 && output->merged.bytes && now - output->merged_ms >= age)
        rotate(output);
}
