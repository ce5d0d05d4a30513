/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/reap.h"

#include <errno.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int reap_try(pid_t pid, int *ret)
{
	pid_t got = waitpid(pid, ret, WNOHANG);

	if (got < 0)
		return -errno;
	return got == pid;
}

int reap_wait(pid_t pid, int *ret)
{
	pid_t got;

	do {
		got = waitpid(pid, ret, 0);
	} while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : 0;
}

int reap_kill(pid_t pid, int pidfd)
{
	int r;

	if (pidfd >= 0)
		r = (int)syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL,
				 0);
	else
		r = kill(pid, SIGKILL);
	return r < 0 && errno != ESRCH ? -errno : 0;
}

struct slot_exit reap_decode(int status, bool was_oom)
{
	if (WIFSIGNALED(status))
		return (struct slot_exit){ .is_signal = true,
					   .code = WTERMSIG(status),
					   .was_oom = was_oom };
	return (struct slot_exit){ .code = WEXITSTATUS(status),
				   .was_oom = was_oom };
}
