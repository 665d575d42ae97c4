/* kprobe doctor: why is nothing traced? */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "checks.h"
#include "command.h"
#include "objects.h"
#include "preload.h"
#include "trial.h"
#include "util/color.h"
#include "util/json.h"

static const char *color = "auto";
static bool as_json, with_trial;

static const struct kp_option_row options[] = {
    {0, "trial", KP_ARGUMENT_NONE, NULL,
     "start the program's interpreter once under the shim, and say which engine took it", NULL, &with_trial},
    {0, "json", KP_ARGUMENT_NONE, NULL, "print the findings as JSON", NULL, &as_json},
    {0, "color", KP_ARGUMENT_CHOICE, "WHEN", "colour the output", KP_COLOR_CHOICES, &color},
    {0},
};

static const struct kp_example examples[] = {
    {"kprobe doctor", "this machine, this installation and the KPROBE_ variables"},
    {"kprobe doctor ./manage.py", "would this script be traced, and by which engine?"},
    {"kprobe doctor --trial python3", "which engine takes it, and why do the others decline?"},
    {"kprobe doctor 4711", "is the running process 4711 traced?"},
    {"kprobe doctor kprobe.4711.kpt",
     "what the trace itself says: engine, messages, rules that matched nothing"},
    {NULL, NULL},
};

struct report {
    struct kp_json json;
    bool colored;
    unsigned counts[KP_VERDICT_FAIL + 1];
};

static void print_text(const struct report *report, const struct kp_check *check, enum kp_verdict verdict,
                       const char *text)
{
    static const enum kp_color colors[] = {KP_COLOR_NONE, KP_COLOR_GREEN, KP_COLOR_BLUE, KP_COLOR_YELLOW,
                                           KP_COLOR_RED};
    printf("%s%-4s%s  %-16s %s\n", kp_color_on(report->colored, colors[verdict]), kp_verdict_text(verdict),
           kp_color_off(report->colored, colors[verdict]), check->name, text);
    if (verdict >= KP_VERDICT_WARN && *check->remedy)
        printf("      %-16s -> %s\n", "", check->remedy);
}

static void print_json(struct kp_json *json, const struct kp_check *check, enum kp_verdict verdict,
                       const char *text)
{
    kp_json_begin_object(json, NULL);
    kp_json_string(json, "check", check->name);
    kp_json_string(json, "verdict", kp_verdict_text(verdict));
    kp_json_string(json, "text", text);
    if (verdict >= KP_VERDICT_WARN && *check->remedy)
        kp_json_string(json, "remedy", check->remedy);
    kp_json_end_object(json);
}

static void visit(void *user, const struct kp_check *check, enum kp_verdict verdict, const char *text)
{
    struct report *report = user;
    report->counts[verdict]++;
    if (as_json)
        print_json(&report->json, check, verdict, text);
    else
        print_text(report, check, verdict, text);
}

static void print_end(struct report *report)
{
    unsigned fails = report->counts[KP_VERDICT_FAIL], warnings = report->counts[KP_VERDICT_WARN];
    if (as_json) {
        kp_json_end_array(&report->json);
        kp_json_number(&report->json, "failures", fails);
        kp_json_number(&report->json, "warnings", warnings);
        kp_json_end_object(&report->json);
        kp_json_finish(&report->json);
    } else if (fails) {
        printf("\n%u %s\n", fails, fails == 1 ? "check failed" : "checks failed");
    } else {
        printf("\nnothing found that keeps it from being traced%s\n",
               warnings ? ", but see the warnings" : "");
    }
}

/* A trace is known by its suffix, so that a damaged one is still taken for a trace. */
static bool is_trace(const char *operand)
{
    size_t bytes = strlen(operand);
    return bytes > 4 && !strcmp(operand + bytes - 4, ".kpt");
}

static unsigned examine_operand(struct kp_subject *subject, struct kp_program *program,
                                struct kp_trace_facts **facts, const char *operand)
{
    char path[PATH_MAX];
    if (is_trace(operand)) {
        subject->trace = *facts = kp_trace_facts_read(operand);
        return KP_CHECK_TRACE;
    }
    subject->pid = kp_operand_pid(operand);
    if (subject->pid)
        snprintf(path, sizeof path, "/proc/%d/exe", (int)subject->pid);
    else
        snprintf(path, sizeof path, "%s", operand);
    kp_program_open(program, path);
    kp_python_inspect(&subject->python, program);
    subject->program = program;
    if (subject->pid)
        return KP_CHECK_PID | (*program->path ? KP_CHECK_PROGRAM | KP_CHECK_NATIVE : 0);
    return KP_CHECK_PROGRAM | KP_CHECK_NATIVE;
}

/* Which engine accepts is decided in the process itself: opcode trusts its self-test only. */
static void examine_by_trial(struct kp_subject *subject, struct kp_trace_facts **facts, struct report *report)
{
    if (!subject->program || subject->pid || !subject->python.found || !*subject->shim)
        return;
    subject->trace = *facts = kp_trial_run(subject->program->executable, subject->shim);
    if (*facts)
        kp_checks_run(subject, KP_CHECK_TRACE, visit, report);
    else
        fprintf(stderr, "kprobe doctor: no place for the trace of the trial: %s\n", strerror(errno));
}

static int doctor(const struct kp_command *command, int count, char **operands)
{
    static struct kp_program program;
    struct kp_trace_facts *facts = NULL;
    char shim[4 * PATH_MAX];
    (void)command;
    bool found = kp_preload_find(shim, sizeof shim);
    struct kp_subject subject = {.shim = found ? shim : "", .shim_places = shim};
    struct report report = {.colored = kp_color_wanted(color, stdout)};
    unsigned sets = KP_CHECK_SETUP | (count ? examine_operand(&subject, &program, &facts, operands[0]) : 0);

    kp_json_init(&report.json, stdout, 2);
    if (as_json) {
        kp_json_begin_object(&report.json, NULL);
        kp_json_begin_array(&report.json, "checks");
    }
    kp_checks_run(&subject, sets, visit, &report);
    if (with_trial)
        examine_by_trial(&subject, &facts, &report);
    print_end(&report);
    kp_program_close(&program);
    kp_trace_facts_free(facts);
    return report.counts[KP_VERDICT_FAIL] ? KP_EXIT_DAMAGED : KP_EXIT_FINE;
}

const struct kp_command kp_command_doctor = {
    .name = "doctor",
    .arguments = "[PROGRAM [ARGUMENT...] | PID | FILE.kpt]",
    .summary = "say why nothing is traced",
    .description =
        "Checks this machine, this installation and the KPROBE_ variables; then a program (through the "
        "interpreter "
        "lines of scripts, without running anything unless --trial is given), a running process, or a trace. "
        "Each line is ok, note, "
        "warn or "
        "fail, the latter two with a remedy. Ends with status 1 when a check failed.\n\n"
        "For a process, the options and folders checked are those of this shell, not those of the process.",
    .options = options,
    .examples = examples,
    .stops_at_operand = true,
    .run = doctor,
};
