/* Addresses of peers: tcp://HOST:PORT, unix:PATH, tls://HOST:PORT, kieker-tcp://HOST:PORT. */
#ifndef KP_COLLECTOR_SERVER_ADDRESS_H
#define KP_COLLECTOR_SERVER_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

enum kp_scheme {
    KP_SCHEME_TCP = 1,
    KP_SCHEME_UNIX = 2,
    KP_SCHEME_TLS = 4,
    KP_SCHEME_KIEKER_TCP = 8 /* to forward to only: a listener tells Kieker's streams by their first bytes */
};

struct kp_address {
    enum kp_scheme scheme;
    char host[256]; /* without the brackets of IPv6 */
    char port[8];
    char path[108];
    char text[384]; /* as given */
};

/* `allowed`: a sum of schemes. A port that is not given is KP_WIRE_PORT. False: `error` says why. */
bool kp_address_parse(struct kp_address *address, const char *text, unsigned allowed, char *error,
                      size_t bytes);

/* Whether only this machine reaches it. */
bool kp_address_is_local(const struct sockaddr *address);

/* "127.0.0.1:4712", "[::1]:4712", "unix" */
void kp_address_print(const struct sockaddr *address, char *text, size_t bytes);

#endif
