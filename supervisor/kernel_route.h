/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes and groups in the kernel's terms: targets, lists, policy routes. */
#pragma once

#include "supervisor/config/config.h"
#include "supervisor/core/prober.h"
#include "supervisor/datapath/datapath.h"
#include "supervisor/kernel_links.h"

struct kernel_route {
	const struct config *config;
	const uint16_t *target_ids; /* by index of config.nodes */
	const uint16_t *group_ids;  /* by index of config.groups */
	const char *saved_sysctls;
};

/* Policy rules and routes of the local table and of all uplinks; those that are
 * not there refuse until they are. */
int kernel_route_policies(const struct kernel_route *r,
			  struct datapath_error *ret_err);
/* What the interfaces of the LAN need; what fails is left as it is. */
void kernel_route_sysctls(const struct kernel_route *r,
			  const struct kernel_links *lan);
/* What each node that carries traffic means. */
int kernel_route_targets(const struct kernel_route *r, struct datapath *dp);
/* The candidates that carry traffic, in the group's order; @seen is what was
 * published before. */
void kernel_route_list(const struct kernel_route *r, const struct prober *p,
		       const struct group_candidates *c,
		       const struct datapath_list *seen,
		       struct datapath_list *ret);
/*
 * Publish what differs from @seen, the lists as published last (GROUP_SELS to a
 * group; kernel_route_forget() before the first time): a fail-over within the
 * same order is one store. Errors are logged, the others go on. How many
 * lists were published.
 */
size_t kernel_route_groups(const struct kernel_route *r, struct datapath *dp,
			   const struct prober *p, struct datapath_list *seen);
void kernel_route_forget(struct datapath_list *seen, size_t groups);
/* The mark of an iface:// node: as configured, else made of its number. */
uint32_t kernel_route_mark(const struct config_supervisor *s,
			   const struct config_node *n, uint16_t target_id);
