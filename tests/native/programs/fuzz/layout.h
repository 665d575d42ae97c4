/* What callers.S and stubs.S write down about a call; fuzz.c has the same as structures, and checks these
 * offsets. */
#ifndef ABI_LAYOUT_H
#define ABI_LAYOUT_H

#define ABI_STUBS       64
#define ABI_STACK_WORDS 64

/* struct abi_state */
#define STATE_RAX     0
#define STATE_RBX     8
#define STATE_RCX     16
#define STATE_RDX     24
#define STATE_RSI     32
#define STATE_RDI     40
#define STATE_RBP     48
#define STATE_RSP     56
#define STATE_R8      64
#define STATE_R9      72
#define STATE_R10     80
#define STATE_R11     88
#define STATE_R12     96
#define STATE_R13     104
#define STATE_R14     112
#define STATE_R15     120
#define STATE_FLAGS   128
#define STATE_STACK   192
#define STATE_VECTORS 704
#define STATE_BYTES   3776

/* struct abi_record */
#define RECORD_BEFORE       0
#define RECORD_AFTER        STATE_BYTES
#define RECORD_RETURN       7552
#define RECORD_TARGET       7560
#define RECORD_NUMBER       7568
#define RECORD_KEPT         7576
#define RECORD_WANTED       7624
#define RECORD_OPTIONS      7688
#define RECORD_X87_RESULTS  7696
#define RECORD_CONTROL      7704
#define RECORD_KEPT_CONTROL 7712
#define RECORD_X87          7744
#define RECORD_MASKS        7808
#define RECORD_VECTORS      7872
#define RECORD_BYTES        9920

#define OPTION_AVX    1
#define OPTION_AVX512 2
#define OPTION_X87    4

/* x87, SSE, AVX, MPX, AVX-512 and PKRU: what fits into STATE_VECTORS. */
#define XSAVE_PARTS 0x2ff

#endif
