/* Bare-metal programs: an ELF file in RAM that starts in M-mode at its entry and
 * reports through the words `tohost` and `fromhost` (Berkeley's host-target
 * interface) if it has them, or through the syscon.
 *
 * Of the interface: an odd word ends the program with code word / 2; device 1,
 * command 1 is a character for the console; an even word is the address of a
 * system call's number and arguments, of which write to 1 and 2 is there.
 *
 * The page of tohost is watched, so the verdict is seen at the store.
 *
 * Signatures, as architecture tests compare them: memory from the symbol
 * begin_signature to end_signature, each word of 32 bits a line of eight
 * hexadecimal digits.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "machine/machine_impl.h"

enum { HTIF_CONSOLE = 1, HTIF_PUT = 1, CALL_WRITE = 64 };

static void
put(struct machine *m, const uint8_t *bytes, size_t size)
{
	pthread_mutex_lock(&m->lock);
	console_write(m->console, bytes, size);
	pthread_mutex_unlock(&m->lock);
}

/* Eight words at address: number, arguments; the result goes into the first. */
static void
system_call(struct machine *m, uint64_t address)
{
	uint64_t call[8];
	uint8_t bytes[512];
	uint64_t result = (uint64_t)-ENOSYS;

	if (!memory_read(&m->memory, address, call, sizeof call))
		return;
	if (call[0] == CALL_WRITE && (call[1] == 1 || call[1] == 2)) {
		uint64_t size = call[3] < sizeof bytes ? call[3] : sizeof bytes;

		result = (uint64_t)-EFAULT;
		if (memory_read(&m->memory, call[2], bytes, size)) {
			put(m, bytes, size);
			result = size;
		}
	}
	memory_write64(&m->memory, address, result);
	if (m->fromhost)
		memory_write64(&m->memory, m->fromhost, 1);
}

/* Something wrote to the page of tohost; a vCPU's thread, or a device's. */
static void
on_watched(void *owner, uint64_t address, uint64_t size)
{
	struct machine *m = owner;
	uint64_t word, payload;
	uint8_t byte;

	if (address + size <= m->tohost || address >= m->tohost + 8 ||
	    !memory_read64(&m->memory, m->tohost, &word) || !word)
		return;
	payload = word & ((UINT64_C(1) << 48) - 1);
	if (word >> 56 == HTIF_CONSOLE && (word >> 48 & 255) == HTIF_PUT) {
		byte = (uint8_t)payload;
		memory_write64(&m->memory, m->tohost, 0);
		put(m, &byte, 1);
	} else if (!(word >> 48) && payload & 1) {
		machine_end(m, MACHINE_BARE, payload >> 1 > INT32_MAX ? INT32_MAX : (int)(payload >> 1));
	} else if (!(word >> 48)) {
		memory_write64(&m->memory, m->tohost, 0);
		system_call(m, payload);
	}
}

/* Where the signature lies, if one is wanted. */
static int
find_signature(struct machine *m, const struct payload *image, struct error *error)
{
	if (!m->config.signature)
		return 0;
	if (!payload_symbol(image, "begin_signature", &m->signature) ||
	    !payload_symbol(image, "end_signature", &m->signature_end) || m->signature_end < m->signature)
		return error_set(error, EINVAL, "%s: has no signature: no symbols begin_signature and end_signature behind it",
				 m->config.bare);
	return 0;
}

int
machine_write_signature(struct machine *m, struct error *error)
{
	const char *path = m->config.signature;
	FILE *file = fopen(path, "we");
	uint32_t word;
	bool good = file;

	for (uint64_t at = m->signature; good && at < m->signature_end; at += sizeof word) {
		if (!memory_read(&m->memory, at, &word, sizeof word)) {
			fclose(file);
			return error_set(error, EFAULT, "%s: its signature at %#" PRIx64 " is not in RAM", m->config.bare, at);
		}
		good = fprintf(file, "%08" PRIx32 "\n", word) > 0;
	}
	if (file && fclose(file))
		good = false;
	return good ? 0 : error_set(error, errno, "%s: %s", path, strerror(errno));
}

int
machine_load_bare(struct machine *m, uint64_t *entry, uint64_t *end, struct error *error)
{
	const char *path = m->config.bare;
	struct payload image;
	uint8_t *flags;
	int failed;

	if (payload_read(&image, path, "program", error))
		return -1;
	if (!payload_is_elf(&image))
		failed = error_set(error, EINVAL, "%s: a bare-metal program is an ELF file of 64 bits", path);
	else
		failed = payload_load_elf(&image, path, &m->memory, entry, end, error) || find_signature(m, &image, error);
	if (!failed && payload_symbol(&image, "tohost", &m->tohost) && (flags = memory_flags(&m->memory, m->tohost))) {
		payload_symbol(&image, "fromhost", &m->fromhost);
		m->memory.watched = on_watched;
		__atomic_fetch_or(flags, MEMORY_PAGE_WATCHED, __ATOMIC_SEQ_CST);
	}
	payload_free(&image);
	return failed;
}
