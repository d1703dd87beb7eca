# SPDX-License-Identifier: Apache-2.0
#
# The gate, one static program per architecture, built for all of them on any machine by clang and lld (Debian:
# clang, lld), and what puts their bytes into liboneoff.a. Included by the Makefile behind the rule of liboneoff.a;
# uses its B, Q, CC, ALL_CFLAGS and STAMP. The same sources and tools give the same bytes in every variant.
GATE_CC ?= clang
GATE_LD ?= ld.lld

GATE_SOURCE        := pkg/kube/gate
GATE_BUILD         := $(B)/pkg/kube/gate
GATE_ARCHITECTURES := amd64 arm64
GATE_TARGET_amd64  := x86_64-linux-gnu
GATE_TARGET_arm64  := aarch64-linux-gnu

# No C library, no start-up code, nothing that would need one: no stack protector, no unwinding, no vector registers.
GATE_CFLAGS := -std=gnu17 -Os -I. -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes $(if $(CI),-Werror) -ffreestanding -fno-builtin -fno-pic -fno-pie \
	-fno-stack-protector -fno-asynchronous-unwind-tables -fno-unwind-tables -fno-ident \
	-fomit-frame-pointer -mgeneral-regs-only -ffunction-sections
GATE_LDFLAGS := -static -no-pie -nostdlib --gc-sections --build-id=none --strip-all \
	-z noexecstack -z norelro --no-rosegment --fatal-warnings

$(GATE_BUILD)/%/main.o: $(GATE_SOURCE)/main.c $(GATE_SOURCE)/system.h $(GATE_SOURCE)/gate.mk
	@mkdir -p $(@D)
	$(Q)$(GATE_CC) --target=$(GATE_TARGET_$*) $(GATE_CFLAGS) -c $< -o $@
$(GATE_BUILD)/%/start.o: $(GATE_SOURCE)/%.S $(GATE_SOURCE)/gate.mk
	@mkdir -p $(@D)
	$(Q)$(GATE_CC) --target=$(GATE_TARGET_$*) -c $< -o $@
$(GATE_BUILD)/gate.%: $(GATE_BUILD)/%/start.o $(GATE_BUILD)/%/main.o
	$(Q)$(GATE_LD) $(GATE_LDFLAGS) $^ -o $@

$(GATE_BUILD)/table.c: $(GATE_SOURCE)/embed $(GATE_ARCHITECTURES:%=$(GATE_BUILD)/gate.%)
	$(Q)$(GATE_SOURCE)/embed $(GATE_BUILD) $(GATE_ARCHITECTURES) > $@
$(GATE_BUILD)/table.o: $(GATE_BUILD)/table.c pkg/kube/gate/gate.h $(STAMP)
	$(Q)$(CC) $(ALL_CFLAGS) -c $< -o $@
$(B)/liboneoff.a: $(GATE_BUILD)/table.o

# made on the way to the library, but worth keeping
.PRECIOUS: $(GATE_BUILD)/%/main.o $(GATE_BUILD)/%/start.o $(GATE_BUILD)/gate.%
