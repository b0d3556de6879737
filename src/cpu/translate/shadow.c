/* Shadow stacks: the host stack pointer of generated code.
 *
 *     low   guard page | … pairs pushed, growing down … | base | void | guard page
 *
 * Calls push pairs of guest return PC and host return address. Above the base
 * lie pairs of a PC that is none of a call's and no host address, so that a guest that returns
 * more often than it called falls to the jump table some times before it hits
 * the upper guard. Either guard resets the pointer to the base and retries:
 * what was on the stack is forgotten, which costs time and nothing else. A guest
 * may still return to just that PC (it must fault there): then the host returns
 * to the void's host address, and goes on as from any return not foreseen.
 */
#include "cpu/translate/translate.h"

#include "base/raw.h"

#include <sys/mman.h>
#include <sys/syscall.h>

#define SHADOW_SIZE (1u << 20)
#define GUARD 4096u
#define VOID_WORDS 256u
#define VOID_PC (UINT64_C(1) << 63) /* that no call pushes: nothing can be mapped there */
#define VOID_HOST UINT64_C(1)       /* nor there */

static uint64_t *
shadow_base(const struct vcpu *vcpu)
{
	return (uint64_t *)(void *)(vcpu->local->shadow + GUARD + SHADOW_SIZE) - VOID_WORDS;
}

int
shadow_init(struct vcpu *vcpu, struct error *error)
{
	uint8_t *shadow = pages_alloc(SHADOW_SIZE + 2 * GUARD);

	if (!shadow)
		return error_set(error, 12, "no memory for a shadow stack");
	vcpu->local->shadow = shadow;
	RAW3(SYS_mprotect, shadow, GUARD, PROT_NONE);
	RAW3(SYS_mprotect, shadow + GUARD + SHADOW_SIZE, GUARD, PROT_NONE);
	shadow_reset(vcpu);
	return 0;
}

void
shadow_fini(struct vcpu *vcpu)
{
	pages_free(vcpu->local->shadow, SHADOW_SIZE + 2 * GUARD);
	vcpu->local->shadow = NULL;
}

void
shadow_reset(struct vcpu *vcpu)
{
	uint64_t *base = shadow_base(vcpu);

	for (unsigned i = 0; i < VOID_WORDS; i += 2) {
		base[i] = VOID_HOST;
		base[i + 1] = VOID_PC;
	}
	vcpu->frame->shadow_stack = base;
}

bool
shadow_void(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext)
{
	if (fault->pc != VOID_HOST)
		return false;
	shadow_reset(vcpu);
	host_fault_set_stack(ucontext, (uintptr_t)vcpu->frame->shadow_stack);
	vcpu->frame->pc = VOID_PC;
	return true;
}

bool
shadow_fault(struct vcpu *vcpu, const struct host_fault *fault, void *ucontext)
{
	uintptr_t low = (uintptr_t)vcpu->local->shadow;
	uintptr_t high = low + GUARD + SHADOW_SIZE;

	if (!fault->has_address || (fault->address - low >= GUARD && fault->address - high >= GUARD))
		return false;
	shadow_reset(vcpu);
	host_fault_set_stack(ucontext, (uintptr_t)vcpu->frame->shadow_stack);
	return true;
}
