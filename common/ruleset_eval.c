/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The twin of bpf/classify.bpf.h over a checked image. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"

#define DNS_PORT 53

static uint32_t address_class(const struct ruleset *r, const struct addr *a,
			      bool is_src)
{
	enum ruleset_section s = a->family == 4 ? (is_src ? RULESET_SRC4
							  : RULESET_DST4)
						: (is_src ? RULESET_SRC6
							  : RULESET_DST6);
	const uint32_t *root = ruleset_section(r, s, NULL);
	const struct dae_trie_node *nodes = ruleset_section(r, RULESET_NODES,
							    NULL);
	const uint32_t *runs = ruleset_section(r, RULESET_RUNS, NULL);
	size_t i = a->family == 4 ? 12 : 0;
	uint32_t e = root[a->b[i] << 8 | a->b[i + 1]];

	for (i += 2; i < 16 && e & DAE_ENTRY_CHILD; i++)
		e = runs[dae_trie_run(&nodes[e & ~DAE_ENTRY_CHILD], a->b[i])];
	return e & (DAE_CLASSES_MAX - 1);
}

static uint32_t mac_class(const struct ruleset *r, const uint8_t *mac)
{
	const struct dae_mac *m = ruleset_section(r, RULESET_MAC, NULL);
	uint64_t key = dae_mac_key(mac);
	size_t i;

	m += dae_mac_slot(key, r->h->mac_multiplier);
	for (i = 0; i < DAE_MAC_WAYS; i++)
		if (m[i].used && m[i].mac == key)
			return m[i].class_id;
	return r->h->mac_miss;
}

static uint32_t pname_class(const struct ruleset *r, const char *text)
{
	const struct dae_pname *p = ruleset_section(r, RULESET_PNAME, NULL);
	__u64 name[2];
	size_t i;

	memcpy(name, text, sizeof(name));
	p += dae_pname_slot(name, r->h->pname_multiplier, r->h->pname_shift);
	for (i = 0; i < DAE_PNAME_WAYS; i++)
		if (p[i].used && p[i].name[0] == name[0] &&
		    p[i].name[1] == name[1])
			return p[i].class_id;
	return r->h->pname_miss;
}

struct ruleset_domains ruleset_domains(const struct ruleset *r)
{
	struct ruleset_domains d = { .rule_count = r->h->rule_count };

	d.items = ruleset_section(r, RULESET_DOMAINS, &d.count);
	return d;
}

void ruleset_domain_rules(const struct ruleset_domains *d,
			  const struct dae_bitmap *sets,
			  struct dae_bitmap *ret_rules)
{
	const struct dae_domain *c = d->items;
	uint32_t i;
	bool is_hit;

	for (i = 0; i < DAE_BITMAP_WORDS; i++)
		ret_rules->w[i] = ruleset_word_of(d->rule_count, i);
	for (i = 0; i < d->count; i++, c++) {
		is_hit = sets->w[c->set / 64] >> c->set % 64 & 1;
		if (is_hit == c->negate)
			ret_rules->w[c->rule / 64] &= ~(1ULL << c->rule % 64);
	}
}

static void find_classes(const struct ruleset *r, const struct ruleset_query *q,
			 uint32_t *c)
{
	uint32_t udp = q->l4proto == IPPROTO_UDP;
	const uint16_t *t;

	c[DAE_DIM_DST] = address_class(r, &q->dst, false);
	c[DAE_DIM_SRC] = address_class(r, &q->src, true);
	t = ruleset_section(r, RULESET_DPORT, NULL);
	c[DAE_DIM_DPORT] = t[udp << 16 | q->dport];
	t = ruleset_section(r, RULESET_SPORT, NULL);
	c[DAE_DIM_SPORT] = t[q->sport];
	t = ruleset_section(r, RULESET_DSCP, NULL);
	c[DAE_DIM_DSCP] = t[q->dscp & 63];
	c[DAE_DIM_MAC] = mac_class(r, q->mac);
	c[DAE_DIM_PNAME] = pname_class(r, q->pname);
	c[DAE_DIM_DOMAIN] = r->h->domain_miss;
}

/* First rule in all bitmaps; must_rules on the way are noted. @named: the row
 * of the address's names, NULL: none learned. */
static int first_rule(const struct ruleset *r, const uint32_t *c,
		      const struct dae_bitmap *named, bool *ret_must)
{
	const struct dae_bitmap *rows, *must;
	uint64_t w, m;
	uint32_t count, i, d;

	rows = ruleset_section(r, RULESET_BITMAPS, &count);
	must = ruleset_section(r, RULESET_MUST_MASK, NULL);
	*ret_must = false;
	for (d = 0; d < DAE_DIM_COUNT; d++)
		if (c[d] >= r->h->class_count[d])
			return DAE_RULE_FALLBACK;
	for (i = 0; i < r->h->word_count; i++) {
		w = named ? named->w[i] : ~0ULL;
		for (d = 0; d < (named ? DAE_DIM_DOMAIN : DAE_DIM_COUNT); d++)
			w &= rows[r->h->class_base[d] + c[d]].w[i];
		m = w & must->w[i];
		w &= ~m;
		if (w) {
			*ret_must |= (m & ((w & -w) - 1)) != 0;
			return (int)(i * 64) + __builtin_ctzll(w);
		}
		*ret_must |= m != 0;
	}
	return DAE_RULE_FALLBACK;
}

int ruleset_eval(const struct ruleset *r, const struct ruleset_query *q,
		 struct ruleset_verdict *ret)
{
	const struct dae_rule *rule = ruleset_section(r, RULESET_RULES, NULL);
	const struct ruleset_domains d = ruleset_domains(r);
	uint32_t classes[DAE_DIM_COUNT];
	struct dae_bitmap named;
	struct ruleset_verdict v = { 0 };

	if (q->src.family != q->dst.family ||
	    (q->src.family != 4 && q->src.family != 6) ||
	    (q->l4proto != IPPROTO_TCP && q->l4proto != IPPROTO_UDP))
		return -EINVAL;
	find_classes(r, q, classes);
	if (q->domain_sets)
		ruleset_domain_rules(&d, q->domain_sets, &named);
	v.rule = (uint16_t)first_rule(r, classes,
				      q->domain_sets ? &named : NULL, &v.must);
	rule += v.rule;
	v.action = rule->action;
	v.group = rule->group;
	v.must |= (rule->flags & DAE_RULE_MUST) != 0;
	v.has_mark = (rule->flags & DAE_RULE_HAS_MARK) != 0;
	v.mark = rule->mark;
	v.is_dns = q->dport == DNS_PORT && !v.must;
	*ret = v;
	return 0;
}
