/* trace/spool, trace/endpoint, trace/resolve: what waits for a collector, and where that is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <cmocka.h>

#include "trace/chunk.h"
#include "trace/resolve.h"
#include "trace/spool.h"

static char folder[] = "/tmp/kprobe-spool.XXXXXX";
static char path[64];

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/x.kpt", folder);
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

/* A chunk of `bytes` payload bytes. */
static size_t make_chunk(uint8_t *out, enum kp_chunk_type type, uint32_t number, uint32_t bytes)
{
    memset(out + sizeof(struct kp_chunk_header), (int)number, bytes);
    kp_chunk_seal((struct kp_chunk_header *)out, type, number, bytes);
    return sizeof(struct kp_chunk_header) + bytes;
}

#define PAYLOAD 100000u

/* A spool with the head of a section and `events` chunks of events; each third one is a definition. */
static void fill(struct kp_spool *spool, uint64_t most_bytes, uint32_t chunks)
{
    static _Alignas(8) uint8_t chunk[PAYLOAD + sizeof(struct kp_chunk_header)];
    struct kp_preamble preamble;

    unlink(path);
    kp_preamble_fill(&preamble);
    assert_int_equal(kp_spool_create(spool, path, most_bytes), KP_OK);
    assert_int_equal(kp_spool_append(spool, &preamble, sizeof preamble), KP_OK);
    for (uint32_t n = 0; n < chunks; n++) {
        enum kp_chunk_type type = n == 0   ? KP_CHUNK_PROCESS
                                  : n == 1 ? KP_CHUNK_CLOCK
                                  : n % 3  ? KP_CHUNK_EVENTS
                                           : KP_CHUNK_DEFS;
        size_t bytes = make_chunk(chunk, type, n, type == KP_CHUNK_EVENTS ? PAYLOAD : 100 + n);

        assert_int_equal(kp_spool_append(spool, chunk, bytes), KP_OK);
    }
}

/* Numbers of all chunks in the file, checked; returns how many. */
static size_t numbers(struct kp_spool *spool, uint32_t *out, size_t room)
{
    struct kp_spool_place place = spool->begin;
    static _Alignas(8) uint8_t payload[PAYLOAD];
    size_t count = 0;

    while (place.offset < spool->end.offset) {
        struct kp_chunk_header header;

        assert_true(kp_spool_header(spool, &place, &header));
        assert_int_equal(kp_spool_read(spool, place.offset + sizeof header, payload, header.payload_bytes),
                         header.payload_bytes);
        assert_true(kp_chunk_payload_valid(&header, payload));
        assert_true(count < room);
        out[count++] = header.number;
        assert_true(kp_spool_next(spool, &place));
    }
    return count;
}

static void spool_keeps_names_and_what_is_not_acknowledged(void **state)
{
    struct kp_spool spool, other;
    struct kp_spool_place place;
    uint32_t found[200];
    size_t count;

    (void)state;
    fill(&spool, 0, 100);
    assert_int_equal(numbers(&spool, found, 200), 100);
    place = spool.begin;
    while (place.number < 95)
        assert_true(kp_spool_next(&spool, &place));
    kp_spool_release(&spool, &place);
    assert_true(kp_spool_worth_compacting(&spool));
    assert_int_equal(kp_spool_compact(&spool), KP_OK);
    assert_false(kp_spool_worth_compacting(&spool));
    count = numbers(&spool, found, 200);
    /* PROCESS, CLOCK, 31 of DEFS (3, 6 ... 93), and the last five. */
    assert_int_equal(count, 2 + 31 + 5);
    assert_int_equal(found[2], 3);
    assert_int_equal(found[count - 5], 95);
    assert_int_equal(spool.first.number, 95);
    assert_int_equal(spool.end.number, 100);
    /* As somebody else finds it: nothing is acknowledged then. */
    kp_spool_suspend(&spool);
    assert_int_equal(kp_spool_open(&other, path), KP_OK);
    assert_int_equal(numbers(&other, found, 200), count);
    assert_int_equal(other.first.offset, other.begin.offset);
    assert_int_equal(other.end.offset, spool.end.offset);
    assert_int_equal(other.end.number, 100);
    kp_spool_remove(&other);
    assert_int_equal(access(path, F_OK), -1);
}

static void spool_is_bounded_and_makes_room(void **state)
{
    static _Alignas(8) uint8_t chunk[PAYLOAD + sizeof(struct kp_chunk_header)];
    struct kp_spool spool;
    struct kp_spool_place place;
    uint64_t before;
    size_t bytes;

    (void)state;
    fill(&spool, 1 << 20, 14);
    before = spool.end.offset;
    bytes = make_chunk(chunk, KP_CHUNK_EVENTS, 14, PAYLOAD);
    while (kp_spool_append(&spool, chunk, bytes) == KP_OK)
        bytes = make_chunk(chunk, KP_CHUNK_EVENTS, (uint32_t)spool.end.number, PAYLOAD);
    assert_true(spool.end.offset > before && spool.end.offset <= 1 << 20);
    assert_int_equal(kp_spool_append(&spool, chunk, bytes), KP_ERROR_FULL);
    place = spool.end;
    kp_spool_release(&spool, &place);
    before = spool.end.number;
    assert_int_equal(kp_spool_append(&spool, chunk, bytes), KP_OK);
    assert_int_equal(spool.end.number, before + 1);
    assert_true(spool.dropped > 0);
    kp_spool_remove(&spool);
}

static void spool_forgets_what_is_cut(void **state)
{
    struct kp_spool spool;
    uint32_t found[20];

    (void)state;
    fill(&spool, 0, 10);
    assert_int_equal(ftruncate(spool.fd, (off_t)spool.end.offset - 1), 0);
    kp_spool_suspend(&spool);
    assert_int_equal(kp_spool_open(&spool, path), KP_OK);
    assert_int_equal(numbers(&spool, found, 20), 9);
    assert_int_equal(ftruncate(spool.fd, 10), 0);
    kp_spool_suspend(&spool);
    assert_int_equal(kp_spool_open(&spool, path), KP_ERROR_FOREIGN);
    unlink(path);
}

static void address_splits(void **state)
{
    static const struct {
        const char *text, *host;
        unsigned port;
    } cases[] = {{"h", "h", 7}, {"h:1", "h", 1}, {"[::1]", "::1", 7}, {"[::1]:65535", "::1", 65535}};
    struct kp_host_port target;
    struct kp_endpoint address;
    const char *bad, *what;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_true(kp_endpoint_split(&target, cases[i].text, 7, &bad, &what));
        assert_string_equal(target.host, cases[i].host);
        assert_int_equal(target.port, cases[i].port);
    }
    assert_true(kp_endpoint_of_number(&address, &target));
    assert_int_equal(address.bytes.ss_family, AF_INET6);
    strcpy(target.host, "localhost");
    assert_false(kp_endpoint_of_number(&address, &target));
    assert_true(kp_endpoint_of_known(&address, &target, "/nonexistent"));
    assert_int_equal(address.bytes.ss_family, AF_INET);
}

static void address_reads_hosts(void **state)
{
    struct kp_host_port target = {.host = "Collector", .port = 9};
    struct kp_endpoint address;
    FILE *file = fopen(path, "w");

    (void)state;
    fputs("# 1.2.3.4 collector\n\n 10.0.0.1\tother # collector\n10.0.0.2 x collector y", file);
    fclose(file);
    assert_true(kp_endpoint_of_known(&address, &target, path));
    assert_int_equal(((struct sockaddr_in *)&address.bytes)->sin_addr.s_addr, inet_addr("10.0.0.2"));
    strcpy(target.host, "collect");
    assert_false(kp_endpoint_of_known(&address, &target, path));
    unlink(path);
}

/* An answer with a name that points back, a CNAME record, then an A record. */
static const uint8_t answer[] = {
    0x12, 0x34, 0x81, 0x80, 0,   1, 0, 2, 0, 0, 0, 0,           /* id, an answer, 1 question, 2 answers */
    1,    'a',  2,    'b',  'c', 0, 0, 1, 0, 1,                 /* a.bc, A, IN */
    0xc0, 12,   0,    5,    0,   1, 0, 0, 0, 9, 0, 2, 0xc0, 12, /* CNAME */
    0xc0, 12,   0,    1,    0,   1, 0, 0, 0, 9, 0, 4, 10,   1,  2, 3, /* A */
};

static void resolve_reads_answers(void **state)
{
    struct kp_endpoint address;

    (void)state;
    assert_int_equal(kp_resolve_parse(answer, sizeof answer, 0x1234, 80, &address), 1);
    assert_int_equal(((struct sockaddr_in *)&address.bytes)->sin_addr.s_addr, inet_addr("10.1.2.3"));
    assert_int_equal(kp_resolve_parse(answer, sizeof answer, 0x1235, 80, &address), -1);
    for (size_t bytes = 0; bytes < sizeof answer; bytes++)
        assert_int_not_equal(kp_resolve_parse(answer, bytes, 0x1234, 80, &address), 1);
}

/* Whatever comes: no read behind the packet (asan), and it ends. */
static void resolve_takes_anything(void **state)
{
    struct kp_endpoint address;

    (void)state;
    srand(1);
    for (int round = 0; round < 200000; round++) {
        size_t bytes = (size_t)rand() % 80;
        uint8_t *packet = malloc(bytes + 1);

        for (size_t i = 0; i < bytes; i++)
            packet[i] = rand() % 3 ? (uint8_t)(rand() % 20) : (uint8_t)rand();
        if (bytes > 2) {
            packet[0] = packet[1] = 0;
            packet[2] |= 0x80;
        }
        kp_resolve_parse(packet, bytes, 0, 1, &address);
        free(packet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(spool_keeps_names_and_what_is_not_acknowledged),
        cmocka_unit_test(spool_is_bounded_and_makes_room),
        cmocka_unit_test(spool_forgets_what_is_cut),
        cmocka_unit_test(address_splits),
        cmocka_unit_test(address_reads_hosts),
        cmocka_unit_test(resolve_reads_answers),
        cmocka_unit_test(resolve_takes_anything),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
