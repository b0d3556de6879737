/* Host memory asked for in bulk. A page that the host gives at the first touch
 * costs a host fault, thousands of cycles (more where the host itself is a guest);
 * many at once cost little more than one. Only a hint: memory that is not given
 * now comes at its first touch.
 */
#ifndef HOST_POPULATE_H
#define HOST_POPULATE_H

#include "base/base.h"

/* Whole pages inside of [start, start + size), writable. Any thread. */
void host_populate(void *start, size_t size);

#endif
