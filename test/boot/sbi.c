/* A kernel that asks its SBI firmware for everything it has and checks the answers
 * (RISC-V SBI specification 2.0). It says "sbi: good" and shuts down, or the line
 * of the first check that failed. Two harts. Built with -DSTART_FILE for its
 * assembly. It runs on any SBI, so also says what others answer. */
#ifdef __ASSEMBLER__
	.section .text.start, "ax"
	.globl	_start
_start:
	la	sp, stack0
	call	main
1:	j	1b
	.globl	second
second: /* a hart that was started: a0 its number, a1 the argument */
	la	sp, stack1
	call	second_main
1:	j	1b
	.globl	resumed
resumed:
	la	sp, stack0
	mv	a0, a1
	call	resumed_main
1:	j	1b
	.bss
	.balign	16
	.skip	8192
stack0:
	.skip	8192
stack1:
#else

typedef unsigned long u64;
typedef long s64;

struct answer {
	s64 error;
	u64 value;
};

enum extension {
	BASE = 0x10,
	TIME = 0x54494d45,
	IPI = 0x735049,
	RFENCE = 0x52464e43,
	HSM = 0x48534d,
	SRST = 0x53525354,
	DBCN = 0x4442434e,
	SUSP = 0x53555350,
	PMU = 0x504d55,
};
enum error {
	NOT_SUPPORTED = -2,
	INVALID_PARAM = -3,
	INVALID_ADDRESS = -5,
	ALREADY_AVAILABLE = -6,
	ALREADY_STARTED = -7,
	ALREADY_STOPPED = -8,
};
#define SSIP 2ul
#define STIP 32ul
#define ALL (~0ul)

extern char second[], resumed[];
static volatile u64 seen[4], tries;
/* OpenSBI (its number is 1) lets some pass that the specification does not. */
static int strict;

static struct answer
call(u64 extension, u64 function, u64 a, u64 b, u64 c, u64 d, u64 e)
{
	register u64 a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register u64 a4 __asm__("a4") = e, a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
	return (struct answer){ (s64)a0, a1 };
}

static s64
error(u64 extension, u64 function, u64 a, u64 b, u64 c)
{
	return call(extension, function, a, b, c, 0, 0).error;
}

static void
say(const char *text)
{
	while (*text)
		call(DBCN, 2, (unsigned char)*text++, 0, 0, 0, 0);
}

static void
check(int good, unsigned line)
{
	char digits[8] = { 0 }, *at = digits + 7;

	if (good)
		return;
	say("sbi: failed at line ");
	for (; line; line /= 10)
		*--at = (char)('0' + line % 10);
	say(at);
	say("\n");
	call(SRST, 0, 0, 1, 0, 0, 0);
}
#define CHECK(condition) check(!!(condition), __LINE__)

#define READ(csr) ({ u64 value_; __asm__ volatile("csrr %0, " #csr : "=r"(value_)); value_; })
#define SET(csr, bits) __asm__ volatile("csrs " #csr ", %0" : : "r"(bits))
#define CLEAR(csr, bits) __asm__ volatile("csrc " #csr ", %0" : : "r"(bits))

static u64
time_now(void)
{
	u64 now;

	__asm__ volatile("rdtime %0" : "=r"(now));
	return now;
}

static void
test_base(void)
{
	static const u64 known[] = { BASE, TIME, IPI, RFENCE, HSM, SRST, DBCN, PMU };

	CHECK(call(BASE, 0, 0, 0, 0, 0, 0).value >> 24 >= 2);
	for (unsigned i = 0; i < sizeof known / sizeof known[0]; i++)
		CHECK(call(BASE, 3, known[i], 0, 0, 0, 0).value != 0);
	CHECK(call(BASE, 3, 0x999, 0, 0, 0, 0).value == 0);
	CHECK(error(0x999, 0, 0, 0, 0) == NOT_SUPPORTED);
	CHECK(error(BASE, 99, 0, 0, 0) == NOT_SUPPORTED);
	CHECK(error(TIME, 1, 0, 0, 0) == NOT_SUPPORTED);
}

static void
test_time(void)
{
	u64 then = time_now() + 20000;

	CHECK(error(TIME, 0, ALL, 0, 0) == 0);
	SET(sie, STIP);
	CHECK(!(READ(sip) & STIP));
	CHECK(error(TIME, 0, then, 0, 0) == 0);
	while (!(READ(sip) & STIP))
		__asm__ volatile("wfi");
	CHECK(time_now() >= then);
	CHECK(error(TIME, 0, ALL, 0, 0) == 0);
	CHECK(!(READ(sip) & STIP));
}

static void
test_ipi(u64 self)
{
	CHECK(!(READ(sip) & SSIP));
	CHECK(error(IPI, 0, 1, self, 0) == 0);
	while (!(READ(sip) & SSIP))
		;
	CLEAR(sip, SSIP);
	CHECK(!(READ(sip) & SSIP));
	CHECK(!strict || error(IPI, 0, 1, 60, 0) == INVALID_PARAM);
}

void second_main(u64 hart, u64 argument);
void
second_main(u64 hart, u64 argument)
{
	seen[0] = hart;
	seen[1] = argument;
	seen[2] = READ(satp) == 0 && !(READ(sstatus) & 2);
	__sync_synchronize();
	seen[3]++;
	call(HSM, 1, 0, 0, 0, 0, 0);
}

static u64
state_of(u64 hart)
{
	return call(HSM, 2, hart, 0, 0, 0, 0).value;
}

static void
test_hsm(u64 self)
{
	u64 other = 1 - self;

	CHECK(state_of(self) == 0);
	CHECK(state_of(other) == 1);
	CHECK(error(HSM, 2, 60, 0, 0) == INVALID_PARAM);
	CHECK(error(HSM, 0, 60, (u64)second, 0) == INVALID_PARAM);
	CHECK(error(HSM, 0, self, (u64)second, 0) == ALREADY_AVAILABLE);
	CHECK(!strict || error(HSM, 0, other, ALL << 20, 0) == INVALID_ADDRESS);
	for (u64 i = 1; i <= 5; i++) {
		CHECK(error(HSM, 0, other, (u64)second, 0x1234 + i) == 0);
		while (seen[3] != i)
			;
		CHECK(seen[0] == other && seen[1] == 0x1234 + i && seen[2]);
		while (state_of(other) != 1)
			;
	}
}

static void
test_rfence(u64 self)
{
	for (u64 function = 0; function < 3; function++) {
		CHECK(call(RFENCE, function, 0, ALL, 0, 0, 0).error == 0);
		CHECK(call(RFENCE, function, 1, self, 0x80200000, 0x3000, 1).error == 0);
		CHECK(!strict || call(RFENCE, function, 1, 60, 0, 0, 0).error == INVALID_PARAM);
	}
	CHECK(error(RFENCE, 99, 0, ALL, 0) == NOT_SUPPORTED);
}

static void
test_console(void)
{
	static const char text[] = "sbi: hello\n";
	struct answer a = call(DBCN, 0, sizeof text - 1, (u64)text, 0, 0, 0);

	CHECK(a.error == 0 && a.value == sizeof text - 1);
	CHECK(error(DBCN, 0, 4, (u64)text, 1) != 0);
	CHECK(error(DBCN, 99, 0, 0, 0) == NOT_SUPPORTED);
}

static void
test_pmu(void)
{
	enum { FIRMWARE_SET_TIMER = 15 << 16 | 5, CYCLES = 1 };
	u64 number = call(PMU, 0, 0, 0, 0, 0, 0).value, firmware = 0, cycle, before;
	struct answer a;

	CHECK(number > 3 && number <= 64);
	CHECK(error(PMU, 1, number, 0, 0) == INVALID_PARAM);
	a = call(PMU, 1, 0, 0, 0, 0, 0);
	CHECK(a.error == 0 && (a.value & 0xfff) == 0xc00);
	for (u64 i = 3; i < number; i++) {
		a = call(PMU, 1, i, 0, 0, 0, 0);
		if (a.error == 0 && a.value >> 63)
			firmware |= 1ul << i;
	}
	CHECK(firmware);
	a = call(PMU, 2, 0, firmware, 0, FIRMWARE_SET_TIMER, 0);
	CHECK(a.error == 0 && firmware >> a.value & 1);
	CHECK(call(PMU, 3, a.value, 1, 1, 100, 0).error == 0);
	CHECK(!strict || call(PMU, 3, a.value, 1, 1, 100, 0).error == ALREADY_STARTED);
	for (unsigned i = 0; i < 3; i++)
		call(TIME, 0, ALL, 0, 0, 0, 0);
	CHECK(call(PMU, 5, a.value, 0, 0, 0, 0).value == 103);
	CHECK(error(PMU, 4, a.value, 1, 1) == 0);
	CHECK(!strict || error(PMU, 4, a.value, 1, 0) == ALREADY_STOPPED);
	CHECK(error(PMU, 3, 60, ALL, 0) == INVALID_PARAM);
	/* cycle: stopped it stands, and starts where it is told to. */
	call(PMU, 4, 0, 1, 0, 0, 0);
	a = call(PMU, 2, 0, 1, 2, CYCLES, 0);
	CHECK(a.error == 0 && a.value == 0);
	CHECK(call(PMU, 3, 0, 1, 1, 1ul << 40, 0).error == 0);
	cycle = READ(cycle);
	CHECK(cycle >= 1ul << 40 && cycle < (1ul << 40) + (1ul << 38));
	CHECK(call(PMU, 4, 0, 1, 0, 0, 0).error == 0);
	before = READ(cycle);
	CHECK(READ(cycle) == before);
}

static void
test_reset(void)
{
	CHECK(error(SRST, 0, 99, 0, 0) != 0);
	CHECK(error(SRST, 99, 0, 0, 0) == NOT_SUPPORTED);
}

void resumed_main(u64 argument);
void
resumed_main(u64 argument)
{
	CHECK(argument == 0x77 + tries);
	CHECK(READ(satp) == 0 && !(READ(sstatus) & 2));
	if (!tries++ && call(BASE, 3, SUSP, 0, 0, 0, 0).value) {
		/* The whole machine, the other hart being stopped. */
		SET(sie, STIP);
		call(TIME, 0, time_now() + 20000, 0, 0, 0, 0);
		call(SUSP, 0, 0, (u64)resumed, 0x78, 0, 0);
		CHECK(0);
	}
	say("sbi: good\n");
	call(SRST, 0, 0, 0, 0, 0, 0);
}

static void
test_suspend(void)
{
	u64 then = time_now() + 20000;

	SET(sie, STIP);
	call(TIME, 0, then, 0, 0, 0, 0);
	CHECK(error(HSM, 3, 0, 0, 0) == 0);
	CHECK(time_now() >= then);
	CHECK(error(HSM, 3, 1, 0, 0) == INVALID_PARAM);
	call(TIME, 0, time_now() + 20000, 0, 0, 0, 0);
	call(HSM, 3, 0x80000000, (u64)resumed, 0x77, 0, 0);
	CHECK(0);
}

void main(u64 hart);
void
main(u64 hart)
{
	strict = call(BASE, 1, 0, 0, 0, 0, 0).value != 1;
	test_base();
	test_console();
	test_time();
	test_ipi(hart);
	test_hsm(hart);
	test_rfence(hart);
	test_pmu();
	test_reset();
	test_suspend();
}
#endif
