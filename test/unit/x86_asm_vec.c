/* The x86-64 assembler's bit and vector encodings against GNU as and objdump:
 * legacy SSE, VEX and EVEX forms of the same functions. */
#include "x86_text.h"

static const int gprs[] = { RAX, RSP, RBP, RDI, R8, R12, R15 };
static const int xmms[] = { XMM0, XMM3, XMM7, XMM8, XMM15 };
static const int high[] = { XMM2, XMM9, XMM16, XMM23, XMM24, XMM31 };

#define EACH(v, array) \
	for (int v##_i = 0, v = (array)[0]; v##_i < (int)ARRAY_LEN(array); \
	     v = (array)[++v##_i < (int)ARRAY_LEN(array) ? v##_i : 0])

/* Some memory operand; successive numbers give different ones. */
static struct x86_mem
mem(int i)
{
	switch (i % 6) {
	case 0:
		return x86_base(RSP, 16);
	case 1:
		return x86_base(R13, 0);
	case 2:
		return x86_index(R12, R9, 3, 0x1240);
	case 3:
		return x86_base(RDI, 0);
	case 4:
		return x86_scaled(R14, 2, -64);
	default:
		return x86_index(RBP, RAX, 0, -128);
	}
}

static void
test_bits(void)
{
#define COUNT(name, from)                                                                      \
	for (int size = from; size <= 8; size *= 2) {                                          \
		EMIT(#name " %s, %s", r(size, d), r(size, s)) x86_##name##_rr(a, size, d, s);  \
		EMIT(#name " %s, %s", r(size, d), m(size, mem(s)))                             \
			x86_##name##_rm(a, size, d, mem(s));                                   \
	}
#define BT(name)                                                                               \
	for (int size = 2; size <= 8; size *= 2) {                                             \
		EMIT(#name " %s, %s", r(size, d), r(size, s)) x86_##name##_rr(a, size, d, s);  \
		EMIT(#name " %s, 13", r(size, d)) x86_##name##_ri(a, size, d, 13);             \
	}
	EACH(d, gprs)
		EACH(s, gprs) {
			COUNT(bsf, 2)
			COUNT(bsr, 2)
			COUNT(tzcnt, 2)
			COUNT(lzcnt, 2)
			COUNT(popcnt, 2)
			COUNT(adcx, 4)
			COUNT(adox, 4)
			BT(bt)
			BT(bts)
			BT(btr)
			BT(btc)
			for (int size = 1; size <= 8; size *= 2)
				EMIT("crc32 %s, %s", r(size == 8 ? 8 : 4, d), r(size, s))
					x86_crc32_rr(a, size, d, s);
			for (int size = 2; size <= 8; size *= 2) {
				EMIT("movbe %s, %s", r(size, d), m(size, mem(s)))
					x86_movbe_rm(a, size, d, mem(s));
				EMIT("movbe %s, %s", m(size, mem(s)), r(size, d))
					x86_movbe_mr(a, size, mem(s), d);
			}
			EMIT("bswap %s", r(4, d)) x86_bswap_r(a, 4, d);
			EMIT("bswap %s", r(8, d)) x86_bswap_r(a, 8, d);
		}
}

static void
test_bmi(void)
{
#define RM_V(name)                                                                             \
	EMIT(#name " %s, %s, %s", r(size, d), r(size, s), r(size, t))                          \
		x86_##name##_rrr(a, size, d, s, t);                                            \
	EMIT(#name " %s, %s, %s", r(size, d), m(size, mem(s)), r(size, t))                     \
		x86_##name##_rmr(a, size, d, mem(s), t);
#define V_RM(name)                                                                             \
	EMIT(#name " %s, %s, %s", r(size, d), r(size, s), r(size, t))                          \
		x86_##name##_rrr(a, size, d, s, t);                                            \
	EMIT(#name " %s, %s, %s", r(size, d), r(size, s), m(size, mem(t)))                     \
		x86_##name##_rrm(a, size, d, s, mem(t));
	static const int three[] = { RAX, RSP, R13 };

	for (int size = 4; size <= 8; size += 4)
		EACH(d, three)
			EACH(s, gprs) {
				EACH(t, three) {
					RM_V(shlx)
					RM_V(shrx)
					RM_V(sarx)
					RM_V(bextr)
					RM_V(bzhi)
					V_RM(andn)
					V_RM(pdep)
					V_RM(pext)
					V_RM(mulx)
				}
				EMIT("blsr %s, %s", r(size, d), r(size, s)) x86_blsr_rr(a, size, d, s);
				EMIT("blsi %s, %s", r(size, d), r(size, s)) x86_blsi_rr(a, size, d, s);
				EMIT("blsmsk %s, %s", r(size, d), r(size, s)) x86_blsmsk_rr(a, size, d, s);
				EMIT("rorx %s, %s, 9", r(size, d), r(size, s))
					x86_rorx_rri(a, size, d, s, 9);
			}
}

/* ---- the table of vec_ops.h --------------------------------------------- */

/* text: the mnemonic without v. forms: l legacy, v VEX, y VEX 256, e EVEX
 * that has the same name. */
#define OP(name, mnemonic, forms) { X86_##name, mnemonic, forms }

struct op {
	uint32_t op;
	const char *name;
	const char *forms;
};

static const struct op three_operands[] = {
	OP(PADDB, "paddb", "lvye"), OP(PADDW, "paddw", "lvye"), OP(PADDD, "paddd", "lvye"),
	OP(PADDQ, "paddq", "lvye"), OP(PSUBB, "psubb", "lvye"), OP(PSUBW, "psubw", "lvye"),
	OP(PSUBD, "psubd", "lvye"), OP(PSUBQ, "psubq", "lvye"), OP(PADDSB, "paddsb", "lvye"),
	OP(PADDSW, "paddsw", "lvye"), OP(PADDUSB, "paddusb", "lvye"),
	OP(PADDUSW, "paddusw", "lvye"), OP(PSUBSB, "psubsb", "lvye"),
	OP(PSUBSW, "psubsw", "lvye"), OP(PSUBUSB, "psubusb", "lvye"),
	OP(PSUBUSW, "psubusw", "lvye"), OP(PAVGB, "pavgb", "lvye"), OP(PAVGW, "pavgw", "lvye"),
	OP(PMULLW, "pmullw", "lvye"), OP(PMULHW, "pmulhw", "lvye"),
	OP(PMULHUW, "pmulhuw", "lvye"), OP(PMULUDQ, "pmuludq", "lvye"),
	OP(PMADDWD, "pmaddwd", "lvye"), OP(PSADBW, "psadbw", "lvye"),
	OP(PMINUB, "pminub", "lvye"), OP(PMINSW, "pminsw", "lvye"),
	OP(PMAXUB, "pmaxub", "lvye"), OP(PMAXSW, "pmaxsw", "lvye"),
	OP(PMULLD, "pmulld", "lvye"), OP(PMULDQ, "pmuldq", "lvye"),
	OP(PMADDUBSW, "pmaddubsw", "lvye"), OP(PMULHRSW, "pmulhrsw", "lvye"),
	OP(PMINSB, "pminsb", "lvye"), OP(PMINSD, "pminsd", "lvye"),
	OP(PMINUW, "pminuw", "lvye"), OP(PMINUD, "pminud", "lvye"),
	OP(PMAXSB, "pmaxsb", "lvye"), OP(PMAXSD, "pmaxsd", "lvye"),
	OP(PMAXUW, "pmaxuw", "lvye"), OP(PMAXUD, "pmaxud", "lvye"),
	OP(PHADDW, "phaddw", "lvy"), OP(PHADDD, "phaddd", "lvy"), OP(PHSUBW, "phsubw", "lvy"),
	OP(PHSUBD, "phsubd", "lvy"), OP(PSIGNB, "psignb", "lvy"), OP(PSIGNW, "psignw", "lvy"),
	OP(PSIGND, "psignd", "lvy"), OP(PCMPEQB, "pcmpeqb", "lvy"),
	OP(PCMPEQW, "pcmpeqw", "lvy"), OP(PCMPEQD, "pcmpeqd", "lvy"),
	OP(PCMPGTB, "pcmpgtb", "lvy"), OP(PCMPGTW, "pcmpgtw", "lvy"),
	OP(PCMPGTD, "pcmpgtd", "lvy"), OP(PCMPEQQ, "pcmpeqq", "lvy"),
	OP(PCMPGTQ, "pcmpgtq", "lvy"), OP(CMPPS, "cmpps", "lvy"), OP(CMPPD, "cmppd", "lvy"),
	OP(CMPSS, "cmpss", "lv"), OP(CMPSD, "cmpsd", "lv"), OP(PAND, "pand", "lvy"),
	OP(PANDN, "pandn", "lvy"), OP(POR, "por", "lvy"), OP(PXOR, "pxor", "lvy"),
	OP(ANDPS, "andps", "lvye"), OP(ANDPD, "andpd", "lvye"), OP(ANDNPS, "andnps", "lvye"),
	OP(ANDNPD, "andnpd", "lvye"), OP(ORPS, "orps", "lvye"), OP(ORPD, "orpd", "lvye"),
	OP(XORPS, "xorps", "lvye"), OP(XORPD, "xorpd", "lvye"),
	OP(PSLLW, "psllw", "lve"), OP(PSLLD, "pslld", "lve"), OP(PSLLQ, "psllq", "lve"),
	OP(PSRLW, "psrlw", "lve"), OP(PSRLD, "psrld", "lve"), OP(PSRLQ, "psrlq", "lve"),
	OP(PSRAW, "psraw", "lve"), OP(PSRAD, "psrad", "lve"),
	OP(VPSLLVD, "psllvd", "vye"), OP(VPSLLVQ, "psllvq", "vye"),
	OP(VPSRLVD, "psrlvd", "vye"), OP(VPSRLVQ, "psrlvq", "vye"),
	OP(VPSRAVD, "psravd", "vye"), OP(PUNPCKLBW, "punpcklbw", "lvye"),
	OP(PUNPCKLWD, "punpcklwd", "lvye"), OP(PUNPCKLDQ, "punpckldq", "lvye"),
	OP(PUNPCKLQDQ, "punpcklqdq", "lvye"), OP(PUNPCKHBW, "punpckhbw", "lvye"),
	OP(PUNPCKHWD, "punpckhwd", "lvye"), OP(PUNPCKHDQ, "punpckhdq", "lvye"),
	OP(PUNPCKHQDQ, "punpckhqdq", "lvye"), OP(PACKSSWB, "packsswb", "lvye"),
	OP(PACKSSDW, "packssdw", "lvye"), OP(PACKUSWB, "packuswb", "lvye"),
	OP(PACKUSDW, "packusdw", "lvye"), OP(PSHUFB, "pshufb", "lvye"),
	OP(UNPCKLPS, "unpcklps", "lvye"), OP(UNPCKHPS, "unpckhps", "lvye"),
	OP(UNPCKLPD, "unpcklpd", "lvye"), OP(UNPCKHPD, "unpckhpd", "lvye"),
	OP(MOVLHPS, "movlhps", "lve"), OP(MOVHLPS, "movhlps", "lve"),
	OP(SHUFPS, "shufps", "lvye"), OP(SHUFPD, "shufpd", "lvye"),
	OP(PALIGNR, "palignr", "lvye"), OP(PBLENDW, "pblendw", "lvy"),
	OP(BLENDPS, "blendps", "lvy"), OP(BLENDPD, "blendpd", "lvy"),
	OP(VPERMD, "permd", "y"), OP(VPERM2I128, "perm2i128", "y"),
	OP(ADDPS, "addps", "lvye"), OP(ADDPD, "addpd", "lvye"), OP(ADDSS, "addss", "lve"),
	OP(ADDSD, "addsd", "lve"), OP(MULPS, "mulps", "lvye"), OP(MULPD, "mulpd", "lvye"),
	OP(MULSS, "mulss", "lve"), OP(MULSD, "mulsd", "lve"), OP(SUBPS, "subps", "lvye"),
	OP(SUBPD, "subpd", "lvye"), OP(SUBSS, "subss", "lve"), OP(SUBSD, "subsd", "lve"),
	OP(MINPS, "minps", "lvye"), OP(MINPD, "minpd", "lvye"), OP(MINSS, "minss", "lve"),
	OP(MINSD, "minsd", "lve"), OP(DIVPS, "divps", "lvye"), OP(DIVPD, "divpd", "lvye"),
	OP(DIVSS, "divss", "lve"), OP(DIVSD, "divsd", "lve"), OP(MAXPS, "maxps", "lvye"),
	OP(MAXPD, "maxpd", "lvye"), OP(MAXSS, "maxss", "lve"), OP(MAXSD, "maxsd", "lve"),
	OP(HADDPS, "haddps", "lvy"), OP(HADDPD, "haddpd", "lvy"),
	OP(ADDSUBPS, "addsubps", "lvy"), OP(ADDSUBPD, "addsubpd", "lvy"),
	OP(FMADD132PS, "fmadd132ps", "vye"), OP(FMADD132PD, "fmadd132pd", "vye"),
	OP(FMADD213PS, "fmadd213ps", "vye"), OP(FMADD213PD, "fmadd213pd", "vye"),
	OP(FMADD231PS, "fmadd231ps", "vye"), OP(FMADD231PD, "fmadd231pd", "vye"),
	OP(FMSUB132PS, "fmsub132ps", "vye"), OP(FMSUB132PD, "fmsub132pd", "vye"),
	OP(FMSUB213PS, "fmsub213ps", "vye"), OP(FMSUB213PD, "fmsub213pd", "vye"),
	OP(FMSUB231PS, "fmsub231ps", "vye"), OP(FMSUB231PD, "fmsub231pd", "vye"),
	OP(FNMADD132PS, "fnmadd132ps", "vye"), OP(FNMADD132PD, "fnmadd132pd", "vye"),
	OP(FNMADD213PS, "fnmadd213ps", "vye"), OP(FNMADD213PD, "fnmadd213pd", "vye"),
	OP(FNMADD231PS, "fnmadd231ps", "vye"), OP(FNMADD231PD, "fnmadd231pd", "vye"),
	OP(FNMSUB132PS, "fnmsub132ps", "vye"), OP(FNMSUB132PD, "fnmsub132pd", "vye"),
	OP(FNMSUB213PS, "fnmsub213ps", "vye"), OP(FNMSUB213PD, "fnmsub213pd", "vye"),
	OP(FNMSUB231PS, "fnmsub231ps", "vye"), OP(FNMSUB231PD, "fnmsub231pd", "vye"),
	OP(AESENC, "aesenc", "lvye"), OP(AESENCLAST, "aesenclast", "lvye"),
	OP(AESDEC, "aesdec", "lvye"), OP(AESDECLAST, "aesdeclast", "lvye"),
	OP(PCLMULQDQ, "pclmulqdq", "lvye"), OP(GF2P8MULB, "gf2p8mulb", "lvye"),
	OP(GF2P8AFFINEQB, "gf2p8affineqb", "vye"),
	OP(GF2P8AFFINEINVQB, "gf2p8affineinvqb", "vye"),
	OP(VPTERNLOGD, "pternlogd", "e"), OP(VPTERNLOGQ, "pternlogq", "e"),
	OP(VPMULLQ, "pmullq", "e"), OP(VPSRAQ, "psraq", "e"), OP(VPSRAVQ, "psravq", "e"),
	OP(VPMINSQ, "pminsq", "e"), OP(VPMAXSQ, "pmaxsq", "e"), OP(VPMINUQ, "pminuq", "e"),
	OP(VPMAXUQ, "pmaxuq", "e"),
};

static const struct op two_operands[] = {
	OP(PSHUFD, "pshufd", "lvye"), OP(PSHUFLW, "pshuflw", "lvye"),
	OP(PSHUFHW, "pshufhw", "lvye"), OP(VPERMQ, "permq", "y"), OP(PABSB, "pabsb", "lvye"),
	OP(PABSW, "pabsw", "lvye"), OP(PABSD, "pabsd", "lvye"),
	OP(PMOVSXBW, "pmovsxbw", "lve"), OP(PMOVSXBD, "pmovsxbd", "lve"),
	OP(PMOVSXBQ, "pmovsxbq", "lve"), OP(PMOVSXWD, "pmovsxwd", "lve"),
	OP(PMOVSXWQ, "pmovsxwq", "lve"), OP(PMOVSXDQ, "pmovsxdq", "lve"),
	OP(PMOVZXBW, "pmovzxbw", "lve"), OP(PMOVZXBD, "pmovzxbd", "lve"),
	OP(PMOVZXBQ, "pmovzxbq", "lve"), OP(PMOVZXWD, "pmovzxwd", "lve"),
	OP(PMOVZXWQ, "pmovzxwq", "lve"), OP(PMOVZXDQ, "pmovzxdq", "lve"),
	OP(PTEST, "ptest", "lvy"), OP(VPBROADCASTB, "pbroadcastb", "ve"),
	OP(VPBROADCASTW, "pbroadcastw", "ve"), OP(VPBROADCASTD, "pbroadcastd", "ve"),
	OP(VPBROADCASTQ, "pbroadcastq", "ve"), OP(MOVDDUP, "movddup", "lve"),
	OP(ROUNDPS, "roundps", "lvy"), OP(ROUNDPD, "roundpd", "lvy"),
	OP(SQRTPS, "sqrtps", "lvye"), OP(SQRTPD, "sqrtpd", "lvye"),
	OP(CVTDQ2PS, "cvtdq2ps", "lvye"), OP(CVTPS2DQ, "cvtps2dq", "lvye"),
	OP(CVTTPS2DQ, "cvttps2dq", "lvye"), OP(CVTDQ2PD, "cvtdq2pd", "lve"),
	OP(CVTTPD2DQ, "cvttpd2dq", "lve"), OP(CVTPD2DQ, "cvtpd2dq", "lve"),
	OP(CVTPS2PD, "cvtps2pd", "lve"), OP(CVTPD2PS, "cvtpd2ps", "lve"),
	OP(VCVTPH2PS, "cvtph2ps", "ve"), OP(AESIMC, "aesimc", "lv"),
	OP(AESKEYGENASSIST, "aeskeygenassist", "lv"), OP(VPABSQ, "pabsq", "e"),
};

static const char *
tail(const struct op *o)
{
	return X86_GET_IMM(o->op) ? ", 1" : "";
}

static void
end_imm(const struct op *o)
{
	if (X86_GET_IMM(o->op))
		x86_put8(a, 1);
}

static void
test_three(const struct op *o, bool is_move)
{
	if (strchr(o->forms, 'l')) {
		a->vex = false;
		EACH(d, xmms)
			EACH(s, xmms)
				EMIT("%s %s, %s%s", o->name, x(d), x(s), tail(o))
					x86_vop3(a, o->op, 0, d, d, s), end_imm(o);
		if (!is_move)
			EMIT("%s %s, %s%s", o->name, x(9), m(0, mem(4)), tail(o))
				x86_vop3_m(a, o->op, 0, 9, 9, mem(4)), end_imm(o);
	}
	a->vex = true;
	for (int l = 0; l < 2; l++)
		if (strchr(o->forms, l ? 'y' : 'v')) {
			EACH(s, xmms)
				EMIT("v%s %s, %s, %s%s", o->name, l ? y(9) : x(9), l ? y(s) : x(s),
				     l ? y(s ^ 8) : x(s ^ 8), tail(o))
					x86_vop3(a, o->op, l, 9, s, s ^ 8), end_imm(o);
			for (int k = 0; k < 6 && !is_move; k++)
				EMIT("v%s %s, %s, %s%s", o->name, l ? y(k * 3) : x(k * 3),
				     l ? y(k) : x(k), m(0, mem(k)), tail(o))
					x86_vop3_m(a, o->op, l, k * 3, k, mem(k)), end_imm(o);
		}
	if (!strchr(o->forms, 'e'))
		return;
	EACH(s, high) {
		EMIT("v%s %s, %s, %s%s", o->name, x(31), x(s), x(s ^ 17), tail(o))
			x86_vop3(a, o->op, 0, 31, s, s ^ 17), end_imm(o);
		EMIT("v%s %s, %s, %s%s", o->name, x(s), x(s ^ 9), x(19), tail(o))
			x86_vop3(a, o->op, 0, s, s ^ 9, 19), end_imm(o);
	}
	for (int k = 0; k < 6 && !is_move; k++)
		EMIT("v%s %s, %s, %s%s", o->name, x(14 + k), x(30), m(0, mem(k)), tail(o))
			x86_vop3_m(a, o->op, 0, 14 + k, 30, mem(k)), end_imm(o);
}

static void
test_two(const struct op *o)
{
	if (strchr(o->forms, 'l')) {
		a->vex = false;
		EACH(d, xmms)
			EACH(s, xmms)
				EMIT("%s %s, %s%s", o->name, x(d), x(s), tail(o))
					x86_vop2(a, o->op, 0, d, s), end_imm(o);
	}
	a->vex = true;
	for (int l = 0; l < 2; l++)
		if (strchr(o->forms, l ? 'y' : 'v'))
			EACH(s, xmms)
				EMIT("v%s %s, %s%s", o->name, l ? y(9) : x(9), l ? y(s) : x(s), tail(o))
					x86_vop2(a, o->op, l, 9, s), end_imm(o);
	if (strchr(o->forms, 'e'))
		EACH(s, high)
			EMIT("v%s %s, %s%s", o->name, x(s ^ 21), x(s | 16), tail(o))
				x86_vop2(a, o->op, 0, s ^ 21, s | 16), end_imm(o);
}

static void
test_table(void)
{
	for (size_t i = 0; i < ARRAY_LEN(three_operands); i++)
		test_three(&three_operands[i],
			   three_operands[i].op == X86_MOVLHPS || three_operands[i].op == X86_MOVHLPS);
	for (size_t i = 0; i < ARRAY_LEN(two_operands); i++)
		test_two(&two_operands[i]);
}

/* ---- named functions: once without AVX, once with ----------------------- */

/* Two-operand text without AVX, and as with a v in front. */
static const char *
v(void)
{
	return a->vex ? "v" : "";
}

static void
test_moves(const int *set, int count)
{
	for (int i = 0; i < count; i++) {
		int d = set[i], g = gprs[i % (int)ARRAY_LEN(gprs)];
		struct x86_mem k = mem(i);

#define MOVE(name, size)                                                                       \
	EMIT("%s" #name " %s, %s", v(), x(d), m(size, k)) x86_##name##_load(a, d, k);          \
	EMIT("%s" #name " %s, %s", v(), m(size, k), x(d)) x86_##name##_store(a, k, d);
		MOVE(movss, 4)
		MOVE(movsd, 8)
		MOVE(movd, 4)
		MOVE(movq, 8)
		MOVE(movaps, 16)
		MOVE(movups, 16)
		EMIT("%smovd %s, %s", v(), x(d), r(4, g)) x86_movd_xr(a, 4, d, g);
		EMIT("%smovq %s, %s", v(), x(d), r(8, g)) x86_movd_xr(a, 8, d, g);
		EMIT("%smovd %s, %s", v(), r(4, g), x(d)) x86_movd_rx(a, 4, g, d);
		EMIT("%smovq %s, %s", v(), r(8, g), x(d)) x86_movd_rx(a, 8, g, d);
		for (int j = 0; j < count; j++) {
			EMIT("%smovaps %s, %s", v(), x(d), x(set[j])) x86_movaps(a, d, set[j]);
			if (d >= 8 || set[j] < 8) /* as swaps a movq from high to low */
				EMIT("%smovq %s, %s", v(), x(d), x(set[j])) x86_movq(a, d, set[j]);
			EMIT("%sucomiss %s, %s", v(), x(d), x(set[j])) x86_ucomis(a, 4, d, set[j]);
			EMIT("%sucomisd %s, %s", v(), x(d), x(set[j])) x86_ucomis(a, 8, d, set[j]);
			EMIT("%scomiss %s, %s", v(), x(d), x(set[j])) x86_comis(a, 4, d, set[j]);
			EMIT("%scomisd %s, %s", v(), x(d), x(set[j])) x86_comis(a, 8, d, set[j]);
		}
		EMIT("%sucomisd %s, %s", v(), x(d), m(8, k)) x86_ucomis_m(a, 8, d, k);
		EMIT("%sucomiss %s, %s", v(), x(d), m(4, k)) x86_ucomis_m(a, 4, d, k);
		for (int fp = 4; fp <= 8; fp += 4)
			for (int size = 4; size <= 8; size += 4) {
				const char *f = fp == 4 ? "ss" : "sd";

				EMIT("%scvtt%s2si %s, %s", v(), f, r(size, g), x(d))
					x86_cvtts2si(a, fp, size, g, d);
				EMIT("%scvt%s2si %s, %s", v(), f, r(size, g), x(d))
					x86_cvts2si(a, fp, size, g, d);
			}
		EMIT("%spextrb %s, %s, 3", v(), r(4, g), x(d)) x86_pextr(a, 1, g, d, 3);
		EMIT("%spextrd %s, %s, 3", v(), r(4, g), x(d)) x86_pextr(a, 4, g, d, 3);
		EMIT("%spextrq %s, %s, 1", v(), r(8, g), x(d)) x86_pextr(a, 8, g, d, 1);
	}
}

/* movdqa, movdqu, masks of lanes: no EVEX form under this name. */
static void
test_low_moves(void)
{
	EACH(d, xmms) {
		struct x86_mem k = mem(d);

		MOVE(movdqa, 16)
		MOVE(movdqu, 16)
		EMIT("%spmovmskb %s, %s", v(), r(4, d), x(d)) x86_pmovmskb(a, d, d);
		EMIT("%smovmskps %s, %s", v(), r(4, d), x(d)) x86_movmskps(a, d, d);
		EMIT("%smovmskpd %s, %s", v(), r(4, d), x(d)) x86_movmskpd(a, d, d);
		EMIT("%spshufd %s, %s, 27", v(), x(d), x(4)) x86_pshufd(a, d, 4, 27);
	}
}

/* Three operands: the names of both sizes, and the copies without AVX. */
static void
test_scalar(void)
{
#define SCALAR(name)                                                                           \
	EMIT("%s" #name "ss %s, %s", v(), dest, x(s)) x86_##name##ss(a, d, d, s);              \
	EMIT("%s" #name "sd %s, %s", v(), dest, x(s)) x86_##name##sd(a, d, d, s);              \
	EMIT("%s" #name "ss %s, %s", v(), dest, m(4, mem(s))) x86_##name##ss_m(a, d, d, mem(s)); \
	EMIT("%s" #name "sd %s, %s", v(), dest, m(8, mem(s))) x86_##name##sd_m(a, d, d, mem(s));
	EACH(d, xmms)
		EACH(s, xmms) {
			char dest[32], one[32], second[16];

			snprintf(dest, sizeof dest, a->vex ? "%s, %s" : "%s", x(d), x(d));
			snprintf(one, sizeof one, a->vex ? "%s, %s" : "%s", x(d), x(s));
			snprintf(second, sizeof second, "%s", x(s));
			SCALAR(add)
			SCALAR(sub)
			SCALAR(mul)
			SCALAR(div)
			SCALAR(min)
			SCALAR(max)
			if (d >= 8 || s < 8) { /* as saves a byte with the store's opcode */
				EMIT("%smovss %s, %s", v(), dest, second) x86_movss(a, d, d, s);
				EMIT("%smovsd %s, %s", v(), dest, second) x86_movsd(a, d, d, s);
			}
			EMIT("%scmpltss %s, %s", v(), dest, second) x86_cmps(a, 4, d, d, s, X86_CMP_LT);
			EMIT("%scmpordsd %s, %s", v(), dest, second) x86_cmps(a, 8, d, d, s, X86_CMP_ORD);
			EMIT("%ssqrtss %s, %s", v(), one, second) x86_sqrtss(a, d, s);
			EMIT("%ssqrtsd %s, %s", v(), one, second) x86_sqrtsd(a, d, s);
			EMIT("%scvtss2sd %s, %s", v(), one, second) x86_cvtss2sd(a, d, s);
			EMIT("%scvtsd2ss %s, %s", v(), one, second) x86_cvtsd2ss(a, d, s);
			EMIT("%sroundss %s, %s, 4", v(), one, second) x86_roundss(a, d, s, 4);
			EMIT("%sroundsd %s, %s, 9", v(), one, second) x86_roundsd(a, d, s, 9);
			EMIT("%spxor %s, %s; %scvtsi2sd %s, %s", v(), dest, x(d), v(), dest, r(8, s))
				x86_cvtsi2s(a, 8, 8, d, s);
			EMIT("%spxor %s, %s; %scvtsi2ss %s, %s", v(), dest, x(d), v(), dest, r(4, s))
				x86_cvtsi2s(a, 4, 4, d, s);
			EMIT("%spinsrb %s, %s, 5", v(), dest, r(4, s)) x86_pinsr(a, 1, d, d, s, 5);
			EMIT("%spinsrw %s, %s, 5", v(), dest, r(4, s)) x86_pinsr(a, 2, d, d, s, 5);
			EMIT("%spinsrd %s, %s, 2", v(), dest, r(4, s)) x86_pinsr(a, 4, d, d, s, 2);
			EMIT("%spinsrq %s, %s, 1", v(), dest, r(8, s)) x86_pinsr(a, 8, d, d, s, 1);
			EMIT("%spsrlw %s, 3", v(), one) x86_vshift_i(a, 2, 2, 0, d, a->vex ? s : d, 3);
		}
}

static void
test_copies(void)
{
	a->vex = false;
	a->scratch = XMM15;
	EMIT("movaps xmm1, xmm2; subsd xmm1, xmm3") x86_subsd(a, 1, 2, 3);
	EMIT("subsd xmm1, xmm1") x86_subsd(a, 1, 1, 1);
	EMIT("movaps xmm15, xmm3; movaps xmm3, xmm2; subsd xmm3, xmm15") x86_subsd(a, 3, 2, 3);
	EMIT("movaps xmm1, xmm2; subss xmm1, [rdi]") x86_subss_m(a, 1, 2, x86_base(RDI, 0));
	EMIT("movaps xmm1, xmm9; pinsrd xmm1, ecx, 2") x86_pinsr(a, 4, 1, 9, RCX, 2);
	EMIT("pextrw eax, xmm9, 2") x86_pextr(a, 2, RAX, 9, 2);
	EMIT("psrlq xmm3, 4") x86_vshift_i(a, 8, 2, 0, 3, 3, 4);
	EMIT("movaps xmm3, xmm4; pslldq xmm3, 4") x86_vshift_i(a, 8, 7, 0, 3, 4, 4);
	a->vex = true;
	EMIT("vpsrlq xmm3, xmm12, 4") x86_vshift_i(a, 8, 2, 0, 3, 12, 4);
	EMIT("vpsrad ymm3, ymm4, 31") x86_vshift_i(a, 4, 4, 1, 3, 4, 31);
	EMIT("vpsllw xmm30, xmm14, 4") x86_vshift_i(a, 2, 6, 0, 30, 14, 4);
	EMIT("vpsllq xmm9, xmm30, 4") x86_vshift_i(a, 8, 6, 0, 9, 30, 4);
	EMIT("vpblendvb xmm1, xmm2, xmm9, xmm12") x86_vpblendvb(a, 0, 1, 2, 9, 12);
	EMIT("vmovdqu ymm1, [rsp+0]") x86_vmovdqu256_load(a, 1, x86_base(RSP, 0));
	EMIT("vmovdqu [r13+0], ymm9") x86_vmovdqu256_store(a, x86_base(R13, 0), 9);
	EMIT("vzeroupper") x86_vzeroupper(a);
	EMIT("vpxor xmm3, xmm3, xmm3") x86_vzero(a, 3);
	EMIT("vpxord xmm20, xmm20, xmm20") x86_vzero(a, 20);
	EMIT("vmovups xmm20, [rax+64]") x86_movups_load(a, 20, x86_base(RAX, 64));
	EMIT("vinserti128 ymm1, ymm2, xmm3, 1") x86_vop3_i(a, X86_VINSERTI128, 1, 1, 2, 3, 1);
}

static void
test_fma(void)
{
	static const char *const orders[] = { "132", "213", "231" };
	static const char *const names[] = { "fmadd", "fmsub", "fnmadd", "fnmsub" };

	for (int f = 0; f < 4; f++)
		for (int o = 0; o < 3; o++)
			for (int size = 4; size <= 8; size += 4)
				for (int d = 0; d < 32; d += 5) {
					int s1 = (d * 3 + f) & 31, s2 = (d * 7 + o) & 31;
					const char *t = size == 4 ? "ss" : "sd";

					EMIT("v%s%s%s %s, %s, %s", names[f], orders[o], t, x(d), x(s1), x(s2))
						x86_fmas(a, X86_FMADD + 2 * f, 16 * o, size, d, s1, s2);
					EMIT("v%s%s%s %s, %s, %s", names[f], orders[o], t, x(d), x(s1), m(0, mem(d)))
						x86_fmas_m(a, X86_FMADD + 2 * f, 16 * o, size, d, s1, mem(d));
				}
}

static void
test_evex(void)
{
	static const char *const modes[] = { "rn", "rd", "ru", "rz" };

	for (int fp = 4; fp <= 8; fp += 4)
		for (int size = 4; size <= 8; size += 4)
			for (int d = 3; d < 32; d += 7) {
				const char *f = fp == 4 ? "ss" : "sd";
				int g = (d * 3) & 15;

				EMIT("vcvtt%s2usi %s, %s", f, r(size, g), x(d))
					x86_vcvtts2usi(a, fp, size, 0, g, d);
				EMIT("vcvtt%s2usi %s, %s, {sae}", f, r(size, g), x(d))
					x86_vcvtts2usi(a, fp, size, X86_SAE, g, d);
				for (int mode = 0; mode < 4; mode++)
					EMIT("vcvt%s2usi %s, %s, {%s-sae}", f, r(size, g), x(d), modes[mode])
						x86_vcvts2usi(a, fp, size, X86_ROUND(mode), g, d);
				EMIT("vpxor%s %s, %s, %s; vcvtusi2%s %s, %s, %s", d < 16 ? "" : "d", x(d),
				     x(d), x(d), f, x(d), x(d), r(size, g))
					x86_vcvtusi2s(a, fp, size, 0, d, g);
			}
	for (int mode = 0; mode < 4; mode++) {
		EMIT("vaddsd xmm1, xmm30, xmm9, {%s-sae}", modes[mode])
			x86_evex_rr(a, X86_ADDSD, X86_ROUND(mode), 1, 30, 9);
		EMIT("vsqrtss xmm1, xmm3, xmm9, {%s-sae}", modes[mode])
			x86_evex_rr(a, X86_SQRTSS, X86_ROUND(mode), 1, 3, 9);
		EMIT("vpxor xmm1, xmm1, xmm1; vcvtusi2ss xmm1, xmm1, {%s-sae}, r9", modes[mode])
			x86_vcvtusi2s(a, 4, 8, X86_ROUND(mode), 1, R9);
	}
	EMIT("vpaddd zmm1{k3}{z}, zmm17, zmm9")
		x86_evex_rr(a, X86_PADDD, X86_L512 | X86_MASK(3) | X86_ZEROING, 1, 17, 9);
	EMIT("vpaddq ymm1, ymm17, qword ptr [rax]{1to4}")
		x86_evex_rm(a, X86_PADDQ, X86_L256 | X86_BCAST, 1, 17, x86_base(RAX, 0));
	EMIT("vfpclasssd k5, xmm17, 0x81") x86_evex_rr(a, X86_VFPCLASSSD, 0, 5, 0, 17), x86_put8(a, 0x81);
	EMIT("vfpclassss k1, xmm7, 3") x86_evex_rr(a, X86_VFPCLASSSS, 0, 1, 0, 7), x86_put8(a, 3);
	EMIT("vcvtph2ps xmm1, xmm12") x86_vcvtph2ps(a, 1, 12);
	EMIT("vcvtps2ph xmm1, xmm12, 4") x86_vcvtps2ph(a, 1, 12, 4);
	EMIT("vcvtps2ph xmm14, xmm2, 1") x86_vcvtps2ph(a, 14, 2, X86_RDN);
}

static void
test_sha(void)
{
	EACH(d, xmms)
		EACH(s, xmms) {
			EMIT("sha1nexte %s, %s", x(d), x(s)) x86_sha(a, X86_SHA1NEXTE, d, s);
			EMIT("sha1msg1 %s, %s", x(d), x(s)) x86_sha(a, X86_SHA1MSG1, d, s);
			EMIT("sha1msg2 %s, %s", x(d), x(s)) x86_sha(a, X86_SHA1MSG2, d, s);
			EMIT("sha256rnds2 %s, %s", x(d), x(s)) x86_sha(a, X86_SHA256RNDS2, d, s);
			EMIT("sha256msg1 %s, %s", x(d), x(s)) x86_sha(a, X86_SHA256MSG1, d, s);
			EMIT("sha256msg2 %s, %s", x(d), x(s)) x86_sha(a, X86_SHA256MSG2, d, s);
			EMIT("sha1rnds4 %s, %s, 2", x(d), x(s))
				x86_sha(a, X86_SHA1RNDS4, d, s), x86_put8(a, 2);
		}
}

int
main(void)
{
	test_bits();
	test_bmi();
	test_table();
	for (int vex = 0; vex < 2; vex++) {
		a->vex = vex;
		test_moves(xmms, ARRAY_LEN(xmms));
		test_low_moves();
		test_scalar();
	}
	test_moves(high, ARRAY_LEN(high));
	test_copies();
	test_fma();
	test_evex();
	test_sha();
	x86_text_compare();
	return check_done();
}
