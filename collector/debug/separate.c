#include "separate.h"

#include <gelf.h>
#include <libelf.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DEBUG_FOLDER "/usr/lib/debug"

static Elf_Scn *find_section(const struct kp_elf *elf, const char *wanted)
{
    size_t names;
    GElf_Shdr header;
    if (elf_getshdrstrndx(elf->elf, &names))
        return NULL;
    for (Elf_Scn *section = NULL; (section = elf_nextscn(elf->elf, section));) {
        const char *name =
            gelf_getshdr(section, &header) ? elf_strptr(elf->elf, names, header.sh_name) : NULL;
        if (name && !strcmp(name, wanted) && header.sh_type != SHT_NOBITS)
            return section;
    }
    return NULL;
}

static bool has_debug_info(const struct kp_elf *elf)
{
    return find_section(elf, ".debug_info") || find_section(elf, ".zdebug_info");
}

/* A file without a build id cannot be the wrong one when none was asked for. */
static bool is_debug_file_of(const struct kp_elf *elf, const char *path)
{
    struct kp_elf debug;
    if (access(path, R_OK) || !kp_elf_open(&debug, path))
        return false;
    bool fits = has_debug_info(&debug) && !strcmp(debug.build_id, elf->build_id);
    kp_elf_close(&debug);
    return fits;
}

static bool find_by_build_id(const struct kp_elf *elf, char *found, size_t bytes)
{
    if (strlen(elf->build_id) < 4)
        return false;
    snprintf(found, bytes, DEBUG_FOLDER "/.build-id/%.2s/%s.debug", elf->build_id, elf->build_id + 2);
    return is_debug_file_of(elf, found);
}

/* The checksum of .gnu_debuglink: the CRC of zip files. */
static uint32_t crc_of(const unsigned char *bytes, size_t count, uint32_t crc)
{
    crc = ~crc;
    for (size_t i = 0; i < count; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static bool has_crc(const char *path, uint32_t wanted)
{
    static unsigned char buffer[1 << 16];
    uint32_t crc = 0;
    size_t count;
    FILE *file = fopen(path, "re");
    if (!file)
        return false;
    while ((count = fread(buffer, 1, sizeof buffer, file)) > 0)
        crc = crc_of(buffer, count, crc);
    bool read = !ferror(file);
    fclose(file);
    return read && crc == wanted;
}

static bool find_by_link(const struct kp_elf *elf, const char *path, char *found, size_t bytes)
{
    char folder[PATH_MAX];
    uint32_t crc;
    Elf_Scn *section = find_section(elf, ".gnu_debuglink");
    Elf_Data *data = section ? elf_rawdata(section, NULL) : NULL;
    if (!data || data->d_size < 8 || !realpath(path, folder))
        return false;
    const char *name = data->d_buf;
    size_t at = (strnlen(name, data->d_size - 4) + 4) & ~(size_t)3;
    if (at + sizeof crc > data->d_size || strchr(name, '/'))
        return false;
    memcpy(&crc, name + at, sizeof crc);
    *strrchr(folder, '/') = 0;
    static const char *const places[] = {"%s/%s", "%s/.debug/%s", DEBUG_FOLDER "%s/%s"};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(found, bytes, places[i], folder, name); /* NOLINT: one of the three above */
        if (strcmp(found, path) != 0 && is_debug_file_of(elf, found) && has_crc(found, crc))
            return true;
    }
    return false;
}

bool kp_debug_file_find(const struct kp_elf *elf, const char *path, char *found, size_t bytes)
{
    if (has_debug_info(elf)) {
        snprintf(found, bytes, "%s", path);
        return true;
    }
    return find_by_build_id(elf, found, bytes) || find_by_link(elf, path, found, bytes);
}
