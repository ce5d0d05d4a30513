/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A walk through rules: nft_eval.c, and nft_xt.c for what iptables brought. */
#pragma once

#include "supervisor/datapath/nft_rules.h"

#define NFT_WORDS 16

enum nft_step {
	NFT_STEP_ON,	  /* the condition is met, or it was none */
	NFT_STEP_NO,	  /* not met: the rule is over */
	NFT_STEP_UNKNOWN, /* not to be judged here */
	NFT_STEP_VERDICT,
};

struct nft_vm {
	const struct nft_ruleset *rules;
	struct nft_packet *packet;
	const struct nft_chain *chain; /* of the rule that runs */
	uint32_t reg[NFT_WORDS];
	bool known[NFT_WORDS];
	int verdict; /* with NFT_STEP_VERDICT */
	char target[64];
	const struct nft_chain *dropped_in;
	const struct nft_chain *called; /* the last one two calls down */
	unsigned int steps;
};

/* Matches and targets of x_tables inside of nftables. */
enum nft_step nft_xt_match(struct nft_vm *v, const struct rtattr *e);
enum nft_step nft_xt_target(struct nft_vm *v, const struct rtattr *e);
