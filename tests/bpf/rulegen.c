/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/bpf/rulegen.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/rules/rules.h"

uint32_t rulegen_random(struct rulegen *g, uint32_t below)
{
	g->state = g->state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)((g->state >> 33) % below);
}

static void random_addr(struct rulegen *g, struct addr *a, uint8_t family)
{
	size_t i;

	memset(a, 0, sizeof(*a));
	a->family = family;
	if (family == 4) {
		a->b[10] = a->b[11] = 0xff;
		/* few first bytes, so that prefixes overlap; none special */
		a->b[12] = (uint8_t)(11 + rulegen_random(g, 20));
		a->b[13] = (uint8_t)rulegen_random(g, 8);
		a->b[14] = (uint8_t)rulegen_random(g, 256);
		a->b[15] = (uint8_t)rulegen_random(g, 256);
		return;
	}
	a->b[0] = 0x20;
	a->b[1] = (uint8_t)(1 + rulegen_random(g, 4));
	for (i = 2; i < 16; i++)
		a->b[i] = (uint8_t)rulegen_random(g, i < 8 ? 3 : 256);
}

static void random_prefix(struct rulegen *g, struct prefix *p)
{
	uint8_t family = rulegen_random(g, 4) ? 4 : 6;
	unsigned int i, from = family == 4 ? 96 : 0;

	random_addr(g, &p->addr, family);
	p->len = (uint8_t)(family == 4		  ? 13 + rulegen_random(g, 20)
			   : rulegen_random(g, 8) ? 24 + rulegen_random(g, 41)
						  : 65 + rulegen_random(g, 64));
	for (i = from + p->len; i < 128; i++)
		p->addr.b[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
}

static void random_mac(struct rulegen *g, uint8_t *mac)
{
	memset(mac, 0, 6);
	mac[0] = 2;
	mac[5] = (uint8_t)rulegen_random(g, 40);
}

/* Shorter and longer than what counts; two differ behind that only. */
static char process_names[][24] = {
	"curl", "ssh",	"systemd-resolved", "systemd-resolvedX",
	"a",	"chro", "exactly16letters", "exactly16lettersandmore",
};
static char labels[RULEGEN_LABELS][4];

static char *random_label(struct rulegen *g)
{
	uint32_t i = rulegen_random(g, RULEGEN_LABELS);

	labels[i][0] = 'n';
	labels[i][1] = (char)('0' + i / 10);
	labels[i][2] = (char)('0' + i % 10);
	return labels[i];
}

static char *random_process(struct rulegen *g)
{
	return process_names[rulegen_random(g, ARRAY_LEN(process_names))];
}

static void random_value(struct rulegen *g, enum rule_fn fn,
			 struct rule_value *v)
{
	uint32_t span;

	switch (fn) {
	case RULE_DIP:
	case RULE_SIP:
		random_prefix(g, &v->prefix);
		break;
	case RULE_DPORT:
	case RULE_SPORT:
		span = rulegen_random(g, 3) ? 1 : 200;
		v->range.lo = (uint16_t)(rulegen_random(g, 5000));
		v->range.hi = (uint16_t)(v->range.lo + rulegen_random(g, span));
		break;
	case RULE_MAC:
		random_mac(g, v->mac);
		break;
	case RULE_DSCP:
		v->number = (uint8_t)rulegen_random(g, 64);
		break;
	case RULE_L4PROTO:
		v->number = rulegen_random(g, 2) ? IPPROTO_TCP : IPPROTO_UDP;
		break;
	case RULE_IPVERSION:
		v->number = rulegen_random(g, 2) ? 4 : 6;
		break;
	case RULE_PNAME:
		v->text = random_process(g);
		break;
	case RULE_DOMAIN:
		v->key = RULE_KEY_SUFFIX;
		v->text = random_label(g);
		break;
	case RULE_FN_COUNT:
		break;
	}
}

static void random_cond(struct rulegen *g, struct rule_cond *c, enum rule_fn fn,
			size_t values, bool negate)
{
	size_t i;

	c->fn = fn;
	c->negate = negate;
	c->value_count = values;
	c->values = calloc(values, sizeof(*c->values));
	if (!c->values)
		abort();
	for (i = 0; i < values; i++)
		random_value(g, fn, &c->values[i]);
}

static void random_outbound(struct rulegen *g, struct rule_outbound *o,
			    bool may_chain)
{
	uint32_t n = rulegen_random(g, may_chain ? 20 : 18);

	o->action = n < 6    ? RULE_DIRECT
		    : n < 9  ? RULE_BLOCK
		    : n < 18 ? RULE_GROUP
			     : RULE_MUST_RULES;
	o->group = rulegen_random(g, RULEGEN_GROUPS);
	o->must = rulegen_random(g, 3) == 0;
	o->has_mark = o->action == RULE_DIRECT && rulegen_random(g, 2);
	o->mark = o->has_mark ? 0x100 + rulegen_random(g, 64) : 0;
}

static void random_rule(struct rulegen *g, struct config_rule *r,
			enum rulegen_kind kind)
{
	static const enum rule_fn mix[] = {
		RULE_DIP,
		RULE_DIP,
		RULE_DIP,
		RULE_DPORT,
		RULE_DPORT,
		RULE_SIP,
		RULE_MAC,
		RULE_DSCP,
		RULE_SPORT,
		/* never alone: they would leave nothing to later rules */
		RULE_L4PROTO,
		RULE_IPVERSION,
		RULE_DOMAIN,
		RULE_PNAME,
	};
	size_t i;
	bool negate;

	r->cond_count = kind == RULEGEN_MIX ? 1 + rulegen_random(g, 3) : 1;
	r->conds = calloc(r->cond_count, sizeof(*r->conds));
	if (!r->conds)
		abort();
	for (i = 0; i < r->cond_count; i++) {
		negate = kind == RULEGEN_MIX && i > 0 &&
			 rulegen_random(g, 4) == 0;
		random_cond(g, &r->conds[i],
			    kind == RULEGEN_PORT ? RULE_DPORT
			    : kind == RULEGEN_IP
				    ? RULE_DIP
				    : mix[rulegen_random(g, i ? ARRAY_LEN(mix)
							      : 9)],
			    kind == RULEGEN_IP ? 8 : 1 + rulegen_random(g, 4),
			    negate);
	}
	random_outbound(g, &r->out, kind == RULEGEN_MIX);
}

/* Each domain condition keeps the number of its set. */
static void number_sets(struct rulegen *g)
{
	struct rules_domain_sets sets;
	struct rules_error err;
	struct rule_cond *c;
	size_t i, k;

	if (rules_domain_sets(&g->routing, &sets, &err) < 0)
		abort();
	for (i = 0; i < g->routing.rule_count; i++)
		for (k = 0; k < g->routing.rules[i].cond_count; k++) {
			c = &g->routing.rules[i].conds[k];
			if (c->fn == RULE_DOMAIN)
				c->values[0].range.lo = (uint16_t)
					rules_domain_set_of(&sets, c);
		}
	rules_domain_sets_clear(&sets);
}

void rulegen_make(struct rulegen *g, enum rulegen_kind kind, size_t rules,
		  uint64_t seed)
{
	size_t i;

	*g = (struct rulegen){ .state = seed };
	g->routing.rule_count = rules;
	g->routing.rules = calloc(rules + 1, sizeof(*g->routing.rules));
	if (!g->routing.rules)
		abort();
	for (i = 0; i < rules; i++)
		random_rule(g, &g->routing.rules[i], kind);
	random_outbound(g, &g->routing.fallback, false);
	number_sets(g);
}

void rulegen_free(struct rulegen *g)
{
	size_t i, k;

	for (i = 0; i < g->routing.rule_count; i++) {
		for (k = 0; k < g->routing.rules[i].cond_count; k++)
			free(g->routing.rules[i].conds[k].values);
		free(g->routing.rules[i].conds);
	}
	free(g->routing.rules);
	g->routing = (struct config_routing){ 0 };
}

/* An address inside @p. */
static void address_in(struct rulegen *g, const struct prefix *p,
		       struct addr *ret)
{
	unsigned int i, from = p->addr.family == 4 ? 96 : 0;

	*ret = p->addr;
	for (i = from + p->len; i < 128; i++)
		if (rulegen_random(g, 2))
			ret->b[i / 8] |= (uint8_t)(0x80 >> i % 8);
}

static void aim_at(struct rulegen *g, const struct rule_cond *c,
		   struct ruleset_query *q)
{
	const struct rule_value *v =
		&c->values[rulegen_random(g, (uint32_t)c->value_count)];

	switch (c->fn) {
	case RULE_DIP:
		address_in(g, &v->prefix, &q->dst);
		break;
	case RULE_SIP:
		address_in(g, &v->prefix, &q->src);
		break;
	case RULE_DPORT:
		q->dport = v->range.lo;
		break;
	case RULE_SPORT:
		q->sport = v->range.hi;
		break;
	case RULE_DSCP:
		q->dscp = v->number;
		break;
	case RULE_MAC:
		memcpy(q->mac, v->mac, 6);
		break;
	case RULE_L4PROTO:
		q->l4proto = v->number;
		break;
	case RULE_PNAME:
		memset(q->pname, 0, sizeof(q->pname));
		memcpy(q->pname, v->text, strnlen(v->text, sizeof(q->pname)));
		break;
	case RULE_DOMAIN:
		g->sets.w[c->values[0].range.lo / 64] |=
			1ULL << c->values[0].range.lo % 64;
		q->domain_sets = &g->sets;
		break;
	default:
		break;
	}
}

/* What is learned of an address: nothing, or that it is in some sets. */
static void random_sets(struct rulegen *g, struct ruleset_query *q)
{
	size_t i;

	memset(&g->sets, 0, sizeof(g->sets));
	if (rulegen_random(g, 3))
		return;
	q->domain_sets = &g->sets;
	for (i = rulegen_random(g, 12); i > 0; i--)
		g->sets.w[rulegen_random(g, 4)] |= 1ULL
						   << rulegen_random(g, 64);
}

void rulegen_query(struct rulegen *g, struct ruleset_query *ret)
{
	const struct config_rule *rule;
	uint8_t family = rulegen_random(g, 3) ? 4 : 6;
	size_t i;

	memset(ret, 0, sizeof(*ret));
	random_addr(g, &ret->src, family);
	random_addr(g, &ret->dst, family);
	ret->sport = (uint16_t)(1 + rulegen_random(g, 6000));
	ret->dport = (uint16_t)(rulegen_random(g, 20)
					? 1 + rulegen_random(g, 6000)
					: 53);
	ret->l4proto = rulegen_random(g, 2) ? IPPROTO_TCP : IPPROTO_UDP;
	ret->dscp = (uint8_t)rulegen_random(g, 64);
	if (rulegen_random(g, 4))
		random_mac(g, ret->mac);
	if (rulegen_random(g, 2))
		memcpy(ret->pname, random_process(g), sizeof(ret->pname));
	random_sets(g, ret);
	if (!g->routing.rule_count || rulegen_random(g, 5) == 0)
		return;
	rule = &g->routing.rules[rulegen_random(
		g, (uint32_t)g->routing.rule_count)];
	for (i = 0; i < rule->cond_count; i++)
		aim_at(g, &rule->conds[i], ret);
	if (ret->src.family != ret->dst.family)
		random_addr(g, &ret->src, ret->dst.family);
}

void rulegen_query_lan(struct rulegen *g, struct ruleset_query *ret)
{
	rulegen_query(g, ret);
	memset(ret->pname, 0, sizeof(ret->pname));
	ret->domain_sets = NULL;
}

static bool value_holds(enum rule_fn fn, const struct rule_value *v,
			const struct ruleset_query *q)
{
	switch (fn) {
	case RULE_DIP:
		return prefix_contains(&v->prefix, &q->dst);
	case RULE_SIP:
		return prefix_contains(&v->prefix, &q->src);
	case RULE_DPORT:
		return v->range.lo <= q->dport && q->dport <= v->range.hi;
	case RULE_SPORT:
		return v->range.lo <= q->sport && q->sport <= v->range.hi;
	case RULE_L4PROTO:
		return v->number == q->l4proto;
	case RULE_IPVERSION:
		return v->number == q->dst.family;
	case RULE_MAC:
		return memcmp(v->mac, q->mac, 6) == 0;
	case RULE_DSCP:
		return v->number == q->dscp;
	case RULE_PNAME:
		return q->pname[0] &&
		       strncmp(v->text, q->pname, sizeof(q->pname)) == 0;
	default:
		return false;
	}
}

static bool cond_holds(const struct rule_cond *c, const struct ruleset_query *q)
{
	static const uint8_t no_mac[6];
	bool any = c->fn == RULE_MAC && c->negate &&
		   memcmp(q->mac, no_mac, 6) == 0;
	uint16_t set = c->values[0].range.lo;
	size_t i;

	if (c->fn == RULE_DOMAIN)
		any = q->domain_sets &&
		      q->domain_sets->w[set / 64] >> set % 64 & 1;
	for (i = 0; i < c->value_count; i++)
		any |= value_holds(c->fn, &c->values[i], q);
	return any != c->negate;
}

static void conclude(const struct rule_outbound *o, size_t rule, bool must,
		     const struct ruleset_query *q, struct ruleset_verdict *ret)
{
	*ret = (struct ruleset_verdict){
		.rule = (uint16_t)rule,
		.action = o->action == RULE_DIRECT  ? DAE_ACTION_DIRECT
			  : o->action == RULE_BLOCK ? DAE_ACTION_BLOCK
						    : DAE_ACTION_GROUP,
		.group = o->action == RULE_GROUP ? (uint16_t)o->group : 0,
		.must = must || o->must,
		.has_mark = o->has_mark,
		.mark = o->mark,
	};
	ret->is_dns = q->dport == 53 && !ret->must;
}

void rulegen_oracle(const struct config_routing *routing,
		    const struct ruleset_query *q, struct ruleset_verdict *ret)
{
	const struct config_rule *r;
	bool must = false, holds;
	size_t i, k;

	for (i = 0; i < routing->rule_count; i++) {
		r = &routing->rules[i];
		for (holds = true, k = 0; k < r->cond_count; k++)
			holds &= cond_holds(&r->conds[k], q);
		if (!holds)
			continue;
		if (r->out.action != RULE_MUST_RULES) {
			conclude(&r->out, i, must, q, ret);
			return;
		}
		must = true;
	}
	conclude(&routing->fallback, DAE_RULE_FALLBACK, must, q, ret);
}
