/* Preloaded: a function of libc's name that goes on to libc's. */
#include <dlfcn.h>
#include <stddef.h>
#include <unistd.h>

int puts(const char *text)
{
    int (*next)(const char *) = NULL;

    *(void **)&next = dlsym(RTLD_NEXT, "puts");
    if (!next || next == puts)
        _exit(9);
    return next("interposed"), next(text);
}
