#include "resolve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#define AGAIN_NS    2000000000ull
#define TRIES       3
#define PACKET_MOST 1500u
#define HEADER      12u

static const uint16_t types[] = {1 /* A */, 28 /* AAAA */};

static void add_name(struct kp_resolve *resolve, const char *host, const char *domain, size_t bytes)
{
    char *name = resolve->full_names[resolve->names];

    if (resolve->names < KP_RESOLVE_NAMES && strlen(host) + 1 + bytes <= KP_ENDPOINT_HOST_MAX) {
        snprintf(name, KP_ENDPOINT_HOST_MAX + 1, "%s%s%.*s", host, bytes ? "." : "", (int)bytes, domain);
        resolve->names++;
    }
}

/* A name with a dot is one by itself first, as resolv.conf's ndots says by default. */
static void take_search(struct kp_resolve *resolve, const char *host, const char *line)
{
    for (line += strspn(line, " \t"); *line && *line != '\n'; line += strspn(line, " \t")) {
        size_t bytes = strcspn(line, " \t\n");

        add_name(resolve, host, line, bytes);
        line += bytes;
    }
}

static void take_server(struct kp_resolve *resolve, const char *line)
{
    struct kp_host_port server = {.port = 53};

    line += strspn(line, " \t");
    snprintf(server.host, sizeof server.host, "%.*s", (int)strcspn(line, " \t\n"), line);
    if (resolve->servers < KP_RESOLVE_SERVERS &&
        kp_endpoint_of_number(&resolve->server_addresses[resolve->servers], &server))
        resolve->servers++;
}

static void read_settings(struct kp_resolve *resolve, const char *host)
{
    char text[4096];
    int fd = open("/etc/resolv.conf", O_RDONLY | O_CLOEXEC);
    ssize_t bytes = fd < 0 ? 0 : read(fd, text, sizeof text - 1);

    if (fd >= 0)
        close(fd);
    text[bytes > 0 ? bytes : 0] = '\0';
    if (strchr(host, '.'))
        add_name(resolve, host, "", 0);
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, "nameserver", 10) == 0)
            take_server(resolve, line + 10);
        if (strncmp(line, "search", 6) == 0 || strncmp(line, "domain", 6) == 0)
            take_search(resolve, host, line + 6);
    }
    if (!strchr(host, '.'))
        add_name(resolve, host, "", 0);
}

static size_t put_question(uint8_t *packet, uint16_t id, const char *name, uint16_t type)
{
    /* One question, recursion desired. */
    uint8_t head[HEADER] = {(uint8_t)(id >> 8), (uint8_t)id, 1, 0, 0, 1};
    uint8_t tail[] = {0, 0, (uint8_t)type, 0, 1};
    size_t used = HEADER;

    memcpy(packet, head, sizeof head);
    while (*name) {
        size_t label = strcspn(name, ".");

        if (label == 0 || label > 63)
            return 0;
        packet[used++] = (uint8_t)label;
        memcpy(packet + used, name, label);
        used += label;
        name += label + (name[label] == '.');
    }
    memcpy(packet + used, tail, sizeof tail);
    return used + sizeof tail;
}

static void ask(struct kp_resolve *resolve, uint64_t now_ns)
{
    const struct kp_endpoint *server = &resolve->server_addresses[resolve->server];
    uint8_t packet[HEADER + KP_ENDPOINT_HOST_MAX + 16];
    size_t bytes;

    if (resolve->fd >= 0)
        close(resolve->fd);
    resolve->next_ns = now_ns + AGAIN_NS;
    /* A socket and a number for each question: an answer to another one, or a forged one, does not fit. */
    resolve->fd = socket(server->bytes.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (getrandom(&resolve->id, sizeof resolve->id, GRND_NONBLOCK) != sizeof resolve->id)
        resolve->id = (uint16_t)now_ns;
    bytes = put_question(packet, resolve->id, resolve->full_names[resolve->name], types[resolve->type]);
    if (resolve->fd < 0 || bytes == 0 ||
        connect(resolve->fd, (const struct sockaddr *)&server->bytes, server->length) < 0 ||
        send(resolve->fd, packet, bytes, MSG_NOSIGNAL) < 0)
        resolve->next_ns = now_ns;
}

void kp_resolve_start(struct kp_resolve *resolve, const struct kp_host_port *target, uint64_t now_ns)
{
    kp_resolve_stop(resolve);
    memset(resolve, 0, sizeof *resolve);
    resolve->fd = -1;
    resolve->port = target->port;
    read_settings(resolve, target->host);
    if (resolve->servers && resolve->names)
        ask(resolve, now_ns);
}

void kp_resolve_stop(struct kp_resolve *resolve)
{
    if (resolve->fd >= 0)
        close(resolve->fd);
    resolve->fd = -1;
}

/* Behind a name in a packet; 0: it is damaged. A pointer ends a name. */
static size_t skip_name(const uint8_t *packet, size_t bytes, size_t at)
{
    while (at < bytes && packet[at] != 0) {
        if (packet[at] >= 0xc0)
            return at + 2 <= bytes ? at + 2 : 0;
        at += 1u + packet[at];
    }
    return at < bytes ? at + 1 : 0;
}

static unsigned number16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

static bool set_address(struct kp_endpoint *address, const uint8_t *data, unsigned type, uint16_t port)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    memset(address, 0, sizeof *address);
    if (type == types[0]) {
        memcpy(&v4.sin_addr, data, sizeof v4.sin_addr);
        memcpy(&address->bytes, &v4, sizeof v4);
        address->length = sizeof v4;
    } else {
        memcpy(&v6.sin6_addr, data, sizeof v6.sin6_addr);
        memcpy(&address->bytes, &v6, sizeof v6);
        address->length = sizeof v6;
    }
    return true;
}

int kp_resolve_parse(const uint8_t *packet, size_t bytes, uint16_t id, uint16_t port,
                     struct kp_endpoint *address)
{
    size_t at = HEADER;
    unsigned questions, answers;

    if (bytes < HEADER || number16(packet) != id || !(packet[2] & 0x80))
        return -1;
    questions = number16(packet + 4);
    answers = number16(packet + 6);
    for (; questions && at; questions--)
        at = (at = skip_name(packet, bytes, at)) ? at + 4 : 0;
    for (; answers && at && at < bytes; answers--) {
        unsigned type, size;

        at = skip_name(packet, bytes, at);
        if (!at || bytes - at < 10)
            return 0;
        type = number16(packet + at);
        size = number16(packet + at + 8);
        at += 10;
        if (size > bytes - at)
            return 0;
        if ((type == types[0] && size == 4) || (type == types[1] && size == 16))
            return set_address(address, packet + at, type, port);
        at += size;
    }
    return 0;
}

/* The next question after one that gave no address: the other type, the next name. */
static bool next_question(struct kp_resolve *resolve)
{
    if (++resolve->type < sizeof types / sizeof *types)
        return true;
    resolve->type = 0;
    return ++resolve->name < resolve->names;
}

/* The next server after one that did not answer; all of them a few times. */
static bool next_server(struct kp_resolve *resolve)
{
    if (++resolve->server < resolve->servers)
        return true;
    resolve->server = 0;
    return ++resolve->tries < TRIES;
}

enum kp_resolve_result kp_resolve_turn(struct kp_resolve *resolve, struct kp_endpoint *address,
                                       uint64_t now_ns)
{
    uint8_t packet[PACKET_MOST];
    ssize_t bytes;
    int found;

    if (!resolve->servers || !resolve->names)
        return KP_RESOLVE_NONE;
    while (resolve->fd >= 0 && (bytes = recv(resolve->fd, packet, sizeof packet, MSG_DONTWAIT)) >= 0) {
        found = kp_resolve_parse(packet, (size_t)bytes, resolve->id, resolve->port, address);
        if (found > 0) {
            kp_resolve_stop(resolve);
            return KP_RESOLVE_FOUND;
        }
        if (found < 0)
            continue;
        if (!next_question(resolve))
            return KP_RESOLVE_NONE;
        ask(resolve, now_ns);
    }
    if (now_ns < resolve->next_ns)
        return KP_RESOLVE_WAITING;
    if (!next_server(resolve))
        return KP_RESOLVE_NONE;
    ask(resolve, now_ns);
    return KP_RESOLVE_WAITING;
}
