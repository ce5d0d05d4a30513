/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a generation of rules is loaded with; no part of the pinned ABI. */
#pragma once

#include <linux/types.h>

#include "common/ruleset_format.h"

/* Constants of a generation, frozen at load. */
struct dae_config {
	__u64 seed[2];
	__u64 mac_multiplier;
	__u64 pname_multiplier;
	__u32 flow_mask; /* sets - 1 */
	__u32 cpu_mask;	 /* possible CPUs, rounded up, - 1 */
	__u32 mark;	 /* sends a packet to a local listener */
	__u32 mark_mask;
	__u32 udp_jiffies; /* a UDP flow idle for longer is decided anew */
	__u32 frag_jiffies;
	__u32 word_count;
	__u32 used_dims;
	__u32 mac_miss;
	__u32 domain_miss;
	__u32 domain_mask4; /* lines - 1 */
	__u32 domain_mask6;
	__u32 pname_miss;
	__u32 pname_shift;
	__u32 is_host; /* in the context of the sending process, which is
			  * known, and which may be interrupted anywhere */
	__u32 class_base[DAE_DIM_COUNT];
	__u32 reclassify; /* entries may be AGAIN */
};

/* Of the host's own traffic, beside those. */
struct dae_host_config {
	__u64 netns; /* cookie of the namespace the rules are for */
	__u32 so_mark;
	__u32 zero;
};
