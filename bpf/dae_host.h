/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Part of the ABI of bpf/dae_maps.h: what the programs for the host's own
 * traffic share with the supervisor and with later generations of themselves.
 */
#pragma once

#include <linux/types.h>

#define DAE_RANGES_MAX 1024 /* to a family, twice in the map */
#define DAE_WAN_MAX 64

/*
 * Addresses from first to last, inclusive, that leave by a wan_interface and
 * are nobody's on this host: numbers, the high half first; IPv4 in the low
 * half. Sorted, without overlap.
 */
struct dae_range {
	__u64 first[2], last[2];
};

/* A single entry. */
struct dae_host {
	__u32 bank;		/* half of the map of ranges in use */
	__u32 has_exempt;	/* kernel: some process is in host_exempt */
	__u32 count[2][2];	/* ranges, by bank and family (1: IPv6) */
	__u32 wan[DAE_WAN_MAX]; /* ifindex each, 0 ends them */
	__u64 ports[1024];	/* bitmap: some target listens there */
};

/* Key of the map of ranges. */
static inline __attribute__((always_inline)) __u32
dae_range_key(__u32 bank, _Bool is_v6, __u32 i)
{
	return ((bank & 1) * 2 + is_v6) * DAE_RANGES_MAX + i;
}

/* A destination as the application gave it; IPv4 as ::ffff:a.b.c.d. */
struct dae_origin {
	__u64 a[2];
	__u16 port; /* network order */
	__u16 is_v6;
	__u32 zero;
};

enum dae_socket_flag {
	DAE_SOCKET_MARKED = 1,	/* its mark is ours, old_mark was its own */
	DAE_SOCKET_MOVED = 2,	/* its destination is a listener, not origin */
	DAE_SOCKET_PROXIED = 4, /* a datagram of it went to an engine */
};

/* What is remembered of a socket. */
struct dae_socket {
	__u64 verdict;
	__u32 old_mark;
	__u32 flags;
	struct dae_origin origin;
};

_Static_assert(sizeof(struct dae_range) == 32, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_host) == 8472, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_origin) == 24, "bump DAE_MAP_ABI");
_Static_assert(sizeof(struct dae_socket) == 40, "bump DAE_MAP_ABI");
