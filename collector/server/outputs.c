#include <stdio.h>
#include <string.h>

#include "output.h"
#include "server.h"

extern const struct kp_output_kind kp_output_trace;

static const struct kp_output_kind *const kinds[] = {&kp_output_trace};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

struct kp_output *kp_output_open(struct kp_server *server, const char *text, char *error, size_t bytes)
{
    const struct kp_output_kind *kind = kinds[0];
    const char *place = text;
    bool named = false;
    for (size_t i = 0; i < KINDS; i++)
        if (!strncmp(text, kinds[i]->prefix, strlen(kinds[i]->prefix))) {
            kind = kinds[i];
            place = text + strlen(kind->prefix);
            named = true;
        }
    if (!named && strchr(text, ':') && !strchr(text, '/')) {
        snprintf(error, bytes, "'%s': there is no such output", text);
        return NULL;
    }
    struct kp_output *output = kind->open(server, place, error, bytes);
    if (output)
        output->kind = kind;
    return output;
}
