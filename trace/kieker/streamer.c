#include "streamer.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define QUEUE_BYTES (4u << 20) /* no more chunks are converted while so much waits */
#define TURN_BYTES  (2u << 20) /* converted in one turn */
#define BATCH_BYTES (32u << 10)
#define IDLE_NS     20000000ull
#define BUSY_NS     500000ull
#define FAREWELL_NS 5000000ull

static bool grow(uint8_t **bytes, size_t *room, size_t wanted)
{
    size_t larger = *room ? *room : 65536;
    uint8_t *grown;

    if (wanted <= *room)
        return true;
    while (larger < wanted)
        larger *= 2;
    grown = realloc(*bytes, larger);
    if (!grown)
        return false;
    *bytes = grown;
    *room = larger;
    return true;
}

/* --- the queue --------------------------------------------------------------------------------------- */

static bool add_mark(struct kp_kieker_streamer *streamer)
{
    if (streamer->marks_start == streamer->marks_end)
        streamer->marks_start = streamer->marks_end = 0;
    if (streamer->marks_end == streamer->marks_room) {
        size_t room = streamer->marks_room ? 2 * streamer->marks_room : 256;
        struct kp_kieker_streamer_mark *grown = realloc(streamer->marks, room * sizeof *grown);

        if (!grown)
            return false;
        streamer->marks = grown;
        streamer->marks_room = room;
    }
    streamer->marks[streamer->marks_end++] =
        (struct kp_kieker_streamer_mark){.end = streamer->base + (streamer->end - streamer->start)};
    return true;
}

static enum kp_status take_prefix(struct kp_kieker_streamer *streamer, const void *bytes, size_t count)
{
    if (!grow(&streamer->prefix, &streamer->prefix_room, streamer->prefix_bytes + count))
        return KP_ERROR_NO_MEMORY;
    memcpy(streamer->prefix + streamer->prefix_bytes, bytes, count);
    streamer->prefix_bytes += count;
    return KP_OK;
}

static enum kp_status take_map(void *user, const void *bytes, size_t count)
{
    struct kp_kieker_streamer *streamer = user;

    if (streamer->to_prefix)
        return take_prefix(streamer, bytes, count);
    if (streamer->start == streamer->end) {
        streamer->start = streamer->end = 0;
    } else if (streamer->end + count > streamer->room && streamer->start > streamer->room / 2) {
        memmove(streamer->bytes, streamer->bytes + streamer->start, streamer->end - streamer->start);
        streamer->end -= streamer->start;
        streamer->start = 0;
    }
    if (!grow(&streamer->bytes, &streamer->room, streamer->end + count))
        return KP_ERROR_NO_MEMORY;
    memcpy(streamer->bytes + streamer->end, bytes, count);
    streamer->end += count;
    return add_mark(streamer) ? KP_OK : KP_ERROR_NO_MEMORY;
}

static enum kp_status take_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    (void)records;
    return take_map(user, bytes, count);
}

static const struct kp_kieker_output_ops ops = {.map = take_map, .data = take_data};

static void release(struct kp_kieker_streamer *streamer, const struct kp_kieker_streamer_mark *mark)
{
    struct kp_spool_place place = {mark->place - streamer->spool->dropped, mark->number};

    kp_spool_release(streamer->spool, &place);
}

/* Bytes of the stream up to `end` are delivered. */
static void delivered(struct kp_kieker_streamer *streamer, uint64_t end)
{
    while (streamer->marks_start < streamer->marks_end && streamer->marks[streamer->marks_start].end <= end) {
        const struct kp_kieker_streamer_mark *mark = &streamer->marks[streamer->marks_start++];

        streamer->start += (size_t)(mark->end - streamer->base);
        streamer->base = mark->end;
        if (mark->place)
            release(streamer, mark);
    }
}

/* --- from chunks to bytes ---------------------------------------------------------------------------- */

static void forget(struct kp_kieker_streamer *streamer)
{
    if (streamer->section)
        kp_kieker_section_end(streamer->section);
    if (streamer->traces)
        kp_kieker_traces_destroy(streamer->traces);
    kp_kieker_output_destroy(streamer->output);
    streamer->section = NULL;
    streamer->traces = NULL;
    streamer->output = NULL;
}

static bool begin_anew(struct kp_kieker_streamer *streamer, struct kp_spool *spool)
{
    static const struct kp_kieker_traces_options options = {.host = NULL};

    kp_link_close(&streamer->link);
    forget(streamer);
    streamer->spool = spool;
    streamer->next = spool->begin.offset + spool->dropped;
    streamer->next_number = spool->begin.number;
    streamer->start = streamer->end = 0;
    streamer->base = streamer->sent = 0;
    streamer->marks_start = streamer->marks_end = 0;
    streamer->there = streamer->failed = false;
    streamer->output = kp_kieker_output_create(KP_KIEKER_STREAM, &ops, streamer);
    if (streamer->output) {
        kp_kieker_output_limit(streamer->output, BATCH_BYTES, 0);
        streamer->traces = kp_kieker_traces_create(streamer->output, &options);
    }
    if (streamer->traces)
        streamer->section = kp_kieker_section_begin(streamer->traces);
    if (!streamer->section)
        forget(streamer);
    streamer->failed = !streamer->section;
    return !streamer->failed;
}

/* The chunk's last batch says how far the spool is delivered with it. */
static void mark_chunk(struct kp_kieker_streamer *streamer)
{
    struct kp_kieker_streamer_mark mark = {0, streamer->next, streamer->next_number};

    if (streamer->marks_start == streamer->marks_end) {
        release(streamer, &mark);
        return;
    }
    mark.end = streamer->marks[streamer->marks_end - 1].end;
    streamer->marks[streamer->marks_end - 1] = mark;
}

/* The next chunk becomes bytes in the queue. False: it cannot be. */
static bool convert_one(struct kp_kieker_streamer *streamer)
{
    struct kp_spool *spool = streamer->spool;
    struct kp_spool_place place = {streamer->next - spool->dropped, streamer->next_number};
    struct kp_chunk_header header;
    enum kp_status status;

    if (!kp_spool_header(spool, &place, &header) ||
        !grow(&streamer->chunk, &streamer->chunk_room, header.payload_bytes) ||
        kp_spool_read(spool, place.offset + sizeof header, streamer->chunk, header.payload_bytes) !=
            header.payload_bytes)
        return false;
    status = kp_kieker_section_chunk(streamer->section, &header, streamer->chunk);
    if (status == KP_OK || status == KP_ERROR_DAMAGED)
        status = kp_kieker_output_flush(streamer->output);
    streamer->next += sizeof header + header.payload_bytes;
    streamer->next_number = (uint64_t)header.number + 1;
    if (status == KP_OK)
        mark_chunk(streamer);
    return status == KP_OK;
}

static bool is_behind(const struct kp_kieker_streamer *streamer)
{
    return streamer->next < streamer->spool->end.offset + streamer->spool->dropped;
}

bool kp_kieker_streamer_begin(struct kp_kieker_streamer *streamer, struct kp_spool *spool, uint64_t streamed)
{
    if (!begin_anew(streamer, spool))
        return false;
    /* Before there is a connection, so that all strings of what is left out are told on it. */
    while (streamer->base < streamed && streamer->start == streamer->end && is_behind(streamer)) {
        if (!convert_one(streamer))
            return false;
        delivered(streamer, streamed);
        streamer->sent = streamer->base;
    }
    return true;
}

uint64_t kp_kieker_streamer_streamed(const struct kp_kieker_streamer *streamer)
{
    uint64_t end = streamer->base;

    if (!streamer->spool || streamer->spool->dropped)
        return 0;
    for (size_t i = streamer->marks_start; i < streamer->marks_end; i++)
        if (streamer->marks[i].end <= streamer->sent)
            end = streamer->marks[i].end;
    return end;
}

static void convert(struct kp_kieker_streamer *streamer)
{
    size_t before = streamer->end - streamer->start;

    while (!streamer->failed && is_behind(streamer)) {
        size_t waiting = streamer->end - streamer->start;

        if (waiting >= QUEUE_BYTES || waiting - before >= TURN_BYTES)
            break;
        streamer->failed = !convert_one(streamer);
        if (streamer->failed && streamer->link.say)
            streamer->link.say(streamer->link.user, true, "what is recorded cannot be made Kieker records");
    }
}

/* --- the connection ---------------------------------------------------------------------------------- */

static void start_over(struct kp_kieker_streamer *streamer)
{
    streamer->sent = streamer->base;
    streamer->prefix_bytes = streamer->prefix_sent = 0;
    streamer->to_prefix = true;
    streamer->there = kp_kieker_output_repeat_map(streamer->output) == KP_OK;
    streamer->to_prefix = false;
    streamer->link.limit_ns = 0;
    kp_link_good(&streamer->link);
}

/* Whether all was taken that there is. */
static bool push(struct kp_kieker_streamer *streamer, uint64_t now_ns)
{
    uint64_t end = streamer->base + (streamer->end - streamer->start);
    ssize_t n = 1;

    while (n > 0 && streamer->prefix_sent < streamer->prefix_bytes) {
        n = kp_link_send(&streamer->link, now_ns, streamer->prefix + streamer->prefix_sent,
                         streamer->prefix_bytes - streamer->prefix_sent);
        streamer->prefix_sent += n > 0 ? (size_t)n : 0;
    }
    while (n > 0 && streamer->sent < end) {
        n = kp_link_send(&streamer->link, now_ns,
                         streamer->bytes + streamer->start + (streamer->sent - streamer->base),
                         (size_t)(end - streamer->sent));
        streamer->sent += n > 0 ? (uint64_t)n : 0;
    }
    return streamer->sent == end;
}

/* A collector says nothing: what comes is its end, or is somebody else. */
static void overhear(struct kp_kieker_streamer *streamer, uint64_t now_ns)
{
    uint8_t bytes[64];

    if (kp_link_receive(&streamer->link, now_ns, bytes, sizeof bytes) > 0) {
        streamer->link.pause_ns = KP_LINK_PAUSE_MOST_NS;
        kp_link_drop(&streamer->link, now_ns, "it answers, which no Kieker collector does");
    }
}

static void count_delivered(struct kp_kieker_streamer *streamer)
{
    uint64_t unsent = kp_link_unsent(&streamer->link);

    if (streamer->link.state == KP_LINK_THERE && streamer->sent - streamer->base >= unsent)
        delivered(streamer, streamer->sent - unsent);
}

static void compact(struct kp_kieker_streamer *streamer)
{
    if (kp_spool_worth_compacting(streamer->spool) &&
        streamer->next - streamer->spool->dropped >= streamer->spool->first.offset)
        kp_spool_compact(streamer->spool);
}

uint64_t kp_kieker_streamer_turn(struct kp_kieker_streamer *streamer, uint64_t now_ns)
{
    bool all;

    if (streamer->failed)
        return UINT64_MAX;
    if (kp_link_turn(&streamer->link, now_ns))
        start_over(streamer);
    if (streamer->link.state != KP_LINK_THERE)
        return kp_link_rest(&streamer->link, now_ns);
    overhear(streamer, now_ns);
    if (streamer->link.state != KP_LINK_THERE)
        return kp_link_rest(&streamer->link, now_ns);
    convert(streamer);
    all = push(streamer, now_ns);
    count_delivered(streamer);
    compact(streamer);
    if (!all)
        return BUSY_NS;
    if (is_behind(streamer))
        return 0;
    return streamer->start < streamer->end ? IDLE_NS : UINT64_MAX;
}

bool kp_kieker_streamer_done(const struct kp_kieker_streamer *streamer)
{
    return streamer->spool->ended && streamer->spool->first.offset == streamer->spool->end.offset;
}

/* Whether what was sent ends with a batch. */
static bool at_boundary(const struct kp_kieker_streamer *streamer)
{
    if (streamer->prefix_sent < streamer->prefix_bytes)
        return false;
    for (size_t i = streamer->marks_start; i < streamer->marks_end; i++)
        if (streamer->marks[i].end >= streamer->sent)
            return streamer->marks[i].end == streamer->sent || streamer->sent == streamer->base;
    return true;
}

/* Send the rest of the batch that was begun, no more. */
static void round_up(struct kp_kieker_streamer *streamer, uint64_t now_ns)
{
    size_t i = streamer->marks_start;
    ssize_t n;

    while (i < streamer->marks_end && streamer->marks[i].end < streamer->sent)
        i++;
    if (i == streamer->marks_end)
        return;
    n = kp_link_send(&streamer->link, now_ns,
                     streamer->bytes + streamer->start + (streamer->sent - streamer->base),
                     (size_t)(streamer->marks[i].end - streamer->sent));
    streamer->sent += n > 0 ? (uint64_t)n : 0;
}

void kp_kieker_streamer_pause(struct kp_kieker_streamer *streamer)
{
    uint64_t end = kp_link_now() + FAREWELL_NS, now;

    while (!streamer->failed && streamer->there && streamer->link.state == KP_LINK_THERE &&
           (now = kp_link_now()) < end) {
        struct timespec moment = {0, 500000};

        if (!at_boundary(streamer))
            round_up(streamer, now);
        count_delivered(streamer);
        if (at_boundary(streamer) && streamer->sent == streamer->base)
            break;
        nanosleep(&moment, NULL);
    }
    /* The kernel brings there what it has: closing in order does not stop it. */
    if (streamer->there && streamer->link.state == KP_LINK_THERE && at_boundary(streamer))
        delivered(streamer, streamer->sent);
    kp_link_close(&streamer->link);
    streamer->there = false;
}
