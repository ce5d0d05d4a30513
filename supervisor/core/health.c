/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/health.h"

#include <string.h>

#include "common/base.h"

static uint32_t add_sat(uint32_t a, uint32_t b)
{
	return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

static uint16_t count_up(uint16_t streak)
{
	return streak == UINT16_MAX ? streak : (uint16_t)(streak + 1);
}

struct health_policy health_default_policy(enum check_class c)
{
	switch (c) {
	case CHECK_UDP4:
	case CHECK_UDP6:
	case CHECK_UDP:
	case CHECK_QUIC4:
	case CHECK_QUIC6:
	case CHECK_QUIC:
	case CHECK_H3:
		return (struct health_policy){ .rise = 1, .fall = 3 };
	default:
		return (struct health_policy){ .rise = 1, .fall = 1 };
	}
}

uint32_t health_latency_us(const struct result *r)
{
	if (r->phase_us[PHASE_FIRST_BYTE])
		return r->phase_us[PHASE_FIRST_BYTE];
	return r->phase_us[PHASE_TOTAL];
}

static void add_sample(struct health *h, uint32_t us)
{
	us = MAX(us, 1U); /* 0 means never measured */
	h->samples_us[h->sample_head] = us;
	h->sample_head = (uint8_t)((h->sample_head + 1) % HEALTH_SAMPLES);
	if (h->sample_count < HEALTH_SAMPLES)
		h->sample_count++;
	if (h->moving_us == 0)
		h->moving_us = us;
	else
		h->moving_us = (uint32_t)MAX(((uint64_t)h->moving_us + us) / 2,
					     1ULL);
}

static void add_history(struct health *h, const struct result *r,
			uint64_t now_ns)
{
	struct health_entry e = {
		.at_ns = now_ns,
		.foreign = r->foreign,
		.latency_us = r->outcome == OUTCOME_OK ? health_latency_us(r)
						       : 0,
		.outcome = r->outcome,
		.phase = r->phase,
		.foreign_kind = r->foreign_kind,
	};

	h->history[h->history_head] = e;
	h->history_head = (uint8_t)((h->history_head + 1) % HEALTH_HISTORY);
	if (h->history_count < HEALTH_HISTORY)
		h->history_count++;
	if (r->outcome == OUTCOME_OK || outcome_is_ours(r->outcome))
		return;
	h->last_error = e;
	memcpy(h->last_detail, r->detail, sizeof(h->last_detail));
	h->last_detail[sizeof(h->last_detail) - 1] = '\0';
}

static void add_facts(struct health *h, const struct result *r, uint64_t now_ns)
{
	uint32_t bytes = add_sat(r->bytes_tx, r->bytes_rx);

	h->last_ns = now_ns;
	memcpy(h->phase_us, r->phase_us, sizeof(h->phase_us));
	h->leaked_bytes = add_sat(h->leaked_bytes, r->leaked_bytes);
	if (bytes && h->bytes_each)
		h->bytes_each =
			(uint32_t)(((uint64_t)h->bytes_each * 3 + bytes) / 4);
	else if (bytes)
		h->bytes_each = bytes;
	if (r->cert_not_after)
		h->cert_not_after = r->cert_not_after;
}

static enum health_effect set_verdict(struct health *h, enum verdict v,
				      uint64_t now_ns)
{
	if (h->verdict == v)
		return HEALTH_COUNTED;
	h->verdict = v;
	h->since_ns = now_ns;
	return HEALTH_CHANGED;
}

static enum health_effect apply_ok(struct health *h,
				   const struct health_policy *p,
				   const struct result *r, uint64_t now_ns)
{
	h->ok_total++;
	h->streak_ok = count_up(h->streak_ok);
	h->streak_fail = 0;
	add_sample(h, health_latency_us(r));
	/* rise is for coming back: a first success is the best news there is */
	if (h->verdict == VERDICT_DOWN && h->streak_ok < p->rise)
		return HEALTH_COUNTED;
	return set_verdict(h, VERDICT_UP, now_ns);
}

static enum health_effect
apply_fail(struct health *h, const struct health_policy *p, uint64_t now_ns)
{
	h->fail_total++;
	h->streak_fail = count_up(h->streak_fail);
	h->streak_ok = 0;
	if (h->streak_fail < p->fall)
		return HEALTH_COUNTED;
	return set_verdict(h, VERDICT_DOWN, now_ns);
}

enum health_effect health_apply(struct health *h, const struct health_policy *p,
				const struct result *r, uint64_t now_ns)
{
	add_history(h, r, now_ns);
	if (outcome_is_ours(r->outcome)) {
		h->ours_total++;
		return HEALTH_IGNORED;
	}
	add_facts(h, r, now_ns);
	switch (r->outcome) {
	case OUTCOME_OK:
		return apply_ok(h, p, r, now_ns);
	case OUTCOME_BUSY: /* overloaded, not down: as if not asked */
		return HEALTH_IGNORED;
	case OUTCOME_NO_ADDRESS:
		h->streak_ok = h->streak_fail = 0;
		return set_verdict(h, VERDICT_NOT_APPLICABLE, now_ns);
	default:
		return apply_fail(h, p, now_ns);
	}
}

uint32_t health_last_us(const struct health *h)
{
	if (h->sample_count == 0)
		return 0;
	return h->samples_us[(h->sample_head + HEALTH_SAMPLES - 1) %
			     HEALTH_SAMPLES];
}

uint32_t health_avg10_us(const struct health *h)
{
	uint64_t sum = 0;

	if (h->sample_count == 0)
		return 0;
	for (unsigned int i = 0; i < h->sample_count; i++)
		sum += h->samples_us[i];
	return (uint32_t)(sum / h->sample_count);
}

uint32_t health_moving_us(const struct health *h)
{
	return h->moving_us;
}

const struct health_entry *health_history(const struct health *h,
					  unsigned int i)
{
	if (i >= h->history_count)
		return NULL;
	return &h->history[(h->history_head + HEALTH_HISTORY - 1 - i) %
			   HEALTH_HISTORY];
}

unsigned int health_loss_percent(const struct health *h)
{
	unsigned int asked = 0, failed = 0;

	for (unsigned int i = 0; i < h->history_count; i++) {
		unsigned int o = h->history[i].outcome;

		if (outcome_is_ours(o) || o == OUTCOME_NO_ADDRESS)
			continue;
		asked++;
		failed += o != OUTCOME_OK;
	}
	return asked ? failed * 100 / asked : 0;
}

bool health_is_wavering(const struct health *h)
{
	return (h->verdict == VERDICT_UP && h->streak_fail > 0) ||
	       (h->verdict == VERDICT_DOWN && h->streak_ok > 0) ||
	       (h->verdict == VERDICT_UNKNOWN && h->streak_fail > 0);
}
