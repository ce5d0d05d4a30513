/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lists of names and prefixes in v2fly's files (geosite.dat, geoip.dat and what
 * is built like them). A file is walked entry by entry, an entry item by item:
 * neither is ever in memory as a whole tree. Everything in the file is hostile.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define GEO_FILE_MAX (256U << 20) /* bytes of a file */
#define GEO_ENTRY_MAX (64U << 20) /* bytes of one list */
#define GEO_ENTRIES_MAX 65536U	  /* lists in a file */
#define GEO_CODE_MAX 127U	  /* characters of a code */
#define GEO_ATTRIBUTES_MAX 8U

struct geo_file;

struct geo_error {
	char text[256]; /* one line; what is from the file is not cleaned */
};

enum geo_domain_type { /* as the format numbers them */
		       GEO_KEYWORD = 0,
		       GEO_REGEX = 1,
		       GEO_ROOT = 2, /* the name and all below */
		       GEO_FULL = 3
};

struct geo_domain {
	enum geo_domain_type type;
	const char *value; /* any bytes, not terminated */
	size_t len;
};

/* A negative number ends the walk and is its result. */
typedef int geo_domain_fn(void *ctx, const struct geo_domain *d);
typedef int geo_prefix_fn(void *ctx, const struct prefix *p);

/*
 * Find the lists of the file behind @fd, which is borrowed; its position is left
 * at the end. 0,
 * -EBADMSG (damaged), -EFBIG, -ENOMEM, or another -errno of reading; *ret_err
 * says more.
 */
int geo_open(struct geo_file **ret, int fd, struct geo_error *ret_err);
/* Accepts NULL, sets *g to NULL. */
void geo_free(struct geo_file **g);

/*
 * Each name of the list "CODE" or "CODE@ATTRIBUTE…", of which it must have all;
 * letters' case does not matter. 0, -ENOENT (no such list: *ret_err suggests),
 * -EBADMSG, -ENOMEM, or what @fn returned.
 */
int geo_domains(struct geo_file *g, const char *what, geo_domain_fn *fn,
		void *ctx, struct geo_error *ret_err);
/*
 * Each prefix of the list "CODE", host bits cleared, IPv4 as such. Those longer
 * than an address are left out. *ret_inverse: the list means all others.
 */
int geo_prefixes(struct geo_file *g, const char *code, geo_prefix_fn *fn,
		 void *ctx, bool *ret_inverse, struct geo_error *ret_err);
