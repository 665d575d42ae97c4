/*
 * Filter rules: which functions are traced. Used inside the traced program: libc only.
 *
 * Rules are separated by newlines, and by commas outside of (...), [...] and, in `re:`, {...}; `\,` never
 * separates. A rule that starts with '#' is a comment to the end of its line. A rule is [+|-]PATTERN, '+'
 * being the default:
 *
 *   GLOB            name of a Python function, module.qualname         app.orders.*
 *   file:GLOB       source path of a Python function; a GLOB without '/' is compared with the file's name as
 * well re:REGEX        POSIX extended expression for a whole name of a Python function, compared byte by byte
 *   TYPE NAME(..)   Kieker signature pattern, for Python functions (signature.h)
 *   c:PATTERN       GLOB or re:REGEX for a function implemented in C and called from Python
 *   manual:PATTERN  GLOB or re:REGEX for a region or a record of the program's own probes (kprobe.h)
 *   OBJECT:SYMBOL   GLOB with a ':' outside of [...]: an exported C function; behind it,
 * {args,ret,strN:BYTES} asks for raw values of its calls (capture.h)
 *
 * The last rule that matches decides. Without one, Python functions are traced unless there is a '+' rule for
 * Python functions ("only these"), and the program's own probes likewise; C functions are not. Globs are
 * described in glob.h.
 *
 * Compiling and adding is for one thread; afterwards any number of threads may match at once.
 */
#ifndef KP_TRACE_PATTERN_H
#define KP_TRACE_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "capture.h"
#include "function.h"
#include "status.h"

struct kp_rule;

struct kp_rules {
    struct kp_rule *rules;
    size_t count;
    bool only_python; /* a '+' rule for Python functions exists */
    bool only_manual; /* the same for the program's own probes */
};

struct kp_rule_info {
    const char *text;   /* as written, without blanks around it; belongs to the rules */
    const char *origin; /* the option or file it came from; belongs to the rules */
    unsigned line;      /* in the origin, from 1 */
    uint64_t hits;      /* functions this rule decided */
};

/*
 * Compile `text` into `rules`, whose content is overwritten. `origin` ("KPROBE_FILTER", a file's path) is
 * copied. KP_ERROR_VALUE: `error` holds a sentence with origin, line, column, rule and what is allowed;
 * `rules` is empty and valid. KP_ERROR_NO_MEMORY likewise. Memory is from malloc.
 */
enum kp_status kp_rules_compile(struct kp_rules *rules, const char *text, const char *origin, char *error,
                                size_t error_bytes);

/* The same for a further source, whose rules come after (win over) those there. On failure `rules` is
 * unchanged. */
enum kp_status kp_rules_append(struct kp_rules *rules, const char *text, const char *origin, char *error,
                               size_t error_bytes);

/*
 * Whether a function is traced. `file` may be NULL or "" when unknown. Counts a hit for the rule that
 * decided. Any thread; takes no lock, except regexec's for `re:` rules, which may allocate as well.
 */
bool kp_rules_match(struct kp_rules *rules, enum kp_function_kind kind, const char *name, const char *file);

/* The same for a C function, with the raw values that the rule asks for; none without a rule. */
bool kp_rules_match_call(struct kp_rules *rules, const char *name, struct kp_capture *capture);

/* False only when no function of this kind can ever be traced, so that its hooks need not be installed. */
bool kp_rules_possible(const struct kp_rules *rules, enum kp_function_kind kind);

/* The same as kp_rules_match, for those who ask beforehand: counts no hit. */
bool kp_rules_selects(const struct kp_rules *rules, enum kp_function_kind kind, const char *name,
                      const char *file);

/* False only when no function can be traced whose name begins with `start`. */
bool kp_rules_below(const struct kp_rules *rules, enum kp_function_kind kind, const char *start);

enum kp_extent { KP_EXTENT_NONE, KP_EXTENT_SOME, KP_EXTENT_ALL };

/* How many functions of an object (the part of a C function's name before ':') are traced; some may be any
 * number. */
enum kp_extent kp_rules_object(const struct kp_rules *rules, const char *object);

/* Rule number `index`, 0 being the first. False behind the last. */
bool kp_rules_get(const struct kp_rules *rules, size_t index, struct kp_rule_info *info);

/* Free what compile and append took. A zeroed or a failed struct kp_rules is fine, too. */
void kp_rules_fini(struct kp_rules *rules);

#endif
