/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/config/url.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/addr.h"
#include "common/text.h"
#include "supervisor/config/arena.h"

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int url_decode(struct arena *a, const char *s, size_t len, bool plus_is_blank,
	       char **ret)
{
	char *p = arena_alloc(a, len + 1, 1), *out = p;
	size_t i;
	int byte;

	if (!p)
		return -ENOMEM;
	for (i = 0; i < len; i++) {
		if (s[i] == '%' && len - i > 2 && hex_value(s[i + 1]) >= 0 &&
		    hex_value(s[i + 2]) >= 0) {
			byte = hex_value(s[i + 1]) << 4 | hex_value(s[i + 2]);
			*out++ = (char)byte;
			i += 2;
			if (byte == 0)
				return -EINVAL;
		} else {
			*out++ = s[i] == '+' && plus_is_blank ? ' ' : s[i];
		}
	}
	*ret = p;
	return 0;
}

static int base64_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	return c == '/' || c == '_' ? 63 : -1;
}

int url_base64_text(struct arena *a, const char *s, size_t len, char **ret)
{
	uint32_t bits = 0;
	unsigned int have = 0;
	char *p, *out;
	size_t i;

	while (len > 0 && s[len - 1] == '=')
		len--;
	if (len == 0 || len % 4 == 1)
		return -EINVAL;
	p = out = arena_alloc(a, len + 1, 1);
	if (!p)
		return -ENOMEM;
	for (i = 0; i < len; i++) {
		if (base64_value(s[i]) < 0)
			return -EINVAL;
		bits = bits << 6 | (uint32_t)base64_value(s[i]);
		have += 6;
		if (have < 8)
			continue;
		have -= 8;
		*out = (char)(bits >> have & 0xff);
		if ((unsigned char)*out < 0x20 || *out == 0x7f)
			return -EINVAL;
		out++;
	}
	*ret = p;
	return 0;
}

/* The length of the scheme; 0: there is none. */
static size_t scheme_len(const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (s[i] == ':')
			return i > 0 && len - i >= 3 && s[i + 1] == '/' &&
					       s[i + 2] == '/'
				       ? i
				       : 0;
		if (!isalnum((unsigned char)s[i]) && !strchr("+-.", s[i]))
			return 0;
	}
	return 0;
}

/* HOST[:PORT], brackets optional: without them the last ':' separates. */
static int split_host(struct arena *a, const char *s, size_t len,
		      struct url *ret)
{
	const char *close, *colon;

	if (len > 0 && *s == '[') {
		close = memchr(s, ']', len);
		if (!close || (close + 1 < s + len && close[1] != ':'))
			return -EINVAL;
		ret->is_bracketed = true;
		ret->host = arena_strndup(a, s + 1, (size_t)(close - s - 1));
		colon = close + 1 < s + len ? close + 1 : NULL;
	} else {
		colon = memrchr(s, ':', len);
		ret->host = arena_strndup(a, s,
					  colon ? (size_t)(colon - s) : len);
	}
	ret->port = colon ? arena_strndup(a, colon + 1,
					  (size_t)(s + len - colon - 1))
			  : arena_strndup(a, "", 0);
	return ret->host && ret->port ? 0 : -ENOMEM;
}

/* Cut the text from the first @mark on; what follows it is the result. */
static char *cut_from(struct arena *a, const char *s, size_t *len, char mark)
{
	const char *at = memchr(s, mark, *len);
	size_t rest;

	if (!at)
		return arena_strndup(a, "", 0);
	rest = (size_t)(s + *len - at - 1);
	*len = (size_t)(at - s);
	return arena_strndup(a, at + 1, rest);
}

static int split_authority(struct arena *a, const char *s, size_t len,
			   struct url *ret)
{
	const char *at = memrchr(s, '@', len);

	ret->has_userinfo = at != NULL;
	ret->userinfo = arena_strndup(a, s, at ? (size_t)(at - s) : 0);
	if (!ret->userinfo)
		return -ENOMEM;
	if (at) {
		len -= (size_t)(at + 1 - s);
		s = at + 1;
	}
	return split_host(a, s, len, ret);
}

int url_parse(struct arena *a, const char *text, size_t len, struct url *ret,
	      char *why, size_t cap)
{
	struct url u = { 0 };
	char *raw, *p;
	const char *slash;
	size_t n;
	int r;

	n = len <= URL_LEN_MAX ? scheme_len(text, len) : 0;
	if (n == 0 || memchr(text, '\0', len)) {
		snprintf(why, cap,
			 len > URL_LEN_MAX ? "the link is too long"
					   : "a link is SCHEME://...");
		return -EINVAL;
	}
	u.scheme = arena_strndup(a, text, n);
	if (!u.scheme)
		return -ENOMEM;
	for (p = u.scheme; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	text += n + 3;
	len -= n + 3;
	raw = cut_from(a, text, &len, '#');
	u.query = cut_from(a, text, &len, '?');
	slash = memchr(text, '/', len);
	n = slash ? (size_t)(slash - text) : len;
	u.path = arena_strndup(a, text + n, len - n);
	if (!raw || !u.query || !u.path)
		return -ENOMEM;
	r = url_decode(a, raw, strlen(raw), false, &u.fragment);
	if (r == 0)
		r = split_authority(a, text, n, &u);
	if (r == -EINVAL)
		snprintf(why, cap, "the host or the name is malformed");
	if (r == 0)
		*ret = u;
	return r;
}

int url_port(const struct url *u, uint16_t fallback, uint16_t *ret, char *why,
	     size_t cap)
{
	unsigned long port;
	const char *p;

	if (u->port[0] == '\0') {
		*ret = fallback;
		if (fallback > 0)
			return 0;
		snprintf(why, cap, "%s:// needs a port: HOST:PORT", u->scheme);
		return -EINVAL;
	}
	for (p = u->port; *p; p++)
		if (!isdigit((unsigned char)*p))
			break;
	port = *p || p - u->port > 5 ? 0 : strtoul(u->port, NULL, 10);
	if (port == 0 || port > UINT16_MAX) {
		snprintf(why, cap,
			 *p == '-' || *p == ','
				 ? "%s:// takes one port, not several"
				 : "%s:// needs a port from 1 to 65535",
			 u->scheme);
		return -EINVAL;
	}
	*ret = (uint16_t)port;
	return 0;
}

int url_check_host(const struct url *u, char *why, size_t cap)
{
	struct addr addr;
	const char *p;
	size_t len = strlen(u->host);

	if (addr_parse(u->host, &addr) == 0)
		return 0;
	if (len == 0 || len > URL_HOST_MAX || u->is_bracketed) {
		snprintf(why, cap,
			 len == 0 ? "the host is missing"
			 : u->is_bracketed
				 ? "no IPv6 address in the brackets"
				 : "the name of the host is too long");
		return -EINVAL;
	}
	for (p = u->host; *p; p++) {
		if (isalnum((unsigned char)*p) || strchr("-._", *p))
			continue;
		snprintf(why, cap,
			 (unsigned char)*p >= 0x80
				 ? "write the host in its ASCII form (xn--...)"
				 : "the host has a character no name has");
		return -EINVAL;
	}
	return 0;
}

/* The end of one NAME=VALUE of a query, and of its name. */
static const char *query_end(const char *p, const char **ret_name_end)
{
	const char *end = p + strcspn(p, "&"),
		   *eq = memchr(p, '=', (size_t)(end - p));

	*ret_name_end = eq ? eq : end;
	return end;
}

int url_query(struct arena *a, const struct url *u, const char *name,
	      char **ret)
{
	const char *p = u->query, *end, *eq;
	size_t n = strlen(name);

	*ret = NULL;
	for (; *p; p = *end ? end + 1 : end) {
		end = query_end(p, &eq);
		if ((size_t)(eq - p) != n || memcmp(p, name, n) != 0)
			continue;
		if (eq < end)
			eq++;
		return url_decode(a, eq, (size_t)(end - eq), true, ret);
	}
	return 0;
}

const char *url_unknown_query(struct arena *a, const struct url *u,
			      const char *const *known)
{
	const char *p = u->query, *end, *eq;
	size_t i, n;

	for (; *p; p = *end ? end + 1 : end) {
		end = query_end(p, &eq);
		n = (size_t)(eq - p);
		for (i = 0; known[i]; i++)
			if (strlen(known[i]) == n &&
			    memcmp(known[i], p, n) == 0)
				break;
		if (!known[i] && n > 0)
			return arena_strndup(a, p, n);
	}
	return NULL;
}
