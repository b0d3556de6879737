/* The lifters of insns_simd.def; included by lift.h. What a and b choose is said
 * at each definition. */
#ifndef GUEST_AARCH64_LIFT_SIMD_H
#define GUEST_AARCH64_LIFT_SIMD_H

/* ---- what a and b of lifters say ---------------------------------------- */

/* Comparisons. */
enum a64_v_condition { VC_GT, VC_GE, VC_EQ, VC_LE, VC_LT, VC_HI, VC_HS };
/* What becomes of a result: it is the result, or goes to the old value. */
enum a64_v_accumulation { VA_NONE, VA_ADD, VA_SUBTRACT };
enum a64_v_bitwise { VB_AND, VB_BIC, VB_ORR, VB_ORN, VB_EOR, VB_BSL, VB_BIT, VB_BIF };
enum a64_v_immediate { VI_MOV, VI_MVN, VI_ORR, VI_BIC, VI_MSL, VI_MSLN, VI_FLOAT, VI_MASK };
/* Of floating point, above the variant of the op. */
enum a64_v_float {
	VF_HALF = 1 << 8, /* lanes are f16 */
	VF_ABS = 1 << 9,  /* of absolute values */
	VF_ZERO = 1 << 10, /* with zero in place of Vm */
};

LIFTER(a64_v_store);
LIFTER(a64_v_load);
LIFTER(a64_v_store_pair);
LIFTER(a64_v_load_pair);
LIFTER(a64_v_store_structures);
LIFTER(a64_v_load_structures);
LIFTER(a64_v_store_single);
LIFTER(a64_v_load_single);
LIFTER(a64_v_load_replicate);
LIFTER(a64_fp);
LIFTER(a64_fp_convert);
LIFTER(a64_fp_round);
LIFTER(a64_fp_flags);
LIFTER(a64_fp_constant);
LIFTER(a64_fp_ccmp);
LIFTER(a64_fp_nmul);
LIFTER(a64_fp_select);
LIFTER(a64_fp_fma);
LIFTER(a64_fp_to_int);
LIFTER(a64_fp_from_int);
LIFTER(a64_fp_to_fixed);
LIFTER(a64_fmov_to_x);
LIFTER(a64_fmov_from_x);
LIFTER(a64_fjcvtzs);
LIFTER(a64_v_binary);
LIFTER(a64_v_saturating);
LIFTER(a64_v_compare);
LIFTER(a64_v_shift);
LIFTER(a64_v_accumulate);
LIFTER(a64_v_test);
LIFTER(a64_v_pairwise);
LIFTER(a64_v_sqdmulh);
LIFTER(a64_v_pmul);
LIFTER(a64_v_bits);
LIFTER(a64_v_sqrdmlah);
LIFTER(a64_v_dot);
LIFTER(a64_fp_complex_fma);
LIFTER(a64_fp_complex_add);
LIFTER(a64_fp_accumulate);
LIFTER(a64_fp_compare);
LIFTER(a64_fp_pairwise);
LIFTER(a64_fp_difference);
LIFTER(a64_fp_fmlal);
LIFTER(a64_v_long);
LIFTER(a64_v_abal);
LIFTER(a64_v_mlal);
LIFTER(a64_v_wide);
LIFTER(a64_v_high_narrow);
LIFTER(a64_v_sqdmlal);
LIFTER(a64_v_pmull);
LIFTER(a64_v_reverse);
LIFTER(a64_v_add_long_pairs);
LIFTER(a64_v_suqadd);
LIFTER(a64_v_usqadd);
LIFTER(a64_v_cls);
LIFTER(a64_v_unary);
LIFTER(a64_v_unary_bytes);
LIFTER(a64_v_sqabs);
LIFTER(a64_v_sqneg);
LIFTER(a64_v_narrow);
LIFTER(a64_v_shll);
LIFTER(a64_v_estimate);
LIFTER(a64_fp_lanes_to_int);
LIFTER(a64_fp_lanes_from_int);
LIFTER(a64_fp_narrow);
LIFTER(a64_fp_widen);
LIFTER(a64_v_add_long_across);
LIFTER(a64_v_across);
LIFTER(a64_fp_across);
LIFTER(a64_v_add_pair);
LIFTER(a64_fp_pair);
LIFTER(a64_v_dup);
LIFTER(a64_v_dup_scalar);
LIFTER(a64_v_dup_register);
LIFTER(a64_v_insert_register);
LIFTER(a64_v_insert);
LIFTER(a64_v_extract);
LIFTER(a64_v_permute);
LIFTER(a64_v_ext);
LIFTER(a64_v_table);
LIFTER(a64_v_constant);
LIFTER(a64_v_shift_right);
LIFTER(a64_v_shift_left);
LIFTER(a64_v_shift_insert);
LIFTER(a64_v_shift_saturating);
LIFTER(a64_v_shift_narrow);
LIFTER(a64_v_shift_long);
LIFTER(a64_fp_lanes_from_fixed);
LIFTER(a64_fp_lanes_to_fixed);
LIFTER(a64_aes);
LIFTER(a64_sha1);
LIFTER(a64_sha1_schedule);
LIFTER(a64_sha1_rotate);
LIFTER(a64_crypto);
LIFTER(a64_sha512h);
LIFTER(a64_sha512h2);
LIFTER(a64_sha512su1);
LIFTER(a64_sha512su0);
LIFTER(a64_rax1);
LIFTER(a64_eor3);
LIFTER(a64_bcax);
LIFTER(a64_xar);

#endif
