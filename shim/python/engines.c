#include "engine.h"

#include <stdio.h>
#include <string.h>

#include "core.h"
#include "cpython.h"
#include "log.h"
#include "method_unseen.h"

/* In the order in which `auto` tries them. */
static const struct kp_engine *const engines[] = {&kp_engine_opcode, &kp_engine_monitoring, &kp_engine_frame,
                                                  &kp_engine_profile};

static const struct kp_engine *chosen;

static bool fits(const struct kp_engine *engine, char *reason, size_t reason_bytes)
{
    if (kp_cpython.minor >= engine->minor_min &&
        (!engine->minor_max || kp_cpython.minor <= engine->minor_max))
        return true;
    if (engine->minor_max)
        snprintf(reason, reason_bytes, "it is for CPython 3.%u to 3.%u", engine->minor_min,
                 engine->minor_max);
    else
        snprintf(reason, reason_bytes, "it needs CPython 3.%u", engine->minor_min);
    return false;
}

static bool try_engine(const struct kp_engine *engine, void *interpreter)
{
    char reason[256] = "", key[64];
    bool asked = kp_core.options.engine == engine->choice;

    if (fits(engine, reason, sizeof reason) && engine->attach(interpreter, reason, sizeof reason))
        return true;
    kp_log(asked ? KP_LEVEL_ERROR : KP_LEVEL_INFO, "engine %s declines on CPython %s: %s", engine->name,
           kp_cpython.version, reason);
    snprintf(key, sizeof key, "engine.%s", engine->name);
    kp_core_meta(key, reason);
    return false;
}

static void tell(const struct kp_engine *engine, char *text, size_t text_bytes)
{
    snprintf(text, text_bytes, "CPython %s", kp_cpython.version);
    kp_core_meta("interpreter", text);
    kp_core_meta("engine", engine->name);
}

static void announce(const struct kp_engine *engine)
{
    char text[96];

    tell(engine, text, sizeof text);
    kp_log(KP_LEVEL_INFO, "%s is traced by the %s engine%s%s", text, engine->name, engine->note ? ": " : "",
           engine->note ? engine->note : "");
}

/* For rules that ask for functions in C alone, and will not change: no engine has to be tried. */
static const struct kp_engine none = {.name = "none"};

static bool is_needed(void)
{
    return kp_core.options.engine != KP_ENGINE_AUTO || *kp_core.options.filter_file ||
           kp_rules_possible(&kp_core.rules, KP_FUNCTION_PYTHON) || kp_method_needs_engine();
}

const struct kp_engine *kp_engines_attach(void *interpreter)
{
    char text[96];

    if (!chosen && !is_needed()) {
        chosen = &none;
        tell(chosen, text, sizeof text);
        kp_log(KP_LEVEL_INFO, "%s: no rule asks for Python functions, so no engine is needed", text);
    }
    if (chosen == &none)
        return chosen;
    if (chosen)
        return try_engine(chosen, interpreter) ? chosen : NULL;
    for (size_t i = 0; i < sizeof engines / sizeof *engines; i++) {
        if (kp_core.options.engine != KP_ENGINE_AUTO && kp_core.options.engine != engines[i]->choice)
            continue;
        if (try_engine(engines[i], interpreter)) {
            chosen = engines[i];
            announce(chosen);
            return chosen;
        }
    }
    return NULL;
}
