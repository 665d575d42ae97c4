#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/wire.h"

static const struct {
    const char *prefix;
    enum kp_scheme scheme;
} schemes[] = {
    {"tcp://", KP_SCHEME_TCP},
    {"unix:", KP_SCHEME_UNIX},
    {"tls://", KP_SCHEME_TLS},
    {"kieker-tcp://", KP_SCHEME_KIEKER_TCP},
};

enum { SCHEMES = sizeof schemes / sizeof schemes[0] };

static bool refuse(const char *text, unsigned allowed, const char *why, char *error, size_t bytes)
{
    int used = snprintf(error, bytes, "'%s': %s; allowed:", text, why);
    for (size_t i = 0; i < SCHEMES && used >= 0 && (size_t)used < bytes; i++)
        if (allowed & schemes[i].scheme)
            used += snprintf(error + used, bytes - (size_t)used, " %s%s", schemes[i].prefix,
                             schemes[i].scheme == KP_SCHEME_UNIX ? "PATH" : "HOST:PORT");
    return false;
}

/* HOST, HOST:PORT, [HOST]:PORT */
static const char *split_host(struct kp_address *address, const char *at)
{
    bool bracket = *at == '[';
    const char *host = at + bracket, *end = bracket ? strchr(host, ']') : strrchr(host, ':');
    if (bracket && (!end || (end[1] && end[1] != ':')))
        return "a ']' is missing";
    if (!end)
        end = host + strlen(host);
    if (!bracket && memchr(host, ':', (size_t)(end - host)))
        return "an address of IPv6 stands in brackets";
    if (end == host || (size_t)(end - host) >= sizeof address->host)
        return "that is no host";
    snprintf(address->host, sizeof address->host, "%.*s", (int)(end - host), host);
    const char *port = end + bracket;
    if (!*port) {
        snprintf(address->port, sizeof address->port, "%d", KP_WIRE_PORT);
        return NULL;
    }
    char *rest;
    long number = strtol(port + 1, &rest, 10);
    if (port[1] < '0' || port[1] > '9' || *rest || number > 65535)
        return "that is no port (0 to 65535)";
    snprintf(address->port, sizeof address->port, "%u", (unsigned)number & 0xffffu);
    return NULL;
}

bool kp_address_parse(struct kp_address *address, const char *text, unsigned allowed, char *error,
                      size_t bytes)
{
    const char *why = "that is no address", *at = NULL;
    *address = (struct kp_address){0};
    for (size_t i = 0; i < SCHEMES; i++)
        if (allowed & schemes[i].scheme && !strncmp(text, schemes[i].prefix, strlen(schemes[i].prefix))) {
            address->scheme = schemes[i].scheme;
            at = text + strlen(schemes[i].prefix);
        }
    if (!at || strlen(text) >= sizeof address->text)
        return refuse(text, allowed, why, error, bytes);
    strcpy(address->text, text);
    if (address->scheme != KP_SCHEME_UNIX) {
        why = split_host(address, at);
        return why ? refuse(text, allowed, why, error, bytes) : true;
    }
    if (!*at || strlen(at) >= sizeof address->path)
        return refuse(text, allowed, "a path has 1 to 107 bytes", error, bytes);
    strcpy(address->path, at);
    return true;
}

bool kp_address_is_local(const struct sockaddr *address)
{
    switch (address->sa_family) {
    case AF_UNIX:
        return true;
    case AF_INET:
        return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
    case AF_INET6: {
        const struct in6_addr *ip = &((const struct sockaddr_in6 *)address)->sin6_addr;
        return IN6_IS_ADDR_LOOPBACK(ip) || (IN6_IS_ADDR_V4MAPPED(ip) && ip->s6_addr[12] == 127);
    }
    default:
        return false;
    }
}

void kp_address_print(const struct sockaddr *address, char *text, size_t bytes)
{
    char ip[INET6_ADDRSTRLEN] = "?";
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        inet_ntop(AF_INET, &in->sin_addr, ip, sizeof ip);
        snprintf(text, bytes, "%s:%u", ip, ntohs(in->sin_port));
    } else if (address->sa_family == AF_INET6) {
        const struct sockaddr_in6 *in = (const struct sockaddr_in6 *)address;
        inet_ntop(AF_INET6, &in->sin6_addr, ip, sizeof ip);
        snprintf(text, bytes, "[%s]:%u", ip, ntohs(in->sin6_port));
    } else {
        snprintf(text, bytes, "unix");
    }
}
