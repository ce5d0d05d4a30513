/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base.h"
#include "common/exitcode.h"
#include "common/fd.h"

extern char **environ;

/* Above the numbers that the child fills, so that none is overwritten. */
#define FD_ABOVE 10

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

/* Between fork and exec: async-signal-safe calls only, and no return. */
static _Noreturn void become_worker(const char *path, char *const *argv,
				    char *const *env, const int fds[2])
{
	forget_signals();
	if (dup2(fds[0], STDIN_FILENO) < 0 || dup2(fds[0], STDOUT_FILENO) < 0)
		_exit(WORKER_EXIT_INTERNAL);
	if (fcntl(STDERR_FILENO, F_GETFD) < 0)
		dup2(fds[0], STDERR_FILENO);
	if (dup2(fds[1], WORKER_CHANNEL_FD) < 0 ||
	    close_range(WORKER_CHANNEL_FD + 1, ~0U, 0) < 0)
		_exit(WORKER_EXIT_INTERNAL);
	execve(path, argv, env);
	_exit(WORKER_EXIT_INTERNAL);
}

static int fd_above(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, FD_ABOVE);
	int r = -errno;

	close(fd);
	return high < 0 ? r : high;
}

/* ret[0]: /dev/null, ret[1]: the child's end; *ours: the other end. */
static int open_fds(int ret[2], int *ours)
{
	int pair[2];

	ret[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (ret[0] < 0)
		return -errno;
	ret[0] = fd_above(ret[0]);
	if (ret[0] < 0)
		return ret[0];
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair) < 0)
		return -errno;
	*ours = pair[0];
	ret[1] = fd_above(pair[1]);
	return ret[1] < 0 ? ret[1] : 0;
}

/* 0 in the parent; does not return in the child. */
static int fork_worker(const char *path, char *const *argv, const int fds[2],
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
		become_worker(path, argv, env, fds);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return r;
	*ret = pid;
	return 0;
}

int spawn_worker(const char *path, const struct worker_args *args,
		 struct spawned *ret)
{
	auto_fd int null_fd = -1, theirs = -1, ours = -1;
	struct worker_argv argv;
	int fds[2] = { -1, -1 };
	pid_t pid = -1;
	int r;

	r = open_fds(fds, &ours);
	null_fd = fds[0];
	theirs = fds[1];
	if (r < 0)
		return r;
	worker_args_format(args, &argv);
	r = fork_worker(path, argv.argv, fds, &pid);
	if (r < 0)
		return r;
	*ret = (struct spawned){
		.pid = pid,
		.pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
		.chan_fd = TAKE_FD(ours),
	};
	return 0;
}
