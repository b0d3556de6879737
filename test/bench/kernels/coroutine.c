/* A thousand coroutines on stacks swapped by hand, each switch a return to an
 * address that no call just pushed: hard for predictors of returns.
 * class: stack switch
 */
#include "kernel.h"

#define COUNT 1000
#define STACK 8192

/* Saves the integer registers that a call keeps on the running stack, leaves
 * its pointer in *save, and goes on with another stack. No floating point is
 * live in this program. */
void switch_stack(void **save, void *next);

#if defined(__x86_64__)
__asm__(".text\n"
	".type switch_stack, @function\n"
	"switch_stack:\n"
	"	push %rbp\n	push %rbx\n	push %r12\n"
	"	push %r13\n	push %r14\n	push %r15\n"
	"	mov %rsp, (%rdi)\n"
	"	mov %rsi, %rsp\n"
	"	pop %r15\n	pop %r14\n	pop %r13\n"
	"	pop %r12\n	pop %rbx\n	pop %rbp\n"
	"	ret\n");
enum { RETURN_SLOT = 6, FRAME = 8 };
#elif defined(__riscv) && __riscv_xlen == 64
__asm__(".text\n"
	".type switch_stack, @function\n"
	"switch_stack:\n"
	"	addi sp, sp, -112\n"
	"	sd ra, 0(sp)\n	sd s0, 8(sp)\n	sd s1, 16(sp)\n	sd s2, 24(sp)\n"
	"	sd s3, 32(sp)\n	sd s4, 40(sp)\n	sd s5, 48(sp)\n	sd s6, 56(sp)\n"
	"	sd s7, 64(sp)\n	sd s8, 72(sp)\n	sd s9, 80(sp)\n	sd s10, 88(sp)\n"
	"	sd s11, 96(sp)\n"
	"	sd sp, 0(a0)\n"
	"	mv sp, a1\n"
	"	ld ra, 0(sp)\n	ld s0, 8(sp)\n	ld s1, 16(sp)\n	ld s2, 24(sp)\n"
	"	ld s3, 32(sp)\n	ld s4, 40(sp)\n	ld s5, 48(sp)\n	ld s6, 56(sp)\n"
	"	ld s7, 64(sp)\n	ld s8, 72(sp)\n	ld s9, 80(sp)\n	ld s10, 88(sp)\n"
	"	ld s11, 96(sp)\n"
	"	addi sp, sp, 112\n"
	"	ret\n");
enum { RETURN_SLOT = 0, FRAME = 14 };
#elif defined(__aarch64__)
__asm__(".text\n"
	".type switch_stack, %function\n"
	"switch_stack:\n"
	"	stp x29, x30, [sp, #-96]!\n"
	"	stp x19, x20, [sp, #16]\n	stp x21, x22, [sp, #32]\n"
	"	stp x23, x24, [sp, #48]\n	stp x25, x26, [sp, #64]\n"
	"	stp x27, x28, [sp, #80]\n"
	"	mov x2, sp\n"
	"	str x2, [x0]\n"
	"	mov sp, x1\n"
	"	ldp x19, x20, [sp, #16]\n	ldp x21, x22, [sp, #32]\n"
	"	ldp x23, x24, [sp, #48]\n	ldp x25, x26, [sp, #64]\n"
	"	ldp x27, x28, [sp, #80]\n"
	"	ldp x29, x30, [sp], #96\n"
	"	ret\n");
enum { RETURN_SLOT = 1, FRAME = 12 };
#else
#error "coroutine.c: write switch_stack for this machine"
#endif

static _Alignas(16) unsigned char stacks[COUNT][STACK];
static void *saved[COUNT], *main_stack;
static uint64_t result[COUNT];
static int running;

static __attribute__((noinline)) void
yield(void)
{
	int self = running;

	running = (self + 1) % COUNT;
	switch_stack(&saved[self], running ? saved[running] : main_stack);
}

/* A coroutine's body; running says which it is. Never returns. */
static void
body(void)
{
	int self = running;
	uint64_t state = (uint64_t)self;

	for (;;) {
		result[self] += kernel_random(&state);
		yield();
	}
}

/* The stack of a coroutine that has not run: switch_stack "returns" to body
 * with the stack as a call would leave it. */
static void *
new_stack(int index)
{
	uint64_t *top = (uint64_t *)(void *)(stacks[index] + STACK);
	uint64_t *frame = top - FRAME - 2 + FRAME % 2;

	frame[RETURN_SLOT] = (uint64_t)(uintptr_t)body;
	return frame;
}

int
main(int argc, char **argv)
{
	uint64_t sum = 0;

	for (int i = 1; i < COUNT; i++)
		saved[i] = new_stack(i);
	for (long n = kernel_rounds(argc, argv, 300000); n > 0; n--) {
		running = 1;
		switch_stack(&main_stack, saved[1]);
	}
	for (int i = 0; i < COUNT; i++)
		sum = kernel_mix(sum, result[i]);
	return kernel_done(sum);
}
