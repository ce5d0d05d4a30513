/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "supervisor/rule_counts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"
#include "supervisor/core/config_diff.h"
#include "supervisor/supervisor.h"

static bool same_fallback(const struct config *a, const struct config *b)
{
	char x[128], y[128];

	config_outbound_format(a, &a->routing.fallback, x, sizeof(x));
	config_outbound_format(b, &b->routing.fallback, y, sizeof(y));
	return strcmp(x, y) == 0;
}

/* For each rule of @new the count of the same rule of @old, each taken once. */
static void carry(const struct config *old, const uint64_t *was,
		  const struct config *new, uint64_t *ret, uint64_t *ids)
{
	size_t n = old->routing.rule_count, k;
	uint64_t id;

	for (size_t i = 0; i < n; i++)
		ids[i] = config_rule_identity(old, &old->routing.rules[i]);
	for (size_t i = 0; i < new->routing.rule_count; i++) {
		id = config_rule_identity(new, &new->routing.rules[i]);
		for (k = 0; k < n && ids[k] != id; k++)
			;
		if (k == n)
			continue;
		ret[i] = was[k];
		ids[k] = ~id; /* a rule that is there twice has two counts */
	}
	if (same_fallback(old, new))
		ret[DAE_RULE_FALLBACK] = was[DAE_RULE_FALLBACK];
}

void rule_counts_carry(struct supervisor *s, const struct config *old)
{
	struct datapath *dp = kernel_datapath(s->kernel);
	auto_free uint64_t *was = calloc(DAE_RULE_SLOTS, sizeof(*was));
	auto_free uint64_t *ids = calloc(DAE_RULE_SLOTS, sizeof(*ids));
	uint64_t *is = calloc(DAE_RULE_SLOTS, sizeof(*is));

	if (was && ids && is && dp) {
		datapath_read_last_rules(dp, was);
		for (size_t i = 0; s->rule_base && i < DAE_RULE_SLOTS; i++)
			was[i] += s->rule_base[i];
		carry(old, was, s->config, is, ids);
	}
	free(s->rule_base);
	s->rule_base = is;
}

int rule_counts_read(void *ctx, uint64_t *ret, size_t count,
		     struct ctl_outcome *res)
{
	struct supervisor *s = ctx;
	struct datapath *dp = kernel_datapath(s->kernel);
	auto_free struct datapath_counters *c = NULL;

	if (!dp) {
		snprintf(res->message, sizeof(res->message),
			 "nothing of routing is in the kernel");
		return -EOPNOTSUPP;
	}
	c = malloc(sizeof(*c));
	if (!c || datapath_read_counters(dp, c) < 0)
		return -ENOMEM;
	for (size_t i = 0; i < count && i < DAE_RULE_SLOTS; i++)
		ret[i] = c->rules[i] + (s->rule_base ? s->rule_base[i] : 0);
	return 0;
}
