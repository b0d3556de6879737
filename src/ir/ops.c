/* The op table as data, and what types are called and how wide they are. */
#include "ir/ir.h"

#define PURE IR_E_PURE
#define READ_STATE IR_E_READ_STATE
#define WRITE_STATE IR_E_WRITE_STATE
#define READ_MEM IR_E_READ_MEM
#define WRITE_MEM IR_E_WRITE_MEM
#define FAULT IR_E_FAULT
#define FP IR_E_FP
#define END IR_E_END
#define BARRIER IR_E_BARRIER

const struct ir_op_info ir_op_info[IR_OP_COUNT] = {
#define OP(NAME, text, result, operands, aux, effects, meaning) \
	[IR_##NAME] = { #text, operands, IR_R_##result, IR_AUX_##aux, effects, meaning },
#include "ir/ops.def"
#undef OP
};

static const char *const type_name[IR_TYPE_COUNT] = {
	[IR_VOID] = "void", [IR_I8] = "i8",     [IR_I16] = "i16",   [IR_I32] = "i32",
	[IR_I64] = "i64",   [IR_I128] = "i128", [IR_F16] = "f16",   [IR_F32] = "f32",
	[IR_F64] = "f64",   [IR_V64] = "v64",   [IR_V128] = "v128", [IR_V256] = "v256",
	[IR_FLAGS] = "flags", [IR_HOST] = "host",
};

static const uint16_t type_bits[IR_TYPE_COUNT] = {
	[IR_I8] = 8,   [IR_I16] = 16, [IR_I32] = 32,  [IR_I64] = 64,   [IR_I128] = 128, [IR_F16] = 16,
	[IR_F32] = 32, [IR_F64] = 64, [IR_V64] = 64, [IR_V128] = 128, [IR_V256] = 256, [IR_HOST] = 64,
};

unsigned
ir_type_bits(enum ir_type type)
{
	return type_bits[type];
}

const char *
ir_type_name(enum ir_type type)
{
	return type_name[type];
}
