/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CONNECT of an HTTP/1.1 proxy: RFC 9110 section 9.3.6. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "common/addr.h"
#include "common/base.h"
#include "worker/net/http1.h"
#include "worker/proto/proto.h"

#define PAIR_MAX (255 + 1 + 255) /* user ":" password */
#define TARGET_MAX 272		 /* name of 255, port, brackets */

static int fail_text(struct proto_dialog *d, enum outcome o, const char *text)
{
	fail_set(d->fail, o, FOREIGN_NONE, 0);
	fail_detail(d->fail, text, strlen(text));
	return -EPROTO;
}

/* @ret: 4 * ((len + 2) / 3) + 1 bytes. */
static void base64(const uint8_t *in, size_t len, char *ret)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	uint32_t v;
	size_t i, n;

	for (i = 0; i < len; i += 3) {
		n = MIN(len - i, (size_t)3);
		v = (uint32_t)in[i] << 16;
		if (n > 1)
			v |= (uint32_t)in[i + 1] << 8;
		if (n > 2)
			v |= in[i + 2];
		*ret++ = digits[v >> 18];
		*ret++ = digits[v >> 12 & 63];
		*ret++ = n > 1 ? digits[v >> 6 & 63] : '=';
		*ret++ = n > 2 ? digits[v & 63] : '=';
	}
	*ret = '\0';
}

/* A name as it may stand in a request line. */
static bool name_is_plain(const char *name)
{
	for (; *name; name++)
		if (!isgraph((unsigned char)*name) || strchr("/?#@\\", *name))
			return false;
	return true;
}

static int target_text(const struct proto_dest *dest, char *ret)
{
	struct addr a;
	uint16_t port;

	addr_from_sockaddr(&dest->addr, &a, &port);
	if (!dest->name || !*dest->name) {
		addr_format_port(&a, port, ret);
		return a.family ? 0 : -EINVAL;
	}
	/* The port stands at the same place in both families. */
	port = ntohs(((const struct sockaddr_in *)&dest->addr)->sin_port);
	if (strlen(dest->name) > 255 || !name_is_plain(dest->name))
		return -EINVAL;
	snprintf(ret, TARGET_MAX, "%s:%u", dest->name, port);
	return 0;
}

/* The value of Proxy-Authorization with its line, or "". */
static int auth_line(const struct proto_dest *dest, char *ret, size_t cap)
{
	char pair[PAIR_MAX + 1], code[4 * ((PAIR_MAX + 2) / 3) + 1];
	int n;

	*ret = '\0';
	if (!dest->user || !*dest->user)
		return 0;
	n = snprintf(pair, sizeof(pair), "%s:%s", dest->user, dest->password);
	if (n < 0 || (size_t)n >= sizeof(pair) || strchr(dest->user, ':'))
		return -EINVAL;
	base64((const uint8_t *)pair, (size_t)n, code);
	n = snprintf(ret, cap, "Proxy-Authorization: Basic %s\r\n", code);
	explicit_bzero(pair, sizeof(pair));
	explicit_bzero(code, sizeof(code));
	return n < 0 || (size_t)n >= cap ? -EINVAL : 0;
}

static int http_start(struct proto_dialog *d)
{
	char target[TARGET_MAX], auth[4 * ((PAIR_MAX + 2) / 3) + 40];
	int n;

	if (target_text(&d->dest, target) < 0 ||
	    auth_line(&d->dest, auth, sizeof(auth)) < 0)
		return fail_text(d, OUTCOME_INTERNAL, "http: bad target");
	n = snprintf((char *)d->out, sizeof(d->out),
		     "CONNECT %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target,
		     target, auth);
	explicit_bzero(auth, sizeof(auth));
	if (n < 0 || (size_t)n >= sizeof(d->out))
		return fail_text(d, OUTCOME_INTERNAL, "http: too long");
	d->out_len = (size_t)n;
	return http1_new(&d->http, false);
}

static enum outcome outcome_of_status(const struct proto_dialog *d,
				      uint16_t status)
{
	switch (status) {
	case 401: /* tinyproxy's word for wrong ones */
	case 407:
		return d->dest.user && *d->dest.user
			       ? OUTCOME_PROXY_AUTH_FAILED
			       : OUTCOME_PROXY_AUTH_REQUIRED;
	case 403:
	case 405:
		return OUTCOME_PROXY_DENIED;
	case 429:
		return OUTCOME_BUSY;
	case 511:
		return OUTCOME_PORTAL_SUSPECTED;
	default:
		break;
	}
	if (status >= 500)
		return OUTCOME_PROXY_TARGET;
	if (status >= 300 && status < 400)
		return OUTCOME_PORTAL_SUSPECTED;
	return OUTCOME_PROXY_PROTOCOL;
}

/* A web page as the answer to CONNECT is no tunnel, whatever its status. */
static bool is_page(const struct http1 *h)
{
	const char *type = http1_header(h, "content-type");
	const char *length = http1_header(h, "content-length");

	return type && strncasecmp(type, "text/html", 9) == 0 &&
	       ((length && strtoul(length, NULL, 10) > 0) ||
		http1_header(h, "transfer-encoding"));
}

static int answered(struct proto_dialog *d)
{
	uint16_t status = http1_status(d->http);
	char text[MSG_DETAIL_MAX];
	enum outcome o;
	int n;

	if (status >= 200 && status < 300 && !is_page(d->http)) {
		d->is_done = true;
		return 0;
	}
	o = status < 300 ? OUTCOME_PORTAL_SUSPECTED
			 : outcome_of_status(d, status);
	fail_set(d->fail, o, FOREIGN_HTTP_STATUS, status);
	n = snprintf(text, sizeof(text), "http: CONNECT answered %u", status);
	fail_detail(d->fail, text, (size_t)n);
	return -EPROTO;
}

static ssize_t http_input(struct proto_dialog *d, const uint8_t *buf,
			  size_t len)
{
	bool is_tls = !http1_has_head(d->http) && len >= 2 && buf[0] == 0x15 &&
		      buf[1] == 0x03;
	ssize_t used = http1_feed(d->http, buf, len);
	int r;

	if (used == -ENOMEM)
		return used;
	if (used < 0)
		return fail_text(d, OUTCOME_PROXY_PROTOCOL,
				 is_tls ? "not HTTP: speaks TLS" : "not HTTP");
	if (!http1_has_head(d->http))
		return used;
	r = answered(d);
	return r < 0 ? r : used;
}

static int http_closed(struct proto_dialog *d)
{
	return fail_text(d, OUTCOME_CLOSED, "http: closed at CONNECT");
}

static void http_stop(struct proto_dialog *d)
{
	http1_free(&d->http);
	explicit_bzero(d->out, sizeof(d->out)); /* held the password */
}

const struct proto_ops proto_http_connect = {
	.name = "http",
	.start = http_start,
	.input = http_input,
	.closed = http_closed,
	.stop = http_stop,
};
