/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules compared: which came, which went, which have another place. */
#include "supervisor/core/config_diff.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"

#define NONE SIZE_MAX

static uint64_t mix(uint64_t h, const void *data, size_t len)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ b[i]) * 0x100000001b3ULL;
	return h * 0x9e3779b97f4a7c15ULL ^ h >> 32;
}

static uint64_t mix_number(uint64_t h, uint64_t n)
{
	return mix(h, &n, sizeof(n));
}

static uint64_t mix_text(uint64_t h, const char *s)
{
	return s ? mix(mix_number(h, strlen(s)), s, strlen(s))
		 : mix_number(h, UINT64_MAX);
}

static uint64_t mix_value(uint64_t h, enum rule_fn fn,
			  const struct rule_value *v)
{
	h = mix_text(mix_number(h, v->key), v->text);
	switch (fn) {
	case RULE_DIP:
	case RULE_SIP:
		if (v->key != RULE_KEY_LITERAL)
			return h;
		h = mix_number(h, (uint64_t)v->prefix.addr.family << 8 |
					  v->prefix.len);
		return mix(h, v->prefix.addr.b, sizeof(v->prefix.addr.b));
	case RULE_DPORT:
	case RULE_SPORT:
		return mix_number(h, (uint64_t)v->range.lo << 16 | v->range.hi);
	case RULE_MAC:
		return mix(h, v->mac, sizeof(v->mac));
	case RULE_L4PROTO:
	case RULE_IPVERSION:
	case RULE_DSCP:
		return mix_number(h, v->number);
	default:
		return h;
	}
}

uint64_t config_rule_identity(const struct config *c,
			      const struct config_rule *r)
{
	uint64_t h = 0xcbf29ce484222325ULL;
	char out[128];

	for (size_t i = 0; i < r->cond_count; i++) {
		const struct rule_cond *k = &r->conds[i];

		h = mix_number(h, (uint64_t)k->fn << 1 | k->negate);
		h = mix_number(h, k->value_count);
		for (size_t v = 0; v < k->value_count; v++)
			h = mix_value(h, k->fn, &k->values[v]);
	}
	return mix_text(h,
			config_outbound_format(c, &r->out, out, sizeof(out)));
}

/* What the comparison knows of each rule. */
struct side {
	const struct config *c;
	uint64_t *ids;
	size_t *match; /* its index on the other side, or NONE */
};

static bool side_make(struct side *s, const struct config *c)
{
	size_t n = c->routing.rule_count;

	s->c = c;
	s->ids = calloc(n + 1, sizeof(*s->ids));
	s->match = calloc(n + 1, sizeof(*s->match));
	if (!s->ids || !s->match)
		return false;
	for (size_t i = 0; i < n; i++) {
		s->ids[i] = config_rule_identity(c, &c->routing.rules[i]);
		s->match[i] = NONE;
	}
	return true;
}

static void side_clear(struct side *s)
{
	free(s->ids);
	free(s->match);
}

#define auto_side __attribute__((cleanup(side_clear)))

/* The first rule of @s from @from on that is @id and has no match yet. */
static size_t find_free(const struct side *s, uint64_t id)
{
	for (size_t i = 0; i < s->c->routing.rule_count; i++)
		if (s->ids[i] == id && s->match[i] == NONE)
			return i;
	return NONE;
}

static void match_rules(struct side *old, struct side *new)
{
	size_t at;

	for (size_t i = 0; i < new->c->routing.rule_count; i++) {
		at = find_free(old, new->ids[i]);
		if (at == NONE)
			continue;
		new->match[i] = at;
		old->match[at] = i;
	}
}

/*
 * Of the rules on both sides, the longest run that kept its order has not
 * moved: patience sorting. @ret_stays by index of the new side.
 */
static bool find_unmoved(const struct side *new, bool *ret_stays)
{
	size_t n = new->c->routing.rule_count, len = 0, at;
	auto_free size_t *tails = calloc(n + 1, sizeof(*tails));
	auto_free size_t *before = calloc(n + 1, sizeof(*before));

	if (!tails || !before)
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t lo = 0, hi = len;

		if (new->match[i] == NONE)
			continue;
		while (lo < hi) {
			size_t mid = (lo + hi) / 2;

			if (new->match[tails[mid]] < new->match[i])
				lo = mid + 1;
			else
				hi = mid;
		}
		before[i] = lo ? tails[lo - 1] : NONE;
		tails[lo] = i;
		len = MAX(len, lo + 1);
	}
	for (at = len ? tails[len - 1] : NONE; at != NONE; at = before[at])
		ret_stays[at] = true;
	return true;
}

/* An unmatched rule of @s with this text: the same one with other contents. */
static size_t find_text(const struct side *s, const char *text)
{
	for (size_t i = 0; i < s->c->routing.rule_count; i++)
		if (s->match[i] == NONE &&
		    strcmp(s->c->routing.rules[i].text, text) == 0)
			return i;
	return NONE;
}

static void tell_rule(struct config_diff *d, const struct side *s, size_t i,
		      enum diff_how how, const char *detail)
{
	const struct config_rule *r = &s->c->routing.rules[i];
	struct diff_entry e = {
		DIFF_RULE, how, r->text, (char *)detail, NULL, 0
	};

	config_diff_add(d, &e, s->c, &r->pos);
}

static void tell_rules(struct config_diff *d, struct side *old,
		       struct side *new, const bool *stays)
{
	char detail[64];
	size_t at;

	for (size_t i = 0; i < new->c->routing.rule_count; i++) {
		if (stays[i])
			continue;
		if (new->match[i] != NONE) {
			snprintf(detail, sizeof(detail), "%zu -> %zu",
				 new->match[i] + 1, i + 1);
			tell_rule(d, new, i, DIFF_MOVED, detail);
			continue;
		}
		at = find_text(old, new->c->routing.rules[i].text);
		if (at != NONE)
			old->match[at] = i;
		tell_rule(d, new, i, at == NONE ? DIFF_ADDED : DIFF_CHANGED,
			  at == NONE ? NULL : "other values in its lists");
	}
	for (size_t i = 0; i < old->c->routing.rule_count; i++)
		if (old->match[i] == NONE)
			tell_rule(d, old, i, DIFF_REMOVED, NULL);
}

static void diff_fallback(struct config_diff *d, const struct config *old,
			  const struct config *new)
{
	char a[128], b[128], detail[300];
	struct diff_entry e = { DIFF_FALLBACK, DIFF_CHANGED, "fallback",
				detail,	       NULL,	     0 };

	config_outbound_format(old, &old->routing.fallback, a, sizeof(a));
	config_outbound_format(new, &new->routing.fallback, b, sizeof(b));
	if (strcmp(a, b) == 0)
		return;
	snprintf(detail, sizeof(detail), "%s -> %s", a, b);
	config_diff_add(d, &e, new, &new->routing.fallback.pos);
}

void config_diff_rules(struct config_diff *d, const struct config *old,
		       const struct config *new)
{
	auto_side struct side a = { .c = NULL }, b = { .c = NULL };
	auto_free bool *stays = calloc(new->routing.rule_count + 1,
				       sizeof(*stays));

	if (!stays || !side_make(&a, old) || !side_make(&b, new)) {
		d->has_failed = true;
		return;
	}
	match_rules(&a, &b);
	if (!find_unmoved(&b, stays)) {
		d->has_failed = true;
		return;
	}
	tell_rules(d, &a, &b, stays);
	diff_fallback(d, old, new);
}
