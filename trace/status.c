#include "status.h"

static const char *const texts[] = {
#define KP_STATUS(name, text) text,
#include "status.def"
#undef KP_STATUS
};

const char *kp_status_text(enum kp_status status)
{
    if ((unsigned)status >= KP_STATUS_COUNT)
        return "unknown status";
    return texts[status];
}
