/*
 * Engine `profile`: PyEval_SetProfile, the last resort.
 */
#include <stdio.h>

#include "cpython.h"
#include "engine.h"
#include "core.h"

static bool attach(void *interpreter, char *reason, size_t reason_bytes)
{
    (void)interpreter;
    snprintf(reason, reason_bytes, "not written yet");
    return false;
}

const struct kp_engine kp_engine_profile = {
    .name = "profile", .choice = KP_ENGINE_PROFILE, .minor_min = 8, .attach = attach};
