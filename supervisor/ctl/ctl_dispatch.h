/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request means: a table of commands, the privilege each needs, and one
 * handler for each. Knows no socket: a test calls it as the server does.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "supervisor/ctl/ctl.h"

#define CTL_PAGE 100	   /* elements of a list in one frame */
#define CTL_TARGET_PAGE 25 /* of targets, which are long */

struct ctl_call {
	const struct ctl_view *view;
	const struct ctl_ops *ops;
	void *ctx;
	json_t *args; /* borrowed; an object */
	bool may_write;
	uint64_t ticket;	   /* for answers that come later */
	struct ctl_outcome *later; /* it has come: what it is; else NULL */
	uint64_t cursor;	   /* where a list goes on; 0 at first */

	/* the answer */
	const char *schema;
	json_t *data;	  /* owned */
	bool more;	  /* call again, with the cursor as it is now */
	bool is_follow;	  /* the more comes with the next event only */
	bool is_pending;  /* no answer yet: it comes later */
	const char *code; /* "ENOENT": an error, with the texts below */
	char message[CTL_TEXT_MAX];
	char hint[CTL_TEXT_MAX];
	json_t *diagnostics; /* owned, or NULL */
};

/* Run one command. 0 with data or pending, or -errno with code and message. */
int ctl_dispatch(struct ctl_call *c, const char *cmd);
void ctl_call_clear(struct ctl_call *c);
/*
 * The JSON text of the answer to request @id (free() it), or NULL without memory
 * or if it would be longer than a frame may be.
 */
char *ctl_call_format(const struct ctl_call *c, uint64_t id, int r,
		      size_t *ret_len);

/* Fill in an error and return @r, a negative errno. */
int ctl_fail(struct ctl_call *c, int r, const char *hint, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* The same from what an operation said; takes its diagnostics. */
int ctl_fail_outcome(struct ctl_call *c, struct ctl_outcome *o,
		     const char *what);
/* Take the data: -ENOMEM if it is NULL. */
int ctl_done(struct ctl_call *c, const char *schema, json_t *data);
/* { "result": "done" } for what has nothing else to say. */
int ctl_done_plain(struct ctl_call *c);
/* Unpack the arguments, all of them (json_unpack()'s format). 0 or -EINVAL. */
int ctl_args(struct ctl_call *c, const char *fmt, ...);

/* Handlers, by the file they live in. */
int ctl_cmd_status(struct ctl_call *c);
int ctl_cmd_version(struct ctl_call *c);
int ctl_cmd_doctor(struct ctl_call *c);
int ctl_cmd_nodes_list(struct ctl_call *c);
int ctl_cmd_nodes_show(struct ctl_call *c);
int ctl_cmd_nodes_admin(struct ctl_call *c);
int ctl_cmd_nodes_quarantine(struct ctl_call *c);
int ctl_cmd_nodes_release(struct ctl_call *c);
int ctl_cmd_monitors_list(struct ctl_call *c);
int ctl_cmd_monitors_show(struct ctl_call *c);
int ctl_cmd_groups_list(struct ctl_call *c);
int ctl_cmd_groups_show(struct ctl_call *c);
int ctl_cmd_groups_select(struct ctl_call *c);
int ctl_cmd_groups_auto(struct ctl_call *c);
int ctl_cmd_workers_list(struct ctl_call *c);
int ctl_cmd_workers_show(struct ctl_call *c);
int ctl_cmd_recycle(struct ctl_call *c);
int ctl_cmd_policy_get(struct ctl_call *c);
int ctl_cmd_policy_set(struct ctl_call *c);
int ctl_cmd_events(struct ctl_call *c);
int ctl_cmd_reload(struct ctl_call *c);
int ctl_cmd_confirm(struct ctl_call *c);
int ctl_cmd_reload_diff(struct ctl_call *c);
int ctl_cmd_reload_flows(struct ctl_call *c);
int ctl_cmd_probe(struct ctl_call *c);
int ctl_cmd_route_test(struct ctl_call *c);
int ctl_cmd_route_learn(struct ctl_call *c);
int ctl_cmd_route_learned(struct ctl_call *c);
int ctl_cmd_route_forget(struct ctl_call *c);
/* "names" of status. */
json_t *ctl_names_json(const struct ctl_names *n);
int ctl_cmd_flows(struct ctl_call *c);
int ctl_cmd_route_rules(struct ctl_call *c);
int ctl_cmd_route_trace(struct ctl_call *c);
