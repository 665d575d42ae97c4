/*
 * The tokens on their way from the scanner to the parser. Here words get the meaning that they have only in
 * some places (spec/irl.md 1.3), and here is seen where braces are missing.
 */
#include <string.h>

#include "names.h"
#include "parse.h"
#include "irl.tab.h"

int kp_irl_grammar_lex(KP_IRL_GRAMMAR_STYPE *value, struct kp_irl_span *span, struct kp_irl_feed *feed);

static const struct kp_irl_token *token_at(const struct kp_irl_feed *feed, size_t index)
{
    return &feed->tokens[index < feed->count ? index : feed->count - 1];
}

static int kind_at(const struct kp_irl_feed *feed, size_t index)
{
    return token_at(feed, index)->kind;
}

static bool is_name(const struct kp_irl_feed *feed, size_t index)
{
    return kind_at(feed, index) == KP_TOKEN_NAME;
}

/* Is there this word, without the escape? */
static bool is_word(const struct kp_irl_feed *feed, size_t index, const char *word)
{
    const struct kp_irl_token *token = token_at(feed, index);
    size_t bytes = token->end - token->begin;
    return token->kind == KP_TOKEN_NAME && bytes == strlen(word) &&
           !memcmp(feed->file->text + token->begin, word, bytes);
}

static bool same_line(const struct kp_irl_feed *feed, size_t index)
{
    return !token_at(feed, index)->first_on_line;
}

/* --- words of the history ------------------------------------------------------------------------ */

static bool wants_name(int kind)
{
    switch (kind) {
    case '.':
    case ',':
    case ':':
    case '=':
    case KP_TOKEN_PACKAGE:
    case KP_TOKEN_IMPORT:
    case KP_TOKEN_EXTENDS:
    case KP_TOKEN_EVENT:
    case KP_TOKEN_ENTITY:
    case KP_TOKEN_TEMPLATE:
    case KP_TOKEN_ENUM:
    case KP_TOKEN_MODEL:
    case KP_TOKEN_SUB:
    case KP_TOKEN_ALIAS:
    case KP_TOKEN_AS:
    case KP_TOKEN_BY:
        return true;
    default:
        return false;
    }
}

/* Is there nothing but a name that can stand behind the last token? A reserved word may be a name itself. */
static bool name_has_to_come(const struct kp_irl_feed *feed, size_t index)
{
    return wants_name(feed->last_kind) &&
           (feed->last_kind < 256 || index < 2 || !wants_name(kind_at(feed, index - 2)));
}

static const struct {
    const char *word;
    int kind;
} declaration_words[] = {
    {"struct", KP_TOKEN_STRUCT}, {"record", KP_TOKEN_RECORD}, {"pattern", KP_TOKEN_PATTERN},
    {"tag", KP_TOKEN_TAG},       {"use", KP_TOKEN_USE},       {"schema", KP_TOKEN_SCHEMA},
};

/* Outside of braces: the word that begins a declaration if a name follows. */
static int declaration_word(const struct kp_irl_feed *feed, size_t index)
{
    if (feed->last_kind == KP_TOKEN_NAME && is_name(feed, index + 1) && index > 1 &&
        kind_at(feed, index - 2) == KP_TOKEN_MODEL &&
        (is_word(feed, index, "with") || is_word(feed, index, "root")))
        return KP_TOKEN_WITH;
    if (!is_name(feed, index + 1) || name_has_to_come(feed, index))
        return KP_TOKEN_NAME;
    for (size_t i = 0; i < sizeof declaration_words / sizeof declaration_words[0]; i++)
        if (is_word(feed, index, declaration_words[i].word))
            return declaration_words[i].kind;
    return KP_TOKEN_NAME;
}

/* The index behind `[...][...]`. */
static size_t behind_dimensions(const struct kp_irl_feed *feed, size_t index)
{
    while (kind_at(feed, index) == '[') {
        do
            index++;
        while (kind_at(feed, index) == KP_TOKEN_INTEGER || kind_at(feed, index) == ',' ||
               kind_at(feed, index) == '*');
        if (kind_at(feed, index) != ']')
            break;
        index++;
    }
    return index;
}

/* Within braces: is this the `default` of a constant, or a modifier of a reference property? */
static int member_word(const struct kp_irl_feed *feed, size_t index)
{
    bool is_default = is_word(feed, index, "default");
    if ((!is_default && !is_word(feed, index, "optional")) || !is_name(feed, index + 1))
        return KP_TOKEN_NAME;
    size_t name = index + 2;
    bool prefixed = kind_at(feed, name) == '.' && is_name(feed, name + 1);
    name = behind_dimensions(feed, prefixed ? name + 2 : name);
    if (!is_name(feed, name))
        return KP_TOKEN_NAME;
    if (prefixed || kind_at(feed, name + 1) == '{')
        return KP_TOKEN_OLD_MODIFIER;
    return is_default && !is_name(feed, name + 1) ? KP_TOKEN_DEFAULT : KP_TOKEN_NAME;
}

/* `int a default int N = 5`: is there an odd number of names before this one? Then the last is a type. Nobody
 * writes more of them in one line than are looked at. */
static bool is_behind_type(const struct kp_irl_feed *feed, size_t index)
{
    bool odd = false;
    for (unsigned looked_at = 0; index > 1 && looked_at < 200; looked_at++) {
        if (kind_at(feed, --index) == ']')
            while (index > 0 && kind_at(feed, index) != '[')
                index--;
        else if (is_name(feed, index) && !wants_name(kind_at(feed, index - 1)))
            odd = !odd;
        else if (is_name(feed, index) && kind_at(feed, index - 1) == '.')
            index--; /* a qualified name counts once */
        else
            break;
    }
    return odd;
}

static bool is_base_type(const struct kp_irl_feed *feed, size_t index)
{
    for (size_t i = 0; i < KP_IRL_BASE_COUNT; i++)
        if (is_word(feed, index, kp_irl_bases[i].name))
            return true;
    return false;
}

/* `grouped by Event.property long name`: is the name behind the property a type? Two names could as well be
 * the property's own and the type of the next one. */
static bool is_old_type(const struct kp_irl_feed *feed, size_t index)
{
    if (index < 5 || kind_at(feed, index - 2) != '.' || kind_at(feed, index - 4) != KP_TOKEN_BY ||
        kind_at(feed, index - 5) != KP_TOKEN_GROUPED)
        return false;
    if (kind_at(feed, index + 1) == '[')
        return true;
    if (!is_name(feed, index + 1))
        return false;
    if (is_base_type(feed, index))
        return same_line(feed, index + 1) || !is_base_type(feed, index + 1);
    return same_line(feed, index + 1) && !(is_name(feed, index + 2) && same_line(feed, index + 2));
}

/* --- misspelt words ------------------------------------------------------------------------------ */

struct word {
    const char *word;
    int kind;
};

static const struct word declaring[] = {
    {"event", KP_TOKEN_EVENT},       {"entity", KP_TOKEN_ENTITY},
    {"template", KP_TOKEN_TEMPLATE}, {"enum", KP_TOKEN_ENUM},
    {"struct", KP_TOKEN_STRUCT},     {"record", KP_TOKEN_RECORD},
    {"pattern", KP_TOKEN_PATTERN},   {NULL, 0},
};

static const struct word modifying[] = {
    {"transient", KP_TOKEN_TRANSIENT},
    {"auto-increment", KP_TOKEN_AUTO_INCREMENT},
    {"changeable", KP_TOKEN_CHANGEABLE},
    {"const", KP_TOKEN_CONST},
    {NULL, 0},
};

/* Reports a word that means nothing, and says what it probably should have been; `otherwise` if nothing is
 * near. */
static int correct(struct kp_irl_feed *feed, size_t index, const struct word *words, int otherwise)
{
    const struct kp_irl_token *token = token_at(feed, index);
    struct kp_irl_span span = {feed->file, token->begin, token->end};
    struct kp_irl_guess guess = {.wanted = kp_irl_parse_text(feed, span)};
    for (const struct word *row = words; row->word; row++)
        kp_irl_guess_offer(&guess, row->word);
    if (!guess.best && otherwise == KP_TOKEN_NAME)
        return KP_TOKEN_NAME;
    kp_irl_parse_error(feed, span, "unknown word %s%s", kp_irl_parse_quote(feed, span),
                       kp_irl_guess_text(&feed->model->arena, &guess));
    for (const struct word *row = words; row->word; row++)
        if (guess.best && !strcmp(guess.best, row->word))
            return row->kind;
    return otherwise;
}

/* `evnt Name {`: nothing like that can stand outside of braces. */
static bool is_misspelt_declaration(const struct kp_irl_feed *feed, size_t index)
{
    return token_at(feed, index)->first_on_line && is_name(feed, index + 1) && same_line(feed, index + 1) &&
           (kind_at(feed, index + 2) == '{' || kind_at(feed, index + 2) == KP_TOKEN_EXTENDS);
}

/* `transien int name` and the end of the line: three names in a row, where members have two. The last of them
 * may be the type of a member that goes on in the next line only if that line has no two words of its own. */
static bool is_misspelt_modifier(const struct kp_irl_feed *feed, size_t index)
{
    if (!token_at(feed, index)->first_on_line || is_base_type(feed, index) || !is_name(feed, index + 1) ||
        !same_line(feed, index + 1))
        return false;
    size_t name = behind_dimensions(feed, index + 2), next = name + 1;
    if (!is_name(feed, name) || !same_line(feed, name) || kind_at(feed, next) == '.' ||
        kind_at(feed, next) == '[')
        return false;
    return !is_name(feed, next) || (!same_line(feed, next) && same_line(feed, next + 1) &&
                                    (is_name(feed, next + 1) || kind_at(feed, next + 1) == '['));
}

static int meaning(struct kp_irl_feed *feed, size_t index)
{
    int kind = kind_at(feed, index);
    if (kind != KP_TOKEN_NAME)
        return kind;
    if (is_old_type(feed, index))
        return KP_TOKEN_OLD_TYPE;
    if (name_has_to_come(feed, index))
        return KP_TOKEN_NAME;
    if (feed->depth == 0) {
        kind = declaration_word(feed, index);
        return kind == KP_TOKEN_NAME && is_misspelt_declaration(feed, index)
                   ? correct(feed, index, declaring, KP_TOKEN_NAME)
                   : kind;
    }
    kind = member_word(feed, index);
    if (kind != KP_TOKEN_NAME && same_line(feed, index) && is_behind_type(feed, index))
        return KP_TOKEN_NAME;
    if (kind != KP_TOKEN_NAME || feed->depth != 1 || !is_misspelt_modifier(feed, index))
        return kind;
    feed->noted |= 1u << KP_IRL_OLD_MODIFIER;
    return correct(feed, index, modifying, KP_TOKEN_OLD_MODIFIER);
}

/* --- where declarations begin -------------------------------------------------------------------- */

/* Can this token stand behind `event Name`? */
static bool may_follow_head(int kind)
{
    switch (kind) {
    case '{':
    case ':':
    case KP_TOKEN_EXTENDS:
    case KP_TOKEN_AUTHOR:
    case KP_TOKEN_SINCE:
    case KP_TOKEN_END:
        return true;
    default:
        return false;
    }
}

/* Does a declaration begin here, whatever braces are open? */
static bool certainly_begins_declaration(const struct kp_irl_feed *feed, size_t index)
{
    switch (kind_at(feed, index)) {
    case KP_TOKEN_AUTHOR:
    case KP_TOKEN_SINCE:
    case KP_TOKEN_END:
        return true;
    case KP_TOKEN_ABSTRACT:
        index++;
        return (kind_at(feed, index) == KP_TOKEN_EVENT || kind_at(feed, index) == KP_TOKEN_ENTITY) &&
               is_name(feed, index + 1);
    case KP_TOKEN_EVENT:
    case KP_TOKEN_ENTITY:
    case KP_TOKEN_TEMPLATE:
    case KP_TOKEN_ENUM:
        return is_name(feed, index + 1) && may_follow_head(kind_at(feed, index + 2));
    case KP_TOKEN_MODEL:
    case KP_TOKEN_SUB:
        return token_at(feed, index)->first_on_line && is_name(feed, index + 1) && same_line(feed, index + 1);
    default:
        return false;
    }
}

static bool begins_declaration(const struct kp_irl_feed *feed, size_t index)
{
    switch (kind_at(feed, index)) {
    case KP_TOKEN_IMPORT:
    case KP_TOKEN_ABSTRACT:
    case KP_TOKEN_EVENT:
    case KP_TOKEN_ENTITY:
    case KP_TOKEN_TEMPLATE:
    case KP_TOKEN_ENUM:
    case KP_TOKEN_MODEL:
    case KP_TOKEN_SUB:
        return is_name(feed, index + 1) || token_at(feed, index)->first_on_line;
    case KP_TOKEN_NAME:
        return token_at(feed, index)->first_on_line &&
               (declaration_word(feed, index) != KP_TOKEN_NAME || is_misspelt_declaration(feed, index));
    default:
        return certainly_begins_declaration(feed, index);
    }
}

static bool begins_member(const struct kp_irl_feed *feed, size_t index)
{
    switch (kind_at(feed, index)) {
    case KP_TOKEN_NAME:
    case KP_TOKEN_CONST:
    case KP_TOKEN_ALIAS:
    case KP_TOKEN_GROUPED:
    case KP_TOKEN_TRANSIENT:
    case KP_TOKEN_AUTO_INCREMENT:
    case KP_TOKEN_CHANGEABLE:
        return token_at(feed, index)->first_on_line;
    default:
        return false;
    }
}

/* --- giving out ---------------------------------------------------------------------------------- */

/* `package a.` and then `event B {` in the next line: the reserved word could be a name here, but is none. */
static bool is_cut_off(const struct kp_irl_feed *feed)
{
    if (feed->depth > 0 || !token_at(feed, feed->next)->first_on_line || is_name(feed, feed->next) ||
        !is_name(feed, feed->next + 1) || !same_line(feed, feed->next + 1))
        return false;
    return (feed->last_kind < 256 || feed->last_kind == KP_TOKEN_PACKAGE ||
            feed->last_kind == KP_TOKEN_IMPORT || feed->last_kind == KP_TOKEN_EXTENDS) &&
           name_has_to_come(feed, feed->next) && begins_declaration(feed, feed->next);
}

static void count_brace(struct kp_irl_feed *feed, int kind)
{
    if (kind == '{')
        feed->depth++;
    else if (kind == '}' && feed->depth > 0)
        feed->depth--;
}

static void give_up(struct kp_irl_feed *feed, struct kp_irl_span span)
{
    kp_irl_report(feed->model->reports, KP_IRL_044, span, "more than %u braces within each other",
                  KP_IRL_MOST_BRACES);
    feed->given_up = true;
    feed->next = feed->count - 1;
    feed->depth = 0;
}

int kp_irl_grammar_lex(KP_IRL_GRAMMAR_STYPE *value, struct kp_irl_span *span, struct kp_irl_feed *feed)
{
    const struct kp_irl_token *token = token_at(feed, feed->next);
    *span = (struct kp_irl_span){feed->file, token->begin, token->end};
    if ((feed->depth > 0 && certainly_begins_declaration(feed, feed->next)) || is_cut_off(feed)) {
        feed->depth = 0;
        feed->last_kind = KP_TOKEN_MISSING_BRACE;
        return KP_TOKEN_MISSING_BRACE;
    }
    if (token->broken) /* reported by the scanner */
        feed->error_begin = token->begin;
    int kind = meaning(feed, feed->next);
    if (token->kind == KP_TOKEN_NAME) {
        struct kp_irl_span text = *span;
        text.begin += feed->file->text[text.begin] == '^';
        struct kp_irl_name name = {.text = kp_irl_parse_text(feed, text), .span = *span};
        if (kind == KP_TOKEN_NAME)
            value->KP_TOKEN_NAME = name;
        else if (kind == KP_TOKEN_OLD_TYPE)
            value->KP_TOKEN_OLD_TYPE = name;
    }
    if (kind == '{' && feed->depth == KP_IRL_MOST_BRACES) {
        give_up(feed, *span);
        return KP_TOKEN_END;
    }
    count_brace(feed, kind);
    feed->last_kind = kind;
    if (feed->next < feed->count)
        feed->next++;
    return kind;
}

/* --- after a syntax error ------------------------------------------------------------------------ */

/* Takes back the token that the parser holds; false when that has to stay with it. */
static bool take_back(struct kp_irl_feed *feed)
{
    if (feed->last_kind == KP_TOKEN_MISSING_BRACE || feed->last_kind == KP_TOKEN_END || feed->next == 0)
        return false;
    feed->next--;
    if (feed->last_kind == '{')
        feed->depth--;
    else if (feed->last_kind == '}')
        feed->depth++;
    return true;
}

static void skip_token(struct kp_irl_feed *feed)
{
    count_brace(feed, feed->last_kind = kind_at(feed, feed->next));
    feed->next++;
}

/* Goes to the next place that `may_resume` likes. Never twice to the same: the parser may like it less. */
static void resume(struct kp_irl_feed *feed, bool (*may_resume)(const struct kp_irl_feed *feed))
{
    feed->last_kind = 0;
    while (kind_at(feed, feed->next) != KP_TOKEN_END && (feed->next == feed->resumed || !may_resume(feed)))
        skip_token(feed);
    feed->last_kind = 0;
    feed->resumed = feed->next;
}

static bool may_declare(const struct kp_irl_feed *feed)
{
    return certainly_begins_declaration(feed, feed->next) ||
           (feed->depth == 0 && begins_declaration(feed, feed->next));
}

static bool may_be_member(const struct kp_irl_feed *feed)
{
    return certainly_begins_declaration(feed, feed->next) ||
           (feed->depth <= 1 && (kind_at(feed, feed->next) == '}' || begins_member(feed, feed->next)));
}

bool kp_irl_feed_resume_at_declaration(struct kp_irl_feed *feed, bool pending)
{
    if (pending && !take_back(feed))
        return feed->last_kind == KP_TOKEN_MISSING_BRACE;
    resume(feed, may_declare);
    feed->depth = 0;
    return true;
}

bool kp_irl_feed_resume_at_member(struct kp_irl_feed *feed, bool pending)
{
    if (pending && !take_back(feed))
        return false;
    resume(feed, may_be_member);
    feed->depth = 1;
    return true;
}
