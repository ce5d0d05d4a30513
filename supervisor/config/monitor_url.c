/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/config_link.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base.h"
#include "common/text.h"
#include "supervisor/config/arena.h"
#include "supervisor/config/url.h"

#define MONITOR_QNAME_MAX 253U

static const char default_qname[] = "connectivitycheck.gstatic.com";

static const struct {
	const char *scheme;
	enum monitor_kind kind;
	uint16_t port;
	const char *path; /* NULL: the kind has none */
	bool asks_dns;
	uint32_t fall;
} schemes[] = {
	{ "http", MONITOR_HTTP, 80, "/", false, 1 },
	{ "https", MONITOR_HTTPS, 443, "/", false, 1 },
	{ "h3", MONITOR_H3, 443, "/", false, 3 },
	{ "quic", MONITOR_QUIC, 443, NULL, false, 3 },
	{ "dns", MONITOR_DNS_UDP, 53, NULL, true, 3 },
	{ "udp", MONITOR_DNS_UDP, 53, NULL, true, 3 },
	{ "tcp", MONITOR_DNS_TCP, 53, NULL, true, 1 },
	{ "dot", MONITOR_DOT, 853, NULL, true, 1 },
	{ "tls", MONITOR_DOT, 853, NULL, true, 1 },
	{ "doh", MONITOR_DOH, 443, "/dns-query", true, 1 },
	{ "doh3", MONITOR_DOH3, 443, "/dns-query", true, 3 },
	{ "doq", MONITOR_DOQ, 853, NULL, true, 3 },
};

static const char *const kind_names[] = {
	[MONITOR_HTTP] = "http",   [MONITOR_HTTPS] = "https",
	[MONITOR_H3] = "h3",	   [MONITOR_QUIC] = "quic",
	[MONITOR_DNS_UDP] = "udp", [MONITOR_DNS_TCP] = "tcp",
	[MONITOR_DOT] = "dot",	   [MONITOR_DOH] = "doh",
	[MONITOR_DOH3] = "doh3",   [MONITOR_DOQ] = "doq",
};
static_assert(ARRAY_LEN(kind_names) == MONITOR_KIND_COUNT, "name the new kind");

static const struct {
	const char *name;
	uint16_t type;
} qtypes[] = {
	{ "A", 1 },    { "NS", 2 },	{ "CNAME", 5 }, { "SOA", 6 },
	{ "PTR", 12 }, { "MX", 15 },	{ "TXT", 16 },	{ "AAAA", 28 },
	{ "SRV", 33 }, { "HTTPS", 65 },
};

const char *monitor_kind_name(enum monitor_kind k)
{
	return (unsigned int)k < MONITOR_KIND_COUNT ? kind_names[k] : "?";
}

static int parse_qtype(const char *text, uint16_t *ret)
{
	uint64_t n;
	size_t i;

	for (i = 0; i < ARRAY_LEN(qtypes); i++) {
		if (strcasecmp(text, qtypes[i].name) == 0) {
			*ret = qtypes[i].type;
			return 0;
		}
	}
	if (text_parse_uint(text, UINT16_MAX, &n) < 0 || n == 0)
		return -EINVAL;
	*ret = (uint16_t)n;
	return 0;
}

/* Labels of 1 to 63 printable bytes, 253 in all; one dot at the end may be. */
static bool is_qname(const char *s)
{
	size_t len = strlen(s), label = 0, i;

	if (strcmp(s, ".") == 0)
		return true;
	if (len > 0 && s[len - 1] == '.')
		len--;
	if (len == 0 || len > MONITOR_QNAME_MAX)
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0)
				return false;
			label = 0;
		} else if (s[i] <= ' ' || (s[i] & 0x80) || s[i] == 0x7f ||
			   ++label > 63) {
			return false;
		}
	}
	return label > 0;
}

static int read_question(struct arena *a, const struct url *u,
			 struct config_monitor *m, char *why, size_t cap)
{
	static const char *const known[] = { "name", "type", NULL };
	const char *unknown = url_unknown_query(a, u, known);
	char *type;
	int r;

	if (unknown) {
		snprintf(why, cap,
			 "unknown parameter '%.32s': a DNS monitor "
			 "knows name= and type=",
			 unknown);
		return -EINVAL;
	}
	m->qtype = 1;
	r = url_query(a, u, "name", &m->qname);
	if (r == 0 && !m->qname)
		m->qname = arena_strndup(a, default_qname,
					 sizeof(default_qname) - 1);
	if (r == -ENOMEM || (r == 0 && !m->qname))
		return -ENOMEM;
	if (r < 0 || !is_qname(m->qname)) {
		snprintf(why, cap, "name= takes a domain name");
		return -EINVAL;
	}
	r = url_query(a, u, "type", &type);
	if (r == 0 && type)
		r = parse_qtype(type, &m->qtype);
	if (r == -EINVAL)
		snprintf(why, cap,
			 "type= takes a record type: A, AAAA, "
			 "TXT ... or its number");
	return r;
}

static bool is_printable(const char *s)
{
	for (; *s; s++)
		if (*s <= ' ' || *s == 0x7f || (*s & 0x80))
			return false;
	return true;
}

/* The path is what the request line will have, so nothing may end it. */
static int read_path(struct arena *a, const struct url *u, const char *fallback,
		     bool asks_dns, struct config_monitor *m)
{
	/* "doh://9.9.9.9/?name=x" means the usual path, too */
	bool is_given = u->path[0] && !(asks_dns && !u->path[1]);
	const char *path = is_given ? u->path : fallback;

	if (u->query[0] && !asks_dns)
		m->path = arena_printf(a, "%s?%s", path, u->query);
	else
		m->path = arena_strndup(a, path, strlen(path));
	if (!m->path)
		return -ENOMEM;
	return is_printable(m->path) ? 0 : -EINVAL;
}

static int unknown_scheme(const char *scheme, char *why, size_t cap)
{
	const char *names[ARRAY_LEN(schemes) + 1], *near;
	size_t i;

	for (i = 0; i < ARRAY_LEN(schemes); i++)
		names[i] = schemes[i].scheme;
	names[i] = NULL;
	near = text_suggest(scheme, names);
	snprintf(why, cap, "no monitor of scheme '%.32s'%s%s%s", scheme,
		 near ? ": did you mean '" : "", near ? near : "",
		 near ? "'?" : "");
	return -EINVAL;
}

static int decode(struct arena *a, const struct url *u, size_t row,
		  struct config_monitor *m, char *why, size_t cap)
{
	struct addr addr;
	int r;

	m->kind = schemes[row].kind;
	m->fall = schemes[row].fall;
	if (u->has_userinfo) {
		snprintf(why, cap, "a monitor has no user or password");
		return -EINVAL;
	}
	r = url_check_host(u, why, cap);
	if (r == 0)
		r = url_port(u, schemes[row].port, &m->port, why, cap);
	if (r < 0)
		return r;
	m->host = u->host;
	if (addr_parse(m->host, &addr) == 0)
		m->family = addr.family;
	if (schemes[row].path) {
		r = read_path(a, u, schemes[row].path, schemes[row].asks_dns,
			      m);
		if (r == -EINVAL)
			snprintf(why, cap,
				 "the path has a character that "
				 "must be written as %%XX");
	} else if (u->path[0] && strcmp(u->path, "/") != 0) {
		snprintf(why, cap, "%s:// has no path", u->scheme);
		r = -EINVAL;
	}
	return r == 0 && schemes[row].asks_dns
		       ? read_question(a, u, m, why, cap)
		       : r;
}

int config_monitor_parse(struct arena *a, const char *text, size_t len,
			 struct config_monitor *ret, char *why, size_t cap)
{
	struct config_monitor m = { .expect_rcode = -1, .rise = 1 };
	struct url u;
	size_t i;
	int r;

	m.url = arena_strndup(a, text, len);
	if (!m.url)
		return -ENOMEM;
	r = url_parse(a, text, len, &u, why, cap);
	if (r < 0)
		return r;
	for (i = 0; i < ARRAY_LEN(schemes); i++)
		if (strcmp(u.scheme, schemes[i].scheme) == 0)
			break;
	if (i == ARRAY_LEN(schemes))
		return unknown_scheme(u.scheme, why, cap);
	r = decode(a, &u, i, &m, why, cap);
	if (r == 0)
		*ret = m;
	return r;
}
