/* The map of code objects against a plain array: the same answers through many insertions and removals. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "code_map.h"

#define KEYS 6000u

static uint32_t expected[KEYS]; /* id; 0: not in the map */
static uint64_t seed = 12345;

static uint32_t random_below(uint32_t limit)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33) % limit;
}

/* Addresses as the allocator gives them: 16 apart, so that neighbours collide. */
static const void *key(uint32_t n)
{
    return (const void *)(uintptr_t)(0x7f0000000000u + 16u * n);
}

static void check_all(void)
{
    for (uint32_t n = 0; n < KEYS; n++)
        if (expected[n])
            assert_int_equal(kp_code_map_get(key(n))->id, expected[n]);
}

static void map_agrees_with_an_array(void **state)
{
    (void)state;
    for (uint32_t step = 1; step <= 200000; step++) {
        uint32_t n = random_below(KEYS);

        if (random_below(3)) {
            kp_code_map_get(key(n))->id = step;
            expected[n] = step;
        } else {
            assert_int_equal(kp_code_map_remove(key(n)), expected[n] != 0);
            expected[n] = 0;
        }
        if (step % 20000 == 0)
            check_all();
    }
}

static void map_forgets_what_was_removed(void **state)
{
    struct kp_code_record *record;

    (void)state;
    record = kp_code_map_get(key(KEYS + 1));
    record->id = 7;
    record->version = 3;
    assert_true(kp_code_map_remove(key(KEYS + 1)));
    assert_false(kp_code_map_remove(key(KEYS + 1)));
    record = kp_code_map_get(key(KEYS + 1));
    assert_int_equal(record->id, 0);
    assert_int_equal(record->version, 0);
    assert_null(record->qualname);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(map_agrees_with_an_array),
        cmocka_unit_test(map_forgets_what_was_removed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
