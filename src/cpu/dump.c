/* What -d prints of a region: guest code, IR, where values are and host code, to
 * the log's descriptor, one write a piece. */
#include "base/raw.h"
#include "cpu/cpu_impl.h"

#include <string.h>
#include <sys/syscall.h>

#define DUMP_SIZE (256u << 10)
#define MARK_ROOM 4096u /* what the line of one op may take */

void
cpu_dump_text(const char *title, const char *text)
{
	char line[160];
	int length = text_format(line, sizeof line, "---- %s\n", title);

	RAW3(SYS_write, log_fd(), line, length);
	for (size_t left = strlen(text); left;) {
		long wrote = RAW3(SYS_write, log_fd(), text, left);

		if (raw_failed(wrote))
			return;
		text += wrote;
		left -= (size_t)wrote;
	}
}

/* One line an instruction: address, bytes, text. */
static void
guest_text(const struct guest *guest, const struct lifted *lifted, char *text, size_t size)
{
	size_t at = 0, used = 0;

	text[0] = 0;
	while (at < lifted->region.bytes && used < size) {
		char insn[128];
		int length = guest->disassemble(insn, sizeof insn, lifted->region.pc + at,
						lifted->code + at, lifted->code_size - at);

		if (length <= 0)
			break;
		used += (size_t)text_format(text + used, size - used, "%12lx  %s\n",
					    (unsigned long)(lifted->region.pc + at), insn);
		at += (size_t)length;
	}
}

void
cpu_dump_lifted(struct vcpu *vcpu, const struct lifted *lifted)
{
	if (UNLIKELY(vcpu->options->dump & (CPU_DUMP_GUEST | CPU_DUMP_LIFT)))
		cpu_dump_region(vcpu, lifted, vcpu->options->dump);
}

void
cpu_dump_region(struct vcpu *vcpu, const struct lifted *lifted, unsigned dump)
{
	char *text = pages_alloc(DUMP_SIZE);

	if (!text)
		return;
	if (dump & CPU_DUMP_GUEST) {
		guest_text(vcpu->space->guest, lifted, text, DUMP_SIZE);
		cpu_dump_text("guest", text);
	}
	if (dump & CPU_DUMP_LIFT) {
		ir_print(&lifted->region, text, DUMP_SIZE);
		cpu_dump_text("lift", text);
	}
	pages_free(text, DUMP_SIZE);
}

/* One line an op: the IR, where its value is after it, its bytes. */
static size_t
mark_text(const struct lifted *lifted, const struct code_mark *mark, const uint8_t *code, uint32_t size,
	  unsigned dump, char *text, size_t room)
{
	char ir[256];
	size_t used;

	ir_print_ins(&lifted->region, mark->ref, ir, sizeof ir);
	used = (size_t)text_format(text, room, "  %-44s", ir);
	if (dump & CPU_DUMP_REGALLOC)
		used += (size_t)text_format(text + used, room - used, " %-6s", mark->where);
	for (uint32_t i = 0; dump & CPU_DUMP_EMIT && i < size; i++)
		used += (size_t)text_format(text + used, room - used, " %02x", code[i]);
	while (text[used - 1] == ' ')
		used--;
	return used + (size_t)text_format(text + used, room - used, "\n");
}

void
cpu_dump_code(const struct lifted *lifted, const struct target_code *code, const struct code_mark *mark,
	      const uint8_t *hot, unsigned dump)
{
	char *text = pages_alloc(DUMP_SIZE);
	size_t used;

	if (!text)
		return;
	used = (size_t)text_format(text, DUMP_SIZE, "region 0x%lx: ", (unsigned long)lifted->region.pc);
	if (code)
		used += (size_t)text_format(text + used, DUMP_SIZE - used, "%u bytes hot, %u cold\n",
					    code->hot_size, code->cold_size);
	else
		text_format(text + used, DUMP_SIZE - used, "no host code, it is interpreted\n");
	for (uint32_t i = 0; code && i < code->mark_count && used < DUMP_SIZE - MARK_ROOM; i++) {
		uint32_t end = i + 1 < code->mark_count ? mark[i + 1].hot : code->hot_size;

		used += mark_text(lifted, &mark[i], hot + mark[i].hot, end - mark[i].hot, dump, text + used,
				  DUMP_SIZE - used);
	}
	cpu_dump_text(dump & CPU_DUMP_EMIT ? "emit" : "regalloc", text);
	pages_free(text, DUMP_SIZE);
}
