/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The one writer's side of bpf/domain_entry.h. */
#pragma once

#include "bpf/domain_entry.h"

/* @addr 0: free the entry. */
static inline void domain_write4(struct domain_line4 *line, int way, __u32 addr,
				 __u32 class_id)
{
	__u64 keep = line->e[way] & DOMAIN_SPILLED;

	__atomic_store_n(&line->e[way],
			 keep | (__u64)(addr ? class_id : 0) << 32 | addr,
			 __ATOMIC_RELEASE);
}

/* The address stays: one store. */
static inline void domain_change6(struct domain_entry6 *e, __u32 class_id)
{
	__u64 seq = ((e->state >> DOMAIN_SEQUENCE) + 1) << DOMAIN_SEQUENCE;

	__atomic_store_n(&e->state, seq | DOMAIN_VALID | class_id,
			 __ATOMIC_RELEASE);
}

static inline void domain_remove6(struct domain_entry6 *e)
{
	__u64 seq = ((e->state >> DOMAIN_SEQUENCE) + 1) << DOMAIN_SEQUENCE;

	__atomic_store_n(&e->state, seq, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline void domain_write6(struct domain_entry6 *e, const __u64 *addr,
				 __u32 class_id)
{
	domain_remove6(e);
	__atomic_store_n(&e->addr[0], addr[0], __ATOMIC_RELAXED);
	__atomic_store_n(&e->addr[1], addr[1], __ATOMIC_RELAXED);
	domain_change6(e, class_id);
}
