#include <stdio.h>
#include <string.h>

#include "output.h"
#include "server.h"

extern const struct kp_output_kind kp_output_trace, kp_output_kieker_text, kp_output_kieker_binary,
    kp_output_forward_tcp, kp_output_forward_tls, kp_output_forward_unix, kp_output_forward_kieker;

/* The first one is for a folder without a prefix. */
static const struct kp_output_kind *const kinds[] = {
    &kp_output_trace,       &kp_output_kieker_text,  &kp_output_kieker_binary,  &kp_output_forward_tcp,
    &kp_output_forward_tls, &kp_output_forward_unix, &kp_output_forward_kieker,
};

enum { KINDS = sizeof kinds / sizeof kinds[0] };

static const struct kp_output_kind *find(const char *text, bool forwards)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i]->forwards == forwards && !strncmp(text, kinds[i]->prefix, strlen(kinds[i]->prefix)))
            return kinds[i];
    return NULL;
}

struct kp_output *kp_output_open(struct kp_server *server, char *error, size_t bytes)
{
    bool forwards = server->settings->forward != NULL;
    const char *text = forwards ? server->settings->forward : server->settings->output, *place = text;
    const struct kp_output_kind *kind = find(text, forwards);
    if (!kind && (forwards || strchr(text, ':'))) {
        snprintf(error, bytes, "'%s': there is no such output; allowed:", text);
        for (size_t i = 0; i < KINDS; i++)
            if (kinds[i]->forwards == forwards)
                snprintf(error + strlen(error), bytes - strlen(error), " %s...", kinds[i]->prefix);
        return NULL;
    }
    if (!kind)
        kind = kinds[0];
    else if (!forwards)
        place += strlen(kind->prefix);
    struct kp_output *output = kind->open(server, place, error, bytes);
    if (output)
        output->kind = kind;
    return output;
}
