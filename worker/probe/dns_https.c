/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DNS question by HTTPS: RFC 8484, POST over HTTP/2. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "worker/net/h2.h"
#include "worker/probe/dns_check.h"
#include "worker/probe/kinds.h"
#include "worker/probe/path.h"

#define MEDIA_TYPE "application/dns-message"

struct dns_https {
	struct path *path;
	struct h2 *h2; /* NULL until the path stands */
	struct dns_question q;
	uint8_t query[DNS_QUERY_MAX];
	size_t query_len;
};

static int request_begin(struct probe *p, struct dns_https *d)
{
	const struct h2_request req = {
		.authority = p->spec.str[JOB_STR_HOST],
		.path = p->spec.str[JOB_STR_PATH],
		.content_type = MEDIA_TYPE,
		.body = d->query,
		.body_len = d->query_len,
	};

	return h2_new(&d->h2, path_stream(d->path), &req, &p->mem);
}

static int judge(struct probe *p, const struct dns_https *d)
{
	const char *type = h2_content_type(d->h2);
	const uint8_t *body;
	size_t len;
	int r;

	/* Only a 2xx carries a DNS message (RFC 8484 section 4.2.1). */
	if (h2_status(d->h2) / 100 != 2)
		return fail_set(&p->fail, OUTCOME_HTTP_STATUS,
				FOREIGN_HTTP_STATUS, h2_status(d->h2));
	if (strncasecmp(type, MEDIA_TYPE, strlen(MEDIA_TYPE)) != 0) {
		fail_detail(&p->fail, type, strlen(type));
		return fail_set(&p->fail, OUTCOME_HTTP_MALFORMED,
				FOREIGN_HTTP_STATUS, h2_status(d->h2));
	}
	body = h2_body(d->h2, &len);
	r = dns_check_answer(p, &d->q, body, len);
	return r == PROBE_GOING ? dns_check_mismatch(p) : r;
}

static int step(struct probe *p, uint64_t now_ns)
{
	struct dns_https *d = p->priv;
	int r;

	if (!d->h2) {
		r = path_step(d->path, now_ns);
		if (r < 0)
			return r == -EAGAIN ? PROBE_GOING : r;
		r = request_begin(p, d);
		if (r < 0)
			return r;
	}
	r = h2_step(d->h2);
	if (h2_status(d->h2))
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
	if (r == -EAGAIN)
		return probe_watch(p, 0, h2_wants(d->h2));
	return r < 0 ? r : judge(p, d);
}

static int dns_https_start(struct probe *p, uint64_t now_ns)
{
	struct dns_https *d = calloc(1, sizeof(*d));
	ssize_t n;
	int r;

	p->priv = d;
	if (!d)
		return -ENOMEM;
	n = dns_check_ask(p, &d->q, true, d->query);
	if (n < 0)
		return (int)n;
	d->query_len = (size_t)n;
	r = path_new_stream(&d->path, p, "h2", true);
	return r < 0 ? r : step(p, now_ns);
}

static int dns_https_ready(struct probe *p, int fd DAE_UNUSED,
			   short what DAE_UNUSED, uint64_t now_ns)
{
	return step(p, now_ns);
}

static enum outcome dns_https_timeout(const struct probe *p)
{
	const struct dns_https *d = p->priv;

	return path_timeout_outcome(d->path);
}

static void dns_https_stop(struct probe *p)
{
	struct dns_https *d = TAKE_PTR(p->priv);

	if (!d)
		return;
	h2_free(&d->h2);
	path_free(&d->path);
	free(d);
}

const struct probe_ops probe_dns_https_ops = {
	.name = "dns_https",
	.start = dns_https_start,
	.on_ready = dns_https_ready,
	.timeout_outcome = dns_https_timeout,
	.stop = dns_https_stop,
};
