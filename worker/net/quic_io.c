/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets in, packets out, timers, goodbye. */
#include "worker/net/quic.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

#include "common/base.h"
#include "worker/net/quic_int.h"

#define READ_BURST 16 /* datagrams a wake-up, so that others get their turn */
#define WRITE_BURST 16

static_assert(sizeof(struct quic_vec) == sizeof(ngtcp2_vec) &&
		      offsetof(struct quic_vec, len) ==
			      offsetof(ngtcp2_vec, len),
	      "vectors are handed on as they are");

static ngtcp2_path path_of(struct quic *q)
{
	struct dgram *d = q->cfg.dgram;

	return (ngtcp2_path){
		.local = { (void *)&d->local, d->local_len },
		.remote = { (void *)&d->peer, d->peer_len },
	};
}

static int read_datagram(struct quic *q, uint64_t now_ns)
{
	ngtcp2_path path = path_of(q);
	ngtcp2_pkt_info info = { 0 };
	uint8_t buf[DGRAM_MAX];
	ssize_t n;
	int r;

	n = dgram_recv(q->cfg.dgram, buf, sizeof(buf));
	if (n == -EAGAIN)
		return -EAGAIN;
	if (n < 0)
		return quic_fail_errno(q, (int)-n);
	r = ngtcp2_conn_read_pkt(q->conn, &path, &info, buf, (size_t)n,
				 quic_time(q, now_ns));
	if (r != 0)
		return quic_fail(q, r);
	q->has_heard = true;
	return 0;
}

int quic_read(struct quic *q, uint64_t now_ns)
{
	struct memacct *former = memacct_enter(q->cfg.mem);
	int r = 0;

	for (int i = 0; i < READ_BURST && r == 0; i++)
		r = read_datagram(q, now_ns);
	memacct_enter(former);
	return r == -EAGAIN ? 0 : r;
}

/* Keep what the socket did not take, for when it is writable. */
static int keep(struct quic *q, const uint8_t *buf, size_t len)
{
	q->unsent = memacct_alloc(q->cfg.mem, len);
	if (!q->unsent)
		return quic_fail(q, NGTCP2_ERR_NOMEM);
	memcpy(q->unsent, buf, len);
	q->unsent_len = len;
	return -EAGAIN;
}

static int send_unsent(struct quic *q)
{
	int r;

	if (!q->unsent)
		return 0;
	r = dgram_send(q->cfg.dgram, q->unsent, q->unsent_len);
	if (r == -EAGAIN)
		return r;
	memacct_free(q->unsent);
	q->unsent = NULL;
	return r < 0 ? quic_fail_errno(q, -r) : 0;
}

/* ngtcp2 could not take stream data now: tell the app. True if it did. */
static bool is_of_stream(struct quic *q, int64_t stream, ngtcp2_ssize n,
			 int *ret)
{
	const struct quic_app *app = q->cfg.app;

	switch (n) {
	case NGTCP2_ERR_STREAM_DATA_BLOCKED:
		*ret = app->blocked ? app->blocked(q->cfg.arg, stream)
				    : -EPROTO;
		return true;
	case NGTCP2_ERR_STREAM_SHUT_WR:
	case NGTCP2_ERR_STREAM_NOT_FOUND:
		*ret = app->shut ? app->shut(q->cfg.arg, stream) : -EPROTO;
		return true;
	default:
		return false;
	}
}

/* One datagram into @buf; its length, 0 if there is nothing to send. */
static ssize_t build(struct quic *q, uint8_t *buf, uint64_t now_ns)
{
	uint32_t flags = NGTCP2_WRITE_STREAM_FLAG_MORE;
	const struct quic_app *app = q->cfg.app;
	struct quic_out out;
	ngtcp2_pkt_info info;
	ngtcp2_ssize n, taken;
	int r;

	for (;;) {
		out = (struct quic_out){ .stream = -1 };
		if (app->pull) {
			r = app->pull(q->cfg.arg, &out);
			if (r < 0)
				return quic_fail(q,
						 NGTCP2_ERR_CALLBACK_FAILURE);
		}
		n = ngtcp2_conn_writev_stream(
			q->conn, NULL, &info, buf, QUIC_TX_MAX, &taken,
			flags | (out.is_fin ? NGTCP2_WRITE_STREAM_FLAG_FIN : 0),
			out.stream, (const ngtcp2_vec *)(void *)out.vec,
			out.count, now_ns);
		r = 0;
		if (n < 0 && n != NGTCP2_ERR_WRITE_MORE &&
		    !is_of_stream(q, out.stream, n, &r))
			return quic_fail(q, (int)n);
		if (r == 0 && taken >= 0 && out.stream >= 0 &&
		    (n >= 0 || n == NGTCP2_ERR_WRITE_MORE))
			r = app->pulled(q->cfg.arg, out.stream, (size_t)taken);
		if (r < 0)
			return quic_fail(q, NGTCP2_ERR_CALLBACK_FAILURE);
		if (n >= 0)
			return n;
	}
}

static int write_burst(struct quic *q, uint64_t now_ns)
{
	uint8_t buf[QUIC_TX_MAX];
	ssize_t n = 0;
	int r;

	r = send_unsent(q);
	for (int i = 0; r == 0 && i < WRITE_BURST; i++) {
		n = build(q, buf, now_ns);
		if (n <= 0)
			break;
		r = dgram_send(q->cfg.dgram, buf, (size_t)n);
		if (r == -EAGAIN)
			r = keep(q, buf, (size_t)n);
		else if (r < 0)
			r = quic_fail_errno(q, -r);
	}
	if (n < 0)
		return (int)n;
	ngtcp2_conn_update_pkt_tx_time(q->conn, now_ns);
	return r == -EAGAIN ? 0 : r;
}

int quic_write(struct quic *q, uint64_t now_ns)
{
	struct memacct *former = memacct_enter(q->cfg.mem);
	int r = write_burst(q, quic_time(q, now_ns));

	memacct_enter(former);
	return r;
}

int quic_expire(struct quic *q, uint64_t now_ns)
{
	struct memacct *former = memacct_enter(q->cfg.mem);
	int r = ngtcp2_conn_handle_expiry(q->conn, quic_time(q, now_ns));

	r = r == 0 ? write_burst(q, q->last_ns) : quic_fail(q, r);
	memacct_enter(former);
	return r;
}

uint64_t quic_expiry_ns(const struct quic *q)
{
	return ngtcp2_conn_get_expiry(q->conn);
}

void quic_close(struct quic *q)
{
	struct memacct *former;
	uint8_t buf[QUIC_TX_MAX];
	ngtcp2_pkt_info info;
	ngtcp2_ssize n;

	if (q->is_silent || !q->has_heard ||
	    ngtcp2_conn_in_closing_period(q->conn) ||
	    ngtcp2_conn_in_draining_period(q->conn))
		return;
	q->is_silent = true;
	if (q->cfg.fail->outcome == OUTCOME_OK && q->is_verified)
		quic_set_error(q, q->cfg.no_error);
	former = memacct_enter(q->cfg.mem);
	n = ngtcp2_conn_write_connection_close(q->conn, NULL, &info, buf,
					       sizeof(buf), &q->goodbye,
					       q->last_ns);
	memacct_enter(former);
	if (n > 0)
		(void)dgram_send(q->cfg.dgram, buf, (size_t)n);
}
