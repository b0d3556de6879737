/* The lifters of insns_simd.def; included by lift.h. */
#ifndef GUEST_AARCH64_LIFT_SIMD_H
#define GUEST_AARCH64_LIFT_SIMD_H

#endif
