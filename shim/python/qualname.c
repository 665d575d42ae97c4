#include "qualname.h"

#include <pthread.h>
#include <string.h>

#include "cpython.h"
#include "memory.h"

/* Opcodes of 3.8 to 3.10, Include/opcode.h. */
enum { STORE_NAME = 90, LOAD_CONST = 100, LOAD_NAME = 101, MAKE_FUNCTION = 132, EXTENDED_ARG = 144 };

#define QUALNAME_ROOM 4096

/* PyObject.ob_type, the same in all GIL builds (Include/object.h). */
#define OBJECT_TYPE 8

static bool is_code(void *object)
{
    return object && KP_FIELD(void *, object, OBJECT_TYPE) == (void *)kp_cpython.code_type;
}

/* One instruction; arguments are joined with EXTENDED_ARG prefixes before it. */
struct instruction {
    unsigned opcode;
    unsigned argument;
};

static const uint8_t *next_instruction(const uint8_t *at, const uint8_t *end, struct instruction *out)
{
    out->argument = 0;
    for (; at + 2 <= end; at += 2) {
        out->argument = out->argument << 8 | at[1];
        out->opcode = at[0];
        if (at[0] != EXTENDED_ARG)
            return at + 2;
    }
    return NULL;
}

/* What scanning a code object needs; references held until finished. */
struct scan {
    void *bytecode, *constants, *names;
    const uint8_t *at, *end;
};

static bool begin(struct scan *scan, void *code)
{
    char *data = NULL;
    ssize_t bytes = 0;

    memset(scan, 0, sizeof *scan);
    scan->bytecode = kp_cpython.get_attribute(code, "co_code");
    scan->constants = kp_cpython.get_attribute(code, "co_consts");
    scan->names = kp_cpython.get_attribute(code, "co_names");
    if (!scan->bytecode || !scan->constants || !scan->names ||
        kp_cpython.bytes_get(scan->bytecode, &data, &bytes) < 0) {
        kp_cpython.error_clear();
        return false;
    }
    scan->at = (const uint8_t *)data;
    scan->end = scan->at + bytes;
    return true;
}

static void finish(struct scan *scan)
{
    if (scan->bytecode)
        kp_cpython.decref(scan->bytecode);
    if (scan->constants)
        kp_cpython.decref(scan->constants);
    if (scan->names)
        kp_cpython.decref(scan->names);
}

static void *item(void *tuple, unsigned index)
{
    void *found = (ssize_t)index < kp_cpython.tuple_size(tuple) ? kp_cpython.tuple_item(tuple, index) : NULL;

    if (!found)
        kp_cpython.error_clear();
    return found;
}

static bool has_code_constants(struct scan *scan)
{
    ssize_t count = kp_cpython.tuple_size(scan->constants);

    for (ssize_t i = 0; i < count; i++)
        if (is_code(kp_cpython.tuple_item(scan->constants, i)))
            return true;
    return false;
}

static void tell(struct scan *scan, unsigned code_index, unsigned name_index, kp_qualname_found found,
                 void *user)
{
    char text[QUALNAME_ROOM];
    void *code = item(scan->constants, code_index), *name = item(scan->constants, name_index);
    ssize_t bytes = is_code(code) && name ? kp_object_text(name, text, sizeof text) : -1;

    if (bytes > 0)
        found(user, code, text, (size_t)bytes);
}

void kp_qualname_of_children(void *code, kp_qualname_found found, void *user)
{
    struct instruction before = {0, 0}, last = {0, 0}, now;
    struct scan scan;

    if (begin(&scan, code) && has_code_constants(&scan)) {
        while ((scan.at = next_instruction(scan.at, scan.end, &now))) {
            if (now.opcode == MAKE_FUNCTION && last.opcode == LOAD_CONST && before.opcode == LOAD_CONST)
                tell(&scan, before.argument, last.argument, found, user);
            before = last;
            last = now;
        }
    }
    finish(&scan);
}

/* LOAD_NAME __name__, STORE_NAME __module__, LOAD_CONST 'qualname', STORE_NAME __qualname__ */
bool kp_qualname_of_class_body(void *code, char *out, size_t room, ssize_t *bytes)
{
    static const unsigned expected[] = {LOAD_NAME, STORE_NAME, LOAD_CONST, STORE_NAME};
    struct instruction all[4];
    struct scan scan;
    bool good = begin(&scan, code);
    char name[16];
    void *text;

    for (int i = 0; good && i < 4; i++) {
        scan.at = next_instruction(scan.at, scan.end, &all[i]);
        good = scan.at && all[i].opcode == expected[i];
    }
    good = good && (text = item(scan.names, all[3].argument)) &&
           kp_object_text(text, name, sizeof name) > 0 && strcmp(name, "__qualname__") == 0;
    good = good && (text = item(scan.constants, all[2].argument)) &&
           (*bytes = kp_object_text(text, out, room)) > 0;
    finish(&scan);
    return good;
}

char *kp_qualname_keep(const char *qualname, size_t bytes)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static char *pool;
    static size_t left;
    char *copy = NULL;

    pthread_mutex_lock(&lock);
    if (left < bytes + 1) {
        left = bytes + 1 > (1u << 16) ? bytes + 1 : 1u << 16;
        pool = kp_memory_private(left);
        left = pool ? left : 0;
    }
    if (left) {
        copy = pool;
        memcpy(copy, qualname, bytes);
        copy[bytes] = '\0';
        pool += bytes + 1;
        left -= bytes + 1;
    }
    pthread_mutex_unlock(&lock);
    return copy;
}

static void tell_function(void *function, kp_qualname_found found, void *user)
{
    char text[QUALNAME_ROOM];
    void *code = kp_cpython.get_attribute(function, "__code__");
    ssize_t bytes = is_code(code) ? kp_attribute_text(function, "__qualname__", text, sizeof text) : -1;

    if (bytes > 0)
        found(user, code, text, (size_t)bytes);
    if (code)
        kp_cpython.decref(code);
    else
        kp_cpython.error_clear();
}

/* A function is taken as it is, a static or class method by what it wraps; other objects are not touched. */
static void look_at(void *object, bool into_classes, kp_qualname_found found, void *user);

static void look_into(void *dictionary, bool into_classes, kp_qualname_found found, void *user)
{
    void *key, *value;
    ssize_t position = 0;

    while (kp_cpython.dict_next(dictionary, &position, &key, &value))
        look_at(value, into_classes, found, user);
}

static void look_at(void *object, bool into_classes, kp_qualname_found found, void *user)
{
    void *type = KP_FIELD(void *, object, OBJECT_TYPE);
    void *inner = NULL;

    if (type == (void *)kp_cpython.function_type) {
        tell_function(object, found, user);
        return;
    }
    if (type == (void *)kp_cpython.static_method_type || type == (void *)kp_cpython.class_method_type)
        inner = kp_cpython.get_attribute(object, "__func__");
    if (inner) {
        look_at(inner, false, found, user);
        kp_cpython.decref(inner);
    }
    if (into_classes && type == (void *)kp_cpython.type_type) {
        /* PyTypeObject.tp_dict, at the same place in 3.8 to 3.10 (Include/cpython/object.h). */
        void *dictionary = KP_FIELD(void *, object, 264);

        if (dictionary)
            look_into(dictionary, false, found, user);
    }
}

void kp_qualname_of_modules(kp_qualname_found found, void *user)
{
    static const char *const names[] = {"_frozen_importlib", "_frozen_importlib_external"};
    void *modules = kp_cpython.sys_get("modules");

    for (size_t i = 0; modules && i < sizeof names / sizeof *names; i++) {
        void *module = kp_cpython.dict_get(modules, names[i]);
        void *dictionary = module ? kp_cpython.get_attribute(module, "__dict__") : NULL;

        if (dictionary) {
            look_into(dictionary, true, found, user);
            kp_cpython.decref(dictionary);
        } else {
            kp_cpython.error_clear();
        }
    }
}
