#include "journal.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "util/escape.h"

enum { LINES_A_SECOND = 10 };

static struct {
    unsigned said;
    uint64_t held;
} kinds[KP_JOURNAL_KINDS];

void kp_journal(enum kp_journal_kind kind, const char *format, ...)
{
    char line[1024];
    va_list arguments;
    if (kind != KP_JOURNAL_ALWAYS && kinds[kind].said++ >= LINES_A_SECOND) {
        kinds[kind].held++;
        return;
    }
    va_start(arguments, format);
    vsnprintf(line, sizeof line, format, arguments);
    va_end(arguments);
    char *text = kp_escape(line); /* it may quote a peer */
    fprintf(stderr, "kprobe serve: %s\n", text);
    free(text);
}

void kp_journal_tick(void)
{
    static const char *const names[KP_JOURNAL_KINDS] = {"", "dropped peers", "refused peers", "outputs"};
    for (int i = 0; i < KP_JOURNAL_KINDS; i++) {
        if (kinds[i].held)
            fprintf(stderr, "kprobe serve: %" PRIu64 " more lines about %s\n", kinds[i].held, names[i]);
        kinds[i].said = 0;
        kinds[i].held = 0;
    }
}
