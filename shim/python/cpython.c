#include "cpython.h"
#include "cpython_layout.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kp_cpython kp_cpython;

/* Absent under an old glibc in a program that does not load libdl: then there is no CPython either. */
#pragma weak dlsym

static void *find(void *library, const char *name, const char *other)
{
    void *symbol = dlsym(library, name);

    return symbol || !other ? symbol : dlsym(library, other);
}

static void read_version(void)
{
    const char *text = kp_cpython.get_version();
    char *end;

    kp_cpython.major = (unsigned)strtoul(text, &end, 10);
    kp_cpython.minor = *end == '.' ? (unsigned)strtoul(end + 1, NULL, 10) : 0;
    snprintf(kp_cpython.version, sizeof kp_cpython.version, "%.*s", (int)strcspn(text, " "), text);
    kp_cpython.free_threaded = strstr(text, "free-threading") != NULL;
}

bool kp_cpython_find(void *library)
{
    if (!dlsym)
        return false;
#define KP_CPYTHON(field, name, other, type, arguments)                                                      \
    *(void **)&kp_cpython.field = find(library ? library : RTLD_DEFAULT, name, other);
#include "cpython.def"
#undef KP_CPYTHON
    if (!kp_cpython.get_version || !kp_cpython.add_audit_hook)
        return false;
    read_version();
    return true;
}

const struct kp_cpython_layout *kp_cpython_layout(void)
{
    for (size_t i = 0; i < sizeof kp_cpython_layouts / sizeof *kp_cpython_layouts; i++)
        if (kp_cpython.major == 3 && kp_cpython_layouts[i].minor == kp_cpython.minor)
            return &kp_cpython_layouts[i];
    return NULL;
}

static ssize_t copy_bytes(void *bytes, char *out, size_t room)
{
    char *data;
    ssize_t count;

    if (!bytes || kp_cpython.bytes_get(bytes, &data, &count) < 0)
        return -1;
    if ((size_t)count >= room)
        count = (ssize_t)room - 1;
    memcpy(out, data, (size_t)count);
    out[count] = '\0';
    return count;
}

ssize_t kp_object_text(void *object, char *out, size_t room)
{
    void *bytes = kp_cpython.encode(object, "utf-8", "surrogateescape");
    ssize_t count;

    if (!bytes) {
        /* Lone surrogates that stand for no byte. */
        kp_cpython.error_clear();
        bytes = kp_cpython.encode(object, "utf-8", "backslashreplace");
    }
    count = copy_bytes(bytes, out, room);
    if (count < 0)
        kp_cpython.error_clear();
    if (bytes)
        kp_cpython.decref(bytes);
    return count;
}

ssize_t kp_attribute_text(void *object, const char *name, char *out, size_t room)
{
    void *value = kp_cpython.get_attribute(object, name);
    ssize_t count;

    if (!value) {
        kp_cpython.error_clear();
        return -1;
    }
    count = kp_object_text(value, out, room);
    kp_cpython.decref(value);
    return count;
}

long kp_attribute_number(void *object, const char *name, long fallback)
{
    void *value = kp_cpython.get_attribute(object, name);
    long number;

    if (!value) {
        kp_cpython.error_clear();
        return fallback;
    }
    number = kp_cpython.long_as_long(value);
    if (number == -1)
        kp_cpython.error_clear();
    kp_cpython.decref(value);
    return number;
}

long kp_attribute_size(void *object, const char *name)
{
    void *tuple = kp_cpython.get_attribute(object, name);
    long size = tuple ? (long)kp_cpython.tuple_size(tuple) : 0;

    if (tuple)
        kp_cpython.decref(tuple);
    else
        kp_cpython.error_clear();
    return size < 0 ? 0 : size;
}

int kp_code_operation(void *code, long offset)
{
    void *bytes = kp_cpython.get_attribute(code, "co_code");
    int operation = -1;
    ssize_t count;
    char *start;

    if (bytes && kp_cpython.bytes_get(bytes, &start, &count) == 0 && offset >= 0 && offset < count)
        operation = (uint8_t)start[offset];
    if (bytes)
        kp_cpython.decref(bytes);
    if (operation < 0)
        kp_cpython.error_clear();
    return operation;
}

bool kp_code_before_start(void *code, long offset)
{
    long cells = kp_attribute_size(code, "co_cellvars");
    long free_variables = kp_attribute_size(code, "co_freevars") > 0;

    return offset <= 2 * (cells + free_variables) + 2;
}
