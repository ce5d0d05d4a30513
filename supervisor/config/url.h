/* SPDX-License-Identifier: GPL-2.0-or-later */
/* URLs as configurations have them: liberal in what follows the host. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct arena;

#define URL_LEN_MAX 4096U
#define URL_HOST_MAX 253U

struct url {
	char *scheme; /* lower case */
	bool has_userinfo;
	char *userinfo; /* as written; "" if none */
	char *host;	/* no brackets; "" if none */
	bool is_bracketed;
	char *port;	/* as written, may be a list; "" if none */
	char *path;	/* as written, from its '/'; "" if none */
	char *query;	/* as written, without '?'; "" if none */
	char *fragment; /* decoded; "" if none */
};

/* SCHEME://[USERINFO@]HOST[:PORT][/PATH][?QUERY][#FRAGMENT]. 0, -EINVAL with the
 * cause in @why, -ENOMEM. */
int url_parse(struct arena *a, const char *text, size_t len, struct url *ret,
	      char *why, size_t cap);
/* The port as a number; @fallback if there is none, 0: one is required. */
int url_port(const struct url *u, uint16_t fallback, uint16_t *ret, char *why,
	     size_t cap);
/* Is the host an IP literal or a name that a resolver takes? -EINVAL. */
int url_check_host(const struct url *u, char *why, size_t cap);
/* The value of the first parameter of this name, decoded, in *ret; NULL: not
 * there. 0, -EINVAL (a byte of zero in it), -ENOMEM. */
int url_query(struct arena *a, const struct url *u, const char *name,
	      char **ret);
/* The first name of the query that is not in the NULL-terminated @known; NULL:
 * all are. */
const char *url_unknown_query(struct arena *a, const struct url *u,
			      const char *const *known);
/* %XX to bytes, and '+' to a blank if asked; what is no escape stays. 0, -EINVAL
 * for a byte of zero, -ENOMEM. */
int url_decode(struct arena *a, const char *s, size_t len, bool plus_is_blank,
	       char **ret);
/* Base64 of either alphabet, padding optional, to text without control bytes.
 * 0, -EINVAL, -ENOMEM. */
int url_base64_text(struct arena *a, const char *s, size_t len, char **ret);
