#include "entry.h"

#include <string.h>

#define JUMP 0xe9
#define CALL 0xe8

static const uint8_t landing_pad[] = {0xf3, 0x0f, 0x1e, 0xfa};

_Static_assert(KP_ENTRY_TARGET_AT + sizeof landing_pad == KP_ENTRY_MOVED_AT, "a stub's parts");

uintptr_t kp_entry_window(uintptr_t function)
{
    return memcmp((const void *)function, landing_pad, sizeof landing_pad) == 0
               ? function + sizeof landing_pad
               : function;
}

/* push %r11; movabs $value, %r11; notrack jmp *way(%rip) */
void kp_entry_put_stub(uint8_t *stub, const void *value, const uint8_t *way)
{
    static const uint8_t start[] = {0x41, 0x53, 0x49, 0xbb}, jump[] = {0x3e, 0xff, 0x25};
    int32_t away = (int32_t)(way - (stub + 19));

    memcpy(stub, start, 4);
    memcpy(stub + 4, &value, 8);
    memcpy(stub + 12, jump, 3);
    memcpy(stub + 15, &away, 4);
    memcpy(stub + KP_ENTRY_TARGET_AT, landing_pad, sizeof landing_pad);
}

void kp_entry_put_jump(uint8_t jump[KP_ENTRY_JUMP_BYTES], uintptr_t window, const uint8_t *stub)
{
    int32_t away = (int32_t)((uintptr_t)stub - (window + KP_ENTRY_JUMP_BYTES));

    jump[0] = JUMP;
    memcpy(jump + 1, &away, sizeof away);
}

static uintptr_t target_of(const uint8_t *displacement)
{
    int32_t away;

    memcpy(&away, displacement, sizeof away);
    return (uintptr_t)(displacement + sizeof away) + (uintptr_t)(intptr_t)away;
}

bool kp_entry_jump_target(uintptr_t window, uintptr_t *target)
{
    const uint8_t *code = (const uint8_t *)window;

    if (*code != JUMP)
        return false;
    *target = target_of(code + 1);
    return true;
}

void kp_entry_find_branches(const uint8_t *low, const uint8_t *high,
                            void (*found)(void *user, uintptr_t source, uintptr_t target, bool call),
                            void *user)
{
    for (const uint8_t *at = low; at + KP_ENTRY_JUMP_BYTES <= high; at++) {
        size_t opcode = *at == CALL || *at == JUMP ? 1 : *at == 0x0f && (at[1] & 0xf0) == 0x80 ? 2 : 0;

        if (opcode && at + opcode + 4 <= high)
            found(user, (uintptr_t)at, target_of(at + opcode), *at == CALL);
    }
}
