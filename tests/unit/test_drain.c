/* trace/drain: a mapping becomes a trace that says exactly what was in it, whatever happens to the writer
 * meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_mapping.h"
#include "reading.h"

static char path[64];

static struct reading read_sink(const struct fake_sink *sink)
{
    fake_save(path, sink->bytes, sink->count);
    return read_trace(path, KP_READ_NO_LEFTOVER);
}

/* A mapping with function 1 and thread 0 whose ring has 1 << shift slots. */
static struct kp_ring *begin(struct fake_mapping *fake, uint32_t shift)
{
    fake_mapping_init(fake, 1);
    fake_mapping_function(fake, 1, "app.f");
    return fake_mapping_thread(fake, 0, shift);
}

static void drain_writes_a_whole_trace(void **state)
{
    struct fake_mapping fake;
    struct kp_ring *ring = begin(&fake, 12);
    struct fake_sink *sink = fake_sink_open(&fake);
    struct reading reading;
    uint64_t ticks = 2000;

    (void)state;
    assert_int_equal(kp_drain_open(&sink->drain), KP_OK);
    fake_mapping_calls(ring, 100, &ticks);
    assert_int_equal(kp_drain_pending(fake.shm, kp_shm_threads(fake.shm)), 200);
    assert_int_equal(kp_drain_all(&sink->drain), KP_OK);
    assert_int_equal(kp_drain_pending(fake.shm, kp_shm_threads(fake.shm)), 0);
    fake_mapping_calls(ring, 50, &ticks);
    assert_int_equal(kp_drain_finish(&sink->drain, "why", "because"), KP_OK);
    assert_int_equal(sink->count, atomic_load(&fake.shm->file_bytes));
    reading = read_sink(sink);
    assert_int_equal(reading.ended, KP_END);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.events, 300);
    assert_int_equal(reading.made, 150);
    assert_int_equal(reading.metas, 1);
    assert_true(reading.complete);
    assert_string_equal(reading.order, "PFTEtMp");
    fake_sink_close(sink);
    free(fake.shm);
}

/* The ring goes round many times; two-slot events stand where it wraps, behind an empty slot. */
static void drain_follows_a_ring_that_wraps(void **state)
{
    struct fake_mapping fake;
    struct kp_ring *ring = begin(&fake, 6);
    struct fake_sink *sink = fake_sink_open(&fake);
    struct reading reading;
    uint64_t ticks = 2000, tokens = 0;

    (void)state;
    kp_drain_open(&sink->drain);
    for (int round = 0; round < 200; round++) {
        for (int i = 0; i < 7; i++) {
            if ((atomic_load(&ring->head) & 63) == 63)
                fake_mapping_slot(ring, (struct kp_slot){0});
            fake_mapping_event(ring, KP_EVENT_RESUME, ++ticks, 1, 0);
            fake_mapping_slot(ring, (struct kp_slot){.value = ++tokens});
            fake_mapping_event(ring, KP_EVENT_EXIT, ++ticks, 1, 0);
        }
        assert_int_equal(kp_drain_all(&sink->drain), KP_OK);
    }
    assert_int_equal(kp_drain_finish(&sink->drain, NULL, NULL), KP_OK);
    reading = read_sink(sink);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.events, 2 * tokens);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(reading.first[2 * i].value, i + 1);
    fake_sink_close(sink);
    free(fake.shm);
}

static void drain_follows_a_thread_that_outgrew_its_ring(void **state)
{
    struct fake_mapping fake;
    struct kp_ring *ring = begin(&fake, 6);
    struct fake_sink *sink = fake_sink_open(&fake);
    struct reading reading;
    uint64_t ticks = 2000;

    (void)state;
    kp_drain_open(&sink->drain);
    fake_mapping_calls(ring, 20, &ticks);
    kp_drain_all(&sink->drain);
    fake_mapping_calls(ring, 30, &ticks);
    for (uint32_t shift = 8; shift < 12; shift++) {
        ring = fake_mapping_grow(&fake, ring, shift);
        fake_mapping_calls(ring, 100, &ticks);
    }
    assert_int_equal(kp_drain_pending(fake.shm, kp_shm_threads(fake.shm)), 860);
    assert_int_equal(kp_drain_finish(&sink->drain, NULL, NULL), KP_OK);
    reading = read_sink(sink);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.calls, 450);
    assert_int_equal(reading.made, 450);
    fake_sink_close(sink);
    free(fake.shm);
}

/* The disk is full at every possible place; once there is room again nothing is missing and nothing is there
 * twice. */
static void drain_goes_on_after_a_failed_write(void **state)
{
    (void)state;
    for (size_t limit = 200; limit < 1200; limit += 37) {
        struct fake_mapping fake;
        struct kp_ring *ring = begin(&fake, 12);
        struct fake_sink *sink = fake_sink_open(&fake);
        struct reading reading;
        uint64_t ticks = 2000;

        assert_int_equal(kp_drain_open(&sink->drain), KP_OK);
        sink->limit = limit;
        fake_mapping_calls(ring, 300, &ticks);
        kp_drain_all(&sink->drain);
        fake_mapping_calls(ring, 300, &ticks);
        kp_drain_all(&sink->drain);
        sink->limit = SIZE_MAX;
        assert_int_equal(kp_drain_finish(&sink->drain, NULL, NULL), KP_OK);
        reading = read_sink(sink);
        assert_int_equal(reading.damages, 0);
        assert_int_equal(reading.calls, 600);
        assert_int_equal(reading.functions, 1);
        fake_sink_close(sink);
        free(fake.shm);
    }
}

/* An entry that is free again goes to the next thread. */
static void drain_frees_threads_that_ended(void **state)
{
    struct fake_mapping fake;
    struct kp_ring *ring = begin(&fake, 8);
    struct fake_sink *sink = fake_sink_open(&fake);
    struct kp_shm_thread *thread = kp_shm_threads(fake.shm);
    struct reading reading;
    uint64_t ticks = 2000;

    (void)state;
    kp_drain_open(&sink->drain);
    fake_mapping_calls(ring, 10, &ticks);
    atomic_store(&thread->state, KP_SHM_THREAD_DONE);
    assert_int_equal(kp_drain_all(&sink->drain), KP_OK);
    assert_int_equal(atomic_load(&thread->state), KP_SHM_THREAD_FREE);
    ring = fake_mapping_thread(&fake, 1, 8);
    fake_mapping_calls(ring, 11, &ticks);
    assert_int_equal(kp_drain_finish(&sink->drain, NULL, NULL), KP_OK);
    reading = read_sink(sink);
    assert_int_equal(reading.damages, 0);
    assert_int_equal(reading.threads, 2);
    assert_int_equal(reading.thread_ends, 2);
    assert_int_equal(reading.made, 21);
    assert_int_equal(reading.calls, 21);
    fake_sink_close(sink);
    free(fake.shm);
}

/* Nonsense in a mapping is KP_ERROR_DAMAGED, not a crash and not for ever; other threads are still taken. */
static void drain_survives_a_corrupt_mapping(void **state)
{
    (void)state;
    for (int what = 0; what < 6; what++) {
        struct fake_mapping fake;
        struct kp_ring *ring = begin(&fake, 8), *good;
        struct fake_sink *sink = fake_sink_open(&fake);
        struct reading reading;
        uint64_t ticks = 2000;

        good = fake_mapping_thread(&fake, 1, 8);
        fake_mapping_calls(good, 10, &ticks);
        kp_drain_open(&sink->drain);
        fake_mapping_calls(ring, 5, &ticks);
        switch (what) {
        case 0: /* a ring that goes on in itself */
            atomic_store(&ring->next, fake_mapping_offset(&fake, ring));
            atomic_store(&ring->moved, 1);
            break;
        case 1:
            atomic_store(&kp_shm_threads(fake.shm)->ring, fake.bytes - 64);
            break;
        case 2:
            ring->size_shift = 60;
            break;
        case 3:
            atomic_store(&ring->head, 1ull << 40);
            break;
        case 4:
            atomic_store(&ring->tail, 1ull << 40);
            break;
        case 5:
            atomic_store(&kp_shm_threads(fake.shm)->ring, UINT64_MAX - 63);
            break;
        }
        kp_drain_finish(&sink->drain, NULL, NULL);
        reading = read_sink(sink);
        assert_int_equal(reading.ended, KP_END);
        assert_true(reading.calls >= 10);
        fake_sink_close(sink);
        free(fake.shm);
    }
}

/* A definition that says it is larger than a chunk must not run over the buffer. */
static void drain_refuses_a_huge_definition(void **state)
{
    struct fake_mapping fake;
    struct fake_sink *sink;
    uint32_t huge = 900000;

    (void)state;
    begin(&fake, 8);
    sink = fake_sink_open(&fake);
    kp_drain_open(&sink->drain);
    kp_drain_all(&sink->drain);
    memcpy((uint8_t *)fake.shm + fake.shm->defs_offset + atomic_load(&fake.shm->defs_head), &huge, 4);
    atomic_fetch_add(&fake.shm->defs_head, huge);
    assert_int_equal(kp_drain_all(&sink->drain), KP_ERROR_DAMAGED);
    fake_sink_close(sink);
    free(fake.shm);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(drain_writes_a_whole_trace),
        cmocka_unit_test(drain_follows_a_ring_that_wraps),
        cmocka_unit_test(drain_follows_a_thread_that_outgrew_its_ring),
        cmocka_unit_test(drain_goes_on_after_a_failed_write),
        cmocka_unit_test(drain_frees_threads_that_ended),
        cmocka_unit_test(drain_survives_a_corrupt_mapping),
        cmocka_unit_test(drain_refuses_a_huge_definition),
    };
    int failed;

    snprintf(path, sizeof path, "/tmp/kprobe-test-drain.%d.kpt", getpid());
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
