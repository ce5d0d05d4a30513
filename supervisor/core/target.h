/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is probed: nodes, the direct outbound, DNS upstreams, monitors; and for
 * each up to TARGET_CHECKS questions. An index stays with its target over
 * reloads, so that jobs, schedule and kernel state need no renumbering.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/msg.h"
#include "supervisor/core/health.h"

#define TARGET_CHECKS 6	    /* of nodes: index = enum check_class */
#define TARGET_NAME_MAX 128 /* bytes with the NUL; longer names are cut */
#define TARGET_NONE UINT32_MAX

enum target_kind {
	TARGET_NODE,
	TARGET_DIRECT,
	TARGET_UPSTREAM,
	TARGET_MONITOR,
	TARGET_KIND_COUNT
};

struct target_check {
	bool is_used;
	uint8_t cls;	/* enum check_class */
	uint8_t family; /* 4 or 6 */
	struct health_policy policy;
	uint64_t interval_ns;
	uint64_t key; /* target and question, stable over restarts */
	struct health health;
};

struct target_addrs {
	struct addr addrs[MSG_ADDRS_MAX];
	uint8_t count;
	bool is_literal;      /* from the configuration: never expires */
	uint16_t outcome;     /* of the last resolution */
	uint64_t resolved_ns; /* 0: never */
	uint64_t expires_ns;
};

struct target {
	uint32_t index;
	enum target_kind kind;
	uint64_t identity;   /* kind, name and what makes it this node */
	size_t config_index; /* in config.nodes, upstreams or monitors */
	char name[TARGET_NAME_MAX];
	bool is_unsupported; /* shown, never probed or used */
	bool is_quarantined; /* kept in step with quarantine by the prober */
	bool is_hot;	     /* selected or next two of some group */
	uint8_t hot_sels;    /* for which selections: bit 1 << check class */
	uint8_t assumed[TARGET_CHECKS]; /* enum verdict, where unchecked */
	enum node_admin admin;
	uint64_t admin_until_ns; /* 0: until changed */
	enum node_state state;
	uint64_t state_since_ns;
	uint64_t bytes_today, bytes_total;
	uint64_t leaked_bytes;
	uint32_t in_flight;
	struct target_addrs addrs[2]; /* [0] IPv4, [1] IPv6 */
	struct target_check checks[TARGET_CHECKS];
};

struct target_spec {
	enum target_kind kind;
	const char *name;
	uint64_t identity; /* of the configuration; the name is mixed in */
	size_t config_index;
	bool is_unsupported;
};

struct target_table;

/* An empty table for at most @max targets. -ENOMEM, -EINVAL. */
int target_table_new(struct target_table **ret, size_t max);
/* Accepts NULL, sets *t to NULL. */
void target_table_free(struct target_table **t);
#define auto_target_table __attribute__((cleanup(target_table_free)))
/*
 * Add a target, without checks. With @old, one of the same identity gives its
 * index, its admin state, addresses and counters. -EEXIST, -ENOSPC, -ENOMEM.
 */
int target_table_add(struct target_table *t, const struct target_spec *spec,
		     const struct target_table *old, struct target **ret);
/*
 * Declare a question of @target, health being taken over from @old if it asked
 * the same. Nodes: index = class; others: the first free. -ENOSPC, -EEXIST.
 */
int target_add_check(struct target *target, const struct target_check *spec,
		     const struct target_table *old);
/* NULL for a hole or out of range. */
struct target *target_table_get(const struct target_table *t, uint32_t index);
struct target *target_table_find(const struct target_table *t,
				 uint64_t identity);
/* By kind and name, or any kind if @kind is TARGET_KIND_COUNT. */
struct target *target_table_find_name(const struct target_table *t,
				      enum target_kind kind, const char *name);
/* Indexes go from 0 to below this; some may be holes. */
uint32_t target_table_limit(const struct target_table *t);
uint32_t target_table_count(const struct target_table *t);
uint64_t target_identity(const struct target_spec *spec);
/* Derive the state from verdicts, admin, quarantine. True if it changed. */
bool target_update_state(struct target *t, uint64_t now_ns);
/* Of check @k, or what is assumed where it is not asked: enum verdict. */
unsigned int target_verdict(const struct target *t, unsigned int k);
/* May be used for traffic of check @k: 2 yes, 1 not known, 0 no. */
int target_usability(const struct target *t, unsigned int k);
/* Probes make sense: supported, not held, not in maintenance. */
bool target_is_probed(const struct target *t);
void target_set_admin(struct target *t, enum node_admin admin,
		      uint64_t until_ns);
/* Take a resolution's addresses of @family. */
void target_set_addrs(struct target *t, unsigned int family,
		      const struct result *r, uint64_t now_ns);
/* Addresses of @family are known and not expired. */
bool target_has_addrs(const struct target *t, unsigned int family,
		      uint64_t now_ns);

/* Flat ids of checks, as schedule and jobs use them. */
static inline uint32_t target_check_id(uint32_t target, unsigned int k)
{
	return target * TARGET_CHECKS + k;
}
struct target_check *target_table_check(const struct target_table *t,
					uint32_t check_id);
const char *target_kind_name(unsigned int kind);
