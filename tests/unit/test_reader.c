/* trace/reader: items in order, damage told and stepped over, what dead processes left put in its place,
 * once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_mapping.h"
#include "reading.h"
#include "trace/copy.h"
#include "trace/proc.h"
#include "trace/time_map.h"
#include "trace_builder.h"

static char folder[] = "/tmp/kprobe-test-reader.XXXXXX";
static char path[128], other[128], shm_path[128];

static const char *golden(const char *name)
{
    static char full[4096];

    snprintf(full, sizeof full, "%s/tests/golden/%s.kpt", KP_SOURCE_DIR, name);
    return full;
}

/* --- order and time --- */

static void reader_gives_items_as_they_stand(void **state)
{
    struct reading reading = read_trace(golden("plain"), 0);

    (void)state;
    assert_int_equal(reading.ended, KP_END);
    assert_string_equal(reading.order, "PFFFFTMEtp");
    assert_string_equal(reading.interpreter, "CPython 3.11.2");
    assert_int_equal(reading.made, 6);
    assert_int_equal(reading.calls, 6);
    assert_true(reading.complete);
}

static void reader_by_time_gives_definitions_first(void **state)
{
    struct reading reading = read_trace(golden("threads"), KP_READ_BY_TIME);
    struct reading plain = read_trace(golden("threads"), 0);

    (void)state;
    assert_string_equal(reading.order, "PFFFFTTTEtttp");
    assert_true(reading.ordered);
    assert_false(plain.ordered);
    assert_int_equal(reading.events, plain.events);
    assert_int_equal(reading.events, 720);
}

static void reader_merges_processes_by_time(void **state)
{
    char first[4096];
    const char *paths[2] = {first, golden("threads")};
    struct reading reading;

    (void)state;
    snprintf(first, sizeof first, "%s/tests/golden/%s.kpt", KP_SOURCE_DIR, "fork");
    reading = read_traces(paths, 2, KP_READ_BY_TIME);
    assert_int_equal(reading.processes, 3);
    assert_int_equal(reading.process_ends, 3);
    assert_true(reading.ordered);
    assert_int_equal(reading.events, 720 + 12 + 2);
}

/* The calls of all threads at one and the same time: by thread, each time the same. */
static void reader_orders_equal_times(void **state)
{
    struct builder b;
    struct reading reading;

    (void)state;
    builder_init(&b, 0);
    builder_section(&b, "pid=1\nticks_per_ns=1\n");
    builder_clock(&b, 0, 0, 1000);
    for (uint32_t thread = 3; thread-- > 0;) {
        builder_thread(&b, thread, thread, 0, 0, "");
        for (uint32_t i = 0; i < 4; i++)
            builder_event(&b, KP_EVENT_ENTER, 5 + i / 2, thread, 0);
        builder_flush(&b, thread, 0, 0);
    }
    builder_save(&b, path);
    reading = read_trace(path, KP_READ_BY_TIME);
    assert_int_equal(reading.events, 12);
    for (uint32_t i = 0; i < 12; i++)
        assert_int_equal(reading.first[i].id, i % 6 / 2);
    builder_free(&b);
}

static void reader_skips_events_when_asked(void **state)
{
    struct reading reading = read_trace(golden("threads"), KP_READ_NO_EVENTS);
    struct reading by_time = read_trace(golden("threads"), KP_READ_NO_EVENTS | KP_READ_BY_TIME);

    (void)state;
    assert_int_equal(reading.events, 0);
    assert_int_equal(by_time.events, 0);
    assert_int_equal(reading.thread_ends, 3);
    assert_int_equal(by_time.thread_ends, 3);
}

/* A clock with one reading, one that stands still, and one that would overflow. */
static void reader_maps_any_clock(void **state)
{
    const struct kp_clock_sync zero = {0, 0, 500}, later = {1000000000, 500000000, 500000500},
                               near = {10, 9, 509};
    struct kp_time_map map = kp_time_map_make(&zero, &later, 3.0);

    (void)state;
    assert_int_equal(kp_time_map_ns(&map, 1000), 1000);
    map = kp_time_map_make(&zero, &near, 2.0); /* too near: the calibration counts */
    assert_int_equal(kp_time_map_ns(&map, 1000), 1000);
    map = kp_time_map_make(&zero, &zero, 0);
    assert_int_equal(kp_time_map_ns(&map, 123456), 500);
    map = kp_time_map_make(&later, &later, 1e-4);
    assert_true(kp_time_map_ns(&map, UINT64_MAX) == UINT64_MAX);
    assert_int_equal(kp_time_map_ns(&map, 0), 0);
}

/* --- sections in parts --- */

/* A later part, whose own chunks begin with `own` although 9 is told: exits of calls that began before. */
static struct reading read_part(const char *process_text, uint32_t own, uint64_t second_slot)
{
    struct builder b;
    const uint32_t next = 3;
    struct reading reading;

    builder_init(&b, 0);
    builder_section(&b, process_text);
    b.number = 4; /* 1 to 3 were events of an earlier part */
    builder_clock(&b, 0, 0, 1000);
    builder_thread(&b, 0, 1, 0, 0, "");
    b.number = own;
    builder_event(&b, KP_EVENT_EXIT, 5, 1, 1);
    builder_event(&b, KP_EVENT_EXIT, 6, 1, 0);
    builder_flush(&b, 0, 100, 0);
    builder_event(&b, KP_EVENT_ENTER, 7, 1, 0);
    builder_flush(&b, 0, second_slot, 0);
    builder_thread_end(&b, 0, 10, 51, 7, 0, "");
    builder_chunk(&b, KP_CHUNK_NEXT, &next, sizeof next);
    builder_save(&b, path);
    reading = read_trace(path, 0);
    builder_free(&b);
    return reading;
}

static void reader_goes_on_in_a_later_part(void **state)
{
    struct reading reading = read_part("pid=1\npart=2\nfirst_chunk=9\n", 9, 102);

    (void)state;
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.gaps, 0);
    assert_int_equal(reading.events, 3);
    assert_int_equal(reading.lost_read, 0); /* its 7 may have been told before */
    assert_true(reading.complete);
}

/* What is missing within the part is missing; and a section that tells no part is whole. */
static void reader_tells_what_is_missing_in_a_part(void **state)
{
    struct reading reading = read_part("pid=1\npart=2\nfirst_chunk=9\n", 11, 102);

    (void)state;
    assert_int_equal(reading.damages, 1);
    assert_string_equal(reading.damage, "2 chunks are missing in front of this one");
    reading = read_part("pid=1\npart=2\nfirst_chunk=9\n", 9, 105);
    assert_int_equal(reading.damages, 1);
    assert_string_equal(reading.damage, "thread 0: slots 102 to 104 are missing");
    assert_int_equal(reading.gaps, 1);
    reading = read_part("pid=1\nfirst_chunk=9\n", 9, 102);
    assert_string_equal(reading.damage, "3 chunks are missing in front of this one");
    assert_int_equal(reading.damages, 3); /* before the clock, before 9, and slots before 100 */
}

static void recover_keeps_a_part_a_part(void **state)
{
    struct reading reading = read_part("pid=1\npart=2\nfirst_chunk=9\n", 9, 102);
    struct kp_recovery recovery;
    char error[256];

    (void)state;
    unlink(other);
    assert_int_equal(kp_trace_recover(path, other, &recovery, error, sizeof error), KP_OK);
    kp_recovery_free(&recovery);
    reading = read_trace(other, 0);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.events, 3);
    assert_true(reading.complete);
    assert_false(reading.recovered);
    unlink(other);
}

/* --- inputs that are none --- */

static void expect_refusal(const char *name, enum kp_status status, const char *part)
{
    struct reading reading = read_trace(name, 0);

    assert_int_equal(reading.opened, status);
    if (!strstr(reading.error, part) || !strstr(reading.error, name))
        fail_msg("\"%s\" does not hold \"%s\" and \"%s\"", reading.error, name, part);
}

static void reader_says_what_is_wrong_with_an_input(void **state)
{
    (void)state;
    expect_refusal(golden("empty"), KP_ERROR_EMPTY, "empty");
    expect_refusal(golden("foreign"), KP_ERROR_FOREIGN, "JSON");
    expect_refusal(golden("newer-major"), KP_ERROR_NEWER, "format 3.0");
    expect_refusal("/nowhere/x.kpt", KP_ERROR_SYSTEM, "No such file");
    expect_refusal("/tmp", KP_ERROR_SYSTEM, "directory");
    expect_refusal("/proc/self/exe", KP_ERROR_FOREIGN, "ELF");
    fake_save(path, KP_PREAMBLE_MAGIC, 8);
    expect_refusal(path, KP_ERROR_TRUNCATED, "cut off");
}

static void reader_reads_pipes(void **state)
{
    struct reading reading;

    (void)state;
    unlink(path);
    assert_int_equal(mkfifo(path, 0600), 0);
    if (fork() == 0) {
        char command[4400];

        snprintf(command, sizeof command, "cat %s > %s", golden("threads"), path);
        _exit(system(command) != 0);
    }
    reading = read_trace(path, 0);
    wait(NULL);
    unlink(path);
    assert_int_equal(reading.events, 720);
    assert_int_equal(reading.damages, 0);
}

/* --- damage --- */

static uint8_t *load(const char *name, size_t *bytes)
{
    FILE *file = fopen(name, "rb");
    uint8_t *data = malloc(1 << 20);

    assert_non_null(file);
    *bytes = fread(data, 1, 1 << 20, file);
    fclose(file);
    return data;
}

/* Cut at every byte: what is before the cut is read, and more bytes never give less. */
static void reader_reads_up_to_any_cut(void **state)
{
    size_t bytes;
    uint8_t *data = load(golden("generators"), &bytes);
    uint64_t events = 0;

    (void)state;
    for (size_t cut = 300; cut <= bytes; cut++) {
        struct reading reading;

        fake_save(path, data, cut);
        reading = read_trace(path, 0);
        assert_int_equal(reading.ended, KP_END);
        assert_true(reading.events >= events);
        assert_true(reading.complete == (cut == bytes));
        events = reading.events;
    }
    assert_int_equal(events, 17);
    free(data);
}

/* Any one byte wrong: one chunk is lost at most, and it is said. */
static void reader_steps_over_any_wrong_byte(void **state)
{
    size_t bytes;
    uint8_t *data = load(golden("threads"), &bytes);

    (void)state;
    for (size_t at = 16; at < bytes; at += 3) {
        struct reading reading;

        data[at] ^= 0x41;
        fake_save(path, data, bytes);
        data[at] ^= 0x41;
        reading = read_trace(path, 0);
        assert_int_equal(reading.ended, KP_END);
        assert_true(reading.damages >= 1);
        assert_true(reading.events >= 720 - 60);
    }
    free(data);
}

/* Bytes too many and too few within a chunk: the trace behind it is found again. */
static void reader_finds_its_way_after_a_shift(void **state)
{
    size_t bytes;
    uint8_t *data = load(golden("threads"), &bytes);

    (void)state;
    for (size_t at = 700; at < 3000; at += 91) {
        struct reading more, less;
        uint8_t *longer = malloc(bytes + 7);

        memcpy(longer, data, at);
        memset(longer + at, 'K', 7);
        memcpy(longer + at + 7, data + at, bytes - at);
        fake_save(path, longer, bytes + 7);
        more = read_trace(path, 0);
        memcpy(longer + at, data + at + 7, bytes - at - 7);
        fake_save(path, longer, bytes - 7);
        less = read_trace(path, 0);
        assert_true(more.damages && more.events >= 720 - 120 && more.complete);
        assert_true(less.damages && less.events >= 720 - 120 && less.complete);
        free(longer);
    }
    free(data);
}

/* A trace that was cut off, with another one behind it. */
static void reader_finds_the_next_section_behind_a_cut(void **state)
{
    size_t bytes, plain_bytes;
    uint8_t *data = load(golden("threads"), &bytes), *plain = load(golden("plain"), &plain_bytes);

    (void)state;
    memcpy(data + 2300, plain, plain_bytes);
    fake_save(path, data, 2300 + plain_bytes);
    struct reading reading = read_trace(path, 0);
    assert_int_equal(reading.processes, 2);
    assert_int_equal(reading.events, 360 + 12);
    assert_true(reading.damages >= 1);
    assert_true(reading.complete);
    free(data);
    free(plain);
}

static void reader_tells_gaps_and_drops_repetitions(void **state)
{
    struct builder b;
    struct reading reading;

    (void)state;
    builder_init(&b, 0);
    builder_section(&b, "pid=1\n");
    builder_thread(&b, 0, 1, 0, 0, "");
    for (uint64_t first = 0; first <= 30; first += first == 10 ? 5 : first == 15 ? 15 : 10) {
        for (uint32_t i = 0; i < 10; i++) /* ids tell which slot it was */
            builder_event(&b, KP_EVENT_ENTER, first + i, (uint32_t)first + i, 0);
        builder_flush(&b, 0, first, 0);
    }
    builder_thread_end(&b, 0, 100, 40, 0, 0, "");
    builder_save(&b, path);
    reading = read_trace(path, 0);
    /* 0-9, 10-19, 15-24 (of which five are new), 30-39. */
    assert_int_equal(reading.events, 35);
    assert_int_equal(reading.gaps, 1);
    assert_int_equal(reading.damages, 1);
    assert_non_null(strstr(reading.damage, "slots 25 to 29"));
    for (uint32_t i = 0; i < 35; i++)
        assert_int_equal(reading.first[i].id, i < 25 ? i : i + 5);
    builder_free(&b);
}

/* Two hundred thousand events in chunks of all sizes: batches join without a seam. */
static void reader_gives_every_event_of_a_long_trace(void **state)
{
    struct builder b;
    struct reading reading;
    uint64_t slot = 0, ticks = 0;

    (void)state;
    builder_init(&b, 1);
    builder_section(&b, "pid=1\nticks_per_ns=1\n");
    builder_clock(&b, 0, 0, 0);
    builder_thread(&b, 0, 1, 0, 0, "");
    while (slot < 200000) {
        for (uint64_t i = 0; i < 1 + slot % 41000; i++)
            builder_event(&b, i % 2 ? KP_EVENT_EXIT : KP_EVENT_ENTER, ++ticks, 1, 0);
        slot = builder_flush(&b, 0, slot, 0);
    }
    builder_save(&b, path);
    reading = read_trace(path, 0);
    assert_int_equal(reading.events, slot);
    assert_int_equal(reading.damages, 0);
    reading = read_trace(path, KP_READ_BY_TIME);
    assert_int_equal(reading.events, slot);
    assert_true(reading.ordered);
    builder_free(&b);
}

/* --- leftovers --- */

/* The pid of a process that ran and ended. */
static uint32_t dead_pid(void)
{
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    waitpid(pid, NULL, 0);
    return (uint32_t)pid;
}

struct crash {
    struct fake_mapping fake;
    struct kp_ring *ring;
    struct fake_sink *sink;
    uint64_t ticks;
};

/* 300 calls are in the file, 200 more in the ring. */
static void crash_begin(struct crash *crash, uint32_t pid)
{
    char hex[33];

    fake_mapping_init(&crash->fake, pid);
    snprintf(crash->fake.shm->output, sizeof crash->fake.shm->output, "%s", path);
    kp_uuid_hex(hex, crash->fake.shm->uuid);
    kp_leftover_path(shm_path, sizeof shm_path, pid, hex);
    fake_mapping_function(&crash->fake, 1, "app.f");
    crash->ring = fake_mapping_thread(&crash->fake, 0, 11);
    crash->sink = fake_sink_open(&crash->fake);
    crash->ticks = 2000;
    assert_int_equal(kp_drain_open(&crash->sink->drain), KP_OK);
    fake_mapping_calls(crash->ring, 300, &crash->ticks);
    assert_int_equal(kp_drain_all(&crash->sink->drain), KP_OK);
    fake_mapping_calls(crash->ring, 200, &crash->ticks);
    /* Published, not in the file. */
    fake_mapping_function(&crash->fake, 2, "app.g");
}

static void crash_end(struct crash *crash)
{
    unlink(shm_path);
    fake_sink_close(crash->sink);
    free(crash->fake.shm);
}

static struct reading crash_read(struct crash *crash, unsigned flags)
{
    fake_save(path, crash->sink->bytes, crash->sink->count);
    fake_save(shm_path, crash->fake.shm, crash->fake.bytes);
    return read_trace(path, flags);
}

static void expect_500_calls(const struct reading *reading)
{
    assert_int_equal(reading->ended, KP_END);
    assert_int_equal(reading->damages, 0);
    assert_int_equal(reading->calls, 500);
    assert_int_equal(reading->events, 1000);
    assert_int_equal(reading->made, 500);
    assert_int_equal(reading->gaps, 0);
    assert_int_equal(reading->functions, 2);
    assert_int_equal(reading->threads, 1);
    assert_true(reading->recovered);
    assert_false(reading->complete);
}

static void reader_completes_a_killed_process(void **state)
{
    struct crash crash;
    struct reading reading;

    (void)state;
    crash_begin(&crash, dead_pid());
    reading = crash_read(&crash, 0);
    expect_500_calls(&reading);
    reading = crash_read(&crash, KP_READ_BY_TIME);
    expect_500_calls(&reading);
    reading = crash_read(&crash, KP_READ_NO_LEFTOVER);
    assert_int_equal(reading.calls, 300);
    assert_false(reading.recovered);
    crash_end(&crash);
}

/* The chunk was written and counted, the ring's tail not moved yet. */
static void reader_gives_nothing_twice_when_killed_before_the_tail_moved(void **state)
{
    struct crash crash;
    struct reading reading;

    (void)state;
    crash_begin(&crash, dead_pid());
    atomic_store(&crash.ring->tail, 0);
    atomic_store(&crash.fake.shm->defs_tail, 0);
    reading = crash_read(&crash, 0);
    expect_500_calls(&reading);
    crash_end(&crash);
}

/* Killed while the chunk was being written: at each byte of it, or behind it but before it was counted. */
static void reader_takes_an_unfinished_chunk_from_the_ring(void **state)
{
    struct crash crash;
    size_t whole;

    (void)state;
    crash_begin(&crash, dead_pid());
    {
        uint64_t file_bytes = atomic_load(&crash.fake.shm->file_bytes), tail = atomic_load(&crash.ring->tail);
        uint64_t defs_tail = atomic_load(&crash.fake.shm->defs_tail);

        kp_drain_all(&crash.sink->drain);
        whole = crash.sink->count;
        atomic_store(&crash.ring->tail, tail);
        atomic_store(&crash.fake.shm->defs_tail, defs_tail);
        atomic_store(&crash.fake.shm->file_bytes, file_bytes);
        for (size_t cut = file_bytes; cut <= whole; cut += 11) {
            struct reading reading;

            crash.sink->count = cut;
            reading = crash_read(&crash, 0);
            expect_500_calls(&reading);
        }
        crash.sink->count = whole;
    }
    crash_end(&crash);
}

/* Over several rings, of which the oldest is partly in the file. */
static void reader_follows_rings_of_a_killed_process(void **state)
{
    struct crash crash;
    struct reading reading;

    (void)state;
    crash_begin(&crash, dead_pid());
    crash.ring = fake_mapping_grow(&crash.fake, crash.ring, 12);
    fake_mapping_calls(crash.ring, 700, &crash.ticks);
    reading = crash_read(&crash, 0);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.calls, 1200);
    assert_int_equal(reading.made, 1200);
    crash_end(&crash);
}

/* The file is gone, empty, or has only the preamble: everything that is still in memory is read, names
 * included. */
static void reader_reads_a_leftover_without_its_file(void **state)
{
    struct crash crash;
    struct reading reading;

    (void)state;
    crash_begin(&crash, dead_pid());
    atomic_store(&crash.ring->tail, 0); /* nothing was drained yet */
    atomic_store(&crash.fake.shm->defs_tail, 0);
    atomic_store(&crash.fake.shm->file_bytes, 0);
    atomic_store(&crash.fake.shm->chunks, 0);
    for (size_t bytes = 0; bytes <= 32; bytes += 16) {
        crash.sink->count = bytes > 16 ? 0 : bytes;
        crash_read(&crash, 0);
        if (bytes > 16)
            unlink(path);
        reading = read_trace(path, 0);
        expect_500_calls(&reading);
    }
    reading = read_trace(path, KP_READ_NO_LEFTOVER);
    assert_int_equal(reading.opened, KP_ERROR_SYSTEM);
    crash_end(&crash);
}

/* The process runs: hands off, and the chunk it is writing is no damage. */
static void reader_knows_a_live_process(void **state)
{
    struct crash crash;
    struct reading reading;
    struct kp_proc proc;
    FILE *mapped;

    (void)state;
    crash_begin(&crash, (uint32_t)getpid());
    assert_true(kp_proc_read(&proc, 0));
    crash.fake.shm->pid_start = proc.start;
    crash.sink->count -= 5;
    fake_save(shm_path, crash.fake.shm, crash.fake.bytes);
    {
        struct kp_shm_control *shm;
        char error[256];
        struct kp_recovery recovery;

        assert_int_equal(kp_leftover_map(&shm, shm_path), KP_OK);
        fake_save(path, crash.sink->bytes, crash.sink->count);
        reading = read_trace(path, 0);
        assert_true(reading.alive);
        assert_false(reading.recovered);
        assert_int_equal(reading.damages, 0);
        assert_int_equal(kp_trace_recover(path, other, &recovery, error, sizeof error), KP_ERROR_VALUE);
        assert_non_null(strstr(error, "still runs"));
        kp_recovery_free(&recovery);
        kp_leftover_unmap(shm);
    }
    mapped = fopen(other, "r");
    assert_null(mapped);
    crash_end(&crash);
}

/* Any byte of the mapping's fixed parts wrong: no crash, no endless loop. */
static void reader_survives_a_corrupt_leftover(void **state)
{
    struct crash crash;

    (void)state;
    crash_begin(&crash, dead_pid());
    fake_save(path, crash.sink->bytes, crash.sink->count);
    fake_save(shm_path, crash.fake.shm, crash.fake.bytes);
    for (unsigned i = 0; i < 400; i++) {
        size_t places[3] = {i, crash.fake.shm->threads_offset + i % 64,
                            fake_mapping_offset(&crash.fake, crash.ring) + i % 256};
        FILE *file = fopen(shm_path, "r+b");
        size_t at = places[i % 3];
        struct reading reading;

        fseek(file, (long)at, SEEK_SET);
        fputc(((uint8_t *)crash.fake.shm)[at] ^ (1 << i % 8), file);
        fflush(file);
        reading = read_trace(path, 0);
        assert_int_equal(reading.opened, KP_OK);
        assert_int_equal(reading.ended, KP_END);
        assert_true(reading.calls >= 200);
        fseek(file, (long)at, SEEK_SET);
        fputc(((uint8_t *)crash.fake.shm)[at], file);
        fclose(file);
    }
    crash_end(&crash);
}

/* --- recover --- */

static void recover_writes_a_clean_trace(void **state)
{
    struct crash crash;
    struct reading reading;
    struct kp_recovery recovery;
    char error[256];
    struct stat st;

    (void)state;
    crash_begin(&crash, dead_pid());
    crash_read(&crash, 0);
    unlink(other);
    assert_int_equal(kp_trace_recover(path, other, &recovery, error, sizeof error), KP_OK);
    assert_int_equal(recovery.sections, 1);
    assert_int_equal(recovery.calls, 500);
    assert_int_equal(recovery.events, 1000);
    assert_int_equal(recovery.leftover_count, 1);
    assert_string_equal(recovery.leftovers[0], shm_path);
    kp_recovery_free(&recovery);
    unlink(shm_path);
    reading = read_trace(other, 0);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.calls, 500);
    assert_true(reading.complete && reading.recovered);
    assert_int_equal(reading.metas, 1);
    assert_int_equal(stat(other, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    /* A file that is there stays. */
    assert_int_equal(kp_trace_recover(path, other, &recovery, error, sizeof error), KP_ERROR_SYSTEM);
    assert_non_null(strstr(error, other));
    kp_recovery_free(&recovery);
    unlink(other);
    crash_end(&crash);
}

static void recover_leaves_damage_out(void **state)
{
    struct reading before, after;
    struct kp_recovery recovery;
    char error[256];

    (void)state;
    unlink(other);
    before = read_trace(golden("damaged"), 0);
    assert_int_equal(kp_trace_recover(golden("damaged"), other, &recovery, error, sizeof error), KP_OK);
    assert_true(recovery.dropped_bytes > 700);
    assert_int_equal(recovery.dropped_chunks, 1);
    kp_recovery_free(&recovery);
    after = read_trace(other, 0);
    assert_int_equal(after.events, before.events);
    assert_true(after.complete && after.recovered);
    assert_int_equal(after.damages, 3); /* the gaps of the three threads remain, nothing else */
    unlink(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reader_gives_items_as_they_stand),
        cmocka_unit_test(reader_by_time_gives_definitions_first),
        cmocka_unit_test(reader_merges_processes_by_time),
        cmocka_unit_test(reader_orders_equal_times),
        cmocka_unit_test(reader_skips_events_when_asked),
        cmocka_unit_test(reader_maps_any_clock),
        cmocka_unit_test(reader_goes_on_in_a_later_part),
        cmocka_unit_test(reader_tells_what_is_missing_in_a_part),
        cmocka_unit_test(recover_keeps_a_part_a_part),
        cmocka_unit_test(reader_says_what_is_wrong_with_an_input),
        cmocka_unit_test(reader_reads_pipes),
        cmocka_unit_test(reader_reads_up_to_any_cut),
        cmocka_unit_test(reader_steps_over_any_wrong_byte),
        cmocka_unit_test(reader_finds_its_way_after_a_shift),
        cmocka_unit_test(reader_finds_the_next_section_behind_a_cut),
        cmocka_unit_test(reader_tells_gaps_and_drops_repetitions),
        cmocka_unit_test(reader_gives_every_event_of_a_long_trace),
        cmocka_unit_test(reader_completes_a_killed_process),
        cmocka_unit_test(reader_gives_nothing_twice_when_killed_before_the_tail_moved),
        cmocka_unit_test(reader_takes_an_unfinished_chunk_from_the_ring),
        cmocka_unit_test(reader_follows_rings_of_a_killed_process),
        cmocka_unit_test(reader_reads_a_leftover_without_its_file),
        cmocka_unit_test(reader_knows_a_live_process),
        cmocka_unit_test(reader_survives_a_corrupt_leftover),
        cmocka_unit_test(recover_writes_a_clean_trace),
        cmocka_unit_test(recover_leaves_damage_out),
    };
    int failed;

    if (!mkdtemp(folder))
        return 1;
    snprintf(path, sizeof path, "%s/trace.kpt", folder);
    snprintf(other, sizeof other, "%s/other.kpt", folder);
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    unlink(other);
    rmdir(folder);
    return failed;
}
