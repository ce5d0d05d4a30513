/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules of nftables, walked for one packet. Registers are 16 words; what is
 * in a word may be unknown, and then so is each condition on it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/rtnetlink.h>

#include "common/base.h"
#include "supervisor/datapath/nft_rules.h"
#include "supervisor/datapath/nft_vm.h"

#define DEPTH_MAX 16
#define STEPS_MAX 50000
#define CT_STATE_NEW 8 /* NF_CT_STATE_BIT(IP_CT_NEW) */

/* The first word of register @reg, -1 if there is none. */
static int word_of(uint32_t reg)
{
	if (reg >= NFT_REG_1 && reg <= NFT_REG_4)
		return (int)(reg - NFT_REG_1) * 4;
	if (reg >= NFT_REG32_00 && reg <= NFT_REG32_15)
		return (int)(reg - NFT_REG32_00);
	return -1;
}

static void store(struct nft_vm *v, const struct rtattr *reg, const void *data,
		  size_t len)
{
	int word = word_of(nft_u32(reg));
	size_t words = (len + 3) / 4;

	if (word < 0 || (size_t)word + words > NFT_WORDS)
		return;
	memset(&v->reg[word], 0, words * 4);
	if (data)
		memcpy(&v->reg[word], data, len);
	memset(&v->known[word], data != NULL, words);
}

/* What is in a register, if all of it is known. */
static const uint8_t *load(const struct nft_vm *v, const struct rtattr *reg,
			   size_t len)
{
	int word = word_of(nft_u32(reg));
	size_t words = (len + 3) / 4;

	if (word < 0 || (size_t)word + words > NFT_WORDS)
		return NULL;
	for (size_t i = 0; i < words; i++)
		if (!v->known[(size_t)word + i])
			return NULL;
	return (const uint8_t *)&v->reg[word];
}

static const struct rtattr *value_of(const struct rtattr *e, uint16_t type)
{
	return netlink_inside(netlink_inside(e, type), NFTA_DATA_VALUE);
}

static enum nft_step on_meta(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *to = netlink_inside(e, NFTA_META_DREG);
	const struct nft_packet *p = v->packet;
	uint32_t key = nft_u32(netlink_inside(e, NFTA_META_KEY)), word = 0;
	const uint8_t *from;
	const char *name;

	if (!to) {
		from = load(v, netlink_inside(e, NFTA_META_SREG), 4);
		if (key == NFT_META_MARK && from)
			memcpy(&v->packet->mark, from, 4);
		return NFT_STEP_ON;
	}
	switch (key) {
	case NFT_META_IIFNAME:
	case NFT_META_OIFNAME:
		name = key == NFT_META_IIFNAME ? p->iif : p->oif;
		store(v, to, *name ? name : NULL, sizeof(p->iif));
		return NFT_STEP_ON;
	case NFT_META_IIF:
		word = p->iif_index;
		break;
	case NFT_META_OIF:
		word = p->oif_index;
		break;
	case NFT_META_MARK:
		store(v, to, &p->mark, 4);
		return NFT_STEP_ON;
	case NFT_META_L4PROTO:
		store(v, to, &p->proto, 1);
		return NFT_STEP_ON;
	case NFT_META_NFPROTO:
		word = p->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
		store(v, to, (uint8_t[]){ (uint8_t)word }, 1);
		return NFT_STEP_ON;
	case NFT_META_PROTOCOL:
		word = htons(p->family == AF_INET ? 0x0800 : 0x86dd);
		store(v, to, &word, 2);
		return NFT_STEP_ON;
	case NFT_META_PKTTYPE:
		store(v, to, (uint8_t[]){ 0 }, 1);
		return NFT_STEP_ON;
	}
	store(v, to, word ? &word : NULL, word ? 4 : 16);
	return NFT_STEP_ON;
}

static enum nft_step on_ct(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *to = netlink_inside(e, NFTA_CT_DREG);
	uint32_t word = 0;

	if (!to)
		return NFT_STEP_ON;
	switch (nft_u32(netlink_inside(e, NFTA_CT_KEY))) {
	case NFT_CT_STATE:
		word = CT_STATE_NEW;
		break;
	case NFT_CT_STATUS:
	case NFT_CT_MARK:
	case NFT_CT_DIRECTION:
		break;
	default:
		store(v, to, NULL, 16);
		return NFT_STEP_ON;
	}
	store(v, to, &word, 4);
	return NFT_STEP_ON;
}

static enum nft_step on_payload(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *to = netlink_inside(e, NFTA_PAYLOAD_DREG);
	uint32_t base = nft_u32(netlink_inside(e, NFTA_PAYLOAD_BASE));
	uint32_t at = nft_u32(netlink_inside(e, NFTA_PAYLOAD_OFFSET));
	uint32_t len = nft_u32(netlink_inside(e, NFTA_PAYLOAD_LEN));
	const uint8_t *from = NULL;
	size_t size = 0;

	if (!to)
		return NFT_STEP_ON;
	if (base == NFT_PAYLOAD_NETWORK_HEADER) {
		from = v->packet->network;
		size = sizeof(v->packet->network);
	} else if (base == NFT_PAYLOAD_TRANSPORT_HEADER) {
		from = v->packet->transport;
		size = 4; /* more of it we do not know */
	}
	if (len > size || at > size - len)
		from = NULL;
	store(v, to, from ? from + at : NULL, MIN(len, 64U));
	return NFT_STEP_ON;
}

static enum nft_step yes_if(bool condition)
{
	return condition ? NFT_STEP_ON : NFT_STEP_NO;
}

static enum nft_step on_cmp(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *value = value_of(e, NFTA_CMP_DATA);
	size_t len = value ? RTA_PAYLOAD(value) : 0;
	const uint8_t *is = load(v, netlink_inside(e, NFTA_CMP_SREG), len);
	int order;

	if (!is || !len)
		return NFT_STEP_UNKNOWN;
	order = memcmp(is, RTA_DATA(value), len);
	switch (nft_u32(netlink_inside(e, NFTA_CMP_OP))) {
	case NFT_CMP_EQ:
		return yes_if(order == 0);
	case NFT_CMP_NEQ:
		return yes_if(order != 0);
	case NFT_CMP_LT:
		return yes_if(order < 0);
	case NFT_CMP_LTE:
		return yes_if(order <= 0);
	case NFT_CMP_GT:
		return yes_if(order > 0);
	case NFT_CMP_GTE:
		return yes_if(order >= 0);
	}
	return NFT_STEP_UNKNOWN;
}

static enum nft_step on_range(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *from = value_of(e, NFTA_RANGE_FROM_DATA);
	const struct rtattr *to = value_of(e, NFTA_RANGE_TO_DATA);
	size_t len = from ? RTA_PAYLOAD(from) : 0;
	const uint8_t *is = load(v, netlink_inside(e, NFTA_RANGE_SREG), len);
	bool within;

	if (!is || !len || !to || RTA_PAYLOAD(to) != len)
		return NFT_STEP_UNKNOWN;
	within = memcmp(is, RTA_DATA(from), len) >= 0 &&
		 memcmp(is, RTA_DATA(to), len) <= 0;
	return yes_if(within == (nft_u32(netlink_inside(e, NFTA_RANGE_OP)) ==
				 NFT_RANGE_EQ));
}

static enum nft_step on_bitwise(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *mask = value_of(e, NFTA_BITWISE_MASK);
	const struct rtattr * xor = value_of(e, NFTA_BITWISE_XOR);
	uint32_t len = nft_u32(netlink_inside(e, NFTA_BITWISE_LEN)), i;
	const uint8_t *is = NULL;
	uint8_t out[64];

	if (len > sizeof(out))
		return NFT_STEP_UNKNOWN;
	/* shifts have neither */
	if (mask && xor&&RTA_PAYLOAD(mask) == len && RTA_PAYLOAD(xor) == len)
		is = load(v, netlink_inside(e, NFTA_BITWISE_SREG), len);
	for (i = 0; is && i < len; i++)
		out[i] = (is[i] & ((const uint8_t *)RTA_DATA(mask))[i]) ^
			 ((const uint8_t *)RTA_DATA(xor))[i];
	store(v, netlink_inside(e, NFTA_BITWISE_DREG), is ? out : NULL, len);
	return NFT_STEP_ON;
}

static enum nft_step on_byteorder(struct nft_vm *v, const struct rtattr *e)
{
	uint32_t len = nft_u32(netlink_inside(e, NFTA_BYTEORDER_LEN)), i;
	uint32_t size = nft_u32(netlink_inside(e, NFTA_BYTEORDER_SIZE));
	const uint8_t *is = NULL;
	uint8_t out[64];

	if (len > sizeof(out) || !size || len % size)
		return NFT_STEP_UNKNOWN;
	is = load(v, netlink_inside(e, NFTA_BYTEORDER_SREG), len);
	for (i = 0; is && i < len; i++)
		out[i] = is[i / size * size + (size - 1 - i % size)];
	store(v, netlink_inside(e, NFTA_BYTEORDER_DREG), is ? out : NULL, len);
	return NFT_STEP_ON;
}

/* The verdict inside of @data; what is none loads a register. */
static enum nft_step take_verdict(struct nft_vm *v, const struct rtattr *data)
{
	const struct rtattr *verdict = netlink_inside(data, NFTA_DATA_VERDICT);
	const struct rtattr *code = netlink_inside(verdict, NFTA_VERDICT_CODE);

	if (!code)
		return NFT_STEP_ON;
	v->verdict = (int)nft_u32(code);
	nft_copy_string(v->target, sizeof(v->target),
			netlink_inside(verdict, NFTA_VERDICT_CHAIN));
	return v->verdict == NFT_CONTINUE ? NFT_STEP_ON : NFT_STEP_VERDICT;
}

static enum nft_step on_immediate(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *data = netlink_inside(e, NFTA_IMMEDIATE_DATA);
	const struct rtattr *value = netlink_inside(data, NFTA_DATA_VALUE);

	if (value)
		store(v, netlink_inside(e, NFTA_IMMEDIATE_DREG),
		      RTA_DATA(value), MIN(RTA_PAYLOAD(value), 64U));
	return take_verdict(v, data);
}

static enum nft_step on_lookup(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *from = netlink_inside(e, NFTA_LOOKUP_SREG);
	const struct rtattr *to = netlink_inside(e, NFTA_LOOKUP_DREG);
	bool is_not = nft_u32(netlink_inside(e, NFTA_LOOKUP_FLAGS)) &
		      NFT_LOOKUP_F_INV;
	struct nft_key key = { .len = 0 }, data = { .len = 0 };
	_Alignas(4) uint8_t wrapped[sizeof(data.bytes) + 4];
	enum nft_found found;
	const uint8_t *is;
	char set[64];
	int word = word_of(nft_u32(from));

	nft_copy_string(set, sizeof(set), netlink_inside(e, NFTA_LOOKUP_SET));
	is = load(v, from, 4);
	if (!is || word < 0)
		return NFT_STEP_UNKNOWN;
	while (key.len + 4 <= sizeof(key.bytes) &&
	       (size_t)word + key.len / 4 < NFT_WORDS &&
	       v->known[(size_t)word + key.len / 4])
		key.len += 4;
	memcpy(key.bytes, is, key.len);
	found = nft_lookup(v->chain, set, &key, &data);
	if (found == NFT_FOUND_UNKNOWN)
		return NFT_STEP_UNKNOWN;
	if ((found == NFT_FOUND) == is_not)
		return NFT_STEP_NO;
	if (!to || is_not)
		return NFT_STEP_ON;
	/* a map: its data is wrapped as an immediate's */
	((struct rtattr *)wrapped)->rta_len = (uint16_t)(data.len + 4);
	((struct rtattr *)wrapped)->rta_type = 0;
	memcpy(wrapped + 4, data.bytes, data.len);
	if (nft_u32(to) != NFT_REG_VERDICT) {
		const struct rtattr *value = netlink_inside(
			(struct rtattr *)wrapped, NFTA_DATA_VALUE);

		store(v, to, value ? RTA_DATA(value) : NULL,
		      value ? RTA_PAYLOAD(value) : 4);
		return NFT_STEP_ON;
	}
	return take_verdict(v, (struct rtattr *)wrapped);
}

static enum nft_step on_fib(struct nft_vm *v, const struct rtattr *e)
{
	const struct rtattr *to = netlink_inside(e, NFTA_FIB_DREG);
	uint32_t flags = nft_u32(netlink_inside(e, NFTA_FIB_FLAGS));
	uint32_t word = RTN_UNICAST;

	switch (nft_u32(netlink_inside(e, NFTA_FIB_RESULT))) {
	case NFT_FIB_RESULT_ADDRTYPE:
		if (flags & NFTA_FIB_F_MARK && v->packet->is_taken)
			word = RTN_LOCAL;
		store(v, to, &word, 4);
		return NFT_STEP_ON;
	case NFT_FIB_RESULT_OIF:
		/* the way back, unless our mark leads it elsewhere */
		word = flags & NFTA_FIB_F_MARK && v->packet->is_taken
			       ? 0
			       : v->packet->iif_index;
		if (flags & NFTA_FIB_F_PRESENT && (word || v->packet->is_taken))
			store(v, to, (uint8_t[]){ word != 0 }, 1);
		else
			store(v, to, word || v->packet->is_taken ? &word : NULL,
			      4);
		return NFT_STEP_ON;
	}
	store(v, to, NULL, 16);
	return NFT_STEP_ON;
}

static enum nft_step on_reject(struct nft_vm *v, const struct rtattr *e)
{
	(void)e;
	v->verdict = NF_DROP;
	return NFT_STEP_VERDICT;
}

/* It goes on with another destination: to be judged there, not by us. */
static enum nft_step on_nat(struct nft_vm *v, const struct rtattr *e)
{
	(void)e;
	v->verdict = NF_ACCEPT;
	return NFT_STEP_VERDICT;
}

static enum nft_step on_nothing(struct nft_vm *v, const struct rtattr *e)
{
	(void)v;
	(void)e;
	return NFT_STEP_ON;
}

static const struct {
	const char *name;
	enum nft_step (*run)(struct nft_vm *v, const struct rtattr *e);
} kinds[] = {
	{ "meta", on_meta },	       { "ct", on_ct },
	{ "payload", on_payload },     { "cmp", on_cmp },
	{ "range", on_range },	       { "bitwise", on_bitwise },
	{ "byteorder", on_byteorder }, { "immediate", on_immediate },
	{ "lookup", on_lookup },       { "fib", on_fib },
	{ "reject", on_reject },       { "nat", on_nat },
	{ "redir", on_nat },	       { "tproxy", on_nat },
	{ "counter", on_nothing },     { "log", on_nothing },
	{ "notrack", on_nothing },     { "flow_offload", on_nothing },
	{ "objref", on_nothing },      { "last", on_nothing },
	{ "match", nft_xt_match },     { "target", nft_xt_target },
};

static enum nft_step run_expression(struct nft_vm *v, const struct rtattr *e)
{
	char name[32];

	nft_copy_string(name, sizeof(name), netlink_inside(e, NFTA_EXPR_NAME));
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (strcmp(name, kinds[i].name) == 0)
			return kinds[i].run(v,
					    netlink_inside(e, NFTA_EXPR_DATA));
	return NFT_STEP_UNKNOWN;
}

static enum nft_step run_rule(struct nft_vm *v, const struct nft_rule *r)
{
	enum nft_step step = NFT_STEP_ON;
	const struct rtattr *e;
	int len;

	e = nft_expressions(v->rules, r, &len);
	for (; step == NFT_STEP_ON && RTA_OK(e, len); e = RTA_NEXT(e, len))
		step = run_expression(v, e);
	return step;
}

/* What becomes of the packet in @c and the chains it calls: NF_ACCEPT,
 * NF_DROP, or NFT_RETURN at its end. */
static int run_chain(struct nft_vm *v, const struct nft_chain *c, int depth)
{
	const struct nft_chain *next;
	int verdict;

	if (depth == 2)
		v->called = c;
	for (uint32_t i = 0; i < c->count; i++) {
		if (++v->steps > STEPS_MAX)
			return NF_ACCEPT;
		v->chain = c;
		if (run_rule(v, &v->rules->rules[c->first + i]) !=
		    NFT_STEP_VERDICT)
			continue;
		verdict = v->verdict;
		if (verdict != NFT_JUMP && verdict != NFT_GOTO) {
			v->dropped_in = verdict == NF_DROP ? c : NULL;
			return verdict == NF_DROP || verdict == NFT_RETURN
				       ? verdict
				       : NF_ACCEPT;
		}
		next = nft_find_chain(v->rules, c, v->target);
		if (!next || depth == DEPTH_MAX)
			return NF_ACCEPT;
		i = verdict == NFT_GOTO ? c->count : i;
		verdict = run_chain(v, next, depth + 1);
		if (verdict != NFT_RETURN)
			return verdict;
	}
	return NFT_RETURN;
}

static bool is_asked(const struct nft_chain *c, const struct nft_packet *p,
		     uint32_t hook)
{
	uint8_t own = p->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	return c->is_base && c->hook == hook &&
	       (c->family == NFPROTO_INET || c->family == own);
}

/* The next base chain after priority and place of @last, or NULL. */
static const struct nft_chain *next_base(const struct nft_ruleset *n,
					 const struct nft_packet *p,
					 uint32_t hook,
					 const struct nft_chain *last)
{
	const struct nft_chain *best = NULL, *c;

	for (size_t i = 0; i < n->chain_count; i++) {
		c = &n->chains[i];
		if (!is_asked(c, p, hook))
			continue;
		if (last && (c->priority < last->priority ||
			     (c->priority == last->priority && c <= last)))
			continue;
		if (!best || c->priority < best->priority)
			best = c;
	}
	return best;
}

size_t nft_run(const struct nft_ruleset *n, struct nft_packet *p, uint32_t hook,
	       struct nft_drop *ret, size_t cap)
{
	const struct nft_chain *base = NULL;
	size_t count = 0;
	int verdict;

	while (count < cap && (base = next_base(n, p, hook, base))) {
		struct nft_vm v = { .rules = n, .packet = p };
		struct nft_drop *d = &ret[count];
		const struct nft_chain *where = base;

		verdict = run_chain(&v, base, 0);
		if (verdict == NF_DROP)
			where = v.dropped_in;
		else if (verdict != NFT_RETURN || base->policy != NF_DROP)
			continue;
		*d = (struct nft_drop){ .family = base->family,
					.by_policy = verdict == NFT_RETURN };
		memcpy(d->table, base->table, sizeof(d->table));
		memcpy(d->chain, base->name, sizeof(d->chain));
		memcpy(d->where, where->name, sizeof(d->where));
		if (v.called)
			memcpy(d->called, v.called->name, sizeof(d->called));
		count++;
	}
	return count;
}
