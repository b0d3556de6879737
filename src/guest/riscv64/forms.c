/* What insns.def says of operations and forms besides their bits. Names stand
 * in arrays of characters, not behind pointers, so that nothing needs
 * relocation. */
#include "guest/riscv64/insn.h"

struct form_text {
	char mnemonic[20], operands[20];
	uint8_t extension;
};

static const struct form_text texts[RV_FORM_COUNT] = {
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) \
	[RV_##op] = { mnemonic, operands, RV_EXT_##extension },
#include "guest/riscv64/insns.def"
#define CINSN(form, mnemonic, picture, format, extension, operands, op) \
	[RV_FORM_##form] = { mnemonic, operands, RV_EXT_##extension },
#include "guest/riscv64/insns.def"
};

static const uint16_t attributes_of[RV_OP_COUNT] = {
#define INSN(op, mnemonic, picture, format, extension, operands, attributes) [RV_##op] = attributes,
#include "guest/riscv64/insns.def"
};

static const char extension_names[RV_EXT_COUNT][16] = {
#define EXTENSION(id, name) [RV_EXT_##id] = name,
#include "guest/riscv64/insns.def"
};

struct riscv64_form
riscv64_form_info(unsigned form)
{
	struct riscv64_form info = { .mnemonic = texts[form].mnemonic,
				     .operands = texts[form].operands,
				     .extension = texts[form].extension };

	riscv64_form_bits(form, &info);
	info.attributes = attributes_of[info.op];
	return info;
}

uint32_t
riscv64_form_extensions(unsigned form)
{
	return 1u << texts[form].extension | 1u << texts[riscv64_form_info(form).op].extension;
}

const char *
riscv64_extension_name(enum riscv64_extension extension)
{
	return extension_names[extension];
}

unsigned
riscv64_op_attributes(enum riscv64_op op)
{
	return attributes_of[op];
}
