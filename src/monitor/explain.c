/* `isomorph explain`: one region, from the guest's instructions over the IR to
 * the host's, with the mapping of state between them. It shows what `run`
 * makes: same lifter, same code generator. */
#include "isomorph/explain.h"

#include <stdlib.h>
#include <string.h>

#include "codegen/target.h"
#include "monitor/elf_file.h"
#include "monitor/host_text.h"
#include "monitor/monitor.h"

enum { STREAM = 256 << 10, GUEST_WIDTH = 30, IR_WIDTH = 32 };

static void
put_columns(struct writer *w, const char *guest, const char *ir, const char *host)
{
	if (*host)
		writer_put(w, "%-*s  %-*s  %s\n", GUEST_WIDTH, guest, IR_WIDTH, ir, host);
	else
		writer_put(w, "%-*s  %s\n", GUEST_WIDTH, guest, ir);
}

static void
put_state_map(struct writer *w, const struct ir_slots *slots)
{
	const struct target *target = target_host();
	int column = 0;

	if (!target)
		return;
	writer_put(w, "State: these guest registers live in host registers between regions;\n"
		      "the others in the frame, at rbp and an offset. rsp is the shadow stack.");
	for (unsigned i = 0; i < slots->count; i++) {
		const char *host = target->home(&slots->slot[i]);

		if (host)
			writer_put(w, "%s%6s=%-5s", column++ % 6 ? "" : "\n", slots->slot[i].name, host);
	}
	writer_put(w, "\n\n");
}

struct explained {
	struct writer w;
	struct arena arena;
	struct ir_region region;
	struct target_code code;
	struct code_mark *mark;
	uint8_t *hot, *cold; /* their first bytes */
	struct host_text host, cold_text;
	bool compiled;
};

/* Lines of host code in [from, to); the first may share its line with ir. */
static void
put_host(struct explained *x, const char *guest, const char *ir, uint32_t from, uint32_t to)
{
	char bytes[100] = "";
	bool first = true;

	for (uint32_t i = from, used = 0; !x->host.count && i < to && used < sizeof bytes; i++)
		used += (uint32_t)text_format(bytes + used, sizeof bytes - used, "%02x ", x->hot[i]);
	for (unsigned i = 0; i < x->host.count; i++) {
		if (x->host.line[i].offset < from || x->host.line[i].offset >= to)
			continue;
		put_columns(&x->w, first ? guest : "", first ? ir : "", x->host.line[i].text);
		first = false;
	}
	if (first)
		put_columns(&x->w, guest, ir, bytes);
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
				for (char *tab = text; (tab = strchr(tab, '\t'));)
					*tab = ' ';
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

/* The cold code as text: records, which are data in it, read as one-byte nops. */
static void
read_cold(struct explained *x, const struct host_map *map)
{
	uint8_t *code = arena_alloc(&x->arena, x->code.cold_size + sizeof(struct code_exit));

	memcpy(code, x->cold, x->code.cold_size);
	for (uint32_t i = 0; i < x->code.exit_count; i++)
		memset(code + x->code.exit[i], 0x90, sizeof(struct code_exit));
	host_text_read(&x->cold_text, code, x->code.cold_size, map->cold, map);
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
	job.mark = x->mark = arena_alloc(&x->arena, x->region.ins_count * sizeof *x->mark);
	if (target->compile(&job, &x->code) != TARGET_OK)
		return false;
	x->hot = memory + 64 + x->code.entry;
	x->cold = memory + STREAM;
	struct host_map map = { .anchor = memory - x->hot, .cold = (uint32_t)(x->cold - x->hot), .exits = x->code.exit,
				.exit_count = x->code.exit_count, .record_size = sizeof(struct code_exit), .objdump = target->objdump };

	host_text_read(&x->host, x->hot, x->code.hot_size, 0, &map);
	read_cold(x, &map);
	return true;
}

static const char *
exit_name(unsigned kind)
{
	static const char *const name[] = {
		[IR_EXIT_JUMP] = "jump",	   [IR_EXIT_CALL] = "call",
		[IR_EXIT_INDIRECT] = "indirect jump", [IR_EXIT_ICALL] = "indirect call",
		[IR_EXIT_RETURN] = "return",	   [IR_EXIT_TRAP] = "trap",
		[IR_EXIT_LOOKUP] = "lookup",	   [CODE_EXIT_POLL] = "poll, then",
		[CODE_EXIT_CHECK] = "trap before", [CODE_EXIT_INTERPRET] = "rare case, interpreted",
		[CODE_EXIT_HOT] = "a loop, when hot, of",
		[CODE_EXIT_APART] = "end of a page, then", [CODE_EXIT_WANDER] = "a place that wanders, then",
	};

	return kind < ARRAY_LEN(name) && name[kind] ? name[kind] : "exit";
}

/* Each exit: what its record says, and the code of its stub. */
static void
put_exits(struct explained *x)
{
	uint32_t cold = (uint32_t)(x->cold - x->hot);

	for (uint32_t i = 0; i < x->code.exit_count; i++) {
		const struct code_exit *record = (const void *)(x->cold + x->code.exit[i]);
		uint32_t from = cold + x->code.exit[i] + (uint32_t)sizeof *record;
		uint32_t to = i + 1 < x->code.exit_count ? cold + x->code.exit[i + 1] : cold + x->code.cold_size;

		writer_put(&x->w, "%sexit %u: %s", i ? "" : "\n", i + 1, exit_name(record->kind));
		if (record->kind != IR_EXIT_RETURN && record->kind != IR_EXIT_INDIRECT && record->kind != IR_EXIT_ICALL)
			writer_put(&x->w, " 0x%llx",
				   (unsigned long long)(x->region.pc + (uint64_t)(int64_t)record->target));
		writer_put(&x->w, ", after %u instructions", record->retired);
		if (record->patch)
			writer_put(&x->w, "; chained by the jump's distance at %s0x%llx",
				   record->patch + (int64_t)x->code.exit[i] < 0 ? "hot+" : "cold+",
				   (unsigned long long)(record->patch + (int64_t)x->code.exit[i] +
							(record->patch + (int64_t)x->code.exit[i] < 0 ? cold : 0)));
		writer_put(&x->w, "\n");
		for (unsigned n = 0; n < x->cold_text.count; n++) {
			const struct host_line *line = &x->cold_text.line[n];

			if (line->offset >= from && line->offset < to && strncmp(line->text, "nop", 3) != 0 &&
			    strncmp(line->text, "xchg   ax,ax", 12) != 0)
				writer_put(&x->w, "  cold+0x%02x  %s\n", line->offset - cold, line->text);
		}
	}
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
	put_columns(&x->w, "guest", "IR", x->host.count ? "host" : "host (as bytes: binutils is not installed)");
	put_ops(x, &file, &range);
	put_exits(x);
	writer_flush(&x->w);
	host_text_fini(&x->host);
	host_text_fini(&x->cold_text);
	if (x->w.failed)
		code = 125;
	arena_fini(&x->arena);
close:
	elf_file_close(&file);
out:
	pages_free(memory, 2 * STREAM);
	return code;
}
