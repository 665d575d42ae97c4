/* The rules of spec/irl.md 1.9 that are about the whole model; those found on the way are reported there. */
#include "stages.h"

void kp_irl_check(struct kp_irl_model *model)
{
    kp_irl_check_types(model);
}
