#include "link.h"

#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define STEP_NS 1000000ull /* between looks at a connection that is being made */

uint64_t kp_link_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool kp_link_init(struct kp_link *link, bool tcp, const char *text)
{
    const char *bad, *what;

    *link = (struct kp_link){.fd = -1, .pause_ns = KP_LINK_PAUSE_FIRST_NS};
    link->resolve.fd = -1;
    if (!tcp)
        return kp_endpoint_of_path(&link->address, text);
    if (!kp_endpoint_split(&link->target, text, 0, &bad, &what))
        return false;
    link->named = !kp_endpoint_of_number(&link->address, &link->target);
    return true;
}

void kp_link_close(struct kp_link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    kp_resolve_stop(&link->resolve);
    link->fd = -1;
    link->state = KP_LINK_AWAY;
    link->next_try_ns = link->limit_ns = 0;
}

void kp_link_good(struct kp_link *link)
{
    if (link->said && link->say)
        link->say(link->user, false, "connected again");
    link->said = false;
    link->tries = 0;
    link->pause_ns = KP_LINK_PAUSE_FIRST_NS;
}

void kp_link_drop(struct kp_link *link, uint64_t now_ns, const char *why)
{
    kp_link_close(link);
    link->tries++;
    link->next_try_ns = now_ns + link->pause_ns;
    link->pause_ns *= 2;
    if (link->pause_ns > KP_LINK_PAUSE_MOST_NS)
        link->pause_ns = KP_LINK_PAUSE_MOST_NS;
    if (!link->said && link->say)
        link->say(link->user, true, why);
    link->said = true;
}

static void drop_errno(struct kp_link *link, uint64_t now_ns, int error)
{
    link->error = error;
    kp_link_drop(link, now_ns, strerror(error));
}

static int open_socket(const struct kp_link *link)
{
    int fd = socket(link->address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd >= 0 && link->address.bytes.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    return fd;
}

static bool connected(struct kp_link *link, uint64_t now_ns)
{
    link->state = KP_LINK_THERE;
    link->error = 0;
    link->limit_ns = now_ns + KP_LINK_PATIENCE_NS;
    return true;
}

static bool connect_now(struct kp_link *link, uint64_t now_ns)
{
    link->fd = open_socket(link);
    if (link->fd < 0) {
        drop_errno(link, now_ns, errno);
        return false;
    }
    link->limit_ns = now_ns + KP_LINK_PATIENCE_NS;
    link->state = KP_LINK_CONNECTING;
    if (connect(link->fd, (const struct sockaddr *)&link->address.bytes, link->address.length) == 0)
        return connected(link, now_ns);
    if (errno != EINPROGRESS)
        drop_errno(link, now_ns, errno);
    return false;
}

/* Whether the connection is made: a second connect tells, without waiting. */
static bool look(struct kp_link *link, uint64_t now_ns)
{
    if (connect(link->fd, (const struct sockaddr *)&link->address.bytes, link->address.length) == 0 ||
        errno == EISCONN)
        return connected(link, now_ns);
    if (errno != EALREADY && errno != EINPROGRESS)
        drop_errno(link, now_ns, errno);
    else if (now_ns > link->limit_ns)
        drop_errno(link, now_ns, ETIMEDOUT);
    return false;
}

static bool begin(struct kp_link *link, uint64_t now_ns)
{
    if (!link->named || kp_endpoint_of_known(&link->address, &link->target, "/etc/hosts"))
        return connect_now(link, now_ns);
    link->limit_ns = now_ns + KP_LINK_PATIENCE_NS;
    link->state = KP_LINK_RESOLVING;
    kp_resolve_start(&link->resolve, &link->target, now_ns);
    return false;
}

static bool look_up(struct kp_link *link, uint64_t now_ns)
{
    switch (kp_resolve_turn(&link->resolve, &link->address, now_ns)) {
    case KP_RESOLVE_FOUND:
        return connect_now(link, now_ns);
    case KP_RESOLVE_NONE:
        link->error = ENXIO;
        kp_link_drop(link, now_ns, "no address of that name");
        return false;
    case KP_RESOLVE_WAITING:
        break;
    }
    return false;
}

bool kp_link_turn(struct kp_link *link, uint64_t now_ns)
{
    switch (link->state) {
    case KP_LINK_AWAY:
        return now_ns >= link->next_try_ns && begin(link, now_ns);
    case KP_LINK_RESOLVING:
        return look_up(link, now_ns);
    case KP_LINK_CONNECTING:
        return look(link, now_ns);
    case KP_LINK_THERE:
        if (link->limit_ns && now_ns > link->limit_ns)
            kp_link_drop(link, now_ns, "it does not answer");
        break;
    }
    return false;
}

ssize_t kp_link_send(struct kp_link *link, uint64_t now_ns, const void *data, size_t bytes)
{
    ssize_t n;

    if (link->state != KP_LINK_THERE)
        return -1;
    while ((n = send(link->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && errno == EINTR)
        ;
    /* Receiving tells that it is gone, behind what it said before. */
    if (n >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == EPIPE || errno == ECONNRESET)
        return n < 0 ? 0 : n;
    drop_errno(link, now_ns, errno);
    return -1;
}

ssize_t kp_link_receive(struct kp_link *link, uint64_t now_ns, void *data, size_t bytes)
{
    ssize_t n;

    if (link->state != KP_LINK_THERE)
        return -1;
    while ((n = recv(link->fd, data, bytes, MSG_DONTWAIT)) < 0 && errno == EINTR)
        ;
    if (n > 0)
        return n;
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n < 0)
        drop_errno(link, now_ns, errno);
    else
        kp_link_drop(link, now_ns, "it closed the connection");
    return -1;
}

size_t kp_link_unsent(const struct kp_link *link)
{
    int bytes = 0;

    if (link->state != KP_LINK_THERE || ioctl(link->fd, SIOCOUTQ, &bytes) < 0 || bytes < 0)
        return 0;
    return (size_t)bytes;
}

uint64_t kp_link_rest(const struct kp_link *link, uint64_t now_ns)
{
    if (link->state == KP_LINK_AWAY)
        return link->next_try_ns > now_ns ? link->next_try_ns - now_ns : 0;
    return STEP_NS;
}
