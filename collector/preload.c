#include "preload.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef KP_INSTALL_LIBDIR
#define KP_INSTALL_LIBDIR "/usr/local/lib"
#endif
#ifndef KP_MULTIARCH
#define KP_MULTIARCH "lib"
#endif

/* Places relative to the folder of this command, and absolute ones. */
static const char *const places[] = {".", "../" KP_MULTIARCH, "../lib", "../lib64", KP_INSTALL_LIBDIR};

static bool own_folder(char *folder, size_t bytes)
{
    ssize_t length = readlink("/proc/self/exe", folder, bytes - 1);
    if (length <= 0)
        return false;
    folder[length] = 0;
    char *slash = strrchr(folder, '/');
    if (slash)
        *slash = 0;
    return slash != NULL;
}

bool kp_preload_find(char *path, size_t bytes)
{
    char folder[PATH_MAX] = ".", candidate[2 * PATH_MAX], real[PATH_MAX], looked[4 * PATH_MAX] = "";
    own_folder(folder, sizeof folder);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        bool absolute = places[i][0] == '/';
        snprintf(candidate, sizeof candidate, "%s%s%s/libkprobe.so", absolute ? "" : folder,
                 absolute ? "" : "/", places[i]);
        if (realpath(candidate, real) && !access(real, R_OK)) {
            snprintf(path, bytes, "%s", real);
            return true;
        }
        size_t used = strlen(looked);
        snprintf(looked + used, sizeof looked - used, "%s%s", used ? ", " : "", candidate);
    }
    snprintf(path, bytes, "%s", looked);
    return false;
}

const char *kp_preload_refusal(const char *path)
{
    if (strpbrk(path, " \t\n"))
        return "its path has a blank, which separates names in LD_PRELOAD";
    if (strchr(path, ':'))
        return "its path has a colon, which separates names in LD_PRELOAD";
    return NULL;
}

int kp_preload_set(const char *path)
{
    char *value;
    const char *before = getenv("LD_PRELOAD");
    if (!before || !*before)
        return setenv("LD_PRELOAD", path, 1);
    if (asprintf(&value, "%s:%s", path, before) < 0)
        return -1;
    int status = setenv("LD_PRELOAD", value, 1);
    free(value);
    return status;
}
