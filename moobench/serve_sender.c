/*
 * Peers for serve_speed.py: each sends the same stream of Kieker records, made beforehand, as fast as it is
 * taken. serve_sender HOST PORT PEERS RECORDS; prints the seconds until all streams were taken.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "kieker_record.h"

enum { OPERATIONS = 100, CALLS = 10, CHUNK = 1 << 18 };

static struct kieker_writer out;

static void put_string(int32_t id, const char *text)
{
    kieker_put_entry(&out, id, text, strlen(text));
}

static void put_bytes(const void *bytes, size_t count)
{
    memcpy(kieker_writer_take(&out, count), bytes, count);
}

static void put_32(uint32_t value)
{
    kieker_put_32(kieker_writer_take(&out, 4), value);
}

static void put_64(uint64_t value)
{
    uint8_t bytes[8];
    for (int i = 0; i < 8; i++)
        bytes[i] = (uint8_t)(value >> (56 - 8 * i));
    put_bytes(bytes, 8);
}

static void put_strings(void)
{
    static const char prefix[] = "kieker.common.record.flow.trace.";
    char text[128];
    put_string(0, "kieker.common.record.flow.trace.TraceMetadata");
    snprintf(text, sizeof text, "%soperation.BeforeOperationEvent", prefix);
    put_string(1, text);
    snprintf(text, sizeof text, "%soperation.AfterOperationEvent", prefix);
    put_string(2, text);
    put_string(3, "<no-session-id>");
    put_string(4, "bench");
    put_string(5, "app.orders.Cart");
    for (int i = 0; i < OPERATIONS; i++) {
        snprintf(text, sizeof text, "public void app.orders.Cart.operation%d(java.lang.String)", i);
        put_string(6 + i, text);
    }
}

static uint64_t put_trace(uint64_t id, uint64_t now)
{
    put_32(0);
    put_64(now);
    put_64(id);
    put_64(1);
    put_32(3);
    put_32(4);
    put_64(id);
    put_32(UINT32_MAX);
    for (uint32_t order = 0; order < 2 * CALLS; order++) {
        uint32_t call = order < CALLS ? order : 2 * CALLS - 1 - order;
        now += 500;
        put_32(order < CALLS ? 1 : 2);
        put_64(now);
        put_64(now);
        put_64(id);
        put_32(order);
        put_32((uint32_t)(6 + (id * 7 + call) % OPERATIONS));
        put_32(5);
    }
    return now;
}

static int open_peer(const char *host, const char *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || inet_pton(AF_INET, host, &address.sin_addr) != 1 ||
        connect(fd, (const struct sockaddr *)&address, sizeof address)) {
        perror("serve_sender");
        exit(1);
    }
    return fd;
}

/* Until the collector closed, too: then it has taken everything. */
static void send_all(int fd)
{
    char rest;
    for (size_t at = 0; at < out.position;) {
        size_t count = out.position - at < CHUNK ? out.position - at : CHUNK;
        ssize_t sent = send(fd, out.bytes + at, count, MSG_NOSIGNAL);
        if (sent <= 0) {
            perror("serve_sender");
            exit(1);
        }
        at += (size_t)sent;
    }
    shutdown(fd, SHUT_WR);
    while (read(fd, &rest, 1) > 0)
        ;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return 2;
    long peers = atol(argv[3]), traces = atol(argv[4]) / (2 * CALLS + 1);
    uint64_t now = 1700000000000000000u;
    int status, failed = 0;
    out.capacity = (size_t)traces * (48 + 2 * CALLS * 40) + (1 << 16);
    out.bytes = malloc(out.capacity);
    if (!out.bytes)
        return 1;
    put_strings();
    for (long trace = 0; trace < traces; trace++)
        now = put_trace((uint64_t)trace + 1, now);
    double start = seconds();
    for (long peer = 0; peer < peers; peer++)
        if (fork() == 0) {
            send_all(open_peer(argv[1], argv[2]));
            _exit(0);
        }
    while (wait(&status) > 0)
        failed |= status;
    printf("%.3f %ld\n", seconds() - start, peers * traces * (2 * CALLS + 1));
    return failed != 0;
}
