/* What call_thunks.S knows of C structures; call.c asserts that it is true. */
#ifndef KP_SHIM_ARCH_X86_64_CALL_OFFSETS_H
#define KP_SHIM_ARCH_X86_64_CALL_OFFSETS_H

/* Thunks there are. A mebibyte of code in the file; only pages that are used are ever read. */
#define KP_CALL_THUNKS      65536
#define KP_CALL_THUNK_BYTES 16

/* struct kp_call_frame. The unwind information depends on the first two. */
#define F_RETURN_ADDRESS 0
#define F_RBX            8
#define F_TARGET         16

/* Bytes of the pushed registers below the thunk's number: eight registers */
#define PUSHED_BYTES 64

#endif
