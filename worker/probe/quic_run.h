/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the probe kinds over QUIC share: the path, the connection, its readiness
 * and timers. A kind gives what runs on top and how to judge it. The ops of all
 * kinds but start are these; p->priv is the kind's struct, which begins with a
 * struct quic_run.
 */
#pragma once

#include "worker/net/quic.h"
#include "worker/probe/path.h"
#include "worker/probe/probe.h"

struct quic_kind {
	const char *alpn;      /* NULL: JOB_STR_ALPN */
	uint64_t no_error;     /* application code for a good ending */
	unsigned int peer_uni; /* streams the peer may open */
	const struct quic_app *app;
	/* The connection is there, nothing sent or read yet. May be NULL. */
	void (*attach)(void *priv, struct quic *q);
	/* After all that was read: PROBE_GOING, PROBE_DONE, or failed. */
	int (*judge)(struct probe *p, uint64_t now_ns);
	/* Free what is the kind's own but not the struct. In any state. */
	void (*clear)(void *priv);
};

struct quic_run {
	const struct quic_kind *kind;
	struct path *path;
	struct quic *quic; /* NULL until the path stands */
	void *arg;	   /* of the app; the kind's struct at first */
};

/* @size: of the kind's struct; zeroed, into p->priv. NULL is reported by the
 * caller with quic_run_no_memory(). */
void *quic_run_alloc(struct probe *p, const struct quic_kind *kind,
		     size_t size);
int quic_run_no_memory(struct probe *p);
/* The last thing of a kind's start. */
int quic_run_start(struct probe *p, uint64_t now_ns);
int quic_run_on_ready(struct probe *p, int fd, short what, uint64_t now_ns);
int quic_run_on_expiry(struct probe *p, uint64_t now_ns);
uint64_t quic_run_expiry_ns(const struct probe *p);
enum outcome quic_run_timeout_outcome(const struct probe *p);
void quic_run_stop(struct probe *p);
