/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/crew.h"

#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

/* One look at all places of the pool. */
struct head_count {
	uint32_t ready; /* READY, those that are leaving included */
	uint32_t staff; /* there or coming, without those leaving */
	uint32_t empty;
	uint32_t coming; /* STARTING, or a place about to become free */
	uint32_t solo;
};

int crew_resize(struct crew *c, const struct recycle_limits *limits,
		const struct recycle_policy *policy)
{
	uint32_t count = limits->workers + limits->spares;

	if (limits->workers == 0 || limits->workers > CREW_MAX ||
	    limits->spares > CREW_MAX || count > CREW_MAX)
		return -EINVAL;
	c->want = limits->workers;
	c->spares = limits->spares;
	c->count = MAX(c->count, count); /* places in use go by draining */
	c->policy = *policy;
	c->policy.rss_soft_bytes = limits->rss_soft_bytes;
	c->policy.rss_hard_bytes = limits->rss_hard_bytes;
	return 0;
}

int crew_init(struct crew *c, const struct recycle_limits *limits,
	      const struct recycle_policy *policy)
{
	memset(c, 0, sizeof(*c));
	for (uint32_t i = 0; i < CREW_MAX; i++)
		slot_init(&c->places[i].slot);
	return crew_resize(c, limits, policy);
}

static uint32_t count_alive(const struct crew *c)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->count; i++)
		n += slot_is_alive(&c->places[i].slot);
	return n;
}

static struct head_count count_heads(const struct crew *c)
{
	uint32_t allowed = c->want + c->spares, alive = count_alive(c);
	struct head_count h = { 0 };

	for (uint32_t i = 0; i < c->count; i++) {
		const struct crew_place *p = &c->places[i];
		enum slot_state st = p->slot.state;
		bool leaves = p->is_leaving || st == SLOT_DRAINING ||
			      st == SLOT_KILLING;

		h.empty += st == SLOT_EMPTY;
		h.coming += st == SLOT_STARTING || st == SLOT_DRAINING ||
			    st == SLOT_KILLING || st == SLOT_BACKOFF;
		if (p->duty == CREW_SOLO) {
			h.solo += st != SLOT_EMPTY && !leaves;
			continue;
		}
		h.ready += st == SLOT_READY;
		h.staff += st != SLOT_EMPTY && !leaves;
	}
	/* a smaller pool has fewer places, even while old ones are emptying */
	h.empty = MIN(h.empty, allowed > alive ? allowed - alive : 0);
	return h;
}

unsigned int crew_event(struct crew *c, uint32_t place,
			const struct slot_input *in, uint64_t now_ns)
{
	struct crew_place *p;
	unsigned int actions;

	if (place >= c->count)
		return SLOT_ACT_REFUSED;
	p = &c->places[place];
	actions = slot_step(&p->slot, in, now_ns);
	if (actions & SLOT_ACT_REFUSED)
		return actions;
	if (actions & SLOT_ACT_SPAWN) {
		memset(&p->meter, 0, sizeof(p->meter));
		p->meter.seed = hash_pair(place, p->slot.generation);
		p->is_leaving = false;
	}
	if (actions & SLOT_ACT_LOST) {
		p->in_flight = 0;
		p->is_exclusive = false;
	}
	if (in->event == SLOT_EV_HELLO) {
		p->meter.ready_ns = now_ns;
		p->meter.heartbeat_ns = now_ns;
	}
	if (actions & SLOT_ACT_DRAIN)
		p->meter.draining_ns = now_ns;
	if (!slot_is_alive(&p->slot))
		p->is_leaving = false;
	if (p->slot.state == SLOT_EMPTY)
		p->duty = CREW_POOL;
	return actions;
}

struct order_list {
	struct crew_order *orders;
	size_t count, max;
};

static void order(struct crew *c, struct order_list *o, uint32_t place,
		  struct slot_input in, uint64_t now_ns)
{
	unsigned int actions;

	if (o->count == o->max)
		return;
	actions = crew_event(c, place, &in, now_ns);
	if (actions & ~(unsigned int)SLOT_ACT_REFUSED)
		o->orders[o->count++] = (struct crew_order){ place, actions };
}

/* Limits of each worker on its own: kill what must die, note who is to go. */
static void judge(struct crew *c, struct order_list *o, uint64_t now_ns)
{
	bool someone_leaves = false;

	for (uint32_t i = 0; i < c->count; i++)
		someone_leaves |= c->places[i].is_leaving;
	for (uint32_t i = 0; i < c->count; i++) {
		struct crew_place *p = &c->places[i];
		struct recycle_verdict v;

		order(c, o, i, (struct slot_input){ .event = SLOT_EV_TICK },
		      now_ns);
		if (p->slot.state != SLOT_READY &&
		    p->slot.state != SLOT_DRAINING)
			continue;
		v = recycle_decide(&c->policy, &p->meter, c->last_recycle_ns,
				   now_ns);
		if (v.step == RECYCLE_KILL) {
			order(c, o, i,
			      (struct slot_input){ .event = SLOT_EV_KILL,
						   .reason = v.reason },
			      now_ns);
		} else if (v.step == RECYCLE_DRAIN && !someone_leaves &&
			   p->slot.state == SLOT_READY) {
			p->is_leaving = someone_leaves = true;
			p->leave_reason = v.reason;
		}
	}
}

static void spawn_in(struct crew *c, struct order_list *o, enum crew_duty duty,
		     uint64_t now_ns)
{
	for (uint32_t i = 0; i < c->count; i++) {
		if (c->places[i].slot.state != SLOT_EMPTY)
			continue;
		c->places[i].duty = duty;
		order(c, o, i, (struct slot_input){ .event = SLOT_EV_SPAWN },
		      now_ns);
		return;
	}
}

/* Places whose back-off is over: used again if still needed, else given up. */
static void wake_backoff(struct crew *c, struct order_list *o, uint64_t now_ns)
{
	for (uint32_t i = 0; i < c->count; i++) {
		struct crew_place *p = &c->places[i];
		struct head_count h = count_heads(c);
		bool surplus = p->duty == CREW_SOLO ? !c->want_solo
						    : h.staff > c->want;

		if (p->slot.state != SLOT_BACKOFF || now_ns < p->slot.retry_ns)
			continue;
		if (!surplus && count_alive(c) >= c->want + c->spares)
			continue; /* its memory is still in use elsewhere */
		order(c, o, i,
		      (struct slot_input){ .event = surplus ? SLOT_EV_RETIRE
							    : SLOT_EV_SPAWN },
		      now_ns);
	}
}

static void hire(struct crew *c, struct order_list *o, uint64_t now_ns)
{
	struct head_count h = count_heads(c);
	uint32_t before;

	while (h.staff < c->want && h.empty > 0 && o->count < o->max) {
		before = h.staff;
		spawn_in(c, o, CREW_POOL, now_ns);
		h = count_heads(c);
		if (h.staff == before)
			return;
	}
	if (c->want_solo && h.solo == 0 && h.empty > 0 && o->count < o->max)
		spawn_in(c, o, CREW_SOLO, now_ns);
}

/* More than wanted: the youngest go first, they know least. */
static void mark_surplus(struct crew *c)
{
	struct head_count h = count_heads(c);

	for (uint32_t i = c->count; i-- > 0;) {
		struct crew_place *p = &c->places[i];

		if (p->duty == CREW_SOLO) {
			if (!c->want_solo && p->slot.state == SLOT_READY &&
			    p->in_flight == 0 && !p->is_leaving) {
				p->is_leaving = true;
				p->leave_reason = RECYCLE_NONE;
			}
		} else if (h.staff > c->want && !p->is_leaving &&
			   p->slot.state == SLOT_READY) {
			p->is_leaving = true;
			p->leave_reason = RECYCLE_NONE;
			h.staff--;
		}
	}
}

/*
 * Those leaving go once more are ready than wanted: make before break. Where no
 * place is free nor about to become so, nobody can relieve them: they go first.
 */
static void dismiss(struct crew *c, struct order_list *o, uint64_t now_ns)
{
	for (uint32_t i = 0; i < c->count && o->count < o->max; i++) {
		struct crew_place *p = &c->places[i];
		struct head_count h = count_heads(c);
		bool relieved = h.ready > c->want || p->duty == CREW_SOLO;
		bool hopeless = h.empty == 0 && h.coming == 0;

		if (!p->is_leaving || p->slot.state != SLOT_READY ||
		    !(relieved || hopeless))
			continue;
		if (p->leave_reason != RECYCLE_NONE)
			c->last_recycle_ns = now_ns;
		order(c, o, i,
		      (struct slot_input){ .event = SLOT_EV_RETIRE,
					   .reason = p->leave_reason },
		      now_ns);
	}
}

size_t crew_plan(struct crew *c, uint64_t now_ns, struct crew_order *ret,
		 size_t max)
{
	struct order_list o = { .orders = ret, .max = max };

	judge(c, &o, now_ns);
	wake_backoff(c, &o, now_ns);
	mark_surplus(c);
	hire(c, &o, now_ns);
	dismiss(c, &o, now_ns);
	return o.count;
}

int crew_recycle(struct crew *c, uint32_t place, enum recycle_reason reason)
{
	uint32_t marked = 0;

	for (uint32_t i = 0; i < c->count; i++) {
		struct crew_place *p = &c->places[i];

		if ((place != CREW_MAX && place != i) ||
		    p->slot.state != SLOT_READY)
			continue;
		p->is_leaving = true;
		p->leave_reason = reason;
		marked++;
	}
	return marked ? 0 : -ENOENT;
}

static bool may_take(const struct crew_place *p)
{
	return p->slot.state == SLOT_READY && !p->is_exclusive;
}

static bool has_solo_place(const struct crew *c)
{
	for (uint32_t i = 0; i < c->count; i++) {
		const struct crew_place *p = &c->places[i];

		if (p->duty == CREW_SOLO && slot_is_alive(&p->slot) &&
		    !p->is_leaving)
			return true;
	}
	return false;
}

static int pick_solo(struct crew *c)
{
	bool own = has_solo_place(c);

	for (uint32_t i = 0; i < c->count; i++) {
		const struct crew_place *p = &c->places[i];

		if (may_take(p) && p->in_flight == 0 &&
		    (p->duty == CREW_SOLO || !own)) {
			c->solo_waits = false;
			return (int)i;
		}
	}
	c->solo_waits = !own;
	return -EAGAIN;
}

int crew_pick(struct crew *c, bool solo)
{
	uint32_t least = UINT32_MAX, reserved = CREW_MAX;
	int best = -EAGAIN;

	if (solo)
		return pick_solo(c);
	if (c->solo_waits && !has_solo_place(c)) {
		for (uint32_t i = 0; i < c->count; i++) {
			if (may_take(&c->places[i]) &&
			    c->places[i].in_flight < least) {
				least = c->places[i].in_flight;
				reserved = i;
			}
		}
		least = UINT32_MAX;
	}
	for (uint32_t i = 0; i < c->count; i++) {
		const struct crew_place *p = &c->places[i];

		/* one that is leaving works on until it is relieved */
		uint32_t load = p->in_flight + (p->is_leaving ? 1 : 0);

		if (may_take(p) && p->duty == CREW_POOL && i != reserved &&
		    load < least) {
			least = load;
			best = (int)i;
		}
	}
	return best;
}

void crew_job_sent(struct crew *c, uint32_t place, bool solo)
{
	if (place >= c->count)
		return;
	c->places[place].in_flight++;
	c->places[place].is_exclusive |= solo;
}

void crew_job_done(struct crew *c, uint32_t place)
{
	struct crew_place *p;

	if (place >= c->count)
		return;
	p = &c->places[place];
	if (p->in_flight > 0)
		p->in_flight--;
	if (p->in_flight == 0)
		p->is_exclusive = false;
}

uint64_t crew_next_ns(const struct crew *c)
{
	uint64_t next = UINT64_MAX;

	for (uint32_t i = 0; i < c->count; i++) {
		uint64_t at = slot_next_ns(&c->places[i].slot);

		next = MIN(next, at);
	}
	return next;
}

uint32_t crew_count_state(const struct crew *c, enum slot_state state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->count; i++)
		n += c->places[i].slot.state == state;
	return n;
}
