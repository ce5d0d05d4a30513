/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS as a layer of a stream. */
#pragma once

#include "worker/net/stream.h"
#include "worker/net/tls_ctx.h"

/*
 * @lower is owned on success, @peer borrowed for this call. The layer is up when
 * the handshake is done and certificate, name and ALPN are as they must be.
 * 0, -EINVAL or -ENOMEM.
 */
int tls_stream_new(struct stream **ret, struct stream *lower, struct tls_ctx *t,
		   const struct tls_peer *peer);
/* Expiry of the peer's certificate, unix seconds; 0: none seen so far. */
int64_t tls_stream_not_after(const struct stream *s);
