/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proxy protocols that begin with a dialogue and are raw bytes after it. A
 * protocol is a state machine without any socket: bytes to send, bytes that
 * came. proto_tunnel_new() runs one as a layer of a stream. One file a protocol.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "worker/net/dgram.h"
#include "worker/net/fail.h"
#include "worker/net/stream.h"

#define PROTO_OUT_MAX 2048 /* longest message of ours in a dialogue */
#define PROTO_IN_MAX 264   /* longest message kept while it comes in */

struct http1;
struct proto_ops;

/* What is asked of the proxy; strings are borrowed while the dialogue lives. */
struct proto_dest {
	struct sockaddr_storage addr; /* with its port */
	const char *name;	      /* instead of the address, if not empty */
	const char *user, *password;  /* "": none */
	bool is_udp; /* relay datagrams (SOCKS5 UDP ASSOCIATE) */
};

struct proto_dialog {
	const struct proto_ops *ops;
	struct proto_dest dest;
	struct fail *fail;
	uint8_t out[PROTO_OUT_MAX];
	size_t out_len, out_off; /* what of it is still to be sent */
	uint8_t in[PROTO_IN_MAX];
	size_t in_len;
	uint8_t state; /* the protocol's own */
	bool is_done;
	struct sockaddr_storage bound; /* UDP relay, as the proxy says it */
	struct http1 *http;
};

struct proto_ops {
	const char *name;
	/* Fills d->out. 0, or failed (d->fail is set). */
	int (*start)(struct proto_dialog *d);
	/* Bytes of @buf that belong to the dialogue (all, unless it is done
	 * then), or failed. May fill d->out again. */
	ssize_t (*input)(struct proto_dialog *d, const uint8_t *buf,
			 size_t len);
	/* The proxy closed in the midst of it: says what that means; failed. */
	int (*closed)(struct proto_dialog *d);
	void (*stop)(struct proto_dialog *d);
};

extern const struct proto_ops proto_socks5;
extern const struct proto_ops proto_http_connect;

int proto_dialog_start(struct proto_dialog *d, const struct proto_ops *ops,
		       const struct proto_dest *dest, struct fail *fail);

/* A layer that is up when the dialogue over @lower (owned on success) has
 * succeeded, and then carries the tunnel. */
int proto_tunnel_new(struct stream **ret, struct stream *lower,
		     const struct proto_ops *ops,
		     const struct proto_dest *dest);
/* Its dialogue, for what the proxy said. */
const struct proto_dialog *proto_tunnel_dialog(const struct stream *s);

/* An address as SOCKS5 spells it into @buf (DGRAM_HEAD_MAX bytes), by name if
 * there is one. Its length, or -EINVAL. */
ssize_t proto_socks_addr(const struct proto_dest *dest, uint8_t *buf);
/* The header of each datagram to @dest. Its length, or -EINVAL. */
ssize_t proto_socks5_udp_head(const struct proto_dest *dest, uint8_t *buf);
