/* `isomorph explain`: one region, from the guest's instructions over the IR to
 * the host's, with the mapping of state between them. It shows what `run`
 * makes: same lifter, same code generator. */
#include "isomorph/explain.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "codegen/target.h"
#include "monitor/elf_file.h"
#include "monitor/monitor.h"

enum { STREAM = 256 << 10, GUEST_WIDTH = 34, IR_WIDTH = 42 };

/* Host instructions as text, by their offset in the hot code. */
struct host_line {
	uint32_t offset;
	char text[96];
};

struct host_text {
	struct host_line *line;
	unsigned count;
};

/* Reads the bytes back from objdump; without it, one line of bytes a mark. */
static void
read_objdump(struct host_text *text, const uint8_t *code, uint32_t size)
{
	char path[] = "/tmp/isomorph-explain-XXXXXX", command[256], line[512];
	int fd = mkstemp(path);
	FILE *pipe;

	text->line = calloc(size + 1, sizeof *text->line);
	if (fd < 0 || !text->line)
		return;
	if (write(fd, code, size) == (ssize_t)size) {
		snprintf(command, sizeof command,
			 "objdump -D -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s 2>/dev/null", path);
		pipe = popen(command, "r");
		while (pipe && fgets(line, sizeof line, pipe)) {
			unsigned offset;
			int start = 0;

			if (sscanf(line, " %x: %n", &offset, &start) != 1 || !start || text->count > size)
				continue;
			line[strcspn(line, "\n")] = 0;
			text->line[text->count].offset = offset;
			snprintf(text->line[text->count++].text, sizeof text->line[0].text, "%s", line + start);
		}
		if (pipe)
			pclose(pipe);
	}
	close(fd);
	unlink(path);
}

static void
put_columns(struct writer *w, const char *guest, const char *ir, const char *host)
{
	writer_put(w, "%-*s  %-*s  %s\n", GUEST_WIDTH, guest, IR_WIDTH, ir, host);
}

static const char *
host_register(const struct ir_slot *slot)
{
	static const char *const gpr[] = { "rbx", "rsi", "rdi", "r8", "r9", "r10", "r12", "r13", "r14", "r15" };
	static const char *const xmm[] = { "xmm0", "xmm1", "xmm2", "xmm3", "xmm4",  "xmm5",
					   "xmm6", "xmm7", "xmm8", "xmm9", "xmm10", "xmm11" };

	if (slot->boundary < 0)
		return NULL;
	if (slot->type >= IR_F16)
		return slot->boundary < 12 ? xmm[slot->boundary] : NULL;
	return slot->boundary < 10 ? gpr[slot->boundary] : NULL;
}

static void
put_state_map(struct writer *w, const struct ir_slots *slots)
{
	int column = 0;

	writer_put(w, "State: these guest registers live in host registers between regions;\n"
		      "the others in the frame, at rbp and an offset. rsp is the shadow stack.\n");
	for (unsigned i = 0; i < slots->count; i++) {
		const char *host = host_register(&slots->slot[i]);

		if (host)
			writer_put(w, "%6s=%-6s%s", slots->slot[i].name, host, ++column % 6 ? "" : "\n");
	}
	writer_put(w, "%s\n", column % 6 ? "\n" : "");
}

struct explained {
	struct writer w;
	struct arena arena;
	struct ir_region region;
	struct target_code code;
	struct code_mark *mark;
	struct host_text host;
	bool compiled;
};

/* Lines of host code in [from, to); the first may share its line with ir. */
static void
put_host(struct explained *x, const char *guest, const char *ir, uint32_t from, uint32_t to)
{
	bool first = true;

	for (unsigned i = 0; i < x->host.count; i++) {
		if (x->host.line[i].offset < from || x->host.line[i].offset >= to)
			continue;
		put_columns(&x->w, first ? guest : "", first ? ir : "", x->host.line[i].text);
		first = false;
	}
	if (first)
		put_columns(&x->w, guest, ir, "");
}

static void
put_ops(struct explained *x, const struct elf_file *file, const struct elf_range *range)
{
	const struct ir_region *r = &x->region;
	char guest[160] = "", ir[256];
	uint32_t mark = 0;

	for (uint32_t block = 0; block < r->block_count; block++) {
		for (uint32_t i = 0; i < r->block[block].count; i++) {
			ir_ref ref = r->block[block].first + i;
			uint32_t from = 0, to = 0;

			if (r->ins[ref].op == IR_AT) {
				uint64_t pc = r->pc + (uint64_t)r->ins[ref].imm;
				char text[128] = "";

				file->guest->disassemble(text, sizeof text, pc, range->bytes + (pc - range->address),
							 range->size - (pc - range->address));
				text_format(guest, sizeof guest, "%llx  %s", (unsigned long long)pc, text);
				continue;
			}
			ir_print_ins(r, ref, ir, sizeof ir);
			while (mark < x->code.mark_count && x->mark[mark].ref < ref)
				mark++; /* of an AT, which has no code */
			if (mark < x->code.mark_count && x->mark[mark].ref == ref) {
				from = x->mark[mark].hot;
				to = mark + 1 < x->code.mark_count ? x->mark[mark + 1].hot : x->code.hot_size;
				mark++;
			}
			put_host(x, guest, ir, from, to);
			guest[0] = 0;
		}
	}
}

static bool
compile_region(struct explained *x, uint8_t *memory)
{
	const struct target *target = target_host();
	struct code_stream hot = { memory + 64, memory + STREAM };
	struct code_stream cold = { memory + STREAM, memory + 2 * STREAM };
	struct target_job job = {
		.region = &x->region, .hot = &hot, .cold = &cold, .arena = &x->arena,
		.anchor_slot = memory, .guest_base_zero = true,
	};

	if (!target)
		return false;
	x->mark = arena_alloc(&x->arena, x->region.ins_count * sizeof *x->mark);
	job.mark = x->mark;
	if (target->compile(&job, &x->code) != TARGET_OK)
		return false;
	read_objdump(&x->host, memory + 64 + x->code.entry, x->code.hot_size);
	return true;
}

static int
find_place(const struct elf_file *file, const char *path, const char *where, uint64_t *address,
	   struct elf_range *range)
{
	char *end;

	*address = file->header->e_entry;
	if (where && !elf_file_symbol(file, where, address)) {
		*address = strtoull(where, &end, 16);
		if (*end || end == where) {
			log_line(LOG_ERROR, "%s has no symbol `%s`; give one of its symbols or a hexadecimal address",
				 path, where);
			return 2;
		}
	}
	if (!elf_file_at(file, *address, range)) {
		log_line(LOG_ERROR, "%s has no code at 0x%llx", path, (unsigned long long)*address);
		return 2;
	}
	return 0;
}

int
isomorph_explain(const char *path, const char *where, int fd)
{
	static struct explained explained;
	struct explained *x = &explained;
	struct elf_file file;
	struct elf_range range;
	struct error error = { 0 };
	uint64_t address;
	uint8_t *memory = pages_alloc(2 * STREAM);
	int code = elf_file_open(&file, path, &error);

	if (code) {
		log_line(LOG_ERROR, "%s", error.text);
		goto out;
	}
	code = find_place(&file, path, where, &address, &range);
	if (code)
		goto close;
	struct guest_lift_limits limits = { .insns = 64,
					    .code = range.bytes + (address - range.address),
					    .readable = range.size - (address - range.address) };

	x->w.fd = fd;
	if (file.guest->lift(&x->region, &x->arena, address, 0, &limits) < 0) {
		log_line(LOG_ERROR, "%s: the code at 0x%llx cannot be lifted", path, (unsigned long long)address);
		code = 2;
		goto close;
	}
	x->region.helpers = file.guest->helpers;
	x->region.helper_count = file.guest->helper_count;
	x->compiled = compile_region(x, memory);
	writer_put(&x->w, "%s %s: the region at 0x%llx, %u instructions, %u bytes", file.guest->name, path,
		   (unsigned long long)address, x->region.insns, x->region.bytes);
	if (x->compiled)
		writer_put(&x->w, "; %u bytes of host code, %u more for exits\n\n", x->code.hot_size, x->code.cold_size);
	else
		writer_put(&x->w, "; no host code: it is interpreted\n\n");
	put_state_map(&x->w, file.guest->slots);
	put_columns(&x->w, "guest", "IR", x->host.count ? "host" : "host (install binutils to see it)");
	put_ops(x, &file, &range);
	writer_flush(&x->w);
	free(x->host.line);
	arena_fini(&x->arena);
close:
	elf_file_close(&file);
out:
	pages_free(memory, 2 * STREAM);
	return code;
}
