/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telling of new decisions: while nobody asks, one load that finds 0. */
#pragma once

#include "bpf/classify.bpf.h"
#include "bpf/flow.bpf.h"
#include "bpf/tables.bpf.h"

struct dae_trace_filter trace_filter SEC(".bss.trace");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, DAE_TRACE_RING);
} trace_ring SEC(".maps");

static __always_inline bool trace_differs(const __u64 *a, const __u64 *want,
					  const __u64 *mask)
{
	return ((a[0] ^ want[0]) & mask[0]) | ((a[1] ^ want[1]) & mask[1]);
}

static __always_inline void trace_map4(__u64 *to, __u32 addr)
{
	to[0] = 0;
	to[1] = (__u64)addr << 32 | bpf_htonl(0xffff);
}

static __always_inline void trace_addresses(const struct packet *p, __u64 *src,
					    __u64 *dst)
{
	if (p->is_v6) {
		src[0] = p->src6[0];
		src[1] = p->src6[1];
		dst[0] = p->dst6[0];
		dst[1] = p->dst6[1];
	} else {
		trace_map4(src, p->src4);
		trace_map4(dst, p->dst4);
	}
}

/* Whether one more may be told; two CPUs may share the last. */
static __always_inline bool trace_may(__u64 now)
{
	const __u32 left = FLOW_READ(trace_filter.left);

	if (now > trace_filter.until_ns) {
		trace_filter.on = 0; /* whoever asked is gone */
		return false;
	}
	if (left) {
		*(volatile __u32 *)&trace_filter.left = left -
							1; /* never below 0 */
		return true;
	}
	__sync_fetch_and_add(&trace_filter.lost, 1);
	return false;
}

__noinline int trace_tell(const struct packet *p, const struct flow_hit *f,
			  __u32 rule)
{
	struct dae_trace_record *r;
	__u64 src[2], dst[2], now;

	if (!p || !f)
		return 0;
	trace_addresses(p, src, dst);
	if ((trace_filter.proto && trace_filter.proto != p->proto) ||
	    (trace_filter.dport && trace_filter.dport != p->ports >> 16) ||
	    trace_differs(src, trace_filter.src, trace_filter.src_mask) ||
	    trace_differs(dst, trace_filter.dst, trace_filter.dst_mask))
		return 0;
	now = bpf_ktime_get_ns();
	if (!trace_may(now))
		return 0;
	r = bpf_ringbuf_reserve(&trace_ring, sizeof(*r), 0);
	if (!r) {
		__sync_fetch_and_add(&trace_filter.lost, 1);
		return 0;
	}
	__builtin_memset(r, 0, sizeof(*r));
	r->time_ns = now;
	r->src[0] = src[0];
	r->src[1] = src[1];
	r->dst[0] = dst[0];
	r->dst[1] = dst[1];
	r->verdict = f->verdict & ((1ULL << DAE_FLOW_SEQUENCE) - 1);
	r->mark = f->mark;
	r->sport = p->ports & 0xffff;
	r->dport = p->ports >> 16;
	r->rule = rule;
	r->proto = p->proto;
	r->is_v6 = p->is_v6;
	r->is_host = dae_cfg.is_host;
	bpf_ringbuf_submit(r, 0);
	return 0;
}

/* The flow @f of @p was decided as @result says. */
static __always_inline void
trace_decision(const struct packet *p, const struct flow_hit *f, __u32 result)
{
	if (FLOW_READ(trace_filter.on))
		trace_tell(p, f, result & RULE_INDEX);
}
