#include "glob.h"

#include <stddef.h>
#include <stdint.h>

/*
 * One character, and the pointer behind it. A byte that starts no valid sequence is the character 0xdc00 +
 * byte, which no valid UTF-8 text holds (the surrogates), so it is equal to itself only.
 */
static uint32_t next_character(const char **text)
{
    const unsigned char *at = (const unsigned char *)*text;
    unsigned extra = at[0] >= 0xf0 && at[0] <= 0xf4 ? 3 : at[0] >= 0xe0 ? 2 : at[0] >= 0xc2 ? 1 : 0;
    if (at[0] < 0x80) {
        *text += 1;
        return at[0];
    }
    uint32_t value = extra ? at[0] & (0x3fu >> extra) : 0;
    for (unsigned i = 1; i <= extra; i++) {
        if ((at[i] & 0xc0) != 0x80 || at[0] > 0xf4) {
            extra = 0;
            break;
        }
        value = value << 6 | (at[i] & 0x3f);
    }
    *text += extra + 1;
    return extra ? value : 0xdc00u + at[0];
}

/* The character at *class (an escape is its second character), and the pointer behind it. */
static uint32_t class_member(const char **class)
{
    if (**class == '\\')
        (*class)++;
    return next_character(class);
}

/* Behind the ']' of the class whose text starts at `class` (behind its '['); whether it holds `character`. */
static const char *match_class(const char *class, uint32_t character, bool *matches)
{
    bool negated = *class == '!' || *class == '^';
    bool found = false;
    class += negated;
    for (bool first = true; first || *class != ']'; first = false) {
        uint32_t low = class_member(&class), high = low;
        if (class[0] == '-' && class[1] != ']') {
            class ++;
            high = class_member(&class);
        }
        found |= character >= low && character <= high;
    }
    *matches = found != negated;
    return class + 1;
}

/* One glob element other than '*' against one character; both pointers move on when it matches. */
static bool match_one(const char **glob, const char **text)
{
    const char *element = *glob, *rest = *text;
    uint32_t character = next_character(&rest);
    bool matches = true;
    if (*element == '[') {
        element = match_class(element + 1, character, &matches);
    } else if (*element == '?') {
        element++;
    } else {
        if (*element == '\\')
            element++;
        matches = *element && next_character(&element) == character;
    }
    if (matches) {
        *glob = element;
        *text = rest;
    }
    return matches;
}

bool kp_glob_match(const char *glob, const char *text)
{
    const char *star = NULL, *star_text = NULL;
    while (*text) {
        if (*glob == '*') {
            star = ++glob;
            star_text = text;
        } else if (!match_one(&glob, &text)) {
            /* Going back to the last '*' is enough: an earlier one could only take what this one takes as
             * well. */
            if (!star)
                return false;
            next_character(&star_text);
            glob = star;
            text = star_text;
        }
    }
    while (*glob == '*')
        glob++;
    return !*glob;
}

/* Behind the ']', or NULL with the fault. */
static const char *check_class(const char *class, const char **fault)
{
    class += *class == '!' || *class == '^';
    for (bool first = true; first || *class != ']'; first = false) {
        if (!*class || (*class == '\\' && !class[1])) {
            *fault = "'[' without ']'";
            return NULL;
        }
        uint32_t low = class_member(&class);
        if (class[0] != '-' || class[1] == ']' || !class[1])
            continue;
        class ++;
        if (*class == '\\' && !class[1])
            continue;
        if (class_member(&class) < low) {
            *fault = "a range in [...] whose end is before its start";
            return NULL;
        }
    }
    return class + 1;
}

const char *kp_glob_check(const char *glob, const char **position)
{
    const char *fault = NULL;
    while (*glob) {
        *position = glob;
        if (*glob == '\\' && !glob[1])
            return "a '\\' with nothing behind it";
        if (*glob == '[') {
            glob = check_class(glob + 1, &fault);
            if (!glob)
                return fault;
        } else {
            glob += *glob == '\\' ? 2 : 1;
        }
    }
    return NULL;
}
