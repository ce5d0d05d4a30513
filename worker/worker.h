/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker's loop: messages of the supervisor become probes, what they find
 * out goes back in batches, a heartbeat says that the loop turns.
 */
#pragma once

#include <stdint.h>

#include "common/msg.h"
#include "worker/sandbox.h"

struct worker;

/* Everything that must be had before the sandbox closes: the channel (which is
 * WORKER_CHANNEL_FD), the loop, the TLS library. 0 or -errno. */
int worker_new(struct worker **ret);
/* Says hello, then runs until it is told to go. The exit code. */
int worker_run(struct worker *w, uint32_t generation, enum worker_role role,
	       const struct confine_report *sandbox);
void worker_free(struct worker **w);
