#include "status.h"

#include <inttypes.h>
#include <time.h>
#include <unistd.h>

#include "peer.h"
#include "util/format.h"
#include "util/json.h"

enum { PEERS_SHOWN = 1000 };

static const char *kind_name(const struct kp_peer *peer)
{
    static const char *const names[] = {"unknown", "kprobe", "kieker"};
    return names[peer->kind];
}

static uint64_t uptime_ns(const struct kp_server *server)
{
    return uv_hrtime() - server->start_ns;
}

static void print_row(void *user, const char *name, uint64_t value, const char *help)
{
    char text[KP_FORMAT_BYTES];
    FILE *file = user;
    if (value)
        fprintf(file, "%24s  %-22s %s\n", kp_format_count(text, value), name, help);
}

void kp_server_status_text(const struct kp_server *server, FILE *file)
{
    char text[KP_FORMAT_BYTES];
    size_t shown = 0;
    fprintf(file, "kprobe serve, pid %d, for %s\n\n", (int)getpid(),
            kp_format_duration(text, uptime_ns(server)));
    kp_metrics_each(&server->metrics, print_row, file);
    for (const struct kp_peer *peer = server->peers; peer && shown < PEERS_SHOWN; peer = peer->next) {
        if (peer->closing)
            continue;
        if (!shown++)
            fprintf(file, "\n%-28s %-8s %14s %14s %14s\n", "peer", "kind", "received", "chunks", "records");
        fprintf(file, "%-28s %-8s %14s %14" PRIu64 " %14" PRIu64 "\n", peer->channel.peer, kind_name(peer),
                kp_format_size(text, peer->bytes), peer->chunks, peer->records);
    }
}

static void json_row(void *user, const char *name, uint64_t value, const char *help)
{
    (void)help;
    kp_json_number(user, name, value);
}

static void json_peer(struct kp_json *json, const struct kp_peer *peer, uint64_t now_ms)
{
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "peer", peer->channel.peer);
    kp_json_number(json, "connection", peer->number);
    kp_json_string(json, "kind", kind_name(peer));
    kp_json_bool(json, "tls", peer->channel.tls != NULL);
    kp_json_number(json, "bytes", peer->bytes);
    kp_json_number(json, "chunks", peer->chunks);
    kp_json_number(json, "records", peer->records);
    kp_json_number(json, "waiting_bytes", peer->inbox_bytes);
    kp_json_number(json, "connected_ms", now_ms - peer->since_ms);
    kp_json_number(json, "silent_ms", now_ms - peer->heard_ms);
    kp_json_end_object(json);
}

void kp_server_status_json(const struct kp_server *server, FILE *file)
{
    struct kp_json json;
    size_t shown = 0;
    kp_json_init(&json, file, 2);
    kp_json_begin_object(&json, NULL);
    kp_json_number(&json, "pid", (uint64_t)getpid());
    kp_json_number(&json, "uptime_ns", uptime_ns(server));
    kp_json_begin_object(&json, "metrics");
    kp_metrics_each(&server->metrics, json_row, &json);
    kp_json_end_object(&json);
    kp_json_begin_array(&json, "peers");
    for (const struct kp_peer *peer = server->peers; peer && shown < PEERS_SHOWN; peer = peer->next)
        if (!peer->closing) {
            json_peer(&json, peer, uv_now(&server->loop));
            shown++;
        }
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

void kp_server_status_prometheus(const struct kp_server *server, FILE *file)
{
    kp_metrics_prometheus(&server->metrics, file);
    fprintf(file,
            "# HELP kprobe_serve_uptime_seconds since the server began\n"
            "# TYPE kprobe_serve_uptime_seconds gauge\nkprobe_serve_uptime_seconds %.3f\n",
            (double)uptime_ns(server) / 1e9);
}
