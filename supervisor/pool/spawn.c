/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/pool/spawn.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base.h"
#include "common/fd.h"
#include "common/spawn.h"

_Static_assert(WORKER_CHANNEL_FD == SPAWN_FIRST_FD, "its only descriptor");

int spawn_worker(const char *path, const struct worker_args *args,
		 struct spawned *ret)
{
	auto_fd int theirs = -1, ours = -1;
	struct worker_argv argv;
	pid_t pid = -1;
	int pair[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, pair) < 0)
		return -errno;
	ours = pair[0];
	theirs = pair[1];
	worker_args_format(args, &argv);
	r = spawn_process(path, argv.argv, &theirs, 1, &pid);
	if (r < 0)
		return r;
	*ret = (struct spawned){
		.pid = pid,
		.pidfd = (int)syscall(SYS_pidfd_open, pid, 0),
		.chan_fd = TAKE_FD(ours),
	};
	return 0;
}
