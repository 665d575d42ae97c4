/* Records of which only the layout is known: kp_kieker_put_payload. */
#include <string.h>

#include "output_state.h"

struct payload {
    const char *layout;
    const uint8_t *bytes;
    size_t count;
    const char *(*text)(void *user, uint32_t id);
    void *user;
};

struct walk {
    struct kieker_writer *writer;
    struct kieker_reader reader; /* of the payload */
    const struct payload *payload;
    size_t string_max;
    bool in_text;
};

static size_t element_bytes(char letter)
{
    switch (letter) {
    case 'Z':
    case 'B':
        return 1;
    case 'C':
    case 'S':
        return 2;
    case 'I':
    case 'F':
    case 'T':
    case 'E':
        return 4;
    case 'J':
    case 'D':
        return 8;
    default:
        return 0;
    }
}

/* NULL when there is no such text, or without memory for a copy; `cut` is for one. */
static const char *get_text(const struct walk *walk, uint32_t id, char cut[KP_KIEKER_STRING_MAX + 1])
{
    const char *text = walk->payload->text(walk->payload->user, id);
    size_t bytes = text ? kp_kieker_text_cut(text, walk->string_max) : 0;

    if (!text || !text[bytes])
        return text;
    memcpy(cut, text, bytes);
    cut[bytes] = '\0';
    return cut;
}

static void put_text(struct walk *walk, uint32_t id)
{
    char cut[KP_KIEKER_STRING_MAX + 1];
    const char *text = get_text(walk, id, cut);
    uint8_t *at;

    if (!text) {
        kieker_writer_fail(walk->writer, KIEKER_MALFORMED);
    } else if (walk->in_text) {
        kieker_text_put_string(walk->writer, text);
    } else {
        uint32_t known = kieker_writer_string(walk->writer, text);
        at = kieker_writer_take(walk->writer, 4);
        if (at)
            kieker_put_32(at, known);
    }
}

static void put_as_text(struct kieker_writer *writer, char letter, const uint8_t *at)
{
    switch (letter) {
    case 'Z':
        kieker_text_put_boolean(writer, kieker_get_8(at) == 1);
        break;
    case 'B':
        kieker_text_put_int(writer, (int8_t)kieker_get_8(at));
        break;
    case 'C':
        kieker_text_put_char(writer, kieker_get_16(at));
        break;
    case 'S':
        kieker_text_put_int(writer, (int16_t)kieker_get_16(at));
        break;
    case 'J':
        kieker_text_put_long(writer, (int64_t)kieker_get_64(at));
        break;
    case 'F':
        kieker_text_put_float(writer, kieker_float_of(kieker_get_32(at)));
        break;
    case 'D':
        kieker_text_put_double(writer, kieker_double_of(kieker_get_64(at)));
        break;
    default:
        kieker_text_put_int(writer, (int32_t)kieker_get_32(at));
        break;
    }
}

static void put_element(struct walk *walk, char letter)
{
    size_t bytes = element_bytes(letter);
    const uint8_t *at = kieker_reader_take(&walk->reader, bytes);
    uint8_t *out;

    if (!at)
        return;
    if (letter == 'T') {
        put_text(walk, kieker_get_32(at));
    } else if (walk->in_text) {
        put_as_text(walk->writer, letter, at);
    } else {
        out = kieker_writer_take(walk->writer, bytes);
        if (out)
            memcpy(out, at, bytes);
    }
}

/* The dimensions before a letter: how many elements, and their lengths copied where they travel. */
static const char *put_dimensions(struct walk *walk, const char *layout, size_t *elements)
{
    for (*elements = 1; *layout == '[';) {
        uint32_t length = 0;

        layout++;
        if (*layout >= '0' && *layout <= '9') {
            for (; *layout >= '0' && *layout <= '9' && length < 1u << 20; layout++)
                length = length * 10 + (uint32_t)(*layout - '0');
        } else {
            const uint8_t *at = kieker_reader_take(&walk->reader, 4);

            walk->reader.position -= at ? 4 : 0;
            length = at ? kieker_get_32(at) : 0;
            put_element(walk, 'I');
        }
        /* No array has more elements than the payload has bytes. */
        if (length > walk->payload->count || *elements * length > walk->payload->count)
            kieker_reader_fail(&walk->reader, KIEKER_MALFORMED);
        *elements = walk->reader.failed ? 0 : *elements * length;
    }
    return layout;
}

static bool write_payload(struct kieker_writer *writer, const void *user, size_t string_max)
{
    const struct payload *payload = user;
    struct walk walk = {.writer = writer,
                        .reader = {.bytes = payload->bytes, .size = payload->count},
                        .payload = payload,
                        .string_max = string_max,
                        .in_text = ((struct kp_kieker_output *)writer->user)->form == KP_KIEKER_TEXT};

    for (const char *at = payload->layout; *at && !writer->failed && !walk.reader.failed; at++) {
        size_t elements;

        at = put_dimensions(&walk, at, &elements);
        if (!element_bytes(*at)) {
            kieker_writer_fail(writer, KIEKER_MALFORMED);
            break;
        }
        for (size_t i = 0; i < elements && !writer->failed && !walk.reader.failed; i++)
            put_element(&walk, *at);
    }
    if (!writer->failed && (walk.reader.failed || walk.reader.position != payload->count))
        kieker_writer_fail(writer, KIEKER_MALFORMED);
    return !writer->failed;
}

enum kp_status kp_kieker_put_payload(struct kp_kieker_output *output, const char *java_class,
                                     const char *layout, int64_t logging_ns, const uint8_t *payload,
                                     size_t bytes, const char *(*text)(void *user, uint32_t id), void *user)
{
    const struct payload what = {layout, payload, bytes, text, user};
    enum kp_status status = kp_kieker_output_ready(output);

    return status == KP_OK ? kp_kieker_output_write(output, java_class, logging_ns, write_payload, &what)
                           : status;
}
