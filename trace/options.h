/*
 * Options of the traced process: one value of one row of options.def, parsed and printed.
 * The shim reads the environment with it, `kprobe record` its command line.
 *
 * No allocation, no stdio but snprintf into the caller's buffer, no global state: any thread, at any time.
 */
#ifndef KP_TRACE_OPTIONS_H
#define KP_TRACE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "status.h"

enum kp_option {
#define KP_OPTION(NAME, ...) KP_OPTION_##NAME,
#include "options.def"
#undef KP_OPTION
    KP_OPTION_COUNT
};

/* What the value of a row is. The choices of the choice types are in options.c, in the order of these enums.
 */
enum kp_option_type {
    KP_OPTION_TYPE_STRING, /* a destination */
    KP_OPTION_TYPE_RULES,
    KP_OPTION_TYPE_PATH,
    KP_OPTION_TYPE_SIZE,     /* of a ring */
    KP_OPTION_TYPE_BYTES,    /* of a file */
    KP_OPTION_TYPE_DURATION, /* "2s", "500ms" */
    KP_OPTION_TYPE_COMPRESS,
    KP_OPTION_TYPE_SWITCH,
    KP_OPTION_TYPE_ENGINE,
    KP_OPTION_TYPE_CLOCK,
    KP_OPTION_TYPE_ON_FULL,
    KP_OPTION_TYPE_CHILDREN,
    KP_OPTION_TYPE_LEVEL,
    KP_OPTION_TYPE_COUNT
};

/*
 * The words of the choice types, in the order of their enums; the other types have none.
 * The engine `opcode` comes with its engine.
 */
#define KP_OPTION_WORDS_STRING(W)
#define KP_OPTION_WORDS_RULES(W)
#define KP_OPTION_WORDS_PATH(W)
#define KP_OPTION_WORDS_SIZE(W)
#define KP_OPTION_WORDS_BYTES(W)
#define KP_OPTION_WORDS_DURATION(W)
#define KP_OPTION_WORDS_COMPRESS(W)
#define KP_OPTION_WORDS_SWITCH(W)   W("0") W("1")
#define KP_OPTION_WORDS_ENGINE(W)   W("auto") W("opcode") W("monitoring") W("frame") W("profile")
#define KP_OPTION_WORDS_CLOCK(W)    W("auto") W("tsc") W("monotonic") W("none")
#define KP_OPTION_WORDS_ON_FULL(W)  W("drop") W("block")
#define KP_OPTION_WORDS_CHILDREN(W) W("follow") W("ignore")
#define KP_OPTION_WORDS_LEVEL(W)    W("error") W("warn") W("info") W("debug")

enum kp_engine_choice {
    KP_ENGINE_AUTO,
    KP_ENGINE_OPCODE,
    KP_ENGINE_MONITORING,
    KP_ENGINE_FRAME,
    KP_ENGINE_PROFILE
};
enum kp_clock_choice { KP_CLOCK_AUTO, KP_CLOCK_TSC, KP_CLOCK_MONOTONIC, KP_CLOCK_NONE };
enum kp_on_full_choice { KP_ON_FULL_DROP, KP_ON_FULL_BLOCK };
enum kp_children_choice { KP_CHILDREN_FOLLOW, KP_CHILDREN_IGNORE };
enum kp_level_choice { KP_LEVEL_ERROR, KP_LEVEL_WARN, KP_LEVEL_INFO, KP_LEVEL_DEBUG };

/* What follows the scheme of a destination. */
enum kp_output_place {
    KP_OUTPUT_PLACE_NOTHING,
    KP_OUTPUT_PLACE_FILE,    /* a path, placeholders in it */
    KP_OUTPUT_PLACE_FOLDER,  /* a path, placeholders in it */
    KP_OUTPUT_PLACE_SOCKET,  /* a path, placeholders in it */
    KP_OUTPUT_PLACE_ADDRESS, /* HOST[:PORT] */
};

struct kp_output_info {
    const char *scheme; /* "tcp://" */
    enum kp_output_place place;
    const char *written; /* "tcp://HOST[:PORT]" */
};

/* The row of a kind; NULL behind the last. */
const struct kp_output_info *kp_output_row(size_t index);

/* The kind of a destination, and what follows its scheme; NULL when there is none of that scheme. */
const struct kp_output_info *kp_output_find(const char *output, const char **rest);

/* All of them for help and messages: "file:PATH, null:, ...". */
#define KP_OUTPUTS_ALLOWED                                                                                   \
    "file:PATH, null:, tcp://HOST[:PORT], unix:PATH, kieker-tcp://HOST[:PORT], kieker-text:DIR or "          \
    "kieker-binary:DIR"

#define KP_OPTION_BUFFER_MIN (64ull << 10)
#define KP_OPTION_BUFFER_MAX (16ull << 20)
#define KP_OPTION_BYTES_MIN  (1ull << 20)
#define KP_OPTION_BYTES_MAX  (1ull << 40)
#define KP_OPTION_TIME_MAX   3600000ull /* ms */

/* Every option as the process uses it. Texts are borrowed: they point to the values given or to defaults. */
struct kp_options {
    const char *output;      /* a destination of output.def, placeholders still in it and known to be good */
    const char *filter;      /* "": none; not compiled, see pattern.h */
    const char *filter_file; /* "": none */
    const char *log_file;    /* "": standard error */
    const char *spool;       /* a folder */
    const char *token_file;  /* "": none */
    uint64_t buffer_bytes;   /* a power of two */
    uint64_t spool_bytes;
    uint64_t linger_ms;
    unsigned engine;         /* enum kp_engine_choice */
    unsigned clock;          /* enum kp_clock_choice */
    unsigned on_full;        /* enum kp_on_full_choice */
    unsigned compress_level; /* zstd; 0: none */
    unsigned children;       /* enum kp_children_choice */
    unsigned log;            /* enum kp_level_choice */
    unsigned enabled;        /* 0 or 1 */
    unsigned inside;         /* 0 or 1: KPROBE_INLINE */
};

/* The member of each row; a new row without a line here does not build. */
#define KP_OPTION_MEMBER_OUTPUT      output
#define KP_OPTION_MEMBER_SPOOL       spool
#define KP_OPTION_MEMBER_SPOOL_BYTES spool_bytes
#define KP_OPTION_MEMBER_LINGER      linger_ms
#define KP_OPTION_MEMBER_TOKEN_FILE  token_file
#define KP_OPTION_MEMBER_FILTER      filter
#define KP_OPTION_MEMBER_FILTER_FILE filter_file
#define KP_OPTION_MEMBER_ENGINE      engine
#define KP_OPTION_MEMBER_CLOCK       clock
#define KP_OPTION_MEMBER_BUFFER      buffer_bytes
#define KP_OPTION_MEMBER_ON_FULL     on_full
#define KP_OPTION_MEMBER_COMPRESS    compress_level
#define KP_OPTION_MEMBER_CHILDREN    children
#define KP_OPTION_MEMBER_LOG         log
#define KP_OPTION_MEMBER_LOG_FILE    log_file
#define KP_OPTION_MEMBER_ENABLED     enabled
#define KP_OPTION_MEMBER_INLINE      inside

/* One row, for help, man page, completion and the environment of a child. */
struct kp_option_info {
    const char *variable; /* "KPROBE_BUFFER" */
    const char *option;   /* "buffer" */
    const char *fallback; /* the default as text, "" for none */
    const char *metavar;
    const char *allowed; /* completes "allowed: " */
    const char *help;
    enum kp_option_type type;
};

/* The row of an enum kp_option; NULL from KP_OPTION_COUNT on. */
const struct kp_option_info *kp_option_row(size_t index);

/* The index of the row called "KPROBE_BUFFER", "--buffer" or "buffer"; KP_OPTION_COUNT when there is none. */
size_t kp_option_find(const char *name);

/* Is there an option variable of this name? */
bool kp_option_known(const char *variable);

/* The variable that a misspelt one probably means, or NULL. */
const char *kp_option_suggest(const char *variable);

/* The words a row allows, by index from 0; NULL after the last, and for rows that are not a choice. */
const char *kp_option_choice(const struct kp_option_info *row, size_t index);

/* All defaults. */
void kp_options_init(struct kp_options *options);

/*
 * Sets one option by any name that kp_option_find knows. An empty value is the default. `value` is kept, not
 * copied, when the option is a text. On KP_ERROR_VALUE `error` holds one line that names the option as it was
 * given, the value, the position (bytes from 1) and what is allowed, and the option keeps what it was.
 */
enum kp_status kp_option_set(struct kp_options *options, const char *name, const char *value, char *error,
                             size_t error_bytes);

/* The value as text, such that kp_option_set reads it again. Returns what snprintf returns. */
int kp_option_print(const struct kp_options *options, size_t index, char *text, size_t text_bytes);

/* The sentence for a KPROBE_* variable that no row has: "KPROBE_BUFER is no option of kprobe; did you mean
 * ...". */
void kp_option_unknown(const char *variable, char *error, size_t error_bytes);

#endif
