/* CPU features by CPUID and XGETBV (Intel SDM volume 2 under CPUID, volume 1
 * 13.2 to 13.5; AMD APM volume 3 appendix E). */
#include "host/cpu.h"

#if defined(__x86_64__)

#include <cpuid.h>

struct regs {
	unsigned a, b, c, d;
};

/* CPUID traps under a hypervisor (some microseconds each), and glibc has asked
 * it all at start: its copy is used where there is one. */
#if __has_include(<sys/platform/x86.h>)

#include <sys/platform/x86.h>

static struct regs
cpuid(unsigned leaf)
{
	unsigned index = leaf == 1 ? CPUID_INDEX_1 : leaf == 7 ? CPUID_INDEX_7 : CPUID_INDEX_80000001;
	const unsigned *r = __x86_get_cpuid_feature_leaf(index)->cpuid_array;

	return (struct regs){ r[0], r[1], r[2], r[3] };
}

#else

/* All zero for a leaf that the processor does not have. */
static struct regs
cpuid(unsigned leaf)
{
	struct regs r = { 0 };

	__get_cpuid_count(leaf, 0, &r.a, &r.b, &r.c, &r.d);
	return r;
}

#endif

/* XCR0: which register state the operating system saves. */
static uint64_t
saved_state(void)
{
	uint32_t low, high;

	__asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return (uint64_t)high << 32 | low;
}

#define XCR0_AVX 0x06u    /* XMM and upper YMM halves */
#define XCR0_AVX512 0xe6u /* and masks, upper ZMM halves, ZMM16-31 */

/* What CPUID says, whatever the operating system does about it. */
static uint64_t
cpuid_features(void)
{
	struct regs r1 = cpuid(1), r7 = cpuid(7), re = cpuid(0x80000001);
	const struct {
		uint64_t feature;
		unsigned word;
		int bit;
	} bits[] = {
		{ HOST_CPU_sse3, r1.c, 0 },        { HOST_CPU_pclmul, r1.c, 1 },
		{ HOST_CPU_ssse3, r1.c, 9 },       { HOST_CPU_fma, r1.c, 12 },
		{ HOST_CPU_cx16, r1.c, 13 },       { HOST_CPU_sse4_1, r1.c, 19 },
		{ HOST_CPU_sse4_2, r1.c, 20 },     { HOST_CPU_movbe, r1.c, 22 },
		{ HOST_CPU_popcnt, r1.c, 23 },     { HOST_CPU_aes, r1.c, 25 },
		{ HOST_CPU_avx, r1.c, 28 },        { HOST_CPU_f16c, r1.c, 29 },
		{ HOST_CPU_bmi1, r7.b, 3 },        { HOST_CPU_avx2, r7.b, 5 },
		{ HOST_CPU_bmi2, r7.b, 8 },        { HOST_CPU_avx512f, r7.b, 16 },
		{ HOST_CPU_avx512dq, r7.b, 17 },   { HOST_CPU_adx, r7.b, 19 },
		{ HOST_CPU_sha, r7.b, 29 },        { HOST_CPU_avx512bw, r7.b, 30 },
		{ HOST_CPU_avx512vl, r7.b, 31 },   { HOST_CPU_avx512_vbmi, r7.c, 1 },
		{ HOST_CPU_gfni, r7.c, 8 },        { HOST_CPU_vaes, r7.c, 9 },
		{ HOST_CPU_vpclmulqdq, r7.c, 10 }, { HOST_CPU_avx512_fp16, r7.d, 23 },
		{ HOST_CPU_lahf, re.c, 0 },        { HOST_CPU_lzcnt, re.c, 5 },
	};
	uint64_t features = 0;

	for (size_t i = 0; i < ARRAY_LEN(bits); i++)
		if (bits[i].word >> bits[i].bit & 1)
			features |= bits[i].feature;
	return features;
}

/* CPUID.1:ECX.OSXSAVE says whether XGETBV may be asked. */
static uint64_t
host_features(void)
{
	uint64_t features = cpuid_features();
	uint64_t state = cpuid(1).c >> 27 & 1 ? saved_state() : 0;

	if ((state & XCR0_AVX) != XCR0_AVX)
		features &= ~HOST_CPU_avx;
	if ((state & XCR0_AVX512) != XCR0_AVX512)
		features &= ~HOST_CPU_avx512f;
	return features;
}

#else

static uint64_t
host_features(void)
{
	return 0;
}

#endif

static const struct {
	const char *name;
	uint64_t self;
	uint64_t needs;
} table[] = {
#define X(name, needs) { #name, 1ull << HOST_CPU_BIT_##name, 1ull << HOST_CPU_BIT_##needs },
	HOST_CPU_FEATURES(X)
#undef X
};

const struct host_cpu *
host_cpu_probe(struct host_cpu *cpu, uint64_t mask)
{
	uint64_t features = host_features() & mask;

	/* a feature stands behind its needs, so one pass closes the set */
	for (size_t i = 0; i < ARRAY_LEN(table); i++)
		if (!(features & table[i].needs))
			features &= ~table[i].self;
	cpu->features = features;
#define X(name, needs) cpu->name = (features & HOST_CPU_##name) != 0;
	HOST_CPU_FEATURES(X)
#undef X
	return cpu;
}

uint64_t
host_cpu_hash(const struct host_cpu *cpu)
{
	/* bijective but for the last line: distinct sets have distinct hashes */
	uint64_t h = cpu->features + HOST_CPU_BITS * 0x9e3779b97f4a7c15ull;

	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ull;
	h = (h ^ h >> 32) * 0xd6e8feb86659fd93ull;
	h ^= h >> 32;
	return h ? h : 1;
}

const char *
host_cpu_name(enum host_cpu_bit bit)
{
	return (unsigned)bit < HOST_CPU_BITS ? table[bit].name : NULL;
}
