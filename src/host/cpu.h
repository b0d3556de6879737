/* What the host's processor can do, as far as a code generator asks.
 *
 * A feature counts only when the processor has it, the operating system saves
 * its registers (XGETBV), and every feature that it builds on counts too.
 * Nothing is kept here: the caller owns the struct and passes it on.
 */
#ifndef HOST_CPU_H
#define HOST_CPU_H

#include "base/base.h"

/* X(name, needs): needs is the feature that must be there as well. The order
 * is part of cache keys: append only. */
#define HOST_CPU_FEATURES(X)                                                           \
	X(sse3, sse3)                                                                      \
	X(ssse3, sse3)                                                                     \
	X(sse4_1, ssse3)                                                                   \
	X(sse4_2, sse4_1)                                                                  \
	X(popcnt, popcnt)                                                                  \
	X(cx16, cx16)                                                                      \
	X(lahf, lahf) /* lahf and sahf in 64-bit mode */                                   \
	X(avx, sse4_2)                                                                     \
	X(avx2, avx)                                                                       \
	X(bmi1, avx) /* VEX-encoded, hence only with AVX state */                          \
	X(bmi2, avx)                                                                       \
	X(lzcnt, lzcnt)                                                                    \
	X(fma, avx)                                                                        \
	X(f16c, avx)                                                                       \
	X(movbe, movbe)                                                                    \
	X(aes, sse4_2)                                                                     \
	X(pclmul, sse4_2)                                                                  \
	X(sha, sse4_2)                                                                     \
	X(gfni, sse4_2)                                                                    \
	X(adx, adx)                                                                        \
	X(vaes, avx2)                                                                      \
	X(vpclmulqdq, avx2)                                                                \
	X(avx512f, avx2)                                                                   \
	X(avx512vl, avx512f)                                                               \
	X(avx512bw, avx512f)                                                               \
	X(avx512dq, avx512f)                                                               \
	X(avx512_vbmi, avx512bw)                                                           \
	X(avx512_fp16, avx512bw)

enum host_cpu_bit {
#define X(name, needs) HOST_CPU_BIT_##name,
	HOST_CPU_FEATURES(X)
#undef X
	HOST_CPU_BITS
};

/* One bit a feature, to combine with | and &: HOST_CPU_avx2. */
#define X(name, needs) static const uint64_t HOST_CPU_##name = 1ull << HOST_CPU_BIT_##name;
HOST_CPU_FEATURES(X)
#undef X

/* The levels of the x86-64 psABI, for use as masks. v2 is our baseline. */
#define HOST_CPU_V2                                                                    \
	(HOST_CPU_sse3 | HOST_CPU_ssse3 | HOST_CPU_sse4_1 | HOST_CPU_sse4_2 |              \
	 HOST_CPU_popcnt | HOST_CPU_cx16 | HOST_CPU_lahf)
#define HOST_CPU_V3                                                                    \
	(HOST_CPU_V2 | HOST_CPU_avx | HOST_CPU_avx2 | HOST_CPU_bmi1 | HOST_CPU_bmi2 |      \
	 HOST_CPU_lzcnt | HOST_CPU_fma | HOST_CPU_f16c | HOST_CPU_movbe)
#define HOST_CPU_V4                                                                    \
	(HOST_CPU_V3 | HOST_CPU_avx512f | HOST_CPU_avx512vl | HOST_CPU_avx512bw |          \
	 HOST_CPU_avx512dq)
#define HOST_CPU_ALL UINT64_MAX

/* The same set twice: as bits, and as one bool a feature to read. */
struct host_cpu {
	uint64_t features;
#define X(name, needs) bool name;
	HOST_CPU_FEATURES(X)
#undef X
};

/* Fills *cpu with those features of this host that mask allows, and returns
 * it. mask: HOST_CPU_ALL, or less to force a lower level; a feature whose
 * needs the mask removes goes with them. Any thread; cheap, but serializing
 * and slow under a hypervisor (microseconds): once a VM. */
const struct host_cpu *host_cpu_probe(struct host_cpu *cpu, uint64_t mask);

/* A hash of the set, for the keys of stored code; never 0, equal on every
 * host of the same set. */
uint64_t host_cpu_hash(const struct host_cpu *cpu);

/* The feature's name, as it is spelled above; NULL beyond the last. */
const char *host_cpu_name(enum host_cpu_bit bit);

#endif
