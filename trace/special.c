#include "special.h"

#include <stddef.h>
#include <string.h>

#include "glob.h"

enum reason {
#define KP_SPECIAL_REASON(name, class, text) REASON_##name,
#define KP_SPECIAL(symbol, reason)
#define KP_SPECIAL_PREFIX(start, reason)
#define KP_SPECIAL_OBJECT(glob, reason)
#include "special.def"
#undef KP_SPECIAL_REASON
};

static const struct kp_special reasons[] = {
#define KP_SPECIAL_REASON(name, class, text) {KP_SPECIAL_##class, text},
#include "special.def"
#undef KP_SPECIAL_REASON
#undef KP_SPECIAL
#undef KP_SPECIAL_PREFIX
#undef KP_SPECIAL_OBJECT
};

struct row {
    const char *text;
    enum reason reason;
};

#define KP_SPECIAL_REASON(name, class, text)

static const struct row symbols[] = {
#define KP_SPECIAL(symbol, reason) {symbol, REASON_##reason},
#define KP_SPECIAL_PREFIX(start, reason)
#define KP_SPECIAL_OBJECT(glob, reason)
#include "special.def"
#undef KP_SPECIAL
#undef KP_SPECIAL_PREFIX
};

static const struct row prefixes[] = {
#define KP_SPECIAL(symbol, reason)
#define KP_SPECIAL_PREFIX(start, reason) {start, REASON_##reason},
#include "special.def"
#undef KP_SPECIAL_PREFIX
#undef KP_SPECIAL_OBJECT
};

static const struct row objects[] = {
#define KP_SPECIAL_PREFIX(start, reason)
#define KP_SPECIAL_OBJECT(glob, reason) {glob, REASON_##reason},
#include "special.def"
};

#define COUNT(array) (sizeof(array) / sizeof *(array))

const struct kp_special *kp_special_find(const char *symbol)
{
    size_t low = 0, high = COUNT(symbols);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(symbol, symbols[middle].text);
        if (order == 0)
            return &reasons[symbols[middle].reason];
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    for (size_t i = 0; i < COUNT(prefixes); i++)
        if (!strncmp(symbol, prefixes[i].text, strlen(prefixes[i].text)))
            return &reasons[prefixes[i].reason];
    return NULL;
}

const struct kp_special *kp_special_find_object(const char *object)
{
    for (size_t i = 0; i < COUNT(objects); i++)
        if (kp_glob_match(objects[i].text, object))
            return &reasons[objects[i].reason];
    return NULL;
}

const char *kp_special_class_text(enum kp_special_class class)
{
    static const char *const texts[] = {"never", "entry only", "wrapped"};
    return texts[class];
}
