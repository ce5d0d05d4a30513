/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/job_parts.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void job_parts_init(struct job_plan *p)
{
	memset(p, 0, offsetof(struct job_plan, scratch));
	for (size_t i = 0; i < JOB_STR_COUNT; i++)
		p->spec.str[i] = "";
	p->spec.nfds = 1;
}

/* A string in the scratch; NULL if there is no room. */
const char *job_parts_keep(struct job_plan *p, const char *fmt, ...)
{
	size_t left = sizeof(p->scratch) - p->used;
	char *at = p->scratch + p->used;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(at, left, fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= left)
		return NULL;
	p->used += (size_t)n + 1;
	return at;
}

int job_parts_set_str(struct job_plan *p, enum job_str which, const char *s)
{
	if (!s || strlen(s) > job_str_max[which])
		return -EMSGSIZE;
	p->spec.str[which] = s;
	return 0;
}

/* A name or a literal; a literal of another family than @family is no
 * address for this check. */
int job_parts_set_endpoint(struct job_endpoint *e, const char *host,
			   uint16_t port, uint8_t family)
{
	struct addr a;

	if (!host || port == 0)
		return -EINVAL;
	*e = (struct job_endpoint){ .host = host,
				    .port = port,
				    .family = family };
	if (addr_parse(host, &a) < 0)
		return 0;
	if (family && a.family != family)
		return -EADDRNOTAVAIL;
	e->addr = a;
	return 0;
}

/* generate_NNN as the last element of a path asks for exactly that status. */
void job_parts_set_status(struct job_spec *spec, const char *path)
{
	size_t len = strcspn(path, "?");
	unsigned int want;
	const char *p = path + len;

	spec->status_min = 200;
	spec->status_max = 499;
	while (p > path && p[-1] != '/')
		p--;
	len -= (size_t)(p - path);
	if (len != strlen("generate_204") || strncmp(p, "generate_", 9) != 0)
		return;
	want = 0;
	for (size_t i = 9; i < len; i++) {
		if (p[i] < '0' || p[i] > '9')
			return;
		want = want * 10 + (unsigned int)(p[i] - '0');
	}
	if (want >= 100 && want <= 599)
		spec->status_min = spec->status_max = (uint16_t)want;
}

/* Host or :authority, SNI and path of a request. */
int job_parts_set_request(struct job_plan *p, const char *host, uint16_t port,
			  uint16_t default_port, const char *path)
{
	struct addr a;
	bool literal = addr_parse(host, &a) == 0;
	const char *fmt_host;
	int r;

	if (literal && a.family == 6)
		fmt_host = port == default_port
				   ? job_parts_keep(p, "[%s]", host)
				   : job_parts_keep(p, "[%s]:%u", host, port);
	else
		fmt_host = port == default_port
				   ? host
				   : job_parts_keep(p, "%s:%u", host, port);
	r = job_parts_set_str(p, JOB_STR_HOST, fmt_host);
	if (r == 0 && !literal)
		r = job_parts_set_str(p, JOB_STR_SNI, host);
	if (r == 0)
		r = job_parts_set_str(p, JOB_STR_PATH, path);
	return r;
}

/* The URL's parts as terminated strings in the scratch. */
int job_parts_keep_url(struct job_plan *p, const struct job_url *u,
		       const char **ret_host, const char **ret_path)
{
	*ret_host = job_parts_keep(p, "%.*s", (int)u->host_len, u->host);
	*ret_path = job_parts_keep(p, "%s%.*s", *u->path == '/' ? "" : "/",
				   (int)u->path_len, u->path);
	return *ret_host && *ret_path ? 0 : -EMSGSIZE;
}
