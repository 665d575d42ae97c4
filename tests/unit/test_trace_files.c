/* collector/trace_files: destinations as patterns that find exactly what the shim would write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace_files.h"

static void trace_files_pattern_fits_what_the_shim_writes(void **state)
{
    (void)state;
    static const struct {
        const char *output, *path;
        int fits;
    } cases[] = {
        {"file:/t/kprobe.%p.kpt", "/t/kprobe.4711.kpt", 1},
        {"file:/t/kprobe.%p.kpt", "/t/kprobe.4711.2.kpt", 1},
        {"file:/t/kprobe.%p.kpt", "/t/kprobe.4711.txt", 0},
        {"file:/t/kprobe.%p.kpt", "/t/u/kprobe.4711.kpt", 0},
        {"file:/t/one.kpt", "/t/one.kpt", 1},
        {"file:/t/one.kpt", "/t/one.1.kpt", 1},
        {"file:/t/one.kpt", "/t/two.kpt", 0},
        {"file:/t/one", "/t/one", 1},
        {"file:/t/one", "/t/one.1", 1},
        {"file:/t.d/one", "/t.d/one.1", 1},
        {"file:/t/a[1]*.kpt", "/t/a[1]*.kpt", 1},
        {"file:/t/a[1]*.kpt", "/t/a1x.kpt", 0},
        {"file:/t/100%%.%e.kpt", "/t/100%.python3.kpt", 1},
        {"file:/t/100%%.%e.kpt", "/t/1000.python3.kpt", 0},
        {"file:/%h/%t/%p.kpt", "/host/20261121/1.kpt", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char pattern[256];
        kp_trace_files_pattern(cases[i].output, pattern, sizeof pattern);
        if ((fnmatch(pattern, cases[i].path, FNM_PATHNAME) == 0) != cases[i].fits)
            fail_msg("%s as %s and %s", cases[i].output, pattern, cases[i].path);
    }
}

static void trace_files_pattern_of_null_is_none(void **state)
{
    (void)state;
    char pattern[64] = "x";
    kp_trace_files_pattern("null:", pattern, sizeof pattern);
    assert_string_equal(pattern, "");
}

static void trace_files_pattern_keeps_within_its_buffer(void **state)
{
    (void)state;
    char pattern[16 + 1], output[600] = "file:";
    memset(output + 5, '*', 500);
    pattern[16] = 'g';
    kp_trace_files_pattern(output, pattern, 16);
    assert_int_equal(pattern[16], 'g');
    assert_true(strlen(pattern) < 16);
}

static void write_file(const char *folder, const char *name, time_t time)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int file = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(file >= 0);
    struct timespec times[2] = {{.tv_sec = time}, {.tv_sec = time}};
    assert_int_equal(futimens(file, times), 0);
    close(file);
}

static void trace_files_finds_only_what_is_newer(void **state)
{
    (void)state;
    char folder[] = "/tmp/kprobe-test-XXXXXX", output[128], expected[128], command[128];
    struct kp_trace_files files;
    assert_non_null(mkdtemp(folder));
    write_file(folder, "run.1.kpt", 1000);
    write_file(folder, "run.2.kpt", 2000);
    write_file(folder, "run.30.1.kpt", 2001);
    write_file(folder, "other.kpt", 3000);
    snprintf(output, sizeof output, "file:%s/run.%%p.kpt", folder);
    kp_trace_files_find(&files, output, (struct timespec){.tv_sec = 2000});
    assert_int_equal(files.count, 2);
    snprintf(expected, sizeof expected, "%s/run.2.kpt", folder);
    assert_string_equal(files.paths[0], expected);
    kp_trace_files_fini(&files);
    assert_int_equal(files.count, 0);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trace_files_pattern_fits_what_the_shim_writes),
        cmocka_unit_test(trace_files_pattern_of_null_is_none),
        cmocka_unit_test(trace_files_pattern_keeps_within_its_buffer),
        cmocka_unit_test(trace_files_finds_only_what_is_newer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
