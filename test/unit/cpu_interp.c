/* cpu/: vCPUs by interpretation. */
#include "unit/cpu_programs.h"

int
main(void)
{
	struct cpu_options options = { .accel = CPU_ACCEL_INTERPRET };
	struct error error = { 0 };
	struct cpu_stats stats;
	struct vcpu vcpu = { 0 };

	toy_start(&options);
	CHECK_INT(vcpu_init(&vcpu, &toy_space, &options, &error), 0);
	toy_thread_start(&vcpu);
	test_programs(&vcpu);
	vcpu_fini(&vcpu);
	cpu_stats(&toy_space, &stats);
	CHECK(stats.interpreted > 0);
	cpu_space_fini(&toy_space);
	toy_thread_end();
	return check_done();
}
