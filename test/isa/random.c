/* Blocks of random instructions.
 *
 * A block is a row of units. A unit is one random instruction of the extension
 * (or, less often, of the base ISA) with what it needs in front: a memory access
 * gets an address, an indirect jump a target. Jumps go forward to the start of
 * a later unit, so every block ends. What is left out, and why:
 *
 *  - ecall: a random system call would be made;
 *  - reads of cycle, time, instret and the other counters: they differ each time;
 *  - store-conditional is used only behind its load-reserved with nothing but
 *    register instructions between (it must succeed), or with no reservation (it
 *    must fail); the manual leaves the rest to the implementation;
 *  - misaligned store-conditional, cbo.clean and cbo.flush, unless options->full:
 *    QEMU's user mode does not have them (doc/deviations.md).
 *
 * Everything comes from the seed.
 */
#include "isa/random.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "isa/operands.h"
#include "isa/runtime.h"

#define MAX_FORWARD 5   /* units that a jump skips at most, plus one */
#define MAX_PENDING 256 /* jumps in a block */

struct generator {
	struct rng rng;
	struct rv_code code;
	unsigned forms[RV_FORM_COUNT]; /* of the extension */
	unsigned user_forms[RV_FORM_COUNT]; /* of all that programs may have */
	unsigned user_form_count;
	unsigned form_count;
	bool illegal_only;
	bool full;
	unsigned insns;
	/* of the block */
	unsigned unit;
	struct pending {
		size_t at;      /* of the instruction to patch */
		size_t anchor;  /* what its immediate counts from */
		int odd;        /* added to the immediate */
		unsigned target; /* unit */
		struct riscv64_insn insn;
	} pending[MAX_PENDING];
	unsigned pending_count;
	uint8_t registers[8]; /* when few_registers: those in use */
	bool few_registers;
};

static unsigned
below(struct generator *g, unsigned count)
{
	return rng_below(&g->rng, count);
}

static bool
once_in(struct generator *g, unsigned count)
{
	return rng_once_in(&g->rng, count);
}

/* ---- which instructions ------------------------------------------------- */

/* What only a system VM has; vectors are test/isa/vector-random's. */
static bool
is_left_out(enum riscv64_extension extension)
{
	return extension == RV_EXT_SM || extension == RV_EXT_SS || extension == RV_EXT_SVINVAL || extension == RV_EXT_V;
}

static bool
form_in(unsigned form, const char *extension)
{
	if (is_left_out(riscv64_form_info(form).extension))
		return false;
	return !strcmp(extension, "mix") ||
	       !strcmp(riscv64_extension_name(riscv64_form_info(form).extension), extension);
}

bool
random_extension_known(const char *extension)
{
	for (unsigned i = 0; i < RV_EXT_COUNT; i++)
		if (!strcmp(riscv64_extension_name(i), extension))
			return !is_left_out(i);
	return !strcmp(extension, "mix") || !strcmp(extension, "illegal");
}

static void
collect_forms(struct generator *g, const char *extension)
{
	g->illegal_only = !strcmp(extension, "illegal");
	for (unsigned form = 1; form < RV_FORM_COUNT; form++) {
		enum riscv64_op op = riscv64_form_info(form).op;

		if (form_in(form, "mix"))
			g->user_forms[g->user_form_count++] = form;
		if (form_in(form, extension) && op != RV_ECALL)
			g->forms[g->form_count++] = form;
	}
}

/* A random legal encoding of a form, or what decodes to something close; its bits
 * in *raw. */
static struct riscv64_insn
random_insn(struct generator *g, unsigned form, uint32_t *raw)
{
	struct riscv64_form info = riscv64_form_info(form);
	struct riscv64_insn insn, fewer;
	uint32_t bits;

	do {
		bits = info.match | ((uint32_t)rng_next(&g->rng) & ~info.mask);
		if (info.length == 2)
			bits &= 0xffff;
	} while (!riscv64_decode(bits, &insn) || insn.op == RV_ECALL ||
		 (insn.form != form && !once_in(g, 4)));
	fewer = insn;
	if (g->few_registers) {
		uint32_t again;
		struct riscv64_insn check;

		fewer.rd = fewer.rd ? g->registers[fewer.rd & 7] : 0;
		fewer.rs1 = fewer.rs1 ? g->registers[fewer.rs1 & 7] : 0;
		fewer.rs2 = fewer.rs2 ? g->registers[fewer.rs2 & 7] : 0;
		fewer.rs3 = fewer.rs3 ? g->registers[fewer.rs3 & 7] : 0;
		if (riscv64_encode(&fewer, &again) && riscv64_decode(again, &check) &&
		    check.form == insn.form) {
			*raw = again;
			return check;
		}
	}
	*raw = bits;
	return insn;
}

/* Vector loads and stores: QEMU executes some of them without the extension. */
static bool
is_vector_access(uint32_t bits)
{
	unsigned width = bits >> 12 & 7;

	return (bits & 0x5f) == 0x07 && (width == 0 || width > 4);
}

/* An encoding that programs cannot have. */
static void
put_illegal(struct generator *g)
{
	struct riscv64_insn insn;
	uint32_t bits;

	do {
		unsigned form = g->user_forms[below(g, g->user_form_count)];
		struct riscv64_form info = riscv64_form_info(form);

		bits = (uint32_t)rng_next(&g->rng);
		if (once_in(g, 2)) /* near a legal one */
			bits = (bits & ~info.mask) | (info.match ^ 1u << below(g, 32));
		if (once_in(g, 4))
			bits &= 0xfffffffc;
	} while ((bits & 0x1f) == 0x1f || (riscv64_decode(bits, &insn) && form_in(insn.form, "mix")) ||
		 (!g->full && is_vector_access(bits)));
	rv_word(&g->code, bits, riscv64_insn_length((uint16_t)bits));
}

/* ---- addresses ---------------------------------------------------------- */

/* An address for an access of size bytes. */
static uint64_t
random_address(struct generator *g, unsigned size, bool aligned)
{
	unsigned kind = below(g, 100);
	uint64_t page = RT_BUFFER + 0x1000, address;

	if (kind < 55)
		address = page - 256 + below(g, 512);
	else if (kind < 75)
		address = page - 8 + below(g, 16);
	else if (kind < 92)
		address = RT_BUFFER + below(g, RT_BUFFER_SIZE - 64);
	else if (kind < 94)
		address = RT_BUFFER + RT_BUFFER_SIZE - 16 + below(g, 32);
	else if (kind < 96)
		address = RT_BUFFER - 16 + below(g, 32);
	else if (kind < 97)
		address = RT_READONLY + below(g, 4096);
	else if (kind < 98)
		address = RT_TEXT + below(g, 4096);
	else
		address = RT_READONLY - 0x1000 - below(g, 4096);
	return aligned ? align_down(address, size) : address;
}

/* reg = address, by auipc and addi. */
static void
put_address(struct generator *g, unsigned reg, uint64_t address)
{
	uint64_t offset = address - rv_here(&g->code);
	int64_t low = (int64_t)(offset << 52) >> 52;

	rv_i(&g->code, RV_AUIPC, reg, 0, (int64_t)(offset - (uint64_t)low));
	rv_i(&g->code, RV_ADDI, reg, reg, low);
}

static unsigned
access_size(enum riscv64_op op)
{
	const char *name = riscv64_form_info(op).mnemonic;
	const char *dot = strchr(name, '.');

	if (riscv64_op_attributes(op) & RVA_AMO)
		return strstr(dot, ".d") ? 8 : 4;
	if (!strncmp(name, "cbo", 3))
		return 64;
	name += strcspn(name, "bhwd");
	return *name == 'b' ? 1 : *name == 'h' ? 2 : *name == 'w' ? 4 : 8;
}

/* ---- units -------------------------------------------------------------- */

static void
put(struct generator *g, const struct riscv64_insn *insn)
{
	rv_put(&g->code, insn);
	g->insns++;
}

/* As they were drawn: bits that hardware ignores are kept. */
static void
put_bits(struct generator *g, uint32_t bits, unsigned length)
{
	rv_word(&g->code, bits, length);
	g->insns++;
}

/* Emits insn, whose immediate will be the distance from anchor to a later
 * unit. */
static void
put_forward(struct generator *g, struct riscv64_insn insn, size_t anchor, int odd)
{
	struct pending *p;

	if (g->pending_count == MAX_PENDING)
		return;
	p = &g->pending[g->pending_count++];
	*p = (struct pending){g->code.size, anchor, odd, g->unit + 1 + below(g, MAX_FORWARD), insn};
	insn.imm = 0;
	/* c.addi4spn and the like have no 0; none of them comes here. */
	put(g, &insn);
}

static void
resolve(struct generator *g, bool all)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < g->pending_count; i++) {
		struct pending p = g->pending[i];

		if (p.target != g->unit && !all) {
			g->pending[kept++] = p;
			continue;
		}
		p.insn.imm = (int64_t)(g->code.size - p.anchor) + p.odd;
		rv_patch(&g->code, p.at, &p.insn);
	}
	g->pending_count = kept;
}

static void
put_memory(struct generator *g, struct riscv64_insn insn)
{
	unsigned size = access_size(insn.op);
	bool atomic = riscv64_op_attributes(insn.op) & RVA_AMO;
	bool aligned = atomic ? !once_in(g, 12) : once_in(g, 2);

	if (insn.rs1 && !once_in(g, 40))
		put_address(g, insn.rs1, random_address(g, size, aligned) - (uint64_t)insn.imm);
	put(g, &insn);
}

/* Register instructions of the base ISA that leave reg alone. */
static void
put_filler(struct generator *g, unsigned reg)
{
	static const enum riscv64_op ops[] = {RV_ADD, RV_XOR, RV_SUB, RV_SLTU, RV_ADDW, RV_OR};
	unsigned rd = below(g, 32);

	if (rd != reg && rd) /* add to x0 has hints among it */
		rv_r(&g->code, ops[below(g, ARRAY_LEN(ops))], rd, below(g, 32), below(g, 32));
}

/* lr, or sc: see the head of the file. */
static void
put_reserved(struct generator *g, struct riscv64_insn insn)
{
	bool wide = access_size(insn.op) == 8;
	bool alone = (insn.op == RV_SC_W || insn.op == RV_SC_D) && once_in(g, 2);
	uint64_t address = RT_BUFFER + 0x1000 - 256 + below(g, 512);
	struct riscv64_insn other = insn;

	insn.rs1 = insn.rs1 ? insn.rs1 : X_A0;
	if (alone) {
		put_address(g, insn.rs1, align_down(address, 8));
		put(g, &insn);
		return;
	}
	insn.op = wide ? RV_LR_D : RV_LR_W;
	insn.form = (uint16_t)insn.op;
	insn.rs2 = 0;
	insn.rd = insn.rd == insn.rs1 ? 0 : insn.rd;
	/* After a load-reserved that faults it is open whether the store does. */
	if (g->full && once_in(g, 10))
		address = random_address(g, wide ? 8 : 4, false);
	else
		address = align_down(address, wide ? 8 : 4);
	put_address(g, insn.rs1, address);
	put(g, &insn);
	for (unsigned i = below(g, 4); i; i--)
		put_filler(g, insn.rs1);
	other.op = wide ? RV_SC_D : RV_SC_W;
	other.form = (uint16_t)other.op;
	other.rs1 = insn.rs1;
	other.rs2 = (uint8_t)below(g, 32);
	other.rd = (uint8_t)below(g, 32);
	put(g, &other);
}

static void
put_csr(struct generator *g, struct riscv64_insn insn)
{
	/* Not there, or not for user code. */
	static const uint16_t others[] = {
		0x100, 0x104, 0x105, 0x140, 0x141, 0x142, 0x143, 0x144, 0x180, 0x300, 0x301, 0x305,
		0x340, 0x341, 0xf11, 0xf14, 0x7a0, 0x7b0, 0x7b1, 0x200, 0x600, 0x106, 0x10a, 0x000,
		0x004, 0x005, 0x010, 0x016, 0x7c0, 0x8ff, 0xb00, 0xb02, 0xcff, 0xdff, 0x5a8,
	};

	insn.csr = (uint16_t)(1 + below(g, 3));
	if (once_in(g, 12))
		insn.csr = others[below(g, ARRAY_LEN(others))];
	put(g, &insn);
}

/* reg = an address that cannot be fetched from. */
static void
put_bad_target(struct generator *g, unsigned reg)
{
	static const uint64_t bad[] = {
		0, 1, 2, 0x8000000000000000, 0x8000000000000001, 0xfffffffffffffffe, 0x7fffffffffffffff,
		0x800000000000, 0x7ffffffff000, 0xffffffff80000000,
	};
	uint64_t address = random_address(g, 4, false);

	if (once_in(g, 2) || address - RT_TEXT < 0x1000)
		rv_constant(&g->code, reg, bad[below(g, ARRAY_LEN(bad))]);
	else
		put_address(g, reg, address);
}

/* jalr: a good target, or rarely one that cannot be fetched from. */
static void
put_indirect(struct generator *g, struct riscv64_insn insn)
{
	bool is_short = insn.length == 2;
	size_t anchor;

	insn.rs1 = insn.rs1 ? insn.rs1 : X_T0;
	if (once_in(g, 30)) {
		put_bad_target(g, insn.rs1);
		put(g, &insn);
		return;
	}
	anchor = g->code.size;
	rv_i(&g->code, RV_AUIPC, insn.rs1, 0, 0);
	if (is_short) {
		struct riscv64_insn add = {.op = RV_ADDI, .rd = insn.rs1, .rs1 = insn.rs1};

		put_forward(g, add, anchor, (int)below(g, 2));
		put(g, &insn);
	} else {
		put_forward(g, insn, anchor, (int)below(g, 2));
	}
}

/* jal link, 1f; filler; j 2f; 1: filler; jalr 0(link); 2: */
static void
put_call(struct generator *g)
{
	static const uint8_t links[] = {X_RA, X_RA, X_RA, X_T0, X_A5};
	unsigned link = links[below(g, ARRAY_LEN(links))];
	struct rv_label function = {0}, after = {0};

	if (once_in(g, 3)) {
		size_t at = g->code.size;
		struct riscv64_insn jalr = {.op = RV_JALR, .rd = (uint8_t)link, .rs1 = (uint8_t)link};

		rv_i(&g->code, RV_AUIPC, link, 0, 0);
		rv_put(&g->code, &jalr);
		put_filler(g, link);
		rv_jump(&g->code, 0, &after);
		jalr.imm = (int64_t)(g->code.size - at);
		rv_patch(&g->code, at + 4, &jalr);
	} else {
		rv_jump(&g->code, link, &function);
		put_filler(g, link);
		rv_jump(&g->code, 0, &after);
		rv_bind(&g->code, &function);
	}
	put_filler(g, link);
	put_filler(g, link);
	/* Sometimes not where the call came from: behind the filler. */
	if (once_in(g, 4))
		rv_branch(&g->code, RV_BLT, below(g, 32), below(g, 32), &after);
	rv_i(&g->code, RV_JALR, 0, link, 0);
	rv_bind(&g->code, &after);
}

/* QEMU drops these with their flags where the result is overwritten in the same
 * translation block (doc/deviations.md): a jump behind them ends it. */
static bool
loses_flags(enum riscv64_op op)
{
	return op == RV_FROUND_S || op == RV_FROUND_D || op == RV_FROUNDNX_S ||
	       op == RV_FROUNDNX_D;
}

static void
put_unit(struct generator *g, unsigned form)
{
	uint32_t bits;
	struct riscv64_insn insn = random_insn(g, form, &bits);
	unsigned attributes = riscv64_op_attributes(insn.op);

	if (insn.op == RV_EBREAK && !once_in(g, 10))
		put_call(g);
	else if ((insn.op == RV_CBO_CLEAN || insn.op == RV_CBO_FLUSH) && !g->full)
		put_filler(g, 0);
	else if (loses_flags(insn.op) && !g->full) {
		put(g, &insn);
		rv_i(&g->code, RV_JAL, 0, 0, 4);
	} else if (insn.op == RV_FENCE_I && !once_in(g, 4))
		put_filler(g, 0);
	else if (insn.op == RV_LR_W || insn.op == RV_LR_D || insn.op == RV_SC_W ||
		 insn.op == RV_SC_D)
		put_reserved(g, insn);
	else if (insn.op == RV_JALR)
		put_indirect(g, insn);
	else if (attributes & (RVA_BRANCH | RVA_JUMP))
		put_forward(g, insn, g->code.size, 0);
	else if (attributes & (RVA_LOAD | RVA_STORE))
		put_memory(g, insn);
	else if (attributes & RVA_CSR)
		put_csr(g, insn);
	else
		put_bits(g, bits, insn.length);
}

static void
put_block(struct generator *g)
{
	unsigned units = 12 + below(g, 30);

	g->few_registers = once_in(g, 2);
	for (unsigned i = 0; i < ARRAY_LEN(g->registers); i++)
		g->registers[i] = (uint8_t)(once_in(g, 2) ? 8 + below(g, 8) : 1 + below(g, 31));
	g->pending_count = 0;
	for (g->unit = 0; g->unit < units; g->unit++) {
		resolve(g, false);
		if (g->illegal_only ? once_in(g, 2) : once_in(g, 200))
			put_illegal(g);
		else if (g->form_count && !once_in(g, 5))
			put_unit(g, g->forms[below(g, g->form_count)]);
		else if (once_in(g, 10))
			put_call(g);
		else
			put_unit(g, RV_LUI + below(g, RV_SRAW - RV_LUI + 1));
	}
	resolve(g, true);
}

/* ---- the program -------------------------------------------------------- */

static struct rt_data *
make_data(struct generator *g, const struct random_options *options)
{
	struct rt_data *data = calloc(1, sizeof(*data));

	if (!data)
		rv_die("no memory");
	data->group = options->group;
	data->stop_block = data->stop_run = data->stop_pc = UINT64_MAX;
	data->blocks = options->blocks;
	data->runs = options->runs;
	data->run = UINT64_MAX;
	data->random = rng_next(&g->rng);
	data->hash = options->seed;
	data->mix = UINT64_C(0x9fb21c651e98df25);
	data->step = UINT64_C(0x5851f42d4c957f2d);
	for (unsigned i = 0; i < ARRAY_LEN(data->integers); i++)
		data->integers[i] = operand_integer(&g->rng);
	for (unsigned i = 0; i < ARRAY_LEN(data->floats); i++)
		data->floats[i] = operand_float(&g->rng);
	for (unsigned i = 0; i < RT_POOL; i++)
		data->fcsr[i] = (once_in(g, 8) ? below(g, 8) : below(g, 5)) << 5 |
				(once_in(g, 2) ? below(g, 32) : 0);
	return data;
}

static void
fill_buffer(struct generator *g, uint64_t *words, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		words[i] = once_in(g, 2) ? operand_integer(&g->rng) : operand_float(&g->rng);
}

unsigned
random_program(const struct random_options *options, const char *path)
{
	struct generator g = {.rng = {options->seed}, .code = {.base = RT_TEXT}};
	struct rv_code table = {.base = RT_DATA};
	struct rt_data *data;
	static uint64_t memory[(0x1000 + RT_BUFFER_SIZE) / 8];
	uint64_t entry;

	for (const char *p = options->extension; *p; p++)
		g.rng.state = rng_next(&g.rng) + (uint8_t)*p;
	g.full = options->full;
	collect_forms(&g, options->extension);
	data = make_data(&g, options);
	fill_buffer(&g, memory, ARRAY_LEN(memory));
	entry = rt_emit(&g.code);
	rv_bytes(&table, data, sizeof(*data));
	for (unsigned i = 0; i < options->blocks; i++) {
		uint64_t bounds[2] = {rv_here(&g.code)};

		put_block(&g);
		bounds[1] = rv_here(&g.code);
		rv_i(&g.code, RV_EBREAK, 0, 0, 0);
		rv_bytes(&table, bounds, sizeof(bounds));
	}
	((struct rt_data *)(void *)table.bytes)->text_end = rv_here(&g.code);
	rv_write_elf(path, (struct rv_segment[]){
		{RT_TEXT, g.code.bytes, g.code.size, 0, PF_R | PF_X},
		{RT_READONLY, memory, 0x1000, 0, PF_R},
		{RT_BUFFER, memory + 0x1000 / 8, RT_BUFFER_SIZE, 0, PF_R | PF_W},
		{RT_DATA, table.bytes, table.size, 0, PF_R | PF_W},
	}, 4, entry);
	free(data);
	free(table.bytes);
	free(g.code.bytes);
	return g.insns;
}
