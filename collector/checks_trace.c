/* Checks of a trace: what the traced process itself said about engines, rules and losses. */
#include "checks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trace/reader.h"

/* Rules of a process; hits come behind the texts. */
enum { MAX_RULES = 256, MAX_COUNTS = 16 };

/* A number that processes say about their C functions (native.*), added up over processes. */
struct count {
    char key[32];
    const struct kp_process *process; /* the last one that said it */
    uint64_t last, before;
};

struct kp_trace_facts {
    char error[512]; /* why it cannot be read; "" when it can */
    char interpreters[256], engines[256], declined[1024], messages[1024], idle_rules[1024];
    char *rules[MAX_RULES];
    char refused[1024], unseen[1024]; /* what was not hooked, and what no hook sees */
    struct count counts[MAX_COUNTS];
    bool warned; /* a message is a warning or an error */
    unsigned processes, incomplete, alive, damages, rule_count;
    uint64_t calls, lost;
};

/* Adds `text` to a list once; what no longer fits is left out, visibly. */
static void append(char *list, size_t bytes, const char *text)
{
    size_t used = strlen(list);
    if (!*text || strstr(list, text) || used + 4 >= bytes)
        return;
    if (snprintf(list + used, bytes - used, "%s%s", used ? "; " : "", text) >= (int)(bytes - used))
        strcpy(list + bytes - 4, "...");
}

static void take_rule(struct kp_trace_facts *facts, unsigned index, const char *field, const char *value)
{
    if (index >= MAX_RULES)
        return;
    if (!strcmp(field, "text")) {
        free(facts->rules[index]);
        facts->rules[index] = strdup(value);
    } else if (!strcmp(field, "hits") && facts->rules[index]) {
        facts->rule_count++;
        if (!strcmp(value, "0"))
            append(facts->idle_rules, sizeof facts->idle_rules, facts->rules[index]);
    }
}

/* What a process says again replaces what it said before. */
static void take_count(struct kp_trace_facts *facts, const struct kp_process *process, const char *key,
                       const char *value)
{
    for (size_t i = 0; i < MAX_COUNTS; i++) {
        struct count *count = &facts->counts[i];
        if (*count->key && strcmp(count->key, key) != 0)
            continue;
        snprintf(count->key, sizeof count->key, "%s", key);
        if (count->process != process)
            count->before += count->last;
        count->process = process;
        count->last = strtoull(value, NULL, 10);
        return;
    }
}

static uint64_t count_of(const struct kp_trace_facts *facts, const char *key)
{
    for (size_t i = 0; i < MAX_COUNTS; i++)
        if (!strcmp(facts->counts[i].key, key))
            return facts->counts[i].before + facts->counts[i].last;
    return 0;
}

static void take_meta(struct kp_trace_facts *facts, const struct kp_process *process, const char *key,
                      const char *value)
{
    unsigned index;
    char field[16], text[512];
    if (sscanf(key, "rule.%u.%15s", &index, field) == 2) {
        take_rule(facts, index, field, value);
    } else if (!strncmp(key, "message.", 8)) {
        append(facts->messages, sizeof facts->messages, value);
        facts->warned |= !strncmp(value, "warn", 4) || !strncmp(value, "error", 5);
    } else if (!strncmp(key, "engine.", 7)) {
        snprintf(text, sizeof text, "not %s: %s", key + 7, value);
        append(facts->declined, sizeof facts->declined, text);
    } else if (!strcmp(key, "native.refused")) {
        append(facts->refused, sizeof facts->refused, value);
    } else if (!strncmp(key, "native.", 7)) {
        take_count(facts, process, key + 7, value);
    } else if (!strcmp(key, "builtins.unseen") && strcmp(value, "none") != 0) {
        append(facts->unseen, sizeof facts->unseen, value);
    }
}

static void take_process(struct kp_trace_facts *facts, const struct kp_process *process)
{
    facts->processes++;
    facts->incomplete += !process->complete;
    facts->alive += process->alive;
    append(facts->interpreters, sizeof facts->interpreters, process->interpreter);
    append(facts->engines, sizeof facts->engines, process->engine);
}

static void take_item(struct kp_trace_facts *facts, const struct kp_item *item)
{
    switch (item->kind) {
    case KP_ITEM_META:
        take_meta(facts, item->process, item->key, item->value);
        break;
    case KP_ITEM_DAMAGE:
        facts->damages++;
        break;
    case KP_ITEM_THREAD_END:
        facts->calls += item->thread->calls_read;
        facts->lost += item->thread->calls_lost_read;
        break;
    case KP_ITEM_PROCESS_END:
        take_process(facts, item->process);
        break;
    default:
        break;
    }
}

struct kp_trace_facts *kp_trace_facts_read(const char *path)
{
    struct kp_reader *reader;
    struct kp_item item;
    struct kp_trace_facts *facts = calloc(1, sizeof *facts);
    if (!facts)
        abort();
    if (kp_reader_open(&reader, &path, 1, 0, facts->error, sizeof facts->error) != KP_OK)
        return facts;
    facts->error[0] = 0;
    enum kp_status status;
    while ((status = kp_reader_next(reader, &item)) == KP_OK)
        take_item(facts, &item);
    if (status != KP_END)
        snprintf(facts->error, sizeof facts->error, "%s: %s", path, kp_status_text(status));
    kp_reader_close(reader);
    return facts;
}

struct kp_trace_facts *kp_trace_facts_of_log(const char *path)
{
    static const char prefix[] = "kprobe: error: ";
    char *line = NULL;
    size_t capacity = 0;
    struct kp_trace_facts *facts = calloc(1, sizeof *facts);
    FILE *file = fopen(path, "re");
    if (!facts)
        abort();
    while (file && getline(&line, &capacity, file) > 0) {
        line[strcspn(line, "\n")] = 0;
        if (!strncmp(line, prefix, strlen(prefix)))
            append(facts->declined, sizeof facts->declined, line + strlen(prefix));
        else
            append(facts->messages, sizeof facts->messages, line);
        facts->warned = true;
    }
    if (!file || (!*facts->declined && !*facts->messages))
        snprintf(facts->error, sizeof facts->error,
                 "nothing was traced, and the process said nothing about it");
    free(line);
    if (file)
        fclose(file);
    return facts;
}

void kp_trace_facts_free(struct kp_trace_facts *facts)
{
    for (size_t i = 0; facts && i < MAX_RULES; i++)
        free(facts->rules[i]);
    free(facts);
}

static enum kp_verdict test_readable(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (*facts->error)
        return kp_check_say(text, KP_VERDICT_FAIL, "%s", facts->error);
    if (!facts->processes)
        return KP_VERDICT_NONE;
    if (facts->damages)
        return kp_check_say(text, KP_VERDICT_FAIL, "%u damaged places", facts->damages);
    return kp_check_say(text, KP_VERDICT_OK, "%u %s", facts->processes,
                        facts->processes == 1 ? "process" : "processes");
}

static enum kp_verdict test_end(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (facts->alive)
        return kp_check_say(text, KP_VERDICT_NOTE, "still being written");
    if (facts->incomplete)
        return kp_check_say(text, KP_VERDICT_NOTE, "%u of them did not end in order (killed, _exit, crash)",
                            facts->incomplete);
    return KP_VERDICT_NONE;
}

static enum kp_verdict test_interpreter(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (!facts->processes)
        return KP_VERDICT_NONE;
    if (!*facts->interpreters)
        return kp_check_say(text, *facts->counts[0].key ? KP_VERDICT_NOTE : KP_VERDICT_WARN,
                            "no interpreter was found in the process%s",
                            *facts->counts[0].key ? ": its C functions were looked at" : "");
    return kp_check_say(text, KP_VERDICT_OK, "%s", facts->interpreters);
}

static enum kp_verdict test_trace_engine(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (!*facts->interpreters && !*facts->declined)
        return KP_VERDICT_NONE;
    return kp_check_say(text, *facts->engines ? KP_VERDICT_OK : KP_VERDICT_FAIL, "%s%s%s",
                        *facts->engines ? facts->engines : "none took the interpreter",
                        *facts->declined ? "; " : "", facts->declined);
}

static enum kp_verdict test_rules(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (*facts->idle_rules)
        return kp_check_say(text, KP_VERDICT_WARN, "matched nothing: %s", facts->idle_rules);
    if (!facts->rule_count)
        return KP_VERDICT_NONE;
    return kp_check_say(text, KP_VERDICT_OK, "each of %u matched something", facts->rule_count);
}

static enum kp_verdict test_messages(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (!*facts->messages)
        return KP_VERDICT_NONE;
    return kp_check_say(text, facts->warned ? KP_VERDICT_WARN : KP_VERDICT_NOTE, "%s", facts->messages);
}

/* Slots that were hooked against those that were not; anything else that processes count goes along. */
static enum kp_verdict test_hooked(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (!*facts->counts[0].key)
        return KP_VERDICT_NONE;
    uint64_t patched = count_of(facts, "got.patched");
    for (size_t i = 0, used = 0; i < MAX_COUNTS && *facts->counts[i].key; i++)
        used += (size_t)snprintf(text + used, KP_CHECK_TEXT_BYTES - used, "%s%s %" PRIu64, i ? ", " : "",
                                 facts->counts[i].key, facts->counts[i].before + facts->counts[i].last);
    return patched ? KP_VERDICT_OK : KP_VERDICT_WARN;
}

static enum kp_verdict test_refused(const struct kp_subject *subject, char *text)
{
    return *subject->trace->refused ? kp_check_say(text, KP_VERDICT_NOTE, "%s", subject->trace->refused)
                                    : KP_VERDICT_NONE;
}

static enum kp_verdict test_unseen(const struct kp_subject *subject, char *text)
{
    return *subject->trace->unseen ? kp_check_say(text, KP_VERDICT_NOTE, "%s", subject->trace->unseen)
                                   : KP_VERDICT_NONE;
}

static enum kp_verdict test_calls(const struct kp_subject *subject, char *text)
{
    const struct kp_trace_facts *facts = subject->trace;
    if (!facts->processes)
        return KP_VERDICT_NONE;
    if (facts->lost)
        return kp_check_say(text, KP_VERDICT_WARN, "%" PRIu64 " calls, %" PRIu64 " more were lost",
                            facts->calls, facts->lost);
    return kp_check_say(text, facts->calls ? KP_VERDICT_OK : KP_VERDICT_WARN, "%" PRIu64 " calls",
                        facts->calls);
}

const struct kp_check kp_checks_trace[] = {
    {KP_CHECK_TRACE, false, "trace", test_readable,
     "what is readable is read: kprobe verify says where the damage is"},
    {KP_CHECK_TRACE, false, "end", test_end, ""},
    {KP_CHECK_TRACE, false, "interpreter", test_interpreter,
     "without an interpreter only C functions are traced, by rules such as '+libc.so.6:*'"},
    {KP_CHECK_TRACE, false, "engine", test_trace_engine, "set KPROBE_ENGINE=auto, or use another CPython"},
    {KP_CHECK_TRACE, false, "rules", test_rules,
     "kprobe dump shows names as rules see them, kprobe list those of C functions: OBJECT:SYMBOL"},
    {KP_CHECK_TRACE, false, "C functions", test_hooked,
     "no slot was hooked: kprobe list PROGRAM shows which functions it calls, and their names in rules"},
    {KP_CHECK_TRACE, false, "not hooked", test_refused, ""},
    {KP_CHECK_TRACE, false, "not seen", test_unseen, ""},
    {KP_CHECK_TRACE, false, "messages", test_messages, ""},
    {KP_CHECK_TRACE, false, "calls", test_calls,
     "nothing ran that a rule matches, or calls were lost: raise KPROBE_BUFFER, or KPROBE_ON_FULL=block"},
    {0},
};
