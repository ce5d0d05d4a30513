/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second fence: cgroup programs on the cgroup of the sockets' creator. A
 * process with the workers' uid may not give our sockets another address.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/datapath/datapath.h"

#define FENCE_PIN_PREFIX "fence-" /* of links in the pin directory */

struct fence;

enum fence_class { /* by SO_MARK; a mark that is not set is a probe's */
		   FENCE_PROBE,	   /* no address at all */
		   FENCE_RELAY,	   /* only addresses in the node map */
		   FENCE_LISTENER, /* replies and DNS listeners: any */
};

struct fence_options {
	const char *cgroup;  /* path of the creator's cgroup (v2) */
	const char *pin_dir; /* NULL: ends with the process */
	uid_t worker_uid;    /* not 0 */
};

int fence_open(struct fence **ret, const struct fence_options *opt,
	       struct datapath_error *ret_err);
int fence_set_class(struct fence *f, uint32_t mark, enum fence_class c);
/* Allow or forbid @addr:@port (host order) to sockets of FENCE_RELAY. */
int fence_allow(struct fence *f, const struct addr *addr, uint16_t port);
int fence_forbid(struct fence *f, const struct addr *addr, uint16_t port);
/* How often an address was refused. */
uint64_t fence_denied(const struct fence *f);
void fence_close(struct fence **f);
