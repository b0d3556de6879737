# The decoder's tables, from the instruction table.
GEN_HEADERS += $(B)/gen/riscv64_tables.h

$(B)/gen/gen-riscv64: tools/gen-riscv64.c tools/decode_tree.c tools/decode_tree.h src/guest/riscv64/insns.def
	@mkdir -p $(@D)
	$(or $(HOSTCC),$(CC)) -std=gnu17 -O1 -g $(WARNINGS) -Isrc -o $@ $(filter %.c,$^)

$(B)/gen/riscv64_tables.h: $(B)/gen/gen-riscv64
	$< >$@

# Objects follow generated headers by their .d files; before the first build
# there are none, so the order is said here.
$(B)/src/guest/riscv64/decode.o: $(B)/gen/riscv64_tables.h
