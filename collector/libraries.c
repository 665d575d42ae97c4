#include "libraries.h"

#include <fcntl.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- lists of folders --- */

struct search {
    const char *library;
    const char *origin; /* folder of the object that has the list; NULL: none */
    char *path;
    size_t bytes;
};

/* Does the file exist, for 64-bit programs? The loader goes on after one of another kind. */
static bool is_library(const char *path)
{
    struct kp_elf elf;
    if (access(path, R_OK) || !kp_elf_open(&elf, path))
        return false;
    bool wide = elf.bits == 64;
    kp_elf_close(&elf);
    return wide;
}

static bool in_folder(const struct search *search, const char *folder, int length)
{
    static const char *const words[] = {"$ORIGIN", "${ORIGIN}"};
    for (size_t i = 0; i < 2; i++) {
        int word = (int)strlen(words[i]);
        if (!search->origin || length < word || strncmp(folder, words[i], (size_t)word) != 0)
            continue;
        snprintf(search->path, search->bytes, "%s%.*s/%s", search->origin, length - word, folder + word,
                 search->library);
        return is_library(search->path);
    }
    snprintf(search->path, search->bytes, "%.*s/%s", length, folder, search->library);
    return is_library(search->path);
}

static bool in_list(const struct search *search, const char *list, const char *separators)
{
    while (list && *list) {
        size_t length = strcspn(list, separators);
        if (length && in_folder(search, list, (int)length))
            return true;
        list += length + (list[length] != 0);
    }
    return false;
}

static bool in_run_path(const struct search *search, const struct kp_needer *needer)
{
    char origin[PATH_MAX];
    struct search here = *search;
    if (!realpath(needer->path, origin))
        return false;
    *strrchr(origin, '/') = 0;
    here.origin = origin;
    return in_list(&here, needer->elf->run_path, ":");
}

/* DT_RPATH of the object and of those through which it came in; none counts once it has a DT_RUNPATH. */
static bool in_inherited_paths(const struct search *search, const struct kp_needer *needer)
{
    if (needer && *needer->elf->run_path && !needer->elf->inherited)
        return false;
    for (; needer; needer = needer->needed_by)
        if (needer->elf->inherited && in_run_path(search, needer))
            return true;
    return false;
}

/* --- the loader's cache --- */

#define CACHE_PATH    "/etc/ld.so.cache"
#define CACHE_MAGIC   "glibc-ld.so.cache1.1"
#define CACHE_X86_64  0x0303 /* of flags: ELF for glibc, x86-64 */
#define CACHE_HEAD    48
#define CACHE_ENTRY   24
#define CACHE_AT_KEY  4
#define CACHE_AT_PATH 8
#define CACHE_AT_CPU  16

struct cache {
    const char *bytes;
    size_t size;
};

static uint32_t number_at(const char *bytes)
{
    uint32_t number;
    memcpy(&number, bytes, sizeof number);
    return number;
}

static const char *text_at(const struct cache *cache, uint32_t offset)
{
    return offset < cache->size && memchr(cache->bytes + offset, 0, cache->size - offset)
               ? cache->bytes + offset
               : "";
}

/* Entries for certain processors (their word is not 0) are left to the loader, which knows this one. */
static bool in_cache_bytes(const struct cache *cache, const struct search *search)
{
    if (cache->size < CACHE_HEAD || memcmp(cache->bytes, CACHE_MAGIC, strlen(CACHE_MAGIC)) != 0)
        return false;
    size_t count = number_at(cache->bytes + strlen(CACHE_MAGIC));
    for (size_t i = 0; i < count && CACHE_HEAD + (i + 1) * CACHE_ENTRY <= cache->size; i++) {
        const char *entry = cache->bytes + CACHE_HEAD + i * CACHE_ENTRY;
        uint64_t processor;
        memcpy(&processor, entry + CACHE_AT_CPU, sizeof processor);
        if (number_at(entry) != CACHE_X86_64 || processor ||
            strcmp(text_at(cache, number_at(entry + CACHE_AT_KEY)), search->library) != 0)
            continue;
        snprintf(search->path, search->bytes, "%s", text_at(cache, number_at(entry + CACHE_AT_PATH)));
        return is_library(search->path);
    }
    return false;
}

static bool in_cache(const struct search *search)
{
    bool found = false;
    struct stat stat_of;
    int file = open(CACHE_PATH, O_RDONLY | O_CLOEXEC);
    if (file >= 0 && !fstat(file, &stat_of) && stat_of.st_size > 0) {
        void *bytes = mmap(NULL, (size_t)stat_of.st_size, PROT_READ, MAP_PRIVATE, file, 0);
        if (bytes != MAP_FAILED) {
            found = in_cache_bytes(&(struct cache){bytes, (size_t)stat_of.st_size}, search);
            munmap(bytes, (size_t)stat_of.st_size);
        }
    }
    if (file >= 0)
        close(file);
    return found;
}

bool kp_library_find(const char *name, const struct kp_needer *needer, char *path, size_t bytes)
{
    struct search search = {.library = name, .path = path, .bytes = bytes};
    if (strchr(name, '/')) {
        snprintf(path, bytes, "%s", name);
        return is_library(path);
    }
    return in_inherited_paths(&search, needer) || in_list(&search, getenv("LD_LIBRARY_PATH"), ":;") ||
           (needer && !needer->elf->inherited && in_run_path(&search, needer)) || in_cache(&search) ||
           in_list(&search,
                   "/lib/x86_64-linux-gnu:/usr/lib/x86_64-linux-gnu:/lib64:/usr/lib64:/lib:/usr/lib:"
                   "/usr/local/lib",
                   ":");
}
