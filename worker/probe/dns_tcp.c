/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A DNS question over a stream: TCP (RFC 7766) or TLS (RFC 7858). */
#include <stdlib.h>

#include "common/base.h"
#include "worker/probe/dns_check.h"
#include "worker/probe/kinds.h"
#include "worker/probe/path.h"

#define PREFIX 2 /* bytes of the length in front of each message */

struct dns_tcp {
	struct path *path;
	bool is_up;
	struct dns_question q;
	uint8_t query[PREFIX + DNS_QUERY_MAX];
	size_t query_len, sent;
	uint8_t prefix[PREFIX];
	uint8_t *msg;	     /* NULL until its length is known */
	size_t msg_len, got; /* @got counts the prefix, too */
};

static int wait_for(struct probe *p, struct dns_tcp *d, ssize_t r)
{
	if (r != -EAGAIN)
		return (int)r;
	return probe_watch(p, 0, stream_wants(path_stream(d->path)));
}

static int closed_early(struct probe *p, const struct dns_tcp *d)
{
	return fail_set(&p->fail,
			d->got ? OUTCOME_DNS_MALFORMED : OUTCOME_CLOSED,
			FOREIGN_NONE, 0);
}

static int prefix_complete(struct probe *p, struct dns_tcp *d)
{
	d->msg_len = (size_t)d->prefix[0] << 8 | d->prefix[1];
	if (d->msg_len == 0)
		return fail_set(&p->fail, OUTCOME_DNS_MALFORMED, FOREIGN_NONE,
				0);
	d->msg = malloc(d->msg_len);
	return d->msg ? 0 : -ENOMEM;
}

/* The next piece of the prefix, then of the message. */
static ssize_t read_piece(struct dns_tcp *d)
{
	struct stream *s = path_stream(d->path);
	ssize_t n;

	if (!d->msg)
		n = stream_read(s, d->prefix + d->got, PREFIX - d->got);
	else
		n = stream_read(s, d->msg + d->got - PREFIX,
				PREFIX + d->msg_len - d->got);
	if (n > 0)
		d->got += (size_t)n;
	return n;
}

static int read_answer(struct probe *p, struct dns_tcp *d, uint64_t now_ns)
{
	ssize_t n;
	int r;

	for (;;) {
		n = read_piece(d);
		if (n < 0)
			return wait_for(p, d, n);
		if (n == 0)
			return closed_early(p, d);
		probe_phase(p, PHASE_FIRST_BYTE, now_ns);
		if (!d->msg && d->got == PREFIX) {
			r = prefix_complete(p, d);
			if (r < 0)
				return r;
		}
		if (d->msg && d->got == PREFIX + d->msg_len)
			break;
	}
	r = dns_check_answer(p, &d->q, d->msg, d->msg_len);
	return r == PROBE_GOING ? dns_check_mismatch(p) : r;
}

static int step(struct probe *p, uint64_t now_ns)
{
	struct dns_tcp *d = p->priv;
	ssize_t n;
	int r;

	if (!d->is_up) {
		r = path_step(d->path, now_ns);
		if (r < 0)
			return r == -EAGAIN ? PROBE_GOING : r;
		d->is_up = true;
	}
	while (d->sent < d->query_len) {
		n = stream_write(path_stream(d->path), d->query + d->sent,
				 d->query_len - d->sent);
		if (n < 0)
			return wait_for(p, d, n);
		d->sent += (size_t)n;
		/* its answer is another wake-up, with a time of its own */
		if (d->sent == d->query_len)
			return probe_watch(p, 0, EV_READ);
	}
	return read_answer(p, d, now_ns);
}

static int dns_tcp_start(struct probe *p, uint64_t now_ns)
{
	struct dns_tcp *d = calloc(1, sizeof(*d));
	ssize_t n;
	int r;

	p->priv = d;
	if (!d)
		return -ENOMEM;
	n = dns_check_ask(p, &d->q, false, d->query + PREFIX);
	if (n < 0)
		return (int)n;
	d->query[0] = (uint8_t)(n >> 8);
	d->query[1] = (uint8_t)n;
	d->query_len = PREFIX + (size_t)n;
	/* RFC 7858 knows no ALPN, and most servers choose none. */
	r = path_new_stream(&d->path, p, "dot", false);
	return r < 0 ? r : step(p, now_ns);
}

static int dns_tcp_ready(struct probe *p, int fd DAE_UNUSED,
			 short what DAE_UNUSED, uint64_t now_ns)
{
	return step(p, now_ns);
}

static enum outcome dns_tcp_timeout(const struct probe *p)
{
	const struct dns_tcp *d = p->priv;

	return path_timeout_outcome(d->path);
}

static void dns_tcp_stop(struct probe *p)
{
	struct dns_tcp *d = TAKE_PTR(p->priv);

	if (!d)
		return;
	path_free(&d->path);
	free(d->msg);
	free(d);
}

const struct probe_ops probe_dns_tcp_ops = {
	.name = "dns_tcp",
	.start = dns_tcp_start,
	.on_ready = dns_tcp_ready,
	.timeout_outcome = dns_tcp_timeout,
	.stop = dns_tcp_stop,
};
