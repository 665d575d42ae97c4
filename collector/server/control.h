/*
 * Questions to a running server, by HTTP over its control socket (Unix, 0600) and, when asked for, TCP:
 * GET /status (text), /status.json, /metrics (Prometheus).
 */
#ifndef KP_COLLECTOR_SERVER_CONTROL_H
#define KP_COLLECTOR_SERVER_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server.h"

/* Where the control socket is when nobody said: in $XDG_RUNTIME_DIR or /run; false: nowhere. */
bool kp_control_default_path(char *path, size_t bytes);

/* Opens the control socket, and the port of --metrics if there is one; false: `error` says why. */
bool kp_control_open(struct kp_server *server, char *error, size_t bytes);
void kp_control_close_all(struct kp_server *server);
/* Drops who asks nothing, or takes no answer. */
void kp_control_tick(uint64_t now_ms);

/* Asks the server at `path`, and prints the answer on standard output; returns the exit status. */
int kp_control_ask(const char *path, const char *what);

#endif
