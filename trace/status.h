/* Result codes of the whole project, one row each in status.def. */
#ifndef KP_TRACE_STATUS_H
#define KP_TRACE_STATUS_H

enum kp_status {
#define KP_STATUS(name, text) KP_##name,
#include "status.def"
#undef KP_STATUS
    KP_STATUS_COUNT
};

/* The text of a status row. Never NULL; the string is constant. */
const char *kp_status_text(enum kp_status status);

#endif
