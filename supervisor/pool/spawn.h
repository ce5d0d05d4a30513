/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new process image with nothing of ours but a channel and stderr. */
#pragma once

#include <sys/types.h>

#include "common/worker_args.h"

struct spawned {
	pid_t pid;
	int pidfd;   /* -1 where the kernel has none */
	int chan_fd; /* our end */
};

/*
 * Start @path as a worker. Its descriptors: /dev/null as 0 and 1, our stderr
 * as 2, the channel as WORKER_CHANNEL_FD, no other. Its environment: what a
 * sanitizer or the log needs, no more. 0 or -errno; a failing exec is
 * seen as an early exit of the child. The caller owns what is in *ret.
 */
int spawn_worker(const char *path, const struct worker_args *args,
		 struct spawned *ret);
