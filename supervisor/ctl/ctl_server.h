/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control socket: who may connect, how much, how long, and frames in and
 * out. What a request means is ctl_dispatch.h's. One request of a client is
 * answered before its next is read, one frame is written before the next is
 * made: a client never makes the supervisor hold more than two frames.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "supervisor/ctl/ctl.h"
#include "supervisor/ctl/ctl_access.h"

struct event_base;
struct ctl_server;

#define CTL_CLIENTS_MAX 64
#define CTL_PER_UID_MAX 8

struct ctl_server_options {
	const char *path; /* the socket; made unless listen_fd is given */
	int listen_fd;	  /* inherited and listening, or -1; ours then */
	gid_t group;	  /* owner of the socket, CTL_NO_GID: as it is */
	gid_t admin;	  /* may change things, as root may */
	mode_t mode;	  /* 0: 0660 */
	uint32_t frame_timeout_ms; /* 0: 5 s from its first byte */
	uint32_t write_timeout_ms; /* 0: 10 s for one frame */
	uint32_t idle_timeout_ms;  /* 0: 60 s without a request */
};

/* @ops and @ctx live as long as the server. 0 or -errno; -EADDRINUSE if another
 * process serves this socket (a stale one is replaced). */
int ctl_server_new(struct ctl_server **ret, struct event_base *base,
		   const struct ctl_server_options *o,
		   const struct ctl_ops *ops, void *ctx);
/* Accepts NULL, sets *s to NULL; closes all clients, removes a socket that it
 * made itself. */
void ctl_server_free(struct ctl_server **s);
#define auto_ctl_server __attribute__((cleanup(ctl_server_free)))

/* There are new events: followers get them. */
void ctl_server_notify(struct ctl_server *s);
/* There is more for the client of this ticket, if it still is there. */
void ctl_server_notify_one(struct ctl_server *s, uint64_t ticket);
/*
 * Answer the probe that ops->probe() was given @ticket for. A ticket whose client
 * has gone is ignored, so this may always be called.
 */
void ctl_server_probe_done(struct ctl_server *s, uint64_t ticket,
			   const struct ctl_probe_answer *answers,
			   size_t count);
/* The same for an operation that returned -EINPROGRESS, with the ticket of its
 * outcome. Clears the diagnostics of *later. */
void ctl_server_resume(struct ctl_server *s, struct ctl_outcome *later);
unsigned int ctl_server_clients(const struct ctl_server *s);
