/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon: one event loop that owns processes, sockets, clock and kernel
 * state, and asks the pure parts (core, rules, config) what to do.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/compile/launch.h"
#include "supervisor/core/prober.h"
#include "supervisor/core/recycle.h"
#include "supervisor/kernel.h"
#include "supervisor/options.h"
#include "supervisor/pool/pool.h"

struct asks;
struct compiling;
struct confirm;
struct ctl_server;
struct dispatch;
struct event;
struct event_base;
struct fence;
struct flow_sweep;
struct matching;
struct netmon;
struct reload;
struct reload_diff;
struct trace;

struct supervisor {
	struct options opt;
	struct event_base *base;
	struct config *config; /* in force */
	struct prober *prober;
	struct pool *pool;
	struct dispatch *dispatch;
	struct kernel *kernel;
	struct launch_how compile_how;
	struct compiling *compiling; /* rules of a start or a reload */
	struct matching *matching;
	struct reload *reload;		/* under way, or NULL */
	struct kernel_plan *first_plan; /* until its rules were compiled */
	struct fence *fence; /* NULL: not possible, said in warnings */
	struct ctl_server *ctl;
	struct asks *asks;
	struct confirm *confirm;
	struct flow_sweep *sweep;
	struct trace *trace;	  /* NULL: nobody traces */
	struct reload_diff *diff; /* of the last dry run, or NULL */
	uint64_t diff_count;
	uint64_t *rule_base; /* counts from before this generation, or NULL */
	struct netmon *netmon;
	struct event *turn_timer; /* when something is due */
	struct event *second_timer;
	struct event *signals[4];
	struct recycle_limits limits;
	struct recycle_policy policy; /* in force; config's until changed */
	char *worker_path, *compile_path;
	uid_t worker_uid;
	gid_t worker_gid;
	int ca_fd;
	uint64_t started_ns, loaded_ns, saved_ns;
	uint64_t config_generation;
	uint64_t event_seq; /* logged and told up to here */
	uint64_t netmon_fingerprint;
	bool had_default; /* a default route, at some time */
	bool wants_save;  /* something a crash must not make forgotten */
	bool is_stopping;
	bool is_ready;		 /* the first rules are in force */
	bool reload_again;	 /* by a signal that came during a reload */
	int start_error;	 /* why it never became ready */
	char fence_warning[256]; /* empty: none */
	char kernel_warning[256];
};

/* Build everything from s->opt; nothing is left behind on error. *ret is ready
 * for supervisor_run(). Messages about the configuration go to stderr. */
int supervisor_new(struct supervisor **ret, const struct options *opt);
/* Accepts NULL, sets *s to NULL. What is pinned in the kernel stays. */
void supervisor_free(struct supervisor **s);
/* Until SIGTERM or SIGINT. 0 or -errno. */
int supervisor_run(struct supervisor *s);

struct prober_now supervisor_now(void);
/*
 * Something moved: soon, and once for all that moves until then, groups are
 * published, followers told, due checks sent. May be called from anywhere.
 */
void supervisor_wake(struct supervisor *s);
/* The crew's limits and policy, derived from @c, the policy that is wanted and
 * this machine. -ENOSPC if memory_total does not hold one worker. */
int supervisor_limits(const struct config *c, const struct recycle_policy *want,
		      struct recycle_limits *ret,
		      struct recycle_policy *ret_policy);
/* Add an event of the supervisor's own. */
void supervisor_event(struct supervisor *s, enum event_kind kind,
		      const char *subject, const char *text);
