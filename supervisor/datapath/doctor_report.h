/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as they are collected. */
#pragma once

#include "common/base.h"
#include "supervisor/datapath/doctor.h"

struct report {
	struct finding *items;
	size_t count, cap;
};

/* One more; when there is no room it is left out. Never NULL: what is added to
 * it then is lost. */
struct finding *report_add(struct report *r, enum finding_level level,
			   const char *what, const char *fmt, ...)
	DAE_PRINTF(4, 5);
void report_hint(struct finding *f, const char *fmt, ...) DAE_PRINTF(2, 3);
/* A small number from a file of /proc or /sys, or -1. */
int report_read(const char *fmt, ...) DAE_PRINTF(1, 2);

/* Chains that would drop flows of the LAN. */
void doctor_nftables(struct report *r, const struct doctor_options *opt);
/* Programs of others on the hooks of the LAN's interfaces. */
void doctor_programs(struct report *r, const struct doctor_options *opt);
/* What of the kernel's BPF is there. */
void doctor_features(struct report *r);
/* Sysctls that are in the way. */
void doctor_sysctls(struct report *r, const struct doctor_options *opt);
