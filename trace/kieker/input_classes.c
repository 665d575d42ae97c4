#include "input_records.h"

#include <string.h>

#include "kp_kieker.h"

#define OPERATION "kieker.common.record.flow.trace.operation."
#define THREAD    "kieker.common.record.flow.thread."
#define EXECUTION "kieker.common.record.controlflow.OperationExecutionRecord"

static const struct row {
    const char *java_class;
    enum kp_kieker_event_kind kind;
    char tail;
    bool by_thread;
} rows[] = {
    {OPERATION "BeforeOperationEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_NONE, false},
    {OPERATION "AfterOperationEvent", KP_KIEKER_AFTER, KP_KIEKER_TAIL_NONE, false},
    {OPERATION "AfterOperationFailedEvent", KP_KIEKER_AFTER_FAILED, KP_KIEKER_TAIL_STRING, false},
    {OPERATION "CallOperationEvent", KP_KIEKER_CALL, KP_KIEKER_TAIL_TWO_STRINGS, false},
    {OPERATION "EntryLevelBeforeOperationEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_OTHER, false},
    {OPERATION "constructor.BeforeConstructorEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_NONE, false},
    {OPERATION "constructor.AfterConstructorEvent", KP_KIEKER_AFTER, KP_KIEKER_TAIL_NONE, false},
    {OPERATION "constructor.AfterConstructorFailedEvent", KP_KIEKER_AFTER_FAILED, KP_KIEKER_TAIL_STRING,
     false},
    {OPERATION "constructor.CallConstructorEvent", KP_KIEKER_CALL, KP_KIEKER_TAIL_TWO_STRINGS, false},
    {OPERATION "constructor.object.BeforeConstructorObjectEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_INT,
     false},
    {OPERATION "constructor.object.BeforeConstructorObjectInterfaceEvent", KP_KIEKER_BEFORE,
     KP_KIEKER_TAIL_OTHER, false},
    {OPERATION "constructor.object.AfterConstructorObjectEvent", KP_KIEKER_AFTER, KP_KIEKER_TAIL_INT, false},
    {OPERATION "constructor.object.AfterConstructorFailedObjectEvent", KP_KIEKER_AFTER_FAILED,
     KP_KIEKER_TAIL_STRING_INT, false},
    {OPERATION "constructor.object.CallConstructorObjectEvent", KP_KIEKER_CALL, KP_KIEKER_TAIL_OTHER, false},
    {OPERATION "object.BeforeOperationObjectEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_INT, false},
    {OPERATION "object.BeforeOperationObjectInterfaceEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_OTHER, false},
    {OPERATION "object.AfterOperationObjectEvent", KP_KIEKER_AFTER, KP_KIEKER_TAIL_INT, false},
    {OPERATION "object.AfterOperationFailedObjectEvent", KP_KIEKER_AFTER_FAILED, KP_KIEKER_TAIL_STRING_INT,
     false},
    {OPERATION "object.CallOperationObjectEvent", KP_KIEKER_CALL, KP_KIEKER_TAIL_OTHER, false},
    {OPERATION "object.EntryLevelBeforeOperationObjectEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_OTHER, false},
    {THREAD "BeforeThreadBasedEvent", KP_KIEKER_BEFORE, KP_KIEKER_TAIL_NONE, true},
    {THREAD "AfterThreadBasedEvent", KP_KIEKER_AFTER, KP_KIEKER_TAIL_NONE, true},
    {THREAD "AfterFailedThreadBasedEvent", KP_KIEKER_AFTER_FAILED, KP_KIEKER_TAIL_STRING, true},
    {EXECUTION, KP_KIEKER_EXECUTION, KP_KIEKER_TAIL_EXECUTION, false},
};

/* Names that classes had before Kieker 1.5, back to Tpmon. */
static const struct {
    const char *old, *now;
} renamed[] = {
    {"kieker.common.record.OperationExecutionRecord", EXECUTION},
    {"kieker.tpmon.monitoringRecord.executions.KiekerExecutionRecord", EXECUTION},
    {"kieker.tpmon.monitoringRecord.KiekerExecutionRecord", EXECUTION},
    {"kieker.tpmon.KiekerExecutionRecord", EXECUTION},
};

/* The text mode of the Python pack names a class by module and name, without a dot in between. */
static const char *const of_python_pack[] = {
    OPERATION "BeforeOperationEvent",
    OPERATION "AfterOperationEvent",
    OPERATION "AfterOperationFailedEvent",
    OPERATION "CallOperationEvent",
    OPERATION "object.BeforeOperationObjectEvent",
    OPERATION "object.AfterOperationObjectEvent",
    OPERATION "object.CallOperationObjectEvent",
    "kieker.common.record.flow.trace.TraceMetadata",
};

static const struct row *find_row(const char *java_class)
{
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (!strcmp(rows[i].java_class, java_class))
            return &rows[i];
    return NULL;
}

enum kp_kieker_event_kind kp_kieker_event_kind(const char *java_class, bool *by_thread)
{
    const struct row *row = find_row(java_class);

    *by_thread = row && row->by_thread;
    return row ? row->kind : KP_KIEKER_NO_EVENT;
}

static const char *present_name(const char *name)
{
    size_t bytes = strlen(name);

    for (size_t i = 0; i < sizeof renamed / sizeof *renamed; i++)
        if (!strcmp(renamed[i].old, name))
            return renamed[i].now;
    if (!strstr(name, "monitoring.record."))
        return name;
    for (size_t i = 0; i < sizeof of_python_pack / sizeof *of_python_pack; i++) {
        const char *simple = strrchr(of_python_pack[i], '.') + 1;
        size_t simple_bytes = strlen(simple);

        if (bytes > simple_bytes && !strcmp(name + bytes - simple_bytes, simple))
            return of_python_pack[i];
    }
    return name;
}

void kp_kieker_class_find(struct kp_kieker_class *entry, const char *name)
{
    const char *present = name ? present_name(name) : NULL;
    const struct row *row = name ? find_row(present) : NULL;

    *entry = (struct kp_kieker_class){.looked_up = true,
                                      .name = name,
                                      .type = name ? kp_kieker_find(present) : NULL,
                                      .kind = row ? (uint8_t)row->kind : KP_KIEKER_NO_EVENT,
                                      .tail = row ? row->tail : KP_KIEKER_TAIL_OTHER,
                                      .by_thread = row && row->by_thread};
}
