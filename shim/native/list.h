/* A list that grows, in memory of the shim's own: the program's allocator may be what is being hooked. */
#ifndef KP_SHIM_NATIVE_LIST_H
#define KP_SHIM_NATIVE_LIST_H

#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#include "memory.h"

struct kp_list {
    void *items;
    size_t count, room;
};

/* Room for one more item, zeroed; NULL: no memory. Moves the list. */
static inline void *kp_list_add(struct kp_list *list, size_t item_bytes)
{
    if (list->count == list->room) {
        size_t room = list->room ? list->room * 2 : 65536 / item_bytes;
        void *items = kp_memory_private(room * item_bytes);

        if (!items)
            return NULL;
        if (list->room) {
            memcpy(items, list->items, list->count * item_bytes);
            munmap(list->items, list->room * item_bytes);
        }
        list->items = items;
        list->room = room;
    }
    return memset((char *)list->items + list->count++ * item_bytes, 0, item_bytes);
}

#endif
