/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What nft.c reads and nft_eval.c walks. */
#pragma once

#include "supervisor/datapath/netlink.h"
#include "supervisor/datapath/nft.h"

struct nft_rule {
	uint32_t at, len; /* of its expressions, in the ruleset's bytes */
};

struct nft_chain {
	char table[64], name[64];
	uint8_t family;
	bool is_base;
	uint32_t hook, policy;
	int32_t priority;
	uint32_t first, count; /* rules */
};

struct nft_ruleset {
	struct nft_chain *chains;
	size_t chain_count, chain_room;
	struct nft_rule *rules;
	size_t rule_count, rule_room;
	uint8_t *bytes;
	size_t byte_count, byte_room;
	bool is_cut;
};

/* A list of expressions, as they came. */
const struct rtattr *nft_expressions(const struct nft_ruleset *n,
				     const struct nft_rule *r, int *ret_len);
/* NULL if there is none. */
const struct nft_chain *nft_find_chain(const struct nft_ruleset *n,
				       const struct nft_chain *beside,
				       const char *name);
void nft_copy_string(char *to, size_t cap, const struct rtattr *a);
/* A number in network order, as nfnetlink has them. */
uint32_t nft_u32(const struct rtattr *a);

struct nft_key {
	uint8_t bytes[64];
	size_t len;
};

enum nft_found { NFT_FOUND_NO, NFT_FOUND, NFT_FOUND_UNKNOWN };

/*
 * Whether @key is in the set of @chain's table. Of a map the data is copied to
 * @ret_data, a list of attributes (empty if there is none).
 */
enum nft_found nft_lookup(const struct nft_chain *chain, const char *set,
			  const struct nft_key *key, struct nft_key *ret_data);
