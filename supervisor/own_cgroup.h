/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The cgroup v2 this process is in: where the second fence is attached. */
#pragma once

#include <limits.h>

struct own_cgroup {
	char path[PATH_MAX];
	char made[PATH_MAX]; /* a folder we made and moved into, or "" */
};

/* Where cgroup v2 is mounted; -ENOENT: nowhere. */
int own_cgroup_mount(char ret[PATH_MAX]);
/*
 * Find it. In the root of the hierarchy, where a program would concern every
 * process of the machine, a folder dae-supervisor is made and moved into first,
 * or its leaf (CGROUP_LEAF) if one that was killed has divided it.
 * -ENOENT without cgroup v2, -errno if the move fails.
 */
int own_cgroup_enter(struct own_cgroup *ret);
