/*
 * Addresses of peers as options give them: HOST[:PORT] (IPv6 in brackets) and paths of Unix sockets.
 * No allocation, no globals.
 */
#ifndef KP_TRACE_ENDPOINT_H
#define KP_TRACE_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "status.h"

#define KP_ENDPOINT_HOST_MAX 253u

struct kp_host_port {
    char host[KP_ENDPOINT_HOST_MAX + 1]; /* without brackets */
    uint16_t port;
};

/*
 * A port that is not given is `port`. False: *bad is where it goes wrong and *what a text that completes
 * "'...' ": "is no port".
 */
bool kp_endpoint_split(struct kp_host_port *out, const char *text, uint16_t port, const char **bad,
                       const char **what);

/* Room for any address we connect to. */
struct kp_endpoint {
    struct sockaddr_storage bytes;
    socklen_t length;
};

/* The address of a number ("127.0.0.1", "::1"). False: it is a name. */
bool kp_endpoint_of_number(struct kp_endpoint *address, const struct kp_host_port *target);

/* "localhost", or a name in the text of a hosts(5) file: the first address it has there. */
bool kp_endpoint_of_known(struct kp_endpoint *address, const struct kp_host_port *target,
                          const char *hosts_path);

/* A Unix socket. False: the path is too long for one. */
bool kp_endpoint_of_path(struct kp_endpoint *address, const char *path);

#endif
