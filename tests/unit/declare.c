/* SPDX-License-Identifier: MIT */
/*
 * WEIR_PUBLISH and WEIR_WITHDRAW within one program: bad declarations, the program's own provider
 * of the same name, and other threads that fire all the while. Several files, plugins and linkers
 * are tests/declare's.
 */
#include <weir/probe.h>

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

WEIR_PROBE(shop, order, (u64, id), (string, path))
WEIR_PROBE(shop, idle)
WEIR_PROBE(bad, this_probe_s_name_is_longer_than_the_sixty_three_characters_that_perf_reads,
           (u8, a))
WEIR_PROBE(bad, fine, (u8, a))
WEIR_PROBE(
    a_name_that_is_longer_than_what_perf_reads_and_therefore_refused_by_all_the_library_s_calls,
    probe)
WEIR_PROBE(own, declared, (u64, n))

static const struct weir_probe_options unknown_flag = { .size = sizeof(unknown_flag),
	                                                .flags = 1u << 30 };
WEIR_PROBE_WITH(&unknown_flag, options, bad)
static const struct weir_probe_options semaphore = { .size = sizeof(semaphore),
	                                             .flags = WEIR_PROBE_SEMAPHORE,
	                                             .string_limit = 100 };
WEIR_PROBE_WITH(&semaphore, options, good, (string, path))

static int publish(const char *provider, struct weir_error *error)
{
	struct weir_provider_options options = { .size = sizeof(options), .error = error };

	memset(error, 0, sizeof(*error));
	return weir_declared_publish(__start_weir_probes, __stop_weir_probes, provider, &options);
}

static void test_bad_declarations(void **state)
{
	struct weir_error error;

	(void)state;
	assert_int_equal(publish("bad", &error), -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_non_null(strstr(error.message, "this_probe_s_name"));
	/* The other one can be had. */
	assert_ptr_not_equal(bad_weir_fine, weir_probe_off);
	assert_ptr_equal(
	    bad_weir_this_probe_s_name_is_longer_than_the_sixty_three_characters_that_perf_reads,
	    weir_probe_off);
	WEIR_PROBE_FIRE(
	    bad, this_probe_s_name_is_longer_than_the_sixty_three_characters_that_perf_reads, 1);

	assert_int_equal(publish("a_name_that_is_longer_than_what_perf_reads_and_therefore_"
	                         "refused_by_all_the_library_s_calls",
	                         &error),
	                 -EINVAL);
	assert_int_equal(error.code, -EINVAL);
	assert_int_equal(publish("not_declared", &error), -ENOENT);
	assert_non_null(strstr(error.message, "not_declared"));
	assert_int_equal(weir_declared_publish(NULL, NULL, "shop", NULL), -ENOENT);
	assert_int_equal(WEIR_WITHDRAW(bad), 0);
}

static void test_options(void **state)
{
	struct weir_error error;

	(void)state;
	assert_int_equal(publish("options", &error), -EINVAL);
	assert_ptr_equal(options_weir_bad, weir_probe_off);
	assert_ptr_not_equal(options_weir_good, weir_probe_off);
	assert_int_equal(WEIR_WITHDRAW(options), 0);
}

/* A provider that the program made stays the program's. */
static void test_own_provider(void **state)
{
	static const struct weir_field fields[] = { { "n", WEIR_U64 } };
	struct weir_provider *provider, *found;
	struct weir_probe *other, *declared;

	(void)state;
	assert_int_equal(weir_provider_create("own", NULL, &provider), 0);
	assert_int_equal(weir_probe_create(provider, "declared", fields, 1, NULL, &declared), 0);
	assert_int_equal(weir_probe_create(provider, "other", fields, 1, NULL, &other), 0);
	assert_int_equal(WEIR_PUBLISH(own), 0);
	assert_ptr_equal(own_weir_declared, declared);
	assert_int_not_equal(other->signature, 0); /* published with the rest */
	assert_int_equal(WEIR_WITHDRAW(own), 0);
	assert_int_not_equal(other->signature, 0);
	assert_int_equal(weir_provider_find("own", &found), 0);
	assert_ptr_equal(found, provider);
	weir_provider_destroy(provider);
}

static bool stop;

static void *fires(void *arg)
{
	uint64_t n = 0;

	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		WEIR_PROBE_FIRE(shop, order, n++, "/cart");
		shop_idle_fire();
	}
	return NULL;
}

static void test_publish_while_firing(void **state)
{
	pthread_t threads[3];

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, fires, NULL), 0);
	for (int i = 0; i < 50; i++) {
		assert_int_equal(WEIR_PUBLISH(shop), 0);
		assert_int_equal(WEIR_WITHDRAW(shop), 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
}

static void *publishes(void *arg)
{
	(void)arg;
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
		WEIR_PUBLISH(shop);
		WEIR_WITHDRAW(shop);
	}
	return NULL;
}

/* The lock is free in a child, whatever another thread was doing. */
static void test_fork_while_publishing(void **state)
{
	pthread_t thread;
	int status;

	(void)state;
	stop = false;
	assert_int_equal(WEIR_PUBLISH(shop), 0);
	assert_int_equal(pthread_create(&thread, NULL, publishes, NULL), 0);
	for (int i = 0; i < 20; i++) {
		pid_t child = fork();

		if (!child) {
			alarm(10);
			_exit(WEIR_PUBLISH(shop) ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(status, 0);
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
}

int main(void)
{
	char dir[] = "/tmp/weir-declare-XXXXXX";
	char command[64];
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_declarations),
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_own_provider),
		cmocka_unit_test(test_publish_while_firing),
		cmocka_unit_test(test_fork_while_publishing),
	};
	int failed;

	if (!mkdtemp(dir))
		return 1;
	setenv("WEIR_DIR", dir, 1);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command) || failed;
}
