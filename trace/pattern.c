#include "pattern.h"

#include <locale.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glob.h"
#include "signature.h"

struct kp_rule {
    char *text;
    char *origin;
    const char *pattern; /* in text, behind sign and prefix; or `symbol` */
    char *symbol;        /* NULL, or the pattern without its {...} */
    unsigned line;
    bool include;
    enum kp_function_kind kind;
    const struct form *form;
    struct kp_capture capture;
    regex_t *regex;
    struct kp_signature *signature;
    uint64_t hits;
};

/* Where a fault is, while a rule is compiled. */
struct fault {
    const char *text;
    const char *position; /* in the rule's text */
};

/* A way to write a pattern. */
struct form {
    const char *prefix;
    enum kp_function_kind kind;
    enum kp_status (*compile)(struct kp_rule *rule, struct fault *fault);
    bool (*match)(const struct kp_rule *rule, const char *name, const char *file);
};

static const char allowed[] =
    "allowed is [+|-]PATTERN with PATTERN one of GLOB, file:GLOB, re:REGEX, c:GLOB, "
    "c:re:REGEX, manual:GLOB, manual:re:REGEX, OBJECT:SYMBOL, 'TYPE NAME(..)'";

/* --- globs --- */

static enum kp_status glob_compile(struct kp_rule *rule, struct fault *fault)
{
    fault->text = kp_glob_check(rule->pattern, &fault->position);
    return fault->text ? KP_ERROR_VALUE : KP_OK;
}

static bool glob_match(const struct kp_rule *rule, const char *name, const char *file)
{
    (void)file;
    return kp_glob_match(rule->pattern, name);
}

static bool file_match(const struct kp_rule *rule, const char *name, const char *file)
{
    (void)name;
    if (kp_glob_match(rule->pattern, file))
        return true;
    const char *slash = strrchr(file, '/');
    return slash && !strchr(rule->pattern, '/') && kp_glob_match(rule->pattern, slash + 1);
}

/* {...} behind the symbol is taken off the pattern. */
static enum kp_status take_capture(struct kp_rule *rule, struct fault *fault)
{
    const char *brace = strchr(rule->pattern, '{');
    size_t length = strlen(rule->pattern);
    if (!brace)
        return KP_OK;
    fault->position = brace;
    fault->text = "'{' without '}' at the end";
    if (rule->pattern[length - 1] != '}')
        return KP_ERROR_VALUE;
    fault->text = "raw values of what is not traced";
    if (!rule->include)
        return KP_ERROR_VALUE;
    fault->text = kp_capture_parse(&rule->capture, brace + 1, rule->pattern + length - 1, &fault->position);
    if (fault->text)
        return KP_ERROR_VALUE;
    rule->symbol = strndup(rule->pattern, (size_t)(brace - rule->pattern));
    rule->pattern = rule->symbol;
    return rule->symbol ? KP_OK : KP_ERROR_NO_MEMORY;
}

static enum kp_status symbol_compile(struct kp_rule *rule, struct fault *fault)
{
    const char *brace = strchr(rule->pattern, '{');
    const char *colon =
        memrchr(rule->pattern, ':', brace ? (size_t)(brace - rule->pattern) : strlen(rule->pattern));
    if (!colon || colon == rule->pattern || !colon[1] || colon + 1 == brace) {
        fault->position = colon ? colon : rule->pattern;
        fault->text = "OBJECT:SYMBOL needs text on both sides of ':'";
        return KP_ERROR_VALUE;
    }
    enum kp_status status = glob_compile(rule, fault);
    return status ? status : take_capture(rule, fault);
}

/* --- regular expressions --- */

/*
 * glibc compiles and matches in the locale of the moment, which the program changes as it likes. In the "C"
 * locale, set for this thread only, every byte is a character: names that are no UTF-8 match as well.
 */
static locale_t enter_c_locale(void)
{
    locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0); /* glibc: a constant, nothing to free */
    return c ? uselocale(c) : (locale_t)0;
}

static void leave_c_locale(locale_t before)
{
    if (before)
        uselocale(before);
}

/* A reference back makes matching exponential; glibc takes it as an extension. */
static const char *find_back_reference(const char *regex)
{
    for (const char *at = regex; *at; at++)
        if (*at == '\\' && at[1] && at++[1] >= '1' && *at <= '9')
            return at - 1;
    return NULL;
}

static enum kp_status regex_compile_text(regex_t *regex, const char *text, struct fault *fault)
{
    static const struct {
        int code;
        const char *text;
    } reasons[] = {
        {REG_BADBR, "bad content of {...}"},
        {REG_EBRACE, "'{' without '}'"},
        {REG_BADRPT, "nothing to repeat"},
        {REG_EBRACK, "'[' without ']'"},
        {REG_ECTYPE, "unknown class name"},
        {REG_ECOLLATE, "unknown collating element"},
        {REG_EESCAPE, "'\\' at the end"},
        {REG_EPAREN, "'(' or ')' without its partner"},
        {REG_ERANGE, "a range in [...] whose end is before its start"},
        {REG_ESPACE, "too large"},
    };
    int code = regcomp(regex, text, REG_EXTENDED | REG_NOSUB);
    if (!code)
        return KP_OK;
    fault->text = "not a POSIX extended regular expression";
    for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
        if (reasons[i].code == code)
            fault->text = reasons[i].text;
    return KP_ERROR_VALUE;
}

/* Compiled twice: alone, so that its faults are its own, then anchored, as `a|b` and `a)(b` need care. */
static enum kp_status regex_compile(struct kp_rule *rule, struct fault *fault)
{
    fault->position = find_back_reference(rule->pattern);
    if (fault->position) {
        fault->text = "references back (\\1) are not supported";
        return KP_ERROR_VALUE;
    }
    fault->position = rule->pattern;
    char *anchored = NULL;
    if (asprintf(&anchored, "^(%s)$", rule->pattern) < 0)
        return KP_ERROR_NO_MEMORY;
    enum kp_status status = KP_ERROR_NO_MEMORY;
    rule->regex = malloc(sizeof *rule->regex);
    if (!rule->regex)
        goto out;
    locale_t before = enter_c_locale();
    status = regex_compile_text(rule->regex, rule->pattern, fault);
    if (!status) {
        regfree(rule->regex);
        status = regex_compile_text(rule->regex, anchored, fault);
    }
    leave_c_locale(before);
    if (status) {
        free(rule->regex);
        rule->regex = NULL;
    }
out:
    free(anchored);
    return status;
}

static bool regex_match(const struct kp_rule *rule, const char *name, const char *file)
{
    (void)file;
    locale_t before = enter_c_locale();
    bool matches = !regexec(rule->regex, name, 0, NULL, 0);
    leave_c_locale(before);
    return matches;
}

/* --- signatures --- */

static enum kp_status signature_compile(struct kp_rule *rule, struct fault *fault)
{
    return kp_signature_compile(&rule->signature, rule->pattern, &fault->text, &fault->position);
}

static bool signature_match(const struct kp_rule *rule, const char *name, const char *file)
{
    (void)file;
    return kp_signature_match(rule->signature, name);
}

/* --- one rule --- */

/* In this order; the three last ones have no prefix and are told apart by find_form. */
static const struct form forms[] = {
    {"file:", KP_FUNCTION_PYTHON, glob_compile, file_match},
    {"re:", KP_FUNCTION_PYTHON, regex_compile, regex_match},
    {"c:re:", KP_FUNCTION_C_PYTHON, regex_compile, regex_match},
    {"c:", KP_FUNCTION_C_PYTHON, glob_compile, glob_match},
    {"manual:re:", KP_FUNCTION_MANUAL, regex_compile, regex_match},
    {"manual:", KP_FUNCTION_MANUAL, glob_compile, glob_match},
    {"", KP_FUNCTION_PYTHON, signature_compile, signature_match},
    {"", KP_FUNCTION_C, symbol_compile, glob_match},
    {"", KP_FUNCTION_PYTHON, glob_compile, glob_match},
};
enum { FORM_SIGNATURE = 6, FORM_SYMBOL, FORM_NAME };

/* The ']' of the class whose '[' is at `at`; NULL when it has none on its line. */
static const char *find_class_end(const char *at)
{
    at += at[1] == '!' || at[1] == '^' ? 2 : 1;
    for (bool first = true; *at && *at != '\n'; first = false) {
        const char *named = strncmp(at, "[:", 2) ? NULL : strstr(at + 2, ":]");
        if (*at == ']' && !first)
            return at;
        if (named)
            at = named + 2;
        else
            at += *at == '\\' && at[1] ? 2 : 1;
    }
    return NULL;
}

/* Whether `wanted` occurs outside of [...]. */
static bool has_outside_class(const char *pattern, char wanted)
{
    for (const char *at = pattern; *at; at++) {
        const char *class_end = *at == '[' ? find_class_end(at) : NULL;
        if (*at == wanted)
            return true;
        if (*at == '\\' && at[1])
            at++;
        else if (class_end)
            at = class_end;
    }
    return false;
}

static const struct form *find_form(const char *pattern)
{
    for (const struct form *form = forms; *form->prefix; form++)
        if (!strncmp(pattern, form->prefix, strlen(form->prefix)))
            return form;
    if (strchr(pattern, '('))
        return &forms[FORM_SIGNATURE];
    return has_outside_class(pattern, ':') ? &forms[FORM_SYMBOL] : &forms[FORM_NAME];
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

static enum kp_status compile_rule(struct kp_rule *rule, struct fault *fault)
{
    const char *at = rule->text;
    rule->include = *at != '-';
    at += *at == '+' || *at == '-';
    while (is_blank(*at))
        at++;
    rule->form = find_form(at);
    rule->kind = rule->form->kind;
    rule->pattern = at + strlen(rule->form->prefix);
    fault->position = rule->pattern;
    if (!*rule->pattern) {
        fault->text = "no pattern";
        return KP_ERROR_VALUE;
    }
    return rule->form->compile(rule, fault);
}

static void free_rule(struct kp_rule *rule)
{
    if (rule->regex)
        regfree(rule->regex);
    free(rule->regex);
    free(rule->signature);
    free(rule->symbol);
    free(rule->text);
    free(rule->origin);
}

/* --- text to rules --- */

struct source {
    const char *at; /* what is left */
    const char *line_start;
    const char *origin;
    unsigned line;
};

/* A '{' that asks for raw values: behind OBJECT:SYMBOL, not in file:GLOB or c:GLOB. */
static bool asks_for_values(const char *start, const char *at)
{
    start += *start == '+' || *start == '-';
    return strncmp(start, "file:", 5) != 0 && strncmp(start, "c:", 2) != 0 &&
           strncmp(start, "manual:", 7) != 0 && memchr(start, ':', (size_t)(at - start));
}

/* The end of the rule at `start`: a newline, or a comma outside of brackets. */
static const char *find_rule_end(const char *start)
{
    int depth = 0;
    bool braces = false;
    const char *at = start;
    for (; *at && *at != '\n' && (*at != ',' || depth); at++) {
        const char *class_end = *at == '[' ? find_class_end(at) : NULL;
        if (at - start <= 8 && !strncmp(at, "re:", 3))
            braces = true;
        if (*at == '\\' && at[1] && at[1] != '\n')
            at++;
        else if (class_end)
            at = class_end;
        else if (*at == '(' || (*at == '{' && (braces || (braces = asks_for_values(start, at)))))
            depth++;
        else if (*at == ')' || (braces && *at == '}'))
            depth -= depth > 0;
    }
    return at;
}

/* The next rule's text, without blanks around it. False when there is none. */
static bool next_rule_text(struct source *source, const char **start, size_t *length)
{
    for (;;) {
        while (is_blank(*source->at) || *source->at == ',')
            source->at++;
        if (!*source->at)
            return false;
        if (*source->at == '#')
            source->at += strcspn(source->at, "\n");
        const char *end = find_rule_end(source->at);
        if (end != source->at) {
            *start = source->at;
            source->at = end;
            while (is_blank(end[-1]))
                end--;
            *length = (size_t)(end - *start);
            return true;
        }
        if (*end == '\n') {
            source->at = source->line_start = end + 1;
            source->line++;
        }
    }
}

/* At most 60 characters of the rule, printable whatever it holds. */
static void quote(char *out, size_t out_bytes, const char *text)
{
    size_t used = 0;
    for (; *text && used + 8 < out_bytes; text++)
        used +=
            (size_t)snprintf(out + used, out_bytes - used,
                             (unsigned char)*text - 0x20u < 0x5f ? "%c" : "\\x%02x", (unsigned char)*text);
    snprintf(out + used, out_bytes - used, "%s", *text ? "..." : "");
}

static void explain(const struct source *source, const struct kp_rule *rule, const char *start,
                    struct fault fault, char *error, size_t error_bytes)
{
    char rule_text[68];
    quote(rule_text, sizeof rule_text, rule->text);
    size_t column = (size_t)(start - source->line_start) + (size_t)(fault.position - rule->text) + 1;
    snprintf(error, error_bytes, "%s, line %u, column %zu: rule '%s': %s; %s", source->origin, source->line,
             column, rule_text, fault.text, allowed);
}

static enum kp_status add_rule(struct kp_rules *rules, const struct source *source, const char *start,
                               size_t length, char *error, size_t error_bytes)
{
    struct kp_rule rule = {.line = source->line};
    struct fault fault = {0};
    enum kp_status status = KP_ERROR_NO_MEMORY;
    rule.text = strndup(start, length);
    rule.origin = strdup(source->origin);
    if (!rule.text || !rule.origin)
        goto fail;
    status = compile_rule(&rule, &fault);
    if (status == KP_ERROR_VALUE)
        explain(source, &rule, start, fault, error, error_bytes);
    if (status)
        goto fail;
    status = KP_ERROR_NO_MEMORY;
    struct kp_rule *grown = reallocarray(rules->rules, rules->count + 1, sizeof *grown);
    if (!grown)
        goto fail;
    rules->rules = grown;
    grown[rules->count++] = rule;
    return KP_OK;
fail:
    free_rule(&rule);
    return status;
}

static void truncate_rules(struct kp_rules *rules, size_t count)
{
    while (rules->count > count)
        free_rule(&rules->rules[--rules->count]);
}

static void note_defaults(struct kp_rules *rules)
{
    rules->only_python = rules->only_manual = false;
    for (size_t i = 0; i < rules->count; i++) {
        rules->only_python |= rules->rules[i].include && rules->rules[i].kind == KP_FUNCTION_PYTHON;
        rules->only_manual |= rules->rules[i].include && rules->rules[i].kind == KP_FUNCTION_MANUAL;
    }
}

enum kp_status kp_rules_append(struct kp_rules *rules, const char *text, const char *origin, char *error,
                               size_t error_bytes)
{
    struct source source = {text, text, origin, 1};
    size_t before = rules->count, length;
    const char *start;
    enum kp_status status = KP_OK;
    while (!status && next_rule_text(&source, &start, &length))
        status = add_rule(rules, &source, start, length, error, error_bytes);
    if (status == KP_ERROR_NO_MEMORY)
        snprintf(error, error_bytes, "%s, line %u: out of memory", origin, source.line);
    if (status)
        truncate_rules(rules, before);
    note_defaults(rules);
    return status;
}

enum kp_status kp_rules_compile(struct kp_rules *rules, const char *text, const char *origin, char *error,
                                size_t error_bytes)
{
    *rules = (struct kp_rules){0};
    enum kp_status status = kp_rules_append(rules, text, origin, error, error_bytes);
    if (status)
        kp_rules_fini(rules);
    return status;
}

/* --- use --- */

static bool traced_by_default(const struct kp_rules *rules, enum kp_function_kind kind)
{
    return (kind == KP_FUNCTION_PYTHON && !rules->only_python) ||
           (kind == KP_FUNCTION_MANUAL && !rules->only_manual);
}

/* The rule that decides; NULL: none does. */
static struct kp_rule *find_rule(const struct kp_rules *rules, enum kp_function_kind kind, const char *name,
                                 const char *file)
{
    for (size_t i = rules->count; i-- > 0;) {
        struct kp_rule *rule = &rules->rules[i];
        if (rule->kind == kind && rule->form->match(rule, name, file ? file : ""))
            return rule;
    }
    return NULL;
}

bool kp_rules_match(struct kp_rules *rules, enum kp_function_kind kind, const char *name, const char *file)
{
    struct kp_rule *rule = find_rule(rules, kind, name, file);
    if (!rule)
        return traced_by_default(rules, kind);
    __atomic_fetch_add(&rule->hits, 1, __ATOMIC_RELAXED);
    return rule->include;
}

bool kp_rules_match_call(struct kp_rules *rules, const char *name, struct kp_capture *capture)
{
    const struct kp_rule *rule = find_rule(rules, KP_FUNCTION_C, name, NULL);
    *capture = rule ? rule->capture : (struct kp_capture){0};
    return kp_rules_match(rules, KP_FUNCTION_C, name, NULL);
}

bool kp_rules_selects(const struct kp_rules *rules, enum kp_function_kind kind, const char *name,
                      const char *file)
{
    const struct kp_rule *rule = find_rule(rules, kind, name, file);
    return rule ? rule->include : traced_by_default(rules, kind);
}

bool kp_rules_possible(const struct kp_rules *rules, enum kp_function_kind kind)
{
    for (size_t i = rules->count; i-- > 0;) {
        const struct kp_rule *rule = &rules->rules[i];
        if (rule->kind != kind)
            continue;
        if (rule->include)
            return true;
        if (rule->form->match == glob_match && !strcmp(rule->pattern, kind == KP_FUNCTION_C ? "*:*" : "*"))
            return false;
    }
    return traced_by_default(rules, kind);
}

enum answer { NO, YES, MAYBE };

/* A symbol has no ':', so the last ':' of a pattern stands for the one behind the object, unless in a class.
 */
static enum answer matches_object(const struct kp_rule *rule, const char *object)
{
    char glob[512];
    const char *colon = strrchr(rule->pattern, ':');
    size_t length = (size_t)(colon - rule->pattern);
    if (length >= sizeof glob || strchr(object, ':') || strchr(colon, ']') || colon[-1] == '\\')
        return MAYBE;
    memcpy(glob, rule->pattern, length);
    glob[length] = '\0';
    return kp_glob_match(glob, object) ? YES : NO;
}

enum kp_extent kp_rules_object(const struct kp_rules *rules, const char *object)
{
    bool some = false;
    for (size_t i = rules->count; i-- > 0;) {
        const struct kp_rule *rule = &rules->rules[i];
        enum answer answer = rule->kind == KP_FUNCTION_C ? matches_object(rule, object) : NO;
        bool whole = answer == YES && !strcmp(strrchr(rule->pattern, ':') + 1, "*");
        if (answer == NO)
            continue;
        if (whole && !some)
            return rule->include ? KP_EXTENT_ALL : KP_EXTENT_NONE;
        some = true;
        if (rule->include)
            return KP_EXTENT_SOME;
        if (whole)
            return KP_EXTENT_NONE;
    }
    return KP_EXTENT_NONE;
}

/* Whether a name that begins with `start` may match. */
static bool may_match_below(const struct kp_rule *rule, const char *start)
{
    size_t plain = strcspn(rule->pattern, "*?[\\"), length = strlen(start);
    return rule->form->match != glob_match || !strncmp(rule->pattern, start, plain < length ? plain : length);
}

bool kp_rules_below(const struct kp_rules *rules, enum kp_function_kind kind, const char *start)
{
    for (size_t i = 0; i < rules->count; i++)
        if (rules->rules[i].kind == kind && rules->rules[i].include &&
            may_match_below(&rules->rules[i], start))
            return true;
    return traced_by_default(rules, kind);
}

bool kp_rules_get(const struct kp_rules *rules, size_t index, struct kp_rule_info *info)
{
    if (index >= rules->count)
        return false;
    const struct kp_rule *rule = &rules->rules[index];
    *info = (struct kp_rule_info){rule->text, rule->origin, rule->line,
                                  __atomic_load_n(&rule->hits, __ATOMIC_RELAXED)};
    return true;
}

void kp_rules_fini(struct kp_rules *rules)
{
    truncate_rules(rules, 0);
    free(rules->rules);
    *rules = (struct kp_rules){0};
}
