/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's command line: written by the supervisor, read by the worker.
 * Nothing secret is in it: everybody can read it in /proc.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

struct worker_args {
	uint8_t role; /* enum worker_role */
	uint32_t generation;
	uid_t uid; /* PRIV_KEEP_IDS: keep */
	gid_t gid;
	pid_t parent;	     /* die with this process; 0: do not */
	uint64_t data_bytes; /* RLIMIT_DATA, 0: none */
	uint32_t files;	     /* RLIMIT_NOFILE, 0: none */
};

#define WORKER_ARGC_MAX 16 /* the NULL at the end included */

struct worker_argv {
	char text[WORKER_ARGC_MAX][24];
	char *argv[WORKER_ARGC_MAX]; /* points into text; NULL-terminated */
};

/* Fill @ret, to be passed to execv(): no allocation, nothing can fail. */
void worker_args_format(const struct worker_args *args,
			struct worker_argv *ret);
/* Read it back; every argument must be there, once. 0 or -EINVAL. */
int worker_args_parse(int argc, char *const *argv, struct worker_args *ret);
