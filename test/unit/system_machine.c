/* The life of a machine: runs, stands still while it is paused, goes on; its whole
 * state goes into a second machine and comes out the same; it ends when told to.
 *
 * The guest is a bare-metal program that counts in memory on two harts. */
#include <elf.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "machine/machine.h"
#include "unit/check.h"

#define RAM 0x80000000u
#define COUNTER (RAM + 0x100u)

static const uint32_t program[] = {
	0x00000317, /*    auipc t1, 0       */
	0x00128293, /* 1: addi  t0, t0, 1   */
	0x10533023, /*    sd    t0, 256(t1) */
	0xff9ff06f, /*    j     1b          */
};

static char path[] = "/tmp/isomorph-machine-XXXXXX";

static void
write_program(void)
{
	struct {
		Elf64_Ehdr header;
		Elf64_Phdr segment;
		uint32_t code[ARRAY_LEN(program)];
	} file = {
		.header = { .e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, .e_type = ET_EXEC,
			    .e_machine = EM_RISCV, .e_version = 1, .e_entry = RAM, .e_ehsize = sizeof file.header,
			    .e_phentsize = sizeof file.segment, .e_phnum = 1 },
		.segment = { .p_type = PT_LOAD, .p_vaddr = RAM, .p_paddr = RAM, .p_filesz = sizeof program,
			     .p_memsz = sizeof program },
	};
	int fd = mkstemp(path);

	file.header.e_phoff = offsetof(__typeof__(file), segment);
	file.segment.p_offset = offsetof(__typeof__(file), code);
	memcpy(file.code, program, sizeof program);
	CHECK_INT(write(fd, &file, sizeof file), sizeof file);
	close(fd);
}

static struct machine *
make(bool restored, bool deterministic)
{
	struct machine_config config = { .arch = "riscv64", .type = "virt", .cpus = 2, .memory = 16u << 20, .bare = path,
					 .console_in = -1, .console_out = -1, .shell_in = -1, .shell_out = -1,
					 .restored = restored, .deterministic = deterministic };
	struct error error = { 0 };
	struct machine *m = machine_new(&config, &error);

	CHECK_TEXT(error.text, "");
	CHECK(m && !machine_start(m, &error));
	CHECK_TEXT(error.text, "");
	return m;
}

static uint64_t
counter(struct machine *m)
{
	uint64_t value = 0;

	CHECK(memory_read64(machine_memory(m), COUNTER, &value));
	return value;
}

static void
nap(unsigned milliseconds)
{
	nanosleep(&(struct timespec){ milliseconds / 1000, milliseconds % 1000 * 1000000 }, NULL);
}

/* Does it count? Waits for it for a while. */
static bool
counts(struct machine *m)
{
	uint64_t before = counter(m);

	for (unsigned i = 0; i < 500; i++) {
		nap(10);
		if (counter(m) != before)
			return true;
	}
	return false;
}

/* Does it come past the value? The hart that is behind may have counted last. */
static bool
counts_past(struct machine *m, uint64_t value)
{
	for (unsigned i = 0; i < 500; i++) {
		if (counter(m) > value)
			return true;
		nap(10);
	}
	return false;
}

static void *
saved(struct machine *m, size_t *size)
{
	struct state *s = state_save();
	const void *data;
	void *copy;

	machine_state(m, s);
	data = state_data(s, size);
	copy = malloc(*size);
	memcpy(copy, data, *size);
	CHECK_INT(state_close(s, NULL), 0);
	return copy;
}

static void
check_same(const void *a, size_t size, struct machine *m)
{
	struct error error = { 0 };
	struct state *s = state_compare(a, size);

	machine_state(m, s);
	CHECK_INT(state_close(s, &error), 0);
	CHECK_TEXT(error.text, "");
}

static void
end(struct machine *m)
{
	struct error error = { 0 };
	int status = 9;

	machine_stop(m);
	CHECK_INT(machine_wait(m, &status, &error), MACHINE_STOPPED);
	CHECK_INT(status, 0);
	machine_free(m);
}

static void
test_pause(bool deterministic)
{
	struct machine *m = make(false, deterministic);
	uint64_t still;
	size_t size;
	void *state;

	CHECK(counts(m));
	machine_pause(m);
	still = counter(m);
	state = saved(m, &size);
	nap(50);
	CHECK_INT(counter(m), still);
	check_same(state, size, m);
	machine_pause(m); /* pauses nest */
	machine_resume(m);
	nap(20);
	CHECK_INT(counter(m), still);
	machine_resume(m);
	CHECK(counts(m));
	free(state);
	end(m);
}

/* One machine's state in another: the same, and it goes on from there. */
static void
test_restore(void)
{
	struct machine *m = make(false, false), *other;
	struct error error = { 0 };
	uint8_t page[MEMORY_PAGE];
	size_t size;
	void *state;
	struct state *s;
	uint64_t still;

	CHECK(counts(m));
	machine_pause(m);
	still = counter(m);
	state = saved(m, &size);
	other = make(true, false);
	s = state_restore(state, size);
	machine_state(other, s);
	CHECK_INT(state_close(s, &error), 0);
	CHECK_TEXT(error.text, "");
	CHECK(memory_read(machine_memory(m), RAM, page, sizeof page));
	CHECK(memory_write(machine_memory(other), RAM, page, sizeof page));
	check_same(state, size, other);
	CHECK_INT(counter(other), still);
	machine_resume(other);
	CHECK(counts(other));
	CHECK(counts_past(other, still));
	CHECK_INT(counter(m), still);
	end(other);
	end(m);
	free(state);
}

static void
test_refusals(void)
{
	struct machine_config config = { .arch = "riscv64", .type = "virt", .cpus = MACHINE_CPUS + 1, .console_in = -1,
					 .console_out = -1, .shell_in = -1, .shell_out = -1 };
	struct error error = { 0 };

	CHECK(!machine_new(&config, &error));
	CHECK(strstr(error.text, "too many"));
	config.cpus = 1;
	config.memory = 4095;
	error = (struct error){ 0 };
	CHECK(!machine_new(&config, &error));
	CHECK(strstr(error.text, "memory"));
	config.memory = 0;
	config.accel = "magic";
	error = (struct error){ 0 };
	CHECK(!machine_new(&config, &error));
	CHECK(strstr(error.text, "magic"));
	CHECK(!machine_type_find("riscv64", "none") && !machine_type_find("vax", "virt"));
}

int
main(void)
{
	write_program();
	test_pause(false);
	test_pause(true);
	test_restore();
	test_refusals();
	unlink(path);
	return check_done();
}
