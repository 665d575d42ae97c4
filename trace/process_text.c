#include "process_text.h"

#include <string.h>

static int must_encode(unsigned char c)
{
    return c < 0x20 || c == '%' || c == 0x7f;
}

void kp_process_text_put(char *text, size_t room, const char *key, const char *value, size_t value_bytes)
{
    static const char digits[] = "0123456789abcdef";
    size_t used = strlen(text);
    size_t key_bytes = strlen(key);

    if (used + key_bytes + 3 > room)
        return;
    memcpy(text + used, key, key_bytes);
    used += key_bytes;
    text[used++] = '=';
    for (size_t i = 0; i < value_bytes && used + 5 < room; i++) {
        unsigned char c = (unsigned char)value[i];

        if (must_encode(c)) {
            text[used++] = '%';
            text[used++] = digits[c >> 4];
            text[used++] = digits[c & 15];
        } else {
            text[used++] = (char)c;
        }
    }
    text[used++] = '\n';
    text[used] = '\0';
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static long decode(const char *p, const char *end, char *value, size_t room)
{
    size_t used = 0;

    while (p < end && used + 1 < room) {
        if (*p == '%' && end - p >= 3 && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            value[used++] = (char)(hex(p[1]) * 16 + hex(p[2]));
            p += 3;
        } else {
            value[used++] = *p++;
        }
    }
    value[used] = '\0';
    return (long)used;
}

long kp_process_text_get(const char *text, size_t bytes, const char *key, char *value, size_t room)
{
    const char *p = text, *end = text + bytes;
    size_t key_bytes = strlen(key);

    while (p < end) {
        const char *line_end = memchr(p, '\n', (size_t)(end - p));

        line_end = line_end ? line_end : end;
        if ((size_t)(line_end - p) > key_bytes && memcmp(p, key, key_bytes) == 0 && p[key_bytes] == '=')
            return decode(p + key_bytes + 1, line_end, value, room);
        p = line_end + 1;
    }
    return -1;
}
