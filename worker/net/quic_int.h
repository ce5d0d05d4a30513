/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inside of worker/net/quic*.c; nobody else includes it. */
#pragma once

#include <ngtcp2/ngtcp2.h>
#include <ngtcp2/ngtcp2_crypto.h>

#include "worker/net/quic.h"

#define QUIC_TX_MAX 1452 /* longest datagram sent; the first are 1200 */
#define QUIC_RX_MAX 1500 /* longest payload asked of the peer */

struct quic {
	struct quic_config cfg;
	ngtcp2_conn *conn;
	ngtcp2_crypto_conn_ref ref; /* how the TLS side finds conn */
	ngtcp2_mem mem;
	ngtcp2_ccerr goodbye; /* what we close with */
	struct tls_session tls;
	uint64_t last_ns; /* no earlier time may ever reach ngtcp2 */
	uint8_t *unsent;  /* a datagram the socket did not take yet */
	size_t unsent_len;
	bool has_heard, is_verified, is_silent; /* silent: no goodbye */
	bool saw_reset;				/* stateless */
	char versions[48]; /* a Version Negotiation's list, as text */
};

/* quic_cb.c: what ngtcp2 calls. */
extern const ngtcp2_callbacks quic_callbacks;

/* quic_fail.c: an error of ngtcp2's reading or timers, or of its writing, into
 * cfg.fail and goodbye. Always -EPROTO. */
int quic_fail(struct quic *q, int liberr);
int quic_fail_errno(struct quic *q, int err);

/* quic_rand.c: bytes of the kernel's generator, by way of a small buffer. */
void quic_rand(void *buf, size_t len);

/* Time as ngtcp2 may see it. */
static inline uint64_t quic_time(struct quic *q, uint64_t now_ns)
{
	if (now_ns > q->last_ns)
		q->last_ns = now_ns;
	return q->last_ns;
}
