/* Names of what the model declares: constants twice, words that languages keep, annotations nobody knows. */
#include <string.h>

#include "keywords.h"
#include "stages.h"

static void check_constants(struct kp_irl_model *model, const struct kp_irl_declaration *declaration)
{
    struct kp_irl_names_table known = {0};
    for (size_t i = 0; i < declaration->constants.count; i++) {
        struct kp_irl_constant *constant = declaration->constants.items[i];
        void **place = kp_irl_names_put(&model->arena, &known, constant->name.text);
        const struct kp_irl_constant *first = *place;
        if (!first)
            *place = constant;
        else if (kp_irl_say(model, KP_IRL_025, constant->name.span, "constant '%s' is declared twice in '%s'",
                            constant->name.text, declaration->name.text))
            kp_irl_report_note(model->reports, first->name.span, "first declared here");
    }
}

/* "C, C++ and Java" */
static const char *languages_text(struct kp_arena *arena, unsigned languages)
{
    static const char *const names[] = {"C", "C++", "Java", "Perl", "Python"};
    const char *text = NULL, *last = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!(languages & 1u << i))
            continue;
        if (last)
            text = text ? kp_irl_format(arena, "%s, %s", text, last) : last;
        last = names[i];
    }
    return text ? kp_irl_format(arena, "%s and %s", text, last) : last;
}

static void check_keyword(struct kp_irl_model *model, const struct kp_irl_name *name)
{
    unsigned languages = kp_irl_keyword(name->text) & model->languages;
    if (languages)
        kp_irl_say(model, KP_IRL_041, name->span, "'%s' is a keyword of %s: generated names differ there",
                   name->text, languages_text(&model->arena, languages));
}

/* Of types and packages. In C they are parts of longer names; the class of Java is what others know it by. */
static void check_class_keyword(struct kp_irl_model *model, const struct kp_irl_name *name)
{
    unsigned languages = kp_irl_keyword(name->text) & model->languages & ~(KP_IRL_IN_C | KP_IRL_IN_CPP);
    if (languages & KP_IRL_IN_JAVA)
        kp_irl_say(model, KP_IRL_041, name->span, "'%s' is a keyword of Java: no class can be called so",
                   name->text);
    languages &= ~(unsigned)KP_IRL_IN_JAVA;
    if (languages)
        kp_irl_say(model, KP_IRL_041, name->span, "'%s' is a keyword of %s: generated names differ there",
                   name->text, languages_text(&model->arena, languages));
}

static void check_package(struct kp_irl_model *model, const struct kp_irl_name *package)
{
    if (!package->text)
        return;
    struct kp_irl_name segment = *package;
    for (const char *at = package->text; at; at = strchr(at, '.')) {
        at += *at == '.';
        segment.text = kp_irl_copy(&model->arena, at, strcspn(at, "."));
        check_class_keyword(model, &segment);
    }
}

static bool is_annotation(const char *name, struct kp_irl_guess *guess)
{
    static const char *const known[] = {
        "operationSignature", "classSignature", "time",      "orderIndex",  "traceId", "threadId",
        "sessionId",          "hostname",       "arguments", "returnValue", "cause",   "objectId"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (!strcmp(known[i], name))
            return true;
        kp_irl_guess_offer(guess, known[i]);
    }
    return false;
}

static void check_annotation(struct kp_irl_model *model, const struct kp_irl_name *annotation)
{
    struct kp_irl_guess guess = {.wanted = annotation->text};
    if (annotation->text && !is_annotation(annotation->text, &guess))
        kp_irl_say(model, KP_IRL_043, annotation->span, "unknown semantic annotation '%s'%s",
                   annotation->text, kp_irl_guess_text(&model->arena, &guess));
}

static void check_declaration(struct kp_irl_model *model, const struct kp_irl_declaration *declaration)
{
    check_constants(model, declaration);
    if (!declaration->derived)
        check_class_keyword(model, &declaration->name);
    for (size_t i = 0; i < declaration->properties.count; i++) {
        check_keyword(model, &declaration->properties.items[i]->name);
        check_annotation(model, &declaration->properties.items[i]->annotation);
    }
    for (size_t i = 0; i < declaration->constants.count; i++)
        check_keyword(model, &declaration->constants.items[i]->name);
    for (size_t i = 0; i < declaration->literals.count; i++)
        check_keyword(model, &declaration->literals.items[i].name);
}

void kp_irl_check_names(struct kp_irl_model *model)
{
    for (size_t i = 0; i < model->files.count; i++)
        check_package(model, &model->files.items[i]->package);
    for (size_t i = 0; i < model->ordered.count; i++)
        check_declaration(model, model->ordered.items[i]);
}
