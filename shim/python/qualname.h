/*
 * Qualified names for CPython before 3.11, whose code objects hold only their bare name.
 *
 * The compiler puts the qualified name beside the code object, as the constant loaded between it and
 * MAKE_FUNCTION (Python/compile.c, compiler_make_closure); a class body stores its own in __qualname__ first
 * thing.
 */
#ifndef KP_SHIM_PYTHON_QUALNAME_H
#define KP_SHIM_PYTHON_QUALNAME_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

typedef void (*kp_qualname_found)(void *user, void *code, const char *qualname, size_t bytes);

/* Tell the names of the functions that `code` will make when it runs. Clears its own errors. */
void kp_qualname_of_children(void *code, kp_qualname_found found, void *user);

/* If `code` is a class body: its name. */
bool kp_qualname_of_class_body(void *code, char *out, size_t room, ssize_t *bytes);

/* Tell the names of functions that exist in the modules loaded so far (importlib runs before anybody can
 * watch). */
void kp_qualname_of_modules(kp_qualname_found found, void *user);

/* A copy that lives for ever; NULL without memory. */
char *kp_qualname_keep(const char *qualname, size_t bytes);

#endif
