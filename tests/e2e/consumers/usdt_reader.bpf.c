// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What libbpf's users write: all arguments of a probe, and one of them as a string. */
#include <linux/bpf.h>
#include <linux/ptrace.h>
#include <stdbool.h>

#include <bpf/bpf_helpers.h>
#include <bpf/usdt.bpf.h>

#include "usdt_reader.h"

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} events SEC(".maps");

SEC("usdt")
int on_usdt(struct pt_regs *ctx)
{
	struct usdt_event *event = bpf_ringbuf_reserve(&events, sizeof(*event), 0);
	long cookie = bpf_usdt_cookie(ctx);

	if (!event)
		return 0;
	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->count = bpf_usdt_arg_cnt(ctx);
	event->string[0] = '\0';
	for (int i = 0; i < USDT_ARGS; i++) {
		long value = 0;

		bpf_usdt_arg(ctx, i, &value);
		event->args[i] = value;
		if (i == cookie)
			bpf_probe_read_user_str(event->string, sizeof(event->string),
			                        (const void *)value);
	}
	bpf_ringbuf_submit(event, 0);
	return 0;
}

char LICENSE[] SEC("license") = "Dual MIT/GPL";
