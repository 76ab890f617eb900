/* SPDX-License-Identifier: MIT */
/*
 * Providers of every kind for `weir list`: plain:probe(id u64, path string), bufonly:probe without
 * a stub, usdtonly:probe without buffers, gone:probe withdrawn again, sem:probe with a semaphore.
 * Prints "ready PID PATH", PATH being the stub of plain, and waits.
 */
#include <weir/weir.h>

#include <stdio.h>
#include <unistd.h>

static const struct weir_field fields[] = { { "id", WEIR_U64 }, { "path", WEIR_STRING } };

static struct weir_provider *declare(const char *name, uint32_t flags, uint32_t probe_flags)
{
	struct weir_provider_options o = { .flags = flags };
	struct weir_probe_options po = { .flags = probe_flags };
	struct weir_provider *p = NULL;
	struct weir_probe *probe;

	if (weir_provider_create(name, &o, &p) ||
	    weir_probe_create(p, "probe", fields, 2, &po, &probe) || weir_provider_publish(p))
		fprintf(stderr, "cannot publish %s\n", name);
	return p;
}

int main(void)
{
	struct weir_provider *plain = declare("plain", 0, 0);

	declare("bufonly", WEIR_PROVIDER_NO_USDT, 0);
	declare("usdtonly", WEIR_PROVIDER_NO_BUFFER, 0);
	weir_provider_withdraw(declare("gone", 0, 0));
	declare("sem", 0, WEIR_PROBE_SEMAPHORE);
	printf("ready %d %s\n", getpid(), weir_provider_path(plain));
	fflush(stdout);
	pause();
	return 0;
}
