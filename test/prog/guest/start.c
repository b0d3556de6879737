/* What a program finds when it starts: stack, arguments, environment, auxv.
 * args: one two
 * out: good
 */
#include <elf.h>
#include <link.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <unistd.h>

#include "check.h"

extern char **environ;
extern const char __ehdr_start[];
extern void _start(void);
extern void *__libc_stack_end;

static unsigned long
bit(char letter)
{
	return 1ul << (letter - 'A');
}

int
main(int argc, char **argv)
{
	const Elf64_Phdr *headers = (void *)getauxval(AT_PHDR);
	const unsigned char *vdso = (void *)getauxval(AT_SYSINFO_EHDR);
	const unsigned char *random = (void *)getauxval(AT_RANDOM);
	Elf64_auxv_t *aux;
	char **end = environ;
	unsigned noise = 0;

	CHECK(argc == 3 && !strcmp(argv[1], "one") && !strcmp(argv[2], "two") && !argv[3]);
	CHECK(((uintptr_t)__libc_stack_end & 15) == 0);
	CHECK(*(long *)__libc_stack_end == argc);
	CHECK((char **)__libc_stack_end + 1 == argv);
	CHECK(argv + argc + 1 == environ);
	/* Strings lie in order, the environment's after the arguments'. */
	CHECK(argv[1] == argv[0] + strlen(argv[0]) + 1);
	CHECK(environ[0] == argv[2] + 4);
	while (*end)
		end++;
	aux = (Elf64_auxv_t *)(end + 1);
	CHECK(aux->a_type == AT_SYSINFO_EHDR);
	CHECK(getauxval(AT_PHENT) == sizeof *headers);
	CHECK((uintptr_t)headers == (uintptr_t)__ehdr_start + ((Elf64_Ehdr *)__ehdr_start)->e_phoff);
	CHECK(getauxval(AT_PHNUM) == ((Elf64_Ehdr *)__ehdr_start)->e_phnum);
	CHECK(getauxval(AT_ENTRY) == (uintptr_t)_start);
	CHECK(getauxval(AT_PAGESZ) == 4096);
	CHECK(getauxval(AT_CLKTCK) == 100);
	CHECK(getauxval(AT_FLAGS) == 0);
	CHECK(getauxval(AT_SECURE) == 0);
	CHECK(getauxval(AT_UID) == getuid() && getauxval(AT_EGID) == getegid());
#ifdef __riscv
	CHECK(getauxval(AT_HWCAP) == (bit('I') | bit('M') | bit('A') | bit('F') | bit('D') | bit('C')));
	CHECK(!getauxval(AT_PLATFORM));
#else
	CHECK(!strcmp((char *)getauxval(AT_PLATFORM), MACHINE));
#endif
	CHECK(!strcmp((char *)getauxval(AT_EXECFN), argv[0]));
	CHECK(getauxval(AT_MINSIGSTKSZ) >= MINIMUM_STACK);
	for (int i = 0; i < 16; i++)
		noise |= random[i];
	CHECK(noise);
	CHECK(!memcmp(vdso, ELFMAG, SELFMAG) && vdso[18] == MACHINE_NUMBER);
	CHECK(getenv("PATH") != NULL);
	return check_done();
}
