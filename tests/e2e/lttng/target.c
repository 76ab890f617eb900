/* SPDX-License-Identifier: MIT */
/*
 * The traced program of the LTTng scenarios: reads one command a line, answers "ok ..." or
 * "error CODE SENTENCE". Words are separated by spaces; %xx in a value is that byte.
 *
 *   provider NAME [FLAGS]               create
 *   probe PROVIDER NAME LEVEL LIMIT TYPE:FIELD ...   LEVEL as LTTng's number, -1: none
 *   publish|withdraw|destroy|why PROVIDER            why: the provider's last error
 *   fire PROVIDER:NAME VALUE ...        VALUE "-" for a string: null pointer
 *   loop PROVIDER:NAME COUNT THREADS    fires COUNT times in each thread; one i64 field: a number
 *   churn PROVIDER:NAME COUNT THREADS   publish and withdraw COUNT times while threads fire
 *   forks PROVIDER:NAME COUNT           COUNT forks while a thread publishes and withdraws; each child
 *                                       does so, too
 *   signals PROVIDER:NAME COUNT         COUNT fires in a signal handler that interrupts fires
 *   refuse written|all                  from here on the kernel refuses code: pages that were or are
 *                                       writable, as systemd's MemoryDenyWriteExecute=; or all
 *   mixed PROVIDER:NAME COUNT THREADS   as loop, with fields u32 thread, i64 number, string of
 *                                       both, f64 number / 2
 *   on PROVIDER:NAME                    who listens: USDT (0, 1), sessions of weir, LTTng (0, 1)
 *   plugin PATH | call NUMBER | unplug  dlopen; call its fire(NUMBER); dlclose
 *   beside PATH COUNT                   plugin and unplug while a thread publishes and destroys
 *                                       providers, each with a probe that is new; both COUNT times
 *                                       or more
 *   fork | exec | pid | threads | fds | clock (ms of the last command) | quit
 *   newthread                           the next command runs in a new thread
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#define WORDS 40

static const char *const type_names[] = {
	[WEIR_I8] = "i8",       [WEIR_I16] = "i16",         [WEIR_I32] = "i32",
	[WEIR_I64] = "i64",     [WEIR_U8] = "u8",           [WEIR_U16] = "u16",
	[WEIR_U32] = "u32",     [WEIR_U64] = "u64",         [WEIR_F32] = "f32",
	[WEIR_F64] = "f64",     [WEIR_BOOL] = "bool",       [WEIR_STRING] = "string",
	[WEIR_BYTES] = "bytes", [WEIR_POINTER] = "pointer",
};

/* What the target remembers of a probe: the types, to read values by. */
struct known {
	struct known *next;
	struct weir_probe *probe;
	char name[160];
	enum weir_type types[WEIR_FIELDS_MAX];
	size_t count;
};

static struct known *known;
static char **arguments;

static void answer(int ret, const char *sentence)
{
	if (ret)
		printf("error %d %s\n", ret, sentence);
	else
		printf("ok %s\n", sentence);
}

static size_t unescape(char *text)
{
	char *to = text;

	for (char *from = text; *from; from++, to++) {
		char digits[3] = { 0 };

		*to = *from;
		if (*from != '%')
			continue;
		memcpy(digits, from + 1, 2);
		*to = (char)strtoul(digits, NULL, 16);
		from += 2;
	}
	*to = '\0';
	return (size_t)(to - text);
}

static struct known *find(const char *name)
{
	for (struct known *k = known; k; k = k->next)
		if (strcmp(k->name, name) == 0)
			return k;
	printf("error 0 no such probe here\n");
	return NULL;
}

static void do_provider(char **words, int count)
{
	struct weir_error error = { 0 };
	struct weir_provider_options options = { .size = sizeof(options), .error = &error };
	struct weir_provider *provider;

	for (int i = 2; i < count; i++) {
		if (strcmp(words[i], "lttng") == 0)
			options.flags |= WEIR_PROVIDER_LTTNG;
		else if (strcmp(words[i], "nousdt") == 0)
			options.flags |= WEIR_PROVIDER_NO_USDT;
		else if (strcmp(words[i], "memfd") == 0)
			options.flags |= WEIR_PROVIDER_MEMFD;
	}
	answer(weir_provider_create(words[1], &options, &provider), error.message);
}

static void do_probe(char **words, int count)
{
	struct weir_error error = { 0 };
	struct weir_probe_options options = { .size = sizeof(options), .error = &error };
	struct weir_field fields[WORDS] = { 0 };
	struct weir_provider *provider;
	struct known *k = calloc(1, sizeof(*k));
	int ret;

	options.loglevel = atoi(words[3]) + 1;
	options.string_limit = (uint32_t)atoi(words[4]);
	for (int i = 5; i < count; i++) {
		char *colon = strchr(words[i], ':');

		*colon = '\0';
		fields[k->count].name = colon + 1;
		for (int type = WEIR_I8; type <= WEIR_POINTER; type++)
			if (strcmp(words[i], type_names[type]) == 0)
				fields[k->count].type = (enum weir_type)type;
		k->types[k->count] = fields[k->count].type;
		k->count++;
	}
	ret = weir_provider_find(words[1], &provider);
	if (!ret)
		ret = weir_probe_create(provider, words[2], fields, k->count, &options, &k->probe);
	if (!ret) {
		snprintf(k->name, sizeof(k->name), "%s:%s", words[1], words[2]);
		k->next = known;
		known = k;
	}
	answer(ret, error.message);
}

static void do_life(char **words)
{
	struct weir_provider *provider;
	struct weir_error error = { 0 };
	int ret = weir_provider_find(words[1], &provider);

	if (ret) {
		answer(ret, "no such provider");
		return;
	}
	if (strcmp(words[0], "publish") == 0) {
		ret = weir_provider_publish(provider);
		weir_provider_error(provider, &error);
	} else if (strcmp(words[0], "withdraw") == 0) {
		ret = weir_provider_withdraw(provider);
	} else if (strcmp(words[0], "why") == 0) {
		weir_provider_error(provider, &error);
	} else {
		weir_provider_destroy(provider);
		/* its probes are gone */
		for (struct known **k = &known; *k;) {
			size_t length = strlen(words[1]);

			if (strncmp((*k)->name, words[1], length) == 0 && (*k)->name[length] == ':')
				*k = (*k)->next;
			else
				k = &(*k)->next;
		}
	}
	answer(ret, error.message);
}

static void value_read(enum weir_type type, char *word, union weir_value *ret)
{
	switch (type) {
	case WEIR_F32:
		ret->f32 = strtof(word, NULL);
		break;
	case WEIR_F64:
		ret->f64 = strtod(word, NULL);
		break;
	case WEIR_BOOL:
		ret->boolean = atoi(word) != 0;
		break;
	case WEIR_STRING:
		unescape(word);
		ret->string = strcmp(word, "-") ? word : NULL;
		break;
	case WEIR_BYTES:
		ret->bytes.size = unescape(word);
		ret->bytes.data = word;
		break;
	default:
		ret->u64 =
		    *word == '-' ? (uint64_t)strtoll(word, NULL, 0) : strtoull(word, NULL, 0);
		break;
	}
}

static void do_fire(char **words, int count)
{
	union weir_value values[WORDS] = { 0 };
	struct known *k = find(words[1]);

	if (!k)
		return;
	for (int i = 2; i < count; i++)
		value_read(k->types[i - 2], words[i], &values[i - 2]);
	answer(weir_fire_values(k->probe, values, (size_t)count - 2), "");
}

struct loop {
	struct weir_probe *probe;
	long count;
	volatile bool *stop;
};

static void *loop_run(void *argument)
{
	struct loop *loop = argument;

	for (int64_t i = 0; loop->stop ? !*loop->stop : i < loop->count; i++)
		WEIR_FIRE(loop->probe, i);
	return NULL;
}

static void threads_run(struct loop *loop, int count, void (*meanwhile)(void *), void *argument)
{
	pthread_t threads[64];

	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, loop_run, loop);
	if (meanwhile)
		meanwhile(argument);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
}

static void do_loop(char **words)
{
	struct known *k = find(words[1]);
	struct loop loop = { .count = atol(words[2]) };

	if (!k)
		return;
	loop.probe = k->probe;
	threads_run(&loop, atoi(words[3]), NULL, NULL);
	answer(0, "");
}

struct mixed {
	struct weir_probe *probe;
	long count;
	uint32_t threads;
};

static void *mixed_run(void *argument)
{
	struct mixed *mixed = argument;
	uint32_t thread = __atomic_fetch_add(&mixed->threads, 1, __ATOMIC_RELAXED);
	char text[40];

	for (int64_t i = 0; i < mixed->count; i++) {
		snprintf(text, sizeof(text), "thread %u, event %ld", thread, (long)i);
		WEIR_FIRE(mixed->probe, thread, i, text, (double)i / 2);
	}
	return NULL;
}

static void do_mixed(char **words)
{
	struct known *k = find(words[1]);
	struct mixed mixed = { .count = atol(words[2]) };
	int count = atoi(words[3]);
	pthread_t threads[64];

	if (!k)
		return;
	mixed.probe = k->probe;
	for (int i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, mixed_run, &mixed);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	answer(0, "");
}

static void do_on(char **words)
{
	struct known *k = find(words[1]);
	char sentence[32];

	if (!k)
		return;
	snprintf(sentence, sizeof(sentence), "%d %d %d",
	         *(const volatile uint16_t *)k->probe->site != WEIR_SITE_OFF,
	         __builtin_popcount(*k->probe->mask), *k->probe->sinks != 0);
	answer(0, sentence);
}

static void *plugin;

static void do_plugin(char **words)
{
	int (*fire)(int64_t);

	if (strcmp(words[0], "plugin") == 0) {
		plugin = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);
		answer(plugin ? 0 : -ENOENT, plugin ? "" : dlerror());
	} else if (strcmp(words[0], "unplug") == 0) {
		answer(dlclose(plugin), "");
	} else {
		fire = (int (*)(int64_t))(uintptr_t)dlsym(plugin, "fire");
		answer(fire(atol(words[1])), "");
	}
}

struct newcomers {
	volatile bool stop;
	volatile int count, ret;
};

static void *publish_newcomers(void *argument)
{
	struct weir_provider_options options = { .size = sizeof(options),
		                                 .flags = WEIR_PROVIDER_LTTNG };
	struct weir_field field = { .name = "n", .type = WEIR_I64 };
	struct newcomers *newcomers = argument;
	struct weir_provider *provider;
	struct weir_probe *probe;
	char name[32];

	while (!newcomers->stop && !newcomers->ret) {
		snprintf(name, sizeof(name), "v%d", newcomers->count);
		newcomers->ret = weir_provider_create("newcomers", &options, &provider);
		if (!newcomers->ret)
			newcomers->ret = weir_probe_create(provider, name, &field, 1, NULL, &probe);
		if (!newcomers->ret)
			newcomers->ret = weir_provider_publish(provider);
		if (newcomers->ret)
			break;
		WEIR_FIRE(probe, (int64_t)newcomers->count);
		newcomers->count++;
		weir_provider_destroy(provider);
	}
	return NULL;
}

/* Answers how often each. */
static void do_beside(char **words)
{
	struct newcomers newcomers = { 0 };
	int plugged = 0, count = atoi(words[2]);
	const char *reason = NULL;
	char sentence[32];
	pthread_t thread;

	pthread_create(&thread, NULL, publish_newcomers, &newcomers);
	for (; (plugged < count || newcomers.count < count) && !newcomers.ret && !reason;
	     plugged++) {
		void *handle = dlopen(words[1], RTLD_NOW | RTLD_LOCAL);

		if (!handle || dlclose(handle))
			reason = dlerror();
	}
	newcomers.stop = true;
	pthread_join(thread, NULL);
	snprintf(sentence, sizeof(sentence), "%d %d", plugged, newcomers.count);
	answer(reason ? -ENOENT : newcomers.ret, reason ? reason : sentence);
}

struct churn {
	struct weir_provider *provider;
	long count;
	int ret;
	volatile bool stop;
};

static void churn_run(void *argument)
{
	struct churn *churn = argument;

	for (long i = 0; i < churn->count && !churn->ret; i++) {
		churn->ret = weir_provider_withdraw(churn->provider);
		if (!churn->ret)
			churn->ret = weir_provider_publish(churn->provider);
	}
	churn->stop = true;
}

static void do_churn(char **words)
{
	struct churn churn = { .count = atol(words[2]) };
	struct loop loop = { .stop = &churn.stop };
	struct known *k = find(words[1]);

	if (!k)
		return;
	loop.probe = k->probe;
	*strchr(words[1], ':') = '\0';
	churn.ret = weir_provider_find(words[1], &churn.provider);
	if (!churn.ret)
		threads_run(&loop, atoi(words[3]), churn_run, &churn);
	answer(churn.ret, "");
}

struct comer {
	struct weir_provider *provider;
	volatile bool stop;
	int ret;
};

static void *come_and_go(void *argument)
{
	struct comer *comer = argument;

	while (!comer->stop && !comer->ret) {
		comer->ret = weir_provider_withdraw(comer->provider);
		if (!comer->ret)
			comer->ret = weir_provider_publish(comer->provider);
	}
	return NULL;
}

static void do_forks(char **words)
{
	struct comer comer = { 0 };
	struct known *k = find(words[1]);
	pthread_t thread;
	int failed = 0;

	if (!k)
		return;
	*strchr(words[1], ':') = '\0';
	comer.ret = weir_provider_find(words[1], &comer.provider);
	pthread_create(&thread, NULL, come_and_go, &comer);
	for (long i = atol(words[2]); i > 0; i--) {
		pid_t child = fork();
		int status;

		if (!child)
			_exit(weir_provider_withdraw(comer.provider) ||
			      weir_provider_publish(comer.provider) ||
			      weir_fire_values(k->probe, &(union weir_value){ .i64 = i }, 1));
		failed += child < 0 || waitpid(child, &status, 0) < 0 || status;
	}
	comer.stop = true;
	pthread_join(thread, NULL);
	if (!comer.ret && failed)
		comer.ret = -ECHILD;
	answer(comer.ret, "");
}

static struct weir_probe *handler_probe;
static int64_t handled;

static void handler(int signal)
{
	(void)signal;
	WEIR_FIRE(handler_probe, -1 - __atomic_fetch_add(&handled, 1, __ATOMIC_RELAXED));
}

static void *signals_run(void *argument)
{
	long count = *(long *)argument;
	struct timespec pause = { .tv_nsec = 20000 };

	/* The first fire of this thread is one in a handler. */
	for (long i = 0; i < count; i++) {
		pthread_kill(pthread_self(), SIGUSR1);
		for (int j = 0; j < 20; j++)
			WEIR_FIRE(handler_probe, (int64_t)j);
		nanosleep(&pause, NULL);
	}
	return NULL;
}

static void do_signals(char **words)
{
	struct sigaction action = { .sa_handler = handler };
	struct itimerspec often = { .it_interval.tv_nsec = 50000, .it_value.tv_nsec = 50000 };
	struct sigevent event = { .sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1 };
	long count = atol(words[2]);
	struct known *k = find(words[1]);
	char sentence[32];
	pthread_t thread;
	timer_t timer;

	if (!k)
		return;
	handler_probe = k->probe;
	handled = 0;
	sigaction(SIGUSR1, &action, NULL);
	timer_create(CLOCK_MONOTONIC, &event, &timer);
	timer_settime(timer, 0, &often, NULL);
	pthread_create(&thread, NULL, signals_run, &count);
	for (int64_t i = 0; i < count * 20; i++)
		WEIR_FIRE(k->probe, i);
	pthread_join(thread, NULL);
	timer_delete(timer);
	action.sa_handler = SIG_IGN;
	sigaction(SIGUSR1, &action, NULL);
	snprintf(sentence, sizeof(sentence), "%ld", (long)handled);
	answer(0, sentence);
}

/* EPERM for calls whose third argument, the protection, has all bits of `bits`. */
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, member))
#define REFUSE_CALL(number, bits)                                                   \
	LOAD(nr), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 4), LOAD(args[2]), \
	    BPF_STMT(BPF_ALU | BPF_AND | BPF_K, bits),                              \
	    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, bits, 0, 1),                        \
	    BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM)

/* Of all threads, also those that LTTng has started. */
static void do_refuse(const char *what)
{
	bool all = strcmp(what, "all") == 0;
	uint32_t mapped = all ? PROT_EXEC : PROT_EXEC | PROT_WRITE;
	struct sock_filter filter[] = {
		REFUSE_CALL(SYS_mmap, mapped),
		REFUSE_CALL(SYS_mprotect, PROT_EXEC),
		REFUSE_CALL(SYS_pkey_mprotect, PROT_EXEC),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(filter) / sizeof(*filter), filter };
	int ret = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);

	/* what ending a thread loads when it is too late */
	dlopen("libgcc_s.so.1", RTLD_NOW);
	if (!ret)
		ret = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC,
		                   &program);
	answer(ret ? -errno : 0, ret ? strerror(errno) : "");
}

static void commands(void);

/* The child answers the following commands, until quit; then the parent goes on. */
static void do_fork(void)
{
	pid_t child;

	fflush(stdout);
	child = fork();
	if (child > 0) {
		int status;

		waitpid(child, &status, 0);
		printf("ok child %d\n", status);
	} else {
		answer(child < 0, "");
		fflush(stdout);
		/* this may not be the main thread, and in the child it is the only one */
		commands();
		exit(0);
	}
}

static int entries(const char *path)
{
	DIR *dir = opendir(path);
	int count = 0;

	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 2;
}

static void do_number(const char *what, double *last)
{
	if (strcmp(what, "pid") == 0)
		printf("ok %d\n", getpid());
	else if (strcmp(what, "threads") == 0)
		printf("ok %d\n", entries("/proc/self/task"));
	else if (strcmp(what, "fds") == 0)
		printf("ok %d\n", entries("/proc/self/fd"));
	else if (strcmp(what, "clock") == 0)
		printf("ok %.0f\n", *last);
	else
		printf("error 0 no such command: %s\n", what);
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

struct command {
	char *words[WORDS];
	int count;
};

static void *run(void *argument)
{
	static double last;
	struct command *command = argument;
	char **words = command->words;
	double start = now_ms();

	if (strcmp(words[0], "provider") == 0)
		do_provider(words, command->count);
	else if (strcmp(words[0], "probe") == 0)
		do_probe(words, command->count);
	else if (strcmp(words[0], "publish") == 0 || strcmp(words[0], "withdraw") == 0 ||
	         strcmp(words[0], "destroy") == 0 || strcmp(words[0], "why") == 0)
		do_life(words);
	else if (strcmp(words[0], "fire") == 0)
		do_fire(words, command->count);
	else if (strcmp(words[0], "loop") == 0)
		do_loop(words);
	else if (strcmp(words[0], "churn") == 0)
		do_churn(words);
	else if (strcmp(words[0], "forks") == 0)
		do_forks(words);
	else if (strcmp(words[0], "signals") == 0)
		do_signals(words);
	else if (strcmp(words[0], "mixed") == 0)
		do_mixed(words);
	else if (strcmp(words[0], "on") == 0)
		do_on(words);
	else if (strcmp(words[0], "plugin") == 0 || strcmp(words[0], "call") == 0 ||
	         strcmp(words[0], "unplug") == 0)
		do_plugin(words);
	else if (strcmp(words[0], "beside") == 0)
		do_beside(words);
	else if (strcmp(words[0], "refuse") == 0)
		do_refuse(words[1]);
	else if (strcmp(words[0], "fork") == 0)
		do_fork();
	else if (strcmp(words[0], "exec") == 0)
		execv("/proc/self/exe", arguments);
	else
		do_number(words[0], &last);
	if (strcmp(words[0], "clock"))
		last = now_ms() - start;
	fflush(stdout);
	return NULL;
}

static bool read_command(struct command *ret)
{
	static char line[65536];
	char *save, *word;

	/* exec must not lose what stdio read ahead: one byte at a time */
	size_t length = 0;

	while (length < sizeof(line) - 1 && read(0, &line[length], 1) == 1 && line[length] != '\n')
		length++;
	line[length] = '\0';
	ret->count = 0;
	for (word = strtok_r(line, " ", &save); word && ret->count < WORDS;
	     word = strtok_r(NULL, " ", &save))
		ret->words[ret->count++] = word;
	return ret->count && strcmp(ret->words[0], "quit");
}

static void commands(void)
{
	struct command command;
	bool thread = false;

	while (read_command(&command)) {
		pthread_t id;

		if (strcmp(command.words[0], "newthread") == 0) {
			thread = true;
			answer(0, "");
			fflush(stdout);
			continue;
		}
		if (!thread || pthread_create(&id, NULL, run, &command))
			run(&command);
		else
			pthread_join(id, NULL);
		thread = false;
	}
}

int main(int argc, char **argv)
{
	(void)argc;
	arguments = argv;
	commands();
	return 0;
}
