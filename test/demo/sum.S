# The program that doc/tour.md follows: the sum of a list's numbers.
# Assembled and linked without compression and at a fixed address, so that the
# page's dumps can be made again: tools/gen-tour.
	.option norvc
	.globl _start, sum
_start:
	la a0, first
	call sum
	li a7, 93	# exit(sum)
	ecall

# struct node { struct node *next; long value; }; sum(a0) until NULL
sum:
	mv a5, a0
	li a0, 0
1:	ld a4, 8(a5)
	add a0, a0, a4
	ld a5, 0(a5)
	bnez a5, 1b
	ret

	.data
first:	.dword second, 30
#ifdef BAD
second:	.dword 3, 12	# its next node is nowhere: a fault in the middle
#else
second:	.dword 0, 12
#endif
