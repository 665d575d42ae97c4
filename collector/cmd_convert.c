/* kprobe convert: a trace in a format of other tools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "export/exporter.h"
#include "session.h"
#include "model/calltree.h"
#include "util/escape.h"

static const char *type, *output, *weight = "time";
static bool no_demangle;

static const struct kp_option_row options[] = {
    {'t', "type", KP_ARGUMENT_CHOICE, "FORMAT",
     "chrome: Trace Event JSON for Perfetto; collapsed: stacks for flame graphs; csv: a line per call",
     KP_EXPORTER_CHOICES, &type},
    {'o', "output", KP_ARGUMENT_STRING, "OUT", "the file to write (default: standard output)", NULL, &output},
    {'w', "weight", KP_ARGUMENT_CHOICE, "WHAT", "collapsed: weigh stacks by own nanoseconds or by calls",
     "time|calls", &weight},
    KP_OPTION_NO_DEMANGLE(no_demangle),
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe convert -t chrome -o trace.json kprobe.4711.kpt", "open trace.json at ui.perfetto.dev"},
    {"kprobe convert -t collapsed kprobe.4711.kpt | flamegraph.pl > flame.svg", "a flame graph"},
    {NULL, NULL},
};

static void export_all(struct kp_session *session, const struct kp_exporter *exporter, FILE *file)
{
    struct kp_export_options wishes = {.weight_calls = !strcmp(weight, "calls"),
                                       .c_functions = session->c_functions};
    void *export = exporter->create(file, &wishes);
    struct kp_calltree *tree = kp_calltree_create(exporter->calls, export);
    struct kp_item item;
    while (kp_session_next(session, &item)) {
        if (exporter->item)
            exporter->item(export, &item);
        kp_calltree_feed(tree, &item);
    }
    kp_calltree_finish(tree);
    exporter->finish(export);
    exporter->destroy(export);
    kp_calltree_destroy(tree);
}

/* Truncating the trace that is to be read would destroy it. */
static bool is_an_input(int count, char **operands)
{
    struct stat out, in;
    if (stat(output, &out) || !S_ISREG(out.st_mode))
        return false;
    for (int i = 0; i < count; i++)
        if (!stat(operands[i], &in) && in.st_dev == out.st_dev && in.st_ino == out.st_ino)
            return true;
    return false;
}

static FILE *open_output(const struct kp_command *command)
{
    if (!output || !strcmp(output, "-"))
        return stdout;
    FILE *file = fopen(output, "we");
    if (!file) {
        char *name = kp_escape(output);
        fprintf(stderr, "kprobe %s: cannot write %s: %s\n", command->name, name, strerror(errno));
        free(name);
    }
    return file;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    if (!type)
        return kp_usage_error(command, "--type is missing: %s is allowed", KP_EXPORTER_CHOICES);
    const struct kp_exporter *exporter = kp_exporter_find(type);
    if (!exporter)
        return kp_usage_error(command, "--type %s: %s is allowed", type, KP_EXPORTER_CHOICES);
    if (output && is_an_input(count, operands))
        return kp_usage_error(command, "--output %s is one of the traces to be read", output);
    int status = kp_session_open(&session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, true, !no_demangle);
    FILE *file = open_output(command);
    if (file)
        export_all(&session, exporter, file);
    status = kp_session_close(&session, file == stdout ? NULL : file);
    if (!file || (file != stdout && fclose(file)))
        return KP_EXIT_DAMAGED;
    return status;
}

const struct kp_command kp_command_convert = {
    .name = "convert",
    .arguments = "[FILE...]",
    .summary = "write a trace in a format of other tools",
    .description = "Writes the calls of the traces as Chrome Trace Event JSON (Perfetto, chrome://tracing), "
                   "collapsed stacks "
                   "(flamegraph.pl, inferno, speedscope) or CSV. A generator's segments become slices of "
                   "their own in the "
                   "timeline; lost events become marks.",
    .options = options,
    .examples = examples,
    .run = run,
};
