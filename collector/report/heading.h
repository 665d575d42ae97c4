/* The lines above a report: which program, how much was traced, what is missing. */
#ifndef KP_COLLECTOR_REPORT_HEADING_H
#define KP_COLLECTOR_REPORT_HEADING_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "session.h"
#include "util/json.h"

struct kp_heading {
    uint64_t calls;
    uint64_t calls_lost, events_lost, gaps;
    uint64_t traced_ns; /* sum of self times */
    uint64_t probe_ns;  /* estimated part of it that is the probes' */
    bool compensated;   /* the report shows times without it */
};

/* As text; escaped, losses in colour. */
void kp_heading_print(const struct kp_heading *heading, const struct kp_session *session, FILE *file,
                      bool color);

/* As members of the JSON object that is open. */
void kp_heading_json(const struct kp_heading *heading, const struct kp_session *session,
                     struct kp_json *json);

/* "app/orders.py:12" of a definition ("" when unknown): escaped, in new memory. */
char *kp_heading_location(const char *file, uint32_t line);

#endif
