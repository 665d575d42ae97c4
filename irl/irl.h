/*
 * The compiler of the Instrumentation Record Language (spec/irl.md): from .irl files to a checked model, and
 * from that to code. Used by the host tool of the build (irl/main.c) and by `kprobe irl`.
 */
#ifndef KP_IRL_IRL_H
#define KP_IRL_IRL_H

#include <stdbool.h>
#include <stdio.h>

#include "backend.h"
#include "model.h"
#include "report.h"

struct kp_irl_inputs {
    const char *const
        *files; /* files or folders (searched for *.irl, in order of names); "-" is standard input */
    size_t file_count;
    const char *const *references; /* -I: as files, but loaded for reference only */
    size_t reference_count;
    bool without_builtin; /* Kieker's own models are not added */
    unsigned languages;   /* enum kp_irl_language: warn of the keywords of these only; 0: of all */
};

/*
 * Reads, links and checks the models. Reports say what is wrong; kp_irl_reports_errors() counts. The model is
 * always returned (NULL: no memory) and may be incomplete after errors; kp_irl_model_destroy frees it with
 * its reports. Steps, one file each: load, (parse), resolve, derive, unfold, check.
 */
struct kp_irl_model *kp_irl_read(const struct kp_irl_inputs *inputs);
void kp_irl_model_destroy(struct kp_irl_model *model);

/* The steps; each may report. resolve.c, derive.c, unfold.c, check.c run on what the parser made (load.c). */
bool kp_irl_load(struct kp_irl_model *model, const struct kp_irl_inputs *inputs);
bool kp_irl_parse(struct kp_irl_model *model,
                  struct kp_irl_file *file); /* irl.y; false: file has syntax errors */
void kp_irl_resolve(struct kp_irl_model *model);
void kp_irl_derive(struct kp_irl_model *model);
void kp_irl_unfold(struct kp_irl_model *model);
void kp_irl_check(struct kp_irl_model *model);

/* serialVersionUID of an event (spec/irl.md 2.1.1). */
int64_t kp_irl_uid(const struct kp_irl_declaration *event);

/* SIZE: the fewest bytes of an event on the wire (spec/irl.md 2.1, rule at the end of the defects). */
uint64_t kp_irl_minimum_bytes(const struct kp_irl_declaration *event);

/* Kieker's own models, built in: irl/models, each with its file name. Ends with a row without a name. */
struct kp_irl_builtin {
    const char *name;
    const char *text;
    size_t text_bytes;
};
extern const struct kp_irl_builtin kp_irl_builtins[];

#endif
