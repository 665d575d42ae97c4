#include "signature.h"

#include <string.h>

#ifndef __clang_analyzer__ /* its paths into the hash are not ours to mend */
#define XXH_INLINE_ALL
#endif
#include <xxhash.h>

#include "trace/function.h"

/* --- text with an end ----------------------------------------------------------------------------- */

/* Goes on counting behind the end of its room, so that the caller sees that it was too small. */
struct text {
    char *bytes;
    size_t room, used;
};

static void put_char(struct text *text, char c)
{
    if (text->used < text->room)
        text->bytes[text->used] = c;
    text->used++;
}

static void put(struct text *text, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put_char(text, bytes[i]);
}

static void put_text(struct text *text, const char *bytes)
{
    put(text, bytes, strlen(bytes));
}

static bool is_word(unsigned char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

static const char digits[] = "0123456789abcdef";

/* A byte that no identifier of Java has in ASCII: '$', its value, '$'. */
static void put_escaped(struct text *text, unsigned char c)
{
    put_char(text, '$');
    put_char(text, digits[c >> 4]);
    put_char(text, digits[c & 15]);
    put_char(text, '$');
}

/* --- components of Python names -------------------------------------------------------------------- */

/* What Python puts in angle brackets: these read as `_locals_`. A row that ends in a blank goes on with any
 * identifier. */
static const char *const bracketed[] = {"locals",
                                        "lambda",
                                        "genexpr",
                                        "listcomp",
                                        "dictcomp",
                                        "setcomp",
                                        "module",
                                        "generic parameters of ",
                                        "undefined function",
                                        "undefined function "};
#define BRACKETED_COUNT (sizeof bracketed / sizeof *bracketed)

static bool all_words(const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_word((unsigned char)bytes[i]))
            return false;
    return true;
}

static bool same(char a, char b)
{
    return a == b || (a == ' ' && b == '_');
}

/* Whether body[0..count) is what stands between the brackets; `blanks`: as Python has it, else with '_'. */
static bool is_bracketed(const char *body, size_t count, bool blanks)
{
    for (size_t row = 0; row < BRACKETED_COUNT; row++) {
        const char *known = bracketed[row];
        size_t bytes = strlen(known), i = 0;
        bool open = known[bytes - 1] == ' ';

        if (open ? count <= bytes : count != bytes)
            continue;
        while (i < bytes && (blanks ? known[i] == body[i] : same(known[i], body[i])))
            i++;
        if (i == bytes && (!open || all_words(body + bytes, count - bytes)))
            return true;
    }
    return false;
}

/* How many '_' stand around a bracketed word on both sides; 0: it is no such thing. */
static size_t underscores_around(const char *component, size_t count)
{
    for (size_t around = 1; 2 * around < count; around++) {
        if (component[around - 1] != '_' || component[count - around] != '_')
            return 0;
        if (is_bracketed(component + around, count - 2 * around, false))
            return around;
    }
    return 0;
}

static void put_component(struct text *text, const char *component, size_t count)
{
    size_t around = underscores_around(component, count);

    if (count > 2 && component[0] == '<' && component[count - 1] == '>' &&
        is_bracketed(component + 1, count - 2, true)) {
        put_char(text, '_');
        for (size_t i = 1; i + 1 < count; i++)
            put_char(text, component[i] == ' ' ? '_' : component[i]);
        put_char(text, '_');
        return;
    }
    if (!count)
        put_text(text, "$$");
    if (around)
        put_char(text, '_');
    for (size_t i = 0; i < count; i++)
        if (is_word((unsigned char)component[i]))
            put_char(text, component[i]);
        else
            put_escaped(text, (unsigned char)component[i]);
    if (around)
        put_char(text, '_');
}

/* A dotted name; one without a dot gets a class, since a signature has to have one. */
static void put_dotted(struct text *text, const char *name)
{
    const char *dot = strchr(name, '.');

    if (!dot)
        put_text(text, "_.");
    for (; dot; name = dot + 1, dot = strchr(name, '.')) {
        put_component(text, name, (size_t)(dot - name));
        put_char(text, '.');
    }
    put_component(text, name, strlen(name));
}

/* --- names of C functions --------------------------------------------------------------------------- */

/* The dots of a file name part nothing, so they are no dots here: `libssl.so.3` is `libssl_so_3`. */
static void put_object(struct text *text, const char *object, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (object[i] == '.')
            put_char(text, '_');
        else if (object[i] == '_')
            put_text(text, "$_");
        else if (is_word((unsigned char)object[i]))
            put_char(text, object[i]);
        else
            put_escaped(text, (unsigned char)object[i]);
}

/* `::` of a C++ name is the dot that it has not otherwise. */
static void put_symbol(struct text *text, const char *symbol)
{
    for (const char *first = symbol; *symbol; symbol++)
        if (is_word((unsigned char)*symbol))
            put_char(text, *symbol);
        else if (symbol > first && is_word((unsigned char)symbol[-1]) && symbol[0] == ':' &&
                 symbol[1] == ':' && is_word((unsigned char)symbol[2])) {
            put_char(text, '.');
            symbol++;
        } else
            put_escaped(text, (unsigned char)*symbol);
}

static void put_native(struct text *text, const char *name)
{
    const char *colon = strrchr(name, ':');

    /* `libstdc++.so.6:std::string` ends its object at the first colon. */
    while (colon && colon > name && (colon[-1] == ':' || memchr(name, ':', (size_t)(colon - name))))
        colon = memchr(name, ':', (size_t)(colon - name));
    if (colon)
        put_object(text, name, (size_t)(colon - name));
    else
        put_char(text, '_');
    put_char(text, '.');
    put_symbol(text, colon ? colon + 1 : name);
}

/* --- whole signatures ------------------------------------------------------------------------------- */

/* A signature as the program gave it: only what would break a log is replaced. That of an imported function
 * ends with its parameters; a class in brackets may follow. */
static void put_given(struct text *text, const char *name, uint8_t kind)
{
    const char *end = kind == KP_FUNCTION_FOREIGN ? strrchr(name, ')') + 1 : name + strlen(name);

    for (; name < end; name++) {
        unsigned char c = (unsigned char)*name;

        if (c >= 0x80)
            put_escaped(text, c);
        else
            put_char(text, c < 0x20 || c == 0x7f ? ' ' : c == '"' ? '\'' : c == ';' ? ',' : (char)c);
    }
}

static bool is_given(const struct kp_kieker_function_facts *facts)
{
    return facts->kind == KP_FUNCTION_FOREIGN ? strrchr(facts->name, ')') != NULL
                                              : facts->kind == KP_FUNCTION_MANUAL && strchr(facts->name, '(');
}

static void put_name(struct text *text, const struct kp_kieker_function_facts *facts)
{
    if (is_given(facts))
        put_given(text, facts->name, facts->kind);
    else if (facts->kind == KP_FUNCTION_C)
        put_native(text, facts->name);
    else
        put_dotted(text, facts->name);
}

/* Ends the text within its room; what was cut off leaves a checksum of `whole` behind. */
static void finish(struct text *text, const char *whole)
{
    size_t most = text->room - 1;

    if (text->used > most) {
        uint64_t hash = XXH64(whole, strlen(whole), 0);

        text->used = most - 17;
        put_char(text, '_');
        for (int shift = 60; shift >= 0; shift -= 4)
            put_char(text, digits[hash >> shift & 15]);
    }
    text->bytes[text->used] = '\0';
}

/* What stands before the last dot of the name, whose end is the first parenthesis. */
static void find_class(const char *operation, struct kp_kieker_signature *signature)
{
    size_t end = strcspn(operation, "("), start, dot;

    while (end && operation[end - 1] == ' ')
        end--;
    for (start = end; start && operation[start - 1] != ' ';)
        start--;
    for (dot = end; dot > start && operation[dot - 1] != '.';)
        dot--;
    if (dot < start + 2) {
        memcpy(signature->class_name, "_", 2);
        return;
    }
    memmove(signature->class_name, operation + start, dot - 1 - start);
    signature->class_name[dot - 1 - start] = '\0';
}

static const char *result_type(uint8_t kind)
{
    switch (kind) {
    case KP_FUNCTION_C:
        return "native void ";
    case KP_FUNCTION_C_PYTHON:
        return "native object ";
    case KP_FUNCTION_MANUAL:
        return "region ";
    default:
        return "object ";
    }
}

static void put_parameters(struct text *text, const struct kp_kieker_function_facts *facts)
{
    uint32_t count = facts->flags & KP_FUNCTION_FACTS ? facts->parameters : 0;

    put_char(text, '(');
    for (uint32_t i = 0; i < count && i < KP_KIEKER_OPERATION_MAX; i++)
        put_text(text, i ? ",object" : "object");
    put_char(text, ')');
}

void kp_kieker_signature_make(struct kp_kieker_signature *signature,
                              const struct kp_kieker_function_facts *facts)
{
    struct text text = {signature->operation, sizeof signature->operation, 0};
    size_t named;

    if (is_given(facts)) {
        put_given(&text, facts->name, facts->kind);
        finish(&text, facts->name);
        find_class(signature->operation, signature);
        return;
    }
    put_text(&text, result_type(facts->kind));
    put_name(&text, facts);
    named = text.used;
    put_parameters(&text, facts);
    if (text.used >= text.room) {
        /* Without its parameters it may fit; if not, the name is cut, and ends as every signature does. */
        text.used = named;
        text.room -= 2;
        finish(&text, facts->name);
        text.room += 2;
        put_text(&text, "()");
        text.bytes[text.used] = '\0';
    } else {
        text.bytes[text.used] = '\0';
    }
    find_class(signature->operation, signature);
}

/* Blanks would part a type into modifiers and name, parentheses and brackets end the name. */
static void put_type(struct text *text, const char *type, bool list)
{
    bool pending = false;

    for (; *type; type++) {
        unsigned char c = (unsigned char)*type;

        if (c == ' ') {
            pending = text->used > 0;
            continue;
        }
        if (pending && is_word(c) && text->bytes[text->used < text->room ? text->used - 1 : 0] != ',')
            put_char(text, '_');
        pending = false;
        if (c == '(' || c == ')')
            put_char(text, '$');
        else if (is_word(c) || c == '*' || c == '&' || c == '.' || c == '[' || c == ']' || (list && c == ','))
            put_char(text, (char)c);
        else if (c == ':' || c == ',')
            put_char(text, '_');
        else
            put_escaped(text, c);
    }
}

void kp_kieker_signature_typed(struct kp_kieker_signature *signature,
                               const struct kp_kieker_function_facts *facts, const char *result,
                               const char *parameters)
{
    struct text text = {signature->operation, sizeof signature->operation, 0};

    put_text(&text, "native ");
    put_type(&text, *result ? result : "void", false);
    put_char(&text, ' ');
    put_name(&text, facts);
    put_char(&text, '(');
    put_type(&text, parameters, true);
    put_char(&text, ')');
    if (text.used >= text.room) {
        kp_kieker_signature_make(signature, facts);
        return;
    }
    text.bytes[text.used] = '\0';
    find_class(signature->operation, signature);
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through `text` */
void kp_kieker_signature_cause(const char *name, char *cause, size_t room)
{
    struct text text = {cause, room < KP_KIEKER_CAUSE_MAX + 1 ? room : KP_KIEKER_CAUSE_MAX + 1, 0};

    for (const char *at = name; *at; at++)
        if (is_word((unsigned char)*at) || *at == '.')
            put_char(&text, *at);
        else
            put_escaped(&text, (unsigned char)*at);
    if (!*name)
        put_text(&text, "unknown");
    finish(&text, name);
}

/* --- back ------------------------------------------------------------------------------------------- */

static int hex(char c)
{
    const char *at = c ? strchr(digits, c) : NULL;
    return at ? (int)(at - digits) : -1;
}

/* The byte of `$xx$`; -1: it is none. */
static int escaped(const char *at, const char *end)
{
    if (end - at < 4 || at[0] != '$' || at[3] != '$' || hex(at[1]) < 0 || hex(at[2]) < 0)
        return -1;
    return hex(at[1]) * 16 + hex(at[2]);
}

static void read_escaped(struct text *text, const char *at, const char *end)
{
    for (; at < end; at++) {
        int byte = escaped(at, end);

        put_char(text, byte > 0 ? (char)byte : *at);
        at += byte > 0 ? 3 : 0;
    }
}

static void read_component(struct text *text, const char *at, const char *end)
{
    size_t count = (size_t)(end - at), around = underscores_around(at, count);

    if (count == 2 && !memcmp(at, "$$", 2))
        return;
    if (around != 1) {
        read_escaped(text, at + (around > 0), end - (around > 0));
        return;
    }
    put_char(text, '<');
    for (size_t row = 0; row < BRACKETED_COUNT; row++) {
        size_t bytes = strlen(bracketed[row]), i = 0;
        bool open = bracketed[row][bytes - 1] == ' ';

        if (open ? count - 2 <= bytes : count - 2 != bytes)
            continue;
        while (i < bytes && same(bracketed[row][i], at[1 + i]))
            i++;
        if (i == bytes) {
            put(text, bracketed[row], bytes);
            put(text, at + 1 + bytes, count - 2 - bytes);
            break;
        }
    }
    put_char(text, '>');
}

static void read_dotted(struct text *text, const char *at, const char *end)
{
    const char *dot;

    if (end - at > 2 && at[0] == '_' && at[1] == '.' && !memchr(at + 2, '.', (size_t)(end - at - 2)))
        at += 2;
    while ((dot = memchr(at, '.', (size_t)(end - at)))) {
        read_component(text, at, dot);
        put_char(text, '.');
        at = dot + 1;
    }
    read_component(text, at, end);
}

static void read_native(struct text *text, const char *at, const char *end)
{
    const char *dot = memchr(at, '.', (size_t)(end - at));

    if (dot && dot == at + 1 && *at == '_')
        at = dot + 1;
    for (; dot && at < dot; at++) {
        int byte = escaped(at, dot);

        if (byte > 0) {
            put_char(text, (char)byte);
            at += 3;
        } else if (*at == '$' && dot - at > 1 && at[1] == '_') {
            put_char(text, '_');
            at++;
        } else {
            put_char(text, *at == '_' ? '.' : *at);
        }
    }
    if (dot && at == dot) {
        put_char(text, ':');
        at++;
    }
    for (; at < end && (dot = memchr(at, '.', (size_t)(end - at))); at = dot + 1) {
        read_escaped(text, at, dot);
        put_text(text, "::");
    }
    read_escaped(text, at, end);
}

static bool skip(const char **at, const char *end, const char *word)
{
    size_t bytes = strlen(word);

    if ((size_t)(end - *at) < bytes || memcmp(*at, word, bytes) != 0)
        return false;
    *at += bytes;
    return true;
}

static void count_parameters(struct kp_kieker_name *name, const char *at)
{
    name->known = *at == '(' && at[1] != ')';
    for (name->parameters = name->known; name->known && *at; at++)
        name->parameters += *at == ',';
}

/* 0: the program gave it itself. */
static uint8_t read_ours(struct text *text, const char *at, const char *end)
{
    if (skip(&at, end, "native object ")) {
        read_dotted(text, at, end);
        return KP_FUNCTION_C_PYTHON;
    }
    if (skip(&at, end, "native ")) {
        const char *blank = memchr(at, ' ', (size_t)(end - at));

        read_native(text, blank ? blank + 1 : at, end);
        return KP_FUNCTION_C;
    }
    if (skip(&at, end, "object ")) {
        read_dotted(text, at, end);
        return KP_FUNCTION_PYTHON;
    }
    if (skip(&at, end, "region ")) {
        read_dotted(text, at, end);
        return KP_FUNCTION_MANUAL;
    }
    return 0;
}

void kp_kieker_signature_read(struct kp_kieker_name *name, const char *operation, bool ours)
{
    struct text text = {name->name, sizeof name->name, 0};
    const char *end = operation + strcspn(operation, "("), *start = end;

    name->known = false;
    name->parameters = 0;
    name->kind = ours ? read_ours(&text, operation, end) : 0;
    if (name->kind == KP_FUNCTION_PYTHON)
        count_parameters(name, end);
    if (!name->kind) {
        name->kind = KP_FUNCTION_MANUAL;
        while (start > operation && (start[-1] != ' ' || start == end))
            start--;
        /* A signature that a program of ours gave stays whole: it is the name it gave. */
        put_text(&text, ours ? operation : start);
    }
    if (text.used >= text.room)
        text.used = text.room - 1;
    name->name[text.used] = '\0';
}
