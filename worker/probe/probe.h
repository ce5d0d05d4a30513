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
struct tls_ctx;

/* What runs probes: the worker, or a test. Outlives all of its probes. */
struct probe_host {
	struct event_base *base;
	struct tls_ctx *tls;
	uint32_t heap_budget; /* bytes a probe may have live; 0: no cap */
	struct probe *first;  /* running probes, and their number */
	uint32_t running;
	/* p->res is final; called once a probe, which is freed after it. */
	void (*done)(struct probe_host *host, struct probe *p);
	/* Ask for a socket; the answer comes by probe_socket_arrived(). */
	int (*request_socket)(struct probe_host *host, struct probe *p,
			      const struct sockaddr_storage *to, uint8_t proto);
};

/* What start, on_ready and on_expiry return; negative: failed, p->fail is set. */
#define PROBE_GOING 0 /* wait for readiness or expiry_ns */
#define PROBE_DONE 1  /* succeeded, p->res is filled */

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

#define PROBE_FDS 2 /* the job's socket, and one asked for (SOCKS5 UDP) */

struct probe {
	const struct probe_ops *ops;
	struct probe_host *host;
	struct job_spec spec;
	char *arena; /* strings of spec */
	struct {
		int fd; /* owned; -1: none */
		struct event ev;
		short wants;
	} io[PROBE_FDS];
	struct event timer;
	uint64_t armed_ns; /* when the timer fires */
	uint64_t start_ns, deadline_ns;
	struct result res;
	struct fail fail;
	struct memacct mem;	   /* allocations of libraries made for it */
	void *priv;		   /* the kind's own */
	struct probe *prev, *next; /* the host's list */
};

/*
 * Take over a job: the strings in @arena (malloc, owned from here on, also on
 * failure) and the socket @fd. The probe runs by itself until host->done; it
 * may end before this returns. -ENOMEM, or -EINVAL for an unknown kind.
 */
int probe_launch(struct probe_host *host, const struct job_spec *spec,
		 char *arena, int fd);
/* The running probe of this job, or NULL. */
struct probe *probe_find(const struct probe_host *host, uint32_t job_id);
/* Ends it with @o at once; host->done is called. */
void probe_abort(struct probe *p, enum outcome o);
/* The answer to request_socket: @fd (owned from here on), or @error < 0. */
void probe_socket_arrived(struct probe *p, int fd, int error);

/* The ops for a kind of job, or NULL. */
const struct probe_ops *probe_ops_for(enum job_kind kind);

/* Note the end of a phase: microseconds since start_ns. Once each; those that
 * this kind of job does not have are passed over. */
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
