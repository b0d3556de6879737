/* Litmus tests of the memory model (Arm ARM, B2.3): barriers, ordered accesses,
 * exclusives, LSE atomics, pairs.
 * out: good
 */
#pragma GCC target("arch=armv8.4-a")
#include "litmus.h"

/* One thread's program on place p: x0 is x, x1 y, x2 what it saw; x3 is 1. */
#define PROGRAM(name, who, code) \
	static void name(struct place *p) \
	{ \
		register uint64_t *x __asm__("x0") = &p->x, *y __asm__("x1") = &p->y, *seen __asm__("x2") = p->seen[who]; \
\
		__asm__ volatile("mov x3, 1\n\tmov x4, 0\n\tmov x5, 0\n\t" code "\n\tstp x4, x5, [x2]" : : "r"(x), "r"(y), "r"(seen) \
				 : "x3", "x4", "x5", "x6", "x7", "x8", "x9", "memory"); \
	}

#define STORE_X "str x3, [x0]\n\t"
#define STORE_Y "str x3, [x1]\n\t"
#define LOAD_X "ldr x4, [x0]\n\t"
#define LOAD_Y "ldr x4, [x1]\n\t"
#define LOAD_X_SECOND "ldr x5, [x0]\n\t"
#define LOAD_Y_SECOND "ldr x5, [x1]\n\t"
#define TWO "mov x3, 2\n\t"
#define EXCLUSIVE(load, store, at) "1: " load " x6, [" at "]\n\t" store " w6, x3, [" at "]\n\tcbnz w6, 1b\n\t"

/* Store buffering. */
PROGRAM(sb_dmb_0, 0, STORE_X "dmb ish\n\t" LOAD_Y)
PROGRAM(sb_dmb_1, 1, STORE_Y "dmb sy\n\t" LOAD_X)
PROGRAM(sb_dsb_0, 0, STORE_X "dsb ish\n\t" LOAD_Y)
PROGRAM(sb_ordered_0, 0, "stlr x3, [x0]\n\tldar x4, [x1]")
PROGRAM(sb_ordered_1, 1, "stlr x3, [x1]\n\tldar x4, [x0]")
PROGRAM(sb_swp_0, 0, "swpal x3, x5, [x0]\n\tldar x4, [x1]")
PROGRAM(sb_swp_1, 1, "swpal x3, x5, [x1]\n\tldar x4, [x0]")
PROGRAM(sb_exclusive_0, 0, EXCLUSIVE("ldaxr", "stlxr", "x0") "ldaxr x4, [x1]")
PROGRAM(sb_exclusive_1, 1, EXCLUSIVE("ldaxr", "stlxr", "x1") "ldaxr x4, [x0]")

/* Message passing. */
PROGRAM(mp_dmb_0, 0, STORE_X "dmb ishst\n\t" STORE_Y)
PROGRAM(mp_dmb_1, 1, LOAD_Y "dmb ishld\n\t" LOAD_X_SECOND)
PROGRAM(mp_ordered_0, 0, STORE_X "stlr x3, [x1]")
PROGRAM(mp_ordered_1, 1, "ldar x4, [x1]\n\t" LOAD_X_SECOND)
PROGRAM(mp_pc_1, 1, "ldapr x4, [x1]\n\t" LOAD_X_SECOND)
PROGRAM(mp_lse_0, 0, STORE_X "ldaddl x3, x6, [x1]")
PROGRAM(mp_lse_1, 1, "ldadda x5, x4, [x1]\n\t" LOAD_X_SECOND)
PROGRAM(mp_exclusive_0, 0, STORE_X EXCLUSIVE("ldxr", "stlxr", "x1"))
PROGRAM(mp_exclusive_1, 1, "ldaxr x4, [x1]\n\tclrex\n\t" LOAD_X_SECOND)
PROGRAM(mp_address_1, 1, LOAD_Y "eor x6, x4, x4\n\tldr x5, [x0, x6]")
PROGRAM(mp_isb_1, 1, LOAD_Y "cbnz x4, 1f\n1: isb\n\t" LOAD_X_SECOND)

/* Load buffering. */
PROGRAM(lb_data_0, 0, LOAD_X "eor x6, x4, x4\n\tadd x6, x6, 1\n\tstr x6, [x1]")
PROGRAM(lb_dmb_1, 1, LOAD_Y "dmb ishld\n\t" STORE_X)
PROGRAM(lb_release_1, 1, LOAD_Y "stlr x3, [x0]")

/* Coherence. */
PROGRAM(corr_0, 0, STORE_X TWO STORE_X)
PROGRAM(corr_1, 1, LOAD_X LOAD_X_SECOND)

/* Two threads write both places the other way round. */
PROGRAM(w22_dmb_0, 0, STORE_X "dmb ishst\n\t" TWO STORE_Y)
PROGRAM(w22_dmb_1, 1, STORE_Y "dmb ishst\n\t" TWO STORE_X)
PROGRAM(w22_ordered_0, 0, "stlr x3, [x0]\n\t" TWO "stlr x3, [x1]")
PROGRAM(w22_ordered_1, 1, "stlr x3, [x1]\n\t" TWO "stlr x3, [x0]")

/* Independent reads of independent writes. */
PROGRAM(iriw_0, 0, STORE_X)
PROGRAM(iriw_1, 1, STORE_Y)
PROGRAM(iriw_dmb_2, 2, LOAD_X "dmb ishld\n\t" LOAD_Y_SECOND)
PROGRAM(iriw_dmb_3, 3, LOAD_Y "dmb ishld\n\t" LOAD_X_SECOND)
PROGRAM(iriw_ordered_2, 2, "ldar x4, [x0]\n\tldar x5, [x1]")
PROGRAM(iriw_ordered_3, 3, "ldar x4, [x1]\n\tldar x5, [x0]")

/* Write to read causality. */
PROGRAM(wrc_0, 0, STORE_X)
PROGRAM(wrc_1, 1, LOAD_X "stlr x4, [x1]")
PROGRAM(wrc_2, 2, "ldar x4, [x1]\n\t" LOAD_X_SECOND)

/* A store of 64 bits is seen as a whole; those of 128 are that are one: exclusive
 * pairs whose store succeeds, CASP. */
PROGRAM(single_0, 0, "mov x3, -1\n\t" STORE_X)
PROGRAM(single_1, 1, LOAD_X LOAD_X_SECOND)
PROGRAM(pair_casp_0, 0, "mov x6, 0\n\tmov x7, 0\n\tmov x8, 1\n\tmov x9, 1\n\tcaspal x6, x7, x8, x9, [x0]")
PROGRAM(pair_casp_1, 1, "mov x6, 3\n\tmov x7, 4\n\tmov x8, 5\n\tmov x9, 6\n\tcaspal x6, x7, x8, x9, [x0]\n\tmov x4, x6\n\tmov x5, x7")
PROGRAM(pair_exclusive_0, 0, "1: ldxp x6, x7, [x0]\n\tstlxp w6, x3, x3, [x0]\n\tcbnz w6, 1b")
PROGRAM(pair_exclusive_1, 1, "1: ldaxp x4, x5, [x0]\n\tstxp w6, x4, x5, [x0]\n\tcbnz w6, 1b")

static int
pair(const struct place *p)
{
	return p->seen[1][0] != p->seen[1][1];
}

static const struct test tests[] = {
	{ "SB+dmb", { sb_dmb_0, sb_dmb_1 }, sb },
	{ "SB+dsb+dmb", { sb_dsb_0, sb_dmb_1 }, sb },
	{ "SB+stlr+ldar", { sb_ordered_0, sb_ordered_1 }, sb },
	{ "SB+swpal+ldar", { sb_swp_0, sb_swp_1 }, sb },
	{ "SB+stlxr+ldaxr", { sb_exclusive_0, sb_exclusive_1 }, sb },
	{ "MP+dmb.st+dmb.ld", { mp_dmb_0, mp_dmb_1 }, mp },
	{ "MP+stlr+ldar", { mp_ordered_0, mp_ordered_1 }, mp },
	{ "MP+stlr+ldapr", { mp_ordered_0, mp_pc_1 }, mp },
	{ "MP+ldaddl+ldadda", { mp_lse_0, mp_lse_1 }, mp },
	{ "MP+stlxr+ldaxr", { mp_exclusive_0, mp_exclusive_1 }, mp },
	{ "MP+dmb.st+address", { mp_dmb_0, mp_address_1 }, mp },
	{ "MP+dmb.st+ctrl-isb", { mp_dmb_0, mp_isb_1 }, mp },
	{ "LB+data+dmb.ld", { lb_data_0, lb_dmb_1 }, lb },
	{ "LB+data+stlr", { lb_data_0, lb_release_1 }, lb },
	{ "CoRR", { corr_0, corr_1 }, corr },
	{ "2+2W+dmb.st", { w22_dmb_0, w22_dmb_1 }, w22 },
	{ "2+2W+stlr", { w22_ordered_0, w22_ordered_1 }, w22 },
	{ "IRIW+dmb.ld", { iriw_0, iriw_1, iriw_dmb_2, iriw_dmb_3 }, iriw },
	{ "IRIW+ldar", { iriw_0, iriw_1, iriw_ordered_2, iriw_ordered_3 }, iriw },
	{ "WRC+stlr+ldar", { wrc_0, wrc_1, wrc_2 }, wrc },
	{ "single-copy", { single_0, single_1 }, single },
	{ "pair+casp", { pair_casp_0, pair_casp_1 }, pair },
	{ "pair+ldxp-stxp", { pair_exclusive_0, pair_exclusive_1 }, pair },
};

int
main(void)
{
	return run_tests(tests, sizeof(tests) / sizeof(tests[0]));
}
