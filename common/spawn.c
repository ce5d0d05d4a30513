/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "common/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"

extern char **environ;

/* Above the numbers that the child fills, so that none is overwritten. */
#define FD_ABOVE 100
_Static_assert(FD_ABOVE > SPAWN_FIRST_FD + SPAWN_FDS_MAX, "room for all");

static const char *const env_kept[] = {
	"DAE_LOG_LEVEL=", "JOURNAL_STREAM=", "ASAN_OPTIONS=",
	"LSAN_OPTIONS=",  "UBSAN_OPTIONS=",  "LLVM_PROFILE_FILE=",
	"GCOV_PREFIX=",
};

#define ENV_MAX (ARRAY_LEN(env_kept) + 1)

static void pick_env(char *ret[ENV_MAX])
{
	size_t n = 0;

	for (char **e = environ; e && *e; e++) {
		for (size_t i = 0; i < ARRAY_LEN(env_kept); i++) {
			if (n + 1 < ENV_MAX &&
			    strncmp(*e, env_kept[i], strlen(env_kept[i])) == 0)
				ret[n++] = *e;
		}
	}
	ret[n] = NULL;
}

/* Our handlers write to pipes that the child shares until it executes. */
static void forget_signals(void)
{
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		signal(sig, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptors high enough to be out of the way: null first. */
struct high {
	int fds[SPAWN_FDS_MAX + 1];
	size_t count;
};

static void high_clear(struct high *h)
{
	while (h->count > 0)
		close(h->fds[--h->count]);
}

static int high_add(struct high *h, int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE);

	if (high < 0)
		return -errno;
	h->fds[h->count++] = high;
	return 0;
}

/* Between fork and exec: async-signal-safe calls only, and no return. */
static _Noreturn void become(const char *path, char *const *argv,
			     char *const *env, const struct high *h)
{
	int null_fd = h->fds[0];
	size_t i;

	forget_signals();
	if (dup2(null_fd, STDIN_FILENO) < 0 || dup2(null_fd, STDOUT_FILENO) < 0)
		_exit(WORKER_EXIT_INTERNAL);
	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		dup2(null_fd, STDERR_FILENO);
	for (i = 1; i < h->count; i++)
		if (dup2(h->fds[i], SPAWN_FIRST_FD + (int)i - 1) < 0)
			_exit(WORKER_EXIT_INTERNAL);
	if (close_range(SPAWN_FIRST_FD + (unsigned int)h->count - 1, ~0U, 0) <
	    0)
		_exit(WORKER_EXIT_INTERNAL);
	execve(path, argv, env);
	_exit(WORKER_EXIT_INTERNAL);
}

static int fork_exec(const char *path, char *const *argv, const struct high *h,
		     pid_t *ret)
{
	char *env[ENV_MAX];
	sigset_t all, old;
	pid_t pid;
	int r;

	pick_env(env);
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &old);
	pid = fork();
	r = -errno;
	if (pid == 0)
		become(path, argv, env, h);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return r;
	*ret = pid;
	return 0;
}

int spawn_process(const char *path, char *const *argv, const int *fds,
		  size_t count, pid_t *ret)
{
	__attribute__((cleanup(high_clear))) struct high h = { .count = 0 };
	auto_fd int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	int r;

	if (null_fd < 0)
		return -errno;
	if (count > SPAWN_FDS_MAX)
		return -E2BIG;
	r = high_add(&h, null_fd);
	for (size_t i = 0; r == 0 && i < count; i++)
		r = high_add(&h, fds[i]);
	return r < 0 ? r : fork_exec(path, argv, &h, ret);
}
