/* The exporters: the exact text of a small trace with a generator, a loss, an exception and awkward names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "export/exporter.h"
#include "fake_trace.h"

static const struct kp_exporter *exporter;
static void *export;
static struct kp_calltree *tree;

static void feed(const struct kp_item *item)
{
    if (exporter->item)
        exporter->item(export, item);
    kp_calltree_feed(tree, item);
}

/* What the exporter writes for the trace; the caller frees. */
static char *run(const char *name, bool weight_calls)
{
    static const struct kp_event events[] = {
        ENTER(1000, 0, 1), ENTER(1500, 1, 2),  YIELD(2000, 1, 2, 7), LOST(2500, 3, 1),  RESUME(3000, 1, 2, 7),
        ENTER(3100, 2, 3), UNWIND(3200, 2, 3), EXIT(4000, 1, 2),     ENTER(4001, 1, 4), EXIT(5001234, 0, 1),
    };
    struct kp_export_options options = {.weight_calls = weight_calls};
    char *text;
    size_t length;
    FILE *file = open_memstream(&text, &length);
    fake_reset();
    fake_process.start_ns = 1000;
    fake_functions[2].name = "a \"b\";c,d\n\xff";
    strcpy(fake_threads[0].name, "main");
    exporter = kp_exporter_find(name);
    export = exporter->create(file, &options);
    tree = kp_calltree_create(exporter->calls, export);
    feed(&(struct kp_item){.kind = KP_ITEM_PROCESS, .process = &fake_process});
    for (uint32_t i = 1; i < FAKE_FUNCTIONS; i++)
        feed(&(struct kp_item){
            .kind = KP_ITEM_FUNCTION, .process = &fake_process, .function = &fake_functions[i]});
    feed(&(struct kp_item){.kind = KP_ITEM_THREAD, .process = &fake_process, .thread = &fake_threads[0]});
    feed(&(struct kp_item){.kind = KP_ITEM_EVENTS,
                           .process = &fake_process,
                           .thread = &fake_threads[0],
                           .events = events,
                           .count = sizeof events / sizeof *events});
    kp_calltree_finish(tree);
    exporter->finish(export);
    exporter->destroy(export);
    kp_calltree_destroy(tree);
    fclose(file);
    return text;
}

static void expect(const char *name, bool weight_calls, const char *expected)
{
    char *text = run(name, weight_calls);
    assert_string_equal(text, expected);
    free(text);
}

static void csv_has_a_line_per_call(void **state)
{
    (void)state;
    expect("csv", false,
           "start_ns,duration_ns,self_ns,pid,tid,depth,end,name,file,line\n"
           "3100,100,100,100,100,2,unwind,c,app.py,30\n"
           "1500,1500,1400,100,100,1,exit,\"a \"\"b\"\";c,d\\x0a\\xff\",app.py,20\n"
           "4001,4997233,4997233,100,100,1,unknown,d,app.py,40\n"
           "1000,5000234,1501,100,100,0,exit,a,app.py,10\n");
}

static void collapsed_weighs_paths_by_own_time(void **state)
{
    (void)state;
    expect("collapsed", false,
           "a 1501\na;a \"b\":c,d\\x0a\\xff 1400\na;a \"b\":c,d\\x0a\\xff;c 100\na;d 4997233\n");
}

static void collapsed_weighs_paths_by_calls(void **state)
{
    (void)state;
    expect("collapsed", true, "a 1\na;a \"b\":c,d\\x0a\\xff 1\na;a \"b\":c,d\\x0a\\xff;c 1\na;d 1\n");
}

#define WHERE ", \"pid\": 100, \"tid\": 100, \"ts\": "
#define SLICE "{\"ph\": \"X\", \"cat\": \"python\", \"name\": "
#define B     SLICE "\"a \\\"b\\\";c,d\\u000a\xef\xbf\xbd\", \"args\": {\"file\": \"app.py\", \"line\": 20"

static void chrome_has_a_slice_per_segment(void **state)
{
    (void)state;
    expect("chrome", false,
           "{\"displayTimeUnit\": \"ns\", \"traceEvents\": [\n"
           "{\"ph\": \"M\", \"name\": \"process_name\", \"pid\": 100, \"tid\": 100, \"args\": {\"name\": "
           "\"app\"}},\n"
           "{\"ph\": \"M\", \"name\": \"thread_name\", \"pid\": 100, \"tid\": 100, \"args\": {\"name\": "
           "\"main\"}},\n" B ", \"end\": \"yield\"}" WHERE "0.500, \"dur\": 0.500},\n"
           "{\"ph\": \"i\", \"s\": \"t\"" WHERE
           "1.500, \"name\": \"lost\", \"args\": {\"calls\": 3, \"events\": 1}},\n" SLICE
           "\"c\", \"args\": {\"file\": \"app.py\", \"line\": 30, \"end\": \"unwind\"}" WHERE
           "2.100, \"dur\": 0.100},\n" B "}" WHERE "2.000, \"dur\": 1.000},\n" SLICE
           "\"d\", \"args\": {\"file\": \"app.py\", \"line\": 40, \"end\": \"unknown\"}" WHERE
           "3.001, \"dur\": 4997.233},\n" SLICE "\"a\", \"args\": {\"file\": \"app.py\", \"line\": 10}" WHERE
           "0.000, \"dur\": 5000.234}\n"
           "], \"otherData\": {\"producer\": \"kprobe " KP_VERSION "\", \"start_ns\": \"1000\"}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(csv_has_a_line_per_call),
        cmocka_unit_test(collapsed_weighs_paths_by_own_time),
        cmocka_unit_test(collapsed_weighs_paths_by_calls),
        cmocka_unit_test(chrome_has_a_slice_per_segment),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
