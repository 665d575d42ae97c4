/* trace/def: definitions come back as they were; cut and nonsensical records are refused, longer ones
 * understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "trace/def.h"
#include "trace/function.h"

static struct kp_text text(const char *value)
{
    return (struct kp_text){value, strlen(value)};
}

static void assert_text(struct kp_text value, const char *expected)
{
    assert_int_equal(value.count, strlen(expected));
    assert_memory_equal(value.bytes, expected, value.count);
}

/* One of each type behind one another. */
static size_t put_all(uint8_t *out)
{
    struct kp_def function = {.type = KP_DEF_FUNCTION}, thread = {.type = KP_DEF_THREAD};
    struct kp_def end = {.type = KP_DEF_THREAD_END}, meta = {.type = KP_DEF_META};
    size_t used;

    function.function.id = UINT32_MAX;
    function.function.kind = 3;
    function.function.line = 123456;
    function.function.name = text("app.f\n\xff");
    function.function.file = text("");
    function.function.flags = KP_FUNCTION_FACTS | KP_FUNCTION_GENERATOR;
    function.function.parameters = 300;
    thread.thread.number = 7;
    thread.thread.tid = 4711;
    thread.thread.base_depth = 12;
    thread.thread.start_ticks = UINT64_MAX;
    thread.thread.name = text("worker");
    end.thread_end.number = 7;
    end.thread_end.end_ticks = 1;
    end.thread_end.calls_made = 1ull << 40;
    end.thread_end.calls_lost = 3;
    end.thread_end.events_lost = 4;
    meta.meta.key = text("key");
    meta.meta.value = text("value");
    used = kp_def_put(out, &function);
    used += kp_def_put(out + used, &thread);
    used += kp_def_put(out + used, &end);
    return used + kp_def_put(out + used, &meta);
}

static void def_comes_back(void **state)
{
    uint8_t record[4 * KP_DEF_ROOM(64)];
    const uint8_t *p = record, *end = record + put_all(record);
    struct kp_def def;

    (void)state;
    assert_int_equal(kp_def_get(&p, end, &def), KP_OK);
    assert_int_equal(def.type, KP_DEF_FUNCTION);
    assert_int_equal(def.function.id, UINT32_MAX);
    assert_int_equal(def.function.kind, 3);
    assert_int_equal(def.function.line, 123456);
    assert_text(def.function.name, "app.f\n\xff");
    assert_text(def.function.file, "");
    assert_int_equal(def.function.flags, KP_FUNCTION_FACTS | KP_FUNCTION_GENERATOR);
    assert_int_equal(def.function.parameters, 300);
    assert_int_equal(kp_def_get(&p, end, &def), KP_OK);
    assert_int_equal(def.thread.tid, 4711);
    assert_int_equal(def.thread.base_depth, 12);
    assert_true(def.thread.start_ticks == UINT64_MAX);
    assert_text(def.thread.name, "worker");
    assert_int_equal(kp_def_get(&p, end, &def), KP_OK);
    assert_true(def.thread_end.calls_made == 1ull << 40);
    assert_int_equal(def.thread_end.calls_lost, 3);
    assert_int_equal(def.thread_end.events_lost, 4);
    assert_int_equal(kp_def_get(&p, end, &def), KP_OK);
    assert_text(def.meta.key, "key");
    assert_text(def.meta.value, "value");
    assert_int_equal(kp_def_get(&p, end, &def), KP_END);
}

/* At every byte: the records before the cut are read, the one with the cut is refused. */
static void def_refuses_cut_records(void **state)
{
    uint8_t record[4 * KP_DEF_ROOM(64)];
    size_t bytes = put_all(record);

    (void)state;
    for (size_t cut = 1; cut < bytes; cut++) {
        uint8_t *copy = malloc(cut); /* so that a sanitizer sees a read behind it */
        const uint8_t *p = copy;
        struct kp_def def;
        enum kp_status status;

        memcpy(copy, record, cut);
        while ((status = kp_def_get(&p, copy + cut, &def)) == KP_OK)
            ;
        assert_true(status == KP_ERROR_DAMAGED || (status == KP_END && p == copy + cut));
        free(copy);
    }
}

/* The length of the record counts: fields of a newer minor version are skipped, missing ones are damage. */
static void def_length_counts(void **state)
{
    uint8_t record[KP_DEF_ROOM(64)];
    struct kp_def def = {.type = KP_DEF_META};
    const uint8_t *p = record;
    size_t bytes;

    (void)state;
    def.meta.key = text("k");
    def.meta.value = text("v");
    bytes = kp_def_put(record, &def);
    memcpy(record + bytes, "newer", 5);
    record[0] = (uint8_t)(bytes + 5);
    assert_int_equal(kp_def_get(&p, record + bytes + 5, &def), KP_OK);
    assert_ptr_equal(p, record + bytes + 5);
    assert_text(def.meta.value, "v");
    record[0] = (uint8_t)(bytes - 1);
    p = record;
    assert_int_equal(kp_def_get(&p, record + bytes, &def), KP_ERROR_DAMAGED);
    record[0] = 4;
    p = record;
    assert_int_equal(kp_def_get(&p, record + bytes, &def), KP_ERROR_DAMAGED);
}

/* Minor version 1 ended behind the file; a record cut behind the flags is damage. */
static void def_function_without_facts(void **state)
{
    uint8_t record[KP_DEF_ROOM(64)];
    struct kp_def def = {.type = KP_DEF_FUNCTION};
    const uint8_t *p = record;
    size_t bytes;

    (void)state;
    def.function.name = text("n");
    bytes = kp_def_put(record, &def);
    assert_int_equal(bytes, KP_DEF_HEADER_BYTES + 3 + 2 + 1);
    memset(&def, 0xff, sizeof def);
    assert_int_equal(kp_def_get(&p, record + bytes, &def), KP_OK);
    assert_int_equal(def.function.flags, 0);
    assert_int_equal(def.function.parameters, 0);
    record[bytes] = KP_FUNCTION_FACTS;
    record[0] = (uint8_t)(bytes + 1);
    p = record;
    assert_int_equal(kp_def_get(&p, record + bytes + 1, &def), KP_ERROR_DAMAGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(def_comes_back),
        cmocka_unit_test(def_refuses_cut_records),
        cmocka_unit_test(def_length_counts),
        cmocka_unit_test(def_function_without_facts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
