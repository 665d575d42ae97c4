/* trace/key_map: what was put in is found until it is taken out, whatever collides. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "trace/key_map.h"

#define KEYS 4096

static uint64_t state = 88172645463325252u;

static uint64_t random_number(void)
{
    state ^= state << 13;
    state ^= state >> 7;
    return state ^= state << 17;
}

static void check_against_list(bool scattered)
{
    static int values[KEYS];
    static bool in[KEYS];
    static uint64_t keys[KEYS];
    struct kp_key_map map = {0};
    size_t count = 0;

    if (scattered)
        kp_key_map_scatter(&map);
    for (size_t i = 0; i < KEYS; i++) {
        /* Dense numbers, addresses, and such as differ in their high bits only. */
        keys[i] = i % 3 == 0 ? i : i % 3 == 1 ? (uint64_t)(uintptr_t)&values[i] : (uint64_t)i << 52;
        in[i] = false;
    }
    for (int step = 0; step < 200000; step++) {
        size_t i = random_number() % KEYS;

        assert_ptr_equal(kp_key_map_get(&map, keys[i]), in[i] ? &values[i] : NULL);
        if (in[i])
            assert_ptr_equal(kp_key_map_take(&map, keys[i]), &values[i]);
        else
            assert_true(kp_key_map_put(&map, keys[i], &values[i]));
        in[i] = !in[i];
        count += in[i] ? 1 : (size_t)-1;
        assert_int_equal(map.count, count);
    }
    for (size_t i = 0; i < KEYS; i++)
        assert_ptr_equal(kp_key_map_get(&map, keys[i]), in[i] ? &values[i] : NULL);
    kp_key_map_free(&map);
    assert_null(kp_key_map_get(&map, keys[0]));
}

static void as_put(void **unused)
{
    (void)unused;
    check_against_list(false);
}

static void scattered(void **unused)
{
    (void)unused;
    check_against_list(true);
}

static void any_until_empty(void **unused)
{
    struct kp_key_map map = {0};
    uint64_t keys[300];
    size_t from = 0, left = 300;

    (void)unused;
    assert_null(kp_key_map_any(&map, &from));
    for (size_t i = 0; i < 300; i++) {
        keys[i] = i * i;
        assert_true(kp_key_map_put(&map, keys[i], &keys[i]));
    }
    for (const uint64_t *key; (key = kp_key_map_any(&map, &from)); left--)
        assert_ptr_equal(kp_key_map_take(&map, *key), key);
    assert_int_equal(left, 0);
    assert_null(kp_key_map_take(&map, 1));
    kp_key_map_free(&map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_put),
        cmocka_unit_test(scattered),
        cmocka_unit_test(any_until_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
