/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an HTTP/3 server sends, as streams: the connection below is replaced, so
 * that the input need not be encrypted. Each record of the input is a stream
 * (of those that a server may use), a flag for its end, a length, and bytes.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "worker/net/h3.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct quic {
	int64_t next_uni, next_bidi;
	size_t consumed;
};

int quic_open_bidi(struct quic *q, int64_t *ret)
{
	*ret = q->next_bidi;
	q->next_bidi += 4;
	return 0;
}

int quic_open_uni(struct quic *q, int64_t *ret)
{
	*ret = q->next_uni;
	q->next_uni += 4;
	return 0;
}

void quic_consumed(struct quic *q, int64_t stream DAE_UNUSED, size_t len)
{
	q->consumed += len;
}

int quic_stop_reading(struct quic *q DAE_UNUSED, int64_t stream DAE_UNUSED,
		      uint64_t code DAE_UNUSED)
{
	return 0;
}

int quic_stop_writing(struct quic *q DAE_UNUSED, int64_t stream DAE_UNUSED,
		      uint64_t code DAE_UNUSED)
{
	return 0;
}

void quic_set_error(struct quic *q DAE_UNUSED, uint64_t code DAE_UNUSED)
{
}

static int feed_record(struct h3 *h, const uint8_t **p, size_t *left)
{
	static const int64_t streams[] = { 0, 3, 7, 11 };
	int64_t stream = streams[(*p)[0] & 3];
	bool is_fin = (*p)[0] & 4;
	size_t n = MIN((size_t)(*p)[1], *left - 2);
	int r;

	if ((*p)[0] & 8)
		r = h3_quic_app.reset(h, stream, n);
	else
		r = h3_quic_app.data(h, stream, *p + 2, n, is_fin);
	if (r == 0 && (*p)[0] & 16)
		r = h3_quic_app.closed(h, stream, (*p)[0] & 32, n);
	*p += 2 + n;
	*left -= 2 + n;
	return r;
}

static int drain(struct h3 *h)
{
	struct quic_out out;
	size_t len;
	int r;

	for (int i = 0; i < 20; i++) {
		out = (struct quic_out){ .stream = -1 };
		r = h3_quic_app.pull(h, &out);
		if (r < 0 || out.stream < 0)
			return r;
		len = 0;
		for (size_t v = 0; v < out.count; v++)
			len += out.vec[v].len;
		r = h3_quic_app.pulled(h, out.stream, len);
		if (r < 0)
			return r;
	}
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct h3_request req = {
		.method = len && data[0] & 128 ? "HEAD" : "GET",
		.authority = "probe.test",
		.path = "/",
		.wants_body = len && !(data[0] & 128),
	};
	struct quic q = { .next_uni = 2 };
	struct memacct mem = { .limit = 1 << 20 };
	struct fail fail = { 0 };
	const struct h3_answer *a;
	struct h3 *h = NULL;
	int r;

	if (h3_new(&h, &req, &fail, &mem) < 0)
		abort();
	h3_attach(h, &q);
	r = h3_quic_app.opened(h);
	if (r == 0)
		r = drain(h);
	while (r == 0 && len >= 2)
		r = feed_record(h, &data, &len);
	a = h3_answer(h);
	if (a->body_len > H3_BODY_MAX || a->status > 999)
		abort();
	if (a->body_len > 0 && !a->body)
		abort();
	if (r < 0 && r != -ENOMEM && fail.outcome == OUTCOME_OK)
		abort(); /* a failure without a name */
	h3_free(&h);
	if (memacct_close(&mem) != 0)
		abort();
	return 0;
}
