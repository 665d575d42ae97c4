/* Types as text, as a programmer in C would declare them. */
#include <string.h>

#include "ctype.h"

#include <stdlib.h>

#include "util/memory.h"

/* Beyond it a type is taken for broken (a type that contains itself without a pointer). */
enum { DEEPEST = 24 };

static char *declare(Dwarf_Debug debug, Dwarf_Die die, char *declarator, unsigned depth);

/* `text` in front of a declarator, which is freed: "int" "*x" -> "int *x". */
static char *before(const char *text, char *declarator)
{
    bool word = *declarator && *declarator != '[' && *declarator != ',';
    char *both = kp_format_text("%s%s%s", text, word ? " " : "", declarator);
    free(declarator);
    return both;
}

static char *replace(char *old, char *new)
{
    free(old);
    return new;
}

/* A pointer's star binds less than the brackets behind it. */
static char *point(Dwarf_Debug debug, Dwarf_Die pointer, const char *sign, char *declarator)
{
    Dwarf_Off offset;
    Dwarf_Die target;
    bool wraps = false;
    if (kp_die_reference(debug, pointer, DW_AT_type, &offset) && kp_die_open(debug, offset, &target)) {
        unsigned tag = kp_die_tag(target);
        wraps = tag == DW_TAG_array_type || tag == DW_TAG_subroutine_type;
        kp_die_close(debug, target);
    }
    return replace(declarator, kp_format_text(wraps ? "(%s%s)" : "%s%s", sign, declarator));
}

static char *index_array(Dwarf_Debug debug, Dwarf_Die array, char *declarator)
{
    Dwarf_Die child;
    if (!kp_die_child(array, &child))
        return replace(declarator, kp_format_text("%s[]", declarator));
    do {
        uint64_t count;
        if (kp_die_tag(child) != DW_TAG_subrange_type)
            continue;
        bool bounded = kp_die_unsigned(debug, child, DW_AT_count, &count);
        if (!bounded && kp_die_unsigned(debug, child, DW_AT_upper_bound, &count)) {
            bounded = true;
            count++;
        }
        char *bound = bounded ? kp_format_text("%llu", (unsigned long long)count) : kp_copy_text("");
        declarator = replace(declarator, kp_format_text("%s[%s]", declarator, bound));
        free(bound);
    } while (kp_die_next(debug, &child));
    return declarator;
}

static char *parameters(Dwarf_Debug debug, Dwarf_Die function, unsigned depth)
{
    Dwarf_Die child;
    char *text = kp_copy_text("");
    if (!kp_die_child(function, &child))
        return replace(text, kp_copy_text("void"));
    do {
        unsigned tag = kp_die_tag(child);
        char *one = NULL;
        if (tag == DW_TAG_formal_parameter && !kp_die_flag(debug, child, DW_AT_artificial)) {
            const char *name = kp_die_name(child);
            one = declare(debug, child, kp_copy_text(name ? name : ""), depth + 1);
        } else if (tag == DW_TAG_unspecified_parameters) {
            one = kp_copy_text("...");
        }
        if (one)
            text = replace(text, kp_format_text("%s%s%s", text, *text ? ", " : "", one));
        free(one);
    } while (kp_die_next(debug, &child));
    return *text ? text : replace(text, kp_copy_text("void"));
}

/* "struct " in C only: elsewhere the name says it. */
static char *name_tagged(Dwarf_Debug debug, Dwarf_Die die, const char *tag, char *declarator)
{
    Dwarf_Die unit;
    uint64_t language = DW_LANG_C;
    const char *name = kp_die_name(die);
    if (kp_die_open(debug, kp_die_unit(die), &unit)) {
        kp_die_unsigned(debug, unit, DW_AT_language, &language);
        kp_die_close(debug, unit);
    }
    bool in_c = language == DW_LANG_C || language == DW_LANG_C89 || language == DW_LANG_C99 ||
                language == DW_LANG_C11;
    char *text = name && !in_c ? kp_copy_text(name) : kp_format_text("%s %s", tag, name ? name : "{...}");
    char *both = before(text, declarator);
    free(text);
    return both;
}

static char *qualify(Dwarf_Debug debug, Dwarf_Die die, const char *word, char *declarator, unsigned depth)
{
    /* Of a pointer the word stands behind its star, of everything else in front. */
    Dwarf_Off offset;
    Dwarf_Die target;
    bool pointer = false;
    if (kp_die_reference(debug, die, DW_AT_type, &offset) && kp_die_open(debug, offset, &target)) {
        unsigned tag = kp_die_tag(target);
        pointer = tag == DW_TAG_pointer_type || tag == DW_TAG_reference_type;
        kp_die_close(debug, target);
    }
    if (pointer)
        return declare(debug, die, before(word, declarator), depth + 1);
    char *rest = declare(debug, die, declarator, depth + 1);
    return replace(rest, kp_format_text("%s %s", word, rest));
}

/* Declares with the type that `type` itself is. */
static char *declare_as(Dwarf_Debug debug, Dwarf_Die type, char *declarator, unsigned depth)
{
    const char *name = kp_die_name(type);
    switch (kp_die_tag(type)) {
    case DW_TAG_pointer_type:
        return declare(debug, type, point(debug, type, "*", declarator), depth + 1);
    case DW_TAG_reference_type:
        return declare(debug, type, point(debug, type, "&", declarator), depth + 1);
    case DW_TAG_rvalue_reference_type:
        return declare(debug, type, point(debug, type, "&&", declarator), depth + 1);
    case DW_TAG_const_type:
        return qualify(debug, type, "const", declarator, depth);
    case DW_TAG_volatile_type:
        return qualify(debug, type, "volatile", declarator, depth);
    case DW_TAG_restrict_type:
        return qualify(debug, type, "restrict", declarator, depth);
    case DW_TAG_atomic_type:
        return qualify(debug, type, "_Atomic", declarator, depth);
    case DW_TAG_array_type:
        return declare(debug, type, index_array(debug, type, declarator), depth + 1);
    case DW_TAG_subroutine_type: {
        char *inner = parameters(debug, type, depth);
        declarator = replace(declarator, kp_format_text("%s(%s)", declarator, inner));
        free(inner);
        return declare(debug, type, declarator, depth + 1);
    }
    case DW_TAG_structure_type:
        return name_tagged(debug, type, "struct", declarator);
    case DW_TAG_class_type:
        return name_tagged(debug, type, "class", declarator);
    case DW_TAG_union_type:
        return name_tagged(debug, type, "union", declarator);
    case DW_TAG_enumeration_type:
        return name_tagged(debug, type, "enum", declarator);
    default:
        return before(name ? name : "?", declarator);
    }
}

/* With the type that `die` refers to. Takes `declarator`. */
static char *declare(Dwarf_Debug debug, Dwarf_Die die, char *declarator, unsigned depth)
{
    Dwarf_Off offset;
    Dwarf_Die type;
    if (!kp_die_reference(debug, die, DW_AT_type, &offset))
        return before("void", declarator);
    if (depth > DEEPEST || !kp_die_open(debug, offset, &type))
        return before("?", declarator);
    char *text = declare_as(debug, type, declarator, depth);
    kp_die_close(debug, type);
    return text;
}

char *kp_declare(Dwarf_Debug debug, Dwarf_Die die, const char *declarator)
{
    return declare(debug, die, kp_copy_text(declarator), 0);
}

char *kp_declare_parameters(Dwarf_Debug debug, Dwarf_Die function)
{
    return parameters(debug, function, 0);
}
