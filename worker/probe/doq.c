/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JOB_DNS_QUIC: one query over a QUIC connection of its own (RFC 9250). The
 * query has ID 0, a length of two bytes in front and FIN behind; so has the
 * answer. The peer may open no streams at all.
 */
#include "worker/probe/kinds.h"

#include <string.h>

#include "common/base.h"
#include "worker/probe/dns_check.h"
#include "worker/probe/quic_run.h"

#define DOQ_NO_ERROR 0x0
#define DOQ_PROTOCOL_ERROR 0x2
#define PREFIX 2
#define ROOM_FIRST 512

struct doq {
	struct quic_run run;
	struct fail *fail;
	struct memacct *mem;
	struct dns_question question;
	uint8_t query[PREFIX + DNS_QUERY_MAX];
	size_t query_len, query_sent;
	int64_t stream;	 /* -1: not open yet */
	uint8_t *answer; /* prefix and message */
	size_t len, cap;
	bool is_over; /* FIN seen */
};

/* Bytes of the whole answer, prefix included; 0 while that is not known. */
static size_t doq_expected(const struct doq *d)
{
	if (d->len < PREFIX)
		return 0;
	return PREFIX + (size_t)(d->answer[0] << 8 | d->answer[1]);
}

static bool doq_is_whole(const struct doq *d)
{
	return d->len >= PREFIX && d->len >= doq_expected(d);
}

static int doq_opened(void *arg)
{
	struct doq *d = arg;

	if (d->stream >= 0)
		return 0;
	if (quic_open_bidi(d->run.quic, &d->stream) == 0)
		return 0;
	d->stream = -1;
	return fail_set(d->fail, OUTCOME_QUIC_PROTOCOL, FOREIGN_NONE, 0);
}

static int doq_reserve(struct doq *d, size_t len)
{
	size_t cap = d->cap ? d->cap : ROOM_FIRST;
	uint8_t *moved;

	if (len <= d->cap)
		return 0;
	while (cap < len)
		cap *= 2;
	moved = memacct_realloc(d->mem, d->answer, cap);
	if (!moved)
		return -ENOMEM;
	d->answer = moved;
	d->cap = cap;
	return 0;
}

/* More than the length says is another message: none was asked for. */
static int doq_data(void *arg, int64_t stream, const uint8_t *buf, size_t len,
		    bool is_fin)
{
	struct doq *d = arg;
	size_t room = PREFIX + DNS_TCP_MAX - d->len;

	quic_consumed(d->run.quic, stream, len);
	if (stream != d->stream)
		return 0;
	if (doq_is_whole(d) || len > room)
		len = doq_is_whole(d) ? 0 : room;
	if (len > 0 && doq_reserve(d, d->len + len) < 0)
		return -ENOMEM;
	if (len > 0)
		memcpy(d->answer + d->len, buf, len);
	d->len += len;
	d->is_over |= is_fin;
	return 0;
}

/* FIN, and no whole answer in front of it. */
static int doq_cut_short(struct doq *d)
{
	return fail_set(d->fail,
			d->len > 0 ? OUTCOME_DNS_MALFORMED : OUTCOME_CLOSED,
			FOREIGN_NONE, 0);
}

static int doq_lost(struct doq *d, bool has_code, uint64_t code)
{
	if (doq_is_whole(d))
		return 0;
	if (has_code)
		return fail_set(d->fail, OUTCOME_QUIC_STREAM_RESET,
				FOREIGN_QUIC_APP, code);
	return doq_cut_short(d);
}

static int doq_closed(void *arg, int64_t stream, bool has_code, uint64_t code)
{
	struct doq *d = arg;

	return stream == d->stream ? doq_lost(d, has_code, code) : 0;
}

static int doq_reset(void *arg, int64_t stream, uint64_t code)
{
	struct doq *d = arg;

	return stream == d->stream ? doq_lost(d, true, code) : 0;
}

static int doq_pull(void *arg, struct quic_out *out)
{
	struct doq *d = arg;

	if (d->stream < 0 || d->query_sent == d->query_len)
		return 0;
	out->stream = d->stream;
	out->is_fin = true;
	out->count = 1;
	out->vec[0].base = d->query + d->query_sent;
	out->vec[0].len = d->query_len - d->query_sent;
	return 0;
}

static int doq_pulled(void *arg, int64_t stream, size_t len)
{
	struct doq *d = arg;

	(void)stream;
	d->query_sent += len;
	return 0;
}

/* The query is far below any window; a peer with a smaller one is no DNS. */
static int doq_refused(void *arg, int64_t stream)
{
	struct doq *d = arg;

	(void)stream;
	return fail_set(d->fail, OUTCOME_QUIC_PROTOCOL, FOREIGN_NONE, 0);
}

static const struct quic_app doq_app = {
	.opened = doq_opened,
	.data = doq_data,
	.closed = doq_closed,
	.reset = doq_reset,
	.stopped = doq_reset,
	.pull = doq_pull,
	.pulled = doq_pulled,
	.blocked = doq_refused,
	.shut = doq_refused,
};

static int doq_judge(struct probe *p, uint64_t now_ns)
{
	struct doq *d = p->priv;
	int r;

	if (d->len > 0 && !p->res.phase_us[PHASE_FIRST_BYTE])
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
	if (!quic_is_verified(d->run.quic))
		return PROBE_GOING;
	if (!doq_is_whole(d))
		return d->is_over ? doq_cut_short(d) : PROBE_GOING;
	r = dns_check_answer(p, &d->question, d->answer + PREFIX,
			     doq_expected(d) - PREFIX);
	if (r == PROBE_GOING)
		r = dns_check_mismatch(p);
	/* A message that is none breaks the protocol (section 4.3.3). */
	if (p->fail.outcome == OUTCOME_DNS_MALFORMED ||
	    p->fail.outcome == OUTCOME_DNS_MISMATCH)
		quic_set_error(d->run.quic, DOQ_PROTOCOL_ERROR);
	return r;
}

static void doq_clear(void *priv)
{
	struct doq *d = priv;

	memacct_free(d->answer);
	d->answer = NULL;
	d->len = d->cap = 0;
}

static const struct quic_kind doq_kind = {
	.alpn = "doq",
	.no_error = DOQ_NO_ERROR,
	.peer_uni = 0,
	.app = &doq_app,
	.judge = doq_judge,
	.clear = doq_clear,
};

static int doq_start(struct probe *p, uint64_t now_ns)
{
	struct doq *d = quic_run_alloc(p, &doq_kind, sizeof(*d));
	ssize_t n;

	if (!d)
		return quic_run_no_memory(p);
	d->fail = &p->fail;
	d->mem = &p->mem;
	d->stream = -1;
	n = dns_check_ask(p, &d->question, true, d->query + PREFIX);
	if (n < 0)
		return (int)n;
	d->query[0] = (uint8_t)(n >> 8);
	d->query[1] = (uint8_t)n;
	d->query_len = PREFIX + (size_t)n;
	return quic_run_start(p, now_ns);
}

const struct probe_ops probe_dns_quic_ops = {
	.name = "dns_quic",
	.start = doq_start,
	.on_ready = quic_run_on_ready,
	.on_expiry = quic_run_on_expiry,
	.expiry_ns = quic_run_expiry_ns,
	.timeout_outcome = quic_run_timeout_outcome,
	.stop = quic_run_stop,
};
