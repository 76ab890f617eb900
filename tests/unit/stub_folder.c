/* SPDX-License-Identifier: MIT */
/* Folders that stubs may and may not come from, and what is in the way of writing them. */
#include "tests/unit/test.h"

#include <errno.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>

#include "tests/unit/stub_fixture.h"

static void test_other_bytes(void **state)
{
	struct stub s;
	char path[256], name[STUB_NAME_SIZE];
	const char *dir = in_folder("other");
	struct stat before, after;
	int kept;

	(void)state;
	stub_make(&s, "other", "\1");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkdir(dir, 0700), 0);
	s.image[s.size - 100] ^= 1; /* same size, one bit differs */
	put_other_file(path, s.image, s.size);
	s.image[s.size - 100] ^= 1;
	kept = open(path, O_RDONLY);
	assert_int_equal(fstat(kept, &before), 0);

	must_load_file(&s, "other", dir);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(before.st_ino, after.st_ino);
	assert_int_equal(fstat(kept, &after), 0);
	assert_int_equal(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
	assert_int_equal(after.st_nlink, 0);
	assert_int_equal(files_in(dir), 1);
	close(kept);
	stub_free(&s);

	/* cut short, as after a power failure */
	stub_make(&s, "other", "\2");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(path, s.image, 100);
	must_load_file(&s, "other", dir);
	stub_free(&s);

	/* a symlink, a FIFO, and a file others may write to */
	stub_make(&s, "other", "\3");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(in_folder("victim"), s.image, s.size);
	assert_int_equal(symlink(in_folder("victim"), path), 0);
	must_load_file(&s, "other", dir);
	assert_int_equal(lstat(path, &after), 0);
	assert_true(S_ISREG(after.st_mode));
	stub_free(&s);

	stub_make(&s, "other", "\4");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(mkfifo(path, 0755), 0);
	must_load_file(&s, "other", dir);
	stub_free(&s);

	stub_make(&s, "other", "\5");
	stub_name("other", s.image, name);
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	put_other_file(path, s.image, s.size);
	assert_int_equal(chmod(path, 0777), 0);
	must_load_file(&s, "other", dir);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(after.st_mode & 07777, 0755);
	stub_free(&s);
}

/* ---- hostile folders ---- */

static void test_folder_rules(void **state)
{
	struct stub s;
	const char *dir;

	(void)state;
	stub_make(&s, "rules", "\1");

	dir = in_folder("open");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	must_load_memfd(&s, "rules", dir, "has mode 0755, not 0700: chmod 700");
	assert_int_equal(chmod(dir, 01700), 0);
	must_load_memfd(&s, "rules", dir, "mode 1700");
	assert_int_equal(files_in(dir), 0);
	assert_int_equal(chmod(dir, 0700), 0);

	assert_int_equal(symlink(dir, in_folder("link")), 0);
	must_load_memfd(&s, "rules", in_folder("link"), "symlink");
	assert_int_equal(files_in(dir), 0);

	put_other_file(in_folder("file"), s.image, 10);
	must_load_memfd(&s, "rules", in_folder("file"), "not a folder");
	must_load_memfd(&s, "rules", in_folder("none/weir"), "No such file");

	if (!geteuid()) {
		assert_int_equal(chown(dir, 65534, 65534), 0);
		must_load_memfd(&s, "rules", dir, "belongs to uid 65534, not to 0");
		assert_int_equal(files_in(dir), 0);
	}

	/* fine itself, but a folder above it is everybody's */
	dir = in_folder("public");
	assert_int_equal(mkdir(dir, 0700), 0);
	assert_int_equal(chmod(dir, 0777), 0);
	must_load_memfd(&s, "rules", in_folder("public/weir"), "above it");
	assert_int_equal(files_in(in_folder("public/weir")), 0);
	assert_int_equal(chmod(dir, 01777), 0);
	must_load_file(&s, "rules", in_folder("public/weir"));

	/* through a symlink above: the path that tools see has none */
	assert_int_equal(symlink(dir, in_folder("way")), 0);
	assert_int_equal(load(&s, "rules", in_folder("way/weir"), false), 0);
	assert_int_equal(strncmp(s.file.path, dir, strlen(dir)), 0);
	stub_free(&s);
}

static void test_noexec(void **state)
{
	struct stub s;
	const char *dir = in_folder("noexec");

	(void)state;
	assert_int_equal(mkdir(dir, 0700), 0);
	if (mount("none", dir, "tmpfs", MS_NOEXEC, "mode=0700"))
		skip();
	stub_make(&s, "noexec", "\1");
	if (load(&s, "noexec", dir, false))
		fail_msg("%s", s.err.message);
	umount(dir);
	assert_true(s.file.fd >= 0);
	assert_non_null(strstr(s.err.message, "noexec"));
	stub_free(&s);
}

static void test_environment(void **state)
{
	struct stub s;
	char path[256];
	const char *dir = in_folder("environment");

	(void)state;
	stub_make(&s, "environment", "\1");
	setenv("WEIR_DIR", dir, 1);
	assert_int_equal(load(&s, "environment", NULL, false), 0);
	assert_int_equal(s.err.code, 0);
	assert_int_equal(strncmp(s.file.path, dir, strlen(dir)), 0);

	/* unusable: the next, and the reason */
	assert_int_equal(chmod(dir, 0755), 0);
	setenv("XDG_RUNTIME_DIR", folder, 1);
	assert_int_equal(load(&s, "environment", NULL, false), 0);
	assert_int_equal(strncmp(s.file.path, in_folder("weir"), strlen(in_folder("weir"))), 0);
	assert_non_null(strstr(s.err.message, "chmod 700"));
	unsetenv("WEIR_DIR");
	unsetenv("XDG_RUNTIME_DIR");

	assert_int_equal(load(&s, "environment", NULL, false), 0);
	snprintf(path, sizeof(path), "/tmp/weir-%u/", geteuid());
	assert_int_equal(strncmp(s.file.path, path, strlen(path)), 0);
	assert_int_equal(unlink(s.file.path), 0);
	stub_free(&s);
}

/* ---- nothing left ---- */

static void without_descriptors(void)
{
	struct stub s;
	struct rlimit none = { 3, 3 };

	stub_make(&s, "nofile", "\1");
	setrlimit(RLIMIT_NOFILE, &none);
	if (load(&s, "nofile", in_folder("weir"), false) != -EMFILE)
		_exit(1);
	if (s.err.code != -EMFILE || !strstr(s.err.message, "Too many open files"))
		_exit(2);
}

static void test_no_descriptors(void **state)
{
	(void)state;
	assert_int_equal(in_child(without_descriptors), 0);
}

static void with_small_files(void)
{
	struct stub s;
	struct rlimit small = { 1000, 1000 };

	signal(SIGXFSZ, SIG_DFL);
	stub_make(&s, "fsize", "\1");
	setrlimit(RLIMIT_FSIZE, &small);
	if (load(&s, "fsize", in_folder("weir"), false) != -EFBIG)
		_exit(1);
	if (!strstr(s.err.message, "RLIMIT_FSIZE"))
		_exit(2);
	if (load(&s, "fsize", NULL, true) != -EFBIG)
		_exit(3);
}

/* What is there can be used all the same. */
static void with_small_files_but_present(void)
{
	struct stub s;
	struct rlimit small = { 1000, 1000 };

	stub_make(&s, "present", "\1");
	setrlimit(RLIMIT_FSIZE, &small);
	if (load(&s, "present", in_folder("weir"), false))
		_exit(1);
}

static void make_present(void)
{
	struct stub s;

	stub_make(&s, "present", "\1");
	must_load_file(&s, "present", in_folder("weir"));
}

static void test_file_size_limit(void **state)
{
	(void)state;
	assert_int_equal(in_child(with_small_files), 0);
	assert_int_equal(in_child(make_present), 0);
	assert_int_equal(in_child(with_small_files_but_present), 0);
}

/* ---- under AT_SECURE ---- */

/* Asked by the leak checker, if there is one: it cannot look into a process that is not dumpable. */
int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return getenv("WEIR_TEST_SECURE") != NULL;
}

static int secure_main(void)
{
	struct stub s;

	stub_make(&s, "secure", "\1");
	if (load(&s, "secure", getenv("WEIR_TEST_FOLDER"), false) || s.file.fd < 0)
		return 1;
	return s.err.code ? 2 : 0;
}

/* A set-uid copy of this program, that is asked for a folder and has WEIR_DIR. */
static void test_secure(void **state)
{
	char command[512], self[256];
	const char *copy = in_folder("secure");
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);

	(void)state;
	assert_true(n > 0);
	self[n] = '\0';
	if (geteuid())
		skip();
	snprintf(command, sizeof(command), "cp %s %s && chown 65534 %s && chmod 4755 %s", self,
	         copy, copy, copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(mkdir(in_folder("owned"), 0700), 0);
	assert_int_equal(chown(in_folder("owned"), 65534, 65534), 0);
	snprintf(command, sizeof(command), "WEIR_TEST_SECURE=1 WEIR_DIR=%s WEIR_TEST_FOLDER=%s %s",
	         in_folder("owned"), in_folder("owned"), copy);
	assert_int_equal(system(command), 0);
	assert_int_equal(files_in(in_folder("owned")), 0);
	assert_int_equal(chmod(folder, 0700), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_other_bytes),    cmocka_unit_test(test_folder_rules),
		cmocka_unit_test(test_noexec),         cmocka_unit_test(test_environment),
		cmocka_unit_test(test_no_descriptors), cmocka_unit_test(test_file_size_limit),
		cmocka_unit_test(test_secure),
	};

	if (getenv("WEIR_TEST_SECURE"))
		_exit(secure_main()); /* no leak checker: it cannot work under AT_SECURE */
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
