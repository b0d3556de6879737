# The decoder's tables, from the instruction table.
GEN_HEADERS += $(B)/gen/aarch64_tables.h

$(B)/gen/gen-aarch64: tools/gen-aarch64.c tools/decode_tree.c tools/decode_tree.h \
		src/guest/aarch64/insns.def src/guest/aarch64/insns_simd.def
	@mkdir -p $(@D)
	$(or $(HOSTCC),$(CC)) -std=gnu17 -O1 -g $(WARNINGS) -Isrc -o $@ $(filter %.c,$^)

$(B)/gen/aarch64_tables.h: $(B)/gen/gen-aarch64
	$< >$@

# Objects follow generated headers by their .d files; before the first build
# there are none, so the order is said here.
$(B)/src/guest/aarch64/decode.o: $(B)/gen/aarch64_tables.h
