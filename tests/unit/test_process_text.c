/* trace/process_text: any value comes back, one that does not fit is cut at a whole character, keys are whole
 * words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "trace/process_text.h"

static void process_text_any_byte_comes_back(void **state)
{
    char text[4096] = "", value[255], back[300];

    (void)state;
    for (int i = 0; i < 255; i++)
        value[i] = (char)(i + 1);
    kp_process_text_put(text, sizeof text, "first", "1", 1);
    kp_process_text_put(text, sizeof text, "all", value, sizeof value);
    kp_process_text_put(text, sizeof text, "empty", "", 0);
    assert_int_equal(kp_process_text_get(text, strlen(text), "all", back, sizeof back), 255);
    assert_memory_equal(back, value, 255);
    assert_int_equal(kp_process_text_get(text, strlen(text), "empty", back, sizeof back), 0);
    assert_int_equal(kp_process_text_get(text, strlen(text), "first", back, sizeof back), 1);
    for (const char *p = text; *p; p++)
        assert_true(*p == '\n' || (unsigned char)*p >= 0x20);
}

static void process_text_keys_are_whole(void **state)
{
    static const char text[] = "ppid=1\npid=22\npid=33\nlast=x";
    char back[8];

    (void)state;
    assert_int_equal(kp_process_text_get(text, sizeof text - 1, "pid", back, sizeof back), 2);
    assert_string_equal(back, "22");
    assert_int_equal(kp_process_text_get(text, sizeof text - 1, "pi", back, sizeof back), -1);
    assert_int_equal(kp_process_text_get(text, sizeof text - 1, "las", back, sizeof back), -1);
    assert_int_equal(kp_process_text_get(text, sizeof text - 1, "last", back, sizeof back), 1);
    assert_int_equal(kp_process_text_get(text, 0, "pid", back, sizeof back), -1);
}

/* In any room: what was put before stays whole, and the text stays well-formed. */
static void process_text_cuts_what_does_not_fit(void **state)
{
    (void)state;
    for (size_t room = 8; room < 80; room++) {
        char text[128] = "a=1\n", back[128];
        long bytes;

        memset(text + 5, '#', sizeof text - 5);
        kp_process_text_put(text, room, "key", "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", 20);
        assert_true(strlen(text) < room);
        assert_int_equal(text[room], '#');
        assert_int_equal(text[strlen(text) - 1], '\n');
        bytes = kp_process_text_get(text, strlen(text), "key", back, sizeof back);
        assert_true(bytes >= -1 && bytes <= 20);
        for (long i = 0; i < bytes; i++)
            assert_int_equal(back[i], '\n');
        assert_int_equal(kp_process_text_get(text, strlen(text), "a", back, sizeof back), 1);
    }
}

static void process_text_value_is_cut_to_the_room_given(void **state)
{
    char back[4];

    (void)state;
    assert_int_equal(kp_process_text_get("k=abcdef\n", 9, "k", back, sizeof back), 3);
    assert_string_equal(back, "abc");
    /* Broken escapes stay as they are. */
    assert_int_equal(kp_process_text_get("k=%4\n", 5, "k", back, sizeof back), 2);
    assert_string_equal(back, "%4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(process_text_any_byte_comes_back),
        cmocka_unit_test(process_text_keys_are_whole),
        cmocka_unit_test(process_text_cuts_what_does_not_fit),
        cmocka_unit_test(process_text_value_is_cut_to_the_room_given),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
