/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker/probe/path.h"

#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/base.h"
#include "worker/net/tls.h"
#include "worker/proto/proto.h"

struct path {
	struct probe *p;
	struct stream *top; /* owns the layers below; NULL: plain UDP */
	struct stream *tcp, *via_tls, *tunnel, *target_tls; /* or NULL */
	bool is_dgram, has_asked;
	struct dgram dgram;
};

/* The session's failure to begin is ours: a name or ALPN that cannot be. */
static int add_tls(struct path *path, const struct tls_peer *peer,
		   struct stream **ret)
{
	struct probe *p = path->p;
	int r = tls_stream_new(ret, path->top, p->host->tls, peer);

	if (r == -EINVAL)
		return fail_set(&p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				EINVAL);
	if (r == 0)
		path->top = *ret;
	return r;
}

static int add_via(struct path *path)
{
	const struct job_spec *spec = &path->p->spec;
	const struct tls_peer peer = {
		.name = spec->str[JOB_STR_VIA_SNI],
		.addr = &spec->peer,
		.alpn = "http/1.1",
		.insecure = spec->flags & JOB_VIA_INSECURE,
		.clock_unset = spec->flags & JOB_CLOCK_UNSET,
	};
	const struct proto_dest dest = {
		.addr = spec->target,
		.name = spec->str[JOB_STR_TARGET_NAME],
		.user = spec->str[JOB_STR_USER],
		.password = spec->str[JOB_STR_PASSWORD],
		.is_udp = path->is_dgram,
	};
	int r;

	if (spec->via == JOB_VIA_DIRECT)
		return 0;
	if (spec->flags & JOB_VIA_TLS) {
		r = add_tls(path, &peer, &path->via_tls);
		if (r < 0)
			return r;
	}
	r = proto_tunnel_new(&path->tunnel, path->top,
			     spec->via == JOB_VIA_SOCKS5 ? &proto_socks5
							 : &proto_http_connect,
			     &dest);
	if (r == 0)
		path->top = path->tunnel;
	return r;
}

static int add_target_tls(struct path *path, const char *alpn,
			  bool alpn_required)
{
	const struct job_spec *spec = &path->p->spec;
	const struct tls_peer peer = {
		.name = spec->str[JOB_STR_SNI],
		.addr = spec->via == JOB_VIA_DIRECT ? &spec->peer
						    : &spec->target,
		.alpn = alpn,
		.alpn_required = alpn_required,
		.insecure = spec->flags & JOB_INSECURE,
		.clock_unset = spec->flags & JOB_CLOCK_UNSET,
	};

	return add_tls(path, &peer, &path->target_tls);
}

static int path_begin(struct path **ret, struct probe *p, bool is_dgram)
{
	struct path *path = calloc(1, sizeof(*path));

	if (!path)
		return -ENOMEM;
	path->p = p;
	path->is_dgram = is_dgram;
	path->dgram.fd = -1;
	*ret = path;
	return 0;
}

static int add_tcp(struct path *path)
{
	struct probe *p = path->p;
	int r = stream_tcp_new(&path->tcp, p->io[0].fd, &p->fail,
			       &p->res.bytes_tx, &p->res.bytes_rx);

	if (r == 0)
		path->top = path->tcp;
	return r;
}

int path_new_stream(struct path **ret, struct probe *p, const char *alpn,
		    bool alpn_required)
{
	struct path *path;
	int r = path_begin(&path, p, false);

	if (r < 0)
		return r;
	r = add_tcp(path);
	if (r == 0)
		r = add_via(path);
	if (r == 0 &&
	    (p->spec.flags & JOB_TLS || p->spec.kind == JOB_DNS_HTTPS))
		r = add_target_tls(path, alpn, alpn_required);
	if (r < 0)
		path_free(&path);
	else
		*ret = path;
	return r;
}

static void dgram_open(struct path *path, unsigned int io)
{
	struct probe *p = path->p;
	struct dgram *d = &path->dgram;

	d->fd = p->io[io].fd;
	d->tx = &p->res.bytes_tx;
	d->rx = &p->res.bytes_rx;
	d->local_len = sizeof(d->local);
	if (getsockname(d->fd, (struct sockaddr *)&d->local, &d->local_len) < 0)
		d->local_len = 0;
	d->peer = io ? p->spec.target : p->spec.peer;
	d->peer_len = d->peer.ss_family == AF_INET
			      ? sizeof(struct sockaddr_in)
			      : sizeof(struct sockaddr_in6);
}

static int dgram_head(struct path *path)
{
	const struct proto_dest dest = {
		.addr = path->p->spec.target,
		.name = path->p->spec.str[JOB_STR_TARGET_NAME],
	};
	ssize_t n = proto_socks5_udp_head(&dest, path->dgram.head);

	if (n < 0)
		return fail_set(&path->p->fail, OUTCOME_INTERNAL, FOREIGN_ERRNO,
				(uint64_t)-n);
	path->dgram.head_len = (size_t)n;
	return 0;
}

int path_new_dgram(struct path **ret, struct probe *p)
{
	struct path *path;
	int r;

	if (p->spec.via == JOB_VIA_HTTP)
		return fail_set(&p->fail, OUTCOME_PROXY_NO_UDP, FOREIGN_NONE,
				0);
	r = path_begin(&path, p, true);
	if (r < 0)
		return r;
	if (p->spec.via == JOB_VIA_DIRECT) {
		dgram_open(path, 0);
	} else {
		r = dgram_head(path);
		if (r == 0)
			r = add_tcp(path);
		if (r == 0)
			r = add_via(path);
	}
	if (r < 0)
		path_free(&path);
	else
		*ret = path;
	return r;
}

static void note_phases(struct path *path, uint64_t now_ns)
{
	struct probe *p = path->p;

	if (path->tcp && path->tcp->is_up)
		probe_phase(p, PHASE_CONNECT, now_ns);
	/* An association stands only with its second socket. */
	if (path->tunnel && path->tunnel->is_up &&
	    (!path->is_dgram || p->io[1].fd >= 0))
		probe_phase(p, PHASE_PROXY, now_ns);
	if (!path->target_tls)
		return;
	if (path->target_tls->is_up)
		probe_phase(p, PHASE_HANDSHAKE, now_ns);
	p->res.cert_not_after = tls_stream_not_after(path->target_tls);
}

/* "Unspecified" in the proxy's answer means the address we reached it at. */
static int ask_for_socket(struct path *path)
{
	const struct sockaddr_storage *bound =
		&proto_tunnel_dialog(path->tunnel)->bound;
	struct sockaddr_storage to;
	struct addr a, node;
	uint16_t port, node_port;

	addr_from_sockaddr(bound, &a, &port);
	addr_from_sockaddr(&path->p->spec.peer, &node, &node_port);
	addr_to_sockaddr(addr_is_unspecified(&a) ? &node : &a, port, &to);
	path->has_asked = true;
	return probe_request_socket(path->p, &to, IPPROTO_UDP);
}

static int step_association(struct path *path)
{
	struct probe *p = path->p;
	int r;

	if (p->io[1].fd >= 0) {
		dgram_open(path, 1);
		return probe_watch(p, 0, 0);
	}
	if (path->has_asked)
		return -EAGAIN;
	r = probe_watch(p, 0, 0);
	if (r == 0)
		r = ask_for_socket(path);
	return r < 0 ? r : -EAGAIN;
}

int path_step(struct path *path, uint64_t now_ns)
{
	struct probe *p = path->p;
	int r;

	if (!path->top)
		return 0;
	r = stream_connect(path->top);
	if (r == 0 && path->is_dgram)
		r = step_association(path);
	else if (r == -EAGAIN && probe_watch(p, 0, stream_wants(path->top)) < 0)
		r = -EPROTO;
	note_phases(path, now_ns);
	return r;
}

struct stream *path_stream(struct path *path)
{
	return path->top;
}

struct dgram *path_dgram(struct path *path)
{
	return &path->dgram;
}

int path_dgram_error(struct path *path, int err)
{
	static const char text[] = "proxy closed the association";
	struct fail *f = &path->p->fail;

	if (fail_errno(f, err, 0) == -EAGAIN)
		return -EAGAIN;
	if (path->top && f->outcome == OUTCOME_REFUSED) {
		f->outcome = OUTCOME_PROXY_TARGET;
		fail_detail(f, text, sizeof(text) - 1);
	}
	return -EPROTO;
}

unsigned int path_io(const struct path *path)
{
	return path->is_dgram && path->top ? 1 : 0;
}

enum outcome path_timeout_outcome(const struct path *path)
{
	if (path->tcp && !path->tcp->is_up)
		return OUTCOME_CONNECT_TIMEOUT;
	if (path->via_tls && !path->via_tls->is_up)
		return OUTCOME_TLS_TIMEOUT;
	if (path->target_tls && !path->target_tls->is_up &&
	    path->target_tls->lower->is_up)
		return OUTCOME_TLS_TIMEOUT;
	if (path->has_asked && path->dgram.fd < 0)
		return OUTCOME_LOCAL_RESOURCE; /* our socket did not come */
	return OUTCOME_RESPONSE_TIMEOUT;
}

void path_free(struct path **path)
{
	if (!*path)
		return;
	stream_free(&(*path)->top);
	free(*path);
	*path = NULL;
}
