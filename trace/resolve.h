/*
 * Resolve: the address of a host name from the name servers of resolv.conf(5), as a machine that never waits:
 * getaddrinfo would, holding locks of libc that a forked child then never gets. UDP, A and AAAA records.
 */
#ifndef KP_TRACE_RESOLVE_H
#define KP_TRACE_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>

#include "endpoint.h"

#define KP_RESOLVE_SERVERS 3
#define KP_RESOLVE_NAMES   7 /* the name with each domain of the search list, and alone */

struct kp_resolve {
    int fd; /* -1: nothing is asked */
    uint16_t port;
    uint16_t id;
    unsigned server, name, type, tries;
    unsigned servers, names;
    uint64_t next_ns; /* when to ask once more */
    struct kp_endpoint server_addresses[KP_RESOLVE_SERVERS];
    char full_names[KP_RESOLVE_NAMES][KP_ENDPOINT_HOST_MAX + 1];
};

enum kp_resolve_result { KP_RESOLVE_WAITING, KP_RESOLVE_FOUND, KP_RESOLVE_NONE };

void kp_resolve_start(struct kp_resolve *resolve, const struct kp_host_port *target, uint64_t now_ns);
enum kp_resolve_result kp_resolve_turn(struct kp_resolve *resolve, struct kp_endpoint *address,
                                       uint64_t now_ns);
void kp_resolve_stop(struct kp_resolve *resolve);

/* The first A or AAAA record of an answer to question `id`; 0: none in it; -1: no answer to that question. */
int kp_resolve_parse(const uint8_t *packet, size_t bytes, uint16_t id, uint16_t port,
                     struct kp_endpoint *address);

#endif
