/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of this machine helps or hinders the datapath, for daectl doctor. */
#pragma once

#include <stddef.h>

#include "supervisor/datapath/datapath.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
	enum finding_level level;
	char what[48];	/* "tcx", "jit", "bpffs", "nftables", ... */
	char text[208]; /* what was found, what follows from it */
	char hint[448]; /* the command that mends it; may be empty */
};

/* What is to be judged. */
struct doctor_options {
	const char *pin_dir; /* may be NULL */
	uint32_t mark, mark_mask;
	const uint32_t *lan; /* interfaces that are or would be bound */
	size_t lan_count;
};

/* Looks at capabilities, JIT, features of the kernel, bpffs of the pin folder,
 * sysctls, other programs on the LAN's interfaces, and sends a first packet
 * through the rules of nftables (nothing is executed, see nft.h). The number of
 * findings, at most @cap. */
size_t datapath_doctor(const struct doctor_options *opt, struct finding *ret,
		       size_t cap);
