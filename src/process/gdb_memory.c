/* Memory as a debugger sees and changes it, and the breakpoints in it. */
#include "process/gdb_impl.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include "process/space_impl.h"

size_t
gdb_peek(struct gdb *gdb, uint64_t address, void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		size_t piece = PAGE - (size_t)((address + done) & (PAGE - 1));

		if (piece > size - done)
			piece = size - done;
		if (mem_read(gdb->server, (char *)data + done, address + done, piece))
			break;
		done += piece;
	}
	return done;
}

/* Within one page. */
static int
poke_page(struct gdb *gdb, uint64_t address, const void *data, size_t size)
{
	struct process *process = gdb->process;
	uint64_t page = align_down(address, PAGE);
	void *host = guest_pointer(process, page);
	struct mapping mapping;
	int result;

	if (!space_find(process->space, address, &mapping))
		return -EFAULT;
	space_unwatch(process->space, page, PAGE);
	if (!(mapping.prot & PROT_WRITE) && RAW3(SYS_mprotect, host, PAGE, PROT_READ | PROT_WRITE))
		return -EFAULT;
	result = mem_write(gdb->server, address, data, size);
	if (!(mapping.prot & PROT_WRITE))
		RAW3(SYS_mprotect, host, PAGE, space_host_prot(mapping.prot));
	cpu_invalidate(&process->cpu_space, page, page + PAGE);
	return result;
}

int
gdb_poke(struct gdb *gdb, uint64_t address, const void *data, size_t size)
{
	while (size) {
		size_t piece = PAGE - (size_t)(address & (PAGE - 1));
		int result;

		if (piece > size)
			piece = size;
		result = poke_page(gdb, address, data, piece);
		if (result)
			return result;
		address += piece;
		data = (const char *)data + piece;
		size -= piece;
	}
	return 0;
}

/* ---- breakpoints -------------------------------------------------------- */

static struct gdb_breakpoint *
find(const struct gdb *gdb, uint64_t address)
{
	for (unsigned i = 0; i < gdb->slots; i++)
		if (gdb->breakpoint[i].size && gdb->breakpoint[i].address == address)
			return (struct gdb_breakpoint *)&gdb->breakpoint[i];
	return NULL;
}

bool
gdb_has_breakpoint(const struct gdb *gdb, uint64_t address)
{
	return find(gdb, address);
}

static bool
put_in(struct gdb *gdb, struct gdb_breakpoint *b)
{
	uint32_t trap = gdb->process->abi->debug->trap(b->size);

	if (b->in)
		return true;
	b->in = gdb_peek(gdb, b->address, b->original, b->size) == b->size && !gdb_poke(gdb, b->address, &trap, b->size);
	return b->in;
}

static void
take_out(struct gdb *gdb, struct gdb_breakpoint *b)
{
	if (b->in)
		gdb_poke(gdb, b->address, b->original, b->size);
	b->in = false;
}

bool
gdb_insert(struct gdb *gdb, uint64_t address, unsigned size)
{
	struct gdb_breakpoint *b = find(gdb, address);
	unsigned i;

	if (b)
		return true;
	if (!gdb->process->abi->debug->trap(size))
		return false;
	for (i = 0; i < gdb->slots && gdb->breakpoint[i].size; i++)
		;
	if (i == BREAKPOINTS_MAX)
		return false;
	b = &gdb->breakpoint[i];
	*b = (struct gdb_breakpoint){ .address = address, .size = size };
	if (i == gdb->slots)
		gdb->slots++;
	if (put_in(gdb, b))
		return true;
	b->size = 0;
	return false;
}

bool
gdb_remove(struct gdb *gdb, uint64_t address)
{
	struct gdb_breakpoint *b = find(gdb, address);

	if (!b)
		return false;
	take_out(gdb, b);
	b->size = 0;
	return true;
}

void
gdb_breakpoints(struct gdb *gdb, bool in)
{
	for (unsigned i = 0; i < gdb->slots; i++) {
		struct gdb_breakpoint *b = &gdb->breakpoint[i];

		if (b->size && in)
			put_in(gdb, b);
		else if (b->size)
			take_out(gdb, b);
	}
}
