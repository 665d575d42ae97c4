#include "capture.h"

#include <stdlib.h>
#include <string.h>

static const char allowed[] =
    "allowed in {...} are args, ret, and strN:BYTES with N from 0 to 5 and BYTES from 1 to 1024";

static bool is_word(const char *text, size_t length, const char *word)
{
    return strlen(word) == length && !strncmp(text, word, length);
}

/* strN:BYTES */
static bool parse_string(struct kp_capture *capture, const char *text, size_t length)
{
    unsigned long bytes;
    char *end;

    if (length < 6 || strncmp(text, "str", 3) != 0 || text[3] < '0' || text[3] >= '0' + KP_CAPTURE_STRINGS ||
        text[4] != ':' || text[5] < '0' || text[5] > '9')
        return false;
    bytes = strtoul(text + 5, &end, 10);
    if (end != text + length || bytes < 1 || bytes > KP_CAPTURE_TEXT_MAX)
        return false;
    capture->text_bytes[text[3] - '0'] = (uint16_t)bytes;
    return true;
}

const char *kp_capture_parse(struct kp_capture *capture, const char *text, const char *end,
                             const char **position)
{
    *capture = (struct kp_capture){0};
    for (const char *at = text; at <= end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        size_t length = (size_t)((comma ? comma : end) - at);

        *position = at;
        if (is_word(at, length, "args"))
            capture->arguments = true;
        else if (is_word(at, length, "ret"))
            capture->results = true;
        else if (!parse_string(capture, at, length))
            return allowed;
        at += length + 1;
    }
    return NULL;
}
