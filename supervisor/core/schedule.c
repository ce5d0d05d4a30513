/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/schedule.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base.h"
#include "supervisor/core/hash.h"
#include "supervisor/core/schedule_heap.h"

#define PHASE_MIN_DIVISOR 16
#define WAVERING_DIVISOR 4

static uint64_t natural_ns(const struct schedule *s,
			   const struct schedule_entry *e)
{
	bool slow = s->cfg.adaptive && !e->is_hot;

	return slow ? e->interval_ns * SCHEDULE_SLOW_FACTOR : e->interval_ns;
}

static uint64_t effective_ns(const struct schedule *s,
			     const struct schedule_entry *e)
{
	uint64_t ns = natural_ns(s, e);

	return MAX(ns, e->dead_ns) / 1000 * s->stretch_permille;
}

/* +-10 %, the same for one slot however often it is asked. */
static uint64_t jittered(const struct schedule *s,
			 const struct schedule_entry *e, uint64_t ns)
{
	uint64_t range = ns / 100 * SCHEDULE_JITTER_PERCENT;
	uint64_t h = hash_pair(e->key ^ s->cfg.seed, e->slot);

	return range ? ns - range + h % (2 * range + 1) : ns;
}

/* From one turn to the next. The second turn takes the check to its phase. */
static uint64_t gap_ns(const struct schedule *s, const struct schedule_entry *e)
{
	uint64_t ns = effective_ns(s, e);
	uint64_t phase;

	if (e->turns > 1 || e->dead_ns)
		return jittered(s, e, ns);
	phase = hash_pair(e->key, 2) % MAX(ns, 1ULL);
	return MAX(phase, ns / PHASE_MIN_DIVISOR);
}

int schedule_new(struct schedule **ret, const struct schedule_config *cfg)
{
	auto_schedule struct schedule *s = NULL;

	if (cfg->max_checks == 0 || cfg->checks_per_target == 0 ||
	    cfg->max_checks > SCHEDULE_CHECKS_MAX || cfg->max_concurrent == 0)
		return -EINVAL;
	s = calloc(1, sizeof(*s));
	if (!s)
		return -ENOMEM;
	s->cfg = *cfg;
	s->stretch_permille = 1000;
	s->entries = calloc(cfg->max_checks, sizeof(struct schedule_entry));
	s->target_ns = calloc(cfg->max_checks / cfg->checks_per_target + 1,
			      sizeof(uint64_t));
	for (int i = 0; i < HEAP_COUNT; i++) {
		s->heaps[i].ids = calloc(cfg->max_checks, sizeof(uint32_t));
		if (!s->heaps[i].ids)
			return -ENOMEM;
	}
	if (!s->entries || !s->target_ns)
		return -ENOMEM;
	*ret = TAKE_PTR(s);
	return 0;
}

void schedule_free(struct schedule **s)
{
	if (!*s)
		return;
	for (int i = 0; i < HEAP_COUNT; i++)
		free((*s)->heaps[i].ids);
	free((*s)->entries);
	free((*s)->target_ns);
	free(*s);
	*s = NULL;
}

static struct schedule_entry *get(const struct schedule *s, uint32_t check)
{
	if (check >= s->cfg.max_checks || !s->entries[check].is_used)
		return NULL;
	return &s->entries[check];
}

uint64_t schedule_spread_ns(uint32_t checks, uint64_t interval_ns)
{
	uint64_t ns = MIN(50 * NS_PER_MS * checks, interval_ns / 4);

	return MAX(ns, NS_PER_S);
}

int schedule_add(struct schedule *s, uint32_t check, uint64_t key,
		 uint64_t interval_ns, uint64_t spread_ns, uint64_t now_ns)
{
	struct schedule_entry *e;

	if (interval_ns < NS_PER_MS)
		return -EINVAL;
	if (check >= s->cfg.max_checks)
		return -ERANGE;
	e = &s->entries[check];
	if (e->is_used)
		return -EEXIST;
	*e = (struct schedule_entry){
		.key = key,
		.interval_ns = interval_ns,
		.is_used = true,
		.due_ns = now_ns + hash_pair(key, 1) % MAX(spread_ns, 1ULL),
		.heap = HEAP_NONE,
	};
	s->used++;
	schedule_heap_put(s, HEAP_NORMAL, check);
	return 0;
}

void schedule_inherit(struct schedule *s, const struct schedule *old)
{
	uint32_t n = MIN(s->cfg.max_checks, old->cfg.max_checks);

	for (uint32_t i = 0; i < n; i++) {
		struct schedule_entry *e = get(s, i);
		const struct schedule_entry *b = get(old, i);

		if (!e || !b || e->key != b->key)
			continue;
		schedule_heap_take(s, i);
		e->due_ns = MIN(b->due_ns, e->due_ns + effective_ns(s, e));
		e->last_due_ns = b->last_due_ns;
		e->slot = b->slot;
		e->turns = b->turns;
		e->dead_ns = b->dead_ns;
		e->kick_ns = b->kick_ns;
		e->in_flight = b->in_flight;
		s->in_flight += e->in_flight;
		schedule_heap_put(s, HEAP_NORMAL, i);
	}
	for (int i = 0; i < SKIP_COUNT; i++)
		s->stats.skipped[i] += old->stats.skipped[i];
	s->stats.popped += old->stats.popped;
	s->stats.lag_sum_ns += old->stats.lag_sum_ns;
	s->stats.lag_max_ns = MAX(s->stats.lag_max_ns, old->stats.lag_max_ns);
	s->stretch_permille = old->stretch_permille;
	s->paused = old->paused;
}

bool schedule_has(const struct schedule *s, uint32_t check)
{
	return get(s, check) != NULL;
}

void schedule_remove(struct schedule *s, uint32_t check)
{
	struct schedule_entry *e = get(s, check);

	if (!e)
		return;
	schedule_heap_take(s, check);
	s->in_flight -= e->in_flight;
	s->used--;
	e->is_used = false;
}

void schedule_hold(struct schedule *s, uint32_t check, bool held,
		   uint64_t now_ns)
{
	struct schedule_entry *e = get(s, check);

	if (!e || e->is_held == held)
		return;
	e->is_held = held;
	if (held) {
		schedule_heap_take(s, check);
		return;
	}
	e->dead_ns = 0;
	e->due_ns = now_ns + hash_pair(e->key, e->slot) % NS_PER_S;
	schedule_heap_put(s, HEAP_NORMAL, check);
}

static void refill(struct schedule *s, uint64_t now_ns)
{
	uint64_t burst, cost;

	if (s->cfg.rate == 0)
		return;
	cost = NS_PER_S / s->cfg.rate;
	burst = MAX(s->cfg.rate / 4, 1U) * cost;
	if (now_ns > s->refill_ns)
		s->credit_ns += MIN(now_ns - s->refill_ns, burst);
	s->credit_ns = MIN(s->credit_ns, burst);
	s->refill_ns = now_ns;
}

static bool has_token(const struct schedule *s)
{
	return s->cfg.rate == 0 || s->credit_ns >= NS_PER_S / s->cfg.rate;
}

static void skip(struct schedule *s, struct schedule_entry *e, uint64_t n,
		 enum schedule_skip why)
{
	s->stats.skipped[why] += n;
	e->slot += n;
}

/* Pass over whole slots that went by, so that the next is in the future. */
static void catch_up(struct schedule *s, struct schedule_entry *e,
		     enum schedule_skip why, uint64_t now_ns)
{
	uint64_t step = MAX(effective_ns(s, e), 1ULL), n;

	if (e->due_ns > now_ns)
		return;
	n = (now_ns - e->due_ns) / step + 1;
	skip(s, e, n, why);
	e->due_ns += n * step;
}

static bool is_spaced(struct schedule *s, uint32_t check, uint64_t now_ns)
{
	uint64_t *last = &s->target_ns[check / s->cfg.checks_per_target];
	struct schedule_entry *e = &s->entries[check];
	enum schedule_heap_id heap = e->heap;

	if (*last == 0 || now_ns >= *last + SCHEDULE_TARGET_GAP_NS)
		return true;
	schedule_heap_take(s, check);
	e->due_ns = *last + SCHEDULE_TARGET_GAP_NS;
	schedule_heap_put(s, heap, check);
	return false;
}

static void hand_out(struct schedule *s, uint32_t check, uint64_t now_ns,
		     struct schedule_item *ret)
{
	struct schedule_entry *e = &s->entries[check];
	uint64_t lag = now_ns - e->due_ns;

	*ret = (struct schedule_item){ check, e->slot, e->due_ns, lag };
	s->stats.popped++;
	s->stats.lag_sum_ns += lag;
	s->stats.lag_max_ns = MAX(s->stats.lag_max_ns, lag);
	s->target_ns[check / s->cfg.checks_per_target] = now_ns;
	s->in_flight++;
	if (s->cfg.rate)
		s->credit_ns -= NS_PER_S / s->cfg.rate;
	e->in_flight = true;
	e->slot++;
	e->turns = e->turns < 2 ? e->turns + 1 : 2;
	e->last_due_ns = e->due_ns;
	e->due_ns += gap_ns(s, e);
	catch_up(s, e, SKIP_LATE, now_ns);
	schedule_heap_put(s, HEAP_NORMAL, check);
}

bool schedule_pop(struct schedule *s, uint64_t now_ns,
		  struct schedule_item *ret)
{
	uint32_t check;

	refill(s, now_ns);
	while (s->in_flight < s->cfg.max_concurrent && has_token(s)) {
		struct schedule_entry *e;

		if (!schedule_heap_due(s, HEAP_URGENT, now_ns, &check) &&
		    (s->paused ||
		     !schedule_heap_due(s, HEAP_NORMAL, now_ns, &check)))
			return false;
		e = &s->entries[check];
		if (e->in_flight) {
			schedule_heap_take(s, check);
			catch_up(s, e, SKIP_IN_FLIGHT, now_ns);
			schedule_heap_put(s, HEAP_NORMAL, check);
			continue;
		}
		if (!is_spaced(s, check, now_ns))
			continue;
		schedule_heap_take(s, check);
		hand_out(s, check, now_ns, ret);
		return true;
	}
	return false;
}

static uint64_t wavering_ns(const struct schedule_entry *e)
{
	return MAX(e->interval_ns / WAVERING_DIVISOR, NS_PER_S);
}

void schedule_done(struct schedule *s, uint32_t check, bool dead, bool wavering,
		   uint64_t now_ns)
{
	struct schedule_entry *e = get(s, check);
	uint64_t ns;

	if (!e || !e->in_flight)
		return;
	e->in_flight = false;
	s->in_flight--;
	ns = MAX(e->dead_ns, natural_ns(s, e));
	if (dead && !wavering)
		e->dead_ns = MIN(ns / 2 * 3, (uint64_t)SCHEDULE_DEAD_MAX_NS);
	else
		e->dead_ns = 0;
	if (e->is_held || e->heap == HEAP_URGENT)
		return;
	schedule_heap_take(s, check);
	e->due_ns = e->last_due_ns + gap_ns(s, e);
	if (wavering)
		e->due_ns = MIN(e->due_ns, now_ns + wavering_ns(e));
	catch_up(s, e, SKIP_LATE, now_ns);
	schedule_heap_put(s, HEAP_NORMAL, check);
}

/* Bring a turn forward, never back. */
static void advance(struct schedule *s, uint32_t check, uint64_t due_ns,
		    enum schedule_heap_id heap)
{
	struct schedule_entry *e = &s->entries[check];

	if (e->is_held)
		return;
	schedule_heap_take(s, check);
	e->due_ns = MIN(e->due_ns, due_ns);
	schedule_heap_put(s, heap, check);
}

void schedule_set_hot(struct schedule *s, uint32_t check, bool hot,
		      uint64_t now_ns)
{
	struct schedule_entry *e = get(s, check);

	if (!e || e->is_hot == hot)
		return;
	e->is_hot = hot;
	if (hot && s->cfg.adaptive && e->heap == HEAP_NORMAL)
		advance(s, check,
			now_ns + hash_pair(e->key, e->slot) %
					 MAX(effective_ns(s, e), 1ULL),
			HEAP_NORMAL);
}

void schedule_set_stretch(struct schedule *s, uint32_t permille)
{
	s->stretch_permille = MAX(permille, 1000U);
}

void schedule_set_limits(struct schedule *s, uint32_t max_concurrent,
			 uint32_t rate)
{
	s->cfg.max_concurrent = MAX(max_concurrent, 1U);
	s->cfg.rate = rate;
}

void schedule_kick(struct schedule *s, uint32_t check, uint64_t spread_ns,
		   uint64_t now_ns)
{
	struct schedule_entry *e = get(s, check);

	if (!e || e->in_flight ||
	    (e->kick_ns && now_ns < e->kick_ns + SCHEDULE_KICK_GAP_NS))
		return;
	e->kick_ns = now_ns;
	advance(s, check,
		now_ns +
			(spread_ns ? hash_pair(e->key, now_ns) % spread_ns : 0),
		HEAP_URGENT);
}

void schedule_kick_all(struct schedule *s, uint64_t spread_ns, uint64_t now_ns)
{
	for (uint32_t i = 0; i < s->cfg.max_checks; i++) {
		struct schedule_entry *e = get(s, i);

		if (!e)
			continue;
		e->dead_ns = 0;
		if (!e->in_flight && e->heap == HEAP_NORMAL)
			advance(s, i,
				now_ns + hash_pair(e->key, now_ns) %
						 MAX(spread_ns, 1ULL),
				HEAP_NORMAL);
	}
}

void schedule_pause(struct schedule *s, bool paused, uint64_t now_ns)
{
	if (s->paused == paused)
		return;
	s->paused = paused;
	for (uint32_t i = 0; !paused && i < s->cfg.max_checks; i++) {
		struct schedule_entry *e = get(s, i);

		if (!e || e->heap != HEAP_NORMAL || e->due_ns > now_ns)
			continue;
		schedule_heap_take(s, i);
		catch_up(s, e, SKIP_OFFLINE, now_ns);
		schedule_heap_put(s, HEAP_NORMAL, i);
	}
}

uint64_t schedule_next_ns(const struct schedule *s, uint64_t now_ns)
{
	uint64_t next = schedule_heap_min(s, HEAP_URGENT);
	uint64_t token_ns;

	if (s->in_flight >= s->cfg.max_concurrent)
		return UINT64_MAX;
	if (!s->paused)
		next = MIN(next, schedule_heap_min(s, HEAP_NORMAL));
	if (next == UINT64_MAX || has_token(s))
		return next;
	token_ns = s->refill_ns + NS_PER_S / s->cfg.rate - s->credit_ns;
	next = MAX(next, now_ns);
	return MAX(next, token_ns);
}

uint64_t schedule_due_ns(const struct schedule *s, uint32_t check)
{
	const struct schedule_entry *e = get(s, check);

	return e && !e->is_held ? e->due_ns : UINT64_MAX;
}

uint64_t schedule_interval_ns(const struct schedule *s, uint32_t check,
			      bool stretched)
{
	const struct schedule_entry *e = get(s, check);
	uint64_t ns;

	if (!e)
		return 0;
	ns = natural_ns(s, e);
	return stretched ? effective_ns(s, e) : MAX(ns, e->dead_ns);
}

void schedule_stats(const struct schedule *s, struct schedule_stats *ret)
{
	*ret = s->stats;
	ret->entries = s->used;
	ret->in_flight = s->in_flight;
}
