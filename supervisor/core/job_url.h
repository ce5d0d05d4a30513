/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The URLs of checks and upstreams, taken apart in place. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct job_url {
	const char *scheme; /* empty if there is none */
	size_t scheme_len;
	const char *host; /* without brackets, never empty */
	size_t host_len;
	const char
		*path; /* from the first '/' or '?', before '#'; may be empty */
	size_t path_len;
	uint16_t port; /* 0: not given */
};

/*
 * [SCHEME://]HOST[:PORT][/PATH][#…] of @text, which *ret points into. -EINVAL
 * for anything else: credentials, blanks or controls, a port that is no number.
 */
int job_url_split(const char *text, struct job_url *ret);
bool job_url_scheme_is(const struct job_url *u, const char *scheme);
