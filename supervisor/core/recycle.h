/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * When a worker has to go, and how much memory the workers may have together.
 * Growth is anonymous RSS minus its value at HELLO, measured by the supervisor,
 * never asked of the worker. Soft limits drain, hard ones kill.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/check.h"
#include "supervisor/config/config_supervisor.h"

#define RECYCLE_SAMPLES 24
#define RECYCLE_SAMPLE_GAP_NS 5000000000ULL
/* Private memory of a worker at HELLO, allowed for beside its growth. */
#define RECYCLE_BASE_BYTES (4ULL << 20)

enum recycle_step { RECYCLE_KEEP, RECYCLE_DRAIN, RECYCLE_KILL };

struct recycle_sample {
	uint64_t at_ns, bytes;
};

/* What is known about one running worker; zero it at spawn. */
struct recycle_meter {
	uint64_t seed;	      /* slot and generation: its own jitter */
	uint64_t ready_ns;    /* HELLO, 0: not yet */
	uint64_t draining_ns; /* drain began, 0: it did not */
	uint64_t base_bytes;  /* anonymous RSS at HELLO */
	uint64_t anon_bytes;
	uint64_t probes; /* results taken from it */
	uint32_t fds;
	uint64_t heartbeat_ns; /* its loop last turned */
	uint64_t overdue_ns;   /* deadline of its oldest job, 0: none */
	struct recycle_sample samples[RECYCLE_SAMPLES];
	uint32_t sample_head, sample_count;
};

struct recycle_verdict {
	enum recycle_step step;
	enum recycle_reason reason;
};

/* Take a reading; keeps one sample each RECYCLE_SAMPLE_GAP_NS for the slope. */
void recycle_meter_read(struct recycle_meter *m, uint64_t anon_bytes,
			uint64_t now_ns);
uint64_t recycle_growth_bytes(const struct recycle_meter *m);
/* Bytes a second by least squares, 0 if shrinking or too little is known. */
uint64_t recycle_slope_bps(const struct recycle_meter *m);
/*
 * Judge one worker. @last_ns: when any worker last began to drain, for min_gap,
 * 0: never. Hard limits do not wait for the gap.
 */
struct recycle_verdict recycle_decide(const struct recycle_policy *p,
				      const struct recycle_meter *m,
				      uint64_t last_ns, uint64_t now_ns);

struct recycle_machine {
	uint64_t ram_bytes;
	uint32_t cpus;
	uint64_t memory_total_bytes; /* as configured, 0: derive */
	uint32_t workers;
	uint32_t flow_entries;
	uint64_t rss_soft_bytes, rss_hard_bytes;
};

struct recycle_limits {
	uint64_t memory_total_bytes;
	uint32_t workers;
	uint32_t spares; /* workers beyond that fit: 0 drain first, 1
				 * replace first, 2 also a solo one */
	uint64_t rss_soft_bytes, rss_hard_bytes;
	uint64_t data_bytes;   /* RLIMIT_DATA of a worker */
	uint32_t flow_entries; /* a power of two */
	bool was_lowered;      /* what was configured does not fit: say so */
};

/*
 * Fill what is 0 in @m from RAM, so that (workers + spares) x (hard limit +
 * RECYCLE_BASE_BYTES) <= memory_total. -EINVAL without RAM or CPUs, -ENOSPC if
 * memory_total does not hold one worker.
 */
int recycle_derive(const struct recycle_machine *m, struct recycle_limits *ret);
