#include "method_unseen.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "cpython.h"

enum how { SPECIALISED, WITHOUT_SLOT, COMPILED };

static const char *const texts[] = {
    [SPECIALISED] = "specialised by the interpreter",
    [WITHOUT_SLOT] = "a constructor without a slot to hook",
    [COMPILED] = "of a generator expression, compiled to a loop",
};

/* Functions that a version calls without calling them, or whose calls leave nothing to put a thunk into. */
static const struct {
    const char *name;
    unsigned minor_min, minor_max; /* 0: open */
    enum how how;
} unseen[] = {
    {"builtins.len", 11, 0, SPECIALISED},
    {"builtins.isinstance", 11, 0, SPECIALISED},
    {"builtins.list.append", 11, 0, SPECIALISED},
    {"builtins.tuple", 11, 0, SPECIALISED},
    {"builtins.type", 11, 0, SPECIALISED},
    {"builtins.str", 11, 0, SPECIALISED},
    {"builtins.str", 8, 8, WITHOUT_SLOT},
    {"builtins.int", 8, 8, WITHOUT_SLOT},
    {"builtins.list", 8, 8, WITHOUT_SLOT},
    {"builtins.dict", 8, 8, WITHOUT_SLOT},
    {"builtins.tuple", 8, 8, WITHOUT_SLOT},
    {"builtins.set", 8, 8, WITHOUT_SLOT},
    {"builtins.all", 14, 0, COMPILED},
    {"builtins.any", 14, 0, COMPILED},
};

/* Whether this version does so, and a rule asks for the function. */
static bool concerns(size_t row)
{
    return kp_cpython.minor >= unseen[row].minor_min &&
           (!unseen[row].minor_max || kp_cpython.minor <= unseen[row].minor_max) &&
           kp_rules_selects(&kp_core.rules, KP_FUNCTION_C_PYTHON, unseen[row].name, "");
}

static bool is_missed(size_t row, const struct kp_engine *engine)
{
    return concerns(row) &&
           (unseen[row].how != SPECIALISED || !engine || !engine->sees || !engine->sees(unseen[row].name));
}

bool kp_method_needs_engine(void)
{
    bool needed = false;

    for (size_t i = 0; i < sizeof unseen / sizeof *unseen; i++)
        needed = needed || (unseen[i].how == SPECIALISED && concerns(i));
    return needed;
}

/* "NAME: how; NAME: how", as long as there is room. */
void kp_method_tell_unseen(const struct kp_engine *engine)
{
    char text[464] = "";
    size_t used = 0;

    kp_core_lock();
    for (size_t i = 0; i < sizeof unseen / sizeof *unseen && used < sizeof text; i++)
        if (is_missed(i, engine))
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%s: %s", used ? "; " : "",
                                     unseen[i].name, texts[unseen[i].how]);
    kp_core_meta("builtins.unseen", used ? text : "none");
    kp_core_unlock();
}
