/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a process that we start has of ours. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"
#include "common/spawn.h"

static int wait_for(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* Run a script of the shell with these descriptors; its exit code. */
static int run(const char *script, const int *fds, size_t count)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	int status;
	pid_t pid;

	assert_int_equal(spawn_process("/bin/sh", argv, fds, count, &pid), 0);
	status = wait_for(pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_descriptors(void **state DAE_UNUSED)
{
	auto_fd int one = memfd_create("one", 0), two = memfd_create("two", 0);
	auto_fd int more = memfd_create("more", 0); /* would be inherited */
	int fds[2];
	char text[64] = "";

	assert_true(more >= 0);
	assert_int_equal(write(one, "hello", 5), 5);
	/* in any order, numbers of theirs among ours */
	fds[0] = two;
	fds[1] = one;
	assert_int_equal(
		run("cat /proc/self/fd/4 >&3; for f in /proc/self/fd/*; do "
		    "case ${f##*/} in [0-4]) ;; *) [ ! -e \"$f\" ] || exit 9;; "
		    "esac; done; [ -e /proc/self/fd/4 ]",
		    fds, 2),
		0);
	assert_int_equal(pread(two, text, sizeof(text), 0), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(run("read -r x; [ -z \"$x\" ]", NULL, 0), 0);
}

static void test_environment(void **state DAE_UNUSED)
{
	setenv("DAE_LOG_LEVEL", "debug", 1);
	setenv("LD_PRELOAD", "", 1);
	setenv("SECRET", "x", 1);
	assert_int_equal(run("[ -z \"$SECRET\" ] && "
			     "[ -z \"${LD_PRELOAD+x}\" ] && "
			     "[ \"$DAE_LOG_LEVEL\" = debug ]",
			     NULL, 0),
			 0);
	unsetenv("DAE_LOG_LEVEL");
	unsetenv("LD_PRELOAD");
	unsetenv("SECRET");
}

/* What we ignore or block is not so there. */
static void test_signals(void **state DAE_UNUSED)
{
	char *argv[] = { "sh", "-c", "kill -TERM $$; exit 3", NULL };
	sigset_t block, old;
	int status;
	pid_t pid;

	signal(SIGTERM, SIG_IGN);
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigprocmask(SIG_BLOCK, &block, &old);
	assert_int_equal(spawn_process("/bin/sh", argv, NULL, 0, &pid), 0);
	status = wait_for(pid);
	sigprocmask(SIG_SETMASK, &old, NULL);
	signal(SIGTERM, SIG_DFL);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGTERM);
}

static void test_failures(void **state DAE_UNUSED)
{
	char *argv[] = { "none", NULL };
	int fds[SPAWN_FDS_MAX + 1], bad = 1 << 20, status;
	pid_t pid = -1;

	memset(fds, 0, sizeof(fds));
	assert_int_equal(spawn_process("/bin/true", argv, fds, ARRAY_LEN(fds),
				       &pid),
			 -E2BIG);
	assert_int_equal(spawn_process("/bin/true", argv, &bad, 1, &pid),
			 -EBADF);
	assert_int_equal(spawn_process("/nonexistent", argv, NULL, 0, &pid), 0);
	status = wait_for(pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), WORKER_EXIT_INTERNAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_descriptors),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_signals),
		cmocka_unit_test(test_failures),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
