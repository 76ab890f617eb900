/* SPDX-License-Identifier: MIT */
/*
 * usage: loader PLUGIN
 * A plugin's constructor, and its destructor, that call the library while another thread publishes:
 * that one is in the middle, where it waits for the dynamic loader's lock, which the constructor
 * has. Nobody waits for ever, and what each of them asked for is what is there afterwards.
 */
#include "tests/unit/test.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/probe.h>

#include "lib/lock.h"
#include "lib/probe.h"

WEIR_PROBE(at_load, first, (u64, n))
WEIR_PROBE(at_load, second, (u64, n))
WEIR_PROBE(at_unload, first, (u64, n))
WEIR_PROBE(at_unload, second, (u64, n))

#define DEADLOCK_SECONDS 100

static const char *plugin;
static const struct weir_field fields[] = { { "n", WEIR_U64 } };

/* ---- one thread in a constructor, one that publishes ---- */

static struct meeting {
	struct weir_provider *provider; /* that the other thread publishes */
	int (*publish)(void);
	void (*meanwhile)(void); /* in the constructor */
	pthread_t thread;
	pid_t tid;
	int result;
	unsigned int calls;
} meeting;

static int publish_provider(void)
{
	return weir_provider_publish(meeting.provider);
}

static void *other_thread(void *unused)
{
	(void)unused;
	__atomic_store_n(&meeting.tid, (pid_t)syscall(SYS_gettid), __ATOMIC_RELEASE);
	meeting.result = meeting.publish();
	return NULL;
}

static bool sleeps(pid_t tid)
{
	char path[64], line[256] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	file = fopen(path, "r");
	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	state = strrchr(line, ')');
	return state && state[1] && state[2] == 'S';
}

/* It sleeps nowhere else for so long but where it waits for us. */
static void wait_until_it_waits(void)
{
	for (int in_a_row = 0; in_a_row < 20;) {
		pid_t tid = __atomic_load_n(&meeting.tid, __ATOMIC_ACQUIRE);

		nanosleep(&(struct timespec){ .tv_nsec = 1000000 }, NULL);
		in_a_row = tid && sleeps(tid) ? in_a_row + 1 : 0;
	}
}

__attribute__((visibility("default"))) void plugin_calls(void);

void plugin_calls(void)
{
	meeting.calls++;
	if (!meeting.meanwhile)
		return;
	meeting.tid = 0;
	meeting.result = -1;
	assert_int_equal(pthread_create(&meeting.thread, NULL, other_thread, NULL), 0);
	wait_until_it_waits();
	meeting.meanwhile();
}

/* Both ways; `check` says what has to be true after each. */
static void meet(struct weir_provider *(*provider)(void), int (*publish)(void),
                 void (*meanwhile)(void), void (*check)(void))
{
	void *handle = NULL;

	for (int way = 0; way < 2; way++) {
		meeting.provider = provider ? provider() : NULL;
		meeting.publish = publish;
		meeting.meanwhile = meanwhile;
		meeting.calls = 0;
		alarm(DEADLOCK_SECONDS);
		if (!way)
			handle = dlopen(plugin, RTLD_NOW | RTLD_LOCAL);
		else
			dlclose(handle);
		meeting.meanwhile = NULL;
		assert_non_null(handle);
		assert_int_equal(meeting.calls, 1);
		pthread_join(meeting.thread, NULL);
		alarm(0);
		assert_int_equal(meeting.result, 0);
		check();
	}
}

static void deadlock(int signal)
{
	static const char said[] = "not ok: deadlock\n";

	(void)signal;
	_exit(write(2, said, sizeof(said) - 1) < 0 ? 2 : 1);
}

/* ---- what they do ---- */

/* Each its own, so that each has a stub which is not loaded yet. */
static struct weir_provider *create(uint32_t flags)
{
	struct weir_provider_options options = { .flags = flags };
	static unsigned int number;
	struct weir_provider *p;
	char name[32];

	snprintf(name, sizeof(name), "loader%u", number++);
	assert_int_equal(weir_provider_create(name, &options, &p), 0);
	return p;
}

static struct weir_probe *add(struct weir_provider *p, const char *name, uint32_t flags)
{
	struct weir_probe_options options = { .flags = flags };
	struct weir_probe *probe;

	assert_int_equal(weir_probe_create(p, name, fields, 1, &options, &probe), 0);
	return probe;
}

static struct weir_provider *one_probe(void)
{
	struct weir_provider *p = create(0);

	add(p, "first", 0);
	return p;
}

static struct weir_provider *one_probe_in_memfd(void)
{
	struct weir_provider *p = create(WEIR_PROVIDER_MEMFD);

	add(p, "first", 0);
	return p;
}

static bool is_published(const char *name)
{
	struct weir_probe *head;
	bool published;

	assert_int_equal(weir_probe_find(meeting.provider, name, &head), 0);
	weir_lock();
	published = ((struct probe *)head)->published;
	weir_unlock();
	if (published)
		assert_int_not_equal(head->signature, 0); /* with a stub */
	assert_int_equal(*head->site, WEIR_SITE_OFF);
	assert_int_equal(WEIR_FIRE(head, 1), 0);
	return published;
}

static size_t paths(void)
{
	size_t n = 0;

	while (weir_provider_path_at(meeting.provider, n)) {
		for (size_t i = 0; i < n; i++)
			assert_string_not_equal(weir_provider_path_at(meeting.provider, i),
			                        weir_provider_path_at(meeting.provider, n));
		n++;
	}
	return n;
}

static void published_by_one(void)
{
	struct weir_error e;

	assert_true(is_published("first"));
	assert_int_equal(paths(), 1);
	weir_provider_error(meeting.provider, &e);
	assert_int_equal(e.code, 0);
}

/* ---- another provider: nothing to do with each other ---- */

static void another(void)
{
	struct weir_provider *p = create(0);

	add(p, "other", 0);
	assert_int_equal(weir_provider_publish(p), 0);
	assert_string_not_equal(weir_provider_path(p), "");
	add(p, "later", 0);
	assert_non_null(weir_provider_path_at(p, 1));
	assert_int_equal(weir_provider_withdraw(p), 0);
	assert_int_equal(weir_provider_publish(p), 0);
	weir_provider_destroy(p);
}

static void test_another_provider(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, another, published_by_one);
}

/* ---- the same: whoever comes back has it published ---- */

static void publishes_too(void)
{
	assert_int_equal(weir_provider_publish(meeting.provider), 0);
	published_by_one();
}

static void test_same_provider(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, publishes_too, published_by_one);
	meet(one_probe_in_memfd, publish_provider, publishes_too, published_by_one);
}

/* ---- probes that are added meanwhile are not lost ---- */

static void adds(void)
{
	add(meeting.provider, "second", 0);
	assert_true(is_published("second"));
	assert_false(is_published("first"));
	add(meeting.provider, "third", WEIR_PROBE_DEFER);
}

static void all_added(void)
{
	assert_true(is_published("first"));
	assert_true(is_published("second"));
	assert_int_equal(paths(), 2);
	assert_false(is_published("third"));
	assert_int_equal(weir_provider_publish(meeting.provider), 0);
	assert_true(is_published("third"));
	assert_int_equal(paths(), 3);
}

static void test_probe_added(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, adds, all_added);
}

/* Both have some of the probes. */
static void adds_and_publishes(void)
{
	add(meeting.provider, "second", WEIR_PROBE_DEFER);
	assert_int_equal(weir_provider_publish(meeting.provider), 0);
	assert_true(is_published("first"));
	assert_true(is_published("second"));
}

static void one_stub_for_both(void)
{
	assert_true(is_published("first"));
	assert_true(is_published("second"));
	assert_int_equal(paths(), 1);
}

static void test_overlapping(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, adds_and_publishes, one_stub_for_both);
}

/* ---- what is withdrawn meanwhile stays so ---- */

static void withdraws(void)
{
	assert_int_equal(weir_provider_withdraw(meeting.provider), 0);
}

static void withdrawn(void)
{
	assert_false(is_published("first"));
	assert_int_equal(paths(), 0);
	assert_int_equal(weir_provider_publish(meeting.provider), 0);
	published_by_one();
}

static void withdraws_and_publishes(void)
{
	withdraws();
	publishes_too();
}

static void test_withdrawn(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, withdraws, withdrawn);
	meet(one_probe, publish_provider, withdraws_and_publishes, published_by_one);
}

static struct weir_provider *again;

/* The same probes, of a new provider. */
static void destroys(void)
{
	char name[WEIR_NAME_MAX + 1];
	struct weir_provider *p;

	strcpy(name, meeting.provider->name);
	weir_provider_destroy(meeting.provider);
	assert_int_equal(weir_provider_find(name, &p), -ENOENT);
	assert_int_equal(weir_provider_create(name, NULL, &again), 0);
	add(again, "first", 0);
}

static void destroyed(void)
{
	meeting.provider = again;
	withdrawn();
	weir_provider_destroy(again);
}

static void test_destroyed(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, destroys, destroyed);
}

/* ---- <weir/probe.h> ---- */

static bool unloading;

static int publish_declared(void)
{
	return unloading ? WEIR_PUBLISH(at_unload) : WEIR_PUBLISH(at_load);
}

static void publishes_declared(void)
{
	assert_int_equal(publish_declared(), 0);
	assert_int_equal(weir_provider_find(unloading ? "at_unload" : "at_load", &meeting.provider),
	                 0);
	one_stub_for_both();
}

static void withdraws_declared(void)
{
	one_stub_for_both();
	assert_int_equal(unloading ? WEIR_WITHDRAW(at_unload) : WEIR_WITHDRAW(at_load), 0);
	assert_false(is_published("first"));
	unloading = true;
}

static void test_declared(void **state)
{
	(void)state;
	meet(NULL, publish_declared, publishes_declared, withdraws_declared);
}

/* ---- a fork there ---- */

static void forks(void)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		alarm(DEADLOCK_SECONDS / 2);
		add(meeting.provider, "child", WEIR_PROBE_DEFER);
		weir_provider_withdraw(meeting.provider);
		weir_provider_destroy(meeting.provider);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void test_fork(void **state)
{
	(void)state;
	meet(one_probe, publish_provider, forks, published_by_one);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/weir-loader-XXXXXX";
	char command[64];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_another_provider), cmocka_unit_test(test_same_provider),
		cmocka_unit_test(test_probe_added),      cmocka_unit_test(test_overlapping),
		cmocka_unit_test(test_withdrawn),        cmocka_unit_test(test_destroyed),
		cmocka_unit_test(test_declared),         cmocka_unit_test(test_fork),
	};
	int failed;

	if (argc != 2 || !mkdtemp(dir))
		return 2;
	plugin = argv[1];
	signal(SIGALRM, deadlock);
	setenv("WEIR_DIR", dir, 1);
	failed = RUN(tests);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || failed;
}
