/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses that workers found for names, by name and family. Bounded: the
 * least recently used go first. Answers live as long as their TTL says, within
 * limits; failures are remembered for a moment, so that a dead resolver is not
 * asked once for each of a thousand checks.
 */
#pragma once

#include <stdint.h>

#include "common/addr.h"
#include "common/msg.h"

#define NAMES_MAX 2048
#define NAMES_TTL_MIN_S 10
#define NAMES_TTL_MAX_S 3600
#define NAMES_FAILED_S 5

struct names;

struct name_entry {
	struct addr addrs[MSG_ADDRS_MAX];
	uint8_t count;
	uint16_t outcome;    /* OUTCOME_OK, or why there is none */
	uint32_t resolve_us; /* what finding it took */
};

int names_new(struct names **ret);
/* Accepts NULL, sets *n to NULL. */
void names_free(struct names **n);
/* What is known and still good, or NULL. Valid until the next call. */
const struct name_entry *names_find(struct names *n, const char *name,
				    uint8_t family, uint64_t now_ns);
/* Take a JOB_RESOLVE result. Addresses that only the configuration may name
 * (addr_is_special()) are left out. -ENOMEM. */
int names_learn(struct names *n, const char *name, const struct result *r,
		uint8_t family, uint64_t now_ns);
/* The network changed: everything is asked anew. */
void names_flush(struct names *n);
