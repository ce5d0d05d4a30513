/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rules/domains.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/ruleset.h"

static bool is_same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool is_same_list(const struct rule_cond *a, const struct rule_cond *b)
{
	size_t i;

	if (a->value_count != b->value_count)
		return false;
	for (i = 0; i < a->value_count; i++)
		if (a->values[i].key != b->values[i].key ||
		    !is_same_text(a->values[i].text, b->values[i].text))
			return false;
	return true;
}

int rules_domain_set_of(const struct rules_domain_sets *sets,
			const struct rule_cond *cond)
{
	size_t i;

	for (i = 0; i < sets->count; i++)
		if (is_same_list(sets->conds[i], cond))
			return (int)i;
	return -ENOENT;
}

int rules_domain_sets(const struct config_routing *routing,
		      struct rules_domain_sets *ret,
		      struct rules_error *ret_err)
{
	struct rules_domain_sets s = { 0 };
	const struct config_rule *rule;
	size_t i, k;

	s.conds = calloc(DAE_DOMAIN_SETS_MAX, sizeof(*s.conds));
	if (!s.conds)
		return rules_fail(ret_err, NULL, -ENOMEM);
	for (i = 0; i < routing->rule_count; i++) {
		rule = &routing->rules[i];
		for (k = 0; k < rule->cond_count; k++) {
			if (rule->conds[k].fn != RULE_DOMAIN ||
			    rules_domain_set_of(&s, &rule->conds[k]) >= 0)
				continue;
			if (s.count == DAE_DOMAIN_SETS_MAX) {
				rules_domain_sets_clear(&s);
				return rules_fail(ret_err, &rule->conds[k].pos,
						  -EDOM);
			}
			s.conds[s.count++] = &rule->conds[k];
		}
	}
	*ret = s;
	return 0;
}

void rules_domain_sets_clear(struct rules_domain_sets *sets)
{
	free(sets->conds);
	*sets = (struct rules_domain_sets){ 0 };
}

int domains_add(struct domains *d, const struct rules_domain_sets *sets,
		uint16_t rule, const struct rule_cond *cond)
{
	struct dae_domain new = { .rule = rule, .negate = cond->negate }, *p;
	int set = rules_domain_set_of(sets, cond);
	uint32_t want, i;

	if (set < 0)
		return -EINVAL;
	new.set = (uint16_t)set;
	for (i = d->count; i > 0 && d->items[i - 1].rule == rule; i--)
		if (memcmp(&d->items[i - 1], &new, sizeof(new)) == 0)
			return 0;
	if (d->count == RULESET_DOMAINS_MAX)
		return -EOVERFLOW;
	if (d->count == d->capacity) {
		want = d->capacity ? d->capacity * 2 : 64;
		p = reallocarray(d->items, want, sizeof(*p));
		if (!p)
			return -ENOMEM;
		d->items = p;
		d->capacity = want;
	}
	d->items[d->count++] = new;
	return 0;
}

void domains_miss(const struct domains *d, struct dae_bitmap *rules)
{
	uint32_t i;

	for (i = 0; i < d->count; i++)
		if (!d->items[i].negate)
			rules->w[d->items[i].rule / 64] &= ~(
				1ULL << d->items[i].rule % 64);
}

void domains_clear(struct domains *d)
{
	free(d->items);
	*d = (struct domains){ 0 };
}
