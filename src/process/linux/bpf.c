/* Classic BPF: the check and the machine. Jumps go forward only, so a program
 * ends after at most its length. */
#include "process/linux/bpf.h"

#include <string.h>

/* ---- the check ---------------------------------------------------------- */

/* Whether a filter of system calls may have this instruction at all. */
static bool
allowed(const struct sock_filter *insn)
{
	switch (insn->code) {
	case BPF_LD | BPF_W | BPF_ABS:
		return insn->k < sizeof(struct seccomp_data) && insn->k % 4 == 0;
	case BPF_ALU | BPF_DIV | BPF_K:
		return insn->k;
	case BPF_ALU | BPF_LSH | BPF_K: case BPF_ALU | BPF_RSH | BPF_K:
		return insn->k < 32;
	case BPF_LD | BPF_MEM: case BPF_LDX | BPF_MEM: case BPF_ST: case BPF_STX:
		return insn->k < BPF_MEMWORDS;
	case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN: case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
	case BPF_MISC | BPF_TAX: case BPF_MISC | BPF_TXA: case BPF_RET | BPF_K: case BPF_RET | BPF_A:
	case BPF_ALU | BPF_ADD | BPF_K: case BPF_ALU | BPF_ADD | BPF_X: case BPF_ALU | BPF_SUB | BPF_K:
	case BPF_ALU | BPF_SUB | BPF_X: case BPF_ALU | BPF_MUL | BPF_K: case BPF_ALU | BPF_MUL | BPF_X:
	case BPF_ALU | BPF_DIV | BPF_X: case BPF_ALU | BPF_AND | BPF_K: case BPF_ALU | BPF_AND | BPF_X:
	case BPF_ALU | BPF_OR | BPF_K: case BPF_ALU | BPF_OR | BPF_X: case BPF_ALU | BPF_XOR | BPF_K:
	case BPF_ALU | BPF_XOR | BPF_X: case BPF_ALU | BPF_LSH | BPF_X: case BPF_ALU | BPF_RSH | BPF_X:
	case BPF_ALU | BPF_NEG: case BPF_JMP | BPF_JA: case BPF_JMP | BPF_JEQ | BPF_K:
	case BPF_JMP | BPF_JEQ | BPF_X: case BPF_JMP | BPF_JGE | BPF_K: case BPF_JMP | BPF_JGE | BPF_X:
	case BPF_JMP | BPF_JGT | BPF_K: case BPF_JMP | BPF_JGT | BPF_X: case BPF_JMP | BPF_JSET | BPF_K:
	case BPF_JMP | BPF_JSET | BPF_X:
		return true;
	}
	return false;
}

/* Follows one instruction: written is the set of scratch words that every way
 * here has written, at[] what is known of later instructions. */
static bool
flow(const struct sock_filter *insn, unsigned left, uint16_t *written, uint16_t *after)
{
	switch (BPF_CLASS(insn->code)) {
	case BPF_ST:
	case BPF_STX:
		*written |= (uint16_t)(1u << insn->k);
		return true;
	case BPF_LD:
	case BPF_LDX:
		return BPF_MODE(insn->code) != BPF_MEM || (*written >> insn->k & 1);
	case BPF_JMP:
		if (BPF_OP(insn->code) == BPF_JA) {
			if (insn->k >= left)
				return false;
			after[insn->k] &= *written;
		} else {
			if (insn->jt >= left || insn->jf >= left)
				return false;
			after[insn->jt] &= *written;
			after[insn->jf] &= *written;
		}
		*written = UINT16_MAX; /* what follows is reached by jumps alone */
		return true;
	}
	return true;
}

bool
bpf_check(const struct sock_filter *program, unsigned length)
{
	uint16_t at[BPF_MAXINSNS], written = 0;

	memset(at, 0xff, sizeof at);
	for (unsigned i = 0; i < length; i++) {
		written &= at[i];
		if (!allowed(&program[i]) || !flow(&program[i], length - i - 1, &written, at + i + 1))
			return false;
	}
	return BPF_CLASS(program[length - 1].code) == BPF_RET;
}

/* ---- the machine -------------------------------------------------------- */

/* False: a division by zero. */
static bool
arithmetic(unsigned operation, uint32_t *a, uint32_t operand)
{
	switch (operation) {
	case BPF_ADD: *a += operand; break;
	case BPF_SUB: *a -= operand; break;
	case BPF_MUL: *a *= operand; break;
	case BPF_AND: *a &= operand; break;
	case BPF_OR: *a |= operand; break;
	case BPF_XOR: *a ^= operand; break;
	case BPF_LSH: *a <<= operand & 31; break;
	case BPF_RSH: *a >>= operand & 31; break;
	case BPF_NEG: *a = -*a; break;
	case BPF_DIV:
		if (!operand)
			return false;
		*a /= operand;
		break;
	}
	return true;
}

static bool
condition(unsigned operation, uint32_t a, uint32_t operand)
{
	switch (operation) {
	case BPF_JEQ: return a == operand;
	case BPF_JGE: return a >= operand;
	case BPF_JGT: return a > operand;
	default: return a & operand;
	}
}

static uint32_t
load(const struct sock_filter *insn, const struct seccomp_data *data, const uint32_t *memory)
{
	uint32_t value;

	switch (BPF_MODE(insn->code)) {
	case BPF_ABS:
		memcpy(&value, (const char *)data + insn->k, sizeof value);
		return value;
	case BPF_MEM: return memory[insn->k];
	case BPF_LEN: return sizeof *data;
	default: return insn->k;
	}
}

uint32_t
bpf_run(const struct sock_filter *insn, const struct seccomp_data *data)
{
	uint32_t a = 0, x = 0, memory[BPF_MEMWORDS];

	for (;; insn++) {
		uint32_t operand = BPF_SRC(insn->code) == BPF_X ? x : insn->k;

		switch (BPF_CLASS(insn->code)) {
		case BPF_LD: a = load(insn, data, memory); break;
		case BPF_LDX: x = load(insn, data, memory); break;
		case BPF_ST: memory[insn->k] = a; break;
		case BPF_STX: memory[insn->k] = x; break;
		case BPF_ALU:
			if (!arithmetic(BPF_OP(insn->code), &a, operand))
				return 0;
			break;
		case BPF_JMP:
			if (BPF_OP(insn->code) == BPF_JA)
				insn += insn->k;
			else
				insn += condition(BPF_OP(insn->code), a, operand) ? insn->jt : insn->jf;
			break;
		case BPF_RET: return BPF_RVAL(insn->code) == BPF_A ? a : insn->k;
		case BPF_MISC:
			if (BPF_MISCOP(insn->code) == BPF_TAX)
				x = a;
			else
				a = x;
			break;
		}
	}
}
