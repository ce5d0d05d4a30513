/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of this machine helps or hinders the datapath, for daectl doctor. */
#pragma once

#include <stddef.h>

#include "supervisor/datapath/datapath.h"

enum finding_level { FINDING_OK, FINDING_WARN, FINDING_FAIL };

struct finding {
	enum finding_level level;
	char what[48];	/* "tcx", "jit", "bpffs", "nftables", ... */
	char text[208]; /* what was found, what to do */
};

/* Looks at capabilities, JIT, tcx, bpffs of @pin_dir (may be NULL), forwarding
 * sysctls, and at nftables base chains that drop, by policy or by a rule without a
 * condition, what is assigned to local listeners (read by nfnetlink, nothing is
 * executed). The number of
 * findings, at most @cap. */
size_t datapath_doctor(const char *pin_dir, struct finding *ret, size_t cap);
