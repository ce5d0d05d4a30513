/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a due check to a worker and back: names first, then the job and its
 * socket, then the result to the prober. Every job that the prober hands out
 * ends in exactly one prober_finish() or prober_abort().
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/msg.h"
#include "supervisor/pool/pool.h"

struct dispatch;
struct supervisor;

int dispatch_new(struct dispatch **ret, struct supervisor *s);
/* Accepts NULL, sets *d to NULL. */
void dispatch_free(struct dispatch **d);
/* Send what is due, until nothing is or no worker is free. False: something
 * waits for a worker, whose readiness or result will say so. */
bool dispatch_run(struct dispatch *d);
/* A worker's result; already checked against what it was given. */
void dispatch_result(struct dispatch *d, uint32_t place, uint32_t generation,
		     const struct result *r);
/* A job that its worker was never given: it waits again. */
void dispatch_unsent(struct dispatch *d, uint32_t job_id);
void dispatch_lost(struct dispatch *d, const struct pool_lost *l);
/* Jobs past their deadline end here, whatever their worker does. */
void dispatch_expire(struct dispatch *d);
/* The network or the configuration changed: resolvers and names anew. */
void dispatch_network_changed(struct dispatch *d);
