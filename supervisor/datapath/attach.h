/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program on one interface: tcx by a link that is pinned, or a clsact filter
 * known by its handle and priority. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/datapath/generation.h"

#define ATTACH_TC_HANDLE 0xdae1
#define ATTACH_TC_PRIORITY 0x0dae
#define ATTACH_PROGRAM_PREFIX "dae_lan_"

struct bpf_link;

struct attachment {
	uint32_t ifindex; /* 0: free */
	bool has_mac;
	bool is_lo; /* the host's own traffic */
	bool is_tcx;
	struct bpf_link *link; /* tcx */
};

/* Whether the kernel has tcx (6.6). */
bool attach_has_tcx(void);
/* Whether frames of the interface begin with an Ethernet header. -errno. */
int attach_has_mac(uint32_t ifindex);

/* Put @g's program on @a's interface, replacing ours that is there, by one
 * update. Adopts what an earlier process left. @pin_dir may be NULL. */
int attach_set(struct attachment *a, const struct generation *g,
	       const char *pin_dir, struct datapath_error *err);
/* Take it off, with its pin. */
int attach_remove(struct attachment *a, const char *pin_dir);
/* Forget it on our side only. */
void attach_forget(struct attachment *a);

/* Our clsact filter of @ifindex, and the qdisc if nobody else uses it. 0 also
 * when there is none. */
int attach_remove_filter(uint32_t ifindex);
/* Detach and unpin a link pinned at @path. */
int attach_remove_link(const char *path);
