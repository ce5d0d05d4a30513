/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rule image: compiled rules as one block of memory, made by
 * supervisor/rules (or the sandboxed compiler), checked here before anybody
 * uses it, loaded into the kernel by supervisor/datapath. And the user-space
 * twin of the kernel's classifier over the same tables. Pure.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/ruleset_format.h"

#define RULESET_MAGIC 0x314c555245414400ULL
#define RULESET_VERSION 2
#define RULESET_GROUPS_MAX 256
#define RULESET_NODES_MAX (1U << 20)
#define RULESET_RUNS_MAX (1U << 24)
#define RULESET_DOMAINS_MAX (1U << 20)

enum ruleset_section {
	RULESET_RULES,	   /* dae_rule[DAE_RULE_SLOTS] */
	RULESET_MUST_MASK, /* dae_bitmap: rules that only set must */
	RULESET_DST4,	   /* u32[DAE_ROOT_SIZE] */
	RULESET_SRC4,
	RULESET_DST6,
	RULESET_SRC6,
	RULESET_NODES,	 /* dae_trie_node[] */
	RULESET_RUNS,	 /* u32[] */
	RULESET_DPORT,	 /* u16[2][65536], TCP first */
	RULESET_SPORT,	 /* u16[65536] */
	RULESET_DSCP,	 /* u16[64] */
	RULESET_MAC,	 /* dae_mac[DAE_MAC_SLOTS] */
	RULESET_PNAME,	 /* dae_pname[DAE_PNAME_WAYS << (64 - pname_shift)] */
	RULESET_DOMAINS, /* dae_domain[] */
	RULESET_BITMAPS, /* dae_bitmap[], all dimensions in a row */
	RULESET_SECTION_COUNT
};

struct ruleset_span {
	uint32_t offset; /* from the start of the image, multiple of 8 */
	uint32_t count;	 /* of elements */
};

struct ruleset_header {
	uint64_t magic;
	uint32_t version;
	uint32_t size;	   /* of the whole image */
	uint64_t checksum; /* of all that follows this field */
	uint64_t mac_multiplier;
	uint64_t pname_multiplier;
	uint32_t rule_count;  /* without the fallback */
	uint32_t word_count;  /* bitmap words in use, 1..16 */
	uint32_t mac_miss;    /* class of a MAC that is not in the table */
	uint32_t domain_miss; /* of an address that no name was learned for */
	uint32_t domain_sets; /* sets are numbered below it */
	uint32_t pname_miss;  /* of a name not in the table, and of none */
	uint32_t pname_shift;
	uint32_t used_dims; /* bit per enum dae_dim: it can tell rules apart */
	uint32_t class_base[DAE_DIM_COUNT]; /* first bitmap row */
	uint32_t class_count[DAE_DIM_COUNT];
	struct ruleset_span sections[RULESET_SECTION_COUNT];
};

/* A checked view of an image that somebody else owns. */
struct ruleset {
	const uint8_t *base;
	const struct ruleset_header *h;
};

/* What the classifier may know of the first packet of a flow. */
struct ruleset_query {
	struct addr src, dst; /* of one family */
	uint16_t sport, dport;
	uint8_t l4proto; /* IPPROTO_TCP or IPPROTO_UDP */
	uint8_t dscp;
	uint8_t mac[6];		   /* zero: the link has none */
	char pname[DAE_PNAME_LEN]; /* zero: unknown, or forwarded traffic */
	/* that the names of dst are in; NULL: none was learned */
	const struct dae_bitmap *domain_sets;
};

struct ruleset_verdict {
	uint16_t rule;		/* DAE_RULE_FALLBACK: no rule matched */
	enum dae_action action; /* never DAE_ACTION_MUST_RULES */
	uint16_t group;
	bool must;
	bool is_dns; /* port 53 without must: keeps its destination */
	bool has_mark;
	uint32_t mark;
};

/* Word @w of the bitmap of all of @rule_count rules. */
static inline uint64_t ruleset_word_of(uint32_t rule_count, uint32_t w)
{
	if (rule_count >= w * 64 + 64)
		return ~0ULL;
	return rule_count > w * 64 ? ~(~0ULL << rule_count % 64) : 0;
}

size_t ruleset_element_size(enum ruleset_section s);
uint64_t ruleset_checksum(const void *data, size_t len);
/*
 * Check an image of @len bytes, 8-byte aligned, completely: every offset,
 * class, run and node that a lookup could reach lies inside. 0, -EINVAL
 * (malformed), -EPROTO (other version), -EBADMSG (checksum).
 */
int ruleset_open(const void *data, size_t len, struct ruleset *ret);
const void *ruleset_section(const struct ruleset *r, enum ruleset_section s,
			    uint32_t *ret_count);
/* The conditions on names, of an image or copied from one. */
struct ruleset_domains {
	const struct dae_domain *items;
	uint32_t count;
	uint32_t rule_count;
};

struct ruleset_domains ruleset_domains(const struct ruleset *r);
/*
 * The rules whose conditions on names hold for an address whose names are in
 * @sets: the row of its class. Sets that no condition asks for do not matter.
 */
void ruleset_domain_rules(const struct ruleset_domains *d,
			  const struct dae_bitmap *sets,
			  struct dae_bitmap *ret_rules);
/* Decide as the kernel does. @q's families agree, l4proto is TCP or UDP:
 * else -EINVAL. */
int ruleset_eval(const struct ruleset *r, const struct ruleset_query *q,
		 struct ruleset_verdict *ret);
