#include "token.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "trace/wire.h"
#include "util/memory.h"

char *kp_token_read(const char *path, char *error, size_t bytes)
{
    char token[KP_WIRE_TOKEN_MAX + 2] = "";
    struct stat info;
    const char *why = NULL;
    FILE *file = fopen(path, "re");
    if (!file || fstat(fileno(file), &info))
        why = strerror(errno);
    else if (info.st_mode & (S_IRWXG | S_IRWXO))
        why = "others may use it (chmod 600)";
    else if (!fgets(token, sizeof token, file))
        why = "there is no token in it";
    token[strcspn(token, "\r\n")] = 0;
    if (!why && (!*token || strlen(token) > KP_WIRE_TOKEN_MAX))
        why = "its first line is no token (1 to 4096 bytes)";
    if (file)
        fclose(file);
    if (why)
        snprintf(error, bytes, "--token-file '%s': %s", path, why);
    return why ? NULL : kp_copy_text(token);
}
