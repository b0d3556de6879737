# The system-call table and its handlers' prototypes.
GEN_HEADERS += $(B)/gen/syscall_handlers.h $(B)/gen/syscall_table.h

$(B)/gen/syscall_%.h: src/process/linux/syscalls.tab tools/gen-syscalls
	@mkdir -p $(@D)
	tools/gen-syscalls $* $< >$@
