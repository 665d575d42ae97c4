#include "options.h"

#include <stdio.h>
#include <string.h>

#include "endpoint.h"
#include "nearest.h"
#include "wire.h"

/* Longest piece of a bad value that an error shows. */
#define SHOWN_BYTES 60

static const struct kp_option_info rows[] = {
#define KP_OPTION(NAME, option, TYPE, fallback, metavar, allowed, help)                                      \
    {"KPROBE_" #NAME, option, fallback, metavar, allowed, help, KP_OPTION_TYPE_##TYPE},
#include "options.def"
#undef KP_OPTION
};

static const size_t members[] = {
#define KP_OPTION(NAME, ...) offsetof(struct kp_options, KP_OPTION_MEMBER_##NAME),
#include "options.def"
#undef KP_OPTION
};

/* Words of each choice type, in the order of its enum. */
#define WORD(text)  text,
#define WORDS(TYPE) [KP_OPTION_TYPE_##TYPE] = {KP_OPTION_WORDS_##TYPE(WORD)}
#define WORDS_MAX   8
static const char *const choices[KP_OPTION_TYPE_COUNT][WORDS_MAX] = {
    WORDS(SWITCH), WORDS(ENGINE), WORDS(CLOCK), WORDS(ON_FULL), WORDS(CHILDREN), WORDS(LEVEL),
};

/* The readers go on to a NULL behind the last word. */
#define ONE(text) +1
#define BOUND(TYPE)                                                                                          \
    _Static_assert(0 KP_OPTION_WORDS_##TYPE(ONE) < WORDS_MAX, "a NULL follows the words of " #TYPE)
BOUND(SWITCH);
BOUND(ENGINE);
BOUND(CLOCK);
BOUND(ON_FULL);
BOUND(CHILDREN);
BOUND(LEVEL);

/* What is wrong with a value: "'X' at position 3 is no suffix". */
struct fault {
    const char *at;   /* the first bad byte */
    size_t bytes;     /* how many are bad */
    const char *what; /* "is no suffix" */
    const char *meant;
};

static bool refuse(struct fault *fault, const char *at, size_t bytes, const char *what)
{
    *fault = (struct fault){at, bytes, what, NULL};
    return false;
}

static bool parse_choice(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    const char *meant = NULL;
    unsigned nearest = ~0u;
    for (unsigned i = 0; choices[type][i]; i++) {
        if (!strcmp(value, choices[type][i])) {
            *(unsigned *)member = i;
            return true;
        }
        unsigned distance = kp_nearest_distance(value, choices[type][i]);
        if (distance < nearest && kp_nearest_plausible(choices[type][i], distance)) {
            nearest = distance;
            meant = choices[type][i];
        }
    }
    refuse(fault, value, strlen(value), "is none of the words");
    fault->meant = meant;
    return false;
}

/* Decimal digits from *text on; a number beyond `limit` stays beyond it. Returns the digits read. */
static size_t parse_digits(const char *text, uint64_t limit, uint64_t *number)
{
    size_t digits = 0;
    *number = 0;
    for (; text[digits] >= '0' && text[digits] <= '9'; digits++)
        if (*number <= limit)
            *number = *number * 10 + (uint64_t)(text[digits] - '0');
    return digits;
}

static unsigned suffix_shift(char suffix)
{
    switch (suffix) {
    case 'K':
    case 'k':
        return 10;
    case 'M':
    case 'm':
        return 20;
    case 'G':
    case 'g':
        return 30;
    }
    return 0;
}

static uint64_t power_of_two_from(uint64_t number)
{
    uint64_t power = 1;
    while (power < number)
        power <<= 1;
    return power;
}

/* A number with a suffix K, M or G. */
static bool parse_bytes_between(const char *value, uint64_t least, uint64_t most, uint64_t *bytes,
                                struct fault *fault)
{
    uint64_t number;
    size_t digits = parse_digits(value, most, &number);
    if (!digits)
        return refuse(fault, value, strlen(value), "is no number");
    const char *suffix = value + digits;
    unsigned shift = *suffix ? suffix_shift(*suffix) : 0;
    if (*suffix && !shift)
        return refuse(fault, suffix, strlen(suffix), "is no suffix (K, M, G)");
    if (shift && suffix[1])
        return refuse(fault, suffix + 1, strlen(suffix + 1), "is too much after the suffix");
    if (number > most >> shift)
        return refuse(fault, value, strlen(value), "is too much");
    if (number << shift < least)
        return refuse(fault, value, strlen(value), "is too little");
    *bytes = number << shift;
    return true;
}

static bool parse_size(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type;
    uint64_t bytes;
    if (!parse_bytes_between(value, KP_OPTION_BUFFER_MIN, KP_OPTION_BUFFER_MAX, &bytes, fault))
        return false;
    *(uint64_t *)member = power_of_two_from(bytes);
    return true;
}

static bool parse_bytes(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type;
    return parse_bytes_between(value, KP_OPTION_BYTES_MIN, KP_OPTION_BYTES_MAX, member, fault);
}

/* Milliseconds from "2s", "500ms" or "0". */
static bool parse_duration(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type;
    uint64_t number;
    size_t digits = parse_digits(value, KP_OPTION_TIME_MAX, &number);
    const char *suffix = value + digits;
    if (!digits)
        return refuse(fault, value, strlen(value), "is no number");
    if (strcmp(suffix, "ms") && strcmp(suffix, "s") && (*suffix || number))
        return refuse(fault, suffix, strlen(suffix),
                      *suffix ? "is no suffix (ms, s)" : "a suffix is missing");
    if (number > KP_OPTION_TIME_MAX || (*suffix == 's' && number * 1000 > KP_OPTION_TIME_MAX))
        return refuse(fault, value, strlen(value), "is too much");
    *(uint64_t *)member = *suffix == 's' ? number * 1000 : number;
    return true;
}

static bool parse_compress(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type;
    uint64_t level = 1;
    if (!strcmp(value, "none")) {
        *(unsigned *)member = 0;
        return true;
    }
    size_t name_bytes = strcspn(value, ":");
    if (name_bytes != 4 || memcmp(value, "zstd", 4))
        return refuse(fault, value, name_bytes, "is no compression");
    if (value[4] == ':') {
        size_t digits = parse_digits(value + 5, 19, &level);
        if (!digits || value[5 + digits])
            return refuse(fault, value + 5, strlen(value + 5), "is no level");
        if (level < 1 || level > 19)
            return refuse(fault, value + 5, digits, "is no level");
    }
    *(unsigned *)member = (unsigned)level;
    return true;
}

static const struct kp_output_info outputs[] = {
#define KP_OUTPUT(name, scheme, place, written) {scheme, KP_OUTPUT_PLACE_##place, written},
#include "output.def"
#undef KP_OUTPUT
};

const struct kp_output_info *kp_output_row(size_t index)
{
    return index < sizeof outputs / sizeof *outputs ? &outputs[index] : NULL;
}

const struct kp_output_info *kp_output_find(const char *output, const char **rest)
{
    for (size_t i = 0; i < sizeof outputs / sizeof *outputs; i++) {
        size_t bytes = strlen(outputs[i].scheme);
        if (!strncmp(output, outputs[i].scheme, bytes)) {
            *rest = output + bytes;
            return &outputs[i];
        }
    }
    return NULL;
}

static bool check_path(const char *path, struct fault *fault)
{
    if (!*path)
        return refuse(fault, path, 0, "a path is missing");
    for (const char *at = path; (at = strchr(at, '%')); at += 2)
        if (!at[1] || !strchr("peht%", at[1]))
            return refuse(fault, at, at[1] ? 2 : 1, "is no placeholder");
    return true;
}

static bool check_address(const char *text, struct fault *fault)
{
    struct kp_host_port target;
    const char *bad, *what;
    return kp_endpoint_split(&target, text, KP_WIRE_PORT, &bad, &what) ||
           refuse(fault, bad, strlen(bad), what);
}

static bool parse_output(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type;
    const char *rest;
    const struct kp_output_info *output = kp_output_find(value, &rest);
    if (!output)
        return refuse(fault, value, strcspn(value, ":"), "is no kind of destination");
    if (output->place == KP_OUTPUT_PLACE_NOTHING && *rest)
        return refuse(fault, rest, strlen(rest), "is too much after null:");
    if (output->place == KP_OUTPUT_PLACE_ADDRESS && !check_address(rest, fault))
        return false;
    if (output->place != KP_OUTPUT_PLACE_NOTHING && output->place != KP_OUTPUT_PLACE_ADDRESS &&
        !check_path(rest, fault))
        return false;
    *(const char **)member = value;
    return true;
}

/* Rules are compiled by the pattern module, paths are opened by whoever uses them. */
static bool parse_text(enum kp_option_type type, const char *value, void *member, struct fault *fault)
{
    (void)type, (void)fault;
    *(const char **)member = value;
    return true;
}

static bool (*const parsers[KP_OPTION_TYPE_COUNT])(enum kp_option_type, const char *, void *,
                                                   struct fault *) = {
    [KP_OPTION_TYPE_STRING] = parse_output,     [KP_OPTION_TYPE_RULES] = parse_text,
    [KP_OPTION_TYPE_PATH] = parse_text,         [KP_OPTION_TYPE_SIZE] = parse_size,
    [KP_OPTION_TYPE_COMPRESS] = parse_compress, [KP_OPTION_TYPE_SWITCH] = parse_choice,
    [KP_OPTION_TYPE_ENGINE] = parse_choice,     [KP_OPTION_TYPE_CLOCK] = parse_choice,
    [KP_OPTION_TYPE_ON_FULL] = parse_choice,    [KP_OPTION_TYPE_CHILDREN] = parse_choice,
    [KP_OPTION_TYPE_LEVEL] = parse_choice,      [KP_OPTION_TYPE_BYTES] = parse_bytes,
    [KP_OPTION_TYPE_DURATION] = parse_duration,
};

/* A piece of a value for a message: bounded, and one line whatever is in it. */
static const char *shown(char *text, const char *value, size_t bytes)
{
    size_t length = 0;
    for (; length < bytes && length < SHOWN_BYTES; length++) {
        unsigned char c = (unsigned char)value[length];
        text[length] = c < 32 || c == 127 ? '?' : (char)c;
    }
    memcpy(text + length, "...", 4);
    if (length == bytes)
        text[length] = 0;
    return text;
}

static void explain(const char *name, const char *value, const struct kp_option_info *row,
                    const struct fault *fault, char *error, size_t error_bytes)
{
    char all[SHOWN_BYTES + 4], piece[SHOWN_BYTES + 8] = "";
    if (fault->bytes) {
        char raw[SHOWN_BYTES + 4];
        snprintf(piece, sizeof piece, "'%s' ", shown(raw, fault->at, fault->bytes));
    }
    snprintf(error, error_bytes, "%s='%s': %sat position %zu %s%s%s%s; allowed: %s", name,
             shown(all, value, strlen(value)), piece, (size_t)(fault->at - value) + 1, fault->what,
             fault->meant ? " (did you mean " : "", fault->meant ? fault->meant : "",
             fault->meant ? "?)" : "", row->allowed);
}

const struct kp_option_info *kp_option_row(size_t index)
{
    return index < KP_OPTION_COUNT ? &rows[index] : NULL;
}

size_t kp_option_find(const char *name)
{
    const char *option = strncmp(name, "--", 2) ? name : name + 2;
    size_t i = 0;
    while (i < KP_OPTION_COUNT && strcmp(name, rows[i].variable) && strcmp(option, rows[i].option))
        i++;
    return i;
}

bool kp_option_known(const char *variable)
{
    return !strncmp(variable, "KPROBE_", 7) && kp_option_find(variable) < KP_OPTION_COUNT;
}

const char *kp_option_suggest(const char *variable)
{
    const char *meant = NULL;
    unsigned nearest = ~0u;
    if (strncmp(variable, "KPROBE_", 7))
        return NULL;
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        unsigned distance = kp_nearest_distance(variable + 7, rows[i].variable + 7);
        if (distance < nearest && kp_nearest_plausible(rows[i].variable + 7, distance)) {
            nearest = distance;
            meant = rows[i].variable;
        }
    }
    return meant;
}

const char *kp_option_choice(const struct kp_option_info *row, size_t index)
{
    for (size_t i = 0; i < sizeof choices[0] / sizeof choices[0][0] && choices[row->type][i]; i++)
        if (i == index)
            return choices[row->type][i];
    return NULL;
}

void kp_options_init(struct kp_options *options)
{
    struct fault fault;
    memset(options, 0, sizeof *options);
    for (size_t i = 0; i < KP_OPTION_COUNT; i++) {
        void *member = (char *)options + members[i];
        if (*rows[i].fallback)
            parsers[rows[i].type](rows[i].type, rows[i].fallback, member, &fault);
        else
            *(const char **)member = "";
    }
}

enum kp_status kp_option_set(struct kp_options *options, const char *name, const char *value, char *error,
                             size_t error_bytes)
{
    size_t index = kp_option_find(name);
    struct fault fault;
    if (index == KP_OPTION_COUNT) {
        kp_option_unknown(name, error, error_bytes);
        return KP_ERROR_VALUE;
    }
    const struct kp_option_info *row = &rows[index];
    void *member = (char *)options + members[index];
    if (!*value)
        value = row->fallback;
    if (!*value) {
        *(const char **)member = "";
        return KP_OK;
    }
    if (parsers[row->type](row->type, value, member, &fault))
        return KP_OK;
    explain(name, value, row, &fault, error, error_bytes);
    return KP_ERROR_VALUE;
}

static int print_size(uint64_t bytes, char *text, size_t text_bytes)
{
    if (bytes % (1 << 20) == 0)
        return snprintf(text, text_bytes, "%lluM", (unsigned long long)(bytes >> 20));
    if (bytes % (1 << 10) == 0)
        return snprintf(text, text_bytes, "%lluK", (unsigned long long)(bytes >> 10));
    return snprintf(text, text_bytes, "%llu", (unsigned long long)bytes);
}

static int print_duration(uint64_t ms, char *text, size_t text_bytes)
{
    if (ms % 1000 == 0)
        return snprintf(text, text_bytes, "%llus", (unsigned long long)ms / 1000);
    return snprintf(text, text_bytes, "%llums", (unsigned long long)ms);
}

int kp_option_print(const struct kp_options *options, size_t index, char *text, size_t text_bytes)
{
    const struct kp_option_info *row = &rows[index];
    const void *member = (const char *)options + members[index];
    switch (row->type) {
    case KP_OPTION_TYPE_STRING:
    case KP_OPTION_TYPE_RULES:
    case KP_OPTION_TYPE_PATH:
        return snprintf(text, text_bytes, "%s", *(const char *const *)member);
    case KP_OPTION_TYPE_SIZE:
    case KP_OPTION_TYPE_BYTES:
        return print_size(*(const uint64_t *)member, text, text_bytes);
    case KP_OPTION_TYPE_DURATION:
        return print_duration(*(const uint64_t *)member, text, text_bytes);
    case KP_OPTION_TYPE_COMPRESS:
        if (!options->compress_level)
            return snprintf(text, text_bytes, "none");
        return snprintf(text, text_bytes, "zstd:%u", options->compress_level);
    default:
        return snprintf(text, text_bytes, "%s", kp_option_choice(row, *(const unsigned *)member));
    }
}

void kp_option_unknown(const char *variable, char *error, size_t error_bytes)
{
    char name[SHOWN_BYTES + 4];
    const char *meant = kp_option_suggest(variable);
    shown(name, variable, strlen(variable));
    if (meant) {
        snprintf(error, error_bytes, "%s is no option of kprobe; did you mean %s?", name, meant);
        return;
    }
    int length = snprintf(error, error_bytes, "%s is no option of kprobe; allowed:", name);
    for (size_t i = 0; i < KP_OPTION_COUNT && length > 0 && (size_t)length < error_bytes; i++)
        length += snprintf(error + length, error_bytes - (size_t)length, " %s", rows[i].variable);
}
