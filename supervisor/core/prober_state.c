/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What results and time do to targets, groups and the offline gate. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/core/prober_private.h"

#define STRETCH_GAP_NS (60 * NS_PER_S)
#define KICK_GAP_NS (10 * NS_PER_S)
#define STATS_GAP_NS (NS_PER_S / 2)
#define HOT_CANDIDATES 3
#define DAY_S 86400ULL

static const char *name_or_none(const struct prober *p, uint32_t target)
{
	const struct target *t = target_table_get(p->targets, target);

	return t ? t->name : "none";
}

static struct event_time event_time_of(const struct prober_now *now)
{
	return (struct event_time){
		.mono_ns = now->mono_ns,
		.wall_ms = now->wall_s * 1000 + now->wall_rest_ms,
	};
}

void prober_event(struct prober *p, enum event_kind kind,
		  const struct prober_now *now, const struct target *t,
		  const char *text)
{
	struct event_time at = event_time_of(now);

	event_record(p->events, kind, &at, t ? t->index : TARGET_NONE,
		     t ? t->name : "", text);
}

static bool is_up_somewhere(const struct target *t)
{
	for (unsigned int k = 0; k < TARGET_CHECKS; k++) {
		if (t->checks[k].is_used &&
		    t->checks[k].health.verdict == VERDICT_UP)
			return true;
	}
	return false;
}

void prober_refresh(struct prober *p, struct target *t,
		    const struct prober_now *now)
{
	enum node_state before = t->state;
	char text[EVENT_TEXT_MAX];

	t->is_quarantined = quarantine_is_held(p->quarantine, t->identity,
					       now->mono_ns);
	for (unsigned int k = 0; k < TARGET_CHECKS; k++)
		schedule_hold(p->schedule, target_check_id(t->index, k),
			      !target_is_probed(t), now->mono_ns);
	offline_set_witness(p->offline, t->index,
			    target_is_probed(t) && is_up_somewhere(t),
			    t->kind == TARGET_DIRECT);
	if (!target_update_state(t, now->mono_ns))
		return;
	p->groups_dirty = true;
	snprintf(text, sizeof(text), "%s -> %s", node_state_name(before),
		 node_state_name(t->state));
	prober_event(p, EVENT_NODE_STATE, now, t, text);
}

static void tell_verdict(struct prober *p, const struct target *t,
			 const struct target_check *c, enum verdict before,
			 const struct prober_now *now)
{
	const struct health *h = &c->health;
	char text[EVENT_TEXT_MAX];

	if (h->verdict == VERDICT_DOWN)
		snprintf(text, sizeof(text), "%s/%u: %s -> down: %s%s%s",
			 check_class_name(c->cls), c->family,
			 verdict_name(before),
			 outcome_text(h->last_error.outcome),
			 h->last_detail[0] ? ": " : "", h->last_detail);
	else
		snprintf(text, sizeof(text), "%s/%u: %s -> %s",
			 check_class_name(c->cls), c->family,
			 verdict_name(before), verdict_name(h->verdict));
	prober_event(p, EVENT_VERDICT, now, t, text);
}

enum health_effect prober_apply(struct prober *p, uint32_t check,
				const struct result *r,
				const struct prober_now *now)
{
	struct target_check *c = target_table_check(p->targets, check);
	struct target *t = target_table_get(p->targets, check / TARGET_CHECKS);
	enum health_effect effect;
	enum verdict before;

	if (!c || !t)
		return HEALTH_IGNORED;
	before = c->health.verdict;
	effect = health_apply(&c->health, &c->policy, r, now->mono_ns);
	if (effect == HEALTH_COUNTED)
		p->stats_dirty = true;
	if (effect != HEALTH_CHANGED)
		return effect;
	p->totals.verdict_changes++;
	p->groups_dirty = true;
	tell_verdict(p, t, c, before, now);
	prober_refresh(p, t, now);
	return effect;
}

static void apply_held(struct prober *p, const struct prober_now *now)
{
	size_t n = p->held_count;

	p->held_count = 0;
	for (size_t i = 0; i < n; i++) {
		const struct prober_held *h = &p->held[i];
		const struct target_check *c = prober_check(p, h->check,
							    h->key);

		if (!c)
			continue;
		prober_apply(p, h->check, &h->result, now);
		/* its next turn was set in ignorance of this */
		if (health_is_wavering(&c->health))
			schedule_kick(p->schedule, h->check, PROBER_REASK_NS,
				      now->mono_ns);
	}
}

static void go_offline(struct prober *p, const struct prober_now *now)
{
	p->totals.dropped_results += p->held_count;
	p->held_count = 0;
	schedule_pause(p->schedule, true, now->mono_ns);
	prober_event(p, EVENT_OFFLINE, now, NULL,
		     "the uplink is gone: verdicts and selection are kept");
}

/* Long enough for the cap, short enough to know soon. */
static uint64_t spread_ns(const struct prober *p)
{
	struct schedule_stats s;

	schedule_stats(p->schedule, &s);
	return schedule_spread_ns(s.entries, 60 * NS_PER_S);
}

static void come_back(struct prober *p, const struct prober_now *now)
{
	schedule_pause(p->schedule, false, now->mono_ns);
	schedule_kick_all(p->schedule, spread_ns(p), now->mono_ns);
	p->kick_ns = now->mono_ns;
	p->wants_kick = false;
	p->groups_dirty = true;
	prober_event(p, EVENT_ONLINE, now, NULL, "the uplink is back");
}

/* Ask @target in a check that has @verdict and is not already under way. */
static bool ask_if(struct prober *p, uint32_t target, enum verdict verdict,
		   const struct prober_now *now)
{
	struct target *t = target_table_get(p->targets, target);
	struct job *j;

	for (unsigned int k = 0; t && k < TARGET_CHECKS; k++) {
		const struct target_check *c = &t->checks[k];

		if (!c->is_used || c->health.verdict != verdict)
			continue;
		if (prober_ask(p, target_check_id(target, k), 0, now, &j) < 0)
			continue;
		j->is_witness = true;
		j->deadline_ns = MIN(j->deadline_ns,
				     now->mono_ns + PROBER_WITNESS_NS);
		return true;
	}
	return false;
}

static void ask_witness(struct prober *p, uint32_t target,
			const struct prober_now *now)
{
	/* where nothing is up any answer is welcome */
	if (!ask_if(p, target, VERDICT_UP, now) &&
	    offline_state(p->offline) == OFFLINE &&
	    !ask_if(p, target, VERDICT_UNKNOWN, now))
		ask_if(p, target, VERDICT_DOWN, now);
}

static void ask_witnesses(struct prober *p, const struct prober_now *now)
{
	uint32_t t;

	for (int i = 0; i < OFFLINE_WITNESSES; i++) {
		t = offline_witness(p->offline, now->mono_ns);
		if (t == TARGET_NONE)
			return;
		ask_witness(p, t, now);
	}
	if (offline_state(p->offline) == OFFLINE_DOUBT)
		offline_witness(p->offline, now->mono_ns); /* says: no more */
}

void prober_follow_gate(struct prober *p, const struct prober_now *now)
{
	for (;;) {
		switch (offline_take_change(p->offline)) {
		case OFFLINE_NO_CHANGE:
			return;
		case OFFLINE_DOUBTED:
			ask_witnesses(p, now);
			break;
		case OFFLINE_CLEARED:
			apply_held(p, now);
			break;
		case OFFLINE_WENT:
			go_offline(p, now);
			ask_witnesses(p, now);
			break;
		case OFFLINE_RETURNED:
			come_back(p, now);
			break;
		}
	}
}

/* Interfaces that come and go must not turn into a probe storm. */
static void kick_if_wanted(struct prober *p, const struct prober_now *now)
{
	if (!p->wants_kick || offline_state(p->offline) == OFFLINE ||
	    (p->kick_ns && now->mono_ns < p->kick_ns + KICK_GAP_NS))
		return;
	p->wants_kick = false;
	p->kick_ns = now->mono_ns;
	schedule_kick_all(p->schedule, spread_ns(p), now->mono_ns);
}

void prober_link(struct prober *p, bool has_uplink, bool changed,
		 const struct prober_now *now)
{
	offline_link(p->offline, has_uplink, now->mono_ns);
	prober_follow_gate(p, now);
	if (offline_state(p->offline) == OFFLINE)
		ask_witnesses(p, now);
	else if (changed && has_uplink)
		p->wants_kick = true;
	kick_if_wanted(p, now);
}

void prober_update_stretch(struct prober *p, const struct prober_now *now)
{
	uint32_t limit = target_table_limit(p->targets), stretch;
	double per_day = 0;

	for (uint32_t i = 0; i < limit; i++) {
		const struct target *t = target_table_get(p->targets, i);

		for (unsigned int k = 0; t && k < TARGET_CHECKS; k++) {
			uint64_t ns = schedule_interval_ns(
				p->schedule, target_check_id(i, k), false);

			if (ns && target_is_probed(t))
				per_day +=
					(double)t->checks[k].health.bytes_each *
					(double)(DAY_S * NS_PER_S) / (double)ns;
		}
	}
	stretch = budget_stretch(&p->budget, (uint64_t)per_day, now->wall_s);
	if (p->stretch == 1000 && stretch > 1000)
		prober_event(p, EVENT_BUDGET, now, NULL,
			     "intervals are stretched to keep daily_bytes");
	p->stretch = stretch;
	p->stretch_ns = now->mono_ns;
	schedule_set_stretch(p->schedule, stretch);
}

static void release_due(struct prober *p, const struct prober_now *now)
{
	uint64_t key;

	while (quarantine_next_released(p->quarantine, now->mono_ns, &key)) {
		struct target *t = target_table_find(p->targets, key);

		if (!t)
			continue;
		prober_event(p, EVENT_RELEASE, now, t,
			     "released after its time; runs alone until clean");
		prober_refresh(p, t, now);
	}
}

void prober_do_due(struct prober *p, const struct prober_now *now)
{
	if (now->mono_ns >= quarantine_next_ns(p->quarantine))
		release_due(p, now);
	if (now->mono_ns < offline_next_ns(p->offline))
		return;
	offline_tick(p->offline, now->mono_ns);
	prober_follow_gate(p, now);
	if (offline_state(p->offline) != ONLINE)
		ask_witnesses(p, now);
}

void prober_tick(struct prober *p, const struct prober_now *now)
{
	uint32_t limit = target_table_limit(p->targets);
	bool new_day = budget_roll(&p->budget, now->wall_s);

	prober_do_due(p, now);
	for (uint32_t i = 0; i < limit; i++) {
		struct target *t = target_table_get(p->targets, i);

		if (!t)
			continue;
		if (new_day)
			t->bytes_today = 0;
		prober_refresh(p, t, now);
	}
	kick_if_wanted(p, now);
	if (p->stretch_ns == 0 ||
	    now->mono_ns >= p->stretch_ns + STRETCH_GAP_NS)
		prober_update_stretch(p, now);
}

/* The selection that a node's check speaks for: QUIC takes its UDP path. */
static unsigned int sel_of_check(enum check_class cls)
{
	switch (cls) {
	case CHECK_QUIC4:
		return CHECK_UDP4;
	case CHECK_QUIC6:
		return CHECK_UDP6;
	default:
		return cls;
	}
}

/* What group @g would use for selection @sel now or soon. */
static void mark_hot(struct prober *p, const struct group *g, unsigned int sel)
{
	struct group_candidates c;

	group_candidates(g, sel, p->targets, &c);
	for (uint32_t i = 0; i < MIN(c.count, (uint32_t)HOT_CANDIDATES); i++) {
		struct target *t = target_table_get(p->targets, c.targets[i]);

		if (t && (c.alive >> i & 1 ||
			  (c.dead == ALL_DEAD_LAST && c.last == i))) {
			t->hot_sels |= (uint8_t)(1U << sel);
			t->is_hot = true;
		}
	}
}

void prober_update_hot(struct prober *p, const struct prober_now *now)
{
	uint32_t limit = target_table_limit(p->targets);

	for (uint32_t i = 0; i < limit; i++) {
		struct target *t = target_table_get(p->targets, i);

		if (!t)
			continue;
		t->hot_sels = 0;
		t->is_hot = t->kind != TARGET_NODE;
	}
	for (size_t g = 0; g < p->group_count; g++)
		for (unsigned int s = 0; s < GROUP_SELS; s++)
			mark_hot(p, &p->groups[g], s);
	for (uint32_t id = 0; id < limit * TARGET_CHECKS; id++) {
		const struct target *t = target_table_get(p->targets,
							  id / TARGET_CHECKS);
		unsigned int sel;

		if (!t)
			continue;
		sel = sel_of_check(t->checks[id % TARGET_CHECKS].cls);
		schedule_set_hot(p->schedule, id,
				 t->kind != TARGET_NODE ||
					 t->hot_sels >> sel & 1,
				 now->mono_ns);
	}
}

static void tell_selection(struct prober *p, const struct group *g,
			   const struct group_change *c,
			   const struct prober_now *now)
{
	struct event_time at = event_time_of(now);
	char text[EVENT_TEXT_MAX];

	snprintf(text, sizeof(text), "%s: %.50s -> %.50s (%s)",
		 check_class_name(c->sel), name_or_none(p, c->from),
		 name_or_none(p, c->to), select_reason_name(c->reason));
	event_record(p->events, EVENT_SELECTION, &at, c->to, g->name, text);
	p->totals.selection_changes++;
}

bool prober_update_groups(struct prober *p, const struct prober_now *now)
{
	struct group_change changes[GROUP_SELS];

	if (!p->groups_dirty &&
	    (!p->stats_dirty || now->mono_ns < p->groups_ns + STATS_GAP_NS))
		return false;
	p->groups_dirty = p->stats_dirty = false;
	p->groups_ns = now->mono_ns;
	p->groups_epoch++;
	for (size_t i = 0; i < p->group_count; i++) {
		size_t n = group_evaluate(&p->groups[i], p->targets,
					  now->mono_ns, changes);

		for (size_t k = 0; k < n; k++)
			tell_selection(p, &p->groups[i], &changes[k], now);
	}
	prober_update_hot(p, now);
	return true;
}

int prober_set_admin(struct prober *p, uint32_t target, enum node_admin admin,
		     uint64_t until_ns, const struct prober_now *now)
{
	struct target *t = target_table_get(p->targets, target);

	if (!t || admin >= NODE_ADMIN_COUNT)
		return -ENOENT;
	target_set_admin(t, admin, until_ns);
	prober_event(p, EVENT_ADMIN, now, t, node_admin_name(admin));
	prober_refresh(p, t, now);
	p->groups_dirty = true;
	return 0;
}

int prober_set_assumed(struct prober *p, uint32_t target,
		       const uint8_t *verdicts, const struct prober_now *now)
{
	struct target *t = target_table_get(p->targets, target);

	if (!t)
		return -ENOENT;
	if (memcmp(t->assumed, verdicts, sizeof(t->assumed)) == 0)
		return 0;
	memcpy(t->assumed, verdicts, sizeof(t->assumed));
	p->groups_dirty = true;
	prober_refresh(p, t, now);
	return 0;
}

int prober_hold(struct prober *p, uint32_t target, const struct prober_now *now)
{
	struct target *t = target_table_get(p->targets, target);
	uint64_t until_ns = now->mono_ns + quarantine_hold_ns(p->quarantine);
	int r;

	if (!t)
		return -ENOENT;
	r = quarantine_hold(p->quarantine, t->identity, until_ns);
	if (r < 0)
		return r;
	prober_event(p, EVENT_QUARANTINE, now, t, "held by command");
	prober_refresh(p, t, now);
	p->groups_dirty = true;
	return 0;
}

int prober_release(struct prober *p, uint32_t target,
		   const struct prober_now *now)
{
	struct target *t = target_table_get(p->targets, target);
	int r;

	if (!t)
		return -ENOENT;
	r = quarantine_release(p->quarantine, t->identity);
	if (r < 0)
		return r;
	prober_event(p, EVENT_RELEASE, now, t, "released by command");
	prober_refresh(p, t, now);
	p->groups_dirty = true;
	return 0;
}
