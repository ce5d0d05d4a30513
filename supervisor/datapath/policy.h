/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Policy routing and sysctls the datapath needs, by rtnetlink and /proc/sys.
 * Everything made here carries our route protocol number, so that cleanup finds
 * it without any state; sysctls are restored from a file of saved values.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "supervisor/datapath/datapath.h"

#define POLICY_RT_PROTOCOL 218 /* rtm_protocol, FRA_PROTOCOL of our entries */

/* The way of assigned packets to local sockets: fwmark -> table -> lo. */
struct policy_local {
	uint32_t mark, mark_mask;
	uint32_t priority; /* of the ip rules */
	uint32_t table;
	bool for_host; /* the host's own flows, too: from loopback addresses */
};

/* An iface:// node: mark -> table with a default route through the device, and
 * behind it one that refuses: what is marked leaves by this uplink or not. */
struct policy_uplink {
	uint32_t mark; /* not 0 */
	uint32_t mask; /* bits of it that are compared; 0: all */
	uint32_t priority;
	uint32_t table;
	uint32_t ifindex;    /* 0: the device is not there */
	struct addr gateway; /* family 0: on-link; else one family only */
};

/*
 * 0 if nobody else uses the mark bits, a priority or a table; -EEXIST with the
 * colliding rule or route named ("rule 30000: fwmark 0x1/0x1 lookup 7").
 * Our own entries do not collide.
 */
int policy_check(const struct policy_local *local,
		 const struct policy_uplink *uplinks, size_t count,
		 struct datapath_error *ret_err);
/* Make rules and routes for IPv4 and IPv6; existing ones of ours are kept,
 * those of ours that are not wanted any more are removed. */
int policy_apply(const struct policy_local *local,
		 const struct policy_uplink *uplinks, size_t count,
		 struct datapath_error *ret_err);
/* Remove every rule and route with our protocol number. Idempotent. */
int policy_remove(void);

/* What an interface is to us. */
enum policy_role {
	POLICY_UPLINK,	/* of an iface:// node */
	POLICY_ONE_ARM, /* of the LAN, and the default route leaves by it */
};

/*
 * Set what the role needs, on that interface alone: one table, in sysctl.c. The
 * old value is appended to @saved_path before the write. 0: nothing to do or
 * done.
 */
int policy_set_sysctls(const char *ifname, enum policy_role role,
		       const char *saved_path);
/* Whether an IPv4 default route leaves by the interface. */
bool policy_is_way_out(uint32_t ifindex);
/* Write back saved values that nobody has changed since; removes the file.
 * 0 without a file. */
int policy_restore_sysctls(const char *saved_path);
