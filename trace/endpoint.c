#include "endpoint.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>
#include <unistd.h>

static bool refuse(const char **bad, const char **what, const char *at, const char *why)
{
    *bad = at;
    *what = why;
    return false;
}

static bool parse_port(const char *text, uint16_t *port)
{
    unsigned number = 0;
    size_t digits = 0;

    for (; text[digits] >= '0' && text[digits] <= '9' && digits < 6; digits++)
        number = number * 10 + (unsigned)(text[digits] - '0');
    *port = (uint16_t)number;
    return digits > 0 && !text[digits] && number > 0 && number < 65536;
}

bool kp_endpoint_split(struct kp_host_port *out, const char *text, uint16_t port, const char **bad,
                       const char **what)
{
    const char *host = text, *end, *rest;

    if (*text == '[') {
        host = text + 1;
        end = strchr(host, ']');
        if (!end)
            return refuse(bad, what, text, "has no closing bracket");
        rest = end + 1;
    } else {
        end = rest = text + strcspn(text, ":");
        if (*rest && strchr(rest + 1, ':'))
            return refuse(bad, what, text, "is no host (an IPv6 address stands in brackets)");
    }
    if (end == host)
        return refuse(bad, what, text, "has no host");
    if ((size_t)(end - host) > KP_ENDPOINT_HOST_MAX)
        return refuse(bad, what, text, "is too long for a host");
    for (const char *p = host; p < end; p++)
        if (!isalnum((unsigned char)*p) && !strchr(".-_:%", *p))
            return refuse(bad, what, p, "is no part of a host");
    memcpy(out->host, host, (size_t)(end - host));
    out->host[end - host] = '\0';
    out->port = port;
    if (!*rest)
        return true;
    if (*rest != ':' || !parse_port(rest + 1, &out->port))
        return refuse(bad, what, rest + (*rest == ':'), "is no port (1 to 65535)");
    return true;
}

static bool set_number(struct kp_endpoint *address, const char *host, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(address, 0, sizeof *address);
    if (inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        memcpy(&address->bytes, &v4, sizeof v4);
        address->length = sizeof v4;
    } else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        memcpy(&address->bytes, &v6, sizeof v6);
        address->length = sizeof v6;
    }
    return address->length > 0;
}

bool kp_endpoint_of_number(struct kp_endpoint *address, const struct kp_host_port *target)
{
    return set_number(address, target->host, target->port);
}

/* One line of hosts(5): an address, then names. */
static bool line_has(const char *line, const char *name, char *number, size_t room)
{
    size_t bytes;

    line += strspn(line, " \t");
    bytes = strcspn(line, " \t#\n");
    if (bytes == 0 || bytes >= room)
        return false;
    memcpy(number, line, bytes);
    number[bytes] = '\0';
    for (line += bytes; *line && *line != '#' && *line != '\n'; line += bytes) {
        line += strspn(line, " \t");
        bytes = strcspn(line, " \t#\n");
        if (bytes == strlen(name) && strncasecmp(line, name, bytes) == 0)
            return true;
    }
    return false;
}

static bool find_in_hosts(struct kp_endpoint *address, const struct kp_host_port *target, const char *path)
{
    char text[16384], number[64], *end;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? -1 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    if (bytes <= 0)
        return false;
    text[bytes] = '\0';
    for (char *line = text; *line; line = end + (*end == '\n')) {
        end = line + strcspn(line, "\n");
        if (line_has(line, target->host, number, sizeof number) && set_number(address, number, target->port))
            return true;
    }
    return false;
}

bool kp_endpoint_of_known(struct kp_endpoint *address, const struct kp_host_port *target,
                          const char *hosts_path)
{
    if (find_in_hosts(address, target, hosts_path))
        return true;
    return strcasecmp(target->host, "localhost") == 0 && set_number(address, "127.0.0.1", target->port);
}

bool kp_endpoint_of_path(struct kp_endpoint *address, const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};

    memset(address, 0, sizeof *address);
    if (strlen(path) >= sizeof name.sun_path)
        return false;
    strcpy(name.sun_path, path);
    memcpy(&address->bytes, &name, sizeof name);
    address->length = sizeof name;
    return true;
}
