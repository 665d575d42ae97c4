/*
 * Engine `opcode`: thunks in the interpreter's dispatch table see every call start, return, suspension and
 * handler; a trampoline in front of its evaluator sees what passes between C and Python. The interpreter goes
 * on to inline calls between Python functions, and its code objects stay as they are.
 *
 * Trusted only after its self-test in this process (opcode_trial.h). While no rule can match, the table is as
 * it was.
 */
#include <stdio.h>
#include <string.h>

#include "../arch/x86_64/thunks.h"
#include "activations.h"
#include "core.h"
#include "cpython_object.h"
#include "engine.h"
#include "log.h"
#include "opcode_table.h"
#include "opcode_trial.h"

static enum { UNTRIED, ATTACHED, FAILED } state;
static char failure[256];
static void **table;
static bool installed;

static bool say(char *reason, size_t reason_bytes, const char *text)
{
    snprintf(reason, reason_bytes, "%s", text);
    return false;
}

static const struct kp_opcode_row *find_row(void)
{
    for (size_t i = 0; i < KP_OPCODE_ROWS; i++)
        if (kp_cpython.major == 3 && kp_opcode_rows[i].minor == kp_cpython.minor)
            return &kp_opcode_rows[i];
    return NULL;
}

/*
 * A JIT compiles traces that dispatch nothing. 3.13: PyUnstable_GetOptimizer is there when it was built in;
 * 3.14: sys._jit.is_enabled().
 */
static bool has_jit(void)
{
    void *jit = kp_cpython.minor >= 14 ? kp_cpython.sys_get("_jit") : NULL, *answer;
    bool enabled;

    if (kp_cpython.minor == 13)
        return kp_cpython.optimizer_get != NULL;
    if (!jit)
        return false;
    answer = kp_cpython.call_method(jit, "is_enabled", NULL);
    enabled = !answer || kp_cpython.long_as_long(answer) != 0;
    kp_cpython.error_clear();
    if (answer)
        kp_cpython.decref(answer);
    return enabled;
}

/* The short paths read the time stamp counter. */
static bool is_short(void)
{
    return kp_core.clock == KP_CLOCK_TSC;
}

static void observe(bool on)
{
    if (on == installed)
        return;
    kp_entry_observe(on);
    if (on ? kp_opcode_table_install(table, &kp_opcode_row, is_short())
           : kp_opcode_table_restore(table, &kp_opcode_row)) {
        installed = on;
        kp_log(KP_LEVEL_DEBUG, on ? "the dispatch table leads to kprobe" : "the dispatch table is as it was");
    } else {
        kp_log(KP_LEVEL_WARN, "the dispatch table cannot be written any more");
    }
}

static bool fill_thunks(char *reason, size_t reason_bytes)
{
    const struct kp_thunk_values values = {.local = &kp_local,
                                           .self = &kp_self,
                                           .cframe = kp_opcode_row.thread_cframe,
                                           .current = kp_opcode_row.current_frame,
                                           .code = kp_opcode_row.frame_code,
                                           .owner = kp_opcode_row.frame_owner,
                                           .chunk = kp_opcode_row.thread_chunk,
                                           .tracing = kp_opcode_row.thread_tracing};

    return kp_thunks_prepare(&values) || say(reason, reason_bytes, "code cannot be written in this process");
}

static unsigned undefined_opcode(void)
{
    unsigned undefined = 0;

    while (kp_opcode_row.defined[undefined / 64] >> (undefined % 64) & 1)
        undefined++;
    return undefined;
}

/* All entries of the row must lead to code of their own, each to another. */
static bool opcodes_are_there(char *reason, size_t reason_bytes)
{
    bool seen[256] = {false};
    unsigned undefined = undefined_opcode();

    for (unsigned kind = 0; kind < K_KINDS; kind++)
        for (unsigned slot = 0; slot < K_SLOTS && kp_opcode_row.opcodes[kind][slot]; slot++) {
            unsigned opcode = kp_opcode_row.opcodes[kind][slot];

            if (table[opcode] == table[undefined] || seen[opcode])
                return say(reason, reason_bytes,
                           "an opcode that must be observed is not in its dispatch table");
            seen[opcode] = true;
        }
    return true;
}

static bool patch(char *reason, size_t reason_bytes)
{
    void *evaluator = (void *)kp_cpython.eval_default;

    table = kp_opcode_table_find(evaluator, &kp_opcode_row, reason, reason_bytes);
    if (!table || !opcodes_are_there(reason, reason_bytes) || !fill_thunks(reason, reason_bytes) ||
        !kp_entry_hook(evaluator, reason, reason_bytes))
        return false;
    observe(true);
    if (!installed)
        return say(reason, reason_bytes, "its dispatch table cannot be written");
    if (kp_opcode_trial_events(reason, reason_bytes))
        return true;
    observe(false);
    return false;
}

static bool try_once(char *reason, size_t reason_bytes)
{
    const struct kp_opcode_row *row = find_row();

    if (!row || !kp_cpython.eval_default)
        return say(reason, reason_bytes, "the opcodes of this version are not known");
    if (has_jit())
        return say(reason, reason_bytes, "its JIT compiler is on");
    kp_opcode_row = *row;
    return kp_opcode_trial_layout(reason, reason_bytes) && patch(reason, reason_bytes);
}

/* By enum kp_opcode_builtin. A type's opcode can be replaced only if the type can be called without it. */
static const struct {
    const char *name;
    void (**type)(void);
} builtins[KP_OPCODE_BUILTINS] = {
    [KP_OPCODE_LEN] = {"builtins.len", NULL},
    [KP_OPCODE_ISINSTANCE] = {"builtins.isinstance", NULL},
    [KP_OPCODE_LIST_APPEND] = {"builtins.list.append", NULL},
    [KP_OPCODE_TUPLE] = {"builtins.tuple", &kp_cpython.tuple_type},
    [KP_OPCODE_TYPE] = {"builtins.type", &kp_cpython.type_type},
    [KP_OPCODE_STR] = {"builtins.str", &kp_cpython.str_type},
};

/* The code of special opcodes that are replaced at the moment; else NULL. */
static void *special_code[KP_OPCODE_BUILTINS];

static bool is_replaceable(enum kp_opcode_builtin builtin)
{
    const struct kp_type *type = builtins[builtin].type ? (void *)*builtins[builtin].type : NULL;
    const struct kp_opcode_call *call = &kp_opcode_row.calls[builtin];
    const void *undefined = table[undefined_opcode()];

    if (!call->special || table[call->special] == undefined || table[call->general] == undefined)
        return false;
    return !builtins[builtin].type || (type && type->vectorcall);
}

/* Let a builtin be called that a rule asks for: its special opcode does what the general one does. */
static void replace(enum kp_opcode_builtin builtin, bool on)
{
    const struct kp_opcode_call *call = &kp_opcode_row.calls[builtin];
    void *code = table[call->special];

    if (on == (special_code[builtin] != NULL) ||
        !kp_opcode_table_set(table, call->special, on ? table[call->general] : special_code[builtin]))
        return;
    special_code[builtin] = on ? code : NULL;
}

static void replace_selected(bool active)
{
    for (enum kp_opcode_builtin i = 0; i < KP_OPCODE_BUILTINS; i++)
        if (is_replaceable(i))
            replace(i,
                    active && kp_rules_selects(&kp_core.rules, KP_FUNCTION_C_PYTHON, builtins[i].name, ""));
}

static bool sees(const char *name)
{
    for (enum kp_opcode_builtin i = 0; i < KP_OPCODE_BUILTINS; i++)
        if (strcmp(builtins[i].name, name) == 0)
            return special_code[i] != NULL;
    return false;
}

static void refresh(void)
{
    bool active = atomic_load(&kp_core.state) != KP_CORE_OFF;

    replace_selected(active);
    observe(active && kp_rules_possible(&kp_core.rules, KP_FUNCTION_PYTHON));
}

void kp_opcode_withdraw(void)
{
    replace_selected(false);
    observe(false);
}

/* The table serves all interpreters of the process, so there is nothing to do for a second one. */
static bool attach(void *interpreter, char *reason, size_t reason_bytes)
{
    (void)interpreter;
    if (state == UNTRIED) {
        state = try_once(failure, sizeof failure) ? ATTACHED : FAILED;
        if (state == ATTACHED)
            refresh();
    }
    if (state == ATTACHED)
        return true;
    return say(reason, reason_bytes, failure);
}

const struct kp_engine kp_engine_opcode = {
    .name = "opcode",
    .choice = KP_ENGINE_OPCODE,
    .minor_min = 11,
    .minor_max = 14,
    .attach = attach,
    .refresh = refresh,
    .sees = sees,
};
