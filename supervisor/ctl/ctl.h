/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the control plane shows and what it can ask for. The supervisor fills a
 * view for each request, on its own structures, and gives callbacks for what
 * changes something; nothing else of it is known here.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/addr.h"
#include "common/msg.h"
#include "common/ruleset.h"
#include "supervisor/config/config.h"
#include "supervisor/config/config_diag.h"
#include "supervisor/ctl/ctl_changes.h"
#include "supervisor/ctl/ctl_flows.h"
#include "supervisor/ctl/ctl_kernel.h"
#include "supervisor/ctl/ctl_learned.h"
#include "supervisor/ctl/ctl_question.h"
#include "supervisor/ctl/ctl_trace.h"
#include "supervisor/core/crew.h"
#include "supervisor/core/prober.h"

#define CTL_TEXT_MAX 256
#define CTL_WARNINGS_MAX 16

/* Borrowed for the time of one call. Pointers may be NULL where it says so. */
struct ctl_view {
	uint64_t mono_ns, wall_ns;
	uint64_t started_ns; /* mono */
	uint64_t loaded_ns;  /* mono: this configuration */
	uint64_t config_generation;
	const char *version;
	const char *config_path;
	const struct config *config;
	const struct prober *prober;
	const struct crew *crew;
	const pid_t *pids;  /* CREW_MAX of them, 0: no process */
	const char *uplink; /* interface of the default route, or NULL */
	struct ctl_kernel kernel;
	struct ctl_confirm confirm;
	struct ctl_names names;
	const char *warnings[CTL_WARNINGS_MAX]; /* clean lines for status */
	size_t warning_count;
};

/* What became of an operation; zeroed by the caller, but for the ticket. */
struct ctl_outcome {
	uint64_t ticket; /* to answer later by, where that is allowed */
	int r;		 /* 0 or -errno */
	char message[CTL_TEXT_MAX]; /* one line; empty: the errno's text */
	char hint[CTL_TEXT_MAX];
	struct config_diags diags; /* of a reload; freed by the caller */
	uint64_t diff;		   /* number of a dry run's difference, or 0 */
	const struct dae_bitmap *sets; /* of the name asked about, or NULL */
};

struct ctl_probe_request {
	uint32_t target;     /* index of the target */
	unsigned int checks; /* bit per index of target.checks, never 0 */
	uint32_t count;	     /* rounds, at least 1 */
	bool commit;	     /* let the results count as any other */
};

/* One probe that ended, for the client that asked. */
struct ctl_probe_answer {
	uint32_t target;
	uint8_t check;		      /* index of target.checks */
	struct sockaddr_storage peer; /* AF_UNSPEC: none was reached */
	uint32_t worker;
	struct result result;
};

/*
 * All return 0 or -errno and may say more in @res. They are called on the
 * supervisor's loop and must not wait; probe() answers later, by
 * ctl_server_probe_done() with its ticket, exactly once for each 0 returned;
 * reload(), confirm(), route_test() and learn() may return -EINPROGRESS: the outcome's
 * ticket is for ctl_server_resume() then.
 */
struct ctl_ops {
	void (*view)(void *ctx, struct ctl_view *ret);
	int (*reload)(void *ctx, const struct ctl_reload_request *q,
		      struct ctl_outcome *res);
	/* The difference @id; @step: look at further flows. 1: at all. */
	int (*reload_diff)(void *ctx, uint64_t id, bool step,
			   struct ctl_reload_diff *ret,
			   struct ctl_outcome *res);
	/* Keep what waits for a confirmation, or go back to what was before. */
	int (*confirm)(void *ctx, bool revert, struct ctl_outcome *res);
	/* @place: of the crew, CREW_MAX for all; @now: kill, do not drain. */
	int (*recycle)(void *ctx, uint32_t place, bool now,
		       struct ctl_outcome *res);
	int (*set_policy)(void *ctx, const struct recycle_policy *next,
			  struct ctl_outcome *res);
	int (*probe)(void *ctx, uint64_t ticket,
		     const struct ctl_probe_request *q,
		     struct ctl_outcome *res);
	/* @for_ns: 0 until changed. */
	int (*set_admin)(void *ctx, uint32_t target, enum node_admin admin,
			 uint64_t for_ns, struct ctl_outcome *res);
	/* Hold (for the policy's time) or release a target. */
	int (*quarantine)(void *ctx, uint32_t target, bool hold,
			  struct ctl_outcome *res);
	/* @target: TARGET_NONE for "by policy". */
	int (*select)(void *ctx, size_t group, uint32_t target,
		      struct ctl_outcome *res);
	int (*route_test)(void *ctx, const struct ctl_route_query *q,
			  struct ctl_route_answer *ret,
			  struct ctl_outcome *res);
	/* Flows that each rule decided; the fallback's: DAE_RULE_FALLBACK. */
	int (*rule_counts)(void *ctx, uint64_t *ret, size_t count,
			   struct ctl_outcome *res);
	/* Names and addresses of the administrator's. */
	int (*learn)(void *ctx, const struct ctl_learn_request *q,
		     struct ctl_learn_answer *ret, struct ctl_outcome *res);
	/* A name or an address: how many pairs were forgotten. */
	int (*forget)(void *ctx, const char *what, struct ctl_outcome *res);
	/* Show flows from *cursor on, for a short while. 0: go on later from
	 * *cursor as it is then, 1: that were all. */
	int (*flows)(void *ctx, uint64_t *cursor, ctl_flow_visitor visit,
		     void *arg, struct ctl_outcome *res);
	/* Begin to trace (@q) or go on (NULL) for client @ticket;
	 * ctl_server_notify_one() when there is more. */
	int (*trace)(void *ctx, uint64_t ticket,
		     const struct ctl_trace_request *q,
		     struct ctl_trace_page *ret, struct ctl_outcome *res);
	/* The client has left; may be NULL. */
	void (*gone)(void *ctx, uint64_t ticket);
};
