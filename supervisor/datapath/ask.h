/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel's own answer to "route test". */
#pragma once

#include "common/ruleset.h"
#include "supervisor/datapath/datapath.h"

struct bpf_object;

/*
 * Decide a packet of @q by the tables of the running generation, in the kernel,
 * as if it came in on a link with a MAC header: no flow is made, nothing is
 * counted. Names of @q's destination are those that were learned. 0 or -errno.
 */
int datapath_ask(struct datapath *d, const struct ruleset_query *q,
		 struct ruleset_verdict *ret);
/* Load the program over the maps of @generation; its descriptor or -errno. */
int ask_load(const struct bpf_object *generation);
