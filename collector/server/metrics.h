/* What a server counts: rows of metrics.def. */
#ifndef KP_COLLECTOR_SERVER_METRICS_H
#define KP_COLLECTOR_SERVER_METRICS_H

#include <stdint.h>
#include <stdio.h>

struct kp_metrics {
#define KP_METRIC(name, kind, help) uint64_t name;
#include "metrics.def"
#undef KP_METRIC
};

void kp_metrics_prometheus(const struct kp_metrics *metrics, FILE *file);

/* Each row: name, value, help. */
void kp_metrics_each(const struct kp_metrics *metrics,
                     void (*row)(void *user, const char *name, uint64_t value, const char *help), void *user);

#endif
