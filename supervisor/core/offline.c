/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/offline.h"

#include <errno.h>
#include <stdlib.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

/* Without a way out a pulse costs nothing and can hardly succeed. */
#define PULSE_NO_LINK_NS (5 * OFFLINE_PULSE_NS)
/* A success older than this no longer speaks for the uplink. */
#define FRESH_NS NS_PER_S

enum witness_flag {
	IS_WITNESS = 1 << 0,
	IS_PREFERRED = 1 << 1,
	IS_LOCAL = 1 << 2,
	HAS_FAILED = 1 << 3, /* in this doubt */
	IS_KNOWN = 1 << 5,   /* may be asked for want of a witness */
	WAS_ASKED = 1 << 4,  /* in this doubt */
};

struct offline {
	uint8_t *flags;
	uint32_t max, witnesses;
	enum offline_state state;
	enum offline_change change;
	bool has_link;
	bool asked_all; /* this doubt has no more witnesses to ask */
	uint32_t failed, asked, asked_failed;
	uint32_t pulses;
	uint64_t turn;
	uint64_t since_ns;
	uint64_t last_ok_ns;
	uint64_t returned_ns; /* 0: never was offline */
	uint64_t pulse_ns;    /* next one */
};

int offline_new(struct offline **ret, uint32_t max)
{
	auto_offline struct offline *o = NULL;

	if (max == 0)
		return -EINVAL;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->flags = calloc(max, 1);
	if (!o->flags)
		return -ENOMEM;
	o->max = max;
	o->has_link = true; /* until told otherwise */
	*ret = TAKE_PTR(o);
	return 0;
}

void offline_free(struct offline **o)
{
	if (*o)
		free((*o)->flags);
	free(*o);
	*o = NULL;
}

void offline_set_witness(struct offline *o, uint32_t target, bool is_witness,
			 bool preferred)
{
	uint8_t *f;

	if (target >= o->max)
		return;
	f = &o->flags[target];
	o->witnesses -= !!(*f & IS_WITNESS);
	*f &= (uint8_t) ~(IS_WITNESS | IS_PREFERRED);
	if (!is_witness || (*f & IS_LOCAL))
		return;
	*f |= (uint8_t)(IS_WITNESS | (preferred ? IS_PREFERRED : 0));
	o->witnesses++;
}

void offline_set_local(struct offline *o, uint32_t target, bool is_local)
{
	if (target >= o->max)
		return;
	if (is_local)
		offline_set_witness(o, target, false, false);
	o->flags[target] &= (uint8_t)~IS_LOCAL;
	if (is_local)
		o->flags[target] |= IS_LOCAL;
}

static void enter(struct offline *o, enum offline_state state,
		  enum offline_change change, uint64_t now_ns)
{
	for (uint32_t i = 0; i < o->max; i++)
		o->flags[i] &= (uint8_t) ~(HAS_FAILED | WAS_ASKED);
	o->failed = o->asked = o->asked_failed = 0;
	o->asked_all = false;
	o->state = state;
	o->change = change;
	o->since_ns = now_ns;
	o->pulse_ns = now_ns;
}

void offline_inherit(struct offline *o, const struct offline *old)
{
	o->state = old->state == OFFLINE ? OFFLINE : ONLINE;
	o->has_link = old->has_link;
	o->since_ns = old->since_ns;
	o->last_ok_ns = old->last_ok_ns;
	o->returned_ns = old->returned_ns;
	o->pulse_ns = old->pulse_ns;
	o->turn = old->turn;
}

/* Everyone who was asked has failed and nobody is left to ask. */
static void conclude(struct offline *o, uint64_t now_ns)
{
	if (o->state != OFFLINE_DOUBT || !o->asked_all)
		return;
	if (o->asked_failed < o->asked || o->failed < 2)
		return;
	enter(o, OFFLINE, OFFLINE_WENT, now_ns);
}

static enum offline_judgement judge_ok(struct offline *o, uint64_t started_ns,
				       uint64_t now_ns)
{
	o->last_ok_ns = now_ns;
	if (o->state == OFFLINE_DOUBT) {
		enter(o, ONLINE, OFFLINE_CLEARED, now_ns);
	} else if (o->state == OFFLINE && started_ns >= o->since_ns) {
		o->returned_ns = now_ns;
		enter(o, ONLINE, OFFLINE_RETURNED, now_ns);
	}
	return OFFLINE_APPLY;
}

static void note_failure(struct offline *o, uint32_t target, uint64_t now_ns)
{
	uint8_t *f = &o->flags[target];

	if (!(*f & HAS_FAILED)) {
		*f |= HAS_FAILED;
		o->failed++;
		o->asked_failed += !!(*f & WAS_ASKED);
	}
	conclude(o, now_ns);
}

static enum offline_judgement judge_fail(struct offline *o, uint32_t target,
					 uint64_t started_ns, uint64_t now_ns)
{
	bool is_witness = o->flags[target] & IS_WITNESS;

	if (o->state == OFFLINE)
		return OFFLINE_DROP;
	if (o->returned_ns && started_ns < o->returned_ns + OFFLINE_GRACE_NS)
		return OFFLINE_DROP;
	if (o->last_ok_ns && o->last_ok_ns >= started_ns &&
	    now_ns <= o->last_ok_ns + FRESH_NS)
		return OFFLINE_APPLY;
	if (o->state == ONLINE) {
		if (!is_witness || o->witnesses < 2)
			return OFFLINE_APPLY;
		enter(o, OFFLINE_DOUBT, OFFLINE_DOUBTED, now_ns);
	}
	if (is_witness)
		note_failure(o, target, now_ns);
	return o->state == OFFLINE ? OFFLINE_DROP : OFFLINE_HOLD;
}

enum offline_judgement offline_result(struct offline *o, uint32_t target,
				      bool ok, uint64_t started_ns,
				      uint64_t now_ns)
{
	if (target >= o->max || (o->flags[target] & IS_LOCAL))
		return OFFLINE_APPLY;
	return ok ? judge_ok(o, started_ns, now_ns)
		  : judge_fail(o, target, started_ns, now_ns);
}

void offline_link(struct offline *o, bool has_uplink, uint64_t now_ns)
{
	o->has_link = has_uplink;
	if (!has_uplink && o->state != OFFLINE)
		enter(o, OFFLINE, OFFLINE_WENT, now_ns);
	else if (has_uplink && o->state == OFFLINE && o->witnesses == 0)
		enter(o, ONLINE, OFFLINE_RETURNED, now_ns); /* none to ask */
	else if (has_uplink && o->state == OFFLINE)
		o->pulse_ns = now_ns;
}

void offline_tick(struct offline *o, uint64_t now_ns)
{
	if (o->state != OFFLINE_DOUBT)
		return;
	conclude(o, now_ns);
	if (o->state != OFFLINE_DOUBT ||
	    now_ns < o->since_ns + OFFLINE_CONFIRM_NS)
		return;
	/* nothing at all succeeded in that time: two failures are enough */
	if (o->failed >= 2)
		enter(o, OFFLINE, OFFLINE_WENT, now_ns);
	else
		enter(o, ONLINE, OFFLINE_CLEARED, now_ns);
}

enum offline_change offline_take_change(struct offline *o)
{
	enum offline_change c = o->change;

	o->change = OFFLINE_NO_CHANGE;
	return c;
}

static uint32_t find_preferred(const struct offline *o, uint8_t without)
{
	for (uint32_t i = 0; i < o->max; i++) {
		if ((o->flags[i] & IS_PREFERRED) && !(o->flags[i] & without))
			return i;
	}
	return UINT32_MAX;
}

/* From a place that is another each time: neighbours are alike. */
static uint32_t find_any(struct offline *o, uint8_t with, uint8_t without)
{
	uint32_t start = (uint32_t)(hash_mix(o->turn++) % o->max);

	for (uint32_t i = 0; i < o->max; i++) {
		uint32_t t = (start + i) % o->max;

		if ((o->flags[t] & with) && !(o->flags[t] & without))
			return t;
	}
	return UINT32_MAX;
}

static uint32_t witness_in_doubt(struct offline *o, uint64_t now_ns)
{
	uint32_t t = UINT32_MAX;

	if (o->asked_all)
		return t;
	if (o->asked < OFFLINE_WITNESSES) {
		t = find_preferred(o, HAS_FAILED | WAS_ASKED);
		if (t == UINT32_MAX)
			t = find_any(o, IS_WITNESS, HAS_FAILED | WAS_ASKED);
	}
	if (t == UINT32_MAX) {
		o->asked_all = true;
		conclude(o, now_ns);
		return t;
	}
	o->flags[t] |= WAS_ASKED;
	o->asked++;
	return t;
}

static uint32_t witness_for_pulse(struct offline *o, uint64_t now_ns)
{
	uint32_t t = UINT32_MAX;

	if (now_ns < o->pulse_ns)
		return t;
	o->pulse_ns = now_ns +
		      (o->has_link ? OFFLINE_PULSE_NS : PULSE_NO_LINK_NS);
	if (o->pulses++ % 2 == 0)
		t = find_preferred(o, 0);
	if (t == UINT32_MAX)
		t = find_any(o, IS_WITNESS, 0);
	return t == UINT32_MAX ? find_any(o, IS_KNOWN, IS_LOCAL) : t;
}

uint32_t offline_witness(struct offline *o, uint64_t now_ns)
{
	if (o->state == OFFLINE_DOUBT)
		return witness_in_doubt(o, now_ns);
	return o->state == OFFLINE ? witness_for_pulse(o, now_ns) : UINT32_MAX;
}

uint64_t offline_next_ns(const struct offline *o)
{
	if (o->state == OFFLINE_DOUBT)
		return o->since_ns + OFFLINE_CONFIRM_NS;
	return o->state == OFFLINE ? o->pulse_ns : UINT64_MAX;
}

enum offline_state offline_state(const struct offline *o)
{
	return o->state;
}

uint64_t offline_since_ns(const struct offline *o)
{
	return o->since_ns;
}
