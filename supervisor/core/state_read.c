/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading saved state. One walk serves twice: without parts it only checks, so
 * that a damaged image is refused before anything has been touched.
 */
#include <errno.h>
#include <string.h>

#include "common/base.h"
#include "common/wire.h"
#include "supervisor/core/state_private.h"

#define HELD_MAX_S (366U * 86400)

struct walk {
	struct rcur c;
	const struct state_parts *parts; /* NULL: check only */
	const struct state_clock *now;
	uint64_t away_s; /* between saving and now */
	bool is_bad;	 /* a value out of its range */
	int error;	 /* while applying */
};

/* An instant @age_s before the image was saved. */
static uint64_t instant_ns(const struct walk *w, uint32_t age_s)
{
	uint64_t ns = (age_s + w->away_s) * NS_PER_S;

	return ns < w->now->mono_ns ? w->now->mono_ns - ns : 1;
}

static uint32_t bounded(struct walk *w, uint32_t v, uint32_t end)
{
	if (v < end)
		return v;
	w->is_bad = true;
	return 0;
}

static bool is_over(const struct walk *w)
{
	return w->c.failed || w->is_bad;
}

static void get_budget(struct walk *w)
{
	struct budget b = { 0 };

	b.day = (int64_t)rcur_u64(&w->c);
	b.today_bytes = rcur_u64(&w->c);
	b.yesterday_bytes = rcur_u64(&w->c);
	b.total_bytes = rcur_u64(&w->c);
	if (b.day < -1 || b.day > INT32_MAX)
		w->is_bad = true;
	if (!w->parts)
		return;
	b.daily_bytes = w->parts->budget->daily_bytes;
	*w->parts->budget = b;
}

static void get_held(struct walk *w)
{
	uint64_t key = rcur_u64(&w->c);
	uint32_t left_s = bounded(w, rcur_u32(&w->c), HELD_MAX_S);
	struct target *t;

	if (!w->parts || left_s <= w->away_s)
		return;
	t = target_table_find(w->parts->targets, key);
	if (!t)
		return;
	w->error = quarantine_hold(w->parts->quarantine, key,
				   w->now->mono_ns +
					   (left_s - w->away_s) * NS_PER_S);
	t->is_quarantined = w->error == 0;
}

static void get_error(struct walk *w, struct health *h)
{
	if (bounded(w, rcur_u8(&w->c), 2) == 0)
		return;
	h->last_error.outcome = (uint16_t)bounded(w, rcur_u16(&w->c),
						  OUTCOME_COUNT);
	h->last_error.phase = (uint8_t)bounded(w, rcur_u8(&w->c), PHASE_COUNT);
	h->last_error.foreign_kind = (uint8_t)bounded(w, rcur_u8(&w->c),
						      FOREIGN_COUNT);
	h->last_error.foreign = rcur_u64(&w->c);
	h->last_error.at_ns = instant_ns(w, rcur_u32(&w->c));
	rcur_str(&w->c, h->last_detail, sizeof(h->last_detail),
		 MSG_DETAIL_MAX - 1);
	for (const char *p = h->last_detail; *p; p++) {
		if (*p < ' ' || *p > '~')
			w->is_bad = true;
	}
}

static struct target_check *find_check(struct target *t, uint64_t key)
{
	for (unsigned int k = 0; t && k < TARGET_CHECKS; k++) {
		if (t->checks[k].is_used && t->checks[k].key == key)
			return &t->checks[k];
	}
	return NULL;
}

static void get_check(struct walk *w, struct target *t)
{
	struct target_check *c = find_check(t, rcur_u64(&w->c));
	struct health h = { 0 };

	h.verdict = bounded(w, rcur_u8(&w->c), VERDICT_COUNT);
	h.streak_ok = rcur_u16(&w->c);
	h.streak_fail = rcur_u16(&w->c);
	h.since_ns = instant_ns(w, rcur_u32(&w->c));
	h.ok_total = rcur_u64(&w->c);
	h.fail_total = rcur_u64(&w->c);
	h.ours_total = rcur_u64(&w->c);
	h.sample_count = (uint8_t)bounded(w, rcur_u8(&w->c),
					  HEALTH_SAMPLES + 1);
	for (unsigned int i = 0; i < h.sample_count; i++) {
		h.samples_us[i] = rcur_u32(&w->c);
		if (h.samples_us[i] == 0)
			w->is_bad = true;
	}
	h.sample_head = h.sample_count % HEALTH_SAMPLES;
	h.moving_us = rcur_u32(&w->c);
	if ((h.moving_us == 0) != (h.sample_count == 0))
		w->is_bad = true;
	h.bytes_each = rcur_u32(&w->c);
	h.leaked_bytes = rcur_u32(&w->c);
	h.cert_not_after = (int64_t)rcur_u64(&w->c);
	get_error(w, &h);
	if (w->parts && c)
		c->health = h;
}

/* What its checks come to, as long as their last verdict is old. */
static void settle_state(struct target *t, uint64_t now_ns)
{
	uint64_t since_ns = 0;

	if (!target_update_state(t, now_ns))
		return;
	for (unsigned int k = 0; k < TARGET_CHECKS; k++)
		if (t->checks[k].is_used)
			since_ns = MAX(since_ns, t->checks[k].health.since_ns);
	if (since_ns)
		t->state_since_ns = since_ns;
}

static void get_target(struct walk *w)
{
	uint64_t identity = rcur_u64(&w->c);
	struct target *t = w->parts ? target_table_find(w->parts->targets,
							identity)
				    : NULL;
	uint32_t admin = bounded(w, rcur_u8(&w->c), NODE_ADMIN_COUNT);
	uint32_t left_s = rcur_u32(&w->c);
	uint64_t today = rcur_u64(&w->c), total = rcur_u64(&w->c);
	uint64_t leaked = rcur_u64(&w->c);
	uint32_t n = bounded(w, rcur_u8(&w->c), TARGET_CHECKS + 1);

	if (t) {
		t->bytes_today = today;
		t->bytes_total = total;
		t->leaked_bytes = leaked;
	}
	if (t && left_s == 0)
		target_set_admin(t, (enum node_admin)admin, 0);
	else if (t && left_s > w->away_s)
		target_set_admin(t, (enum node_admin)admin,
				 w->now->mono_ns +
					 (left_s - w->away_s) * NS_PER_S);
	for (uint32_t i = 0; i < n && !is_over(w); i++)
		get_check(w, t);
	if (t)
		settle_state(t, w->now->mono_ns);
}

static struct group *find_group(const struct walk *w, const char *name)
{
	for (size_t i = 0; w->parts && i < w->parts->group_count; i++) {
		if (strcmp(w->parts->groups[i].name, name) == 0)
			return &w->parts->groups[i];
	}
	return NULL;
}

static uint32_t find_member(const struct walk *w, const struct group *g,
			    uint64_t identity)
{
	const struct target *t;

	if (!g || identity == 0)
		return GROUP_NONE;
	t = target_table_find(w->parts->targets, identity);
	for (uint32_t i = 0; t && i < g->member_count; i++) {
		if (g->members[i].target == t->index)
			return i;
	}
	return GROUP_NONE;
}

static void get_group(struct walk *w)
{
	char name[TARGET_NAME_MAX];
	struct group *g;

	rcur_str(&w->c, name, sizeof(name), sizeof(name) - 1);
	g = find_group(w, name);
	if (g)
		g->manual = find_member(w, g, rcur_u64(&w->c));
	else
		rcur_u64(&w->c);
	for (unsigned int i = 0; i < GROUP_SELS; i++) {
		uint32_t m = find_member(w, g, rcur_u64(&w->c));
		uint32_t reason = bounded(w, rcur_u8(&w->c),
					  SELECT_REASON_COUNT);
		uint64_t since_ns = instant_ns(w, rcur_u32(&w->c));

		if (!g || m == GROUP_NONE)
			continue;
		g->sel[i].member = g->sel[i].last = m;
		g->sel[i].reason = (enum select_reason)reason;
		g->sel[i].since_ns = since_ns;
	}
}

/* Counts are not trusted: each record read fails at the end of the bytes. */
static void get_all(struct walk *w, void (*get)(struct walk *w))
{
	uint32_t n = rcur_u32(&w->c);

	for (uint32_t i = 0; i < n && !is_over(w) && w->error == 0; i++)
		get(w);
}

static int walk_image(struct walk *w, const void *buf, size_t len)
{
	uint64_t saved_s;
	uint32_t version;

	rcur_init(&w->c, buf, len);
	if (rcur_u32(&w->c) != STATE_MAGIC)
		return -EBADMSG;
	version = rcur_u32(&w->c);
	if (!w->c.failed && version != STATE_VERSION)
		return -EPROTONOSUPPORT;
	saved_s = rcur_u64(&w->c);
	if (w->now->wall_s > 0 && (uint64_t)w->now->wall_s > saved_s)
		w->away_s = MIN((uint64_t)w->now->wall_s - saved_s,
				(uint64_t)UINT32_MAX);
	get_budget(w);
	get_all(w, get_held);
	get_all(w, get_target);
	get_all(w, get_group);
	if (w->error)
		return w->error;
	if (w->is_bad)
		return -EBADMSG;
	return rcur_finish(&w->c);
}

int state_check(const void *buf, size_t len)
{
	static const struct state_clock never = { 0 };
	struct walk w = { .now = &never };
	const uint8_t *bytes = buf;
	uint64_t sum;
	struct rcur c;

	if (len < STATE_SUM_SIZE || len > STATE_MAX)
		return -EBADMSG;
	rcur_init(&c, bytes + len - STATE_SUM_SIZE, STATE_SUM_SIZE);
	sum = rcur_u64(&c);
	if (sum != state_sum(buf, len - STATE_SUM_SIZE))
		return -EBADMSG;
	return walk_image(&w, buf, len - STATE_SUM_SIZE);
}

int state_restore(const void *buf, size_t len, const struct state_parts *p,
		  const struct state_clock *now)
{
	struct walk w = { .parts = p, .now = now };
	int r = state_check(buf, len);

	if (r < 0)
		return r;
	return walk_image(&w, buf, len - STATE_SUM_SIZE);
}
