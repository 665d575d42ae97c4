/*
 * Output --forward kieker-tcp://: one Kieker stream of everything. What TCP has not brought to the other
 * machine is kept, and sent again over a new connection, behind all strings so far; Kieker's protocol has no
 * better proof. At most one batch of records may be there twice after a break.
 */
#include <stdlib.h>

#include "journal.h"
#include "output_kieker.h"
#include "server.h"
#include "uplink.h"
#include "util/memory.h"

enum { AHEAD_BYTES = 1 << 18 }; /* with libuv, which copies */

struct kp_kieker_flow {
    struct kp_uplink uplink;
    struct kp_kieker_sink *sink;
    struct kp_backlog_block *unsent; /* the first one that this connection has not got */
    uint64_t sent;                   /* bytes on this connection */
    uint64_t base;                   /* where the backlog's first block begins among them */
    bool repeating;
};

static void pump(struct kp_kieker_flow *flow)
{
    while (flow->unsent && flow->uplink.open && flow->uplink.channel.queued < AHEAD_BYTES) {
        struct kp_backlog_block *block = flow->unsent;
        if (block->count && !kp_channel_write(&flow->uplink.channel, block->bytes, block->count))
            return;
        flow->sent += block->count;
        flow->unsent = block->next;
    }
}

static void check_room(struct kp_kieker_sink *sink)
{
    struct kp_server *server = sink->owner->output.server;
    uint64_t most = server->settings->backlog_bytes;
    if (sink->backlog.bytes > most)
        kp_server_block(server, true, "too much waits for the next collector");
    else if (sink->backlog.bytes <= most / 2)
        kp_server_block(server, false, "the next collector takes again");
}

static enum kp_status put(struct kp_kieker_sink *sink, int kind, const void *bytes, size_t count,
                          uint64_t records)
{
    struct kp_kieker_flow *flow = sink->flow;
    if (flow->repeating) {
        flow->sent += count;
        return kp_channel_write(&flow->uplink.channel, bytes, count) ? KP_OK : KP_ERROR_NO_MEMORY;
    }
    sink->put_bytes += count;
    kp_backlog_add(&sink->backlog, kind, bytes, count, records);
    if (!flow->unsent)
        flow->unsent = sink->backlog.last;
    pump(flow);
    check_room(sink);
    return KP_OK;
}

static enum kp_status put_map(void *user, const void *bytes, size_t count)
{
    return put(user, KP_KIEKER_MAP, bytes, count, 0);
}

static enum kp_status put_data(void *user, const void *bytes, size_t count, uint64_t records)
{
    return put(user, KP_KIEKER_DATA, bytes, count, records);
}

static const struct kp_kieker_output_ops flow_ops = {put_map, put_data};

/* --- the connection ------------------------------------------------------------------------------------- */

static void on_open(void *user)
{
    struct kp_kieker_flow *flow = user;
    flow->sent = 0;
    flow->repeating = true;
    kp_kieker_output_repeat_map(flow->sink->output);
    flow->repeating = false;
    flow->base = flow->sent;
    flow->unsent = flow->sink->backlog.first;
    pump(flow);
}

/* What was sent and not brought over goes again; the strings in it go with all others. */
static void on_broken(void *user)
{
    struct kp_kieker_flow *flow = user;
    struct kp_kieker_sink *sink = flow->sink;
    for (struct kp_backlog_block *block = sink->backlog.first; block; block = block->next)
        if (block->kind == KP_KIEKER_MAP && block->count) {
            sink->backlog.bytes -= block->count;
            sink->done_bytes += block->count;
            block->count = 0;
        }
    flow->unsent = sink->backlog.first;
}

static void on_data(void *user, const uint8_t *bytes, size_t count)
{
    (void)user, (void)bytes, (void)count; /* a reader of Kieker's says nothing */
}

static void on_drained(void *user)
{
    pump(user);
}

static void on_gone(void *user)
{
    (void)user; /* freed with the sink, after the loop */
}

static const struct kp_uplink_ops uplink_ops = {on_open, on_data, on_broken, on_drained, on_gone};

/* Forgets what is with the other machine. */
static void settle(struct kp_kieker_flow *flow)
{
    struct kp_kieker_sink *sink = flow->sink;
    struct kp_metrics *metrics = &sink->owner->output.server->metrics;
    if (!flow->uplink.open)
        return;
    uint64_t away = flow->uplink.channel.queued + kp_channel_unacknowledged(&flow->uplink.channel);
    uint64_t arrived = flow->sent > away ? flow->sent - away : 0;
    while (sink->backlog.first && sink->backlog.first != flow->unsent &&
           flow->base + sink->backlog.first->count <= arrived) {
        flow->base += sink->backlog.first->count;
        sink->done_bytes += sink->backlog.first->count;
        metrics->records_written += sink->backlog.first->records;
        kp_backlog_pop(&sink->backlog);
    }
    check_room(sink);
}

void kp_kieker_flow_tick(struct kp_kieker_sink *sink, uint64_t now_ms)
{
    kp_uplink_tick(&sink->flow->uplink, now_ms);
    pump(sink->flow);
    settle(sink->flow);
}

struct kp_kieker_sink *kp_kieker_flow_open(struct kp_output_kieker *output, const struct kp_address *address)
{
    struct kp_kieker_sink *sink = kp_allocate_cleared(1, sizeof *sink);
    sink->owner = output;
    sink->output = kp_kieker_output_create(KP_KIEKER_STREAM, &flow_ops, sink);
    if (!sink->output) {
        free(sink);
        return NULL;
    }
    sink->flow = kp_allocate_cleared(1, sizeof *sink->flow);
    sink->flow->sink = sink;
    kp_uplink_start(&sink->flow->uplink, output->output.server, address, NULL, &uplink_ops, sink->flow);
    output->sinks = sink;
    return sink;
}

void kp_kieker_flow_stop(struct kp_kieker_sink *sink)
{
    kp_kieker_sink_flush(sink);
    pump(sink->flow);
    settle(sink->flow);
    /* What the channel has goes out before it closes. */
    while (sink->flow->uplink.open && sink->backlog.first && sink->backlog.first != sink->flow->unsent)
        kp_backlog_pop(&sink->backlog);
    kp_uplink_stop(&sink->flow->uplink);
}
