/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The drop of privilege, each case in a child of its own. */
#include "common/priv.h"

#include <errno.h>
#include <grp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <linux/capability.h>

#include <cmocka.h>

#define SUPERVISOR_ID 64900
#define WORKER_ID 64901

static int in_child(int (*what)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(what());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status)
				 : 1000 + WTERMSIG(status);
}

/* 0 if there is nothing left to gain; else which attempt succeeded. */
static int try_to_return(uid_t uid)
{
	gid_t groups[4];
	uid_t r, e, s;

	if (getresuid(&r, &e, &s) < 0 || r != uid || e != uid || s != uid)
		return 10;
	if (getgroups(4, groups) != 0)
		return 11;
	if (setuid(0) == 0 || seteuid(0) == 0 || setgid(0) == 0 ||
	    setgroups(1, &(gid_t){ 0 }) == 0)
		return 12;
	if (priv_verify_no_caps() < 0)
		return 13;
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 14;
	if (prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 15;
	if (kill(1, 0) == 0)
		return 16;
	return 0;
}

static int as_root(void)
{
	if (setgroups(2, (gid_t[]){ 0, 4 }) < 0)
		return 1;
	if (priv_drop(WORKER_ID, WORKER_ID, getppid()) < 0)
		return 2;
	if (prctl(PR_CAPBSET_READ, CAP_NET_ADMIN, 0, 0, 0) != 0)
		return 3;
	return try_to_return(WORKER_ID);
}

/* Become what the unit starts: a user with ambient capabilities. */
static int become_ambient(void)
{
	const uint32_t caps = 1U << CAP_SETUID | 1U << CAP_SETGID |
			      1U << CAP_NET_ADMIN | 1U << CAP_KILL;
	struct __user_cap_header_struct h = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct d[2] = { { caps, caps, caps }, { 0 } };

	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0 || setgroups(0, NULL) < 0 ||
	    setresgid(SUPERVISOR_ID, SUPERVISOR_ID, SUPERVISOR_ID) < 0 ||
	    setresuid(SUPERVISOR_ID, SUPERVISOR_ID, SUPERVISOR_ID) < 0 ||
	    syscall(SYS_capset, &h, d) < 0)
		return -1;
	for (int c = 0; c < 32; c++)
		if ((caps & 1U << c) &&
		    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, c, 0, 0) < 0)
			return -1;
	return 0;
}

/* Why the drop is done by hand: without it, this is what is left. */
static int ambient_and_setresuid_alone(void)
{
	if (become_ambient() < 0)
		return 1;
	if (setresuid(WORKER_ID, WORKER_ID, WORKER_ID) < 0)
		return 2;
	if (priv_verify_no_caps() == 0)
		return 3;
	return setuid(0) == 0 ? 0 : 4;
}

static int as_ambient(void)
{
	if (become_ambient() < 0)
		return 1;
	if (priv_drop(WORKER_ID, WORKER_ID, 0) < 0)
		return 2;
	return try_to_return(WORKER_ID);
}

static int as_nobody_keeping_ids(void)
{
	if (setgroups(0, NULL) < 0 ||
	    setresgid(SUPERVISOR_ID, SUPERVISOR_ID, SUPERVISOR_ID) < 0 ||
	    setresuid(SUPERVISOR_ID, SUPERVISOR_ID, SUPERVISOR_ID) < 0)
		return 1;
	if (priv_drop(WORKER_ID, WORKER_ID, 0) != -EPERM)
		return 2;
	if (priv_drop(PRIV_KEEP_IDS, PRIV_KEEP_IDS, 0) < 0)
		return 3;
	return try_to_return(SUPERVISOR_ID);
}

static int as_root_keeping_ids(void)
{
	return priv_drop(PRIV_KEEP_IDS, PRIV_KEEP_IDS, 0) == -EPERM ? 0 : 1;
}

static int to_root(void)
{
	if (priv_drop(0, WORKER_ID, 0) != -EPERM)
		return 1;
	return priv_drop(WORKER_ID, 0, 0) == -EPERM ? 0 : 2;
}

static int with_another_parent(void)
{
	return priv_drop(WORKER_ID, WORKER_ID, 1) == -ESRCH ? 0 : 1;
}

static int need_root(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("needs root\n");
		return 77;
	}
	return 0;
}

static void the_drop_takes(void **state)
{
	(void)state;
	assert_int_equal(in_child(as_root), 0);
	assert_int_equal(in_child(ambient_and_setresuid_alone), 0);
	assert_int_equal(in_child(as_ambient), 0);
	assert_int_equal(in_child(as_nobody_keeping_ids), 0);
}

static void what_is_no_drop_is_refused(void **state)
{
	(void)state;
	assert_int_equal(in_child(as_root_keeping_ids), 0);
	assert_int_equal(in_child(to_root), 0);
	assert_int_equal(in_child(with_another_parent), 0);
}

/* The sanitizer's own memory counts as data: a limit above that. */
#define DATA_LIMIT (1ULL << 46)

static int limits(void)
{
	const struct priv_limits l = { .data_bytes = DATA_LIMIT,
				       .files = 100,
				       .oom_score_adj = 500 };
	struct rlimit lim;
	char text[16] = "";
	FILE *f;

	if (priv_limit(&l) < 0)
		return 1;
	if (getrlimit(RLIMIT_DATA, &lim) < 0 || lim.rlim_max != DATA_LIMIT)
		return 2;
	if (getrlimit(RLIMIT_NOFILE, &lim) < 0 || lim.rlim_max != 100)
		return 3;
	if (getrlimit(RLIMIT_CORE, &lim) < 0 || lim.rlim_max != 0)
		return 4;
	if (getrlimit(RLIMIT_FSIZE, &lim) < 0 || lim.rlim_max > 1ULL << 30)
		return 5;
	f = fopen("/proc/self/oom_score_adj", "re");
	if (!f || !fgets(text, sizeof(text), f) || strcmp(text, "500\n") != 0)
		return 6;
	return 0;
}

static void limits_are_lowered(void **state)
{
	(void)state;
	assert_int_equal(in_child(limits), 0);
}

/* The death signal must come after setresuid(), which clears it. */
static void it_dies_with_its_parent(void **state)
{
	const struct timespec nap = { .tv_nsec = 10000000 };
	int fds[2], status;
	pid_t parent;
	char byte;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	parent = fork();
	if (parent == 0) {
		if (fork() == 0) {
			if (priv_drop(WORKER_ID, WORKER_ID, getppid()) < 0 ||
			    write(fds[1], "", 1) != 1)
				_exit(1);
			for (;;)
				pause();
		}
		for (;;)
			pause();
	}
	close(fds[1]);
	assert_int_equal(read(fds[0], &byte, 1), 1);
	nanosleep(&nap, NULL);
	kill(parent, SIGKILL);
	waitpid(parent, &status, 0);
	/* the grandchild holds the other end as long as it lives */
	assert_int_equal(read(fds[0], &byte, 1), 0);
	close(fds[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_drop_takes),
		cmocka_unit_test(what_is_no_drop_is_refused),
		cmocka_unit_test(limits_are_lowered),
		cmocka_unit_test(it_dies_with_its_parent),
	};

	if (need_root(NULL))
		return 77;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
