#include "inbox.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_ROOM = 4096, KEPT_ROOM = 65536 };

bool kp_inbox_add(struct kp_peer *peer, const uint8_t *bytes, size_t count, size_t most)
{
    size_t needed = peer->inbox_bytes + count;
    if (needed > most)
        return false;
    if (needed > peer->inbox_room) {
        size_t room = peer->inbox_room ? peer->inbox_room : FIRST_ROOM;
        while (room < needed)
            room *= 2;
        uint8_t *grown = realloc(peer->inbox, room);
        if (!grown)
            return false;
        peer->inbox = grown;
        peer->inbox_room = room;
    }
    memcpy(peer->inbox + peer->inbox_bytes, bytes, count);
    peer->inbox_bytes = needed;
    return true;
}

void kp_inbox_remove(struct kp_peer *peer, size_t count)
{
    peer->inbox_bytes -= count;
    if (peer->inbox_bytes) {
        memmove(peer->inbox, peer->inbox + count, peer->inbox_bytes);
    } else if (peer->inbox_room > KEPT_ROOM) {
        /* One big chunk is no reason to keep its room. */
        free(peer->inbox);
        peer->inbox = NULL;
        peer->inbox_room = 0;
    }
}
