/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nftables rules of this machine, iptables-nft's included, read by nfnetlink,
 * and what they would do to a packet: nothing is sent, nothing executed. A
 * condition that cannot be judged here counts as not met.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct nft_ruleset;

/* Read all of it. 0 or -errno: -EPROTONOSUPPORT, -EINVAL or -EOPNOTSUPP if this
 * kernel has no nftables. */
int nft_read(struct nft_ruleset **ret);
/* Accepts NULL, sets *n to NULL. */
void nft_free(struct nft_ruleset **n);
/* There was more than is read. */
bool nft_is_cut(const struct nft_ruleset *n);

/* The first packet of a flow. */
struct nft_packet {
	uint8_t family; /* AF_INET, AF_INET6 */
	uint8_t proto;	/* IPPROTO_TCP, IPPROTO_UDP */
	uint32_t mark;
	bool is_taken; /* routes of its mark lead elsewhere than back */
	char iif[16];  /* names of interfaces, empty: unknown */
	char oif[16];  /* of a forwarded one */
	uint32_t iif_index, oif_index;
	uint8_t network[40];  /* the header of IP */
	uint8_t transport[8]; /* the ports, then zeros */
};

struct nft_drop {
	uint8_t family; /* NFPROTO_* of the table */
	char table[64];
	char chain[64];	 /* the base chain */
	char where[64];	 /* the chain that dropped, the same or one it calls */
	char called[64]; /* the last one entered that is two calls down */
	bool by_policy;
};

/*
 * Send @p through the chains of @hook (NF_INET_*), in their order; each chain
 * that drops it is noted in @ret, and it goes on as if that one had not. The
 * number of drops, at most @cap.
 */
size_t nft_run(const struct nft_ruleset *n, struct nft_packet *p, uint32_t hook,
	       struct nft_drop *ret, size_t cap);
/* Whether a chain of this name is in any table. */
bool nft_has_chain(const struct nft_ruleset *n, const char *name);
