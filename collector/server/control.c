#include "control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "address.h"
#include "channel.h"
#include "journal.h"
#include "listener.h"
#include "status.h"
#include "util/memory.h"

enum { MOST_CLIENTS = 32, CLIENT_MS = 10000, REQUEST_BYTES = 4096, BACKLOG = 16, KP_CONTROL_FAILED = 1 };

struct kp_control {
    struct kp_control *next;
    struct kp_server *server;
    union kp_socket uv;
    char path[108];
};

struct client {
    struct kp_channel channel;
    struct kp_server *server;
    struct client *next;
    bool local; /* asks over the Unix socket: those of the metrics' port cannot keep it out */
    uint64_t since_ms;
    char request[REQUEST_BYTES];
    size_t used;
};

static struct client *clients;

static unsigned count_clients(bool local)
{
    unsigned count = 0;
    for (const struct client *client = clients; client; client = client->next)
        count += client->local == local;
    return count;
}

/* --- answering ---------------------------------------------------------------------------------------- */

static const struct page {
    const char *path, *type;
    void (*print)(const struct kp_server *server, FILE *file);
} pages[] = {
    {"/status", "text/plain; charset=utf-8", kp_server_status_text},
    {"/status.json", "application/json", kp_server_status_json},
    {"/metrics", "text/plain; version=0.0.4; charset=utf-8", kp_server_status_prometheus},
};

static const struct page *find_page(const char *request)
{
    if (strncmp(request, "GET ", 4) != 0)
        return NULL;
    size_t bytes = strcspn(request + 4, " ?\r\n");
    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strlen(pages[i].path) == bytes && !strncmp(request + 4, pages[i].path, bytes))
            return &pages[i];
    return NULL;
}

static void answer(struct client *client)
{
    const struct page *page = find_page(client->request);
    char *body = NULL, head[256];
    size_t bytes = 0;
    FILE *file = open_memstream(&body, &bytes);
    if (file && page)
        page->print(client->server, file);
    else if (file)
        fprintf(file, "there are /status, /status.json and /metrics, to be asked for by GET\n");
    if (file)
        fclose(file);
    int count =
        snprintf(head, sizeof head,
                 "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n",
                 page ? "200 OK" : "404 Not Found", page ? page->type : "text/plain", bytes);
    kp_channel_write(&client->channel, head, (size_t)count);
    if (body)
        kp_channel_write(&client->channel, body, bytes);
    free(body);
    kp_channel_close(&client->channel, true);
}

static void on_data(void *user, const uint8_t *bytes, size_t count)
{
    struct client *client = user;
    if (count > sizeof client->request - 1 - client->used) {
        kp_channel_close(&client->channel, false);
        return;
    }
    memcpy(client->request + client->used, bytes, count);
    client->used += count;
    client->request[client->used] = 0;
    if (strstr(client->request, "\r\n\r\n"))
        answer(client);
}

static void on_ended(void *user, const char *reason)
{
    struct client *client = user;
    (void)reason;
    kp_channel_close(&client->channel, false);
}

static void on_closed(void *user)
{
    struct client **at = &clients;
    while (*at != user)
        at = &(*at)->next;
    *at = (*at)->next;
    free(user);
}

static void on_opened(void *user)
{
    (void)user;
}

static const struct kp_channel_ops client_ops = {on_opened, on_data, on_ended, NULL, on_closed};

static void on_connection(uv_stream_t *stream, int status)
{
    struct kp_control *control = stream->data;
    if (status)
        return;
    struct client *client = kp_allocate_cleared(1, sizeof *client);
    client->server = control->server;
    client->local = *control->path != 0;
    client->since_ms = uv_now(stream->loop);
    bool welcome = count_clients(client->local) < MOST_CLIENTS;
    client->next = clients;
    clients = client;
    status = kp_channel_accept(&client->channel, stream, &control->server->turns, NULL, &client_ops, client);
    if (welcome && !status)
        kp_channel_read(&client->channel, true);
    else
        kp_channel_close(&client->channel, false);
}

static void drop(struct client *client)
{
    kp_channel_close(&client->channel, false);
    kp_channel_abort(&client->channel); /* one that does not take its answer */
}

void kp_control_tick(uint64_t now_ms)
{
    for (struct client *client = clients; client; client = client->next)
        if (now_ms - client->since_ms > CLIENT_MS)
            drop(client);
}

/* --- opening ------------------------------------------------------------------------------------------ */

bool kp_control_default_path(char *path, size_t bytes)
{
    const char *folder = getenv("XDG_RUNTIME_DIR");
    if (!folder || *folder != '/')
        folder = geteuid() ? NULL : "/run";
    return folder && (size_t)snprintf(path, bytes, "%s/kprobe-serve.sock", folder) < bytes;
}

static struct kp_control *add(struct kp_server *server)
{
    struct kp_control *control = kp_allocate_cleared(1, sizeof *control);
    control->server = server;
    control->next = server->controls;
    server->controls = control;
    return control;
}

static int open_unix(struct kp_server *server, const char *path)
{
    struct kp_control *control = add(server);
    uv_pipe_init(&server->loop, &control->uv.pipe, 0);
    control->uv.handle.data = control;
    int status = kp_listener_bind_unix(&control->uv.pipe, path);
    if (!status) {
        snprintf(control->path, sizeof control->path, "%s", path);
        status = uv_listen(&control->uv.stream, BACKLOG, on_connection);
    }
    return status;
}

/* The usual place may be taken by another server: then this one has a name of its own. */
static void open_default(struct kp_server *server)
{
    char path[108], other[128];
    if (!kp_control_default_path(path, sizeof path))
        return;
    int status = open_unix(server, path);
    if (status == UV_EADDRINUSE) {
        snprintf(other, sizeof other, "%.*s.%d.sock", (int)(strlen(path) - strlen(".sock")), path,
                 (int)getpid());
        status = strlen(other) < sizeof path ? open_unix(server, other) : UV_ENAMETOOLONG;
        kp_journal(KP_JOURNAL_ALWAYS, "another server has %s; this one answers --status at %s", path, other);
    }
    if (status)
        kp_journal(KP_JOURNAL_ALWAYS, "no control socket at %s: %s", path, uv_strerror(status));
}

static bool open_metrics(struct kp_server *server, const char *text, char *error, size_t bytes)
{
    struct kp_address address;
    struct sockaddr_storage ip;
    if (!kp_address_parse(&address, text, KP_SCHEME_TCP, error, bytes))
        return false;
    struct kp_control *control = add(server);
    uv_tcp_init(&server->loop, &control->uv.tcp);
    control->uv.handle.data = control;
    int port = atoi(address.port);
    int status = uv_ip4_addr(address.host, port, (struct sockaddr_in *)&ip);
    if (status)
        status = uv_ip6_addr(address.host, port, (struct sockaddr_in6 *)&ip);
    if (!status && !kp_address_is_local((struct sockaddr *)&ip) && !server->settings->insecure) {
        snprintf(error, bytes, "'%s' can be reached from elsewhere: that needs --insecure", text);
        return false;
    }
    if (!status)
        status = uv_tcp_bind(&control->uv.tcp, (struct sockaddr *)&ip, 0);
    if (!status)
        status = uv_listen(&control->uv.stream, BACKLOG, on_connection);
    if (status) {
        snprintf(error, bytes, "'%s': %s", text, uv_strerror(status));
        return false;
    }
    int length = sizeof ip;
    char print[64] = "";
    uv_tcp_getsockname(&control->uv.tcp, (struct sockaddr *)&ip, &length);
    kp_address_print((struct sockaddr *)&ip, print, sizeof print);
    kp_journal(KP_JOURNAL_ALWAYS, "metrics at http://%s/metrics", print);
    return true;
}

bool kp_control_open(struct kp_server *server, char *error, size_t bytes)
{
    const struct kp_serve_settings *settings = server->settings;
    if (!settings->control) {
        open_default(server);
    } else {
        int status = open_unix(server, settings->control);
        if (status) {
            snprintf(error, bytes, "--control '%s': %s", settings->control, uv_strerror(status));
            return false;
        }
    }
    return !settings->metrics || open_metrics(server, settings->metrics, error, bytes);
}

static void forget(uv_handle_t *handle)
{
    free(handle->data);
}

void kp_control_close_all(struct kp_server *server)
{
    while (server->controls) {
        struct kp_control *control = server->controls;
        server->controls = control->next;
        if (*control->path)
            unlink(control->path);
        uv_close(&control->uv.handle, forget);
    }
    for (struct client *client = clients; client; client = client->next)
        drop(client);
}

/* --- asking ------------------------------------------------------------------------------------------- */

static char *read_answer(int fd, size_t *bytes)
{
    char *answer = NULL, part[16384];
    ssize_t count;
    FILE *file = open_memstream(&answer, bytes);
    while (file && (count = read(fd, part, sizeof part)) > 0)
        fwrite(part, 1, (size_t)count, file);
    if (file)
        fclose(file);
    return answer;
}

int kp_control_ask(const char *path, const char *what)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char request[128];
    size_t bytes = 0;
    struct timeval limit = {.tv_sec = 10};
    if (strlen(path) >= sizeof address.sun_path) {
        fprintf(stderr, "kprobe serve: '%s': the path is too long\n", path);
        return KP_CONTROL_FAILED;
    }
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address)) {
        fprintf(stderr, "kprobe serve: no server answers at %s: %s\n", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return KP_CONTROL_FAILED;
    }
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    int count = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: kprobe\r\n\r\n", what);
    char *answer = send(fd, request, (size_t)count, MSG_NOSIGNAL) == count ? read_answer(fd, &bytes) : NULL;
    close(fd);
    const char *body = answer && !strncmp(answer, "HTTP/1.1 200", 12) ? strstr(answer, "\r\n\r\n") : NULL;
    if (body)
        fputs(body + 4, stdout);
    else
        fprintf(stderr, "kprobe serve: the server at %s gave no answer\n", path);
    free(answer);
    return body ? 0 : KP_CONTROL_FAILED;
}
