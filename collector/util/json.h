/*
 * Streaming JSON writer: commas, indentation and escaping; no memory of its own, any depth.
 * Text that is not UTF-8 gets U+FFFD for each bad byte, so the output is always valid.
 */
#ifndef KP_COLLECTOR_UTIL_JSON_H
#define KP_COLLECTOR_UTIL_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct kp_json {
    FILE *file;
    unsigned lines; /* containers down to this depth put each element on a line of its own */
    unsigned depth;
    bool comma; /* the next element needs one */
};

/* Starts a document on `file`, which stays the caller's. */
void kp_json_init(struct kp_json *json, FILE *file, unsigned lines);

/* Containers. `key` is the member's name, NULL inside arrays and at the top. */
void kp_json_begin_object(struct kp_json *json, const char *key);
void kp_json_end_object(struct kp_json *json);
void kp_json_begin_array(struct kp_json *json, const char *key);
void kp_json_end_array(struct kp_json *json);

/* Values. Numbers that JSON has no form for (NaN, infinity) become null. */
void kp_json_string(struct kp_json *json, const char *key, const char *value);
void kp_json_number(struct kp_json *json, const char *key, uint64_t value);
void kp_json_real(struct kp_json *json, const char *key, double value, unsigned decimals);
void kp_json_bool(struct kp_json *json, const char *key, bool value);
void kp_json_null(struct kp_json *json, const char *key);

/* Ends the document with a newline. */
void kp_json_finish(struct kp_json *json);

/* `text` as a JSON string with its quotes, for writers that lay out lines themselves. */
void kp_json_quote(FILE *file, const char *text);

#endif
