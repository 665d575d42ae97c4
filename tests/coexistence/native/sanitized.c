/* For asan_extension.py; built with -fsanitize=address. Loaded with ctypes, so that no Python headers are
 * needed. */
#include <stdlib.h>
#include <string.h>

void *PyObject_CallNoArgs(void *callable);
void Py_DecRef(void *object);

int kp_test_call(void *callable, int times)
{
    char on_stack[64];
    int done = 0;

    memset(on_stack, times, sizeof(on_stack));
    for (int i = 0; i < times; i++) {
        void *result = PyObject_CallNoArgs(callable);

        if (!result)
            return -1;
        Py_DecRef(result);
        done += on_stack[i] == times;
    }
    return done;
}

int kp_test_overflow(void)
{
    volatile size_t behind = 10;
    char *memory = calloc(1, 10);
    int value = memory[behind];

    free(memory);
    return value;
}
