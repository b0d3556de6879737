/* Memory in bulk: madvise(2), MADV_POPULATE_WRITE (Linux 5.14; older ones refuse
 * it, which is as good). */
#include "host/populate.h"

#include <sys/syscall.h>

#include "base/raw.h"

#define HOST_PAGE 4096u
#define POPULATE_WRITE 23

void
host_populate(void *start, size_t size)
{
	uintptr_t from = align_up((uintptr_t)start, HOST_PAGE);
	uintptr_t to = align_down((uintptr_t)start + size, HOST_PAGE);

	if (from < to)
		RAW3(SYS_madvise, from, to - from, POPULATE_WRITE);
}
