# SPDX-License-Identifier: MIT
# The front door, and nothing more: each target sets up what it needs and calls meson or a script.

BUILD ?= build
PREFIX ?= /usr/local
export BUILD

.PHONY: all help setup test demo bench soak test-roots test-kernels test-bare fuzz asan tsan install \
	format clean

all: ## build weir and libweir into build/
	@scripts/setup build
	@scripts/build

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{ printf "make %-13s %s\n", $$1, $$2 }' Makefile

setup: ## install every Debian package that building, testing and the demo need
	@scripts/setup build test demo

test: ## set up, build, test (unit, compile, abi, e2e; unit also under sanitizers): 15 minutes
	@scripts/setup build test demo
	@scripts/run-tests

demo: ## a real service under load, its probes, live events, a report by route: 2 minutes
	@scripts/setup build demo
	@scripts/demo

bench: ## figures beside their peers' (ONLY='fire/*' for some), into build/bench/results.json
	@scripts/setup build bench
	@scripts/build
	@bench/run $(if $(ONLY),--only '$(ONLY)')

soak: ## the hardship tests at full length: kills, stops, scribblers
	@scripts/setup build test demo
	@scripts/run-tests --suite soak

test-roots: ## newer bpftrace, libbpf, bcc and LTTng, in chroots of Debian 13 and sid
	@scripts/setup build test demo roots
	@scripts/run-tests --suite roots

test-kernels: ## Linux 6.1 and the newest, in qemu
	@scripts/setup build test demo kernels
	@scripts/run-tests --suite kernels

test-bare: ## `make test` and `make demo` in a bare Debian 12 with only git and make
	@scripts/setup roots
	@scripts/test-bare

fuzz: ## libFuzzer on everything that parses (SECONDS=60 each)
	@scripts/setup build test
	@scripts/fuzz $(SECONDS)

asan: ## the unit suite under ASan and UBSan
	@scripts/setup build test
	@scripts/run-tests --build asan

tsan: ## the unit suite under TSan
	@scripts/setup build test
	@scripts/run-tests --build tsan

install: ## install into PREFIX (default /usr/local), below DESTDIR if that is set
	@scripts/setup build
	@scripts/build --prefix '$(PREFIX)'
	@meson install -C $(BUILD) --no-rebuild --quiet
	@[ -n "$(DESTDIR)" ] || ldconfig 2>/dev/null || true

format: ## clang-format every C and C++ file in place
	@scripts/format

clean: ## remove the build folders
	rm -rf build build-*
