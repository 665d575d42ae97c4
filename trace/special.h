/*
 * Which exported functions need care when they are hooked, and why: the rows of special.def.
 * Neither memory nor locks: may be called anywhere in a traced program.
 */
#ifndef KP_TRACE_SPECIAL_H
#define KP_TRACE_SPECIAL_H

enum kp_special_class {
    KP_SPECIAL_NEVER,
    KP_SPECIAL_ENTRY_ONLY,
    KP_SPECIAL_WRAPPED,
};

struct kp_special {
    enum kp_special_class class;
    const char *reason; /* completes the sentence "the function ..." */
};

/* The care that a function of this name (without version) needs in any object; NULL: none. */
const struct kp_special *kp_special_find(const char *symbol);

/* The care that all functions of an object need, by its soname or file name without folder; NULL: none. */
const struct kp_special *kp_special_find_object(const char *object);

/* "never", "entry only", "wrapped". */
const char *kp_special_class_text(enum kp_special_class class);

#endif
