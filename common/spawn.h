/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A new process image with nothing of ours but what it is given. */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#define SPAWN_FIRST_FD 3
#define SPAWN_FDS_MAX 80

/*
 * Start @path. Its descriptors: /dev/null as 0 and 1, our stderr as 2, @fds
 * from SPAWN_FIRST_FD on, no other. Its environment: what a sanitizer or the
 * log needs, no more; its signals are as the system's. 0 or -errno; an exec that
 * fails is seen as an early exit of the child (WORKER_EXIT_INTERNAL).
 */
int spawn_process(const char *path, char *const *argv, const int *fds,
		  size_t count, pid_t *ret);
