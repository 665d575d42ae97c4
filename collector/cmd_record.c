/* kprobe record: runs a program with the shim in it, then says what was written. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "checks.h"
#include "child.h"
#include "command.h"
#include "preload.h"
#include "record_options.h"
#include "record_summary.h"

static const char *values[KP_OPTION_COUNT];
static bool no_summary;

/* Letters of the rows that have one. */
enum {
    LETTER_OUTPUT = 'o',
    LETTER_SPOOL = 0,
    LETTER_SPOOL_BYTES = 0,
    LETTER_LINGER = 0,
    LETTER_TOKEN_FILE = 0,
    LETTER_FILTER = 'f',
    LETTER_FILTER_FILE = 'F',
    LETTER_ENGINE = 'e',
    LETTER_CLOCK = 0,
    LETTER_BUFFER = 'b',
    LETTER_ON_FULL = 0,
    LETTER_COMPRESS = 'c',
    LETTER_CHILDREN = 0,
    LETTER_INLINE = 0,
    LETTER_LOG = 'l',
    LETTER_LOG_FILE = 0,
    LETTER_ENABLED = 0,
};

/* Rules may be given in several -f; everything else is checked by kp_option_set. */
#define IS_LIST(NAME) (KP_OPTION_##NAME == KP_OPTION_FILTER)
#define WORD(text)    "|" text
#define CHOICES(TYPE)                                                                                        \
    (sizeof(KP_OPTION_WORDS_##TYPE(WORD) "") > 1 ? (KP_OPTION_WORDS_##TYPE(WORD) "\0") + 1 : NULL)

static const struct kp_option_row options[] = {
#define KP_OPTION(NAME, option, TYPE, fallback, metavar, allowed, help)                                      \
    {LETTER_##NAME,                                                                                          \
     option,                                                                                                 \
     IS_LIST(NAME) ? KP_ARGUMENT_LIST : KP_ARGUMENT_STRING,                                                  \
     metavar,                                                                                                \
     help " (" allowed ")",                                                                                  \
     CHOICES(TYPE),                                                                                          \
     &values[KP_OPTION_##NAME]},
#include "trace/options.def"
#undef KP_OPTION
    {0, "no-summary", KP_ARGUMENT_NONE, NULL, "end without a summary on standard error", NULL, &no_summary},
    {0},
};

static const struct kp_example examples[] = {
    {"kprobe record -- python3 app.py", "every Python function, to kprobe.PID.kpt"},
    {"kprobe record -f '+myapp.*' -f '-myapp.log.*' -- python3 app.py", "only some of them"},
    {"kprobe record -o run.kpt -e profile -- python3 -m pytest",
     "to a file of that name, observed by one engine"},
    {"kprobe record -o 'traces/%e.%p.kpt' -- ./server.sh", "a script, and the Pythons that it starts"},
    {NULL, NULL},
};

struct plan {
    const struct kp_record_options *options;
    const char *shim;
};

static int prepare_child(void *user)
{
    const struct plan *plan = user;
    return kp_record_options_export(plan->options) || kp_preload_set(plan->shim) ? -1 : 0;
}

static int find_shim(const struct kp_command *command, char *path, size_t bytes)
{
    if (!kp_preload_find(path, bytes)) {
        fprintf(stderr, "kprobe %s: libkprobe.so is missing; looked at %s\n", command->name, path);
        return KP_EXIT_DAMAGED;
    }
    const char *refusal = kp_preload_refusal(path);
    if (refusal) {
        fprintf(stderr, "kprobe %s: %s cannot be preloaded: %s; install it elsewhere\n", command->name, path,
                refusal);
        return KP_EXIT_DAMAGED;
    }
    return KP_EXIT_FINE;
}

static void warn(void *user, const struct kp_check *check, enum kp_verdict verdict, const char *text)
{
    (void)user;
    if (check->before_record && verdict >= KP_VERDICT_WARN)
        fprintf(stderr, "kprobe record: warning: %s: %s; %s\n", check->name, text, check->remedy);
}

/* What the files tell beforehand. The program runs in any case: what it starts may still be traced. */
static void warn_about(const char *name, const char *shim)
{
    static struct kp_program program;
    struct kp_subject subject = {.program = &program, .shim = shim, .shim_places = ""};
    kp_program_open(&program, name);
    kp_python_inspect(&subject.python, &program);
    kp_checks_run(&subject, KP_CHECK_SETUP | KP_CHECK_PROGRAM, warn, NULL);
    kp_program_close(&program);
}

static int record(const struct kp_command *command, int count, char **operands)
{
    char shim[4 * PATH_MAX], error[1024];
    struct kp_record_options checked;
    if (!count)
        return kp_usage_error(command, "a program is missing: kprobe record -- PROGRAM [ARGUMENT...]");
    if (!kp_record_options_check(&checked, values, error, sizeof error))
        return kp_usage_error(command, "%s", error);
    int status = find_shim(command, shim, sizeof shim);
    if (status)
        return status;

    warn_about(operands[0], shim);
    struct plan plan = {&checked, shim};
    struct kp_run run = {.program = operands[0],
                         .output = checked.options.output,
                         .filtered = *checked.options.filter || *checked.options.filter_file};
    clock_gettime(CLOCK_REALTIME_COARSE, &run.start);
    run.status = kp_child_run(operands, prepare_child, &plan, &run.pid);
    clock_gettime(CLOCK_REALTIME, &run.end);
    if (!no_summary && run.status != 127 && run.status != 126)
        kp_record_summary(&run);
    return run.status;
}

const struct kp_command kp_command_record = {
    .name = "record",
    .arguments = "[--] PROGRAM [ARGUMENT...]",
    .summary = "run a program and record its calls",
    .description = "Runs PROGRAM with libkprobe.so in LD_PRELOAD and the options below in its environment, "
                   "as KPROBE_ variables "
                   "that the programs it starts inherit. KPROBE_ variables that are set already hold where "
                   "no option is given. "
                   "An output without a scheme is a file; a relative one is relative to the folder where the "
                   "recording began, "
                   "wherever the program goes.\n\n"
                   "Signals sent to kprobe go on to the program. When it has ended, a summary goes to "
                   "standard error, and kprobe "
                   "ends with the status of the program: its own, 128 + N when signal N killed it, 127 when "
                   "it was not found, "
                   "126 when it could not be started.",
    .options = options,
    .examples = examples,
    .stops_at_operand = true,
    .run = record,
};
