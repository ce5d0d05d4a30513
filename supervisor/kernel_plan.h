/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a configuration is in the kernel: its numbers, and its compiled rules. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/ruleset.h"
#include "supervisor/compile/launch.h"
#include "supervisor/datapath/datapath.h"

struct kernel_plan {
	uint16_t *group_ids;	    /* by index of config.groups */
	uint16_t *target_ids;	    /* by index of config.nodes */
	struct datapath_list *seen; /* as published, GROUP_SELS to a group */
	/* from kernel_plan_take() on */
	void *image; /* mapped */
	size_t image_len;
	struct ruleset rules;
	int names_fd; /* the image of name sets, sealed; -1: none */
};

/* An empty one, for kernel_plan_new() to fill; NULL: no memory. */
struct kernel_plan *kernel_plan_alloc(size_t groups, size_t nodes);
/* Accepts NULL, sets *p to NULL. */
void kernel_plan_free(struct kernel_plan **p);
/* The images that dae-compile made: checked, and theirs from now on. 0,
 * -EINVAL: no sound image, or -errno. */
int kernel_plan_take(struct kernel_plan *p, struct launch_result *res);
/* The image will be looked at rarely: its pages need not be ours meanwhile. */
void kernel_plan_rest(struct kernel_plan *p);
