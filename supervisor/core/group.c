/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

static const char *const reason_names[] = {
	[SELECT_NONE] = "none",	    [SELECT_FIRST] = "first",
	[SELECT_DOWN] = "down",	    [SELECT_LATENCY] = "latency",
	[SELECT_ORDER] = "order",   [SELECT_ADMIN] = "admin",
	[SELECT_MANUAL] = "manual", [SELECT_LOST] = "lost",
};
static_assert(ARRAY_LEN(reason_names) == SELECT_REASON_COUNT, "name it");

const char *select_reason_name(unsigned int r)
{
	return r < SELECT_REASON_COUNT ? reason_names[r] : "?";
}

int group_init(struct group *g, const struct config_group *c,
	       const uint32_t *targets, uint64_t tolerance_ns)
{
	size_t len = strlen(c->name);

	memset(g, 0, sizeof(*g));
	if (c->member_count >= GROUP_NONE)
		return -EINVAL;
	memcpy(g->name, c->name, MIN(len, sizeof(g->name) - 1));
	g->policy = c->policy;
	g->fixed_index = c->fixed_index;
	g->on_all_dead = c->on_all_dead;
	g->tolerance_us = (int64_t)(tolerance_ns / NS_PER_US);
	g->is_used = c->is_used;
	g->manual = GROUP_NONE;
	for (unsigned int i = 0; i < GROUP_SELS; i++) {
		g->sel[i].member = g->sel[i].last = GROUP_NONE;
		g->sel[i].score_us = INT64_MAX;
	}
	g->members = calloc(MAX(c->member_count, 1UL), sizeof(*g->members));
	if (!g->members)
		return -ENOMEM;
	for (size_t i = 0; i < c->member_count; i++) {
		g->members[i].target = targets[c->members[i].node];
		g->members[i].add_latency_us = c->members[i].add_latency_ns /
					       (int64_t)NS_PER_US;
	}
	g->member_count = (uint32_t)c->member_count;
	return 0;
}

void group_fini(struct group *g)
{
	free(g->members);
	g->members = NULL;
	g->member_count = 0;
}

static uint32_t member_of(const struct group *g, uint32_t target)
{
	for (uint32_t i = 0; i < g->member_count; i++) {
		if (g->members[i].target == target)
			return i;
	}
	return GROUP_NONE;
}

static uint32_t target_of(const struct group *g, uint32_t member)
{
	return member == GROUP_NONE ? TARGET_NONE : g->members[member].target;
}

void group_inherit(struct group *g, const struct group *old,
		   const struct target_table *targets)
{
	for (unsigned int i = 0; i < GROUP_SELS; i++) {
		uint32_t t = target_of(old, old->sel[i].member);
		uint32_t last = target_of(old, old->sel[i].last);

		g->sel[i].last = member_of(g, last);
		g->sel[i].member = member_of(g, t);
		if (g->sel[i].member == GROUP_NONE ||
		    !target_table_get(targets, t))
			continue;
		g->sel[i].since_ns = old->sel[i].since_ns;
		g->sel[i].reason = old->sel[i].reason;
	}
	if (old->manual != GROUP_NONE)
		g->manual = member_of(g, target_of(old, old->manual));
	g->epoch = old->epoch + 1;
}

static int usability(const struct group *g, uint32_t member, unsigned int sel,
		     const struct target_table *targets)
{
	const struct target *t = target_table_get(targets,
						  target_of(g, member));

	if (!t)
		return 0;
	if (g->policy == POLICY_FIXED && g->on_all_dead == ALL_DEAD_UNSET)
		return t->is_unsupported ? 0 : 2; /* dae: health ignored */
	return target_usability(t, sel);
}

/* What @us stands for while failures in a row have not yet brought it down:
 * each makes it look as much slower again. */
static int64_t with_failures(uint32_t us, unsigned int failures)
{
	return (int64_t)us * (1 + MIN(failures, 100U));
}

int64_t group_score_us(const struct group *g, uint32_t member, unsigned int sel,
		       const struct target_table *targets)
{
	const struct target *t = target_table_get(targets,
						  target_of(g, member));
	const struct health *h;
	uint32_t us;

	if (!t || !t->checks[sel].is_used)
		return INT64_MAX;
	h = &t->checks[sel].health;
	switch (g->policy) {
	case POLICY_MIN:
		us = health_last_us(h);
		break;
	case POLICY_MIN_AVG10:
		us = health_avg10_us(h);
		break;
	default:
		us = health_moving_us(h);
		break;
	}
	if (us == 0)
		return INT64_MAX;
	return with_failures(us, h->streak_fail) +
	       g->members[member].add_latency_us;
}

/* Better usability first, then the score; equal ones keep their order. */
static bool is_better(int use_a, int64_t score_a, int use_b, int64_t score_b)
{
	return use_a != use_b ? use_a > use_b : score_a < score_b;
}

static bool is_ranked_by_score(const struct group *g)
{
	return g->policy == POLICY_MIN || g->policy == POLICY_MIN_AVG10 ||
	       g->policy == POLICY_MIN_MOVING_AVG;
}

static uint32_t best_by_score(const struct group *g, unsigned int sel,
			      const struct target_table *targets)
{
	uint32_t best = GROUP_NONE;
	int64_t best_score = INT64_MAX;
	int best_use = 0;

	for (uint32_t i = 0; i < g->member_count; i++) {
		int use = usability(g, i, sel, targets);
		int64_t score = group_score_us(g, i, sel, targets);

		if (use && is_better(use, score, best_use, best_score)) {
			best = i;
			best_use = use;
			best_score = score;
		}
	}
	return best;
}

static uint32_t first_usable(const struct group *g, unsigned int sel,
			     const struct target_table *targets)
{
	uint32_t maybe = GROUP_NONE;

	for (uint32_t i = 0; i < g->member_count; i++) {
		int use = usability(g, i, sel, targets);

		if (use == 2)
			return i;
		if (use == 1 && maybe == GROUP_NONE)
			maybe = i;
	}
	return maybe;
}

static enum select_reason reason_for_leaving(const struct group *g,
					     uint32_t member,
					     const struct target_table *targets)
{
	const struct target *t = target_table_get(targets,
						  target_of(g, member));

	if (t && (t->admin == ADMIN_DRAIN || t->admin == ADMIN_MAINT))
		return SELECT_ADMIN;
	return SELECT_DOWN;
}

/* Switch for latency only if the gain is real and at least the tolerance. */
static bool is_worth_it(int64_t now_us, int64_t new_us, int64_t tolerance_us)
{
	if (new_us == INT64_MAX)
		return false;
	if (now_us == INT64_MAX)
		return true;
	return new_us < now_us && new_us <= now_us - tolerance_us;
}

static uint32_t choose_by_score(const struct group *g, unsigned int sel,
				const struct target_table *targets,
				enum select_reason *ret)
{
	uint32_t now = g->sel[sel].member, best;
	int64_t now_score, best_score;

	best = best_by_score(g, sel, targets);
	if (best == GROUP_NONE || best == now)
		return best;
	if (now == GROUP_NONE || usability(g, now, sel, targets) == 0)
		return best;
	now_score = group_score_us(g, now, sel, targets);
	best_score = group_score_us(g, best, sel, targets);
	if (usability(g, best, sel, targets) >
		    usability(g, now, sel, targets) ||
	    is_worth_it(now_score, best_score, g->tolerance_us)) {
		*ret = SELECT_LATENCY;
		return best;
	}
	return now;
}

static uint32_t choose_in_order(const struct group *g, unsigned int sel,
				const struct target_table *targets,
				enum select_reason *ret)
{
	uint32_t now = g->sel[sel].member;
	uint32_t first = first_usable(g, sel, targets);
	int use_now = now == GROUP_NONE ? 0 : usability(g, now, sel, targets);

	if (use_now == 0)
		return first;
	/* sticky and random stay; nobody leaves one that works for a guess */
	if (g->policy != POLICY_FALLBACK ||
	    usability(g, first, sel, targets) < use_now) {
		if (use_now == 2 || usability(g, first, sel, targets) < 2)
			return now;
	}
	*ret = SELECT_ORDER;
	return first;
}

static uint32_t choose(const struct group *g, unsigned int sel,
		       const struct target_table *targets,
		       enum select_reason *ret)
{
	uint32_t now = g->sel[sel].member;

	*ret = now == GROUP_NONE ? SELECT_FIRST
				 : reason_for_leaving(g, now, targets);
	if (g->manual != GROUP_NONE &&
	    usability(g, g->manual, sel, targets) > 0) {
		*ret = SELECT_MANUAL;
		return g->manual;
	}
	if (g->policy == POLICY_FIXED) {
		if (g->fixed_index < g->member_count &&
		    usability(g, g->fixed_index, sel, targets) > 0)
			return g->fixed_index;
		return GROUP_NONE;
	}
	if (is_ranked_by_score(g))
		return choose_by_score(g, sel, targets, ret);
	return choose_in_order(g, sel, targets, ret);
}

size_t group_evaluate(struct group *g, const struct target_table *targets,
		      uint64_t now_ns, struct group_change *ret)
{
	size_t n = 0;

	for (unsigned int i = 0; i < GROUP_SELS; i++) {
		struct group_sel *s = &g->sel[i];
		enum select_reason why;
		uint32_t to = choose(g, i, targets, &why);

		s->score_us = to == GROUP_NONE
				      ? INT64_MAX
				      : group_score_us(g, to, i, targets);
		if (to == s->member)
			continue;
		if (to == GROUP_NONE)
			why = SELECT_LOST;
		ret[n++] = (struct group_change){ i, target_of(g, s->member),
						  target_of(g, to), why };
		s->member = to;
		if (to != GROUP_NONE)
			s->last = to;
		s->since_ns = now_ns;
		s->reason = why;
		g->epoch++;
	}
	return n;
}

int group_select(struct group *g, uint32_t target)
{
	uint32_t member = GROUP_NONE;

	if (target != TARGET_NONE) {
		member = member_of(g, target);
		if (member == GROUP_NONE)
			return -ENOENT;
	}
	g->manual = member;
	return 0;
}

uint32_t group_selected(const struct group *g, unsigned int sel)
{
	return target_of(g, g->sel[sel].member);
}

struct ranked {
	uint32_t member;
	int use;
	int64_t score;
	uint64_t order;
};

static int compare_ranked(const void *a, const void *b)
{
	const struct ranked *x = a, *y = b;

	if (x->use != y->use)
		return x->use > y->use ? -1 : 1;
	if (x->score != y->score)
		return x->score < y->score ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/*
 * Keep the GROUP_CANDIDATES best of any number, sorted. Only order decides for
 * policies that do not look at latency.
 */
static uint32_t rank_members(const struct group *g, unsigned int sel,
			     const struct target_table *targets,
			     struct ranked *top)
{
	bool by_score = is_ranked_by_score(g);
	uint32_t n = 0;

	for (uint32_t i = 0; i < g->member_count; i++) {
		struct ranked r = { .member = i, .order = i };

		if (i == g->sel[sel].member ||
		    (g->policy == POLICY_FIXED && i != g->fixed_index))
			continue;
		r.use = usability(g, i, sel, targets);
		r.score = by_score ? group_score_us(g, i, sel, targets) : 0;
		if (n < GROUP_CANDIDATES - 1)
			n++;
		else if (compare_ranked(&r, &top[n - 1]) >= 0)
			continue;
		top[n - 1] = r;
		for (uint32_t k = n - 1;
		     k > 0 && compare_ranked(&top[k], &top[k - 1]) < 0; k--)
			SWAP(top[k], top[k - 1]);
	}
	return n;
}

static void add_candidate(const struct group *g, uint32_t member, bool alive,
			  struct group_candidates *ret)
{
	if (alive)
		ret->alive |= 1ULL << ret->count;
	ret->targets[ret->count++] = target_of(g, member);
}

/* The one last in use has a place, wherever it ranks. */
static void add_last(uint32_t last, struct group_candidates *ret)
{
	if (last == TARGET_NONE)
		return; /* there never was one: blocked */
	ret->dead = ALL_DEAD_LAST;
	for (uint32_t i = 0; i < ret->count; i++) {
		ret->last = i;
		if (ret->targets[i] == last)
			return;
	}
	if (ret->count < GROUP_CANDIDATES)
		ret->last = ret->count++;
	ret->targets[ret->last] = last;
	ret->alive &= ~(1ULL << ret->last);
}

void group_candidates(const struct group *g, unsigned int sel,
		      const struct target_table *targets,
		      struct group_candidates *ret)
{
	struct ranked top[GROUP_CANDIDATES];
	uint32_t first = g->sel[sel].member;
	bool sure = first != GROUP_NONE &&
		    usability(g, first, sel, targets) == 2;
	uint32_t n = rank_members(g, sel, targets, top);

	memset(ret, 0, sizeof(*ret));
	ret->is_random = g->policy == POLICY_RANDOM && g->manual == GROUP_NONE;
	ret->dead = g->on_all_dead == ALL_DEAD_DIRECT ? ALL_DEAD_DIRECT
						      : ALL_DEAD_BLOCK;
	if (first != GROUP_NONE)
		add_candidate(g, first, true, ret);
	for (uint32_t i = 0; i < n; i++) {
		/* where some are known to be up, guesses are not an option */
		bool alive = top[i].use == 2 || (top[i].use == 1 && !sure);

		add_candidate(g, top[i].member, alive, ret);
	}
	if (g->on_all_dead == ALL_DEAD_LAST)
		add_last(target_of(g, g->sel[sel].last), ret);
}
