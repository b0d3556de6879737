/* A small RV64 assembler and ELF writer; see rvasm.h. */
#include "isa/rvasm.h"

#include <elf.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

void
rv_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("rvtest: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(2);
}

uint64_t
rv_here(const struct rv_code *code)
{
	return code->base + code->size;
}

void
rv_bytes(struct rv_code *code, const void *bytes, size_t size)
{
	if (code->size + size > code->capacity) {
		code->capacity = (code->size + size) * 2;
		code->bytes = realloc(code->bytes, code->capacity);
		if (!code->bytes)
			rv_die("no memory for %zu bytes of code", code->capacity);
	}
	memcpy(code->bytes + code->size, bytes, size);
	code->size += size;
}

void
rv_word(struct rv_code *code, uint32_t bits, unsigned length)
{
	rv_bytes(code, &bits, length);
}

static uint32_t
encode(const struct riscv64_insn *insn)
{
	struct riscv64_insn copy = *insn;
	uint32_t bits;

	if (!copy.form)
		copy.form = (uint16_t)copy.op;
	if (!riscv64_encode(&copy, &bits))
		rv_die("cannot encode %s rd %u rs1 %u rs2 %u imm %lld",
		       riscv64_form_info(copy.form).mnemonic, copy.rd, copy.rs1, copy.rs2,
		       (long long)copy.imm);
	return bits;
}

void
rv_put(struct rv_code *code, const struct riscv64_insn *insn)
{
	uint32_t bits = encode(insn);

	rv_word(code, bits, riscv64_insn_length((uint16_t)bits));
}

void
rv_patch(struct rv_code *code, size_t at, const struct riscv64_insn *insn)
{
	uint32_t bits = encode(insn);

	memcpy(code->bytes + at, &bits, riscv64_insn_length((uint16_t)bits));
}

void
rv_r(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned rs1, unsigned rs2)
{
	rv_put(code, &(struct riscv64_insn){.op = op, .rd = (uint8_t)rd, .rs1 = (uint8_t)rs1,
					    .rs2 = (uint8_t)rs2});
}

void
rv_i(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned rs1, int64_t imm)
{
	rv_put(code, &(struct riscv64_insn){.op = op, .rd = (uint8_t)rd, .rs1 = (uint8_t)rs1,
					    .imm = imm});
}

void
rv_s(struct rv_code *code, enum riscv64_op op, unsigned rs2, unsigned rs1, int64_t imm)
{
	rv_put(code, &(struct riscv64_insn){.op = op, .rs1 = (uint8_t)rs1, .rs2 = (uint8_t)rs2,
					    .imm = imm});
}

void
rv_csr(struct rv_code *code, enum riscv64_op op, unsigned rd, unsigned csr, unsigned rs1)
{
	rv_put(code, &(struct riscv64_insn){.op = op, .rd = (uint8_t)rd, .rs1 = (uint8_t)rs1,
					    .csr = (uint16_t)csr});
}

void
rv_constant(struct rv_code *code, unsigned rd, uint64_t value)
{
	int64_t low = (int64_t)(value << 52) >> 52;
	uint64_t high = value - (uint64_t)low;

	if ((int64_t)value == low) {
		rv_i(code, RV_ADDI, rd, 0, low);
		return;
	}
	if ((int64_t)value == (int32_t)value) {
		rv_i(code, RV_LUI, rd, 0, (int32_t)high);
		if (low)
			rv_i(code, RV_ADDIW, rd, rd, low);
		return;
	}
	rv_constant(code, rd, (uint64_t)((int64_t)high >> 12));
	rv_i(code, RV_SLLI, rd, rd, 12);
	if (low)
		rv_i(code, RV_ADDI, rd, rd, low);
}

void
rv_syscall(struct rv_code *code, unsigned number)
{
	rv_constant(code, X_A7, number);
	rv_i(code, RV_ECALL, 0, 0, 0);
}

static void
refer(struct rv_code *code, struct rv_label *to, struct riscv64_insn insn)
{
	if (to->bound) {
		insn.imm = (int64_t)to->at - (int64_t)code->size;
	} else {
		if (to->count == ARRAY_LEN(to->fixups))
			rv_die("too many branches to one label");
		to->fixups[to->count++] = (struct rv_fixup){code->size, insn};
	}
	rv_put(code, &insn);
}

void
rv_branch(struct rv_code *code, enum riscv64_op op, unsigned rs1, unsigned rs2,
	  struct rv_label *to)
{
	refer(code, to, (struct riscv64_insn){.op = op, .rs1 = (uint8_t)rs1, .rs2 = (uint8_t)rs2});
}

void
rv_jump(struct rv_code *code, unsigned rd, struct rv_label *to)
{
	refer(code, to, (struct riscv64_insn){.op = RV_JAL, .rd = (uint8_t)rd});
}

void
rv_bind(struct rv_code *code, struct rv_label *label)
{
	label->bound = true;
	label->at = code->size;
	for (unsigned i = 0; i < label->count; i++) {
		struct rv_fixup *fixup = &label->fixups[i];

		fixup->insn.imm = (int64_t)(label->at - fixup->at);
		rv_patch(code, fixup->at, &fixup->insn);
	}
}

static void
write_at(FILE *file, uint64_t offset, const void *bytes, size_t size)
{
	if (fseek(file, (long)offset, SEEK_SET) || fwrite(bytes, 1, size, file) != size)
		rv_die("cannot write the program");
}

void
rv_write_elf(const char *path, const struct rv_segment *segments, unsigned count, uint64_t entry)
{
	Elf64_Ehdr header = {
		.e_ident = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB, EV_CURRENT},
		.e_type = ET_EXEC, .e_machine = EM_RISCV, .e_version = EV_CURRENT,
		.e_entry = entry, .e_phoff = sizeof(Elf64_Ehdr), .e_flags = 5, /* RVC, double */
		.e_ehsize = sizeof(Elf64_Ehdr), .e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)count,
	};
	FILE *file = fopen(path, "wb");
	uint64_t offset = 4096;

	if (!file)
		rv_die("cannot write %s", path);
	write_at(file, 0, &header, sizeof(header));
	for (unsigned i = 0; i < count; i++) {
		const struct rv_segment *s = &segments[i];
		Elf64_Phdr load = {
			.p_type = PT_LOAD, .p_flags = s->flags, .p_offset = offset,
			.p_vaddr = s->address, .p_paddr = s->address, .p_filesz = s->size,
			.p_memsz = s->memory > s->size ? s->memory : s->size, .p_align = 4096,
		};

		write_at(file, sizeof(header) + i * sizeof(load), &load, sizeof(load));
		if (s->size)
			write_at(file, offset, s->bytes, s->size);
		offset = align_up(offset + s->size, 4096);
	}
	if (fclose(file) || chmod(path, 0755))
		rv_die("cannot write %s", path);
}
