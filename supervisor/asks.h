/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Probes asked for by hand: rounds of checks, answered together. */
#pragma once

#include "supervisor/ctl/ctl.h"

struct asks;
struct supervisor;

int asks_new(struct asks **ret, struct supervisor *s);
/* Accepts NULL, sets *a to NULL. Nothing is answered any more. */
void asks_free(struct asks **a);
/* Take it in; the answer goes to ctl_server_probe_done() with @ticket, never
 * from here. 0 or -errno; -EBUSY: too many at once. */
int asks_start(struct asks *a, uint64_t ticket,
	       const struct ctl_probe_request *q);
/* Begin what was taken in. What cannot be asked at all is answered here. */
void asks_begin(struct asks *a);
/* A job ended; if it was asked for, note its result. */
void asks_final(struct asks *a, const struct prober_final *f);
