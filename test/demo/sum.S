# The program that doc/tour.md follows: adds up the numbers of a list and exits
# with the sum, 42. Assembled without compressed instructions and linked at a
# fixed address, so that the dumps on that page can be made again (tools/gen-tour).
#
# With -DBAD the list ends in a pointer to nowhere. The handler of SIGSEGV exits
# with what the signal frame says a0 was (42), plus the distance of the PC from
# the instruction that must have faulted (0).
	.option norvc
	.option norelax
	.globl _start, sum
_start:
#ifdef BAD
	li a7, 134		# rt_sigaction(SIGSEGV, &action, NULL, 8)
	li a0, 11
	lla a1, action
	li a2, 0
	li a3, 8
	ecall
#endif
	lla a0, first
	jal sum
	li a7, 93		# exit(sum)
	ecall

# struct node { struct node *next; long number; }
sum:
	mv a5, a0
	li a0, 0
loop:
	ld a4, 8(a5)
	add a0, a0, a4
	ld a5, 0(a5)
	bnez a5, loop
	ret

#ifdef BAD
handler:			# (signal, siginfo, ucontext): pc at 176, a0 at 256
	ld a0, 256(a2)
	ld a1, 176(a2)
	lla a3, loop
	sub a1, a1, a3
	add a0, a0, a1
	li a7, 93
	ecall
	.data
action:	.dword handler, 4, 0	# SA_SIGINFO
first:	.dword second, 30
second:	.dword 3, 12
#else
	.data
first:	.dword second, 30
second:	.dword 0, 12
#endif
