/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what is configured to what a worker is told: which socket a check
 * needs, which names must be resolved first, and the job itself. Pure.
 *
 *	job_build_node(&plan, config, node, CHECK_TCP4);
 *	if plan.peer.addr.family == 0: resolve plan.peer.host (family wanted in
 *	plan.peer.family, 0: either), the same for plan.target if it has a host
 *	job_build_bind(&plan, &peer_addr, &target_addr);
 *	open a plan.spec.proto socket, mark, bind to plan.iface, connect to
 *	plan.spec.peer; send plan.spec
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/job.h"
#include "supervisor/config/config.h"

#define JOB_PLAN_SCRATCH 2048

struct job_endpoint {
	const char *host; /* as configured, no brackets; NULL: not used */
	struct addr addr; /* the literal; family 0: resolve host first */
	uint16_t port;
	uint8_t family; /* wanted of the name: 4, 6, or 0 for either */
};

/*
 * Strings point into the configuration and into @scratch: a plan is valid as
 * long as the configuration, and is never copied.
 */
struct job_plan {
	struct job_endpoint peer;   /* what our socket is connected to */
	struct job_endpoint target; /* beyond a proxy; host NULL: none */
	const char *iface;	    /* SO_BINDTODEVICE; NULL: any */
	uint32_t mark;		    /* extra bits of SO_MARK; 0: none */
	bool literal;		    /* the peer's address is configured */
	/* All but id, deadline_ms, peer, target and JOB_CLOCK_UNSET. */
	struct job_spec spec;
	size_t used; /* of scratch */
	char scratch[JOB_PLAN_SCRATCH];
};

/*
 * Each returns 0, or why there is no such check, which is never the target's
 * fault: -ENOENT (not configured, or no class of this target), -EOPNOTSUPP
 * (this kind of node cannot carry it), -EADDRNOTAVAIL (configured addresses
 * have none of this family: not applicable), -EINVAL (a URL that cannot be
 * read), -EMSGSIZE (longer than a job may be).
 */

/* One of the first CHECK_NODE_COUNT classes of a node. tproxy:// nodes have no
 * check here: whether their listener lives is the kernel's to say. */
int job_build_node(struct job_plan *p, const struct config *c,
		   const struct config_node *n, enum check_class cls);
/* @family is 4 or 6. */
int job_build_monitor(struct job_plan *p, const struct config_monitor *m,
		      uint8_t family);
/* @cls must be one of the classes of job_build_upstream_classes(). */
int job_build_upstream(struct job_plan *p, const struct config_upstream *u,
		       enum check_class cls, uint8_t family);
/* A (family 4) or AAAA (6) of @name at @server; bound already. */
int job_build_resolve(struct job_plan *p, const struct addr *server,
		      uint16_t port, const char *name, uint8_t family);

/*
 * Put the addresses in: @peer and, for jobs through a proxy, @target (else
 * NULL). -EINVAL if one is missing or not of the wanted family.
 */
int job_build_bind(struct job_plan *p, const struct addr *peer,
		   const struct addr *target);

/* The class that a monitor's verdicts are shown and kept under. */
enum check_class job_build_monitor_class(enum monitor_kind kind);
/* The classes an upstream is asked in: one, or two for tcp+udp. -EINVAL. */
int job_build_upstream_classes(const struct config_upstream *u,
			       enum check_class ret[2]);
