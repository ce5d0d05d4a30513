/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From configuration and group state to the kernel: what the supervisor tells
 * the datapath, in which order, and which numbers things have there. In mode
 * observe the rules are there for route test alone; nothing is touched.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/ruleset.h"
#include "supervisor/config/config.h"
#include "supervisor/core/prober.h"
#include "supervisor/datapath/datapath.h"
#include "supervisor/learn.h"

struct kernel;
struct kernel_plan;

struct kernel_options {
	const char *pin_dir;
	const char *state_dir; /* numbers and saved sysctls are kept here */
	uint32_t flow_entries;
};

struct kernel_error {
	struct config_pos pos; /* line 0: not about a line */
	char text[256];
};

/* Read the saved numbers. 0 or -errno. */
int kernel_new(struct kernel **ret, const struct kernel_options *opt);
/* What runs in the kernel stays. Accepts NULL, sets *k to NULL. */
void kernel_free(struct kernel **k);

/*
 * The numbers that @c's groups and nodes have or get. One plan at a time: it
 * comes into force by kernel_apply(), or kernel_forget_plan() says it will not.
 */
int kernel_plan_new(struct kernel *k, const struct config *c,
		    struct kernel_plan **ret, struct kernel_error *ret_err);
/* Numbers that only a plan had are free again. */
void kernel_forget_plan(struct kernel *k);
/*
 * Bring @c, whose compiled rules *plan holds, into force: in mode route policy
 * routes, nodes, groups, rules, attachment, in this order; with the groups as
 * @p has them. Names that were learned must have got their new sets by
 * learn_prepare(). Takes *plan. On a failure what was in force is in force again,
 * but for the groups: kernel_publish() those. In mode observe what mode route
 * left in the kernel is removed.
 */
int kernel_apply(struct kernel *k, const struct config *c,
		 struct kernel_plan **plan, const struct prober *p,
		 struct kernel_error *ret_err);
/* The image of name sets in force, -1: none. Borrowed. */
int kernel_names_fd(const struct kernel *k);
/* Groups moved: publish them. */
void kernel_publish(struct kernel *k, const struct prober *p);
void kernel_beat(struct kernel *k, uint64_t now_ns);
/* Interfaces or addresses moved: bind what has appeared, know own addresses. */
int kernel_refresh(struct kernel *k, struct kernel_error *ret_err);
/* What is less than it should be, or NULL. */
const char *kernel_warning(const struct kernel *k);
bool kernel_is_active(const struct kernel *k);
/* The names in force. */
struct learn *kernel_learn(const struct kernel *k);
/* The rules in force, NULL before the first kernel_apply(). */
const struct ruleset *kernel_rules(const struct kernel *k);
/* Index of config.groups that has the number @id, or SIZE_MAX. */
size_t kernel_group_of(const struct kernel *k, uint16_t id);
/* The number of config.groups[@index]. */
uint16_t kernel_group_id(const struct kernel *k, size_t index);
/* Index of config.nodes that has the number @id, or SIZE_MAX. */
size_t kernel_node_of(const struct kernel *k, uint16_t id);
/* NULL unless active. */
struct datapath *kernel_datapath(const struct kernel *k);
/* A mark for the sockets that probe through the iface:// node: its own, or
 * the one given to it. 0: none. */
uint32_t kernel_uplink_mark(const struct kernel *k,
			    const struct config_node *n);
/* How often groups were published. */
uint64_t kernel_epoch(const struct kernel *k);
/* When kernel_beat() was last heard, 0: never. */
uint64_t kernel_last_beat_ns(const struct kernel *k);
