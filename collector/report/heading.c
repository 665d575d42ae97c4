#include "heading.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/color.h"
#include "util/escape.h"
#include "util/format.h"
#include "util/memory.h"

/* The program of the first process stands for all. */
static void print_program(const struct kp_session *session, FILE *file)
{
    if (!session->process_count)
        return;
    const struct kp_process *process = session->processes[0];
    char *command = kp_escape(process->command ? process->command : "");
    fprintf(file, "# %s", command);
    if (process->interpreter && *process->interpreter)
        fprintf(file, "  (%s, engine %s, clock %s)", process->interpreter, process->engine, process->clock);
    putc('\n', file);
    free(command);
}

static void print_amount(FILE *file, uint64_t count, const char *singular, const char *plural)
{
    char text[KP_FORMAT_BYTES];
    fprintf(file, "%s %s", kp_format_count(text, count), count == 1 ? singular : plural);
}

static void print_amounts(const struct kp_heading *heading, const struct kp_session *session, FILE *file)
{
    fputs("# ", file);
    print_amount(file, session->process_count, "process", "processes");
    fputs(", ", file);
    print_amount(file, session->thread_count, "thread", "threads");
    fputs(", ", file);
    print_amount(file, heading->calls, "call", "calls");
}

static void print_losses(const struct kp_heading *heading, FILE *file, bool color)
{
    bool missing = heading->calls_lost || heading->events_lost || heading->gaps;
    enum kp_color paint = missing ? KP_COLOR_RED : KP_COLOR_NONE;
    fprintf(file, ", %s", kp_color_on(color, paint));
    print_amount(file, heading->calls_lost, "call lost", "calls lost");
    if (heading->events_lost) {
        fputs(" and ", file);
        print_amount(file, heading->events_lost, "other event", "other events");
    }
    fputs(", ", file);
    print_amount(file, heading->gaps, "gap", "gaps");
    fprintf(file, "%s\n", kp_color_off(color, paint));
}

static double probe_share(const struct kp_heading *heading)
{
    if (!heading->traced_ns)
        return 0;
    double share = 100.0 * (double)heading->probe_ns / (double)heading->traced_ns;
    return share > 100 ? 100 : share;
}

static void print_probe_cost(const struct kp_heading *heading, const struct kp_session *session, FILE *file)
{
    if (!session->process_count)
        return;
    const struct kp_process *process = session->processes[0];
    if (process->clock && !strcmp(process->clock, "none")) {
        fputs("# recorded without a clock: calls are counted, times are not known\n", file);
        return;
    }
    double pair_ns = process->probe_pair_ns;
    if (pair_ns <= 0) {
        fputs("# probe cost not calibrated: times are raw\n", file);
        return;
    }
    fprintf(file, "# probe cost %.0f ns a call, about %.1f %% of the traced time: times are %s\n", pair_ns,
            probe_share(heading), heading->compensated ? "without it" : "raw (--compensated: without it)");
}

void kp_heading_print(const struct kp_heading *heading, const struct kp_session *session, FILE *file,
                      bool color)
{
    print_program(session, file);
    print_amounts(heading, session, file);
    print_losses(heading, file, color);
    print_probe_cost(heading, session, file);
}

void kp_heading_json(const struct kp_heading *heading, const struct kp_session *session, struct kp_json *json)
{
    const struct kp_process *process = session->process_count ? session->processes[0] : NULL;
    kp_json_string(json, "command", process && process->command ? process->command : "");
    kp_json_number(json, "processes", session->process_count);
    kp_json_number(json, "threads", session->thread_count);
    kp_json_number(json, "calls", heading->calls);
    kp_json_number(json, "calls_lost", heading->calls_lost);
    kp_json_number(json, "events_lost", heading->events_lost);
    kp_json_number(json, "gaps", heading->gaps);
    kp_json_number(json, "traced_ns", heading->traced_ns);
    kp_json_number(json, "probe_ns", heading->probe_ns);
    kp_json_real(json, "probe_pair_ns", process ? process->probe_pair_ns : 0, 1);
    kp_json_real(json, "probe_inner_ns", process ? process->probe_inner_ns : 0, 1);
    kp_json_bool(json, "compensated", heading->compensated);
}

char *kp_heading_location(const char *file, uint32_t line)
{
    char *escaped = kp_escape(file);
    if (!line)
        return escaped;
    char *location = kp_format_text("%s:%" PRIu32, escaped, line);
    free(escaped);
    return location;
}
