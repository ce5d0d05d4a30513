/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "route trace": what is to be told of new decisions, and what is told. Belongs
 * to a generation, so no part of the pinned ABI.
 */
#pragma once

#include <linux/types.h>

#define DAE_TRACE_RING (64U << 10) /* bytes */

/* Written by the supervisor while on is 0. IPv4 as ::ffff:a.b.c.d. */
struct dae_trace_filter {
	__u32 on;
	__u32 left;	/* so many more, filled up once a second */
	__u64 until_ns; /* CLOCK_MONOTONIC: then it goes off by itself */
	__u64 lost;	/* matched, but the ring was full or left was 0 */
	__u64 src[2], src_mask[2];
	__u64 dst[2], dst_mask[2];
	__u16 dport; /* network order, 0: any */
	__u8 proto;  /* 0: any */
	__u8 zero[5];
};

struct dae_trace_record {
	__u64 time_ns;
	__u64 src[2], dst[2];
	__u64 verdict; /* as in a flow entry, without its sequence */
	__u32 mark;
	__u16 sport, dport; /* network order */
	__u16 rule;	    /* DAE_RULE_FALLBACK: none */
	__u8 proto;
	__u8 is_v6;
	__u8 is_host;
	__u8 zero[3];
};

_Static_assert(sizeof(struct dae_trace_record) == 64, "no holes");
