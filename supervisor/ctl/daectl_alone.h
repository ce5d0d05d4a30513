/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Probes without a daemon: one sandboxed worker of our own, fed with one job
 * after another. Names are resolved by it, too.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/check.h"
#include "common/msg.h"
#include "supervisor/config/config.h"

/* One question to ask. */
struct alone_item {
	enum check_class cls;
	uint8_t family;
};

struct alone_answer {
	const struct alone_item *item;
	int error; /* not asked: -errno of job_build.h; else 0 */
	struct sockaddr_storage peer;
	struct result result;
};

struct alone {
	const struct config *config;	      /* what is asked of nodes */
	const struct config_node *node;	      /* either this */
	const struct config_monitor *monitor; /* or that */
	const struct alone_item *items;
	size_t item_count;
	uint32_t rounds;
	uint32_t timeout_ms; /* of one job */
	uint32_t pause_ms;   /* between rounds */
	struct addr resolver;
	uint16_t resolver_port;
	/* Each answer as it comes; false ends the run. */
	bool (*on_answer)(void *ctx, const struct alone_answer *a);
	void *ctx;
};

/* 0 when all was asked, or -errno with what failed in @why. */
int alone_run(const struct alone *a, char *why, size_t cap);
