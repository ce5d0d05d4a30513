/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processes that own the listeners flows are handed to: what they send
 * themselves is not handed to them again. They show themselves before they dial
 * for a flow, since they must ask where it was going.
 */
#pragma once

#include "bpf/host_process.bpf.h"

/* By process id; the value is when it began, as ids are used again. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 256);
	__type(key, __u32);
	__type(value, __u64);
} host_exempt SEC(".maps");

static __always_inline bool host_is_exempt(void)
{
	const struct dae_host *h = table_at(&host, 0);
	const __u64 *start;
	__u32 tgid;

	if (!h || !h->has_exempt)
		return false;
	tgid = bpf_get_current_pid_tgid() >> 32;
	start = bpf_map_lookup_elem(&host_exempt, &tgid);
	return start && *start == host_process_start();
}

static __always_inline void host_exempt_current(void)
{
	__u32 tgid = bpf_get_current_pid_tgid() >> 32;
	__u64 start = host_process_start();
	struct dae_host *h = table_at(&host, 0);
	const __u64 *known;

	known = bpf_map_lookup_elem(&host_exempt, &tgid);
	if (!h || (known && *known == start))
		return;
	bpf_map_update_elem(&host_exempt, &tgid, &start, BPF_ANY);
	h->has_exempt = 1;
}
