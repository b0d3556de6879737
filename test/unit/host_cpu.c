/* The probe of the host's processor: against the compiler's own probe, and
 * under masks. */
#include "check.h"
#include "host/cpu.h"

static void
test_against_compiler(void)
{
	struct host_cpu cpu;

	CHECK(host_cpu_probe(&cpu, HOST_CPU_ALL) == &cpu);
	__builtin_cpu_init();
#define SAME(ours, theirs) CHECK_INT(cpu.ours, !!__builtin_cpu_supports(theirs))
	SAME(sse3, "sse3");
	SAME(ssse3, "ssse3");
	SAME(sse4_1, "sse4.1");
	SAME(sse4_2, "sse4.2");
	SAME(popcnt, "popcnt");
	SAME(avx, "avx");
	SAME(avx2, "avx2");
	SAME(fma, "fma");
	SAME(bmi1, "bmi");
	SAME(bmi2, "bmi2");
	SAME(aes, "aes");
	SAME(pclmul, "pclmul");
	SAME(avx512f, "avx512f");
	SAME(avx512vl, "avx512vl");
	SAME(avx512bw, "avx512bw");
	SAME(avx512dq, "avx512dq");
	SAME(avx512_vbmi, "avx512vbmi");
	SAME(gfni, "gfni");
#if !defined(__clang__)
	SAME(cx16, "cmpxchg16b");
	SAME(lahf, "lahf_lm");
	SAME(lzcnt, "lzcnt");
	SAME(f16c, "f16c");
	SAME(movbe, "movbe");
	SAME(sha, "sha");
	SAME(adx, "adx");
	SAME(vaes, "vaes");
	SAME(vpclmulqdq, "vpclmulqdq");
	SAME(avx512_fp16, "avx512fp16");
#endif
}

static void
test_masks(void)
{
	struct host_cpu all, v2, none, no_avx;

	host_cpu_probe(&all, HOST_CPU_ALL);
	host_cpu_probe(&v2, HOST_CPU_V2);
	host_cpu_probe(&none, 0);
	host_cpu_probe(&no_avx, ~HOST_CPU_avx);
	CHECK_INT(v2.features, all.features & HOST_CPU_V2);
	CHECK(!v2.avx && !v2.bmi2 && !v2.lzcnt);
	CHECK_INT(none.features, 0);
	CHECK(!none.sse3 && !none.popcnt);
	/* what builds on a removed feature goes with it */
	CHECK_INT(no_avx.features & (HOST_CPU_avx2 | HOST_CPU_fma | HOST_CPU_f16c | HOST_CPU_vaes |
				     HOST_CPU_bmi1 | HOST_CPU_bmi2 | HOST_CPU_avx512f |
				     HOST_CPU_avx512vl | HOST_CPU_avx512_vbmi), 0);
	CHECK_INT(no_avx.features & HOST_CPU_V2, all.features & HOST_CPU_V2);
	CHECK_INT(HOST_CPU_V3 & HOST_CPU_V2, HOST_CPU_V2);
	CHECK_INT(HOST_CPU_V4 & HOST_CPU_V3, HOST_CPU_V3);
}

static void
test_hash(void)
{
	struct host_cpu one, other;

	host_cpu_probe(&one, 0);
	host_cpu_probe(&other, 0);
	CHECK_INT(host_cpu_hash(&one), host_cpu_hash(&other));
	for (int bit = 0; bit < HOST_CPU_BITS; bit++) {
		other.features = 1ull << bit;
		CHECK(host_cpu_hash(&one) != host_cpu_hash(&other) && host_cpu_hash(&other));
		CHECK(host_cpu_name(bit) && host_cpu_name(bit)[0]);
	}
	CHECK_TEXT(host_cpu_name(HOST_CPU_BIT_avx2), "avx2");
	CHECK(!host_cpu_name(HOST_CPU_BITS));
}

int
main(void)
{
	test_against_compiler();
	test_masks();
	test_hash();
	return check_done();
}
