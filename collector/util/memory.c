#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void kp_no_memory(void)
{
    fputs("kprobe: out of memory\n", stderr);
    exit(1);
}

static void *require(void *memory)
{
    if (!memory)
        kp_no_memory();
    return memory;
}

void *kp_allocate(size_t bytes)
{
    return require(malloc(bytes ? bytes : 1));
}

void *kp_allocate_cleared(size_t count, size_t bytes)
{
    return require(calloc(count ? count : 1, bytes));
}

void *kp_resize(void *memory, size_t bytes)
{
    return require(realloc(memory, bytes ? bytes : 1));
}

char *kp_copy_text(const char *text)
{
    return require(strdup(text));
}

char *kp_format_text(const char *format, ...)
{
    va_list arguments;
    char *text = NULL;
    va_start(arguments, format);
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    return require(length < 0 ? NULL : text);
}

void *kp_grow(void *array, size_t *capacity, size_t index, size_t element_bytes)
{
    if (index < *capacity)
        return array;
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted <= index)
        wanted *= 2;
    array = require(reallocarray(array, wanted, element_bytes));
    memset((char *)array + *capacity * element_bytes, 0, (wanted - *capacity) * element_bytes);
    *capacity = wanted;
    return array;
}
