#include "probes.h"

#include <stdint.h>
#include <stddef.h>

#include "activations.h"
#include "cpython.h"
#include "cpython_object.h"
#include "manual.h"
#include "open_calls.h"

/* None of them raises an exception: what does not fit is no probe. */

static void *none(void)
{
    void *object = (void *)kp_cpython.none;

    kp_cpython.incref(object);
    return object;
}

static long number_of(void *object)
{
    long number = kp_cpython.long_as_long(object);

    if (number == -1)
        kp_cpython.error_clear();
    return number;
}

/* Handles that are no number of 32 bits are none. */
static uint32_t handle_of(void *object)
{
    long number = number_of(object);

    return number > 0 && number <= UINT32_MAX ? (uint32_t)number : 0;
}

/* NULL: no text, or with characters that have no UTF-8. */
static const char *text_of(void *object)
{
    const char *text = NULL;

    if (object != (void *)kp_cpython.none && !(text = kp_cpython.text(object)))
        kp_cpython.error_clear();
    return text;
}

static void *active(void *self, void *unused)
{
    (void)self;
    (void)unused;
    return kp_cpython.long_new(kp_manual_active());
}

static void *region(void *self, void *name)
{
    const char *text = text_of(name);

    (void)self;
    return kp_cpython.long_new(text ? (long)kp_manual_region(text) : 0);
}

static void *begin(void *self, void *handle)
{
    (void)self;
    kp_activations_settle();
    kp_manual_begin(handle_of(handle));
    return none();
}

static void *end(void *self, void *handle)
{
    (void)self;
    kp_activations_settle();
    kp_manual_end(handle_of(handle));
    return none();
}

static void *wanted(void *self, void *handle)
{
    (void)self;
    return kp_cpython.long_new(kp_manual_wanted(handle_of(handle)));
}

static void *text(void *self, void *string)
{
    const char *bytes = text_of(string);

    (void)self;
    return kp_cpython.long_new(bytes ? kp_manual_text(NULL, bytes) : -1);
}

static void *hide(void *self, void *folder)
{
    const char *path = text_of(folder);

    (void)self;
    if (path && *path)
        kp_manual_hide(path);
    return none();
}

static void *record_lost(void *self, void *handle)
{
    (void)self;
    kp_manual_lose_record(handle_of(handle));
    return none();
}

static void *fail(void *self, void *const *arguments, ssize_t count)
{
    (void)self;
    kp_activations_settle();
    if (count == 2)
        kp_manual_fail(handle_of(arguments[0]), text_of(arguments[1]));
    return none();
}

static void *suspend(void *self, void *const *arguments, ssize_t count)
{
    uint64_t token = 0;

    (void)self;
    kp_activations_settle();
    if (count == 2)
        token = kp_manual_suspend(handle_of(arguments[0]), (uint64_t)number_of(arguments[1]));
    return kp_cpython.long_new((long)token);
}

static void *resume(void *self, void *const *arguments, ssize_t count)
{
    (void)self;
    kp_activations_settle();
    if (count == 2)
        kp_manual_resume(handle_of(arguments[0]), (uint64_t)number_of(arguments[1]));
    return none();
}

static void *record_class(void *self, void *const *arguments, ssize_t count)
{
    const char *name = count == 2 ? text_of(arguments[0]) : NULL;
    const char *layout = name ? text_of(arguments[1]) : NULL;

    (void)self;
    return kp_cpython.long_new(layout ? (long)kp_manual_class(name, layout) : 0);
}

static void *record(void *self, void *const *arguments, ssize_t count)
{
    char *payload;
    ssize_t bytes;
    bool good = false;

    (void)self;
    if (count == 2 && kp_cpython.bytes_get(arguments[1], &payload, &bytes) == 0)
        good = kp_manual_record(handle_of(arguments[0]), payload, (size_t)bytes);
    else
        kp_cpython.error_clear();
    return kp_cpython.long_new(good);
}

enum { METH_NOARGS = 4, METH_O = 8, METH_FASTCALL = 0x80 };

static struct kp_method_def methods[] = {
    {"active", (void *)active, METH_NOARGS, NULL},
    {"region", (void *)region, METH_O, NULL},
    {"begin", (void *)begin, METH_O, NULL},
    {"end", (void *)end, METH_O, NULL},
    {"fail", (void *)fail, METH_FASTCALL, NULL},
    {"suspend", (void *)suspend, METH_FASTCALL, NULL},
    {"resume", (void *)resume, METH_FASTCALL, NULL},
    {"wanted", (void *)wanted, METH_O, NULL},
    {"record_class", (void *)record_class, METH_FASTCALL, NULL},
    {"text", (void *)text, METH_O, NULL},
    {"record", (void *)record, METH_FASTCALL, NULL},
    {"record_lost", (void *)record_lost, METH_O, NULL},
    {"hide", (void *)hide, METH_O, NULL},
};

#define METHODS (sizeof methods / sizeof *methods)

bool kp_probes_own(const void *def)
{
    return (uintptr_t)def >= (uintptr_t)methods && (uintptr_t)def < (uintptr_t)(methods + METHODS);
}

void kp_probes_give(void *dict)
{
    struct kp_error_state error;
    uint32_t before = kp_own_begin(kp_self);

    kp_error_save(&error);
    for (size_t i = 0; kp_cpython.function_new && kp_cpython.long_new && i < METHODS; i++) {
        void *function = kp_cpython.function_new(&methods[i], NULL, NULL);

        if (!function)
            break;
        kp_cpython.dict_set(dict, methods[i].name, function);
        kp_cpython.decref(function);
    }
    kp_cpython.error_clear();
    kp_error_restore(&error);
    kp_own_end(kp_self, before);
}
