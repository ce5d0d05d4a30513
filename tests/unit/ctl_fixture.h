/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A supervisor made of nothing but its data, at a fixed instant: what the tests
 * of the control plane look at. Operations are noted down, not done.
 */
#pragma once

#include "supervisor/ctl/ctl.h"

struct ctl_fixture {
	struct config *config;
	struct prober *prober;
	struct learned *learned;
	struct crew crew;
	pid_t pids[CREW_MAX];
	/* what was asked for last */
	char op[128];
	uint64_t ticket, gone; /* gone: a client that has left */
	struct ctl_probe_request probe;
	struct recycle_policy policy;
	int fail; /* what the next operation returns */
	unsigned int diff_steps;
};

/* Exits on failure: there is nothing to test without it. */
struct ctl_fixture *ctl_fixture_new(void);
void ctl_fixture_free(struct ctl_fixture **f);
/* Another event, at the fixture's time. */
void ctl_fixture_event(struct ctl_fixture *f, const char *text);
/* Answers for the probe that was asked for: one of each kind of outcome. */
size_t ctl_fixture_answers(const struct ctl_fixture *f,
			   struct ctl_probe_answer *ret, size_t max);

/* A trace of this count has to wait for a second page, any other is over. */
#define CTL_FIXTURE_WAITS 9
/* Two decisions, of a rule and of the fallback. */
void ctl_fixture_decisions(struct ctl_trace_page *ret);

extern const struct ctl_ops ctl_fixture_ops; /* ctx: the fixture */
