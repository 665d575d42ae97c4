/*
 * What is wrong with a model: collected while it is read, printed as compilers do:
 *
 *     flow.irl:12:9: error: unknown type 'strng'; did you mean 'string'? [IRL010]
 *        12 |         strng name
 *           |         ^~~~~
 */
#ifndef KP_IRL_REPORT_H
#define KP_IRL_REPORT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

#include "model.h"

enum kp_irl_severity { KP_IRL_NOTE, KP_IRL_WARNING, KP_IRL_ERROR };

/* The codes of spec/irl.md 1.9 with their severity: rows of codes.def. KP_IRL_001 ... */
enum kp_irl_code {
#define KP_IRL_CODE(number, severity, title) KP_IRL_##number,
#include "codes.def"
#undef KP_IRL_CODE
    KP_IRL_CODE_COUNT
};

struct kp_irl_reports;

struct kp_irl_reports *kp_irl_reports_create(void);
void kp_irl_reports_destroy(struct kp_irl_reports *reports);

/* Adds a report at a place. Its severity is that of the code. The same text at the same place is added once.
 */
void kp_irl_report(struct kp_irl_reports *reports, enum kp_irl_code code, struct kp_irl_span span,
                   const char *format, ...) __attribute__((format(printf, 4, 5)));

void kp_irl_vreport(struct kp_irl_reports *reports, enum kp_irl_code code, struct kp_irl_span span,
                    const char *format, va_list arguments) __attribute__((format(printf, 4, 0)));

enum kp_irl_severity kp_irl_code_severity(enum kp_irl_code code);

/* Adds to the newest report: "note: first declared here". */
void kp_irl_report_note(struct kp_irl_reports *reports, struct kp_irl_span span, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

size_t kp_irl_reports_errors(const struct kp_irl_reports *reports);
size_t kp_irl_reports_warnings(const struct kp_irl_reports *reports);

/* Prints all in order of files and places. `color`: with escape sequences. At most `most` errors (0: all),
 * then a line that says how many more there are. */
void kp_irl_reports_print(const struct kp_irl_reports *reports, FILE *file, bool color, size_t most);

/* Line and column (both from 1; columns count code points, a tab is one) of an offset. */
void kp_irl_place(const struct kp_irl_file *file, uint32_t offset, unsigned *line, unsigned *column);

#endif
