/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names being asked for, one at a time for each job that waits for one; which
 * answers are final, and which are a reason to ask again: another server, or
 * the same one over TCP.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/msg.h"

struct lookups;

struct lookup {
	uint32_t job_id;
	uint8_t family;
	uint8_t tries;	/* servers that did not answer */
	uint8_t server; /* asked now, of the list of resolvers */
	bool is_tcp;	/* the answer did not fit a datagram */
	bool is_own;	/* the target's own name, not its check's */
	char *host;
};

int lookups_new(struct lookups **ret);
/* Accepts NULL, sets *l to NULL. */
void lookups_free(struct lookups **l);
/* The lookup of @job_id for @host; one of another name is forgotten, none yet is
 * begun, at @server. NULL: out of memory. Valid until the next call for this job. */
struct lookup *lookups_begin(struct lookups *l, uint32_t job_id,
			     const char *host, uint8_t family, uint8_t server);
/* NULL if the job waits for no name. */
struct lookup *lookups_find(const struct lookups *l, uint32_t job_id);
void lookups_drop(struct lookups *l, uint32_t job_id);
/* Drop those whose job does not exist any more. */
void lookups_sweep(struct lookups *l, bool (*exists)(void *ctx, uint32_t id),
		   void *ctx);

/* Is @outcome to be answered by asking once more? @servers: how many there
 * are. Notes what is different then. */
bool lookup_again(struct lookup *w, enum outcome outcome, size_t servers);
