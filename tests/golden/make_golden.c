/*
 * Makes the golden traces: make_golden FOLDER. They are made once for each version of the format and then
 * kept: what an old kprobe wrote must read the same for ever. Times are fixed; a clock of 2.5 ticks per
 * nanosecond.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace_builder.h"

#define START_TICKS 5000000u
#define START_NS    1700000000000000000u /* Unix epoch */
#define END_TICKS   (START_TICKS + 2500000000u)

static void begin(struct builder *b, unsigned pid, const char *uuid)
{
    char text[512];

    snprintf(text, sizeof text,
             "version=0.1.0\npid=%u\nppid=1\nuuid=%s\nhost=golden\nexe=/usr/bin/python3\n"
             "command=python3 app.py 100%%25\nclock=tsc\nticks_per_ns=2.5\nstart_ns=%llu\n",
             pid, uuid, (unsigned long long)START_NS);
    builder_section(b, text);
    builder_clock(b, START_TICKS, 2000000, START_NS);
}

static void define(struct builder *b, uint32_t id, const char *name)
{
    builder_function(b, id, KP_FUNCTION_PYTHON, 10 * id, name, strlen(name), "/srv/app.py");
}

static void finish(struct builder *b)
{
    /* 0.4 ns a tick, and 100 ppm more: the second reading counts, not ticks_per_ns. */
    builder_clock(b, END_TICKS, 2000000 + 1000100000u, START_NS + 1000100123u);
    builder_end(b, END_TICKS);
}

/* Calls in calls, an exception, ticks that run backwards once, a C function, an undefined one. */
static void plain_events(struct builder *b, uint64_t t)
{
    builder_event(b, KP_EVENT_ENTER, t, 1, 0);
    builder_event(b, KP_EVENT_ENTER, t + 100, 2, 1);
    builder_event(b, KP_EVENT_ENTER, t + 350, 3, 2);
    builder_event(b, KP_EVENT_EXIT, t + 1000000, 3, 2);
    builder_event(b, KP_EVENT_ENTER, t + 1000400, 3, 2);
    builder_event(b, KP_EVENT_ENTER, t + 1000300, 4, 3);
    builder_event(b, KP_EVENT_UNWIND, t + 1000900, 4, 3);
    builder_event(b, KP_EVENT_UNWIND, t + 1001000, 3, 2);
    builder_event(b, KP_EVENT_EXIT, t + 1002000, 2, 1);
    builder_event(b, KP_EVENT_ENTER, t + 1002500, 70000, 1);
    builder_event(b, KP_EVENT_EXIT, t + 1003000, 70000, 1);
    builder_event(b, KP_EVENT_EXIT, t + 2000000, 1, 0);
}

static void define_plain(struct builder *b)
{
    static const char odd[] = "app.tab\there\\ \xff \xc3\xa9 \xe2\x80\xa8\x7f";

    define(b, 1, "__main__.<module>");
    define(b, 2, "app.Cart.total");
    builder_function(b, 3, KP_FUNCTION_PYTHON, 33, odd, sizeof odd - 1, "/srv/na\xefve\n.py");
    builder_function(b, 4, KP_FUNCTION_C, 0, "libssl.so.3:SSL_read", 20, "");
}

static void make_plain(struct builder *b)
{
    begin(b, 4711, "000102030405060708090a0b0c0d0e0f");
    define_plain(b);
    builder_thread(b, 0, 4711, 0, START_TICKS + 10, "main");
    builder_meta(b, "interpreter", "CPython 3.11.2");
    builder_meta(b, "engine", "frame");
    builder_meta(b, "note", "two\nlines");
    plain_events(b, START_TICKS + 1000);
    builder_flush(b, 0, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 6, 0, 0, "main");
    finish(b);
}

/* Three threads, chunks taking turns, times that overlap; coarse ticks (shift 4). */
static void make_threads(struct builder *b)
{
    uint64_t slot[3] = {0};

    begin(b, 4712, "100102030405060708090a0b0c0d0e0f");
    define_plain(b);
    for (uint32_t thread = 0; thread < 3; thread++)
        builder_thread(b, thread, 4712 + thread, 0, START_TICKS + thread, thread ? "worker" : "main");
    for (uint64_t round = 0; round < 4; round++) {
        for (uint32_t thread = 0; thread < 3; thread++) {
            for (uint64_t call = 0; call < 30; call++) {
                uint64_t t = START_TICKS + round * 1000000 + call * 20000 + thread * 7000;

                builder_event(b, KP_EVENT_ENTER, t, 2 + thread % 2, 0);
                builder_event(b, KP_EVENT_EXIT, t + 15000 + 1000 * call, 2 + thread % 2, 0);
            }
            slot[thread] = builder_flush(b, thread, slot[thread], 4);
        }
    }
    for (uint32_t thread = 0; thread < 3; thread++)
        builder_thread_end(b, thread, END_TICKS, 120, 0, 0, "");
    finish(b);
}

/* Generators taking turns, one of them goes on in another thread and one is never ended. */
static void make_generators(struct builder *b)
{
    uint64_t t = START_TICKS, one = 0x7f0012345678, two = 0x7f00ffff0010;

    begin(b, 4713, "200102030405060708090a0b0c0d0e0f");
    define(b, 1, "app.main");
    define(b, 2, "app.numbers");
    builder_thread(b, 0, 4713, 0, t, "main");
    builder_thread(b, 1, 4714, 0, t, "other");
    builder_event(b, KP_EVENT_ENTER, t += 250, 1, 0);
    for (int i = 0; i < 3; i++) {
        builder_event2(b, KP_EVENT_RESUME, t += 250, 2, 1, one, 0);
        builder_event2(b, KP_EVENT_YIELD, t += 250, 2, 1, one, 0);
        builder_event2(b, KP_EVENT_RESUME, t += 250, 2, 1, two, 1);
        builder_event2(b, KP_EVENT_YIELD, t += 250, 2, 1, two, UINT64_MAX);
    }
    builder_event(b, KP_EVENT_EXIT, t += 250, 1, 0);
    builder_event(b, KP_EVENT_STOP, t += 250, 0, 0);
    builder_flush(b, 0, 0, 0);
    builder_event2(b, KP_EVENT_RESUME, t += 250, 2, 0, one, 0);
    builder_event(b, KP_EVENT_EXIT, t += 250, 2, 0);
    builder_flush(b, 1, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 1, 0, 0, "main");
    builder_thread_end(b, 1, END_TICKS, 0, 0, 0, "other");
    finish(b);
}

/* The ring was full: depth and id jump. */
static void make_lost(struct builder *b)
{
    uint64_t t = START_TICKS;

    begin(b, 4715, "300102030405060708090a0b0c0d0e0f");
    define(b, 1, "app.main");
    define(b, 2, "app.deep");
    builder_thread(b, 0, 4715, 0, t, "main");
    builder_event(b, KP_EVENT_ENTER, t += 100, 1, 0);
    builder_event(b, KP_EVENT_ENTER, t += 100, 2, 1);
    builder_event2(b, KP_EVENT_LOST, t += 5000, 0, 2, 123456, 123000);
    builder_event(b, KP_EVENT_EXIT, t += 100, 2, 457);
    builder_event(b, KP_EVENT_EXIT, t += 100, 2, 456);
    builder_event2(b, KP_EVENT_LOST, t += 5000, 0, 456, 0, 456);
    builder_event(b, KP_EVENT_EXIT, t += 100, 1, 0);
    builder_flush(b, 0, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 123458, 123456, 123456, "main");
    finish(b);
}

/* Two sections: the child of a fork goes on two calls deep, with no ends of its own clock (one reading). */
static void make_fork(struct builder *b)
{
    make_plain(b);
    begin(b, 4720, "400102030405060708090a0b0c0d0e0f");
    define(b, 1, "__main__.<module>");
    define(b, 7, "os.fork");
    builder_thread(b, 0, 4720, 2, START_TICKS, "main");
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 777, 7, 1);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 2777, 1, 0);
    builder_flush(b, 0, 0, 0);
    builder_thread_end(b, 0, START_TICKS + 2777, 0, 0, 0, "main");
    builder_end(b, START_TICKS + 3000);
}

/* Registers of a call, two strings that it was given, and what it gave back. */
static void values_of_write(struct builder *b, uint64_t t)
{
    static const uint64_t words[3][2] = {{0x55d0c0ffee00, 0x7ffc00001000}, {17, 0}, {0, UINT64_MAX}};
    static const char strings[] = "\0\7\0session\1\21\0GET / \xff\xfe\n\x1b[31mx\0";

    builder_event(b, KP_EVENT_ENTER, t, 2, 1);
    for (uint32_t i = 0; i < 3; i++)
        builder_event2(b, KP_EVENT_VALUES, t + 10, KP_VALUES_RDI_RSI + i, 2, words[i][0], words[i][1]);
    for (uint32_t i = 0; i < 4; i++)
        builder_event2(b, KP_EVENT_VALUES, t + 20, KP_VALUES_XMM0_XMM1 + i, 2, 0x3ff8000000000000, i);
    for (uint32_t i = 0; 16 * i < sizeof strings - 1; i++) {
        uint64_t text[2] = {0};

        memcpy(text, strings + 16 * i, sizeof strings - 1 - 16 * i < 16 ? sizeof strings - 1 - 16 * i : 16);
        builder_event2(b, KP_EVENT_VALUES, t + 30, KP_VALUES_TEXT + i, 2, text[0], text[1]);
    }
    builder_event(b, KP_EVENT_ENTER, t + 1000, 3, 2);
    builder_event(b, KP_EVENT_UNWIND, t + 2000, 3, 2);
    builder_event2(b, KP_EVENT_VALUES, t + 2500, KP_VALUES_RAX_RDX, 2, 17, 3);
    builder_event2(b, KP_EVENT_VALUES, t + 2500, KP_VALUES_XMM0_XMM1_RESULT, 2, 0, 0);
    builder_event2(b, KP_EVENT_VALUES, t + 2500, KP_VALUES_ST0, 2, 0x8000000000000000, 0x3fff);
    builder_event(b, KP_EVENT_EXIT, t + 3000, 2, 1);
}

/* C functions: places in objects, mangled names, raw values; format 1.1. */
static void make_native(struct builder *b)
{
    static const char mangled[] = "libshop.so:_ZNK4shop4Cart5totalERKNS_5OrderEi";

    begin(b, 4717, "600102030405060708090a0b0c0d0e0f");
    define(b, 1, "app.main");
    builder_object(b, "/usr/lib/golden/libssl.so.3", "000102030405060708090a0b0c0d0e0f10111213");
    builder_function(b, 2, KP_FUNCTION_C, 0x34a50, "libssl.so.3:SSL_write", 21,
                     "/usr/lib/golden/libssl.so.3");
    builder_object(b, "/usr/lib/golden/libshop.so", "");
    builder_function(b, 3, KP_FUNCTION_C, 0x1100, mangled, sizeof mangled - 1, "/usr/lib/golden/libshop.so");
    builder_function(b, 4, KP_FUNCTION_C_PYTHON, 0, "builtins.len", 12, "");
    builder_thread(b, 0, 4717, 0, START_TICKS, "main");
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 100, 1, 0);
    values_of_write(b, START_TICKS + 1000);
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 5000, 4, 1);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 6000, 4, 1);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 7000, 1, 0);
    builder_flush(b, 0, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 4, 0, 0, "main");
    finish(b);
}

static void define_generator(struct builder *b, uint32_t id, const char *name)
{
    struct kp_def def = {.type = KP_DEF_FUNCTION};

    def.function.id = id;
    def.function.kind = KP_FUNCTION_PYTHON;
    def.function.line = 77;
    def.function.name = (struct kp_text){name, strlen(name)};
    def.function.file = (struct kp_text){"/srv/app.py", 11};
    def.function.flags = KP_FUNCTION_FACTS | KP_FUNCTION_GENERATOR;
    def.function.parameters = 300;
    builder_define(b, &def, strlen(name) + 11);
}

static void define_names(struct builder *b)
{
    define(b, 1, "app.main");
    define_generator(b, 2, "app.numbers");
    builder_function(b, 3, KP_FUNCTION_EXCEPTION, 0, "builtins.KeyError", 17, "");
    builder_function(b, 4, KP_FUNCTION_EXCEPTION, 0, "app.Odd\tError", 13, "");
    builder_function(b, 5, KP_FUNCTION_MANUAL, 0, "parse", 5, "");
    builder_function(b, 6, KP_FUNCTION_RECORD, 0, "golden.Note", 11, "T");
    builder_function(b, 7, KP_FUNCTION_TEXT, 0, "a note", 6, "");
}

/* Exceptions with their types, one of a type that was never defined, one unknown; a record in between, which
 * is of no call; a region of the program's own; format 1.2. */
static void make_exceptions(struct builder *b)
{
    uint64_t t = START_TICKS;

    begin(b, 4718, "700102030405060708090a0b0c0d0e0f");
    define_names(b);
    builder_thread(b, 0, 4718, 0, t, "main");
    builder_event(b, KP_EVENT_ENTER, t += 250, 1, 0);
    for (uint32_t exception = 3; exception < 6; exception++) {
        builder_event(b, KP_EVENT_ENTER, t += 250, 2, 1);
        builder_event2(b, KP_EVENT_VALUES, t += 250, KP_VALUES_EXCEPTION, 2, exception < 5 ? exception : 99,
                       0);
        builder_event(b, KP_EVENT_UNWIND, t, 2, 1);
    }
    builder_event2(b, KP_EVENT_VALUES, t += 250, KP_VALUES_RECORD, 1, 6, 4);
    builder_event2(b, KP_EVENT_VALUES, t, KP_VALUES_RECORD_BYTES, 1, 0x07000000, 0);
    builder_event(b, KP_EVENT_ENTER, t += 250, 5, 1);
    builder_event(b, KP_EVENT_EXIT, t += 250, 5, 1);
    builder_event(b, KP_EVENT_UNWIND, t + 250, 1, 0);
    builder_flush(b, 0, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 5, 0, 0, "main");
    finish(b);
}

static void make_truncated(struct builder *b)
{
    make_threads(b);
    b->count = b->count * 6 / 10;
}

/* A byte of a payload, then 40 bytes across a chunk header are wrong. */
static void make_damaged(struct builder *b)
{
    make_threads(b);
    b->bytes[b->count * 4 / 10] ^= 0x10;
    memset(b->bytes + b->count * 6 / 10, 0xa5, 400);
}

/* The events of the chunk at `offset` have raw columns: turn the tag of the second of three into an unknown
 * kind. */
static void patch_kind(struct builder *b, size_t offset, unsigned kind)
{
    struct kp_chunk_header *chunk = malloc(b->count - offset);
    uint8_t *payload = (uint8_t *)(chunk + 1), *blob;

    memcpy(chunk, b->bytes + offset, b->count - offset);
    blob = memmem(payload, chunk->payload_bytes, "\0\3\3\1", 4);
    blob[4] = (uint8_t)((blob[4] & 0xf0) | kind);
    kp_chunk_seal(chunk, KP_CHUNK_EVENTS, chunk->number, chunk->payload_bytes);
    memcpy(b->bytes + offset, chunk, b->count - offset);
    free(chunk);
}

/* A later minor version: a chunk type, a definition type, fields at the end, an event kind that nobody knows
 * yet. */
static void make_newer_minor(struct builder *b)
{
    uint8_t record[64] = {0}, blob[128], *end;
    struct kp_def def = {.type = KP_DEF_FUNCTION};
    size_t bytes, offset;

    begin(b, 4716, "500102030405060708090a0b0c0d0e0f");
    b->bytes[10] = 9;
    builder_chunk(b, 77, "something new", 13);
    record[0] = 12;
    record[4] = 99;
    memcpy(record + 5, "1234567", 7);
    def.function.id = 1;
    def.function.kind = KP_FUNCTION_PYTHON;
    def.function.name = (struct kp_text){"app.main", 8};
    def.function.flags = KP_FUNCTION_FACTS;
    bytes = kp_def_put(record + 12, &def) + 12;
    memcpy(record + bytes, "more", 4); /* behind the fields known today */
    record[12] = (uint8_t)(bytes + 4 - 12);
    end = kp_blob_put(blob, record, bytes + 4, &b->zstd);
    builder_chunk(b, KP_CHUNK_DEFS, blob, (size_t)(end - blob));
    builder_thread(b, 0, 4716, 0, START_TICKS, "main");
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 250, 1, 0);
    builder_event(b, KP_EVENT_STOP, START_TICKS + 500, 0, 1);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 750, 1, 0);
    offset = b->count;
    builder_flush(b, 0, 0, 0);
    patch_kind(b, offset, 9);
    builder_end(b, END_TICKS);
}

static void make_newer_major(struct builder *b)
{
    make_plain(b);
    b->bytes[8] = 3;
}

static void make_empty(struct builder *b)
{
    (void)b;
}

/* What the parts of a section have in common; `more`: lines of PROCESS. */
static void begin_part(struct builder *b, const char *more)
{
    char text[512];

    snprintf(text, sizeof text,
             "version=0.1.0\npid=4711\nppid=1\nuuid=800102030405060708090a0b0c0d0e0f\nclock=tsc\n"
             "ticks_per_ns=2.5\nstart_ns=%llu\n%s",
             (unsigned long long)START_NS, more);
    builder_section(b, text);
    builder_clock(b, START_TICKS, 2000000, START_NS);
    define(b, 1, "app.main");
    define(b, 2, "app.work");
    builder_thread(b, 0, 4711, 0, START_TICKS, "main");
    builder_thread(b, 1, 4712, 0, START_TICKS, "first");
}

/* Two parts of a section: app.main and a call of app.work begin in the first and end in the second. */
static void make_parts(struct builder *b)
{
    const uint32_t next = 1;
    uint64_t slot;

    begin_part(b, "");
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 1000, 2, 0);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 2000, 2, 0);
    builder_flush(b, 1, 0, 0);
    builder_thread_end(b, 1, START_TICKS + 2000, 1, 0, 0, "first");
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 3000, 1, 0);
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 4000, 2, 1);
    slot = builder_flush(b, 0, 0, 0);
    builder_chunk(b, KP_CHUNK_NEXT, &next, sizeof next);
    /* The chunks of the first part are 0 to 8; 6 and 8, its events, are not repeated. */
    begin_part(b, "part=1\nfirst_chunk=9\n");
    b->number = 7;
    builder_thread_end(b, 1, START_TICKS + 2000, 1, 0, 0, "first");
    b->number = 9;
    builder_thread(b, 2, 4713, 0, START_TICKS + 5000, "second");
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 5000, 2, 1);
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 6000, 2, 1);
    builder_event(b, KP_EVENT_UNWIND, START_TICKS + 7000, 2, 1);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 8000, 1, 0);
    builder_flush(b, 0, slot, 0);
    builder_event(b, KP_EVENT_ENTER, START_TICKS + 8100, 2, 0);
    builder_event(b, KP_EVENT_EXIT, START_TICKS + 8200, 2, 0);
    builder_flush(b, 2, 0, 0);
    builder_thread_end(b, 0, END_TICKS, 3, 0, 0, "main");
    builder_thread_end(b, 2, END_TICKS, 1, 0, 0, "second");
    finish(b);
}

static void make_foreign(struct builder *b)
{
    static const char json[] = "{\"traceEvents\": []}\n";

    builder_bytes(b, json, sizeof json - 1);
}

static const struct {
    const char *name;
    int level;
    void (*make)(struct builder *b);
} goldens[] = {
    {"plain", 0, make_plain},
    {"threads", 1, make_threads},
    {"generators", 1, make_generators},
    {"lost", 0, make_lost},
    {"fork", 1, make_fork},
    {"native", 1, make_native},
    {"exceptions", 1, make_exceptions},
    {"parts", 0, make_parts},
    {"truncated", 1, make_truncated},
    {"damaged", 0, make_damaged},
    {"newer-minor", 1, make_newer_minor},
    {"newer-major", 1, make_newer_major},
    {"empty", 0, make_empty},
    {"foreign", 0, make_foreign},
};

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_golden FOLDER\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof goldens / sizeof *goldens; i++) {
        struct builder b;
        char path[4096];

        builder_init(&b, goldens[i].level);
        goldens[i].make(&b);
        snprintf(path, sizeof path, "%s/%s.kpt", argv[1], goldens[i].name);
        builder_save(&b, path);
        builder_free(&b);
    }
    return 0;
}
