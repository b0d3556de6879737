/* The x86-64 assembler: one inline function an instruction form.
 *
 *   x86_add_rr(a, 8, RAX, RCX)                  add rax, rcx
 *   x86_add_rm(a, 4, RAX, x86_base(RSP, 16))    add eax, [rsp + 16]
 *   x86_lock(a), x86_add_mr(a, 8, m, RAX)       lock add m, rax
 *   x86_addsd(a, XMM0, XMM1, XMM2)              vaddsd xmm0, xmm1, xmm2
 *
 * The naming law. Operands come in Intel's order, destination first. A suffix
 * gives the kinds of operand: r register, m memory, i immediate, c the
 * register cl. Integer functions take the operand size in bytes (1, 2, 4, 8)
 * after the assembler. Vector functions take registers where no suffix
 * is given; _m has memory as its last source, _store writes memory.
 *
 * No function fails, allocates or checks for room (struct x86_asm says who
 * does). A function emits exactly the instruction of its name, at its shortest
 * useful length, except where its comment says more.
 */
#ifndef CODEGEN_X86_64_ASM_H
#define CODEGEN_X86_64_ASM_H

#include "codegen/x86_64/encode.h"

#include "codegen/x86_64/asm_int.h"

#include "codegen/x86_64/asm_flow.h"

#include "codegen/x86_64/asm_bits.h"

#include "codegen/x86_64/asm_vec.h"

#endif
