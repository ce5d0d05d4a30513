/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A running probe: a job, its sockets, its timers, its account of memory, and
 * the ops of its kind. Adding a kind is adding a file and a row in
 * probe_table.c. Everything a probe has is gone when it ends.
 */
#pragma once

#include <event2/event.h>
#include <event2/event_struct.h>

#include "common/job.h"
#include "common/msg.h"
#include "worker/net/fail.h"
#include "worker/net/memacct.h"

struct probe;
struct worker;

/* What start, on_ready and on_expiry return. */
#define PROBE_GOING 0	/* wait for readiness or expiry_ns */
#define PROBE_DONE 1	/* succeeded, p->res is filled */
			/* negative: failed, p->fail is set */

struct probe_ops {
	const char *name;
	int (*start)(struct probe *p, uint64_t now_ns);
	/* A watched socket is ready. */
	int (*on_ready)(struct probe *p, int fd, short what, uint64_t now_ns);
	/* expiry_ns has come. NULL if expiry_ns is NULL. */
	int (*on_expiry)(struct probe *p, uint64_t now_ns);
	/* When on_expiry wants to be called; UINT64_MAX: never. The deadline
	 * is watched by the caller, which fails with timeout_outcome. */
	uint64_t (*expiry_ns)(const struct probe *p);
	/* The outcome of a deadline in the state reached. */
	enum outcome (*timeout_outcome)(const struct probe *p);
	/* Frees p->priv and what hangs on it. In any state, and twice. */
	void (*stop)(struct probe *p);
};

#define PROBE_FDS 2	/* the job's socket, and one asked for (SOCKS5 UDP) */

struct probe {
	const struct probe_ops *ops;
	struct worker *worker;
	struct job_spec spec;
	char *arena;		/* strings of spec */
	struct {
		int fd;		/* owned; -1: none */
		struct event ev;
		short wants;
	} io[PROBE_FDS];
	struct event timer;
	uint64_t start_ns, deadline_ns;
	struct result res;
	struct fail fail;
	struct memacct mem;	/* allocations of libraries made for it */
	void *priv;		/* the kind's own */
};

/* The ops for a kind of job, or NULL. */
const struct probe_ops *probe_ops_for(enum job_kind kind);

/* Note the end of a phase: microseconds since start_ns. Once each. */
void probe_phase(struct probe *p, enum phase ph, uint64_t now_ns);
/* Wait for @what (EV_READ, EV_WRITE) on io[@i]; 0 stops waiting. */
int probe_watch(struct probe *p, unsigned int i, short what);
/*
 * Ask the supervisor for one more socket for this job; on_ready is called with
 * EV_TIMEOUT when io[1].fd has it, or the probe fails. Only addresses of the
 * job's node are given (SOCKS5 UDP ASSOCIATE).
 */
int probe_request_socket(struct probe *p, const struct sockaddr_storage *to,
			 uint8_t proto);
