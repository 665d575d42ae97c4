#include "exporter.h"

#include <string.h>

const struct kp_exporter *const kp_exporters[] = {
    &kp_exporter_chrome, &kp_exporter_collapsed,     &kp_exporter_csv,
    &kp_exporter_kieker, &kp_exporter_kieker_binary, NULL,
};

const struct kp_exporter *kp_exporter_find(const char *name)
{
    for (size_t i = 0; kp_exporters[i]; i++)
        if (!strcmp(kp_exporters[i]->name, name))
            return kp_exporters[i];
    return NULL;
}
