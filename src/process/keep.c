/* Translations kept from run to run: for each file whose code is mapped a store
 * (store/store.h), which the engine asks and fills.
 *
 * A file is known by its size and its first page, in which an ELF file has its
 * headers and, as linkers write them, a build ID: so a copy of it, in another layer
 * of a container, is the same, and no large file is read to know it. That is only
 * where to look: what is found is used if the guest's code is the code that it was
 * made of, byte for byte (cpu/translate/keep.c).
 *
 * With tier 2 nothing is kept: code then counts jumps back by where they lie, and
 * which loops it has taken over is of the moment.
 *
 * None of it for a program with more rights than its user (AT_SECURE), nor while a
 * process has several threads: these may tell from the number that open gives them
 * that somebody else has a descriptor.
 */
#include "process/process_impl.h"

#include "codegen/target.h"
#include "host/build.h"

#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define HEAD 4096u /* bytes of a file that it is known by */

struct keep_file {
	uint64_t device, inode;
	struct store *store;
};

/* What code depends on beside the guest's code and the mode key. */
static uint64_t
key_of(const struct process *process)
{
	const struct cpu_options *o = &process->cpu_options;
	const struct target *target = target_host();
	const uint8_t *id;
	size_t size = host_build_id(&id);
	const uint64_t rest[] = { target ? target->features() : 0, process->guest->elf_machine, o->baseline, o->max_insns,
				  process->guest_base == 0 };

	if (!size || !target)
		return 0;
	return store_hash(rest, sizeof rest, store_hash(id, size, 0)) | 1;
}

/* Whether this process does what kept translations are for. */
static bool
may_keep(const struct process *process)
{
	const struct cpu_options *o = &process->cpu_options;

	return !getauxval(AT_SECURE) && !process->options->gdb && o->accel != CPU_ACCEL_INTERPRET && o->tier != 2 &&
	       !o->dump && !o->force_faults;
}

/* On libc's own thread. */
void
keep_init(struct process *process)
{
	struct store_home *home = &process->keep.home;
	const char *asked = process->options->cache;
	bool found;

	if (!may_keep(process) || (asked && !strcmp(asked, "off")))
		return;
	home->key = key_of(process);
	found = asked ? store_whole_path(home->path, sizeof home->path, asked)
		      : store_default_path(home->path, sizeof home->path, getenv("XDG_CACHE_HOME"), getenv("HOME"));
	if (!found || !home->key || (!asked && !store_default_wanted(home->path)))
		home->path[0] = 0;
}

struct store *
keep_find(const struct process *process, uint64_t device, uint64_t inode)
{
	const struct keep_file *file = process->keep.files.data;

	for (size_t i = process->keep.files.count; i-- > 0;)
		if (file[i].inode == inode && file[i].device == device)
			return file[i].store;
	return NULL;
}

void
keep_file(struct process *process, int fd)
{
	uint8_t head[HEAD] = { 0 };
	struct keep_file *file;
	struct store *store;
	struct stat status;

	if (!process->keep.home.path[0] || process->thread_count > 1 || raw_failed(RAW2(SYS_fstat, fd, &status)) ||
	    keep_find(process, status.st_dev, status.st_ino))
		return;
	if (raw_failed(RAW4(SYS_pread64, fd, head, sizeof head, 0)) || memcmp(head, ELFMAG, SELFMAG) != 0)
		return;
	store = store_open(&process->keep.home, store_hash(head, sizeof head, (uint64_t)status.st_size));
	if (!store)
		return;
	file = vec_push(&process->keep.files, sizeof *file);
	*file = (struct keep_file){ status.st_dev, status.st_ino, store };
}

void
keep_save(struct thread *thread)
{
	struct keep *keep = &thread->process->keep;
	const struct keep_file *file = keep->files.data;
	bool worth = false;

	if (thread->vfork_child)
		return;
	for (size_t i = 0; i < keep->files.count; i++)
		worth |= store_worth(file[i].store);
	if (!worth)
		return;
	cpu_save(&thread->vcpu);
	for (size_t i = 0; i < keep->files.count; i++)
		if (store_worth(file[i].store))
			store_write(&keep->home, file[i].store);
}

void
keep_fork(struct process *process)
{
	const struct keep_file *file = process->keep.files.data;

	for (size_t i = 0; i < process->keep.files.count; i++)
		store_unwant(file[i].store);
}
