/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules to images: what dae-compile does, apart from being a process. */
#pragma once

#include <stddef.h>

#include "supervisor/compile/task.h"

struct compiled {
	void *names; /* image, for free() */
	size_t names_len;
	void *rules;
	size_t rules_len;
};

/*
 * Do the whole job: lists of geo data from @fds (of q.files), the image of name
 * sets, names matched against it, the image of rules. @d's conditions are
 * filled with prefixes. Whatever is wrong with rules or files is an error in
 * *report, with its place, and the result is -EINVAL; -ENOMEM is for the
 * caller to say. Warnings are there in both cases.
 */
int compile_rules(struct task_decoded *d, const int *fds, struct compiled *ret,
		  struct task_report *report);
/* The sets of the job's names, by an image of name sets of somebody's. */
int compile_match(const struct task_request *q, const void *image, size_t len,
		  struct task_report *report);
void compiled_clear(struct compiled *c);
