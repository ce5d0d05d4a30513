/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * JOB_H3: an HTTP/3 request and the judgement of its status and body.
 * JOB_DNS_H3: a DNS query in one (RFC 8484 over RFC 9114).
 */
#include "worker/net/h3.h"

#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "worker/probe/dns_check.h"
#include "worker/probe/kinds.h"
#include "worker/probe/quic_run.h"

#define PEER_UNI 3 /* control, QPACK encoder and decoder */
#define DNS_MESSAGE "application/dns-message"

struct h3_probe {
	struct quic_run run;
	struct h3 *h3;
	struct dns_question question; /* JOB_DNS_H3 */
	uint8_t query[DNS_QUERY_MAX];
};

static void h3_probe_attach(void *priv, struct quic *q)
{
	struct h3_probe *h = priv;

	h3_attach(h->h3, q);
}

static void h3_probe_clear(void *priv)
{
	struct h3_probe *h = priv;

	h3_free(&h->h3);
}

/* DNS over HTTP succeeds with 2xx alone (RFC 8484 section 4.2.1). */
static bool status_is_wanted(const struct probe *p, uint16_t status)
{
	if (p->spec.kind == JOB_DNS_H3)
		return status / 100 == 2;
	return status >= p->spec.status_min && status <= p->spec.status_max;
}

/* The answer if it is whole and its status as wanted, else NULL and what to
 * return in *ret. */
static const struct h3_answer *h3_probe_answer(struct probe *p, uint64_t now_ns,
					       int *ret)
{
	struct h3_probe *h = p->priv;
	const struct h3_answer *a = h3_answer(h->h3);

	*ret = PROBE_GOING;
	if (a->status && !p->res.phase_us[PHASE_FIRST_BYTE])
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
	/* An answer may overtake the end of the handshake; only with it are
	 * certificate and ALPN what they must be. */
	if (!quic_is_verified(h->run.quic))
		return NULL;
	if (a->status >= 200 && !status_is_wanted(p, a->status)) {
		*ret = fail_set(&p->fail, OUTCOME_HTTP_STATUS,
				FOREIGN_HTTP_STATUS, a->status);
		return NULL;
	}
	return a->is_done || a->is_overlong ? a : NULL;
}

static int h3_judge(struct probe *p, uint64_t now_ns)
{
	const char *want = p->spec.str[JOB_STR_EXPECT_BODY];
	const struct h3_answer *a;
	int r;

	a = h3_probe_answer(p, now_ns, &r);
	if (!a)
		return r;
	if (*want && !memmem(a->body, a->body_len, want, strlen(want)))
		return fail_set(&p->fail, OUTCOME_BODY_MISMATCH,
				FOREIGN_HTTP_STATUS, a->status);
	return PROBE_DONE;
}

static const struct quic_kind h3_kind = {
	.alpn = "h3",
	.no_error = H3_NO_ERROR,
	.peer_uni = PEER_UNI,
	.app = &h3_quic_app,
	.attach = h3_probe_attach,
	.judge = h3_judge,
	.clear = h3_probe_clear,
};

static int h3_probe_start(struct probe *p, const struct h3_request *req,
			  uint64_t now_ns)
{
	struct h3_probe *h = p->priv;

	if (h3_new(&h->h3, req, &p->fail, &p->mem) < 0)
		return quic_run_no_memory(p);
	h->run.arg = h->h3;
	return quic_run_start(p, now_ns);
}

static int h3_start(struct probe *p, uint64_t now_ns)
{
	const struct job_spec *spec = &p->spec;
	bool wants_body = *spec->str[JOB_STR_EXPECT_BODY] != '\0';
	struct h3_request req = {
		.method = wants_body ? "GET" : spec->str[JOB_STR_METHOD],
		.authority = spec->str[JOB_STR_HOST],
		.path = spec->str[JOB_STR_PATH],
		.wants_body = wants_body,
	};

	if (!quic_run_alloc(p, &h3_kind, sizeof(struct h3_probe)))
		return quic_run_no_memory(p);
	if (!*req.method)
		req.method = "HEAD";
	if (!*req.path)
		req.path = "/";
	return h3_probe_start(p, &req, now_ns);
}

/* The type alone counts, not its parameters. */
static bool is_dns_message(const char *content_type)
{
	size_t len = strcspn(content_type, "; \t");

	return len == strlen(DNS_MESSAGE) &&
	       strncasecmp(content_type, DNS_MESSAGE, len) == 0;
}

static int dns_h3_judge(struct probe *p, uint64_t now_ns)
{
	struct h3_probe *h = p->priv;
	const struct h3_answer *a;
	int r;

	a = h3_probe_answer(p, now_ns, &r);
	if (!a)
		return r;
	if (a->is_overlong || !is_dns_message(a->content_type)) {
		fail_detail(&p->fail, a->content_type, strlen(a->content_type));
		return fail_set(&p->fail, OUTCOME_HTTP_MALFORMED,
				FOREIGN_HTTP_STATUS, a->status);
	}
	r = dns_check_answer(p, &h->question, a->body, a->body_len);
	return r == PROBE_GOING ? dns_check_mismatch(p) : r;
}

static const struct quic_kind dns_h3_kind = {
	.alpn = "h3",
	.no_error = H3_NO_ERROR,
	.peer_uni = PEER_UNI,
	.app = &h3_quic_app,
	.attach = h3_probe_attach,
	.judge = dns_h3_judge,
	.clear = h3_probe_clear,
};

static int dns_h3_start(struct probe *p, uint64_t now_ns)
{
	struct h3_request req = {
		.method = "POST",
		.authority = p->spec.str[JOB_STR_HOST],
		.path = p->spec.str[JOB_STR_PATH],
		.content_type = DNS_MESSAGE,
		.wants_body = true,
	};
	struct h3_probe *h;
	ssize_t n;

	h = quic_run_alloc(p, &dns_h3_kind, sizeof(*h));
	if (!h)
		return quic_run_no_memory(p);
	n = dns_check_ask(p, &h->question, true, h->query);
	if (n < 0)
		return (int)n;
	if (!*req.path)
		req.path = "/dns-query";
	req.body = h->query;
	req.body_len = (size_t)n;
	return h3_probe_start(p, &req, now_ns);
}

const struct probe_ops probe_h3_ops = {
	.name = "h3",
	.start = h3_start,
	.on_ready = quic_run_on_ready,
	.on_expiry = quic_run_on_expiry,
	.expiry_ns = quic_run_expiry_ns,
	.timeout_outcome = quic_run_timeout_outcome,
	.stop = quic_run_stop,
};

const struct probe_ops probe_dns_h3_ops = {
	.name = "dns_h3",
	.start = dns_h3_start,
	.on_ready = quic_run_on_ready,
	.on_expiry = quic_run_on_expiry,
	.expiry_ns = quic_run_expiry_ns,
	.timeout_outcome = quic_run_timeout_outcome,
	.stop = quic_run_stop,
};
