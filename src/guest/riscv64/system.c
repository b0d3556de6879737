/* The riscv64 guest's system level: how a hart leaves reset and firmware, and
 * what its whole state is. */
#include "guest/riscv64/privileged.h"

/* What the lifters know (insns.def), and the extensions of the system level.
 * Svade is what menvcfg.ADUE = 0 means; it is not named, so that a kernel takes
 * Svadu for being on where firmware() handed over. Svvptc: walks read memory each
 * time, and what they did not find is not remembered. */
#define EXTENSIONS \
	"i m a f d c zicbom zicbop zicboz zicntr zicond zicsr zifencei zihintntl zihintpause zimop zawrs " \
	"zfa zfhmin zcb zcmop zba zbb zbc zbs sstc svadu svinval svnapot svpbmt svvptc"

/* ---- reset --------------------------------------------------------------- */

/* The manual (3.4) leaves most CSRs open; here they are zero. */
static void
reset(struct ir_frame *frame)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	*s = (struct riscv64_state){ .mstatus = STATUS_UXL_64 | STATUS_SXL_64,
				     .stimecmp = UINT64_MAX,
				     .limit = UINT64_MAX,
				     .privilege = RISCV64_MACHINE,
				     .counts = frame->env->counts };
	frame->fp_flags = 0;
	frame->fp_round = IR_RNE;
	frame->link_address = IR_LINK_NONE;
	frame->link_value = 0;
	riscv64_pmp_update(s);
	frame->env->flush(frame->env, false, 0, false, 0, true);
	riscv64_timer_update(frame);
	riscv64_changed(frame);
}

/* As SBI implementations leave it: all of memory open, everything delegated but
 * the calls, counters and environments granted. */
static void
firmware(struct ir_frame *frame)
{
	enum { PMP_ALL = 0x1f, ECALL_FROM_S = CAUSE_ECALL + RISCV64_SUPERVISOR };
	struct riscv64_state *s = riscv64_state_of(frame);

	s->firmware = true;
	s->privilege = RISCV64_SUPERVISOR;
	s->fs = STATUS_FS_DIRTY;
	s->medeleg = MEDELEG_WRITABLE & ~RV_BIT(ECALL_FROM_S);
	s->mideleg = IP_SUPERVISOR;
	s->mcounteren = s->scounteren = RV_BIT(COUNTER_CYCLE) | RV_BIT(COUNTER_TIME) | RV_BIT(COUNTER_INSTRET);
	s->menvcfg = MENVCFG_STCE | MENVCFG_PBMTE | MENVCFG_ADUE | SENVCFG_WRITABLE;
	s->pmpaddr[0] = RV_BIT(54) - 1;
	s->pmpcfg[0] = PMP_ALL;
	riscv64_pmp_update(s);
	riscv64_timer_update(frame);
	riscv64_changed(frame);
}

static uint32_t
asid(const struct ir_frame *frame)
{
	return SATP_ASID(riscv64_state_read(frame)->satp);
}

static uint64_t
instructions_left(const struct ir_frame *frame)
{
	const struct riscv64_state *s = riscv64_state_read(frame);

	return s->limit - s->retired;
}

static void
allow_instructions(struct ir_frame *frame, uint64_t count)
{
	struct riscv64_state *s = riscv64_state_of(frame);

	s->limit = s->retired + count;
}

static struct guest_fault
misaligned(uint64_t address, enum guest_access access)
{
	unsigned cause = access & GUEST_WRITE ? CAUSE_STORE_MISALIGNED : CAUSE_LOAD_MISALIGNED;

	return (struct guest_fault){ cause, address };
}

/* ---- state --------------------------------------------------------------- */

static void
registers_state(struct ir_frame *frame, struct state *s)
{
	struct riscv64_state *r = riscv64_state_of(frame);
	char name[] = "x00";

	state_u64(s, "pc", &frame->pc);
	for (unsigned i = 1; i < 64; i++) {
		name[0] = i < 32 ? 'x' : 'f';
		name[1] = (char)('0' + i % 32 / 10);
		name[2] = (char)('0' + i % 32 % 10);
		state_u64(s, name, i < 32 ? &r->x[i] : &r->f[i - 32]);
	}
	state_u32(s, "fflags", &frame->fp_flags);
	state_u32(s, "frm", &frame->fp_round);
	state_u64(s, "link_address", &frame->link_address);
	state_u64(s, "link_value", &frame->link_value);
	state_u8(s, "privilege", &r->privilege);
	state_bool(s, "firmware", &r->firmware);
}

static void
traps_state(struct riscv64_state *r, struct state *s)
{
	state_u64(s, "mstatus", &r->mstatus);
	state_u64(s, "fs", &r->fs);
	state_u64(s, "stvec", &r->stvec);
	state_u64(s, "sscratch", &r->sscratch);
	state_u64(s, "sepc", &r->sepc);
	state_u64(s, "scause", &r->scause);
	state_u64(s, "stval", &r->stval);
	state_u64(s, "mtvec", &r->mtvec);
	state_u64(s, "mscratch", &r->mscratch);
	state_u64(s, "mepc", &r->mepc);
	state_u64(s, "mcause", &r->mcause);
	state_u64(s, "mtval", &r->mtval);
	state_u64(s, "mip", &r->mip);
	state_u64(s, "mie", &r->mie);
	state_u64(s, "medeleg", &r->medeleg);
	state_u64(s, "mideleg", &r->mideleg);
}

static void
others_state(struct riscv64_state *r, struct state *s, unsigned version)
{
	state_u64(s, "satp", &r->satp);
	state_u64(s, "menvcfg", &r->menvcfg);
	state_u64(s, "senvcfg", &r->senvcfg);
	state_u64(s, "mcounteren", &r->mcounteren);
	state_u64(s, "scounteren", &r->scounteren);
	state_u64(s, "stimecmp", &r->stimecmp);
	state_u64(s, "mcountinhibit", &r->mcountinhibit);
	state_u64(s, "mcycle", &r->mcycle.ahead);
	state_u64(s, "mcycle_last", &r->mcycle.last);
	state_u64(s, "mcycle_fresh", &r->mcycle.fresh);
	state_u64(s, "minstret", &r->minstret.ahead);
	state_u64(s, "minstret_last", &r->minstret.last);
	state_u64(s, "minstret_fresh", &r->minstret.fresh);
	state_u64(s, "retired", &r->retired);
	state_bytes(s, "pmpcfg", r->pmpcfg, sizeof r->pmpcfg);
	state_bytes(s, "pmpaddr", r->pmpaddr, sizeof r->pmpaddr);
	if (version < 3)
		return;
	state_u64(s, "miselect", &r->miselect);
	state_u64(s, "siselect", &r->siselect);
}

/* Restored values that no write could have made. */
static void
check_state(struct riscv64_state *r, struct state *s)
{
	unsigned mode = SATP_MODE(r->satp);

	state_check(s, r->privilege < RISCV64_MACHINE + 1 && r->privilege != 2, "privilege");
	state_check(s, (r->mstatus & STATUS_MPP) >> STATUS_MPP_SHIFT != 2, "mstatus.MPP");
	state_check(s, riscv64_satp_mode_is(r, mode), "satp.MODE");
}

static void
state(struct ir_frame *frame, struct state *s)
{
	struct riscv64_state *r = riscv64_state_of(frame);
	unsigned version;

	version = state_begin(s, "riscv64", 3);
	registers_state(frame, s);
	traps_state(r, s);
	others_state(r, s, version);
	if (state_way(s) == STATE_RESTORE)
		check_state(r, s);
	state_end(s);
	if (state_way(s) != STATE_RESTORE)
		return;
	riscv64_pmp_update(r);
	frame->env->flush(frame->env, false, 0, false, 0, true);
	if (r->menvcfg & MENVCFG_STCE)
		riscv64_timer_update(frame);
	riscv64_changed(frame);
}

const struct guest_system guest_riscv64_system = {
	.timebase_hz = RISCV64_SYSTEM_TIMEBASE_HZ,
	.private_regimes = 1 << REGIME_USER | 1 << REGIME_USER_MXR,
	.user_mode_mask = RISCV64_MODE_SYSTEM | RISCV64_MODE_PRIVILEGE,
	.user_mode = RISCV64_MODE_SYSTEM | RISCV64_USER << RISCV64_MODE_PRIVILEGE_SHIFT,
	.base = "rv64i",
	.extensions = EXTENSIONS,
	.reset = reset,
	.firmware = firmware,
	.data_regime = riscv64_data_regime,
	.fetch_regime = riscv64_fetch_regime,
	.asid = asid,
	.instructions_left = instructions_left,
	.allow_instructions = allow_instructions,
	.walk = riscv64_walk,
	.access_fault = riscv64_access_fault,
	.misaligned = misaligned,
	.trap = riscv64_trap,
	.deliver = riscv64_deliver,
	.interrupt = riscv64_interrupt,
	.awake = riscv64_awake,
	.set_input = riscv64_set_input,
	.restore = riscv64_restore,
	.set_timer = riscv64_set_timer,
	.execute = riscv64_execute,
	.state = state,
};
