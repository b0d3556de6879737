/* The CSR table of csrs.def, and CSR instructions that lifted code does not do
 * itself. Manual, chapter 2; volume I, chapter "Zicsr". */
#include "guest/riscv64/privileged.h"

const struct riscv64_csr *
riscv64_csr(unsigned number)
{
	switch (number) {
#define ROW(NUMBER, ...) \
	case NUMBER: { \
		static const struct riscv64_csr csr = { .number = NUMBER, __VA_ARGS__ }; \
		return &csr; \
	}
#define LIFTED(NUMBER, name) ROW(NUMBER, .kind = CSR_LIFTED)
#define SLOT(NUMBER, name, SLOT_NAME, member, MASK) \
	ROW(NUMBER, .kind = CSR_FIELD, .slot = RISCV64_SLOT_##SLOT_NAME, \
	    .offset = offsetof(struct riscv64_state, member), .mask = MASK)
#define FIELD(NUMBER, name, member, MASK) \
	ROW(NUMBER, .kind = CSR_FIELD, .offset = offsetof(struct riscv64_state, member), .mask = MASK)
#define FIXED(NUMBER, name, value) ROW(NUMBER, .kind = CSR_FIXED, .mask = value)
#define CALLS(NUMBER, name, unit, ALLOWED) \
	ROW(NUMBER, .kind = CSR_CALLS, .allowed = riscv64_allow_##ALLOWED, \
	    .read = riscv64_read_##unit, .write = riscv64_write_##unit)
#define CHANGES(NUMBER, name, unit, ALLOWED) \
	ROW(NUMBER, .kind = CSR_CHANGES, .allowed = riscv64_allow_##ALLOWED, .change = riscv64_change_##unit)
#include "guest/riscv64/csrs.def"
#undef ROW
	}
	return NULL;
}

bool
riscv64_csr_in_reach(unsigned number, unsigned privilege, bool write)
{
	bool read_only = number >> 10 == 3;

	return (number >> 8 & 3) <= privilege && !(write && read_only);
}

RV_CSR_ALLOW(always)
{
	(void)frame, (void)number;
	return true;
}

RV_CSR_READ(nothing)
{
	(void)frame, (void)number;
	return 0;
}

RV_CSR_WRITE_TO(nothing)
{
	(void)frame, (void)number, (void)value;
}

RV_CSR_READ(mhartid)
{
	(void)number;
	return frame->env->number;
}

RV_CSR_WRITE_TO(mhartid)
{
	(void)frame, (void)number, (void)value;
}

static uint64_t *
field(struct ir_frame *frame, const struct riscv64_csr *csr)
{
	return (uint64_t *)(void *)(frame->guest + csr->offset);
}

static uint64_t
read_csr(struct ir_frame *frame, const struct riscv64_csr *csr)
{
	switch ((enum riscv64_csr_kind)csr->kind) {
	case CSR_FIELD:
		return *field(frame, csr);
	case CSR_FIXED:
		return csr->mask;
	case CSR_CALLS:
		return csr->read(frame, csr->number);
	case CSR_LIFTED:
	case CSR_CHANGES:
		break;
	}
	return 0;
}

static void
write_csr(struct ir_frame *frame, const struct riscv64_csr *csr, uint64_t value)
{
	uint64_t *member;

	switch ((enum riscv64_csr_kind)csr->kind) {
	case CSR_FIELD:
		member = field(frame, csr);
		*member = (*member & ~csr->mask) | (value & csr->mask);
		return;
	case CSR_CALLS:
		csr->write(frame, csr->number, value);
		return;
	case CSR_FIXED:
	case CSR_LIFTED:
	case CSR_CHANGES:
		return;
	}
}

/* The action of a CSR instruction and its operand. */
static enum riscv64_csr_action
action_of(const struct ir_frame *frame, const struct riscv64_insn *insn, uint64_t *operand)
{
	bool immediate = insn->op == RV_CSRRWI || insn->op == RV_CSRRSI || insn->op == RV_CSRRCI;

	*operand = immediate ? (uint64_t)insn->imm : riscv64_state_read(frame)->x[insn->rs1];
	if (insn->op == RV_CSRRW || insn->op == RV_CSRRWI)
		return RV_CSR_WRITE;
	return insn->op == RV_CSRRS || insn->op == RV_CSRRSI ? RV_CSR_SET : RV_CSR_CLEAR;
}

bool
riscv64_csr_execute(struct ir_frame *frame, const struct riscv64_insn *insn)
{
	struct riscv64_state *s = riscv64_state_of(frame);
	const struct riscv64_csr *csr = riscv64_csr(insn->csr);
	uint64_t operand, old;
	enum riscv64_csr_action action = action_of(frame, insn, &operand);
	/* By register number and immediate, not by value. */
	bool write = action == RV_CSR_WRITE || insn->rs1 || insn->imm;

	if (!csr || csr->kind == CSR_LIFTED || !riscv64_csr_in_reach(insn->csr, s->privilege, write) ||
	    (csr->allowed && !csr->allowed(frame, insn->csr)))
		return false;
	if (csr->kind == CSR_CHANGES) {
		old = csr->change(frame, insn->csr, write, action, operand);
	} else {
		old = read_csr(frame, csr);
		if (write)
			write_csr(frame, csr, riscv64_csr_result(action, old, operand));
	}
	if (insn->rd)
		s->x[insn->rd] = old;
	return true;
}
