/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses and prefixes as values: 16 bytes, IPv4 as ::ffff:a.b.c.d. */
#pragma once

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct addr {
	uint8_t b[16];	/* network order */
	uint8_t family; /* 4 or 6; 0: none */
};

struct prefix {
	struct addr addr;
	uint8_t len; /* bits of the family: 0..32 or 0..128 */
};

#define ADDR_STRLEN 64 /* enough for addr_format() and addr_format_port() */

/* A literal IPv4 or IPv6 address (no brackets), exactly @text. -EINVAL. */
int addr_parse(const char *text, struct addr *ret);
/* ADDR or ADDR/LEN; host bits beyond the length are cleared. -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret);
bool addr_equal(const struct addr *a, const struct addr *b);
bool prefix_contains(const struct prefix *p, const struct addr *a);
bool addr_is_unspecified(const struct addr *a);
/* Loopback, link-local, multicast, broadcast or unspecified: an address that a
 * name or a peer may not lead us to unless the configuration has it literally. */
bool addr_is_special(const struct addr *a);
void addr_from_sockaddr(const struct sockaddr_storage *ss, struct addr *ret,
			uint16_t *ret_port);
/* Port in host order. The length of the filled part. */
socklen_t addr_to_sockaddr(const struct addr *a, uint16_t port,
			   struct sockaddr_storage *ret);
/* Returns @buf (at least ADDR_STRLEN bytes). */
const char *addr_format(const struct addr *a, char *buf);
/* 192.0.2.1:53 or [2001:db8::1]:53. */
const char *addr_format_port(const struct addr *a, uint16_t port, char *buf);
