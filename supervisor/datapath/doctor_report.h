/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Findings as they are collected. */
#pragma once

#include "common/base.h"
#include "supervisor/datapath/doctor.h"

struct report {
	struct finding *items;
	size_t count, cap;
};

/* One more; when there is no room it is left out. */
void report_add(struct report *r, enum finding_level level, const char *what,
		const char *fmt, ...) DAE_PRINTF(4, 5);
/* Base chains that would drop what is assigned to local listeners. */
void doctor_nftables(struct report *r);
