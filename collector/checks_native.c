/* Checks of C functions: would the rules find some in a program and its libraries, and which calls are
 * unseen? */
#include "checks.h"

#include <stdio.h>
#include <string.h>

#include "objects.h"
#include "record_options.h"
#include "traceable.h"

static bool load_rules(struct kp_rules *rules)
{
    char error[512];
    struct kp_options options;
    *rules = (struct kp_rules){0};
    return kp_record_environment_check(&options, error, sizeof error) &&
           kp_record_rules_load(rules, &options, NULL, error, sizeof error);
}

bool kp_check_asks_for_c(void)
{
    struct kp_rules rules;
    bool asks = load_rules(&rules) && kp_rules_possible(&rules, KP_FUNCTION_C);
    kp_rules_fini(&rules);
    return asks;
}

/* The program with its libraries, when it is one whose C functions matter: they are asked for. */
static bool open_objects(const struct kp_subject *subject, struct kp_objects *objects)
{
    if (!subject->program->is_elf || !kp_check_asks_for_c())
        return false;
    kp_objects_open(objects, subject->program->executable);
    if (!*objects->error)
        return true;
    kp_objects_close(objects);
    return false;
}

static enum kp_verdict say_found(const struct kp_traceables *found, char *text)
{
    size_t counts[KP_MECHANISM_COUNT] = {0};
    for (size_t i = 0; i < found->count; i++)
        counts[found->all[i].mechanism]++;
    size_t traced = found->count - counts[KP_MECHANISM_NEVER], used = 0;
    if (!traced)
        return kp_check_say(text, KP_VERDICT_WARN,
                            "the rules select no function that it or its libraries call");
    used +=
        (size_t)snprintf(text, KP_CHECK_TEXT_BYTES, "the rules select %zu %s that it or its libraries call",
                         traced, traced == 1 ? "function" : "functions");
    for (int i = 0; i < KP_MECHANISM_COUNT; i++)
        if (counts[i])
            used += (size_t)snprintf(text + used, KP_CHECK_TEXT_BYTES - used, ", %zu %s", counts[i],
                                     kp_mechanism_text(i));
    return KP_VERDICT_OK;
}

static enum kp_verdict test_selected(const struct kp_subject *subject, char *text)
{
    static struct kp_objects objects;
    struct kp_traceables found;
    struct kp_rules rules;
    if (!open_objects(subject, &objects))
        return KP_VERDICT_NONE;
    enum kp_verdict verdict = KP_VERDICT_NONE;
    if (load_rules(&rules)) {
        kp_traceables_find(&found, &objects, &rules, false);
        verdict = say_found(&found, text);
        kp_traceables_free(&found);
    }
    kp_rules_fini(&rules);
    kp_objects_close(&objects);
    return verdict;
}

/* --- what links of objects mean for what is seen --- */

struct slot_counts {
    size_t plt, calls;
};

static void count_slot(void *user, const char *name, enum kp_slot_use use)
{
    struct slot_counts *counts = user;
    (void)name;
    counts->plt += use == KP_SLOT_PLT;
    counts->calls += use == KP_SLOT_CALLS || use == KP_SLOT_BOTH;
}

/* "a, b, c" of the objects for which `wanted` says so; false when there are none. */
static bool list_objects(const struct kp_objects *objects, bool (*wanted)(const struct kp_elf *elf),
                         char *text)
{
    size_t used = 0;
    for (size_t i = 0; i < objects->count && used < KP_CHECK_TEXT_BYTES; i++)
        if (wanted(&objects->all[i]->elf))
            used += (size_t)snprintf(text + used, KP_CHECK_TEXT_BYTES - used, "%s%s", used ? ", " : "",
                                     objects->all[i]->name);
    return used;
}

static enum kp_verdict test_objects(const struct kp_subject *subject,
                                    bool (*wanted)(const struct kp_elf *elf), const char *meaning,
                                    enum kp_verdict verdict, char *text)
{
    static struct kp_objects objects;
    char names[KP_CHECK_TEXT_BYTES / 2];
    if (!open_objects(subject, &objects))
        return KP_VERDICT_NONE;
    text[0] = 0;
    bool found = list_objects(&objects, wanted, text);
    kp_objects_close(&objects);
    if (!found)
        return KP_VERDICT_NONE;
    snprintf(names, sizeof names, "%s", text);
    return kp_check_say(text, verdict, "%s: %s", names, meaning);
}

static bool has_no_plt(const struct kp_elf *elf)
{
    struct slot_counts counts = {0};
    kp_elf_each_slot(elf, count_slot, &counts);
    return !counts.plt && counts.calls;
}

static enum kp_verdict test_plt(const struct kp_subject *subject, char *text)
{
    return test_objects(subject, has_no_plt,
                        "built with -fno-plt; slots that only calls read are hooked like others",
                        KP_VERDICT_OK, text);
}

static bool has_full_relro(const struct kp_elf *elf)
{
    return elf->full_relro;
}

static enum kp_verdict test_relro(const struct kp_subject *subject, char *text)
{
    return test_objects(subject, has_full_relro,
                        "full RELRO; slots are made writable for the moment in which they are hooked",
                        KP_VERDICT_OK, text);
}

static bool is_symbolic(const struct kp_elf *elf)
{
    return elf->symbolic;
}

static enum kp_verdict test_symbolic(const struct kp_subject *subject, char *text)
{
    return test_objects(subject, is_symbolic,
                        "linked with -Bsymbolic; calls of functions of their own use no slots, and are seen "
                        "with KPROBE_INLINE=1 only",
                        KP_VERDICT_NOTE, text);
}

/* Debian's python3: libpython is in the executable. */
static enum kp_verdict test_own_python(const struct kp_subject *subject, char *text)
{
    const struct kp_python *python = &subject->python;
    if (!python->found || strcmp(python->object, subject->program->executable) != 0 || !kp_check_asks_for_c())
        return KP_VERDICT_NONE;
    return kp_check_say(
        text, KP_VERDICT_NOTE,
        "CPython is linked into %s: its calls of its own functions (Py*) use no slots; those of "
        "extension modules are seen",
        subject->program->executable);
}

const struct kp_check kp_checks_native[] = {
    {KP_CHECK_NATIVE, false, "C functions", test_selected,
     "kprobe list PROGRAM shows what can be traced, with the names that rules need; libraries that are "
     "loaded "
     "later are not looked at here"},
    {KP_CHECK_NATIVE, false, "no PLT", test_plt, ""},
    {KP_CHECK_NATIVE, false, "RELRO", test_relro, ""},
    {KP_CHECK_NATIVE, false, "own calls", test_symbolic, ""},
    {KP_CHECK_NATIVE, false, "static Python", test_own_python, ""},
    {0},
};
