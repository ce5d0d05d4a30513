/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One client of the control socket. It is in one of three moods: waiting for a
 * request, waiting for an answer of ours (a probe, the next event), or being
 * written to. Requests behind the first wait in a bounded buffer.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/ctl/ctl.h"

struct ctl_conn;
struct event_base;

struct ctl_conn_env {
	struct event_base *base;
	const struct ctl_ops *ops;
	void *ctx;
	uint32_t frame_timeout_ms, write_timeout_ms, idle_timeout_ms;
	/* The connection is over and about to be freed. */
	void (*on_gone)(void *owner, struct ctl_conn *c);
	void *owner;
};

struct ctl_peer {
	uid_t uid;
	bool may_write;
	uint64_t id; /* its number, for tickets; never used twice */
};

/* @fd, not blocking, is the connection's on success. @env must outlive it. */
int ctl_conn_new(struct ctl_conn **ret, const struct ctl_conn_env *env, int fd,
		 const struct ctl_peer *peer);
/* Accepts NULL, sets *c to NULL; on_gone() is not called. */
void ctl_conn_free(struct ctl_conn **c);
uid_t ctl_conn_uid(const struct ctl_conn *c);
uint64_t ctl_conn_id(const struct ctl_conn *c);
/* New events: go on, if that is what it waits for. May free @c. */
void ctl_conn_notify(struct ctl_conn *c);
/* What its operation waited for has come. May free @c. */
void ctl_conn_resume(struct ctl_conn *c, struct ctl_outcome *later);
/* Its probe has ended. May free @c. */
void ctl_conn_probe_done(struct ctl_conn *c,
			 const struct ctl_probe_answer *answers, size_t count);
