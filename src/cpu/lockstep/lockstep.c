/* Lockstep: not written yet; vcpu_init refuses it. */
#include "cpu/cpu_impl.h"

int
lockstep_vcpu_init(struct vcpu *vcpu, struct error *error)
{
	(void)vcpu;
	return error_set(error, 0, "lockstep is not there yet");
}

void
lockstep_vcpu_fini(struct vcpu *vcpu)
{
	(void)vcpu;
}

void
lockstep_run(struct vcpu *vcpu, struct cpu_stop *stop)
{
	translator_run(vcpu, stop);
}
