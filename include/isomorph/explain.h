/* Public API for people who look inside: disassembly of a guest's program and
 * the isomorphism at work (guest instruction, IR, host instructions).
 *
 * Both write text to a file descriptor and return 0, or an exit code after one
 * line on standard error: 2 the place is not in the file, 125 the
 * output cannot be written, 126 it is no ELF file of a known guest or has no
 * code, 127 it cannot be read. Single-threaded.
 */
#ifndef ISOMORPH_EXPLAIN_H
#define ISOMORPH_EXPLAIN_H

/* Disassembles every executable section of the file (segments, when it has no
 * sections), with symbols. */
int isomorph_disassemble(const char *file, int fd);

/* Explains the region that starts at `where`: a symbol or a hexadecimal
 * address; NULL for the entry point. Host instructions are shown as objdump
 * reads them; where there is no objdump, as bytes. */
int isomorph_explain(const char *file, const char *where, int fd);

#endif
