#include "prototype.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/memory.h"

static bool is_word(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

/* Where `name` stands as a whole word in text[0..count), the last time; NULL: nowhere. */
static const char *find_word(const char *text, size_t count, const char *name)
{
    size_t bytes = strlen(name);
    const char *found = NULL;

    for (size_t i = 0; bytes && i + bytes <= count; i++)
        if (!memcmp(text + i, name, bytes) && (i == 0 || !is_word(text[i - 1])) &&
            (i + bytes == count || !is_word(text[i + bytes])))
            found = text + i;
    return found;
}

/* One parameter without its name: a declaration ends in it, but for what belongs to arrays and functions. */
static char *put_type(char *out, const struct kp_prototype *prototype, const char *text, size_t count)
{
    const char *name = NULL;
    size_t bytes = 0;

    for (size_t i = 0; i < prototype->count; i++) {
        const char *found = find_word(text, count, prototype->parameters[i].name);

        /* A type never ends in its own name: `struct list list`. */
        if (found && found > text && (!name || found > name)) {
            name = found;
            bytes = strlen(prototype->parameters[i].name);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (name && text + i == name) {
            i += bytes - 1;
            continue;
        }
        *out++ = text[i] == ',' ? '_' : text[i];
    }
    while (out[-1] == ' ')
        out--;
    return out;
}

/* The comma or the end at which the parameter that begins at `text` ends. */
static size_t parameter_bytes(const char *text, const char *end)
{
    int open = 0;
    const char *at = text;

    for (; at < end && (open || *at != ','); at++)
        open += (*at == '(' || *at == '<' || *at == '[') - (*at == ')' || *at == '>' || *at == ']');
    return (size_t)(at - text);
}

bool kp_prototype_types(const struct kp_prototype *prototype, char **result, char **parameters)
{
    const char *place = strchr(prototype->text, '\1'), *at, *end;
    char *out;

    /* A result that encloses the name (a pointer to a function) has no end at which it could be cut. */
    if (!place || place[1] != '(' || strchr(prototype->text, '(') < place)
        return false;
    at = place + 2;
    end = strrchr(at, ')');
    if (!end)
        return false;
    *result = kp_format_text("%.*s", (int)(place - prototype->text), prototype->text);
    *parameters = out = kp_allocate(2 * (size_t)(end - at) + 1);
    if (end - at == 4 && !memcmp(at, "void", 4))
        at = end;
    while (at < end) {
        size_t bytes = parameter_bytes(at, end);

        while (bytes && *at == ' ') {
            at++;
            bytes--;
        }
        if (out != *parameters)
            *out++ = ',';
        if (bytes)
            out = put_type(out, prototype, at, bytes);
        at += bytes + (at + bytes < end);
    }
    *out = '\0';
    return true;
}
