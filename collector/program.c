#include "program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* As in the kernel: a script of a script of a script ..., and the length of the first line. */
enum { MAX_SCRIPTS = 5, MAX_LINE = 256 };

static void fail(struct kp_program *program, const char *path, const char *reason)
{
    snprintf(program->problem, sizeof program->problem, "%.*s: %s", PATH_MAX - 1, path, reason);
}

static bool is_program(const char *path)
{
    struct stat stat_of;
    return !stat(path, &stat_of) && S_ISREG(stat_of.st_mode) && !access(path, X_OK);
}

/* As execvp: a name with a slash is a path, others are looked for in PATH. */
static bool look_up(const char *name, char *path, size_t bytes)
{
    const char *places = getenv("PATH");
    if (strchr(name, '/') || !*name) {
        snprintf(path, bytes, "%s", name);
        return is_program(path);
    }
    for (const char *at = places ? places : "/bin:/usr/bin"; at;
         at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        int length = (int)strcspn(at, ":");
        snprintf(path, bytes, "%.*s%s%s", length, at, length ? "/" : "", name);
        if (is_program(path))
            return true;
    }
    snprintf(path, bytes, "%s", name);
    return false;
}

/* The interpreter line of a script without "#!", NUL-terminated; false when the file is no script. */
static bool read_shebang(const char *path, char *line, size_t bytes)
{
    FILE *file = fopen(path, "re");
    bool script = file && getc(file) == '#' && getc(file) == '!' && fgets(line, (int)bytes, file);
    if (file)
        fclose(file);
    if (script)
        line[strcspn(line, "\n")] = 0;
    return script;
}

/* Of "/usr/bin/env [-S] [-i] [NAME=VALUE] python3 -u" the word python3. */
static const char *word_after_env(char *arguments)
{
    char *rest = NULL;
    for (char *word = strtok_r(arguments, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
        if (!strncmp(word, "-S", 2) && word[2])
            return word + 2;
        if (*word != '-' && !strchr(word, '='))
            return word;
    }
    return NULL;
}

/* From the line of a script to the path of what runs it. */
static bool follow_line(struct kp_program *program, char *line, char *path, size_t bytes)
{
    char *interpreter = line + strspn(line, " \t"), script[PATH_MAX];
    char *arguments = interpreter + strcspn(interpreter, " \t");
    snprintf(script, sizeof script, "%s", path);
    if (*arguments)
        *arguments++ = 0;
    size_t used = strlen(program->chain);
    snprintf(program->chain + used, sizeof program->chain - used, " -> %s", interpreter);
    snprintf(path, bytes, "%s", interpreter);
    if (!is_program(path)) {
        fail(program, script, "the interpreter in its first line is missing or not executable");
        return false;
    }
    const char *slash = strrchr(interpreter, '/');
    if (strcmp(slash ? slash + 1 : interpreter, "env"))
        return true;
    const char *name = word_after_env(arguments);
    if (!name || !look_up(name, path, bytes)) {
        fail(program, script, "the program that env shall run is not in PATH");
        return false;
    }
    used = strlen(program->chain);
    snprintf(program->chain + used, sizeof program->chain - used, " -> %s", path);
    return true;
}

static bool follow_scripts(struct kp_program *program)
{
    char line[MAX_LINE];
    snprintf(program->executable, sizeof program->executable, "%s", program->path);
    for (int depth = 0; read_shebang(program->executable, line, sizeof line); depth++) {
        if (depth == MAX_SCRIPTS) {
            fail(program, program->path, "too many scripts that run scripts");
            return false;
        }
        if (!depth)
            snprintf(program->chain, sizeof program->chain, "%s", program->path);
        if (!follow_line(program, line, program->executable, sizeof program->executable))
            return false;
    }
    return true;
}

void kp_program_open(struct kp_program *program, const char *name)
{
    memset(program, 0, sizeof *program);
    snprintf(program->name, sizeof program->name, "%s", name);
    if (!look_up(name, program->path, sizeof program->path)) {
        struct stat stat_of;
        bool exists = !stat(program->path, &stat_of);
        fail(program, name,
             exists              ? "not an executable file"
             : strchr(name, '/') ? "no such file"
                                 : "not found in PATH");
        program->path[0] = 0;
        return;
    }
    if (!follow_scripts(program)) {
        program->executable[0] = 0;
        return;
    }
    stat(program->executable, &program->stat);
    program->is_elf = kp_elf_open(&program->elf, program->executable);
    if (!program->is_elf)
        fail(program, program->executable, errno ? strerror(errno) : "neither an ELF file nor a script");
}

void kp_program_close(struct kp_program *program)
{
    if (program->is_elf)
        kp_elf_close(&program->elf);
    program->is_elf = false;
}
