/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A byte stream over a handed socket, in layers: the TCP socket, TLS over it, a
 * proxy's tunnel over that, TLS to the target on top. Nothing blocks: -EAGAIN
 * means "call again when the socket is ready for stream_wants()".
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "worker/net/fail.h"

struct stream;

struct stream_ops {
	const char *name;
	/* Bring this layer up, the lower one is up already. 0, -EAGAIN, or failed
	 * (fail is set). */
	int (*connect)(struct stream *s);
	/* Bytes, 0 at the end of the stream, -EAGAIN, or failed. */
	ssize_t (*read)(struct stream *s, void *buf, size_t len);
	ssize_t (*write)(struct stream *s, const void *buf, size_t len);
	/* This layer only; the lower ones are freed by stream_free(). */
	void (*free)(struct stream *s);
};

struct stream {
	const struct stream_ops *ops;
	struct stream *lower; /* NULL: this is the socket */
	struct fail *fail;    /* the probe's */
	short wants;	      /* EV_READ, EV_WRITE: what -EAGAIN waits for */
	bool is_up;
};

/* Brings up all layers from the lowest. 0, -EAGAIN, or failed. */
int stream_connect(struct stream *s);
ssize_t stream_read(struct stream *s, void *buf, size_t len);
ssize_t stream_write(struct stream *s, const void *buf, size_t len);
short stream_wants(const struct stream *s);
/* Frees all layers, not the socket. Accepts NULL, sets *s to NULL. */
void stream_free(struct stream **s);

/* The socket itself, connected or connecting; not closed by the stream. Counts
 * payload bytes into *tx and *rx. */
int stream_tcp_new(struct stream **ret, int fd, struct fail *fail, uint32_t *tx,
		   uint32_t *rx);
