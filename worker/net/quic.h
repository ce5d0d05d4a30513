/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QUIC client connection for one probe over its own datagrams: ngtcp2 with
 * wolfSSL. It is small (little windows, no migration, no resumption, three
 * streams of the peer), reads the clock only through its caller, and what runs
 * on top sees streams and no ngtcp2. Everything failed is put into *fail.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/net/dgram.h"
#include "worker/net/fail.h"
#include "worker/net/memacct.h"
#include "worker/net/tls_ctx.h"

struct quic;

#define QUIC_PULL_MAX 8

struct quic_vec {
	const uint8_t *base;
	size_t len;
};

/* Bytes to be sent on a stream, as asked for by the pull callback. */
struct quic_out {
	int64_t stream; /* -1: nothing */
	bool is_fin;
	size_t count;
	struct quic_vec vec[QUIC_PULL_MAX];
};

/*
 * What runs on top. All but pull and pulled may be NULL. Functions that return
 * int give 0, or -errno to end the connection: quic's fail must then be set,
 * except for -ENOMEM. None may call quic_free().
 */
struct quic_app {
	/* Keys for data are there: open streams. */
	int (*opened)(void *arg);
	int (*data)(void *arg, int64_t stream, const uint8_t *buf, size_t len,
		    bool is_fin);
	int (*acked)(void *arg, int64_t stream, uint64_t len);
	/* Both sides are over; @code 0 unless one was aborted. */
	int (*closed)(void *arg, int64_t stream, bool has_code, uint64_t code);
	int (*reset)(void *arg, int64_t stream, uint64_t code);
	int (*stopped)(void *arg, int64_t stream, uint64_t code);
	int (*writable)(void *arg, int64_t stream);
	int (*pull)(void *arg, struct quic_out *out);
	int (*pulled)(void *arg, int64_t stream, size_t len);
	int (*blocked)(void *arg, int64_t stream); /* by flow control */
	int (*shut)(void *arg, int64_t stream);	   /* takes no more data */
};

struct quic_config {
	struct tls_ctx *tls;
	struct tls_peer peer; /* alpn_required is implied */
	struct dgram *dgram;  /* borrowed */
	struct fail *fail;    /* borrowed */
	struct memacct *mem;  /* borrowed */
	const struct quic_app *app;
	void *arg;
	uint64_t no_error;     /* application code for a good ending */
	unsigned int peer_uni; /* streams the peer may open */
	uint64_t idle_ns;      /* the peer may be silent for so long */
};

/* Makes the connection; nothing is sent before quic_write(). 0, or failed. */
int quic_new(struct quic **ret, const struct quic_config *config,
	     uint64_t now_ns);
/* Take what has come. 0, or failed; quic_write() is due after it. */
int quic_read(struct quic *q, uint64_t now_ns);
/* Send what is due, as far as the socket takes it. 0, or failed. */
int quic_write(struct quic *q, uint64_t now_ns);
/* The time of quic_expiry_ns() has come. 0, or failed. */
int quic_expire(struct quic *q, uint64_t now_ns);
uint64_t quic_expiry_ns(const struct quic *q);
/* A datagram is waiting for the socket to become writable. */
bool quic_wants_write(const struct quic *q);
/* The handshake is done, certificate, name and ALPN are as they must be. */
bool quic_is_verified(const struct quic *q);
bool quic_has_heard(const struct quic *q); /* any packet of the peer */
int64_t quic_cert_not_after(const struct quic *q);
/* Say goodbye (CONNECTION_CLOSE), once, if the peer may still listen. */
void quic_close(struct quic *q);
/* Accepts NULL, sets *q to NULL. */
void quic_free(struct quic **q);

/* For what runs on top. 0 or -errno. */
int quic_open_bidi(struct quic *q, int64_t *ret);
int quic_open_uni(struct quic *q, int64_t *ret);
/* Give the peer @len bytes of window back. */
void quic_consumed(struct quic *q, int64_t stream, size_t len);
int quic_stop_reading(struct quic *q, int64_t stream, uint64_t code);
int quic_stop_writing(struct quic *q, int64_t stream, uint64_t code);
/* The code to close with if what runs on top found the peer to be wrong. */
void quic_set_error(struct quic *q, uint64_t code);
