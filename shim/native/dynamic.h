/*
 * In place of dlopen, dlsym and their like.
 *
 * The loader looks at who calls dlopen (for DT_RUNPATH, "$ORIGIN") and dlsym (RTLD_NEXT), by the return
 * address. So what stands in for them is a thunk (arch/x86_64/dl_calls.S) that asks kp_dl_look what to jump
 * to with the caller's frame untouched: the real function, whenever the caller can matter, or one of ours
 * that calls it.
 */
#ifndef KP_SHIM_NATIVE_DYNAMIC_H
#define KP_SHIM_NATIVE_DYNAMIC_H

#include <stdbool.h>

enum kp_dl_call { KP_DL_OPEN, KP_DL_MOPEN, KP_DL_SYM, KP_DL_VSYM, KP_DL_CALLS };

/* The functions of libc or libdl. */
extern void *kp_dl_real[KP_DL_CALLS];

void kp_dl_open(void);
void kp_dl_mopen(void);
void kp_dl_sym(void);
void kp_dl_vsym(void);

/* Called by the thunks with the call's first three arguments. */
void *kp_dl_look(const void *first, const void *second, const void *third, const void *caller,
                 enum kp_dl_call call) __attribute__((visibility("hidden")));

#endif
