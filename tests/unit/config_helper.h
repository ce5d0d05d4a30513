/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of the configuration share: parse a text, look at the answer. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "common/base.h"
#include "supervisor/config/config_parse.h"

/* A text and what is said about it first: an error if it starts with "E ", a
 * warning with "W ", nothing at all if NULL. "E 3:7 words" also checks the
 * place. */
struct config_case {
	const char *text;
	const char *want;
};

static inline void config_print(const struct config_diags *d)
{
	char text[4096];
	size_t i;

	for (i = 0; i < d->count; i++) {
		config_diag_format(&d->items[i], text, sizeof(text));
		print_message("%s", text);
	}
}

/* Does @d say @want, and is the severity of the first message that of @want? */
static inline bool config_says(const struct config_diags *d, const char *want)
{
	char text[4096];
	size_t i;

	if (!want)
		return d->count == 0;
	if ((*want == 'E') != (d->error_count > 0))
		return false;
	for (i = 0; i < d->count; i++) {
		if ((d->items[i].severity == DIAG_ERROR) != (*want == 'E'))
			continue;
		config_diag_format(&d->items[i], text, sizeof(text));
		if (strstr(text, want + 2))
			return true;
	}
	return false;
}

static inline void config_check_cases(const struct config_case *cases,
				      size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		auto_diags struct config_diags d = { 0 };
		auto_config struct config *c = NULL;
		const char *want = cases[i].want;
		int r = config_parse(&c, cases[i].text, strlen(cases[i].text),
				     &d);

		if (config_says(&d, want) &&
		    (r == 0) == (!want || *want == 'W') && (r == 0) == !!c)
			continue;
		config_print(&d);
		fail_msg("case %zu: %s\nwanted: %s, result %d", i,
			 cases[i].text, want ? want : "nothing", r);
	}
}

/* A text that must parse, with or without warnings. */
static inline struct config *config_of(const char *text)
{
	auto_diags struct config_diags d = { 0 };
	struct config *c = NULL;

	if (config_parse(&c, text, strlen(text), &d) < 0) {
		config_print(&d);
		fail_msg("does not parse: %s", text);
	}
	return c;
}
