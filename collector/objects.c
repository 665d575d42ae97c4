#include "objects.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "libraries.h"
#include "util/memory.h"

pid_t kp_operand_pid(const char *operand)
{
    char *end;
    long number = strtol(operand, &end, 10);
    return *operand && !*end && number > 0 && number <= INT_MAX && access(operand, F_OK) ? (pid_t)number : 0;
}

static const char *file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static bool is_known(const struct kp_objects *objects, const char *path, const char *name)
{
    for (size_t i = 0; i < objects->count; i++)
        if (!strcmp(objects->all[i]->path, path) || !strcmp(objects->all[i]->name, name))
            return true;
    return false;
}

/* NULL when it is no ELF file (errno is 0 then) or is there already. `shown`: as which it is known to the
 * process. */
static struct kp_elf_object *add(struct kp_objects *objects, const char *path, const char *shown)
{
    struct kp_elf_object *object = kp_allocate_cleared(1, sizeof *object);
    if (!kp_elf_open(&object->elf, path)) {
        free(object);
        return NULL;
    }
    const char *name = *object->elf.soname ? object->elf.soname : file_name(shown);
    if (is_known(objects, shown, name)) {
        kp_elf_close(&object->elf);
        free(object);
        return NULL;
    }
    object->path = kp_copy_text(shown);
    object->real_path = kp_copy_text(path);
    object->name = kp_copy_text(name);
    object->needed_by = objects->count;
    objects->all = kp_grow(objects->all, &objects->capacity, objects->count, sizeof(struct kp_elf_object *));
    objects->all[objects->count++] = object;
    return object;
}

/* --- a program: the executable and what the loader adds --- */

static void add_missing(struct kp_objects *objects, const char *name)
{
    for (size_t i = 0; i < objects->missing_count; i++)
        if (!strcmp(objects->missing[i], name))
            return;
    objects->missing =
        kp_grow(objects->missing, &objects->missing_capacity, objects->missing_count, sizeof(char *));
    objects->missing[objects->missing_count++] = kp_copy_text(name);
}

/* The chain of objects through which number `index` came in, for its run paths; `links` has room for all. */
static const struct kp_needer *chain_of(const struct kp_objects *objects, size_t index,
                                        struct kp_needer *links)
{
    size_t above = objects->all[index]->needed_by;
    links[index] = (struct kp_needer){.path = objects->all[index]->path,
                                      .elf = &objects->all[index]->elf,
                                      .needed_by = above == index ? NULL : chain_of(objects, above, links)};
    return &links[index];
}

static void add_needed(struct kp_objects *objects, size_t index)
{
    char path[PATH_MAX];
    const char *name;
    struct kp_needer *links = kp_allocate(objects->count * sizeof *links);
    const struct kp_needer *needer = chain_of(objects, index, links);
    for (size_t i = 0; (name = kp_elf_needed(&objects->all[index]->elf, i)); i++) {
        if (is_known(objects, "", name))
            continue;
        struct kp_elf_object *library = NULL;
        if (kp_library_find(name, needer, path, sizeof path))
            library = add(objects, path, path);
        else
            add_missing(objects, name);
        if (library)
            library->needed_by = index;
    }
    free(links);
}

/* Breadth first, as the loader; the list grows while it is walked. */
static void open_program(struct kp_objects *objects)
{
    struct kp_elf_object *main = add(objects, objects->program.executable, objects->program.executable);
    if (!main)
        return;
    main->main = objects->process = true;
    for (size_t i = 0; i < objects->count; i++)
        add_needed(objects, i);
}

/* --- a process: what is mapped executable --- */

static void add_mapped(struct kp_objects *objects, pid_t pid, char *line)
{
    char path[PATH_MAX + 64], permissions[8];
    int at = 0;
    if (sscanf(line, "%*x-%*x %7s %*s %*s %*s %n", permissions, &at) != 1 || !at || line[at] != '/' ||
        permissions[2] != 'x')
        return;
    line[at + (int)strcspn(line + at, "\n")] = 0;
    /* Its own root: it may live in a container. */
    snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, line + at);
    add(objects, path, line + at);
}

static void open_process(struct kp_objects *objects, pid_t pid)
{
    char path[64], *line = NULL, executable[PATH_MAX] = "";
    size_t capacity = 0;
    snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    ssize_t bytes = readlink(path, executable, sizeof executable - 1);
    kp_program_open(&objects->program, path);
    objects->has_program = true;
    snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
    FILE *file = fopen(path, "re");
    if (!file) {
        snprintf(objects->error, sizeof objects->error, "process %d: %s", (int)pid,
                 errno == ENOENT ? "there is none" : strerror(errno));
        return;
    }
    while (getline(&line, &capacity, file) > 0)
        add_mapped(objects, pid, line);
    free(line);
    fclose(file);
    for (size_t i = 0; bytes > 0 && i < objects->count; i++)
        objects->all[i]->main = !strcmp(objects->all[i]->path, executable);
    objects->process = true;
    if (!objects->count)
        snprintf(objects->error, sizeof objects->error,
                 "process %d: nothing is mapped there that can be read", (int)pid);
}

/* --- what the operand is --- */

/* A library is a file with a soname, or one without a loader; programs have one. */
static bool open_library(struct kp_objects *objects, const char *operand)
{
    char path[PATH_MAX];
    struct kp_elf elf;
    snprintf(path, sizeof path, "%s", operand);
    if (access(path, F_OK) && !kp_library_find(operand, NULL, path, sizeof path))
        return false;
    if (!kp_elf_open(&elf, path))
        return false;
    bool library = *elf.soname || !*elf.loader;
    kp_elf_close(&elf);
    return library && add(objects, path, path);
}

void kp_objects_open(struct kp_objects *objects, const char *operand)
{
    memset(objects, 0, sizeof *objects);
    pid_t pid = kp_operand_pid(operand);
    if (pid) {
        open_process(objects, pid);
        return;
    }
    if (open_library(objects, operand))
        return;
    kp_program_open(&objects->program, operand);
    objects->has_program = true;
    if (*objects->program.problem)
        snprintf(objects->error, sizeof objects->error, "%s%s", objects->program.problem,
                 strchr(operand, '/') ? "" : ", and no library of that name");
    else
        open_program(objects);
}

void kp_objects_close(struct kp_objects *objects)
{
    for (size_t i = 0; i < objects->count; i++) {
        kp_elf_close(&objects->all[i]->elf);
        free(objects->all[i]->path);
        free(objects->all[i]->real_path);
        free(objects->all[i]->name);
        free(objects->all[i]);
    }
    free(objects->all);
    for (size_t i = 0; i < objects->missing_count; i++)
        free(objects->missing[i]);
    free(objects->missing);
    if (objects->has_program)
        kp_program_close(&objects->program);
}
