/* The vector state in a signal frame of riscv64, as save_v_state and
 * __restore_v_state of arch/riscv/kernel/signal.c have it: a header, struct
 * __riscv_v_ext_state, then the registers, to which the state points. */
#include "process/riscv64.h"

#include <errno.h>

#include "guest/riscv64/state.h"
#include "process/process_impl.h"

struct vector_context {
	uint32_t magic, size;
	uint64_t vstart, vl, vtype, vcsr, vlenb, datap;
};
_Static_assert(sizeof(struct vector_context) == 56, "header and __riscv_v_ext_state");

uint64_t
riscv64_vector_context_size(uint64_t vlenb)
{
	return vlenb ? sizeof(struct vector_context) + 32 * vlenb : 0;
}

bool
riscv64_vector_context_is(const struct thread *thread)
{
	return riscv64_state_read(thread->vcpu.frame)->vector_used;
}

int
riscv64_vector_context_write(struct thread *thread, uint64_t at)
{
	const struct riscv64_state *s = riscv64_state_read(thread->vcpu.frame);
	struct vector_context out = {
		.magic = RISCV64_VECTOR_MAGIC,
		.size = (uint32_t)riscv64_vector_context_size(s->vlenb),
		.vstart = s->vstart,
		.vl = s->vl,
		.vtype = s->vtype,
		.vcsr = s->vxsat | (uint64_t)s->vxrm << 1,
		.vlenb = s->vlenb,
		.datap = at + sizeof out,
	};
	const uint64_t end = 0;

	if (mem_write(thread, at, &out, sizeof out) || mem_write(thread, out.datap, s->v, 32 * s->vlenb) ||
	    mem_write(thread, at + out.size, &end, sizeof end))
		return -EFAULT;
	return 0;
}

/* What vsetvl and the CSRs would take of it, as when the kernel puts them back. */
int
riscv64_vector_context_read(struct thread *thread, uint64_t at, uint32_t size)
{
	struct riscv64_state *s = riscv64_state_of(thread->vcpu.frame);
	struct vector_context in;

	if (!s->vector_used || size != riscv64_vector_context_size(s->vlenb))
		return -EINVAL;
	if (mem_read(thread, &in, at, sizeof in) || mem_read(thread, s->v, in.datap, 32 * s->vlenb))
		return -EFAULT;
	riscv64_vector_restore(thread->vcpu.frame, in.vl, in.vtype, in.vstart, in.vcsr);
	return 0;
}
