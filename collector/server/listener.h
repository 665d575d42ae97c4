/* Sockets that peers connect to: addresses of --listen, and those that systemd passes. */
#ifndef KP_COLLECTOR_SERVER_LISTENER_H
#define KP_COLLECTOR_SERVER_LISTENER_H

#include "server.h"

/* Opens one; false: `error` says why. */
bool kp_listener_open(struct kp_server *server, const char *text, char *error, size_t bytes);
/* Takes the sockets of LISTEN_FDS; how many, or -1 with `error`. */
int kp_listener_inherit(struct kp_server *server, char *error, size_t bytes);
/* No more peers. */
void kp_listener_close_all(struct kp_server *server);

/* A Unix socket of ours, mode 0600: bound, or a libuv error. A dead one's file is replaced. */
int kp_listener_bind_unix(uv_pipe_t *pipe, const char *path);

#endif
