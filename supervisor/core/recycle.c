/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/core/recycle.h"

#include <errno.h>

#include "common/base.h"
#include "supervisor/core/hash.h"

#define SLOPE_SAMPLES_MIN 12
#define MEMORY_TOTAL_MAX (256ULL << 20)
#define WORKERS_MAX 64		   /* that can be asked for */
#define WORKERS_DERIVED 8	   /* without being asked */
#define HARD_COMFORT (12ULL << 20) /* growth worth one more worker */
#define HARD_MIN (2ULL << 20)
#define HARD_MAX (64ULL << 20)
#define FLOW_MIN 16384U
#define FLOW_MAX 1048576U
#define FLOW_RAM_SHARE 8192 /* bytes of RAM for one flow entry */
/* RLIMIT_DATA is counted in mappings, not pages: thread stacks and malloc's
 * slack are in it. It is the kernel's last word, well above our own. */
#define DATA_SLACK (16ULL << 20)

uint64_t recycle_growth_bytes(const struct recycle_meter *m)
{
	return m->anon_bytes > m->base_bytes ? m->anon_bytes - m->base_bytes
					     : 0;
}

void recycle_meter_read(struct recycle_meter *m, uint64_t anon_bytes,
			uint64_t now_ns)
{
	const struct recycle_sample *last;

	m->anon_bytes = anon_bytes;
	if (m->ready_ns == 0)
		return;
	if (m->base_bytes == 0)
		m->base_bytes = anon_bytes;
	last = &m->samples[(m->sample_head + RECYCLE_SAMPLES - 1) %
			   RECYCLE_SAMPLES];
	if (m->sample_count && now_ns < last->at_ns + RECYCLE_SAMPLE_GAP_NS)
		return;
	m->samples[m->sample_head] = (struct recycle_sample){
		.at_ns = now_ns,
		.bytes = recycle_growth_bytes(m),
	};
	m->sample_head = (m->sample_head + 1) % RECYCLE_SAMPLES;
	m->sample_count = MIN(m->sample_count + 1, (uint32_t)RECYCLE_SAMPLES);
}

uint64_t recycle_slope_bps(const struct recycle_meter *m)
{
	double n = m->sample_count, sx = 0, sy = 0, sxx = 0, sxy = 0, d, slope;
	uint32_t first = (m->sample_head + RECYCLE_SAMPLES - m->sample_count) %
			 RECYCLE_SAMPLES;

	if (m->sample_count < SLOPE_SAMPLES_MIN)
		return 0;
	for (uint32_t i = 0; i < m->sample_count; i++) {
		const struct recycle_sample *s =
			&m->samples[(first + i) % RECYCLE_SAMPLES];
		double x = (double)(s->at_ns - m->samples[first].at_ns) /
			   (double)NS_PER_S;
		double y = (double)s->bytes;

		sx += x;
		sy += y;
		sxx += x * x;
		sxy += x * y;
	}
	d = n * sxx - sx * sx;
	if (d <= 0)
		return 0;
	slope = (n * sxy - sx * sy) / d;
	return slope < 1 ? 0 : (uint64_t)slope;
}

/* Thresholds are only ever lowered, so that jitter cannot exceed a limit. */
static uint64_t jittered(uint64_t limit, const struct recycle_policy *p,
			 uint64_t seed)
{
	uint64_t percent = MIN(p->jitter_percent, 100U);
	uint64_t off = hash_mix(seed) % (percent * 10 + 1); /* permille */

	return limit - (limit / 1000 * off + limit % 1000 * off / 1000);
}

static bool is_stuck(const struct recycle_policy *p,
		     const struct recycle_meter *m, uint64_t now_ns)
{
	if (p->stuck_timeout_ns == 0 || m->ready_ns == 0)
		return false;
	if (now_ns > m->heartbeat_ns + p->stuck_timeout_ns)
		return true;
	return m->overdue_ns && now_ns > m->overdue_ns + p->stuck_timeout_ns;
}

static enum recycle_reason hard_reason(const struct recycle_policy *p,
				       const struct recycle_meter *m,
				       uint64_t now_ns)
{
	if (p->rss_hard_bytes && recycle_growth_bytes(m) >= p->rss_hard_bytes)
		return RECYCLE_RSS_HARD;
	if (is_stuck(p, m, now_ns))
		return RECYCLE_STUCK;
	if (m->draining_ns && p->drain_timeout_ns &&
	    now_ns >= m->draining_ns + p->drain_timeout_ns)
		return RECYCLE_DRAIN_TIMEOUT;
	return RECYCLE_NONE;
}

/* The soft limit will be reached within slope_ns if it goes on like this. A
 * worker that is still warming up grows fast and means nothing by it. */
static bool is_steep(const struct recycle_policy *p,
		     const struct recycle_meter *m)
{
	uint64_t growth = recycle_growth_bytes(m);
	uint64_t bps, left;

	if (p->slope_ns == 0 || p->rss_soft_bytes == 0 ||
	    growth < p->rss_soft_bytes / 4)
		return false;
	bps = recycle_slope_bps(m);
	left = p->rss_soft_bytes > growth ? p->rss_soft_bytes - growth : 0;
	return bps && left / bps < p->slope_ns / NS_PER_S;
}

static enum recycle_reason soft_reason(const struct recycle_policy *p,
				       const struct recycle_meter *m,
				       uint64_t now_ns)
{
	if (p->rss_soft_bytes && recycle_growth_bytes(m) >= p->rss_soft_bytes)
		return RECYCLE_RSS_SOFT;
	if (p->max_fds && m->fds >= p->max_fds)
		return RECYCLE_FDS;
	if (p->max_probes && m->probes >= jittered(p->max_probes, p, m->seed))
		return RECYCLE_PROBES;
	if (p->max_age_ns && m->ready_ns &&
	    now_ns >= m->ready_ns + jittered(p->max_age_ns, p, m->seed + 1))
		return RECYCLE_AGE;
	return is_steep(p, m) ? RECYCLE_SLOPE : RECYCLE_NONE;
}

struct recycle_verdict recycle_decide(const struct recycle_policy *p,
				      const struct recycle_meter *m,
				      uint64_t last_ns, uint64_t now_ns)
{
	struct recycle_verdict v = { RECYCLE_KEEP, RECYCLE_NONE };

	v.reason = hard_reason(p, m, now_ns);
	if (v.reason != RECYCLE_NONE) {
		v.step = RECYCLE_KILL;
		return v;
	}
	if (m->draining_ns || m->ready_ns == 0 ||
	    (last_ns && now_ns < last_ns + p->min_gap_ns))
		return v;
	v.reason = soft_reason(p, m, now_ns);
	if (v.reason != RECYCLE_NONE)
		v.step = RECYCLE_DRAIN;
	return v;
}

static uint32_t power_of_two_floor(uint64_t v)
{
	uint32_t p = 1;

	while (p <= v / 2 && p < (1U << 31))
		p *= 2;
	return p;
}

/* What one of @n workers may grow by, 0 if it does not even fit at rest. */
static uint64_t growth_each(uint64_t total, uint32_t n)
{
	uint64_t each = total / n;

	return each > RECYCLE_BASE_BYTES ? each - RECYCLE_BASE_BYTES : 0;
}

static uint32_t derive_workers(const struct recycle_machine *m, uint64_t total)
{
	uint32_t n = MIN(m->cpus, (uint32_t)WORKERS_DERIVED);

	while (n > 1 && growth_each(total, n + 2) < HARD_COMFORT)
		n--;
	return n;
}

/* As many as fit with @need growth each, at least one. */
static uint32_t fit_workers(uint32_t n, uint64_t total, uint64_t need)
{
	while (n > 1 && growth_each(total, n) < need)
		n--;
	return n;
}

int recycle_derive(const struct recycle_machine *m, struct recycle_limits *ret)
{
	struct recycle_limits l = { 0 };
	uint64_t need = m->rss_hard_bytes ? m->rss_hard_bytes : HARD_MIN;
	uint64_t flows = m->ram_bytes / FLOW_RAM_SHARE;

	if (m->ram_bytes == 0 || m->cpus == 0)
		return -EINVAL;
	l.memory_total_bytes = m->memory_total_bytes;
	if (l.memory_total_bytes == 0)
		l.memory_total_bytes = MIN(m->ram_bytes / 100 * 15,
					   MEMORY_TOTAL_MAX);
	if (growth_each(l.memory_total_bytes, 1) < HARD_MIN)
		return -ENOSPC;
	l.workers = m->workers ? MIN(m->workers, (uint32_t)WORKERS_MAX)
			       : derive_workers(m, l.memory_total_bytes);
	l.workers = fit_workers(l.workers, l.memory_total_bytes, need);
	while (l.spares < 2 && growth_each(l.memory_total_bytes,
					   l.workers + l.spares + 1) >= need)
		l.spares++;
	l.rss_hard_bytes = MIN(
		growth_each(l.memory_total_bytes, l.workers + l.spares),
		m->rss_hard_bytes ? m->rss_hard_bytes : HARD_MAX);
	l.rss_soft_bytes = m->rss_soft_bytes ? m->rss_soft_bytes
					     : l.rss_hard_bytes / 2;
	l.rss_soft_bytes = MIN(l.rss_soft_bytes, l.rss_hard_bytes);
	l.data_bytes = l.rss_hard_bytes + RECYCLE_BASE_BYTES + DATA_SLACK;
	l.was_lowered = (m->workers && l.workers < m->workers) ||
			l.rss_hard_bytes < m->rss_hard_bytes ||
			l.rss_soft_bytes < m->rss_soft_bytes;
	flows = MAX(flows, (uint64_t)FLOW_MIN);
	l.flow_entries = power_of_two_floor(
		m->flow_entries ? m->flow_entries
				: MIN(flows, (uint64_t)FLOW_MAX));
	*ret = l;
	return 0;
}
