# SPDX-License-Identifier: Apache-2.0
#
#   make setup     install what building, testing and the demo need (Debian 12, as root)
#   make           build/release/oneoff
#   make demo      a running app, one-offs against it, nothing left behind
#   make test      unit and golden tests, short fuzz runs, sanitizers, real Docker, Podman and crun
#   make check     format, lints, layers, static analysis
#   make schedule  10,000 random schedules against Python's zoneinfo, and against systemd-analyze
#   make asan | valgrind | coverage | fuzz-NAME | bench | install | clean
#
# Variants live in build/VARIANT: release, debug, clang, asan, fuzz, coverage, hooks (release with test hooks).

VARIANT ?= release
CC      ?= cc
PREFIX  ?= /usr/local
DESTDIR ?=
B       := build/$(VARIANT)
# Whoever builds may have defaults of his own for oneoff; tests must not have them.
export ONEOFF_CONFIG := none

# ---- flags ------------------------------------------------------------------------------------------
WARNINGS := -Wall -Wextra -Wshadow -Wvla -Wconversion -Wformat=2 -Wstrict-prototypes \
	-Wmissing-prototypes -Wold-style-definition -Wwrite-strings -Wundef -Wimplicit-fallthrough \
	-Wno-missing-field-initializers -Wnull-dereference -Werror=implicit -Werror=incompatible-pointer-types -Werror=int-conversion
ifdef CI
WARNINGS += -Werror
endif
HARDENING := -fstack-clash-protection -fstack-protector-strong -fPIE \
	-fno-delete-null-pointer-checks -fno-strict-overflow -fno-strict-aliasing \
	-ftrivial-auto-var-init=zero
ifeq ($(shell uname -m),x86_64)
HARDENING += -fcf-protection=full
endif
HARDEN_LD := -pie -Wl,-z,noexecstack -Wl,-z,relro -Wl,-z,now -Wl,--as-needed
SANITIZE  := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

FLAGS_release  := -O2 -g -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 $(HARDENING)
FLAGS_hooks    := $(FLAGS_release) -DONEOFF_TEST_HOOKS
FLAGS_debug    := -O0 -g
FLAGS_clang    := -O0 -g
FLAGS_asan     := -O1 -g $(SANITIZE)
FLAGS_fuzz     := -O1 -g -fsanitize=fuzzer-no-link $(SANITIZE)
FLAGS_coverage := -O0 -g --coverage -fprofile-update=atomic
LINK_release   := $(HARDEN_LD)
LINK_hooks     := $(HARDEN_LD)
LINK_asan      := $(SANITIZE)
LINK_coverage  := --coverage

ALL_CFLAGS := -std=gnu17 -D_GNU_SOURCE -I. -MMD -MP $(WARNINGS) $(FLAGS_$(VARIANT)) $(CFLAGS)
LIBS       := -lcjson -lyaml -lwslay
# Criterion's macros trip over some of our warnings; tests are C, not shipped C.
TEST_CFLAGS := $(filter-out -Wmissing-prototypes -Wnull-dereference -Wconversion -Wshadow,$(ALL_CFLAGS))

# ---- sources ----------------------------------------------------------------------------------------
LIB_SOURCES  := $(wildcard pkg/*/*.c oci/*.c)
CMD_SOURCES  := $(wildcard cmd/oneoff/*.c)
UNIT_SOURCES := $(wildcard tests/unit/*/*.c)
INTEGRATION_SOURCES := $(filter-out tests/integration/helper.c,$(wildcard tests/integration/*.c))
FUZZERS      := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
objects = $(patsubst %.c,$(B)/%.o,$(1))

Q := $(if $(V),,@)
.DELETE_ON_ERROR:
.PHONY: all setup demo test unit check asan valgrind coverage bench install clean integration format \
	clang fuzz print-cflags umoci registry fake e2e kube setup-build print-build-packages image image-test krew man interface schedule
all: $(B)/oneoff

# Objects are rebuilt when the flags or the compiler change.
STAMP := $(B)/.flags
FLAGS_NOW := $(CC) $(ALL_CFLAGS) $(LINK_$(VARIANT)) $(LDFLAGS)
$(shell mkdir -p $(B); printf '%s' '$(FLAGS_NOW)' | cmp -s - $(STAMP) || \
	printf '%s' '$(FLAGS_NOW)' > $(STAMP))

$(B)/tests/%.o: tests/%.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<";)$(CC) $(TEST_CFLAGS) -c $< -o $@
$(B)/%.o: %.c $(STAMP)
	@mkdir -p $(@D)
	$(if $(V),,@echo "  CC $<";)$(CC) $(ALL_CFLAGS) -c $< -o $@
$(B)/liboneoff.a: $(call objects,$(LIB_SOURCES))
	$(Q)rm -f $@ && ar rcs $@ $^
include pkg/kube/gate/gate.mk
include pkg/kube/role.mk
$(B)/oneoff: $(call objects,$(CMD_SOURCES)) $(B)/liboneoff.a
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) $^ $(LIBS) -o $@
$(B)/unit: $(call objects,$(UNIT_SOURCES)) $(filter-out %/main.o,$(call objects,$(CMD_SOURCES))) \
		$(B)/liboneoff.a
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) $^ $(LIBS) -lfyaml -lcriterion -o $@
$(B)/integration: $(call objects,$(INTEGRATION_SOURCES))
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) $^ -lcriterion -lcjson -o $@

-include $(patsubst %.o,%.d,$(call objects,$(LIB_SOURCES) $(CMD_SOURCES) $(UNIT_SOURCES) \
	$(INTEGRATION_SOURCES)))

print-cflags:
	@echo '$(ALL_CFLAGS)'

# ---- what the project needs -------------------------------------------------------------------------
BUILD_PACKAGES := gcc clang make pkg-config libcurl4-openssl-dev libcjson-dev libarchive-dev \
	libyaml-dev libwslay-dev libssl-dev lld
TEST_PACKAGES  := libcriterion-dev libfyaml-dev clang-format clang-tidy libclang-rt-14-dev valgrind gcovr \
	shellcheck docker.io podman crun runc conmon iptables iproute2 \
	containernetworking-plugins golang-github-containernetworking-plugin-dnsname uidmap \
	fuse-overlayfs slirp4netns dnsmasq-base openssl busybox-static procps curl binutils python3 \
	umoci zstd attr docker-registry debootstrap systemd tzdata qemu-user-static bsdutils man-db mandoc zsh fish
DEMO_PACKAGES  := crun busybox-static util-linux
setup:
	tests/setup --user tester $(BUILD_PACKAGES) $(TEST_PACKAGES)
	tests/setup-kubectl
# What the image is built with (Dockerfile).
IMAGE_PACKAGES := $(BUILD_PACKAGES) ca-certificates
setup-build:
	tests/setup $(IMAGE_PACKAGES)
print-build-packages:
	@echo $(IMAGE_PACKAGES)

# ---- tests ------------------------------------------------------------------------------------------
unit: $(B)/unit
	$(B)/unit -j2 --tap=/dev/null

fuzz:
	$(Q)$(MAKE) --no-print-directory -j2 VARIANT=fuzz CC=clang $(FUZZERS:%=build/fuzz/fuzzer.%)
	$(Q)printf '%s\n' $(FUZZERS) | xargs -P 2 -I NAME \
		$(MAKE) --no-print-directory fuzz-NAME FUZZ_SECONDS=$${FUZZ_SECONDS:-5}

FUZZ_SECONDS ?= 600
# The library is built once for all targets, by clang with its own variant.
build/fuzz/fuzzer.%: $(B)/tests/fuzz/fuzz_%.o $(B)/liboneoff.a
	$(Q)$(CC) -fsanitize=fuzzer $(SANITIZE) $^ $(LIBS) -lfyaml -o $@
fuzz-%:
	$(Q)$(MAKE) --no-print-directory VARIANT=fuzz CC=clang build/fuzz/fuzzer.$*
	@mkdir -p build/fuzz/corpus/$*
	@echo "  FUZZ $* ($(FUZZ_SECONDS) s)"
	$(Q)build/fuzz/fuzzer.$* -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 \
		-verbosity=0 -print_final_stats=0 -artifact_prefix=build/fuzz/crash-$*- \
		build/fuzz/corpus/$* $(wildcard tests/fuzz/seeds/$*)

integration: $(B)/integration $(B)/oneoff
	$(Q)$(MAKE) --no-print-directory VARIANT=hooks build/hooks/oneoff
	ONEOFF_TEST_CLIENTS=$${ONEOFF_TEST_CLIENTS:-15} tests/integration/run docker podman oci
	tests/integration/run kube -- --filter '@(task|codes|kube_clone|kube_streams|kube_signals|kube_cron|kube_roles|kube_launcher|operate)/*'
# The whole suite on the fake API server: 5 minutes, too many for every CI run.
kube: $(B)/integration $(B)/oneoff
	$(Q)$(MAKE) --no-print-directory VARIANT=hooks build/hooks/oneoff
	tests/integration/run kube

umoci: all
	tests/integration/umoci
# The cluster that KUBECONFIG names, in a namespace of its own.
e2e: $(B)/integration $(B)/oneoff $(B)/unit
	$(Q)$(MAKE) --no-print-directory VARIANT=hooks build/hooks/oneoff
	tests/integration/e2e
registry: all
	tests/integration/registry
# Schedules against an implementation that shares nothing with ours, and against systemd's own.
$(B)/schedule-driver: $(B)/tests/schedule/driver.o $(B)/liboneoff.a
	$(Q)$(CC) $(LINK_$(VARIANT)) $(LDFLAGS) $^ $(LIBS) -o $@
schedule: $(B)/schedule-driver $(B)/unit
	tests/schedule/property $<
	tests/schedule/apply $(B)/unit
fake:
	tests/fake/self-test

asan:
	$(Q)$(MAKE) --no-print-directory VARIANT=asan build/asan/unit build/asan/oneoff
	LSAN_OPTIONS=suppressions=tests/lsan.supp:print_suppressions=0 \
		build/asan/unit -j2 --tap=/dev/null

# For its warnings, which gcc's do not cover.
clang:
	$(Q)$(MAKE) --no-print-directory VARIANT=clang CC=clang all build/clang/unit build/clang/integration

valgrind:
	$(Q)$(MAKE) --no-print-directory VARIANT=debug build/debug/unit
	tests/valgrind build/debug/unit

coverage:
	tests/coverage

test:
	tests/run-all

# What people type and read: the manual, and completion in real shells.
interface: all man
	tests/manual build/man
	tests/completion

# ---- checks -----------------------------------------------------------------------------------------
check: all interface
	tests/lint/run
format:
	clang-format -i $(shell git ls-files '*.c' '*.h')

# ---- the rest ---------------------------------------------------------------------------------------
demo:
	tests/setup $(BUILD_PACKAGES) $(DEMO_PACKAGES)
	$(MAKE) --no-print-directory all
	tests/demo
bench: all
	tests/bench/bench --write
	tests/bench/oci --write
	tests/bench/kube --write
# The manual is what the program says of itself.
man: build/man/oneoff.1
build/man/oneoff.1: $(B)/oneoff
	$(Q)rm -rf $(@D) && mkdir -p $(@D)
	$(Q)set -e; for name in $$($(B)/oneoff help --names); do \
		$(B)/oneoff help --man $$name > $(@D)/oneoff-$$name.1; done
	$(Q)$(B)/oneoff help --man > $@
install: all man
	install -D -m 0755 $(B)/oneoff $(DESTDIR)$(PREFIX)/bin/oneoff
	ln -sf oneoff $(DESTDIR)$(PREFIX)/bin/kubectl-oneoff
	install -d $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 0644 build/man/*.1 $(DESTDIR)$(PREFIX)/share/man/man1
# For krew: the archive, and the manifest that names it. URL: where the archive will be.
KREW_ARCH = $(patsubst aarch64,arm64,$(patsubst x86_64,amd64,$(shell uname -m)))
KREW      = build/krew/oneoff-linux-$(KREW_ARCH).tar.gz
krew: all
	$(Q)test -n '$(URL)' || { echo 'make krew URL=https://…/$(notdir $(KREW))' >&2; exit 2; }
	$(Q)mkdir -p $(dir $(KREW)) && install -s $(B)/oneoff $(dir $(KREW))oneoff
	$(Q)tar -C $(dir $(KREW)) -czf $(KREW) --owner=0 --group=0 oneoff -C $(CURDIR) LICENSE
	$(Q)sed -e '1d' -e 's|@URL@|$(URL)|' -e 's|@ARCH@|$(KREW_ARCH)|' \
		-e "s|@VERSION@|$$($(B)/oneoff version | sed -n '1s/^oneoff //p')|" \
		-e "s|@SHA256@|$$(sha256sum $(KREW) | cut -d ' ' -f 1)|" k8s-manifests/krew.yaml > build/krew/oneoff.yaml
	$(Q)echo '$(KREW) build/krew/oneoff.yaml'
# The image for a cluster; IMAGE names it.
DOCKER ?= docker
IMAGE  ?= oneoff:latest
image:
	$(DOCKER) build -t $(IMAGE) .
image-test: all
	tests/integration/image
clean:
	rm -rf build
