#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import_private.h"
#include "kp_kieker.h"

/* --- what all parts use --- */

bool kp_import_check(struct kp_kieker_import *import, enum kp_status status)
{
    if (import->status == KP_OK)
        import->status = status;
    return import->status == KP_OK;
}

static struct kp_text text_of(const char *text)
{
    return (struct kp_text){text ? text : "", text ? strlen(text) : 0};
}

/* Notes, and what else is said of the whole, go to the first section. */
static struct kp_import_section *first_section(struct kp_kieker_import *import)
{
    const char *host = import->host ? import->host : import->options.host;

    return import->sections ? import->sections : kp_import_section(import, text_of(host), text_of(NULL));
}

void kp_import_note(struct kp_kieker_import *import, uint64_t offset, const char *format, ...)
{
    struct kp_import_section *section = first_section(import);
    char text[600];
    va_list arguments;
    int used;

    if (!section || import->notes++ >= KP_IMPORT_NOTES)
        return;
    used = offset == KP_IMPORT_NOWHERE ? snprintf(text, sizeof text, "- ")
                                       : snprintf(text, sizeof text, "%" PRIu64 " ", offset);
    va_start(arguments, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, arguments);
    va_end(arguments);
    kp_import_meta(section, KP_META_DAMAGE, text);
}

bool kp_import_spend(struct kp_kieker_import *import, size_t bytes)
{
    if (bytes > import->options.most_bytes || import->waiting_bytes > import->options.most_bytes - bytes)
        return false;
    import->waiting_bytes += bytes;
    return true;
}

void kp_import_give_up(struct kp_kieker_import *import)
{
    kp_import_note(import, KP_IMPORT_NOWHERE, "too much waits for what is missing: its traces are cut");
    kp_import_traces_give_up(import);
    kp_import_executions_give_up(import);
}

/*
 * A log that says nothing of its unit has nanoseconds, as analyses expect, unless its times would be of
 * before 1973: the C pack's are microseconds.
 */
static void guess_unit(struct kp_kieker_import *import, int64_t time)
{
    import->time_known = true;
    import->time_factor = time >= INT64_C(100000000000000) && time < INT64_C(100000000000000000) ? 1000 : 1;
}

uint64_t kp_import_time(struct kp_kieker_import *import, int64_t time)
{
    int64_t ns;

    if (!import->time_known)
        guess_unit(import, time);
    if (__builtin_add_overflow(time, import->time_offset, &ns) ||
        __builtin_mul_overflow(ns, import->time_factor, &ns) || ns < 0)
        return 0;
    return (uint64_t)ns;
}

/* --- records that say something of the log --- */

static void keep(struct kp_kieker_import *import, char **place, const char *text)
{
    char *copy = strdup(text);

    if (!copy)
        kp_import_check(import, KP_ERROR_NO_MEMORY);
    free(*place);
    *place = copy;
}

static void take_unit(struct kp_kieker_import *import, const char *unit, int64_t offset)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"NANOSECONDS", 1},
                 {"MICROSECONDS", 1000},
                 {"MILLISECONDS", 1000000},
                 {"SECONDS", 1000000000},
                 {"MINUTES", INT64_C(60000000000)}};

    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (!strcmp(units[i].name, unit)) {
            import->time_factor = units[i].ns;
            import->time_offset = offset;
            import->time_known = true;
            return;
        }
    kp_import_note(import, KP_IMPORT_NOWHERE, "the time unit %.40s is unknown: nanoseconds are assumed",
                   unit);
}

/* Comes first, and again whenever monitoring was switched on again. */
static void take_metadata(struct kp_kieker_import *import, const void *record)
{
    const kieker_common_record_misc_kieker_metadata_record *metadata = record;
    bool first = !import->version;

    keep(import, &import->version, metadata->version);
    keep(import, &import->controller, metadata->controllerName);
    if (strcmp(metadata->hostname, "<no-hostname>"))
        keep(import, &import->host, metadata->hostname);
    import->own = !strcmp(metadata->controllerName, "kprobe");
    take_unit(import, metadata->timeUnit, metadata->timeOffset);
    if (first && metadata->experimentId && import->status == KP_OK) {
        struct kp_import_section *section = first_section(import);
        char number[16];

        snprintf(number, sizeof number, "%" PRId32, metadata->experimentId);
        if (section)
            kp_import_meta(section, "kieker experiment", number);
    }
}

static struct kp_text host_of(const struct kp_kieker_import *import, const char *host)
{
    if (strcmp(host, "<default-host>"))
        return text_of(host);
    return text_of(import->options.host ? import->options.host : host);
}

static void begin_trace(struct kp_kieker_import *import, const char *host, const char *application,
                        int64_t id, int64_t thread_id)
{
    struct kp_import_section *section =
        kp_import_section(import, host_of(import, host), text_of(application));
    struct kp_import_thread *thread = section ? kp_import_thread(section, thread_id) : NULL;

    if (thread)
        kp_import_trace_begin(import, id, thread);
}

static void take_trace(struct kp_kieker_import *import, const void *record)
{
    const kieker_common_record_flow_trace_trace_metadata *trace = record;

    begin_trace(import, trace->hostname, NULL, trace->traceId, trace->threadId);
}

static void take_application_trace(struct kp_kieker_import *import, const void *record)
{
    const kieker_common_record_flow_trace_application_trace_metadata *trace = record;
    bool named = strcmp(trace->applicationName, "<no-application-name>") != 0;

    begin_trace(import, trace->hostname, named ? trace->applicationName : NULL, trace->traceId,
                trace->threadId);
}

/* --- what is done with a class --- */

enum action { SKIP, EVENT, TICK, RECORD };

static const struct special {
    const struct kieker_record_type *type;
    void (*take)(struct kp_kieker_import *import, const void *record);
} specials[] = {
    {&kieker_common_record_misc_kieker_metadata_record_type, take_metadata},
    {&kieker_common_record_flow_trace_trace_metadata_type, take_trace},
    {&kieker_common_record_flow_trace_application_trace_metadata_type, take_application_trace},
};

/* How a class is taken, found once: where its fields are. */
struct plan {
    enum action action;
    enum kp_kieker_event_kind kind;
    bool by_thread;
    const struct special *special;
    const struct kieker_field *time, *end_time, *trace, *order, *stack, *operation, *class_name, *cause,
        *host;
};

static const struct kieker_field *find_field(const struct kieker_record_type *type, const char *name,
                                             enum kieker_kind kind)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (!strcmp(type->fields[i].name, name) && type->fields[i].kind == kind)
            return &type->fields[i];
    return NULL;
}

static void find_event_fields(struct plan *plan, const struct kieker_record_type *type)
{
    bool call = plan->kind == KP_KIEKER_CALL, execution = plan->kind == KP_KIEKER_EXECUTION;

    plan->operation =
        find_field(type, call ? "calleeOperationSignature" : "operationSignature", KIEKER_STRING);
    plan->class_name = find_field(type, call ? "calleeClassSignature" : "classSignature", KIEKER_STRING);
    plan->cause = find_field(type, "cause", KIEKER_STRING);
    plan->host = find_field(type, "hostname", KIEKER_STRING);
    plan->stack = find_field(type, "ess", KIEKER_INT);
    plan->end_time = find_field(type, "tout", KIEKER_LONG);
    if (execution) {
        plan->time = find_field(type, "tin", KIEKER_LONG);
        plan->order = find_field(type, "eoi", KIEKER_INT);
    }
    if (plan->by_thread)
        plan->trace = find_field(type, "threadId", KIEKER_LONG);
}

static void make_plan(struct plan *plan, const struct kieker_record_type *type)
{
    *plan = (struct plan){.action = SKIP};
    for (size_t i = 0; i < sizeof specials / sizeof *specials; i++)
        if (specials[i].type == type) {
            plan->special = &specials[i];
            plan->action = RECORD;
            return;
        }
    plan->kind = kp_kieker_event_kind(type->java_class, &plan->by_thread);
    plan->time = find_field(type, "timestamp", KIEKER_LONG);
    plan->trace = find_field(type, "traceId", KIEKER_LONG);
    plan->order = find_field(type, "orderIndex", KIEKER_INT);
    if (plan->kind != KP_KIEKER_NO_EVENT) {
        plan->action = EVENT;
        find_event_fields(plan, type);
    } else if (plan->time && plan->trace && plan->order) {
        plan->action = TICK;
    }
}

static const struct plan *find_plan(struct kp_kieker_import *import, const struct kieker_record_type *type)
{
    int64_t key = (int64_t)(uintptr_t)type;
    struct plan *plan = kp_key_map_get(&import->types, key);

    if (plan)
        return plan;
    plan = malloc(sizeof *plan);
    if (plan)
        make_plan(plan, type);
    if (!plan || !kp_key_map_put(&import->types, key, plan)) {
        free(plan);
        kp_import_check(import, KP_ERROR_NO_MEMORY);
        return NULL;
    }
    return plan;
}

static int64_t get_long(const void *record, const struct kieker_field *field)
{
    int64_t value = 0;

    if (field)
        memcpy(&value, (const char *)record + field->offset, sizeof value);
    return value;
}

static int32_t get_int(const void *record, const struct kieker_field *field)
{
    int32_t value = 0;

    if (field)
        memcpy(&value, (const char *)record + field->offset, sizeof value);
    return value;
}

static struct kp_text get_text(const void *record, const struct kieker_field *field)
{
    const char *value = NULL;

    if (field)
        memcpy(&value, (const char *)record + field->offset, sizeof(const char *));
    return text_of(value);
}

static void take_event_record(struct kp_kieker_import *import, const struct plan *plan, int64_t logging_ns,
                              const void *record)
{
    struct kp_kieker_event event = {.kind = plan->kind,
                                    .by_thread = plan->by_thread,
                                    .order = get_int(record, plan->order),
                                    .stack = get_int(record, plan->stack),
                                    .logging_ns = logging_ns,
                                    .time = get_long(record, plan->time),
                                    .end_time = get_long(record, plan->end_time),
                                    .trace_id = get_long(record, plan->trace),
                                    .operation = get_text(record, plan->operation),
                                    .class_name = get_text(record, plan->class_name),
                                    .cause = get_text(record, plan->cause),
                                    .host = get_text(record, plan->host)};

    kp_kieker_import_event(import, &event);
}

/* --- records that a trace does not hold --- */

static void count_skipped(struct kp_kieker_import *import, const char *java_class)
{
    size_t i = 0;

    import->counts.skipped++;
    while (i < import->skipped_count && strcmp(import->skipped[i].java_class, java_class) != 0)
        i++;
    if (i == KP_IMPORT_SKIPPED) {
        i--; /* the last one stands for all others */
    } else if (i == import->skipped_count) {
        const char *name = i + 1 == KP_IMPORT_SKIPPED ? "other classes" : java_class;

        import->skipped[i].java_class = strdup(name);
        if (!import->skipped[i].java_class) {
            kp_import_check(import, KP_ERROR_NO_MEMORY);
            return;
        }
        import->skipped_count++;
    }
    import->skipped[i].count++;
}

static void tell_count(struct kp_kieker_import *import, const char *key, uint64_t count)
{
    struct kp_import_section *section = count ? first_section(import) : NULL;
    char number[24];

    snprintf(number, sizeof number, "%" PRIu64, count);
    if (section)
        kp_import_meta(section, key, number);
}

static void tell_counts(struct kp_kieker_import *import)
{
    struct kp_import_section *section = first_section(import);
    char key[512];

    for (size_t i = 0; i < import->skipped_count; i++) {
        snprintf(key, sizeof key, "kieker: %s", import->skipped[i].java_class);
        tell_count(import, key, import->skipped[i].count);
    }
    if (section && import->controller)
        kp_import_meta(section, "kieker controller", import->controller);
    tell_count(import, "kieker records", import->counts.records);
    tell_count(import, "kieker traces", import->counts.traces);
    tell_count(import, "kieker traces without metadata", import->without_metadata);
    tell_count(import, "kieker calls seen by their callers only", import->assumed);
    tell_count(import, "kieker events with the number of the one before", import->repeated);
    tell_count(import, "kieker events dropped or cut", import->counts.invalid + import->counts.unended);
    if (import->notes > KP_IMPORT_NOTES && section) {
        uint64_t more = import->notes - KP_IMPORT_NOTES;

        import->notes = 0;
        kp_import_note(import, KP_IMPORT_NOWHERE, "and %" PRIu64 " more of the same kinds", more);
    }
}

/* --- public --- */

struct kp_kieker_import *kp_kieker_import_create(const struct kp_kieker_import_options *options)
{
    struct kp_kieker_import *import = calloc(1, sizeof *import);

    if (!import)
        return NULL;
    import->options = *options;
    if (!import->options.most_bytes)
        import->options.most_bytes = (size_t)1 << 30;
    if (import->options.most_bytes < 1 << 20)
        import->options.most_bytes = 1 << 20;
    import->time_factor = 1;
    /* Ids come from peers that may mean harm. */
    kp_key_map_scatter(&import->traces.by_id);
    kp_key_map_scatter(&import->traces.by_thread);
    kp_key_map_scatter(&import->executions);
    import->encoder = malloc(sizeof *import->encoder);
    import->out = malloc(KP_CHUNK_EVENTS_ROOM);
    if (import->encoder && import->out)
        return import;
    kp_kieker_import_destroy(import);
    return NULL;
}

enum kp_status kp_kieker_import_event(struct kp_kieker_import *import, const struct kp_kieker_event *event)
{
    import->counts.records++;
    if (event->kind == KP_KIEKER_EXECUTION)
        kp_import_execution(import, event);
    else
        kp_import_trace_event(import, event);
    return import->status;
}

enum kp_status kp_kieker_import_record(struct kp_kieker_import *import, const struct kieker_record_type *type,
                                       int64_t logging_ns, const void *record)
{
    const struct plan *plan = find_plan(import, type);

    if (!plan)
        return import->status;
    if (plan->action == EVENT) {
        take_event_record(import, plan, logging_ns, record);
        return import->status;
    }
    import->counts.records++;
    if (plan->action == RECORD) {
        plan->special->take(import, record);
        return import->status;
    }
    if (plan->action == TICK)
        kp_import_trace_tick(import, get_long(record, plan->trace), get_int(record, plan->order),
                             get_long(record, plan->time));
    count_skipped(import, type->java_class);
    return import->status;
}

void kp_kieker_import_unknown(struct kp_kieker_import *import, const char *java_class)
{
    import->counts.records++;
    count_skipped(import, java_class);
}

void kp_kieker_import_damage(struct kp_kieker_import *import, const char *file, uint64_t offset,
                             const char *text)
{
    import->counts.damages++;
    kp_import_note(import, offset, "%s%s%s", file ? file : "", file && *file ? ": " : "", text);
}

static bool op_record(void *user, const struct kieker_record_type *type, int64_t logging_ns,
                      const void *record)
{
    return kp_kieker_import_record(user, type, logging_ns, record) == KP_OK;
}

static bool op_event(void *user, const struct kp_kieker_event *event)
{
    return kp_kieker_import_event(user, event) == KP_OK;
}

static void op_unknown(void *user, const char *java_class)
{
    kp_kieker_import_unknown(user, java_class);
}

static void op_damage(void *user, const char *file, uint64_t offset, const char *text)
{
    kp_kieker_import_damage(user, file, offset, text);
}

const struct kp_kieker_input_ops kp_kieker_import_ops = {op_record, op_event, op_unknown, op_damage};

enum kp_status kp_kieker_import_flush(struct kp_kieker_import *import)
{
    kp_import_sections_flush(import);
    return import->status;
}

enum kp_status kp_kieker_import_finish(struct kp_kieker_import *import, const char *lost)
{
    kp_import_traces_finish(import);
    kp_import_executions_give_up(import);
    if (lost)
        kp_import_note(import, KP_IMPORT_NOWHERE, "%s", lost);
    tell_counts(import);
    kp_import_sections_finish(import);
    return import->status;
}

const struct kp_kieker_import_counts *kp_kieker_import_counts(const struct kp_kieker_import *import)
{
    return &import->counts;
}

void kp_kieker_import_destroy(struct kp_kieker_import *import)
{
    if (!import)
        return;
    kp_import_traces_free(import);
    kp_import_executions_free(import);
    kp_import_sections_free(import);
    kp_import_functions_free(&import->functions);
    for (size_t i = 0; import->types.entries && i <= import->types.mask; i++)
        free(import->types.entries[i].value);
    kp_key_map_free(&import->types);
    for (size_t i = 0; i < import->skipped_count; i++)
        free(import->skipped[i].java_class);
    free(import->host);
    free(import->version);
    free(import->controller);
    free(import->encoder);
    free(import->out);
    free(import);
}
