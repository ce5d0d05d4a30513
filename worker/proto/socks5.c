/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SOCKS5: RFC 1928, with user name and password by RFC 1929. */
#include <string.h>

#include <netinet/in.h>

#include "common/addr.h"
#include "common/base.h"
#include "common/wire.h"
#include "worker/proto/proto.h"

#define VERSION 5
#define AUTH_VERSION 1
#define METHOD_NONE 0
#define METHOD_PASSWORD 2
#define METHOD_REFUSED 0xff
#define CMD_CONNECT 1
#define CMD_UDP_ASSOCIATE 3
#define ATYP_V4 1
#define ATYP_NAME 3
#define ATYP_V6 4

enum state { WAIT_METHOD, WAIT_AUTH, WAIT_REPLY };

static bool has_credentials(const struct proto_dialog *d)
{
	return d->dest.user && *d->dest.user;
}

static int fail_text(struct proto_dialog *d, enum outcome o, const char *text)
{
	fail_set(d->fail, o, FOREIGN_NONE, 0);
	fail_detail(d->fail, text, strlen(text));
	return -EPROTO;
}

static int fail_code(struct proto_dialog *d, enum outcome o, uint8_t code,
		     const char *text)
{
	fail_set(d->fail, o, FOREIGN_SOCKS_REP, code);
	fail_detail(d->fail, text, strlen(text));
	return -EPROTO;
}

static int out_finish(struct proto_dialog *d, const struct wcur *w)
{
	if (wcur_finish(w) < 0)
		return fail_text(d, OUTCOME_INTERNAL, "socks5: too long");
	d->out_len = w->len;
	d->out_off = 0;
	return 0;
}

static void write_addr(struct wcur *w, const struct sockaddr_storage *ss)
{
	const struct sockaddr_in6 *in6 = (const void *)ss;
	const struct sockaddr_in *in = (const void *)ss;

	if (ss->ss_family == AF_INET6) {
		wcur_u8(w, ATYP_V6);
		wcur_bytes(w, &in6->sin6_addr, 16);
		wcur_bytes(w, &in6->sin6_port, 2);
	} else if (ss->ss_family == AF_INET) {
		wcur_u8(w, ATYP_V4);
		wcur_bytes(w, &in->sin_addr, 4);
		wcur_bytes(w, &in->sin_port, 2);
	} else {
		w->failed = true;
	}
}

static void write_dest(struct wcur *w, const struct proto_dest *dest)
{
	size_t n = dest->name ? strlen(dest->name) : 0;

	if (n == 0) {
		write_addr(w, &dest->addr);
		return;
	}
	if (n > 255)
		w->failed = true;
	wcur_u8(w, ATYP_NAME);
	wcur_u8(w, (uint8_t)n);
	wcur_bytes(w, dest->name, n);
	/* The port stands at the same place in both families. */
	wcur_bytes(w, &((const struct sockaddr_in *)&dest->addr)->sin_port, 2);
}

ssize_t proto_socks_addr(const struct proto_dest *dest, uint8_t *buf)
{
	struct wcur w;

	wcur_init(&w, buf, DGRAM_HEAD_MAX);
	write_dest(&w, dest);
	return wcur_finish(&w) < 0 ? -EINVAL : (ssize_t)w.len;
}

ssize_t proto_socks5_udp_head(const struct proto_dest *dest, uint8_t *buf)
{
	struct wcur w;

	wcur_init(&w, buf, DGRAM_HEAD_MAX);
	wcur_u16_be(&w, 0); /* reserved */
	wcur_u8(&w, 0);	    /* not a fragment */
	write_dest(&w, dest);
	return wcur_finish(&w) < 0 ? -EINVAL : (ssize_t)w.len;
}

static int socks5_start(struct proto_dialog *d)
{
	struct wcur w;

	wcur_init(&w, d->out, sizeof(d->out));
	wcur_u8(&w, VERSION);
	wcur_u8(&w, has_credentials(d) ? 2 : 1);
	wcur_u8(&w, METHOD_NONE);
	if (has_credentials(d))
		wcur_u8(&w, METHOD_PASSWORD);
	d->state = WAIT_METHOD;
	return out_finish(d, &w);
}

static int send_auth(struct proto_dialog *d)
{
	size_t user = strlen(d->dest.user), password = strlen(d->dest.password);
	struct wcur w;

	if (user > 255 || password > 255)
		return fail_text(d, OUTCOME_INTERNAL, "socks5: too long");
	wcur_init(&w, d->out, sizeof(d->out));
	wcur_u8(&w, AUTH_VERSION);
	wcur_u8(&w, (uint8_t)user);
	wcur_bytes(&w, d->dest.user, user);
	wcur_u8(&w, (uint8_t)password);
	wcur_bytes(&w, d->dest.password, password);
	d->state = WAIT_AUTH;
	return out_finish(d, &w);
}

/* UDP: our own address and port are not known to be seen as such, so zeros. */
static int send_request(struct proto_dialog *d)
{
	static const struct sockaddr_in any = { .sin_family = AF_INET };
	struct sockaddr_storage none = { 0 };
	struct wcur w;

	memcpy(&none, &any, sizeof(any));
	wcur_init(&w, d->out, sizeof(d->out));
	wcur_u8(&w, VERSION);
	wcur_u8(&w, d->dest.is_udp ? CMD_UDP_ASSOCIATE : CMD_CONNECT);
	wcur_u8(&w, 0);
	if (d->dest.is_udp)
		write_addr(&w, &none);
	else
		write_dest(&w, &d->dest);
	d->state = WAIT_REPLY;
	return out_finish(d, &w);
}

static int version_check(struct proto_dialog *d, uint8_t want)
{
	if (d->in[0] == want)
		return 0;
	if (d->state == WAIT_METHOD && d->in[0] == 'H')
		return fail_text(d, OUTCOME_PROXY_PROTOCOL,
				 "not SOCKS5: speaks HTTP");
	return fail_text(d, OUTCOME_PROXY_PROTOCOL, "not SOCKS5");
}

static int method_chosen(struct proto_dialog *d)
{
	switch (d->in[1]) {
	case METHOD_NONE:
		return send_request(d);
	case METHOD_PASSWORD:
		if (has_credentials(d))
			return send_auth(d);
		break;
	case METHOD_REFUSED:
		return fail_text(d, OUTCOME_PROXY_AUTH_REQUIRED,
				 has_credentials(d)
					 ? "socks5: wants another method"
					 : "socks5: wants credentials");
	default:
		break;
	}
	return fail_text(d, OUTCOME_PROXY_PROTOCOL,
			 "socks5: chose a method not offered");
}

static int auth_judged(struct proto_dialog *d)
{
	if (d->in[1] != 0)
		return fail_code(d, OUTCOME_PROXY_AUTH_FAILED, d->in[1],
				 "socks5: wrong user or password");
	return send_request(d);
}

static int reply_failed(struct proto_dialog *d)
{
	static const char *const texts[] = {
		[1] = "socks5: general failure",
		[2] = "socks5: not allowed by ruleset",
		[3] = "socks5: network unreachable",
		[4] = "socks5: host unreachable",
		[5] = "socks5: connection refused",
		[6] = "socks5: TTL expired",
		[7] = "socks5: command not supported",
		[8] = "socks5: address type not supported",
	};
	uint8_t rep = d->in[1];
	enum outcome o = OUTCOME_PROXY_TARGET;

	if (rep >= ARRAY_LEN(texts))
		return fail_code(d, OUTCOME_PROXY_PROTOCOL, rep,
				 "socks5: unknown reply code");
	if (rep == 2)
		o = OUTCOME_PROXY_DENIED;
	else if (rep == 7)
		o = d->dest.is_udp ? OUTCOME_PROXY_NO_UDP
				   : OUTCOME_PROXY_DENIED;
	return fail_code(d, o, rep, texts[rep]);
}

/* Only for UDP is the bound address of use. */
static int reply_bound(struct proto_dialog *d)
{
	struct addr a = { .family = d->in[3] == ATYP_V4 ? 4 : 6 };
	size_t n = d->in[3] == ATYP_V4 ? 4 : 16;
	uint16_t port;

	d->is_done = true;
	if (!d->dest.is_udp)
		return 0;
	if (d->in[3] == ATYP_NAME)
		return fail_text(d, OUTCOME_PROXY_PROTOCOL,
				 "socks5: UDP relay given by name");
	port = (uint16_t)(d->in[4 + n] << 8 | d->in[5 + n]);
	if (port == 0)
		return fail_text(d, OUTCOME_PROXY_PROTOCOL,
				 "socks5: UDP relay without a port");
	if (n == 4)
		memset(a.b + 10, 0xff, 2);
	memcpy(a.b + 16 - n, d->in + 4, n);
	addr_to_sockaddr(&a, port, &d->bound);
	return 0;
}

/* How long the message that is coming in must be, as far as known; 0: a wrong
 * address type. */
static size_t wanted(const struct proto_dialog *d)
{
	if (d->state != WAIT_REPLY)
		return 2;
	if (d->in_len < 5)
		return 5;
	switch (d->in[3]) {
	case ATYP_V4:
		return 4 + 4 + 2;
	case ATYP_V6:
		return 4 + 16 + 2;
	case ATYP_NAME:
		return 5U + d->in[4] + 2;
	default:
		return 0;
	}
}

static int message_complete(struct proto_dialog *d)
{
	int r = version_check(d,
			      d->state == WAIT_AUTH ? AUTH_VERSION : VERSION);

	if (r < 0)
		return r;
	switch ((enum state)d->state) {
	case WAIT_METHOD:
		return method_chosen(d);
	case WAIT_AUTH:
		return auth_judged(d);
	case WAIT_REPLY:
		break;
	}
	return d->in[1] ? reply_failed(d) : reply_bound(d);
}

/* One byte at a time: no message is longer than a few, and none read too far. */
static ssize_t socks5_input(struct proto_dialog *d, const uint8_t *buf,
			    size_t len)
{
	size_t used, want;
	int r = 0;

	for (used = 0; used < len && !d->is_done; used++) {
		d->in[d->in_len++] = buf[used];
		want = wanted(d);
		if (d->in_len == 1 && d->state == WAIT_METHOD)
			r = version_check(d, VERSION);
		else if (want == 0) /* say why it failed, if it says so */
			r = d->in[1] ? message_complete(d)
				     : fail_text(d, OUTCOME_PROXY_PROTOCOL,
						 "socks5: bad address type");
		else if (d->in_len == want) {
			r = message_complete(d);
			d->in_len = 0;
		}
		if (r < 0)
			return r;
	}
	return (ssize_t)used;
}

static int socks5_closed(struct proto_dialog *d)
{
	switch ((enum state)d->state) {
	case WAIT_METHOD:
		return fail_text(d, OUTCOME_CLOSED, "socks5: closed at once");
	case WAIT_AUTH:
		return fail_text(d, OUTCOME_PROXY_AUTH_FAILED,
				 "socks5: closed at authentication");
	case WAIT_REPLY:
		break;
	}
	if (d->in_len >= 2 && d->in[0] == VERSION && d->in[1] != 0)
		return reply_failed(d); /* it said why, if no more */
	return fail_text(d, OUTCOME_PROXY_DENIED,
			 "socks5: closed at the request");
}

static void socks5_stop(struct proto_dialog *d)
{
	explicit_bzero(d->out, sizeof(d->out)); /* held the password */
}

const struct proto_ops proto_socks5 = {
	.name = "socks5",
	.start = socks5_start,
	.input = socks5_input,
	.closed = socks5_closed,
	.stop = socks5_stop,
};
