/*
 * Globs: `*` any characters (also none, also '/' and '.'), `?` one character, `[abc]` `[a-z]` `[!a-z]` one
 * character of a class, `\x` the character x itself. The whole text must match.
 *
 * A character is a valid UTF-8 sequence, or a single byte where the text is not UTF-8.
 * No memory, no locks, no locale: may be called anywhere. Time is at most |glob| * |text|.
 */
#ifndef KP_TRACE_GLOB_H
#define KP_TRACE_GLOB_H

#include <stdbool.h>

/*
 * NULL when `glob` is well formed, else what is wrong, a constant phrase; *position is then the byte where.
 */
const char *kp_glob_check(const char *glob, const char **position);

/* Whether all of `text` matches `glob`, which kp_glob_check accepted. */
bool kp_glob_match(const char *glob, const char *text);

#endif
