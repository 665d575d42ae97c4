/* trace/kieker/log: names, rotation, what is kept, and that no log is ever mixed with another. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <signal.h>
#include <unistd.h>
#include <cmocka.h>

#include "trace/kieker/log.h"

static char folder[64], path[96];

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/kprobe-log-XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/log", folder);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return strcmp(a, b);
}

static char names[32][256];

/* Sorted; the map is the last one. */
static int list(void)
{
    DIR *directory = opendir(path);
    int count = 0;

    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));)
        if (entry->d_name[0] != '.' && count < 32)
            snprintf(names[count++], sizeof names[0], "%s", entry->d_name);
    closedir(directory);
    qsort(names, (size_t)count, sizeof names[0], compare);
    return count;
}

static int tear_down(void **state)
{
    char name[10000];
    int count = list();

    (void)state;
    while (count-- > 0) {
        snprintf(name, sizeof name, "%s/%s", path, names[count]);
        unlink(name);
    }
    return rmdir(path) || rmdir(folder);
}

static long size_of(const char *name)
{
    char whole[10000];
    struct stat info;

    snprintf(whole, sizeof whole, "%s/%s", path, name);
    return stat(whole, &info) ? -1 : (long)info.st_size;
}

static enum kp_status put(struct kp_kieker_log *log, const char *bytes, uint64_t records)
{
    return kp_kieker_log_ops.data(log, bytes, strlen(bytes), records);
}

static void names_and_limits(void **state)
{
    struct kp_kieker_log_options options = {.records_per_file = 4, .bytes_per_file = 100, .files_kept = 3};
    struct kp_kieker_log *log, *second;
    regex_t name;
    struct stat info;
    (void)state;

    assert_int_equal(kp_kieker_log_open(&log, path, KP_KIEKER_TEXT, &options), KP_OK);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(kp_kieker_log_ops.map(log, "$0=a\n", 5), KP_OK);
    for (int i = 0; i < 12; i++) /* two batches in a file */
        assert_int_equal(put(log, "$0;1\n$0;2\n", 2), KP_OK);
    assert_int_equal(list(), 4);
    assert_int_equal(regcomp(&name, "^kieker-[0-9]{8}-[0-9]{9}-UTC-00[456]\\.dat$", REG_EXTENDED), 0);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(regexec(&name, names[i], 0, NULL, 0), 0);
        assert_int_equal(size_of(names[i]), 20);
    }
    regfree(&name);
    assert_string_equal(names[3], "kieker.map");
    assert_int_equal(size_of("kieker.map"), 5);
    /* Neither while it is written nor later. */
    assert_int_equal(kp_kieker_log_open(&second, path, KP_KIEKER_BINARY, NULL), KP_ERROR_VALUE);
    assert_null(second);
    assert_int_equal(errno, EEXIST);
    assert_int_equal(kp_kieker_log_close(log), KP_OK);
    assert_int_equal(kp_kieker_log_open(&second, path, KP_KIEKER_TEXT, NULL), KP_ERROR_VALUE);
}

static void by_bytes(void **state)
{
    struct kp_kieker_log_options options = {.bytes_per_file = 25};
    struct kp_kieker_log *log;
    (void)state;

    assert_int_equal(kp_kieker_log_open(&log, path, KP_KIEKER_BINARY, &options), KP_OK);
    for (int i = 0; i < 5; i++)
        assert_int_equal(put(log, "0123456789", 1), KP_OK);
    assert_int_equal(kp_kieker_log_tick(log), KP_OK);
    assert_int_equal(kp_kieker_log_close(log), KP_OK);
    assert_int_equal(list(), 4);
    assert_non_null(strstr(names[0], "-001.bin"));
    assert_int_equal(size_of(names[2]), 10);
}

/* Nothing is left half written when there is no room, and the same again works later. */
static void no_room(void **state)
{
    struct kp_kieker_log *log;
    struct rlimit before, small;
    char bytes[3000];
    (void)state;

    memset(bytes, 'x', sizeof bytes - 1);
    bytes[sizeof bytes - 1] = '\0';
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(kp_kieker_log_open(&log, path, KP_KIEKER_TEXT, NULL), KP_OK);
    assert_int_equal(put(log, bytes, 1), KP_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    assert_int_not_equal(put(log, bytes, 1), KP_OK);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    list();
    assert_int_equal(size_of(names[0]), 2999);
    assert_int_equal(put(log, bytes, 1), KP_OK);
    assert_int_equal(size_of(names[0]), 2 * 2999);
    assert_int_equal(kp_kieker_log_close(log), KP_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_and_limits, set_up, tear_down),
        cmocka_unit_test_setup_teardown(by_bytes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_room, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
