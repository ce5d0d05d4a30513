/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"
#include "supervisor/core/state_private.h"

/* Upper bounds of what one record takes, for the buffer. */
#define HEAD_SIZE 64
#define CHECK_SIZE 256
#define TARGET_SIZE (64 + TARGET_CHECKS * CHECK_SIZE)
#define GROUP_SIZE (TARGET_NAME_MAX + 16 + GROUP_SELS * 16)
#define HELD_SIZE 16

uint32_t state_age_s(uint64_t at_ns, uint64_t now_ns)
{
	uint64_t s = at_ns < now_ns ? (now_ns - at_ns) / NS_PER_S : 0;

	return s > UINT32_MAX ? UINT32_MAX : (uint32_t)s;
}

/* Seconds until @until_ns, in full ones and at least one: what is read back and
 * written again stays the same. */
static uint32_t left_s(uint64_t until_ns, uint64_t now_ns)
{
	return MAX(state_age_s(now_ns, until_ns + NS_PER_S - 1), 1U);
}

static void put_error(struct wcur *w, const struct health *h,
		      const struct state_clock *now)
{
	const struct health_entry *e = &h->last_error;

	wcur_u8(w, e->at_ns != 0);
	if (e->at_ns == 0)
		return;
	wcur_u16(w, e->outcome);
	wcur_u8(w, e->phase);
	wcur_u8(w, e->foreign_kind);
	wcur_u64(w, e->foreign);
	wcur_u32(w, state_age_s(e->at_ns, now->mono_ns));
	wcur_str(w, h->last_detail, MSG_DETAIL_MAX - 1);
}

static void put_check(struct wcur *w, const struct target_check *c,
		      const struct state_clock *now)
{
	const struct health *h = &c->health;
	unsigned int n = h->sample_count;

	wcur_u64(w, c->key);
	wcur_u8(w, (uint8_t)h->verdict);
	wcur_u16(w, h->streak_ok);
	wcur_u16(w, h->streak_fail);
	wcur_u32(w, state_age_s(h->since_ns, now->mono_ns));
	wcur_u64(w, h->ok_total);
	wcur_u64(w, h->fail_total);
	wcur_u64(w, h->ours_total);
	wcur_u8(w, (uint8_t)n);
	for (unsigned int i = 0; i < n; i++) /* oldest first */
		wcur_u32(w, h->samples_us[(h->sample_head + HEALTH_SAMPLES - n +
					   i) %
					  HEALTH_SAMPLES]);
	wcur_u32(w, h->moving_us);
	wcur_u32(w, h->bytes_each);
	wcur_u32(w, h->leaked_bytes);
	wcur_u64(w, (uint64_t)h->cert_not_after);
	put_error(w, h, now);
}

static void put_target(struct wcur *w, const struct target *t,
		       const struct state_clock *now)
{
	uint8_t n = 0;

	for (unsigned int k = 0; k < TARGET_CHECKS; k++)
		n += t->checks[k].is_used;
	wcur_u64(w, t->identity);
	wcur_u8(w, (uint8_t)t->admin);
	wcur_u32(w, t->admin_until_ns ? left_s(t->admin_until_ns, now->mono_ns)
				      : 0);
	wcur_u64(w, t->bytes_today);
	wcur_u64(w, t->bytes_total);
	wcur_u64(w, t->leaked_bytes);
	wcur_u8(w, n);
	for (unsigned int k = 0; k < TARGET_CHECKS; k++) {
		if (t->checks[k].is_used)
			put_check(w, &t->checks[k], now);
	}
}

static void put_targets(struct wcur *w, const struct target_table *table,
			const struct state_clock *now)
{
	uint32_t limit = target_table_limit(table);

	wcur_u32(w, target_table_count(table));
	for (uint32_t i = 0; i < limit; i++) {
		const struct target *t = target_table_get(table, i);

		if (t)
			put_target(w, t, now);
	}
}

static uint64_t identity_of(const struct state_parts *p, uint32_t target)
{
	const struct target *t = target_table_get(p->targets, target);

	return t ? t->identity : 0;
}

static void put_group(struct wcur *w, const struct state_parts *p,
		      const struct group *g, const struct state_clock *now)
{
	wcur_str(w, g->name, TARGET_NAME_MAX - 1);
	wcur_u64(w, g->manual == GROUP_NONE
			    ? 0
			    : identity_of(p, g->members[g->manual].target));
	for (unsigned int i = 0; i < GROUP_SELS; i++) {
		wcur_u64(w, identity_of(p, group_selected(g, i)));
		wcur_u8(w, (uint8_t)g->sel[i].reason);
		wcur_u32(w, state_age_s(g->sel[i].since_ns, now->mono_ns));
	}
}

static void put_quarantine(struct wcur *w, const struct quarantine *q,
			   const struct state_clock *now)
{
	size_t count = quarantine_count(q);
	struct quarantine_view v;
	uint32_t held = 0;

	for (size_t i = 0; i < count; i++) {
		quarantine_at(q, i, now->mono_ns, &v);
		held += v.is_held;
	}
	wcur_u32(w, held);
	for (size_t i = 0; i < count; i++) {
		quarantine_at(q, i, now->mono_ns, &v);
		if (!v.is_held)
			continue;
		wcur_u64(w, v.key);
		wcur_u32(w, left_s(v.until_ns, now->mono_ns));
	}
}

static size_t size_bound(const struct state_parts *p)
{
	return HEAD_SIZE +
	       (size_t)target_table_count(p->targets) * TARGET_SIZE +
	       p->group_count * GROUP_SIZE +
	       quarantine_count(p->quarantine) * HELD_SIZE;
}

int state_encode(const struct state_parts *p, const struct state_clock *now,
		 uint8_t **ret, size_t *ret_len)
{
	size_t cap = size_bound(p);
	auto_free uint8_t *buf = malloc(cap);
	struct wcur w;

	if (!buf)
		return -ENOMEM;
	wcur_init(&w, buf, cap);
	wcur_u32(&w, STATE_MAGIC);
	wcur_u32(&w, STATE_VERSION);
	wcur_u64(&w, (uint64_t)now->wall_s);
	wcur_u64(&w, (uint64_t)p->budget->day);
	wcur_u64(&w, p->budget->today_bytes);
	wcur_u64(&w, p->budget->yesterday_bytes);
	wcur_u64(&w, p->budget->total_bytes);
	put_quarantine(&w, p->quarantine, now);
	put_targets(&w, p->targets, now);
	wcur_u32(&w, (uint32_t)p->group_count);
	for (size_t i = 0; i < p->group_count; i++)
		put_group(&w, p, &p->groups[i], now);
	if (wcur_finish(&w) < 0 || w.len + STATE_SUM_SIZE > STATE_MAX)
		return -EMSGSIZE;
	wcur_u64(&w, state_sum(buf, w.len));
	if (wcur_finish(&w) < 0)
		return -EMSGSIZE;
	*ret_len = w.len;
	*ret = TAKE_PTR(buf);
	return 0;
}
