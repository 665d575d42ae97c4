#include "escape.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "memory.h"

/* Smallest code point per sequence length: longer forms of smaller ones are invalid. */
static const uint32_t smallest[5] = {0, 0, 0x80, 0x800, 0x10000};

static size_t sequence_bytes(unsigned char lead)
{
    if (lead < 0x80)
        return 1;
    if (lead >= 0xc2 && lead < 0xe0)
        return 2;
    if (lead >= 0xe0 && lead < 0xf0)
        return 3;
    return lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
}

size_t kp_utf8_length(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t length = sequence_bytes(bytes[0]);
    if (length <= 1)
        return length;
    uint32_t code = bytes[0] & (0xffu >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (bytes[i] & 0x3f);
    }
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code < smallest[length] || code > 0x10ffff || surrogate ? 0 : length;
}

size_t kp_utf8_columns(const char *text)
{
    size_t columns = 0;
    for (; *text; columns++) {
        size_t length = kp_utf8_length(text);
        text += length ? length : 1;
    }
    return columns;
}

/* Printable: no control character of ASCII, none of U+0080 to U+009F (terminals obey those too). */
static bool stays(const char *text, size_t length)
{
    unsigned char first = (unsigned char)text[0], second = length > 1 ? (unsigned char)text[1] : 0;
    if (length == 0 || first < 0x20 || first == 0x7f || first == '\\')
        return false;
    return !(first == 0xc2 && second < 0xa0);
}

char *kp_escape(const char *text)
{
    static const char digits[] = "0123456789abcdef";
    char *escaped = kp_allocate(4 * strlen(text) + 1), *out = escaped;
    while (*text) {
        size_t length = kp_utf8_length(text);
        if (stays(text, length)) {
            memcpy(out, text, length);
            out += length;
            text += length;
            continue;
        }
        for (size_t i = 0; i < (length ? length : 1); i++, text++) {
            unsigned char byte = (unsigned char)*text;
            *out++ = '\\';
            *out++ = 'x';
            *out++ = digits[byte >> 4];
            *out++ = digits[byte & 15];
        }
    }
    *out = '\0';
    return escaped;
}
