#include "metrics.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>

enum kind { COUNTER, GAUGE };

static const struct {
    const char *name, *help;
    enum kind kind;
    size_t offset;
} rows[] = {
#define KP_METRIC(name, kind, help) {#name, help, kind, offsetof(struct kp_metrics, name)},
#include "metrics.def"
#undef KP_METRIC
};

enum { ROWS = sizeof rows / sizeof rows[0] };

static uint64_t value_of(const struct kp_metrics *metrics, size_t row)
{
    return *(const uint64_t *)((const char *)metrics + rows[row].offset);
}

void kp_metrics_prometheus(const struct kp_metrics *metrics, FILE *file)
{
    for (size_t i = 0; i < ROWS; i++) {
        const char *suffix = rows[i].kind == COUNTER ? "_total" : "";
        fprintf(file, "# HELP kprobe_serve_%s%s %s\n# TYPE kprobe_serve_%s%s %s\n", rows[i].name, suffix,
                rows[i].help, rows[i].name, suffix, rows[i].kind == COUNTER ? "counter" : "gauge");
        fprintf(file, "kprobe_serve_%s%s %" PRIu64 "\n", rows[i].name, suffix, value_of(metrics, i));
    }
}

void kp_metrics_each(const struct kp_metrics *metrics,
                     void (*row)(void *user, const char *name, uint64_t value, const char *help), void *user)
{
    for (size_t i = 0; i < ROWS; i++)
        row(user, rows[i].name, value_of(metrics, i), rows[i].help);
}
