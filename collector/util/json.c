#include "json.h"

#include <inttypes.h>
#include <math.h>
#include <stddef.h>

#include "escape.h"

void kp_json_init(struct kp_json *json, FILE *file, unsigned lines)
{
    *json = (struct kp_json){.file = file, .lines = lines};
}

static void quote_character(FILE *file, const char *text, size_t length)
{
    unsigned char byte = (unsigned char)text[0];
    if (length == 0)
        fputs("\xef\xbf\xbd", file);
    else if (byte == '"' || byte == '\\')
        fprintf(file, "\\%c", byte);
    else if (byte < 0x20 || byte == 0x7f)
        fprintf(file, "\\u%04x", byte);
    else
        fwrite(text, 1, length, file);
}

void kp_json_quote(FILE *file, const char *text)
{
    putc('"', file);
    while (*text) {
        size_t length = kp_utf8_length(text);
        quote_character(file, text, length);
        text += length ? length : 1;
    }
    putc('"', file);
}

static void new_line(struct kp_json *json)
{
    if (json->depth > json->lines)
        return;
    fprintf(json->file, "\n%*s", (int)json->depth * 2, "");
}

/* What comes before every element: comma, line, key. */
static void begin_element(struct kp_json *json, const char *key)
{
    if (json->comma)
        fputs(json->depth > json->lines ? ", " : ",", json->file);
    if (json->depth)
        new_line(json);
    if (key) {
        kp_json_quote(json->file, key);
        fputs(": ", json->file);
    }
    json->comma = true;
}

static void begin_container(struct kp_json *json, const char *key, char bracket)
{
    begin_element(json, key);
    putc(bracket, json->file);
    json->depth++;
    json->comma = false;
}

static void end_container(struct kp_json *json, char bracket)
{
    bool empty = !json->comma;
    bool lines = json->depth <= json->lines;
    json->depth--;
    if (!empty && lines)
        fprintf(json->file, "\n%*s", (int)json->depth * 2, "");
    putc(bracket, json->file);
    json->comma = true;
}

void kp_json_begin_object(struct kp_json *json, const char *key)
{
    begin_container(json, key, '{');
}

void kp_json_end_object(struct kp_json *json)
{
    end_container(json, '}');
}

void kp_json_begin_array(struct kp_json *json, const char *key)
{
    begin_container(json, key, '[');
}

void kp_json_end_array(struct kp_json *json)
{
    end_container(json, ']');
}

void kp_json_string(struct kp_json *json, const char *key, const char *value)
{
    begin_element(json, key);
    kp_json_quote(json->file, value);
}

void kp_json_number(struct kp_json *json, const char *key, uint64_t value)
{
    begin_element(json, key);
    fprintf(json->file, "%" PRIu64, value);
}

void kp_json_real(struct kp_json *json, const char *key, double value, unsigned decimals)
{
    begin_element(json, key);
    if (isfinite(value))
        fprintf(json->file, "%.*f", (int)decimals, value);
    else
        fputs("null", json->file);
}

void kp_json_bool(struct kp_json *json, const char *key, bool value)
{
    begin_element(json, key);
    fputs(value ? "true" : "false", json->file);
}

void kp_json_null(struct kp_json *json, const char *key)
{
    begin_element(json, key);
    fputs("null", json->file);
}

void kp_json_finish(struct kp_json *json)
{
    putc('\n', json->file);
}
