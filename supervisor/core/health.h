/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What we believe about one check, and why. Rise and fall live here alone.
 * Statistics are dae's, mended: the moving average starts with the first
 * sample, failures add no sample, a failure of our own changes nothing.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "common/check.h"
#include "common/msg.h"
#include "common/outcome.h"

#define HEALTH_SAMPLES 10
#define HEALTH_HISTORY 8

struct health_policy {
	uint16_t rise, fall; /* results in a row, 0 counts as 1 */
};

struct health_entry {
	uint64_t at_ns;
	uint64_t foreign;
	uint32_t latency_us; /* 0 for a failure */
	uint16_t outcome;
	uint8_t phase;
	uint8_t foreign_kind;
};

struct health {
	enum verdict verdict;
	uint16_t streak_ok, streak_fail;
	uint8_t sample_head, sample_count;
	uint8_t history_head, history_count;
	uint64_t since_ns; /* the verdict holds since */
	uint64_t last_ns;  /* last result of any kind, 0: none */
	uint64_t ok_total, fail_total, ours_total;
	uint32_t samples_us[HEALTH_SAMPLES];
	uint32_t moving_us;
	uint32_t phase_us[PHASE_COUNT]; /* of the last result */
	uint32_t bytes_each;		/* moving average of a probe's bytes */
	uint32_t leaked_bytes;		/* sum over its probes, saturating */
	int64_t cert_not_after;		/* unix seconds, 0: none seen */
	struct health_entry last_error; /* of the target's own; at_ns 0: none */
	char last_detail[MSG_DETAIL_MAX]; /* belongs to last_error */
	struct health_entry history[HEALTH_HISTORY];
};

enum health_effect {
	HEALTH_IGNORED, /* ours, or busy: in the history only */
	HEALTH_COUNTED, /* streaks and statistics moved */
	HEALTH_CHANGED, /* and the verdict */
};

/* Fall of TCP 1, of UDP and QUIC 3, rise 1: dae's. */
struct health_policy health_default_policy(enum check_class c);
enum health_effect health_apply(struct health *h, const struct health_policy *p,
				const struct result *r, uint64_t now_ns);
/* The latency a result stands for: first byte, else the whole; cold. */
uint32_t health_latency_us(const struct result *r);
/* Statistics in us; 0 means never measured. */
uint32_t health_last_us(const struct health *h);
uint32_t health_avg10_us(const struct health *h);
uint32_t health_moving_us(const struct health *h);
/* The @i-th entry back from the newest, or NULL. */
const struct health_entry *health_history(const struct health *h,
					  unsigned int i);
/* Failures among the history, in percent; 0 without history. */
unsigned int health_loss_percent(const struct health *h);
/* In between: failing but not yet down, or succeeding but not yet up. */
bool health_is_wavering(const struct health *h);
