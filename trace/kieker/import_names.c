#include <string.h>

#include "import_private.h"
#include "signature.h"

/* Cuts at the room; counts on. */
struct out {
    char *bytes;
    size_t room, used;
};

static struct out into(char *bytes, size_t room)
{
    return (struct out){.bytes = bytes, .room = room};
}

static void put(struct out *out, const char *bytes, size_t count)
{
    if (out->used < out->room - 1) {
        size_t fits = out->room - 1 - out->used;

        memcpy(out->bytes + out->used, bytes, count < fits ? count : fits);
    }
    out->used += count;
}

static enum kp_function_kind finish(struct out *out, enum kp_function_kind kind)
{
    out->bytes[out->used < out->room ? out->used : out->room - 1] = 0;
    return kind;
}

static struct kp_text part(const char *from, const char *to)
{
    return (struct kp_text){from, (size_t)(to - from)};
}

static bool equal(struct kp_text a, struct kp_text b)
{
    return a.count == b.count && !memcmp(a.bytes, b.bytes, a.count);
}

static const char *find(struct kp_text text, char c)
{
    return text.count ? memchr(text.bytes, c, text.count) : NULL;
}

/* An operation signature: `[modifiers ][result ]a.b.C.m(types)[ throws ...]`. */
struct parts {
    struct kp_text scope, method, types; /* types: with the parentheses; empty when there are none */
};

static struct parts take_apart(struct kp_text operation)
{
    const char *end = operation.bytes + operation.count, *open = find(operation, '('), *close = NULL;
    const char *name = operation.bytes, *name_end = open ? open : end, *dot;
    struct parts parts = {{"", 0}, {"", 0}, {"", 0}};

    if (open)
        close = memrchr(open, ')', (size_t)(end - open));
    while (name_end > name && name_end[-1] == ' ')
        name_end--;
    for (const char *at = name; at < name_end; at++)
        if (*at == ' ')
            name = at + 1;
    dot = memrchr(name, '.', (size_t)(name_end - name));
    if (dot)
        parts.scope = part(name, dot);
    parts.method = part(dot ? dot + 1 : name, name_end);
    if (open)
        parts.types = part(open, close ? close + 1 : end);
    return parts;
}

/* Types without the blanks, and without `java.lang.`, which everybody leaves out. */
static void put_types(struct out *out, struct kp_text types)
{
    static const char usual[] = "java.lang.";
    size_t bytes = sizeof usual - 1;

    for (size_t i = 0; i < types.count; i++) {
        bool starts = i == 0 || strchr("(, ", types.bytes[i - 1]);
        size_t end;

        if (types.bytes[i] == ' ')
            continue;
        if (starts && types.count - i > bytes && !memcmp(types.bytes + i, usual, bytes)) {
            for (end = i + bytes; end < types.count && !strchr(".,)", types.bytes[end]);)
                end++;
            /* Packages below it stay what they are. */
            i += end < types.count && types.bytes[end] != '.' ? bytes : 0;
        }
        put(out, types.bytes + i, 1);
    }
}

/* `<package structure>` of the C pack, `<no-class>` and the like say nothing. */
static bool says_nothing(struct kp_text class_name)
{
    return !class_name.count || class_name.bytes[0] == '<' || find(class_name, ' ');
}

/* A log of kprobe's own: the name that the function had. */
static enum kp_function_kind own_name(struct kp_text operation, struct out *out)
{
    struct kp_kieker_name name;
    char text[KP_KIEKER_OPERATION_MAX + 1];
    size_t count = operation.count < sizeof text - 1 ? operation.count : sizeof text - 1;

    memcpy(text, operation.bytes, count);
    text[count] = 0;
    kp_kieker_signature_read(&name, text, true);
    put(out, name.name, strlen(name.name));
    return finish(out, name.kind);
}

/*
 * What reads best: `a.b.C.m(int)`. Where the object is of another class than the one that has the method,
 * that of the object comes first, as in Kieker's diagrams, and the other one behind: `a.b.Sub.m(int)
 * [a.b.C]`. A bare name (Python and C packs) belongs to the class, which is a module there.
 */
enum kp_function_kind kp_import_name(const struct kp_kieker_import *import, struct kp_text operation,
                                     struct kp_text class_name, char *out_name, size_t room)
{
    struct out out = into(out_name, room);
    struct parts parts = take_apart(operation);
    struct kp_text scope = says_nothing(class_name) ? parts.scope : class_name;

    if (import->own)
        return own_name(operation, &out);
    if (scope.count) {
        put(&out, scope.bytes, scope.count);
        put(&out, ".", 1);
    }
    if (parts.method.count)
        put(&out, parts.method.bytes, parts.method.count);
    else
        put(&out, "<unnamed>", 9);
    put_types(&out, parts.types);
    if (parts.scope.count && !equal(parts.scope, scope)) {
        put(&out, " [", 2);
        put(&out, parts.scope.bytes, parts.scope.count);
        put(&out, "]", 1);
    }
    return finish(&out, KP_FUNCTION_FOREIGN);
}

enum kp_function_kind kp_import_exception_name(const struct kp_kieker_import *import, struct kp_text cause,
                                               char *out_name, size_t room)
{
    struct out out = into(out_name, room);

    (void)import;
    put(&out, cause.bytes, cause.count);
    return finish(&out, KP_FUNCTION_EXCEPTION);
}
