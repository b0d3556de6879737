/* Which build of this program runs. */
#ifndef HOST_BUILD_H
#define HOST_BUILD_H

#include <stddef.h>
#include <stdint.h>

/* The bytes that the linker made of all of the program (its build ID, a note of the ELF
 * file), and how many; 0 when it made none. Any thread. */
size_t host_build_id(const uint8_t **id);

#endif
