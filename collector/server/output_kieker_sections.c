/* Sections of native peers in Kieker's form. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "journal.h"
#include "output_kieker.h"
#include "peer.h"
#include "section_notes.h"
#include "server.h"
#include "util/memory.h"

/* A peer that is away for so long gets its calls ended; it may still go on, in a new log. */
enum { PARKED_MS = 600000 };

static struct kp_kieker_known *find(const struct kp_output_kieker *output, const uint8_t uuid[16])
{
    struct kp_kieker_known *known = output->known;
    while (known && memcmp(known->uuid, uuid, 16) != 0)
        known = known->next;
    return known;
}

static void take_noted(void *user, const struct kp_chunk_header *header, const void *payload)
{
    struct kp_kieker_known *known = user;
    kp_kieker_section_chunk(known->section, header, payload);
}

static void skip_noted(void *user, const struct kp_chunk_header *header, const void *payload)
{
    (void)user;
    (void)header;
    (void)payload;
}

static bool give_log(struct kp_output_kieker *output, struct kp_kieker_known *known)
{
    char error[256];
    known->sink =
        output->shared ? output->shared : kp_kieker_sink_open(output, "kprobe", error, sizeof error);
    if (!known->sink) {
        kp_journal(KP_JOURNAL_OUTPUT, "%s", error);
        return false;
    }
    known->sink->users++;
    struct kp_kieker_traces *traces = kp_kieker_sink_traces(known->sink);
    known->section = traces ? kp_kieker_section_begin(traces) : NULL;
    return known->section != NULL;
}

static void forget(struct kp_output_kieker *output, struct kp_kieker_known *known);

static struct kp_kieker_known *make(struct kp_output_kieker *output, const struct kp_peer *peer)
{
    struct kp_kieker_known *known = kp_allocate_cleared(1, sizeof *known);
    memcpy(known->uuid, peer->native.uuid, sizeof known->uuid);
    known->next = output->known;
    output->known = known;
    known->note_fd = output->folder ? kp_section_notes_open(output->folder, known->uuid) : -1;
    if (known->note_fd >= 0)
        kp_section_notes_read(known->note_fd, &known->chunks, &known->ended, skip_noted, NULL);
    else if (output->folder)
        kp_journal(KP_JOURNAL_OUTPUT, "no notes can be made in %s: %s", output->folder, strerror(errno));
    if (known->ended)
        return known;
    if (!give_log(output, known)) {
        forget(output, known);
        return NULL;
    }
    /* It goes on after the server was started again. */
    if (known->chunks)
        kp_section_notes_read(known->note_fd, &known->chunks, &known->ended, take_noted, known);
    return known;
}

static void forget(struct kp_output_kieker *output, struct kp_kieker_known *known)
{
    struct kp_kieker_known **at = &output->known;
    while (*at != known)
        at = &(*at)->next;
    *at = known->next;
    if (known->section)
        kp_kieker_section_end(known->section);
    if (known->note_fd >= 0)
        close(known->note_fd);
    if (known->sink)
        kp_kieker_sink_release(known->sink);
    free(known);
}

void kp_kieker_section_open(struct kp_output *base, struct kp_peer *peer)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    struct kp_kieker_known *known = find(output, peer->native.uuid);
    if (known && known->peer) {
        kp_peer_leave(known->peer);
        known = find(output, peer->native.uuid); /* it may have gone with its peer */
    }
    if (!known)
        known = make(output, peer);
    /* What is marked is only here yet: not safe. */
    if (!known || known->marked) {
        kp_peer_answer(peer, KP_WIRE_FULL, 0);
        return;
    }
    known->peer = peer;
    peer->sink = known;
    kp_peer_answer(peer, KP_WIRE_GOOD, known->chunks);
}

static enum kp_status take(struct kp_kieker_known *known, const uint8_t *bytes, size_t count, size_t *used)
{
    enum kp_status status = KP_OK;
    for (*used = 0; *used < count && status == KP_OK;) {
        struct kp_chunk_header header;
        memcpy(&header, bytes + *used, sizeof header);
        status = kp_kieker_section_chunk(known->section, &header, bytes + *used + sizeof header);
        if (status != KP_OK)
            break;
        *used += sizeof header + header.payload_bytes;
        known->chunks = (uint64_t)header.number + 1;
        known->ended = header.type == KP_CHUNK_END;
    }
    return status;
}

static void note(struct kp_kieker_known *known, const uint8_t *bytes, size_t count)
{
    if (known->note_fd < 0 || !count)
        return;
    bool fine = known->ended ? kp_section_notes_end(known->note_fd, known->chunks)
                             : kp_section_notes_add(known->note_fd, bytes, count);
    if (!fine)
        kp_journal(KP_JOURNAL_OUTPUT, "notes of a section: %s", strerror(errno));
}

/* What was put into the sink so far becomes safe with its last byte. */
static void mark(struct kp_kieker_known *known)
{
    if (known->marked)
        return;
    known->mark_bytes = known->sink->put_bytes;
    known->mark_chunks = known->chunks;
    known->marked = true;
}

static void settle(struct kp_kieker_known *known)
{
    if (!known->marked || known->sink->done_bytes < known->mark_bytes)
        return;
    known->marked = false;
    if (known->peer)
        kp_peer_safe(known->peer, known->mark_chunks);
    if (known->chunks > known->mark_chunks)
        mark(known);
}

enum kp_status kp_kieker_section_chunks(struct kp_output *base, struct kp_peer *peer, const uint8_t *bytes,
                                        size_t count, uint32_t chunks, const struct kp_chunk_header *last)
{
    struct kp_kieker_known *known = peer->sink;
    size_t used;
    (void)base;
    (void)chunks;
    (void)last;
    if (known->ended) /* nothing comes behind an end, and there is no log for it any more */
        return KP_ERROR_DAMAGED;
    enum kp_status status = take(known, bytes, count, &used);
    kp_kieker_sink_flush(known->sink);
    note(known, bytes, used);
    mark(known);
    settle(known);
    return status;
}

void kp_kieker_section_close(struct kp_output *base, struct kp_peer *peer)
{
    struct kp_output_kieker *output = (struct kp_output_kieker *)base;
    struct kp_kieker_known *known = peer->sink;
    known->peer = NULL;
    known->left_ms = uv_now(&base->server->loop);
    if ((known->ended && !known->marked) || !known->chunks)
        forget(output, known);
}

void kp_kieker_sections_tick(struct kp_output_kieker *output, uint64_t now_ms)
{
    for (struct kp_kieker_known *known = output->known, *next; known; known = next) {
        next = known->next;
        bool away = !known->peer;
        if (known->sink)
            settle(known);
        if (known->peer)
            kp_peer_native_tell(known->peer); /* that may close the peer, and with it the section */
        else if (away && !known->marked && (known->ended || now_ms - known->left_ms > PARKED_MS))
            forget(output, known);
    }
}

void kp_kieker_sections_end(struct kp_output_kieker *output)
{
    while (output->known)
        forget(output, output->known);
}
