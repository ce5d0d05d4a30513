/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Jobs of targets that are no nodes: monitors and DNS upstreams. */
#include "supervisor/core/job_build.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "supervisor/core/job_parts.h"

/* One row for each way to ask, whoever asks in it. */
struct transport {
	uint8_t kind; /* enum job_kind */
	uint8_t proto;
	uint16_t flags;
	uint16_t port; /* default */
	enum check_class cls;
	bool is_dns;
};

static const struct transport transports[] = {
	[MONITOR_HTTP] = { JOB_HTTP, IPPROTO_TCP, 0, 80, CHECK_TCP, false },
	[MONITOR_HTTPS] = { JOB_HTTP, IPPROTO_TCP, JOB_TLS, 443, CHECK_HTTPS,
			    false },
	[MONITOR_H3] = { JOB_H3, IPPROTO_UDP, JOB_TLS, 443, CHECK_H3, false },
	[MONITOR_QUIC] = { JOB_QUIC, IPPROTO_UDP, JOB_TLS, 443, CHECK_QUIC,
			   false },
	[MONITOR_DNS_UDP] = { JOB_DNS_UDP, IPPROTO_UDP, 0, 53, CHECK_UDP,
			      true },
	[MONITOR_DNS_TCP] = { JOB_DNS_TCP, IPPROTO_TCP, 0, 53, CHECK_TCP,
			      true },
	[MONITOR_DOT] = { JOB_DNS_TCP, IPPROTO_TCP, JOB_TLS, 853, CHECK_TLS,
			  true },
	[MONITOR_DOH] = { JOB_DNS_HTTPS, IPPROTO_TCP, JOB_TLS, 443, CHECK_HTTPS,
			  true },
	[MONITOR_DOH3] = { JOB_DNS_H3, IPPROTO_UDP, JOB_TLS, 443, CHECK_H3,
			   true },
	[MONITOR_DOQ] = { JOB_DNS_QUIC, IPPROTO_UDP, JOB_TLS, 853, CHECK_QUIC,
			  true },
};
static_assert(ARRAY_LEN(transports) == MONITOR_KIND_COUNT,
	      "say how the new monitor asks");

static void set_transport(struct job_plan *p, const struct transport *t)
{
	job_parts_init(p);
	p->spec.kind = t->kind;
	p->spec.proto = t->proto;
	p->spec.flags = t->flags;
	p->spec.via = JOB_VIA_DIRECT;
}

static int set_question(struct job_plan *p, const struct config_monitor *m)
{
	int r;

	p->spec.qtype = m->qtype ? m->qtype : QTYPE_A;
	if (m->expect_rcode >= 0) {
		p->spec.flags |= JOB_EXPECT_RCODE;
		p->spec.rcode = (uint16_t)m->expect_rcode;
	}
	r = job_parts_set_str(p, JOB_STR_QNAME,
			      m->qname ? m->qname : DNS_CHECK_NAME);
	if (r < 0 || !m->expect_rdata)
		return r;
	return job_parts_set_str(p, JOB_STR_EXPECT_RDATA, m->expect_rdata);
}

static int set_expectation(struct job_plan *p, const struct config_monitor *m,
			   const char *path)
{
	int r;

	job_parts_set_status(&p->spec, path);
	if (m->status_min) {
		p->spec.status_min = m->status_min;
		p->spec.status_max = m->status_max;
	}
	r = job_parts_set_str(p, JOB_STR_METHOD,
			      m->expect_body ? "GET" : "HEAD");
	if (r < 0 || !m->expect_body)
		return r;
	return job_parts_set_str(p, JOB_STR_EXPECT_BODY, m->expect_body);
}

int job_build_monitor(struct job_plan *p, const struct config_monitor *m,
		      uint8_t family)
{
	const struct transport *t;
	const char *path = m->path ? m->path : "/";
	uint16_t port;
	int r;

	if (m->kind >= MONITOR_KIND_COUNT)
		return -EINVAL;
	t = &transports[m->kind];
	port = m->port ? m->port : t->port;
	set_transport(p, t);
	if (m->family && m->family != family)
		return -EADDRNOTAVAIL;
	r = job_parts_set_endpoint(&p->peer, m->host, port, family);
	if (r == 0)
		r = job_parts_set_request(p, m->host, port, t->port, path);
	if (r == 0 && m->sni)
		r = job_parts_set_str(p, JOB_STR_SNI, m->sni);
	if (r == 0 && t->kind == JOB_QUIC)
		r = job_parts_set_str(p, JOB_STR_ALPN, "h3");
	if (r == 0)
		r = t->is_dns ? set_question(p, m)
			      : set_expectation(p, m, path);
	if (r < 0)
		return r;
	if (m->insecure)
		p->spec.flags |= JOB_INSECURE;
	p->literal = p->peer.addr.family != 0;
	p->iface = m->iface;
	p->mark = m->mark;
	return 0;
}

enum check_class job_build_monitor_class(enum monitor_kind kind)
{
	assert(kind < MONITOR_KIND_COUNT);
	return transports[kind].cls;
}

/* What each scheme of an upstream is, as the configuration spells it. */
static const struct {
	const char *scheme;
	enum monitor_kind kind[2];
	int count;
} upstream_schemes[] = {
	{ "udp", { MONITOR_DNS_UDP }, 1 },
	{ "tcp", { MONITOR_DNS_TCP }, 1 },
	{ "tcp+udp", { MONITOR_DNS_UDP, MONITOR_DNS_TCP }, 2 },
	{ "tls", { MONITOR_DOT }, 1 },
	{ "https", { MONITOR_DOH }, 1 },
	{ "h3", { MONITOR_DOH3 }, 1 },
	{ "http3", { MONITOR_DOH3 }, 1 },
	{ "quic", { MONITOR_DOQ }, 1 },
};

static int upstream_kinds(const struct job_url *u,
			  const enum monitor_kind **ret)
{
	for (size_t i = 0; i < ARRAY_LEN(upstream_schemes); i++) {
		if (job_url_scheme_is(u, upstream_schemes[i].scheme)) {
			*ret = upstream_schemes[i].kind;
			return upstream_schemes[i].count;
		}
	}
	return -EINVAL;
}

int job_build_upstream_classes(const struct config_upstream *u,
			       enum check_class ret[2])
{
	const enum monitor_kind *kinds;
	struct job_url url;
	int r;

	r = job_url_split(u->url, &url);
	if (r < 0)
		return r;
	r = upstream_kinds(&url, &kinds);
	for (int i = 0; i < r; i++)
		ret[i] = transports[kinds[i]].cls;
	return r;
}

static int find_transport(const struct job_url *url, enum check_class cls,
			  const struct transport **ret)
{
	const enum monitor_kind *kinds;
	int n;

	n = upstream_kinds(url, &kinds);
	if (n < 0)
		return n;
	for (int i = 0; i < n; i++) {
		if (transports[kinds[i]].cls == cls) {
			*ret = &transports[kinds[i]];
			return 0;
		}
	}
	return -ENOENT;
}

int job_build_upstream(struct job_plan *p, const struct config_upstream *u,
		       enum check_class cls, uint8_t family)
{
	const struct transport *t;
	const char *host, *path;
	struct job_url url;
	uint16_t port;
	int r;

	r = job_url_split(u->url, &url);
	if (r < 0)
		return r;
	r = find_transport(&url, cls, &t);
	if (r < 0)
		return r;
	set_transport(p, t);
	p->spec.qtype = QTYPE_A;
	/* any answer to our question shows that the upstream works */
	p->spec.flags |= JOB_ANY_ANSWER;
	port = url.port ? url.port : t->port;
	r = job_parts_keep_url(p, &url, &host, &path);
	if (r < 0)
		return r;
	if (url.path_len <= 1)
		path = "/dns-query";
	r = job_parts_set_endpoint(&p->peer, host, port, family);
	if (r == 0)
		r = job_parts_set_request(p, host, port, t->port, path);
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_QNAME, DNS_CHECK_NAME);
	p->literal = p->peer.addr.family != 0;
	return r;
}
