/* The words of the IR's text for what aux holds. One line a field: its lowest
 * bit, how many bits, whether it is written even if zero, the names of its
 * values from zero up. Fields are written and read in the order of the lines;
 * a reader skips the ones whose word is not there, so fields that are not
 * needed must not share a word with one after them.
 */
#include "ir/text_impl.h"

static const char *const type[] = {
	NULL,  "i8",  "i16", "i32", "i64",  "i128", "f16",
	"f32", "f64", "v64", "v128", "v256",
};
_Static_assert(ARRAY_LEN(type) == IR_V256 + 1, "types that memory and lanes have");

static const char *const cond[] = {
	"eq",  "ne",  "slt", "sle", "sgt", "sge", "ult", "ule", "ugt",
	"uge", "mi",  "pl",  "vs",  "vc",  "cs",  "cc",  "pe",  "po",
};
_Static_assert(ARRAY_LEN(cond) == IR_PO + 1, "conditions");

static const char *const divide[] = { NULL, "arm" };
static const char *const polynomial[] = { NULL, "castagnoli" };
static const char *const carry[] = { NULL, "not_borrow" };
static const char *const flag_n[] = { NULL, "n" }, *const flag_z[] = { NULL, "z" };
static const char *const flag_c[] = { NULL, "c" }, *const flag_v[] = { NULL, "v" };
static const char *const flag_p[] = { NULL, "p" }, *const flag_a[] = { NULL, "a" };

static const char *const access[] = { NULL, "r", "w", "rw" };
static const char *const align[] = {
	NULL,        "align2",    "align4",    "align8",    "align16",  "align32",
	"align64",   "align128",  "align256",  "align512",  "align1024", "align2048",
	"align4096", "align8192", "align16384", "align32768",
};
static const char *const is_signed[] = { NULL, "signed" };
static const char *const order[] = { NULL, "acquire", "release", "acq_rel", "seq_cst" };
static const char *const rmw[] = {
	"xchg", "add", "and", "or", "xor", "smin", "smax", "umin", "umax", "andn",
};
static const char *const fence[] = {
	"none", "w",  "r",  "rw",  "o",  "ow",  "or",  "orw",
	"i",    "iw", "ir", "irw", "io", "iow", "ior", "iorw",
};

static const char *const rounding[] = { NULL, "rtz", "rdn", "rup", "rmm", "rod", NULL, "dyn" };
static const char *const nan_rule[] = { NULL, "nan_arm", "nan_arm_default", "nan_x86" };
static const char *const no_flags[] = { NULL, "noflags" };
static const char *const tiny[] = { NULL, "tiny_before" };
static const char *const flush[] = { NULL, "flush" };
static const char *const neg_product[] = { NULL, "neg_product" };
static const char *const neg_addend[] = { NULL, "neg_addend" };
static const char *const minmax[] = { NULL, "propagate", "minmax_x86" };
static const char *const relation[] = { "eq", "lt", "le", "unord" };
static const char *const signaling[] = { NULL, "signaling" };
static const char *const ucomis[] = { NULL, "ucomis" };
static const char *const int_rule[] = { NULL, "int_arm", "int_x86", "modular" };
static const char *const inexact[] = { NULL, "inexact" };
static const char *const int_range[] = { NULL, "to_i32", "to_i64" };
static const char *const alternative[] = { NULL, "alternative" };
static const char *const float_lane[] = { NULL, "f16", "f32", "f64" };
static const char *const rounds[] = { NULL, "round" };
static const char *const saturates[] = { NULL, "saturate" };
static const char *const overflow[] = { NULL, "overflow" };
static const char *const subtracts[] = { NULL, "subtract" };
static const char *const reduce[] = { "add", "smin", "smax", "umin", "umax" };
static const char *const sha1[] = { "c", "p", "m" };
static const char *const sign_of[] = { NULL, "not", "xor" };

const char *const text_fixup[] = { NULL, "box", "canon", "sext32", "zext32", "flags" };
const char *const text_trap[] = {
	NULL,         "illegal",     "breakpoint",  "syscall", "misaligned",
	"read_fault", "write_fault", "fetch_fault", "divide", "system",
};
const char *const text_exit[] = { "jump", "call", "indirect", "icall", "return", "trap", "lookup" };

#define FIELD(shift, bits, needed, names) { shift, bits, needed, ARRAY_LEN(names), names }
#define FIRST(shift, bits, needed, names, count) { shift, bits, needed, count, names }
#define MEMORY FIELD(0, 4, false, type), FIELD(4, 1, false, is_signed), FIELD(5, 3, false, order)
#define FLOAT \
	FIELD(0, 3, false, rounding), FIELD(3, 2, false, nan_rule), FIELD(5, 1, false, no_flags), \
		FIELD(6, 1, false, tiny), FIELD(7, 1, false, flush)
#define FLOAT_LANE FIELD(14, 2, true, float_lane), FLOAT
enum { VARIANT = IR_FP_VARIANT };

const struct text_field text_field[IR_AUX_COUNT][TEXT_FIELDS] = {
	[IR_AUX_TYPE] = { FIRST(0, 16, true, type, IR_I128 + 1) },
	[IR_AUX_LANE] = { FIRST(0, 16, false, type, IR_F64 + 1) },
	[IR_AUX_DIVIDE] = { FIELD(0, 1, false, divide) },
	[IR_AUX_POLY] = { FIELD(0, 1, false, polynomial) },
	[IR_AUX_COND] = { FIRST(0, 16, true, cond, IR_UGE + 1) },
	[IR_AUX_FLAGCOND] = { FIELD(0, 16, true, cond) },
	[IR_AUX_CARRY] = { FIELD(0, 1, false, carry) },
	[IR_AUX_FLAGS] = { FIELD(0, 1, false, flag_n), FIELD(1, 1, false, flag_z),
			   FIELD(2, 1, false, flag_c), FIELD(3, 1, false, flag_v),
			   FIELD(4, 1, false, flag_p), FIELD(5, 1, false, flag_a) },
	[IR_AUX_XLATE] = { FIELD(0, 2, true, access), FIELD(4, 4, false, align) },
	[IR_AUX_MEM] = { MEMORY },
	[IR_AUX_RMW] = { FIELD(8, 4, true, rmw), MEMORY },
	[IR_AUX_FENCE] = { FIELD(0, 4, true, fence), FIELD(4, 4, true, fence) },
	[IR_AUX_TRAP] = { FIELD(0, 16, true, text_trap) },
	[IR_AUX_FP] = { FLOAT },
	[IR_AUX_FMA] = { FLOAT, FIELD(VARIANT, 1, false, neg_product),
			 FIELD(VARIANT + 1, 1, false, neg_addend) },
	[IR_AUX_FMINMAX] = { FLOAT, FIELD(VARIANT, 2, false, minmax) },
	[IR_AUX_FCMP] = { FIELD(VARIANT, 2, true, relation), FLOAT,
			  FIELD(VARIANT + 3, 1, false, signaling) },
	[IR_AUX_FLAGSFCMP] = { FLOAT, FIELD(VARIANT + 3, 1, false, signaling),
			       FIELD(VARIANT + 4, 1, false, ucomis) },
	[IR_AUX_F2I] = { FLOAT, FIELD(VARIANT, 2, false, int_rule),
			 FIELD(VARIANT + 2, 1, false, is_signed) },
	[IR_AUX_I2F] = { FLOAT, FIELD(VARIANT, 1, false, is_signed) },
	[IR_AUX_FRINT] = { FLOAT, FIELD(VARIANT, 1, false, inexact), FIELD(VARIANT + 1, 2, false, int_range) },
	[IR_AUX_FCVT] = { FLOAT, FIELD(VARIANT, 1, false, alternative) },
	[IR_AUX_FSGNJ] = { FIELD(0, 2, false, sign_of) },
	[IR_AUX_LANEX] = { FIRST(0, 4, true, type, IR_I64 + 1), FIELD(4, 1, false, is_signed),
			   FIELD(5, 1, false, rounds), FIELD(6, 1, false, saturates),
			   FIELD(7, 1, false, overflow), FIELD(8, 1, false, subtracts) },
	[IR_AUX_REDUCE] = { FIELD(4, 3, true, reduce), FIRST(0, 4, true, type, IR_I64 + 1) },
	[IR_AUX_SHA1] = { FIELD(0, 2, true, sha1) },
	[IR_AUX_VFP] = { FLOAT_LANE },
	[IR_AUX_VFMA] = { FLOAT_LANE, FIELD(VARIANT, 1, false, neg_product),
			  FIELD(VARIANT + 1, 1, false, neg_addend) },
	[IR_AUX_VFMINMAX] = { FLOAT_LANE, FIELD(VARIANT, 2, false, minmax) },
	[IR_AUX_VFCMP] = { FIELD(VARIANT, 2, true, relation), FLOAT_LANE,
			   FIELD(VARIANT + 3, 1, false, signaling) },
	[IR_AUX_VF2I] = { FLOAT_LANE, FIELD(VARIANT, 2, false, int_rule),
			  FIELD(VARIANT + 2, 1, false, is_signed) },
	[IR_AUX_VI2F] = { FLOAT_LANE, FIELD(VARIANT, 1, false, is_signed) },
	[IR_AUX_VFCVT] = { FLOAT_LANE, FIELD(VARIANT, 1, false, alternative) },
	[IR_AUX_VFRINT] = { FLOAT_LANE, FIELD(VARIANT, 1, false, inexact),
			    FIELD(VARIANT + 1, 2, false, int_range) },
};
