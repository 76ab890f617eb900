/* SPDX-License-Identifier: MIT */
/*
 * `bench-usdt ROUNDS`: what a hit costs when a BPF program that does nothing is attached, on a weir
 * probe and on sys/sdt.h's macro, three u64 each, interleaved. The program is two instructions and
 * is attached as every tracer does, by a perf event of the uprobe PMU. That it runs is checked with
 * the kernel's own count of runs, which is then switched off again.
 */
#include <weir/weir.h>

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sdt.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/bench.h"

static struct weir_probe *three = weir_probe_off;

BENCH_LOOP loop_weir(uint64_t n)
{
	struct weir_probe *probe = three;

	for (uint64_t i = 0; i < n; i++)
		WEIR_FIRE(probe, i, n, i + n);
}

BENCH_LOOP loop_sdt(uint64_t n)
{
	for (uint64_t i = 0; i < n; i++)
		DTRACE_PROBE3(bench, sdt, i, n, i + n);
}

struct place {
	char path[300];
	uint64_t offset; /* in that file */
};

/* Which file is mapped at this address, and where in it is it? */
static void find_place(uintptr_t address, struct place *ret)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[600];

	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t begin, end;
		uint64_t offset;
		int at = 0;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNx64 " %*s %*s %n", &begin,
		           &end, &offset, &at) < 3 ||
		    address < begin || address >= end)
			continue;
		line[strcspn(line, "\n")] = '\0';
		/* A memfd has no name that can be opened; its mapping has. */
		if (!strncmp(line + at, "/memfd:", 7))
			snprintf(ret->path, sizeof(ret->path),
			         "/proc/self/map_files/%" PRIxPTR "-%" PRIxPTR, begin, end);
		else
			snprintf(ret->path, sizeof(ret->path), "%.299s", line + at);
		ret->offset = address - begin + offset;
		fclose(maps);
		return;
	}
	bench_fail("no file is mapped at %#" PRIxPTR, address);
}

/* The macro's site, from this program's own SDT note: its link address as an offset in the file. */
static uint64_t sdt_offset(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	Elf *elf;
	Elf_Scn *section = NULL;
	uint64_t address = 0;
	size_t count;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && (section = elf_nextscn(elf, section))) {
		GElf_Shdr header;
		Elf_Data *data = elf_getdata(section, NULL);
		size_t at = 0, name, desc;
		GElf_Nhdr note;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_NOTE)
			continue;
		while ((at = gelf_getnote(data, at, &note, &name, &desc)) > 0) {
			const char *bytes = data->d_buf;

			if (note.n_type == 3 && !strcmp(bytes + name, "stapsdt") &&
			    !strcmp(bytes + desc + 24, "bench"))
				memcpy(&address, bytes + desc, sizeof(address));
		}
	}
	if (!address || elf_getphdrnum(elf, &count))
		bench_fail("this program has no SDT note of bench:sdt");
	for (size_t i = 0; i < count; i++) {
		GElf_Phdr segment;

		if (gelf_getphdr(elf, (int)i, &segment) && segment.p_type == PT_LOAD &&
		    address >= segment.p_vaddr && address < segment.p_vaddr + segment.p_filesz) {
			address = address - segment.p_vaddr + segment.p_offset;
			elf_end(elf);
			close(fd);
			return address;
		}
	}
	bench_fail("the SDT note of bench:sdt points nowhere");
}

static int bpf(enum bpf_cmd command, union bpf_attr *attr)
{
	return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static int load_nothing(void)
{
	static const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	union bpf_attr attr = {
		.prog_type = BPF_PROG_TYPE_KPROBE,
		.insns = (uintptr_t)code,
		.insn_cnt = sizeof(code) / sizeof(*code),
		.license = (uintptr_t) "Dual MIT/GPL",
	};
	int fd = bpf(BPF_PROG_LOAD, &attr);

	if (fd < 0)
		bench_skip("a BPF program cannot be loaded: %s (needs CAP_BPF and CAP_PERFMON)",
		           strerror(errno));
	return fd;
}

static unsigned uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	unsigned type;

	if (!file || fscanf(file, "%u", &type) != 1)
		bench_skip("this kernel has no uprobe PMU");
	fclose(file);
	return type;
}

static void attach(const struct place *place, int program)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = uprobe_type(),
		.config1 = (uintptr_t)place->path,
		.config2 = place->offset,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, getpid(), -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		bench_skip("perf_event_open for a uprobe at %s+%#" PRIx64 ": %s", place->path,
		           place->offset, strerror(errno));
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, program) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		bench_fail("the BPF program cannot be attached: %s", strerror(errno));
	/* Left open: it stays attached until the process ends. */
}

static uint64_t run_count(int program)
{
	struct bpf_prog_info info = { 0 };
	union bpf_attr attr = {
		.info = { .bpf_fd = (uint32_t)program,
		          .info_len = sizeof(info),
		          .info = (uintptr_t)&info },
	};

	if (bpf(BPF_OBJ_GET_INFO_BY_FD, &attr))
		bench_fail("BPF_OBJ_GET_INFO_BY_FD: %s", strerror(errno));
	return info.run_cnt;
}

/* One run per hit, or the figure would be about something else. */
static void check(const char *name, void (*loop)(uint64_t), int program)
{
	union bpf_attr attr = { .enable_stats = { .type = BPF_STATS_RUN_TIME } };
	int stats = bpf(BPF_ENABLE_STATS, &attr);
	uint64_t before = run_count(program);

	if (stats < 0)
		bench_skip("BPF_ENABLE_STATS: %s", strerror(errno));
	loop(1000);
	printf("check-%s-runs %" PRIu64 "\n", name, run_count(program) - before);
	close(stats);
}

static void publish(void)
{
	static const struct weir_field fields[] = { { "a", WEIR_U64 },
		                                    { "b", WEIR_U64 },
		                                    { "c", WEIR_U64 } };
	struct weir_error error = { 0 };
	struct weir_provider_options options = { .size = sizeof(options), .error = &error };
	struct weir_provider *provider;
	int ret;

	ret = weir_provider_create("bench_usdt", &options, &provider);
	if (!ret)
		ret = weir_probe_create(provider, "three", fields, 3, NULL, &three);
	if (!ret)
		ret = weir_provider_publish(provider);
	if (ret)
		bench_fail("publish: %s %s", strerror(-ret), error.message);
	if (three->site == weir_probe_off->site) {
		weir_provider_error(provider, &error);
		bench_skip("bench_usdt:three has no site: %s", error.message);
	}
}

int main(int argc, char **argv)
{
	const struct bench_variant variants[] = {
		{ "weir", loop_weir, 100 },
		{ "sdt", loop_sdt, 100 },
	};
	struct place weir, sdt = { .path = "/proc/self/exe" };
	int programs[2];

	if (argc != 2)
		bench_fail("usage: bench-usdt ROUNDS");
	bench_pin(0);
	publish();
	find_place((uintptr_t)three->site, &weir);
	sdt.offset = sdt_offset();
	programs[0] = load_nothing();
	programs[1] = load_nothing();
	attach(&weir, programs[0]);
	attach(&sdt, programs[1]);
	check("weir", loop_weir, programs[0]);
	check("sdt", loop_sdt, programs[1]);
	bench_rounds(variants, 2, (unsigned)atoi(argv[1]));
	return 0;
}
