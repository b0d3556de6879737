/* A machine small enough for a test: RAM, one device, the riscv64 user ISA, and a
 * system level that is a table of mappings. Faults enter a handler, which is an
 * ecall; an ecall stops the vCPU. cpu_system.c and cpu_system_threads.c use it.
 */
#ifndef TEST_UNIT_SYSTEM_WORLD_H
#define TEST_UNIT_SYSTEM_WORLD_H

#include "cpu/cpu.h"
#include "guest/riscv64/state.h"
#include "guest/system.h"
#include "memory/memory.h"
#include "unit/check.h"

#define RAM UINT64_C(0x80000000)
#define RAM_SIZE (UINT64_C(16) << 20)
#define DEVICE UINT64_C(0x10000000)
#define PAGE UINT64_C(4096)
#define HANDLER UINT64_C(0x7000) /* guest address; an ecall is there */

struct mapping {
	uint64_t address, physical, size;
	uint8_t allowed;
	bool global;
	int asid; /* -1: any */
};

/* Shared by the vCPUs of a world. */
static struct mapping world_map[64];
static unsigned world_maps;
static unsigned long world_walks;

/* Of a vCPU: what its env.owner points to. */
struct world_cpu {
	struct vcpu vcpu;
	struct guest_env env;
	unsigned regime; /* 0: user (private), 1: supervisor */
	uint32_t asid;
	bool input, enabled; /* interrupt */
	struct guest_fault fault;
	uint64_t fault_pc;
	unsigned faults, interrupts;
};

static struct memory world_memory;
static struct cpu_space world_space;
static uint64_t device_value;
static unsigned device_reads, device_writes;

static struct world_cpu *
world_of(const struct ir_frame *frame)
{
	return frame->env->owner;
}

static unsigned
world_regime(const struct ir_frame *frame)
{
	return world_of(frame)->regime;
}

static uint32_t
world_asid(const struct ir_frame *frame)
{
	return world_of(frame)->asid;
}

static bool
world_walk(struct ir_frame *frame, uint64_t address, unsigned size, enum guest_access access, unsigned regime,
	   struct guest_walk *walk, struct guest_fault *fault)
{
	(void)size, (void)regime;
	__atomic_fetch_add(&world_walks, 1, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < world_maps; i++) {
		const struct mapping *m = &world_map[i];

		if (address - m->address >= m->size || (m->asid >= 0 && (uint32_t)m->asid != world_of(frame)->asid))
			continue;
		if (!(__atomic_load_n(&m->allowed, __ATOMIC_RELAXED) & access))
			break;
		*walk = (struct guest_walk){ .physical = m->physical + (address - m->address), .page = m->size,
					     .span = m->size, .allowed = m->allowed, .global = m->global };
		return true;
	}
	*fault = (struct guest_fault){ .cause = access == GUEST_EXECUTE ? 12 : access == GUEST_READ ? 13 : 15,
				       .value = address };
	return false;
}

static struct guest_fault
world_access_fault(uint64_t address, enum guest_access access)
{
	return (struct guest_fault){ access == GUEST_EXECUTE ? 1 : access == GUEST_READ ? 5 : 7, address };
}

static struct guest_fault
world_misaligned(uint64_t address, enum guest_access access)
{
	return (struct guest_fault){ access == GUEST_READ ? 4 : 6, address };
}

static bool
world_trap(struct ir_frame *frame, enum ir_trap trap, uint64_t value, struct guest_fault *fault, enum guest_step *step)
{
	(void)frame;
	if (trap == IR_TRAP_SYSCALL) {
		*step = GUEST_STEP_CALL;
		return false;
	}
	*fault = (struct guest_fault){ 2, value };
	return true;
}

static void
world_deliver(struct ir_frame *frame, const struct guest_fault *fault)
{
	struct world_cpu *cpu = world_of(frame);

	cpu->fault = *fault;
	cpu->fault_pc = frame->pc;
	cpu->faults++;
	frame->pc = HANDLER;
}

static bool
world_interrupt(struct ir_frame *frame)
{
	struct world_cpu *cpu = world_of(frame);

	if (!__atomic_load_n(&cpu->input, __ATOMIC_ACQUIRE) || !cpu->enabled)
		return false;
	cpu->enabled = false;
	cpu->interrupts++;
	cpu->fault_pc = frame->pc;
	frame->pc = HANDLER;
	return true;
}

static bool
world_awake(const struct ir_frame *frame)
{
	return __atomic_load_n(&world_of(frame)->input, __ATOMIC_ACQUIRE);
}

static enum guest_step
world_execute(struct ir_frame *frame, uint64_t bits, uint64_t next, struct guest_fault *fault)
{
	(void)bits, (void)fault;
	frame->pc = next;
	return GUEST_STEP_NEXT;
}

static const struct guest_system world_system = {
	.private_regimes = 1,
	.data_regime = world_regime,
	.fetch_regime = world_regime,
	.asid = world_asid,
	.walk = world_walk,
	.access_fault = world_access_fault,
	.misaligned = world_misaligned,
	.trap = world_trap,
	.deliver = world_deliver,
	.interrupt = world_interrupt,
	.awake = world_awake,
	.execute = world_execute,
};

static uint64_t
device_read(void *device, uint64_t offset, unsigned size)
{
	(void)device, (void)size;
	device_reads++;
	return device_value + offset;
}

static void
device_write(void *device, uint64_t offset, unsigned size, uint64_t value)
{
	(void)device, (void)offset, (void)size;
	device_writes++;
	device_value = value;
}

static const struct memory_ops device_ops = { device_read, device_write, 1, 8 };

static void
world_written(void *owner, uint64_t address, uint64_t size)
{
	cpu_invalidate(owner, address, address + size);
}

/* ---- code: an assembler of sorts ------------------------------------------- */

#define ADDI(rd, rs, imm) ((uint32_t)(imm) << 20 | (uint32_t)(rs) << 15 | (uint32_t)(rd) << 7 | 0x13)
#define ADD(rd, a, b) ((uint32_t)(b) << 20 | (uint32_t)(a) << 15 | (uint32_t)(rd) << 7 | 0x33)
#define LD(rd, rs, imm) ((uint32_t)(imm) << 20 | (uint32_t)(rs) << 15 | 3u << 12 | (uint32_t)(rd) << 7 | 0x03)
#define LW(rd, rs, imm) ((uint32_t)(imm) << 20 | (uint32_t)(rs) << 15 | 2u << 12 | (uint32_t)(rd) << 7 | 0x03)
#define SD(rv, rs, imm) (((uint32_t)(imm) >> 5 & 127) << 25 | (uint32_t)(rv) << 20 | (uint32_t)(rs) << 15 | \
			 3u << 12 | ((uint32_t)(imm) & 31) << 7 | 0x23)
#define SW(rv, rs, imm) (((uint32_t)(imm) >> 5 & 127) << 25 | (uint32_t)(rv) << 20 | (uint32_t)(rs) << 15 | \
			 2u << 12 | ((uint32_t)(imm) & 31) << 7 | 0x23)
#define BNEZ(rs, imm) (((uint32_t)(imm) >> 12 & 1) << 31 | ((uint32_t)(imm) >> 5 & 63) << 25 | \
		       (uint32_t)(rs) << 15 | 1u << 12 | ((uint32_t)(imm) >> 1 & 15) << 8 | \
		       ((uint32_t)(imm) >> 11 & 1) << 7 | 0x63)
#define JAL(rd, imm) (((uint32_t)(imm) >> 20 & 1) << 31 | ((uint32_t)(imm) >> 1 & 1023) << 21 | \
		      ((uint32_t)(imm) >> 11 & 1) << 20 | ((uint32_t)(imm) >> 12 & 255) << 12 | \
		      (uint32_t)(rd) << 7 | 0x6f)
#define JALR(rd, rs) ((uint32_t)(rs) << 15 | (uint32_t)(rd) << 7 | 0x67)
#define RET JALR(0, 1)
#define AMOADD(rd, ra, rv) ((uint32_t)(rv) << 20 | (uint32_t)(ra) << 15 | 3u << 12 | (uint32_t)(rd) << 7 | 0x2f)
#define AUIPC(rd) ((uint32_t)(rd) << 7 | 0x17)
#define FENCE_I 0x0000100fu
#define ECALL 0x00000073u

static void
world_put(uint64_t physical, const uint32_t *code, unsigned count)
{
	CHECK(memory_write(&world_memory, physical, code, 4u * count));
}
#define PUT(physical, ...) \
	world_put(physical, (const uint32_t[]){ __VA_ARGS__ }, sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

static uint64_t
world_word(uint64_t physical)
{
	uint64_t value = 0;

	CHECK(memory_read64(&world_memory, physical, &value));
	return value;
}

static struct mapping *
world_add(uint64_t address, uint64_t physical, uint64_t size, unsigned allowed, bool global, int asid)
{
	world_map[world_maps] = (struct mapping){ address, physical, size, (uint8_t)allowed, global, asid };
	return &world_map[world_maps++];
}
#define RWX (GUEST_READ | GUEST_WRITE | GUEST_EXECUTE)

/* ---- vCPUs ------------------------------------------------------------------ */

static struct guest world_guest;

static void
world_begin(const struct cpu_options *options)
{
	static struct error error;

	world_guest = guest_riscv64;
	world_guest.system = &world_system;
	world_space = (struct cpu_space){ .guest = &world_guest, .memory = &world_memory };
	world_maps = 0;
	CHECK(!memory_init(&world_memory, &error));
	CHECK(!memory_add_ram(&world_memory, "ram", RAM, RAM_SIZE, &error));
	CHECK(!memory_add_device(&world_memory, "device", DEVICE, PAGE, &device_ops, NULL, &error));
	CHECK(!cpu_space_init(&world_space, options, &error));
	world_memory.written = world_written;
	world_memory.owner = &world_space;
	world_add(HANDLER, RAM, PAGE, GUEST_READ | GUEST_EXECUTE, true, -1);
	PUT(RAM, ECALL);
}

static void
world_end(void)
{
	cpu_space_fini(&world_space);
	memory_fini(&world_memory);
}

static void
world_cpu_begin(struct world_cpu *cpu, unsigned number, const struct cpu_options *options)
{
	static struct error error;

	memset(cpu, 0, sizeof *cpu);
	cpu->env = (struct guest_env){ .memory = &world_memory, .number = number, .owner = cpu };
	CHECK(!vcpu_init(&cpu->vcpu, &world_space, options, &error));
	CHECK(!cpu_system_init(&cpu->vcpu, &cpu->env, &error));
}

/* Runs from pc to the next ecall. */
static void
world_run(struct world_cpu *cpu, uint64_t pc)
{
	cpu->vcpu.frame->pc = pc;
	cpu->faults = 0;
	cpu->env.changed(&cpu->env);
	while (cpu_run_system(&cpu->vcpu) != CPU_SYSTEM_CALL)
		continue;
}

static uint64_t *
world_x(struct world_cpu *cpu)
{
	return riscv64_state_of(cpu->vcpu.frame)->x;
}

static inline void
world_flush(struct world_cpu *cpu, uint64_t address)
{
	cpu->env.flush(&cpu->env, true, address, false, 0, true);
}

#endif
