#include "peer.h"

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

uint64_t kp_peer_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool kp_peer_init(struct kp_peer *peer, bool tcp, const char *text)
{
    const char *bad, *what;

    *peer = (struct kp_peer){.fd = -1, .pause_ns = KP_PEER_PAUSE_FIRST_NS};
    peer->resolve.fd = -1;
    if (!tcp)
        return kp_address_of_path(&peer->address, text);
    if (!kp_address_split(&peer->target, text, 0, &bad, &what))
        return false;
    peer->named = !kp_address_of_number(&peer->address, &peer->target);
    return true;
}

void kp_peer_close(struct kp_peer *peer)
{
    if (peer->fd >= 0)
        close(peer->fd);
    kp_resolve_stop(&peer->resolve);
    peer->fd = -1;
    peer->state = KP_PEER_AWAY;
    peer->next_try_ns = peer->limit_ns = 0;
}

void kp_peer_good(struct kp_peer *peer)
{
    if (peer->said && peer->say)
        peer->say(peer->user, false, "connected again");
    peer->said = false;
    peer->tries = 0;
    peer->pause_ns = KP_PEER_PAUSE_FIRST_NS;
}

void kp_peer_drop(struct kp_peer *peer, uint64_t now_ns, const char *why)
{
    kp_peer_close(peer);
    peer->tries++;
    peer->next_try_ns = now_ns + peer->pause_ns;
    peer->pause_ns *= 2;
    if (peer->pause_ns > KP_PEER_PAUSE_MOST_NS)
        peer->pause_ns = KP_PEER_PAUSE_MOST_NS;
    if (!peer->said && peer->say)
        peer->say(peer->user, true, why);
    peer->said = true;
}

static void drop_errno(struct kp_peer *peer, uint64_t now_ns, int error)
{
    peer->error = error;
    kp_peer_drop(peer, now_ns, strerror(error));
}

static int open_socket(const struct kp_peer *peer)
{
    int fd = socket(peer->address.bytes.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int on = 1;

    if (fd >= 0 && peer->address.bytes.ss_family != AF_UNIX) {
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    }
    return fd;
}

static bool connected(struct kp_peer *peer, uint64_t now_ns)
{
    peer->state = KP_PEER_THERE;
    peer->error = 0;
    peer->limit_ns = now_ns + KP_PEER_PATIENCE_NS;
    return true;
}

static bool connect_now(struct kp_peer *peer, uint64_t now_ns)
{
    peer->fd = open_socket(peer);
    if (peer->fd < 0) {
        drop_errno(peer, now_ns, errno);
        return false;
    }
    peer->limit_ns = now_ns + KP_PEER_PATIENCE_NS;
    peer->state = KP_PEER_CONNECTING;
    if (connect(peer->fd, (const struct sockaddr *)&peer->address.bytes, peer->address.length) == 0)
        return connected(peer, now_ns);
    if (errno != EINPROGRESS)
        drop_errno(peer, now_ns, errno);
    return false;
}

/* Whether the connection is made: a second connect tells, without waiting. */
static bool look(struct kp_peer *peer, uint64_t now_ns)
{
    if (connect(peer->fd, (const struct sockaddr *)&peer->address.bytes, peer->address.length) == 0 ||
        errno == EISCONN)
        return connected(peer, now_ns);
    if (errno != EALREADY && errno != EINPROGRESS)
        drop_errno(peer, now_ns, errno);
    else if (now_ns > peer->limit_ns)
        drop_errno(peer, now_ns, ETIMEDOUT);
    return false;
}

static bool begin(struct kp_peer *peer, uint64_t now_ns)
{
    if (!peer->named || kp_address_of_known(&peer->address, &peer->target, "/etc/hosts"))
        return connect_now(peer, now_ns);
    peer->limit_ns = now_ns + KP_PEER_PATIENCE_NS;
    peer->state = KP_PEER_RESOLVING;
    kp_resolve_start(&peer->resolve, &peer->target, now_ns);
    return false;
}

static bool look_up(struct kp_peer *peer, uint64_t now_ns)
{
    switch (kp_resolve_turn(&peer->resolve, &peer->address, now_ns)) {
    case KP_RESOLVE_FOUND:
        return connect_now(peer, now_ns);
    case KP_RESOLVE_NONE:
        peer->error = ENXIO;
        kp_peer_drop(peer, now_ns, "no address of that name");
        return false;
    case KP_RESOLVE_WAITING:
        break;
    }
    return false;
}

bool kp_peer_turn(struct kp_peer *peer, uint64_t now_ns)
{
    switch (peer->state) {
    case KP_PEER_AWAY:
        return now_ns >= peer->next_try_ns && begin(peer, now_ns);
    case KP_PEER_RESOLVING:
        return look_up(peer, now_ns);
    case KP_PEER_CONNECTING:
        return look(peer, now_ns);
    case KP_PEER_THERE:
        if (peer->limit_ns && now_ns > peer->limit_ns)
            kp_peer_drop(peer, now_ns, "it does not answer");
        break;
    }
    return false;
}

ssize_t kp_peer_send(struct kp_peer *peer, uint64_t now_ns, const void *data, size_t bytes)
{
    ssize_t n;

    if (peer->state != KP_PEER_THERE)
        return -1;
    while ((n = send(peer->fd, data, bytes, MSG_NOSIGNAL | MSG_DONTWAIT)) < 0 && errno == EINTR)
        ;
    /* Receiving tells that it is gone, behind what it said before. */
    if (n >= 0 || errno == EAGAIN || errno == ENOBUFS || errno == EPIPE || errno == ECONNRESET)
        return n < 0 ? 0 : n;
    drop_errno(peer, now_ns, errno);
    return -1;
}

ssize_t kp_peer_receive(struct kp_peer *peer, uint64_t now_ns, void *data, size_t bytes)
{
    ssize_t n;

    if (peer->state != KP_PEER_THERE)
        return -1;
    while ((n = recv(peer->fd, data, bytes, MSG_DONTWAIT)) < 0 && errno == EINTR)
        ;
    if (n > 0)
        return n;
    if (n < 0 && errno == EAGAIN)
        return 0;
    if (n < 0)
        drop_errno(peer, now_ns, errno);
    else
        kp_peer_drop(peer, now_ns, "it closed the connection");
    return -1;
}

size_t kp_peer_unsent(const struct kp_peer *peer)
{
    int bytes = 0;

    if (peer->state != KP_PEER_THERE || ioctl(peer->fd, SIOCOUTQ, &bytes) < 0 || bytes < 0)
        return 0;
    return (size_t)bytes;
}

uint64_t kp_peer_rest(const struct kp_peer *peer, uint64_t now_ns)
{
    if (peer->state == KP_PEER_AWAY)
        return peer->next_try_ns > now_ns ? peer->next_try_ns - now_ns : 0;
    return STEP_NS;
}
