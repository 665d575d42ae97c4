#include "record_facts.h"

#include <string.h>

#include "util/memory.h"

enum { ROOM = 1024 }; /* a power of two, far more than there are classes */

static bool is(const struct kieker_field *field, const char *name, enum kieker_kind kind)
{
    return field->kind == kind && !field->dimension_count && !strcmp(field->name, name);
}

static void note(struct kp_record_facts *facts, const struct kieker_field *field, unsigned *ids,
                 unsigned *times)
{
    static const char *const id_names[] = {"traceId", "parentTraceId", "joinedTraceId"};
    static const char *const time_names[] = {"timestamp", "tin", "tout"};
    for (size_t i = 0; i < 3; i++) {
        if (*ids < KP_FACTS_IDS && is(field, id_names[i], KIEKER_LONG))
            facts->ids[(*ids)++] = (int)field->offset;
        if (*times < KP_FACTS_TIMES && is(field, time_names[i], KIEKER_LONG))
            facts->times[(*times)++] = (int)field->offset;
    }
    if (is(field, "callerTraceId", KIEKER_LONG))
        facts->foreign_id = (int)field->offset;
    if (is(field, "hostname", KIEKER_STRING))
        facts->host = (int)field->offset;
}

static enum kp_record_role role_of(const char *java_class)
{
    const char *name = strrchr(java_class, '.');
    name = name ? name + 1 : java_class;
    if (!strcmp(name, "TraceMetadata") || !strcmp(name, "ApplicationTraceMetadata"))
        return KP_ROLE_TRACE;
    if (!strcmp(name, "OperationExecutionRecord"))
        return KP_ROLE_EXECUTION;
    if (!strstr(java_class, ".flow.trace.operation."))
        return KP_ROLE_OTHER;
    if (!strncmp(name, "Before", 6) || !strncmp(name, "EntryLevelBefore", 16))
        return KP_ROLE_BEFORE;
    return !strncmp(name, "After", 5) ? KP_ROLE_AFTER : KP_ROLE_OTHER;
}

static void look(struct kp_record_facts *facts, const struct kieker_record_type *type)
{
    unsigned ids = 0, times = 0;
    *facts = (struct kp_record_facts){.type = type,
                                      .role = role_of(type->java_class),
                                      .ids = {-1, -1, -1},
                                      .times = {-1, -1},
                                      .foreign_id = -1,
                                      .host = -1};
    for (size_t i = 0; i < type->field_count; i++)
        note(facts, &type->fields[i], &ids, &times);
    facts->timestamp = facts->times[1] >= 0 ? facts->times[1] : facts->times[0];
}

const struct kp_record_facts *kp_record_facts(const struct kieker_record_type *type)
{
    static struct kp_record_facts table[ROOM];
    size_t at = ((uintptr_t)type >> 4) * 0x9e3779b1u & (ROOM - 1);
    while (table[at].type && table[at].type != type)
        at = (at + 1) & (ROOM - 1);
    if (!table[at].type)
        look(&table[at], type);
    return &table[at];
}
