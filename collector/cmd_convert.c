/* kprobe convert: a trace in a format of other tools. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "command.h"
#include "compression.h"
#include "export/exporter.h"
#include "session.h"
#include "model/calltree.h"
#include "util/escape.h"

static const char *type, *output, *weight = "time", *records = "events", *compress = "none", *application;
static unsigned long long file_records, file_bytes, trace_records;
static bool no_demangle;

static const struct kp_option_row options[] = {
    {'t', "type", KP_ARGUMENT_CHOICE, "FORMAT",
     "chrome: Trace Event JSON for Perfetto; collapsed: stacks for flame graphs; csv: a line per call; "
     "kieker, "
     "kieker-binary: a log for Kieker's tools, in a folder",
     KP_EXPORTER_CHOICES, &type},
    {'o', "output", KP_ARGUMENT_STRING, "OUT", "the file to write (default: standard output), or the folder",
     NULL, &output},
    {'w', "weight", KP_ARGUMENT_CHOICE, "WHAT", "collapsed: weigh stacks by own nanoseconds or by calls",
     "time|calls", &weight},
    {0, "records", KP_ARGUMENT_CHOICE, "WHAT",
     "kieker: events when calls begin and end, or an OperationExecutionRecord for each", "events|executions",
     &records},
    {0, "application", KP_ARGUMENT_STRING, "NAME",
     "kieker: traces of this application (ApplicationTraceMetadata)", NULL, &application},
    {0, "compress", KP_ARGUMENT_CHOICE, "HOW", "kieker: compression of the data files",
     KP_COMPRESSION_CHOICES, &compress},
    {0, "file-records", KP_ARGUMENT_NUMBER, "COUNT",
     "kieker: at most so many records in a data file (0: no limit)", NULL, &file_records},
    {0, "file-bytes", KP_ARGUMENT_NUMBER, "BYTES",
     "kieker: at most so many bytes in a data file before compression (0: no limit)", NULL, &file_bytes},
    {0, "trace-records", KP_ARGUMENT_NUMBER, "COUNT",
     "kieker: a trace that becomes about so long goes on as another (0: 2^30)", NULL, &trace_records},
    KP_OPTION_NO_DEMANGLE(no_demangle),
    {0, NULL, KP_ARGUMENT_NONE, NULL, NULL, NULL, NULL},
};

static const struct kp_example examples[] = {
    {"kprobe convert -t chrome -o trace.json kprobe.4711.kpt", "open trace.json at ui.perfetto.dev"},
    {"kprobe convert -t collapsed kprobe.4711.kpt | flamegraph.pl > flame.svg", "a flame graph"},
    {"kprobe convert -t kieker -o log kprobe.4711.kpt", "trace-analysis -i log -o plots ..."},
    {NULL, NULL},
};

static void feed_all(struct kp_session *session, const struct kp_exporter *exporter, void *export)
{
    struct kp_calltree *tree = exporter->calls ? kp_calltree_create(exporter->calls, export) : NULL;
    struct kp_item item;
    while (kp_session_next(session, &item)) {
        if (exporter->item)
            exporter->item(export, &item);
        if (tree)
            kp_calltree_feed(tree, &item);
    }
    if (!tree)
        return;
    kp_calltree_finish(tree);
    kp_calltree_destroy(tree);
}

/* False: it could not be written, which was said. */
static bool export_all(struct kp_session *session, const struct kp_exporter *exporter, FILE *file)
{
    struct kp_export_options wishes = {.weight_calls = !strcmp(weight, "calls"),
                                       .c_functions = session->c_functions,
                                       .command = session->command->name,
                                       .folder = output,
                                       .application = application,
                                       .compression = compress,
                                       .executions = !strcmp(records, "executions"),
                                       .records_per_file = file_records,
                                       .bytes_per_file = file_bytes,
                                       .records_per_trace = trace_records};
    void *export = exporter->create(file, &wishes);
    bool good;
    if (!export)
        return false;
    feed_all(session, exporter, export);
    good = exporter->finish(export);
    exporter->destroy(export);
    return good;
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

static int export_to_file(struct kp_session *session, const struct kp_exporter *exporter)
{
    FILE *file = open_output(session->command);
    bool good = file && export_all(session, exporter, file);
    int status = kp_session_close(session, file == stdout ? NULL : file);
    if (!good || (file != stdout && fclose(file)))
        return KP_EXIT_DAMAGED;
    return status;
}

static int export_to_folder(struct kp_session *session, const struct kp_exporter *exporter)
{
    bool good = export_all(session, exporter, NULL);
    int status = kp_session_close(session, NULL);
    return good ? status : KP_EXIT_DAMAGED;
}

static int run(const struct kp_command *command, int count, char **operands)
{
    struct kp_session session;
    if (!type)
        return kp_usage_error(command, "--type is missing: %s is allowed", KP_EXPORTER_CHOICES);
    const struct kp_exporter *exporter = kp_exporter_find(type);
    if (!exporter)
        return kp_usage_error(command, "--type %s: %s is allowed", type, KP_EXPORTER_CHOICES);
    if (exporter->folder && (!output || !*output || !strcmp(output, "-")))
        return kp_usage_error(command, "--output is missing: %s writes into a folder", type);
    if (trace_records > 1u << 30)
        return kp_usage_error(command, "--trace-records %llu: at most %u", trace_records, 1u << 30);
    if (output && is_an_input(count, operands))
        return kp_usage_error(command, "--output %s is one of the traces to be read", output);
    int status = kp_session_open(&session, command, count, operands, KP_READ_BY_TIME);
    if (status != KP_EXIT_FINE)
        return status;
    kp_session_describe(&session, true, !no_demangle);
    return exporter->folder ? export_to_folder(&session, exporter) : export_to_file(&session, exporter);
}

const struct kp_command kp_command_convert = {
    .name = "convert",
    .arguments = "[FILE...]",
    .summary = "write a trace in a format of other tools",
    .description =
        "Writes the calls of the traces as Chrome Trace Event JSON (Perfetto, chrome://tracing), "
        "collapsed stacks "
        "(flamegraph.pl, inferno, speedscope), CSV or Kieker logs. A generator's segments become "
        "slices of their own in the timeline; lost events become marks. A Kieker log holds valid "
        "traces only: what was lost is said on standard error. A folder that holds a Kieker log is "
        "never written to.",
    .options = options,
    .examples = examples,
    .run = run,
};
