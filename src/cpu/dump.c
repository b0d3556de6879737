/* What -d prints of a region: guest code and IR, to the log's descriptor, one
 * write a piece. */
#include "base/raw.h"
#include "cpu/cpu_impl.h"

#include <string.h>
#include <sys/syscall.h>

#define DUMP_SIZE (256u << 10)

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
