/* A small operating system that is not Linux, for tests of machines: it leans on
 * the hardware in its own way. All harts run user processes, preempted every
 * millisecond and moved between harts; fork copies on write; memory comes on
 * demand; each process has an ASID. It uses SBI for harts, timers, interrupts
 * between harts, remote fences and power, the 16550 for text.
 *
 * One lock guards everything; the kernel runs with interrupts off and holds the
 * lock from trap to return. Sources: RISC-V Privileged Architecture 1.12, SBI 2.0.
 */
#include <stddef.h>
#include <stdint.h>

#define PAGE 4096ul
#define HARTS 8
#define PROCESSES 64
#define MEMORY_END (0x80000000ul + (48ul << 20))
#define USER_BASE 0x100000000ul
#define USER_HEAP (USER_BASE + (1ul << 30))
#define USER_STACK (USER_BASE + (2ul << 30))
#define TICK 10000 /* of a clock of 10 MHz: a millisecond */

enum { PTE_V = 1, PTE_R = 2, PTE_W = 4, PTE_X = 8, PTE_U = 16, PTE_G = 32, PTE_A = 64, PTE_D = 128, PTE_COW = 256 };
enum { CALL_WRITE, CALL_FORK, CALL_EXIT, CALL_WAIT, CALL_YIELD, CALL_HART };

struct context {
	uint64_t x[31]; /* x1 up */
	uint64_t pc;
	uint64_t stack; /* of the kernel, on the hart that runs it */
};

struct process {
	struct context context;
	enum { FREE, READY, RUNNING, WAITING, ZOMBIE } state;
	uint64_t *root;
	int parent;
	int64_t status;
	uint64_t harts; /* on which it ran: their TLBs may know its pages */
};

static struct process process[PROCESSES];
static uint8_t stacks[HARTS][4 * PAGE] __attribute__((aligned(16)));
static int running[HARTS];
static uint64_t idle;    /* harts that wait in wfi */
static uint64_t switches, copies, faults, wakeups;
static uint32_t lock;
static uint16_t owners[(48ul << 20) / PAGE]; /* of each page of memory */
static uint64_t next_page, free_list;
static uint64_t kernel_root[512] __attribute__((aligned(4096)));
static uint64_t online; /* harts that were started */

extern char kernel_end[], user_load[], user_size[], secondary_start[], trap_entry[], kernel_trap_entry[];
_Noreturn void context_enter(struct context *context);

/* ---- the machine ---------------------------------------------------------- */

#define csr_read(name) ({ uint64_t v_; __asm__ volatile("csrr %0, " #name : "=r"(v_)); v_; })
#define csr_write(name, value) __asm__ volatile("csrw " #name ", %0" ::"r"((uint64_t)(value)) : "memory")
#define csr_set(name, value) __asm__ volatile("csrs " #name ", %0" ::"r"((uint64_t)(value)) : "memory")

struct sbi {
	int64_t error, value;
};

static struct sbi
sbi(uint64_t extension, uint64_t function, uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e)
{
	register uint64_t a0 __asm__("a0") = a, a1 __asm__("a1") = b, a2 __asm__("a2") = c, a3 __asm__("a3") = d;
	register uint64_t a4 __asm__("a4") = e, a6 __asm__("a6") = function, a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a4), "r"(a6), "r"(a7) : "memory");
	return (struct sbi){ (int64_t)a0, (int64_t)a1 };
}
enum { SBI_TIME = 0x54494d45, SBI_IPI = 0x735049, SBI_RFENCE = 0x52464e43, SBI_HSM = 0x48534d, SBI_SRST = 0x53525354 };

static void
put(char c)
{
	volatile uint8_t *uart = (volatile uint8_t *)0x10000000;

	while (!(uart[5] & 0x20))
		;
	uart[0] = (uint8_t)c;
}

static void
print(const char *text)
{
	while (*text)
		put(*text++);
}

static void
print_number(uint64_t n)
{
	char digits[21], *at = digits + 20;

	for (*at = 0; n > 9; n /= 10)
		*--at = (char)('0' + n % 10);
	*--at = (char)('0' + n);
	print(at);
}

static void
say(const char *what, uint64_t n)
{
	print(what);
	print_number(n);
	put('\n');
}

static _Noreturn void
shut_down(uint64_t reason)
{
	sbi(SBI_SRST, 0, 0, reason, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}

static _Noreturn void
panic(const char *why, uint64_t value)
{
	print("os: panic: ");
	say(why, value);
	shut_down(1);
}

void
kernel_fault(uint64_t cause, uint64_t pc, uint64_t value)
{
	say("os: cause ", cause);
	say("os: at ", pc);
	panic("the kernel trapped, value ", value);
}

static void
take(void)
{
	while (__atomic_exchange_n(&lock, 1, __ATOMIC_ACQUIRE))
		while (__atomic_load_n(&lock, __ATOMIC_RELAXED))
			__asm__ volatile(".4byte 0x0100000f"); /* pause */
}

static void
drop(void)
{
	__atomic_store_n(&lock, 0, __ATOMIC_RELEASE);
}

/* tp is the kernel's only between traps, so a hart knows itself by its stack. */
static unsigned
hart_number(void)
{
	return (unsigned)(((uint64_t)__builtin_frame_address(0) - (uint64_t)stacks) / sizeof stacks[0]);
}

/* ---- memory ---------------------------------------------------------------- */

static uint16_t *
owners_of(uint64_t page)
{
	return &owners[(page - 0x80000000ul) / PAGE];
}

static uint64_t
page_new(void)
{
	uint64_t page = free_list;

	if (page) {
		free_list = *(uint64_t *)page;
	} else {
		page = next_page;
		next_page += PAGE;
		if (next_page > MEMORY_END)
			panic("out of memory at ", page);
	}
	for (unsigned i = 0; i < PAGE / 8; i++)
		((uint64_t *)page)[i] = 0;
	*owners_of(page) = 1;
	return page;
}

static void
page_drop(uint64_t page)
{
	if (--*owners_of(page))
		return;
	*(uint64_t *)page = free_list;
	free_list = page;
}

static uint64_t
pte_page(uint64_t pte)
{
	return pte >> 10 << 12;
}

/* The entry for a user address, its tables made if need be. */
static uint64_t *
pte_of(uint64_t *root, uint64_t address)
{
	for (int shift = 30; shift > 12; shift -= 9) {
		uint64_t *pte = &root[address >> shift & 511];

		if (!(*pte & PTE_V))
			*pte = page_new() >> 12 << 10 | PTE_V;
		root = (uint64_t *)pte_page(*pte);
	}
	return &root[address >> 12 & 511];
}

/* This hart, and others on which the process ran, forget its pages. */
static void
fence(struct process *p)
{
	uint64_t asid = (uint64_t)(p - process) + 1, self = 1ul << hart_number(), others = p->harts & ~self;

	__asm__ volatile("sfence.vma zero, %0" ::"r"(asid) : "memory");
	if (others && sbi(SBI_RFENCE, 2, others, 0, 0, -1ul, asid).error)
		panic("remote fence of harts ", others);
	p->harts = self;
}

/* Calls each(pte) for every user page of a root, or frees the tables. */
static void
walk(uint64_t *root, void (*each)(uint64_t *pte), int level)
{
	for (unsigned i = level == 2 ? 4 : 0; i < (level == 2 ? 8 : 512); i++) {
		if (!(root[i] & PTE_V))
			continue;
		if (!level) {
			each(&root[i]);
			continue;
		}
		walk((uint64_t *)pte_page(root[i]), each, level - 1);
	}
}

static void
make_shared(uint64_t *pte)
{
	if (*pte & PTE_W)
		*pte = (*pte & ~(uint64_t)PTE_W) | PTE_COW;
}

static void
free_tables(uint64_t *root, int level)
{
	for (unsigned i = level == 2 ? 4 : 0; i < (level == 2 ? 8 : 512); i++) {
		if (!(root[i] & PTE_V))
			continue;
		if (level)
			free_tables((uint64_t *)pte_page(root[i]), level - 1);
		page_drop(pte_page(root[i]));
		root[i] = 0;
	}
}

static void
copy_tables(uint64_t *to, const uint64_t *from, int level)
{
	for (unsigned i = level == 2 ? 4 : 0; i < (level == 2 ? 8 : 512); i++) {
		if (!(from[i] & PTE_V))
			continue;
		if (!level) {
			to[i] = from[i];
			++*owners_of(pte_page(from[i]));
			continue;
		}
		to[i] = page_new() >> 12 << 10 | PTE_V;
		copy_tables((uint64_t *)pte_page(to[i]), (const uint64_t *)pte_page(from[i]), level - 1);
	}
}

static uint64_t *
root_new(void)
{
	uint64_t *root = (uint64_t *)page_new();

	for (unsigned i = 0; i < 4; i++)
		root[i] = kernel_root[i];
	return root;
}

/* A page on demand, or a copy of one that is shared. False: a fault indeed. */
static int
page_fault(struct process *p, uint64_t address, int write)
{
	uint64_t *pte;
	uint64_t page;
	int moved = 0;

	faults++;
	if (address < USER_BASE || address >= USER_STACK)
		return 0;
	pte = pte_of(p->root, address);
	if (!(*pte & PTE_V)) {
		if (address < USER_HEAP)
			return 0;
		*pte = page_new() >> 12 << 10 | PTE_V | PTE_R | PTE_W | PTE_U;
	} else if (write && (*pte & PTE_COW)) {
		copies++;
		if (*owners_of(pte_page(*pte)) > 1) {
			page = page_new();
			for (unsigned i = 0; i < PAGE / 8; i++)
				((uint64_t *)page)[i] = ((uint64_t *)pte_page(*pte))[i];
			page_drop(pte_page(*pte));
			moved = 1;
			*pte = page >> 12 << 10 | (*pte & 1023);
		}
		*pte = (*pte & ~(uint64_t)PTE_COW) | PTE_W;
	} else if (write && !(*pte & PTE_W)) {
		return 0;
	}
	/* Where the hardware leaves these bits to us. */
	*pte |= PTE_A | (write ? PTE_D : 0);
	/* Elsewhere an entry that allows less than it might costs a fault at most;
	 * one of the page as it was must go. */
	if (moved)
		fence(p);
	else
		__asm__ volatile("sfence.vma %0, %1" ::"r"(address), "r"((uint64_t)(p - process) + 1) : "memory");
	return 1;
}

/* ---- processes -------------------------------------------------------------- */

static void
wake_one(void)
{
	if (!idle)
		return;
	wakeups++;
	sbi(SBI_IPI, 0, idle & -idle, 0, 0, 0, 0);
	idle &= idle - 1;
}

static _Noreturn void
run_next(void)
{
	unsigned hart = hart_number();
	static unsigned last;
	struct process *p = NULL;

	for (;;) {
		for (unsigned i = 1; i <= PROCESSES && !p; i++)
			if (process[(last + i) % PROCESSES].state == READY)
				p = &process[last = (last + i) % PROCESSES];
		if (p)
			break;
		idle |= 1ul << hart;
		sbi(SBI_TIME, 0, -1ul, 0, 0, 0, 0); /* a tick that is due would end every wait at once */
		drop();
		__asm__ volatile("wfi");
		__asm__ volatile("csrc sip, %0" ::"r"(2ul));
		take();
		idle &= ~(1ul << hart);
	}
	p->state = RUNNING;
	p->harts |= 1ul << hart;
	running[hart] = (int)(p - process);
	switches++;
	csr_write(satp, 8ul << 60 | ((uint64_t)(p - process) + 1) << 44 | (uint64_t)p->root >> 12);
	csr_write(stvec, trap_entry);
	sbi(SBI_TIME, 0, csr_read(time) + TICK, 0, 0, 0, 0);
	drop();
	__asm__ volatile("mv sp, %0\n\tmv a0, %1\n\ttail context_enter" ::"r"(stacks[hart] + sizeof stacks[0]), "r"(&p->context)
			 : "a0", "memory");
	__builtin_unreachable();
}

static int64_t
fork(struct process *p)
{
	for (int i = 0; i < PROCESSES; i++) {
		struct process *child = &process[i];

		if (child->state != FREE)
			continue;
		walk(p->root, make_shared, 2);
		child->root = root_new();
		copy_tables(child->root, p->root, 2);
		fence(p);
		child->harts |= online; /* any TLB may still know who had its ASID before */
		fence(child);
		child->context = p->context;
		child->context.x[9] = 0;
		child->parent = (int)(p - process);
		child->state = READY;
		wake_one();
		return i;
	}
	return -1;
}

static _Noreturn void
end(struct process *p, int64_t status)
{
	if (p == &process[0]) {
		say("os: switches ", switches);
		say("os: copies on write ", copies);
		say("os: page faults ", faults);
		print(status ? "os: failed\n" : "os: done\n");
		shut_down(status != 0);
	}
	free_tables(p->root, 2);
	csr_write(satp, 8ul << 60 | (uint64_t)kernel_root >> 12);
	page_drop((uint64_t)p->root);
	p->status = status;
	p->state = ZOMBIE;
	if (process[p->parent].state == WAITING) {
		process[p->parent].state = READY;
		process[p->parent].context.pc -= 4; /* waits anew */
		wake_one();
	}
	run_next();
}

/* The status of a child that ended; -1 when there are none; or waits. */
static int64_t
wait(struct process *p)
{
	int children = 0;

	for (int i = 1; i < PROCESSES; i++) {
		if (process[i].parent != p - process || process[i].state == FREE)
			continue;
		children++;
		if (process[i].state == ZOMBIE) {
			process[i].state = FREE;
			return process[i].status;
		}
	}
	if (!children)
		return -1;
	p->state = WAITING;
	run_next();
}

static void
system_call(struct process *p)
{
	uint64_t *a = &p->context.x[9], call = p->context.x[16];

	p->context.pc += 4;
	switch (call) {
	case CALL_WRITE:
		put((char)a[0]);
		break;
	case CALL_FORK:
		a[0] = (uint64_t)fork(p);
		break;
	case CALL_EXIT:
		end(p, (int64_t)a[0]);
	case CALL_WAIT:
		a[0] = (uint64_t)wait(p);
		break;
	case CALL_YIELD:
		p->state = READY;
		run_next();
	case CALL_HART:
		a[0] = hart_number();
		break;
	default:
		panic("no system call ", call);
	}
}

void
trap_from_user(struct context *context)
{
	struct process *p = (struct process *)context;
	uint64_t cause = csr_read(scause), value = csr_read(stval);

	take();
	if (cause >> 63) { /* time is up, or an interrupt between harts */
		__asm__ volatile("csrc sip, %0" ::"r"(2ul));
		p->state = READY;
		run_next();
	}
	if (cause == 8)
		system_call(p);
	else if ((cause == 12 || cause == 13 || cause == 15) && page_fault(p, value, cause == 15))
		;
	else
		end(p, -(int64_t)cause);
	p->state = READY;
	run_next();
}

/* ---- start -------------------------------------------------------------------- */

static void
hart_begin(void)
{
	csr_write(stvec, kernel_trap_entry);
	csr_write(satp, 8ul << 60 | (uint64_t)kernel_root >> 12);
	__asm__ volatile("sfence.vma" ::: "memory");
	csr_write(sie, 0x22); /* software and timer */
	csr_write(scounteren, 2); /* user programs may read the time */
	/* To user mode, interrupts on there, off here. */
	__asm__ volatile("csrc sstatus, %0" ::"r"(0x102ul));
	csr_set(sstatus, 0x20);
}

static _Noreturn void
begin_on_stack(void)
{
	hart_begin();
	take();
	run_next();
}

_Noreturn void
kernel_secondary(void)
{
	begin_on_stack();
}

_Noreturn void
kernel_main(uint64_t hart)
{
	uint64_t offset, harts = 0;

	csr_write(stvec, kernel_trap_entry);
	print("os: hello\n");
	next_page = (uint64_t)kernel_end;
	for (uint64_t i = 0; i < 4; i++) /* devices and memory, a gigabyte a page */
		kernel_root[i] = i << 28 | PTE_V | PTE_R | PTE_W | PTE_X | PTE_G | PTE_A | PTE_D;
	process[0].root = root_new();
	for (offset = 0; offset < (uint64_t)user_size; offset += PAGE) {
		uint64_t page = (uint64_t)user_load + offset;

		*owners_of(page) = 2; /* stays */
		*pte_of(process[0].root, USER_BASE + offset) = page >> 12 << 10 | PTE_V | PTE_R | PTE_X | PTE_U | PTE_A;
	}
	process[0].context.pc = USER_BASE;
	process[0].context.x[1] = USER_STACK;
	process[0].parent = -1;
	process[0].state = READY;
	take();
	for (unsigned i = 0; i < HARTS; i++)
		if (i == hart || !sbi(SBI_HSM, 0, i, (uint64_t)secondary_start, (uint64_t)(stacks[i] + sizeof stacks[0]), 0, 0).error)
			online |= 1ul << i, harts++;
	say("os: harts ", harts);
	drop();
	__asm__ volatile("mv sp, %0\n\ttail %1" ::"r"(stacks[hart] + sizeof stacks[0]), "i"(begin_on_stack) : "memory");
	__builtin_unreachable();
}
