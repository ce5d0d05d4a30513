/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory cgroup for each worker, where the system lets us have one: the v1
 * memory hierarchy, or a delegated v2 subtree. Without one RLIMIT_DATA and the
 * supervisor's own measurements remain.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum cgroup_kind { CGROUP_NONE, CGROUP_V1, CGROUP_V2 };

#define CGROUP_PATH_MAX 512
/* Where this process goes in a v2 subtree: only leaves take processes. */
#define CGROUP_LEAF "/dae-main"

struct cgroup_root {
	enum cgroup_kind kind;
	char path[CGROUP_PATH_MAX]; /* ours; the workers' are made in it */
};

/*
 * Prepare a folder for workers' cgroups below @where, or with NULL below the
 * cgroup this process is in. In a v2 subtree this process moves to a leaf of
 * its own first, and only if nothing else lives there. kind is CGROUP_NONE
 * where there is none to be had, which is no error. Folders that supervisors
 * left which are no more are removed.
 */
void cgroup_find(struct cgroup_root *ret, const char *where);
/* Removes the folder; the workers' cgroups must be gone. */
void cgroup_release(struct cgroup_root *root);
/* Make the cgroup of worker @serial, a number never used before, with a hard
 * limit, and move @pid in. 0 or -errno. */
int cgroup_add(const struct cgroup_root *root, uint32_t serial, pid_t pid,
	       uint64_t max_bytes);
/* True if the kernel killed in it for want of memory. */
bool cgroup_was_oom(const struct cgroup_root *root, uint32_t serial);
/* After the worker was reaped. */
void cgroup_remove(const struct cgroup_root *root, uint32_t serial);
