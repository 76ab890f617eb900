/* SPDX-License-Identifier: MIT */
/* Bad input and bad surroundings: each gets an errno and a sentence, and the program lives on. */
#include "tests/unit/test.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <weir/weir.h>

#include "lib/probe.h"
#include "tests/unit/session.h"

static struct weir_error err;

static int create(const char *name, struct weir_provider **ret)
{
	struct weir_provider_options o = { .error = &err };

	memset(&err, 0, sizeof(err));
	return weir_provider_create(name, &o, ret);
}

static int declare(struct weir_provider *p, const char *name, const struct weir_field *fields,
                   size_t count, struct weir_probe **ret)
{
	struct weir_probe_options o = { .error = &err };

	memset(&err, 0, sizeof(err));
	return weir_probe_create(p, name, fields, count, &o, ret);
}

#define REFUSED(call, errno_, words)                                            \
	do {                                                                    \
		assert_int_equal((call), -(errno_));                            \
		assert_int_equal(err.code, -(errno_));                          \
		if (!strstr(err.message, words))                                \
			fail_msg("`%s` does not say `%s`", err.message, words); \
	} while (0)

static const struct weir_field two[] = { { "id", WEIR_U64 }, { "path", WEIR_STRING } };

static void test_names(void **state)
{
	(void)state;
	struct weir_provider *p = (void *)1, *q;
	struct weir_probe *a;
	char name[80];

	REFUSED(create(NULL, &p), EINVAL, "needs a name");
	REFUSED(create("", &p), EINVAL, "needs a name");
	REFUSED(create("a-b", &p), EINVAL, "`a-b` is not an identifier");
	REFUSED(create("1a", &p), EINVAL, "identifier");
	REFUSED(create("a b", &p), EINVAL, "identifier");
	REFUSED(create("caf\xc3\xa9", &p), EINVAL, "identifier");
	memset(name, 'n', sizeof(name));
	name[64] = '\0';
	REFUSED(create(name, &p), EINVAL, "64 characters");
	REFUSED(create("\033[31mred\nline", &p), EINVAL, "`?[31mred?line`");
	assert_ptr_equal(p, (void *)1); /* left alone */
	name[63] = '\0';
	assert_int_equal(create(name, &p), 0);
	REFUSED(create(name, &q), EEXIST, "weir_provider_find");
	assert_int_equal(declare(p, name, two, 2, &a), 0);
	REFUSED(declare(p, name, two, 1, &a), EEXIST, "weir_probe_find");
	REFUSED(declare(p, NULL, two, 1, &a), EINVAL, "needs a name");
	REFUSED(declare(p, "x:y", two, 1, &a), EINVAL, "x:y");
	weir_provider_destroy(p);
	weir_provider_destroy(NULL);
	assert_int_equal(weir_provider_find(name, &p), -ENOENT);
	assert_int_equal(weir_provider_find(NULL, &p), -EINVAL);
}

static void test_fields(void **state)
{
	(void)state;
	struct weir_field many[13];
	static const char *names[13] = { "a", "b", "c", "d", "e", "f", "g",
		                         "h", "i", "j", "k", "l", "m" };
	struct weir_field bad[2] = { { "x", WEIR_U8 }, { "x", WEIR_U8 } };
	struct weir_provider *p;
	struct weir_probe *a = (void *)1;

	for (int i = 0; i < 13; i++)
		many[i] = (struct weir_field){ names[i], WEIR_U8 };
	assert_int_equal(create("fields", &p), 0);
	REFUSED(declare(p, "a", many, 13, &a), E2BIG, "12 is the most");
	REFUSED(declare(p, "a", NULL, 1, &a), EINVAL, "fields is NULL");
	REFUSED(declare(p, "a", bad, 2, &a), EINVAL, "two fields named `x`");
	bad[1].name = "a.b";
	REFUSED(declare(p, "a", bad, 2, &a), EINVAL, "`a.b`");
	bad[1].name = NULL;
	REFUSED(declare(p, "a", bad, 2, &a), EINVAL, "field needs a name");
	bad[1] = (struct weir_field){ "y", (enum weir_type)0 };
	REFUSED(declare(p, "a", bad, 2, &a), EINVAL, "`y` of probe `a` has no type: 0");
	bad[1].type = (enum weir_type)15;
	REFUSED(declare(p, "a", bad, 2, &a), EINVAL, "no type: 15");
	assert_ptr_equal(a, (void *)1);
	assert_int_equal(declare(p, "a", many, 12, &a), 0);
	weir_provider_destroy(p);
}

static void test_options(void **state)
{
	(void)state;
	struct {
		struct weir_provider_options o;
		uint64_t later;
	} newer = { { .size = sizeof(newer), .error = &err }, 1 };
	struct weir_probe_options po = { .error = &err, .string_limit = 4097 };
	struct weir_provider *p;
	struct weir_probe *a;

	REFUSED(weir_provider_create("o", &newer.o, &p), E2BIG, "too old");
	newer.later = 0;
	newer.o.flags = 1u << 30;
	REFUSED(weir_provider_create("o", &newer.o, &p), EINVAL, "unknown flags 0x40000000");
	newer.o.flags = WEIR_PROVIDER_NO_BUFFER | WEIR_PROVIDER_NO_USDT;
	REFUSED(weir_provider_create("o", &newer.o, &p), EINVAL, "nobody could see");
	newer.o.flags = 0;
	newer.o.pool_size = 1;
	REFUSED(weir_provider_create("o", &newer.o, &p), EINVAL, "pool_size is 1;");
	newer.o.pool_size = 0;
	newer.o.reserved = 7;
	REFUSED(weir_provider_create("o", &newer.o, &p), EINVAL, "`reserved` is 7");
	newer.o.reserved = 0;
	newer.o.size = 3;
	assert_int_equal(weir_provider_create("o", &newer.o, &p), -EINVAL);
	newer.o.size = sizeof(newer);
	assert_int_equal(weir_provider_create("o", &newer.o, &p), 0);
	REFUSED(weir_probe_create(p, "a", two, 2, &po, &a), EINVAL, "4096 is the most");
	po.string_limit = 0;
	po.loglevel = 99;
	REFUSED(weir_probe_create(p, "a", two, 2, &po, &a), EINVAL, "log level 99");
	po.loglevel = 0;
	po.reserved = 8;
	REFUSED(weir_probe_create(p, "a", two, 2, &po, &a), EINVAL, "`reserved` is 8");
	po.reserved = 0;
	po.flags = 1u << 20;
	REFUSED(weir_probe_create(p, "a", two, 2, &po, &a), EINVAL, "unknown flags");
	/* An older caller's smaller struct. */
	po.flags = 0;
	po.size = offsetof(struct weir_probe_options, loglevel);
	assert_int_equal(weir_probe_create(p, "a", two, 2, &po, &a), 0);
	weir_provider_destroy(p);
}

/* Before publish and after withdraw a fire is nothing. */
static void test_off(void **state)
{
	(void)state;
	struct weir_probe *off = weir_probe_off;
	struct weir_provider *p;
	struct weir_probe *a;
	union weir_value v[2] = { { .u64 = 1 }, { .string = "x" } };

	assert_false(weir_enabled(off));
	assert_int_equal(WEIR_FIRE(off, 1, 2, "three"), 0);
	assert_int_equal(weir_fire_values(off, v, 2), 0);
	assert_int_equal(create("off", &p), 0);
	assert_int_equal(weir_provider_withdraw(p), 0);
	assert_int_equal(declare(p, "a", two, 2, &a), 0);
	assert_int_equal(WEIR_FIRE(a, 1, "x"), 0);
	assert_int_equal(weir_fire_values(a, v, 2), 0);
	assert_int_equal(weir_fire_values(a, v, 1), -EINVAL);
	assert_string_equal(weir_provider_path(p), "");
	assert_int_equal(weir_provider_publish(p), 0);
	assert_string_not_equal(weir_provider_path(p), "");
	assert_int_equal(weir_provider_withdraw(p), 0);
	assert_int_equal(weir_provider_withdraw(p), 0);
	assert_string_equal(weir_provider_path(p), "");
	assert_int_equal(WEIR_FIRE(a, 1, "x"), 0);
	weir_provider_destroy(p);
}

/* In the target an error is a return value. */
static void test_null(void **state)
{
	(void)state;
	struct weir_probe *a = (void *)1;
	struct weir_error e = { 0 };

	REFUSED(declare(NULL, "a", two, 2, &a), EINVAL, "no provider");
	assert_int_equal(weir_probe_find(NULL, "a", &a), -EINVAL);
	assert_ptr_equal(a, (void *)1);
	assert_int_equal(weir_provider_publish(NULL), -EINVAL);
	assert_int_equal(weir_provider_withdraw(NULL), -EINVAL);
	assert_string_equal(weir_provider_path(NULL), "");
	assert_null(weir_provider_path_at(NULL, 0));
	weir_provider_error(NULL, &e);
	assert_int_equal(e.code, -EINVAL);
}

/* A probe of a published provider has a stub of its own, and each is told. */
static void test_paths(void **state)
{
	(void)state;
	static const char *const names[] = { "a", "b", "c", "d" };
	struct weir_provider *p;
	struct weir_probe *a;

	assert_int_equal(create("paths", &p), 0);
	assert_null(weir_provider_path_at(p, 0));
	assert_int_equal(declare(p, "first", two, 2, &a), 0);
	assert_int_equal(weir_provider_publish(p), 0);
	for (size_t i = 0; i < 4; i++) {
		const char *path;

		assert_null(weir_provider_path_at(p, i + 1));
		assert_int_equal(declare(p, names[i], two, 2, &a), 0);
		path = weir_provider_path_at(p, i + 1);
		assert_non_null(path);
		assert_int_equal(access(path, R_OK), 0);
		assert_string_not_equal(path, weir_provider_path_at(p, i));
	}
	assert_string_equal(weir_provider_path(p), weir_provider_path_at(p, 0));
	weir_provider_withdraw(p);
	assert_null(weir_provider_path_at(p, 0));
	assert_int_equal(weir_provider_publish(p), 0);
	assert_non_null(weir_provider_path_at(p, 0));
	assert_null(weir_provider_path_at(p, 1));
	weir_provider_destroy(p);
}

/* ---- surroundings, each in a child that has nothing yet ---- */

static int in_child(int (*body)(void))
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(body());
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

/* Publishes a probe; what works must work, and the error must say what does not. */
static int publish_and_expect(int want, const char *words, bool buffers, bool usdt)
{
	struct weir_provider *p;
	struct weir_probe *a;
	struct weir_error e;
	struct session t;
	int r;

	if (create("sur", &p) || declare(p, "a", two, 2, &a))
		return 1;
	r = weir_provider_publish(p);
	weir_provider_error(p, &e);
	if (r != want || (words && !strstr(e.message, words))) {
		fprintf(stderr, "publish: %d, `%s`\n", r, e.message);
		return 2;
	}
	if (usdt != (weir_provider_path(p)[0] != '\0'))
		return 3;
	if (buffers != (session_open(getpid(), &t) == 0))
		return 4;
	if (buffers) {
		session_claim(&t, 0, WEIR_MODE_DROP, 4, NULL);
		session_enable(&t, session_id(&t, "sur", "a"));
		if (WEIR_FIRE(a, 1, "x") || session_walk(&t, NULL, NULL) != 1)
			return 5;
	}
	if (weir_enabled(a) != buffers)
		return 6;
	return WEIR_FIRE(a, 1, "x") ? 7 : 0;
}

static int no_fsize(void)
{
	struct rlimit limit = { 1 << 20, 1 << 20 };

	setrlimit(RLIMIT_FSIZE, &limit);
	return publish_and_expect(0, "RLIMIT_FSIZE", false, true);
}

/* Both parts fail, for one reason: each is said, with its remedy, and nothing is cut. */
static int no_bytes(void)
{
	char folder[] = "/tmp/weir-test-XXXXXX"; /* without the stub of an earlier run */
	struct weir_provider_options o = { .stub_dir = mkdtemp(folder) };
	struct rlimit limit = { 100, 100 };
	struct weir_provider *p;
	struct weir_probe *a;
	struct weir_error e;
	int r;

	if (weir_provider_create("bytes", &o, &p) || declare(p, "a", two, 2, &a))
		return 1;
	setrlimit(RLIMIT_FSIZE, &limit);
	r = weir_provider_publish(p);
	weir_provider_error(p, &e);
	rmdir(folder);
	if (r != -EFBIG || !strstr(e.message, "lower WEIR_POOL; no USDT: RLIMIT_FSIZE") ||
	    !strstr(e.message, "of the stub file: raise it"))
		return 2;
	return WEIR_FIRE(a, 1, "x") ? 3 : 0;
}

static int pool(const char *value, const char *words)
{
	setenv("WEIR_POOL", value, 1);
	return publish_and_expect(0, words, true, true);
}

static int pool_unreadable(void)
{
	return pool("a\033bc", "WEIR_POOL=a?bc is not a size");
}

static int pool_small(void)
{
	return pool("1", "1 MiB is used");
}

static int pool_suffix(void)
{
	return pool("64MB", "is not a size");
}

/* Is buffers' feature RSEQ off, or their clock not the TSC, under this environment? */
static bool told(const char *name, const char *value, bool rseq)
{
	struct weir_provider *p;
	struct session t;

	unsetenv("WEIR_NO_RSEQ");
	unsetenv("WEIR_NO_TSC");
	if (value)
		setenv(name, value, 1);
	if (create("told", &p) || weir_provider_publish(p) || session_open(getpid(), &t))
		_exit(99);
	return rseq ? !(t.header->features & WEIR_FEATURE_RSEQ) : t.header->clock != WEIR_CLOCK_TSC;
}

static const char *value_of;

static int no_rseq_is(void)
{
	return told("WEIR_NO_RSEQ", value_of, true);
}

static int no_tsc_is(void)
{
	return told("WEIR_NO_TSC", value_of, false);
}

static int no_files(void)
{
	struct rlimit limit = { 3, 3 };

	for (int fd = 3; fd < 64; fd++)
		close(fd);
	setrlimit(RLIMIT_NOFILE, &limit);
	return publish_and_expect(-EMFILE, "RLIMIT_NOFILE", false, false);
}

/* So many more bytes of address space than now. */
static void limit_space(uint64_t more)
{
	unsigned long pages = 0;
	FILE *f = fopen("/proc/self/statm", "r");

	if (fscanf(f, "%lu", &pages) != 1)
		_exit(99);
	fclose(f);
	more += pages * 4096;
	setrlimit(RLIMIT_AS, &(struct rlimit){ more, more });
}

static int no_address_space(void)
{
	limit_space(8 << 20);
	return publish_and_expect(0, "RLIMIT_AS", false, true);
}

static int little_address_space(void)
{
	limit_space(130 << 20); /* the pool shrinks until it fits, here twice: we map it, too */
	return publish_and_expect(0, NULL, true, true);
}

static int refuse(long call)
{
	struct sock_filter filter[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = { 4, filter };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	       prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

static int no_memfd(void)
{
	if (refuse(SYS_memfd_create))
		return 77;
	return publish_and_expect(0, "seccomp", false, true);
}

static int no_folder(void)
{
	/* Neither a folder that is ours nor a file system that may be written to. */
	setenv("WEIR_DIR", "/proc/weir", 1);
	return publish_and_expect(0, NULL, true, true); /* the stub goes to a memfd */
}

static int no_rdtsc(void)
{
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
		return 77;
	return publish_and_expect(0, NULL, true, true);
}

static void test_surroundings(void **state)
{
	(void)state;
	assert_int_equal(in_child(no_fsize), 0);
	assert_int_equal(in_child(no_bytes), 0);
	assert_int_equal(in_child(pool_unreadable), 0);
	assert_int_equal(in_child(pool_small), 0);
	assert_int_equal(in_child(pool_suffix), 0);
	assert_int_equal(in_child(no_files), 0);
	assert_int_equal(in_child(no_address_space), 0);
	assert_int_equal(in_child(little_address_space), 0);
	assert_int_equal(in_child(no_memfd), 0);
	assert_int_equal(in_child(no_folder), 0);
	assert_int_equal(in_child(no_rdtsc), 0);
}

/* A switch is on if it is neither empty nor 0. */
static void test_switches(void **state)
{
	(void)state;
	int (*const switches[])(void) = { no_rseq_is, no_tsc_is };

	for (int i = 0; i < 2; i++) {
		value_of = NULL;
		int unset = in_child(switches[i]);

		value_of = "";
		assert_int_equal(in_child(switches[i]), unset);
		value_of = "0";
		assert_int_equal(in_child(switches[i]), unset);
		value_of = "1";
		assert_int_equal(in_child(switches[i]), 1);
	}
}

/* A daemon closes everything and opens its own files under our number. */
static int daemon_closes(void)
{
	struct weir_provider *p;
	struct weir_probe *a;
	struct stat st;
	int fd, status;

	if (create("daemon", &p) || declare(p, "a", two, 2, &a) || weir_provider_publish(p))
		return 1;
	for (fd = 3; fd < 4096; fd++)
		close(fd);
	for (fd = 3; fd < 1024; fd++) {
		if (open("/dev/null", O_RDONLY) < 0)
			break;
	}
	pid_t pid = fork();

	if (!pid) { /* must not close what is not ours any more */
		for (int i = 3; i < fd; i++) {
			if (fstat(i, &st) || !S_ISCHR(st.st_mode))
				_exit(2);
		}
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status || WEIR_FIRE(a, 1, "x") ? 3 : 0;
}

static void test_daemon(void **state)
{
	(void)state;
	assert_int_equal(in_child(daemon_closes), 0);
}

/* Ten thousand probes, in one provider and in many, each a live one. */
static void test_many(void **state)
{
	(void)state;
	struct weir_provider *p;
	struct weir_probe *a, *last = NULL;
	struct session t;
	char name[32];

	assert_int_equal(create("many", &p), 0);
	for (int i = 0; i < 10000; i++) {
		snprintf(name, sizeof(name), "probe_%d", i);
		assert_int_equal(declare(p, name, two, 2, &a), 0);
		last = i == 4321 ? a : last;
	}
	assert_int_equal(weir_provider_publish(p), 0);
	assert_int_equal(session_open(getpid(), &t), 0);
	session_claim(&t, 0, WEIR_MODE_DROP, 4, NULL);
	session_enable(&t, session_id(&t, "many", "probe_4321"));
	assert_true(weir_enabled(last));
	assert_false(weir_enabled(a));
	assert_int_equal(WEIR_FIRE(last, 1, "x"), 0);
	assert_int_equal(session_walk(&t, NULL, NULL), 1);
	weir_provider_destroy(p);
	munmap(t.base, t.header->size);
}

/* The same schema again and again uses up nothing but a line in the log. */
static void test_again(void **state)
{
	(void)state;
	struct weir_provider *p;
	struct weir_probe *a, *first = NULL;

	for (int i = 0; i < 2000; i++) {
		assert_int_equal(create("again", &p), 0);
		assert_int_equal(declare(p, "a", two, 2, &a), 0);
		assert_int_equal(weir_provider_publish(p), 0);
		if (!first)
			first = a;
		assert_ptr_equal(a, first);
		weir_provider_destroy(p);
	}
}

static _Atomic bool stop;

static void *churn(void *arg)
{
	char name[16];

	snprintf(name, sizeof(name), "churn%zu", (size_t)arg);
	while (!stop) {
		struct weir_provider *p;
		struct weir_probe *a;

		if (weir_provider_create(name, NULL, &p) ||
		    weir_probe_create(p, "a", two, 2, NULL, &a))
			return (void *)1;
		weir_provider_publish(p);
		WEIR_FIRE(a, 1, "x");
		weir_provider_withdraw(p);
		WEIR_FIRE(a, 1, "x");
		weir_provider_destroy(p);
	}
	return NULL;
}

static void test_threads(void **state)
{
	(void)state;
	pthread_t thread[4];
	void *bad;
	int status;

	for (size_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, churn, (void *)i);
	for (int i = 0; i < 20; i++) {
		pid_t pid = fork(); /* with another thread inside the lock, or not */

		if (!pid) {
			struct weir_provider *p;
			struct weir_probe *a;

			_exit(create("child", &p) || declare(p, "a", two, 2, &a) ||
			      weir_provider_publish(p) || WEIR_FIRE(a, 1, "x"));
		}
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
	stop = true;
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
}

#define ADDED 15

static struct weir_provider *shared;

static void *publish_together(void *arg)
{
	size_t thread = (size_t)arg;

	for (int i = 0; i < ADDED; i++) {
		struct weir_probe_options o = { .flags = i % 2 ? WEIR_PROBE_DEFER : 0 };
		struct weir_probe *a;
		char name[16];

		snprintf(name, sizeof(name), "t%zu_%d", thread, i);
		if (weir_probe_create(shared, name, two, 2, &o, &a))
			return (void *)1;
		WEIR_FIRE(a, 1, "x");
		if (thread % 2 && i % 5 == 4 && weir_provider_withdraw(shared))
			return (void *)2;
		if (weir_provider_publish(shared))
			return (void *)3;
		WEIR_FIRE(a, 1, "x");
	}
	return NULL;
}

/* Several threads with one provider at once: none of its probes is lost. */
static void test_together(void **state)
{
	(void)state;
	pthread_t thread[4];
	struct weir_probe *a;
	char name[16];
	void *bad;

	assert_int_equal(create("together", &shared), 0);
	for (size_t i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, publish_together, (void *)i);
	for (int i = 0; i < 4; i++) {
		pthread_join(thread[i], &bad);
		assert_null(bad);
	}
	assert_int_equal(weir_provider_publish(shared), 0);
	for (int i = 0; i < 4 * ADDED; i++) {
		snprintf(name, sizeof(name), "t%d_%d", i / ADDED, i % ADDED);
		assert_int_equal(weir_probe_find(shared, name, &a), 0);
		assert_int_not_equal(a->signature, 0);
		assert_true(((struct probe *)a)->published);
		assert_true(((struct probe *)a)->announced);
	}
	assert_int_equal(weir_provider_withdraw(shared), 0);
	assert_int_equal(weir_provider_publish(shared), 0);
	assert_non_null(weir_provider_path_at(shared, 0));
	assert_null(weir_provider_path_at(shared, 1));
	weir_provider_destroy(shared);
}

int main(void)
{
	/* Surroundings first: their children must find a process that has published nothing. */
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_surroundings), cmocka_unit_test(test_switches),
		cmocka_unit_test(test_daemon),       cmocka_unit_test(test_null),
		cmocka_unit_test(test_paths),        cmocka_unit_test(test_names),
		cmocka_unit_test(test_fields),       cmocka_unit_test(test_options),
		cmocka_unit_test(test_off),          cmocka_unit_test(test_many),
		cmocka_unit_test(test_again),        cmocka_unit_test(test_threads),
		cmocka_unit_test(test_together),
	};

	return RUN(tests);
}
