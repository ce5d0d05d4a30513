/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_url.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static bool has_bad_byte(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s <= ' ' || *s == 0x7f)
			return true;
	}
	return false;
}

/* ":PORT" or nothing, exactly up to @end. */
static int parse_port(const char *p, const char *end, uint16_t *ret)
{
	uint32_t port = 0;

	*ret = 0;
	if (p == end)
		return 0;
	if (*p++ != ':' || p == end || end - p > 5)
		return -EINVAL;
	for (; p < end; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		port = port * 10 + (uint32_t)(*p - '0');
	}
	if (port == 0 || port > 65535)
		return -EINVAL;
	*ret = (uint16_t)port;
	return 0;
}

static int split_authority(const char *p, const char *end, struct job_url *ret)
{
	const char *stop;

	if (memchr(p, '@', (size_t)(end - p)))
		return -EINVAL;
	if (p < end && *p == '[') {
		ret->host = ++p;
		stop = memchr(p, ']', (size_t)(end - p));
		if (!stop)
			return -EINVAL;
		ret->host_len = (size_t)(stop - p);
		stop++;
	} else {
		ret->host = p;
		stop = memchr(p, ':', (size_t)(end - p));
		if (!stop)
			stop = end;
		ret->host_len = (size_t)(stop - p);
	}
	if (ret->host_len == 0)
		return -EINVAL;
	return parse_port(stop, end, &ret->port);
}

int job_url_split(const char *text, struct job_url *ret)
{
	struct job_url u = { .scheme = "" };
	const char *p = text, *sep, *end;
	int r;

	if (has_bad_byte(text))
		return -EINVAL;
	sep = strstr(p, "://");
	if (sep) {
		u.scheme = p;
		u.scheme_len = (size_t)(sep - p);
		p = sep + 3;
	}
	end = p + strcspn(p, "/?#");
	r = split_authority(p, end, &u);
	if (r < 0)
		return r;
	u.path = end;
	u.path_len = strcspn(end, "#");
	*ret = u;
	return 0;
}

bool job_url_scheme_is(const struct job_url *u, const char *scheme)
{
	return u->scheme_len == strlen(scheme) &&
	       strncasecmp(u->scheme, scheme, u->scheme_len) == 0;
}
