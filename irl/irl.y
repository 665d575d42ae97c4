/*
 * The grammar: spec/irl.md 1.2 with the spellings of 1.3. Words whose meaning depends on what stands around
 * them (`struct`, `default`, ...) were told apart by the feed.
 */
%code requires {
#include "parse.h"
}

%define api.pure full
%define api.prefix {kp_irl_grammar_}
%define api.token.prefix {KP_TOKEN_}
%define api.location.type {struct kp_irl_span}
%define parse.error custom
%define parse.lac full
%locations
%param {struct kp_irl_feed *feed}
%expect 0

%code {
#include <stdlib.h>
#include <string.h>

#include "names.h"

int kp_irl_grammar_lex(KP_IRL_GRAMMAR_STYPE *value, struct kp_irl_span *span, struct kp_irl_feed *feed);

/* From the first part of a rule to its last; an empty rule stands where the one before it ended. */
#define YYLLOC_DEFAULT(result, parts, count)                                                                 \
    ((result).file = YYRHSLOC(parts, (count) ? 1 : 0).file,                                                  \
     (result).begin = (count) ? YYRHSLOC(parts, 1).begin : YYRHSLOC(parts, 0).end,                           \
     (result).end = YYRHSLOC(parts, (count) ? (count) : 0).end)

#define APPEND(list, item) KP_IRL_APPEND(&feed->model->arena, list, item)
#define OLD(spelling, span) kp_irl_parse_old(feed, KP_IRL_OLD_##spelling, span)

/* After a syntax error. */
#define RESUME_AT(place)                                                                                     \
    do {                                                                                                     \
        if (kp_irl_feed_resume_at_##place(feed, yychar >= 0))                                                \
            yyclearin;                                                                                       \
        yyerrok;                                                                                             \
    } while (0)

static void kp_irl_grammar_error(const struct kp_irl_span *span, struct kp_irl_feed *feed, const char *text)
{
    kp_irl_parse_error(feed, *span, "%s", text);
}
}

%token END 0                     "the end of the file"
%token PACKAGE                   "package"
%token IMPORT                    "import"
%token MODEL                     "model"
%token SUB                       "sub"
%token ENUM                      "enum"
%token TEMPLATE                  "template"
%token ABSTRACT                  "abstract"
%token EVENT                     "event"
%token ENTITY                    "entity"
%token EXTENDS                   "extends"
%token CONST                     "const"
%token ALIAS                     "alias"
%token AS                        "as"
%token GROUPED                   "grouped"
%token BY                        "by"
%token TRANSIENT                 "transient"
%token AUTO_INCREMENT            "auto-increment"
%token CHANGEABLE                "changeable"
%token KIEKER_VERSION            "KIEKER_VERSION"
%token AUTHOR                    "@author"
%token SINCE                     "@since"
%token TRUE                      "true"
%token FALSE                     "false"
%token STRING                    "a text"
%token INTEGER                   "an integer"
%token REAL                      "a number"
/* Historical words: names but for where they stand. */
%token STRUCT                    "struct"
%token RECORD                    "record"
%token PATTERN                   "pattern"
%token TAG                       "tag"
%token DEFAULT                   "default"
%token USE                       "use"
%token SCHEMA                    "schema"
%token WITH                      "with"
%token OLD_MODIFIER              "optional"
%token <struct kp_irl_name> NAME "a name"
%token <struct kp_irl_name> OLD_TYPE "a type"
/* Made by the feed where a declaration begins within the braces of the one before. */
%token MISSING_BRACE             "the next declaration"

%define api.value.type union
%type <struct kp_irl_name> name word qname annotation
%type <struct kp_irl_names> segments type_segments
%type <struct kp_irl_references> qnames supers
%type <struct kp_irl_reference> extends
%type <struct kp_irl_meta> meta
%type <const char *> since
%type <bool> abstract event_word
%type <struct kp_irl_members> members block template_body body
%type <struct kp_irl_literals> literals
%type <struct kp_irl_literal> literal
%type <struct kp_irl_type> type
%type <struct kp_irl_sizes> dimensions sizes
%type <struct kp_irl_size> size
%type <struct kp_irl_modifiers> modifiers
%type <struct kp_irl_new_property> property
%type <struct kp_irl_property *> property_head
%type <struct kp_irl_details> details default
%type <struct kp_irl_value> value plain_value
%type <struct kp_irl_values> values
%type <struct kp_irl_selections> selections selection_block
%type <struct kp_irl_selection> selection

%%

file:
    package items
  ;

package:
    "package" qname                     { feed->file->package = $qname; }
  | error                               { RESUME_AT(declaration); }
  ;

items:
    %empty
  | items item
  ;

item:
    import
  | use
  | event
  | template
  | enum
  | model
  | sub
  | schema
  | error                               { RESUME_AT(declaration); }
  ;

import:
    "import" segments
        { kp_irl_parse_import(feed, kp_irl_parse_join(feed, &$segments, @segments), false, @$); }
  | "import" segments '.' '*'
        { kp_irl_parse_import(feed, kp_irl_parse_join(feed, &$segments, @segments), true, @$); }
  ;

use:
    "use" name "a text"
        { struct kp_irl_use use = {.prefix = $name, .uri = kp_irl_parse_string(feed, @3).text};
          OLD(USE, @$);
          APPEND(&feed->file->uses, use); }
  ;

/* --- names --- */

qname:
    segments                            { $$ = kp_irl_parse_join(feed, &$segments, @$); }
  ;

segments:
    name                                { $$ = (struct kp_irl_names){0}; APPEND(&$$, $name); }
  | segments '.' name                   { $$ = $1; APPEND(&$$, $name); }
  ;

qnames:
    qname
        { struct kp_irl_reference reference = {.name = $qname};
          $$ = (struct kp_irl_references){0};
          APPEND(&$$, reference); }
  | qnames ',' qname
        { struct kp_irl_reference reference = {.name = $qname};
          $$ = $1;
          APPEND(&$$, reference); }
  ;

name:
    "a name"
  | word                                { $$ = kp_irl_parse_word(feed, @$); }
  ;

/* Reserved everywhere, once; taken as names where nothing else can stand. */
word:
    "package" { } | "import" { } | "model" { } | "sub" { } | "enum" { } | "template" { } | "abstract" { }
  | "event" { } | "entity" { } | "extends" { } | "const" { } | "alias" { } | "as" { } | "grouped" { }
  | "by" { } | "transient" { } | "changeable" { }
  ;

/* --- declarations --- */

meta:
    %empty                              { $$ = (struct kp_irl_meta){0}; }
  | meta "@author" "a text"
        { $$ = $1;
          kp_irl_parse_meta(feed, &$$.author, kp_irl_parse_string(feed, @3).text, "@author", @2); }
  | meta "@since" since
        { $$ = $1;
          kp_irl_parse_meta(feed, &$$.since, $since, "@since", @2); }
  ;

since:
    "a text"                            { $$ = kp_irl_parse_string(feed, @$).text; }
  | "a number"                          { $$ = kp_irl_parse_text(feed, @$); OLD(SINCE, @$); }
  | "an integer"                        { $$ = kp_irl_parse_text(feed, @$); OLD(SINCE, @$); }
  ;

event:
    meta abstract event_word name extends supers body
        { struct kp_irl_declaration *event = kp_irl_parse_declare(feed, KP_IRL_EVENT, &$meta, $name);
          event->abstract = $abstract;
          event->old_record = $event_word;
          event->parent = $extends;
          event->templates = $supers;
          kp_irl_parse_give(event, &$body); }
  ;

event_word:
    "event"                             { $$ = false; }
  | "entity"                            { $$ = false; }
  | "struct"                            { $$ = true; OLD(STRUCT, @$); }
  | "record"                            { $$ = true; OLD(RECORD, @$); }
  ;

abstract:
    %empty                              { $$ = false; }
  | "abstract"                          { $$ = true; }
  ;

extends:
    %empty                              { $$ = (struct kp_irl_reference){0}; }
  | "extends" qname                     { $$ = (struct kp_irl_reference){.name = $qname}; }
  ;

supers:
    %empty                              { $$ = (struct kp_irl_references){0}; }
  | ':' qnames                          { $$ = $qnames; }
  ;

template:
    meta template_word name supers template_body
        { struct kp_irl_declaration *template = kp_irl_parse_declare(feed, KP_IRL_TEMPLATE, &$meta, $name);
          template->templates = $supers;
          kp_irl_parse_give(template, &$template_body); }
  ;

template_word:
    "template"
  | "pattern"                           { OLD(PATTERN, @$); }
  | "tag"                               { OLD(TAG, @$); }
  ;

template_body:
    body
  | property                            { $$ = (struct kp_irl_members){0};
                                          kp_irl_parse_add_property(feed, &$$, &$property); }
  ;

enum:
    meta "enum" name supers '{' literals close
        { struct kp_irl_declaration *declaration =
              kp_irl_parse_declare(feed, KP_IRL_ENUM, &$meta, $name);
          declaration->templates = $supers;
          declaration->literals = $literals;
          kp_irl_parse_own(declaration); }
  | meta "enum" name supers '{' error   { RESUME_AT(declaration); }
  ;

literals:
    literal                             { $$ = (struct kp_irl_literals){0}; APPEND(&$$, $literal); }
  | literals ',' literal                { $$ = $1; APPEND(&$$, $literal); }
  ;

literal:
    name                                { $$ = (struct kp_irl_literal){.name = $name}; }
  | name '=' "an integer"
        { $$ = (struct kp_irl_literal){.name = $name, .has_value = true, .value_span = @3};
          $$.value = kp_irl_parse_integer(feed, @3).integer; }
  ;

model:
    meta "model" name qnames
        { kp_irl_parse_declare(feed, KP_IRL_MODEL, &$meta, $name)->templates = $qnames; }
  | meta "model" name "with"
        { kp_irl_parse_error(feed, @4, "this form of a model is not supported; write 'model %s', the types with "
                             "commas, then 'sub NAME %s { ... }'", $name.text, $name.text);
          RESUME_AT(declaration); }
  ;

sub:
    meta "sub" name qname block
        { struct kp_irl_declaration *sub = kp_irl_parse_declare(feed, KP_IRL_SUB, &$meta, $name);
          sub->model = (struct kp_irl_reference){.name = $qname};
          kp_irl_parse_give(sub, &$block); }
  | meta "sub" name qname ':' qnames
        { struct kp_irl_declaration *sub = kp_irl_parse_declare(feed, KP_IRL_SUB, &$meta, $name);
          sub->model = (struct kp_irl_reference){.name = $qname};
          sub->templates = $qnames; }
  ;

schema:
    meta "schema" name
        { kp_irl_parse_error(feed, @2, "schemas are not supported; write 'model %s', the types with commas, then "
                             "'sub NAME %s { ... }'", $name.text, $name.text);
          RESUME_AT(declaration); }
  ;

/* --- members --- */

body:
    %empty                              { $$ = (struct kp_irl_members){0}; }
  | block
  ;

block:
    '{' members close                   { $$ = $members; }
  ;

close:
    '}'
  | "the next declaration"              { kp_irl_parse_error(feed, @1, "a '}' is missing before this"); }
  ;

members:
    %empty                              { $$ = (struct kp_irl_members){0}; }
  | members property                    { $$ = $1; kp_irl_parse_add_property(feed, &$$, &$property); }
  | members const_word type name '=' value
        { $$ = $1; kp_irl_parse_add_constant(feed, &$$, $type, $name, $value); }
  | members error                       { $$ = $1; RESUME_AT(member); }
  ;

const_word:
    "const"
  | "default"                           { OLD(DEFAULT, @$); }
  ;

property:
    property_head details               { $$ = (struct kp_irl_new_property){$property_head, $details}; }
  ;

property_head:
    modifiers type name
        { $$ = kp_irl_parse_property(feed, KP_IRL_PROPERTY_PLAIN, &$modifiers, $name);
          $$->type = $type; }
  | modifiers type name selection_block
        { $$ = kp_irl_parse_property(feed, KP_IRL_PROPERTY_PAYLOAD, &$modifiers, $name);
          $$->type = $type;
          $$->selected = $selection_block; }
  | modifiers "alias" name[target] "as" name[own]
        { $$ = kp_irl_parse_property(feed, KP_IRL_PROPERTY_ALIAS, &$modifiers, $own);
          $$->alias_of = $target; }
  | modifiers "grouped" "by" name[event] '.' name[target] name[own]
        { $$ = kp_irl_parse_property(feed, KP_IRL_PROPERTY_GROUPED, &$modifiers, $own);
          $$->grouped_event.name = $event;
          $$->grouped_property = $target; }
  | modifiers "grouped" "by" name[event] '.' name[target] "a type" dimensions name[own]
        { $$ = kp_irl_parse_property(feed, KP_IRL_PROPERTY_GROUPED, &$modifiers, $own);
          OLD(GROUPED, @7);
          $$->grouped_event.name = $event;
          $$->grouped_property = $target;
          $$->type = kp_irl_parse_type(feed, $7, &$dimensions); }
  ;

modifiers:
    %empty                              { $$ = (struct kp_irl_modifiers){0}; }
  | modifiers "transient"
        { $$ = $1; kp_irl_parse_modifier(&$$, &$$.transient, @2); }
  | modifiers "auto-increment"
        { $$ = $1; kp_irl_parse_modifier(&$$, &$$.auto_increment, @2); }
  | modifiers "changeable"
        { $$ = $1; kp_irl_parse_modifier(&$$, &$$.changeable, @2); }
  | modifiers "optional"
        { $$ = $1; OLD(MODIFIER, @2); }
  ;

type:
    type_segments dimensions
        { $$ = kp_irl_parse_type(feed, kp_irl_parse_join(feed, &$1, @1), &$dimensions); }
  ;

type_segments:
    "a name"                            { $$ = (struct kp_irl_names){0}; APPEND(&$$, $1); }
  | type_segments '.' name              { $$ = $1; APPEND(&$$, $name); }
  ;

dimensions:
    %empty                              { $$ = (struct kp_irl_sizes){0}; }
  | dimensions '[' ']'
        { struct kp_irl_span span = {@2.file, @2.begin, @3.end};
          $$ = $1; kp_irl_parse_size(feed, &$$, KP_IRL_DYNAMIC, span); }
  | dimensions '[' sizes ']'
        { $$ = $1;
          for (size_t i = 0; i < $sizes.count; i++)
              kp_irl_parse_size(feed, &$$, $sizes.items[i].elements, $sizes.items[i].span); }
  ;

sizes:
    size                                { $$ = (struct kp_irl_sizes){0}; APPEND(&$$, $size); }
  | sizes ',' size                      { $$ = $1; OLD(SIZES, @2); APPEND(&$$, $size); }
  ;

size:
    "an integer"                        { $$ = kp_irl_parse_elements(feed, @$); }
  | '*'
        { $$ = (struct kp_irl_size){.elements = KP_IRL_DYNAMIC, .span = @$};
          OLD(UNBOUNDED, @$); }
  ;

/* The semantic annotation and the default, in any order. */
details:
    %empty                              { $$ = (struct kp_irl_details){0}; }
  | annotation                          { $$ = (struct kp_irl_details){.annotation = $1}; }
  | default
  | annotation default                  { $$ = $default; $$.annotation = $annotation; }
  | default annotation                  { $$ = $default; $$.annotation = $annotation; }
  ;

annotation:
    ':' name                            { $$ = $name; }
  ;

default:
    '=' value                           { $$ = (struct kp_irl_details){.value = $value}; }
  | '=' name plain_value
        { $$ = (struct kp_irl_details){.constant = $name, .value = $plain_value};
          OLD(COMBINED, @name); }
  ;

selection_block:
    '{' selections '}'                  { $$ = $selections; }
  ;

selections:
    %empty                              { $$ = (struct kp_irl_selections){0}; }
  | selections selection                { $$ = $1; APPEND(&$$, $selection); }
  ;

selection:
    name                                { $$ = (struct kp_irl_selection){.name = $name}; }
  | name selection_block                { $$ = (struct kp_irl_selection){.name = $name, .below = $2}; }
  ;

/* --- values --- */

value:
    plain_value
  | name
        { $$ = (struct kp_irl_value){.kind = KP_IRL_VALUE_CONSTANT, .span = @$, .text = $name.text}; }
  ;

plain_value:
    "a text"                            { $$ = kp_irl_parse_string(feed, @$); }
  | "an integer"                        { $$ = kp_irl_parse_integer(feed, @$); }
  | "a number"                          { $$ = kp_irl_parse_float(feed, @$); }
  | "true"
        { $$ = (struct kp_irl_value){.kind = KP_IRL_VALUE_BOOLEAN, .span = @$, .boolean = true}; }
  | "false"
        { $$ = (struct kp_irl_value){.kind = KP_IRL_VALUE_BOOLEAN, .span = @$, .boolean = false}; }
  | "KIEKER_VERSION"
        { $$ = (struct kp_irl_value){.kind = KP_IRL_VALUE_VERSION, .span = @$}; }
  | '{' values '}'
        { $$ = (struct kp_irl_value){.kind = KP_IRL_VALUE_ARRAY, .span = @$, .items = $values.items,
                                     .item_count = $values.count}; }
  ;

values:
    value                               { $$ = (struct kp_irl_values){0}; APPEND(&$$, $value); }
  | values ',' value                    { $$ = $1; APPEND(&$$, $value); }
  ;

%%

/* --- syntax errors ------------------------------------------------------------------------------- */

/* Words for many tokens at once, where all of them could stand; the larger sets first. */
struct group {
    const char *words;
    const short *tokens; /* ends with -1 */
};

#define WORDS                                                                                                \
    KP_TOKEN_PACKAGE, KP_TOKEN_IMPORT, KP_TOKEN_MODEL, KP_TOKEN_SUB, KP_TOKEN_ENUM, KP_TOKEN_TEMPLATE,       \
        KP_TOKEN_ABSTRACT, KP_TOKEN_EVENT, KP_TOKEN_ENTITY, KP_TOKEN_EXTENDS, KP_TOKEN_CONST,                \
        KP_TOKEN_ALIAS, KP_TOKEN_AS, KP_TOKEN_GROUPED, KP_TOKEN_BY, KP_TOKEN_TRANSIENT, KP_TOKEN_CHANGEABLE
#define EVENT_WORDS KP_TOKEN_EVENT, KP_TOKEN_ENTITY, KP_TOKEN_STRUCT, KP_TOKEN_RECORD
#define DECLARATION_WORDS                                                                                    \
    EVENT_WORDS, KP_TOKEN_ABSTRACT, KP_TOKEN_TEMPLATE, KP_TOKEN_PATTERN, KP_TOKEN_TAG, KP_TOKEN_ENUM,        \
        KP_TOKEN_MODEL, KP_TOKEN_SUB, KP_TOKEN_SCHEMA
#define METADATA KP_TOKEN_AUTHOR, KP_TOKEN_SINCE
#define LITERALS                                                                                             \
    KP_TOKEN_STRING, KP_TOKEN_INTEGER, KP_TOKEN_REAL, KP_TOKEN_TRUE, KP_TOKEN_FALSE, KP_TOKEN_KIEKER_VERSION, '{'
#define MODIFIERS KP_TOKEN_TRANSIENT, KP_TOKEN_AUTO_INCREMENT, KP_TOKEN_CHANGEABLE, KP_TOKEN_OLD_MODIFIER
#define PROPERTY_WORDS KP_TOKEN_NAME, KP_TOKEN_ALIAS, KP_TOKEN_GROUPED, MODIFIERS

static const struct group groups[] = {
    {"a value", (const short[]){KP_TOKEN_NAME, WORDS, LITERALS, -1}},
    {"a name", (const short[]){KP_TOKEN_NAME, WORDS, -1}},
    {"a declaration",
     (const short[]){DECLARATION_WORDS, METADATA, KP_TOKEN_IMPORT, KP_TOKEN_USE, KP_TOKEN_END, -1}},
    {"a declaration", (const short[]){DECLARATION_WORDS, METADATA, -1}},
    {"a property or a constant", (const short[]){PROPERTY_WORDS, KP_TOKEN_CONST, KP_TOKEN_DEFAULT, -1}},
    {"a property", (const short[]){PROPERTY_WORDS, -1}},
    {"a value", (const short[]){LITERALS, -1}},
    {"'event' or 'entity'", (const short[]){EVENT_WORDS, -1}},
    /* Not worth a word where something else is expected, too. */
    {"", (const short[]){KP_TOKEN_OLD_MODIFIER, -1}},
    {"", (const short[]){KP_TOKEN_WITH, -1}},
    {"", (const short[]){KP_TOKEN_MISSING_BRACE, -1}},
};

static bool take_group(bool *expected, const struct group *group)
{
    for (const short *token = group->tokens; *token >= 0; token++)
        if (!expected[YYTRANSLATE(*token)])
            return false;
    for (const short *token = group->tokens; *token >= 0; token++)
        expected[YYTRANSLATE(*token)] = false;
    return true;
}

static bool is_description(const char *name)
{
    return !strncmp(name, "a ", 2) || !strncmp(name, "an ", 3) || !strncmp(name, "the ", 4);
}

/* "a name, '{' or ':'" */
static void describe(bool *expected, char *text, size_t room)
{
    const char *words[YYNTOKENS];
    size_t count = 0, used = 0;
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++)
        if (take_group(expected, &groups[i]) && *groups[i].words)
            words[count++] = groups[i].words;
    for (int symbol = 0; symbol < YYNTOKENS; symbol++)
        if (expected[symbol])
            words[count++] = yysymbol_name((yysymbol_kind_t)symbol);
    *text = 0;
    for (size_t i = 0; i < count && used < room; i++) {
        const char *quote = is_description(words[i]) || strchr(words[i], '\'') ? "" : "'";
        used += (size_t)snprintf(text + used, room - used, "%s%s%s%s", i == 0 ? "" : i + 1 < count ? ", " : " or ",
                                 quote, words[i], quote);
    }
}

static int yyreport_syntax_error(const yypcontext_t *context, struct kp_irl_feed *feed)
{
    struct kp_irl_span span = *yypcontext_location(context);
    yysymbol_kind_t symbols[YYNTOKENS], met = yypcontext_token(context);
    bool expected[YYNTOKENS] = {false};
    char wanted[512];
    struct kp_irl_guess guess = {.wanted = kp_irl_parse_text(feed, span)};
    int count = yypcontext_expected_tokens(context, symbols, YYNTOKENS);
    for (int i = 0; i < count; i++) {
        expected[symbols[i]] = true;
        if (met == YYSYMBOL_NAME && !is_description(yysymbol_name(symbols[i])))
            kp_irl_guess_offer(&guess, yysymbol_name(symbols[i]));
    }
    describe(expected, wanted, sizeof wanted);
    if (met == YYSYMBOL_MISSING_BRACE || met == YYSYMBOL_YYEOF)
        kp_irl_parse_error(feed, span, "expected %s before %s", wanted, yysymbol_name(met));
    else
        kp_irl_parse_error(feed, span, "expected %s here, not %s%s", wanted,
                           kp_irl_parse_quote(feed, span), kp_irl_guess_text(&feed->model->arena, &guess));
    return 0;
}

bool kp_irl_parse(struct kp_irl_model *model, struct kp_irl_file *file)
{
    struct kp_irl_tokens tokens = {0};
    struct kp_irl_feed feed = {.model = model, .file = file, .error_begin = UINT32_MAX, .resumed = SIZE_MAX};
    size_t errors = kp_irl_reports_errors(model->reports);
    kp_irl_scan(model, file, &tokens);
    feed.tokens = tokens.items;
    feed.count = tokens.count;
    kp_irl_grammar_parse(&feed);
    free(tokens.items);
    return kp_irl_reports_errors(model->reports) == errors;
}
