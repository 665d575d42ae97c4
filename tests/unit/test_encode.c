/* trace/encode and decode: whatever a ring can hold comes back as it was, and broken columns are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "trace/decode.h"
#include "trace/encode.h"

static struct kp_encoder encoder;
static struct kp_decoder decoder;
static struct kp_slot slots[KP_ENCODE_SLOTS_MAX];
static struct kp_event events[KP_ENCODE_SLOTS_MAX];

/* xorshift: the same stream each time. */
static uint64_t noise(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static size_t put(size_t at, unsigned kind, uint64_t time, uint32_t id, uint32_t depth, uint64_t value,
                  uint64_t value2)
{
    slots[at].time = time;
    slots[at].id = id;
    slots[at].kind_depth = KP_SLOT_PACK(kind, depth);
    if (kp_event_kind_slots(kind) < 2)
        return at + 1;
    slots[at + 1].value = value;
    slots[at + 1].value2 = value2;
    return at + 2;
}

/* Through head and columns as bytes, as a reader sees them. */
static enum kp_status decode_all(size_t room, size_t *count)
{
    uint8_t head[KP_ENCODE_HEAD_MAX];
    const uint8_t *p = head, *end = kp_encode_head(&encoder, head);
    enum kp_status status = kp_decode_head(&decoder, &p, end);
    size_t n = 0;

    assert_int_equal(status, KP_OK);
    assert_ptr_equal(p, end);
    for (int column = 0; column < KP_COLUMN_COUNT; column++) {
        size_t bytes;
        const uint8_t *data = kp_encode_column(&encoder, column, &bytes);

        kp_decode_column(&decoder, column, data, bytes);
    }
    *count = 0;
    while ((status = kp_decode_events(&decoder, events + *count, room, &n)) == KP_OK)
        *count += n;
    return status;
}

static void check(size_t slot_count, unsigned shift, size_t room)
{
    size_t count, at = 0;

    kp_encode_begin(&encoder, 42, 1000, shift);
    assert_int_equal(kp_encode_slots(&encoder, slots, slot_count), slot_count);
    assert_int_equal(decode_all(room, &count), KP_END);
    assert_int_equal(decoder.thread, 42);
    assert_int_equal(decoder.first_slot, 1000);
    assert_int_equal(decoder.slots, slot_count);
    for (size_t i = 0; i < count; i++) {
        unsigned kind = KP_SLOT_KIND(slots[at].kind_depth);

        while (kp_event_kind_slots(kind) == 0)
            kind = KP_SLOT_KIND(slots[++at].kind_depth);
        assert_int_equal(events[i].kind, kind);
        assert_int_equal(events[i].depth, KP_SLOT_DEPTH(slots[at].kind_depth));
        assert_int_equal(events[i].id, slots[at].id);
        assert_int_equal(events[i].time, slots[at].time >> shift << shift);
        if (kp_event_kind_slots(kind) == 2) {
            assert_int_equal(events[i].value, slots[at + 1].value);
            assert_int_equal(events[i].value2, slots[at + 1].value2);
        }
        at += kp_event_kind_slots(kind);
    }
    while (at < slot_count && kp_event_kind_slots(KP_SLOT_KIND(slots[at].kind_depth)) == 0)
        at++;
    assert_int_equal(at, slot_count);
}

/* Any kind, any depth, any id, any time, any payload. */
static void encode_takes_anything(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 200; seed++) {
        uint64_t s = seed * 0x9e3779b97f4a7c15u;
        size_t at = 0;

        while (at < 600) {
            unsigned wide = (unsigned)noise(&s) % 64;
            uint64_t time = noise(&s) >> wide;

            at =
                put(at, (unsigned)noise(&s) % 16, time, (uint32_t)(noise(&s) >> (noise(&s) % 64)),
                    (uint32_t)(noise(&s) >> (36 + noise(&s) % 28)), noise(&s) >> (noise(&s) % 64), noise(&s));
        }
        check(at, (unsigned)seed % 32, 1 + seed % 77);
    }
}

/* What programs do: calls in calls, now and then a jump, time that mostly grows. Long, so that chunks are
 * full. */
static void encode_takes_programs(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t s = seed, time = 1u << 30;
        uint32_t stack[4096] = {0}, depth = 0;
        size_t at = 0;

        while (at < KP_ENCODE_SLOTS_MAX - 2) {
            unsigned dice = (unsigned)noise(&s) % 100;

            time += dice == 7 ? (uint64_t)-50 : noise(&s) % (dice == 8 ? 70000 : 300);
            if (dice == 99)
                depth = (uint32_t)noise(&s) % 4000;
            if (dice == 98)
                at = put(at, KP_EVENT_LOST, time, 0, depth, noise(&s) % 1000, noise(&s) % 1000);
            else if (depth < 4000 && (depth == 0 || dice < 50)) {
                stack[depth] = dice == 9 ? 0 : 1 + (uint32_t)noise(&s) % (seed % 2 ? 5000 : 40000);
                at = put(at, dice < 5 ? KP_EVENT_RESUME : KP_EVENT_ENTER, time, stack[depth], depth, s, 0);
                depth++;
            } else {
                depth--;
                at = put(at,
                         dice < 55   ? KP_EVENT_YIELD
                         : dice < 60 ? KP_EVENT_UNWIND
                                     : KP_EVENT_EXIT,
                         time, stack[depth], depth, s, 0);
            }
        }
        check(at, 0, 1000);
    }
}

/* Deeper than the model remembers. */
static void encode_takes_deep_recursion(void **state)
{
    size_t at = 0;

    (void)state;
    for (uint32_t depth = KP_MODEL_DEPTHS - 5000; depth < KP_MODEL_DEPTHS + 5000; depth++)
        at = put(at, KP_EVENT_ENTER, depth, 1 + depth % 5000, depth, 0, 0);
    for (uint32_t depth = KP_MODEL_DEPTHS + 5000; depth-- > KP_MODEL_DEPTHS - 5000;)
        at = put(at, KP_EVENT_EXIT, 2 * KP_MODEL_DEPTHS - depth, 1 + depth % 5000, depth, 0, 0);
    check(at, 0, 4096);
}

/* Balanced calls cost three bytes a call and nothing for ids and depths of their ends. */
static void encode_predicts_ends(void **state)
{
    size_t at = 0, bytes;

    (void)state;
    for (uint32_t i = 0; i < 1000; i++) {
        at = put(at, KP_EVENT_ENTER, 20 * i, 5, 0, 0, 0);
        at = put(at, KP_EVENT_EXIT, 20 * i + 10, 5, 0, 0, 0);
    }
    check(at, 0, 4096);
    kp_encode_column(&encoder, KP_COLUMN_IDS, &bytes);
    assert_int_equal(bytes, 1000);
    kp_encode_column(&encoder, KP_COLUMN_EXTRAS, &bytes);
    assert_int_equal(bytes, 0);
}

/* An event of two slots is never cut in half. */
static void encode_stops_before_half_an_event(void **state)
{
    (void)state;
    put(0, KP_EVENT_ENTER, 1, 1, 0, 0, 0);
    put(1, KP_EVENT_YIELD, 2, 1, 0, 77, 0);
    kp_encode_begin(&encoder, 0, 0, 0);
    assert_int_equal(kp_encode_slots(&encoder, slots, 2), 1);
    assert_int_equal(encoder.events, 1);
}

static void decode_refuses_cut_columns(void **state)
{
    (void)state;
    for (int column = 0; column < KP_COLUMN_COUNT; column++) {
        size_t at = 0, count, bytes;
        const uint8_t *data;

        for (uint32_t i = 0; i < 10; i++)
            at = put(at, KP_EVENT_RESUME, 1000 * i, i, 5 * i, 1u << i, 300);
        kp_encode_begin(&encoder, 0, 0, 0);
        kp_encode_slots(&encoder, slots, at);
        data = kp_encode_column(&encoder, column, &bytes);
        encoder.end[column] = (uint8_t *)(uintptr_t)data + bytes - 1;
        assert_int_equal(decode_all(100, &count), KP_ERROR_DAMAGED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encode_takes_anything),
        cmocka_unit_test(encode_takes_programs),
        cmocka_unit_test(encode_takes_deep_recursion),
        cmocka_unit_test(encode_predicts_ends),
        cmocka_unit_test(encode_stops_before_half_an_event),
        cmocka_unit_test(decode_refuses_cut_columns),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
