#include "channel.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

enum { TURN_BYTES = 4 * 65536 };

struct write {
    uv_write_t request;
    struct kp_channel *channel;
    size_t count;
    uint8_t bytes[];
};

/* --- turns ------------------------------------------------------------------------------------------- */

static void resume_reading(struct kp_channel *channel);

static void next_turn(uv_check_t *check)
{
    struct kp_turns *turns = check->data;
    struct kp_channel *channel = turns->resting;
    turns->number++;
    turns->resting = NULL;
    while (channel) {
        struct kp_channel *next = channel->next_resting;
        channel->resting = false;
        resume_reading(channel);
        channel = next;
    }
}

void kp_turns_start(struct kp_turns *turns, uv_loop_t *loop)
{
    uv_check_init(loop, &turns->check);
    turns->check.data = turns;
    uv_check_start(&turns->check, next_turn);
}

void kp_turns_stop(struct kp_turns *turns)
{
    uv_close((uv_handle_t *)&turns->check, NULL);
}

static void rest(struct kp_channel *channel)
{
    uv_read_stop(&channel->uv.stream);
    channel->resting = true;
    channel->next_resting = channel->turns->resting;
    channel->turns->resting = channel;
}

static void stop_resting(struct kp_channel *channel)
{
    struct kp_channel **at = &channel->turns->resting;
    while (*at && *at != channel)
        at = &(*at)->next_resting;
    if (*at)
        *at = channel->next_resting;
    channel->resting = false;
}

/* --- reading ----------------------------------------------------------------------------------------- */

static void end(struct kp_channel *channel, const char *reason)
{
    if (channel->over || channel->closing)
        return;
    channel->over = true;
    uv_read_stop(&channel->uv.stream);
    channel->ops->ended(channel->user, reason);
}

static void note_open(struct kp_channel *channel)
{
    if (channel->opened || channel->closing)
        return;
    channel->opened = true;
    channel->ops->opened(channel->user);
}

static void take_plain(void *user, const uint8_t *bytes, size_t count)
{
    struct kp_channel *channel = user;
    note_open(channel);
    if (!channel->closing)
        channel->ops->data(channel->user, bytes, count);
}

static bool write_raw(struct kp_channel *channel, const void *bytes, size_t count);

static void send_sealed(void *user, const uint8_t *bytes, size_t count)
{
    struct kp_channel *channel = user;
    if (!channel->over)
        write_raw(channel, bytes, count);
}

static const struct kp_tls_ops tls_ops = {take_plain, send_sealed};

static void take(struct kp_channel *channel, const uint8_t *bytes, size_t count)
{
    if (!channel->tls) {
        channel->ops->data(channel->user, bytes, count);
        return;
    }
    if (!kp_tls_feed(channel->tls, bytes, count, &channel->closing))
        end(channel, kp_tls_error(channel->tls));
    else if (kp_tls_is_open(channel->tls))
        note_open(channel);
    if (!channel->closing && !channel->over && kp_tls_is_over(channel->tls)) {
        kp_tls_end(channel->tls);
        end(channel, NULL);
    }
}

static void give_buffer(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct kp_channel *channel = handle->data;
    (void)suggested;
    *buffer = uv_buf_init((char *)channel->turns->buffer, sizeof channel->turns->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct kp_channel *channel = stream->data;
    if (count == UV_EOF)
        end(channel, NULL);
    else if (count < 0)
        end(channel, uv_strerror((int)count));
    if (count <= 0)
        return;
    if (channel->turn != channel->turns->number)
        channel->turn_bytes = 0;
    channel->turn = channel->turns->number;
    channel->turn_bytes += (size_t)count;
    channel->turns->bytes_in += (size_t)count;
    take(channel, (const uint8_t *)buffer->base, (size_t)count);
    if (channel->turn_bytes >= TURN_BYTES && channel->reading && !channel->resting && !channel->over &&
        !channel->closing)
        rest(channel);
}

static void resume_reading(struct kp_channel *channel)
{
    if (!channel->reading || channel->over || channel->closing)
        return;
    int status = uv_read_start(&channel->uv.stream, give_buffer, on_read);
    if (status && status != UV_EALREADY)
        end(channel, uv_strerror(status));
}

void kp_channel_read(struct kp_channel *channel, bool wanted)
{
    if (wanted == channel->reading || channel->over || channel->closing)
        return;
    channel->reading = wanted;
    if (!wanted)
        uv_read_stop(&channel->uv.stream);
    else if (!channel->resting)
        resume_reading(channel);
}

/* --- writing ----------------------------------------------------------------------------------------- */

static void close_now(struct kp_channel *channel);

static void on_written(uv_write_t *request, int status)
{
    struct write *write = (struct write *)request;
    struct kp_channel *channel = write->channel;
    channel->queued -= write->count;
    free(write);
    if (channel->closing) {
        if (!channel->queued || status)
            close_now(channel);
        return;
    }
    if (status)
        end(channel, uv_strerror(status));
    else if (!channel->queued && channel->ops->drained)
        channel->ops->drained(channel->user);
}

/* What the kernel takes at once is not copied. */
static bool write_raw(struct kp_channel *channel, const void *bytes, size_t count)
{
    uv_buf_t buffer = uv_buf_init((char *)bytes, (unsigned)count);
    int sent = channel->queued ? UV_EAGAIN : uv_try_write(&channel->uv.stream, &buffer, 1);
    size_t done = sent > 0 ? (size_t)sent : 0;
    channel->turns->bytes_out += count;
    if (done == count)
        return true;
    struct write *write = malloc(sizeof *write + count - done);
    if (!write)
        return false;
    write->channel = channel;
    write->count = count - done;
    memcpy(write->bytes, (const uint8_t *)bytes + done, count - done);
    buffer = uv_buf_init((char *)write->bytes, (unsigned)write->count);
    if (uv_write(&write->request, &channel->uv.stream, &buffer, 1, on_written)) {
        free(write);
        return false;
    }
    channel->queued += write->count;
    return true;
}

bool kp_channel_write(struct kp_channel *channel, const void *bytes, size_t count)
{
    if (channel->over || channel->closing)
        return false;
    return channel->tls ? kp_tls_write(channel->tls, bytes, count) : write_raw(channel, bytes, count);
}

static size_t ask(const struct kp_channel *channel, unsigned long what)
{
    uv_os_fd_t fd;
    int bytes = 0;
    if (uv_fileno(&channel->uv.handle, &fd) || ioctl(fd, what, &bytes) || bytes < 0)
        return 0;
    return (size_t)bytes;
}

size_t kp_channel_unacknowledged(const struct kp_channel *channel)
{
    return ask(channel, SIOCOUTQ);
}

size_t kp_channel_unread(const struct kp_channel *channel)
{
    return ask(channel, FIONREAD);
}

/* --- beginning --------------------------------------------------------------------------------------- */

static void fill(struct kp_channel *channel, struct kp_turns *turns, const struct kp_channel_ops *ops,
                 void *user)
{
    *channel = (struct kp_channel){.turns = turns, .ops = ops, .user = user};
    strcpy(channel->peer, "unix");
}

static int init_socket(struct kp_channel *channel, uv_loop_t *loop, bool tcp)
{
    int status = tcp ? uv_tcp_init(loop, &channel->uv.tcp) : uv_pipe_init(loop, &channel->uv.pipe, 0);
    channel->uv.handle.data = channel;
    return status;
}

static void name_peer(struct kp_channel *channel)
{
    struct sockaddr_storage address;
    int bytes = sizeof address;
    if (channel->uv.handle.type == UV_TCP &&
        !uv_tcp_getpeername(&channel->uv.tcp, (struct sockaddr *)&address, &bytes))
        kp_address_print((const struct sockaddr *)&address, channel->peer, sizeof channel->peer);
}

int kp_channel_accept(struct kp_channel *channel, uv_stream_t *server, struct kp_turns *turns,
                      struct kp_tls_context *tls, const struct kp_channel_ops *ops, void *user)
{
    fill(channel, turns, ops, user);
    int status = init_socket(channel, server->loop, server->type == UV_TCP);
    if (!status)
        status = uv_accept(server, &channel->uv.stream);
    if (status)
        return status;
    name_peer(channel);
    if (server->type == UV_TCP) {
        uv_tcp_nodelay(&channel->uv.tcp, 1);
        uv_tcp_keepalive(&channel->uv.tcp, 1, 60);
    }
    if (tls && !(channel->tls = kp_tls_create(tls, NULL, &tls_ops, channel)))
        return UV_ENOMEM;
    if (!tls)
        channel->opened = true;
    return 0;
}

static void on_connected(uv_connect_t *request, int status)
{
    struct kp_channel *channel = request->data;
    if (channel->closing)
        return;
    if (status) {
        end(channel, uv_strerror(status));
        return;
    }
    name_peer(channel);
    kp_channel_read(channel, true);
    if (!channel->tls)
        note_open(channel);
    else if (!kp_tls_start(channel->tls))
        end(channel, kp_tls_error(channel->tls));
}

static void on_resolved(uv_getaddrinfo_t *request, int status, struct addrinfo *result)
{
    struct kp_channel *channel = request->data;
    channel->resolving = false;
    if (channel->closing)
        close_now(channel);
    else if (status ||
             (status = uv_tcp_connect(&channel->connect, &channel->uv.tcp, result->ai_addr, on_connected)))
        end(channel, uv_strerror(status));
    uv_freeaddrinfo(result);
}

void kp_channel_connect(struct kp_channel *channel, uv_loop_t *loop, const struct kp_address *address,
                        struct kp_turns *turns, struct kp_tls_context *tls, const struct kp_channel_ops *ops,
                        void *user)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    fill(channel, turns, ops, user);
    init_socket(channel, loop, address->scheme != KP_SCHEME_UNIX);
    channel->connect.data = channel;
    channel->resolve.data = channel;
    if (tls)
        channel->tls = kp_tls_create(tls, address->host, &tls_ops, channel);
    if (address->scheme == KP_SCHEME_UNIX) {
        uv_pipe_connect(&channel->connect, &channel->uv.pipe, address->path, on_connected);
        return;
    }
    uv_tcp_nodelay(&channel->uv.tcp, 1);
    channel->resolving = true;
    if (uv_getaddrinfo(loop, &channel->resolve, on_resolved, address->host, address->port, &hints)) {
        channel->resolving = false;
        end(channel, "its name cannot be looked up");
    }
}

/* --- end --------------------------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct kp_channel *channel = handle->data;
    kp_tls_destroy(channel->tls);
    channel->tls = NULL;
    channel->ops->closed(channel->user);
}

static void close_now(struct kp_channel *channel)
{
    if (channel->resolving || uv_is_closing(&channel->uv.handle))
        return;
    uv_close(&channel->uv.handle, on_closed);
}

void kp_channel_close(struct kp_channel *channel, bool send_rest)
{
    if (channel->closing)
        return;
    if (channel->tls && send_rest && !channel->over)
        kp_tls_end(channel->tls);
    channel->closing = true;
    if (channel->resting)
        stop_resting(channel);
    uv_read_stop(&channel->uv.stream);
    if (channel->resolving)
        uv_cancel((uv_req_t *)&channel->resolve);
    if (!channel->queued || channel->over || !send_rest)
        close_now(channel);
}

void kp_channel_abort(struct kp_channel *channel)
{
    if (channel->closing)
        close_now(channel);
}
