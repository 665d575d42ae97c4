#include "listener.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "journal.h"
#include "peer.h"
#include "util/memory.h"

enum { BACKLOG = 1024, FIRST_PASSED = 3 /* SD_LISTEN_FDS_START */ };

struct kp_listener {
    struct kp_listener *next;
    struct kp_server *server;
    union kp_socket uv;
    bool local, tls;
    char path[108]; /* to be removed in the end */
};

static void on_connection(uv_stream_t *stream, int status)
{
    struct kp_listener *listener = stream->data;
    struct kp_server *server = listener->server;
    if (!status)
        kp_peer_accept(server, stream, listener->local, listener->tls);
    else if (status == UV_EMFILE || status == UV_ENFILE)
        kp_journal(KP_JOURNAL_LIMIT, "a peer was refused: no more open files (ulimit -n)");
    else
        kp_journal(KP_JOURNAL_LIMIT, "a peer was refused: %s", uv_strerror(status));
}

static struct kp_listener *add(struct kp_server *server)
{
    struct kp_listener *listener = kp_allocate_cleared(1, sizeof *listener);
    listener->server = server;
    listener->next = server->listeners;
    server->listeners = listener;
    return listener;
}

static void forget(uv_handle_t *handle)
{
    free(handle->data);
}

static void take_back(struct kp_listener *listener)
{
    struct kp_listener **at = &listener->server->listeners;
    while (*at != listener)
        at = &(*at)->next;
    *at = listener->next;
    uv_close(&listener->uv.handle, forget);
}

void kp_listener_close_all(struct kp_server *server)
{
    while (server->listeners) {
        struct kp_listener *listener = server->listeners;
        if (*listener->path)
            unlink(listener->path);
        take_back(listener);
    }
}

/* --- rules ------------------------------------------------------------------------------------------- */

/* Beyond this machine: encrypted, and only for those who can prove that they may. */
static bool is_allowed(const struct kp_server *server, const struct kp_listener *listener, const char *name,
                       char *error, size_t bytes)
{
    bool proof = server->token || server->settings->tls.authorities;
    if (listener->local || server->settings->insecure || (listener->tls && proof))
        return true;
    snprintf(error, bytes,
             "'%s' can be reached from elsewhere: that needs TLS (tls://, --tls-cert, --tls-key) and %s, or "
             "--insecure",
             name, "a token (--token-file) or certificates of the peers (--tls-ca)");
    return false;
}

/* --- TCP --------------------------------------------------------------------------------------------- */

static int bind_tcp(struct kp_listener *listener, const struct kp_address *address, char *error, size_t bytes)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    int failed = getaddrinfo(address->host, address->port, &hints, &found);
    if (failed) {
        snprintf(error, bytes, "'%s': %s", address->text, gai_strerror(failed));
        return -1;
    }
    listener->local = kp_address_is_local(found->ai_addr);
    int status = uv_tcp_bind(&listener->uv.tcp, found->ai_addr, 0);
    freeaddrinfo(found);
    if (status)
        snprintf(error, bytes, "'%s': %s", address->text, uv_strerror(status));
    return status;
}

/* --- Unix -------------------------------------------------------------------------------------------- */

/* A socket that nobody listens at any more. */
static void remove_dead(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct stat info;
    if (lstat(path, &info) || !S_ISSOCK(info.st_mode))
        return;
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof address) && errno == ECONNREFUSED)
        unlink(path);
    if (fd >= 0)
        close(fd);
}

int kp_listener_bind_unix(uv_pipe_t *pipe, const char *path)
{
    remove_dead(path);
    mode_t before = umask(0177);
    int status = uv_pipe_bind(pipe, path);
    umask(before);
    return status;
}

static int bind_unix(struct kp_listener *listener, const struct kp_address *address, char *error,
                     size_t bytes)
{
    listener->local = true;
    int status = kp_listener_bind_unix(&listener->uv.pipe, address->path);
    if (status)
        snprintf(error, bytes, "'%s': %s", address->text, uv_strerror(status));
    else
        strcpy(listener->path, address->path);
    return status;
}

/* --- opening ----------------------------------------------------------------------------------------- */

static void tell_address(const struct kp_listener *listener, const char *text)
{
    struct sockaddr_storage address;
    int bytes = sizeof address;
    char name[80];
    snprintf(name, sizeof name, "%s", text);
    if (listener->uv.handle.type == UV_TCP &&
        !uv_tcp_getsockname(&listener->uv.tcp, (struct sockaddr *)&address, &bytes)) {
        char print[64];
        kp_address_print((const struct sockaddr *)&address, print, sizeof print);
        snprintf(name, sizeof name, "%s%s", listener->tls ? "tls://" : "tcp://", print);
    }
    kp_journal(KP_JOURNAL_ALWAYS, "listening on %s", name);
}

static bool start(struct kp_listener *listener, const char *name, char *error, size_t bytes)
{
    if (listener->tls && !listener->server->tls)
        snprintf(error, bytes, "'%s': TLS needs --tls-cert and --tls-key", name);
    else if (is_allowed(listener->server, listener, name, error, bytes)) {
        int status = uv_listen(&listener->uv.stream, BACKLOG, on_connection);
        if (!status) {
            tell_address(listener, name);
            return true;
        }
        snprintf(error, bytes, "'%s': %s", name, uv_strerror(status));
    }
    take_back(listener);
    return false;
}

bool kp_listener_open(struct kp_server *server, const char *text, char *error, size_t bytes)
{
    struct kp_address address;
    if (!kp_address_parse(&address, text, KP_SCHEME_TCP | KP_SCHEME_UNIX | KP_SCHEME_TLS, error, bytes))
        return false;
    struct kp_listener *listener = add(server);
    listener->tls = address.scheme == KP_SCHEME_TLS;
    int status;
    if (address.scheme == KP_SCHEME_UNIX) {
        uv_pipe_init(&server->loop, &listener->uv.pipe, 0);
        status = bind_unix(listener, &address, error, bytes);
    } else {
        uv_tcp_init(&server->loop, &listener->uv.tcp);
        status = bind_tcp(listener, &address, error, bytes);
    }
    listener->uv.handle.data = listener;
    if (status) {
        take_back(listener);
        return false;
    }
    return start(listener, text, error, bytes);
}

/* --- systemd ----------------------------------------------------------------------------------------- */

/* The name of the number-th socket in LISTEN_FDNAMES. */
static void passed_name(int number, char *name, size_t bytes)
{
    const char *at = getenv("LISTEN_FDNAMES");
    for (; at && number > 0; number--) {
        at = strchr(at, ':');
        at += at != NULL;
    }
    snprintf(name, bytes, "%.*s", at ? (int)strcspn(at, ":") : 0, at ? at : "");
}

static bool inherit(struct kp_server *server, int fd, const char *name, char *error, size_t bytes)
{
    struct sockaddr_storage address = {0};
    socklen_t length = sizeof address;
    char text[80];
    snprintf(text, sizeof text, "passed socket %d", fd);
    if (getsockname(fd, (struct sockaddr *)&address, &length)) {
        snprintf(error, bytes, "'%s': %s", text, strerror(errno));
        return false;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    struct kp_listener *listener = add(server);
    bool is_unix = address.ss_family == AF_UNIX;
    listener->local = kp_address_is_local((const struct sockaddr *)&address);
    listener->tls = !is_unix && !strcmp(name, "tls");
    if (is_unix) {
        uv_pipe_init(&server->loop, &listener->uv.pipe, 0);
        uv_pipe_open(&listener->uv.pipe, fd);
    } else {
        uv_tcp_init(&server->loop, &listener->uv.tcp);
        uv_tcp_open(&listener->uv.tcp, fd);
    }
    listener->uv.handle.data = listener;
    return start(listener, text, error, bytes);
}

int kp_listener_inherit(struct kp_server *server, char *error, size_t bytes)
{
    const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
    int count = fds && pid && strtol(pid, NULL, 10) == getpid() ? (int)strtol(fds, NULL, 10) : 0;
    for (int i = 0; i < count; i++) {
        char name[64];
        passed_name(i, name, sizeof name);
        if (!inherit(server, FIRST_PASSED + i, name, error, bytes))
            return -1;
    }
    unsetenv("LISTEN_PID");
    unsetenv("LISTEN_FDS");
    unsetenv("LISTEN_FDNAMES");
    return count;
}
