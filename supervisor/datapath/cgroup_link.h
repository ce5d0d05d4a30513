/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program on a cgroup by a link, which may be pinned. */
#pragma once

struct bpf_link;
struct bpf_program;

/*
 * Put @prog on the cgroup of descriptor @cgroup: by *link if there is one, else
 * by the one pinned at @path if it sits on this cgroup, else by a new one,
 * pinned there. @path may be NULL. 0 or -errno; *link is the caller's.
 */
int cgroup_link_set(struct bpf_link **link, const struct bpf_program *prog,
		    int cgroup, const char *path);
