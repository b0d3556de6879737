/* Classic BPF over one system call's data, as seccomp's filters are written in
 * (Documentation/userspace-api/seccomp_filter.rst). Pure. */
#ifndef PROCESS_LINUX_BPF_H
#define PROCESS_LINUX_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "base/base.h"

/* Whether the kernel takes this program for a filter: only instructions that
 * filters may have, jumps inside it, loads inside the data, scratch memory read
 * only after it was written, a return at the end. length: 1 to BPF_MAXINSNS. */
bool bpf_check(const struct sock_filter *program, unsigned length);

/* What a checked program returns. A division by zero returns 0. */
uint32_t bpf_run(const struct sock_filter *program, const struct seccomp_data *data);

#endif
