#include "signature.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* A pattern is a row of states; all states alive are followed at once, so the time has a bound. */
enum operation {
    LITERAL,   /* this byte */
    WORD_STAR, /* identifier characters */
    PATH_STAR, /* identifier characters and dots */
    OPTION,    /* the next state, or the one behind it */
    PATH_DOT,  /* identifier characters and dots, the last a dot */
};

enum { STATE_LIMIT = 1024, STATE_WORDS = STATE_LIMIT / 64 };

struct state {
    uint8_t operation;
    char byte;
};

struct kp_signature {
    bool never; /* asks for something no Python function has */
    size_t count;
    struct state states[STATE_LIMIT];
};

struct parser {
    const char *at;
    const char *fault;
    struct kp_signature *out;
};

static const char *const modifiers[][3] = {
    {"public", "private", "protected"},
    {"abstract"},
    {"default"},
    {"static"},
    {"final"},
    {"synchronized"},
    {"native"},
};
enum { MODIFIER_GROUPS = sizeof modifiers / sizeof modifiers[0] };

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_word(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '$' || (unsigned char)c >= 0x80;
}

static bool fail(struct parser *parser, const char *fault)
{
    if (!parser->fault)
        parser->fault = fault;
    return false;
}

static void skip_blanks(struct parser *parser)
{
    while (is_blank(*parser->at))
        parser->at++;
}

/* Take `text` when it stands here as a whole token. */
static bool take_token(struct parser *parser, const char *text)
{
    size_t length = strlen(text);
    if (strncmp(parser->at, text, length) || (parser->at[length] && !is_blank(parser->at[length])))
        return false;
    parser->at += length;
    skip_blanks(parser);
    return true;
}

static bool add(struct parser *parser, enum operation operation, char byte)
{
    struct kp_signature *out = parser->out;
    if (out->count + 1 >= STATE_LIMIT)
        return fail(parser, "a signature of more than 1000 characters");
    out->states[out->count++] = (struct state){(uint8_t)operation, byte};
    return true;
}

static bool add_any_path(struct parser *parser)
{
    return add(parser, OPTION, 0) && add(parser, PATH_DOT, 0);
}

static bool parse_identifier(struct parser *parser)
{
    const char *start = parser->at;
    bool fits = true;
    for (; fits && (is_word(*parser->at) || *parser->at == '*'); parser->at++) {
        if (*parser->at != '*')
            fits = add(parser, LITERAL, *parser->at);
        else if (parser->at == start || parser->at[-1] != '*')
            fits = add(parser, parser->at == start ? PATH_STAR : WORD_STAR, 0);
    }
    for (; fits && !strncmp(parser->at, "[]", 2); parser->at += 2)
        fits = add(parser, LITERAL, '[') && add(parser, LITERAL, ']');
    if (fits && parser->at == start)
        return fail(parser, "an identifier is missing");
    return fits;
}

/* fqType or fqName: ['..'] id ( '.' id | '..' id )*; *parts counts the identifiers. */
static bool parse_path(struct parser *parser, size_t *parts)
{
    *parts = 0;
    if (!strncmp(parser->at, "..", 2)) {
        parser->at += 2;
        if (!add_any_path(parser))
            return false;
        ++*parts;
    }
    for (;;) {
        if (!strcmp(parser->at, "<init>") || !strncmp(parser->at, "<init>(", 7)) {
            parser->at += 6;
            parser->out->never = true;
        } else if (!parse_identifier(parser)) {
            return false;
        }
        ++*parts;
        if (*parser->at != '.')
            return true;
        if (!add(parser, LITERAL, '.'))
            return false;
        if (!strncmp(parser->at, "..", 2) && !add_any_path(parser))
            return false;
        parser->at += parser->at[1] == '.' ? 2 : 1;
    }
}

static bool take_modifier_group(struct parser *parser, const char *const *group)
{
    for (size_t i = 0; i < 3 && group[i]; i++) {
        if (take_token(parser, group[i])) {
            parser->out->never = true;
            return true;
        }
        const char *before = parser->at;
        if (!strncmp(parser->at, "non_", 4)) {
            parser->at += 4;
            if (!group[1] && take_token(parser, group[i]))
                return true;
            parser->at = before;
        }
    }
    return group == modifiers[0] && take_token(parser, "package");
}

static bool is_modifier(const char *at)
{
    struct kp_signature scratch = {0};
    struct parser parser = {at, NULL, &scratch};
    for (size_t group = 0; group < MODIFIER_GROUPS; group++)
        if (take_modifier_group(&parser, modifiers[group]))
            return true;
    return false;
}

static bool parse_modifiers(struct parser *parser)
{
    for (size_t group = 0; group < MODIFIER_GROUPS; group++)
        take_modifier_group(parser, modifiers[group]);
    if (is_modifier(parser->at))
        return fail(parser, "a modifier that is repeated or out of order");
    return true;
}

static bool run_states(const struct state *states, size_t count, const char *text, bool fold);

/* The return type is matched here and now: it is `object` or the pattern never matches. */
static bool parse_return_type(struct parser *parser)
{
    struct kp_signature *out = parser->out;
    size_t parts;
    if (take_token(parser, "new")) {
        out->never = true;
        return true;
    }
    const char *start = parser->at;
    if (!parse_path(parser, &parts))
        return false;
    if (!is_blank(*parser->at)) {
        bool missing = *parser->at == '(';
        parser->at = missing ? start : parser->at;
        return fail(parser, missing ? "a signature pattern without return type"
                                    : "a character not allowed in a type");
    }
    skip_blanks(parser);
    if (!run_states(out->states, out->count, "object", false))
        out->never = true;
    out->count = 0;
    return true;
}

/* Parameters and exceptions are checked for form only; their states are thrown away. */
static bool parse_list(struct parser *parser, char end)
{
    size_t keep = parser->out->count, parts;
    bool never = parser->out->never;
    for (;;) {
        skip_blanks(parser);
        if (!strncmp(parser->at, "..", 2) && strchr(", \t)", parser->at[2]))
            parser->at += 2;
        else if (!parse_path(parser, &parts))
            return false;
        parser->out->count = keep;
        skip_blanks(parser);
        if (*parser->at != ',')
            break;
        parser->at++;
    }
    parser->out->never = never;
    return *parser->at == end ||
           fail(parser, end ? "',' or ')' is missing" : "a character not allowed in a type");
}

static bool parse_parameters(struct parser *parser)
{
    if (*parser->at != '(')
        return fail(parser, "'(' is missing");
    parser->at++;
    skip_blanks(parser);
    if (*parser->at != ')' && !parse_list(parser, ')'))
        return false;
    parser->at++;
    skip_blanks(parser);
    return true;
}

static bool parse_throws(struct parser *parser)
{
    if (!*parser->at)
        return true;
    if (!take_token(parser, "throws"))
        return fail(parser, "text behind ')' that is not 'throws'");
    bool any = !strcmp(parser->at, "..");
    if (!parse_list(parser, 0))
        return false;
    parser->out->never |= !any;
    return true;
}

static bool parse_signature(struct parser *parser)
{
    size_t parts;
    skip_blanks(parser);
    if (!parse_modifiers(parser) || !parse_return_type(parser))
        return false;
    const char *name = parser->at;
    if (!parse_path(parser, &parts))
        return false;
    skip_blanks(parser);
    if (*parser->at != '(')
        return fail(parser, "a character not allowed in a name");
    if (parts < 2) {
        parser->at = name;
        return fail(parser, "a name without '.' (the form is returnType module.function(..))");
    }
    return parse_parameters(parser) && parse_throws(parser);
}

enum kp_status kp_signature_compile(struct kp_signature **signature, const char *pattern, const char **fault,
                                    const char **position)
{
    *signature = NULL;
    struct kp_signature *out = calloc(1, sizeof *out);
    if (!out)
        return KP_ERROR_NO_MEMORY;
    struct parser parser = {pattern, NULL, out};
    if (!parse_signature(&parser)) {
        *fault = parser.fault;
        *position = parser.at;
        free(out);
        return KP_ERROR_VALUE;
    }
    struct kp_signature *fitted =
        realloc(out, offsetof(struct kp_signature, states) + out->count * sizeof *out->states);
    *signature = fitted ? fitted : out;
    return KP_OK;
}

struct state_set {
    uint64_t words[STATE_WORDS];
};

static bool holds(const struct state_set *set, size_t state)
{
    return set->words[state / 64] >> state % 64 & 1;
}

/* Enter a state, and those that are reached from it without a character. Recursion ends: it only goes up, by
 * 2 at most. */
static void enter(struct state_set *set, const struct state *states, size_t count, size_t state)
{
    for (;;) {
        if (holds(set, state))
            return;
        set->words[state / 64] |= UINT64_C(1) << state % 64;
        if (state == count)
            return;
        if (states[state].operation == OPTION)
            enter(set, states, count, state + 2);
        else if (states[state].operation != WORD_STAR && states[state].operation != PATH_STAR)
            return;
        state++;
    }
}

static void step(const struct state *states, size_t count, size_t state, char c, struct state_set *next)
{
    switch (states[state].operation) {
    case LITERAL:
        if (c == states[state].byte)
            enter(next, states, count, state + 1);
        break;
    case WORD_STAR:
        if (c != '.')
            enter(next, states, count, state);
        break;
    case PATH_STAR:
        enter(next, states, count, state);
        break;
    case PATH_DOT:
        enter(next, states, count, state);
        if (c == '.')
            enter(next, states, count, state + 1);
        break;
    default:
        break;
    }
}

static bool run_states(const struct state *states, size_t count, const char *text, bool fold)
{
    struct state_set now = {{0}};
    enter(&now, states, count, 0);
    for (; *text; text++) {
        struct state_set next = {{0}};
        char c = fold && !is_word(*text) && *text != '.' ? '_' : *text;
        for (size_t word = 0; word <= count / 64; word++)
            for (uint64_t left = now.words[word]; left; left &= left - 1) {
                size_t state = word * 64 + (size_t)__builtin_ctzll(left);
                if (state < count)
                    step(states, count, state, c, &next);
            }
        now = next;
    }
    return holds(&now, count);
}

bool kp_signature_match(const struct kp_signature *signature, const char *name)
{
    return !signature->never && run_states(signature->states, signature->count, name, true);
}
