/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which DNS server names are asked of before any routing works: the configured
 * bootstrap_resolver, else resolv.conf(5), else, if that lists only loopback or
 * nothing, fallback_resolver. The answers themselves are workers' business.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

#define RESOLVERS_MAX 4

struct resolvers {
	struct {
		struct addr addr;
		uint16_t port;
	} servers[RESOLVERS_MAX];
	size_t count;
	size_t next; /* asked first: the one that answered last */
};

/*
 * @bootstrap, @fallback: "ADDR[:PORT][, ADDR[:PORT]]" or NULL. @resolv_conf: the
 * file's text, not terminated, or NULL. -ENOENT if nobody is left to ask.
 */
int resolvers_choose(struct resolvers *ret, const char *bootstrap,
		     const char *fallback, const char *resolv_conf, size_t len);
