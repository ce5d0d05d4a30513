/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The routing section, checked and typed: what supervisor/rules compiles. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"

/* Where in which file; lines and columns count from 1. */
struct config_pos {
	uint16_t file; /* index into config.files */
	uint16_t column;
	uint32_t line;
};

enum rule_fn {
	RULE_DOMAIN,
	RULE_DIP,
	RULE_SIP,
	RULE_DPORT,
	RULE_SPORT,
	RULE_L4PROTO,
	RULE_IPVERSION,
	RULE_MAC,
	RULE_PNAME,
	RULE_DSCP,
	RULE_FN_COUNT
};

/* How one value of domain(), dip() or sip() is to be read. */
enum rule_key {
	RULE_KEY_LITERAL, /* prefixes; every other function */
	RULE_KEY_SUFFIX,
	RULE_KEY_KEYWORD,
	RULE_KEY_FULL,
	RULE_KEY_REGEX,
	RULE_KEY_GEOSITE,
	RULE_KEY_GEOIP,
	RULE_KEY_EXT,
	RULE_KEY_COUNT
};

/* One alternative of a function; which member is meant follows from the fn. */
struct rule_value {
	enum rule_key key;
	struct config_pos pos;
	union {
		struct prefix prefix; /* dip, sip */
		struct {
			uint16_t lo, hi;
		} range; /* dport, sport, inclusive */
		uint8_t mac[6];
		uint8_t number; /* dscp; ipversion 4 or 6; l4proto IPPROTO_* */
	};
	char *text; /* domain, pname, geo codes; NULL otherwise */
};

struct rule_cond {
	enum rule_fn fn;
	bool negate;
	struct config_pos pos;
	struct rule_value *values; /* joined by OR */
	size_t value_count;
	/* dip, sip: what lists of geo data stand for, joined as well; it is
	 * for the compiler alone to fill */
	struct prefix *prefixes;
	size_t prefix_count;
};

enum rule_action {
	RULE_DIRECT,
	RULE_BLOCK,
	RULE_GROUP,
	RULE_MUST_RULES, /* set must, go on */
};

struct rule_outbound {
	enum rule_action action;
	size_t group; /* index into config.groups for RULE_GROUP */
	bool must;
	bool has_mark;
	uint32_t mark;
	struct config_pos pos;
};

struct config_rule {
	struct rule_cond *conds; /* joined by AND */
	size_t cond_count;
	struct rule_outbound out;
	struct config_pos pos;
	char *text; /* as written, one line, for people */
};

struct config_routing {
	struct config_rule *rules;
	size_t rule_count;
	struct rule_outbound fallback;
};

const char *rule_fn_name(enum rule_fn fn);
