/* What call_thunks.S knows of C structures; call.c asserts that it is true. */
#ifndef KP_SHIM_ARCH_X86_64_CALL_OFFSETS_H
#define KP_SHIM_ARCH_X86_64_CALL_OFFSETS_H

#include "offsets.h"

/* Thunks there are. A mebibyte of code in the file; only pages that are used are ever read. */
#define KP_CALL_THUNKS      65536
#define KP_CALL_THUNK_BYTES 16

/* struct kp_thread_state */
#define T_CALL_FRAMES 72

/* struct kp_local */
#define L_LIMIT 40
#define L_SELF  48

/* struct kp_native_function: as one word from N_ID on, 1 to N_PLAIN_MAX is a traced function of the plain
 * class */
#define N_TARGET    0
#define N_ID        8
#define N_PLAIN_MAX 0x7fffffff
#define N_BYTES     16

/* struct kp_call_frame. The unwind information depends on the first two. */
#define F_RETURN_ADDRESS 0
#define F_RBX            8
#define F_TARGET         16
#define F_CFA            24
#define F_NEXT           32

/* Bytes of the registers pushed below the return address, in general */
#define PUSHED_BYTES 72

#endif
