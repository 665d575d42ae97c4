/*
 * Moving instructions with Zydis: operands and branches relative to rip are made to mean the same at the new
 * place.
 */
#include "mover.h"

#include <Zydis/Zydis.h>
#include <stdbool.h>
#include <string.h>

static bool put(struct kp_move *move, const void *bytes, size_t count)
{
    if (move->out_bytes + count > sizeof move->out)
        return false;
    memcpy(move->out + move->out_bytes, bytes, count);
    move->out_bytes += count;
    return true;
}

/* A rel32 at the end of what has been put so far, to `target`. */
static bool put_rel32(struct kp_move *move, const void *opcode, size_t opcode_bytes, uintptr_t target)
{
    intptr_t away;
    int32_t rel32;

    if (!put(move, opcode, opcode_bytes))
        return false;
    away = (intptr_t)(target - ((uintptr_t)move->new_place + move->out_bytes + 4));
    rel32 = (int32_t)away;
    return rel32 == away && put(move, &rel32, sizeof rel32);
}

/* Conditions are numbered alike in jcc rel8 (0x70) and jcc rel32 (0x0f 0x80). */
static const char *put_branch(struct kp_move *move, const ZydisDecodedInstruction *instruction,
                              uintptr_t target)
{
    uint8_t opcode[2] = {0x0f, (uint8_t)(0x80 | (instruction->opcode & 15))};
    const uint8_t jump = 0xe9;
    bool good;

    switch (instruction->opcode & 0xf0) {
    case 0x70:
    case 0x80:
        good = put_rel32(move, opcode, 2, target);
        break;
    case 0xe0:
        if (instruction->meta.category != ZYDIS_CATEGORY_UNCOND_BR)
            return "a loop or jrcxz stands at its start";
        good = put_rel32(move, &jump, 1, target);
        break;
    default: /* xbegin */
        return "a branch at its start cannot be followed";
    }
    return good ? NULL : "what its start branches to is out of reach";
}

/* An operand in memory relative to rip. */
static const char *put_displaced(struct kp_move *move, const ZydisDecodedInstruction *instruction,
                                 const uint8_t *code)
{
    uint8_t copy[ZYDIS_MAX_INSTRUCTION_LENGTH];
    intptr_t away;
    int32_t old, moved;

    memcpy(&old, code + instruction->raw.disp.offset, sizeof old);
    away = old + (intptr_t)(code - (move->new_place + move->out_bytes));
    moved = (int32_t)away;
    if (instruction->raw.disp.size != 32 || moved != away)
        return "what its start refers to is out of reach";
    memcpy(copy, code, instruction->length);
    memcpy(copy + instruction->raw.disp.offset, &moved, sizeof moved);
    return put(move, copy, instruction->length) ? NULL : "its start is too long";
}

static const char *put_one(struct kp_move *move, const ZydisDecodedInstruction *instruction,
                           const ZydisDecodedOperand *operands, const uint8_t *code)
{
    ZyanU64 target;

    switch (instruction->meta.category) {
    case ZYDIS_CATEGORY_CALL:
        return "a call stands at its start";
    case ZYDIS_CATEGORY_RET:
        return "it is too short";
    case ZYDIS_CATEGORY_UNCOND_BR:
    case ZYDIS_CATEGORY_COND_BR:
        if (operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
            break;
        if (!ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(instruction, operands, (uintptr_t)code, &target)))
            return "a branch at its start cannot be followed";
        return put_branch(move, instruction, target);
    default:
        break;
    }
    if (!(instruction->attributes & ZYDIS_ATTRIB_IS_RELATIVE))
        return put(move, code, instruction->length) ? NULL : "its start is too long";
    return put_displaced(move, instruction, code);
}

/* Whether anything behind the instruction belongs to the function, if it is not reached from before. */
static bool ends_flow(const ZydisDecodedInstruction *instruction)
{
    return instruction->meta.category == ZYDIS_CATEGORY_UNCOND_BR;
}

static const char *move_start(struct kp_move *move)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction instruction;
    const uint8_t jump = 0xe9;
    ZydisDecoder decoder;
    const char *reason;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    move->out_bytes = move->taken_bytes = 0;
    while (move->taken_bytes < KP_MOVER_JUMP_BYTES) {
        const uint8_t *code = move->code + move->taken_bytes;

        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, move->code_bytes - move->taken_bytes,
                                                 &instruction, operands)))
            return move->taken_bytes + 15 < move->code_bytes ? "its start is no code that is known"
                                                             : "it is too short";
        reason = put_one(move, &instruction, operands, code);
        if (reason)
            return reason;
        move->taken_bytes += instruction.length;
        if (ends_flow(&instruction) && move->taken_bytes < KP_MOVER_JUMP_BYTES)
            return "it is too short";
    }
    return put_rel32(move, &jump, 1, (uintptr_t)move->code + move->taken_bytes)
               ? NULL
               : "there is no memory near it";
}

static void find_branches(const uint8_t *from, const uint8_t *to,
                          void (*found)(void *user, uintptr_t source, uintptr_t target, bool call),
                          void *user)
{
    ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
    ZydisDecodedInstruction instruction;
    ZydisDecoder decoder;
    ZyanU64 target;

    ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
    for (const uint8_t *at = from; at < to; at += instruction.length) {
        if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, at, (size_t)(to - at), &instruction, operands))) {
            instruction.length = 1;
            continue;
        }
        if ((instruction.attributes & ZYDIS_ATTRIB_IS_RELATIVE) &&
            operands[0].type == ZYDIS_OPERAND_TYPE_IMMEDIATE &&
            ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&instruction, operands, (uintptr_t)at, &target)))
            found(user, (uintptr_t)at, target, instruction.meta.category == ZYDIS_CATEGORY_CALL);
    }
}

__attribute__((visibility("default"))) extern const struct kp_mover kprobe_mover_1;
const struct kp_mover kprobe_mover_1 = {move_start, find_branches};
