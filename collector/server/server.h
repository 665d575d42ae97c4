/* A server: one event loop, its listeners, its peers, its one output. Private to collector/server. */
#ifndef KP_COLLECTOR_SERVER_SERVER_H
#define KP_COLLECTOR_SERVER_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "channel.h"
#include "metrics.h"
#include "output.h"
#include "settings.h"

struct kp_listener;
struct kp_peer;
struct kp_control;

struct kp_server {
    const struct kp_serve_settings *settings;
    uv_loop_t loop;
    uv_timer_t ticker;
    uv_signal_t signals[2];
    struct kp_turns turns;
    struct kp_metrics metrics;
    struct kp_listener *listeners;
    struct kp_control *controls;
    struct kp_peer *peers; /* the newest first; those being closed, too */
    struct kp_output *output;
    struct kp_tls_context *tls; /* NULL: no certificate */
    char *token;                /* NULL: none is asked for */
    uint64_t peer_limit;
    uint64_t start_ns, stop_ms, quiet_ms, second_ms;
    bool stopping, stopped, blocked, failed;
};

/* Runs until it is told to stop; returns the exit status of the command. */
int kp_server_run(const struct kp_serve_settings *settings);

/* The output takes nothing now (or takes again): peers wait. Said once. */
void kp_server_block(struct kp_server *server, bool blocked, const char *why);

/* From the next turn of the loop on: no more peers, read what was sent, end. */
void kp_server_stop(struct kp_server *server);

#endif
