/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/quarantine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"

#define DEATHS_KEPT 16
#define COMPANY_REPEAT 2 /* deaths in company that keep one alone */

struct death {
	uint64_t at_ns;
	bool alone;
	bool cleared; /* a clean finish came after it */
};

struct suspect {
	uint64_t key;
	uint64_t until_ns; /* held: until then; 0: not held */
	bool on_probation; /* released by time: alone until clean */
	uint32_t head, count;
	struct death deaths[DEATHS_KEPT];
};

struct quarantine {
	struct quarantine_policy policy;
	struct suspect *suspects;
	size_t count, cap;
};

int quarantine_new(struct quarantine **ret, const struct quarantine_policy *p)
{
	struct quarantine *q = calloc(1, sizeof(*q));

	if (!q)
		return -ENOMEM;
	q->policy = *p;
	*ret = q;
	return 0;
}

void quarantine_free(struct quarantine **q)
{
	if (*q)
		free((*q)->suspects);
	free(*q);
	*q = NULL;
}

void quarantine_set_policy(struct quarantine *q,
			   const struct quarantine_policy *p)
{
	q->policy = *p;
}

uint64_t quarantine_hold_ns(const struct quarantine *q)
{
	return q->policy.hold_ns;
}

static struct suspect *find(const struct quarantine *q, uint64_t key)
{
	for (size_t i = 0; i < q->count; i++) {
		if (q->suspects[i].key == key)
			return &q->suspects[i];
	}
	return NULL;
}

static bool is_recent(const struct quarantine *q, const struct death *d,
		      uint64_t now_ns)
{
	return now_ns < d->at_ns + q->policy.window_ns;
}

/* Deaths within the window; of them alone, in company, and those that count. */
struct tally {
	uint32_t recent, alone, company, counting;
};

static struct tally tally_deaths(const struct quarantine *q,
				 const struct suspect *s, uint64_t now_ns)
{
	struct tally t = { 0 };

	for (uint32_t i = 0; i < s->count; i++) {
		const struct death *d = &s->deaths[i];

		if (!is_recent(q, d, now_ns))
			continue;
		t.recent++;
		t.alone += d->alone;
		t.company += !d->alone;
		t.counting += d->alone || !d->cleared;
	}
	return t;
}

static bool suspect_is_alone(const struct quarantine *q,
			     const struct suspect *s, uint64_t now_ns)
{
	struct tally t = tally_deaths(q, s, now_ns);

	return s->on_probation || t.counting > 0 || t.company >= COMPANY_REPEAT;
}

static bool is_forgettable(const struct quarantine *q, const struct suspect *s,
			   uint64_t now_ns)
{
	return s->until_ns == 0 && !s->on_probation &&
	       tally_deaths(q, s, now_ns).recent == 0;
}

static void forget(struct quarantine *q, struct suspect *s)
{
	*s = q->suspects[--q->count];
}

static void forget_old(struct quarantine *q, uint64_t now_ns)
{
	for (size_t i = q->count; i-- > 0;) {
		if (is_forgettable(q, &q->suspects[i], now_ns))
			forget(q, &q->suspects[i]);
	}
}

/* The table is bounded: beyond it the one with the oldest death makes room. */
static struct suspect *evict(struct quarantine *q)
{
	struct suspect *oldest = NULL;
	uint64_t oldest_ns = UINT64_MAX;

	for (size_t i = 0; i < q->count; i++) {
		struct suspect *s = &q->suspects[i];
		uint64_t at = 0;

		for (uint32_t k = 0; k < s->count; k++)
			at = MAX(at, s->deaths[k].at_ns);
		if (s->until_ns == 0 && at < oldest_ns) {
			oldest = s;
			oldest_ns = at;
		}
	}
	return oldest;
}

static struct suspect *get(struct quarantine *q, uint64_t key)
{
	struct suspect *s = find(q, key);

	if (s)
		return s;
	if (q->count == QUARANTINE_MAX) {
		s = evict(q);
		if (!s)
			return NULL;
	} else {
		if (q->count == q->cap) {
			size_t cap = q->cap ? q->cap * 2 : 8;

			s = reallocarray(q->suspects, cap, sizeof(*s));
			if (!s)
				return NULL;
			q->suspects = s;
			q->cap = cap;
		}
		s = &q->suspects[q->count++];
	}
	memset(s, 0, sizeof(*s));
	s->key = key;
	return s;
}

static bool is_repeat(const uint64_t *keys, size_t i)
{
	for (size_t k = 0; k < i; k++) {
		if (keys[k] == keys[i])
			return true;
	}
	return false;
}

static bool should_hold(const struct quarantine *q, const struct suspect *s,
			uint64_t now_ns)
{
	struct tally t = tally_deaths(q, s, now_ns);

	return q->policy.crashes && t.counting >= q->policy.crashes && t.alone;
}

int quarantine_worker_died(struct quarantine *q, const uint64_t *keys, size_t n,
			   uint64_t now_ns, uint64_t *ret_held)
{
	size_t distinct = 0;
	int held = 0;

	forget_old(q, now_ns);
	for (size_t i = 0; i < n; i++)
		distinct += !is_repeat(keys, i);
	for (size_t i = 0; i < n; i++) {
		struct suspect *s;

		if (is_repeat(keys, i))
			continue;
		s = get(q, keys[i]);
		if (!s)
			return -ENOMEM;
		s->deaths[s->head] = (struct death){ now_ns, distinct == 1,
						     false };
		s->head = (s->head + 1) % DEATHS_KEPT;
		s->count = MIN(s->count + 1, (uint32_t)DEATHS_KEPT);
		if (s->until_ns == 0 && should_hold(q, s, now_ns)) {
			s->until_ns = now_ns + q->policy.hold_ns;
			ret_held[held++] = s->key;
		}
	}
	return held;
}

bool quarantine_clean(struct quarantine *q, uint64_t key, uint64_t now_ns)
{
	struct suspect *s = find(q, key);
	bool was_alone;

	if (!s || s->until_ns)
		return false;
	was_alone = suspect_is_alone(q, s, now_ns);
	s->on_probation = false;
	for (uint32_t i = 0; i < s->count; i++)
		s->deaths[i].cleared = true;
	if (suspect_is_alone(q, s, now_ns))
		return false;
	if (is_forgettable(q, s, now_ns))
		forget(q, s);
	return was_alone;
}

bool quarantine_wants_solo(const struct quarantine *q, uint64_t key,
			   uint64_t now_ns)
{
	const struct suspect *s = find(q, key);

	return s && suspect_is_alone(q, s, now_ns);
}

bool quarantine_is_held(const struct quarantine *q, uint64_t key,
			uint64_t now_ns)
{
	const struct suspect *s = find(q, key);

	return s && s->until_ns > now_ns;
}

bool quarantine_has_suspects(const struct quarantine *q, uint64_t now_ns)
{
	for (size_t i = 0; i < q->count; i++) {
		if (q->suspects[i].until_ns == 0 &&
		    suspect_is_alone(q, &q->suspects[i], now_ns))
			return true;
	}
	return false;
}

int quarantine_hold(struct quarantine *q, uint64_t key, uint64_t until_ns)
{
	struct suspect *s = get(q, key);

	if (!s)
		return -ENOMEM;
	s->until_ns = until_ns;
	return 0;
}

int quarantine_release(struct quarantine *q, uint64_t key)
{
	struct suspect *s = find(q, key);

	if (!s)
		return -ENOENT;
	forget(q, s);
	return 0;
}

bool quarantine_next_released(struct quarantine *q, uint64_t now_ns,
			      uint64_t *ret)
{
	for (size_t i = 0; i < q->count; i++) {
		struct suspect *s = &q->suspects[i];

		if (s->until_ns == 0 || s->until_ns > now_ns)
			continue;
		s->until_ns = 0;
		s->count = s->head = 0;
		s->on_probation = true;
		*ret = s->key;
		return true;
	}
	return false;
}

uint64_t quarantine_next_ns(const struct quarantine *q)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < q->count; i++) {
		if (q->suspects[i].until_ns)
			next = MIN(next, q->suspects[i].until_ns);
	}
	return next;
}

size_t quarantine_count(const struct quarantine *q)
{
	return q->count;
}

void quarantine_at(const struct quarantine *q, size_t i, uint64_t now_ns,
		   struct quarantine_view *ret)
{
	const struct suspect *s = &q->suspects[i];
	struct tally t = tally_deaths(q, s, now_ns);

	*ret = (struct quarantine_view){
		.key = s->key,
		.deaths = t.recent,
		.alone = t.alone,
		.is_held = s->until_ns > now_ns,
		.is_suspect = suspect_is_alone(q, s, now_ns),
		.until_ns = s->until_ns,
	};
}
