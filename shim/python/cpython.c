#include "cpython.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct kp_cpython kp_cpython;

/*
 * Sources: Include/cpython/frameobject.h (3.8 to 3.10), Include/internal/pycore_frame.h,
 * Include/cpython/pystate.h and Include/cpython/genobject.h (3.11 to 3.13)
 * of 3.8.18, 3.9.18, 3.10.13, 3.11.7, 3.12.1, 3.13.0. Layouts do not change within a minor version.
 */
static const struct kp_cpython_layout layouts[] = {
    {.minor = 8,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 104,
     .frame_state = 72,
     .frame_generator = 96},
    {.minor = 9,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 104,
     .frame_state = 72,
     .frame_generator = 96},
    {.minor = 10,
     .frame_code = 32,
     .frame_globals = 48,
     .frame_last = 96,
     .frame_state = 108,
     .frame_generator = 88,
     .suspended = -1},
    {.minor = 11,
     .frame_code = 32,
     .frame_globals = 8,
     .frame_last = 56,
     .frame_state = 69,
     .thread_cframe = 56,
     .current_frame = 8,
     .generator_state = 75 - 80,
     .suspended = -1},
    {.minor = 12,
     .frame_code = 0,
     .frame_globals = 24,
     .frame_last = 56,
     .frame_state = 70,
     .thread_cframe = 56,
     .current_frame = 0,
     .generator_state = 67 - 72,
     .suspended = -1},
    {.minor = 13,
     .frame_code = 0,
     .frame_globals = 24,
     .frame_last = 56,
     .frame_state = 70,
     .current_frame = 72,
     .generator_state = 67 - 72,
     .suspended = -2},
};

/* Opcode numbers, Include/opcode.h of 3.11. */
#define RETURN_GENERATOR_3_11 75

/* Code flags, the same in all versions (Include/cpython/code.h). */
#define CO_GENERATOR_KINDS (0x20 | 0x80 | 0x200)

/* Offset of co_flags in the code object of 3.11 (Include/cpython/code.h). */
#define CODE_FLAGS_3_11 48

enum { FRAME_OWNED_BY_GENERATOR = 1 };

static void *find(const char *name, const char *other)
{
    void *symbol = dlsym(RTLD_DEFAULT, name);

    return symbol || !other ? symbol : dlsym(RTLD_DEFAULT, other);
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

bool kp_cpython_find(void)
{
#define KP_CPYTHON(field, name, other, type, arguments) *(void **)&kp_cpython.field = find(name, other);
#include "cpython.def"
#undef KP_CPYTHON
    if (!kp_cpython.get_version || !kp_cpython.add_audit_hook)
        return false;
    read_version();
    return true;
}

const struct kp_cpython_layout *kp_cpython_layout(void)
{
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (kp_cpython.major == 3 && layouts[i].minor == kp_cpython.minor)
            return &layouts[i];
    return NULL;
}

static enum kp_frame_state classify_3_11(const struct kp_cpython_layout *layout, void *frame)
{
    void *code = KP_FIELD(void *, frame, layout->frame_code);
    uint16_t *last;

    if (!(KP_FIELD(int, code, CODE_FLAGS_3_11) & CO_GENERATOR_KINDS))
        return KP_FRAME_PLAIN;
    if (KP_FIELD(char, frame, layout->frame_state) != FRAME_OWNED_BY_GENERATOR)
        return KP_FRAME_CREATION;
    last = KP_FIELD(uint16_t *, frame, layout->frame_last);
    return (*last & 0xff) == RETURN_GENERATOR_3_11 ? KP_FRAME_FIRST : KP_FRAME_AGAIN;
}

enum kp_frame_state kp_frame_classify(const struct kp_cpython_layout *layout, void *frame)
{
    if (layout->minor >= 11)
        return classify_3_11(layout, frame);
    if (!KP_FIELD(void *, frame, layout->frame_generator))
        return KP_FRAME_PLAIN;
    return KP_FIELD(int, frame, layout->frame_last) == -1 ? KP_FRAME_FIRST : KP_FRAME_AGAIN;
}

bool kp_frame_suspended(const struct kp_cpython_layout *layout, void *frame)
{
    if (layout->minor >= 11)
        return KP_FIELD(int8_t, frame, layout->generator_state) == layout->suspended;
    if (layout->minor == 10)
        return KP_FIELD(int8_t, frame, layout->frame_state) == layout->suspended;
    /* 3.8, 3.9: f_stacktop is NULL unless the frame can go on. */
    return KP_FIELD(void *, frame, layout->frame_state) != NULL;
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

static long attribute_size(void *object, const char *name)
{
    void *tuple = kp_cpython.get_attribute(object, name);
    long size = tuple ? (long)kp_cpython.tuple_size(tuple) : 0;

    if (tuple)
        kp_cpython.decref(tuple);
    else
        kp_cpython.error_clear();
    return size < 0 ? 0 : size;
}

bool kp_code_before_start(void *code, long offset)
{
    long cells = attribute_size(code, "co_cellvars");
    long free_variables = attribute_size(code, "co_freevars") > 0;

    return offset <= 2 * (cells + free_variables) + 2;
}
