/*
 * Manual probes for Python: shim/manual.h as builtin functions, which kprobe.py asks for by an audit event.
 * So there is nothing to import and nothing to find when the program runs without the shim.
 */
#ifndef KP_SHIM_PYTHON_PROBES_H
#define KP_SHIM_PYTHON_PROBES_H

#include <stdbool.h>

/* Of the audit event by which kprobe.py asks; its argument is a dict. */
#define KP_PROBES_EVENT "kprobe.probes"

/* Put the functions into the dict. With the GIL. */
void kp_probes_give(void *dict);

/* Whether a PyMethodDef is one of ours: no rule makes its calls visible. */
bool kp_probes_own(const void *def);

#endif
