#include "custom_record.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kieker_record.h"
#include "util/escape.h"
#include "util/memory.h"

#define BYTES_MAX      (1u << 20) /* more is damage */
#define DIMENSIONS_MAX 16u

bool kp_custom_record_take(struct kp_custom_record *record, const struct kp_event *event)
{
    const uint64_t words[2] = {event->value, event->value2};
    size_t left = record->bytes - record->count, part = left < sizeof words ? left : sizeof words;

    if (event->id == KP_VALUES_RECORD) {
        record->head = *event;
        record->count = 0;
        record->bytes = event->value2 <= BYTES_MAX ? (size_t)event->value2 : 0;
        record->open = event->value2 <= BYTES_MAX;
    } else if (record->open) {
        record->payload = kp_grow(record->payload, &record->capacity, record->count + part, 1);
        memcpy(record->payload + record->count, words, part);
        record->count += part;
    }
    if (!record->open || record->count < record->bytes)
        return false;
    record->open = false;
    return true;
}

void kp_custom_record_fini(struct kp_custom_record *record)
{
    free(record->payload);
    *record = (struct kp_custom_record){0};
}

struct printer {
    FILE *out;
    const uint8_t *at, *end;
    const char *(*text)(void *user, uint32_t id);
    void *user;
    bool good;
};

static uint64_t take(struct printer *p, size_t bytes)
{
    uint64_t value = 0;

    if ((size_t)(p->end - p->at) < bytes) {
        p->good = false;
        return 0;
    }
    for (size_t i = 0; i < bytes; i++)
        value = value << 8 | *p->at++;
    return value;
}

static void put_string(struct printer *p, const char *text)
{
    char *escaped = kp_escape(text ? text : "<undefined>");

    for (const char *at = escaped; *at; at++)
        if (*at == ';' || *at == ',')
            fprintf(p->out, "\\x%02x", (unsigned)*at);
        else
            fputc(*at, p->out);
    free(escaped);
}

static void put_value(struct printer *p, char letter)
{
    switch (letter) {
    case 'Z':
        fputs(take(p, 1) == 1 ? "true" : "false", p->out);
        break;
    case 'B':
        fprintf(p->out, "%d", (int8_t)take(p, 1));
        break;
    case 'C':
        fprintf(p->out, "%u", (unsigned)take(p, 2));
        break;
    case 'S':
        fprintf(p->out, "%d", (int16_t)take(p, 2));
        break;
    case 'I':
    case 'E':
        fprintf(p->out, "%" PRId32, (int32_t)take(p, 4));
        break;
    case 'J':
        fprintf(p->out, "%" PRId64, (int64_t)take(p, 8));
        break;
    case 'F':
        fprintf(p->out, "%.9g", (double)kieker_float_of((uint32_t)take(p, 4)));
        break;
    case 'D':
        fprintf(p->out, "%.17g", kieker_double_of(take(p, 8)));
        break;
    case 'T':
        put_string(p, p->text(p->user, (uint32_t)take(p, 4)));
        break;
    default:
        p->good = false;
    }
}

/* The number of elements: the dynamic dimensions' lengths come first in the payload. */
static uint64_t count_elements(struct printer *p, const char **layout)
{
    uint64_t count = 1;

    while (**layout == '[') {
        char *end;
        uint64_t length = strtoul(*layout + 1, &end, 10);

        count *= end == *layout + 1 ? (uint32_t)take(p, 4) : length;
        p->good &= count <= BYTES_MAX;
        count = p->good ? count : 0;
        *layout = end;
    }
    return count;
}

static void put_field(struct printer *p, const char **layout)
{
    bool is_array = **layout == '[';
    uint64_t count = count_elements(p, layout);

    if (is_array)
        fputc('[', p->out);
    for (uint64_t i = 0; i < count && p->good; i++) {
        if (i)
            fputc(',', p->out);
        put_value(p, **layout);
    }
    if (is_array)
        fputc(']', p->out);
    *layout += **layout != '\0';
}

char *kp_custom_record_text(const struct kp_custom_record *record, const char *layout,
                            const char *(*text)(void *user, uint32_t id), void *user)
{
    char *result = NULL;
    size_t size;
    struct printer p = {
        open_memstream(&result, &size), record->payload, record->payload + record->count, text, user, true};

    if (!p.out)
        return kp_format_text("<no memory>");
    for (const char *at = layout; *at && p.good;) {
        if (at != layout)
            fputc(';', p.out);
        put_field(&p, &at);
    }
    fclose(p.out);
    if (p.good && p.at == p.end)
        return result;
    free(result);
    return kp_format_text("<malformed>");
}
