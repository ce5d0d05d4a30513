/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/config_link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/arena.h"
#include "supervisor/config/url.h"

#define LINK_CREDENTIAL_MAX 255U /* of SOCKS5; plenty for the others */
#define LINK_IFACE_MAX 15U	 /* IFNAMSIZ - 1 */

/* One link being decoded. */
struct link {
	struct arena *arena;
	struct url url;
	struct config_node *node;
	char *why;
	size_t cap;
};

typedef int link_fn(struct link *l);

static link_fn link_direct, link_iface, link_socks, link_http, link_tproxy;

static const struct {
	const char *name;
	enum node_scheme scheme;
	link_fn *decode; /* NULL: known to dae, not usable yet */
} schemes[] = {
	{ "direct", SCHEME_DIRECT, link_direct },
	{ "iface", SCHEME_IFACE, link_iface },
	{ "socks5", SCHEME_SOCKS5, link_socks },
	{ "socks", SCHEME_SOCKS5, link_socks },
	{ "http", SCHEME_HTTP, link_http },
	{ "https", SCHEME_HTTPS, link_http },
	{ "tproxy", SCHEME_TPROXY, link_tproxy },
	{ "socks4", SCHEME_UNSUPPORTED, NULL },
	{ "socks4a", SCHEME_UNSUPPORTED, NULL },
	{ "ss", SCHEME_UNSUPPORTED, NULL },
	{ "shadowsocks", SCHEME_UNSUPPORTED, NULL },
	{ "ssr", SCHEME_UNSUPPORTED, NULL },
	{ "shadowsocksr", SCHEME_UNSUPPORTED, NULL },
	{ "vmess", SCHEME_UNSUPPORTED, NULL },
	{ "vless", SCHEME_UNSUPPORTED, NULL },
	{ "trojan", SCHEME_UNSUPPORTED, NULL },
	{ "trojan-go", SCHEME_UNSUPPORTED, NULL },
	{ "tuic", SCHEME_UNSUPPORTED, NULL },
	{ "juicity", SCHEME_UNSUPPORTED, NULL },
	{ "hysteria2", SCHEME_UNSUPPORTED, NULL },
	{ "hy2", SCHEME_UNSUPPORTED, NULL },
	{ "anytls", SCHEME_UNSUPPORTED, NULL },
	{ "shadowtls", SCHEME_UNSUPPORTED, NULL },
	{ "naive+https", SCHEME_UNSUPPORTED, NULL },
	{ "naive+quic", SCHEME_UNSUPPORTED, NULL },
	{ "naive", SCHEME_UNSUPPORTED, NULL },
};

static const char *const scheme_names[] = {
	[SCHEME_DIRECT] = "direct",
	[SCHEME_IFACE] = "iface",
	[SCHEME_SOCKS5] = "socks5",
	[SCHEME_HTTP] = "http",
	[SCHEME_HTTPS] = "https",
	[SCHEME_TPROXY] = "tproxy",
	[SCHEME_UNSUPPORTED] = "unsupported",
};
static_assert(ARRAY_LEN(scheme_names) == SCHEME_COUNT, "name the new scheme");

const char *node_scheme_name(enum node_scheme s)
{
	return (unsigned int)s < SCHEME_COUNT ? scheme_names[s] : "?";
}

static int refuse(struct link *l, const char *cause)
{
	snprintf(l->why, l->cap, "%s", cause);
	return -EINVAL;
}

static int link_direct(struct link *l)
{
	if (l->url.host[0] || l->url.port[0] || l->url.has_userinfo)
		return refuse(l, "direct:// has nothing after it but #NAME");
	return 0;
}

static int read_mark(struct link *l)
{
	char *text;
	uint64_t mark;
	int r = url_query(l->arena, &l->url, "mark", &text);

	if (r == 0 && text) {
		r = text_parse_uint(text, UINT32_MAX, &mark);
		if (r == 0)
			l->node->mark = (uint32_t)mark;
	}
	return r < 0 && r != -ENOMEM
		       ? refuse(l, "mark= takes a number of 32 bits")
		       : r;
}

static int read_gateway(struct link *l)
{
	char *text;
	int r = url_query(l->arena, &l->url, "gateway", &text);

	if (r == 0 && text) {
		r = addr_parse(text, &l->node->gateway);
		if (r == 0 && addr_is_unspecified(&l->node->gateway))
			r = -EINVAL;
	}
	return r < 0 && r != -ENOMEM ? refuse(l, "gateway= takes an IP address")
				     : r;
}

static int link_iface(struct link *l)
{
	static const char *const known[] = { "mark", "gateway", NULL };
	const char *name = l->url.host, *p;
	int r;

	if (l->url.port[0] || l->url.has_userinfo || name[0] == '\0')
		return refuse(l, "iface:// takes the name of an interface");
	if (strlen(name) > LINK_IFACE_MAX)
		return refuse(l, "an interface has at most 15 characters");
	for (p = name; *p; p++)
		if (*p <= ' ' || *p == 0x7f || (*p & 0x80))
			return refuse(l, "no interface has such a name");
	if (url_unknown_query(l->arena, &l->url, known))
		return refuse(l, "iface:// knows mark= and gateway= only");
	l->node->iface = l->url.host;
	r = read_mark(l);
	return r < 0 ? r : read_gateway(l);
}

static int set_credentials(struct link *l, const char *s, bool is_decoded)
{
	const char *colon = strchr(s, ':');
	size_t n = colon ? (size_t)(colon - s) : strlen(s);
	struct config_node *node = l->node;
	int r = 0;

	if (is_decoded) {
		node->user = arena_strndup(l->arena, s, n);
		if (colon)
			node->password = arena_strndup(l->arena, colon + 1,
						       strlen(colon + 1));
		if (!node->user || (colon && !node->password))
			return -ENOMEM;
	} else {
		r = url_decode(l->arena, s, n, false, &node->user);
		if (r == 0 && colon)
			r = url_decode(l->arena, colon + 1, strlen(colon + 1),
				       false, &node->password);
	}
	if (r == -EINVAL)
		return refuse(l, "user or password has a byte of zero");
	if (r == 0 &&
	    (strlen(node->user) > LINK_CREDENTIAL_MAX ||
	     (node->password && strlen(node->password) > LINK_CREDENTIAL_MAX)))
		return refuse(l, "user or password is longer than 255 bytes");
	return r;
}

/* v2rayN encodes "user:password", or that with "@host:port", in base64. */
static int read_userinfo(struct link *l)
{
	const char *raw = l->url.userinfo;
	char *plain;
	int r;

	if (!l->url.has_userinfo || raw[0] == '\0')
		return 0;
	if (!strchr(raw, ':') && l->node->scheme == SCHEME_SOCKS5) {
		r = url_base64_text(l->arena, raw, strlen(raw), &plain);
		if (r == -ENOMEM)
			return r;
		if (r == 0 && strchr(plain, ':'))
			return set_credentials(l, plain, true);
	}
	return set_credentials(l, raw, false);
}

static int read_endpoint(struct link *l, uint16_t default_port)
{
	int r = url_check_host(&l->url, l->why, l->cap);

	if (r < 0)
		return r;
	l->node->host = l->url.host;
	return url_port(&l->url, default_port, &l->node->port, l->why, l->cap);
}

/* socks://BASE64(user:password@host:port): put the plain text in its place. */
static int unfold_socks(struct link *l)
{
	struct url plain;
	char *body, *text, *fragment = l->url.fragment;
	int r;

	if (l->url.has_userinfo || l->url.port[0] || l->url.is_bracketed)
		return 0;
	body = arena_printf(l->arena, "%s%s", l->url.host, l->url.path);
	if (!body)
		return -ENOMEM;
	r = url_base64_text(l->arena, body, strlen(body), &text);
	if (r < 0 || !strchr(text, ':'))
		return r == -ENOMEM ? r : 0;
	text = arena_printf(l->arena, "socks://%s", text);
	if (!text)
		return -ENOMEM;
	r = url_parse(l->arena, text, strlen(text), &plain, l->why, l->cap);
	if (r < 0)
		return r;
	l->url = plain;
	l->url.fragment = fragment;
	return 0;
}

static int link_socks(struct link *l)
{
	int r = unfold_socks(l);

	if (r == 0)
		r = read_endpoint(l, 0);
	return r < 0 ? r : read_userinfo(l);
}

/* The value of the first of several spellings of a parameter. */
static int read_synonym(struct link *l, const char *const *names, char **ret)
{
	int r = 0;

	for (*ret = NULL; *names && !*ret && r == 0; names++)
		r = url_query(l->arena, &l->url, *names, ret);
	return r == -EINVAL ? refuse(l, "a parameter has a byte of zero") : r;
}

static int link_http(struct link *l)
{
	static const char *const sni[] = { "sni", "peer", "serverName",
					   "servername", NULL };
	static const char *const insecure[] = { "allowInsecure",
						"allow_insecure",
						"allowinsecure",
						"skipVerify",
						"insecure",
						"skip-cert-verify",
						NULL };
	bool is_tls = l->node->scheme == SCHEME_HTTPS;
	char *flag;
	int r;

	if (l->url.path[0] && strcmp(l->url.path, "/") != 0)
		return refuse(l, "an HTTP proxy has no path: is this the "
				 "address of a subscription?");
	r = read_endpoint(l, is_tls ? 443 : 80);
	if (r == 0)
		r = read_userinfo(l);
	if (r < 0 || !is_tls)
		return r;
	r = read_synonym(l, sni, &l->node->sni);
	if (r == 0)
		r = read_synonym(l, insecure, &flag);
	if (r == 0 && flag && text_parse_bool(flag, &l->node->insecure) < 0)
		return refuse(l, "allowInsecure= takes true or false");
	return r;
}

static int link_tproxy(struct link *l)
{
	struct addr addr;

	if (addr_parse(l->url.host, &addr) < 0)
		return refuse(l, "tproxy:// takes ADDRESS:PORT of a listener, "
				 "not a name");
	if (l->url.has_userinfo || l->url.query[0])
		return refuse(l, "tproxy:// takes ADDRESS:PORT only");
	return read_endpoint(l, 0);
}

static uint64_t fnv1a(uint64_t h, const void *data, size_t len)
{
	const unsigned char *p = data;

	while (len-- > 0)
		h = (h ^ *p++) * 0x100000001b3ULL;
	return h;
}

/* The terminator is part of it: "ab","c" is not "a","bc". NULL is not "". */
static uint64_t fnv1a_text(uint64_t h, const char *s)
{
	return s ? fnv1a(h, s, strlen(s) + 1) : fnv1a(h, "\xff", 2);
}

static uint64_t identity(const struct config_node *n)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	const uint8_t numbers[] = {
		(uint8_t)n->scheme,	  (uint8_t)n->insecure,
		(uint8_t)(n->port >> 8),  (uint8_t)n->port,
		(uint8_t)(n->mark >> 24), (uint8_t)(n->mark >> 16),
		(uint8_t)(n->mark >> 8),  (uint8_t)n->mark,
		n->gateway.family,
	};

	h = fnv1a(h, numbers, sizeof(numbers));
	h = fnv1a(h, n->gateway.b, sizeof(n->gateway.b));
	h = fnv1a_text(h, n->host);
	h = fnv1a_text(h, n->user);
	h = fnv1a_text(h, n->password);
	h = fnv1a_text(h, n->sni);
	h = fnv1a_text(h, n->iface);
	if (n->scheme == SCHEME_UNSUPPORTED)
		h = fnv1a(h, n->link, strcspn(n->link, "#"));
	return h;
}

static int default_name(struct link *l)
{
	struct config_node *n = l->node;

	if (l->url.fragment[0])
		n->name = l->url.fragment;
	else if (n->iface)
		n->name = n->iface;
	else if (n->scheme == SCHEME_DIRECT)
		n->name = arena_strndup(l->arena, "direct", 6);
	else if (n->port > 0)
		n->name = arena_printf(
			l->arena, strchr(n->host, ':') ? "[%s]:%u" : "%s:%u",
			n->host, n->port);
	else
		n->name = arena_strndup(l->arena, n->scheme_text,
					strlen(n->scheme_text));
	return n->name ? 0 : -ENOMEM;
}

/* What is not usable is kept with its name: it is shown, not probed. The place
 * of host and port is only certain for links that have an '@'. */
static int keep_unsupported(struct link *l, const char *scheme,
			    const char *reason)
{
	struct config_node *n = l->node;
	char unused[64];

	n->scheme = SCHEME_UNSUPPORTED;
	n->scheme_text = arena_strndup(l->arena, scheme, strlen(scheme));
	n->reason = arena_strndup(l->arena, reason, strlen(reason));
	if (!n->scheme_text || !n->reason)
		return -ENOMEM;
	if (l->url.has_userinfo &&
	    url_check_host(&l->url, unused, sizeof(unused)) == 0) {
		n->host = l->url.host;
		if (url_port(&l->url, 0, &n->port, unused, sizeof(unused)) < 0)
			n->port = 0;
	}
	return 0;
}

static int unknown_scheme(struct link *l)
{
	const char *names[ARRAY_LEN(schemes) + 1], *near;
	size_t i;

	for (i = 0; i < ARRAY_LEN(schemes); i++)
		names[i] = schemes[i].name;
	names[i] = NULL;
	near = text_suggest(l->url.scheme, names);
	if (near)
		snprintf(l->why, l->cap,
			 "unknown scheme '%.32s': did you mean '%s'?",
			 l->url.scheme, near);
	else
		snprintf(l->why, l->cap, "unknown scheme '%.32s'",
			 l->url.scheme);
	return -EINVAL;
}

static int decode(struct link *l)
{
	char reason[96];
	size_t i;

	for (i = 0; i < ARRAY_LEN(schemes); i++)
		if (strcmp(schemes[i].name, l->url.scheme) == 0)
			break;
	if (i == ARRAY_LEN(schemes))
		return unknown_scheme(l);
	if (!schemes[i].decode) {
		snprintf(reason, sizeof(reason),
			 "%s is not supported in this version", l->url.scheme);
		return keep_unsupported(l, l->url.scheme, reason);
	}
	l->node->scheme = schemes[i].scheme;
	l->node->scheme_text = l->url.scheme;
	return schemes[i].decode(l);
}

static bool is_chain(const char *text, size_t len)
{
	return memmem(text, len, "->", 2) != NULL;
}

int config_link_parse(struct arena *a, const char *text, size_t len,
		      struct config_node *ret, char *why, size_t cap)
{
	struct config_node node = { 0 };
	struct link l = { .arena = a, .node = &node, .why = why, .cap = cap };
	int r;

	while (len > 0 && (text[len - 1] == ' ' || text[len - 1] == '\r' ||
			   text[len - 1] == '\n' || text[len - 1] == '\t'))
		len--;
	node.link = arena_strndup(a, text, len);
	if (!node.link)
		return -ENOMEM;
	r = url_parse(a, text, len, &l.url, why, cap);
	if (r < 0)
		return r;
	r = is_chain(text, len)
		    ? keep_unsupported(&l, "chain",
				       "chains of nodes are not supported in "
				       "this version")
		    : decode(&l);
	if (r == 0)
		r = default_name(&l);
	if (r < 0)
		return r;
	node.identity = identity(&node);
	*ret = node;
	return 0;
}
