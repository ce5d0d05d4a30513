/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Patterns with look-ahead where users have it, at their very start:
 * "^(?!.*(expired|traffic)).*$". regcomp(3) knows none, so each becomes a
 * pattern of its own, which has to match, or must not, at the same place.
 */
#pragma once

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#define FILTER_LOOKS_MAX 4

struct filter_pattern {
	regex_t rest;
	struct {
		regex_t regex;
		bool negate;
	} looks[FILTER_LOOKS_MAX];
	size_t count;
};

/* As filter_regex_compile(); look-ahead elsewhere stays -EOPNOTSUPP. */
int filter_pattern_compile(const char *pattern, size_t len,
			   struct filter_pattern *ret, const char **why);
bool filter_pattern_matches(const struct filter_pattern *p, const char *text);
void filter_pattern_free(struct filter_pattern *p);
