/* kprobe list: which C functions of a library, a program or a process can be traced? */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "debug/debug_info.h"
#include "debug/demangle.h"
#include "objects.h"
#include "traceable.h"
#include "util/color.h"
#include "util/escape.h"
#include "util/json.h"
#include "util/memory.h"

static bool everything, as_json;
static const char *color = "auto";

static const struct kp_option_row options[] = {
    {'a', "all", KP_ARGUMENT_NONE, NULL, "also functions without a slot, not exported, or of an old version",
     NULL, &everything},
    {0, "json", KP_ARGUMENT_NONE, NULL, "JSON", NULL, &as_json},
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colours", KP_COLOR_CHOICES, &color},
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe list libssl.so.3 'SSL_*'", "the functions of a library whose names begin so"},
    {"kprobe list curl", "what curl and its libraries call of each other"},
    {"kprobe list 4711 'libc.so.6:*'", "what the process 4711 calls of libc"},
    {"kprobe list --all ./program", "its own functions, too, and why they cannot be traced"},
    {NULL, NULL},
};

/* --- rules --- */

/* A pattern without a colon is for symbols of any object. */
static char *rule_of(const char *pattern)
{
    const char *sign = *pattern == '-' || *pattern == '+' ? pattern : "";
    const char *rest = pattern + (*sign != 0);
    return kp_format_text("%.1s%s%s", sign, strchr(rest, ':') ? "" : "*:", rest);
}

static bool compile_rules(struct kp_rules *rules, int count, char **patterns, char error[512])
{
    *rules = (struct kp_rules){0};
    for (int i = 0; i < count; i++) {
        char *text = rule_of(patterns[i]);
        enum kp_status status = kp_rules_append(rules, text, "PATTERN", error, 512);
        free(text);
        if (status != KP_OK)
            return false;
    }
    if (!count || kp_rules_possible(rules, KP_FUNCTION_C))
        return true;
    snprintf(error, 512, "no pattern selects C functions; allowed are SYMBOL and OBJECT:SYMBOL");
    return false;
}

/* --- text --- */

static void print_notes(const struct kp_objects *objects)
{
    struct kp_python python = {0};
    for (size_t i = 0; i < objects->missing_count; i++)
        printf("# %s is needed, but was not found\n", objects->missing[i]);
    for (size_t i = 0; i < objects->count; i++)
        if (objects->all[i]->elf.symbolic)
            printf("# %s is linked with -Bsymbolic: its calls of its own functions use no slots\n",
                   objects->all[i]->name);
    if (*objects->program.chain)
        printf("# a script: %s\n", objects->program.chain);
    if (objects->has_program)
        kp_python_inspect(&python, &objects->program);
    if (python.found)
        puts("# a Python: its builtins and extension functions are traced by rules c:PATTERN, for example "
             "c:json.*");
}

static void print_head(const struct kp_objects *objects, const struct kp_traceables *found)
{
    size_t counts[KP_MECHANISM_COUNT] = {0};
    for (size_t i = 0; i < found->count; i++)
        counts[found->all[i].mechanism]++;
    printf("# %zu %s of %zu %s", found->count, found->count == 1 ? "function" : "functions", objects->count,
           objects->count == 1 ? "object" : "objects");
    for (int i = 0; i < KP_MECHANISM_COUNT; i++)
        if (counts[i])
            printf(", %zu %s", counts[i], kp_mechanism_text(i));
    putchar('\n');
    print_notes(objects);
}

static void print_escaped(const char *before, const char *text)
{
    char *escaped = kp_escape(text);
    printf("%s%s", before, escaped);
    free(escaped);
}

/* --- what debug information adds --- */

struct details {
    char *signature; /* NULL: unknown */
    const char *file;
    unsigned line;
};

/* Debug information of the object that is printed now; functions come object by object. */
struct describer {
    const struct kp_elf_object *object;
    struct kp_debug_info *info;
};

/* Without debug information the mangled name of C++ and Rust still tells the types. */
static struct details describe(struct describer *describer, const struct kp_traceable *traceable)
{
    struct details details = {.file = ""};
    const char *symbol = traceable->function.name;
    if (describer->object != traceable->object) {
        kp_debug_info_close(describer->info);
        describer->object = traceable->object;
        describer->info = kp_debug_info_open(traceable->object->real_path, NULL);
    }
    const struct kp_debug_function *function =
        describer->info ? kp_debug_info_find(describer->info, traceable->function.address) : NULL;
    char *demangled = kp_demangle(symbol, !function);
    if (function) {
        details.file = function->file;
        details.line = function->line;
    }
    if (function && function->prototype)
        details.signature = kp_prototype_declare(function->prototype, demangled ? demangled : symbol);
    else if (demangled)
        details.signature = kp_copy_text(demangled);
    free(demangled);
    return details;
}

static void print_function(const struct kp_traceable *traceable, struct describer *describer, bool colored)
{
    struct details details = describe(describer, traceable);
    enum kp_color paint =
        traceable->mechanism == KP_MECHANISM_NEVER || traceable->mechanism == KP_MECHANISM_NONE ? KP_COLOR_RED
        : *traceable->reason ? KP_COLOR_YELLOW
                             : KP_COLOR_GREEN;
    char *name = kp_escape(traceable->name);
    printf("%s%-10s%s  ", kp_color_on(colored, paint), kp_mechanism_text(traceable->mechanism),
           kp_color_off(colored, paint));
    printf(details.signature || *details.file || *traceable->reason ? "%-40s" : "%s", name); /* NOLINT */
    if (details.signature)
        print_escaped("  ", details.signature);
    if (*details.file) {
        print_escaped("  ", details.file);
        printf(":%u", details.line);
    }
    if (*traceable->reason)
        printf("  -- %s", traceable->reason);
    putchar('\n');
    free(details.signature);
    free(name);
}

static void print_text(const struct kp_objects *objects, const struct kp_traceables *found)
{
    bool colored = kp_color_wanted(color, stdout);
    struct describer describer = {0};
    print_head(objects, found);
    for (size_t i = 0; i < found->count; i++)
        print_function(&found->all[i], &describer, colored);
    kp_debug_info_close(describer.info);
}

/* --- JSON --- */

static void json_objects(struct kp_json *json, const struct kp_objects *objects)
{
    kp_json_begin_array(json, "objects");
    for (size_t i = 0; i < objects->count; i++) {
        const struct kp_elf_object *object = objects->all[i];
        kp_json_begin_object(json, NULL);
        kp_json_string(json, "name", object->name);
        kp_json_string(json, "path", object->path);
        kp_json_string(json, "build_id", object->elf.build_id);
        kp_json_bool(json, "program", object->main);
        kp_json_bool(json, "symbolic", object->elf.symbolic);
        kp_json_end_object(json);
    }
    kp_json_end_array(json);
    kp_json_begin_array(json, "missing");
    for (size_t i = 0; i < objects->missing_count; i++)
        kp_json_string(json, NULL, objects->missing[i]);
    kp_json_end_array(json);
}

static void json_function(struct kp_json *json, const struct kp_traceable *traceable,
                          struct describer *describer)
{
    struct details details = describe(describer, traceable);
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "name", traceable->name);
    kp_json_string(json, "mechanism", kp_mechanism_text(traceable->mechanism));
    kp_json_string(json, "reason", traceable->reason);
    if (details.signature)
        kp_json_string(json, "signature", details.signature);
    kp_json_string(json, "file", details.file);
    kp_json_number(json, "line", details.line);
    kp_json_number(json, "offset", traceable->function.address);
    kp_json_number(json, "bytes", traceable->function.bytes);
    kp_json_bool(json, "exported", traceable->function.exported);
    kp_json_bool(json, "old_version", traceable->function.old_version);
    kp_json_end_object(json);
    free(details.signature);
}

static void print_json(const struct kp_objects *objects, const struct kp_traceables *found)
{
    struct kp_json json;
    struct describer describer = {0};
    kp_json_init(&json, stdout, 2);
    kp_json_begin_object(&json, NULL);
    json_objects(&json, objects);
    kp_json_begin_array(&json, "functions");
    for (size_t i = 0; i < found->count; i++)
        json_function(&json, &found->all[i], &describer);
    kp_debug_info_close(describer.info);
    kp_json_end_array(&json);
    kp_json_end_object(&json);
    kp_json_finish(&json);
}

static int list(const struct kp_command *command, struct kp_rules *rules, const char *operand)
{
    static struct kp_objects objects;
    struct kp_traceables found;
    int status = KP_EXIT_FINE;
    kp_objects_open(&objects, operand);
    if (*objects.error) {
        fprintf(stderr, "kprobe %s: %s\n", command->name, objects.error);
        status = KP_EXIT_DAMAGED;
    } else {
        kp_traceables_find(&found, &objects, rules, everything);
        if (as_json)
            print_json(&objects, &found);
        else
            print_text(&objects, &found);
        kp_traceables_free(&found);
    }
    kp_objects_close(&objects);
    return status;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_rules rules;
    char error[512];
    int status;
    if (count < 1)
        return kp_usage_error(command, "an object, a process or a program is needed");
    if (compile_rules(&rules, count - 1, operands + 1, error))
        status = list(command, count > 1 ? &rules : NULL, operands[0]);
    else
        status = kp_usage_error(command, "%s", error);
    kp_rules_fini(&rules);
    return status;
}

const struct kp_command kp_command_list = {
    .name = "list",
    .arguments = "OBJECT|PID|PROGRAM [PATTERN...]",
    .summary = "which C functions can be traced, and how",
    .description =
        "A line for each function that a rule OBJECT:SYMBOL can select: how it is traced, its name as rules "
        "see it, signature and source when there is debug information (in the object, or by its build id or "
        ".gnu_debuglink), and for those that are traced in part or not at all the reason. Nothing is run.\n\n"
        "OBJECT is a shared library, by path or by the name under which the loader finds it: all functions "
        "that it exports. PROGRAM (a path, or a name in PATH) and PID are programs with all their libraries: "
        "the functions that one of these calls through a slot. PATTERN selects, as in a filter: SYMBOL, "
        "OBJECT:SYMBOL or, behind --, -PATTERN; the last one that matches decides.\n\n"
        "got: calls through slots (GOT, PLT) and pointers from dlsym are recorded. entry only: the begin of "
        "the call is recorded. wrapped: a function of the shim takes its place. none: nobody calls it in a "
        "way that can be seen. never: the shim leaves it alone.",
    .options = options,
    .examples = examples,
    .run = run,
};
