#include "demangle.h"

#include <string.h>

#include <libiberty/demangle.h>
#include <stdlib.h>

#include "util/memory.h"

char *kp_demangle(const char *symbol, bool parameters)
{
    /* Only these two prefixes: others are names in C that a demangler might take for its own. */
    if (strncmp(symbol, "_Z", 2) != 0 && strncmp(symbol, "_R", 2) != 0)
        return NULL;
    return cplus_demangle(symbol, DMGL_AUTO | DMGL_ANSI | (parameters ? DMGL_PARAMS : 0));
}

char *kp_demangle_name(const char *name, bool parameters)
{
    const char *colon = strchr(name, ':');
    char *symbol = colon ? kp_demangle(colon + 1, parameters) : NULL;
    if (!symbol)
        return NULL;
    char *both = kp_format_text("%.*s:%s", (int)(colon - name), name, symbol);
    free(symbol);
    return both;
}
