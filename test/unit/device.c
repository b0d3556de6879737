/* The core chips by their registers: each as its data sheet says. */
#include "unit/device_board.h"

/* ---- 16550 -------------------------------------------------------------------- */

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };

static uint64_t
uart(struct board *b, unsigned reg)
{
	return board_load(b, UART + reg, 1);
}

static void
set_uart(struct board *b, unsigned reg, uint8_t value)
{
	board_store(b, UART + reg, 1, value);
}

static void
test_uart_identity(struct board *b)
{
	CHECK_INT(uart(b, IIR), 1);
	CHECK_INT(uart(b, LSR), 0x60);
	set_uart(b, SCR, 0x5a);
	CHECK_INT(uart(b, SCR), 0x5a);
	set_uart(b, LCR, 0x83);
	set_uart(b, RBR, 0x34);
	set_uart(b, IER, 0x12);
	CHECK_INT(uart(b, RBR), 0x34);
	CHECK_INT(uart(b, IER), 0x12);
	set_uart(b, LCR, 3);
	CHECK_INT(uart(b, IER), 0);
	set_uart(b, 2, 1); /* FCR: FIFOs on */
	CHECK_INT(uart(b, IIR), 0xc1);
	CHECK_INT(board_load(b, UART, 4) != UINT64_MAX, 1); /* four registers at once */
	CHECK_INT(board_load(b, UART + 1, 2), UINT64_MAX);  /* not aligned */
}

static void
test_uart_loop(struct board *b)
{
	set_uart(b, MCR, 0x10 | 8 | 2);
	CHECK_INT(uart(b, MSR), 0x80 | 0x10); /* OUT2 as DCD, RTS as CTS */
	set_uart(b, IER, 1);
	CHECK(!b->level[LINE_UART]);
	for (unsigned i = 0; i < 17; i++)
		set_uart(b, RBR, (uint8_t)('a' + i));
	CHECK(b->level[LINE_UART]);
	CHECK_INT(uart(b, IIR) & 15, 4);
	set_uart(b, IER, 5); /* line status too */
	CHECK_INT(uart(b, IIR) & 15, 6);
	CHECK_INT(uart(b, LSR) & 3, 3); /* data, and one was lost */
	CHECK_INT(uart(b, LSR) & 3, 1);
	for (unsigned i = 0; i < 16; i++)
		CHECK_INT(uart(b, RBR), 'a' + i);
	CHECK_INT(uart(b, LSR) & 1, 0);
	CHECK(!b->level[LINE_UART]);
	set_uart(b, MCR, 0);
	CHECK_INT(uart(b, MSR), 0xb0);
	/* The transmitter is empty: told once. */
	set_uart(b, IER, 2);
	CHECK(b->level[LINE_UART]);
	CHECK_INT(uart(b, IIR) & 15, 2);
	CHECK(!b->level[LINE_UART]);
	CHECK_INT(uart(b, IIR) & 15, 1);
	set_uart(b, IER, 0);
}

/* A console that nobody empties: the transmitter says so, and nothing is lost of
 * what it had taken. */
static void
test_uart_full(struct board *b)
{
	unsigned sent = 0;

	while (uart(b, LSR) & 0x20 && sent < 1000000) {
		set_uart(b, RBR, (uint8_t)sent++);
	}
	CHECK_INT(sent, 65536);
	CHECK_INT(uart(b, LSR) & 0x60, 0);
	CHECK_INT(console_room(b->console), 0);
}

/* ---- PLIC ---------------------------------------------------------------------- */

static void
raise_input(struct board *b, unsigned n, bool level)
{
	struct irq_line line = plic_input(b->plic, n);

	irq_set(&line, level);
}

#define ENABLE(context) (PLIC + 0x2000u + 0x80u * (context))
#define CLAIM(context) (PLIC + 0x200004u + 0x1000u * (context))

static void
test_plic(struct board *b)
{
	board_store(b, PLIC + 4 * 5, 4, 1);
	board_store(b, PLIC + 4 * 9, 4, 3);
	board_store(b, PLIC + 4 * 10, 4, 0xff); /* as much as there is */
	CHECK_INT(board_load(b, PLIC + 40, 4), 7);
	board_store(b, PLIC, 4, 7); /* input 0 does not exist */
	CHECK_INT(board_load(b, PLIC, 4), 0);
	board_store(b, ENABLE(1), 4, 0xffffffff);
	CHECK_INT(board_load(b, ENABLE(1), 4), 0xfffffffe);
	raise_input(b, 5, true);
	raise_input(b, 9, true);
	CHECK(b->level[1] && !b->level[0]);
	CHECK_INT(board_load(b, PLIC + 0x1000, 4), 1 << 5 | 1 << 9);
	CHECK_INT(board_load(b, CLAIM(1), 4), 9); /* the higher priority */
	CHECK_INT(board_load(b, CLAIM(1), 4), 5);
	CHECK_INT(board_load(b, CLAIM(1), 4), 0);
	CHECK(!b->level[1]);
	board_store(b, CLAIM(1), 4, 9); /* still high: pending again */
	CHECK(b->level[1]);
	CHECK_INT(board_load(b, CLAIM(1), 4), 9);
	raise_input(b, 9, false);
	board_store(b, CLAIM(1), 4, 9);
	CHECK(!b->level[1]);
	board_store(b, CLAIM(0), 4, 5); /* not enabled there: ignored */
	CHECK(!b->level[1]);
	board_store(b, CLAIM(1), 4, 5);
	CHECK(b->level[1]);
	board_store(b, CLAIM(1) - 4, 4, 1); /* threshold */
	CHECK(!b->level[1]);
	board_store(b, CLAIM(1) - 4, 4, 0);
	raise_input(b, 5, false); /* the request stays (PLIC 1.0.0, 4) */
	CHECK(b->level[1]);
	CHECK_INT(board_load(b, CLAIM(1), 4), 5);
	board_store(b, CLAIM(1), 4, 5);
	CHECK(!b->level[1]);
	CHECK_INT(board_load(b, PLIC + 4, 8), UINT64_MAX); /* words, aligned */
	CHECK_INT(board_load(b, PLIC + 4, 1), UINT64_MAX);
	CHECK_INT(board_load(b, CLAIM(2 * HARTS), 4), UINT64_MAX); /* there is no such context */
}

/* ---- AIA: what bare-metal programs on one hart do not see ------------------------ */

enum { DELIVERY = 0x70, ENABLED = 0xc0 };

/* Each hart's files are its own; other addresses are nobody's. */
static void
test_imsic(struct board *b)
{
	imsic_change(b->imsic, 2, IMSIC_SUPERVISOR, ENABLED, 0, 1 << 9);
	imsic_change(b->imsic, 2, IMSIC_SUPERVISOR, DELIVERY, 0, 1);
	CHECK(imsic_send(b->imsic, IMSIC_S + 2 * IMSIC_PAGE, 9));
	CHECK(b->level[LINE_IMSIC + 5] && !b->level[LINE_IMSIC + 4] && !b->level[LINE_IMSIC + 3]);
	CHECK_INT(imsic_top(b->imsic, 1, IMSIC_SUPERVISOR, true), 0);
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_MACHINE, true), 0);
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 9);
	CHECK(!b->level[LINE_IMSIC + 5]);
	CHECK(!imsic_send(b->imsic, IMSIC_S + HARTS * IMSIC_PAGE, 9));
	CHECK(!imsic_send(b->imsic, IMSIC_S + 2, 9) && !imsic_send(b->imsic, IMSIC_M - 4, 9));
	board_store(b, IMSIC_S + 2 * IMSIC_PAGE, 4, 9); /* a hart's store does the same */
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 9);
	board_store(b, IMSIC_S + 2 * IMSIC_PAGE + 4, 4, 0x09000000); /* the other way round */
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 9);
	CHECK_INT(board_load(b, IMSIC_S, 2), UINT64_MAX); /* words */
}

/* Wires to other harts: as messages by delegation, and by lines. */
static void
test_aplic(struct board *b)
{
	uint64_t supervisor = APLIC + APLIC_SIZE, direct = APLIC + 2 * APLIC_SIZE;
	struct irq_line line = aplic_input(b->aplic[0], 20);

	board_store(b, supervisor + 4 * 20, 4, 4); /* not its own yet */
	CHECK_INT(board_load(b, supervisor + 4 * 20, 4), 0);
	aplic_delegate(b->aplic[0], IMSIC_S);
	board_store(b, supervisor + 4 * 20, 4, 4); /* an edge */
	board_store(b, supervisor + 0x3000 + 4 * 20, 4, 2 << 18 | 9);
	board_store(b, supervisor + 0x1edc, 4, 20);
	board_store(b, supervisor, 4, 1 << 8);
	irq_set(&line, true);
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 9);
	irq_set(&line, false);
	irq_set(&line, true);
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 9);
	board_store(b, supervisor + 0x3000 + 4 * 20, 4, 1000 << 18 | 9); /* nobody */
	board_store(b, supervisor + 0x1cdc, 4, 20);
	CHECK_INT(imsic_top(b->imsic, 2, IMSIC_SUPERVISOR, true), 0);
	board_store(b, APLIC + 4 * 20, 4, 0); /* taken back */
	CHECK_INT(board_load(b, supervisor + 4 * 20, 4), 0);
	CHECK_INT(board_load(b, supervisor + 0x1e00, 4), 0);
	line = aplic_input(b->aplic[1], 20);
	board_store(b, direct + 4 * 20, 4, 6); /* a level */
	board_store(b, direct + 0x3000 + 4 * 20, 4, 1 << 18 | 3);
	board_store(b, direct + 0x1edc, 4, 20);
	board_store(b, direct + 0x4020, 4, 1); /* hart 1's delivery */
	board_store(b, direct, 4, 1 << 8);
	irq_set(&line, true);
	CHECK(b->level[LINE_APLIC + 2] && !b->level[LINE_APLIC] && !b->level[LINE_APLIC + 3]);
	irq_set(&line, false);
	CHECK(!b->level[LINE_APLIC + 2]);
}

/* ---- ACLINT --------------------------------------------------------------------- */

static void
test_aclint(struct board *b)
{
	board_store(b, CLINT, 4, 0xffffffff);
	CHECK_INT(board_load(b, CLINT, 4), 1);
	CHECK(b->level[LINE_SOFTWARE] && !b->level[LINE_SOFTWARE + 1]);
	board_store(b, CLINT, 8, UINT64_C(1) << 32); /* harts 0 and 1 */
	CHECK(!b->level[LINE_SOFTWARE] && b->level[LINE_SOFTWARE + 1]);
	board_store(b, CLINT + 4, 4, 0);
	board_store(b, CLINT + 4 * HARTS, 4, 1); /* no such hart */
	CHECK_INT(board_load(b, CLINT + 4 * HARTS, 4), 0);
	CHECK_INT(board_load(b, CLINT + 0xbff8, 8), 0); /* the clock stands still */
	board_store(b, CLINT + 0x4008, 8, 1000);
	CHECK(!b->level[LINE_TIMER + 1]);
	board_store(b, CLINT + 0xbff8, 8, 1000);
	CHECK(b->level[LINE_TIMER + 1] && !b->level[LINE_TIMER]);
	CHECK_INT(board_load(b, CLINT + 0xbff8, 8), 1000);
	CHECK_INT(guest_clock_now(&b->clock), 100000);
	board_store(b, CLINT + 0x400c, 4, 1); /* its upper half */
	CHECK_INT(board_load(b, CLINT + 0x4008, 8), (UINT64_C(1) << 32) + 1000);
	CHECK(!b->level[LINE_TIMER + 1]);
	board_store(b, SSWI + 8, 4, 1);
	CHECK(b->level[LINE_SUPERVISOR + 2]);
	CHECK_INT(board_load(b, SSWI + 8, 4), 0);
}

/* ---- RTC, syscon ----------------------------------------------------------------- */

static uint64_t
rtc_time(struct board *b)
{
	uint64_t low = board_load(b, RTC, 4);

	return low | board_load(b, RTC + 4, 4) << 32;
}

static void
test_rtc(struct board *b)
{
	const uint64_t then = UINT64_C(1000000000000000000);
	uint64_t before = rtc_time(b);

	CHECK(before > then && rtc_time(b) >= before);
	board_store(b, RTC + 4, 4, then >> 32);
	board_store(b, RTC, 4, then & 0xffffffff);
	CHECK(rtc_time(b) >= then && rtc_time(b) < then + UINT64_C(60000000000));
	board_store(b, RTC + 0x10, 4, 1);
	board_store(b, RTC + 0xc, 4, (then + UINT64_C(3600000000000)) >> 32);
	board_store(b, RTC + 8, 4, 0);
	CHECK_INT(board_load(b, RTC + 0x18, 4), 1);
	CHECK(!b->level[LINE_RTC]);
	board_store(b, RTC + 0xc, 4, 0); /* an alarm in the past fires at once */
	board_store(b, RTC + 8, 4, 5);
	CHECK(b->level[LINE_RTC]);
	CHECK_INT(board_load(b, RTC + 0x18, 4), 0);
	board_store(b, RTC + 0x1c, 4, 1);
	CHECK(!b->level[LINE_RTC]);
}

static void
test_syscon(struct board *b)
{
	board_store(b, SYSCON, 4, 0x1234);
	board_store(b, SYSCON + 4, 4, 0x5555);
	CHECK_INT(b->off + b->resets, 0);
	board_store(b, SYSCON, 4, 0x5555);
	CHECK_INT(b->off, 1);
	board_store(b, SYSCON, 4, 0x73333);
	CHECK_INT(b->off, 3);
	CHECK_INT(b->off_code, 7);
	board_store(b, SYSCON, 2, 0x7777);
	CHECK_INT(b->resets, 1);
}

/* ---- flash ------------------------------------------------------------------------- */

static void
test_flash(struct board *b)
{
	const uint64_t at = FLASH + CFI_FLASH_SECTOR;

	CHECK_INT(board_load(b, at, 4), 0xffffffff);
	CHECK(memory_ram(&b->memory, at, 4, false) && !memory_ram(&b->memory, at, 4, true));
	board_store(b, FLASH, 4, 0x980098);
	CHECK(!memory_ram(&b->memory, at, 4, false));
	CHECK_INT(board_load(b, FLASH + 4 * 0x10, 4), 'Q' | 'Q' << 16);
	CHECK_INT(board_load(b, FLASH + 4 * 0x27, 1), 20); /* 1 MiB a chip */
	CHECK_INT(board_load(b, FLASH + 4 * 0x2d, 1), 7);  /* 8 sectors */
	CHECK_INT(board_load(b, FLASH + 4 * 0x30, 1), 2);  /* of 128 KiB */
	board_store(b, FLASH, 4, 0x900090);
	CHECK_INT(board_load(b, FLASH, 4), 0x890089);
	board_store(b, at, 4, 0x400040);
	board_store(b, at, 4, 0x12345678);
	CHECK_INT(board_load(b, at, 4), 0x800080);
	board_store(b, at, 4, 0xff00ff);
	CHECK_INT(board_load(b, at, 4), 0x12345678);
	board_store(b, at, 4, 0x400040);
	board_store(b, at, 4, 0xff00ff00); /* ones do not come back */
	board_store(b, at, 4, 0xff00ff);
	CHECK_INT(board_load(b, at, 4), 0x12005600);
	/* Buffered: three words. */
	board_store(b, at, 4, 0xe800e8);
	CHECK_INT(board_load(b, at, 4), 0x800080);
	board_store(b, at, 4, 0x20002);
	for (unsigned i = 0; i < 3; i++)
		board_store(b, at + 16 + 4 * i, 4, i);
	board_store(b, at, 4, 0xd000d0);
	board_store(b, at, 4, 0xff00ff);
	CHECK_INT(board_load(b, at + 20, 4), 1);
	CHECK_INT(board_load(b, at + 28, 4), 0xffffffff);
	/* A buffer that leaves its block fails and says so. */
	board_store(b, at, 4, 0xe800e8);
	board_store(b, at, 4, 0x10001);
	board_store(b, at, 4, 0);
	board_store(b, at + 0x1000, 4, 0);
	CHECK_INT(board_load(b, at, 4), 0x900090);
	board_store(b, at, 4, 0x500050);
	board_store(b, at, 4, 0x200020);
	board_store(b, at, 4, 0xd000d0);
	board_store(b, at, 4, 0xff00ff);
	CHECK_INT(board_load(b, at, 8), UINT64_MAX); /* all ones, not a fault: */
	CHECK_INT(board_load(b, at + 20, 4), 0xffffffff);
}

/* ---- PCI ----------------------------------------------------------------------------- */

#define CONFIG(slot, offset) (ECAM + (slot) * 0x8000u + (offset))

static void
test_pci_bars(struct board *b)
{
	const uint64_t high = UINT64_C(0x400004000);

	CHECK_INT(board_load(b, CONFIG(0, 0), 4), 0x00081b36);
	CHECK_INT(board_load(b, CONFIG(1, 0), 4), 0xffffffff);
	CHECK_INT(board_load(b, CONFIG(2, 0) + 0x1000, 2), 0xffff); /* its function 1 */
	CHECK_INT(board_load(b, CONFIG(2, 0), 4), 0x10421af4);
	CHECK_INT(board_load(b, CONFIG(2, 0x100), 4), 0); /* no extended capabilities */
	board_store(b, CONFIG(2, 0), 4, 0);
	CHECK_INT(board_load(b, CONFIG(2, 0), 4), 0x10421af4);
	board_store(b, CONFIG(2, 0x10), 8, UINT64_MAX);
	CHECK_INT(board_load(b, CONFIG(2, 0x10), 8), UINT64_C(0xffffffffffffc00c));
	board_store(b, CONFIG(2, 0x1c), 4, 0xffffffff);
	CHECK_INT(board_load(b, CONFIG(2, 0x1c), 4), 0xffffff00);
	board_store(b, CONFIG(2, 0x10), 8, high);
	CHECK_INT(board_load(b, high, 4), UINT64_MAX); /* memory access is off */
	board_store(b, CONFIG(2, 4), 2, 2);
	b->bar_value = 0x100;
	CHECK_INT(board_load(b, high + 8, 4), 0x108);
	board_store(b, CONFIG(2, 0x10), 4, 0x8000);
	CHECK_INT(board_load(b, high + 8, 4), UINT64_MAX);
	CHECK_INT(board_load(b, UINT64_C(0x400008008), 4), 0x108);
	/* Over another device, or outside the windows: nowhere. */
	board_store(b, CONFIG(2, 0x1c), 4, UART);
	CHECK_INT(board_load(b, UART + 7, 1), 0x5a); /* its scratch register */
	CHECK_INT(b->function.bar[3].mapped, UINT64_MAX);
	board_store(b, CONFIG(2, 0x1c), 4, BARS);
	board_store(b, CONFIG(2, 0x18), 4, BARS); /* MSI-X table, over the other */
	CHECK_INT(b->function.bar[2].mapped, UINT64_MAX);
	board_store(b, CONFIG(2, 0x18), 4, BARS + 0x10000);
}

static void
test_pci_interrupts(struct board *b)
{
	const uint64_t table = BARS + 0x10000, control = CONFIG(2, b->function.msix_at + 2);

	CHECK_INT(board_load(b, CONFIG(2, 0x34), 1), b->function.msix_at);
	CHECK_INT(board_load(b, control, 2), 4);
	pci_set_intx(&b->function, true);
	CHECK(b->level[LINE_PCI + 2]); /* slot 2, pin A */
	CHECK_INT(board_load(b, CONFIG(2, 6), 2) & 8, 8);
	board_store(b, CONFIG(2, 4), 2, 0x406);
	CHECK(!b->level[LINE_PCI + 2]);
	board_store(b, CONFIG(2, 4), 2, 6);
	board_store(b, control, 2, 0x8000);
	CHECK(!b->level[LINE_PCI + 2]);
	pci_msix_send(&b->function, 1); /* masked: kept */
	CHECK_INT(b->messages, 0);
	CHECK_INT(board_load(b, table + 0x800, 8), 2);
	board_store(b, table + 16, 8, 0x28000000);
	board_store(b, table + 24, 4, 7);
	board_store(b, table + 28, 4, 0);
	CHECK_INT(b->messages, 1);
	CHECK_INT(b->last_message, 0x28000007);
	pci_msix_send(&b->function, 1);
	pci_msix_send(&b->function, 5); /* there is no such vector */
	CHECK_INT(b->messages, 2);
	board_store(b, CONFIG(2, 4), 2, 2); /* no bus master */
	pci_msix_send(&b->function, 1);
	CHECK_INT(b->messages, 2);
	pci_reset(&b->function);
	CHECK_INT(board_load(b, table, 4), UINT64_MAX);
	CHECK(!b->level[LINE_PCI + 2]);
}

int
main(void)
{
	struct board *b = board_new();

	test_uart_identity(b);
	test_uart_loop(b);
	test_uart_full(b);
	test_plic(b);
	test_imsic(b);
	test_aplic(b);
	test_aclint(b);
	test_rtc(b);
	test_syscon(b);
	test_flash(b);
	test_pci_bars(b);
	test_pci_interrupts(b);
	board_free(b);
	return check_done();
}
