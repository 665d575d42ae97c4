#include "loaded.h"

#include <link.h>

struct search {
    uintptr_t address;
    struct kp_loaded *loaded;
};

static int look_at(struct dl_phdr_info *info, size_t bytes, void *user)
{
    struct search *search = user;

    (void)bytes;
    for (unsigned i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[i];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;

        if (segment->p_type != PT_LOAD || search->address < start ||
            search->address - start >= segment->p_memsz)
            continue;
        *search->loaded = (struct kp_loaded){start, start + segment->p_memsz, info->dlpi_addr,
                                             info->dlpi_name ? info->dlpi_name : ""};
        return 1;
    }
    return 0;
}

bool kp_loaded_find(const void *address, struct kp_loaded *loaded)
{
    struct search search = {(uintptr_t)address, loaded};

    return dl_iterate_phdr(look_at, &search) != 0;
}
