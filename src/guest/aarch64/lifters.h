/* The lifters that lifters.def names; included by lift.h. */
#ifndef GUEST_AARCH64_LIFTERS_H
#define GUEST_AARCH64_LIFTERS_H
#endif
