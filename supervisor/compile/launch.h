/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starting dae-compile and taking what it made. Whoever starts it opens the
 * files of geo data, reads none of them, and believes nothing that comes back.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "supervisor/compile/task.h"

#define LAUNCH_DEADLINE_MS 30000

struct launch_how {
	const char *path; /* of dae-compile */
	uid_t uid;	  /* as priv_drop() */
	gid_t gid;
	const char *config; /* the configuration's path: its folder is searched
			     * for geo data; NULL: not */
	uint32_t deadline_ms; /* 0: LAUNCH_DEADLINE_MS */
};

uint32_t launch_deadline_ms(const struct launch_how *how);

/* A process under way. */
struct launched {
	pid_t pid;
	int pidfd;
	int report, rules, names; /* files it fills; names is -1 for a match */
};

/* What is left of one that ended well. */
struct launch_result {
	struct task_report report; /* never an error */
	int rules_fd, names_fd;	   /* sealed, checked; -1 for a match */
	size_t rules_len, names_len;
};

#define LAUNCH_RESULT_NONE                                                     \
	{                                                                      \
		.rules_fd = -1, .names_fd = -1                                 \
	}

/*
 * Compile @q's rules; q->kind, files and seed are filled in here. 0 or -errno
 * with *ret_err: -ENOENT for a file that is nowhere, with the folders searched.
 */
int launch_compile(struct launched *ret, const struct launch_how *how,
		   const struct task_request *q, struct task_error *ret_err);
/* Match @q's names by the image in @names_fd, which is borrowed. */
int launch_match(struct launched *ret, const struct launch_how *how,
		 const struct task_request *q, int names_fd,
		 struct task_error *ret_err);
/*
 * After its end, with the status that waitpid() gave. 0, or -errno with
 * *ret_err; warnings are in ret->report in both cases. The descriptors of @l
 * are closed or moved to *ret.
 */
int launch_collect(struct launched *l, int status, struct launch_result *ret,
		   struct task_error *ret_err);
/* Wait for it until its deadline, and collect. */
int launch_wait(struct launched *l, const struct launch_how *how,
		struct launch_result *ret, struct task_error *ret_err);
/* End it and wait for its end. Accepts one that was never started (pid 0). */
void launch_kill(struct launched *l);
void launch_result_clear(struct launch_result *r);
