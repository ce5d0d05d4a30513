/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * dae-compile on the supervisor's loop: one at a time, with a deadline. The loop
 * goes on meanwhile.
 */
#pragma once

#include <stdbool.h>

#include "supervisor/compile/launch.h"

struct compiling;
struct event_base;

/*
 * It has ended: 0 with *res, or -errno with *e; warnings are in res->report in
 * both cases. What is taken out of *res is the callee's, which may start the
 * next job from here.
 */
typedef void compiling_done(void *arg, int r, struct launch_result *res,
			    const struct task_error *e);

/* @how is copied, what it points to is borrowed. 0 or -ENOMEM. */
int compiling_new(struct compiling **ret, struct event_base *base,
		  const struct launch_how *how);
/* Accepts NULL, sets *c to NULL; a job under way is ended, and not reported. */
void compiling_free(struct compiling **c);
bool compiling_is_busy(const struct compiling *c);
/* Compile @q's rules. 0: @done follows; -EBUSY, or what launch_compile() says. */
int compiling_start(struct compiling *c, const struct task_request *q,
		    compiling_done *done, void *arg,
		    struct task_error *ret_err);
/* Match @q's names by the image in @names_fd. As compiling_start(). */
int compiling_match(struct compiling *c, const struct task_request *q,
		    int names_fd, compiling_done *done, void *arg,
		    struct task_error *ret_err);
