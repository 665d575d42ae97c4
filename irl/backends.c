#include "backend.h"

#include <string.h>

const struct kp_irl_backend *const kp_irl_backends[] = {
    &kp_irl_backend_c, &kp_irl_backend_java, &kp_irl_backend_perl, &kp_irl_backend_python, NULL,
};

const struct kp_irl_backend *kp_irl_backend_find(const char *name)
{
    for (const struct kp_irl_backend *const *row = kp_irl_backends; *row; row++)
        if (!strcmp((*row)->name, name))
            return *row;
    return NULL;
}
