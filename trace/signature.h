/*
 * Kieker signature patterns, as Kieker's adaptive monitoring has them:
 *
 *     [modifiers] returnType fqName ( parameters ) [throws]        public * ..service.*.get*(..)
 *
 * In fqType and fqName `*` that begins an identifier takes identifier characters and dots, later in one only
 * identifier characters; `..` any number of leading or inner parts (also none).
 *
 * A Python function `m.q` has the signature `object m.q(object,...)`:
 * - every character of the name that is neither part of an identifier nor '.' reads as '_' (`f.<locals>.g` is
 *   `f._locals_.g`), as in exported signatures;
 * - the return type is `object`; there are no modifiers, so one that must be present (`public`) never
 *   matches and `non_static` always does; `new` never matches (`__init__` is an ordinary method);
 * - when a rule is applied the parameters are not known yet: those of the pattern are checked for form and
 *   then taken as `..`; `throws` of a list other than `..` never matches.
 */
#ifndef KP_TRACE_SIGNATURE_H
#define KP_TRACE_SIGNATURE_H

#include <stdbool.h>

#include "status.h"

struct kp_signature;

/*
 * Compile `pattern`; *signature is from malloc, for free(). KP_ERROR_VALUE: *fault is a constant phrase and
 * *position the byte it is about; KP_ERROR_NO_MEMORY.
 */
enum kp_status kp_signature_compile(struct kp_signature **signature, const char *pattern, const char **fault,
                                    const char **position);

/* Whether the Python function `name` has a signature that matches. No memory, no locks; time |pattern| *
 * |name|. */
bool kp_signature_match(const struct kp_signature *signature, const char *name);

#endif
