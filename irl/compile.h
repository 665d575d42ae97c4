/* One run of the compiler, as the host tool and `kprobe irl` ask for it: models in, files of code out. */
#ifndef KP_IRL_COMPILE_H
#define KP_IRL_COMPILE_H

#include "irl.h"

/* One language and where its files go. */
struct kp_irl_target {
    const struct kp_irl_backend *backend;
    const char *folder;
};

struct kp_irl_targets {
    struct kp_irl_target *items;
    size_t count, room;
};

/*
 * Reads "c,java,perl" and the folders that belong to it into `targets`: one folder for each language in the
 * same order, or one for all, which then has a folder for each language when there are several (out/c,
 * out/java). Memory is `arena`'s. Returns NULL, or what is wrong with it as a sentence.
 */
const char *kp_irl_targets_parse(struct kp_irl_targets *targets, struct kp_arena *arena,
                                 const char *languages, const char *const *folders, size_t folder_count);

/* The languages whose keywords the targets have to avoid, for kp_irl_inputs. */
unsigned kp_irl_targets_languages(const struct kp_irl_targets *targets);

/*
 * Generates the code of all targets. A model with errors is refused: nothing is written then. `dependencies`:
 * name of a file to be written with a rule for make and ninja (NULL: none) that says which models the files
 * were made from. Returns false and prints what went wrong to stderr, after "`program`: ".
 */
bool kp_irl_generate(const struct kp_irl_model *model, const struct kp_irl_targets *targets,
                     const struct kp_irl_wishes *wishes, const char *dependencies, const char *program);

#endif
