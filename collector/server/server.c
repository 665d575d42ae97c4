#include "server.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command.h"
#include "control.h"
#include "journal.h"
#include "listener.h"
#include "notify.h"
#include "peer.h"
#include "token.h"
#include "util/memory.h"

enum {
    TICK_MS = 50,
    SECOND_MS = 1000,
    OTHER_FILES = 64, /* open files that are no peer's: libraries, listeners, logs */
    FILES_A_PEER = 2  /* its socket and its trace */
};

/* --- stopping ----------------------------------------------------------------------------------------- */

void kp_server_stop(struct kp_server *server)
{
    if (server->stopping)
        return;
    server->stopping = true;
    server->metrics.stopping = 1;
    server->stop_ms = uv_now(&server->loop);
    kp_notify("STOPPING=1");
    kp_journal(KP_JOURNAL_ALWAYS, "stopping");
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct kp_server *server = signal->data;
    if (server->stopping) {
        kp_journal(KP_JOURNAL_ALWAYS, "told to stop again: ending at once");
        _exit(128 + number);
    }
    kp_server_stop(server);
}

static void close_handles(struct kp_server *server)
{
    server->stopped = true;
    if (server->output && server->output->kind->stop)
        server->output->kind->stop(server->output);
    kp_control_close_all(server);
    kp_turns_stop(&server->turns);
    uv_close((uv_handle_t *)&server->ticker, NULL);
    for (int i = 0; i < 2; i++)
        uv_close((uv_handle_t *)&server->signals[i], NULL);
}

static bool is_anybody_sending(const struct kp_server *server, uint64_t now_ms)
{
    for (const struct kp_peer *peer = server->peers; peer; peer = peer->next)
        if (kp_peer_is_sending(peer, now_ms))
            return true;
    return false;
}

/* Each tick one step: listeners, then peers as soon as they are silent, then the output. */
static void go_on_stopping(struct kp_server *server, uint64_t now_ms)
{
    bool late = now_ms - server->stop_ms > server->settings->stop_ms;
    if (now_ms - server->stop_ms < TICK_MS)
        return; /* who connected already is accepted in this turn */
    kp_listener_close_all(server);
    if (!late && is_anybody_sending(server, now_ms))
        return;
    for (struct kp_peer *peer = server->peers; peer; peer = peer->next)
        kp_peer_finish(peer);
    if (server->peers)
        return;
    if (!late && server->output->kind->waits && server->output->kind->waits(server->output))
        return;
    close_handles(server);
}

/* --- time --------------------------------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct kp_server *server = timer->data;
    uint64_t now_ms = uv_now(&server->loop);
    server->metrics.bytes_received = server->turns.bytes_in;
    server->metrics.bytes_sent = server->turns.bytes_out;
    if (server->output->kind->tick)
        server->output->kind->tick(server->output, now_ms);
    if (now_ms - server->second_ms >= SECOND_MS) {
        server->second_ms = now_ms;
        kp_journal_tick();
        kp_control_tick(now_ms);
        for (struct kp_peer *peer = server->peers; peer; peer = peer->next)
            kp_peer_tick(peer, now_ms);
    }
    if (server->stopping && !server->stopped)
        go_on_stopping(server, now_ms);
}

void kp_server_block(struct kp_server *server, bool blocked, const char *why)
{
    if (server->blocked == blocked)
        return;
    server->blocked = blocked;
    server->metrics.output_full = blocked;
    server->metrics.output_full_seen += blocked;
    kp_journal(KP_JOURNAL_OUTPUT, blocked ? "%s: peers wait" : "%s", why);
    for (struct kp_peer *peer = server->peers; peer; peer = peer->next)
        kp_peer_update(peer);
}

/* --- starting ----------------------------------------------------------------------------------------- */

static void raise_limits(struct kp_server *server)
{
    struct rlimit limit;
    uint64_t wanted = server->settings->most_peers * FILES_A_PEER + OTHER_FILES;
    server->peer_limit = server->settings->most_peers;
    if (getrlimit(RLIMIT_NOFILE, &limit))
        return;
    if (limit.rlim_cur < wanted) {
        limit.rlim_cur = limit.rlim_max < wanted ? limit.rlim_max : wanted;
        setrlimit(RLIMIT_NOFILE, &limit);
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    if (limit.rlim_cur >= wanted)
        return;
    server->peer_limit =
        limit.rlim_cur > OTHER_FILES + FILES_A_PEER ? (limit.rlim_cur - OTHER_FILES) / FILES_A_PEER : 1;
    kp_journal(KP_JOURNAL_ALWAYS, "open files are limited to %llu (ulimit -n): %llu peers at most",
               (unsigned long long)limit.rlim_cur, (unsigned long long)server->peer_limit);
}

static bool listen_everywhere(struct kp_server *server, char *error, size_t bytes)
{
    int inherited = kp_listener_inherit(server, error, bytes);
    const char *at = server->settings->listen;
    char text[512];
    if (inherited < 0)
        return false;
    if (!at && inherited > 0)
        return true;
    for (at = at ? at : "tcp://127.0.0.1"; *at; at += strcspn(at, "\n") + (at[strcspn(at, "\n")] != 0)) {
        snprintf(text, sizeof text, "%.*s", (int)strcspn(at, "\n"), at);
        if (!kp_listener_open(server, text, error, bytes))
            return false;
    }
    return true;
}

static bool start(struct kp_server *server, char *error, size_t bytes)
{
    const struct kp_serve_settings *settings = server->settings;
    if (settings->token_file && !(server->token = kp_token_read(settings->token_file, error, bytes)))
        return false;
    if (settings->tls.certificate) {
        struct kp_tls_files files = settings->tls;
        files.client_required = files.authorities && !server->token && !settings->insecure;
        if (!(server->tls = kp_tls_context_create(true, &files, error, bytes)))
            return false;
    }
    raise_limits(server);
    server->output = kp_output_open(server, error, bytes);
    return server->output && listen_everywhere(server, error, bytes) && kp_control_open(server, error, bytes);
}

static void start_handles(struct kp_server *server)
{
    static const int numbers[2] = {SIGTERM, SIGINT};
    uv_loop_init(&server->loop);
    kp_turns_start(&server->turns, &server->loop);
    uv_timer_init(&server->loop, &server->ticker);
    server->ticker.data = server;
    uv_timer_start(&server->ticker, on_tick, TICK_MS, TICK_MS);
    for (int i = 0; i < 2; i++) {
        uv_signal_init(&server->loop, &server->signals[i]);
        server->signals[i].data = server;
        uv_signal_start(&server->signals[i], on_signal, numbers[i]);
    }
}

static void finish(struct kp_server *server)
{
    if (server->output && server->output->kind->close(server->output) != KP_OK)
        server->failed = true;
    kp_tls_context_destroy(server->tls);
    free(server->token);
    uv_loop_close(&server->loop);
}

int kp_server_run(const struct kp_serve_settings *settings)
{
    static struct kp_server server; /* its buffers are large */
    char error[1024];
    server = (struct kp_server){.settings = settings, .start_ns = uv_hrtime()};
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    start_handles(&server);
    bool good = start(&server, error, sizeof error);
    if (good) {
        kp_notify("READY=1");
    } else {
        kp_journal(KP_JOURNAL_ALWAYS, "%s", error);
        kp_listener_close_all(&server);
        close_handles(&server);
    }
    uv_run(&server.loop, UV_RUN_DEFAULT);
    finish(&server);
    if (good)
        kp_journal(KP_JOURNAL_ALWAYS, "stopped");
    return !good ? KP_EXIT_USAGE : server.failed ? KP_EXIT_DAMAGED : KP_EXIT_FINE;
}
