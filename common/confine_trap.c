/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Debug builds: a call that is not on the list is named before the end. */
#include "common/confine.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/seccomp.h>

#include "common/base.h"
#include "common/exitcode.h"

#define NAME(call)                                                             \
	{                                                                      \
		__NR_##call, #call                                             \
	}

/* Those that libraries are likeliest to try; others go by their number. */
static const struct {
	int nr;
	const char *name;
} names[] = {
	NAME(socket),	   NAME(connect),    NAME(bind),
	NAME(openat),	   NAME(newfstatat), NAME(clone),
	NAME(execve),	   NAME(ioctl),	     NAME(fcntl),
	NAME(sendto),	   NAME(sendmsg),    NAME(sendmmsg),
	NAME(recvmmsg),	   NAME(setsockopt), NAME(mprotect),
	NAME(mmap),	   NAME(dup),	     NAME(kill),
	NAME(tgkill),	   NAME(prctl),	     NAME(rt_sigaction),
	NAME(sched_yield), NAME(prlimit64),  NAME(gettid),
	NAME(uname),	   NAME(sysinfo),    NAME(clock_nanosleep),
};

static const char *call_name(int nr)
{
	size_t i;

	for (i = 0; i < ARRAY_LEN(names); i++)
		if (names[i].nr == nr)
			return names[i].name;
	return "another";
}

static void on_sigsys(int sig DAE_UNUSED, siginfo_t *info, void *arg DAE_UNUSED)
{
	char line[96];
	int n = snprintf(line, sizeof(line), "sandbox: call %d (%s) denied\n",
			 info->si_syscall, call_name(info->si_syscall));

	if (write(STDERR_FILENO, line, (size_t)n) < 0)
		_exit(WORKER_EXIT_SANDBOX);
	_exit(WORKER_EXIT_SANDBOX);
}

uint32_t confine_otherwise(void)
{
	return SECCOMP_RET_TRAP;
}

int confine_prepare_otherwise(void)
{
	struct sigaction sa = { .sa_sigaction = on_sigsys,
				.sa_flags = SA_SIGINFO };

	return sigaction(SIGSYS, &sa, NULL) < 0 ? -errno : 0;
}
