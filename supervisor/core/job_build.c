/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_build.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/job_parts.h"

/* dae's rule: literal addresses behind the URL replace its name, the last of
 * each family wins; with literals of the other family only, there is none. */
static int apply_literals(struct job_endpoint *e, const struct config_list *l)
{
	bool any = false;
	struct addr a;

	for (size_t i = 1; l && i < l->count; i++) {
		if (addr_parse(l->items[i], &a) < 0)
			continue;
		any = true;
		if (a.family == e->family)
			e->addr = a;
	}
	return any && e->addr.family == 0 ? -EADDRNOTAVAIL : 0;
}

static int add_http(struct job_plan *p, const struct config *c, uint8_t family)
{
	const struct config_list *l = &c->global.tcp_check_url;
	const char *host, *path, *method = c->global.tcp_check_http_method;
	uint16_t default_port, port;
	struct job_url u;
	bool tls;
	int r;

	if (l->count == 0)
		return -ENOENT;
	r = job_url_split(l->items[0], &u);
	if (r < 0)
		return r;
	tls = job_url_scheme_is(&u, "https");
	if (!tls && !job_url_scheme_is(&u, "http"))
		return -EINVAL;
	default_port = tls ? 443 : 80;
	port = u.port ? u.port : default_port;
	p->spec.kind = JOB_HTTP;
	p->spec.flags = tls ? JOB_TLS : 0;
	p->spec.proto = IPPROTO_TCP;
	r = job_parts_keep_url(p, &u, &host, &path);
	if (r == 0)
		r = job_parts_set_endpoint(&p->target, host, port, family);
	if (r == 0)
		r = apply_literals(&p->target, l);
	if (r == 0)
		r = job_parts_set_request(p, host, port, default_port, path);
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_METHOD,
				      method && *method ? method : "GET");
	job_parts_set_status(&p->spec, r == 0 ? path : "");
	return r;
}

static int add_dns(struct job_plan *p, const struct config *c, uint8_t family)
{
	const struct config_list *l = &c->global.udp_check_dns;
	const char *host, *path;
	struct job_url u;
	int r;

	if (l->count == 0)
		return -ENOENT;
	r = job_url_split(l->items[0], &u);
	if (r < 0)
		return r;
	p->spec.kind = JOB_DNS_UDP;
	p->spec.proto = IPPROTO_UDP;
	p->spec.qtype = QTYPE_A; /* for both families, as dae asks */
	r = job_parts_keep_url(p, &u, &host, &path);
	if (r == 0)
		r = job_parts_set_endpoint(&p->target, host,
					   u.port ? u.port : 53, family);
	if (r == 0)
		r = apply_literals(&p->target, l);
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_QNAME, DNS_CHECK_NAME);
	return r;
}

static int add_quic(struct job_plan *p, const struct config *c, uint8_t family)
{
	const char *host, *path;
	struct job_url u;
	uint16_t port;
	int r;

	if (!c->supervisor.quic_check_url)
		return -ENOENT;
	r = job_url_split(c->supervisor.quic_check_url, &u);
	if (r < 0)
		return r;
	port = u.port ? u.port : 443;
	p->spec.kind = JOB_H3;
	p->spec.flags = JOB_TLS;
	p->spec.proto = IPPROTO_UDP;
	r = job_parts_keep_url(p, &u, &host, &path);
	if (r == 0)
		r = job_parts_set_endpoint(&p->target, host, port, family);
	if (r == 0)
		r = job_parts_set_request(p, host, port, 443, path);
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_METHOD, "HEAD");
	job_parts_set_status(&p->spec, r == 0 ? path : "");
	return r;
}

/* No proxy: the target itself is our peer. */
static int go_direct(struct job_plan *p, const struct config_node *n)
{
	p->peer = p->target;
	p->target = (struct job_endpoint){ 0 };
	p->literal = p->peer.addr.family != 0;
	p->spec.via = JOB_VIA_DIRECT;
	if (n->scheme == SCHEME_IFACE) {
		/* a gateway is the uplink of its own family alone */
		if (n->gateway.family && n->gateway.family != p->peer.family)
			return -EADDRNOTAVAIL;
		p->iface = n->iface;
		p->mark = n->mark;
	}
	return 0;
}

static int go_via(struct job_plan *p, const struct config *c,
		  const struct config_node *n)
{
	struct addr a;
	int r;

	p->spec.via = n->scheme == SCHEME_SOCKS5 ? JOB_VIA_SOCKS5
						 : JOB_VIA_HTTP;
	if (p->spec.via == JOB_VIA_HTTP && p->spec.proto == IPPROTO_UDP)
		return -EOPNOTSUPP;
	p->spec.proto = IPPROTO_TCP; /* UDP is asked for over it */
	r = job_parts_set_endpoint(&p->peer, n->host, n->port, 0);
	p->literal = p->peer.addr.family != 0;
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_USER, n->user ? n->user : "");
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_PASSWORD,
				      n->password ? n->password : "");
	if (r < 0 || n->scheme != SCHEME_HTTPS)
		return r;
	p->spec.flags |= JOB_VIA_TLS;
	if (n->insecure || c->global.allow_insecure)
		p->spec.flags |= JOB_VIA_INSECURE;
	if (n->sni)
		return job_parts_set_str(p, JOB_STR_VIA_SNI, n->sni);
	if (addr_parse(n->host, &a) == 0)
		return 0;
	return job_parts_set_str(p, JOB_STR_VIA_SNI, n->host);
}

int job_build_node(struct job_plan *p, const struct config *c,
		   const struct config_node *n, enum check_class cls)
{
	uint8_t family = (uint8_t)check_class_family(cls);
	int r;

	job_parts_init(p);
	switch (cls) {
	case CHECK_TCP4:
	case CHECK_TCP6:
		r = add_http(p, c, family);
		break;
	case CHECK_UDP4:
	case CHECK_UDP6:
		r = add_dns(p, c, family);
		break;
	case CHECK_QUIC4:
	case CHECK_QUIC6:
		r = add_quic(p, c, family);
		break;
	default:
		return -ENOENT;
	}
	if (r < 0)
		return r;
	switch (n->scheme) {
	case SCHEME_DIRECT:
	case SCHEME_IFACE:
		return go_direct(p, n);
	case SCHEME_SOCKS5:
	case SCHEME_HTTP:
	case SCHEME_HTTPS:
		return go_via(p, c, n);
	default:
		return -EOPNOTSUPP;
	}
}

int job_build_resolve(struct job_plan *p, const struct addr *server,
		      uint16_t port, const char *name, uint8_t family)
{
	int r;

	job_parts_init(p);
	p->spec.kind = JOB_RESOLVE;
	p->spec.proto = IPPROTO_UDP;
	p->spec.qtype = family == 6 ? QTYPE_AAAA : QTYPE_A;
	p->literal = true;
	p->peer.addr = *server;
	p->peer.port = port;
	r = job_parts_set_str(p, JOB_STR_QNAME, name);
	return r < 0 ? r : job_build_bind(p, server, NULL);
}

static int bind_one(const struct job_endpoint *e, const struct addr *a,
		    struct sockaddr_storage *ret)
{
	if (!a || (a->family != 4 && a->family != 6) ||
	    (e->family && a->family != e->family))
		return -EINVAL;
	addr_to_sockaddr(a, e->port, ret);
	return 0;
}

int job_build_bind(struct job_plan *p, const struct addr *peer,
		   const struct addr *target)
{
	int r;

	r = bind_one(&p->peer, peer, &p->spec.peer);
	if (r < 0)
		return r;
	if (p->spec.via == JOB_VIA_DIRECT) {
		p->spec.target.ss_family = AF_UNSPEC;
		return 0;
	}
	return bind_one(&p->target, target, &p->spec.target);
}
