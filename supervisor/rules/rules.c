/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/rules.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/rules/domains.h"
#include "supervisor/rules/hashed.h"
#include "supervisor/rules/image.h"
#include "supervisor/rules/sweep.h"

enum { /* what is swept; addresses by family */
       SWEEP_DST4,
       SWEEP_SRC4,
       SWEEP_DST6,
       SWEEP_SRC6,
       SWEEP_DPORT,
       SWEEP_SPORT,
       SWEEP_DSCP,
       SWEEP_MAC,
       SWEEP_PNAME,
       SWEEP_COUNT
};

struct compiler {
	struct tables *t;
	struct rules_domain_sets domains;
	struct sweep sweeps[SWEEP_COUNT];
	struct dae_bitmap all;	       /* every rule */
	struct dae_bitmap by_ipver[2]; /* rules that can match IPv4, IPv6 */
	struct dae_bitmap by_l4[2];    /* TCP, UDP */
};

static void bit_set(struct dae_bitmap *b, size_t i)
{
	b->w[i / 64] |= 1ULL << i % 64;
}

static void bit_clear(struct dae_bitmap *b, size_t i)
{
	b->w[i / 64] &= ~(1ULL << i % 64);
}

/* l4proto and ipversion: which of the two worlds a rule lives in. */
static void fold_pair(struct dae_bitmap *worlds, size_t rule,
		      const struct rule_cond *c, uint8_t first, uint8_t second)
{
	bool has[2] = { false, false };
	size_t i;

	for (i = 0; i < c->value_count; i++) {
		has[0] |= c->values[i].number == first;
		has[1] |= c->values[i].number == second;
	}
	for (i = 0; i < 2; i++)
		if (has[i] == c->negate)
			bit_clear(&worlds[i], rule);
}

static sweep_value address_value(const struct addr *a)
{
	sweep_value v = 0;
	size_t i;

	for (i = a->family == 4 ? 12 : 0; i < 16; i++)
		v = v << 8 | a->b[i];
	return a->family == 4 ? v << 96 : v;
}

/* The conditions of a rule on its two families. */
struct families {
	struct sweep *v4, *v6;
	int l4, l6;
};

static int add_prefix(const struct families *f, const struct prefix *p)
{
	bool is_v4 = p->addr.family == 4;
	sweep_value first, size;

	if ((!is_v4 || p->len > 32) && (p->addr.family != 6 || p->len > 128))
		return -EINVAL;
	first = address_value(&p->addr);
	size = p->len ? (sweep_value)1 << (128 - p->len) : 0;
	first = p->len ? first & ~(size - 1) : 0;
	return sweep_range(is_v4 ? f->v4 : f->v6, is_v4 ? f->l4 : f->l6, first,
			   first + (size - 1));
}

static int add_prefixes(struct sweep *v4, struct sweep *v6, uint16_t rule,
			const struct rule_cond *c)
{
	struct families f = {
		.v4 = v4,
		.v6 = v6,
		.l4 = sweep_literal(v4, rule, c->negate),
		.l6 = sweep_literal(v6, rule, c->negate),
	};
	int r = 0;

	if (f.l4 < 0 || f.l6 < 0)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < c->value_count; i++)
		if (c->values[i].key == RULE_KEY_LITERAL)
			r = add_prefix(&f, &c->values[i].prefix);
	for (size_t i = 0; r == 0 && i < c->prefix_count; i++)
		r = add_prefix(&f, &c->prefixes[i]);
	return r;
}

static int add_ports(struct sweep *s, uint16_t rule, const struct rule_cond *c)
{
	int l = sweep_literal(s, rule, c->negate), r;
	size_t i;

	if (l < 0)
		return l;
	for (i = 0; i < c->value_count; i++) {
		if (c->values[i].range.lo > c->values[i].range.hi)
			continue; /* reversed: accepted, never matches */
		r = sweep_range(s, l, c->values[i].range.lo,
				c->values[i].range.hi);
		if (r < 0)
			return r;
	}
	return 0;
}

static int add_dscp(struct sweep *s, uint16_t rule, const struct rule_cond *c)
{
	int l = sweep_literal(s, rule, c->negate), r;
	size_t i;

	if (l < 0)
		return l;
	for (i = 0; i < c->value_count; i++) {
		if (c->values[i].number > 63)
			continue;
		r = sweep_range(s, l, c->values[i].number, c->values[i].number);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "not this device" says nothing about a packet that has no MAC address: a
 * negated list holds the zero address too. */
static int add_macs(struct sweep *s, uint16_t rule, const struct rule_cond *c)
{
	int l = sweep_literal(s, rule, c->negate), r;
	uint64_t key;
	size_t i;

	if (l < 0)
		return l;
	r = c->negate ? sweep_range(s, l, 0, 0) : 0;
	for (i = 0; r == 0 && i < c->value_count; i++) {
		key = dae_mac_key(c->values[i].mac);
		r = sweep_range(s, l, key, key);
	}
	return r;
}

/* A name longer than counts is cut, as the kernel's is. */
static int add_pnames(struct sweep *s, uint16_t rule, const struct rule_cond *c)
{
	int l = sweep_literal(s, rule, c->negate), r = 0;
	sweep_value name;
	size_t i;

	if (l < 0)
		return l;
	for (i = 0; r == 0 && i < c->value_count; i++) {
		if (!c->values[i].text || !c->values[i].text[0])
			return -EINVAL;
		name = hashed_pname(c->values[i].text);
		r = sweep_range(s, l, name, name);
	}
	return r;
}

static int add_cond(struct compiler *c, uint16_t rule,
		    const struct rule_cond *cond)
{
	struct sweep *s = c->sweeps;

	switch (cond->fn) {
	case RULE_DIP:
		return add_prefixes(&s[SWEEP_DST4], &s[SWEEP_DST6], rule, cond);
	case RULE_SIP:
		return add_prefixes(&s[SWEEP_SRC4], &s[SWEEP_SRC6], rule, cond);
	case RULE_DPORT:
		return add_ports(&s[SWEEP_DPORT], rule, cond);
	case RULE_SPORT:
		return add_ports(&s[SWEEP_SPORT], rule, cond);
	case RULE_DSCP:
		return add_dscp(&s[SWEEP_DSCP], rule, cond);
	case RULE_MAC:
		return add_macs(&s[SWEEP_MAC], rule, cond);
	case RULE_L4PROTO:
		fold_pair(c->by_l4, rule, cond, IPPROTO_TCP, IPPROTO_UDP);
		return 0;
	case RULE_IPVERSION:
		fold_pair(c->by_ipver, rule, cond, 4, 6);
		return 0;
	case RULE_PNAME:
		return add_pnames(&s[SWEEP_PNAME], rule, cond);
	case RULE_DOMAIN:
		return domains_add(&c->t->domains, &c->domains, rule, cond);
	case RULE_FN_COUNT:
		break;
	}
	return -EINVAL;
}

static int convert_outbound(const struct rule_outbound *o,
			    const struct rules_options *opt,
			    struct dae_rule *ret)
{
	static const uint8_t actions[] = {
		[RULE_DIRECT] = DAE_ACTION_DIRECT,
		[RULE_BLOCK] = DAE_ACTION_BLOCK,
		[RULE_GROUP] = DAE_ACTION_GROUP,
		[RULE_MUST_RULES] = DAE_ACTION_MUST_RULES,
	};

	if (o->action >= ARRAY_LEN(actions))
		return -EINVAL;
	ret->action = actions[o->action];
	ret->mark = o->has_mark ? o->mark : 0;
	ret->flags = (uint8_t)((o->must ? DAE_RULE_MUST : 0) |
			       (o->has_mark ? DAE_RULE_HAS_MARK : 0));
	if (o->action != RULE_GROUP)
		return 0;
	if (o->group >= opt->group_count ||
	    opt->group_ids[o->group] >= RULESET_GROUPS_MAX)
		return -EINVAL;
	ret->group = opt->group_ids[o->group];
	return 0;
}

/* Fill @table (@size entries) from intervals of small numbers. */
static void fill_table(const struct intervals *v, uint16_t *table, size_t size)
{
	size_t i, at;

	for (i = 0, at = 0; i < v->count; i++)
		for (; at < size &&
		       (i + 1 == v->count || at < v->items[i + 1].start);
		     at++)
			table[at] = (uint16_t)v->items[i].class_id;
}

static int build_small(struct compiler *c, int which, enum dae_dim dim,
		       const struct dae_bitmap *base, uint16_t *table,
		       size_t size)
{
	struct intervals v = { 0 };
	int r;

	r = sweep_run(&c->sweeps[which], base, &c->t->classes[dim], &v);
	if (r == 0)
		fill_table(&v, table, size);
	intervals_clear(&v);
	return r;
}

static int build_trie(struct compiler *c, int which, enum dae_dim dim,
		      const struct dae_bitmap *base)
{
	struct intervals v = { 0 };
	int r;

	r = sweep_run(&c->sweeps[which], base, &c->t->classes[dim], &v);
	if (r == 0)
		r = trie_build(&c->t->pool, &v, c->t->roots[which]);
	intervals_clear(&v);
	return r;
}

/* The class of an address without a name. */
static int build_domains(struct compiler *c)
{
	struct dae_bitmap miss = c->all;
	uint32_t id;

	domains_miss(&c->t->domains, &miss);
	return classes_intern(&c->t->classes[DAE_DIM_DOMAIN], &miss, &id);
}

static int build_tables(struct compiler *c)
{
	struct tables *t = c->t;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < 2; i++) {
		r = build_trie(c, i ? SWEEP_DST6 : SWEEP_DST4, DAE_DIM_DST,
			       &c->by_ipver[i]);
		if (r == 0)
			r = build_trie(c, i ? SWEEP_SRC6 : SWEEP_SRC4,
				       DAE_DIM_SRC, &c->all);
		if (r == 0)
			r = build_small(c, SWEEP_DPORT, DAE_DIM_DPORT,
					&c->by_l4[i], t->dport[i], 65536);
	}
	if (r == 0)
		r = build_small(c, SWEEP_SPORT, DAE_DIM_SPORT, &c->all,
				t->sport, 65536);
	if (r == 0)
		r = build_small(c, SWEEP_DSCP, DAE_DIM_DSCP, &c->all, t->dscp,
				64);
	if (r == 0)
		r = hashed_build_macs(t, &c->sweeps[SWEEP_MAC], &c->all);
	if (r == 0)
		r = hashed_build_pnames(t, &c->sweeps[SWEEP_PNAME], &c->all);
	return r < 0 ? r : build_domains(c);
}

int rules_fail(struct rules_error *e, const struct config_pos *pos, int r)
{
	const char *why =
		r == -E2BIG  ? "more than 1024 rules"
		: r == -EDOM ? "more than 1024 different lists in domain(...)"
		: r == -EOVERFLOW
			? "the rules need more table space than there "
			  "is (too many different address sets or MAC "
			  "addresses)"
		: r == -ENOMEM ? "out of memory"
			       : "a rule cannot be compiled";

	*e = (struct rules_error){ 0 };
	if (pos)
		e->pos = *pos;
	snprintf(e->text, sizeof(e->text), "%s", why);
	return r;
}

static int add_rule(struct compiler *c, size_t i,
		    const struct config_rule *rule,
		    const struct rules_options *opt)
{
	struct tables *t = c->t;
	size_t k;
	int r;

	r = convert_outbound(&rule->out, opt, &t->rules[i]);
	if (t->rules[i].action == DAE_ACTION_MUST_RULES)
		bit_set(&t->must, i);
	for (k = 0; r == 0 && k < rule->cond_count; k++)
		r = add_cond(c, (uint16_t)i, &rule->conds[k]);
	return r;
}

static int compile(struct compiler *c, const struct config_routing *routing,
		   const struct rules_options *opt, struct rules_error *err)
{
	struct dae_rule *fallback = &c->t->rules[DAE_RULE_FALLBACK];
	size_t i;
	int r;

	for (i = 0; i < routing->rule_count; i++)
		bit_set(&c->all, i);
	for (i = 0; i < 2; i++)
		c->by_l4[i] = c->by_ipver[i] = c->all;
	r = rules_domain_sets(routing, &c->domains, err);
	if (r < 0)
		return r;
	c->t->domain_sets = (uint32_t)c->domains.count;
	for (i = 0; i < routing->rule_count; i++) {
		r = add_rule(c, i, &routing->rules[i], opt);
		if (r < 0)
			return rules_fail(err, &routing->rules[i].pos, r);
	}
	r = convert_outbound(&routing->fallback, opt, fallback);
	if (r == 0 && fallback->action == DAE_ACTION_MUST_RULES)
		r = -EINVAL;
	if (r < 0)
		return rules_fail(err, &routing->fallback.pos, r);
	c->t->rule_count = (uint32_t)routing->rule_count;
	r = build_tables(c);
	return r < 0 ? rules_fail(err, NULL, r) : 0;
}

static uint32_t used_dims(const struct compiler *c)
{
	static const struct {
		int sweep;
		enum dae_dim dim;
	} map[] = {
		{ SWEEP_SRC4, DAE_DIM_SRC },	{ SWEEP_SPORT, DAE_DIM_SPORT },
		{ SWEEP_DSCP, DAE_DIM_DSCP },	{ SWEEP_MAC, DAE_DIM_MAC },
		{ SWEEP_PNAME, DAE_DIM_PNAME },
	};
	uint32_t used = 1U << DAE_DIM_DST | 1U << DAE_DIM_DPORT;
	size_t i;

	for (i = 0; i < ARRAY_LEN(map); i++)
		if (c->sweeps[map[i].sweep].literal_count)
			used |= 1U << map[i].dim;
	return c->t->domains.count ? used | 1U << DAE_DIM_DOMAIN : used;
}

int rules_compile(const struct config_routing *routing,
		  const struct rules_options *opt, struct rules_image *ret,
		  struct rules_error *ret_err)
{
	struct compiler *c;
	size_t i;
	int r;

	if (routing->rule_count > DAE_RULES_MAX)
		return rules_fail(ret_err, &routing->rules[DAE_RULES_MAX].pos,
				  -E2BIG);
	c = calloc(1, sizeof(*c));
	if (!c)
		return rules_fail(ret_err, NULL, -ENOMEM);
	c->t = tables_new();
	r = c->t ? compile(c, routing, opt, ret_err)
		 : rules_fail(ret_err, NULL, -ENOMEM);
	if (r == 0) {
		c->t->used_dims = used_dims(c);
		r = tables_to_image(c->t, ret);
		if (r < 0)
			rules_fail(ret_err, NULL, r);
	}
	for (i = 0; i < SWEEP_COUNT; i++)
		sweep_clear(&c->sweeps[i]);
	rules_domain_sets_clear(&c->domains);
	tables_free(&c->t);
	free(c);
	return r;
}
