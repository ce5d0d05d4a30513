/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which node a group uses, for each of tcp4 tcp6 udp4 udp6. dae's policies and
 * hysteresis, mended: an unmeasured node never beats a measured one, the
 * tolerance does not vanish for fast nodes, ties keep the current one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/config/config.h"
#include "supervisor/core/target.h"

#define GROUP_SELS 4 /* the first four of enum check_class */
#define GROUP_CANDIDATES 64
#define GROUP_NONE UINT32_MAX /* no member */

enum select_reason {
	SELECT_NONE,
	SELECT_FIRST, /* nothing was selected before */
	SELECT_DOWN,  /* the one before cannot be used */
	SELECT_LATENCY,
	SELECT_ORDER, /* fallback: an earlier one is back */
	SELECT_ADMIN, /* the one before is drained or in maintenance */
	SELECT_MANUAL,
	SELECT_LOST, /* nobody is left */
	SELECT_REASON_COUNT
};

struct group_slot { /* one member */
	uint32_t target;
	int64_t add_latency_us;
};

struct group_sel {
	uint32_t member;  /* GROUP_NONE: none */
	uint32_t last;	  /* the last one that was usable */
	int64_t score_us; /* of member when evaluated; INT64_MAX: none */
	uint64_t since_ns;
	enum select_reason reason;
};

struct group {
	char name[TARGET_NAME_MAX];
	enum group_policy policy;
	uint32_t fixed_index;
	enum on_all_dead on_all_dead;
	int64_t tolerance_us;
	bool is_used;
	uint32_t member_count;
	struct group_slot *members; /* owned */
	uint32_t manual;	    /* GROUP_NONE: by policy */
	struct group_sel sel[GROUP_SELS];
	uint64_t epoch; /* counts changes of what is published */
};

struct group_change {
	unsigned int sel;
	uint32_t from, to; /* targets, TARGET_NONE: none */
	enum select_reason reason;
};

/* What the kernel gets: first alive wins. */
struct group_candidates {
	uint32_t targets[GROUP_CANDIDATES];
	uint32_t count;
	uint64_t alive;	       /* bit i: targets[i] may be used */
	bool is_random;	       /* any alive, not the first */
	enum on_all_dead dead; /* with alive == 0: BLOCK, DIRECT or LAST */
	uint32_t last;	       /* for LAST: index of the one last in use */
};

/*
 * From the configuration; @targets maps indexes of config.nodes to indexes of
 * targets. -ENOMEM, -EINVAL.
 */
int group_init(struct group *g, const struct config_group *c,
	       const uint32_t *targets, uint64_t tolerance_ns);
void group_fini(struct group *g);
/* The selection of @old, where its member is still one. By identity. */
void group_inherit(struct group *g, const struct group *old,
		   const struct target_table *targets);
/* Choose anew; writes at most GROUP_SELS changes, returns how many. */
size_t group_evaluate(struct group *g, const struct target_table *targets,
		      uint64_t now_ns, struct group_change *ret);
/* By hand: a target of the group, or TARGET_NONE for by policy. -ENOENT. */
int group_select(struct group *g, uint32_t target);
void group_candidates(const struct group *g, unsigned int sel,
		      const struct target_table *targets,
		      struct group_candidates *ret);
/* Selected target of @sel, TARGET_NONE if none. */
uint32_t group_selected(const struct group *g, unsigned int sel);
/* Policy value plus add_latency; INT64_MAX if never measured. */
int64_t group_score_us(const struct group *g, uint32_t member, unsigned int sel,
		       const struct target_table *targets);
const char *select_reason_name(unsigned int r);
