#include "uplink.h"

#include "journal.h"
#include "server.h"

enum { FIRST_PAUSE_MS = 100, LONGEST_PAUSE_MS = 5000 };

static void plan_next(struct kp_uplink *uplink)
{
    uplink->due_ms = uv_now(&uplink->server->loop) + uplink->pause_ms;
    uplink->pause_ms = uplink->pause_ms * 2 < LONGEST_PAUSE_MS ? uplink->pause_ms * 2 : LONGEST_PAUSE_MS;
}

static void on_opened(void *user)
{
    struct kp_uplink *uplink = user;
    uplink->open = true;
    uplink->pause_ms = FIRST_PAUSE_MS;
    uplink->server->metrics.forward_connections++;
    uplink->ops->open(uplink->user);
}

static void on_data(void *user, const uint8_t *bytes, size_t count)
{
    struct kp_uplink *uplink = user;
    uplink->ops->data(uplink->user, bytes, count);
}

static void on_ended(void *user, const char *reason)
{
    struct kp_uplink *uplink = user;
    uplink->server->metrics.forward_failures++;
    kp_journal(KP_JOURNAL_OUTPUT, "%s: %s", uplink->address->text,
               reason ? reason : "it closed the connection");
    kp_uplink_again(uplink);
}

static void on_drained(void *user)
{
    struct kp_uplink *uplink = user;
    if (uplink->ops->drained)
        uplink->ops->drained(uplink->user);
}

static void on_closed(void *user)
{
    struct kp_uplink *uplink = user;
    uplink->used = false;
    if (uplink->stopped)
        uplink->ops->gone(uplink->user);
}

static const struct kp_channel_ops channel_ops = {on_opened, on_data, on_ended, on_drained, on_closed};

void kp_uplink_start(struct kp_uplink *uplink, struct kp_server *server, const struct kp_address *address,
                     struct kp_tls_context *tls, const struct kp_uplink_ops *ops, void *user)
{
    *uplink = (struct kp_uplink){.server = server,
                                 .address = address,
                                 .tls = tls,
                                 .ops = ops,
                                 .user = user,
                                 .pause_ms = FIRST_PAUSE_MS};
}

void kp_uplink_tick(struct kp_uplink *uplink, uint64_t now_ms)
{
    if (uplink->used || uplink->stopped || now_ms < uplink->due_ms)
        return;
    uplink->used = true;
    kp_channel_connect(&uplink->channel, &uplink->server->loop, uplink->address, &uplink->server->turns,
                       uplink->tls, &channel_ops, uplink);
}

void kp_uplink_again(struct kp_uplink *uplink)
{
    if (!uplink->used || uplink->channel.closing)
        return;
    uplink->open = false;
    plan_next(uplink);
    kp_channel_close(&uplink->channel, false);
    if (!uplink->stopped)
        uplink->ops->broken(uplink->user);
}

void kp_uplink_stop(struct kp_uplink *uplink)
{
    if (uplink->stopped)
        return;
    uplink->stopped = true;
    uplink->open = false;
    if (uplink->used)
        kp_channel_close(&uplink->channel, true);
    else
        uplink->ops->gone(uplink->user);
}
