#include "wake.h"

#include <stdatomic.h>
#include <stddef.h>

#include "cpython.h"

static void (*builtin_dealloc)(void *object);
static bool (*is_ready)(void);
static _Atomic bool armed;

static void on_builtin_dealloc(void *object);

/* The type of builtin methods inherits the slot when it is made ready, so ours may stand there too. */
static void put_back(void)
{
    void **slots[] = {kp_type_dealloc((void *)kp_cpython.builtin_type),
                      kp_type_dealloc((void *)kp_cpython.builtin_method_type)};

    for (size_t i = 0; i < sizeof slots / sizeof *slots; i++)
        if (slots[i] && *slots[i] == (void *)on_builtin_dealloc)
            *slots[i] = (void *)builtin_dealloc;
}

static void on_builtin_dealloc(void *object)
{
    /* Disarmed while asking: what `ready` does may let builtin functions die. */
    if (atomic_exchange(&armed, false)) {
        if (is_ready())
            put_back();
        else
            atomic_store(&armed, true);
    }
    builtin_dealloc(object);
}

bool kp_wake_arm(bool (*ready)(void))
{
    void **slot = kp_type_dealloc((void *)kp_cpython.builtin_type);

    if (!slot || !*slot)
        return false;
    is_ready = ready;
    if (*slot != (void *)on_builtin_dealloc) {
        *(void **)&builtin_dealloc = *slot;
        *slot = (void *)on_builtin_dealloc;
    }
    atomic_store(&armed, true);
    return true;
}
