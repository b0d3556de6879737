/* Litmus tests of the memory model (RVWMO, manual I, 17 and appendix A).
 * out: good
 */
#include "litmus.h"

/* One thread's program on place p: a0 is x, a1 y, a2 what it saw. */
#define PROGRAM(name, who, code) \
	static void name(struct place *p) \
	{ \
		register uint64_t *x __asm__("a0") = &p->x, *y __asm__("a1") = &p->y, *seen __asm__("a2") = p->seen[who]; \
\
		__asm__ volatile("li t2, 1\n\t" code "\n\tsd t0, 0(a2)\n\tsd t1, 8(a2)" : : "r"(x), "r"(y), "r"(seen) \
				 : "t0", "t1", "t2", "memory"); \
	}

#define STORE_X "sd t2, 0(a0)\n\t"
#define STORE_Y "sd t2, 0(a1)\n\t"
#define LOAD_X "ld t0, 0(a0)\n\t"
#define LOAD_Y "ld t0, 0(a1)\n\t"
#define LOAD_X_SECOND "ld t1, 0(a0)\n\t"
#define LOAD_Y_SECOND "ld t1, 0(a1)\n\t"
#define FENCE "fence rw, rw\n\t"

/* Store buffering. */
PROGRAM(sb_fence_0, 0, STORE_X FENCE LOAD_Y)
PROGRAM(sb_fence_1, 1, STORE_Y FENCE LOAD_X)
PROGRAM(sb_wr_0, 0, STORE_X "fence w, r\n\t" LOAD_Y)
PROGRAM(sb_wr_1, 1, STORE_Y "fence w, r\n\t" LOAD_X)
PROGRAM(sb_amo_0, 0, "amoswap.d.aqrl zero, t2, (a0)\n\tamoor.d.aqrl t0, zero, (a1)")
PROGRAM(sb_amo_1, 1, "amoswap.d.aqrl zero, t2, (a1)\n\tamoor.d.aqrl t0, zero, (a0)")
PROGRAM(sb_lrsc_0, 0, "1: lr.d.aqrl t1, (a0)\n\tsc.d.aqrl t1, t2, (a0)\n\tbnez t1, 1b\n\tlr.d.aqrl t0, (a1)")
PROGRAM(sb_lrsc_1, 1, "1: lr.d.aqrl t1, (a1)\n\tsc.d.aqrl t1, t2, (a1)\n\tbnez t1, 1b\n\tlr.d.aqrl t0, (a0)")

/* Message passing. */
PROGRAM(mp_fence_0, 0, STORE_X "fence w, w\n\t" STORE_Y)
PROGRAM(mp_fence_1, 1, LOAD_Y "fence r, r\n\t" LOAD_X_SECOND)
PROGRAM(mp_tso_0, 0, STORE_X "fence.tso\n\t" STORE_Y)
PROGRAM(mp_tso_1, 1, LOAD_Y "fence.tso\n\t" LOAD_X_SECOND)
PROGRAM(mp_amo_0, 0, STORE_X "amoadd.d.rl zero, t2, (a1)")
PROGRAM(mp_amo_1, 1, "amoor.d.aq t0, zero, (a1)\n\t" LOAD_X_SECOND)
PROGRAM(mp_address_1, 1, LOAD_Y "xor t1, t0, t0\n\tadd t1, t1, a0\n\tld t1, 0(t1)")

/* Load buffering. */
PROGRAM(lb_0, 0, LOAD_X "xor t1, t0, t0\n\taddi t1, t1, 1\n\tsd t1, 0(a1)")
PROGRAM(lb_1, 1, LOAD_Y "fence r, w\n\t" STORE_X)

/* Coherence. */
PROGRAM(corr_0, 0, STORE_X "li t2, 2\n\t" STORE_X)
PROGRAM(corr_1, 1, LOAD_X LOAD_X_SECOND)

/* Two threads write both places the other way round. */
PROGRAM(w22_0, 0, STORE_X FENCE "li t2, 2\n\t" STORE_Y)
PROGRAM(w22_1, 1, STORE_Y FENCE "li t2, 2\n\t" STORE_X)

/* Independent reads of independent writes. */
PROGRAM(iriw_0, 0, STORE_X)
PROGRAM(iriw_1, 1, STORE_Y)
PROGRAM(iriw_2, 2, LOAD_X "fence r, r\n\t" LOAD_Y_SECOND)
PROGRAM(iriw_3, 3, LOAD_Y "fence r, r\n\t" LOAD_X_SECOND)

/* Write to read causality. */
PROGRAM(wrc_0, 0, STORE_X)
PROGRAM(wrc_1, 1, LOAD_X "fence rw, w\n\tsd t0, 0(a1)")
PROGRAM(wrc_2, 2, LOAD_Y "fence r, rw\n\t" LOAD_X_SECOND)

/* A wide store is seen as a whole, whatever its order. */
PROGRAM(single_0, 0, "li t2, -1\n\t" STORE_X)
PROGRAM(single_1, 1, LOAD_X LOAD_X_SECOND)

static const struct test tests[] = {
	{ "SB+fence.rw.rw", { sb_fence_0, sb_fence_1 }, sb },
	{ "SB+fence.w.r", { sb_wr_0, sb_wr_1 }, sb },
	{ "SB+amo.aqrl", { sb_amo_0, sb_amo_1 }, sb },
	{ "SB+lr-sc.aqrl", { sb_lrsc_0, sb_lrsc_1 }, sb },
	{ "MP+fence.w.w+fence.r.r", { mp_fence_0, mp_fence_1 }, mp },
	{ "MP+fence.tso", { mp_tso_0, mp_tso_1 }, mp },
	{ "MP+amo.rl+amo.aq", { mp_amo_0, mp_amo_1 }, mp },
	{ "MP+fence.w.w+address", { mp_fence_0, mp_address_1 }, mp },
	{ "LB+data+fence.r.w", { lb_0, lb_1 }, lb },
	{ "CoRR", { corr_0, corr_1 }, corr },
	{ "2+2W+fence.rw.rw", { w22_0, w22_1 }, w22 },
	{ "IRIW+fence.r.r", { iriw_0, iriw_1, iriw_2, iriw_3 }, iriw },
	{ "WRC+fence.rw.w+fence.r.rw", { wrc_0, wrc_1, wrc_2 }, wrc },
	{ "single-copy", { single_0, single_1 }, single },
};

int
main(void)
{
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
