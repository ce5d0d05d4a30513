/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules written by hand, and what they decide by the twin and the oracle. */
#pragma once

#include "common/base.h"
#include "common/ruleset.h"
#include "supervisor/rules/rules.h"

extern const struct rules_options rules_case_options;

void rules_open(const struct config_routing *routing, struct rules_image *img,
		struct ruleset *ret);
struct rule_value rules_port(uint16_t lo, uint16_t hi);
struct rule_value rules_net(const char *text);
struct ruleset_query rules_packet(const char *src, const char *dst,
				  uint8_t proto, uint16_t dport);
void rules_same(const struct ruleset_verdict *a,
		const struct ruleset_verdict *b);
/* @rule decides, as the oracle says, too. */
void rules_expect(const struct config_routing *routing,
		  const struct ruleset_query *q, uint16_t rule,
		  enum dae_action action, bool must, bool is_dns);

#define DIRECT_TO                                                              \
	{                                                                      \
		.action = RULE_DIRECT                                          \
	}
#define GROUP_TO                                                               \
	{                                                                      \
		.action = RULE_GROUP, .group = 1                               \
	}
#define COND(f, vals)                                                          \
	{                                                                      \
		.fn = (f), .values = (vals), .value_count = ARRAY_LEN(vals)    \
	}
#define NOT(f, vals)                                                           \
	{                                                                      \
		.fn = (f), .negate = true, .values = (vals),                   \
		.value_count = ARRAY_LEN(vals)                                 \
	}
#define RULE(cs, ...)                                                          \
	{                                                                      \
		.conds = (cs), .cond_count = ARRAY_LEN(cs), .out = __VA_ARGS__ \
	}
#define ROUTING(rs, ...)                                                       \
	{                                                                      \
		.rules = (rs), .rule_count = ARRAY_LEN(rs),                    \
		.fallback = __VA_ARGS__                                        \
	}
